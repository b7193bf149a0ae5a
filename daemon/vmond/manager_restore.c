// SPDX-License-Identifier: GPL-2.0
/*
 * A new vmond goes on with the virtual machines of the one before.
 *
 * Each by itself: one that cannot go on ends, says why, and touches no other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/messages.h"
#include "vmond/kept.h"
#include "vmond/log.h"
#include "vmond/manager.h"
#include "vmond/vm_io.h"

struct all_kept {
	struct kept *kept;	/* by rising id */
	unsigned int n;
};

static struct kept *find(struct all_kept *all, u64 id)
{
	struct kept *more;
	unsigned int at, role;

	for (at = 0; at < all->n && all->kept[at].id < id; at++)
		;
	if (at < all->n && all->kept[at].id == id)
		return &all->kept[at];
	more = realloc(all->kept, (all->n + 1) * sizeof(*more));
	if (!more)
		return NULL;
	all->kept = more;
	memmove(more + at + 1, more + at, (all->n - at) * sizeof(*more));
	all->n++;
	more[at].id = id;
	for (role = 0; role < KEPT_ROLES; role++)
		more[at].fd[role] = -1;
	return &more[at];
}

static void collect(const char *name, int fd, void *arg)
{
	enum kept_role role;
	struct kept *kept;
	u64 id;

	if (!kept_parse(name, &id, &role)) {
		close(fd);
		return;
	}
	kept = find(arg, id);
	if (!kept || kept->fd[role] >= 0)
		close(fd);
	else
		kept->fd[role] = fd;
}

/* Close what was not taken over, and keep it no longer; with @all, what was, too. */
static void drop(struct manager *m, struct kept *kept, bool all)
{
	char name[STORE_NAME];
	unsigned int role;

	for (role = 0; role < KEPT_ROLES; role++) {
		if (kept->fd[role] < 0 && !all)
			continue;
		if (kept_name(kept->id, role, name, sizeof(name)))
			store_drop(m->store, name);
		if (kept->fd[role] >= 0)
			close(kept->fd[role]);
	}
}

/* It cannot go on: nor does it in the module. */
static void lose(struct manager *m, struct vm *vm, const char *why)
{
	struct engine_info info;
	char text[600];

	snprintf(text, sizeof(text), "vmond was restarted, and the guest cannot go on: %s", why);
	if (!vm->evm && engine_get(m->engine, vm->number, &info, NULL) >= 0 &&
	    !strcmp(info.name, vm->config.name) && !info.owner)
		(void)engine_delete(m->engine, vm->number, NULL);
	vm_lose(vm, text);
}

/* The process that held it is expected back, or nobody would end it. */
static int on_unheld(sd_event_source *s, uint64_t usec, void *arg)
{
	struct vm *vm = arg;

	(void)s;
	(void)usec;
	if (!vm->end && !vm->client)
		vm_stop(vm, "the process that held it did not come back to the new vmond");
	return 0;
}

static void expect_holder(struct manager *m, struct vm *vm)
{
	uint64_t usec = vm->config.claim_ms * 1000ull;

	if (vm->config.bound)
		(void)sd_event_add_time_relative(m->event, &vm->hold_source, CLOCK_MONOTONIC, usec,
						 0, on_unheld, vm);
}

/* Return: whether there is anything of it. */
static bool restore(struct manager *m, struct kept *kept)
{
	struct error err;
	struct vm *vm;
	int r;

	/* Its end was on its way, or its beginning. */
	if (kept->fd[KEPT_STATE] < 0)
		return false;
	r = vm_restore(m->event, m->engine, m->store, kept, &vm, &err);
	if (!vm) {
		log_error("VM number %llu of the vmond before: its state %s: it ends",
			  (unsigned long long)kept->id, err.text);
		return false;
	}
	manager_add_vm(m, vm);
	if (r >= 0 && !vm->end)
		r = vm_resume(vm, &err);
	if (r < 0) {
		lose(m, vm, err.text);
		return true;
	}
	if (vm->end)
		return true;
	expect_holder(m, vm);
	log_guest(6, MESSAGE_GUEST_RESUMED, vm->config.name,
		  "VM '%s' goes on with this vmond", vm->config.name);
	return true;
}

/**
 * manager_restore() - go on with what the vmond before has left
 * @m: manager, connected to the module if there is one
 */
void manager_restore(struct manager *m)
{
	struct all_kept all = { 0 };
	unsigned int i;

	store_take(m->store, collect, &all);
	for (i = 0; i < all.n; i++)
		drop(m, &all.kept[i], !restore(m, &all.kept[i]));
	free(all.kept);
}
