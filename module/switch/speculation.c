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
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>

#include "switch/speculation.h"
#include "switch/switch.h"

static char *mitigate = "auto";
module_param(mitigate, charp, 0444);
MODULE_PARM_DESC(mitigate,
		 "auto: flush what the host's own mitigations ask for (default); all: flush all that the CPU can, at every transition (slow); off: flush nothing, for guests that are trusted as the host is");

static bool done[VMON_FLUSH_NR] __ro_after_init;
/* The host does not use IBPB, but the CPU has it and mitigate=all. */
static bool own_ibpb __ro_after_init;
static bool all __ro_after_init;

/* The world that each CPU ran last. */
static DEFINE_PER_CPU(struct vmon_world *, last_world);

/* An XSAVE image in which every component is in its initial state. */
static const u8 empty_fpu[576] __aligned(64);

static struct vmon_speculation look_at_host(void)
{
	bool spectre = boot_cpu_has_bug(X86_BUG_SPECTRE_V2);

	return (struct vmon_speculation) {
		.ibpb = boot_cpu_has(X86_FEATURE_USE_IBPB),
		.user_ibrs = spectre && (boot_cpu_has(X86_FEATURE_IBRS_ENHANCED) ||
					 boot_cpu_has(X86_FEATURE_KERNEL_IBRS)),
		.retpoline = boot_cpu_has(X86_FEATURE_RETPOLINE) ||
			     boot_cpu_has(X86_FEATURE_RETPOLINE_LFENCE),
		.verw = boot_cpu_has(X86_FEATURE_MD_CLEAR) ||
			boot_cpu_has(X86_FEATURE_VERW_CLEAR),
		.buffer_bug = boot_cpu_has_bug(X86_BUG_MDS) ||
			      boot_cpu_has_bug(X86_BUG_TAA) ||
			      boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) ||
			      boot_cpu_has_bug(X86_BUG_RFDS) ||
			      boot_cpu_has_bug(X86_BUG_TSA),
		.rsb = boot_cpu_has(X86_FEATURE_RSB_VMEXIT) ||
		       boot_cpu_has(X86_FEATURE_RSB_VMEXIT_LITE),
		.bhb = boot_cpu_has(X86_FEATURE_CLEAR_BHB_LOOP) ||
		       boot_cpu_has(X86_FEATURE_CLEAR_BHB_HW),
		.meltdown = boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN),
	};
}

int vmon_speculation_init(void)
{
	static const char *const words[] = {
		[VMON_MITIGATE_OFF] = "off",
		[VMON_MITIGATE_AUTO] = "auto",
		[VMON_MITIGATE_ALL] = "all",
	};
	struct vmon_speculation host = look_at_host();
	int word = match_string(words, ARRAY_SIZE(words), mitigate);

	if (word < 0) {
		pr_err("vmon: mitigate=%s: give auto, all or off\n", mitigate);
		return -EINVAL;
	}
	all = word == VMON_MITIGATE_ALL;
	/* The CPUID bit may be hidden where the register is there. */
	if (all && !host.ibpb)
		own_ibpb = !wrmsrl_safe(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	host.ibpb |= own_ibpb;
	vmon_flush_policy(&host, word, done);
	if (all)
		pr_info("vmon: mitigate=all: flushing at every transition%s\n",
			host.ibpb ? "" : ", but no predictors: the CPU has no IBPB");
	if (word == VMON_MITIGATE_OFF)
		pr_warn("vmon: mitigate=off: guests may read the host's memory by speculation\n");
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

	w->began_in_kernel = w->area->resident.cpl != 3;
	/* Another guest's predictions do not serve this one. */
	if (this_cpu_read(last_world) != w) {
		this_cpu_write(last_world, w);
		if (done[VMON_FLUSH_IBPB_ENTRY]) {
			flush_predictors();
			w->flushes[VMON_FLUSH_IBPB_ENTRY]++;
		}
	}
	w->area->fill_rsb = all;
	w->area->clear_bhb = done[VMON_FLUSH_BHB];
	if (done[VMON_FLUSH_VERW]) {
		w->flushes[VMON_FLUSH_VERW]++;
		asm volatile("verw %0" : : "m" (kernel_ds) : "cc");
	}
}

void vmon_flush_exit(struct vmon_world *w)
{
	/*
	 * Ring 3 alone trains nothing that is a supervisor's. Where the run has ended does not
	 * tell: resident.S may have left ring 1 for ring 3.
	 */
	if (done[VMON_FLUSH_IBPB_EXIT] &&
	    (all || w->began_in_kernel || w->area->resident.crossed)) {
		flush_predictors();
		w->flushes[VMON_FLUSH_IBPB_EXIT]++;
	}
	w->flushes[VMON_FLUSH_BHB] = w->area->bhb_clears;
	/* Filled in entry.S: by order, which it counts, or as the host's kernel does. */
	if (all)
		w->flushes[VMON_FLUSH_RSB] = w->area->rsb_fills;
	else if (done[VMON_FLUSH_RSB])
		w->flushes[VMON_FLUSH_RSB]++;
}

void vmon_flush_fpu(void)
{
	u64 mask;

	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return;
	/* Protection keys are no data, and the kernel keeps them itself. */
	mask = xgetbv(XCR_XFEATURE_ENABLED_MASK) & ~XFEATURE_MASK_PKRU;
	asm volatile("xrstor %0" : : "m" (empty_fpu), "a" ((u32)mask), "d" ((u32)(mask >> 32)));
}
