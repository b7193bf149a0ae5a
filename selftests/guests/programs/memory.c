// SPDX-License-Identifier: GPL-2.0
/*
 * Touch anonymous memory (32 MiB, or as many MiB as the argument says), each word with a
 * value that depends on its place, and read all of it back in another order.
 */
#include <stdint.h>
#include <sys/mman.h>

#include "check.h"

static uint32_t pattern(size_t i)
{
	return (uint32_t)i * 2654435761u ^ 0x5bd1e995u;
}

int main(int argc, char **argv)
{
	size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 0) : 32) << 20;
	size_t words = bytes / sizeof(uint32_t), i;
	uint32_t *memory;

	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(memory != MAP_FAILED);
	/* The first touch of half the pages is a read: it must find zeros. */
	for (i = 0; i < words; i += 2 * 4096 / sizeof(uint32_t))
		check(memory[i] == 0);
	for (i = 0; i < words; i++)
		memory[i] = pattern(i);
	for (i = words; i-- > 0;)
		check(memory[i] == pattern(i));
	check(!munmap(memory, bytes));
	return 0;
}
