// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's console: a ring of its last output, and any number of readers.
 *
 * Positions are counts of bytes ever written; a reader is a socket and the
 * position it has got to. So a slow reader loses nothing until it is a whole
 * ring behind, and then is told how much. The guest is never held up. What
 * nobody has read yet is kept for the first reader to come.
 *
 * A console outlives its VM until its readers have got everything. Its bytes are where the VM's
 * state is kept, so they outlive vmond, too: a reader that names the position it has got to
 * goes on there with the next vmond. For that, output is shown to readers only
 * once it is part of the VM's state: what is not will be printed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmond/console.h"

#define READERS_MAX	16
#define RING_SLACK	8192	/* more than a guest prints between two of its states */

struct reader {
	struct reader *next;
	struct console *console;
	sd_event_source *source;
	int fd;
	u64 pos;
	bool counts;		/* knows its position: nothing but output may come */
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
	u64 shown;		/* up to here they are part of the VM's state */
	u64 in_tail;		/* bytes ever consumed */
	u64 in_settled;		/* up to here that is part of the VM's state */
	struct console_area *area;
};

/**
 * console_new() - make a console
 * @event: loop
 * @input: called when a reader has typed something
 * @arg: for @input
 * @fd: file that keeps its bytes
 * @offset: where a struct console_area is in it
 * @ret: console
 * @err: why not
 */
int console_new(sd_event *event, console_input_fn input, void *arg, int fd, u64 offset,
		struct console **ret, struct error *err)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return fail(err, ENOMEM, "out of memory");
	c->area = mmap(NULL, sizeof(*c->area), PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (c->area == MAP_FAILED) {
		free(c);
		return fail(err, errno, "cannot map a console: %s", strerror(errno));
	}
	c->event = sd_event_ref(event);
	c->input = input;
	c->arg = arg;
	*ret = c;
	return 0;
}

static void console_free(struct console *c)
{
	sd_event_unref(c->event);
	munmap(c->area, sizeof(*c->area));
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

/* Input that there is room for: what was consumed may be needed once more. */
static size_t input_room(const struct console *c)
{
	return CONSOLE_INPUT - (c->area->in_head - c->in_settled);
}

static void update_events(struct reader *r)
{
	struct console *c = r->console;
	u32 events = r->blocked ? EPOLLOUT : 0;

	if (!c->finished && input_room(c))
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
	return c->head > CONSOLE_RING - RING_SLACK ? c->head - (CONSOLE_RING - RING_SLACK) : 0;
}

/**
 * console_output() - what was printed from a position on, as far as it lies together
 * @c: console
 * @pos: position
 * @data: gets where it is
 *
 * Return: bytes.
 */
size_t console_output(const struct console *c, u64 pos, const u8 **data)
{
	size_t at = pos % CONSOLE_RING, len = c->shown > pos ? c->shown - pos : 0;

	*data = c->area->ring + at;
	return len < CONSOLE_RING - at ? len : CONSOLE_RING - at;
}

/* Send what the reader has not got. Return: false if it is gone (and freed). */
static bool reader_send(struct reader *r)
{
	struct console *c = r->console;
	char note[80];
	const u8 *data;
	size_t len;
	ssize_t n;

	r->blocked = false;
	while (r->pos < c->shown) {
		if (r->pos < tail(c) && r->counts) {
			/* It asks again, and is told where it is. */
			reader_free(r);
			return false;
		}
		if (r->pos < tail(c)) {
			len = snprintf(note, sizeof(note),
				       "\r\n[vmond: %llu bytes of console output lost]\r\n",
				       (unsigned long long)(tail(c) - r->pos));
			n = send(r->fd, note, len, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n > 0)
				r->pos = tail(c);
		} else {
			len = console_output(c, r->pos, &data);
			n = send(r->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
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
		if (r->pos > c->area->seen)
			c->area->seen = r->pos;
	}
	if (c->finished && r->pos == c->shown) {
		reader_free(r);
		return false;
	}
	return true;
}

static int on_reader(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct reader *r = arg;
	struct console *c = r->console;
	size_t at, len;
	ssize_t n;

	(void)s;
	if (revents & EPOLLOUT) {
		if (!reader_send(r))
			return 0;
		update_events(r);
	}
	if ((revents & EPOLLIN) && input_room(c) && !c->finished) {
		at = c->area->in_head % CONSOLE_INPUT;
		len = input_room(c);
		if (len > CONSOLE_INPUT - at)
			len = CONSOLE_INPUT - at;
		n = recv(fd, c->area->in + at, len, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			reader_free(r);
			return 0;
		}
		if (n > 0) {
			c->area->in_head += n;
			update_all_events(c);
			c->input(c->arg);
		}
	} else if ((revents & (EPOLLHUP | EPOLLERR)) && !(revents & EPOLLIN)) {
		reader_free(r);
	}
	return 0;
}

/* Return: a stream socket of a new reader at @pos, or -errno. */
static int attach(struct console *c, u64 pos, bool counts, struct error *err)
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
	r->pos = pos;
	r->counts = counts;
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
	if (reader_send(r))
		update_events(r);
	return fd[1];
}

/* Where a reader begins who asks for what nobody has read. */
static u64 unread(const struct console *c)
{
	return c->area->seen < tail(c) ? tail(c) : c->area->seen;
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
	*ret_fd = attach(c, all ? tail(c) : unread(c), false, err);
	return *ret_fd < 0 ? *ret_fd : 0;
}

/**
 * console_attach_at() - make a reader that counts what it gets
 * @c: console
 * @pos: where it begins: a position, or CONSOLE_UNREAD; gets where it does begin
 * @more: gets whether there is, or will be, anything from there on
 * @ret_fd: a stream socket, the caller's
 * @err: why not
 *
 * A reader that falls behind the ring is parted with: it attaches again.
 */
int console_attach_at(struct console *c, u64 *pos, bool *more, int *ret_fd, struct error *err)
{
	if (*pos == CONSOLE_UNREAD)
		*pos = unread(c);
	if (*pos < tail(c))
		*pos = tail(c);
	if (*pos > c->shown)
		return fail(err, ERANGE, "console: nothing has been printed at %llu yet: it ends at %llu",
			    (unsigned long long)*pos, (unsigned long long)c->shown);
	*more = !c->finished || *pos < c->shown;
	*ret_fd = attach(c, *pos, true, err);
	return *ret_fd < 0 ? *ret_fd : 0;
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

		memcpy(c->area->ring + at, data, n);
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
		if (!r->blocked && r->pos < c->shown && reader_send(r) && r->blocked)
			update_events(r);
	}
}

/* What has been typed and not consumed, as far as it lies together. Return: bytes at *@data. */
size_t console_input(const struct console *c, const u8 **data)
{
	size_t at = c->in_tail % CONSOLE_INPUT, len = c->area->in_head - c->in_tail;

	*data = c->area->in + at;
	return len < CONSOLE_INPUT - at ? len : CONSOLE_INPUT - at;
}

void console_consume(struct console *c, size_t len)
{
	c->in_tail += len;
}

/* Bytes ever consumed. */
u64 console_consumed(const struct console *c)
{
	return c->in_tail;
}

u64 console_written(const struct console *c)
{
	return c->head;
}

/* What was written and consumed has become part of the VM's state. */
void console_settled(struct console *c)
{
	bool was_full = !input_room(c);

	c->shown = c->head;
	c->in_settled = c->in_tail;
	if (was_full && input_room(c))
		update_all_events(c);
}

/**
 * console_resume() - go on with the console of a vmond that has gone
 * @c: console that nobody has used
 * @written: bytes written, as of the VM's state
 * @consumed: bytes consumed
 *
 * Return: 0, or -EBADMSG: it cannot have been so.
 */
int console_resume(struct console *c, u64 written, u64 consumed)
{
	if (consumed > c->area->in_head || c->area->in_head - consumed > CONSOLE_INPUT)
		return -EBADMSG;
	if (c->area->seen > written)
		c->area->seen = written;
	c->head = written;
	c->in_tail = consumed;
	console_settled(c);
	return 0;
}
