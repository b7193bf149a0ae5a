// SPDX-License-Identifier: GPL-2.0
/*
 * What two-level and PAE paging have in common: error codes and CR2, U/S, R/W and
 * WP, accessed and dirty bits, INVLPG, large pages.
 */
#include "paging_checks.h"

#define FAR	0x40000000u	/* not part of the identity map */

static struct space s;
static u32 page, other, far_page, far_other;

#define READ(addr) TRY("movl (%0), %%eax", : : "r"(addr) : "memory", "eax")
#define WRITE(addr) TRY("movl %1, (%0)", : : "r"(addr), "r"(0x5a5a) : "memory")

static void change(u32 va, u64 entry)
{
	pte_set(&s, va, entry);
	invlpg(va);
}

static u32 user_access(u32 kind)
{
	switch (kind) {
	case 0:		/* not present */
		READ(FAR);
		CHECK_PF(PF_U, FAR);
		WRITE(FAR + 4);
		CHECK_PF(PF_U | PF_W, FAR + 4);
		break;
	case 1:		/* supervisor */
		READ(FAR + 8);
		CHECK_PF(PF_P | PF_U, FAR + 8);
		WRITE(FAR + 8);
		CHECK_PF(PF_P | PF_U | PF_W, FAR + 8);
		break;
	case 2:		/* read-only */
		READ(FAR);
		CHECK_NO_FAULT();
		WRITE(FAR);
		CHECK_PF(PF_P | PF_U | PF_W, FAR);
		TRY("addl $0, (%0)", : : "r"(FAR + 12) : "memory", "cc");
		CHECK_PF(PF_P | PF_U | PF_W, FAR + 12);
		TRY("pushl (%0)", : : "r"(FAR + 12) : "memory");
		if (!caught.count)
			asm volatile("addl $4, %%esp" : : : "memory", "cc");
		CHECK_NO_FAULT();
		break;
	case 3:		/* all allowed */
		READ(FAR);
		CHECK_NO_FAULT();
		WRITE(FAR);
		CHECK_NO_FAULT();
		CHECK_EQ(peek(FAR), 0x5a5a);
		break;
	case 4:		/* jump there */
		TRY("call *%0", : : "r"(FAR) : "memory", "eax", "ecx", "edx");
		CHECK_EQ(caught.vector, PF);
		CHECK_EQ(caught.error, PF_U);
		CHECK_EQ(caught.cr2, FAR);
		CHECK_EQ(caught.eip, FAR);
		asm volatile("addl $4, %%esp" : : : "memory", "cc");
		break;
	}
	return kind;
}

static void rights(void)
{
	READ(FAR);
	CHECK_PF(0, FAR);
	WRITE(FAR + 0x123);
	CHECK_PF(PF_W, FAR + 0x123);
	user_call(user_access, 0);
	user_call(user_access, 4);

	change(FAR, page | PTE_P | PTE_W);
	READ(FAR);
	CHECK_NO_FAULT();
	WRITE(FAR);
	CHECK_NO_FAULT();
	user_call(user_access, 1);

	change(FAR, page | PTE_P | PTE_U);
	user_call(user_access, 2);
	/* WP off: ring 0 writes to read-only pages. */
	CHECK_EQ(read_cr0() & CR0_WP, 0);
	poke(page, 1);
	WRITE(FAR);
	CHECK_NO_FAULT();
	CHECK_EQ(peek(page), 0x5a5a);
	user_call(user_access, 2);
	write_cr0(read_cr0() | CR0_WP);
	poke(page, 1);
	WRITE(FAR);
	CHECK_PF(PF_P | PF_W, FAR);
	CHECK_EQ(peek(page), 1);
	user_call(user_access, 2);
	write_cr0(read_cr0() & ~CR0_WP);
	WRITE(FAR);
	CHECK_NO_FAULT();
	user_call(user_access, 2);
	change(FAR, page | PTE_P);
	user_call(user_access, 1);
	WRITE(FAR);
	CHECK_NO_FAULT();
	write_cr0(read_cr0() | CR0_WP);
	WRITE(FAR);
	CHECK_PF(PF_P | PF_W, FAR);
	READ(FAR);
	CHECK_NO_FAULT();
	write_cr0(read_cr0() & ~CR0_WP);

	change(FAR, page | PTE_ALL);
	user_call(user_access, 3);
	/* Rights of the directory limit those of the table. */
	pde_set(&s, FAR, (pde_get(&s, FAR) & ~(u64)PTE_U));
	write_cr3(s.root);
	user_call(user_access, 1);
	pde_set(&s, FAR, (pde_get(&s, FAR) & ~(u64)PTE_W) | PTE_U);
	write_cr3(s.root);
	user_call(user_access, 2);
	pde_set(&s, FAR, pde_get(&s, FAR) | PTE_ALL);
	write_cr3(s.root);
	user_call(user_access, 3);
}

static u32 user_touch(u32 write)
{
	if (write)
		poke(FAR, 9);
	else
		(void)peek(FAR);
	return 0;
}

static void accessed_dirty(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {	/* ring 0, then ring 3 */
		pde_set(&s, FAR, pde_get(&s, FAR) & ~(u64)PTE_A);
		pte_set(&s, FAR, page | PTE_ALL);
		write_cr3(s.root);
		CHECK_EQ(pte_get(&s, FAR), page | PTE_ALL);
		if (i)
			user_call(user_touch, 0);
		else
			(void)peek(FAR);
		CHECK_EQ(pte_get(&s, FAR), page | PTE_ALL | PTE_A);
		CHECK_EQ(pde_get(&s, FAR) & (PTE_A | PTE_D), PTE_A);
		if (i)
			user_call(user_touch, 1);
		else
			poke(FAR, 8);
		CHECK_EQ(pte_get(&s, FAR), page | PTE_ALL | PTE_A | PTE_D);
		/* Cleared again they are set again. */
		change(FAR, page | PTE_ALL);
		if (i)
			user_call(user_touch, 1);
		else
			poke(FAR, 8);
		CHECK_EQ(pte_get(&s, FAR), page | PTE_ALL | PTE_A | PTE_D);
		change(FAR, page | PTE_ALL | PTE_A);
		if (i)
			user_call(user_touch, 0);
		else
			(void)peek(FAR);
		CHECK_EQ(pte_get(&s, FAR), page | PTE_ALL | PTE_A);
		if (i)
			user_call(user_touch, 1);
		else
			poke(FAR, 8);
		CHECK_EQ(pte_get(&s, FAR), page | PTE_ALL | PTE_A | PTE_D);
		/* A fault sets nothing. */
		change(FAR, page | PTE_P);
		if (i)
			user_call(user_access, 1);
		if (i)
			CHECK_EQ(pte_get(&s, FAR) & PTE_D, 0);
	}
	/* The guest's own bits stay. */
	change(FAR, page | PTE_ALL | 0xe00);
	poke(FAR, 1);
	CHECK_EQ(pte_get(&s, FAR), page | PTE_ALL | PTE_A | PTE_D | 0xe00);
}

static u32 user_peek(u32 va)
{
	return peek(va);
}

static void remap(void)
{
	u32 i;

	poke(page, 0x1111);
	poke(other, 0x2222);
	for (i = 0; i < 200; i++) {
		change(FAR, (i & 1 ? other : page) | PTE_ALL);
		CHECK_EQ(peek(FAR), i & 1 ? 0x2222 : 0x1111);
		if (i % 10 < 2)
			CHECK_EQ(user_call(user_peek, FAR), i & 1 ? 0x2222 : 0x1111);
	}
	/* From not present to present needs no INVLPG. */
	change(FAR, 0);
	READ(FAR);
	CHECK_PF(0, FAR);
	pte_set(&s, FAR, page | PTE_ALL);
	CHECK_EQ(peek(FAR), 0x1111);
	change(FAR, 0);
	READ(FAR);
	CHECK_PF(0, FAR);
	/* Two addresses of one page. */
	change(FAR, page | PTE_ALL);
	change(FAR + PAGE, page | PTE_ALL);
	poke(FAR, 0x3333);
	CHECK_EQ(peek(FAR + PAGE), 0x3333);
	poke(FAR + PAGE + 8, 0x4444);
	CHECK_EQ(peek(page + 8), 0x4444);
	/* Straddling two pages, of which the second is elsewhere, or missing. */
	change(FAR + PAGE, other | PTE_ALL);
	poke(FAR + PAGE - 2, 0xaabbccdd);
	CHECK_EQ(*(volatile u16 *)(page + PAGE - 2), 0xccdd);
	CHECK_EQ(*(volatile u16 *)other, 0xaabb);
	CHECK_EQ(peek(FAR + PAGE - 2), 0xaabbccdd);
	change(FAR + PAGE, 0);
	WRITE(FAR + PAGE - 2);
	CHECK_PF(PF_W, FAR + PAGE);
	CHECK_EQ(*(volatile u16 *)(page + PAGE - 2), 0xccdd);	/* nothing was written */
	READ(FAR + PAGE - 1);
	CHECK_PF(0, FAR + PAGE);
}

/* Large pages: their own A and D bits, split up and put together again. */
static void large(void)
{
	const u32 size = s.pae ? 2u << 20 : 4u << 20, at = 0x50000000;
	u64 flags = PTE_ALL | PTE_PS;
	u32 base = far_page, i;

	write_cr4(read_cr4() | CR4_PSE);
	pde_set(&s, at, base | flags);
	invlpg(at);
	for (i = 0; i < size; i += 0x40000)
		poke(at + i + 8, i + 5);
	for (i = 0; i < size; i += 0x40000)
		CHECK_EQ(peek(base + i + 8), i + 5);
	CHECK_EQ(pde_get(&s, at), base | flags | PTE_A | PTE_D);
	pde_set(&s, at, base | flags);
	invlpg(at);
	CHECK_EQ(peek(at + 8), 5);
	CHECK_EQ(pde_get(&s, at), base | flags | PTE_A);
	CHECK_EQ(user_call(user_peek, at + 0x40008), 0x40005);
	poke(at + 0x100000, 1);
	CHECK_EQ(pde_get(&s, at), base | flags | PTE_A | PTE_D);
	/* Rights. */
	pde_set(&s, at, base | PTE_P | PTE_PS);
	invlpg(at);
	write_cr0(read_cr0() | CR0_WP);
	WRITE(at + 0x1234);
	CHECK_PF(PF_P | PF_W, at + 0x1234);
	READ(at + 0x1234);
	CHECK_NO_FAULT();
	write_cr0(read_cr0() & ~CR0_WP);
	/* Another frame. */
	for (i = 0; i < size; i += 0x40000)
		poke(far_other + i + 8, i + 7);
	pde_set(&s, at, far_other | flags);
	invlpg(at);
	for (i = 0; i < size; i += 0x40000)
		CHECK_EQ(peek(at + i + 8), i + 7);
	/* A table of small pages instead, the other way round in one place. */
	pde_set(&s, at, 0);
	invlpg(at);
	READ(at);
	CHECK_PF(0, at);
	for (i = 0; i < size; i += PAGE)
		pte_set(&s, at + i, (far_other + i) | PTE_ALL);
	pte_set(&s, at + 0x40000, base | PTE_ALL);
	CHECK_EQ(peek(at + 8), 7);
	CHECK_EQ(peek(at + 0x40008), 5);
	CHECK_EQ(peek(at + 0x80008), 0x80007);
	pde_set(&s, at, base | flags);
	write_cr3(s.root);
	CHECK_EQ(peek(at + 0x40008), 0x40005);
	/* A reserved bit. */
	pde_set(&s, at, base | flags | (s.pae ? 0x2000 : 0x200000));
	invlpg(at);
	READ(at + 4);
	CHECK_PF(PF_RSVD_P, at + 4);
	pde_set(&s, at, 0);
	invlpg(at);
}

/* Global pages outlive a load of CR3 but not INVLPG. */
static void global(void)
{
	write_cr4(read_cr4() | CR4_PGE);
	change(FAR, page | PTE_ALL | PTE_G);
	poke(page, 0x77);
	poke(other, 0x88);
	CHECK_EQ(peek(FAR), 0x77);
	write_cr3(s.root);
	CHECK_EQ(peek(FAR), 0x77);
	change(FAR, other | PTE_ALL | PTE_G);
	CHECK_EQ(peek(FAR), 0x88);
	write_cr4(read_cr4() & ~CR4_PGE);
	change(FAR, page | PTE_ALL);
	CHECK_EQ(peek(FAR), 0x77);
}

void paging_checks(bool pae)
{
	page = page_alloc();
	other = page_alloc();
	far_page = large_alloc();
	far_other = large_alloc();
	s = space_new(pae);
	paging_on(&s);
	CHECK_EQ(read_cr0() & (CR0_PG | CR0_PE), CR0_PG | CR0_PE);
	CHECK_EQ(read_cr3(), s.root);
	CHECK_EQ(read_cr4() & CR4_PAE, pae ? CR4_PAE : 0);
	rights();
	accessed_dirty();
	remap();
	large();
	global();
	paging_off();
	/* Again, with the same tables. */
	poke(page, 0x99);
	paging_on(&s);
	CHECK_EQ(peek(FAR), 0x99);
	paging_off();
}
