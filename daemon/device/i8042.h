/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The keyboard controller at 60h/64h, with nothing plugged in: IRQ 1 and 12.
 */
#ifndef VMON_DEVICE_I8042_H
#define VMON_DEVICE_I8042_H

#include "device/device.h"

#define I8042_DATA	0x60
#define I8042_COMMAND	0x64
#define I8042_RAM	32

struct i8042_state {
	u8 status;
	u8 output;		/* what a read of port 60h returns */
	u8 port;		/* output port: reset, A20 */
	u8 command;		/* awaits its parameter, 0 for none */
	u8 irq_kbd, irq_aux;	/* levels of the interrupt lines */
	u8 ram[I8042_RAM];	/* byte 0 is the command byte */
};

struct i8042 {
	struct device dev;
	struct i8042_state s;
};

void i8042_init(struct i8042 *kbc, struct device_host *host);

#endif /* VMON_DEVICE_I8042_H */
