/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A split virtqueue, the device's side (Virtual I/O Device 1.2, 2.7).
 *
 * Everything in the rings is the guest's, which may change it at any time and
 * may be hostile: each value is read once, then checked, then used. A ring that
 * cannot be right stops the queue, with a sentence for people.
 *
 * Three steps lead to a guest that knows of a completion: virtqueue_push() puts
 * the chain into the used ring; then, once for many chains, virtqueue_publish() lets
 * the processor see what devices wrote and moves the used index; its result says
 * whether the guest wants an interrupt.
 */
#ifndef VMON_DEVICE_VIRTQUEUE_H
#define VMON_DEVICE_VIRTQUEUE_H

#include <sys/uio.h>

#include "device/device.h"

#define VIRTQUEUE_SIZE	128	/* descriptors, and so the longest chain */
#define VIRTQUEUE_ROUND	(2 * VIRTQUEUE_SIZE)	/* chains that a device takes at a time */

/**
 * struct virtqueue_state - plain state, saved as it is
 * @desc, @avail, @used: guest physical addresses of the parts
 * @size:	descriptors, a power of two
 * @taken:	index of the next chain to take
 * @filled:	index of the next used element
 * @published:	the used index that the guest sees
 * @judged:	the used index at the last decision about an interrupt
 * @judged_valid: there was one
 * @enabled:	the guest has set it up
 */
struct virtqueue_state {
	u64 desc, avail, used;
	u16 size;
	u16 taken, filled, published, judged;
	u8 judged_valid;
	u8 enabled;
};

/**
 * struct virtqueue - a queue
 * @s:		state
 * @host:	the machine
 * @event_idx, @indirect: features that are in use
 * @failed:	why it has stopped, or NULL
 * @desc, @avail, @used: the parts in vmond's memory while it is enabled
 */
struct virtqueue {
	struct virtqueue_state s;
	struct device_host *host;
	bool event_idx, indirect;
	const char *failed;
	void *desc, *avail, *used;
};

/**
 * struct virtqueue_chain - buffers that the guest has made available
 * @head:	its name in the used ring
 * @n_out:	entries that the device reads; they come first
 * @n_in:	entries that the device writes, behind them
 * @out, @in:	bytes in each
 * @iov:	where the buffers are in vmond's memory
 * @gpa:	and in the guest's
 */
struct virtqueue_chain {
	u16 head;
	unsigned int n_out, n_in;
	u64 out, in;
	struct iovec iov[VIRTQUEUE_SIZE];
	u64 gpa[VIRTQUEUE_SIZE];
};

void virtqueue_reset(struct virtqueue *vq);
int virtqueue_enable(struct virtqueue *vq);
bool virtqueue_pop(struct virtqueue *vq, struct virtqueue_chain *chain);
bool virtqueue_listen(struct virtqueue *vq);
void virtqueue_push(struct virtqueue *vq, u16 head, u32 written);
bool virtqueue_publish(struct virtqueue *vq);
bool virtqueue_state_valid(const struct virtqueue_state *s);

size_t virtqueue_copy_out(const struct virtqueue_chain *chain, u64 at, void *buf, size_t size);
size_t virtqueue_copy_in(struct virtqueue *vq, const struct virtqueue_chain *chain, u64 at,
			 const void *buf, size_t size);

#endif /* VMON_DEVICE_VIRTQUEUE_H */
