// SPDX-License-Identifier: GPL-2.0
/*
 * Files and block devices as disks, asynchronously: one io_uring for each VM.
 *
 * The event loop never waits for a disk. Requests are queued in the ring while
 * a VM's accesses are handled, and submitted together; completions make the
 * ring readable. A request may take several operations of the kernel's: what was
 * short goes on, and what a file system cannot do is done in another way.
 *
 * Data goes straight between file and guest memory, so that memory must stay until
 * nothing is in flight.
 *
 * A file is locked for as long as it is a disk: for itself alone if the guest may
 * write, else together with other readers. The lock belongs to the open file
 * (fcntl(2), "Open file description locks"), so it ends with the VM however that ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmond/disk.h"
#include "vmond/log.h"

#define RING_ENTRIES	256
#define RETRY_USEC	10000	/* after the kernel could not take what was submitted */
#define ZEROES		(64u << 10)
#define ERRORS_MAX	10	/* a disk may log */

struct disk_ring {
	struct io_uring uring;
	sd_event *event;
	sd_event_source *source;
	sd_event_source *retry;
	void (*idle)(void *arg);	/* completions have been handled */
	void *arg;
	unsigned int in_flight;
};

struct file_disk {
	struct disk disk;
	struct disk_ring *ring;
	int fd;
	char *path;
	unsigned int errors;
};

enum way {
	WAY_PLAIN,		/* read, write, fdatasync */
	WAY_PUNCH,		/* a hole */
	WAY_ZERO_RANGE,
	WAY_WRITE_ZEROES,
	WAY_SYNC,		/* the last step of what must be durable */
};

/**
 * struct transfer - a request on its way
 * @rq:		request
 * @d:		disk
 * @way:	how it is tried now
 * @done:	bytes that are done
 * @iov:	for WAY_WRITE_ZEROES
 */
struct transfer {
	struct disk_request *rq;
	struct file_disk *d;
	enum way way;
	u64 done;
	struct iovec iov;
};

static const u8 zeroes[ZEROES];

static const char *op_name(enum disk_op op)
{
	static const char * const name[] = {
		[DISK_READ] = "read", [DISK_WRITE] = "write", [DISK_FLUSH] = "flush",
		[DISK_DISCARD] = "discard", [DISK_ZERO] = "zero", [DISK_UNMAP] = "zero",
	};

	return name[op];
}

static int on_retry(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	disk_ring_submit(arg);
	return 0;
}

/**
 * disk_ring_submit() - give the kernel what has been queued
 * @ring: ring
 */
void disk_ring_submit(struct disk_ring *ring)
{
	int r;

	if (!io_uring_sq_ready(&ring->uring))
		return;
	r = io_uring_submit(&ring->uring);
	if (r >= 0 || r == -EINTR)
		r = io_uring_sq_ready(&ring->uring) ? -EAGAIN : 0;
	if (!r)
		return;
	/* No memory, or too many completions wait: later. */
	(void)sd_event_source_set_time_relative(ring->retry, RETRY_USEC);
	(void)sd_event_source_set_enabled(ring->retry, SD_EVENT_ONESHOT);
}

static struct io_uring_sqe *get_sqe(struct disk_ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	if (!sqe) {
		disk_ring_submit(ring);
		sqe = io_uring_get_sqe(&ring->uring);
	}
	return sqe;
}

static void finish(struct transfer *t, int error)
{
	struct disk_request *rq = t->rq;
	struct file_disk *d = t->d;

	if (error && d->errors++ < ERRORS_MAX)
		log_warning("disk '%s': %s of %llu bytes at %llu: %s", d->path,
			    op_name(rq->op), (unsigned long long)rq->size,
			    (unsigned long long)rq->offset, strerror(-error));
	d->ring->in_flight--;
	free(t);
	rq->done(rq, error);
}

/* Queue the next operation. Return: 0 or -EAGAIN. */
static int queue(struct transfer *t)
{
	struct disk_request *rq = t->rq;
	u64 offset = rq->offset + t->done, left = rq->size - t->done;
	struct io_uring_sqe *sqe = get_sqe(t->d->ring);
	int fd = t->d->fd;

	if (!sqe)
		return -EAGAIN;
	switch (t->way) {
	case WAY_PUNCH:
		io_uring_prep_fallocate(sqe, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					offset, left);
		break;
	case WAY_ZERO_RANGE:
		io_uring_prep_fallocate(sqe, fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
					offset, left);
		break;
	case WAY_WRITE_ZEROES:
		t->iov.iov_base = (void *)zeroes;
		t->iov.iov_len = left < ZEROES ? left : ZEROES;
		io_uring_prep_writev(sqe, fd, &t->iov, 1, offset);
		break;
	case WAY_SYNC:
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
		break;
	case WAY_PLAIN:
		if (rq->op == DISK_READ)
			io_uring_prep_readv(sqe, fd, rq->iov, rq->n_iov, offset);
		else if (rq->op == DISK_WRITE)
			io_uring_prep_writev(sqe, fd, rq->iov, rq->n_iov, offset);
		break;
	}
	io_uring_sqe_set_data(sqe, t);
	return 0;
}

/* @n bytes more have been transferred: the buffers shrink from the front. */
static void advance(struct transfer *t, u64 n)
{
	struct disk_request *rq = t->rq;

	t->done += n;
	if (t->way != WAY_PLAIN)
		return;
	while (n) {
		size_t part = n < rq->iov->iov_len ? n : rq->iov->iov_len;

		rq->iov->iov_base = (char *)rq->iov->iov_base + part;
		rq->iov->iov_len -= part;
		n -= part;
		if (!rq->iov->iov_len && rq->n_iov) {
			rq->iov++;
			rq->n_iov--;
		}
	}
}

/* The file system cannot do it so. Return: whether there is another way. */
static bool other_way(struct transfer *t)
{
	switch (t->way) {
	case WAY_PUNCH:
		if (t->rq->op == DISK_DISCARD)
			return false;
		t->way = WAY_ZERO_RANGE;
		return true;
	case WAY_ZERO_RANGE:
		t->way = WAY_WRITE_ZEROES;
		return true;
	default:
		return false;
	}
}

/* All bytes are done. Return: whether they must be made durable first. */
static bool must_sync(struct transfer *t)
{
	if (!t->rq->durable || t->way == WAY_SYNC || t->rq->op == DISK_READ)
		return false;
	t->way = WAY_SYNC;
	return true;
}

/*
 * The result of an operation. Return: 1 to go on, 0 when the request is done, or its
 * error.
 */
static int result(struct transfer *t, int res)
{
	if (res == -EINTR)
		return 1;
	if (res == -EOPNOTSUPP || (res == -EINVAL && t->way != WAY_PLAIN)) {
		if (other_way(t))
			return 1;
		/* A discard is advice. */
		if (t->rq->op == DISK_DISCARD && t->way == WAY_PUNCH)
			return 0;
	}
	if (res < 0)
		return res;
	if (t->way == WAY_SYNC)
		return 0;
	if (t->way == WAY_PUNCH || t->way == WAY_ZERO_RANGE) {
		t->done = t->rq->size;
	} else {
		if (!res)
			return -EIO;	/* the file has become shorter */
		advance(t, res);
	}
	return t->done < t->rq->size || must_sync(t);
}

static void step(struct transfer *t, int res)
{
	int r = result(t, res);

	if (r > 0)
		r = queue(t) < 0 ? -EAGAIN : 1;
	if (r <= 0)
		finish(t, r);
}

static void reap(struct disk_ring *ring)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&ring->uring, &cqe)) {
		struct transfer *t = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&ring->uring, cqe);
		step(t, res);
	}
}

static int on_ring(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct disk_ring *ring = arg;

	(void)s;
	(void)fd;
	(void)revents;
	reap(ring);
	ring->idle(ring->arg);
	disk_ring_submit(ring);
	return 0;
}

static void file_submit(struct disk *disk, struct disk_request *rq)
{
	static const enum way first[] = {
		[DISK_FLUSH] = WAY_SYNC, [DISK_DISCARD] = WAY_PUNCH,
		[DISK_ZERO] = WAY_ZERO_RANGE, [DISK_UNMAP] = WAY_PUNCH,
	};
	struct file_disk *d = container_of(disk, struct file_disk, disk);
	struct transfer *t = calloc(1, sizeof(*t));

	if (!t) {
		rq->done(rq, -ENOMEM);
		return;
	}
	t->rq = rq;
	t->d = d;
	t->way = rq->op <= DISK_WRITE ? WAY_PLAIN : first[rq->op];
	d->ring->in_flight++;
	if (queue(t) < 0)
		finish(t, -EAGAIN);
}

/**
 * disk_ring_new() - make a ring
 * @event: loop
 * @idle: called when completions have been handled
 * @arg: for @idle
 * @ret: ring
 * @err: why not
 */
int disk_ring_new(sd_event *event, void (*idle)(void *arg), void *arg, struct disk_ring **ret,
		  struct error *err)
{
	struct disk_ring *ring = calloc(1, sizeof(*ring));
	int r;

	if (!ring)
		return fail(err, ENOMEM, "out of memory");
	r = io_uring_queue_init(RING_ENTRIES, &ring->uring, 0);
	if (r < 0) {
		free(ring);
		return fail(err, -r,
			    "disks need io_uring, and the kernel refuses it: %s: see sysctl kernel.io_uring_disabled",
			    strerror(-r));
	}
	ring->idle = idle;
	ring->arg = arg;
	r = sd_event_add_io(event, &ring->source, ring->uring.ring_fd, EPOLLIN, on_ring, ring);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &ring->retry, CLOCK_MONOTONIC, RETRY_USEC,
					       0, on_retry, ring);
	if (r >= 0)
		r = sd_event_source_set_enabled(ring->retry, SD_EVENT_OFF);
	if (r < 0) {
		disk_ring_free(ring);
		return fail(err, -r, "cannot watch disks: %s", strerror(-r));
	}
	*ret = ring;
	return 0;
}

/**
 * disk_ring_free() - wait for what is in flight, then free
 * @ring: ring, or NULL; its disks are still open
 */
void disk_ring_free(struct disk_ring *ring)
{
	struct io_uring_cqe *cqe;

	if (!ring)
		return;
	while (ring->in_flight) {
		if (io_uring_submit(&ring->uring) < 0)
			usleep(RETRY_USEC);
		if (!io_uring_wait_cqe(&ring->uring, &cqe))
			reap(ring);
	}
	sd_event_source_disable_unref(ring->source);
	sd_event_source_disable_unref(ring->retry);
	io_uring_queue_exit(&ring->uring);
	free(ring);
}

/* Requests that are not done. */
unsigned int disk_ring_in_flight(const struct disk_ring *ring)
{
	return ring ? ring->in_flight : 0;
}

/* How many bytes it has, if it can be a disk at all. */
static int find_size(int fd, const char *path, const struct stat *st, u64 *ret, struct error *err)
{
	u64 size = st->st_size;

	if (S_ISDIR(st->st_mode))
		return fail(err, EISDIR,
			    "disk '%s' is a directory: give an image file or a block device", path);
	if (S_ISBLK(st->st_mode)) {
		if (ioctl(fd, BLKGETSIZE64, &size) < 0)
			return fail(err, errno, "disk '%s': cannot ask for its size: %s", path,
				    strerror(errno));
	} else if (!S_ISREG(st->st_mode)) {
		return fail(err, EINVAL,
			    "disk '%s' is neither a file nor a block device: give one", path);
	}
	if (!size)
		return fail(err, EINVAL, "disk '%s' is empty: 'truncate -s 1G' gives it a size",
			    path);
	if (size % DISK_SECTOR)
		return fail(err, EINVAL,
			    "disk '%s' has %llu bytes, which is no multiple of %u: is it a raw image? 'truncate -s %%%u' makes it one",
			    path, (unsigned long long)size, DISK_SECTOR, DISK_SECTOR);
	*ret = size;
	return 0;
}

static int lock(int fd, const struct disk_config *c, struct error *err)
{
	struct flock fl = { .l_type = c->readonly ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(fd, F_OFD_SETLK, &fl))
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return fail(err, EBUSY,
			    "disk '%s' is in use by another guest or program: stop it, or let all of them have it readonly",
			    c->path);
	return fail(err, errno, "disk '%s' cannot be locked: %s", c->path, strerror(errno));
}

/**
 * disk_open() - use a file or block device as a disk
 * @ring: where its requests go
 * @config: what a client has passed; its descriptor stays the caller's
 * @ret: disk
 * @err: why it cannot be one
 */
int disk_open(struct disk_ring *ring, const struct disk_config *config, struct disk **ret,
	      struct error *err)
{
	struct file_disk *d;
	struct stat st;
	u64 size = 0;
	int mode, r;

	if (fstat(config->fd, &st) < 0)
		return fail(err, errno, "disk '%s': %s", config->path, strerror(errno));
	r = find_size(config->fd, config->path, &st, &size, err);
	if (r < 0)
		return r;
	mode = fcntl(config->fd, F_GETFL) & O_ACCMODE;
	if (mode == O_WRONLY || (mode == O_RDONLY && !config->readonly))
		return fail(err, EACCES,
			    "disk '%s' was not opened for reading and writing: add ',readonly'",
			    config->path);
	/* With O_NONBLOCK, io_uring would give up instead of waiting. */
	if (fcntl(config->fd, F_SETFL, fcntl(config->fd, F_GETFL) & ~O_NONBLOCK) < 0)
		return fail(err, errno, "disk '%s': %s", config->path, strerror(errno));
	r = lock(config->fd, config, err);
	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		return fail(err, ENOMEM, "out of memory");
	d->ring = ring;
	d->path = strdup(config->path);
	/* The same open file, so the same lock. */
	d->fd = fcntl(config->fd, F_DUPFD_CLOEXEC, 3);
	if (!d->path || d->fd < 0) {
		r = fail(err, errno, "disk '%s': %s", config->path, strerror(errno));
		disk_close(&d->disk);
		return r;
	}
	d->disk.size = size;
	d->disk.block_size = st.st_blksize >= (int)DISK_SECTOR &&
			     !(st.st_blksize % DISK_SECTOR) ? st.st_blksize : DISK_SECTOR;
	d->disk.readonly = config->readonly;
	memcpy(d->disk.id, config->id, strnlen(config->id, sizeof(d->disk.id)));
	d->disk.submit = file_submit;
	*ret = &d->disk;
	return 0;
}

/* With nothing of it in flight. */
void disk_close(struct disk *disk)
{
	struct file_disk *d = container_of(disk, struct file_disk, disk);

	if (d->fd >= 0)
		close(d->fd);
	free(d->path);
	free(d);
}
