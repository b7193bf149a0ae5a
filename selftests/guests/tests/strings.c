// SPDX-License-Identifier: GPL-2.0
/* String instructions: both directions, all sizes, REP, REPE and REPNE, and faults in
 * the middle with exact ECX, ESI and EDI.
 */
#include "guest.h"

#define FAR	0x40000000u

static u8 src[2 * PAGE] __attribute__((aligned(4096)));
static u8 dst[2 * PAGE] __attribute__((aligned(4096)));

static u32 plain(u32 ring)
{
	u32 i, c, S, D, f;

	(void)ring;
	for (i = 0; i < sizeof(src); i++)
		src[i] = i * 7 + (i >> 8);
	memset(dst, 0, sizeof(dst));
	asm volatile("cld; rep movsl" : "=c"(c), "=S"(S), "=D"(D)
		     : "0"(sizeof(src) / 4), "1"(src), "2"(dst) : "memory");
	CHECK_EQ(c, 0);
	CHECK_EQ(S, (u32)src + sizeof(src));
	CHECK_EQ(D, (u32)dst + sizeof(dst));
	CHECK_EQ(memcmp(src, dst, sizeof(src)), 0);
	memset(dst, 0, sizeof(dst));
	asm volatile("std; rep movsb; cld" : "=c"(c), "=S"(S), "=D"(D)
		     : "0"(5000), "1"(src + 4999), "2"(dst + 4999) : "memory");
	CHECK_EQ(S, (u32)src - 1);
	CHECK_EQ(memcmp(src, dst, 5000), 0);
	CHECK_EQ(dst[5000], 0);
	asm volatile("std; rep movsw; cld" : "=c"(c), "=S"(S), "=D"(D)
		     : "0"(100), "1"(src + 300), "2"(dst + 500) : "memory");
	CHECK_EQ(D, dst + 300);
	CHECK_EQ(memcmp(src + 102, dst + 302, 200), 0);
	/* Overlapping forward copy repeats a pattern. */
	memcpy(dst, "abc", 3);
	asm volatile("rep movsb" : "=c"(c), "=S"(S), "=D"(D) : "0"(30), "1"(dst), "2"(dst + 3) : "memory");
	CHECK_EQ(memcmp(dst, "abcabcabcabcabcabcabcabcabcabcabc", 33), 0);

	asm volatile("repe cmpsb; seta %b3" : "=c"(c), "=S"(S), "=D"(D), "=q"(f)
		     : "0"(100), "1"("same until here A"), "2"("same until here B") : "memory", "cc");
	CHECK_EQ(c, 100 - 17);
	CHECK_EQ(f & 1, 0);
	asm volatile("repne scasb" : "=c"(c), "=D"(D)
		     : "a"('x'), "0"(50), "1"("find the x in it") : "memory", "cc");
	CHECK_EQ(c, 50 - 10);
	asm volatile("repe scasl; setz %b2" : "=c"(c), "=D"(D), "=q"(f)
		     : "a"(0), "0"(0), "1"(src) : "memory", "cc");
	CHECK_EQ(D, src);
	asm volatile("lodsl" : "=a"(c), "=S"(S) : "1"(src + 4) : "memory");
	CHECK_EQ(c, *(u32 *)(src + 4));
	asm volatile("rep lodsb" : "=a"(c), "=S"(S), "=c"(D) : "0"(0), "1"(src), "2"(10) : "memory");
	CHECK_EQ(c, src[9]);
	asm volatile("rep stosw" : "=c"(c), "=D"(D) : "a"(0x1234), "0"(3000), "1"(dst) : "memory");
	CHECK_EQ(*(u16 *)(dst + 5998), 0x1234);
	/* 16-bit addresses: CX, SI and DI wrap, the upper halves stay. */
	asm volatile("addr16 rep lodsb" : "=a"(c), "=S"(S), "=c"(D)
		     : "0"(0), "1"(0xabc00000), "2"(0x50000) : "memory");
	CHECK_EQ(S, 0xabc00000);
	CHECK_EQ(D, 0x50000);
	return ring;
}

/* Of FAR's pages the first is mapped, the second is not. */
static u32 faults(u32 user)
{
	u32 i;

	asm volatile("cld");
	TRY("rep movsl", : : "c"(1024 + 10), "S"(src), "D"(FAR) : "memory");
	CHECK_PF(user | PF_W, FAR + PAGE);
	CHECK_EQ(caught.ecx, 10);
	CHECK_EQ(caught.esi, src + PAGE);
	CHECK_EQ(caught.edi, FAR + PAGE);
	CHECK_EQ(memcmp(src, (void *)FAR, PAGE), 0);
	TRY("rep movsl", : : "c"(1024 + 10), "S"(FAR), "D"(dst) : "memory");
	CHECK_PF(user, FAR + PAGE);
	CHECK_EQ(caught.ecx, 10);
	TRY("rep stosb", : : "c"(PAGE), "D"(FAR + 100), "a"(9) : "memory");
	CHECK_PF(user | PF_W, FAR + PAGE);
	CHECK_EQ(caught.ecx, 100);
	CHECK_EQ(*(u8 *)(FAR + PAGE - 1), 9);
	/* Misaligned: the element that straddles is not begun. */
	TRY("rep stosl", : : "c"(1024), "D"(FAR + 2), "a"(-1) : "memory");
	CHECK_PF(user | PF_W, FAR + PAGE);
	CHECK_EQ(caught.ecx, 1);
	CHECK_EQ(caught.edi, FAR + PAGE - 2);
	CHECK_EQ(*(u16 *)(FAR + PAGE - 2), 0x909);
	TRY("repne scasb", : : "c"(PAGE + 1), "D"(FAR), "a"(0x55) : "memory", "cc");
	if (caught.count) {
		CHECK_PF(user, FAR + PAGE);
		CHECK_EQ(caught.ecx, 1);
	}
	TRY("std; 1: rep movsb; cld", : : "c"(20), "S"(src + 20), "D"(FAR - 1 + 10) : "memory");
	asm volatile("cld");
	CHECK_EQ(caught.vector, PF);
	CHECK_EQ(caught.cr2, FAR - 1);
	CHECK_EQ(caught.ecx, 10);
	CHECK_EQ(caught.esi, src + 10);
	CHECK_EQ(caught.edi, FAR - 1);
	TRY("lodsl", : : "S"(FAR + PAGE) : "memory", "eax");
	CHECK_PF(user, FAR + PAGE);
	CHECK_EQ(caught.esi, FAR + PAGE);
	TRY("repe cmpsb", : : "c"(PAGE), "S"(FAR + PAGE - 4), "D"(FAR + PAGE - 8) : "memory", "cc");
	for (i = 0; i < 4 && *(u8 *)(FAR + PAGE - 4 + i) == *(u8 *)(FAR + PAGE - 8 + i); i++)
		;
	CHECK_EQ(caught.count, i == 4);
	/* A zero count touches nothing. */
	TRY("rep movsl", : : "c"(0), "S"(FAR + PAGE), "D"(FAR + PAGE) : "memory");
	CHECK_NO_FAULT();
	return user;
}

static struct space s;

/* The fault handler maps the page: the instruction goes on where it was. */
static void map_hook(struct frame *f)
{
	u32 at = read_cr2() & ~0xfffu;

	(void)f;
	pte_set(&s, at, page_alloc() | PTE_ALL);
}

static u32 demand(u32 at)
{
	u32 i, c, S, D;

	asm volatile("rep movsl" : "=c"(c), "=S"(S), "=D"(D)
		     : "0"(sizeof(src) / 4), "1"(src), "2"(at) : "memory");
	CHECK_EQ(c, 0);
	CHECK_EQ(S, (u32)src + sizeof(src));
	CHECK_EQ(D, at + sizeof(src));
	CHECK_EQ(memcmp(src, (void *)at, sizeof(src)), 0);
	/* A straddling write, both pages missing. */
	poke(at + 0x10000 - 1, 0x12345678);
	CHECK_EQ(peek(at + 0x10000 - 1), 0x12345678);
	/* Read-modify-write, stack. */
	asm volatile("addl $5, (%0)" : : "r"(at + 0x20000) : "memory", "cc");
	CHECK_EQ(peek(at + 0x20000), 5);
	for (i = 0; i < 16; i++)
		poke(at + 0x30000 + i * PAGE, i);
	for (i = 0; i < 16; i++)
		CHECK_EQ(peek(at + 0x30000 + i * PAGE), i);
	return 0;
}

void guest_main(void)
{
	plain(0);
	user_call(plain, 3);
	s = space_new(false);
	paging_on(&s);
	pte_set(&s, FAR, page_alloc() | PTE_ALL);
	plain(0);
	user_call(plain, 3);
	faults(0);
	user_call(faults, PF_U);
	trap_hook[PF] = map_hook;
	demand(0x50000000);
	user_call(demand, 0x60000000);
	paging_off();
}
