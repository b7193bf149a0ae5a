/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PC that a guest runs on, as far as the daemon makes it: the devices and
 * which range belongs to which. The 8259s, the 8254 and port 61h are elsewhere.
 */
#ifndef VMON_DEVICE_MACHINE_H
#define VMON_DEVICE_MACHINE_H

#include "common/platform.h"
#include "device/acpi_pm.h"
#include "device/debug_exit.h"
#include "device/i8042.h"
#include "device/pci_absent.h"
#include "device/pci_host.h"
#include "device/reset_port.h"
#include "device/rtc.h"
#include "device/uart16550.h"
#include "device/virtio_blk.h"
#include "device/virtio_net.h"
#include "device/virtio_rng.h"

#define MACHINE_DEVICES	7
#define MACHINE_RANGES	16
#define MACHINE_DISKS	16
#define MACHINE_NETS	8

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
 * @pci: the bus, in place of @pci_absent once something is plugged
 * @disks: virtio disks, by the order in which they were plugged
 * @n_disks: how many
 * @nets: virtio network cards, likewise
 * @n_nets: how many
 * @rng: source of randomness, or NULL
 */
struct machine {
	struct uart16550 uart;
	struct rtc rtc;
	struct i8042 i8042;
	struct pci_absent pci_absent;
	struct reset_port reset_port;
	struct acpi_pm acpi_pm;
	struct debug_exit debug_exit;
	struct device *devices[MACHINE_DEVICES];
	unsigned int n_devices;
	struct machine_range ranges[MACHINE_RANGES];
	unsigned int n_ranges;
	struct pci_host *pci;
	struct virtio_blk *disks[MACHINE_DISKS];
	unsigned int n_disks;
	struct virtio_net *nets[MACHINE_NETS];
	unsigned int n_nets;
	struct virtio_rng *rng;
};

void machine_init(struct machine *m, struct device_host *host, u64 memory,
		  bool debug_exit,
		  void (*output)(struct uart16550 *, const u8 *, size_t));
int machine_add_disk(struct machine *m, struct disk *disk);
int machine_add_net(struct machine *m, struct net *net);
int machine_add_rng(struct machine *m);
void machine_destroy(struct machine *m);
void machine_reset(struct machine *m);
void machine_describe(const struct machine *m, struct platform *p);
u16 machine_level_lines(const struct machine *m);
bool machine_busy(struct machine *m);
void machine_flush(struct machine *m);
u64 machine_deadline(struct machine *m);
void machine_tick(struct machine *m);
struct device *machine_find(struct machine *m, enum device_space space, u64 addr);

#endif /* VMON_DEVICE_MACHINE_H */
