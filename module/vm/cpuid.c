// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID: a 32-bit processor of family 6 with SSE2 and without the features
 * that nobody here emulates (MCE, MTRR, PAT, VME, PSE-36, APIC unless present).
 * The leaves are a table; SDM vol. 2, CPUID.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "vm/cpuid.h"

/* Leaf 1, EDX. */
#define F_FPU	BIT(0)
#define F_DE	BIT(2)
#define F_PSE	BIT(3)
#define F_TSC	BIT(4)
#define F_MSR	BIT(5)
#define F_PAE	BIT(6)
#define F_CX8	BIT(8)
#define F_APIC	BIT(9)
#define F_SEP	BIT(11)
#define F_PGE	BIT(13)
#define F_CMOV	BIT(15)
#define F_CLFSH	BIT(19)
#define F_MMX	BIT(23)
#define F_FXSR	BIT(24)
#define F_SSE	BIT(25)
#define F_SSE2	BIT(26)
#define FEATURES (F_FPU | F_DE | F_PSE | F_TSC | F_MSR | F_PAE | F_CX8 | \
		  F_SEP | F_PGE | F_CMOV | F_CLFSH | F_MMX | F_FXSR | F_SSE | \
		  F_SSE2)
#define F_HYPERVISOR	BIT(31)	/* ECX */
#define F_TSC_ADJUST	BIT(1)	/* leaf 7, EBX */
#define F_ARCH_CAPABILITIES BIT(29)	/* leaf 7, EDX */
#define F_INVARIANT_TSC	BIT(8)	/* leaf 80000007, EDX */
#define F_NX		BIT(20)	/* leaf 80000001, EDX */

struct leaf {
	u32 leaf, eax, ebx, ecx, edx;
};

static const struct leaf leaves[] = {
	{ 0x00000000, 7, 0x756e6547, 0x6c65746e, 0x49656e69 }, /* GenuineIntel */
	{ 0x00000001, VMON_CPUID_SIGNATURE, 8 << 8, F_HYPERVISOR, FEATURES },
	{ 0x00000002, 0x02b3b001, 0x000000f0, 0, 0x2c04307d },
	{ 0x40000000, 0x40000000, 0x6e6f6d76, 0x6e6f6d76, 0x6e6f6d76 },
	{ 0x80000000, 0x80000008, 0, 0, 0 },
	{ 0x80000001, 0, 0, 0, 0 },
	{ 0x80000006, 0, 0, 0x08006040, 0 },
	{ 0x80000008, 32 << 8 | VMON_PHYS_BITS, 0, 0, 0 },
};

static const char brand[48] = "vmon virtual CPU";

void vmon_cpuid(u32 *eax, u32 *ebx, u32 *ecx, u32 *edx, bool nx, bool apic,
		u32 tsc_khz)
{
	u32 leaf = *eax, subleaf = *ecx, part[4];
	unsigned int i;

	*eax = 0;
	*ebx = 0;
	*ecx = 0;
	*edx = 0;
	if (leaf >= 0x80000002 && leaf <= 0x80000004) {
		memcpy(part, brand + (leaf - 0x80000002) * 16, sizeof(part));
		*eax = part[0];
		*ebx = part[1];
		*ecx = part[2];
		*edx = part[3];
		return;
	}
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (leaves[i].leaf != leaf)
			continue;
		*eax = leaves[i].eax;
		*ebx = leaves[i].ebx;
		*ecx = leaves[i].ecx;
		*edx = leaves[i].edx;
	}
	switch (leaf) {
	case 0:
		if (tsc_khz)
			*eax = 0x16;
		break;
	case 7:
		/* Subleaf 0 only. */
		if (subleaf)
			break;
		*ebx = tsc_khz ? F_TSC_ADJUST : 0;
		*edx = F_ARCH_CAPABILITIES;
		break;
	case 0x15:
		/* TSC = ECX * EBX / EAX: a crystal of 1 MHz */
		if (tsc_khz) {
			*eax = 1000;
			*ebx = tsc_khz;
			*ecx = 1000000;
		}
		break;
	case 0x16:
		*eax = tsc_khz / 1000;
		*ebx = tsc_khz / 1000;
		break;
	case 0x80000007:
		*edx = tsc_khz ? F_INVARIANT_TSC : 0;
		break;
	}
	if (leaf == 1 && apic)
		*edx |= F_APIC;
	if (leaf == 0x80000001 && nx)
		*edx |= F_NX;
}
