/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sweeps: one instruction for each of a range of numbers (ports, MSRs), in a loop of the
 * attempt's own. #GP(0) at the instruction is noted for the number, and the loop goes on;
 * any other trap ends the attempt. So an attempt tries thousands.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "attempt.h"

/**
 * struct sweep - what is tried
 * @first, @last, @step: the numbers; no more than 65536 of them
 * @reg:	that takes the number: 1 for ECX, 2 for EDX
 * @n, @insn:	the instruction
 *
 * EAX, ESI and EDI are new for each; EDX too where it is not @reg, from at.in.edx.
 */
struct sweep {
	u32 first, last, step;
	u8 reg, n, insn[6];
};

/* Within an attempt: make it, expecting that it comes to its end. */
void run_sweep(const struct sweep *s);

/* Was the number refused? */
bool sweep_refused(u32 number);

/* Each number has to be refused where @want says so, and nowhere else. */
void expect_refused(bool (*want)(u32 number));

#endif
