// SPDX-License-Identifier: GPL-2.0
/*
 * Linux's 32-bit boot protocol (Documentation/x86/boot.rst): the bzImage's
 * protected-mode part to 1 MiB, boot_params below, flat segments, ESI. A vmlinux
 * (which saves the time of decompression) is entered the same way.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define GDT_ADDR	0x1000u
#define PARAMS_ADDR	0x10000u
#define CMDLINE_ADDR	0x20000u
#define KERNEL_ADDR	0x100000u

/* Offsets in boot_params. */
#define BP_E820_ENTRIES	0x1e8
#define BP_HEADER	0x1f1
#define BP_LOADER	0x210
#define BP_RAMDISK	0x218
#define BP_RAMDISK_SIZE	0x21c
#define BP_CMDLINE	0x228
#define BP_INITRD_MAX	0x22c
#define BP_E820		0x2d0

static void *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	void *buf = NULL;
	long len;

	if (!f) {
		perror(path);
		return NULL;
	}
	len = fseek(f, 0, SEEK_END) ? -1 : ftell(f);
	if (len > 0) {
		rewind(f);
		buf = malloc(len);
		*size = len;
		if (buf && fread(buf, 1, len, f) != (size_t)len) {
			free(buf);
			buf = NULL;
		}
	}
	fclose(f);
	return buf;
}

static void put32(u8 *at, u32 val)
{
	memcpy(at, &val, 4);
}

static void add_e820(u8 *params, u64 start, u64 end, u32 type)
{
	u8 *at = params + BP_E820 + params[BP_E820_ENTRIES]++ * 20;
	u64 size = end - start;

	memcpy(at, &start, 8);
	memcpy(at + 8, &size, 8);
	put32(at + 16, type);
}

static void set_segment(struct vmon_seg *seg, u16 sel, bool code)
{
	seg->sel = sel;
	seg->base = 0;
	seg->limit = 0xffffffff;
	seg->attr = VMON_SEG_G | VMON_SEG_DB | VMON_SEG_P | VMON_SEG_S |
		    VMON_SEG_RW | VMON_SEG_A | (code ? VMON_SEG_CODE : 0);
}

static void set_entry_state(struct machine *m, u32 entry)
{
	static const u64 gdt[4] = {
		0, 0, 0x00cf9b000000ffffull, 0x00cf93000000ffffull,
	};
	struct vmon_cpu *cpu = &m->cpu;
	unsigned int i;

	memcpy(m->ram + GDT_ADDR, gdt, sizeof(gdt));
	cpu->gdtr.base = GDT_ADDR;
	cpu->gdtr.limit = sizeof(gdt) - 1;
	for (i = 0; i < VMON_NR_SREGS; i++)
		set_segment(&cpu->seg[i], 0x18, false);
	set_segment(&cpu->seg[VMON_CS], 0x10, true);
	cpu->cr0 = VMON_CR0_PE | VMON_CR0_ET;
	cpu->eip = entry;
	cpu->gpr[VMON_EDX] = 0;
	cpu->gpr[VMON_ESI] = PARAMS_ADDR;
	cpu->gpr[VMON_ESP] = 0x90000;
}

static int load_initrd(struct machine *m, u8 *params, const char *path)
{
	size_t size;
	u8 *image = read_file(path, &size);
	u64 top = m->ram_size;
	u32 max;

	if (!image)
		return -1;
	memcpy(&max, params + BP_INITRD_MAX, 4);
	if (max && top > (u64)max + 1)
		top = (u64)max + 1;
	top = (top - size) & ~0xfffull;
	memcpy(m->ram + top, image, size);
	put32(params + BP_RAMDISK, top);
	put32(params + BP_RAMDISK_SIZE, size);
	free(image);
	return 0;
}

/* An ELF image; what the boot loader owes the kernel goes to @params. */
static int load_vmlinux(struct machine *m, u8 *params, const u8 *image,
			size_t size, u32 *entry)
{
	const Elf32_Ehdr *eh = (const void *)image;
	const Elf32_Phdr *ph = (const void *)(image + eh->e_phoff);
	unsigned int i;

	*entry = eh->e_entry;
	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if ((u64)ph[i].p_paddr + ph[i].p_memsz > m->ram_size ||
		    (u64)ph[i].p_offset + ph[i].p_filesz > size)
			return -1;
		memcpy(m->ram + ph[i].p_paddr, image + ph[i].p_offset,
		       ph[i].p_filesz);
		/* The entry may be given as a virtual address. */
		if (eh->e_entry - ph[i].p_vaddr < ph[i].p_memsz)
			*entry = eh->e_entry - ph[i].p_vaddr + ph[i].p_paddr;
	}
	memcpy(params + 0x202, "HdrS\x0f\x02", 6);
	params[0x211] = 1;	/* LOADED_HIGH */
	return 0;
}

static int load_bzimage(struct machine *m, u8 *params, const u8 *image,
			size_t size, u32 *entry)
{
	size_t setup = ((image[BP_HEADER] ? image[BP_HEADER] : 4) + 1) * 512;
	size_t end = 0x202 + image[0x201];

	if (size < setup || size - setup > m->ram_size - KERNEL_ADDR)
		return -1;
	memcpy(params + BP_HEADER, image + BP_HEADER, end - BP_HEADER);
	memcpy(m->ram + KERNEL_ADDR, image + setup, size - setup);
	*entry = KERNEL_ADDR;
	return 0;
}

/**
 * machine_load_linux() - put a kernel into memory and the CPU at its entry
 * @m:		machine
 * @kernel:	bzImage, protocol 2.06 or later, or vmlinux
 * @initrd:	file or NULL
 * @cmdline:	kernel command line
 */
int machine_load_linux(struct machine *m, const char *kernel,
		       const char *initrd, const char *cmdline)
{
	u8 *params = m->ram + PARAMS_ADDR;
	u32 entry = 0;
	size_t size;
	u8 *image = read_file(kernel, &size);
	int ret = -1;

	if (!image)
		return -1;
	memset(params, 0, 4096);
	if (size > 0x1000 && !memcmp(image + 0x202, "HdrS", 4))
		ret = load_bzimage(m, params, image, size, &entry);
	else if (size > 0x1000 && !memcmp(image, ELFMAG, SELFMAG))
		ret = load_vmlinux(m, params, image, size, &entry);
	free(image);
	if (ret) {
		fprintf(stderr, "%s: neither bzImage nor vmlinux that fits\n",
			kernel);
		return -1;
	}

	params[BP_LOADER] = 0xff;
	strcpy((char *)m->ram + CMDLINE_ADDR, cmdline);
	put32(params + BP_CMDLINE, CMDLINE_ADDR);
	add_e820(params, 0, 0x9fc00, 1);
	add_e820(params, 0x9fc00, 0x100000, 2);
	add_e820(params, 0x100000, m->ram_size, 1);
	if (initrd && load_initrd(m, params, initrd))
		return -1;
	set_entry_state(m, entry);
	return 0;
}
