// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers of control: far jumps, calls and returns through every kind of descriptor, call
 * gates, interrupt gates and vectors (among them those that vmon has gates of its own for),
 * IRET with all sorts of selectors and flags, virtual-8086 mode, SYSENTER and its relatives,
 * and traps right behind a load of SS.
 */
#include "hostile.h"

#define STACK_TOP	((u32)attempt_stack + PAGE)
#define CALL3	(SEG_P | SEG_DPL(3) | GATE_CALL)
#define FL_USER		(FL_ARITH | FL_TF | FL_DF | FL_NT | FL_AC | FL_ID)

/* --- through descriptors --- */

/* What becomes of a far JMP, CALL or RET to @sel; 0 in *error means #GP(0). */
static u32 transfer_fault(u32 sel, u64 *desc, bool ret, u32 *error)
{
	struct kind k;
	bool ok;

	*error = 0;
	if (!(sel & ~3u))
		return GP;
	*error = sel & 0xfffc;
	if (!desc)
		return GP;
	k = kind_of(*desc);
	if (k.is_code) {
		u32 cpl = ret ? sel & 3 : at.ring;

		ok = k.conforming ? k.dpl <= cpl : k.dpl == cpl && (sel & 3) <= cpl;
		if (!ok || cpl < at.ring)
			return GP;
		return k.present ? DONE : NP;
	}
	if (k.is_data || ret || !(0x1232 >> k.type & 1) || k.dpl < at.ring || k.dpl < (sel & 3))
		return GP;
	if ((sel & 4) && (k.type & 7) == 1)
		return GP;
	if (!k.present)
		return NP;
	/* Tasks are too small, and the gates lead to the null selector. */
	if (k.type == 1 || k.type == 9)
		return TS;
	*error = 0;
	return GP;
}

static void through(u32 ring, const char *name, u32 sel, bool call, bool ret)
{
	u32 landing = CODE("nop"), error, want, *stack = (u32 *)(STACK_TOP - 16);
	u64 *desc;

	if (!begin(ring, "%s to %x", name, sel))
		return;
	fill_gdt();
	use_ldt();
	desc = lookup(sel);
	want = transfer_fault(sel, desc, ret, &error);
	stack[0] = landing;
	stack[1] = sel;
	at.in.esp = (u32)stack;
	code_new();
	if (ret) {
		emit(0xcb);
	} else {
		emit(call ? 0x9a : 0xea);
		emit32(landing);
		emit_bytes(&sel, 2);
	}
	run(code_end());
	if (want == DONE) {
		expect_done();
		expect_eq(at.out.cs, ret ? sel : (sel & ~3u) | ring);
		expect_eq(at.out.esp, (u32)stack + (ret ? 8 : call ? -8 : 0));
	} else {
		expect_fault(want, error);
	}
	end();
}

static void descriptors(u32 ring)
{
	static const u16 more[] = {
		0, 3, 0x08, 0x0b, 0x10, 0x18, 0x1b, 0x200, 0x7fff, 0xff80, 0xff83, 0xffa1,
		0xffa3, 0xffd1, 0xffff,
	};
	u32 i, sel;

	for (i = FIRST; i < GDT_ENTRIES - 1; i++) {
		if (i == FIRST + 1)	/* vmon has no 16-bit tasks */
			continue;
		sel = i * 8 + (i % 3 == 2 ? 4 : 0) + (i % 5 ? ring : 3 - ring);
		/* A return to an outer ring has its own attempts. */
		if (ring || (sel & 3) == 0)
			through(ring, "far ret", sel, false, true);
		through(ring, i & 1 ? "far jmp" : "far call", sel, !(i & 1), false);
	}
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		through(ring, "far jmp", more[i], false, false);
		through(ring, "far call", more[i], true, false);
		if (ring || (more[i] & 3) == 0)
			through(ring, "far ret", more[i], false, true);
	}
}

/* --- call gates --- */

static const struct {
	const char *name;
	u16 sel, attr;
	u8 vector3, vector0;	/* from ring 3, from ring 0 */
	u16 error;
} gates[] = {
	{ "to ring 0", KERNEL_CS, CALL3, DONE, DONE, 0 },
	{ "to ring 0 with 3 words", KERNEL_CS, CALL3 | 3 << 8, DONE, DONE, 0 },
	{ "to ring 0 with 31 words", KERNEL_CS, CALL3 | 31 << 8, DONE, DONE, 0 },
	{ "with RPL 3 to ring 0", KERNEL_CS | 3, CALL3, DONE, DONE, 0 },
	{ "of ring 0", KERNEL_CS, SEG_P | GATE_CALL, GP, DONE, FREE_SEL },
	{ "to ring 3", USER_CS, CALL3, DONE, GP, USER_CS & ~3 },
	{ "to data", KERNEL_DS, CALL3, GP, GP, KERNEL_DS },
	{ "to nothing", 0, CALL3, GP, GP, 0 },
	{ "beyond the table", 0x208, CALL3, GP, GP, 0x208 },
	{ "to the monitor's code", 0xff80, CALL3, GP, GP, 0xff80 },
	{ "to the monitor's ring 1", 0xffa1, CALL3, GP, GP, 0xffa0 },
	{ "to a gate", FREE_SEL, CALL3, GP, GP, FREE_SEL },
	{ "not present", KERNEL_CS, SEG_DPL(3) | GATE_CALL, NP, NP, FREE_SEL },
};

static void call_gates(u32 ring)
{
	u32 i, landing = CODE("nop"), want, n;

	for (i = 0; i < ARRAY_SIZE(gates); i++) {
		if (!begin(ring, "call gate %s", gates[i].name))
			continue;
		gdt[FREE_SEL / 8] = gate(gates[i].sel, landing, gates[i].attr);
		at.in.esp -= 256;
		memset((void *)at.in.esp, 0x5a, 256);
		want = ring ? gates[i].vector3 : gates[i].vector0;
		run(ring ? CODE("lcall $0x43, $0") : CODE("lcall $0x40, $0"));
		n = gates[i].attr >> 8 & 31;
		if (want != DONE) {
			expect_fault(want, gates[i].error);
		} else {
			expect_done();
			expect_eq(at.out.cs, gates[i].sel == USER_CS ? USER_CS : KERNEL_CS);
			if (ring && gates[i].sel != USER_CS)
				expect_eq(at.out.esp, tss.esp0 - 16 - 4 * n);
			else
				expect_eq(at.out.esp, at.in.esp - 8);
		}
		end();
	}
	if (begin(ring, "jmp through a gate to ring 0")) {
		gdt[FREE_SEL / 8] = gate(KERNEL_CS, landing, SEG_P | SEG_DPL(3) | GATE_CALL);
		run(CODE("ljmp $0x43, $0"));
		if (ring)
			expect_fault(GP, KERNEL_CS);
		else
			expect_done();
		end();
	}
}

/* --- interrupts --- */

static void interrupts(u32 ring)
{
	static const u8 vectors[] = {
		0x00, 0x01, 0x02, 0x05, 0x06, 0x07, 0x09, 0x0f, 0x10, 0x12, 0x13, 0x14, 0x15, 0x16,
		0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x2e, 0x30, 0x40,
		0x7f, 0x80, 0x81, 0x83, 0xa0, 0xec, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf6, 0xf7, 0xf8,
		0xfb, 0xfc, 0xfd, 0xfe, 0xff, 0x08, 0x0a, 0x0d, 0x0e, 0x11,
	};
	static const struct {
		const char *name;
		u16 sel;
		u16 attr;
		u16 vector, error;	/* error 1: of the gate itself */
	} kinds[] = {
		{ "a trap gate", KERNEL_CS, SEG_P | SEG_DPL(3) | GATE_TRAP, 0, 0 },
		{ "nothing", 0, SEG_P | SEG_DPL(3) | GATE_INT, GP, 0 },
		{ "the monitor's code", 0xff80, SEG_P | SEG_DPL(3) | GATE_INT, GP, 0xff80 },
		{ "the monitor's ring 1", 0xffa1, SEG_P | SEG_DPL(3) | GATE_INT, GP, 0xffa0 },
		{ "data", KERNEL_DS, SEG_P | SEG_DPL(3) | GATE_INT, GP, KERNEL_DS },
		{ "no gate", KERNEL_CS, SEG_DPL(3) | GATE_INT, NP, 1 },
		{ "a call gate", KERNEL_CS, SEG_P | SEG_DPL(3) | GATE_CALL, GP, 1 },
		{ "a small task", FREE_SEL, SEG_P | SEG_DPL(3) | GATE_TASK, TS, FREE_SEL },
	};
	static const u8 some[] = { 0x18, 0x1a, 0x30, 0x80 };
	u32 i, k, dpl;

	for (dpl = 0; dpl <= ring; dpl += 3)
		for (i = 0; i < ARRAY_SIZE(vectors); i++) {
			u32 vector = vectors[i];

			/* The stub of an exception wants an error code, which INT does not push. */
			if (i >= ARRAY_SIZE(vectors) - 5 && (!ring || dpl))
				continue;
			if (!begin(ring, "int %x, gate of ring %u", vector, dpl))
				continue;
			idt[vector] = (idt[vector] & ~(3ull << 45)) | (u64)dpl << 45;
			code_new();
			emit(0xcd);
			emit(vector);
			run(code_end());
			if (ring > dpl)
				expect_fault(GP, vector * 8 + 2);
			else
				expect_fault_at(vector, 0, at.code + 2);
			end();
		}
	for (k = 0; k < ARRAY_SIZE(kinds); k++)
		for (i = 0; i < ARRAY_SIZE(some); i++) {
			if (!begin(ring, "int %x through %s", some[i], kinds[k].name))
				continue;
			gdt[FREE_SEL / 8] = segment(0, 0x20, SEG_P | SEG_TSS);
			idt[some[i]] = gate(kinds[k].sel, (u32)(idt[some[i]] & 0xffff) |
					    (u32)(idt[some[i]] >> 32 & 0xffff0000), kinds[k].attr);
			code_new();
			emit(0xcd);
			emit(some[i]);
			run(code_end());
			if (kinds[k].vector)
				expect_fault(kinds[k].vector, kinds[k].error != 1 ?
					     kinds[k].error : some[i] * 8 + 2u);
			else
				expect_fault_at(some[i], 0, at.code + 2);
			end();
		}
}

/* --- IRET --- */

static void irets(u32 ring)
{
	static const u32 flags[] = {
		0, FL_CF | FL_ZF, FL_IF, FL_TF, FL_DF, FL_IOPL, FL_NT, FL_RF, FL_AC, FL_ID,
		FL_TF | FL_RF, FL_IF | FL_TF | FL_IOPL, FL_NT | FL_IOPL | FL_TF, 0xffdc802a,
		FL_ARITH | FL_DF | FL_IF | FL_IOPL | FL_NT | FL_RF | FL_AC | FL_ID,
	};
	static const u16 bad_cs[] = {
		0, 3, KERNEL_CS | 1, KERNEL_CS | 3, USER_CS & ~3, USER_CS - 1, KERNEL_DS, USER_DS,
		TSS_SEL, 0x208, 0x0f, 0xff80, 0xff83, 0xffa1, 0xffa3, 0xffff,
	};
	static const u16 bad_ss[] = {
		0, 3, KERNEL_DS, KERNEL_DS | 3, USER_DS & ~3, USER_CS, TSS_SEL, 0x20b, 0x27, 0xff90,
		0xffa9, 0xffab, 0xffb1,
	};
	u32 landing = CODE("nop; nop"), i, to, *stack = (u32 *)(STACK_TOP - 0x40);

	for (to = ring; to <= 3; to += 3)
		for (i = 0; i < ARRAY_SIZE(flags); i++) {
			u32 mask = FL_USER | (ring ? 0 : FL_IF | FL_IOPL), want;

			if (!begin(ring, "iret to ring %u, flags %x", to, flags[i]))
				continue;
			stack[0] = landing;
			stack[1] = to ? USER_CS : KERNEL_CS;
			stack[2] = (flags[i] & ~0x1a0000u) | FL_FIXED;	/* VM, VIF, VIP apart */
			stack[3] = STACK_TOP - 0x100;
			stack[4] = USER_DS;
			at.in.esp = (u32)stack;
			run(CODE("iretl"));
			want = (stack[2] & mask) | (at.in.eflags & ~mask) | FL_FIXED;
			if (flags[i] & FL_TF)
				expect_fault_at(DB, 0, landing + 1);
			else
				expect_done();
			expect_eq(at.out.eflags & ~FL_RF, want);
			expect_eq(at.out.cs, to ? USER_CS : KERNEL_CS);
			end();
		}
	for (i = 0; i < ARRAY_SIZE(bad_cs); i++) {
		if (!begin(ring, "iret to cs %x", bad_cs[i]))
			continue;
		stack[0] = landing;
		stack[1] = bad_cs[i];
		stack[2] = FL_FIXED;
		stack[3] = STACK_TOP - 0x100;
		stack[4] = USER_DS;
		at.in.esp = (u32)stack;
		run(CODE("iretl"));
		expect_fault(GP, bad_cs[i] & ~3u);
		end();
	}
	for (i = 0; i < ARRAY_SIZE(bad_ss) && !ring; i++) {
		if (!begin(ring, "iret to ring 3, ss %x", bad_ss[i]))
			continue;
		stack[0] = landing;
		stack[1] = USER_CS;
		stack[2] = FL_FIXED;
		stack[3] = STACK_TOP - 0x100;
		stack[4] = bad_ss[i];
		at.in.esp = (u32)stack;
		run(CODE("iretl"));
		expect_fault(GP, bad_ss[i] & ~3u);
		end();
	}
	if (begin(ring, "iret with NT, no task before")) {
		at.in.eflags |= FL_NT;
		run(CODE("iretl"));
		expect_fault(TS, 0);
		end();
	}
	if (begin(ring, "iret with NT to the monitor's")) {
		at.in.eflags |= FL_NT;
		tss.link = 0xff90;
		run(CODE("iretl"));
		expect_fault(TS, 0xff90);
		end();
	}
}

/* Virtual-8086 mode, code in page 0: CS:IP is 0:100h. */
static void virtual_8086(void)
{
	static const struct {
		const char *name;
		u8 n, code[8];
		bool sensitive;
		u8 vector, error;	/* otherwise */
	} insns[] = {
		{ "int 82h", 2, { 0xcd, DONE }, true, DONE, 0 },
		{ "int 18h", 2, { 0xcd, 0x18 }, true, GP, 0xc2 },
		{ "cli", 1, { 0xfa }, true, DONE, 0 },
		{ "pushf", 1, { 0x9c }, true, DONE, 0 },
		{ "iret", 1, { 0xcf }, true, DONE, 0 },
		{ "int3", 1, { 0xcc }, false, BP, 0 },
		{ "hlt", 1, { 0xf4 }, false, GP, 0 },
		{ "lgdt", 3, { 0x0f, 0x01, 0x16 }, false, GP, 0 },
		{ "mov from cr0", 3, { 0x0f, 0x20, 0xc0 }, false, GP, 0 },
		{ "lar", 3, { 0x0f, 0x02, 0xc0 }, false, UD, 0 },
		{ "sysexit", 2, { 0x0f, 0x35 }, false, GP, 0 },
		{ "far jmp", 5, { 0xea, 0x20, 0x01, 0x00, 0x00 }, false, DONE, 0 },
		{ "mov of the monitor's selector to ds", 7,
		  { 0xb8, 0xa1, 0xff, 0x8e, 0xd8, 0x8c, 0xd9 }, false, DONE, 0 },
	};
	u32 i, iopl, *stack = (u32 *)(STACK_TOP - 0x80), code = zero_frame + 0x100;

	for (iopl = 0; iopl <= 3; iopl += 3)
		for (i = 0; i < ARRAY_SIZE(insns); i++) {
			u32 want = insns[i].sensitive && !iopl ? GP : insns[i].vector;

			if (!begin(0, "virtual-8086 mode, IOPL %u: %s", iopl, insns[i].name))
				continue;
			memset((void *)code, 0x90, 0x40);
			memcpy((void *)code, insns[i].code, insns[i].n);
			*(u16 *)(code + 0x30) = 0x82cd;
			memset((void *)(zero_frame + 0x800), 0, 16);
			*(u16 *)(zero_frame + 0x800) = 0x130;
			*(u16 *)(zero_frame + 0x804) = iopl << 12;
			memset(stack, 0, 36);
			stack[0] = 0x100;
			stack[2] = FL_FIXED | FL_VM | iopl << 12;
			stack[3] = 0x800;
			at.in.esp = (u32)stack;
			at.flags = ~FL_RF;
			run(CODE("iretl"));
			/* It goes on with INT DONE, which IOPL 0 does not allow. */
			if (insns[i].sensitive && iopl && want != DONE)
				expect(at.vector == want && at.error == insns[i].error,
				       "vector %u error %x", at.vector, at.error);
			else
				expect(at.vector == (want == DONE && !iopl ? GP : want) &&
				       !at.error, "vector %u error %x, not %u", at.vector, at.error,
				       want);
			end();
		}
}

/* --- SYSENTER and the like --- */

static void fast_calls(u32 ring)
{
	static const u32 bases[] = {
		0, 3, KERNEL_CS, KERNEL_CS | 3, 0x100, 0xff80, 0xffa1, 0x10008,
	};
	u32 landing = CODE("nop"), i, back;

	for (i = 0; i < ARRAY_SIZE(bases); i++)
		for (back = 0; back < 2; back++) {
			u32 base = bases[i] & 0xfffc;

			if (!begin(ring, "%s, base %x", back ? "sysexit" : "sysenter", bases[i]))
				continue;
			wrmsr(MSR_SYSENTER_CS, bases[i]);
			wrmsr(MSR_SYSENTER_ESP, STACK_TOP - 0x40);
			wrmsr(MSR_SYSENTER_EIP, landing);
			at.in.ecx = STACK_TOP - 0x80;
			at.in.edx = landing;
			run(back ? CODE("sysexit") : CODE("sysenter"));
			if (!base || (back && ring)) {
				expect_fault(GP, 0);
			} else {
				expect_done();
				expect_eq(at.out.cs, (base + (back ? 16 : 0)) | (back ? 3 : 0));
				expect_eq(at.out.ss, (base + (back ? 24 : 8)) | (back ? 3 : 0));
			}
			wrmsr(MSR_SYSENTER_CS, 0);
			end();
		}
	if (begin(ring, "syscall")) {
		run(CODE("syscall"));
		expect_fault(UD, 0);
		end();
	}
	if (begin(ring, "sysret")) {
		run(CODE(".byte 0x0f, 0x07"));
		expect_fault(UD, 0);
		end();
	}
}

/* --- traps, and traps behind a load of SS --- */

static void traps(u32 ring)
{
	static const struct {
		const char *name;
		u8 code[5];
		u8 n, vector, length;
		u16 error3;	/* at ring 3, of a #GP */
	} insns[] = {
		{ "int3", { 0xcc }, 1, BP, 1, 0 },
		{ "int 3", { 0xcd, 3 }, 2, BP, 2, 0 },
		{ "into", { 0xce }, 1, OF, 1, 0 },
		{ "icebp", { 0xf1 }, 1, DB, 1, 0 },
		{ "int 18h", { 0xcd, 0x18 }, 2, 0x18, 2, 0xc2 },
		{ "int 80h", { 0xcd, 0x80 }, 2, 0x80, 2, 0x402 },
		{ "ud2", { 0x0f, 0x0b }, 2, UD, 0, 0 },
		{ "bound", { 0x62, 0x07 }, 2, BR, 0, 0 },
		{ "div", { 0xf7, 0xf6 }, 2, DE, 0, 0 },
		{ "a load of fs", { 0x8e, 0xe5 }, 2, GP, 0, 0 },
	};
	static const char *const shadows[] = { "", " behind mov to ss", " behind pop of ss" };
	u32 i, k;

	for (k = 0; k < ARRAY_SIZE(shadows); k++)
		for (i = 0; i < ARRAY_SIZE(insns); i++) {
			u32 skip = k ? k == 1 ? 2 : 1 : 0;

			if (!begin(ring, "%s%s", insns[i].name, shadows[k]))
				continue;
			at.in.esp -= 16;
			poke(at.in.esp, at.in.ss);
			at.in.ecx = at.in.ss;
			at.in.edi = data_page;
			at.in.eax = 0x7fffffff;
			at.in.edx = 1;
			at.in.esi = 0;
			at.in.ebp = 0xff88;
			poke(data_page, 0);
			poke(data_page + 4, 1);
			at.in.eflags |= FL_OF;
			code_new();
			emit_bytes(k == 1 ? "\x8e\xd1" : "\x17", skip);
			emit_bytes(insns[i].code, insns[i].n);
			run(code_end());
			if (ring && insns[i].error3)
				expect_fault_at(GP, insns[i].error3, at.code + skip);
			else
				expect_fault_at(insns[i].vector, insns[i].vector == GP ? 0xff88 : 0,
						at.code + skip + insns[i].length);
			end();
		}
}

void guest_main(void)
{
	u32 ring;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		descriptors(ring);
		call_gates(ring);
		interrupts(ring);
		irets(ring);
		fast_calls(ring);
		traps(ring);
	}
	virtual_8086();
	attempts_end();
}
