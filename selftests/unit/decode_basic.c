// SPDX-License-Identifier: GPL-2.0
/*
 * The decoder's contract on chosen encodings: every field of the result, short
 * input, the 15-byte limit, LOCK, and what must be refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>

#include "emulator/decode.h"
#include "tap.h"

#define R VMON_OPND_REG
#define M VMON_OPND_MEM
#define I VMON_OPND_IMM
#define J VMON_OPND_REL
#define S VMON_OPND_SREG
#define F VMON_OPND_FAR
#define V VMON_OPND_VEC
#define NO VMON_NO_REG

/* An encoding and what it decodes to; fields left out are zero. */
struct vector {
	const char *name;
	bool code16;
	u8 len, bytes[VMON_INSN_MAX];
	u16 op;
	struct vmon_opnd opnd[3];
	u32 imm;
	u16 imm2;
	s32 disp;
	u8 mem;			/* 1: base, index, scale, seg are checked */
	u8 base, index, scale, seg;
	u8 disp_off, disp_size, imm_off, imm_size;
	u16 flags;
};

#define RW (VMON_I_MEM_R | VMON_I_MEM_W)
#define BYTES(n, ...) .len = (n), .bytes = { __VA_ARGS__ }
#define MEM(b, x, sc, sg)						\
	.mem = 1, .base = (b), .index = (x), .scale = (sc), .seg = (sg)

static const struct vector vectors[] = {
	{ "add [eax], cl", BYTES(2, 0x00, 0x08), .op = VMON_OP_ADD,
	  .opnd = { { M, 1, NO }, { R, 1, VMON_ECX } },
	  MEM(VMON_EAX, NO, 0, VMON_DS), .flags = RW | VMON_I_LOCKABLE },
	{ "add ah, [ebp+8]", BYTES(3, 0x02, 0x65, 0x08), .op = VMON_OP_ADD,
	  .opnd = { { R, 1, 4 }, { M, 1, NO } }, .disp = 8,
	  MEM(VMON_EBP, NO, 0, VMON_SS), .disp_off = 2, .disp_size = 1,
	  .flags = VMON_I_MEM_R },
	{ "mov eax, fs:[esp+ecx*8-128]",
	  BYTES(5, 0x64, 0x8b, 0x44, 0xcc, 0x80), .op = VMON_OP_MOV,
	  .opnd = { { R, 4, VMON_EAX }, { M, 4, NO } }, .disp = -128,
	  MEM(VMON_ESP, VMON_ECX, 3, VMON_FS), .disp_off = 4, .disp_size = 1,
	  .flags = VMON_I_MEM_R },
	{ "the last segment prefix counts", BYTES(4, 0x64, 0x2e, 0x8b, 0x00),
	  .op = VMON_OP_MOV, .opnd = { { R, 4, VMON_EAX }, { M, 4, NO } },
	  MEM(VMON_EAX, NO, 0, VMON_CS), .flags = VMON_I_MEM_R },
	{ "mov eax, [ebp*2+0x12345678]: no base, so DS",
	  BYTES(7, 0x8b, 0x04, 0x6d, 0x78, 0x56, 0x34, 0x12),
	  .op = VMON_OP_MOV, .opnd = { { R, 4, VMON_EAX }, { M, 4, NO } },
	  .disp = 0x12345678, MEM(NO, VMON_EBP, 1, VMON_DS), .disp_off = 3,
	  .disp_size = 4, .flags = VMON_I_MEM_R },
	{ "16-bit mov ax, [bp+si-2]", .code16 = true,
	  BYTES(3, 0x8b, 0x42, 0xfe), .op = VMON_OP_MOV,
	  .opnd = { { R, 2, VMON_EAX }, { M, 2, NO } }, .disp = -2,
	  MEM(VMON_EBP, VMON_ESI, 0, VMON_SS), .disp_off = 2, .disp_size = 1,
	  .flags = VMON_I_MEM_R },
	{ "16-bit mov [0x1234], ax", .code16 = true,
	  BYTES(4, 0x89, 0x06, 0x34, 0x12), .op = VMON_OP_MOV,
	  .opnd = { { M, 2, NO }, { R, 2, VMON_EAX } }, .disp = 0x1234,
	  MEM(NO, NO, 0, VMON_DS), .disp_off = 2, .disp_size = 2,
	  .flags = VMON_I_MEM_W },
	{ "mov es:moffs32, eax", BYTES(6, 0x26, 0xa3, 4, 3, 2, 1),
	  .op = VMON_OP_MOV, .opnd = { { M, 4, NO }, { R, 4, VMON_EAX } },
	  .disp = 0x01020304, MEM(NO, NO, 0, VMON_ES), .disp_off = 2,
	  .disp_size = 4, .flags = VMON_I_MEM_W },
	{ "add word [eax], -1", BYTES(4, 0x66, 0x83, 0x00, 0xff),
	  .op = VMON_OP_ADD, .opnd = { { M, 2, NO }, { I, 2, 0 } },
	  .imm = 0xffff, MEM(VMON_EAX, NO, 0, VMON_DS), .imm_off = 3,
	  .imm_size = 1, .flags = RW | VMON_I_LOCKABLE },
	{ "sal eax, 1", BYTES(2, 0xd1, 0xf0), .op = VMON_OP_SAL,
	  .opnd = { { R, 4, VMON_EAX }, { I, 1, 0 } }, .imm = 1 },
	{ "imul ecx, [edx], 0x100", BYTES(6, 0x69, 0x0a, 0, 1, 0, 0),
	  .op = VMON_OP_IMUL,
	  .opnd = { { R, 4, VMON_ECX }, { M, 4, NO }, { I, 4, 0 } },
	  .imm = 0x100, MEM(VMON_EDX, NO, 0, VMON_DS), .imm_off = 2,
	  .imm_size = 4, .flags = VMON_I_MEM_R },
	{ "movzx eax, byte [ecx]", BYTES(3, 0x0f, 0xb6, 0x01),
	  .op = VMON_OP_MOVZX, .opnd = { { R, 4, VMON_EAX }, { M, 1, NO } },
	  MEM(VMON_ECX, NO, 0, VMON_DS), .flags = VMON_I_MEM_R },
	{ "jz -2", BYTES(2, 0x74, 0xfe), .op = VMON_OP_JCC,
	  .opnd = { { J, 1, 0 } }, .imm = -2, .imm_off = 1, .imm_size = 1,
	  .flags = VMON_I_BRANCH | VMON_I_COND },
	{ "call rel32", BYTES(5, 0xe8, 0xfc, 0xff, 0xff, 0xff),
	  .op = VMON_OP_CALL, .opnd = { { J, 4, 0 } }, .imm = -4, .imm_off = 1,
	  .imm_size = 4, .flags = VMON_I_BRANCH | VMON_I_STACK },
	{ "jmp far 0x10:0x80000000",
	  BYTES(7, 0xea, 0, 0, 0, 0x80, 0x10, 0), .op = VMON_OP_JMP_FAR,
	  .opnd = { { F, 6, 0 } }, .imm = 0x80000000, .imm2 = 0x10,
	  .imm_off = 1, .imm_size = 6,
	  .flags = VMON_I_BRANCH | VMON_I_SENSITIVE | VMON_I_SEGLOAD },
	{ "16-bit jmp far f000:ffff", .code16 = true,
	  BYTES(5, 0xea, 0xff, 0xff, 0, 0xf0), .op = VMON_OP_JMP_FAR,
	  .opnd = { { F, 4, 0 } }, .imm = 0xffff, .imm2 = 0xf000,
	  .imm_off = 1, .imm_size = 4,
	  .flags = VMON_I_BRANCH | VMON_I_SENSITIVE | VMON_I_SEGLOAD },
	{ "enter 0x8000, 3", BYTES(4, 0xc8, 0x00, 0x80, 3),
	  .op = VMON_OP_ENTER, .opnd = { { I, 2, 0 }, { I, 1, 0 } },
	  .imm = 0x8000, .imm2 = 3, .imm_off = 1, .imm_size = 3,
	  .flags = VMON_I_STACK },
	{ "ret 0xfffc", BYTES(3, 0xc2, 0xfc, 0xff), .op = VMON_OP_RET,
	  .opnd = { { I, 2, 0 } }, .imm = 0xfffc, .imm_off = 1, .imm_size = 2,
	  .flags = VMON_I_BRANCH | VMON_I_STACK },
	{ "out 0x80, al", BYTES(2, 0xe6, 0x80), .op = VMON_OP_OUT,
	  .opnd = { { I, 1, 0 }, { R, 1, VMON_EAX } }, .imm = 0x80,
	  .imm_off = 1, .imm_size = 1, .flags = VMON_I_IO },
	{ "in eax, dx", BYTES(1, 0xed), .op = VMON_OP_IN,
	  .opnd = { { R, 4, VMON_EAX }, { R, 2, VMON_EDX } },
	  .flags = VMON_I_IO },
	{ "rep movs dword es:[edi], gs:[esi]", BYTES(3, 0x65, 0xf3, 0xa5),
	  .op = VMON_OP_MOVS, .opnd = { { M, 4, NO }, { M, 4, NO } },
	  MEM(NO, NO, 0, VMON_GS), .flags = VMON_I_STRING | RW },
	{ "stos ignores an override", BYTES(2, 0x65, 0xaa), .op = VMON_OP_STOS,
	  .opnd = { { M, 1, NO }, { R, 1, VMON_EAX } },
	  MEM(NO, NO, 0, VMON_ES), .flags = VMON_I_STRING | VMON_I_MEM_W },
	{ "outs word", BYTES(2, 0x66, 0x6f), .op = VMON_OP_OUTS,
	  .opnd = { { M, 2, NO }, { R, 2, VMON_EDX } },
	  MEM(NO, NO, 0, VMON_DS),
	  .flags = VMON_I_STRING | VMON_I_IO | VMON_I_MEM_R },
	{ "xlat", BYTES(1, 0xd7), .op = VMON_OP_XLAT,
	  .opnd = { { R, 1, VMON_EAX }, { M, 1, NO } },
	  MEM(VMON_EBX, NO, 0, VMON_DS), .flags = VMON_I_MEM_R },
	{ "push cs", BYTES(1, 0x0e), .op = VMON_OP_PUSH,
	  .opnd = { { S, 2, VMON_CS } },
	  .flags = VMON_I_STACK | VMON_I_SENSITIVE },
	{ "pop gs", BYTES(2, 0x0f, 0xa9), .op = VMON_OP_POP,
	  .opnd = { { S, 2, VMON_GS } },
	  .flags = VMON_I_STACK | VMON_I_SENSITIVE | VMON_I_SEGLOAD },
	{ "mov ss, [ebx]", BYTES(2, 0x8e, 0x13), .op = VMON_OP_MOV_SEG,
	  .opnd = { { S, 2, VMON_SS }, { M, 2, NO } },
	  MEM(VMON_EBX, NO, 0, VMON_DS),
	  .flags = VMON_I_MEM_R | VMON_I_SENSITIVE | VMON_I_SEGLOAD },
	{ "mov eax, ds", BYTES(2, 0x8c, 0xd8), .op = VMON_OP_MOV_SEG,
	  .opnd = { { R, 4, VMON_EAX }, { S, 2, VMON_DS } },
	  .flags = VMON_I_SENSITIVE },
	{ "lss esp, [eax]", BYTES(3, 0x0f, 0xb2, 0x20), .op = VMON_OP_LDS,
	  .opnd = { { R, 4, VMON_ESP }, { M, 6, NO }, { S, 2, VMON_SS } },
	  MEM(VMON_EAX, NO, 0, VMON_DS),
	  .flags = VMON_I_MEM_R | VMON_I_SENSITIVE | VMON_I_SEGLOAD },
	{ "mov cr3, eax ignores mod", BYTES(3, 0x0f, 0x22, 0x18),
	  .op = VMON_OP_MOV_CR,
	  .opnd = { { VMON_OPND_CR, 4, 3 }, { R, 4, VMON_EAX } },
	  .flags = VMON_I_PRIV },
	{ "mov ecx, dr7", BYTES(3, 0x0f, 0x21, 0xf9), .op = VMON_OP_MOV_DR,
	  .opnd = { { R, 4, VMON_ECX }, { VMON_OPND_DR, 4, 7 } },
	  .flags = VMON_I_PRIV },
	{ "lgdt [eax]", BYTES(3, 0x0f, 0x01, 0x10), .op = VMON_OP_LGDT,
	  .opnd = { { M, 6, NO } }, MEM(VMON_EAX, NO, 0, VMON_DS),
	  .flags = VMON_I_MEM_R | VMON_I_PRIV },
	{ "invlpg [eax] does not access it", BYTES(3, 0x0f, 0x01, 0x38),
	  .op = VMON_OP_INVLPG, .opnd = { { M, 0, NO } },
	  MEM(VMON_EAX, NO, 0, VMON_DS), .flags = VMON_I_PRIV },
	{ "rdtscp", BYTES(3, 0x0f, 0x01, 0xf9), .op = VMON_OP_RDTSCP,
	  .flags = VMON_I_SENSITIVE },
	{ "xgetbv", BYTES(3, 0x0f, 0x01, 0xd0), .op = VMON_OP_XSAVE,
	  .flags = VMON_I_FPU },
	{ "pause", BYTES(2, 0xf3, 0x90), .op = VMON_OP_NOP },
	{ "ud2", BYTES(2, 0x0f, 0x0b), .op = VMON_OP_UD },
	{ "cli", BYTES(1, 0xfa), .op = VMON_OP_CLI, .flags = VMON_I_IOPL },
	{ "lock cmpxchg8b [esi]", BYTES(4, 0xf0, 0x0f, 0xc7, 0x0e),
	  .op = VMON_OP_CMPXCHG8B, .opnd = { { M, 8, NO } },
	  MEM(VMON_ESI, NO, 0, VMON_DS), .flags = RW | VMON_I_LOCKABLE },
	{ "popcnt cx, dx", BYTES(5, 0x66, 0xf3, 0x0f, 0xb8, 0xca),
	  .op = VMON_OP_POPCNT,
	  .opnd = { { R, 2, VMON_ECX }, { R, 2, VMON_EDX } } },
	{ "fld tbyte [eax]", BYTES(2, 0xdb, 0x28), .op = VMON_OP_X87,
	  .opnd = { { M, 10, NO } }, MEM(VMON_EAX, NO, 0, VMON_DS),
	  .flags = VMON_I_FPU | VMON_I_MEM_R },
	{ "fnstsw ax", BYTES(2, 0xdf, 0xe0), .op = VMON_OP_X87,
	  .opnd = { { R, 2, VMON_EAX } }, .flags = VMON_I_FPU },
	{ "movdqa [edi], xmm1", BYTES(4, 0x66, 0x0f, 0x7f, 0x0f),
	  .op = VMON_OP_SSE, .opnd = { { M, 16, NO }, { V, 0, 1 } },
	  MEM(VMON_EDI, NO, 0, VMON_DS),
	  .flags = VMON_I_FPU | VMON_I_MEM_W },
	{ "66 f2: f2 is the mandatory one", BYTES(5, 0x66, 0xf2, 0x0f, 0x10, 0),
	  .op = VMON_OP_SSE, .opnd = { { V, 0, 0 }, { M, 8, NO } },
	  MEM(VMON_EAX, NO, 0, VMON_DS),
	  .flags = VMON_I_FPU | VMON_I_MEM_R },
	{ "f2 f3: the last one counts", BYTES(5, 0xf2, 0xf3, 0x0f, 0x10, 0),
	  .op = VMON_OP_SSE, .opnd = { { V, 0, 0 }, { M, 4, NO } },
	  MEM(VMON_EAX, NO, 0, VMON_DS),
	  .flags = VMON_I_FPU | VMON_I_MEM_R },
	{ "maskmovq writes ds:[edi]", BYTES(3, 0x0f, 0xf7, 0xca),
	  .op = VMON_OP_MMX, .opnd = { { V, 0, 1 }, { V, 0, 2 } },
	  MEM(VMON_EDI, NO, 0, VMON_DS),
	  .flags = VMON_I_FPU | VMON_I_MEM_W },
	{ "fxsave [eax]", BYTES(3, 0x0f, 0xae, 0x00), .op = VMON_OP_FXSAVE,
	  .opnd = { { M, 0, NO } }, MEM(VMON_EAX, NO, 0, VMON_DS),
	  .flags = VMON_I_FPU | VMON_I_MEM_W },
	{ "pfadd mm0, mm1", BYTES(4, 0x0f, 0x0f, 0xc1, 0x9e),
	  .op = VMON_OP_MMX, .opnd = { { V, 0, 0 }, { V, 0, 1 }, { I, 1, 0 } },
	  .imm = 0x9e, .imm_off = 3, .imm_size = 1, .flags = VMON_I_FPU },
};

#undef I

static bool vector_ok(const struct vector *v)
{
	struct vmon_insn i;
	int err = vmon_decode(&i, v->bytes, v->len, !v->code16);

	if (err || i.op != v->op || i.len != v->len || i.flags != v->flags) {
		printf("# err %d op %s len %u flags %#x\n", err,
		       vmon_op_name(i.op), i.len, i.flags);
		return false;
	}
	if (memcmp(i.opnd, v->opnd, sizeof(i.opnd)))
		return false;
	if (i.imm != v->imm || i.imm2 != v->imm2 || i.disp != v->disp)
		return false;
	if (v->mem && (i.base != v->base || i.index != v->index ||
		       i.scale != v->scale || i.seg != v->seg))
		return false;
	return i.disp_off == v->disp_off && i.disp_size == v->disp_size &&
	       i.imm_off == v->imm_off && i.imm_size == v->imm_size &&
	       !memcmp(i.bytes, v->bytes, v->len);
}

/* Each prefix of an instruction is short input, in an exact allocation. */
static bool short_input_ok(const struct vector *v)
{
	struct vmon_insn i;
	unsigned int n;
	int err;

	for (n = 0; n < v->len; n++) {
		u8 *copy = malloc(n + 1), *b = copy + 1;

		memcpy(b, v->bytes, n);
		err = vmon_decode(&i, b, n, !v->code16);
		free(copy);
		if (err != -EAGAIN)
			return false;
	}
	return true;
}

struct refusal {
	const char *name;
	u8 len, bytes[VMON_INSN_MAX];
};

static const struct refusal refusals[] = {
	{ "lock add eax, ecx", BYTES(3, 0xf0, 0x01, 0xc8) },
	{ "lock add eax, [ecx]", BYTES(3, 0xf0, 0x03, 0x01) },
	{ "lock cmp [ecx], eax", BYTES(3, 0xf0, 0x39, 0x01) },
	{ "lock mov [ecx], eax", BYTES(3, 0xf0, 0x89, 0x01) },
	{ "lock bt [ecx], eax", BYTES(4, 0xf0, 0x0f, 0xa3, 0x01) },
	{ "lock nop", BYTES(2, 0xf0, 0x90) },
	{ "lock xchg eax, ecx", BYTES(2, 0xf0, 0x91) },
	{ "lock shl [ecx], 1", BYTES(3, 0xf0, 0xd1, 0x21) },
	{ "lock test [ecx], 1", BYTES(4, 0xf0, 0xf6, 0x01, 0x01) },
	{ "lock mov eax, cr0", BYTES(4, 0xf0, 0x0f, 0x20, 0xc0) },
	{ "mov cs, eax", BYTES(2, 0x8e, 0xc8) },
	{ "mov sreg 6, eax", BYTES(2, 0x8e, 0xf0) },
	{ "mov eax, sreg 7", BYTES(2, 0x8c, 0xf8) },
	{ "mov eax, cr1", BYTES(3, 0x0f, 0x20, 0xc8) },
	{ "mov cr5, eax", BYTES(3, 0x0f, 0x22, 0xe8) },
	{ "mov eax, tr6", BYTES(3, 0x0f, 0x24, 0xf0) },
	{ "lea eax, eax", BYTES(2, 0x8d, 0xc0) },
	{ "bound register form (EVEX)",
	  BYTES(6, 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc0) },
	{ "les register form (VEX)", BYTES(5, 0xc4, 0xe1, 0x78, 0x58, 0xc0) },
	{ "lds register form (VEX)", BYTES(4, 0xc5, 0xf8, 0x58, 0xc0) },
	{ "pop /1 (XOP)", BYTES(5, 0x8f, 0xe8, 0x78, 0xc0, 0xc0) },
	{ "mov /1", BYTES(3, 0xc6, 0xc8, 0x00) },
	{ "xbegin", BYTES(6, 0xc7, 0xf8, 0, 0, 0, 0) },
	{ "inc group /2", BYTES(2, 0xfe, 0x10) },
	{ "inc group /7", BYTES(2, 0xff, 0x38) },
	{ "jmp far register", BYTES(2, 0xff, 0xe8) },
	{ "cmpxchg8b register", BYTES(3, 0x0f, 0xc7, 0xc9) },
	{ "rdrand", BYTES(3, 0x0f, 0xc7, 0xf0) },
	{ "rdseed", BYTES(3, 0x0f, 0xc7, 0xf8) },
	{ "vmcall", BYTES(3, 0x0f, 0x01, 0xc1) },
	{ "stac", BYTES(3, 0x0f, 0x01, 0xcb) },
	{ "clac", BYTES(3, 0x0f, 0x01, 0xca) },
	{ "lgdt register", BYTES(3, 0x0f, 0x01, 0xd7) },
	{ "group 6 /6", BYTES(3, 0x0f, 0x00, 0xf0) },
	{ "group 8 /0", BYTES(4, 0x0f, 0xba, 0xc0, 0x00) },
	{ "movnti register", BYTES(3, 0x0f, 0xc3, 0xc0) },
	{ "movntps register", BYTES(3, 0x0f, 0x2b, 0xc0) },
	{ "popcnt without f3", BYTES(3, 0x0f, 0xb8, 0xc0) },
	{ "unpckl with f3", BYTES(4, 0xf3, 0x0f, 0x14, 0xc0) },
	{ "x87 d9 /1 memory", BYTES(2, 0xd9, 0x08) },
	{ "x87 d9 d1", BYTES(2, 0xd9, 0xd1) },
	{ "3DNow! with an unknown suffix", BYTES(4, 0x0f, 0x0f, 0xc1, 0x00) },
	{ "0f 04", BYTES(2, 0x0f, 0x04) },
	{ "0f 3b", BYTES(2, 0x0f, 0x3b) },
};

static bool limit_ok(void)
{
	u8 b[VMON_INSN_MAX + 1];
	struct vmon_insn i;

	/* 14 prefixes and an opcode: the longest there is */
	memset(b, 0x3e, sizeof(b));
	b[14] = 0x40;
	if (vmon_decode(&i, b, VMON_INSN_MAX, true) || i.len != 15 ||
	    i.prefix_len != 14)
		return false;
	/* one more */
	b[14] = 0x3e;
	b[15] = 0x40;
	if (vmon_decode(&i, b, sizeof(b), true) != -E2BIG)
		return false;
	/* ending in an immediate that does not fit any more */
	b[11] = 0xb8;
	if (vmon_decode(&i, b, sizeof(b), true) != -E2BIG)
		return false;
	/* not known before all 15 bytes are there */
	return vmon_decode(&i, b, 14, true) == -EAGAIN;
}

static bool names_ok(void)
{
	unsigned int op;

	for (op = 0; op < VMON_NR_OPS; op++)
		if (!strcmp(vmon_op_name(op), "(unknown)"))
			return false;
	return !strcmp(vmon_op_name(VMON_NR_OPS), "(unknown)") &&
	       !strcmp(vmon_op_name(VMON_OP_MOV), "mov");
}

int main(void)
{
	const unsigned int nv = ARRAY_SIZE(vectors);
	const unsigned int nr = ARRAY_SIZE(refusals);
	struct vmon_insn i;
	unsigned int n;

	tap_plan(2 * nv + nr + 2);
	for (n = 0; n < nv; n++)
		tap_ok(vector_ok(&vectors[n]), "%s", vectors[n].name);
	for (n = 0; n < nv; n++)
		tap_ok(short_input_ok(&vectors[n]), "%s: short input",
		       vectors[n].name);
	for (n = 0; n < nr; n++)
		tap_ok(vmon_decode(&i, refusals[n].bytes, refusals[n].len,
				   true) == -EINVAL &&
		       i.op == VMON_OP_INVALID,
		       "refused: %s", refusals[n].name);
	tap_ok(limit_ok(), "15-byte limit");
	tap_ok(names_ok(), "every operation has a name");
	return tap_done();
}
