/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch: host to guest, and back through the monitor's IDT.
 *
 * All of this text, and struct vmon_area, is mapped at the same addresses in the
 * host's tables and in the guest's. A guest exception pushes its frame straight
 * into area->frame, because TSS.RSP0 points behind it.
 *
 * NMI and #MC cannot be held off, so every instruction between the first LGDT and
 * the last must leave them a way:
 *
 *   tables loaded                  an NMI here is served by
 *   -----------------------------  ------------------------------------------
 *   host                           the host
 *   transition GDT, host IDT       the host: the transition GDT begins with the
 *                                  host's entries, and TR, CR3 are the host's
 *   monitor IDT, host TR           vmon_nmi on the host's own NMI stack (the gate
 *                                  uses the host's IST number); %rdi is the area
 *   monitor IDT and TR, any CR3    vmon_nmi on the area's stack; so too in
 *                                  resident.S, which never leaves that state
 *
 * Which TR is loaded is asked of the CPU (STR), not told from the address: the way out
 * is gone with either, with the host's when an NMI turned the entry round before LTR.
 *
 * CS and SS change between the host's selectors and the monitor's (SS: null) while
 * the transition GDT is loaded, which alone has both.
 *
 * vmon_nmi never handles anything: it notes the event in area->late and returns.
 * If the interrupted code was on its way in, it returns to the way out instead,
 * so the event never waits for the guest to leave by itself. The C code raises
 * what was noted again, with the host's tables loaded.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <linux/version.h>
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/segment.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>
#include "area.h"

/* Entered by the CPU: objtool shall not look for callers. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define HINT_ENTRY	UNWIND_HINT_UNDEFINED
#else
#define HINT_ENTRY	UNWIND_HINT_EMPTY
#endif

#define VEC(off)	((off) - F_VECTOR)

/* Two taken branches each. */
#define VMON_BHB_ROUNDS	128

	/*
	 * A section of its own: nothing else of the module shares its first page, and
	 * the kernel puts no kprobe there, where #BP would go to the monitor's IDT.
	 */
	.section .noinstr.text, "ax", @progbits
	.balign 4096
	.globl vmon_switch_text
vmon_switch_text:

/* The last of every way in: RSP is at frame.rip, %rdi is the area. */
.macro enter_guest
	mov	(A_FRAME + F_RAX)(%rdi), %rax
	mov	(A_FRAME + F_RCX)(%rdi), %rcx
	mov	(A_FRAME + F_RDX)(%rdi), %rdx
	mov	(A_FRAME + F_RBX)(%rdi), %rbx
	mov	(A_FRAME + F_RBP)(%rdi), %rbp
	mov	(A_FRAME + F_RSI)(%rdi), %rsi
	mov	(A_FRAME + F_RDI)(%rdi), %rdi
	iretq
.endm

/*
 * void vmon_switch_asm(struct vmon_area *area)
 *
 * Interrupts off. area->frame holds the guest's registers and is overwritten
 * with those at the exit.
 */
	.globl vmon_switch_asm
	.type vmon_switch_asm, @function
vmon_switch_asm:
	endbr64
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, A_HOST_RSP(%rdi)
	lgdt	A_TRANS_GDTR(%rdi)
	lidt	A_IDTR(%rdi)
	mov	$VMON_SEL_TSS, %eax
	ltr	%ax
	mov	A_GUEST_LDT(%rdi), %ax
	lldt	%ax
	lea	(A_FRAME + F_RIP)(%rdi), %rsp
	mov	A_GUEST_CR3(%rdi), %rax
	mov	%rax, %cr3
	/*
	 * The run GDT has none of the host's selectors, and an NMI's IRET loads CS
	 * and SS anew: leave them while both are known.
	 */
	xor	%eax, %eax
	mov	%eax, %ss
	lea	.Lmonitor_cs(%rip), %rax
	pushq	$VMON_SEL_CS64
	push	%rax
	lretq
.Lmonitor_cs:
	lgdt	A_RUN_GDTR(%rdi)
	mov	(A_FRAME + F_DS)(%rdi), %ds
	mov	(A_FRAME + F_ES)(%rdi), %es
	mov	(A_FRAME + F_FS)(%rdi), %fs
	mov	(A_FRAME + F_GS)(%rdi), %gs
	enter_guest
.Lentry_end:

/* An NMI came on the way in: %rdi was set to the area by vmon_nmi. */
.Labort:
	movq	$VMON_VEC_ABORT, (A_FRAME + F_VECTOR)(%rdi)
	jmp	.Lexit

/* From the vector stubs. RSP is at frame.vector if the guest was interrupted. */
.Lcommon:
	testb	$3, VEC(F_CS)(%rsp)
	jz	.Lfault
	mov	%rax, VEC(F_RAX)(%rsp)
	mov	%rcx, VEC(F_RCX)(%rsp)
	mov	%rdx, VEC(F_RDX)(%rsp)
	mov	%rbx, VEC(F_RBX)(%rsp)
	mov	%rbp, VEC(F_RBP)(%rsp)
	mov	%rsi, VEC(F_RSI)(%rsp)
	mov	%rdi, VEC(F_RDI)(%rsp)
	lea	-(A_FRAME + F_VECTOR)(%rsp), %rdi
	cmpl	$0, R_ARMED(%rdi)
	mov	(A_FRAME + F_VECTOR)(%rdi), %eax
	jne	.Lresident
.Lsave_segs:
	mov	%ds, %eax
	mov	%eax, (A_FRAME + F_DS)(%rdi)
	mov	%es, %eax
	mov	%eax, (A_FRAME + F_ES)(%rdi)
	mov	%fs, %eax
	mov	%eax, (A_FRAME + F_FS)(%rdi)
	mov	%gs, %eax
	mov	%eax, (A_FRAME + F_GS)(%rdi)

/* %rdi: area. Everything from here on may be repeated. */
.Lexit:
	lgdt	A_TRANS_GDTR(%rdi)
	mov	A_HOST_CR3(%rdi), %rax
	mov	%rax, %cr3
	mov	A_HOST_RSP(%rdi), %rsp
	/* The gate left AC, DF and ID as the guest had them. */
	pushq	$2
	popfq
	mov	(A_HOST_SEGS + 8)(%rdi), %ax
	lldt	%ax
	mov	(A_HOST_SEGS + 10)(%rdi), %ax
	ltr	%ax
	mov	(A_HOST_SEGS + 0)(%rdi), %ds
	mov	(A_HOST_SEGS + 2)(%rdi), %es
	mov	(A_HOST_SEGS + 4)(%rdi), %fs
	mov	(A_HOST_SEGS + 6)(%rdi), %gs
	mov	$MSR_FS_BASE, %ecx
	mov	A_HOST_FS_BASE(%rdi), %eax
	mov	(A_HOST_FS_BASE + 4)(%rdi), %edx
	wrmsr
	mov	$MSR_GS_BASE, %ecx
	mov	A_HOST_GS_BASE(%rdi), %eax
	mov	(A_HOST_GS_BASE + 4)(%rdi), %edx
	wrmsr
	/* Likewise the other way, while the transition GDT knows both. */
	mov	$__KERNEL_DS, %eax
	mov	%eax, %ss
	lea	.Lhost_cs(%rip), %rax
	pushq	$__KERNEL_CS
	push	%rax
	lretq
.Lhost_cs:
	lidt	A_HOST_IDTR(%rdi)
	lgdt	A_HOST_GDTR(%rdi)
	testb	$1, A_CLEAR_BHB(%rdi)
	jz	.Lhistory_cleared
	/*
	 * The guest's branches must not choose among the targets of our indirect ones:
	 * fill the history with taken branches of our own. The longest history that
	 * is known has 194 (Alder Lake; Intel, "Branch History Injection").
	 */
	mov	$VMON_BHB_ROUNDS, %ecx
1:	jmp	2f
	int3
2:	dec	%ecx
	jnz	1b
	/* No branch behind this is predicted before those are done. */
	lfence
	incq	A_BHB_CLEARS(%rdi)
.Lhistory_cleared:
	/* The guest's returns must not steer ours, where the host cares. */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
	/* Or where a module parameter says so. */
	testb	$1, A_FILL_RSB(%rdi)
	jz	.Lrsb_filled
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_ALWAYS
	incq	A_RSB_FILLS(%rdi)
.Lrsb_filled:
	/* Nothing of the guest's stays in a register. */
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	RET

#include "resident.S"
	.size vmon_switch_asm, . - vmon_switch_asm

/*
 * An exception at ring 0: our own IRETQ or segment load refused what it was
 * given. RSP is in the first page of the area then (resident.S: in the second):
 * it was at frame.rip, the CPU aligned it and pushed six words, the stub two at
 * most, all inside the frame.
 */
.Lfault:
	mov	VEC(F_VECTOR)(%rsp), %eax
	mov	VEC(F_ERROR)(%rsp), %ecx
	mov	VEC(F_RIP)(%rsp), %rdx
	mov	%rsp, %rdi
	and	$-4096, %rdi
	/* In resident.S, which has a stack of its own? */
	lea	.Lres_begin(%rip), %rbx
	cmp	%rbx, %rdx
	jb	.Lfault_exit
	lea	.Lres_resume(%rip), %rbx
	cmp	%rbx, %rdx
	jae	.Lfault_exit
	sub	$A_RESIDENT, %rdi
	/* At guest memory that is not there? */
	lea	.Lres_mem(%rip), %rbx
	cmp	%rbx, %rdx
	jb	.Lfault_exit
	lea	.Lres_mem_end(%rip), %rbx
	cmp	%rbx, %rdx
	jae	.Lfault_exit
	movl	$1, R_FAULTED(%rdi)
	jmp	.Lsave_segs
.Lfault_exit:
	add	$VMON_VEC_FAULT, %eax
	mov	%rax, (A_FRAME + F_VECTOR)(%rdi)
	mov	%rcx, (A_FRAME + F_ERROR)(%rdi)
	mov	%rdx, (A_FRAME + F_RIP)(%rdi)
	jmp	.Lexit

/* Double fault, on its own stack: never by the guest's doing. */
	.globl vmon_df
vmon_df:
	HINT_ENTRY
	endbr64
	pop	%rcx
	mov	(%rsp), %rdx
	mov	%rsp, %rdi
	and	$-4096, %rdi
	mov	(%rdi), %rdi
	mov	$8, %eax
	jmp	.Lfault_exit

/*
 * #DB. At ring 0: MOV SS of the guest's put a breakpoint off until the instruction
 * behind it had raised something else. DR6 keeps it, and the exit goes on.
 */
	.globl vmon_db
vmon_db:
	HINT_ENTRY
	endbr64
	testb	$3, 8(%rsp)
	jz	1f
	pushq	$0
	pushq	$1
	jmp	.Lcommon
1:	iretq

/*
 * NMI and machine check. Stack: rip cs rflags rsp ss, pushed by the CPU.
 */
.macro late name bit vector
	.globl \name
\name:
	HINT_ENTRY
	endbr64
	testb	$3, 8(%rsp)
	jz	1f
	/* The guest was interrupted: make it an ordinary exit. */
	push	%rdi
	push	%rax
	mov	%rsp, %rdi
	and	$-4096, %rdi
	mov	(%rdi), %rdi
	orq	$\bit, A_LATE(%rdi)
	mov	%rcx, (A_FRAME + F_RCX)(%rdi)
	mov	%rdx, (A_FRAME + F_RDX)(%rdi)
	mov	%rbx, (A_FRAME + F_RBX)(%rdi)
	mov	%rbp, (A_FRAME + F_RBP)(%rdi)
	mov	%rsi, (A_FRAME + F_RSI)(%rdi)
	pop	%rax
	mov	%rax, (A_FRAME + F_RAX)(%rdi)
	pop	%rax
	mov	%rax, (A_FRAME + F_RDI)(%rdi)
	pop	(A_FRAME + F_RIP)(%rdi)
	pop	(A_FRAME + F_CS)(%rdi)
	pop	(A_FRAME + F_RFLAGS)(%rdi)
	pop	(A_FRAME + F_RSP)(%rdi)
	pop	(A_FRAME + F_SS)(%rdi)
	movq	$\vector, (A_FRAME + F_VECTOR)(%rdi)
	jmp	.Lsave_segs
1:	/* A window of the switch: where is the area? TR tells whose stack this is. */
	push	%rax
	push	%rcx
	push	%rdi
	str	%eax
	cmp	$VMON_SEL_TSS, %ax
	jne	2f
	mov	%rsp, %rdi
	and	$-4096, %rdi
	mov	(%rdi), %rdi
	/* With the host's TSS %rdi is the area, here and in all that was interrupted. */
2:	orq	$\bit, A_LATE(%rdi)
	/* On the way in? Then turn round. */
	mov	24(%rsp), %rax
	lea	.Lentry_end(%rip), %rcx
	cmp	%rcx, %rax
	jae	4f
	lea	.Labort(%rip), %rax
	mov	%rax, 24(%rsp)
	mov	%rdi, (%rsp)
	jmp	5f
	/* On the way back from resident.S? Then leave with what it has done. */
4:	lea	.Lres_resume(%rip), %rcx
	cmp	%rcx, %rax
	jb	5f
	lea	.Lres_resume_end(%rip), %rcx
	cmp	%rcx, %rax
	jae	5f
	lea	.Lres_late(%rip), %rax
	mov	%rax, 24(%rsp)
	mov	%rdi, (%rsp)
5:	pop	%rdi
	pop	%rcx
	pop	%rax
	iretq
.endm

	late vmon_nmi VMON_LATE_NMI 2
	late vmon_mc VMON_LATE_MC 18

/* 256 stubs of 16 bytes: push the missing error code and the vector. */
	.balign 16
	.globl vmon_vectors
vmon_vectors:
	.set vec, 0
	.rept 256
	.balign 16
	HINT_ENTRY
	endbr64
	.if !(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21)
	pushq	$0
	.endif
	.byte	0x68
	.long	vec
	jmp	.Lcommon
	.set vec, vec + 1
	.endr
	.balign 16
	.globl vmon_switch_text_end
vmon_switch_text_end:

	.text
/*
 * void vmon_reraise(unsigned long handler)
 *
 * Calls an interrupt handler of the host through the address in its IDT gate,
 * on a frame like the CPU's. Interrupts off.
 */
	.globl vmon_reraise
	.type vmon_reraise, @function
vmon_reraise:
	endbr64
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	pushq	$__KERNEL_DS
	push	%rbp
	pushfq
	pushq	$__KERNEL_CS
	lea	1f(%rip), %rax
	push	%rax
	mov	%rdi, %rax
	/* An address from the host's own IDT, not one that can be steered. */
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax
1:	pop	%rbp
	RET
	.size vmon_reraise, . - vmon_reraise

/* Stacks change under these: objtool shall not follow. */
	STACK_FRAME_NON_STANDARD vmon_switch_asm
	STACK_FRAME_NON_STANDARD vmon_reraise

	.section .note.GNU-stack, "", @progbits
