/* SPDX-License-Identifier: GPL-2.0 */
/* The PCI host bridge and what is behind it, see pci_host.c. */
#ifndef VMON_DEVICE_PCI_HOST_H
#define VMON_DEVICE_PCI_HOST_H

#include "common/platform.h"
#include "device/pci.h"

#define PCI_SLOTS	PLATFORM_PCI_SLOTS

/* What the bridge passes on; a base address elsewhere is not reached. */
#define PCI_PORTS_BASE	0x1000u
#define PCI_PORTS_SIZE	0xf000u
#define PCI_MEMORY_BASE	0xe0000000u
#define PCI_MEMORY_SIZE	0x1ec00000u	/* up to where APICs would be */

struct pci_host_state {
	u32 address;		/* CF8h */
	u8 reset_control;	/* CF9h */
};

/**
 * struct pci_host - host bridge
 * @dev:	what the machine sees of all this
 * @s:		state
 * @bridge:	its own function, in slot 0
 * @slot:	functions by slot
 * @next_port, @next_memory: where the next base address goes
 */
struct pci_host {
	struct device dev;
	struct pci_host_state s;
	struct pci_function bridge;
	struct pci_function *slot[PCI_SLOTS];
	u32 next_port, next_memory;
};

void pci_host_init(struct pci_host *pci, struct device_host *host);
int pci_plug(struct pci_host *pci, struct pci_function *fn);
void pci_set_irq(struct pci_function *fn, bool level);
u16 pci_host_lines(void);
void pci_host_describe(const struct pci_host *pci, struct platform *p);

#endif /* VMON_DEVICE_PCI_HOST_H */
