// SPDX-License-Identifier: GPL-2.0
/*
 * Code in the last page: jumps, calls and returns into it, instructions that begin below it
 * and end in it, and code that runs over the end of the address space.
 */
#include "attempt.h"

static u32 ring;

/* Put instructions at @gva, through the frames behind it. */
static void place(u32 gva, const void *code, u32 n)
{
	const u8 *from = code;
	u32 frame;

	for (; n; n--, gva++) {
		frame = gva >= TOP ? top_frame : gva >= BELOW ? below_frame : zero_frame;
		*(u8 *)(frame + (gva & (PAGE - 1))) = *from++;
	}
}

/* mov $0x12345678, %eax; int $DONE */
static const u8 code[] = { 0xb8, 0x78, 0x56, 0x34, 0x12, 0xcd, DONE };

/* Code that goes to @gva was run, with the page mapped so. */
static void verdict(const struct mapping *m, u32 gva)
{
	int error = access_fault(ring, m->bits, false);

	if (error >= 0) {
		expect(at.vector == PF && at.error == (u32)error, "vector %u error %x, not PF %x",
		       at.vector, at.error, error);
		expect_eq(at.out.eip, gva);
		expect_eq(at.cr2, gva);
	} else {
		expect_done();
		expect_eq(at.out.eax, 0x12345678);
		expect_eq(at.out.eip, gva + sizeof(code));
	}
	end();
}

#define GO(what, insn)							\
do {									\
	u32 m_;								\
									\
	for (m_ = 0; m_ < N_MAPPINGS; m_++)				\
		if (begin(ring, "%s %s", what, mappings[m_].name)) {	\
			top_is(mappings[m_].bits);			\
			place(TOP + 0x430, code, sizeof(code));		\
			at.in.ebx = TOP + 0x430;			\
			at.in.edi = data_page;				\
			poke(data_page, TOP + 0x430);			\
			poke(data_page + 4, ring ? USER_CS : KERNEL_CS); \
			poke(data_page + 8, at.in.eflags);		\
			run(CODE(insn));				\
			verdict(&mappings[m_], TOP + 0x430);		\
		}							\
} while (0)

static void transfers(void)
{
	GO("jmp to", "jmp *%%ebx");
	GO("jmp through memory to", "jmp *(%%edi)");
	GO("call to", "call *%%ebx");
	GO("ret to", "pushl %%ebx; ret");
	GO("ret with immediate to", "pushl %%ebx; ret $16");
	GO("far jmp to", "ljmpl *(%%edi)");
	GO("far call to", "lcalll *(%%edi)");
	GO("far ret to", "pushl 4(%%edi); pushl %%ebx; lretl");
	GO("iret to", "pushl 8(%%edi); pushl 4(%%edi); pushl %%ebx; iretl");
	GO("jcc to", "stc; jc 0xfffff430");
	GO("direct jmp to", "jmp 0xfffff430");
	GO("direct call to", "call 0xfffff430");
}

/* The first instruction's first @n bytes are below the page. */
static void straddling(void)
{
	u32 n, m;
	int error;

	for (m = 0; m < N_MAPPINGS; m++)
		for (n = 1; n < 5; n++) {
			if (!begin(ring, "code of which %u bytes are below %s", n,
				   mappings[m].name))
				continue;
			top_is(mappings[m].bits);
			place(TOP - n, code, sizeof(code));
			at.in.ebx = TOP - n;
			run(CODE("jmp *%%ebx"));
			error = access_fault(ring, mappings[m].bits, false);
			if (error >= 0) {
				expect(at.vector == PF && at.error == (u32)error,
				       "vector %u error %x, not PF %x", at.vector, at.error, error);
				expect_eq(at.out.eip, TOP - n);
				expect_eq(at.cr2, TOP);
			} else {
				expect_done();
				expect_eq(at.out.eax, 0x12345678);
			}
			end();
		}
	/* Falling into it: the instruction before ends right below. */
	for (m = 0; m < N_MAPPINGS; m++)
		if (begin(ring, "code that falls into it %s", mappings[m].name)) {
			top_is(mappings[m].bits);
			place(TOP - 2, "\x90\x90", 2);
			place(TOP, code, sizeof(code));
			at.in.ebx = TOP - 2;
			run(CODE("jmp *%%ebx"));
			verdict(&mappings[m], TOP);
		}
}

/* From a unit below into the page and back, with both mapped. */
static void mixed(void)
{
	u32 n;

	if (begin(ring, "a loop over the edge")) {
		top_is(PTE_ALL);
		at.in.ecx = 7;
		at.in.eax = 0;
		/* inc %eax | loop back; int */
		place(TOP - 1, "\x40\xe2\xfd\xcd\x82", 5);
		at.in.ebx = TOP - 1;
		run(CODE("jmp *%%ebx"));
		expect_done();
		expect_eq(at.out.eax, 7);
		end();
	}
	if (begin(ring, "code that writes itself in the last page")) {
		top_is(PTE_ALL);
		/* movb $0x43, 7(%ebx); nop: becomes inc %ebx; int */
		place(TOP + 0x10, "\xc6\x43\x04\x43\x90\xcd\x82", 7);
		at.in.ebx = TOP + 0x10;
		run(CODE("jmp *%%ebx"));
		expect_done();
		expect_eq(at.out.ebx, TOP + 0x11);
		end();
	}
	if (begin(ring, "data beside the code in the last page")) {
		top_is(PTE_ALL);
		/* movl 0x20(%ebx), %eax; movl %eax, 0x40(%ebx); int */
		place(TOP + 0x10, "\x8b\x43\x20\x89\x43\x40\xcd\x82", 8);
		at.in.ebx = TOP + 0x10;
		run(CODE("jmp *%%ebx"));
		expect_done();
		expect_eq(peek(top_frame + 0x50), PATTERN(top_frame, 0x30));
		end();
	}
	/* Over the end: EIP goes on at 0. */
	for (n = 1; n < 5; n++)
		if (begin(ring, "code of which %u bytes are before the end", n)) {
			top_is(PTE_ALL);
			place(0 - n, code, sizeof(code));
			at.in.ebx = 0 - n;
			run(CODE("jmp *%%ebx"));
			expect(at.vector == DONE || at.vector == GP, "vector %u", at.vector);
			/* SDM 5.3: at a limit of 4 GiB either may happen. */
			at.undigested = true;
			at.vector = DONE;
			at.error = 0;
			end();
		}
}

void guest_main(void)
{
	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		transfers();
		straddling();
		mixed();
	}
	attempts_end();
}
