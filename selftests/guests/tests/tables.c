// SPDX-License-Identifier: GPL-2.0
/* Page tables as kernels use them: changed through themselves, freed and used as data,
 * switched between, with other code at the same address.
 */
#include "guest.h"

#define FAR	0x40000000u
#define SELF	0xffc00000u	/* recursive map: last directory entry */

static u32 user_peek(u32 va)
{
	return peek(va);
}

static u32 user_run(u32 va)
{
	u32 val;

	asm volatile("call *%1" : "=a"(val) : "r"(va) : "ecx", "edx", "memory", "cc");
	return val;
}

static void put_mov(u32 at, u32 val)
{
	u8 *p = (u8 *)at;

	p[0] = 0xb8;
	memcpy(p + 1, &val, 4);
	p[5] = 0xc3;
}

static void recursive(void)
{
	struct space s = space_new(false);
	u32 pages[8], i, j, val;
	volatile u32 *ptes = (u32 *)(SELF + FAR / PAGE * 4), *pdes = (u32 *)0xfffff000;

	pde_set(&s, SELF, s.root | PTE_P | PTE_W);
	paging_on(&s);
	CHECK_EQ(pdes[1023] & ~0x60u, s.root | PTE_P | PTE_W);
	CHECK_EQ(pdes[FAR >> 22], 0);
	for (i = 0; i < 8; i++) {
		pages[i] = page_alloc();
		poke(pages[i], 0x1000 + i);
	}
	pdes[FAR >> 22] = page_alloc() | PTE_ALL;
	invlpg((u32)ptes);
	for (j = 0; j < 50; j++) {
		for (i = 0; i < 8; i++) {
			ptes[i] = pages[(i + j) % 8] | PTE_ALL;
			invlpg(FAR + i * PAGE);
		}
		for (i = 0; i < 8; i++) {
			CHECK_EQ(peek(FAR + i * PAGE), 0x1000 + (i + j) % 8);
			CHECK_EQ(ptes[i], pages[(i + j) % 8] | PTE_ALL | PTE_A);
		}
		CHECK_EQ(user_call(user_peek, FAR + PAGE), 0x1000 + (1 + j) % 8);
	}
	/* Read-modify-write of an entry. */
	asm volatile("lock btsl $9, (%0)" : : "r"(ptes) : "memory", "cc");
	CHECK_EQ(ptes[0] & 0xe00, 0x200);
	asm volatile("xchgl %0, (%1)" : "=r"(val) : "r"(ptes), "0"(0) : "memory");
	invlpg(FAR);
	TRY("movl (%0), %%eax", : : "r"(FAR) : "memory", "eax");
	CHECK_PF(0, FAR);
	*ptes = val;
	CHECK_EQ(peek(FAR), val ? 0x1000 + 49 % 8 : 0);
	/* Byte by byte. */
	((volatile u8 *)ptes)[1] = pages[3] >> 8 & 0xff;
	((volatile u8 *)ptes)[2] = pages[3] >> 16;
	invlpg(FAR);
	CHECK_EQ(peek((*ptes & ~0xfffu)), peek(FAR));
	/* The directory entry goes, and all below it. */
	pdes[FAR >> 22] = 0;
	write_cr3(s.root);
	TRY("movl (%0), %%eax", : : "r"(FAR + 2 * PAGE) : "memory", "eax");
	CHECK_PF(0, FAR + 2 * PAGE);
	paging_off();
}

/* Hundreds of writes to one table in a loop, then many more: nothing is lost. */
static void many_writes(bool pae)
{
	struct space s = space_new(pae);
	u32 page[2] = { page_alloc(), page_alloc() }, i, j;

	poke(page[0], 100);
	poke(page[1], 101);
	paging_on(&s);
	for (j = 0; j < 20; j++) {
		for (i = 0; i < 256; i++)
			pte_set(&s, FAR + i * PAGE, page[(i + j) & 1] | PTE_ALL);
		write_cr3(s.root);
		for (i = 0; i < 256; i++)
			if (peek(FAR + i * PAGE) != 100 + ((i + j) & 1))
				CHECK_EQ(peek(FAR + i * PAGE), 100 + ((i + j) & 1));
		CHECK_EQ(user_call(user_peek, FAR + j * PAGE), 100);
	}
	/* Cleared by a string instruction. */
	memset((void *)(pte_addr(&s, FAR) & ~0xfffu), 0, PAGE);
	write_cr3(s.root);
	TRY("movl (%0), %%eax", : : "r"(FAR + 5 * PAGE) : "memory", "eax");
	CHECK_PF(0, FAR + 5 * PAGE);
	paging_off();
}

/* A table's frame becomes data, then a table again. */
static void reuse(bool pae)
{
	struct space s = space_new(pae);
	u32 page = page_alloc(), table, i, j;

	poke(page, 0xabc);
	paging_on(&s);
	pte_set(&s, FAR, page | PTE_ALL);
	table = pte_addr(&s, FAR) & ~0xfffu;
	for (j = 0; j < 20; j++) {
		CHECK_EQ(peek(FAR), 0xabc);
		CHECK_EQ(user_call(user_peek, FAR), 0xabc);
		pde_set(&s, FAR, 0);
		write_cr3(s.root);
		for (i = 0; i < PAGE; i += 4)
			poke(table + i, i * j + 7);
		for (i = 0; i < PAGE; i += 4)
			if (peek(table + i) != i * j + 7)
				CHECK_EQ(peek(table + i), i * j + 7);
		/* Code even. */
		put_mov(table + 64, j);
		CHECK_EQ(user_run(table + 64), j);
		CHECK_EQ(user_call(user_run, table + 64), j);
		TRY("movl (%0), %%eax", : : "r"(FAR) : "memory", "eax");
		CHECK_PF(0, FAR);
		memset((void *)table, 0, PAGE);
		pde_set(&s, FAR, table | PTE_ALL);
		pte_set(&s, FAR, page | PTE_ALL);
	}
	paging_off();
}

/* Two spaces, other code and data at the same address. */
static void switching(bool pae)
{
	struct space a = space_new(pae), b = space_new(pae);
	u32 pa = page_alloc(), pb = page_alloc(), i;

	pte_set(&a, FAR, pa | PTE_ALL);
	pte_set(&b, FAR, pb | PTE_ALL);
	put_mov(pa, 0xa);
	put_mov(pb, 0xb);
	poke(pa + 64, 0xaa);
	poke(pb + 64, 0xbb);
	paging_on(&a);
	for (i = 0; i < 200; i++) {
		write_cr3(i & 1 ? b.root : a.root);
		CHECK_EQ(user_run(FAR), i & 1 ? 0xb : 0xa);
		CHECK_EQ(peek(FAR + 64), i & 1 ? 0xbb : 0xaa);
		if (i % 8 < 3) {
			CHECK_EQ(user_call(user_run, FAR), i & 1 ? 0xb : 0xa);
			CHECK_EQ(user_call(user_peek, FAR + 64), i & 1 ? 0xbb : 0xaa);
		}
	}
	/* Changes to the space that is not loaded. */
	for (i = 0; i < 50; i++) {
		write_cr3(a.root);
		pte_set(&b, FAR, (i & 1 ? pa : pb) | PTE_ALL);
		CHECK_EQ(peek(FAR + 64), 0xaa);
		write_cr3(b.root);
		CHECK_EQ(peek(FAR + 64), i & 1 ? 0xaa : 0xbb);
		CHECK_EQ(user_run(FAR), i & 1 ? 0xa : 0xb);
	}
	paging_off();
}

void guest_main(void)
{
	/* Its directory is the top page. */
	if (on_vmon() && !limits_enforced())
		skip("limits are not enforced at ring 0");
	else
		recursive();
	many_writes(false);
	many_writes(true);
	reuse(false);
	reuse(true);
	switching(false);
	switching(true);
}
