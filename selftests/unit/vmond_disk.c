// SPDX-License-Identifier: GPL-2.0
/*
 * Files as disks: every request through io_uring, more at once than its ring has room
 * for, on whatever file system the directory is; locks; a file that becomes shorter.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "vmond/disk.h"

#define SIZE	1048576u
#define MANY	1000

static sd_event *event;
static struct disk_ring *ring;
static unsigned int idles;
static char path[32] = "/tmp/vmond-disk-XXXXXX";
static struct disk_config config = { .path = path, .id = "id" };
static struct disk *disk;
static unsigned char buf[SIZE], again[SIZE];

struct request {
	struct disk_request rq;
	struct iovec iov[4];
	bool done;
	int error;
};

static void on_idle(void *arg)
{
	idles++;
}

static void on_done(struct disk_request *rq, int error)
{
	struct request *r = container_of(rq, struct request, rq);

	r->done = true;
	r->error = error;
}

static void submit(struct request *r, enum disk_op op, u64 offset, u64 size)
{
	r->rq.op = op;
	r->rq.offset = offset;
	r->rq.size = size;
	r->rq.iov = r->iov;
	r->rq.done = on_done;
	r->done = false;
	disk->submit(disk, &r->rq);
}

/* Run the loop until all are done. */
static void wait_all(void)
{
	disk_ring_submit(ring);
	while (disk_ring_in_flight(ring))
		if (sd_event_run(event, 10000000) <= 0)
			break;
}

/* One request in up to 4 pieces of the same size. Return: 0 or -errno. */
static int request(enum disk_op op, u64 offset, u64 size, unsigned char *data, unsigned int pieces)
{
	struct request r = { .rq.n_iov = pieces };
	unsigned int i;

	for (i = 0; i < pieces; i++)
		r.iov[i] = (struct iovec){ data + size / pieces * i, size / pieces };
	submit(&r, op, offset, size);
	wait_all();
	return r.done ? r.error : -ETIMEDOUT;
}

static bool zero(u64 offset, u64 size)
{
	u64 i;

	memset(again, 0xff, sizeof(again));
	if (request(DISK_READ, offset, size, again, 1))
		return false;
	for (i = 0; i < size; i++)
		if (again[i])
			return false;
	return true;
}

static void test_requests(void)
{
	unsigned int i;

	for (i = 0; i < SIZE; i++)
		buf[i] = i * 31 + (i >> 8) + 1;
	tap_ok(!request(DISK_WRITE, 0, SIZE, buf, 4) && idles, "write in 4 pieces");
	tap_ok(!request(DISK_READ, 0, SIZE, again, 2) && !memcmp(buf, again, SIZE),
	       "read in 2 pieces");
	tap_ok(!request(DISK_READ, 512, 1024, again, 1) && !memcmp(buf + 512, again, 1024),
	       "read of two sectors");
	tap_ok(!request(DISK_FLUSH, 0, 0, NULL, 0), "flush");
	tap_ok(!request(DISK_DISCARD, 65536, 65536, NULL, 0) && zero(65536, 65536), "discard");
	tap_ok(!request(DISK_ZERO, 262144, 200704, NULL, 0) && zero(262144, 200704), "zeroes");
	tap_ok(!request(DISK_UNMAP, 524288, 65536, NULL, 0) && zero(524288, 65536),
	       "zeroes that need no room");
	tap_ok(!request(DISK_READ, 0, 65536, again, 1) && !memcmp(buf, again, 65536) &&
	       !request(DISK_READ, 131072, 131072, again, 1) &&
	       !memcmp(buf + 131072, again, 131072) &&
	       !request(DISK_READ, 462848, 61440, again, 1) &&
	       !memcmp(buf + 462848, again, 61440), "and nothing else");
}

static void test_durable(void)
{
	struct request r = { .rq = { .n_iov = 1, .durable = true }, .iov = { { buf, 4096 } } };

	submit(&r, DISK_WRITE, 0, 4096);
	wait_all();
	tap_ok(r.done && !r.error, "a durable write");
	r.rq.n_iov = 0;
	submit(&r, DISK_UNMAP, 8192, 4096);
	wait_all();
	tap_ok(r.done && !r.error && zero(8192, 4096), "durable zeroes");
}

static void test_many(void)
{
	static struct request r[MANY];
	unsigned int i, done = 0;

	for (i = 0; i < MANY; i++) {
		r[i].rq.n_iov = 1;
		r[i].iov[0] = (struct iovec){ buf + i * 512, 512 };
		submit(&r[i], DISK_WRITE, i * 512, 512);
	}
	wait_all();
	for (i = 0; i < MANY; i++)
		done += r[i].done && !r[i].error;
	tap_ok(done == MANY, "%u requests at once", done);
	tap_ok(!request(DISK_READ, 0, MANY * 512, again, 1) && !memcmp(buf, again, MANY * 512),
	       "each in its place");
}

static void test_locks(void)
{
	struct disk_config other = config;
	struct disk *second = NULL;
	struct error err;

	other.fd = open(path, O_RDWR | O_CLOEXEC);
	tap_ok(disk_open(ring, &other, &second, &err) == -EBUSY, "a second writer: %s", err.text);
	other.readonly = true;
	tap_ok(disk_open(ring, &other, &second, &err) == -EBUSY, "a reader beside a writer");
	close(other.fd);
	other.fd = open(path, O_RDONLY | O_CLOEXEC);
	other.readonly = false;
	tap_ok(disk_open(ring, &other, &second, &err) == -EACCES, "%s", err.text);
	close(other.fd);
}

static void test_short(void)
{
	tap_ok(!truncate(path, SIZE / 2) &&
	       request(DISK_READ, SIZE / 4, SIZE / 2, again, 1) == -EIO,
	       "a file that has become shorter: an error");
	tap_ok(!request(DISK_READ, 0, SIZE / 2, again, 1), "what is left can be read");
}

/* The ring's end waits for what is in flight. */
static void test_free(void)
{
	static struct request r[100];
	unsigned int i, done = 0;

	for (i = 0; i < 100; i++) {
		r[i].rq.n_iov = 1;
		r[i].iov[0] = (struct iovec){ buf, 4096 };
		submit(&r[i], i % 2 ? DISK_WRITE : DISK_FLUSH, 0, i % 2 ? 4096 : 0);
	}
	disk_ring_free(ring);
	for (i = 0; i < 100; i++)
		done += r[i].done;
	tap_ok(done == 100, "%u requests are done when the ring is gone", done);
	disk_close(disk);
}

int main(void)
{
	struct error err;

	tap_plan(18);
	if (sd_event_default(&event) < 0)
		return 1;
	if (disk_ring_new(event, on_idle, NULL, &ring, &err) < 0) {
		while (tap_count < tap_planned)
			tap_skip("vmond_disk", "%s", err.text);
		return tap_done();
	}
	config.fd = mkstemp(path);
	if (config.fd < 0 || ftruncate(config.fd, SIZE) ||
	    disk_open(ring, &config, &disk, &err) < 0)
		return 1;
	close(config.fd);
	test_requests();
	test_durable();
	test_many();
	test_locks();
	test_short();
	test_free();
	unlink(path);
	sd_event_unref(event);
	return tap_done();
}
