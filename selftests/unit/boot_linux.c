// SPDX-License-Identifier: GPL-2.0
/* The bzImage loader: where things go, what is refused, and no byte outside RAM. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "boot/boot.h"

#define MIB		0x100000ull
#define SETUP		(5 * 512)
#define PAYLOAD		(64 * 1024)
#define KERNEL		(SETUP + PAYLOAD)
#define PARAMS		(ram.data + get_esi())

static u8 kernel[KERNEL];
static u8 initrd[3 * 1024 * 1024 + 5];
static struct boot_ram ram;
static struct vmon_regs regs;
static struct error err;
static struct boot_image image;

static u32 get_esi(void)
{
	return regs.gpr[6];
}

static void make_kernel(void)
{
	unsigned int i;

	memset(kernel, 0, sizeof(kernel));
	kernel[0x1f1] = 4;
	put32(kernel + 0x1f4, PAYLOAD / 16);
	put16(kernel + 0x1fe, 0xaa55);
	kernel[0x200] = 0xeb;
	kernel[0x201] = 0x66;
	memcpy(kernel + 0x202, "HdrS", 4);
	put16(kernel + 0x206, 0x020f);
	kernel[0x211] = 0x01;
	put32(kernel + 0x214, 0x100000);
	put32(kernel + 0x22c, 0x37ffffff);
	put32(kernel + 0x230, 0x200000);
	kernel[0x234] = 1;
	put32(kernel + 0x238, 2047);
	put64(kernel + 0x258, 0x1000000);
	put32(kernel + 0x260, 0x800000);
	for (i = 0; i < PAYLOAD; i++)
		kernel[SETUP + i] = i * 7 + 1;
}

/* RAM of exactly this size, so that the sanitizer sees a byte beyond it. */
static int load(u64 memory)
{
	int r;

	free(ram.data);
	ram.size = memory;
	ram.data = calloc(1, memory);
	memset(&err, 0, sizeof(err));
	r = boot_check_memory(memory, &err);
	return r < 0 ? r : boot_load(&image, &ram, &regs, &err);
}

static void start(void)
{
	make_kernel();
	memset(&image, 0, sizeof(image));
	image.kernel = (struct boot_file){ .name = "k", .data = kernel, .size = KERNEL };
	image.append = "console=ttyS0";
}

static void add_initrd(size_t size)
{
	image.initrd = (struct boot_file){ .name = "i", .data = initrd, .size = size };
}

/* A refusal names the thing and is one line. */
static bool refused(int r, int code, const char *text)
{
	bool ok = r == -code && strstr(err.text, text) && !strchr(err.text, '\n');

	if (!ok)
		printf("# %d: %s\n", r, err.text);
	return ok;
}

static void test_load(void)
{
	u64 top = 0, total = 0;
	unsigned int i;
	u8 *e;

	start();
	memset(initrd, 0x5a, sizeof(initrd));
	add_initrd(sizeof(initrd));
	tap_ok(load(64 * MIB) == 0, "a kernel and an initrd load");
	tap_ok(!memcmp(ram.data + 0x100000, kernel + SETUP, PAYLOAD), "payload is at 1 MiB");
	tap_ok(regs.eip == 0x100000 && (regs.cr0 & 0x80000001) == 1 && regs.eflags == 2,
	       "entry: protected mode, no paging, interrupts off");
	tap_ok(regs.seg[1].sel == 0x10 && regs.seg[1].attr == 0xc09b &&
	       regs.seg[3].sel == 0x18 && regs.seg[3].attr == 0xc093 &&
	       regs.seg[0].limit == 0xffffffff && regs.seg[2].base == 0,
	       "entry: flat segments of the boot protocol");
	tap_ok(get64(ram.data + regs.gdt_base + 0x10) == 0x00cf9b000000ffffull &&
	       get64(ram.data + regs.gdt_base + 0x18) == 0x00cf93000000ffffull &&
	       regs.gdt_limit == 31, "the table agrees with the registers");
	tap_ok(!regs.gpr[3] && !regs.gpr[5] && !regs.gpr[7], "EBX, EBP, EDI are zero");
	tap_ok(!memcmp(PARAMS + 0x202, "HdrS", 4) && PARAMS[0x210] == 0xff &&
	       get16(PARAMS + 0x1fa) == 0xffff, "boot_params: header and loader");
	tap_ok(!strcmp((char *)ram.data + get32(PARAMS + 0x228), "console=ttyS0"),
	       "command line");
	tap_ok(get32(PARAMS + 0x21c) == sizeof(initrd) &&
	       get32(PARAMS + 0x218) % 4096 == 0 &&
	       get32(PARAMS + 0x218) + sizeof(initrd) > 64 * MIB - 4096 &&
	       !memcmp(ram.data + get32(PARAMS + 0x218), initrd, sizeof(initrd)),
	       "initrd is at the top of memory");
	for (i = 0, e = PARAMS + 0x2d0; i < PARAMS[0x1e8]; i++, e += 20) {
		if (get64(e) < top)
			break;
		top = get64(e) + get64(e + 8);
		if (get32(e + 16) == 1)
			total += get64(e + 8);
	}
	tap_ok(i == PARAMS[0x1e8] && top == 64 * MIB && total == 63 * MIB + 0x9fc00,
	       "memory map: in order, no overlap, the right sum");
	tap_ok(get16(ram.data + 0x40e) == 0x9fc0 && get16(ram.data + 0x413) == 639,
	       "BIOS data area");
}

/* Entries of the memory map of this type; *@start and *@end: the last. */
static unsigned int entries(u32 type, u64 *start, u64 *end)
{
	unsigned int i, n = 0;
	const u8 *e;

	for (i = 0, e = PARAMS + 0x2d0; i < PARAMS[0x1e8]; i++, e += 20) {
		if (get32(e + 16) != type)
			continue;
		*start = get64(e);
		*end = *start + get64(e + 8);
		n++;
	}
	return n;
}

static void test_acpi(void)
{
	struct platform platform = { .pm_event = 0x600 };
	u64 tables, tables_end, nvs, nvs_end;

	start();
	tap_ok(load(64 * MIB) == 0 && !get64(PARAMS + 0x70) && !entries(3, &tables, &tables_end) &&
	       !entries(4, &nvs, &nvs_end) && !ram.data[BOOT_ACPI], "no ACPI without a platform");
	image.platform = &platform;
	tap_ok(load(64 * MIB) == 0 && get64(PARAMS + 0x70) == 0xe0000 &&
	       !memcmp(ram.data + 0xe0000, "RSD PTR ", 8), "boot_params say where ACPI's tables are");
	tap_ok(entries(3, &tables, &tables_end) == 1 && tables == BOOT_ACPI &&
	       tables_end == BOOT_ACPI_NVS && entries(4, &nvs, &nvs_end) == 1 &&
	       nvs == BOOT_ACPI_NVS && nvs_end == BOOT_ACPI_END, "and the memory map");
	put16(kernel + 0x206, 0x020d);
	tap_ok(load(64 * MIB) == 0 && !get64(PARAMS + 0x70) &&
	       !memcmp(ram.data + 0xe0000, "RSD PTR ", 8), "an older kernel searches for them");
}

static void test_limits(void)
{
	start();
	add_initrd(1 * MIB);
	put32(kernel + 0x22c, 0x2ffffff);
	tap_ok(load(64 * MIB) == 0 && get32(PARAMS + 0x218) == 47 * MIB,
	       "initrd stays below initrd_addr_max");
	tap_ok(refused(load(16 * MIB), ENOSPC, "use --memory 32M"), "too little memory");
	tap_ok(load(25 * MIB) == 0, "just enough memory");
	add_initrd(sizeof(initrd));
	tap_ok(refused(load(26 * MIB), ENOSPC, "initrd 'i'"), "initrd does not fit");
	tap_ok(refused(load(MIB), EINVAL, "at least 2M"), "1 MiB of memory");
	tap_ok(refused(load(64 * MIB + 1), EINVAL, "use --memory 65M"), "unaligned memory");
	err.text[0] = 0;
	tap_ok(refused(boot_check_memory(4096 * MIB, &err), EINVAL, "at most 3584M"),
	       "4 GiB of memory");
	put32(kernel + 0x22c, 0x19fffff);
	tap_ok(refused(load(64 * MIB), ENOSPC, "too large"), "initrd above what the kernel takes");
	start();
	put32(kernel + 0x238, 12);
	tap_ok(refused(load(64 * MIB), E2BIG, "command line has 13"), "command line too long");
	put32(kernel + 0x238, 13);
	tap_ok(load(64 * MIB) == 0, "command line just fits");
}

static void test_bad_images(void)
{
	struct boot_file module = { .name = "m", .data = initrd, .size = 1 };

	start();
	put16(kernel + 0x206, 0x0205);
	tap_ok(refused(load(64 * MIB), EINVAL, "2.05"), "old boot protocol");
	start();
	kernel[0x211] = 0;
	tap_ok(refused(load(64 * MIB), EINVAL, "zImage"), "zImage");
	start();
	image.kernel.size = KERNEL - 4096;
	tap_ok(refused(load(64 * MIB), EINVAL, "truncated"), "truncated payload");
	image.kernel.size = SETUP;
	tap_ok(refused(load(64 * MIB), EINVAL, "truncated"), "no payload");
	image.kernel.size = 1024;
	tap_ok(refused(load(64 * MIB), EINVAL, "truncated"), "truncated setup");
	start();
	put32(kernel + 0x1f4, 0xffffffff);
	tap_ok(refused(load(64 * MIB), EINVAL, "truncated"), "absurd payload size");
	start();
	put64(kernel + 0x258, 0xffffffff00000000ull);
	tap_ok(refused(load(64 * MIB), EINVAL, "32-bit kernel"), "absurd load address");
	start();
	put32(kernel + 0x260, 0xffffffff);
	tap_ok(refused(load(64 * MIB), ENOSPC, "use --memory"), "absurd init_size");
	start();
	kernel[0x201] = 2;
	tap_ok(refused(load(64 * MIB), EINVAL, "damaged"), "header too short");
	start();
	memcpy(kernel + 0x202, "XXXX", 4);
	tap_ok(refused(load(64 * MIB), EINVAL, "neither"), "no kernel at all");
	image.kernel.size = 0;
	tap_ok(refused(load(64 * MIB), EINVAL, "neither"), "empty file");
	start();
	image.modules = &module;
	image.n_modules = 1;
	tap_ok(refused(load(64 * MIB), EINVAL, "takes --initrd"), "module for Linux");
}

/* Every length, and header bytes at random: sanitizers watch. */
static void test_noise(void)
{
	unsigned int i, j, loaded = 0;
	u8 *copy;
	u32 x = 1;

	free(ram.data);
	ram.size = 32 * MIB;
	ram.data = calloc(1, ram.size);
	start();
	for (i = 0; i < KERNEL; i += i < 0x300 ? 1 : 509) {
		copy = malloc(i ? i : 1);
		memcpy(copy, kernel, i);
		image.kernel = (struct boot_file){ .name = "k", .data = copy, .size = i };
		loaded += boot_load(&image, &ram, &regs, &err) == 0;
		free(copy);
	}
	tap_ok(!loaded, "no truncated image is loaded");
	start();
	add_initrd(70000);
	for (i = 0; i < 20000; i++) {
		make_kernel();
		for (j = 0; j < 3; j++) {
			x = x * 1664525 + 1013904223;
			kernel[0x1f1 + (x >> 8) % 0x80] = x >> 24;
		}
		loaded += boot_load(&image, &ram, &regs, &err) == 0;
	}
	tap_ok(loaded && loaded < 20000, "20000 damaged headers, %u loaded", loaded);
}

int main(void)
{
	tap_plan(39);
	test_load();
	test_acpi();
	test_limits();
	test_bad_images();
	test_noise();
	free(ram.data);
	return tap_done();
}
