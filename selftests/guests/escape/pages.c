// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables of two levels: entries for the 4 MiB with the monitor page and for those of the
 * translation cache, and changes of entries that are in use. See lib/pages.h.
 */
#include "pages.h"

/*
 * Bits 20:13 of a page of 4 MiB are bits 39:32 of its address where there is PSE-36, which
 * vmon's guests have not; never is the page at the address without them.
 */
static void beyond_32_bits(u32 ring)
{
	u32 i;

	for (i = 13; i <= 20; i++) {
		if (!begin(ring, "large page with bit %u", i))
			continue;
		poke(LARGE + 0x40, 0x87654321);
		entry_is(FREE_VA, LARGE | PTE_ALL | PTE_PS | 1u << i);
		at.in.edi = FREE_VA + 0x40;
		run(CODE("movl %%eax, (%%edi); movl (%%edi), %%ebx"));
		entry_was(FREE_VA);
		at.by_model = true;
		if (on_vmon())
			expect_pf(PF_RSVD | PF_P | PF_W | (ring ? PF_U : 0), FREE_VA + 0x40);
		expect_eq(peek(LARGE + 0x40), 0x87654321);
		end();
	}
}

void guest_main(void)
{
	u32 ring;

	attempts_begin(false);
	write_cr4(read_cr4() | CR4_PSE);
	page_entries();
	page_changes();
	for (ring = 0; ring <= 3; ring += 3)
		beyond_32_bits(ring);
	attempts_end();
}
