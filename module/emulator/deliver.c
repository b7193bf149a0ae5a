// SPDX-License-Identifier: GPL-2.0
/*
 * Delivery of exceptions and interrupts through the guest's IDT.
 *
 * One attempt either enters the handler or raises another exception; the loop
 * at the end combines the two by SDM vol. 3, table 6-5, until something is
 * delivered or the CPU shuts down.
 */
#include "emulator/internal.h"

#define DR7_GD		0x2000u

/* A gate, in the form both operand sizes share. */
struct gate {
	struct vmon_desc d;
	u16 sel;
	u32 eip;
	unsigned int size;
	bool masks;	/* interrupt gate: clears IF */
};

/* Vectors that push an error code: DF, TS, NP, SS, GP, PF, AC. */
#define HAS_ERROR	0x00027d00u

/*
 * Exception, or external interrupt? Real mode has its interrupts at vectors
 * that are exceptions' too; those would bring an error code.
 */
static bool is_exception(const struct vmon_emu_exc *exc)
{
	if (exc->soft || exc->vector >= 32)
		return false;
	return exc->has_error || !(HAS_ERROR >> exc->vector & 1);
}

/* Fault class but #DB: pushes RF set, so that a breakpoint does not hit again. */
static bool is_fault(const struct vmon_emu_exc *exc)
{
	return is_exception(exc) && !exc->trap && exc->vector != VMON_EXC_DB &&
	       exc->vector != VMON_EXC_NMI && exc->vector != VMON_EXC_MC &&
	       exc->vector != VMON_EXC_DF;
}

static u32 flags_image(const struct vmon_emu *e, const struct vmon_emu_exc *exc)
{
	u32 flags = e->cpu->eflags;

	return is_fault(exc) ? flags | VMON_FL_RF : flags;
}

static void enter_flags(struct vmon_cpu *cpu, bool mask_if)
{
	cpu->eflags &= ~(VMON_FL_TF | VMON_FL_NT | VMON_FL_RF | VMON_FL_VM);
	if (mask_if)
		cpu->eflags &= ~VMON_FL_IF;
}

static int deliver_real(struct vmon_emu *e, const struct vmon_emu_exc *exc)
{
	struct vmon_cpu *cpu = e->cpu;
	struct vmon_stack st;
	u16 vec[2];
	int ret;

	if (exc->vector * 4u + 3 > cpu->idtr.limit)
		return vmon_emu_gp0(e);
	ret = vmon_emu_sys_read(e, cpu->idtr.base + exc->vector * 4u, vec, 4);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_stack_init(cpu, &st);
	ret = vmon_emu_stack_push(e, &st, 2, cpu->eflags);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_stack_push(e, &st, 2, cpu->seg[VMON_CS].sel);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_stack_push(e, &st, 2, cpu->eip);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_stack_commit(cpu, &st);
	cpu->eflags &= ~(VMON_FL_TF | VMON_FL_IF | VMON_FL_RF | VMON_FL_AC);
	vmon_emu_seg_set_real(e, VMON_CS, vec[1]);
	cpu->eip = vec[0];
	return VMON_EMU_OK;
}

/* What the handler finds on its stack, from the old SS (if inner) down. */
static int push_frame(struct vmon_emu *e, struct vmon_stack *st,
		      const struct gate *g, const struct vmon_emu_exc *exc,
		      bool inner)
{
	static const u8 vm86[] = { VMON_GS, VMON_FS, VMON_DS, VMON_ES };
	struct vmon_cpu *cpu = e->cpu;
	u32 frame[10];
	unsigned int n = 0, i;
	int ret = VMON_EMU_OK;

	if (inner) {
		if (cpu->eflags & VMON_FL_VM)
			for (i = 0; i < sizeof(vm86); i++)
				frame[n++] = cpu->seg[vm86[i]].sel;
		frame[n++] = cpu->seg[VMON_SS].sel;
		frame[n++] = cpu->gpr[VMON_ESP];
	}
	frame[n++] = flags_image(e, exc);
	frame[n++] = cpu->seg[VMON_CS].sel;
	frame[n++] = cpu->eip;
	if (exc->has_error)
		frame[n++] = exc->error;
	if (g->size == 4 && vmon_emu_stack_push_all(e, st, frame, n))
		return VMON_EMU_OK;
	for (i = 0; i < n && ret == VMON_EMU_OK; i++)
		ret = vmon_emu_stack_push(e, st, g->size, frame[i]);
	return ret;
}

static int enter_inner(struct vmon_emu *e, const struct gate *g,
		       const struct vmon_desc *cs,
		       const struct vmon_emu_exc *exc)
{
	static const u8 vm86[] = { VMON_ES, VMON_DS, VMON_FS, VMON_GS };
	struct vmon_cpu *cpu = e->cpu;
	bool was_vm86 = cpu->eflags & VMON_FL_VM;
	unsigned int cpl = vmon_desc_dpl(cs), i;
	struct vmon_stack st;
	struct vmon_seg ss;
	u32 old_flags = cpu->eflags;
	int ret;

	if (was_vm86 && cpl)
		return vmon_emu_fault_code(e, VMON_EXC_GP, g->sel & ~3);
	/* Segment checks from here on are those of protected mode. */
	ret = vmon_emu_inner_stack(e, cpl, &ss, &st.esp);
	if (ret != VMON_EMU_OK)
		return ret;
	st.ss = &ss;
	st.mask = ss.attr & VMON_SEG_DB ? 0xffffffff : 0xffff;
	st.code = ss.sel & ~3;
	st.acc = 0;
	ret = push_frame(e, &st, g, exc, true);
	if (ret != VMON_EMU_OK)
		return ret;
	cpu->eflags &= ~VMON_FL_VM;
	ret = vmon_emu_set_cs(e, g->sel, cpl, cs, g->eip);
	if (ret != VMON_EMU_OK) {
		cpu->eflags = old_flags;
		return ret;
	}
	cpu->seg[VMON_SS] = ss;
	vmon_emu_stack_commit(cpu, &st);
	if (was_vm86)
		for (i = 0; i < sizeof(vm86); i++)
			vmon_emu_seg_null(&cpu->seg[vm86[i]], 0);
	return VMON_EMU_OK;
}

static int enter_same(struct vmon_emu *e, const struct gate *g,
		      const struct vmon_desc *cs,
		      const struct vmon_emu_exc *exc)
{
	struct vmon_stack st;
	int ret;

	vmon_emu_stack_init(e->cpu, &st);
	ret = push_frame(e, &st, g, exc, false);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_set_cs(e, g->sel, e->cpu->cpl, cs, g->eip);
	if (ret == VMON_EMU_OK)
		vmon_emu_stack_commit(e->cpu, &st);
	return ret;
}

static int through_gate(struct vmon_emu *e, const struct gate *g,
			const struct vmon_emu_exc *exc)
{
	struct vmon_cpu *cpu = e->cpu;
	struct vmon_desc cs;
	u16 code = g->sel & ~3;
	bool inner;
	int ret;

	if (!code)
		return vmon_emu_gp0(e);
	ret = vmon_emu_desc(e, g->sel, VMON_EXC_GP, &cs);
	if (ret != VMON_EMU_OK)
		return ret;
	if (!vmon_desc_is_code(&cs) || vmon_desc_dpl(&cs) > cpu->cpl)
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_p(&cs))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	inner = !vmon_desc_is_conforming(&cs) && vmon_desc_dpl(&cs) < cpu->cpl;
	if (!inner && (cpu->eflags & VMON_FL_VM))
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (inner)
		ret = enter_inner(e, g, &cs, exc);
	else
		ret = enter_same(e, g, &cs, exc);
	if (ret == VMON_EMU_OK)
		enter_flags(cpu, g->masks);
	return ret;
}

/* A task gate: the error code goes to the new task's stack. */
static int through_task(struct vmon_emu *e, u16 sel,
			const struct vmon_emu_exc *exc)
{
	u32 flags = e->cpu->eflags;
	int ret;

	if (is_fault(exc))
		e->cpu->eflags |= VMON_FL_RF;
	ret = vmon_emu_task_switch(e, sel, VMON_TASK_INT);
	if (ret != VMON_EMU_OK && !e->keep)
		e->cpu->eflags = flags;
	if (ret == VMON_EMU_OK && exc->has_error)
		ret = vmon_emu_push(e, 4, exc->error);
	return ret;
}

static int deliver_prot(struct vmon_emu *e, const struct vmon_emu_exc *exc)
{
	struct vmon_cpu *cpu = e->cpu;
	u16 code = exc->vector * 8 + 2;
	struct gate g;
	u32 raw[2];
	unsigned int type;
	int ret;

	if (exc->vector * 8u + 7 > cpu->idtr.limit)
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	g.d.gva = cpu->idtr.base + exc->vector * 8u;
	ret = vmon_emu_sys_read(e, g.d.gva, raw, 8);
	if (ret != VMON_EMU_OK)
		return ret;
	g.d.lo = raw[0];
	g.d.hi = raw[1];
	type = vmon_desc_type(&g.d);
	switch (vmon_desc_s(&g.d) ? 0 : type) {
	case VMON_SYS_TASK:
	case VMON_SYS_INT16:
	case VMON_SYS_TRAP16:
	case VMON_SYS_INT32:
	case VMON_SYS_TRAP32:
		break;
	default:
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	}
	if (exc->soft && vmon_desc_dpl(&g.d) < cpu->cpl)
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_p(&g.d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	g.sel = g.d.lo >> 16;
	if (type == VMON_SYS_TASK)
		return through_task(e, g.sel, exc);
	g.size = type & 8 ? 4 : 2;
	g.eip = g.d.lo & 0xffff;
	if (g.size == 4)
		g.eip |= g.d.hi & 0xffff0000;
	g.masks = !(type & 1);
	return through_gate(e, &g, exc);
}

/* Classes of SDM vol. 3, table 6-4. */
static bool is_contributory(u8 vector)
{
	return vector == VMON_EXC_DE ||
	       (vector >= VMON_EXC_TS && vector <= VMON_EXC_GP);
}

/* Does @second during the delivery of @first make a double fault? */
static bool doubles(const struct vmon_emu_exc *first, u8 second)
{
	if (!is_exception(first))
		return false;
	if (is_contributory(first->vector))
		return is_contributory(second);
	if (first->vector == VMON_EXC_PF)
		return is_contributory(second) || second == VMON_EXC_PF;
	return false;
}

static int attempt(struct vmon_emu *e, const struct vmon_emu_exc *exc)
{
	struct vmon_cpu *cpu = e->cpu;

	e->ext = !exc->soft;
	e->keep = false;
	if (exc->vector == VMON_EXC_PF && exc->has_error)
		cpu->cr2 = exc->cr2;
	if (exc->vector == VMON_EXC_DB && !exc->soft)
		cpu->dr[7] &= ~DR7_GD;
	if (cpu->cr0 & VMON_CR0_PE)
		return deliver_prot(e, exc);
	return deliver_real(e, exc);
}

int vmon_emu_deliver(struct vmon_emu *e, const struct vmon_emu_exc *exc)
{
	struct vmon_cpu *cpu = e->cpu;
	struct vmon_emu_exc cur = *exc;
	int ret;

	cpu->halted = false;
	cpu->shadow = 0;
	for (;;) {
		ret = attempt(e, &cur);
		e->ext = 0;
		if (ret != VMON_EMU_FAULT)
			return ret;
		/* The CPU sets CR2 as soon as it finds a page fault, not on delivery. */
		if (e->exc.vector == VMON_EXC_PF)
			cpu->cr2 = e->exc.cr2;
		/* A fault on the way is reported at the INT itself, be it ICEBP. */
		if (!e->keep)
			cpu->eip -= cur.len;
		if (cur.vector == VMON_EXC_DF && is_exception(&cur) &&
		    (is_contributory(e->exc.vector) ||
		     e->exc.vector == VMON_EXC_PF)) {
			cpu->shutdown = true;
			return VMON_EMU_OK;
		}
		if (doubles(&cur, e->exc.vector)) {
			memset(&cur, 0, sizeof(cur));
			cur.vector = VMON_EXC_DF;
			cur.has_error = true;
		} else {
			cur = e->exc;
		}
	}
}
