/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model-specific registers of the guest CPU: those that go with the features
 * that CPUID shows, and the few that kernels touch without asking. Pure.
 */
#ifndef VMON_VM_MSR_H
#define VMON_VM_MSR_H

#include <linux/types.h>
#include "vm/cpu.h"

#define VMON_MSR_TSC		0x10u
#define VMON_MSR_PLATFORM_ID	0x17u
#define VMON_MSR_APIC_BASE	0x1bu
#define VMON_MSR_EBL_CR_POWERON	0x2au
#define VMON_MSR_TSC_ADJUST	0x3bu
#define VMON_MSR_BIOS_UPDT_TRIG	0x79u
#define VMON_MSR_BIOS_SIGN_ID	0x8bu
#define VMON_MSR_ARCH_CAPABILITIES 0x10au
#define VMON_MSR_SYSENTER_CS	0x174u
#define VMON_MSR_SYSENTER_ESP	0x175u
#define VMON_MSR_SYSENTER_EIP	0x176u
#define VMON_MSR_MISC_ENABLE	0x1a0u
#define VMON_MSR_DEBUGCTL	0x1d9u
#define VMON_MSR_EFER		0xc0000080u

/**
 * vmon_msr_read() - RDMSR
 * @cpu:	guest CPU
 * @tsc:	the guest's time-stamp counter now
 * @msr:	number
 * @val:	result
 *
 * Return: false if there is no such MSR (the guest gets #GP(0)).
 */
bool vmon_msr_read(const struct vmon_cpu *cpu, u64 tsc, u32 msr, u64 *val);

/**
 * vmon_msr_write() - WRMSR
 * @cpu:	guest CPU
 * @tsc:	the guest's time-stamp counter now; a write to it goes to
 *		cpu->tsc_offset as a difference
 * @msr:	number
 * @val:	value
 *
 * Return: false if there is no such MSR or a reserved bit is set (#GP(0)).
 */
bool vmon_msr_write(struct vmon_cpu *cpu, u64 tsc, u32 msr, u64 val);

#endif /* VMON_VM_MSR_H */
