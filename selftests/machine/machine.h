/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reference machine: a PC in userspace whose CPU is the emulator alone.
 *
 * What runs here runs on module/emulator, module/mmu/walk and module/vm, on
 * nothing else (x87 and SSE arithmetic excepted, which the host's FPU does). So
 * it is the test of those, and the oracle for the translator: deterministic,
 * one instruction a step, time counted in instructions.
 */
#ifndef SELFTESTS_MACHINE_H
#define SELFTESTS_MACHINE_H

#include <linux/types.h>
#include <stdio.h>

#include "emulator/emulate.h"
#include "irqchip/pic.h"
#include "irqchip/pit.h"
#include "mmu/walk.h"
#include "vm/cpu.h"

#define MACHINE_NS_PER_INSN	10
#define MACHINE_TLB_SIZE	4096
#define MACHINE_CODE_SIZE	32768

/* A translation; the tags tell which kinds of access it was made for. */
struct machine_tlb {
	u32 tag[3];	/* read, write, execute */
	u8 *host;
};

/* A decoded instruction, valid as long as the bytes at @host are the same. */
struct machine_code {
	const u8 *host;
	bool code32;
	struct vmon_insn insn;
} __attribute__((aligned(64)));

struct machine_uart {
	u8 ier, lcr, mcr, scr, fcr, dll, dlm;
	bool thr_irq;
	u8 fifo[1024];
	unsigned int head, tail;
};

struct machine {
	struct vmon_cpu cpu;
	struct vmon_emu emu;
	u8 *ram;
	u64 ram_size;
	struct vmon_pic pic;
	struct vmon_pit pit;
	struct machine_uart uart;
	u8 cmos_index;
	u64 insns;		/* executed */
	u64 skipped_ns;		/* time passed in HLT */
	u64 next_event;		/* value of insns at which devices are looked at */
	bool stop;		/* the guest asked for a reset */
	FILE *console;		/* serial output */
	unsigned long stat_fpu, stat_irq, stat_exc, stat_decode;
	u32 tlb_epoch;
	struct machine_tlb tlb[MACHINE_TLB_SIZE];
	struct machine_code code[MACHINE_CODE_SIZE];
};

enum machine_result {
	MACHINE_RUNNING,
	MACHINE_RESET,		/* reset port, keyboard controller, triple fault */
	MACHINE_UNSUPPORTED,	/* machine_report() says what */
	MACHINE_DEADLOCK,	/* HLT with interrupts off */
};

/**
 * machine_new() - a machine at power-on
 * @ram_size:	bytes of RAM from address 0
 */
struct machine *machine_new(u64 ram_size);
void machine_free(struct machine *m);

/**
 * machine_step() - one instruction, or one event delivered
 */
enum machine_result machine_step(struct machine *m);

/* CPU state and the instruction at hand, for people. */
void machine_report(struct machine *m, FILE *to);

/* Guest time in ns. */
static inline u64 machine_now(const struct machine *m)
{
	return m->insns * MACHINE_NS_PER_INSN + m->skipped_ns;
}

/* boot.c: Linux's 32-bit boot protocol. */
int machine_load_linux(struct machine *m, const char *kernel,
		       const char *initrd, const char *cmdline);

/* devices.c */
void devices_reset(struct machine *m);
u32 devices_in(struct machine *m, u16 port, unsigned int len);
void devices_out(struct machine *m, u16 port, unsigned int len, u32 val);
void devices_update(struct machine *m);
void devices_input(struct machine *m, const u8 *buf, unsigned int len);
unsigned int devices_input_room(const struct machine *m);

/* native_fpu.c: run m->emu.insn on the host's FPU. */
int native_fpu(struct machine *m);
int native_fpu_init(void);

#endif /* SELFTESTS_MACHINE_H */
