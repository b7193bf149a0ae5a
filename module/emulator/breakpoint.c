// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware breakpoints: SDM vol. 3, 17.2.
 *
 * Those on instructions are looked for before one is executed. Accesses to data and
 * ports are compared as they are checked, and noted in e->hits; the trap comes when
 * the instruction has ended well.
 */
#include <linux/compiler.h>

#include "emulator/internal.h"

enum breakpoint_kind {
	BP_EXECUTE, BP_WRITE, BP_IO, BP_ACCESS,
};

/* Which breakpoints of the kinds in the mask @kinds lie in [@at, @at + @len)? */
static u32 matching(const struct vmon_cpu *cpu, unsigned int kinds, u32 at,
		    unsigned int len)
{
	static const u8 bytes[4] = { 1, 2, 8, 4 };
	u32 hits = 0, first, size;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (!(cpu->dr[7] >> 2 * i & 3) ||
		    !(kinds >> (cpu->dr[7] >> (16 + 4 * i) & 3) & 1))
			continue;
		size = bytes[cpu->dr[7] >> (18 + 4 * i) & 3];
		first = cpu->dr[i] & ~(size - 1);
		if (first - at < len || at - first < size)
			hits |= 1u << i;
	}
	return hits;
}

/**
 * vmon_emu_code_breakpoint() - is there a breakpoint on this instruction?
 * @e:		emulator
 * @gva:	linear address of its first byte
 *
 * Return: VMON_EMU_OK, or VMON_EMU_FAULT (#DB, DR6 set).
 */
int vmon_emu_code_breakpoint(struct vmon_emu *e, u32 gva)
{
	struct vmon_cpu *cpu = e->cpu;
	u32 hits;

	if (likely(!(cpu->dr[7] & VMON_DR7_ENABLED)) || (cpu->eflags & VMON_FL_RF) ||
	    cpu->shadow == VMON_SHADOW_SS)
		return VMON_EMU_OK;
	hits = matching(cpu, 1u << BP_EXECUTE, gva, 1);
	if (!hits)
		return VMON_EMU_OK;
	cpu->dr[6] |= hits;
	return vmon_emu_fault(e, VMON_EXC_DB);
}

/* An access to data is about to be made. */
void vmon_emu_watch(struct vmon_emu *e, u32 gva, unsigned int len, unsigned int acc)
{
	unsigned int kinds = 1u << BP_ACCESS;

	if (likely(!(e->cpu->dr[7] & VMON_DR7_ENABLED)))
		return;
	if (acc & VMON_ACC_W)
		kinds |= 1u << BP_WRITE;
	e->hits |= matching(e->cpu, kinds, gva, len);
}

/* An access to a port is about to be made. */
void vmon_emu_watch_io(struct vmon_emu *e, u16 port, unsigned int len)
{
	if (unlikely((e->cpu->dr[7] & VMON_DR7_ENABLED) && (e->cpu->cr4 & VMON_CR4_DE)))
		e->hits |= matching(e->cpu, 1u << BP_IO, port, len);
}
