/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's console: what it printed, and who reads it.
 */
#ifndef VMON_VMOND_CONSOLE_H
#define VMON_VMOND_CONSOLE_H

#include <systemd/sd-event.h>

#include "common/error.h"
#include "common/types.h"

#define CONSOLE_RING	(1024u * 1024)

struct console;

/* Told when input has come; takes it with console_read(). */
typedef void (*console_input_fn)(void *arg);

int console_new(sd_event *event, console_input_fn input, void *arg,
		struct console **ret, struct error *err);
void console_finish(struct console *c);
void console_close(struct console *c);
int console_attach(struct console *c, bool all, int *ret_fd, struct error *err);
void console_write(struct console *c, const u8 *data, size_t len);
void console_flush(struct console *c);
size_t console_input(const struct console *c, const u8 **data);
void console_consume(struct console *c, size_t len);
u64 console_written(const struct console *c);

#endif /* VMON_VMOND_CONSOLE_H */
