/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running guest code: what the vCPU thread calls.
 *
 * vcpu.c decides *whether* a vCPU runs (paused, halted, stopped) and exec.c *how*:
 * direct execution, translation or emulation, chosen anew at every return.
 */
#ifndef VMON_VM_EXEC_H
#define VMON_VM_EXEC_H

#include <linux/types.h>

struct vmon_vcpu;
struct vmon_mem_range;

enum vmon_run {
	VMON_RUN_AGAIN,		/* nothing special: check requests, call again */
	VMON_RUN_HALT,		/* HLT: sleep until an interrupt is pending */
	VMON_RUN_SHUTDOWN,	/* triple fault */
	VMON_RUN_ERROR,		/* unsupported; vcpu->report says what and where */
};

/**
 * vmon_exec_create() - what a vCPU needs in order to run guest code
 *
 * Allocates the monitor area, shadow page pool and translation cache into
 * vcpu->exec. May sleep. Return: 0 or -ENOMEM.
 */
int vmon_exec_create(struct vmon_vcpu *vcpu);

void vmon_exec_destroy(struct vmon_vcpu *vcpu);

/* vcpu->cpu was changed from outside (registers set, reset): drop what derives from it. */
void vmon_exec_reset(struct vmon_vcpu *vcpu);

/**
 * vmon_exec_run() - run the guest for a while
 *
 * Called by the vCPU thread only, may sleep. Comes back at the latest after
 * about a scheduler tick, and soon after vcpu->requests becomes non-zero and
 * the thread is kicked.
 */
enum vmon_run vmon_exec_run(struct vmon_vcpu *vcpu);

/* Memory was written by somebody else: drop what derives from it. The thread; may sleep. */
void vmon_exec_memory_written(struct vmon_vcpu *vcpu, u64 gpa, u64 size);

/*
 * Does anything derive from one of these frames? Not the thread: a holder of vm->lock, that
 * knows how the answer can be old (vmon_vcpu_written()). May sleep.
 */
bool vmon_exec_derived_from(struct vmon_vcpu *vcpu, const struct vmon_mem_range *range,
			    unsigned int n);

#endif /* VMON_VM_EXEC_H */
