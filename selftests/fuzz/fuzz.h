/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzers share: the input as a stream of choices, and checks that end
 * the program as a sanitizer does, so that libFuzzer keeps the input.
 *
 * An input that is used up reads as zeroes: every prefix of an input is one, too,
 * which keeps minimised inputs short.
 */
#ifndef VMON_FUZZ_FUZZ_H
#define VMON_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * fuzz_check() - a property that must hold
 * @ok:		whether it does
 * Further arguments: what is wrong, as printf() has it.
 */
#define fuzz_check(ok, ...)							\
	do {									\
		if (!(ok)) {							\
			fprintf(stderr, "%s:%d: !(%s): ", __FILE__, __LINE__, #ok); \
			fprintf(stderr, __VA_ARGS__);				\
			fprintf(stderr, "\n");					\
			abort();						\
		}								\
	} while (0)

/* From here on nothing counts as coverage: for files and loops that only check. */
#define FUZZ_NO_COVERAGE_BEGIN							\
	_Pragma("clang attribute push(__attribute__((no_sanitize(\"coverage\"))), apply_to = function)")
#define FUZZ_NO_COVERAGE_END	_Pragma("clang attribute pop")

struct fuzz_in {
	const uint8_t *p;
	const uint8_t *end;
};

static inline size_t fuzz_left(const struct fuzz_in *in)
{
	return in->end - in->p;
}

/* Up to @size bytes to @buf, zeroes for what is not there. Return: bytes taken. */
static inline size_t fuzz_bytes(struct fuzz_in *in, void *buf, size_t size)
{
	size_t n = fuzz_left(in) < size ? fuzz_left(in) : size;

	memset(buf, 0, size);
	if (n)
		memcpy(buf, in->p, n);
	in->p += n;
	return n;
}

static inline uint8_t fuzz_u8(struct fuzz_in *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

static inline uint16_t fuzz_u16(struct fuzz_in *in)
{
	uint16_t v;

	fuzz_bytes(in, &v, sizeof(v));
	return v;
}

static inline uint32_t fuzz_u32(struct fuzz_in *in)
{
	uint32_t v;

	fuzz_bytes(in, &v, sizeof(v));
	return v;
}

static inline uint64_t fuzz_u64(struct fuzz_in *in)
{
	uint64_t v;

	fuzz_bytes(in, &v, sizeof(v));
	return v;
}

/* A number below @n, which is at most 65536. */
static inline uint32_t fuzz_below(struct fuzz_in *in, uint32_t n)
{
	return n <= 1 ? 0 : (n > 256 ? fuzz_u16(in) : fuzz_u8(in)) % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* VMON_FUZZ_FUZZ_H */
