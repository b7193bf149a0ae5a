// SPDX-License-Identifier: GPL-2.0
/*
 * Preparing what switch/resident.S does without leaving the guest's world: system
 * calls by gate and by SYSENTER, and the IRET or SYSEXIT that ends them.
 *
 * It is prepared for what the guest's tables say now and for the segments that its
 * ring 3 used last. Nothing is traced: resident.S compares, and what it finds
 * different leaves for the host and is done in full there.
 */
#include <linux/string.h>

#include "vm/exec_internal.h"

#define GATE_32		0x0e	/* type of a 32-bit interrupt gate; bit 0: trap gate */
#define TSS_32_BUSY	0x0b
#define TSS_ESP0	4

/* Flat segments of ring 0, accessed, AVL aside. */
#define FLAT_CODE	(VMON_SEG_G | VMON_SEG_DB | VMON_SEG_P | VMON_SEG_S | \
			 VMON_SEG_CODE | VMON_SEG_RW | VMON_SEG_A)
#define FLAT_DATA	(FLAT_CODE & ~VMON_SEG_CODE)

static_assert(VMON_RES_QUADS == VMON_GDT_RAW);

static const u8 cached[3] = { VMON_ES, VMON_DS, VMON_FS };

/* May resident.S read @len bytes at this guest linear address, and did we? */
static bool read_guest(struct vmon_exec *x, u32 gva, void *buf, unsigned int len)
{
	return gva <= VMON_LIMIT - (len - 1) && !vmon_exec_read_system(x, gva, buf, len);
}

static bool flat(const struct vmon_seg *seg)
{
	return !seg->base && seg->limit == 0xffffffff;
}

/* A flat segment of ring 0, from the guest's GDT. */
static bool flat_segment(struct vmon_exec *x, u16 sel, u16 attr, struct vmon_seg *seg,
			 u64 *desc, u32 *gva)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;

	if (!(sel & ~3) || sel & 7 || sel + 7u > cpu->gdtr.limit)
		return false;
	*gva = cpu->gdtr.base + sel;
	if (!read_guest(x, *gva, desc, sizeof(*desc)))
		return false;
	vmon_desc_read(seg, *desc, sel);
	return flat(seg) && (seg->attr & ~(VMON_SEG_AVL | VMON_SEG_L)) == attr;
}

/* The gate of the system call vector, and what it leads to. */
static bool prepare_gate(struct vmon_exec *x, struct vmon_resident *r)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	const struct vmon_seg *tr = &cpu->seg[VMON_TR];
	u32 where = 8 * VMON_SYSCALL_VECTOR, type;
	u32 stack[2];

	r->gate_gva = cpu->idtr.base + where;
	r->tss_gva = tr->base + TSS_ESP0;
	if (cpu->idtr.limit < where + 7 || tr->limit < TSS_ESP0 + 7 ||
	    (tr->attr & (VMON_SEG_TYPE | VMON_SEG_S | VMON_SEG_P)) !=
	     (TSS_32_BUSY | VMON_SEG_P) ||
	    !read_guest(x, r->gate_gva, &r->gate, sizeof(r->gate)) ||
	    !read_guest(x, r->tss_gva, stack, sizeof(stack)))
		return false;
	type = r->gate >> 40 & 0xff;
	r->kcs = r->gate >> 16 & 0xfffc;
	r->kss = stack[1] & 0xffff;
	if ((type & ~1u) != (VMON_SEG_P | VMON_SEG_DPL | GATE_32) ||
	    !flat_segment(x, r->kcs, FLAT_CODE, &x->resident.cs, &r->kcs_desc,
			  &r->kcs_gva) ||
	    !flat_segment(x, r->kss, FLAT_DATA, &x->resident.ss, &r->kss_desc,
			  &r->kss_gva))
		return false;
	r->gate_vif = type & 1 ? VMON_FL_IF : 0;
	return true;
}

static bool translate(struct vmon_exec *x, u32 eip, u32 *tc)
{
	return !vmon_bt_enter(x->bt, eip, tc);
}

/* Whatever does not depend on the state at an entry. */
static void prepare(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_resident *r = &x->world.area->resident;
	struct vmon_exec_resident *p = &x->resident;
	u32 gate, cs = cpu->sysenter_cs & 0xfffc;

	p->ready = 0;
	if (!prepare_gate(x, r))
		return;
	p->ready = VMON_RES_IRET;
	gate = (r->gate & 0xffff) | (u32)(r->gate >> 48) << 16;
	if (translate(x, gate, &r->gate_tc))
		p->ready |= VMON_RES_GATE;
	r->sysenter_esp = cpu->sysenter_esp;
	if (cs != r->kcs || cs + 8 != r->kss)
		return;
	if (translate(x, cpu->sysenter_eip, &r->sysenter_tc))
		p->ready |= VMON_RES_SYSENTER;
	if (p->sel[VMON_CS] == ((cs + 16) | 3) && p->sel[VMON_SS] == ((cs + 24) | 3))
		p->ready |= VMON_RES_SYSEXIT;
}

static bool same_table(const struct vmon_dtr *a, const struct vmon_dtr *b)
{
	return a->base == b->base && a->limit == b->limit;
}

/* In which modes of the guest it works at all. */
static bool possible(const struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;

	return x->vcpu->vm->exec_mode == VMON_EXEC_TRANSLATE && (cpu->cr0 & VMON_CR0_PE) &&
	       (!(cpu->cr0 & VMON_CR0_PG) || (cpu->cr0 & VMON_CR0_WP)) &&
	       !(cpu->dr[7] & VMON_DR7_ENABLED);
}

/* May ring 3 be entered: has it run, from tables that can be compared? */
static bool user_possible(const struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;

	return x->resident.user && !(cpu->seg[VMON_LDTR].attr & VMON_SEG_P) &&
	       x->user_tables.synced[0] && x->user_tables.synced[0] <= VMON_RES_QUADS &&
	       x->user_tables.synced[0] == (cpu->gdtr.limit + 1u) / 8 &&
	       cpu->gdtr.base <= VMON_LIMIT - 8 * VMON_RES_QUADS;
}

/**
 * vmon_exec_resident_user() - ring 3 is about to run directly, with these segments
 * @x:		execution state; vmon_segments_user() has found them fit
 */
void vmon_exec_resident_user(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_exec_resident *p = &x->resident;
	unsigned int i;
	u16 sel[6];

	for (i = 0; i < VMON_NR_SREGS; i++) {
		if (cpu->seg[i].sel != p->sel[i])
			p->stale = true;
		p->sel[i] = cpu->seg[i].sel;
	}
	/* The kernel will begin with the data segments: have truncated ones. */
	p->user = flat(&cpu->seg[VMON_CS]) && flat(&cpu->seg[VMON_SS]) &&
		  vmon_seg_cache_enter(&x->seg_cache, x->mpage, cpu,
				       x->world.area->run_gdt, sel);
}

/**
 * vmon_exec_resident_prepare() - look at the guest's tables again, if need be
 * @x:		execution state
 *
 * Before vmon_bt_enter(), since it may translate, and so flush the cache.
 */
void vmon_exec_resident_prepare(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_exec_resident *p = &x->resident;

	if (!possible(x))
		return;
	if (!p->stale && p->generation == vmon_bt_generation(x->bt) &&
	    same_table(&p->gdtr, &cpu->gdtr) && same_table(&p->idtr, &cpu->idtr) &&
	    p->tss == cpu->seg[VMON_TR].base && p->sysenter[0] == cpu->sysenter_cs &&
	    p->sysenter[1] == cpu->sysenter_esp && p->sysenter[2] == cpu->sysenter_eip)
		return;
	p->stale = false;
	p->gdtr = cpu->gdtr;
	p->idtr = cpu->idtr;
	p->tss = cpu->seg[VMON_TR].base;
	p->sysenter[0] = cpu->sysenter_cs;
	p->sysenter[1] = cpu->sysenter_esp;
	p->sysenter[2] = cpu->sysenter_eip;
	prepare(x);
	p->generation = vmon_bt_generation(x->bt);
}

/* What a segment is to be loaded with for ring 3. */
static u32 user_sel(const struct vmon_exec *x, const struct vmon_seg *seg)
{
	return vmon_segment_reversible(&x->user_tables, seg, VMON_ES) ? seg->sel :
									VMON_RES_NONE;
}

/* The ways of the segment cache; false if one lacks what ring 3 used. */
static bool arm_ways(struct vmon_exec *x, struct vmon_resident *r)
{
	const struct vmon_seg_cache *c = &x->seg_cache;
	unsigned int i, k, found = 0;

	for (i = 0; i < ARRAY_SIZE(cached); i++) {
		unsigned int sreg = cached[i];
		u16 sel = x->resident.sel[sreg];

		for (k = 0; k < VMON_SEG_WAYS; k++) {
			r->way_sel[i][k] = c->used[sreg][k] ?
				user_sel(x, &c->seg[sreg][k]) : VMON_RES_NONE;
			if (r->way_sel[i][k] != sel)
				continue;
			r->entry[i].sel = sel;
			r->entry[i].slot = x->mpage->way[sreg][k].slot;
			r->entry[i].way = k;
			found |= 1 << i;
		}
	}
	return found == (1 << ARRAY_SIZE(cached)) - 1;
}

/**
 * vmon_exec_resident_arm() - the last preparations before an entry
 * @x:		execution state; the guest's registers are those to be entered with
 */
void vmon_exec_resident_arm(struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_resident *r = &x->world.area->resident;
	const struct vmon_exec_resident *p = &x->resident;
	const struct vmon_seg *ss = &cpu->seg[VMON_SS];
	u32 armed = p->ready;

	r->armed = 0;
	r->crossed = 0;
	r->faulted = 0;
	r->cpl = cpu->cpl;
	r->cs = cpu->seg[VMON_CS].sel;
	if (!possible(x) || p->stale || !armed)
		return;
	if (cpu->cpl && !vmon_segments_kernel(&p->cs, &p->ss, x->world.area->run_gdt))
		return;
	/* An IRET may follow at once: on the stack that the kernel has now. */
	if (!cpu->cpl && (!flat(ss) ||
			  (ss->attr & (VMON_SEG_EC | VMON_SEG_DB)) != VMON_SEG_DB))
		return;
	if (p->generation != vmon_bt_generation(x->bt) || !arm_ways(x, r))
		armed &= ~(VMON_RES_GATE | VMON_RES_SYSENTER);
	r->lut = x->window;
	if (user_possible(x)) {
		r->ucs = p->sel[VMON_CS];
		r->uss = p->sel[VMON_SS];
		r->gs = user_sel(x, &cpu->seg[VMON_GS]);
		r->gdt_gva = cpu->gdtr.base;
		r->gdt_quads = x->user_tables.synced[0];
	} else {
		r->ucs = VMON_RES_NONE;
		r->uss = VMON_RES_NONE;
		armed &= VMON_RES_IRET;
	}
	r->armed = armed;
}

/**
 * vmon_exec_resident_rearm() - the same after an exit that has changed nothing
 * @x:		execution state, vmon_exec_same()
 */
void vmon_exec_resident_rearm(struct vmon_exec *x)
{
	struct vmon_resident *r = &x->world.area->resident;

	r->faulted = 0;
	r->cpl = 0;
}

/**
 * vmon_exec_resident_entered() - take over the segments of a system call
 * @x:		execution state, after an exit from the guest's kernel
 */
void vmon_exec_resident_entered(struct vmon_exec *x)
{
	const struct vmon_resident *r = &x->world.area->resident;
	struct vmon_cpu *cpu = &x->vcpu->cpu;

	if (!r->crossed)
		return;
	x->again.valid = false;
	cpu->cpl = 0;
	cpu->seg[VMON_CS] = x->resident.cs;
	cpu->seg[VMON_SS] = x->resident.ss;
	vmon_segment_from_user(&x->user_tables, &cpu->seg[VMON_GS], r->gs);
}
