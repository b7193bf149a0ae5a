/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instruction decoder: bytes to a structure that says what the instruction is,
 * what its operands are and where its parts lie.
 *
 * One decoder serves the translator (which mostly copies bytes and needs
 * lengths, classes and positions) and the emulator (which needs the operation
 * and the operands). Table driven, after SDM vol. 2, appendix A.
 *
 * Pure: compiles in the kernel and in userspace.
 */
#ifndef VMON_EMULATOR_DECODE_H
#define VMON_EMULATOR_DECODE_H

#include <linux/types.h>
#include "vm/cpu.h"

#define VMON_INSN_MAX	15

/*
 * Operations: one per mnemonic of the integer and system instruction set;
 * x87, MMX and SSE are classed, not named (VMON_OP_X87 ... below), because
 * nobody here computes them: they run on the real FPU.
 */
enum vmon_op {
	VMON_OP_INVALID,	/* #UD, or not known to this decoder */
	/* arithmetic, in the order of the /reg field of group 1 */
	VMON_OP_ADD, VMON_OP_OR, VMON_OP_ADC, VMON_OP_SBB,
	VMON_OP_AND, VMON_OP_SUB, VMON_OP_XOR, VMON_OP_CMP,
	/* shifts, in the order of group 2 (/6 is an alias of SHL) */
	VMON_OP_ROL, VMON_OP_ROR, VMON_OP_RCL, VMON_OP_RCR,
	VMON_OP_SHL, VMON_OP_SHR, VMON_OP_SAL, VMON_OP_SAR,
	VMON_OP_INC, VMON_OP_DEC, VMON_OP_NOT, VMON_OP_NEG,
	VMON_OP_MUL, VMON_OP_IMUL, VMON_OP_DIV, VMON_OP_IDIV,
	VMON_OP_TEST, VMON_OP_XADD, VMON_OP_XCHG, VMON_OP_CMPXCHG,
	VMON_OP_CMPXCHG8B, VMON_OP_SHLD, VMON_OP_SHRD,
	VMON_OP_BT, VMON_OP_BTS, VMON_OP_BTR, VMON_OP_BTC,
	VMON_OP_BSF, VMON_OP_BSR, VMON_OP_TZCNT, VMON_OP_LZCNT, VMON_OP_POPCNT,
	VMON_OP_BSWAP, VMON_OP_MOVBE, VMON_OP_CRC32, VMON_OP_MOVNTI,
	VMON_OP_MOV, VMON_OP_MOVZX, VMON_OP_MOVSX, VMON_OP_LEA,
	VMON_OP_CBW,		/* CBW, CWDE */
	VMON_OP_CWD,		/* CWD, CDQ */
	VMON_OP_CMOV, VMON_OP_SETCC,
	VMON_OP_PUSH, VMON_OP_POP, VMON_OP_PUSHA, VMON_OP_POPA,
	VMON_OP_PUSHF, VMON_OP_POPF, VMON_OP_ENTER, VMON_OP_LEAVE,
	VMON_OP_LAHF, VMON_OP_SAHF, VMON_OP_CLC, VMON_OP_STC, VMON_OP_CMC,
	VMON_OP_CLD, VMON_OP_STD, VMON_OP_SALC, VMON_OP_XLAT,
	VMON_OP_AAA, VMON_OP_AAS, VMON_OP_AAM, VMON_OP_AAD,
	VMON_OP_DAA, VMON_OP_DAS, VMON_OP_BOUND, VMON_OP_ARPL,
	VMON_OP_NOP,		/* NOP, multi-byte NOP, PREFETCH, ENDBR, PAUSE */
	VMON_OP_FENCE,		/* LFENCE, MFENCE, SFENCE, CLFLUSH */
	/* strings */
	VMON_OP_MOVS, VMON_OP_CMPS, VMON_OP_STOS, VMON_OP_LODS, VMON_OP_SCAS,
	VMON_OP_INS, VMON_OP_OUTS,
	/* control transfer */
	VMON_OP_JCC, VMON_OP_JMP, VMON_OP_CALL, VMON_OP_RET,
	VMON_OP_JMP_FAR, VMON_OP_CALL_FAR, VMON_OP_RET_FAR, VMON_OP_IRET,
	VMON_OP_LOOP, VMON_OP_LOOPE, VMON_OP_LOOPNE, VMON_OP_JCXZ,
	VMON_OP_INT, VMON_OP_INT3, VMON_OP_INTO, VMON_OP_INT1,
	VMON_OP_SYSENTER, VMON_OP_SYSEXIT, VMON_OP_SYSCALL, VMON_OP_SYSRET,
	VMON_OP_UD,		/* UD0, UD1, UD2: #UD by definition */
	/* system */
	VMON_OP_CLI, VMON_OP_STI, VMON_OP_HLT, VMON_OP_IN, VMON_OP_OUT,
	VMON_OP_LGDT, VMON_OP_SGDT, VMON_OP_LIDT, VMON_OP_SIDT,
	VMON_OP_LLDT, VMON_OP_SLDT, VMON_OP_LTR, VMON_OP_STR,
	VMON_OP_LMSW, VMON_OP_SMSW, VMON_OP_CLTS, VMON_OP_INVLPG,
	VMON_OP_INVD, VMON_OP_WBINVD, VMON_OP_RDMSR, VMON_OP_WRMSR,
	VMON_OP_RDTSC, VMON_OP_RDTSCP, VMON_OP_RDPMC, VMON_OP_CPUID,
	VMON_OP_LAR, VMON_OP_LSL, VMON_OP_VERR, VMON_OP_VERW,
	VMON_OP_LDS,		/* LDS, LES, LSS, LFS, LGS: opnd[0] reg, reg2 = sreg */
	VMON_OP_MOV_SEG,	/* MOV to or from a segment register */
	VMON_OP_MOV_CR, VMON_OP_MOV_DR,
	VMON_OP_MONITOR, VMON_OP_MWAIT, VMON_OP_RSM,
	/* FPU and vector, by class */
	VMON_OP_FWAIT, VMON_OP_X87,
	VMON_OP_MMX, VMON_OP_SSE,
	VMON_OP_FXSAVE, VMON_OP_FXRSTOR, VMON_OP_LDMXCSR, VMON_OP_STMXCSR,
	VMON_OP_XSAVE,		/* XSAVE family, XGETBV, XSETBV: never shown to guests */
	VMON_OP_EMMS,
	VMON_OP_ADCX, VMON_OP_ADOX,	/* integer, and not for the FPU */
	VMON_NR_OPS,
};

enum vmon_opnd_kind {
	VMON_OPND_NONE,
	VMON_OPND_REG,		/* general register; size 1: AL CL DL BL AH CH DH BH */
	VMON_OPND_MEM,		/* seg, base, index, scale, disp of the instruction */
	VMON_OPND_IMM,		/* imm, sign-extended to the operand's size */
	VMON_OPND_REL,		/* imm: signed displacement from the next instruction */
	VMON_OPND_SREG,
	VMON_OPND_CR,
	VMON_OPND_DR,
	VMON_OPND_FAR,		/* imm: offset, imm2: selector */
	VMON_OPND_VEC,		/* MMX or XMM register */
};

struct vmon_opnd {
	u8 kind;
	u8 size;	/* bytes; 0 where it has none or it is classed (FPU) */
	u8 reg;
};

/* Classes, in vmon_insn.flags */
#define VMON_I_PRIV	0x0001	/* privileged: #GP at CPL > 0 */
#define VMON_I_SENSITIVE 0x0002	/* shows or changes privileged state without trapping */
#define VMON_I_BRANCH	0x0004	/* any control transfer, near, far, INT, IRET */
#define VMON_I_COND	0x0008	/* ... that may also not be taken */
#define VMON_I_IO	0x0010	/* IN OUT INS OUTS: IOPL-sensitive */
#define VMON_I_IOPL	0x0020	/* CLI STI: IOPL-sensitive */
#define VMON_I_STRING	0x0040
#define VMON_I_FPU	0x0080	/* x87, MMX, SSE: #NM with CR0.TS */
#define VMON_I_LOCKABLE	0x0100	/* LOCK is legal with a memory destination */
#define VMON_I_MEM_R	0x0200	/* reads its memory operand */
#define VMON_I_MEM_W	0x0400	/* writes its memory operand */
#define VMON_I_STACK	0x0800	/* implicit stack access */
#define VMON_I_SEGLOAD	0x1000	/* loads a segment register */

/* Prefixes, in vmon_insn.prefixes */
#define VMON_P_LOCK	0x01
#define VMON_P_REP	0x02	/* F3 */
#define VMON_P_REPNE	0x04	/* F2 */
#define VMON_P_OPSIZE	0x08	/* 66 */
#define VMON_P_ADSIZE	0x10	/* 67 */
#define VMON_P_SEG	0x20	/* an override is present; see seg */

#define VMON_NO_REG	0xff

/**
 * struct vmon_insn - a decoded instruction
 * @op:		enum vmon_op
 * @flags:	VMON_I_*
 * @len:	bytes, 1 to 15
 * @prefixes:	VMON_P_*
 * @map:	0 one-byte opcodes, 1 0F, 2 0F 38, 3 0F 3A
 * @opcode:	last opcode byte
 * @modrm:	ModRM byte, if @has_modrm
 * @opsize:	effective operand size, 2 or 4 (for byte operations too: the
 *		operand's own size is in @opnd)
 * @adsize:	effective address size, 2 or 4
 * @cc:		condition 0..15 of JCC, SETCC, CMOV
 * @seg:	enum vmon_sreg that the memory operand uses, defaults and
 *		override applied (string destinations always use ES)
 * @base:	base register of the memory operand or VMON_NO_REG
 * @index:	index register or VMON_NO_REG
 * @scale:	shift of the index, 0..3
 * @disp:	displacement, sign-extended
 * @opnd:	operands, destination first. String operations: opnd[0].size is
 *		the element size (so OUTS has its memory first); base and index
 *		are unset. LDS and the like: opnd[2] is the segment register.
 *		XLAT: base EBX, AL is still to be added. MASKMOVQ, MASKMOVDQU:
 *		base EDI and MEM_W, without a memory operand. MOV to and from
 *		segment registers: size 2 but for a general register
 *		destination, which has the operand size
 * @imm:	immediate, sign-extended to the operand's size and zero above it
 *		(REL: sign-extended to 32 bits); ENTER: the size; far pointers:
 *		the offset
 * @imm2:	far pointers: the selector; ENTER: the nesting level
 * @prefix_len: bytes of legacy prefixes
 * @modrm_off, @disp_off, @disp_size, @imm_off, @imm_size: where in the bytes
 *		the parts lie; size 0 where there is none. imm_size of a far
 *		pointer counts offset and selector
 * @bytes:	a copy of the @len instruction bytes
 */
struct vmon_insn {
	u16 op;
	u16 flags;
	u8 len;
	u8 prefixes;
	u8 map;
	u8 opcode;
	u8 modrm;
	bool has_modrm;
	u8 opsize;
	u8 adsize;
	u8 cc;
	u8 seg;
	u8 base;
	u8 index;
	u8 scale;
	s32 disp;
	u32 imm;
	u16 imm2;
	struct vmon_opnd opnd[3];
	u8 prefix_len;
	u8 modrm_off;
	u8 disp_off, disp_size;
	u8 imm_off, imm_size;
	u8 bytes[VMON_INSN_MAX];
};

/**
 * vmon_decode() - decode one instruction
 * @insn:	filled on success; on a refusal only @len and @op are meaningful
 * @bytes:	instruction bytes
 * @avail:	how many bytes there are
 * @code32:	default operand and address size: 4 bytes if set, 2 if not
 *		(the D bit of CS)
 *
 * Return: 0; -EAGAIN if @avail bytes are not enough to tell; -EINVAL for an
 * instruction that raises #UD (an undefined opcode, LOCK where it is not
 * legal, a register form that does not exist); -E2BIG for one over 15 bytes
 * (#GP, SDM vol. 2, 2.3.11).
 */
int vmon_decode(struct vmon_insn *insn, const u8 *bytes, unsigned int avail,
		bool code32);

/* The operation's name in lower case, for reports ("mov", "x87", ...). */
const char *vmon_op_name(unsigned int op);

#endif /* VMON_EMULATOR_DECODE_H */
