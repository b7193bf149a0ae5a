/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packed records: values one after the other, under a head that tells whether they are whole.
 *
 * A record has a kind, a version, a sequence number and a checksum over all of it. It is
 * read by the same calls, in the same order, as it was written by. Who reads one that is
 * cut off, altered, of another kind or version gets an error and nothing else.
 */
#ifndef VMON_COMMON_PACK_H
#define VMON_COMMON_PACK_H

#include "common/error.h"
#include "common/types.h"

/**
 * struct pack - a record that is being written
 * @buf: where to; 8-byte aligned
 * @size: bytes there
 * @at: next byte
 * @full: something did not fit
 */
struct pack {
	u8 *buf;
	size_t size, at;
	bool full;
};

void pack_begin(struct pack *p, void *buf, size_t size);
void pack_u32(struct pack *p, u32 value);
void pack_u64(struct pack *p, u64 value);
void pack_string(struct pack *p, const char *text);
void *pack_room(struct pack *p, size_t len);
size_t pack_end(struct pack *p, u32 kind, u32 version, u64 sequence);

/**
 * struct unpack - a record that is being read
 * @buf: record
 * @size: its bytes
 * @at: next byte
 * @bad: something was not there, or no memory for it
 * @sequence: its sequence number
 */
struct unpack {
	const u8 *buf;
	size_t size, at;
	bool bad;
	u64 sequence;
};

int unpack_begin(struct unpack *u, const void *buf, size_t size, u32 kind, u32 version,
		 struct error *err);
u32 unpack_u32(struct unpack *u);
u64 unpack_u64(struct unpack *u);
char *unpack_string(struct unpack *u);
const void *unpack_bytes(struct unpack *u, size_t *len);
int unpack_end(const struct unpack *u, struct error *err);

#endif /* VMON_COMMON_PACK_H */
