/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a test guest begins, and where its traps arrive.
 *
 * A Multiboot 1 loader enters at start with flat segments and paging off. Every
 * vector has a stub of the same size, so that the IDT can be filled by a loop; all
 * lead to trap() with a struct frame on the stack.
 */
#include "selectors.h"

	.section .multiboot, "a"
	.balign 4
	.long	0x1badb002
	.long	0
	.long	-0x1badb002

	.section .text
	.globl	start
start:
	cli
	cld
	movl	$stack_top, %esp
	pushl	$0
	popfl
	movl	%eax, boot_magic
	movl	%ebx, boot_info
	call	guest_start
1:	jmp	1b

/* Vector stubs, STUB_SIZE bytes each. */
	.globl	trap_stubs
	.balign	STUB_SIZE
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	STUB_SIZE
	.if	(vector != 8) && (vector != 17) && ((vector < 10) || (vector > 14))
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	pushal
	pushl	%ds
	pushl	%es
	pushl	%fs
	pushl	%gs
	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	cld
	pushl	%esp
	call	trap
	addl	$4, %esp
	.globl	trap_return
trap_return:
	popl	%gs
	popl	%fs
	popl	%es
	popl	%ds
	popal
	addl	$8, %esp
	iret

/*
 * u32 user_call(u32 (*fn)(u32), u32 arg): call fn(arg) at ring 3, on the user
 * stack, with user_eflags. fn returns to user_exit, which comes back by
 * INT USER_EXIT_VECTOR. Traps on the way find the kernel stack right below us.
 */
	.globl	user_call
user_call:
	movl	4(%esp), %ecx
	movl	8(%esp), %edx
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushfl
	movl	%esp, user_saved_esp
	movl	%esp, tss + 4
	movl	$user_stack_top - 8, %eax
	movl	$user_exit, (%eax)
	movl	%edx, 4(%eax)
	pushl	$USER_DS
	pushl	%eax
	pushl	user_eflags
	pushl	$USER_CS
	pushl	%ecx
	movl	$USER_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	iret

user_exit:
	int	$USER_EXIT_VECTOR

/* The gate of USER_EXIT_VECTOR leads here: eax is what fn returned. */
	.globl	user_return
user_return:
	movl	$KERNEL_DS, %ecx
	movl	%ecx, %ds
	movl	%ecx, %es
	movl	%ecx, %fs
	movl	%ecx, %gs
	movl	user_saved_esp, %esp
	popfl
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret

	.section .bss
	.balign	4096
	.globl	stack_top, user_stack_top
	.skip	16384
stack_top:
	.skip	16384
user_stack_top:
	.globl	user_saved_esp
user_saved_esp:
	.skip	4
