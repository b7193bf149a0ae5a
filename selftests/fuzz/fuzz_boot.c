// SPDX-License-Identifier: GPL-2.0
/*
 * The boot loaders on images that nobody has checked: a good one of each kind with
 * parts of it changed, in files and in guest RAM of exactly their size. Every refusal has
 * a code of those that boot.h names and one line of text; what is accepted is where the
 * protocol says, within RAM, and nothing overlaps.
 */
#include <elf.h>
#include <errno.h>
#include <sys/mman.h>

#include "boot/boot.h"
#include "fuzz.h"

#define MIB		0x100000ull
#define RAM_MAX		(6 * MIB)
#define FILE_MAX	0x3000u
#define GUARD		65536u
#define HEADER		0x80u	/* of the Multiboot header in our files */

static u8 *ram_end;		/* RAM ends here, at a page that faults */
static u8 file[FILE_MAX];

static void make_ram(void)
{
	u8 *p = mmap(NULL, RAM_MAX + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fuzz_check(p != MAP_FAILED, "mmap");
	ram_end = p + GUARD + RAM_MAX;
	fuzz_check(!mprotect(p + GUARD, RAM_MAX, PROT_READ | PROT_WRITE), "mprotect");
}

static void make_linux(void)
{
	file[0x1f1] = 1;
	put32(file + 0x1f4, (FILE_MAX - 1024) / 16);
	put16(file + 0x1fe, 0xaa55);
	file[0x200] = 0xeb;
	file[0x201] = 0x66;
	memcpy(file + 0x202, "HdrS", 4);
	put16(file + 0x206, 0x020f);
	file[0x211] = 0x01;
	put32(file + 0x22c, 0x37ffffff);
	put32(file + 0x238, 255);
	put64(file + 0x258, 0x200000);
	put32(file + 0x260, 0x80000);
}

static void make_header(u32 flags, u32 load)
{
	u8 *h = file + HEADER;

	put32(h, 0x1badb002);
	put32(h + 4, flags);
	put32(h + 12, load + HEADER);
	put32(h + 16, load);
	put32(h + 20, load + 0x1000);
	put32(h + 24, load + 0x2000);
	put32(h + 28, load + 0x100);
}

static void make_elf(void)
{
	Elf32_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
		.e_entry = 0xc0100010, .e_phoff = 0x200, .e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 3,
	};
	Elf32_Phdr ph[3] = {
		{ PT_LOAD, 0x1000, 0xc0100000, 0x100000, 0x800, 0x1000, 7, 0x1000 },
		{ PT_LOAD, 0x1800, 0xc0102000, 0x102000, 0x400, 0x400, 6, 0x1000 },
		{ PT_NOTE, 0x1c00, 0, 0, 0x20, 0x20, 4, 4 },
	};

	memcpy(file, &eh, sizeof(eh));
	memcpy(file + 0x200, ph, sizeof(ph));
	make_header(3, 0);
}

/* Where fields lie, so that changes hit them. */
static u32 place(struct fuzz_in *in, unsigned int kind)
{
	u8 b = fuzz_u8(in);

	switch (kind) {
	case 0:
		return b & 0x80 ? 0x1f1 + (b & 0x7f) : fuzz_u16(in) % FILE_MAX;
	case 1:
		return b & 0x80 ? HEADER + (b & 31) : fuzz_u16(in) % FILE_MAX;
	default:
		if (b & 0x80)
			return 0x200 + b % (3 * sizeof(Elf32_Phdr));
		return b & 0x40 ? b % sizeof(Elf32_Ehdr) : b & 0x20 ? HEADER + (b & 15) :
		       fuzz_u16(in) % FILE_MAX;
	}
}

static u32 any_value(struct fuzz_in *in)
{
	static const u32 near[] = {
		0, 1, 0xfff, 0x1000, 0x30000, 0x9fc00, 0xa0000, 0x100000, 0x102000, 0x200000,
		0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff, FILE_MAX, RAM_MAX,
	};
	u8 b = fuzz_u8(in);

	return b & 0x80 ? fuzz_u32(in) : near[b & 15] + (b >> 4) - 3;
}

static void change(struct fuzz_in *in, unsigned int kind)
{
	static const u8 width[4] = { 1, 2, 4, 4 };
	unsigned int k, at, n;
	u32 val;

	for (k = fuzz_u8(in) % 12; k; k--) {
		at = place(in, kind);
		n = width[fuzz_u8(in) & 3];
		val = any_value(in);
		if (at + n <= FILE_MAX)
			memcpy(file + at, &val, n);
	}
	/* The checksum is no obstacle, as a rule. */
	if (kind && fuzz_u8(in) & 7)
		put32(file + HEADER + 8, -(get32(file + HEADER) + get32(file + HEADER + 4)));
}

static struct boot_file copy_of(const char *name, const void *data, size_t size)
{
	u8 *p = malloc(size ? size : 1);

	memcpy(p, data, size);
	return (struct boot_file){ .name = name, .data = p, .size = size };
}

static void check_refusal(int r, const struct error *err)
{
	size_t len = strlen(err->text);

	fuzz_check(r == -EINVAL || r == -ENOSPC || r == -E2BIG, "result %d", r);
	fuzz_check(len > 10 && len < sizeof(err->text) && !strchr(err->text, '\n'), "text \"%s\"",
		   err->text);
}

static void check_regs(const struct boot_ram *ram, const struct vmon_regs *r)
{
	fuzz_check(r->cr0 == 0x11 && r->eflags == 2 && !r->cpl && !r->pad, "start state");
	fuzz_check(r->gdt_base + r->gdt_limit < ram->size, "descriptor table outside RAM");
	fuzz_check(get64(ram->data + r->gdt_base + r->seg[1].sel) == 0x00cf9b000000ffffull,
		   "code descriptor");
}

static void check_linux(const struct boot_image *im, const struct boot_ram *ram,
			const struct vmon_regs *r)
{
	const u8 *params = ram->data + r->gpr[6];
	u32 setup = (im->kernel.data[0x1f1] ? im->kernel.data[0x1f1] + 1 : 5) * 512;
	u32 at = get32(params + 0x218), size = get32(params + 0x21c);
	u64 end = BOOT_HIGH + im->kernel.size - setup;

	fuzz_check(r->gpr[6] + 0x1000 <= BOOT_STRINGS && r->eip == BOOT_HIGH, "entry");
	fuzz_check(end <= ram->size && !memcmp(ram->data + BOOT_HIGH, im->kernel.data + setup,
					       im->kernel.size - setup), "payload");
	fuzz_check(!strcmp((char *)ram->data + get32(params + 0x228), im->append), "command line");
	fuzz_check(!memcmp(ram->data + BOOT_ACPI, "RSD PTR ", 8) == !!im->platform, "ACPI");
	if (!size) {
		fuzz_check(!im->initrd.size, "no initrd");
		return;
	}
	fuzz_check(size == im->initrd.size && (u64)at + size <= ram->size && at >= end &&
		   !memcmp(ram->data + at, im->initrd.data, size), "initrd at %#x", at);
	fuzz_check((u64)at + size - 1 <= get32(im->kernel.data + 0x22c), "initrd above its limit");
}

static void check_multiboot(const struct boot_image *im, const struct boot_ram *ram,
			    const struct vmon_regs *r)
{
	const u8 *info = ram->data + r->gpr[3], *m;
	u32 i, last = BOOT_HIGH, n = get32(info) & 8 ? get32(info + 20) : 0;

	fuzz_check(r->gpr[0] == 0x2badb002, "magic");
	fuzz_check(n == im->n_modules, "%u modules of %u", n, im->n_modules);
	for (i = 0; i < n; i++) {
		m = ram->data + get32(info + 24) + 16 * i;
		fuzz_check(get32(m) >= last && get32(m + 4) <= ram->size &&
			   get32(m + 4) - get32(m) == im->modules[i].size &&
			   !memcmp(ram->data + get32(m), im->modules[i].data, im->modules[i].size),
			   "module %u at %#x", i, get32(m));
		fuzz_check(strstr((char *)ram->data + get32(m + 8), "mod"), "name of module %u", i);
		last = get32(m + 4);
	}
	fuzz_check(get32(info + 16) >= BOOT_STRINGS && get32(info + 16) < BOOT_STRINGS_END,
		   "command line");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	static const struct platform platform = { .pm_event = 0x600, .pci = true };
	unsigned int kind = fuzz_u8(&in) % 3, pick = fuzz_u8(&in), i;
	struct boot_file modules[4];
	struct boot_image image = { .modules = modules };
	struct error err = { 0 };
	struct vmon_regs regs;
	struct boot_ram ram;
	char append[300];
	int r;

	if (!ram_end)
		make_ram();
	memset(file, 0x11, sizeof(file));
	memset(file, 0, 0x400);
	if (kind == 0)
		make_linux();
	else if (kind == 1)
		make_header(0x10003, 0x100000);
	else
		make_elf();
	if (kind == 1)
		put32(file + HEADER + 8, -(0x1badb002 + 0x10003));
	change(&in, kind);

	ram.size = (2 + (pick >> 6)) * MIB;
	ram.data = ram_end - ram.size;
	memset(append, 'a', sizeof(append));
	append[pick & 1 ? fuzz_u16(&in) % sizeof(append) : 20] = 0;
	append[sizeof(append) - 1] = 0;
	image.append = append;
	image.platform = pick & 16 ? &platform : NULL;
	image.kernel = copy_of("kernel", file, pick & 2 ? fuzz_u16(&in) % FILE_MAX : FILE_MAX);
	if (pick & 4)
		image.initrd = copy_of("initrd", file, fuzz_u16(&in) % FILE_MAX);
	image.n_modules = pick & 8 ? fuzz_u8(&in) % 5 : 0;
	for (i = 0; i < image.n_modules; i++) {
		modules[i] = copy_of("dir/mod", file, fuzz_u16(&in) % FILE_MAX);
		modules[i].args = i & 1 ? append : NULL;
	}

	r = boot_check_memory(ram.size, &err);
	fuzz_check(!r, "%s", err.text);
	r = boot_load(&image, &ram, &regs, &err);
	if (r) {
		check_refusal(r, &err);
	} else {
		check_regs(&ram, &regs);
		if (linux_probe(&image.kernel))
			check_linux(&image, &ram, &regs);
		else
			check_multiboot(&image, &ram, &regs);
	}
	madvise(ram.data, ram.size, MADV_DONTNEED);
	free((void *)image.kernel.data);
	free((void *)image.initrd.data);
	for (i = 0; i < image.n_modules; i++)
		free((void *)modules[i].data);
	return 0;
}
