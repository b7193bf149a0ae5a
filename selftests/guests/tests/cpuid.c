// SPDX-License-Identifier: GPL-2.0
/* CPUID promises nothing that does not work, the same at both rings; RDTSC goes
 * forward; unknown MSRs are #GP.
 */
#include "guest.h"

static u32 leaf1[4];

static u32 same(u32 arg)
{
	u32 r[4];

	cpuid(1, r);
	if (r[0] != leaf1[0]) {
		/* It does not trap, but on processors with CPUID faulting. */
		skip("CPUID at ring 3 is the processor's own");
		return arg;
	}
	CHECK_EQ(r[0], leaf1[0]);
	CHECK_EQ(r[3], leaf1[3]);
	CHECK_EQ(r[2] & ~(1u << 27), leaf1[2] & ~(1u << 27));
	return arg;
}

static u32 time_flies(u32 arg)
{
	u64 last = rdtsc(), now;
	u32 i;

	for (i = 0; i < 2000; i++) {
		now = rdtsc();
		if (now < last)
			CHECK(now >= last);
		last = now;
	}
	CHECK(last != 0);
	return arg;
}

void guest_main(void)
{
	static const u32 unknown[] = {
		0x12345, 0xc0000100 ^ 0x5555, 0x4b564d00, 0x00000400 ^ 0xf000, 0xffffffff
	};
	u32 r[4], i, max;
	u64 tsc;

	cpuid(0, r);
	max = r[0];
	CHECK(max >= 1);
	cpuid(1, leaf1);
	same(0);
	user_call(same, 3);
	CHECK(leaf1[3] & 1 << 15);			/* CMOV: Debian wants it */
	CHECK(leaf1[3] & 1 << 4);
	if (!on_tcg()) {
		CHECK_EQ(leaf1[3] & 1 << 9, 0);		/* no APIC */
		CHECK_EQ(leaf1[3] & 1 << 1, 0);		/* no VME */
		CHECK_EQ(leaf1[3] & 1 << 7, 0);		/* no MCE */
		CHECK_EQ(leaf1[3] & 1 << 12, 0);	/* no MTRR */
		CHECK_EQ(leaf1[3] & 1 << 28, 0);	/* no HTT */
		CHECK_EQ(leaf1[2] & 1 << 5, 0);		/* no VMX */
		CHECK_EQ(leaf1[2] & 1 << 26, 0);	/* no XSAVE */
		CHECK_EQ(leaf1[2] & 1 << 3, 0);		/* no MONITOR */
		cpuid(0x80000001, r);
		CHECK_EQ(r[3] & 1 << 29, 0);		/* no long mode */
		CHECK_EQ(r[3] & 1 << 11, 0);		/* no SYSCALL */
		CHECK_EQ(r[2] & 1 << 2, 0);		/* no SVM */
		/* CR4 takes what CPUID names, and refuses the rest. */
		for (i = 0; i < 32; i++) {
			TRY("movl %0, %%cr4", : : "r"(1u << i) : "memory");
			if (i == 2 || i == 3 || i == 4 || i == 5 || i == 7 || i == 8 ||
			    i == 9 || i == 10)
				continue;
			CHECK_FAULT(GP, 0);
		}
		write_cr4(0);
		TRY("movl %0, %%cr4", : : "r"(CR4_PSE | CR4_PAE | CR4_PGE | CR4_OSFXSR) : "memory");
		CHECK_NO_FAULT();
		CHECK_EQ(read_cr4(), CR4_PSE | CR4_PAE | CR4_PGE | CR4_OSFXSR);
		write_cr4(0);
		TRY_PLAIN(".byte 0x0f, 0x05");		/* syscall */
		CHECK_FAULT(UD, 0);
		TRY_PLAIN(".byte 0x0f, 0x01, 0xc1");	/* vmcall */
		CHECK_FAULT(UD, 0);
		TRY("xorl %%ecx, %%ecx; .byte 0x0f, 0x01, 0xd0", : : : "eax", "ecx", "edx", "memory");
		CHECK_EQ(caught.vector, UD);		/* xgetbv */
	}
	/* PG without PE, NW without CD. */
	if (!on_tcg()) {
		TRY("movl %0, %%cr0", : : "r"(CR0_PG | CR0_ET) : "memory");
		CHECK_FAULT(GP, 0);
		TRY("movl %0, %%cr0", : : "r"(read_cr0() | 1 << 29) : "memory");
		CHECK_FAULT(GP, 0);
	}
	CHECK_EQ(read_cr0() & (CR0_PE | CR0_PG), CR0_PE);

	for (i = 0; i < ARRAY_SIZE(unknown) && !on_tcg(); i++) {
		TRY("rdmsr", : : "c"(unknown[i]) : "memory", "eax", "edx");
		CHECK_FAULT(GP, 0);
		TRY("wrmsr", : : "c"(unknown[i]), "a"(0), "d"(0) : "memory");
		CHECK_FAULT(GP, 0);
	}
	wrmsr(MSR_SYSENTER_ESP, 0x12345678);
	CHECK_EQ(rdmsr(MSR_SYSENTER_ESP), 0x12345678);
	time_flies(0);
	user_call(time_flies, 3);
	if (on_tcg())
		return;
	tsc = rdtsc();
	wrmsr(0x10, 0);
	CHECK(rdtsc() < tsc || tsc < 100000000);
	wrmsr(0x10, 0x100000000000ull);
	CHECK(rdtsc() >= 0x100000000000ull);
	CHECK(rdtsc() < 0x200000000000ull);
	time_flies(0);
}
