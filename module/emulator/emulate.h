/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instruction emulator: executes one guest instruction on struct vmon_cpu.
 *
 * Every mode that is not fit for direct execution or translation ends here:
 * real mode, 16-bit segments, virtual-8086 mode, MMIO, the top page, segment
 * and system instructions, and (exec=emulate) all guest kernel code. It is the
 * oracle that the translator is compared with, so it favours clarity.
 *
 * An instruction either completes, or raises an exception with the state as it
 * was before (except for what REP has already done), or stops with a report.
 *
 * Pure: memory, ports and time come through struct vmon_emu_ops.
 */
#ifndef VMON_EMULATOR_EMULATE_H
#define VMON_EMULATOR_EMULATE_H

#include <linux/types.h>
#include "vm/cpu.h"
#include "emulator/decode.h"

/* What an access is, for the page walker. */
#define VMON_ACC_W	0x1	/* write (a read-modify-write counts as one) */
#define VMON_ACC_U	0x2	/* user: CPL 3 and not an implicit system access */
#define VMON_ACC_X	0x4	/* instruction fetch */

enum vmon_emu_result {
	VMON_EMU_OK,		/* done, eip advanced */
	VMON_EMU_FAULT,		/* exception recorded in ctx->exc; state unchanged */
	/* An op wants to be called again, a device read is pending; state unchanged
	 * (REP: progress kept).
	 */
	VMON_EMU_RETRY,
	VMON_EMU_FPU,		/* x87/MMX/SSE: ctx->insn must run on the real FPU */
	VMON_EMU_UNSUPPORTED,	/* not supported: stop the VM with a report */
};

struct vmon_emu;

/**
 * struct vmon_emu_ops - what the emulator needs from its surroundings
 *
 * Linear addresses (gva) have passed segmentation. The memory ops translate
 * with the guest's page tables, set accessed and dirty bits, and on a page
 * fault return VMON_EMU_FAULT after vmon_emu_page_fault(). An access may cross
 * a page; it must not be half done when it faults.
 *
 * @read, @write: @len bytes, 1 to 512
 * @cmpxchg:	atomic compare and exchange of 1, 2, 4 or 8 bytes (LOCK); sets
 *		*@old to what was there; NULL: the emulator uses read and write
 * @in, @out:	ports, 1, 2 or 4 bytes; VMON_EMU_OK or VMON_EMU_RETRY
 * @cpuid:	leaf in *eax, subleaf in *ecx
 * @rdmsr, @wrmsr: return false for an MSR that does not exist (#GP)
 * @tsc:	guest time-stamp counter
 * @set_cr:	called after cpu->cr[n] (n = 0, 3, 4) changed and passed the
 *		architectural checks; returns a result: VMON_EMU_FAULT for PDPTEs
 *		that cannot be loaded
 * @invlpg:	drop translations of one linear address
 */
struct vmon_emu_ops {
	int (*read)(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
		    unsigned int acc);
	int (*write)(struct vmon_emu *e, u32 gva, const void *buf,
		     unsigned int len, unsigned int acc);
	int (*cmpxchg)(struct vmon_emu *e, u32 gva, void *old, const void *new,
		       unsigned int len, unsigned int acc);
	int (*in)(struct vmon_emu *e, u16 port, unsigned int len, u32 *val);
	int (*out)(struct vmon_emu *e, u16 port, unsigned int len, u32 val);
	void (*cpuid)(struct vmon_emu *e, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx);
	bool (*rdmsr)(struct vmon_emu *e, u32 msr, u64 *val);
	bool (*wrmsr)(struct vmon_emu *e, u32 msr, u64 val);
	u64 (*tsc)(struct vmon_emu *e);
	int (*set_cr)(struct vmon_emu *e, unsigned int cr, u32 old);
	void (*invlpg)(struct vmon_emu *e, u32 gva);
};

struct vmon_emu_exc {
	u8 vector;
	bool has_error;
	bool trap;		/* trap class: eip is already past the instruction */
	bool soft;		/* INT n, INT3, INTO: DPL of the gate is checked */
	u8 len;			/* of an INT of any kind, for a fault in delivery; else 0 */
	u16 error;
	u32 cr2;		/* valid for #PF: becomes cpu->cr2 on delivery */
};

/**
 * struct vmon_emu - an emulator bound to a CPU
 * @cpu:	the state worked on
 * @ops:	surroundings
 * @priv:	for the ops
 * @exc:	the exception, when a call returned VMON_EMU_FAULT
 * @insn:	the last instruction decoded
 * @undo:	registers at the start of the instruction (private)
 * @rmw_gva:	where a read-modify-write operand was read (private)
 * @stop:	set by @ops->write: a repeated instruction is to end its call here, as it does
 *		after so many iterations; the CPU may be able to go on by itself now
 * @verified:	selector that the last VERR or VERW asked for
 * @hits:	data and I/O breakpoints that the instruction has met (private)
 * @ext:	EXT bit of error codes, set while an event is delivered (private)
 * @keep:	past the point of no return: a fault does not undo (private)
 * @keep_rf:	the instruction loaded RF itself (private)
 */
struct vmon_emu {
	struct vmon_cpu *cpu;
	const struct vmon_emu_ops *ops;
	void *priv;
	struct vmon_emu_exc exc;
	struct vmon_insn insn;
	struct {
		u32 gpr[VMON_NR_GPRS];
		u32 eip;
		u32 eflags;
		u8 shadow;
	} undo;
	u32 rmw_gva;
	u16 verified;
	bool stop;
	u32 hits;
	u8 ext;
	bool keep;
	bool keep_rf;
};

/**
 * vmon_emulate() - fetch, decode and execute the instruction at CS:EIP
 *
 * REP string instructions do a bounded number of iterations (256) per call and
 * return VMON_EMU_OK with EIP still at the instruction when more remain, so
 * that interrupts get in as on a real CPU.
 *
 * Does not deliver exceptions: on VMON_EMU_FAULT the caller passes e->exc to
 * vmon_emu_deliver(). Clears cpu->shadow unless the instruction sets it anew.
 *
 * Return: enum vmon_emu_result.
 */
int vmon_emulate(struct vmon_emu *e);

/**
 * vmon_emu_exec() - execute e->insn, already decoded, at CS:EIP
 *
 * For callers that hold the decoded instruction (the translator's callouts).
 */
int vmon_emu_exec(struct vmon_emu *e);

/**
 * vmon_emu_deliver() - deliver an exception or interrupt through the guest's IDT
 *
 * Does real mode, interrupt and trap gates (16 and 32 bit, same and inner
 * privilege, from VM86), task gates (task switch), escalates to #DF and shutdown
 * (cpu->shutdown) by SDM vol. 3, table 6-5. For hardware interrupts pass
 * @exc with only vector set.
 *
 * Return: VMON_EMU_OK, or VMON_EMU_UNSUPPORTED, or VMON_EMU_RETRY.
 */
int vmon_emu_deliver(struct vmon_emu *e, const struct vmon_emu_exc *exc);

/* Record an exception in e->exc. */
void vmon_emu_raise(struct vmon_emu *e, u8 vector);			/* no error code */
void vmon_emu_raise_code(struct vmon_emu *e, u8 vector, u16 error);
int vmon_emu_page_fault(struct vmon_emu *e, u32 gva, u16 error);	/* VMON_EMU_FAULT */

/* The same as a result: inline, so that it is seen never to be VMON_EMU_OK. */
static inline int vmon_emu_fault(struct vmon_emu *e, u8 vector)
{
	vmon_emu_raise(e, vector);
	return VMON_EMU_FAULT;
}

static inline int vmon_emu_fault_code(struct vmon_emu *e, u8 vector, u16 error)
{
	vmon_emu_raise_code(e, vector, error);
	return VMON_EMU_FAULT;
}

/**
 * vmon_emu_load_seg() - load a segment register as MOV Sreg does
 *
 * All checks of SDM vol. 3, 5.6 ff. for @sreg in ES SS DS FS GS at cpu->cpl,
 * accessed bit written back.
 */
int vmon_emu_load_seg(struct vmon_emu *e, unsigned int sreg, u16 sel);

/**
 * vmon_emu_linear() - segmentation: check an access and give its linear address
 *
 * Return: VMON_EMU_OK with *@gva set, or VMON_EMU_FAULT (#GP, #SS).
 */
int vmon_emu_linear(struct vmon_emu *e, unsigned int sreg, u32 offset,
		    unsigned int len, unsigned int acc, u32 *gva);

/**
 * vmon_emu_mem_gva() - linear address of the memory operand of e->insn
 * @e:		emulator, e->insn decoded
 * @len:	bytes accessed
 * @acc:	VMON_ACC_W for a write; VMON_ACC_U is added at CPL 3
 * @gva:	result
 *
 * Return: VMON_EMU_OK or VMON_EMU_FAULT (#GP, #SS, #AC).
 */
int vmon_emu_mem_gva(struct vmon_emu *e, unsigned int len, unsigned int acc,
		     u32 *gva);

/**
 * vmon_emu_fpu_operand() - what an x87, MMX or SSE instruction does to memory
 * @insn:	decoded instruction
 * @size:	bytes of the memory operand; 0 if it has none
 * @acc:	VMON_ACC_W if it stores, 0 if it loads
 */
void vmon_emu_fpu_operand(const struct vmon_insn *insn, unsigned int *size,
			  unsigned int *acc);

/**
 * vmon_emu_fpu_pointers() - where e->insn was, in place of where the caller ran it
 * @e:		emulator; the FPU's state is back in e->cpu
 * @at:		where it was executed, the low 32 bits; @len: bytes of room there
 * @size:	bytes of the memory operand; 0 if it has none
 * @gva:	guest linear address of the operand
 *
 * What FXSAVE tells of the last x87 instruction, if this was one (SDM vol. 1, 10.5.1).
 */
void vmon_emu_fpu_pointers(struct vmon_emu *e, u32 at, unsigned int len, unsigned int size,
			   u32 gva);

/**
 * vmon_emu_fpu_done() - the caller has executed e->insn after VMON_EMU_FPU
 *
 * Advances EIP and does what ends every instruction (RF, interrupt shadow).
 *
 * Return: VMON_EMU_OK, or VMON_EMU_FAULT for a single-step trap.
 */
int vmon_emu_fpu_done(struct vmon_emu *e);

#endif /* VMON_EMULATOR_EMULATE_H */
