// SPDX-License-Identifier: GPL-2.0
/*
 * What there is to know, by methods of the manager: what the machine can do, and of a VM its
 * counters, its registers and last exits, and all that the daemon knows of it. An ended VM
 * tells what was kept of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/version.h"
#include "vmond/manager.h"

int bus_check(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct manager *manager = arg;
	static struct engine_check check;
	sd_bus_message *reply;
	struct error err;
	unsigned int i;
	int r;

	if (engine_check(manager->engine, &check, &err) < 0)
		return bus_refuse(e, &err);
	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "sssbb", VMON_VERSION, check.version, check.kernel,
				  (int)check.protected, (int)check.unprotected_ok);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(sbbss)");
	for (i = 0; i < check.n_guards && r >= 0; i++)
		r = sd_bus_message_append(reply, "(sbbss)", check.guards[i].name,
					  (int)check.guards[i].available,
					  (int)check.guards[i].capable,
					  check.guards[i].reason, check.guards[i].remedy);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(sts)");
	for (i = 0; i < check.n_facts && r >= 0; i++)
		r = sd_bus_message_append(reply, "(sts)", check.facts[i].name,
					  check.facts[i].value, check.facts[i].note);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return bus_send(reply, r);
}

int bus_stat(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	static struct engine_stat buf[ENGINE_STATS];
	const struct engine_stat *stat;
	sd_bus_message *reply;
	struct error err;
	struct vm *vm;
	int i, n, r;

	r = bus_read_vm(m, arg, false, &vm, e);
	if (r < 0)
		return r;
	n = vm_stat(vm, buf, &stat, &err);
	if (n < 0)
		return bus_refuse(e, &err);
	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "(st)");
	for (i = 0; i < n && r >= 0; i++)
		r = sd_bus_message_append(reply, "(st)", stat[i].name, stat[i].value);
	if (r >= 0)
		r = sd_bus_message_append(reply, "(st)(st)(st)(st)",
					  "vmond.accesses", vm->accesses,
					  "vmond.wakeups", vm->wakeups,
					  "vmond.restarts", (u64)vm->restarts,
					  "vmond.console_bytes", console_written(vm->console));
	if (r >= 0)
		r = bus_append_nets_stat(reply, vm);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return bus_send(reply, r);
}

/* "regs" or "trace" of a VM, living or ended. Return: text to be freed. */
static int debug_text(struct manager *m, struct vm *vm, const char *what, char **ret,
		      struct error *err)
{
	struct vmon_regs regs;
	const char *kept;
	u32 id;
	int r;

	if (strcmp(what, "regs") && strcmp(what, "trace"))
		return fail(err, EINVAL, "debug '%s': use regs or trace", what);
	if (vm->end) {
		kept = !strcmp(what, "regs") ? vm->regs : vm->trace;
		if (!kept)
			return fail(err, ENODATA,
				    "VM '%s' has ended (%s) and nothing was kept: that is done after errors and triple faults",
				    vm->config.name, vm_end_name(vm->end));
		*ret = strdup(kept);
	} else {
		id = engine_vm_id(vm->evm);
		if (!strcmp(what, "trace"))
			return engine_trace(m->engine, id, ret, err);
		r = engine_get_regs(m->engine, id, &regs, err);
		if (r < 0)
			return r;
		*ret = regs_text(&regs);
	}
	return *ret ? 0 : fail(err, ENOMEM, "out of memory");
}

int bus_debug(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	const char *name, *what;
	char *text = NULL;
	struct error err;
	struct vm *vm;
	int r;

	r = sd_bus_message_read(m, "ss", &name, &what);
	if (r < 0)
		return r;
	vm = bus_find_vm(arg, name, false, e);
	if (!vm)
		return -ENXIO;
	if (debug_text(arg, vm, what, &text, &err) < 0)
		return bus_refuse(e, &err);
	r = sd_bus_reply_method_return(m, "s", text);
	free(text);
	return r;
}

/* "reset triple-fault": what restarts the guest. */
static void restart_text(const struct vm *vm, char *buf, size_t size)
{
	enum vm_end end;
	size_t len = 0;

	*buf = 0;
	for (end = VM_ALIVE; end <= VM_END_STOPPED; end++)
		if (vm->config.restart & 1u << end)
			len += snprintf(buf + len, size - len, "%s%s", len ? " " : "",
					vm_end_name(end));
}

static const char *asked_name(enum vm_asked asked)
{
	static const char * const name[] = {
		[VM_ASKED_NOTHING] = "",
		[VM_ASKED_POWER_OFF] = "power-off",
		[VM_ASKED_REBOOT] = "reboot",
	};

	return name[asked];
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* A VM that this daemon has, with all it knows, as strings. */
int bus_show(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct manager *manager = arg;
	struct engine_info info = { 0 };
	char memory[32], id[32], number[16], value[16], restarts[16], started[32], restart[64];
	char disks[4096], nets[1024], claim[16];
	struct error err;
	struct vm *vm;
	int r;

	r = bus_read_vm(m, manager, false, &vm, e);
	if (r < 0)
		return r;
	if (!vm->end && engine_get(manager->engine, engine_vm_id(vm->evm), &info, &err) < 0)
		return bus_refuse(e, &err);
	snprintf(id, sizeof(id), "%llu", (unsigned long long)vm->id);
	snprintf(number, sizeof(number), "%u", info.vm);
	snprintf(memory, sizeof(memory), "%llu", (unsigned long long)vm->config.memory);
	snprintf(value, sizeof(value), "%u", vm->value);
	snprintf(restarts, sizeof(restarts), "%u", vm->restarts);
	snprintf(started, sizeof(started), "%llu", (unsigned long long)vm->started);
	snprintf(claim, sizeof(claim), "%u", vm_survives(vm) ? vm->config.claim_ms : 0);
	restart_text(vm, restart, sizeof(restart));
	bus_disks_text(&vm->config, disks, sizeof(disks));
	bus_nets_text(&vm->config, nets, sizeof(nets));
	return sd_bus_reply_method_return(m, "a{ss}", 29,
		"Name", vm->config.name,
		"Description", or_empty(vm->config.description),
		"Id", id,
		"Vm", number,
		"State", vm->end ? "ended" : bus_state_name(info.state),
		"Cause", vm->end ? vm_end_name(vm->end) : bus_cause_name(info.cause),
		"ExitValue", value,
		"Exec", bus_exec_name(vm->end ? vm->config.exec : info.exec),
		"Guard", info.guard,
		"Protected", vm->end ? "" : info.protected ? "yes" : "UNPROTECTED",
		"Memory", memory,
		"Kernel", vm->config.kernel.name,
		"Initrd", or_empty(vm->config.initrd.name),
		"Append", vm->config.append,
		"Restart", restart,
		"PowerButton", vm->end ? "" : acpi_pm_listens(&vm->machine.acpi_pm) ? "yes" : "no",
		"Asked", asked_name(vm->asked),
		"DebugExit", vm->config.debug_exit ? "yes" : "no",
		"SelfCheck", vm->config.selfcheck ? "yes" : "no",
		"Disks", disks,
		"Nets", nets,
		"Rng", vm->config.rng ? "yes" : "no",
		"ConsoleLog", or_empty(vm->config.log_name),
		"Definition", or_empty(vm->config.definition),
		"Unit", vm->config.bound ? "yes" : "no",
		"ClaimMSec", claim,
		"StartedUSec", started,
		"Restarts", restarts,
		"Report", vm->end ? or_empty(vm->report) : info.report);
}

int bus_dump(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	char *text = manager_dump(arg);
	int r;

	(void)e;
	if (!text)
		return -ENOMEM;
	r = sd_bus_reply_method_return(m, "s", text);
	free(text);
	return r;
}
