// SPDX-License-Identifier: GPL-2.0
/*
 * The self-check: has the guest changed anything that is the monitor's?
 *
 * While a world runs, only the guest and the switch itself are at work. So what neither may
 * write has the same sum before and after each run: a table names it, piece by piece. Larger
 * pieces, which the host leaves alone too, are compared over a whole attempt of the guest's.
 * Unused memory beside all that holds a pattern, for a write that misses. Differences are
 * logged, counted, and stop the VM.
 */
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "gfp.h"
#include "switch/monitor_page.h"
#include "switch/selfcheck.h"
#include "switch/switch.h"

#define PATTERN		0xc5
#define TURN_PART	4096	/* bytes at an exit of what takes turns */
#define GDT_NEAR	512	/* entries that guests use as a rule */
#define MAX_PIECES	64

struct piece {
	const char *name;
	const void *start;
	size_t bytes;
	bool each;		/* at every exit; else over an attempt */
	u64 sum;
};

/* What is too large for every exit, and the host changes: a part at each, in turn. */
struct turn {
	const char *name;
	const void *start;
	size_t bytes, at;
	u64 sum;
};

struct vmon_selfcheck {
	struct piece piece[MAX_PIECES];
	unsigned int nr;
	struct turn turn[3];
	bool attempt;
	const char *changed;
	const struct vmon_area *area;
	struct vmon_selfcheck_stats stats;
	u8 host[PAGE_SIZE];	/* mapped nowhere but in the host */
};

#define MIX(val, word) (((val) ^ (word)) * 0x9e3779b97f4a7c15ull)

/* Most of the cost of a check is here: four words at a time. */
static u64 sum(const void *start, size_t bytes)
{
	const u64 *p = start, *end = start + bytes;
	u64 val = 0;

	for (; end - p >= 4; p += 4)
		val = MIX(MIX(MIX(MIX(val, p[0]), p[1]), p[2]), p[3]);
	for (; p < end; p++)
		val = MIX(val, *p);
	return val;
}

static u64 sum_part(const struct turn *t)
{
	return sum(t->start + t->at, min_t(size_t, TURN_PART, t->bytes - t->at));
}

static void watch(struct vmon_selfcheck *s, const char *name, const void *start, size_t bytes,
		  bool each)
{
	/* Whole words: what is left over at an end is a neighbour's. */
	const void *first = PTR_ALIGN(start, 8);

	if (WARN_ON(s->nr == MAX_PIECES))
		return;
	bytes = ALIGN_DOWN(start + bytes - first, 8);
	s->piece[s->nr++] = (struct piece) { name, first, bytes, each };
}

static void fill_and_watch(struct vmon_selfcheck *s, const char *name, void *start, size_t bytes,
			   bool each)
{
	memset(start, PATTERN, bytes);
	watch(s, name, start, bytes, each);
}

static void watch_area(struct vmon_selfcheck *s, struct vmon_area *a)
{
	unsigned int i;

	fill_and_watch(s, "the monitor area behind the TSS", &a->tss + 1,
		       (void *)&a->resident - (void *)(&a->tss + 1), false);
	/* But what resident.S notes: the ring, GS, counters. */
	watch(s, "what system calls are compared with", &a->resident.gate,
	      (void *)&a->resident.gs - (void *)&a->resident.gate, true);
	watch(s, "what system calls load", a->resident.entry,
	      (void *)&a->resident.pad1 - (void *)a->resident.entry, true);
	watch(s, "the copy of the guest's descriptors", a->resident.gdt,
	      sizeof(a->resident.gdt), true);
	/* Handlers on these stacks push no more than a few words. */
	for (i = 0; i < VMON_NR_IST; i++)
		fill_and_watch(s, "the lower half of an exception stack", a->ist[i].bytes,
			       PAGE_SIZE / 2, false);
	watch(s, "the guest's root in the monitor area", &a->guest_cr3, 8, true);
	watch(s, "the table registers in the monitor area", &a->run_gdtr,
	      3 * sizeof(a->run_gdtr), true);
	watch(s, "the TSS", &a->tss, sizeof(a->tss), true);
	watch(s, "the monitor's descriptors", &a->run_gdt[VMON_GDT_FIRST],
	      sizeof(a->run_gdt) - 8 * VMON_GDT_FIRST, true);
	watch(s, "the exception gates", a->idt, 32 * sizeof(*a->idt), true);
	watch(s, "the descriptor table", a->run_gdt, 8 * GDT_NEAR, true);
	watch(s, "the local descriptor table", a->ldt, 8 * GDT_NEAR, true);
	watch(s, "the interrupt gates", a->idt, sizeof(a->idt), false);
	/* But the host's descriptors, which the switch writes, and TR's, which is marked busy. */
	watch(s, "the descriptor table of the switch", &a->trans_gdt[16],
	      VMON_SEL_TSS - 16 * 8, false);
	watch(s, "the descriptor table of the switch", &a->trans_gdt[VMON_SEL_TSS / 8 + 2],
	      sizeof(a->trans_gdt) - VMON_SEL_TSS - 16, false);
}

static void watch_mpage(struct vmon_selfcheck *s, struct vmon_mpage *p)
{
	/* Translated code reads these, and writes only others. */
	watch(s, "control registers in the monitor page", p->cr, sizeof(p->cr), true);
	watch(s, "segments in the monitor page", p->way, sizeof(p->way), true);
	fill_and_watch(s, "the unused part of the monitor page", p + 1, PAGE_SIZE - sizeof(*p),
		       true);
}

struct vmon_selfcheck *vmon_selfcheck_create(struct vmon_world *world, struct vmon_mpage *mpage,
					     const void *cache, size_t cache_size,
					     u64 *const *tables, unsigned int nr_tables)
{
	struct vmon_selfcheck *s;
	struct vmon_world_table *t;
	unsigned int i;

	s = kvzalloc(sizeof(*s), VMON_GFP);
	if (!s)
		return NULL;
	s->turn[0] = (struct turn) { "the translation cache", cache, cache_size };
	s->turn[1] = (struct turn) {
		"the descriptor table", world->area->run_gdt + GDT_NEAR,
		8 * (VMON_GDT_FIRST - GDT_NEAR),
	};
	s->turn[2] = (struct turn) {
		"the local descriptor table", world->area->ldt, sizeof(world->area->ldt),
	};
	s->area = world->area;
	watch_area(s, world->area);
	watch_mpage(s, mpage);
	fill_and_watch(s, "a page of the host's", s->host, sizeof(s->host), false);
	list_for_each_entry(t, &world->tables, list)
		if (t->table != world->pdpt)
			watch(s, "a page table of the world", t->table, PAGE_SIZE, false);
	/* Its first entries are the shadow MMU's. */
	watch(s, "the tables above 4 GiB", world->pdpt + 4, PAGE_SIZE - 4 * 8, false);
	for (i = 0; i < nr_tables; i++)
		watch(s, "a page table of the translation cache", tables[i], PAGE_SIZE, false);
	return s;
}

void vmon_selfcheck_destroy(struct vmon_selfcheck *s)
{
	kvfree(s);
}

static void differs(struct vmon_selfcheck *s, const char *what)
{
	const struct vmon_frame *f = &s->area->frame;

	pr_err("vmon: selfcheck: %s has changed while the guest ran: exit %#llx error %#llx at %#llx:%#llx\n",
	       what, f->vector, f->error, f->cs, f->rip);
	s->stats.changes++;
	if (!s->changed)
		s->changed = what;
}

static void remember(struct vmon_selfcheck *s, bool each)
{
	struct piece *p;

	for (p = s->piece; p < s->piece + s->nr; p++)
		if (p->each == each)
			p->sum = sum(p->start, p->bytes);
}

static void compare(struct vmon_selfcheck *s, bool each)
{
	struct piece *p;

	for (p = s->piece; p < s->piece + s->nr; p++)
		if (p->each == each && p->sum != sum(p->start, p->bytes))
			differs(s, p->name);
}

void vmon_selfcheck_attempt(struct vmon_selfcheck *s, bool begins)
{
	if (!s)
		return;
	if (begins) {
		remember(s, false);
	} else if (s->attempt) {
		compare(s, false);
		s->stats.attempts++;
	}
	s->attempt = begins;
}

void vmon_selfcheck_before(struct vmon_selfcheck *s)
{
	struct turn *t;

	if (!s)
		return;
	remember(s, true);
	for (t = s->turn; s->attempt && t < s->turn + ARRAY_SIZE(s->turn); t++)
		t->sum = sum_part(t);
}

void vmon_selfcheck_after(struct vmon_selfcheck *s)
{
	struct turn *t;

	if (!s)
		return;
	compare(s, true);
	s->stats.exits++;
	for (t = s->turn; s->attempt && t < s->turn + ARRAY_SIZE(s->turn); t++) {
		if (t->sum != sum_part(t))
			differs(s, t->name);
		t->at += TURN_PART;
		if (t->at >= t->bytes)
			t->at = 0;
	}
}

const char *vmon_selfcheck_changed(const struct vmon_selfcheck *s)
{
	return s ? s->changed : NULL;
}

void vmon_selfcheck_get_stats(const struct vmon_selfcheck *s, struct vmon_selfcheck_stats *stats)
{
	*stats = s ? s->stats : (struct vmon_selfcheck_stats) {};
}
