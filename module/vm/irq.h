/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts and guest time: the glue between the pure PIC and PIT and the
 * kernel's locks and timers.
 *
 * Guest time is the host's monotonic clock, minus the time spent paused. A tick
 * that the guest could not take yet is kept and injected later, so that a slow
 * vCPU does not make the guest's clock slow.
 */
#ifndef VMON_VM_IRQ_H
#define VMON_VM_IRQ_H

#include <linux/types.h>
#include <linux/hrtimer.h>
#include <linux/spinlock.h>

struct vmon_vm;
struct vmon_vcpu;

#define VMON_TICK_BACKLOG	8192	/* missed ticks kept at most */

/**
 * struct vmon_irq - what surrounds vm->pic and vm->pit
 * @lock:	protects vm->pic, vm->pit and this; taken in hard interrupts
 * @timer:	next thing to do for channel 0
 * @offset:	host monotonic time minus guest time, ns, while running
 * @stopped_at:	guest time while stopped
 * @stopped:	guest time stands still
 * @backlog:	ticks that wait for the guest
 * @last_tick:	guest time of the last tick injected, or when it was due
 * @last_fire:	guest time at which @timer fired last
 * @armed:	guest time @timer is set for, VMON_PIT_NEVER for none
 * @ticks, @reinjected, @dropped: counters, copied to the vCPU's statistics
 */
struct vmon_irq {
	raw_spinlock_t lock;
	struct hrtimer timer;
	u64 offset;
	u64 stopped_at;
	bool stopped;
	u32 backlog;
	u64 last_tick;
	u64 last_fire;
	u64 armed;
	u64 ticks;
	u64 reinjected;
	u64 dropped;
};

void vmon_irq_init(struct vmon_vm *vm);
void vmon_irq_destroy(struct vmon_vm *vm);
void vmon_irq_reset(struct vmon_vm *vm);

/* Guest time stops (vCPU parked) and goes on. */
void vmon_irq_stop_clock(struct vmon_vm *vm);
void vmon_irq_start_clock(struct vmon_vm *vm);

/* Guest time, ns since the VM's creation without the time it was paused. */
u64 vmon_vm_now(struct vmon_vm *vm);

/* Set a line's level; kicks the vCPU. Any context. */
void vmon_irq_set_line(struct vmon_vm *vm, unsigned int line, bool level);

/* Make a line level or edge triggered, as firmware does. False: it is edge triggered, always. */
bool vmon_irq_set_trigger(struct vmon_vm *vm, unsigned int line, bool level);

/**
 * vmon_irq_pending() - does the PIC request an interrupt?
 *
 * Lock-free, any context, interrupts off too. Whether the guest takes it (IF,
 * interrupt shadow) is the caller's business.
 */
bool vmon_irq_pending(struct vmon_vcpu *vcpu);

/* Acknowledge cycle. Return: the vector to deliver; spurious ones included. */
int vmon_irq_ack(struct vmon_vcpu *vcpu);

/* Byte-wide ports of PIC and PIT. */
bool vmon_irq_owns_port(u64 port);
u8 vmon_irq_port_read(struct vmon_vm *vm, u32 port);
void vmon_irq_port_write(struct vmon_vm *vm, u32 port, u8 val);

#endif /* VMON_VM_IRQ_H */
