/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptor tables of hostile contents: every kind of descriptor once, at rings 0 and 3
 * where it matters, all with base 0; in the GDT, in an LDT, in a GDT as large as one can be.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "attempt.h"

#define FIRST	8u		/* of the hostile slots; below are the framework's */
#define LDT_SEL	(63u * 8)	/* the table of the LDT */
#define ABOVE	8176u		/* from here on vmon has its own in the CPU's table */
#define SEG_L	0x2000u
#define SEG_S	0x10u
#define SEG_A	0x01u
#define FLAT	(SEG_G | SEG_B32)

struct kind {
	bool present, is_code, is_data, conforming, readable, writable;
	u32 type, dpl;
};

extern u64 ldt[GDT_ENTRIES];

struct kind kind_of(u64 desc);

/* May code of the attempt's ring see it by @sel? */
bool visible(struct kind k, u32 sel);

/* Where @sel's descriptor is, or NULL. */
u64 *lookup(u32 sel);

void fill_gdt(void);
void use_ldt(void);
void use_big(void);	/* its last entries are data segments, of rings 0 and 3 by turns */

#endif
