// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables, two-level and PAE behind one interface: an entry is 64 bits wide, of
 * which the two-level format keeps 32.
 */
#include "guest.h"

#define POOL_PAGES	512
#define MAPPED		(16u << 20)

static u8 pool[POOL_PAGES][PAGE] __attribute__((aligned(4096)));
static u32 pool_used;

u32 page_alloc(void)
{
	if (pool_used == POOL_PAGES) {
		print("out of pages\n");
		finish(STATUS_TRAP);
	}
	memset(pool[pool_used], 0, PAGE);
	return (u32)pool[pool_used++];
}

u32 large_alloc(void)
{
	static u32 next = 8u << 20;
	u32 page = next;

	next += 4u << 20;
	memset((void *)page, 0, 4u << 20);
	return page;
}

static u64 entry_read(struct space *s, u32 addr)
{
	return s->pae ? *(volatile u64 *)addr : *(volatile u32 *)addr;
}

static void entry_write(struct space *s, u32 addr, u64 entry)
{
	if (s->pae) {
		/* Not present while it is half written. */
		poke(addr, 0);
		poke(addr + 4, entry >> 32);
	}
	poke(addr, entry);
}

u32 pde_addr(struct space *s, u32 va)
{
	if (!s->pae)
		return s->root + (va >> 22) * 4;
	return (peek(s->root + (va >> 30) * 8) & ~0xfffu) + (va >> 21 & 511) * 8;
}

u32 pte_addr(struct space *s, u32 va)
{
	u64 pde = pde_get(s, va);
	u32 table = (u32)pde & ~0xfffu;

	if (!(pde & PTE_P))
		return 0;
	return s->pae ? table + (va >> 12 & 511) * 8 : table + (va >> 12 & 1023) * 4;
}

u64 pde_get(struct space *s, u32 va)
{
	return entry_read(s, pde_addr(s, va));
}

void pde_set(struct space *s, u32 va, u64 entry)
{
	entry_write(s, pde_addr(s, va), entry);
}

u64 pte_get(struct space *s, u32 va)
{
	u32 addr = pte_addr(s, va);

	return addr ? entry_read(s, addr) : 0;
}

void pte_set(struct space *s, u32 va, u64 entry)
{
	if (!(pde_get(s, va) & PTE_P))
		pde_set(s, va, page_alloc() | PTE_ALL);
	entry_write(s, pte_addr(s, va), entry);
}

struct space space_new(bool pae)
{
	struct space s = { pae, page_alloc() };
	u32 i, va;

	for (i = 0; pae && i < 4; i++)
		poke(s.root + i * 8, page_alloc() | PTE_P);
	for (va = 0; va < MAPPED; va += PAGE)
		pte_set(&s, va, va | PTE_ALL);
	return s;
}

void paging_on(struct space *s)
{
	u32 cr4 = read_cr4() & ~CR4_PAE;

	write_cr4(s->pae ? cr4 | CR4_PAE : cr4);
	write_cr3(s->root);
	write_cr0(read_cr0() | CR0_PG);
}

void paging_off(void)
{
	write_cr0(read_cr0() & ~CR0_PG);
}
