// SPDX-License-Identifier: GPL-2.0
/*
 * What the daemon writes to guest memory is what the guest runs and walks: MEM_WRITTEN
 * while the guest waits for an answer, and while it runs and polls.
 *
 * The guest runs in protected mode, so that its code is translated. It loops over one
 * thing that the daemon changes under it: a function (code), or the page that an
 * address is mapped to (a page table). Each round is begun and answered through memory
 * that the guest polls, without an exit that would be the module's occasion to look.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "guest.h"
#include "tap.h"

#define FUNCTION	0x3000u		/* mov $N, %eax; ret */
#define ROUND		0x500u		/* the daemon's */
#define RESULT		0x508u
#define ANSWER		0x50cu
#define PAGE_DIR	0x10000u
#define PAGE_TABLE	0x11000u
#define MAPPED		0x40000u	/* address that changes its page */
#define PAGE_A		0x20000u
#define PAGE_B		0x21000u
#define ROUNDS		500

/* Protected mode, flat: 32-bit code. */
#define GUEST_PROGRAM32(name, code)				\
	extern const char name##_start[], name##_end[];		\
	asm(".pushsection .rodata\n.code32\n"			\
	    #name "_start:\n" code "\n" #name "_end:\n"		\
	    ".code64\n.popsection\n")

/* Waits for a round, does the thing, says what came of it. */
#define POLL(thing)						\
	"xor %ebx, %ebx\n"					\
	"1: cmp 0x500, %ebx\n je 1b\n"				\
	"mov 0x500, %ebx\n"					\
	thing							\
	"mov %eax, 0x508\n mov %ebx, 0x50c\n jmp 1b\n"

GUEST_PROGRAM32(poll_code, POLL("mov $0x3000, %ecx\n call *%ecx\n"));
GUEST_PROGRAM32(poll_table, POLL("invlpg 0x40000\n mov 0x40000, %eax\n"));

/* The same, but each round begins with a read that the daemon answers. */
GUEST_PROGRAM32(ask_code,
		"mov $0x3f8, %edx\n"
		"1: mov $0x3000, %ecx\n call *%ecx\n mov %eax, 0x508\n"
		"in %dx, %al\n jmp 1b\n");

static unsigned int exec_mode = VMON_EXEC_TRANSLATE;

static int set_regs(struct guest *g, bool paging)
{
	struct vmon_regs r = { .eip = GUEST_CODE, .eflags = 2, .cr0 = 0x11 };
	int i;

	for (i = 0; i < 6; i++)
		r.seg[i] = (struct vmon_regs_seg) {
			.limit = 0xffffffff, .sel = i == 1 ? 0x10 : 0x18,
			.attr = i == 1 ? 0xc09b : 0xc093,
		};
	r.seg[6] = (struct vmon_regs_seg) { .limit = 0xffff, .attr = 0x82 };
	r.seg[7] = (struct vmon_regs_seg) { .limit = 0xffff, .attr = 0x8b };
	r.gpr[4] = 0x8000;
	if (paging) {
		r.cr0 |= 0x80000000;
		r.cr3 = PAGE_DIR;
	}
	vnl_begin(g->v, VMON_CMD_VCPU_SET);
	vnl_u32(g->v, VMON_A_VM, g->vm);
	vnl_put(g->v, VMON_A_REGS, &r, sizeof(r));
	return vnl_call(g->v);
}

static void store(struct guest *g, uint32_t gpa, uint32_t value)
{
	*(volatile uint32_t *)(g->mem + gpa) = value;
}

/* mov $N, %eax; ret */
static void store_function(struct guest *g, uint32_t n)
{
	store(g, FUNCTION + 1, n);
	g->mem[FUNCTION] = 0xb8;
	g->mem[FUNCTION + 5] = 0xc3;
}

static void map(struct guest *g, uint32_t gva, uint32_t gpa)
{
	store(g, PAGE_TABLE + (gva >> 12) * 4, gpa | 3);
}

/* As vmond does it: no answer is waited for. */
static void written(struct guest *g, uint32_t gpa, uint32_t size)
{
	struct vmon_mem_range range = { gpa, size };

	vnl_begin(g->v, VMON_CMD_MEM_WRITTEN);
	vnl_u32(g->v, VMON_A_VM, g->vm);
	vnl_put(g->v, VMON_A_RANGES, &range, sizeof(range));
	vnl_post(g->v);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Begin a round and wait for its end. Return: the result, ~0: there is none. */
static uint32_t play(struct guest *g, uint32_t round)
{
	double start = now();

	store(g, ROUND, round);
	while (guest_u32(g, ANSWER) != round)
		if (now() - start > 10)
			return ~0u;
	return guest_u32(g, RESULT);
}

static bool start(struct guest *g, struct vnl *v, const char *name, bool paging,
		  const char *from, const char *to)
{
	uint32_t i;

	if (guest_new(g, v, name, 0, exec_mode))
		return false;
	guest_load(g, from, to);
	store_function(g, 0);
	store(g, PAGE_DIR, PAGE_TABLE | 3);
	for (i = 0; i < 256; i++)
		map(g, i << 12, i << 12);
	return !guest_range(g, 0x3f8, 8, 42) && !set_regs(g, paging) &&
	       !guest_state(g, VMON_STATE_RUNNING);
}

static void test_poll_code(struct vnl *v)
{
	uint32_t i, got = 0;
	struct guest g;
	int64_t traced;

	tap_ok(start(&g, v, "poll-code", false, poll_code_start, poll_code_end),
	       "a guest polls: %s", v->msg);
	for (i = 1; i <= ROUNDS; i++) {
		store_function(&g, i * 3);
		written(&g, FUNCTION, 6);
		got = play(&g, i);
		if (got != i * 3)
			break;
	}
	tap_ok(i > ROUNDS, "code that is replaced under it, %u times (round %u: %u)", ROUNDS,
	       i, got);
	traced = guest_stat(&g, "mem_written_traced");
	tap_ok(exec_mode != VMON_EXEC_TRANSLATE || traced >= ROUNDS / 2,
	       "and it had been translated (%d)", (int)traced);
	guest_free(&g);
}

static void test_poll_table(struct vnl *v)
{
	uint32_t i, got = 0;
	struct guest g;

	tap_ok(start(&g, v, "poll-table", true, poll_table_start, poll_table_end),
	       "a guest with paging polls: %s", v->msg);
	store(&g, PAGE_A, 0xaaaa);
	store(&g, PAGE_B, 0xbbbb);
	for (i = 1; i <= ROUNDS; i++) {
		map(&g, MAPPED, i & 1 ? PAGE_A : PAGE_B);
		written(&g, PAGE_TABLE + (MAPPED >> 12) * 4, 4);
		got = play(&g, i);
		if (got != (i & 1 ? 0xaaaau : 0xbbbbu))
			break;
	}
	tap_ok(i > ROUNDS, "a page table that is changed under it, %u times (round %u: %x)", ROUNDS,
	       i, got);
	guest_free(&g);
}

static void test_ask_code(struct vnl *v)
{
	uint32_t i, data = 0, seq = 0;
	struct guest g;

	tap_ok(start(&g, v, "ask-code", false, ask_code_start, ask_code_end),
	       "a guest asks: %s", v->msg);
	for (i = 0; i < ROUNDS; i++) {
		if (vnl_recv(v, 5000) != VMON_CMD_IO || guest_u32(&g, RESULT) != i)
			break;
		seq = vnl_get(v, VMON_A_SEQ);
		store_function(&g, i + 1);
		written(&g, FUNCTION, 6);
		guest_done(&g, seq, &data);
	}
	tap_ok(i == ROUNDS, "code that is replaced while it waits for an answer, %u times (round %u: %u)",
	       ROUNDS, i, guest_u32(&g, RESULT));
	guest_free(&g);
}

/* A paused guest finds the new code when it goes on. */
static void test_paused(struct vnl *v)
{
	struct guest g;
	bool ok = true;
	uint32_t i;

	tap_ok(start(&g, v, "paused", false, poll_code_start, poll_code_end),
	       "a guest that is paused: %s", v->msg);
	for (i = 1; i <= 20 && ok; i++) {
		ok = !guest_state(&g, VMON_STATE_PAUSED);
		store_function(&g, i * 5);
		written(&g, FUNCTION, 6);
		ok = ok && !guest_state(&g, VMON_STATE_RUNNING) && play(&g, i) == i * 5;
	}
	tap_ok(ok, "goes on with code that was replaced meanwhile");
	guest_free(&g);
}

/* Memory from which nothing was made costs the guest nothing. */
static void test_untraced(struct vnl *v)
{
	struct guest g;
	int64_t before;
	int i;

	tap_ok(start(&g, v, "untraced", false, poll_code_start, poll_code_end) &&
	       play(&g, 1) == 0, "a guest runs: %s", v->msg);
	before = guest_stat(&g, "mem_written_traced");
	for (i = 0; i < 100; i++)
		written(&g, PAGE_A + i, 0x8000);
	tap_ok(guest_stat(&g, "mem_written_traced") - before <= 10,
	       "100 writes to plain memory stop it seldom (%d times)",
	       (int)(guest_stat(&g, "mem_written_traced") - before));
	guest_free(&g);
}

int main(int argc, char **argv)
{
	struct vnl *v = vnl_open();

	if (!v) {
		tap_plan(1);
		tap_skip("mem_written", "the module is not loaded");
		return tap_done();
	}
	if (argc > 1 && !strcmp(argv[1], "emulate"))
		exec_mode = VMON_EXEC_EMULATE;
	tap_plan(11);
	test_poll_code(v);
	test_poll_table(v);
	test_ask_code(v);
	test_paused(v);
	test_untraced(v);
	return tap_done();
}
