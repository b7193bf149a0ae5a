// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio device's life, whatever its kind and however its registers are reached:
 * features, status, queues, interrupts, reset, saved state (Virtual I/O Device 1.2, 2
 * and 3).
 *
 * A reset is complete when the guest's next access is answered; buffers that are still
 * in use make the machine hold back that access (busy()).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device/virtio_internal.h"

#define S_DRIVER_OK	0x04
#define S_FEATURES_OK	0x08
#define S_NEEDS_RESET	0x40

#define ISR_QUEUE	1
#define ISR_CONFIG	2

#define LEGACY_PAGE	4096ull

static struct virtio_device *to_virtio(struct pci_function *fn)
{
	return container_of(fn, struct virtio_device, fn);
}

bool virtio_has(const struct virtio_device *v, unsigned int feature)
{
	return v->s.driver_features & VIRTIO_F(feature);
}

/* The driver is there, and nothing is wrong. */
bool virtio_ready(const struct virtio_device *v)
{
	return (v->s.status & (S_DRIVER_OK | S_NEEDS_RESET)) == S_DRIVER_OK && !v->resetting;
}

static void interrupt(struct virtio_device *v, u8 why)
{
	v->s.isr |= why;
	pci_set_irq(&v->fn, v->s.isr);
}

/**
 * virtio_config_changed() - something in the configuration is not what it was
 * @v: device
 */
void virtio_config_changed(struct virtio_device *v)
{
	if (!(v->s.status & S_DRIVER_OK))
		return;
	v->s.generation++;
	interrupt(v, ISR_CONFIG);
}

/**
 * virtio_fail() - the driver does what cannot be right: stop until it resets the device
 * @v: device
 * @why: for people
 */
void virtio_fail(struct virtio_device *v, const char *why)
{
	char text[200];

	if (v->s.status & S_NEEDS_RESET)
		return;
	v->s.status |= S_NEEDS_RESET;
	snprintf(text, sizeof(text), "PCI slot %u, %s: the guest's driver is wrong: %s; it must reset the device",
		 v->fn.slot, v->ops->name, why);
	v->host->complain(v->host, text);
	virtio_config_changed(v);
}

struct virtqueue *virtio_queue(struct virtio_device *v)
{
	return v->s.queue_select < v->ops->n_queues ? &v->vq[v->s.queue_select] : NULL;
}

void virtio_notify(struct virtio_device *v, u32 n)
{
	if (n >= v->ops->n_queues || !virtio_ready(v) || !v->vq[n].s.enabled)
		return;
	v->ops->notify(v, n);
	if (v->vq[n].failed)
		virtio_fail(v, v->vq[n].failed);
}

static void finish_reset(struct virtio_device *v)
{
	unsigned int i;

	memset(&v->s, 0, sizeof(v->s));
	for (i = 0; i < v->ops->n_queues; i++)
		virtqueue_reset(&v->vq[i]);
	if (v->ops->reset)
		v->ops->reset(v);
	v->resetting = false;
	pci_set_irq(&v->fn, false);
}

static bool in_use(const struct virtio_device *v)
{
	return v->ops->busy && v->ops->busy(v);
}

static void reset(struct virtio_device *v)
{
	if (in_use(v))
		v->resetting = true;
	else
		finish_reset(v);
}

/**
 * virtio_idle() - the last buffer in use has been given back
 * @v: device
 */
void virtio_idle(struct virtio_device *v)
{
	if (v->resetting)
		finish_reset(v);
}

static void use_features(struct virtio_device *v)
{
	unsigned int i;

	for (i = 0; i < v->ops->n_queues; i++) {
		v->vq[i].event_idx = virtio_has(v, F_EVENT_IDX);
		v->vq[i].indirect = virtio_has(v, F_INDIRECT);
	}
}

void virtio_write_status(struct virtio_device *v, u8 value)
{
	u8 set = value & ~v->s.status;
	unsigned int i;

	if (!value) {
		reset(v);
		return;
	}
	/* Refused by not being set: 3.1.1, step 6. */
	if ((set & S_FEATURES_OK) && !virtio_has(v, F_VERSION_1))
		value &= ~S_FEATURES_OK;
	/* The driver can clear nothing but by a reset. */
	v->s.status |= value & ~S_NEEDS_RESET;
	use_features(v);
	for (i = 0; (set & S_DRIVER_OK) && i < v->ops->n_queues; i++)
		virtio_notify(v, i);
}

/* Which 32 features a driver is offered at @select. */
u32 virtio_offered(const struct virtio_device *v, u32 select)
{
	return select < 2 ? v->features >> 32 * select : 0;
}

void virtio_accept(struct virtio_device *v, u32 select, u32 value)
{
	u64 mask = 0xffffffffull << 32 * (select & 1);

	if (select > 1 || (v->s.status & S_FEATURES_OK))
		return;
	value &= virtio_offered(v, select);
	v->s.driver_features = (v->s.driver_features & ~mask) | (u64)value << 32 * select;
}

void virtio_enable_queue(struct virtio_device *v, struct virtqueue *vq)
{
	if (vq->s.enabled)
		return;
	use_features(v);
	if (virtqueue_enable(vq) < 0)
		virtio_fail(v, vq->failed);
}

/* 2.7.2: the legacy layout of a queue. */
void virtio_write_pfn(struct virtio_device *v, struct virtqueue *vq, u32 pfn)
{
	u64 desc = pfn * LEGACY_PAGE, avail, end;

	/* A queue that is in use stays where it is until it is taken away. */
	if (pfn && vq->s.enabled)
		return;
	v->s.legacy_pfn[vq - v->vq] = pfn;
	if (!pfn) {
		virtqueue_reset(vq);
		return;
	}
	avail = desc + 16ull * vq->s.size;
	end = avail + 4 + 2ull * vq->s.size + 2;
	vq->s.desc = desc;
	vq->s.avail = avail;
	vq->s.used = (end + LEGACY_PAGE - 1) & ~(LEGACY_PAGE - 1);
	virtio_enable_queue(v, vq);
}

u32 virtio_read_isr(struct virtio_device *v)
{
	u8 isr = v->s.isr;

	v->s.isr = 0;
	pci_set_irq(&v->fn, false);
	return isr;
}

void virtio_pci_reset(struct pci_function *fn)
{
	reset(to_virtio(fn));
}

void virtio_flush(struct pci_function *fn)
{
	struct virtio_device *v = to_virtio(fn);
	unsigned int i;

	for (i = 0; i < v->ops->n_queues; i++) {
		if (!virtio_ready(v))
			return;
		if (virtqueue_publish(&v->vq[i]))
			interrupt(v, ISR_QUEUE);
		if (v->vq[i].failed)
			virtio_fail(v, v->vq[i].failed);
	}
}

u64 virtio_deadline(struct pci_function *fn)
{
	struct virtio_device *v = to_virtio(fn);

	return v->ops->deadline ? v->ops->deadline(v) : 0;
}

void virtio_tick(struct pci_function *fn)
{
	struct virtio_device *v = to_virtio(fn);

	if (v->ops->tick)
		v->ops->tick(v);
}

bool virtio_busy(struct pci_function *fn)
{
	return to_virtio(fn)->resetting;
}

#define STATE_VERSION	1

struct saved_virtio {
	struct virtio_state s;
	struct virtqueue_state vq[VIRTIO_QUEUES];
};

/* Nothing may be in use: what has been taken from a queue has been given back. */
size_t virtio_save(const struct pci_function *fn, void *buf, size_t size)
{
	const struct virtio_device *v = container_of(fn, struct virtio_device, fn);
	struct saved_virtio saved;
	unsigned int i;

	memset(&saved, 0, sizeof(saved));
	saved.s = v->s;
	for (i = 0; i < v->ops->n_queues; i++)
		saved.vq[i] = v->vq[i].s;
	return device_save_state(&saved, sizeof(saved), STATE_VERSION, buf, size);
}

int virtio_restore(struct pci_function *fn, const void *buf, size_t size)
{
	struct virtio_device *v = to_virtio(fn);
	struct saved_virtio saved;
	unsigned int i;
	int r;

	r = device_restore_state(&saved, sizeof(saved), STATE_VERSION, buf, size);
	if (r < 0)
		return r;
	if (saved.s.driver_features & ~v->features)
		return -EINVAL;
	v->s = saved.s;
	v->resetting = false;
	for (i = 0; i < v->ops->n_queues; i++) {
		virtqueue_reset(&v->vq[i]);
		v->vq[i].s = saved.vq[i];
	}
	use_features(v);
	fn->irq = v->s.isr;
	for (i = 0; i < v->ops->n_queues; i++)
		if (v->vq[i].s.enabled && virtqueue_enable(&v->vq[i]) < 0)
			return -EINVAL;
	return 0;
}
