// SPDX-License-Identifier: GPL-2.0
/* Where there is neither RAM nor a device, memory reads as ones and keeps nothing;
 * ports likewise; string I/O.
 */
#include "guest.h"

#define HOLE	0x30000000u	/* 16 MiB of RAM end far below */

static u32 use(u32 at)
{
	u32 val, i, c, D, ones = on_tcg() ? 0 : 0xffffffff;	/* QEMU: zeroes */

	CHECK_EQ(peek(at), ones);
	CHECK_EQ(*(volatile u16 *)(at + 6), ones & 0xffff);
	CHECK_EQ(*(volatile u8 *)(at + 9), ones & 0xff);
	poke(at, 0x12345678);
	CHECK_EQ(peek(at), ones);
	for (i = 0; i < 100; i++)
		poke(at + i * 4, i);
	CHECK_EQ(peek(at + 40), ones);
	asm volatile("xorl %0, %0; addl (%1), %0" : "=&r"(val) : "r"(at) : "memory", "cc");
	CHECK_EQ(val, ones);
	asm volatile("movzbl 3(%1), %0" : "=r"(val) : "r"(at));
	CHECK_EQ(val, ones & 0xff);
	asm volatile("cmpl $-1, (%1); sete %b0" : "=q"(val) : "r"(at) : "cc");
	CHECK_EQ(val & 0xff, !!ones);
	asm volatile("pushl (%1); popl %0" : "=r"(val) : "r"(at) : "memory");
	CHECK_EQ(val, ones);
	asm volatile("incl (%0); orl $1, 4(%0); xchgl %%eax, 8(%0)" : : "r"(at) : "eax", "memory", "cc");
	{
		static u32 buf[16];

		memset(buf, 0, sizeof(buf));
		asm volatile("rep movsl" : "=c"(c), "=D"(D) : "0"(16), "1"(buf), "S"(at) : "memory");
		for (i = 0; i < 16; i++)
			CHECK_EQ(buf[i], ones);
	}
	return 0;
}

void guest_main(void)
{
	static u8 buf[16];
	struct space s;
	u32 i, val, c, D;

	use(HOLE);
	s = space_new(false);
	paging_on(&s);
	pte_set(&s, 0x40000000, HOLE | PTE_ALL);
	use(0x40000000);
	user_call(use, 0x40000000);
	/* RAM first, then not, then RAM. */
	pte_set(&s, 0x40001000, page_alloc() | PTE_ALL);
	for (i = 0; i < 20; i++) {
		poke(0x40001000, i);
		CHECK_EQ(peek(0x40001000), i);
		/* Straddling from the hole into RAM. */
		CHECK_EQ(peek(0x40000ffe), i << 16 | (on_tcg() ? 0 : 0xffff));
	}
	paging_off();

	/* Ports without a device. */
	CHECK_EQ(inb(0x5678), 0xff);
	asm volatile("inl %w1, %0" : "=a"(val) : "d"(0x5678));
	CHECK_EQ(val, 0xffffffff);
	asm volatile("xorl %%eax, %%eax; inw %w1, %%ax" : "=a"(val) : "d"(0x5678));
	CHECK_EQ(val, 0xffff);
	asm volatile("rep insb" : "=c"(c), "=D"(D) : "0"(16), "1"(buf), "d"(0x5678) : "memory");
	CHECK_EQ(c, 0);
	CHECK_EQ(D, buf + 16);
	for (i = 0; i < 16; i++)
		CHECK_EQ(buf[i], 0xff);
	/* OUTS to the UART's scratch register. */
	memcpy(buf, "\x11\x22\x33\x44", 4);
	asm volatile("rep outsb" : "=c"(c), "=S"(D) : "0"(4), "1"(buf), "d"(0x3ff) : "memory");
	CHECK_EQ(c, 0);
	CHECK_EQ(D, buf + 4);
	CHECK_EQ(inb(0x3ff), 0x44);
	for (i = 0; i < 256; i++) {
		outb(0x3ff, i);
		CHECK_EQ(inb(0x3ff), i);
	}
}
