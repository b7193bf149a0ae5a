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
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/hypervisor.h>

#include "segments/segments.h"
#include "switch/monitor_page.h"
#include "switch/probe.h"
#include "switch/switch.h"
#include "translator/translate.h"

bool vmon_allow_unprotected;
module_param_named(allow_unprotected, vmon_allow_unprotected, bool, 0444);
MODULE_PARM_DESC(allow_unprotected,
		 "run guests even where the CPU does not enforce segment limits: their kernels can then write to the monitor");

static bool limits_enforced;

#define PROBE_CODE_GVA	0x1000
#define PROBE_MAGIC	0x6e6f6d76

/* mov %ds:VMON_MPAGE_GVA, %eax; int $VMON_BT_VECTOR */
static const u8 probe_code[] = {
	0xa1, 0x00, 0xf0, 0xff, 0xff, 0xcd, VMON_BT_VECTOR,
};

/* Run the probe with DS limited to @limit. Returns the exit's vector. */
static u64 probe_run(struct vmon_world *w, u32 limit)
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
	vmon_segments_kernel(cpu, a->run_gdt);
	a->run_gdt[VMON_SEL_DS1 / 8] = vmon_desc_make(0, limit, flat.attr);
	kfree(cpu);

	do {
		memset(&a->frame, 0, sizeof(a->frame));
		a->frame.ds = VMON_SEL_DS1;
		a->frame.es = VMON_SEL_DS1;
		a->frame.ss = VMON_SEL_SS1;
		a->frame.cs = VMON_SEL_CS1;
		a->frame.rip = PROBE_CODE_GVA;
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

int vmon_probe(void)
{
	struct vmon_world world;
	u32 *mpage = (u32 *)get_zeroed_page(GFP_KERNEL);
	u8 *code = (u8 *)get_zeroed_page(GFP_KERNEL);
	u64 flat, cut;
	int err = -ENOMEM;

	if (!mpage || !code)
		goto out_pages;
	err = vmon_world_create(&world);
	if (err)
		goto out_pages;
	mpage[0] = PROBE_MAGIC;
	memcpy(code, probe_code, sizeof(probe_code));
	err = vmon_world_map(&world, PROBE_CODE_GVA,
			     vmon_table_entry(code, VMON_PTE_P | VMON_PTE_A));
	if (!err)
		err = vmon_world_map(&world, VMON_MPAGE_GVA,
				     vmon_table_entry(mpage, VMON_PTE_P | VMON_PTE_W |
						      VMON_PTE_A | VMON_PTE_D |
						      VMON_PTE_NX));
	if (err)
		goto out;

	flat = probe_run(&world, 0xffffffff);
	if (flat != VMON_BT_VECTOR || (u32)world.area->frame.rax != PROBE_MAGIC) {
		pr_err("vmon: the world switch does not work on this CPU: exit %#llx error %#llx at %#llx, eax %#llx\n",
		       flat, world.area->frame.error, world.area->frame.rip,
		       world.area->frame.rax);
		err = -EIO;
		goto out;
	}
	cut = probe_run(&world, VMON_LIMIT);
	limits_enforced = cut == VMON_EXC_GP && world.area->frame.rip == PROBE_CODE_GVA;
	if (!limits_enforced)
		pr_warn("vmon: this CPU does not enforce segment limits (exit %#llx instead of #GP): guests would be UNPROTECTED\n",
			cut);
	if (!limits_enforced && vmon_allow_unprotected)
		pr_warn("vmon: allow_unprotected is set: segment guests are UNPROTECTED, their kernels can write to the monitor\n");
out:
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

const char *vmon_probe_refusal(void)
{
	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		return "a Xen PV guest does not own its descriptor tables: boot it as PVH or HVM";
#ifdef X86_FEATURE_FRED
	if (cpu_feature_enabled(X86_FEATURE_FRED))
		return "FRED is active and replaces the IDT: boot the host with fred=off";
#endif
	if (!boot_cpu_has(X86_FEATURE_NX))
		return "the CPU has no NX bit, or it is off: switch it on in the firmware";
	return NULL;
}

int vmon_switch_init(void)
{
	const char *why = vmon_probe_refusal();

	if (why) {
		pr_err("vmon: %s\n", why);
		return -ENODEV;
	}
	vmon_world_init();
	return vmon_probe();
}

void vmon_switch_exit(void)
{
}
