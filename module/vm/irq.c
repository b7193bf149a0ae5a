// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts and guest time.
 *
 * The PIT's edges are collected when they are due, or later. A tick that finds
 * the previous one still requested or in service waits in the backlog; the
 * guest's end of interrupt brings the next, but not sooner than half a period
 * after the last, so that a slow guest gets some work done between two ticks.
 */
#include <linux/ktime.h>
#include "compat.h"
#include "vm/vm.h"

#define TICK_LINE	0
#define FIRE_GAP_NS	50000	/* the host's timer fires no more often than this */

static u64 now_locked(const struct vmon_irq *irq)
{
	return irq->stopped ? irq->stopped_at : ktime_get_ns() - irq->offset;
}

/* Guest time at which the next tick of the backlog may be given. */
static u64 next_reinjection(const struct vmon_vm *vm)
{
	return vm->irq.last_tick + vmon_pit_period(&vm->pit) / 2;
}

/* Set the timer for what comes next. A timer that is early does no harm. */
static void arm(struct vmon_vm *vm)
{
	struct vmon_irq *irq = &vm->irq;
	u64 due = vmon_pit_deadline(&vm->pit);

	if (irq->stopped)
		return;
	if (irq->backlog && !vmon_pic_busy(&vm->pic, TICK_LINE))
		due = min(due, next_reinjection(vm));
	if (due == VMON_PIT_NEVER)
		return;
	due = max(due, irq->last_fire + FIRE_GAP_NS);
	if (due >= irq->armed)
		return;
	irq->armed = due;
	hrtimer_start(&irq->timer, ns_to_ktime(due + irq->offset),
		      HRTIMER_MODE_ABS_HARD);
}

static void keep_backlog(struct vmon_irq *irq, u64 limit)
{
	if (irq->backlog <= limit)
		return;
	irq->dropped += irq->backlog - limit;
	irq->backlog = limit;
}

/*
 * Bring the tick line up to date: collect what is due, give the guest one tick
 * if it can take one, set the timer.
 */
static void service(struct vmon_vm *vm)
{
	struct vmon_irq *irq = &vm->irq;
	u64 now = now_locked(irq);
	u64 fresh = vmon_pit_collect(&vm->pit, now);
	u64 due = next_reinjection(vm);
	u64 slack = min(now, vmon_pit_period(&vm->pit) / 2);

	irq->backlog += min_t(u64, fresh, VMON_TICK_BACKLOG + 1);
	keep_backlog(irq, VMON_TICK_BACKLOG);
	if (irq->backlog && !vmon_pic_busy(&vm->pic, TICK_LINE) &&
	    (!irq->ticks || now >= due)) {
		vmon_pic_set_line(&vm->pic, TICK_LINE, false);
		vmon_pic_set_line(&vm->pic, TICK_LINE, true);
		irq->backlog--;
		irq->ticks++;
		irq->reinjected += !fresh;
		/* The pace is kept by when it was due, or late timers would slow it. */
		irq->last_tick = max(due, now - slack);
	}
	/* Nobody waits for the ticks of a masked line. */
	if (vmon_pic_masked(&vm->pic, TICK_LINE))
		keep_backlog(irq, 0);
	arm(vm);
}

static enum hrtimer_restart timer_fn(struct hrtimer *timer)
{
	struct vmon_vm *vm = container_of(timer, struct vmon_vm, irq.timer);
	struct vmon_irq *irq = &vm->irq;
	unsigned long flags;
	bool intr;

	raw_spin_lock_irqsave(&irq->lock, flags);
	irq->armed = VMON_PIT_NEVER;
	if (!irq->stopped) {
		irq->last_fire = now_locked(irq);
		service(vm);
	}
	intr = vmon_pic_intr(&vm->pic);
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	if (intr)
		vmon_vcpu_kick(&vm->vcpu);
	/* arm() has started it again if it is needed. */
	return HRTIMER_NORESTART;
}

void vmon_irq_init(struct vmon_vm *vm)
{
	struct vmon_irq *irq = &vm->irq;

	raw_spin_lock_init(&irq->lock);
	vmon_hrtimer_setup(&irq->timer, timer_fn, CLOCK_MONOTONIC,
			   HRTIMER_MODE_ABS_HARD);
	irq->stopped = true;
	irq->armed = VMON_PIT_NEVER;
	vmon_pic_reset(&vm->pic);
	vmon_pit_reset(&vm->pit, 0);
	vm->pit.reprogrammed = false;
}

void vmon_irq_destroy(struct vmon_vm *vm)
{
	vmon_irq_stop_clock(vm);
	hrtimer_cancel(&vm->irq.timer);
}

void vmon_irq_reset(struct vmon_vm *vm)
{
	struct vmon_irq *irq = &vm->irq;
	unsigned long flags;

	raw_spin_lock_irqsave(&irq->lock, flags);
	vmon_pic_reset(&vm->pic);
	vmon_pit_reset(&vm->pit, now_locked(irq));
	vm->pit.reprogrammed = false;
	irq->backlog = 0;
	raw_spin_unlock_irqrestore(&irq->lock, flags);
}

void vmon_irq_stop_clock(struct vmon_vm *vm)
{
	struct vmon_irq *irq = &vm->irq;
	unsigned long flags;

	raw_spin_lock_irqsave(&irq->lock, flags);
	if (!irq->stopped) {
		irq->stopped_at = now_locked(irq);
		irq->stopped = true;
		keep_backlog(irq, 0);
		irq->armed = VMON_PIT_NEVER;
		/* If it runs just now it finds the clock stopped. */
		hrtimer_try_to_cancel(&irq->timer);
	}
	raw_spin_unlock_irqrestore(&irq->lock, flags);
}

void vmon_irq_start_clock(struct vmon_vm *vm)
{
	struct vmon_irq *irq = &vm->irq;
	unsigned long flags;

	raw_spin_lock_irqsave(&irq->lock, flags);
	if (irq->stopped) {
		irq->offset = ktime_get_ns() - irq->stopped_at;
		irq->stopped = false;
		service(vm);
	}
	raw_spin_unlock_irqrestore(&irq->lock, flags);
}

u64 vmon_vm_now(struct vmon_vm *vm)
{
	unsigned long flags;
	u64 now;

	raw_spin_lock_irqsave(&vm->irq.lock, flags);
	now = now_locked(&vm->irq);
	raw_spin_unlock_irqrestore(&vm->irq.lock, flags);
	return now;
}

void vmon_irq_set_line(struct vmon_vm *vm, unsigned int line, bool level)
{
	unsigned long flags;
	bool intr;

	raw_spin_lock_irqsave(&vm->irq.lock, flags);
	vmon_pic_set_line(&vm->pic, line, level);
	intr = vmon_pic_intr(&vm->pic);
	raw_spin_unlock_irqrestore(&vm->irq.lock, flags);
	if (intr)
		vmon_vcpu_kick(&vm->vcpu);
}

bool vmon_irq_set_trigger(struct vmon_vm *vm, unsigned int line, bool level)
{
	unsigned long flags;
	bool ok, intr;

	raw_spin_lock_irqsave(&vm->irq.lock, flags);
	ok = vmon_pic_set_trigger(&vm->pic, line, level);
	intr = vmon_pic_intr(&vm->pic);
	raw_spin_unlock_irqrestore(&vm->irq.lock, flags);
	if (intr)
		vmon_vcpu_kick(&vm->vcpu);
	return ok;
}

bool vmon_irq_pending(struct vmon_vcpu *vcpu)
{
	return vmon_pic_intr(&vcpu->vm->pic);
}

int vmon_irq_ack(struct vmon_vcpu *vcpu)
{
	struct vmon_vm *vm = vcpu->vm;
	unsigned long flags;
	int vector;

	raw_spin_lock_irqsave(&vm->irq.lock, flags);
	vector = vmon_pic_ack(&vm->pic);
	/* With automatic end of interrupt the next tick may come already. */
	if (vm->irq.backlog)
		service(vm);
	raw_spin_unlock_irqrestore(&vm->irq.lock, flags);
	return vector;
}

bool vmon_irq_owns_port(u64 port)
{
	return port < 0x10000 &&
	       (vmon_pic_owns_port(port) || vmon_pit_owns_port(port));
}

u8 vmon_irq_port_read(struct vmon_vm *vm, u32 port)
{
	unsigned long flags;
	u8 val;

	raw_spin_lock_irqsave(&vm->irq.lock, flags);
	if (vmon_pit_owns_port(port))
		val = vmon_pit_read(&vm->pit, port, now_locked(&vm->irq));
	else
		val = vmon_pic_read(&vm->pic, port);
	raw_spin_unlock_irqrestore(&vm->irq.lock, flags);
	return val;
}

void vmon_irq_port_write(struct vmon_vm *vm, u32 port, u8 val)
{
	struct vmon_irq *irq = &vm->irq;
	unsigned long flags;

	raw_spin_lock_irqsave(&irq->lock, flags);
	if (vmon_pit_owns_port(port)) {
		service(vm);
		vmon_pit_write(&vm->pit, port, val, now_locked(irq));
		if (vm->pit.reprogrammed) {
			vm->pit.reprogrammed = false;
			keep_backlog(irq, 0);
			irq->last_tick = 0;
		}
		arm(vm);
	} else {
		vmon_pic_write(&vm->pic, port, val);
		if (irq->backlog)
			service(vm);
	}
	raw_spin_unlock_irqrestore(&irq->lock, flags);
}
