// SPDX-License-Identifier: GPL-2.0
/*
 * Taking translated code apart. The one idea: whatever the guest's bytes were, what
 * was emitted is a list of instructions that is known to be harmless at ring 1. It is
 * read by our own decoder and, so that one mistake is not made twice, by Zydis.
 *
 *  - nothing privileged, sensitive, or for I/O; no transfer but to code of the cache
 *    or by a callout; PUSHF and POPF only for the guest's own, inside their sequences;
 *  - through GS only constant displacements within the monitor page;
 *  - segment registers are loaded from the monitor page only, and never CS, SS, GS;
 *  - the map is in order, never points into an instruction, and every address of the
 *    unit leads to an instruction of the guest's.
 */
#include <Zydis/Zydis.h>

#include "bt_check.h"
#include "emulator/decode.h"
#include "fuzz.h"
#include "switch/monitor_page.h"
#include "translator/emit.h"

FUZZ_NO_COVERAGE_BEGIN

static ZydisDecoder zydis;
static u8 starts[BT_UNIT_ROOM];		/* instruction begins in the unit's code */

void bt_check_init(void)
{
	fuzz_check(ZYAN_SUCCESS(ZydisDecoderInit(&zydis, ZYDIS_MACHINE_MODE_LEGACY_32,
						 ZYDIS_STACK_WIDTH_32)), "Zydis");
}

/* What is being looked at. */
struct place {
	struct vmon_bt *bt;
	const struct bt_unit *u;
	const struct bt_map *m;		/* the entry that covers it */
	u32 off;			/* in the unit's code */
	const u8 *code;
	struct vmon_insn insn;		/* emitted */
	struct vmon_insn guest;		/* the guest's instruction, op INVALID if undefined */
};

static const u8 *code_of(const struct vmon_bt *bt, const struct bt_unit *u)
{
	return bt->host + u->tc;
}

static bool has_gs(const struct vmon_insn *in)
{
	return in->prefix_len && memchr(in->bytes, 0x65, in->prefix_len);
}

static bool in_mpage(u32 disp, u32 size)
{
	return disp + size <= sizeof(struct vmon_mpage) && disp + size > disp;
}

/* IRET and SYSEXIT leave by vectors of their own, everything else by the common one. */
static bool callout_vector(const struct place *p, u8 vector)
{
	switch (vector) {
	case VMON_BT_VECTOR:
		return true;
	case VMON_BT_IRET_VECTOR:
		return p->guest.op == VMON_OP_IRET && p->guest.opsize == 4;
	case VMON_BT_SYSEXIT_VECTOR:
		return p->guest.op == VMON_OP_SYSEXIT;
	default:
		return false;
	}
}

/* Does the emitted instruction do to memory what %gs would be used for? */
static bool touches_memory(const struct vmon_insn *in)
{
	unsigned int i;

	if (in->flags & (VMON_I_MEM_R | VMON_I_MEM_W | VMON_I_STRING) || in->op == VMON_OP_XLAT)
		return true;
	for (i = 0; i < 3; i++)
		if (in->opnd[i].kind == VMON_OPND_MEM)
			return in->op != VMON_OP_LEA && in->op != VMON_OP_NOP;
	return false;
}

/* A load of ES, DS or FS from a slot of the monitor page. */
static bool way_load(const struct vmon_insn *in)
{
	u32 disp = in->disp, at;
	u8 sreg = in->opnd[0].reg;

	if (in->op != VMON_OP_MOV_SEG || in->opnd[0].kind != VMON_OPND_SREG || !has_gs(in) ||
	    in->opnd[1].kind != VMON_OPND_MEM || in->base != VMON_NO_REG ||
	    in->index != VMON_NO_REG)
		return false;
	if (sreg != VMON_ES && sreg != VMON_DS && sreg != VMON_FS)
		return false;
	at = disp - offsetof(struct vmon_mpage, way[sreg]);
	return at < sizeof(((struct vmon_mpage *)0)->way[0]) &&
	       at % sizeof(struct vmon_seg_way) == offsetof(struct vmon_seg_way, slot);
}

/* VERW of the monitor's own selector, for the guest's. */
static bool own_verw(const struct place *p)
{
	const struct vmon_insn *in = &p->insn;

	return in->op == VMON_OP_VERW && p->guest.op == VMON_OP_VERW && has_gs(in) &&
	       in->opnd[0].kind == VMON_OPND_MEM && in->base == VMON_NO_REG &&
	       in->index == VMON_NO_REG && (u32)in->disp == offsetof(struct vmon_mpage, verw);
}

static bool guest_loads_segment(const struct vmon_insn *guest)
{
	return (guest->op == VMON_OP_MOV_SEG || guest->op == VMON_OP_POP) &&
	       guest->opnd[0].kind == VMON_OPND_SREG;
}

#define bad(p, text)									\
	fuzz_check(0, text ": guest %#x (%s), code at %#x: %02x %02x %02x %02x %02x %02x (%s)", \
		   (p)->u->eip + (p)->m->eip, vmon_op_name((p)->guest.op), (p)->off,	\
		   (p)->code[0], (p)->code[1], (p)->code[2], (p)->code[3], (p)->code[4],	\
		   (p)->code[5], vmon_op_name((p)->insn.op))

static void check_gs(const struct place *p)
{
	const struct vmon_insn *in = &p->insn;

	if (!has_gs(in) || !touches_memory(in))
		return;
	if (in->base != VMON_NO_REG || in->index != VMON_NO_REG || in->adsize != 4 ||
	    in->disp_size != 4 || in->seg != VMON_GS || in->flags & VMON_I_STRING)
		bad(p, "address through GS is not constant");
	if (!in_mpage(in->disp, 4))
		bad(p, "address through GS is not in the monitor page");
}

/* A target of a direct jump: in this unit an instruction, else the start of a live unit. */
static void check_target(const struct place *p, u32 target)
{
	u32 offset = p->u->tc + target, n;

	if (target < p->u->tc_len) {
		if (!starts[target])
			bad(p, "jump into an instruction");
		return;
	}
	n = bt_find_tc(p->bt, offset);
	if (!n || p->bt->units[n].tc != offset)
		bad(p, "jump to no unit");
	if (p->bt->units[n].dead)
		bad(p, "jump to an invalidated unit");
}

static void check_transfer(const struct place *p)
{
	const struct vmon_insn *in = &p->insn;

	switch (in->op) {
	case VMON_OP_JCC:
	case VMON_OP_LOOP:
	case VMON_OP_LOOPE:
	case VMON_OP_LOOPNE:
	case VMON_OP_JCXZ:
		if (in->opsize != 4)
			bad(p, "16-bit jump");
		check_target(p, p->off + in->len + in->imm);
		return;
	case VMON_OP_JMP:
		if (in->opsize != 4)
			bad(p, "16-bit jump");
		if (in->opnd[0].kind == VMON_OPND_REL)
			check_target(p, p->off + in->len + in->imm);
		else if (!has_gs(in) || (u32)in->disp != offsetof(struct vmon_mpage, target))
			bad(p, "indirect jump");
		return;
	case VMON_OP_INT:
		if (in->len != 2 || !callout_vector(p, in->imm))
			bad(p, "software interrupt");
		if (p->u->tc + p->off != p->u->tc + p->m->tc ||
		    (p->m->flags & BT_MAP_SITE) == VMON_BT_COPY)
			bad(p, "callout that the map does not know");
		return;
	default:
		bad(p, "transfer");
	}
}

static void check_ours(const struct place *p)
{
	const struct vmon_insn *in = &p->insn;

	if (in->flags & (VMON_I_IO | VMON_I_IOPL))
		bad(p, "I/O or interrupt flag");
	if (in->flags & VMON_I_BRANCH) {
		check_transfer(p);
		return;
	}
	switch (in->op) {
	case VMON_OP_PUSHF:
	case VMON_OP_POPF:
		if (p->guest.op != in->op)
			bad(p, "flags");
		return;
	case VMON_OP_RDTSC:
		return;
	case VMON_OP_VERW:
		if (!own_verw(p))
			bad(p, "query of a selector");
		return;
	case VMON_OP_MOV_SEG:
		if (!way_load(in) || !guest_loads_segment(&p->guest) ||
		    p->guest.opnd[0].reg != in->opnd[0].reg)
			bad(p, "segment register");
		return;
	}
	if (in->flags & (VMON_I_PRIV | VMON_I_SENSITIVE | VMON_I_SEGLOAD))
		bad(p, "privileged or sensitive");
}

/* The same by names alone, as Zydis has them. */
static bool zydis_forbids(const ZydisDecodedInstruction *z, const struct place *p)
{
	switch (z->mnemonic) {
	case ZYDIS_MNEMONIC_RDTSC:
	case ZYDIS_MNEMONIC_ARPL:
	case ZYDIS_MNEMONIC_BOUND:	/* a fault, which is reflected */
		return false;
	case ZYDIS_MNEMONIC_CPUID:
	case ZYDIS_MNEMONIC_CLI:
	case ZYDIS_MNEMONIC_STI:
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_STAC:
	case ZYDIS_MNEMONIC_CLAC:
	case ZYDIS_MNEMONIC_RDPID:
	case ZYDIS_MNEMONIC_RDPRU:
	case ZYDIS_MNEMONIC_SERIALIZE:
		return true;
	case ZYDIS_MNEMONIC_VERW:
		return !own_verw(p);
	case ZYDIS_MNEMONIC_PUSHF:
	case ZYDIS_MNEMONIC_PUSHFD:
		return p->guest.op != VMON_OP_PUSHF;
	case ZYDIS_MNEMONIC_POPF:
	case ZYDIS_MNEMONIC_POPFD:
		return p->guest.op != VMON_OP_POPF;
	case ZYDIS_MNEMONIC_INT:
		return p->code[0] != 0xcd || !callout_vector(p, p->code[1]);
	default:
		break;
	}
	switch (z->meta.category) {
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
	case ZYDIS_CATEGORY_SEGOP:
	case ZYDIS_CATEGORY_XSAVE:
	case ZYDIS_CATEGORY_XSAVEOPT:
	case ZYDIS_CATEGORY_VTX:
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
		return true;
	default:
		return false;
	}
}

static bool zydis_register_bad(const ZydisDecodedOperand *o, const struct place *p)
{
	if (o->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
		return false;
	switch (ZydisRegisterGetClass(o->reg.value)) {
	case ZYDIS_REGCLASS_SEGMENT:
		return !way_load(&p->insn) && p->insn.op != VMON_OP_NOP;
	case ZYDIS_REGCLASS_CONTROL:
	case ZYDIS_REGCLASS_DEBUG:
	case ZYDIS_REGCLASS_TEST:
	case ZYDIS_REGCLASS_TABLE:
		return true;
	default:
		return false;
	}
}

static void check_zydis(const struct place *p)
{
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction z;
	unsigned int i;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&zydis, p->code, VMON_INSN_MAX, &z, operand)))
		return;
	if (z.length != p->insn.len)
		bad(p, "Zydis sees another length");
	if (zydis_forbids(&z, p))
		bad(p, "Zydis sees something sensitive");
	for (i = 0; i < z.operand_count; i++) {
		const ZydisDecodedOperand *o = &operand[i];

		if (zydis_register_bad(o, p))
			bad(p, "Zydis sees a system register");
		if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->mem.segment != ZYDIS_REGISTER_GS ||
		    o->mem.type != ZYDIS_MEMOP_TYPE_MEM || p->insn.op == VMON_OP_NOP)
			continue;
		if (o->mem.base != ZYDIS_REGISTER_NONE || o->mem.index != ZYDIS_REGISTER_NONE ||
		    !in_mpage(o->mem.disp.value, o->size / 8))
			bad(p, "Zydis sees an address through GS");
	}
}

/* The guest's instruction at @eip of a live unit. Return: its length, 1 if undefined. */
static unsigned int guest_insn(u32 eip, struct vmon_insn *in)
{
	u8 bytes[VMON_INSN_MAX];
	unsigned int n = guest_bytes(eip, bytes, sizeof(bytes));

	if (!n || vmon_decode(in, bytes, n, true)) {
		memset(in, 0, sizeof(*in));
		return 1;
	}
	return in->len;
}

static bool ends_in_callout(const struct vmon_bt *bt, const struct bt_unit *u)
{
	const struct bt_map *m = bt->map + u->map + u->nbody - 1;

	return (m->flags & BT_MAP_SITE) == VMON_BT_EMULATE && m->eip == u->len - 1 && m->len == 1;
}

/* Every boundary of the map is one of the guest's, and none is missing. */
static void check_guest_side(const struct vmon_bt *bt, const struct bt_unit *u)
{
	static u8 begins[BT_UNIT_ROOM];
	const struct bt_map *map = bt->map + u->map;
	struct vmon_insn in;
	unsigned int i, last = 0, at = 0;

	fuzz_check(u->len && u->len < sizeof(begins), "%u guest bytes", u->len);
	memset(begins, 0, u->len + 1u);
	while (at < u->len) {
		begins[at] = 1;
		last = at;
		at += guest_insn(u->eip + at, &in);
	}
	/*
	 * An undefined instruction counts as its first byte. What follows that may change,
	 * for it is a callout: the emulator reads it anew.
	 */
	fuzz_check(at == u->len || (last == u->len - 1u && ends_in_callout(bt, u)),
		   "unit at %#x: ends inside an instruction", u->eip);
	begins[u->len] = 1;	/* the way on */
	for (i = 0; i < u->nmap; i++) {
		fuzz_check(map[i].eip <= u->len && begins[map[i].eip],
			   "unit at %#x: entry %u at guest %#x is no instruction", u->eip, i,
			   u->eip + map[i].eip);
		if (i < u->nbody && map[i].flags & BT_MAP_BOUNDARY && map[i].eip < u->len)
			begins[map[i].eip] = 2;
	}
	for (i = 0; i < u->len; i++)
		fuzz_check(begins[i] != 1, "unit at %#x: no boundary at %#x", u->eip, u->eip + i);
	for (i = 0; i < u->npages; i++)
		fuzz_check(u->gfn[i] == guest_gfn((u->eip & ~0xfffu) + i * 0x1000),
			   "unit at %#x: page %u is another frame", u->eip, i);
}

static void check_map(const struct vmon_bt *bt, const struct bt_unit *u)
{
	const struct bt_map *map = bt->map + u->map;
	unsigned int i;

	fuzz_check(u->nmap && !map[0].tc && u->nbody <= u->nmap, "unit at %#x: map", u->eip);
	for (i = 0; i < u->nmap; i++) {
		fuzz_check(map[i].tc < u->tc_len, "unit at %#x: entry %u outside", u->eip, i);
		if (!i)
			continue;
		fuzz_check(map[i].tc > map[i - 1].tc, "unit at %#x: map not in order", u->eip);
		fuzz_check(i >= u->nbody || map[i].eip >= map[i - 1].eip,
			   "unit at %#x: guest addresses not in order", u->eip);
	}
}

static void check_locate(struct vmon_bt *bt, const struct bt_unit *u)
{
	struct vmon_bt_pos pos;
	unsigned int i;

	for (i = 0; i < u->tc_len; i++) {
		fuzz_check(!vmon_bt_locate(bt, bt->base + u->tc + i, &pos),
			   "unit at %#x: no position at %#x", u->eip, i);
		fuzz_check(pos.site == VMON_BT_CHAIN || pos.eip - u->eip <= u->len,
			   "unit at %#x: %#x leads to %#x", u->eip, i, pos.eip);
	}
}

static bool is_chain(const struct bt_map *m, u32 off)
{
	return m->tc == off && (m->flags & BT_MAP_SITE) == VMON_BT_CHAIN;
}

/* A patched site leads to the live unit of its target, and that one knows of it. */
static void check_chain(const struct place *p)
{
	const struct bt_chain *c = (const void *)p->code;
	u32 site = p->u->tc + p->off, n, link;

	if (c->code[0] == 0xcd && c->code[1] == VMON_BT_VECTOR)
		return;
	if (c->code[0] != 0xe9)
		bad(p, "chain site");
	n = bt_find_start(p->bt, bt_get32(c->target));
	if (!n || p->bt->units[n].tc != site + 5 + bt_get32(c->code + 1))
		bad(p, "chain to another unit than its target's");
	for (link = p->bt->units[n].links; link; link = p->bt->links[link].next)
		if (p->bt->links[link].site == site)
			return;
	bad(p, "chain that its target does not know of");
}

/* The chain sites of a unit, and the conditional jumps that lead to them or past them. */
static void check_exits(struct vmon_bt *bt, const struct bt_unit *u)
{
	struct place p = { .bt = bt, .u = u };
	unsigned int i;
	u32 from, to;

	for (i = 0; i < u->nmap; i++) {
		const struct bt_chain *c;

		p.m = bt->map + u->map + i;
		if ((p.m->flags & BT_MAP_SITE) != VMON_BT_CHAIN)
			continue;
		p.off = p.m->tc;
		p.code = code_of(bt, u) + p.off;
		c = (const void *)p.code;
		check_chain(&p);
		from = bt_get32(c->from);
		if (!from)
			continue;
		to = u->tc + p.off;
		if (c->code[0] == 0xe9)
			to += 5 + bt_get32(c->code + 1);
		if (from + 4 + bt_get32(bt->host + from) != to)
			bad(&p, "conditional jump to elsewhere than its chain site");
	}
}

/* First where instructions begin, then what they are. */
static void walk(struct vmon_bt *bt, const struct bt_unit *u, bool look)
{
	struct place p = { .bt = bt, .u = u, .m = bt->map + u->map };
	const struct bt_map *end = bt->map + u->map + u->nmap;
	u32 guest_at = ~0u;

	for (p.off = 0; p.off < u->tc_len;) {
		while (p.m + 1 < end && p.m[1].tc <= p.off)
			p.m++;
		p.code = code_of(bt, u) + p.off;
		starts[p.off] = 1;
		if (!u->dead && guest_at != p.m->eip) {
			guest_at = p.m->eip;
			guest_insn(u->eip + guest_at, &p.guest);
		}
		if (is_chain(p.m, p.off)) {
			if (look)
				check_chain(&p);
			p.off += sizeof(struct bt_chain);
			continue;
		}
		if (vmon_decode(&p.insn, p.code, VMON_INSN_MAX, true))
			bad(&p, "no instruction");
		if (p.m + 1 < end && p.m[1].tc < p.off + p.insn.len)
			bad(&p, "the map points into an instruction");
		if (look) {
			check_gs(&p);
			if (u->dead)
				p.guest.op = p.insn.op;	/* its bytes are gone */
			else
				check_ours(&p);
			check_zydis(&p);
		}
		p.off += p.insn.len;
	}
	if (p.off != u->tc_len)
		bad(&p, "the last instruction is cut");
}

void bt_check_unit(struct vmon_bt *bt, u32 n)
{
	const struct bt_unit *u = &bt->units[n];

	check_map(bt, u);
	if (!u->dead) {
		check_guest_side(bt, u);
		check_locate(bt, u);
	}
	memset(starts, 0, u->tc_len);
	walk(bt, u, false);
	walk(bt, u, true);
}

/* Entries that lead somewhere lead to the start of a live unit for that address. */
static void check_lut(struct vmon_bt *bt)
{
	const struct bt_lut *lut = (const void *)bt->host;
	const u64 *both = (const void *)bt->host;
	u32 i, n, eip;

	for (i = 0; i < BT_LUT_ENTRIES; i++) {
		if (!both[i] && i > 1)
			continue;
		eip = -lut[i].neg;
		if (!lut[i].tc) {
			fuzz_check(lut[i].neg == (i < 2), "empty entry %#x matches %#x", i, eip);
			continue;
		}
		n = bt_find_start(bt, eip);
		fuzz_check(n && bt->base + bt->units[n].tc == lut[i].tc && !bt->units[n].dead,
			   "entry %#x for %#x leads elsewhere", i, eip);
		fuzz_check((u16)eip == i || (u16)eip == i - 1, "entry %#x for %#x", i, eip);
	}
}

void bt_check_cache(struct vmon_bt *bt)
{
	u32 n, live = 0;

	for (n = 1; n <= bt->nunits; n++) {
		const struct bt_unit *u = &bt->units[n];

		check_exits(bt, u);
		live += !u->dead;
		if (!u->dead)
			check_guest_side(bt, u);
	}
	fuzz_check(live == bt->live, "%u live units, counted %u", live, bt->live);
	check_lut(bt);
}

FUZZ_NO_COVERAGE_END
