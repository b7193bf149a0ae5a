// SPDX-License-Identifier: GPL-2.0
/* Processes, pipes, events, futexes, clocks and ports: what they return. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/io.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include "checks.h"

static int status_of(void (*function)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		alarm(10);
		function();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status & ~0x80;	/* core dumps or not */
}

static void exits(void) { _exit(7); }
static void killed(void) { raise(SIGKILL); }
static int *volatile nowhere = (int *)16;
static void faulted(void) { *nowhere = 1; }
static void undefined(void) { asm volatile("ud2"); }
static void divided(void) { asm volatile("divl %%ecx" : : "c"(0), "a"(1), "d"(0)); }
static void halted(void) { asm volatile("hlt"); }
static void breaks(void) { asm volatile("int3"); }
static void bad_ds(void) { asm volatile("movl %0, %%ds; movl 0, %%eax" : : "r"(0) : "eax"); }
static void bad_stack(void) { asm volatile("movl $16, %esp; pushl %eax"); }

static void statuses(void)
{
	unsigned int i;
	int wrong = 0, status;
	siginfo_t info;
	pid_t pid;

	expect(status_of(exits) == 7 << 8, "exit status");
	expect(status_of(killed) == SIGKILL, "killed");
	expect(status_of(faulted) == SIGSEGV, "SIGSEGV");
	expect(status_of(undefined) == SIGILL, "SIGILL");
	expect(status_of(divided) == SIGFPE, "SIGFPE");
	expect(status_of(halted) == SIGSEGV, "HLT");
	expect(status_of(breaks) == SIGTRAP, "INT3");
	expect(status_of(bad_ds) == SIGSEGV, "a null DS");
	expect(status_of(bad_stack) == SIGSEGV, "a stack that is none");
	for (i = 0; i < 50; i++) {
		pid = fork();
		if (!pid)
			_exit(i);
		waitpid(pid, &status, 0);
		wrong += status != (int)i << 8;
	}
	expect(!wrong, "50 children");
	pid = fork();
	if (!pid)
		_exit(3);
	memset(&info, 0, sizeof(info));
	expect(!waitid(P_PID, pid, &info, WEXITED) && info.si_status == 3 &&
	       info.si_code == CLD_EXITED, "waitid");
	expect(wait(&status) == -1 && errno == ECHILD, "no more children");
}

static void pipes(void)
{
	static unsigned char buf[4096];
	unsigned int i, sum = 0, total = 0;
	int fds[2], status, n;
	pid_t pid;

	if (pipe(fds))
		return;
	pid = fork();
	if (!pid) {
		for (i = 0; i < 256; i++) {
			memset(buf, i, sizeof(buf));
			if (write(fds[1], buf, sizeof(buf)) != sizeof(buf))
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0) {
		total += n;
		for (i = 0; i < (unsigned int)n; i++)
			sum += buf[i];
	}
	waitpid(pid, &status, 0);
	expect(total == 256 * 4096 && sum == 4096u * 255 * 128 && !status, "a megabyte through a pipe");
	close(fds[0]);
	if (pipe(fds))
		return;
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	expect(write(fds[1], "x", 1) == -1 && errno == EPIPE, "a pipe without a reader");
}

static void events(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = 5 };
	int ep = epoll_create1(0), efd = eventfd(2, EFD_NONBLOCK), pair[2];
	struct pollfd p = { .fd = efd, .events = POLLIN | POLLOUT };
	uint64_t val = 0;

	expect(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT), "poll");
	epoll_ctl(ep, EPOLL_CTL_ADD, efd, &event);
	event.data.u32 = 0;
	expect(epoll_wait(ep, &event, 1, 1000) == 1 && event.data.u32 == 5, "epoll");
	expect(!epoll_wait(ep, &event, 1, 20), "edge-triggered: once");
	expect(read(efd, &val, 8) == 8 && val == 2, "eventfd");
	expect(read(efd, &val, 8) == -1 && errno == EAGAIN, "and empty");
	expect(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && write(pair[0], "hello", 5) == 5 &&
	       recv(pair[1], &val, 8, 0) == 5, "a pair of sockets");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned int counter;
static volatile int word;

static void *adds(void *arg)
{
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
		if (!(i & 1023))
			sched_yield();
	}
	return arg;
}

static void *wakes(void *arg)
{
	usleep(20000);
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
	return arg;
}

static void threads(void)
{
	struct timespec time = { .tv_nsec = 20000000 };
	pthread_t thread[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, adds, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	expect(counter == 80000, "four threads and a lock");
	expect(syscall(SYS_futex, &word, FUTEX_WAIT, 5, NULL, NULL, 0) == -1 && errno == EAGAIN,
	       "futex: another value");
	expect(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time, NULL, 0) == -1 &&
	       errno == ETIMEDOUT, "futex: time limit");
	pthread_create(thread, NULL, wakes, NULL);
	while (!word)
		syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
	pthread_join(thread[0], NULL);
	expect(word == 1, "futex: woken");
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void clocks(void)
{
	static const clockid_t all[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
		CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
	};
	struct itimerval timer = { { 0, 20000 }, { 0, 20000 } };
	struct timespec t = { 0, 50000000 };
	unsigned int i, j, back;
	int64_t before, after, last;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		back = 0;
		for (j = 0, last = 0; j < 3000; j++, last = after) {
			after = now(all[i]);
			back += after < last;
		}
		expect(!back, "clock %d never goes back", all[i]);
	}
	before = now(CLOCK_MONOTONIC);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	after = now(CLOCK_MONOTONIC);
	expect(after - before >= 50000000 && after - before < 2000000000, "a sleep of 50 ms");
	signal(SIGALRM, on_alarm);
	before = now(CLOCK_MONOTONIC);
	setitimer(ITIMER_REAL, &timer, NULL);
	while (alarms < 5 && now(CLOCK_MONOTONIC) - before < 5000000000ll)
		;
	after = now(CLOCK_MONOTONIC);
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
	expect(alarms >= 5 && after - before >= 99000000, "five alarms while it computes");
	expect(clock_gettime(99, &t) == -1 && errno == EINVAL, "no such clock");
}

static void ports(void)
{
	int sig;

	sig = try_to(outb(0, 0x80));
	expect(sig == SIGSEGV, "a port is forbidden: code %d", (int)fault_code);
	expect(!ioperm(0x80, 1, 1), "ioperm");
	sig = try_to(outb(0, 0x80));
	expect(!sig, "allowed");
	sig = try_to(outw(0, 0x80));
	expect(sig == SIGSEGV, "but not the next one");
	ioperm(0x80, 1, 0);
	sig = try_to(outb(0, 0x80));
	expect(sig == SIGSEGV, "forbidden again");
	expect(!iopl(3), "iopl");
	sig = try_to(outb(0, 0xed));
	expect(!sig, "all are allowed");
	asm volatile("cli; sti");
	expect(true, "CLI and STI");
	sig = try_to(asm volatile("hlt"));
	expect(sig == SIGSEGV, "but not HLT");
	sig = try_to(asm volatile("fld1; fstp %st"));
	expect(!sig, "x87 with it");
	iopl(0);
	sig = try_to(asm volatile("cli"));
	expect(sig == SIGSEGV, "CLI without");
}

int main(void)
{
	statuses();
	pipes();
	events();
	threads();
	clocks();
	catch_faults();
	ports();
	return finish();
}
