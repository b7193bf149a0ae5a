// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's hardware breakpoints while its code runs on the real CPU: SDM vol. 3, 17.2.
 *
 * Those on data are real ones, at both rings. Those on instructions are at ring 3; guest
 * kernel code is somewhere else than it seems, so the emulator takes over where such a
 * breakpoint could be. Ports always trap, and so does MOV DR.
 */
#include "vm/exec_internal.h"

#define DR7_FIXED	0x400u

/* R/W fields of DR7 */
#define ON_CODE		0
#define ON_PORT		2

static unsigned int kind(const struct vmon_cpu *cpu, unsigned int i)
{
	return cpu->dr[7] >> (16 + 4 * i) & 3;
}

static bool enabled(const struct vmon_cpu *cpu, unsigned int i)
{
	return cpu->dr[7] >> 2 * i & 3;
}

/*
 * Has ring 1 something of the monitor's at this address? A breakpoint is aligned to its
 * length, so lies in one page.
 */
static bool is_monitors(const struct vmon_exec *x, u32 gva)
{
	return gva >= VMON_MPAGE_GVA || gva - x->window < VMON_TC_SIZE;
}

/**
 * vmon_exec_dr7() - what DR7 is to hold while the guest runs
 * @x:		execution state; its privilege level counts
 *
 * Return: 0 without breakpoints.
 */
u32 vmon_exec_dr7(const struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	u32 dr7 = 0;
	unsigned int i;

	if (likely(!(cpu->dr[7] & VMON_DR7_ENABLED)))
		return 0;
	for (i = 0; i < 4; i++) {
		if (!enabled(cpu, i) || kind(cpu, i) == ON_PORT ||
		    (cpu->cpl != 3 && (kind(cpu, i) == ON_CODE || is_monitors(x, cpu->dr[i]))))
			continue;
		dr7 |= cpu->dr[7] & (3u << 2 * i | 0xfu << (16 + 4 * i));
	}
	return dr7 ? dr7 | DR7_FIXED : 0;
}

/**
 * vmon_exec_break_kernel() - may translated code come to a breakpoint on an instruction?
 * @x:		execution state
 *
 * By regions of 4 MiB: that where the code is now, and those that there is a translation
 * of. Code of another one is not run before this is asked again.
 */
bool vmon_exec_break_kernel(const struct vmon_exec *x)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	unsigned int i;

	if (likely(!(cpu->dr[7] & VMON_DR7_ENABLED)))
		return false;
	for (i = 0; i < 4; i++)
		if (enabled(cpu, i) && kind(cpu, i) == ON_CODE &&
		    (cpu->dr[i] >> 22 == cpu->eip >> 22 ||
		     vmon_bt_region_used(x->bt, cpu->dr[i] >> 22)))
			return true;
	return false;
}
