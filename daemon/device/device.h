/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a device model is.
 *
 * A device owns a few port or memory ranges and answers reads and writes in
 * them. It knows nothing of sockets, event loops or the module: what it needs
 * from the world (an interrupt line, the time, the end of the guest) it asks of
 * its struct device_host. So the same files run in the daemon, in unit tests
 * and in a userspace reference machine.
 *
 * Accesses arrive in the guest's order. Writes may arrive long after the guest
 * made them (they are posted); reads are answered at once. When a batch of
 * accesses has been handled, flush() is called: the place for what is better
 * done once than for every byte.
 */
#ifndef VMON_DEVICE_DEVICE_H
#define VMON_DEVICE_DEVICE_H

#include "common/types.h"

enum device_space {		/* the values of enum vmon_space */
	DEVICE_PORT = 1,
	DEVICE_MMIO = 2,
};

/* How a device can end the guest. */
enum device_end {
	DEVICE_END_RESET = 1,	/* the guest asked for a reset */
	DEVICE_END_DEBUG_EXIT,	/* the guest wrote an exit status */
	DEVICE_END_POWER_OFF,	/* the guest switched the machine off */
};

struct device;

/**
 * struct device_host - what a device may ask of the machine it is in
 * @irq:	set the level of 8259 line 0..15
 * @end:	the guest ends; the call returns, the end comes later
 * @now:	real time, nanoseconds since 1970-01-01 UTC
 * @ram:	guest RAM from guest physical address @gpa on, @size bytes, or NULL if not
 *		all of it is RAM; valid while the machine is
 * @written:	a device has written to guest RAM: what the processor derived from it is stale
 * @publish:	the processor sees all that was @written before: only now may the guest learn
 *		that there is something new. 0, or -errno: it must not learn it.
 * @random:	bytes for a random number generator; how many there were
 * @complain:	the guest drives a device in a way that stops it; a sentence for people
 *
 * The last five may be missing in a machine without PCI devices.
 */
struct device_host {
	void (*irq)(struct device_host *host, unsigned int line, bool level);
	void (*end)(struct device_host *host, enum device_end how, u32 value);
	u64 (*now)(struct device_host *host);
	void *(*ram)(struct device_host *host, u64 gpa, u64 size);
	void (*written)(struct device_host *host, u64 gpa, u64 size);
	int (*publish)(struct device_host *host);
	size_t (*random)(struct device_host *host, void *buf, size_t size);
	void (*complain)(struct device_host *host, const char *text);
};

struct device_range {
	enum device_space space;
	u64 addr;		/* port, or guest physical address */
	u64 size;		/* bytes */
};

/**
 * struct device_ops - one kind of device
 * @name:	for people
 * @ranges:	what it answers to
 * @n_ranges:	number of @ranges
 * @width:	widest access in bytes; wider ones are split, low byte first
 * @read:	returns the value; bits above @size are ignored
 * @write:	bits of @data above @size are zero
 * @reset:	to power-on state
 * @flush:	optional; the accesses at hand have all been handled
 * @deadline:	optional; when tick() is due (time as of host->now), 0 for never
 * @tick:	with @deadline; called then or later, and harmless when early
 * @busy:	optional; later accesses of the guest must wait for something that ends by itself
 * @save:	write the state to @buf, if @size suffices; returns bytes needed
 * @restore:	take back what save() wrote; 0, or -EINVAL and nothing changed
 */
struct device_ops {
	const char *name;
	const struct device_range *ranges;
	unsigned int n_ranges;
	unsigned int width;
	u32 (*read)(struct device *dev, u64 addr, unsigned int size);
	void (*write)(struct device *dev, u64 addr, unsigned int size, u32 data);
	void (*reset)(struct device *dev);
	void (*flush)(struct device *dev);
	u64 (*deadline)(struct device *dev);
	void (*tick)(struct device *dev);
	bool (*busy)(struct device *dev);
	size_t (*save)(const struct device *dev, void *buf, size_t size);
	int (*restore)(struct device *dev, const void *buf, size_t size);
};

struct device {
	const struct device_ops *ops;
	struct device_host *host;
};

u32 device_read(struct device *dev, u64 addr, unsigned int size);
void device_write(struct device *dev, u64 addr, unsigned int size, u32 data);

size_t device_save_state(const void *state, u32 state_size, u32 version,
			 void *buf, size_t size);
int device_restore_state(void *state, u32 state_size, u32 version,
			 const void *buf, size_t size);

#endif /* VMON_DEVICE_DEVICE_H */
