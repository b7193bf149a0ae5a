// SPDX-License-Identifier: GPL-2.0
/*
 * Operands: from the code in an instruction's definition (Ev, Gb, Iz...) to a
 * kind, a size and a register, with the immediates fetched on the way.
 *
 * A table says for each code how it is turned into an operand and how large it
 * is in a register and in memory.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "emulator/decode_tables.h"

/* How an operand code is turned into an operand. */
enum method {
	M_NONE, M_ACC, M_CL, M_DX, M_FIXED_SREG, M_OPREG, M_ONE,
	M_IMM, M_IMM_SX, M_IMM2, M_REL, M_FAR, M_MOFFS, M_SRC, M_DST, M_XLAT,
	M_RM, M_REG, M_MEM, M_SREG, M_CR, M_DR, M_ANYRM, M_VREG, M_VRM, M_VREGRM,
};

/* Sizes that depend on the operand size. */
enum { SZ_V = 0x80, SZ_P, SZ_A, SZ_ENV, SZ_SAVE };

/* size: of a register or immediate; mem: of memory, where it differs */
static const struct {
	u8 method;
	u8 size;
	u8 mem;
} codes[VMON_NR_OPND_CODES] = {
	[O_AL] = { M_ACC, 1 },
	[O_AX] = { M_ACC, 2 },
	[O_eAX] = { M_ACC, SZ_V },
	[O_CL] = { M_CL, 1 },
	[O_DX] = { M_DX, 2 },
	[O_ES] = { M_FIXED_SREG, 2, VMON_ES },
	[O_CS] = { M_FIXED_SREG, 2, VMON_CS },
	[O_SS] = { M_FIXED_SREG, 2, VMON_SS },
	[O_DS] = { M_FIXED_SREG, 2, VMON_DS },
	[O_FS] = { M_FIXED_SREG, 2, VMON_FS },
	[O_GS] = { M_FIXED_SREG, 2, VMON_GS },
	[O_Zb] = { M_OPREG, 1 },
	[O_Zv] = { M_OPREG, SZ_V },
	[O_1] = { M_ONE, 1 },
	[O_Ib] = { M_IMM, 1 },
	[O_Iw] = { M_IMM, 2 },
	[O_Iz] = { M_IMM, SZ_V },
	[O_Is] = { M_IMM_SX, SZ_V },
	[O_I2] = { M_IMM2, 1 },
	[O_Jb] = { M_REL, 1 },
	[O_Jz] = { M_REL, SZ_V },
	[O_Ap] = { M_FAR, SZ_P },
	[O_Ob] = { M_MOFFS, 1 },
	[O_Ov] = { M_MOFFS, SZ_V },
	[O_Xb] = { M_SRC, 1 },
	[O_Xv] = { M_SRC, SZ_V },
	[O_Yb] = { M_DST, 1 },
	[O_Yv] = { M_DST, SZ_V },
	[O_XLAT] = { M_XLAT, 1 },
	[O_Eb] = { M_RM, 1, 1 },
	[O_Ew] = { M_RM, 2, 2 },
	[O_Ed] = { M_RM, 4, 4 },
	[O_Ev] = { M_RM, SZ_V, SZ_V },
	[O_Sv] = { M_RM, SZ_V, 2 },
	[O_Rb] = { M_RM, 4, 1 },
	[O_Rw] = { M_RM, 4, 2 },
	[O_Gb] = { M_REG, 1 },
	[O_Gw] = { M_REG, 2 },
	[O_Gd] = { M_REG, 4 },
	[O_Gv] = { M_REG, SZ_V },
	[O_M] = { M_MEM, 0 },
	[O_Mw] = { M_MEM, 2 },
	[O_Md] = { M_MEM, 4 },
	[O_Mq] = { M_MEM, 8 },
	[O_Mo] = { M_MEM, 16 },
	[O_Ms] = { M_MEM, 6 },
	[O_Mt] = { M_MEM, 10 },
	[O_Mp] = { M_MEM, SZ_P },
	[O_Ma] = { M_MEM, SZ_A },
	[O_Mv] = { M_MEM, SZ_V },
	[O_Menv] = { M_MEM, SZ_ENV },
	[O_Msave] = { M_MEM, SZ_SAVE },
	[O_Sw] = { M_SREG, 2 },
	[O_Cd] = { M_CR, 4 },
	[O_Dd] = { M_DR, 4 },
	[O_Hd] = { M_ANYRM, 4 },
	[O_V] = { M_VREG, 0 },
	[O_U] = { M_VREGRM, 0 },
	[O_Ww] = { M_VRM, 0, 2 },
	[O_Wd] = { M_VRM, 0, 4 },
	[O_Wq] = { M_VRM, 0, 8 },
	[O_Wo] = { M_VRM, 0, 16 },
};

static u8 resolve_size(const struct vmon_insn *insn, u8 size)
{
	bool wide = insn->opsize == 4;

	switch (size) {
	case SZ_V:
		return insn->opsize;
	case SZ_P:
		return insn->opsize + 2;
	case SZ_A:
		return insn->opsize * 2;
	case SZ_ENV:
		return wide ? 28 : 14;
	case SZ_SAVE:
		return wide ? 108 : 94;
	default:
		return size;
	}
}

static void set_opnd(struct vmon_opnd *o, u8 kind, u8 size, u8 reg)
{
	o->kind = kind;
	o->size = size;
	o->reg = reg;
}

static int fetch_imm(struct vmon_decoder *d, unsigned int size, u32 *val)
{
	struct vmon_insn *insn = d->insn;

	if (!insn->imm_size)
		insn->imm_off = d->pos;
	insn->imm_size += size;
	return vmon_dec_fetch(d, size, val);
}

static u32 truncate(u32 val, unsigned int size)
{
	return size >= 4 ? val : val & ((1u << (8 * size)) - 1);
}

static int decode_imm(struct vmon_decoder *d, struct vmon_opnd *o,
		      unsigned int method, unsigned int size)
{
	struct vmon_insn *insn = d->insn;
	u32 val;
	int err;

	switch (method) {
	case M_ONE:
		insn->imm = 1;
		set_opnd(o, VMON_OPND_IMM, 1, 0);
		return 0;
	case M_IMM:
		err = fetch_imm(d, size, &insn->imm);
		insn->imm = truncate(insn->imm, size);
		set_opnd(o, VMON_OPND_IMM, size, 0);
		return err;
	case M_IMM_SX:
		err = fetch_imm(d, 1, &insn->imm);
		insn->imm = truncate(insn->imm, size);
		set_opnd(o, VMON_OPND_IMM, size, 0);
		return err;
	case M_IMM2:
		err = fetch_imm(d, 1, &val);
		if (err)
			return err;
		insn->imm2 = (u8)val;
		set_opnd(o, VMON_OPND_IMM, 1, 0);
		return 0;
	case M_REL:
		set_opnd(o, VMON_OPND_REL, size, 0);
		return fetch_imm(d, size, &insn->imm);
	default:	/* M_FAR */
		set_opnd(o, VMON_OPND_FAR, size, 0);
		err = fetch_imm(d, insn->opsize, &insn->imm);
		if (err)
			return err;
		insn->imm = truncate(insn->imm, insn->opsize);
		err = fetch_imm(d, 2, &val);
		if (!err)
			insn->imm2 = (u16)val;
		return err;
	}
}

static int decode_modrm_opnd(struct vmon_insn *insn, struct vmon_opnd *o,
			     unsigned int method, unsigned int size,
			     unsigned int mem_size)
{
	unsigned int reg = (insn->modrm >> 3) & 7, rm = insn->modrm & 7;
	bool mem = vmon_dec_is_mem(insn);

	switch (method) {
	case M_RM:
	case M_VRM:
		if (mem)
			set_opnd(o, VMON_OPND_MEM, mem_size, VMON_NO_REG);
		else
			set_opnd(o, method == M_RM ? VMON_OPND_REG :
				 VMON_OPND_VEC, size, rm);
		return 0;
	case M_REG:
		set_opnd(o, VMON_OPND_REG, size, reg);
		return 0;
	case M_MEM:
		if (!mem)
			return -EINVAL;
		set_opnd(o, VMON_OPND_MEM, size, VMON_NO_REG);
		return 0;
	case M_SREG:
		if (reg >= VMON_NR_SREGS)
			return -EINVAL;
		/* CS can be read but not loaded */
		if (reg == VMON_CS && o == &insn->opnd[0])
			return -EINVAL;
		set_opnd(o, VMON_OPND_SREG, size, reg);
		return 0;
	case M_CR:
		if (reg == 1 || reg > 4)
			return -EINVAL;
		set_opnd(o, VMON_OPND_CR, size, reg);
		return 0;
	case M_DR:
		set_opnd(o, VMON_OPND_DR, size, reg);
		return 0;
	case M_ANYRM:
		set_opnd(o, VMON_OPND_REG, size, rm);
		return 0;
	case M_VREG:
		set_opnd(o, VMON_OPND_VEC, size, reg);
		return 0;
	default:	/* M_VREGRM */
		if (mem)
			return -EINVAL;
		set_opnd(o, VMON_OPND_VEC, size, rm);
		return 0;
	}
}

int vmon_dec_operand(struct vmon_decoder *d, struct vmon_opnd *o, u8 code)
{
	struct vmon_insn *insn = d->insn;
	unsigned int method = codes[code].method;
	u8 size = resolve_size(insn, codes[code].size);

	if (code >= VMON_O_MODRM && method != M_NONE)
		return decode_modrm_opnd(insn, o, method, size,
					 resolve_size(insn, codes[code].mem));

	switch (method) {
	case M_NONE:
		return 0;
	case M_ACC:
		set_opnd(o, VMON_OPND_REG, size, VMON_EAX);
		return 0;
	case M_CL:
		set_opnd(o, VMON_OPND_REG, size, VMON_ECX);
		return 0;
	case M_DX:
		set_opnd(o, VMON_OPND_REG, size, VMON_EDX);
		return 0;
	case M_FIXED_SREG:
		set_opnd(o, VMON_OPND_SREG, size, codes[code].mem);
		return 0;
	case M_OPREG:
		set_opnd(o, VMON_OPND_REG, size, insn->opcode & 7);
		return 0;
	case M_MOFFS:
		set_opnd(o, VMON_OPND_MEM, size, VMON_NO_REG);
		return vmon_dec_disp(d, insn->adsize);
	case M_XLAT:
		insn->base = VMON_EBX;
		set_opnd(o, VMON_OPND_MEM, size, VMON_NO_REG);
		return 0;
	case M_DST:
		/* CMPS and MOVS have a source too, which seg is about */
		if (insn->op != VMON_OP_MOVS && insn->op != VMON_OP_CMPS)
			insn->seg = VMON_ES;
		set_opnd(o, VMON_OPND_MEM, size, VMON_NO_REG);
		return 0;
	case M_SRC:
		set_opnd(o, VMON_OPND_MEM, size, VMON_NO_REG);
		return 0;
	default:
		return decode_imm(d, o, method, size);
	}
}
