// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the nanobenchmarks, one line each: "bench NAME OPS TICKS".
 *
 * Under vmon, each runs once more between the lines "stat begin" and "stat end": the
 * host answers either with a byte when it has read the VM's counters.
 */
#include "bench.h"

#define ROUNDS	5
#define UART	0x3f8

extern void received(void);

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

static void measure_all(const struct bench *b)
{
	for (; b->run; b++)
		measure(b);
}

void guest_main(void)
{
	/* What the question itself costs; the second counts, when all is translated. */
	static const struct bench empty = { "empty", 1, nothing };

	space = space_new(false);
	paging_on(&space);
	write_cr0(read_cr0() | CR0_WP);
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
