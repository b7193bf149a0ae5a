// SPDX-License-Identifier: GPL-2.0
/*
 * One instruction on the real CPU, see emu_native.h.
 *
 * The handler runs in 64-bit mode on its own stack and returns to the code
 * behind the far jump, with the stack pointer of before. 64-bit code never looks
 * at DS and ES, which stay as 32-bit code needs them.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <linux/kernel.h>

#include "emu_native.h"

struct enter {
	u32 gpr[8];
	u32 target;
	u16 cs;
	u16 entering;
	u64 flags;
	u64 rsp;
	u32 ss;
};

_Static_assert(offsetof(struct enter, target) == 32, "assembly below");
_Static_assert(offsetof(struct enter, flags) == 40, "assembly below");
_Static_assert(offsetof(struct enter, rsp) == 48, "assembly below");
_Static_assert(offsetof(struct enter, ss) == 56, "assembly below");

#define USER_64BIT_CS	0x33

void native_enter(struct enter *e);
extern const u8 native_landing[];

/* TF takes effect after POPF's successor, so the flags come last. */
asm(".text\n"
	".globl native_enter, native_landing\n"
	"native_enter:\n"
	"	pushq %rbx\n	pushq %rbp\n	pushq %r12\n	pushq %r13\n"
	"	pushq %r14\n	pushq %r15\n"
	"	movq %rsp, 48(%rdi)\n"
	"	movq %rdi, %r15\n"
	"	movl 56(%r15), %eax\n"
	"	movl %eax, %ds\n	movl %eax, %es\n	movl %eax, %ss\n"
	"	pushq 40(%r15)\n"
	"	movl (%r15), %eax\n	movl 4(%r15), %ecx\n"
	"	movl 8(%r15), %edx\n	movl 12(%r15), %ebx\n"
	"	movl 20(%r15), %ebp\n	movl 24(%r15), %esi\n"
	"	movl 28(%r15), %edi\n"
	"	popfq\n"
	"	movl 16(%r15), %esp\n"
	"	ljmpl *32(%r15)\n"
	"native_landing:\n"
	"	cld\n"
	"	popq %r15\n	popq %r14\n	popq %r13\n	popq %r12\n"
	"	popq %rbp\n	popq %rbx\n"
	"	ret\n");

static struct native_regs *out;
static struct enter enter;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	static const int order[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX,
				      REG_RSP, REG_RBP, REG_RSI, REG_RDI };
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	unsigned int i;

	(void)sig;
	(void)info;
	if ((g[REG_CSGSFS] & 0xffff) != out->cs) {
		/* A trap on the way in: TF was loaded before the far jump. */
		if (g[REG_TRAPNO] == 1)
			return;
		signal(sig, SIG_DFL);
		return;
	}
	/* The far jump itself ends in a trap; the target is yet to run. */
	if (g[REG_TRAPNO] == 1 && enter.entering) {
		enter.entering = 0;
		return;
	}
	for (i = 0; i < 8; i++)
		out->gpr[i] = g[order[i]];
	out->eip = g[REG_RIP];
	out->eflags = g[REG_EFL];
	out->vector = g[REG_TRAPNO];
	out->error = g[REG_ERR];
	out->cr2 = g[REG_CR2];
	g[REG_RIP] = (greg_t)(uintptr_t)native_landing;
	g[REG_RSP] = enter.rsp;
	g[REG_EFL] = 0x202;
	g[REG_CSGSFS] &= 0x0000ffffffff0000ll;
	g[REG_CSGSFS] |= USER_64BIT_CS | (greg_t)NATIVE_SS << 48;
}

static bool map(u32 at, u32 size)
{
	return mmap((void *)(uintptr_t)at, size,
		    PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		    0) == (void *)(uintptr_t)at;
}

bool native_init(void)
{
	static const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGFPE,
				       SIGILL };
	static u8 stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	struct native_regs r = { .eip = NATIVE_CODE, .eflags = 0x202,
				 .cs = NATIVE_CS, .ss = NATIVE_SS };
	unsigned int i;

	if (!map(NATIVE_CODE, 0x1000) ||
	    !map(NATIVE_DATA, NATIVE_DATA_SIZE))
		return false;
	if (sigaltstack(&ss, NULL))
		return false;
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &sa, NULL))
			return false;
	/* INC EAX, which is a prefix in 64-bit mode. */
	memset((void *)(uintptr_t)NATIVE_CODE, 0x40, 1);
	r.gpr[4] = NATIVE_DATA + 64;
	native_step(&r);
	return r.vector == 1 && r.gpr[0] == 1;
}

bool native_init16(void)
{
	struct user_desc code = { .entry_number = NATIVE_CS16 >> 3,
		.base_addr = NATIVE_CODE, .limit = 0xfff,
		.contents = 2 /* code, not conforming */ };
	struct user_desc data = { .entry_number = NATIVE_SS16 >> 3,
		.base_addr = NATIVE_DATA, .limit = NATIVE_DATA_SIZE - 1 };
	struct native_regs r = { .eip = 0, .eflags = 0x202, .cs = NATIVE_CS16,
				 .ss = NATIVE_SS16 };

	if (syscall(SYS_modify_ldt, 1, &code, sizeof(code)) ||
	    syscall(SYS_modify_ldt, 1, &data, sizeof(data)))
		return false;
	memset((void *)(uintptr_t)NATIVE_CODE, 0x40, 1);
	r.gpr[0] = 0xffff;
	r.gpr[4] = 64;
	native_step(&r);
	return r.vector == 1 && r.gpr[0] == 0;	/* INC AX */
}

void native_step(struct native_regs *r)
{
	out = r;
	memcpy(enter.gpr, r->gpr, sizeof(enter.gpr));
	enter.target = r->eip;
	enter.cs = r->cs;
	enter.ss = r->ss;
	enter.entering = 1;
	enter.flags = r->eflags | 0x100;
	native_enter(&enter);
}
