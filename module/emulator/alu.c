// SPDX-License-Identifier: GPL-2.0
/*
 * Handlers of arithmetic, logic, shift, bit and exchange instructions.
 *
 * The computing itself is in flags.c; here operands are fetched and stored in
 * the order that lets a fault happen before anything has changed.
 */
#include "emulator/internal.h"

int vmon_emu_op_arith(struct vmon_emu *e)
{
	unsigned int size = e->insn.opnd[0].size;
	u32 a, b, r, fl = e->cpu->eflags;
	int ret;

	ret = vmon_emu_opnd_read(e, 1, &b);
	if (ret != VMON_EMU_OK)
		return ret;
	if (e->insn.op == VMON_OP_CMP) {
		ret = vmon_emu_opnd_read(e, 0, &a);
		if (ret == VMON_EMU_OK)
			vmon_emu_arith(VMON_OP_CMP, size, a, b,
				       &e->cpu->eflags);
		return ret;
	}
	ret = vmon_emu_opnd_rmw(e, 0, &a);
	if (ret != VMON_EMU_OK)
		return ret;
	r = vmon_emu_arith(e->insn.op, size, a, b, &fl);
	ret = vmon_emu_opnd_commit(e, 0, a, r);
	if (ret == VMON_EMU_OK)
		e->cpu->eflags = fl;
	return ret;
}

int vmon_emu_op_test(struct vmon_emu *e)
{
	u32 a, b;
	int ret = vmon_emu_opnd_read(e, 0, &a);

	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_read(e, 1, &b);
	if (ret == VMON_EMU_OK)
		vmon_emu_arith(VMON_OP_TEST, e->insn.opnd[0].size, a, b,
			       &e->cpu->eflags);
	return ret;
}

int vmon_emu_op_unary(struct vmon_emu *e)
{
	u32 a, r, fl = e->cpu->eflags;
	int ret = vmon_emu_opnd_rmw(e, 0, &a);

	if (ret != VMON_EMU_OK)
		return ret;
	r = vmon_emu_unary(e->insn.op, e->insn.opnd[0].size, a, &fl);
	ret = vmon_emu_opnd_commit(e, 0, a, r);
	if (ret == VMON_EMU_OK)
		e->cpu->eflags = fl;
	return ret;
}

/* C0 C1: imm8; D0 D1: one; D2 D3: CL. */
static u8 shift_count(const struct vmon_emu *e)
{
	switch (e->insn.opcode & 0xfe) {
	case 0xc0:
		return e->insn.imm;
	case 0xd0:
		return 1;
	default:
		return e->cpu->gpr[VMON_ECX];
	}
}

int vmon_emu_op_shift(struct vmon_emu *e)
{
	u32 a, r, fl = e->cpu->eflags;
	int ret = vmon_emu_opnd_rmw(e, 0, &a);

	if (ret != VMON_EMU_OK)
		return ret;
	r = vmon_emu_shift(e->insn.op, e->insn.opnd[0].size, a, shift_count(e),
			   &fl);
	ret = vmon_emu_opnd_commit(e, 0, a, r);
	if (ret == VMON_EMU_OK)
		e->cpu->eflags = fl;
	return ret;
}

int vmon_emu_op_shiftd(struct vmon_emu *e)
{
	u8 count = e->insn.opcode & 1 ? e->cpu->gpr[VMON_ECX] : e->insn.imm;
	u32 a, b, r, fl = e->cpu->eflags;
	int ret = vmon_emu_opnd_read(e, 1, &b);

	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_rmw(e, 0, &a);
	if (ret != VMON_EMU_OK)
		return ret;
	r = vmon_emu_shiftd(e->insn.op == VMON_OP_SHLD, e->insn.opsize, a, b,
			    count, &fl);
	ret = vmon_emu_opnd_commit(e, 0, a, r);
	if (ret == VMON_EMU_OK)
		e->cpu->eflags = fl;
	return ret;
}

int vmon_emu_op_xadd(struct vmon_emu *e)
{
	unsigned int size = e->insn.opnd[0].size;
	u32 a, b, r, fl = e->cpu->eflags;
	int ret = vmon_emu_opnd_rmw(e, 0, &a);

	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_read(e, 1, &b);
	if (ret != VMON_EMU_OK)
		return ret;
	r = vmon_emu_arith(VMON_OP_ADD, size, a, b, &fl);
	if (e->insn.opnd[0].kind == VMON_OPND_MEM) {
		ret = vmon_emu_opnd_commit(e, 0, a, r);
		if (ret != VMON_EMU_OK)
			return ret;
		vmon_emu_opnd_write(e, 1, a);
	} else {
		/* With the same register twice the sum wins. */
		vmon_emu_opnd_write(e, 1, a);
		vmon_emu_opnd_write(e, 0, r);
	}
	e->cpu->eflags = fl;
	return VMON_EMU_OK;
}

int vmon_emu_op_xchg(struct vmon_emu *e)
{
	unsigned int m = e->insn.opnd[1].kind == VMON_OPND_MEM;
	u32 a, b;
	int ret = vmon_emu_opnd_rmw(e, m, &a);

	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_read(e, !m, &b);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_commit(e, m, a, b);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_write(e, !m, a);
	return ret;
}

int vmon_emu_op_cmpxchg(struct vmon_emu *e)
{
	unsigned int size = e->insn.opnd[0].size;
	u32 a, b, acc, fl = e->cpu->eflags;
	int ret = vmon_emu_opnd_rmw(e, 0, &a);

	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_read(e, 1, &b);
	if (ret != VMON_EMU_OK)
		return ret;
	acc = vmon_emu_reg(e->cpu, VMON_EAX, size);
	vmon_emu_arith(VMON_OP_CMP, size, acc, a, &fl);
	/* The destination gets a write cycle in either case. */
	ret = vmon_emu_opnd_commit(e, 0, a, acc == a ? b : a);
	if (ret != VMON_EMU_OK)
		return ret;
	if (acc != a)
		vmon_emu_set_reg(e->cpu, VMON_EAX, size, a);
	e->cpu->eflags = fl;
	return VMON_EMU_OK;
}

int vmon_emu_op_cmpxchg8b(struct vmon_emu *e)
{
	unsigned int acc = VMON_ACC_W | vmon_emu_acc(e->cpu);
	u32 *r = e->cpu->gpr;
	u64 want = r[VMON_EAX] | (u64)r[VMON_EDX] << 32;
	u64 with = r[VMON_EBX] | (u64)r[VMON_ECX] << 32;
	u64 old, new, was;
	u32 gva;
	int ret = vmon_emu_mem_gva(e, 8, VMON_ACC_W, &gva);

	if (ret == VMON_EMU_OK)
		ret = e->ops->read(e, gva, &old, 8, acc);
	if (ret != VMON_EMU_OK)
		return ret;
	new = old == want ? with : old;
	was = old;
	if ((e->insn.prefixes & VMON_P_LOCK) && e->ops->cmpxchg)
		ret = e->ops->cmpxchg(e, gva, &was, &new, 8, acc);
	else
		ret = e->ops->write(e, gva, &new, 8, acc);
	if (ret != VMON_EMU_OK)
		return ret;
	if (was != old)
		return VMON_EMU_AGAIN;
	if (old == want) {
		e->cpu->eflags |= VMON_FL_ZF;
	} else {
		e->cpu->eflags &= ~VMON_FL_ZF;
		r[VMON_EAX] = old;
		r[VMON_EDX] = old >> 32;
	}
	return VMON_EMU_OK;
}

/*
 * BT, BTS, BTR, BTC. With a register bit offset and a memory operand the offset
 * is signed and reaches beyond the operand (SDM vol. 2, BT).
 */
int vmon_emu_op_bittest(struct vmon_emu *e)
{
	unsigned int size = e->insn.opsize;
	unsigned int acc = vmon_emu_acc(e->cpu);
	bool mem = e->insn.opnd[0].kind == VMON_OPND_MEM;
	bool store = e->insn.op != VMON_OP_BT;
	u32 a = 0, r, bit, idx, ea;
	int ret;

	ret = vmon_emu_opnd_read(e, 1, &idx);
	if (ret != VMON_EMU_OK)
		return ret;
	bit = 1u << (idx & (size * 8 - 1));
	if (mem) {
		ea = vmon_emu_ea(e);
		if (e->insn.opnd[1].kind == VMON_OPND_REG) {
			s32 off = vmon_emu_sign_extend(idx, size);

			ea += (off >> (size == 4 ? 5 : 4)) * (s32)size;
			if (e->insn.adsize == 2)
				ea &= 0xffff;
		}
		if (store)
			acc |= VMON_ACC_W;
		ret = vmon_emu_linear(e, e->insn.seg, ea, size, acc,
				      &e->rmw_gva);
		if (ret == VMON_EMU_OK)
			ret = e->ops->read(e, e->rmw_gva, &a, size, acc);
	} else {
		ret = vmon_emu_opnd_read(e, 0, &a);
	}
	if (ret != VMON_EMU_OK)
		return ret;
	r = a;
	if (e->insn.op == VMON_OP_BTS)
		r |= bit;
	else if (e->insn.op == VMON_OP_BTR)
		r &= ~bit;
	else if (e->insn.op == VMON_OP_BTC)
		r ^= bit;
	if (store) {
		ret = vmon_emu_opnd_commit(e, 0, a, r);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	e->cpu->eflags &= ~VMON_FL_CF;
	if (a & bit)
		e->cpu->eflags |= VMON_FL_CF;
	return VMON_EMU_OK;
}

int vmon_emu_op_scan(struct vmon_emu *e)
{
	u32 src, dst;
	int ret = vmon_emu_opnd_read(e, 1, &src);

	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_opnd_read(e, 0, &dst);
	dst = vmon_emu_scan(e->insn.op, e->insn.opsize, dst, src,
			    &e->cpu->eflags);
	return vmon_emu_opnd_write(e, 0, dst);
}

/* ADCX and ADOX: add with carry in CF or OF, no other flag touched. */
int vmon_emu_op_adx(struct vmon_emu *e)
{
	u32 flag = e->insn.op == VMON_OP_ADCX ? VMON_FL_CF : VMON_FL_OF;
	u32 dst, src;
	u64 sum;
	int ret = vmon_emu_opnd_read(e, 1, &src);

	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_opnd_read(e, 0, &dst);
	sum = (u64)dst + src + !!(e->cpu->eflags & flag);
	e->cpu->eflags &= ~flag;
	if (sum >> 32)
		e->cpu->eflags |= flag;
	return vmon_emu_opnd_write(e, 0, sum);
}

/* CRC-32C, polynomial 0x11EDC6F41, reflected. */
int vmon_emu_op_crc32(struct vmon_emu *e)
{
	unsigned int bits = e->insn.opnd[1].size * 8, i;
	u32 src, crc = e->cpu->gpr[e->insn.opnd[0].reg];
	int ret = vmon_emu_opnd_read(e, 1, &src);

	if (ret != VMON_EMU_OK)
		return ret;
	crc ^= src;
	for (i = 0; i < bits; i++)
		crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	e->cpu->gpr[e->insn.opnd[0].reg] = crc;
	return VMON_EMU_OK;
}
