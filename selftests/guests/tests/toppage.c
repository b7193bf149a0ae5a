// SPDX-License-Identifier: GPL-2.0
/* The last page of the address space belongs to the guest like any other: ring 0 and
 * ring 3 read, write, run code and fault there.
 */
#include "guest.h"

#define TOP	0xfffff000u

static struct space s;
static u32 frame, below;

static u32 use(u32 ring)
{
	u32 i, val, a, b;

	poke(TOP, 0x11223344);
	CHECK_EQ(peek(TOP), 0x11223344);
	CHECK_EQ(peek(frame), 0x11223344);
	poke(frame + 0xffc, 0x55667788);
	CHECK_EQ(peek(0xfffffffc), 0x55667788);
	for (i = 0; i < PAGE; i += 4)
		poke(TOP + i, i * 3 + ring);
	for (i = 0; i < PAGE; i += 4) {
		if (peek(TOP + i) != i * 3 + ring)
			CHECK_EQ(peek(TOP + i), i * 3 + ring);
		if (peek(frame + i) != i * 3 + ring)
			CHECK_EQ(peek(frame + i), i * 3 + ring);
	}
	/* Other forms of access. */
	*(volatile u8 *)0xffffffffu = 0x9a;
	CHECK_EQ(*(volatile u8 *)(frame + 0xfff), 0x9a);
	asm volatile("addl $5, (%0)" : : "r"(TOP + 16) : "memory", "cc");
	CHECK_EQ(peek(frame + 16), 48 + ring + 5);
	asm volatile("xchgl %0, (%1)" : "=r"(val) : "r"(TOP + 20), "0"(0x77) : "memory");
	CHECK_EQ(val, 60 + ring);
	CHECK_EQ(peek(frame + 20), 0x77);
	asm volatile("lock cmpxchgl %2, (%1)" : "=a"(val)
		     : "r"(TOP + 20), "r"(0x88), "0"(0x77) : "memory", "cc");
	CHECK_EQ(peek(frame + 20), 0x88);
	asm volatile("pushl (%1); popl %0" : "=r"(val) : "r"(TOP + 20) : "memory");
	CHECK_EQ(val, 0x88);
	asm volatile("cmpl $0x88, (%1); sete %b0" : "=q"(val) : "r"(TOP + 20) : "memory", "cc");
	CHECK_EQ(val & 0xff, 1);
	/* Straddling its lower edge. */
	poke(TOP - 2, 0xaabbccdd);
	CHECK_EQ(*(volatile u16 *)frame, 0xaabb);
	CHECK_EQ(*(volatile u16 *)(below + 0xffe), 0xccdd);
	CHECK_EQ(peek(TOP - 2), 0xaabbccdd);
	/* String instructions into, out of and across it. */
	asm volatile("cld; rep stosl" : "=c"(a), "=D"(b)
		     : "a"(0x3c3c3c3c), "0"(64), "1"(TOP - 128) : "memory");
	CHECK_EQ(a, 0);
	CHECK_EQ(b, TOP + 128);
	for (i = 0; i < 128; i += 4) {
		CHECK_EQ(peek(frame + i), 0x3c3c3c3c);
		CHECK_EQ(peek(below + PAGE - 128 + i), 0x3c3c3c3c);
	}
	asm volatile("rep movsb" : "=c"(a), "=D"(b) : "0"(32), "1"(TOP + 512), "S"(TOP) : "memory");
	CHECK_EQ(peek(frame + 512 + 28), 0x3c3c3c3c);
	/* The stack lies there for a moment. */
	asm volatile("movl %%esp, %%ecx; movl %1, %%esp; pushl $0x4321; pushl $0x8765; popl %0; popl %%eax; movl %%ecx, %%esp; shll $16, %0; orl %%eax, %0"
		     : "=&r"(val) : "r"(TOP + 0x800) : "eax", "ecx", "memory", "cc");
	CHECK_EQ(val, 0x87654321);
	CHECK_EQ(peek(frame + 0x7fc), 0x4321);
	/* Code. */
	memcpy((void *)(TOP + 0x900), "\xb8\x78\x56\x34\x12\xc3", 6);
	asm volatile("call *%1" : "=a"(val) : "r"(TOP + 0x900) : "memory", "ecx", "edx");
	CHECK_EQ(val, 0x12345678);
	memcpy((void *)(TOP - 3), "\xb8\x78\x56\x34\x12\xc3", 6);
	asm volatile("call *%1" : "=a"(val) : "r"(TOP - 3) : "memory", "ecx", "edx");
	CHECK_EQ(val, 0x12345678);
	return ring;
}

static u32 refused(u32 error)
{
	TRY("movl (%0), %%eax", : : "r"(TOP + 8) : "memory", "eax");
	CHECK_PF(error, TOP + 8);
	TRY("movl %%eax, (%0)", : : "r"(0xfffffffcu) : "memory");
	CHECK_PF(error | PF_W, 0xfffffffcu);
	TRY("rep stosb", : : "c"(PAGE + 16), "D"(TOP - 16), "a"(0) : "memory");
	CHECK_PF(error | PF_W, TOP);
	CHECK_EQ(caught.ecx, PAGE);
	CHECK_EQ(caught.edi, TOP);
	TRY("movl (%0), %%eax", : : "r"(TOP - 1) : "memory", "eax");
	CHECK_PF(error, TOP);
	TRY("call *%0", : : "r"(TOP + 4) : "memory", "eax", "ecx", "edx");
	CHECK_EQ(caught.vector, PF);
	CHECK_EQ(caught.cr2, TOP + 4);
	CHECK_EQ(caught.eip, TOP + 4);
	asm volatile("addl $4, %%esp" : : : "memory", "cc");
	return error;
}

void guest_main(void)
{
	bool pae;

	if (on_vmon() && !limits_enforced()) {
		skip("limits are not enforced at ring 0");
		return;
	}
	frame = page_alloc();
	below = page_alloc();
	for (pae = 0;; pae = 1) {
		s = space_new(pae);
		paging_on(&s);
		pte_set(&s, TOP - PAGE, below | PTE_ALL);
		refused(0);
		user_call(refused, PF_U);
		pte_set(&s, TOP, frame | PTE_ALL);
		use(0);
		user_call(use, 3);
		CHECK_EQ(pte_get(&s, TOP), frame | PTE_ALL | PTE_A | PTE_D);
		pte_set(&s, TOP, frame | PTE_ALL);
		invlpg(TOP);
		(void)peek(TOP);
		CHECK_EQ(pte_get(&s, TOP), frame | PTE_ALL | PTE_A);
		pte_set(&s, TOP, frame | PTE_P | PTE_W);
		invlpg(TOP);
		use(0);
		user_call(refused, PF_U | PF_P);
		pte_set(&s, TOP, 0);
		invlpg(TOP);
		refused(0);
		paging_off();
		if (pae)
			break;
	}
}
