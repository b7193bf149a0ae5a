// SPDX-License-Identifier: GPL-2.0
/*
 * Segments: what the real descriptor table holds for the guest's.
 *
 * One GDT serves both rings. Its low entries shadow the guest's GDT, for direct
 * execution, and a table of its own shadows the guest's LDT: ring 3 cannot reach the
 * monitor page anyway (its U bit is clear), so limits stay as they are, and
 * thread-local storage at negative offsets works.
 * The guest kernel at ring 1 never loads those: translated code runs on five
 * slots at the end of the table that hold the hidden parts of its segment
 * registers, truncated.
 */
#include <linux/bits.h>
#include <linux/string.h>

#include "segments/segments.h"
#include "switch/area.h"
#include "switch/monitor_page.h"

#define DESC_L		BIT_ULL(53)
#define DESC_A		BIT_ULL(40)
#define SS_WANTED	(VMON_SEG_DB | VMON_SEG_P | VMON_SEG_RW)
#define CHUNK		64	/* descriptors read at a time */

u32 vmon_segments_last = VMON_LIMIT;

u64 vmon_desc_make(u32 base, u32 limit, u16 attr)
{
	/* A small limit that is no multiple of a page must not become 4 GiB. */
	if (limit < 0x100000 && (limit & 0xfff) != 0xfff)
		attr &= ~VMON_SEG_G;
	if (limit > 0xfffff || (attr & VMON_SEG_G)) {
		attr |= VMON_SEG_G;
		/* Rounded down, unless it is page-granular already. */
		limit = (u32)(((u64)limit + 1) >> 12) - 1;
	}
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 |
	       (u64)(attr & 0xf0ff) << 40 | (u64)(limit >> 16 & 0xf) << 48 |
	       (u64)(base >> 24) << 56;
}

void vmon_desc_read(struct vmon_seg *seg, u64 desc, u16 sel)
{
	seg->sel = sel;
	seg->attr = desc >> 40 & 0xf0ff;
	seg->base = (u32)(desc >> 16 & 0xffffff) | (u32)(desc >> 56) << 24;
	seg->limit = (u32)(desc & 0xffff) | (u32)(desc >> 48 & 0xf) << 16;
	if (seg->attr & VMON_SEG_G)
		seg->limit = seg->limit << 12 | 0xfff;
}

bool vmon_segment_cut(const struct vmon_seg *seg, u64 *desc)
{
	u16 attr = (seg->attr & VMON_SEG_DB) | VMON_SEG_P | VMON_SEG_S |
		   1 << 5 | VMON_SEG_A;
	u32 limit = seg->limit;

	if (seg->attr & VMON_SEG_CODE) {
		if (!(seg->attr & VMON_SEG_RW))
			return false;
	} else {
		if (seg->attr & VMON_SEG_EC)
			return false;
		attr |= seg->attr & VMON_SEG_RW;
	}
	/* A page below the limit at least: granularity may cost the last one. */
	if (seg->base > VMON_LIMIT - 0x1000)
		return false;
	if (limit > vmon_segments_last - seg->base)
		limit = vmon_segments_last - seg->base;
	*desc = vmon_desc_make(seg->base, limit, attr);
	return true;
}

/* CS and GS are the same for all that runs at ring 1. */
static void fill_code_and_page(u64 *gdt)
{
	gdt[VMON_SEL_CS1 / 8] = vmon_desc_make(0, vmon_segments_last, VMON_SEG_G | VMON_SEG_DB |
					       VMON_SEG_P | 1 << 5 | VMON_SEG_S |
					       VMON_SEG_CODE | VMON_SEG_RW | VMON_SEG_A);
	gdt[VMON_SEL_GS1 / 8] = vmon_desc_make(VMON_MPAGE_GVA, 0xfff, VMON_SEG_DB |
					       VMON_SEG_P | 1 << 5 | VMON_SEG_S |
					       VMON_SEG_RW | VMON_SEG_A);
}

void vmon_segments_own(u64 *gdt)
{
	fill_code_and_page(gdt);
	gdt[VMON_SEL_SS1 / 8] = vmon_desc_make(0, vmon_segments_last, VMON_SEG_G | VMON_SEG_DB |
					       VMON_SEG_P | 1 << 5 | VMON_SEG_S |
					       VMON_SEG_RW | VMON_SEG_A);
}

bool vmon_segments_kernel(const struct vmon_seg *cs, const struct vmon_seg *ss,
			  u64 *gdt)
{
	if (cs->base || cs->limit != 0xffffffff || !(cs->attr & VMON_SEG_DB) ||
	    (ss->attr & SS_WANTED) != SS_WANTED || (ss->attr & VMON_SEG_CODE) ||
	    !vmon_segment_cut(ss, &gdt[VMON_SEL_SS1 / 8]))
		return false;
	fill_code_and_page(gdt);
	return true;
}

/* What ring 3 may find in a table for a guest descriptor. */
static u64 user_shadow(u64 desc)
{
	u16 attr = desc >> 40;

	if (!(attr & VMON_SEG_S) || (attr & VMON_SEG_DPL) != VMON_SEG_DPL)
		return 0;
	/* Loading it would set the bit here and not in the guest's table. */
	if ((attr & VMON_SEG_P) && !(attr & VMON_SEG_A))
		return 0;
	/* Outside long mode the L bit means nothing; here it would. */
	return desc & ~DESC_L;
}

/* Bring one shadow up to date: @n descriptors, in guest memory at @base. */
static bool sync_table(struct vmon_user_tables *u, unsigned int ti, u32 base,
		       unsigned int n,
		       int (*read)(void *priv, u32 gva, void *buf, unsigned int len),
		       void *priv)
{
	u64 *table = u->table[ti], buf[CHUNK];
	unsigned int i, j, count;

	for (i = 0; i < n; i += count) {
		count = n - i < CHUNK ? n - i : CHUNK;
		if (read(priv, base + 8 * i, buf, 8 * count)) {
			/* What is there already must not outlive the limit. */
			if (u->synced[ti] < i)
				u->synced[ti] = i;
			return false;
		}
		for (j = 0; !ti && u->raw && j < count && i + j < VMON_GDT_RAW; j++)
			u->raw[i + j] = buf[j];
		for (j = 0; j < count; j++)
			table[i + j] = user_shadow(buf[j]);
	}
	if (!ti)
		table[0] = 0;
	if (n < u->synced[ti])
		memset(&table[n], 0, 8 * (u->synced[ti] - n));
	u->synced[ti] = n;
	return true;
}

static unsigned int table_entries(u32 limit, unsigned int max)
{
	if (limit > 0xffff)
		limit = 0xffff;
	return (limit + 1) / 8 < max ? (limit + 1) / 8 : max;
}

bool vmon_segment_reversible(const struct vmon_user_tables *u, const struct vmon_seg *s,
			     unsigned int sreg)
{
	unsigned int ti = s->sel >> 2 & 1;
	u64 desc;

	if (!(s->sel & ~3))
		return !(s->attr & VMON_SEG_P) && sreg != VMON_CS && sreg != VMON_SS;
	if (s->sel / 8 >= u->synced[ti] || !(s->attr & VMON_SEG_P))
		return false;
	/* IRET to a 16-bit stack leaves the upper half of our own RSP in ESP. */
	if (sreg == VMON_SS && !(s->attr & VMON_SEG_DB))
		return false;
	desc = vmon_desc_make(s->base, s->limit, s->attr) | DESC_A;
	return u->table[ti][s->sel / 8] == (desc & ~DESC_L);
}

bool vmon_segments_user(struct vmon_user_tables *u, const struct vmon_cpu *cpu,
			int (*read)(void *priv, u32 gva, void *buf, unsigned int len),
			void *priv)
{
	const struct vmon_seg *ldt = &cpu->seg[VMON_LDTR];
	bool has_ldt = (ldt->sel & ~3) && (ldt->attr & VMON_SEG_P);
	unsigned int i;

	if (!sync_table(u, 0, cpu->gdtr.base, table_entries(cpu->gdtr.limit, VMON_GDT_FIRST),
			read, priv) ||
	    !sync_table(u, 1, ldt->base, has_ldt ? table_entries(ldt->limit, 8192) : 0,
			read, priv))
		return false;
	for (i = 0; i < VMON_NR_SREGS; i++)
		if (!vmon_segment_reversible(u, &cpu->seg[i], i))
			return false;
	/* IRET would refuse it at ring 0. */
	return cpu->eip <= cpu->seg[VMON_CS].limit;
}

void vmon_segment_from_user(const struct vmon_user_tables *u, struct vmon_seg *s, u16 sel)
{
	if (sel & ~3) {
		vmon_desc_read(s, u->table[sel >> 2 & 1][sel / 8], sel);
	} else {
		memset(s, 0, sizeof(*s));
		s->sel = sel;
	}
}

void vmon_segments_user_exit(const struct vmon_user_tables *u, struct vmon_cpu *cpu,
			     const u16 sel[6], bool all)
{
	unsigned int i;

	for (i = 0; i < VMON_NR_SREGS; i++)
		if (all || cpu->seg[i].sel != sel[i])
			vmon_segment_from_user(u, &cpu->seg[i], sel[i]);
}
