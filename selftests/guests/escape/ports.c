// SPDX-License-Identifier: GPL-2.0
/*
 * Ports: over the whole range at ring 3 by each instruction, where the permission bitmap
 * refuses them, allows some, or ends; at ring 0 a read of each kind of port; INS and OUTS at
 * the edge of the last page.
 *
 * What is allowed is also done, so only ports that nobody owns are ever allowed, or such as
 * have no effect when read. Never tried at ring 0, and never allowed, are ports that end or
 * reset the machine (92h, B2h, F4h, CF9h, 8900h), that report the attempts (E0h, E9h, the
 * serial port's data), and that a read takes something from (60h, 1F0h).
 */
#include "sweep.h"

#define NOBODYS		0x2000u
#define NOBODYS_END	0x2fffu
#define EDGE		0x2800u		/* where a short map ends */

static const struct {
	const char *name;
	u8 size, n, insn[3];
} insns[] = {
	{ "in", 1, 1, { 0xec } },
	{ "out", 1, 1, { 0xee } },
	{ "in", 2, 2, { 0x66, 0xed } },
	{ "in", 4, 1, { 0xed } },
	{ "out", 2, 2, { 0x66, 0xef } },
	{ "out", 4, 1, { 0xef } },
	{ "ins", 1, 1, { 0x6c } },
	{ "outs", 4, 1, { 0x6f } },
	{ "rep ins", 4, 2, { 0xf3, 0x6d } },
	{ "rep outs", 1, 2, { 0xf3, 0x6e } },
};

static u32 size_now;

static void sweep(u32 i, u32 first, u32 last, u32 step)
{
	struct sweep s = { first, last, step, .reg = 2, .n = insns[i].n };

	memcpy(s.insn, insns[i].insn, s.n);
	size_now = insns[i].size;
	at.in.ecx = 1;
	at.in.esi = data_page + 0x10;
	at.in.edi = data_page + 0x20;
	run_sweep(&s);
}

static bool always(u32 port)
{
	(void)port;
	return true;
}

static bool some(u32 port)
{
	u32 i;

	for (i = 0; i < size_now; i++)
		if ((port + i) % 7 < 2)
			return true;
	return false;
}

static bool behind_the_map(u32 port)
{
	/* Two bytes of it are looked at, wherever the bit is. */
	return port / 8 + 1 >= EDGE / 8;
}

static void allow(u32 first, u32 last, bool (*not)(u32 port))
{
	u32 port;

	size_now = 1;
	for (port = first; port <= last; port++)
		if (!not(port))
			tss.map[port / 8] &= ~(1 << port % 8);
}

static bool never(u32 port)
{
	(void)port;
	return false;
}

static void ring3(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		if (begin(3, "%s of %u bytes, ports from 0 to ffff, none allowed", insns[i].name,
			  insns[i].size)) {
			/* An exit each; odd, so that each bit of the map's bytes is met. */
			sweep(i, 0, 0xffff, i == 0 ? 7 : i == 1 ? 13 : 31);
			expect_refused(always);
			end();
		}
		if (insns[i].n == 2 && insns[i].insn[0] == 0xf3)
			continue;	/* ECX would be used up */
		if (begin(3, "%s of %u bytes, some ports allowed", insns[i].name, insns[i].size)) {
			allow(NOBODYS, NOBODYS_END, some);
			sweep(i, NOBODYS, NOBODYS_END - 8, 3);
			expect_refused(some);
			memset(tss.map, 0xff, sizeof(tss.map));
			end();
		}
		if (begin(3, "%s of %u bytes, the map ends", insns[i].name, insns[i].size)) {
			allow(NOBODYS, NOBODYS_END, never);
			gdt[TSS_SEL / 8] = segment((u32)&tss, 0x68 + EDGE / 8 - 1,
						   SEG_P | SEG_TSS);
			asm volatile("ltr %w0" : : "r"(TSS_SEL) : "memory");
			sweep(i, EDGE - 64, EDGE + 64, 1);
			expect_refused(behind_the_map);
			memset(tss.map, 0xff, sizeof(tss.map));
			end();
		}
	}
}

/* Reads at ring 0. Of nobody's ports all is ones; the others say what they like. */
static void reads(void)
{
	static const struct {
		u16 port;
		const char *whose;
	} ports[] = {
		{ 0x21, "interrupt controller" }, { 0xa1, "interrupt controller" },
		{ 0x40, "timer" }, { 0x61, "timer's gate" }, { 0x64, "keyboard controller" },
		{ 0x71, "clock" }, { 0x80, "delay" }, { 0x3f9, "serial port" },
		{ 0x3fd, "serial port" }, { 0xcf8, "PCI" }, { 0xcfc, "PCI" },
		{ 0x18, NULL }, { 0xe4, NULL }, { 0x2000, NULL }, { 0x7abc, NULL },
		{ 0xeffd, NULL }, { 0xfff0, NULL }, { 0xffff, NULL },
	};
	u32 i, size;

	for (i = 0; i < ARRAY_SIZE(ports); i++)
		for (size = 1; size <= 4; size *= 2) {
			if (!begin(0, "in of %u bytes from %x, %s", size, ports[i].port,
				   ports[i].whose ? ports[i].whose : "nobody"))
				continue;
			at.in.edx = ports[i].port;
			code_new();
			if (size == 2)
				emit(0x66);
			emit(size == 1 ? 0xec : 0xed);
			run(code_end());
			expect_done();
			if (ports[i].whose)
				at.by_model = true;
			else
				expect_eq(at.out.eax, size == 1 ? at.in.eax | 0xff :
					  size == 2 ? at.in.eax | 0xffff : ~0u);
			end();
		}
	if (begin(0, "in of 1 byte, nobody's ports")) {
		sweep(0, NOBODYS, NOBODYS_END, 1);
		expect_refused(never);
		end();
	}
	if (begin(0, "out of 4 bytes, nobody's ports")) {
		sweep(5, NOBODYS, NOBODYS_END, 1);
		expect_refused(never);
		end();
	}
}

/* At the edge of the last page, from and to a port that the bitmap allows ring 3. */
static void strings(u32 ring)
{
	static const u8 opcodes[] = { 0x6c, 0x6d, 0x6e, 0x6f };
	u32 i, m, rep;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++)
		for (m = 0; m < N_MAPPINGS; m++)
			for (rep = 0; rep < 2; rep++) {
				bool out = opcodes[i] & 2;
				u32 size = opcodes[i] & 1 ? 4 : 1;
				u32 start = TOP - (rep ? 2 * size : 0);
				int error = access_fault(ring, mappings[m].bits, !out);

				if (!begin(ring, "%s%s %u, port allowed, %s", rep ? "rep " : "",
					   out ? "outs" : "ins", size, mappings[m].name))
					continue;
				top_is(mappings[m].bits);
				allow(NOBODYS, NOBODYS + 7, never);
				at.in.edx = NOBODYS;
				at.in.ecx = 5;
				at.in.esi = start;
				at.in.edi = start;
				code_new();
				if (rep)
					emit(0xf3);
				emit(opcodes[i]);
				run(code_end());
				if (error >= 0)
					expect_pf(error, TOP);
				else
					expect_done();
				expect_eq(at.out.ecx, !rep ? 5 : error >= 0 ? 3 : 0);
				expect_eq(out ? at.out.esi : at.out.edi,
					  start + size * (error < 0 ? (rep ? 5 : 1) : rep ? 2 : 0));
				memset(tss.map, 0xff, sizeof(tss.map));
				end();
			}
}

void guest_main(void)
{
	attempts_begin(false);
	ring3();
	reads();
	strings(0);
	strings(3);
	attempts_end();
}
