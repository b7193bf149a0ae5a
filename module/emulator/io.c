// SPDX-License-Identifier: GPL-2.0
/*
 * Port I/O and its permission check, and the interrupt-flag instructions that
 * IOPL governs.
 */
#include "emulator/internal.h"

#define TSS_IOMAP	0x66

/**
 * vmon_emu_io_allowed() - may the current code access these ports?
 * @e:		emulator
 * @port:	first port
 * @len:	1, 2 or 4
 *
 * SDM vol. 1, 19.5.2: IOPL, else the bitmap of a 32-bit TSS.
 */
int vmon_emu_io_allowed(struct vmon_emu *e, u16 port, unsigned int len)
{
	const struct vmon_cpu *cpu = e->cpu;
	const struct vmon_seg *tr = &cpu->seg[VMON_TR];
	u16 base, bits;
	u32 at;
	int ret;

	if (!(cpu->cr0 & VMON_CR0_PE))
		return VMON_EMU_OK;
	if (!(cpu->eflags & VMON_FL_VM) && cpu->cpl <= vmon_emu_iopl(cpu))
		return VMON_EMU_OK;
	if (!(tr->attr & VMON_SEG_P) || !(tr->attr & 8) ||
	    tr->limit < TSS_IOMAP + 1)
		return vmon_emu_gp0(e);
	ret = vmon_emu_sys_read(e, tr->base + TSS_IOMAP, &base, 2);
	if (ret != VMON_EMU_OK)
		return ret;
	/* Two bytes are read always, so the map ends with a byte of ones. */
	at = base + port / 8u;
	if (at + 1 > tr->limit)
		return vmon_emu_gp0(e);
	ret = vmon_emu_sys_read(e, tr->base + at, &bits, 2);
	if (ret != VMON_EMU_OK)
		return ret;
	if (bits >> (port & 7) & ((1u << len) - 1))
		return vmon_emu_gp0(e);
	return VMON_EMU_OK;
}

/* E4-E7: port in the immediate; EC-EF: in DX. */
static u16 port_of(const struct vmon_emu *e)
{
	return e->insn.opcode & 8 ? e->cpu->gpr[VMON_EDX] : (u8)e->insn.imm;
}

static unsigned int width_of(const struct vmon_emu *e)
{
	return e->insn.opcode & 1 ? e->insn.opsize : 1;
}

int vmon_emu_op_in(struct vmon_emu *e)
{
	unsigned int len = width_of(e);
	u16 port = port_of(e);
	u32 val = 0;
	int ret = vmon_emu_io_allowed(e, port, len);

	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_watch_io(e, port, len);
	ret = e->ops->in(e, port, len, &val);
	if (ret == VMON_EMU_OK)
		vmon_emu_set_reg(e->cpu, VMON_EAX, len, val);
	return ret;
}

int vmon_emu_op_out(struct vmon_emu *e)
{
	unsigned int len = width_of(e);
	u16 port = port_of(e);
	int ret = vmon_emu_io_allowed(e, port, len);

	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_watch_io(e, port, len);
	return e->ops->out(e, port, len, vmon_emu_reg(e->cpu, VMON_EAX, len));
}

int vmon_emu_op_cli(struct vmon_emu *e)
{
	if (e->cpu->cpl > vmon_emu_iopl(e->cpu))
		return vmon_emu_gp0(e);
	e->cpu->eflags &= ~VMON_FL_IF;
	return VMON_EMU_OK;
}

int vmon_emu_op_sti(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;

	if (cpu->cpl > vmon_emu_iopl(cpu))
		return vmon_emu_gp0(e);
	if (!(cpu->eflags & VMON_FL_IF))
		cpu->shadow = VMON_SHADOW_STI;
	cpu->eflags |= VMON_FL_IF;
	return VMON_EMU_OK;
}
