// SPDX-License-Identifier: GPL-2.0
/*
 * Guests as objects on the bus, /org/vmon/guest/ID with the interface org.vmon.Guest1, and
 * how clients learn that something has happened: the manager's signal Event for people's
 * eyes, PropertiesChanged and the object manager's signals for programs.
 *
 * There is no broker, so every client gets every signal. One that does not read would let its
 * queue grow without bounds: its connection is closed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus-vtable.h>

#include "common/version.h"
#include "vmond/log.h"
#include "vmond/manager.h"

#define PREFIX	VMON_BUS_GUESTS "/"

void bus_guest_path(const struct vm *vm, char *path, size_t size)
{
	snprintf(path, size, PREFIX "%llu", (unsigned long long)vm->id);
}

static int find_guest(sd_bus *bus, const char *path, const char *interface, void *arg,
		      void **ret, sd_bus_error *error)
{
	unsigned long long id;
	struct vm *vm;
	char again[64];

	(void)bus;
	(void)interface;
	(void)error;
	if (strncmp(path, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	id = strtoull(path + strlen(PREFIX), NULL, 10);
	vm = manager_find_id(arg, id);
	if (!vm)
		return 0;
	bus_guest_path(vm, again, sizeof(again));
	if (strcmp(path, again) != 0)
		return 0;
	*ret = vm;
	return 1;
}

static int enumerate(sd_bus *bus, const char *prefix, void *arg, char ***ret,
		     sd_bus_error *error)
{
	struct manager *m = arg;
	char **nodes, path[64];
	unsigned int n = 0;
	struct vm *vm;

	(void)bus;
	(void)prefix;
	(void)error;
	for (vm = m->vms; vm; vm = vm->next)
		n++;
	nodes = calloc(n + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	for (vm = m->vms, n = 0; vm; vm = vm->next, n++) {
		bus_guest_path(vm, path, sizeof(path));
		nodes[n] = strdup(path);
		if (!nodes[n]) {
			while (n)
				free(nodes[--n]);
			free(nodes);
			return -ENOMEM;
		}
	}
	*ret = nodes;
	return 0;
}

#define PROPERTY(name)								\
	static int get_##name(sd_bus *bus, const char *path, const char *iface,	\
			      const char *property, sd_bus_message *reply,	\
			      void *arg, sd_bus_error *error)

#define UNUSED()	((void)bus, (void)path, (void)iface, (void)property, (void)error)

PROPERTY(state)
{
	struct vm *vm = arg;

	UNUSED();
	return sd_bus_message_append(reply, "s", vm->end ? "ended" : bus_state_name(vm->state));
}

PROPERTY(end)
{
	struct vm *vm = arg;

	UNUSED();
	return sd_bus_message_append(reply, "s", vm->end ? vm_end_name(vm->end) : "");
}

PROPERTY(exec)
{
	struct vm *vm = arg;

	UNUSED();
	return sd_bus_message_append(reply, "s", bus_exec_name(vm->config.exec));
}

PROPERTY(kernel)
{
	struct vm *vm = arg;

	UNUSED();
	return sd_bus_message_append(reply, "s", vm->config.kernel.name);
}

#define PLAIN(name, type, field, flags) \
	SD_BUS_PROPERTY(name, type, NULL, offsetof(struct vm, field), flags)
#define CONSTANT	SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES		SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable guest_vtable[] = {
	SD_BUS_VTABLE_START(0),
	PLAIN("Id", "t", id, CONSTANT),
	PLAIN("Name", "s", config.name, CONSTANT),
	PLAIN("Description", "s", config.description, CONSTANT),
	PLAIN("Definition", "s", config.definition, CONSTANT),
	PLAIN("Memory", "t", config.memory, CONSTANT),
	PLAIN("Append", "s", config.append, CONSTANT),
	SD_BUS_PROPERTY("Kernel", "s", get_kernel, 0, CONSTANT),
	SD_BUS_PROPERTY("Exec", "s", get_exec, 0, CONSTANT),
	PLAIN("StartedUSec", "t", started, CONSTANT),
	SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGES),
	SD_BUS_PROPERTY("End", "s", get_end, 0, CHANGES),
	PLAIN("ExitValue", "u", value, CHANGES),
	PLAIN("Report", "s", report, CHANGES),
	PLAIN("Restarts", "u", restarts, CHANGES),
	SD_BUS_VTABLE_END
};

/**
 * bus_add_guests() - offer the guests on a connection
 * @m: manager
 * @bus: connection
 */
int bus_add_guests(struct manager *m, sd_bus *bus)
{
	int r;

	r = sd_bus_add_fallback_vtable(bus, NULL, VMON_BUS_GUESTS, VMON_BUS_GUEST_INTERFACE,
				       guest_vtable, find_guest, m);
	if (r >= 0)
		r = sd_bus_add_node_enumerator(bus, NULL, VMON_BUS_GUESTS, enumerate, m);
	if (r >= 0)
		r = sd_bus_add_object_manager(bus, NULL, VMON_BUS_GUESTS);
	return r;
}

static bool can_take(struct peer *p)
{
	uint64_t waiting = 0;

	if (p->drop)
		return false;
	if (sd_bus_get_n_queued_write(p->bus, &waiting) < 0 || waiting < PEER_QUEUE_MAX)
		return true;
	listen_drop(p);
	return false;
}

/**
 * bus_emit_event() - tell all clients what has happened to a guest
 * @m: manager
 * @vm: guest
 * @event: what
 */
void bus_emit_event(struct manager *m, struct vm *vm, enum vm_event event)
{
	const char *detail = "";
	struct peer *p;
	char path[64];

	bus_guest_path(vm, path, sizeof(path));
	if (event == VM_EVENT_ENDED)
		detail = vm_end_name(vm->end);
	for (p = m->peers; p; p = p->next) {
		if (!can_take(p))
			continue;
		(void)sd_bus_emit_signal(p->bus, VMON_BUS_PATH, VMON_BUS_INTERFACE, "Event",
					 "tssss", vm->id, vm->config.name, vm_event_name(event),
					 detail, vm->report ? vm->report : "");
		if (event == VM_EVENT_STARTED)
			(void)sd_bus_emit_object_added(p->bus, path);
		else
			(void)sd_bus_emit_properties_changed(p->bus, path,
							     VMON_BUS_GUEST_INTERFACE, "State",
							     "End", "ExitValue", "Report",
							     "Restarts", NULL);
	}
}

/* The record of a guest that has ended goes. */
void bus_forget_guest(struct manager *m, const struct vm *vm)
{
	struct peer *p;
	char path[64];

	bus_guest_path(vm, path, sizeof(path));
	for (p = m->peers; p; p = p->next)
		if (can_take(p))
			(void)sd_bus_emit_interfaces_removed(p->bus, path,
							     VMON_BUS_GUEST_INTERFACE, NULL);
}
