// SPDX-License-Identifier: GPL-2.0
/*
 * Process-level benchmarks, in the manner of lmbench (McVoy and Staelin, "lmbench: portable
 * tools for performance analysis", USENIX 1996): what a program pays for the kernel.
 *
 * usage: lat now                          the time-stamp counter
 *        lat [-s] NAME...                 these (or: all); a line "bench NAME OPS TICKS" each
 *        lat [-s] run NAME COMMAND...     how long a command takes
 *
 * RDTSC at ring 3 is the processor's own, under vmon as well: in Bochs it counts
 * instructions of everything that runs. The least of some rounds counts.
 *
 * -s: once more, between "stat begin" and "stat end", each answered by a line on stdin
 * when somebody has read the VM's counters.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE	4096u
#define ROUNDS	3

static const char *self;
static bool with_stat;

static uint64_t now(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t null_int80(unsigned int ops)
{
	uint64_t begin = now();
	long r;

	while (ops--)
		asm volatile("int $0x80" : "=a"(r) : "0"(SYS_getppid) : "memory");
	return now() - begin;
}

/* By what the kernel recommends: SYSENTER. */
static uint64_t null_syscall(unsigned int ops)
{
	unsigned long entry = getauxval(AT_SYSINFO);
	uint64_t begin = now();
	long r;

	if (!entry)
		return 0;
	while (ops--)
		asm volatile("call *%2" : "=a"(r) : "0"(SYS_getppid), "r"(entry) : "memory");
	return now() - begin;
}

static uint64_t read_zero(unsigned int ops)
{
	int fd = open("/dev/zero", O_RDONLY);
	uint64_t begin;
	char c;

	if (fd < 0)
		die("/dev/zero");
	begin = now();
	while (ops--)
		if (read(fd, &c, 1) != 1)
			die("read");
	begin = now() - begin;
	close(fd);
	return begin;
}

static void skip_access(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	uc->uc_mcontext.gregs[REG_EIP] += 2;
}

static void nothing(int sig)
{
	(void)sig;
}

/* A fault that ends in the program's own handler, and the return from it. */
static uint64_t fault_signal(unsigned int ops)
{
	struct sigaction sa = { .sa_sigaction = skip_access, .sa_flags = SA_SIGINFO }, old;
	void *p = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t begin;

	if (p == MAP_FAILED)
		die("mmap");
	sigaction(SIGSEGV, &sa, &old);
	begin = now();
	while (ops--)
		asm volatile("movl (%0), %%eax" : : "c"(p) : "eax", "memory");
	begin = now() - begin;
	sigaction(SIGSEGV, &old, NULL);
	munmap(p, PAGE);
	return begin;
}

static uint64_t signal_self(unsigned int ops)
{
	struct sigaction sa = { .sa_handler = nothing }, old;
	pid_t pid = getpid();
	uint64_t begin;

	sigaction(SIGUSR1, &sa, &old);
	begin = now();
	while (ops--)
		kill(pid, SIGUSR1);
	begin = now() - begin;
	sigaction(SIGUSR1, &old, NULL);
	return begin;
}

/* A true fault for each page: the kernel finds one, clears it and maps it. */
static uint64_t page_fault(unsigned int ops)
{
	char *p = mmap(NULL, ops * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t begin;
	unsigned int i;

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, ops * PAGE, MADV_NOHUGEPAGE);
	begin = now();
	for (i = 0; i < ops; i++)
		*(volatile char *)(p + i * PAGE) = 1;
	begin = now() - begin;
	munmap(p, ops * PAGE);
	return begin;
}

/* Sixteen pages mapped, used and unmapped. */
static uint64_t map_unmap(unsigned int ops)
{
	uint64_t begin = now();
	unsigned int i;

	while (ops--) {
		char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("mmap");
		for (i = 0; i < 16; i++)
			*(volatile char *)(p + i * PAGE) = 1;
		munmap(p, 16 * PAGE);
	}
	return now() - begin;
}

/* A byte through a pipe, without a switch. */
static uint64_t pipe_alone(unsigned int ops)
{
	uint64_t begin;
	int fd[2];
	char c = 0;

	if (pipe(fd))
		die("pipe");
	begin = now();
	while (ops--)
		if (write(fd[1], &c, 1) != 1 || read(fd[0], &c, 1) != 1)
			die("pipe");
	begin = now() - begin;
	close(fd[0]);
	close(fd[1]);
	return begin;
}

/* There and back between two processes: two switches and two bytes through pipes. */
static uint64_t pipe_switch(unsigned int ops)
{
	int there[2], back[2];
	uint64_t begin;
	char c = 0;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1)
			if (write(back[1], &c, 1) != 1)
				break;
		_exit(0);
	}
	close(there[0]);
	begin = now();
	while (ops--)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("pipe");
	begin = now() - begin;
	close(there[1]);
	close(back[0]);
	close(back[1]);
	waitpid(pid, NULL, 0);
	return begin;
}

/* 16 KiB at a time to another process. */
static uint64_t pipe_stream(unsigned int ops)
{
	static char buf[16384];
	uint64_t begin;
	int fd[2];
	pid_t pid;

	if (pipe(fd))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(fd[1]);
		while (read(fd[0], buf, sizeof(buf)) > 0)
			;
		_exit(0);
	}
	close(fd[0]);
	begin = now();
	while (ops--)
		if (write(fd[1], buf, sizeof(buf)) != sizeof(buf))
			die("pipe");
	close(fd[1]);
	waitpid(pid, NULL, 0);
	return now() - begin;
}

static uint64_t fork_exit(unsigned int ops)
{
	uint64_t begin = now();

	while (ops--) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return now() - begin;
}

static uint64_t fork_exec(unsigned int ops)
{
	uint64_t begin = now();

	while (ops--) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			execl(self, self, "exit", NULL);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	}
	return now() - begin;
}

static const struct bench {
	const char *name;
	unsigned int ops;
	uint64_t (*run)(unsigned int ops);
} benches[] = {
	{ "null_syscall", 5000, null_syscall },
	{ "null_int80", 5000, null_int80 },
	{ "read_zero", 1000, read_zero },
	{ "signal", 500, signal_self },
	{ "fault_signal", 500, fault_signal },
	{ "page_fault", 1024, page_fault },
	{ "mmap_munmap", 50, map_unmap },
	{ "pipe_alone", 1000, pipe_alone },
	{ "pipe_switch", 300, pipe_switch },
	{ "pipe_stream", 100, pipe_stream },
	{ "fork_exit", 50, fork_exit },
	{ "fork_exec", 30, fork_exec },
	{ NULL, 0, NULL }
};

/* The host reads the counters now. */
static void wait_for_host(const char *what, const char *name, unsigned int ops)
{
	char line[16];

	printf("stat %s %s %u\n", what, name, ops);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		die("stdin");
}

/* What the question itself costs; the second counts, when the kernel's code is translated. */
static void ask_nothing(void)
{
	unsigned int i;

	for (i = 0; with_stat && i < 2; i++) {
		wait_for_host("begin", "empty", 1);
		wait_for_host("end", "empty", 1);
	}
}

static void measure(const struct bench *b)
{
	uint64_t ticks, best = 0;
	unsigned int i;

	b->run(b->ops);
	for (i = 0; i < ROUNDS; i++) {
		ticks = b->run(b->ops);
		if (!best || ticks < best)
			best = ticks;
	}
	printf("bench %s %u %llu\n", b->name, b->ops, (unsigned long long)best);
	fflush(stdout);
	if (!with_stat)
		return;
	wait_for_host("begin", b->name, b->ops);
	b->run(b->ops);
	wait_for_host("end", b->name, b->ops);
}

static int spawn(char **argv)
{
	pid_t pid = fork();
	int status, fd;

	if (pid < 0)
		die("fork");
	if (!pid) {
		fd = open("/dev/null", O_RDWR);
		dup2(fd, 0);
		dup2(fd, 1);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* Once to warm up, then once with the counters read around it. */
static int run_command(const char *name, char **argv)
{
	uint64_t ticks;

	if (spawn(argv)) {
		printf("failed %s\n", name);
		return 1;
	}
	if (with_stat)
		wait_for_host("begin", name, 1);
	ticks = now();
	spawn(argv);
	ticks = now() - ticks;
	if (with_stat)
		wait_for_host("end", name, 1);
	printf("bench %s 1 %llu\n", name, (unsigned long long)ticks);
	return 0;
}

int main(int argc, char **argv)
{
	const struct bench *b;
	unsigned int found = 0;

	self = argv[0];
	if (argc > 1 && !strcmp(argv[1], "-s")) {
		with_stat = true;
		argv++;
		argc--;
	}
	if (argc > 1 && !strcmp(argv[1], "exit"))
		return 0;
	if (argc == 2 && !strcmp(argv[1], "now")) {
		printf("%llu\n", (unsigned long long)now());
		return 0;
	}
	if (argc > 3 && !strcmp(argv[1], "run"))
		return run_command(argv[2], argv + 3);
	ask_nothing();
	for (argv++; *argv; argv++)
		for (b = benches; b->name; b++)
			if (!strcmp(*argv, "all") || !strcmp(*argv, b->name)) {
				measure(b);
				found++;
			}
	if (!found) {
		fprintf(stderr, "usage: lat now | lat [-s] NAME... | lat [-s] run NAME COMMAND...\n");
		return 2;
	}
	return 0;
}
