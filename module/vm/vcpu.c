// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPU's thread: decides whether the guest runs.
 *
 * A loop of: see to requests (park, exit), send what is left of posted writes,
 * sleep in HLT, run the guest for a while. Guest time stops while it is parked.
 */
#include <linux/cgroup.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include "vm/exec.h"
#include "vm/vm.h"

#define PARK_TIMEOUT	(10 * HZ)

const char *const vmon_stat_name[VMON_STAT_NR] = {
#define VMON_STAT_NAME(name, text)	\
	[VMON_STAT_##name] = (text),
	VMON_STATS(VMON_STAT_NAME)
#undef VMON_STAT_NAME
};

const char *const vmon_trace_name[VMON_TRACE_NR] = {
#define VMON_TRACE_NAME(name, text)	\
	[VMON_TRACE_##name] = (text),
	VMON_TRACES(VMON_TRACE_NAME)
#undef VMON_TRACE_NAME
};

void vmon_vcpu_kick(struct vmon_vcpu *vcpu)
{
	swake_up_one(&vcpu->wq);
	/* If it runs on another CPU, that CPU takes an interrupt. */
	kick_process(vcpu->task);
}

void vmon_vcpu_request_park(struct vmon_vcpu *vcpu)
{
	set_bit(VMON_REQ_PAUSE, &vcpu->requests);
	vmon_vcpu_kick(vcpu);
}

static bool parked(const struct vmon_vcpu *vcpu)
{
	/* Pairs with the release in park(): registers and clock are settled. */
	return smp_load_acquire(&vcpu->parked);
}

int vmon_vcpu_park(struct vmon_vcpu *vcpu)
{
	vmon_vcpu_request_park(vcpu);
	/* Pairs with the one in park(): either it sees the bit or we wait. */
	smp_mb();
	if (!swait_event_idle_timeout_exclusive(vcpu->parked_wq, parked(vcpu), PARK_TIMEOUT))
		return -ETIMEDOUT;
	return 0;
}

void vmon_vcpu_unpark(struct vmon_vcpu *vcpu)
{
	clear_bit(VMON_REQ_PAUSE, &vcpu->requests);
	vmon_vcpu_kick(vcpu);
}

/* VMON_REQ_WRITTEN: the thread does it, because what goes is its alone. */
static void serve_written(struct vmon_vcpu *vcpu)
{
	unsigned int i;

	/* Pairs with the one before the bit is set. */
	smp_rmb();
	for (i = 0; i < vcpu->nr_written; i++)
		vmon_exec_memory_written(vcpu, vcpu->written[i].gpa, vcpu->written[i].size);
	vmon_count(vcpu, MEM_WRITTEN_TRACED);
	/* Pairs with written_served(): it is done before it is said to be. */
	smp_mb__before_atomic();
	clear_bit(VMON_REQ_WRITTEN, &vcpu->requests);
	swake_up_one(&vcpu->written_wq);
}

static bool written_served(const struct vmon_vcpu *vcpu)
{
	return !test_bit_acquire(VMON_REQ_WRITTEN, &vcpu->requests);
}

/*
 * The bytes were written first, and frames are marked as traced before @deriving is
 * cleared. So there are two cases. If @deriving is seen clear, each frame from which
 * something was derived is seen marked; and whatever is derived later comes from
 * the new bytes, by the barrier between setting @deriving and reading them. If
 * it is seen set, or a mark is seen, the thread is asked to look: between two
 * instructions, when it derives nothing.
 */
int vmon_vcpu_written(struct vmon_vcpu *vcpu, const struct vmon_mem_range *range, unsigned int n)
{
	/* Between the bytes and the flag; pairs with vmon_vcpu_deriving(). */
	smp_mb();
	/* Pairs with vmon_vcpu_settled(). */
	if (!smp_load_acquire(&vcpu->deriving) && !vmon_exec_derived_from(vcpu, range, n))
		return 0;
	memcpy(vcpu->written, range, n * sizeof(*range));
	vcpu->nr_written = n;
	/* The thread that sees the bit sees the two. */
	smp_mb__before_atomic();
	set_bit(VMON_REQ_WRITTEN, &vcpu->requests);
	vmon_vcpu_kick(vcpu);
	if (!swait_event_idle_timeout_exclusive(vcpu->written_wq, written_served(vcpu),
						PARK_TIMEOUT))
		return -ETIMEDOUT;
	return 0;
}

static bool must_exit(const struct vmon_vcpu *vcpu)
{
	return test_bit(VMON_REQ_EXIT, &vcpu->requests);
}

static void park(struct vmon_vcpu *vcpu)
{
	struct vmon_vm *vm = vcpu->vm;

	vmon_count(vcpu, PAUSES);
	vmon_trace(vcpu, VMON_TRACE_PAUSE, 0, 0);
	vmon_irq_stop_clock(vm);
	/* Pairs with parked(). */
	smp_store_release(&vcpu->parked, true);
	swake_up_one(&vcpu->parked_wq);
	for (;;) {
		swait_event_idle_exclusive(vcpu->wq,
					   !test_bit(VMON_REQ_PAUSE, &vcpu->requests) ||
					   test_bit(VMON_REQ_WRITTEN, &vcpu->requests) ||
					   must_exit(vcpu));
		if (!test_bit(VMON_REQ_WRITTEN, &vcpu->requests))
			break;
		serve_written(vcpu);
	}
	WRITE_ONCE(vcpu->parked, false);
	/* Pairs with vmon_vcpu_park(): the caller looks at requests again. */
	smp_mb();
	if (!vmon_vcpu_requested(vcpu))
		vmon_irq_start_clock(vm);
}

/* Sleep in HLT. Nothing but an interrupt ends it, so with IF=0 it is the end. */
static void sleep_in_hlt(struct vmon_vcpu *vcpu)
{
	if (!(vcpu->cpu.eflags & VMON_FL_IF)) {
		vmon_vm_stopped(vcpu->vm, VMON_CAUSE_HALT,
				"HLT with interrupts disabled");
		return;
	}
	swait_event_idle_exclusive(vcpu->wq,
				   vmon_irq_pending(vcpu) || vmon_vcpu_requested(vcpu));
	if (vmon_irq_pending(vcpu))
		vcpu->cpu.halted = false;
}

static void run(struct vmon_vcpu *vcpu)
{
	enum vmon_run how;

	vmon_vcpu_deriving(vcpu);
	how = vmon_exec_run(vcpu);
	vmon_vcpu_settled(vcpu);
	switch (how) {
	case VMON_RUN_AGAIN:
		break;
	case VMON_RUN_HALT:
		vmon_count(vcpu, HLT);
		vmon_trace(vcpu, VMON_TRACE_HLT, vcpu->cpu.eflags, 0);
		vcpu->cpu.halted = true;
		break;
	case VMON_RUN_SHUTDOWN:
		vmon_vm_stopped(vcpu->vm, VMON_CAUSE_SHUTDOWN, "triple fault");
		break;
	case VMON_RUN_ERROR:
		vmon_vm_stopped(vcpu->vm, VMON_CAUSE_ERROR, vcpu->report);
		break;
	}
}

static int vcpu_thread(void *data)
{
	struct vmon_vcpu *vcpu = data;
	struct mem_cgroup *memcg = set_active_memcg(vcpu->vm->memcg);

	while (!must_exit(vcpu)) {
		if (test_bit(VMON_REQ_WRITTEN, &vcpu->requests))
			serve_written(vcpu);
		else if (vmon_vcpu_requested(vcpu))
			park(vcpu);
		else if (vmon_io_flush(vcpu))
			continue;
		else if (vcpu->cpu.halted)
			sleep_in_hlt(vcpu);
		else
			run(vcpu);
		cond_resched();
	}
	vmon_irq_stop_clock(vcpu->vm);
	set_active_memcg(memcg);
	return 0;
}

/**
 * vmon_vcpu_create() - initialise a vCPU and start its thread, parked
 * @vcpu:	zeroed
 * @vm:		the machine it is in
 *
 * The thread joins the cgroups of the calling process, so that what the guest
 * uses is counted and limited as its owner's.
 *
 * Return: 0 or a negative error.
 */
int vmon_vcpu_create(struct vmon_vcpu *vcpu, struct vmon_vm *vm)
{
	struct task_struct *task;
	int err;

	vcpu->vm = vm;
	init_swait_queue_head(&vcpu->wq);
	init_swait_queue_head(&vcpu->parked_wq);
	init_swait_queue_head(&vcpu->written_wq);
	__set_bit(VMON_REQ_PAUSE, &vcpu->requests);
	vmon_cpu_reset(&vcpu->cpu);

	err = vmon_exec_create(vcpu);
	if (err)
		return err;
	task = kthread_create(vcpu_thread, vcpu, "vmon/%u", vm->id);
	if (IS_ERR(task)) {
		err = PTR_ERR(task);
		goto err_exec;
	}
	vcpu->task = get_task_struct(task);
	err = cgroup_attach_task_all(current, task);
	if (err)
		goto err_task;
	wake_up_process(task);
	return 0;

err_task:
	kthread_stop(task);
err_exec:
	vmon_exec_destroy(vcpu);
	return err;
}

void vmon_vcpu_destroy(struct vmon_vcpu *vcpu)
{
	set_bit(VMON_REQ_EXIT, &vcpu->requests);
	vmon_vcpu_kick(vcpu);
	kthread_stop(vcpu->task);
	vmon_exec_destroy(vcpu);
}

void vmon_vcpu_reset(struct vmon_vcpu *vcpu)
{
	vmon_cpu_reset(&vcpu->cpu);
	vmon_exec_reset(vcpu);
	vcpu->report[0] = '\0';
}

int vmon_vcpu_trace_text(const struct vmon_vcpu *vcpu, char *buf, size_t size)
{
	u32 pos = READ_ONCE(vcpu->trace_pos);
	u32 i, n = min_t(u32, pos, VMON_TRACE_SLOTS);
	int len = 0;

	buf[0] = '\0';
	for (i = pos - n; i != pos; i++) {
		struct vmon_trace_entry e = vcpu->trace[i % VMON_TRACE_SLOTS];

		if (e.kind >= VMON_TRACE_NR)
			continue;
		len += scnprintf(buf + len, size - len,
				 "%llu %s eip=%08x %llx %llx\n", e.tsc,
				 vmon_trace_name[e.kind], e.eip, e.a, e.b);
	}
	return len;
}
