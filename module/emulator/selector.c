// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that work on selectors: loads and stores of segment registers,
 * and the queries LAR, LSL, VERR, VERW, ARPL.
 */
#include "emulator/internal.h"

int vmon_emu_op_mov_seg(struct vmon_emu *e)
{
	const struct vmon_opnd *dst = &e->insn.opnd[0];
	u16 sel;
	int ret;

	if (dst->kind == VMON_OPND_SREG) {
		if (dst->reg == VMON_CS || dst->reg >= VMON_NR_SREGS)
			return vmon_emu_ud(e);
		ret = vmon_emu_rm16_read(e, 1, &sel);
		if (ret == VMON_EMU_OK)
			ret = vmon_emu_load_seg(e, dst->reg, sel);
		if (ret == VMON_EMU_OK && dst->reg == VMON_SS)
			e->cpu->shadow = VMON_SHADOW_SS;
		return ret;
	}
	if (e->insn.opnd[1].reg >= VMON_NR_SREGS)
		return vmon_emu_ud(e);
	sel = e->cpu->seg[e->insn.opnd[1].reg].sel;
	if (dst->kind == VMON_OPND_MEM)
		return vmon_emu_mem_write(e, e->insn.seg, vmon_emu_ea(e), &sel,
					  2);
	vmon_emu_set_reg(e->cpu, dst->reg, e->insn.opsize, sel);
	return VMON_EMU_OK;
}

int vmon_emu_op_lds(struct vmon_emu *e)
{
	unsigned int size = e->insn.opsize, sreg;
	u8 ptr[6] = { 0 };
	u32 off = 0;
	u16 sel;
	int ret;

	switch (e->insn.opcode) {
	case 0xc4:
		sreg = VMON_ES;
		break;
	case 0xc5:
		sreg = VMON_DS;
		break;
	case 0xb2:
		sreg = VMON_SS;
		break;
	case 0xb4:
		sreg = VMON_FS;
		break;
	default:
		sreg = VMON_GS;
		break;
	}
	ret = vmon_emu_mem_read(e, e->insn.seg, vmon_emu_ea(e), ptr, size + 2);
	if (ret != VMON_EMU_OK)
		return ret;
	memcpy(&off, ptr, size);
	memcpy(&sel, ptr + size, 2);
	ret = vmon_emu_load_seg(e, sreg, sel);
	if (ret == VMON_EMU_OK)
		vmon_emu_set_reg(e->cpu, e->insn.opnd[0].reg, size, off);
	return ret;
}

static void set_zf(struct vmon_emu *e, bool zf)
{
	e->cpu->eflags &= ~VMON_FL_ZF;
	if (zf)
		e->cpu->eflags |= VMON_FL_ZF;
}

int vmon_emu_op_arpl(struct vmon_emu *e)
{
	u32 dst, src;
	int ret;

	if (!vmon_emu_prot(e->cpu))
		return vmon_emu_ud(e);
	/* Not a read-modify-write: the store happens only if RPL changes, as on Intel's CPUs. */
	ret = vmon_emu_opnd_read(e, 0, &dst);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_opnd_read(e, 1, &src);
	if (ret != VMON_EMU_OK)
		return ret;
	if ((dst & 3) >= (src & 3)) {
		set_zf(e, false);
		return VMON_EMU_OK;
	}
	ret = vmon_emu_opnd_write(e, 0, (dst & ~3u) | (src & 3));
	if (ret == VMON_EMU_OK)
		set_zf(e, true);
	return ret;
}

/*
 * Read the descriptor for a query. A selector that names nothing is an answer
 * (ZF clear), not an exception: *@found tells.
 */
static int query(struct vmon_emu *e, u16 sel, struct vmon_desc *d, bool *found)
{
	int ret;

	*found = false;
	if (!(sel & ~3))
		return VMON_EMU_OK;
	ret = vmon_emu_desc(e, sel, VMON_EXC_GP, d);
	if (ret == VMON_EMU_OK)
		*found = true;
	else if (ret == VMON_EMU_FAULT && e->exc.vector == VMON_EXC_GP)
		ret = VMON_EMU_OK;
	return ret;
}

static bool visible(const struct vmon_emu *e, u16 sel,
		    const struct vmon_desc *d)
{
	unsigned int dpl = vmon_desc_dpl(d);

	return vmon_desc_is_conforming(d) ||
	       (dpl >= e->cpu->cpl && dpl >= (sel & 3u));
}

/* System types that LAR and LSL know, SDM vol. 2, LAR and LSL. */
#define BIT_OF(n)	(1u << (n))
#define LAR_TYPES	(BIT_OF(1) | BIT_OF(2) | BIT_OF(3) | BIT_OF(4) | \
			 BIT_OF(5) | BIT_OF(9) | BIT_OF(11) | BIT_OF(12))
#define LSL_TYPES	(BIT_OF(1) | BIT_OF(2) | BIT_OF(3) | BIT_OF(9) | \
			 BIT_OF(11))

int vmon_emu_op_lar(struct vmon_emu *e)
{
	bool lsl = e->insn.op == VMON_OP_LSL, found;
	u32 types = lsl ? LSL_TYPES : LAR_TYPES;
	struct vmon_desc d;
	u16 sel;
	int ret;

	if (!vmon_emu_prot(e->cpu))
		return vmon_emu_ud(e);
	ret = vmon_emu_rm16_read(e, 1, &sel);
	if (ret == VMON_EMU_OK)
		ret = query(e, sel, &d, &found);
	if (ret != VMON_EMU_OK)
		return ret;
	if (found && !vmon_desc_s(&d) && !(types >> vmon_desc_type(&d) & 1))
		found = false;
	if (found && !visible(e, sel, &d))
		found = false;
	set_zf(e, found);
	if (found)
		vmon_emu_set_reg(e->cpu, e->insn.opnd[0].reg, e->insn.opsize,
				 lsl ? vmon_emu_desc_limit(&d) :
				 d.hi & 0x00f0ff00);
	return VMON_EMU_OK;
}

int vmon_emu_op_verr(struct vmon_emu *e)
{
	bool ok;
	struct vmon_desc d;
	u16 sel = 0;
	int ret;

	if (!vmon_emu_prot(e->cpu))
		return vmon_emu_ud(e);
	ret = vmon_emu_rm16_read(e, 0, &sel);
	e->verified = sel;
	if (ret == VMON_EMU_OK)
		ret = query(e, sel, &d, &ok);
	if (ret != VMON_EMU_OK)
		return ret;
	if (ok) {
		if (!vmon_desc_s(&d) || !visible(e, sel, &d))
			ok = false;
		else if (e->insn.op == VMON_OP_VERW)
			ok = vmon_desc_is_wdata(&d);
		else
			ok = !vmon_desc_is_code(&d) ||
			     (vmon_desc_attr(&d) & VMON_SEG_RW);
	}
	set_zf(e, ok);
	return VMON_EMU_OK;
}
