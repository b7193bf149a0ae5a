// SPDX-License-Identifier: GPL-2.0
/*
 * A VM that the vmond before has left: read what it was, claim it, go on.
 *
 * Nothing of it is taken unless all of it is whole: the records, the devices' states, the
 * memory. The order of vm_keep.c's writing is that of reading here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmond/kept.h"
#include "vmond/log.h"
#include "vmond/vm_io.h"

static void unpack_file(struct unpack *u, struct boot_file *f)
{
	f->name = unpack_string(u);
	f->args = unpack_string(u);
	f->size = unpack_u64(u);
}

static int read_constant(struct vm *vm, struct error *err)
{
	struct vm_config *c = &vm->config;
	struct unpack u;
	unsigned int i;
	int r;

	r = keep_read_constant(vm->keep, &u, err);
	if (r < 0)
		return r;
	vm->id = unpack_u64(&u);
	vm->number = unpack_u32(&u);
	c->name = unpack_string(&u);
	c->memory = unpack_u64(&u);
	c->exec = unpack_u32(&u);
	c->debug_exit = unpack_u32(&u);
	c->selfcheck = unpack_u32(&u);
	c->restart = unpack_u32(&u);
	c->keep = unpack_u32(&u);
	c->bound = unpack_u32(&u);
	c->description = unpack_string(&u);
	c->definition = unpack_string(&u);
	c->log_name = unpack_string(&u);
	c->append = unpack_string(&u);
	c->claim_ms = unpack_u32(&u);
	c->fragile = unpack_u32(&u);
	unpack_file(&u, &c->kernel);
	unpack_file(&u, &c->initrd);
	c->n_modules = unpack_u32(&u);
	if (c->n_modules > VM_MODULES_MAX) {
		c->n_modules = 0;
		return fail(err, EBADMSG, "has too many modules");
	}
	for (i = 0; i < c->n_modules; i++)
		unpack_file(&u, &c->modules[i]);
	r = unpack_end(&u, err);
	if (r < 0)
		return r;
	return c->name && c->append && c->kernel.name ? 0 : fail(err, EBADMSG, "has no name");
}

static void unpack_life(struct unpack *u, struct vm *vm)
{
	unsigned int i;

	vm->life = unpack_u32(u);
	vm->end = unpack_u32(u);
	vm->wanted_end = unpack_u32(u);
	vm->forced = unpack_u32(u);
	vm->asked = unpack_u32(u);
	vm->value = unpack_u32(u);
	vm->report = unpack_string(u);
	vm->started = unpack_u64(u);
	vm->restarts = unpack_u32(u);
	vm->crashes = unpack_u32(u);
	for (i = 0; i < VM_CRASHES; i++)
		vm->crashed[i] = unpack_u64(u);
	vm->accesses = unpack_u64(u);
	vm->wakeups = unpack_u64(u);
	vm->complaints = unpack_u32(u);
	if (vm->end > VM_END_STOPPED || vm->wanted_end > VM_END_STOPPED ||
	    vm->asked > VM_ASKED_REBOOT)
		u->bad = true;
}

static int unpack_devices(struct unpack *u, struct vm *vm, struct error *err)
{
	unsigned int i, n = unpack_u32(u);

	if (n != vm->machine.n_devices)
		return fail(err, EBADMSG, "has %u devices, not %u", n, vm->machine.n_devices);
	for (i = 0; i < n; i++) {
		struct device *dev = vm->machine.devices[i];
		char *name = unpack_string(u);
		bool same = name && !strcmp(name, dev->ops->name);
		const void *state;
		size_t size;

		free(name);
		state = unpack_bytes(u, &size);
		if (!same || !state || dev->ops->restore(dev, state, size) < 0)
			return fail(err, EBADMSG, "has a device '%s' that cannot be restored",
				    dev->ops->name);
	}
	return 0;
}

static int read_state(struct vm *vm, struct error *err)
{
	u64 written, consumed;
	struct unpack u;
	int r;

	r = keep_read(vm->keep, &u, err);
	if (r < 0)
		return r;
	unpack_life(&u, vm);
	vm->last_seq = unpack_u32(&u);
	vm->last_read = unpack_u32(&u);
	vm->last_value = unpack_u32(&u);
	vm->lines = unpack_u32(&u);
	vm->lines_used = unpack_u32(&u);
	written = unpack_u64(&u);
	consumed = unpack_u64(&u);
	vm->log_at = unpack_u64(&u);
	vm->log_size = unpack_u64(&u);
	vm->log_lost = unpack_u64(&u);
	if (console_resume(vm->console, written, consumed) < 0)
		return fail(err, EBADMSG, "has another console");
	if (vm->config.fragile && vm->end)
		return 0;
	if (vm->config.fragile)
		return fail(err, EOPNOTSUPP,
			    "it has disks, networks or a source of randomness, and what they had in flight is lost");
	r = unpack_devices(&u, vm, err);
	return r < 0 ? r : unpack_end(&u, err);
}

/*
 * The vmond before may have written to the log and died before it could note that. It wrote what
 * the console has, so the file's size tells how far it got.
 */
static void find_log(struct vm *vm)
{
	u64 left = console_written(vm->console) - vm->log_at, more;
	struct stat st;

	if (fstat(vm->config.log_fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	more = (u64)st.st_size > vm->log_size ? st.st_size - vm->log_size : 0;
	vm->log_at += more < left ? more : left;
	vm->log_size = st.st_size;
}

static int take_ram(struct vm *vm, struct error *err)
{
	struct stat st;

	if (vm->ram_fd < 0 || fstat(vm->ram_fd, &st) < 0 ||
	    st.st_size != (off_t)vm->config.memory ||
	    !(fcntl(vm->ram_fd, F_GET_SEALS) & F_SEAL_SHRINK))
		return fail(err, EBADMSG, "has lost its memory");
	return vm_map_ram(vm, err);
}

/* Where it is, from the store. The descriptors are the VM's, whatever comes of this. */
static int take(struct vm *vm, struct kept *kept, struct error *err)
{
	int images = kept->fd[KEPT_IMAGES];
	int r;

	vm->ram_fd = kept->fd[KEPT_RAM];
	vm->config.log_fd = kept->fd[KEPT_LOG];
	kept->fd[KEPT_RAM] = -1;
	kept->fd[KEPT_LOG] = -1;
	kept->fd[KEPT_IMAGES] = -1;
	r = read_constant(vm, err);
	if (r >= 0 && vm->id != kept->id)
		r = fail(err, EBADMSG, "is VM %llu's", vm->id);
	if (r < 0) {
		if (images >= 0)
			close(images);
		return r;
	}
	machine_init(&vm->machine, &vm->host, vm->config.memory, vm->config.debug_exit,
		     vm_on_output);
	r = console_new(vm->event, vm_on_console, vm, vm->keep->fd, KEEP_CONSOLE, &vm->console,
			err);
	if (r >= 0)
		r = read_state(vm, err);
	if (images >= 0 && (r < 0 || vm->end))
		close(images);
	else if (images >= 0)
		r = vm_config_map_images(&vm->config, images, err);
	if (r < 0 || vm->end)
		return r;
	if (images < 0 && (vm->config.keep || vm->config.restart))
		return fail(err, EBADMSG, "has lost its boot images");
	return take_ram(vm, err);
}

/**
 * vm_restore() - a VM as the vmond before has left it
 * @event: loop
 * @engine: engine
 * @store: where it is kept
 * @kept: its descriptors; taken over
 * @ret: VM, ended or to be resumed
 * @err: why not
 *
 * Return: 0 or -errno. If its name could be read, there is a VM in any case, to be lost.
 */
int vm_restore(sd_event *event, struct engine *engine, struct store *store,
	       struct kept *kept, struct vm **ret, struct error *err)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	int r;

	*ret = NULL;
	if (!vm)
		return fail(err, ENOMEM, "out of memory");
	vm->event = event;
	vm->engine = engine;
	vm->store = store;
	vm->ram_fd = -1;
	vm->host = vm_host;
	vm_config_init(&vm->config);
	r = keep_open(kept->fd[KEPT_STATE], &vm->keep, err);
	kept->fd[KEPT_STATE] = -1;
	if (r >= 0)
		r = take(vm, kept, err);
	if (r >= 0 && vm->end) {
		vm->state = VMON_STATE_STOPPED;
		console_finish(vm->console);
	}
	if (r < 0 && !vm->console) {
		vm->id = kept->id;
		vm_free(vm);
		return r;
	}
	*ret = vm;
	return r < 0 ? r : 0;
}

/*
 * All that the devices know is acknowledged: the read that the vCPU may wait for with the answer
 * that it would have got, and what comes again of it is passed over (do_access()).
 * Lines that are up make their edge once more: the one before may not have been told of.
 */
static void tell_again(struct vm *vm)
{
	unsigned int i;

	if (vm->last_read)
		engine_vm_done_read(vm->evm, vm->last_seq, vm->last_value);
	else
		engine_vm_done(vm->evm, vm->last_seq);
	for (i = 0; i < 16; i++) {
		if (!(vm->lines_used & 1u << i))
			continue;
		engine_vm_irq(vm->evm, i, false);
		if (vm->lines & 1u << i)
			engine_vm_irq(vm->evm, i, true);
	}
	(void)engine_vm_flush(vm->evm);
}

/* As the module has left it. */
static int go_on(struct vm *vm, struct error *err)
{
	struct engine_info info;
	int r;

	r = engine_get(vm->engine, vm->number, &info, err);
	if (r < 0)
		return r;
	vm->state = info.state;
	if (vm->life == VM_LIFE_NEW)
		return fail(err, ENODATA, "had not been started yet");
	if (vm->wanted_end) {
		(void)sd_event_source_set_enabled(vm->end_source, SD_EVENT_ONESHOT);
		return 0;
	}
	if (vm->life == VM_LIFE_RESTARTS)
		return vm_restart(vm, err);
	if (info.state == VMON_STATE_STOPPED)
		vm_on_event(vm, &info);
	if (info.state != VMON_STATE_PAUSED || info.cause != VMON_CAUSE_OWNER)
		return 0;
	r = engine_set_state(vm->engine, vm->number, VMON_STATE_RUNNING, err);
	if (r >= 0)
		vm->state = VMON_STATE_RUNNING;
	return r;
}

/**
 * vm_resume() - claim a VM and have it go on
 * @vm: from vm_restore(), not ended
 * @err: why not: the VM is to be ended
 */
int vm_resume(struct vm *vm, struct error *err)
{
	int r;

	r = engine_vm_claim(vm->engine, vm->number, vm->config.name, vm->ram_fd, &vm->evm, err);
	if (r < 0)
		return r;
	r = vm_add_end_source(vm, err);
	if (r >= 0)
		r = vm_add_sources(vm, err);
	if (r < 0)
		return r;
	if (vm->config.log_fd >= 0)
		find_log(vm);
	tell_again(vm);
	vm_drain(vm);
	r = go_on(vm, err);
	if (r >= 0)
		vm_rearm(vm);
	return r;
}
