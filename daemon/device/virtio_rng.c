// SPDX-License-Identifier: GPL-2.0
/*
 * Entropy device (Virtual I/O Device 1.2, 5.4).
 *
 * One piece of at most CHUNK bytes for each buffer: the guest asks again if it wants
 * more. Early in the host's boot there may be none yet; then the buffer waits.
 */
#include <string.h>

#include "device/virtio_rng.h"

#define CHUNK		1024
#define RETRY_NS	100000000ull

static struct virtio_rng *to_rng(struct virtio_device *v)
{
	return container_of(v, struct virtio_rng, v);
}

/* Take the next buffer and fill it. Return: whether there may be more to do. */
static bool fill_next(struct virtio_rng *rng)
{
	struct virtqueue *vq = &rng->v.vq[0];
	struct device_host *host = rng->v.host;
	u8 bytes[CHUNK];
	size_t n;

	/* A buffer that was taken could not be given back: so bytes come first. */
	n = host->random(host, bytes, sizeof(bytes));
	if (!n) {
		rng->retry = host->now(host) + RETRY_NS;
		return false;
	}
	if (!virtqueue_pop(vq, &rng->chain))
		return virtqueue_listen(vq);
	n = virtqueue_copy_in(vq, &rng->chain, 0, bytes, n);
	explicit_bzero(bytes, sizeof(bytes));
	virtqueue_push(vq, rng->chain.head, n);
	return true;
}

static void rng_notify(struct virtio_device *v, unsigned int queue)
{
	struct virtio_rng *rng = to_rng(v);
	unsigned int n;

	(void)queue;
	rng->retry = 0;
	for (n = 0; n < VIRTQUEUE_ROUND && fill_next(rng); n++)
		;
	if (n == VIRTQUEUE_ROUND)
		rng->retry = v->host->now(v->host);
}

static void rng_reset(struct virtio_device *v)
{
	to_rng(v)->retry = 0;
}

static u64 rng_deadline(struct virtio_device *v)
{
	return to_rng(v)->retry;
}

static void rng_tick(struct virtio_device *v)
{
	struct virtio_rng *rng = to_rng(v);

	if (rng->retry && v->host->now(v->host) >= rng->retry && virtio_ready(v)) {
		rng_notify(v, 0);
		if (v->vq[0].failed)
			virtio_fail(v, v->vq[0].failed);
	}
}

static const struct virtio_ops rng_ops = {
	.name = "random number generator",
	.id = VIRTIO_ID_RNG,
	.class = 0x00ff,
	.n_queues = 1,
	.notify = rng_notify,
	.reset = rng_reset,
	.deadline = rng_deadline,
	.tick = rng_tick,
};

/**
 * virtio_rng_init() - make a source of randomness, not plugged yet
 * @rng: to initialize
 * @host: the machine
 */
void virtio_rng_init(struct virtio_rng *rng, struct device_host *host)
{
	memset(rng, 0, sizeof(*rng));
	virtio_init(&rng->v, &rng_ops, host, 0);
}
