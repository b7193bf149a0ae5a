// SPDX-License-Identifier: GPL-2.0
/*
 * System control port A (IBM PS/2 Hardware Interface Technical Reference).
 *
 * Bit 0 going from 0 to 1 resets the processor, which here ends or restarts the
 * guest. Bit 1 is the A20 gate: kept for the guest to read, A20 itself is always
 * on.
 */
#include <string.h>

#include "device/reset_port.h"

#define PORT_RESET	0x01
#define PORT_A20	0x02

static u32 reset_port_read(struct device *dev, u64 addr, unsigned int size)
{
	struct reset_port *port = container_of(dev, struct reset_port, dev);

	(void)addr;
	(void)size;
	return port->value | PORT_A20;
}

static void reset_port_write(struct device *dev, u64 addr, unsigned int size, u32 data)
{
	struct reset_port *port = container_of(dev, struct reset_port, dev);

	(void)addr;
	(void)size;
	if (data & PORT_RESET)
		dev->host->end(dev->host, DEVICE_END_RESET, 0);
	port->value = data & ~PORT_RESET;
}

static void reset_port_reset(struct device *dev)
{
	container_of(dev, struct reset_port, dev)->value = 0;
}

static size_t reset_port_save(const struct device *dev, void *buf, size_t size)
{
	const struct reset_port *port = container_of(dev, struct reset_port, dev);

	return device_save_state(&port->value, sizeof(port->value), 1, buf, size);
}

static int reset_port_restore(struct device *dev, const void *buf, size_t size)
{
	struct reset_port *port = container_of(dev, struct reset_port, dev);

	return device_restore_state(&port->value, sizeof(port->value), 1, buf, size);
}

static const struct device_range reset_port_ranges[] = {
	{ DEVICE_PORT, 0x92, 1 },
};

static const struct device_ops reset_port_ops = {
	.name = "reset_port",
	.ranges = reset_port_ranges,
	.n_ranges = ARRAY_SIZE(reset_port_ranges),
	.width = 1,
	.read = reset_port_read,
	.write = reset_port_write,
	.reset = reset_port_reset,
	.save = reset_port_save,
	.restore = reset_port_restore,
};

/**
 * reset_port_init() - make the device
 * @port: to initialize
 * @host: the machine it is in
 */
void reset_port_init(struct reset_port *port, struct device_host *host)
{
	memset(port, 0, sizeof(*port));
	port->dev.ops = &reset_port_ops;
	port->dev.host = host;
}
