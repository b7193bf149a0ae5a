/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest definitions, as verbs use them: problems are told as they are met.
 */
#ifndef VMON_VMONCTL_DEFINITION_H
#define VMON_VMONCTL_DEFINITION_H

#include "guest/config.h"

struct json_object;

int definition_load(const char *name, const char *instead, struct guest_config *ret);
int definition_dirs(struct guest_dirs *dirs);
void definition_tell(const struct guest_problems *p);
bool definition_is_changed(const struct guest_config *c, const char *digest);

/* show.c */
int show_guest(const char *name, struct json_object **ret);

/* engine.c */
int engine_create(const struct guest_config *c, u32 claim_ms, int *ret_fd, u32 *ret_vm,
		  struct error *err);

#endif /* VMON_VMONCTL_DEFINITION_H */
