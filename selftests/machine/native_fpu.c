// SPDX-License-Identifier: GPL-2.0
/*
 * x87, MMX and SSE instructions on the host's own FPU.
 *
 * The instruction is copied into an executable buffer with its memory operand
 * rewritten to [r8], which points at a copy of the guest's operand; the guest's
 * general registers, flags and FPU image are loaded around it. REX.B only
 * extends the base register, so nothing else of the encoding changes.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "machine.h"

struct native {
	u32 gpr[8];		/*  0 */
	u64 host_rsp;		/* 32 */
	u64 code;		/* 40 */
	u64 operand;		/* 48 */
	u64 flags;		/* 56 */
	u64 back;		/* 64 */
	u64 pad[7];
	u8 guest_fx[512];	/* 128 */
	u8 host_fx[512];	/* 640 */
	u8 bounce[1024];
	u8 insn[64];
};

_Static_assert(offsetof(struct native, guest_fx) == 128, "assembly below");
_Static_assert(offsetof(struct native, host_fx) == 640, "assembly below");

void native_fpu_run(struct native *n);
extern const u8 native_fpu_back[];

asm(".text\n"
	".globl native_fpu_run, native_fpu_back\n"
	"native_fpu_run:\n"
	"	pushq %rbx\n	pushq %rbp\n	pushq %r12\n	pushq %r13\n"
	"	pushq %r14\n	pushq %r15\n"
	"	movq %rdi, %r15\n"
	"	movq %rsp, 32(%r15)\n"
	"	fxsave64 640(%r15)\n"
	"	fxrstor 128(%r15)\n"
	"	pushq 56(%r15)\n	popfq\n"
	"	movq 48(%r15), %r8\n"
	"	movl (%r15), %eax\n	movl 4(%r15), %ecx\n"
	"	movl 8(%r15), %edx\n	movl 12(%r15), %ebx\n"
	"	movl 16(%r15), %esp\n	movl 20(%r15), %ebp\n"
	"	movl 24(%r15), %esi\n	movl 28(%r15), %edi\n"
	"	jmpq *40(%r15)\n"
	"native_fpu_back:\n"
	"	movl %eax, (%r15)\n	movl %ecx, 4(%r15)\n"
	"	movl %edx, 8(%r15)\n	movl %ebx, 12(%r15)\n"
	"	movl %esp, 16(%r15)\n	movl %ebp, 20(%r15)\n"
	"	movl %esi, 24(%r15)\n	movl %edi, 28(%r15)\n"
	"	movq 32(%r15), %rsp\n"
	"	pushfq\n	popq 56(%r15)\n"
	"	fxsave 128(%r15)\n"
	"	fxrstor64 640(%r15)\n"
	"	cld\n"
	"	popq %r15\n	popq %r14\n	popq %r13\n	popq %r12\n"
	"	popq %rbp\n	popq %rbx\n"
	"	ret\n");

static struct native *native;
static sigjmp_buf escape;
static volatile sig_atomic_t running;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	if (!running) {
		signal(sig, SIG_DFL);
		return;
	}
	/* The exception flags that the instruction set are the guest's. */
	memcpy(native->guest_fx, uc->uc_mcontext.fpregs, 512);
	siglongjmp(escape, sig);
}

int native_fpu_init(void)
{
	static u8 stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = on_signal };

	if (native)
		return 0;
	native = mmap(NULL, sizeof(*native), PROT_READ | PROT_WRITE | PROT_EXEC,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (native == MAP_FAILED)
		return -1;
	native->back = (uintptr_t)native_fpu_back;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	return sigaltstack(&ss, NULL) || sigaction(SIGFPE, &sa, NULL) ||
	       sigaction(SIGSEGV, &sa, NULL) || sigaction(SIGBUS, &sa, NULL) ||
	       sigaction(SIGILL, &sa, NULL);
}

/* The instruction with its operand at [r8] and a jump back behind it. */
static void build(const struct vmon_insn *insn, bool mem)
{
	static const u8 jump[] = { 0x41, 0xff, 0x67, 0x40 }; /* jmp *64(%r15) */
	u8 *p = native->insn;
	unsigned int i, after;

	for (i = 0; i < insn->prefix_len; i++) {
		u8 b = insn->bytes[i];

		if (b == 0xf2 || b == 0xf3 ||
		    (b == 0x66 && insn->op != VMON_OP_X87))
			*p++ = b;
	}
	if (insn->op == VMON_OP_X87 && insn->opsize == 2)
		*p++ = 0x66;
	if (mem)
		*p++ = 0x41;
	after = insn->has_modrm ? insn->modrm_off : insn->len;
	for (; i < after; i++)
		*p++ = insn->bytes[i];
	if (insn->has_modrm) {
		*p++ = mem ? insn->modrm & 0x38 : insn->modrm;
		if (insn->imm_size) {
			memcpy(p, insn->bytes + insn->imm_off, insn->imm_size);
			p += insn->imm_size;
		}
	}
	memcpy(p, jump, sizeof(jump));
}

static int signal_fault(struct machine *m, int sig)
{
	switch (sig) {
	case SIGFPE:
		memcpy(m->cpu.fpu.fxsave, native->guest_fx, 288);
		if (m->cpu.cr4 & VMON_CR4_OSXMMEXCPT)
			return vmon_emu_fault(&m->emu, VMON_EXC_XM);
		return vmon_emu_fault(&m->emu, VMON_EXC_UD);
	case SIGILL:
		return vmon_emu_fault(&m->emu, VMON_EXC_UD);
	default:	/* misaligned operand */
		return vmon_emu_fault_code(&m->emu, VMON_EXC_GP, 0);
	}
}

int native_fpu(struct machine *m)
{
	struct vmon_emu *e = &m->emu;
	struct vmon_cpu *cpu = &m->cpu;
	bool mem = e->insn.has_modrm && e->insn.modrm < 0xc0, masked;
	unsigned int size, acc;
	u32 gva = 0, edi = cpu->gpr[VMON_EDI];
	int ret, sig;

	vmon_emu_fpu_operand(&e->insn, &size, &acc);
	masked = !mem && size;
	if (size) {
		ret = vmon_emu_mem_gva(e, size, acc, &gva);
		acc |= cpu->cpl == 3 ? VMON_ACC_U : 0;
		native->operand = (uintptr_t)native->bounce + (gva & 63);
		if (ret == VMON_EMU_OK)
			ret = e->ops->read(e, gva, (void *)native->operand,
					   size, acc);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	build(&e->insn, mem);
	native->code = (uintptr_t)native->insn;
	memcpy(native->gpr, cpu->gpr, sizeof(native->gpr));
	if (masked)
		native->gpr[VMON_EDI] = native->operand;
	native->flags = (cpu->eflags & VMON_FL_ARITH) | 0x202;
	memcpy(native->guest_fx, cpu->fpu.fxsave, 512);

	sig = sigsetjmp(escape, 0);
	if (sig) {
		running = 0;
		asm volatile("fxrstor64 %0" : : "m" (native->host_fx));
		return signal_fault(m, sig);
	}
	running = 1;
	native_fpu_run(native);
	running = 0;

	if (acc & VMON_ACC_W) {
		ret = e->ops->write(e, gva, (void *)native->operand, size, acc);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	memcpy(cpu->gpr, native->gpr, sizeof(native->gpr));
	if (masked)
		cpu->gpr[VMON_EDI] = edi;
	cpu->eflags = (cpu->eflags & ~VMON_FL_ARITH) |
		      (native->flags & VMON_FL_ARITH);
	memcpy(cpu->fpu.fxsave, native->guest_fx, 288);
	vmon_emu_fpu_pointers(e, (u32)native->code, sizeof(native->insn), size, gva);
	return vmon_emu_fpu_done(e);
}
