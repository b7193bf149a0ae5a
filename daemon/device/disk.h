/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a disk device needs of whoever keeps the bytes.
 *
 * Requests are asynchronous: submit() returns at once, done() comes later, or from
 * inside submit(). Nothing is ordered but this: a flush covers every request that was
 * done before it was submitted.
 */
#ifndef VMON_DEVICE_DISK_H
#define VMON_DEVICE_DISK_H

#include <sys/uio.h>

#include "common/types.h"

#define DISK_SECTOR	512u
#define DISK_ID_MAX	20

enum disk_op {
	DISK_READ,		/* to the buffers */
	DISK_WRITE,		/* from the buffers */
	DISK_FLUSH,		/* on stable storage afterwards */
	DISK_DISCARD,		/* contents are not needed */
	DISK_ZERO,		/* reads as zeroes afterwards */
	DISK_UNMAP,		/* the same, and need not take room */
};

/**
 * struct disk_request - one request; the submitter's until done() comes, then again
 * @op:		what
 * @offset:	in bytes, a multiple of DISK_SECTOR; inside the disk, as @offset + @size
 * @size:	bytes, a multiple of DISK_SECTOR
 * @iov:	buffers, @size bytes in all; changed meanwhile
 * @n_iov:	how many
 * @durable:	a write that is on stable storage when it is done
 * @done:	called with 0 or a negative errno
 */
struct disk_request {
	enum disk_op op;
	u64 offset;
	u64 size;
	struct iovec *iov;
	unsigned int n_iov;
	bool durable;
	void (*done)(struct disk_request *rq, int error);
};

/**
 * struct disk - where bytes are kept
 * @size:	bytes, a multiple of DISK_SECTOR
 * @block_size:	bytes that are best written at once
 * @readonly:	takes no request that changes anything
 * @id:		for the guest, padded with NULs, without one if it is full
 * @submit:	start a request
 */
struct disk {
	u64 size;
	u32 block_size;
	bool readonly;
	char id[DISK_ID_MAX];
	void (*submit)(struct disk *disk, struct disk_request *rq);
};

#endif /* VMON_DEVICE_DISK_H */
