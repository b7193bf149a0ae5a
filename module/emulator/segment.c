// SPDX-License-Identifier: GPL-2.0
/*
 * Segmentation: limit and type checks, descriptors, loading data segments.
 *
 * The hidden part of a segment register is all that an access consults; the
 * tables are read when a selector is loaded and at no other time.
 * SDM vol. 3, chapters 3 and 5.
 */
#include "emulator/internal.h"

/* May the segment be accessed this way at all? Protected mode only. */
static bool type_allows(const struct vmon_seg *seg, unsigned int acc)
{
	if (!(seg->attr & VMON_SEG_P))
		return false;
	if (acc & VMON_ACC_X)
		return true;
	if (acc & VMON_ACC_W)
		return (seg->attr & (VMON_SEG_CODE | VMON_SEG_RW)) ==
		       VMON_SEG_RW;
	return (seg->attr & (VMON_SEG_CODE | VMON_SEG_RW)) != VMON_SEG_CODE;
}

static bool limit_allows(const struct vmon_seg *seg, u32 off, unsigned int len)
{
	u32 last = off + len - 1;

	if ((seg->attr & (VMON_SEG_S | VMON_SEG_CODE | VMON_SEG_EC)) ==
	    (VMON_SEG_S | VMON_SEG_EC)) {
		u32 top = seg->attr & VMON_SEG_DB ? 0xffffffff : 0xffff;

		return off > seg->limit && last <= top && last >= off;
	}
	/* An access that wraps in a 4 GiB segment is let through. */
	return seg->limit == 0xffffffff || (last <= seg->limit && last >= off);
}

/**
 * vmon_emu_seg_linear() - check an access against a segment
 * @e:		emulator
 * @seg:	segment, not necessarily in a register yet
 * @vector:	exception to raise, #SS or #GP
 * @code:	its error code
 * @off:	offset
 * @len:	bytes
 * @acc:	VMON_ACC_*
 * @gva:	linear address
 */
int vmon_emu_seg_linear(struct vmon_emu *e, const struct vmon_seg *seg,
			u8 vector, u16 code, u32 off, unsigned int len,
			unsigned int acc, u32 *gva)
{
	if ((vmon_emu_prot(e->cpu) && !type_allows(seg, acc)) ||
	    !limit_allows(seg, off, len))
		return vmon_emu_fault_code(e, vector, code);
	*gva = seg->base + off;
	vmon_emu_watch(e, *gva, len, acc);
	return VMON_EMU_OK;
}

int vmon_emu_linear(struct vmon_emu *e, unsigned int sreg, u32 offset,
		    unsigned int len, unsigned int acc, u32 *gva)
{
	return vmon_emu_seg_linear(e, &e->cpu->seg[sreg],
				   sreg == VMON_SS ? VMON_EXC_SS : VMON_EXC_GP,
				   0, offset, len, acc, gva);
}

/**
 * vmon_emu_desc() - read the descriptor that a selector names
 * @e:		emulator
 * @sel:	selector, not null
 * @vector:	exception if the table has no such entry; error code @sel
 * @d:		result
 */
int vmon_emu_desc(struct vmon_emu *e, u16 sel, u8 vector, struct vmon_desc *d)
{
	const struct vmon_cpu *cpu = e->cpu;
	u32 base = cpu->gdtr.base, limit = cpu->gdtr.limit, raw[2];
	int ret;

	if (sel & 4) {
		const struct vmon_seg *ldt = &cpu->seg[VMON_LDTR];

		if (!(ldt->attr & VMON_SEG_P))
			return vmon_emu_fault_code(e, vector, sel & ~3);
		base = ldt->base;
		limit = ldt->limit;
	}
	if ((sel | 7u) > limit)
		return vmon_emu_fault_code(e, vector, sel & ~3);
	d->gva = base + (sel & ~7u);
	ret = vmon_emu_sys_read(e, d->gva, raw, sizeof(raw));
	if (ret != VMON_EMU_OK)
		return ret;
	d->lo = raw[0];
	d->hi = raw[1];
	return VMON_EMU_OK;
}

/* Set the accessed bit of a code or data descriptor in its table. */
int vmon_emu_desc_touch(struct vmon_emu *e, const struct vmon_desc *d)
{
	u8 byte = d->hi >> 8;

	if (byte & VMON_SEG_A)
		return VMON_EMU_OK;
	byte |= VMON_SEG_A;
	return vmon_emu_sys_write(e, d->gva + 5, &byte, 1);
}

u32 vmon_emu_desc_limit(const struct vmon_desc *d)
{
	u32 limit = (d->lo & 0xffff) | (d->hi & 0xf0000);

	return d->hi & 0x800000 ? limit << 12 | 0xfff : limit;
}

/* Fill a segment register from a descriptor that passed its checks. */
void vmon_emu_seg_set(struct vmon_seg *seg, u16 sel, const struct vmon_desc *d)
{
	seg->sel = sel;
	seg->base = d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000);
	seg->limit = vmon_emu_desc_limit(d);
	seg->attr = vmon_desc_attr(d);
	if (seg->attr & VMON_SEG_S)
		seg->attr |= VMON_SEG_A;
}

void vmon_emu_seg_null(struct vmon_seg *seg, u16 sel)
{
	seg->sel = sel;
	seg->base = 0;
	seg->attr = 0;
}

/*
 * Real mode leaves limit and size as they are ("unreal" mode depends on it);
 * virtual-8086 mode sets them (SDM vol. 3, 20.2).
 */
void vmon_emu_seg_set_real(struct vmon_emu *e, unsigned int sreg, u16 sel)
{
	struct vmon_seg *seg = &e->cpu->seg[sreg];

	seg->sel = sel;
	seg->base = (u32)sel << 4;
	if (e->cpu->eflags & VMON_FL_VM) {
		seg->limit = 0xffff;
		seg->attr = VMON_SEG_P | VMON_SEG_DPL | VMON_SEG_S |
			    VMON_SEG_RW | VMON_SEG_A;
	} else {
		seg->attr &= VMON_SEG_DB | VMON_SEG_G | VMON_SEG_AVL;
		seg->attr |= VMON_SEG_P | VMON_SEG_S | VMON_SEG_RW | VMON_SEG_A;
	}
}

static int check_stack_segment(struct vmon_emu *e, u16 sel, unsigned int cpl,
			       u8 vector, struct vmon_desc *d)
{
	u16 code = sel & ~3;
	int ret;

	if (!code)
		return vmon_emu_fault_code(e, vector, 0);
	ret = vmon_emu_desc(e, sel, vector, d);
	if (ret != VMON_EMU_OK)
		return ret;
	if ((sel & 3) != cpl || vmon_desc_dpl(d) != cpl ||
	    !vmon_desc_is_wdata(d))
		return vmon_emu_fault_code(e, vector, code);
	if (!vmon_desc_p(d))
		return vmon_emu_fault_code(e, VMON_EXC_SS, code);
	return VMON_EMU_OK;
}

static int check_data_segment(struct vmon_emu *e, u16 sel, struct vmon_desc *d)
{
	unsigned int cpl = e->cpu->cpl, rpl = sel & 3;
	u16 code = sel & ~3;
	int ret = vmon_emu_desc(e, sel, VMON_EXC_GP, d);

	if (ret != VMON_EMU_OK)
		return ret;
	if (!vmon_desc_s(d) ||
	    (vmon_desc_attr(d) & (VMON_SEG_CODE | VMON_SEG_RW)) == VMON_SEG_CODE)
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_is_conforming(d) &&
	    (vmon_desc_dpl(d) < cpl || vmon_desc_dpl(d) < rpl))
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_p(d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	return VMON_EMU_OK;
}

int vmon_emu_load_seg(struct vmon_emu *e, unsigned int sreg, u16 sel)
{
	struct vmon_cpu *cpu = e->cpu;
	struct vmon_desc d;
	int ret;

	if (!vmon_emu_prot(cpu)) {
		vmon_emu_seg_set_real(e, sreg, sel);
		return VMON_EMU_OK;
	}
	if (sreg != VMON_SS && !(sel & ~3)) {
		vmon_emu_seg_null(&cpu->seg[sreg], sel);
		return VMON_EMU_OK;
	}
	if (sreg == VMON_SS)
		ret = check_stack_segment(e, sel, cpu->cpl, VMON_EXC_GP, &d);
	else
		ret = check_data_segment(e, sel, &d);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_desc_touch(e, &d);
	if (ret == VMON_EMU_OK)
		vmon_emu_seg_set(&cpu->seg[sreg], sel, &d);
	return ret;
}

/**
 * vmon_emu_seg_revalidate() - drop data segments that the new CPL may not see
 * @cpu:	CPU that has just returned to an outer ring
 *
 * SDM vol. 3, 5.8.6: registers that refer to data or nonconforming code with
 * DPL below CPL are loaded with the null selector.
 */
void vmon_emu_seg_revalidate(struct vmon_cpu *cpu)
{
	static const u8 regs[] = { VMON_ES, VMON_DS, VMON_FS, VMON_GS };
	unsigned int i;

	for (i = 0; i < sizeof(regs); i++) {
		struct vmon_seg *seg = &cpu->seg[regs[i]];
		u16 conforming = VMON_SEG_CODE | VMON_SEG_EC;

		if ((seg->attr & VMON_SEG_P) &&
		    (seg->attr & conforming) != conforming &&
		    vmon_seg_dpl(seg) < cpu->cpl)
			vmon_emu_seg_null(seg, 0);
	}
}

/**
 * vmon_emu_inner_stack() - the stack that the TSS names for an inner ring
 * @e:		emulator
 * @dpl:	ring, 0 to 2
 * @ss:		stack segment, checked
 * @esp:	stack pointer
 *
 * Return: VMON_EMU_OK, or VMON_EMU_FAULT (#TS, #SS, #PF).
 */
int vmon_emu_inner_stack(struct vmon_emu *e, unsigned int dpl,
			 struct vmon_seg *ss, u32 *esp)
{
	const struct vmon_seg *tr = &e->cpu->seg[VMON_TR];
	bool tss32 = tr->attr & 8;
	u32 off = tss32 ? 4 + 8 * dpl : 2 + 4 * dpl;
	unsigned int width = tss32 ? 4 : 2;
	struct vmon_desc d;
	u16 sel;
	int ret;

	if (!(tr->attr & VMON_SEG_P) || off + width + 1 > tr->limit)
		return vmon_emu_fault_code(e, VMON_EXC_TS, tr->sel & ~3);
	*esp = 0;
	ret = vmon_emu_sys_read(e, tr->base + off, esp, width);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_sys_read(e, tr->base + off + width, &sel, 2);
	if (ret == VMON_EMU_OK)
		ret = check_stack_segment(e, sel, dpl, VMON_EXC_TS, &d);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_desc_touch(e, &d);
	if (ret == VMON_EMU_OK)
		vmon_emu_seg_set(ss, sel, &d);
	return ret;
}
