// SPDX-License-Identifier: GPL-2.0
/* Each exception comes with its vector, its error code, and the right EIP, at ring 0
 * and at ring 3.
 */
#include "guest.h"

static u32 both(u32 ring)
{
	u32 bounds[2] = { 10, 20 };

	/* #DE */
	TRY("divl %%ecx", : : "a"(1), "d"(0), "c"(0) : "memory", "cc");
	CHECK_FAULT(DE, 0);
	CHECK_EQ(caught.eax, 1);
	TRY("divl %%ecx", : : "a"(0), "d"(5), "c"(5) : "memory", "cc");
	CHECK_FAULT(DE, 0);
	CHECK_EQ(caught.edx, 5);
	TRY("idivl %%ecx", : : "a"(0x80000000), "d"(-1), "c"(-1) : "memory", "cc");
	CHECK_FAULT(DE, 0);
	TRY("idivb %%cl", : : "a"(0x8000), "c"(1) : "memory", "cc");
	CHECK_FAULT(DE, 0);
	TRY("aam $0", : : "a"(0x55) : "memory", "cc");
	CHECK_FAULT(DE, 0);
	CHECK_EQ(caught.eax, 0x55);

	/* #UD */
	TRY_PLAIN("ud2");
	CHECK_FAULT(UD, 0);
	TRY_PLAIN(".byte 0x0f, 0xb9, 0xc0");		/* ud1 */
	CHECK_FAULT(UD, 0);
	TRY_PLAIN(".byte 0xf0, 0x90");			/* lock nop */
	CHECK_FAULT(UD, 0);
	TRY_PLAIN(".byte 0xf0, 0x01, 0xc0");		/* lock add %eax, %eax */
	CHECK_FAULT(UD, 0);
	if (!on_tcg()) {
		TRY_PLAIN(".byte 0xf0, 0x8b, 0x00"); /* lock mov */
		CHECK_FAULT(UD, 0);
	}
	TRY_PLAIN(".byte 0xff, 0xff");			/* group 5, 7 */
	CHECK_FAULT(UD, 0);
	TRY_PLAIN(".byte 0x8d, 0xc0");			/* lea of a register */
	CHECK_FAULT(UD, 0);
	if (!on_tcg()) {
		TRY_PLAIN(".byte 0xc5, 0xc0");		/* lds of a register: VEX, not on */
		CHECK_FAULT(UD, 0);
	}
	TRY_PLAIN(".byte 0x8e, 0xc8");			/* mov %eax, %cs */
	CHECK_FAULT(UD, 0);
	TRY_PLAIN(".byte 0x8e, 0xf0");			/* mov to segment 6 */
	CHECK_FAULT(UD, 0);
	TRY_PLAIN(".byte 0x0f, 0x20, 0xc8");		/* mov %cr1, %eax */
	if (ring == 0)
		CHECK_FAULT(UD, 0);
	if (!on_tcg()) {
		TRY_PLAIN(".byte 0xf0, 0x0f, 0xba, 0x20, 0x00"); /* lock bt */
		CHECK_FAULT(UD, 0);
	}
	TRY_PLAIN(".byte 0x62, 0xc0");			/* bound of a register */
	CHECK_FAULT(UD, 0);
	TRY_PLAIN(".byte 0xfe, 0xd0");			/* group 4, 2 */
	CHECK_FAULT(UD, 0);

	/* 15 bytes are the most: 16 are #GP, whatever they would be. */
	TRY_PLAIN(".byte 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x90");
	CHECK_NO_FAULT();
	TRY_PLAIN(".byte 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x90");
	CHECK_FAULT(GP, 0);

	/* #BP and #OF are traps */
	TRY_PLAIN("int3");
	CHECK_TRAP(BP);
	TRY_PLAIN(".byte 0xcd, 3");
	CHECK_TRAP(BP);
	TRY_PLAIN("movb $0x7f, %%al; addb $1, %%al; into");
	CHECK_TRAP(OF);
	TRY_PLAIN("xorl %%eax, %%eax; into");
	CHECK_NO_FAULT();

	/* #BR */
	TRY("bound %0, %1", : : "r"(9), "m"(bounds) : "memory", "cc");
	CHECK_FAULT(BR, 0);
	TRY("bound %0, %1", : : "r"(21), "m"(bounds) : "memory", "cc");
	CHECK_FAULT(BR, 0);
	TRY("bound %0, %1", : : "r"(10), "m"(bounds) : "memory", "cc");
	CHECK_NO_FAULT();
	TRY("bound %0, %1", : : "r"(20), "m"(bounds) : "memory", "cc");
	CHECK_NO_FAULT();
	return ring;
}

static u32 privileged(u32 arg)
{
	static const char where[8];

	TRY_PLAIN("hlt");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("clts");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("movl %%cr0, %%eax");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("movl %%cr3, %%eax");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("xorl %%eax, %%eax; movl %%eax, %%cr2");
	CHECK_EQ(caught.vector, GP);
	TRY_PLAIN("movl %%dr7, %%eax");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("movl %%eax, %%dr0");
	CHECK_FAULT(GP, 0);
	TRY("lgdt (%0)", : : "r"(where) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("lidt (%0)", : : "r"(where) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("lldt %w0", : : "r"(0) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("ltr %w0", : : "r"(TSS_SEL) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("lmsw %w0", : : "r"(1) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("invlpg (%0)", : : "r"(where) : "memory");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("wbinvd");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("invd");
	CHECK_FAULT(GP, 0);
	TRY("rdmsr", : : "c"(MSR_SYSENTER_CS) : "memory", "eax", "edx");
	CHECK_FAULT(GP, 0);
	TRY("wrmsr", : : "c"(MSR_SYSENTER_CS), "a"(0), "d"(0) : "memory");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("inb $0x80, %%al");
	CHECK_FAULT(GP, 0);
	TRY_PLAIN("outb %%al, $0x80");
	CHECK_FAULT(GP, 0);
	TRY("inl %%dx, %%eax", : : "d"(0x1234) : "memory", "eax");
	CHECK_FAULT(GP, 0);
	TRY("insb", : : "d"(0x1234), "D"(0x1000) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("rep outsb", : : "d"(0x1234), "S"(0x1000), "c"(3) : "memory");
	CHECK_FAULT(GP, 0);
	CHECK_EQ(caught.ecx, 3);
	CHECK_EQ(caught.esi, 0x1000);
	TRY_PLAIN("sysexit");
	CHECK_FAULT(GP, 0);
	/* DPL 0 gate: the error code names it. */
	TRY_PLAIN("int $0x40");
	CHECK_FAULT(GP, 0x40 * 8 + 2);
	TRY_PLAIN("int $14");
	CHECK_FAULT(GP, 14 * 8 + 2);
	TRY_PLAIN(".byte 0xcd, 1");
	CHECK_FAULT(GP, 1 * 8 + 2);
	TRY_PLAIN("int $0x80");
	CHECK_TRAP(0x80);
	/* The debug trap instruction does not look at the DPL. */
	if (!on_tcg()) {
		TRY_PLAIN(".byte 0xf1");
		CHECK_TRAP(DB);
	}
	CHECK_EQ(caught.cs, USER_CS);
	CHECK_EQ(caught.ss, USER_DS);
	return arg;
}

static u32 no_fpu(u32 arg)
{
	TRY_PLAIN("fninit");
	CHECK_FAULT(NM, 0);
	TRY_PLAIN("fnop");
	CHECK_FAULT(NM, 0);
	TRY_PLAIN("wait");
	CHECK_FAULT(NM, 0);	/* TS and MP */
	return arg;
}

/* #AC is off without CR0.AM, and at ring 0 always. */
static u32 misaligned(u32 arg)
{
	u32 pair[2] = { 0x11223344, 0x55667788 };
	u32 val = 0, flags = read_flags();

	write_flags(flags | FL_AC);
	TRY("movl 1(%1), %0", : "=r"(val) : "r"(pair) : "memory");
	write_flags(flags);
	if (arg) {
		CHECK_FAULT(AC, 0);
	} else {
		CHECK_NO_FAULT();
		CHECK_EQ(val, 0x88112233);
	}
	return arg;
}

void guest_main(void)
{
	both(0);
	CHECK_EQ(user_call(both, 3), 3);
	CHECK_EQ(user_call(privileged, 7), 7);

	/* INT of an exception's vector pushes no error code. */
	u64 saved = idt[GP];

	idt[GP] = idt[0x60];
	TRY_PLAIN("int $13");
	idt[GP] = saved;
	CHECK_TRAP(0x60);
	CHECK_EQ(caught.cs, KERNEL_CS);
	/* The gate is missing, or not a gate. */
	idt[0x50] = 0;
	TRY_PLAIN("int $0x50");
	CHECK_FAULT(GP, 0x50 * 8 + 2);
	idt[0x50] = gate(KERNEL_CS, 0, GATE_INT);
	TRY_PLAIN("int $0x50");
	CHECK_FAULT(NP, 0x50 * 8 + 2);
	idt[0x50] = gate(0, 0, SEG_P | GATE_INT);
	TRY_PLAIN("int $0x50");
	CHECK_FAULT(GP, 0);
	idt[0x50] = gate(KERNEL_DS, 0, SEG_P | GATE_INT);
	TRY_PLAIN("int $0x50");
	CHECK_FAULT(GP, KERNEL_DS);
	idt[0x50] = gate(GDT_ENTRIES * 8, 0, SEG_P | GATE_INT);
	TRY_PLAIN("int $0x50");
	CHECK_FAULT(GP, GDT_ENTRIES * 8);

	/* #NM */
	write_cr0(read_cr0() | CR0_TS | CR0_MP);
	CHECK_EQ(read_cr0() & (CR0_TS | CR0_MP), CR0_TS | CR0_MP);
	no_fpu(0);
	user_call(no_fpu, 0);
	asm volatile("clts");
	CHECK_EQ(read_cr0() & CR0_TS, 0);
	TRY_PLAIN("fninit");
	CHECK_NO_FAULT();
	write_cr0(read_cr0() | CR0_EM);
	TRY_PLAIN("fninit");
	CHECK_FAULT(NM, 0);
	TRY_PLAIN("wait");
	CHECK_NO_FAULT();
	write_cr0((read_cr0() & ~CR0_EM) | CR0_TS);
	write_cr0(read_cr0() & ~CR0_MP);
	TRY_PLAIN("wait");
	CHECK_NO_FAULT();
	asm volatile("clts");

	misaligned(0);
	user_call(misaligned, 0);
}
