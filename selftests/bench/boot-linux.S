/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boot sector that starts a 32-bit Linux kernel which Bochs has placed in memory, as vmond
 * does: the bzImage's protected-mode part is entered at its beginning, with the memory map
 * in boot_params. See Documentation/x86/boot.rst, "32-bit boot protocol".
 *
 * The time-stamp counter starts at 0 there: what firmware did is not counted.
 * PARAMS (boot_params) and ENTRY come from `native-bochs`.
 */
#define E820_ENTRIES	0x1e8
#define E820_TABLE	0x2d0
#define MAP		0x1000		/* the memory map, as the BIOS gives it */
#define MSR_TSC		0x10

	.code16
	.globl _start
_start:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	ljmp	$0, $1f
1:
	/* INT 15h, E820h: 20 bytes an entry, %ebx = 0 after the last one. */
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	movw	$MAP, %di
2:	movl	$0xe820, %eax
	movl	$20, %ecx
	movl	$0x534d4150, %edx
	int	$0x15
	jc	3f
	incl	%ebp
	addw	$20, %di
	testl	%ebx, %ebx
	jnz	2b
3:	cli
	inb	$0x92, %al			/* A20 */
	orb	$2, %al
	outb	%al, $0x92
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$0x10, $protected

	.code32
protected:
	movw	$0x18, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	%ebp, %eax
	movb	%al, PARAMS + E820_ENTRIES
	movl	$MAP, %esi
	movl	$(PARAMS + E820_TABLE), %edi
	imull	$5, %ebp, %ecx
	rep movsl
	movl	$MSR_TSC, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$PARAMS, %esi
	movl	$ENTRY, %eax
	xorl	%ebp, %ebp
	xorl	%edi, %edi
	xorl	%ebx, %ebx
	jmp	*%eax

	.balign 8
gdt:	.quad	0, 0
	.quad	0x00cf9b000000ffff		/* 10h: __BOOT_CS */
	.quad	0x00cf93000000ffff		/* 18h: __BOOT_DS */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55
