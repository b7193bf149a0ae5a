// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptor tables of hostile contents, see hostile.h.
 */
#include "hostile.h"

#define DATA0	(SEG_P | SEG_S | 0x2)	/* writable data, readable code, never accessed */
#define CODE0	(SEG_P | SEG_S | 0xa)

u64 ldt[GDT_ENTRIES] __attribute__((aligned(4096)));
static u64 big[8192] __attribute__((aligned(4096)));

/* What is in slot @i of both tables. */
static u64 hostile(u32 i)
{
	static const u16 others[] = {
		/* 64-bit code, by L alone and with D, and data with that bit */
		CODE0 | SEG_L, CODE0 | 4 | SEG_L | SEG_DPL(3), CODE0 | SEG_L | SEG_DPL(3),
		SEG_P | SEG_S | 8 | SEG_L | SEG_DPL(3), CODE0 | SEG_L | SEG_B32,
		CODE0 | SEG_L | SEG_B32 | SEG_DPL(3), DATA0 | SEG_L | SEG_B32,
		DATA0 | SEG_L | SEG_B32 | SEG_DPL(3),
		/* not present */
		SEG_S | 0x3 | SEG_B32, SEG_S | 0x3 | SEG_B32 | SEG_DPL(3), SEG_S | 0xb | SEG_B32,
		SEG_S | 0xb | SEG_B32 | SEG_DPL(3), 0x2, 0xc | SEG_DPL(3), 0x9, 0,
		/* the rings between */
		DATA0 | SEG_B32 | SEG_DPL(1), DATA0 | SEG_B32 | SEG_DPL(2),
		CODE0 | SEG_B32 | SEG_DPL(1), CODE0 | SEG_B32 | SEG_DPL(2),
		CODE0 | 4 | SEG_B32 | SEG_DPL(1), CODE0 | 4 | SEG_B32 | SEG_DPL(2),
		SEG_P | SEG_S | SEG_B32 | SEG_DPL(1),
	};
	u32 attr;

	if (i < FIRST || i == 63)
		return 0;
	i -= FIRST;
	if (i < 16)
		attr = SEG_P | SEG_DPL(3) | i | SEG_B32;
	else if (i < 32)	/* never accessed */
		attr = SEG_P | SEG_S | (i & 7) << 1 | SEG_B32 | (i & 8 ? SEG_DPL(3) : 0);
	else
		attr = others[i - 32];
	/* A task of these would not fit. */
	if (i == 1 || i == 9)
		return segment(0, 0x20, attr);
	attr |= SEG_G;
	/* Of one that expands down all but the first page. */
	return segment(0, (attr & (SEG_S | 0xc)) == (SEG_S | 4) ? 0 : 0xfffff, attr);
}

struct kind kind_of(u64 desc)
{
	u32 high = desc >> 32;
	struct kind k = { .type = high >> 8 & 15, .dpl = high >> 13 & 3 };

	k.present = high & 0x8000;
	k.is_code = (high & 0x1000) && (k.type & 8);
	k.is_data = (high & 0x1000) && !(k.type & 8);
	k.conforming = k.is_code && (k.type & 4);
	k.readable = k.is_data || (k.is_code && (k.type & 2));
	k.writable = k.is_data && (k.type & 2);
	return k;
}

bool visible(struct kind k, u32 sel)
{
	return k.conforming || (at.ring <= k.dpl && (sel & 3) <= k.dpl);
}

u64 *lookup(u32 sel)
{
	struct dtr gdtr;

	if (sel & 4)
		return sel / 8 < GDT_ENTRIES && ldt[0] ? &ldt[sel / 8] : NULL;
	asm volatile("sgdt %0" : "=m"(gdtr));
	return (sel & ~3u) && (sel | 7) <= gdtr.limit ? (u64 *)gdtr.base + sel / 8 : NULL;
}

void use_ldt(void)
{
	u32 i;

	for (i = 0; i < GDT_ENTRIES; i++)
		ldt[i] = hostile(i);
	ldt[0] = segment(0, 0xfffff, FLAT | SEG_P | SEG_DPL(3) | SEG_DATA);
	gdt[LDT_SEL / 8] = segment((u32)ldt, sizeof(ldt) - 1, SEG_P | SEG_LDT);
	asm volatile("lldt %w0" : : "r"(LDT_SEL));
}

void fill_gdt(void)
{
	u32 i;

	for (i = FIRST; i < GDT_ENTRIES; i++)
		gdt[i] = hostile(i);
}

/* The table as large as one can be, its last entries a segment for anybody. */
void use_big(void)
{
	struct dtr gdtr = { sizeof(big) - 1, (u32)big };
	u32 i;

	memcpy(big, gdt, sizeof(gdt));
	for (i = GDT_ENTRIES; i < ARRAY_SIZE(big); i++)
		big[i] = i < ABOVE ? 0 : segment(0, 0xfffff, FLAT | SEG_P | SEG_S | 2 |
						 SEG_DPL(i & 1 ? 3 : 0));
	asm volatile("lgdt %0" : : "m"(gdtr));
}

