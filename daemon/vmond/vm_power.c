// SPDX-License-Identifier: GPL-2.0
/*
 * A guest is to be reset at once, or asked to power off or to reboot: its power button is
 * pressed.
 *
 * The button is all that a PC has for asking, so a guest that is to reboot is asked to power
 * off, and restarted when it has. How long that takes, and whether it happens at all, is up to
 * the guest.
 */
#include <errno.h>

#include "vmond/vm.h"
#include "vmond/vm_io.h"

/* Has been kept what the guest starts from? */
static int can_restart(const struct vm *vm, struct error *err)
{
	if (vm->config.keep || vm->config.restart)
		return 0;
	return fail(err, EOPNOTSUPP,
		    "VM '%s' was run without --reboot, so no copy of its kernel was kept: 'vmonctl terminate %s', and run it again",
		    vm->config.name, vm->config.name);
}

/**
 * vm_reset() - restart a guest from its boot image, at once
 * @vm: VM, alive
 * @err: why not
 *
 * It happens from the event loop.
 */
int vm_reset(struct vm *vm, struct error *err)
{
	int r = can_restart(vm, err);

	if (r < 0)
		return r;
	if (vm->wanted_end)
		return fail(err, EBUSY, "VM '%s' is ending: wait for it", vm->config.name);
	vm->forced = true;
	vm_want_end(vm, VM_END_RESET, 0, "");
	vm_commit(vm);
	return 0;
}

static int press(struct vm *vm, enum vm_asked asked, struct error *err)
{
	bool reboot = asked == VM_ASKED_REBOOT;
	const char *what = reboot ? "reboot" : "power off";
	const char *instead = reboot ? "reset" : "terminate";

	if (vm->wanted_end)
		return fail(err, EBUSY, "VM '%s' is ending: wait for it", vm->config.name);
	if (vm->state == VMON_STATE_PAUSED)
		return fail(err, EBUSY,
			    "guest '%s' is paused, so it cannot %s: 'vmonctl unpause %s' first, or at once 'vmonctl %s %s'",
			    vm->config.name, what, vm->config.name, instead, vm->config.name);
	if (!acpi_pm_listens(&vm->machine.acpi_pm))
		return fail(err, EOPNOTSUPP,
			    "guest '%s' does not listen to its power button: without acpi=off and with the module 'button' it would; %s from its console, or at once with 'vmonctl %s %s'",
			    vm->config.name, what, instead, vm->config.name);
	vm->asked = asked;
	acpi_pm_press(&vm->machine.acpi_pm);
	vm_commit(vm);
	(void)engine_vm_flush(vm->evm);
	return 0;
}

/**
 * vm_power_off() - ask a guest to power off
 * @vm: VM, alive
 * @err: why it cannot be asked
 *
 * A request to reboot that it has not served yet is taken back.
 */
int vm_power_off(struct vm *vm, struct error *err)
{
	return press(vm, VM_ASKED_POWER_OFF, err);
}

/**
 * vm_reboot() - ask a guest to power off, and restart it when it has
 * @vm: VM, alive
 * @err: why it cannot be asked
 *
 * The request stands until the guest powers off or resets itself, however late.
 */
int vm_reboot(struct vm *vm, struct error *err)
{
	int r = can_restart(vm, err);

	return r < 0 ? r : press(vm, VM_ASKED_REBOOT, err);
}
