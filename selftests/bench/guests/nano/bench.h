/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel-level nanobenchmarks: each does one thing many times, between two readings of
 * the time-stamp counter.
 *
 * In Bochs the counter goes up by one an instruction, so the result is exact; the least
 * of several rounds is one that no timer interrupted.
 */
#ifndef BENCH_H
#define BENCH_H

#include "guest.h"

/**
 * struct bench - one of them
 * @name:	as the report has it
 * @ops:	how many operations run() does
 * @run:	returns ticks; may be called again and again
 */
struct bench {
	const char *name;
	u32 ops;
	u32 (*run)(u32 ops);
};

extern const struct bench kernel_benches[], memory_benches[], event_benches[];

extern struct space space;		/* paging is on, all is identical */

static inline u32 stamp(void)
{
	u32 low;

	asm volatile("rdtsc" : "=a"(low) : : "edx", "memory");
	return low;
}

/* The body a hundred times, and that often. Ticks. */
#define HUNDREDS(ops, body, ...)					\
({									\
	u32 left_ = (ops) / 100, begin_ = stamp();			\
									\
	asm volatile("1:	.rept 100\n\t"				\
		     body "\n\t"					\
		     ".endr\n\t"					\
		     "decl	%0\n\t"					\
		     "jnz	1b" : "+&r"(left_) : __VA_ARGS__);	\
	stamp() - begin_;						\
})

#endif
