// SPDX-License-Identifier: GPL-2.0
/*
 * Instruction decoder: the walk over the bytes.
 *
 * Prefixes, opcode, ModRM with SIB and displacement, then the operands in the
 * order of the instruction's definition; immediates come last in the bytes and
 * in order in the definitions, so one pass fills everything. What an opcode
 * means is in decode_tables.c and decode_vec.c, operands in decode_operands.c.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "emulator/decode_tables.h"

/* A little-endian number of 1, 2 or 4 bytes, sign-extended. */
int vmon_dec_fetch(struct vmon_decoder *d, unsigned int size, u32 *val)
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

static int fetch_u8(struct vmon_decoder *d, u8 *val)
{
	u32 v;
	int err = vmon_dec_fetch(d, 1, &v);

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

static int decode_prefixes(struct vmon_decoder *d, bool code32)
{
	struct vmon_insn *insn = d->insn;
	int err;

	do {
		err = fetch_u8(d, &insn->opcode);
		if (err)
			return err;
	} while (take_prefix(insn, insn->opcode));

	insn->prefix_len = d->pos - 1;
	insn->opsize = code32 != !!(insn->prefixes & VMON_P_OPSIZE) ? 4 : 2;
	insn->adsize = code32 != !!(insn->prefixes & VMON_P_ADSIZE) ? 4 : 2;

	if (insn->prefixes & VMON_P_REP)
		d->mandatory = VMON_MP_F3;
	else if (insn->prefixes & VMON_P_REPNE)
		d->mandatory = VMON_MP_F2;
	else if (insn->prefixes & VMON_P_OPSIZE)
		d->mandatory = VMON_MP_66;
	return 0;
}

static int decode_opcode(struct vmon_decoder *d)
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

int vmon_dec_disp(struct vmon_decoder *d, unsigned int size)
{
	u32 disp;
	int err;

	if (!size)
		return 0;
	d->insn->disp_off = d->pos;
	d->insn->disp_size = size;
	err = vmon_dec_fetch(d, size, &disp);
	if (!err)
		d->insn->disp = disp;
	return err;
}

/* SDM vol. 2, table 2-1. */
static int decode_mem16(struct vmon_decoder *d)
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
		return vmon_dec_disp(d, 2);

	insn->base = pair[rm][0];
	insn->index = pair[rm][1];
	if (insn->base == VMON_EBP)
		default_segment(insn, VMON_SS);
	return vmon_dec_disp(d, mod);
}

/* SDM vol. 2, tables 2-2 and 2-3. */
static int decode_mem32(struct vmon_decoder *d)
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
		return vmon_dec_disp(d, 4);

	insn->base = base;
	if (base == VMON_ESP || base == VMON_EBP)
		default_segment(insn, VMON_SS);
	return vmon_dec_disp(d, mod == 2 ? 4 : mod);
}

static int fetch_modrm(struct vmon_decoder *d)
{
	struct vmon_insn *insn = d->insn;

	if (insn->has_modrm)
		return 0;
	insn->has_modrm = true;
	insn->modrm_off = d->pos;
	return fetch_u8(d, &insn->modrm);
}

bool vmon_dec_is_mem(const struct vmon_insn *insn)
{
	/* the moves to and from CR and DR ignore mod */
	return insn->has_modrm && insn->modrm < 0xc0 &&
	       insn->op != VMON_OP_MOV_CR && insn->op != VMON_OP_MOV_DR;
}

/* From the opcode, and where that is not enough ModRM and prefix, to the form. */
static int find_def(struct vmon_decoder *d, const struct vmon_opdef **out)
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

/* The checks that need the whole instruction; and what the form left open. */
static int finish(struct vmon_decoder *d)
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

static int decode(struct vmon_decoder *d, bool code32)
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
	if (vmon_dec_is_mem(insn)) {
		err = insn->adsize == 4 ? decode_mem32(d) : decode_mem16(d);
		if (err)
			return err;
	}

	for (i = 0; i < ARRAY_SIZE(def->opnd) && def->opnd[i]; i++) {
		err = vmon_dec_operand(d, &insn->opnd[i], def->opnd[i]);
		if (err)
			return err;
	}
	return finish(d);
}

int vmon_decode(struct vmon_insn *insn, const u8 *bytes, unsigned int avail,
		bool code32)
{
	struct vmon_decoder d = { .insn = insn, .bytes = bytes, .avail = avail };
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
