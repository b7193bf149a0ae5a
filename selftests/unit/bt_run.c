// SPDX-License-Identifier: GPL-2.0
/*
 * Translator: what it makes, run on the real CPU and compared with the same guest
 * code run natively: registers, flags and memory at the end, at faults, and at
 * each instruction boundary. Then the virtual interrupt flag, and timing.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>

#include "bt_run.h"
#include "tap.h"

#define PLAIN	14000u
#define FAULTS	5000u
#define STEPS	300u
#define TRACE	3000u

static u8 mem_before[DATA_LEN + STACK_LEN], mem_native[DATA_LEN + STACK_LEN];

static void mem_save(u8 *to)
{
	memcpy(to, (void *)DATA, DATA_LEN);
	memcpy(to + DATA_LEN, (void *)STACK, STACK_LEN);
}

static void mem_load(const u8 *from)
{
	memcpy((void *)DATA, from, DATA_LEN);
	memcpy((void *)STACK, from + DATA_LEN, STACK_LEN);
}

static void mem_fill(void)
{
	u32 *q;

	for (q = (u32 *)DATA; q < (u32 *)(DATA + DATA_LEN); q++)
		*q = rnd();
	for (q = (u32 *)STACK; q < (u32 *)(STACK + STACK_LEN); q++)
		*q = rnd();
}

static void random_state(struct state *s, u32 eip)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < 8; i++)
		s->gpr[i] = rnd();
	s->gpr[VMON_ESP] = STACK + STACK_LEN / 2 + 2048;
	s->eip = eip;
	s->eflags = (rnd() & VMON_FL_ARITH) | VMON_FL_IF | VMON_FL_FIXED;
}

static void print_state(const char *name, const struct state *s)
{
	unsigned int i;

	printf("# %-10s eip %08x fl %08x trap %u/%x cr2 %08x %s\n#   ", name,
	       s->eip, s->eflags, s->trap, s->error, s->cr2,
	       s->lost ? s->lost : "");
	for (i = 0; i < 8; i++)
		printf(" %08x", s->gpr[i]);
	printf("\n");
}

static bool same_state(const struct state *a, const struct state *b)
{
	return !memcmp(a->gpr, b->gpr, sizeof(a->gpr)) && a->eip == b->eip &&
	       !((a->eflags ^ b->eflags) & FLAGS_MASK);
}

static bool same_end(const struct state *a, const struct state *b)
{
	return !a->lost && !b->lost && same_state(a, b) && a->trap == b->trap &&
	       a->error == b->error && a->cr2 == b->cr2;
}

static void dump(u32 seed, unsigned int len)
{
	FILE *f = getenv("BT_DUMP") ? fopen(getenv("BT_DUMP"), "w") : NULL;

	printf("# seed %u, program %x bytes\n", seed, len);
	if (f) {
		fwrite((void *)CODE, 1, len, f);
		fclose(f);
	}
}

/* Forget the last program. */
static void new_code(void)
{
	vmon_bt_invalidate_gva(bt, CODE, CODE_LEN);
}

static void compare_ends(enum gen_kind kind, unsigned int rounds,
			 unsigned int stress, const char *what)
{
	static const struct run native;
	struct run how = { .translated = true };
	unsigned int i, bad = 0, traps = 0;
	struct vmon_bt_stats st;

	cpu_new_bt();
	for (i = 0; i < rounds && bad < 3; i++) {
		struct state start, a, b;
		u32 seed = kind * 1000000 + stress * 10000000 + i;
		unsigned int len, n = 0;

		rnd_seed(seed);
		mem_fill();
		len = gen_program(kind);
		random_state(&start, CODE);
		mem_save(mem_before);
		a = start;
		cpu_run(&a, &native);
		mem_save(mem_native);
		traps += a.trap != 6;

		new_code();
		mem_load(mem_before);
		mpage->viopl = 0;
		b = start;
		how.stress = stress;
		cpu_run(&b, &how);
		for (n = 0; n < DATA_LEN && ((u8 *)DATA)[n] == mem_native[n]; n++)
			;
		if (same_end(&a, &b) && n == DATA_LEN &&
		    !memcmp((void *)STACK, mem_native + DATA_LEN, STACK_LEN))
			continue;
		bad++;
		dump(seed, len);
		print_state("start", &start);
		print_state("native", &a);
		print_state("translated", &b);
		if (n < DATA_LEN)
			printf("# data differs at %x\n", DATA + n);
		for (n = 0; n < STACK_LEN; n++)
			if (((u8 *)STACK)[n] != mem_native[DATA_LEN + n])
				printf("# stack differs at %x: %02x %02x\n",
				       STACK + n, mem_native[DATA_LEN + n],
				       ((u8 *)STACK)[n]);
	}
	tap_ok(!bad, "%u %s, %u of them fault", i, what, traps);
	vmon_bt_get_stats(bt, &st);
	printf("# %llu units, %llu instructions, %llu invalidated, %llu flushes\n",
	       st.translated_units, st.translated_insns, st.invalidated,
	       st.flushes);
}

/* Single-step both and compare at each boundary. */
static struct state trace[TRACE];
static unsigned int trace_len, trace_at;
static bool trace_bad;

static void record(const struct state *s)
{
	if (trace_len < TRACE)
		trace[trace_len++] = *s;
}

static void check(const struct state *s)
{
	unsigned int i;

	if (trace_bad || trace_len == TRACE)
		return;
	/* a boundary may show twice (a chain site and its target) or not at all */
	for (i = trace_at; i < trace_len && i < trace_at + 4; i++)
		if (same_state(s, &trace[i])) {
			trace_at = i;
			return;
		}
	trace_bad = true;
	print_state("expected", &trace[trace_at]);
	if (trace_at + 1 < trace_len)
		print_state("or", &trace[trace_at + 1]);
	print_state("translated", s);
}

static void compare_steps(unsigned int stress, const char *what)
{
	static const struct run native = { .step = true, .on_step = record };
	struct run how = { .translated = true, .step = true, .on_step = check,
			   .stress = stress };
	unsigned int i, bad = 0;
	unsigned long steps = 0;

	cpu_new_bt();
	for (i = 0; i < STEPS && bad < 3; i++) {
		struct state start, a, b;
		u32 seed = 7000000 + stress * 10000000 + i;
		unsigned int len;

		rnd_seed(seed);
		mem_fill();
		len = gen_program(i & 1 ? GEN_FAULT : GEN_PLAIN);
		random_state(&start, CODE);
		mem_save(mem_before);
		trace_len = 0;
		trace_at = 0;
		trace_bad = false;
		a = start;
		record(&a);
		cpu_run(&a, &native);
		steps += trace_len;

		new_code();
		mem_load(mem_before);
		mpage->viopl = 0;
		b = start;
		cpu_run(&b, &how);
		if (same_end(&a, &b) && !trace_bad)
			continue;
		bad++;
		dump(seed, len);
		print_state("native", &a);
		print_state("translated", &b);
	}
	tap_ok(!bad, "%u programs in single steps%s, %lu steps", i, what, steps);
}

/* Run a given program, translated; ends with UD2. */
static void run_bytes(const void *code, unsigned int len, struct state *s)
{
	static const struct run how = { .translated = true };

	memcpy((void *)CODE, code, len);
	memcpy((void *)(CODE + len), "\x0f\x0b", 2);
	new_code();
	rnd_seed(1);
	random_state(s, CODE);
	s->eflags |= VMON_FL_ARITH;
	cpu_run(s, &how);
}

#define RUN(code, s) run_bytes(code, sizeof(code) - 1, s)

static bool ended(const struct state *s)
{
	return !s->lost && s->trap == 6 &&
	       (s->eflags & VMON_FL_ARITH) == VMON_FL_ARITH;
}

static void test_interrupt_flag(void)
{
	unsigned long before;
	struct state s;

	RUN("\xfa\x9c\x58", &s);		/* cli; pushf; pop %eax */
	tap_ok(ended(&s) && !mpage->vif && !(s.gpr[0] & VMON_FL_IF),
	       "cli clears the virtual flag, pushf shows it");
	mpage->viopl = 0x3000;
	RUN("\xfa\x9c\xfb\x58\x66\x9c\x66\x5b", &s);
	tap_ok(ended(&s) && mpage->vif == VMON_FL_IF &&
	       (s.gpr[0] & 0x7fff) == 0x38d7 &&
	       (s.gpr[3] & 0x7fff) == 0x3ad7,
	       "pushf shows the virtual IOPL, in 16 bits too");
	mpage->viopl = 0;
	before = counters.pending;
	mpage->pending = 1;
	RUN("\xfa\x90\xfb\x90", &s);
	tap_ok(ended(&s) && counters.pending == before + 1 && !mpage->pending,
	       "sti leaves for a pending interrupt");
	RUN("\xfa\x90\xfb\x90", &s);
	tap_ok(ended(&s) && counters.pending == before + 1,
	       "and only for that");
	mpage->pending = 1;
	RUN("\xfa\x68\xd7\x08\0\0\x9d", &s);	/* cli; push $0x8d7; popf */
	tap_ok(ended(&s) && !mpage->vif && counters.pending == before + 1,
	       "popf clears the flag");
	RUN("\xfa\x68\xd7\x0a\0\0\x9d", &s);
	tap_ok(ended(&s) && mpage->vif == VMON_FL_IF &&
	       counters.pending == before + 2, "popf sets it and leaves");
	mpage->pending = 0;
	before = counters.emulate;
	RUN("\x68\xd7\x3a\0\0\x9d", &s);	/* IOPL differs */
	tap_ok(!s.lost && counters.emulate == before + 2,
	       "popf that changes IOPL is emulated");
	mpage->viopl = 0x3000;
	RUN("\x68\xd7\x3a\0\0\x9d\x9c\x58", &s);
	tap_ok(ended(&s) && counters.emulate == before + 3 &&
	       (s.gpr[0] & 0x3000) == 0x3000,
	       "popf with the virtual IOPL is not");
	mpage->viopl = 0;
}

/* Guest code that changes itself, against the CPU. */
static void test_self_modifying(void)
{
#define T(name, code) { name, code, sizeof(code) - 1 }
	static const struct {
		const char *name, *code;
		unsigned int len;
	} t[] = {
		/* movb $7,1f+1; 1: mov $1,%eax */
		T("next instruction",
		  "\xc6\x05\x08\0\0\x20\x07\xb8\x01\0\0\0\x0f\x0b"),
		/* mov $5,%ecx; 1: mov $1,%eax; add; incb 1b+1; dec; jne 1b */
		T("loop",
		  "\xb9\x05\0\0\0\xb8\x01\0\0\0\x01\xc3"
		  "\xfe\x05\x06\0\0\x20\x49\x75\xf0\x0f\x0b"),
		/* the same with the change in a function behind, called directly */
		T("called function",
		  "\xb9\x05\0\0\0\xe8\x0b\0\0\0\xfe\x05\x16\0\0\x20"
		  "\x49\x75\xf2\x0f\x0b\xb8\x01\0\0\0\x01\xc3\xc3"),
		/* and through a register */
		T("function by pointer",
		  "\xb9\x05\0\0\0\xbf\x18\0\0\x20\xff\xd7\xfe\x05\x19\0"
		  "\0\x20\x49\x75\xf5\x0f\x0b\x90\xb8\x01\0\0\0\x01\xc3"
		  "\xc3"),
		/* 1: pushf; incb 2f+1; popf; add; nop; 2: mov $1,%eax; dec; jne 1b */
		T("inside pushf and popf",
		  "\xb9\x05\0\0\0\x9c\xfe\x05\x11\0\0\x20\x9d\x01\xc3"
		  "\x90\xb8\x01\0\0\0\x49\x75\xed\x0f\x0b"),
	};
#undef T
	static const struct run native, translated = { .translated = true };
	unsigned int i, bad = 0;
	unsigned long before = counters.traced;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct state a, b;

		rnd_seed(i);
		random_state(&a, CODE);
		b = a;
		memcpy((void *)CODE, t[i].code, t[i].len);
		cpu_run(&a, &native);
		memcpy((void *)CODE, t[i].code, t[i].len);
		new_code();
		cpu_trace_code(true);
		cpu_run(&b, &translated);
		cpu_trace_code(false);
		if (same_end(&a, &b) && a.trap == 6)
			continue;
		bad++;
		printf("# %s\n", t[i].name);
		print_state("native", &a);
		print_state("translated", &b);
	}
	tap_ok(!bad && counters.traced - before == 21,
	       "%u programs that change themselves, %lu writes", i,
	       counters.traced - before);
}

/* Timing: a loop around some instructions. */
static u64 now(void)
{
	u32 lo, hi;

	asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

#define LOOPS 50000u
#define COPIES 8u

/* Cycles a round: the body so often, DEC and JNE. */
static double time_loop(const char *body, unsigned int len, unsigned int copies,
			bool translated)
{
	struct run how = { .translated = translated };
	u8 *p = (u8 *)CODE;
	double best = 0;
	unsigned int i;

	/*
	 * mov $LOOPS,%edi; jmp 1f; ret at CODE + 15; f: ret at CODE + 16;
	 * g: call f; ret at CODE + 17; h: call g; ret at CODE + 23; 1: body; dec; jne
	 */
	memset(p, 0x90, 128);
	p[0] = 0xbf;
	*(u32 *)(p + 1) = LOOPS;
	memcpy(p + 5, "\xeb\x19", 2);
	memcpy(p + 15, "\xc3\xc3\xe8\xfa\xff\xff\xff\xc3\xe8\xf5\xff\xff\xff\xc3", 14);
	p += 32;
	for (i = 0; i < copies; i++) {
		memcpy(p, body, len);
		/* CALL: the same function from further on. */
		if (len == 5 && *p == 0xe8)
			*(u32 *)(p + 1) -= i * len;
		p += len;
	}
	*p++ = 0x4f;
	*p++ = 0x0f;
	*p++ = 0x85;
	*(u32 *)p = (u32)-(copies * len + 7);
	memcpy(p + 4, "\x0f\x0b", 2);
	new_code();
	for (i = 0; i < 15; i++) {
		struct state s;
		u64 t;

		rnd_seed(1);
		random_state(&s, CODE);
		s.gpr[VMON_EBX] = CODE + 16;
		s.gpr[VMON_EBP] = CODE + 15;
		s.gpr[VMON_ESI] = DATA;
		*(u32 *)DATA = CODE + 16;
		t = now();
		cpu_run(&s, &how);
		t = now() - t;
		if (s.lost || s.trap != 6)
			return -1;
		if (!best || t < best)
			best = t;
	}
	return best / LOOPS;
}

static void timing(void)
{
	static const struct {
		const char *name, *body;
		unsigned int len;
		bool no_native;
	} t[] = {
#define T(name, body) { name, body, sizeof(body) - 1, false }
		T("add, load, store", "\x01\xd8\x8b\x0e\x89\x4e\x04"),
		T("taken jmp", "\xeb\0"),
		T("call, ret", "\xe8\xeb\xff\xff\xff"),
		T("call *reg, ret", "\xff\xd3"),
		T("3 calls deep", "\xe8\xf2\xff\xff\xff"),
		T("call *mem, ret", "\xff\x16"),
		/* call *%ebx; xchg %ebx,%ebp */
		T("call *reg, 2 targets", "\xff\xd3\x87\xdd"),
		T("pushf; popf", "\x9c\x9d"),
		T("pushf; pop", "\x9c\x58"),
		T("push ds; pop; mov ss", "\x1e\x58\x8c\xd2"),
		/* lea 0x800(%esi),%edi; mov $256,%ecx; rep movsl */
		T("copy 1 KiB",
		  "\x57\x56\x8d\xbe\0\x08\0\0\xb9\0\x01\0\0\xf3\xa5\x5e\x5f"),
#undef T
		{ "cli; sti", "\xfa\xfb", 2, true },
		{ "pushf; cli; popf", "\x9c\xfa\x9d", 3, true },
		{ "irq save, restore", "\x9c\x58\xfa\x50\x9d", 5, true },
	};
	double loop[2];
	unsigned int i;

	cpu_new_bt();
	loop[0] = time_loop("", 0, 0, false);
	loop[1] = time_loop("", 0, 0, true);
	printf("# cycles, without the loop's  native  translated\n");
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		double n = t[i].no_native ? loop[0] :
			   time_loop(t[i].body, t[i].len, COPIES, false);
		double x = time_loop(t[i].body, t[i].len, COPIES, true);

		printf("# %-26s %8.1f %8.1f\n", t[i].name, (n - loop[0]) / COPIES,
		       (x - loop[1]) / COPIES);
	}
}

static void totals(void)
{
	printf("# callouts: %lu emulate (%lu by the emulator), %lu chain, ",
	       counters.emulate, counters.emulator, counters.chain);
	printf("%lu lookup, %lu pending; %lu steps\n", counters.lookup,
	       counters.pending, counters.steps);
}

/* "bt_run timing": nothing but that. */
int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "timing")) {
		if (!cpu_setup())
			return 4;
		timing();
		return 0;
	}
	tap_plan(15);
	if (!cpu_setup()) {
		while (tap_count < tap_planned)
			tap_skip("bt_run", "this machine cannot run it");
		return tap_done();
	}
	test_interrupt_flag();
	test_self_modifying();
	compare_ends(GEN_PLAIN, PLAIN, 0, "programs");
	compare_ends(GEN_FAULT, FAULTS, 0, "programs that are to fault");
	compare_ends(GEN_PLAIN, 1500, 6, "programs, units dropped meanwhile");
	compare_ends(GEN_FAULT, 1500, 3, "programs that are to fault, likewise");
	compare_steps(0, "");
	compare_steps(10, ", units dropped meanwhile");
	timing();
	totals();
	return tap_done();
}
