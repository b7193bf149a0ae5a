// SPDX-License-Identifier: GPL-2.0
/*
 * Everything a host does beside a running guest that meets the world switch, at once and as
 * often as it goes, for so many seconds:
 *
 *   migrate   threads are moved from CPU to CPU
 *   barrier   membarrier's interprocessor interrupts
 *   signals   a timer signal every 100 us
 *   fpu       x87, SSE and AVX registers are loaded, and compared after a while
 *   ptrace    a child is single-stepped, and stops at a hardware watchpoint
 *   offline   CPU 1 goes, and comes again (with a second argument)
 *
 * Those that can be wronged (fpu, signals, ptrace) check that they were not. TAP.
 *
 * usage: disturb SECONDS PREFIX [offline]
 *
 * Threads whose name begins with PREFIX are migrated.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"

static const char *prefix;
static double end;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* What a disturber has to say at its end. */
struct report {
	unsigned long done, wrong;
};

/* --- migrate --- */

static unsigned int find_threads(pid_t *tid, unsigned int max)
{
	DIR *d = opendir("/proc");
	unsigned int n = 0;
	struct dirent *e;

	while (d && (e = readdir(d)) && n < max) {
		char path[300], name[32] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, name, sizeof(name) - 1) > 0 &&
		    !strncmp(name, prefix, strlen(prefix)))
			tid[n++] = atoi(e->d_name);
		close(fd);
	}
	if (d)
		closedir(d);
	return n;
}

static void migrate(struct report *r)
{
	pid_t tid[16];
	unsigned int i, k;

	while (now() < end) {
		unsigned int n = find_threads(tid, 16);

		if (!n)
			usleep(10000);
		for (k = 0; n && k < 200; k++) {
			for (i = 0; i < n; i++) {
				cpu_set_t one;

				CPU_ZERO(&one);
				CPU_SET((k + i) % 2, &one);
				r->done += !sched_setaffinity(tid[i], sizeof(one), &one);
			}
			usleep(50);
		}
	}
}

/* --- barrier --- */

static void barrier(struct report *r)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
	while (now() < end) {
		r->done++;
		r->wrong += syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) != 0;
		usleep(20);
	}
}

/* --- signals --- */

static volatile unsigned long alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void signals(struct report *r)
{
	struct itimerval t = { .it_interval.tv_usec = 100, .it_value.tv_usec = 100 };
	volatile unsigned long x = 1, check = 1, i;

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &t, NULL);
	while (now() < end) {
		for (i = 0; i < 1000; i++) {
			x = x * 6364136223846793005ul + i;
			check = check * 6364136223846793005ul + i;
		}
		r->wrong += x != check;
	}
	r->done = alarms;
}

/* --- fpu --- */

static bool has_avx(void)
{
	return __builtin_cpu_supports("avx");
}

__attribute__((target("avx")))
static unsigned int avx_round(const uint8_t *in, uint8_t *out)
{
	asm volatile("vmovups (%0), %%ymm0\n vmovups 32(%0), %%ymm7\n vmovups 64(%0), %%ymm15\n"
		     "fninit\n fldpi\n fldl2t\n"
		     "mov $200000, %%ecx\n 1: dec %%ecx\n jnz 1b\n"
		     "vmovups %%ymm0, (%1)\n vmovups %%ymm7, 32(%1)\n vmovups %%ymm15, 64(%1)\n"
		     "fstpt 96(%1)\n fstpt 106(%1)\n"
		     : : "r" (in), "r" (out)
		     : "ecx", "memory", "xmm0", "xmm7", "xmm15");
	return 116;
}

static unsigned int sse_round(const uint8_t *in, uint8_t *out)
{
	asm volatile("movups (%0), %%xmm0\n movups 32(%0), %%xmm7\n movups 64(%0), %%xmm15\n"
		     "fninit\n fldpi\n fldl2t\n"
		     "mov $200000, %%ecx\n 1: dec %%ecx\n jnz 1b\n"
		     "movups %%xmm0, (%1)\n movups %%xmm7, 32(%1)\n movups %%xmm15, 64(%1)\n"
		     "fstpt 96(%1)\n fstpt 106(%1)\n"
		     : : "r" (in), "r" (out)
		     : "ecx", "memory", "xmm0", "xmm7", "xmm15");
	return 116;
}

static void fpu(struct report *r)
{
	static const uint8_t l2t[10] = {
		0xfe, 0x8a, 0x1b, 0xcd, 0x4b, 0x78, 0x9a, 0xd4, 0x00, 0x40 };
	uint8_t in[96], out[116];
	unsigned int i, width = has_avx() ? 32 : 16, k;

	while (now() < end) {
		for (i = 0; i < sizeof(in); i++)
			in[i] = i * 37 + r->done;
		memset(out, 0, sizeof(out));
		if (width == 32)
			avx_round(in, out);
		else
			sse_round(in, out);
		for (k = 0; k < 96; k += 32)
			r->wrong += memcmp(in + k, out + k, width) != 0;
		r->wrong += memcmp(out + 96, l2t, sizeof(l2t)) != 0;
		r->done++;
	}
}

/* --- ptrace --- */

static volatile unsigned long watched;

static void traced_child(void)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	for (;;)
		watched++;
}

static void debug_register(pid_t child, unsigned int n, unsigned long val)
{
	ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg) + n * 8, val);
}

/* Alternately: a hundred single steps; on to the watchpoint, which must be the next stop. */
static void trace(struct report *r)
{
	pid_t child = fork();
	unsigned int i;
	int status;

	if (!child)
		traced_child();
	waitpid(child, &status, 0);
	while (now() < end) {
		unsigned long before, after;

		for (i = 0; i < 100; i++) {
			ptrace(PTRACE_SINGLESTEP, child, 0, 0);
			waitpid(child, &status, 0);
			r->wrong += !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP;
		}
		debug_register(child, 0, (unsigned long)&watched);
		debug_register(child, 7, 1 | 0x9ul << 16);	/* written, 8 bytes */
		before = ptrace(PTRACE_PEEKDATA, child, &watched, 0);
		ptrace(PTRACE_CONT, child, 0, 0);
		waitpid(child, &status, 0);
		after = ptrace(PTRACE_PEEKDATA, child, &watched, 0);
		r->wrong += !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP ||
			    after != before + 1;
		debug_register(child, 7, 0);
		r->done++;
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

/* --- offline --- */

static void offline(struct report *r)
{
	static const char *const path = "/sys/devices/system/cpu/cpu1/online";
	int up = 1;

	while (now() < end || !up) {
		int fd = open(path, O_WRONLY);

		up = !up;
		if (fd >= 0 && write(fd, up ? "1" : "0", 1) == 1)
			r->done++;
		else
			r->wrong += errno != EBUSY;
		if (fd >= 0)
			close(fd);
		usleep(up ? 1500000 : 300000);
	}
}

static const struct {
	const char *name;
	void (*run)(struct report *r);
} all[] = {
	{ "threads were migrated", migrate },
	{ "barriers on all CPUs", barrier },
	{ "timer signals", signals },
	{ "rounds of FPU registers, unchanged", fpu },
	{ "rounds of single steps and a watchpoint, all stops right", trace },
	{ "times a CPU went or came", offline },
};

int main(int argc, char **argv)
{
	unsigned int i, n = sizeof(all) / sizeof(all[0]);
	int out[sizeof(all) / sizeof(all[0])];

	if (argc < 3) {
		fprintf(stderr, "usage: disturb SECONDS PREFIX [offline]\n");
		return 2;
	}
	end = now() + atof(argv[1]);
	prefix = argv[2];
	n -= argc < 4;
	for (i = 0; i < n; i++) {
		int ends[2];

		if (pipe(ends))
			return 2;
		out[i] = ends[0];
		if (!fork()) {
			struct report r = {};

			all[i].run(&r);
			_exit(write(ends[1], &r, sizeof(r)) != sizeof(r));
		}
		close(ends[1]);
	}
	tap_plan(n);
	for (i = 0; i < n; i++) {
		struct report r = {};
		bool told = read(out[i], &r, sizeof(r)) == sizeof(r);

		tap_ok(told && r.done && !r.wrong, "%lu %s (%lu wrong)", r.done, all[i].name,
		       r.wrong);
	}
	return tap_failed != 0;
}
