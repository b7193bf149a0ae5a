/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attempts on page tables that both formats share: pages.c has them with entries of 4 bytes,
 * pae.c with entries of 8.
 */
#ifndef PAGES_H
#define PAGES_H

#include "attempt.h"

#define WINDOW	0xfb000000u	/* where the translation cache is at first, see cache.c */
#define LARGE	0x00800000u	/* 4 MiB of the guest's memory that nobody uses */
#define LARGE2	0x00c00000u	/* as many */
#define NOWHERE	0x10000000u	/* beyond the end of it */
#define FREE_VA	0xc0000000u	/* nobody maps anything there */

u32 large_size(void);

/* The directory entry of @va; and what it was, before anything is looked at through it. */
void entry_is(u32 va, u64 pde);
u64 entry_was(u32 va);

/*
 * For the 4 MiB at the end, with the monitor page, and for those of the translation cache:
 * large pages, tables that map themselves or the root, reserved bits, no memory behind.
 */
void page_entries(void);

/*
 * Changes of entries that are in use: their rights, their frame, their size; with what makes
 * the CPU forget, and without; tables where no memory is.
 */
void page_changes(void);

#endif
