/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boot sector that starts a 64-bit Linux kernel which Bochs has placed in memory.
 *
 * A bzImage unpacks itself, which costs an emulator billions of instructions. Here
 * the unpacked kernel, the initramfs and the boot parameters are RAM images of Bochs, and
 * what is left to do is what firmware alone knows (the memory map) and the way
 * into long mode: identity tables for the low 4 GiB, the GDT of Linux's boot protocol,
 * %rsi = boot_params. See Documentation/x86/boot.rst, "64-bit boot protocol".
 *
 * The two addresses come from `host`: PARAMS (boot_params), ENTRY (startup_64).
 */
#define E820_ENTRIES	0x1e8
#define E820_TABLE	0x2d0
#define MAP		0x1000		/* the memory map, as the BIOS gives it */
#define TABLES		0x10000		/* six pages: PML4, PDPT, four PDs */
#define MSR_EFER	0xc0000080

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
	ljmpl	$0x20, $protected

	.code32
protected:
	movw	$0x18, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss

	movl	%ebp, %eax
	movb	%al, PARAMS + E820_ENTRIES
	movl	$MAP, %esi
	movl	$(PARAMS + E820_TABLE), %edi
	imull	$5, %ebp, %ecx
	rep movsl

	/* Identity tables: present, writable; the PDs' entries are 2 MiB pages. */
	movl	$TABLES, %edi
	xorl	%eax, %eax
	movl	$(6 * 1024), %ecx
	rep stosl
	movl	$(TABLES + 0x1003), TABLES
	movl	$(TABLES + 0x1000), %edi
	movl	$(TABLES + 0x2003), %eax
	movl	$4, %ecx
4:	movl	%eax, (%edi)
	addl	$0x1000, %eax
	addl	$8, %edi
	loop	4b
	movl	$(TABLES + 0x2000), %edi
	movl	$0x83, %eax
	movl	$2048, %ecx
5:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	5b

	movl	$0x20, %eax			/* CR4.PAE */
	movl	%eax, %cr4
	movl	$TABLES, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$0x100, %eax			/* LME */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	ljmp	$0x10, $long_mode

	.code64
long_mode:
	movl	$PARAMS, %esi
	movl	$ENTRY, %eax
	jmp	*%rax

	.balign 8
gdt:	.quad	0, 0
	.quad	0x00af9b000000ffff		/* 10h: 64-bit code, __BOOT_CS */
	.quad	0x00cf93000000ffff		/* 18h: data, __BOOT_DS */
	.quad	0x00cf9b000000ffff		/* 20h: 32-bit code */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55
