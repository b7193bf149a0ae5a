// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of ACPI (ACPI Specification 6.4, 5.2), by which a guest finds its power
 * button, the registers that power off and reset, and the interrupt lines of PCI.
 *
 *	BOOT_ACPI	RSDP, where guests search for it (5.2.5.1)
 *	 + 40h		RSDT, and XSDT at 80h: where the others are
 *	 + 100h		FADT: fixed hardware
 *	 + 400h		DSDT: devices, in AML
 *	BOOT_ACPI_NVS	FACS: the firmware's, no firmware uses it
 *
 * There is no MADT (5.2.12), which would name other interrupt controllers than two 8259s.
 */
#include <errno.h>
#include <string.h>

#include "boot/aml.h"
#include "boot/boot.h"

#define RSDT		(BOOT_ACPI + 0x40)
#define XSDT		(BOOT_ACPI + 0x80)
#define FADT		(BOOT_ACPI + 0x100)
#define DSDT		(BOOT_ACPI + 0x400)
#define FACS		BOOT_ACPI_NVS

#define HEADER_SIZE	36
#define RSDP_SIZE	36
#define RSDP_SIZE_1_0	20
#define FADT_SIZE	268	/* of ACPI 5.1 */
#define FACS_SIZE	64

/* FADT, 5.2.9. */
#define FADT_FACS	36
#define FADT_DSDT	40
#define FADT_SCI_INT	46
#define FADT_PM1A_EVT	56
#define FADT_PM1A_CNT	64
#define FADT_PM1_EVT_LEN 88
#define FADT_PM1_CNT_LEN 89
#define FADT_C2_LATENCY	96
#define FADT_C3_LATENCY	98
#define FADT_CENTURY	108
#define FADT_BOOT_ARCH	109
#define FADT_FLAGS	112
#define FADT_RESET_REG	116
#define FADT_RESET_VALUE 128
#define FADT_MINOR	131
#define FADT_X_DSDT	140
#define FADT_X_PM1A_EVT	148
#define FADT_X_PM1A_CNT	172

#define NO_C2		101	/* microseconds: more than 100 is never */
#define NO_C3		1001
#define CENTURY_REGISTER 0x32	/* of the clock */

#define ARCH_ISA_DEVICES 0x01	/* and without 02h no keyboard controller to look for */
#define ARCH_NO_VGA	0x04
#define ARCH_NO_MSI	0x08

/* A power button that is fixed hardware, but no such sleep button and no wake-up by the clock. */
#define FLAG_WBINVD	0x0001
#define FLAG_C1		0x0004
#define FLAG_NO_SLEEP_BUTTON 0x0020
#define FLAG_NO_RTC_WAKE 0x0040
#define FLAG_RESET_REG	0x0400
#define FLAG_HEADLESS	0x1000

/* Generic address structure, 5.2.3.2. */
#define GAS_PORTS	1
#define GAS_BYTE	1
#define GAS_WORD	2

/* Without the zero that ends it. */
static void put_text(u8 *p, const char *text)
{
	while (*text)
		*p++ = *text++;
}

static void put_checksum(u8 *table, size_t size, unsigned int at)
{
	u8 sum = 0;
	size_t i;

	table[at] = 0;
	for (i = 0; i < size; i++)
		sum += table[i];
	table[at] = -sum;
}

/* The header that tables have in common (5.2.6); last, because it has the checksum. */
static void put_header(u8 *table, const char *signature, u32 size, u8 revision)
{
	put_text(table, signature);
	put32(table + 4, size);
	table[8] = revision;
	put_text(table + 10, "VMON  VMONPC  ");
	put32(table + 24, 1);
	put_text(table + 28, "VMON");
	put32(table + 32, 1);
	put_checksum(table, size, 9);
}

static void put_gas(u8 *p, u16 port, unsigned int bytes, u8 access)
{
	p[0] = GAS_PORTS;
	p[1] = bytes * 8;
	p[3] = access;
	put64(p + 4, port);
}

static void put_rsdp(u8 *rsdp)
{
	put_text(rsdp, "RSD PTR ");
	put_text(rsdp + 9, "VMON  ");
	rsdp[15] = 2;
	put32(rsdp + 16, RSDT);
	put32(rsdp + 20, RSDP_SIZE);
	put64(rsdp + 24, XSDT);
	put_checksum(rsdp, RSDP_SIZE_1_0, 8);
	put_checksum(rsdp, RSDP_SIZE, 32);
}

static void put_fadt(u8 *fadt, const struct platform *p)
{
	put32(fadt + FADT_FACS, FACS);
	put32(fadt + FADT_DSDT, DSDT);
	put64(fadt + FADT_X_DSDT, DSDT);
	put16(fadt + FADT_SCI_INT, p->sci);
	put32(fadt + FADT_PM1A_EVT, p->pm_event);
	put32(fadt + FADT_PM1A_CNT, p->pm_control);
	fadt[FADT_PM1_EVT_LEN] = 4;
	fadt[FADT_PM1_CNT_LEN] = 2;
	put_gas(fadt + FADT_X_PM1A_EVT, p->pm_event, 4, GAS_WORD);
	put_gas(fadt + FADT_X_PM1A_CNT, p->pm_control, 2, GAS_WORD);
	put16(fadt + FADT_C2_LATENCY, NO_C2);
	put16(fadt + FADT_C3_LATENCY, NO_C3);
	fadt[FADT_CENTURY] = CENTURY_REGISTER;
	put16(fadt + FADT_BOOT_ARCH, ARCH_ISA_DEVICES | ARCH_NO_VGA | ARCH_NO_MSI);
	put32(fadt + FADT_FLAGS, FLAG_WBINVD | FLAG_C1 | FLAG_NO_SLEEP_BUTTON |
	      FLAG_NO_RTC_WAKE | FLAG_RESET_REG | FLAG_HEADLESS);
	put_gas(fadt + FADT_RESET_REG, p->reset_port, 1, GAS_BYTE);
	fadt[FADT_RESET_VALUE] = p->reset_value;
	fadt[FADT_MINOR] = 1;
	put_header(fadt, "FACP", FADT_SIZE, 5);
}

static void put_facs(u8 *facs)
{
	put_text(facs, "FACS");
	put32(facs + 4, FACS_SIZE);
	facs[32] = 2;
}

/* A device of ISA, with the resources that drivers look for. */
static void put_isa(struct aml *a, const char *name, const char *id, const struct platform_isa *d)
{
	u8 bytes[16];
	struct aml list = { bytes, sizeof(bytes), 0 };
	size_t at = aml_open(a, AML_DEVICE);

	aml_bytes(a, name, 4);
	aml_name(a, "_HID");
	aml_eisa_id(a, id);
	aml_ports(&list, d->port, d->ports);
	aml_irq(&list, d->irq);
	aml_resources(a, &list);
	aml_close(a, at);
}

/*
 * Which line INTA of a slot is connected to (6.2.13): any function of the slot, pin 0, no
 * device that routes it, the line. Lines are level triggered, as PCI's are.
 */
static void put_routing(struct aml *a, const struct platform *p)
{
	size_t table, entry;
	unsigned int i, n = 0;

	for (i = 0; i < PLATFORM_PCI_SLOTS; i++)
		n += p->pci_line[i] != 0;
	aml_name(a, "_PRT");
	table = aml_open(a, AML_PACKAGE);
	aml_byte(a, n);
	for (i = 0; i < PLATFORM_PCI_SLOTS; i++) {
		if (!p->pci_line[i])
			continue;
		entry = aml_open(a, AML_PACKAGE);
		aml_byte(a, 4);
		aml_integer(a, i << 16 | 0xffff);
		aml_integer(a, 0);
		aml_integer(a, 0);
		aml_integer(a, p->pci_line[i]);
		aml_close(a, entry);
	}
	aml_close(a, table);
}

static void put_pci(struct aml *a, const struct platform *p)
{
	u8 bytes[128];
	struct aml list = { bytes, sizeof(bytes), 0 };
	size_t at = aml_open(a, AML_DEVICE);

	aml_bytes(a, "PCI0", 4);
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0A03");
	aml_name(a, "_UID");
	aml_integer(a, 0);
	aml_range(&list, AML_BUSES, 0, 1);
	aml_ports(&list, p->pci_config, 8);
	aml_range(&list, AML_PORTS, p->pci_ports, p->pci_ports_size);
	aml_range(&list, AML_MEMORY, p->pci_memory, p->pci_memory_size);
	aml_resources(a, &list);
	put_routing(a, p);
	aml_close(a, at);
}

/* Return: bytes; more than there is room for if they do not fit. */
static size_t put_dsdt(u8 *dsdt, size_t room, const struct platform *p)
{
	struct aml a = { dsdt, room, HEADER_SIZE };
	size_t at;

	/* The sleep type of S5, for PM1a and for a PM1b that is not there (7.4.2). */
	aml_name(&a, "_S5_");
	at = aml_open(&a, AML_PACKAGE);
	aml_byte(&a, 4);
	aml_integer(&a, p->soft_off);
	aml_integer(&a, 0);
	aml_integer(&a, 0);
	aml_integer(&a, 0);
	aml_close(&a, at);

	at = aml_open(&a, AML_SCOPE);
	aml_bytes(&a, "_SB_", 4);
	if (p->pci)
		put_pci(&a, p);
	put_isa(&a, "RTC_", "PNP0B00", &p->rtc);
	put_isa(&a, "COM1", "PNP0501", &p->com1);
	aml_close(&a, at);
	if (a.n <= room)
		put_header(dsdt, "DSDT", a.n, 2);
	return a.n;
}

/**
 * boot_acpi() - write the tables of ACPI
 * @ram: guest RAM
 * @p: what they tell
 *
 * They are from BOOT_ACPI to BOOT_ACPI_END, RSDP first.
 */
void boot_acpi(const struct boot_ram *ram, const struct platform *p)
{
	u8 *base = ram->data;

	memset(base + BOOT_ACPI, 0, BOOT_ACPI_END - BOOT_ACPI);
	put_dsdt(base + DSDT, BOOT_ACPI_NVS - DSDT, p);
	put_fadt(base + FADT, p);
	put_facs(base + FACS);
	put32(base + RSDT + HEADER_SIZE, FADT);
	put_header(base + RSDT, "RSDT", HEADER_SIZE + 4, 1);
	put64(base + XSDT + HEADER_SIZE, FADT);
	put_header(base + XSDT, "XSDT", HEADER_SIZE + 8, 1);
	put_rsdp(base + BOOT_ACPI);
}
