/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CPU model that guests see.
 *
 * A feature is shown only if the emulator, the translator and direct execution
 * all give it to the guest in the same way. Pure.
 */
#ifndef VMON_VM_CPUID_H
#define VMON_VM_CPUID_H

#include <linux/types.h>

/* Family 6, model 14, stepping 8. */
#define VMON_CPUID_SIGNATURE	0x000006e8u

/* Width of guest physical addresses, for CPUID and for reserved bits. */
#define VMON_PHYS_BITS		36

/**
 * vmon_cpuid() - CPUID
 * @eax: leaf in, result out
 * @ebx: result
 * @ecx: subleaf in, result out
 * @edx: result
 * @nx:	the guest gets PAE paging with no-execute
 * @apic: the guest has a local APIC
 * @tsc_khz: rate of the time-stamp counter if it is constant and known, else 0.
 *	Guests need not measure it then against a timer that is slow to reach
 */
void vmon_cpuid(u32 *eax, u32 *ebx, u32 *ecx, u32 *edx, bool nx, bool apic,
		u32 tsc_khz);

#endif /* VMON_VM_CPUID_H */
