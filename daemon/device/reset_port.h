/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System control port A at 92h: fast reset and the A20 gate.
 */
#ifndef VMON_DEVICE_RESET_PORT_H
#define VMON_DEVICE_RESET_PORT_H

#include "device/device.h"

struct reset_port {
	struct device dev;
	u8 value;		/* last byte written */
};

void reset_port_init(struct reset_port *port, struct device_host *host);

#endif /* VMON_DEVICE_RESET_PORT_H */
