// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptor tables: flat segments for rings 0 and 3, a TSS, an IDT of interrupt
 * gates. Tests change gdt[] and idt[] as they like.
 */
#include "guest.h"

u64 gdt[GDT_ENTRIES] __attribute__((aligned(8)));
u64 idt[256] __attribute__((aligned(8)));
struct tss tss __attribute__((aligned(4096)));
u32 boot_magic, boot_info;

extern u8 trap_stubs[], user_return[];

/**
 * segment() - a code, data or system descriptor
 * @base: linear address
 * @limit: 20 bits, in bytes or, with SEG_G, pages
 * @attr: SEG_ bits
 */
u64 segment(u32 base, u32 limit, u32 attr)
{
	u32 low = base << 16 | (limit & 0xffff);
	u32 high = (base & 0xff000000) | (attr & 0xf000) << 8 | (limit & 0xf0000) |
		   (attr & 0xff) << 8 | (base >> 16 & 0xff);

	return (u64)high << 32 | low;
}

/**
 * gate() - an interrupt, trap, call or task gate
 * @attr: SEG_P, SEG_DPL() and the GATE_ type; for a call gate the number of
 *	parameters in bits 8..12
 */
u64 gate(u16 sel, u32 offset, u32 attr)
{
	u32 low = (u32)sel << 16 | (offset & 0xffff);
	u32 high = (offset & 0xffff0000) | (attr & 0xff) << 8 | (attr >> 8 & 0x1f);

	return (u64)high << 32 | low;
}

void set_gate(u32 vector, void (*handler)(void), u32 type, u32 dpl)
{
	idt[vector] = gate(KERNEL_CS, (u32)handler, SEG_P | SEG_DPL(dpl) | type);
}

void stub_gate(u32 vector, u32 type, u32 dpl)
{
	set_gate(vector, (void (*)(void))(trap_stubs + vector * STUB_SIZE), type, dpl);
}

void tables_setup(void)
{
	struct dtr gdtr = { sizeof(gdt) - 1, (u32)gdt };
	struct dtr idtr = { sizeof(idt) - 1, (u32)idt };
	u32 i;

	gdt[KERNEL_CS / 8] = segment(0, 0xfffff, SEG_G | SEG_B32 | SEG_P | SEG_CODE);
	gdt[KERNEL_DS / 8] = segment(0, 0xfffff, SEG_G | SEG_B32 | SEG_P | SEG_DATA);
	gdt[USER_CS / 8] = segment(0, 0xfffff, SEG_G | SEG_B32 | SEG_P | SEG_DPL(3) | SEG_CODE);
	gdt[USER_DS / 8] = segment(0, 0xfffff, SEG_G | SEG_B32 | SEG_P | SEG_DPL(3) | SEG_DATA);
	gdt[TSS_SEL / 8] = segment((u32)&tss, sizeof(tss) - 1, SEG_P | SEG_TSS);
	tss.ss0 = KERNEL_DS;
	tss.iomap = __builtin_offsetof(struct tss, map);
	memset(tss.map, 0xff, sizeof(tss.map));
	for (i = 0; i < 256; i++)
		stub_gate(i, GATE_INT, i == BP || i == OF || i == 0x80 ? 3 : 0);
	set_gate(USER_EXIT_VECTOR, (void (*)(void))user_return, GATE_INT, 3);

	asm volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
	asm volatile("ljmp %0, $1f\n"
		     "1: movl %1, %%ds; movl %1, %%es; movl %1, %%fs; movl %1, %%gs\n"
		     "movl %1, %%ss; lldt %w2; ltr %w3"
		     : : "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0), "r"(TSS_SEL) : "memory");
}
