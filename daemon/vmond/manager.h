/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon: its loop, its VMs, its connection to the module, its clients.
 */
#ifndef VMON_VMOND_MANAGER_H
#define VMON_VMOND_MANAGER_H

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "common/error.h"
#include "vmond/engine.h"
#include "vmond/vm.h"

#define RUNTIME_DIR	"/run/vmon"
#define ENDED_MAX	32	/* ended VMs remembered, with their consoles */
#define PEERS_MAX	64
#define PEER_QUEUE_MAX	1024	/* messages that a client has not read */

struct peer {
	struct peer *next;
	struct manager *manager;
	sd_bus *bus;
	sd_event_source *drop;	/* it does not read: to be freed from the loop */
};

struct manager {
	sd_event *event;
	struct engine *engine;
	sd_event_source *events_source;
	sd_event_source *listen_source;
	char *dir;		/* runtime directory */
	int lock_fd;
	int listen_fd;
	struct peer *peers;
	unsigned int n_peers;
	struct vm *vms;		/* newest first, ended ones included */
	struct store *store;
	u32 claim_ms;		/* how long VMs can be without vmond */
	bool leaving;		/* VMs are left to the next vmond */
	u64 last_id;
};

int manager_new(struct manager **ret, struct error *err);
int manager_startup(struct manager *m, const char *dir, u32 claim_ms, struct error *err);
int manager_run(struct manager *m, struct error *err);
void manager_free(struct manager *m);

int manager_connect(struct manager *m, struct error *err);
int manager_run_vm(struct manager *m, struct vm_config *config, struct vm **ret,
		   struct error *err);
struct vm *manager_find_vm(struct manager *m, const char *name);
struct vm *manager_find_id(struct manager *m, u64 id);
void manager_add_vm(struct manager *m, struct vm *vm);
void manager_client_gone(struct manager *m, const void *client);
char *manager_dump(struct manager *m);

/* manager_restore.c */
void manager_restore(struct manager *m);

/* listen.c */
int listen_start(struct manager *m, struct error *err);
void listen_stop(struct manager *m);
void listen_drop(struct peer *p);

/* bus.c */
int bus_add_objects(struct manager *m, sd_bus *bus);
int bus_refuse(sd_bus_error *e, const struct error *err);
const char *bus_state_name(u32 state);
const char *bus_cause_name(u32 cause);
const char *bus_exec_name(u32 exec);
struct vm *bus_find_vm(struct manager *m, const char *name, bool alive, sd_bus_error *e);
int bus_read_vm(sd_bus_message *m, struct manager *manager, bool alive, struct vm **ret,
		sd_bus_error *e);
int bus_send(sd_bus_message *reply, int r);

/* bus_info.c: methods of the manager */
int bus_check(sd_bus_message *m, void *arg, sd_bus_error *e);
int bus_stat(sd_bus_message *m, void *arg, sd_bus_error *e);
int bus_debug(sd_bus_message *m, void *arg, sd_bus_error *e);
int bus_show(sd_bus_message *m, void *arg, sd_bus_error *e);
int bus_dump(sd_bus_message *m, void *arg, sd_bus_error *e);

/* bus_run.c */
int bus_read_config(sd_bus_message *m, struct vm_config *c, struct error *err);

/* bus_guest.c */
int bus_add_guests(struct manager *m, sd_bus *bus);
void bus_guest_path(const struct vm *vm, char *path, size_t size);
void bus_emit_event(struct manager *m, struct vm *vm, enum vm_event event);
void bus_forget_guest(struct manager *m, const struct vm *vm);

/* bus_disks.c */
int bus_read_disks(sd_bus_message *m, struct vm_config *c, struct error *err);
void bus_disks_text(const struct vm_config *c, char *text, size_t size);

/* bus_nets.c */
int bus_read_nets(sd_bus_message *m, struct vm_config *c, struct error *err);
void bus_nets_text(const struct vm_config *c, char *text, size_t size);
int bus_append_nets_stat(sd_bus_message *reply, const struct vm *vm);

#endif /* VMON_VMOND_MANAGER_H */
