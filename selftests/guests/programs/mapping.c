// SPDX-License-Identifier: GPL-2.0
/*
 * Change mappings and look at what the memory then shows: copy on write after fork,
 * private and shared file mappings, protection changes, remapping an address to other
 * contents, moving a mapping. A stale translation shows as a wrong value.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE 4096
#define PAGES 64

static unsigned char *map(void *where, int flags, int fd)
{
	unsigned char *p = mmap(where, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	check(p != MAP_FAILED);
	return p;
}

static void fill(unsigned char *p, int seed)
{
	int i;

	for (i = 0; i < PAGES; i++)
		memset(p + i * PAGE, seed + i, PAGE);
}

static int holds(const unsigned char *p, int seed)
{
	int i;

	for (i = 0; i < PAGES; i++)
		if (p[i * PAGE] != (unsigned char)(seed + i) ||
		    p[i * PAGE + PAGE - 1] != (unsigned char)(seed + i))
			return 0;
	return 1;
}

static void join(pid_t child)
{
	int status;

	check(waitpid(child, &status, 0) == child);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void copy_on_write(void)
{
	unsigned char *private = map(NULL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	unsigned char *shared = map(NULL, MAP_SHARED | MAP_ANONYMOUS, -1);
	int round;

	for (round = 0; round < 20; round++) {
		pid_t child;

		fill(private, round);
		fill(shared, round);
		child = fork();
		check(child >= 0);
		if (!child) {
			check(holds(private, round));
			fill(private, round + 100);
			fill(shared, round + 100);
			check(holds(private, round + 100));
			_exit(0);
		}
		/* Both sides break the sharing. */
		private[5 * PAGE] = round + 5;
		join(child);
		check(holds(private, round));
		check(holds(shared, round + 100));
	}
	check(!munmap(private, PAGES * PAGE));
	check(!munmap(shared, PAGES * PAGE));
}

static void file_mapping(void)
{
	char name[] = "/tmp/mapping-XXXXXX";
	int fd = mkstemp(name);
	unsigned char *shared, *private, byte;

	check(fd >= 0);
	check(!unlink(name));
	check(!ftruncate(fd, PAGES * PAGE));
	shared = map(NULL, MAP_SHARED, fd);
	private = map(NULL, MAP_PRIVATE, fd);
	fill(shared, 7);
	check(holds(private, 7));
	private[3 * PAGE] = 99;
	check(shared[3 * PAGE] == 10);
	check(pread(fd, &byte, 1, 9 * PAGE) == 1 && byte == 16);
	shared[9 * PAGE] = 77;
	check(pread(fd, &byte, 1, 9 * PAGE) == 1 && byte == 77);
	check(private[9 * PAGE] == 77 && private[3 * PAGE] == 99);
	check(!munmap(shared, PAGES * PAGE));
	check(!munmap(private, PAGES * PAGE));
	close(fd);
}

static void remapping(void)
{
	unsigned char *p = map(NULL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	unsigned char *moved;
	int round;

	for (round = 0; round < 50; round++) {
		fill(p, round);
		check(map(p, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1) == p);
		check(p[0] == 0 && p[17 * PAGE] == 0 && p[PAGES * PAGE - 1] == 0);
		fill(p, round + 1);
		check(!mprotect(p, PAGES * PAGE, PROT_READ));
		check(holds(p, round + 1));
		check(!mprotect(p, PAGES * PAGE, PROT_READ | PROT_WRITE));
		check(!madvise(p, PAGES * PAGE, MADV_DONTNEED));
		check(p[11 * PAGE] == 0);
	}
	fill(p, 3);
	moved = mremap(p, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
	check(moved != MAP_FAILED);
	check(holds(moved, 3));
	check(moved[PAGES * PAGE] == 0);
	check(!munmap(moved, 2 * PAGES * PAGE));
}

int main(void)
{
	copy_on_write();
	file_mapping();
	remapping();
	return 0;
}
