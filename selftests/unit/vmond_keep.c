// SPDX-License-Identifier: GPL-2.0
/*
 * The file that outlives vmond: its records alternate, one that was begun and not ended does
 * not count, a damaged one is refused, and so is a file of somebody else's making.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "vmond/keep.h"

static struct error err;

static bool write_one(struct keep *k, u64 value)
{
	struct pack p;

	keep_begin(k, &p);
	pack_u64(&p, value);
	return keep_end(k, &p);
}

/* As the next vmond reads it. Return: the value, or the error. */
static long long read_again(const struct keep *k)
{
	struct keep *next;
	long long r;
	struct unpack u;

	r = keep_open(dup(k->fd), &next, &err);
	if (r < 0)
		return r;
	r = keep_read(next, &u, &err);
	if (r >= 0)
		r = unpack_u64(&u);
	keep_free(next);
	return r;
}

static void test_records(struct keep *k)
{
	struct unpack u;
	struct pack p;
	bool ok = true;
	u64 i;

	tap_ok(read_again(k) == -ENODATA, "a new file has no record: %s", err.text);
	keep_begin_constant(k, &p);
	pack_string(&p, "name");
	tap_ok(keep_end_constant(k, &p) && !keep_read_constant(k, &u, &err),
	       "what never changes is written and read");
	for (i = 1; i <= 9; i++)
		ok &= write_one(k, 100 + i) && read_again(k) == (long long)(100 + i);
	tap_ok(ok, "the last of 9 records is read, each time");
	keep_begin(k, &p);
	pack_u64(&p, 1);
	tap_ok(read_again(k) == 109, "one that was begun and not ended does not count");
	tap_ok(write_one(k, 110) && read_again(k) == 110, "and does not hinder the next");
	keep_begin(k, &p);
	tap_ok(!pack_room(&p, KEEP_SLOT) && !keep_end(k, &p) && read_again(k) == 110,
	       "one that is too large is not written");
}

/* A vmond that goes on writes over the older record. */
static void test_successor(const struct keep *k)
{
	struct keep *next;
	struct unpack u;
	struct pack p;

	tap_ok(!keep_open(dup(k->fd), &next, &err) && !keep_read(next, &u, &err) &&
	       write_one(next, 111), "the next vmond goes on");
	keep_begin(next, &p);
	tap_ok(read_again(k) == 111, "and can be killed in its turn");
	keep_free(next);
}

static void test_damaged(struct keep *k)
{
	u8 *value;

	write_one(k, 7);
	write_one(k, 8);
	value = k->map + KEEP_SLOTS + (k->sequence & 1) * KEEP_SLOT + 32;
	*value ^= 1;
	tap_ok(read_again(k) == -EBADMSG, "a damaged record is refused: %s", err.text);
	*value ^= 1;
	tap_ok(read_again(k) == 8, "and nothing else was wrong");
}

static void test_other_files(void)
{
	int fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct keep *k;
	bool ok = !ftruncate(fd, KEEP_SIZE);

	tap_ok(ok && keep_open(dup(fd), &k, &err) == -EBADMSG,
	       "a file that can become shorter is refused");
	ok = !ftruncate(fd, 4096) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	tap_ok(ok && keep_open(fd, &k, &err) == -EBADMSG, "and one of another size");
}

int main(void)
{
	struct keep *k;

	tap_plan(12);
	if (keep_new("unit", &k, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	test_records(k);
	test_successor(k);
	test_damaged(k);
	keep_free(k);
	test_other_files();
	return tap_done();
}
