// SPDX-License-Identifier: GPL-2.0
/*
 * Translator: structure of what it makes. Code is not executed here; maps,
 * chaining, the lookup table, invalidation and the full cache are looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>

#include "tap.h"
#include "translator/translate.h"

#define SIZE	(2u << 20)
#define BASE	0xf0000000u
#define CODE	0xc0100000u
#define PAGES	4u

static u8 guest[PAGES * 4096];
static bool absent[PAGES];
static u8 *cache;
static struct vmon_bt *bt;
static unsigned int protects, last_gfn, allocated;

/* Page k of the guest is frame 0x100 + k, at CODE and each 64 KiB below. */
static int fetch(void *priv, u32 gva, void *buf, unsigned int len, u64 *gpa)
{
	u32 off = gva - CODE;

	if (gva < CODE)		/* the same code again and again */
		off &= 0xffff;
	if (off >= sizeof(guest) || absent[off >> 12])
		return -1;
	if ((gva & 0xfff) + len > 0x1000)
		abort();
	memcpy(buf, guest + off, len);
	*gpa = 0x100000 + off;
	return len;
}

static void protect(void *priv, u32 gfn)
{
	protects++;
	last_gfn = gfn;
}

static void *alloc(size_t size)
{
	allocated++;
	return malloc(size);
}

static void release(void *p)
{
	allocated--;
	free(p);
}

static const struct vmon_bt_ops ops = { fetch, protect, alloc, release };

static void start(void)
{
	memset(guest, 0x90, sizeof(guest));
	memset(absent, 0, sizeof(absent));
	memset(cache, 0xee, SIZE);
	bt = vmon_bt_create(&ops, NULL, cache, SIZE, BASE);
	protects = 0;
}

static void stop(void)
{
	vmon_bt_destroy(bt);
	bt = NULL;
}

#define put(off, str) memcpy(guest + (off), str, sizeof(str) - 1)

static u8 *at(u32 tc)
{
	return cache + (tc - BASE);
}

static bool is_callout(u32 tc)
{
	return at(tc)[0] == 0xcd && at(tc)[1] >= VMON_BT_VECTOR &&
	       at(tc)[1] <= VMON_BT_SYSEXIT_VECTOR;
}

static u32 jump_target(u32 tc)
{
	s32 rel;

	memcpy(&rel, at(tc) + 1, 4);
	return at(tc)[0] == 0xe9 ? tc + 5 + rel : 0;
}

static u32 jcc_target(u32 tc)
{
	s32 rel;

	memcpy(&rel, at(tc) + 2, 4);
	return tc + 6 + rel;
}

/* First address from @tc on whose site is @site; 0 if there is none. */
static u32 find_site(u32 tc, int site, struct vmon_bt_pos *pos)
{
	while (!vmon_bt_locate(bt, tc, pos)) {
		if (pos->site == site)
			return tc;
		tc++;
	}
	return 0;
}

static u32 lut_find(u32 eip)
{
	u32 e[4];

	memcpy(e, cache + (u16)eip * 8, 16);
	return eip + e[0] == 0 ? e[1] : eip + e[2] == 0 ? e[3] : 0;
}

/* Does any entry claim to be for @eip? */
static bool lut_matches(u32 eip)
{
	u32 e[4];

	memcpy(e, cache + (u16)eip * 8, 16);
	return eip + e[0] == 0 || eip + e[2] == 0;
}

static void test_copy(void)
{
	struct vmon_bt_pos pos;
	u32 tc, t2;

	start();
	put(0, "\x01\xd8\x8b\x44\x24\x04\xf0\x0f\xc1\x03\xf3\xa4\xeb\xfe");
	tap_ok(!vmon_bt_enter(bt, CODE, &tc) && !memcmp(at(tc), guest, 12),
	       "insensitive instructions are copied");
	tap_ok(!vmon_bt_locate(bt, tc + 2, &pos) && pos.eip == CODE + 2 &&
	       pos.boundary && pos.site == VMON_BT_COPY && !pos.recover,
	       "their boundaries are on the map");
	tap_ok(!vmon_bt_locate(bt, tc + 4, &pos) && pos.eip == CODE + 2 &&
	       !pos.boundary, "their insides are not boundaries");
	tap_ok(!vmon_bt_enter(bt, CODE + 6, &t2) && t2 == tc + 6,
	       "enter in the middle of a unit");
	tap_ok(!vmon_bt_enter(bt, CODE + 7, &t2) && (t2 < tc || t2 > tc + 12),
	       "enter between boundaries makes another unit");
	tap_ok(protects == 1 && last_gfn == 0x100,
	       "the frame is protected once");
	tap_ok(vmon_bt_locate(bt, BASE + 100, &pos) == -ENOENT &&
	       vmon_bt_locate(bt, BASE + SIZE - 1, &pos) == -ENOENT &&
	       vmon_bt_locate(bt, BASE - 1, &pos) == -ENOENT,
	       "nothing is located in the table, behind the code, outside");
	tap_ok(vmon_bt_region_used(bt, CODE >> 22) &&
	       !vmon_bt_region_used(bt, 0), "region in use");
	stop();
}

#define C(name, code) { name, code, sizeof(code) - 1, false }
#define E(name, code) { name, code, sizeof(code) - 1, true }

static void test_callouts(void)
{
	static const struct {
		const char *name;
		const char *code;
		unsigned int len;
		bool ends;
	} insn[] = {
		C("cpuid", "\x0f\xa2"), C("in", "\xe4\x60"),
		C("outs", "\x6e"), C("hlt", "\xf4"),
		C("mov eax,cr3", "\x0f\x22\xd8"), C("lgdt", "\x0f\x01\x10"),
		C("sgdt", "\x0f\x01\x00"), C("smsw", "\x0f\x01\xe0"),
		C("sldt", "\x0f\x00\xc0"), C("lar", "\x0f\x02\xc1"),
		C("verr", "\x0f\x00\xe0"), C("clts", "\x0f\x06"),
		C("verw gs:[eax]", "\x65\x0f\x00\x28"), C("wbinvd", "\x0f\x09"),
		C("rdmsr", "\x0f\x32"), C("wrmsr", "\x0f\x30"),
		C("lds", "\xc5\x00"), C("lss", "\x0f\xb2\x00"),
		C("mov ss", "\x8e\xd0"), C("mov ds,gs:[eax]", "\x65\x8e\x18"),
		C("mov [eax],ds", "\x8c\x18"), C("pop gs", "\x0f\xa9"),
		C("mov eax,gs:[0]", "\x65\xa1\0\0\0\0"),
		C("add gs:[eax],ecx", "\x65\x01\x08"),
		C("push gs:[eax]", "\x65\xff\x30"),
		C("gs lods", "\x65\xac"), C("gs xlat", "\x65\xd7"),
		E("int 80", "\xcd\x80"), E("int3", "\xcc"),
		E("into", "\xce"), E("iret", "\xcf"),
		E("sysenter", "\x0f\x34"), E("sysexit", "\x0f\x35"),
		E("retf", "\xcb"), E("jmp far", "\xea\0\0\0\0\0"),
		E("call far m", "\xff\x18"), E("ud2", "\x0f\x0b"),
		E("jmp gs:[eax]", "\x65\xff\x20"),
		E("ret16", "\x66\xc3"), E("undefined", "\xff\xff"),
		E("lock nop", "\xf0\x90"),
		E("jmp16", "\x66\xe9\0"),
	};
	unsigned int i, bad = 0;

	for (i = 0; i < ARRAY_SIZE(insn); i++) {
		struct vmon_bt_pos pos;
		u32 tc;
		bool ok;

		start();
		memcpy(guest, insn[i].code, insn[i].len);
		ok = !vmon_bt_enter(bt, CODE, &tc) && is_callout(tc) &&
		     !vmon_bt_locate(bt, tc, &pos) && pos.boundary &&
		     pos.site == (strcmp(insn[i].name, "iret") ? VMON_BT_EMULATE :
								 VMON_BT_IRET) &&
		     pos.eip == CODE;
		if (ok && !insn[i].ends)
			ok = !vmon_bt_locate(bt, tc + 2, &pos) &&
			     pos.boundary &&
			     pos.eip == CODE + insn[i].len;
		if (!ok) {
			printf("# wrong: %s\n", insn[i].name);
			bad++;
		}
		stop();
	}
	tap_ok(!bad, "%u sensitive instructions become callouts", i);
}

/* Sequences that need no exit, but for a selector that no way is made for. */
static void test_inline(void)
{
	static const struct {
		const char *name;
		char code[4];
		bool exits;
	} insn[] = {
		{ "mov cr3,eax", "\x0f\x20\xd8", false },
		{ "invlpg", "\x0f\x01\x38", false },
		{ "mov ds", "\x8e\xd8\x90", true },
		{ "mov fs,[eax]", "\x8e\x20\x90", true },
		{ "pop es", "\x07\x90\x90", true },
		{ "verw ax", "\x0f\x00\xe8", true },
		{ "verw [eax]", "\x0f\x00\x28", true },
	};
	struct vmon_bt_pos pos;
	struct vmon_bt_stats stats;
	unsigned int i, lost = 0;
	u32 tc, site, next;

	for (i = 0; i < ARRAY_SIZE(insn); i++) {
		start();
		put(0, insn[i].code);
		put(3, "\x40\xeb\xfd");		/* inc eax; jmp to it */
		vmon_bt_enter(bt, CODE, &tc);
		vmon_bt_enter(bt, CODE + 3, &next);
		vmon_bt_get_stats(bt, &stats);
		/* In the same unit, at its own code. */
		if (stats.translated_units != 1 || at(next)[0] != 0x40 ||
		    vmon_bt_locate(bt, next, &pos) || pos.eip != CODE + 3 || !pos.boundary)
			lost++;
		site = find_site(tc, VMON_BT_EMULATE, &pos);
		if (insn[i].exits)
			tap_ok(site - tc > 100 && pos.eip == CODE && !pos.boundary,
			       "%s has its exit behind the ways", insn[i].name);
		else
			tap_ok(!site, "%s has no exit", insn[i].name);
		stop();
	}
	tap_ok(!lost, "the instruction behind each of them is found");
}

static void test_chain(void)
{
	struct vmon_bt_pos pos;
	u32 tc, t2, t3, site;

	start();
	/* 0: je 10; jmp 20   10: jmp 0   20: jmp 20 */
	put(0, "\x74\x0e\xeb\x1c");
	put(0x10, "\xeb\xee");
	put(0x20, "\xeb\xfe");
	vmon_bt_enter(bt, CODE, &tc);
	site = find_site(tc, VMON_BT_CHAIN, &pos);
	tap_ok(at(tc)[0] == 0x0f && at(tc)[1] == 0x84 && is_callout(site) &&
	       pos.target == CODE + 0x20 && pos.eip == CODE + 0x20 &&
	       pos.boundary, "jmp is a chain callout");
	tap_ok(!vmon_bt_resume(bt, site, CODE + 0x20, &t2) &&
	       jump_target(site) == t2, "resume patches it");
	tap_ok(jump_target(t2) == t2, "a unit is chained to itself at once");
	site = find_site(site + 1, VMON_BT_CHAIN, &pos);
	tap_ok(is_callout(site) && pos.target == CODE + 0x10,
	       "jcc has a stub");
	vmon_bt_resume(bt, site, CODE + 0x10, &t3);
	tap_ok(jump_target(site) == t3 && jcc_target(tc) == t3,
	       "resume patches stub and jcc");
	tap_ok(jump_target(t3) == tc, "a new unit is chained to old ones");

	tap_ok(!vmon_bt_invalidate_gpa(bt, 0x100012, 14) &&
	       vmon_bt_invalidate_gpa(bt, 0x100011, 1) &&
	       is_callout(site) && jcc_target(tc) == site,
	       "a write undoes chains to the unit");
	tap_ok(!vmon_bt_locate(bt, t3, &pos) && pos.target == CODE,
	       "its code can still be located");
	vmon_bt_resume(bt, site, CODE + 0x10, &t2);
	tap_ok(t2 != t3 && jump_target(site) == t2, "and is not used again");
	vmon_bt_invalidate_gva(bt, CODE, 1);
	tap_ok(!vmon_bt_region_used(bt, CODE >> 22) &&
	       !vmon_bt_gfn_used(bt, 0x100) && is_callout(site),
	       "invalidate by linear page");
	stop();
}

static void test_lookup(void)
{
	struct vmon_bt_pos pos;
	u32 tc, t2, t3, t4, site, i, ghosts = 0;

	start();
	put(0, "\xc3");
	put(0x10, "\xeb\xfe");
	for (i = 0; i < VMON_BT_LUT_SIZE; i++)
		ghosts += lut_matches(i) || lut_matches(i | 0xffff0000);
	tap_ok(!ghosts, "an empty table matches nothing");
	vmon_bt_enter(bt, CODE, &tc);
	site = find_site(tc, VMON_BT_LOOKUP, &pos);
	tap_ok(site && is_callout(site) && pos.eip == CODE, "ret has a lookup");
	tap_ok(!vmon_bt_resume(bt, site, CODE + 0x10, &t2) &&
	       lut_find(CODE + 0x10) == t2, "resume fills the table");
	vmon_bt_locate(bt, tc + 14, &pos);
	tap_ok(!pos.recover && !pos.boundary, "the pop faults precisely");
	vmon_bt_locate(bt, site - 1, &pos);
	tap_ok(pos.recover == 3, "EAX and ECX are recovered in the lookup");
	tap_ok(!vmon_bt_resume(bt, site, CODE - 0x10000 + 0x10, &t3) &&
	       !vmon_bt_resume(bt, site, CODE - 0x20000 + 0x10, &t4) &&
	       lut_find(CODE - 0x20000 + 0x10) == t4 &&
	       lut_find(CODE - 0x10000 + 0x10) == t3 &&
	       !lut_find(CODE + 0x10), "two addresses share an index");
	vmon_bt_invalidate_gva(bt, CODE - 0x10000, 1);
	tap_ok(!lut_find(CODE - 0x10000 + 0x10) &&
	       lut_find(CODE - 0x20000 + 0x10) == t4, "and leave it alone");
	vmon_bt_resume(bt, site, CODE + 0x10, &t2);
	vmon_bt_invalidate_gpa(bt, 0x100010, 1);
	tap_ok(!lut_find(CODE + 0x10), "invalidation clears the entry");
	stop();
}

static void test_flags(void)
{
	struct vmon_bt_pos pos;
	u32 tc, site;

	start();
	put(0, "\xfb\x90\xfa\x9c\x9d\x8e\xd0\x90\xeb\xfe");
	vmon_bt_enter(bt, CODE, &tc);
	site = find_site(tc, VMON_BT_PENDING, &pos);
	tap_ok(site && pos.target == CODE + 1 && pos.eip == CODE && pos.no_irq,
	       "sti asks for a pending interrupt");
	vmon_bt_enter(bt, CODE + 1, &site);
	vmon_bt_locate(bt, site, &pos);
	tap_ok(pos.boundary && pos.no_irq, "the boundary behind is in a shadow");
	vmon_bt_enter(bt, CODE + 2, &site);
	vmon_bt_locate(bt, site, &pos);
	tap_ok(pos.boundary && !pos.no_irq, "the one after is not");
	vmon_bt_enter(bt, CODE + 3, &site);
	tap_ok(at(site)[0] == 0x9c, "pushf comes first in its sequence");
	vmon_bt_enter(bt, CODE + 7, &site);
	vmon_bt_locate(bt, site, &pos);
	tap_ok(pos.boundary && pos.no_irq, "mov ss has a shadow");
	site = find_site(site, VMON_BT_EMULATE, &pos);
	tap_ok(site && pos.eip == CODE + 4 && !pos.boundary &&
	       !vmon_bt_locate(bt, site + 2, &pos) && pos.boundary &&
	       pos.eip == CODE + 5, "popf has a slow path");
	site = find_site(site, VMON_BT_PENDING, &pos);
	tap_ok(site && pos.target == CODE + 5 && !pos.no_irq,
	       "and asks for a pending interrupt");
	stop();
}

static void test_pages(void)
{
	struct vmon_bt_pos pos;
	u32 tc, site, gen;

	start();
	/* mov $1,%eax across the page; then nops to the third page */
	put(0xffe, "\xb8\x01\0\0\0\xeb\xfe");
	tap_ok(!vmon_bt_enter(bt, CODE + 0xffe, &tc) && protects == 2,
	       "a unit on two pages");
	tap_ok(vmon_bt_gfn_used(bt, 0x100) && vmon_bt_gfn_used(bt, 0x101) &&
	       !vmon_bt_gfn_used(bt, 0x102), "keeps two frames");
	gen = vmon_bt_generation(bt);
	tap_ok(!vmon_bt_invalidate_gpa(bt, 0x101005, 1) &&
	       vmon_bt_generation(bt) == gen &&
	       vmon_bt_invalidate_gpa(bt, 0x100fff, 4) &&
	       vmon_bt_generation(bt) != gen, "write on the second page");
	absent[1] = true;
	tap_ok(vmon_bt_enter(bt, CODE + 0xffe, &tc) == -EFAULT,
	       "no code for an instruction that cannot be fetched");
	tap_ok(!vmon_bt_enter(bt, CODE + 0xffc, &tc) &&
	       find_site(tc, VMON_BT_CHAIN, &pos) == tc + 2 &&
	       pos.target == CODE + 0xffe, "a unit ends before it");
	tap_ok(vmon_bt_resume(bt, tc + 2, CODE + 0xffe, &site) == -EFAULT,
	       "and its chain leads to the fault");
	tap_ok(vmon_bt_enter(bt, 0xfffff000, &tc) == -EFAULT,
	       "nothing is translated in the top page");
	vmon_bt_invalidate_gva(bt, 0, ~0u);
	tap_ok(!vmon_bt_gfn_used(bt, 0x100), "invalidate everything");
	stop();
}

static void test_force(void)
{
	struct vmon_bt_pos pos;
	u32 tc;

	start();
	put(0, "\x90\x89\x03\xeb\xfe");
	vmon_bt_enter(bt, CODE, &tc);
	vmon_bt_force_callout(bt, CODE + 1);
	vmon_bt_enter(bt, CODE + 1, &tc);
	tap_ok(is_callout(tc) && !vmon_bt_locate(bt, tc, &pos) &&
	       pos.site == VMON_BT_EMULATE && pos.eip == CODE + 1,
	       "an ordinary instruction is made a callout");
	stop();
}

static void test_full(void)
{
	struct vmon_bt_stats st;
	struct vmon_bt_pos pos;
	u32 tc, site, gen, i;

	start();
	gen = vmon_bt_generation(bt);
	put(0, "\xeb\x10");
	put(0x12, "\xeb\xfe");
	vmon_bt_enter(bt, CODE, &site);
	for (i = 0; i < 2000000; i++) {
		guest[0x1000] = i;
		vmon_bt_invalidate_gpa(bt, 0x101000, 16);
		if (vmon_bt_enter(bt, CODE + 0x1000 + i % 4, &tc) ||
		    vmon_bt_locate(bt, tc, &pos))
			break;
		vmon_bt_get_stats(bt, &st);
		if (st.flushes == 3)
			break;
	}
	tap_ok(st.flushes == 3 && st.used <= SIZE && st.units <= 2 &&
	       vmon_bt_generation(bt) != gen, "a full cache is flushed");
	tap_ok(!vmon_bt_resume(bt, site, CODE + 0x12, &tc),
	       "a stale site is left alone");
	vmon_bt_flush(bt, BASE + 0x1000000);
	tap_ok(!vmon_bt_enter(bt, CODE, &tc) && tc > BASE + 0x1000000 &&
	       !vmon_bt_locate(bt, tc, &pos), "the cache can move");
	stop();
	tap_ok(!allocated, "all memory is returned");
}

/* Random bytes as guest code: no crash, maps in order, callouts where said. */
static void test_random(void)
{
	unsigned int round, i, bad = 0, units = 0;

	srandom(1);
	for (round = 0; round < 40; round++) {
		start();
		for (i = 0; i < sizeof(guest); i++)
			guest[i] = random() >> 7;
		for (i = 0; i < sizeof(guest); i += 1 + random() % 64) {
			u32 tc, t2, off;
			struct vmon_bt_pos pos, p2;

			if (vmon_bt_enter(bt, CODE + i, &tc))
				continue;
			units++;
			for (off = 0; off < 200; off++) {
				if (vmon_bt_locate(bt, tc + off, &pos) ||
				    pos.site == VMON_BT_CHAIN)
					break;
				if (pos.site != VMON_BT_COPY &&
				    !is_callout(tc + off))
					bad++;
				if (!pos.boundary)
					continue;
				if (vmon_bt_enter(bt, pos.eip, &t2))
					continue;
				if (vmon_bt_locate(bt, t2, &p2) ||
				    !p2.boundary || (p2.eip != pos.eip &&
						     p2.site != VMON_BT_CHAIN))
					bad++;
			}
			if (random() % 8 == 0)
				vmon_bt_invalidate_gpa(bt, 0x100000 + i, 2);
		}
		stop();
	}
	tap_ok(!bad && units > 1000, "random bytes: %u units", units);
}

int main(void)
{
	cache = malloc(SIZE);
	tap_plan(56);
	test_copy();
	test_callouts();
	test_inline();
	test_chain();
	test_lookup();
	test_flags();
	test_pages();
	test_force();
	test_full();
	test_random();
	free(cache);
	return tap_done();
}
