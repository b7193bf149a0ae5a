/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Into an attempt with all its registers, and back from the first trap.
 *
 * Nothing is taken for granted on the way back: segments and stack are the attempt's,
 * which may be anything that an exception can still be delivered on. Two words are pushed
 * there; the rest goes straight into `at.out`, and our own stack is taken.
 */
#include "selectors.h"
#include "attempt_asm.h"

	.text
/* void attempt_enter(void): at.in into the CPU; returns when at.out is filled. */
	.globl	attempt_enter
attempt_enter:
	pushal
	pushfl
	movl	%esp, attempt_esp
	testl	$3, at_in + R_CS
	jz	1f
	pushl	at_in + R_SS
	pushl	at_in + R_ESP
	pushl	at_in + R_EFLAGS
	pushl	at_in + R_CS
	pushl	at_in + R_EIP
	jmp	2f
1:	pushl	at_in + R_EFLAGS
2:	pushl	at_in + R_GS
	pushl	at_in + R_FS
	pushl	at_in + R_ES
	pushl	at_in + R_DS
	movl	at_in + R_EAX, %eax
	movl	at_in + R_ECX, %ecx
	movl	at_in + R_EDX, %edx
	movl	at_in + R_EBX, %ebx
	movl	at_in + R_EBP, %ebp
	movl	at_in + R_ESI, %esi
	movl	at_in + R_EDI, %edi
	testl	$3, at_in + R_CS
	popl	%ds
	popl	%es
	popl	%fs
	popl	%gs
	jz	3f
	iret
3:	popfl
	lssl	%cs:at_in + R_ESP_SS, %esp
	jmp	*%cs:at_in + R_EIP

	.balign	STUB_SIZE
	.globl	attempt_stubs
attempt_stubs:
	.set	vector, 0
	.rept	256
	.balign	STUB_SIZE
	.if	(vector != 8) && (vector != 17) && ((vector < 10) || (vector > 14))
	pushl	$0
	.endif
	pushl	$vector
	jmp	caught_common
	.set	vector, vector + 1
	.endr

	.globl	caught_common
caught_common:
	/* Not PUSH of a segment register: some CPUs write half of it. */
	pushl	%eax
	movl	%ds, %eax
	pushl	%eax
	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%ecx, at_out + R_ECX
	movl	%edx, at_out + R_EDX
	movl	%ebx, at_out + R_EBX
	movl	%ebp, at_out + R_EBP
	movl	%esi, at_out + R_ESI
	movl	%edi, at_out + R_EDI
	movl	%es, %eax
	movl	%eax, at_out + R_ES
	movl	%fs, %eax
	movl	%eax, at_out + R_FS
	movl	%gs, %eax
	movl	%eax, at_out + R_GS
	popl	at_out + R_DS
	popl	at_out + R_EAX
	popl	at_vector
	popl	at_error
	popl	at_out + R_EIP
	popl	at_out + R_CS
	popl	at_out + R_EFLAGS
	testl	$3, at_out + R_CS
	jnz	1f
	movl	%esp, at_out + R_ESP
	movl	%ss, %eax
	movl	%eax, at_out + R_SS
	jmp	2f
1:	popl	at_out + R_ESP
	popl	at_out + R_SS
2:	movl	%cr2, %eax
	movl	%eax, at_cr2
	.globl	attempt_leave
attempt_leave:
	movl	$KERNEL_DS, %eax
	movl	%eax, %ss
	movl	attempt_esp, %esp
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	popfl
	popal
	cld
	ret

/*
 * The task of #DF. What the attempt was doing is in the TSS that it ran on.
 */
	.globl	double_fault
double_fault:
	popl	at_error
	movl	$8, at_vector
	movl	%cr2, %eax
	movl	%eax, at_cr2
	call	double_fault_state
	jmp	attempt_leave

	.section .bss
	.balign	4
attempt_esp:
	.skip	4
