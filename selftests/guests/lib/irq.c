// SPDX-License-Identifier: GPL-2.0
/*
 * The 8259A pair at vectors IRQ_BASE to IRQ_BASE + 15, everything masked, and channel 0
 * of the 8254.
 */
#include "guest.h"

#define PIC1	0x20
#define PIC2	0xa0
#define PIT0	0x40
#define PIT_CMD	0x43

void pic_setup(void)
{
	outb(PIC1, 0x11);
	outb(PIC2, 0x11);
	outb(PIC1 + 1, IRQ_BASE);
	outb(PIC2 + 1, IRQ_BASE + 8);
	outb(PIC1 + 1, 4);
	outb(PIC2 + 1, 2);
	outb(PIC1 + 1, 1);
	outb(PIC2 + 1, 1);
	pic_mask(0xffff);
}

void pic_mask(u16 mask)
{
	outb(PIC1 + 1, mask & 0xff);
	outb(PIC2 + 1, mask >> 8);
}

void pic_eoi(u32 irq)
{
	if (irq >= 8)
		outb(PIC2, 0x20);
	outb(PIC1, 0x20);
}

static void pit_program(u8 mode, u16 count)
{
	outb(PIT_CMD, 0x30 | mode << 1);
	outb(PIT0, count & 0xff);
	outb(PIT0, count >> 8);
}

void pit_periodic(u16 count)
{
	pit_program(2, count);
}

void pit_oneshot(u16 count)
{
	pit_program(0, count);
}

u16 pit_count(void)
{
	u8 low;

	outb(PIT_CMD, 0);
	low = inb(PIT0);
	return low | inb(PIT0) << 8;
}
