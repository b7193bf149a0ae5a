// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that writes to each page of its memory once, by large pages, and sleeps for ever:
 * what is left of the host's memory then tells what a VM takes beside the guest's own.
 */
#include "guest.h"

#define LARGE		(4u << 20)
#define FIRST		LARGE

extern u32 boot_info;
extern u8 image_end[];

static u32 directory[1024] __attribute__((aligned(4096)));

void guest_main(void)
{
	/* Multiboot information: KiB above 1 MiB. */
	u32 top = (1u << 20) + peek(boot_info + 8) * 1024, i;

	/* Not all: the monitor needs a hole. */
	for (i = 0; i < (top + LARGE - 1) / LARGE; i++)
		directory[i] = i * LARGE | PTE_ALL | PTE_PS;
	write_cr4(read_cr4() | CR4_PSE);
	write_cr3((u32)directory);
	write_cr0(read_cr0() | CR0_PG);
	for (i = FIRST; i < top; i += PAGE)
		poke(i, i);
	print("filled %u MiB\n", top >> 20);
	sti();
	for (;;)
		asm volatile("hlt");
}
