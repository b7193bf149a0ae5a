// SPDX-License-Identifier: GPL-2.0
/*
 * String instructions, with and without REP.
 *
 * Each iteration is an instruction of its own as far as faults are concerned:
 * when one is done the registers are checkpointed. A call does a bounded number
 * and leaves EIP at the instruction if more remain.
 */
#include "emulator/internal.h"

#define REP_BUDGET	256

static void advance(struct vmon_emu *e, unsigned int reg, unsigned int size)
{
	u32 step = e->cpu->eflags & VMON_FL_DF ? -size : size;

	vmon_emu_set_reg(e->cpu, reg, e->insn.adsize,
			 e->cpu->gpr[reg] + step);
}

static u32 offset_of(const struct vmon_emu *e, unsigned int reg)
{
	return vmon_emu_reg(e->cpu, reg, e->insn.adsize);
}

static int string_ins(struct vmon_emu *e, unsigned int size)
{
	unsigned int acc = VMON_ACC_W | vmon_emu_acc(e->cpu);
	u16 port = e->cpu->gpr[VMON_EDX];
	u32 gva, val = 0;
	int ret;

	/* A byte that was read from a port must find its place. */
	ret = vmon_emu_linear(e, VMON_ES, offset_of(e, VMON_EDI), size, acc,
			      &gva);
	if (ret == VMON_EMU_OK)
		ret = e->ops->read(e, gva, &val, size, acc);
	if (ret == VMON_EMU_OK) {
		vmon_emu_watch_io(e, port, size);
		ret = e->ops->in(e, port, size, &val);
	}
	if (ret == VMON_EMU_OK)
		ret = e->ops->write(e, gva, &val, size, acc);
	if (ret == VMON_EMU_OK)
		advance(e, VMON_EDI, size);
	return ret;
}

static int string_outs(struct vmon_emu *e, unsigned int size)
{
	u16 port = e->cpu->gpr[VMON_EDX];
	u32 val = 0;
	int ret;

	ret = vmon_emu_mem_read(e, e->insn.seg, offset_of(e, VMON_ESI), &val,
				size);
	if (ret == VMON_EMU_OK) {
		vmon_emu_watch_io(e, port, size);
		ret = e->ops->out(e, port, size, val);
	}
	if (ret == VMON_EMU_OK)
		advance(e, VMON_ESI, size);
	return ret;
}

static int string_compare(struct vmon_emu *e, unsigned int size)
{
	bool cmps = e->insn.op == VMON_OP_CMPS;
	u32 a = 0, b = 0;
	int ret = VMON_EMU_OK;

	if (cmps)
		ret = vmon_emu_mem_read(e, e->insn.seg, offset_of(e, VMON_ESI),
					&a, size);
	else
		a = vmon_emu_reg(e->cpu, VMON_EAX, size);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_mem_read(e, VMON_ES, offset_of(e, VMON_EDI), &b,
					size);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_arith(VMON_OP_CMP, size, a, b, &e->cpu->eflags);
	if (cmps)
		advance(e, VMON_ESI, size);
	advance(e, VMON_EDI, size);
	return VMON_EMU_OK;
}

static int string_move(struct vmon_emu *e, unsigned int size)
{
	u32 val = 0;
	int ret = VMON_EMU_OK;

	if (e->insn.op == VMON_OP_STOS)
		val = vmon_emu_reg(e->cpu, VMON_EAX, size);
	else
		ret = vmon_emu_mem_read(e, e->insn.seg, offset_of(e, VMON_ESI),
					&val, size);
	if (ret != VMON_EMU_OK)
		return ret;
	if (e->insn.op == VMON_OP_LODS) {
		vmon_emu_set_reg(e->cpu, VMON_EAX, size, val);
	} else {
		ret = vmon_emu_mem_write(e, VMON_ES, offset_of(e, VMON_EDI),
					 &val, size);
		if (ret != VMON_EMU_OK)
			return ret;
		advance(e, VMON_EDI, size);
	}
	if (e->insn.op != VMON_OP_STOS)
		advance(e, VMON_ESI, size);
	return VMON_EMU_OK;
}

static int iterate(struct vmon_emu *e, unsigned int size)
{
	switch (e->insn.op) {
	case VMON_OP_INS:
		return string_ins(e, size);
	case VMON_OP_OUTS:
		return string_outs(e, size);
	case VMON_OP_CMPS:
	case VMON_OP_SCAS:
		return string_compare(e, size);
	default:
		return string_move(e, size);
	}
}

/* Does the comparison that an iteration made end the repetition? */
static bool comparison_ends(const struct vmon_emu *e)
{
	bool zf = e->cpu->eflags & VMON_FL_ZF;

	if (e->insn.op != VMON_OP_CMPS && e->insn.op != VMON_OP_SCAS)
		return false;
	return e->insn.prefixes & VMON_P_REPNE ? zf : !zf;
}

int vmon_emu_op_string(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	unsigned int size = e->insn.opcode & 1 ? e->insn.opsize : 1;
	unsigned int budget = REP_BUDGET, adsize = e->insn.adsize;
	u32 next = cpu->eip, count;
	int ret;

	if (e->insn.op == VMON_OP_INS || e->insn.op == VMON_OP_OUTS) {
		ret = vmon_emu_io_allowed(e, cpu->gpr[VMON_EDX], size);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	if (!(e->insn.prefixes & (VMON_P_REP | VMON_P_REPNE)))
		return iterate(e, size);

	/* With TF each iteration ends in a trap. */
	if (cpu->eflags & VMON_FL_TF)
		budget = 1;
	count = vmon_emu_reg(cpu, VMON_ECX, adsize);
	while (count) {
		if (!budget-- || e->hits || e->stop) {
			cpu->eip = e->undo.eip;
			e->keep_rf = true;
			return VMON_EMU_OK;
		}
		/* The undo record has EIP at the instruction throughout. */
		ret = iterate(e, size);
		if (ret != VMON_EMU_OK)
			return ret;
		vmon_emu_set_reg(cpu, VMON_ECX, adsize, --count);
		if (comparison_ends(e))
			break;
		vmon_emu_checkpoint(e);
	}
	cpu->eip = next;
	return VMON_EMU_OK;
}
