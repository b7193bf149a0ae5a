// SPDX-License-Identifier: GPL-2.0
/*
 * Block device (Virtual I/O Device 1.2, 5.2).
 *
 * A request is one chain: a header of 16 bytes, data, one byte of status, in whatever
 * pieces the driver likes. It is done by the disk while others are; its buffers are
 * the guest's memory, without a copy. Completions are pushed as they come and
 * published together, in flush().
 *
 * A driver that has not accepted the flush feature counts on writes being on stable
 * storage when they are done (5.2.6.2), so that is what it gets then.
 */
#include <string.h>

#include "device/virtio_blk.h"

#define F_SEG_MAX	2
#define F_RO		5
#define F_BLK_SIZE	6
#define F_FLUSH		9
#define F_DISCARD	13
#define F_WRITE_ZEROES	14

#define T_IN		0
#define T_OUT		1
#define T_FLUSH		4
#define T_GET_ID	8
#define T_DISCARD	11
#define T_WRITE_ZEROES	13

#define S_OK		0
#define S_IOERR		1
#define S_UNSUPP	2

#define HEADER_SIZE	16
#define RANGE_SIZE	16	/* of a discard or of zeroes */
#define RANGE_UNMAP	1
#define RANGE_MAX	4194304	/* sectors: 2 GiB */

#define CONFIG_SIZE	60
#define CFG_CAPACITY	0
#define CFG_SEG_MAX	12
#define CFG_BLK_SIZE	20
#define CFG_DISCARD_MAX	36
#define CFG_DISCARD_SEG	40
#define CFG_DISCARD_ALIGN 44
#define CFG_ZEROES_MAX	48
#define CFG_ZEROES_SEG	52
#define CFG_ZEROES_UNMAP 56

static struct virtio_blk *to_blk(struct virtio_device *v)
{
	return container_of(v, struct virtio_blk, v);
}

static u32 blk_config_read(struct virtio_device *v, u32 at, unsigned int size)
{
	const struct disk *disk = to_blk(v)->disk;
	u64 sectors = disk->size / DISK_SECTOR;
	u8 c[CONFIG_SIZE] = { 0 };

	pci_put(c + CFG_CAPACITY, 4, sectors);
	pci_put(c + CFG_CAPACITY + 4, 4, sectors >> 32);
	pci_put(c + CFG_SEG_MAX, 4, VIRTQUEUE_SIZE - 2);
	pci_put(c + CFG_BLK_SIZE, 4, DISK_SECTOR);
	pci_put(c + CFG_DISCARD_MAX, 4, RANGE_MAX);
	pci_put(c + CFG_DISCARD_SEG, 4, 1);
	pci_put(c + CFG_DISCARD_ALIGN, 4, disk->block_size / DISK_SECTOR);
	pci_put(c + CFG_ZEROES_MAX, 4, RANGE_MAX);
	pci_put(c + CFG_ZEROES_SEG, 4, 1);
	c[CFG_ZEROES_UNMAP] = 1;
	return pci_get(c + at, size);
}

static bool blk_busy(const struct virtio_device *v)
{
	return container_of(v, struct virtio_blk, v)->in_flight;
}

/* The data's bytes of a chain, without the status. */
static u64 data_in(const struct virtqueue_chain *chain)
{
	return chain->in - 1;
}

/* Status, and the chain goes back. @written: bytes of data that the guest got. */
static void complete(struct blk_request *r, u8 status, u64 written)
{
	struct virtqueue *vq = &r->blk->v.vq[0];

	virtqueue_copy_in(vq, &r->chain, data_in(&r->chain), &status, 1);
	virtqueue_push(vq, r->chain.head, written + 1);
	r->blk = NULL;
}

static void take(struct virtio_blk *blk);

/* The disk has done it. */
static void on_done(struct disk_request *rq, int error)
{
	struct blk_request *r = container_of(rq, struct blk_request, rq);
	struct virtio_blk *blk = r->blk;
	struct virtqueue *vq = &blk->v.vq[0];
	u64 left = rq->op == DISK_READ ? rq->size : 0;
	unsigned int i;

	/* Also after an error: part of it may have come. */
	for (i = r->chain.n_out; i < r->chain.n_out + r->chain.n_in && left; i++) {
		u64 n = r->chain.iov[i].iov_len < left ? r->chain.iov[i].iov_len : left;

		blk->v.host->written(blk->v.host, r->chain.gpa[i], n);
		left -= n;
	}
	blk->in_flight--;
	if (!virtio_ready(&blk->v)) {
		/* The rings are not to be touched any more. */
		r->blk = NULL;
		if (!blk->in_flight)
			virtio_idle(&blk->v);
		return;
	}
	complete(r, error ? S_IOERR : S_OK, rq->op == DISK_READ && !error ? rq->size : 0);
	/* There may not have been room for all that waited. */
	if (!blk->taking)
		take(blk);
	if (vq->failed)
		virtio_fail(&blk->v, vq->failed);
}

static void submit(struct blk_request *r, enum disk_op op, u64 sector, u64 size)
{
	struct virtio_blk *blk = r->blk;

	r->rq.op = op;
	r->rq.offset = sector * DISK_SECTOR;
	r->rq.size = size;
	r->rq.iov = r->iov;
	r->rq.durable = !virtio_has(&blk->v, F_FLUSH);
	r->rq.done = on_done;
	blk->in_flight++;
	blk->disk->submit(blk->disk, &r->rq);
}

/* Is [@sector, + @size bytes) on the disk? */
static bool on_disk(const struct virtio_blk *blk, u64 sector, u64 size)
{
	u64 sectors = blk->disk->size / DISK_SECTOR;

	return !(size % DISK_SECTOR) && sector <= sectors && size / DISK_SECTOR <= sectors - sector;
}

/* The pieces of [@skip, @skip + @size) of @n entries of the chain from @first on. */
static void collect(struct blk_request *r, unsigned int first, unsigned int n, u64 skip, u64 size)
{
	unsigned int i;

	r->rq.n_iov = 0;
	for (i = first; i < first + n && size; i++) {
		struct iovec v = r->chain.iov[i];

		if (skip >= v.iov_len) {
			skip -= v.iov_len;
			continue;
		}
		v.iov_base = (char *)v.iov_base + skip;
		v.iov_len -= skip;
		skip = 0;
		if (v.iov_len > size)
			v.iov_len = size;
		size -= v.iov_len;
		r->iov[r->rq.n_iov++] = v;
	}
}

static void do_read(struct blk_request *r, u64 sector)
{
	u64 size = data_in(&r->chain);

	if (!size || !on_disk(r->blk, sector, size)) {
		complete(r, S_IOERR, 0);
		return;
	}
	collect(r, r->chain.n_out, r->chain.n_in, 0, size);
	submit(r, DISK_READ, sector, size);
}

static void do_write(struct blk_request *r, u64 sector)
{
	u64 size = r->chain.out - HEADER_SIZE;

	if (!size || r->blk->disk->readonly || !on_disk(r->blk, sector, size)) {
		complete(r, S_IOERR, 0);
		return;
	}
	collect(r, 0, r->chain.n_out, HEADER_SIZE, size);
	submit(r, DISK_WRITE, sector, size);
}

static void get_id(struct blk_request *r)
{
	struct virtio_blk *blk = r->blk;
	u64 n = data_in(&r->chain) < DISK_ID_MAX ? data_in(&r->chain) : DISK_ID_MAX;

	n = virtqueue_copy_in(&blk->v.vq[0], &r->chain, 0, blk->disk->id, n);
	complete(r, S_OK, n);
}

/* 5.2.6: one range, because we say that there may be no more. */
static void do_range(struct blk_request *r, bool zeroes)
{
	struct virtio_blk *blk = r->blk;
	enum disk_op op = DISK_DISCARD;
	u8 range[RANGE_SIZE];
	u32 sectors, flags;
	u64 sector;

	if (r->chain.out != HEADER_SIZE + RANGE_SIZE) {
		complete(r, S_IOERR, 0);
		return;
	}
	virtqueue_copy_out(&r->chain, HEADER_SIZE, range, sizeof(range));
	sector = pci_get(range, 4) | (u64)pci_get(range + 4, 4) << 32;
	sectors = pci_get(range + 8, 4);
	flags = pci_get(range + 12, 4);
	if (flags & ~(zeroes ? RANGE_UNMAP : 0u)) {
		complete(r, S_UNSUPP, 0);
		return;
	}
	if (!sectors || sectors > RANGE_MAX || blk->disk->readonly ||
	    !on_disk(blk, sector, (u64)sectors * DISK_SECTOR)) {
		complete(r, S_IOERR, 0);
		return;
	}
	if (zeroes)
		op = flags & RANGE_UNMAP ? DISK_UNMAP : DISK_ZERO;
	r->rq.n_iov = 0;
	submit(r, op, sector, (u64)sectors * DISK_SECTOR);
}

static void start(struct blk_request *r)
{
	u8 header[HEADER_SIZE];
	u64 sector;

	virtqueue_copy_out(&r->chain, 0, header, sizeof(header));
	sector = pci_get(header + 8, 4) | (u64)pci_get(header + 12, 4) << 32;
	switch (pci_get(header, 4)) {
	case T_IN:
		do_read(r, sector);
		break;
	case T_OUT:
		do_write(r, sector);
		break;
	case T_FLUSH:
		r->rq.n_iov = 0;
		submit(r, DISK_FLUSH, 0, 0);
		break;
	case T_GET_ID:
		get_id(r);
		break;
	case T_DISCARD:
		do_range(r, false);
		break;
	case T_WRITE_ZEROES:
		do_range(r, true);
		break;
	default:
		complete(r, S_UNSUPP, 0);
		break;
	}
}

static struct blk_request *free_request(struct virtio_blk *blk)
{
	unsigned int i;

	for (i = 0; blk->in_flight < VIRTQUEUE_SIZE && i < VIRTQUEUE_SIZE; i++)
		if (!blk->request[i].blk)
			return &blk->request[i];
	return NULL;
}

/*
 * Start what waits in the queue, as far as there is room. A guest can lay its rings over each
 * other so that they fill themselves: after a round, others get their turn.
 */
static void take(struct virtio_blk *blk)
{
	struct virtqueue *vq = &blk->v.vq[0];
	struct blk_request *r;
	unsigned int n = 0;

	blk->taking = true;
	blk->again = 0;
	for (r = free_request(blk); r && !vq->failed; r = free_request(blk)) {
		if (n++ == VIRTQUEUE_ROUND) {
			blk->again = blk->v.host->now(blk->v.host);
			break;
		}
		if (!virtqueue_pop(vq, &r->chain)) {
			if (!virtqueue_listen(vq))
				break;
			continue;
		}
		if (r->chain.out < HEADER_SIZE || !r->chain.in) {
			vq->failed = "a request without header or status";
			break;
		}
		r->blk = blk;
		start(r);
	}
	blk->taking = false;
}

static void blk_notify(struct virtio_device *v, unsigned int queue)
{
	(void)queue;
	take(to_blk(v));
}

static void blk_reset(struct virtio_device *v)
{
	to_blk(v)->again = 0;
}

static u64 blk_deadline(struct virtio_device *v)
{
	return to_blk(v)->again;
}

static void blk_tick(struct virtio_device *v)
{
	struct virtio_blk *blk = to_blk(v);

	if (!blk->again || !virtio_ready(v))
		return;
	take(blk);
	if (v->vq[0].failed)
		virtio_fail(v, v->vq[0].failed);
}

static const struct virtio_ops blk_ops = {
	.name = "disk",
	.id = VIRTIO_ID_BLOCK,
	.class = 0x0100,
	.features = VIRTIO_F(F_SEG_MAX) | VIRTIO_F(F_BLK_SIZE) | VIRTIO_F(F_FLUSH),
	.n_queues = 1,
	.config_size = CONFIG_SIZE,
	.config_read = blk_config_read,
	.notify = blk_notify,
	.busy = blk_busy,
	.reset = blk_reset,
	.deadline = blk_deadline,
	.tick = blk_tick,
};

/**
 * virtio_blk_init() - make a disk, not plugged yet
 * @blk: to initialize
 * @host: the machine
 * @disk: where the bytes are
 */
void virtio_blk_init(struct virtio_blk *blk, struct device_host *host, struct disk *disk)
{
	u64 features = disk->readonly ? VIRTIO_F(F_RO) :
				    VIRTIO_F(F_DISCARD) | VIRTIO_F(F_WRITE_ZEROES);

	memset(blk, 0, sizeof(*blk));
	blk->disk = disk;
	virtio_init(&blk->v, &blk_ops, host, features);
}
