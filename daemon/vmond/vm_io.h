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
void vm_show_output(struct vm *vm);

/* vm_host.c */
extern const struct device_host vm_host;

/* vm_devices.c */
int vm_add_devices(struct vm *vm, struct error *err);
void vm_drop_links(struct vm *vm);

/* vm.c */
void vm_on_output(struct uart16550 *uart, const u8 *data, size_t len);
int vm_on_end(sd_event_source *s, void *arg);
void vm_release(struct vm *vm);
int vm_restart(struct vm *vm, struct error *err);
void vm_lose(struct vm *vm, const char *why);
void vm_want_end(struct vm *vm, enum vm_end how, u32 value, const char *report);

/* vm_new.c */
int vm_map_ram(struct vm *vm, struct error *err);
int vm_load(struct vm *vm, struct vmon_regs *regs, struct error *err);
void vm_set_triggers(struct vm *vm);
int vm_add_end_source(struct vm *vm, struct error *err);
int vm_add_sources(struct vm *vm, struct error *err);

#endif /* VMON_VMOND_VM_IO_H */
