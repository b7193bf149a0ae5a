/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio device on the PCI bus: what all kinds have in common.
 *
 * A kind of device is a struct virtio_ops; struct virtio_device is its surroundings:
 * negotiation, status, queues, interrupts. See virtio.c, and virtio_pci.c for registers.
 */
#ifndef VMON_DEVICE_VIRTIO_PCI_H
#define VMON_DEVICE_VIRTIO_PCI_H

#include "device/pci_host.h"
#include "device/virtqueue.h"

#define VIRTIO_QUEUES	3	/* of one device, at most */

/* Virtio device IDs (Virtual I/O Device 1.2, 5). */
#define VIRTIO_ID_NET	1
#define VIRTIO_ID_BLOCK	2
#define VIRTIO_ID_RNG	4

#define VIRTIO_F(bit)	(1ull << (bit))

struct virtio_device;

/**
 * struct virtio_ops - one kind of virtio device
 * @name:	for people
 * @id:		virtio device ID
 * @class:	PCI class
 * @features:	offered beside those of the transport
 * @n_queues:	how many
 * @config_size: bytes of its configuration
 * @config_read: read bytes of it; inside @config_size
 * @config_write: optional
 * @notify:	the queue has something, or may have
 * @busy:	optional: buffers of the guest's are in use, a reset has to wait
 * @reset:	optional: nothing is in use any more, forget everything
 * @deadline, @tick: as in struct device_ops
 */
struct virtio_ops {
	const char *name;
	u16 id;
	u16 class;
	u64 features;
	unsigned int n_queues;
	unsigned int config_size;
	u32 (*config_read)(struct virtio_device *v, u32 at, unsigned int size);
	void (*config_write)(struct virtio_device *v, u32 at, unsigned int size, u32 data);
	void (*notify)(struct virtio_device *v, unsigned int queue);
	bool (*busy)(const struct virtio_device *v);
	void (*reset)(struct virtio_device *v);
	u64 (*deadline)(struct virtio_device *v);
	void (*tick)(struct virtio_device *v);
};

/**
 * struct virtio_state - plain state beside the queues', saved as it is
 * @driver_features: what the driver has accepted
 * @legacy_pfn:	queue addresses as a legacy driver gave them
 * @device_select, @driver_select: which 32 features
 * @queue_select: which queue
 * @status:	device status
 * @isr:	interrupt causes
 * @generation:	of the configuration
 */
struct virtio_state {
	u64 driver_features;
	u32 legacy_pfn[VIRTIO_QUEUES];
	u32 device_select, driver_select;
	u16 queue_select;
	u8 status;
	u8 isr;
	u8 generation;
};

/**
 * struct virtio_device - a virtio device
 * @fn:		its place on the bus
 * @ops:	what kind
 * @host:	the machine
 * @features:	all that is offered
 * @s:		state
 * @vq:		queues
 * @window:	capability by which configuration space gives access to base addresses
 * @resetting:	the guest has asked for a reset, which waits for buffers in use
 */
struct virtio_device {
	struct pci_function fn;
	const struct virtio_ops *ops;
	struct device_host *host;
	u64 features;
	struct virtio_state s;
	struct virtqueue vq[VIRTIO_QUEUES];
	u32 window;
	bool resetting;
};

void virtio_init(struct virtio_device *v, const struct virtio_ops *ops,
		 struct device_host *host, u64 features);
bool virtio_ready(const struct virtio_device *v);
bool virtio_has(const struct virtio_device *v, unsigned int feature);
void virtio_fail(struct virtio_device *v, const char *why);
void virtio_idle(struct virtio_device *v);
void virtio_config_changed(struct virtio_device *v);

#endif /* VMON_DEVICE_VIRTIO_PCI_H */
