// SPDX-License-Identifier: GPL-2.0
/*
 * What translated code does without leaving it (most of the time), and ports.
 */
#include "bench.h"

#define PIC1_MASK	0x21
#define UART_SCRATCH	0x3ff
#define UART_LINE	0x3fd

static u8 from[4096] __attribute__((aligned(4096)));
static u8 to[4096] __attribute__((aligned(4096)));

static u32 run_add(u32 ops)
{
	return HUNDREDS(ops, "addl %%ecx, %%eax", "c"(1) : "eax", "cc");
}

static u32 run_cli_sti(u32 ops)
{
	u32 ticks;

	/* Nothing is unmasked that would interrupt. */
	ticks = HUNDREDS(ops, "cli\n sti", "c"(0) : "memory", "cc");
	cli();
	return ticks;
}

/* As Linux's local_irq_save() and local_irq_restore() do. */
static u32 run_irq_save(u32 ops)
{
	return HUNDREDS(ops, "pushfl\n popl %%eax\n cli\n pushl %%eax\n popfl",
			"c"(0) : "eax", "memory", "cc");
}

static u32 run_pushf_popf(u32 ops)
{
	return HUNDREDS(ops, "pushfl\n popfl", "c"(0) : "memory", "cc");
}

extern u8 just_return[];

static u32 run_call_ret(u32 ops)
{
	return HUNDREDS(ops, "call just_return", "c"(0) : "memory", "cc");
}

static u32 run_call_reg(u32 ops)
{
	return HUNDREDS(ops, "call *%%ecx", "c"(just_return) : "memory", "cc");
}

static u32 run_call_mem(u32 ops)
{
	static void *target = just_return;

	return HUNDREDS(ops, "call *(%%ecx)", "c"(&target) : "memory", "cc");
}

/* Up to ten deep: what a return stack of the translator's would be good for. */
static u32 run_call_deep(u32 ops)
{
	return HUNDREDS(ops, "call deep9\n call deep8\n call deep7\n call deep6\n call deep5",
			"c"(0) : "memory", "cc");
}

static u32 run_copy(u32 ops)
{
	u32 begin = stamp(), i;

	for (i = 0; i < ops; i++)
		memcpy(to, from, sizeof(to));
	return stamp() - begin;
}

static u32 run_load_ds(u32 ops)
{
	return HUNDREDS(ops, "movl %%ecx, %%es", "c"(KERNEL_DS) : "memory");
}

static u32 run_read_cr0(u32 ops)
{
	return HUNDREDS(ops, "movl %%cr0, %%eax", "c"(0) : "eax", "memory");
}

static u32 run_cpuid(u32 ops)
{
	u32 begin = stamp(), regs[4];

	while (ops--)
		cpuid(0, regs);
	return stamp() - begin;
}

static u32 read_port(u32 ops, u16 port)
{
	u32 begin = stamp();

	while (ops--)
		inb(port);
	return stamp() - begin;
}

static u32 run_port_module(u32 ops)
{
	return read_port(ops, PIC1_MASK);
}

static u32 run_port_daemon(u32 ops)
{
	return read_port(ops, UART_LINE);
}

static u32 run_port_posted(u32 ops)
{
	u32 begin = stamp();

	while (ops--)
		outb(UART_SCRATCH, 0);
	return stamp() - begin;
}

const struct bench kernel_benches[] = {
	{ "k_add", 100000, run_add },
	{ "k_cli_sti", 20000, run_cli_sti },
	{ "k_pushf_popf", 20000, run_pushf_popf },
	{ "k_irq_save", 20000, run_irq_save },
	{ "k_call_ret", 20000, run_call_ret },
	{ "k_call_deep", 1000, run_call_deep },
	{ "k_call_reg", 20000, run_call_reg },
	{ "k_call_mem", 20000, run_call_mem },
	{ "k_copy_4k", 50, run_copy },
	{ "k_load_es", 10000, run_load_ds },
	{ "k_read_cr0", 10000, run_read_cr0 },
	{ "k_cpuid", 200, run_cpuid },
	{ "k_port_module", 200, run_port_module },
	{ "k_port_daemon", 100, run_port_daemon },
	{ "k_port_posted", 100, run_port_posted },
	{ }
};
