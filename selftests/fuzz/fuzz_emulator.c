// SPDX-License-Identifier: GPL-2.0
/*
 * The emulator in any mode, on any descriptors, page tables and code, step after step
 * with its events delivered. What must hold whatever the guest does:
 *
 *  - memory is touched only inside a segment or system table that the CPU has before
 *    or after the instruction, and from ring 3 without the user bit only in tables;
 *  - a fault leaves the state as it was;
 *  - mode, privilege level, flags and segments always make a CPU that can exist, and
 *    one that VCPU_SET accepts. It may begin with any that VCPU_SET accepts.
 */
#include <errno.h>

#include "emu_fixture.h"
#include "fuzz.h"
#include "netlink/regs.h"

#define STEPS		24u
#define CODE_MAX	96u
#define ACCESSES	2048u
#define PAGE_DIR	0xb0000u
#define PAGE_TABLE	0xb4000u	/* four, for the 4 MiB at 0 (two with PAE) */
#define PDPT		0xbf000u
#define EFLAGS_RESERVED	0xffc08028u

struct access {
	u32 gva;
	u16 len;
	u8 acc;
};

static struct access seen[ACCESSES];
static unsigned int nr_seen;
static struct fuzz_in *input;
static unsigned int retries, races;
/* SYSEXIT does not look at the data segments, nor does an owner: ring 3 may have any then. */
static bool ring3_rules;

static void note(u32 gva, unsigned int len, unsigned int acc)
{
	fuzz_check(len >= 1 && len <= 512, "access of %u bytes", len);
	fuzz_check(!(acc & ~(VMON_ACC_W | VMON_ACC_U | VMON_ACC_X)), "access %#x", acc);
	if (nr_seen < ACCESSES)
		seen[nr_seen++] = (struct access){ gva, len, acc };
}

static int do_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len, unsigned int acc)
{
	note(gva, len, acc);
	return fx_read(e, gva, buf, len, acc);
}

static int do_write(struct vmon_emu *e, u32 gva, const void *buf, unsigned int len,
		    unsigned int acc)
{
	note(gva, len, acc);
	fuzz_check(acc & VMON_ACC_W, "a write that does not say so");
	return fx_write(e, gva, buf, len, acc);
}

/* Another processor may have been faster, a few times. */
static int do_cmpxchg(struct vmon_emu *e, u32 gva, void *old, const void *new, unsigned int len,
		      unsigned int acc)
{
	u8 now[8];
	int ret;

	fuzz_check(len == 1 || len == 2 || len == 4 || len == 8, "exchange of %u bytes", len);
	note(gva, len, acc);
	ret = fx_read(e, gva, now, len, acc);
	if (ret)
		return ret;
	if (races && (fuzz_u8(input) & 3) == 1) {
		races--;
		now[0] ^= 0x11;
		ret = fx_write(e, gva, now, len, acc);
		if (ret)
			return ret;
	}
	if (!memcmp(now, old, len))
		ret = fx_write(e, gva, new, len, acc);
	memcpy(old, now, len);
	return ret;
}

static bool wants_retry(void)
{
	if (!retries || (fuzz_u8(input) & 3) != 1)
		return false;
	retries--;
	return true;
}

static int do_in(struct vmon_emu *e, u16 port, unsigned int len, u32 *val)
{
	fuzz_check(len == 1 || len == 2 || len == 4, "port access of %u bytes", len);
	if (wants_retry())
		return VMON_EMU_RETRY;
	*val = fuzz_u8(input) * 0x01010101u;
	return VMON_EMU_OK;
}

static int do_out(struct vmon_emu *e, u16 port, unsigned int len, u32 val)
{
	fuzz_check(len == 1 || len == 2 || len == 4, "port access of %u bytes", len);
	return wants_retry() ? VMON_EMU_RETRY : VMON_EMU_OK;
}

static const struct vmon_emu_ops fuzz_ops = {
	.read = do_read, .write = do_write, .cmpxchg = do_cmpxchg, .in = do_in, .out = do_out,
	.cpuid = fx_cpuid, .rdmsr = fx_rdmsr, .wrmsr = fx_wrmsr, .tsc = fx_tsc,
	.set_cr = fx_set_cr, .invlpg = fx_invlpg,
};

/* --- the machine to begin with --- */

static void start_vm86(struct fuzz_in *in)
{
	unsigned int i;

	fx_cpu.eflags |= VMON_FL_VM | (fuzz_u8(in) & 3) << 12;
	fx_cpu.cpl = 3;
	for (i = 0; i < VMON_NR_SREGS; i++)
		fx_cpu.seg[i] = (struct vmon_seg){
			.sel = 0x1000 * (i + 1), .base = 0x10000 * (i + 1),
			.limit = 0xffff, .attr = 0xf3,
		};
	fx_cpu.eip = 0;
	fx_cpu.seg[VMON_CS].sel = FX_CODE >> 4;
	fx_cpu.seg[VMON_CS].base = FX_CODE;
	fx_cpu.gpr[VMON_ESP] = 0x8000;
}

static void start_paging(struct fuzz_in *in, bool pae)
{
	unsigned int i, at, k;
	u8 patch;

	for (i = 0; i < 4096; i++)
		if (pae && i < 1024)
			fx_put32(PAGE_TABLE + i * 8, i << 12 | 7);
		else if (!pae && i < 1024)
			fx_put32(PAGE_TABLE + i * 4, i << 12 | 7);
	for (i = 0; i < 2; i++)
		fx_put32(PAGE_DIR + i * 8, (PAGE_TABLE + i * 0x1000) | 7);
	if (!pae)
		fx_put32(PAGE_DIR + 4, PAGE_TABLE | 7);
	fx_put32(PDPT, PAGE_DIR | 1);
	for (k = fuzz_u8(in) % 8; k; k--) {
		at = fuzz_u8(in);	/* a page of RAM */
		patch = fuzz_u8(in);
		fx_ram[PAGE_TABLE + at * (pae ? 8 : 4)] ^= patch & 0xe7;
		if (pae && patch & 0x10)
			fx_ram[PAGE_TABLE + at * 8 + 7] ^= 0x80;
	}
	fx_cpu.cr3 = pae ? PDPT : PAGE_DIR;
	fx_cpu.cr4 |= pae ? VMON_CR4_PAE : 0;
	fx_cpu.efer = pae ? VMON_EFER_NX : 0;
	fx_cpu.cr0 |= VMON_CR0_PG | (fuzz_u8(in) & 1 ? VMON_CR0_WP : 0);
	if (pae)
		vmon_walk_load_pdptrs(&fx_cpu, &fx_phys, NULL);
}

static void load_segments(struct fuzz_in *in, unsigned int ring)
{
	static const u16 user[] = { FX_DATA3, FX_DOWN | 3, FX_SMALL, FX_EXECONLY, FX_RODATA };
	static const u16 system[] = { FX_DATA0, FX_DOWN, FX_SMALL & ~3, FX_CODE16, FX_DATA1 & ~3 };
	static const u8 which[] = { VMON_DS, VMON_ES, VMON_FS, VMON_GS };
	unsigned int i, pick = fuzz_u8(in);

	for (i = 0; i < 4; i++, pick >>= 2)
		if (pick & 3)
			fx_load(which[i], ring == 3 ? user[fuzz_u8(in) % 5] :
						     system[fuzz_u8(in) % 5]);
}

/* What the tables hold at random: descriptors, gates, a TSS, an LDT. */
static void patch_tables(struct fuzz_in *in)
{
	static const u32 where[] = { FX_GDT, FX_GDT + 0x80, FX_IDT, FX_TSS, FX_TSS2, FX_LDT };
	unsigned int k, at, n;

	for (k = fuzz_u8(in) % 6; k; k--) {
		at = where[fuzz_u8(in) % 6] + (fuzz_u8(in) & 0xf8);
		n = 1 + fuzz_u8(in) % 8;
		fuzz_bytes(in, fx_ram + at + fuzz_u8(in) % 8, n);
	}
}

static u32 any_value(struct fuzz_in *in)
{
	static const u32 near[] = {
		0, 1, FX_CODE, FX_STACK0, FX_DATA, FX_RAM - 1, 0xffff, 0x7fffffff, 0x80000000,
		0xfffffff0, 0xffffffff, FX_TSS, FX_GDT, 0x10, 0x3ffff, FX_DATA + 0xffe,
	};
	u8 b = fuzz_u8(in);

	return b & 0x80 ? fuzz_u32(in) : near[b & 15] + (b >> 4);
}

/* A CPU as an owner may set it: mostly the present one, with changes. */
static bool set_registers(struct fuzz_in *in)
{
	struct vmon_regs r;
	unsigned int k, at;

	vmon_regs_get(&fx_cpu, &r);
	for (k = fuzz_u8(in) % 8; k; k--) {
		at = fuzz_u8(in) % sizeof(r);
		((u8 *)&r)[at] ^= fuzz_u8(in);
	}
	if (vmon_regs_refusal(&r))
		return false;
	/* Such a mode may begin with what no load makes, and keeps parts of it. */
	for (at = 0; at < VMON_NR_SREGS; at++)
		if ((!(r.cr0 & VMON_CR0_PE) || r.eflags & VMON_FL_VM) &&
		    !(r.seg[at].attr & VMON_SEG_P))
			return false;
	vmon_regs_set(&fx_cpu, &r);
	return true;
}

static void start(struct fuzz_in *in)
{
	unsigned int mode = fuzz_u8(in), i, pick = fuzz_u8(in);
	u32 at, n;

	fx_init();
	fx_emu.ops = &fuzz_ops;
	fx_cpu.seg[VMON_LDTR] = (struct vmon_seg){
		.base = FX_LDT, .limit = 0x1f, .sel = FX_LDTR, .attr = 0x82,
	};
	switch (mode & 7) {
	case 0:
	case 1:
		load_segments(in, 0);
		break;
	case 2:
	case 3:
		fx_ring(3);
		load_segments(in, 3);
		fx_cpu.eflags |= (fuzz_u8(in) & 3) << 12;
		fx_cpu.cr0 |= fuzz_u8(in) & 1 ? VMON_CR0_AM : 0;
		break;
	case 4:
		fx_ring(1);
		break;
	case 5:
		fx_load(VMON_CS, FX_CODE16);
		fx_cpu.eip = 0x8000;
		load_segments(in, 0);
		break;
	case 6:
		start_vm86(in);
		break;
	default:
		vmon_cpu_reset(&fx_cpu);
		fx_cpu.seg[VMON_CS].base = FX_CODE;
		fx_cpu.seg[VMON_CS].sel = FX_CODE >> 4;
		fx_cpu.eip = 0;
	}
	for (i = 0; i < 8; i++)
		if (pick & 1u << i)
			fx_cpu.gpr[i] = any_value(in);
	fx_cpu.eflags |= fuzz_u16(in) & (VMON_FL_ARITH | VMON_FL_DF | VMON_FL_IF | VMON_FL_NT |
					 VMON_FL_TF);
	fx_cpu.eflags |= (fuzz_u8(in) & 3) << 16 & (VMON_FL_RF | VMON_FL_AC);
	patch_tables(in);
	if (mode & 0x08 && (mode & 7) != 7)
		start_paging(in, mode & 0x10);
	ring3_rules = !(mode & 0x80) || !set_registers(in);
	retries = mode & 0x20 ? 4 : 0;
	races = mode & 0x40 ? 3 : 0;
	at = fx_cpu.seg[VMON_CS].base + fx_cpu.eip;
	n = fuzz_u8(in) % CODE_MAX;
	if (at <= FX_RAM - CODE_MAX)
		fuzz_bytes(in, fx_ram + at, n);
}

/* --- what must hold --- */

static bool inside(u32 base, u32 limit, u32 gva, u32 len)
{
	u32 off = gva - base;

	return limit == ~0u || (u64)off + len - 1 <= limit;
}

/* Only protected mode looks whether a segment is present. */
static bool usable(const struct vmon_cpu *c, const struct vmon_seg *s)
{
	return (s->attr & VMON_SEG_P) || !(c->cr0 & VMON_CR0_PE) || (c->eflags & VMON_FL_VM);
}

static bool inside_seg(const struct vmon_cpu *c, const struct vmon_seg *s, u32 gva, u32 len)
{
	u32 off = gva - s->base, top = s->attr & VMON_SEG_DB ? ~0u : 0xffff;
	bool down = (s->attr & (VMON_SEG_S | VMON_SEG_CODE | VMON_SEG_EC)) ==
		    (VMON_SEG_S | VMON_SEG_EC);

	if (!usable(c, s))
		return false;
	if (down)
		return off > s->limit && (u64)off + len - 1 <= top;
	return inside(s->base, s->limit, gva, len);
}

/* A segment to fetch from is never taken for expand-down, whatever an owner has set. */
static bool inside_code(const struct vmon_cpu *c, u32 gva, u32 len)
{
	const struct vmon_seg *cs = &c->seg[VMON_CS];

	return usable(c, cs) && inside(cs->base, cs->limit, gva, len);
}

static bool in_tables(const struct vmon_cpu *c, u32 gva, u32 len)
{
	return inside(c->gdtr.base, c->gdtr.limit, gva, len) ||
	       inside(c->idtr.base, c->idtr.limit, gva, len) ||
	       inside_seg(c, &c->seg[VMON_LDTR], gva, len) ||
	       inside_seg(c, &c->seg[VMON_TR], gva, len);
}

static bool in_segments(const struct vmon_cpu *c, u32 gva, u32 len)
{
	unsigned int i;

	for (i = 0; i < VMON_NR_SREGS; i++)
		if (inside_seg(c, &c->seg[i], gva, len))
			return true;
	return inside_code(c, gva, len);
}

/* The accesses of an instruction or delivery that has been completed. */
static void check_accesses(const struct vmon_cpu *before)
{
	const struct vmon_cpu *after = &fx_cpu;
	unsigned int i;

	for (i = 0; i < nr_seen; i++) {
		const struct access *a = &seen[i];
		bool table = in_tables(before, a->gva, a->len) || in_tables(after, a->gva, a->len);

		fuzz_check(table || in_segments(before, a->gva, a->len) ||
			   in_segments(after, a->gva, a->len),
			   "%s touches %#x, %u bytes, in no segment",
			   vmon_op_name(fx_emu.insn.op), a->gva, a->len);
		fuzz_check(!(a->acc & VMON_ACC_X) ||
			   inside_code(before, a->gva, a->len),
			   "fetch at %#x beyond CS", a->gva);
		if (before->cpl == 3 && after->cpl == 3 && !(a->acc & VMON_ACC_U))
			fuzz_check(table, "%s: ring 3 touches %#x as the system",
				   vmon_op_name(fx_emu.insn.op), a->gva);
	}
}

static void check_segment(const struct vmon_seg *s, unsigned int i)
{
	fuzz_check(!(s->attr & 0x0f00), "segment %u: attributes %#x", i, s->attr);
	if (!(s->attr & VMON_SEG_P))
		return;
	fuzz_check(s->attr & VMON_SEG_G ? (s->limit & 0xfff) == 0xfff : s->limit <= 0xfffff,
		   "segment %u: limit %#x with attributes %#x", i, s->limit, s->attr);
}

/* SDM vol. 3, 5.5 and 5.6: what ring 3 may hold. */
static void check_ring3(const struct vmon_cpu *c)
{
	static const u8 which[] = { VMON_ES, VMON_DS, VMON_FS, VMON_GS };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		const struct vmon_seg *s = &c->seg[which[i]];
		bool conforming = (s->attr & (VMON_SEG_CODE | VMON_SEG_EC)) ==
				  (VMON_SEG_CODE | VMON_SEG_EC);

		fuzz_check(!(s->attr & VMON_SEG_P) || vmon_seg_dpl(s) == 3 || conforming,
			   "%s leaves ring 3 with segment %u of ring %u",
			   vmon_op_name(fx_emu.insn.op), which[i], vmon_seg_dpl(s));
	}
}

static void check_cpu(const struct vmon_cpu *c, bool ring3)
{
	const char *op = vmon_op_name(fx_emu.insn.op);
	const struct vmon_seg *cs = &c->seg[VMON_CS], *ss = &c->seg[VMON_SS];
	unsigned int i;

	fuzz_check(c->eflags & VMON_FL_FIXED && !(c->eflags & EFLAGS_RESERVED), "%s: flags %#x",
		   op, c->eflags);
	fuzz_check(c->cpl <= 3 && c->shadow <= 2, "%s: CPL %u, shadow %u", op, c->cpl, c->shadow);
	fuzz_check(!(c->cr0 & VMON_CR0_PG) || c->cr0 & VMON_CR0_PE, "%s: PG without PE", op);
	fuzz_check(!(c->cr0 & VMON_CR0_NW) || c->cr0 & VMON_CR0_CD, "%s: NW without CD", op);
	fuzz_check(!(c->cr4 & ~VMON_CR4_GUEST), "%s: CR4 %#x", op, c->cr4);
	fuzz_check(!(c->efer & ~VMON_EFER_NX), "%s: EFER %#llx", op, c->efer);
	for (i = 0; i < VMON_NR_SEGS; i++)
		check_segment(&c->seg[i], i);
	if (!(c->cr0 & VMON_CR0_PE)) {
		fuzz_check(!c->cpl && !(c->eflags & VMON_FL_VM), "%s: real mode at ring %u", op,
			   c->cpl);
		return;
	}
	if (c->eflags & VMON_FL_VM) {
		fuzz_check(c->cpl == 3, "%s: virtual-8086 mode at ring %u", op, c->cpl);
		return;
	}
	fuzz_check(cs->attr & VMON_SEG_P, "%s: CS is not present", op);
	fuzz_check(!(ss->attr & VMON_SEG_P) || vmon_seg_dpl(ss) == c->cpl,
		   "%s: ring %u with the stack of ring %u", op, c->cpl, vmon_seg_dpl(ss));
	if (c->cpl == 3 && ring3)
		check_ring3(c);
}

static bool undone(const struct vmon_cpu *a, const struct vmon_cpu *b)
{
	bool rep = fx_emu.insn.flags & VMON_I_STRING;

	return a->eip == b->eip && a->eflags == b->eflags && a->cpl == b->cpl &&
	       (rep || !memcmp(a->gpr, b->gpr, sizeof(a->gpr))) &&
	       !memcmp(a->seg, b->seg, sizeof(a->seg)) && a->cr0 == b->cr0 && a->cr3 == b->cr3 &&
	       a->cr4 == b->cr4 && a->shadow == b->shadow;
}

static void deliver(const struct vmon_emu_exc *exc)
{
	struct vmon_cpu before = fx_cpu;
	int ret;

	nr_seen = 0;
	ret = vmon_emu_deliver(&fx_emu, exc);
	fuzz_check(ret == VMON_EMU_OK || ret == VMON_EMU_UNSUPPORTED || ret == VMON_EMU_RETRY,
		   "delivery returns %d", ret);
	if (ret == VMON_EMU_OK && !fx_cpu.shutdown && nr_seen < ACCESSES)
		check_accesses(&before);
}

static void step(void)
{
	struct vmon_cpu before = fx_cpu;
	struct vmon_emu_exc exc;
	int ret;

	nr_seen = 0;
	fx_emu.insn.flags = 0;
	ret = vmon_emulate(&fx_emu);
	fuzz_check(ret >= VMON_EMU_OK && ret <= VMON_EMU_UNSUPPORTED, "result %d", ret);
	switch (ret) {
	case VMON_EMU_OK:
		check_accesses(&before);
		break;
	case VMON_EMU_FPU:
		fuzz_check(undone(&before, &fx_cpu), "changed before the FPU's part");
		ret = vmon_emu_fpu_done(&fx_emu);
		break;
	case VMON_EMU_FAULT:
		fuzz_check(fx_emu.exc.trap || fx_emu.keep || undone(&before, &fx_cpu),
			   "%s: vector %u with state changed", vmon_op_name(fx_emu.insn.op),
			   fx_emu.exc.vector);
		break;
	default:
		fuzz_check(undone(&before, &fx_cpu), "%s: result %d with state changed",
			   vmon_op_name(fx_emu.insn.op), ret);
	}
	if (fx_emu.insn.op == VMON_OP_SYSEXIT)
		ring3_rules = false;
	if (ret == VMON_EMU_FAULT) {
		exc = fx_emu.exc;
		deliver(&exc);
	}
}

/* What VCPU_GET gives VCPU_SET takes, but for PAE paging. */
static void check_registers(void)
{
	struct vmon_cpu copy = fx_cpu;
	struct vmon_regs r, again;
	const char *why;

	vmon_regs_get(&fx_cpu, &r);
	if (vmon_pae_paging(&fx_cpu))
		return;
	why = vmon_regs_refusal(&r);
	fuzz_check(!why, "%s", why);
	vmon_regs_set(&copy, &r);
	vmon_regs_get(&copy, &again);
	fuzz_check(!memcmp(&r, &again, sizeof(r)), "registers change on their way");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	unsigned int i;

	input = &in;
	start(&in);
	check_cpu(&fx_cpu, ring3_rules);
	for (i = 0; i < STEPS && !fx_cpu.shutdown && !fx_cpu.halted; i++) {
		if (fx_cpu.eflags & VMON_FL_IF && !fx_cpu.shadow && (fuzz_u8(&in) & 7) == 7)
			deliver(&(struct vmon_emu_exc){ .vector = fuzz_u8(&in) });
		else
			step();
		if (!fx_cpu.shutdown)
			check_cpu(&fx_cpu, ring3_rules);
	}
	if (!fx_cpu.shutdown)
		check_registers();
	return 0;
}
