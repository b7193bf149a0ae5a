// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI fixed hardware (ACPI Specification 6.4, 4.8): the PM1a event and control registers,
 * as much of them as a power button and power-off need.
 *
 * ACPI mode is on from power-on: no SMI command port exists that would switch it (5.2.9,
 * SMI_CMD is zero), so SCI_EN reads as one and cannot be written. Whether a guest minds its
 * power button shows in the enable register. There is no power management timer, which ACPI
 * has made optional (5.2.9, PM_TMR_BLK): each look at it would be an exit to the daemon, and a
 * guest that finds none does not take it for its clock.
 *
 * The SCI is level triggered and nobody else's: a guest that shared it with a disk would
 * have to read these registers at every interrupt of that disk.
 */
#include <errno.h>
#include <string.h>

#include "device/acpi_pm.h"

/* PM1 status and enable registers, 4.8.3.1. */
#define PM1_GLOBAL_LOCK	0x0020
#define PM1_BUTTON	0x0100
#define PM1_SLEEP	0x0200
#define PM1_CLOCK	0x0400

/* PM1 control register, 4.8.3.2.1. */
#define CTL_SCI_EN	0x0001
#define CTL_BM_RELOAD	0x0002
#define CTL_SLP_TYP	0x1c00
#define CTL_SLP_SHIFT	10
#define CTL_SLP_EN	0x2000

/*
 * Events that can be enabled. Of these only the button's ever comes: no firmware takes the
 * global lock, there is no other button, and nothing wakes up a machine that is off.
 */
#define STATUS_BITS	PM1_BUTTON
#define ENABLE_BITS	(PM1_GLOBAL_LOCK | PM1_BUTTON | PM1_SLEEP | PM1_CLOCK)
#define CONTROL_BITS	(CTL_BM_RELOAD | CTL_SLP_TYP)

#define STATE_VERSION	1

static struct acpi_pm *to_pm(struct device *dev)
{
	return container_of(dev, struct acpi_pm, dev);
}

static void update_sci(struct acpi_pm *pm)
{
	pm->dev.host->irq(pm->dev.host, ACPI_PM_SCI, pm->s.status & pm->s.enable);
}

static u16 read_register(const struct acpi_pm *pm, u16 at)
{
	switch (at) {
	case ACPI_PM_EVENT:
		return pm->s.status;
	case ACPI_PM_EVENT + 2:
		return pm->s.enable;
	default:
		return pm->s.control | CTL_SCI_EN;
	}
}

/* Write those bits of a register that are in @mask. */
static void write_register(struct acpi_pm *pm, u16 at, u16 mask, u16 value)
{
	switch (at) {
	case ACPI_PM_EVENT:
		pm->s.status &= ~value;		/* ones clear */
		break;
	case ACPI_PM_EVENT + 2:
		pm->s.enable = (pm->s.enable & ~mask) | (value & ENABLE_BITS);
		break;
	default:
		pm->s.control = (pm->s.control & ~mask) | (value & CONTROL_BITS);
		/* Other sleep types than that of S5 are not in the tables. */
		if ((value & CTL_SLP_EN) &&
		    (pm->s.control & CTL_SLP_TYP) >> CTL_SLP_SHIFT == ACPI_PM_S5)
			pm->dev.host->end(pm->dev.host, DEVICE_END_POWER_OFF, 0);
		return;
	}
	update_sci(pm);
}

static u32 acpi_pm_read(struct device *dev, u64 addr, unsigned int size)
{
	u16 value = read_register(to_pm(dev), addr & ~1ull);

	(void)size;
	return addr & 1 ? value >> 8 : value;
}

static void acpi_pm_write(struct device *dev, u64 addr, unsigned int size, u32 data)
{
	unsigned int shift = addr & 1 ? 8 : 0;

	(void)size;
	write_register(to_pm(dev), addr & ~1ull, 0xff << shift, data << shift);
}

static void acpi_pm_reset(struct device *dev)
{
	struct acpi_pm *pm = to_pm(dev);

	memset(&pm->s, 0, sizeof(pm->s));
	update_sci(pm);
}

static size_t acpi_pm_save(const struct device *dev, void *buf, size_t size)
{
	const struct acpi_pm *pm = container_of(dev, struct acpi_pm, dev);

	return device_save_state(&pm->s, sizeof(pm->s), STATE_VERSION, buf, size);
}

static int acpi_pm_restore(struct device *dev, const void *buf, size_t size)
{
	struct acpi_pm *pm = to_pm(dev);
	struct acpi_pm_state s;
	int r;

	r = device_restore_state(&s, sizeof(s), STATE_VERSION, buf, size);
	if (r < 0)
		return r;
	if ((s.status & ~STATUS_BITS) || (s.enable & ~ENABLE_BITS) || (s.control & ~CONTROL_BITS))
		return -EINVAL;
	pm->s = s;
	update_sci(pm);
	return 0;
}

static const struct device_range acpi_pm_ranges[] = {
	{ DEVICE_PORT, ACPI_PM_EVENT, 6 },
};

static const struct device_ops acpi_pm_ops = {
	.name = "acpi_pm",
	.ranges = acpi_pm_ranges,
	.n_ranges = ARRAY_SIZE(acpi_pm_ranges),
	.width = 1,	/* each byte of a register stands for itself */
	.read = acpi_pm_read,
	.write = acpi_pm_write,
	.reset = acpi_pm_reset,
	.save = acpi_pm_save,
	.restore = acpi_pm_restore,
};

/**
 * acpi_pm_init() - make the device
 * @pm: to initialize
 * @host: the machine it is in
 */
void acpi_pm_init(struct acpi_pm *pm, struct device_host *host)
{
	memset(pm, 0, sizeof(*pm));
	pm->dev.ops = &acpi_pm_ops;
	pm->dev.host = host;
}

/**
 * acpi_pm_listens() - would the guest notice its power button?
 * @pm: device
 *
 * Return: whether it has enabled the button's event (PWRBTN_EN, 4.8.3.1.2).
 */
bool acpi_pm_listens(const struct acpi_pm *pm)
{
	return pm->s.enable & PM1_BUTTON;
}

/**
 * acpi_pm_press() - press the power button (4.8.2.2.1.1)
 * @pm: device
 *
 * As long as the guest has not taken notice, to press again does nothing.
 */
void acpi_pm_press(struct acpi_pm *pm)
{
	pm->s.status |= PM1_BUTTON;
	update_sci(pm);
}
