// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU at power-on. SDM vol. 3, table 9-1 (10-1 in newer editions).
 */
#include <linux/string.h>
#include "vm/cpu.h"
#include "vm/cpuid.h"

/**
 * vmon_cpu_reset() - processor state after RESET
 * @cpu:	everything is overwritten
 */
void vmon_cpu_reset(struct vmon_cpu *cpu)
{
	static const u16 fcw = 0x0040;
	static const u32 mxcsr = 0x1f80;
	unsigned int i;

	memset(cpu, 0, sizeof(*cpu));
	for (i = 0; i < VMON_NR_SREGS; i++) {
		cpu->seg[i].limit = 0xffff;
		cpu->seg[i].attr = VMON_SEG_P | VMON_SEG_S | VMON_SEG_RW |
				   VMON_SEG_A;
	}
	cpu->seg[VMON_CS].sel = 0xf000;
	cpu->seg[VMON_CS].base = 0xffff0000;
	cpu->seg[VMON_LDTR].limit = 0xffff;
	cpu->seg[VMON_LDTR].attr = VMON_SEG_P | 2;
	cpu->seg[VMON_TR].limit = 0xffff;
	cpu->seg[VMON_TR].attr = VMON_SEG_P | 11;
	cpu->gdtr.limit = 0xffff;
	cpu->idtr.limit = 0xffff;
	cpu->eip = 0xfff0;
	cpu->eflags = VMON_FL_FIXED;
	cpu->gpr[VMON_EDX] = VMON_CPUID_SIGNATURE;
	cpu->cr0 = VMON_CR0_CD | VMON_CR0_NW | VMON_CR0_ET;
	cpu->dr[6] = 0xffff0ff0;
	cpu->dr[7] = 0x400;
	cpu->apic_base = 0xfee00900;
	cpu->pat = 0x0007040600070406ull;
	cpu->misc_enable = 1;
	memcpy(cpu->fpu.fxsave, &fcw, sizeof(fcw));
	cpu->fpu.fxsave[4] = 0xff;
	memcpy(cpu->fpu.fxsave + 24, &mxcsr, sizeof(mxcsr));
}
