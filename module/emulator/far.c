// SPDX-License-Identifier: GPL-2.0
/*
 * Far JMP and CALL: code segments, call gates, and the way to task switches.
 *
 * Nothing of CS, SS or CPL changes before the last check has passed; pushes go
 * to a stack description that is committed at the end.
 * SDM vol. 3, 5.8; vol. 2, CALL and JMP.
 */
#include "emulator/internal.h"

/**
 * vmon_emu_set_cs() - load CS from a checked descriptor
 * @e:		emulator
 * @sel:	selector; its RPL becomes @cpl
 * @cpl:	privilege level to run at
 * @d:		code segment descriptor
 * @eip:	offset to go to
 *
 * The last step of every far transfer in protected mode.
 *
 * Return: VMON_EMU_OK; VMON_EMU_FAULT (#GP(0) for an offset beyond the limit,
 * #PF when the accessed bit cannot be set).
 */
int vmon_emu_set_cs(struct vmon_emu *e, u16 sel, unsigned int cpl,
		    const struct vmon_desc *d, u32 eip)
{
	struct vmon_cpu *cpu = e->cpu;
	int ret;

	if (eip > vmon_emu_desc_limit(d))
		return vmon_emu_gp0(e);
	ret = vmon_emu_desc_touch(e, d);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_seg_set(&cpu->seg[VMON_CS], (sel & ~3) | cpl, d);
	cpu->cpl = cpl;
	cpu->eip = eip;
	return VMON_EMU_OK;
}

static int push_return(struct vmon_emu *e, struct vmon_stack *st,
		       unsigned int size)
{
	int ret = vmon_emu_stack_push(e, st, size, e->cpu->seg[VMON_CS].sel);

	return ret == VMON_EMU_OK ?
		vmon_emu_stack_push(e, st, size, e->cpu->eip) : ret;
}

/* Transfer without a change of privilege. */
static int transfer_same(struct vmon_emu *e, u16 sel, const struct vmon_desc *d,
			 u32 eip, bool call, unsigned int size)
{
	struct vmon_cpu *cpu = e->cpu;
	struct vmon_stack st;
	int ret = VMON_EMU_OK;

	vmon_emu_stack_init(cpu, &st);
	if (call)
		ret = push_return(e, &st, size);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_set_cs(e, sel, cpu->cpl, d, eip);
	if (ret == VMON_EMU_OK)
		vmon_emu_stack_commit(cpu, &st);
	return ret;
}

/* A call gate to an inner ring: switch stacks and copy the parameters. */
static int call_inner(struct vmon_emu *e, u16 sel, const struct vmon_desc *d,
		      u32 eip, unsigned int size, unsigned int params)
{
	struct vmon_cpu *cpu = e->cpu;
	unsigned int cpl = vmon_desc_dpl(d), i;
	struct vmon_stack old, new;
	u32 esp, copy[31];
	struct vmon_seg ss;
	int ret;

	ret = vmon_emu_inner_stack(e, cpl, &ss, &esp);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_stack_init(cpu, &old);
	for (i = 0; i < params; i++) {
		ret = vmon_emu_stack_pop(e, &old, size, &copy[i]);
		if (ret != VMON_EMU_OK)
			return ret;
	}
	new.ss = &ss;
	new.esp = esp;
	new.mask = ss.attr & VMON_SEG_DB ? 0xffffffff : 0xffff;
	new.code = ss.sel & ~3;
	new.acc = 0;
	ret = vmon_emu_stack_push(e, &new, size, cpu->seg[VMON_SS].sel);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_stack_push(e, &new, size, cpu->gpr[VMON_ESP]);
	for (i = params; i-- && ret == VMON_EMU_OK; )
		ret = vmon_emu_stack_push(e, &new, size, copy[i]);
	if (ret == VMON_EMU_OK)
		ret = push_return(e, &new, size);
	if (ret == VMON_EMU_OK)
		ret = vmon_emu_set_cs(e, sel, cpl, d, eip);
	if (ret != VMON_EMU_OK)
		return ret;
	cpu->seg[VMON_SS] = ss;
	vmon_emu_stack_commit(cpu, &new);
	return VMON_EMU_OK;
}

static int call_gate(struct vmon_emu *e, const struct vmon_desc *gate,
		     bool call)
{
	unsigned int cpl = e->cpu->cpl, size;
	u16 sel = gate->lo >> 16, code = sel & ~3;
	u32 eip = gate->lo & 0xffff;
	struct vmon_desc d;
	int ret;

	size = vmon_desc_type(gate) == VMON_SYS_CALL32 ? 4 : 2;
	if (size == 4)
		eip |= gate->hi & 0xffff0000;
	if (!code)
		return vmon_emu_gp0(e);
	ret = vmon_emu_desc(e, sel, VMON_EXC_GP, &d);
	if (ret != VMON_EMU_OK)
		return ret;
	if (!vmon_desc_is_code(&d) || vmon_desc_dpl(&d) > cpl ||
	    (!call && !vmon_desc_is_conforming(&d) && vmon_desc_dpl(&d) != cpl))
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_p(&d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	if (call && !vmon_desc_is_conforming(&d) && vmon_desc_dpl(&d) < cpl)
		return call_inner(e, sel, &d, eip, size, gate->hi & 31);
	return transfer_same(e, sel, &d, eip, call, size);
}

/* The selector names a system descriptor: gate or TSS. */
static int transfer_system(struct vmon_emu *e, u16 sel,
			   const struct vmon_desc *d, bool call)
{
	enum vmon_task_source source = call ? VMON_TASK_CALL : VMON_TASK_JMP;
	unsigned int type = vmon_desc_type(d), dpl = vmon_desc_dpl(d);
	u16 code = sel & ~3;

	switch (type) {
	case VMON_SYS_CALL16:
	case VMON_SYS_CALL32:
	case VMON_SYS_TASK:
	case VMON_SYS_TSS16:
	case VMON_SYS_TSS32:
		break;
	default:
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	}
	if (dpl < e->cpu->cpl || dpl < (sel & 3))
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_p(d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	switch (type) {
	case VMON_SYS_CALL16:
	case VMON_SYS_CALL32:
		return call_gate(e, d, call);
	case VMON_SYS_TASK:
		return vmon_emu_task_switch(e, d->lo >> 16, source);
	default:
		return vmon_emu_task_switch(e, sel, source);
	}
}

static int transfer_prot(struct vmon_emu *e, u16 sel, u32 eip, bool call)
{
	unsigned int cpl = e->cpu->cpl;
	u16 code = sel & ~3;
	struct vmon_desc d;
	bool allowed;
	int ret;

	if (!code)
		return vmon_emu_gp0(e);
	ret = vmon_emu_desc(e, sel, VMON_EXC_GP, &d);
	if (ret != VMON_EMU_OK)
		return ret;
	if (!vmon_desc_s(&d))
		return transfer_system(e, sel, &d, call);
	if (vmon_desc_is_conforming(&d))
		allowed = vmon_desc_dpl(&d) <= cpl;
	else
		allowed = vmon_desc_dpl(&d) == cpl && (sel & 3) <= cpl;
	if (!vmon_desc_is_code(&d) || !allowed)
		return vmon_emu_fault_code(e, VMON_EXC_GP, code);
	if (!vmon_desc_p(&d))
		return vmon_emu_fault_code(e, VMON_EXC_NP, code);
	return transfer_same(e, sel, &d, eip, call, e->insn.opsize);
}

static int transfer_real(struct vmon_emu *e, u16 sel, u32 eip, bool call)
{
	struct vmon_cpu *cpu = e->cpu;
	struct vmon_stack st;
	int ret = VMON_EMU_OK;

	if (eip > cpu->seg[VMON_CS].limit)
		return vmon_emu_gp0(e);
	vmon_emu_stack_init(cpu, &st);
	if (call)
		ret = push_return(e, &st, e->insn.opsize);
	if (ret != VMON_EMU_OK)
		return ret;
	vmon_emu_stack_commit(cpu, &st);
	vmon_emu_seg_set_real(e, VMON_CS, sel);
	cpu->eip = eip;
	return VMON_EMU_OK;
}

int vmon_emu_op_far(struct vmon_emu *e)
{
	bool call = e->insn.op == VMON_OP_CALL_FAR;
	unsigned int size = e->insn.opsize;
	u32 eip = e->insn.imm & vmon_emu_mask(size);
	u16 sel = e->insn.imm2;
	u8 ptr[6] = { 0 };
	int ret;

	if (e->insn.opnd[0].kind == VMON_OPND_MEM) {
		ret = vmon_emu_mem_read(e, e->insn.seg, vmon_emu_ea(e), ptr,
					size + 2);
		if (ret != VMON_EMU_OK)
			return ret;
		eip = 0;
		memcpy(&eip, ptr, size);
		memcpy(&sel, ptr + size, 2);
	}
	if (vmon_emu_prot(e->cpu))
		return transfer_prot(e, sel, eip, call);
	return transfer_real(e, sel, eip, call);
}
