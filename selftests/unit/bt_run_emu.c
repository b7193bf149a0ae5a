// SPDX-License-Identifier: GPL-2.0
/*
 * EMULATE callouts by the project's own emulator: the guest's state goes into a
 * struct vmon_cpu at CPL 0 with flat, cut segments and comes back.
 */
#include <string.h>

#include "bt_run.h"
#include "emulator/emulate.h"

static bool mapped(u32 gva, u32 base, u32 len)
{
	return gva - base < len;
}

static int check(struct vmon_emu *e, u32 gva, unsigned int len,
		 unsigned int acc)
{
	u32 at;

	for (at = gva; at != gva + len; at++)
		if (!mapped(at, CODE, CODE_LEN) && !mapped(at, DATA, DATA_LEN) &&
		    !mapped(at, STACK, STACK_LEN))
			return vmon_emu_page_fault(e, at, VMON_PF_U |
				(acc & VMON_ACC_W ? VMON_PF_W : 0));
	return VMON_EMU_OK;
}

static int emu_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
		    unsigned int acc)
{
	int ret = check(e, gva, len, acc);

	if (ret == VMON_EMU_OK)
		memcpy(buf, (void *)gva, len);
	return ret;
}

static int emu_write(struct vmon_emu *e, u32 gva, const void *buf,
		     unsigned int len, unsigned int acc)
{
	int ret = check(e, gva, len, acc | VMON_ACC_W);

	if (ret != VMON_EMU_OK)
		return ret;
	if (mapped(gva, CODE, CODE_LEN))
		cpu_write_code(gva, buf, len);
	else
		memcpy((void *)gva, buf, len);
	return VMON_EMU_OK;
}

static const struct vmon_emu_ops ops = { .read = emu_read, .write = emu_write };

/* Operations whose flags are defined for all operands, and no FPU. */
static bool suitable(u32 eip)
{
	struct vmon_insn insn;

	if (vmon_decode(&insn, (u8 *)eip, VMON_INSN_MAX, true))
		return false;
	switch (insn.op) {
	case VMON_OP_ADD:
	case VMON_OP_ADC:
	case VMON_OP_SUB:
	case VMON_OP_SBB:
	case VMON_OP_CMP:
	case VMON_OP_INC ... VMON_OP_NEG:
	case VMON_OP_XADD ... VMON_OP_CMPXCHG:
	case VMON_OP_MOV ... VMON_OP_POPA:
	case VMON_OP_POPF ... VMON_OP_STD:
	case VMON_OP_MOVS ... VMON_OP_SCAS:
		return true;
	default:
		return false;
	}
}

static void flat(struct vmon_seg *seg, u16 sel, u16 type)
{
	*seg = (struct vmon_seg){
		.limit = VMON_LIMIT, .sel = sel,
		.attr = VMON_SEG_P | VMON_SEG_S | VMON_SEG_DB | VMON_SEG_G |
			VMON_SEG_A | VMON_SEG_RW | type,
	};
}

enum emu_end emu_step(struct state *s)
{
	static struct vmon_cpu cpu;
	static struct vmon_emu emu;
	enum emu_end end = EMU_DONE;
	unsigned int i;

	if (!suitable(s->eip))
		return EMU_NOT;
	memset(&cpu, 0, sizeof(cpu));
	memcpy(cpu.gpr, s->gpr, sizeof(cpu.gpr));
	cpu.eip = s->eip;
	cpu.eflags = (s->eflags & FLAGS_MASK) | VMON_FL_FIXED | mpage->vif |
		     mpage->viopl;
	cpu.cr0 = VMON_CR0_PE | VMON_CR0_PG | VMON_CR0_ET;
	for (i = 0; i < VMON_NR_SREGS; i++)
		flat(&cpu.seg[i], guest_sel[i], i == VMON_CS ? VMON_SEG_CODE : 0);
	emu.cpu = &cpu;
	emu.ops = &ops;
	switch (vmon_emulate(&emu)) {
	case VMON_EMU_OK:
		break;
	case VMON_EMU_FAULT:
		s->trap = emu.exc.vector;
		s->error = emu.exc.has_error ? emu.exc.error : 0;
		s->cr2 = s->trap == VMON_EXC_PF ? emu.exc.cr2 : 0;
		end = EMU_FAULT;
		break;
	default:
		return EMU_NOT;
	}
	memcpy(s->gpr, cpu.gpr, sizeof(s->gpr));
	s->eip = cpu.eip;
	s->eflags = (s->eflags & ~FLAGS_MASK) | (cpu.eflags & FLAGS_MASK);
	mpage->vif = cpu.eflags & VMON_FL_IF;
	mpage->viopl = cpu.eflags & VMON_FL_IOPL;
	return end;
}
