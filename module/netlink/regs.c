// SPDX-License-Identifier: GPL-2.0
/*
 * Registers from and for the owner.
 *
 * What runs the guest takes its CPU for one that can exist: modes, privilege level and
 * segments that agree. So registers of none are refused here, once.
 *
 * Pure: compiles in the kernel and in userspace.
 */
#include <linux/string.h>
#include "netlink/regs.h"

/* Bits that are always 0: SDM vol. 1, 3.4.3. */
#define EFLAGS_RESERVED	0xffc08028u

#define SEG_ATTRS	0xf0ffu		/* of descriptor bits 40..55, without the limit */

static const char *mode_refusal(const struct vmon_regs *r)
{
	const struct vmon_regs_seg *ss = &r->seg[VMON_SS];

	if (!(r->cr0 & VMON_CR0_PE)) {
		if (r->cpl || r->eflags & VMON_FL_VM)
			return "regs: real mode (cr0 without PE) has cpl 0 and no eflags.VM";
		return NULL;
	}
	if (r->eflags & VMON_FL_VM)
		return r->cpl == 3 ? NULL : "regs: virtual-8086 mode has cpl 3";
	if (!(r->seg[VMON_CS].attr & VMON_SEG_P))
		return "regs: cs is not present";
	if ((ss->attr & VMON_SEG_P) && vmon_seg_dpl(ss) != r->cpl)
		return "regs: cpl is not the privilege level of ss";
	return NULL;
}

static const char *seg_refusal(const struct vmon_regs_seg *s)
{
	if (s->attr & ~SEG_ATTRS)
		return "regs: a segment's attr has bits of the limit";
	if (!(s->attr & VMON_SEG_P))
		return NULL;
	if (s->attr & VMON_SEG_G ? (s->limit & 0xfff) != 0xfff : s->limit > 0xfffff)
		return "regs: a segment's limit is none that its granularity can give";
	return NULL;
}

const char *vmon_regs_refusal(const struct vmon_regs *r)
{
	const char *why;
	unsigned int i;

	if (r->cpl > 3)
		return "regs: cpl is 0 to 3";
	if (r->pad)
		return "regs: pad must be 0";
	if (r->gdt_limit > 0xffff || r->idt_limit > 0xffff)
		return "regs: descriptor table limits have 16 bits";
	if (r->eflags & EFLAGS_RESERVED)
		return "regs: eflags has reserved bits";
	if (r->cr0 & ~VMON_CR0_DEFINED)
		return "regs: cr0 has reserved bits";
	if (r->cr4 & ~VMON_CR4_GUEST)
		return "regs: cr4 has bits that the guest's CPU lacks";
	if ((r->cr0 & VMON_CR0_PG) && !(r->cr0 & VMON_CR0_PE))
		return "regs: cr0 has PG without PE";
	if ((r->cr0 & VMON_CR0_PG) && (r->cr4 & VMON_CR4_PAE))
		return "regs: PAE paging cannot be set from outside, the guest must turn it on";
	if ((r->cr0 & VMON_CR0_NW) && !(r->cr0 & VMON_CR0_CD))
		return "regs: cr0 has NW without CD";
	for (i = 0; i < VMON_NR_SEGS; i++) {
		why = seg_refusal(&r->seg[i]);
		if (why)
			return why;
	}
	return mode_refusal(r);
}

void vmon_regs_set(struct vmon_cpu *cpu, const struct vmon_regs *r)
{
	unsigned int i;

	for (i = 0; i < VMON_NR_GPRS; i++)
		cpu->gpr[i] = r->gpr[i];
	for (i = 0; i < VMON_NR_SEGS; i++)
		cpu->seg[i] = (struct vmon_seg) {
			.base = r->seg[i].base, .limit = r->seg[i].limit,
			.sel = r->seg[i].sel, .attr = r->seg[i].attr,
		};
	cpu->eip = r->eip;
	cpu->eflags = r->eflags | VMON_FL_FIXED;
	cpu->gdtr = (struct vmon_dtr) { r->gdt_base, r->gdt_limit };
	cpu->idtr = (struct vmon_dtr) { r->idt_base, r->idt_limit };
	cpu->cr0 = r->cr0 | VMON_CR0_ET;
	cpu->cr2 = r->cr2;
	cpu->cr3 = r->cr3;
	cpu->cr4 = r->cr4;
	memcpy(cpu->dr, r->dr, sizeof(cpu->dr));
	cpu->cpl = r->cpl;
	cpu->shadow = 0;
	cpu->halted = false;
	cpu->shutdown = false;
}

void vmon_regs_get(const struct vmon_cpu *cpu, struct vmon_regs *r)
{
	unsigned int i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < VMON_NR_GPRS; i++)
		r->gpr[i] = cpu->gpr[i];
	for (i = 0; i < VMON_NR_SEGS; i++)
		r->seg[i] = (struct vmon_regs_seg) {
			.base = cpu->seg[i].base, .limit = cpu->seg[i].limit,
			.sel = cpu->seg[i].sel, .attr = cpu->seg[i].attr,
		};
	r->eip = cpu->eip;
	r->eflags = cpu->eflags;
	r->gdt_base = cpu->gdtr.base;
	r->gdt_limit = cpu->gdtr.limit;
	r->idt_base = cpu->idtr.base;
	r->idt_limit = cpu->idtr.limit;
	r->cr0 = cpu->cr0;
	r->cr2 = cpu->cr2;
	r->cr3 = cpu->cr3;
	r->cr4 = cpu->cr4;
	memcpy(r->dr, cpu->dr, sizeof(r->dr));
	r->cpl = cpu->cpl;
}
