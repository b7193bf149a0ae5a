// SPDX-License-Identifier: GPL-2.0
/*
 * Software interrupts: INT n for each of the 256 vectors, INT3, INTO and ICEBP, through every
 * kind of gate; single-stepped, and in the shadow of a load of SS. An attempt is a whole row
 * of tries.
 */
#include "attempt.h"

#define HAS_ERROR	0x00027d00u	/* vectors whose stub wants an error code */
#define EXT		1u		/* in an error code: not by INT n, INT3, INTO */

enum { OF_RING_0, OF_RING_3, NO_GATE, NOT_PRESENT, N_GATES };

static const char *const gates[N_GATES] = {
	"a gate of ring 0", "a gate of ring 3", "no gate", "a gate that is not present",
};

enum { PLAIN, STEPPED, AFTER_MOV, AFTER_POP, N_CONTEXTS };

/* What is before the instruction: pushfl; orl $TF, (%esp); popfl | mov %cx, %ss | pop %ss */
static const struct {
	const char *name;
	u8 n, code[9];
} contexts[N_CONTEXTS] = {
	{ "", 0, { 0 } },
	{ ", single-stepped", 9, { 0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d } },
	{ ", behind mov to ss", 2, { 0x8e, 0xd1 } },
	{ ", behind pop of ss", 1, { 0x17 } },
};

/*
 * Leave a gate of @kind for @vector. INT pushes no error code: 0 in its place, unless it is the
 * exception itself that comes by this gate.
 */
static void set(u32 vector, u32 kind)
{
	u64 old = idt[vector];
	u32 to = (u32)(old & 0xffff) | (u32)(old >> 32 & 0xffff0000);
	bool refused = kind == OF_RING_0 && at.ring && vector == GP;

	if (vector < 32 && HAS_ERROR >> vector & 1 && !refused) {
		code_new();
		emit_bytes("\x6a\x00\x68", 3);	/* pushl $0; pushl $vector */
		emit32(vector);
		emit(0x68);			/* pushl $caught_common; ret */
		emit32((u32)caught_common);
		emit(0xc3);
		to = code_end();
	}
	idt[vector] = kind == NO_GATE ? 0 :
		gate(KERNEL_CS, to, GATE_INT | (kind == NOT_PRESENT ? 0 : SEG_P) |
		     (kind == OF_RING_0 ? 0 : SEG_DPL(3)));
}

/* What an instruction of @len bytes that raises @vector by a gate of @kind comes to. */
static void verdict(u32 vector, u32 kind, u32 len, u32 ext, bool checked)
{
	bool refused = kind == OF_RING_0 && at.ring && checked;
	u32 want = vector, error = 0, eip = at.code + len;

	if (kind == NO_GATE || refused)
		want = GP;
	else if (kind == NOT_PRESENT)
		want = NP;
	if (kind >= NO_GATE || refused) {
		error = vector * 8 + 2 + ext;
		eip = at.code;
		/* The exception that says so would take the same gate. */
		if (kind >= NO_GATE && want == vector) {
			want = DF;
			error = 0;
		}
	}
	expect(at.vector == want && at.error == error && at.out.eip == eip,
	       "vector %x by %s: vector %x error %x eip %x, not vector %x error %x eip %x", vector,
	       gates[kind], at.vector, at.error, at.out.eip - at.code, want, error, eip - at.code);
}

static void try_one(const void *insn, u32 n, u32 context)
{
	at.in.esp -= 16;
	poke(at.in.esp, at.in.ss);
	at.in.ecx = at.in.ss;
	at.in.eflags |= FL_OF;
	code_new();
	emit_bytes(contexts[context].code, contexts[context].n);
	emit_bytes(insn, n);
	run(code_end());
	at.code += contexts[context].n;
}

static void every_vector(u32 ring, u32 kind, u32 context)
{
	u32 vector;
	u64 old;

	if (!begin(ring, "int of every vector by %s%s", gates[kind], contexts[context].name))
		return;
	for (vector = 0; vector < 256; vector++) {
		u8 insn[2] = { 0xcd, vector };

		old = idt[vector];
		set(vector, kind);
		try_one(insn, 2, context);
		idt[vector] = old;
		verdict(vector, kind, 2, 0, true);
		if (context == STEPPED)
			expect_eq(at.out.eflags & FL_TF, FL_TF);
		again();
	}
	end();
}

static void short_forms(u32 ring, u32 context)
{
	static const struct {
		const char *name;
		u8 code, vector, ext;
		bool checked;	/* the gate's ring counts */
	} insns[] = {
		{ "int3", 0xcc, BP, 0, true },
		{ "into", 0xce, OF, 0, true },
		{ "icebp", 0xf1, DB, EXT, false },
	};
	u32 i, kind;
	u64 old;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		if (!begin(ring, "%s by every gate%s", insns[i].name, contexts[context].name))
			continue;
		for (kind = 0; kind < N_GATES; kind++) {
			old = idt[insns[i].vector];
			set(insns[i].vector, kind);
			try_one(&insns[i].code, 1, context);
			idt[insns[i].vector] = old;
			verdict(insns[i].vector, kind, 1, insns[i].ext, insns[i].checked);
			again();
		}
		end();
	}
	/* Without OF it is nothing, and the step behind it comes. */
	if (begin(ring, "into without OF%s", contexts[context].name)) {
		at.in.esp -= 16;
		poke(at.in.esp, at.in.ss);
		at.in.ecx = at.in.ss;
		code_new();
		emit_bytes(contexts[context].code, contexts[context].n);
		emit(0xce);
		run(code_end());
		if (context == STEPPED)
			expect_fault_at(DB, 0, at.code + contexts[context].n + 1);
		else
			expect_done();
		end();
	}
}

/* An IDT that ends before the vector, in the middle of its gate, right behind it. */
static void limits(u32 ring)
{
	static const u8 vectors[] = { 0x83, 0x90, 0xff };
	struct dtr idtr = { 0, (u32)idt };
	u32 i, cut;

	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		for (cut = 0; cut < 3; cut++) {
			u8 insn[2] = { 0xcd, vectors[i] };

			if (!begin(ring, "int %x, the table ends %s", vectors[i],
				   cut == 0 ? "before" : cut == 1 ? "inside" : "behind"))
				continue;
			set(vectors[i], OF_RING_3);
			idtr.limit = vectors[i] * 8 + (cut == 0 ? -1 : cut == 1 ? 6 : 7);
			asm volatile("lidt %0" : : "m"(idtr));
			try_one(insn, 2, PLAIN);
			verdict(vectors[i], cut == 2 ? OF_RING_3 : NO_GATE, 2, 0, true);
			end();
		}
}

void guest_main(void)
{
	u32 ring, kind, context;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		for (kind = 0; kind < N_GATES; kind++)
			every_vector(ring, kind, PLAIN);
		for (context = 0; context < N_CONTEXTS; context++) {
			if (context != PLAIN)
				every_vector(ring, OF_RING_3, context);
			short_forms(ring, context);
		}
		limits(ring);
	}
	attempts_end();
}
