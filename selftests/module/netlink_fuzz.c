// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that nobody should send, in orders that nobody should choose: every command
 * with every attribute absent, short, long, of another type, nested, twice; noise; and
 * many sockets at once that create, run, claim and delete the same few VMs.
 *
 * Every answer must be one that uapi/vmon.h knows. With TOLERATE_ENOMEM in the
 * environment (fault injection) lack of memory is an answer, too.
 *
 * usage: netlink_fuzz [SECONDS [SEED]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "guest.h"
#include "tap.h"

#define THREADS	4
#define WATCHERS 2
#define SLOTS	4
#define NAMES	6

/* Writes to port 3f8h for ever. */
GUEST_PROGRAM(writer,
	"cli\n mov $0x3f8, %dx\n xor %eax, %eax\n"
	"1: out %al, %dx\n inc %eax\n mov %eax, 0x500\n jmp 1b\n");

static bool tolerate;
static uint64_t seed = 20240607;
static int guest_fd;
static struct guest scratch;

struct rng {
	uint64_t s;
};

static uint32_t rnd(struct rng *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return r->s >> 16;
}

static uint32_t below(struct rng *r, uint32_t n)
{
	return rnd(r) % n;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Is it an answer that the protocol has? */
static bool known(int err)
{
	switch (err) {
	case 0:
	case -EINVAL:
	case -ERANGE:
	case -ENODEV:
	case -EPERM:
	case -EEXIST:
	case -EBUSY:
	case -EBADF:
	case -ENOSPC:
	case -ENOENT:
	case -EOPNOTSUPP:
		return true;
	case -ENOMEM:
	case -ENOBUFS:
	case -EAGAIN:
		return tolerate;
	default:
		return false;
	}
}

/* --- what an attribute is, and what a command takes --- */

enum kind { NONE, U8, U32, U64, STR, REGS, RANGES };

static const uint8_t kind_of[VMON_A_MAX + 1] = {
	[VMON_A_VM] = U32, [VMON_A_NAME] = STR, [VMON_A_STATE] = U32, [VMON_A_EXEC] = U32,
	[VMON_A_GUARD_NAME] = STR, [VMON_A_CLAIM_MS] = U32, [VMON_A_GPA] = U64,
	[VMON_A_SIZE] = U64, [VMON_A_FD] = U32, [VMON_A_OFFSET] = U64, [VMON_A_REGS] = REGS,
	[VMON_A_SPACE] = U32, [VMON_A_ADDR] = U64, [VMON_A_RANGE] = U32, [VMON_A_LINE] = U8,
	[VMON_A_LEVEL] = U8, [VMON_A_SEQ] = U32, [VMON_A_DATA] = U32, [VMON_A_SELFCHECK] = U8,
	[VMON_A_TRIGGER] = U8, [VMON_A_RANGES] = RANGES,
};

static const uint8_t size_of[] = {
	[U8] = 1, [U32] = 4, [U64] = 8, [STR] = 2, [REGS] = sizeof(struct vmon_regs),
	[RANGES] = sizeof(struct vmon_mem_range),
};

struct taken {
	uint8_t attr;
	bool needed;
	uint64_t val;	/* a good one; names and registers are made */
};

#define VM	{ VMON_A_VM, true, 0 }

static const struct command {
	const char *name;
	uint8_t cmd;
	struct taken a[6];
} commands[] = {
	{ "CHECK_GET", VMON_CMD_CHECK_GET, { } },
	{ "VM_NEW", VMON_CMD_VM_NEW, { { VMON_A_NAME, true, 0 }, { VMON_A_CLAIM_MS, false, 5 },
		{ VMON_A_EXEC, false, 2 }, { VMON_A_SELFCHECK, false, 1 } } },
	{ "VM_GET", VMON_CMD_VM_GET, { VM } },
	{ "VM_SET", VMON_CMD_VM_SET, { VM, { VMON_A_STATE, true, VMON_STATE_STOPPED } } },
	{ "VM_RESET", VMON_CMD_VM_RESET, { VM } },
	{ "VM_CLAIM", VMON_CMD_VM_CLAIM, { VM } },
	{ "MEM_NEW", VMON_CMD_MEM_NEW, { VM, { VMON_A_GPA, true, 0x400000 },
		{ VMON_A_SIZE, true, 0x1000 }, { VMON_A_FD, true, 0 },
		{ VMON_A_OFFSET, false, 0x2000 } } },
	{ "VCPU_SET", VMON_CMD_VCPU_SET, { VM, { VMON_A_REGS, true, 0 } } },
	{ "VCPU_GET", VMON_CMD_VCPU_GET, { VM } },
	{ "RANGE_NEW", VMON_CMD_RANGE_NEW, { VM, { VMON_A_SPACE, true, 1 },
		{ VMON_A_ADDR, true, 0x5000 }, { VMON_A_SIZE, true, 4 },
		{ VMON_A_RANGE, true, 77 } } },
	{ "RANGE_DEL", VMON_CMD_RANGE_DEL, { VM, { VMON_A_RANGE, true, 77 } } },
	{ "IRQ_SET", VMON_CMD_IRQ_SET, { VM, { VMON_A_LINE, true, 4 },
		{ VMON_A_LEVEL, true, 1 } } },
	{ "MEM_WRITTEN", VMON_CMD_MEM_WRITTEN, { VM, { VMON_A_RANGES, true, 0 } } },
	{ "IO_DONE", VMON_CMD_IO_DONE, { VM, { VMON_A_SEQ, true, 0 }, { VMON_A_DATA, false, 1 } } },
	{ "STAT_GET", VMON_CMD_STAT_GET, { VM } },
	{ "TRACE_GET", VMON_CMD_TRACE_GET, { VM } },
	{ "VM_DEL", VMON_CMD_VM_DEL, { VM } },
};

#define NR_COMMANDS	ARRAY_SIZE(commands)

/* --- one attribute wrong --- */

enum wrong {
	ABSENT, EMPTY, SHORT, LONG, HUGE_LEN, NESTED, TWICE, FOREIGN, UNKNOWN, PADDED, NR_WRONG
};

static const char *const wrong_name[] = {
	"absent", "empty", "short", "long", "huge", "nested", "twice", "foreign", "unknown",
	"padded",
};

/* The bytes of a good attribute. Return: how many. */
static size_t good(const struct taken *t, uint8_t *buf)
{
	uint64_t val = t->attr == VMON_A_VM ? scratch.vm :
		       t->attr == VMON_A_FD ? (uint64_t)guest_fd : t->val;
	struct vmon_mem_range range = { 0, 0x1000 };
	struct vmon_regs regs = { .cr0 = 0x10 };

	switch (kind_of[t->attr]) {
	case STR:
		memcpy(buf, "fuzz", 5);
		return 5;
	case REGS:
		memcpy(buf, &regs, sizeof(regs));
		return sizeof(regs);
	case RANGES:
		memcpy(buf, &range, sizeof(range));
		return sizeof(range);
	default:
		memcpy(buf, &val, sizeof(val));
		return size_of[kind_of[t->attr]];
	}
}

/* Return: must it be refused? */
static bool put_wrong(struct vnl *v, const struct taken *t, enum wrong how)
{
	static uint8_t buf[2048];
	size_t len;

	memset(buf, 'x', sizeof(buf));
	len = good(t, buf);
	switch (how) {
	case ABSENT:
		return t->needed;
	case EMPTY:
		vnl_put(v, t->attr, buf, 0);
		return true;
	case SHORT:
		vnl_put(v, t->attr, buf, len - 1);
		return true;
	case LONG:
		vnl_put(v, t->attr, buf, kind_of[t->attr] == STR ? VMON_NAME_MAX + 2 : len + 1);
		return true;
	case HUGE_LEN:
		vnl_put(v, t->attr, buf, 1500);
		return true;
	case NESTED:
		vnl_put(v, t->attr | NLA_F_NESTED, buf, len);
		return true;
	case TWICE:
		vnl_put(v, t->attr, buf, len);
		vnl_put(v, t->attr, buf, len);
		return false;
	case FOREIGN:
		vnl_put(v, t->attr, buf, len);
		vnl_u32(v, VMON_A_OWNER, 1);
		return true;
	case UNKNOWN:
		vnl_put(v, t->attr, buf, len);
		vnl_u32(v, VMON_A_MAX + 7, 1);
		return true;
	default:
		vnl_put(v, t->attr, buf, len);
		vnl_put(v, VMON_A_PAD, buf, 0);
		return true;
	}
}

/* A VM to do things to, made anew when the last request ended it. */
static bool have_scratch(struct vnl *v)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (scratch.vm && !guest_get(&scratch))
			return true;
		vnl_begin(v, VMON_CMD_VM_NEW);
		vnl_str(v, VMON_A_NAME, "scratch");
		scratch.v = v;
		scratch.vm = vnl_call(v) ? 0 : vnl_get(v, VMON_A_VM);
		if (!scratch.vm && !tolerate)
			return false;
	}
	return false;
}

static void test_attributes(struct vnl *v)
{
	unsigned int c, i, k, how, sent, bad;
	uint8_t buf[512];

	for (c = 0; c < NR_COMMANDS; c++) {
		const struct command *cmd = &commands[c];

		sent = 0;
		bad = 0;
		for (i = 0; i < 6 && cmd->a[i].attr; i++) {
			for (how = 0; how < NR_WRONG; how++) {
				bool refuse;

				if (!have_scratch(v)) {
					bad++;
					continue;
				}
				vnl_begin(v, cmd->cmd);
				for (k = 0; k < 6 && cmd->a[k].attr; k++)
					if (k != i)
						vnl_put(v, cmd->a[k].attr, buf,
							good(&cmd->a[k], buf));
				refuse = put_wrong(v, &cmd->a[i], how);
				vnl_call(v);
				sent++;
				if (cmd->cmd == VMON_CMD_VM_NEW && !v->error) {
					struct guest g = { .v = v, .vm = vnl_get(v, VMON_A_VM) };

					guest_simple(&g, VMON_CMD_VM_DEL);
					v->error = 0;
				}
				if (known(v->error) && (!refuse || (v->error && v->msg[0])) &&
				    (v->error != -EPERM))
					continue;
				bad++;
				printf("# %s, attribute %u %s: %d %s\n", cmd->name,
				       cmd->a[i].attr, wrong_name[how], v->error, v->msg);
			}
		}
		tap_ok(!bad, "%s: %u requests with one attribute wrong", cmd->name, sent);
	}
}

/* --- noise --- */

static void put_noise(struct vnl *v, struct rng *r)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 0xff, 0x1000, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffff000,
		0x100000000ull, ~0ull, ~0xfffull, 0x3f8, 0x500000,
	};
	uint8_t buf[400];
	uint64_t val = values[below(r, ARRAY_SIZE(values))];
	int attr = below(r, 8) ? below(r, VMON_A_MAX + 2) : rnd(r) & 0xffff;
	size_t i, len;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = rnd(r);
	if (attr <= VMON_A_MAX && kind_of[attr] == REGS)
		memset(buf, 0, below(r, sizeof(struct vmon_regs)));
	memcpy(buf, &val, sizeof(val));
	if (attr == VMON_A_FD)
		memcpy(buf, &guest_fd, sizeof(guest_fd));
	len = attr <= VMON_A_MAX && below(r, 6) ?
	      kind_of[attr] == REGS ? sizeof(struct vmon_regs) : size_of[kind_of[attr]] :
	      below(r, sizeof(buf));
	if (attr <= VMON_A_MAX && kind_of[attr] == STR && len)
		buf[len - 1] = 0;
	if (v->tx_len + NLA_HDRLEN + NLA_ALIGN(len) < sizeof(v->tx))
		vnl_put(v, attr | (below(r, 16) ? 0 : NLA_F_NESTED), buf, len);
}

/* Send the bytes as they are; wait for the end of the answer. Return: its error. */
static int send_raw(struct vnl *v, uint16_t flags, size_t len)
{
	struct nlmsghdr *n = (void *)v->tx;
	char buf[16384];
	ssize_t got;
	int err = 0;

	n->nlmsg_len = len;
	n->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	n->nlmsg_seq = ++v->seq;
	if (send(v->fd, v->tx, len, 0) < 0)
		return -errno;
	for (;;) {
		got = recv(v->fd, buf, sizeof(buf), 0);
		if (got < 0 && errno == ENOBUFS)
			continue;
		if (got < 0)
			return -ETIMEDOUT;
		n = (void *)buf;
		for (; NLMSG_OK(n, (size_t)got); n = NLMSG_NEXT(n, got)) {
			if (n->nlmsg_seq != v->seq)
				continue;
			if (n->nlmsg_type == NLMSG_ERROR || n->nlmsg_type == NLMSG_DONE) {
				memcpy(&err, n + 1, sizeof(err));
				return err;
			}
		}
	}
}

static void test_noise(struct vnl *v, unsigned int rounds)
{
	struct rng r = { seed * 0x9e3779b97f4a7c15ull | 1 };
	struct timeval limit = { .tv_sec = 20 };
	unsigned int i, k, ok = 0, bad = 0;

	setsockopt(v->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	for (i = 0; i < rounds && bad < 20; i++) {
		struct genlmsghdr *g = (void *)(v->tx + NLMSG_HDRLEN);
		int cmd = below(&r, VMON_CMD_MAX + 3), err;
		uint16_t flags = below(&r, 10) ? 0 : rnd(&r) & 0xff00;
		size_t len;

		if (!have_scratch(v)) {
			bad++;
			break;
		}
		/* Another VM would stay behind. */
		if (cmd == VMON_CMD_VM_NEW)
			cmd = VMON_CMD_MEM_NEW;
		vnl_begin(v, cmd);
		if (below(&r, 4))
			vnl_u32(v, VMON_A_VM, scratch.vm);
		for (k = below(&r, 6); k; k--)
			put_noise(v, &r);
		if (!below(&r, 8))
			g->version = rnd(&r);
		if (!below(&r, 8))
			g->reserved = rnd(&r);
		if (!below(&r, 10))
			v->tx[NLMSG_HDRLEN + below(&r, v->tx_len - 16)] ^= 1 << below(&r, 8);
		len = below(&r, 10) ? v->tx_len : NLMSG_HDRLEN + below(&r, v->tx_len - 15);
		err = send_raw(v, flags, len);
		ok += !err;
		if (known(err))
			continue;
		bad++;
		printf("# round %u: command %d: %d\n", i, cmd, err);
	}
	tap_ok(!bad && ok, "%u requests of noise, %u of them accepted", i, ok);
}

/* --- many at once --- */

static _Atomic uint32_t slots[SLOTS];
static atomic_uint operations, accepted, failures;
static double deadline, seconds = 6;

static void complain(struct vnl *v, const char *what)
{
	if (known(v->error))
		return;
	if (atomic_fetch_add(&failures, 1) < 20)
		printf("# %s: %d %s\n", what, v->error, v->msg);
}

static void make_vm(struct vnl *v, struct rng *r)
{
	struct guest g = { .v = v };
	char name[16];

	snprintf(name, sizeof(name), "race%u", below(r, NAMES));
	vnl_begin(v, VMON_CMD_VM_NEW);
	vnl_str(v, VMON_A_NAME, name);
	vnl_u32(v, VMON_A_CLAIM_MS, below(r, 3) * 20);
	vnl_u32(v, VMON_A_EXEC, 1 + below(r, 2));
	vnl_u8(v, VMON_A_SELFCHECK, below(r, 2));
	if (vnl_call(v)) {
		complain(v, "VM_NEW");
		return;
	}
	g.vm = vnl_get(v, VMON_A_VM);
	slots[below(r, SLOTS)] = g.vm;
	vnl_begin(v, VMON_CMD_MEM_NEW);
	vnl_u32(v, VMON_A_VM, g.vm);
	vnl_u64(v, VMON_A_GPA, 0);
	vnl_u64(v, VMON_A_SIZE, GUEST_SIZE);
	vnl_put(v, VMON_A_FD, &guest_fd, sizeof(guest_fd));
	vnl_call(v);
	complain(v, "MEM_NEW");
	guest_range(&g, 0x3f8, 8, 42);
	complain(v, "RANGE_NEW");
	guest_set_regs(&g);
	complain(v, "VCPU_SET");
	guest_state(&g, VMON_STATE_RUNNING);
	complain(v, "RUNNING");
}

/* Some of them are memory, some are not. */
static void memory_written(struct vnl *v, struct rng *r, uint32_t vm)
{
	struct vmon_mem_range range[4];
	unsigned int i, n = 1 + below(r, 4);

	for (i = 0; i < n; i++)
		range[i] = (struct vmon_mem_range){ below(r, GUEST_SIZE), 1 + below(r, 0x3000) };
	vnl_begin(v, VMON_CMD_MEM_WRITTEN);
	vnl_u32(v, VMON_A_VM, vm);
	vnl_put(v, VMON_A_RANGES, range, n * sizeof(*range));
	vnl_call(v);
}

static void one_operation(struct vnl *v, struct rng *r, unsigned int op)
{
	static const uint8_t simple[] = {
		VMON_CMD_VM_RESET, VMON_CMD_VM_CLAIM, VMON_CMD_VCPU_GET, VMON_CMD_STAT_GET,
		VMON_CMD_TRACE_GET, VMON_CMD_VM_GET, VMON_CMD_STAT_GET,
	};
	struct guest g = { .v = v, .vm = slots[below(r, SLOTS)] };
	uint32_t data = rnd(r), seq;

	switch (op) {
	case 0:
		make_vm(v, r);
		return;
	case 1:
		guest_simple(&g, VMON_CMD_VM_DEL);
		break;
	case 2:
	case 3:
	case 4:
		guest_state(&g, 1 + below(r, 3));
		break;
	case 5:
		if (below(r, 2)) {
			memory_written(v, r, g.vm);
			break;
		}
		vnl_begin(v, VMON_CMD_IRQ_SET);
		vnl_u32(v, VMON_A_VM, g.vm);
		vnl_u8(v, VMON_A_LINE, 1 + 2 * below(r, 8));
		vnl_u8(v, VMON_A_LEVEL, below(r, 2));
		vnl_call(v);
		break;
	case 6:
	case 7:
		seq = vnl_recv(v, 0) == VMON_CMD_IO ? vnl_get(v, VMON_A_SEQ) : below(r, 200);
		vnl_begin(v, VMON_CMD_IO_DONE);
		vnl_u32(v, VMON_A_VM, g.vm);
		vnl_u32(v, VMON_A_SEQ, seq);
		if (below(r, 2))
			vnl_u32(v, VMON_A_DATA, data);
		vnl_call(v);
		break;
	case 8:
		guest_range(&g, 0x3f8 + below(r, 3) * 8, 8, below(r, 3));
		break;
	case 9:
		vnl_begin(v, VMON_CMD_RANGE_DEL);
		vnl_u32(v, VMON_A_VM, g.vm);
		vnl_u32(v, VMON_A_RANGE, below(r, 2) ? 42 : below(r, 3));
		vnl_call(v);
		break;
	case 10:
		guest_set_regs(&g);
		break;
	default:
		guest_simple(&g, simple[op % sizeof(simple)]);
	}
	complain(v, "operation");
	atomic_fetch_add(&accepted, !v->error);
}

static struct vnl *open_again(struct vnl *v)
{
	if (v)
		vnl_close(v);
	do
		v = vnl_open();
	while (!v && tolerate);
	return v;
}

static void *racer(void *arg)
{
	struct rng r = { (seed + (uintptr_t)arg) * 0x9e3779b97f4a7c15ull | 1 };
	struct vnl *v = open_again(NULL);

	while (v && now() < deadline) {
		if (!below(&r, 40))
			v = open_again(v);
		if (!v)
			break;
		one_operation(v, &r, below(&r, 20));
		atomic_fetch_add(&operations, 1);
	}
	if (v)
		vnl_close(v);
	else
		atomic_fetch_add(&failures, 1);
	return NULL;
}

static void in_threads(void *(*fn)(void *))
{
	pthread_t thread[THREADS];
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, fn, (void *)(i + 1));
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void test_race(void)
{
	deadline = now() + seconds;
	in_threads(racer);
	tap_ok(!failures && accepted, "%u operations of %u threads, %u accepted",
	       operations, THREADS, accepted);
}

/* VMs that are made at the same time are all there. */
static void *maker(void *arg)
{
	struct vnl *v = open_again(NULL);
	struct guest g = { .v = v };
	char name[16];
	unsigned int i;

	snprintf(name, sizeof(name), "made%u", (unsigned int)(uintptr_t)arg);
	for (i = 0; v && i < 2 + seconds / 2; i++) {
		vnl_begin(v, VMON_CMD_VM_NEW);
		vnl_str(v, VMON_A_NAME, name);
		if (vnl_call(v)) {
			complain(v, "VM_NEW of a free name");
			continue;
		}
		g.vm = vnl_get(v, VMON_A_VM);
		if (guest_get(&g) && !(tolerate && v->error == -ENOMEM)) {
			printf("# VM %u is not there: %d %s\n", g.vm, v->error, v->msg);
			atomic_fetch_add(&failures, 1);
		}
		if (guest_simple(&g, VMON_CMD_VM_DEL))
			atomic_fetch_add(&failures, 1);
	}
	if (v)
		vnl_close(v);
	return NULL;
}

/* Numbers and trace of a VM that is being deleted. */
static _Atomic uint32_t watched;
static atomic_bool watching;

static void *watcher(void *arg)
{
	struct vnl *v = open_again(NULL);
	struct guest g = { .v = v };
	struct rng r = { (uintptr_t)arg * 77 };

	while (v && watching) {
		g.vm = watched;
		one_operation(v, &r, 5 + below(&r, 2));
		guest_simple(&g, VMON_CMD_STAT_GET);
		complain(v, "STAT_GET");
		guest_simple(&g, below(&r, 2) ? VMON_CMD_TRACE_GET : VMON_CMD_VM_GET);
		complain(v, "TRACE_GET");
	}
	if (v)
		vnl_close(v);
	return NULL;
}

static void test_deleted(struct vnl *v)
{
	pthread_t thread[WATCHERS];
	unsigned int made = 0, failed = 0;
	struct guest g = { .v = v };
	uintptr_t i;

	watching = true;
	for (i = 0; i < WATCHERS; i++)
		pthread_create(&thread[i], NULL, watcher, (void *)(i + 1));
	for (i = 0; i < 2 + seconds * 2; i++) {
		vnl_begin(v, VMON_CMD_VM_NEW);
		vnl_str(v, VMON_A_NAME, "watched");
		if (vnl_call(v)) {
			failed++;
			continue;
		}
		made++;
		g.vm = vnl_get(v, VMON_A_VM);
		watched = g.vm;
		usleep(1000);
		guest_simple(&g, VMON_CMD_VM_DEL);
	}
	watching = false;
	for (i = 0; i < WATCHERS; i++)
		pthread_join(thread[i], NULL);
	tap_ok(!failures && (!failed || tolerate), "%u VMs deleted while they are looked at", made);
}

int main(int argc, char **argv)
{
	struct vnl *v = vnl_open();

	tolerate = getenv("TOLERATE_ENOMEM");
	if (!v && !tolerate) {
		tap_plan(1);
		tap_skip("netlink_fuzz", "the module is not loaded");
		return tap_done();
	}
	if (!v)
		v = open_again(NULL);
	if (argc > 1)
		seconds = atof(argv[1]);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	tap_plan(NR_COMMANDS + 4);
	printf("# seed %llu, %g s\n", (unsigned long long)seed, seconds);
	guest_fd = guest_memfd(GUEST_SIZE, true);
	if (pwrite(guest_fd, writer_start, writer_end - writer_start, GUEST_CODE) < 0)
		perror("pwrite");
	test_attributes(v);
	test_noise(v, 100 + seconds * 200);
	failures = 0;
	in_threads(maker);
	tap_ok(!failures, "VMs that are made at the same time are all there");
	failures = 0;
	test_deleted(v);
	failures = 0;
	test_race();
	vnl_close(v);
	return tap_done();
}
