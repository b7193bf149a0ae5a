// SPDX-License-Identifier: GPL-2.0
/*
 * Instruction decoder: the walk over the bytes.
 *
 * Prefixes, opcode, ModRM with SIB and displacement, then the operands in the
 * order of the instruction's definition; immediates come last in the bytes and
 * last in the definitions, so one pass fills everything. What an opcode means
 * is in decode_tables.c and decode_vec.c.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "emulator/decode_tables.h"

struct decoder {
	struct vmon_insn *insn;
	const u8 *bytes;
	unsigned int avail;
	unsigned int pos;
	u8 mandatory;
};

/* A little-endian number of 1, 2 or 4 bytes, sign-extended. */
static int fetch(struct decoder *d, unsigned int size, u32 *val)
{
	const u8 *p = d->bytes + d->pos;

	if (d->pos + size > VMON_INSN_MAX) {
		/* the bytes up to the limit have to be fetched first */
		if (d->avail < VMON_INSN_MAX)
			return -EAGAIN;
		d->pos = VMON_INSN_MAX;
		return -E2BIG;
	}
	if (d->pos + size > d->avail)
		return -EAGAIN;

	switch (size) {
	case 1:
		*val = (s32)(s8)p[0];
		break;
	case 2:
		*val = (s32)(s16)(p[0] | p[1] << 8);
		break;
	default:
		*val = p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
		break;
	}
	d->pos += size;
	return 0;
}

static int fetch_u8(struct decoder *d, u8 *val)
{
	u32 v;
	int err = fetch(d, 1, &v);

	if (!err)
		*val = v;
	return err;
}

static void set_segment(struct vmon_insn *insn, u8 seg)
{
	insn->prefixes |= VMON_P_SEG;
	insn->seg = seg;
}

/* Consumes one prefix byte into @insn; false if @b is not a prefix. */
static bool take_prefix(struct vmon_insn *insn, u8 b)
{
	switch (b) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		set_segment(insn, VMON_ES + ((b >> 3) & 3));
		return true;
	case 0x64:
	case 0x65:
		set_segment(insn, VMON_FS + (b & 1));
		return true;
	case 0x66:
		insn->prefixes |= VMON_P_OPSIZE;
		return true;
	case 0x67:
		insn->prefixes |= VMON_P_ADSIZE;
		return true;
	case 0xf0:
		insn->prefixes |= VMON_P_LOCK;
		return true;
	case 0xf2:
		insn->prefixes &= ~VMON_P_REP;
		insn->prefixes |= VMON_P_REPNE;
		return true;
	case 0xf3:
		insn->prefixes &= ~VMON_P_REPNE;
		insn->prefixes |= VMON_P_REP;
		return true;
	default:
		return false;
	}
}

static int decode_prefixes(struct decoder *d, bool code32)
{
	struct vmon_insn *insn = d->insn;
	int err;

	do {
		err = fetch_u8(d, &insn->opcode);
		if (err)
			return err;
	} while (take_prefix(insn, insn->opcode));

	insn->prefix_len = d->pos - 1;
	insn->opsize = code32 ^ !!(insn->prefixes & VMON_P_OPSIZE) ? 4 : 2;
	insn->adsize = code32 ^ !!(insn->prefixes & VMON_P_ADSIZE) ? 4 : 2;

	if (insn->prefixes & VMON_P_REP)
		d->mandatory = VMON_MP_F3;
	else if (insn->prefixes & VMON_P_REPNE)
		d->mandatory = VMON_MP_F2;
	else if (insn->prefixes & VMON_P_OPSIZE)
		d->mandatory = VMON_MP_66;
	return 0;
}

static int decode_opcode(struct decoder *d)
{
	struct vmon_insn *insn = d->insn;
	int err;

	if (insn->opcode != 0x0f)
		return 0;
	insn->map = 1;
	err = fetch_u8(d, &insn->opcode);
	if (err)
		return err;
	if (insn->opcode == 0x38)
		insn->map = 2;
	else if (insn->opcode == 0x3a)
		insn->map = 3;
	else
		return 0;
	return fetch_u8(d, &insn->opcode);
}

static void default_segment(struct vmon_insn *insn, u8 seg)
{
	if (!(insn->prefixes & VMON_P_SEG))
		insn->seg = seg;
}

static int decode_disp(struct decoder *d, unsigned int size)
{
	u32 disp;
	int err;

	if (!size)
		return 0;
	d->insn->disp_off = d->pos;
	d->insn->disp_size = size;
	err = fetch(d, size, &disp);
	if (!err)
		d->insn->disp = disp;
	return err;
}

/* SDM vol. 2, table 2-1. */
static int decode_mem16(struct decoder *d)
{
	static const u8 pair[8][2] = {
		{ VMON_EBX, VMON_ESI }, { VMON_EBX, VMON_EDI },
		{ VMON_EBP, VMON_ESI }, { VMON_EBP, VMON_EDI },
		{ VMON_ESI, VMON_NO_REG }, { VMON_EDI, VMON_NO_REG },
		{ VMON_EBP, VMON_NO_REG }, { VMON_EBX, VMON_NO_REG },
	};
	struct vmon_insn *insn = d->insn;
	unsigned int mod = insn->modrm >> 6, rm = insn->modrm & 7;

	if (mod == 0 && rm == 6)
		return decode_disp(d, 2);

	insn->base = pair[rm][0];
	insn->index = pair[rm][1];
	if (insn->base == VMON_EBP)
		default_segment(insn, VMON_SS);
	return decode_disp(d, mod);
}

/* SDM vol. 2, tables 2-2 and 2-3. */
static int decode_mem32(struct decoder *d)
{
	struct vmon_insn *insn = d->insn;
	unsigned int mod = insn->modrm >> 6;
	u8 base = insn->modrm & 7, sib;
	int err;

	if (base == VMON_ESP) {
		err = fetch_u8(d, &sib);
		if (err)
			return err;
		base = sib & 7;
		if (((sib >> 3) & 7) != VMON_ESP) {
			insn->index = (sib >> 3) & 7;
			insn->scale = sib >> 6;
		}
	}
	if (mod == 0 && base == VMON_EBP)
		return decode_disp(d, 4);

	insn->base = base;
	if (base == VMON_ESP || base == VMON_EBP)
		default_segment(insn, VMON_SS);
	return decode_disp(d, mod == 2 ? 4 : mod);
}

static int fetch_modrm(struct decoder *d)
{
	struct vmon_insn *insn = d->insn;

	if (insn->has_modrm)
		return 0;
	insn->has_modrm = true;
	insn->modrm_off = d->pos;
	return fetch_u8(d, &insn->modrm);
}

static bool modrm_is_mem(const struct vmon_insn *insn)
{
	/* the moves to and from CR and DR ignore mod */
	return insn->has_modrm && insn->modrm < 0xc0 &&
	       insn->op != VMON_OP_MOV_CR && insn->op != VMON_OP_MOV_DR;
}

/* From the opcode, and where that is not enough ModRM and prefix, to the form. */
static int find_def(struct decoder *d, const struct vmon_opdef **out)
{
	struct vmon_insn *insn = d->insn;
	const struct vmon_opdef *def;
	unsigned int group, reg;
	int err;

	if (insn->map == 0)
		def = &vmon_map_1[insn->opcode];
	else if (insn->map == 1)
		def = &vmon_map_0f[insn->opcode];
	else
		def = vmon_def_vec(insn->map, insn->opcode, d->mandatory);

	group = def->group;
	if (insn->map == 2) {
		if (insn->opcode == 0xf0)
			group = G_38F0;
		else if (insn->opcode == 0xf1)
			group = G_38F1;
		else if (insn->opcode == 0xf6)
			group = G_38F6;
	}
	*out = def;
	if (group == G_NONE)
		return 0;
	if (group == G_VEC) {
		*out = vmon_def_vec(1, insn->opcode, d->mandatory);
		return 0;
	}
	if (group >= VMON_NR_REG_GROUPS && group < VMON_END_PFX_GROUPS) {
		*out = &vmon_group_pfx[group - VMON_NR_REG_GROUPS][d->mandatory];
		return 0;
	}

	err = fetch_modrm(d);
	if (err)
		return err;
	reg = (insn->modrm >> 3) & 7;

	switch (group) {
	case G_7:
		*out = vmon_def_group7(insn->modrm, d->mandatory);
		break;
	case G_9:
		*out = vmon_def_group9(insn->modrm, d->mandatory);
		break;
	case G_15:
		*out = vmon_def_group15(insn->modrm, d->mandatory);
		break;
	case G_X87:
		*out = vmon_def_x87(insn->opcode, insn->modrm);
		break;
	case G_VSHIFT:
		*out = vmon_def_vshift(insn->opcode, insn->modrm, d->mandatory);
		break;
	case G_3DNOW:
		*out = vmon_def_3dnow();
		break;
	default:
		*out = &vmon_group_reg[group][reg];
		break;
	}
	return 0;
}

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

static int fetch_imm(struct decoder *d, unsigned int size, u32 *val)
{
	struct vmon_insn *insn = d->insn;

	if (!insn->imm_size)
		insn->imm_off = d->pos;
	insn->imm_size += size;
	return fetch(d, size, val);
}

static u32 truncate(u32 val, unsigned int size)
{
	return size == 4 ? val : val & ((1u << (8 * size)) - 1);
}

static int decode_imm(struct decoder *d, struct vmon_opnd *o,
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
	bool mem = modrm_is_mem(insn);

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

static int decode_opnd(struct decoder *d, struct vmon_opnd *o, u8 code)
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
		return decode_disp(d, insn->adsize);
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

/* The checks that need the whole instruction; and what the form left open. */
static int finish(struct decoder *d)
{
	struct vmon_insn *insn = d->insn;
	bool mem = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(insn->opnd); i++)
		mem |= insn->opnd[i].kind == VMON_OPND_MEM;

	if ((insn->prefixes & VMON_P_LOCK) &&
	    (!(insn->flags & VMON_I_LOCKABLE) ||
	     insn->opnd[0].kind != VMON_OPND_MEM))
		return -EINVAL;

	if (!mem)
		insn->flags &= ~(VMON_I_MEM_R | VMON_I_MEM_W);

	if (insn->op == VMON_OP_JCC || insn->op == VMON_OP_SETCC ||
	    insn->op == VMON_OP_CMOV)
		insn->cc = insn->opcode & 15;

	if (insn->map != 1)
		return 0;
	/* 3DNow!: the suffix is the real opcode */
	if (insn->opcode == 0x0f && !vmon_3dnow_valid(insn->imm))
		return -EINVAL;
	/* MASKMOVQ, MASKMOVDQU store to DS:EDI without a memory operand */
	if (insn->opcode == 0xf7) {
		insn->base = VMON_EDI;
		insn->flags |= VMON_I_MEM_W;
	}
	return 0;
}

static int decode(struct decoder *d, bool code32)
{
	struct vmon_insn *insn = d->insn;
	const struct vmon_opdef *def = NULL;
	unsigned int i;
	int err;

	err = decode_prefixes(d, code32);
	if (err)
		return err;
	err = decode_opcode(d);
	if (err)
		return err;
	err = find_def(d, &def);
	if (err)
		return err;
	if (!def || def->op == VMON_OP_INVALID)
		return -EINVAL;
	insn->op = def->op;
	insn->flags = def->flags;

	for (i = 0; i < ARRAY_SIZE(def->opnd); i++) {
		if (def->opnd[i] < VMON_O_MODRM)
			continue;
		err = fetch_modrm(d);
		if (err)
			return err;
		break;
	}
	if (modrm_is_mem(insn)) {
		err = insn->adsize == 4 ? decode_mem32(d) : decode_mem16(d);
		if (err)
			return err;
	}

	for (i = 0; i < ARRAY_SIZE(def->opnd) && def->opnd[i]; i++) {
		err = decode_opnd(d, &insn->opnd[i], def->opnd[i]);
		if (err)
			return err;
	}
	return finish(d);
}

int vmon_decode(struct vmon_insn *insn, const u8 *bytes, unsigned int avail,
		bool code32)
{
	struct decoder d = { .insn = insn, .bytes = bytes, .avail = avail };
	int err;

	memset(insn, 0, sizeof(*insn));
	insn->seg = VMON_DS;
	insn->base = VMON_NO_REG;
	insn->index = VMON_NO_REG;

	err = decode(&d, code32);
	insn->len = d.pos;
	if (err) {
		insn->op = VMON_OP_INVALID;
		return err;
	}
	memcpy(insn->bytes, bytes, d.pos);
	return 0;
}
