/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writing code into the cache: bytes, accesses to the monitor page, map marks.
 *
 * Sequences must not change arithmetic flags unless the guest instruction
 * overwrites them, and must leave every guest register intact until the last
 * access to guest memory that can fault, or name it in the mark's recover mask.
 */
#ifndef VMON_TRANSLATOR_EMIT_H
#define VMON_TRANSLATOR_EMIT_H

#include <linux/stddef.h>
#include "translator/bt.h"

/* Monitor-page offsets, as displacements of %gs accesses. */
#define MP(field)	((u32)offsetof(struct vmon_mpage, field))
#define MP_SPILL(r)	(MP(spill) + 4u * (r))
#define MP_SEL(s)	(MP(sel) + 4u * (s))

#define BIT_OF(reg)	(1u << (reg))

enum bt_stub_kind {
	BT_STUB_CHAIN,		/* taken side of a Jcc */
	BT_STUB_STI_PENDING,
	BT_STUB_POPF_PENDING,
	BT_STUB_POPF_SLOW,
};

/**
 * struct bt_stub - cold code to be put behind the body
 * @kind:	enum bt_stub_kind
 * @opsize:	operand size of the instruction
 * @insn_len:	its length
 * @at:		offset in the unit of the rel32 that leads to the stub
 * @back:	offset in the unit of the next instruction's code
 * @eip:	offset of the guest instruction
 * @target:	CHAIN: guest address
 */
struct bt_stub {
	u8 kind;
	u8 opsize;
	u8 insn_len;
	u16 at;
	u16 back;
	u16 eip;
	u32 target;
};

/**
 * struct bt_emit - a unit in the making
 * @insn:	the guest instruction being translated
 * @next:	guest address behind it
 * @no_irq:	the next boundary is in the shadow of STI or of a load of SS
 */
struct bt_emit {
	struct vmon_bt *bt;
	struct bt_unit *unit;
	u8 *start, *p;
	struct bt_map *map;
	unsigned int nmap;
	struct bt_stub *stub;
	unsigned int nstub;
	struct vmon_insn *insn;
	u32 eip, next;
	bool no_irq;
};

/* Guest bytes around the current instruction. */
struct bt_window {
	u8 buf[128];
	u32 gva;
	unsigned int len;
};

/* What a translation works on; too large for the stack. */
struct bt_scratch {
	struct bt_emit emit;
	struct bt_window window;
	struct vmon_insn insn;
	struct bt_stub stub[BT_MAX_STUBS];
};

static inline u32 emit_off(const struct bt_emit *e)
{
	return e->p - e->start;
}

static inline void emit8(struct bt_emit *e, u8 v)
{
	*e->p++ = v;
}

static inline void emit32(struct bt_emit *e, u32 v)
{
	bt_put32(e->p, v);
	e->p += 4;
}

static inline void emit_bytes(struct bt_emit *e, const void *bytes, u32 len)
{
	memcpy(e->p, bytes, len);
	e->p += len;
}

/* Record what begins here; a second mark at the same place refines the first. */
static inline void mark(struct bt_emit *e, u8 flags, u8 recover)
{
	struct bt_map *m = e->map + e->nmap;

	if (e->nmap && m[-1].tc == emit_off(e)) {
		m[-1].flags = (m[-1].flags & ~BT_MAP_SITE) | flags;
		m[-1].recover = recover;
		return;
	}
	*m = (struct bt_map){
		.tc = emit_off(e),
		.eip = e->eip - e->unit->eip,
		.flags = flags,
		.recover = recover,
		.len = e->next - e->eip,
	};
	e->nmap++;
}

/* opcode reg, %gs:disp32 - the loads and stores of the monitor page */
static inline void emit_gs(struct bt_emit *e, u8 opcode, u8 reg, u32 disp)
{
	emit8(e, 0x65);
	emit8(e, opcode);
	emit8(e, 0x05 | reg << 3);
	emit32(e, disp);
}

static inline void emit_gs_store(struct bt_emit *e, u8 reg, u32 disp)
{
	if (reg == VMON_EAX) {
		emit8(e, 0x65);
		emit8(e, 0xa3);
		emit32(e, disp);
	} else {
		emit_gs(e, 0x89, reg, disp);
	}
}

static inline void emit_gs_load(struct bt_emit *e, u8 reg, u32 disp)
{
	if (reg == VMON_EAX) {
		emit8(e, 0x65);
		emit8(e, 0xa1);
		emit32(e, disp);
	} else {
		emit_gs(e, 0x8b, reg, disp);
	}
}

static inline void emit_gs_store_imm(struct bt_emit *e, u32 disp, u32 imm)
{
	emit_gs(e, 0xc7, 0, disp);
	emit32(e, imm);
}

static inline void emit_spill(struct bt_emit *e, u8 reg)
{
	emit_gs_store(e, reg, MP_SPILL(reg));
}

static inline void emit_restore(struct bt_emit *e, u8 reg)
{
	emit_gs_load(e, reg, MP_SPILL(reg));
}

static inline void emit_callout_by(struct bt_emit *e, u8 site, u8 vector)
{
	mark(e, site, 0);
	emit8(e, 0xcd);
	emit8(e, vector);
}

static inline void emit_callout(struct bt_emit *e, u8 site)
{
	emit_callout_by(e, site, VMON_BT_VECTOR);
}

/* sequence.c: guest instructions that become several */
void bt_seq_cli(struct bt_emit *e);
void bt_seq_sti(struct bt_emit *e);
void bt_seq_pushf(struct bt_emit *e);
void bt_seq_popf(struct bt_emit *e);
void bt_seq_push_sreg(struct bt_emit *e);
void bt_seq_mov_sreg(struct bt_emit *e);
void bt_seq_mov_cr(struct bt_emit *e);
void bt_seq_invlpg(struct bt_emit *e);
void bt_seq_load_sreg(struct bt_emit *e);
void bt_seq_verw(struct bt_emit *e);
void bt_seq_ret(struct bt_emit *e);
void bt_seq_indirect(struct bt_emit *e, bool call);
void bt_seq_jcc(struct bt_emit *e);
void bt_seq_loop(struct bt_emit *e);
void bt_seq_goto(struct bt_emit *e, u32 target, u8 flags);
void bt_seq_stubs(struct bt_emit *e);

#endif /* VMON_TRANSLATOR_EMIT_H */
