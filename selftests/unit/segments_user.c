// SPDX-License-Identifier: GPL-2.0
/*
 * The shadows of the guest's GDT and LDT for ring 3, against random tables: only what
 * ring 3 can load or look at, nothing of 64 bits, nothing left over, the monitor's part
 * untouched.
 *
 * Arguments: seed, rounds.
 */
#include <stdlib.h>
#include <string.h>

#include "segments/segments.h"
#include "switch/area.h"
#include "tap.h"

#define GDT_BASE	0xfff80000u
#define LDT_BASE	0x00430008u
#define CANARY		0xdeadbeef0badcafeull

static u64 seed = 20240607;
static u64 guest[8192];		/* the guest's GDT, at gdtr.base */
static u64 guest_ldt[8192];
static u64 run[8192];		/* the run GDT */
static u64 run_ldt[8192];
static u32 fail_at;		/* reads fail from this offset on */
static struct vmon_cpu cpu;
static struct vmon_user_tables user = { .table = { run, run_ldt } };

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

static int read_guest(void *priv, u32 gva, void *buf, unsigned int len)
{
	bool ldt = gva - LDT_BASE < sizeof(guest_ldt);
	u32 off = gva - (ldt ? LDT_BASE : cpu.gdtr.base);

	(void)priv;
	if (off + len > fail_at || off + len > sizeof(guest))
		return -1;
	memcpy(buf, (u8 *)(ldt ? guest_ldt : guest) + off, len);
	return 0;
}

static u64 any_desc(void)
{
	u64 d = (u64)rnd() << 32 | rnd();

	if (rnd() % 8)
		d |= 0xf1ull << 40;	/* present, DPL 3, code or data, accessed */
	return d;
}

static unsigned int entries(void)
{
	unsigned int n = (cpu.gdtr.limit + 1u) / 8;

	return n < VMON_GDT_FIRST ? n : VMON_GDT_FIRST;
}

static unsigned int ldt_entries(void)
{
	const struct vmon_seg *ldt = &cpu.seg[VMON_LDTR];

	if (ldt->sel < 4 || !(ldt->attr & VMON_SEG_P))
		return 0;
	return ldt->limit > 0xffff ? 8192 : (ldt->limit + 1) / 8;
}

static u64 guest_desc(u16 sel)
{
	return sel & 4 ? guest_ldt[sel / 8] : guest[sel / 8];
}

/* What ring 3 may load, by the bits of SDM vol. 3, figure 3-8. */
static bool loadable(u64 d)
{
	return (d >> 47 & 1) && (d >> 44 & 1) && (d >> 45 & 3) == 3 && (d >> 40 & 1);
}

/* Or look at, with LAR and LSL. */
static bool visible(u64 d)
{
	return loadable(d | 1ull << 47) || loadable(d | 1ull << 47 | (u64)!(d >> 47 & 1) << 40);
}

static bool table_right(void)
{
	unsigned int i;
	u64 want;

	for (i = 0; i < 8192; i++) {
		want = i < ldt_entries() && visible(guest_ldt[i]) ?
			guest_ldt[i] & ~(1ull << 53) : 0;
		if (run_ldt[i] != want) {
			printf("# LDT entry %u: %#llx, not %#llx\n", i, run_ldt[i], want);
			return false;
		}
	}

	for (i = 0; i < 8192; i++) {
		if (i >= VMON_GDT_FIRST)
			want = CANARY;
		else if (!i || i >= entries() || !visible(guest[i]))
			want = 0;
		else
			want = guest[i] & ~(1ull << 53);
		if (run[i] != want) {
			printf("# entry %u of %u: %#llx, not %#llx\n", i, entries(), run[i],
			       want);
			return false;
		}
	}
	return true;
}

/* Would loading the selector give what the register has? */
static bool same(unsigned int sreg)
{
	const struct vmon_seg *s = &cpu.seg[sreg];
	struct vmon_seg d;

	if (s->sel < 4)
		return !(s->attr & VMON_SEG_P) && sreg != VMON_CS && sreg != VMON_SS;
	if (s->sel / 8 >= (s->sel & 4 ? ldt_entries() : entries()) ||
	    !loadable(guest_desc(s->sel)) || !(s->attr & VMON_SEG_P))
		return false;
	if (sreg == VMON_SS && !(s->attr & VMON_SEG_DB))
		return false;
	if (sreg == VMON_CS && cpu.eip > s->limit)
		return false;
	vmon_desc_read(&d, guest_desc(s->sel), s->sel);
	return d.base == s->base && d.limit == s->limit &&
	       !((d.attr ^ s->attr) & ~(VMON_SEG_L | VMON_SEG_A));
}

static u16 any_sel(void)
{
	if (ldt_entries() && rnd() % 3 == 0)
		return rnd() % ldt_entries() * 8 + 7;
	return (entries() > 1 ? 1 + rnd() % (entries() - 1) : 1) * 8 + 3;
}

static void load_registers(bool random)
{
	unsigned int i, tries;
	u16 sel;

	for (i = 0; i < VMON_NR_SREGS; i++) {
		struct vmon_seg *s = &cpu.seg[i];

		sel = any_sel();
		for (tries = 0; !random && tries < 50 &&
		     (!loadable(guest_desc(sel)) ||
		      (i == VMON_SS && !(guest_desc(sel) >> 54 & 1))); tries++)
			sel = any_sel();
		vmon_desc_read(s, guest_desc(sel), sel);
		s->attr |= VMON_SEG_A;
		if (i != VMON_CS && i != VMON_SS && rnd() % 8 == 0) {
			memset(s, 0, sizeof(*s));
			s->sel = rnd() & 3;
		}
		if (!random || rnd() % 4)
			continue;
		switch (rnd() % 6) {
		case 0:
			s->sel ^= 4;
			break;
		case 1:
			s->base ^= 1u << rnd() % 32;
			break;
		case 2:
			s->limit = rnd() & 0xfffff;
			s->attr &= ~VMON_SEG_G;
			break;
		case 3:
			s->attr ^= 1u << rnd() % 8;
			break;
		case 4:
			s->sel = 8 * (VMON_GDT_FIRST + rnd() % 16) + 3;
			break;
		default:
			s->sel = rnd();
		}
	}
}

static void begin(void)
{
	unsigned int i;

	memset(&cpu, 0, sizeof(cpu));
	memset(run, 0, sizeof(run));
	for (i = VMON_GDT_FIRST; i < 8192; i++)
		run[i] = CANARY;
	for (i = 0; i < 8192; i++) {
		guest[i] = any_desc();
		guest_ldt[i] = any_desc();
	}
	memset(run_ldt, 0, sizeof(run_ldt));
	memset(user.synced, 0, sizeof(user.synced));
	fail_at = ~0u;
	cpu.gdtr.base = GDT_BASE;
	cpu.gdtr.limit = 0xffff;
}

static void set_ldt(u32 limit)
{
	cpu.seg[VMON_LDTR] = (struct vmon_seg) {
		.sel = 0x28, .base = LDT_BASE, .limit = limit, .attr = 0x82,
	};
}

static void test_random(unsigned int rounds)
{
	unsigned int i, j, good = 0, bad = 0;
	bool ok = true, got, want;

	begin();
	for (i = 0; ok && i < rounds; i++) {
		cpu.gdtr.limit = rnd() % 4 ? rnd() % 1024 : rnd();
		if (rnd() % 16 == 0)
			cpu.gdtr.limit = 0xffff;
		set_ldt(rnd() % 16 ? rnd() % 2048 : 0xfffff);
		if (rnd() % 4 == 0)
			memset(&cpu.seg[VMON_LDTR], 0, sizeof(cpu.seg[0]));
		for (j = rnd() % 64; j; j--) {
			guest[rnd() % (rnd() % 2 ? 8192 : 128)] = any_desc();
			guest_ldt[rnd() % (rnd() % 2 ? 8192 : 128)] = any_desc();
		}
		load_registers(i & 1);
		cpu.eip = rnd() >> rnd() % 24;
		got = vmon_segments_user(&user, &cpu, read_guest, NULL);
		for (want = true, j = 0; j < VMON_NR_SREGS; j++)
			want &= same(j);
		ok = table_right() && got == want;
		if (got != want)
			printf("# round %u: %d, not %d\n", i, got, want);
		*(got ? &good : &bad) += 1;
	}
	printf("# %u reversible, %u not\n", good, bad);
	tap_ok(ok && good && bad, "random tables and registers");
}

static void test_kinds(void)
{
	static const u8 refused[] = {
		0xeb, 0xdb, 0xbb, 0x9b, 0xfa, 0xf2, 0xe2, 0xec, 0xef, 0xe9, 0x89, 0xee, 0x6c,
	};
	unsigned int i;
	bool ok;

	begin();
	memset(guest, 0, sizeof(guest));
	memset(guest_ldt, 0, sizeof(guest_ldt));
	set_ldt(0xff);
	for (i = 0; i < sizeof(refused); i++) {
		guest[i + 1] = 0x00cf00000000ffffull | (u64)refused[i] << 40;
		guest_ldt[i] = guest[i + 1];
	}
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	for (ok = true, i = 0; i < VMON_GDT_FIRST; i++)
		ok &= !run[i] && !run_ldt[i];
	tap_ok(ok, "system, not accessed, DPL below 3, gates: none is there");
	guest[5] = 0x00cf7b000000ffffull;
	guest[6] = 0x00cf72000000ffffull;
	guest_ldt[0] = 0x000f73000000ffffull;
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	tap_ok(run[5] == guest[5] && run[6] == guest[6] && run_ldt[0] == guest_ldt[0],
	       "what is not present can be looked at");

	guest[5] = 0x00affb000000ffffull;	/* 64-bit code */
	guest[6] = 0x00effb000000ffffull;	/* L and D */
	guest[7] = 0xffdff3fffff0ffffull;	/* thread-local storage, wraps around */
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	tap_ok(run[5] == 0x008ffb000000ffffull && run[6] == 0x00cffb000000ffffull,
	       "64-bit code is 16- or 32-bit code");
	tap_ok(run[7] == guest[7], "a segment that wraps around keeps its limit");
}

static void test_shrink(void)
{
	bool ok;

	begin();
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	ok = table_right();
	cpu.gdtr.limit = 0x7f;
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	ok &= table_right();
	cpu.gdtr.limit = 0x7e;
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	ok &= table_right();
	cpu.gdtr.limit = 0;
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	ok &= table_right();
	set_ldt(0xffff);
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	ok &= table_right();
	set_ldt(0x3e);
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	ok &= table_right();
	cpu.seg[VMON_LDTR].sel = 0;
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	tap_ok(ok && table_right(), "a smaller table leaves nothing behind");
}

static void test_exit(void)
{
	unsigned int i, round;
	struct vmon_seg old[VMON_NR_SREGS], want;
	bool ok = true;
	u16 sel[6], new;

	begin();
	cpu.gdtr.limit = 0x3ff;
	set_ldt(0x1ff);
	for (round = 0; ok && round < 2000; round++) {
		load_registers(false);
		if (!vmon_segments_user(&user, &cpu, read_guest, NULL))
			continue;
		memcpy(old, cpu.seg, sizeof(old));
		for (i = 0; i < 6; i++) {
			sel[i] = cpu.seg[i].sel;
			new = any_sel();
			if (rnd() & 1 && loadable(guest_desc(new)) &&
			    (i != VMON_SS || guest_desc(new) >> 54 & 1))
				sel[i] = new ^ (rnd() & 3);
			else if (i != VMON_CS && i != VMON_SS && rnd() % 8 == 0)
				sel[i] = rnd() & 3;
		}
		vmon_segments_user_exit(&user, &cpu, sel, false);
		for (i = 0; ok && i < 6; i++) {
			memset(&want, 0, sizeof(want));
			want.sel = sel[i];
			if (sel[i] == old[i].sel)
				want = old[i];
			else if (sel[i] > 3)
				vmon_desc_read(&want, guest_desc(sel[i]) & ~(1ull << 53),
					       sel[i]);
			ok = !memcmp(&want, &cpu.seg[i], sizeof(want));
		}
		/* What it left behind is what the table says. */
		ok &= vmon_segments_user(&user, &cpu, read_guest, NULL);
	}
	tap_ok(ok, "registers that ring 3 has loaded");
}

/* The table's end cannot be read: what was read is forgotten with the limit, too. */
static void test_unreadable(void)
{
	bool ok;

	begin();
	fail_at = 3000;
	ok = !vmon_segments_user(&user, &cpu, read_guest, NULL);
	fail_at = ~0u;
	cpu.gdtr.limit = 0x7f;
	vmon_segments_user(&user, &cpu, read_guest, NULL);
	tap_ok(ok && table_right(), "nothing is left of a table that was read in part");
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 4000;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0) | 1;
	tap_plan(8);
	printf("# seed %llu\n", seed);
	test_random(rounds);
	test_kinds();
	test_shrink();
	test_exit();
	test_unreadable();
	return tap_done();
}
