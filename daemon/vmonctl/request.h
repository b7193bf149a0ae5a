/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asking vmond to run a guest, and telling how one ended.
 */
#ifndef VMON_VMONCTL_REQUEST_H
#define VMON_VMONCTL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "guest/config.h"

/**
 * struct request - a guest to be run
 * @config: what it is; @config->name may be "" for vmond's choice
 * @restart: names of ends that restart it, as vmond calls them, up to a NULL
 * @defined: it comes from a definition
 * @debug_exit: with the exit port
 * @selfcheck: the module compares what is its own at each exit
 * @bound: it ends with the connection
 * @engine_fd: socket that owns the VM @engine_vm already, or -1
 * @engine_vm: see there
 */
struct request {
	const struct guest_config *config;
	const char *restart[4];
	bool defined;
	bool debug_exit;
	bool selfcheck;
	bool bound;
	int engine_fd;
	uint32_t engine_vm;
};

/**
 * struct running - a guest that vmond runs for us
 * @id: vmond's number
 * @name: of the guest
 */
struct running {
	uint64_t id;
	char name[64];
};

int request_run(sd_bus *bus, const struct request *rq, struct running *ret);
int request_wait(sd_bus *bus, uint64_t id,
		 int (*done)(sd_bus_message *m, void *arg, sd_bus_error *error), void *arg);
int request_method(sd_bus *bus, const char *method, sd_bus_message **ret);
int tell_end(const char *name, const char *end, uint32_t value, const char *report);

#endif /* VMON_VMONCTL_REQUEST_H */
