// SPDX-License-Identifier: GPL-2.0
/* Self-modifying code: what was written is what runs, in every place relative to
 * the code that writes it.
 */
#include "guest.h"

static u8 buf[4 * PAGE] __attribute__((aligned(4096)));

/* mov $val, %eax; ret */
static void put_mov(u8 *at, u32 val)
{
	at[0] = 0xb8;
	memcpy(at + 1, &val, 4);
	at[5] = 0xc3;
}

static u32 call(void *at)
{
	u32 val;

	asm volatile("call *%1" : "=a"(val) : "r"(at) : "ecx", "edx", "memory", "cc");
	return val;
}

/* The immediate of an instruction of this page, rewritten before each round. */
static u32 same_page(u32 n)
{
	u32 i, val = 0, sum = 0;

	for (i = 0; i < n; i++) {
		asm volatile("movl %1, 1f + 1; jmp 1f; 1: movl $0x11111111, %0"
			     : "=a"(val) : "r"(i) : "memory");
		if (val != i)
			CHECK_EQ(val, i);
		sum += val;
	}
	return sum;
}

/* The very next instruction, without a jump: processors see it at once. */
static u32 next_insn(u32 n)
{
	u32 i, val;

	for (i = 0; i < n; i++) {
		asm volatile("movl %1, 1f + 1; 1: movl $0x11111111, %0"
			     : "=a"(val) : "r"(i) : "memory");
		if (val != i)
			CHECK_EQ(val, i);
	}
	return n;
}

/* A loop that patches its own body: inc becomes dec after ten rounds. */
static u32 loop_patch(u32 n)
{
	u32 val;

	asm volatile("movb $0x40, 2f\n"		/* inc %eax */
		     "xorl %%eax, %%eax\n"
		     "movl %1, %%ecx\n"
		     "1:\n"
		     "2: .byte 0x40\n"
		     "cmpl $10, %%eax\n"
		     "jne 3f\n"
		     "movb $0x48, 2b\n"		/* dec %eax */
		     "3: decl %%ecx\n"
		     "jnz 1b\n"
		     : "=&a"(val) : "r"(n) : "ecx", "memory", "cc");
	return val;
}

static u32 everything(u32 ring)
{
	u32 i, j;

	(void)ring;
	/* Another page. */
	for (i = 0; i < 300; i++) {
		put_mov(buf, i * 3);
		CHECK_EQ(call(buf), i * 3);
	}
	/* Across a page boundary, at each possible place. */
	for (j = 1; j < 6; j++) {
		for (i = 0; i < 20; i++) {
			put_mov(buf + PAGE - j, i * 0x01010101);
			CHECK_EQ(call(buf + PAGE - j), i * 0x01010101);
		}
		/* Only the second page's part is written. */
		if (j < 5) {
			buf[PAGE + 4 - j] = 0x7f;
			CHECK_EQ(call(buf + PAGE - j) >> 24, 0x7f);
		}
	}
	/* Data next to code. */
	put_mov(buf, 1);
	for (i = 0; i < 100; i++) {
		poke((u32)buf + 64, i);
		CHECK_EQ(call(buf), 1);
		CHECK_EQ(peek((u32)buf + 64), i);
	}
	CHECK_EQ(same_page(1000), 1000 * 999 / 2);
	CHECK_EQ(next_insn(100), 100);
	CHECK_EQ(loop_patch(30), (u32)(10 - 20));
	/* Byte by byte, by string instructions, by a locked exchange. */
	put_mov(buf + 128, 5);
	CHECK_EQ(call(buf + 128), 5);
	buf[129] = 6;
	CHECK_EQ(call(buf + 128), 6);
	put_mov(buf + 192, 7);
	memcpy(buf + 128, buf + 192, 6);
	CHECK_EQ(call(buf + 128), 7);
	asm volatile("xchgl %0, %1" : : "r"(8), "m"(*(u32 *)(buf + 129)) : "memory");
	CHECK_EQ(call(buf + 128), 8);
	asm volatile("lock addl $3, %0" : : "m"(*(u32 *)(buf + 129)) : "memory", "cc");
	CHECK_EQ(call(buf + 128), 11);
	asm volatile("pushl %%ebp; movl %%esp, %%ebp; leal %0, %%esp; pushl $12; movl %%ebp, %%esp; popl %%ebp"
		     : : "m"(buf[133]) : "memory");
	CHECK_EQ(call(buf + 128), 12);
	/* A chain of two blocks, of which the second changes. */
	buf[256] = 0xeb;	/* jmp to 512 */
	buf[257] = 254;
	buf[256] = 0xe9;
	poke((u32)buf + 257, 512 - 261);
	for (i = 0; i < 100; i++) {
		put_mov(buf + 512, i);
		CHECK_EQ(call(buf + 256), i);
		poke((u32)buf + 257, (i & 1 ? 512 : 768) - 261);
		put_mov(buf + 768, i + 1000);
		CHECK_EQ(call(buf + 256), i & 1 ? i : i + 1000);
		poke((u32)buf + 257, 512 - 261);
	}
	return 0;
}

/* MOV EAX, DRn; RET: an instruction that is never executed as it is. */
static void put_mov_dr(u8 *at, u32 n)
{
	at[0] = 0x0f;
	at[1] = 0x21;
	at[2] = 0xc0 | n << 3;
	at[3] = 0xc3;
}

/* Emulated instructions that change, each executed more than once. */
static void emulated(struct space *s, u32 other)
{
	u32 i, j, at = pte_addr(s, 0x40001000);

	asm volatile("movl %0, %%dr0; movl %1, %%dr1; movl %2, %%dr2"
		     : : "r"(0x100), "r"(0x101), "r"(0x102));
	for (i = 0; i < 30; i++) {
		put_mov_dr(buf, i % 3);
		for (j = 0; j < 3; j++)
			CHECK_EQ(call(buf), 0x100 + i % 3);
	}
	put_mov_dr((u8 *)other, 2);
	put_mov_dr(buf, 1);
	for (i = 0; i < 20; i++) {
		pte_set(s, 0x40000000, (i & 1 ? other : (u32)buf) | PTE_ALL);
		invlpg(0x40000000);
		for (j = 0; j < 3; j++)
			CHECK_EQ(call((void *)0x40000000), i & 1 ? 0x102 : 0x101);
	}
	asm volatile("movl %0, %%dr0; movl %0, %%dr1; movl %0, %%dr2" : : "r"(0));
	/* movl $val, table entry; ret. The page is used, so that its table is traced. */
	buf[0] = 0xc7;
	buf[1] = 0x05;
	memcpy(buf + 2, &at, 4);
	buf[10] = 0xc3;
	for (i = 0; i < 30; i++) {
		u32 val = (i & 1 ? other : (u32)buf) | PTE_ALL;

		memcpy(buf + 6, &val, 4);
		for (j = 0; j < 3; j++) {
			call(buf);
			invlpg(0x40001000);
			CHECK_EQ(peek(at) & ~(PTE_A | PTE_D), val & ~(PTE_A | PTE_D));
			CHECK_EQ(peek(0x40001000), peek(i & 1 ? other : (u32)buf));
		}
	}
}

static u32 caller(u32 at)
{
	return call((void *)at);
}

void guest_main(void)
{
	struct space s;
	u32 i, other = page_alloc();

	everything(0);
	user_call(everything, 3);
	s = space_new(false);
	paging_on(&s);
	everything(0);
	user_call(everything, 3);

	/* The frame is written through another address. */
	pte_set(&s, 0x40000000, (u32)buf | PTE_ALL);
	for (i = 0; i < 50; i++) {
		put_mov((u8 *)0x40000000, i);
		CHECK_EQ(call(buf), i);
		put_mov((u8 *)0x40000000, i + 1);
		CHECK_EQ(user_call(caller, (u32)buf), i + 1);
	}
	/* Ring 3 writes what ring 0 runs, and the other way round. */
	for (i = 0; i < 20; i++) {
		put_mov(buf, i);
		CHECK_EQ(user_call(caller, (u32)buf), i);
		CHECK_EQ(call(buf), i);
	}
	/* The code's page is mapped elsewhere meanwhile. */
	put_mov((u8 *)other, 0x222);
	for (i = 0; i < 50; i++) {
		put_mov(buf, 0x111);
		pte_set(&s, 0x40000000, (i & 1 ? other : (u32)buf) | PTE_ALL);
		invlpg(0x40000000);
		CHECK_EQ(call((void *)0x40000000), i & 1 ? 0x222 : 0x111);
		CHECK_EQ(user_call(caller, 0x40000000), i & 1 ? 0x222 : 0x111);
	}
	emulated(&s, other);
	paging_off();
	put_mov(buf, 0x333);
	CHECK_EQ(call(buf), 0x333);
}
