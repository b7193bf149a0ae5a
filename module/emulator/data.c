// SPDX-License-Identifier: GPL-2.0
/*
 * Handlers of data movement, single flags and the odd ones that neither
 * compute nor touch the system.
 */
#include "emulator/internal.h"

int vmon_emu_op_nop(struct vmon_emu *e)
{
	(void)e;
	return VMON_EMU_OK;
}

/* Fences have nothing to order here; CLFLUSH counts as a read of one byte. */
int vmon_emu_op_fence(struct vmon_emu *e)
{
	u8 byte;

	if (e->insn.opnd[0].kind != VMON_OPND_MEM)
		return VMON_EMU_OK;
	return vmon_emu_mem_read(e, e->insn.seg, vmon_emu_ea(e), &byte, 1);
}

int vmon_emu_op_ud(struct vmon_emu *e)
{
	return vmon_emu_ud(e);
}

int vmon_emu_op_mov(struct vmon_emu *e)
{
	u32 val;
	int ret = vmon_emu_opnd_read(e, 1, &val);

	return ret == VMON_EMU_OK ? vmon_emu_opnd_write(e, 0, val) : ret;
}

int vmon_emu_op_movzx(struct vmon_emu *e)
{
	return vmon_emu_op_mov(e);
}

int vmon_emu_op_movsx(struct vmon_emu *e)
{
	u32 val;
	int ret = vmon_emu_opnd_read(e, 1, &val);

	if (ret != VMON_EMU_OK)
		return ret;
	val = vmon_emu_sign_extend(val, e->insn.opnd[1].size);
	return vmon_emu_opnd_write(e, 0, val);
}

static u32 swap_bytes(u32 val, unsigned int size)
{
	if (size == 2)
		return (u16)((val >> 8 & 0xff) | val << 8);
	return __builtin_bswap32(val);
}

int vmon_emu_op_movbe(struct vmon_emu *e)
{
	u32 val;
	int ret = vmon_emu_opnd_read(e, 1, &val);

	if (ret != VMON_EMU_OK)
		return ret;
	return vmon_emu_opnd_write(e, 0, swap_bytes(val, e->insn.opsize));
}

int vmon_emu_op_bswap(struct vmon_emu *e)
{
	u32 *r = &e->cpu->gpr[e->insn.opnd[0].reg];

	/* With a 16-bit operand undefined; real CPUs clear the low half. */
	*r = e->insn.opsize == 2 ? *r & ~0xffffu : swap_bytes(*r, 4);
	return VMON_EMU_OK;
}

int vmon_emu_op_lea(struct vmon_emu *e)
{
	return vmon_emu_opnd_write(e, 0, vmon_emu_ea(e));
}

int vmon_emu_op_cbw(struct vmon_emu *e)
{
	unsigned int size = e->insn.opsize;
	u32 val = vmon_emu_sign_extend(e->cpu->gpr[VMON_EAX], size / 2);

	vmon_emu_set_reg(e->cpu, VMON_EAX, size, val);
	return VMON_EMU_OK;
}

int vmon_emu_op_cwd(struct vmon_emu *e)
{
	unsigned int size = e->insn.opsize;
	u32 val = vmon_emu_sign_extend(e->cpu->gpr[VMON_EAX], size);

	vmon_emu_set_reg(e->cpu, VMON_EDX, size, (s32)val < 0 ? ~0u : 0);
	return VMON_EMU_OK;
}

int vmon_emu_op_cmov(struct vmon_emu *e)
{
	u32 val;
	/* The source is read, and may fault, whatever the condition. */
	int ret = vmon_emu_opnd_read(e, 1, &val);

	if (ret != VMON_EMU_OK || !vmon_emu_condition(e->cpu, e->insn.cc))
		return ret;
	return vmon_emu_opnd_write(e, 0, val);
}

int vmon_emu_op_setcc(struct vmon_emu *e)
{
	return vmon_emu_opnd_write(e, 0,
				   vmon_emu_condition(e->cpu, e->insn.cc));
}

#define AH_FLAGS (VMON_FL_CF | VMON_FL_PF | VMON_FL_AF | VMON_FL_ZF | VMON_FL_SF)

int vmon_emu_op_lahf(struct vmon_emu *e)
{
	vmon_emu_set_reg(e->cpu, 4, 1,
			 (e->cpu->eflags & AH_FLAGS) | VMON_FL_FIXED);
	return VMON_EMU_OK;
}

int vmon_emu_op_sahf(struct vmon_emu *e)
{
	e->cpu->eflags &= ~AH_FLAGS;
	e->cpu->eflags |= vmon_emu_reg(e->cpu, 4, 1) & AH_FLAGS;
	return VMON_EMU_OK;
}

int vmon_emu_op_flag(struct vmon_emu *e)
{
	u32 *fl = &e->cpu->eflags;

	switch (e->insn.op) {
	case VMON_OP_CLC:
		*fl &= ~VMON_FL_CF;
		break;
	case VMON_OP_STC:
		*fl |= VMON_FL_CF;
		break;
	case VMON_OP_CMC:
		*fl ^= VMON_FL_CF;
		break;
	case VMON_OP_CLD:
		*fl &= ~VMON_FL_DF;
		break;
	default:
		*fl |= VMON_FL_DF;
		break;
	}
	return VMON_EMU_OK;
}

int vmon_emu_op_salc(struct vmon_emu *e)
{
	vmon_emu_set_reg(e->cpu, VMON_EAX, 1,
			 e->cpu->eflags & VMON_FL_CF ? 0xff : 0);
	return VMON_EMU_OK;
}

int vmon_emu_op_xlat(struct vmon_emu *e)
{
	u32 off = e->cpu->gpr[VMON_EBX] + (u8)e->cpu->gpr[VMON_EAX];
	u8 val;
	int ret;

	if (e->insn.adsize == 2)
		off &= 0xffff;
	ret = vmon_emu_mem_read(e, e->insn.seg, off, &val, 1);
	if (ret == VMON_EMU_OK)
		vmon_emu_set_reg(e->cpu, VMON_EAX, 1, val);
	return ret;
}

int vmon_emu_op_bound(struct vmon_emu *e)
{
	unsigned int size = e->insn.opsize;
	s32 index, low, high;
	u32 lo = 0, hi = 0, ea = vmon_emu_ea(e), second = ea + size;
	int ret;

	if (e->insn.adsize == 2)
		second &= 0xffff;
	ret = vmon_emu_mem_read(e, e->insn.seg, ea, &lo, size);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_mem_read(e, e->insn.seg, second, &hi, size);
	if (ret != VMON_EMU_OK)
		return ret;
	index = vmon_emu_sign_extend(e->cpu->gpr[e->insn.opnd[0].reg], size);
	low = vmon_emu_sign_extend(lo, size);
	high = vmon_emu_sign_extend(hi, size);
	if (index < low || index > high)
		return vmon_emu_fault(e, VMON_EXC_BR);
	return VMON_EMU_OK;
}
