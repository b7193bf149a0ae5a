/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boot loaders: put a guest image into guest RAM and say where to start.
 *
 * Pure functions over bytes: images come as memory, guest RAM is an array that
 * begins at guest physical 0, and the result is a set of vCPU registers. Images
 * are not trusted: every offset in them is checked.
 *
 * Low memory is laid out the same for all guests:
 *
 *	00400h	BIOS data area (size of base memory, EBDA segment)
 *	01000h	descriptor table and structures for the kernel (BOOT_LOW)
 *	20000h	command lines and names, up to 64 KiB
 *	9fc00h	EBDA, 1 KiB
 *	a0000h	hole
 *	c0000h	RAM again, where a BIOS would be, up to 100000h
 *	e0000h	tables of ACPI, for guests that get them (boot_acpi())
 */
#ifndef VMON_BOOT_BOOT_H
#define VMON_BOOT_BOOT_H

#include "common/error.h"
#include "common/platform.h"
#include "common/types.h"
#include "vmon.h"

#define BOOT_LOW	0x1000u
#define BOOT_INFO	0x2000u
#define BOOT_STACK	0xf000u		/* top */
#define BOOT_STRINGS	0x20000u
#define BOOT_STRINGS_END 0x30000u
#define BOOT_EBDA	0x9fc00u
#define BOOT_HOLE	0xa0000u
#define BOOT_ROM	0xc0000u	/* RAM again, reserved */
#define BOOT_ACPI	0xe0000u
#define BOOT_ACPI_NVS	0xe2000u
#define BOOT_ACPI_END	0xe3000u
#define BOOT_HIGH	0x100000u

#define BOOT_CS		0x10
#define BOOT_DS		0x18
#define BOOT_MEMORY_MIN	0x100000ull
#define BOOT_MEMORY_MAX	0xe0000000ull	/* RAM ends here at the latest */

/**
 * struct boot_file - a file given to a guest
 * @name: as the user called it, for messages
 * @args: for modules, the text after the name, or NULL
 * @data: contents
 * @size: bytes
 */
struct boot_file {
	const char *name;
	const char *args;
	const u8 *data;
	size_t size;
};

/**
 * struct boot_image - all that a guest starts from
 * @kernel: kernel file
 * @initrd: initial RAM disk; @initrd.data is NULL if there is none
 * @modules: Multiboot modules
 * @n_modules: how many
 * @append: command line, not NULL
 * @platform: what a Linux guest is told of its machine over ACPI; NULL: it gets no ACPI
 */
struct boot_image {
	struct boot_file kernel;
	struct boot_file initrd;
	const struct boot_file *modules;
	unsigned int n_modules;
	const char *append;
	const struct platform *platform;
};

/**
 * struct boot_ram - guest RAM
 * @data: first byte is guest physical 0
 * @size: bytes, hole included
 */
struct boot_ram {
	u8 *data;
	u64 size;
};

int boot_check_memory(u64 size, struct error *err);
int boot_load(const struct boot_image *image, const struct boot_ram *ram,
	      struct vmon_regs *regs, struct error *err);

bool linux_probe(const struct boot_file *kernel);
int linux_load(const struct boot_image *image, const struct boot_ram *ram,
	       struct vmon_regs *regs, struct error *err);
bool multiboot_probe(const struct boot_file *kernel);
int multiboot_load(const struct boot_image *image, const struct boot_ram *ram,
		   struct vmon_regs *regs, struct error *err);

void boot_acpi(const struct boot_ram *ram, const struct platform *p);
void boot_flat_regs(const struct boot_ram *ram, struct vmon_regs *regs);

static inline u16 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static inline u32 get32(const u8 *p)
{
	return get16(p) | (u32)get16(p + 2) << 16;
}

static inline u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

static inline void put16(u8 *p, u16 v)
{
	p[0] = v;
	p[1] = v >> 8;
}

static inline void put32(u8 *p, u32 v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

static inline void put64(u8 *p, u64 v)
{
	put32(p, v);
	put32(p + 4, v >> 32);
}

/* Bytes as whole MiB, rounded up, for messages. */
static inline unsigned long long mib(u64 bytes)
{
	return (bytes + 0xfffff) >> 20;
}

#endif /* VMON_BOOT_BOOT_H */
