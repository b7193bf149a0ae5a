/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fidelity programs share: a check is a line, as in Linux's own x86 selftests.
 *
 * The lines are compared between a guest in QEMU and one under vmon, so they say what
 * was seen (codes, counts, offsets) and nothing that changes from run to run.
 */
#ifndef VMON_FIDELITY_CHECKS_H
#define VMON_FIDELITY_CHECKS_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096u

static int failures;

__attribute__((format(printf, 2, 3)))
static void expect(bool ok, const char *format, ...)
{
	va_list args;

	printf("[%s]\t", ok ? "OK" : "FAIL");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	failures += !ok;
}

/* What is only compared: both places must say the same, whatever it is. */
__attribute__((format(printf, 1, 2), unused))
static void shows(const char *format, ...)
{
	va_list args;

	fputs("[INFO]\t", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* --- faults: what try_to() did raises a signal, and is left by siglongjmp --- */

static sigjmp_buf fault_env;
static volatile sig_atomic_t fault_armed, fault_signal, fault_code, fault_trap, fault_error;
static volatile uintptr_t fault_addr, fault_eip;

__attribute__((unused))
static void on_fault(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	if (!fault_armed) {
		expect(false, "a signal %d that nobody expected, eip %x", signal,
		       (unsigned int)uc->uc_mcontext.gregs[REG_EIP]);
		_exit(1);
	}
	fault_armed = 0;
	fault_signal = signal;
	fault_code = info->si_code;
	fault_addr = (uintptr_t)info->si_addr;
	fault_trap = uc->uc_mcontext.gregs[REG_TRAPNO];
	fault_error = uc->uc_mcontext.gregs[REG_ERR];
	fault_eip = uc->uc_mcontext.gregs[REG_EIP];
	siglongjmp(fault_env, 1);
}

__attribute__((unused))
static void catch_faults(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	static char stack[65536];
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	unsigned int i;

	action.sa_sigaction = on_fault;
	sigaltstack(&alt, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

/* The signal that the statement raised, 0 for none. */
#define try_to(statement)						\
	({								\
		fault_signal = 0;					\
		if (!sigsetjmp(fault_env, 1)) {				\
			fault_armed = 1;				\
			statement;					\
		}							\
		fault_armed = 0;					\
		(int)fault_signal;					\
	})

__attribute__((unused))
static int finish(void)
{
	printf("%s\n", failures ? "[FAIL]\tnot all is well" : "[OK]\tall is well");
	return failures ? 1 : 0;
}

#endif
