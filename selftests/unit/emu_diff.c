// SPDX-License-Identifier: GPL-2.0
/*
 * Differential test: the emulator against the real CPU, in 32-bit user mode.
 *
 * Random instructions of the whole integer set with random registers, flags and
 * memory, one at a time, both sides single-stepped. Compared are registers,
 * EIP, flags, memory, and on a fault the vector, error code and CR2.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>

#include "emu_native.h"
#include "emulator/emulate.h"
#include "tap.h"

#define ROUNDS	60000

static u8 image[NATIVE_DATA_SIZE];	/* the emulator's data pages */
static u8 image_before[NATIVE_DATA_SIZE];
static u8 code[0x1000];
static bool mode16;			/* the second mode of emu_native.h */
static bool unsafe;			/* do not try this on the real CPU */
static u64 seed = 1;

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

/* Guest memory: two windows, all else is not present. */
static u8 *locate(u32 gva)
{
	if (gva - NATIVE_DATA < NATIVE_DATA_SIZE)
		return image + (gva - NATIVE_DATA);
	if (gva - NATIVE_CODE < sizeof(code))
		return code + (gva - NATIVE_CODE);
	return NULL;
}

static int check(struct vmon_emu *e, u32 gva, unsigned int len,
		 unsigned int acc)
{
	unsigned int i;

	for (i = 0; i < len; i++) {
		if (locate(gva + i))
			continue;
		if (gva + i >= NATIVE_SAFE_TOP)
			unsafe = true;
		return vmon_emu_page_fault(e, gva + i,
					   acc & VMON_ACC_W ? 6 :
					   acc & VMON_ACC_X ? 0x14 : 4);
	}
	return VMON_EMU_OK;
}

static int op_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
		   unsigned int acc)
{
	u8 *to = buf;
	int ret = check(e, gva, len, acc);

	while (ret == VMON_EMU_OK && len--)
		*to++ = *locate(gva++);
	return ret;
}

static int op_write(struct vmon_emu *e, u32 gva, const void *buf,
		    unsigned int len, unsigned int acc)
{
	const u8 *from = buf;
	int ret = check(e, gva, len, acc);

	/* Code that changes itself is not what is tested here. */
	if (ret == VMON_EMU_OK && gva - NATIVE_CODE < sizeof(code))
		unsafe = true;
	while (ret == VMON_EMU_OK && len--)
		*locate(gva++) = *from++;
	return ret;
}

static const struct vmon_emu_ops ops = { .read = op_read, .write = op_write };

static bool excluded(const struct vmon_insn *insn)
{
	if (insn->flags & (VMON_I_SEGLOAD | VMON_I_FPU))
		return true;
	if (insn->prefixes & VMON_P_SEG && insn->seg >= VMON_FS)
		return true;
	switch (insn->op) {
	case VMON_OP_NOP:	/* 0F 0D with a register: AMD refuses it */
		return insn->map == 1 && insn->opcode == 0x0d &&
		       insn->modrm >= 0xc0;
	case VMON_OP_LOOPE:	/* AMD lets REP prefixes alter the condition */
	case VMON_OP_LOOPNE:
		return insn->prefixes & (VMON_P_REP | VMON_P_REPNE);
	case VMON_OP_INT:
	case VMON_OP_INT1:
	case VMON_OP_JMP_FAR:
	case VMON_OP_CALL_FAR:
	case VMON_OP_RET_FAR:
	case VMON_OP_IRET:
	case VMON_OP_SYSENTER:
	case VMON_OP_SYSEXIT:
	case VMON_OP_SYSCALL:
	case VMON_OP_SYSRET:
	case VMON_OP_LAR ... VMON_OP_LDS:
	case VMON_OP_LGDT ... VMON_OP_SMSW:
	case VMON_OP_RDTSC ... VMON_OP_CPUID:
	case VMON_OP_MONITOR ... VMON_OP_RSM:
	case VMON_OP_FWAIT ... VMON_OP_EMMS:
	case VMON_OP_MOV_CR:
	case VMON_OP_MOV_DR:
	case VMON_OP_IN:
	case VMON_OP_OUT:
	case VMON_OP_INS:
	case VMON_OP_OUTS:
		return true;
	case VMON_OP_MOV_SEG:
		return insn->opnd[0].kind == VMON_OPND_SREG;
	default:
		return false;
	}
}

/* Flags that the manual leaves undefined and flags.c does not take from the CPU. */
static u32 undefined_flags(const struct vmon_insn *insn)
{
	switch (insn->op) {
	case VMON_OP_DIV:
	case VMON_OP_IDIV:
		return VMON_FL_ARITH;
	case VMON_OP_BT:
	case VMON_OP_BTS:
	case VMON_OP_BTR:
	case VMON_OP_BTC:
		return VMON_FL_OF | VMON_FL_SF | VMON_FL_AF | VMON_FL_PF;
	case VMON_OP_TZCNT:
	case VMON_OP_LZCNT:
		return VMON_FL_OF | VMON_FL_SF | VMON_FL_AF | VMON_FL_PF;
	case VMON_OP_AAM:
	case VMON_OP_AAD:
		return VMON_FL_OF | VMON_FL_AF | VMON_FL_CF;
	case VMON_OP_AAA:
	case VMON_OP_AAS:
		return VMON_FL_OF | VMON_FL_SF | VMON_FL_ZF | VMON_FL_PF;
	case VMON_OP_DAA:
	case VMON_OP_DAS:
		return VMON_FL_OF;
	/* By more than one; the forms with CL and with a constant may differ. */
	case VMON_OP_ROL:
	case VMON_OP_ROR:
		return insn->map == 0 && insn->opcode <= 0xc1 ? VMON_FL_OF : 0;
	default:
		return 0;
	}
}

/*
 * Where the manual leaves it to the CPU what is in memory, take what the real one
 * has done over into the emulator's pages; but nothing else than the manual's choices.
 */
static void take_choices(const struct vmon_emu *e, const struct vmon_cpu *before)
{
	unsigned int size = e->insn.opsize, off;
	const u8 *real = (const u8 *)(uintptr_t)NATIVE_DATA;
	u32 val = before->eip + e->insn.len;

	off = mode16 ? (before->gpr[VMON_ESP] - size) & 0xffff :
		       before->gpr[VMON_ESP] - size - NATIVE_DATA;
	if (off > NATIVE_DATA_SIZE - size)
		return;
	/* PUSH of a segment register may leave the upper half of its slot alone. */
	if (e->insn.op == VMON_OP_PUSH && e->insn.opnd[0].kind == VMON_OPND_SREG &&
	    size == 4 && !memcmp(real + off + 2, image_before + off + 2, 2))
		memcpy(image + off + 2, real + off + 2, 2);
	/* CALL may have pushed before it finds that its target is no good. */
	if (e->insn.op == VMON_OP_CALL && e->exc.vector != VMON_EXC_DB &&
	    !memcmp(real + off, &val, size))
		memcpy(image + off, &val, size);
}

static unsigned int random_bytes(u8 *p)
{
	static const u8 prefixes[] = { 0x66, 0x66, 0x66, 0xf3, 0xf2, 0x67,
				       0xf0, 0x3e, 0x36, 0x26 };
	unsigned int n = 0, i;

	while (rnd() % 10 < 3 && n < 3)
		p[n++] = prefixes[rnd() % sizeof(prefixes)];
	if (rnd() % 10 < 4) {
		p[n++] = 0x0f;
		if (rnd() % 16 == 0)
			p[n++] = 0x38;
	}
	for (i = n; i < 16; i++)
		p[i] = rnd();
	return n;
}

static u32 random_value(void)
{
	static const u32 edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000,
				     0xffff, 0x7fffffff, 0x80000000,
				     0xffffffff, 31, 32, 33 };

	switch (rnd() % 4) {
	case 0:
		return edges[rnd() % (ARRAY_SIZE(edges))];
	case 1:
		return rnd() % 256;
	case 2:
		return (mode16 ? 0 : NATIVE_DATA) + rnd() % NATIVE_DATA_SIZE;
	default:
		return rnd();
	}
}

/* Most memory operands shall hit, a few at the edges or beyond them. */
static u32 random_target(void)
{
	u32 base = mode16 ? 0 : NATIVE_DATA;

	if (rnd() % 8 == 0)
		return base + NATIVE_DATA_SIZE - 16 + rnd() % 24;
	return base + 0x800 + rnd() % (NATIVE_DATA_SIZE - 0x1000);
}

static void random_state(struct vmon_cpu *cpu, struct vmon_insn *insn)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		cpu->gpr[i] = random_value();
	cpu->gpr[VMON_ESP] = 0x1000 + rnd() % 64;
	if (mode16)	/* the upper half is not used, but shall survive */
		cpu->gpr[VMON_ESP] |= rnd() << 16;
	else
		cpu->gpr[VMON_ESP] += NATIVE_DATA;
	if (insn->flags & VMON_I_STRING) {
		cpu->gpr[VMON_ESI] = random_target();
		cpu->gpr[VMON_EDI] = random_target();
		cpu->gpr[VMON_ECX] = rnd() % 4;
	}
	if (insn->op == VMON_OP_ENTER || insn->op == VMON_OP_LEAVE)
		cpu->gpr[VMON_EBP] = random_target();
	if ((mode16 || insn->adsize == 4) && insn->base != VMON_NO_REG &&
	    insn->base != VMON_ESP) {
		u32 ea = insn->disp + cpu->gpr[insn->base];

		if (insn->index != VMON_NO_REG)
			ea += cpu->gpr[insn->index] << insn->scale;
		cpu->gpr[insn->base] += random_target() - ea;
	}
	cpu->eflags = (rnd() & (VMON_FL_ARITH | VMON_FL_DF)) |
		      VMON_FL_FIXED | VMON_FL_IF | VMON_FL_TF;
	for (i = 0; i < NATIVE_DATA_SIZE; i += 4) {
		u32 val = rnd() % 8 ? rnd() : random_value();

		memcpy(image + i, &val, 4);
	}
}

static void flat(struct vmon_seg *seg, u16 sel, bool is_code)
{
	seg->sel = sel;
	seg->limit = 0xffffffff;
	seg->attr = VMON_SEG_P | VMON_SEG_S | VMON_SEG_RW | VMON_SEG_A |
		    VMON_SEG_DPL | VMON_SEG_DB | VMON_SEG_G |
		    (is_code ? VMON_SEG_CODE : 0);
}

static void init_cpu16(struct vmon_cpu *cpu)
{
	static const u8 data[] = { VMON_SS, VMON_DS, VMON_ES };
	struct vmon_seg *cs = &cpu->seg[VMON_CS];
	unsigned int i;

	cs->sel = NATIVE_CS16;
	cs->base = NATIVE_CODE;
	cs->limit = 0xfff;
	cs->attr &= ~(VMON_SEG_DB | VMON_SEG_G);
	for (i = 0; i < sizeof(data); i++) {
		struct vmon_seg *seg = &cpu->seg[data[i]];

		seg->sel = NATIVE_SS16;
		seg->base = NATIVE_DATA;
		seg->limit = NATIVE_DATA_SIZE - 1;
		seg->attr &= ~(VMON_SEG_DB | VMON_SEG_G);
	}
	cpu->eip = 0x100;
}

static void init_cpu(struct vmon_cpu *cpu)
{
	vmon_cpu_reset(cpu);
	cpu->cr0 = VMON_CR0_PE | VMON_CR0_ET | VMON_CR0_NE;
	cpu->cpl = 3;
	memset(cpu->seg, 0, sizeof(cpu->seg));
	flat(&cpu->seg[VMON_CS], NATIVE_CS, true);
	flat(&cpu->seg[VMON_SS], NATIVE_SS, false);
	flat(&cpu->seg[VMON_DS], NATIVE_SS, false);
	flat(&cpu->seg[VMON_ES], NATIVE_SS, false);
	cpu->eip = NATIVE_CODE + 0x100;
	if (mode16)
		init_cpu16(cpu);
}

static void explain(const struct vmon_emu *e, const struct vmon_cpu *before,
		    const struct native_regs *r, const char *what)
{
	const struct vmon_insn *insn = &e->insn;
	unsigned int i;

	printf("# %s: %s", what, vmon_op_name(insn->op));
	for (i = 0; i < insn->len; i++)
		printf(" %02x", insn->bytes[i]);
	printf("\n# before:");
	for (i = 0; i < 8; i++)
		printf(" %08x", before->gpr[i]);
	printf(" fl %08x\n# emu:   ", before->eflags);
	for (i = 0; i < 8; i++)
		printf(" %08x", e->cpu->gpr[i]);
	printf(" fl %08x eip %08x exc %u err %x cr2 %08x\n# real:  ",
	       e->cpu->eflags, e->cpu->eip, e->exc.vector, e->exc.error,
	       e->exc.cr2);
	for (i = 0; i < 8; i++)
		printf(" %08x", r->gpr[i]);
	printf(" fl %08x eip %08x exc %u err %x cr2 %08x\n", r->eflags, r->eip,
	       r->vector, r->error, r->cr2);
}

static const char *compare(const struct vmon_emu *e, const struct vmon_cpu *before,
			   const struct native_regs *r)
{
	u32 ignore = VMON_FL_RF | VMON_FL_TF;

	/* A CPU may look at the lower bound before it reads the upper one. */
	if (e->insn.op == VMON_OP_BOUND && r->vector == VMON_EXC_BR &&
	    (e->exc.vector == VMON_EXC_PF || e->exc.vector == VMON_EXC_GP ||
	     e->exc.vector == VMON_EXC_SS))
		return NULL;
	if (e->exc.vector != r->vector)
		return "vector";
	if (e->exc.has_error && e->exc.error != r->error)
		return "error code";
	/* Of two operands of CMPS that both fault, CPUs disagree which first. */
	if (e->exc.vector == VMON_EXC_PF && e->exc.cr2 != r->cr2 &&
	    e->insn.op != VMON_OP_CMPS)
		return "CR2";
	if (memcmp(e->cpu->gpr, r->gpr, sizeof(r->gpr)))
		return "registers";
	if (e->cpu->eip != r->eip)
		return "EIP";
	/*
	 * A fault leaves the flags alone, an instruction may not define all. Between two
	 * iterations CMPS and SCAS may have the flags of the last one or still the old.
	 */
	if (e->exc.vector == VMON_EXC_DB && e->cpu->eip == before->eip &&
	    (e->insn.op == VMON_OP_CMPS || e->insn.op == VMON_OP_SCAS))
		ignore |= VMON_FL_ARITH;
	else if (e->exc.vector == VMON_EXC_DB)
		ignore |= undefined_flags(&e->insn);
	else if (e->insn.op == VMON_OP_DIV || e->insn.op == VMON_OP_IDIV ||
		 e->insn.op == VMON_OP_AAM)
		ignore |= VMON_FL_ARITH;
	if ((e->cpu->eflags ^ r->eflags) & ~ignore)
		return "flags";
	take_choices(e, before);
	if (memcmp(image, (void *)(uintptr_t)NATIVE_DATA, NATIVE_DATA_SIZE))
		return "memory";
	return NULL;
}

static unsigned int seen[VMON_NR_OPS], bad[VMON_NR_OPS];

static void one(void)
{
	struct vmon_cpu cpu, before;
	struct vmon_emu e = { .cpu = &cpu, .ops = &ops };
	struct native_regs r;
	struct vmon_insn insn;
	u8 *at = code + 0x100;
	const char *what;
	int ret;

	random_bytes(at);
	if (vmon_decode(&insn, at, 15, !mode16) || excluded(&insn))
		return;
	/* An absolute address gets one that exists. */
	if (insn.disp_size == 4 && insn.base == VMON_NO_REG &&
	    insn.index == VMON_NO_REG) {
		u32 target = random_target();

		memcpy(at + insn.disp_off, &target, 4);
		vmon_decode(&insn, at, 15, !mode16);
	}
	init_cpu(&cpu);
	random_state(&cpu, &insn);
	before = cpu;
	memcpy(image_before, image, NATIVE_DATA_SIZE);
	memcpy((void *)(uintptr_t)NATIVE_DATA, image, NATIVE_DATA_SIZE);
	memcpy((void *)(uintptr_t)(NATIVE_CODE + 0x100), at, 16);

	unsafe = false;
	ret = vmon_emulate(&e);
	if (unsafe)
		return;
	seen[insn.op]++;
	memcpy(r.gpr, before.gpr, sizeof(r.gpr));
	r.eip = before.eip;
	r.eflags = before.eflags;
	r.cs = before.seg[VMON_CS].sel;
	r.ss = before.seg[VMON_SS].sel;
	native_step(&r);
	what = ret == VMON_EMU_FAULT ? compare(&e, &before, &r) : "no trap";
	if (what && bad[insn.op]++ < 2)
		explain(&e, &before, &r, what);
}

static void run(unsigned long rounds, const char *mode)
{
	unsigned int i, ops_seen = 0, total = 0, failed = 0;

	memset(seen, 0, sizeof(seen));
	memset(bad, 0, sizeof(bad));
	while (rounds--)
		one();
	for (i = 0; i < VMON_NR_OPS; i++) {
		total += seen[i];
		ops_seen += seen[i] > 0;
		failed += bad[i];
		if (bad[i])
			printf("# %s: %u of %u differ\n", vmon_op_name(i),
			       bad[i], seen[i]);
	}
	tap_ok(!failed, "%s: %u instructions agree with the CPU", mode, total);
	tap_ok(ops_seen >= 80, "%s: %u different operations were met", mode,
	       ops_seen);
}

static void skip(const char *mode, const char *why)
{
	tap_skip(mode, "%s", why);
	tap_skip(mode, "%s", why);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : ROUNDS;

	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	tap_plan(4);
	if (!native_init()) {
		skip("32-bit flat", "no 32-bit compatibility mode");
		skip("16-bit", "no 32-bit compatibility mode");
		return tap_done();
	}
	run(rounds, "32-bit flat");
	mode16 = true;
	if (native_init16())
		run(rounds / 2, "16-bit segments with limits");
	else
		skip("16-bit", "no modify_ldt");
	return tap_done();
}
