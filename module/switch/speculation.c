// SPDX-License-Identifier: GPL-2.0
/*
 * Speculation: what is flushed when control passes between host and guest.
 *
 * Decided once, at load, from the CPU's features and what the host does for
 * itself, so that an exit only tests a few flags. mitigate=all flushes everything
 * that the CPU can flush, at every transition: for those who want it, and for
 * tests, which see by the counters that the code is reached. SECURITY.md says
 * which flush answers which attack.
 */
#include <linux/errno.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>

#include "switch/speculation.h"
#include "switch/switch.h"

static char *mitigate = "auto";
module_param(mitigate, charp, 0444);
MODULE_PARM_DESC(mitigate,
		 "auto: flush what the host's own mitigations ask for (default); all: flush all that the CPU can, at every transition (slow)");

static bool done[VMON_FLUSH_NR] __ro_after_init;
/* The host does not use IBPB, but the CPU has it and mitigate=all. */
static bool own_ibpb __ro_after_init;
static bool all __ro_after_init;

/* The world that each CPU ran last. */
static DEFINE_PER_CPU(struct vmon_world *, last_world);

int vmon_speculation_init(void)
{
	if (!strcmp(mitigate, "all")) {
		all = true;
	} else if (strcmp(mitigate, "auto")) {
		pr_err("vmon: mitigate=%s: give auto or all\n", mitigate);
		return -EINVAL;
	}
	done[VMON_FLUSH_IBPB_ENTRY] = boot_cpu_has(X86_FEATURE_USE_IBPB);
	done[VMON_FLUSH_VERW] = boot_cpu_has(X86_FEATURE_MD_CLEAR) &&
				(boot_cpu_has_bug(X86_BUG_MDS) ||
				 boot_cpu_has_bug(X86_BUG_TAA) ||
				 boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA));
	done[VMON_FLUSH_RSB] = boot_cpu_has(X86_FEATURE_RSB_VMEXIT) ||
			       boot_cpu_has(X86_FEATURE_RSB_VMEXIT_LITE);
	if (!all)
		return 0;
	/* The CPUID bit may be hidden where the register is there. */
	if (!done[VMON_FLUSH_IBPB_ENTRY])
		own_ibpb = !wrmsrl_safe(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	done[VMON_FLUSH_IBPB_ENTRY] |= own_ibpb;
	done[VMON_FLUSH_IBPB_EXIT] = done[VMON_FLUSH_IBPB_ENTRY];
	done[VMON_FLUSH_VERW] = true;
	done[VMON_FLUSH_RSB] = true;
	pr_info("vmon: mitigate=all: flushing at every transition%s\n",
		done[VMON_FLUSH_IBPB_EXIT] ? "" : ", but no predictors: the CPU has no IBPB");
	return 0;
}

bool vmon_flush_done(enum vmon_flush kind)
{
	return done[kind];
}

static void flush_predictors(void)
{
	if (own_ibpb)
		wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	else
		indirect_branch_prediction_barrier();
}

void vmon_flush_entry(struct vmon_world *w)
{
	/* A valid selector in memory: with another operand VERW only verifies. */
	static const u16 kernel_ds = __KERNEL_DS;

	/* Another guest's predictions do not serve this one. */
	if (this_cpu_read(last_world) != w) {
		this_cpu_write(last_world, w);
		if (done[VMON_FLUSH_IBPB_ENTRY]) {
			flush_predictors();
			w->flushes[VMON_FLUSH_IBPB_ENTRY]++;
		}
	}
	w->area->fill_rsb = all;
	if (done[VMON_FLUSH_VERW]) {
		w->flushes[VMON_FLUSH_VERW]++;
		asm volatile("verw %0" : : "m" (kernel_ds) : "cc");
	}
}

void vmon_flush_exit(struct vmon_world *w)
{
	if (done[VMON_FLUSH_IBPB_EXIT]) {
		flush_predictors();
		w->flushes[VMON_FLUSH_IBPB_EXIT]++;
	}
	/* Filled in entry.S: by order, which it counts, or as the host's kernel does. */
	if (all)
		w->flushes[VMON_FLUSH_RSB] = w->area->rsb_fills;
	else if (done[VMON_FLUSH_RSB])
		w->flushes[VMON_FLUSH_RSB]++;
}
