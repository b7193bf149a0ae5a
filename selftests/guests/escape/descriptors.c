// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptor tables of hostile contents: every kind of descriptor in the GDT and in the LDT,
 * selectors without one (among them the monitor's own), into every segment register, LDTR and
 * TR, and into LAR, LSL, VERR, VERW; bases near the end of the space; tables there; edits
 * behind a loaded register.
 *
 * What has to be is computed from the descriptor, as the SDM says for each instruction.
 */
#include "hostile.h"

static const struct {
	const char *name;
	u8 reg;			/* in ModRM */
	u8 prefix;
} sregs[] = {
	{ "es", 0, 0x26 }, { "ds", 3, 0x3e }, { "fs", 4, 0x64 }, { "gs", 5, 0x65 },
	{ "ss", 2, 0x36 },
};

#define SS_REG	4u

/* --- what the SDM says --- */

/* The exception by which loading @sel fails, or DONE. */
static u32 load_fault(u32 sreg, u32 sel, u64 *desc)
{
	struct kind k;

	if (!(sel & ~3u))
		return sreg == SS_REG ? GP : DONE;
	if (!desc)
		return GP;
	k = kind_of(*desc);
	if (sreg == SS_REG) {
		if ((sel & 3) != at.ring || !k.writable || k.dpl != at.ring)
			return GP;
		return k.present ? DONE : SS;
	}
	if (!k.readable || !visible(k, sel))
		return GP;
	return k.present ? DONE : NP;
}

static void expect_load(u32 sreg, u32 sel, u64 *desc, u64 before, u32 use)
{
	u32 fault = load_fault(sreg, sel, desc);

	if (desc && fault == DONE)
		expect_eq((u32)(*desc >> 40) & 1, 1);
	else if (desc)
		expect(*desc == before, "the descriptor has changed");
	if (fault != DONE)
		expect_fault(fault, sel & 0xfffc);
	else if (!(sel & ~3u))
		expect_fault_at(GP, 0, use);
	else
		expect_done();
}

/* --- attempts --- */

/* Load, then use what was loaded. */
static void load(u32 sreg, u32 sel)
{
	u64 *desc = lookup(sel), before = desc ? *desc : 0;
	u32 want = load_fault(sreg, sel, desc);

	at.in.eax = 0x12340000 | sel;
	at.in.edi = data_page + 0x20;
	code_new();
	emit_bytes((u8[]){ 0x8e, 0xc0 | sregs[sreg].reg << 3 }, 2);
	if (sreg == SS_REG)
		emit(0x90);
	emit_bytes((u8[]){ sregs[sreg].prefix, 0x8b, 0x1f }, 3);
	run(code_end());
	expect_load(sreg, sel, desc, before, at.code + 2);
	if (want == DONE && (sel & ~3u))
		expect_eq(at.out.ebx, PATTERN(data_page, 0x20));
	end();
}

static void into_registers(u32 ring, bool local)
{
	u32 slot, sreg, rpl;

	for (slot = local ? 0 : 1; slot < GDT_ENTRIES; slot++) {
		if (slot && slot < FIRST && local)
			continue;
		for (rpl = 0; rpl <= 3; rpl += local ? 3 : 1) {
			u32 sel = slot * 8 + (local ? 4 : 0) + rpl;

			/* Not every pair: all slots see all registers over RPLs and rings. */
			sreg = (slot + rpl) % 4;
			if ((rpl == ring || slot % 4 == rpl) &&
			    begin(ring, "%s = %x", sregs[sreg].name, sel)) {
				fill_gdt();
				use_ldt();
				load(sreg, sel);
			}
			if ((rpl == ring || slot % 16 == 2) && begin(ring, "ss = %x", sel)) {
				fill_gdt();
				use_ldt();
				load(SS_REG, sel);
			}
		}
	}
}

static void no_descriptor(u32 ring)
{
	static const u16 sels[] = {
		0, 1, 2, 3, 0x200, 0x201, 0x203, 0x207, 0x7ff8, 0x8003, 0xff7b,
		0xff80, 0xff83, 0xff90, 0xff98, 0xffa1, 0xffa9, 0xffab, 0xffb1, 0xffb8, 0xffc1,
		0xffc9, 0xffd1, 0xffd9, 0xffe1, 0xffe9, 0xfff0, 0xfff3, 0xfffb, 0xffff,
	};
	u32 i, sreg;

	for (i = 0; i < ARRAY_SIZE(sels); i++)
		for (sreg = 0; sreg < ARRAY_SIZE(sregs); sreg++) {
			if (sels[i] > 3 && sreg != SS_REG && sreg != i % 4)
				continue;
			if (begin(ring, "%s = %x, of nothing", sregs[sreg].name, sels[i])) {
				ldt[0] = 0;
				load(sreg, sels[i]);
			}
		}
	/* And with a local table that ends right before. */
	if (begin(ring, "es = %x, behind the local table", sizeof(ldt) | 7)) {
		fill_gdt();
		use_ldt();
		load(0, sizeof(ldt) | 7);
	}
	for (i = ABOVE; i < 8192; i++)
		for (sreg = i % 4; sreg <= SS_REG; sreg += SS_REG - i % 4)
			if (begin(ring, "%s = %x of 8192", sregs[sreg].name, i * 8 + ring)) {
				use_big();
				load(sreg, i * 8 + ring);
			}
}

/*
 * At ring 3 vmon shows what can be loaded there without it, see module/segments/README.md:
 * of the others, what ring 3 may not see.
 */
static bool is_shown(u32 ring, u64 desc)
{
	struct kind k = kind_of(desc);

	if (!ring || (!k.conforming && k.dpl < 3))
		return true;
	return (k.is_code || k.is_data) && k.dpl == 3 && !(desc >> 32 & SEG_L << 8);
}

/* LAR, LSL, VERR and VERW of the same selector. */
static void looked_at(u32 ring)
{
	u32 i, sel;

	for (i = 0; i < 2 * GDT_ENTRIES; i++) {
		struct kind k;
		u64 *desc;
		u32 ok, low, high;

		sel = i / 2 * 8 + (i & 1 ? 4 : 0) + (i / 2 % 3 ? ring : 3 - ring);
		if ((i & 1) && (i / 2 < FIRST || i / 2 % 4))
			continue;
		fill_gdt();
		if (!is_shown(ring, gdt[i / 2]))
			continue;
		if (!begin(ring, "lar, lsl, verr, verw of %x", sel))
			continue;
		fill_gdt();
		use_ldt();
		desc = lookup(sel);
		if (desc && (*desc >> 32 & SEG_S << 8))
			*desc |= (u64)SEG_A << 40;
		at.in.esi = sel;
		at.flags = ~FL_ZF;
		run(CODE("larl %%esi, %%ebx; setz %%cl; lsll %%esi, %%edx; setz %%ch\n\t"
			 "verr %%si; setz %%al; verw %%si; setz %%ah"));
		expect_done();
		k = desc ? kind_of(*desc) : (struct kind){ .dpl = 0 };
		low = desc ? *desc : 0;
		high = desc ? *desc >> 32 : 0;
		ok = desc && visible(k, sel);
		k.is_data |= k.is_code;
		expect_eq(at.out.eax & 0xff, ok && k.readable);
		expect_eq(at.out.eax >> 8 & 0xff, ok && k.writable);
		ok &= k.is_data || (0x1a3e >> k.type & 1);
		expect_eq(at.out.ecx & 0xff, ok);
		/* What LAR does with the limit is not defined. */
		if (ok)
			at.out.ebx &= ~0x000f0000u;
		expect_eq(at.out.ebx, ok ? high & 0x00f0ff00 : at.in.ebx);
		ok &= k.is_data || (0x0a0e >> k.type & 1);
		expect_eq(at.out.ecx >> 8 & 0xff, ok);
		low = (low & 0xffff) | (high & 0xf0000);
		expect_eq(at.out.edx, ok ? (high & 0x800000 ? low << 12 | 0xfff : low) : at.in.edx);
		end();
	}
}

/* LLDT and LTR of everything in the table. */
static void table_registers(u32 ring, bool task)
{
	u32 i, sel, good = task ? 0x202 : 0x004;

	for (i = 0; i < GDT_ENTRIES + 8; i++) {
		struct kind k;
		u64 *desc;

		sel = i < GDT_ENTRIES ? i * 8 + i % 4 : 0xff80 + (i - GDT_ENTRIES) * 16;
		if (i == GDT_ENTRIES + 7)
			sel = 0x44;
		if (ring && i % 8)
			continue;
		if (!begin(ring, "%s %x", task ? "ltr" : "lldt", sel))
			continue;
		fill_gdt();
		desc = lookup(sel & ~4u);
		k = desc ? kind_of(*desc) : (struct kind){ .dpl = 0 };
		at.in.eax = sel;
		asm volatile("testl %eax, 4"); /* vmon reads its stack pointer early */
		run(task ? CODE("ltr %%ax") : CODE("lldt %%ax"));
		if (ring)
			expect_fault(GP, 0);
		else if (!(sel & ~3u) && !task)
			expect_done();
		else if (sel & 4 || !desc || k.is_data || k.is_code ||
			 !(good >> k.type & 1))
			expect_fault(GP, sel & ~3u);
		else if (!k.present)
			expect_fault(NP, sel & ~3u);
		else
			expect_done();
		end();
	}
}

/* Segments whose base is anywhere, all of the space long: the address wraps around. */
static void bases(u32 ring)
{
	static const u32 starts[] = { 1, 0x80000000, 0xffffe000, TOP, TOP + 0x7ff, 0xfffffff0 };
	u32 i, k, top, addr;

	for (i = 0; i < ARRAY_SIZE(starts); i++)
		for (k = 0; k < 8; k++) {
			u32 sreg = (i + k) % 4, write = k & 1;
			int error = -1;

			top = k / 4;
			addr = k % 4 < 2 ? TOP + 0x120 : k == 2 ? 0x120 : BELOW + 0x120;
			if (!begin(ring, "%s %x by %s of base %x, %s",
				   write ? "store to" : "load of", addr, sregs[sreg].name,
				   starts[i], mappings[top].name))
				continue;
			top_is(mappings[top].bits);
			gdt[FIRST] = segment(starts[i], 0xfffff,
					     FLAT | SEG_P | SEG_DPL(3) | SEG_DATA);
			at.in.ecx = FIRST * 8 + 3;
			at.in.edi = addr - starts[i];
			code_new();
			emit_bytes((u8[]){ 0x8e, 0xc1 | sregs[sreg].reg << 3 }, 2);
			emit_bytes((u8[]){ sregs[sreg].prefix, write ? 0x89 : 0x8b, 0x07 }, 3);
			run(code_end());
			if (addr >= TOP)
				error = access_fault(ring, mappings[top].bits, write);
			if (error < 0) {
				expect_done();
			} else {
				expect_fault_at(PF, error, at.code + 2);
				expect_eq(at.cr2, addr);
				expect_same(top_frame);
			}
			end();
		}
}

/* The table itself over the edge of the last page. */
static void table_at_the_end(u32 ring)
{
	struct dtr gdtr = { sizeof(gdt) - 1, TOP - 0x100 };
	struct dtr idtr = { sizeof(idt) - 1, TOP - 0x400 };
	u32 i, m;

	for (m = 0; m < 2; m++) {
		for (i = 0x18; i < 0x24; i++) {
			if (!begin(ring, "gs = %x in a table of the last page, %s", i * 8 + ring,
				   mappings[m].name))
				continue;
			gdt[i] = segment(0, 0xfffff, FLAT | SEG_P | SEG_S | 2 | SEG_DPL(3));
			memcpy((void *)(below_frame + 0xf00), gdt, 0x100);
			memcpy((void *)top_frame, (u8 *)gdt + 0x100, 0x100);
			top_is(mappings[m].bits);
			asm volatile("lgdt %0" : : "m"(gdtr));
			if (m)	/* vmon reads all of the table: accessed before */
				peek(TOP);
			at.in.eax = i * 8 + ring;
			run(CODE("movl %%eax, %%gs; movl %%gs:0, %%ebx"));
			if (m || i < 0x20)
				expect_done();
			else
				expect_pf(0, TOP + (i - 0x20) * 8);
			end();
		}
		for (i = 0; i < 4; i++) {
			if (i == 3 && !ring)
				continue;
			if (!begin(ring, "gates in the last page, %s, form %u", mappings[m].name,
				   i))
				continue;
			memcpy((void *)(below_frame + 0xc00), idt, 0x400);
			memcpy((void *)top_frame, (u8 *)idt + 0x400, 0x400);
			top_is(mappings[m].bits);
			asm volatile("lidt %0" : : "m"(idtr));
			run(i == 0 ? CODE("") : i == 1 ? CODE("int3") : i == 2 ? CODE("ud2") :
			    CODE("hlt"));
			if (i == 1)
				expect_fault_at(BP, 0, at.code + 1);
			else if (i == 2)
				expect_fault(UD, 0);
			else if (i == 3 && ring)
				expect_fault(GP, 0);
			else if (m)
				expect_done();
			else
				expect_pf(0, TOP + (DONE - 0x80) * 8);
			end();
		}
	}
}

/*
 * A register keeps what it was loaded with, whatever becomes of the descriptor. What ring 3
 * itself writes to the table is in force from the next entry to ring 3 on: not tried.
 */
#define EDIT	"movl %%ecx, %%fs; movl %%eax, (%%edi); movl %%edx, 4(%%edi)\n\t" \
		"movl %%fs:(%%esi), %%ebx"

static void edits(u32 ring)
{
	static const struct {
		const char *name;
		u32 low, high;
	} to[] = {
		{ "nothing", 0, 0 }, { "not present", 0xffff, 0x00cf7300 },
		{ "64-bit code", 0xffff, 0x00affb00 }, { "a byte", 0, 0x0040f300 },
		{ "code", 0xffff, 0x00cff900 }, { "a base at the end", 0xf000ffff, 0xffcff3ff },
		{ "a gate", 0x00080000, 0xffffec00 }, { "another ring", 0xffff, 0x00cf9300 },
	};
	u32 i, again;

	for (i = 0; i < ARRAY_SIZE(to); i++)
		for (again = 0; again < (ring ? 1 : 2); again++) {
			u32 sel = FIRST * 8 + 3;

			if (!begin(ring, "edited to %s %s", to[i].name,
				   again ? "and loaded" : "behind a register"))
				continue;
			gdt[FIRST] = segment(0, 0xfffff, FLAT | SEG_P | SEG_DPL(3) | SEG_DATA);
			at.in.ecx = sel;
			at.in.edi = (u32)&gdt[FIRST];
			at.in.eax = to[i].low;
			at.in.edx = to[i].high;
			at.in.esi = data_page + 0x20;
			run(again ? CODE(EDIT "; movl %%ecx, %%fs; movl %%fs:0, %%ebp") :
			    CODE(EDIT));
			expect_eq(at.out.ebx, PATTERN(data_page, 0x20));
			if (!again) {
				expect_done();
			} else {
				u32 fault = load_fault(2, sel, &gdt[FIRST]);

				if (i == 5)
					expect(at.vector == PF && at.cr2 == TOP, "no page fault");
				else if (i == 3)
					expect(at.vector == GP && !at.error, "no limit");
				else
					expect(at.vector == fault, "vector %u, not %u", at.vector,
					       fault);
			}
			end();
		}
}

void guest_main(void)
{
	u32 ring;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		into_registers(ring, false);
		into_registers(ring, true);
		no_descriptor(ring);
		looked_at(ring);
		table_registers(ring, false);
		table_registers(ring, true);
		bases(ring);
		table_at_the_end(ring);
		edits(ring);
	}
	attempts_end();
}
