/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fake engine's VMs and their guests, as they are in the file that outlives the daemon.
 */
#ifndef VMON_TEST_FAKE_GUEST_H
#define VMON_TEST_FAKE_GUEST_H

#include <sys/types.h>

#include "test/fake_script.h"
#include "vmond/engine.h"

#define TEXT_SIZE	65536

enum phase {
	GREET, BULK_OUT, COUNT, COUNT_LSR, COUNT_SCR, OBEY, ECHO_IDLE, ECHO_POLL, ECHO_LSR,
	ECHO_BYTE, BUTTON, SCRIPT, DONE,
};

/* All that the module and the guest know. */
struct guest {
	char append[128];
	struct fake_script script;
	struct script_line line;
	u32 state, cause;
	char report[128];
	enum phase phase;
	u32 seq, done;
	size_t at;
	u32 count;		/* lines printed */
	bool reading;		/* waits for an answer */
	bool answered;
	bool irq;		/* line 4 */
	bool sci;		/* ACPI's */
	bool reborn;
	u32 answer;
	struct engine_io window[VMON_IO_WINDOW];
	struct vmon_regs regs;
};

/* A VM: its guest twice, of which one is how it is and the other how it is going to be. */
struct fake_vm {
	bool used;
	pid_t owner;
	u32 claim_ms;
	char name[VMON_NAME_MAX + 1];
	u32 exec;
	bool selfcheck;
	u32 range_com1, range_i8042, range_exit, range_pm;
	u64 ram_size;
	u32 now;
	struct guest guest[2];
	char text[TEXT_SIZE];
};

/* Advance the guest by up to @max accesses. */
void fake_guest_step(const struct fake_vm *f, struct guest *g, unsigned int max);

#endif /* VMON_TEST_FAKE_GUEST_H */
