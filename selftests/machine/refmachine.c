// SPDX-License-Identifier: GPL-2.0
/*
 * refmachine: boots a Linux kernel on the reference machine, serial line on
 * stdin and stdout. Statistics go to stderr at the end.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

static const struct option options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "append", required_argument, NULL, 'a' },
	{ "memory", required_argument, NULL, 'm' },
	{ "trace", required_argument, NULL, 't' },
	{ "trace-from", required_argument, NULL, 'f' },
	{ "max-insns", required_argument, NULL, 'n' },
	{ NULL, 0, NULL, 0 },
};

struct config {
	const char *kernel, *initrd, *append;
	u64 memory, trace, trace_from, max_insns;
};

static u64 parse_size(const char *s)
{
	char *end;
	u64 n = strtoull(s, &end, 0);

	switch (*end) {
	case 'G':
		return n << 30;
	case 'M':
		return n << 20;
	case 'K':
		return n << 10;
	default:
		return n;
	}
}

static int parse(int argc, char **argv, struct config *c)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'k':
			c->kernel = optarg;
			break;
		case 'i':
			c->initrd = optarg;
			break;
		case 'a':
			c->append = optarg;
			break;
		case 'm':
			c->memory = parse_size(optarg);
			break;
		case 't':
			c->trace = parse_size(optarg);
			break;
		case 'f':
			c->trace_from = parse_size(optarg);
			break;
		case 'n':
			c->max_insns = parse_size(optarg);
			break;
		default:
			return -1;
		}
	}
	return c->kernel ? 0 : -1;
}

/* Hand over what stdin has. An idle guest waits for it in real time. */
static void poll_input(struct machine *m, bool *open)
{
	struct pollfd pfd = { .fd = 0, .events = POLLIN };
	unsigned int room = devices_input_room(m);
	u8 buf[64];
	ssize_t n;

	if (!*open || room < sizeof(buf))
		return;
	if (poll(&pfd, 1, m->cpu.halted ? 1 : 0) <= 0)
		return;
	n = read(0, buf, sizeof(buf));
	if (n > 0)
		devices_input(m, buf, n);
	else if (n == 0 || errno != EINTR)
		*open = false;
}

static enum machine_result run(struct machine *m, const struct config *c)
{
	enum machine_result r = MACHINE_RUNNING;
	u64 next_poll = 0;
	bool open = true;

	while (r == MACHINE_RUNNING && m->insns < c->max_insns) {
		if (m->insns >= next_poll || m->cpu.halted) {
			poll_input(m, &open);
			next_poll = m->insns + 100000;
		}
		if (c->trace && m->insns >= c->trace_from &&
		    m->insns < c->trace_from + c->trace)
			machine_report(m, stderr);
		r = machine_step(m);
	}
	return r;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static const char *const results[] = {
		"instruction limit", "reset", "unsupported", "deadlock" };
	struct config c = { .append = "console=ttyS0", .memory = 256 << 20,
			    .max_insns = ~0ull };
	enum machine_result r;
	struct machine *m;
	double start, took;

	if (parse(argc, argv, &c)) {
		fprintf(stderr,
			"usage: %s --kernel FILE [--initrd FILE] [--append TEXT] [--memory SIZE]\n"
			"\t[--trace N [--trace-from INSN]] [--max-insns N]\n",
			argv[0]);
		return 2;
	}
	m = machine_new(c.memory);
	if (!m || machine_load_linux(m, c.kernel, c.initrd, c.append)) {
		fprintf(stderr, "cannot set up the machine\n");
		return 2;
	}
	start = seconds();
	r = run(m, &c);
	took = seconds() - start;
	if (r == MACHINE_UNSUPPORTED || r == MACHINE_DEADLOCK || m->cpu.shutdown)
		machine_report(m, stderr);
	fprintf(stderr,
		"%s: %llu instructions in %.1f s (%.1f million/s), guest time %.2f s; %lu interrupts, %lu exceptions, %lu decoded, %lu on the FPU\n",
		results[r], (unsigned long long)m->insns, took,
		m->insns / took / 1e6, machine_now(m) / 1e9, m->stat_irq,
		m->stat_exc, m->stat_decode, m->stat_fpu);
	machine_free(m);
	return r == MACHINE_RESET ? 0 : 1;
}
