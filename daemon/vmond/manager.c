// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon as one object: what it holds, and in which order it comes and goes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

#include "common/messages.h"
#include "common/name.h"
#include "vmond/log.h"
#include "vmond/manager.h"
#include "vmond/store.h"

/* SIGTERM is a restart as far as we know: another vmond goes on. SIGINT is the end. */
static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct manager *m = arg;

	m->leaving = si->ssi_signo == SIGTERM;
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int add_signal(struct manager *m, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return sd_event_add_signal(m->event, NULL, sig, on_signal, m);
}

/**
 * manager_new() - make a manager that has touched nothing yet
 * @ret: manager
 * @err: why not
 */
int manager_new(struct manager **ret, struct error *err)
{
	struct manager *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return fail(err, ENOMEM, "out of memory");
	m->lock_fd = -1;
	m->listen_fd = -1;
	r = sd_event_default(&m->event);
	if (r >= 0)
		r = sd_event_set_watchdog(m->event, true);
	if (r >= 0)
		r = add_signal(m, SIGTERM);
	if (r >= 0)
		r = add_signal(m, SIGINT);
	if (r < 0) {
		r = fail(err, -r, "cannot make an event loop: %s", strerror(-r));
		manager_free(m);
		return r;
	}
	r = engine_new(&m->engine, err);
	if (r < 0) {
		manager_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

static void check_vm(struct manager *m, struct vm *vm)
{
	struct engine_info info;
	struct error err;

	if (vm->end || !vm->evm)
		return;
	if (engine_get(m->engine, engine_vm_id(vm->evm), &info, &err) >= 0)
		vm_on_event(vm, &info);
}

static void on_info(const struct engine_info *info, void *arg)
{
	struct manager *m = arg;
	struct vm *vm;

	for (vm = m->vms; vm; vm = vm->next) {
		if (!info->vm)
			check_vm(m, vm);	/* events were lost */
		else if (!vm->end && vm->evm && engine_vm_id(vm->evm) == info->vm)
			vm_on_event(vm, info);
	}
}

static int on_events(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct manager *m = arg;

	(void)s;
	(void)fd;
	(void)revents;
	engine_events_receive(m->engine, on_info, m);
	return 0;
}

/**
 * manager_connect() - see that there is a connection to the module
 * @m: manager
 * @err: why not
 */
int manager_connect(struct manager *m, struct error *err)
{
	int r = engine_connect(m->engine, err);

	if (r == 0 && m->events_source)
		return 0;
	m->events_source = sd_event_source_disable_unref(m->events_source);
	if (r < 0)
		return r;
	r = sd_event_add_io(m->event, &m->events_source, engine_events_fd(m->engine),
			    EPOLLIN, on_events, m);
	if (r < 0)
		return fail(err, -r, "cannot watch for events: %s", strerror(-r));
	(void)sd_notify(0, "STATUS=Serving virtual machines");
	return 0;
}

/**
 * manager_startup() - take the runtime directory, listen, go on with what is there
 * @m: manager
 * @dir: runtime directory
 * @claim_ms: how long VMs can be without vmond
 * @err: why not
 */
int manager_startup(struct manager *m, const char *dir, u32 claim_ms, struct error *err)
{
	struct error no_module;
	int r;

	m->dir = strdup(dir);
	if (!m->dir)
		return fail(err, ENOMEM, "out of memory");
	m->claim_ms = claim_ms;
	r = listen_start(m, err);
	if (r >= 0)
		r = store_new(m->event, dir, claim_ms, &m->store, err);
	if (r < 0)
		return r;
	/* The module may be loaded later. */
	if (manager_connect(m, &no_module) < 0) {
		log_warning("%s", no_module.text);
		(void)sd_notifyf(0, "STATUS=No virtual machine can be run yet: %s", no_module.text);
	}
	manager_restore(m);
	return 0;
}

int manager_run(struct manager *m, struct error *err)
{
	int r = sd_event_loop(m->event);

	if (r < 0)
		return fail(err, -r, "event loop: %s", strerror(-r));
	return r;
}

void manager_free(struct manager *m)
{
	struct vm *vm;

	if (!m)
		return;
	while ((vm = m->vms)) {
		m->vms = vm->next;
		if (m->leaving)
			vm_leave(vm);
		else
			vm_free(vm);
	}
	store_free(m->store);
	listen_stop(m);
	sd_event_source_disable_unref(m->events_source);
	engine_free(m->engine);
	sd_event_unref(m->event);
	free(m->dir);
	free(m);
}

/* A living VM of this name, or else the one that ended last. */
struct vm *manager_find_vm(struct manager *m, const char *name)
{
	struct vm *vm, *ended = NULL;

	for (vm = m->vms; vm; vm = vm->next) {
		if (strcmp(vm->config.name, name))
			continue;
		if (!vm->end)
			return vm;
		if (!ended)
			ended = vm;
	}
	return ended;
}

struct vm *manager_find_id(struct manager *m, u64 id)
{
	struct vm *vm;

	for (vm = m->vms; vm; vm = vm->next)
		if (vm->id == id)
			return vm;
	return NULL;
}

/* A VM has ended: forget the oldest of those that had ended before. */
static void forget_oldest(struct manager *m, struct vm *but)
{
	struct vm **p, **oldest = NULL, *vm;
	unsigned int n = 0;

	for (p = &m->vms; *p; p = &(*p)->next) {
		if (!(*p)->end || *p == but)
			continue;
		oldest = p;
		n++;
	}
	if (n < ENDED_MAX)
		return;
	vm = *oldest;
	*oldest = vm->next;
	bus_forget_guest(m, vm);
	vm_free(vm);
}

static void on_vm_event(struct vm *vm, enum vm_event event, void *arg)
{
	bus_emit_event(arg, vm, event);
	if (event == VM_EVENT_ENDED)
		forget_oldest(arg, vm);
}

/* From here on it is in the list, and its events are told. */
void manager_add_vm(struct manager *m, struct vm *vm)
{
	if (vm->id > m->last_id)
		m->last_id = vm->id;
	vm->on_event = on_vm_event;
	vm->on_event_arg = m;
	vm->next = m->vms;
	m->vms = vm;
}

/* A client has gone: end what was bound to its connection. */
void manager_client_gone(struct manager *m, const void *client)
{
	struct vm *vm;

	for (vm = m->vms; vm; vm = vm->next)
		if (!vm->end && vm->client == client)
			vm_stop(vm, "the process that held it has gone");
}

/**
 * manager_run_vm() - make a VM and let it run
 * @m: manager
 * @config: taken over on success; an empty name is filled in
 * @ret: VM
 * @err: why not
 */
int manager_run_vm(struct manager *m, struct vm_config *config, struct vm **ret,
		   struct error *err)
{
	struct vm *vm;
	char name[32];
	unsigned int n;
	int r;

	if (!*config->name) {
		for (n = 1;; n++) {
			snprintf(name, sizeof(name), "vm%u", n);
			vm = manager_find_vm(m, name);
			if (!vm || vm->end)
				break;
		}
		free(config->name);
		config->name = strdup(name);
		if (!config->name)
			return fail(err, ENOMEM, "out of memory");
	}
	r = name_check(config->name, err);
	if (r < 0)
		return r;
	vm = manager_find_vm(m, config->name);
	if (vm && !vm->end)
		return fail(err, EEXIST,
			    "name '%s' is in use: choose another with --name, or 'vmonctl terminate %s'",
			    config->name, config->name);

	/* What these have in flight would be lost. */
	config->fragile = config->n_disks || config->n_nets || config->rng;
	config->claim_ms = m->claim_ms;
	r = vm_new(m->event, m->engine, m->store, config, &vm, err);
	if (r < 0)
		return r;
	vm_config_init(config);
	vm->id = m->last_id + 1;
	r = manager_connect(m, err);
	if (r >= 0)
		r = vm_start(vm, err);
	if (r < 0) {
		vm_free(vm);
		return r;
	}
	manager_add_vm(m, vm);
	log_guest(6, MESSAGE_GUEST_STARTED, vm->config.name, "VM '%s' runs: %llu MiB",
		  vm->config.name, mib(vm->config.memory));
	bus_emit_event(m, vm, VM_EVENT_STARTED);
	*ret = vm;
	return 0;
}

/* The state of everything, as text to be freed, for bug reports. */
char *manager_dump(struct manager *m)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct vm *vm;

	if (!f)
		return NULL;
	fprintf(f, "module: %s\nclients: %u\n",
		m->events_source ? "connected" : "not connected", m->n_peers);
	for (vm = m->vms; vm; vm = vm->next) {
		fprintf(f, "vm %llu '%s': %s, %llu accesses in %llu wakeups, %u restarts, %u complaints",
			vm->id, vm->config.name, vm_end_name(vm->end), vm->accesses,
			vm->wakeups, vm->restarts, vm->complaints);
		if (vm->console)
			fprintf(f, ", %llu bytes of console output",
				console_written(vm->console));
		fprintf(f, "\n");
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
