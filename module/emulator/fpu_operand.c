// SPDX-License-Identifier: GPL-2.0
/*
 * Memory operands of x87, MMX and SSE instructions: how many bytes, and which
 * way. The decoder classes these instructions and does not name them; whoever
 * runs them on the real FPU needs no more than this.
 */
#include "emulator/internal.h"

#define ST	0x8000u		/* stores */
#define ENV	0x4000u		/* 14 bytes with a 16-bit operand size, else 28 */
#define STATE	0x2000u		/* 94 or 108 bytes */

/* By opcode (D8 ... DF) and /reg, SDM vol. 2, tables A-8 ff. */
static const u16 x87_size[8][8] = {
	{ 4, 4, 4, 4, 4, 4, 4, 4 },
	{ 4, 0, ST | 4, ST | 4, ENV, 2, ST | ENV, ST | 2 },
	{ 4, 4, 4, 4, 4, 4, 4, 4 },
	{ 4, ST | 4, ST | 4, ST | 4, 0, 10, 0, ST | 10 },
	{ 8, 8, 8, 8, 8, 8, 8, 8 },
	{ 8, ST | 8, ST | 8, ST | 8, STATE, 0, ST | STATE, ST | 2 },
	{ 2, 2, 2, 2, 2, 2, 2, 2 },
	{ 2, ST | 2, ST | 2, ST | 2, 10, 8, ST | 10, ST | 8 },
};

/* The mandatory prefix: 0 none, 1 66, 2 F3, 3 F2. */
static unsigned int mandatory(const struct vmon_insn *insn)
{
	if (insn->prefixes & VMON_P_REPNE)
		return 3;
	if (insn->prefixes & VMON_P_REP)
		return 2;
	return insn->prefixes & VMON_P_OPSIZE ? 1 : 0;
}

/*
 * Entries of map 0F by mandatory prefix (none, 66, F3, F2). What is not listed
 * has the size of its registers: 8 for MMX, 16 for SSE.
 */
static const struct {
	u8 first, last;
	u16 size[4];
} sse_size[] = {
	{ 0x10, 0x10, { 16, 16, 4, 8 } },
	{ 0x11, 0x11, { ST | 16, ST | 16, ST | 4, ST | 8 } },
	{ 0x12, 0x12, { 8, 8, 16, 8 } },
	{ 0x13, 0x13, { ST | 8, ST | 8, ST | 8, ST | 8 } },
	{ 0x14, 0x15, { 16, 16, 16, 16 } },
	{ 0x16, 0x16, { 8, 8, 16, 8 } },
	{ 0x17, 0x17, { ST | 8, ST | 8, ST | 8, ST | 8 } },
	{ 0x28, 0x28, { 16, 16, 16, 16 } },
	{ 0x29, 0x29, { ST | 16, ST | 16, ST | 16, ST | 16 } },
	{ 0x2a, 0x2a, { 8, 8, 4, 4 } },
	{ 0x2b, 0x2b, { ST | 16, ST | 16, ST | 16, ST | 16 } },
	{ 0x2c, 0x2d, { 8, 16, 4, 8 } },
	{ 0x2e, 0x2f, { 4, 8, 4, 8 } },
	{ 0x51, 0x59, { 16, 16, 4, 8 } },
	{ 0x5a, 0x5a, { 8, 16, 4, 8 } },
	{ 0x5b, 0x5b, { 16, 16, 16, 16 } },
	{ 0x5c, 0x5f, { 16, 16, 4, 8 } },
	{ 0x60, 0x62, { 4, 16, 16, 16 } },
	{ 0x6e, 0x6e, { 4, 4, 4, 4 } },
	{ 0x7e, 0x7e, { ST | 4, ST | 4, 8, ST | 4 } },
	{ 0x7f, 0x7f, { ST | 8, ST | 16, ST | 16, ST | 16 } },
	{ 0xc2, 0xc2, { 16, 16, 4, 8 } },
	{ 0xc4, 0xc4, { 2, 2, 2, 2 } },
	{ 0xc6, 0xc6, { 16, 16, 16, 16 } },
	{ 0xd6, 0xd6, { ST | 8, ST | 8, ST | 8, ST | 8 } },
	{ 0xe6, 0xe6, { 16, 16, 8, 16 } },
	{ 0xe7, 0xe7, { ST | 8, ST | 16, ST | 16, ST | 16 } },
};

static u16 sse_operand(const struct vmon_insn *insn)
{
	unsigned int prefix = mandatory(insn), i;

	for (i = 0; insn->map == 1 &&
	     i < sizeof(sse_size) / sizeof(sse_size[0]); i++)
		if (insn->opcode >= sse_size[i].first &&
		    insn->opcode <= sse_size[i].last)
			return sse_size[i].size[prefix];
	return prefix ? 16 : 8;
}

void vmon_emu_fpu_operand(const struct vmon_insn *insn, unsigned int *size,
			  unsigned int *acc)
{
	bool op16 = insn->opsize == 2;
	u16 entry = 0;

	if (!insn->has_modrm || insn->modrm >= 0xc0)
		entry = 0;
	else if (insn->op == VMON_OP_X87)
		entry = x87_size[insn->opcode & 7][insn->modrm >> 3 & 7];
	else
		entry = sse_operand(insn);
	*acc = entry & ST ? VMON_ACC_W : 0;
	if (entry & ENV)
		*size = op16 ? 14 : 28;
	else if (entry & STATE)
		*size = op16 ? 94 : 108;
	else
		*size = entry & 0xff;
}
