// SPDX-License-Identifier: GPL-2.0
/*
 * Translating one unit: a straight run of guest instructions up to an
 * unconditional transfer, through not-taken conditional branches.
 *
 * What is done with an instruction follows from its operation alone, by table;
 * an operation that is not in the table is a callout, so that nothing
 * privileged can be copied by oversight.
 */
#include "translator/emit.h"

enum bt_action {
	BT_CALLOUT,		/* emulate, go on behind it */
	BT_CALLOUT_END,		/* emulate; it may go elsewhere */
	BT_COPY,
	BT_JCC, BT_LOOP, BT_JMP, BT_CALL, BT_RET,
	BT_CLI, BT_STI, BT_PUSHF, BT_POPF, BT_PUSH, BT_MOV_SEG,
	BT_MOV_CR, BT_INVLPG, BT_LOAD_SREG, BT_VERW, BT_IRET, BT_SYSEXIT,
};

static const u8 bt_action[VMON_NR_OPS] = {
	[VMON_OP_INVALID] = BT_CALLOUT_END,
	[VMON_OP_ADD ... VMON_OP_MOVNTI] = BT_COPY,
	[VMON_OP_MOV ... VMON_OP_LEA] = BT_COPY,
	[VMON_OP_CBW ... VMON_OP_SETCC] = BT_COPY,
	[VMON_OP_PUSH] = BT_PUSH,
	[VMON_OP_POP ... VMON_OP_POPA] = BT_COPY,
	[VMON_OP_PUSHF] = BT_PUSHF,
	[VMON_OP_POPF] = BT_POPF,
	[VMON_OP_ENTER ... VMON_OP_FENCE] = BT_COPY,
	[VMON_OP_MOVS ... VMON_OP_SCAS] = BT_COPY,
	[VMON_OP_JCC] = BT_JCC,
	[VMON_OP_JMP] = BT_JMP,
	[VMON_OP_CALL] = BT_CALL,
	[VMON_OP_RET] = BT_RET,
	[VMON_OP_JMP_FAR ... VMON_OP_RET_FAR] = BT_CALLOUT_END,
	[VMON_OP_IRET] = BT_IRET,
	[VMON_OP_LOOP ... VMON_OP_JCXZ] = BT_LOOP,
	[VMON_OP_INT ... VMON_OP_SYSENTER] = BT_CALLOUT_END,
	[VMON_OP_SYSEXIT] = BT_SYSEXIT,
	[VMON_OP_SYSCALL ... VMON_OP_UD] = BT_CALLOUT_END,
	[VMON_OP_CLI] = BT_CLI,
	[VMON_OP_STI] = BT_STI,
	[VMON_OP_RDTSC] = BT_COPY,
	[VMON_OP_VERW] = BT_VERW,
	[VMON_OP_MOV_SEG] = BT_MOV_SEG,
	[VMON_OP_MOV_CR] = BT_MOV_CR,
	[VMON_OP_INVLPG] = BT_INVLPG,
	[VMON_OP_RSM] = BT_CALLOUT_END,
	[VMON_OP_FWAIT ... VMON_OP_STMXCSR] = BT_COPY,
	[VMON_OP_EMMS] = BT_COPY,
};

/*
 * Read on from @gva + @have up to the end of that page into the window, which
 * begins at @gva. Notes the frame of a page that the unit has not seen yet.
 */
static int fetch_more(struct bt_emit *e, struct bt_window *w, u32 gva,
		      unsigned int have)
{
	struct vmon_bt *bt = e->bt;
	struct bt_unit *u = e->unit;
	u32 at = gva + have;
	u32 k = (at >> 12) - (u->eip >> 12);
	unsigned int len = 0x1000 - (at & 0xfff);
	u64 gpa;
	int n;

	if (k > 1 || at >= VMON_MPAGE_GVA || at < u->eip)
		return -EFAULT;
	if (have)
		memmove(w->buf, w->buf + (gva - w->gva), have);
	w->gva = gva;
	w->len = have;
	if (len > sizeof(w->buf) - have)
		len = sizeof(w->buf) - have;
	n = bt->ops->fetch(bt->priv, at, w->buf + have, len, &gpa);
	if (n <= 0)
		return -EFAULT;
	w->len += n;
	u->gfn[k] = gpa >> 12;
	return 0;
}

/*
 * Decode the instruction at e->next. Return: 0, -EFAULT if it cannot be fetched,
 * -EINVAL if it can only raise an exception.
 */
static int decode_next(struct bt_emit *e, struct bt_window *w)
{
	u32 eip = e->next;
	unsigned int have = 0;
	int err;

	if (eip >= w->gva && eip - w->gva < w->len)
		have = w->len - (eip - w->gva);
	while (1) {
		unsigned int avail = have < VMON_INSN_MAX ? have : VMON_INSN_MAX;

		err = avail ? vmon_decode(e->insn, w->buf + (eip - w->gva), avail,
					  true) : -EAGAIN;
		if (err != -EAGAIN)
			return err ? -EINVAL : 0;
		err = fetch_more(e, w, eip, have);
		if (err)
			return err;
		have = w->len;
	}
}

/*
 * Is there a GS override? All prefixes are looked at: which of several wins is not
 * defined.
 */
static bool has_gs_prefix(const struct vmon_insn *in)
{
	return in->prefix_len && memchr(in->bytes, 0x65, in->prefix_len);
}

/* Does it load a register of the segment cache? */
static bool cached_sreg(const struct vmon_insn *in)
{
	u8 reg = in->opnd[0].reg;

	return in->opnd[0].kind == VMON_OPND_SREG &&
	       (reg == VMON_ES || reg == VMON_DS || reg == VMON_FS);
}

static u8 classify(const struct bt_emit *e)
{
	const struct vmon_insn *in = e->insn;
	u8 action = bt_action[in->op];

	if ((action == BT_COPY || action == BT_PUSH) &&
	    bt_is_forced(e->bt, e->eip))
		return BT_CALLOUT;
	switch (action) {
	case BT_JCC:
	case BT_LOOP:
	case BT_RET:
	case BT_IRET:
		/* a 16-bit operand size cuts EIP */
		return in->opsize == 2 ? BT_CALLOUT_END : action;
	case BT_JMP:
	case BT_CALL:
		if (in->opsize == 2 || has_gs_prefix(in))
			return BT_CALLOUT_END;
		return action;
	case BT_PUSH:
		if (in->opnd[0].kind == VMON_OPND_SREG)
			return action;
		break;
	case BT_MOV_SEG:
		if (in->opnd[0].kind == VMON_OPND_REG)
			return action;
		return cached_sreg(in) && !has_gs_prefix(in) ? BT_LOAD_SREG : BT_CALLOUT;
	case BT_VERW:
		return has_gs_prefix(in) ? BT_CALLOUT : action;
	case BT_MOV_CR:
		return in->opnd[0].kind == VMON_OPND_REG ? action : BT_CALLOUT;
	case BT_COPY:
		break;
	default:
		return action;
	}
	if (in->op == VMON_OP_POP && cached_sreg(in) && in->opsize == 4)
		return BT_LOAD_SREG;
	/* BT_COPY: what the decoder knows overrules the table */
	if (in->flags & VMON_I_BRANCH)
		return BT_CALLOUT_END;
	if (in->op == VMON_OP_RDTSC)
		return BT_COPY;
	if (in->flags & (VMON_I_PRIV | VMON_I_SENSITIVE | VMON_I_IO |
			 VMON_I_SEGLOAD))
		return BT_CALLOUT;
	if (has_gs_prefix(in) && in->op != VMON_OP_LEA && in->op != VMON_OP_NOP)
		return BT_CALLOUT;
	return BT_COPY;
}

/* A load of SS holds off interrupts for one instruction; LSS does not. */
static bool loads_ss(const struct vmon_insn *in)
{
	return (in->op == VMON_OP_MOV_SEG || in->op == VMON_OP_POP) &&
	       in->opnd[0].kind == VMON_OPND_SREG && in->opnd[0].reg == VMON_SS;
}

/* Return: true if the unit ends with this instruction. */
static bool translate_insn(struct bt_emit *e)
{
	const struct vmon_insn *in = e->insn;

	switch (classify(e)) {
	case BT_CALLOUT:
		e->no_irq = loads_ss(in);
		emit_callout(e, VMON_BT_EMULATE);
		return false;
	case BT_CALLOUT_END:
		emit_callout(e, VMON_BT_EMULATE);
		bt_seq_goto(e, e->next, 0);
		return true;
	case BT_IRET:
		emit_callout_by(e, VMON_BT_IRET, VMON_BT_IRET_VECTOR);
		bt_seq_goto(e, e->next, 0);
		return true;
	case BT_SYSEXIT:
		emit_callout_by(e, VMON_BT_EMULATE, VMON_BT_SYSEXIT_VECTOR);
		bt_seq_goto(e, e->next, 0);
		return true;
	case BT_COPY:
		emit_bytes(e, in->bytes, in->len);
		return false;
	case BT_JCC:
		bt_seq_jcc(e);
		return false;
	case BT_LOOP:
		bt_seq_loop(e);
		return false;
	case BT_JMP:
		if (in->opnd[0].kind == VMON_OPND_REL)
			bt_seq_goto(e, e->next + in->imm, 0);
		else
			bt_seq_indirect(e, false);
		return true;
	case BT_CALL:
		if (in->opnd[0].kind == VMON_OPND_REL) {
			emit8(e, 0x68);		/* push $next */
			emit32(e, e->next);
			bt_seq_goto(e, e->next + in->imm, 0);
		} else {
			bt_seq_indirect(e, true);
		}
		return true;
	case BT_RET:
		bt_seq_ret(e);
		return true;
	case BT_CLI:
		bt_seq_cli(e);
		return false;
	case BT_STI:
		bt_seq_sti(e);
		return false;
	case BT_PUSHF:
		bt_seq_pushf(e);
		return false;
	case BT_POPF:
		bt_seq_popf(e);
		return false;
	case BT_PUSH:
		bt_seq_push_sreg(e);
		return false;
	case BT_MOV_SEG:
		bt_seq_mov_sreg(e);
		return false;
	case BT_LOAD_SREG:
		bt_seq_load_sreg(e);
		return false;
	case BT_VERW:
		bt_seq_verw(e);
		return false;
	case BT_MOV_CR:
		bt_seq_mov_cr(e);
		return false;
	case BT_INVLPG:
		bt_seq_invlpg(e);
		return false;
	}
	return true;
}

/*
 * The body. Ends without a transfer of its own when enough is done, at a third
 * page, or where a unit begins already; then a chain site leads on. It does not
 * end by number in an interrupt shadow, which would be lost.
 */
static int translate_body(struct bt_emit *e, struct bt_window *w)
{
	unsigned int insns = 0, exits = 0;
	bool ended = false;
	int err = 0;

	while (!ended) {
		u8 shadow = e->no_irq ? BT_MAP_NO_IRQ : 0;

		e->eip = e->next;
		if (insns > BT_MAX_INSNS)
			break;
		if (insns && !shadow && (insns == BT_MAX_INSNS ||
					 exits >= BT_MAX_EXITS ||
					 bt_find_start(e->bt, e->eip)))
			break;
		err = decode_next(e, w);
		if (err == -EFAULT)
			break;
		e->no_irq = false;
		if (err) {
			/* the emulator raises the exception */
			e->next = e->eip + 1;
			mark(e, VMON_BT_COPY | BT_MAP_BOUNDARY | shadow, 0);
			emit_callout(e, VMON_BT_EMULATE | shadow);
			e->bt->stats.translated_insns++;
			return 0;
		}
		e->next = e->eip + e->insn->len;
		mark(e, VMON_BT_COPY | BT_MAP_BOUNDARY | shadow, 0);
		ended = translate_insn(e);
		insns++;
		if (e->insn->flags & VMON_I_COND)
			exits++;
	}
	e->bt->stats.translated_insns += insns;
	if (!insns)
		return err;
	if (!ended)
		bt_seq_goto(e, e->next, e->no_irq ? BT_MAP_NO_IRQ : 0);
	return 0;
}

/* Chain sites of a new unit whose targets are there already. */
static void chain_forward(struct vmon_bt *bt, const struct bt_unit *u)
{
	const struct bt_map *m = bt->map + u->map;
	unsigned int i;

	for (i = 0; i < u->nmap; i++) {
		u32 site = u->tc + m[i].tc;
		const struct bt_chain *c = (void *)(bt->host + site);
		u32 n;

		if ((m[i].flags & BT_MAP_SITE) != VMON_BT_CHAIN)
			continue;
		n = bt_find_start(bt, bt_get32(c->target));
		if (n)
			bt_chain_patch(bt, site, n);
	}
}

static void commit(struct bt_emit *e)
{
	struct vmon_bt *bt = e->bt;
	struct bt_unit *u = e->unit;
	u32 n = ++bt->nunits;
	unsigned int k;

	u->len = e->next - u->eip;
	u->npages = ((u->eip + u->len - 1) >> 12) - (u->eip >> 12) + 1;
	u->nbody = e->nmap;
	bt_seq_stubs(e);
	u->nmap = e->nmap;
	u->tc_len = emit_off(e);
	bt->nmap += u->nmap;
	bt->used += u->tc_len;
	bt->live++;
	bt->stats.translated_units++;
	for (k = 0; k < u->npages; k++)
		if (!bt_gfn_used(bt, u->gfn[k]))
			bt->ops->protect(bt->priv, u->gfn[k]);
	bt_index_add(bt, n);
	chain_forward(bt, u);
}

/**
 * bt_translate() - make a new unit
 * @bt:		the translator
 * @eip:	guest linear address of its first instruction
 * @n:		its number
 *
 * There is room for it: the caller has seen to that.
 *
 * Return: 0 or -EFAULT when the first instruction cannot be fetched.
 */
int bt_translate(struct vmon_bt *bt, u32 eip, u32 *n)
{
	struct bt_unit *u = &bt->units[bt->nunits + 1];
	struct bt_emit *e = &bt->scratch->emit;
	int err;

	*u = (struct bt_unit){ .eip = eip, .tc = bt->used, .map = bt->nmap };
	*e = (struct bt_emit){
		.bt = bt, .unit = u,
		.start = bt->host + bt->used, .p = bt->host + bt->used,
		.map = bt->map + bt->nmap,
		.stub = bt->scratch->stub, .insn = &bt->scratch->insn,
		.eip = eip, .next = eip,
	};
	bt->scratch->window.len = 0;
	err = translate_body(e, &bt->scratch->window);
	if (err)
		return err;
	commit(e);
	*n = bt->nunits;
	return 0;
}
