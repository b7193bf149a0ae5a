// SPDX-License-Identifier: GPL-2.0
/*
 * The stack in the last page: whatever pushes and pops, with ESP in the middle of the page,
 * just above its lower edge, and at 0, from where it wraps around; and what the CPU itself
 * pushes to deliver exceptions.
 *
 * At ring 0 an exception on a stack that is not there is a double fault, which has a task
 * of its own here.
 */
#include "attempt.h"

static u32 ring;

static const struct {
	const char *name;
	u32 esp;
} places[] = {
	{ "inside", TOP + 0x800 },
	{ "on the edge", TOP + 2 },
	{ "from 0", 0 },
};

/* What happens where the page is absent: the first access was to @gva. */
static void expect_refused(bool write, u32 gva)
{
	u32 error = (ring ? PF_U : 0) | (write ? PF_W : 0);

	if (ring) {
		expect_pf(error, gva);
		return;
	}
	expect(at.vector == DF && !at.error, "vector %u error %x, not a double fault", at.vector,
	       at.error);
	expect_eq(at.out.eip, at.code);
}

static bool prepare(const char *name, const struct mapping *m, u32 place)
{
	if (!begin(ring, "%s %s, stack %s", name, m->name, places[place].name))
		return false;
	top_is(m->bits);
	at.in.esp = places[place].esp;
	at.in.edi = data_page + 0x10;
	at.in.ebp = places[place].esp + 0x20;
	return true;
}

/* Where the faulting byte of a push of @bytes is. */
static u32 first_byte(u32 place, u32 bytes)
{
	u32 low = places[place].esp - bytes;

	return low < TOP && places[place].esp ? TOP : low;
}

#define PUSH(name, bytes, insn)						\
do {									\
	u32 m_, p_;							\
									\
	for (m_ = 0; m_ < 2; m_++)					\
		for (p_ = 0; p_ < ARRAY_SIZE(places); p_++)		\
			if (prepare(name, &mappings[m_], p_)) {		\
				run(CODE(insn));			\
				if (m_) {				\
					expect_done();			\
					expect_eq(at.out.esp, at.in.esp - (bytes)); \
				} else {				\
					expect_refused(true, first_byte(p_, \
						       (bytes) < 4 ? (bytes) : 4)); \
				}					\
				end();					\
			}						\
} while (0)

static void pushes(void)
{
	PUSH("push register", 4, "pushl %%eax");
	PUSH("push word", 2, "pushw %%ax");
	PUSH("push memory", 4, "pushl (%%edi)");
	PUSH("push immediate", 4, "pushl $0x12345678");
	PUSH("push segment", 2, "pushw %%es");
	PUSH("pushf", 4, "pushfl");
	PUSH("call", 4, "call 1f; 1:");
	PUSH("call through memory", 4, "call *2f; 1: .pushsection .data; 2: .long 1b; .popsection");
	PUSH("enter", 0x14, "enterl $0x10, $0");
}

#define POP(name, bytes, insn)						\
do {									\
	u32 m_;								\
									\
	for (m_ = 0; m_ < 2; m_++)					\
		if (prepare(name, &mappings[m_], 0)) {			\
			u32 landing = CODE("nop");			\
									\
			poke(top_frame + 0x800, landing);		\
			poke(top_frame + 0x804, ring ? USER_CS : KERNEL_CS); \
			poke(top_frame + 0x808, at.in.eflags | FL_CF);	\
			poke(top_frame + 0x80c, (u32)attempt_stack + PAGE); \
			poke(top_frame + 0x810, ring ? USER_DS : KERNEL_DS); \
			run(CODE(insn));				\
			if (m_) {					\
				expect_done();				\
				expect_eq(at.out.esp, at.in.esp + (bytes)); \
			} else {					\
				/* Which of its words it reads first is not said. */ \
				if (at.vector == PF && at.cr2 < TOP + 0x800 + (bytes)) \
					at.cr2 = TOP + 0x800;		\
				expect_refused(false, TOP + 0x800);	\
			}						\
			end();						\
		}							\
} while (0)

static void pops(void)
{
	POP("pop register", 4, "popl %%eax");
	POP("pop word", 2, "popw %%ax");
	POP("pop memory", 4, "popl (%%edi)");
	POP("popa", 32, "popal");
	POP("ret", 4, "ret");
	POP("ret with immediate", 4 + 8, "ret $8");
	POP("far ret", 8, "lretl");
	POP("iret", 12, "iretl");
}

static void more(void)
{
	u32 m;

	for (m = 0; m < 2; m++) {
		/* ESP is below the page or outside, the access is by EBP. */
		if (begin(ring, "leave %s", mappings[m].name)) {
			top_is(mappings[m].bits);
			at.in.ebp = TOP + 0x7f0;
			run(CODE("leave"));
			if (m) {
				expect_done();
				expect_eq(at.out.esp, TOP + 0x7f4);
			} else {
				expect_pf(ring ? PF_U : 0, TOP + 0x7f0);
			}
			end();
		}
		if (begin(ring, "enter with frame pointers %s", mappings[m].name)) {
			top_is(mappings[m].bits);
			at.in.ebp = TOP + 0x7f0;
			run(CODE("enterl $0x10, $3"));
			if (m)
				expect_done();
			else
				expect_pf(ring ? PF_U : 0, TOP + 0x7ec);
			end();
		}
		if (begin(ring, "push by ss with ebp %s", mappings[m].name)) {
			top_is(mappings[m].bits);
			at.in.ebp = TOP + 0x7f0;
			run(CODE("pushl 4(%%ebp)"));
			if (m)
				expect_done();
			else
				expect_pf(ring ? PF_U : 0, TOP + 0x7f4);
			end();
		}
		if (begin(ring, "pop to its own new esp %s", mappings[m].name)) {
			top_is(mappings[m].bits);
			at.in.esp = (u32)attempt_stack + PAGE - 8;
			at.in.edi = TOP;
			run(CODE("popl 8(%%edi)"));
			if (m)
				expect_done();
			else
				expect_pf((ring ? PF_U : 0) | PF_W, TOP + 8);
			end();
		}
	}
	/* Just below the page nothing is special. */
	if (begin(ring, "push right below")) {
		at.in.esp = TOP;
		run(CODE("pushl %%eax"));
		expect_done();
		expect_eq(peek(below_frame + PAGE - 4), at.in.eax);
		end();
	}
	if (begin(ring, "pusha right below")) {
		at.in.esp = TOP;
		run(CODE("pushal"));
		expect_done();
		expect_eq(at.out.esp, TOP - 32);
		end();
	}
	if (begin(ring, "pop right below")) {
		at.in.esp = TOP - 4;
		run(CODE("popl %%eax"));
		/* The next push goes there again. */
		expect_done();
		expect_eq(at.out.eax, PATTERN(below_frame, PAGE - 4));
		end();
	}
	for (m = 0; m < 2; m++)
		if (begin(ring, "pusha %s", mappings[m].name)) {
			top_is(mappings[m].bits);
			at.in.esp = TOP + 0x800;
			at.undigested = !m;	/* how much of it is pushed is not defined */
			run(CODE("pushal"));
			if (m) {
				expect_done();
			} else if (ring) {
				expect(at.vector == PF && at.error == (PF_U | PF_W) &&
				       at.cr2 >= TOP + 0x7e0 && at.cr2 < TOP + 0x800,
				       "vector %u error %x cr2 %x", at.vector, at.error, at.cr2);
				at.cr2 = TOP;
			} else {
				expect_refused(true, 0);
			}
			end();
		}
}

/* Exceptions at ring 0 push where the stack is. */
static void deliveries(void)
{
	static const struct {
		const char *name;
		u8 code[4];
		u8 n, vector;
	} events[] = {
		{ "int3", { 0xcc }, 1, BP },
		{ "ud2", { 0x0f, 0x0b }, 2, UD },
		{ "divide by 0", { 0xf7, 0xf3 }, 2, DE },
		{ "load of a bad selector", { 0x8e, 0xc0 }, 2, GP },
	};
	u32 i, m, esp;

	ring = 0;
	for (i = 0; i < ARRAY_SIZE(events); i++)
		for (m = 0; m < 2; m++)
			for (esp = TOP; esp <= TOP + 20; esp += 5) {
				if (!begin(0, "%s delivered at %x %s", events[i].name, esp,
					   mappings[m].name))
					continue;
				top_is(mappings[m].bits);
				at.in.esp = esp;
				at.in.ebx = 0;
				at.in.eax = 0xfff8;
				code_new();
				emit_bytes(events[i].code, events[i].n);
				run(code_end());
				if (!m && esp > TOP) {
					expect_refused(true, 0);
					/* Partly below: what is written before is not defined. */
					at.undigested = true;
				} else {
					expect(at.vector == events[i].vector, "vector %u, not %u",
					       at.vector, events[i].vector);
					expect_eq(at.out.esp, esp);
				}
				end();
			}
	/* At ring 3 they push where the TSS says. */
	for (m = 0; m < 2; m++)
		for (esp = TOP; esp <= TOP + 40; esp += 10) {
			if (!begin(3, "int delivered to a kernel stack at %x %s", esp,
				   mappings[m].name))
				continue;
			top_is(mappings[m].bits);
			tss.esp0 = esp;
			run(CODE("nop"));
			if (!m && esp > TOP) {
				expect(at.vector == DF && !at.error,
				       "vector %u error %x, no double fault", at.vector, at.error);
				at.undigested = true;
			} else {
				expect_done();
			}
			end();
		}
}

void guest_main(void)
{
	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		pushes();
		pops();
		more();
	}
	deliveries();
	attempts_end();
}
