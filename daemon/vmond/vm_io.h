/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's accesses and what follows from them: event handlers of a VM, and what its
 * devices ask of it.
 */
#ifndef VMON_VMOND_VM_IO_H
#define VMON_VMOND_VM_IO_H

#include "vmond/vm.h"

int vm_on_io(sd_event_source *s, int fd, uint32_t revents, void *arg);
int vm_on_timer(sd_event_source *s, uint64_t usec, void *arg);
void vm_on_console(void *arg);
void vm_on_devices(void *arg);
void vm_rearm(struct vm *vm);
void vm_drain(struct vm *vm);

/* vm_host.c */
extern const struct device_host vm_host;

/* vm_devices.c */
int vm_add_devices(struct vm *vm, struct error *err);
void vm_drop_links(struct vm *vm);

/* vm.c */
void vm_want_end(struct vm *vm, enum vm_end how, u32 value, const char *report);

#endif /* VMON_VMOND_VM_IO_H */
