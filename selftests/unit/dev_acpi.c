// SPDX-License-Identifier: GPL-2.0
/* ACPI's fixed hardware as Linux drives it: events, the button, power-off, saving. */
#include "tap.h"
#include "dev_host.h"
#include "device/machine.h"

#define EN	(ACPI_PM_EVENT + 2)
#define BUTTON	0x0100
#define GLOBAL	0x0020
#define ALL	0x0720

static struct test_host t;
static struct machine m;

static void start(void)
{
	test_host_init(&t);
	machine_init(&m, &t.host, 64 << 20, false, NULL);
}

static u32 in(u16 port, unsigned int size)
{
	struct device *dev = machine_find(&m, DEVICE_PORT, port);

	return dev ? device_read(dev, port, size) : 0xffffffff;
}

static void out(u16 port, unsigned int size, u32 value)
{
	struct device *dev = machine_find(&m, DEVICE_PORT, port);

	if (dev)
		device_write(dev, port, size, value);
}

static void test_mode(void)
{
	start();
	tap_ok(in(ACPI_PM_CONTROL, 2) == 1, "ACPI mode from power-on");
	out(ACPI_PM_CONTROL, 2, 0);
	tap_ok(in(ACPI_PM_CONTROL, 2) == 1, "and it is not left");
	out(EN, 2, 0xffff);
	tap_ok(in(EN, 2) == ALL, "events that can be enabled");
	out(EN, 2, GLOBAL);
	tap_ok(in(EN, 2) == GLOBAL && !acpi_pm_listens(&m.acpi_pm), "nobody listens");
	out(EN + 1, 1, BUTTON >> 8);
	tap_ok(in(EN, 2) == (BUTTON | GLOBAL) && acpi_pm_listens(&m.acpi_pm),
	       "a byte alone: somebody listens");
	tap_ok(in(ACPI_PM_EVENT, 4) == (BUTTON | GLOBAL) << 16 && in(ACPI_PM_CONTROL + 2, 1) ==
	       0xffffffff, "both registers at once; nothing behind them");
}

static void test_button(void)
{
	start();
	acpi_pm_press(&m.acpi_pm);
	tap_ok(!t.level[9] && in(ACPI_PM_EVENT, 2) == BUTTON, "pressed: status, no interrupt");
	out(EN, 2, BUTTON);
	tap_ok(t.level[9], "enabled: interrupt");
	out(ACPI_PM_EVENT, 2, 0xffff & ~BUTTON);
	tap_ok(t.level[9] && in(ACPI_PM_EVENT, 2) == BUTTON, "other bits clear others");
	out(ACPI_PM_EVENT, 2, BUTTON);
	tap_ok(!t.level[9] && !in(ACPI_PM_EVENT, 2), "cleared: no interrupt");
	acpi_pm_press(&m.acpi_pm);
	acpi_pm_press(&m.acpi_pm);
	tap_ok(t.level[9] && t.rises[9] == 2, "pressed twice: one interrupt more");
	out(EN, 2, 0);
	tap_ok(!t.level[9], "disabled: none");
	out(EN, 2, BUTTON);
	machine_reset(&m);
	tap_ok(!t.level[9] && !in(EN, 2) && !in(ACPI_PM_EVENT, 2), "a reset clears all");
}

/* drivers/acpi/acpica/hwsleep.c: the type first, then the type and the bit. */
static void test_power_off(void)
{
	start();
	out(ACPI_PM_CONTROL, 2, 1 | ACPI_PM_S5 << 10);
	tap_ok(!t.ends && in(ACPI_PM_CONTROL, 2) == (1 | ACPI_PM_S5 << 10), "the sleep type alone");
	out(ACPI_PM_CONTROL, 2, 1 | ACPI_PM_S5 << 10 | 0x2000);
	tap_ok(t.ends == 1 && t.how == DEVICE_END_POWER_OFF, "power-off");
	tap_ok(in(ACPI_PM_CONTROL, 2) == (1 | ACPI_PM_S5 << 10), "the bit reads as zero");
	start();
	out(ACPI_PM_CONTROL, 2, 3 << 10 | 0x2000);
	tap_ok(!t.ends, "another sleep type does nothing");
	out(ACPI_PM_CONTROL + 1, 1, ACPI_PM_S5 << 2 | 0x20);
	tap_ok(t.ends == 1, "by bytes, too");
}

static void test_save(void)
{
	struct device *dev = &m.acpi_pm.dev;
	u8 saved[64], bad[64];
	size_t size;

	start();
	out(EN, 2, BUTTON);
	acpi_pm_press(&m.acpi_pm);
	size = dev->ops->save(dev, saved, sizeof(saved));
	machine_reset(&m);
	tap_ok(!dev->ops->restore(dev, saved, size) && t.level[9] &&
	       in(ACPI_PM_EVENT, 4) == (BUTTON << 16 | BUTTON), "saved and restored");
	memset(bad, 0xff, sizeof(bad));
	memcpy(bad, saved, 8);
	tap_ok(dev->ops->restore(dev, bad, size) == -22 && t.level[9],
	       "bits that do not exist are refused");
}

int main(void)
{
	tap_plan(6 + 7 + 5 + 2);
	test_mode();
	test_button();
	test_power_off();
	test_save();
	return tap_done();
}
