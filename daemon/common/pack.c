// SPDX-License-Identifier: GPL-2.0
/*
 * Packed records: numbers, strings and bytes under a head with length and checksum.
 *
 * A writer that dies leaves no record: the first word comes last. Each value takes a multiple
 * of eight bytes, so all are aligned and the checksum goes by words. It finds accidents, not
 * forgers: who can write to a record may write what it likes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/pack.h"

#define MAGIC		0x4b434150u	/* "PACK" */
#define NO_STRING	UINT64_MAX

struct head {
	u32 magic;
	u32 kind;
	u32 version;
	u32 size;		/* bytes, with this */
	u64 sequence;
	u64 sum;		/* of all of it, this being 0 */
};

static size_t align(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

/* @size is a multiple of 8. Each word passes a bijection, so no single change goes unseen. */
static u64 checksum(const u8 *buf, size_t size)
{
	u64 sum = size, word;
	size_t i;

	for (i = 0; i < size; i += 8) {
		memcpy(&word, buf + i, 8);
		if (i == offsetof(struct head, sum))
			word = 0;
		if (!i)
			word &= ~0xffffffffull;	/* the magic number, which comes last */
		sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
		sum ^= sum >> 32;
	}
	return sum;
}

/**
 * pack_begin() - begin a record
 * @p: to initialize
 * @buf: where to; 8-byte aligned
 * @size: bytes there
 */
void pack_begin(struct pack *p, void *buf, size_t size)
{
	u32 *magic = buf;

	*p = (struct pack){ .buf = buf, .size = size, .at = sizeof(struct head) };
	p->full = size < sizeof(struct head);
	if (!p->full)
		__atomic_store_n(magic, 0, __ATOMIC_RELEASE);
	/* Pairs with pack_end(): until there, what is here is no record. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Room for @len bytes and what aligns them, which is zero. NULL: it is full. */
static void *room(struct pack *p, size_t len)
{
	size_t all = align(len);
	u8 *at = p->buf + p->at;

	if (p->full || all < len || all > p->size - p->at) {
		p->full = true;
		return NULL;
	}
	if (all)
		memset(at + all - 8, 0, 8);
	p->at += all;
	return at;
}

void pack_u64(struct pack *p, u64 value)
{
	void *at = room(p, sizeof(value));

	if (at)
		memcpy(at, &value, sizeof(value));
}

void pack_u32(struct pack *p, u32 value)
{
	pack_u64(p, value);
}

/**
 * pack_room() - make room for bytes, and their number before them
 * @p: record
 * @len: bytes
 *
 * Return: where they are to be written, or NULL: they do not fit.
 */
void *pack_room(struct pack *p, size_t len)
{
	pack_u64(p, len);
	return room(p, len);
}

/* A string, or NULL. */
void pack_string(struct pack *p, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	void *at;

	pack_u64(p, text ? len : NO_STRING);
	at = room(p, len);
	if (at && len)
		memcpy(at, text, len);
}

/**
 * pack_end() - complete a record
 * @p: record
 * @kind: what it is
 * @version: changes whenever what is in it does
 * @sequence: number of this one
 *
 * Return: its bytes, or 0: it did not fit, and must not be used.
 */
size_t pack_end(struct pack *p, u32 kind, u32 version, u64 sequence)
{
	struct head head = { MAGIC, kind, version, p->at, sequence, 0 };
	u32 *magic = (u32 *)p->buf;

	if (p->full)
		return 0;
	memcpy(p->buf, &head, sizeof(head));
	*magic = 0;
	head.sum = checksum(p->buf, p->at);
	memcpy(p->buf + offsetof(struct head, sum), &head.sum, sizeof(head.sum));
	/* Last: a writer that dies before this has left no record. */
	__atomic_store_n(magic, MAGIC, __ATOMIC_RELEASE);
	return p->at;
}

/**
 * unpack_begin() - begin to read a record
 * @u: to initialize
 * @buf: where it is; may be longer than the record
 * @size: bytes there
 * @kind: what it must be
 * @version: the one that is understood
 * @err: why not
 *
 * Return: 0, -ENODATA: none was completed, -EBADMSG: it is damaged, or -EPROTO: it is of another
 * kind or version.
 */
int unpack_begin(struct unpack *u, const void *buf, size_t size, u32 kind, u32 version,
		 struct error *err)
{
	struct head head;

	*u = (struct unpack){ .buf = buf, .at = sizeof(head) };
	if (size < sizeof(head))
		return fail(err, EBADMSG, "cut off: %zu bytes", size);
	memcpy(&head, buf, sizeof(head));
	if (head.magic != MAGIC)
		return fail(err, head.magic ? EBADMSG : ENODATA, "no record, or not all of it");
	if (head.size < sizeof(head) || head.size > size || head.size % 8)
		return fail(err, EBADMSG, "cut off: %zu of %u bytes", size, head.size);
	if (checksum(buf, head.size) != head.sum)
		return fail(err, EBADMSG, "altered: the checksum is wrong");
	if (head.kind != kind || head.version != version)
		return fail(err, EPROTO, "of kind %u and version %u, not %u and %u", head.kind,
			    head.version, kind, version);
	u->size = head.size;
	u->sequence = head.sequence;
	return 0;
}

static const void *take(struct unpack *u, size_t len)
{
	size_t all = align(len);
	const u8 *at = u->buf + u->at;

	if (u->bad || all < len || all > u->size - u->at) {
		u->bad = true;
		return NULL;
	}
	u->at += all;
	return at;
}

/* Return: the number, or 0 where there is none. */
u64 unpack_u64(struct unpack *u)
{
	const void *at = take(u, sizeof(u64));
	u64 value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

u32 unpack_u32(struct unpack *u)
{
	u64 value = unpack_u64(u);

	if (value > UINT32_MAX)
		u->bad = true;
	return value;
}

/* Return: a copy, to be freed; NULL where NULL was written, or nothing is. */
char *unpack_string(struct unpack *u)
{
	u64 len = unpack_u64(u);
	const char *at;
	char *text;

	if (len == NO_STRING)
		return NULL;
	at = take(u, len);
	if (!at)
		return NULL;
	text = strndup(at, len);
	if (!text)
		u->bad = true;
	return text;
}

/**
 * unpack_bytes() - bytes that pack_room() made room for
 * @u: record
 * @len: gets how many
 *
 * Return: where they are, or NULL.
 */
const void *unpack_bytes(struct unpack *u, size_t *len)
{
	const void *at;

	*len = unpack_u64(u);
	at = take(u, *len);
	if (!at)
		*len = 0;
	return at;
}

/**
 * unpack_end() - has all been there, and nothing else?
 * @u: record
 * @err: why not
 */
int unpack_end(const struct unpack *u, struct error *err)
{
	if (u->bad)
		return fail(err, EBADMSG, "something is missing in it, or there is no memory");
	if (u->at != u->size)
		return fail(err, EBADMSG, "more is in it than is understood");
	return 0;
}
