// SPDX-License-Identifier: GPL-2.0
/*
 * Running guest code: how, decided anew at every return.
 *
 *   ring 3, reversible segments, IF set, IOPL 0	direct execution
 *   ring 0, flat code segment				binary translation
 *   everything else					the emulator
 */
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/mem_encrypt.h>

#include "gfp.h"
#include "vm/exec_internal.h"

static int create_cache(struct vmon_exec *x)
{
	unsigned int i, j;

	x->tc = __vmalloc(VMON_TC_SIZE, VMON_GFP | __GFP_ZERO);
	if (!x->tc)
		return -ENOMEM;
	for (i = 0; i < VMON_TC_TABLES; i++) {
		x->tc_tables[i] = (u64 *)get_zeroed_page(VMON_GFP);
		if (!x->tc_tables[i])
			return -ENOMEM;
		for (j = 0; j < 512; j++) {
			void *p = x->tc + ((i * 512 + j) << PAGE_SHIFT);

			/* Readable and executable for ring 1, never writable. */
			x->tc_tables[i][j] = __sme_set(page_to_phys(vmalloc_to_page(p))) |
					     VMON_PTE_P | VMON_PTE_A;
		}
	}
	x->bt = vmon_bt_create(&vmon_exec_bt_ops, x, x->tc, VMON_TC_OWN, 0);
	return x->bt ? 0 : -ENOMEM;
}

int vmon_exec_create(struct vmon_vcpu *vcpu)
{
	struct vmon_exec *x = kvzalloc(sizeof(*x), VMON_GFP);
	int err;

	if (!x)
		return -ENOMEM;
	x->vcpu = vcpu;
	vcpu->exec = x;
	x->emu.cpu = &vcpu->cpu;
	x->emu.ops = &vmon_exec_emu_ops;
	x->emu.priv = x;
	err = vmon_world_create(&x->world);
	if (err)
		goto fail;
	x->user_tables.table[0] = x->world.area->run_gdt;
	x->user_tables.table[1] = x->world.area->ldt;
	x->user_tables.raw = x->world.area->resident.gdt;
	x->mpage = (struct vmon_mpage *)get_zeroed_page(VMON_GFP);
	err = x->mpage ? create_cache(x) : -ENOMEM;
	if (err)
		goto fail;
	if (vcpu->vm->selfcheck) {
		x->selfcheck = vmon_selfcheck_create(&x->world, x->mpage, x->tc, VMON_TC_SIZE,
						     x->tc_tables, VMON_TC_TABLES);
		if (!x->selfcheck) {
			err = -ENOMEM;
			goto fail;
		}
	}
	return 0;
fail:
	vmon_exec_destroy(vcpu);
	return err;
}

void vmon_exec_destroy(struct vmon_vcpu *vcpu)
{
	struct vmon_exec *x = vcpu->exec;
	unsigned int i;

	if (!x)
		return;
	vmon_selfcheck_destroy(x->selfcheck);
	vmon_mmu_destroy(x->mmu);
	if (x->bt)
		vmon_bt_destroy(x->bt);
	for (i = 0; i < VMON_TC_TABLES; i++)
		free_page((unsigned long)x->tc_tables[i]);
	vfree(x->tc);
	free_page((unsigned long)x->mpage);
	if (x->world.area)
		vmon_world_destroy(&x->world);
	kvfree(x);
	vcpu->exec = NULL;
}

void vmon_exec_reset(struct vmon_vcpu *vcpu)
{
	struct vmon_exec *x = vcpu->exec;

	/* Made anew at the next run, for the memory and registers of then. */
	vmon_mmu_destroy(x->mmu);
	x->mmu = NULL;
	x->retry = false;
	x->fpu_on = false;
	x->no_memory = false;
	memset(&x->resident, 0, sizeof(x->resident));
	x->again.valid = false;
}

static int prepare(struct vmon_exec *x)
{
	struct vmon_mmu *mmu;

	x->max_gfn = vmon_mem_top(x->vcpu->vm) >> PAGE_SHIFT;
	mmu = vmon_mmu_create(&vmon_exec_mmu_ops, &vmon_exec_phys_ops, x, x->max_gfn,
			      x->world.pdpt,
			      vmon_table_entry(x->mpage, VMON_PTE_P | VMON_PTE_W |
					       VMON_PTE_A | VMON_PTE_D | VMON_PTE_NX));
	if (!mmu)
		return -ENOMEM;
	/* Complete when vmon_exec_derived_from() sees it. */
	smp_store_release(&x->mmu, mmu);
	vmon_exec_flush_tlb(x);
	vmon_mmu_load_root(x->mmu, &x->vcpu->cpu);
	/* On failure it stays until the reset that must follow: others may be looking at it. */
	return vmon_exec_place_window(x);
}

static bool fit_for_user(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	const u32 flags = VMON_FL_IF | VMON_FL_IOPL | VMON_FL_VM;

	if (cpu->cpl != 3 || (cpu->eflags & flags) != VMON_FL_IF)
		return false;
	x->again.valid = false;
	return vmon_segments_user(&x->user_tables, cpu, vmon_exec_read_system, x);
}

static bool fit_for_translation(const struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;

	return x->vcpu->vm->exec_mode == VMON_EXEC_TRANSLATE && !cpu->cpl &&
	       (cpu->cr0 & VMON_CR0_PE) &&
	       !(cpu->eflags & (VMON_FL_TF | VMON_FL_VM)) &&
	       !cpu->shadow && !vmon_exec_break_kernel(x);
}

static enum vmon_run run_once(struct vmon_exec *x)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	const char *changed;
	char what[80];

	if (x->no_memory)
		return vmon_exec_error(x, "the host has no memory for a page of the guest's");
	changed = vmon_selfcheck_changed(x->selfcheck);
	if (changed) {
		snprintf(what, sizeof(what), "selfcheck: %s has changed", changed);
		return vmon_exec_error(x, what);
	}
	if (x->retry)
		return vmon_exec_emulate(x, VMON_WHY_MODE);
	if (vmon_irq_pending(x->vcpu) && (cpu->eflags & VMON_FL_IF) && !cpu->shadow) {
		struct vmon_emu_exc exc = { .vector = vmon_irq_ack(x->vcpu) };

		cpu->halted = false;
		vmon_count(x->vcpu, INTERRUPT_INJECTED);
		return vmon_exec_inject(x, &exc);
	}
	if (cpu->halted)
		return VMON_RUN_HALT;
	if (cpu->shutdown)
		return VMON_RUN_SHUTDOWN;
	if (x->code_full) {
		x->code_full = false;
		vmon_exec_code_flush(x);
	}
	if (fit_for_user(x))
		return vmon_exec_user(x);
	if (fit_for_translation(x))
		return vmon_exec_kernel(x);
	return vmon_exec_emulate(x, VMON_WHY_MODE);
}

/* What the parts count themselves. */
static void copy_stats(struct vmon_exec *x)
{
	const struct vmon_resident *r = &x->world.area->resident;
	u64 *stat = x->vcpu->stat;
	struct vmon_selfcheck_stats check;
	struct vmon_mmu_stats mmu;
	struct vmon_bt_stats bt;
	enum vmon_flush kind;

	vmon_mmu_get_stats(x->mmu, &mmu);
	stat[VMON_STAT_SHADOW_PAGES] = mmu.pages;
	stat[VMON_STAT_SHADOW_FLUSH] = mmu.flushes;
	stat[VMON_STAT_SHADOW_DROPPED] = mmu.zapped_pages;
	stat[VMON_STAT_SHADOW_WRITES] = mmu.traced_writes;
	vmon_bt_get_stats(x->bt, &bt);
	stat[VMON_STAT_TU_TRANSLATED] = bt.translated_units;
	stat[VMON_STAT_TU_INSNS] = bt.translated_insns;
	stat[VMON_STAT_TU_BYTES] = bt.used;
	for (kind = 0; kind < VMON_FLUSH_NR; kind++)
		stat[VMON_STAT_FLUSH_IBPB_ENTRY + kind] = x->world.flushes[kind];
	vmon_selfcheck_get_stats(x->selfcheck, &check);
	stat[VMON_STAT_SELFCHECK_EXITS] = check.exits;
	stat[VMON_STAT_SELFCHECK_ATTEMPTS] = check.attempts;
	stat[VMON_STAT_SELFCHECK_CHANGED] = check.changes;
	stat[VMON_STAT_RESIDENT_SYSCALL] = r->count[RC_SYSCALL / 8];
	stat[VMON_STAT_RESIDENT_RETURN] = r->count[RC_RETURN / 8];
	stat[VMON_STAT_RESIDENT_IRET] = r->count[RC_IRET / 8];
}

enum vmon_run vmon_exec_run(struct vmon_vcpu *vcpu)
{
	unsigned long end = jiffies + 1;
	struct vmon_exec *x = vcpu->exec;
	enum vmon_run run;

	if (!x->mmu && prepare(x))
		return vmon_exec_error(x, "no memory, or no room for the translation cache");
	do {
		run = run_once(x);
	} while (run == VMON_RUN_AGAIN && !x->retry && !vmon_vcpu_requested(vcpu) &&
		 !need_resched() && time_before(jiffies, end));
	copy_stats(x);
	return run;
}
