/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's driver for virtio devices under test, and a machine for them to be in.
 *
 * The machine is RAM with a hole, a disk in memory whose requests are done when the
 * test says so, or a network card whose cable has what the test puts in, and a log of
 * what was written and published: vg_publish() notes what the guest could see in its rings
 * at that time.
 */
#ifndef VMON_UNIT_VIRTIO_GUEST_H
#define VMON_UNIT_VIRTIO_GUEST_H

#include <stdio.h>
#include <stdlib.h>

#include "dev_host.h"
#include "device/machine.h"

/* VG_SMALL: for many machines, without a record of what was written. */
#ifdef VG_SMALL
#define VG_RAM		0x14000u
#define VG_HOLE		0x8000u
#define VG_HOLE_END	0xa000u
#define VG_LOG		1
#else
#define VG_RAM		0x100000u
#define VG_HOLE		0xa0000u
#define VG_HOLE_END	0xc0000u
#define VG_LOG		VG_RAM
#endif
#define VG_DISK		(64u << 10)
#define VG_PENDING	256

/* Where the driver puts its things. */
#define VG_DESC		0x1000u
#define VG_AVAIL	0x2000u
#define VG_USED		0x3000u
#define VG_INDIRECT	0x4000u
#define VG_HEADER	0x5000u
#define VG_STATUS	0x5100u
#define VG_DATA		0x10000u

/* And its second queue. */
#define VG_DESC1	0x6000u
#define VG_AVAIL1	0x6800u
#define VG_USED1	0x7000u

#define VG_NEXT		1
#define VG_WRITE	2
#define VG_INDIRECT_FLAG 4

struct vg_disk {
	struct disk disk;
	u8 bytes[VG_DISK];
	bool hold;		/* requests wait for vg_finish() */
	struct disk_request *pending[VG_PENDING];
	unsigned int n_pending;
	unsigned int count[DISK_UNMAP + 1];
	int error;		/* what requests end with */
	bool durable;		/* of the last one */
};

enum vg_kind { VG_BLK, VG_RNG, VG_NET };

#define VG_FRAMES	600

/* A cable: frames on their way to the guest, the last one from it, and how much room there is. */
struct vg_cable {
	struct net net;
	const u8 *frame[VG_FRAMES];
	size_t size[VG_FRAMES];
	unsigned int put, taken;
	bool endless;		/* the last frame comes again and again */
	unsigned int room;	/* frames that it takes */
	unsigned int sent, flushed;
	u8 last[NET_FRAME_MAX];
	size_t last_size;
};

struct vg {
	struct test_host t;
	struct machine m;
	u8 *ram;
	struct vg_disk disk;
	struct vg_cable cable;
	unsigned int published;
	u16 used_at_publish;	/* used index that the guest saw then */
	u8 written[VG_LOG];	/* bytes that the machine was told of and published */
	u8 pending[VG_LOG];	/* told of, not published */
	unsigned int complaints;
	char complaint[256];
	size_t randomness;
	u64 features;
	u32 io, mem;		/* base addresses */
	u32 slot;
	u16 avail;		/* the driver's index */
	u16 avail1;		/* of the second queue */
	u16 seen;		/* used elements it has taken */
	u16 size;
};

static struct vg vg;

static void *vg_host_ram(struct device_host *host, u64 gpa, u64 size)
{
	if (!size || gpa >= VG_RAM || size > VG_RAM - gpa ||
	    (gpa < VG_HOLE_END && gpa + size > VG_HOLE))
		return NULL;
	return vg.ram + gpa;
}

static void vg_host_written(struct device_host *host, u64 gpa, u64 size)
{
	if (!vg_host_ram(host, gpa, size))
		abort();
	if (VG_LOG == VG_RAM)
		memset(vg.pending + gpa, 1, size);
}

static u16 vg_load16(u32 gpa)
{
	return vg.ram[gpa] | vg.ram[gpa + 1] << 8;
}

static int vg_host_publish(struct device_host *host)
{
	unsigned int i;

	vg.published++;
	vg.used_at_publish = vg_load16(VG_USED + 2);
	for (i = 0; i < VG_LOG; i++)
		vg.written[i] |= vg.pending[i];
	memset(vg.pending, 0, sizeof(vg.pending));
	return 0;
}

static size_t vg_host_random(struct device_host *host, void *buf, size_t size)
{
	if (size > vg.randomness)
		size = vg.randomness;
	memset(buf, 0x5a, size);
	return size;
}

static void vg_host_complain(struct device_host *host, const char *text)
{
	vg.complaints++;
	snprintf(vg.complaint, sizeof(vg.complaint), "%s", text);
}

static void vg_output(struct uart16550 *uart, const u8 *data, size_t len)
{
}

static void vg_copy(struct disk_request *rq, bool to_guest)
{
	u8 *p = vg.disk.bytes + rq->offset;
	unsigned int i;

	for (i = 0; i < rq->n_iov; i++) {
		struct iovec *v = &rq->iov[i];

		if (v->iov_len > (size_t)(vg.disk.bytes + VG_DISK - p) ||
		    !vg_host_ram(NULL, (u8 *)v->iov_base - vg.ram, v->iov_len))
			abort();
		if (to_guest)
			memcpy(v->iov_base, p, v->iov_len);
		else
			memcpy(p, v->iov_base, v->iov_len);
		p += v->iov_len;
	}
	if (p != vg.disk.bytes + rq->offset + rq->size)
		abort();
}

static void vg_do(struct disk_request *rq)
{
	vg.disk.count[rq->op]++;
	vg.disk.durable = rq->durable;
	if (rq->offset > VG_DISK || rq->size > VG_DISK - rq->offset || rq->size % 512)
		abort();
	if (rq->op == DISK_READ)
		vg_copy(rq, true);
	else if (rq->op == DISK_WRITE)
		vg_copy(rq, false);
	else if (rq->op != DISK_FLUSH)
		memset(vg.disk.bytes + rq->offset, 0, rq->size);
	rq->done(rq, vg.disk.error);
}

static void vg_submit(struct disk *disk, struct disk_request *rq)
{
	if (!vg.disk.hold) {
		vg_do(rq);
		return;
	}
	if (vg.disk.n_pending == VG_PENDING)
		abort();
	vg.disk.pending[vg.disk.n_pending++] = rq;
}

/* The disk does what it has. */
static inline void vg_finish(void)
{
	struct disk_request *pending[VG_PENDING];
	unsigned int i, n = vg.disk.n_pending;

	/* What is done makes room, and more may come. */
	memcpy(pending, vg.disk.pending, sizeof(pending));
	vg.disk.n_pending = 0;
	for (i = 0; i < n; i++)
		vg_do(pending[i]);
}

static const u8 *vg_peek(struct net *net, size_t *size)
{
	unsigned int i = vg.cable.taken;

	if (i == vg.cable.put)
		return NULL;
	*size = vg.cable.size[i];
	return vg.cable.frame[i];
}

static void vg_take(struct net *net)
{
	if (vg.cable.taken == vg.cable.put)
		abort();
	if (!vg.cable.endless)
		vg.cable.taken++;
}

static bool vg_room(struct net *net)
{
	return vg.cable.room;
}

static void vg_sent(struct net *net, const u8 *frame, size_t size)
{
	if (!vg.cable.room || size < NET_FRAME_MIN || size > NET_FRAME_MAX)
		abort();
	vg.cable.room--;
	vg.cable.sent++;
	memcpy(vg.cable.last, frame, size);
	vg.cable.last_size = size;
}

static void vg_flushed(struct net *net)
{
	vg.cable.flushed++;
}

/* A frame for the guest; the card hears of it with vg_event(). */
static inline void vg_put(const u8 *frame, size_t size)
{
	if (vg.cable.put == VG_FRAMES)
		abort();
	vg.cable.frame[vg.cable.put] = frame;
	vg.cable.size[vg.cable.put++] = size;
}

static inline void vg_event(void)
{
	vg.cable.net.event(&vg.cable.net);
	machine_flush(&vg.m);
}

static int vg_plug(enum vg_kind kind)
{
	switch (kind) {
	case VG_RNG:
		return machine_add_rng(&vg.m);
	case VG_NET:
		return machine_add_net(&vg.m, &vg.cable.net);
	default:
		return machine_add_disk(&vg.m, &vg.disk.disk);
	}
}

/* A machine with one device. */
static inline void vg_start_with(enum vg_kind kind, bool readonly)
{
	machine_destroy(&vg.m);
	free(vg.ram);
	memset(&vg, 0, sizeof(vg));
	vg.ram = aligned_alloc(4096, VG_RAM);
	memset(vg.ram, 0, VG_RAM);
	test_host_init(&vg.t);
	vg.t.host.ram = vg_host_ram;
	vg.t.host.written = vg_host_written;
	vg.t.host.publish = vg_host_publish;
	vg.t.host.random = vg_host_random;
	vg.t.host.complain = vg_host_complain;
	vg.disk.disk = (struct disk){
		.size = VG_DISK, .block_size = 4096, .readonly = readonly,
		.id = "serial number", .submit = vg_submit,
	};
	vg.cable.net = (struct net){
		.mac = { 2, 0, 0x5e, 1, 2, 3 }, .up = true, .peek = vg_peek, .take = vg_take,
		.ready = vg_room, .send = vg_sent, .flush = vg_flushed,
	};
	vg.cable.room = 1000;
	vg.randomness = 64;
	machine_init(&vg.m, &vg.t.host, VG_RAM, false, vg_output);
	if (vg_plug(kind))
		abort();
	vg.slot = 1;
	vg.size = VIRTQUEUE_SIZE;
}

/* A machine with one disk, or with a source of randomness. */
static inline void vg_start(bool rng, bool readonly)
{
	vg_start_with(rng ? VG_RNG : VG_BLK, readonly);
}

static inline void vg_end(void)
{
	machine_destroy(&vg.m);
	free(vg.ram);
	vg.ram = NULL;
}

static inline u32 vg_read(enum device_space space, u64 addr, unsigned int size)
{
	struct device *dev = machine_find(&vg.m, space, addr);

	return dev ? device_read(dev, addr, size) : 0xffffffff;
}

static inline void vg_write(enum device_space space, u64 addr, unsigned int size, u32 data)
{
	struct device *dev = machine_find(&vg.m, space, addr);

	if (dev)
		device_write(dev, addr, size, data);
}

static inline u32 cfg_read(u32 slot, u32 reg, unsigned int size)
{
	vg_write(DEVICE_PORT, 0xcf8, 4, 0x80000000 | slot << 11 | (reg & 0xfc));
	return vg_read(DEVICE_PORT, 0xcfc + (reg & 3), size);
}

static inline void cfg_write(u32 slot, u32 reg, unsigned int size, u32 data)
{
	vg_write(DEVICE_PORT, 0xcf8, 4, 0x80000000 | slot << 11 | (reg & 0xfc));
	vg_write(DEVICE_PORT, 0xcfc + (reg & 3), size, data);
}

static inline u32 mem_read(u32 at, unsigned int size)
{
	return vg_read(DEVICE_MMIO, vg.mem + at, size);
}

static inline void mem_write(u32 at, unsigned int size, u32 data)
{
	vg_write(DEVICE_MMIO, vg.mem + at, size, data);
}

static inline u32 io_read(u32 at, unsigned int size)
{
	return vg_read(DEVICE_PORT, vg.io + at, size);
}

static inline void io_write(u32 at, unsigned int size, u32 data)
{
	vg_write(DEVICE_PORT, vg.io + at, size, data);
}

static inline void vg_find(void)
{
	vg.io = cfg_read(vg.slot, 0x10, 4) & ~3u;
	vg.mem = cfg_read(vg.slot, 0x14, 4) & ~15u;
}

/* Up to FEATURES_OK. Return: whether the device agreed. */
static inline bool vg_negotiate(u64 accept)
{
	unsigned int i;

	vg_find();
	mem_write(20, 1, 0);
	mem_write(20, 1, 1);
	mem_write(20, 1, 3);
	vg.features = 0;
	for (i = 0; i < 2; i++) {
		mem_write(0, 4, i);
		vg.features |= (u64)mem_read(4, 4) << 32 * i;
	}
	accept &= vg.features;
	for (i = 0; i < 2; i++) {
		mem_write(8, 4, i);
		mem_write(12, 4, accept >> 32 * i);
	}
	mem_write(20, 1, 11);
	return mem_read(20, 1) == 11;
}

static inline void vg_queue_of(u32 queue, u32 desc, u32 avail, u32 used)
{
	mem_write(22, 2, queue);
	mem_write(24, 2, vg.size);
	mem_write(32, 4, desc);
	mem_write(36, 4, 0);
	mem_write(40, 4, avail);
	mem_write(44, 4, 0);
	mem_write(48, 4, used);
	mem_write(52, 4, 0);
	mem_write(28, 2, 1);
}

static inline void vg_queue(u32 desc, u32 avail, u32 used)
{
	vg_queue_of(0, desc, avail, used);
}

/* A driver that is ready, by the modern interface. */
static inline bool vg_ready(u64 accept)
{
	bool ok = vg_negotiate(accept);

	vg_queue(VG_DESC, VG_AVAIL, VG_USED);
	if (vg.m.n_nets)
		vg_queue_of(1, VG_DESC1, VG_AVAIL1, VG_USED1);
	mem_write(20, 1, 15);
	return ok && mem_read(20, 1) == 15;
}

static inline void vg_store(u32 gpa, unsigned int size, u64 value)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		vg.ram[gpa + i] = value >> 8 * i;
}

static inline void vg_desc_at(u32 table, u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	vg_store(table + 16 * i, 8, addr);
	vg_store(table + 16 * i + 8, 4, len);
	vg_store(table + 16 * i + 12, 2, flags);
	vg_store(table + 16 * i + 14, 2, next);
}

static inline void vg_desc(u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	vg_desc_at(VG_DESC, i, addr, len, flags, next);
}

/* Make a chain available, and tell the device nothing. */
static inline void vg_avail(u16 head)
{
	vg_store(VG_AVAIL + 4 + 2 * (vg.avail % vg.size), 2, head);
	vg_store(VG_AVAIL + 2, 2, ++vg.avail);
}

/* The same with the second queue. */
static inline void vg_avail1(u16 head)
{
	vg_store(VG_AVAIL1 + 4 + 2 * (vg.avail1 % vg.size), 2, head);
	vg_store(VG_AVAIL1 + 2, 2, ++vg.avail1);
}

static inline void vg_kick1(void)
{
	mem_write(0x3004, 2, 1);
	machine_flush(&vg.m);
}

static inline u16 vg_used1(void)
{
	return vg_load16(VG_USED1 + 2);
}

static inline void vg_kick(void)
{
	mem_write(0x3000, 2, 0);
	machine_flush(&vg.m);
}

static inline u16 vg_used(void)
{
	return vg_load16(VG_USED + 2);
}

/* Length that the device gave for the last used element. */
static inline u32 vg_used_len(void)
{
	u32 at = VG_USED + 4 + 8 * ((vg_used() - 1) % vg.size) + 4;

	return vg_load16(at) | (u32)vg_load16(at + 2) << 16;
}

static inline void vg_header(u32 type, u64 sector)
{
	vg_store(VG_HEADER, 4, type);
	vg_store(VG_HEADER + 4, 4, 0);
	vg_store(VG_HEADER + 8, 8, sector);
	vg.ram[VG_STATUS] = 0xee;
}

/* A request as Linux makes it: descriptors 0, 1 and 2. Return: status, EEh: none yet. */
static inline u8 vg_request(u32 type, u64 sector, u32 size, bool in)
{
	vg_header(type, sector);
	vg_desc(0, VG_HEADER, 16, VG_NEXT, size ? 1 : 2);
	vg_desc(1, VG_DATA, size, VG_NEXT | (in ? VG_WRITE : 0), 2);
	vg_desc(2, VG_STATUS, 1, VG_WRITE, 0);
	vg_avail(0);
	vg_kick();
	return vg.ram[VG_STATUS];
}

#endif /* VMON_UNIT_VIRTIO_GUEST_H */
