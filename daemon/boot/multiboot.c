// SPDX-License-Identifier: GPL-2.0
/*
 * Multiboot 1 (Multiboot Specification 0.6.96): kernels other than Linux, and
 * the test guests.
 *
 * The image is an ELF32 executable, or anything with load addresses in its
 * Multiboot header. Modules follow the kernel, each on a page of its own; the
 * information structure lies in low memory, where a kernel may not be loaded.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "boot/boot.h"

#define SEARCH		8192
#define MAGIC		0x1badb002u
#define BOOTED		0x2badb002u

/* Header flags. */
#define FLAG_ADDRESSES	0x00010000u
#define FLAGS_REQUIRED	0x0000ffffu
#define FLAGS_SERVED	0x00000007u	/* page-align, memory, video (ignored) */

/* Information structure: flags, and offsets of fields. */
#define INFO_MEMORY	0x001
#define INFO_CMDLINE	0x004
#define INFO_MODULES	0x008
#define INFO_MAP	0x040
#define INFO_LOADER	0x200

#define OFF_FLAGS	0
#define OFF_MEM_LOWER	4
#define OFF_MEM_UPPER	8
#define OFF_CMDLINE	16
#define OFF_MODS_COUNT	20
#define OFF_MODS_ADDR	24
#define OFF_MMAP_LENGTH	44
#define OFF_MMAP_ADDR	48
#define OFF_LOADER	64
#define INFO_SIZE	120

#define MAP_AT		(BOOT_INFO + 0x100)
#define MODS_AT		(BOOT_INFO + 0x400)
#define MODS_MAX	64
#define KERNEL_LOWEST	BOOT_STRINGS_END

#define GPR_EAX		0
#define GPR_EBX		3
#define PAGE		4096ull

struct loader {
	const struct boot_file *kernel;
	const struct boot_ram *ram;
	struct error *err;
	u64 end;		/* of what is loaded so far */
	u32 strings;		/* next free byte for strings */
};

static const u8 *find_header(const struct boot_file *kernel)
{
	size_t limit = kernel->size < SEARCH ? kernel->size : SEARCH;
	size_t at;

	for (at = 0; at + 12 <= limit; at += 4) {
		const u8 *h = kernel->data + at;

		if (get32(h) == MAGIC &&
		    get32(h) + get32(h + 4) + get32(h + 8) == 0)
			return h;
	}
	return NULL;
}

/**
 * multiboot_probe() - does this file have a Multiboot 1 header?
 * @kernel: file
 */
bool multiboot_probe(const struct boot_file *kernel)
{
	return find_header(kernel);
}

/* Copy @size bytes to @addr and clear up to @mem_size. */
static int put_segment(struct loader *l, u64 offset, u64 size, u64 addr,
		       u64 mem_size)
{
	u64 end = addr + mem_size;

	if (!mem_size)
		return 0;
	if (offset > l->kernel->size || size > l->kernel->size - offset)
		return fail(l->err, EINVAL,
			    "kernel '%s' is truncated: %zu bytes, a segment ends at %llu: copy it again",
			    l->kernel->name, l->kernel->size,
			    (unsigned long long)(offset + size));
	if (addr < KERNEL_LOWEST || (addr < BOOT_HIGH && end > BOOT_EBDA))
		return fail(l->err, EINVAL,
			    "kernel '%s' loads at %llxh: link it at 100000h or above",
			    l->kernel->name, (unsigned long long)addr);
	if (end > l->ram->size)
		return fail(l->err, ENOSPC,
			    "kernel '%s' loads up to %llu MiB, the guest has %llu: use --memory %lluM or more",
			    l->kernel->name, mib(end), mib(l->ram->size), mib(end) + 1);

	memcpy(l->ram->data + addr, l->kernel->data + offset, size);
	memset(l->ram->data + addr + size, 0, mem_size - size);
	if (end > l->end)
		l->end = end;
	return 0;
}

/* Load addresses in the header itself ("a.out kludge"). */
static int load_flat(struct loader *l, const u8 *h, u32 *entry)
{
	u64 at = h - l->kernel->data;
	u32 header, load, load_end, bss_end;
	u64 offset, size, mem_size;

	if (at + 32 > l->kernel->size)
		return fail(l->err, EINVAL,
			    "kernel '%s' is truncated: its Multiboot header ends after the file",
			    l->kernel->name);
	header = get32(h + 12);
	load = get32(h + 16);
	load_end = get32(h + 20);
	bss_end = get32(h + 24);
	*entry = get32(h + 28);

	if (header < load || header - load > at)
		return fail(l->err, EINVAL,
			    "kernel '%s': its Multiboot header gives header_addr %xh and load_addr %xh, which do not fit its place in the file",
			    l->kernel->name, header, load);
	offset = at - (header - load);
	size = load_end ? (u64)load_end - load : l->kernel->size - offset;
	mem_size = bss_end ? (u64)bss_end - load : size;
	if ((load_end && load_end < load) ||
	    (bss_end && (bss_end < load || mem_size < size)))
		return fail(l->err, EINVAL,
			    "kernel '%s': its Multiboot header has load_end_addr %xh and bss_end_addr %xh out of order",
			    l->kernel->name, load_end, bss_end);
	return put_segment(l, offset, size, load, mem_size);
}

static int load_elf(struct loader *l, u32 *entry)
{
	const struct boot_file *k = l->kernel;
	unsigned int i, loaded = 0;
	bool physical = false;
	Elf32_Ehdr eh;
	Elf32_Phdr ph;
	int r;

	if (k->size < sizeof(eh) || memcmp(k->data, ELFMAG, SELFMAG))
		return fail(l->err, EINVAL,
			    "kernel '%s' has a Multiboot header without load addresses and is no ELF file: set flag 16 in the header, or link as ELF32",
			    k->name);
	memcpy(&eh, k->data, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS32 || eh.e_machine != EM_386 ||
	    eh.e_type != ET_EXEC || eh.e_phentsize != sizeof(ph))
		return fail(l->err, EINVAL,
			    "kernel '%s' is not a 32-bit x86 ELF executable: link with -m elf_i386",
			    k->name);
	if ((u64)eh.e_phoff + (u64)eh.e_phnum * sizeof(ph) > k->size)
		return fail(l->err, EINVAL,
			    "kernel '%s' is truncated: its program headers end after the file: copy it again",
			    k->name);

	*entry = eh.e_entry;
	for (i = 0; i < eh.e_phnum; i++) {
		memcpy(&ph, k->data + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != PT_LOAD || !ph.p_memsz)
			continue;
		if (ph.p_filesz > ph.p_memsz)
			return fail(l->err, EINVAL,
				    "kernel '%s': segment %u is larger in the file than in memory: it is damaged",
				    k->name, i);
		r = put_segment(l, ph.p_offset, ph.p_filesz, ph.p_paddr, ph.p_memsz);
		if (r < 0)
			return r;
		loaded++;
		/* The entry is virtual; paging is off. */
		if (!physical && eh.e_entry >= ph.p_vaddr &&
		    eh.e_entry - ph.p_vaddr < ph.p_memsz) {
			*entry = eh.e_entry - ph.p_vaddr + ph.p_paddr;
			physical = true;
		}
	}
	if (!loaded)
		return fail(l->err, EINVAL,
			    "kernel '%s' has no segment to load: link it as an executable",
			    k->name);
	return 0;
}

/* Put "name args" into the strings area. */
static int put_string(struct loader *l, const char *name, const char *args,
		      u32 *addr)
{
	const char *base = strrchr(name, '/');
	size_t n, a = args ? strlen(args) : 0;

	base = base ? base + 1 : name;
	n = strlen(base);
	if (n + a + 2 > BOOT_STRINGS_END - l->strings)
		return fail(l->err, E2BIG,
			    "append: command lines of kernel and modules are together longer than %u bytes",
			    BOOT_STRINGS_END - BOOT_STRINGS);
	*addr = l->strings;
	memcpy(l->ram->data + l->strings, base, n);
	l->strings += n;
	if (a) {
		l->ram->data[l->strings++] = ' ';
		memcpy(l->ram->data + l->strings, args, a);
		l->strings += a;
	}
	l->ram->data[l->strings++] = 0;
	return 0;
}

static int put_modules(struct loader *l, const struct boot_image *image)
{
	unsigned int i;
	int r;

	if (image->n_modules > MODS_MAX)
		return fail(l->err, E2BIG, "module: %u modules given, at most %u are possible",
			    image->n_modules, MODS_MAX);
	for (i = 0; i < image->n_modules; i++) {
		const struct boot_file *m = &image->modules[i];
		u8 *entry = l->ram->data + MODS_AT + 16 * i;
		u64 start = (l->end + PAGE - 1) & ~(PAGE - 1);
		u32 string;

		if (start > l->ram->size || m->size > l->ram->size - start)
			return fail(l->err, ENOSPC,
				    "module '%s' (%zu bytes) does not fit into %llu MiB: use --memory %lluM or more",
				    m->name, m->size, mib(l->ram->size),
				    mib(start + m->size) + 1);
		if (m->size)
			memcpy(l->ram->data + start, m->data, m->size);
		l->end = start + m->size;
		r = put_string(l, m->name, m->args, &string);
		if (r < 0)
			return r;
		put32(entry, start);
		put32(entry + 4, l->end);
		put32(entry + 8, string);
		put32(entry + 12, 0);
	}
	return 0;
}

/* Entries of 24 bytes: size of what follows, base, length, type. */
static unsigned int put_memory_map(const struct boot_ram *ram)
{
	const struct {
		u64 start, end;
		u32 type;
	} map[] = {
		{ 0, BOOT_EBDA, 1 },
		{ BOOT_EBDA, BOOT_HOLE, 2 },
		{ BOOT_ROM, BOOT_HIGH, 2 },
		{ BOOT_HIGH, ram->size, 1 },
	};
	u8 *p = ram->data + MAP_AT;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++, p += 24) {
		put32(p, 20);
		put64(p + 4, map[i].start);
		put64(p + 12, map[i].end - map[i].start);
		put32(p + 20, map[i].type);
	}
	return 24 * ARRAY_SIZE(map);
}

static int put_info(struct loader *l, const struct boot_image *image)
{
	u8 *info = l->ram->data + BOOT_INFO;
	u32 flags = INFO_MEMORY | INFO_CMDLINE | INFO_MAP | INFO_LOADER;
	u32 string;
	int r;

	memset(info, 0, INFO_SIZE);
	r = put_string(l, image->kernel.name, image->append, &string);
	if (r < 0)
		return r;
	put32(info + OFF_CMDLINE, string);
	r = put_string(l, "vmon", NULL, &string);
	if (r < 0)
		return r;
	put32(info + OFF_LOADER, string);
	r = put_modules(l, image);
	if (r < 0)
		return r;
	if (image->n_modules) {
		flags |= INFO_MODULES;
		put32(info + OFF_MODS_COUNT, image->n_modules);
		put32(info + OFF_MODS_ADDR, MODS_AT);
	}
	put32(info + OFF_MEM_LOWER, BOOT_EBDA >> 10);
	put32(info + OFF_MEM_UPPER, (l->ram->size - BOOT_HIGH) >> 10);
	put32(info + OFF_MMAP_LENGTH, put_memory_map(l->ram));
	put32(info + OFF_MMAP_ADDR, MAP_AT);
	put32(info + OFF_FLAGS, flags);
	return 0;
}

/**
 * multiboot_load() - load a Multiboot 1 image
 * @image: kernel, modules, command line
 * @ram: guest RAM
 * @regs: registers to start with
 * @err: what is wrong, in words
 *
 * Return: 0, -EINVAL, -ENOSPC or -E2BIG.
 */
int multiboot_load(const struct boot_image *image, const struct boot_ram *ram,
		   struct vmon_regs *regs, struct error *err)
{
	struct loader l = {
		.kernel = &image->kernel,
		.ram = ram,
		.err = err,
		.end = BOOT_HIGH,
		.strings = BOOT_STRINGS,
	};
	const u8 *h = find_header(&image->kernel);
	u32 flags = get32(h + 4);
	u32 entry = 0;
	int r;

	if (flags & FLAGS_REQUIRED & ~FLAGS_SERVED)
		return fail(err, EINVAL,
			    "kernel '%s' requires Multiboot features %xh that vmon does not have: clear those flags in its header",
			    image->kernel.name,
			    flags & FLAGS_REQUIRED & ~FLAGS_SERVED);
	r = flags & FLAG_ADDRESSES ? load_flat(&l, h, &entry) : load_elf(&l, &entry);
	if (r < 0)
		return r;
	r = put_info(&l, image);
	if (r < 0)
		return r;

	boot_flat_regs(ram, regs);
	regs->eip = entry;
	regs->gpr[GPR_EAX] = BOOTED;
	regs->gpr[GPR_EBX] = BOOT_INFO;
	return 0;
}
