/* SPDX-License-Identifier: GPL-2.0 */
/* Offsets in struct state, for enter.S; world.c asserts them. */
#ifndef STREAM_ASM_H
#define STREAM_ASM_H

#define R_EAX	0
#define R_ECX	4
#define R_EDX	8
#define R_EBX	12
#define R_ESP	16
#define R_SS	20
#define R_ESP_SS R_ESP		/* as LSS wants them */
#define R_EBP	24
#define R_ESI	28
#define R_EDI	32
#define R_EIP	36
#define R_CS	40
#define R_EIP_CS R_EIP		/* as JMP far wants them */
#define R_EFLAGS 44
#define R_DS	48
#define R_ES	52
#define R_FS	56
#define R_GS	60
#define R_CR0	64
#define S_OUT	68
#define S_WAY	136
#define S_VECTOR 140
#define S_ERROR	144
#define S_CR2	148
#define S_ROOT	152
#define S_OWN_ROOT 156
#define S_INSIDE 160

#define TICK_VECTOR 0x20

/* How a program is entered: S_WAY. */
#define WAY_NEAR 0	/* ring 0, the framework's own CS and SS */
#define WAY_FAR	1	/* ring 0, others */
#define WAY_STEP 2	/* ring 0 by IRET, for TF and NT; on the program's stack */
#define WAY_OUT	3	/* ring 3 */

#define CR0_OWN	0x80010033	/* PG, WP, NE, ET, MP, PE */

#endif
