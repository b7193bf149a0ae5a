// SPDX-License-Identifier: GPL-2.0
/* Mappings and what their faults say: mmap, mprotect, mremap, COW, code that changes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include "checks.h"

static unsigned char *map(unsigned int pages, int prot)
{
	return mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void faults(void)
{
	volatile unsigned char *p = map(4, PROT_READ | PROT_WRITE);
	static const int kinds[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	unsigned int i;
	int sig;

	for (i = 0; i < 3; i++) {
		mprotect((void *)p, PAGE, kinds[i]);
		sig = try_to((void)p[5]);
		expect(!sig == !!i, "read of prot %d: signal %d code %d", kinds[i], sig,
		       sig ? (int)fault_code : 0);
		sig = try_to(p[7] = 1);
		expect(!sig == (i == 2), "write of prot %d: signal %d code %d", kinds[i], sig,
		       sig ? (int)fault_code : 0);
		if (sig)
			expect(fault_addr == (uintptr_t)p + 7 && fault_trap == 14,
			       "its address; trap %d error %d", (int)fault_trap,
			       (int)fault_error);
	}
	munmap((void *)(p + PAGE), PAGE);
	sig = try_to(p[PAGE + 1] = 1);
	expect(sig == SIGSEGV && fault_code == SEGV_MAPERR && fault_addr == (uintptr_t)p + PAGE + 1,
	       "write of nothing: error %d", (int)fault_error);
	sig = try_to(*(volatile uint32_t *)(p + PAGE - 2) = 1);
	expect(sig == SIGSEGV && fault_addr == (uintptr_t)p + PAGE, "write across into nothing");
	sig = try_to(asm volatile("lock incl (%0)" : : "r"(p + PAGE) : "memory"));
	expect(sig == SIGSEGV, "locked read and write of nothing: error %d", (int)fault_error);
	sig = try_to(*(volatile int *)0xc0000000 = 1);
	expect(sig == SIGSEGV, "write to the kernel: code %d error %d", (int)fault_code,
	       (int)fault_error);
	sig = try_to((void)*(volatile int *)0xfffff000);
	expect(sig == SIGSEGV, "read of the last page: code %d error %d", (int)fault_code,
	       (int)fault_error);
	sig = try_to((void)*(volatile int *)0xffffffff);
	expect(sig == SIGSEGV, "read that wraps around: code %d", (int)fault_code);
}

static void code(void)
{
	static const unsigned char five[] = { 0xb8, 5, 0, 0, 0, 0xc3 };	/* mov $5, %eax; ret */
	unsigned char *p = map(1, PROT_READ | PROT_WRITE | PROT_EXEC);
	int (*function)(void) = (int (*)(void))p;
	unsigned int i, wrong = 0;
	int sig, result = 0;

	memcpy(p, five, sizeof(five));
	for (i = 0; i < 2000; i++) {
		p[1] = i;
		wrong += function() != (int)(i & 255);
	}
	expect(!wrong, "code that changes 2000 times");
	for (i = wrong = 0; i < 500; i++) {
		mprotect(p, PAGE, PROT_READ | PROT_WRITE);
		p[1] = i;
		mprotect(p, PAGE, PROT_READ | PROT_EXEC);
		wrong += function() != (int)(i & 255);
	}
	expect(!wrong, "code under mprotect, 500 times");
	mprotect(p, PAGE, PROT_READ | PROT_WRITE);
	sig = try_to(result = function());
	shows("code on a data page: signal %d, result %d", sig, sig ? 0 : result);
}

static void remapped(void)
{
	unsigned char *p = map(2, PROT_READ | PROT_WRITE), *q, *hole;
	unsigned int i, wrong = 0;

	memset(p, 1, PAGE);
	memset(p + PAGE, 2, PAGE);
	hole = map(64, PROT_NONE);
	q = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, hole);
	expect(q == hole && q[0] == 1 && q[PAGE] == 2 && !q[2 * PAGE], "mremap moves and grows");
	expect(try_to((void)*(volatile char *)p) == SIGSEGV, "nothing is left where it was");
	for (i = 0; i < 64; i++)
		q[i * PAGE] = i;
	q = mremap(q, 64 * PAGE, PAGE, 0);
	expect(q == hole && !q[0] && try_to((void)*(volatile char *)(q + PAGE)) == SIGSEGV,
	       "mremap shrinks");
	p = map(16, PROT_READ | PROT_WRITE);
	memset(p, 9, 16 * PAGE);
	madvise(p, 16 * PAGE, MADV_DONTNEED);
	for (i = 0; i < 16 * PAGE; i++)
		wrong += p[i];
	expect(!wrong, "MADV_DONTNEED gives zeroes");
	for (i = wrong = 0; i < 300; i++) {
		q = mmap(p, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		wrong += q[100];
		q[100] = i;
	}
	expect(!wrong, "300 pages at the same address");
}

static void shared(void)
{
	unsigned char *p = map(8, PROT_READ | PROT_WRITE);
	volatile unsigned char *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i;
	int status;
	pid_t pid;

	memset(p, 3, 8 * PAGE);
	pid = fork();
	if (!pid) {
		for (i = 0; i < 8; i++) {
			if (p[i * PAGE] != 3)
				_exit(1);
			p[i * PAGE] = 4;
		}
		s[0] = 77;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	expect(!status && p[0] == 3 && p[7 * PAGE] == 3, "copy on write");
	expect(s[0] == 77, "shared memory");
}

static void files(void)
{
	volatile unsigned char *p;
	char data[10] = "";
	int fd, sig;

	fd = open("/tmp/fidelity", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (write(fd, "0123456789", 10) != 10)
		expect(false, "write to a file");
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(p[9] == '9' && !p[10], "a mapped file");
	p[3] = 'x';
	expect(pread(fd, data, 10, 0) == 10 && data[3] == 'x', "a write to it");
	sig = try_to((void)p[PAGE]);
	expect(sig == SIGBUS && fault_code == BUS_ADRERR && fault_addr == (uintptr_t)p + PAGE,
	       "beyond its end: SIGBUS");
	close(fd);
	unlink("/tmp/fidelity");
}

static void stack_grows(void)
{
	volatile unsigned char big[1u << 20];
	unsigned int i;

	for (i = sizeof(big); i; i -= PAGE)
		big[i - 1] = i >> 12;
	expect(big[PAGE - 1] == 1, "a stack of a megabyte");
}

int main(void)
{
	catch_faults();
	faults();
	code();
	remapped();
	shared();
	files();
	stack_grows();
	return finish();
}
