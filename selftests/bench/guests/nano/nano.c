// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the nanobenchmarks, one line each: "bench NAME OPS TICKS". With "loop=NAME" on the
 * command line, that one alone and for ever, for a profiler to look at.
 *
 * Under vmon, each runs once more between the lines "stat begin" and "stat end": the
 * host answers either with a byte when it has read the VM's counters.
 */
#include "bench.h"

#define ROUNDS	5
#define UART	0x3f8
#define INFO_CMDLINE	4	/* Multiboot information, flags */

extern void received(void);
extern u32 boot_info;		/* physical address, from the boot loader */

volatile u32 answers;
struct space space;

/* Asleep, so that nothing but the answer's own interrupt is counted. */
static void wait_for_host(const char *what, const struct bench *b)
{
	u32 before = answers;

	print("stat %s %s %u\n", what, b->name, b->ops);
	cli();
	while (answers == before)
		asm volatile("sti; hlt; cli" : : : "memory");
}

static u32 nothing(u32 ops)
{
	return ops;
}

static void measure(const struct bench *b)
{
	u32 i, ticks, best = ~0u;

	b->run(b->ops);
	for (i = 0; i < ROUNDS; i++) {
		ticks = b->run(b->ops);
		if (ticks < best)
			best = ticks;
	}
	if (b->run != nothing && best != ~0u)
		print("bench %s %u %u\n", b->name, b->ops, best);
	if (!on_vmon())
		return;
	wait_for_host("begin", b);
	b->run(b->ops);
	wait_for_host("end", b);
}

/* The name behind loop=, up to the end of the command line; NULL without. */
static const char *looped(void)
{
	const char *s;

	if (!boot_info || !(*(u32 *)boot_info & INFO_CMDLINE))
		return NULL;
	for (s = *(const char **)(boot_info + 16); *s; s++)
		if (!memcmp(s, "loop=", 5))
			return s + 5;
	return NULL;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static void measure_all(const struct bench *b)
{
	for (; b->run; b++)
		measure(b);
}

static void loop_one(const struct bench *b, const char *name)
{
	while (b->run && !same(b->name, name))
		b++;
	if (!b->run)
		return;
	print("looping\n");
	for (;;)
		b->run(b->ops);
}

void guest_main(void)
{
	/* What the question itself costs; the second counts, when all is translated. */
	static const struct bench empty = { "empty", 1, nothing };
	const char *name = looped();

	space = space_new(false);
	paging_on(&space);
	write_cr0(read_cr0() | CR0_WP);
	if (name) {
		loop_one(kernel_benches, name);
		loop_one(memory_benches, name);
		loop_one(event_benches, name);
		print("no benchmark %s\n", name);
		return;
	}
	set_gate(IRQ_BASE + 4, received, GATE_INT, 0);
	if (on_vmon()) {
		outb(UART + 4, 0x0b);	/* DTR, RTS, interrupts out */
		outb(UART + 1, 1);
		pic_mask(0xffff & ~0x10);
	}
	measure(&empty);
	measure(&empty);
	measure_all(kernel_benches);
	measure_all(memory_benches);
	measure_all(event_benches);
	CHECK(true);
}
