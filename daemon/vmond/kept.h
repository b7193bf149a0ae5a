/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the vmond before has left of a VM.
 */
#ifndef VMON_VMOND_KEPT_H
#define VMON_VMOND_KEPT_H

#include "vmond/store.h"
#include "vmond/vm.h"

enum kept_role {
	KEPT_STATE,
	KEPT_RAM,
	KEPT_IMAGES,
	KEPT_LOG,
	KEPT_ROLES,
};

/**
 * struct kept - descriptors of one VM
 * @id: of the VM
 * @fd: by role; -1: not there
 */
struct kept {
	u64 id;
	int fd[KEPT_ROLES];
};

bool kept_name(u64 id, enum kept_role role, char *name, size_t size);
bool kept_parse(const char *name, u64 *id, enum kept_role *role);

int vm_restore(sd_event *event, struct engine *engine, struct store *store,
	       struct kept *kept, struct vm **ret, struct error *err);
int vm_resume(struct vm *vm, struct error *err);

#endif /* VMON_VMOND_KEPT_H */
