/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boot sector that enters a test guest which Bochs has placed in memory at 1 MiB: what a
 * Multiboot loader does, with an information structure that says no more than the command
 * line. ENTRY and WORDS come from `run-here`.
 */
#define INFO	0x500
#define INFO_CMDLINE 4

	.code16
	.globl _start
_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	inb	$0x92, %al			/* A20 */
	orb	$2, %al
	outb	%al, $0x92
	movl	$INFO_CMDLINE, INFO
	movl	$words, INFO + 16
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $protected

	.code32
protected:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	$0x2badb002, %eax
	movl	$INFO, %ebx
	movl	$ENTRY, %ecx
	jmp	*%ecx

	.balign 8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

words:	.asciz	WORDS

	.org	510
	.word	0xaa55
