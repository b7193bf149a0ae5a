// SPDX-License-Identifier: GPL-2.0
/* The Multiboot loader: flat and ELF images, modules, what is refused. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "boot/boot.h"

#define MIB	0x100000ull
#define SIZE	8192

static u8 file[SIZE];
static struct boot_ram ram;
static struct vmon_regs regs;
static struct error err;
static struct boot_image image;
static struct boot_file modules[2];

static void put_header(u32 at, u32 flags)
{
	put32(file + at, 0x1badb002);
	put32(file + at + 4, flags);
	put32(file + at + 8, -(0x1badb002 + flags));
}

static void start(void)
{
	unsigned int i;

	for (i = 0; i < SIZE; i++)
		file[i] = i * 13 + 5;
	memset(&image, 0, sizeof(image));
	image.kernel = (struct boot_file){ .name = "/boot/guest", .data = file, .size = SIZE };
	image.append = "a=1 b";
}

/* header at 20h; file from 10h on goes to 2 MiB; 16 KiB in memory. */
static void make_flat(void)
{
	start();
	put_header(0x20, 0x00010003);
	put32(file + 0x2c, 0x200010);
	put32(file + 0x30, 0x200000);
	put32(file + 0x34, 0x200000 + SIZE - 0x10);
	put32(file + 0x38, 0x204000);
	put32(file + 0x3c, 0x200040);
}

/* Linked at C0100000h, loaded at 1 MiB. */
static void make_elf(void)
{
	Elf32_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
		.e_entry = 0xc0100020, .e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh), .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 2,
	};
	Elf32_Phdr ph[2] = {
		{ .p_type = PT_NOTE },
		{ .p_type = PT_LOAD, .p_offset = 0x1000, .p_vaddr = 0xc0100000,
		  .p_paddr = 0x100000, .p_filesz = 0x800, .p_memsz = 0x3000 },
	};

	start();
	memcpy(file, &eh, sizeof(eh));
	memcpy(file + sizeof(eh), ph, sizeof(ph));
	put_header(0x1000, 0);
}

static int load(u64 memory)
{
	free(ram.data);
	ram.size = memory;
	ram.data = calloc(1, memory);
	memset(&err, 0, sizeof(err));
	return boot_load(&image, &ram, &regs, &err);
}

static bool refused(int r, int code, const char *text)
{
	bool ok = r == -code && strstr(err.text, text) && !strchr(err.text, '\n');

	if (!ok)
		printf("# %d: %s\n", r, err.text);
	return ok;
}

static u32 info(u32 at)
{
	return get32(ram.data + regs.gpr[3] + at);
}

static void test_flat(void)
{
	make_flat();
	tap_ok(load(16 * MIB) == 0, "a flat image loads");
	tap_ok(!memcmp(ram.data + 0x200000, file + 0x10, SIZE - 0x10) &&
	       !ram.data[0x200000 + SIZE], "where its header says");
	tap_ok(regs.eip == 0x200040 && regs.gpr[0] == 0x2badb002 && regs.cr0 == 0x11,
	       "entry, EAX, protected mode");
	put32(file + 0x34, 0);
	put32(file + 0x38, 0);
	tap_ok(load(16 * MIB) == 0 && ram.data[0x200000 + SIZE - 0x11] == file[SIZE - 1],
	       "load_end 0: the whole file");
}

static void test_elf(void)
{
	make_elf();
	tap_ok(load(16 * MIB) == 0, "an ELF image loads");
	tap_ok(!memcmp(ram.data + 0x100000, file + 0x1000, 0x800) &&
	       !ram.data[0x100800], "at its physical address");
	tap_ok(regs.eip == 0x100020, "entry made physical");
}

static void test_info(void)
{
	u32 mods;

	make_elf();
	modules[0] = (struct boot_file){ .name = "dir/one", .args = "x y", .data = file,
					 .size = 5000 };
	modules[1] = (struct boot_file){ .name = "two", .data = file, .size = 1 };
	image.modules = modules;
	image.n_modules = 2;
	tap_ok(load(16 * MIB) == 0 && (info(0) & 0x24d) == 0x24d, "flags");
	tap_ok(info(4) == 639 && info(8) == 15 * 1024, "memory sizes");
	tap_ok(!strcmp((char *)ram.data + info(16), "guest a=1 b"), "command line");
	mods = info(24);
	tap_ok(info(20) == 2 && get32(ram.data + mods) == 0x103000 &&
	       get32(ram.data + mods + 4) == 0x103000 + 5000 &&
	       get32(ram.data + mods + 16) == 0x105000, "modules: on pages, behind the kernel");
	tap_ok(!memcmp(ram.data + 0x103000, file, 5000), "module contents");
	tap_ok(!strcmp((char *)ram.data + get32(ram.data + mods + 8), "one x y") &&
	       !strcmp((char *)ram.data + get32(ram.data + mods + 24), "two"), "module strings");
	tap_ok(info(44) == 96 && get32(ram.data + info(48)) == 20 &&
	       get64(ram.data + info(48) + 72 + 4) == MIB &&
	       get64(ram.data + info(48) + 72 + 12) == 15 * MIB, "memory map");
	tap_ok(!strcmp((char *)ram.data + info(64), "vmon"), "boot loader name");
}

static void test_refused(void)
{
	static char longer[70000];

	make_flat();
	put_header(0x20, 0x00010008);
	tap_ok(refused(load(16 * MIB), EINVAL, "features 8h"), "an unknown required flag");
	make_flat();
	put32(file + 0x30, 0x200020);
	tap_ok(refused(load(16 * MIB), EINVAL, "load_addr"), "load_addr after header_addr");
	make_flat();
	put32(file + 0x34, 0x100000);
	tap_ok(refused(load(16 * MIB), EINVAL, "out of order"), "load_end before load");
	make_flat();
	put32(file + 0x34, 0);
	put32(file + 0x38, 0x1fffff);
	tap_ok(refused(load(16 * MIB), EINVAL, "out of order"), "bss_end before load");
	make_flat();
	put32(file + 0x34, 0x300000);
	put32(file + 0x38, 0x300000);
	tap_ok(refused(load(16 * MIB), EINVAL, "truncated"), "load_end after the file");
	make_flat();
	put32(file + 0x38, 0xfffffff0);
	tap_ok(refused(load(16 * MIB), ENOSPC, "use --memory"), "bss beyond memory");
	make_flat();
	put32(file + 0x2c, 0x7c10);
	put32(file + 0x30, 0x7c00);
	put32(file + 0x34, 0);
	put32(file + 0x38, 0);
	tap_ok(refused(load(16 * MIB), EINVAL, "at 7c00h"), "over the loader's own data");
	make_elf();
	file[4] = ELFCLASS64;
	tap_ok(refused(load(16 * MIB), EINVAL, "32-bit x86 ELF"), "ELF64");
	make_elf();
	put_header(0x1000, 0);
	file[0] = 0;
	tap_ok(refused(load(16 * MIB), EINVAL, "no ELF"), "neither ELF nor addresses");
	make_elf();
	image.kernel.size = 0x1400;
	tap_ok(refused(load(16 * MIB), EINVAL, "truncated"), "truncated ELF");
	make_elf();
	image.initrd = (struct boot_file){ .name = "i", .data = file, .size = 1 };
	tap_ok(refused(load(16 * MIB), EINVAL, "takes --module"), "initrd for Multiboot");
	make_elf();
	modules[0] = (struct boot_file){ .name = "big", .data = file, .size = SIZE };
	image.modules = modules;
	image.n_modules = 1;
	tap_ok(load(2 * MIB) == 0, "a module fits");
	modules[0].data = calloc(1, 2 * MIB);
	modules[0].size = 2 * MIB;
	tap_ok(refused(load(2 * MIB), ENOSPC, "module 'big'"), "a module does not fit");
	free((void *)modules[0].data);
	make_elf();
	memset(longer, 'x', sizeof(longer) - 1);
	image.append = longer;
	tap_ok(refused(load(16 * MIB), E2BIG, "command lines"), "command line too long");
}

static void test_noise(void)
{
	unsigned int i, j, ok = 0, loaded = 0;
	u8 *copy;
	u32 x = 1;

	make_elf();
	tap_ok(load(4 * MIB) == 0, "RAM for what follows");
	for (i = 0; i < SIZE; i += 7) {
		copy = malloc(i ? i : 1);
		memcpy(copy, file, i);
		image.kernel.data = copy;
		image.kernel.size = i;
		ok += boot_load(&image, &ram, &regs, &err) == 0;
		free(copy);
	}
	tap_ok(ok <= (SIZE - 0x1800) / 7 + 1, "no truncated ELF is loaded");
	make_elf();
	for (i = 0; i < 100000; i++) {
		if (i & 1)
			make_elf();
		else
			make_flat();
		for (j = 0; j < 3; j++) {
			x = x * 1664525 + 1013904223;
			file[(x >> 8) % (i & 1 ? 0x80 : 0x40)] = x >> 24;
		}
		loaded += boot_load(&image, &ram, &regs, &err) == 0;
	}
	tap_ok(loaded && loaded < 100000, "100000 damaged headers, %u loaded", loaded);
}

int main(void)
{
	tap_plan(32);
	test_flat();
	test_elf();
	test_info();
	test_refused();
	test_noise();
	free(ram.data);
	return tap_done();
}
