// SPDX-License-Identifier: GPL-2.0
/*
 * Plain accesses to the last page: loads, stores and read-modify-writes by every segment
 * register, addressing form and operand size, with the guest's page there mapped, not
 * mapped, read-only and supervisor-only.
 */
#include "attempt.h"

static const struct {
	const char *name;
	u8 prefix;
} sregs[] = {
	{ "es", 0x26 }, { "cs", 0x2e }, { "ss", 0x36 }, { "ds", 0x3e }, { "fs", 0x64 },
	{ "gs", 0x65 },
};

/* Addressing forms of ModRM, each with eax as the register operand. */
static const struct {
	const char *name;
	u8 bytes[3];
	u8 n;
	bool disp32;
} forms[] = {
	{ "disp32", { 0x05 }, 1, true },
	{ "(edi)", { 0x07 }, 1, false },
	{ "disp32(edi)", { 0x87 }, 1, true },
	{ "disp8(edi)", { 0x47, 0x7f }, 2, false },
	{ "(ecx,edi,8)", { 0x04, 0xf9 }, 2, false },
	{ "disp32(,edi,4)", { 0x04, 0xbd }, 2, true },
	{ "(ebp,edi)", { 0x44, 0x3d, 0x00 }, 3, false },
};

/* Registers and displacement so that form @i addresses @gva. */
static u32 aim(u32 i, u32 gva)
{
	switch (i) {
	case 1:
		at.in.edi = gva;
		return 0;
	case 2:
		at.in.edi = 0x80000001;
		return gva - 0x80000001;
	case 3:
		at.in.edi = gva - 0x7f;
		return 0;
	case 4:
		at.in.edi = 0x1fffff00;
		at.in.ecx = gva - 0xfffff800;
		return 0;
	case 5:
		at.in.edi = 0x3ffffc00;
		return gva - 0xfffff000;
	case 6:
		at.in.ebp = 0x7fffffff;
		at.in.edi = gva - 0x7fffffff;
		return 0;
	default:
		return gva;
	}
}

static void expect_access(u32 bits, bool write, u32 gva, u32 size)
{
	u32 mask = 0xffffffff >> (32 - 8 * size), eax = at.in.eax, old = 0, have = 0;
	int error = access_fault(at.ring, bits, write);
	u32 frame = top_frame + (gva - TOP);

	if (error >= 0) {
		expect_pf(error, gva);
		expect_same(top_frame);
		return;
	}
	expect_done();
	memcpy(&have, (void *)frame, size);
	if (write) {
		expect_eq(have, eax & mask);
		return;
	}
	old = PATTERN(top_frame, (gva - TOP) & ~3u) >> (gva & 3) * 8 & mask;
	expect_eq(have, old);
	expect_eq(at.out.eax, (eax & ~mask) | old);
}

/* The access itself, with eax or al; 16-bit with a prefix. */
static void emit_access(u32 size, bool write)
{
	if (size == 2)
		emit(0x66);
	emit((write ? 0x88 : 0x8a) | (size > 1));
}

static void by_form(u32 ring, const struct mapping *m, u32 form, bool write)
{
	u32 gva = TOP + 0x800 + 4 * form, disp;

	if (!begin(ring, "%s 4 %s by %s", write ? "store" : "load", m->name, forms[form].name))
		return;
	top_is(m->bits);
	disp = aim(form, gva);
	code_new();
	emit_access(4, write);
	emit_bytes(forms[form].bytes, forms[form].n);
	if (forms[form].disp32)
		emit32(disp);
	run(code_end());
	expect_access(m->bits, write, gva, 4);
	end();
}

static void by_segment(u32 ring, const struct mapping *m, u32 sreg, u32 size, bool write)
{
	u32 gva = TOP + 16 * sreg + size;
	/* ds:(ebx) and ss:(ebp) say their segment anyway; cs cannot be written. */
	bool fault = sregs[sreg].prefix == 0x2e && write;

	if (!begin(ring, "%s %u %s by %s", write ? "store" : "load", size, m->name,
		   sregs[sreg].name))
		return;
	top_is(m->bits);
	at.in.ebx = gva;
	code_new();
	emit(sregs[sreg].prefix);
	emit_access(size, write);
	emit(0x03);
	run(code_end());
	if (fault) {
		expect_fault(GP, 0);
		expect_same(top_frame);
	} else {
		expect_access(m->bits, write, gva, size);
	}
	end();
}

void guest_main(void)
{
	u32 ring, i, k, size, w;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		for (i = 0; i < N_MAPPINGS; i++)
			for (k = 0; k < ARRAY_SIZE(forms); k++)
				for (w = 0; w < 2; w++)
					by_form(ring, &mappings[i], k, w);
		for (i = 0; i < N_MAPPINGS; i++)
			for (k = 0; k < ARRAY_SIZE(sregs); k++)
				for (size = 1; size <= 4; size *= 2)
					for (w = 0; w < 2; w++)
						by_segment(ring, &mappings[i], k, size, w);
	}
	attempts_end();
}
