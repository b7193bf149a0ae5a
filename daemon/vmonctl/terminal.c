// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's console on standard input and output, be they a terminal, pipes or files.
 *
 * Output is written blocking: the daemon keeps what we have not taken. Input is
 * not: what the guest does not take yet stays here, and no more is read then, so
 * that a guest that does not listen cannot keep us from showing what it prints.
 * A terminal is switched to raw mode, and back on every way out.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "vmonctl/terminal.h"

#define ESCAPE	0x1d	/* Ctrl-] */

struct terminal {
	sd_event *event;
	int fd;			/* -1: the guest's end is closed */
	uint64_t received;
	terminal_leave_fn leave;
	terminal_closed_fn closed;
	void *arg;
	sd_event_source *guest;
	sd_event_source *input;
	bool raw;
	struct termios saved;
	size_t pending;		/* input that the guest has not taken */
	char in[4096];
};

static void enable_input(struct terminal *t)
{
	if (t->input)
		(void)sd_event_source_set_enabled(t->input, t->pending || t->fd < 0 ?
							    SD_EVENT_OFF : SD_EVENT_ON);
}

static void send_input(struct terminal *t)
{
	ssize_t n;

	if (t->fd < 0)
		return;
	while (t->pending) {
		n = send(t->fd, t->in, t->pending, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;			/* full, or gone: then its end comes */
		t->pending -= n;
		memmove(t->in, t->in + n, t->pending);
	}
	(void)sd_event_source_set_io_events(t->guest,
					    EPOLLIN | (t->pending ? EPOLLOUT : 0));
	enable_input(t);
}

static int read_input(struct terminal *t)
{
	ssize_t n = read(STDIN_FILENO, t->in, sizeof(t->in));
	char *escape;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		/* No more input; the guest goes on. */
		t->input = sd_event_source_disable_unref(t->input);
		return 0;
	}
	t->pending = n;
	escape = t->raw ? memchr(t->in, ESCAPE, n) : NULL;
	if (escape) {
		t->pending = escape - t->in;
		t->leave(t->arg);
	}
	send_input(t);
	return 0;
}

static int on_input(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	(void)s;
	(void)fd;
	(void)revents;
	return read_input(arg);
}

static int on_input_file(sd_event_source *s, void *arg)
{
	(void)s;
	return read_input(arg);
}

static bool write_all(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= n;
	}
	return true;
}

static int on_guest(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	static char buf[64 << 10];
	struct terminal *t = arg;
	ssize_t n;

	(void)s;
	if (revents & EPOLLOUT)
		send_input(t);
	if (!(revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return 0;
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0) {
		t->received += n;
		if (!write_all(buf, n))
			t->leave(t->arg);	/* nobody reads us any more */
		return 0;
	}
	t->guest = sd_event_source_disable_unref(t->guest);
	close(t->fd);
	t->fd = -1;
	enable_input(t);
	t->closed(t->arg);
	return 0;
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct terminal *t = arg;

	(void)s;
	(void)si;
	t->leave(t->arg);
	return 0;
}

static int add_signals(sd_event *event, struct terminal *t)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	unsigned int i;
	int r = 0;

	sigemptyset(&set);
	for (i = 0; i < 3; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < 3 && r >= 0; i++)
		r = sd_event_add_signal(event, NULL, signals[i], on_signal, t);
	return r;
}

static void make_raw(struct terminal *t)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &t->saved))
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/**
 * terminal_attach() - go on with another socket, after the guest's end was closed
 * @t: terminal
 * @fd: the guest's console; taken over
 */
int terminal_attach(struct terminal *t, int fd)
{
	int r = sd_event_add_io(t->event, &t->guest, fd, EPOLLIN, on_guest, t);

	if (r < 0) {
		close(fd);
		return r;
	}
	t->fd = fd;
	send_input(t);
	return 0;
}

/* Is the guest's end open? */
bool terminal_attached(const struct terminal *t)
{
	return t->fd >= 0;
}

/* Bytes of output that have come. */
uint64_t terminal_received(const struct terminal *t)
{
	return t->received;
}

static int add_input(struct terminal *t)
{
	int r = sd_event_add_io(t->event, &t->input, STDIN_FILENO, EPOLLIN, on_input, t);

	if (r == -EPERM)
		r = sd_event_add_defer(t->event, &t->input, on_input_file, t);
	else if (r == -EBADF)
		r = 0;			/* standard input is closed */
	if (r >= 0)
		enable_input(t);
	return r;
}

/**
 * terminal_open() - connect standard input and output with a guest
 * @event: loop
 * @fd: the guest's console; taken over
 * @leave: called when the user wants to leave
 * @closed: called when the guest's output is at its end, or the socket is gone
 * @arg: for both
 * @ret: terminal
 *
 * Return: 0 or a negative errno.
 */
int terminal_open(sd_event *event, int fd, terminal_leave_fn leave,
		  terminal_closed_fn closed, void *arg, struct terminal **ret)
{
	struct terminal *t = calloc(1, sizeof(*t));
	int r;

	if (!t) {
		close(fd);
		return -ENOMEM;
	}
	t->event = event;
	t->fd = -1;
	t->leave = leave;
	t->closed = closed;
	t->arg = arg;
	signal(SIGPIPE, SIG_IGN);
	r = terminal_attach(t, fd);
	if (r >= 0)
		r = add_signals(event, t);
	if (r >= 0)
		r = add_input(t);
	if (r < 0) {
		terminal_close(t);
		return r;
	}
	make_raw(t);
	*ret = t;
	return 0;
}

void terminal_close(struct terminal *t)
{
	if (!t)
		return;
	if (t->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	sd_event_source_disable_unref(t->guest);
	sd_event_source_disable_unref(t->input);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}
