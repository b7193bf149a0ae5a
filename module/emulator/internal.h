/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the emulator's files share among themselves and with nobody else.
 *
 * A handler executes one operation. cpu->eip already points past the
 * instruction when it is called; on a fault the dispatcher puts the registers
 * back, so a handler may change general registers and flags freely, but changes
 * segment and system registers only after its last possible fault.
 */
#ifndef VMON_EMULATOR_INTERNAL_H
#define VMON_EMULATOR_INTERNAL_H

#include <linux/types.h>
#include <linux/string.h>
#include "vm/cpu.h"
#include "emulator/decode.h"
#include "emulator/emulate.h"

/* A locked store lost a race: the instruction is executed again. */
#define VMON_EMU_AGAIN	100

typedef int (*vmon_emu_handler)(struct vmon_emu *e);

/* System segment and gate types, SDM vol. 3, table 3-2. */
#define VMON_SYS_TSS16		1
#define VMON_SYS_LDT		2
#define VMON_SYS_TSS16_BUSY	3
#define VMON_SYS_CALL16		4
#define VMON_SYS_TASK		5
#define VMON_SYS_INT16		6
#define VMON_SYS_TRAP16		7
#define VMON_SYS_TSS32		9
#define VMON_SYS_TSS32_BUSY	11
#define VMON_SYS_CALL32		12
#define VMON_SYS_INT32		14
#define VMON_SYS_TRAP32		15

/* A descriptor as it lies in its table, and where. */
struct vmon_desc {
	u32 lo;
	u32 hi;
	u32 gva;
};

#define vmon_desc_type(d)	(((d)->hi >> 8) & 15)
#define vmon_desc_dpl(d)	(((d)->hi >> 13) & 3)
#define vmon_desc_s(d)		((d)->hi & 0x1000)
#define vmon_desc_p(d)		((d)->hi & 0x8000)
#define vmon_desc_attr(d)	(((d)->hi >> 8) & 0xf0ff)
#define vmon_desc_is_code(d)	(((d)->hi & 0x1800) == 0x1800)
#define vmon_desc_is_conforming(d) (((d)->hi & 0x1c00) == 0x1c00)
#define vmon_desc_is_wdata(d)	(((d)->hi & 0x1a00) == 0x1200)

/* A stack that is pushed to or popped from before SS:ESP is committed. */
struct vmon_stack {
	const struct vmon_seg *ss;
	u32 esp;
	u32 mask;
	u16 code;	/* error code of #SS */
	u8 acc;		/* VMON_ACC_U of the accessing privilege level */
};

static inline bool vmon_emu_prot(const struct vmon_cpu *cpu)
{
	return (cpu->cr0 & VMON_CR0_PE) && !(cpu->eflags & VMON_FL_VM);
}

static inline unsigned int vmon_emu_iopl(const struct vmon_cpu *cpu)
{
	return (cpu->eflags >> 12) & 3;
}

static inline unsigned int vmon_emu_acc(const struct vmon_cpu *cpu)
{
	return cpu->cpl == 3 ? VMON_ACC_U : 0;
}

static inline u32 vmon_emu_mask(unsigned int size)
{
	return size >= 4 ? 0xffffffffu : (1u << (size * 8)) - 1;
}

static inline u32 vmon_emu_sign_extend(u32 val, unsigned int size)
{
	switch (size) {
	case 1:
		return (u32)(s32)(s8)val;
	case 2:
		return (u32)(s32)(s16)val;
	default:
		return val;
	}
}

static inline u32 vmon_emu_reg(const struct vmon_cpu *cpu, unsigned int reg,
			       unsigned int size)
{
	switch (size) {
	case 1:
		return (u8)(reg < 4 ? cpu->gpr[reg] : cpu->gpr[reg & 3] >> 8);
	case 2:
		return (u16)cpu->gpr[reg];
	default:
		return cpu->gpr[reg];
	}
}

static inline void vmon_emu_set_reg(struct vmon_cpu *cpu, unsigned int reg,
				    unsigned int size, u32 val)
{
	u32 *r = &cpu->gpr[size == 1 ? reg & 3 : reg];

	switch (size) {
	case 1:
		if (reg < 4)
			*r = (*r & ~0xffu) | (val & 0xff);
		else
			*r = (*r & ~0xff00u) | (val & 0xff) << 8;
		break;
	case 2:
		*r = (*r & ~0xffffu) | (val & 0xffff);
		break;
	default:
		*r = val;
	}
}

/* #GP(0), the most frequent refusal. */
static inline int vmon_emu_gp0(struct vmon_emu *e)
{
	return vmon_emu_fault_code(e, VMON_EXC_GP, 0);
}

static inline int vmon_emu_ud(struct vmon_emu *e)
{
	return vmon_emu_fault(e, VMON_EXC_UD);
}

/* emulate.c */
bool vmon_emu_condition(const struct vmon_cpu *cpu, unsigned int cc);
void vmon_emu_checkpoint(struct vmon_emu *e);

/* operand.c */
u32 vmon_emu_ea(const struct vmon_emu *e);
int vmon_emu_mem_read(struct vmon_emu *e, unsigned int sreg, u32 off, void *buf,
		      unsigned int len);
int vmon_emu_mem_write(struct vmon_emu *e, unsigned int sreg, u32 off,
		       const void *buf, unsigned int len);
int vmon_emu_opnd_read(struct vmon_emu *e, unsigned int i, u32 *val);
int vmon_emu_opnd_write(struct vmon_emu *e, unsigned int i, u32 val);
int vmon_emu_opnd_rmw(struct vmon_emu *e, unsigned int i, u32 *val);
int vmon_emu_opnd_commit(struct vmon_emu *e, unsigned int i, u32 old, u32 val);
int vmon_emu_rm16_read(struct vmon_emu *e, unsigned int i, u16 *val);
int vmon_emu_sys_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len);
int vmon_emu_sys_write(struct vmon_emu *e, u32 gva, const void *buf,
		       unsigned int len);

/* flags.c */
u32 vmon_emu_arith(unsigned int op, unsigned int size, u32 dst, u32 src,
		   u32 *eflags);
u32 vmon_emu_shift(unsigned int op, unsigned int size, u32 dst, u8 count,
		   u32 *eflags);
u32 vmon_emu_shiftd(bool left, unsigned int size, u32 dst, u32 src, u8 count,
		    u32 *eflags);
u32 vmon_emu_unary(unsigned int op, unsigned int size, u32 dst, u32 *eflags);
u32 vmon_emu_scan(unsigned int op, unsigned int size, u32 dst, u32 src,
		  u32 *eflags);
u64 vmon_emu_multiply(unsigned int op, unsigned int size, u32 a, u32 b,
		      u32 *eflags);
u32 vmon_emu_imul(unsigned int size, u32 a, u32 b, u32 *eflags);

/* breakpoint.c */
int vmon_emu_code_breakpoint(struct vmon_emu *e, u32 gva);
void vmon_emu_watch(struct vmon_emu *e, u32 gva, unsigned int len, unsigned int acc);
void vmon_emu_watch_io(struct vmon_emu *e, u16 port, unsigned int len);

/* segment.c */
int vmon_emu_seg_linear(struct vmon_emu *e, const struct vmon_seg *seg,
			u8 vector, u16 code, u32 off, unsigned int len,
			unsigned int acc, u32 *gva);
int vmon_emu_desc(struct vmon_emu *e, u16 sel, u8 vector, struct vmon_desc *d);
int vmon_emu_desc_touch(struct vmon_emu *e, const struct vmon_desc *d);
void vmon_emu_seg_set(struct vmon_seg *seg, u16 sel, const struct vmon_desc *d);
void vmon_emu_seg_set_real(struct vmon_emu *e, unsigned int sreg, u16 sel);
void vmon_emu_seg_null(struct vmon_seg *seg, u16 sel);
u32 vmon_emu_desc_limit(const struct vmon_desc *d);
void vmon_emu_seg_revalidate(struct vmon_cpu *cpu);
int vmon_emu_inner_stack(struct vmon_emu *e, unsigned int dpl,
			 struct vmon_seg *ss, u32 *esp);

/* stack.c */
void vmon_emu_stack_init(const struct vmon_cpu *cpu, struct vmon_stack *st);
bool vmon_emu_stack_push_all(struct vmon_emu *e, struct vmon_stack *st, const u32 *word,
			     unsigned int n);
int vmon_emu_stack_push(struct vmon_emu *e, struct vmon_stack *st,
			unsigned int size, u32 val);
int vmon_emu_stack_pop(struct vmon_emu *e, struct vmon_stack *st,
		       unsigned int size, u32 *val);
void vmon_emu_stack_commit(struct vmon_cpu *cpu, const struct vmon_stack *st);
int vmon_emu_push(struct vmon_emu *e, unsigned int size, u32 val);
int vmon_emu_pop(struct vmon_emu *e, unsigned int size, u32 *val);
u32 vmon_emu_flags_writable(const struct vmon_cpu *cpu, unsigned int size);

/* branch.c, far.c, return.c, task.c */
int vmon_emu_near(struct vmon_emu *e, unsigned int opsize, u32 target);
int vmon_emu_set_cs(struct vmon_emu *e, u16 sel, unsigned int cpl,
		    const struct vmon_desc *d, u32 eip);

enum vmon_task_source {
	VMON_TASK_JMP, VMON_TASK_CALL, VMON_TASK_IRET, VMON_TASK_INT,
};

int vmon_emu_task_switch(struct vmon_emu *e, u16 sel,
			 enum vmon_task_source source);
int vmon_emu_task_return(struct vmon_emu *e);

/* io.c, system.c */
int vmon_emu_io_allowed(struct vmon_emu *e, u16 port, unsigned int len);
int vmon_emu_write_cr(struct vmon_emu *e, unsigned int cr, u32 val);

/* Handlers, by file. */
int vmon_emu_op_arith(struct vmon_emu *e);
int vmon_emu_op_unary(struct vmon_emu *e);
int vmon_emu_op_shift(struct vmon_emu *e);
int vmon_emu_op_shiftd(struct vmon_emu *e);
int vmon_emu_op_test(struct vmon_emu *e);
int vmon_emu_op_xadd(struct vmon_emu *e);
int vmon_emu_op_xchg(struct vmon_emu *e);
int vmon_emu_op_cmpxchg(struct vmon_emu *e);
int vmon_emu_op_cmpxchg8b(struct vmon_emu *e);
int vmon_emu_op_bittest(struct vmon_emu *e);
int vmon_emu_op_scan(struct vmon_emu *e);
int vmon_emu_op_adx(struct vmon_emu *e);
int vmon_emu_op_crc32(struct vmon_emu *e);
int vmon_emu_op_mul(struct vmon_emu *e);
int vmon_emu_op_imul(struct vmon_emu *e);
int vmon_emu_op_div(struct vmon_emu *e);
int vmon_emu_op_idiv(struct vmon_emu *e);
int vmon_emu_op_bcd(struct vmon_emu *e);

int vmon_emu_op_mov(struct vmon_emu *e);
int vmon_emu_op_movzx(struct vmon_emu *e);
int vmon_emu_op_movsx(struct vmon_emu *e);
int vmon_emu_op_movbe(struct vmon_emu *e);
int vmon_emu_op_bswap(struct vmon_emu *e);
int vmon_emu_op_lea(struct vmon_emu *e);
int vmon_emu_op_cbw(struct vmon_emu *e);
int vmon_emu_op_cwd(struct vmon_emu *e);
int vmon_emu_op_cmov(struct vmon_emu *e);
int vmon_emu_op_setcc(struct vmon_emu *e);
int vmon_emu_op_lahf(struct vmon_emu *e);
int vmon_emu_op_sahf(struct vmon_emu *e);
int vmon_emu_op_flag(struct vmon_emu *e);
int vmon_emu_op_salc(struct vmon_emu *e);
int vmon_emu_op_xlat(struct vmon_emu *e);
int vmon_emu_op_bound(struct vmon_emu *e);
int vmon_emu_op_nop(struct vmon_emu *e);
int vmon_emu_op_fence(struct vmon_emu *e);
int vmon_emu_op_ud(struct vmon_emu *e);

int vmon_emu_op_push(struct vmon_emu *e);
int vmon_emu_op_pop(struct vmon_emu *e);
int vmon_emu_op_pusha(struct vmon_emu *e);
int vmon_emu_op_popa(struct vmon_emu *e);
int vmon_emu_op_pushf(struct vmon_emu *e);
int vmon_emu_op_popf(struct vmon_emu *e);
int vmon_emu_op_enter(struct vmon_emu *e);
int vmon_emu_op_leave(struct vmon_emu *e);

int vmon_emu_op_string(struct vmon_emu *e);

int vmon_emu_op_jcc(struct vmon_emu *e);
int vmon_emu_op_jmp(struct vmon_emu *e);
int vmon_emu_op_call(struct vmon_emu *e);
int vmon_emu_op_ret(struct vmon_emu *e);
int vmon_emu_op_loop(struct vmon_emu *e);
int vmon_emu_op_jcxz(struct vmon_emu *e);
int vmon_emu_op_int(struct vmon_emu *e);
int vmon_emu_op_far(struct vmon_emu *e);
int vmon_emu_op_ret_far(struct vmon_emu *e);
int vmon_emu_op_iret(struct vmon_emu *e);
int vmon_emu_op_sysenter(struct vmon_emu *e);
int vmon_emu_op_sysexit(struct vmon_emu *e);

int vmon_emu_op_cli(struct vmon_emu *e);
int vmon_emu_op_sti(struct vmon_emu *e);
int vmon_emu_op_hlt(struct vmon_emu *e);
int vmon_emu_op_in(struct vmon_emu *e);
int vmon_emu_op_out(struct vmon_emu *e);
int vmon_emu_op_dt_load(struct vmon_emu *e);
int vmon_emu_op_dt_store(struct vmon_emu *e);
int vmon_emu_op_lldt(struct vmon_emu *e);
int vmon_emu_op_ltr(struct vmon_emu *e);
int vmon_emu_op_sel_store(struct vmon_emu *e);
int vmon_emu_op_lmsw(struct vmon_emu *e);
int vmon_emu_op_smsw(struct vmon_emu *e);
int vmon_emu_op_clts(struct vmon_emu *e);
int vmon_emu_op_invlpg(struct vmon_emu *e);
int vmon_emu_op_cache(struct vmon_emu *e);
int vmon_emu_op_rdmsr(struct vmon_emu *e);
int vmon_emu_op_wrmsr(struct vmon_emu *e);
int vmon_emu_op_rdtsc(struct vmon_emu *e);
int vmon_emu_op_rdpmc(struct vmon_emu *e);
int vmon_emu_op_cpuid(struct vmon_emu *e);
int vmon_emu_op_mov_cr(struct vmon_emu *e);
int vmon_emu_op_mov_dr(struct vmon_emu *e);

int vmon_emu_op_lds(struct vmon_emu *e);
int vmon_emu_op_mov_seg(struct vmon_emu *e);
int vmon_emu_op_arpl(struct vmon_emu *e);
int vmon_emu_op_lar(struct vmon_emu *e);
int vmon_emu_op_verr(struct vmon_emu *e);

int vmon_emu_op_fwait(struct vmon_emu *e);
int vmon_emu_op_x87(struct vmon_emu *e);
int vmon_emu_op_mmx(struct vmon_emu *e);
int vmon_emu_op_sse(struct vmon_emu *e);
int vmon_emu_op_fxsave(struct vmon_emu *e);
int vmon_emu_op_fxrstor(struct vmon_emu *e);
int vmon_emu_op_mxcsr(struct vmon_emu *e);
int vmon_emu_op_emms(struct vmon_emu *e);

#endif /* VMON_EMULATOR_INTERNAL_H */
