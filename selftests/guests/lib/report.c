// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest says: formatted text to the first UART, and its verdict to the debug
 * exit port. A check that fails is reported with its place; the first twenty are.
 */
#include "guest.h"

#define UART	0x3f8
#define EXIT	0xf4
#define REPORTS	20

static u32 checks, failures, skips;

/* What ring 3 said: the UART is out of its reach, so ring 0 prints it later. */
static char pending[4096];
static u32 n_pending;

/* CPUID at ring 3 is the processor's own, so who we are on is asked once, here. */
static u32 hypervisor;

bool on_tcg(void)
{
	return hypervisor == 0x54474354;
}

bool on_vmon(void)
{
	return hypervisor == 0x6e6f6d76;
}

static char line[256];
static u32 in_line;

static void put_line(void)
{
	const char *from = line;

	/* vmon queues what it is given, without an exit for each. */
	if (on_vmon()) {
		asm volatile("rep outsb" : "+S"(from), "+c"(in_line) : "d"(UART) : "memory");
		return;
	}
	for (; in_line; in_line--) {
		while (!(inb(UART + 5) & 0x20))
			;
		outb(UART, *from++);
	}
}

static void put_now(char c)
{
	line[in_line++] = c;
	if (c == '\n' || in_line == sizeof(line))
		put_line();
}

static void put(char c)
{
	u32 i;

	if (at_ring3()) {
		if (n_pending < sizeof(pending))
			pending[n_pending++] = c;
		return;
	}
	for (i = 0; i < n_pending; i++)
		put_now(pending[i]);
	n_pending = 0;
	put_now(c);
}

static void put_number(u32 val, u32 base, bool negative, int width, bool zeros)
{
	char buf[12];
	int n = 0;

	do {
		buf[n++] = "0123456789abcdef"[val % base];
		val /= base;
	} while (val);
	if (negative)
		buf[n++] = '-';
	for (; width > n; width--)
		put(zeros ? '0' : ' ');
	while (n)
		put(buf[--n]);
}

static void vprint(const char *fmt, __builtin_va_list ap)
{
	const char *s;
	int width, val;
	bool zeros, plus;

	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		fmt++;
		plus = *fmt == '+';
		fmt += plus;
		zeros = *fmt == '0';
		for (width = 0; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + *fmt - '0';
		switch (*fmt) {
		case 'd':
			val = __builtin_va_arg(ap, int);
			if (plus && val >= 0)
				put('+');
			put_number(val < 0 ? -val : val, 10, val < 0, width, zeros);
			break;
		case 'u':
			put_number(__builtin_va_arg(ap, u32), 10, false, width, zeros);
			break;
		case 'x':
			put_number(__builtin_va_arg(ap, u32), 16, false, width, zeros);
			break;
		case 's':
			for (s = __builtin_va_arg(ap, const char *); *s; s++)
				put(*s);
			break;
		default:
			put(*fmt);
		}
	}
}

void print(const char *fmt, ...)
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	vprint(fmt, ap);
	__builtin_va_end(ap);
}

void check(bool ok, const char *file, int line, const char *fmt, ...)
{
	__builtin_va_list ap;
	const char *s;

	checks++;
	if (ok || failures++ >= REPORTS)
		return;
	for (s = file; *s; s++)
		if (*s == '/')
			file = s + 1;
	print("%s:%d: ", file, line);
	__builtin_va_start(ap, fmt);
	vprint(fmt, ap);
	__builtin_va_end(ap);
	print("\n");
}

void skip(const char *why)
{
	skips++;
	print("skipped: %s\n", why);
}

void finish(enum status status)
{
	/* Where nobody listens at the port, it is to be read. */
	if (!on_tcg() && !on_vmon())
		print("end %u\n", status);
	put_line();
	outb(EXIT, status);
	for (;;)
		asm volatile("cli; hlt");
}

/* From start. */
void guest_start(void)
{
	u32 regs[4];

	cpuid(0x40000000, regs);
	hypervisor = regs[1];
	outb(UART + 3, 3);	/* eight bits */
	tables_setup();
	pic_setup();
	guest_main();
	print("%u checks, %u failed\n", checks, failures);
	finish(failures ? STATUS_FAIL : skips ? STATUS_SKIP : STATUS_PASS);
}

void *memset(void *p, int c, unsigned long n)
{
	void *to = p;

	asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return p;
}

void *memcpy(void *to, const void *from, unsigned long n)
{
	void *p = to;

	asm volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(n) : : "memory");
	return to;
}

int memcmp(const void *a, const void *b, unsigned long n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}
