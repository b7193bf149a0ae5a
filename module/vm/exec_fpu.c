// SPDX-License-Identifier: GPL-2.0
/*
 * x87, MMX and SSE instructions that the emulator meets, in whatever mode: the real
 * FPU executes them.
 *
 * The instruction is written to the last page of the translation cache with its
 * memory operand moved to the monitor page, and runs at ring 1. Segmentation, page
 * faults, traces and device memory are the emulator's business, before and after it.
 */
#include <linux/string.h>

#include "vm/exec_internal.h"

#define OP_INT		0xcd
#define PREFIX_GS	0x65
#define PREFIX_OPSIZE	0x66
#define MODRM_DISP32	0x05	/* mod 0, rm 5 */
#define CODE_MAX	(VMON_INSN_MAX + 8)

/**
 * struct operand - the memory operand of the instruction
 * @size:	bytes; 0 if there is none
 * @acc:	VMON_ACC_*
 * @gva:	guest linear address
 * @copy:	where the instruction finds it
 * @implied:	at DS:EDI, of a masked move; no part of the encoding
 */
struct operand {
	unsigned int size, acc;
	u32 gva;
	u8 *copy;
	bool implied;
};

static u32 copy_offset(const struct vmon_exec *x, const struct operand *o)
{
	return o->copy - (u8 *)x->mpage;
}

/* With its alignment, by which the CPU may refuse it. */
static int load_operand(struct vmon_exec *x, struct operand *o)
{
	const struct vmon_insn *insn = &x->emu.insn;
	int ret;

	vmon_emu_fpu_operand(insn, &o->size, &o->acc);
	if (!o->size)
		return VMON_EMU_OK;
	o->implied = !insn->has_modrm || insn->modrm >= 0xc0;
	o->copy = x->mpage->operand;
	ret = vmon_emu_mem_gva(&x->emu, o->size, o->acc, &o->gva);
	if (ret != VMON_EMU_OK)
		return ret;
	if (x->vcpu->cpu.cpl == 3)
		o->acc |= VMON_ACC_U;
	o->copy += o->gva & (VMON_OPERAND_ALIGN - 1);
	return vmon_exec_mem_read(&x->emu, o->gva, o->copy, o->size, o->acc);
}

/* For 32-bit code at ring 1, which has the monitor page in %gs. */
static void write_code(struct vmon_exec *x, const struct operand *o)
{
	const struct vmon_insn *insn = &x->emu.insn;
	unsigned int i, after = insn->has_modrm ? insn->modrm_off : insn->len;
	bool mem = o->size && !o->implied;
	u8 *p = x->tc + VMON_TC_OWN;

	for (i = 0; i < insn->prefix_len; i++) {
		u8 b = insn->bytes[i];

		if (b == 0xf2 || b == 0xf3 ||
		    (b == PREFIX_OPSIZE && insn->op != VMON_OP_X87))
			*p++ = b;
	}
	/* Chooses the format of FNSTENV and its kin. */
	if (insn->op == VMON_OP_X87 && insn->opsize == 2)
		*p++ = PREFIX_OPSIZE;
	if (o->size)
		*p++ = PREFIX_GS;
	for (; i < after; i++)
		*p++ = insn->bytes[i];
	if (insn->has_modrm)
		*p++ = mem ? (insn->modrm & 0x38) | MODRM_DISP32 : insn->modrm;
	if (mem) {
		u32 disp = copy_offset(x, o);

		memcpy(p, &disp, sizeof(disp));
		p += sizeof(disp);
	}
	if (insn->imm_size) {
		memcpy(p, insn->bytes + insn->imm_off, insn->imm_size);
		p += insn->imm_size;
	}
	*p++ = OP_INT;
	*p++ = VMON_BT_VECTOR;
}

static int refused(struct vmon_exec *x, unsigned int vector)
{
	switch (vector) {
	case VMON_EXC_UD:
	case VMON_EXC_MF:
	case VMON_EXC_XM:
		return vmon_emu_fault(&x->emu, vector);
	case VMON_EXC_GP:	/* a misaligned operand */
		return vmon_emu_fault_code(&x->emu, vector, 0);
	default:
		return VMON_EMU_UNSUPPORTED;
	}
}

static int execute(struct vmon_exec *x, struct operand *o)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	u32 edi = cpu->gpr[VMON_EDI];
	unsigned int vector;

	write_code(x, o);
	if (o->size && o->implied)
		cpu->gpr[VMON_EDI] = copy_offset(x, o);
	x->fpu_on = true;
	vector = vmon_exec_own(x, x->window + VMON_TC_OWN);
	if (o->size && o->implied)
		cpu->gpr[VMON_EDI] = edi;
	if (vector != VMON_BT_VECTOR)
		return refused(x, vector);
	vmon_emu_fpu_pointers(&x->emu, x->window + VMON_TC_OWN, CODE_MAX, o->size, o->gva);
	return VMON_EMU_OK;
}

/**
 * vmon_exec_fpu() - execute x->emu.insn, for which the emulator said VMON_EMU_FPU
 * @x:		the vCPU
 * @result:	what the emulator would have said if it had an FPU
 *
 * Return: VMON_RUN_AGAIN with *@result set, or an error that stops the VM.
 */
enum vmon_run vmon_exec_fpu(struct vmon_exec *x, int *result)
{
	struct vmon_cpu *cpu = &x->vcpu->cpu;
	struct vmon_fpu *before = &x->fpu_before;
	struct operand o = {};
	u32 gpr[VMON_NR_GPRS], eflags = cpu->eflags;
	enum vmon_run run;
	bool again;

	vmon_count(x->vcpu, EMULATED_FPU);
	*result = VMON_EMU_RETRY;
	run = vmon_exec_tables(x, &again);
	if (again || run != VMON_RUN_AGAIN)
		return run;
	*result = load_operand(x, &o);
	if (*result != VMON_EMU_OK)
		return VMON_RUN_AGAIN;
	memcpy(gpr, cpu->gpr, sizeof(gpr));
	memcpy(before, &cpu->fpu, sizeof(*before));
	*result = execute(x, &o);
	if (*result == VMON_EMU_UNSUPPORTED)
		return vmon_exec_error(x, "an FPU instruction cannot be executed");
	if (*result == VMON_EMU_OK && (o.acc & VMON_ACC_W))
		*result = vmon_exec_mem_write(&x->emu, o.gva, o.copy, o.size, o.acc);
	if (*result == VMON_EMU_OK) {
		*result = vmon_emu_fpu_done(&x->emu);
	} else if (*result == VMON_EMU_RETRY) {
		/* A device that is not ready: all of it again, later. */
		memcpy(cpu->gpr, gpr, sizeof(gpr));
		memcpy(&cpu->fpu, before, sizeof(*before));
		cpu->eflags = eflags;
	}
	return VMON_RUN_AGAIN;
}
