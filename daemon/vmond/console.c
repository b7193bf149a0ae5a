// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's console: a ring of its last output, and any number of readers.
 *
 * Positions are counts of bytes ever written; a reader is a socket and the
 * position it has got to. So a slow reader loses nothing until it is a whole
 * ring behind, and then is told how much. The guest is never held up. What
 * nobody has read yet is kept for the first reader to come.
 *
 * A console outlives its VM until its readers have got everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmond/console.h"

#define INPUT_SIZE	4096
#define READERS_MAX	16

struct reader {
	struct reader *next;
	struct console *console;
	sd_event_source *source;
	int fd;
	u64 pos;
	bool blocked;		/* waits for EPOLLOUT */
};

struct console {
	sd_event *event;
	console_input_fn input;
	void *arg;
	struct reader *readers;
	unsigned int n_readers;
	bool finished;		/* no more output: readers end when they have all */
	bool closing;		/* freed with the last reader */
	u64 head;		/* bytes ever written */
	u64 seen;		/* up to here somebody has read */
	size_t in_len;
	u8 in[INPUT_SIZE];
	u8 ring[CONSOLE_RING];
};

/**
 * console_new() - make a console
 * @event: loop
 * @input: called when a reader has typed something
 * @arg: for @input
 * @ret: console
 * @err: why not
 */
int console_new(sd_event *event, console_input_fn input, void *arg,
		struct console **ret, struct error *err)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return fail(err, ENOMEM, "out of memory");
	c->event = sd_event_ref(event);
	c->input = input;
	c->arg = arg;
	*ret = c;
	return 0;
}

static void console_free(struct console *c)
{
	sd_event_unref(c->event);
	free(c);
}

/* Frees the console, too, when it was the last of a closing one. */
static void reader_free(struct reader *r)
{
	struct console *c = r->console;
	struct reader **p;

	for (p = &c->readers; *p; p = &(*p)->next) {
		if (*p == r) {
			*p = r->next;
			break;
		}
	}
	c->n_readers--;
	sd_event_source_disable_unref(r->source);
	close(r->fd);
	free(r);
	if (c->closing && !c->readers)
		console_free(c);
}

static void update_events(struct reader *r)
{
	struct console *c = r->console;
	u32 events = r->blocked ? EPOLLOUT : 0;

	if (!c->finished && c->in_len < INPUT_SIZE)
		events |= EPOLLIN;
	(void)sd_event_source_set_io_events(r->source, events);
}

static void update_all_events(struct console *c)
{
	struct reader *r;

	for (r = c->readers; r; r = r->next)
		update_events(r);
}

/* The oldest byte that the ring still has. */
static u64 tail(const struct console *c)
{
	return c->head > CONSOLE_RING ? c->head - CONSOLE_RING : 0;
}

/* Send what the reader has not got. Return: false if it is gone (and freed). */
static bool reader_send(struct reader *r)
{
	struct console *c = r->console;
	char note[80];
	size_t at, len;
	ssize_t n;

	r->blocked = false;
	while (r->pos < c->head) {
		if (r->pos < tail(c)) {
			len = snprintf(note, sizeof(note),
				       "\r\n[vmond: %llu bytes of console output lost]\r\n",
				       (unsigned long long)(tail(c) - r->pos));
			n = send(r->fd, note, len, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n > 0)
				r->pos = tail(c);
		} else {
			at = r->pos % CONSOLE_RING;
			len = c->head - r->pos;
			if (len > CONSOLE_RING - at)
				len = CONSOLE_RING - at;
			n = send(r->fd, c->ring + at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n > 0)
				r->pos += n;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			r->blocked = true;
			break;
		}
		if (n <= 0) {
			reader_free(r);
			return false;
		}
		if (r->pos > c->seen)
			c->seen = r->pos;
	}
	if (c->finished && r->pos == c->head) {
		reader_free(r);
		return false;
	}
	return true;
}

static int on_reader(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct reader *r = arg;
	struct console *c = r->console;
	ssize_t n;

	(void)s;
	if (revents & EPOLLOUT) {
		if (!reader_send(r))
			return 0;
		update_events(r);
	}
	if ((revents & EPOLLIN) && c->in_len < INPUT_SIZE && !c->finished) {
		n = recv(fd, c->in + c->in_len, INPUT_SIZE - c->in_len, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			reader_free(r);
			return 0;
		}
		if (n > 0) {
			c->in_len += n;
			update_all_events(c);
			c->input(c->arg);
		}
	} else if ((revents & (EPOLLHUP | EPOLLERR)) && !(revents & EPOLLIN)) {
		reader_free(r);
	}
	return 0;
}

/**
 * console_attach() - make a reader
 * @c: console
 * @all: all that the ring still has, not only what nobody has read
 * @ret_fd: a stream socket, the caller's
 * @err: why not
 */
int console_attach(struct console *c, bool all, int *ret_fd, struct error *err)
{
	struct reader *r;
	int fd[2];
	int n;

	if (c->n_readers == READERS_MAX)
		return fail(err, EBUSY, "console has %u readers already: close one",
			    READERS_MAX);
	r = calloc(1, sizeof(*r));
	if (!r)
		return fail(err, ENOMEM, "out of memory");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0) {
		n = fail(err, errno, "cannot make a socket: %s", strerror(errno));
		free(r);
		return n;
	}
	r->console = c;
	r->fd = fd[0];
	r->pos = all || c->seen < tail(c) ? tail(c) : c->seen;
	n = sd_event_add_io(c->event, &r->source, r->fd, EPOLLIN, on_reader, r);
	if (n < 0) {
		close(fd[0]);
		close(fd[1]);
		free(r);
		return fail(err, -n, "cannot watch a socket: %s", strerror(-n));
	}
	r->next = c->readers;
	c->readers = r;
	c->n_readers++;
	*ret_fd = fd[1];
	if (reader_send(r))
		update_events(r);
	return 0;
}

/**
 * console_finish() - the guest has ended, no more output comes
 * @c: console
 *
 * Readers end when they have got everything, also those that come later.
 */
void console_finish(struct console *c)
{
	struct reader *r, *next;

	c->finished = true;
	for (r = c->readers; r; r = next) {
		next = r->next;
		if (reader_send(r))
			update_events(r);
	}
}

/**
 * console_close() - the VM is forgotten
 * @c: console, or NULL; freed when its readers have got everything
 */
void console_close(struct console *c)
{
	if (!c)
		return;
	console_finish(c);
	c->closing = true;
	if (!c->readers)
		console_free(c);
}

/* Output of the guest, into the ring; console_flush() sends it on. */
void console_write(struct console *c, const u8 *data, size_t len)
{
	while (len) {
		size_t at = c->head % CONSOLE_RING;
		size_t n = len < CONSOLE_RING - at ? len : CONSOLE_RING - at;

		memcpy(c->ring + at, data, n);
		c->head += n;
		data += n;
		len -= n;
	}
}

void console_flush(struct console *c)
{
	struct reader *r, *next;

	for (r = c->readers; r; r = next) {
		next = r->next;
		if (!r->blocked && r->pos < c->head && reader_send(r) && r->blocked)
			update_events(r);
	}
}

/* What has been typed and not consumed. Return: bytes at *@data. */
size_t console_input(const struct console *c, const u8 **data)
{
	*data = c->in;
	return c->in_len;
}

void console_consume(struct console *c, size_t len)
{
	bool was_full = c->in_len == INPUT_SIZE;

	if (!len)
		return;
	c->in_len -= len;
	memmove(c->in, c->in + len, c->in_len);
	if (was_full)
		update_all_events(c);
}

u64 console_written(const struct console *c)
{
	return c->head;
}
