/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Into a program with all its registers, and back from its first trap.
 *
 * Stack and data segments are the program's then, and its page tables: until the
 * framework's CR3 is back, only `state` and the program's stack can be written. A load
 * that is not needed is not made; under vmon it costs an exit.
 */
#include "selectors.h"
#include "stream_asm.h"

#define FL_VIRTUAL	0x180000	/* VIP, VIF */

	.text
	.balign	4096
/* void stream_enter(void): state.in into the CPU; returns when state.out is filled. */
	.globl	stream_enter
stream_enter:
	pushal
	pushfl
	/* A load that faults here shows nothing of the framework's. */
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%ebp, %ebp
	xorl	%esi, %esi
	xorl	%edi, %edi
	movl	%esp, stream_esp
	movl	$state + 4096, %esp
	movl	state + S_ROOT, %eax
	movl	%eax, %cr3
	movl	state + R_CR0, %eax
	cmpl	$CR0_OWN, %eax
	je	1f
	movl	%eax, %cr0
1:
	movl	state + R_GS, %eax
	movl	%gs, %edx
	cmpl	%eax, %edx
	je	1f
	movl	%eax, %gs
1:	movl	state + R_FS, %eax
	movl	%eax, %fs
	movl	state + S_WAY, %eax
	cmpl	$WAY_OUT, %eax
	jne	1f
	pushl	state + R_SS
	pushl	state + R_ESP
	pushl	state + R_EFLAGS
	pushl	state + R_CS
	pushl	state + R_EIP
	jmp	2f
1:	pushl	state + R_EFLAGS
2:	pushl	state + R_ES
	pushl	state + R_DS
	cmpl	$WAY_FAR, %eax
	movl	state + R_EAX, %eax
	movl	state + R_ECX, %ecx
	movl	state + R_EDX, %edx
	movl	state + R_EBX, %ebx
	movl	state + R_EBP, %ebp
	movl	state + R_ESI, %esi
	movl	state + R_EDI, %edi
	popl	%ds
	popl	%es
	jb	3f
	je	4f
	cmpl	$WAY_OUT, %cs:state + S_WAY
	je	5f
	/* The frame is below the stack pointer that the program gets. */
	movl	%cs:state + R_ESP, %esp
	leal	-12(%esp), %esp
5:	iret
3:	popfl
	movl	%cs:state + R_ESP, %esp
	jmp	*%cs:state + R_EIP
4:	popfl
	lssl	%cs:state + R_ESP_SS, %esp
	ljmpl	*%cs:state + R_EIP_CS

	.balign	STUB_SIZE
	.globl	stream_stubs
stream_stubs:
	.set	vector, 0
	.rept	256
	.balign	STUB_SIZE
	.if	(vector != 8) && (vector != 17) && ((vector < 10) || (vector > 14))
	pushl	$0
	.endif
	pushl	$vector
	jmp	caught
	.set	vector, vector + 1
	.endr

/* The timer's gate: between programs it is taken note of, no more. */
	.globl	stream_tick
stream_tick:
	cmpl	$0, %cs:state + S_INSIDE
	jne	stream_stubs + TICK_VECTOR * STUB_SIZE
	pushl	%eax
	movb	$0x20, %al
	outb	%al, $0x20
	popl	%eax
	iret

caught:
	/* Not PUSH of a segment register: some CPUs write half of it. */
	pushl	%eax
	movl	%ds, %eax
	pushl	%eax
	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%ecx, state + S_OUT + R_ECX
	movl	%edx, state + S_OUT + R_EDX
	movl	%ebx, state + S_OUT + R_EBX
	movl	%ebp, state + S_OUT + R_EBP
	movl	%esi, state + S_OUT + R_ESI
	movl	%edi, state + S_OUT + R_EDI
	movl	%es, %eax
	movl	%eax, state + S_OUT + R_ES
	movl	%fs, %eax
	movl	%eax, state + S_OUT + R_FS
	movl	%gs, %eax
	movl	%eax, state + S_OUT + R_GS
	popl	state + S_OUT + R_DS
	popl	state + S_OUT + R_EAX
	popl	state + S_VECTOR
	popl	state + S_ERROR
	popl	state + S_OUT + R_EIP
	popl	state + S_OUT + R_CS
	popl	state + S_OUT + R_EFLAGS
	testl	$3, state + S_OUT + R_CS
	jnz	1f
	movl	%esp, state + S_OUT + R_ESP
	movl	%ss, %eax
	movl	%eax, state + S_OUT + R_SS
	jmp	2f
1:	popl	state + S_OUT + R_ESP
	popl	state + S_OUT + R_SS
2:	movl	%cr0, %eax
	movl	%eax, state + S_OUT + R_CR0
	cmpl	$CR0_OWN, %eax
	je	1f
	movl	$CR0_OWN, %eax
	movl	%eax, %cr0
1:	movl	state + S_OWN_ROOT, %eax
	movl	%eax, %cr3
	movl	%cr2, %eax
	movl	%eax, state + S_CR2
leave:
	movl	$KERNEL_DS, %eax
	movl	%ss, %edx
	cmpw	%ax, %dx
	je	1f
	movl	%eax, %ss
1:	movl	stream_esp, %esp
	movl	%eax, %es
	movl	%eax, %fs
	movl	%gs, %edx
	cmpw	%ax, %dx
	je	1f
	movl	%eax, %gs
1:	testl	$FL_VIRTUAL, state + S_OUT + R_EFLAGS
	jz	1f
	/* An IRET has set VIF or VIP, and POPF leaves them alone. */
	pushfl
	andl	$~FL_VIRTUAL, (%esp)
	pushl	$KERNEL_CS
	pushl	$1f
	iret
1:	popfl
	popal
	cld
	ret

/*
 * The task of #DF. What the program was doing is in the TSS that it ran on.
 */
	.globl	double_fault
double_fault:
	popl	state + S_ERROR
	movl	$8, state + S_VECTOR
	movl	%cr0, %eax
	movl	%eax, state + S_OUT + R_CR0
	movl	$CR0_OWN, %eax
	movl	%eax, %cr0
	movl	state + S_OWN_ROOT, %eax
	movl	%eax, %cr3
	movl	%cr2, %eax
	movl	%eax, state + S_CR2
	call	double_fault_state
	jmp	leave

	.section .bss
	.balign	4
stream_esp:
	.skip	4
