// SPDX-License-Identifier: GPL-2.0
/*
 * System instructions: privileged ones at ring 3, reserved bits of control registers at ring 0,
 * ports with and without a permission bitmap, debug registers, and bytes that are no
 * instruction.
 */
#include "attempt.h"

#define NONE	0xfeu		/* not tried at this ring */
#define CR4_TSD	0x4u
#define CR4_DE	0x8u
#define DR7_GD	0x2000u
#define DR7_FIXED 0x400u

static const struct {
	const char *name;
	u8 n, code[8];
	u8 ring3, ring0;	/* vector */
} insns[] = {
	{ "hlt", 1, { 0xf4 }, GP, NONE },
	{ "cli", 1, { 0xfa }, GP, DONE },
	{ "sti", 1, { 0xfb }, GP, DONE },
	{ "clts", 2, { 0x0f, 0x06 }, GP, DONE },
	{ "lgdt", 3, { 0x0f, 0x01, 0x16 }, GP, NONE },
	{ "lidt", 3, { 0x0f, 0x01, 0x1e }, GP, NONE },
	{ "lldt", 3, { 0x0f, 0x00, 0xd0 }, GP, GP },
	{ "ltr", 3, { 0x0f, 0x00, 0xd8 }, GP, GP },
	{ "lmsw", 3, { 0x0f, 0x01, 0xf0 }, GP, NONE },
	{ "invd", 2, { 0x0f, 0x08 }, GP, DONE },
	{ "wbinvd", 2, { 0x0f, 0x09 }, GP, DONE },
	{ "invlpg", 3, { 0x0f, 0x01, 0x3e }, GP, DONE },
	{ "invlpg of a register", 3, { 0x0f, 0x01, 0xfe }, UD, UD },
	{ "rdmsr", 2, { 0x0f, 0x32 }, GP, NONE },
	{ "wrmsr", 2, { 0x0f, 0x30 }, GP, NONE },
	{ "rdpmc", 2, { 0x0f, 0x33 }, GP, NONE },
	{ "sysexit", 2, { 0x0f, 0x35 }, GP, NONE },
	{ "mov from cr0", 3, { 0x0f, 0x20, 0xc0 }, GP, DONE },
	{ "mov from cr2", 3, { 0x0f, 0x20, 0xd0 }, GP, NONE },
	{ "mov from cr3", 3, { 0x0f, 0x20, 0xd8 }, GP, DONE },
	{ "mov from cr4", 3, { 0x0f, 0x20, 0xe0 }, GP, DONE },
	{ "mov to cr0", 3, { 0x0f, 0x22, 0xc0 }, GP, NONE },
	{ "mov to cr2", 3, { 0x0f, 0x22, 0xd0 }, GP, DONE },
	{ "mov to cr3", 3, { 0x0f, 0x22, 0xd8 }, GP, NONE },
	{ "mov to cr4", 3, { 0x0f, 0x22, 0xe0 }, GP, NONE },
	{ "mov from cr1", 3, { 0x0f, 0x20, 0xc8 }, NONE, UD },
	{ "mov to cr1", 3, { 0x0f, 0x22, 0xc8 }, NONE, UD },
	{ "mov to cr5", 3, { 0x0f, 0x22, 0xe8 }, NONE, UD },
	{ "mov to cr7", 3, { 0x0f, 0x22, 0xf8 }, NONE, UD },
	{ "mov from dr0", 3, { 0x0f, 0x21, 0xc0 }, GP, DONE },
	{ "mov from dr6", 3, { 0x0f, 0x21, 0xf0 }, GP, DONE },
	{ "mov from dr7", 3, { 0x0f, 0x21, 0xf8 }, GP, DONE },
	{ "mov to dr0", 3, { 0x0f, 0x23, 0xc0 }, GP, NONE },
	{ "mov to dr3", 3, { 0x0f, 0x23, 0xd8 }, GP, NONE },
	{ "mov to dr7", 3, { 0x0f, 0x23, 0xf8 }, GP, NONE },
	{ "in al, dx", 1, { 0xec }, GP, NONE },
	{ "in eax, dx", 1, { 0xed }, GP, NONE },
	{ "out dx, al", 1, { 0xee }, GP, NONE },
	{ "out dx, eax", 1, { 0xef }, GP, NONE },
	{ "in al, 18h", 2, { 0xe4, 0x18 }, GP, NONE },
	{ "out 64h, al", 2, { 0xe6, 0x64 }, GP, NONE },
	{ "out f4h, al", 2, { 0xe6, 0xf4 }, GP, NONE },
	{ "insb", 1, { 0x6c }, GP, NONE },
	{ "rep insl", 2, { 0xf3, 0x6d }, GP, NONE },
	{ "outsb", 1, { 0x6e }, GP, NONE },
	{ "rep outsl", 2, { 0xf3, 0x6f }, GP, NONE },
	{ "rsm", 2, { 0x0f, 0xaa }, UD, UD },
	{ "vmcall", 3, { 0x0f, 0x01, 0xc1 }, UD, UD },
	{ "vmlaunch", 3, { 0x0f, 0x01, 0xc2 }, UD, UD },
	{ "vmmcall", 3, { 0x0f, 0x01, 0xd9 }, UD, UD },
	{ "ud0", 3, { 0x0f, 0xff, 0xc0 }, UD, UD },
	{ "ud1", 3, { 0x0f, 0xb9, 0xc0 }, UD, UD },
	{ "0f 0a", 2, { 0x0f, 0x0a }, UD, UD },
	{ "0f 04", 2, { 0x0f, 0x04 }, UD, UD },
	{ "lock nop", 2, { 0xf0, 0x90 }, UD, UD },
	{ "lock mov", 3, { 0xf0, 0x89, 0x07 }, UD, UD },
	{ "lock add to a register", 3, { 0xf0, 0x01, 0xc0 }, UD, UD },
	{ "lock cmp", 3, { 0xf0, 0x39, 0x07 }, UD, UD },
	{ "mov to cs", 2, { 0x8e, 0xc8 }, UD, UD },
	{ "mov to segment 6", 2, { 0x8e, 0xf0 }, UD, UD },
	{ "mov from segment 7", 2, { 0x8c, 0xf8 }, UD, UD },
	{ "lea of a register", 2, { 0x8d, 0xc0 }, UD, UD },
	{ "far jmp to a register", 2, { 0xff, 0xe8 }, UD, UD },
	{ "far call to a register", 2, { 0xff, 0xd8 }, UD, UD },
	{ "ff /7", 2, { 0xff, 0xf8 }, UD, UD },
	{ "fe /2", 2, { 0xfe, 0xd0 }, UD, UD },
	{ "cmpxchg8b of a register", 3, { 0x0f, 0xc7, 0xc8 }, UD, UD },
	{ "sgdt to a register", 3, { 0x0f, 0x01, 0xc0 }, UD, UD },
};

static void instructions(u32 ring)
{
	u32 i, vector;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		vector = ring ? insns[i].ring3 : insns[i].ring0;
		if (vector == NONE || !begin(ring, "%s", insns[i].name))
			continue;
		at.in.eax = 0xff98;
		at.in.ecx = 0x40;
		at.in.edx = 0x20;
		at.in.esi = data_page;
		at.in.edi = data_page + 0x40;
		code_new();
		emit_bytes(insns[i].code, insns[i].n);
		run(code_end());
		/* What the firmware left of the cache's bits. */
		if (!ring && insns[i].code[1] == 0x20 && insns[i].code[2] == 0xc0)
			at.out.eax &= ~0x60000000u;
		if (vector == DONE)
			expect_done();
		else
			expect_fault(vector, vector == GP && !ring ? 0xff98 : 0);
		end();
	}
	if (begin(ring, "rdtsc with TSD")) {
		write_cr4(read_cr4() | CR4_TSD);
		run(CODE("rdtsc"));
		if (ring)
			expect_fault(GP, 0);
		else
			expect_done();
		at.out.eax = at.in.eax;
		at.out.edx = at.in.edx;
		write_cr4(read_cr4() & ~CR4_TSD);
		end();
	}
	if (begin(ring, "more than 15 bytes")) {
		code_new();
		for (i = 0; i < 15; i++)
			emit(0x3e);
		emit(0x90);
		run(code_end());
		expect_fault(GP, 0);
		end();
	}
}

/* Reserved and contradictory bits at ring 0. */
static void control_registers(void)
{
	static const struct {
		const char *name;
		u8 reg;
		u32 set, clear;
	} bits[] = {
		{ "cr0 with PG, without PE", 0, 0, CR0_PE },
		{ "cr0 with NW, without CD", 0, 0x20000000, 0x40000000 },
		{ "cr4, bit 15", 4, 1u << 15, 0 },
		{ "cr4, bit 19", 4, 1u << 19, 0 },
		{ "cr4, bit 30", 4, 1u << 30, 0 },
		{ "cr4, bit 31", 4, 1u << 31, 0 },
		{ "cr4, PCIDE outside long mode", 4, 1u << 17, 0 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if (!begin(0, "%s", bits[i].name))
			continue;
		at.in.eax = bits[i].reg ? read_cr4() : read_cr0();
		at.in.eax = (at.in.eax | bits[i].set) & ~bits[i].clear;
		run(bits[i].reg ? CODE("movl %%eax, %%cr4") : CODE("movl %%eax, %%cr0"));
		at.out.eax &= ~0x60000000u;
		expect_fault(GP, 0);
		end();
	}
	if (begin(0, "EFER, bit 1")) {
		at.in.ecx = MSR_EFER;
		at.in.eax = 2;
		at.in.edx = 0;
		run(CODE("wrmsr"));
		expect_fault(GP, 0);
		end();
	}
	if (begin(0, "EFER, bit 32")) {
		at.in.ecx = MSR_EFER;
		at.in.eax = 0;
		at.in.edx = 1;
		run(CODE("wrmsr"));
		expect_fault(GP, 0);
		end();
	}
}

/* Ports at ring 3; those that may be written are nobody's. */
static void ports(void)
{
	static const u16 numbers[] = {
		0x00, 0x18, 0x20, 0x21, 0x40, 0x60, 0x64, 0x70, 0x80, 0xa0, 0xcf8, 0xcfc,
		0x3f8, 0x8000, 0xffff,
	};
	static const struct {
		const char *name;
		u32 allowed, size;
		u32 port;
		bool iopl;
		u16 limit;
	} maps[] = {
		{ "allowed", 0x80, 1, 0x80, false, 0 },
		{ "allowed alone, 2 bytes", 0x80, 2, 0x80, false, 0 },
		{ "allowed alone, 4 bytes below", 0x80, 4, 0x7d, false, 0 },
		{ "the next is allowed", 0x81, 1, 0x80, false, 0 },
		{ "by IOPL", 0, 1, 0x80, true, 0 },
		{ "allowed behind the limit", 0x80, 1, 0x80, false, 0x68 + 16 },
		{ "allowed at the limit", 0x80, 1, 0x80, false, 0x68 + 17 },
		{ "no map", 0x80, 1, 0x80, false, 0x67 },
	};
	u32 i, size;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		for (size = 1; size <= 4; size *= 2) {
			if (!begin(3, "port %x, %u bytes", numbers[i], size))
				continue;
			at.in.edx = numbers[i];
			code_new();
			if (size == 2)
				emit(0x66);
			emit((i & 1 ? 0xec : 0xee) | (size > 1));
			run(code_end());
			expect_fault(GP, 0);
			end();
		}
	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		bool fine = maps[i].iopl || (maps[i].allowed == 0x80 && maps[i].size == 1 &&
					     (!maps[i].limit || maps[i].limit == 0x68 + 17));

		if (!begin(3, "out to 80h, %s", maps[i].name))
			continue;
		if (maps[i].allowed)
			tss.map[maps[i].allowed / 8] &= ~(1 << maps[i].allowed % 8);
		if (maps[i].limit) {
			gdt[TSS_SEL / 8] = segment((u32)&tss, maps[i].limit, SEG_P | SEG_TSS);
			asm volatile("ltr %w0" : : "r"(TSS_SEL) : "memory");
		}
		if (maps[i].iopl)
			at.in.eflags |= FL_IOPL;
		at.in.edx = maps[i].port;
		code_new();
		if (maps[i].size == 2)
			emit(0x66);
		emit(maps[i].size == 1 ? 0xee : 0xef);
		run(code_end());
		if (fine)
			expect_done();
		else
			expect_fault(GP, 0);
		memset(tss.map, 0xff, sizeof(tss.map));
		end();
	}
	for (i = 0; i < 2; i++)
		if (begin(3, "%s with IOPL 3", i ? "sti" : "cli")) {
			at.in.eflags |= FL_IOPL;
			run(i ? CODE("sti") : CODE("cli"));
			expect_done();
			expect_eq(at.out.eflags & FL_IF, i ? FL_IF : 0);
			end();
		}
}

/* --- debug registers --- */

static void set_dr(u32 addr, u32 dr7)
{
	asm volatile("movl %0, %%dr0; movl %1, %%dr6; movl %2, %%dr7"
		     : : "r"(addr), "r"(0), "r"(dr7));
}

static void watch(u32 ring, const char *name, u32 addr, u32 type, u32 code, u32 vector, u32 eip)
{
	u32 dr6;

	if (!begin(ring, "breakpoint %s", name))
		return;
	at.in.edi = addr;
	set_dr(addr, DR7_FIXED | 3 | type << 16);
	run(code);
	asm volatile("movl %%dr6, %0" : "=r"(dr6));
	set_dr(0, DR7_FIXED);
	expect(at.vector == vector, "vector %u, not %u", at.vector, vector);
	if (vector == DB) {
		expect_eq(at.out.eip - code, eip);
		expect_eq(dr6 & 0xf, 1);
	}
	end();
}

static void breakpoints(u32 ring)
{
	u32 store = CODE("movl %%eax, (%%edi); nop"), load = CODE("movl (%%edi), %%eax; nop");
	u32 nop = CODE("nop; nop");

	watch(ring, "on a store", data_page, 0xd, store, DB, 2);
	watch(ring, "on a store, read", data_page, 0xd, load, DONE, 0);
	watch(ring, "on an access, read", data_page, 0xf, load, DB, 2);
	watch(ring, "on code", nop + 1, 0x0, nop, DB, 1);
	watch(ring, "in the last page", TOP, 0xf, store, PF, 0);
	watch(ring, "below the last page", TOP - 4, 0xf, store, DB, 2);
	if (!ring && begin(0, "mov to dr with GD")) {
		u32 dr6;

		set_dr(0, DR7_FIXED | DR7_GD);
		run(CODE("movl %%eax, %%dr0"));
		asm volatile("movl %%dr6, %0" : "=r"(dr6));
		set_dr(0, DR7_FIXED);
		expect_fault(DB, 0);
		expect_eq(dr6 & 0x2000, 0x2000);
		end();
	}
	if (!ring && begin(0, "mov to dr4 with DE")) {
		write_cr4(read_cr4() | CR4_DE);
		run(CODE("movl %%eax, %%db4"));
		write_cr4(read_cr4() & ~CR4_DE);
		expect_fault(UD, 0);
		end();
	}
}

void guest_main(void)
{
	u32 ring;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		instructions(ring);
		breakpoints(ring);
	}
	control_registers();
	ports();
	attempts_end();
}
