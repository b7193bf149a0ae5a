// SPDX-License-Identifier: GPL-2.0
/*
 * Random programs one after the other, and a word about each.
 *
 * Words of the command line:
 *	seed=S from=N count=N	which programs
 *	only=S:N		one more, before these; again and again
 *	show			tell all about each
 *
 * A line is "FIRST: WORD...", with a word for each program from FIRST on. A word is a letter
 * for the outcome, and five digits of the digest:
 *
 *	A..T	exception 0..19		d	done (INT DONE)		v	another vector
 *	l	interrupted by the timer, after a long time: no digest
 *	g	a load in the translation cache: ends here in a page fault, and under vmon
 *		possibly not (../escape/README.md, known gap): no digest
 *	~	before it: many instructions, so that elsewhere the timer may come first
 *
 * A timer ends what does not end by itself. It comes at any time, so a program that it has
 * interrupted early is run again.
 */
#include "stream.h"

#define SELFCHECK_PORT	0xe0	/* vmon looks at everything of its own from 1 to 0 */
#define PIC		0x20
#define READ_ISR	0x0b
#define INFO_CMDLINE	4u
#define ONLY_MAX	64u
#define A_LINE		16u	/* programs; the first ones of a run have a line each */
#define SLOW		4000u	/* cycles, on the bare CPU: many instructions */
#define LIMIT		2000000u /* cycles; two thirds of the timer's period */

extern u32 boot_magic, boot_info;

static struct only {
	u32 seed, number;
} only[ONLY_MAX];

static u32 n_only, seed, from, count;
static bool show;

static char line[256];
static u32 used;

static void put(char c)
{
	if (used < sizeof(line) - 1)
		line[used++] = c;
}

static void flush(void)
{
	if (!used)
		return;
	line[used] = 0;
	print("%s\n", line);
	used = 0;
}

static void put_number(u32 val)
{
	if (val >= 10)
		put_number(val / 10);
	put('0' + val % 10);
}

/* Was it the timer that could not be delivered? Then the controller thinks it was. */
static bool tick(void)
{
	bool is_tick = state.s.vector == TICK;

	if (state.s.vector == DF) {
		outb(PIC, READ_ISR);
		is_tick = inb(PIC) & 1;
	}
	if (is_tick)
		pic_eoi(0);
	return is_tick;
}

/* Of a double fault the first address is not known: has it to do with the cache at all? */
static bool near_cache(const struct program *p)
{
	const u32 *r = (const u32 *)&state.s.out;
	u32 i, val;

	for (i = 0; i < 9; i++)
		if (r[i] - CACHE + PAGE < CACHE_SIZE + 2 * PAGE)
			return true;
	for (i = 0; i + 4 <= p->len; i++) {
		memcpy(&val, p->code + i, 4);
		if (val - CACHE < CACHE_SIZE)
			return true;
	}
	return false;
}

static bool known_gap(const struct program *p)
{
	if (p->ring)
		return false;
	if (state.s.vector == DF)
		return near_cache(p);
	return state.s.vector == PF && state.s.cr2 - CACHE < CACHE_SIZE &&
	       !(state.s.error & PF_W) && state.s.cr2 != state.s.out.eip;
}

static char outcome(const struct program *p)
{
	if (known_gap(p))
		return 'g';
	if (state.s.vector == DONE)
		return 'd';
	return state.s.vector < 20 ? 'A' + state.s.vector : 'v';
}

static void run(u32 seed, u32 number)
{
	static struct program p;
	u32 digest, shift, time, late = 0;
	bool again, ticked;
	char word;

	generate(&p, seed, number);
	/* Whoever starts the program again is to know that this is the one. */
	if (p.danger)
		flush();
	world_format(p.pae);
	do {
		world_prepare(&p);
		outb(SELFCHECK_PORT, 1);
		time = rdtsc();
		world_run(&p);
		time = (u32)rdtsc() - time;
		outb(SELFCHECK_PORT, 0);
		ticked = tick();
		/* Once or twice it may be somebody else who was slow. */
		again = ticked && (time < LIMIT || ++late < 3);
		word = ticked ? 'l' : outcome(&p);
		if (show && !again)
			world_show(&p);
		digest = world_collect(&p);
	} while (again);

	if (!used) {
		put_number(number);
		put(':');
	}
	put(' ');
	if (time > SLOW && !on_vmon())
		put('~');
	put(word);
	if (word != 'l' && word != 'g')
		for (shift = 16; shift < 32; shift -= 4)
			put("0123456789abcdef"[digest >> 12 >> shift & 15]);
}

static const char *number_at(const char *s, u32 *val)
{
	for (*val = 0; *s >= '0' && *s <= '9'; s++)
		*val = *val * 10 + *s - '0';
	return s;
}

static void read_command_line(void)
{
	const char *s;

	if (boot_magic != 0x2badb002 || !boot_info || !(peek(boot_info) & INFO_CMDLINE))
		return;
	for (s = (const char *)peek(boot_info + 16); *s; s++) {
		if (!memcmp(s, "seed=", 5)) {
			number_at(s + 5, &seed);
		} else if (!memcmp(s, "from=", 5)) {
			number_at(s + 5, &from);
		} else if (!memcmp(s, "count=", 6)) {
			number_at(s + 6, &count);
		} else if (!memcmp(s, "show", 4)) {
			show = true;
		} else if (!memcmp(s, "only=", 5) && n_only < ONLY_MAX) {
			s = number_at(s + 5, &only[n_only].seed);
			number_at(s + 1, &only[n_only++].number);
		}
	}
}

void guest_main(void)
{
	u32 i, number;

	/* The bare machine's UART: as fast as it goes. */
	outb(0x3fb, 0x83);
	outb(0x3f8, 1);
	outb(0x3f9, 0);
	outb(0x3fb, 3);
	read_command_line();
	world_init();
	pit_periodic(0);
	pic_mask(0xfffe);
	for (i = 0; i < n_only; i++) {
		print("only %u:%u\n", only[i].seed, only[i].number);
		run(only[i].seed, only[i].number);
		flush();
	}
	print("stream seed %u from %u count %u\n", seed, from, count);
	for (i = 0; i < count; i++) {
		number = from + i;
		run(seed, number);
		if (i < A_LINE || number % A_LINE == A_LINE - 1)
			flush();
	}
	flush();
	print("stream end\n");
	finish(STATUS_PASS);
}
