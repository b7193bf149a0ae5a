/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the decoder's tables are made of; private to decode*.c.
 *
 * One struct vmon_opdef describes one instruction form: its operation, up to
 * three operand codes and its classes. The operand codes carry the letters of
 * SDM vol. 2, A.2: E is ModRM r/m, G ModRM reg, and so on; b w d q are fixed
 * sizes, v the effective operand size. What depends on more than the opcode
 * (/reg, a mandatory prefix, mod) goes through a group.
 */
#ifndef VMON_EMULATOR_DECODE_TABLES_H
#define VMON_EMULATOR_DECODE_TABLES_H

#include "emulator/decode.h"

/* Operand codes. Those from VMON_O_MODRM on need a ModRM byte. */
enum vmon_opnd_code {
	O_0,
	O_AL, O_eAX, O_AX, O_CL, O_DX,
	O_ES, O_CS, O_SS, O_DS, O_FS, O_GS,
	O_Zb, O_Zv,		/* register in the opcode's low three bits */
	O_1,			/* the constant 1 */
	O_Ib, O_Iw, O_Iz,	/* immediates; z: word or doubleword */
	O_Is,			/* byte, sign-extended to v */
	O_I2,			/* second immediate, a byte (ENTER) */
	O_Jb, O_Jz, O_Ap,
	O_Ob, O_Ov,		/* moffs */
	O_Xb, O_Xv, O_Yb, O_Yv,	/* string source and destination */
	O_XLAT,
	VMON_O_MODRM,
	O_Eb = VMON_O_MODRM, O_Ew, O_Ed, O_Ev,
	O_Sv,			/* v in a register, a word in memory (SLDT) */
	O_Rb,			/* d in a register, a byte in memory (PEXTRB) */
	O_Rw,			/* d in a register, a word in memory (PEXTRW) */
	O_Gb, O_Gw, O_Gd, O_Gv,
	O_M, O_Mw, O_Md, O_Mq, O_Mo, O_Ms, O_Mt, O_Mp, O_Ma, O_Mv,
	O_Menv, O_Msave,	/* x87 environment and state */
	O_Sw,			/* segment register in reg */
	O_Cd, O_Dd,		/* control and debug register in reg */
	O_Hd,			/* register in r/m, whatever mod says */
	O_V,			/* vector register in reg */
	O_U,			/* vector register in r/m, no memory form */
	O_Ww, O_Wd, O_Wq, O_Wo,	/* vector register or memory */
	O_ST,			/* x87 register form: no operand to show */
	VMON_NR_OPND_CODES,
};

enum vmon_group_id {
	G_NONE,
	/* by /reg */
	G_1B, G_1V, G_1X, G_1A, G_2BI, G_2VI, G_2B1, G_2V1, G_2BC, G_2VC,
	G_3B, G_3V, G_4, G_5, G_6, G_8, G_11B, G_11V,
	VMON_NR_REG_GROUPS,
	/* by mandatory prefix */
	G_B8 = VMON_NR_REG_GROUPS, G_BC, G_BD, G_C3, G_38F0, G_38F1, G_38F6,
	VMON_END_PFX_GROUPS,
	/* by more */
	G_7 = VMON_END_PFX_GROUPS, G_9, G_15, G_X87, G_VSHIFT, G_3DNOW,
	G_VEC,		/* class by mandatory prefix: decode_vec.c */
};

/* The mandatory prefix, F2 and F3 before 66. */
enum vmon_mandatory { VMON_MP_NONE, VMON_MP_66, VMON_MP_F3, VMON_MP_F2 };

struct vmon_opdef {
	u8 op;
	u8 opnd[3];
	u16 flags;
	u8 group;
};

#define VMON_DEF3(_op, _a, _b, _c, _fl)					\
	{								\
		.op = VMON_OP_##_op,					\
		.opnd = { O_##_a, O_##_b, O_##_c },			\
		.flags = (_fl),						\
	}
#define VMON_DEF2(op, a, b, fl)	VMON_DEF3(op, a, b, 0, fl)
#define VMON_DEF1(op, a, fl)	VMON_DEF3(op, a, 0, 0, fl)
#define VMON_DEF0(op, fl)	VMON_DEF3(op, 0, 0, 0, fl)
#define VMON_DEFG(g)		{ .group = G_##g }

extern const struct vmon_opdef vmon_map_1[256];
extern const struct vmon_opdef vmon_map_0f[256];
extern const struct vmon_opdef vmon_group_reg[VMON_NR_REG_GROUPS][8];
extern const struct vmon_opdef
	vmon_group_pfx[VMON_END_PFX_GROUPS - VMON_NR_REG_GROUPS][4];

/* Forms chosen by the whole ModRM byte; NULL where there is none. */
const struct vmon_opdef *vmon_def_group7(u8 modrm, unsigned int mandatory);
const struct vmon_opdef *vmon_def_group9(u8 modrm, unsigned int mandatory);
const struct vmon_opdef *vmon_def_group15(u8 modrm, unsigned int mandatory);

/* x87 and vector forms (decode_vec.c); NULL where there is none. */
const struct vmon_opdef *vmon_def_x87(u8 opcode, u8 modrm);
const struct vmon_opdef *vmon_def_vec(unsigned int map, u8 opcode,
				      unsigned int mandatory);
const struct vmon_opdef *vmon_def_vshift(u8 opcode, u8 modrm,
					 unsigned int mandatory);
const struct vmon_opdef *vmon_def_3dnow(void);
bool vmon_3dnow_valid(u8 suffix);

/* A decoding under way: how far the bytes are consumed. */
struct vmon_decoder {
	struct vmon_insn *insn;
	const u8 *bytes;
	unsigned int avail;
	unsigned int pos;
	u8 mandatory;
};

/* A little-endian number of 1, 2 or 4 bytes, sign-extended; 0 or an error. */
int vmon_dec_fetch(struct vmon_decoder *d, unsigned int size, u32 *val);
/* A displacement of @size bytes, 0 for none. */
int vmon_dec_disp(struct vmon_decoder *d, unsigned int size);
/* Does ModRM name memory? */
bool vmon_dec_is_mem(const struct vmon_insn *insn);
/* Operand @o from its code (decode_operands.c). */
int vmon_dec_operand(struct vmon_decoder *d, struct vmon_opnd *o, u8 code);

#endif /* VMON_EMULATOR_DECODE_TABLES_H */
