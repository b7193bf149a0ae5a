// SPDX-License-Identifier: GPL-2.0
/*
 * What all boot loaders share: which one serves an image, the size of memory,
 * what a BIOS would have left at 400h, and the flat protected mode that both the
 * Linux and the Multiboot protocol start in.
 */
#include <errno.h>
#include <string.h>

#include "boot/boot.h"

#define BDA_EBDA	0x40e
#define BDA_MEMORY	0x413

/* Descriptor attributes: bits 40..55, the limit nibble left out. */
#define ATTR_CODE	0xc09b	/* 4 GiB, 32-bit, execute/read, accessed */
#define ATTR_DATA	0xc093	/* 4 GiB, 32-bit, read/write, accessed */
#define ATTR_LDT	0x0082
#define ATTR_TSS_BUSY	0x008b

#define CR0_PE		0x01
#define CR0_ET		0x10
#define EFLAGS_FIXED	0x02
#define DR6_RESET	0xffff0ff0
#define DR7_RESET	0x00000400

enum { SEG_CS = 1, SEG_GS = 5, SEG_LDTR, SEG_TR };	/* see vmon_regs */

/**
 * boot_check_memory() - may a guest have so much memory?
 * @size: bytes
 * @err: says what would be right
 *
 * Return: 0 or -EINVAL.
 */
int boot_check_memory(u64 size, struct error *err)
{
	if (size % (1 << 20))
		return fail(err, EINVAL,
			    "memory: %llu bytes is not a whole number of MiB: use --memory %lluM",
			    (unsigned long long)size, mib(size));
	if (size < BOOT_MEMORY_MIN * 2)
		return fail(err, EINVAL,
			    "memory: %llu MiB is too small: a guest needs at least 2M",
			    mib(size));
	if (size > BOOT_MEMORY_MAX)
		return fail(err, EINVAL,
			    "memory: %llu MiB is too large: a 32-bit guest can have at most %lluM",
			    mib(size), mib(BOOT_MEMORY_MAX));
	return 0;
}

static u64 descriptor(u16 attr)
{
	/* Base 0; the limit, fffffh pages, is in bits 0..15 and 48..51. */
	return (u64)attr << 40 | 0x000f00000000ffffull;
}

/**
 * boot_flat_regs() - registers and descriptor table for a flat 32-bit start
 * @ram: guest RAM; the table goes to BOOT_LOW
 * @regs: all set, but EIP and the general registers are 0
 */
void boot_flat_regs(const struct boot_ram *ram, struct vmon_regs *regs)
{
	u8 *gdt = ram->data + BOOT_LOW;
	unsigned int i;

	memset(gdt, 0, 4 * 8);
	put64(gdt + BOOT_CS, descriptor(ATTR_CODE));
	put64(gdt + BOOT_DS, descriptor(ATTR_DATA));

	memset(regs, 0, sizeof(*regs));
	regs->eflags = EFLAGS_FIXED;
	for (i = 0; i <= SEG_GS; i++) {
		regs->seg[i].limit = 0xffffffff;
		regs->seg[i].sel = i == SEG_CS ? BOOT_CS : BOOT_DS;
		regs->seg[i].attr = i == SEG_CS ? ATTR_CODE : ATTR_DATA;
	}
	regs->seg[SEG_LDTR].limit = 0xffff;
	regs->seg[SEG_LDTR].attr = ATTR_LDT;
	regs->seg[SEG_TR].limit = 0xffff;
	regs->seg[SEG_TR].attr = ATTR_TSS_BUSY;
	regs->gdt_base = BOOT_LOW;
	regs->gdt_limit = 4 * 8 - 1;
	regs->cr0 = CR0_PE | CR0_ET;
	regs->dr[6] = DR6_RESET;
	regs->dr[7] = DR7_RESET;
	regs->gpr[4] = BOOT_STACK;
}

/**
 * boot_load() - load a guest image into guest RAM
 * @image: kernel and what goes with it
 * @ram: guest RAM, of a size that boot_check_memory() accepted
 * @regs: registers to start with
 * @err: what is wrong, in words
 *
 * Return: 0; -EINVAL for a bad image or option, -ENOSPC if memory is too small,
 * -E2BIG for a command line that is too long.
 */
int boot_load(const struct boot_image *image, const struct boot_ram *ram,
	      struct vmon_regs *regs, struct error *err)
{
	put16(ram->data + BDA_EBDA, BOOT_EBDA >> 4);
	put16(ram->data + BDA_MEMORY, BOOT_EBDA >> 10);
	ram->data[BOOT_EBDA] = 1;	/* its size in KiB */

	if (linux_probe(&image->kernel)) {
		if (image->n_modules)
			return fail(err, EINVAL,
				    "kernel '%s' is a Linux kernel, which takes --initrd, not --module",
				    image->kernel.name);
		return linux_load(image, ram, regs, err);
	}
	if (multiboot_probe(&image->kernel)) {
		if (image->initrd.data)
			return fail(err, EINVAL,
				    "kernel '%s' is a Multiboot kernel, which takes --module, not --initrd",
				    image->kernel.name);
		return multiboot_load(image, ram, regs, err);
	}
	return fail(err, EINVAL,
		    "kernel '%s' (%zu bytes) is neither a Linux bzImage nor a Multiboot 1 image: give the compressed kernel of /boot or arch/x86/boot",
		    image->kernel.name, image->kernel.size);
}
