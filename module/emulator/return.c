// SPDX-License-Identifier: GPL-2.0
/*
 * Far RET and IRET: to the same ring, to an outer ring, to virtual-8086 mode
 * and back to the task that was interrupted.
 *
 * SDM vol. 2, RET and IRET; the two differ in the flags only.
 */
#include "emulator/internal.h"

/* Checks of the code segment that a return goes to. */
static int check_return_cs(struct vmon_emu *e, u16 sel, struct vmon_desc *d)
{
	unsigned int rpl = sel & 3;
	u16 code = sel & ~3;
	bool allowed;
	int ret;

	if (!code)
		return vmon_emu_gp0(e);
	ret = vmon_emu_desc(e, sel, VMON_EXC_GP, d);
	if (ret != VMON_EMU_OK)
		return ret;
	if (vmon_desc_is_conforming(d))
		allowed = vmon_desc_dpl(d) <= rpl;
	else
		allowed = vmon_desc_dpl(d) == rpl;
	if (rpl < e->cpu->cpl || !vmon_desc_is_code(d) || !allowed)
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_p(d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	return VMON_EMU_OK;
}

static int check_return_ss(struct vmon_emu *e, u16 sel, unsigned int rpl,
			   struct vmon_desc *d)
{
	u16 code = sel & ~3;
	int ret;

	if (!code)
		return vmon_emu_gp0(e);
	ret = vmon_emu_desc(e, sel, VMON_EXC_GP, d);
	if (ret != VMON_EMU_OK)
		return ret;
	if ((sel & 3) != rpl || vmon_desc_dpl(d) != rpl ||
	    !vmon_desc_is_wdata(d))
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_p(d))
		return vmon_emu_fault_code(e, VMON_EXC_SS, code);
	return vmon_emu_desc_touch(e, d);
}

/*
 * The common part. @st stands behind the popped CS:EIP (and flags); @release is
 * RET's immediate, dropped from both stacks.
 */
static int return_prot(struct vmon_emu *e, struct vmon_stack *st, u16 sel,
		       u32 eip, unsigned int release)
{
	struct vmon_cpu *cpu = e->cpu;
	unsigned int size = e->insn.opsize, rpl = sel & 3;
	u32 esp, ss_sel, mask;
	struct vmon_desc cs, ss;
	int ret;

	ret = check_return_cs(e, sel, &cs);
	if (ret != VMON_EMU_OK)
		return ret;
	st->esp = (st->esp & ~st->mask) | ((st->esp + release) & st->mask);
	if (rpl == cpu->cpl) {
		ret = vmon_emu_set_cs(e, sel, rpl, &cs, eip);
		if (ret == VMON_EMU_OK)
			vmon_emu_stack_commit(cpu, st);
		return ret;
	}
	ret = vmon_emu_stack_pop(e, st, size, &esp);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_stack_pop(e, st, size, &ss_sel);
	if (ret == VMON_EMU_OK)
		ret = check_return_ss(e, ss_sel, rpl, &ss);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_set_cs(e, sel, rpl, &cs, eip);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_seg_set(&cpu->seg[VMON_SS], ss_sel, &ss);
	/* A 16-bit stack segment takes over only the low half of ESP. */
	mask = cpu->seg[VMON_SS].attr & VMON_SEG_DB ? 0xffffffff : 0xffff;
	esp += release;
	cpu->gpr[VMON_ESP] = (cpu->gpr[VMON_ESP] & ~mask) | (esp & mask);
	vmon_emu_seg_revalidate(cpu);
	return VMON_EMU_OK;
}

int vmon_emu_op_ret_far(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	unsigned int size = e->insn.opsize, release;
	struct vmon_stack st;
	u32 eip, sel;
	int ret;

	release = e->insn.opcode == 0xca ? (u16)e->insn.imm : 0;
	vmon_emu_stack_init(cpu, &st);
	ret = vmon_emu_stack_pop(e, &st, size, &eip);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_stack_pop(e, &st, size, &sel);
	if (ret != VMON_EMU_OK)
		return ret;
	if (vmon_emu_prot(cpu))
		return return_prot(e, &st, sel, eip, release);
	if (eip > cpu->seg[VMON_CS].limit)
		return vmon_emu_gp0(e);
	st.esp = (st.esp & ~st.mask) | ((st.esp + release) & st.mask);
	vmon_emu_stack_commit(cpu, &st);
	vmon_emu_seg_set_real(e, VMON_CS, sel);
	cpu->eip = eip;
	return VMON_EMU_OK;
}

/* From ring 0 to virtual-8086 mode. */
static int iret_to_vm86(struct vmon_emu *e, struct vmon_stack *st, u32 eip,
			u16 cs, u32 flags)
{
	static const u8 order[] = { VMON_SS, VMON_ES, VMON_DS, VMON_FS, VMON_GS };
	struct vmon_cpu *cpu = e->cpu;
	u32 esp, sel[sizeof(order)];
	unsigned int i;
	int ret;

	ret = vmon_emu_stack_pop(e, st, 4, &esp);
	for (i = 0; i < sizeof(order) && ret == VMON_EMU_OK; i++)
		ret = vmon_emu_stack_pop(e, st, 4, &sel[i]);
	if (ret != VMON_EMU_OK)
		return ret;
	if (eip > 0xffff)
		return vmon_emu_gp0(e);
	cpu->eflags = (flags & 0x003f7fd5u) | VMON_FL_FIXED;
	vmon_emu_seg_set_real(e, VMON_CS, cs);
	for (i = 0; i < sizeof(order); i++)
		vmon_emu_seg_set_real(e, order[i], sel[i]);
	cpu->cpl = 3;
	cpu->eip = eip;
	cpu->gpr[VMON_ESP] = esp;
	return VMON_EMU_OK;
}

int vmon_emu_op_iret(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	bool vm86 = cpu->eflags & VMON_FL_VM;
	unsigned int size = e->insn.opsize;
	u32 eip, sel, flags, mask;
	struct vmon_stack st;
	int ret;

	if (vm86 && vmon_emu_iopl(cpu) < 3)
		return vmon_emu_gp0(e);
	if (vmon_emu_prot(cpu) && (cpu->eflags & VMON_FL_NT))
		return vmon_emu_task_return(e);

	vmon_emu_stack_init(cpu, &st);
	ret = vmon_emu_stack_pop(e, &st, size, &eip);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_stack_pop(e, &st, size, &sel);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_stack_pop(e, &st, size, &flags);
	if (ret != VMON_EMU_OK)
		return ret;

	/* Privilege for the flags is that of the code that executes IRET. */
	mask = vmon_emu_flags_writable(cpu, size);
	if (size == 4)
		mask |= VMON_FL_RF;
	if (!vmon_emu_prot(cpu)) {
		if (eip > cpu->seg[VMON_CS].limit)
			return vmon_emu_gp0(e);
		vmon_emu_stack_commit(cpu, &st);
		vmon_emu_seg_set_real(e, VMON_CS, sel);
		cpu->eip = eip;
	} else {
		if (size == 4 && (flags & VMON_FL_VM) && cpu->cpl == 0) {
			e->keep_rf = true;
			return iret_to_vm86(e, &st, eip, sel, flags);
		}
		if (cpu->cpl == 0 && size == 4)
			mask |= VMON_FL_VIF | VMON_FL_VIP;
		ret = return_prot(e, &st, sel, eip, 0);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	cpu->eflags = (cpu->eflags & ~mask) | (flags & mask);
	e->keep_rf = size == 4;
	return VMON_EMU_OK;
}
