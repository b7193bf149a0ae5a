// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables of the PAE format: all of pages.c, and what only this format has: no-execute,
 * frame numbers beyond 32 bits, directory pointers and their reserved bits.
 */
#include "pages.h"

#define FAR	0x40000000u
#define HIGH(n)	(1ull << (n))

/* --- XSA-173: frame numbers beyond 32 bits --- */

static void high_frames(u32 ring)
{
	static const struct {
		u8 bit;
		bool reserved, by_model;
	} bits[] = {
		/* vmon's guests have 36 bits of physical address, the bare CPU some more. */
		{ 32, false, false }, { 33, false, false }, { 35, false, false },
		{ 36, true, true }, { 39, true, true }, { 40, true, false }, { 51, true, false },
		{ 52, true, false }, { 62, true, false }, { 63, true, false },
	};
	u32 i, level, write;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		for (level = 1; level <= 2; level++)
			for (write = 0; write < 2; write++) {
				u32 frame = level == 1 ? data_page : LARGE, va;
				u32 error = (write ? PF_W : 0) | (ring ? PF_U : 0);

				if (!begin(ring, "%s %s with bit %u",
					   write ? "store to" : "load of",
					   level == 1 ? "page" : "large page", bits[i].bit))
					continue;
				poke(frame + 0x40, 0x12345678);
				va = level == 1 ? FAR : FREE_VA;
				if (level == 1)
					pte_set(&space, va, frame | PTE_ALL | HIGH(bits[i].bit));
				else
					pde_set(&space, va, frame | PTE_ALL | PTE_PS |
						HIGH(bits[i].bit));
				invlpg(va);
				at.in.edi = va + 0x40;
				run(write ? CODE("movl %%eax, (%%edi)") :
				    CODE("movl (%%edi), %%ebx"));
				if (level == 1)
					pte_set(&space, va, 0);
				else
					pde_set(&space, va, 0);
				invlpg(va);
				at.by_model = bits[i].by_model;
				if (bits[i].reserved && (!bits[i].by_model || on_vmon())) {
					expect_pf(error | PF_RSVD | PF_P, va + 0x40);
				} else if (!bits[i].by_model) {
					expect_done();
					if (!write)
						expect_eq(at.out.ebx, ~0u);
				}
				expect_eq(peek(frame + 0x40), 0x12345678);
				end();
			}
}

/* --- no-execute --- */

static void no_execute(u32 ring)
{
	static const char *const wheres[] = { "page", "table", "large page" };
	u32 where, nxe, exec;

	for (where = 0; where < 3; where++)
		for (nxe = 0; nxe < 2; nxe++)
			for (exec = 0; exec < 2; exec++) {
				u32 va = where == 2 ? FREE_VA : FAR;
				u32 frame = where == 2 ? LARGE : data_page, error = 0;

				if (!begin(ring, "%s of a no-execute %s, NXE %s",
					   exec ? "execution" : "load", wheres[where],
					   nxe ? "set" : "clear"))
					continue;
				poke(frame + 0x40, 0x82cd40);	/* incl %eax; int DONE */
				if (where == 2) {
					pde_set(&space, va, frame | PTE_ALL | PTE_PS | PTE_NX);
				} else {
					pte_set(&space, va, frame | PTE_ALL |
						(where ? 0 : PTE_NX));
					if (where)
						pde_set(&space, va, pde_get(&space, va) | PTE_NX);
				}
				wrmsr(MSR_EFER, nxe ? EFER_NX : 0);
				write_cr3(space.root);
				at.in.edi = va + 0x40;
				if (exec)
					at.in.eip = va + 0x40;
				run(exec ? va + 0x40 : CODE("movl (%%edi), %%ebx"));
				wrmsr(MSR_EFER, 0);
				if (where == 2)
					pde_set(&space, va, 0);
				else
					pde_set(&space, va, pde_get(&space, va) & ~PTE_NX);
				if (where != 2)
					pte_set(&space, va, 0);
				write_cr3(space.root);
				if (!nxe)
					error = PF_RSVD | PF_P;
				else if (exec)
					error = PF_P | PF_I;
				if (error)
					expect_pf(error | (ring ? PF_U : 0), va + 0x40);
				else
					expect_done();
				end();
			}
}

/* --- directory pointers --- */

static u32 pointers[8] __attribute__((aligned(32)));

static void copy_pointers(void)
{
	memcpy(pointers, (void *)space.root, 32);
}

static void directory_pointers(void)
{
	static const struct {
		u8 bit;
		bool fine;
	} bits[] = {
		{ 1, false }, { 2, false }, { 3, true }, { 4, true }, { 5, false }, { 6, false },
		{ 7, false }, { 8, false }, { 9, true }, { 11, true }, { 51, false },
		{ 52, false }, { 62, false }, { 63, false },
	};
	u32 i, present, which;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		for (present = 0; present < 2; present++)
			for (which = 1; which < 4; which += 2) {
				bool fine = bits[i].fine || !present;

				if (!begin(0, "mov to cr3, bit %u in pointer %u, %s",
					   bits[i].bit, which, present ? "present" : "absent"))
					continue;
				copy_pointers();
				if (!present)
					pointers[which * 2] &= ~PTE_P;
				pointers[which * 2 + bits[i].bit / 32] |= 1u << bits[i].bit % 32;
				at.in.eax = (u32)pointers;
				run(CODE("movl %%eax, %%cr3; movl %%cr3, %%ebx"));
				write_cr3(space.root);
				if (fine) {
					expect_done();
					expect_eq(at.out.ebx, pointers);
				} else {
					expect_fault(GP, 0);
				}
				end();
			}
	if (begin(0, "a directory pointer is changed, and used before cr3 is loaded")) {
		copy_pointers();
		pte_set(&space, FAR, data_page | PTE_ALL);
		at.in.eax = (u32)pointers;
		at.in.esi = (u32)&pointers[2];
		at.in.edi = FAR;
		run(CODE("movl %%eax, %%cr3; movl $0, (%%esi); movl (%%edi), %%ebx;"
			 "invlpg (%%edi); movl (%%edi), %%ecx;"
			 "movl %%eax, %%cr3; movl (%%edi), %%edx"));
		expect(at.vector == PF && at.cr2 == FAR && !at.error, "vector %u error %x cr2 %x",
		       at.vector, at.error, at.cr2);
		expect_eq(at.out.ebx, PATTERN(data_page, 0));
		expect_eq(at.out.ecx, PATTERN(data_page, 0));
		write_cr3(space.root);
		pte_set(&space, FAR, 0);
		end();
	}
	if (begin(0, "mov to cr4 loads directory pointers, one is bad")) {
		copy_pointers();
		at.in.eax = (u32)pointers;
		at.in.esi = (u32)&pointers[2];
		at.in.edx = read_cr4() ^ CR4_PGE;
		run(CODE("movl %%eax, %%cr3; orl $2, (%%esi); movl %%edx, %%cr4"));
		expect(at.vector == GP && !at.error, "vector %u error %x", at.vector, at.error);
		expect_eq(read_cr4(), at.in.edx ^ CR4_PGE);
		write_cr3(space.root);
		end();
	}
	for (i = 0; i < 2; i++)
		if (begin(i ? 3 : 0, "a directory where no memory is")) {
			copy_pointers();
			pointers[2] = NOWHERE | PTE_P;
			write_cr3((u32)pointers);
			at.in.edi = FAR + 0x40;
			run(CODE("movl (%%edi), %%ebx"));
			write_cr3(space.root);
			expect_pf(PF_RSVD | PF_P | (i ? PF_U : 0), FAR + 0x40);
			end();
		}
	for (i = 0; i < 2; i++)
		if (begin(i ? 3 : 0, "a directory for two GiB")) {
			copy_pointers();
			pointers[4] = pointers[2];
			pte_set(&space, FAR, data_page | PTE_ALL);
			write_cr3((u32)pointers);
			at.in.edi = FAR + 0x40;
			at.in.esi = FAR + 0x40000040;
			run(CODE("movl %%eax, (%%edi); movl (%%esi), %%ebx;"
				 "movl $7, (%%esi); movl (%%edi), %%ecx"));
			write_cr3(space.root);
			expect_done();
			expect_eq(at.out.ebx, at.in.eax);
			expect_eq(at.out.ecx, 7);
			pte_set(&space, FAR, 0);
			end();
		}
}

void guest_main(void)
{
	u32 ring;

	attempts_begin(true);
	page_entries();
	page_changes();
	for (ring = 0; ring <= 3; ring += 3) {
		high_frames(ring);
		no_execute(ring);
	}
	directory_pointers();
	attempts_end();
}
