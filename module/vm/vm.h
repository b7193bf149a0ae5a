/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine: what belongs together under one id, and its life.
 *
 * Locks, outermost first: vm->lock (a mutex: one configuration change at a
 * time) -> the list of VMs (a mutex in vm.c) -> vm->state_lock -> io.lock,
 * irq.lock (neither nested in the other). The vCPU thread never takes a mutex, so
 * holders of vm->lock may wait for it to park.
 */
#ifndef VMON_VM_VM_H
#define VMON_VM_VM_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "../../uapi/vmon.h"
#include "irqchip/pic.h"
#include "irqchip/pit.h"
#include "vm/vcpu.h"
#include "vm/memory.h"
#include "vm/io.h"
#include "vm/irq.h"

struct mem_cgroup;
struct netlink_ext_ack;

enum vmon_guard {
	VMON_GUARD_SEGMENT,
	VMON_GUARD_NR
};

extern const char *const vmon_guard_name[VMON_GUARD_NR];

/**
 * struct vmon_vm - a virtual machine
 * @id:		from 1
 * @name:	unique
 * @refs:	the list's and one for every user of vmon_vm_get()
 * @node:	in the list of VMs
 * @lock:	serialises changes by handlers; the vCPU thread never takes it
 * @state_lock:	protects @state, @cause, @report, @portid, @dying
 * @state:	enum vmon_state
 * @cause:	enum vmon_cause
 * @report:	why it stopped, in words
 * @dying:	being torn down, not in the list any more
 * @started:	has run since creation
 * @exec_mode:	enum vmon_exec_mode
 * @guard:	what hides the monitor
 * @protected:	the guard is enforced by this CPU
 * @selfcheck:	what is the monitor's is compared at each exit
 * @portid:	owner's netlink port, 0 for none
 * @claim_ms:	how long an orphan is kept
 * @orphan_work: tears it down when that time is over
 * @memcg:	the owner's memory cgroup, charged for guest pages
 */
struct vmon_vm {
	u32 id;
	char name[VMON_NAME_MAX + 1];
	refcount_t refs;
	struct list_head node;
	struct mutex lock;		/* of handlers against each other */
	spinlock_t state_lock;		/* of state and what goes with it */
	enum vmon_state state;
	enum vmon_cause cause;
	char report[VMON_REPORT_MAX];
	bool dying;
	bool started;
	enum vmon_exec_mode exec_mode;
	enum vmon_guard guard;
	bool protected;
	bool selfcheck;
	u32 portid;
	u32 claim_ms;
	struct delayed_work orphan_work;
	struct mem_cgroup *memcg;

	struct vmon_memory mem;
	struct vmon_io io;
	struct vmon_irq irq;
	struct vmon_pic pic;
	struct vmon_pit pit;
	struct vmon_vcpu vcpu;
};

int vmon_vm_init(void);
void vmon_vm_exit(void);

/* What VM_NEW asks for. */
struct vmon_vm_config {
	const char *name;
	u32 portid;
	u32 claim_ms;
	enum vmon_exec_mode exec_mode;
	enum vmon_guard guard;
	bool protected;
	bool selfcheck;
};

/* Create a VM, stopped, with its thread parked. Return: the VM with a reference. */
struct vmon_vm *vmon_vm_create(const struct vmon_vm_config *config,
			       struct netlink_ext_ack *extack);

/* Take it out of the list, stop its thread, free what it had. vm->lock not held. */
void vmon_vm_destroy(struct vmon_vm *vm);

/* By id, with a reference; NULL: none such. */
struct vmon_vm *vmon_vm_get(u32 id);

/* The one with the lowest id >= @id; NULL: none. */
struct vmon_vm *vmon_vm_get_from(u32 id);
void vmon_vm_put(struct vmon_vm *vm);

/* State changes by the owner. Caller holds vm->lock. */
int vmon_vm_run(struct vmon_vm *vm, struct netlink_ext_ack *extack);
int vmon_vm_pause(struct vmon_vm *vm, struct netlink_ext_ack *extack);
int vmon_vm_stop(struct vmon_vm *vm, struct netlink_ext_ack *extack);
int vmon_vm_reset(struct vmon_vm *vm, struct netlink_ext_ack *extack);

/* Park the vCPU of a VM in any state; vmon_vm_release_vcpu() lets a RUNNING one go on. */
int vmon_vm_hold_vcpu(struct vmon_vm *vm, struct netlink_ext_ack *extack);
void vmon_vm_release_vcpu(struct vmon_vm *vm);

/* The sender becomes the owner. Caller holds vm->lock. */
int vmon_vm_claim(struct vmon_vm *vm, u32 portid, struct netlink_ext_ack *extack);

/* The vCPU thread ends running: state STOPPED, owner told. */
void vmon_vm_stopped(struct vmon_vm *vm, enum vmon_cause cause, const char *report);

/* The owner at @portid is gone: pause its VMs, start the claim time. */
void vmon_vm_owner_gone(u32 portid);

/* The owner could not be reached: pause until its successor comes. */
void vmon_vm_unreachable(struct vmon_vm *vm);

#endif /* VMON_VM_VM_H */
