// SPDX-License-Identifier: GPL-2.0
/*
 * Signal handlers repair what the program did wrong, and it goes on: writes to a
 * read-only page, reads of an inaccessible one, a division by zero, an undefined
 * instruction, a breakpoint. The address and the reason must be exact.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

#define PAGE 4096

static unsigned char *page;
static volatile int faults, expected_code, skip;
static void *volatile expected_address;
static volatile int wrong;

static void on_segv(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	faults++;
	if (info->si_addr != expected_address || info->si_code != expected_code)
		wrong = 1;
	if (mprotect(page, PAGE, PROT_READ | PROT_WRITE))
		_exit(2);
}

static void on_skip(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal;
	(void)info;
	faults++;
	uc->uc_mcontext.gregs[REG_EIP] += skip;
}

static void install(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	action.sa_sigaction = handler;
	check(!sigaction(number, &action, NULL));
}

static void page_faults(void)
{
	int i;

	install(SIGSEGV, on_segv);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(page != MAP_FAILED);
	expected_code = SEGV_ACCERR;
	for (i = 0; i < 200; i++) {
		volatile unsigned char *byte = page + (i * 37) % PAGE;
		int before = faults;

		expected_address = (void *)byte;
		check(!mprotect(page, PAGE, i & 1 ? PROT_READ : PROT_NONE));
		*byte = i;
		check(faults == before + 1);
		check(*byte == (unsigned char)i);
		check(faults == before + 1);
		check(!wrong);
	}
}

static void traps(void)
{
	int before = faults;
	uint32_t quotient = 7, rest = 0;

	install(SIGFPE, on_skip);
	skip = 2;
	asm volatile("divl %2" : "+a"(quotient), "+d"(rest) : "r"(0));
	check(faults == before + 1 && quotient == 7);

	install(SIGILL, on_skip);
	skip = 2;
	asm volatile("ud2");
	check(faults == before + 2);

	install(SIGTRAP, on_skip);
	skip = 0;
	asm volatile("int3");
	check(faults == before + 3);

	/* Privileged at ring 3: a general protection fault, seen as SIGSEGV. */
	install(SIGSEGV, on_skip);
	skip = 1;
	asm volatile("hlt");
	asm volatile("cli");
	check(faults == before + 5);
}

int main(void)
{
	page_faults();
	traps();
	return 0;
}
