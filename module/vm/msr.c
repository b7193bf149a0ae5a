// SPDX-License-Identifier: GPL-2.0
/*
 * Model-specific registers, see msr.h. SDM vol. 4.
 */
#include "vm/msr.h"

/* Fast strings, TM1, BTS and PEBS unavailable, limit CPUID: kernels flip them. */
#define MISC_ENABLE_WRITABLE	0x0000000000c50089ull

bool vmon_msr_read(const struct vmon_cpu *cpu, u64 tsc, u32 msr, u64 *val)
{
	switch (msr) {
	case VMON_MSR_TSC:
		*val = tsc;
		return true;
	case VMON_MSR_TSC_ADJUST:
		*val = cpu->tsc_offset;
		return true;
	case VMON_MSR_ARCH_CAPABILITIES:
		*val = cpu->arch_capabilities;
		return true;
	case VMON_MSR_APIC_BASE:
		*val = cpu->apic_base;
		return true;
	case VMON_MSR_SYSENTER_CS:
		*val = cpu->sysenter_cs;
		return true;
	case VMON_MSR_SYSENTER_ESP:
		*val = cpu->sysenter_esp;
		return true;
	case VMON_MSR_SYSENTER_EIP:
		*val = cpu->sysenter_eip;
		return true;
	case VMON_MSR_MISC_ENABLE:
		*val = cpu->misc_enable;
		return true;
	case VMON_MSR_EFER:
		*val = cpu->efer;
		return true;
	case VMON_MSR_PLATFORM_ID:
	case VMON_MSR_EBL_CR_POWERON:
	case VMON_MSR_BIOS_SIGN_ID:
	case VMON_MSR_DEBUGCTL:
		*val = 0;
		return true;
	default:
		return false;
	}
}

bool vmon_msr_write(struct vmon_cpu *cpu, u64 tsc, u32 msr, u64 val)
{
	switch (msr) {
	case VMON_MSR_TSC:
		cpu->tsc_offset += val - tsc;
		return true;
	case VMON_MSR_TSC_ADJUST:
		cpu->tsc_offset = val;
		return true;
	case VMON_MSR_APIC_BASE:
		/* Base, enable; the BSP flag is read-only. */
		if (val & ~(0xffffff800ull | 0x100))
			return false;
		cpu->apic_base = (val & ~0x100ull) | (cpu->apic_base & 0x100);
		return true;
	case VMON_MSR_SYSENTER_CS:
		cpu->sysenter_cs = val;
		return true;
	case VMON_MSR_SYSENTER_ESP:
		cpu->sysenter_esp = val;
		return true;
	case VMON_MSR_SYSENTER_EIP:
		cpu->sysenter_eip = val;
		return true;
	case VMON_MSR_MISC_ENABLE:
		cpu->misc_enable = val & MISC_ENABLE_WRITABLE;
		return true;
	case VMON_MSR_EFER:
		if (val & ~VMON_EFER_NX)
			return false;
		cpu->efer = val;
		return true;
	case VMON_MSR_BIOS_UPDT_TRIG:
	case VMON_MSR_BIOS_SIGN_ID:
	case VMON_MSR_EBL_CR_POWERON:
	case VMON_MSR_DEBUGCTL:
		return true;
	default:
		return false;
	}
}
