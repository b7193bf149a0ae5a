/* SPDX-License-Identifier: GPL-2.0 */
/* A disk for the guest, see virtio_blk.c. */
#ifndef VMON_DEVICE_VIRTIO_BLK_H
#define VMON_DEVICE_VIRTIO_BLK_H

#include "device/disk.h"
#include "device/virtio_pci.h"

struct virtio_blk;

/**
 * struct blk_request - a request of the guest's that is being done
 * @rq:		for the disk
 * @blk:	the device; NULL while the request is free
 * @chain:	the guest's buffers
 * @iov:	those of the data
 */
struct blk_request {
	struct disk_request rq;
	struct virtio_blk *blk;
	struct virtqueue_chain chain;
	struct iovec iov[VIRTQUEUE_SIZE];
};

/**
 * struct virtio_blk - a disk
 * @v:		virtio device
 * @disk:	where the bytes are
 * @in_flight:	requests that the disk has
 * @taking:	requests are being taken off the queue
 * @request:	as many as there can be at a time
 */
struct virtio_blk {
	struct virtio_device v;
	struct disk *disk;
	unsigned int in_flight;
	bool taking;
	u64 again;		/* when to take more, or 0 */
	struct blk_request request[VIRTQUEUE_SIZE];
};

void virtio_blk_init(struct virtio_blk *blk, struct device_host *host, struct disk *disk);

#endif /* VMON_DEVICE_VIRTIO_BLK_H */
