// SPDX-License-Identifier: GPL-2.0
/*
 * The probe: does the switch work here, and does the CPU enforce limits?
 *
 * Emulators may not check segment limits (QEMU's TCG does not), and then nothing
 * hides the monitor page from ring 1. No CPUID bit tells; so the module tries at
 * load time, with its own world switch and a guest of two instructions.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/hypervisor.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "compat.h"
#include "segments/segments.h"
#include "switch/monitor_page.h"
#include "switch/probe.h"
#include "switch/speculation.h"
#include "switch/switch.h"
#include "translator/translate.h"

bool vmon_allow_unprotected;
module_param_named(allow_unprotected, vmon_allow_unprotected, bool, 0444);
MODULE_PARM_DESC(allow_unprotected,
		 "run guests even where the CPU does not enforce segment limits: their kernels can then write to the monitor");

static bool test_untruncated;
module_param(test_untruncated, bool, 0444);
MODULE_PARM_DESC(test_untruncated,
		 "leave out the truncation of segments that protects the host, to show that tests notice (needs allow_unprotected)");

static bool limits_enforced;
static bool has_lmsle;

#define LMSLE_GONE	BIT(20)

#define PROBE_CODE_GVA	0x1000
#define PROBE_READ	0x6e6f6d76
#define PROBE_WRITTEN	0x76207476

/*
 * mov %eax, %ds:VMON_MPAGE_GVA + 4; mov %ds:VMON_MPAGE_GVA, %eax; int $VMON_BT_VECTOR
 *
 * The page is a supervisor's, and so is ring 1 as far as pages go.
 */
static const u8 probe_code[] = {
	0xa3, 0x04, 0xf0, 0xff, 0xff,
	0xa1, 0x00, 0xf0, 0xff, 0xff,
	0xcd, VMON_BT_VECTOR,
};

/* Run the probe from @skip on, with DS limited to @limit. Returns the exit's vector. */
static u64 probe_run(struct vmon_world *w, u32 limit, u32 skip)
{
	const struct vmon_world_ctl ctl = {};
	struct vmon_area *a = w->area;
	struct vmon_cpu *cpu = kzalloc(sizeof(*cpu), GFP_KERNEL);
	struct vmon_seg flat = {
		.limit = limit,
		.attr = VMON_SEG_G | VMON_SEG_DB | VMON_SEG_P | 1 << 5 | VMON_SEG_S |
			VMON_SEG_RW | VMON_SEG_A,
	};
	unsigned long flags;

	if (!cpu)
		return VMON_VEC_POISON;
	cpu->seg[VMON_CS].limit = 0xffffffff;
	cpu->seg[VMON_CS].attr = flat.attr | VMON_SEG_CODE;
	cpu->seg[VMON_SS] = flat;
	vmon_segments_kernel(&cpu->seg[VMON_CS], &cpu->seg[VMON_SS], a->run_gdt);
	a->run_gdt[VMON_SEL_DS1 / 8] = vmon_desc_make(0, limit, flat.attr);
	kfree(cpu);

	do {
		memset(&a->frame, 0, sizeof(a->frame));
		a->frame.ds = VMON_SEL_DS1;
		a->frame.es = VMON_SEL_DS1;
		a->frame.ss = VMON_SEL_SS1;
		a->frame.cs = VMON_SEL_CS1;
		a->frame.rip = PROBE_CODE_GVA + skip;
		a->frame.rax = PROBE_WRITTEN;
		a->frame.rsp = 0x3000;
		a->frame.rflags = VMON_FL_IF | VMON_FL_FIXED;
		local_irq_save(flags);
		vmon_world_run(w, &ctl);
		local_irq_restore(flags);
		/* A host interrupt or NMI got in first: again. */
	} while ((a->frame.vector >= 32 && a->frame.vector <= VMON_VEC_ABORT) ||
		 a->frame.vector == VMON_EXC_NMI);
	return a->frame.vector;
}

/* Does the switch work at all? With nothing but page bits, ring 1 gets at the page. */
static int probe_flat(struct vmon_world *w, const u32 *mpage)
{
	const struct vmon_frame *f = &w->area->frame;
	u64 vector = probe_run(w, 0xffffffff, 0);

	if (vector != VMON_BT_VECTOR || (u32)f->rax != PROBE_READ || mpage[1] != PROBE_WRITTEN) {
		pr_err("vmon: the world switch does not work on this CPU: exit %#llx error %#llx at %#llx, eax %#llx\n",
		       vector, f->error, f->rip, f->rax);
		return -EIO;
	}
	pr_info("vmon: probe: ring 1, segment of 4 GiB: its store to the monitor page, a supervisor page, goes through\n");
	return 0;
}

/* And with a limit? Neither a store nor a load may. */
static void probe_cut(struct vmon_world *w, u32 *mpage)
{
	const struct vmon_frame *f = &w->area->frame;
	u64 store, load;

	mpage[1] = 0;
	store = probe_run(w, VMON_LIMIT, 0);
	limits_enforced = store == VMON_EXC_GP && f->rip == PROBE_CODE_GVA && !mpage[1];
	load = probe_run(w, VMON_LIMIT, 5);
	limits_enforced &= load == VMON_EXC_GP && f->rip == PROBE_CODE_GVA + 5;
	if (limits_enforced) {
		pr_info("vmon: probe: ring 1, segment that ends at %#x: the store is #GP, and the page unchanged\n",
			VMON_LIMIT);
		return;
	}
	pr_warn("vmon: this CPU does not enforce segment limits (exit %#llx instead of #GP): guests would be UNPROTECTED\n",
		store == VMON_EXC_GP ? load : store);
	if (vmon_allow_unprotected)
		pr_warn("vmon: allow_unprotected is set: segment guests are UNPROTECTED, their kernels can write to the monitor\n");
}

/* The test of the tests: take away what protects, and say so. */
static int untruncate(void)
{
	if (!test_untruncated)
		return 0;
	if (!vmon_allow_unprotected) {
		pr_err("vmon: test_untruncated=1 takes away what protects the host; it needs allow_unprotected=1\n");
		return -EPERM;
	}
	pr_warn("vmon: test_untruncated is set: segments are not truncated, all guests are UNPROTECTED\n");
	add_taint(TAINT_TEST, LOCKDEP_STILL_OK);
	vmon_segments_last = 0xffffffff;
	limits_enforced = false;
	return 0;
}

int vmon_probe(void)
{
	struct vmon_world world;
	u32 *mpage = (u32 *)get_zeroed_page(GFP_KERNEL);
	u8 *code = (u8 *)get_zeroed_page(GFP_KERNEL);
	int err = -ENOMEM;

	if (!mpage || !code)
		goto out_pages;
	err = vmon_world_create(&world);
	if (err)
		goto out_pages;
	mpage[0] = PROBE_READ;
	memcpy(code, probe_code, sizeof(probe_code));
	err = vmon_world_map(&world, PROBE_CODE_GVA,
			     vmon_table_entry(code, VMON_PTE_P | VMON_PTE_A));
	if (!err)
		err = vmon_world_map(&world, VMON_MPAGE_GVA,
				     vmon_table_entry(mpage, VMON_PTE_P | VMON_PTE_W |
						      VMON_PTE_A | VMON_PTE_D |
						      VMON_PTE_NX));
	if (!err)
		err = probe_flat(&world, mpage);
	if (!err) {
		probe_cut(&world, mpage);
		err = untruncate();
	}
	vmon_world_destroy(&world);
out_pages:
	free_page((unsigned long)mpage);
	free_page((unsigned long)code);
	return err;
}

bool vmon_probe_limits_enforced(void)
{
	return limits_enforced;
}

bool vmon_probe_lmsle(void)
{
	return has_lmsle;
}

/*
 * AMD's way to have segment limits in 64-bit mode (APM vol. 2, 4.12.2; CPUID
 * 8000_0008 EBX[20] says that it is gone). The bit is set for three instructions
 * that access no memory: the kernel's own segments are not made for it.
 */
static bool probe_lmsle(void)
{
	u32 set, low, high, got = 0;
	unsigned long flags;
	u64 efer;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_AMD &&
	    boot_cpu_data.x86_vendor != X86_VENDOR_HYGON)
		return false;
	if (boot_cpu_data.extended_cpuid_level < 0x80000008 ||
	    (cpuid_ebx(0x80000008) & LMSLE_GONE))
		return false;
	local_irq_save(flags);
	rdmsrl(MSR_EFER, efer);
	low = efer;
	high = efer >> 32;
	set = low | EFER_LMSLE;
	asm volatile("1:	wrmsr\n"
		     "	rdmsr\n"
		     "	mov %%eax, %[got]\n"
		     "	mov %[low], %%eax\n"
		     "	wrmsr\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+a" (set), "+d" (high), [got] "+r" (got)
		     : [low] "r" (low), "c" (MSR_EFER));
	local_irq_restore(flags);
	return got & EFER_LMSLE;
}

const struct vmon_refusal *vmon_probe_refusal(void)
{
	static const struct vmon_refusal xen_pv =
		VMON_REFUSAL("a Xen PV guest does not own its descriptor tables",
			     "boot it as PVH or HVM");
	static const struct vmon_refusal fred =
		VMON_REFUSAL("FRED is active and replaces the IDT",
			     "boot the host with fred=off");
	static const struct vmon_refusal nx =
		VMON_REFUSAL("the CPU has no NX bit, or it is off",
			     "switch it on in the firmware");

	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		return &xen_pv;
	if (vmon_host_has_fred())
		return &fred;
	if (!boot_cpu_has(X86_FEATURE_NX))
		return &nx;
	return NULL;
}

int vmon_switch_init(void)
{
	const struct vmon_refusal *refusal = vmon_probe_refusal();
	int err;

	if (refusal) {
		pr_err("vmon: %s\n", refusal->text);
		return -ENODEV;
	}
	vmon_world_init();
	err = vmon_speculation_init();
	if (err)
		return err;
	has_lmsle = probe_lmsle();
	return vmon_probe();
}

void vmon_switch_exit(void)
{
}
