// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses that the guest maps nowhere, all over the upper half of its space: somewhere there
 * the monitor keeps the translation cache. Stores, locked accesses and pushes fault as they do
 * where nothing is, and so does all that ring 3 tries; jumps there find no code.
 *
 * Loads at ring 0 inside the cache are a known gap: they find it instead of a fault.
 */
#include "attempt.h"

#define WINDOW	0xfb000000u	/* where the cache is at first */

static u32 ring;

static const u32 places[] = {
	0x80000000, 0xc0000000, 0xf0000000, 0xfa800000, 0xfaffffff,
	WINDOW, WINDOW + 4, WINDOW + 0x80000, WINDOW + 0x80010, WINDOW + 0x81234, WINDOW + 0x90000,
	WINDOW + 0x100000, WINDOW + 0x1ffffe, WINDOW + 0x400000, WINDOW + 0x7ff000,
	WINDOW + 0x7ffffc,
	0xfb800000, 0xfc000000, 0xff000000, 0xffbffffc,
};

static void stores(u32 gva)
{
	if (begin(ring, "store to %x", gva)) {
		at.in.edi = gva;
		run(CODE("movl %%eax, (%%edi)"));
		expect_pf((ring ? PF_U : 0) | PF_W, gva);
		end();
	}
	if (begin(ring, "lock or at %x", gva)) {
		at.in.edi = gva;
		run(CODE("lock orb %%al, (%%edi)"));
		expect_pf((ring ? PF_U : 0) | PF_W, gva);
		end();
	}
	if (begin(ring, "stos to %x", gva)) {
		at.in.edi = gva;
		at.in.ecx = 100;
		run(CODE("rep stosl"));
		expect_pf((ring ? PF_U : 0) | PF_W, gva);
		expect_eq(at.out.ecx, 100);
		end();
	}
	if (begin(ring, "movups to %x", gva & ~15u)) {
		at.in.edi = gva & ~15u;
		run(CODE("movups %%xmm0, (%%edi)"));
		expect_pf((ring ? PF_U : 0) | PF_W, gva & ~15u);
		end();
	}
	if (begin(ring, "push at %x", gva & ~3u)) {
		at.in.esp = (gva & ~3u) + 4;
		run(CODE("pushl %%eax"));
		if (ring)
			expect_pf(PF_U | PF_W, gva & ~3u);
		else
			expect(at.vector == DF && !at.error, "vector %u, not a double fault",
			       at.vector);
		end();
	}
}

static void jumps(u32 gva)
{
	if (begin(ring, "jmp to %x", gva)) {
		at.in.ebx = gva;
		run(CODE("jmp *%%ebx"));
		expect(at.vector == PF && at.error == (ring ? PF_U : 0), "vector %u error %x",
		       at.vector, at.error);
		expect_eq(at.out.eip, gva);
		expect_eq(at.cr2, gva);
		end();
	}
	if (begin(ring, "ret to %x", gva)) {
		at.in.ebx = gva;
		run(CODE("pushl %%ebx; ret"));
		expect(at.vector == PF && at.error == (ring ? PF_U : 0), "vector %u error %x",
		       at.vector, at.error);
		expect_eq(at.out.eip, gva);
		expect_eq(at.cr2, gva);
		end();
	}
}

static void loads(u32 gva)
{
	bool known = !ring && gva - WINDOW < 0x800000;

	if (begin(ring, "%sload from %x", known ? "(known gap) " : "", gva)) {
		at.in.edi = gva;
		run(CODE("movl (%%edi), %%eax"));
		expect_pf(ring ? PF_U : 0, gva);
		end();
	}
}

/* The guest maps a page of its own there: it is the guest's from then on. */
static void own(void)
{
	u32 i, gva = WINDOW + 0x81000;

	for (i = 0; i < 3; i++)
		if (begin(ring, "own page in the cache's place, %s",
			  i == 0 ? "store" : i == 1 ? "load" : "code")) {
			pte_set(&space, gva, data_page | PTE_ALL);
			at.in.edi = gva + 0x10;
			memcpy((void *)(data_page + 0x20), "\xb8\x78\x56\x34\x12\xc3", 6);
			at.in.ebx = gva + 0x20;
			run(i == 0 ? CODE("movl %%eax, (%%edi)") :
			    i == 1 ? CODE("movl (%%edi), %%eax") : CODE("call *%%ebx"));
			expect_done();
			if (i == 0)
				expect_eq(peek(data_page + 0x10), at.in.eax);
			if (i == 1)
				expect_eq(at.out.eax, PATTERN(data_page, 0x10));
			if (i == 2)
				expect_eq(at.out.eax, 0x12345678);
			pte_set(&space, gva, 0);
			invlpg(gva);
			end();
		}
}

void guest_main(void)
{
	u32 i;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		for (i = 0; i < ARRAY_SIZE(places); i++) {
			stores(places[i]);
			jumps(places[i]);
			loads(places[i]);
		}
	}
	for (ring = 0; ring <= 3; ring += 3)
		own();
	attempts_end();
}
