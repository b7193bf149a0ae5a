// SPDX-License-Identifier: GPL-2.0
/*
 * A running VM: ticks, pause, posted writes, reads, interrupts, halt, reset, and
 * owners that die.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "guest.h"
#include "tap.h"

/* 8259 at vectors 8 and 70h; only what AH leaves unmasked gets through. */
#define PIC_INIT						\
	"cli\n"							\
	"mov $0x11, %al\n out %al, $0x20\n mov $8, %al\n out %al, $0x21\n"	\
	"mov $4, %al\n out %al, $0x21\n mov $1, %al\n out %al, $0x21\n"	\
	"mov %ah, %al\n out %al, $0x21\n"

/* 250 Hz, count at 500h. The handler is vector 8, 200h after the start. */
GUEST_PROGRAM(ticks,
	"mov $0xfe, %ah\n" PIC_INIT
	"mov $0x34, %al\n out %al, $0x43\n"
	"mov $0xa5, %al\n out %al, $0x40\n mov $0x12, %al\n out %al, $0x40\n"
	"sti\n1: hlt\n jmp 1b\n"
	".org ticks_start + 0x200\n"
	"incl 0x500\n"
	"push %ax\n mov 0x508, %cx\n"
	"2: jcxz 3f\n loop 2b\n"
	"3: mov $0x20, %al\n out %al, $0x20\n pop %ax\n iret\n");

/* Writes a counter to port 3f8h, as fast as it can; the count is at 500h. */
GUEST_PROGRAM(writer,
	"cli\n mov $0x3f8, %dx\n xor %eax, %eax\n"
	"1: out %al, %dx\n inc %eax\n mov %eax, 0x500\n jmp 1b\n");

/* Writes 10 to 1 to port 3f8h, and halts for good. */
GUEST_PROGRAM(farewell,
	"cli\n mov $0x3f8, %dx\n mov $10, %ax\n"
	"1: out %al, %dx\n dec %ax\n jnz 1b\n hlt\n");

/* Reads port 3fdh once, stores it, and halts for good. */
GUEST_PROGRAM(reader,
	"cli\n mov $0x3fd, %dx\n in %dx, %al\n mov %al, 0x500\n"
	"mov $0x1234, %dx\n in %dx, %ax\n mov %ax, 0x502\n hlt\n");

/* Waits for IRQ 4 (vector 12). */
GUEST_PROGRAM(waiter,
	"mov $0xef, %ah\n" PIC_INIT "sti\n1: hlt\n jmp 1b\n"
	".org waiter_start + 0x200\n"
	"incl 0x500\n mov $0x20, %al\n out %al, $0x20\n iret\n");

/* One attempt, as the self-check counts them: between 1 and 0 at port E0h. */
GUEST_PROGRAM(attempt,
	"cli\n mov $1, %al\n out %al, $0xe0\n mov $0, %al\n out %al, $0xe0\n hlt\n");

#define TICK_HZ	(1193182.0 / 4773)

static unsigned int exec_mode = VMON_EXEC_EMULATE;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void set_vector(struct guest *g, unsigned int vector)
{
	*(volatile uint32_t *)(g->mem + vector * 4) = GUEST_CODE + 0x200;
}

static bool start(struct guest *g, struct vnl *v, const char *name,
		  unsigned int claim_ms, const char *from, const char *to)
{
	if (guest_new(g, v, name, claim_ms, exec_mode))
		return false;
	guest_load(g, from, to);
	set_vector(g, 8);
	set_vector(g, 12);
	return !guest_range(g, 0x3f8, 8, 42) && !guest_set_regs(g);
}

/* Where a measurement began. */
struct mark {
	uint32_t ticks;
	double time;
};

static struct mark mark(struct guest *g)
{
	return (struct mark) { guest_u32(g, 0x500), now() };
}

/*
 * The guest's clock by its ticks, as a part of the host's since @m, over @seconds
 * or more: on a busy host the guest may be behind for a while, and catches up.
 */
static double measure(struct guest *g, struct mark m, double seconds)
{
	double rate;
	int i;

	usleep(seconds * 1e6);
	for (i = 0; i < 100; i++) {
		rate = (guest_u32(g, 0x500) - m.ticks) / ((now() - m.time) * TICK_HZ);
		if (rate > 0.99 && rate < 1.01)
			break;
		usleep(100000);
	}
	return rate;
}

static void test_ticks(struct vnl *v)
{
	struct guest g;
	uint32_t a, b;
	double rate;

	tap_ok(start(&g, v, "ticks", 0, ticks_start, ticks_end) &&
	       !guest_state(&g, VMON_STATE_RUNNING), "a guest runs: %s", v->msg);
	usleep(300000);
	rate = measure(&g, mark(&g), 4);
	tap_ok(rate > 0.99 && rate < 1.01, "timer interrupts: %.4f of the host's time", rate);

	tap_ok(!guest_state(&g, VMON_STATE_PAUSED), "pause");
	a = guest_u32(&g, 0x500);
	usleep(500000);
	b = guest_u32(&g, 0x500);
	tap_ok(a == b, "no ticks while paused");
	guest_state(&g, VMON_STATE_RUNNING);
	usleep(200000);
	b = guest_u32(&g, 0x500);
	tap_ok(b - a > 5 && b - a < 100, "%u ticks 0.2 s after the pause", b - a);
	tap_ok(guest_stat(&g, "pit_ticks") >= b - 2 && guest_stat(&g, "hlt") > 0,
	       "statistics");
	tap_ok(!guest_simple(&g, VMON_CMD_VCPU_GET) && !guest_get(&g) &&
	       vnl_get(v, VMON_A_STATE) == VMON_STATE_RUNNING,
	       "registers of a running VM");
	tap_ok(!guest_simple(&g, VMON_CMD_TRACE_GET) && vnl_get_str(v, VMON_A_TRACE),
	       "trace");
	if (getenv("SHOW"))
		printf("%s\n", vnl_get_str(v, VMON_A_TRACE));
	tap_ok(syscall(SYS_delete_module, "vmon", O_NONBLOCK) < 0,
	       "the module stays while there is a VM: %s", strerror(errno));
	guest_free(&g);
}

/* Handlers that now and then take much longer than a period: ticks are made up. */
static void test_slow(struct vnl *v)
{
	struct guest g;
	struct mark m;
	double rate;
	int i;

	tap_ok(start(&g, v, "slow", 0, ticks_start, ticks_end) &&
	       !guest_state(&g, VMON_STATE_RUNNING), "a slow guest runs");
	usleep(300000);
	m = mark(&g);
	for (i = 0; i < 10; i++) {
		*(volatile uint16_t *)(g.mem + 0x508) = 4000;
		usleep(50000);
		*(volatile uint16_t *)(g.mem + 0x508) = 0;
		usleep(450000);
	}
	rate = measure(&g, m, 0);
	tap_ok(rate > 0.99 && rate < 1.01 && guest_stat(&g, "pit_ticks_reinjected") > 0,
	       "timer interrupts of a slow guest: %.4f of the host's time, %d made up",
	       rate, (int)guest_stat(&g, "pit_ticks_reinjected"));
	guest_free(&g);
}

static void test_posted(struct vnl *v)
{
	uint32_t i, seq = 0;
	struct guest g;
	bool ok = true;

	tap_ok(start(&g, v, "posted", 0, writer_start, writer_end) &&
	       !guest_state(&g, VMON_STATE_RUNNING), "writer runs: %s", v->msg);
	for (i = 0; i < VMON_IO_WINDOW && ok; i++) {
		ok = vnl_recv(v, 5000) == VMON_CMD_IO && vnl_get(v, VMON_A_RANGE) == 42 &&
		     vnl_get(v, VMON_A_ADDR) == 0x3f8 && vnl_get(v, VMON_A_SIZE) == 1 &&
		     vnl_get(v, VMON_A_WRITE) == 1 && vnl_get(v, VMON_A_DATA) == (i & 0xff);
		seq = vnl_get(v, VMON_A_SEQ);
	}
	tap_ok(ok, "a window of writes in order (%u)", i);
	tap_ok(!vnl_recv(v, 300) && guest_u32(&g, 0x500) == VMON_IO_WINDOW,
	       "the window bounds them");
	tap_ok(!guest_state(&g, VMON_STATE_PAUSED) && !guest_state(&g, VMON_STATE_RUNNING),
	       "pause while the window is full");
	for (; i < 5000 && ok; i++) {
		if (i % (VMON_IO_WINDOW / 2) == 0)
			guest_done(&g, seq, NULL);
		ok = vnl_recv(v, 5000) == VMON_CMD_IO &&
		     vnl_get(v, VMON_A_DATA) == (i & 0xff) &&
		     vnl_get(v, VMON_A_SEQ) == seq + 1;
		seq = vnl_get(v, VMON_A_SEQ);
	}
	tap_ok(ok, "5000 writes, none lost (%u)", i);
	guest_free(&g);
}

static void test_read(struct vnl *v)
{
	struct vnl *events = vnl_open();
	uint32_t data = 0xa5, seq;
	struct guest g;
	int cmd;

	vnl_join_events(events);
	tap_ok(start(&g, v, "read", 0, reader_start, reader_end) &&
	       !guest_state(&g, VMON_STATE_RUNNING), "reader runs: %s", v->msg);
	tap_ok(vnl_recv(v, 5000) == VMON_CMD_IO && !vnl_get(v, VMON_A_WRITE) &&
	       vnl_get(v, VMON_A_ADDR) == 0x3fd, "a read arrives");
	seq = vnl_get(v, VMON_A_SEQ);
	guest_state(&g, VMON_STATE_PAUSED);
	guest_done(&g, seq, &data);	/* the answer comes while it is paused */
	guest_state(&g, VMON_STATE_RUNNING);
	do
		cmd = vnl_recv(events, 5000);
	while (cmd && !(vnl_get(events, VMON_A_VM) == g.vm &&
			vnl_get(events, VMON_A_STATE) == VMON_STATE_STOPPED &&
			vnl_get(events, VMON_A_CAUSE) != VMON_CAUSE_REQUEST));
	tap_ok(cmd && vnl_get(events, VMON_A_CAUSE) == VMON_CAUSE_HALT,
	       "an event says that it halted (%u, %s)",
	       cmd ? (unsigned int)vnl_get(events, VMON_A_CAUSE) : 0,
	       cmd ? vnl_get_str(events, VMON_A_REPORT) : "none");
	tap_ok(guest_u32(&g, 0x500) == 0xffff00a5,
	       "answer over a pause, all ones from nowhere (%x)", guest_u32(&g, 0x500));
	tap_ok(!vnl_recv(v, 100), "the read was sent once");
	tap_ok(guest_state(&g, VMON_STATE_RUNNING) == -EINVAL, "halted for good: %s", v->msg);
	tap_ok(!guest_simple(&g, VMON_CMD_VM_RESET) && !guest_set_regs(&g) &&
	       !guest_state(&g, VMON_STATE_RUNNING) &&
	       vnl_recv(v, 5000) == VMON_CMD_IO, "after a reset it runs again");
	guest_free(&g);
	vnl_close(events);
}

static void test_irq(struct vnl *v)
{
	struct guest g;
	int i;

	tap_ok(start(&g, v, "irq", 0, waiter_start, waiter_end) &&
	       !guest_state(&g, VMON_STATE_RUNNING), "waiter runs: %s", v->msg);
	usleep(200000);
	for (i = 0; i < 200; i++) {
		double t = now();

		vnl_begin(v, VMON_CMD_IRQ_SET);
		vnl_u32(v, VMON_A_VM, g.vm);
		vnl_u8(v, VMON_A_LINE, 4);
		vnl_u8(v, VMON_A_LEVEL, !(i & 1));
		vnl_post(v);
		while (guest_u32(&g, 0x500) <= i / 2u && now() - t < 5)
			usleep(100);
	}
	tap_ok(guest_u32(&g, 0x500) == 100, "100 interrupts (%u)", guest_u32(&g, 0x500));
	guest_free(&g);
}

/* A child owns the VM, takes some writes without acknowledging, and dies. */
static void test_claim(struct vnl *v)
{
	int pipefd[2], i;
	struct guest g = { .v = v };
	uint32_t first = 0;
	bool ok = true;
	pid_t pid;

	if (pipe(pipefd))
		return;
	pid = fork();
	if (!pid) {
		struct vnl *mine = vnl_open();

		ok = start(&g, mine, "claim", 10000, writer_start, writer_end) &&
		     !guest_state(&g, VMON_STATE_RUNNING);
		for (i = 0; i < 10 && ok; i++)
			ok = vnl_recv(mine, 5000) == VMON_CMD_IO;
		guest_done(&g, 4, NULL);
		if (write(pipefd[1], &g.vm, sizeof(g.vm)) < 0)
			_exit(1);
		_exit(!ok);
	}
	if (read(pipefd[0], &g.vm, sizeof(g.vm)) != sizeof(g.vm))
		g.vm = 0;
	v->vm = g.vm;
	waitpid(pid, &i, 0);
	tap_ok(!i && g.vm, "an owner that dies");
	tap_ok(!guest_get(&g) && vnl_get(v, VMON_A_STATE) == VMON_STATE_PAUSED &&
	       vnl_get(v, VMON_A_CAUSE) == VMON_CAUSE_OWNER && !vnl_get(v, VMON_A_OWNER),
	       "leaves the VM paused");
	tap_ok(guest_state(&g, VMON_STATE_RUNNING) == -EPERM, "not for all: %s", v->msg);
	tap_ok(!guest_simple(&g, VMON_CMD_VM_CLAIM) && !guest_state(&g, VMON_STATE_RUNNING),
	       "claim: %s", v->msg);
	for (i = 0; i < 60 && ok; i++) {
		ok = vnl_recv(v, 5000) == VMON_CMD_IO;
		if (!i)
			first = vnl_get(v, VMON_A_SEQ);
		ok = ok && vnl_get(v, VMON_A_SEQ) == first + i &&
		     vnl_get(v, VMON_A_DATA) == ((first + i - 1) & 0xff);
	}
	tap_ok(ok && first == 5, "unacknowledged writes come again, in order (from %u)", first);
	guest_simple(&g, VMON_CMD_VM_DEL);
}

static bool is_stopped(struct guest *g)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (guest_get(g))
			return false;
		if (vnl_get(g->v, VMON_A_STATE) == VMON_STATE_STOPPED)
			return true;
		usleep(10000);
	}
	return false;
}

/* A VM that has stopped when its owner dies: the last that it did is not lost. */
static void test_claim_stopped(struct vnl *v)
{
	struct guest g;
	struct vnl *mine = vnl_open();
	unsigned int i;
	bool ok;

	tap_ok(start(&g, mine, "farewell", 10000, farewell_start, farewell_end) &&
	       !guest_state(&g, VMON_STATE_RUNNING) && is_stopped(&g), "a VM that stops");
	vnl_close(mine);
	g.v = v;
	v->vm = g.vm;
	ok = false;
	for (i = 0; i < 100 && !ok; i++) {
		ok = !guest_get(&g) && !vnl_get(v, VMON_A_OWNER);
		usleep(10000);
	}
	ok = ok && !guest_simple(&g, VMON_CMD_VM_CLAIM);
	tap_ok(ok && !guest_get(&g) && vnl_get(v, VMON_A_STATE) == VMON_STATE_STOPPED &&
	       vnl_get(v, VMON_A_CAUSE) == VMON_CAUSE_HALT, "is claimed as it is");
	for (i = 0; i < 10 && ok; i++)
		ok = vnl_recv(v, 1000) == VMON_CMD_IO && vnl_get(v, VMON_A_SEQ) == i + 1 &&
		     vnl_get(v, VMON_A_DATA) == 10 - i;
	tap_ok(ok, "its last writes come again");
	guest_simple(&g, VMON_CMD_VM_DEL);
}

/* Nobody claims: it goes, with its claim time. */
static void test_orphan(struct vnl *v, unsigned int claim_ms)
{
	struct guest g;
	struct vnl *mine = vnl_open();
	bool alive;

	tap_ok(start(&g, mine, "orphan", claim_ms, writer_start, writer_end) &&
	       !guest_state(&g, VMON_STATE_RUNNING), "orphan runs");
	vnl_close(mine);
	g.v = v;
	usleep(200000);
	alive = !guest_get(&g);
	usleep(claim_ms * 1000);
	tap_ok(alive == (claim_ms > 0) && guest_get(&g) == -ENODEV,
	       "an orphan goes after %u ms", claim_ms);
}

/* A self-check is one VM's, and asked for when that is made. */
static void test_selfcheck(struct vnl *v)
{
	unsigned int asked, i, compared;
	struct guest g;
	bool ok;

	for (asked = 0; asked < 2; asked++) {
		guest_selfcheck = asked;
		ok = start(&g, v, "attempt", 0, attempt_start, attempt_end) &&
		     !guest_state(&g, VMON_STATE_RUNNING);
		guest_selfcheck = false;
		for (i = 0; ok && i < 500; i++) {
			guest_get(&g);
			if (vnl_get(v, VMON_A_STATE) == VMON_STATE_STOPPED)
				break;
			usleep(10000);
		}
		compared = guest_stat(&g, "selfcheck_attempts");
		tap_ok(ok && !guest_get(&g) && vnl_get(v, VMON_A_SELFCHECK) == asked &&
		       vnl_get(v, VMON_A_CAUSE) == VMON_CAUSE_HALT && compared == asked &&
		       !guest_stat(&g, "selfcheck_changed"),
		       "self-check %s: %u attempts compared, nothing changed",
		       asked ? "asked for" : "not asked for", compared);
		guest_free(&g);
	}
}

int main(int argc, char **argv)
{
	struct vnl *v = vnl_open();

	if (!v) {
		tap_plan(1);
		tap_skip("vm_run", "the module is not loaded");
		return tap_done();
	}
	if (argc > 1 && !strcmp(argv[1], "translate"))
		exec_mode = VMON_EXEC_TRANSLATE;
	tap_plan(39);
	test_ticks(v);
	test_slow(v);
	test_posted(v);
	test_read(v);
	test_irq(v);
	test_selfcheck(v);
	test_claim(v);
	test_claim_stopped(v);
	test_orphan(v, 0);
	test_orphan(v, 1000);
	return tap_done();
}
