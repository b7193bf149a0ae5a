/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PC that a guest runs on, as far as the daemon makes it: the devices and
 * which range belongs to which. The 8259s, the 8254 and port 61h are elsewhere.
 */
#ifndef VMON_DEVICE_MACHINE_H
#define VMON_DEVICE_MACHINE_H

#include "device/debug_exit.h"
#include "device/i8042.h"
#include "device/pci_absent.h"
#include "device/reset_port.h"
#include "device/rtc.h"
#include "device/uart16550.h"

#define MACHINE_DEVICES	6
#define MACHINE_RANGES	16

struct machine_range {
	struct device *dev;
	const struct device_range *range;
};

/**
 * struct machine - the devices of a PC
 * @devices: all of them
 * @n_devices: how many
 * @ranges: all their ranges
 * @n_ranges: how many
 */
struct machine {
	struct uart16550 uart;
	struct rtc rtc;
	struct i8042 i8042;
	struct pci_absent pci;
	struct reset_port reset_port;
	struct debug_exit debug_exit;
	struct device *devices[MACHINE_DEVICES];
	unsigned int n_devices;
	struct machine_range ranges[MACHINE_RANGES];
	unsigned int n_ranges;
};

void machine_init(struct machine *m, struct device_host *host, u64 memory,
		  bool debug_exit,
		  void (*output)(struct uart16550 *, const u8 *, size_t));
void machine_reset(struct machine *m);
void machine_flush(struct machine *m);
u64 machine_deadline(struct machine *m);
void machine_tick(struct machine *m);
struct device *machine_find(struct machine *m, enum device_space space, u64 addr);

#endif /* VMON_DEVICE_MACHINE_H */
