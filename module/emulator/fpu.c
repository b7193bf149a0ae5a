// SPDX-License-Identifier: GPL-2.0
/*
 * Floating point: who may use it, state management, and nothing that computes.
 *
 * Instructions that only move state work on cpu->fpu, the FXSAVE image. All
 * others pass the availability checks here and are handed to the caller
 * (VMON_EMU_FPU), who runs them on the real FPU.
 * SDM vol. 1, 8.1, 10.5; vol. 3, 2.5 and table 13-1.
 */
#include "emulator/internal.h"

/* Offsets in the FXSAVE image. */
#define FX_FCW		0
#define FX_FSW		2
#define FX_FTW		4
#define FX_FIP		8
#define FX_FCS		12
#define FX_FDP		16
#define FX_FDS		20
#define FX_MXCSR	24
#define FX_MXCSR_MASK	28
#define FX_BYTES	288	/* what a CPU outside 64-bit mode uses */

#define FSW_EXCEPTIONS	0x003fu
#define FSW_ES		0x0080u
#define FSW_SF_TO_ES	0x00ffu
#define FSW_TOP		0x3800u
#define FSW_B		0x8000u
#define MXCSR_VALID	0x0000ffffu

static u16 get16(const struct vmon_cpu *cpu, unsigned int at)
{
	u16 val;

	memcpy(&val, cpu->fpu.fxsave + at, 2);
	return val;
}

static void put16(struct vmon_cpu *cpu, unsigned int at, u16 val)
{
	memcpy(cpu->fpu.fxsave + at, &val, 2);
}

static int x87_available(struct vmon_emu *e)
{
	if (e->cpu->cr0 & (VMON_CR0_EM | VMON_CR0_TS))
		return vmon_emu_fault(e, VMON_EXC_NM);
	return VMON_EMU_OK;
}

/* MMX, FXSAVE, FXRSTOR: emulation is #UD, not #NM. */
static int mmx_available(struct vmon_emu *e)
{
	if (e->cpu->cr0 & VMON_CR0_EM)
		return vmon_emu_ud(e);
	return x87_available(e);
}

static int sse_available(struct vmon_emu *e)
{
	if (!(e->cpu->cr4 & VMON_CR4_OSFXSR))
		return vmon_emu_ud(e);
	return mmx_available(e);
}

/* An unmasked x87 exception waits for the next waiting instruction. */
static int x87_pending(struct vmon_emu *e)
{
	if ((get16(e->cpu, FX_FSW) & FSW_ES) && (e->cpu->cr0 & VMON_CR0_NE))
		return vmon_emu_fault(e, VMON_EXC_MF);
	return VMON_EMU_OK;
}

/* After FCW or FSW changed by hand: ES and B follow from the two. */
static void update_summary(struct vmon_cpu *cpu)
{
	u16 fsw = get16(cpu, FX_FSW) & ~(FSW_ES | FSW_B);

	if (fsw & ~get16(cpu, FX_FCW) & FSW_EXCEPTIONS)
		fsw |= FSW_ES | FSW_B;
	put16(cpu, FX_FSW, fsw);
}

int vmon_emu_op_fwait(struct vmon_emu *e)
{
	u32 both = VMON_CR0_MP | VMON_CR0_TS;

	if ((e->cpu->cr0 & both) == both)
		return vmon_emu_fault(e, VMON_EXC_NM);
	return x87_pending(e);
}

/* DB E0 ... E7: the instructions without operand that control the x87. */
static int x87_control(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;

	switch (e->insn.modrm) {
	case 0xe0:	/* FENI, FDISI, FSETPM: no operation since the 387 */
	case 0xe1:
	case 0xe4:
		return VMON_EMU_OK;
	case 0xe2:	/* FNCLEX */
		put16(cpu, FX_FSW,
		      get16(cpu, FX_FSW) & ~(FSW_SF_TO_ES | FSW_B));
		return VMON_EMU_OK;
	case 0xe3:	/* FNINIT */
		memset(cpu->fpu.fxsave, 0, FX_MXCSR);
		put16(cpu, FX_FCW, 0x037f);
		return VMON_EMU_OK;
	default:
		return VMON_EMU_FPU;
	}
}

static int store16(struct vmon_emu *e, u16 val)
{
	return vmon_emu_mem_write(e, e->insn.seg, vmon_emu_ea(e), &val, 2);
}

int vmon_emu_op_x87(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	bool mem = e->insn.modrm < 0xc0;
	u16 key = e->insn.opcode << 8 | (e->insn.modrm >> 3 & 7);
	u16 val;
	int ret = x87_available(e);

	if (ret != VMON_EMU_OK)
		return ret;
	/* Those that do not wait. */
	if (mem && key == 0xd907)	/* FNSTCW */
		return store16(e, get16(cpu, FX_FCW));
	if (mem && key == 0xdd07)	/* FNSTSW m16 */
		return store16(e, get16(cpu, FX_FSW));
	if (mem && (key == 0xd906 || key == 0xdd06))	/* FNSTENV, FNSAVE */
		return VMON_EMU_FPU;
	if (e->insn.opcode == 0xdf && e->insn.modrm == 0xe0) {	/* FNSTSW AX */
		vmon_emu_set_reg(cpu, VMON_EAX, 2, get16(cpu, FX_FSW));
		return VMON_EMU_OK;
	}
	if (e->insn.opcode == 0xdb && (e->insn.modrm & 0xf8) == 0xe0)
		return x87_control(e);

	ret = x87_pending(e);
	if (ret != VMON_EMU_OK)
		return ret;
	if (mem && key == 0xd905) {	/* FLDCW */
		ret = vmon_emu_mem_read(e, e->insn.seg, vmon_emu_ea(e), &val,
					2);
		if (ret != VMON_EMU_OK)
			return ret;
		put16(cpu, FX_FCW, (val & 0x1f3f) | 0x40);
		update_summary(cpu);
		return VMON_EMU_OK;
	}
	return VMON_EMU_FPU;
}

int vmon_emu_op_mmx(struct vmon_emu *e)
{
	int ret = mmx_available(e);

	if (ret == VMON_EMU_OK)
		ret = x87_pending(e);
	return ret == VMON_EMU_OK ? VMON_EMU_FPU : ret;
}

/*
 * SSE operands of 16 bytes must be aligned, but those of MOVUPS, MOVUPD, MOVDQU, LDDQU and
 * PCMPxSTRx. #GP comes before page faults. SDM vol. 1, 11.6.10.4; vol. 3, table 6-2.
 */
static bool must_align(const struct vmon_insn *insn)
{
	switch (insn->map << 8 | insn->opcode) {
	case 0x110: case 0x111: case 0x1f0:
	case 0x360: case 0x361: case 0x362: case 0x363:
		return false;
	case 0x16f: case 0x17f:
		return !(insn->prefixes & VMON_P_REP);
	default:
		return true;
	}
}

static int check_alignment(struct vmon_emu *e)
{
	unsigned int size, acc;
	u32 gva;
	int ret;

	vmon_emu_fpu_operand(&e->insn, &size, &acc);
	/* A masked move has no such operand in its encoding. */
	if (size != 16 || !e->insn.has_modrm || e->insn.modrm >= 0xc0 || !must_align(&e->insn))
		return VMON_EMU_OK;
	ret = vmon_emu_mem_gva(e, size, acc, &gva);
	if (ret == VMON_EMU_OK && (gva & 15))
		ret = vmon_emu_fault_code(e, VMON_EXC_GP, 0);
	return ret;
}

int vmon_emu_op_sse(struct vmon_emu *e)
{
	int ret = sse_available(e);

	if (ret == VMON_EMU_OK)
		ret = check_alignment(e);
	return ret == VMON_EMU_OK ? VMON_EMU_FPU : ret;
}

int vmon_emu_op_emms(struct vmon_emu *e)
{
	int ret = mmx_available(e);

	if (ret == VMON_EMU_OK)
		ret = x87_pending(e);
	if (ret != VMON_EMU_OK)
		return ret;
	/* In the abridged tag word 0 is empty. */
	e->cpu->fpu.fxsave[FX_FTW] = 0;
	put16(e->cpu, FX_FSW, get16(e->cpu, FX_FSW) & ~FSW_TOP);
	return VMON_EMU_OK;
}

/* The image must be aligned to 16 bytes; #GP, not #AC. */
static int fx_gva(struct vmon_emu *e, unsigned int acc, u32 *gva)
{
	int ret = mmx_available(e);

	if (ret == VMON_EMU_OK)
		ret = vmon_emu_mem_gva(e, 512, acc, gva);
	if (ret == VMON_EMU_OK && (*gva & 15))
		return vmon_emu_gp0(e);
	return ret;
}

int vmon_emu_op_fxsave(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	u32 gva, mask = MXCSR_VALID;
	int ret = fx_gva(e, VMON_ACC_W, &gva);

	if (ret != VMON_EMU_OK)
		return ret;
	memcpy(cpu->fpu.fxsave + FX_MXCSR_MASK, &mask, 4);
	return e->ops->write(e, gva, cpu->fpu.fxsave, FX_BYTES,
			     VMON_ACC_W | vmon_emu_acc(cpu));
}

int vmon_emu_op_fxrstor(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	u8 image[FX_BYTES];
	u32 gva, mxcsr;
	int ret = fx_gva(e, 0, &gva);

	if (ret == VMON_EMU_OK)
		ret = e->ops->read(e, gva, image, FX_BYTES, vmon_emu_acc(cpu));
	if (ret != VMON_EMU_OK)
		return ret;
	memcpy(&mxcsr, image + FX_MXCSR, 4);
	if (mxcsr & ~MXCSR_VALID)
		return vmon_emu_gp0(e);
	memcpy(cpu->fpu.fxsave, image, FX_BYTES);
	put16(cpu, FX_FCW, (get16(cpu, FX_FCW) & 0x1f3f) | 0x40);
	update_summary(cpu);
	return VMON_EMU_OK;
}

/* LDMXCSR and STMXCSR. */
int vmon_emu_op_mxcsr(struct vmon_emu *e)
{
	u8 *at = e->cpu->fpu.fxsave + FX_MXCSR;
	u32 val, ea = vmon_emu_ea(e);
	int ret = sse_available(e);

	if (ret != VMON_EMU_OK)
		return ret;
	if (e->insn.op == VMON_OP_STMXCSR)
		return vmon_emu_mem_write(e, e->insn.seg, ea, at, 4);
	ret = vmon_emu_mem_read(e, e->insn.seg, ea, &val, 4);
	if (ret != VMON_EMU_OK)
		return ret;
	if (val & ~MXCSR_VALID)
		return vmon_emu_gp0(e);
	memcpy(at, &val, 4);
	return VMON_EMU_OK;
}

/* The decoder knows sizes and directions; only the masked moves hide theirs. */
void vmon_emu_fpu_operand(const struct vmon_insn *insn, unsigned int *size,
			  unsigned int *acc)
{
	unsigned int i;

	*size = 0;
	*acc = insn->flags & VMON_I_MEM_W ? VMON_ACC_W : 0;
	for (i = 0; i < 3; i++)
		if (insn->opnd[i].kind == VMON_OPND_MEM)
			*size = insn->opnd[i].size;
	/* MASKMOVQ and MASKMOVDQU store to [EDI] through a register form. */
	if (!*size && (insn->flags & VMON_I_MEM_W))
		*size = insn->op == VMON_OP_MMX ||
			!(insn->prefixes & VMON_P_OPSIZE) ? 8 : 16;
}

static void put(struct vmon_cpu *cpu, unsigned int at, u32 val, unsigned int len)
{
	memcpy(cpu->fpu.fxsave + at, &val, len);
}

void vmon_emu_fpu_pointers(struct vmon_emu *e, u32 at, unsigned int len, unsigned int size,
			   u32 gva)
{
	struct vmon_cpu *cpu = e->cpu;
	const struct vmon_seg *seg = &cpu->seg[e->insn.seg];
	u32 fip;

	memcpy(&fip, cpu->fpu.fxsave + FX_FIP, sizeof(fip));
	if (fip - at >= len)
		return;
	put(cpu, FX_FIP, cpu->eip, 4);
	/* Recent CPUs keep no selectors. */
	if (get16(cpu, FX_FCS))
		put(cpu, FX_FCS, cpu->seg[VMON_CS].sel, 2);
	if (!size)
		return;
	put(cpu, FX_FDP, gva - seg->base, 4);
	if (get16(cpu, FX_FDS))
		put(cpu, FX_FDS, seg->sel, 2);
}
