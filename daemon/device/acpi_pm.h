/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ACPI fixed hardware: a power button, and the register that powers off.
 */
#ifndef VMON_DEVICE_ACPI_PM_H
#define VMON_DEVICE_ACPI_PM_H

#include "device/device.h"

#define ACPI_PM_EVENT	0x600	/* status, then enable, 2 bytes each */
#define ACPI_PM_CONTROL	0x604
#define ACPI_PM_SCI	9
#define ACPI_PM_S5	5	/* sleep type that powers off */

struct acpi_pm_state {
	u16 status;
	u16 enable;
	u16 control;
};

struct acpi_pm {
	struct device dev;
	struct acpi_pm_state s;
};

void acpi_pm_init(struct acpi_pm *pm, struct device_host *host);
bool acpi_pm_listens(const struct acpi_pm *pm);
void acpi_pm_press(struct acpi_pm *pm);

#endif /* VMON_DEVICE_ACPI_PM_H */
