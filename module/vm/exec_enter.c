// SPDX-License-Identifier: GPL-2.0
/*
 * Entering the guest: direct execution of its user code at ring 3, and of its
 * translated kernel code at ring 1; and what the exits mean.
 *
 * The rule for exits from translated code: the state is brought back to a guest
 * instruction boundary before anything else is done with it. Faults can be, by
 * the translator's promise; a host interrupt in the middle of a sequence single-
 * steps to its end.
 */
#include <linux/irqflags.h>
#include <linux/string.h>
#include <asm/fpu/api.h>

#include "vm/exec_internal.h"

/* Flags that are the guest's own while it runs. */
#define FL_GUEST	(VMON_FL_ARITH | VMON_FL_DF | VMON_FL_AC | VMON_FL_ID | \
			 VMON_FL_NT)

static void load_fpu(struct vmon_exec *x)
{
	kernel_fpu_begin();
	if (vmon_flush_done(VMON_FLUSH_FPU)) {
		vmon_flush_fpu();
		x->world.flushes[VMON_FLUSH_FPU]++;
	}
	asm volatile("fxrstor %0" : : "m" (x->vcpu->cpu.fpu));
}

static void save_fpu(struct vmon_exec *x)
{
	if (x->fpu_on)
		asm volatile("fxsave %0" : "=m" (x->vcpu->cpu.fpu));
	kernel_fpu_end();
}

/*
 * Run the world once with area->frame set up. Returns false if the guest was not
 * entered because something waits for the thread. In the middle of a translated
 * instruction (stepping) nothing can: the frame alone holds the state then.
 */
static bool enter(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_area *a = x->world.area;
	/* Behind CR0.TS lie another task's registers, unless the guest's are loaded. */
	bool fpu = x->fpu_on || vmon_flush_done(VMON_FLUSH_FPU);
	bool entered = false;
	struct vmon_world_ctl ctl = {
		.ts = !x->fpu_on || (cpu->cr0 & VMON_CR0_TS),
		.em = cpu->cr0 & VMON_CR0_EM,
		.mp = (cpu->cr0 & VMON_CR0_MP) || !x->fpu_on,
		.am = cpu->cr0 & VMON_CR0_AM,
		.tsd = (cpu->cr4 & VMON_CR4_TSD) || cpu->tsc_offset,
		.osfxsr = cpu->cr4 & VMON_CR4_OSFXSR,
		.osxmmexcpt = cpu->cr4 & VMON_CR4_OSXMMEXCPT,
		.cpuid_fault = true,
		.dr7 = x->dr7,
		.dr = cpu->dr,
	};
	unsigned long flags;

	vmon_exec_enter_tlb(x);
	if (fpu)
		load_fpu(x);
	vmon_selfcheck_before(x->selfcheck);
	local_irq_save(flags);
	if (x->stepping ||
	    (!vmon_vcpu_requested(x->vcpu) &&
	     !(x->mpage->vif && vmon_irq_pending(x->vcpu)))) {
		/* One that is raised from here on ends the run, by a kick. */
		x->mpage->pending = vmon_irq_pending(x->vcpu);
		/* Only then may memory be written without asking us. */
		vmon_vcpu_settled(x->vcpu);
		vmon_world_run(&x->world, &ctl);
		vmon_vcpu_deriving(x->vcpu);
		entered = true;
	}
	local_irq_restore(flags);
	if (fpu)
		save_fpu(x);
	if (!entered)
		return false;
	vmon_selfcheck_after(x->selfcheck);
	vmon_world_settle(&x->world);
	x->cr2 = x->world.cr2;
	vmon_count(x->vcpu, ENTRIES);
	if (a->frame.vector == VMON_EXC_NMI || a->frame.vector == VMON_VEC_ABORT)
		vmon_count(x->vcpu, NMI_HOST);
	vmon_trace(x->vcpu, VMON_TRACE_EXIT, a->frame.vector << 32 | a->frame.error,
		   a->frame.rip);
	return true;
}

static void load_regs(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_frame *f = &x->world.area->frame;

	f->rax = cpu->gpr[VMON_EAX];
	f->rcx = cpu->gpr[VMON_ECX];
	f->rdx = cpu->gpr[VMON_EDX];
	f->rbx = cpu->gpr[VMON_EBX];
	f->rsp = cpu->gpr[VMON_ESP];
	f->rbp = cpu->gpr[VMON_EBP];
	f->rsi = cpu->gpr[VMON_ESI];
	f->rdi = cpu->gpr[VMON_EDI];
}

static void store_regs(struct vmon_exec *x)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	const struct vmon_frame *f = &x->world.area->frame;

	cpu->gpr[VMON_EAX] = f->rax;
	cpu->gpr[VMON_ECX] = f->rcx;
	cpu->gpr[VMON_EDX] = f->rdx;
	cpu->gpr[VMON_EBX] = f->rbx;
	cpu->gpr[VMON_ESP] = f->rsp;
	cpu->gpr[VMON_EBP] = f->rbp;
	cpu->gpr[VMON_ESI] = f->rsi;
	cpu->gpr[VMON_EDI] = f->rdi;
}

static enum vmon_run inject(struct vmon_exec *x, unsigned int vector)
{
	const struct vmon_emu_exc exc = {
		.vector = vector,
		.has_error = vector == VMON_EXC_AC,
	};

	return vmon_exec_inject(x, &exc);
}

static enum vmon_run page_fault(struct vmon_exec *x, u32 gva, u32 error)
{
	unsigned int acc = (error & VMON_PF_W ? VMON_ACC_W : 0) |
			   (x->vcpu->cpu.cpl == 3 ? VMON_ACC_U : 0) |
			   (error & VMON_PF_I ? VMON_ACC_X : 0);
	struct vmon_emu_exc exc = { .vector = VMON_EXC_PF, .has_error = true };

	vmon_trace(x->vcpu, VMON_TRACE_PAGE_FAULT, gva, error);
	switch (vmon_mmu_fault(x->mmu, &x->vcpu->cpu, gva, acc, &exc.error)) {
	case VMON_MMU_FIXED:
		vmon_count(x->vcpu, PAGE_FAULT_HIDDEN);
		return VMON_RUN_AGAIN;
	case VMON_MMU_TRUE_FAULT:
		vmon_count(x->vcpu, PAGE_FAULT_TRUE);
		exc.cr2 = gva;
		return vmon_exec_inject(x, &exc);
	case VMON_MMU_EMULATE:
		vmon_count(x->vcpu, PAGE_FAULT_TRACE);
		return vmon_exec_emulate_site(x, VMON_WHY_TRACE);
	default:
		return vmon_exec_error(x, "no memory for shadow page tables");
	}
}

/* ICEBP at ring 3: a trap for no reason that DR6 tells, behind that byte. */
static bool is_icebp(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	u8 byte;

	return !(x->world.dr6 & (VMON_DR6_HITS | VMON_DR6_BS)) &&
	       !vmon_exec_read_system(x, cpu->seg[VMON_CS].base + cpu->eip - 1, &byte, 1) &&
	       byte == 0xf1;
}

/* The exceptions of direct and of translated code, at a precise state. */
static enum vmon_run exception(struct vmon_exec *x, u64 vector, u32 error)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	char what[80];

	switch (vector) {
	case VMON_EXC_PF:
		return page_fault(x, x->cr2, error);
	case VMON_EXC_NM:
		vmon_count(x->vcpu, EXC_NM);
		if (cpu->cr0 & (VMON_CR0_TS | VMON_CR0_EM))
			return inject(x, vector);
		x->fpu_on = true;
		return VMON_RUN_AGAIN;
	case VMON_EXC_DB:
		vmon_count(x->vcpu, EXC_DB);
		if (is_icebp(x)) {
			/* A fault of its delivery is at the instruction; RF as for INT 80h. */
			cpu->eip -= 1;
			cpu->eflags |= VMON_FL_RF;
			return vmon_exec_emulate(x, VMON_WHY_MODE);
		}
		cpu->dr[6] |= x->world.dr6 & (VMON_DR6_HITS | VMON_DR6_BS);
		return inject(x, vector);
	case VMON_EXC_MF:
	case VMON_EXC_XM:
	case VMON_EXC_AC:
		vmon_count(x->vcpu, EXC_OTHER);
		return inject(x, vector);
	case VMON_SYSCALL_VECTOR:
		/*
		 * Two bytes; what prefixes there are make no difference. A breakpoint on it has
		 * been met already, or RF was set: INT does not push it.
		 */
		cpu->eip -= 2;
		cpu->eflags |= VMON_FL_RF;
		x->resident.stale = true;
		return vmon_exec_emulate(x, VMON_WHY_MODE);
	case VMON_EXC_UD:
		vmon_count(x->vcpu, EXC_UD);
		return vmon_exec_emulate(x, VMON_WHY_UD);
	case VMON_EXC_DE:
	case VMON_EXC_BP:
	case VMON_EXC_OF:
	case VMON_EXC_BR:
	case VMON_EXC_TS:
	case VMON_EXC_NP:
	case VMON_EXC_SS:
		vmon_count(x->vcpu, EXC_OTHER);
		return vmon_exec_emulate(x, VMON_WHY_MODE);
	case VMON_EXC_GP:
		vmon_count(x->vcpu, EXC_GP);
		return vmon_exec_emulate(x, VMON_WHY_MODE);
	default:
		snprintf(what, sizeof(what),
			 "the monitor got exit %#llx error %#x at %#llx", vector,
			 error, x->world.area->frame.rip);
		return vmon_exec_error(x, what);
	}
}

static bool host_event(const struct vmon_exec *x, u64 vector)
{
	return (x->world.host_fault && vector == VMON_EXC_PF) || vmon_host_vector(vector) ||
	       vector == VMON_EXC_NMI || vector == VMON_EXC_MC || vector == VMON_VEC_ABORT;
}

/* What translated code reads and writes, whenever it may come to run. */
static void load_monitor_page(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_mpage *p = x->mpage;
	unsigned int i;

	p->vif = cpu->eflags & VMON_FL_IF;
	p->viopl = cpu->eflags & VMON_FL_IOPL;
	for (i = 0; i < 6; i++)
		p->sel[i] = cpu->seg[i].sel;
	p->cr[0] = cpu->cr0;
	p->cr[2] = cpu->cr2;
	p->cr[3] = cpu->cr3;
	p->cr[4] = cpu->cr4;
}

/* An exit from ring 3. */
static enum vmon_run left_user(struct vmon_exec *x)
{
	const struct vmon_frame *f = &x->world.area->frame;
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	bool crossed = cpu->cpl != 3 || x->world.area->resident.crossed;
	const u16 sel[VMON_NR_SREGS] = {
		[VMON_ES] = f->es, [VMON_CS] = f->cs, [VMON_SS] = f->ss,
		[VMON_DS] = f->ds, [VMON_FS] = f->fs, [VMON_GS] = f->gs,
	};

	vmon_count(x->vcpu, ENTRIES_DIRECT);
	x->site = 0;
	store_regs(x);
	cpu->cpl = 3;
	cpu->eip = f->rip;
	cpu->eflags = (f->rflags & (FL_GUEST | VMON_FL_TF | VMON_FL_RF)) |
		      VMON_FL_IF | VMON_FL_FIXED;
	vmon_segments_user_exit(&x->user_tables, cpu, sel, crossed);
	cpu->shadow = 0;
	if (host_event(x, f->vector)) {
		vmon_count(x->vcpu, INTERRUPT_HOST);
		return VMON_RUN_AGAIN;
	}
	/* The fault set RF; with breakpoints the restart needs it. */
	if (f->vector != VMON_EXC_DB && !(cpu->dr[7] & VMON_DR7_ENABLED))
		cpu->eflags &= ~VMON_FL_RF;
	/* One that MOV SS had put off: it belongs before what ended the run. */
	if (x->world.dr6 & VMON_DR6_HITS)
		return exception(x, VMON_EXC_DB, 0);
	return exception(x, f->vector, f->error);
}

/* Take the registers of translated code over; they belong to @eip. */
static void commit(struct vmon_exec *x, u32 eip, u8 recover)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	const struct vmon_mpage *p = x->mpage;
	unsigned int i;

	store_regs(x);
	vmon_exec_resident_entered(x);
	vmon_seg_cache_exit(&x->seg_cache, p, cpu);
	for (i = 0; i < VMON_NR_GPRS; i++)
		if (recover & 1 << i)
			cpu->gpr[i] = p->spill[i];
	cpu->eip = eip;
	cpu->eflags = (x->world.area->frame.rflags & FL_GUEST) | VMON_FL_FIXED |
		      (p->vif & VMON_FL_IF) | (p->viopl & VMON_FL_IOPL);
}

static bool kernel_segments(struct vmon_exec *x, u16 sel[6])
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	u64 *gdt = x->world.area->run_gdt;

	return vmon_segments_kernel(&cpu->seg[VMON_CS], &cpu->seg[VMON_SS], gdt) &&
	       vmon_seg_cache_enter(&x->seg_cache, x->mpage, cpu, gdt, sel);
}

/* The emulator has executed VERW in translated code. */
static void learn_verw(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	u16 sel = x->emu.verified;
	u32 gva = cpu->gdtr.base + (sel & ~7);
	u64 desc;

	if ((cpu->eflags & VMON_FL_ZF) &&
	    !vmon_exec_read_system(x, gva, &desc, sizeof(desc)))
		vmon_seg_cache_learn_verw(x->mpage, sel, desc, gva);
}

/* The emulator has executed a callout: was it a load of a cached register? */
static void learn_segment(struct vmon_exec *x)
{
	const struct vmon_insn *insn = &x->emu.insn;
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	u16 sel = cpu->seg[insn->opnd[0].reg % VMON_NR_SREGS].sel;
	u32 gva = x->window + VMON_BT_ZEROES;
	u64 desc = 0;

	if (insn->op == VMON_OP_VERW) {
		learn_verw(x);
		return;
	}
	if ((insn->op != VMON_OP_MOV_SEG && insn->op != VMON_OP_POP) ||
	    insn->opnd[0].kind != VMON_OPND_SREG || cpu->cpl)
		return;
	if (sel & ~3) {
		gva = cpu->gdtr.base + (sel & ~7);
		if (vmon_exec_read_system(x, gva, &desc, sizeof(desc)))
			return;
	}
	vmon_seg_cache_learn(&x->seg_cache, x->mpage, cpu, x->world.area->run_gdt,
			     insn->opnd[0].reg, desc, gva);
	x->again.valid = false;
}

static void load_kernel_state(struct vmon_exec *x, u32 tc, const u16 sel[6])
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_frame *f = &x->world.area->frame;

	load_regs(x);
	x->world.area->guest_ldt = 0;
	load_monitor_page(x);
	f->rip = tc;
	f->rflags = (cpu->eflags & FL_GUEST) | VMON_FL_IF | VMON_FL_FIXED;
	f->cs = VMON_SEL_CS1;
	f->ss = VMON_SEL_SS1;
	f->ds = sel[VMON_DS];
	f->es = sel[VMON_ES];
	f->fs = sel[VMON_FS];
	f->gs = VMON_SEL_GS1;
}

/* Emulate the instruction of a callout; most go on behind it. */
static enum vmon_run emulate_callout(struct vmon_exec *x, u32 site, const struct vmon_bt_pos *pos)
{
	u32 generation = vmon_bt_generation(x->bt);

	vmon_count(x->vcpu, CALLOUT_EMULATE);
	/* What the instruction has met already, the emulator meets again. */
	x->hits = 0;
	commit(x, pos->eip, 0);
	x->site = pos->live ? site : 0;
	if (pos->live)
		vmon_exec_found(x, pos->target, site + 2, generation);
	return vmon_exec_emulate_site(x, VMON_WHY_MODE);
}

/* The branch is complete: find where it leads, and lead the site there. */
static enum vmon_run resume(struct vmon_exec *x, u32 site, u32 eip)
{
	u32 tc;

	commit(x, eip, 0);
	/* Without code there the site is no place to go on at either. */
	if (vmon_bt_resume(x->bt, site, eip, &tc))
		vmon_exec_lost(x);
	else
		vmon_exec_found(x, eip, tc, vmon_bt_generation(x->bt));
	return VMON_RUN_AGAIN;
}

static enum vmon_run callout(struct vmon_exec *x, u32 site)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_bt_pos pos;
	enum vmon_run run;

	if (vmon_bt_locate(x->bt, site, &pos))
		return vmon_exec_error(x, "a callout from nowhere in the translation cache");
	vmon_trace(x->vcpu, VMON_TRACE_CALLOUT, pos.site, pos.eip);
	switch (pos.site) {
	case VMON_BT_EMULATE:
		run = emulate_callout(x, site, &pos);
		if (run == VMON_RUN_AGAIN && !x->retry)
			learn_segment(x);
		return run;
	case VMON_BT_IRET:
		run = emulate_callout(x, site, &pos);
		if (run == VMON_RUN_AGAIN && !x->retry && !cpu->cpl)
			vmon_bt_returned(x->bt, cpu->eip);
		return run;
	case VMON_BT_CHAIN:
		vmon_count(x->vcpu, TU_CHAINED);
		return resume(x, site, pos.target);
	case VMON_BT_LOOKUP:
		vmon_count(x->vcpu, CALLOUT_INDIRECT);
		return resume(x, site, x->mpage->guest_eip);
	case VMON_BT_PENDING:
		vmon_count(x->vcpu, CALLOUT);
		commit(x, pos.target, 0);
		cpu->shadow = pos.no_irq ? VMON_SHADOW_STI : 0;
		return VMON_RUN_AGAIN;
	default:
		return vmon_exec_error(x, "a callout that is none in the translation cache");
	}
}

/*
 * Run code of the monitor's own at ring 1, at @tc, up to its INT. The guest's general
 * registers and arithmetic flags go in and, if it gets there, come back.
 *
 * Return: VMON_BT_VECTOR, or the exception or fault of the switch that was in the way.
 */
unsigned int vmon_exec_own(struct vmon_exec *x, u32 tc)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_area *a = x->world.area;
	struct vmon_frame *f = &a->frame;

	vmon_segments_own(a->run_gdt);
	a->resident.armed = 0;
	x->again.valid = false;
	x->dr7 = 0;
	load_regs(x);
	a->guest_ldt = 0;
	f->rip = tc;
	f->rflags = (cpu->eflags & VMON_FL_ARITH) | VMON_FL_IF | VMON_FL_FIXED;
	f->cs = VMON_SEL_CS1;
	f->ss = VMON_SEL_SS1;
	f->gs = VMON_SEL_GS1;
	f->ds = 0;
	f->es = 0;
	f->fs = 0;
	x->stepping = true;
	do {
		f->vector = VMON_VEC_POISON;
		enter(x);
	} while (host_event(x, f->vector));
	x->stepping = false;
	if (f->vector == VMON_BT_VECTOR) {
		store_regs(x);
		cpu->eflags = (cpu->eflags & ~VMON_FL_ARITH) | (f->rflags & VMON_FL_ARITH);
	}
	return f->vector;
}

/*
 * An exit from translated code. Returns false if its instruction has to be brought to
 * an end first, one step at a time.
 */
static bool left_kernel(struct vmon_exec *x, enum vmon_run *run)
{
	const struct vmon_frame *f = &x->world.area->frame;
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_bt_pos pos;

	vmon_count(x->vcpu, ENTRIES_TRANSLATED);
	x->hits |= x->world.dr6 & VMON_DR6_HITS;
	if (f->vector >= VMON_BT_VECTOR && f->vector <= VMON_BT_SYSEXIT_VECTOR) {
		*run = callout(x, f->rip - 2);
		return true;
	}
	if (vmon_bt_locate(x->bt, f->rip, &pos)) {
		*run = exception(x, VMON_VEC_FAULT | f->vector, f->error);
		return true;
	}
	if (host_event(x, f->vector) || f->vector == VMON_EXC_DB) {
		if (f->vector != VMON_EXC_DB)
			vmon_count(x->vcpu, INTERRUPT_HOST);
		if (!pos.boundary) {
			x->stepping = true;
			return false;
		}
		commit(x, pos.eip, 0);
		cpu->shadow = pos.no_irq ? VMON_SHADOW_STI : 0;
		*run = VMON_RUN_AGAIN;
		return true;
	}
	/* The instruction begins anew, or the emulator does it: so do its breakpoints. */
	x->hits = 0;
	x->site = pos.live ? f->rip : 0;
	commit(x, pos.eip, pos.recover);
	*run = exception(x, f->vector, f->error);
	return true;
}

/*
 * Translated code has hit a breakpoint on data: the trap comes behind the guest's
 * instruction, when that has been brought to its end.
 */
static enum vmon_run breakpoint(struct vmon_exec *x, enum vmon_run run)
{
	if (likely(!x->hits) || run != VMON_RUN_AGAIN || x->retry)
		return run;
	x->vcpu->cpu.dr[6] |= x->hits;
	vmon_count(x->vcpu, EXC_DB);
	return inject(x, VMON_EXC_DB);
}

static enum vmon_run run_steps(struct vmon_exec *x)
{
	const struct vmon_resident *r = &x->world.area->resident;
	struct vmon_frame *f = &x->world.area->frame;
	enum vmon_run run;

	for (;;) {
		if (x->stepping)
			f->rflags |= VMON_FL_TF;
		if (!enter(x))
			return VMON_RUN_AGAIN;
		if (f->vector == VMON_VEC_ABORT) {
			vmon_count(x->vcpu, INTERRUPT_HOST);
			if (!x->stepping)
				return VMON_RUN_AGAIN;
			continue;
		}
		if (f->vector > VMON_VEC_ABORT)
			return exception(x, f->vector, f->error);
		if (r->cpl == 3)
			return left_user(x);
		if (left_kernel(x, &run))
			return breakpoint(x, run);
	}
}

/*
 * Run what area->frame says until it must be looked at, resident events armed. It begins at
 * the guest's privilege level and may end at another one, see switch/resident.S; so
 * stepping may have begun in either case.
 */
static enum vmon_run run_guest(struct vmon_exec *x)
{
	enum vmon_run run;

	x->dr7 = vmon_exec_dr7(x);
	x->hits = 0;
	run = run_steps(x);
	x->stepping = false;
	return run;
}

enum vmon_run vmon_exec_user(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_frame *f = &x->world.area->frame;
	enum vmon_run run;
	bool again;

	vmon_exec_resident_user(x);
	vmon_exec_resident_prepare(x);
	run = vmon_exec_tables(x, &again);
	if (again || run != VMON_RUN_AGAIN)
		return run;
	load_regs(x);
	load_monitor_page(x);
	f->rip = cpu->eip;
	f->rflags = (cpu->eflags & (FL_GUEST | VMON_FL_TF | VMON_FL_RF)) |
		    VMON_FL_IF | VMON_FL_FIXED;
	f->cs = cpu->seg[VMON_CS].sel;
	f->ss = cpu->seg[VMON_SS].sel;
	f->ds = cpu->seg[VMON_DS].sel;
	f->es = cpu->seg[VMON_ES].sel;
	f->fs = cpu->seg[VMON_FS].sel;
	f->gs = cpu->seg[VMON_GS].sel;
	x->world.area->guest_ldt = x->user_tables.synced[1] ? VMON_SEL_LDT : 0;
	vmon_exec_resident_arm(x);
	return run_guest(x);
}

/* Run translated code. */
enum vmon_run vmon_exec_kernel(struct vmon_exec *x)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	bool again, same = vmon_exec_same(x);
	u16 sel[VMON_NR_SREGS] = {};
	enum vmon_run run;
	u32 tc;

	if (!same) {
		x->again.valid = false;
		if (!kernel_segments(x, sel))
			return vmon_exec_emulate(x, VMON_WHY_MODE);
		vmon_exec_resident_prepare(x);
	}
	if (!vmon_exec_find(x, cpu->eip, &tc) && vmon_bt_enter(x->bt, cpu->eip, &tc))
		return vmon_exec_emulate(x, VMON_WHY_MODE);
	run = vmon_exec_tables(x, &again);
	if (again || run != VMON_RUN_AGAIN)
		return run;
	if (!same) {
		vmon_exec_resident_arm(x);
		vmon_exec_keep(x, sel);
	} else if (x->again.generation == vmon_bt_generation(x->bt)) {
		vmon_exec_resident_rearm(x);
	} else {
		/* Translating has dropped what resident.S would enter. */
		return VMON_RUN_AGAIN;
	}
	load_kernel_state(x, tc, x->again.sel);
	return run_guest(x);
}
