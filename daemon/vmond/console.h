/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's console: what it printed, and who reads it.
 */
#ifndef VMON_VMOND_CONSOLE_H
#define VMON_VMOND_CONSOLE_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/error.h"
#include "common/types.h"

#define CONSOLE_RING	(1024u * 1024)
#define CONSOLE_INPUT	4096u

/* Instead of a position: what nobody has read yet. */
#define CONSOLE_UNREAD	UINT64_MAX

/**
 * struct console_area - what of a console outlives vmond, where the VM's state is kept
 * @in_head: bytes ever typed
 * @seen: up to here somebody has read the output
 * @in: the last that was typed, by position
 * @ring: the last that was printed, by position
 *
 * How far input was consumed and output has got is a part of the VM's state: this may be
 * ahead of it.
 */
struct console_area {
	u64 in_head;
	u64 seen;
	u8 in[CONSOLE_INPUT];
	u8 ring[CONSOLE_RING];
};

struct console;

/* Told when input has come; takes it with console_read(). */
typedef void (*console_input_fn)(void *arg);

int console_new(sd_event *event, console_input_fn input, void *arg, int fd, u64 offset,
		struct console **ret, struct error *err);
void console_finish(struct console *c);
void console_close(struct console *c);
int console_attach(struct console *c, bool all, int *ret_fd, struct error *err);
int console_attach_at(struct console *c, u64 *pos, bool *more, int *ret_fd, struct error *err);
void console_write(struct console *c, const u8 *data, size_t len);
void console_flush(struct console *c);
size_t console_input(const struct console *c, const u8 **data);
void console_consume(struct console *c, size_t len);
u64 console_written(const struct console *c);
size_t console_output(const struct console *c, u64 pos, const u8 **data);
u64 console_consumed(const struct console *c);
void console_settled(struct console *c);
int console_resume(struct console *c, u64 written, u64 consumed);

#endif /* VMON_VMOND_CONSOLE_H */
