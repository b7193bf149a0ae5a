// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's console by position: what came is counted, and the next vmond is asked for what
 * comes after that, so no byte is lost and none comes twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "vmonctl/lasting.h"
#include "vmonctl/request.h"
#include "vmonctl/terminal.h"
#include "vmonctl/vmonctl.h"

/* Return: a socket at @position, or at what is left beyond it, or -errno. */
static int attach(struct viewer *v, uint64_t *position, int *more)
{
	sd_bus_message *m = NULL, *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int fd = -1, r;

	if (!v->link->bus)
		return -ENOTCONN;
	r = request_method(v->link->bus, "ConsoleAt", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "tt", v->id, *position);
	if (r >= 0)
		r = sd_bus_call(v->link->bus, m, 0, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "htb", &fd, position, more);
	if (r >= 0) {
		r = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (r < 0)
			r = -errno;
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r;
}

/* The guest has ended, vmond has gone, or we were too slow for it. */
static void on_closed(void *arg)
{
	struct viewer *v = arg;

	if (viewer_again(v) == -ENXIO)
		v->done(v->arg);
}

static void on_leave(void *arg)
{
	struct viewer *v = arg;

	v->leave(v->arg);
}

/**
 * viewer_open() - begin to show a guest's console
 * @v: with all but @at and @terminal set
 * @position: where, or VIEWER_UNREAD
 *
 * Return: 0 or -errno.
 */
int viewer_open(struct viewer *v, uint64_t position)
{
	int fd, more;

	v->at = position;
	fd = attach(v, &v->at, &more);
	return fd < 0 ? fd : terminal_open(v->link->event, fd, on_leave, on_closed, v,
					   &v->terminal);
}

/**
 * viewer_again() - go on where it was
 * @v: viewer whose socket may be closed
 *
 * Return: 0, or -errno: vmond has gone, and this is to be called again when one has come.
 */
int viewer_again(struct viewer *v)
{
	uint64_t was, at;
	int fd, more, r;

	if (!v->terminal)
		return viewer_open(v, v->at);
	if (terminal_attached(v->terminal))
		return 0;
	was = v->at + terminal_received(v->terminal);
	at = was;
	fd = attach(v, &at, &more);
	if (fd < 0 && fd != -ERANGE)
		return fd;
	/* At its end, or one that vmond could not restore. */
	if (fd < 0 || !more) {
		if (fd >= 0)
			close(fd);
		v->done(v->arg);
		return 0;
	}
	if (at > was)
		fprintf(stderr, "\r\n[vmonctl: %" PRIu64 " bytes of console output lost]\r\n",
			at - was);
	v->at += at - was;
	r = terminal_attach(v->terminal, fd);
	return r < 0 ? r : 0;
}

void viewer_close(struct viewer *v)
{
	terminal_close(v->terminal);
	v->terminal = NULL;
}
