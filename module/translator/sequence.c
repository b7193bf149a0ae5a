// SPDX-License-Identifier: GPL-2.0
/*
 * Guest instructions that become a sequence on the monitor page.
 *
 * The virtual interrupt flag is mpage->vif; the real IF is always set and the
 * real IOPL 0, so PUSHF and POPF run natively for all other flags and IF and
 * IOPL are put right around them. Registers are copied to mpage->spill before
 * they serve as scratch; every guest memory access from the first clobber on
 * carries a mark that says which to take back. LEA adds, JECXZ tests: neither
 * touches the flags.
 */
#include "translator/emit.h"

#define OP_OPSIZE	0x66
#define OP_CS		0x2e
#define OP_PUSHF	0x9c
#define OP_POPF		0x9d

/* Flags that only the emulator gets right when POPF changes them. */
#define POPF_SLOW	(VMON_FL_TF | VMON_FL_NT | VMON_FL_IOPL)

static void emit_opsize(struct bt_emit *e, u8 opsize)
{
	if (opsize == 2)
		emit8(e, OP_OPSIZE);
}

static struct bt_stub *add_stub(struct bt_emit *e, u8 kind)
{
	struct bt_stub *s = &e->stub[e->nstub++];

	*s = (struct bt_stub){
		.kind = kind,
		.opsize = e->insn->opsize,
		.insn_len = e->insn->len,
		.eip = e->eip - e->unit->eip,
		.target = e->next,
	};
	return s;
}

/* Emit the rel32 of a jump to stub @s. */
static void emit_rel32_to(struct bt_emit *e, struct bt_stub *s)
{
	s->at = emit_off(e);
	emit32(e, 0);
}

/* Patch an 8-bit displacement at @at to lead here. */
static void here8(struct bt_emit *e, u8 *at)
{
	*at = e->p - (at + 1);
}

void bt_seq_cli(struct bt_emit *e)
{
	emit_gs_store_imm(e, MP(vif), 0);
}

void bt_seq_sti(struct bt_emit *e)
{
	struct bt_stub *s = add_stub(e, BT_STUB_STI_PENDING);

	emit_gs_store_imm(e, MP(vif), VMON_FL_IF);
	emit_spill(e, VMON_ECX);
	emit_gs_load(e, VMON_ECX, MP(pending));
	mark(e, VMON_BT_COPY, BIT_OF(VMON_ECX));
	emit8(e, 0xe3);				/* jecxz over the jump */
	emit8(e, 5);
	emit8(e, 0xe9);
	emit_rel32_to(e, s);
	emit_restore(e, VMON_ECX);
	s->back = emit_off(e);
	e->no_irq = true;
}

/*
 * pushf; image += vif + viopl - IF. Should the image's page be lost between the
 * two accesses, ESP is taken back as well and the instruction begun anew.
 */
void bt_seq_pushf(struct bt_emit *e)
{
	u8 size = e->insn->opsize;

	emit_opsize(e, size);
	emit8(e, OP_PUSHF);
	mark(e, VMON_BT_COPY, 0);
	emit_spill(e, VMON_EAX);
	emit_spill(e, VMON_ECX);
	emit_bytes(e, "\x8d\x44\x24", 3);	/* lea size(%esp),%eax */
	emit8(e, size);
	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX));
	emit_gs_store(e, VMON_EAX, MP_SPILL(VMON_ESP));
	emit_gs_load(e, VMON_EAX, MP(vif));
	emit_gs_load(e, VMON_ECX, MP(viopl));
	emit_bytes(e, "\x8d\x84\x08", 3);	/* lea -IF(%eax,%ecx),%eax */
	emit32(e, -VMON_FL_IF);
	mark(e, VMON_BT_COPY,
	     BIT_OF(VMON_EAX) | BIT_OF(VMON_ECX) | BIT_OF(VMON_ESP));
	if (size == 2)
		emit_bytes(e, "\x0f\xb7\x0c\x24", 4);	/* movzwl (%esp),%ecx */
	else
		emit_bytes(e, "\x8b\x0c\x24", 3);	/* mov (%esp),%ecx */
	emit_bytes(e, "\x8d\x04\x08", 3);	/* lea (%eax,%ecx),%eax */
	emit_opsize(e, size);
	emit_bytes(e, "\x89\x04\x24", 3);	/* mov %eax,(%esp) */
	emit_restore(e, VMON_EAX);
	emit_restore(e, VMON_ECX);
}

static void emit_native_popf(struct bt_emit *e, u8 opsize)
{
	emit_opsize(e, opsize);
	emit8(e, OP_POPF);
	emit_restore(e, VMON_EAX);
}

/*
 * Read the image first, with all registers and flags intact: if the stack is not
 * readable the fault comes here. The flags are dead from then on. vif is stored
 * before pending is read, so that whoever sets pending sees either the old vif
 * and this check to come, or the new one.
 */
void bt_seq_popf(struct bt_emit *e)
{
	struct bt_stub *slow = add_stub(e, BT_STUB_POPF_SLOW);
	struct bt_stub *pend = add_stub(e, BT_STUB_POPF_PENDING);
	u8 *over;

	emit_spill(e, VMON_EAX);
	if (e->insn->opsize == 2)
		emit_bytes(e, "\x0f\xb7\x04\x24", 4);	/* movzwl (%esp),%eax */
	else
		emit_bytes(e, "\x8b\x04\x24", 3);	/* mov (%esp),%eax */
	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX));
	emit_gs(e, 0x33, VMON_EAX, MP(viopl));		/* xor viopl,%eax */
	emit8(e, 0xa9);					/* test $slow,%eax */
	emit32(e, POPF_SLOW);
	emit_bytes(e, "\x0f\x85", 2);			/* jne slow */
	emit_rel32_to(e, slow);
	emit8(e, 0x25);					/* and $IF,%eax */
	emit32(e, VMON_FL_IF);
	emit_gs_store(e, VMON_EAX, MP(vif));
	emit8(e, 0x74);					/* je over the check */
	over = e->p;
	emit8(e, 0);
	emit_gs(e, 0x83, 7, MP(pending));		/* cmpl $0,pending */
	emit8(e, 0);
	emit_bytes(e, "\x0f\x85", 2);			/* jne pend */
	emit_rel32_to(e, pend);
	here8(e, over);
	emit_native_popf(e, e->insn->opsize);
	slow->back = emit_off(e);
	pend->back = emit_off(e);
}

void bt_seq_push_sreg(struct bt_emit *e)
{
	emit_opsize(e, e->insn->opsize);
	emit_gs(e, 0xff, 6, MP_SEL(e->insn->opnd[0].reg));
}

/* MOV reg, sreg */
void bt_seq_mov_sreg(struct bt_emit *e)
{
	emit_opsize(e, e->insn->opsize);
	emit_gs(e, 0x8b, e->insn->opnd[0].reg, MP_SEL(e->insn->opnd[1].reg));
}

/*
 * Load from the lookup table's entry for the guest address in EAX, at byte @place
 * relative to the entry.
 */
static void emit_lut_load(struct bt_emit *e, u8 reg, u32 place)
{
	emit_bytes(e, "\x0f\xb7\xc8", 3);	/* movzwl %ax,%ecx */
	emit8(e, OP_CS);
	emit8(e, 0x8b);				/* mov %cs:place(,%ecx,8),reg */
	emit8(e, 0x04 | reg << 3);
	emit8(e, 0xcd);
	emit32(e, e->bt->base + place);
}

/* Is it in the entry at @place? Return: a forward jump's displacement. */
static u8 *emit_lut_probe(struct bt_emit *e, u32 place)
{
	emit_lut_load(e, VMON_ECX, place + offsetof(struct bt_lut, neg));
	emit_bytes(e, "\x8d\x0c\x01", 3);	/* lea (%ecx,%eax),%ecx */
	emit8(e, 0xe3);				/* jecxz */
	emit8(e, 0);
	return e->p - 1;
}

/* A forward jump that is always taken, to be pointed to its target later. */
static u8 *emit_jmp(struct bt_emit *e)
{
	emit8(e, 0xe9);
	emit32(e, 0);
	return e->p;
}

static void here32(struct bt_emit *e, u8 *from)
{
	bt_put32(from - 4, e->p - from);
}

/* Go on if EAX plus the word at @disp is zero, else jump. Uses ECX. */
static u8 *emit_must_cancel(struct bt_emit *e, u32 disp)
{
	emit_gs_load(e, VMON_ECX, disp);
	emit_bytes(e, "\x8d\x0c\x08", 3);	/* lea (%eax,%ecx),%ecx */
	emit8(e, 0xe3);				/* jecxz over the jump */
	emit8(e, 5);
	return emit_jmp(e);
}

/*
 * Is the selector in EAX the one known at @at, and its descriptor still the same? Else jump:
 * by @other if it is another selector, by @slow[2] if it has changed. Uses ECX.
 */
static void emit_must_be_known(struct bt_emit *e, u32 at, u8 **other, u8 **slow)
{
	*other = emit_must_cancel(e, at + offsetof(struct vmon_seg_known, neg_sel));
	emit_gs_load(e, VMON_ECX, at + offsetof(struct vmon_seg_known, entry));
	emit_bytes(e, "\x2e\x8b\x01", 3);	/* mov %cs:(%ecx),%eax */
	slow[0] = emit_must_cancel(e, at + offsetof(struct vmon_seg_known, neg_low));
	emit_gs_load(e, VMON_ECX, at + offsetof(struct vmon_seg_known, entry));
	emit_bytes(e, "\x2e\x8b\x41\x04", 4);	/* mov %cs:4(%ecx),%eax */
	slow[1] = emit_must_cancel(e, at + offsetof(struct vmon_seg_known, neg_high));
}

/* One way: load it and jump to the tail, or go on to the next or to the callout. */
static void emit_seg_way(struct bt_emit *e, u8 sreg, unsigned int way, u8 **next,
			 u8 **slow, u8 **tail)
{
	const u32 at = MP(way) + (sreg * VMON_SEG_WAYS + way) *
		       (u32)sizeof(struct vmon_seg_way);

	emit_must_be_known(e, at + offsetof(struct vmon_seg_way, known), next, slow);
	emit_gs_load(e, VMON_EAX, at + offsetof(struct vmon_seg_way, sel));
	emit_gs_store(e, VMON_EAX, MP_SEL(sreg));
	emit_gs_store_imm(e, MP(loaded) + 4u * sreg, way);
	emit_gs(e, 0x8e, sreg, at + offsetof(struct vmon_seg_way, slot));
	*tail = emit_jmp(e);
}

/* The r/m operand, read into EAX by @opcode. */
static void emit_load_operand(struct bt_emit *e, const struct vmon_opnd *opnd,
			      const void *opcode, unsigned int opcode_len)
{
	static const u8 override[VMON_NR_SREGS] = {
		[VMON_ES] = 0x26, [VMON_CS] = 0x2e, [VMON_SS] = 0x36,
		[VMON_DS] = 0x3e, [VMON_FS] = 0x64, [VMON_GS] = 0x65,
	};
	const struct vmon_insn *in = e->insn;
	unsigned int tail = in->modrm_off + 1;

	if (in->prefixes & VMON_P_SEG && opnd->kind == VMON_OPND_MEM)
		emit8(e, override[in->seg]);
	if (in->prefixes & VMON_P_ADSIZE)
		emit8(e, 0x67);
	emit_bytes(e, opcode, opcode_len);
	emit8(e, in->modrm & 0xc7);
	emit_bytes(e, in->bytes + tail, in->len - tail);
}

/*
 * MOV sreg, r/m and POP sreg for ES, DS and FS: see segments/cache.h. The guest's
 * descriptor is read through CS, which is flat; a page fault there takes EAX and
 * ECX back, and the instruction is begun anew or emulated.
 */
void bt_seq_load_sreg(struct bt_emit *e)
{
	const struct vmon_insn *in = e->insn;
	bool pop = in->op == VMON_OP_POP;
	u8 sreg = in->opnd[0].reg;
	u8 *next, *slow[2 * VMON_SEG_WAYS], *tail[VMON_SEG_WAYS], *end;
	unsigned int k;

	emit_spill(e, VMON_EAX);
	emit_spill(e, VMON_ECX);
	if (pop) {
		emit_bytes(e, "\x0f\xb7\x04\x24", 4);	/* movzwl (%esp),%eax */
	} else {
		/* movzwl r/m,%eax */
		emit_load_operand(e, &in->opnd[1], "\x0f\xb7", 2);
	}
	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX) | BIT_OF(VMON_ECX));
	for (k = 0; k < VMON_SEG_WAYS; k++) {
		emit_seg_way(e, sreg, k, &next, &slow[2 * k], &tail[k]);
		here32(e, next);
	}
	for (k = 0; k < 2 * VMON_SEG_WAYS; k++)
		here32(e, slow[k]);
	emit_restore(e, VMON_EAX);
	emit_restore(e, VMON_ECX);
	emit_callout(e, VMON_BT_EMULATE);
	mark(e, VMON_BT_COPY, 0);
	end = emit_jmp(e);
	for (k = 0; k < VMON_SEG_WAYS; k++)
		here32(e, tail[k]);
	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX) | BIT_OF(VMON_ECX));
	emit_restore(e, VMON_EAX);
	emit_restore(e, VMON_ECX);
	if (pop)
		emit_bytes(e, "\x8d\x64\x24\x04", 4);	/* lea 4(%esp),%esp */
	here32(e, end);
}

/*
 * VERW, for a selector that is known to be writable: the result is that of the monitor's own
 * data segment, and the CPU clears its buffers, for which alone kernels execute it ("Deep Dive:
 * Intel Analysis of Microarchitectural Data Sampling"; only the form with a memory operand
 * does). Faults as in bt_seq_load_sreg().
 */
void bt_seq_verw(struct bt_emit *e)
{
	u8 *other, *slow[2], *end;

	emit_spill(e, VMON_EAX);
	emit_spill(e, VMON_ECX);
	emit_load_operand(e, &e->insn->opnd[0], "\x0f\xb7", 2);	/* movzwl r/m,%eax */
	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX) | BIT_OF(VMON_ECX));
	emit_must_be_known(e, MP(writable), &other, slow);
	emit_restore(e, VMON_EAX);
	emit_restore(e, VMON_ECX);
	emit_bytes(e, "\x65\x0f\x00\x2d", 4);		/* verw %gs:verw */
	emit32(e, MP(verw));
	end = emit_jmp(e);
	here32(e, other);
	here32(e, slow[0]);
	here32(e, slow[1]);
	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX) | BIT_OF(VMON_ECX));
	emit_restore(e, VMON_EAX);
	emit_restore(e, VMON_ECX);
	emit_callout(e, VMON_BT_EMULATE);
	here32(e, end);
}

/* MOV reg, CRn */
void bt_seq_mov_cr(struct bt_emit *e)
{
	emit_gs_load(e, e->insn->opnd[0].reg, MP(cr) + 4u * e->insn->opnd[1].reg);
}

/*
 * The shadow tables follow the guest's at each write, so there is nothing to
 * drop. One byte all the same: every instruction has a place of its own.
 */
void bt_seq_invlpg(struct bt_emit *e)
{
	emit8(e, 0x90);
}

/*
 * Go to the guest address in EAX; EAX and ECX are in their spill slots.
 * Reads the lookup table through CS, which is flat and not the guest's.
 */
static void emit_lookup(struct bt_emit *e)
{
	const u32 second = sizeof(struct bt_lut);
	u8 *hit1, *hit2, *found;

	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX) | BIT_OF(VMON_ECX));
	hit1 = emit_lut_probe(e, 0);
	hit2 = emit_lut_probe(e, second);

	emit_gs_store(e, VMON_EAX, MP(guest_eip));
	emit_restore(e, VMON_EAX);
	emit_restore(e, VMON_ECX);
	emit_callout(e, VMON_BT_LOOKUP);

	here8(e, hit2);
	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX) | BIT_OF(VMON_ECX));
	emit_lut_load(e, VMON_EAX, second + offsetof(struct bt_lut, tc));
	emit8(e, 0xeb);				/* jmp found */
	found = e->p;
	emit8(e, 0);
	here8(e, hit1);
	emit_lut_load(e, VMON_EAX, offsetof(struct bt_lut, tc));
	here8(e, found);
	emit_gs_store(e, VMON_EAX, MP(target));
	emit_restore(e, VMON_EAX);
	emit_restore(e, VMON_ECX);
	emit_gs(e, 0xff, 4, MP(target));	/* jmp *target */
}

void bt_seq_ret(struct bt_emit *e)
{
	const struct vmon_insn *in = e->insn;

	emit_spill(e, VMON_EAX);
	emit_spill(e, VMON_ECX);
	emit_bytes(e, "\x8b\x04\x24", 3);	/* mov (%esp),%eax */
	mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX));
	emit_bytes(e, "\x8d\xa4\x24", 3);	/* lea 4 + imm16(%esp),%esp */
	emit32(e, 4 + (in->imm_size ? (u16)in->imm : 0));
	emit_lookup(e);
}

void bt_seq_indirect(struct bt_emit *e, bool call)
{
	emit_spill(e, VMON_EAX);
	emit_spill(e, VMON_ECX);
	emit_load_operand(e, &e->insn->opnd[0], "\x8b", 1);	/* mov r/m,%eax */
	if (call) {
		mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX));
		emit8(e, 0x68);			/* push $next */
		emit32(e, e->next);
	}
	emit_lookup(e);
}

static void emit_chain(struct bt_emit *e, u32 target, u32 from)
{
	bt_chain_init(e->bt, e->p - e->bt->host, target, from);
	e->p += sizeof(struct bt_chain);
}

/* A chain site in the body. */
void bt_seq_goto(struct bt_emit *e, u32 target, u8 flags)
{
	mark(e, VMON_BT_CHAIN | flags, 0);
	emit_chain(e, target, 0);
}

void bt_seq_jcc(struct bt_emit *e)
{
	struct bt_stub *s = add_stub(e, BT_STUB_CHAIN);

	s->target = e->next + e->insn->imm;
	emit8(e, 0x0f);
	emit8(e, 0x80 | e->insn->cc);
	emit_rel32_to(e, s);
}

/* LOOP, LOOPE, LOOPNE, JCXZ reach 8 bits far: over a jump to the chain site */
void bt_seq_loop(struct bt_emit *e)
{
	if (e->insn->prefixes & VMON_P_ADSIZE)
		emit8(e, 0x67);
	emit8(e, e->insn->opcode);
	emit8(e, 2);
	emit8(e, 0xeb);
	emit8(e, sizeof(struct bt_chain));
	bt_seq_goto(e, e->next + e->insn->imm, 0);
}

static void emit_back(struct bt_emit *e, const struct bt_stub *s, u8 flags)
{
	e->eip = e->next;
	mark(e, VMON_BT_COPY | BT_MAP_BOUNDARY | flags, 0);
	emit8(e, 0xe9);
	emit32(e, s->back - (emit_off(e) + 4));
}

/* The cold code behind the body. */
void bt_seq_stubs(struct bt_emit *e)
{
	const struct bt_stub *s;

	for (s = e->stub; s < e->stub + e->nstub; s++) {
		e->eip = e->unit->eip + s->eip;
		e->next = e->eip + s->insn_len;
		bt_put32(e->start + s->at, emit_off(e) - (s->at + 4));
		switch (s->kind) {
		case BT_STUB_CHAIN:
			mark(e, VMON_BT_CHAIN, 0);
			emit_chain(e, s->target,
				   e->start + s->at - e->bt->host);
			break;
		case BT_STUB_STI_PENDING:
			mark(e, VMON_BT_COPY, BIT_OF(VMON_ECX));
			emit_restore(e, VMON_ECX);
			emit_callout(e, VMON_BT_PENDING | BT_MAP_NO_IRQ);
			emit_back(e, s, BT_MAP_NO_IRQ);
			break;
		case BT_STUB_POPF_PENDING:
			mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX));
			emit_native_popf(e, s->opsize);
			emit_callout(e, VMON_BT_PENDING);
			emit_back(e, s, 0);
			break;
		case BT_STUB_POPF_SLOW:
			mark(e, VMON_BT_COPY, BIT_OF(VMON_EAX));
			emit_restore(e, VMON_EAX);
			emit_callout(e, VMON_BT_EMULATE);
			emit_back(e, s, 0);
			break;
		}
	}
}
