/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run one 32-bit instruction on the real CPU, in user mode.
 *
 * The process far-jumps into its 32-bit compatibility segment with TF set; the
 * single-step trap, or the fault, comes back as a signal with the state.
 */
#ifndef VMON_UNIT_EMU_NATIVE_H
#define VMON_UNIT_EMU_NATIVE_H

#include <linux/types.h>

#define NATIVE_CODE	0x10000000u	/* one page, the next is not mapped */
#define NATIVE_DATA	0x10010000u	/* unmapped on both sides */
#define NATIVE_DATA_SIZE 0x2000u
#define NATIVE_CS	0x23u
#define NATIVE_SS	0x2bu
/* Above this, the process has things of its own (sanitizer shadow). */
#define NATIVE_SAFE_TOP	0x7fff0000u

/*
 * The second mode: a 16-bit code segment on the code page, and DS, ES, SS on
 * the data pages with a limit that ends with them.
 */
#define NATIVE_CS16	0x07u
#define NATIVE_SS16	0x0fu

struct native_regs {
	u32 gpr[8];
	u32 eip;
	u32 eflags;
	u16 cs, ss;	/* ss: DS and ES too */
	/* results */
	u32 vector;
	u32 error;
	u32 cr2;
};

/* Map the pages. Return: false where compatibility mode does not work. */
bool native_init(void);

/* Make the segments of the second mode. Return: false if there is no LDT. */
bool native_init16(void);

/* Execute at @r->eip; @r is updated. */
void native_step(struct native_regs *r);

#endif /* VMON_UNIT_EMU_NATIVE_H */
