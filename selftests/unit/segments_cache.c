// SPDX-License-Identifier: GPL-2.0
/*
 * The segment cache: what translated code may load without the emulator is what the
 * emulator would load. Translated code is played by take(), which does what the
 * sequence of translator/sequence.c does: selector, then both halves of the
 * descriptor in guest memory.
 *
 * Argument: seed.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>

#include "segments/cache.h"
#include "segments/segments.h"
#include "switch/area.h"
#include "tap.h"

#define TABLE_GVA	0x5000u
#define NR_DESCS	8
#define FLAT_DATA	0x00cf93000000ffffull
#define FLAT_USER	0x00cff3000000ffffull

static const unsigned int cached[] = { VMON_ES, VMON_DS, VMON_FS };

static u64 seed = 20240607;
static struct vmon_seg_cache cache;
static struct vmon_mpage mpage;
static struct vmon_cpu cpu;
static u64 gdt[8192];
static u64 table[NR_DESCS];	/* the guest's, in guest memory */
static u16 sel[6];

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

static u16 slot_of(unsigned int sreg, unsigned int way)
{
	return (sreg == VMON_ES ? VMON_SEL_ES1 : sreg == VMON_DS ? VMON_SEL_DS1 : VMON_SEL_FS1) +
	       8 * way;
}

static void setup(void)
{
	unsigned int i;

	memset(&cpu, 0, sizeof(cpu));
	memset(&mpage, 0, sizeof(mpage));
	memset(gdt, 0, sizeof(gdt));
	memset(table, 0, sizeof(table));
	cpu.gdtr.base = TABLE_GVA;
	cpu.gdtr.limit = sizeof(table) - 1;
	table[1] = FLAT_DATA;
	table[2] = FLAT_USER;
	for (i = 0; i < ARRAY_SIZE(cached); i++)
		vmon_desc_read(&cpu.seg[cached[i]], FLAT_DATA, 8);
	vmon_seg_cache_reset(&cache, &mpage);
}

static bool enter(void)
{
	return vmon_seg_cache_enter(&cache, &mpage, &cpu, gdt, sel);
}

/* The emulator has loaded @sreg with @s: the register and the cache. */
static void emulate_load(unsigned int sreg, u16 s)
{
	u64 desc = s & ~3 ? table[s / 8] : 0;

	if (s & ~3)
		vmon_desc_read(&cpu.seg[sreg], desc, s);
	else
		cpu.seg[sreg] = (struct vmon_seg){ .sel = s };
	vmon_seg_cache_learn(&cache, &mpage, &cpu, gdt, sreg, desc,
			     s & ~3 ? TABLE_GVA + (s & ~7u) : 0);
}

/* What translated code does with MOV @sreg: true if a way serves. */
static bool take(unsigned int sreg, u16 s)
{
	unsigned int k;

	for (k = 0; k < VMON_SEG_WAYS; k++) {
		const struct vmon_seg_way *w = &mpage.way[sreg][k];
		u64 desc;

		if (s + w->known.neg_sel)
			continue;
		desc = w->known.entry ? table[(w->known.entry - TABLE_GVA) / 8] : 0;
		if ((u32)desc + w->known.neg_low || (u32)(desc >> 32) + w->known.neg_high)
			return false;
		mpage.loaded[sreg] = k;
		sel[sreg] = w->slot;
		return true;
	}
	return false;
}

static bool same(const struct vmon_seg *a, const struct vmon_seg *b)
{
	return a->sel == b->sel && a->base == b->base && a->limit == b->limit &&
	       a->attr == b->attr;
}

/* Does the real register hold the truncated form of the guest's? */
static bool holds(unsigned int sreg, const struct vmon_seg *seg)
{
	u64 desc = 0;

	if (!(seg->attr & VMON_SEG_P))
		return !sel[sreg];
	return vmon_segment_cut(seg, &desc) && sel[sreg] && gdt[sel[sreg] / 8] == desc;
}

static bool test_reset(void)
{
	unsigned int i, k;
	u32 s;

	setup();
	for (s = 0; s < 0x10000; s++)
		for (i = 0; i < 6; i++)
			for (k = 0; k < VMON_SEG_WAYS; k++)
				if (!(s + mpage.way[i][k].known.neg_sel))
					return false;
	return true;
}

static bool test_enter(void)
{
	unsigned int i;

	setup();
	memset(sel, 0xff, sizeof(sel));
	if (!enter())
		return false;
	for (i = 0; i < ARRAY_SIZE(cached); i++)
		if (!holds(cached[i], &cpu.seg[cached[i]]))
			return false;
	return sel[VMON_CS] == 0xffff && sel[VMON_SS] == 0xffff && sel[VMON_GS] == 0xffff;
}

static bool test_two_ways(void)
{
	u16 first, second;

	setup();
	enter();
	first = sel[VMON_DS];
	vmon_desc_read(&cpu.seg[VMON_DS], FLAT_USER, 0x13);
	enter();
	second = sel[VMON_DS];
	vmon_desc_read(&cpu.seg[VMON_DS], FLAT_DATA, 8);
	enter();
	return first != second && sel[VMON_DS] == first && holds(VMON_DS, &cpu.seg[VMON_DS]) &&
	       sel[VMON_ES] && sel[VMON_ES] != first;
}

static bool test_null(void)
{
	setup();
	cpu.seg[VMON_FS] = (struct vmon_seg){ .sel = 3 };
	return enter() && !sel[VMON_FS] && sel[VMON_DS];
}

static bool test_no_truncated_form(void)
{
	setup();
	cpu.seg[VMON_ES].attr |= VMON_SEG_EC;
	return !enter();
}

static bool test_learn(void)
{
	setup();
	enter();
	if (take(VMON_DS, 0x13))
		return false;
	emulate_load(VMON_DS, 0x13);
	enter();
	emulate_load(VMON_DS, 8);
	enter();
	if (!take(VMON_DS, 0x13) || sel[VMON_DS] / 16 != slot_of(VMON_DS, 0) / 16)
		return false;
	vmon_seg_cache_exit(&cache, &mpage, &cpu);
	return cpu.seg[VMON_DS].sel == 0x13 && cpu.seg[VMON_DS].attr == (FLAT_USER >> 40 & 0xf0ff);
}

/* The guest rewrites its table: what was learnt does not serve any more. */
static bool test_descriptor_changed(void)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		setup();
		enter();
		emulate_load(VMON_ES, 0x10);
		table[2] ^= 1ull << bit;
		if (take(VMON_ES, 0x10))
			return false;
	}
	return true;
}

static bool test_gdtr_changed(void)
{
	setup();
	enter();
	emulate_load(VMON_DS, 0x10);
	enter();
	cpu.gdtr.limit = 15;
	enter();
	if (take(VMON_DS, 0x10))
		return false;
	setup();
	enter();
	emulate_load(VMON_DS, 0x10);
	cpu.gdtr.base += 8;
	enter();
	return !take(VMON_DS, 0x10) && holds(VMON_DS, &cpu.seg[VMON_DS]);
}

/* Same selector, other hidden part: only the register's value serves, not its name. */
static bool test_hidden_part(void)
{
	setup();
	enter();
	emulate_load(VMON_DS, 8);
	enter();
	cpu.seg[VMON_DS].limit = 0xffff;
	enter();
	if (!holds(VMON_DS, &cpu.seg[VMON_DS]))
		return false;
	vmon_seg_cache_exit(&cache, &mpage, &cpu);
	return cpu.seg[VMON_DS].limit == 0xffff;
}

/* A way that is taken for another value forgets what it was learnt for. */
static bool test_way_reused(void)
{
	setup();
	enter();
	emulate_load(VMON_DS, 0x10);
	enter();
	emulate_load(VMON_DS, 8);
	enter();
	cpu.seg[VMON_DS].limit = 0xffff;
	enter();
	cpu.seg[VMON_DS].limit = 0xfffff;
	enter();
	return !take(VMON_DS, 0x10) && !take(VMON_DS, 8);
}

static bool test_not_learnt(void)
{
	struct vmon_mpage before;

	setup();
	enter();
	before = mpage;
	vmon_desc_read(&cpu.seg[VMON_SS], FLAT_DATA, 8);
	vmon_seg_cache_learn(&cache, &mpage, &cpu, gdt, VMON_SS, FLAT_DATA, TABLE_GVA + 8);
	vmon_seg_cache_learn(&cache, &mpage, &cpu, gdt, VMON_GS, FLAT_DATA, TABLE_GVA + 8);
	vmon_desc_read(&cpu.seg[VMON_DS], FLAT_DATA, 0xc);
	vmon_seg_cache_learn(&cache, &mpage, &cpu, gdt, VMON_DS, FLAT_DATA, TABLE_GVA + 8);
	return !memcmp(&before, &mpage, sizeof(before));
}

/* What translated code does with VERW @sel: true if it knows the answer. */
static bool verw_known(u16 sel)
{
	const struct vmon_seg_known *k = &mpage.writable;
	u64 desc;

	if (sel + k->neg_sel)
		return false;
	desc = table[(k->entry - TABLE_GVA) / 8];
	return !((u32)desc + k->neg_low) && !((u32)(desc >> 32) + k->neg_high);
}

static void learn_verw(u16 sel)
{
	vmon_seg_cache_learn_verw(&mpage, sel, table[sel / 8], TABLE_GVA + (sel & ~7));
}

static bool test_verw(void)
{
	unsigned int sel, bit;

	setup();
	enter();
	for (sel = 0; sel < 0x10000; sel++)
		if (verw_known(sel))
			return false;
	learn_verw(0x10);
	for (sel = 0; sel < 0x10000; sel++) {
		bool right = sel == 0x10;

		if (verw_known(sel) != right)
			return false;
	}
	for (bit = 0; bit < 64; bit++) {
		table[2] ^= 1ull << bit;
		if (verw_known(0x10))
			return false;
		table[2] ^= 1ull << bit;
	}
	enter();
	if (!verw_known(0x10) || mpage.verw != VMON_SEL_SS1)
		return false;
	cpu.gdtr.limit = 15;
	enter();
	return !verw_known(0x10);
}

/* Null selectors and those of the LDT are no writable segments of this table. */
static bool test_verw_not_learnt(void)
{
	unsigned int i;

	setup();
	enter();
	for (i = 0; i < 8; i++) {
		learn_verw(i);
		if (verw_known(i))
			return false;
	}
	learn_verw(0x14);
	return !verw_known(0x14);
}

/* The guest may have written the monitor page: nothing there is an index unchecked. */
static bool test_untrusted(void)
{
	struct vmon_seg old[VMON_NR_SREGS];
	unsigned int i;

	setup();
	enter();
	memcpy(old, cpu.seg, sizeof(old));
	for (i = 0; i < 1000; i++) {
		u32 *word = (u32 *)&mpage + rnd() % (sizeof(mpage) / 4);
		unsigned int k;

		*word = rnd();
		mpage.loaded[cached[i % 3]] = i & 1 ? rnd() : 0xffffffff - rnd() % 4;
		vmon_seg_cache_exit(&cache, &mpage, &cpu);
		/* Only values that the monitor had put there itself. */
		for (k = 0; k < VMON_NR_SREGS; k++)
			if (!same(&cpu.seg[k], &old[k]))
				return false;
	}
	return true;
}

/* A descriptor that can be loaded, and truncated. */
static u64 any_desc(void)
{
	struct vmon_seg seg = {
		.base = rnd() % 4 ? 0 : rnd() & 0x7fffffff,
		.limit = rnd() % 2 ? 0xffffffff : rnd() & 0xfffff,
		.attr = VMON_SEG_P | VMON_SEG_S | VMON_SEG_A | VMON_SEG_RW | VMON_SEG_DB |
			(rnd() & 3) << 5,
	};

	return vmon_desc_make(seg.base, seg.limit, seg.attr);
}

/* A guest kernel that loads, rewrites, changes tables; against a model of the registers. */
static bool test_random(void)
{
	struct vmon_seg model[VMON_NR_SREGS];
	unsigned int i, step, hits = 0;

	setup();
	for (i = 1; i < NR_DESCS; i++)
		table[i] = any_desc();
	memcpy(model, cpu.seg, sizeof(model));
	enter();
	for (step = 0; step < 200000; step++) {
		unsigned int sreg = cached[rnd() % 3], n = rnd() % 4;
		u16 s = rnd() % 8 ? (8 * n) | (rnd() & 1 ? 3 : 0) : 8 * (rnd() % NR_DESCS);

		switch (rnd() % 16) {
		case 0:
			table[1 + rnd() % (NR_DESCS - 1)] = any_desc();
			continue;
		case 1:
			vmon_seg_cache_exit(&cache, &mpage, &cpu);
			cpu.gdtr.limit ^= 0x100;
			break;
		case 2:
			vmon_seg_cache_exit(&cache, &mpage, &cpu);
			break;
		default:
			if (take(sreg, s)) {
				hits++;
				if (s & ~3)
					vmon_desc_read(&model[sreg], table[s / 8], s);
				else
					model[sreg] = (struct vmon_seg){ .sel = s };
				if (!holds(sreg, &model[sreg]))
					return false;
				continue;
			}
			vmon_seg_cache_exit(&cache, &mpage, &cpu);
			emulate_load(sreg, s);
			model[sreg] = cpu.seg[sreg];
		}
		for (i = 0; i < ARRAY_SIZE(cached); i++)
			if (!same(&cpu.seg[cached[i]], &model[cached[i]]))
				return false;
		if (!enter())
			return false;
		for (i = 0; i < ARRAY_SIZE(cached); i++)
			if (!holds(cached[i], &model[cached[i]]))
				return false;
	}
	printf("# %u of %u steps served by a way\n", hits, step);
	return hits > step / 16;
}

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
	{ "an empty way matches no selector", test_reset },
	{ "entry loads the truncated forms of ES, DS and FS alone", test_enter },
	{ "two values of a register are kept in two slots", test_two_ways },
	{ "a null segment is loaded as null", test_null },
	{ "a segment without truncated form refuses the entry", test_no_truncated_form },
	{ "what was learnt serves, and is taken over at the exit", test_learn },
	{ "a rewritten descriptor does not serve, whichever bit", test_descriptor_changed },
	{ "another table or limit drops all ways", test_gdtr_changed },
	{ "a hidden part that the table no longer has is kept", test_hidden_part },
	{ "a way taken for another value serves no load", test_way_reused },
	{ "SS, GS and selectors of the LDT are not learnt", test_not_learnt },
	{ "VERW: the selector that was learnt, while its descriptor is the same", test_verw },
	{ "VERW: null selectors and those of the LDT are not learnt", test_verw_not_learnt },
	{ "garbage in the monitor page gives no other register values", test_untrusted },
	{ "a random guest kernel has what the emulator would have loaded", test_random },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0) | 1;
	tap_plan(ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		tap_ok(tests[i].run(), "%s", tests[i].name);
	return tap_done();
}
