// SPDX-License-Identifier: GPL-2.0
/* Hardware breakpoints on data, met by kernel and by user code: each access traps once,
 * behind its instruction, with its bit in DR6; others do not trap.
 */
#include "guest.h"

#define WRITES	1u
#define BOTH	3u
#define LEN4	3u
#define DR7(i, kind, len) (2u << 2 * (i) | (kind) << (16 + 4 * (i)) | (len) << (18 + 4 * (i)))

volatile u32 cell[8] __attribute__((aligned(32)));
static volatile u32 hits, last_eip, last_dr6;

static u32 read_dr6(void)
{
	u32 val;

	asm volatile("mov %%dr6, %0" : "=r"(val));
	return val;
}

static void watch(volatile void *at, u32 kind)
{
	asm volatile("mov %0, %%dr0" : : "r"(at));
	asm volatile("mov %0, %%dr7" : : "r"(DR7(0, kind, LEN4)));
	hits = 0;
}

static void unwatch(void)
{
	asm volatile("mov %0, %%dr7" : : "r"(0));
}

static void on_debug(struct frame *f)
{
	hits++;
	last_eip = f->eip;
	last_dr6 = read_dr6();
	asm volatile("mov %0, %%dr6" : : "r"(0));
}

/* One instruction, and how often it traps behind itself. */
#define EXPECT(n, insn)							\
do {									\
	u32 before = hits;						\
									\
	asm volatile("movl $1f, insn_end\n\t" insn "\n1:"		\
		     : : : "eax", "ecx", "edi", "memory", "cc");	\
	CHECK_EQ(hits - before, n);					\
	if ((n) && hits - before == (n)) {				\
		CHECK_EQ(last_eip, insn_end);				\
		CHECK_EQ(last_dr6 & 0xf, 1);				\
	}								\
} while (0)

u32 insn_end;

static u32 accesses(u32 kind)
{
	u32 reads = kind == BOTH;
	u32 round;

	/* Again and again: what is translated is linked by and by. */
	for (round = 0; round < 5; round++) {
		EXPECT(1, "movl $1, cell");
		EXPECT(1, "addl $1, cell");
		EXPECT(1, "movb $1, cell+3");
		EXPECT(1, "movl $1, cell-2");
		EXPECT(0, "movl $1, cell+4");
		EXPECT(reads, "movl cell, %%eax");
		EXPECT(1, "xchgl %%eax, cell");
	}
	return kind;
}

/* A jump through memory: a sequence in translated code, which the trap comes in the middle of. */
static void indirect(void)
{
	u32 round;

	hits = 0;
	for (round = 0; round < 5; round++) {
		unwatch();
		asm volatile("movl $2f, cell; movl $2f, insn_end\n"
			     "	movl %0, %%eax; movl %%eax, %%dr7\n"
			     "	jmp *cell\n"
			     "	ud2\n"
			     "2:" : : "i"(DR7(0, BOTH, LEN4)) : "eax", "memory");
		CHECK_EQ(hits, round + 1);
		CHECK_EQ(last_eip, insn_end);
	}
	unwatch();
}

/* A repeated store traps behind each iteration that touches the cell. */
static void strings(void)
{
	u32 di, cx;

	watch(&cell[2], WRITES);
	asm volatile("rep stosl" : "=D"(di), "=c"(cx) : "0"(cell), "1"(8), "a"(7) : "memory");
	CHECK_EQ(hits, 1);
	CHECK_EQ(cx, 0);
	CHECK_EQ(di, cell + 8);
	CHECK_EQ(cell[7], 7);
	unwatch();
}

void guest_main(void)
{
	trap_hook[DB] = on_debug;
	watch(cell, WRITES);
	CHECK_EQ(accesses(WRITES), WRITES);
	CHECK_EQ(user_call(accesses, WRITES), WRITES);
	unwatch();
	if (!on_tcg()) {
		watch(cell, BOTH);
		accesses(BOTH);
		user_call(accesses, BOTH);
		unwatch();
		indirect();
	}
	strings();
	hits = 0;
	cell[0] = 1;
	CHECK_EQ(hits, 0);
}
