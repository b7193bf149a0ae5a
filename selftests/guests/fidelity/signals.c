// SPDX-License-Identifier: GPL-2.0
/*
 * Signals: what each exception is told as; stacks, nesting, masks; registers, flags and
 * FPU state through a handler and back, also when the handler changes them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include "checks.h"

/* Each exception's code stands alone, so that it can be told where it raised. */
#define exception(name, code)						\
	do {								\
		uintptr_t at_ = 0;					\
		int s_ = try_to(asm volatile("movl $77f, %0\n77: " code	\
				: "=m"(at_) : : "eax", "ecx", "edx", "memory", "cc")); \
		shows("%s: signal %d code %d trap %d error %x, eip %+d", name, s_, \
		      s_ ? (int)fault_code : 0, s_ ? (int)fault_trap : 0, \
		      s_ ? (unsigned int)fault_error : 0,		\
		      s_ ? (int)(fault_eip - at_) : 0);			\
	} while (0)

/* Named by the code of an exception. */
__attribute__((used)) uint32_t bounds[2] = { 1, 2 };

static void exceptions(void)
{
	exception("divide by zero", "xorl %%ecx, %%ecx; xorl %%edx, %%edx; divl %%ecx");
	exception("quotient too large", "movl $1, %%ecx; movl $5, %%edx; divl %%ecx");
	exception("smallest by -1", "movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx");
	exception("AAM by zero", ".byte 0xd4, 0");
	exception("UD2", "ud2");
	exception("LOCK of a register", ".byte 0xf0, 0x01, 0xc0");
	exception("undefined", ".byte 0x0f, 0xff");
	exception("BOUND", "movl $7, %%eax; boundl %%eax, bounds");
	exception("INTO", "movb $0x7f, %%al; addb $1, %%al; into");
	exception("INT3", "int3");
	exception("INT 3", ".byte 0xcd, 3");
	exception("INT1", ".byte 0xf1");
	exception("INT 1", "int $1");
	exception("INT 4", "int $4");
	exception("INT 99h", "int $0x99");
	exception("INT 20h", "int $0x20");
	exception("HLT", "hlt");
	exception("CLI", "cli");
	exception("STI", "sti");
	exception("IN", "inb $0x40, %%al");
	exception("OUT", "outb %%al, %%dx");
	exception("MOV CR0", "movl %%cr0, %%eax");
	exception("MOV CR3 back", "movl %%eax, %%cr3");
	exception("MOV DR7", "movl %%eax, %%dr7");
	exception("WRMSR", "wrmsr");
	exception("RDMSR", "rdmsr");
	exception("INVLPG", "invlpg (%%esp)");
	exception("CLTS", "clts");
	exception("WBINVD", "wbinvd");
	exception("LGDT", "lgdt (%%esp)");
	exception("LLDT", "lldt %%ax");
	exception("LTR", "ltr %%ax");
	exception("LMSW", "lmsw %%ax");
	exception("SYSEXIT", "sysexit");
	exception("RSM", "rsm");
	exception("kernel's DS", "movl $0x68, %%eax; movl %%eax, %%fs");
	exception("beyond the GDT", "movl $0xfff8, %%eax; movl %%eax, %%fs");
	exception("LDT without one", "movl $7, %%eax; movl %%eax, %%fs");
	exception("null SS", "xorl %%eax, %%eax; movl %%eax, %%ss");
	exception("far jump to the kernel's CS", "ljmp $0x60, $0");
	exception("far jump to data", "ljmp $0x7b, $0");
	exception("far call to null", "lcall $0, $0");
	exception("IRET to the kernel's CS", "pushfl; pushl $0x60; pushl $0; iretl");
	exception("far return to null", "pushl $0; pushl $0; lretl");
	exception("through null FS", "movl %%fs, %%ecx; xorl %%eax, %%eax; movl %%eax, %%fs; movl %%fs:0, %%eax");
	exception("single step", "pushfl; orl $0x100, (%%esp); popfl; nop; nop");
	exception("POPF of all bits", "pushfl; orl $0x3b7000, (%%esp); popfl; pushfl; andl $~0x47d00, (%%esp); popfl");
	exception("SSE on a misaligned operand", "leal -63(%%esp), %%eax; orl $4, %%eax; andl $-4, %%eax; andl $~8, %%eax; orl $4, %%eax; movaps (%%eax), %%xmm0");
	exception("write to the code", "movl $78f, %%eax; movl %%eax, (%%eax); 78:");
	exception("jump to nowhere", "movl $0x10, %%eax; jmp *%%eax");
}

/* --- stacks, nesting, masks --- */

static volatile int depth, deepest;
static volatile bool on_alternative;
static char alternative[65536];

static void nest(int signal)
{
	char here;

	on_alternative = &here >= alternative && &here < alternative + sizeof(alternative);
	if (++depth > deepest)
		deepest = depth;
	if (depth < 10)
		raise(signal);
	depth--;
}

static volatile int order[8], count;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (count < 8)
		order[count++] = signal * 1000 + info->si_value.sival_int;
}

static void stacks(void)
{
	struct sigaction action = { .sa_flags = SA_ONSTACK | SA_NODEFER };
	stack_t alt = { .ss_sp = alternative, .ss_size = sizeof(alternative) }, old;
	sigset_t set, pending;
	int i;

	sigaltstack(&alt, NULL);
	action.sa_handler = nest;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	expect(deepest == 10 && !depth && on_alternative, "ten handlers on the alternative stack");
	sigaltstack(NULL, &old);
	expect(old.ss_sp == alternative && !(old.ss_flags & SS_ONSTACK), "which is left then");

	action.sa_flags = SA_SIGINFO;
	action.sa_sigaction = note;
	sigaction(SIGRTMIN, &action, NULL);
	sigaction(SIGRTMIN + 1, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < 3; i++) {
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i });
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i + 10 });
	}
	sigpending(&pending);
	expect(!count && sigismember(&pending, SIGRTMIN), "blocked signals wait");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* The frame of the lowest is built first, so its handler runs last. */
	expect(count == 6, "six handlers then");
	for (i = 0; i < 6; i++)
		shows("signal %d: value %d", order[i] / 1000 - SIGRTMIN, order[i] % 1000);
}

static void jumps(void)
{
	volatile unsigned int i, wrong = 0;

	for (i = 0; i < 500; i++)
		wrong += try_to(*(volatile int *)(i * 4) = 1) != SIGSEGV || fault_addr != i * 4;
	expect(!wrong, "500 times out of a handler by siglongjmp");
}

/* --- registers --- */

static volatile uint32_t handler_flags;

static void change(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal;
	(void)info;
	asm volatile("pushfl; popl %0" : "=r"(handler_flags));
	asm volatile("fninit; fldpi; fldpi; fldpi; pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7"
		     : : : "memory");
	uc->uc_mcontext.gregs[REG_EIP] += 2;
	uc->uc_mcontext.gregs[REG_ESI] ^= 0xffffffff;
	uc->uc_mcontext.gregs[REG_EFL] ^= 0x8d5;
}

static void change_fpu(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint32_t *fx = (uint32_t *)(uc->uc_mcontext.fpregs + 1);

	(void)signal;
	(void)info;
	uc->uc_mcontext.gregs[REG_EIP] += 2;
	uc->uc_mcontext.fpregs->cw = 0x27f;
	/* struct _fpstate_32: after the 112 bytes of FSAVE comes the FXSAVE image. */
	fx[6] = 0x1fc0;			/* MXCSR: denormals are zeroes */
	memset(fx + 40, 0x5a, 16);	/* XMM0 */
}

static void registers(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };
	uint32_t in[4] = { 1, 2, 3, 4 }, out[4], esi, edi, flags, whole, mxcsr;
	uint16_t cw;

	action.sa_sigaction = change;
	sigaction(SIGILL, &action, NULL);
	asm volatile("fninit; fildl %6; movups (%5), %%xmm0; movups (%5), %%xmm7\n"
		     "movl $0x1234, %%esi; movl $0x5678, %%edi\n"
		     "std; xorl %%ecx, %%ecx\n"
		     "ud2\n"
		     "pushfl; cld; popl %2\n"
		     "movl %%esi, %0; movl %%edi, %1; fistpl %3; movups %%xmm7, (%4)"
		     : "=m"(esi), "=m"(edi), "=m"(flags), "=m"(whole)
		     : "b"(out), "d"(in), "m"(in[3]) : "esi", "edi", "ecx", "memory", "cc");
	expect(esi == ~0x1234u && edi == 0x5678, "registers, one changed by the handler");
	expect((flags & 0xcd5) == ((0x400u | 0x44u) ^ 0x8d5), "flags, changed: %x", flags & 0xcd5);
	expect(!(handler_flags & 0x500), "the handler has DF and TF clear");
	expect(whole == 4 && !memcmp(in, out, 16), "x87 and SSE");

	action.sa_sigaction = change_fpu;
	sigaction(SIGILL, &action, NULL);
	asm volatile("fninit; ud2\nfnstcw %0; stmxcsr %1; movups %%xmm0, (%2); ldmxcsr %3"
		     : "=m"(cw), "=m"(mxcsr) : "r"(out), "m"(*(uint32_t[]){ 0x1f80 }) : "memory");
	shows("FPU state changed by the handler: cw %x mxcsr %x xmm0 %x", cw, mxcsr & 0xffc0,
	      out[0]);
}

static void fpu_exceptions(void)
{
	uint16_t cw = 0x37f & ~4;
	uint32_t mxcsr = 0x1f80 & ~0x200;
	float one = 1, zero = 0;
	int sig;

	sig = try_to(asm volatile("fninit; fldcw %0; flds %1; fdivs %2; fwait"
				  : : "m"(cw), "m"(one), "m"(zero)));
	asm volatile("fninit");
	expect(sig == SIGFPE && fault_code == FPE_FLTDIV, "x87 division by zero: trap %d",
	       (int)fault_trap);
	sig = try_to(asm volatile("ldmxcsr %0; movss %1, %%xmm0; divss %2, %%xmm0"
				  : : "m"(mxcsr), "m"(one), "m"(zero)));
	mxcsr = 0x1f80;
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
	shows("SSE division by zero: signal %d", sig);
}

static void alignment(void)
{
	static uint32_t words[2];
	int sig;

	sig = try_to(asm volatile("pushfl; orl $0x40000, (%%esp); popfl; movl 1(%0), %%eax\n"
				  "pushfl; andl $~0x40000, (%%esp); popfl"
				  : : "r"(words) : "eax", "memory", "cc"));
	asm volatile("pushfl; andl $~0x40000, (%%esp); popfl" : : : "memory", "cc");
	shows("misaligned with AC: signal %d code %d", sig, sig ? (int)fault_code : 0);
}

int main(void)
{
	catch_faults();
	exceptions();
	fpu_exceptions();
	alignment();
	jumps();
	stacks();
	catch_faults();
	registers();
	return finish();
}
