/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors that outlive vmond: systemd's store where systemd runs us, vmon-keeper elsewhere.
 *
 * Each has a name, "vm-ID-ROLE". A vmond that starts gets what the one before has put there and
 * not dropped.
 */
#ifndef VMON_VMOND_STORE_H
#define VMON_VMOND_STORE_H

#include <systemd/sd-event.h>

#include "common/error.h"
#include "common/types.h"

#define STORE_NAME	48	/* bytes, with the NUL */
#define STORE_MAX	4096	/* descriptors; also in vmond.service */

struct store;

/* Gets the descriptor @fd, which is its own from then on. */
typedef void (*store_fn)(const char *name, int fd, void *arg);

int store_new(sd_event *event, const char *dir, u32 claim_ms, struct store **ret,
	      struct error *err);
void store_free(struct store *s);
void store_take(struct store *s, store_fn fn, void *arg);
bool store_put(struct store *s, const char *name, int fd);
void store_drop(struct store *s, const char *name);

#endif /* VMON_VMOND_STORE_H */
