/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running guest code on the real CPU, natively and translated, in a 32-bit
 * process. See bt_run_cpu.c for how.
 */
#ifndef VMON_UNIT_BT_RUN_H
#define VMON_UNIT_BT_RUN_H

#include <linux/types.h>
#include "translator/translate.h"

/* The guest's memory; the pages around each piece are not mapped. */
#define CODE	0x20000000u
#define CODE_LEN 0x4000u
#define DATA	0x21000000u
#define DATA_LEN 0x2000u
#define STACK	0x22000000u
#define STACK_LEN 0x2000u
#define HOLE	0x23000000u	/* nothing here */
#define TC	0x30000000u
#define TC_LEN	0x400000u

#define FLAGS_MASK (VMON_FL_ARITH | VMON_FL_DF)

/**
 * struct state - a guest CPU between instructions, and why it stopped
 * @trap, @error, @cr2: the exception; the end of a program is UD2
 * @lost:	the harness met something that cannot be
 */
struct state {
	u32 gpr[8];
	u32 eip;
	u32 eflags;
	u32 trap, error, cr2;
	const char *lost;
};

/**
 * struct run - how to run
 * @translated:	or natively
 * @step:	single-step; @on_step is called after each step of native code,
 *		and at each boundary in translated code
 * @stress:	one callout in so many forces a callout, drops units ...; 0: none
 */
struct run {
	bool translated;
	bool step;
	unsigned int stress;
	void (*on_step)(const struct state *s);
};

struct counters {
	unsigned long emulate, emulator, chain, lookup, pending, steps, traced;
};

extern struct vmon_bt *bt;
extern struct vmon_mpage *mpage;
extern struct counters counters;
extern u16 guest_sel[VMON_NR_SREGS];

/* Return: false with a reason printed if the machine cannot do it. */
bool cpu_setup(void);
/* A new translator: forgets what was forced to be a callout. */
bool cpu_new_bt(void);
void cpu_run(struct state *s, const struct run *how);
/* Does PUSH of a segment register leave the upper half of its slot alone? */
bool cpu_pushes_half(void);

/* Trace the guest's writes to its code, as the shadow MMU does, or do not. */
void cpu_trace_code(bool on);
void cpu_write_code(u32 gva, const void *buf, unsigned int len);

enum emu_end { EMU_DONE, EMU_FAULT, EMU_NOT };

/* One guest instruction by the emulator. EMU_NOT: it is not for it. */
enum emu_end emu_step(struct state *s);

u32 rnd(void);
u32 rnd_below(u32 n);
void rnd_seed(u32 seed);

enum gen_kind { GEN_PLAIN, GEN_FAULT };

/* A random program at CODE. Return: its length. */
unsigned int gen_program(enum gen_kind kind);

#endif /* VMON_UNIT_BT_RUN_H */
