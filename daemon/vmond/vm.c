// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a VM: start, restart, end.
 *
 * A VM ends in one place, from the event loop and never from inside a device or
 * a message handler: those only ask for it (vm_want_end()). An ended VM gives
 * back all it had and stays as a record of how it ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/messages.h"
#include "vmond/log.h"
#include "vmond/vm.h"
#include "vmond/vm_io.h"

const char *vm_end_name(enum vm_end end)
{
	static const char * const name[] = {
		[VM_ALIVE] = "alive",
		[VM_END_RESET] = "reset",
		[VM_END_HALT] = "halt",
		[VM_END_DEBUG_EXIT] = "debug-exit",
		[VM_END_TRIPLE_FAULT] = "triple-fault",
		[VM_END_ERROR] = "error",
		[VM_END_POWER_OFF] = "power-off",
		[VM_END_STOPPED] = "stopped",
	};

	return name[end];
}

const char *vm_event_name(enum vm_event event)
{
	static const char * const name[] = {
		[VM_EVENT_STARTED] = "started",
		[VM_EVENT_PAUSED] = "paused",
		[VM_EVENT_UNPAUSED] = "unpaused",
		[VM_EVENT_RESTARTED] = "restarted",
		[VM_EVENT_ENDED] = "ended",
	};

	return name[event];
}

static u64 now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static void set_report(struct vm *vm, const char *report)
{
	free(vm->report);
	vm->report = strdup(report ? report : "");
}

/* Ask for the end; the first to ask is heard. */
void vm_want_end(struct vm *vm, enum vm_end how, u32 value, const char *report)
{
	if (vm->wanted_end || vm->end)
		return;
	vm->wanted_end = how;
	vm->value = value;
	set_report(vm, report);
	(void)sd_event_source_set_enabled(vm->end_source, SD_EVENT_ONESHOT);
}

/* Readers and the log get it when it is part of the VM's state: settle(). */
void vm_on_output(struct uart16550 *uart, const u8 *data, size_t len)
{
	struct vm *vm = container_of(uart, struct vm, machine.uart);

	console_write(vm->console, data, len);
}

/* All that a running VM has and an ended one has not. */
void vm_release(struct vm *vm)
{
	vm_drop_links(vm);
	sd_event_source_disable_unref(vm->io_source);
	sd_event_source_disable_unref(vm->timer);
	sd_event_source_disable_unref(vm->end_source);
	sd_event_source_disable_unref(vm->hold_source);
	vm->io_source = NULL;
	vm->timer = NULL;
	vm->end_source = NULL;
	vm->hold_source = NULL;
	if (vm->left && vm->evm)
		engine_vm_leave(vm->evm);
	else
		engine_vm_free(vm->evm);
	vm->evm = NULL;
	machine_destroy(&vm->machine);
	if (vm->ram)
		munmap(vm->ram, vm->config.memory);
	vm->ram = NULL;
	if (vm->ram_fd >= 0)
		close(vm->ram_fd);
	vm->ram_fd = -1;
	if (vm->console)
		console_finish(vm->console);
}

/* Registers and trace, before they go with the VM. */
static void keep_evidence(struct vm *vm)
{
	u32 id = engine_vm_id(vm->evm);
	struct vmon_regs regs;

	if (engine_get_regs(vm->engine, id, &regs, NULL) >= 0)
		vm->regs = regs_text(&regs);
	(void)engine_trace(vm->engine, id, &vm->trace, NULL);
}

/* The counters, once the vCPU has come to rest. */
static void keep_stats(struct vm *vm)
{
	static struct engine_stat stats[ENGINE_STATS];
	u32 id = engine_vm_id(vm->evm);
	int n;

	(void)engine_set_state(vm->engine, id, VMON_STATE_STOPPED, NULL);
	n = engine_stat(vm->engine, id, stats, ENGINE_STATS, NULL);
	if (n <= 0)
		return;
	vm->stats = malloc(n * sizeof(*stats));
	if (!vm->stats)
		return;
	memcpy(vm->stats, stats, n * sizeof(*stats));
	vm->n_stats = n;
}

/* A vmond that dies in the middle of this leaves it to the next one, from the beginning. */
int vm_restart(struct vm *vm, struct error *err)
{
	struct vmon_regs regs;
	int r;

	vm->life = VM_LIFE_RESTARTS;
	vm_commit(vm);
	r = engine_vm_reset(vm->evm, err);
	if (r < 0)
		return r;
	vm->unacked = 0;
	vm->io_at = 0;
	vm->io_n = 0;
	machine_reset(&vm->machine);
	vm_set_triggers(vm);
	r = vm_load(vm, &regs, err);
	if (r < 0)
		return r;
	r = engine_vm_regs(vm->evm, &regs, err);
	if (r < 0)
		return r;
	(void)engine_vm_flush(vm->evm);
	vm->restarts++;
	r = engine_set_state(vm->engine, vm->number, VMON_STATE_RUNNING, err);
	if (r < 0)
		return r;
	vm->life = VM_LIFE_RUNS;
	vm_commit(vm);
	return 0;
}

/*
 * A guest that crashes as soon as it runs must not keep the host busy for ever.
 * Return: whether it may be restarted once more.
 */
static bool may_restart(struct vm *vm)
{
	u64 *oldest = &vm->crashed[vm->crashes % VM_CRASHES];
	u64 now = now_us();
	char *report;

	if (vm->crashes >= VM_CRASHES && now - *oldest < VM_CRASH_SECONDS * 1000000ull) {
		if (asprintf(&report, "%s (crash %u in %u seconds: not restarted again)",
			     vm->report ? vm->report : "", VM_CRASHES + 1, VM_CRASH_SECONDS) >= 0) {
			free(vm->report);
			vm->report = report;
		}
		return false;
	}
	*oldest = now;
	vm->crashes++;
	return true;
}

/* Return: whether the guest was restarted; if not, @how and the report tell its end. */
static bool try_restart(struct vm *vm, enum vm_end *how)
{
	bool forced = vm->forced ||
		      (vm->asked == VM_ASKED_REBOOT &&
		       (*how == VM_END_POWER_OFF || *how == VM_END_RESET));
	struct error err;

	vm->forced = false;
	vm->asked = VM_ASKED_NOTHING;
	if (!forced && !(vm->config.restart & 1u << *how))
		return false;
	if ((*how == VM_END_TRIPLE_FAULT || *how == VM_END_ERROR) && !may_restart(vm))
		return false;
	if (vm_restart(vm, &err) < 0) {
		*how = VM_END_ERROR;
		set_report(vm, err.text);
		return false;
	}
	vm->state = VMON_STATE_RUNNING;
	/* It may have been held back. */
	(void)sd_event_source_set_enabled(vm->io_source, SD_EVENT_ON);
	log_guest(6, MESSAGE_GUEST_RESTARTED, vm->config.name, "VM '%s' restarts after %s%s%s",
		  vm->config.name, forced ? "a request" : vm_end_name(*how),
		  vm->report && *vm->report ? ": " : "", vm->report ? vm->report : "");
	vm->on_event(vm, VM_EVENT_RESTARTED, vm->on_event_arg);
	return true;
}

static void answer_waiters(struct vm *vm)
{
	struct vm_waiter *w;

	while ((w = vm->waiters)) {
		vm->waiters = w->next;
		(void)sd_bus_reply_method_return(w->message, "sus", vm_end_name(vm->end),
						 vm->value,
						 vm->report ? vm->report : "");
		sd_bus_message_unref(w->message);
		free(w);
	}
}

/* The end: what was kept of its life goes, what tells of it stays. */
static void finish(struct vm *vm, enum vm_end how)
{
	bool crash = how == VM_END_ERROR || how == VM_END_TRIPLE_FAULT;

	vm->end = how;
	vm->state = VMON_STATE_STOPPED;
	if (vm->evm && crash)
		keep_evidence(vm);
	if (vm->evm)
		keep_stats(vm);
	log_guest(crash ? 4 : 6, crash ? MESSAGE_GUEST_CRASHED : MESSAGE_GUEST_ENDED,
		  vm->config.name, "VM '%s' ended: %s%s%s", vm->config.name, vm_end_name(how),
		  vm->report && *vm->report ? ": " : "", vm->report ? vm->report : "");
	vm_keep_ended(vm);
	vm_release(vm);
	answer_waiters(vm);
	vm->on_event(vm, VM_EVENT_ENDED, vm->on_event_arg);
}

/**
 * vm_lose() - end a VM that cannot go on
 * @vm: from vm_restore()
 * @why: for people
 */
void vm_lose(struct vm *vm, const char *why)
{
	vm->wanted_end = VM_ALIVE;
	set_report(vm, why);
	/* Twice: nothing of what could not be read stays. */
	vm_commit(vm);
	finish(vm, VM_END_ERROR);
}

int vm_on_end(sd_event_source *s, void *arg)
{
	struct vm *vm = arg;
	enum vm_end how = vm->wanted_end;

	(void)s;
	machine_flush(&vm->machine);
	vm_commit(vm);
	vm_show_output(vm);
	/* Memory and devices are in use: vm_on_devices() brings us back. */
	if (disk_ring_in_flight(vm->ring)) {
		(void)engine_set_state(vm->engine, engine_vm_id(vm->evm), VMON_STATE_PAUSED, NULL);
		return 0;
	}
	vm->wanted_end = VM_ALIVE;
	if (try_restart(vm, &how))
		return 0;
	finish(vm, how);
	return 0;
}

/**
 * vm_free() - end a VM at once, without telling, and forget it
 * @vm: VM
 */
void vm_free(struct vm *vm)
{
	struct vm_waiter *w;

	if (!vm->left)
		vm_forget(vm);
	vm_release(vm);
	console_close(vm->console);
	keep_free(vm->keep);
	while ((w = vm->waiters)) {
		vm->waiters = w->next;
		(void)sd_bus_reply_method_errorf(w->message, SD_BUS_ERROR_NO_REPLY,
						 "vmond is stopping");
		sd_bus_message_unref(w->message);
		free(w);
	}
	vm_config_free(&vm->config);
	free(vm->report);
	free(vm->regs);
	free(vm->trace);
	free(vm->stats);
	free(vm);
}

/**
 * vm_leave() - forget a VM and leave it to the next vmond
 * @vm: VM; one that cannot be left ends
 */
void vm_leave(struct vm *vm)
{
	vm->left = vm->config.claim_ms && vm->id;
	if (vm->left && vm->evm) {
		vm_drain(vm);
		vm_commit(vm);
	}
	/* The next vmond shall know what has become of it. */
	if (vm->left && vm->evm && !vm_survives(vm))
		vm_lose(vm, "vmond was stopped, and a guest with disks, networks or a source of randomness does not outlive it");
	vm_free(vm);
}

/* Let the guest run. */
int vm_start(struct vm *vm, struct error *err)
{
	int r;

	if (!vm->config.restart && !vm->config.keep)
		vm_config_drop_images(&vm->config);	/* not needed again */
	else if (vm->config.claim_ms && vm_config_keep_images(&vm->config, err) < 0)
		return -err->code;
	vm->started = now_us();
	r = vm_keep(vm, err);
	if (r < 0)
		return r;
	(void)engine_vm_flush(vm->evm);
	r = engine_set_state(vm->engine, vm->number, VMON_STATE_RUNNING, err);
	if (r < 0)
		return r;
	vm->state = VMON_STATE_RUNNING;
	vm->life = VM_LIFE_RUNS;
	vm_commit(vm);
	vm_rearm(vm);
	return 0;
}

/**
 * vm_stat() - the module's counters of a VM, or what they were at its end
 * @vm: VM
 * @buf: room for ENGINE_STATS of them
 * @ret: where they are
 * @err: why not
 *
 * Return: how many, or -errno.
 */
int vm_stat(struct vm *vm, struct engine_stat *buf, const struct engine_stat **ret,
	    struct error *err)
{
	*ret = vm->end ? vm->stats : buf;
	if (!vm->end)
		return engine_stat(vm->engine, engine_vm_id(vm->evm), buf, ENGINE_STATS, err);
	if (!vm->stats)
		return fail(err, ENODATA, "VM '%s' has ended (%s) and its counters were not kept",
			    vm->config.name, vm_end_name(vm->end));
	return vm->n_stats;
}

/* Ask for the end of a VM, and say why; it comes from the event loop. */
void vm_stop(struct vm *vm, const char *why)
{
	vm_want_end(vm, VM_END_STOPPED, 0, why);
	vm_commit(vm);
}

/* Paused or let go on by a request, or by the module. Events can be late: ask how it is now. */
static void on_state(struct vm *vm)
{
	struct engine_info info;

	if (engine_get(vm->engine, engine_vm_id(vm->evm), &info, NULL) < 0 ||
	    info.state == vm->state ||
	    (info.state != VMON_STATE_RUNNING && info.state != VMON_STATE_PAUSED))
		return;
	vm->state = info.state;
	vm->on_event(vm, info.state == VMON_STATE_PAUSED ? VM_EVENT_PAUSED : VM_EVENT_UNPAUSED,
		     vm->on_event_arg);
}

/**
 * vm_on_event() - the module says that a VM's state has changed
 * @vm: VM
 * @info: what it says
 */
void vm_on_event(struct vm *vm, const struct engine_info *info)
{
	if (vm->end)
		return;
	if (info->state != VMON_STATE_STOPPED && !vm->wanted_end)
		on_state(vm);
	if (info->state == VMON_STATE_RUNNING)
		return;
	if (info->cause == VMON_CAUSE_OWNER)
		log_warning("VM '%s' is paused: the module could not reach vmond; 'vmonctl unpause %s'",
			    vm->config.name, vm->config.name);
	if (info->cause != VMON_CAUSE_HALT && info->cause != VMON_CAUSE_SHUTDOWN &&
	    info->cause != VMON_CAUSE_ERROR)
		return;

	/* What the guest did before comes first. */
	vm_drain(vm);
	switch (info->cause) {
	case VMON_CAUSE_HALT:
		vm_want_end(vm, VM_END_HALT, 0, info->report);
		break;
	case VMON_CAUSE_SHUTDOWN:
		vm_want_end(vm, VM_END_TRIPLE_FAULT, 0, info->report);
		break;
	default:
		vm_want_end(vm, VM_END_ERROR, 0, info->report);
		break;
	}
}
