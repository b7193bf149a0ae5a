/* SPDX-License-Identifier: GPL-2.0 */
/* Selectors and vectors that C and assembly share. SYSENTER wants this order. */
#ifndef GUEST_SELECTORS_H
#define GUEST_SELECTORS_H

#define KERNEL_CS	0x08
#define KERNEL_DS	0x10
#define USER_CS		0x1b
#define USER_DS		0x23
#define TSS_SEL		0x28
#define FREE_SEL	0x40	/* from here on the tests' own */
#define GDT_ENTRIES	64

#define STUB_SIZE	16
#define USER_EXIT_VECTOR 0x81

#endif
