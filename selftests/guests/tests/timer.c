// SPDX-License-Identifier: GPL-2.0
/* The 8259 and the 8254: delivery, masking, end of interrupt, priorities; HLT wakes;
 * STI and MOV SS hold interrupts off for one instruction.
 */
#include "guest.h"

static volatile u32 ticks, last_eip, last_cs;
static volatile bool no_eoi;

static void tick(struct frame *f)
{
	ticks++;
	if (!last_eip)
		last_eip = f->eip;
	last_cs = f->cs;
	if (!no_eoi)
		pic_eoi(0);
}

static bool wait_ticks(u32 n)
{
	u64 end = rdtsc() + 20000000000ull;

	while (ticks < n)
		if (rdtsc() > end)
			return false;
	return true;
}

static u8 pic_irr(void)
{
	outb(0x20, 0x0a);
	return inb(0x20);
}

static u8 pic_isr(void)
{
	outb(0x20, 0x0b);
	return inb(0x20);
}

static bool wait_irr(u32 irq)
{
	u64 end = rdtsc() + 20000000000ull;

	while (!(pic_irr() & 1 << irq))
		if (rdtsc() > end)
			return false;
	return true;
}

static u32 user_wait(u32 n)
{
	CHECK(wait_ticks(n));
	return 0;
}

void guest_main(void)
{
	u32 i, before, val;

	trap_hook[IRQ_BASE] = tick;
	pit_periodic(1193);	/* 1 ms */
	sti();
	for (i = 0; i < 20000; i++)
		asm volatile("nop");
	CHECK_EQ(ticks, 0);	/* masked */
	pic_mask(0xfffe);
	CHECK(wait_ticks(10));
	CHECK_EQ(last_cs, KERNEL_CS);
	cli();
	before = ticks;
	CHECK(wait_irr(0));
	for (i = 0; i < 20000; i++)
		asm volatile("nop");
	CHECK_EQ(ticks, before);
	sti();
	asm volatile("nop; nop");
	CHECK(ticks > before);

	/* HLT wakes up, behind itself. */
	for (i = 0; i < 20; i++) {
		cli();
		before = ticks;
		asm volatile("sti; hlt; 1: movl $1b, %0" : "=r"(val) : : "memory");
		cli();
		CHECK(ticks > before);
	}
	sti();
	/* At ring 3. */
	before = ticks;
	user_call(user_wait, before + 10);
	CHECK_EQ(last_cs == USER_CS || last_cs == KERNEL_CS, true);

	/* Without end of interrupt there is no second one. */
	cli();
	no_eoi = true;
	before = ticks;
	sti();
	CHECK(wait_ticks(before + 1));
	for (i = 0; i < 50000; i++)
		asm volatile("nop");
	CHECK_EQ(ticks, before + 1);
	CHECK_EQ(pic_isr() & 1, 1);
	no_eoi = false;
	pic_eoi(0);
	CHECK(wait_ticks(before + 3));
	cli();
	CHECK_EQ(pic_isr() & 1, 0);

	/* STI's shadow: one instruction, then the interrupt. */
	for (i = 0; i < 50; i++) {
		CHECK(wait_irr(0));
		last_eip = 0;
		asm volatile("sti; nop; 1: nop; nop; cli; movl $1b, %0" : "=r"(val) : : "memory");
		CHECK_EQ(last_eip, val);
		/* STI; CLI lets none in. */
		CHECK(wait_irr(0));
		before = ticks;
		asm volatile("sti; cli; nop; nop" : : : "memory");
		CHECK_EQ(ticks, before);
		/* POPF has no shadow. */
		last_eip = 0;
		asm volatile("pushl $0x202; popfl; 1: nop; nop; cli; movl $1b, %0"
			     : "=r"(val) : : "memory", "cc");
		CHECK_EQ(last_eip, val);
		/* With IF already set STI has no shadow, but MOV SS has. */
		CHECK(wait_irr(0));
		last_eip = 0;
		asm volatile("movl %%ss, %%eax; sti; movl %%eax, %%ss; nop; 1: nop; nop; cli; movl $1b, %0"
			     : "=r"(val) : : "memory", "eax");
		CHECK(last_eip == val || last_eip == val - 1);
	}
	/* The race that kernels rely on: no wakeup is lost between STI and HLT. */
	sti();
	pit_periodic(400);
	for (i = 0; i < 1000; i++)
		asm volatile("cli; sti; hlt" : : : "memory");
	cli();
	pic_mask(0xffff);

	/* The line stays requested while masked, and comes when it is not. */
	pit_oneshot(100);
	CHECK(wait_irr(0));
	before = ticks;
	sti();
	asm volatile("nop; nop");
	CHECK_EQ(ticks, before);
	pic_mask(0xfffe);
	asm volatile("nop; nop; nop; nop");
	CHECK_EQ(ticks, before + 1);
	for (i = 0; i < 50000; i++)
		asm volatile("nop");
	CHECK_EQ(ticks, before + 1);	/* one shot */
	cli();
	/* The masks read back. */
	pic_mask(0xa5fe);
	CHECK_EQ(inb(0x21), 0xfe);
	CHECK_EQ(inb(0xa1), 0xa5);
	pic_mask(0xffff);
}
