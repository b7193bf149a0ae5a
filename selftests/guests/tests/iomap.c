// SPDX-License-Identifier: GPL-2.0
/* Ports at ring 3: the I/O permission bitmap, IOPL, and where the bitmap ends. */
#include "guest.h"

static void allow(u32 port, bool yes)
{
	if (yes)
		tss.map[port / 8] &= ~(1 << port % 8);
	else
		tss.map[port / 8] |= 1 << port % 8;
}

static u32 user(u32 allowed)
{
	u32 n = 1;

	TRY("outb %%al, $0x80", : : "a"(0) : "memory");
	if (allowed)
		CHECK_NO_FAULT();
	else
		CHECK_FAULT(GP, 0);
	TRY("inb $0x21, %%al", : : : "memory", "eax");
	if (allowed)
		CHECK_NO_FAULT();
	else
		CHECK_FAULT(GP, 0);
	TRY("inb %%dx, %%al", : "=a"(n) : "d"(0x70) : "memory");
	CHECK_FAULT(GP, 0);
	/* A word needs both bits. */
	TRY("inw %%dx, %%ax", : "=a"(n) : "d"(0x80) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("inl %%dx, %%eax", : "=a"(n) : "d"(0x7e) : "memory");
	CHECK_FAULT(GP, 0);
	return 0;
}

static u32 all(u32 arg)
{
	TRY("inb %%dx, %%al", : : "d"(0x70) : "memory", "eax");
	CHECK_NO_FAULT();
	TRY("inw %%dx, %%ax", : : "d"(0x80) : "memory", "eax");
	CHECK_NO_FAULT();
	return arg;
}

static u32 high(u32 fault)
{
	TRY("inb %%dx, %%al", : : "d"(0xffff) : "memory", "eax");
	if (fault)
		CHECK_FAULT(GP, 0);
	else
		CHECK_NO_FAULT();
	return fault;
}

static u32 no_map(u32 arg)
{
	TRY("inb %%dx, %%al", : : "d"(0) : "memory", "eax");
	CHECK_FAULT(GP, 0);
	return arg;
}

static void tss_limit(u32 limit)
{
	gdt[TSS_SEL / 8] = segment((u32)&tss, limit, SEG_P | SEG_TSS);
	asm volatile("ltr %w0" : : "r"(TSS_SEL) : "memory");
}

void guest_main(void)
{
	user_call(user, 0);
	allow(0x80, true);
	allow(0x21, true);
	user_call(user, 1);
	allow(0x80, false);
	allow(0x21, false);
	user_call(user, 0);
	user_eflags = FL_IF | FL_FIXED | 3 << 12;
	user_call(all, 0);
	user_eflags = FL_IF | FL_FIXED;
	/* The byte behind the last port's is looked at, and must lie within the limit. */
	memset(tss.map, 0, sizeof(tss.map));
	tss.map[8192] = 0xff;
	user_call(all, 0);
	user_call(high, 0);
	tss_limit(__builtin_offsetof(struct tss, map) + 8191);
	user_call(high, 1);
	user_call(all, 0);
	tss_limit(__builtin_offsetof(struct tss, map) + 0x12);
	user_call(high, 1);
	tss_limit(103);		/* no bitmap */
	TRY_PLAIN("nop");
	user_call(no_map, 0);
	tss.iomap = 0xffff;
	tss_limit(sizeof(tss) - 1);
	user_call(no_map, 0);
	/* Ring 0 needs none of it. */
	TRY("inb %%dx, %%al", : : "d"(0x70) : "memory", "eax");
	CHECK_NO_FAULT();
}
