// SPDX-License-Identifier: GPL-2.0
/*
 * Random guest programs that come to an end and touch only their own memory,
 * but for one access in programs that are to fault.
 *
 * A program is a body that ends in UD2, and some functions, each of which calls
 * only later ones. Loops save their counter on the stack around their body.
 */
#include <string.h>

#include "bt_run.h"

#define FUNCS	4
#define TABLE	(DATA + DATA_LEN - 64)	/* addresses of the functions */
#define END	(CODE + 0x3c00)	/* another UD2; harmless as a POPF image */
#define USABLE	(DATA_LEN - 256)	/* of the data, for random accesses */

static u8 *p;
static u32 func[FUNCS];
static unsigned int func_now;	/* functions from here on may be called */
static u32 fixup[64];		/* call sites: rel32 or absolute, by function */
static u8 fixup_func[64], fixup_rel[64];
static unsigned int nfixup;

static const u8 override[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64 };

static void items(unsigned int n, unsigned int depth);

static void b(unsigned int v)
{
	*p++ = v;
}

static void b2(unsigned int x, unsigned int y)
{
	b(x);
	b(y);
}

static void d(u32 v)
{
	memcpy(p, &v, 4);
	p += 4;
}

static bool coin(void)
{
	return rnd() >> 31;
}

/* any register but ESP */
static unsigned int reg(void)
{
	unsigned int r = rnd_below(7);

	return r < 4 ? r : r + 1;
}

static u32 data(void)
{
	return DATA + rnd_below(USABLE);
}

static void mov_imm(unsigned int r, u32 v)
{
	b(0xb8 + r);
	d(v);
}

/* A ModRM that addresses data; the preparation, if any, comes before opcode. */
static unsigned int mem_mode, mem_base, mem_index;
static void mem_prepare(void)
{
	mem_mode = rnd_below(4);
	mem_base = reg();
	do
		mem_index = reg();
	while (mem_index == mem_base);
	if (mem_mode)
		mov_imm(mem_base, data());
	if (mem_mode == 3) {
		b2(0x83, 0xe0 + mem_index);	/* and $31,index */
		b(31);
	}
}

static void mem(unsigned int r)
{
	switch (mem_mode) {
	case 0:
		b(0x05 | r << 3);
		d(data());
		break;
	case 1:
		b2(0x40 | r << 3 | mem_base, rnd_below(127));
		break;
	case 2:
		b(0x80 | r << 3 | mem_base);
		d(rnd_below(128));
		break;
	case 3:
		b2(0x44 | r << 3, rnd_below(4) << 6 | mem_index << 3 | mem_base);
		b(rnd_below(100));
		break;
	}
}

static void item_alu(void)
{
	unsigned int op = rnd_below(8) << 3;

	switch (rnd_below(6)) {
	case 0:
		if (coin())
			b(0x66);
		b2(op | 1, 0xc0 | reg() << 3 | reg());
		break;
	case 1:
		b2(op | 2 * coin(), 0xc0 | rnd_below(64));	/* bytes */
		break;
	case 2:
		b2(0x81, 0xc0 | op | reg());
		d(rnd());
		break;
	case 3:
		b2(0x83, 0xc0 | op | reg());
		b(rnd());
		break;
	case 4:
		mem_prepare();
		if (coin() && op != 7 << 3)
			b(0xf0);
		b(op | 1);
		mem(reg());
		break;
	case 5:
		mem_prepare();
		if (coin())
			b(override[rnd_below(5)]);
		b(op | 3);
		mem(reg());
		break;
	}
}

static void item_data(void)
{
	unsigned int r = reg();

	switch (rnd_below(14)) {
	case 0:
		mov_imm(r, rnd());
		break;
	case 1:
		b2(0x8b, 0xc0 | r << 3 | rnd_below(8));
		break;
	case 2:
		b2(0x0f, (coin() ? 0xb6 : 0xbe) | coin());
		b(0xc0 | r << 3 | reg());
		break;
	case 3:
		b2(0x8d, 0x44 | r << 3);
		b2(rnd_below(256), rnd());
		break;
	case 4:
		b2(0x0f, 0xc8 | r);			/* bswap */
		break;
	case 5:
		mem_prepare();
		b(0x86 | coin());			/* xchg */
		mem(reg());
		break;
	case 6:
		mem_prepare();
		b2(0x0f, (coin() ? 0xb0 : 0xc0) | 1);	/* cmpxchg, xadd */
		mem(reg());
		break;
	case 7:
		b2(0x0f, 0x90 | rnd_below(16));		/* setcc */
		b(0xc0 | rnd_below(8));
		break;
	case 8:
		b2(0x0f, 0x40 | rnd_below(16));		/* cmov */
		b(0xc0 | r << 3 | reg());
		break;
	case 9:
		b2(0x0f, 0xaf);				/* imul */
		b(0xc0 | r << 3 | reg());
		break;
	case 10:
		b2(0xf7, 0xd0 | rnd_below(3) << 3 | r);	/* not, neg, mul */
		break;
	case 11:
		b2(0xc0 | coin(), 0xc0 | rnd_below(8) << 3 | r);
		b(rnd());
		break;
	case 12:
		b2(0xd3, 0xc0 | rnd_below(8) << 3 | r);
		break;
	case 13:
		b((coin() ? 0x40 : 0x48) + r);
		break;
	}
}

static void item_misc(void)
{
	static const u8 one[] = { 0x9e, 0x9f, 0xf8, 0xf9, 0xf5, 0x98, 0x99, 0xd6,
				  0x27, 0x2f, 0x37, 0x3f, 0x90 };
	unsigned int r = reg();

	switch (rnd_below(5)) {
	case 0:
		b(one[rnd_below(sizeof(one))]);
		break;
	case 1:
		mem_prepare();
		b2(0x0f, 0x10);				/* movups mem,xmm0 */
		mem(0);
		b2(0x0f, 0xc6);				/* shufps */
		b2(0xc0, rnd());
		mem_mode = 0;
		b2(0x0f, 0x11);
		mem(0);
		break;
	case 2:
		mem_mode = 0;
		b(0xdb);				/* fildl, fistpl */
		mem(0);
		b(0xdb);
		mem(3);
		break;
	case 3:
		b2(0x8c, 0xc0 | rnd_below(6) << 3 | r);	/* mov sreg,r */
		break;
	case 4:
		b2(0x6a, 0);	/* a CPU may leave the upper half alone */
		b2(0x8d, 0x64);
		b2(0x24, 4);
		b(0x06 | rnd_below(4) << 3);		/* push sreg */
		b(0x58 + r);
		break;
	}
}

static void item_string(void)
{
	static const u8 op[] = { 0xa4, 0xa6, 0xaa, 0xac, 0xae };
	bool down = coin();

	b(down ? 0xfd : 0xfc);
	mov_imm(VMON_ESI, DATA + 512 + rnd_below(USABLE - 1024));
	mov_imm(VMON_EDI, DATA + 512 + rnd_below(USABLE - 1024));
	mov_imm(VMON_ECX, rnd_below(12));
	if (rnd_below(4))
		b(0xf2 | coin());
	b(op[rnd_below(5)] | coin());
	if (coin())
		b(0xfc);
}

static void item_jcc(unsigned int depth)
{
	u8 *at;

	if (coin()) {
		b2(rnd_below(8) ? 0x70 | rnd_below(16) : 0xe3, 0);
		at = p;
		if (rnd_below(4))
			items(1, depth + 2);
		if (p - at > 127)
			p = at;
		at[-1] = p - at;
	} else {
		u32 rel;

		b2(0x0f, 0x80 | rnd_below(16));
		d(0);
		at = p;
		items(1 + rnd_below(3), depth + 1);
		rel = p - at;
		memcpy(at - 4, &rel, 4);
	}
}

static void item_loop(unsigned int depth)
{
	u8 *at;

	mov_imm(VMON_ECX, 1 + rnd_below(4));
	at = p;
	b(0x51);
	items(1, depth + 2);
	if (p - at > 100)
		p = at + 1;
	b(0x59);
	if (coin()) {
		if (coin())
			b(0x67);
		b(0xe0 | rnd_below(3));
		b(at - (p + 1));
	} else {
		b2(0x49, 0x75);
		b(at - (p + 1));
	}
}

static void item_flags(unsigned int depth)
{
	bool small = !rnd_below(4);

	switch (rnd_below(3)) {
	case 0:				/* pushf ... popf */
		if (small)
			b(0x66);
		b(0x9c);
		items(1, depth + 1);
		if (small)
			b(0x66);
		b(0x9d);
		break;
	case 1:				/* pushf; pop r */
		b(0x9c);
		b(0x58 + reg());
		break;
	case 2:				/* push $image; popf */
		b(0x68);
		d((rnd() & FLAGS_MASK) | VMON_FL_IF | VMON_FL_FIXED);
		b(0x9d);
		break;
	}
}

static void item_stack(unsigned int depth)
{
	unsigned int r = reg();

	switch (rnd_below(8)) {
	case 0:
		b(0x50 + rnd_below(8));
		items(1, depth + 1);
		b(0x58 + r);
		break;
	case 1:
		b(0x68);
		d(rnd());
		b(0x58 + r);
		break;
	case 2:
		mem_prepare();
		b(0xff);
		mem(6);
		mem_mode = 0;
		b(0x8f);
		mem(0);
		break;
	case 3:
		b(0x60);
		items(1, depth + 1);
		b(0x61);
		break;
	case 4:
		b(0xc8);			/* enter, leave */
		b2(8 + rnd_below(64), 0);
		b(coin());
		b(0xc9);
		break;
	case 5:
		b2(0x66, 0x50 + r);
		b2(0x66, 0x58 + reg());
		break;
	case 6:
		b(0x50 + r);
		b(rnd_below(8) << 3 | 1);
		b2(0x04 | reg() << 3, 0x24);	/* op r,(%esp) */
		b(0x58 + r);
		break;
	case 7:
		b(0x55);			/* push ebp; mov esp,ebp; sub; leave */
		b2(0x89, 0xe5);
		b2(0x83, 0xec);
		b(rnd_below(64));
		b(0xc9);
		break;
	}
}

static void note_fixup(unsigned int f, bool rel)
{
	fixup[nfixup] = (u32)p;
	fixup_func[nfixup] = f;
	fixup_rel[nfixup++] = rel;
	d(0);
}

static void item_call(void)
{
	unsigned int f, r = reg();

	if (func_now >= FUNCS || nfixup >= 60)
		return;
	f = func_now + rnd_below(FUNCS - func_now);
	b(0x68);		/* the argument that every function takes off */
	d(rnd());
	switch (rnd_below(5)) {
	case 0:
	case 1:
		b(0xe8);
		note_fixup(f, true);
		break;
	case 2:
		b(0xb8 + r);
		note_fixup(f, false);
		b2(0xff, 0xd0 | r);
		break;
	case 3:
		if (coin()) {
			b2(0xff, 0x15);
			d(TABLE + f * 4);
		} else {
			mov_imm(r, f);
			if (coin())
				b(override[rnd_below(5)]);
			b2(0xff, 0x14);
			b(0x85 | r << 3);
			d(TABLE);
		}
		break;
	case 4:
		b(0x68);
		note_fixup(f, false);
		b(0x50);
		b2(0xff, 0x54);		/* call *4(%esp) */
		b2(0x24, 4);
		/* the callee took the pushed EAX as its argument */
		b2(0x8d, 0x64);
		b2(0x24, 8);
		break;
	}
}

static void item_jump(void)
{
	unsigned int r = reg();
	u8 *at;
	u32 to;

	switch (rnd_below(4)) {
	case 0:				/* jmp *r */
		b(0xb8 + r);
		at = p;
		d(0);
		b2(0xff, 0xe0 | r);
		break;
	case 1:				/* push $l; ret */
		b(0x68);
		at = p;
		d(0);
		if (coin())
			b(0xf3);
		b(0xc3);
		break;
	case 2:				/* jmp *mem */
		b2(0xc7, 0x05);
		d(TABLE + 32);
		at = p;
		d(0);
		if (coin())
			b(0x3e);
		b2(0xff, 0x25);
		d(TABLE + 32);
		break;
	default:			/* jmp l */
		b(0xe9);
		at = p;
		d(0);
		to = rnd_below(10);
		memcpy(at, &to, 4);
		while (to--)
			b(0xcc);
		return;
	}
	b(0xcc);
	to = (u32)p;
	memcpy(at, &to, 4);
}

static void items(unsigned int n, unsigned int depth)
{
	while (n--) {
		u32 kind = rnd_below(depth < 2 ? 26 : 14);

		if (p - (u8 *)CODE > (int)CODE_LEN - 0x600)
			return;
		if (kind < 5)
			item_alu();
		else if (kind < 10)
			item_data();
		else if (kind < 12)
			item_misc();
		else if (kind < 13)
			item_string();
		else if (kind < 14)
			depth < 4 ? item_flags(depth) : item_data();
		else if (kind < 17)
			item_jcc(depth);
		else if (kind < 18)
			item_loop(depth);
		else if (kind < 20)
			item_stack(depth);
		else if (kind < 23)
			item_call();
		else if (kind < 25)
			item_jump();
		else
			item_flags(depth);
	}
}

/* Something that faults, mostly; whatever comes after it does not matter. */
static void item_fault(void)
{
	static const u32 bad_stack[] = {
		STACK, STACK - 2, STACK + STACK_LEN, STACK + STACK_LEN - 2,
		HOLE + 8, 0xffffefff, 0xfffff002, 0xfffffffc,
	};
	static const u32 bad_data[] = {
		DATA + DATA_LEN - 2, DATA - 1, HOLE, 0xffffeffe, 0xfffff000,
		0xfffffffd,
	};
	u32 stack = bad_stack[rnd_below(8)], data_at = bad_data[rnd_below(6)];
	unsigned int r = reg();

	switch (rnd_below(16)) {
	case 0:
		b2(0x8b, 0x05 | r << 3);
		d(data_at);
		return;
	case 1:
		b2(rnd_below(8) << 3 | 1, 0x05 | r << 3);
		d(data_at);
		return;
	case 2:
		b2(0xff, 0x25 - 0x10 * coin());	/* jmp, call *mem */
		d(data_at);
		return;
	case 3:
		mov_imm(r, data_at);
		b2(0xff, 0x20 - 0x10 * coin());
		p[-1] |= 0x40 | r;
		b(0);
		return;
	case 4:
		b2(0x31, 0xc9);			/* div by 0 */
		b2(0xf7, 0xf1);
		return;
	case 5:
		mov_imm(VMON_ESI, DATA + 64);
		mov_imm(VMON_EDI, DATA + DATA_LEN - rnd_below(32));
		mov_imm(VMON_ECX, 40);
		b(0xfc);
		b2(0xf3, 0xa4 | coin());
		return;
	case 6:
		b(0xc7);
		b(0x05);
		d(TABLE + 40);
		d(END);
		mov_imm(VMON_ESP, stack);	/* target read, push fails */
		b2(0xff, 0x15);
		d(TABLE + 40);
		return;
	}
	mov_imm(VMON_ESP, stack);
	switch (rnd_below(9)) {
	case 0:
		b(0x9c);
		break;
	case 1:
		b(0x9d);
		break;
	case 2:
		b(0xc3);
		break;
	case 3:
		b(0xe8);
		d(0);
		break;
	case 4:
		mov_imm(r, END);
		b2(0xff, 0xd0 | r);
		break;
	case 5:
		b(0x50 + rnd_below(16));
		break;
	case 6:
		b2(0x66, 0x9c | coin());
		break;
	case 7:
		b(0x60 | coin());
		break;
	case 8:
		/* Where the CPU writes 16 bits of 32, the translator's 32 are as right. */
		if (cpu_pushes_half())
			b(0x66);
		b(0x06 | rnd_below(4) << 3);
		break;
	}
}

unsigned int gen_program(enum gen_kind kind)
{
	unsigned int f, i, at;

	p = (u8 *)CODE + rnd_below(64);
	at = p - (u8 *)CODE;
	memset((void *)CODE, 0x90, at);
	nfixup = 0;
	func_now = 0;
	items(4 + rnd_below(20), 0);
	if (kind == GEN_FAULT)
		item_fault();
	b2(0x0f, 0x0b);
	for (f = 0; f < FUNCS; f++) {
		func[f] = (u32)p;
		func_now = f + 1;
		items(1 + rnd_below(4), 1);
		b(0xc2);
		b2(4, 0);
		p += rnd_below(16);
	}
	for (i = 0; i < nfixup; i++) {
		u32 to = func[fixup_func[i]];

		if (fixup_rel[i])
			to -= fixup[i] + 4;
		memcpy((void *)fixup[i], &to, 4);
	}
	memcpy((void *)END, "\x0f\x0b", 2);
	*(u32 *)STACK = END;
	/* NT would stay: signals do not restore it */
	*(u16 *)(STACK + STACK_LEN - 2) = 0xed7;
	for (f = 0; f < FUNCS; f++)
		memcpy((void *)(TABLE + f * 4), &func[f], 4);
	return p - (u8 *)CODE;
}
