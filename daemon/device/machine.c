// SPDX-License-Identifier: GPL-2.0
/*
 * The PC that a guest runs on: which devices it has. A new device is one line
 * in machine_init().
 */
#include <string.h>

#include "device/machine.h"

static void add(struct machine *m, struct device *dev)
{
	unsigned int i;

	m->devices[m->n_devices++] = dev;
	for (i = 0; i < dev->ops->n_ranges; i++)
		m->ranges[m->n_ranges++] =
			(struct machine_range){ dev, &dev->ops->ranges[i] };
}

/**
 * machine_init() - make a PC in its power-on state
 * @m: to initialize
 * @host: gets interrupts and the end
 * @memory: guest RAM in bytes
 * @debug_exit: with the exit port
 * @output: takes what the guest sends over the serial port
 */
void machine_init(struct machine *m, struct device_host *host, u64 memory,
		  bool debug_exit,
		  void (*output)(struct uart16550 *, const u8 *, size_t))
{
	memset(m, 0, sizeof(*m));
	uart16550_init(&m->uart, host, output);
	rtc_init(&m->rtc, host, memory);
	i8042_init(&m->i8042, host);
	pci_absent_init(&m->pci, host);
	reset_port_init(&m->reset_port, host);
	debug_exit_init(&m->debug_exit, host);

	add(m, &m->uart.dev);
	add(m, &m->rtc.dev);
	add(m, &m->i8042.dev);
	add(m, &m->pci.dev);
	add(m, &m->reset_port.dev);
	if (debug_exit)
		add(m, &m->debug_exit.dev);
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
