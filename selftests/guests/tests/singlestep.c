// SPDX-License-Identifier: GPL-2.0
/* Single stepping by TF, at ring 0 and at ring 3: one #DB behind each instruction. */
#include "guest.h"

static volatile u32 n, eips[64];
static volatile u32 flags_seen;

static void step(struct frame *f)
{
	if (n < ARRAY_SIZE(eips))
		eips[n] = f->eip;
	n++;
	flags_seen = f->eflags;
}

static u32 plain(u32 ring)
{
	u32 where[8], i, dr6;

	(void)ring;
	n = 0;
	asm volatile("pushfl\n"
		     "orl $0x100, (%%esp)\n"
		     "popfl\n"
		     "20: nop\n"
		     "21: movl $5, %%ecx\n"
		     "22: decl %%ecx\n"
		     "23: pushl %%ecx\n"
		     "24: popl %%ecx\n"
		     "25: jmp 26f\n"
		     "ud2\n"
		     "26: pushfl\n"
		     "27: andl $~0x100, (%%esp)\n"
		     "28: popfl\n"
		     "29: nop\n"
		     "movl $21b, 0(%0)\n"
		     "movl $22b, 4(%0)\n"
		     "movl $23b, 8(%0)\n"
		     "movl $24b, 12(%0)\n"
		     "movl $25b, 16(%0)\n"
		     "movl $26b, 20(%0)\n"
		     "movl $27b, 24(%0)\n"
		     "movl $28b, 28(%0)\n"
		     : : "r"(where) : "ecx", "memory", "cc");
	/* After POPF set TF the next instruction is stepped; POPF that clears it traps too. */
	CHECK_EQ(n, 9);
	for (i = 0; i < 8; i++)
		CHECK_EQ(eips[i], where[i]);
	CHECK_EQ(flags_seen & FL_TF, 0);
	if (!ring) {
		asm volatile("movl %%dr6, %0" : "=r"(dr6));
		CHECK_EQ(dr6 & 0x4000, 0x4000);
		asm volatile("movl %0, %%dr6" : : "r"(0));
		CHECK_EQ(read_flags() & FL_TF, 0);
	}
	return ring;
}

/* REP string instructions trap after each element. */
static u32 strings(u32 ring)
{
	static u8 buf[16];
	u32 count, at;

	n = 0;
	asm volatile("pushfl; orl $0x100, (%%esp); popfl\n"
		     "rep stosb\n"
		     "pushfl; andl $~0x100, (%%esp); popfl\n"
		     : "=c"(count), "=D"(at) : "0"(5), "1"(buf), "a"(1) : "memory", "cc");
	CHECK_EQ(n, 5 + 3);
	CHECK_EQ(count, 0);
	CHECK_EQ(at, buf + 5);
	return ring;
}

/* INT clears TF for the handler; IRET brings it back. */
static u32 over_int(u32 ring)
{
	n = 0;
	asm volatile("pushfl; orl $0x100, (%%esp); popfl\n"
		     "int $0x80\n"
		     "nop\n"
		     "pushfl; andl $~0x100, (%%esp); popfl\n"
		     : : : "memory", "cc", "eax");
	CHECK_EQ(n, 1 + 3);
	return ring;
}

static void syscall_hook(struct frame *f)
{
	CHECK_EQ(read_flags() & FL_TF, 0);
	CHECK_EQ(f->eflags & FL_TF, FL_TF);
}

void guest_main(void)
{
	trap_hook[DB] = step;
	trap_hook[0x80] = syscall_hook;
	plain(0);
	user_call(plain, 3);
	strings(0);
	user_call(strings, 3);
	over_int(0);
	user_call(over_int, 3);
}
