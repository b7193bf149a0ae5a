/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual CPU: its guest-visible state and the kernel thread that runs it.
 *
 * The thread alone touches cpu and exec while it runs; everybody else parks it
 * first (vmon_vcpu_park()). To get its attention: set a bit in requests and
 * vmon_vcpu_kick() it.
 */
#ifndef VMON_VM_VCPU_H
#define VMON_VM_VCPU_H

#include <linux/types.h>
#include <linux/swait.h>
#include <linux/bitops.h>
#include <asm/barrier.h>
#include <asm/msr.h>
#include "../../uapi/vmon.h"
#include "emulator/decode.h"
#include "vm/cpu.h"
#include "vm/stat.h"

struct vmon_vm;
struct vmon_exec;
struct task_struct;

#define VMON_REPORT_MAX		512
#define VMON_TRACE_SLOTS	64	/* power of two */

/* Bits of vmon_vcpu.requests. Any set bit brings vmon_exec_run() back. */
enum vmon_request {
	VMON_REQ_PAUSE,		/* park and stay parked until cleared */
	VMON_REQ_EXIT,		/* leave for good */
	VMON_REQ_WRITTEN,	/* guest memory was written: see vmon_vcpu_written() */
};

struct vmon_trace_entry {
	u64 tsc;
	u32 kind;		/* enum vmon_trace_kind */
	u32 eip;
	u64 a;
	u64 b;
};

/**
 * struct vmon_vcpu - a virtual CPU
 * @vm:		the machine it belongs to
 * @cpu:	guest state; owned by the thread unless parked
 * @exec:	what vm/exec.c needs to run it
 * @task:	the thread; referenced until the VM's memory is freed
 * @requests:	enum vmon_request bits
 * @wq:		the thread sleeps here: HLT, device answers, parked
 * @parked_wq:	others sleep here until @parked
 * @parked:	the thread is between instructions and waits for requests to go
 * @deriving:	the thread may be reading guest memory to make shadow tables or
 *		translated code of it, and may not have marked its frames yet
 * @written, @nr_written: what VMON_REQ_WRITTEN is about
 * @written_wq:	its sender sleeps here
 * @stat:	counters, by enum vmon_stat; read without locks for as long as there is
 *		a reference to the VM, as is @op_count
 * @op_count:	instructions emulated, by enum vmon_op
 * @report:	what stopped it, in words (with VMON_RUN_ERROR)
 * @trace:	ring of the last exits
 * @trace_pos:	entries ever written
 */
struct vmon_vcpu {
	struct vmon_vm *vm;
	struct vmon_cpu cpu;
	struct vmon_exec *exec;
	struct task_struct *task;
	unsigned long requests;
	struct swait_queue_head wq;
	struct swait_queue_head parked_wq;
	bool parked;
	bool deriving;
	struct vmon_mem_range written[VMON_MEM_RANGES_MAX];
	unsigned int nr_written;
	struct swait_queue_head written_wq;
	u64 stat[VMON_STAT_NR];
	u64 op_count[VMON_NR_OPS];
	char report[VMON_REPORT_MAX];
	struct vmon_trace_entry trace[VMON_TRACE_SLOTS];
	u32 trace_pos;
};

#define vmon_count(vcpu, name)		((vcpu)->stat[VMON_STAT_##name]++)
#define vmon_count_add(vcpu, name, n)	((vcpu)->stat[VMON_STAT_##name] += (n))

/* Note an exit in the trace ring. Vcpu thread, any context, interrupts off too. */
static inline void vmon_trace(struct vmon_vcpu *vcpu, enum vmon_trace_kind kind,
			      u64 a, u64 b)
{
	struct vmon_trace_entry *e;

	e = &vcpu->trace[vcpu->trace_pos++ % VMON_TRACE_SLOTS];
	e->tsc = rdtsc();
	e->kind = kind;
	e->eip = vcpu->cpu.eip;
	e->a = a;
	e->b = b;
}

/* Something waits for the thread: do not enter the guest. Lock-free. */
static inline bool vmon_vcpu_requested(const struct vmon_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) != 0;
}

/*
 * All that was derived from guest memory is marked, and nothing is being derived: the
 * guest runs, or the thread sleeps. Pairs with vmon_vcpu_written().
 */
static inline void vmon_vcpu_settled(struct vmon_vcpu *vcpu)
{
	/* Marks are made before. */
	smp_store_release(&vcpu->deriving, false);
}

/* The opposite: what is read from now on was written before, or the writer sees this. */
static inline void vmon_vcpu_deriving(struct vmon_vcpu *vcpu)
{
	/* Reads come after. */
	smp_store_mb(vcpu->deriving, true);
}

int vmon_vcpu_create(struct vmon_vcpu *vcpu, struct vmon_vm *vm);

/* Make the thread leave and wait for it. */
void vmon_vcpu_destroy(struct vmon_vcpu *vcpu);

/* Make the thread look at its requests and interrupts. Any context. */
void vmon_vcpu_kick(struct vmon_vcpu *vcpu);

/* Ask the thread to park; does not wait. Any context. */
void vmon_vcpu_request_park(struct vmon_vcpu *vcpu);

/**
 * vmon_vcpu_park() - ask, and wait until it is parked at an instruction boundary
 *
 * May sleep. Return: 0, or -ETIMEDOUT when the thread did not come in 10 s.
 */
int vmon_vcpu_park(struct vmon_vcpu *vcpu);

/* Let a parked thread go on. */
void vmon_vcpu_unpark(struct vmon_vcpu *vcpu);

/**
 * vmon_vcpu_written() - guest memory was written behind the vCPU's back
 * @vcpu:	the vCPU, vm->lock held
 * @range:	what was written, all of it RAM; written already
 * @n:		ranges, VMON_MEM_RANGES_MAX at most
 *
 * When it returns, nothing is left of what was derived from the old contents. May sleep,
 * unless nothing was derived from those frames, which is nearly always.
 *
 * Return: 0, or -ETIMEDOUT when the thread did not come in 10 s.
 */
int vmon_vcpu_written(struct vmon_vcpu *vcpu, const struct vmon_mem_range *range,
		      unsigned int n);

/* Power-on state. The thread is parked. */
void vmon_vcpu_reset(struct vmon_vcpu *vcpu);

/* Format the trace ring as text, oldest first. Return: bytes without the NUL. */
int vmon_vcpu_trace_text(const struct vmon_vcpu *vcpu, char *buf, size_t size);

#endif /* VMON_VM_VCPU_H */
