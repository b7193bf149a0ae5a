// SPDX-License-Identifier: GPL-2.0
/* PAE paging with NX: what two-level paging does (paging_checks.h), and more. */
#include "paging_checks.h"

static u8 code_page[PAGE] __attribute__((aligned(4096)));

static u32 run_it(u32 fault)
{
	u32 val = 0;

	code_page[0] = 0xb8;	/* mov $0x77, %eax; ret */
	code_page[1] = 0x77;
	code_page[5] = 0xc3;
	TRY("call *%1", : "=a"(val) : "r"(code_page), "0"(0) : "memory", "ecx", "edx");
	if (fault) {
		CHECK_EQ(caught.count, 1);
		CHECK_EQ(caught.vector, PF);
		CHECK_EQ(caught.eip, code_page);
		CHECK_EQ(caught.cr2, code_page);
		CHECK_EQ(caught.error, PF_P | PF_I | (at_ring3() ? PF_U : 0));
		/* The return address that CALL pushed is still there. */
		asm volatile("addl $4, %%esp" : : : "memory", "cc");
	} else {
		CHECK_NO_FAULT();
		CHECK_EQ(val, 0x77);
	}
	return 0;
}

void guest_main(void)
{
	u32 va = (u32)code_page;
	struct space s;

	paging_checks(true);

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NX);
	CHECK_EQ(rdmsr(MSR_EFER), EFER_NX);
	s = space_new(true);
	paging_on(&s);
	run_it(0);
	user_call(run_it, 0);
	pte_set(&s, va, va | PTE_ALL | PTE_NX);
	invlpg(va);
	run_it(1);
	user_call(run_it, 1);
	pte_set(&s, va, va | PTE_ALL);
	invlpg(va);
	run_it(0);
	user_call(run_it, 0);
	/* NX of the directory counts too. */
	pte_set(&s, 0x40000000, va | PTE_ALL);
	TRY("call *%0", : : "r"(0x40000000) : "memory", "eax", "ecx", "edx");
	CHECK_NO_FAULT();
	pde_set(&s, 0x40000000, pde_get(&s, 0x40000000) | PTE_NX);
	write_cr3(s.root);
	TRY("movl 0x40000000, %%eax", : : : "memory", "eax");
	CHECK_NO_FAULT();
	TRY("call *%0", : : "r"(0x40000000) : "memory", "eax", "ecx", "edx");
	CHECK_EQ(caught.vector, PF);
	CHECK_EQ(caught.error, PF_P | PF_I);
	asm volatile("addl $4, %%esp" : : : "memory", "cc");
	/* Reserved bits fault as such. */
	pte_set(&s, va, va | PTE_ALL | 1ull << 60);
	invlpg(va);
	TRY("movl (%0), %%eax", : : "r"(va) : "memory", "eax");
	CHECK_PF(PF_RSVD_P, va);
	pte_set(&s, va, va | PTE_ALL);
	invlpg(va);
	paging_off();
	wrmsr(MSR_EFER, 0);
	s = space_new(true);
	paging_on(&s);
	pte_set(&s, va, va | PTE_ALL | PTE_NX);
	invlpg(va);
	TRY("movl (%0), %%eax", : : "r"(va) : "memory", "eax");
	CHECK_PF(PF_RSVD_P, va);	/* NX without EFER.NXE is reserved */
	pte_set(&s, va, va | PTE_ALL);
	invlpg(va);
	/* PDPT entries are loaded with CR3, not when they are used. */
	u64 saved = *(volatile u64 *)(s.root + 3 * 8);

	poke(s.root + 3 * 8, 0);
	TRY("movl 0xc0000000, %%eax", : : : "memory", "eax");
	CHECK_PF(0, 0xc0000000);
	poke(s.root + 3 * 8, saved);
	/* A reserved bit in a PDPT entry: MOV to CR3 is #GP. */
	poke(s.root + 2 * 8, peek(s.root + 2 * 8) | 2);
	TRY("movl %0, %%cr3", : : "r"(s.root) : "memory");
	if (!on_tcg())
		CHECK_FAULT(GP, 0);
	poke(s.root + 2 * 8, peek(s.root + 2 * 8) & ~2u);
	write_cr3(s.root);
	paging_off();
}
