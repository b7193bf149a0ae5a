// SPDX-License-Identifier: GPL-2.0
/*
 * The segment cache: reloads of ES, DS and FS without leaving translated code, and VERW.
 */
#include <linux/string.h>

#include "segments/cache.h"
#include "segments/segments.h"
#include "switch/area.h"

/* No 16-bit selector makes the sum with this zero. */
#define NO_MATCH	1u

static const u16 first_slot[VMON_NR_SREGS] = {
	[VMON_ES] = VMON_SEL_ES1, [VMON_DS] = VMON_SEL_DS1, [VMON_FS] = VMON_SEL_FS1,
};

static u16 slot_sel(unsigned int sreg, unsigned int way)
{
	return first_slot[sreg] + 8 * way;
}

void vmon_seg_cache_reset(struct vmon_seg_cache *c, struct vmon_mpage *p)
{
	unsigned int i, k;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < VMON_NR_SREGS; i++)
		for (k = 0; k < VMON_SEG_WAYS; k++)
			p->way[i][k].known.neg_sel = NO_MATCH;
	p->writable.neg_sel = NO_MATCH;
	/* Always writable while translated code runs: vmon_segments_kernel(). */
	p->verw = VMON_SEL_SS1;
}

/* What is left in the hidden part of an unusable segment makes no difference. */
static bool same(const struct vmon_seg *a, const struct vmon_seg *b)
{
	if (!((a->attr | b->attr) & VMON_SEG_P))
		return a->sel == b->sel;
	return a->sel == b->sel && a->base == b->base && a->limit == b->limit &&
	       a->attr == b->attr;
}

/* Put the register's present value into a way. */
static bool fill(struct vmon_seg_cache *c, struct vmon_mpage *p,
		 const struct vmon_seg *seg, u64 *gdt, unsigned int sreg,
		 unsigned int way)
{
	struct vmon_seg_way *w = &p->way[sreg][way];
	u64 desc = 0;

	if ((seg->attr & VMON_SEG_P) && !vmon_segment_cut(seg, &desc))
		return false;
	gdt[slot_sel(sreg, way) / 8] = desc;
	c->seg[sreg][way] = *seg;
	c->used[sreg][way] = true;
	w->known.neg_sel = NO_MATCH;
	w->sel = seg->sel;
	w->slot = desc ? slot_sel(sreg, way) : 0;
	return true;
}

bool vmon_seg_cache_enter(struct vmon_seg_cache *c, struct vmon_mpage *p,
			  const struct vmon_cpu *cpu, u64 *gdt, u16 sel[6])
{
	unsigned int i, k;

	if (c->gdt_base != cpu->gdtr.base || c->gdt_limit != cpu->gdtr.limit) {
		vmon_seg_cache_reset(c, p);
		c->gdt_base = cpu->gdtr.base;
		c->gdt_limit = cpu->gdtr.limit;
	}
	for (i = 0; i < VMON_NR_SREGS; i++) {
		if (!first_slot[i])
			continue;
		for (k = 0; k < VMON_SEG_WAYS; k++)
			if (c->used[i][k] && same(&c->seg[i][k], &cpu->seg[i]))
				break;
		if (k == VMON_SEG_WAYS) {
			/* Not that of the last run: it is likely to come back. */
			k = (c->loaded[i] + 1) % VMON_SEG_WAYS;
			if (!fill(c, p, &cpu->seg[i], gdt, i, k))
				return false;
		}
		c->loaded[i] = k;
		p->loaded[i] = k;
		sel[i] = p->way[i][k].slot ? slot_sel(i, k) : 0;
	}
	return true;
}

void vmon_seg_cache_exit(struct vmon_seg_cache *c, const struct vmon_mpage *p,
			 struct vmon_cpu *cpu)
{
	unsigned int i, k;

	for (i = 0; i < VMON_NR_SREGS; i++) {
		if (!first_slot[i])
			continue;
		k = p->loaded[i] % VMON_SEG_WAYS;
		/* Still what the register was when translated code began. */
		if (k == c->loaded[i] || !c->used[i][k])
			continue;
		c->loaded[i] = k;
		cpu->seg[i] = c->seg[i][k];
	}
}

static void know(struct vmon_seg_known *known, u16 sel, u64 desc, u32 gva)
{
	known->entry = gva;
	known->neg_low = -(u32)desc;
	known->neg_high = -(u32)(desc >> 32);
	known->neg_sel = -(u32)sel;
}

void vmon_seg_cache_learn(struct vmon_seg_cache *c, struct vmon_mpage *p,
			  const struct vmon_cpu *cpu, u64 *gdt, unsigned int sreg,
			  u64 desc, u32 gva)
{
	const struct vmon_seg *seg = &cpu->seg[sreg];
	unsigned int k;

	if (!first_slot[sreg] || (seg->sel & 4))
		return;
	for (k = 0; k < VMON_SEG_WAYS; k++)
		if (c->used[sreg][k] && c->seg[sreg][k].sel == seg->sel)
			break;
	if (k == VMON_SEG_WAYS)
		k = (c->loaded[sreg] + 1) % VMON_SEG_WAYS;
	if (!fill(c, p, seg, gdt, sreg, k))
		return;
	c->loaded[sreg] = k;
	know(&p->way[sreg][k].known, seg->sel, desc, gva);
}

void vmon_seg_cache_learn_verw(struct vmon_mpage *p, u16 sel, u64 desc, u32 gva)
{
	if ((sel & ~3) && !(sel & 4))
		know(&p->writable, sel, desc, gva);
}
