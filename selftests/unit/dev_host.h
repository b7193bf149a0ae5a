/* SPDX-License-Identifier: GPL-2.0 */
/* A machine that a device under test is in: it remembers what the device asked. */
#ifndef VMON_UNIT_DEV_HOST_H
#define VMON_UNIT_DEV_HOST_H

#include <string.h>

#include "device/device.h"

struct test_host {
	struct device_host host;
	bool level[16];
	unsigned int rises[16];
	unsigned int ends;
	enum device_end how;
	u32 value;
	u64 now;
};

static void test_irq(struct device_host *host, unsigned int line, bool level)
{
	struct test_host *t = container_of(host, struct test_host, host);

	if (level && !t->level[line])
		t->rises[line]++;
	t->level[line] = level;
}

static void test_end(struct device_host *host, enum device_end how, u32 value)
{
	struct test_host *t = container_of(host, struct test_host, host);

	t->ends++;
	t->how = how;
	t->value = value;
}

static u64 test_now(struct device_host *host)
{
	return container_of(host, struct test_host, host)->now;
}

static inline void test_host_init(struct test_host *t)
{
	memset(t, 0, sizeof(*t));
	t->host = (struct device_host){ .irq = test_irq, .end = test_end, .now = test_now };
}

#endif /* VMON_UNIT_DEV_HOST_H */
