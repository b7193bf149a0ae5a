// SPDX-License-Identifier: GPL-2.0
/* Code whose page is remapped, made unreadable or moved while it runs, and code that
 * crosses from one page to another that is missing.
 */
#include "guest.h"

#define FAR	0x40000000u

static struct space s;
static u32 pages[2];

/* A routine that stores a new entry for its own page, then goes on in the new one. */
static void build(u32 page, u32 val)
{
	u8 *p = (u8 *)page;

	/* mov %edx, (%ecx); invlpg (%ebx); mov $val, %eax; ret */
	memcpy(p, "\x89\x11\x0f\x01\x3b\xb8", 6);
	memcpy(p + 6, &val, 4);
	p[10] = 0xc3;
}

static u32 run(u32 at, u32 where, u32 entry)
{
	u32 val;

	asm volatile("call *%1" : "=a"(val) : "S"(at), "c"(where), "d"(entry), "b"(at) : "memory", "cc");
	return val;
}

static u32 user_call_far(u32 at)
{
	u32 val;

	asm volatile("call *%1" : "=a"(val) : "r"(at) : "memory", "ecx", "edx", "cc");
	return val;
}

static void nops(u32 page, u32 len, u32 val)
{
	u8 *p = (u8 *)page;

	memset(p, 0x90, len);
	p[len] = 0xb8;
	memcpy(p + len + 1, &val, 4);
	p[len + 5] = 0xc3;
}

static u32 missing(u32 user)
{
	/* mov $imm, %eax begins at the end of FAR's page and ends on the next. */
	TRY("call *%0", : : "r"(FAR + PAGE - 3) : "memory", "eax", "ecx", "edx");
	CHECK_EQ(caught.vector, PF);
	CHECK_EQ(caught.cr2, FAR + PAGE);
	CHECK_EQ(caught.eip, FAR + PAGE - 3);
	CHECK_EQ(caught.error, user ? PF_U : 0);
	asm volatile("addl $4, %%esp" : : : "memory", "cc");
	/* Running off the end. */
	TRY("call *%0", : : "r"(FAR + PAGE - 8) : "memory", "eax", "ecx", "edx");
	CHECK_EQ(caught.vector, PF);
	asm volatile("addl $4, %%esp" : : : "memory", "cc");
	return user;
}

void guest_main(void)
{
	u32 i, other = page_alloc();

	pages[0] = page_alloc();
	pages[1] = page_alloc();
	s = space_new(false);
	paging_on(&s);
	build(pages[0], 0x1000);
	build(pages[1], 0x2000);
	pte_set(&s, FAR, pages[0] | PTE_ALL);
	for (i = 0; i < 100; i++) {
		u32 next = ~i & 1;

		CHECK_EQ(run(FAR, pte_addr(&s, FAR), pages[next] | PTE_ALL),
			 next ? 0x2000 : 0x1000);
		CHECK_EQ(user_call_far(FAR + 5), next ? 0x2000 : 0x1000);
		if (i % 5 == 0)
			CHECK_EQ(user_call(user_call_far, FAR + 5), next ? 0x2000 : 0x1000);
	}

	/* A block over two pages, of which the second is remapped. */
	memset((void *)(pages[0] + PAGE - 64), 0x90, 64);
	nops(pages[1], 8, 0x111);
	nops(other, 8, 0x222);
	pte_set(&s, FAR, pages[0] | PTE_ALL);
	invlpg(FAR);
	for (i = 0; i < 50; i++) {
		pte_set(&s, FAR + PAGE, (i & 1 ? other : pages[1]) | PTE_ALL);
		invlpg(FAR + PAGE);
		CHECK_EQ(user_call_far(FAR + PAGE - 64), i & 1 ? 0x222 : 0x111);
		CHECK_EQ(user_call(user_call_far, FAR + PAGE - 64), i & 1 ? 0x222 : 0x111);
	}
	/* An instruction over two pages, its second half remapped. */
	nops(pages[0] + PAGE - 64, 61, 0x88776655);	/* b8 55 66 | 77 88 c3 */
	memcpy((void *)pages[1], "\x77\x88\xc3", 3);
	memcpy((void *)other, "\x11\x22\xc3", 3);
	for (i = 0; i < 50; i++) {
		pte_set(&s, FAR + PAGE, (i & 1 ? other : pages[1]) | PTE_ALL);
		invlpg(FAR + PAGE);
		CHECK_EQ(user_call_far(FAR + PAGE - 64), i & 1 ? 0x22116655 : 0x88776655);
		CHECK_EQ(user_call(user_call_far, FAR + PAGE - 3), i & 1 ? 0x22116655 : 0x88776655);
		/* ... or rewritten. */
		*(volatile u8 *)(i & 1 ? other : pages[1]) = i;
		CHECK_EQ(user_call_far(FAR + PAGE - 64),
			 (i & 1 ? 0x22006655 : 0x88006655) | i << 16);
		*(volatile u8 *)(i & 1 ? other : pages[1]) = i & 1 ? 0x11 : 0x77;
	}
	pte_set(&s, FAR + PAGE, 0);
	invlpg(FAR + PAGE);
	missing(0);
	user_call(missing, PF_U);

	/* This guest's own code at another address. */
	for (i = 0x100000; i < 0x110000; i += PAGE)
		pte_set(&s, 0x60000000 + i, i | PTE_ALL);
	asm volatile("leal 1f + 0x60000000, %%eax; jmp *%%eax\n"
		     "1: call 2f\n"
		     "2: popl %0; subl $2b, %0\n"
		     "movl $3f, %%eax; jmp *%%eax; 3:" : "=r"(i) : : "eax", "memory", "cc");
	CHECK_EQ(i, 0x60000000);
	paging_off();
}
