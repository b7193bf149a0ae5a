/* SPDX-License-Identifier: GPL-2.0 */
/* A network card for the guest, see virtio_net.c. */
#ifndef VMON_DEVICE_VIRTIO_NET_H
#define VMON_DEVICE_VIRTIO_NET_H

#include "device/net.h"
#include "device/virtio_pci.h"

/**
 * struct virtio_net - a network card
 * @v:		virtio device
 * @net:	its cable
 * @was_up:	what the guest was told of it
 * @again:	when to go on, or 0
 * @chain:	buffers that are being filled or sent
 * @frame:	a frame of the guest's, as it was when it was taken
 */
struct virtio_net {
	struct virtio_device v;
	struct net *net;
	bool was_up;
	u64 again;
	struct virtqueue_chain chain;
	u8 frame[NET_FRAME_MAX];
};

void virtio_net_init(struct virtio_net *card, struct device_host *host, struct net *net);

#endif /* VMON_DEVICE_VIRTIO_NET_H */
