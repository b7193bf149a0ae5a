// SPDX-License-Identifier: GPL-2.0
/*
 * Split virtqueues (Virtual I/O Device 1.2, 2.7), with indirect descriptors
 * (2.7.5.3) and event index (2.7.7, 2.7.10).
 *
 *	avail: le16 flags, idx, ring[size], used_event
 *	used:  le16 flags, idx; { le32 id, len } ring[size]; le16 avail_event
 *
 * The guest's processor runs while this does, so the order of accesses matters and
 * is written down as acquire, release and full barriers. Guests of vmon are x86, and so
 * is the host: little-endian.
 */
#include <errno.h>
#include <string.h>

#include "device/virtqueue.h"

#define DESC_NEXT	1
#define DESC_WRITE	2
#define DESC_INDIRECT	4

#define AVAIL_NO_INTERRUPT 1

#define DESC_SIZE	16
#define AVAIL_IDX	2
#define AVAIL_RING	4
#define USED_IDX	2
#define USED_RING	4
#define USED_ELEM	8

struct desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

static u16 load16(const void *p)
{
	return __atomic_load_n((const u16 *)p, __ATOMIC_RELAXED);
}

static u32 load32(const void *p)
{
	return __atomic_load_n((const u32 *)p, __ATOMIC_RELAXED);
}

static bool fail_queue(struct virtqueue *vq, const char *why)
{
	vq->failed = why;
	return false;
}

static u64 avail_size(u16 size)
{
	return AVAIL_RING + 2ull * size + 2;
}

static u64 used_size(u16 size)
{
	return USED_RING + (u64)USED_ELEM * size + 2;
}

/* To power-on state: not set up. */
void virtqueue_reset(struct virtqueue *vq)
{
	memset(&vq->s, 0, sizeof(vq->s));
	vq->s.size = VIRTQUEUE_SIZE;
	vq->failed = NULL;
	vq->desc = NULL;
	vq->avail = NULL;
	vq->used = NULL;
}

/**
 * virtqueue_state_valid() - could a queue have this state?
 * @s: state, from a file maybe; addresses are checked by virtqueue_enable()
 */
bool virtqueue_state_valid(const struct virtqueue_state *s)
{
	return s->size && s->size <= VIRTQUEUE_SIZE && !(s->size & (s->size - 1));
}

/**
 * virtqueue_enable() - find the rings in guest RAM
 * @vq: queue with addresses and size set
 *
 * Return: 0, or -EINVAL with vq->failed set.
 */
int virtqueue_enable(struct virtqueue *vq)
{
	struct virtqueue_state *s = &vq->s;

	vq->failed = NULL;
	if (!virtqueue_state_valid(s)) {
		vq->failed = "its size is none that a queue can have";
	} else if ((s->desc & 15) || (s->avail & 1) || (s->used & 3)) {
		vq->failed = "its rings are not aligned";
	} else {
		vq->desc = vq->host->ram(vq->host, s->desc, (u64)DESC_SIZE * s->size);
		vq->avail = vq->host->ram(vq->host, s->avail, avail_size(s->size));
		vq->used = vq->host->ram(vq->host, s->used, used_size(s->size));
		if (!vq->desc || !vq->avail || !vq->used)
			vq->failed = "its rings are outside RAM";
	}
	s->enabled = !vq->failed;
	return vq->failed ? -EINVAL : 0;
}

/* Descriptor @i of the table at @table. Each field is read once. */
static struct desc load_desc(const void *table, u32 i)
{
	const char *p = (const char *)table + (size_t)DESC_SIZE * i;
	struct desc d = {
		.addr = load32(p) | (u64)load32(p + 4) << 32,
		.len = load32(p + 8),
		.flags = load16(p + 12),
		.next = load16(p + 14),
	};

	return d;
}

static bool add_buffer(struct virtqueue *vq, struct virtqueue_chain *chain, const struct desc *d)
{
	bool in = d->flags & DESC_WRITE;
	unsigned int n = chain->n_out + chain->n_in;
	void *p;

	if (n == VIRTQUEUE_SIZE)
		return fail_queue(vq, "a descriptor chain is longer than the queue, or a loop");
	if (!in && chain->n_in)
		return fail_queue(vq, "a buffer to be read comes after one to be written");
	p = d->len ? vq->host->ram(vq->host, d->addr, d->len) : vq->desc;
	if (!p)
		return fail_queue(vq, "a buffer is outside RAM");
	chain->iov[n] = (struct iovec){ p, d->len };
	chain->gpa[n] = d->addr;
	if (in) {
		chain->n_in++;
		chain->in += d->len;
	} else {
		chain->n_out++;
		chain->out += d->len;
	}
	return true;
}

/* Where an indirect descriptor leads: @table, of @n. @within: it is in such a table itself. */
static bool follow_indirect(struct virtqueue *vq, const struct desc *d, bool within,
			    const void **table, u32 *n)
{
	if (!vq->indirect)
		return fail_queue(vq, "an indirect descriptor, which was not agreed on");
	if (within)
		return fail_queue(vq, "an indirect descriptor in an indirect table");
	if (d->flags & DESC_NEXT)
		return fail_queue(vq, "an indirect descriptor that has a next one");
	if (!d->len || d->len % DESC_SIZE || d->addr % 4)
		return fail_queue(vq, "an indirect table of an odd size or place");
	*table = vq->host->ram(vq->host, d->addr, d->len);
	if (!*table)
		return fail_queue(vq, "an indirect table outside RAM");
	*n = d->len / DESC_SIZE;
	return true;
}

static bool walk(struct virtqueue *vq, struct virtqueue_chain *chain)
{
	const void *table = vq->desc;
	u32 n = vq->s.size, i = chain->head;
	bool within = false;
	struct desc d;

	for (;;) {
		if (i >= n)
			return fail_queue(vq, "a descriptor number is beyond its table");
		d = load_desc(table, i);
		if (d.flags & DESC_INDIRECT) {
			if (!follow_indirect(vq, &d, within, &table, &n))
				return false;
			within = true;
			i = 0;
			continue;
		}
		if (!add_buffer(vq, chain, &d))
			return false;
		if (!(d.flags & DESC_NEXT))
			return true;
		i = d.next;
	}
}

/**
 * virtqueue_pop() - take the next chain that the guest has made available
 * @vq: queue
 * @chain: filled in
 *
 * Return: whether there was one. If there was none because the ring is wrong,
 * vq->failed says so.
 */
bool virtqueue_pop(struct virtqueue *vq, struct virtqueue_chain *chain)
{
	struct virtqueue_state *s = &vq->s;
	u16 idx, waiting;

	if (!s->enabled || vq->failed)
		return false;
	/* What the guest wrote before it moved the index is seen from here on. */
	idx = __atomic_load_n((const u16 *)((char *)vq->avail + AVAIL_IDX), __ATOMIC_ACQUIRE);
	waiting = idx - s->taken;
	if (!waiting)
		return false;
	if (waiting > s->size)
		return fail_queue(vq, "its available index is too far ahead");
	chain->head = load16((char *)vq->avail + AVAIL_RING + 2 * (s->taken & (s->size - 1)));
	chain->n_out = 0;
	chain->n_in = 0;
	chain->out = 0;
	chain->in = 0;
	if (!walk(vq, chain))
		return false;
	s->taken++;
	return true;
}

/**
 * virtqueue_listen() - ask to be notified of the next chain
 * @vq: queue that virtqueue_pop() has found empty
 *
 * Return: whether there is one already: pop again, there may be no notification.
 */
bool virtqueue_listen(struct virtqueue *vq)
{
	struct virtqueue_state *s = &vq->s;
	u64 at = USED_RING + (u64)USED_ELEM * s->size;
	u16 idx;

	if (!s->enabled || vq->failed)
		return false;
	if (vq->event_idx) {
		__atomic_store_n((u16 *)((char *)vq->used + at), s->taken, __ATOMIC_RELAXED);
		vq->host->written(vq->host, s->used + at, 2);
	}
	/* The event must be out before the index is looked at: the guest does the reverse. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	idx = load16((char *)vq->avail + AVAIL_IDX);
	return idx != s->taken;
}

/**
 * virtqueue_push() - give a chain back; the guest does not see it yet
 * @vq: queue
 * @head: of the chain
 * @written: bytes written into it
 */
void virtqueue_push(struct virtqueue *vq, u16 head, u32 written)
{
	struct virtqueue_state *s = &vq->s;
	u64 at = USED_RING + (u64)USED_ELEM * (s->filled & (s->size - 1));
	char *elem;

	if (!s->enabled || vq->failed)
		return;
	elem = (char *)vq->used + at;
	__atomic_store_n((u32 *)elem, head, __ATOMIC_RELAXED);
	__atomic_store_n((u32 *)(elem + 4), written, __ATOMIC_RELAXED);
	vq->host->written(vq->host, s->used + at, USED_ELEM);
	s->filled++;
}

/* 2.7.7.2: was the event passed on the way from @old to @new? */
static bool passed(u16 event, u16 new, u16 old)
{
	return (u16)(new - event - 1) < (u16)(new - old);
}

static bool wants_interrupt(struct virtqueue *vq)
{
	struct virtqueue_state *s = &vq->s;
	u16 new = s->published, old = s->judged, event;
	bool first = !s->judged_valid;

	/* The index must be out before the guest's wish is looked at. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vq->event_idx)
		return !(load16(vq->avail) & AVAIL_NO_INTERRUPT);
	event = load16((char *)vq->avail + AVAIL_RING + 2 * s->size);
	s->judged = new;
	s->judged_valid = true;
	return first || passed(event, new, old);
}

/**
 * virtqueue_publish() - let the guest see all that was pushed
 * @vq: queue
 *
 * The guest may look at the used index at any time, without an interrupt. So what
 * devices have written, the elements included, is made known to the processor
 * first: see publish() in struct device_host.
 *
 * Return: whether the guest wants an interrupt for it.
 */
bool virtqueue_publish(struct virtqueue *vq)
{
	struct virtqueue_state *s = &vq->s;

	if (!s->enabled || vq->failed || s->filled == s->published)
		return false;
	if (vq->host->publish(vq->host) < 0)
		return fail_queue(vq, "the module was not told what has been written");
	/* Pairs with the guest's read barrier behind its load of the index. */
	__atomic_store_n((u16 *)((char *)vq->used + USED_IDX), s->filled, __ATOMIC_RELEASE);
	vq->host->written(vq->host, s->used + USED_IDX, 2);
	s->published = s->filled;
	return wants_interrupt(vq);
}

/**
 * virtqueue_copy_out() - read from the buffers that the device reads
 * @chain: chain
 * @at: offset in them, as if they were one
 * @buf: where to
 * @size: bytes
 *
 * Return: bytes copied, fewer at the end.
 */
size_t virtqueue_copy_out(const struct virtqueue_chain *chain, u64 at, void *buf, size_t size)
{
	size_t done = 0, n;
	unsigned int i;

	for (i = 0; i < chain->n_out && done < size; i++) {
		const struct iovec *v = &chain->iov[i];

		if (at >= v->iov_len) {
			at -= v->iov_len;
			continue;
		}
		n = v->iov_len - at < size - done ? v->iov_len - at : size - done;
		memcpy((char *)buf + done, (char *)v->iov_base + at, n);
		done += n;
		at = 0;
	}
	return done;
}

/**
 * virtqueue_copy_in() - write to the buffers that the device writes
 * @vq: queue
 * @chain: chain
 * @at: offset in them, as if they were one
 * @buf: what
 * @size: bytes
 *
 * Return: bytes copied, fewer at the end.
 */
size_t virtqueue_copy_in(struct virtqueue *vq, const struct virtqueue_chain *chain, u64 at,
			 const void *buf, size_t size)
{
	size_t done = 0, n;
	unsigned int i;

	for (i = chain->n_out; i < chain->n_out + chain->n_in && done < size; i++) {
		const struct iovec *v = &chain->iov[i];

		if (at >= v->iov_len) {
			at -= v->iov_len;
			continue;
		}
		n = v->iov_len - at < size - done ? v->iov_len - at : size - done;
		memcpy((char *)v->iov_base + at, (const char *)buf + done, n);
		vq->host->written(vq->host, chain->gpa[i] + at, n);
		done += n;
		at = 0;
	}
	return done;
}
