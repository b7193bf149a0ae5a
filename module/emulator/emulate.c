// SPDX-License-Identifier: GPL-2.0
/*
 * Instruction emulator: fetch, dispatch, and what surrounds every instruction.
 *
 * The registers are saved before the handler runs and put back if it faults,
 * so that handlers need not order their side effects. What ends an instruction
 * (RF, interrupt shadow, traps of single steps and breakpoints) is done here, once.
 */
#include <linux/errno.h>
#include "emulator/internal.h"

void vmon_emu_raise(struct vmon_emu *e, u8 vector)
{
	memset(&e->exc, 0, sizeof(e->exc));
	e->exc.vector = vector;
}

void vmon_emu_raise_code(struct vmon_emu *e, u8 vector, u16 error)
{
	vmon_emu_raise(e, vector);
	e->exc.has_error = true;
	e->exc.error = error;
	if (vector >= VMON_EXC_TS && vector <= VMON_EXC_GP)
		e->exc.error |= e->ext;
}

int vmon_emu_page_fault(struct vmon_emu *e, u32 gva, u16 error)
{
	vmon_emu_raise(e, VMON_EXC_PF);
	e->exc.has_error = true;
	e->exc.error = error;
	e->exc.cr2 = gva;
	return VMON_EMU_FAULT;
}

/**
 * vmon_emu_condition() - evaluate a condition code
 * @cpu:	flags
 * @cc:		condition, SDM vol. 1, appendix B
 */
bool vmon_emu_condition(const struct vmon_cpu *cpu, unsigned int cc)
{
	u32 fl = cpu->eflags;
	bool sf_ne_of = !(fl & VMON_FL_SF) != !(fl & VMON_FL_OF);
	bool r;

	switch (cc >> 1) {
	case 0:
		r = fl & VMON_FL_OF;
		break;
	case 1:
		r = fl & VMON_FL_CF;
		break;
	case 2:
		r = fl & VMON_FL_ZF;
		break;
	case 3:
		r = fl & (VMON_FL_CF | VMON_FL_ZF);
		break;
	case 4:
		r = fl & VMON_FL_SF;
		break;
	case 5:
		r = fl & VMON_FL_PF;
		break;
	case 6:
		r = sf_ne_of;
		break;
	default:
		r = sf_ne_of || (fl & VMON_FL_ZF);
		break;
	}
	return r != (cc & 1);
}

/**
 * vmon_emu_checkpoint() - make the registers the state that a fault returns to
 * @e:	emulator
 *
 * For REP: an iteration that is done stays done. EIP stays at the instruction,
 * and the flags are those before it (SDM vol. 2, REP).
 */
void vmon_emu_checkpoint(struct vmon_emu *e)
{
	memcpy(e->undo.gpr, e->cpu->gpr, sizeof(e->undo.gpr));
}

static void undo(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;

	memcpy(cpu->gpr, e->undo.gpr, sizeof(cpu->gpr));
	cpu->eip = e->undo.eip;
	cpu->eflags = e->undo.eflags;
	cpu->shadow = e->undo.shadow;
}

static const vmon_emu_handler handlers[VMON_NR_OPS] = {
	[VMON_OP_INVALID] = vmon_emu_op_ud,
	[VMON_OP_ADD] = vmon_emu_op_arith,
	[VMON_OP_OR] = vmon_emu_op_arith,
	[VMON_OP_ADC] = vmon_emu_op_arith,
	[VMON_OP_SBB] = vmon_emu_op_arith,
	[VMON_OP_AND] = vmon_emu_op_arith,
	[VMON_OP_SUB] = vmon_emu_op_arith,
	[VMON_OP_XOR] = vmon_emu_op_arith,
	[VMON_OP_CMP] = vmon_emu_op_arith,
	[VMON_OP_ROL] = vmon_emu_op_shift,
	[VMON_OP_ROR] = vmon_emu_op_shift,
	[VMON_OP_RCL] = vmon_emu_op_shift,
	[VMON_OP_RCR] = vmon_emu_op_shift,
	[VMON_OP_SHL] = vmon_emu_op_shift,
	[VMON_OP_SHR] = vmon_emu_op_shift,
	[VMON_OP_SAL] = vmon_emu_op_shift,
	[VMON_OP_SAR] = vmon_emu_op_shift,
	[VMON_OP_INC] = vmon_emu_op_unary,
	[VMON_OP_DEC] = vmon_emu_op_unary,
	[VMON_OP_NOT] = vmon_emu_op_unary,
	[VMON_OP_NEG] = vmon_emu_op_unary,
	[VMON_OP_MUL] = vmon_emu_op_mul,
	[VMON_OP_IMUL] = vmon_emu_op_imul,
	[VMON_OP_DIV] = vmon_emu_op_div,
	[VMON_OP_IDIV] = vmon_emu_op_idiv,
	[VMON_OP_TEST] = vmon_emu_op_test,
	[VMON_OP_XADD] = vmon_emu_op_xadd,
	[VMON_OP_XCHG] = vmon_emu_op_xchg,
	[VMON_OP_CMPXCHG] = vmon_emu_op_cmpxchg,
	[VMON_OP_CMPXCHG8B] = vmon_emu_op_cmpxchg8b,
	[VMON_OP_SHLD] = vmon_emu_op_shiftd,
	[VMON_OP_SHRD] = vmon_emu_op_shiftd,
	[VMON_OP_BT] = vmon_emu_op_bittest,
	[VMON_OP_BTS] = vmon_emu_op_bittest,
	[VMON_OP_BTR] = vmon_emu_op_bittest,
	[VMON_OP_BTC] = vmon_emu_op_bittest,
	[VMON_OP_BSF] = vmon_emu_op_scan,
	[VMON_OP_BSR] = vmon_emu_op_scan,
	[VMON_OP_TZCNT] = vmon_emu_op_scan,
	[VMON_OP_LZCNT] = vmon_emu_op_scan,
	[VMON_OP_POPCNT] = vmon_emu_op_scan,
	[VMON_OP_BSWAP] = vmon_emu_op_bswap,
	[VMON_OP_MOVBE] = vmon_emu_op_movbe,
	[VMON_OP_ADCX] = vmon_emu_op_adx,
	[VMON_OP_ADOX] = vmon_emu_op_adx,
	[VMON_OP_CRC32] = vmon_emu_op_crc32,
	[VMON_OP_MOVNTI] = vmon_emu_op_mov,
	[VMON_OP_MOV] = vmon_emu_op_mov,
	[VMON_OP_MOVZX] = vmon_emu_op_movzx,
	[VMON_OP_MOVSX] = vmon_emu_op_movsx,
	[VMON_OP_LEA] = vmon_emu_op_lea,
	[VMON_OP_CBW] = vmon_emu_op_cbw,
	[VMON_OP_CWD] = vmon_emu_op_cwd,
	[VMON_OP_CMOV] = vmon_emu_op_cmov,
	[VMON_OP_SETCC] = vmon_emu_op_setcc,
	[VMON_OP_PUSH] = vmon_emu_op_push,
	[VMON_OP_POP] = vmon_emu_op_pop,
	[VMON_OP_PUSHA] = vmon_emu_op_pusha,
	[VMON_OP_POPA] = vmon_emu_op_popa,
	[VMON_OP_PUSHF] = vmon_emu_op_pushf,
	[VMON_OP_POPF] = vmon_emu_op_popf,
	[VMON_OP_ENTER] = vmon_emu_op_enter,
	[VMON_OP_LEAVE] = vmon_emu_op_leave,
	[VMON_OP_LAHF] = vmon_emu_op_lahf,
	[VMON_OP_SAHF] = vmon_emu_op_sahf,
	[VMON_OP_CLC] = vmon_emu_op_flag,
	[VMON_OP_STC] = vmon_emu_op_flag,
	[VMON_OP_CMC] = vmon_emu_op_flag,
	[VMON_OP_CLD] = vmon_emu_op_flag,
	[VMON_OP_STD] = vmon_emu_op_flag,
	[VMON_OP_SALC] = vmon_emu_op_salc,
	[VMON_OP_XLAT] = vmon_emu_op_xlat,
	[VMON_OP_AAA] = vmon_emu_op_bcd,
	[VMON_OP_AAS] = vmon_emu_op_bcd,
	[VMON_OP_AAM] = vmon_emu_op_bcd,
	[VMON_OP_AAD] = vmon_emu_op_bcd,
	[VMON_OP_DAA] = vmon_emu_op_bcd,
	[VMON_OP_DAS] = vmon_emu_op_bcd,
	[VMON_OP_BOUND] = vmon_emu_op_bound,
	[VMON_OP_ARPL] = vmon_emu_op_arpl,
	[VMON_OP_NOP] = vmon_emu_op_nop,
	[VMON_OP_FENCE] = vmon_emu_op_fence,
	[VMON_OP_MOVS] = vmon_emu_op_string,
	[VMON_OP_CMPS] = vmon_emu_op_string,
	[VMON_OP_STOS] = vmon_emu_op_string,
	[VMON_OP_LODS] = vmon_emu_op_string,
	[VMON_OP_SCAS] = vmon_emu_op_string,
	[VMON_OP_INS] = vmon_emu_op_string,
	[VMON_OP_OUTS] = vmon_emu_op_string,
	[VMON_OP_JCC] = vmon_emu_op_jcc,
	[VMON_OP_JMP] = vmon_emu_op_jmp,
	[VMON_OP_CALL] = vmon_emu_op_call,
	[VMON_OP_RET] = vmon_emu_op_ret,
	[VMON_OP_JMP_FAR] = vmon_emu_op_far,
	[VMON_OP_CALL_FAR] = vmon_emu_op_far,
	[VMON_OP_RET_FAR] = vmon_emu_op_ret_far,
	[VMON_OP_IRET] = vmon_emu_op_iret,
	[VMON_OP_LOOP] = vmon_emu_op_loop,
	[VMON_OP_LOOPE] = vmon_emu_op_loop,
	[VMON_OP_LOOPNE] = vmon_emu_op_loop,
	[VMON_OP_JCXZ] = vmon_emu_op_jcxz,
	[VMON_OP_INT] = vmon_emu_op_int,
	[VMON_OP_INT3] = vmon_emu_op_int,
	[VMON_OP_INTO] = vmon_emu_op_int,
	[VMON_OP_INT1] = vmon_emu_op_int,
	[VMON_OP_SYSENTER] = vmon_emu_op_sysenter,
	[VMON_OP_SYSEXIT] = vmon_emu_op_sysexit,
	[VMON_OP_SYSCALL] = vmon_emu_op_ud,	/* Intel: 64-bit mode only */
	[VMON_OP_SYSRET] = vmon_emu_op_ud,
	[VMON_OP_UD] = vmon_emu_op_ud,
	[VMON_OP_CLI] = vmon_emu_op_cli,
	[VMON_OP_STI] = vmon_emu_op_sti,
	[VMON_OP_HLT] = vmon_emu_op_hlt,
	[VMON_OP_IN] = vmon_emu_op_in,
	[VMON_OP_OUT] = vmon_emu_op_out,
	[VMON_OP_LGDT] = vmon_emu_op_dt_load,
	[VMON_OP_SGDT] = vmon_emu_op_dt_store,
	[VMON_OP_LIDT] = vmon_emu_op_dt_load,
	[VMON_OP_SIDT] = vmon_emu_op_dt_store,
	[VMON_OP_LLDT] = vmon_emu_op_lldt,
	[VMON_OP_SLDT] = vmon_emu_op_sel_store,
	[VMON_OP_LTR] = vmon_emu_op_ltr,
	[VMON_OP_STR] = vmon_emu_op_sel_store,
	[VMON_OP_LMSW] = vmon_emu_op_lmsw,
	[VMON_OP_SMSW] = vmon_emu_op_smsw,
	[VMON_OP_CLTS] = vmon_emu_op_clts,
	[VMON_OP_INVLPG] = vmon_emu_op_invlpg,
	[VMON_OP_INVD] = vmon_emu_op_cache,
	[VMON_OP_WBINVD] = vmon_emu_op_cache,
	[VMON_OP_RDMSR] = vmon_emu_op_rdmsr,
	[VMON_OP_WRMSR] = vmon_emu_op_wrmsr,
	[VMON_OP_RDTSC] = vmon_emu_op_rdtsc,
	[VMON_OP_RDTSCP] = vmon_emu_op_ud,	/* not in CPUID */
	[VMON_OP_RDPMC] = vmon_emu_op_rdpmc,
	[VMON_OP_CPUID] = vmon_emu_op_cpuid,
	[VMON_OP_LAR] = vmon_emu_op_lar,
	[VMON_OP_LSL] = vmon_emu_op_lar,
	[VMON_OP_VERR] = vmon_emu_op_verr,
	[VMON_OP_VERW] = vmon_emu_op_verr,
	[VMON_OP_LDS] = vmon_emu_op_lds,
	[VMON_OP_MOV_SEG] = vmon_emu_op_mov_seg,
	[VMON_OP_MOV_CR] = vmon_emu_op_mov_cr,
	[VMON_OP_MOV_DR] = vmon_emu_op_mov_dr,
	[VMON_OP_MONITOR] = vmon_emu_op_ud,	/* not in CPUID */
	[VMON_OP_MWAIT] = vmon_emu_op_ud,
	[VMON_OP_RSM] = vmon_emu_op_ud,		/* not in SMM */
	[VMON_OP_FWAIT] = vmon_emu_op_fwait,
	[VMON_OP_X87] = vmon_emu_op_x87,
	[VMON_OP_MMX] = vmon_emu_op_mmx,
	[VMON_OP_SSE] = vmon_emu_op_sse,
	[VMON_OP_FXSAVE] = vmon_emu_op_fxsave,
	[VMON_OP_FXRSTOR] = vmon_emu_op_fxrstor,
	[VMON_OP_LDMXCSR] = vmon_emu_op_mxcsr,
	[VMON_OP_STMXCSR] = vmon_emu_op_mxcsr,
	[VMON_OP_XSAVE] = vmon_emu_op_ud,	/* CR4.OSXSAVE is never set */
	[VMON_OP_EMMS] = vmon_emu_op_emms,
};

/* What ends an instruction; start_flags are those it began with. */
static int finish(struct vmon_emu *e, u32 start_flags)
{
	struct vmon_cpu *cpu = e->cpu;

	if (!e->keep_rf)
		cpu->eflags &= ~VMON_FL_RF;
	/* MOV SS puts both off until after the next instruction. */
	if (!((start_flags & VMON_FL_TF) || e->hits) || cpu->shadow == VMON_SHADOW_SS)
		return VMON_EMU_OK;
	cpu->dr[6] |= e->hits | ((start_flags & VMON_FL_TF) ? VMON_DR6_BS : 0);
	vmon_emu_raise(e, VMON_EXC_DB);
	e->exc.trap = true;
	return VMON_EMU_FAULT;
}

int vmon_emu_exec(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	vmon_emu_handler handler = NULL;
	int ret;

	if (e->insn.op < VMON_NR_OPS)
		handler = handlers[e->insn.op];
	if (!handler)
		return VMON_EMU_UNSUPPORTED;

	e->undo.eip = cpu->eip;
	e->undo.eflags = cpu->eflags;
	e->undo.shadow = cpu->shadow;
	if (cpu->shadow != VMON_SHADOW_SS)
		e->hits = 0;
	vmon_emu_checkpoint(e);
	e->ext = 0;
	e->keep = false;
	e->stop = false;
	do {
		cpu->eip = e->undo.eip + e->insn.len;
		cpu->shadow = 0;
		e->keep_rf = false;
		ret = handler(e);
		if (ret == VMON_EMU_OK)
			return finish(e, e->undo.eflags);
		if (ret == VMON_EMU_FAULT && e->exc.trap && !e->keep_rf)
			cpu->eflags &= ~VMON_FL_RF;
		if (ret == VMON_EMU_FAULT && (e->exc.trap || e->keep))
			return ret;
		undo(e);
	} while (ret == VMON_EMU_AGAIN);
	return ret;
}

int vmon_emu_fpu_done(struct vmon_emu *e)
{
	u32 start_flags = e->cpu->eflags;

	e->cpu->eip += e->insn.len;
	e->cpu->shadow = 0;
	e->keep_rf = false;
	return finish(e, start_flags);
}

int vmon_emulate(struct vmon_emu *e)
{
	struct vmon_cpu *cpu = e->cpu;
	const struct vmon_seg *cs = &cpu->seg[VMON_CS];
	unsigned int acc = VMON_ACC_X | vmon_emu_acc(cpu);
	unsigned int have = 0, room = VMON_INSN_MAX, want;
	u8 bytes[VMON_INSN_MAX];
	u32 gva = cs->base + cpu->eip;
	int ret;

	ret = vmon_emu_code_breakpoint(e, gva);
	if (ret != VMON_EMU_OK)
		return ret;
	if (cpu->eip > cs->limit) {
		e->ext = 0;
		return vmon_emu_gp0(e);
	}
	if (cs->limit - cpu->eip < VMON_INSN_MAX - 1)
		room = cs->limit - cpu->eip + 1;

	/* The next page is touched only if the instruction reaches into it. */
	want = 0x1000 - (gva & 0xfff);
	if (want > room)
		want = room;
	for (;;) {
		ret = e->ops->read(e, gva + have, bytes + have, want - have,
				   acc);
		if (ret != VMON_EMU_OK)
			return ret;
		have = want;
		ret = vmon_decode(&e->insn, bytes, have,
				  cs->attr & VMON_SEG_DB);
		if (ret != -EAGAIN)
			break;
		if (have == room) {
			e->ext = 0;
			return vmon_emu_gp0(e);
		}
		want = room;
	}
	switch (ret) {
	case 0:
		return vmon_emu_exec(e);
	case -EINVAL:
		return vmon_emu_ud(e);
	default:
		e->ext = 0;
		return vmon_emu_gp0(e);
	}
}
