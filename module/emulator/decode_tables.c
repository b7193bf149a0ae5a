// SPDX-License-Identifier: GPL-2.0
/*
 * Opcode maps of the integer and system instructions: SDM vol. 2, tables A-2,
 * x87 and vector instructions are in decode_vec.c.
 *
 * An entry without an operation is undefined, unless it names a group.
 */
#include <linux/kernel.h>

#include "emulator/decode_tables.h"

#define D0 VMON_DEF0
#define D1 VMON_DEF1
#define D2 VMON_DEF2
#define D3 VMON_DEF3
#define DG VMON_DEFG

/* Short names for the classes, for this file's tables only. */
#define RD	VMON_I_MEM_R
#define WR	VMON_I_MEM_W
#define RW	(VMON_I_MEM_R | VMON_I_MEM_W)
#define LK	VMON_I_LOCKABLE
#define SK	VMON_I_STACK
#define PR	VMON_I_PRIV
#define SN	VMON_I_SENSITIVE
#define SL	VMON_I_SEGLOAD
#define BR	VMON_I_BRANCH
#define CC	(VMON_I_BRANCH | VMON_I_COND)
#define ST	VMON_I_STRING
#define IO	VMON_I_IO
#define FP	VMON_I_FPU

/* The six forms of an arithmetic operation; _w: access to an r/m destination */
#define ARITH(_base, _op, _w)						\
	[(_base) + 0] = D2(_op, Eb, Gb, _w),				\
	[(_base) + 1] = D2(_op, Ev, Gv, _w),				\
	[(_base) + 2] = D2(_op, Gb, Eb, RD),				\
	[(_base) + 3] = D2(_op, Gv, Ev, RD),				\
	[(_base) + 4] = D2(_op, AL, Ib, 0),				\
	[(_base) + 5] = D2(_op, eAX, Iz, 0)

const struct vmon_opdef vmon_map_1[256] = {
	ARITH(0x00, ADD, RW | LK),
	[0x06] = D1(PUSH, ES, SK | SN),
	[0x07] = D1(POP, ES, SK | SN | SL),
	ARITH(0x08, OR, RW | LK),
	[0x0e] = D1(PUSH, CS, SK | SN),
	/* 0F: escape */
	ARITH(0x10, ADC, RW | LK),
	[0x16] = D1(PUSH, SS, SK | SN),
	[0x17] = D1(POP, SS, SK | SN | SL),
	ARITH(0x18, SBB, RW | LK),
	[0x1e] = D1(PUSH, DS, SK | SN),
	[0x1f] = D1(POP, DS, SK | SN | SL),
	ARITH(0x20, AND, RW | LK),
	[0x27] = D0(DAA, 0),
	ARITH(0x28, SUB, RW | LK),
	[0x2f] = D0(DAS, 0),
	ARITH(0x30, XOR, RW | LK),
	[0x37] = D0(AAA, 0),
	ARITH(0x38, CMP, RD),
	[0x3f] = D0(AAS, 0),
	[0x40 ... 0x47] = D1(INC, Zv, 0),
	[0x48 ... 0x4f] = D1(DEC, Zv, 0),
	[0x50 ... 0x57] = D1(PUSH, Zv, SK),
	[0x58 ... 0x5f] = D1(POP, Zv, SK),
	[0x60] = D0(PUSHA, SK),
	[0x61] = D0(POPA, SK),
	[0x62] = D2(BOUND, Gv, Ma, RD),
	[0x63] = D2(ARPL, Ew, Gw, RW),
	[0x68] = D1(PUSH, Iz, SK),
	[0x69] = D3(IMUL, Gv, Ev, Iz, RD),
	[0x6a] = D1(PUSH, Is, SK),
	[0x6b] = D3(IMUL, Gv, Ev, Is, RD),
	[0x6c] = D2(INS, Yb, DX, ST | IO | WR),
	[0x6d] = D2(INS, Yv, DX, ST | IO | WR),
	/* memory first: opnd[0].size is the element size of any string op */
	[0x6e] = D2(OUTS, Xb, DX, ST | IO | RD),
	[0x6f] = D2(OUTS, Xv, DX, ST | IO | RD),
	[0x70 ... 0x7f] = D1(JCC, Jb, CC),
	[0x80] = DG(1B),
	[0x81] = DG(1V),
	[0x82] = DG(1B),
	[0x83] = DG(1X),
	[0x84] = D2(TEST, Eb, Gb, RD),
	[0x85] = D2(TEST, Ev, Gv, RD),
	[0x86] = D2(XCHG, Eb, Gb, RW | LK),
	[0x87] = D2(XCHG, Ev, Gv, RW | LK),
	[0x88] = D2(MOV, Eb, Gb, WR),
	[0x89] = D2(MOV, Ev, Gv, WR),
	[0x8a] = D2(MOV, Gb, Eb, RD),
	[0x8b] = D2(MOV, Gv, Ev, RD),
	[0x8c] = D2(MOV_SEG, Sv, Sw, WR | SN),
	[0x8d] = D2(LEA, Gv, M, 0),
	[0x8e] = D2(MOV_SEG, Sw, Ew, RD | SN | SL),
	[0x8f] = DG(1A),
	[0x90] = D0(NOP, 0),
	[0x91 ... 0x97] = D2(XCHG, Zv, eAX, 0),
	[0x98] = D0(CBW, 0),
	[0x99] = D0(CWD, 0),
	[0x9a] = D1(CALL_FAR, Ap, BR | SK | SN | SL),
	[0x9b] = D0(FWAIT, FP),
	[0x9c] = D0(PUSHF, SK | SN),
	[0x9d] = D0(POPF, SK | SN),
	[0x9e] = D0(SAHF, 0),
	[0x9f] = D0(LAHF, 0),
	[0xa0] = D2(MOV, AL, Ob, RD),
	[0xa1] = D2(MOV, eAX, Ov, RD),
	[0xa2] = D2(MOV, Ob, AL, WR),
	[0xa3] = D2(MOV, Ov, eAX, WR),
	[0xa4] = D2(MOVS, Yb, Xb, ST | RW),
	[0xa5] = D2(MOVS, Yv, Xv, ST | RW),
	[0xa6] = D2(CMPS, Xb, Yb, ST | RD),
	[0xa7] = D2(CMPS, Xv, Yv, ST | RD),
	[0xa8] = D2(TEST, AL, Ib, 0),
	[0xa9] = D2(TEST, eAX, Iz, 0),
	[0xaa] = D2(STOS, Yb, AL, ST | WR),
	[0xab] = D2(STOS, Yv, eAX, ST | WR),
	[0xac] = D2(LODS, AL, Xb, ST | RD),
	[0xad] = D2(LODS, eAX, Xv, ST | RD),
	[0xae] = D2(SCAS, AL, Yb, ST | RD),
	[0xaf] = D2(SCAS, eAX, Yv, ST | RD),
	[0xb0 ... 0xb7] = D2(MOV, Zb, Ib, 0),
	[0xb8 ... 0xbf] = D2(MOV, Zv, Iz, 0),
	[0xc0] = DG(2BI),
	[0xc1] = DG(2VI),
	[0xc2] = D1(RET, Iw, BR | SK),
	[0xc3] = D0(RET, BR | SK),
	[0xc4] = D3(LDS, Gv, Mp, ES, RD | SN | SL),
	[0xc5] = D3(LDS, Gv, Mp, DS, RD | SN | SL),
	[0xc6] = DG(11B),
	[0xc7] = DG(11V),
	[0xc8] = D2(ENTER, Iw, I2, SK),
	[0xc9] = D0(LEAVE, SK),
	[0xca] = D1(RET_FAR, Iw, BR | SK | SN | SL),
	[0xcb] = D0(RET_FAR, BR | SK | SN | SL),
	[0xcc] = D0(INT3, BR | SK | SN),
	[0xcd] = D1(INT, Ib, BR | SK | SN),
	[0xce] = D0(INTO, CC | SK | SN),
	[0xcf] = D0(IRET, BR | SK | SN | SL),
	[0xd0] = DG(2B1),
	[0xd1] = DG(2V1),
	[0xd2] = DG(2BC),
	[0xd3] = DG(2VC),
	[0xd4] = D1(AAM, Ib, 0),
	[0xd5] = D1(AAD, Ib, 0),
	[0xd6] = D0(SALC, 0),
	[0xd7] = D2(XLAT, AL, XLAT, RD),
	[0xd8 ... 0xdf] = DG(X87),
	[0xe0] = D1(LOOPNE, Jb, CC),
	[0xe1] = D1(LOOPE, Jb, CC),
	[0xe2] = D1(LOOP, Jb, CC),
	[0xe3] = D1(JCXZ, Jb, CC),
	[0xe4] = D2(IN, AL, Ib, IO),
	[0xe5] = D2(IN, eAX, Ib, IO),
	[0xe6] = D2(OUT, Ib, AL, IO),
	[0xe7] = D2(OUT, Ib, eAX, IO),
	[0xe8] = D1(CALL, Jz, BR | SK),
	[0xe9] = D1(JMP, Jz, BR),
	[0xea] = D1(JMP_FAR, Ap, BR | SN | SL),
	[0xeb] = D1(JMP, Jb, BR),
	[0xec] = D2(IN, AL, DX, IO),
	[0xed] = D2(IN, eAX, DX, IO),
	[0xee] = D2(OUT, DX, AL, IO),
	[0xef] = D2(OUT, DX, eAX, IO),
	[0xf1] = D0(INT1, BR | SK | SN),
	[0xf4] = D0(HLT, PR),
	[0xf5] = D0(CMC, 0),
	[0xf6] = DG(3B),
	[0xf7] = DG(3V),
	[0xf8] = D0(CLC, 0),
	[0xf9] = D0(STC, 0),
	[0xfa] = D0(CLI, VMON_I_IOPL),
	[0xfb] = D0(STI, VMON_I_IOPL),
	[0xfc] = D0(CLD, 0),
	[0xfd] = D0(STD, 0),
	[0xfe] = DG(4),
	[0xff] = DG(5),
};

const struct vmon_opdef vmon_map_0f[256] = {
	[0x00] = DG(6),
	[0x01] = DG(7),
	[0x02] = D2(LAR, Gv, Ew, RD | SN),
	[0x03] = D2(LSL, Gv, Ew, RD | SN),
	[0x05] = D0(SYSCALL, BR),
	[0x06] = D0(CLTS, PR),
	[0x07] = D0(SYSRET, BR | PR),
	[0x08] = D0(INVD, PR),
	[0x09] = D0(WBINVD, PR),
	[0x0b] = D0(UD, 0),
	[0x0d] = D1(NOP, Ev, 0),		/* PREFETCH, PREFETCHW */
	[0x0e] = D0(EMMS, FP),			/* FEMMS */
	[0x0f] = DG(3DNOW),
	[0x10 ... 0x17] = DG(VEC),
	[0x18 ... 0x1f] = D1(NOP, Ev, 0),
	[0x20] = D2(MOV_CR, Hd, Cd, PR),
	[0x21] = D2(MOV_DR, Hd, Dd, PR),
	[0x22] = D2(MOV_CR, Cd, Hd, PR),
	[0x23] = D2(MOV_DR, Dd, Hd, PR),
	[0x28 ... 0x2f] = DG(VEC),
	[0x30] = D0(WRMSR, PR),
	[0x31] = D0(RDTSC, SN),
	[0x32] = D0(RDMSR, PR),
	[0x33] = D0(RDPMC, SN),
	[0x34] = D0(SYSENTER, BR),
	[0x35] = D0(SYSEXIT, BR | PR),
	/* 38, 3A: escapes */
	[0x40 ... 0x4f] = D2(CMOV, Gv, Ev, RD),
	[0x50 ... 0x70] = DG(VEC),
	[0x71 ... 0x73] = DG(VSHIFT),
	[0x74 ... 0x76] = DG(VEC),
	[0x77] = DG(VEC),
	[0x7c ... 0x7f] = DG(VEC),
	[0x80 ... 0x8f] = D1(JCC, Jz, CC),
	[0x90 ... 0x9f] = D1(SETCC, Eb, WR),
	[0xa0] = D1(PUSH, FS, SK | SN),
	[0xa1] = D1(POP, FS, SK | SN | SL),
	[0xa2] = D0(CPUID, SN),
	[0xa3] = D2(BT, Ev, Gv, RD),
	[0xa4] = D3(SHLD, Ev, Gv, Ib, RW),
	[0xa5] = D3(SHLD, Ev, Gv, CL, RW),
	[0xa8] = D1(PUSH, GS, SK | SN),
	[0xa9] = D1(POP, GS, SK | SN | SL),
	[0xaa] = D0(RSM, 0),
	[0xab] = D2(BTS, Ev, Gv, RW | LK),
	[0xac] = D3(SHRD, Ev, Gv, Ib, RW),
	[0xad] = D3(SHRD, Ev, Gv, CL, RW),
	[0xae] = DG(15),
	[0xaf] = D2(IMUL, Gv, Ev, RD),
	[0xb0] = D2(CMPXCHG, Eb, Gb, RW | LK),
	[0xb1] = D2(CMPXCHG, Ev, Gv, RW | LK),
	[0xb2] = D3(LDS, Gv, Mp, SS, RD | SN | SL),
	[0xb3] = D2(BTR, Ev, Gv, RW | LK),
	[0xb4] = D3(LDS, Gv, Mp, FS, RD | SN | SL),
	[0xb5] = D3(LDS, Gv, Mp, GS, RD | SN | SL),
	[0xb6] = D2(MOVZX, Gv, Eb, RD),
	[0xb7] = D2(MOVZX, Gv, Ew, RD),
	[0xb8] = DG(B8),
	[0xb9] = D2(UD, Gv, Ev, 0),
	[0xba] = DG(8),
	[0xbb] = D2(BTC, Ev, Gv, RW | LK),
	[0xbc] = DG(BC),
	[0xbd] = DG(BD),
	[0xbe] = D2(MOVSX, Gv, Eb, RD),
	[0xbf] = D2(MOVSX, Gv, Ew, RD),
	[0xc0] = D2(XADD, Eb, Gb, RW | LK),
	[0xc1] = D2(XADD, Ev, Gv, RW | LK),
	[0xc2] = DG(VEC),
	[0xc3] = DG(C3),
	[0xc4 ... 0xc6] = DG(VEC),
	[0xc7] = DG(9),
	[0xc8 ... 0xcf] = D1(BSWAP, Zv, 0),
	[0xd0 ... 0xfe] = DG(VEC),
	[0xff] = D2(UD, Gv, Ev, 0),
};

#define GROUP_1(_dst, _src)						\
	{								\
		D2(ADD, _dst, _src, RW | LK),				\
		D2(OR, _dst, _src, RW | LK),				\
		D2(ADC, _dst, _src, RW | LK),				\
		D2(SBB, _dst, _src, RW | LK),				\
		D2(AND, _dst, _src, RW | LK),				\
		D2(SUB, _dst, _src, RW | LK),				\
		D2(XOR, _dst, _src, RW | LK),				\
		D2(CMP, _dst, _src, RD),				\
	}

#define GROUP_2(_dst, _src)						\
	{								\
		D2(ROL, _dst, _src, RW), D2(ROR, _dst, _src, RW),	\
		D2(RCL, _dst, _src, RW), D2(RCR, _dst, _src, RW),	\
		D2(SHL, _dst, _src, RW), D2(SHR, _dst, _src, RW),	\
		D2(SAL, _dst, _src, RW), D2(SAR, _dst, _src, RW),	\
	}

#define GROUP_3(_dst, _imm)						\
	{								\
		D2(TEST, _dst, _imm, RD), D2(TEST, _dst, _imm, RD),	\
		D1(NOT, _dst, RW | LK), D1(NEG, _dst, RW | LK),		\
		D1(MUL, _dst, RD), D1(IMUL, _dst, RD),			\
		D1(DIV, _dst, RD), D1(IDIV, _dst, RD),			\
	}

const struct vmon_opdef vmon_group_reg[VMON_NR_REG_GROUPS][8] = {
	[G_1B] = GROUP_1(Eb, Ib),
	[G_1V] = GROUP_1(Ev, Iz),
	[G_1X] = GROUP_1(Ev, Is),
	[G_1A] = { D1(POP, Ev, SK | WR), },
	[G_2BI] = GROUP_2(Eb, Ib),
	[G_2VI] = GROUP_2(Ev, Ib),
	[G_2B1] = GROUP_2(Eb, 1),
	[G_2V1] = GROUP_2(Ev, 1),
	[G_2BC] = GROUP_2(Eb, CL),
	[G_2VC] = GROUP_2(Ev, CL),
	[G_3B] = GROUP_3(Eb, Ib),
	[G_3V] = GROUP_3(Ev, Iz),
	[G_4] = { D1(INC, Eb, RW | LK), D1(DEC, Eb, RW | LK), },
	[G_5] = {
		D1(INC, Ev, RW | LK), D1(DEC, Ev, RW | LK),
		D1(CALL, Ev, RD | BR | SK),
		D1(CALL_FAR, Mp, RD | BR | SK | SN | SL),
		D1(JMP, Ev, RD | BR),
		D1(JMP_FAR, Mp, RD | BR | SN | SL),
		D1(PUSH, Ev, RD | SK),
	},
	[G_6] = {
		D1(SLDT, Sv, WR | SN), D1(STR, Sv, WR | SN),
		D1(LLDT, Ew, RD | PR), D1(LTR, Ew, RD | PR),
		D1(VERR, Ew, RD | SN), D1(VERW, Ew, RD | SN),
	},
	[G_8] = {
		[4] = D2(BT, Ev, Ib, RD),
		[5] = D2(BTS, Ev, Ib, RW | LK),
		[6] = D2(BTR, Ev, Ib, RW | LK),
		[7] = D2(BTC, Ev, Ib, RW | LK),
	},
	[G_11B] = { D2(MOV, Eb, Ib, WR), },
	[G_11V] = { D2(MOV, Ev, Iz, WR), },
};

#define PFX(g)	(G_##g - VMON_NR_REG_GROUPS)

/* Without, 66, F3, F2. */
const struct vmon_opdef
vmon_group_pfx[VMON_END_PFX_GROUPS - VMON_NR_REG_GROUPS][4] = {
	[PFX(B8)] = { [VMON_MP_F3] = D2(POPCNT, Gv, Ev, RD), },
	[PFX(BC)] = {
		D2(BSF, Gv, Ev, RD), D2(BSF, Gv, Ev, RD),
		D2(TZCNT, Gv, Ev, RD), D2(BSF, Gv, Ev, RD),
	},
	[PFX(BD)] = {
		D2(BSR, Gv, Ev, RD), D2(BSR, Gv, Ev, RD),
		D2(LZCNT, Gv, Ev, RD), D2(BSR, Gv, Ev, RD),
	},
	[PFX(C3)] = { D2(MOVNTI, Md, Gd, WR), },
	[PFX(38F0)] = {
		D2(MOVBE, Gv, Mv, RD), D2(MOVBE, Gv, Mv, RD),
		[VMON_MP_F2] = D2(CRC32, Gd, Eb, RD),
	},
	[PFX(38F1)] = {
		D2(MOVBE, Mv, Gv, WR), D2(MOVBE, Mv, Gv, WR),
		[VMON_MP_F2] = D2(CRC32, Gd, Ev, RD),
	},
	[PFX(38F6)] = {
		[VMON_MP_66] = D2(ADCX, Gd, Ed, RD),
		[VMON_MP_F3] = D2(ADOX, Gd, Ed, RD),
	},
};

static const struct vmon_opdef group7_mem[8] = {
	D1(SGDT, Ms, WR | SN), D1(SIDT, Ms, WR | SN),
	D1(LGDT, Ms, RD | PR), D1(LIDT, Ms, RD | PR),
	D1(SMSW, Mw, WR | SN), {}, D1(LMSW, Mw, RD | PR), D1(INVLPG, M, PR),
};

static const struct vmon_opdef group7_smsw = D1(SMSW, Ev, SN);
static const struct vmon_opdef group7_lmsw = D1(LMSW, Ew, PR);
static const struct vmon_opdef group7_monitor = D0(MONITOR, PR);
static const struct vmon_opdef group7_mwait = D0(MWAIT, PR);
static const struct vmon_opdef group7_xgetbv = D0(XSAVE, FP);
static const struct vmon_opdef group7_xsetbv = D0(XSAVE, FP | PR);
static const struct vmon_opdef group7_rdtscp = D0(RDTSCP, SN);

/* The register forms that no guest is offered (VMX, SVM, SMAP...) are #UD. */
const struct vmon_opdef *vmon_def_group7(u8 modrm, unsigned int mandatory)
{
	if (modrm < 0xc0)
		return &group7_mem[(modrm >> 3) & 7];
	if (modrm >= 0xe0 && modrm <= 0xe7)
		return &group7_smsw;
	if (modrm >= 0xf0 && modrm <= 0xf7)
		return &group7_lmsw;
	if (modrm == 0xf9)
		return &group7_rdtscp;
	if (mandatory != VMON_MP_NONE)
		return NULL;

	switch (modrm) {
	case 0xc8:
		return &group7_monitor;
	case 0xc9:
		return &group7_mwait;
	case 0xd0:
		return &group7_xgetbv;
	case 0xd1:
		return &group7_xsetbv;
	default:
		return NULL;
	}
}

/* RDRAND, RDSEED, RDPID and the VMX forms are not offered. */
const struct vmon_opdef *vmon_def_group9(u8 modrm, unsigned int mandatory)
{
	static const struct vmon_opdef mem[8] = {
		[1] = D1(CMPXCHG8B, Mq, RW | LK),
		[3] = D1(XSAVE, M, FP | RD | PR),
		[4] = D1(XSAVE, M, FP | WR),
		[5] = D1(XSAVE, M, FP | WR | PR),
	};

	unsigned int reg = (modrm >> 3) & 7;

	if (modrm >= 0xc0 || (reg != 1 && mandatory != VMON_MP_NONE))
		return NULL;
	return &mem[reg];
}

const struct vmon_opdef *vmon_def_group15(u8 modrm, unsigned int mandatory)
{
	static const struct vmon_opdef mem[8] = {
		D1(FXSAVE, M, FP | WR), D1(FXRSTOR, M, FP | RD),
		D1(LDMXCSR, Md, FP | RD), D1(STMXCSR, Md, FP | WR),
		D1(XSAVE, M, FP | RW), D1(XSAVE, M, FP | RD),
		D1(XSAVE, M, FP | RW), D1(FENCE, M, RD),
	};
	/* CLWB, CLFLUSHOPT */
	static const struct vmon_opdef mem_66[8] = {
		[6] = D1(FENCE, M, RD),
		[7] = D1(FENCE, M, RD),
	};
	static const struct vmon_opdef fence = D0(FENCE, 0);
	unsigned int reg = (modrm >> 3) & 7;

	if (modrm < 0xc0) {
		if (mandatory == VMON_MP_NONE)
			return &mem[reg];
		return mandatory == VMON_MP_66 ? &mem_66[reg] : NULL;
	}
	return mandatory == VMON_MP_NONE && reg >= 5 ? &fence : NULL;
}
