// SPDX-License-Identifier: GPL-2.0
/*
 * The decoder against Zydis: validity, length, prefixes, positions of ModRM,
 * displacement and immediate, operands and operation, for exhaustive opcode x
 * ModRM x prefix combinations and for random bytes, in 32- and 16-bit mode.
 *
 * The two may disagree only where allowed_refusal() or allowed_acceptance()
 * says so, each with its reason; the number of such cases is printed.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>
#include <linux/kernel.h>

#include "emulator/decode.h"
#include "decode_zydis_map.h"
#include "tap.h"

struct stats {
	unsigned long cases, valid, refused, accepted, bad;
};

static ZydisDecoder decoder[2];
static struct stats stats;

/* Zydis decodes it, we refuse: what guests are not offered. */
static bool allowed_refusal(const ZydisDecodedInstruction *z)
{
	if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	    z->encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW)
		return true;		/* VEX, EVEX, XOP: no AVX */

	switch (z->meta.isa_ext) {
	case ZYDIS_ISA_EXT_VTX:		/* no nested virtualization */
	case ZYDIS_ISA_EXT_SVM:
	case ZYDIS_ISA_EXT_INVPCID:
	case ZYDIS_ISA_EXT_RTM:
	case ZYDIS_ISA_EXT_SMAP:
	case ZYDIS_ISA_EXT_SMX:
	case ZYDIS_ISA_EXT_SGX:
	case ZYDIS_ISA_EXT_SGX_ENCLV:
	case ZYDIS_ISA_EXT_CET:
	case ZYDIS_ISA_EXT_PT:
	case ZYDIS_ISA_EXT_PKU:
	case ZYDIS_ISA_EXT_RDPID:
	case ZYDIS_ISA_EXT_RDRAND:
	case ZYDIS_ISA_EXT_RDSEED:
	case ZYDIS_ISA_EXT_RDPRU:
	case ZYDIS_ISA_EXT_SSE4A:
	case ZYDIS_ISA_EXT_MONITORX:
	case ZYDIS_ISA_EXT_CLZERO:
	case ZYDIS_ISA_EXT_WAITPKG:
	case ZYDIS_ISA_EXT_SERIALIZE:
	case ZYDIS_ISA_EXT_TSX_LDTRK:
	case ZYDIS_ISA_EXT_HRESET:
	case ZYDIS_ISA_EXT_KEYLOCKER:
	case ZYDIS_ISA_EXT_KEYLOCKER_WIDE:
	case ZYDIS_ISA_EXT_MOVDIR:
	case ZYDIS_ISA_EXT_ENQCMD:
	case ZYDIS_ISA_EXT_SNP:
	case ZYDIS_ISA_EXT_MCOMMIT:
	case ZYDIS_ISA_EXT_PADLOCK:
	case ZYDIS_ISA_EXT_TDX:
	case ZYDIS_ISA_EXT_PCONFIG:
	case ZYDIS_ISA_EXT_AMD_INVLPGB:
	case ZYDIS_ISA_EXT_UINTR:
	case ZYDIS_ISA_EXT_VMFUNC:
		return true;
	default:
		return false;
	}
}

/* We decode it, Zydis refuses. */
static bool allowed_acceptance(const struct vmon_insn *i)
{
	/*
	 * MPX names registers that do not exist (BND4 and up), or its 16-bit
	 * address forms: #UD only where MPX is enabled, else NOP.
	 */
	return i->op == VMON_OP_NOP && (i->opcode == 0x1a || i->opcode == 0x1b);
}

/* The operation expected; 0 where the instruction is only classed. */
static unsigned int expected_op(const ZydisDecodedInstruction *z)
{
	bool far = z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
	bool map_0f = z->opcode_map == ZYDIS_OPCODE_MAP_0F;

	/* one mnemonic there, several operations here */
	switch (z->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		if (map_0f && (z->opcode == 0x20 || z->opcode == 0x22))
			return VMON_OP_MOV_CR;
		if (map_0f && (z->opcode == 0x21 || z->opcode == 0x23))
			return VMON_OP_MOV_DR;
		if (!map_0f && (z->opcode == 0x8c || z->opcode == 0x8e))
			return VMON_OP_MOV_SEG;
		return VMON_OP_MOV;
	case ZYDIS_MNEMONIC_SHL:
		return z->raw.modrm.reg == 6 ? VMON_OP_SAL : VMON_OP_SHL;
	case ZYDIS_MNEMONIC_JMP:
		return far ? VMON_OP_JMP_FAR : VMON_OP_JMP;
	case ZYDIS_MNEMONIC_CALL:
		return far ? VMON_OP_CALL_FAR : VMON_OP_CALL;
	case ZYDIS_MNEMONIC_RET:
		return far ? VMON_OP_RET_FAR : VMON_OP_RET;
	case ZYDIS_MNEMONIC_MOVSD:	/* of strings, or of SSE */
		return map_0f ? 0 : VMON_OP_MOVS;
	case ZYDIS_MNEMONIC_CMPSD:
		return map_0f ? 0 : VMON_OP_CMPS;
	default:
		return zydis_op[z->mnemonic];
	}
}

static const char *check_opnd(const struct vmon_insn *i, unsigned int n,
			      const ZydisDecodedOperand *o)
{
	const struct vmon_opnd *p = &i->opnd[n];
	u32 mask = p->size == 1 ? 0xff : p->size == 2 ? 0xffff : ~0u;

	switch (o->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		switch (ZydisRegisterGetClass(o->reg.value)) {
		case ZYDIS_REGCLASS_GPR8:
		case ZYDIS_REGCLASS_GPR16:
		case ZYDIS_REGCLASS_GPR32:
			if (p->kind != VMON_OPND_REG)
				return "kind, not reg";
			/* LAR, LSL use 16 bits of a register named as 32 */
			if (i->op == VMON_OP_LAR || i->op == VMON_OP_LSL)
				break;
			if (p->size * 8 != o->size)
				return "register size";
			break;
		case ZYDIS_REGCLASS_SEGMENT:
			if (p->kind != VMON_OPND_SREG)
				return "kind, not sreg";
			break;
		case ZYDIS_REGCLASS_CONTROL:
			if (p->kind != VMON_OPND_CR)
				return "kind, not cr";
			break;
		case ZYDIS_REGCLASS_DEBUG:
			if (p->kind != VMON_OPND_DR)
				return "kind, not dr";
			break;
		case ZYDIS_REGCLASS_MMX:
		case ZYDIS_REGCLASS_XMM:
			if (p->kind != VMON_OPND_VEC)
				return "kind, not vec";
			break;
		default:
			return NULL;
		}
		if (p->reg != ZydisRegisterGetId(o->reg.value))
			return "register";
		return NULL;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return p->kind == VMON_OPND_MEM ? NULL : "kind, not mem";
	case ZYDIS_OPERAND_TYPE_POINTER:
		if (p->kind != VMON_OPND_FAR)
			return "kind, not far";
		if (i->imm != o->ptr.offset || i->imm2 != o->ptr.segment)
			return "far pointer";
		return NULL;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		if (o->imm.is_relative) {
			if (p->kind != VMON_OPND_REL)
				return "kind, not rel";
			return i->imm == (u32)o->imm.value.s ? NULL : "rel";
		}
		if (p->kind != VMON_OPND_IMM)
			return "kind, not imm";
		if (i->op == VMON_OP_ENTER && n == 1)
			return i->imm2 == o->imm.value.u ? NULL : "imm2";
		return i->imm == ((u32)o->imm.value.u & mask) ? NULL : "imm";
	default:
		return NULL;
	}
}

static u8 reg_id(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE ? VMON_NO_REG :
	       ZydisRegisterGetId(reg);
}

static const char *check_mem(const struct vmon_insn *i,
			     const ZydisDecodedOperand *o)
{
	const ZydisDecodedOperandMem *m = &o->mem;
	bool r = o->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
	bool w = o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	unsigned int n, size = 0;

	if (i->base != reg_id(m->base) || i->index != reg_id(m->index))
		return "base or index";
	if (i->index != VMON_NO_REG && 1 << i->scale != m->scale)
		return "scale";
	if (i->adsize == 2 ? (u16)i->disp != (u16)m->disp.value :
			     i->disp != (s32)m->disp.value)
		return "disp";
	if (m->type == ZYDIS_MEMOP_TYPE_AGEN ||
	    i->op == VMON_OP_NOP) {
		r = false;
		w = false;
	} else if (i->seg != ZydisRegisterGetId(m->segment) &&
		 /* 3E on an indirect branch is "notrack" there; without CET DS */
		 !((i->op == VMON_OP_JMP || i->op == VMON_OP_CALL) &&
		   i->seg == VMON_DS)) {
		return "segment";
	}
	if (i->op == VMON_OP_NOP || i->op == VMON_OP_UD ||
	    i->op == VMON_OP_INVLPG)
		return NULL;	/* no access, whatever the form says */

	for (n = 0; n < 3; n++)
		if (i->opnd[n].kind == VMON_OPND_MEM)
			size = i->opnd[n].size;
	if (size && size * 8 != o->size)
		return "memory operand size";
	if (!!(i->flags & VMON_I_MEM_R) != r)
		return "MEM_R";
	if (!!(i->flags & VMON_I_MEM_W) != w)
		return "MEM_W";
	return NULL;
}

static const char *check_prefixes(const struct vmon_insn *i,
				  const ZydisDecodedInstruction *z)
{
	unsigned int n, want = 0;

	if (i->prefix_len != z->raw.prefix_count)
		return "prefix_len";
	for (n = 0; n < z->raw.prefix_count; n++) {
		switch (z->raw.prefixes[n].value) {
		case 0xf0:
			want |= VMON_P_LOCK;
			break;
		case 0xf2:
			want &= ~VMON_P_REP;
			want |= VMON_P_REPNE;
			break;
		case 0xf3:
			want &= ~VMON_P_REPNE;
			want |= VMON_P_REP;
			break;
		case 0x66:
			want |= VMON_P_OPSIZE;
			break;
		case 0x67:
			want |= VMON_P_ADSIZE;
			break;
		default:
			want |= VMON_P_SEG;
			break;
		}
	}
	if (i->prefixes != want)
		return "prefixes";
	if (i->adsize * 8 != z->address_width)
		return "address size";
	return NULL;
}

static const char *check_layout(const struct vmon_insn *i,
				const ZydisDecodedInstruction *z)
{
	bool modrm = z->attributes & ZYDIS_ATTRIB_HAS_MODRM;

	if (i->has_modrm != modrm)
		return "has_modrm";
	if (modrm && (i->modrm_off != z->raw.modrm.offset ||
		      i->modrm != (z->raw.modrm.mod << 6 |
				   z->raw.modrm.reg << 3 | z->raw.modrm.rm)))
		return "modrm";
	if (i->disp_size * 8 != z->raw.disp.size)
		return "disp_size";
	if (i->disp_size && i->disp_off != z->raw.disp.offset)
		return "disp_off";
	/* the suffix of 3DNow! is an immediate here, and the opcode there */
	if (z->encoding == ZYDIS_INSTRUCTION_ENCODING_3DNOW)
		return i->imm_size == 1 && i->imm == z->opcode ? NULL :
		       "3DNow! suffix";
	if (i->opcode != z->opcode || i->map != z->opcode_map)
		return "opcode";
	if (i->imm_size * 8 != z->raw.imm[0].size + z->raw.imm[1].size)
		return "imm_size";
	if (i->imm_size && i->imm_off != z->raw.imm[0].offset)
		return "imm_off";
	return NULL;
}

static const char *check_op(const struct vmon_insn *i,
			    const ZydisDecodedInstruction *z)
{
	unsigned int want = expected_op(z);

	if (want) {
		if (i->op != want)
			return "operation";
	} else {
		switch (z->meta.isa_ext) {
		case ZYDIS_ISA_EXT_X87:
			if (i->op != VMON_OP_X87)
				return "operation, not x87";
			break;
		case ZYDIS_ISA_EXT_BASE:
			return "operation unmapped";
		default:
			if (i->op != VMON_OP_MMX && i->op != VMON_OP_SSE)
				return "operation, not mmx or sse";
			break;
		}
	}
	if (i->op == VMON_OP_JCC || i->op == VMON_OP_SETCC ||
	    i->op == VMON_OP_CMOV)
		return zydis_cc[z->mnemonic] == i->cc + 1 ? NULL : "cc";
	return NULL;
}

/* Classes, except MEM_R and MEM_W, which check_mem() looks at. */
static const char *check_flags(const struct vmon_insn *i,
			       const ZydisDecodedInstruction *z,
			       const ZydisDecodedOperand *o)
{
	bool branch = false, cond = false, io = false, stack = false;
	bool segload = false;
	unsigned int n;

	switch (z->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		cond = true;
		branch = true;
		break;
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
		branch = true;
		break;
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
		io = true;
		break;
	default:
		break;
	}
	for (n = 0; n < z->operand_count; n++) {
		if (o[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    o[n].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
		    ZydisRegisterGetId(o[n].mem.base) == VMON_ESP)
			stack = true;
		if (o[n].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    ZydisRegisterGetClass(o[n].reg.value) ==
			ZYDIS_REGCLASS_SEGMENT &&
		    o[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			segload = true;
	}
	switch (i->op) {
	case VMON_OP_BOUND:	/* an interrupt there */
	case VMON_OP_RSM:	/* a return there, #UD outside SMM */
		branch = false;
		break;
	case VMON_OP_INTO:	/* not seen as conditional there */
		cond = true;
		stack = true;
		break;
	case VMON_OP_LEAVE:	/* by EBP */
	case VMON_OP_INT:	/* stack accesses not listed there */
	case VMON_OP_INT1:
	case VMON_OP_INT3:
		stack = true;
		break;
	case VMON_OP_CALL_FAR:	/* CS does not count there */
	case VMON_OP_JMP_FAR:
	case VMON_OP_RET_FAR:
	case VMON_OP_IRET:
		segload = true;
		break;
	case VMON_OP_SYSCALL:	/* fixed segments, no descriptor is loaded */
	case VMON_OP_SYSRET:
		segload = false;
		break;
	default:
		break;
	}
	if (!!(i->flags & VMON_I_BRANCH) != branch)
		return "BRANCH";
	if (!!(i->flags & VMON_I_COND) != cond)
		return "COND";
	if (!!(i->flags & VMON_I_IO) != io)
		return "IO";
	if (!!(i->flags & VMON_I_STACK) != stack)
		return "STACK";
	if (!!(i->flags & VMON_I_SEGLOAD) != segload)
		return "SEGLOAD";
	/* SDM vol. 3, 5.9; Zydis 4.0 does not have all of them */
	if (!(i->flags & VMON_I_PRIV) &&
	    z->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
		return "PRIV";
	if (!(i->flags & VMON_I_FPU) !=
	    (i->op < VMON_OP_FWAIT || i->op >= VMON_OP_ADCX))
		return "FPU";
	return NULL;
}

/* Operand size fixed by the operation: 66 has no say, or is mandatory. */
static bool fixed_size(unsigned int op)
{
	switch (op) {
	case VMON_OP_MOV_CR:
	case VMON_OP_MOV_DR:
	case VMON_OP_CMPXCHG8B:
	case VMON_OP_SYSCALL:
	case VMON_OP_SYSRET:
	case VMON_OP_FENCE:
	case VMON_OP_NOP:
	case VMON_OP_UD:
		return true;
	default:
		return false;
	}
}

static const char *compare(const struct vmon_insn *i,
			   const ZydisDecodedInstruction *z,
			   const ZydisDecodedOperand *o)
{
	const char *why;
	unsigned int n;

	if (i->len != z->length)
		return "length";
	why = check_prefixes(i, z);
	if (!why)
		why = check_layout(i, z);
	if (!why)
		why = check_op(i, z);
	if (!why)
		why = check_flags(i, z, o);
	/* byte operations count as 8 bits there; SSE ignores the size */
	if (!why && (z->operand_width == 16 || z->operand_width == 32) &&
	    i->op < VMON_OP_FWAIT && !fixed_size(i->op) &&
	    i->opsize * 8 != z->operand_width)
		why = "operand size";

	for (n = 0; !why && n < z->operand_count; n++) {
		bool shown = o[n].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN;

		if (i->flags & VMON_I_STRING) {
			/* operands are hidden; the source's segment counts */
			if (o[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
			    ZydisRegisterGetId(o[n].mem.base) == VMON_ESI &&
			    ZydisRegisterGetId(o[n].mem.segment) != i->seg)
				why = "string segment";
			continue;
		}
		if (!shown || i->op == VMON_OP_XLAT || i->op == VMON_OP_X87)
			shown = o[n].visibility ==
				ZYDIS_OPERAND_VISIBILITY_EXPLICIT &&
				o[n].type == ZYDIS_OPERAND_TYPE_MEMORY;
		if (!shown)
			continue;
		if (n < 3 && i->op != VMON_OP_X87 && i->op != VMON_OP_NOP &&
		    i->op != VMON_OP_UD)
			why = check_opnd(i, n, &o[n]);
		if (!why && o[n].type == ZYDIS_OPERAND_TYPE_MEMORY)
			why = check_mem(i, &o[n]);
	}
	return why;
}

static void complain(const u8 *b, bool code32, const char *why,
		     const struct vmon_insn *i, int err,
		     const ZydisDecodedInstruction *z, ZyanStatus st)
{
	/* one line per opcode and kind of difference */
	static bool seen[4][256][61];
	unsigned int n;

	stats.bad++;
	if (seen[i->map][i->opcode][(uintptr_t)why % 61])
		return;
	seen[i->map][i->opcode][(uintptr_t)why % 61] = true;
	printf("# %u-bit ", code32 ? 32 : 16);
	for (n = 0; n < VMON_INSN_MAX; n++)
		printf("%02x", b[n]);
	printf(": %s; here %d %s len %u, Zydis %s len %u\n", why, err,
	       vmon_op_name(i->op), i->len,
	       ZYAN_SUCCESS(st) ? ZydisMnemonicGetString(z->mnemonic) :
	       st == ZYDIS_STATUS_ILLEGAL_LOCK ? "illegal lock" :
	       st == ZYDIS_STATUS_BAD_REGISTER ? "bad register" : "refuses",
	       ZYAN_SUCCESS(st) ? z->length : 0);
}

static void check(const u8 *b, bool code32)
{
	ZydisDecodedOperand o[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction z;
	struct vmon_insn i;
	const char *why;
	ZyanStatus st;
	int err;

	st = ZydisDecoderDecodeFull(&decoder[code32], b, VMON_INSN_MAX, &z, o);
	err = vmon_decode(&i, b, VMON_INSN_MAX, code32);
	stats.cases++;

	if (ZYAN_SUCCESS(st) && err) {
		if (err == -EINVAL && allowed_refusal(&z))
			stats.refused++;
		else
			complain(b, code32, "refused", &i, err, &z, st);
		return;
	}
	if (!ZYAN_SUCCESS(st)) {
		/*
		 * Which of two reasons comes first, undefined or too long, is
		 * not compared: it depends on how far one looks ahead.
		 */
		if (!err && allowed_acceptance(&i))
			stats.accepted++;
		else if (err != -EINVAL && err != -E2BIG)
			complain(b, code32, "accepted", &i, err, &z, st);
		return;
	}
	stats.valid++;
	why = compare(&i, &z, o);
	if (!why && memcmp(i.bytes, b, i.len))
		why = "bytes";
	if (!why && !(stats.valid & 15)) {
		struct vmon_insn s;
		/* an exact allocation, so that the sanitizer sees overreads */
		u8 *copy = malloc(i.len);

		memcpy(copy, b, i.len);
		if (vmon_decode(&s, copy, i.len - 1, code32) != -EAGAIN)
			why = "short input";
		else if (vmon_decode(&s, copy, i.len, code32) ||
			 memcmp(&s, &i, sizeof(s)))
			why = "exact input";
		free(copy);
	}
	if (why)
		complain(b, code32, why, &i, err, &z, st);
}

static u64 rng = 0x9e3779b97f4a7c15ull;

static u64 next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void random_tail(u8 *b, unsigned int n)
{
	u64 r[2] = { next(), next() };

	memcpy(b + n, r, VMON_INSN_MAX + 1 - n);
}

static void exhaustive(const u8 *escape, unsigned int escape_len, bool code32)
{
	static const char *const prefixes[] = {
		"", "\x66", "\x67", "\xf2", "\xf3", "\xf0", "\x66\xf3",
		"\x66\xf2", "\xf0\x66", "\x64", "\x66\x67", "\xf2\xf3",
		"\xf3\xf2", "\x36\x2e", "\xf0\xf3",
	};
	u8 b[VMON_INSN_MAX + 1];
	unsigned int p, op, modrm, n;

	for (p = 0; p < ARRAY_SIZE(prefixes); p++) {
		for (op = 0; op < 256; op++) {
			for (modrm = 0; modrm < 256; modrm++) {
				n = strlen(prefixes[p]);
				memcpy(b, prefixes[p], n);
				memcpy(b + n, escape, escape_len);
				n += escape_len;
				b[n++] = op;
				b[n++] = modrm;
				random_tail(b, n);
				check(b, code32);
			}
		}
	}
}

/* Around the length limit: many prefixes before random bytes. */
static void long_ones(unsigned long count, bool code32)
{
	static const u8 pfx[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67 };
	u8 b[VMON_INSN_MAX + 1];

	while (count--) {
		unsigned int n = count % VMON_INSN_MAX, k;
		u64 r = next();

		random_tail(b, 0);
		for (k = 0; k < n; k++, r >>= 3)
			b[k] = pfx[r & 7];
		if ((r & 7) == 0)
			b[n] = 0x0f;
		check(b, code32);
	}
}

/* Bytes of which about a third of the leading ones are prefixes. */
static void random_bytes(unsigned long count, bool code32)
{
	static const u8 pfx[] = {
		0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64,
		0x65, 0x66, 0x67, 0xf2, 0xf3, 0x0f,
	};
	u8 b[VMON_INSN_MAX + 1];

	while (count--) {
		unsigned int n = 0;
		u64 r = next();

		random_tail(b, 0);
		while (n < VMON_INSN_MAX && (r & 3) == 0) {
			b[n++] = pfx[(r >> 2) & 15];
			r >>= 6;
		}
		if ((r & 0x300) == 0 && n < VMON_INSN_MAX)
			b[n] = 0x0f;
		check(b, code32);
	}
}

static void report(const char *what, bool code32)
{
	tap_ok(!stats.bad, "%u-bit %s: %lu cases, %lu valid in both",
	       code32 ? 32 : 16, what, stats.cases, stats.valid);
	printf("# %lu differ, %lu hidden from guests, %lu accepted here only\n",
	       stats.bad, stats.refused, stats.accepted);
	memset(&stats, 0, sizeof(stats));
}

int main(void)
{
	int code32;

	ZydisDecoderInit(&decoder[0], ZYDIS_MACHINE_MODE_LEGACY_16,
			 ZYDIS_STACK_WIDTH_16);
	ZydisDecoderInit(&decoder[1], ZYDIS_MACHINE_MODE_LEGACY_32,
			 ZYDIS_STACK_WIDTH_32);
	zydis_map_init();

	tap_plan(12);
	for (code32 = 1; code32 >= 0; code32--) {
		exhaustive((const u8 *)"", 0, code32);
		report("one-byte map", code32);
		exhaustive((const u8 *)"\x0f", 1, code32);
		report("0F map", code32);
		exhaustive((const u8 *)"\x0f\x38", 2, code32);
		report("0F 38 map", code32);
		exhaustive((const u8 *)"\x0f\x3a", 2, code32);
		report("0F 3A map", code32);
		random_bytes(1200000, code32);
		report("random bytes", code32);
		long_ones(600000, code32);
		report("around the length limit", code32);
	}
	return tap_done();
}
