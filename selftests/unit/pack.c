// SPDX-License-Identifier: GPL-2.0
/* Packed records: what is written is read; what is cut off, altered or another is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "common/pack.h"

#define KIND	7
#define VERSION	3

static u64 buf[64], copy[64];

static size_t write_one(void *to, size_t size)
{
	struct pack p;
	void *at;

	pack_begin(&p, to, size);
	pack_u32(&p, 0xfedcba98);
	pack_u64(&p, 0x0123456789abcdefull);
	pack_string(&p, "a string");
	pack_string(&p, NULL);
	pack_string(&p, "");
	at = pack_room(&p, 5);
	if (at)
		memcpy(at, "bytes", 5);
	return pack_end(&p, KIND, VERSION, 42);
}

/* Return: 0 if it is what write_one() wrote, 1 if it is not, or the error. */
static int read_one(const void *from, size_t size, struct error *err)
{
	char *text, *none, *empty;
	struct unpack u;
	const void *at;
	bool right;
	size_t len;
	int r;

	r = unpack_begin(&u, from, size, KIND, VERSION, err);
	if (r < 0)
		return r;
	right = unpack_u32(&u) == 0xfedcba98 && unpack_u64(&u) == 0x0123456789abcdefull;
	text = unpack_string(&u);
	none = unpack_string(&u);
	empty = unpack_string(&u);
	at = unpack_bytes(&u, &len);
	right &= text && !strcmp(text, "a string") && !none && empty && !*empty &&
		 at && len == 5 && !memcmp(at, "bytes", 5) && u.sequence == 42;
	free(text);
	free(empty);
	r = unpack_end(&u, err);
	return r < 0 ? r : !right;
}

static void test_whole(void)
{
	struct error err;
	size_t n = write_one(buf, sizeof(buf));

	tap_ok(n && !(n % 8), "a record is written (%zu bytes)", n);
	tap_ok(!read_one(buf, sizeof(buf), &err), "and read, with more behind it");
	tap_ok(!read_one(buf, n, &err), "and with nothing behind it");
}

static void test_cut_off(void)
{
	size_t n = write_one(buf, sizeof(buf)), i;
	bool refused = true;
	struct error err;

	for (i = 0; i < n; i++)
		refused &= read_one(buf, i, &err) == -EBADMSG && *err.text;
	tap_ok(refused, "cut off anywhere: refused, with a sentence");
}

static void test_altered(void)
{
	size_t n = write_one(buf, sizeof(buf)), bit;
	bool refused = true;
	struct error err;

	for (bit = 0; bit < n * 8; bit++) {
		memcpy(copy, buf, n);
		((u8 *)copy)[bit / 8] ^= 1u << bit % 8;
		refused &= read_one(copy, sizeof(copy), &err) < 0;
	}
	tap_ok(refused, "one bit altered, each of %zu: refused", n * 8);
	for (bit = 0; bit + 16 <= n; bit += 8) {
		memcpy(copy, buf, n);
		memcpy((u8 *)copy + bit, (u8 *)buf + bit + 8, 8);
		memcpy((u8 *)copy + bit + 8, (u8 *)buf + bit, 8);
		if (memcmp(copy, buf, n))
			refused &= read_one(copy, sizeof(copy), &err) < 0;
	}
	tap_ok(refused, "two words exchanged: refused");
}

static void test_another(void)
{
	struct unpack u;
	struct error err;

	write_one(buf, sizeof(buf));
	tap_ok(unpack_begin(&u, buf, sizeof(buf), KIND + 1, VERSION, &err) == -EPROTO,
	       "another kind: %s", err.text);
	tap_ok(unpack_begin(&u, buf, sizeof(buf), KIND, VERSION + 1, &err) == -EPROTO,
	       "another version: %s", err.text);
	memset(copy, 0, sizeof(copy));
	tap_ok(unpack_begin(&u, copy, sizeof(copy), KIND, VERSION, &err) == -ENODATA,
	       "zeroes: %s", err.text);
}

/* A writer that dies before the end. */
static void test_begun(void)
{
	struct unpack u;
	struct error err;
	struct pack p;

	write_one(buf, sizeof(buf));
	pack_begin(&p, buf, sizeof(buf));
	tap_ok(unpack_begin(&u, buf, sizeof(buf), KIND, VERSION, &err) == -ENODATA,
	       "begun anew over an old one: there is none");
	pack_u64(&p, 1);
	tap_ok(unpack_begin(&u, buf, sizeof(buf), KIND, VERSION, &err) == -ENODATA,
	       "nor with a value in it");
	pack_end(&p, KIND, VERSION, 43);
	tap_ok(!unpack_begin(&u, buf, sizeof(buf), KIND, VERSION, &err) && u.sequence == 43,
	       "until its end");
}

static void test_full(void)
{
	size_t n = write_one(buf, sizeof(buf)), i;
	bool refused = true;

	for (i = 0; i < n; i++)
		refused &= !write_one(copy, i);
	tap_ok(refused, "what does not fit is not written");
	tap_ok(write_one(copy, n) == n, "what just fits is");
}

static void test_reading(void)
{
	struct unpack u;
	struct error err;
	struct pack p;
	size_t n;

	pack_begin(&p, buf, sizeof(buf));
	pack_u64(&p, 1ull << 32);
	n = pack_end(&p, KIND, VERSION, 0);
	unpack_begin(&u, buf, n, KIND, VERSION, &err);
	tap_ok(unpack_end(&u, &err) == -EBADMSG, "less read than is there: %s", err.text);
	unpack_begin(&u, buf, n, KIND, VERSION, &err);
	unpack_u32(&u);
	tap_ok(unpack_end(&u, &err) == -EBADMSG, "a number that is too large: %s", err.text);
	unpack_begin(&u, buf, n, KIND, VERSION, &err);
	unpack_u64(&u);
	tap_ok(!unpack_u64(&u) && !unpack_string(&u) && !unpack_bytes(&u, &n) && !n &&
	       unpack_end(&u, &err) == -EBADMSG, "more read than is there");
	unpack_begin(&u, buf, sizeof(buf), KIND, VERSION, &err);
	tap_ok(!unpack_bytes(&u, &n) && !n && unpack_end(&u, &err) == -EBADMSG,
	       "a length that is longer than the record");
}

int main(void)
{
	tap_plan(18);
	test_whole();
	test_cut_off();
	test_altered();
	test_another();
	test_begun();
	test_full();
	test_reading();
	return tap_done();
}
