// SPDX-License-Identifier: GPL-2.0
/*
 * Two processes compute with SSE and x87 registers at once, with different data, and
 * compare each round with the known answer: a context switch that loses or
 * mixes the registers shows. Exits with 4 (skip) on a CPU without SSE.
 */
#include <cpuid.h>
#include <stdint.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define ROUNDS 400
#define STEPS 1000

/*
 * Sums of small integers are exact in single precision: after n steps of
 * x += d the register holds x + n * d to the last bit.
 */
static __attribute__((noinline, target("sse")))
void packed(float start, float step)
{
	float x[4] __attribute__((aligned(16))) = { start, start + 1, start + 2, start + 3 };
	float d[4] __attribute__((aligned(16))) = { step, step, step, step };
	uint32_t n = STEPS;
	int i;

	asm volatile("movaps %0, %%xmm3\n\t"
		     "movaps %2, %%xmm6\n\t"
		     "1: addps %%xmm6, %%xmm3\n\t"
		     "decl %1\n\t"
		     "jnz 1b\n\t"
		     "movaps %%xmm3, %0"
		     : "+m"(x), "+r"(n) : "m"(d) : "xmm3", "xmm6");
	for (i = 0; i < 4; i++)
		check(x[i] == start + i + STEPS * step);
}

static void stack(double start, double step)
{
	double x = start;
	uint32_t n = STEPS;

	asm volatile("fldl %2\n\t"
		     "fldl %0\n\t"
		     "1: fadd %%st(1), %%st\n\t"
		     "decl %1\n\t"
		     "jnz 1b\n\t"
		     "fstpl %0\n\t"
		     "fstp %%st(0)"
		     : "+m"(x), "+r"(n) : "m"(step) : "st", "st(1)");
	check(x == start + STEPS * step);
}

/* Rounding mode and exception masks live in MXCSR and belong to the process. */
static void control(uint32_t mxcsr)
{
	uint32_t now;

	asm volatile("stmxcsr %0" : "=m"(now));
	check((now & ~0x3fu) == mxcsr);
}

static void run(int who)
{
	uint32_t mxcsr = who ? 0x1f80 : 0x7f80;
	int i;

	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
	for (i = 0; i < ROUNDS; i++) {
		packed(who * 1000 + i, who + 1);
		stack(who * 5000 + i, who + 2);
		control(mxcsr);
		if (!(i & 15))
			sched_yield();
	}
}

int main(void)
{
	unsigned int a, b, c, d;
	int status;
	pid_t child;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(d & bit_SSE))
		return 4;
	child = fork();
	check(child >= 0);
	run(!child);
	if (!child)
		_exit(0);
	check(waitpid(child, &status, 0) == child);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}
