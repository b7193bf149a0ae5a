// SPDX-License-Identifier: GPL-2.0
/*
 * System calls, faults and interrupts, with handlers that do nothing (handlers.S).
 */
#include "bench.h"

#define NOWHERE		0x50000000u
#define PIT_COUNT	11932u		/* 100 Hz */
#define TICKS_WANTED	20u

extern void skip_fault(void);
extern void skip_ud(void);
extern void return_iret(void);
extern void return_sysexit(void);
extern void tick(void);

volatile u32 ticks;

static u32 user_add(u32 ops)
{
	return HUNDREDS(ops, "addl %%ecx, %%eax", "c"(1) : "eax", "cc");
}

static u32 user_int80(u32 ops)
{
	return HUNDREDS(ops, "int $0x80", "c"(0) : "memory", "cc");
}

static u32 user_sysenter(u32 ops)
{
	u32 begin = stamp();

	while (ops--)
		asm volatile("movl %%esp, %%ecx\n\t"
			     "movl $1f, %%edx\n\t"
			     "sysenter\n"
			     "1:" : : : "ecx", "edx", "memory", "cc");
	return stamp() - begin;
}

static u32 user_fault(u32 ops)
{
	return HUNDREDS(ops, "movl (%%ecx), %%eax", "c"(NOWHERE) : "eax", "memory");
}

static u32 run_user_add(u32 ops)
{
	return user_call(user_add, ops);
}

static u32 run_int80(u32 ops)
{
	set_gate(0x80, return_iret, GATE_INT, 3);
	return user_call(user_int80, ops);
}

static u32 run_sysenter(u32 ops)
{
	static u8 stack[64];

	wrmsr(MSR_SYSENTER_CS, KERNEL_CS);
	wrmsr(MSR_SYSENTER_ESP, (u32)stack + sizeof(stack));
	wrmsr(MSR_SYSENTER_EIP, (u32)return_sysexit);
	return user_call(user_sysenter, ops);
}

/* True faults: the guest's own table has no such page. */
static u32 run_fault_user(u32 ops)
{
	u32 ticks_taken;

	set_gate(PF, skip_fault, GATE_INT, 0);
	ticks_taken = user_call(user_fault, ops);
	stub_gate(PF, GATE_INT, 0);
	return ticks_taken;
}

static u32 run_fault_kernel(u32 ops)
{
	u32 ticks_taken;

	set_gate(PF, skip_fault, GATE_INT, 0);
	ticks_taken = user_fault(ops);
	stub_gate(PF, GATE_INT, 0);
	return ticks_taken;
}

static u32 run_ud(u32 ops)
{
	u32 ticks_taken;

	set_gate(UD, skip_ud, GATE_INT, 0);
	ticks_taken = HUNDREDS(ops, "ud2", "c"(0) : "memory");
	stub_gate(UD, GATE_INT, 0);
	return ticks_taken;
}

/* In the guest's kernel, to its own ring. */
static u32 run_int_kernel(u32 ops)
{
	set_gate(0x80, return_iret, GATE_INT, 3);
	return HUNDREDS(ops, "int $0x80", "c"(0) : "memory", "cc");
}

static u32 count_down(u32 rounds)
{
	u32 begin = stamp();

	asm volatile("1:	decl %0\n\t"
		     "jnz 1b" : "+r"(rounds));
	return stamp() - begin;
}

/* Until so many ticks have come or so many loops are done; how many those were. */
static u32 loop(u32 ticks_wanted, u32 loops)
{
	u32 first = ticks, done;

	for (done = 0; done < loops && ticks - first < ticks_wanted; done++)
		count_down(20000);
	return done;
}

/* A loop as long as it takes for so many ticks to come; then the same without. */
static u32 run_interrupt(u32 ops)
{
	u32 with, quiet, loops;

	set_gate(IRQ_BASE, tick, GATE_INT, 0);
	pic_mask(0xffff & ~1);
	pit_periodic(PIT_COUNT);
	sti();
	loop(1, ~0u);
	with = stamp();
	loops = loop(ops, ~0u);
	with = stamp() - with;
	cli();
	pic_mask(on_vmon() ? 0xffff & ~0x10 : 0xffff);
	quiet = stamp();
	loop(~0u, loops);
	quiet = stamp() - quiet;
	/* Where ticks are time, another program may have had some of it. */
	return with > quiet ? with - quiet : ~0u;
}

const struct bench event_benches[] = {
	{ "u_add", 100000, run_user_add },
	{ "u_int80", 1000, run_int80 },
	{ "u_sysenter", 1000, run_sysenter },
	{ "u_fault_true", 500, run_fault_user },
	{ "k_fault_true", 500, run_fault_kernel },
	{ "k_exception", 500, run_ud },
	{ "k_int", 500, run_int_kernel },
	{ "interrupt", TICKS_WANTED, run_interrupt },
	{ }
};
