// SPDX-License-Identifier: GPL-2.0
/* The flags register as ring 0 and ring 3 read and write it: PUSHF, POPF, CLI, STI,
 * LAHF, SAHF, and the flags that arithmetic leaves.
 */
#include "guest.h"

#define ARITH(insn, a, b, want, want_flags)				\
do {									\
	u32 r_ = (a), f_;						\
									\
	asm volatile(insn " %2, %0; pushfl; popl %1"			\
		     : "+r"(r_), "=&r"(f_) : "r"((u32)(b)) : "cc");	\
	CHECK_EQ(r_, want);						\
	CHECK_EQ(f_ & FL_ARITH, want_flags);				\
} while (0)

static void arithmetic(void)
{
	ARITH("addl", 1, 2, 3, FL_PF);
	ARITH("addl", 0x7fffffff, 1, 0x80000000, FL_OF | FL_SF | FL_AF | FL_PF);
	ARITH("addl", 0xffffffff, 1, 0, FL_CF | FL_ZF | FL_AF | FL_PF);
	ARITH("subl", 0, 1, 0xffffffff, FL_CF | FL_SF | FL_AF | FL_PF);
	ARITH("subl", 0x80000000, 1, 0x7fffffff, FL_OF | FL_AF | FL_PF);
	ARITH("cmpl", 5, 5, 5, FL_ZF | FL_PF);
	asm volatile("stc");
	ARITH("stc; adcl", 0xffffffff, 0, 0, FL_CF | FL_ZF | FL_AF | FL_PF);
	ARITH("stc; sbbl", 0, 0, 0xffffffff, FL_CF | FL_SF | FL_AF | FL_PF);
	ARITH("clc; adcl", 1, 1, 2, 0);
}

static u32 set_and_read(u32 flags)
{
	u32 val;

	asm volatile("pushfl; pushl %1; popfl; pushfl; popl %0; popfl"
		     : "=&r"(val) : "r"(flags) : "memory", "cc");
	return val;
}

static u32 popf_popf16(u32 flags)
{
	u32 val;

	asm volatile("pushfl; pushw %w1; popfw; pushfl; popl %0; popfl"
		     : "=&r"(val) : "r"(flags) : "memory", "cc");
	return val;
}

static u32 user(u32 iopl)
{
	u32 own = FL_IF | FL_FIXED | iopl << 12;

	arithmetic();
	CHECK_EQ(read_flags() & ~FL_ARITH, own);
	/* IOPL cannot be changed at ring 3; IF only with IOPL 3. */
	CHECK_EQ(set_and_read(FL_IOPL | FL_FIXED),
		 (iopl == 3 ? 0 : FL_IF) | iopl << 12 | FL_FIXED);
	CHECK_EQ(set_and_read(0), (iopl == 3 ? 0 : FL_IF) | iopl << 12 | FL_FIXED);
	CHECK_EQ(set_and_read(own | FL_CF | FL_DF), own | FL_CF | FL_DF);
	CHECK_EQ(set_and_read(own | FL_ID), own | FL_ID);
	CHECK_EQ(set_and_read(own | FL_AC), own | FL_AC);
	CHECK_EQ(set_and_read(own | FL_NT), own | FL_NT);
	CHECK_EQ(popf_popf16(FL_CF | FL_ZF) & ~FL_IF, FL_CF | FL_ZF | FL_FIXED | iopl << 12);
	if (iopl == 3) {
		TRY_PLAIN("cli");
		CHECK_NO_FAULT();
		CHECK_EQ(read_flags() & FL_IF, 0);
		TRY_PLAIN("sti");
		CHECK_NO_FAULT();
		CHECK_EQ(read_flags() & FL_IF, FL_IF);
	} else {
		TRY_PLAIN("cli");
		CHECK_FAULT(GP, 0);
		CHECK_EQ(caught.eflags & FL_IF, FL_IF);
		TRY_PLAIN("sti");
		CHECK_FAULT(GP, 0);
		CHECK_EQ(read_flags() & FL_IF, FL_IF);
	}
	return iopl;
}

void guest_main(void)
{
	u32 i, bits, val;

	arithmetic();

	cli();
	CHECK_EQ(read_flags() & (FL_IF | FL_FIXED), FL_FIXED);
	sti();
	CHECK_EQ(read_flags() & FL_IF, FL_IF);
	asm volatile("nop");
	CHECK_EQ(read_flags() & FL_IF, FL_IF);
	cli();
	CHECK_EQ(read_flags() & FL_IF, 0);

	for (i = 0; i < 4; i++)
		CHECK_EQ(set_and_read(i << 12), i << 12 | FL_FIXED);
	/* Fixed bits stay, RF and VM cannot be set by POPF. */
	CHECK_EQ(set_and_read(0), FL_FIXED);
	CHECK_EQ(set_and_read(0x28 | 0x8000), FL_FIXED);
	CHECK_EQ(set_and_read(FL_RF | FL_VM), FL_FIXED);
	bits = FL_ARITH | FL_IF | FL_DF | FL_IOPL | FL_NT | FL_AC | FL_ID;
	CHECK_EQ(set_and_read(bits), bits | FL_FIXED);
	CHECK_EQ(set_and_read(FL_IF), FL_IF | FL_FIXED);
	CHECK_EQ(set_and_read(FL_ID), FL_ID | FL_FIXED);
	/* 16 bits: the upper half stays. */
	write_flags(FL_ID);
	CHECK_EQ(popf_popf16(FL_CF | FL_IF), FL_CF | FL_IF | FL_ID | FL_FIXED);
	write_flags(0);

	asm volatile("movl $0xd700, %%eax; sahf; pushfl; popl %0" : "=r"(val) : : "eax", "cc");
	CHECK_EQ(val & ~FL_IF, FL_SF | FL_ZF | FL_AF | FL_PF | FL_CF | FL_FIXED);
	asm volatile("xorl %%eax, %%eax; pushl $0xd5; popfl; lahf; movl %%eax, %0"
		     : "=r"(val) : : "eax", "cc");
	CHECK_EQ(val, 0xd700);
	asm volatile("stc; pushfl; cmc; pushfl; popl %0; popl %%ecx; andl $1, %0; andl $1, %%ecx; shll $1, %0; orl %%ecx, %0"
		     : "=r"(val) : : "ecx", "cc");
	CHECK_EQ(val, 1);
	/* A flag survives CLI and STI. */
	asm volatile("stc; sti; nop; cli; pushfl; popl %0" : "=r"(val) : : "cc");
	CHECK_EQ(val & (FL_CF | FL_IF), FL_CF);
	asm volatile("xorl %%eax, %%eax; sti; nop; cli; pushfl; popl %0" : "=r"(val) : : "eax", "cc");
	CHECK_EQ(val & (FL_ZF | FL_PF | FL_CF), FL_ZF | FL_PF);

	for (i = 0; i < 4; i++) {
		user_eflags = FL_IF | FL_FIXED | i << 12;
		CHECK_EQ(user_call(user, i), i);
		CHECK_EQ(read_flags() & (FL_IF | FL_IOPL), 0);
	}
}
