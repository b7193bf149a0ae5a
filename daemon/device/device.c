// SPDX-License-Identifier: GPL-2.0
/*
 * Access to a device: splitting and masking, and the form of saved state.
 *
 * An ISA device is 8 bits wide: a wider access reaches it as several, the lowest
 * address first, and bytes that fall outside its ranges read as all ones.
 */
#include <errno.h>
#include <string.h>

#include "device/device.h"

static u32 size_mask(unsigned int size)
{
	return size >= 4 ? 0xffffffffu : (1u << (8 * size)) - 1;
}

static bool in_range(const struct device *dev, u64 addr, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < dev->ops->n_ranges; i++) {
		const struct device_range *r = &dev->ops->ranges[i];

		if (addr >= r->addr && addr - r->addr < r->size &&
		    size <= r->size - (addr - r->addr))
			return true;
	}
	return false;
}

/**
 * device_read() - read from a device
 * @dev: device
 * @addr: port or guest physical address
 * @size: 1, 2 or 4 bytes
 *
 * Return: the value, zero above @size; ones where nothing answers.
 */
u32 device_read(struct device *dev, u64 addr, unsigned int size)
{
	u32 value = 0;
	unsigned int i;

	if (size <= dev->ops->width)
		return (in_range(dev, addr, size) ?
			dev->ops->read(dev, addr, size) : 0xffffffffu) &
		       size_mask(size);

	for (i = 0; i < size && i < 4; i++)
		value |= device_read(dev, addr + i, 1) << (8 * i);
	return value;
}

/**
 * device_write() - write to a device
 * @dev: device
 * @addr: port or guest physical address
 * @size: 1, 2 or 4 bytes
 * @data: value; bits above @size are ignored
 */
void device_write(struct device *dev, u64 addr, unsigned int size, u32 data)
{
	unsigned int i;

	if (size <= dev->ops->width) {
		if (in_range(dev, addr, size))
			dev->ops->write(dev, addr, size, data & size_mask(size));
		return;
	}

	for (i = 0; i < size && i < 4; i++)
		device_write(dev, addr + i, 1, data >> (8 * i));
}

struct saved {
	u32 version;
	u32 size;
};

/**
 * device_save_state() - write a device's state struct with its version
 * @state: plain struct without pointers
 * @state_size: its size in bytes
 * @version: changes whenever the struct does
 * @buf: where to
 * @size: bytes at @buf
 *
 * Return: bytes needed; nothing is written when that is more than @size.
 */
size_t device_save_state(const void *state, u32 state_size, u32 version,
			 void *buf, size_t size)
{
	struct saved head = { .version = version, .size = state_size };

	if (size >= sizeof(head) + state_size) {
		memcpy(buf, &head, sizeof(head));
		memcpy((char *)buf + sizeof(head), state, state_size);
	}
	return sizeof(head) + state_size;
}

/**
 * device_restore_state() - the reverse of device_save_state()
 * @state: struct to fill in
 * @state_size: its size in bytes
 * @version: the version it has
 * @buf: what was saved
 * @size: bytes at @buf
 *
 * Return: 0, or -EINVAL if @buf is not of this version and size.
 */
int device_restore_state(void *state, u32 state_size, u32 version,
			 const void *buf, size_t size)
{
	struct saved head;

	if (size != sizeof(head) + state_size)
		return -EINVAL;
	memcpy(&head, buf, sizeof(head));
	if (head.version != version || head.size != state_size)
		return -EINVAL;
	memcpy(state, (const char *)buf + sizeof(head), state_size);
	return 0;
}
