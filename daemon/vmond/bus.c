// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's D-Bus interface: org.vmon.Manager1.
 *
 * Files come as descriptors. A VM is named by its name, an occasion that can be
 * over before one asks (Wait) by the number that Run gave. Errors carry the
 * sentence for the user as their message.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <systemd/sd-bus-vtable.h>
#include <unistd.h>

#include "common/version.h"
#include "vmond/manager.h"

int bus_refuse(sd_bus_error *e, const struct error *err)
{
	return sd_bus_error_set_errnof(e, err->code, "%s", err->text);
}

static const char *name_in(const char *const name[], size_t n, u32 value, const char *other)
{
	return value < n && name[value] ? name[value] : other;
}

const char *bus_state_name(u32 state)
{
	static const char * const name[] = {
		[VMON_STATE_STOPPED] = "stopped",
		[VMON_STATE_RUNNING] = "running",
		[VMON_STATE_PAUSED] = "paused",
	};

	return name_in(name, ARRAY_SIZE(name), state, "unknown");
}

const char *bus_cause_name(u32 cause)
{
	static const char * const name[] = {
		[VMON_CAUSE_NONE] = "none",
		[VMON_CAUSE_REQUEST] = "request",
		[VMON_CAUSE_OWNER] = "owner-gone",
		[VMON_CAUSE_HALT] = "halt",
		[VMON_CAUSE_SHUTDOWN] = "triple-fault",
		[VMON_CAUSE_ERROR] = "error",
	};

	return name_in(name, ARRAY_SIZE(name), cause, "unknown");
}

const char *bus_exec_name(u32 exec)
{
	static const char * const name[] = {
		[VMON_EXEC_TRANSLATE] = "translate",
		[VMON_EXEC_EMULATE] = "emulate",
	};

	return name_in(name, ARRAY_SIZE(name), exec, "default");
}

/* A VM by name, dead or alive. */
struct vm *bus_find_vm(struct manager *m, const char *name, bool alive, sd_bus_error *e)
{
	struct vm *vm = manager_find_vm(m, name);
	struct error err;

	if (!vm) {
		(void)fail(&err, ENXIO, "no VM is named '%s': see 'vmonctl list'", name);
		bus_refuse(e, &err);
		return NULL;
	}
	if (alive && vm->end) {
		(void)fail(&err, ENXIO, "VM '%s' has ended: %s", name, vm_end_name(vm->end));
		bus_refuse(e, &err);
		return NULL;
	}
	return vm;
}

static struct vm *find_id(struct manager *m, u64 id, sd_bus_error *e)
{
	struct vm *vm = manager_find_id(m, id);
	struct error err;

	if (vm)
		return vm;
	(void)fail(&err, ENXIO, "no VM has the number %llu", (unsigned long long)id);
	bus_refuse(e, &err);
	return NULL;
}

/* The VM whose name is all that @m says. Return: 0, or -errno with @e for the sender. */
int bus_read_vm(sd_bus_message *m, struct manager *manager, bool alive, struct vm **ret,
		sd_bus_error *e)
{
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	*ret = bus_find_vm(manager, name, alive, e);
	return *ret ? 0 : -ENXIO;
}

/* Send what was built with the result @r, or drop it. Return: 0 or -errno. */
int bus_send(sd_bus_message *reply, int r)
{
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int method_run(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct vm_config *config = malloc(sizeof(*config));
	struct error err;
	struct vm *vm;
	bool bound;
	int r;

	if (!config)
		return -ENOMEM;
	vm_config_init(config);
	r = bus_read_config(m, config, &err);
	bound = config->bound;
	if (r >= 0)
		r = manager_run_vm(arg, config, &vm, &err);
	vm_config_free(config);
	free(config);
	if (r < 0)
		return bus_refuse(e, &err);
	if (bound)
		vm->client = sd_bus_message_get_bus(m);
	return sd_bus_reply_method_return(m, "ts", vm->id, vm->config.name);
}

struct list_context {
	struct manager *manager;
	sd_bus_message *reply;
	int r;
};

static void list_one(const struct engine_info *info, void *arg)
{
	struct list_context *c = arg;
	struct vm *vm = manager_find_vm(c->manager, info->name);
	u64 id = vm && vm->evm && engine_vm_id(vm->evm) == info->vm ? vm->id : 0;

	if (c->r >= 0)
		c->r = sd_bus_message_append(c->reply, "(tusssssbts)", id, info->vm,
					     info->name, bus_state_name(info->state),
					     bus_cause_name(info->cause), bus_exec_name(info->exec),
					     info->guard, (int)info->protected,
					     info->memory, info->report);
}

static int method_list(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct list_context c = { .manager = arg };
	struct error err;
	struct vm *vm;
	int r;

	r = sd_bus_message_new_method_return(m, &c.reply);
	if (r < 0)
		return r;
	c.r = sd_bus_message_open_container(c.reply, 'a', "(tusssssbts)");
	r = engine_list(c.manager->engine, list_one, &c, &err);
	if (r < 0) {
		sd_bus_message_unref(c.reply);
		return bus_refuse(e, &err);
	}
	for (vm = c.manager->vms; vm && c.r >= 0; vm = vm->next)
		if (vm->end)
			c.r = sd_bus_message_append(c.reply, "(tusssssbts)", vm->id, 0,
						    vm->config.name, "ended",
						    vm_end_name(vm->end),
						    bus_exec_name(vm->config.exec), "", 1,
						    vm->config.memory,
						    vm->report ? vm->report : "");
	r = c.r;
	if (r >= 0)
		r = sd_bus_message_close_container(c.reply);
	return bus_send(c.reply, r);
}

static int method_terminate(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct vm *vm;
	int r;

	r = bus_read_vm(m, arg, true, &vm, e);
	if (r < 0)
		return r;
	vm_stop(vm, "stopped by request");
	return sd_bus_reply_method_return(m, NULL);
}

/* A living VM is to do something, which may be refused. */
static int have_vm(sd_bus_message *m, void *arg, sd_bus_error *e,
		   int (*what)(struct vm *vm, struct error *err))
{
	struct error err;
	struct vm *vm;
	int r;

	r = bus_read_vm(m, arg, true, &vm, e);
	if (r < 0)
		return r;
	if (what(vm, &err) < 0)
		return bus_refuse(e, &err);
	return sd_bus_reply_method_return(m, NULL);
}

static int method_reset(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	return have_vm(m, arg, e, vm_reset);
}

static int method_power_off(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	return have_vm(m, arg, e, vm_power_off);
}

static int method_reboot(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	return have_vm(m, arg, e, vm_reboot);
}

/* The object of a guest, living or ended. */
static int method_get_guest(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct vm *vm;
	char path[64];
	int r;

	r = bus_read_vm(m, arg, false, &vm, e);
	if (r < 0)
		return r;
	bus_guest_path(vm, path, sizeof(path));
	return sd_bus_reply_method_return(m, "o", path);
}

static int set_state(sd_bus_message *m, void *arg, sd_bus_error *e, u32 state)
{
	struct manager *manager = arg;
	struct error err;
	struct vm *vm;
	int r;

	r = bus_read_vm(m, manager, true, &vm, e);
	if (r < 0)
		return r;
	if (engine_set_state(manager->engine, engine_vm_id(vm->evm), state, &err) < 0)
		return bus_refuse(e, &err);
	return sd_bus_reply_method_return(m, NULL);
}

static int method_pause(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	return set_state(m, arg, e, VMON_STATE_PAUSED);
}

static int method_unpause(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	return set_state(m, arg, e, VMON_STATE_RUNNING);
}

static int method_console(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	const char *name;
	struct error err;
	struct vm *vm;
	int all, fd, r;

	r = sd_bus_message_read(m, "sb", &name, &all);
	if (r < 0)
		return r;
	vm = bus_find_vm(arg, name, false, e);
	if (!vm)
		return -ENXIO;
	if (console_attach(vm->console, all, &fd, &err) < 0)
		return bus_refuse(e, &err);
	r = sd_bus_reply_method_return(m, "h", fd);	/* makes a copy */
	close(fd);
	return r;
}

/* By position, for a reader that goes on with the next vmond where it was. */
static int method_console_at(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct error err;
	struct vm *vm;
	uint64_t id;
	bool more;
	u64 pos;
	int fd, r;

	r = sd_bus_message_read(m, "tt", &id, &pos);
	if (r < 0)
		return r;
	vm = find_id(arg, id, e);
	if (!vm)
		return -ENXIO;
	if (console_attach_at(vm->console, &pos, &more, &fd, &err) < 0)
		return bus_refuse(e, &err);
	r = sd_bus_reply_method_return(m, "htb", fd, pos, (int)more);
	close(fd);
	return r;
}

/* The process that holds a guest is there again, after this vmond has come. */
static int method_hold(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct vm *vm;
	uint64_t id;
	int r;

	r = sd_bus_message_read(m, "t", &id);
	if (r < 0)
		return r;
	vm = find_id(arg, id, e);
	if (!vm)
		return -ENXIO;
	if (vm->config.bound && !vm->end)
		vm->client = sd_bus_message_get_bus(m);
	return sd_bus_reply_method_return(m, NULL);
}

static int method_wait(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct vm_waiter *w;
	struct vm *vm;
	uint64_t id;
	int r;

	r = sd_bus_message_read(m, "t", &id);
	if (r < 0)
		return r;
	vm = find_id(arg, id, e);
	if (!vm)
		return -ENXIO;
	if (vm->end)
		return sd_bus_reply_method_return(m, "sus", vm_end_name(vm->end), vm->value,
						  vm->report ? vm->report : "");
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->message = sd_bus_message_ref(m);
	w->next = vm->waiters;
	vm->waiters = w;
	return 1;		/* answered when the VM ends */
}

static int get_version(sd_bus *bus, const char *path, const char *iface, const char *property,
		       sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	(void)bus, (void)path, (void)iface, (void)property, (void)arg, (void)error;
	return sd_bus_message_append(reply, "s", VMON_VERSION);
}

/* How many run or are paused. */
static int get_guests(sd_bus *bus, const char *path, const char *iface, const char *property,
		      sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	struct manager *m = arg;
	u32 n = 0;
	struct vm *vm;

	(void)bus, (void)path, (void)iface, (void)property, (void)error;
	for (vm = m->vms; vm; vm = vm->next)
		n += !vm->end;
	return sd_bus_message_append(reply, "u", n);
}

static int get_claim(sd_bus *bus, const char *path, const char *iface, const char *property,
		     sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct manager *m = arg;

	(void)bus, (void)path, (void)iface, (void)property, (void)error;
	return sd_bus_message_append(reply, "u", m->claim_ms);
}

#define ACCESS	SD_BUS_VTABLE_CAPABILITY(CAP_NET_ADMIN)

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Run",
				SD_BUS_ARGS("s", name, "a{sv}", options),
				SD_BUS_RESULT("t", id, "s", name), method_run, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(tusssssbts)", vms), method_list, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("GetGuest", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", guest),
				method_get_guest, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Terminate", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
				method_terminate, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Reset", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
				method_reset, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("PowerOff", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
				method_power_off, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Reboot", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
				method_reboot, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
				method_pause, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Unpause", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
				method_unpause, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Console", SD_BUS_ARGS("s", name, "b", all),
				SD_BUS_RESULT("h", socket), method_console, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("ConsoleAt", SD_BUS_ARGS("t", id, "t", position),
				SD_BUS_RESULT("h", socket, "t", position, "b", more),
				method_console_at, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Hold", SD_BUS_ARGS("t", id), SD_BUS_NO_RESULT,
				method_hold, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_ARGS("t", id),
				SD_BUS_RESULT("s", end, "u", value, "s", report),
				method_wait, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("s", daemon_version, "s", module_version,
					      "s", module_kernel, "b", protected,
					      "b", unprotected_ok, "a(sbbss)", guards,
					      "a(sts)", facts),
				bus_check, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Stat", SD_BUS_ARGS("s", name),
				SD_BUS_RESULT("a(st)", statistics), bus_stat, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Show", SD_BUS_ARGS("s", name),
				SD_BUS_RESULT("a{ss}", properties), bus_show, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Debug", SD_BUS_ARGS("s", name, "s", what),
				SD_BUS_RESULT("s", text), bus_debug, ACCESS),
	SD_BUS_METHOD_WITH_ARGS("Dump", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", text),
				bus_dump, ACCESS),
	SD_BUS_SIGNAL_WITH_ARGS("Event",
				SD_BUS_ARGS("t", id, "s", name, "s", event, "s", detail,
					    "s", report), 0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Guests", "u", get_guests, 0, 0),
	SD_BUS_PROPERTY("ClaimMSec", "u", get_claim, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_VTABLE_END
};

/**
 * bus_add_objects() - offer the manager and the guests on a connection
 * @m: manager
 * @bus: private connection, or the system bus
 */
int bus_add_objects(struct manager *m, sd_bus *bus)
{
	int r = sd_bus_add_object_vtable(bus, NULL, VMON_BUS_PATH, VMON_BUS_INTERFACE,
					 manager_vtable, m);

	return r < 0 ? r : bus_add_guests(m, bus);
}
