// SPDX-License-Identifier: GPL-2.0
/*
 * Arithmetic with flags, done by the CPU's own ALU.
 *
 * Each primitive loads the guest's arithmetic flags, runs the real instruction
 * and takes the flags back, so that even flags which the manual leaves undefined
 * come out as direct execution on this CPU would give them. SAHF and LAHF move
 * all but OF, which travels in AL: adding 0x7f to 1 overflows, to 0 does not.
 * The stack is not used, so the code is safe with a red zone.
 */
#include "emulator/internal.h"

#define AH_FLAGS (VMON_FL_CF | VMON_FL_PF | VMON_FL_AF | VMON_FL_ZF | VMON_FL_SF)

static inline u32 flags_to_ax(u32 eflags)
{
	return (eflags & AH_FLAGS) << 8 | ((eflags >> 11) & 1);
}

static inline u32 flags_from_ax(u32 eflags, u32 ax)
{
	return (eflags & ~VMON_FL_ARITH) | ((ax >> 8) & AH_FLAGS) |
	       (ax & 1) << 11;
}

#define LOAD_FLAGS	"addb $0x7f, %%al\n\tsahf\n\t"
#define SAVE_FLAGS	"\n\tlahf\n\tseto %%al"

/* dst = dst INSN src */
#define ALU2(insn, s, m)						\
	asm(LOAD_FLAGS insn s " %" m "[src], %" m "[dst]" SAVE_FLAGS	\
	    : "+&a" (ax), [dst] "+q" (dst) : [src] "q" (src) : "cc")

#define ALU2_SIZES(insn)			\
	do {					\
		if (size == 4)			\
			ALU2(insn, "l", "k");	\
		else if (size == 1)		\
			ALU2(insn, "b", "b");	\
		else				\
			ALU2(insn, "w", "w");	\
	} while (0)

/**
 * vmon_emu_arith() - the eight operations of group 1, and TEST
 * @op:		VMON_OP_ADD ... VMON_OP_CMP, VMON_OP_TEST
 * @size:	1, 2 or 4
 * @dst:	first operand
 * @src:	second operand
 * @eflags:	in and out
 *
 * Return: the result (for CMP and TEST: @dst).
 */
u32 vmon_emu_arith(unsigned int op, unsigned int size, u32 dst, u32 src,
		   u32 *eflags)
{
	u32 ax = flags_to_ax(*eflags);

	switch (op) {
	case VMON_OP_ADD:
		ALU2_SIZES("add");
		break;
	case VMON_OP_OR:
		ALU2_SIZES("or");
		break;
	case VMON_OP_ADC:
		ALU2_SIZES("adc");
		break;
	case VMON_OP_SBB:
		ALU2_SIZES("sbb");
		break;
	case VMON_OP_AND:
		ALU2_SIZES("and");
		break;
	case VMON_OP_SUB:
		ALU2_SIZES("sub");
		break;
	case VMON_OP_XOR:
		ALU2_SIZES("xor");
		break;
	case VMON_OP_CMP:
		ALU2_SIZES("cmp");
		break;
	case VMON_OP_TEST:
		ALU2_SIZES("test");
		break;
	}
	*eflags = flags_from_ax(*eflags, ax);
	return dst;
}

#define SHIFT(insn, s, m)						\
	asm(LOAD_FLAGS insn s " %%cl, %" m "[dst]" SAVE_FLAGS		\
	    : "+&a" (ax), [dst] "+q" (dst) : "c" (count) : "cc")

#define SHIFT_SIZES(insn)			\
	do {					\
		if (size == 4)			\
			SHIFT(insn, "l", "k");	\
		else if (size == 1)		\
			SHIFT(insn, "b", "b");	\
		else				\
			SHIFT(insn, "w", "w");	\
	} while (0)

/**
 * vmon_emu_shift() - shifts and rotates
 * @op:		VMON_OP_ROL ... VMON_OP_SAR
 * @size:	1, 2 or 4
 * @dst:	operand
 * @count:	as given; the CPU masks it
 * @eflags:	in and out
 */
u32 vmon_emu_shift(unsigned int op, unsigned int size, u32 dst, u8 count,
		   u32 *eflags)
{
	u32 ax = flags_to_ax(*eflags);

	switch (op) {
	case VMON_OP_ROL:
		SHIFT_SIZES("rol");
		break;
	case VMON_OP_ROR:
		SHIFT_SIZES("ror");
		break;
	case VMON_OP_RCL:
		SHIFT_SIZES("rcl");
		break;
	case VMON_OP_RCR:
		SHIFT_SIZES("rcr");
		break;
	case VMON_OP_SHL:
	case VMON_OP_SAL:
		SHIFT_SIZES("shl");
		break;
	case VMON_OP_SHR:
		SHIFT_SIZES("shr");
		break;
	case VMON_OP_SAR:
		SHIFT_SIZES("sar");
		break;
	}
	*eflags = flags_from_ax(*eflags, ax);
	return dst;
}

#define SHIFTD(insn, m)							\
	asm(LOAD_FLAGS insn " %%cl, %" m "[src], %" m "[dst]" SAVE_FLAGS \
	    : "+&a" (ax), [dst] "+r" (dst) : [src] "r" (src), "c" (count) : "cc")

/* SHLD (@left) and SHRD. */
u32 vmon_emu_shiftd(bool left, unsigned int size, u32 dst, u32 src, u8 count,
		    u32 *eflags)
{
	u32 ax = flags_to_ax(*eflags);

	if (left && size == 4)
		SHIFTD("shldl", "k");
	else if (left)
		SHIFTD("shldw", "w");
	else if (size == 4)
		SHIFTD("shrdl", "k");
	else
		SHIFTD("shrdw", "w");
	*eflags = flags_from_ax(*eflags, ax);
	return dst;
}

#define UNARY(insn, s, m)						\
	asm(LOAD_FLAGS insn s " %" m "[dst]" SAVE_FLAGS			\
	    : "+&a" (ax), [dst] "+q" (dst) : : "cc")

#define UNARY_SIZES(insn)			\
	do {					\
		if (size == 4)			\
			UNARY(insn, "l", "k");	\
		else if (size == 1)		\
			UNARY(insn, "b", "b");	\
		else				\
			UNARY(insn, "w", "w");	\
	} while (0)

/* INC, DEC, NOT, NEG. */
u32 vmon_emu_unary(unsigned int op, unsigned int size, u32 dst, u32 *eflags)
{
	u32 ax = flags_to_ax(*eflags);

	switch (op) {
	case VMON_OP_INC:
		UNARY_SIZES("inc");
		break;
	case VMON_OP_DEC:
		UNARY_SIZES("dec");
		break;
	case VMON_OP_NOT:
		return ~dst;
	case VMON_OP_NEG:
		UNARY_SIZES("neg");
		break;
	}
	*eflags = flags_from_ax(*eflags, ax);
	return dst;
}

#define SCAN(insn, m)							\
	asm(LOAD_FLAGS insn " %" m "[src], %" m "[dst]" SAVE_FLAGS	\
	    : "+&a" (ax), [dst] "+r" (dst) : [src] "r" (src) : "cc")

static u32 set_zero_carry(u32 eflags, bool zero, bool carry)
{
	eflags &= ~VMON_FL_ARITH;
	return eflags | (zero ? VMON_FL_ZF : 0) | (carry ? VMON_FL_CF : 0);
}

/**
 * vmon_emu_scan() - BSF, BSR, TZCNT, LZCNT, POPCNT
 * @op:		operation
 * @size:	2 or 4
 * @dst:	old destination: BSF and BSR of zero leave it as it is
 * @src:	source, zero-extended
 * @eflags:	in and out
 *
 * The counting three may be missing on the host, so they are computed; CPUID
 * does not show them to a guest, yet direct execution cannot refuse them.
 */
u32 vmon_emu_scan(unsigned int op, unsigned int size, u32 dst, u32 src,
		  u32 *eflags)
{
	u32 ax = flags_to_ax(*eflags);
	unsigned int bits = size * 8;

	switch (op) {
	case VMON_OP_BSF:
		if (size == 4)
			SCAN("bsfl", "k");
		else
			SCAN("bsfw", "w");
		break;
	case VMON_OP_BSR:
		if (size == 4)
			SCAN("bsrl", "k");
		else
			SCAN("bsrw", "w");
		break;
	case VMON_OP_TZCNT:
		dst = src ? (u32)__builtin_ctz(src) : bits;
		*eflags = set_zero_carry(*eflags, !dst, !src);
		return dst;
	case VMON_OP_LZCNT:
		dst = src ? (u32)__builtin_clz(src) - (32 - bits) : bits;
		*eflags = set_zero_carry(*eflags, !dst, !src);
		return dst;
	case VMON_OP_POPCNT:
		for (dst = 0; src; src &= src - 1)
			dst++;
		*eflags = set_zero_carry(*eflags, !dst, false);
		return dst;
	}
	*eflags = flags_from_ax(*eflags, ax);
	return dst;
}

/*
 * MUL and IMUL with one operand. AX carries both a factor and the flags, so
 * the factor is moved in after the flags are loaded, and the product out before
 * they are saved: MOV leaves flags alone.
 */
#define MULTIPLY(insn, s, src)						\
	asm(LOAD_FLAGS "movl %k[a], %%eax\n\t"				\
	    insn s " " src "\n\t"					\
	    "movl %%eax, %k[a]\n\t"					\
	    "lahf\n\tseto %%al"						\
	    : "+&a" (ax), "+&d" (hi), [a] "+&S" (a)			\
	    : [b] "c" (b) : "cc")

/**
 * vmon_emu_multiply() - MUL and IMUL, one-operand form
 * @op:		VMON_OP_MUL or VMON_OP_IMUL
 * @size:	1, 2 or 4
 * @a:		factor, the accumulator
 * @b:		factor
 * @eflags:	in and out
 *
 * Return: the product, 2 * @size bytes.
 */
u64 vmon_emu_multiply(unsigned int op, unsigned int size, u32 a, u32 b,
		      u32 *eflags)
{
	u32 ax = flags_to_ax(*eflags);
	u32 hi = 0;

	if (op == VMON_OP_MUL) {
		if (size == 4)
			MULTIPLY("mul", "l", "%%ecx");
		else if (size == 2)
			MULTIPLY("mul", "w", "%%cx");
		else
			MULTIPLY("mul", "b", "%%cl");
	} else {
		if (size == 4)
			MULTIPLY("imul", "l", "%%ecx");
		else if (size == 2)
			MULTIPLY("imul", "w", "%%cx");
		else
			MULTIPLY("imul", "b", "%%cl");
	}
	*eflags = flags_from_ax(*eflags, ax);
	switch (size) {
	case 1:
		return (u16)a;
	case 2:
		return (u16)a | (hi & 0xffff) << 16;
	default:
		return a | (u64)hi << 32;
	}
}

/* IMUL with two or three operands: the truncated product. */
u32 vmon_emu_imul(unsigned int size, u32 a, u32 b, u32 *eflags)
{
	u32 ax = flags_to_ax(*eflags);
	u32 dst = a, src = b;

	if (size == 4)
		SCAN("imull", "k");
	else
		SCAN("imulw", "w");
	*eflags = flags_from_ax(*eflags, ax);
	return dst;
}
