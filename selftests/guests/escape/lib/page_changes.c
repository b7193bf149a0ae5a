// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of page-table entries that are in use, see pages.h. Each is: access, change,
 * forget, access. Without forgetting either may be seen, the old entry or the new one, but
 * nothing else.
 */
#include "pages.h"

#define FAR	0x40000000u
#define ALIAS	0x40800000u	/* here the table of FAR is mapped, too */
#define NEVER	0x100u		/* no fault */

static u32 load, store, write_entry;
static u64 old_entry;
static u32 table[2];

enum forget { INVLPG, CR3, PGE, CR3_AND_BACK, NOTHING, N_FORGETS };

static const char *const forgets[N_FORGETS] = {
	"invlpg", "mov to cr3", "PGE set and cleared", "another cr3 between", "nothing done",
};

static struct space other;	/* maps FAR and FREE_VA in another way */

static void forget(enum forget how, u32 va)
{
	switch (how) {
	case INVLPG:
		invlpg(va);
		break;
	case CR3:
		write_cr3(space.root);
		break;
	case PGE:
		write_cr4(read_cr4() ^ CR4_PGE);
		write_cr4(read_cr4() ^ CR4_PGE);
		break;
	case CR3_AND_BACK:
		write_cr3(other.root);
		(void)peek(FAR);
		write_cr3(space.root);
		break;
	default:
		break;
	}
}

/* One access, which has to fault with @error or, for NEVER, find @val. */
static void access(u32 va, bool write, u32 error, u32 val, u32 frame)
{
	at.in.edi = va;
	at.in.edx = 0x5eed5eed;
	run(write ? store : load);
	if (error != NEVER) {
		expect_pf(error | (at.ring ? PF_U : 0) | (write ? PF_W : 0), va);
		return;
	}
	expect_done();
	if (write)
		expect_eq(peek(frame + (va & 0xfff)), 0x5eed5eed);
	else
		expect_eq(at.out.ebx, val);
}

/* --- one entry --- */

enum { D_FRAME, Z_FRAME };

/* Rights before and after, as bits of the entry; frames; what the access after comes to. */
static const struct {
	const char *name;
	u16 bits, then;
	u8 frame, then_frame;
	bool write;
	u16 error3, error0;	/* at ring 3, at ring 0; NEVER */
	bool at_once;		/* without forgetting, too */
} changes[] = {
	{ "to read-only", PTE_ALL, PTE_P | PTE_U, 0, 0, true, PF_P, PF_P, false },
	{ "to writable", PTE_P | PTE_U, PTE_ALL, 0, 0, true, NEVER, NEVER, false },
	{ "to the supervisor's", PTE_ALL, PTE_P | PTE_W, 0, 0, false, PF_P, NEVER, false },
	{ "to everybody's", PTE_P | PTE_W, PTE_ALL, 0, 0, false, NEVER, NEVER, false },
	{ "to absent", PTE_ALL, PTE_W | PTE_U, 0, 0, false, 0, 0, false },
	{ "to present", PTE_W | PTE_U, PTE_ALL, 0, 0, false, NEVER, NEVER, true },
	{ "to present, then stored to", PTE_W | PTE_U, PTE_ALL, 0, 0, true, NEVER, NEVER, true },
	{ "to another frame", PTE_ALL, PTE_ALL, 0, 1, false, NEVER, NEVER, false },
	{ "to another frame, then stored to", PTE_ALL, PTE_ALL, 0, 1, true, NEVER, NEVER, false },
	{ "to another frame, read-only", PTE_ALL, PTE_P | PTE_U, 0, 1, true, PF_P, PF_P, false },
	{ "of global to another frame", PTE_ALL | PTE_G, PTE_ALL | PTE_G, 0, 1, false, NEVER,
	  NEVER, false },
	{ "of global to absent", PTE_ALL | PTE_G, 0, 0, 0, false, 0, 0, false },
	{ "to accessed and dirty", PTE_ALL, PTE_ALL | PTE_A | PTE_D, 0, 1, true, NEVER, NEVER,
	  false },
	{ "to not accessed, not dirty", PTE_ALL | PTE_A | PTE_D, PTE_ALL, 0, 0, true, NEVER, NEVER,
	  false },
};

/* The entry at @addr is written by the attempt's ring; @how is forgotten by ours. */
static void one_entry(u32 ring, u32 i, enum forget how, bool alias, u32 level)
{
	u32 frame[2] = { data_page, zero_frame }, addr, k, error, entry, shift, pte, then;
	bool either = how == NOTHING && !changes[i].at_once;

	/* CR3 loads leave global entries: it is up to the CPU whether it does. */
	either |= changes[i].bits & PTE_G && (how == CR3 || how == CR3_AND_BACK);
	if (level == 2 && changes[i].bits & PTE_G)
		return;
	if (!begin(ring, "%s %s%s, %s", level == 1 ? "page" : "table", changes[i].name,
		   alias ? " through another mapping" : "", forgets[how]))
		return;
	if (changes[i].bits & PTE_G)
		write_cr4(read_cr4() | CR4_PGE);
	shift = space.pae ? (FAR >> 12 & 511) * 8 : (FAR >> 12 & 1023) * 4;
	if (level == 1) {
		pte_set(&space, FAR, frame[0] | changes[i].bits);
		addr = pte_addr(&space, FAR);
		entry = frame[changes[i].then_frame] | changes[i].then;
	} else {
		for (k = 0; k < 2; k++) {
			memset((void *)table[k], 0, PAGE);
			poke(table[k] + shift, frame[k] | PTE_ALL);
		}
		old_entry = pde_get(&space, FAR);
		pde_set(&space, FAR, table[0] | changes[i].bits);
		addr = pde_addr(&space, FAR);
		entry = table[changes[i].then_frame] | changes[i].then;
	}
	pte_set(&space, ALIAS, (addr & ~0xfffu) | PTE_ALL);
	write_cr3(space.root);
	invlpg(FAR);
	invlpg(ALIAS);

	at.in.edi = FAR;
	run(load);
	again();
	at.in.edi = FAR;
	at.in.edx = at.in.eax;
	if (changes[i].bits & PTE_W)
		run(store);
	again();
	at.in.edx = entry;
	at.in.esi = alias ? ALIAS + (addr & 0xfff) : addr;
	run(write_entry);
	expect_done();
	again();
	forget(how, FAR);
	error = ring ? changes[i].error3 : changes[i].error0;
	then = frame[changes[i].then_frame];
	if (either) {
		at.in.edi = FAR;
		at.in.edx = 0x5eed5eed;
		run(changes[i].write ? store : load);
		expect(at.vector == DONE || (at.vector == PF && at.cr2 == FAR), "vector %u",
		       at.vector);
		at.by_model = true;
	} else {
		access(FAR, changes[i].write, error, peek(then), then);
	}
	pte = peek(addr);
	if (!either) {
		expect_eq(pte & ~(PTE_A | PTE_D), entry & ~(PTE_A | PTE_D));
		if (error == NEVER)
			expect_eq(pte & PTE_A, PTE_A);
		if (error == NEVER && level == 1)
			expect_eq(!!(pte & PTE_D), changes[i].write || !!(entry & PTE_D));
	}
	poke(data_page + 0x800, pte & 0xfff);
	if (level == 2)
		pde_set(&space, FAR, old_entry);
	pte_set(&space, FAR, 0);
	write_cr4(read_cr4() & ~CR4_PGE);
	write_cr3(space.root);
	end();
}

/* --- XSA-148: the size of a page is toggled in a present entry --- */

static void sizes(u32 ring)
{
	u32 size = space.pae ? 8 : 4, round;

	if (begin(ring, "a table, a large page, and back")) {
		memset((void *)LARGE2, 0, PAGE);
		poke(LARGE2 + size, data_page | PTE_ALL);
		/* As a page it maps itself: its second word is an entry. */
		for (round = 0; round < 6; round++) {
			entry_is(FREE_VA, LARGE2 | PTE_ALL);
			access(FREE_VA + PAGE + 0x20, false, NEVER, PATTERN(data_page, 0x20), 0);
			again();
			pde_set(&space, FREE_VA, LARGE2 | PTE_ALL | PTE_PS);
			forget(round & 1 ? CR3 : INVLPG, FREE_VA);
			forget(round & 1 ? CR3 : INVLPG, FREE_VA + PAGE);
			access(FREE_VA + PAGE + 0x20, false, NEVER, peek(LARGE2 + PAGE + 0x20), 0);
			again();
			access(FREE_VA + 2 * size, true, NEVER, 0, LARGE2);
			again();
			at.in.edi = FREE_VA + size;
			run(load);
			expect_eq(at.out.ebx & ~(PTE_A | PTE_D), data_page | PTE_ALL);
			again();
			entry_was(FREE_VA);
		}
		end();
	}
	if (begin(ring, "a read-only large page, a writable one, and back")) {
		for (round = 0; round < 6; round++) {
			entry_is(FREE_VA, LARGE | PTE_P | PTE_U | PTE_PS);
			poke(LARGE + 0x1040, 0x12340000 | round);
			access(FREE_VA + 0x1040, false, NEVER, 0x12340000 | round, 0);
			again();
			access(FREE_VA + 0x1040, true, PF_P, 0, 0);
			expect_eq(peek(LARGE + 0x1040), 0x12340000 | round);
			again();
			pde_set(&space, FREE_VA, LARGE | PTE_ALL | PTE_PS);
			forget(round & 1 ? CR3 : INVLPG, FREE_VA + 0x1000);
			access(FREE_VA + 0x1040, true, NEVER, 0, LARGE + 0x1000);
			again();
			entry_was(FREE_VA);
		}
		end();
	}
	if (begin(ring, "a large page, the same frames by a table, read-only")) {
		u32 k;

		memset((void *)table[0], 0, PAGE);
		for (k = 0; k < PAGE / size; k++)
			poke(table[0] + k * size, (LARGE + k * PAGE) | PTE_P | PTE_U);
		entry_is(FREE_VA, LARGE | PTE_ALL | PTE_PS);
		access(FREE_VA + 0x5040, true, NEVER, 0, LARGE + 0x5000);
		again();
		pde_set(&space, FREE_VA, table[0] | PTE_ALL);
		forget(INVLPG, FREE_VA + 0x5000);
		access(FREE_VA + 0x5040, true, PF_P, 0, 0);
		again();
		access(FREE_VA + 0x5040, false, NEVER, 0x5eed5eed, 0);
		entry_was(FREE_VA);
		end();
	}
	if (!space.pae && begin(ring, "PSE set and cleared under a large page")) {
		memset((void *)LARGE2, 0, PAGE);
		poke(LARGE2 + size, data_page | PTE_ALL);
		entry_is(FREE_VA, LARGE2 | PTE_ALL | PTE_PS);
		for (round = 0; round < 4; round++) {
			write_cr4(read_cr4() & ~CR4_PSE);
			access(FREE_VA + PAGE + 0x20, false, NEVER, PATTERN(data_page, 0x20), 0);
			again();
			write_cr4(read_cr4() | CR4_PSE);
			access(FREE_VA + PAGE + 0x20, false, NEVER, peek(LARGE2 + PAGE + 0x20), 0);
			again();
		}
		entry_was(FREE_VA);
		end();
	}
}

/* --- what else changes what is allowed --- */

static void write_protection(u32 ring)
{
	u32 round;

	if (!begin(ring, "WP cleared and set"))
		return;
	pte_set(&space, FAR, data_page | PTE_P | PTE_U);
	invlpg(FAR);
	for (round = 0; round < 4; round++) {
		write_cr0(read_cr0() & ~CR0_WP);
		access(FAR, true, ring ? PF_P : NEVER, 0, data_page);
		again();
		write_cr0(read_cr0() | CR0_WP);
		access(FAR, true, PF_P, 0, 0);
		again();
	}
	pte_set(&space, FAR, 0);
	invlpg(FAR);
	end();
}

static void two_spaces(u32 ring)
{
	u32 round, global;

	for (global = 0; global < 2; global++) {
		if (!begin(ring, "two roots by turns, %s", global ? "global until PGE is cleared" :
			   "not global"))
			continue;
		if (global)
			write_cr4(read_cr4() | CR4_PGE);
		pte_set(&space, FAR, data_page | PTE_ALL | (global ? PTE_G : 0));
		invlpg(FAR);
		for (round = 0; round < 6; round++) {
			bool second = round & 1;

			if (global) {
				write_cr4(read_cr4() & ~CR4_PGE);
				write_cr4(read_cr4() | CR4_PGE);
			}
			write_cr3(second ? other.root : space.root);
			if (global) {
				write_cr4(read_cr4() & ~CR4_PGE);
				write_cr4(read_cr4() | CR4_PGE);
			}
			access(FAR, false, NEVER, second ? 0x0ddba11 : PATTERN(data_page, 0), 0);
			again();
		}
		write_cr4(read_cr4() & ~CR4_PGE);
		write_cr3(space.root);
		pte_set(&space, FAR, 0);
		invlpg(FAR);
		end();
	}
}

/* A table that is no memory reads as ones; so may what it maps. */
static void no_tables(u32 ring)
{
	u32 i;

	for (i = 0; i < 2; i++)
		if (begin(ring, "a table %s", i ? "in device memory" : "where no memory is")) {
			entry_is(FREE_VA, (i ? 0xa0000 : NOWHERE) | PTE_ALL);
			at.in.edi = FREE_VA + 0x20;
			run(load);
			entry_was(FREE_VA);
			at.by_model = i || !space.pae;
			if (!i && (space.pae || on_vmon()))
				expect_pf(PF_RSVD | PF_P | (ring ? PF_U : 0), FREE_VA + 0x20);
			end();
		}
}

/* The entry of the page behind the one that it lies in, stored by that. */
static void next_page(u32 ring)
{
	u32 size = space.pae ? 8 : 4, addr;

	if (!begin(ring, "an entry stored through the page before"))
		return;
	/* FAR is its own table. */
	pte_set(&space, FAR, data_page | PTE_ALL);
	addr = pte_addr(&space, FAR);
	pte_set(&space, FAR, (addr & ~0xfffu) | PTE_ALL);
	pte_set(&space, FAR + PAGE, 0);
	invlpg(FAR);
	at.in.edi = FAR + (addr & 0xfff) + size;
	at.in.esi = FAR + PAGE + 0x40;
	at.in.edx = data_page | PTE_ALL;
	run(CODE("movl %%edx, (%%edi); movl (%%esi), %%ebx; movl %%ebx, 4(%%esi)"));
	expect_done();
	expect_eq(at.out.ebx, PATTERN(data_page, 0x40));
	expect_eq(peek(data_page + 0x44), PATTERN(data_page, 0x40));
	pte_set(&space, FAR, 0);
	pte_set(&space, FAR + PAGE, 0);
	invlpg(FAR);
	invlpg(FAR + PAGE);
	end();
}

void page_changes(void)
{
	u32 ring, i, how, page = page_alloc();

	load = CODE("movl (%%edi), %%ebx");
	store = CODE("movl %%edx, (%%edi)");
	write_entry = CODE("movl %%edx, (%%esi)");
	poke(page, 0x0ddba11);
	table[0] = page_alloc();
	table[1] = page_alloc();
	other = space_new(space.pae);
	pte_set(&other, FAR, page | PTE_ALL | PTE_G);
	for (ring = 0; ring <= 3; ring += 3) {
		for (i = 0; i < ARRAY_SIZE(changes); i++)
			for (how = 0; how < N_FORGETS; how++) {
				one_entry(ring, i, how, false, 1);
				one_entry(ring, i, how, false, 2);
			}
		for (i = 0; i < ARRAY_SIZE(changes); i++)
			one_entry(ring, i, INVLPG, true, 1);
		sizes(ring);
		write_protection(ring);
		two_spaces(ring);
		no_tables(ring);
		next_page(ring);
	}
}
