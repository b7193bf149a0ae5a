// SPDX-License-Identifier: GPL-2.0
/*
 * Operands: effective addresses, memory, registers and immediates.
 *
 * A destination that is also a source is read with write access, so that its
 * store cannot fault any more once the result is computed; with LOCK the store
 * is a compare-and-exchange against what was read.
 */
#include "emulator/internal.h"

/**
 * vmon_emu_ea() - effective address (offset) of the memory operand
 * @e:	emulator, e->insn decoded
 */
u32 vmon_emu_ea(const struct vmon_emu *e)
{
	const struct vmon_insn *insn = &e->insn;
	u32 ea = insn->disp;

	if (insn->base != VMON_NO_REG)
		ea += e->cpu->gpr[insn->base];
	if (insn->index != VMON_NO_REG)
		ea += e->cpu->gpr[insn->index] << insn->scale;
	return insn->adsize == 2 ? ea & 0xffff : ea;
}

/* Segmentation and the alignment check of a data access. */
static int data_linear(struct vmon_emu *e, unsigned int sreg, u32 off,
		       unsigned int len, unsigned int acc, u32 *gva)
{
	struct vmon_cpu *cpu = e->cpu;
	int ret = vmon_emu_linear(e, sreg, off, len, acc, gva);

	if (ret != VMON_EMU_OK)
		return ret;
	if ((cpu->eflags & VMON_FL_AC) && cpu->cpl == 3 &&
	    (cpu->cr0 & VMON_CR0_AM) && len <= 8 && !(len & (len - 1)) &&
	    (*gva & (len - 1)))
		return vmon_emu_fault_code(e, VMON_EXC_AC, 0);
	return VMON_EMU_OK;
}

int vmon_emu_mem_gva(struct vmon_emu *e, unsigned int len, unsigned int acc,
		     u32 *gva)
{
	acc |= vmon_emu_acc(e->cpu);
	return data_linear(e, e->insn.seg, vmon_emu_ea(e), len, acc, gva);
}

int vmon_emu_mem_read(struct vmon_emu *e, unsigned int sreg, u32 off, void *buf,
		      unsigned int len)
{
	unsigned int acc = vmon_emu_acc(e->cpu);
	u32 gva;
	int ret = data_linear(e, sreg, off, len, acc, &gva);

	return ret == VMON_EMU_OK ? e->ops->read(e, gva, buf, len, acc) : ret;
}

int vmon_emu_mem_write(struct vmon_emu *e, unsigned int sreg, u32 off,
		       const void *buf, unsigned int len)
{
	unsigned int acc = vmon_emu_acc(e->cpu) | VMON_ACC_W;
	u32 gva;
	int ret = data_linear(e, sreg, off, len, acc, &gva);

	return ret == VMON_EMU_OK ? e->ops->write(e, gva, buf, len, acc) : ret;
}

/* Implicit supervisor accesses: descriptor tables and TSS. */
int vmon_emu_sys_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len)
{
	return e->ops->read(e, gva, buf, len, 0);
}

int vmon_emu_sys_write(struct vmon_emu *e, u32 gva, const void *buf,
		       unsigned int len)
{
	return e->ops->write(e, gva, buf, len, VMON_ACC_W);
}

static unsigned int opnd_size(const struct vmon_emu *e, unsigned int i)
{
	unsigned int size = e->insn.opnd[i].size;

	return size ? size : e->insn.opsize;
}

/**
 * vmon_emu_opnd_read() - value of an operand, zero-extended
 * @e:		emulator
 * @i:		which operand
 * @val:	result
 */
int vmon_emu_opnd_read(struct vmon_emu *e, unsigned int i, u32 *val)
{
	const struct vmon_opnd *opnd = &e->insn.opnd[i];
	unsigned int size = opnd_size(e, i);

	switch (opnd->kind) {
	case VMON_OPND_REG:
		*val = vmon_emu_reg(e->cpu, opnd->reg, size);
		return VMON_EMU_OK;
	case VMON_OPND_MEM:
		*val = 0;
		return vmon_emu_mem_read(e, e->insn.seg, vmon_emu_ea(e), val,
					 size);
	case VMON_OPND_IMM:
		*val = e->insn.imm & vmon_emu_mask(size);
		return VMON_EMU_OK;
	case VMON_OPND_SREG:
		*val = e->cpu->seg[opnd->reg].sel;
		return VMON_EMU_OK;
	default:
		return VMON_EMU_UNSUPPORTED;
	}
}

/**
 * vmon_emu_opnd_write() - store to an operand that was not read before
 * @e:		emulator
 * @i:		which operand
 * @val:	value
 */
int vmon_emu_opnd_write(struct vmon_emu *e, unsigned int i, u32 val)
{
	const struct vmon_opnd *opnd = &e->insn.opnd[i];
	unsigned int size = opnd_size(e, i);

	switch (opnd->kind) {
	case VMON_OPND_REG:
		vmon_emu_set_reg(e->cpu, opnd->reg, size, val);
		return VMON_EMU_OK;
	case VMON_OPND_MEM:
		return vmon_emu_mem_write(e, e->insn.seg, vmon_emu_ea(e), &val,
					  size);
	default:
		return VMON_EMU_UNSUPPORTED;
	}
}

/**
 * vmon_emu_opnd_rmw() - read an operand that vmon_emu_opnd_commit() will store
 * @e:		emulator
 * @i:		which operand
 * @val:	result
 */
int vmon_emu_opnd_rmw(struct vmon_emu *e, unsigned int i, u32 *val)
{
	unsigned int size = opnd_size(e, i);
	int ret;

	if (e->insn.opnd[i].kind != VMON_OPND_MEM)
		return vmon_emu_opnd_read(e, i, val);
	*val = 0;
	ret = vmon_emu_mem_gva(e, size, VMON_ACC_W, &e->rmw_gva);
	if (ret != VMON_EMU_OK)
		return ret;
	return e->ops->read(e, e->rmw_gva, val, size,
			    VMON_ACC_W | vmon_emu_acc(e->cpu));
}

/**
 * vmon_emu_opnd_commit() - second half of a read-modify-write
 * @e:		emulator
 * @i:		which operand
 * @old:	what vmon_emu_opnd_rmw() gave
 * @val:	new value
 *
 * Return: VMON_EMU_OK; VMON_EMU_AGAIN if a locked operand changed meanwhile.
 */
int vmon_emu_opnd_commit(struct vmon_emu *e, unsigned int i, u32 old, u32 val)
{
	unsigned int acc = VMON_ACC_W | vmon_emu_acc(e->cpu);
	unsigned int size = opnd_size(e, i);
	u32 was = old;
	int ret;

	if (e->insn.opnd[i].kind != VMON_OPND_MEM)
		return vmon_emu_opnd_write(e, i, val);
	/* XCHG with memory locks without the prefix (SDM vol. 2, XCHG). */
	if (!e->ops->cmpxchg || (!(e->insn.prefixes & VMON_P_LOCK) &&
				 e->insn.op != VMON_OP_XCHG))
		return e->ops->write(e, e->rmw_gva, &val, size, acc);
	ret = e->ops->cmpxchg(e, e->rmw_gva, &was, &val, size, acc);
	if (ret == VMON_EMU_OK && was != old)
		return VMON_EMU_AGAIN;
	return ret;
}

/**
 * vmon_emu_rm16_read() - a 16-bit operand whatever the operand size
 * @e:		emulator
 * @i:		which operand
 * @val:	result
 *
 * Selectors and LMSW: a register gives its low half, memory only two bytes.
 */
int vmon_emu_rm16_read(struct vmon_emu *e, unsigned int i, u16 *val)
{
	const struct vmon_opnd *opnd = &e->insn.opnd[i];

	if (opnd->kind == VMON_OPND_REG) {
		*val = vmon_emu_reg(e->cpu, opnd->reg, 2);
		return VMON_EMU_OK;
	}
	return vmon_emu_mem_read(e, e->insn.seg, vmon_emu_ea(e), val, 2);
}
