/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connection that lasts longer than a vmond does, and a console over it.
 */
#ifndef VMON_VMONCTL_LASTING_H
#define VMON_VMONCTL_LASTING_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

struct terminal;

/**
 * struct lasting - a connection to vmond, and to the next one when it has gone
 * @event: loop
 * @bus: connection; NULL while there is no vmond
 * @again: there is a connection once more: ask anew for what was asked for. -errno: it is
 *	gone again, or the guest is
 * @lost: there is none, and guests have not waited longer
 * @arg: for both
 * @timer: looks for the next vmond
 * @deadline: until when
 * @claim_ms: how long guests wait for it
 */
struct lasting {
	sd_event *event;
	sd_bus *bus;
	int (*again)(void *arg);
	void (*lost)(void *arg);
	void *arg;
	sd_event_source *timer;
	uint64_t deadline;
	uint32_t claim_ms;
};

int lasting_watch(struct lasting *l);
void lasting_close(struct lasting *l);
bool lasting_away(const sd_bus_message *m);

/**
 * struct viewer - a guest's console on standard input and output, for as long as it lasts
 * @link: connection
 * @id: vmond's number of the guest
 * @at: position in its output at which @terminal began to count
 * @terminal: or NULL
 * @leave: the user wants to leave
 * @done: the guest's output is at its end
 * @arg: for both
 */
struct viewer {
	struct lasting *link;
	uint64_t id;
	uint64_t at;
	struct terminal *terminal;
	void (*leave)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

#define VIEWER_UNREAD	UINT64_MAX	/* a position: what nobody has read yet */

int viewer_open(struct viewer *v, uint64_t position);
int viewer_again(struct viewer *v);
void viewer_close(struct viewer *v);

#endif /* VMON_VMONCTL_LASTING_H */
