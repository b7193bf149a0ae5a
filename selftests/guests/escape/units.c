// SPDX-License-Identifier: GPL-2.0
/*
 * Code as a translator cuts it: instructions that overlap, jumps into the middle of one and
 * of what has run already, blocks of any length and over any number of pages, targets that
 * look alike, code that goes on at another address of the same frame.
 */
#include "attempt.h"

#define CODE_AT	0x40000000u
#define PAGES	5u

static u32 ring, frame[PAGES];

static void map(void)
{
	u32 i;

	for (i = 0; i < PAGES; i++) {
		pte_set(&space, CODE_AT + i * PAGE, frame[i] | PTE_ALL);
		invlpg(CODE_AT + i * PAGE);
	}
}

/* The frames are neighbours. */
static u8 *host(u32 gva)
{
	return (u8 *)frame[0] + (gva - CODE_AT);
}

static void overlaps(void)
{
	static const struct {
		const char *name;
		u8 n, code[24];
		u8 at[3];	/* entered here, one after the other */
		u32 eax[3];	/* from 0 */
	} codes[] = {
		/* jmp .+1: its second byte begins incl %eax */
		{ "a jump into itself", 5, { 0xeb, 0xff, 0xc0, 0xcd, DONE }, { 0, 1, 0 },
		  { 1, 1, 1 } },
		/* movl $0x82cd40xx, %eax, whose immediate is: incl %eax; int DONE */
		{ "an immediate that is code", 7, { 0xb8, 0x40, 0xcd, DONE, 0x11, 0xcd, DONE },
		  { 0, 1, 0 }, { 0x1182cd40, 1, 0x1182cd40 } },
		{ "an immediate that is code, twice", 7,
		  { 0x05, 0x40, 0x40, 0xcd, DONE, 0xcd, DONE }, { 1, 2, 0 }, { 2, 1, 0x82cd4040 } },
		/* addw with prefix, and without */
		{ "a prefix left out", 7, { 0x66, 0x05, 0x01, 0x00, 0x40, 0xcd, DONE },
		  { 0, 0, 0 }, { 2, 2, 2 } },
		{ "behind a prefix", 9, { 0x66, 0x05, 0x01, 0x00, 0x40, 0x90, 0xcd, DONE, 0x90 },
		  { 1, 0, 1 }, { 0x90400001, 2, 0x90400001 } },
		/* lock: behind it there is none */
		{ "behind a lock prefix", 5, { 0xf0, 0x01, 0x07, 0xcd, DONE }, { 1, 0, 1 },
		  { 0, 0, 0 } },
		{ "a branch into itself", 6, { 0x73, 0xff, 0xc0, 0x90, 0xcd, DONE }, { 0, 1, 0 },
		  { 1, 1, 1 } },
		{ "a call into itself", 8, { 0xe8, 0xff, 0xff, 0xff, 0xff, 0xc0, 0xcd, DONE },
		  { 0, 0, 4 }, { 1, 1, 1 } },
		{ "a long nop's tail", 8, { 0x0f, 0x1f, 0x44, 0x00, 0x40, 0x90, 0xcd, DONE },
		  { 0, 4, 0 }, { 0, 1, 0 } },
		/* loop .+1: its second byte begins decl %eax */
		{ "a loop into itself", 6, { 0xe2, 0xff, 0xc8, 0x90, 0xcd, DONE }, { 0, 1, 0 },
		  { -1u, -1u, -1u } },
	};
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		if (!begin(ring, "%s", codes[i].name))
			continue;
		map();
		memset(host(CODE_AT + 0x100), 0x90, 0x40);
		memcpy(host(CODE_AT + 0x100), codes[i].code, codes[i].n);
		for (k = 0; k < 6; k++) {
			at.in.eax = 0;
			at.in.ecx = 2;
			at.in.edi = data_page;
			run(CODE_AT + 0x100 + codes[i].at[k % 3]);
			expect_done();
			expect_eq(at.out.eax, codes[i].eax[k % 3]);
			again();
		}
		end();
	}
}

/* Straight code of @n instructions and a jump into it at each: what is left runs. */
static void lengths(void)
{
	static const u16 lengths[] = { 1, 2, 62, 63, 64, 65, 66, 127, 128, 129, 200 };
	u32 i, from;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		if (!begin(ring, "a block of %u, entered everywhere", lengths[i]))
			continue;
		map();
		memset(host(CODE_AT), 0x40, lengths[i]);	/* incl %eax */
		memcpy(host(CODE_AT + lengths[i]), "\xcd\x82", 2);
		for (from = lengths[i]; from--; ) {
			at.in.eax = 0;
			run(CODE_AT + from);
			expect_done();
			expect_eq(at.out.eax, lengths[i] - from);
			again();
		}
		end();
	}
	if (begin(ring, "30 branches in a row, one taken")) {
		map();
		for (i = 0; i < 30; i++)	/* decl %ecx; jz behind all */
			memcpy(host(CODE_AT + i * 9),
			       "\x49\x0f\x84\x00\x00\x00\x00\x40\x90", 9);
		for (i = 0; i < 30; i++)
			*(u32 *)host(CODE_AT + i * 9 + 3) = 30 * 9 - (i * 9 + 7);
		memcpy(host(CODE_AT + 30 * 9), "\xcd\x82", 2);
		for (i = 31; i > 0; i--) {
			at.in.eax = 0;
			at.in.ecx = i;
			run(CODE_AT);
			expect_done();
			expect_eq(at.out.eax, i > 30 ? 30 : i - 1);
			again();
		}
		end();
	}
	if (begin(ring, "straight code over five pages, entered before each edge")) {
		map();
		for (i = 0; i < PAGES; i++)
			memset(host(CODE_AT + i * PAGE), 0x40, PAGE);
		memcpy(host(CODE_AT + PAGES * PAGE - 2), "\xcd\x82", 2);
		for (i = PAGES; i--; ) {
			u32 where = CODE_AT + i * PAGE + (i ? -3 : 0);

			at.in.eax = 0;
			run(where);
			expect_done();
			expect_eq(at.out.eax, CODE_AT + PAGES * PAGE - 2 - where);
			again();
		}
		end();
	}
}

/* Targets with the same low 16 bits, by RET, JMP and CALL in turn. */
static void look_alikes(void)
{
	u32 i, how, stride = 0x10000;

	for (how = 0; how < 3; how++) {
		if (!begin(ring, "targets alike, by %s",
			   how == 0 ? "ret" : how == 1 ? "jmp" : "call"))
			continue;
		for (i = 0; i < 4; i++) {
			pte_set(&space, CODE_AT + i * stride, frame[i] | PTE_ALL);
			invlpg(CODE_AT + i * stride);
			*(u8 *)(frame[i] + 0x123) = 0xb8;	/* movl $i, %eax; int DONE */
			*(u32 *)(frame[i] + 0x124) = i;
			memcpy((void *)(frame[i] + 0x128), "\xcd\x82", 2);
		}
		for (i = 0; i < 24; i++) {
			at.in.ebx = CODE_AT + (i * 7 / 3 & 3) * stride + 0x123;
			run(how == 0 ? CODE("pushl %%ebx; ret") : how == 1 ? CODE("jmp *%%ebx") :
			    CODE("call *%%ebx"));
			expect_done();
			expect_eq(at.out.eax, i * 7 / 3 & 3);
			again();
		}
		end();
	}
	if (begin(ring, "one frame at four addresses, each returns into the next")) {
		for (i = 0; i < 4; i++) {
			pte_set(&space, CODE_AT + i * stride, frame[0] | PTE_ALL);
			invlpg(CODE_AT + i * stride);
		}
		/* call next; next: popl %ebx; addl %edx, %ebx; decl %ecx; js out; jmp *%ebx */
		memcpy((void *)(frame[0] + 0x200),
		       "\xe8\x00\x00\x00\x00\x5b\x8d\x9c\x13\xfb\xff\xff\xff"
		       "\x40\x49\x78\x02\xff\xe3\xcd\x82", 21);
		at.in.eax = 0;
		at.in.ecx = 3;
		at.in.edx = stride;
		run(CODE_AT + 0x200);
		expect_done();
		expect_eq(at.out.eax, 4);
		expect_eq(at.out.eip, CODE_AT + 3 * stride + 0x200 + 21);
		end();
	}
}

void guest_main(void)
{
	u32 i;

	attempts_begin(false);
	for (i = 0; i < PAGES; i++)
		frame[i] = page_alloc();
	for (ring = 0; ring <= 3; ring += 3) {
		overlaps();
		lengths();
		look_alikes();
	}
	attempts_end();
}
