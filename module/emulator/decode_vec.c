// SPDX-License-Identifier: GPL-2.0
/*
 * Opcode maps of x87, MMX and SSE: SDM vol. 2, tables.
 *
 * These instructions run on the real FPU, so what counts is their length, where
 * they touch memory and how much of it. A table row is an opcode, a column the
 * mandatory prefix, and the entry one of a few operand patterns ("forms").
 * VEX, EVEX and XOP are not here: guests are not shown AVX.
 */
#include <linux/kernel.h>

#include "emulator/decode_tables.h"

#define D0 VMON_DEF0
#define D1 VMON_DEF1
#define D2 VMON_DEF2
#define D3 VMON_DEF3
#define RD (VMON_I_FPU | VMON_I_MEM_R)
#define WR (VMON_I_FPU | VMON_I_MEM_W)
#define FP VMON_I_FPU

/*
 * Form names: operands from left to right, V and W for XMM, P and Q for MMX, N
 * and U their register-only r/m, E and G general registers, R general register
 * or narrower memory, M memory; _I an immediate byte.
 */
enum {
	F_0,
	F_V_Ww, F_V_Wd, F_V_Wq, F_V_Wo, F_Wd_V, F_Wq_V, F_Wo_V,
	F_V_Mq, F_V_Mo, F_Mq_V, F_Mo_V, F_V_U, F_G_U, F_V_Ed, F_Ed_V,
	F_V_Qq, F_P_Wq, F_P_Wo, F_G_Wd, F_G_Wq, F_V_N, F_P_U,
	F_P_Qd, F_P_Qq, F_Qq_P, F_Mq_P, F_P_Ed, F_Ed_P, F_P_N, F_G_N,
	F_V_Wd_I, F_V_Wq_I, F_V_Wo_I, F_V_Ed_I, F_V_Rb_I, F_V_Rw_I, F_G_U_I,
	F_Rb_V_I, F_Rw_V_I, F_Ed_V_I,
	F_P_Qq_I, F_P_Rw_I, F_G_N_I, F_N_I, F_U_I,
	F_EMMS,
	NR_FORMS,
};

static const struct vmon_opdef forms[NR_FORMS] = {
	[F_V_Ww] = D2(SSE, V, Ww, RD),
	[F_V_Wd] = D2(SSE, V, Wd, RD),
	[F_V_Wq] = D2(SSE, V, Wq, RD),
	[F_V_Wo] = D2(SSE, V, Wo, RD),
	[F_Wd_V] = D2(SSE, Wd, V, WR),
	[F_Wq_V] = D2(SSE, Wq, V, WR),
	[F_Wo_V] = D2(SSE, Wo, V, WR),
	[F_V_Mq] = D2(SSE, V, Mq, RD),
	[F_V_Mo] = D2(SSE, V, Mo, RD),
	[F_Mq_V] = D2(SSE, Mq, V, WR),
	[F_Mo_V] = D2(SSE, Mo, V, WR),
	[F_V_U] = D2(SSE, V, U, FP),
	[F_G_U] = D2(SSE, Gd, U, FP),
	[F_V_Ed] = D2(SSE, V, Ed, RD),
	[F_Ed_V] = D2(SSE, Ed, V, WR),
	[F_V_Qq] = D2(SSE, V, Wq, RD),
	[F_P_Wq] = D2(SSE, V, Wq, RD),
	[F_P_Wo] = D2(SSE, V, Wo, RD),
	[F_G_Wd] = D2(SSE, Gd, Wd, RD),
	[F_G_Wq] = D2(SSE, Gd, Wq, RD),
	[F_V_N] = D2(SSE, V, U, FP),
	[F_P_U] = D2(SSE, V, U, FP),
	[F_P_Qd] = D2(MMX, V, Wd, RD),
	[F_P_Qq] = D2(MMX, V, Wq, RD),
	[F_Qq_P] = D2(MMX, Wq, V, WR),
	[F_Mq_P] = D2(MMX, Mq, V, WR),
	[F_P_Ed] = D2(MMX, V, Ed, RD),
	[F_Ed_P] = D2(MMX, Ed, V, WR),
	[F_P_N] = D2(MMX, V, U, FP),
	[F_G_N] = D2(MMX, Gd, U, FP),
	[F_V_Wd_I] = D3(SSE, V, Wd, Ib, RD),
	[F_V_Wq_I] = D3(SSE, V, Wq, Ib, RD),
	[F_V_Wo_I] = D3(SSE, V, Wo, Ib, RD),
	[F_V_Ed_I] = D3(SSE, V, Ed, Ib, RD),
	[F_V_Rb_I] = D3(SSE, V, Rb, Ib, RD),
	[F_V_Rw_I] = D3(SSE, V, Rw, Ib, RD),
	[F_G_U_I] = D3(SSE, Gd, U, Ib, FP),
	[F_Rb_V_I] = D3(SSE, Rb, V, Ib, WR),
	[F_Rw_V_I] = D3(SSE, Rw, V, Ib, WR),
	[F_Ed_V_I] = D3(SSE, Ed, V, Ib, WR),
	[F_P_Qq_I] = D3(MMX, V, Wq, Ib, RD),
	[F_P_Rw_I] = D3(MMX, V, Rw, Ib, RD),
	[F_G_N_I] = D3(MMX, Gd, U, Ib, FP),
	[F_N_I] = D2(MMX, U, Ib, FP),
	[F_U_I] = D2(SSE, U, Ib, FP),
	[F_EMMS] = D0(EMMS, FP),
};

/* Frequent rows. Columns: without, 66, F3, F2. */
#define MMX_SSE		{ F_P_Qq, F_V_Wo }
#define ONLY_66		{ 0, F_V_Wo }
#define PS_PD		{ F_V_Wo, F_V_Wo }
#define PS_PD_SS_SD	{ F_V_Wo, F_V_Wo, F_V_Wd, F_V_Wq }

static const u8 vec_0f[256][4] = {
	[0x10] = PS_PD_SS_SD,
	[0x11] = { F_Wo_V, F_Wo_V, F_Wd_V, F_Wq_V },
	[0x12] = { F_V_Wq, F_V_Mq, F_V_Wo, F_V_Wq },
	[0x13] = { F_Mq_V, F_Mq_V },
	[0x14 ... 0x15] = PS_PD,
	[0x16] = { F_V_Wq, F_V_Mq, F_V_Wo },
	[0x17] = { F_Mq_V, F_Mq_V },
	[0x28] = PS_PD,
	[0x29] = { F_Wo_V, F_Wo_V },
	[0x2a] = { F_V_Qq, F_V_Qq, F_V_Ed, F_V_Ed },
	[0x2b] = { F_Mo_V, F_Mo_V },
	[0x2c ... 0x2d] = { F_P_Wq, F_P_Wo, F_G_Wd, F_G_Wq },
	[0x2e ... 0x2f] = { F_V_Wd, F_V_Wq },
	[0x50] = { F_G_U, F_G_U },
	[0x51] = PS_PD_SS_SD,
	[0x52 ... 0x53] = { F_V_Wo, 0, F_V_Wd },
	[0x54 ... 0x57] = PS_PD,
	[0x58 ... 0x59] = PS_PD_SS_SD,
	[0x5a] = { F_V_Wq, F_V_Wo, F_V_Wd, F_V_Wq },
	[0x5b] = { F_V_Wo, F_V_Wo, F_V_Wo },
	[0x5c ... 0x5f] = PS_PD_SS_SD,
	[0x60 ... 0x62] = { F_P_Qd, F_V_Wo },
	[0x63 ... 0x6b] = MMX_SSE,
	[0x6c ... 0x6d] = ONLY_66,
	[0x6e] = { F_P_Ed, F_V_Ed },
	[0x6f] = { F_P_Qq, F_V_Wo, F_V_Wo },
	[0x70] = { F_P_Qq_I, F_V_Wo_I, F_V_Wo_I, F_V_Wo_I },
	[0x74 ... 0x76] = MMX_SSE,
	[0x77] = { F_EMMS },
	[0x7c ... 0x7d] = { 0, F_V_Wo, 0, F_V_Wo },
	[0x7e] = { F_Ed_P, F_Ed_V, F_V_Wq },
	[0x7f] = { F_Qq_P, F_Wo_V, F_Wo_V },
	[0xc2] = { F_V_Wo_I, F_V_Wo_I, F_V_Wd_I, F_V_Wq_I },
	[0xc4] = { F_P_Rw_I, F_V_Rw_I },
	[0xc5] = { F_G_N_I, F_G_U_I },
	[0xc6] = { F_V_Wo_I, F_V_Wo_I },
	[0xd0] = { 0, F_V_Wo, 0, F_V_Wo },
	[0xd1 ... 0xd5] = MMX_SSE,
	[0xd6] = { 0, F_Wq_V, F_V_N, F_P_U },
	[0xd7] = { F_G_N, F_G_U },
	[0xd8 ... 0xe5] = MMX_SSE,
	[0xe6] = { 0, F_V_Wo, F_V_Wq, F_V_Wo },
	[0xe7] = { F_Mq_P, F_Mo_V },
	[0xe8 ... 0xef] = MMX_SSE,
	[0xf0] = { 0, 0, 0, F_V_Mo },
	[0xf1 ... 0xf6] = MMX_SSE,
	[0xf7] = { F_P_N, F_V_U },
	[0xf8 ... 0xfe] = MMX_SSE,
};

static const u8 vec_0f38[256][4] = {
	[0x00 ... 0x0b] = MMX_SSE,
	[0x10] = ONLY_66,
	[0x14 ... 0x15] = ONLY_66,
	[0x17] = ONLY_66,
	[0x1c ... 0x1e] = MMX_SSE,
	[0x20] = { 0, F_V_Wq },
	[0x21] = { 0, F_V_Wd },
	[0x22] = { 0, F_V_Ww },
	[0x23] = { 0, F_V_Wq },
	[0x24] = { 0, F_V_Wd },
	[0x25] = { 0, F_V_Wq },
	[0x28 ... 0x29] = ONLY_66,
	[0x2a] = { 0, F_V_Mo },
	[0x2b] = ONLY_66,
	[0x30] = { 0, F_V_Wq },
	[0x31] = { 0, F_V_Wd },
	[0x32] = { 0, F_V_Ww },
	[0x33] = { 0, F_V_Wq },
	[0x34] = { 0, F_V_Wd },
	[0x35] = { 0, F_V_Wq },
	[0x37 ... 0x41] = ONLY_66,
	[0xc8 ... 0xcd] = { F_V_Wo },		/* SHA */
	[0xcf] = ONLY_66,			/* GFNI */
	[0xdb ... 0xdf] = ONLY_66,		/* AES */
};

static const u8 vec_0f3a[256][4] = {
	[0x08 ... 0x09] = { 0, F_V_Wo_I },
	[0x0a] = { 0, F_V_Wd_I },
	[0x0b] = { 0, F_V_Wq_I },
	[0x0c ... 0x0e] = { 0, F_V_Wo_I },
	[0x0f] = { F_P_Qq_I, F_V_Wo_I },
	[0x14] = { 0, F_Rb_V_I },
	[0x15] = { 0, F_Rw_V_I },
	[0x16 ... 0x17] = { 0, F_Ed_V_I },
	[0x20] = { 0, F_V_Rb_I },
	[0x21] = { 0, F_V_Wd_I },
	[0x22] = { 0, F_V_Ed_I },
	[0x40 ... 0x42] = { 0, F_V_Wo_I },
	[0x44] = { 0, F_V_Wo_I },
	[0x60 ... 0x63] = { 0, F_V_Wo_I },
	[0xcc] = { F_V_Wo_I },			/* SHA */
	[0xce ... 0xcf] = { 0, F_V_Wo_I },	/* GFNI */
	[0xdf] = { 0, F_V_Wo_I },
};

const struct vmon_opdef *vmon_def_vec(unsigned int map, u8 opcode,
				      unsigned int mandatory)
{
	switch (map) {
	case 1:
		return &forms[vec_0f[opcode][mandatory]];
	case 2:
		return &forms[vec_0f38[opcode][mandatory]];
	default:
		return &forms[vec_0f3a[opcode][mandatory]];
	}
}

/* Groups 12, 13, 14: shifts by an immediate, registers only. */
const struct vmon_opdef *vmon_def_vshift(u8 opcode, u8 modrm,
					 unsigned int mandatory)
{
	static const u8 shift[3][8][2] = {
		{ [2] = { F_N_I, F_U_I }, [4] = { F_N_I, F_U_I },
		  [6] = { F_N_I, F_U_I } },
		{ [2] = { F_N_I, F_U_I }, [4] = { F_N_I, F_U_I },
		  [6] = { F_N_I, F_U_I } },
		{ [2] = { F_N_I, F_U_I }, [3] = { 0, F_U_I },
		  [6] = { F_N_I, F_U_I }, [7] = { 0, F_U_I } },
	};

	if (modrm < 0xc0 || mandatory > VMON_MP_66)
		return NULL;
	return &forms[shift[opcode - 0x71][(modrm >> 3) & 7][mandatory]];
}

/* 3DNow!: the opcode follows the operands, as an immediate byte would. */
const struct vmon_opdef *vmon_def_3dnow(void)
{
	return &forms[F_P_Qq_I];
}

bool vmon_3dnow_valid(u8 suffix)
{
	static const u8 known[] = {
		0x0c, 0x0d, 0x1c, 0x1d, 0x8a, 0x8e, 0x90, 0x94,
		0x96, 0x97, 0x9a, 0x9e, 0xa0, 0xa4, 0xa6, 0xa7,
		0xaa, 0xae, 0xb0, 0xb4, 0xb6, 0xb7, 0xbb, 0xbf,
	};
	unsigned int i;

	for (i = 0; i < sizeof(known); i++)
		if (known[i] == suffix)
			return true;
	return false;
}

/* x87 with memory, by the low three bits of the opcode and /reg. */
#define X(_m, _fl) D1(X87, _m, _fl)
static const struct vmon_opdef x87_mem[8][8] = {
	{ X(Md, RD), X(Md, RD), X(Md, RD), X(Md, RD),
	  X(Md, RD), X(Md, RD), X(Md, RD), X(Md, RD) },
	{ X(Md, RD), {}, X(Md, WR), X(Md, WR),
	  X(Menv, RD), X(Mw, RD), X(Menv, WR), X(Mw, WR) },
	{ X(Md, RD), X(Md, RD), X(Md, RD), X(Md, RD),
	  X(Md, RD), X(Md, RD), X(Md, RD), X(Md, RD) },
	{ X(Md, RD), X(Md, WR), X(Md, WR), X(Md, WR),
	  {}, X(Mt, RD), {}, X(Mt, WR) },
	{ X(Mq, RD), X(Mq, RD), X(Mq, RD), X(Mq, RD),
	  X(Mq, RD), X(Mq, RD), X(Mq, RD), X(Mq, RD) },
	{ X(Mq, RD), X(Mq, WR), X(Mq, WR), X(Mq, WR),
	  X(Msave, RD), {}, X(Msave, WR), X(Mw, WR) },
	{ X(Mw, RD), X(Mw, RD), X(Mw, RD), X(Mw, RD),
	  X(Mw, RD), X(Mw, RD), X(Mw, RD), X(Mw, RD) },
	{ X(Mw, RD), X(Mw, WR), X(Mw, WR), X(Mw, WR),
	  X(Mt, RD), X(Mq, RD), X(Mt, WR), X(Mq, WR) },
};

#undef X

/*
 * x87 with registers: for each opcode and /reg the mask of valid r/m. The
 * undocumented aliases (FSTP1, FCOM2, FFREEP...) execute, so they are valid;
 * FENI, FDISI and FSETPM are no-ops since the 80387.
 */
static const u8 x87_reg[8][8] = {
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	{ 0xff, 0xff, 0x01, 0xff, 0x33, 0x7f, 0xff, 0xff },
	{ 0xff, 0xff, 0xff, 0xff, 0x00, 0x02, 0x00, 0x00 },
	{ 0xff, 0xff, 0xff, 0xff, 0x1f, 0xff, 0xff, 0x00 },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00 },
	{ 0xff, 0xff, 0xff, 0x02, 0xff, 0xff, 0xff, 0xff },
	{ 0xff, 0xff, 0xff, 0xff, 0x01, 0xff, 0xff, 0x00 },
};

const struct vmon_opdef *vmon_def_x87(u8 opcode, u8 modrm)
{
	static const struct vmon_opdef reg = D1(X87, ST, FP);
	static const struct vmon_opdef fnstsw_ax = D1(X87, AX, FP);
	unsigned int op = opcode & 7, r = (modrm >> 3) & 7;

	if (modrm < 0xc0)
		return &x87_mem[op][r];
	if (!(x87_reg[op][r] & (1 << (modrm & 7))))
		return NULL;
	return opcode == 0xdf && modrm == 0xe0 ? &fnstsw_ax : &reg;
}
