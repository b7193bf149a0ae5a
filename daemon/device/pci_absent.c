// SPDX-License-Identifier: GPL-2.0
/*
 * Ports CF8h-CFFh of a machine without a PCI host bridge.
 *
 * All reads give ones, so neither configuration mechanism is found (PCI Local
 * Bus Specification 3.0, 3.2.2.3). Port CF9h is the chipset's reset control
 * register: bit 2 going from 0 to 1 resets the machine.
 */
#include <string.h>

#include "device/pci.h"
#include "device/pci_absent.h"

static u32 pci_absent_read(struct device *dev, u64 addr, unsigned int size)
{
	struct pci_absent *pci = container_of(dev, struct pci_absent, dev);

	return addr == PCI_RESET_CONTROL && size == 1 ? pci->value : 0xffffffffu;
}

static void pci_absent_write(struct device *dev, u64 addr, unsigned int size, u32 data)
{
	struct pci_absent *pci = container_of(dev, struct pci_absent, dev);

	if (addr != PCI_RESET_CONTROL || size != 1)
		return;
	if (data & ~pci->value & PCI_RESET_CPU)
		dev->host->end(dev->host, DEVICE_END_RESET, 0);
	pci->value = data & ~PCI_RESET_CPU;
}

static void pci_absent_reset(struct device *dev)
{
	container_of(dev, struct pci_absent, dev)->value = 0;
}

static size_t pci_absent_save(const struct device *dev, void *buf, size_t size)
{
	const struct pci_absent *pci = container_of(dev, struct pci_absent, dev);

	return device_save_state(&pci->value, sizeof(pci->value), 1, buf, size);
}

static int pci_absent_restore(struct device *dev, const void *buf, size_t size)
{
	struct pci_absent *pci = container_of(dev, struct pci_absent, dev);

	return device_restore_state(&pci->value, sizeof(pci->value), 1, buf, size);
}

static const struct device_range pci_absent_ranges[] = {
	{ DEVICE_PORT, PCI_CONFIG_ADDRESS, 8 },
};

static const struct device_ops pci_absent_ops = {
	.name = "pci_absent",
	.ranges = pci_absent_ranges,
	.n_ranges = ARRAY_SIZE(pci_absent_ranges),
	.width = 4,
	.read = pci_absent_read,
	.write = pci_absent_write,
	.reset = pci_absent_reset,
	.save = pci_absent_save,
	.restore = pci_absent_restore,
};

/**
 * pci_absent_init() - make the device
 * @pci: to initialize
 * @host: the machine it is in
 */
void pci_absent_init(struct pci_absent *pci, struct device_host *host)
{
	memset(pci, 0, sizeof(*pci));
	pci->dev.ops = &pci_absent_ops;
	pci->dev.host = host;
}
