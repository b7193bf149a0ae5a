// SPDX-License-Identifier: GPL-2.0
/* The direction flag, and ID beside it, belong to who set them: string instructions that run
 * down are interrupted, faulted and emulated in the middle, coroutines with flags of their own
 * switch by PUSHF and POPF, and a fast timer's handler has yet other flags.
 */
#include "guest.h"

#define FAR	0x40000000u
#define SIZE	3000u

static struct space s;
static u8 buf[4 * PAGE] __attribute__((aligned(4096)));
static volatile u32 ticks, faults, nested, bad;
static u32 pool[32];

static void wrong(const char *what, u32 have, u32 want)
{
	if (!bad++)
		print("%s: %x, not %x\n", what, have, want);
}

/* Flags, strings in both directions, POPF: what handlers do. */
static void stir(void)
{
	static u32 area[64];
	u32 c, d, flags;

	flags = read_flags();
	if (flags & FL_DF)
		wrong("DF in a handler", flags, 0);
	asm volatile("cld; rep stosl" : "=c"(c), "=D"(d) : "0"(64), "1"(area), "a"(ticks) : "memory");
	if (d != (u32)(area + 64))
		wrong("stos in a handler", d, (u32)(area + 64));
	asm volatile("pushfl; xorl %1, (%%esp); popfl; std; movl %2, %%edi; movl $20, %%ecx;"
		     "rep stosb; cld"
		     : "=D"(d) : "i"(FL_ID | FL_CF | FL_SF), "i"(area + 60), "a"(0)
		     : "ecx", "memory", "cc");
	if (d != (u32)(area + 60) - 20)
		wrong("std stos in a handler", d, (u32)(area + 60) - 20);
}

static volatile bool preempt;
static void reschedule(void);

static void tick(struct frame *f)
{
	ticks++;
	pic_eoi(0);
	stir();
	if (preempt && !(f->cs & 3))
		reschedule();
}

static void int80(struct frame *f)
{
	nested++;
	sti();
	stir();
	cli();
	f->eax = f->eflags;
}

/* Not present: map. Read-only: writable. */
static void fault(struct frame *f)
{
	u32 at = read_cr2() & ~0xfffu;

	if (at < FAR || at >= FAR + sizeof(pool) / 4 * PAGE) {
		print("page fault at %x: %x, flags %x\n", read_cr2(), f->eip, f->eflags);
		finish(STATUS_TRAP);
	}
	faults++;
	stir();
	pte_set(&s, at, pool[(at - FAR) / PAGE] | PTE_ALL);
	invlpg(at);
}

/* An overlapping move upwards of @len bytes at @at by way of DF, and what is left behind. */
static void down(u32 at, u32 len, u32 by, u32 unit, u32 id)
{
	u32 c, S, D, flags, n = len / unit;

	if (unit == 4)
		asm volatile("pushfl; andl %6, (%%esp); orl %5, (%%esp); popfl;"
			     "std; rep movsl; pushfl; popl %3; cld"
			     : "=&c"(c), "=&S"(S), "=&D"(D), "=&r"(flags)
			     : "0"(n), "r"(id), "i"(~FL_ID), "1"(at + len - 4),
			       "2"(at + by + len - 4)
			     : "memory", "cc");
	else
		asm volatile("pushfl; andl %6, (%%esp); orl %5, (%%esp); popfl;"
			     "std; rep movsb; pushfl; popl %3; cld"
			     : "=&c"(c), "=&S"(S), "=&D"(D), "=&r"(flags)
			     : "0"(n), "r"(id), "i"(~FL_ID), "1"(at + len - 1),
			       "2"(at + by + len - 1)
			     : "memory", "cc");
	if (c)
		wrong("ecx", c, 0);
	if (S != at + len - unit * (n + 1))
		wrong("esi", S, at + len - unit * (n + 1));
	if (D != at + by + len - unit * (n + 1))
		wrong("edi", D, at + by + len - unit * (n + 1));
	if ((flags & (FL_DF | FL_ID)) != (FL_DF | id))
		wrong("flags behind std; rep", flags, FL_DF | id);
	flags = read_flags();
	if ((flags & (FL_DF | FL_ID)) != id)
		wrong("flags behind cld", flags, id);
	asm volatile("rep stosb" : "=c"(c), "=D"(D) : "0"(3), "1"(at + by - 8), "a"(0xee) : "memory");
	if (D != at + by - 5)
		wrong("stosb up", D, at + by - 5);
}

/* @at: 16 KiB */
static void moves(u32 at, u32 rounds)
{
	u32 i, k, len, by, unit;
	u8 *p = (u8 *)at;

	for (i = 0; i < rounds && !bad; i++) {
		unit = i & 1 ? 4 : 1;
		len = i * 37 % SIZE + unit;
		len -= len % unit;
		by = 16 + i % 5 * 300;
		asm volatile("cld" : : : "memory");
		for (k = 0; k < len; k += 61)
			p[k] = k * 3 + i;
		down(at, len, by, unit, i & 2 ? FL_ID : 0);
		for (k = 0; k < len; k += 61)
			if (p[by + k] != (u8)(k * 3 + i)) {
				wrong("memory", p[by + k], (u8)(k * 3 + i));
				print("len %u by %u at %u\n", len, by, k);
				break;
			}
	}
}

static u32 at_ring(u32 arg)
{
	u32 flags;

	moves((u32)buf, arg);
	asm volatile("std; int $0x80; pushfl; popl %%ecx; cld"
		     : "=a"(flags), "=c"(arg) : : "memory", "cc");
	if (!(flags & FL_DF) || !(arg & FL_DF))
		wrong("int 0x80 with DF", flags, arg);
	return 0;
}

/* Missing, read-only, and traced pages, at ring 0 or 3. */
static u32 far_moves(u32 rounds)
{
	moves(FAR + 0x100, rounds);
	return 0;
}

/* --- coroutines --- */

struct task {
	u32 esp;
	u32 rounds;
	u8 stack[8192];
};

static struct task task[3] __attribute__((aligned(4096)));
static u32 main_esp;

/* As kernels do: the flags are part of what is switched. */
void switch_stack(u32 *from, u32 to);
asm(".pushsection .text\n"
	"switch_stack:\n"
	"	movl	4(%esp), %eax\n"
	"	movl	8(%esp), %edx\n"
	"	pushl	%ebp; pushl %ebx; pushl %edi; pushl %esi; pushfl\n"
	"	movl	%esp, (%eax)\n"
	"	movl	%edx, %esp\n"
	"	jmp	1f\n"
	"	nop\n"
	"1:	popfl; popl %esi; popl %edi; popl %ebx; popl %ebp\n"
	"	ret\n"
	".popsection");

static const u32 task_flags[3] = {
	FL_IF | FL_FIXED, FL_IF | FL_FIXED | FL_ID, FL_FIXED | FL_ID | FL_AC
};

static u32 self;

/* To the next task, and back some day. Interrupts are off. */
static void reschedule(void)
{
	u32 me = self;

	self = me == 2 ? 0 : me + 1;
	switch_stack(&task[me].esp, task[self].esp);
	self = me;
}

static void body(void)
{
	u32 me = self, flags;

	for (;;) {
		write_flags(task_flags[me]);
		if (me == 1)
			memset(buf, ticks, 700);
		flags = read_flags();
		if ((flags ^ task_flags[me]) & (FL_DF | FL_ID | FL_AC | FL_IF))
			wrong("flags of a task", flags, task_flags[me]);
		cli();
		if (++task[me].rounds % 2048 == 0 && me == 0) {
			preempt = false;
			switch_stack(&task[0].esp, main_esp);
		} else {
			reschedule();
		}
		flags = read_flags();
		if ((flags ^ task_flags[me]) & (FL_DF | FL_ID | FL_AC))
			wrong("flags behind a switch", flags, task_flags[me]);
	}
}

static void tasks(u32 rounds)
{
	u32 i, *p;

	for (i = 0; i < 3; i++) {
		p = (u32 *)(task[i].stack + sizeof(task[i].stack) - 16);
		*--p = (u32)body;
		p -= 5;
		p[0] = FL_FIXED;
		task[i].esp = (u32)p;
	}
	for (i = 0; i < rounds && !bad; i++) {
		cli();
		self = 0;
		preempt = true;
		switch_stack(&main_esp, task[0].esp);
		sti();
	}
}

/* Pages of FAR: as @how says, before each round of moves. */
static void prepare_far(u32 how)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		u64 entry = 0;

		if (how == 1)
			entry = pool[i] | PTE_P | PTE_U;	/* read-only */
		if (how == 2)
			entry = pool[i] | PTE_ALL;		/* hidden */
		pte_set(&s, FAR + i * PAGE, entry);
		invlpg(FAR + i * PAGE);
	}
}

static void traced(void)
{
	u32 i, va = 0x50000000u, table, flags, c, D;

	/* A page table that is in use, filled downwards. */
	pte_set(&s, va, pool[9] | PTE_ALL);
	poke(va, 1);
	table = pte_addr(&s, va) & ~0xfffu;
	for (i = 0; i < 10 && !bad; i++) {
		asm volatile("std; rep stosl; pushfl; popl %2; cld" : "=c"(c), "=D"(D), "=&r"(flags)
			     : "0"(600), "1"(table + PAGE - 4), "a"(0) : "memory");
		if (!(flags & FL_DF) || D != table + PAGE - 4 - 2400 || read_flags() & FL_DF)
			wrong("traced stos", D, flags);
		if (peek(va) != 1)
			wrong("mapping", peek(va), 1);
	}
	/* A page with code that has run: this one's neighbours. */
	buf[0] = 0xfc;
	buf[1] = 0xc3;
	for (i = 0; i < 200 && !bad; i++) {
		buf[0] = i & 1 ? 0xfc : 0x90;
		asm volatile("call *%3; std; rep movsl; pushfl; popl %1; cld"
			     : "=c"(c), "=&r"(flags), "=D"(D)
			     : "r"(buf), "0"(i), "2"(buf + 3000), "S"(buf + 2900) : "memory", "cc");
		if (!(flags & FL_DF) || D != (u32)buf + 3000 - 4 * i || read_flags() & FL_DF)
			wrong("stos to a page of code", D, flags);
	}
}

void guest_main(void)
{
	u32 i, before;

	for (i = 0; i < ARRAY_SIZE(pool); i++)
		pool[i] = page_alloc();
	trap_hook[IRQ_BASE] = tick;
	trap_hook[0x80] = int80;
	trap_hook[PF] = fault;
	s = space_new(false);
	paging_on(&s);
	pit_periodic(300);	/* 250 us */
	pic_mask(0xfffe);
	sti();
	for (i = 0; i < 4 && !bad; i++) {
		before = ticks;
		at_ring(150);
		tasks(4);
		while (ticks < before + 5)
			stir();
		traced();
		cli();
		user_call(at_ring, 150);
		sti();
	}
	for (i = 0; i < 24 && !bad; i++) {
		prepare_far(i % 3);
		if (i & 4) {
			cli();
			user_call(far_moves, 10);
			sti();
		} else {
			far_moves(10);
		}
	}
	cli();
	pic_mask(0xffff);
	CHECK_EQ(bad, 0);
	CHECK(faults > 10);
	CHECK_EQ(nested, 8);
	CHECK_EQ(task[2].rounds > 1000, 1);
	paging_off();
	print("%u ticks, %u faults\n", ticks, faults);
}
