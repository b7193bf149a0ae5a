/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A port that ends the guest with an exit status, for test guests.
 */
#ifndef VMON_DEVICE_DEBUG_EXIT_H
#define VMON_DEVICE_DEBUG_EXIT_H

#include "device/device.h"

struct debug_exit {
	struct device dev;
	u8 value;		/* last byte written */
};

void debug_exit_init(struct debug_exit *port, struct device_host *host);

#endif /* VMON_DEVICE_DEBUG_EXIT_H */
