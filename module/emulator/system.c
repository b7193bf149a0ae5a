// SPDX-License-Identifier: GPL-2.0
/*
 * System instructions: control and debug registers, descriptor-table registers,
 * MSRs, time, HLT.
 *
 * The architectural checks are here; what a change means for translations and
 * devices is the business of the ops.
 */
#include "emulator/internal.h"

#define DR6_FIXED	0xffff0ff0u
#define DR6_WRITABLE	0x0000e00fu
#define DR6_BD		0x2000u
#define DR7_FIXED	0x00000400u
#define DR7_WRITABLE	0xffff23ffu
#define DR7_GD		0x2000u

static int require_cpl0(struct vmon_emu *e)
{
	return e->cpu->cpl ? vmon_emu_gp0(e) : VMON_EMU_OK;
}

static int write_cr0(struct vmon_emu *e, u32 val)
{
	struct vmon_cpu *cpu = e->cpu;
	u32 old = cpu->cr0;
	int ret;

	val = (val & VMON_CR0_DEFINED) | VMON_CR0_ET;
	if ((val & VMON_CR0_PG) && !(val & VMON_CR0_PE))
		return vmon_emu_gp0(e);
	if ((val & VMON_CR0_NW) && !(val & VMON_CR0_CD))
		return vmon_emu_gp0(e);
	cpu->cr0 = val;
	ret = e->ops->set_cr(e, 0, old);
	if (ret != VMON_EMU_OK)
		cpu->cr0 = old;
	return ret;
}

static int write_cr4(struct vmon_emu *e, u32 val)
{
	struct vmon_cpu *cpu = e->cpu;
	u32 old = cpu->cr4;
	int ret;

	if (val & ~VMON_CR4_GUEST)
		return vmon_emu_gp0(e);
	cpu->cr4 = val;
	ret = e->ops->set_cr(e, 4, old);
	if (ret != VMON_EMU_OK)
		cpu->cr4 = old;
	return ret;
}

static int write_cr3(struct vmon_emu *e, u32 val)
{
	struct vmon_cpu *cpu = e->cpu;
	u32 old = cpu->cr3;
	int ret;

	cpu->cr3 = val;
	ret = e->ops->set_cr(e, 3, old);
	if (ret != VMON_EMU_OK)
		cpu->cr3 = old;
	return ret;
}

/**
 * vmon_emu_write_cr() - MOV to a control register, without the CPL check
 * @e:		emulator
 * @cr:		0, 2, 3 or 4
 * @val:	value
 */
int vmon_emu_write_cr(struct vmon_emu *e, unsigned int cr, u32 val)
{
	switch (cr) {
	case 0:
		return write_cr0(e, val);
	case 2:
		e->cpu->cr2 = val;
		return VMON_EMU_OK;
	case 3:
		return write_cr3(e, val);
	case 4:
		return write_cr4(e, val);
	default:
		return vmon_emu_ud(e);
	}
}

int vmon_emu_op_mov_cr(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	bool to_cr = e->insn.opnd[0].kind == VMON_OPND_CR;
	unsigned int cr = e->insn.opnd[!to_cr].reg;
	u32 *reg = &cpu->gpr[e->insn.opnd[to_cr].reg];

	if (cr != 0 && cr != 2 && cr != 3 && cr != 4)
		return vmon_emu_ud(e);
	if (cpu->cpl)
		return vmon_emu_gp0(e);
	if (to_cr)
		return vmon_emu_write_cr(e, cr, *reg);
	switch (cr) {
	case 0:
		*reg = cpu->cr0;
		break;
	case 2:
		*reg = cpu->cr2;
		break;
	case 3:
		*reg = cpu->cr3;
		break;
	default:
		*reg = cpu->cr4;
		break;
	}
	return VMON_EMU_OK;
}

int vmon_emu_op_mov_dr(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	bool to_dr = e->insn.opnd[0].kind == VMON_OPND_DR;
	unsigned int dr = e->insn.opnd[!to_dr].reg;
	u32 *reg = &cpu->gpr[e->insn.opnd[to_dr].reg];

	if (dr == 4 || dr == 5) {
		if (cpu->cr4 & VMON_CR4_DE)
			return vmon_emu_ud(e);
		dr += 2;
	}
	if (cpu->cpl)
		return vmon_emu_gp0(e);
	if (cpu->dr[7] & DR7_GD) {
		cpu->dr[6] |= DR6_BD;
		return vmon_emu_fault(e, VMON_EXC_DB);
	}
	if (!to_dr) {
		*reg = cpu->dr[dr];
		return VMON_EMU_OK;
	}
	if (dr == 6)
		cpu->dr[6] = (*reg & DR6_WRITABLE) | DR6_FIXED;
	else if (dr == 7)
		cpu->dr[7] = (*reg & DR7_WRITABLE) | DR7_FIXED;
	else
		cpu->dr[dr] = *reg;
	return VMON_EMU_OK;
}

int vmon_emu_op_lmsw(struct vmon_emu *e)
{
	u32 bits = VMON_CR0_PE | VMON_CR0_MP | VMON_CR0_EM | VMON_CR0_TS;
	u32 cr0 = e->cpu->cr0;
	u16 val;
	int ret = require_cpl0(e);

	if (ret == VMON_EMU_OK)
		ret = vmon_emu_rm16_read(e, 0, &val);
	if (ret != VMON_EMU_OK)
		return ret;
	/* LMSW can set PE but not clear it. */
	return write_cr0(e, (cr0 & (~bits | VMON_CR0_PE)) | (val & bits));
}

int vmon_emu_op_smsw(struct vmon_emu *e)
{
	const struct vmon_opnd *opnd = &e->insn.opnd[0];

	if (opnd->kind == VMON_OPND_MEM)
		return vmon_emu_mem_write(e, e->insn.seg, vmon_emu_ea(e),
					  &e->cpu->cr0, 2);
	vmon_emu_set_reg(e->cpu, opnd->reg, e->insn.opsize, e->cpu->cr0);
	return VMON_EMU_OK;
}

int vmon_emu_op_clts(struct vmon_emu *e)
{
	int ret = require_cpl0(e);

	return ret == VMON_EMU_OK ?
		write_cr0(e, e->cpu->cr0 & ~VMON_CR0_TS) : ret;
}

int vmon_emu_op_dt_load(struct vmon_emu *e)
{
	struct vmon_dtr *dtr;
	u8 buf[6];
	int ret = require_cpl0(e);

	if (ret == VMON_EMU_OK)
		ret = vmon_emu_mem_read(e, e->insn.seg, vmon_emu_ea(e), buf, 6);
	if (ret != VMON_EMU_OK)
		return ret;
	dtr = e->insn.op == VMON_OP_LGDT ? &e->cpu->gdtr : &e->cpu->idtr;
	memcpy(&dtr->limit, buf, 2);
	memcpy(&dtr->base, buf + 2, 4);
	if (e->insn.opsize == 2)
		dtr->base &= 0x00ffffff;
	return VMON_EMU_OK;
}

int vmon_emu_op_dt_store(struct vmon_emu *e)
{
	const struct vmon_dtr *dtr;
	u8 buf[6];

	dtr = e->insn.op == VMON_OP_SGDT ? &e->cpu->gdtr : &e->cpu->idtr;
	memcpy(buf, &dtr->limit, 2);
	memcpy(buf + 2, &dtr->base, 4);
	return vmon_emu_mem_write(e, e->insn.seg, vmon_emu_ea(e), buf, 6);
}

/* LLDT and LTR: common checks; the descriptor comes from the GDT only. */
static int system_desc(struct vmon_emu *e, u16 *sel, struct vmon_desc *d)
{
	int ret;

	if (!vmon_emu_prot(e->cpu))
		return vmon_emu_ud(e);
	ret = require_cpl0(e);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_rm16_read(e, 0, sel);
	if (ret != VMON_EMU_OK || !(*sel & ~3))
		return ret;
	if (*sel & 4)
		return vmon_emu_fault_code(e, VMON_EXC_GP, *sel & ~3);
	return vmon_emu_desc(e, *sel, VMON_EXC_GP, d);
}

int vmon_emu_op_lldt(struct vmon_emu *e)
{
	struct vmon_seg *ldt = &e->cpu->seg[VMON_LDTR];
	struct vmon_desc d;
	u16 sel;
	int ret = system_desc(e, &sel, &d);

	if (ret != VMON_EMU_OK)
		return ret;
	if (!(sel & ~3)) {
		vmon_emu_seg_null(ldt, sel);
		return VMON_EMU_OK;
	}
	if (vmon_desc_s(&d) || vmon_desc_type(&d) != VMON_SYS_LDT)
		return vmon_emu_fault_code(e, VMON_EXC_GP, sel & ~3);
	if (!vmon_desc_p(&d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, sel & ~3);
	vmon_emu_seg_set(ldt, sel, &d);
	return VMON_EMU_OK;
}

int vmon_emu_op_ltr(struct vmon_emu *e)
{
	struct vmon_seg *tr = &e->cpu->seg[VMON_TR];
	struct vmon_desc d;
	u16 sel;
	u8 byte;
	int ret = system_desc(e, &sel, &d);

	if (ret != VMON_EMU_OK)
		return ret;
	if (!(sel & ~3))
		return vmon_emu_gp0(e);
	if (vmon_desc_s(&d) || (vmon_desc_type(&d) & 7) != VMON_SYS_TSS16)
		return vmon_emu_fault_code(e, VMON_EXC_GP, sel & ~3);
	if (!vmon_desc_p(&d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, sel & ~3);
	byte = (d.hi >> 8) | 2;
	ret = vmon_emu_sys_write(e, d.gva + 5, &byte, 1);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_seg_set(tr, sel, &d);
	tr->attr |= 2;
	return VMON_EMU_OK;
}

/* SLDT and STR. */
int vmon_emu_op_sel_store(struct vmon_emu *e)
{
	const struct vmon_opnd *opnd = &e->insn.opnd[0];
	u16 sel;

	if (!vmon_emu_prot(e->cpu))
		return vmon_emu_ud(e);
	sel = e->cpu->seg[e->insn.op == VMON_OP_SLDT ? VMON_LDTR : VMON_TR].sel;
	if (opnd->kind == VMON_OPND_MEM)
		return vmon_emu_mem_write(e, e->insn.seg, vmon_emu_ea(e), &sel,
					  2);
	vmon_emu_set_reg(e->cpu, opnd->reg, e->insn.opsize, sel);
	return VMON_EMU_OK;
}

int vmon_emu_op_invlpg(struct vmon_emu *e)
{
	const struct vmon_seg *seg = &e->cpu->seg[e->insn.seg];
	int ret = require_cpl0(e);

	/* The address is not checked; it is not an access. */
	if (ret == VMON_EMU_OK)
		e->ops->invlpg(e, seg->base + vmon_emu_ea(e));
	return ret;
}

/* INVD and WBINVD: caches are coherent here. */
int vmon_emu_op_cache(struct vmon_emu *e)
{
	return require_cpl0(e);
}

int vmon_emu_op_hlt(struct vmon_emu *e)
{
	int ret = require_cpl0(e);

	if (ret == VMON_EMU_OK)
		e->cpu->halted = true;
	return ret;
}

int vmon_emu_op_rdmsr(struct vmon_emu *e)
{
	u64 val = 0;
	int ret = require_cpl0(e);

	if (ret != VMON_EMU_OK)
		return ret;
	if (!e->ops->rdmsr(e, e->cpu->gpr[VMON_ECX], &val))
		return vmon_emu_gp0(e);
	e->cpu->gpr[VMON_EAX] = val;
	e->cpu->gpr[VMON_EDX] = val >> 32;
	return VMON_EMU_OK;
}

int vmon_emu_op_wrmsr(struct vmon_emu *e)
{
	u32 *r = e->cpu->gpr;
	int ret = require_cpl0(e);

	if (ret != VMON_EMU_OK)
		return ret;
	if (!e->ops->wrmsr(e, r[VMON_ECX],
			   r[VMON_EAX] | (u64)r[VMON_EDX] << 32))
		return vmon_emu_gp0(e);
	return VMON_EMU_OK;
}

int vmon_emu_op_rdtsc(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	u64 tsc;

	if ((cpu->cr4 & VMON_CR4_TSD) && cpu->cpl)
		return vmon_emu_gp0(e);
	tsc = e->ops->tsc(e);
	cpu->gpr[VMON_EAX] = tsc;
	cpu->gpr[VMON_EDX] = tsc >> 32;
	return VMON_EMU_OK;
}

/* No counter exists, so every number is out of range. */
int vmon_emu_op_rdpmc(struct vmon_emu *e)
{
	return vmon_emu_gp0(e);
}

int vmon_emu_op_cpuid(struct vmon_emu *e)
{
	u32 *r = e->cpu->gpr;

	e->ops->cpuid(e, &r[VMON_EAX], &r[VMON_EBX], &r[VMON_ECX],
		      &r[VMON_EDX]);
	return VMON_EMU_OK;
}
