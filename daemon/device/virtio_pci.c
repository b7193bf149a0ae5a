// SPDX-License-Identifier: GPL-2.0
/*
 * Virtio over PCI, transitional (Virtual I/O Device 1.2, 4.1).
 *
 *	BAR 0, ports	legacy registers, the device's configuration behind them
 *	BAR 1, memory	0000h common configuration	1000h interrupt status
 *			2000h device configuration	3000h notifications
 *
 * Registers are tables: where, how wide, which. Interrupts are INTA alone: there is no
 * APIC that a message could go to.
 *
 * A notification is a write, so it is posted: the guest's processor has gone on when
 * it comes here.
 */
#include <string.h>

#include "device/virtio_internal.h"

#define VENDOR		0x1af4
#define DEVICE_BASE	0x1000		/* transitional device IDs */

#define NO_VECTOR	0xffff

#define BAR_PORTS	0
#define BAR_MEMORY	1
#define PORTS_SIZE	128
#define MEMORY_SIZE	0x4000
#define COMMON_BASE	0x0000u
#define ISR_BASE	0x1000u
#define CONFIG_BASE	0x2000u
#define NOTIFY_BASE	0x3000u
#define NOTIFY_STEP	4
#define LEGACY_CONFIG	20

enum cap_type { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_WINDOW };

#define WINDOW_BAR	4
#define WINDOW_OFFSET	8
#define WINDOW_LENGTH	12
#define WINDOW_DATA	16

enum reg {
	DEVICE_SELECT = 1, DEVICE_FEATURES, DRIVER_SELECT, DRIVER_FEATURES, MSIX_CONFIG,
	NUM_QUEUES, STATUS, GENERATION, QUEUE_SELECT, QUEUE_SIZE, QUEUE_VECTOR,
	QUEUE_ENABLE, QUEUE_OFFSET, QUEUE_DESC, QUEUE_AVAIL = QUEUE_DESC + 2,
	QUEUE_USED = QUEUE_AVAIL + 2, LEGACY_FEATURES = QUEUE_USED + 2, LEGACY_DRIVER,
	LEGACY_PFN, LEGACY_NOTIFY, LEGACY_ISR,
};

struct layout {
	u8 at, size;
	enum reg reg;
};

/* 4.1.4.3; each half of a 64-bit field counts as one. */
static const struct layout common[] = {
	{ 0, 4, DEVICE_SELECT }, { 4, 4, DEVICE_FEATURES },
	{ 8, 4, DRIVER_SELECT }, { 12, 4, DRIVER_FEATURES },
	{ 16, 2, MSIX_CONFIG }, { 18, 2, NUM_QUEUES },
	{ 20, 1, STATUS }, { 21, 1, GENERATION }, { 22, 2, QUEUE_SELECT },
	{ 24, 2, QUEUE_SIZE }, { 26, 2, QUEUE_VECTOR }, { 28, 2, QUEUE_ENABLE },
	{ 30, 2, QUEUE_OFFSET },
	{ 32, 4, QUEUE_DESC }, { 36, 4, QUEUE_DESC + 1 },
	{ 40, 4, QUEUE_AVAIL }, { 44, 4, QUEUE_AVAIL + 1 },
	{ 48, 4, QUEUE_USED }, { 52, 4, QUEUE_USED + 1 },
};

/* 4.1.4.10 */
static const struct layout legacy[] = {
	{ 0, 4, LEGACY_FEATURES }, { 4, 4, LEGACY_DRIVER }, { 8, 4, LEGACY_PFN },
	{ 12, 2, QUEUE_SIZE }, { 14, 2, QUEUE_SELECT }, { 16, 2, LEGACY_NOTIFY },
	{ 18, 1, STATUS }, { 19, 1, LEGACY_ISR },
};

static struct virtio_device *to_virtio(struct pci_function *fn)
{
	return container_of(fn, struct virtio_device, fn);
}

static u32 half(u64 value, unsigned int which)
{
	return value >> 32 * which;
}

static u32 read_queue(struct virtio_device *v, enum reg reg)
{
	const struct virtqueue *vq = virtio_queue(v);

	if (!vq)
		return reg == QUEUE_VECTOR ? NO_VECTOR : 0;
	switch ((unsigned int)reg) {
	case QUEUE_SIZE:
		return vq->s.size;
	case QUEUE_VECTOR:
		return NO_VECTOR;
	case QUEUE_ENABLE:
		return vq->s.enabled;
	case QUEUE_OFFSET:
		return v->s.queue_select;
	case QUEUE_DESC ... QUEUE_DESC + 1:
		return half(vq->s.desc, reg - QUEUE_DESC);
	case QUEUE_AVAIL ... QUEUE_AVAIL + 1:
		return half(vq->s.avail, reg - QUEUE_AVAIL);
	case QUEUE_USED ... QUEUE_USED + 1:
		return half(vq->s.used, reg - QUEUE_USED);
	case LEGACY_PFN:
		return v->s.legacy_pfn[v->s.queue_select];
	default:
		return 0;
	}
}

static u32 read_reg(struct virtio_device *v, enum reg reg)
{
	switch ((unsigned int)reg) {
	case DEVICE_SELECT:
		return v->s.device_select;
	case DEVICE_FEATURES:
		return virtio_offered(v, v->s.device_select);
	case DRIVER_SELECT:
		return v->s.driver_select;
	case DRIVER_FEATURES:
		return v->s.driver_select < 2 ? half(v->s.driver_features, v->s.driver_select) : 0;
	case MSIX_CONFIG:
		return NO_VECTOR;
	case NUM_QUEUES:
		return v->ops->n_queues;
	case STATUS:
		return v->s.status;
	case GENERATION:
		return v->s.generation;
	case QUEUE_SELECT:
		return v->s.queue_select;
	case LEGACY_FEATURES:
		return virtio_offered(v, 0);
	case LEGACY_DRIVER:
		return half(v->s.driver_features, 0);
	case LEGACY_ISR:
		return virtio_read_isr(v);
	default:
		return read_queue(v, reg);
	}
}

static void set_half(u64 *value, unsigned int which, u32 to)
{
	*value = (*value & ~(0xffffffffull << 32 * which)) | (u64)to << 32 * which;
}

static void write_queue(struct virtio_device *v, enum reg reg, u32 data)
{
	struct virtqueue *vq = virtio_queue(v);

	if (!vq)
		return;
	if (reg == LEGACY_PFN) {
		virtio_write_pfn(v, vq, data);
		return;
	}
	if (vq->s.enabled)
		return;
	switch ((unsigned int)reg) {
	case QUEUE_SIZE:
		vq->s.size = data;
		break;
	case QUEUE_ENABLE:
		if (data == 1)
			virtio_enable_queue(v, vq);
		break;
	case QUEUE_DESC ... QUEUE_DESC + 1:
		set_half(&vq->s.desc, reg - QUEUE_DESC, data);
		break;
	case QUEUE_AVAIL ... QUEUE_AVAIL + 1:
		set_half(&vq->s.avail, reg - QUEUE_AVAIL, data);
		break;
	case QUEUE_USED ... QUEUE_USED + 1:
		set_half(&vq->s.used, reg - QUEUE_USED, data);
		break;
	}
}

static void write_reg(struct virtio_device *v, enum reg reg, u32 data)
{
	switch (reg) {
	case DEVICE_SELECT:
		v->s.device_select = data;
		break;
	case DRIVER_SELECT:
		v->s.driver_select = data;
		break;
	case DRIVER_FEATURES:
		virtio_accept(v, v->s.driver_select, data);
		break;
	case LEGACY_DRIVER:
		virtio_accept(v, 0, data);
		break;
	case STATUS:
		virtio_write_status(v, data);
		break;
	case QUEUE_SELECT:
		v->s.queue_select = data;
		break;
	case LEGACY_NOTIFY:
		virtio_notify(v, data);
		break;
	default:
		write_queue(v, reg, data);
		break;
	}
}

/* The register that lies at an offset with this width, or 0. */
static enum reg find(const struct layout *l, size_t n, u32 at, unsigned int size)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (l[i].at == at && l[i].size == size)
			return l[i].reg;
	return 0;
}

static u32 config_read(struct virtio_device *v, u32 at, unsigned int size)
{
	return at + size <= v->ops->config_size ? v->ops->config_read(v, at, size) : 0;
}

static void config_write(struct virtio_device *v, u32 at, unsigned int size, u32 data)
{
	if (v->ops->config_write && at + size <= v->ops->config_size)
		v->ops->config_write(v, at, size, data);
}

static u32 virtio_bar_read(struct pci_function *fn, unsigned int bar, u32 offset,
			   unsigned int size)
{
	struct virtio_device *v = to_virtio(fn);
	enum reg reg;

	if (bar == BAR_PORTS && offset >= LEGACY_CONFIG)
		return config_read(v, offset - LEGACY_CONFIG, size);
	if (bar == BAR_MEMORY && offset >= NOTIFY_BASE)
		return 0;
	if (bar == BAR_MEMORY && offset >= CONFIG_BASE)
		return config_read(v, offset - CONFIG_BASE, size);
	if (bar == BAR_MEMORY && offset >= ISR_BASE)
		return offset == ISR_BASE && size == 1 ? virtio_read_isr(v) : 0;
	reg = bar == BAR_PORTS ? find(legacy, ARRAY_SIZE(legacy), offset, size) :
				 find(common, ARRAY_SIZE(common), offset, size);
	return reg ? read_reg(v, reg) : 0;
}

static void virtio_bar_write(struct pci_function *fn, unsigned int bar, u32 offset,
			     unsigned int size, u32 data)
{
	struct virtio_device *v = to_virtio(fn);
	enum reg reg = 0;

	if (bar == BAR_PORTS && offset >= LEGACY_CONFIG)
		config_write(v, offset - LEGACY_CONFIG, size, data);
	else if (bar == BAR_PORTS)
		reg = find(legacy, ARRAY_SIZE(legacy), offset, size);
	else if (offset >= NOTIFY_BASE)
		virtio_notify(v, (offset - NOTIFY_BASE) / NOTIFY_STEP);
	else if (offset >= CONFIG_BASE)
		config_write(v, offset - CONFIG_BASE, size, data);
	else if (offset < ISR_BASE)
		reg = find(common, ARRAY_SIZE(common), offset, size);
	/* The legacy size register is read-only; so are some of the others. */
	if (reg && !(bar == BAR_PORTS && reg == QUEUE_SIZE))
		write_reg(v, reg, data);
}

/* 4.1.4.9: what the window in configuration space is set to. False: nothing possible. */
static bool window(const struct virtio_device *v, u32 at, unsigned int size, unsigned int *bar,
		   u32 *offset, unsigned int *length)
{
	const u8 *w = v->fn.config + v->window;

	if (at >= v->window + WINDOW_DATA + 4 || at + size <= v->window + WINDOW_DATA)
		return false;
	*bar = w[WINDOW_BAR];
	*offset = pci_get(w + WINDOW_OFFSET, 4);
	*length = pci_get(w + WINDOW_LENGTH, 4);
	return *bar < PCI_BARS && (*length == 1 || *length == 2 || *length == 4) &&
	       *length <= v->fn.bar_size[*bar] &&
	       *offset <= v->fn.bar_size[*bar] - *length && !(*offset % *length);
}

static void virtio_config_read(struct pci_function *fn, u32 at, unsigned int size)
{
	struct virtio_device *v = to_virtio(fn);
	unsigned int bar, length;
	u32 offset;

	if (window(v, at, size, &bar, &offset, &length))
		pci_put(fn->config + v->window + WINDOW_DATA, length,
			virtio_bar_read(fn, bar, offset, length));
}

static void virtio_config_written(struct pci_function *fn, u32 at, unsigned int size)
{
	struct virtio_device *v = to_virtio(fn);
	unsigned int bar, length;
	u32 offset;

	if (window(v, at, size, &bar, &offset, &length))
		virtio_bar_write(fn, bar, offset, length,
				 pci_get(fn->config + v->window + WINDOW_DATA, length));
}

static const struct pci_function_ops virtio_pci_ops = {
	.name = "virtio",
	.bar_read = virtio_bar_read,
	.bar_write = virtio_bar_write,
	.config_read = virtio_config_read,
	.config_written = virtio_config_written,
	.reset = virtio_pci_reset,
	.flush = virtio_flush,
	.deadline = virtio_deadline,
	.tick = virtio_tick,
	.busy = virtio_busy,
	.save = virtio_save,
	.restore = virtio_restore,
};

/* 4.1.4: one structure of virtio's in the list of capabilities. Return: where. */
static u32 add_structure(struct virtio_device *v, enum cap_type type, u32 offset, u32 length,
			 unsigned int size)
{
	u32 at = pci_add_capability(&v->fn, PCI_CAP_VENDOR, size);
	u8 *p = v->fn.preset + at;

	p[2] = size;
	p[3] = type;
	p[4] = BAR_MEMORY;
	pci_put(p + 8, 4, offset);
	pci_put(p + 12, 4, length);
	return at;
}

static void add_structures(struct virtio_device *v)
{
	u8 *writable = v->fn.writable;
	u32 at;

	add_structure(v, CAP_COMMON, COMMON_BASE, 56, 16);
	add_structure(v, CAP_ISR, ISR_BASE, 1, 16);
	if (v->ops->config_size)
		add_structure(v, CAP_DEVICE, CONFIG_BASE, v->ops->config_size, 16);
	at = add_structure(v, CAP_NOTIFY, NOTIFY_BASE, NOTIFY_STEP * v->ops->n_queues, 20);
	pci_put(v->fn.preset + at + 16, 4, NOTIFY_STEP);
	v->window = add_structure(v, CAP_WINDOW, 0, 0, 20);
	writable[v->window + WINDOW_BAR] = 0xff;
	memset(writable + v->window + WINDOW_OFFSET, 0xff, 12);
}

/**
 * virtio_init() - make a virtio device, not plugged yet
 * @v: to initialize
 * @ops: what kind
 * @host: the machine
 * @features: offered beside those of the kind and of the transport
 */
void virtio_init(struct virtio_device *v, const struct virtio_ops *ops,
		 struct device_host *host, u64 features)
{
	/* 4.1.2.1 */
	static const u8 transitional[] = {
		[VIRTIO_ID_NET] = 0, [VIRTIO_ID_BLOCK] = 1, [VIRTIO_ID_RNG] = 5,
	};
	const struct pci_ids ids = {
		.vendor = VENDOR,
		.device = DEVICE_BASE + transitional[ops->id],
		.subsystem_vendor = VENDOR,
		.subsystem = ops->id,
		.class = ops->class,
	};
	unsigned int i;

	memset(v, 0, sizeof(*v));
	pci_init(&v->fn, &virtio_pci_ops, &ids);
	v->ops = ops;
	v->host = host;
	v->features = features | ops->features | VIRTIO_F(F_ANY_LAYOUT) |
		      VIRTIO_F(F_INDIRECT) | VIRTIO_F(F_EVENT_IDX) | VIRTIO_F(F_VERSION_1);
	for (i = 0; i < ops->n_queues; i++) {
		v->vq[i].host = host;
		virtqueue_reset(&v->vq[i]);
	}
	pci_add_bar(&v->fn, BAR_PORTS, true, PORTS_SIZE);
	pci_add_bar(&v->fn, BAR_MEMORY, false, MEMORY_SIZE);
	add_structures(v);
}
