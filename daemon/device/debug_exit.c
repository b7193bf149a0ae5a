// SPDX-License-Identifier: GPL-2.0
/*
 * Port F4h: a write ends the guest, and its low byte becomes the exit status of
 * vmonctl run. There only when asked for (run --debug-exit).
 */
#include <string.h>

#include "device/debug_exit.h"

static u32 debug_exit_read(struct device *dev, u64 addr, unsigned int size)
{
	(void)dev;
	(void)addr;
	(void)size;
	return 0;
}

static void debug_exit_write(struct device *dev, u64 addr, unsigned int size, u32 data)
{
	(void)addr;
	(void)size;
	container_of(dev, struct debug_exit, dev)->value = data;
	dev->host->end(dev->host, DEVICE_END_DEBUG_EXIT, data & 0xff);
}

static void debug_exit_reset(struct device *dev)
{
	container_of(dev, struct debug_exit, dev)->value = 0;
}

static size_t debug_exit_save(const struct device *dev, void *buf, size_t size)
{
	const struct debug_exit *port = container_of(dev, struct debug_exit, dev);

	return device_save_state(&port->value, sizeof(port->value), 1, buf, size);
}

static int debug_exit_restore(struct device *dev, const void *buf, size_t size)
{
	struct debug_exit *port = container_of(dev, struct debug_exit, dev);

	return device_restore_state(&port->value, sizeof(port->value), 1, buf, size);
}

static const struct device_range debug_exit_ranges[] = {
	{ DEVICE_PORT, 0xf4, 4 },
};

static const struct device_ops debug_exit_ops = {
	.name = "debug_exit",
	.ranges = debug_exit_ranges,
	.n_ranges = ARRAY_SIZE(debug_exit_ranges),
	.width = 4,
	.read = debug_exit_read,
	.write = debug_exit_write,
	.reset = debug_exit_reset,
	.save = debug_exit_save,
	.restore = debug_exit_restore,
};

/**
 * debug_exit_init() - make the device
 * @port: to initialize
 * @host: the machine it is in
 */
void debug_exit_init(struct debug_exit *port, struct device_host *host)
{
	memset(port, 0, sizeof(*port));
	port->dev.ops = &debug_exit_ops;
	port->dev.host = host;
}
