// SPDX-License-Identifier: GPL-2.0
/*
 * Random code: pure random bytes, random bytes behind opcodes, and instructions that make
 * sense with operands that need not. What cannot be compared is taken out afterwards.
 */
#include "stream.h"

static struct program *prog;

static void emit(u32 byte)
{
	if (prog->len < CODE_MAX - 2)
		prog->code[prog->len++] = byte;
}

static void emit32(u32 val)
{
	emit(val);
	emit(val >> 8);
	emit(val >> 16);
	emit(val >> 24);
}

/* A ModRM byte with what follows it; /reg as given, or below 0: random. */
static void operand(s32 reg, bool memory)
{
	u32 mod = memory ? below(3) : below(4), rm = below(8), sib;

	if (reg < 0)
		reg = below(8);
	/* ESP, ECX hold no addresses as a rule. */
	if (mod != 3 && (rm == 1 || one_in(6)))
		rm = 5;
	emit(mod << 6 | reg << 3 | rm);
	if (mod == 3)
		return;
	if (rm == 4) {
		sib = rnd();
		emit(sib);
		if (!mod && (sib & 7) == 5)
			emit32(value());
	} else if (rm == 5 && !mod) {
		emit32(value());
	}
	if (mod == 1)
		emit(one_in(2) ? below(16) : rnd());
	if (mod == 2)
		emit32(one_in(2) ? below(16) - 8 : value());
}

static void prefixes(void)
{
	static const u8 all[] = {
		0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
	};

	while (one_in(4))
		emit(all[below(sizeof(all))]);
}

/* Any opcode of any map, and what looks like its operands. */
static void any_instruction(void)
{
	u32 i, n;

	prefixes();
	switch (below(8)) {
	case 0 ... 3:
		break;
	case 4:
		emit(0x0f);
		emit(one_in(2) ? 0x38 : 0x3a);
		break;
	default:
		emit(0x0f);
	}
	emit(rnd());
	operand(-1, false);
	n = one_in(2) ? below(2) : 0;
	for (i = 0; i < n; i++)
		emit(rnd());
}

/* What follows an opcode. */
enum form {
	F_NONE,		/* nothing */
	F_PLUS,		/* a register in the opcode's low bits */
	F_RM,		/* ModRM, any operand */
	F_MEM,		/* ModRM, memory */
	F_ALU,		/* an opcode of the first four forms of eight arithmetic operations */
	F_CC,		/* a condition in the opcode's low bits */
};

enum imm { I_0, I_8, I_32, I_SEL, I_JUMP, I_JUMP32, I_FAR, I_CALL };

struct sensible {
	u8 n, op[3];
	signed char reg; /* /reg, or -1 */
	u8 form, imm, weight;
	bool rep;	/* may have a repeat prefix */
};

#define S1(a, form, imm, w)		{ 1, { a }, -1, form, imm, w, false }
#define S1R(a, reg, form, imm, w)	{ 1, { a }, reg, form, imm, w, false }
#define S2(a, b, form, imm, w)		{ 2, { a, b }, -1, form, imm, w, false }
#define S2R(a, b, reg, form, imm, w)	{ 2, { a, b }, reg, form, imm, w, false }
#define S3(a, b, c, form, imm, w)	{ 3, { a, b, c }, -1, form, imm, w, false }
#define STRING(a)			{ 1, { a }, -1, F_NONE, I_0, 2, true }

static const struct sensible sensible[] = {
	S1(0xb8, F_PLUS, I_32, 8), S1(0x00, F_ALU, I_0, 12), S1(0x8b, F_RM, I_0, 6),
	S1(0x89, F_RM, I_0, 6), S1(0x8a, F_MEM, I_0, 3), S1(0x88, F_MEM, I_0, 3),
	S1(0xc7, F_MEM, I_32, 3), S1(0x8d, F_MEM, I_0, 2), S1(0x83, F_RM, I_8, 4),
	S1(0x81, F_RM, I_32, 3), S1(0x80, F_RM, I_8, 2), S1(0xa1, F_NONE, I_32, 2),
	S1(0xa3, F_NONE, I_32, 2), S1(0x85, F_RM, I_0, 2), S1(0x87, F_RM, I_0, 2),
	S1(0xf7, F_RM, I_0, 2), S1(0xd3, F_RM, I_0, 2), S1(0xc1, F_RM, I_8, 2),
	S1(0xff, F_RM, I_0, 4), S1(0x69, F_RM, I_32, 1), S1(0x63, F_RM, I_0, 1),
	S1(0x62, F_MEM, I_0, 1), S1(0x40, F_PLUS, I_0, 2), S1(0x48, F_PLUS, I_0, 2),
	S1(0x98, F_NONE, I_0, 1), S1(0x99, F_NONE, I_0, 1), S1(0xd7, F_NONE, I_0, 1),
	S2(0x0f, 0xb6, F_RM, I_0, 1), S2(0x0f, 0xbf, F_RM, I_0, 1),
	S2(0x0f, 0xaf, F_RM, I_0, 1), S2(0x0f, 0x40, F_CC, I_0, 1),
	S2(0x0f, 0xb1, F_RM, I_0, 1), S2(0x0f, 0xc1, F_RM, I_0, 1),
	S2R(0x0f, 0xc7, 1, F_MEM, I_0, 1), S2(0x0f, 0xab, F_RM, I_0, 2),
	S2(0x0f, 0xa3, F_RM, I_0, 1), S2(0x0f, 0xba, F_RM, I_8, 1),
	S2(0x0f, 0xa5, F_RM, I_0, 1), S2(0x0f, 0xbc, F_RM, I_0, 1),
	/* the stack */
	S1(0x50, F_PLUS, I_0, 6), S1(0x58, F_PLUS, I_0, 6), S1(0x68, F_NONE, I_32, 4),
	S1(0x6a, F_NONE, I_8, 2), S1R(0x8f, 0, F_MEM, I_0, 2), S1(0x60, F_NONE, I_0, 1),
	S1(0x61, F_NONE, I_0, 1), S1(0xc9, F_NONE, I_0, 1), S1(0xc8, F_NONE, I_32, 1),
	S1(0x9c, F_NONE, I_0, 3), S1(0x9d, F_NONE, I_0, 3),
	/* transfers */
	S1(0xe8, F_NONE, I_CALL, 3), S1(0xe9, F_NONE, I_JUMP32, 1),
	S1(0xeb, F_NONE, I_JUMP, 2), S1(0x70, F_CC, I_JUMP, 4), S1(0xe2, F_NONE, I_JUMP, 1),
	S1(0xe3, F_NONE, I_JUMP, 1), S1(0xe0, F_NONE, I_JUMP, 1), S1(0xc3, F_NONE, I_0, 2),
	S1(0xc2, F_NONE, I_8, 1), S1(0xcf, F_NONE, I_0, 1), S1(0xcb, F_NONE, I_0, 1),
	S1(0x9a, F_NONE, I_FAR, 1), S1(0xea, F_NONE, I_FAR, 1), S1(0xcd, F_NONE, I_8, 1),
	S1(0xcc, F_NONE, I_0, 1), S1(0xce, F_NONE, I_0, 1), S1(0xf1, F_NONE, I_0, 1),
	/* strings */
	STRING(0xa4), STRING(0xa5), STRING(0xa6), STRING(0xa7), STRING(0xaa), STRING(0xab),
	STRING(0xac), STRING(0xad), STRING(0xae), STRING(0xaf),
	/* segments and the system */
	S1(0x8e, F_RM, I_0, 4), S1(0x8c, F_RM, I_0, 3), S2(0x66, 0x06, F_NONE, I_0, 1),
	S1(0x07, F_NONE, I_0, 1), S2(0x66, 0x1e, F_NONE, I_0, 1), S1(0x1f, F_NONE, I_0, 1),
	S2(0x66, 0x16, F_NONE, I_0, 1), S1(0x17, F_NONE, I_0, 1),
	S3(0x66, 0x0f, 0xa0, F_NONE, I_0, 1),
	S2(0x0f, 0xa1, F_NONE, I_0, 1), S3(0x66, 0x0f, 0xa8, F_NONE, I_0, 1),
	S2(0x0f, 0xa9, F_NONE, I_0, 1), S1(0xc4, F_MEM, I_0, 1), S1(0xc5, F_MEM, I_0, 1),
	S2(0x0f, 0xb2, F_MEM, I_0, 1), S2(0x0f, 0xb4, F_MEM, I_0, 1),
	S2(0x0f, 0xb5, F_MEM, I_0, 1), S2(0x0f, 0x02, F_RM, I_0, 1),
	S2(0x0f, 0x03, F_RM, I_0, 1), S2(0x0f, 0x00, F_RM, I_0, 2),
	S2(0x0f, 0x01, F_RM, I_0, 2), S2(0x0f, 0x20, F_RM, I_0, 1),
	S2(0x0f, 0x06, F_NONE, I_0, 1), S2(0x0f, 0x21, F_RM, I_0, 1), S1(0xfa, F_NONE, I_0, 1),
	S1(0xfb, F_NONE, I_0, 2), S1(0xfc, F_NONE, I_0, 1), S1(0xfd, F_NONE, I_0, 1),
	S1(0xe4, F_NONE, I_8, 1), S1(0xe6, F_NONE, I_8, 1), S1(0xec, F_NONE, I_0, 1),
	/* x87, MMX, SSE */
	S1(0xd8, F_RM, I_0, 1), S1(0xd9, F_RM, I_0, 1), S1(0xdb, F_RM, I_0, 1),
	S1(0xdd, F_RM, I_0, 1), S1(0xdf, F_RM, I_0, 1), S2(0x0f, 0x10, F_RM, I_0, 1),
	S2(0x0f, 0x11, F_RM, I_0, 1), S2(0x0f, 0x6f, F_RM, I_0, 1),
	S2(0x0f, 0x7f, F_RM, I_0, 1), S3(0x66, 0x0f, 0x7f, F_RM, I_0, 1),
	S3(0x66, 0x0f, 0xef, F_RM, I_0, 1), S2(0x0f, 0xe7, F_MEM, I_0, 1),
	S2(0x0f, 0xae, F_RM, I_0, 1), S3(0x66, 0x0f, 0xf7, F_RM, I_0, 1),
	S2(0x0f, 0x5a, F_RM, I_0, 1),
};

static const struct sensible *choose(void)
{
	static u32 total;
	const struct sensible *s;
	u32 at;

	if (!total)
		for (at = 0; at < ARRAY_SIZE(sensible); at++)
			total += sensible[at].weight;
	at = below(total);
	for (s = sensible; at >= s->weight; s++)
		at -= s->weight;
	return s;
}

static void sensible_instruction(void)
{
	static const u8 overrides[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
	const struct sensible *s = choose();
	u8 op = s->op[s->n - 1];
	u32 i;

	if (one_in(10))
		emit(0x66);
	if (one_in(40))
		emit(0x67);
	if (one_in(10))
		emit(overrides[below(sizeof(overrides))]);
	if (s->rep ? !one_in(3) : one_in(60))
		emit(0xf2 | below(2));
	else if (s->form >= F_RM && one_in(16))
		emit(0xf0);
	for (i = 0; i + 1 < s->n; i++)
		emit(s->op[i]);
	switch (s->form) {
	case F_PLUS:
		emit(op | below(8));
		break;
	case F_CC:
		emit(op | below(16));
		break;
	case F_ALU:
		emit(below(8) << 3 | below(4));
		operand(-1, false);
		break;
	case F_RM:
	case F_MEM:
		emit(op);
		operand(s->reg, s->form == F_MEM);
		break;
	default:
		emit(op);
	}
	switch (s->imm) {
	case I_8:
		emit(one_in(2) ? below(8) : rnd());
		break;
	case I_32:
		emit32(value());
		break;
	case I_JUMP:
		emit(below(24) - 8);
		break;
	case I_JUMP32:
		emit32(below(24) - 8);
		break;
	case I_CALL:
		emit32(one_in(2) ? below(16) : value());
		break;
	case I_FAR:
		emit32(value());
		i = below(LAST + 1) * 8 | below(4);
		emit(i);
		emit(i >> 8);
		break;
	}
}

/* --- what is taken out --- */

static bool ports_allowed(const struct program *p)
{
	return !p->ring || p->in.eflags & FL_IOPL;
}

/* Branches lead forward only: nothing would end a loop. */
static void forward_only(u8 *c)
{
	if ((c[0] >= 0x70 && c[0] <= 0x7f) || c[0] == 0xeb || (c[0] >= 0xe0 && c[0] <= 0xe3))
		c[1] &= 0x7f;
	if (c[0] == 0xe9 || c[0] == 0xe8)
		c[4] &= 0x7f;
}

static bool repeated(const struct program *p, const u8 *c)
{
	u32 i;

	for (i = 0; i < 8 && c-- > p->code; i++)
		if (*c == 0xf2 || *c == 0xf3)
			return true;
	return false;
}

/* Of two bytes and more: what a CPU may do as it likes, and what two need not agree on. */
static void filter_0f(struct program *p, u8 *c)
{
	u8 modrm = c[2], reg = modrm >> 3 & 7;
	bool is_register = modrm >= 0xc0;

	switch (c[1]) {
	case 0x30 ... 0x33:		/* time, MSRs, counters */
	case 0xa2:			/* CPUID */
	case 0x37:			/* GETSEC */
	case 0x78: case 0x79:		/* VMREAD, VMWRITE */
		c[1] = 0x1f;
		break;
	case 0x00:
		p->tables |= reg == 2 || reg == 3;
		/*
		 * Without UMIP ring 3 sees the host's; and it does not see all descriptors.
		 * Both are said in the READMEs.
		 */
		if (p->ring)
			c[1] = 0x1f;
		break;
	case 0x02: case 0x03:
		if (p->ring)
			c[1] = 0x1f;
		break;
	case 0x01:
		/* Not SMSW and LMSW: of features that vmon does not show. */
		if ((is_register && reg != 4 && reg != 6) || (p->ring && reg != 7))
			c[1] = 0x1f;
		/* Nothing comes back with other tables: LGDT, LIDT. */
		if (!is_register && (reg == 2 || reg == 3) && !p->danger)
			c[1] = 0x1f;
		break;
	case 0x20: case 0x21: case 0x23:
		p->system = true;
		break;
	case 0x22:
		if (!p->danger)
			c[1] = 0x20;
		break;
	case 0xa0: case 0xa8:
		c[1] |= 0x01;			/* POP */
		break;
	case 0x38:
		if (c[2] >= 0x80 && c[2] <= 0x82)	/* INVEPT, INVVPID, INVPCID */
			c[1] = 0x1f;
		break;
	case 0xc7:
		if (is_register)	/* RDRAND, RDSEED, RDPID */
			c[2] &= 0xcf;
		break;
	case 0xae:
		/* FXSAVE shows where the last x87 instruction was: in the cache. */
		if (!is_register && !reg)
			c[2] |= 0x08;
		break;
	}
}

static void filter(struct program *p, u8 *c, bool loops)
{
	u8 reg = c[1] >> 3 & 7;

	switch (c[0]) {
	case 0x0f:
		filter_0f(p, c);
		break;
	case 0x06: case 0x0e: case 0x16: case 0x1e:
		/* The upper half of the word is zero, or stays (SDM vol. 2, PUSH). */
		c[0] = c[0] == 0x0e ? 0x90 : c[0] | 1;	/* POP */
		break;
	case 0x63:			/* ARPL: some CPUs write what does not change, too */
		c[1] |= 0xc0;
		break;
	case 0xa6: case 0xa7: case 0xae: case 0xaf:
		/* A fault leaves the flags as they were (SDM vol. 2, REP); not in Bochs. */
		if (repeated(p, c))
			c[0] = c[0] < 0xa8 ? c[0] - 2 : c[0] - 4;	/* MOVS, STOS */
		break;
	case 0xd9: case 0xdd:
		/*
		 * FNSTENV, FNSAVE: as FXSAVE. FLDENV, FRSTOR: in Bochs one that faults on its
		 * second page has done half of its work, and shows hidden faults thereby.
		 */
		if (c[1] < 0xc0 && (reg == 6 || reg == 4))
			c[1] &= ~0x30;
		break;
	case 0xe4 ... 0xe7:		/* ports: where nothing is */
		if (ports_allowed(p))
			c[1] = 0xa8 | (c[1] & 3);
		break;
	case 0xec ... 0xef: case 0x6c ... 0x6f:
		if (ports_allowed(p))
			c[0] = 0x90;
		break;
	case 0xf4:			/* HLT: two ticks long, or for ever */
		if (!p->ring && !(loops && p->danger))
			c[0] = 0x90;
		break;
	case 0xfa: case 0x9d: case 0xcf:
		if (loops && ports_allowed(p))
			c[0] = 0xf8;
		break;
	}
	if (!loops)
		forward_only(c);
}

/* Also what begins in the middle of an instruction; and again, for what that has made. */
static void filter_all(struct program *p, bool loops)
{
	u32 n, i;

	for (n = 0; n < 3; n++)
		for (i = 0; i < p->len; i++)
			filter(p, p->code + i, loops);
}

void make_code(struct program *p)
{
	u32 n, mode = below(20);
	bool loops = one_in(6) && p->in.eflags & FL_IF;

	prog = p;
	if (mode < 3) {
		for (n = 1 + below(16); n; n--)
			emit(rnd());
	} else if (mode < 9) {
		for (n = 1 + below(6); n; n--)
			any_instruction();
	} else {
		for (n = 1 + below(12); n; n--)
			sensible_instruction();
	}
	p->danger = one_in(64);
	filter_all(p, loops);
	p->code[p->len++] = 0xcd;
	p->code[p->len++] = DONE;
}

/*
 * Undefined opcodes of groups, and VEX and EVEX where they are not known: when their last bytes are
 * on a page that is missing, some CPUs fetch them all first, others none. When it is known where
 * the code is to be.
 */
void end_page(struct program *p)
{
	u32 i;

	/* The last two are INT DONE. */
	for (i = 0; i + 4 < p->len; i++) {
		u8 *c = p->code + i;

		if ((p->off + i) % PAGE <= PAGE - 16)
			continue;
		switch (c[0]) {
		case 0x0f:
			if (c[1] == 0xc7)
				c[2] = (c[2] & 0xc7) | 0x08;
			break;
		case 0x62: case 0xc4: case 0xc5:
			c[1] &= 0x3f;
			break;
		case 0x8f: case 0xc6: case 0xc7:
			if (!i || c[-1] != 0x0f)
				c[1] &= 0xc7;
			break;
		}
	}
}
