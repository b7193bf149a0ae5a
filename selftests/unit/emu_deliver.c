// SPDX-License-Identifier: GPL-2.0
/* Delivery through the IDT, IRET, gates, double faults, tasks, VM86, real mode. */
#include <linux/kernel.h>

#include "emu_fixture.h"

static void interrupt(u8 vector)
{
	struct vmon_emu_exc exc = { .vector = vector };

	vmon_emu_deliver(&fx_emu, &exc);
}

static void test_same_ring(void)
{
	fx_init();
	fx_cpu.eflags |= VMON_FL_IF | VMON_FL_TF;
	interrupt(0x30);
	tap_ok(fx_in_handler(0x30) && fx_cpu.gpr[VMON_ESP] == FX_STACK0 - 12 &&
	       fx_stack(0) == FX_CODE && fx_stack(1) == FX_CODE0 &&
	       fx_stack(2) == (VMON_FL_FIXED | VMON_FL_IF | VMON_FL_TF),
	       "interrupt in ring 0: three dwords");
	tap_ok(!(fx_cpu.eflags & (VMON_FL_IF | VMON_FL_TF)), "IF and TF clear");
	tap_ok(FX_EXEC(0xcf) == VMON_EMU_OK && fx_cpu.eip == FX_CODE &&
	       fx_cpu.gpr[VMON_ESP] == FX_STACK0 &&
	       (fx_cpu.eflags & VMON_FL_IF), "iret in ring 0");
}

static void test_inner_ring(void)
{
	fx_init();
	fx_ring(3);
	fx_cpu.eflags |= VMON_FL_IF;
	fx_deliver();	/* nothing yet: vector 0, no matter */
	fx_init();
	fx_ring(3);
	fx_cpu.eflags |= VMON_FL_IF;
	tap_ok(fx_raised(FX_EXEC(0xcd, 0x80), 0x80, -1) && fx_emu.exc.soft &&
	       fx_cpu.eip == FX_CODE + 2, "int 80h is a trap");
	fx_deliver();
	tap_ok(fx_in_handler(0x80) && fx_cpu.cpl == 0 &&
	       fx_cpu.seg[VMON_SS].sel == FX_DATA0 &&
	       fx_cpu.gpr[VMON_ESP] == FX_STACK0 - 20, "stack of the TSS");
	tap_ok(fx_stack(0) == FX_CODE + 2 && fx_stack(1) == FX_CODE3 &&
	       fx_stack(3) == FX_STACK3 && fx_stack(4) == FX_DATA3,
	       "five dwords");
	tap_ok(fx_cpu.eflags & VMON_FL_IF, "a trap gate leaves IF");
	tap_ok(FX_EXEC(0xcf) == VMON_EMU_OK && fx_cpu.cpl == 3 &&
	       fx_cpu.gpr[VMON_ESP] == FX_STACK3 &&
	       fx_cpu.eip == FX_CODE + 2, "iret to ring 3");
	tap_ok(fx_raised(FX_EXEC(0xcd, 0x30), 0x30, -1), "int 30h");
	fx_deliver();
	tap_ok(fx_in_handler(13) && fx_stack(0) == 0x30 * 8 + 2 &&
	       fx_stack(1) == FX_CODE + 2,
	       "gate with DPL 0: #GP(vector * 8 + 2), EIP at the INT");
	/* Ring 0 data registers do not survive the way out. */
	fx_init();
	fx_cpu.gpr[VMON_ESP] -= 20;
	fx_put32(FX_STACK0 - 20, FX_CODE);
	fx_put32(FX_STACK0 - 16, FX_CODE3);
	fx_put32(FX_STACK0 - 12, 0x202);
	fx_put32(FX_STACK0 - 8, FX_STACK3);
	fx_put32(FX_STACK0 - 4, FX_DATA3);
	tap_ok(FX_EXEC(0xcf) == VMON_EMU_OK && fx_cpu.seg[VMON_DS].sel == 0 &&
	       !(fx_cpu.seg[VMON_DS].attr & VMON_SEG_P),
	       "iret to an outer ring nulls DS of ring 0");
}

static void test_iret_checks(void)
{
	static const struct {
		const char *name;
		u16 cs, ss;
		u8 vector;
		u16 error;
	} rows[] = {
		{ "null CS", 0, FX_DATA3, 13, 0 },
		{ "CS is data", FX_DATA3, FX_DATA3, 13, FX_DATA3 & ~3 },
		{ "RPL 3 to DPL 0", FX_CODE0 | 3, FX_DATA3, 13, FX_CODE0 },
		{ "null SS", FX_CODE3, 0, 13, 0 },
		{ "SS of ring 0", FX_CODE3, FX_DATA0, 13, FX_DATA0 },
		{ "SS absent", FX_CODE3, FX_ABSENT | 3, 12, FX_ABSENT },
		{ "SS read-only", FX_CODE3, FX_RODATA, 13, FX_RODATA & ~3 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fx_init();
		fx_cpu.gpr[VMON_ESP] -= 20;
		fx_put32(FX_STACK0 - 20, FX_CODE);
		fx_put32(FX_STACK0 - 16, rows[i].cs);
		fx_put32(FX_STACK0 - 12, 0x202);
		fx_put32(FX_STACK0 - 8, FX_STACK3);
		fx_put32(FX_STACK0 - 4, rows[i].ss);
		tap_ok(fx_raised(FX_EXEC(0xcf), rows[i].vector,
				 rows[i].error) &&
		       fx_cpu.cpl == 0 && fx_cpu.gpr[VMON_ESP] == FX_STACK0 - 20,
		       "iret: %s", rows[i].name);
	}
}

static void test_double_fault(void)
{
	fx_init();
	fx_idt(13, FX_CODE0, 0, 0x0e);		/* absent */
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x22, 0xe0), 13, 0) ||
	       fx_raised(FX_EXEC(0x8e, 0xd0), 13, 0), "a #GP to begin with");
	fx_deliver();
	tap_ok(fx_in_handler(8) && fx_stack(0) == 0, "#NP in #GP: #DF(0)");
	fx_init();
	fx_idt(13, FX_CODE0, 0, 0x0e);
	fx_idt(8, FX_CODE0, 0, 0x0e);
	FX_EXEC(0x8e, 0xd0);
	fx_deliver();
	tap_ok(fx_cpu.shutdown, "and #NP in #DF: shutdown");
	fx_init();
	fx_idt(6, FX_CODE0, 0, 0x0e);
	FX_EXEC(0x0f, 0x0b);
	fx_deliver();
	tap_ok(fx_in_handler(11) && fx_stack(0) == 6 * 8 + 3,
	       "#NP in #UD: #NP with EXT");
	fx_init();
	fx_cpu.idtr.limit = 0x1f;
	FX_EXEC(0x0f, 0x0b);
	fx_deliver();
	tap_ok(fx_cpu.shutdown, "an IDT too short for anything: shutdown");
	fx_init();
	fx_ring(3);
	fx_put32(FX_TSS + 8, FX_DATA3);
	FX_EXEC(0x0f, 0x0b);
	fx_deliver();
	tap_ok(fx_cpu.shutdown || fx_in_handler(8),
	       "a bad SS0 cannot be reported on that stack");
}

static void test_rf_and_tf(void)
{
	fx_init();
	FX_EXEC(0x0f, 0x0b);
	fx_deliver();
	tap_ok(fx_stack(2) & VMON_FL_RF, "a fault pushes RF");
	fx_init();
	fx_cpu.eflags |= VMON_FL_TF;
	tap_ok(fx_raised(FX_EXEC(0x90), 1, -1) && fx_emu.exc.trap &&
	       (fx_cpu.dr[6] & 0x4000) && fx_cpu.eip == FX_CODE + 1,
	       "TF: #DB after the instruction");
	fx_deliver();
	tap_ok(fx_in_handler(1) && !(fx_stack(2) & VMON_FL_RF),
	       "a trap does not push RF");
	fx_init();
	fx_cpu.eflags |= VMON_FL_TF;
	fx_cpu.gpr[VMON_EAX] = FX_DATA0;
	tap_ok(FX_EXEC(0x8e, 0xd0) == VMON_EMU_OK &&
	       fx_cpu.shadow == VMON_SHADOW_SS, "MOV SS holds the trap back");
	fx_init();
	fx_cpu.eflags |= VMON_FL_RF;
	FX_EXEC(0x90);
	tap_ok(!(fx_cpu.eflags & VMON_FL_RF), "an instruction clears RF");
}

static void test_call_gate(void)
{
	fx_init();
	fx_ring(3);
	fx_ram[FX_GDT + FX_GATE + 4] = 2;	/* two parameters */
	fx_cpu.gpr[VMON_ESP] -= 8;
	fx_put32(FX_STACK3 - 8, 0x1111);
	fx_put32(FX_STACK3 - 4, 0x2222);
	tap_ok(FX_EXEC(0x9a, 0, 0, 0, 0, FX_GATE, 0) == VMON_EMU_OK &&
	       fx_cpu.cpl == 0 && fx_cpu.eip == FX_HANDLERS + 0x1000,
	       "call gate to ring 0");
	tap_ok(fx_cpu.gpr[VMON_ESP] == FX_STACK0 - 24 &&
	       fx_stack(0) == FX_CODE + 7 && fx_stack(1) == FX_CODE3 &&
	       fx_stack(2) == 0x1111 && fx_stack(3) == 0x2222 &&
	       fx_stack(4) == FX_STACK3 - 8 && fx_stack(5) == FX_DATA3,
	       "frame with copied parameters");
	tap_ok(FX_EXEC(0xca, 8, 0) == VMON_EMU_OK && fx_cpu.cpl == 3 &&
	       fx_cpu.gpr[VMON_ESP] == FX_STACK3, "retf 8 back to ring 3");
	tap_ok(fx_raised(FX_EXEC(0x9a, 0, 0, 0, 0, FX_GATE_ABSENT, 0), 13,
			 FX_GATE_ABSENT), "gate with DPL 0 from ring 3: #GP");
	fx_ring(0);
	tap_ok(fx_raised(FX_EXEC(0x9a, 0, 0, 0, 0, FX_GATE_ABSENT, 0), 11,
			 FX_GATE_ABSENT), "absent gate: #NP");
	fx_ring(3);
	tap_ok(FX_EXEC(0x9a, 0, 0, 2, 0, FX_CONFORMING, 0) == VMON_EMU_OK &&
	       fx_cpu.cpl == 3 && fx_cpu.seg[VMON_CS].sel == (FX_CONFORMING | 3),
	       "conforming code runs at the caller's level");
}

static void test_vm86(void)
{
	fx_init();
	fx_cpu.gpr[VMON_ESP] -= 36;
	fx_put32(FX_STACK0 - 36, 0x0100);		/* EIP */
	fx_put32(FX_STACK0 - 32, 0x1000);		/* CS */
	fx_put32(FX_STACK0 - 28, VMON_FL_VM | 0x202);
	fx_put32(FX_STACK0 - 24, 0x0800);		/* ESP */
	fx_put32(FX_STACK0 - 20, 0x2000);		/* SS */
	fx_put32(FX_STACK0 - 16, 0x4001);		/* ES */
	fx_put32(FX_STACK0 - 12, 0x4002);		/* DS */
	tap_ok(FX_EXEC(0xcf) == VMON_EMU_OK && (fx_cpu.eflags & VMON_FL_VM) &&
	       fx_cpu.cpl == 3 && fx_cpu.seg[VMON_CS].base == 0x10000 &&
	       fx_cpu.seg[VMON_DS].base == 0x40020, "iret to VM86");
	tap_ok(FX_EXEC(0xa1, 0, 0) == VMON_EMU_OK, "16-bit code runs");
	tap_ok(fx_raised(FX_EXEC(0xfa), 13, 0), "cli with IOPL 0: #GP");
	tap_ok(fx_raised(FX_EXEC(0x9c), 13, 0), "pushf too");
	tap_ok(fx_raised(FX_EXEC(0xcd, 0x21), 13, 0), "int n too");
	tap_ok(fx_raised(FX_EXEC(0xf4), 13, 0), "hlt too");
	tap_ok(fx_raised(FX_EXEC(0x0f, 0x00, 0xc8), 6, -1), "str: #UD");
	FX_EXEC(0xfa);
	fx_deliver();
	tap_ok(fx_in_handler(13) && fx_cpu.cpl == 0 &&
	       fx_cpu.gpr[VMON_ESP] == FX_STACK0 - 40 &&
	       fx_stack(0) == 0 && fx_stack(2) == 0x1000 &&
	       fx_stack(5) == 0x2000 && fx_stack(6) == 0x4001 &&
	       !(fx_cpu.eflags & VMON_FL_VM) && fx_cpu.seg[VMON_DS].sel == 0,
	       "delivery from VM86 pushes ten dwords and nulls DS");
}

static void test_real_mode(void)
{
	vmon_cpu_reset(&fx_cpu);
	memset(fx_ram, 0, sizeof(fx_ram));
	fx_cpu.idtr.limit = 0x3ff;
	fx_cpu.seg[VMON_CS].sel = 0x1000;
	fx_cpu.seg[VMON_CS].base = 0x10000;
	fx_cpu.eip = 0x20;
	fx_cpu.gpr[VMON_ESP] = 0x1000;
	fx_put16(0x21 * 4, 0x1234);
	fx_put16(0x21 * 4 + 2, 0x2000);
	FX_EXEC(0xcd, 0x21);
	fx_deliver();
	tap_ok(fx_cpu.eip == 0x1234 && fx_cpu.seg[VMON_CS].base == 0x20000 &&
	       fx_get16(0xffa) == 0x22 && fx_get16(0xffc) == 0x1000,
	       "real mode: int 21h");
	tap_ok(FX_EXEC(0xcf) == VMON_EMU_OK && fx_cpu.eip == 0x22 &&
	       fx_cpu.seg[VMON_CS].sel == 0x1000, "real mode: iret");
	tap_ok(fx_raised(FX_EXEC(0xa1, 0xff, 0xff), 13, 0),
	       "real mode: a word at FFFF: #GP");
	fx_deliver();
	tap_ok(fx_get16(0xffa) == 0x22 && (u16)fx_cpu.gpr[VMON_ESP] == 0xffa,
	       "real mode pushes no error code");
}

static void test_task_switch(void)
{
	fx_init();
	fx_put32(FX_TSS2 + 0x20, FX_CODE + 0x100);
	fx_put32(FX_TSS2 + 0x24, 0x202);
	fx_put32(FX_TSS2 + 0x28, 0xabcd);
	fx_put32(FX_TSS2 + 0x38, FX_STACK1);
	fx_put32(FX_TSS2 + 0x48, FX_DATA0);
	fx_put32(FX_TSS2 + 0x4c, FX_CODE0);
	fx_put32(FX_TSS2 + 0x50, FX_DATA0);
	fx_put32(FX_TSS2 + 0x54, FX_DATA0);
	fx_cpu.gpr[VMON_EBX] = 0x5555;
	tap_ok(FX_EXEC(0x9a, 0, 0, 0, 0, FX_TASKGATE, 0) == VMON_EMU_OK &&
	       fx_cpu.eip == FX_CODE + 0x100 && fx_cpu.gpr[VMON_EAX] == 0xabcd &&
	       fx_cpu.seg[VMON_TR].sel == FX_TR2, "call through a task gate");
	tap_ok((fx_cpu.eflags & VMON_FL_NT) && (fx_cpu.cr0 & VMON_CR0_TS) &&
	       fx_get16(FX_TSS2) == FX_TR, "NT, TS and the back link");
	tap_ok(fx_get32(FX_TSS + 0x20) == FX_CODE + 7 &&
	       fx_get32(FX_TSS + 0x34) == 0x5555, "the old task is saved");
	tap_ok(FX_EXEC(0xcf) == VMON_EMU_OK && fx_cpu.eip == FX_CODE + 7 &&
	       fx_cpu.gpr[VMON_EBX] == 0x5555 &&
	       fx_cpu.seg[VMON_TR].sel == FX_TR &&
	       !(fx_cpu.eflags & VMON_FL_NT), "iret returns to it");
	tap_ok((fx_ram[FX_GDT + FX_TR2 + 5] & 15) == 9 &&
	       (fx_ram[FX_GDT + FX_TR + 5] & 15) == 11, "busy bits");
	fx_idt(8, FX_TR2, 0, 0x85);
	fx_idt(13, FX_CODE0, 0, 0x0e);
	fx_put32(FX_TSS2 + 0x20, FX_CODE + 0x100);
	fx_put32(FX_TSS2 + 0x38, FX_STACK1);
	FX_EXEC(0x8e, 0xd0);
	fx_deliver();
	tap_ok(fx_cpu.seg[VMON_TR].sel == FX_TR2 && fx_stack(0) == 0 &&
	       fx_cpu.gpr[VMON_ESP] == FX_STACK1 - 4,
	       "#DF through a task gate pushes its error code there");
	fx_init();
	tap_ok(fx_raised(FX_EXEC(0xea, 0, 0, 0, 0, FX_TR, 0), 13, FX_TR),
	       "a busy TSS: #GP");
	fx_desc(FX_TR2, FX_TSS2, 0x66, 0xe9, 0);
	tap_ok(fx_raised(FX_EXEC(0xea, 0, 0, 0, 0, FX_TR2, 0), 10, FX_TR2),
	       "a TSS too short: #TS");
}

static void test_sysenter(void)
{
	fx_init();
	fx_ring(3);
	fx_cpu.eflags |= VMON_FL_IF;
	fx_cpu.sysenter_cs = FX_CODE0;
	fx_cpu.sysenter_esp = FX_STACK0;
	fx_cpu.sysenter_eip = FX_CODE + 0x200;
	tap_ok(FX_EXEC(0x0f, 0x34) == VMON_EMU_OK && fx_cpu.cpl == 0 &&
	       fx_cpu.eip == FX_CODE + 0x200 &&
	       fx_cpu.gpr[VMON_ESP] == FX_STACK0 &&
	       !(fx_cpu.eflags & VMON_FL_IF), "sysenter");
	fx_cpu.gpr[VMON_EDX] = FX_CODE;
	fx_cpu.gpr[VMON_ECX] = FX_STACK3;
	tap_ok(FX_EXEC(0x0f, 0x35) == VMON_EMU_OK && fx_cpu.cpl == 3 &&
	       fx_cpu.seg[VMON_CS].sel == FX_CODE3 &&
	       fx_cpu.seg[VMON_SS].sel == FX_DATA3 &&
	       fx_cpu.eip == FX_CODE, "sysexit");
}

static void test_rep(void)
{
	fx_init();
	fx_cpu.gpr[VMON_ECX] = 1000;
	fx_cpu.gpr[VMON_EDI] = FX_DATA;
	fx_cpu.gpr[VMON_EAX] = 0x77;
	tap_ok(FX_EXEC(0xf3, 0xaa) == VMON_EMU_OK && fx_cpu.eip == FX_CODE &&
	       fx_cpu.gpr[VMON_ECX] == 1000 - 256, "rep stops to breathe");
	while (fx_cpu.eip == FX_CODE)
		vmon_emulate(&fx_emu);
	tap_ok(!fx_cpu.gpr[VMON_ECX] && fx_ram[FX_DATA + 999] == 0x77 &&
	       !fx_ram[FX_DATA + 1000], "and goes on to the end");
	fx_load(VMON_ES, FX_SMALL);
	fx_cpu.eip = FX_CODE;
	fx_cpu.gpr[VMON_ECX] = 20;
	fx_cpu.gpr[VMON_EDI] = 0;
	tap_ok(fx_raised(FX_EXEC(0xf3, 0xaa), 13, 0) &&
	       fx_cpu.gpr[VMON_ECX] == 4 && fx_cpu.gpr[VMON_EDI] == 16 &&
	       fx_cpu.eip == FX_CODE, "a fault keeps the iterations done");
}

int main(void)
{
	tap_plan(3 + 8 + 7 + 6 + 5 + 6 + 8 + 4 + 8 + 2 + 3);
	test_same_ring();
	test_inner_ring();
	test_iret_checks();
	test_double_fault();
	test_rf_and_tf();
	test_call_gate();
	test_vm86();
	test_real_mode();
	test_task_switch();
	test_sysenter();
	test_rep();
	return tap_done();
}
