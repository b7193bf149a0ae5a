/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What virtio.c offers to virtio_pci.c, and to nobody else: what the registers do.
 */
#ifndef VMON_DEVICE_VIRTIO_INTERNAL_H
#define VMON_DEVICE_VIRTIO_INTERNAL_H

#include "device/virtio_pci.h"

/* Features of the transport. */
#define F_ANY_LAYOUT	27
#define F_INDIRECT	28
#define F_EVENT_IDX	29
#define F_VERSION_1	32

u32 virtio_offered(const struct virtio_device *v, u32 select);
void virtio_accept(struct virtio_device *v, u32 select, u32 value);
void virtio_write_status(struct virtio_device *v, u8 value);
u32 virtio_read_isr(struct virtio_device *v);

/* The queue that is selected, or NULL. */
struct virtqueue *virtio_queue(struct virtio_device *v);
void virtio_enable_queue(struct virtio_device *v, struct virtqueue *vq);
void virtio_write_pfn(struct virtio_device *v, struct virtqueue *vq, u32 pfn);
void virtio_notify(struct virtio_device *v, u32 queue);

/* As in struct pci_function_ops. */
void virtio_pci_reset(struct pci_function *fn);
void virtio_flush(struct pci_function *fn);
u64 virtio_deadline(struct pci_function *fn);
void virtio_tick(struct pci_function *fn);
bool virtio_busy(struct pci_function *fn);
size_t virtio_save(const struct pci_function *fn, void *buf, size_t size);
int virtio_restore(struct pci_function *fn, const void *buf, size_t size);

#endif /* VMON_DEVICE_VIRTIO_INTERNAL_H */
