// SPDX-License-Identifier: GPL-2.0
/*
 * Near control transfer, software interrupts and the fast system call pair.
 */
#include "emulator/internal.h"

/* Set EIP after the limit check that every branch makes. */
int vmon_emu_near(struct vmon_emu *e, unsigned int opsize, u32 target)
{
	target &= vmon_emu_mask(opsize);
	if (target > e->cpu->seg[VMON_CS].limit)
		return vmon_emu_gp0(e);
	e->cpu->eip = target;
	return VMON_EMU_OK;
}

static int relative(struct vmon_emu *e)
{
	return vmon_emu_near(e, e->insn.opsize, e->cpu->eip + e->insn.imm);
}

int vmon_emu_op_jcc(struct vmon_emu *e)
{
	if (!vmon_emu_condition(e->cpu, e->insn.cc))
		return VMON_EMU_OK;
	return relative(e);
}

int vmon_emu_op_jmp(struct vmon_emu *e)
{
	u32 target;
	int ret;

	if (e->insn.opnd[0].kind == VMON_OPND_REL)
		return relative(e);
	ret = vmon_emu_opnd_read(e, 0, &target);
	return ret == VMON_EMU_OK ?
		vmon_emu_near(e, e->insn.opsize, target) : ret;
}

int vmon_emu_op_call(struct vmon_emu *e)
{
	u32 target, next = e->cpu->eip;
	int ret = VMON_EMU_OK;

	if (e->insn.opnd[0].kind == VMON_OPND_REL)
		target = next + e->insn.imm;
	else
		ret = vmon_emu_opnd_read(e, 0, &target);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_near(e, e->insn.opsize, target);
	return ret == VMON_EMU_OK ?
		vmon_emu_push(e, e->insn.opsize, next) : ret;
}

int vmon_emu_op_ret(struct vmon_emu *e)
{
	struct vmon_stack st;
	u32 target;
	int ret;

	vmon_emu_stack_init(e->cpu, &st);
	ret = vmon_emu_stack_pop(e, &st, e->insn.opsize, &target);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_near(e, e->insn.opsize, target);
	if (ret != VMON_EMU_OK)
		return ret;
	if (e->insn.opcode == 0xc2)
		st.esp = (st.esp & ~st.mask) |
			 ((st.esp + (u16)e->insn.imm) & st.mask);
	vmon_emu_stack_commit(e->cpu, &st);
	return VMON_EMU_OK;
}

int vmon_emu_op_loop(struct vmon_emu *e)
{
	unsigned int size = e->insn.adsize;
	u32 count = vmon_emu_reg(e->cpu, VMON_ECX, size) - 1;
	bool zf = e->cpu->eflags & VMON_FL_ZF;

	count &= vmon_emu_mask(size);
	vmon_emu_set_reg(e->cpu, VMON_ECX, size, count);
	if (!count || (e->insn.op == VMON_OP_LOOPE && !zf) ||
	    (e->insn.op == VMON_OP_LOOPNE && zf))
		return VMON_EMU_OK;
	return relative(e);
}

int vmon_emu_op_jcxz(struct vmon_emu *e)
{
	if (vmon_emu_reg(e->cpu, VMON_ECX, e->insn.adsize))
		return VMON_EMU_OK;
	return relative(e);
}

/* INT n, INT3, INTO, INT1: traps, recorded for vmon_emu_deliver(). */
int vmon_emu_op_int(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	u8 vector;

	switch (e->insn.op) {
	case VMON_OP_INT3:
		vector = VMON_EXC_BP;
		break;
	case VMON_OP_INTO:
		if (!(cpu->eflags & VMON_FL_OF))
			return VMON_EMU_OK;
		vector = VMON_EXC_OF;
		break;
	case VMON_OP_INT1:
		vector = VMON_EXC_DB;
		break;
	default:
		if ((cpu->eflags & VMON_FL_VM) && vmon_emu_iopl(cpu) < 3)
			return vmon_emu_gp0(e);
		vector = e->insn.imm;
		break;
	}
	vmon_emu_fault(e, vector);
	e->exc.trap = true;
	e->exc.soft = e->insn.op != VMON_OP_INT1;
	e->exc.len = e->insn.len;
	return VMON_EMU_FAULT;
}

/* The flat segments that SYSENTER and SYSEXIT make without reading a table. */
static void set_flat(struct vmon_seg *seg, u16 sel, bool code)
{
	seg->sel = sel;
	seg->base = 0;
	seg->limit = 0xffffffff;
	seg->attr = VMON_SEG_P | VMON_SEG_S | VMON_SEG_RW | VMON_SEG_A |
		    VMON_SEG_DB | VMON_SEG_G | (sel & 3) << 5 |
		    (code ? VMON_SEG_CODE : 0);
}

int vmon_emu_op_sysenter(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	u16 sel = cpu->sysenter_cs & 0xfffc;

	if (!(cpu->cr0 & VMON_CR0_PE) || !sel)
		return vmon_emu_gp0(e);
	cpu->eflags &= ~(VMON_FL_VM | VMON_FL_IF | VMON_FL_RF);
	set_flat(&cpu->seg[VMON_CS], sel, true);
	set_flat(&cpu->seg[VMON_SS], sel + 8, false);
	cpu->cpl = 0;
	cpu->gpr[VMON_ESP] = cpu->sysenter_esp;
	cpu->eip = cpu->sysenter_eip;
	return VMON_EMU_OK;
}

int vmon_emu_op_sysexit(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	u16 sel = cpu->sysenter_cs & 0xfffc;

	if (!(cpu->cr0 & VMON_CR0_PE) || !sel || cpu->cpl)
		return vmon_emu_gp0(e);
	set_flat(&cpu->seg[VMON_CS], (sel + 16) | 3, true);
	set_flat(&cpu->seg[VMON_SS], (sel + 24) | 3, false);
	cpu->cpl = 3;
	cpu->gpr[VMON_ESP] = cpu->gpr[VMON_ECX];
	cpu->eip = cpu->gpr[VMON_EDX];
	return VMON_EMU_OK;
}
