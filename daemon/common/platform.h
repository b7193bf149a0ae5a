/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What firmware tells an operating system about the PC that it runs on: what cannot be
 * found by looking. The machine fills it in, the boot loaders put it into tables.
 */
#ifndef VMON_COMMON_PLATFORM_H
#define VMON_COMMON_PLATFORM_H

#include "common/types.h"

#define PLATFORM_PCI_SLOTS	32

/* Ports of a device, and its line of the 8259s. */
struct platform_isa {
	u16 port;
	u8 ports;
	u8 irq;
};

/**
 * struct platform - a PC, as far as ACPI describes it
 * @pm_event:	first port of the PM1a event registers, 4 bytes
 * @pm_control:	that of the PM1a control register, 2 bytes
 * @sci:	line of the system control interrupt, level triggered
 * @soft_off:	sleep type that powers off
 * @reset_port:	port that resets the machine
 * @reset_value: when this is written to it
 * @com1:	16550A
 * @rtc:	MC146818
 * @pci:	there is a PCI bus
 * @pci_config:	ports of configuration mechanism #1, 8 bytes
 * @pci_ports:	first port that the bridge passes on
 * @pci_ports_size: how many
 * @pci_memory:	first address that it passes on
 * @pci_memory_size: bytes
 * @pci_line:	by slot, line of INTA; 0: nothing is there that interrupts
 */
struct platform {
	u16 pm_event, pm_control;
	u8 sci;
	u8 soft_off;
	u16 reset_port;
	u8 reset_value;
	struct platform_isa com1, rtc;
	bool pci;
	u16 pci_config;
	u16 pci_ports, pci_ports_size;
	u32 pci_memory, pci_memory_size;
	u8 pci_line[PLATFORM_PCI_SLOTS];
};

#endif /* VMON_COMMON_PLATFORM_H */
