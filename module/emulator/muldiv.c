// SPDX-License-Identifier: GPL-2.0
/*
 * Multiplication, division and the decimal adjustments.
 *
 * Division is checked before it is done: a #DE must be the guest's, never ours.
 * Its flags are undefined by the manual and left as they were.
 */
#include "emulator/internal.h"

/* The double-width accumulator: AX, DX:AX or EDX:EAX. */
static u64 wide_acc(const struct vmon_cpu *cpu, unsigned int size)
{
	switch (size) {
	case 1:
		return (u16)cpu->gpr[VMON_EAX];
	case 2:
		return (u16)cpu->gpr[VMON_EAX] |
		       (cpu->gpr[VMON_EDX] & 0xffff) << 16;
	default:
		return cpu->gpr[VMON_EAX] | (u64)cpu->gpr[VMON_EDX] << 32;
	}
}

static void set_pair(struct vmon_cpu *cpu, unsigned int size, u32 lo, u32 hi)
{
	vmon_emu_set_reg(cpu, VMON_EAX, size, lo);
	/* Register 4 of size 1 is AH. */
	vmon_emu_set_reg(cpu, size == 1 ? 4 : VMON_EDX, size, hi);
}

int vmon_emu_op_mul(struct vmon_emu *e)
{
	unsigned int size = e->insn.opnd[0].size;
	u32 a = vmon_emu_reg(e->cpu, VMON_EAX, size), b;
	u64 r;
	int ret = vmon_emu_opnd_read(e, 0, &b);

	if (ret != VMON_EMU_OK)
		return ret;
	r = vmon_emu_multiply(e->insn.op, size, a, b, &e->cpu->eflags);
	set_pair(e->cpu, size, r, r >> (size * 8));
	return VMON_EMU_OK;
}

int vmon_emu_op_imul(struct vmon_emu *e)
{
	unsigned int n = e->insn.opnd[2].kind != VMON_OPND_NONE;
	u32 a, b;
	int ret;

	if (e->insn.opnd[1].kind == VMON_OPND_NONE)
		return vmon_emu_op_mul(e);
	ret = vmon_emu_opnd_read(e, n, &a);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_read(e, n + 1, &b);
	if (ret != VMON_EMU_OK)
		return ret;
	a = vmon_emu_imul(e->insn.opsize, a, b, &e->cpu->eflags);
	return vmon_emu_opnd_write(e, 0, a);
}

/*
 * 64 by 32 bits with a quotient that is known to fit. Written as the
 * instruction, because a 32-bit kernel has no 64-bit division operator.
 */
static u32 div64(u64 n, u32 d, u32 *rem)
{
	u32 lo = n, hi = n >> 32;

	asm("divl %2" : "+a" (lo), "+d" (hi) : "r" (d) : "cc");
	*rem = hi;
	return lo;
}

int vmon_emu_op_div(struct vmon_emu *e)
{
	unsigned int size = e->insn.opnd[0].size;
	u64 n = wide_acc(e->cpu, size);
	u32 d, q, rem;
	int ret = vmon_emu_opnd_read(e, 0, &d);

	if (ret != VMON_EMU_OK)
		return ret;
	/* The quotient fits exactly if the high half is below the divisor. */
	if (!d || (u32)(n >> (size * 8)) >= d)
		return vmon_emu_fault(e, VMON_EXC_DE);
	q = div64(n, d, &rem);
	set_pair(e->cpu, size, q, rem);
	return VMON_EMU_OK;
}

int vmon_emu_op_idiv(struct vmon_emu *e)
{
	unsigned int size = e->insn.opnd[0].size, bits = size * 8;
	u64 n = wide_acc(e->cpu, size);
	u32 raw, d, q, rem, max;
	bool neg_n, neg_d;
	int ret = vmon_emu_opnd_read(e, 0, &raw);

	if (ret != VMON_EMU_OK)
		return ret;
	/* Divide magnitudes; the remainder has the sign of the dividend. */
	neg_n = n >> (2 * bits - 1) & 1;
	if (neg_n)
		n = -n;
	if (size < 4)
		n &= (1ull << (2 * bits)) - 1;
	d = vmon_emu_sign_extend(raw, size);
	neg_d = d >> 31;
	if (neg_d)
		d = -d;
	if (!d || (u32)(n >> bits) >= d)
		return vmon_emu_fault(e, VMON_EXC_DE);
	q = div64(n, d, &rem);
	max = 1u << (bits - 1);
	if (neg_n != neg_d ? q > max : q >= max)
		return vmon_emu_fault(e, VMON_EXC_DE);
	set_pair(e->cpu, size, neg_n != neg_d ? -q : q, neg_n ? -rem : rem);
	return VMON_EMU_OK;
}

static u32 result_flags(u8 al)
{
	u32 fl = 0;
	u32 ignored = 0;

	vmon_emu_arith(VMON_OP_TEST, 1, al, al, &ignored);
	fl |= ignored & (VMON_FL_ZF | VMON_FL_SF | VMON_FL_PF);
	return fl;
}

static int decimal_adjust(struct vmon_emu *e, bool subtract)
{
	struct vmon_cpu *cpu = e->cpu;
	u8 al = cpu->gpr[VMON_EAX], r = al;
	bool cf = cpu->eflags & VMON_FL_CF;
	bool af = (al & 15) > 9 || (cpu->eflags & VMON_FL_AF);
	bool carry = false;

	if (af) {
		carry = cf || (subtract ? al < 6 : al > 0xf9);
		r += subtract ? -6 : 6;
	}
	if (al > 0x99 || cf) {
		r += subtract ? -0x60 : 0x60;
		carry = true;
	}
	cpu->eflags &= ~VMON_FL_ARITH;
	cpu->eflags |= result_flags(r) | (af ? VMON_FL_AF : 0) |
		       (carry ? VMON_FL_CF : 0);
	vmon_emu_set_reg(cpu, VMON_EAX, 1, r);
	return VMON_EMU_OK;
}

static int ascii_adjust(struct vmon_emu *e, bool subtract)
{
	struct vmon_cpu *cpu = e->cpu;
	u16 ax = cpu->gpr[VMON_EAX];
	bool adjust = (ax & 15) > 9 || (cpu->eflags & VMON_FL_AF);

	if (adjust)
		ax += subtract ? -0x106 : 0x106;
	cpu->eflags &= ~VMON_FL_ARITH;
	if (adjust)
		cpu->eflags |= VMON_FL_AF | VMON_FL_CF;
	cpu->eflags |= result_flags(ax & 15);
	vmon_emu_set_reg(cpu, VMON_EAX, 2, ax & 0xff0f);
	return VMON_EMU_OK;
}

int vmon_emu_op_bcd(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	u8 al = cpu->gpr[VMON_EAX], ah = cpu->gpr[VMON_EAX] >> 8;
	u8 base = e->insn.imm;

	switch (e->insn.op) {
	case VMON_OP_DAA:
		return decimal_adjust(e, false);
	case VMON_OP_DAS:
		return decimal_adjust(e, true);
	case VMON_OP_AAA:
		return ascii_adjust(e, false);
	case VMON_OP_AAS:
		return ascii_adjust(e, true);
	case VMON_OP_AAM:
		if (!base)
			return vmon_emu_fault(e, VMON_EXC_DE);
		ah = al / base;
		al %= base;
		break;
	default:	/* AAD */
		al += ah * base;
		ah = 0;
		break;
	}
	cpu->eflags &= ~VMON_FL_ARITH;
	cpu->eflags |= result_flags(al);
	vmon_emu_set_reg(cpu, VMON_EAX, 2, al | ah << 8);
	return VMON_EMU_OK;
}
