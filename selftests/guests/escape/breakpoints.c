// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware breakpoints beside one instruction of each kind: on the instruction, without and
 * with RF; on the data and the stack words that it accesses; on ports; on what is the
 * monitor's: its page, the translation cache. And who may touch the debug registers.
 */
#include "forms.h"

#define CR4_DE		0x8u
#define DR6_BD		0x2000u
#define DR6_HITS	0xfu
#define DR7_FIXED	0x400u
#define DR7_GD		0x2000u
#define ON_CODE		0u
#define ON_WRITE	1u
#define ON_PORT		2u
#define ON_ACCESS	3u
#define LEN4		3u
#define WINDOW		0xfb000000u	/* where the translation cache is at first, see cache.c */

/* pushfl; orl $RF, (%esp); pushl %cs; pushl $...; iretl */
static const u8 set_rf[] = {
	0x9c, 0x81, 0x0c, 0x24, 0, 0, 1, 0, 0x0e, 0x68, 0, 0, 0, 0, 0xcf,
};

static u32 take_dr6(void)
{
	u32 dr6;

	asm volatile("movl %%dr6, %0; movl %1, %%dr6" : "=&r"(dr6) : "r"(0));
	return dr6;
}

static u32 dr7(u32 i, u32 kind, u32 len)
{
	return DR7_FIXED | 2u << 2 * i | kind << (16 + 4 * i) | len << (18 + 4 * i);
}

static void set_dr(u32 d0, u32 d1, u32 d2, u32 d7)
{
	take_dr6();
	asm volatile("movl %0, %%dr0; movl %1, %%dr1; movl %2, %%dr2; movl %3, %%dr7"
		     : : "r"(d0), "r"(d1), "r"(d2), "r"(d7));
}

/* No breakpoints any more. Return: DR6. */
static u32 unset(void)
{
	u32 dr6 = take_dr6();

	set_dr(0, 0, 0, DR7_FIXED);
	return dr6;
}

/* What the form comes to when no breakpoint is met. */
static void expect_usual(u32 i, u32 insn, u32 end)
{
	u32 vector, error;

	if (form_faults(i, &vector, &error))
		expect_fault_at(vector, error, insn);
	else if (forms[i].end == TRAPS)
		expect_fault_at(forms[i].vector, 0, end);
	else
		expect_done();
}

static void on_code(u32 ring, u32 i)
{
	u32 code, insn, after, dr6;
	u8 between[sizeof(set_rf)];

	if (forms[i].flags & SETS_TF || form_left_out(i, ring) ||
	    !begin(ring, "breakpoint on %s", forms[i].name))
		return;
	code = form_code(i, NULL, 0, &insn, &after);
	set_dr(insn, 0, 0, dr7(0, ON_CODE, 0));
	run(code);
	dr6 = unset();
	form_settle(i);
	expect_fault_at(DB, 0, insn);
	expect_eq(dr6 & DR6_HITS, 1);
	expect_eq(at.out.eflags & FL_RF, 0);

	/* RF lets it be executed, once. */
	again();
	code = form_code(i, set_rf, sizeof(set_rf), &insn, &after);
	memcpy(between, set_rf, sizeof(set_rf));
	memcpy(between + 10, &insn, 4);
	memcpy((void *)(insn - sizeof(set_rf)), between, sizeof(set_rf));
	set_dr(insn, 0, 0, dr7(0, ON_CODE, 0));
	run(code);
	dr6 = unset();
	form_settle(i);
	expect_usual(i, insn, after);
	if (at.vector != DB)
		expect_eq(dr6 & DR6_HITS, 0);
	end();
}

static void behind(u32 ring, u32 i)
{
	u32 code, insn, after, vector, error, dr6;

	/* Where a jump or a return leads to, the instruction behind all others. */
	if (forms[i].flags & SETS_TF || form_left_out(i, ring) ||
	    !begin(ring, "breakpoint behind %s", forms[i].name))
		return;
	code = form_code(i, NULL, 0, &insn, &after);
	set_dr(after, 0, 0, dr7(0, ON_CODE, 0));
	run(code);
	dr6 = unset();
	form_settle(i);
	if (form_faults(i, &vector, &error) || forms[i].end == TRAPS || forms[i].end == SHADOWS) {
		expect_usual(i, insn, after);
	} else {
		expect_fault_at(DB, 0, after);
		expect_eq(dr6 & DR6_HITS, 1);
	}
	end();
}

/*
 * What prepares the instruction runs before there are breakpoints. Those on the stack are only
 * where no frame of an exception comes to lie.
 */
static void on_data(u32 ring, u32 i)
{
	u32 code, insn, after, vector, error, dr6, want = 0, set;
	struct regs prepared;

	if (forms[i].flags & SETS_TF || form_left_out(i, ring) ||
	    !begin(ring, "breakpoints on data of %s", forms[i].name))
		return;
	code = form_code(i, "\xcd\x82", 2, &insn, &after);
	run(code);
	expect_done();
	prepared = at.out;
	form_settle(i);
	again();
	at.in = prepared;
	at.in.eip = insn;
	set = dr7(0, ON_ACCESS, LEN4);
	if (forms[i].flags & DATA)
		want |= 1;
	if (forms[i].flags & PUSHES) {
		want |= 2;
		set |= dr7(1, ON_ACCESS, LEN4);
	}
	if (forms[i].flags & POPS && ring) {
		want |= 4;
		set |= dr7(2, ON_ACCESS, LEN4);
	}
	set_dr(data_page, form_esp(i) - 4, form_esp(i), set);
	run(code);
	dr6 = unset();
	form_settle(i);
	if (form_faults(i, &vector, &error)) {
		expect_fault_at(vector, error, insn);
	} else if (want) {
		expect_fault_at(DB, 0, forms[i].end == REPEATS ? insn :
				forms[i].end == SHADOWS ? after + 1 : after);
		expect_eq(dr6 & DR6_HITS, want);
	} else {
		expect_usual(i, insn, after);
	}
	end();
}

/* --- ports --- */

static void on_ports(u32 ring)
{
	static const struct {
		const char *name;
		u8 n, code[2];
		u32 port, at, len;	/* of the access, of the breakpoint */
		bool hit;
		u8 repeats;
	} accesses[] = {
		{ "in", 1, { 0xec }, 0x2000, 0x2000, 0, true, 0 },
		{ "out", 1, { 0xee }, 0x2000, 0x2000, 0, true, 0 },
		{ "out of 4 bytes", 1, { 0xef }, 0x2000, 0x2003, 0, true, 0 },
		{ "out below", 1, { 0xef }, 0x1ffc, 0x2000, LEN4, false, 0 },
		{ "in behind", 1, { 0xec }, 0x2004, 0x2000, LEN4, false, 0 },
		{ "in of 2 bytes inside", 2, { 0x66, 0xed }, 0x2002, 0x2000, LEN4, true, 0 },
		{ "ins", 1, { 0x6c }, 0x2000, 0x2000, 0, true, 0 },
		{ "rep outs", 2, { 0xf3, 0x6e }, 0x2000, 0x2000, 0, true, 1 },
	};
	u32 i, de, dr6;

	for (i = 0; i < ARRAY_SIZE(accesses); i++)
		for (de = 0; de < 2; de++) {
			if (!begin(ring, "breakpoint on a port, %s, %s", accesses[i].name,
				   de ? "DE set" : "DE clear"))
				continue;
			/* Without DE the kind is undefined. */
			at.by_model = !de;
			at.in.eflags |= FL_IOPL;
			at.in.edx = accesses[i].port;
			at.in.ecx = 2;
			at.in.esi = data_page;
			at.in.edi = data_page;
			write_cr4(read_cr4() | (de ? CR4_DE : 0));
			set_dr(accesses[i].at, 0, 0, dr7(0, ON_PORT, accesses[i].len));
			code_new();
			emit_bytes(accesses[i].code, accesses[i].n);
			emit(0x90);
			run(code_end());
			dr6 = unset();
			write_cr4(read_cr4() & ~CR4_DE);
			if (de && accesses[i].hit) {
				expect_fault_at(DB, 0, at.code + (accesses[i].repeats ? 0 :
								  accesses[i].n));
				expect_eq(dr6 & DR6_HITS, 1);
			} else if (de) {
				expect_done();
			}
			end();
		}
}

/* --- what is the monitor's --- */

static void on_monitors(u32 ring)
{
	static const struct {
		const char *name;
		u32 addr, kind, len;
	} places[] = {
		{ "an access to the last page", TOP, ON_ACCESS, LEN4 },
		{ "a store to the last page, further on", TOP + 0x20, ON_WRITE, LEN4 },
		{ "an access to the end of the last page", TOP + 0xffc, ON_ACCESS, LEN4 },
		{ "code in the last page", TOP, ON_CODE, 0 },
		{ "an access to the cache's table", WINDOW, ON_ACCESS, LEN4 },
		{ "an access to the cache's table, further on", WINDOW + 0x40000, ON_ACCESS, LEN4 },
		{ "the cache's first code", WINDOW + 0x80040, ON_CODE, 0 },
		{ "an access to the cache's first code", WINDOW + 0x80040, ON_ACCESS, LEN4 },
		{ "code in the cache", WINDOW + 0x81234, ON_CODE, 0 },
		{ "a store to the cache", WINDOW + 0x90000, ON_WRITE, LEN4 },
		{ "code at 0", 0, ON_CODE, 0 },
	};
	u32 code = CODE("pushl $1f; ret; ud2\n"
			"1: pushfl; popfl; movl %%ds, %%eax; movl %%eax, %%es; call 2f; jmp 3f\n"
			"2: movl $4f, %%eax; jmp *%%eax\n"
			"4: ret\n"
			"3: pushl %%es; popl %%ds; nop"), i, k, dr6;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (!begin(ring, "breakpoint on %s", places[i].name))
			continue;
		for (k = 0; k < 3; k++) {
			/* Often enough for all of it to be linked. */
			set_dr(places[i].addr, places[i].addr, places[i].addr,
			       dr7(k, places[i].kind, places[i].len));
			run(code);
			dr6 = unset();
			expect_done();
			expect_eq(dr6 & DR6_HITS, 0);
			again();
		}
		end();
	}
	for (i = 0; i < 2; i++)
		if (begin(ring, "breakpoint on %s there, mapped", i ? "a store" : "code")) {
			u32 where = i ? TOP + 0x40 : TOP + 0x80;

			top_is(PTE_ALL);
			memcpy((void *)(top_frame + 0x80), "\x40\x90\xcd\x82", 4);
			at.in.edi = where;
			set_dr(where, 0, 0, dr7(0, i ? ON_WRITE : ON_CODE, i ? LEN4 : 0));
			run(i ? CODE("movl %%eax, (%%edi); nop") : where);
			dr6 = unset();
			expect_fault_at(DB, 0, i ? at.code + 2 : where);
			expect_eq(dr6 & DR6_HITS, 1);
			end();
		}
}

/* --- debug registers --- */

static void registers(u32 ring)
{
	u32 i, dr6, now;

	for (i = 0; i < 16; i++) {
		if (!begin(ring, "mov %s dr%u with GD", i & 1 ? "to" : "from", i / 2))
			continue;
		set_dr(0, 0, 0, DR7_FIXED | DR7_GD);
		at.in.eax = 0;
		code_new();
		emit(0x0f);
		emit(i & 1 ? 0x23 : 0x21);
		emit(0xc0 | (i / 2) << 3);
		run(code_end());
		if (ring) {
			/* #GP comes first (APM vol. 2, 15.7); in Bochs #DB does. */
			at.by_model = true;
			if (!on_vmon() && at.vector == DB) {
				unset();
				end();
				continue;
			}
			expect_fault(GP, 0);
			/* It is still set, and traps ring 0 once. */
			idt[DB] = gate(KERNEL_CS, (u32)CODE("addl $3, (%%esp); iretl"),
				       SEG_P | GATE_INT);
			asm volatile("movl %%dr7, %%eax" : : : "eax", "memory");
			dr6 = take_dr6();
			expect_eq(dr6 & DR6_BD, DR6_BD);
		} else {
			expect_fault(DB, 0);
			dr6 = take_dr6();
			expect_eq(dr6 & DR6_BD, DR6_BD);
		}
		asm volatile("movl %%dr7, %0" : "=r"(now));
		expect_eq(now & DR7_GD, 0);
		unset();
		end();
	}
	if (!ring && begin(0, "reserved bits of dr6 and dr7")) {
		u32 six, seven;

		asm volatile("movl %2, %%dr6; movl %%dr6, %0; movl %3, %%dr7; movl %%dr7, %1"
			     : "=&r"(six), "=&r"(seven) : "r"(0), "r"(0x5000));
		unset();
		run(CODE("nop"));
		expect_eq(six & 0xffff1ff0, 0xffff0ff0);
		expect_eq(seven, DR7_FIXED);
		end();
	}
	if (begin(ring, "a hit, and DR6 keeps the bits of before")) {
		set_dr(data_page, 0, 0, dr7(0, ON_ACCESS, LEN4));
		asm volatile("movl %0, %%dr6" : : "r"(0xc));
		at.in.edi = data_page;
		run(CODE("movl (%%edi), %%eax; nop"));
		dr6 = unset();
		expect_fault_at(DB, 0, at.code + 2);
		expect_eq(dr6 & 1, 1);
		end();
	}
	if (begin(ring, "four at once")) {
		set_dr(data_page, data_page, data_page, DR7_FIXED);
		asm volatile("movl %0, %%dr3; movl %1, %%dr7"
			     : : "r"(data_page), "r"(DR7_FIXED | 0xff | 0xffff0000));
		at.in.edi = data_page;
		run(CODE("movl (%%edi), %%eax; nop"));
		asm volatile("movl %0, %%dr3" : : "r"(0));
		dr6 = unset();
		expect_fault_at(DB, 0, at.code + 2);
		expect_eq(dr6 & DR6_HITS, 0xf);
		end();
	}
}

void guest_main(void)
{
	u32 ring, i;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		for (i = 0; i < n_forms; i++) {
			on_code(ring, i);
			behind(ring, i);
			on_data(ring, i);
		}
		on_ports(ring);
		on_monitors(ring);
		registers(ring);
	}
	attempts_end();
}
