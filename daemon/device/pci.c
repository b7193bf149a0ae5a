// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space of a PCI function: reading, writing, base addresses.
 */
#include <string.h>

#include "device/pci.h"

#define HEADER_COMMAND	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | \
			 PCI_COMMAND_INTX_OFF)

/**
 * pci_init() - make a function without base addresses and capabilities
 * @fn: to initialize
 * @ops: what kind
 * @ids: identification
 */
void pci_init(struct pci_function *fn, const struct pci_function_ops *ops,
	      const struct pci_ids *ids)
{
	memset(fn, 0, sizeof(*fn));
	fn->ops = ops;
	fn->end = PCI_FIRST_CAP;
	pci_put(fn->preset + PCI_VENDOR_ID, 2, ids->vendor);
	pci_put(fn->preset + PCI_DEVICE_ID, 2, ids->device);
	pci_put(fn->preset + PCI_SUBSYSTEM_VENDOR, 2, ids->subsystem_vendor);
	pci_put(fn->preset + PCI_SUBSYSTEM_ID, 2, ids->subsystem);
	pci_put(fn->preset + PCI_CLASS, 2, ids->class);
	fn->preset[PCI_REVISION] = ids->revision;
	pci_put(fn->writable + PCI_COMMAND, 2, HEADER_COMMAND);
	fn->writable[PCI_LINE] = 0xff;
	memcpy(fn->config, fn->preset, sizeof(fn->config));
}

/**
 * pci_add_bar() - give a function a base address
 * @fn: not plugged yet
 * @bar: which, 0 to 5
 * @io: ports, else 32-bit memory that must not be prefetched
 * @size: bytes, a power of two: from 4 (ports) or 16 (memory)
 */
void pci_add_bar(struct pci_function *fn, unsigned int bar, bool io, u32 size)
{
	fn->bar_size[bar] = size;
	fn->preset[PCI_BAR(bar)] = io ? PCI_BAR_IO : 0;
	pci_put(fn->writable + PCI_BAR(bar), 4, ~(size - 1));
}

/**
 * pci_add_capability() - append a capability to the list
 * @fn: not plugged yet
 * @id: capability ID
 * @size: bytes, with the two of ID and link
 *
 * Return: where it is; fill in @preset and @writable from there + 2.
 */
u32 pci_add_capability(struct pci_function *fn, u8 id, unsigned int size)
{
	u32 at = fn->end, last = PCI_CAPS;

	while (fn->preset[last])
		last = fn->preset[last] + 1;
	fn->preset[last] = at;
	fn->preset[at] = id;
	pci_put(fn->preset + PCI_STATUS, 2, PCI_STATUS_CAPS);
	fn->end = (at + size + 3) & ~3u;
	return at;
}

/* Configuration space as a BIOS leaves it. */
void pci_reset(struct pci_function *fn)
{
	memcpy(fn->config, fn->preset, sizeof(fn->config));
	if (fn->ops->reset)
		fn->ops->reset(fn);
}

/**
 * pci_config_read() - read configuration space
 * @fn: function
 * @at: offset, @at + @size at most 256
 * @size: 1, 2 or 4 bytes
 */
u32 pci_config_read(struct pci_function *fn, u32 at, unsigned int size)
{
	u32 value;

	if (fn->ops->config_read)
		fn->ops->config_read(fn, at, size);
	value = pci_get(fn->config + at, size);
	if (fn->irq && at <= PCI_STATUS && at + size > PCI_STATUS)
		value |= PCI_STATUS_INTX << 8 * (PCI_STATUS - at);
	return value;
}

/**
 * pci_config_write() - write configuration space
 * @fn: function
 * @at: offset, @at + @size at most 256
 * @size: 1, 2 or 4 bytes
 * @data: value
 */
void pci_config_write(struct pci_function *fn, u32 at, unsigned int size, u32 data)
{
	unsigned int i;

	for (i = 0; i < size; i++) {
		u8 mask = fn->writable[at + i];

		fn->config[at + i] = (fn->config[at + i] & ~mask) | (data >> 8 * i & mask);
	}
	if (fn->ops->config_written)
		fn->ops->config_written(fn, at, size);
}

/**
 * pci_bar_at() - does a function answer at an address?
 * @fn: function
 * @space: ports or memory
 * @addr: port or guest physical address
 * @size: bytes of the access, all of which must be inside
 * @bar: gets the base address
 * @offset: gets the offset in it
 */
bool pci_bar_at(const struct pci_function *fn, enum device_space space, u64 addr,
		unsigned int size, unsigned int *bar, u32 *offset)
{
	u8 enable = space == DEVICE_PORT ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	unsigned int i;

	if (!(fn->config[PCI_COMMAND] & enable))
		return false;
	for (i = 0; i < PCI_BARS; i++) {
		u32 value = pci_get(fn->config + PCI_BAR(i), 4);
		u32 base = value & ~(fn->bar_size[i] - 1);

		if (!fn->bar_size[i] || (value & PCI_BAR_IO ? DEVICE_PORT : DEVICE_MMIO) != space)
			continue;
		if (addr < base || addr - base > fn->bar_size[i] - size)
			continue;
		*bar = i;
		*offset = addr - base;
		return true;
	}
	return false;
}
