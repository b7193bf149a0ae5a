/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Configuration space of a PC without PCI, and the reset register at CF9h.
 */
#ifndef VMON_DEVICE_PCI_ABSENT_H
#define VMON_DEVICE_PCI_ABSENT_H

#include "device/device.h"

struct pci_absent {
	struct device dev;
	u8 value;		/* last byte written */
};

void pci_absent_init(struct pci_absent *pci, struct device_host *host);

#endif /* VMON_DEVICE_PCI_ABSENT_H */
