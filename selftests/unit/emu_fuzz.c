// SPDX-License-Identifier: GPL-2.0
/*
 * Random bytes in random modes, under sanitizers. What must hold whatever the
 * instruction: a result of the known ones; a fault leaves registers, segments
 * and flags as they were (REP's registers excepted); bit 1 of EFLAGS is set; CPL
 * agrees with the mode; delivery ends.
 */
#include "emu_fixture.h"

#define ROUNDS	60000

static u64 seed = 12345;

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

static void enter_vm86(void)
{
	unsigned int i;

	fx_cpu.eflags |= VMON_FL_VM | (rnd() & VMON_FL_IOPL);
	fx_cpu.cpl = 3;
	for (i = 0; i < VMON_NR_SREGS; i++) {
		fx_cpu.seg[i].sel = 0x1000 * (i + 1);
		fx_cpu.seg[i].base = 0x10000 * (i + 1);
		fx_cpu.seg[i].limit = 0xffff;
		fx_cpu.seg[i].attr = 0xf3;
	}
	fx_cpu.eip &= 0xffff;
}

static void random_state(void)
{
	unsigned int i, mode = rnd() % 5;

	fx_init();
	for (i = 0; i < 8; i++)
		fx_cpu.gpr[i] = rnd() % 3 ? rnd() % FX_RAM : rnd();
	fx_cpu.eflags |= rnd() & (VMON_FL_ARITH | VMON_FL_DF | VMON_FL_IF |
				  VMON_FL_NT | VMON_FL_TF | VMON_FL_AC);
	switch (mode) {
	case 0:
		break;
	case 1:
		fx_ring(3);
		fx_cpu.cr0 |= rnd() & VMON_CR0_AM;
		break;
	case 2:
		fx_load(VMON_CS, FX_CODE16);
		fx_cpu.eip &= 0xffff;
		break;
	case 3:
		enter_vm86();
		break;
	default:
		vmon_cpu_reset(&fx_cpu);
		fx_cpu.seg[VMON_CS].base = 0;
		fx_cpu.eip = 0x8000;
		break;
	}
}

static bool undone(const struct vmon_cpu *a, const struct vmon_cpu *b)
{
	bool rep = fx_emu.insn.flags & VMON_I_STRING;

	return a->eip == b->eip && a->eflags == b->eflags && a->cpl == b->cpl &&
	       (rep || !memcmp(a->gpr, b->gpr, sizeof(a->gpr))) &&
	       !memcmp(a->seg, b->seg, sizeof(a->seg)) &&
	       a->cr0 == b->cr0 && a->cr3 == b->cr3 && a->cr4 == b->cr4;
}

static bool sane(const struct vmon_cpu *cpu)
{
	if (!(cpu->eflags & VMON_FL_FIXED))
		return false;
	if (cpu->eflags & VMON_FL_VM)
		return cpu->cpl == 3 && (cpu->cr0 & VMON_CR0_PE);
	return cpu->cpl <= 3;
}

int main(void)
{
	unsigned int i, j, bad_result = 0, bad_undo = 0, bad_state = 0;
	unsigned int counts[5] = { 0 };

	tap_plan(4);
	for (i = 0; i < ROUNDS; i++) {
		struct vmon_cpu before;
		u8 bytes[15];
		int ret;

		random_state();
		for (j = 0; j < sizeof(bytes); j++)
			bytes[j] = rnd();
		if (rnd() % 3 == 0)
			bytes[0] = 0x0f;
		before = fx_cpu;
		ret = fx_exec(bytes, sizeof(bytes));
		if (ret < VMON_EMU_OK || ret > VMON_EMU_UNSUPPORTED) {
			bad_result++;
			continue;
		}
		counts[ret]++;
		if (ret != VMON_EMU_OK && !fx_emu.exc.trap && !fx_emu.keep &&
		    !undone(&before, &fx_cpu))
			bad_undo++;
		if (ret == VMON_EMU_FAULT)
			ret = fx_deliver();
		if (ret == VMON_EMU_FAULT)
			bad_result++;
		if (!sane(&fx_cpu))
			bad_state++;
	}
	tap_ok(!bad_result, "every call ends in a known result");
	tap_ok(!bad_undo, "a fault leaves the state as it was (%u did not)",
	       bad_undo);
	tap_ok(!bad_state, "mode and privilege agree (%u did not)", bad_state);
	tap_ok(counts[0] > ROUNDS / 10 && counts[1] > ROUNDS / 10,
	       "%u executed, %u faulted, %u FPU, %u unsupported", counts[0],
	       counts[1], counts[3], counts[4]);
	return tap_done();
}
