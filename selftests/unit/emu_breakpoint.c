// SPDX-License-Identifier: GPL-2.0
/* Hardware breakpoints of emulated code: which access meets which, and when it traps. */
#include "emu_fixture.h"

enum { EXECUTE, WRITE, IO, ACCESS };

/* One breakpoint, local, with the length field as it is in DR7. */
static void breakpoint(unsigned int i, unsigned int kind, unsigned int len, u32 at)
{
	fx_init();
	fx_cpu.dr[i] = at;
	fx_cpu.dr[7] = 0x400 | 1u << 2 * i | kind << (16 + 4 * i) | len << (18 + 4 * i);
	fx_cpu.gpr[VMON_EBX] = FX_DATA;
}

/* A trap behind the instruction, or a fault before it. */
static bool hit(int ret, unsigned int i, bool trap)
{
	return fx_raised(ret, VMON_EXC_DB, -1) && fx_emu.exc.trap == trap &&
	       (fx_cpu.dr[6] & 0xf) == 1u << i && (fx_cpu.eip == FX_CODE) == !trap;
}

static bool missed(int ret)
{
	return ret == VMON_EMU_OK && !(fx_cpu.dr[6] & 0xf);
}

static void test_execute(void)
{
	bool ok;

	breakpoint(2, EXECUTE, 0, FX_CODE);
	ok = hit(FX_EXEC(0x90), 2, false);
	fx_deliver();
	tap_ok(ok && fx_in_handler(1) && fx_stack(0) == FX_CODE &&
	       !(fx_stack(2) & VMON_FL_RF), "on an instruction: a fault, RF not pushed");
	breakpoint(2, EXECUTE, 0, FX_CODE);
	fx_cpu.eflags |= VMON_FL_RF;
	ok = missed(FX_EXEC(0x90)) && !(fx_cpu.eflags & VMON_FL_RF);
	breakpoint(2, EXECUTE, 0, FX_CODE);
	fx_cpu.shadow = VMON_SHADOW_SS;
	tap_ok(ok && missed(FX_EXEC(0x90)), "not with RF, which ends, nor behind MOV SS");
	breakpoint(1, EXECUTE, 0, FX_CODE + 1);
	ok = missed(FX_EXEC(0x66, 0x90));
	breakpoint(1, EXECUTE, 0, FX_DATA);
	tap_ok(ok && missed(FX_EXEC(0x8b, 0x03)), "neither inside one, nor for data");
	breakpoint(0, EXECUTE, 0, FX_CODE);
	fx_cpu.dr[7] = 0x400;
	tap_ok(missed(FX_EXEC(0x90)), "not when it is not enabled");
}

static void test_data(void)
{
	bool ok;

	breakpoint(0, WRITE, 3, FX_DATA);
	ok = missed(FX_EXEC(0x8b, 0x03));
	tap_ok(ok && (fx_cpu.eip = FX_CODE, hit(FX_EXEC(0x89, 0x03), 0, true)),
	       "for writes: not a read, but a write");
	breakpoint(3, ACCESS, 3, FX_DATA);
	ok = hit(FX_EXEC(0x8b, 0x03), 3, true);
	breakpoint(3, ACCESS, 3, FX_DATA);
	tap_ok(ok && hit(FX_EXEC(0xff, 0x03), 3, true), "for accesses: read, and read and write");
	breakpoint(1, WRITE, 0, FX_DATA + 4);
	ok = missed(FX_EXEC(0x89, 0x03));
	breakpoint(1, WRITE, 0, FX_DATA + 3);
	ok &= hit(FX_EXEC(0x89, 0x03), 1, true);
	breakpoint(1, WRITE, 3, FX_DATA + 7);	/* aligned down */
	ok &= missed(FX_EXEC(0x89, 0x03));
	breakpoint(1, WRITE, 1, FX_DATA + 2);
	tap_ok(ok && hit(FX_EXEC(0xc6, 0x43, 0x03, 0x55), 1, true), "length and alignment");
	breakpoint(0, WRITE, 3, FX_STACK0 - 4);
	tap_ok(hit(FX_EXEC(0x50), 0, true), "a push");
	breakpoint(0, WRITE, 3, 0);
	fx_cpu.dr[0] = FX_DATA;
	fx_cpu.seg[VMON_DS].limit = 3;
	ok = fx_raised(FX_EXEC(0x89, 0x03), VMON_EXC_GP, 0);
	tap_ok(ok && !(fx_cpu.dr[6] & 0xf), "an access that faults does not hit");
}

static void test_shadow(void)
{
	breakpoint(0, ACCESS, 1, FX_DATA);
	fx_put16(FX_DATA, FX_DATA0);
	tap_ok(missed(FX_EXEC(0x8e, 0x13)) && fx_cpu.shadow == VMON_SHADOW_SS &&
	       fx_raised(FX_EXEC(0x90), VMON_EXC_DB, -1) && fx_emu.exc.trap &&
	       fx_cpu.eip == FX_CODE + 3 && (fx_cpu.dr[6] & 1),
	       "MOV SS puts it off by one instruction");
}

static void test_repeated(void)
{
	breakpoint(0, WRITE, 3, FX_DATA + 8);
	fx_cpu.gpr[VMON_EDI] = FX_DATA;
	fx_cpu.gpr[VMON_ECX] = 5;
	tap_ok(fx_raised(FX_EXEC(0xf3, 0xab), VMON_EXC_DB, -1) && fx_cpu.eip == FX_CODE &&
	       fx_cpu.gpr[VMON_ECX] == 2, "REP STOS stops behind the iteration");
	fx_cpu.dr[6] = 0;
	tap_ok(missed(vmon_emulate(&fx_emu)) && !fx_cpu.gpr[VMON_ECX] &&
	       fx_cpu.eip == FX_CODE + 2, "and goes on");
}

static void test_io(void)
{
	bool ok;

	breakpoint(0, IO, 0, 0x80);
	ok = missed(FX_EXEC(0xe6, 0x80));
	breakpoint(0, IO, 0, 0x80);
	fx_cpu.cr4 |= VMON_CR4_DE;
	ok &= hit(FX_EXEC(0xe6, 0x80), 0, true);
	breakpoint(0, IO, 1, 0x80);
	fx_cpu.cr4 |= VMON_CR4_DE;
	ok &= hit(FX_EXEC(0xe4, 0x81), 0, true);
	breakpoint(0, IO, 0, 0x80);
	fx_cpu.cr4 |= VMON_CR4_DE;
	tap_ok(ok && missed(FX_EXEC(0xe6, 0x81)), "ports, with CR4.DE alone");
}

static void test_step(void)
{
	breakpoint(0, WRITE, 3, FX_DATA);
	fx_cpu.eflags |= VMON_FL_TF;
	tap_ok(hit(FX_EXEC(0x89, 0x03), 0, true) && (fx_cpu.dr[6] & 0x4000),
	       "together with a single step: one trap, both bits");
}

int main(void)
{
	tap_plan(14);
	test_execute();
	test_data();
	test_shadow();
	test_repeated();
	test_io();
	test_step();
	return tap_done();
}
