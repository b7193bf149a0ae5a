// SPDX-License-Identifier: GPL-2.0
/*
 * From a number to a program: everything but the code, which is code.c's.
 *
 * Addresses are those where something is to be expected: the last page, the page before,
 * the translation cache, zero, the program's own pages and code.
 */
#include "stream.h"

const u32 place_va[P_PLACES] = {
	[P_TOP] = TOP, [P_BELOW] = BELOW, [P_ZERO] = ZERO, [P_CODE] = CODE,
	[P_CODE2] = CODE + PAGE, [P_STACK] = STACK, [P_DATA] = DATA, [P_DATA2] = DATA + PAGE,
};

static u64 random_state;
static const struct program *now;

u32 rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 16;
}

u32 below(u32 n)
{
	return rnd() % n;
}

bool one_in(u32 n)
{
	return !below(n);
}

static void seed_with(u32 seed, u32 number)
{
	u32 i;

	random_state = ((u64)seed << 32 | number) * 0x9e3779b97f4a7c15ull + 0x632be59bd9b4e019ull;
	for (i = 0; i < 4; i++)
		rnd();
}

/* Near one end of a page, or anywhere in it. */
static u32 offset(void)
{
	switch (below(4)) {
	case 0:
		return below(16);
	case 1:
		return PAGE - 1 - below(20);
	default:
		return below(PAGE);
	}
}

u32 value(void)
{
	static const u32 edges[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffffffff, 0xfffffffe, 31, 32, 33, 0xfffff000, 0xffffefff, 0xffffeffc,
	};
	u32 kind = below(100);

	if (kind < 42)
		return DATA + below(2) * PAGE + offset();
	if (kind < 51)
		return below(64);
	if (kind < 59)
		return edges[below(ARRAY_SIZE(edges))];
	if (kind < 68)
		return TOP + offset();
	if (kind < 75)
		return BELOW + offset();
	if (kind < 78)
		return ZERO + offset();
	if (kind < 81)
		return CACHE + below(CACHE_SIZE);
	if (kind < 86)
		return place_va[now->place] + now->off + below(CODE_MAX + 8) - 4;
	if (kind < 91)
		return STACK + offset();
	if (kind < 94)
		return below(LAST + 1) * 8 | below(8);
	return rnd();
}

/* What can be loaded at @ring, mostly. */
static u32 data_selector(u32 ring)
{
	static const u8 kernel[] = { 8, 9, 10, 11, 13, 16, 20, 21, 23, 24 };
	static const u8 user[] = { 11, 16, 17, 21, 24 };

	if (!one_in(4))
		return ring ? USER_DS : KERNEL_DS;
	if (one_in(8))
		return 0;
	if (one_in(6))
		return below(LDT_ENTRIES) * 8 | 4 | ring;
	if (ring)
		return user[below(ARRAY_SIZE(user))] * 8 | 3;
	return kernel[below(ARRAY_SIZE(kernel))] * 8 | (one_in(4) ? 0 : below(2) * 3);
}

static void make_flags(struct program *p)
{
	u32 fl = FL_FIXED | FL_IF | (rnd() & FL_ARITH);

	if (one_in(4))
		fl |= FL_DF;
	if (one_in(8))
		fl |= FL_AC;
	if (one_in(8))
		fl |= FL_ID;
	if (one_in(24))
		fl |= FL_NT;
	if (one_in(16))
		fl |= FL_IOPL & rnd();
	if (one_in(16))
		fl &= ~FL_IF;
	if (p->way == WAY_STEP ? !one_in(4) : p->way == WAY_OUT && one_in(32))
		fl |= FL_TF;
	p->in.eflags = fl;
}

static void make_registers(struct program *p)
{
	struct regs *r = &p->in;
	u32 ring = p->ring;

	r->eax = value();
	r->ecx = one_in(2) ? below(40) : value();
	r->edx = value();
	r->ebx = value();
	r->ebp = value();
	r->esi = value();
	r->edi = value();
	r->esp = STACK + PAGE / 2 + below(64) * 4;
	if (p->way != WAY_STEP && one_in(9))
		r->esp = one_in(2) ? value() & ~3u : value();
	r->ds = data_selector(ring);
	r->es = data_selector(ring);
	r->fs = data_selector(ring);
	r->gs = one_in(3) ? data_selector(ring) : KERNEL_DS;
	r->ss = ring ? USER_DS : KERNEL_DS;
	r->cs = ring ? USER_CS : KERNEL_CS;
	if (p->way == WAY_FAR) {
		static const u8 stacks[] = { 9, 10, 13, 20, 23 };
		static const u8 codes[] = { 14, 15, 22 };

		if (!one_in(3))
			r->ss = stacks[below(ARRAY_SIZE(stacks))] * 8;
		if (r->ss == 13 * 8 && one_in(2))
			r->esp = rnd() << 16 | below(PAGE);
		if (one_in(3))
			r->cs = codes[below(ARRAY_SIZE(codes))] * 8;
	}
	if (p->way == WAY_OUT && one_in(12))
		r->ss = 16 * 8 | 3;
	r->cr0 = CR0_OWN;
	if (one_in(256))
		r->cr0 &= ~CR0_WP;
	if (one_in(16))
		r->cr0 |= CR0_TS;
	if (one_in(32))
		r->cr0 |= CR0_EM;
	if (one_in(6))
		r->cr0 |= CR0_AM;
	if (one_in(16))
		r->cr0 &= ~CR0_MP;
}

static u64 mapping(const struct program *p, enum place place)
{
	static const u8 absent[P_PLACES] = {
		[P_TOP] = 40, [P_BELOW] = 10, [P_ZERO] = 30, [P_CODE2] = 30, [P_STACK] = 2,
		[P_DATA] = 6, [P_DATA2] = 25,
	};
	u64 entry = PTE_ALL;

	/* The code's own page: there, and for its ring. */
	if (place != p->place && below(100) < absent[place])
		return 0;
	/* A stack that cannot be written is a double fault, which tells little. */
	if (below(100) < (place == P_STACK ? 3 : 14))
		entry &= ~PTE_W;
	else if (below(100) < 14 && (place != p->place || !p->ring))
		entry &= ~PTE_U;
	/* Entry and steps write there. */
	if (place == P_STACK && p->way == WAY_STEP)
		entry |= PTE_ALL;
	if (!one_in(4))
		entry |= PTE_A | (entry & PTE_W ? PTE_D : 0);
	/* Reading ahead, a CPU may set it; the translator does. */
	if (place == P_CODE2 && entry)
		entry |= PTE_A;
	if (p->pae && place != p->place && one_in(5))
		entry |= PTE_NX;
	return entry;
}

void generate(struct program *p, u32 seed, u32 number)
{
	u32 i;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->number = number;
	p->pae = number >> 8 & 1;
	now = p;

	/* Neighbours have the same mappings: an entry that stays costs nothing. */
	seed_with(~seed, number >> 3);
	p->place = P_CODE;
	if (one_in(6))
		p->place = one_in(3) ? P_ZERO : P_BELOW;
	p->ring = one_in(4) ? 3 : 0;
	p->way = p->ring ? WAY_OUT : one_in(10) ? WAY_STEP : WAY_NEAR;
	for (i = 0; i < P_PLACES; i++)
		p->pte[i] = mapping(p, i);

	seed_with(seed, number);
	if (p->way == WAY_NEAR && one_in(10))
		p->way = WAY_FAR;
	p->off = below(PAGE - CODE_MAX - 2);
	make_flags(p);
	make_code(p);
	/* Over the end of its page. */
	if (p->place != P_ZERO && one_in(6))
		p->off = PAGE - 1 - below(p->len);
	else if (p->off + p->len > PAGE)
		p->off = PAGE - p->len;
	end_page(p);
	make_registers(p);
	/* REP MOVS and REP STOS that overwrite themselves: when it counts is the CPU's affair. */
	if (p->in.edi - place_va[p->place] < 2 * PAGE)
		p->in.edi = DATA + p->in.edi % PAGE;
	p->in.eip = place_va[p->place] + p->off;
	if (p->in.cs == 15 * 8)		/* a 16-bit segment that begins at CODE */
		p->in.eip = p->off;
}
