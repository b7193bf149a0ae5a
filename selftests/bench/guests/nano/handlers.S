/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The least that a guest kernel can do about an event, so that what is counted is
 * the event and not its handler; and functions to call.
 */
#include "selectors.h"

/* #PF at an instruction of two bytes: go on behind it. */
	.globl	skip_fault
skip_fault:
	addl	$4, %esp
	addl	$2, (%esp)
	iret

/* #UD at UD2: likewise. */
	.globl	skip_ud
skip_ud:
	addl	$2, (%esp)
	iret

/* A system call by gate. */
	.globl	return_iret
return_iret:
	iret

/*
 * By SYSENTER, which clears IF: user code has left its ESP in ECX and where to go on in
 * EDX. STI holds interrupts off for one instruction more.
 */
	.globl	return_sysexit
return_sysexit:
	sti
	sysexit

/* The timer of the 8259A's line 0. */
	.globl	tick
tick:
	pushl	%eax
	incl	ticks
	movb	$0x20, %al
	outb	%al, $0x20
	popl	%eax
	iret

/* A byte from the first UART, line 4. */
	.globl	received
received:
	pushl	%eax
	pushl	%edx
	movw	$0x3f8, %dx
	inb	%dx, %al
	incl	answers
	movb	$0x20, %al
	outb	%al, $0x20
	popl	%edx
	popl	%eax
	iret

	.balign	16
	.globl	just_return
just_return:
	ret

/* deepN calls deepN-1. */
	.globl	deep5, deep6, deep7, deep8, deep9
deep9:	call	deep8
	ret
deep8:	call	deep7
	ret
deep7:	call	deep6
	ret
deep6:	call	deep5
	ret
deep5:	call	deep4
	ret
deep4:	call	deep3
	ret
deep3:	call	deep2
	ret
deep2:	call	deep1
	ret
deep1:	call	just_return
	ret
