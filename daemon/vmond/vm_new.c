// SPDX-License-Identifier: GPL-2.0
/*
 * Making a VM: memory, boot image, devices, what the module is told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmond/vm.h"
#include "vmond/vm_io.h"

int vm_map_ram(struct vm *vm, struct error *err)
{
	u64 size = vm->config.memory;

	vm->ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->ram_fd, 0);
	if (vm->ram == MAP_FAILED) {
		vm->ram = NULL;
		return fail(err, errno, "cannot map %llu MiB of guest memory: %s",
			    mib(size), strerror(errno));
	}
	(void)madvise(vm->ram, size, MADV_DONTDUMP);
	return 0;
}

static int make_ram(struct vm *vm, struct error *err)
{
	u64 size = vm->config.memory;
	char name[VMON_NAME_MAX + 8];

	snprintf(name, sizeof(name), "vmon:%s", vm->config.name);
	vm->ram_fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (vm->ram_fd < 0 || ftruncate(vm->ram_fd, size) < 0 ||
	    fcntl(vm->ram_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return fail(err, errno, "cannot make guest memory: %s", strerror(errno));
	return vm_map_ram(vm, err);
}

int vm_load(struct vm *vm, struct vmon_regs *regs, struct error *err)
{
	const struct vm_config *c = &vm->config;
	struct platform platform;
	struct boot_image image = {
		.kernel = c->kernel,
		.initrd = c->initrd,
		.modules = c->modules,
		.n_modules = c->n_modules,
		.append = c->append,
		.platform = &platform,
	};
	struct boot_ram ram = { vm->ram, c->memory };

	machine_describe(&vm->machine, &platform);
	return boot_load(&image, &ram, regs, err);
}

/* What a BIOS would have set up of the interrupt controllers. */
void vm_set_triggers(struct vm *vm)
{
	u16 lines = machine_level_lines(&vm->machine);
	unsigned int i;

	for (i = 0; i < 16; i++)
		if (lines & 1u << i)
			engine_vm_trigger(vm->evm, i, true);
}

static int set_up_engine(struct vm *vm, const struct vmon_regs *regs, struct error *err)
{
	const struct {
		u64 start, end;
	} ram[] = {
		{ 0, BOOT_HOLE },
		{ BOOT_ROM, vm->config.memory },
	};
	unsigned int i;
	int r;

	r = engine_connect(vm->engine, err);
	if (r < 0)
		return r;
	if (vm->config.engine_fd >= 0) {
		r = engine_vm_adopt(vm->engine, vm->config.engine_fd, vm->config.engine_vm,
				    vm->config.name, &vm->evm, err);
		vm->config.engine_fd = -1;
	} else {
		r = engine_vm_new(vm->engine, vm->config.name, vm->config.exec, NULL,
				  vm->config.selfcheck, vm_survives(vm) ? vm->config.claim_ms : 0,
				  &vm->evm, err);
	}
	if (r < 0)
		return r;
	vm->number = engine_vm_id(vm->evm);
	for (i = 0; i < ARRAY_SIZE(ram); i++) {
		r = engine_vm_memory(vm->evm, ram[i].start, ram[i].end - ram[i].start,
				     vm->ram_fd, ram[i].start, err);
		if (r < 0)
			return r;
	}
	for (i = 0; i < vm->machine.n_ranges; i++) {
		const struct device_range *range = vm->machine.ranges[i].range;

		r = engine_vm_range(vm->evm, i, range->space, range->addr,
				    range->size, err);
		if (r < 0)
			return r;
	}
	vm_set_triggers(vm);
	return engine_vm_regs(vm->evm, regs, err);
}

int vm_add_sources(struct vm *vm, struct error *err)
{
	int r;

	r = sd_event_add_io(vm->event, &vm->io_source, engine_vm_fd(vm->evm), EPOLLIN,
			    vm_on_io, vm);
	if (r >= 0)
		r = sd_event_add_time(vm->event, &vm->timer, CLOCK_REALTIME, UINT64_MAX,
				      1, vm_on_timer, vm);
	if (r >= 0)
		r = sd_event_source_set_enabled(vm->timer, SD_EVENT_OFF);
	if (r < 0)
		return fail(err, -r, "cannot watch the VM: %s", strerror(-r));
	return 0;
}

int vm_add_end_source(struct vm *vm, struct error *err)
{
	int r = sd_event_add_defer(vm->event, &vm->end_source, vm_on_end, vm);

	if (r >= 0)
		r = sd_event_source_set_enabled(vm->end_source, SD_EVENT_OFF);
	return r < 0 ? fail(err, -r, "cannot watch the VM: %s", strerror(-r)) : 0;
}

/**
 * vm_new() - make a VM, ready to start
 * @event: loop
 * @engine: engine
 * @store: where it is kept
 * @config: taken over on success; untouched on failure, but for the engine's socket
 * @ret: VM
 * @err: why not
 */
int vm_new(sd_event *event, struct engine *engine, struct store *store,
	   struct vm_config *config, struct vm **ret, struct error *err)
{
	struct vmon_regs regs;
	struct vm *vm;
	int r;

	r = boot_check_memory(config->memory, err);
	if (r < 0)
		return r;
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return fail(err, ENOMEM, "out of memory");
	vm->config = *config;
	config->engine_fd = -1;		/* from here on it is ours, also on failure */
	vm->event = event;
	vm->engine = engine;
	vm->store = store;
	vm->ram_fd = -1;
	vm->host = vm_host;
	machine_init(&vm->machine, &vm->host, config->memory, config->debug_exit,
		     vm_on_output);

	r = vm_add_devices(vm, err);
	if (r >= 0)
		r = make_ram(vm, err);
	if (r >= 0)
		r = vm_load(vm, &regs, err);
	if (r >= 0)
		r = keep_new(config->name, &vm->keep, err);
	if (r >= 0)
		r = console_new(event, vm_on_console, vm, vm->keep->fd, KEEP_CONSOLE,
				&vm->console, err);
	if (r >= 0)
		r = vm_add_end_source(vm, err);
	if (r >= 0)
		r = set_up_engine(vm, &regs, err);
	if (r >= 0)
		r = vm_add_sources(vm, err);
	if (r < 0) {
		vm_release(vm);
		console_close(vm->console);
		keep_free(vm->keep);
		if (vm->config.engine_fd >= 0)
			close(vm->config.engine_fd);
		free(vm);
		return r;
	}
	vm_config_drop_fds(&vm->config);
	*ret = vm;
	return 0;
}
