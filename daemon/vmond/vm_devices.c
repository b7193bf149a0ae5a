// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM has plugged in: disks, network cards, a source of randomness; and what each of them
 * is backed by in the host, from the VM's beginning to its end.
 */
#include <errno.h>
#include <string.h>

#include "vmond/vm.h"
#include "vmond/vm_io.h"

static int add_disks(struct vm *vm, struct error *err)
{
	const struct vm_config *c = &vm->config;
	unsigned int i;
	int r;

	if (c->n_disks) {
		r = disk_ring_new(vm->event, vm_on_devices, vm, &vm->ring, err);
		if (r < 0)
			return r;
	}
	for (i = 0; i < c->n_disks; i++) {
		r = disk_open(vm->ring, &c->disks[i], &vm->disks[i], err);
		if (r < 0)
			return r;
		vm->n_disks++;
		r = machine_add_disk(&vm->machine, vm->disks[i]);
		if (r < 0)
			return fail(err, -r, "disk '%s': %s", c->disks[i].path, strerror(-r));
	}
	return 0;
}

static int add_nets(struct vm *vm, struct error *err)
{
	const struct net_owner owner = { vm->config.name, vm_on_devices, vm };
	static const u8 none[NET_MAC];
	unsigned int i;
	int r;

	for (i = 0; i < vm->config.n_nets; i++) {
		struct net_config *c = &vm->config.nets[i];

		if (!memcmp(c->mac, none, NET_MAC))
			net_default_mac(vm->config.name, i, c->mac);
		r = net_open(vm->event, c, &owner, &vm->nets[i], err);
		if (r < 0)
			return r;
		vm->n_nets++;
		r = machine_add_net(&vm->machine, vm->nets[i]);
		if (r < 0)
			return fail(err, -r, "network '%s': %s", c->id, strerror(-r));
	}
	return 0;
}

/**
 * vm_add_devices() - plug what the configuration has beside the PC itself
 * @vm: VM, whose devices do not run yet
 * @err: why not
 */
int vm_add_devices(struct vm *vm, struct error *err)
{
	int r = add_disks(vm, err);

	if (r >= 0)
		r = add_nets(vm, err);
	if (r < 0)
		return r;
	r = vm->config.rng ? machine_add_rng(&vm->machine) : 0;
	return r < 0 ? fail(err, -r, "rng: %s", strerror(-r)) : 0;
}

/* While memory and devices are still there: what is in flight goes to them. */
void vm_drop_links(struct vm *vm)
{
	disk_ring_free(vm->ring);
	vm->ring = NULL;
	while (vm->n_disks)
		disk_close(vm->disks[--vm->n_disks]);
	while (vm->n_nets) {
		vm->n_nets--;
		vm->net_stats[vm->n_nets] = vm->nets[vm->n_nets]->stats;
		net_close(vm->nets[vm->n_nets]);
	}
}

/* What has passed through a network card, also after the end. */
const struct net_stats *vm_net_stats(const struct vm *vm, unsigned int i)
{
	return i < vm->n_nets ? &vm->nets[i]->stats : &vm->net_stats[i];
}
