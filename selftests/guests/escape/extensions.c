// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions of the CPU's extensions, at both rings: time and counters, extended state,
 * protection keys, monitoring, caches, virtualization of any vendor, what ends SMM; and the
 * cache and TLB instructions that take an address, at and around the monitor page and in the
 * translation cache.
 *
 * An instruction that vmon's CPUID does not show may be there all the same at ring 3, where
 * the host's CPU executes it; never one that could reach something of the host's.
 */
#include "attempt.h"

#define CR4_PCE	0x100u
#define CR4_TSD	0x4u
#define WINDOW	0xfb000000u	/* where the translation cache is at first, see cache.c */
#define OSXSAVE	0x08000000u

/* What becomes of it: a vector, or one of these. */
#define OK	DONE
#define MODEL	0xfdu	/* by model: done, #UD or #GP(0) */
#define VMON_UD	0xfcu	/* likewise, but #UD under vmon */

static const struct {
	const char *name;
	u8 n, code[7];
	u8 ring3, ring0;
} insns[] = {
	{ "xgetbv", 3, { 0x0f, 0x01, 0xd0 }, UD, UD },
	{ "xsetbv", 3, { 0x0f, 0x01, 0xd1 }, UD, UD },
	{ "xsave", 3, { 0x0f, 0xae, 0x27 }, UD, UD },
	{ "xrstor", 3, { 0x0f, 0xae, 0x2f }, UD, UD },
	{ "xsaveopt", 3, { 0x0f, 0xae, 0x37 }, UD, UD },
	{ "xsavec", 3, { 0x0f, 0xc7, 0x27 }, UD, UD },
	{ "xsaves", 3, { 0x0f, 0xc7, 0x2f }, UD, UD },
	{ "xrstors", 3, { 0x0f, 0xc7, 0x1f }, UD, UD },
	{ "rdpkru", 3, { 0x0f, 0x01, 0xee }, UD, UD },
	{ "wrpkru", 3, { 0x0f, 0x01, 0xef }, UD, UD },
	{ "vzeroupper", 3, { 0xc5, 0xf8, 0x77 }, UD, UD },
	{ "vmovups", 4, { 0xc5, 0xf8, 0x10, 0x07 }, UD, UD },
	{ "evex vmovups", 6, { 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x07 }, UD, UD },
	{ "xbegin", 6, { 0xc7, 0xf8, 0, 0, 0, 0 }, MODEL, VMON_UD },
	{ "xend", 3, { 0x0f, 0x01, 0xd5 }, MODEL, VMON_UD },
	{ "xtest", 3, { 0x0f, 0x01, 0xd6 }, MODEL, VMON_UD },
	{ "rdfsbase", 4, { 0xf3, 0x0f, 0xae, 0xc0 }, UD, UD },
	{ "rdgsbase", 4, { 0xf3, 0x0f, 0xae, 0xc8 }, UD, UD },
	{ "wrfsbase", 4, { 0xf3, 0x0f, 0xae, 0xd0 }, UD, UD },
	{ "wrgsbase", 4, { 0xf3, 0x0f, 0xae, 0xd8 }, UD, UD },
	{ "swapgs", 3, { 0x0f, 0x01, 0xf8 }, UD, UD },
	{ "rdpid", 4, { 0xf3, 0x0f, 0xc7, 0xf8 }, MODEL, VMON_UD },
	{ "rdtscp", 3, { 0x0f, 0x01, 0xf9 }, MODEL, VMON_UD },
	{ "rdrand", 3, { 0x0f, 0xc7, 0xf0 }, MODEL, MODEL },
	{ "rdseed", 3, { 0x0f, 0xc7, 0xf8 }, MODEL, MODEL },
	{ "clac", 3, { 0x0f, 0x01, 0xca }, UD, VMON_UD },
	{ "stac", 3, { 0x0f, 0x01, 0xcb }, UD, VMON_UD },
	{ "encls", 3, { 0x0f, 0x01, 0xcf }, UD, UD },
	{ "enclu", 3, { 0x0f, 0x01, 0xd7 }, UD, UD },
	{ "enclv", 3, { 0x0f, 0x01, 0xc0 }, UD, UD },
	{ "pconfig", 3, { 0x0f, 0x01, 0xc5 }, UD, UD },
	{ "monitor", 3, { 0x0f, 0x01, 0xc8 }, UD, VMON_UD },
	{ "mwait", 3, { 0x0f, 0x01, 0xc9 }, UD, VMON_UD },
	{ "monitorx", 3, { 0x0f, 0x01, 0xfa }, UD, UD },
	{ "mwaitx", 3, { 0x0f, 0x01, 0xfb }, UD, UD },
	{ "umonitor", 4, { 0xf3, 0x0f, 0xae, 0xf0 }, UD, UD },
	{ "tpause", 4, { 0x66, 0x0f, 0xae, 0xf0 }, UD, UD },
	{ "wbnoinvd", 3, { 0xf3, 0x0f, 0x09 }, GP, OK },
	{ "invpcid", 5, { 0x66, 0x0f, 0x38, 0x82, 0x07 }, MODEL, VMON_UD },
	{ "invept", 5, { 0x66, 0x0f, 0x38, 0x80, 0x07 }, UD, UD },
	{ "invvpid", 5, { 0x66, 0x0f, 0x38, 0x81, 0x07 }, UD, UD },
	{ "vmresume", 3, { 0x0f, 0x01, 0xc3 }, UD, UD },
	{ "vmxoff", 3, { 0x0f, 0x01, 0xc4 }, UD, UD },
	{ "vmfunc", 3, { 0x0f, 0x01, 0xd4 }, UD, UD },
	{ "vmread", 3, { 0x0f, 0x78, 0xc1 }, UD, UD },
	{ "vmwrite", 3, { 0x0f, 0x79, 0xc1 }, UD, UD },
	{ "vmptrld", 3, { 0x0f, 0xc7, 0x37 }, UD, UD },
	{ "vmptrst", 3, { 0x0f, 0xc7, 0x3f }, UD, UD },
	{ "vmclear", 4, { 0x66, 0x0f, 0xc7, 0x37 }, UD, UD },
	{ "vmxon", 4, { 0xf3, 0x0f, 0xc7, 0x37 }, UD, UD },
	{ "getsec", 2, { 0x0f, 0x37 }, UD, UD },
	{ "vmrun", 3, { 0x0f, 0x01, 0xd8 }, UD, UD },
	{ "vmload", 3, { 0x0f, 0x01, 0xda }, UD, UD },
	{ "vmsave", 3, { 0x0f, 0x01, 0xdb }, UD, UD },
	{ "stgi", 3, { 0x0f, 0x01, 0xdc }, UD, UD },
	{ "clgi", 3, { 0x0f, 0x01, 0xdd }, UD, UD },
	{ "skinit", 3, { 0x0f, 0x01, 0xde }, UD, UD },
	{ "invlpga", 3, { 0x0f, 0x01, 0xdf }, UD, UD },
	{ "clzero", 3, { 0x0f, 0x01, 0xfc }, UD, UD },
	{ "rdpru", 3, { 0x0f, 0x01, 0xfd }, UD, UD },
	{ "rdssp", 4, { 0xf3, 0x0f, 0x1e, 0xc8 }, OK, OK },
	{ "endbr32", 4, { 0xf3, 0x0f, 0x1e, 0xfb }, OK, OK },
	{ "setssbsy", 4, { 0xf3, 0x0f, 0x01, 0xe8 }, UD, UD },
	{ "lfence", 3, { 0x0f, 0xae, 0xe8 }, OK, OK },
	{ "mfence", 3, { 0x0f, 0xae, 0xf0 }, OK, OK },
	{ "sfence", 3, { 0x0f, 0xae, 0xf8 }, OK, OK },
	{ "pause", 2, { 0xf3, 0x90 }, OK, OK },
	{ "0f 36", 2, { 0x0f, 0x36 }, UD, UD },
	{ "loadall", 2, { 0x0f, 0x07 }, UD, UD },
	{ "0f a6 c0", 3, { 0x0f, 0xa6, 0xc0 }, UD, UD },
	{ "0f a7 c0", 3, { 0x0f, 0xa7, 0xc0 }, UD, UD },
	{ "cpuid of VIA's", 2, { 0x0f, 0x3f }, UD, UD },
};

static void instructions(u32 ring)
{
	u32 i, want;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		if (!begin(ring, "%s", insns[i].name))
			continue;
		want = ring ? insns[i].ring3 : insns[i].ring0;
		at.in.eax = data_page;
		at.in.ecx = 0;
		at.in.edx = 0;
		at.in.edi = data_page + 0x40;
		code_new();
		emit_bytes(insns[i].code, insns[i].n);
		run(code_end());
		if (want == VMON_UD && on_vmon())
			expect_fault(UD, 0);
		else if (want == MODEL || want == VMON_UD)
			expect(at.vector == DONE ||
			       (!at.error && (at.vector == UD || at.vector == GP)),
			       "vector %u error %x", at.vector, at.error);
		else if (want == OK)
			expect_done();
		else
			expect_fault(want, 0);
		at.by_model = want == MODEL || want == VMON_UD;
		end();
	}
}

/* --- time, counters, identification --- */

static void counters(u32 ring)
{
	u32 pce, i;

	for (pce = 0; pce < 2; pce++)
		for (i = 0; i < 3; i++) {
			static const u32 numbers[] = { 0, 0x40000000, 0xfffffff0 };

			if (!begin(ring, "rdpmc of %x, %s", numbers[i],
				   pce ? "PCE set" : "PCE clear"))
				continue;
			write_cr4((read_cr4() & ~CR4_PCE) | (pce ? CR4_PCE : 0));
			at.in.ecx = numbers[i];
			run(CODE("rdpmc"));
			write_cr4(read_cr4() & ~CR4_PCE);
			/* vmon's guests have no counters. */
			if ((ring && !pce) || on_vmon())
				expect_fault(GP, 0);
			at.by_model = !ring || pce;
			end();
		}
	for (i = 0; i < 2; i++)
		if (begin(ring, "rdtsc twice, %s", i ? "TSD set" : "TSD clear")) {
			if (i)
				write_cr4(read_cr4() | CR4_TSD);
			run(CODE("rdtsc; movl %%eax, %%ebx; movl %%edx, %%ecx; rdtsc;"
				 "subl %%ebx, %%eax; sbbl %%ecx, %%edx"));
			write_cr4(read_cr4() & ~CR4_TSD);
			at.flags = ~FL_ARITH;
			if (i && ring) {
				expect_fault(GP, 0);
			} else {
				expect_done();
				expect(at.out.edx == 0, "time goes by %x:%x", at.out.edx,
				       at.out.eax);
				at.out.eax = 0;
				at.out.ebx = 0;
				at.out.ecx = 0;
			}
			end();
		}
	for (i = 0; i < 2; i++)
		if (begin(ring, "rdtscp with TSD, prefix %u", i)) {
			write_cr4(read_cr4() | CR4_TSD);
			code_new();
			if (i)
				emit(0x66);
			emit_bytes("\x0f\x01\xf9", 3);
			run(code_end());
			write_cr4(read_cr4() & ~CR4_TSD);
			at.by_model = true;
			if (ring)
				expect(!at.error && (at.vector == GP || at.vector == UD),
				       "vector %u", at.vector);
			else if (on_vmon())
				expect_fault(UD, 0);
			end();
		}
}

static void identification(u32 ring)
{
	static const u32 leaves[] = {
		0, 1, 2, 4, 7, 0xa, 0xd, 0x15, 0x16, 0x40000000, 0x40000001, 0x80000000, 0x80000001,
		0x80000008, 0x8fffffff, 0xffffffff,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (!begin(ring, "cpuid %x", leaves[i]))
			continue;
		at.in.eax = leaves[i];
		at.in.ecx = 0;
		run(CODE("cpuid"));
		at.by_model = true;
		expect_done();
		if (leaves[i] == 1)
			expect_eq(at.out.ecx & OSXSAVE, 0);
		if (!on_vmon() || ring) {
			end();
			continue;
		}
		switch (leaves[i]) {
		case 0x40000000:
			expect_eq(at.out.ebx, 0x6e6f6d76);
			break;
		case 1:
			/* A hypervisor; no VMX, SMX, x2APIC, XSAVE. */
			expect_eq(at.out.ecx, 1u << 31);
			break;
		case 4:
		case 0xa:
		case 0xd:
		case 0x40000001:
		case 0x8fffffff:
		case 0xffffffff:
			expect_eq(at.out.eax | at.out.ebx | at.out.ecx | at.out.edx, 0);
			break;
		}
		end();
	}
}

/* --- with an address --- */

static const struct {
	const char *name;
	u8 n, code[5];
	bool loads;	/* an access like a load; else none */
	bool privileged;
} addressed[] = {
	{ "clflush", 3, { 0x0f, 0xae, 0x3f }, true, false },
	{ "prefetchnta", 3, { 0x0f, 0x18, 0x07 }, false, false },
	{ "prefetcht0", 3, { 0x0f, 0x18, 0x0f }, false, false },
	{ "prefetcht2", 3, { 0x0f, 0x18, 0x1f }, false, false },
	{ "nop of memory", 3, { 0x0f, 0x1f, 0x07 }, false, false },
	{ "lea", 2, { 0x8d, 0x07 }, false, false },
	{ "invlpg", 3, { 0x0f, 0x01, 0x3f }, false, true },
};

static void at_addresses(u32 ring)
{
	static const u32 places[] = {
		BELOW + 0xfff, TOP, TOP + 0x100, TOP + 0xfff, ZERO, WINDOW, WINDOW + 0x80000,
		WINDOW + 0x81234, WINDOW + 0x7fffff,
	};
	u32 i, k, m;

	for (i = 0; i < ARRAY_SIZE(addressed); i++)
		for (k = 0; k < ARRAY_SIZE(places); k++) {
			bool gap = !ring && addressed[i].loads && places[k] - WINDOW < 0x800000;
			bool inside = places[k] >= TOP;

			for (m = 0; m < (inside ? 2u : 1u); m++) {
				bool absent = (inside && !m) || places[k] - WINDOW < 0x800000;

				if (!begin(ring, "%s%s at %x, %s", gap ? "(known gap) " : "",
					   addressed[i].name, places[k],
					   absent ? "absent" : "mapped"))
					continue;
				top_is(m ? PTE_ALL : 0);
				at.in.edi = places[k];
				code_new();
				emit_bytes(addressed[i].code, addressed[i].n);
				run(code_end());
				if (addressed[i].privileged && ring)
					expect_fault(GP, 0);
				else if (addressed[i].loads && absent)
					expect_pf(ring ? PF_U : 0, places[k]);
				else
					expect_done();
				end();
			}
		}
}

/* INVLPG there, and what was mapped there before is gone; and not what is mapped now. */
static void invalidated(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		u32 va = i ? BELOW : TOP;

		if (!begin(0, "invlpg of %x makes another frame of it", va))
			continue;
		pte_set(&space, va, zero_frame | PTE_ALL);
		invlpg(va);
		at.in.edi = va;
		at.in.esi = pte_addr(&space, va);
		at.in.edx = data_page | PTE_ALL;
		run(CODE("movl (%%edi), %%eax; movl %%edx, (%%esi);"
			 "invlpg (%%edi); movl (%%edi), %%ebx"));
		expect_done();
		expect_eq(at.out.eax, PATTERN(zero_frame, 0));
		expect_eq(at.out.ebx, PATTERN(data_page, 0));
		end();
	}
}

void guest_main(void)
{
	u32 ring;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		instructions(ring);
		counters(ring);
		identification(ring);
		at_addresses(ring);
	}
	invalidated();
	attempts_end();
}
