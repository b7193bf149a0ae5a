/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One instruction of each kind that the translator or the emulator treats in a way of its
 * own, with what prepares it: for attempts that put something between the two (a step, a
 * breakpoint). Registers are those of form_registers().
 */
#ifndef FORMS_H
#define FORMS_H

#include "attempt.h"

enum form_end {
	ENDS,		/* goes on at the form's end */
	REPEATS,	/* one iteration of several: at itself */
	SHADOWS,	/* goes on at the end, with debug exceptions put off by one instruction */
	TRAPS,		/* @vector, at the end */
	FAULTS,		/* @vector, at itself */
};

#define PRIVILEGED	1u	/* #GP(0) at ring 3 */
#define DATA		2u	/* accesses the word at data_page */
#define PUSHES		4u	/* the word below the stack */
#define POPS		8u	/* the word at the stack pointer */
#define RING_0		16u	/* at ring 3 it is not the guest's alone, see README.md */
#define SETS_TF		32u
#define UNDEFINED	64u	/* leaves registers that the model decides about */

struct form {
	const char *name;
	u8 end;		/* enum form_end */
	u8 flags;
	u8 pushed;	/* words on the stack by what prepares it */
	u8 vector;
	u16 error;
};

extern const struct form forms[];
extern const u32 n_forms;

/* Not to be tried at this ring: what it shows is not the guest's own. */
bool form_left_out(u32 i, u32 ring);

/**
 * form_code() - the code of a form, into a slot
 * @i:		number
 * @between:	of @n bytes, put between preparation and instruction
 * @insn:	where the instruction is
 * @end:	where it ends: INT DONE is there, behind a NOP
 *
 * Sets the registers in at.in, too.
 */
u32 form_code(u32 i, const void *between, u32 n, u32 *insn, u32 *end);

/* By itself, does it end in a fault? Then *@vector and *@error are set. */
bool form_faults(u32 i, u32 *vector, u32 *error);

/* The stack pointer before the instruction. */
u32 form_esp(u32 i);

/* Take out of the state what may differ. */
void form_settle(u32 i);

#endif
