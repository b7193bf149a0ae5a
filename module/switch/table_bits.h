/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bits of page-table entries, SDM vol. 3, tables 4-5 to 4-20. The low ones are the
 * same in 32-bit, PAE and 64-bit entries, so they serve guest and shadow tables.
 */
#ifndef VMON_SWITCH_TABLE_BITS_H
#define VMON_SWITCH_TABLE_BITS_H

#include <linux/bits.h>

#define VMON_PTE_P	0x001ull
#define VMON_PTE_W	0x002ull
#define VMON_PTE_U	0x004ull
#define VMON_PTE_PWT	0x008ull
#define VMON_PTE_PCD	0x010ull
#define VMON_PTE_A	0x020ull
#define VMON_PTE_D	0x040ull
#define VMON_PTE_PS	0x080ull	/* in a directory entry: large page */
#define VMON_PTE_PAT	0x080ull	/* in a table entry; reserved in guests */
#define VMON_PTE_G	0x100ull
#define VMON_PTE_NX	BIT_ULL(63)
#define VMON_PTE_ADDR	0x000ffffffffff000ull

#endif /* VMON_SWITCH_TABLE_BITS_H */
