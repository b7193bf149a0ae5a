// SPDX-License-Identifier: GPL-2.0
/*
 * String instructions into, out of and across the lower edge of the last page: each size,
 * both directions, alone and repeated. A repeated one that faults has done what it did
 * before, and says so in its registers.
 */
#include "attempt.h"

#define COUNT	6u
#define PORT	0xe4	/* nobody's */

enum { SRC = 1, DST = 2, WRITE = 4, IO = 8 };

static const struct op {
	const char *name;
	u8 opcode;		/* of the form for bytes */
	u8 prefix;		/* that repeats it over data that differ */
	u8 what;
} ops[] = {
	{ "movs to", 0xa4, 0xf3, DST | WRITE },
	{ "movs from", 0xa4, 0xf3, SRC },
	{ "stos", 0xaa, 0xf3, DST | WRITE },
	{ "lods", 0xac, 0xf3, SRC },
	{ "cmps source", 0xa6, 0xf2, SRC },
	{ "cmps destination", 0xa6, 0xf2, DST },
	{ "scas", 0xae, 0xf2, DST },
	{ "ins", 0x6c, 0xf3, DST | WRITE | IO },
	{ "outs", 0x6e, 0xf3, SRC | IO },
};

static void try_one(u32 ring, const struct mapping *m, const struct op *op, u32 size, bool down,
		    bool rep)
{
	int error = access_fault(ring, m->bits, op->what & WRITE);
	int step = down ? -(int)size : (int)size;
	u32 start, gva, done, n = rep ? COUNT : 1;

	if (!begin(ring, "%s%s %u %s %s", rep ? "rep " : "", op->name, size, down ? "down" : "up",
		   m->name))
		return;
	top_is(m->bits);
	memset((void *)top_frame, 0x11, PAGE);
	memset((void *)below_frame, 0x11, PAGE);
	memset((void *)data_page, 0x22, PAGE);
	/* Repeated: across the edge. Alone: the page's first or last element. */
	start = rep ? (down ? TOP + 2 * size : TOP - 3 * size) :
		      (down ? TOP : TOP + PAGE - size);
	at.in.esi = op->what & SRC ? start : data_page + 0x800;
	at.in.edi = op->what & DST ? start : data_page + 0x400;
	at.in.ecx = n;
	at.in.edx = PORT;
	at.in.eax = 0x22222222;
	at.in.eflags |= down ? FL_DF : 0;

	code_new();
	if (size == 2)
		emit(0x66);
	if (rep)
		emit(op->prefix);
	emit(op->opcode | (size > 1));
	run(code_end());

	/* SDM: a fault of these restores the flags of before; Bochs keeps the last ones. */
	if (op->prefix == 0xf2 && rep && at.vector == PF)
		at.flags = ~FL_ARITH;
	if (op->what & IO && ring == 3) {
		expect_fault(GP, 0);
		done = 0;
	} else if (error >= 0) {
		for (done = 0, gva = start; gva < TOP; done++)
			gva += step;
		expect_pf(error, gva);
	} else {
		expect_done();
		done = n;
	}
	expect_eq(at.out.ecx, rep ? n - done : n);
	if (op->what & SRC || op->opcode == 0xa4 || op->opcode == 0xa6)
		expect_eq(at.out.esi, at.in.esi + step * done);
	if (op->what & DST || op->opcode == 0xa4 || op->opcode == 0xa6)
		expect_eq(at.out.edi, at.in.edi + step * done);
	end();
}

static void all_sizes(u32 ring, const struct op *op)
{
	u32 size, down, rep;

	for (size = 1; size <= 4; size *= 2)
		for (down = 0; down < 2; down++)
			for (rep = 0; rep < 2; rep++) {
				try_one(ring, ABSENT, op, size, down, rep);
				if (!(ring == 3 && op->what & IO))
					try_one(ring, MAPPED, op, size, down, rep);
			}
}

void guest_main(void)
{
	u32 ring, i;

	attempts_begin(true);
	for (ring = 0; ring <= 3; ring += 3)
		for (i = 0; i < ARRAY_SIZE(ops); i++)
			all_sizes(ring, &ops[i]);
	attempts_end();
}
