/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PC's clock and its battery-backed memory: an MC146818 at 70h/71h, IRQ 8.
 */
#ifndef VMON_DEVICE_RTC_H
#define VMON_DEVICE_RTC_H

#include "device/device.h"

#define RTC_PORT	0x70
#define RTC_IRQ		8
#define RTC_BYTES	128

struct rtc_state {
	u8 index;
	u8 irq;			/* level of the interrupt line */
	u8 ram[RTC_BYTES];	/* time bytes are valid only while SET is on */
	s64 offset;		/* guest's clock minus host's, seconds */
	u64 updated;		/* last second seen, guest's clock */
	u64 period;		/* last periodic interval seen, counted */
};

/**
 * struct rtc - the clock
 * @dev:	the device
 * @memory:	guest RAM in bytes, as the memory bytes tell it
 * @s:		registers
 */
struct rtc {
	struct device dev;
	u64 memory;
	struct rtc_state s;
};

void rtc_init(struct rtc *rtc, struct device_host *host, u64 memory);

#endif /* VMON_DEVICE_RTC_H */
