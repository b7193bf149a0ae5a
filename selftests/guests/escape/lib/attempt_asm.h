/* SPDX-License-Identifier: GPL-2.0 */
/* Offsets in struct regs, for enter.S; attempt.c asserts them. */
#ifndef ATTEMPT_ASM_H
#define ATTEMPT_ASM_H

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
#define R_EFLAGS 40
#define R_CS	44
#define R_DS	48
#define R_ES	52
#define R_FS	56
#define R_GS	60

#endif
