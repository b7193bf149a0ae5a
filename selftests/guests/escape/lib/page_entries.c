// SPDX-License-Identifier: GPL-2.0
/*
 * Page directory entries, see pages.h: large pages, tables that map themselves, tables that
 * are the root or lie where no memory is, reserved bits.
 */
#include "pages.h"

#define RESERVED	0x00200000u	/* in the two-level format; see below */

static u64 old;

void entry_is(u32 va, u64 pde)
{
	old = pde_get(&space, va);
	pde_set(&space, va, pde);
	write_cr3(space.root);
}

u64 entry_was(u32 va)
{
	u64 pde = pde_get(&space, va);

	pde_set(&space, va, old);
	write_cr3(space.root);
	return pde;
}

u32 large_size(void)
{
	return space.pae ? 2u << 20 : 4u << 20;
}

static u32 large_bits(u32 bits)
{
	/* What is reserved in a page of 2 MiB, too. */
	return space.pae && bits & RESERVED ? bits ^ RESERVED ^ 1u << 20 : bits;
}

static void superpages(u32 ring, u32 va)
{
	static const struct {
		const char *name;
		u32 bits;
		int load, store;	/* error code at ring 3, or -1 */
	} kinds[] = {
		{ "large page", PTE_ALL | PTE_PS, -1, -1 },
		{ "global large page", PTE_ALL | PTE_PS | PTE_G, -1, -1 },
		{ "read-only large page", PTE_P | PTE_U | PTE_PS, -1, PF_P | PF_W | PF_U },
		{ "supervisor's large page", PTE_P | PTE_W | PTE_PS, PF_P | PF_U,
		  PF_P | PF_W | PF_U },
		{ "no large page", PTE_W | PTE_U | PTE_PS, PF_U, PF_W | PF_U },
		{ "large page, reserved bit", PTE_ALL | PTE_PS | RESERVED, PF_RSVD | PF_P | PF_U,
		  PF_RSVD | PF_P | PF_W | PF_U },
	};
	u32 i, write, frame = LARGE + (va & (large_size() - PAGE)), want;
	int error;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (write = 0; write < 2; write++) {
			if (!begin(ring, "%s %x in a %s", write ? "store to" : "load of", va + 0x20,
				   kinds[i].name))
				continue;
			poke(frame + 0x20, 0x12345678);
			entry_is(va, LARGE | large_bits(kinds[i].bits));
			at.in.edi = va + 0x20;
			run(write ? CODE("movl %%eax, (%%edi)") : CODE("movl (%%edi), %%ebx"));
			want = entry_was(va);
			error = write ? kinds[i].store : kinds[i].load;
			if (!ring && i == 3)
				error = -1;
			if (error < 0) {
				expect_done();
				expect_eq(want & PTE_A, PTE_A);
				expect_eq(!!(want & PTE_D), write);
			} else {
				expect_pf(ring ? (u32)error : error & ~PF_U, va + 0x20);
			}
			if (!write && error < 0)
				expect_eq(at.out.ebx, 0x12345678);
			expect_eq(peek(frame + 0x20), write && error < 0 ? at.in.eax : 0x12345678);
			end();
		}
}

/*
 * The table for @va is the directory itself: what is stored there is an entry. FREE_VA is in
 * the same GiB.
 */
static void recursive(u32 ring, u32 va)
{
	u32 size = space.pae ? 8 : 4, dir = pde_addr(&space, va) & ~0xfffu, table, page;
	u32 i, self = (va & ~(large_size() - 1)) | (pde_addr(&space, va) & 0xfff) / size << 12;

	for (i = 0; i < 2; i++) {
		if (!begin(ring, "%s the root by itself at %x", i ? "store to" : "load of", self))
			continue;
		entry_is(va, dir | PTE_ALL);
		/* An entry that nobody uses, and what it maps. */
		at.in.edi = self + (pde_addr(&space, FREE_VA) & 0xfff);
		at.in.edx = LARGE | PTE_ALL | PTE_PS;
		at.in.esi = FREE_VA + 0x40;
		poke(LARGE + 0x40, 0x87654321);
		run(i ? CODE("movl %%edx, (%%edi); movl (%%esi), %%ebx") :
		    CODE("movl (%%edi), %%ebx; movl (%%esi), %%ecx"));
		if (i) {
			expect_done();
			expect_eq(at.out.ebx, 0x87654321);
		} else {
			expect(at.vector == PF && at.cr2 == FREE_VA + 0x40, "vector %u cr2 %x",
			       at.vector, at.cr2);
			expect_eq(at.out.ebx, 0);
		}
		pde_set(&space, FREE_VA, 0);
		entry_was(va);
		end();
	}
	if (begin(ring, "store to a table that maps itself at %x", va)) {
		table = pde_get(&space, BELOW) & ~0xfffu;
		page = (va & ~(large_size() - 1)) | 0x155 << 12;
		entry_is(va, table | PTE_ALL);
		poke(table + 0x155 * size, table | PTE_ALL);
		at.in.edi = page + 0x156 * size;
		at.in.edx = data_page | PTE_ALL;
		at.in.esi = page + PAGE + 0x20;
		run(CODE("movl %%edx, (%%edi); movl (%%esi), %%ebx"));
		expect_done();
		expect_eq(at.out.ebx, PATTERN(data_page, 0x20));
		poke(table + 0x155 * size, 0);
		poke(table + 0x156 * size, 0);
		entry_was(va);
		end();
	}
}

/* No memory behind a large page: reads as ones, and stores go nowhere. */
static void nowhere(u32 ring, u32 va)
{
	if (begin(ring, "store and load at %x, no memory behind it", va + 0x20)) {
		entry_is(va, NOWHERE | PTE_ALL | PTE_PS);
		at.in.edi = va + 0x20;
		run(CODE("movl %%eax, (%%edi); movl (%%edi), %%ebx"));
		expect_done();
		expect_eq(at.out.ebx, 0xffffffff);
		entry_was(va);
		end();
	}
	if (begin(ring, "page at %x is the root, stored to", va)) {
		u32 table = page_alloc(), dir = pde_addr(&space, FREE_VA) & ~0xfffu;

		poke(table + (space.pae ? (va >> 12 & 511) * 8 : (va >> 12 & 1023) * 4),
		     dir | PTE_ALL);
		entry_is(va, table | PTE_ALL);
		at.in.edi = va + (pde_addr(&space, FREE_VA) & 0xfff);
		at.in.edx = LARGE | PTE_ALL | PTE_PS;
		at.in.esi = FREE_VA + 0x40;
		poke(LARGE + 0x40, 0x87654321);
		run(CODE("movl %%edx, (%%edi); movl (%%esi), %%ebx; andl $0, (%%edi)"));
		expect_done();
		expect_eq(at.out.ebx, 0x87654321);
		entry_was(va);
		end();
	}
}

/* Code there. */
static void execute(u32 ring, u32 va)
{
	if (!begin(ring, "code at %x, in a large page", va))
		return;
	poke(LARGE + (va & (large_size() - PAGE)), 0x82cd40);	/* incl %eax; int DONE */
	entry_is(va, LARGE | PTE_ALL | PTE_PS);
	at.in.eip = va;
	run(va);
	expect_done();
	expect_eq(at.out.eax, at.in.eax + 1);
	entry_was(va);
	end();
}

void page_entries(void)
{
	static const u32 places[] = { TOP, WINDOW, WINDOW + 0x81000, WINDOW + 0x400000 };
	u32 ring, i;

	for (ring = 0; ring <= 3; ring += 3)
		for (i = 0; i < ARRAY_SIZE(places); i++) {
			superpages(ring, places[i]);
			recursive(ring, places[i]);
			nowhere(ring, places[i]);
			execute(ring, places[i]);
		}
}
