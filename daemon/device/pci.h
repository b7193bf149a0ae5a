/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI function: its 256 bytes of configuration space and its base addresses.
 *
 * What a guest can read is one array; what it can change there is a second array
 * of writable bits, and what a BIOS would have left there after power-on is a
 * third. All registers of a type 0 header follow from these three, the size
 * of a base address too: its low bits are not writable (PCI Local Bus
 * Specification 3.0, 6.1 to 6.2.5). No BIOS runs, so vmond gives out addresses
 * and interrupt lines itself.
 */
#ifndef VMON_DEVICE_PCI_H
#define VMON_DEVICE_PCI_H

#include "device/device.h"

#define PCI_CONFIG_SIZE	256
#define PCI_BARS	6

/* Registers of the header. */
#define PCI_VENDOR_ID		0x00
#define PCI_DEVICE_ID		0x02
#define PCI_COMMAND		0x04
#define PCI_COMMAND_IO		0x0001
#define PCI_COMMAND_MEMORY	0x0002
#define PCI_COMMAND_MASTER	0x0004
#define PCI_COMMAND_INTX_OFF	0x0400
#define PCI_STATUS		0x06
#define PCI_STATUS_INTX		0x08
#define PCI_STATUS_CAPS		0x10
#define PCI_REVISION		0x08
#define PCI_CLASS_PROG		0x09
#define PCI_CLASS		0x0a
#define PCI_HEADER_TYPE		0x0e
#define PCI_BAR(n)		(0x10 + 4 * (n))
#define PCI_BAR_IO		0x01
#define PCI_SUBSYSTEM_VENDOR	0x2c
#define PCI_SUBSYSTEM_ID	0x2e
#define PCI_CAPS		0x34
#define PCI_LINE		0x3c
#define PCI_PIN			0x3d
#define PCI_FIRST_CAP		0x40

#define PCI_CAP_VENDOR		0x09

/* Ports of configuration mechanism #1, 8 bytes, and the reset register among them. */
#define PCI_CONFIG_ADDRESS	0xcf8
#define PCI_RESET_CONTROL	0xcf9
#define PCI_RESET_SYSTEM	0x02
#define PCI_RESET_CPU		0x04	/* from 0 to 1: now */
#define PCI_CONFIG_DATA		0xcfc

struct pci_host;
struct pci_function;

/**
 * struct pci_function_ops - one kind of function; all but @name may be missing
 * @name:	for people
 * @bar_read:	read @size (1, 2, 4) bytes at @offset of base address @bar
 * @bar_write:	the same, write
 * @config_read: before @size bytes of configuration space at @at are read
 * @config_written: after they were written
 * @reset:	to power-on state; configuration space has been put back already
 * @flush, @deadline, @tick, @busy: as in struct device_ops
 * @save, @restore: as in struct device_ops, without configuration space
 */
struct pci_function_ops {
	const char *name;
	u32 (*bar_read)(struct pci_function *fn, unsigned int bar, u32 offset,
			unsigned int size);
	void (*bar_write)(struct pci_function *fn, unsigned int bar, u32 offset,
			  unsigned int size, u32 data);
	void (*config_read)(struct pci_function *fn, u32 at, unsigned int size);
	void (*config_written)(struct pci_function *fn, u32 at, unsigned int size);
	void (*reset)(struct pci_function *fn);
	void (*flush)(struct pci_function *fn);
	u64 (*deadline)(struct pci_function *fn);
	void (*tick)(struct pci_function *fn);
	bool (*busy)(struct pci_function *fn);
	size_t (*save)(const struct pci_function *fn, void *buf, size_t size);
	int (*restore)(struct pci_function *fn, const void *buf, size_t size);
};

struct pci_ids {
	u16 vendor, device;
	u16 subsystem_vendor, subsystem;
	u16 class;		/* base class and subclass */
	u8 revision;
};

/**
 * struct pci_function - a function, 0 of its slot
 * @ops:	what kind
 * @host:	the bridge it is behind, once plugged
 * @slot:	where
 * @irq:	it asks for an interrupt; set by pci_set_irq()
 * @config:	configuration space; this and @irq are the state
 * @writable:	bits of it that the guest can change
 * @preset:	its contents after a reset
 * @bar_size:	bytes of each base address, 0 for none
 * @end:	first byte after the last capability
 */
struct pci_function {
	const struct pci_function_ops *ops;
	struct pci_host *host;
	unsigned int slot;
	bool irq;
	u8 config[PCI_CONFIG_SIZE];
	u8 writable[PCI_CONFIG_SIZE];
	u8 preset[PCI_CONFIG_SIZE];
	u32 bar_size[PCI_BARS];
	u32 end;
};

void pci_init(struct pci_function *fn, const struct pci_function_ops *ops,
	      const struct pci_ids *ids);
void pci_add_bar(struct pci_function *fn, unsigned int bar, bool io, u32 size);
u32 pci_add_capability(struct pci_function *fn, u8 id, unsigned int size);
void pci_reset(struct pci_function *fn);

u32 pci_config_read(struct pci_function *fn, u32 at, unsigned int size);
void pci_config_write(struct pci_function *fn, u32 at, unsigned int size, u32 data);
bool pci_bar_at(const struct pci_function *fn, enum device_space space, u64 addr,
		unsigned int size, unsigned int *bar, u32 *offset);

static inline u32 pci_get(const u8 *p, unsigned int size)
{
	u32 value = 0;

	while (size--)
		value = value << 8 | p[size];
	return value;
}

static inline void pci_put(u8 *p, unsigned int size, u32 value)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		p[i] = value >> 8 * i;
}

#endif /* VMON_DEVICE_PCI_H */
