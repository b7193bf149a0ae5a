// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI's tables: found as an operating system finds them, checksums, what they say; and the
 * AML, which ACPICA's compiler takes apart and puts together again to the same bytes.
 */
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "virtio_guest.h"
#include "boot/aml.h"
#include "boot/boot.h"

static struct boot_ram ram;
static u8 *fadt, *dsdt;
static char dir[64];
static char text[65536];	/* the DSDT in ACPI's source language */

static bool sums_up(const u8 *table, u32 size)
{
	u8 sum = 0;

	while (size--)
		sum += table[size];
	return !sum;
}

/* A table with its header, all of it among ACPI's. */
static u8 *table_at(u64 addr, const char *signature)
{
	u8 *t = ram.data + addr;

	if (addr < BOOT_ACPI || addr + 36 > BOOT_ACPI_NVS || memcmp(t, signature, 4) ||
	    addr + get32(t + 4) > BOOT_ACPI_NVS || !sums_up(t, get32(t + 4)))
		return NULL;
	return t;
}

/* The search of 5.2.5.1. */
static u32 find_rsdp(void)
{
	u32 at;

	for (at = 0xe0000; at < 0x100000; at += 16)
		if (!memcmp(ram.data + at, "RSD PTR ", 8) && sums_up(ram.data + at, 20))
			return at;
	return 0;
}

static void write_tables(void)
{
	struct platform p;

	machine_describe(&vg.m, &p);
	memset(ram.data, 0x5a, ram.size);
	boot_acpi(&ram, &p);
	fadt = table_at(get64(ram.data + 0xe0080 + 36), "FACP");
	dsdt = fadt ? table_at(get32(fadt + 40), "DSDT") : NULL;
}

static void test_tables(void)
{
	u8 *rsdp, *rsdt, *xsdt, *facs;
	u32 i, outside = 0;

	vg_start(false, false);
	write_tables();
	rsdp = ram.data + find_rsdp();
	tap_ok(rsdp != ram.data && rsdp[15] == 2 && get32(rsdp + 20) == 36 && sums_up(rsdp, 36),
	       "the root pointer is found, of revision 2");
	rsdt = table_at(get32(rsdp + 16), "RSDT");
	xsdt = table_at(get64(rsdp + 24), "XSDT");
	tap_ok(rsdt && get32(rsdt + 4) == 40 && xsdt && get32(xsdt + 4) == 44 &&
	       get32(rsdt + 36) == get64(xsdt + 36), "two root tables, which agree");
	tap_ok(fadt && get32(fadt + 4) == 268 && fadt[8] == 5 && fadt[131] == 1, "FADT of ACPI 5.1");
	tap_ok(dsdt && get64(fadt + 140) == get32(fadt + 40) && dsdt[8] == 2, "DSDT");
	facs = ram.data + get32(fadt + 36);
	tap_ok(!(get32(fadt + 36) & 63) && get32(fadt + 36) >= BOOT_ACPI_NVS &&
	       !memcmp(facs, "FACS", 4) && get32(facs + 4) == 64 && !get64(fadt + 132), "FACS");
	for (i = 0; i < ram.size; i++)
		outside += (i < BOOT_ACPI || i >= BOOT_ACPI_END) && ram.data[i] != 0x5a;
	tap_ok(!outside, "nothing is written elsewhere");
}

static void test_fadt(void)
{
	struct device *dev = machine_find(&vg.m, DEVICE_PORT, get32(fadt + 56));

	tap_ok(get16(fadt + 46) == 9 && (machine_level_lines(&vg.m) & 1 << 9),
	       "SCI: line 9, level triggered");
	tap_ok(dev == &vg.m.acpi_pm.dev && fadt[88] == 4 &&
	       dev == machine_find(&vg.m, DEVICE_PORT, get32(fadt + 64)) && fadt[89] == 2,
	       "PM1a is where the device is");
	tap_ok(fadt[148] == 1 && fadt[149] == 32 && get64(fadt + 152) == get32(fadt + 56) &&
	       fadt[172] == 1 && fadt[173] == 16 && get64(fadt + 176) == get32(fadt + 64),
	       "and so say the extended fields");
	tap_ok(!get32(fadt + 48) && !get32(fadt + 60) && !get32(fadt + 76) && !fadt[91] &&
	       !get32(fadt + 80), "no SMI command, PM1b, timer, general events");
	tap_ok((get32(fadt + 112) & 0x435) == 0x425 && !(get16(fadt + 109) & 0x22),
	       "flags: a fixed power button, a reset register; no keyboard, a clock");
	vg_write(DEVICE_PORT, get64(fadt + 120), 1, fadt[128]);
	tap_ok(fadt[116] == 1 && fadt[117] == 8 && vg.t.ends == 1 && vg.t.how == DEVICE_END_RESET,
	       "the reset register resets");
}

static bool command(const char *format, const char *name)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "cd %s && ", dir);

	snprintf(line + n, sizeof(line) - n, format, name);
	return system(line) == 0;
}

static size_t read_back(const char *name, const char *suffix, void *buf, size_t size)
{
	char path[256];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	f = fopen(path, "rb");
	if (f) {
		n = fread(buf, 1, size, f);
		fclose(f);
	}
	return n;
}

/* Take the DSDT apart, and put it together again; the header names the compiler. */
static bool survives(const char *name)
{
	static u8 again[8192];
	u32 size = get32(dsdt + 4);
	char path[256];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.dat", dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(dsdt, 1, size, f) != size || fclose(f))
		return false;
	if (!command("iasl -d %s.dat >log 2>&1", name) ||
	    !command("iasl -p again %s.dsl >>log 2>&1", name) ||
	    !command("grep -q ' 0 Errors, 0 Warnings, 0 Remarks' log", name)) {
		command("sed 's/^/# /' log", name);
		return false;
	}
	memset(text, 0, sizeof(text));
	n = read_back(name, ".dsl", text, sizeof(text) - 1);
	return n && read_back("again", ".aml", again, sizeof(again)) == size &&
	       !memcmp(again + 36, dsdt + 36, size - 36);
}

static unsigned int count(const char *what)
{
	const char *p = text;
	unsigned int n = 0;

	while ((p = strstr(p, what))) {
		n++;
		p++;
	}
	return n;
}

/* Without blanks, for text that is laid out in columns. */
static void squeeze(void)
{
	char *to = text, *p;

	for (p = text; *p; p++)
		if (*p != ' ' && *p != '\n')
			*to++ = *p;
	*to = 0;
}

static void test_isa(void)
{
	test_host_init(&vg.t);
	machine_destroy(&vg.m);
	machine_init(&vg.m, &vg.t.host, 64 << 20, false, NULL);
	write_tables();
	tap_ok(survives("isa"), "a machine without PCI: ACPICA has no complaint");
	squeeze();
	tap_ok(count("Name(_S5,Package(0x04)") == 1 && count("{0x05,Zero,Zero,Zero}") == 1,
	       "sleep type of S5");
	tap_ok(count("EisaId(\"PNP0501\")") == 1 && count("0x03F8,//RangeMinimum") == 1 &&
	       count("IRQNoFlags(){4}") == 1, "serial port");
	tap_ok(count("EisaId(\"PNP0B00\")") == 1 && count("0x0070,//RangeMinimum") == 1 &&
	       count("IRQNoFlags(){8}") == 1, "clock");
	tap_ok(!count("PCI0"), "no PCI");
}

static void test_pci(void)
{
	char entry[64];
	unsigned int i, right = 0;

	vg_start(false, false);
	for (i = 2; !machine_add_disk(&vg.m, &vg.disk.disk); i++)
		;
	tap_ok(!machine_add_rng(&vg.m) && i == 1 + MACHINE_DISKS, "a machine full of disks");
	write_tables();
	tap_ok(survives("pci"), "ACPICA has no complaint");
	squeeze();
	tap_ok(count("EisaId(\"PNP0A03\")") == 1 && count("0xE0000000,//RangeMinimum") == 1 &&
	       count("0xFEBFFFFF,//RangeMaximum") == 1 && count("0x1000,//RangeMinimum") == 1,
	       "the bridge, and what it passes on");
	for (i = 0; i < PCI_SLOTS; i++) {
		if (!vg.m.pci->slot[i])
			continue;
		snprintf(entry, sizeof(entry), i ? "{0x%04XFFFF,Zero,Zero,0x%02X}" : "{0xFFFF",
			 i, cfg_read(i, 0x3c, 1));
		right += count(entry) == (i ? 1 : 0);
	}
	tap_ok(right == 1 + MACHINE_DISKS + 1, "lines of all slots, as configuration space has them");
}

/* What a full bus would have needs more bytes for its length, and fits. */
static void test_full(void)
{
	struct platform p;
	unsigned int i;

	machine_describe(&vg.m, &p);
	for (i = 0; i < PLATFORM_PCI_SLOTS; i++)
		p.pci_line[i] = 15;
	boot_acpi(&ram, &p);
	tap_ok(table_at(dsdt - ram.data, "DSDT") && survives("full") && count("FFFF,") >= 32,
	       "32 slots, %u bytes", get32(dsdt + 4));
}

static void test_lengths(void)
{
	static const struct {
		size_t body;
		u8 encoded[3];
		unsigned int n;
	} t[] = {
		{ 0, { 0x01 }, 1 }, { 62, { 0x3f }, 1 }, { 63, { 0x41, 0x04 }, 2 },
		{ 4093, { 0x4f, 0xff }, 2 }, { 4094, { 0x81, 0x00, 0x01 }, 3 },
	};
	static u8 out[8192];
	unsigned int i, right = 0;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct aml a = { out, sizeof(out), 0 };
		size_t at = aml_open(&a, AML_PACKAGE), j;

		for (j = 0; j < t[i].body; j++)
			aml_byte(&a, j);
		aml_close(&a, at);
		right += a.n == 1 + t[i].n + t[i].body && out[0] == 0x12 &&
			 !memcmp(out + 1, t[i].encoded, t[i].n) &&
			 (!t[i].body || (!out[1 + t[i].n] && out[a.n - 1] == (u8)(j - 1)));
	}
	tap_ok(right == ARRAY_SIZE(t), "lengths of one, two and three bytes");
}

static void test_no_room(void)
{
	u8 *out = malloc(8);
	struct aml a = { out, 8, 0 };
	size_t at = aml_open(&a, AML_SCOPE);

	aml_bytes(&a, "_SB_", 4);
	aml_integer(&a, 0x12345678);
	aml_close(&a, at);
	tap_ok(a.n == 11, "what does not fit is not written, but counted");
	free(out);
}

int main(void)
{
	strcpy(dir, "/tmp/boot_acpi.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	ram.size = 2 << 20;
	ram.data = malloc(ram.size);
	tap_plan(6 + 6 + 5 + 4 + 1 + 2);
	test_tables();
	test_fadt();
	test_isa();
	test_pci();
	test_full();
	test_lengths();
	test_no_room();
	vg_end();
	free(ram.data);
	command("rm -r \"$PWD\"", "");
	return tap_done();
}
