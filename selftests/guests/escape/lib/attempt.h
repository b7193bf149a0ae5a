/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attempts to break out: the framework.
 *
 * An attempt enters a few instructions with chosen registers at ring 0 or ring 3, and ends at
 * its first trap, whatever that is: INT DONE behind the code, or the exception that the
 * architecture says. It is expected exactly: vector, error code, CR2, EIP, registers and
 * memory. A program makes its attempts like this, in loops as it likes:
 *
 *	if (begin(3, "movl to %x, not mapped", TOP)) {
 *		at.in.edi = TOP;
 *		run(CODE("movl %%eax, (%%edi)"));
 *		expect_pf(PF_U | PF_W, TOP);
 *		end();
 *	}
 *
 * begin() makes everything new: page tables, descriptor tables, control registers, data
 * pages with a pattern. end() prints the TAP line: name, outcome, and a digest of all that
 * the guest can see afterwards. So the output on a bare CPU is what it has to be under vmon.
 *
 *	TOP, BELOW, ZERO	pages at the end, the one before, and at address 0;
 *				frames top_frame, below_frame, zero_frame
 *	data_page		a page for operands, anybody's
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "guest.h"

#define TOP	0xfffff000u
#define BELOW	0xffffe000u
#define ZERO	0u
#define DONE	0x82u		/* the vector by which an attempt ends well */
#define AT_DF_SEL 0x38		/* task of the double fault */

struct regs {
	u32 eax, ecx, edx, ebx, esp, ss, ebp, esi, edi;
	u32 eip, eflags, cs, ds, es, fs, gs;
};

/**
 * struct attempt - the attempt being made
 * @in:		registers to enter with; begin() fills in what is usual
 * @out:	registers as the trap found them
 * @vector, @error, @cr2: of the trap; CR2 is 0 but after #PF and #DF
 * @ring:	that begin() was given
 * @code:	where the code is
 * @flags:	EFLAGS that are defined afterwards: all, unless the program says less
 * @undigested:	leave registers and memory out of the digest: the architecture does not
 *		define them
 * @quick:	of very many exits: only what is cheap is compared at each
 * @by_model:	what happens is left to the CPU's model, and that of vmon's guests is another
 *		than that of the bare CPU. The line says "by model" and no more, so is the same
 *		in both places; what has to be in each is expected as ever, with on_vmon()
 */
struct attempt {
	struct regs in, out;
	u32 vector, error, cr2;
	u32 ring;
	u32 code;
	u32 flags;
	bool undigested;
	bool by_model;
	bool quick;
};

extern struct attempt at;
extern struct space space;
extern u32 top_frame, below_frame, zero_frame, data_page;
extern u8 attempt_stack[PAGE];	/* where at.in.esp points to the end of */

/* Where gates of a program's own may lead: vector on the stack, below it an error code. */
void caught_common(void);

/* What the frames hold at first: a different value in each word. */
#define PATTERN(frame, off) ((frame) ^ (off) * 0x01010101u ^ 0x5a000000u)

/* --- the program --- */

void attempts_begin(bool pae);	/* first of all; paging is on afterwards */
__attribute__((noreturn))
void attempts_end(void);

/* --- an attempt --- */

/**
 * begin() - the next attempt
 * @ring:	0 or 3
 *
 * Return: false if it is not wanted: leave it out, end() included.
 */
bool begin(u32 ring, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* PTE bits of the named page, 0 for not mapped; by begin(): TOP 0, the others PTE_ALL. */
void top_is(u32 bits);
void below_is(u32 bits);
void zero_is(u32 bits);

/* How the last page can be mapped. */
#define N_MAPPINGS 4
struct mapping {
	const char *name;
	u32 bits;
};

extern const struct mapping mappings[N_MAPPINGS];
#define ABSENT	(&mappings[0])
#define MAPPED	(&mappings[1])

/* The error code of a page fault where a page is mapped with @bits, or -1. */
int access_fault(u32 ring, u32 bits, bool write);

/* Code out of line; ends by itself. Registers are written with %%. */
#define CODE(insns)							\
({									\
	u32 code_;							\
									\
	asm volatile("movl $881f, %0\n\t"				\
		     ".pushsection .text.attempts\n"			\
		     "881:	" insns "\n\t"				\
		     "int $0x82\n\t"					\
		     ".popsection" : "=r"(code_));			\
	code_;								\
})

/* Code put together at run time: code_new(), emit...(), run(code_end()). */
void code_new(void);
void emit(u8 byte);
void emit_bytes(const void *bytes, u32 n);
void emit32(u32 val);
u32 code_end(void);

void run(u32 code);

/*
 * For many tries in one attempt: the outcome so far goes into the digest, and at.in is again
 * what begin() left there. Tables, memory and control registers stay as they are.
 */
void again(void);

/* --- what has to be --- */

void expect(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define expect_eq(have, want)						\
({									\
	u32 have_ = (u32)(have), want_ = (u32)(want);			\
									\
	expect(have_ == want_, "%s is %x, not %x", #have, have_, want_); \
})
void expect_done(void);			/* all instructions were executed */
void expect_fault(u32 vector, u32 error); /* at the first instruction */
void expect_fault_at(u32 vector, u32 error, u32 eip);
void expect_pf(u32 error, u32 cr2);	/* likewise, a page fault */
void expect_same(u32 frame);		/* the frame holds its pattern, unchanged */
void end(void);

#endif
