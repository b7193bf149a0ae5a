// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations that fail: each one of an operation, one at a time.
 *
 * /proc/PID/fail-nth makes the n-th allocation of a thread fail. An operation is
 * repeated with n rising until all of it went well: every refusal on the way must be
 * one clean error that leaves nothing behind, and what succeeds all the same must
 * have done all of its work. For the guest's own run it is the vCPU's thread that has
 * the bad luck; the VM must then stop with a report, or not notice.
 *
 * It wants a kernel with FAULT_INJECTION (the debug host's), whose other checkers
 * find what is leaked or corrupted.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "guest.h"
#include "tap.h"

#define MAX_NTH	3000
#define PAGES	64

/*
 * Real mode to protected mode, pages touched without and with paging, a port written, and
 * the end. At 500h: the sum of 0 to 63, twice.
 */
GUEST_PROGRAM(pages,
	"cli\n lgdtl pages_gdtr - pages_start + 0x1000\n"
	"mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n"
	"ljmpl $8, $(pages_32 - pages_start + 0x1000)\n"
	".align 8\n pages_gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"pages_gdtr: .word 23\n .long pages_gdt - pages_start + 0x1000\n"
	".code32\n pages_32:\n"
	"mov $16, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n mov $0x8000, %esp\n"
	"xor %ebp, %ebp\n"
	"call pages_touch\n"
	"mov $3, %eax\n mov $0x91000, %edi\n"
	"1: mov %eax, (%edi)\n add $4, %edi\n add $4096, %eax\n cmp $0x100003, %eax\n jne 1b\n"
	"movl $0x91003, 0x90000\n mov $0x90000, %eax\n mov %eax, %cr3\n"
	"mov %cr0, %eax\n or $0x80000000, %eax\n mov %eax, %cr0\n"
	"call pages_touch\n"
	"mov %ebp, 0x500\n"
	"mov $0x3f8, %edx\n out %al, %dx\n"
	"hlt\n"
	"pages_touch: xor %ecx, %ecx\n"
	"2: mov %ecx, %eax\n shl $12, %eax\n mov %ecx, 0x20000(%eax)\n add 0x20000(%eax), %ebp\n"
	"inc %ecx\n cmp $64, %ecx\n jne 2b\n ret\n"
	".code16\n");

#define SUM	(2 * (PAGES * (PAGES - 1) / 2))

static struct vnl *v;
static struct guest g;
static unsigned int exec_mode = VMON_EXEC_TRANSLATE;
static bool keep;	/* the operation has disarmed, and the fault did not come */

/* --- fail-nth --- */

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static void arm(const char *who, unsigned int nth)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), "/proc/%s/fail-nth", who);
	snprintf(text, sizeof(text), "%u", nth);
	write_to(path, text);
}

/* Disarm. Return: whether the fault was to come yet. */
static bool unused(const char *who)
{
	char path[64], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/fail-nth", who);
	fd = open(path, O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	if (fd >= 0)
		close(fd);
	arm(who, 0);
	return atoi(text) > 0;
}

static bool prepare(void)
{
	static const char *const zero[] = {
		"failslab/ignore-gfp-wait", "failslab/verbose",
		"fail_page_alloc/ignore-gfp-wait", "fail_page_alloc/ignore-gfp-highmem",
		"fail_page_alloc/min-order", "fail_page_alloc/verbose",
	};
	char path[96];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(zero); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", zero[i]);
		if (!write_to(path, "0"))
			return false;
	}
	return true;
}

/* --- state --- */

static unsigned int count_vms(void)
{
	unsigned int id, n = 0;

	/* Numbers rise and are not used again. */
	for (id = g.vm > 5 ? g.vm - 5 : 1; id < g.vm + 50; id++) {
		vnl_begin(v, VMON_CMD_VM_GET);
		vnl_u32(v, VMON_A_VM, id);
		n += !vnl_call(v);
	}
	return n;
}

/* The vCPU's thread, by its name. */
static bool find_thread(uint32_t vm, char *pid, size_t size)
{
	char path[300], name[32], want[32];
	struct dirent *e;
	bool found = false;
	DIR *d = opendir("/proc");
	int fd;

	snprintf(want, sizeof(want), "vmon/%u\n", vm);
	while (d && !found && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (read(fd, name, sizeof(name) - 1) > 0 && !strcmp(name, want)) {
			snprintf(pid, size, "%.15s", e->d_name);
			found = true;
		}
		close(fd);
	}
	if (d)
		closedir(d);
	return found;
}

static bool boot(void)
{
	if (guest_new(&g, v, "guest", 0, exec_mode))
		return false;
	guest_load(&g, pages_start, pages_end);
	return !guest_range(&g, 0x3f8, 8, 42) && !guest_set_regs(&g);
}

/* --- operations: one call each, 0 or -errno --- */

/*
 * With -ENOBUFS it was the socket that had no memory: for the request, then nothing has been
 * done, or for the acknowledgment, then all has.
 */
static bool maybe_done(int err)
{
	return !err || err == -ENOBUFS;
}

static int op_new(void)
{
	static uint32_t id = 1;
	int err;

	vnl_begin(v, VMON_CMD_VM_NEW);
	vnl_str(v, VMON_A_NAME, "other");
	vnl_u8(v, VMON_A_SELFCHECK, 1);
	err = vnl_call(v);
	keep = unused("thread-self");
	if (maybe_done(err)) {
		uint32_t end = id + 100;

		for (; id < end; id++) {
			struct guest other = { .v = v, .vm = id };

			if (id == g.vm || guest_get(&other))
				continue;
			guest_simple(&other, VMON_CMD_VM_DEL);
			break;
		}
		if (id == end)
			id -= 100;
	}
	return err;
}

static int op_memory(void)
{
	static unsigned int n;
	int fd = g.memfd, err;

	vnl_begin(v, VMON_CMD_MEM_NEW);
	vnl_u32(v, VMON_A_VM, g.vm);
	vnl_u64(v, VMON_A_GPA, 0x100000 + 0x1000 * n);
	vnl_u64(v, VMON_A_SIZE, 0x1000);
	vnl_put(v, VMON_A_FD, &fd, sizeof(fd));
	err = vnl_call(v);
	keep = unused("thread-self");
	if (maybe_done(err) && ++n == 6) {
		/* A VM takes no more than eight. */
		guest_free(&g);
		n = boot() ? 0 : n;
	}
	return err;
}

static int op_regs(void)
{
	return guest_set_regs(&g);
}

static int op_range(void)
{
	static unsigned int n;
	int err = guest_range(&g, 0x1000 + 8 * n, 8, 1000 + n);

	n += maybe_done(err);
	return err;
}

static int op_get(void)
{
	return guest_get(&g);
}

static int op_regs_get(void)
{
	return guest_simple(&g, VMON_CMD_VCPU_GET);
}

static int op_stat(void)
{
	return guest_simple(&g, VMON_CMD_STAT_GET);
}

static int op_trace(void)
{
	return guest_simple(&g, VMON_CMD_TRACE_GET);
}

static int op_check(void)
{
	vnl_begin(v, VMON_CMD_CHECK_GET);
	return vnl_call(v);
}

static int op_pause(void)
{
	return guest_state(&g, VMON_STATE_PAUSED);
}

static int op_reset(void)
{
	return guest_simple(&g, VMON_CMD_VM_RESET);
}

static const struct {
	const char *name;
	int (*call)(void);
} ops[] = {
	{ "create a VM", op_new },
	{ "attach memory", op_memory },
	{ "add a range", op_range },
	{ "set registers", op_regs },
	{ "show a VM", op_get },
	{ "show registers", op_regs_get },
	{ "statistics", op_stat },
	{ "trace", op_trace },
	{ "check", op_check },
	{ "reset", op_reset },
	{ "pause", op_pause },
};

static void test_op(unsigned int op)
{
	unsigned int nth, refused = 0, other = 0, before = count_vms(), after;
	int err = 0, last = 0;
	bool over = false;

	for (nth = 1; nth < MAX_NTH && !over; nth++) {
		arm("thread-self", nth);
		err = ops[op].call();
		over = unused("thread-self") || keep;
		keep = false;
		if (over)
			break;
		refused += err == -ENOMEM;
		if (err && err != -ENOMEM && err != -ENOBUFS) {
			other++;
			last = err;
		}
	}
	after = count_vms();
	printf("# %s: %u allocations, %u refusals for want of memory, %u others%s%s\n",
	       ops[op].name, nth - 1, refused, other, last ? ", the last: " : "",
	       last ? strerror(-last) : "");
	tap_ok(over && !err && !other && nth > 1 && before == after,
	       "%s: a clean error for each allocation that fails (%u VMs before, %u after)",
	       ops[op].name, before, after);
}

/* --- the guest's run --- */

/* To the end of its run. Return: the cause, or -1. */
static int finish(void)
{
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		while (vnl_recv(v, 0) > 0)
			;
		if (guest_get(&g))
			return -1;
		if (vnl_get(v, VMON_A_STATE) == VMON_STATE_STOPPED)
			return vnl_get(v, VMON_A_CAUSE);
		usleep(1000);
	}
	return -1;
}

static void test_run(const char *mode)
{
	unsigned int nth, reported = 0, unnoticed = 0, wrong = 0;
	bool over = false;
	char pid[16];
	int cause;

	for (nth = 1; nth < MAX_NTH && !over && wrong < 5; nth++) {
		if (!boot() || !find_thread(g.vm, pid, sizeof(pid))) {
			printf("# no guest: %s\n", v->msg);
			wrong++;
			break;
		}
		arm(pid, nth);
		guest_state(&g, VMON_STATE_RUNNING);
		cause = finish();
		over = unused(pid);
		if (cause == VMON_CAUSE_HALT && guest_u32(&g, 0x500) == SUM) {
			unnoticed++;
		} else if (!over && cause == VMON_CAUSE_ERROR && !guest_get(&g) &&
			   strstr(vnl_get_str(v, VMON_A_REPORT), "no memory")) {
			reported++;
		} else {
			wrong++;
			printf("# allocation %u: cause %d, sum %u, report: %s\n", nth, cause,
			       guest_u32(&g, 0x500),
			       guest_get(&g) || !vnl_get_str(v, VMON_A_REPORT) ? "" :
			       vnl_get_str(v, VMON_A_REPORT));
		}
		guest_free(&g);
	}
	printf("# %s: %u allocations, %u stopped the VM with a report, %u were made again\n",
	       mode, nth - 2, reported, unnoticed - 1);
	tap_ok(over && !wrong && reported > 5,
	       "%s: a report, or the right outcome, for each allocation that fails", mode);
}

int main(void)
{
	unsigned int i, n = ARRAY_SIZE(ops);

	v = vnl_open();
	if (!v) {
		printf("Bail out! the module is not loaded\n");
		return 1;
	}
	if (!prepare()) {
		printf("TAP version 13\n1..0 # SKIP this kernel has no fault injection\n");
		return 0;
	}
	tap_plan(n + 2);
	if (!boot()) {
		printf("Bail out! no guest: %s\n", v->msg);
		return 1;
	}
	for (i = 0; i < n; i++)
		test_op(i);
	guest_free(&g);
	test_run("translated");
	exec_mode = VMON_EXEC_EMULATE;
	test_run("emulated");
	vnl_close(v);
	return tap_failed != 0;
}
