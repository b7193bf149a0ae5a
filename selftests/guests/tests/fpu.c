// SPDX-License-Identifier: GPL-2.0
/* x87 and SSE at ring 0 and ring 3: state is kept, #NM lets a kernel switch it lazily,
 * #MF and #XM arrive, CR4.OSFXSR counts.
 */
#include "guest.h"

static u8 areas[2][512] __attribute__((aligned(16)));
static volatile u32 switches, owner;

static void fill(u32 seed)
{
	u32 in[4] = { seed, seed * 3, seed * 5, seed * 7 };

	asm volatile("fninit; fildl (%0); fildl 4(%0); movups (%0), %%xmm0; movups (%0), %%xmm7"
		     : : "r"(in) : "memory");
}

static bool holds(u32 seed)
{
	u32 in[4] = { seed, seed * 3, seed * 5, seed * 7 }, out[8], low, high;

	asm volatile("movups %%xmm0, (%0); movups %%xmm7, 16(%0)" : : "r"(out) : "memory");
	asm volatile("fistpl %0; fistpl %1; fildl %1; fildl %0" : "=m"(high), "=m"(low));
	return low == in[0] && high == in[1] && !memcmp(in, out, 16) && !memcmp(in, out + 4, 16);
}

static u32 keep(u32 seed)
{
	u32 i;

	fill(seed);
	for (i = 0; i < 100; i++) {
		asm volatile("int $0x80" : : : "eax", "memory");
		if (!holds(seed))
			CHECK(holds(seed));
	}
	return seed;
}

static void nothing(struct frame *f)
{
	(void)f;
}

/* Lazy switching between two owners. */
static void lazy(struct frame *f)
{
	(void)f;
	asm volatile("clts");
	switches++;
	asm volatile("fxsave %0" : "=m"(areas[owner]));
	owner ^= 1;
	asm volatile("fxrstor %0" : : "m"(areas[owner]));
}

static u32 user_holds(u32 seed)
{
	return holds(seed);
}

static u32 exceptions(u32 ring)
{
	static const u32 one = 0x3f800000, zero;
	u32 mxcsr = 0x1f80 & ~0x200;	/* divide by zero unmasked */
	u16 cw = 0x37f & ~4, sw;

	(void)ring;
	/* The x87 reports at the next waiting instruction. */
	asm volatile("fninit; fldcw %0; flds %1; fdivs %2" : : "m"(cw), "m"(one), "m"(zero));
	TRY_PLAIN("fwait");
	CHECK_FAULT(MF, 0);
	asm volatile("fnstsw %0; fnclex" : "=m"(sw));
	CHECK_EQ(sw & 0x84, 0x84);
	TRY_PLAIN("fwait");
	CHECK_NO_FAULT();
	asm volatile("fninit");
	asm volatile("ldmxcsr %0; movss %1, %%xmm1" : : "m"(mxcsr), "m"(one));
	TRY("divss %0, %%xmm1", : : "m"(zero) : "memory");
	if (caught.count)
		CHECK_FAULT(XM, 0);
	else
		skip("the processor here does not raise #XM");
	mxcsr = 0x1f80;
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
	/* A misaligned operand. */
	TRY("movaps (%0), %%xmm0", : : "r"(areas[0] + 4) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("fxsave (%0)", : : "r"(areas[0] + 4) : "memory");
	CHECK_FAULT(GP, 0);
	mxcsr = 0xffff0000;
	TRY("ldmxcsr %0", : : "m"(mxcsr) : "memory");
	if (caught.count)
		CHECK_FAULT(GP, 0);
	return ring;
}

static u32 paged(u32 user)
{
	u32 in[4] = { 1, 2, 3, 4 };

	asm volatile("movups (%0), %%xmm3" : : "r"(in));
	TRY("movups %%xmm3, (%0)", : : "r"(0x40000000 + PAGE - 8) : "memory");
	CHECK_PF(user | PF_W, 0x40000000 + PAGE);
	TRY("fildl (%0)", : : "r"(0x40000000 + PAGE) : "memory");
	CHECK_PF(user, 0x40000000 + PAGE);
	TRY("movups %%xmm3, (%0)", : : "r"(0x40000000 + PAGE - 16) : "memory");
	CHECK_NO_FAULT();
	CHECK_EQ(peek(0x40000000 + PAGE - 4), 4);
	return user;
}

void guest_main(void)
{
	struct space s;
	u32 i;

	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	TRY_PLAIN("xorps %%xmm0, %%xmm0");
	if (!on_tcg())
		CHECK_FAULT(UD, 0);		/* no OSFXSR */
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	trap_hook[0x80] = nothing;
	keep(0x01020304);
	CHECK_EQ(user_call(keep, 0x0a0b0c0d), 0x0a0b0c0d);
	CHECK(holds(0x0a0b0c0d));

	trap_hook[NM] = lazy;
	fill(0x1111);
	asm volatile("fxsave %0" : "=m"(areas[0]));
	fill(0x2222);
	owner = 1;
	for (i = 0; i < 100; i++) {
		write_cr0(read_cr0() | CR0_TS);
		if (i & 1)
			CHECK(holds(i & 1 ? 0x2222 : 0x1111));
		else
			CHECK(user_call(user_holds, i & 1 ? 0x2222 : 0x1111));
		CHECK_EQ(switches, i + 1);
		CHECK_EQ(read_cr0() & CR0_TS, 0);
	}
	trap_hook[NM] = NULL;

	exceptions(0);
	user_call(exceptions, 3);

	s = space_new(false);
	paging_on(&s);
	pte_set(&s, 0x40000000, page_alloc() | PTE_ALL);
	paged(0);
	user_call(paged, PF_U);
	/* SSE stores into a page table. */
	u32 entries[4] = { page_alloc() | PTE_ALL, page_alloc() | PTE_ALL, 0, 0 };

	pte_set(&s, 0x50000000, 0);
	asm volatile("movups (%0), %%xmm0; movups %%xmm0, (%1)"
		     : : "r"(entries), "r"(pte_addr(&s, 0x50000000)) : "memory");
	poke(0x50000000, 0x77);
	poke(0x50001000, 0x78);
	CHECK_EQ(peek(entries[0] & ~0xfffu), 0x77);
	CHECK_EQ(peek(entries[1] & ~0xfffu), 0x78);
	TRY("movl 0x50002000, %%eax", : : : "memory", "eax");
	CHECK_PF(0, 0x50002000);
	paging_off();
}
