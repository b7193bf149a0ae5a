// SPDX-License-Identifier: GPL-2.0
/*
 * What of a VM is kept for the next vmond, and when.
 *
 * The rule is one: how the VM is goes into its file before anybody else is told of it. An
 * access is acknowledged to the module, a byte is shown to a reader or written to the log
 * only after vm_commit(). So a vmond can be killed at any instruction. If it was before the
 * commit, the module gives the accesses to the next vmond, whose devices are as they were
 * before them, and nobody has seen what they did. If it was after the commit, the next vmond
 * finds that the devices know these accesses (last_seq): it acknowledges them, a read with
 * the answer that was kept, and does not do them again. Interrupt lines may have been told of
 * early or not at all; they are told again, which at worst interrupts once more
 * a guest whose device does ask for it.
 *
 * A commit is possible when devices have settled: after machine_flush().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmond/kept.h"
#include "vmond/log.h"
#include "vmond/vm_io.h"

static const char *const role_name[KEPT_ROLES] = {
	[KEPT_STATE] = "state",
	[KEPT_RAM] = "ram",
	[KEPT_IMAGES] = "images",
	[KEPT_LOG] = "log",
};

/* The name of a descriptor in the store. */
bool kept_name(u64 id, enum kept_role role, char *name, size_t size)
{
	return (size_t)snprintf(name, size, "vm-%llu-%s", (unsigned long long)id,
				role_name[role]) < size;
}

bool kept_parse(const char *name, u64 *id, enum kept_role *role)
{
	unsigned int i;
	int at = 0;

	if (sscanf(name, "vm-%llu-%n", id, &at) != 1 || !at)
		return false;
	for (i = 0; i < KEPT_ROLES && strcmp(name + at, role_name[i]); i++)
		;
	*role = i;
	return i < KEPT_ROLES;
}

static bool put(struct vm *vm, enum kept_role role, int fd)
{
	char name[STORE_NAME];

	return fd < 0 || (kept_name(vm->id, role, name, sizeof(name)) &&
			  store_put(vm->store, name, fd));
}

static void drop(struct vm *vm, enum kept_role role)
{
	char name[STORE_NAME];

	if (vm->config.claim_ms && kept_name(vm->id, role, name, sizeof(name)))
		store_drop(vm->store, name);
}

static void pack_file(struct pack *p, const struct boot_file *f)
{
	pack_string(p, f->name);
	pack_string(p, f->args);
	pack_u64(p, f->size);
}

/* What never changes; vm_restore.c reads it. */
static bool write_constant(struct vm *vm)
{
	const struct vm_config *c = &vm->config;
	struct pack p;
	unsigned int i;

	keep_begin_constant(vm->keep, &p);
	pack_u64(&p, vm->id);
	pack_u32(&p, vm->number);
	pack_string(&p, c->name);
	pack_u64(&p, c->memory);
	pack_u32(&p, c->exec);
	pack_u32(&p, c->debug_exit);
	pack_u32(&p, c->selfcheck);
	pack_u32(&p, c->restart);
	pack_u32(&p, c->keep);
	pack_u32(&p, c->bound);
	pack_string(&p, c->description);
	pack_string(&p, c->definition);
	pack_string(&p, c->log_name);
	pack_string(&p, c->append);
	pack_u32(&p, c->claim_ms);
	pack_u32(&p, c->fragile);
	pack_file(&p, &c->kernel);
	pack_file(&p, &c->initrd);
	pack_u32(&p, c->n_modules);
	for (i = 0; i < c->n_modules; i++)
		pack_file(&p, &c->modules[i]);
	return keep_end_constant(vm->keep, &p);
}

static void pack_devices(struct pack *p, struct vm *vm)
{
	unsigned int i;

	pack_u32(p, vm->machine.n_devices);
	for (i = 0; i < vm->machine.n_devices; i++) {
		const struct device *dev = vm->machine.devices[i];
		size_t size = dev->ops->save(dev, NULL, 0);
		void *at;

		pack_string(p, dev->ops->name);
		at = pack_room(p, size);
		if (at)
			(void)dev->ops->save(dev, at, size);
	}
}

static void pack_life(struct pack *p, const struct vm *vm)
{
	unsigned int i;

	pack_u32(p, vm->life);
	pack_u32(p, vm->end);
	pack_u32(p, vm->wanted_end);
	pack_u32(p, vm->forced);
	pack_u32(p, vm->asked);
	pack_u32(p, vm->value);
	pack_string(p, vm->report);
	pack_u64(p, vm->started);
	pack_u32(p, vm->restarts);
	pack_u32(p, vm->crashes);
	for (i = 0; i < VM_CRASHES; i++)
		pack_u64(p, vm->crashed[i]);
	pack_u64(p, vm->accesses);
	pack_u64(p, vm->wakeups);
	pack_u32(p, vm->complaints);
}

/**
 * vm_commit() - from here on this is how the VM is, whatever becomes of vmond
 * @vm: VM, its devices settled
 *
 * Whoever acknowledges, shows or writes what the guest has done calls this before.
 */
void vm_commit(struct vm *vm)
{
	struct pack p;

	if (vm->config.claim_ms && vm->id) {
		keep_begin(vm->keep, &p);
		pack_life(&p, vm);
		pack_u32(&p, vm->last_seq);
		pack_u32(&p, vm->last_read);
		pack_u32(&p, vm->last_value);
		pack_u32(&p, vm->lines);
		pack_u32(&p, vm->lines_used);
		pack_u64(&p, console_written(vm->console));
		pack_u64(&p, console_consumed(vm->console));
		pack_u64(&p, vm->log_at);
		pack_u64(&p, vm->log_size);
		pack_u64(&p, vm->log_lost);
		pack_devices(&p, vm);
		if (!keep_end(vm->keep, &p) && vm->complaints++ < VM_COMPLAINTS_MAX)
			log_warning("VM '%s': its state is too large to be kept", vm->config.name);
	}
	console_settled(vm->console);
}

/**
 * vm_keep() - have a VM outlive vmond from now on
 * @vm: VM that has not run yet; @vm->id is set
 * @err: why not
 */
int vm_keep(struct vm *vm, struct error *err)
{
	if (!vm->config.claim_ms)
		return 0;
	if (!write_constant(vm))
		return fail(err, E2BIG, "command line and file names of VM '%s' are too long",
			    vm->config.name);
	vm_commit(vm);
	/* The state last: with it, all is there. Without a store, it ends with vmond. */
	if ((!vm->config.fragile &&
	     (!put(vm, KEPT_RAM, vm->ram_fd) || !put(vm, KEPT_IMAGES, vm->config.images_fd) ||
	      !put(vm, KEPT_LOG, vm->config.log_fd))) || !put(vm, KEPT_STATE, vm->keep->fd))
		vm->config.claim_ms = 0;
	return 0;
}

/* Will the next vmond go on with it? */
bool vm_survives(const struct vm *vm)
{
	return vm->config.claim_ms && !vm->config.fragile;
}

/* It has ended: how, and its console, are still kept. */
void vm_keep_ended(struct vm *vm)
{
	vm_commit(vm);
	drop(vm, KEPT_RAM);
	drop(vm, KEPT_IMAGES);
	drop(vm, KEPT_LOG);
}

/* Nothing is kept any more. */
void vm_forget(struct vm *vm)
{
	unsigned int role;

	if (!vm->id)
		return;
	for (role = 0; role < KEPT_ROLES; role++)
		drop(vm, role);
}
