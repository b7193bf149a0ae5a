// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors for ring 1: no offset that they allow reaches the monitor page, and
 * none that the guest's segment refuses. An access is judged by SDM vol. 3, 5.3;
 * both limits bound an interval that begins at 0, so that what holds at its ends
 * and around the guest's limit holds everywhere.
 *
 * Argument: seed.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>

#include "segments/segments.h"
#include "switch/area.h"
#include "switch/monitor_page.h"
#include "tap.h"

static u64 seed = 20240607;

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

/* Mostly near something interesting. */
static u32 any_u32(void)
{
	static const u32 near[] = {
		0, 0xfff, 0x1000, 0xfffff, 0x100000, 0x7fffffff, 0x80000000, 0xc0000000,
		0xffffdfff, VMON_LIMIT, 0xfffff000, 0xffffffff,
	};
	u32 n = near[rnd() % (ARRAY_SIZE(near))];

	switch (rnd() % 4) {
	case 0:
		return rnd();
	case 1:
		return n;
	case 2:
		return n + rnd() % 32 - 16;
	default:
		return n + (rnd() % 32 - 16) * 0x1000;
	}
}

/* A limit as a descriptor can say it. */
static u32 any_limit(u16 *attr)
{
	u32 limit = any_u32();

	if (limit > 0xfffff)
		*attr |= VMON_SEG_G;
	return *attr & VMON_SEG_G ? limit | 0xfff : limit;
}

/* The descriptor, read as the manual draws it and without the code under test. */
struct desc {
	u32 base, limit;
	u16 attr;
};

static struct desc decode(u64 d)
{
	struct desc s = {
		.base = (u32)(d >> 16 & 0xffffff) | (u32)(d >> 32 & 0xff000000),
		.limit = (u32)(d & 0xffff) | (u32)(d >> 32 & 0xf0000),
		.attr = d >> 40 & 0xf0ff,
	};

	if (d >> 55 & 1)
		s.limit = s.limit * 4096 + 4095;
	return s;
}

static bool allows(u32 limit, u32 off, u32 size)
{
	return (u64)off + size - 1 <= limit;
}

static void test_round_trip(void)
{
	struct vmon_seg in, out;
	struct desc d;
	unsigned int type, i;
	bool ok = true;
	u64 desc;

	for (type = 0; ok && type < 256 * 16; type++)
		for (i = 0; ok && i < 40; i++) {
			memset(&in, 0, sizeof(in));
			memset(&out, 0, sizeof(out));
			in.attr = (type & 0xff) | (type & 0xf00) << 4;
			in.sel = rnd();
			in.base = any_u32();
			in.limit = any_limit(&in.attr);
			desc = vmon_desc_make(in.base, in.limit, in.attr);
			vmon_desc_read(&out, desc, in.sel);
			d = decode(desc);
			ok = !memcmp(&in, &out, sizeof(in)) && d.base == in.base &&
			     d.limit == in.limit && d.attr == in.attr;
		}
	tap_ok(ok, "descriptors there and back, all types");
	for (ok = true, i = 0; ok && i < 100000; i++) {
		desc = (u64)rnd() << 32 | rnd();
		vmon_desc_read(&in, desc, 0);
		ok = vmon_desc_make(in.base, in.limit, in.attr) == desc;
	}
	tap_ok(ok, "random descriptors read and made");
}

/* Limits that no descriptor has, as an owner could set them: never more than asked. */
static void test_no_more(void)
{
	unsigned int i;
	struct desc d;
	bool ok = true;
	u32 limit;

	for (i = 0; ok && i < 100000; i++) {
		limit = i < 0x2000 ? i : any_u32();
		d = decode(vmon_desc_make(0, limit, rnd()));
		ok = d.limit <= limit && limit - d.limit < 0x1000;
	}
	tap_ok(ok, "no descriptor has a greater limit than was asked for");
}

/* Offsets where something changes, give or take 20 bytes. */
static bool check_offsets(const struct vmon_seg *seg, u32 base, u32 limit)
{
	static const u32 sizes[] = { 1, 2, 4, 8, 10, 16, 28, 108, 512 };
	const u32 edges[] = {
		0, limit, seg->limit, VMON_LIMIT - base, 0xfffff000u - base, 0u - base,
		0xffffffff, 0x7fffffff, rnd(),
	};
	unsigned int e, s;
	u32 off, first, last;
	int i;

	for (e = 0; e < ARRAY_SIZE(edges); e++)
		for (i = -20; i <= 20; i++)
			for (s = 0; s < ARRAY_SIZE(sizes); s++) {
				off = edges[e] + i;
				if (!allows(limit, off, sizes[s]))
					continue;
				first = base + off;
				last = base + off + sizes[s] - 1;
				if (!allows(seg->limit, off, sizes[s]) ||
				    first >= VMON_MPAGE_GVA || last >= VMON_MPAGE_GVA ||
				    last < first)
					return false;
			}
	return true;
}

static bool check_cut(const struct vmon_seg *seg)
{
	const bool code = seg->attr & VMON_SEG_CODE, rw = seg->attr & VMON_SEG_RW;
	u64 desc = 0x5555555555555555ull;
	u32 most;
	struct desc d;

	if (!vmon_segment_cut(seg, &desc)) {
		/* Only for a reason. */
		return code ? !rw || seg->base > VMON_LIMIT - 0x1000 :
			      (seg->attr & VMON_SEG_EC) ||
			      seg->base > VMON_LIMIT - 0x1000;
	}
	d = decode(desc);
	most = VMON_LIMIT - seg->base;
	if (most > seg->limit)
		most = seg->limit;
	return d.base == seg->base && (u64)d.base + d.limit <= VMON_LIMIT &&
	       d.limit <= seg->limit && most - d.limit < 0x1000 &&
	       (d.limit == most || most > 0xfffff) &&
	       (d.attr & (VMON_SEG_P | VMON_SEG_S | VMON_SEG_DPL | VMON_SEG_A |
			  VMON_SEG_CODE | VMON_SEG_EC | VMON_SEG_L)) ==
	       (VMON_SEG_P | VMON_SEG_S | 1 << 5 | VMON_SEG_A) &&
	       !(d.attr & VMON_SEG_RW) == (code || !rw) &&
	       !((d.attr ^ seg->attr) & VMON_SEG_DB) &&
	       check_offsets(seg, d.base, d.limit);
}

static void test_cut(void)
{
	struct vmon_seg seg;
	unsigned int type, i;
	bool ok = true;

	for (type = 0; ok && type < 16; type++)
		for (i = 0; ok && i < 1500; i++) {
			memset(&seg, 0, sizeof(seg));
			seg.attr = type | VMON_SEG_S | VMON_SEG_P | (rnd() & 0x5060);
			seg.base = any_u32();
			seg.limit = any_limit(&seg.attr);
			ok = check_cut(&seg);
		}
	if (!ok)
		printf("# base %#x limit %#x attr %#x\n", seg.base, seg.limit, seg.attr);
	tap_ok(ok, "cut segments end below the monitor page");
	/* Hidden parts that no descriptor gives, as an owner could set them. */
	for (ok = true, i = 0; ok && i < 20000; i++) {
		memset(&seg, 0, sizeof(seg));
		seg.attr = rnd();
		seg.base = any_u32();
		seg.limit = any_u32();
		ok = check_cut(&seg);
	}
	if (!ok)
		printf("# base %#x limit %#x attr %#x\n", seg.base, seg.limit, seg.attr);
	tap_ok(ok, "... whatever the hidden part holds");
}

static void test_kernel(void)
{
	static u64 gdt[8192];
	struct vmon_cpu cpu;
	unsigned int i;
	struct desc d;
	bool ok;

	memset(&cpu, 0, sizeof(cpu));
	memset(gdt, 0, sizeof(gdt));
	cpu.seg[VMON_CS] = (struct vmon_seg){ 0, 0xffffffff, 8, 0xc09b };
	cpu.seg[VMON_SS] = (struct vmon_seg){ 0, 0xffffffff, 16, 0xc093 };
	ok = vmon_segments_kernel(&cpu.seg[VMON_CS], &cpu.seg[VMON_SS], gdt);
	d = decode(gdt[VMON_SEL_CS1 / 8]);
	tap_ok(ok && !d.base && d.limit == VMON_LIMIT && d.attr == 0xc0bb,
	       "code segment: flat, cut, ring 1, 32-bit");
	d = decode(gdt[VMON_SEL_SS1 / 8]);
	tap_ok(!d.base && d.limit == VMON_LIMIT && d.attr == 0xc0b3,
	       "stack segment: flat, cut, ring 1");
	d = decode(gdt[VMON_SEL_GS1 / 8]);
	tap_ok(d.base == VMON_MPAGE_GVA && d.limit == 0xfff && d.attr == 0x40b3,
	       "GS: the monitor page and no more");
	for (ok = true, i = 0; i < VMON_GDT_FIRST; i++)
		ok &= !gdt[i];
	tap_ok(ok, "the guest's part of the table is left alone");

	cpu.seg[VMON_CS].base = 0x1000;
	ok = !vmon_segments_kernel(&cpu.seg[VMON_CS], &cpu.seg[VMON_SS], gdt);
	cpu.seg[VMON_CS].base = 0;
	cpu.seg[VMON_CS].limit = 0xfffff;
	ok &= !vmon_segments_kernel(&cpu.seg[VMON_CS], &cpu.seg[VMON_SS], gdt);
	cpu.seg[VMON_CS].limit = 0xffffffff;
	cpu.seg[VMON_CS].attr = 0x809b;
	ok &= !vmon_segments_kernel(&cpu.seg[VMON_CS], &cpu.seg[VMON_SS], gdt);
	cpu.seg[VMON_CS].attr = 0xc09b;
	cpu.seg[VMON_SS].attr = 0x8093;
	ok &= !vmon_segments_kernel(&cpu.seg[VMON_CS], &cpu.seg[VMON_SS], gdt);
	cpu.seg[VMON_SS].attr = 0;
	ok &= !vmon_segments_kernel(&cpu.seg[VMON_CS], &cpu.seg[VMON_SS], gdt);
	cpu.seg[VMON_SS].attr = 0xc097;
	ok &= !vmon_segments_kernel(&cpu.seg[VMON_CS], &cpu.seg[VMON_SS], gdt);
	tap_ok(ok, "refused: CS not flat or 16 bits, SS 16 bits, absent, expand-down");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0) | 1;
	tap_plan(10);
	printf("# seed %llu\n", seed);
	test_round_trip();
	test_no_more();
	test_cut();
	test_kernel();
	return tap_done();
}
