// SPDX-License-Identifier: GPL-2.0
/*
 * ptrace: memory and registers of a child, single steps, hardware breakpoints on
 * instructions and data, also where the kernel is what touches the data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include "checks.h"

#define DR(n)	offsetof(struct user, u_debugreg[n])

static volatile uint32_t watched[4] __attribute__((aligned(16)));
static volatile uint32_t given = 0x1234;

/* Labels in the assembly below. */
void step_begin(void);
void step_end(void);
void bp_here(void);
void bp_next(void);
void data_read(void);
void data_write(void);
void data_word(void);

/* What the child does between its stops; each part ends with INT3. */
asm(".text\n"
	"child_steps:\n"
	"	pushl %ebx\n"
	"	pushl %edi\n"
	"	int3\n"
	"step_begin:\n"
	"	movl $3, %ecx\n"
	"1:	decl %ecx\n"
	"	jnz 1b\n"
	"	movl $20, %eax\n"
	"	int $0x80\n"
	"	pushfl\n"
	"	popl %edx\n"
	"	pushl %ss\n"
	"	popl %ss\n"
	"	nop\n"
	"	movl $4, %ecx\n"
	"	movl $watched, %edi\n"
	"	xorl %eax, %eax\n"
	"	rep stosb\n"
	"	cpuid\n"
	"	fninit\n"
	"	fld1\n"
	"	fstp %st\n"
	"step_end:\n"
	"	int3\n"
	"	movl $5, %ecx\n"
	"bp_here: nop\n"
	"bp_next: decl %ecx\n"
	"	jnz bp_here\n"
	"	int3\n"
	"	movl watched, %eax\n"
	"data_read:\n"
	"	movl %eax, watched\n"
	"data_write:\n"
	"	movb %al, watched + 2\n"
	"data_word:\n"
	"	movl watched + 4, %eax\n"
	"	movl %eax, watched + 4\n"
	"	int3\n"
	"	popl %edi\n"
	"	popl %ebx\n"
	"	ret\n");
void child_steps(void);

static void child(void)
{
	int fds[2];
	unsigned int i;

	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	child_steps();
	/* The kernel writes what is watched. */
	if (pipe(fds) || write(fds[1], "abcdefgh", 8) != 8)
		_exit(1);
	asm volatile("int3");
	i = read(fds[0], (void *)watched, 8);
	asm volatile("int3");
	_exit(i + watched[0] % 64);
}

static pid_t pid;

/* Go on; the signal that it stopped with, 0 if it ended. */
static int go(int request)
{
	int status;

	ptrace(request, pid, 0, 0);
	waitpid(pid, &status, 0);
	return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

static struct user_regs_struct regs(void)
{
	struct user_regs_struct r;

	memset(&r, 0, sizeof(r));
	ptrace(PTRACE_GETREGS, pid, 0, &r);
	return r;
}

static long dr(unsigned int n)
{
	return ptrace(PTRACE_PEEKUSER, pid, DR(n), 0);
}

static void set_dr(unsigned int n, unsigned long val)
{
	if (ptrace(PTRACE_POKEUSER, pid, DR(n), val))
		expect(false, "DR%u cannot be set to %lx: %d", n, val, errno);
}

static void where(const char *what)
{
	struct user_regs_struct r = regs();
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
	shows("%s: eip %+ld signal %d code %d flags %lx DR6 %lx", what,
	      r.eip - (long)&step_begin, info.si_signo, info.si_code, r.eflags & 0x10d00,
	      dr(6) & 0xe00f);
}

static void memory(void)
{
	struct user_regs_struct r;
	struct user_fpxregs_struct fpx;
	long text;

	expect(ptrace(PTRACE_PEEKDATA, pid, &given, 0) == 0x1234, "PEEKDATA");
	ptrace(PTRACE_POKEDATA, pid, &given, 0x4321);
	expect(ptrace(PTRACE_PEEKDATA, pid, &given, 0) == 0x4321 && given == 0x1234,
	       "POKEDATA: the child's alone");
	text = ptrace(PTRACE_PEEKTEXT, pid, bp_here, 0);
	ptrace(PTRACE_POKETEXT, pid, bp_here, (text & ~0xff) | 0xcc);
	expect((ptrace(PTRACE_PEEKTEXT, pid, bp_here, 0) & 0xff) == 0xcc &&
	       *(unsigned char *)bp_here == 0x90, "POKETEXT: likewise");
	ptrace(PTRACE_POKETEXT, pid, bp_here, text);
	errno = 0;
	ptrace(PTRACE_PEEKDATA, pid, 16, 0);
	expect(errno == EIO, "PEEKDATA of nothing");
	r = regs();
	shows("segments: cs %lx ss %lx ds %lx fs %lx", r.xcs, r.xss, r.xds, r.xfs);
	expect(!ptrace(PTRACE_GETFPXREGS, pid, 0, &fpx), "GETFPXREGS: cwd %x mxcsr %lx",
	       fpx.cwd, fpx.mxcsr);
	fpx.xmm_space[0] = 0x5a5a;
	ptrace(PTRACE_SETFPXREGS, pid, 0, &fpx);
	memset(&fpx, 0, sizeof(fpx));
	ptrace(PTRACE_GETFPXREGS, pid, 0, &fpx);
	expect(fpx.xmm_space[0] == 0x5a5a, "SETFPXREGS");
}

static void steps(void)
{
	unsigned int n = 0;
	unsigned long last = 0;

	go(PTRACE_CONT);	/* to the first INT3 */
	do {
		if (go(PTRACE_SINGLESTEP) != SIGTRAP)
			break;
		last = regs().eip;
		shows("step %u: eip %+ld flags %lx edx %lx DR6 %lx", n,
		      last - (long)&step_begin, regs().eflags & 0x10d00,
		      regs().edx & 0x100, dr(6) & 0xe00f);
	} while (++n < 100 && last != (unsigned long)&step_end);
	expect(last == (unsigned long)&step_end, "%u steps to the end", n);
	expect(go(PTRACE_CONT) == SIGTRAP, "the INT3 behind them");
}

static void code_breakpoint(void)
{
	unsigned int i;

	set_dr(0, (unsigned long)&bp_here);
	set_dr(7, 0x1);
	for (i = 0; i < 5; i++) {
		go(PTRACE_CONT);
		where("instruction");
		expect(regs().eip == (long)&bp_here && regs().ecx == 5 - (long)i,
		       "breakpoint on an instruction, %u", i);
	}
	set_dr(7, 0);
	expect(go(PTRACE_CONT) == SIGTRAP, "and on to the INT3");
}

static void data_breakpoint(void)
{
	set_dr(0, 0);
	set_dr(1, (unsigned long)&watched[0]);
	set_dr(2, (unsigned long)&watched[0] + 2);
	set_dr(3, (unsigned long)&watched[1]);
	/* 1: 4 bytes, accesses; 2: one byte, writes; 3: 4 bytes, writes */
	set_dr(7, 0x54 | 0xfu << 20 | 0x1u << 24 | 0xdu << 28);
	go(PTRACE_CONT);
	where("read");
	expect(regs().eip == (long)&data_read, "a read hits");
	set_dr(6, 0);
	go(PTRACE_CONT);
	where("write");
	expect(regs().eip == (long)&data_write, "a write hits both");
	set_dr(6, 0);
	go(PTRACE_CONT);
	where("byte");
	expect(regs().eip == (long)&data_word, "a write of a byte, too");
	set_dr(6, 0);
	go(PTRACE_CONT);
	where("other word");
	set_dr(6, 0);
	expect(go(PTRACE_CONT) == SIGTRAP, "the INT3 behind them");
	where("INT3");
	go(PTRACE_CONT);	/* the one before read() */
	go(PTRACE_CONT);
	where("the kernel writes");
	set_dr(7, 0);
}

int main(void)
{
	int status, i;

	pid = fork();
	if (!pid)
		child();
	waitpid(pid, &status, 0);
	expect(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "the child waits");
	memory();
	steps();
	code_breakpoint();
	data_breakpoint();
	for (i = 0; i < 5; i++) {
		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (WIFEXITED(status))
			break;
	}
	shows("the child: status %x after %d more", status, i);
	expect(WIFEXITED(status), "it ends");
	kill(pid, SIGKILL);
	return finish();
}
