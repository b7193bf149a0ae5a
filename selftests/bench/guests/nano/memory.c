// SPDX-License-Identifier: GPL-2.0
/*
 * What changes or loads page tables, and touches what they map.
 *
 * REGION is mapped nowhere at first; its pages lead to the frames from FRAMES on, which
 * nothing else uses.
 */
#include "bench.h"

#define REGION	0x40000000u
#define FRAMES	0x00c00000u
#define PAGES	256u
#define AVL	0x200u		/* a bit that paging ignores */

/* Where its entries are. The last page is used, so vmon has a shadow of the table. */
static u32 table(void)
{
	const u32 last = REGION + 1023 * PAGE;

	if (!pte_addr(&space, REGION))
		pte_set(&space, last, FRAMES | PTE_ALL);
	peek(last);
	return pte_addr(&space, REGION);
}

/* Present entries for those that were not, as a kernel does in its page-fault handler. */
static u32 run_pte_new(u32 ops)
{
	u32 pte = table(), begin, ticks, i;

	begin = stamp();
	for (i = 0; i < ops; i++)
		poke(pte + i * 4, (FRAMES + i * PAGE) | PTE_ALL);
	ticks = stamp() - begin;
	for (i = 0; i < ops; i++) {
		poke(pte + i * 4, 0);
		invlpg(REGION + i * PAGE);
	}
	return ticks;
}

/* The same entry again and again, by the same instruction, and not used meanwhile. */
static u32 run_pte_write(u32 ops)
{
	u32 pte = table(), begin, i;

	poke(pte, FRAMES | PTE_ALL);
	peek(REGION);
	begin = stamp();
	for (i = 0; i < ops; i++)
		poke(pte, FRAMES | PTE_ALL | (i & 1 ? AVL : 0));
	begin = stamp() - begin;
	poke(pte, 0);
	invlpg(REGION);
	return begin;
}

/* Each change is used once. */
static u32 run_pte_remap(u32 ops)
{
	u32 pte = table(), begin, i;

	begin = stamp();
	for (i = 0; i < ops; i++) {
		poke(pte, (FRAMES + (i & 1) * PAGE) | PTE_ALL);
		invlpg(REGION);
		peek(REGION);
	}
	begin = stamp() - begin;
	poke(pte, 0);
	invlpg(REGION);
	return begin;
}

/* The guest has mapped these pages, so a processor misses in its TLB and no more. */
static u32 run_fault_hidden(u32 ops)
{
	u32 pte = table(), begin, ticks, i;

	for (i = 0; i < ops; i++)
		poke(pte + i * 4, (FRAMES + i * PAGE) | PTE_ALL);
	begin = stamp();
	for (i = 0; i < ops; i++)
		peek(REGION + i * PAGE);
	ticks = stamp() - begin;
	for (i = 0; i < ops; i++) {
		poke(pte + i * 4, 0);
		invlpg(REGION + i * PAGE);
	}
	return ticks;
}

static u32 run_touch_mapped(u32 ops)
{
	u32 begin = stamp(), i;

	for (i = 0; i < ops; i++)
		peek(FRAMES + (i & (PAGES - 1)) * PAGE);
	return stamp() - begin;
}

static u32 run_cr3_same(u32 ops)
{
	u32 begin = stamp();

	while (ops--)
		write_cr3(space.root);
	return stamp() - begin;
}

/* Two address spaces in turn, eight pages used in each. */
static u32 run_cr3_switch(u32 ops)
{
	static struct space other;
	u32 begin, i, k;

	if (!other.root) {
		other.root = page_alloc();
		memcpy((void *)other.root, (void *)space.root, PAGE);
	}
	begin = stamp();
	for (i = 0; i < ops; i++) {
		write_cr3(i & 1 ? other.root : space.root);
		for (k = 0; k < 8; k++)
			peek(FRAMES + k * PAGE);
	}
	begin = stamp() - begin;
	write_cr3(space.root);
	return begin;
}

static u32 run_invlpg(u32 ops)
{
	u32 begin = stamp();

	while (ops--)
		invlpg(FRAMES);
	return stamp() - begin;
}

const struct bench memory_benches[] = {
	{ "m_touch_mapped", 10000, run_touch_mapped },
	{ "m_pte_new", PAGES, run_pte_new },
	{ "m_pte_write", 1000, run_pte_write },
	{ "m_pte_remap", 200, run_pte_remap },
	{ "m_fault_hidden", PAGES, run_fault_hidden },
	{ "m_invlpg", 2000, run_invlpg },
	{ "m_cr3_same", 200, run_cr3_same },
	{ "m_cr3_switch", 200, run_cr3_switch },
	{ }
};
