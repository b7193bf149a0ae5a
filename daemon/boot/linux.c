// SPDX-License-Identifier: GPL-2.0
/*
 * The 32-bit Linux boot protocol (Documentation/x86/boot.rst, "32-bit boot
 * protocol"; Documentation/x86/zero-page.rst for the layout of boot_params).
 *
 * The real-mode part of the bzImage is only read for its setup header; the
 * protected-mode part goes to 1 MiB and is entered at code32_start with ESI at
 * boot_params. A relocatable kernel moves itself to its preferred address from
 * there, so what it needs is counted from the higher of the two.
 */
#include <errno.h>
#include <string.h>

#include "boot/boot.h"

/* The setup header, offsets in the file and in boot_params alike. */
#define HDR_SETUP_SECTS	0x1f1
#define HDR_SYSSIZE	0x1f4
#define HDR_VID_MODE	0x1fa
#define HDR_BOOT_FLAG	0x1fe
#define HDR_JUMP	0x201	/* its value + 202h: end of the header */
#define HDR_MAGIC	0x202
#define HDR_VERSION	0x206
#define HDR_LOADER	0x210
#define HDR_LOADFLAGS	0x211
#define HDR_CODE32	0x214
#define HDR_INITRD	0x218
#define HDR_INITRD_SIZE	0x21c
#define HDR_CMDLINE	0x228
#define HDR_INITRD_MAX	0x22c
#define HDR_CMDLINE_MAX	0x238
#define HDR_PREF_ADDR	0x258	/* since 2.10 */
#define HDR_INIT_SIZE	0x260	/* since 2.10 */
#define HDR_END_MAX	0x290	/* end of its room in boot_params */

/* boot_params outside the header. */
#define BP_ACPI_RSDP	0x070	/* since 2.14 */
#define BP_E820_ENTRIES	0x1e8
#define BP_E820_TABLE	0x2d0
#define BP_SIZE		0x1000

#define BOOT_FLAG	0xaa55
#define VERSION_MIN	0x0206
#define VERSION_INIT_SIZE 0x020a
#define VERSION_RSDP	0x020e
#define LOADED_HIGH	0x01
#define LOADER_UNKNOWN	0xff
#define VIDEO_NORMAL	0xffff

#define E820_RAM	1
#define E820_RESERVED	2
#define E820_ACPI	3	/* tables */
#define E820_NVS	4	/* to be kept over sleep */

#define GPR_ESI		6
#define PAGE		4096ull

/**
 * linux_probe() - is this file a Linux kernel with a setup header?
 * @kernel: file
 */
bool linux_probe(const struct boot_file *kernel)
{
	return kernel->size >= HDR_VERSION + 2 &&
	       get16(kernel->data + HDR_BOOT_FLAG) == BOOT_FLAG &&
	       !memcmp(kernel->data + HDR_MAGIC, "HdrS", 4);
}

/**
 * struct layout - what the header says, checked
 * @header_end: first byte after the setup header
 * @setup: bytes of the real-mode part, at the start of the file
 * @payload: bytes of the protected-mode part, after it
 * @needs: end of the memory the kernel needs to unpack itself
 * @initrd_max: highest address an initrd may have
 * @cmdline_max: longest command line, without the NUL
 */
struct layout {
	u32 header_end;
	u32 setup;
	u64 payload;
	u64 needs;
	u64 initrd_max;
	u32 cmdline_max;
};

static int read_header(const struct boot_file *kernel, struct layout *l,
		       struct error *err)
{
	const u8 *d = kernel->data;
	u32 sects = d[HDR_SETUP_SECTS] ? d[HDR_SETUP_SECTS] : 4;
	u16 version = get16(d + HDR_VERSION);
	u64 pref;

	if (version < VERSION_MIN)
		return fail(err, EINVAL,
			    "kernel '%s' has boot protocol %u.%02u: 2.06 (Linux 2.6.22) or later is needed",
			    kernel->name, version >> 8, version & 0xff);

	l->setup = (sects + 1) * 512;
	if (kernel->size < l->setup || kernel->size < HDR_END_MAX)
		return fail(err, EINVAL,
			    "kernel '%s' is truncated: %zu bytes, its setup part alone has %u: copy it again",
			    kernel->name, kernel->size, l->setup);
	if (!(d[HDR_LOADFLAGS] & LOADED_HIGH))
		return fail(err, EINVAL,
			    "kernel '%s' is a zImage, loaded low: build a bzImage",
			    kernel->name);

	l->payload = get32(d + HDR_SYSSIZE) * 16ull;
	/* The last paragraph may be cut short. */
	if (!l->payload || kernel->size - l->setup + 15 < l->payload)
		return fail(err, EINVAL,
			    "kernel '%s' is truncated: %zu bytes, its header says %llu: copy it again",
			    kernel->name, kernel->size,
			    (unsigned long long)(l->setup + l->payload));
	l->payload = kernel->size - l->setup;

	l->header_end = HDR_MAGIC + d[HDR_JUMP];
	if (l->header_end < HDR_CMDLINE_MAX + 4)
		return fail(err, EINVAL,
			    "kernel '%s' has a setup header that ends at %xh, too early for its version: it is damaged",
			    kernel->name, l->header_end);
	if (l->header_end > HDR_END_MAX)
		l->header_end = HDR_END_MAX;

	l->initrd_max = get32(d + HDR_INITRD_MAX);
	l->cmdline_max = get32(d + HDR_CMDLINE_MAX);
	l->needs = BOOT_HIGH + l->payload;
	if (version >= VERSION_INIT_SIZE && l->header_end >= HDR_INIT_SIZE + 4) {
		pref = get64(d + HDR_PREF_ADDR);
		if (pref > BOOT_MEMORY_MAX)
			return fail(err, EINVAL,
				    "kernel '%s' wants to run at %llxh, above 4 GiB: give a 32-bit kernel",
				    kernel->name, (unsigned long long)pref);
		if (pref < BOOT_HIGH)
			pref = BOOT_HIGH;
		pref += get32(d + HDR_INIT_SIZE);
		if (pref > l->needs)
			l->needs = pref;
	}
	return 0;
}

static int put_initrd(const struct boot_image *image, const struct boot_ram *ram,
		      const struct layout *l, u8 *params, struct error *err)
{
	const struct boot_file *initrd = &image->initrd;
	u64 top = ram->size;
	u64 addr;

	if (!initrd->data || !initrd->size)
		return 0;
	if (top > l->initrd_max + 1)
		top = l->initrd_max + 1;
	addr = initrd->size <= top ? (top - initrd->size) & ~(PAGE - 1) : 0;
	if (addr < l->needs) {
		if (ram->size >= l->initrd_max + 1)
			return fail(err, ENOSPC,
				    "initrd '%s' is too large: %llu MiB, and kernel '%s' takes one only below %llu MiB",
				    initrd->name, mib(initrd->size),
				    image->kernel.name, mib(l->initrd_max));
		return fail(err, ENOSPC,
			    "initrd '%s' (%llu MiB) does not fit beside kernel '%s' in %llu MiB: use --memory %lluM or more",
			    initrd->name, mib(initrd->size), image->kernel.name,
			    mib(ram->size), mib(l->needs) + mib(initrd->size) + 1);
	}
	memcpy(ram->data + addr, initrd->data, initrd->size);
	put32(params + HDR_INITRD, addr);
	put32(params + HDR_INITRD_SIZE, initrd->size);
	return 0;
}

static void put_memory_map(const struct boot_ram *ram, bool acpi, u8 *params)
{
	const struct {
		u64 start, end;
		u32 type;
	} map[] = {
		{ 0, BOOT_EBDA, E820_RAM },
		{ BOOT_EBDA, BOOT_HOLE, E820_RESERVED },
		{ BOOT_ROM, BOOT_ACPI, E820_RESERVED },
		{ BOOT_ACPI, BOOT_ACPI_NVS, acpi ? E820_ACPI : E820_RESERVED },
		{ BOOT_ACPI_NVS, BOOT_ACPI_END, acpi ? E820_NVS : E820_RESERVED },
		{ BOOT_ACPI_END, BOOT_HIGH, E820_RESERVED },
		{ BOOT_HIGH, ram->size, E820_RAM },
	};
	u8 *p = params + BP_E820_TABLE;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++, p += 20) {
		put64(p, map[i].start);
		put64(p + 8, map[i].end - map[i].start);
		put32(p + 16, map[i].type);
	}
	params[BP_E820_ENTRIES] = ARRAY_SIZE(map);
}

/**
 * linux_load() - load a bzImage
 * @image: kernel, initrd, command line
 * @ram: guest RAM
 * @regs: registers to start with
 * @err: what is wrong, in words
 *
 * Return: 0, -EINVAL, -ENOSPC or -E2BIG.
 */
int linux_load(const struct boot_image *image, const struct boot_ram *ram,
	       struct vmon_regs *regs, struct error *err)
{
	const struct boot_file *kernel = &image->kernel;
	size_t len = strlen(image->append);
	u8 *params = ram->data + BOOT_INFO;
	struct layout l;
	int r;

	r = read_header(kernel, &l, err);
	if (r < 0)
		return r;
	if (l.needs > ram->size)
		return fail(err, ENOSPC,
			    "kernel '%s' needs %llu MiB to unpack itself, the guest has %llu: use --memory %lluM or more",
			    kernel->name, mib(l.needs), mib(ram->size),
			    mib(l.needs) + 8);
	if (len > l.cmdline_max || len >= BOOT_STRINGS_END - BOOT_STRINGS)
		return fail(err, E2BIG,
			    "append: the command line has %zu bytes, kernel '%s' takes at most %u",
			    len, kernel->name, l.cmdline_max);

	memset(params, 0, BP_SIZE);
	memcpy(params + HDR_SETUP_SECTS, kernel->data + HDR_SETUP_SECTS,
	       l.header_end - HDR_SETUP_SECTS);
	params[HDR_LOADER] = LOADER_UNKNOWN;
	put16(params + HDR_VID_MODE, VIDEO_NORMAL);
	put32(params + HDR_CODE32, BOOT_HIGH);
	put32(params + HDR_CMDLINE, BOOT_STRINGS);
	put32(params + HDR_INITRD, 0);
	put32(params + HDR_INITRD_SIZE, 0);
	put_memory_map(ram, image->platform, params);
	if (image->platform) {
		boot_acpi(ram, image->platform);
		/* Others search for it. */
		if (get16(params + HDR_VERSION) >= VERSION_RSDP)
			put64(params + BP_ACPI_RSDP, BOOT_ACPI);
	}
	memcpy(ram->data + BOOT_STRINGS, image->append, len + 1);
	r = put_initrd(image, ram, &l, params, err);
	if (r < 0)
		return r;
	memcpy(ram->data + BOOT_HIGH, kernel->data + l.setup, l.payload);

	boot_flat_regs(ram, regs);
	regs->eip = BOOT_HIGH;
	regs->gpr[GPR_ESI] = BOOT_INFO;
	return 0;
}
