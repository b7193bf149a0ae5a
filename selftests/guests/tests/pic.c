// SPDX-License-Identifier: GPL-2.0
/* Priorities of the 8259 pair, and the UART as a source besides the timer. */
#include "guest.h"

static volatile u32 order[16], n, nested;

static void irq0(struct frame *f)
{
	(void)f;
	if (n < ARRAY_SIZE(order))
		order[n++] = 0;
	pic_eoi(0);
}

static void irq4(struct frame *f)
{
	(void)f;
	if (n < ARRAY_SIZE(order))
		order[n++] = 4;
	(void)inb(0x3fa);	/* IIR: the transmitter's request goes */
	outb(0x3f9, 0);
	if (nested) {
		sti();
		asm volatile("nop; nop; nop");
		cli();
	}
	if (n < ARRAY_SIZE(order))
		order[n++] = 5;
	pic_eoi(4);
}

static u8 irr(void)
{
	outb(0x20, 0x0a);
	return inb(0x20);
}

static bool wait_irr(u32 mask)
{
	u64 end = rdtsc() + 20000000000ull;

	while ((irr() & mask) != mask)
		if (rdtsc() > end)
			return false;
	return true;
}

void guest_main(void)
{
	u32 i;

	trap_hook[IRQ_BASE] = irq0;
	trap_hook[IRQ_BASE + 4] = irq4;
	outb(0x3fc, 0x0b);	/* OUT2 lets interrupts through */
	for (nested = 0; nested < 2; nested++) {
		for (i = 0; i < 10; i++) {
			n = 0;
			/* Both requested: the timer comes first. */
			pit_oneshot(50);
			outb(0x3f9, 2);
			pic_mask(0xffee);
			CHECK(wait_irr(0x11));
			sti();
			asm volatile("nop; nop; nop; nop");
			cli();
			pic_mask(0xffff);
			CHECK_EQ(n, 3);
			CHECK_EQ(order[0], 0);
			CHECK_EQ(order[1], 4);
			CHECK_EQ(order[2], 5);
		}
	}
	/* While IRQ 4 is in service the timer may interrupt, not the other way round. */
	for (i = 0; i < 10; i++) {
		n = 0;
		outb(0x3f9, 2);
		pic_mask(0xffef);
		CHECK(wait_irr(0x10));
		pit_oneshot(50);
		CHECK(wait_irr(0x11));
		pic_mask(0xffee);
		nested = 1;
		/* The timer is first again; then rotate: IRQ 0 becomes the lowest. */
		outb(0x20, 0xc0);
		sti();
		asm volatile("nop; nop; nop; nop");
		cli();
		CHECK_EQ(n, 3);
		CHECK_EQ(order[0], 4);
		pic_mask(0xffff);
		outb(0x20, 0xc7);	/* the default priorities */
	}
	/* Masks and ISR read back. */
	CHECK_EQ(inb(0x21), 0xff);
	outb(0x20, 0x0b);
	CHECK_EQ(inb(0x20), 0);
	/* Counting: latch twice, the second is lower. */
	pit_periodic(60000);
	u16 a = pit_count(), b = pit_count();

	CHECK(a <= 60000 && b <= 60000);
	for (i = 0; i < 100; i++)
		CHECK(pit_count() <= 60000);
}
