// SPDX-License-Identifier: GPL-2.0
/* The loader's registers, output by the UART, and a verdict by the exit port. */
#include "guest.h"

extern u32 boot_magic, boot_info;

void guest_main(void)
{
	print("hello from ring %u\n", at_ring3() ? 3 : 0);
	CHECK_EQ(boot_magic, 0x2badb002);
	CHECK(peek(boot_info) & 1);
	CHECK_EQ(peek(boot_info + 4) > 600, true);	/* KiB of low memory */
	CHECK(peek(boot_info + 8) > 14000);		/* KiB above 1 MiB */
	CHECK_EQ(read_cr0() & (CR0_PE | CR0_PG), CR0_PE);
	CHECK_EQ(read_flags() & FL_IF, 0);
}
