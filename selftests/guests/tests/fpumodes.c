// SPDX-License-Identifier: GPL-2.0
/*
 * x87 and SSE where code is never executed directly nor translated: single steps and
 * breakpoints, ring 3 with IOPL 3 or a 16-bit stack, device memory.
 */
#include "guest.h"

#define SLOT_STACK16	(GDT_ENTRIES - 2)
#define VIDEO		0xb8000u

static volatile u32 traps;
static u8 image[512] __attribute__((aligned(16)));

static void count(struct frame *f)
{
	(void)f;
	traps++;
}

/* Loads, stores, register forms, flags, general registers, immediates. */
static u32 compute(u32 seed)
{
	u32 in[4] __attribute__((aligned(16))) = { seed, seed + 1, seed + 2, seed + 3 };
	u32 out[4] __attribute__((aligned(16))), half, flags, moved, mask;
	double sum;

	asm volatile("fninit; fildl %1; fildl %2; faddp; fistpl %0"
		     : "=m"(half) : "m"(in[0]), "m"(in[3]));
	CHECK_EQ(half, 2 * seed + 3);
	asm volatile("fildl %1; fsqrt; fstpl %0" : "=m"(sum) : "m"(in[0]));
	asm volatile("movaps (%1), %%xmm1; paddd %%xmm1, %%xmm1; pshufd $0x1b, %%xmm1, %%xmm2\n"
		     "movups %%xmm2, (%0)" : : "r"(out), "r"(in) : "memory");
	CHECK_EQ(out[0], 2 * in[3]);
	CHECK_EQ(out[3], 2 * in[0]);
	asm volatile("movd %2, %%xmm3; cvtsi2ss %2, %%xmm4; movd %%xmm3, %0; comiss %%xmm4, %%xmm4\n"
		     "pushfl; popl %1" : "=r"(moved), "=r"(flags) : "r"(seed) : "cc");
	CHECK_EQ(moved, seed);
	CHECK_EQ(flags & FL_ARITH, FL_ZF);
	asm volatile("pcmpeqd %%xmm5, %%xmm5; pmovmskb %%xmm5, %0" : "=r"(mask));
	CHECK_EQ(mask, 0xffff);
	/* The masked move has its operand at EDI. */
	memset(image, 0x55, 16);
	asm volatile("movups (%0), %%xmm6; maskmovdqu %%xmm5, %%xmm6"
		     : : "r"(in), "D"(image + 3) : "memory");
	CHECK_EQ(*(u32 *)(image + 3), seed);
	CHECK_EQ(image[2], 0x55);
	TRY("movaps (%0), %%xmm0", : : "r"(image + 4) : "memory");
	CHECK_FAULT(GP, 0);
	return seed;
}

static u32 stepped(u32 seed)
{
	u32 a = 0, b = 0;

	traps = 0;
	asm volatile("fninit\n"
		     "pushfl; orl $0x100, (%%esp); popfl\n"
		     "fildl %2; fistpl %0; movd %3, %%xmm0; movd %%xmm0, %1\n"
		     "pushfl; andl $~0x100, (%%esp); popfl"
		     : "=m"(a), "=m"(b) : "m"(seed), "r"(seed) : "memory", "cc");
	CHECK_EQ(a, seed);
	CHECK_EQ(b, seed);
	CHECK_EQ(traps, 4 + 3);
	return seed;
}

/* The x87 says where its last instruction was. */
static u32 pointers(u32 unused)
{
	u32 value = 7, where;

	asm volatile("fninit; movl $1f, %0\n1: fildl %1" : "=r"(where) : "m"(value));
	asm volatile("fxsave (%0); fninit" : : "r"(image) : "memory");
	/* QEMU saves zeroes. */
	if (on_vmon() && *(u32 *)(image + 8)) {
		CHECK_EQ(*(u32 *)(image + 8), where);
		CHECK_EQ(*(u32 *)(image + 16), (u32)&value);
	}
	return unused;
}

static u32 stack16(u32 seed)
{
	u32 low = (u32)&low - 0x1000, result = 0;

	/* Its base makes a small stack pointer mean the same place. */
	gdt[SLOT_STACK16] = segment(low & ~0xffu, 0xffff, SEG_P | SEG_DPL(3) | SEG_DATA);
	asm volatile("movl %%ss, %%ecx; movl %%esp, %%edx\n"
		     "movl %2, %%ss; movl $0x800, %%esp\n"
		     "fninit; pushl %0; fildl (%%esp); popl %%eax; fistpl (%1)\n"
		     "movl %%ecx, %%ss; movl %%edx, %%esp"
		     : : "b"(seed), "D"(&result), "S"(SLOT_STACK16 * 8 + 3)
		     : "eax", "ecx", "edx", "memory");
	CHECK_EQ(result, seed);
	return seed;
}

/* A word in device memory: there is none, so it reads as ones; stores go nowhere. */
static u32 device(u32 unused)
{
	u32 value = 5, result = 0;

	asm volatile("fninit; fildl %1; fistl (%2); fistpl %0"
		     : "=m"(result) : "m"(value), "r"(VIDEO) : "memory");
	CHECK_EQ(result, 5);
	return unused;
}

static u32 with_iopl(u32 (*function)(u32), u32 arg)
{
	user_eflags |= FL_IOPL;
	arg = user_call(function, arg);
	user_eflags &= ~FL_IOPL;
	return arg;
}

void guest_main(void)
{
	u32 zero = 0;

	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	trap_hook[DB] = count;
	compute(0x1234);
	user_call(compute, 0x2345);
	CHECK_EQ(with_iopl(compute, 0x3456), 0x3456);
	with_iopl(pointers, 0);
	user_call(pointers, 0);
	stepped(77);
	user_call(stepped, 78);
	with_iopl(stepped, 79);
	/* With a breakpoint in force, this is emulated. */
	asm volatile("movl %0, %%dr0; movl %1, %%dr7" : : "r"(&zero), "r"(0x000f0403));
	compute(0x4567);
	pointers(0);
	asm volatile("movl %0, %%dr7" : : "r"(0x400));
	user_call(stack16, 4321);
	device(0);
	user_call(device, 0);
}
