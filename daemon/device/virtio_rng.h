/* SPDX-License-Identifier: GPL-2.0 */
/* A source of randomness for the guest, see virtio_rng.c. */
#ifndef VMON_DEVICE_VIRTIO_RNG_H
#define VMON_DEVICE_VIRTIO_RNG_H

#include "device/virtio_pci.h"

/**
 * struct virtio_rng - entropy device
 * @v:		virtio device
 * @retry:	when to look again whether there is randomness, ns; 0: nobody waits
 * @chain:	buffers that are being filled
 */
struct virtio_rng {
	struct virtio_device v;
	u64 retry;
	struct virtqueue_chain chain;
};

void virtio_rng_init(struct virtio_rng *rng, struct device_host *host);

#endif /* VMON_DEVICE_VIRTIO_RNG_H */
