// SPDX-License-Identifier: GPL-2.0
/*
 * The PC that a guest runs on: which devices it has. A new device is one line
 * in machine_init().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/machine.h"

static void add_ranges(struct machine *m, struct device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->ops->n_ranges; i++)
		m->ranges[m->n_ranges++] =
			(struct machine_range){ dev, &dev->ops->ranges[i] };
}

static void add(struct machine *m, struct device *dev)
{
	m->devices[m->n_devices++] = dev;
	add_ranges(m, dev);
}

/* One device in the place of another. */
static void replace(struct machine *m, const struct device *old, struct device *new)
{
	unsigned int i, n = 0;

	for (i = 0; i < m->n_devices; i++)
		if (m->devices[i] == old)
			m->devices[i] = new;
	for (i = 0; i < m->n_ranges; i++)
		if (m->ranges[i].dev != old)
			m->ranges[n++] = m->ranges[i];
	m->n_ranges = n;
	add_ranges(m, new);
}

/**
 * machine_init() - make a PC in its power-on state
 * @m: to initialize
 * @host: gets interrupts and the end
 * @memory: guest RAM in bytes
 * @debug_exit: with the exit port
 * @output: takes what the guest sends over the serial port
 *
 * There is no PCI bus before something is plugged into it.
 */
void machine_init(struct machine *m, struct device_host *host, u64 memory,
		  bool debug_exit,
		  void (*output)(struct uart16550 *, const u8 *, size_t))
{
	memset(m, 0, sizeof(*m));
	uart16550_init(&m->uart, host, output);
	rtc_init(&m->rtc, host, memory);
	i8042_init(&m->i8042, host);
	pci_absent_init(&m->pci_absent, host);
	reset_port_init(&m->reset_port, host);
	acpi_pm_init(&m->acpi_pm, host);
	debug_exit_init(&m->debug_exit, host);

	add(m, &m->uart.dev);
	add(m, &m->rtc.dev);
	add(m, &m->i8042.dev);
	add(m, &m->pci_absent.dev);
	add(m, &m->reset_port.dev);
	add(m, &m->acpi_pm.dev);
	if (debug_exit)
		add(m, &m->debug_exit.dev);
}

/* Give back what the machine_add_ functions took. */
void machine_destroy(struct machine *m)
{
	while (m->n_disks)
		free(m->disks[--m->n_disks]);
	while (m->n_nets)
		free(m->nets[--m->n_nets]);
	free(m->rng);
	free(m->pci);
	m->rng = NULL;
	m->pci = NULL;
}

static int need_pci(struct machine *m)
{
	struct device *absent = &m->pci_absent.dev;

	if (m->pci)
		return 0;
	m->pci = malloc(sizeof(*m->pci));
	if (!m->pci)
		return -ENOMEM;
	pci_host_init(m->pci, absent->host);
	replace(m, absent, &m->pci->dev);
	return 0;
}

/**
 * machine_add_disk() - plug a virtio disk
 * @m: machine that does not run yet
 * @disk: where the bytes are; stays the caller's
 *
 * Return: 0, -ENOMEM, or -ENOSPC: there are MACHINE_DISKS already.
 */
int machine_add_disk(struct machine *m, struct disk *disk)
{
	struct virtio_blk *blk;
	int r;

	if (m->n_disks == MACHINE_DISKS)
		return -ENOSPC;
	r = need_pci(m);
	if (r < 0)
		return r;
	blk = malloc(sizeof(*blk));
	if (!blk)
		return -ENOMEM;
	virtio_blk_init(blk, m->pci->dev.host, disk);
	r = pci_plug(m->pci, &blk->v.fn);
	if (r < 0)
		free(blk);
	else
		m->disks[m->n_disks++] = blk;
	return r;
}

/**
 * machine_add_net() - plug a virtio network card
 * @m: machine that does not run yet
 * @net: its cable; stays the caller's
 *
 * Return: 0, -ENOMEM, or -ENOSPC: there are MACHINE_NETS already.
 */
int machine_add_net(struct machine *m, struct net *net)
{
	struct virtio_net *card;
	int r;

	if (m->n_nets == MACHINE_NETS)
		return -ENOSPC;
	r = need_pci(m);
	if (r < 0)
		return r;
	card = malloc(sizeof(*card));
	if (!card)
		return -ENOMEM;
	virtio_net_init(card, m->pci->dev.host, net);
	r = pci_plug(m->pci, &card->v.fn);
	if (r < 0)
		free(card);
	else
		m->nets[m->n_nets++] = card;
	return r;
}

/**
 * machine_add_rng() - plug a virtio source of randomness
 * @m: machine that does not run yet and has none
 *
 * Return: 0, -ENOMEM or -ENOSPC.
 */
int machine_add_rng(struct machine *m)
{
	int r = need_pci(m);

	if (r < 0)
		return r;
	m->rng = malloc(sizeof(*m->rng));
	if (!m->rng)
		return -ENOMEM;
	virtio_rng_init(m->rng, m->pci->dev.host);
	return pci_plug(m->pci, &m->rng->v.fn);
}

/**
 * machine_describe() - what firmware would have to tell about a machine
 * @m: machine, all devices plugged
 * @p: to fill in
 */
void machine_describe(const struct machine *m, struct platform *p)
{
	*p = (struct platform){
		.pm_event = ACPI_PM_EVENT,
		.pm_control = ACPI_PM_CONTROL,
		.sci = ACPI_PM_SCI,
		.soft_off = ACPI_PM_S5,
		.reset_port = PCI_RESET_CONTROL,
		.reset_value = PCI_RESET_SYSTEM | PCI_RESET_CPU,
		.com1 = { UART16550_PORT, UART16550_PORTS, UART16550_IRQ },
		.rtc = { RTC_PORT, 2, RTC_IRQ },
	};
	if (m->pci)
		pci_host_describe(m->pci, p);
}

/* The lines of the 8259s that firmware makes level triggered, as bits. */
u16 machine_level_lines(const struct machine *m)
{
	return 1u << ACPI_PM_SCI | (m->pci ? pci_host_lines() : 0);
}

/* Must the guest's next accesses wait? */
bool machine_busy(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->n_devices; i++)
		if (m->devices[i]->ops->busy && m->devices[i]->ops->busy(m->devices[i]))
			return true;
	return false;
}

void machine_reset(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->n_devices; i++)
		m->devices[i]->ops->reset(m->devices[i]);
}

/* The accesses at hand have all been handled. */
void machine_flush(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->n_devices; i++)
		if (m->devices[i]->ops->flush)
			m->devices[i]->ops->flush(m->devices[i]);
}

/**
 * machine_deadline() - when machine_tick() is due
 * @m: machine
 *
 * Return: time as of host->now, 0 for never.
 */
u64 machine_deadline(struct machine *m)
{
	u64 first = 0, due;
	unsigned int i;

	for (i = 0; i < m->n_devices; i++) {
		if (!m->devices[i]->ops->deadline)
			continue;
		due = m->devices[i]->ops->deadline(m->devices[i]);
		if (due && (!first || due < first))
			first = due;
	}
	return first;
}

void machine_tick(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->n_devices; i++)
		if (m->devices[i]->ops->tick)
			m->devices[i]->ops->tick(m->devices[i]);
}

/**
 * machine_find() - the device that answers at an address
 * @m: machine
 * @space: ports or memory
 * @addr: port or guest physical address
 *
 * Return: device, or NULL.
 */
struct device *machine_find(struct machine *m, enum device_space space, u64 addr)
{
	unsigned int i;

	for (i = 0; i < m->n_ranges; i++) {
		const struct device_range *r = m->ranges[i].range;

		if (r->space == space && addr >= r->addr && addr - r->addr < r->size)
			return m->ranges[i].dev;
	}
	return NULL;
}
