/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instruction stream: random code as a guest's kernel and user code.
 *
 * A program is a number: it and the seed say ring, registers, page mappings and up to 48
 * bytes of code. It ends at its first trap. Of what it leaves behind (registers, memory,
 * page-table entries) there is a digest, and the same program has to leave the same behind
 * on a bare CPU and under vmon.
 *
 * What a program finds in its page tables is a few pages of its own, and what the trap needs:
 * code that cannot be written, descriptor tables, one page of data. So most programs cannot
 * hurt the next one.
 */
#ifndef STREAM_H
#define STREAM_H

#include "guest.h"
#include "stream_asm.h"

#define TOP	0xfffff000u
#define BELOW	0xffffe000u
#define ZERO	0u
#define CODE	0x00800000u	/* two pages */
#define STACK	0x00810000u
#define DATA	0x00820000u	/* two pages */
#define CACHE	0xfb000000u	/* where vmon has its translation cache; nothing here */
#define CACHE_SIZE 0x00800000u

#define DONE	0x82u		/* the vector by which a program ends well */
#define TICK	TICK_VECTOR	/* the timer's */
#define DF_SEL	0x38		/* task of the double fault */
#define FIRST	8u		/* of the descriptors that are for programs */
#define LAST	25u
#define LDT_SEL	(LAST * 8)
#define LDT_ENTRIES 8u

#define CODE_MAX 48u

/* Pages that programs own; the last is the GDT's frame, mapped where it lies. */
enum place {
	P_TOP, P_BELOW, P_ZERO, P_CODE, P_CODE2, P_STACK, P_DATA, P_DATA2,
	P_PLACES,
	P_GDT = P_PLACES,
	P_FRAMES,
};

struct regs {
	u32 eax, ecx, edx, ebx, esp, ss, ebp, esi, edi;
	u32 eip, cs, eflags, ds, es, fs, gs, cr0;
};

/* One page, which programs could write to: what entry and trap need. */
struct state {
	struct regs in, out;
	u32 way;
	u32 vector, error, cr2;
	u32 root, own_root;	/* CR3 */
	u32 inside;		/* a program is running */
	u8 df_stack[1536] __attribute__((aligned(16)));
	u8 trap_stack[] __attribute__((aligned(16)));
};

extern union page {
	struct state s;
	u8 bytes[PAGE];
} state;

/**
 * struct program - a program
 * @number:	which
 * @ring:	0 or 3
 * @pae:	with PAE paging
 * @in:		registers
 * @way:	WAY_
 * @place, @off: where its code is, @len bytes of it
 * @pte:	page-table entries without the frame, 0 for not mapped
 * @tables:	it could change LDTR or TR
 * @system:	it could see or change CR2, debug registers
 * @danger:	it could end the machine
 */
struct program {
	u32 seed, number, ring;
	bool pae;
	struct regs in;
	u32 way;
	enum place place;
	u32 off, len;
	u8 code[CODE_MAX + 16];
	u64 pte[P_PLACES];
	bool tables, system, danger;
};

/* --- generate.c, code.c --- */

void generate(struct program *p, u32 seed, u32 number);
u32 rnd(void);
u32 below(u32 n);		/* 0 to n - 1 */
bool one_in(u32 n);
u32 value(void);		/* for a register, an operand, an address */
void make_code(struct program *p);
void end_page(struct program *p);

extern const u32 place_va[P_PLACES];

/* --- world.c --- */

void world_init(void);
void world_format(bool pae);
void world_prepare(const struct program *p);
void world_run(const struct program *p);
u32 world_collect(const struct program *p);	/* digest; all as it was before */
void world_show(const struct program *p);

#endif
