// SPDX-License-Identifier: GPL-2.0
/* Loops interrupted thousands of times keep registers, flags and the FPU's state, at
 * ring 0 and at ring 3.
 */
#include "guest.h"

static volatile u32 ticks, user_ticks;

static void tick(struct frame *f)
{
	ticks++;
	if (f->cs & 3)
		user_ticks++;
	pic_eoi(0);
}

/* All eight registers and the carry go through each round. */
static u32 mix(u32 rounds)
{
	u32 val;

	asm volatile("pushl %%ebp\n"
		     "pushl %%eax\n"
		     "movl $1, %%eax; movl $2, %%ebx; movl $3, %%ecx; movl $4, %%edx\n"
		     "movl $5, %%esi; movl $6, %%edi; movl $7, %%ebp\n"
		     "clc\n"
		     "1:\n"
		     "adcl %%ebx, %%eax; rcll $3, %%ebx; adcl %%ecx, %%edx; xorl %%eax, %%ecx\n"
		     "adcl %%edx, %%esi; leal 1(%%esi,%%edi,2), %%edi; sbbl %%ebp, %%ebx\n"
		     "pushl %%eax; popl %%ebp; rorl $5, %%ebp; call 3f\n"
		     "decl (%%esp)\n"
		     "jnz 1b\n"
		     "jmp 2f\n"
		     "3: bswap %%edx; cmpl %%esi, %%edi; ret\n"
		     "2: addl $4, %%esp\n"
		     "xorl %%ebx, %%eax; xorl %%ecx, %%eax; xorl %%edx, %%eax; xorl %%esi, %%eax\n"
		     "xorl %%edi, %%eax; xorl %%ebp, %%eax\n"
		     "popl %%ebp\n"
		     : "=a"(val) : "0"(rounds) : "ebx", "ecx", "edx", "esi", "edi", "memory", "cc");
	return val;
}

/* A string instruction is interrupted between elements. */
static u8 from[PAGE * 4], to[PAGE * 4];

static u32 strings(u32 rounds)
{
	u32 i, sum = 0;

	for (i = 0; i < rounds; i++) {
		from[i % sizeof(from)]++;
		memcpy(to, from, sizeof(to));
		sum += to[i % sizeof(to)];
	}
	return sum + memcmp(from, to, sizeof(to));
}

/* x87 and SSE hold values over a loop. */
static u32 fpu(u32 rounds)
{
	static const float one = 1.0f;
	u32 in[4] = { 0x11111111, 0x22222222, 0x33333333, 0x44444444 }, out[4] = { 0 };
	u32 n = 0;

	asm volatile("fninit\n"
		     "fldz\n"
		     "movups (%1), %%xmm5\n"
		     "movl %3, %%ecx\n"
		     "1: fadds %4\n"
		     "paddd %%xmm5, %%xmm6\n"
		     "psubd %%xmm5, %%xmm6\n"
		     "decl %%ecx\n"
		     "jnz 1b\n"
		     "fistpl %0\n"
		     "movups %%xmm5, (%2)\n"
		     : "=m"(n) : "r"(in), "r"(out), "r"(rounds), "m"(one) : "ecx", "memory", "cc");
	CHECK_EQ(n, rounds);
	CHECK_EQ(memcmp(in, out, 16), 0);
	return n;
}

void guest_main(void)
{
	const u32 rounds = 400000;
	u32 want_mix, want_strings, i, before;

	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	trap_hook[IRQ_BASE] = tick;
	want_mix = mix(rounds);
	want_strings = strings(40);
	fpu(1000);
	pit_periodic(120);	/* 100 us */
	pic_mask(0xfffe);
	for (i = 0; i < 4; i++) {
		memset(from, 0, sizeof(from));
		sti();
		before = ticks;
		CHECK_EQ(mix(rounds), want_mix);
		CHECK_EQ(strings(40), want_strings);
		fpu(rounds / 2);
		cli();
		CHECK(ticks > before);
		memset(from, 0, sizeof(from));
		before = user_ticks;
		CHECK_EQ(user_call(mix, rounds), want_mix);
		CHECK_EQ(user_call(strings, 40), want_strings);
		user_call(fpu, rounds / 2);
		CHECK(user_ticks > before);
	}
	pic_mask(0xffff);
	print("%u ticks, %u at ring 3\n", ticks, user_ticks);
}
