/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small machine for tests of the emulator's system side: 1 MiB of RAM, a GDT
 * with one descriptor of each interesting kind, an IDT, a TSS, code and stacks
 * for rings 0 and 3.
 */
#ifndef VMON_UNIT_EMU_FIXTURE_H
#define VMON_UNIT_EMU_FIXTURE_H

#include <string.h>

#include "emulator/emulate.h"
#include "mmu/walk.h"
#include "tap.h"
#include "vm/cpuid.h"
#include "vm/msr.h"

#define FX_RAM		0x100000u
#define FX_GDT		0x1000u
#define FX_IDT		0x2000u
#define FX_TSS		0x3000u
#define FX_TSS2		0x3800u
#define FX_LDT		0x4000u
#define FX_HANDLERS	0x8000u		/* vector n enters at + 16 n */
#define FX_CODE		0x10000u
#define FX_STACK0	0x20000u
#define FX_STACK3	0x30000u
#define FX_STACK1	0x38000u
#define FX_DATA		0x40000u

enum fx_selector {
	FX_CODE0 = 0x08, FX_DATA0 = 0x10, FX_CODE3 = 0x1b, FX_DATA3 = 0x23,
	FX_TR = 0x28, FX_CONFORMING = 0x30, FX_CODE16 = 0x38, FX_ABSENT = 0x40,
	FX_DOWN = 0x48, FX_LDTR = 0x50, FX_GATE = 0x58, FX_CODE1 = 0x61,
	FX_DATA1 = 0x69, FX_TR2 = 0x70, FX_TASKGATE = 0x7b, FX_SMALL = 0x83,
	FX_EXECONLY = 0x8b, FX_RODATA = 0x93, FX_GATE_ABSENT = 0x98,
	FX_GDT_SIZE = 0xa0,
};

static u8 fx_ram[FX_RAM];
static struct vmon_cpu fx_cpu;
static struct vmon_emu fx_emu;
static u32 fx_port_value, fx_last_port;

static u32 fx_phys_read32(void *priv, u64 gpa)
{
	u32 val = ~0u;

	(void)priv;
	if (gpa + 4 <= FX_RAM)
		memcpy(&val, fx_ram + gpa, 4);
	return val;
}

static u64 fx_phys_read64(void *priv, u64 gpa)
{
	return fx_phys_read32(priv, gpa) |
	       (u64)fx_phys_read32(priv, gpa + 4) << 32;
}

static bool fx_phys_cmpxchg32(void *priv, u64 gpa, u32 old, u32 new)
{
	if (gpa + 4 > FX_RAM)
		return true;
	if (fx_phys_read32(priv, gpa) != old)
		return false;
	memcpy(fx_ram + gpa, &new, 4);
	return true;
}

static bool fx_phys_cmpxchg64(void *priv, u64 gpa, u64 old, u64 new)
{
	if (gpa + 8 > FX_RAM)
		return true;
	if (fx_phys_read64(priv, gpa) != old)
		return false;
	memcpy(fx_ram + gpa, &new, 8);
	return true;
}

static const struct vmon_phys_ops fx_phys = {
	.read32 = fx_phys_read32,
	.read64 = fx_phys_read64,
	.cmpxchg32 = fx_phys_cmpxchg32,
	.cmpxchg64 = fx_phys_cmpxchg64,
};

static int fx_access(struct vmon_emu *e, u32 gva, u8 *buf, unsigned int len,
		     unsigned int acc, bool write)
{
	struct vmon_walk w;
	unsigned int i;

	for (i = 0; i < len; i++)
		if (vmon_walk(e->cpu, &fx_phys, NULL, gva + i, acc, &w))
			return vmon_emu_page_fault(e, gva + i, w.error);
	for (i = 0; i < len; i++) {
		vmon_walk(e->cpu, &fx_phys, NULL, gva + i, acc, &w);
		if (w.gpa >= FX_RAM)
			buf[i] = write ? buf[i] : 0xff;
		else if (write)
			fx_ram[w.gpa] = buf[i];
		else
			buf[i] = fx_ram[w.gpa];
	}
	return VMON_EMU_OK;
}

static int fx_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
		   unsigned int acc)
{
	return fx_access(e, gva, buf, len, acc, false);
}

static int fx_write(struct vmon_emu *e, u32 gva, const void *buf,
		    unsigned int len, unsigned int acc)
{
	u8 copy[512];

	memcpy(copy, buf, len);
	return fx_access(e, gva, copy, len, acc, true);
}

static int fx_in(struct vmon_emu *e, u16 port, unsigned int len, u32 *val)
{
	(void)e;
	(void)len;
	fx_last_port = port;
	*val = fx_port_value;
	return VMON_EMU_OK;
}

static int fx_out(struct vmon_emu *e, u16 port, unsigned int len, u32 val)
{
	(void)e;
	(void)len;
	fx_last_port = port;
	fx_port_value = val;
	return VMON_EMU_OK;
}

static void fx_cpuid(struct vmon_emu *e, u32 *a, u32 *b, u32 *c, u32 *d)
{
	(void)e;
	vmon_cpuid(a, b, c, d, true, false, 0);
}

static bool fx_rdmsr(struct vmon_emu *e, u32 msr, u64 *val)
{
	return vmon_msr_read(e->cpu, 1000, msr, val);
}

static bool fx_wrmsr(struct vmon_emu *e, u32 msr, u64 val)
{
	return vmon_msr_write(e->cpu, 1000, msr, val);
}

static u64 fx_tsc(struct vmon_emu *e)
{
	(void)e;
	return 1000;
}

static int fx_set_cr(struct vmon_emu *e, unsigned int cr, u32 old)
{
	(void)cr;
	(void)old;
	if (vmon_pae_paging(e->cpu) &&
	    !vmon_walk_load_pdptrs(e->cpu, &fx_phys, NULL))
		return vmon_emu_fault_code(e, VMON_EXC_GP, 0);
	return VMON_EMU_OK;
}

static void fx_invlpg(struct vmon_emu *e, u32 gva)
{
	(void)e;
	(void)gva;
}

static const struct vmon_emu_ops fx_ops = {
	.read = fx_read, .write = fx_write, .in = fx_in, .out = fx_out,
	.cpuid = fx_cpuid, .rdmsr = fx_rdmsr, .wrmsr = fx_wrmsr, .tsc = fx_tsc,
	.set_cr = fx_set_cr, .invlpg = fx_invlpg,
};

static inline void fx_put32(u32 at, u32 val)
{
	memcpy(fx_ram + at, &val, 4);
}

static inline void fx_put16(u32 at, u16 val)
{
	memcpy(fx_ram + at, &val, 2);
}

static inline u32 fx_get32(u32 at)
{
	u32 val;

	memcpy(&val, fx_ram + at, 4);
	return val;
}

static inline u16 fx_get16(u32 at)
{
	u16 val;

	memcpy(&val, fx_ram + at, 2);
	return val;
}

/* A segment descriptor: @access is byte 5, @flags the upper nibble of byte 6. */
static inline void fx_desc(u16 sel, u32 base, u32 limit, u8 access, u8 flags)
{
	fx_put32(FX_GDT + (sel & ~7u), (limit & 0xffff) | base << 16);
	fx_put32(FX_GDT + (sel & ~7u) + 4,
		 (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) |
		 (u32)flags << 20 | (base & 0xff000000));
}

static inline void fx_gate_at(u32 at, u16 sel, u32 offset, u8 access)
{
	fx_put32(at, (offset & 0xffff) | (u32)sel << 16);
	fx_put32(at + 4, (offset & 0xffff0000) | access << 8);
}

static inline void fx_idt(u8 vector, u16 sel, u32 offset, u8 access)
{
	fx_gate_at(FX_IDT + vector * 8u, sel, offset, access);
}

/* What a selector load makes of a descriptor, for setting up a CPU. */
static inline void fx_load(unsigned int sreg, u16 sel)
{
	struct vmon_seg *seg = &fx_cpu.seg[sreg];
	u32 lo = fx_get32(FX_GDT + (sel & ~7u));
	u32 hi = fx_get32(FX_GDT + (sel & ~7u) + 4);

	seg->sel = sel;
	seg->base = lo >> 16 | (hi & 0xff) << 16 | (hi & 0xff000000);
	seg->limit = (lo & 0xffff) | (hi & 0xf0000);
	if (hi & 0x800000)
		seg->limit = seg->limit << 12 | 0xfff;
	seg->attr = (hi >> 8 & 0xf0ff) | VMON_SEG_A;
}

static inline void fx_ring(unsigned int ring)
{
	static const u16 code[4] = { FX_CODE0, FX_CODE1, 0, FX_CODE3 };
	static const u16 data[4] = { FX_DATA0, FX_DATA1, 0, FX_DATA3 };
	static const u32 stack[4] = { FX_STACK0, FX_STACK1, 0, FX_STACK3 };
	unsigned int i;

	for (i = 0; i < VMON_NR_SREGS; i++)
		fx_load(i, i == VMON_CS ? code[ring] : data[ring]);
	fx_cpu.cpl = ring;
	fx_cpu.gpr[VMON_ESP] = stack[ring];
}

static inline void fx_init(void)
{
	unsigned int i;

	memset(fx_ram, 0, sizeof(fx_ram));
	vmon_cpu_reset(&fx_cpu);
	memset(&fx_emu, 0, sizeof(fx_emu));
	fx_emu.cpu = &fx_cpu;
	fx_emu.ops = &fx_ops;

	fx_desc(FX_CODE0, 0, 0xfffff, 0x9b, 0xc);
	fx_desc(FX_DATA0, 0, 0xfffff, 0x93, 0xc);
	fx_desc(FX_CODE3, 0, 0xfffff, 0xfb, 0xc);
	fx_desc(FX_DATA3, 0, 0xfffff, 0xf3, 0xc);
	fx_desc(FX_TR, FX_TSS, 0x67, 0x8b, 0);
	fx_desc(FX_CONFORMING, 0, 0xfffff, 0x9f, 0xc);
	fx_desc(FX_CODE16, 0, 0xffff, 0x9b, 0);
	fx_desc(FX_ABSENT, 0, 0xfffff, 0x73, 0xc);
	fx_desc(FX_DOWN, 0, 0x3ffff, 0xf7, 0x4);
	fx_desc(FX_LDTR, FX_LDT, 0x1f, 0x82, 0);
	fx_gate_at(FX_GDT + FX_GATE, FX_CODE0, FX_HANDLERS + 0x1000, 0xec);
	fx_desc(FX_CODE1, 0, 0xfffff, 0xbb, 0xc);
	fx_desc(FX_DATA1, 0, 0xfffff, 0xb3, 0xc);
	fx_desc(FX_TR2, FX_TSS2, 0x67, 0xe9, 0);
	fx_gate_at(FX_GDT + (FX_TASKGATE & ~7), FX_TR2, 0, 0xe5);
	fx_desc(FX_SMALL, FX_DATA, 0x0f, 0xf2, 0x4);
	fx_desc(FX_EXECONLY, 0, 0xfffff, 0xf8, 0xc);
	fx_desc(FX_RODATA, 0, 0xfffff, 0xf1, 0xc);
	fx_gate_at(FX_GDT + FX_GATE_ABSENT, FX_CODE0, 0, 0x0c);

	for (i = 0; i < 256; i++)
		fx_idt(i, FX_CODE0, FX_HANDLERS + i * 16,
		       i == 3 || i == 4 || i == 0x80 ? 0xef : 0x8e);
	fx_put32(FX_TSS + 4, FX_STACK0);
	fx_put32(FX_TSS + 8, FX_DATA0);
	fx_put32(FX_TSS + 12, FX_STACK1);
	fx_put32(FX_TSS + 16, FX_DATA1);
	fx_put16(FX_TSS + 0x66, 0x68);

	fx_cpu.gdtr.base = FX_GDT;
	fx_cpu.gdtr.limit = FX_GDT_SIZE - 1;
	fx_cpu.idtr.base = FX_IDT;
	fx_cpu.idtr.limit = 256 * 8 - 1;
	fx_cpu.cr0 = VMON_CR0_PE | VMON_CR0_ET | VMON_CR0_NE;
	fx_cpu.eip = FX_CODE;
	fx_ring(0);
	fx_load(VMON_TR, FX_TR);
	fx_cpu.seg[VMON_LDTR].attr = 0;
}

/* Put an instruction at CS:EIP and execute it; no delivery. */
static inline int fx_exec(const void *bytes, unsigned int len)
{
	u32 at = fx_cpu.seg[VMON_CS].base + fx_cpu.eip;

	memcpy(fx_ram + at, bytes, len);
	return vmon_emulate(&fx_emu);
}

#define FX_EXEC(...)						\
	({							\
		static const u8 bytes_[] = { __VA_ARGS__ };	\
		fx_exec(bytes_, sizeof(bytes_));		\
	})

/* Did the last instruction raise this, with this error code? */
static inline bool fx_raised(int ret, u8 vector, int error)
{
	if (ret != VMON_EMU_FAULT || fx_emu.exc.vector != vector)
		return false;
	return error < 0 ? !fx_emu.exc.has_error :
	       fx_emu.exc.has_error && fx_emu.exc.error == error;
}

static inline int fx_deliver(void)
{
	struct vmon_emu_exc exc = fx_emu.exc;

	return vmon_emu_deliver(&fx_emu, &exc);
}

/* The handler of this vector is about to run. */
static inline bool fx_in_handler(u8 vector)
{
	return fx_cpu.eip == FX_HANDLERS + vector * 16u;
}

/* Dword @i of the current stack (base 0). */
static inline u32 fx_stack(unsigned int i)
{
	return fx_get32(fx_cpu.gpr[VMON_ESP] + 4 * i);
}

#endif /* VMON_UNIT_EMU_FIXTURE_H */
