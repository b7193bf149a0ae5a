// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware task switches between 32-bit TSSs.
 *
 * SDM vol. 3, 7.3. Up to the moment TR changes, a fault belongs to the old task
 * and leaves it as it was; from then on (e->keep) it belongs to the new one.
 * 16-bit TSSs are reported as unsupported.
 */
#include "emulator/internal.h"

/* Offsets in the 32-bit TSS, SDM vol. 3, figure 7-2. */
#define TSS_LINK	0x00
#define TSS_CR3		0x1c
#define TSS_EIP		0x20
#define TSS_TRAP	0x64
#define TSS_MIN_LIMIT	0x67
#define DR6_BT		0x8000u

/* The part that a switch saves and loads: offset TSS_EIP on. */
struct tss_state {
	u32 eip;
	u32 eflags;
	u32 gpr[VMON_NR_GPRS];
	u32 sreg[VMON_NR_SREGS];
	u32 ldt;
};

static int set_busy(struct vmon_emu *e, u32 desc_gva, bool busy)
{
	u8 byte;
	int ret = vmon_emu_sys_read(e, desc_gva + 5, &byte, 1);

	if (ret != VMON_EMU_OK)
		return ret;
	byte = busy ? byte | 2 : byte & ~2;
	return vmon_emu_sys_write(e, desc_gva + 5, &byte, 1);
}

static int save_old(struct vmon_emu *e, u32 eflags)
{
	struct vmon_cpu *cpu = e->cpu;
	struct tss_state s;
	unsigned int i;

	s.eip = cpu->eip;
	s.eflags = eflags;
	memcpy(s.gpr, cpu->gpr, sizeof(s.gpr));
	for (i = 0; i < VMON_NR_SREGS; i++)
		s.sreg[i] = cpu->seg[i].sel;
	return vmon_emu_sys_write(e, cpu->seg[VMON_TR].base + TSS_EIP, &s,
				  sizeof(s) - sizeof(s.ldt));
}

static int load_ldt(struct vmon_emu *e, u16 sel)
{
	struct vmon_seg *ldt = &e->cpu->seg[VMON_LDTR];
	struct vmon_desc d;
	u16 code = sel & ~3;
	int ret;

	vmon_emu_seg_null(ldt, sel);
	if (!code)
		return VMON_EMU_OK;
	if (sel & 4)
		return vmon_emu_fault_code(e, VMON_EXC_TS, code);
	ret = vmon_emu_desc(e, sel, VMON_EXC_TS, &d);
	if (ret != VMON_EMU_OK)
		return ret;
	if (vmon_desc_s(&d) || vmon_desc_type(&d) != VMON_SYS_LDT ||
	    !vmon_desc_p(&d))
		return vmon_emu_fault_code(e, VMON_EXC_TS, code);
	vmon_emu_seg_set(ldt, sel, &d);
	return VMON_EMU_OK;
}

static int load_cs(struct vmon_emu *e, u16 sel, u32 eip)
{
	unsigned int rpl = sel & 3;
	u16 code = sel & ~3;
	struct vmon_desc d;
	bool allowed;
	int ret;

	if (!code)
		return vmon_emu_fault_code(e, VMON_EXC_TS, 0);
	ret = vmon_emu_desc(e, sel, VMON_EXC_TS, &d);
	if (ret != VMON_EMU_OK)
		return ret;
	if (vmon_desc_is_conforming(&d))
		allowed = vmon_desc_dpl(&d) <= rpl;
	else
		allowed = vmon_desc_dpl(&d) == rpl;
	if (!vmon_desc_is_code(&d) || !allowed)
		return vmon_emu_fault_code(e, VMON_EXC_TS, code);
	if (!vmon_desc_p(&d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	return vmon_emu_set_cs(e, sel, rpl, &d, eip);
}

/* MOV's checks, but what would be #GP is #TS in a task switch. */
static int load_data(struct vmon_emu *e, unsigned int sreg, u16 sel)
{
	int ret = vmon_emu_load_seg(e, sreg, sel);

	if (ret == VMON_EMU_FAULT && e->exc.vector == VMON_EXC_GP)
		e->exc.vector = VMON_EXC_TS;
	return ret;
}

static int load_segments(struct vmon_emu *e, const struct tss_state *s)
{
	static const u8 data[] = { VMON_ES, VMON_DS, VMON_FS, VMON_GS };
	struct vmon_cpu *cpu = e->cpu;
	unsigned int i;
	int ret;

	for (i = 0; i < VMON_NR_SREGS; i++)
		vmon_emu_seg_null(&cpu->seg[i], s->sreg[i]);
	ret = load_ldt(e, s->ldt);
	if (ret != VMON_EMU_OK)
		return ret;
	if (cpu->eflags & VMON_FL_VM) {
		for (i = 0; i < VMON_NR_SREGS; i++)
			vmon_emu_seg_set_real(e, i, s->sreg[i]);
		cpu->cpl = 3;
		return VMON_EMU_OK;
	}
	cpu->cpl = s->sreg[VMON_CS] & 3;
	ret = load_data(e, VMON_SS, s->sreg[VMON_SS]);
	for (i = 0; i < sizeof(data) && ret == VMON_EMU_OK; i++)
		ret = load_data(e, data[i], s->sreg[data[i]]);
	if (ret == VMON_EMU_OK)
		ret = load_cs(e, s->sreg[VMON_CS], s->eip);
	return ret;
}

static int check_new(struct vmon_emu *e, u16 sel, struct vmon_desc *d,
		     enum vmon_task_source source)
{
	bool back = source == VMON_TASK_IRET;	/* to a task that is busy */
	u8 vector = back ? VMON_EXC_TS : VMON_EXC_GP;
	u16 code = sel & ~3;
	unsigned int type;
	bool busy;
	int ret;

	if (!code || (sel & 4))
		return vmon_emu_fault_code(e, vector, code | (sel & 4));
	ret = vmon_emu_desc(e, sel, vector, d);
	if (ret != VMON_EMU_OK)
		return ret;
	type = vmon_desc_type(d);
	busy = type & 2;
	if (vmon_desc_s(d) || (type & 5) != 1 || busy != back)
		return vmon_emu_fault_code(e, vector, code);
	if (!vmon_desc_p(d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	if (!(type & 8) || !(e->cpu->seg[VMON_TR].attr & 8))
		return VMON_EMU_UNSUPPORTED;
	if (vmon_emu_desc_limit(d) < TSS_MIN_LIMIT)
		return vmon_emu_fault_code(e, VMON_EXC_TS, code);
	return VMON_EMU_OK;
}

/* Everything that touches memory on behalf of the old task. */
static int leave_old(struct vmon_emu *e, const struct vmon_desc *d, u32 base,
		     enum vmon_task_source source)
{
	const struct vmon_seg *tr = &e->cpu->seg[VMON_TR];
	bool nests = source == VMON_TASK_CALL || source == VMON_TASK_INT;
	u32 eflags = e->cpu->eflags;
	u16 link = tr->sel;
	int ret;

	if (source == VMON_TASK_IRET)
		eflags &= ~VMON_FL_NT;
	ret = save_old(e, eflags);
	if (ret == VMON_EMU_OK && nests)
		ret = vmon_emu_sys_write(e, base + TSS_LINK, &link, 2);
	if (ret == VMON_EMU_OK && !nests)
		ret = set_busy(e, e->cpu->gdtr.base + (tr->sel & ~7u), false);
	if (ret == VMON_EMU_OK && source != VMON_TASK_IRET)
		ret = set_busy(e, d->gva, true);
	return ret;
}

/**
 * vmon_emu_task_switch() - switch to the task of a TSS selector
 * @e:		emulator; cpu->eip is what the old task resumes at
 * @sel:	TSS selector; privilege has been checked
 * @source:	what caused the switch
 *
 * Return: enum vmon_emu_result; with e->keep set a fault is the new task's.
 */
int vmon_emu_task_switch(struct vmon_emu *e, u16 sel,
			 enum vmon_task_source source)
{
	struct vmon_cpu *cpu = e->cpu;
	struct vmon_desc d;
	struct tss_state s;
	struct vmon_seg tr;
	u32 cr3, trap, cr0 = cpu->cr0;
	int ret;

	ret = check_new(e, sel, &d, source);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_seg_set(&tr, sel, &d);
	tr.attr |= 2;
	ret = vmon_emu_sys_read(e, tr.base + TSS_EIP, &s, sizeof(s));
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_sys_read(e, tr.base + TSS_CR3, &cr3, 4);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_sys_read(e, tr.base + TSS_TRAP, &trap, 4);
	if (ret == VMON_EMU_OK)
		ret = leave_old(e, &d, tr.base, source);
	if (ret != VMON_EMU_OK)
		return ret;

	e->keep = true;
	e->keep_rf = true;
	cpu->seg[VMON_TR] = tr;
	cpu->cr0 |= VMON_CR0_TS;
	cpu->dr[7] &= ~0x55u;
	cpu->eip = s.eip;
	cpu->eflags = (s.eflags & 0x003f7fd5u) | VMON_FL_FIXED;
	if (source == VMON_TASK_CALL || source == VMON_TASK_INT)
		cpu->eflags |= VMON_FL_NT;
	memcpy(cpu->gpr, s.gpr, sizeof(cpu->gpr));
	ret = e->ops->set_cr(e, 0, cr0);
	if (ret == VMON_EMU_OK && (cpu->cr0 & VMON_CR0_PG))
		ret = vmon_emu_write_cr(e, 3, cr3);
	if (ret == VMON_EMU_OK)
		ret = load_segments(e, &s);
	if (ret == VMON_EMU_OK && (trap & 1)) {
		cpu->dr[6] |= DR6_BT;
		vmon_emu_fault(e, VMON_EXC_DB);
		e->exc.trap = true;
		return VMON_EMU_FAULT;
	}
	return ret;
}

/* IRET with NT set: back to the task that the link field names. */
int vmon_emu_task_return(struct vmon_emu *e)
{
	u16 link;
	int ret = vmon_emu_sys_read(e, e->cpu->seg[VMON_TR].base + TSS_LINK,
				    &link, 2);

	return ret == VMON_EMU_OK ?
		vmon_emu_task_switch(e, link, VMON_TASK_IRET) : ret;
}
