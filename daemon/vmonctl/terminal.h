/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's console on standard input and output.
 */
#ifndef VMON_VMONCTL_TERMINAL_H
#define VMON_VMONCTL_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct terminal;

/* Ctrl-] on a terminal, or SIGINT, SIGTERM or SIGHUP. */
typedef void (*terminal_leave_fn)(void *arg);
/* The guest's end is closed and what came of its output is out. */
typedef void (*terminal_closed_fn)(void *arg);

int terminal_open(sd_event *event, int fd, terminal_leave_fn leave,
		  terminal_closed_fn closed, void *arg, struct terminal **ret);
int terminal_attach(struct terminal *t, int fd);
bool terminal_attached(const struct terminal *t);
uint64_t terminal_received(const struct terminal *t);
void terminal_close(struct terminal *t);

#endif /* VMON_VMONCTL_TERMINAL_H */
