// SPDX-License-Identifier: GPL-2.0
/* Privileged and IOPL-sensitive instructions, segment loads, limits. */
#include <linux/kernel.h>

#include "emu_fixture.h"

struct row {
	const char *name;
	u8 bytes[8];
	u8 len;
	u8 vector;
	int error;	/* -1: the exception has none */
};

/* At ring 3 with IOPL 0. */
static const struct row ring3[] = {
	{ "hlt", { 0xf4 }, 1, 13, 0 },
	{ "cli", { 0xfa }, 1, 13, 0 },
	{ "sti", { 0xfb }, 1, 13, 0 },
	{ "clts", { 0x0f, 0x06 }, 2, 13, 0 },
	{ "lgdt", { 0x0f, 0x01, 0x15, 0, 0, 4, 0 }, 7, 13, 0 },
	{ "lldt ax", { 0x0f, 0x00, 0xd0 }, 3, 13, 0 },
	{ "ltr ax", { 0x0f, 0x00, 0xd8 }, 3, 13, 0 },
	{ "lmsw ax", { 0x0f, 0x01, 0xf0 }, 3, 13, 0 },
	{ "invlpg", { 0x0f, 0x01, 0x38 }, 3, 13, 0 },
	{ "wbinvd", { 0x0f, 0x09 }, 2, 13, 0 },
	{ "rdmsr", { 0x0f, 0x32 }, 2, 13, 0 },
	{ "wrmsr", { 0x0f, 0x30 }, 2, 13, 0 },
	{ "mov eax, cr0", { 0x0f, 0x20, 0xc0 }, 3, 13, 0 },
	{ "mov cr3, eax", { 0x0f, 0x22, 0xd8 }, 3, 13, 0 },
	{ "mov eax, dr7", { 0x0f, 0x21, 0xf8 }, 3, 13, 0 },
	{ "in al, 60h", { 0xe4, 0x60 }, 2, 13, 0 },
	{ "out dx, eax", { 0xef }, 1, 13, 0 },
	{ "int 20h through a DPL 0 gate", { 0xcd, 0x20 }, 2, 32, -1 },
	{ "ud2", { 0x0f, 0x0b }, 2, 6, -1 },
	{ "sysexit", { 0x0f, 0x35 }, 2, 13, 0 },
	{ "sysenter without MSR", { 0x0f, 0x34 }, 2, 13, 0 },
	{ "rdpmc", { 0x0f, 0x33 }, 2, 13, 0 },
	{ "jmp far ring 0", { 0xea, 0, 0, 1, 0, FX_CODE0, 0 }, 7, 13, FX_CODE0 },
};

/* At ring 3, AX holds the selector: mov ds, ax and so on. */
static const struct {
	const char *name;
	u8 modrm;	/* of 8E */
	u16 sel;
	int vector;	/* 0: succeeds */
	u16 error;
} loads[] = {
	{ "ds null", 0xd8, 0, 0, 0 },
	{ "ds null with RPL", 0xd8, 3, 0, 0 },
	{ "ds data3", 0xd8, FX_DATA3, 0, 0 },
	{ "ds data0", 0xd8, FX_DATA0, 13, FX_DATA0 },
	{ "ds conforming code of ring 0", 0xd8, FX_CONFORMING, 0, 0 },
	{ "ds execute-only", 0xd8, FX_EXECONLY, 13, FX_EXECONLY & ~3 },
	{ "ds readable code", 0xd8, FX_CODE3, 0, 0 },
	{ "ds system", 0xd8, FX_TR | 3, 13, FX_TR },
	{ "ds beyond the table", 0xd8, FX_GDT_SIZE | 3, 13, FX_GDT_SIZE },
	{ "ds of no LDT", 0xd8, 0x0f, 13, 0x0c },
	{ "ds absent", 0xd8, FX_ABSENT | 3, 11, FX_ABSENT },
	{ "ss null", 0xd0, 0, 13, 0 },
	{ "ss data3", 0xd0, FX_DATA3, 0, 0 },
	{ "ss with RPL 0", 0xd0, FX_DATA3 & ~3, 13, FX_DATA3 & ~3 },
	{ "ss read-only", 0xd0, FX_RODATA, 13, FX_RODATA & ~3 },
	{ "ss code", 0xd0, FX_CODE3, 13, FX_CODE3 & ~3 },
	{ "ss absent", 0xd0, FX_ABSENT | 3, 12, FX_ABSENT },
};

static void test_loads(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		u8 code[] = { 0x8e, loads[i].modrm };
		u32 esp;
		int ret;

		fx_init();
		fx_ring(3);
		esp = fx_cpu.gpr[VMON_ESP];
		fx_cpu.gpr[VMON_EAX] = loads[i].sel;
		ret = fx_exec(code, 2);
		if (loads[i].vector)
			tap_ok(fx_raised(ret, loads[i].vector, loads[i].error) &&
			       fx_cpu.eip == FX_CODE &&
			       fx_cpu.gpr[VMON_ESP] == esp,
			       "mov %s: #%d(%04x)", loads[i].name,
			       loads[i].vector, loads[i].error);
		else
			tap_ok(ret == VMON_EMU_OK, "mov %s", loads[i].name);
	}
}

static void test_limits(void)
{
	fx_init();
	fx_ring(3);
	fx_load(VMON_FS, FX_SMALL);
	fx_put32(FX_DATA + 12, 0x11223344);
	/* mov eax, fs:[12] ; fs:[13] */
	tap_ok(FX_EXEC(0x64, 0xa1, 12, 0, 0, 0) == VMON_EMU_OK &&
	       fx_cpu.gpr[VMON_EAX] == 0x11223344, "last dword of a segment");
	tap_ok(fx_raised(FX_EXEC(0x64, 0xa1, 13, 0, 0, 0), 13, 0),
	       "one byte beyond: #GP(0)");
	/* The same through SS: #SS(0). */
	fx_load(VMON_SS, FX_SMALL);
	tap_ok(fx_raised(FX_EXEC(0x36, 0xa1, 13, 0, 0, 0), 12, 0),
	       "beyond SS: #SS(0)");
	fx_cpu.gpr[VMON_ESP] = 0x1000;
	tap_ok(fx_raised(FX_EXEC(0x50), 12, 0) &&
	       fx_cpu.gpr[VMON_ESP] == 0x1000, "push beyond SS: #SS(0)");
	fx_load(VMON_SS, FX_DATA3);

	fx_load(VMON_FS, FX_DOWN);
	tap_ok(fx_raised(FX_EXEC(0x64, 0xa0, 0xff, 0xff, 3, 0), 13, 0),
	       "expand-down: the limit itself is outside");
	tap_ok(FX_EXEC(0x64, 0xa0, 0, 0, 4, 0) == VMON_EMU_OK,
	       "expand-down: above the limit is inside");
	fx_load(VMON_FS, FX_RODATA);
	tap_ok(fx_raised(FX_EXEC(0x64, 0xa2, 0, 0, 4, 0), 13, 0),
	       "write to read-only data: #GP(0)");
	tap_ok(fx_raised(FX_EXEC(0x2e, 0xa2, 0, 0, 4, 0), 13, 0),
	       "write through CS: #GP(0)");
	fx_cpu.seg[VMON_FS].attr = 0;
	tap_ok(fx_raised(FX_EXEC(0x64, 0xa0, 0, 0, 4, 0), 13, 0),
	       "read through a null segment: #GP(0)");
	fx_cpu.eip = FX_CODE;
	fx_cpu.seg[VMON_CS].limit = FX_CODE + 1;
	tap_ok(fx_raised(FX_EXEC(0xb8, 0, 0, 0, 0), 13, 0),
	       "fetch beyond the limit: #GP(0)");
	tap_ok(FX_EXEC(0x90) == VMON_EMU_OK, "instruction that still fits");
	fx_cpu.eip = FX_CODE;
	tap_ok(fx_raised(FX_EXEC(0xeb, 0x10), 13, 0) && fx_cpu.eip == FX_CODE,
	       "jump beyond the limit: #GP(0) at the jump");
}

static void test_io_bitmap(void)
{
	fx_init();
	fx_ring(3);
	fx_cpu.seg[VMON_TR].limit = 0x68 + 0x10;
	memset(fx_ram + FX_TSS + 0x68, 0xff, 0x11);
	fx_ram[FX_TSS + 0x68 + 0x60 / 8] = 0xee;	/* 60h and 64h allowed */
	tap_ok(FX_EXEC(0xe4, 0x60) == VMON_EMU_OK, "bitmap allows port 60h");
	tap_ok(fx_raised(FX_EXEC(0xe4, 0x61), 13, 0), "and not 61h");
	tap_ok(fx_raised(FX_EXEC(0xe5, 0x60), 13, 0), "nor 60h to 63h");
	fx_cpu.gpr[VMON_EDX] = 0x3f8;
	tap_ok(fx_raised(FX_EXEC(0xec), 13, 0), "nor one beyond the TSS");
	fx_cpu.eflags |= VMON_FL_IOPL;
	tap_ok(FX_EXEC(0xec) == VMON_EMU_OK, "IOPL 3 allows all");
	tap_ok(FX_EXEC(0xfa) == VMON_EMU_OK && FX_EXEC(0xfb) == VMON_EMU_OK &&
	       fx_cpu.shadow == VMON_SHADOW_STI, "and CLI and STI");
}

static void test_popf(void)
{
	fx_init();
	fx_ring(3);
	fx_put32(FX_STACK3 - 4, 0xffffffff);
	fx_cpu.gpr[VMON_ESP] -= 4;
	FX_EXEC(0x9d);
	tap_ok((fx_cpu.eflags & (VMON_FL_IF | VMON_FL_IOPL | VMON_FL_VM)) == 0 &&
	       (fx_cpu.eflags & VMON_FL_AC), "popf at ring 3 keeps IF and IOPL");
	fx_cpu.eflags = VMON_FL_FIXED;
	fx_ring(0);
	fx_put32(FX_STACK0 - 4, 0x00003202);
	fx_cpu.gpr[VMON_ESP] -= 4;
	FX_EXEC(0x9d);
	tap_ok(fx_cpu.eflags == 0x00003202, "popf at ring 0 sets them");
}

static void test_control(void)
{
	fx_init();
	fx_cpu.gpr[VMON_EAX] = VMON_CR0_PG;
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x22, 0xc0), 13, 0), "PG without PE");
	fx_cpu.gpr[VMON_EAX] = VMON_CR0_PE | VMON_CR0_NW;
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x22, 0xc0), 13, 0), "NW without CD");
	fx_cpu.gpr[VMON_EAX] = VMON_CR4_VME;
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x22, 0xe0), 13, 0),
	       "a bit of CR4 that CPUID does not show");
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x22, 0xc8), 6, -1), "CR1: #UD");
	fx_cpu.gpr[VMON_ECX] = 0x12345;
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x32), 13, 0), "unknown MSR");
	fx_cpu.gpr[VMON_ECX] = VMON_MSR_EFER;
	fx_cpu.gpr[VMON_EAX] = 0x100;
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x30), 13, 0), "EFER.LME");
	tap_ok(FX_EXEC(0xf4) == VMON_EMU_OK && fx_cpu.halted, "hlt halts");
	fx_cpu.cr4 |= VMON_CR4_TSD;
	fx_ring(3);
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x31), 13, 0), "rdtsc with TSD");
}

static void test_fpu(void)
{
	fx_init();
	tap_ok(FX_EXEC(0xd9, 0xe8) == VMON_EMU_FPU && fx_cpu.eip == FX_CODE,
	       "fld1 is for the real FPU");
	fx_cpu.cr0 |= VMON_CR0_TS;
	tap_ok(fx_raised(FX_EXEC(0xd9, 0xe8), 7, -1), "x87 with TS: #NM");
	tap_ok(FX_EXEC(0x9b) == VMON_EMU_OK, "fwait with TS only");
	fx_cpu.cr0 |= VMON_CR0_MP;
	tap_ok(fx_raised(FX_EXEC(0x9b), 7, -1), "fwait with TS and MP: #NM");
	fx_cpu.cr0 &= ~VMON_CR0_TS;
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x58, 0xc1), 6, -1),
	       "SSE without OSFXSR: #UD");
	fx_cpu.cr4 |= VMON_CR4_OSFXSR;
	tap_ok(FX_EXEC(0x0f, 0x58, 0xc1) == VMON_EMU_FPU, "SSE with it");
	tap_ok(FX_EXEC(0xdb, 0xe3) == VMON_EMU_OK &&
	       FX_EXEC(0xd9, 0x3d, 0, 0, 4, 0) == VMON_EMU_OK &&
	       fx_get16(FX_DATA) == 0x037f, "fninit, fnstcw");
	fx_put16(FX_DATA, 0x0340);
	fx_cpu.fpu.fxsave[2] = 0x04;	/* ZE pending */
	tap_ok(FX_EXEC(0xd9, 0x2d, 0, 0, 4, 0) == VMON_EMU_OK &&
	       (fx_cpu.fpu.fxsave[2] & 0x80), "fldcw that unmasks sets ES");
	tap_ok(fx_raised(FX_EXEC(0xd9, 0xe8), 16, -1), "then #MF");
	tap_ok(FX_EXEC(0xdb, 0xe2) == VMON_EMU_OK &&
	       FX_EXEC(0xd9, 0xe8) == VMON_EMU_FPU, "fnclex clears it");
	tap_ok(FX_EXEC(0x0f, 0xae, 0x05, 0, 0, 4, 0) == VMON_EMU_OK &&
	       fx_get16(FX_DATA) == 0x0340, "fxsave");
	tap_ok(fx_raised(FX_EXEC(0x0f, 0xae, 0x05, 8, 0, 4, 0), 13, 0),
	       "fxsave misaligned: #GP(0)");
}

int main(void)
{
	unsigned int rows = ARRAY_SIZE(ring3), i;
	unsigned int n_loads = ARRAY_SIZE(loads);

	tap_plan(rows + n_loads + 12 + 6 + 2 + 8 + 12);
	for (i = 0; i < rows; i++) {
		int ret;

		fx_init();
		fx_ring(3);
		ret = fx_exec(ring3[i].bytes, ring3[i].len);
		tap_ok(fx_raised(ret, ring3[i].vector, ring3[i].error),
		       "ring 3: %s", ring3[i].name);
	}
	test_loads();
	test_limits();
	test_io_bitmap();
	test_popf();
	test_control();
	test_fpu();
	return tap_done();
}
