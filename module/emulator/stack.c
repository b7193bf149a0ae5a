// SPDX-License-Identifier: GPL-2.0
/*
 * The stack: primitives that do not commit SS:ESP, and the PUSH family.
 */
#include <linux/kernel.h>

#include "emulator/internal.h"

void vmon_emu_stack_init(const struct vmon_cpu *cpu, struct vmon_stack *st)
{
	st->ss = &cpu->seg[VMON_SS];
	st->esp = cpu->gpr[VMON_ESP];
	st->mask = st->ss->attr & VMON_SEG_DB ? 0xffffffff : 0xffff;
	st->code = 0;
	st->acc = vmon_emu_acc(cpu);
}

static void stack_move(struct vmon_stack *st, s32 by)
{
	st->esp = (st->esp & ~st->mask) | ((st->esp + by) & st->mask);
}

int vmon_emu_stack_push(struct vmon_emu *e, struct vmon_stack *st,
			unsigned int size, u32 val)
{
	unsigned int acc = st->acc | VMON_ACC_W;
	u32 gva, saved = st->esp;
	int ret;

	stack_move(st, -(s32)size);
	ret = vmon_emu_seg_linear(e, st->ss, VMON_EXC_SS, st->code,
				  st->esp & st->mask, size, acc, &gva);
	if (ret == VMON_EMU_OK)
		ret = e->ops->write(e, gva, &val, size, acc);
	if (ret != VMON_EMU_OK)
		st->esp = saved;
	return ret;
}

/**
 * vmon_emu_stack_push_all() - push several words of 32 bits by one access
 * @e:		emulator
 * @st:		stack
 * @word:	in the order in which they are pushed
 * @n:		how many, 10 at most
 *
 * Return: false, and nothing has changed, if they are not all on one page that takes them: then
 * they are to be pushed one by one, which finds out what becomes of it.
 */
bool vmon_emu_stack_push_all(struct vmon_emu *e, struct vmon_stack *st, const u32 *word,
			     unsigned int n)
{
	unsigned int acc = st->acc | VMON_ACC_W, i;
	u32 image[10], esp, gva;

	esp = st->esp - 4 * n;
	if (n > ARRAY_SIZE(image) || st->mask != 0xffffffff || esp > st->esp)
		return false;
	for (i = 0; i < n; i++)
		image[n - 1 - i] = word[i];
	if (vmon_emu_seg_linear(e, st->ss, VMON_EXC_SS, st->code, esp, 4 * n, acc, &gva) ||
	    (gva & 0xfff) + 4 * n > 0x1000 ||
	    e->ops->write(e, gva, image, 4 * n, acc))
		return false;
	st->esp = esp;
	return true;
}

int vmon_emu_stack_pop(struct vmon_emu *e, struct vmon_stack *st,
		       unsigned int size, u32 *val)
{
	u32 gva;
	int ret;

	*val = 0;
	ret = vmon_emu_seg_linear(e, st->ss, VMON_EXC_SS, st->code,
				  st->esp & st->mask, size, st->acc, &gva);
	if (ret == VMON_EMU_OK)
		ret = e->ops->read(e, gva, val, size, st->acc);
	if (ret == VMON_EMU_OK)
		stack_move(st, size);
	return ret;
}

/* Make the stack pointer the CPU's; SS is the caller's business. */
void vmon_emu_stack_commit(struct vmon_cpu *cpu, const struct vmon_stack *st)
{
	cpu->gpr[VMON_ESP] = st->esp;
}

int vmon_emu_push(struct vmon_emu *e, unsigned int size, u32 val)
{
	struct vmon_stack st;
	int ret;

	vmon_emu_stack_init(e->cpu, &st);
	ret = vmon_emu_stack_push(e, &st, size, val);
	vmon_emu_stack_commit(e->cpu, &st);
	return ret;
}

int vmon_emu_pop(struct vmon_emu *e, unsigned int size, u32 *val)
{
	struct vmon_stack st;
	int ret;

	vmon_emu_stack_init(e->cpu, &st);
	ret = vmon_emu_stack_pop(e, &st, size, val);
	vmon_emu_stack_commit(e->cpu, &st);
	return ret;
}

int vmon_emu_op_push(struct vmon_emu *e)
{
	const struct vmon_opnd *opnd = &e->insn.opnd[0];
	u32 val;
	int ret;

	if (opnd->kind == VMON_OPND_IMM) {
		val = e->insn.imm;
	} else {
		ret = vmon_emu_opnd_read(e, 0, &val);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	return vmon_emu_push(e, e->insn.opsize, val);
}

int vmon_emu_op_pop(struct vmon_emu *e)
{
	const struct vmon_opnd *opnd = &e->insn.opnd[0];
	u32 val;
	int ret;

	if (opnd->kind == VMON_OPND_SREG && opnd->reg == VMON_CS)
		return vmon_emu_ud(e);
	ret = vmon_emu_pop(e, e->insn.opsize, &val);
	if (ret != VMON_EMU_OK)
		return ret;
	if (opnd->kind != VMON_OPND_SREG)
		return vmon_emu_opnd_write(e, 0, val);
	ret = vmon_emu_load_seg(e, opnd->reg, val);
	if (ret == VMON_EMU_OK && opnd->reg == VMON_SS)
		e->cpu->shadow = VMON_SHADOW_SS;
	return ret;
}

int vmon_emu_op_pusha(struct vmon_emu *e)
{
	struct vmon_stack st;
	unsigned int i;
	int ret = VMON_EMU_OK;

	vmon_emu_stack_init(e->cpu, &st);
	for (i = 0; i < VMON_NR_GPRS && ret == VMON_EMU_OK; i++)
		ret = vmon_emu_stack_push(e, &st, e->insn.opsize,
					  e->cpu->gpr[i]);
	if (ret == VMON_EMU_OK)
		vmon_emu_stack_commit(e->cpu, &st);
	return ret;
}

int vmon_emu_op_popa(struct vmon_emu *e)
{
	struct vmon_stack st;
	int i, ret;
	u32 val;

	vmon_emu_stack_init(e->cpu, &st);
	for (i = VMON_NR_GPRS - 1; i >= 0; i--) {
		ret = vmon_emu_stack_pop(e, &st, e->insn.opsize, &val);
		if (ret != VMON_EMU_OK)
			return ret;
		if (i != VMON_ESP)
			vmon_emu_set_reg(e->cpu, i, e->insn.opsize, val);
	}
	vmon_emu_stack_commit(e->cpu, &st);
	return VMON_EMU_OK;
}

/**
 * vmon_emu_flags_writable() - flags that POPF and IRET may change
 * @cpu:	CPU at its present privilege level
 * @size:	operand size
 *
 * Without VM, VIF and VIP, which each instruction treats its own way.
 */
u32 vmon_emu_flags_writable(const struct vmon_cpu *cpu, unsigned int size)
{
	u32 mask = VMON_FL_ARITH | VMON_FL_TF | VMON_FL_DF | VMON_FL_NT;

	if (size == 4)
		mask |= VMON_FL_AC | VMON_FL_ID;
	if (cpu->cpl <= vmon_emu_iopl(cpu))
		mask |= VMON_FL_IF;
	if (cpu->cpl == 0)
		mask |= VMON_FL_IOPL;
	return mask;
}

int vmon_emu_op_pushf(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;

	if ((cpu->eflags & VMON_FL_VM) && vmon_emu_iopl(cpu) < 3)
		return vmon_emu_gp0(e);
	return vmon_emu_push(e, e->insn.opsize,
			     cpu->eflags & ~(VMON_FL_VM | VMON_FL_RF));
}

int vmon_emu_op_popf(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	u32 mask, val;
	int ret;

	if ((cpu->eflags & VMON_FL_VM) && vmon_emu_iopl(cpu) < 3)
		return vmon_emu_gp0(e);
	ret = vmon_emu_pop(e, e->insn.opsize, &val);
	if (ret != VMON_EMU_OK)
		return ret;
	mask = vmon_emu_flags_writable(cpu, e->insn.opsize);
	cpu->eflags = (cpu->eflags & ~mask) | (val & mask);
	return VMON_EMU_OK;
}

int vmon_emu_op_enter(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	unsigned int size = e->insn.opsize, level = e->insn.imm2 & 31, i;
	u32 mask, ebp = cpu->gpr[VMON_EBP], frame, val, gva;
	struct vmon_stack st;
	int ret;

	vmon_emu_stack_init(cpu, &st);
	mask = st.mask;
	ret = vmon_emu_stack_push(e, &st, size, ebp);
	if (ret != VMON_EMU_OK)
		return ret;
	frame = st.esp;
	for (i = 1; i < level; i++) {
		ebp = (ebp & ~mask) | ((ebp - size) & mask);
		val = 0;
		ret = vmon_emu_mem_read(e, VMON_SS, ebp & mask, &val, size);
		if (ret == VMON_EMU_OK)
			ret = vmon_emu_stack_push(e, &st, size, val);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	if (level) {
		ret = vmon_emu_stack_push(e, &st, size, frame);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	st.esp = (st.esp & ~mask) | ((st.esp - (u16)e->insn.imm) & mask);
	/* The new top of stack must be writable (SDM vol. 2, ENTER). */
	ret = vmon_emu_linear(e, VMON_SS, st.esp & mask, size,
			      st.acc | VMON_ACC_W, &gva);
	if (ret == VMON_EMU_OK)
		ret = e->ops->read(e, gva, &val, size, st.acc | VMON_ACC_W);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_set_reg(cpu, VMON_EBP, size, frame);
	vmon_emu_stack_commit(cpu, &st);
	return VMON_EMU_OK;
}

int vmon_emu_op_leave(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	struct vmon_stack st;
	u32 val;
	int ret;

	vmon_emu_stack_init(cpu, &st);
	st.esp = (st.esp & ~st.mask) | (cpu->gpr[VMON_EBP] & st.mask);
	ret = vmon_emu_stack_pop(e, &st, e->insn.opsize, &val);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_set_reg(cpu, VMON_EBP, e->insn.opsize, val);
	vmon_emu_stack_commit(cpu, &st);
	return VMON_EMU_OK;
}
