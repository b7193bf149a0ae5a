// SPDX-License-Identifier: GPL-2.0
/*
 * One machine for a program that tries to break out: start it, hear it to its end, ask what
 * the self-check has counted.
 *
 * It ends by itself, is stopped when it has been silent for too long, or when a signal asks
 * for that. In no case is it left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/version.h"
#include "vmonctl/escape.h"
#include "vmonctl/vmonctl.h"

#define MEMORY	(16ull << 20)
#define SECOND	1000000ull

struct machine {
	struct escape_session *s;
	struct escape_program *program;
	struct escape_end *end;
	char name[64];
	uint64_t id;
	int fd;
	sd_event_source *output, *timer;
	bool ended, closed, lost, silent;
	char line[ESCAPE_LINE];
	unsigned int used;
};

static int new_message(struct machine *m, const char *method, sd_bus_message **ret)
{
	return sd_bus_message_new_method_call(m->s->bus, ret, NULL, VMON_BUS_PATH,
					      VMON_BUS_INTERFACE, method);
}

/* Ask for its end; on_wait() hears of it. */
static void stop(struct machine *m)
{
	sd_bus_message *msg = NULL;

	if (m->ended || new_message(m, "Terminate", &msg) < 0)
		return;
	if (sd_bus_message_append(msg, "s", m->name) >= 0)
		(void)sd_bus_send(m->s->bus, msg, NULL);
	sd_bus_message_unref(msg);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *arg)
{
	struct escape_session *s = arg;

	(void)source;
	(void)si;
	s->interrupted = true;
	if (s->machine)
		stop(s->machine);
	return 0;
}

static int on_silence(sd_event_source *source, uint64_t usec, void *arg)
{
	struct machine *m = arg;

	(void)source;
	(void)usec;
	m->silent = true;
	stop(m);
	return 0;
}

/* A whole line, and time for the next. */
static void take_line(struct machine *m)
{
	unsigned int before = m->program->next;

	while (m->used && m->line[m->used - 1] == '\r')
		m->used--;
	m->line[m->used] = 0;
	m->used = 0;
	escape_tap_line(m->program, m->line);
	if (m->s->log)
		fprintf(m->s->log, "%s\n", m->line);
	if (m->program->next != before)
		(void)sd_event_source_set_time_relative(m->timer, m->s->silence * SECOND);
}

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct machine *m = arg;
	char buf[4096];
	ssize_t i, n;

	(void)revents;
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	for (i = 0; i < n; i++) {
		if (buf[i] == '\n')
			take_line(m);
		else if (m->used < sizeof(m->line) - 1)
			m->line[m->used++] = buf[i];
	}
	if (n > 0)
		return 0;
	if (m->used)
		take_line(m);
	m->closed = true;
	return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static int on_wait(sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	struct machine *m = arg;
	const char *how, *report;
	uint32_t value;

	(void)error;
	m->ended = true;
	if (sd_bus_message_is_method_error(reply, NULL) ||
	    sd_bus_message_read(reply, "sus", &how, &value, &report) < 0) {
		complain(0, "vmond has gone, and '%s' with it: see 'systemctl status vmond'",
			 m->name);
		m->lost = true;
		return 0;
	}
	snprintf(m->end->how, sizeof(m->end->how), "%s", how);
	snprintf(m->end->report, sizeof(m->end->report), "%s", report);
	return 0;
}

/* Names are for those who look at 'vmonctl list'; two who check take different ones. */
static void make_name(struct machine *m)
{
	char *c;

	snprintf(m->name, sizeof(m->name), "escape-%.32s-%d", m->program->name, (int)getpid());
	for (c = m->name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    *c))
			*c = '-';
}

/* Return: 0, or EXIT_FAILED after a message. */
static int start(struct machine *m, unsigned int from)
{
	const char *path = m->program->path;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *msg = NULL, *reply = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char append[32];
	int r;

	if (fd < 0)
		return complain(EXIT_FAILED, "program '%s': %s: give one that exists and that you may read",
				path, strerror(errno));
	snprintf(append, sizeof(append), "from=%u", from);
	r = new_message(m, "Run", &msg);
	if (r >= 0)
		r = sd_bus_message_append(msg, "sa{sv}", m->name, 5,
					  "kernel", "(hs)", fd, path,
					  "append", "s", append,
					  "memory", "t", MEMORY,
					  "debug-exit", "b", 1,
					  "selfcheck", "b", 1);
	if (r >= 0)
		r = sd_bus_call(m->s->bus, msg, 0, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "ts", &m->id, NULL);
	r = r < 0 ? client_failed(&error, r) : 0;
	close(fd);
	sd_bus_error_free(&error);
	sd_bus_message_unref(msg);
	sd_bus_message_unref(reply);
	return r;
}

/* Return: 0 or -errno; whatever comes, the VM runs. */
static int attend(struct machine *m)
{
	sd_bus_message *msg = NULL, *reply = NULL;
	int r;

	r = new_message(m, "Wait", &msg);
	if (r >= 0)
		r = sd_bus_message_append(msg, "t", m->id);
	if (r >= 0)
		r = sd_bus_call_async(m->s->bus, NULL, msg, on_wait, m, UINT64_MAX);
	sd_bus_message_unref(msg);
	msg = NULL;
	if (r >= 0)
		r = new_message(m, "Console", &msg);
	if (r >= 0)
		r = sd_bus_message_append(msg, "sb", m->name, 1);
	if (r >= 0)
		r = sd_bus_call(m->s->bus, msg, 0, NULL, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "h", &m->fd);
	if (r >= 0) {
		m->fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 3);
		r = m->fd < 0 ? -errno : 0;
	}
	if (r >= 0)
		r = sd_event_add_io(m->s->event, &m->output, m->fd, EPOLLIN, on_output, m);
	if (r >= 0)
		r = sd_event_add_time_relative(m->s->event, &m->timer, CLOCK_MONOTONIC,
					       m->s->silence * SECOND, 0, on_silence, m);
	sd_bus_message_unref(msg);
	sd_bus_message_unref(reply);
	return r;
}

static int read_stats(struct machine *m, sd_bus_message *reply)
{
	struct escape_program *p = m->program;
	unsigned int found = 0, i;
	const char *name;
	uint64_t value;
	struct {
		const char *name;
		uint64_t *sum;
	} wanted[] = {
		{ "selfcheck_exits", &p->exits },
		{ "selfcheck_attempts", &p->attempts },
		{ "selfcheck_changed", &p->changed },
	};
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "(st)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(st)", &name, &value)) > 0) {
		for (i = 0; i < 3; i++) {
			if (strcmp(name, wanted[i].name))
				continue;
			*wanted[i].sum += value;
			found++;
		}
	}
	/* Of all machines of a program, or there is nothing to be said. */
	p->has_stats = found == 3 && (p->has_stats || p->machines == 1);
	return r;
}

static int ask_stats(struct machine *m)
{
	sd_bus_message *msg = NULL, *reply = NULL;
	int r;

	r = new_message(m, "Stat", &msg);
	if (r >= 0)
		r = sd_bus_message_append(msg, "s", m->name);
	if (r >= 0)
		r = sd_bus_call(m->s->bus, msg, 0, NULL, &reply);
	if (r >= 0)
		r = read_stats(m, reply);
	if (r < 0)
		m->program->has_stats = false;
	sd_bus_message_unref(msg);
	sd_bus_message_unref(reply);
	return r;
}

/**
 * escape_machine() - run a program in a machine, to the machine's end
 * @s: session
 * @p: program; takes in what the machine says and what the self-check counts
 * @from: number of the attempt to begin with
 * @end: how it ended
 *
 * Return: 0, or EXIT_FAILED after a message: it could not be run, or vmond is gone.
 */
int escape_machine(struct escape_session *s, struct escape_program *p, unsigned int from,
		   struct escape_end *end)
{
	struct machine m = { .s = s, .program = p, .end = end, .fd = -1 };
	int r, status;

	make_name(&m);
	status = start(&m, from);
	if (status)
		return status;
	p->machines++;
	s->machine = &m;
	r = attend(&m);
	if (r < 0) {
		status = complain(EXIT_FAILED, "cannot attend to '%s': %s", m.name, strerror(-r));
		m.closed = true;
		stop(&m);
	}
	/* A signal may have come before there was anything to stop. */
	if (s->interrupted)
		stop(&m);
	while (r >= 0 && !m.lost && !(m.ended && m.closed))
		r = sd_event_run(s->event, UINT64_MAX);
	s->machine = NULL;
	sd_event_source_disable_unref(m.output);
	sd_event_source_disable_unref(m.timer);
	if (m.fd >= 0)
		close(m.fd);
	if (m.silent)
		snprintf(end->how, sizeof(end->how), "silent for %u s", s->silence);
	if (m.lost || status)
		return EXIT_FAILED;
	if (r < 0) {
		stop(&m);
		return complain(EXIT_FAILED, "waiting for '%s': %s", m.name, strerror(-r));
	}
	(void)ask_stats(&m);
	return 0;
}

/**
 * escape_session_open() - connect, and catch the signals that end a check
 * @s: session
 *
 * Return: 0, or EXIT_FAILED after a message.
 */
int escape_session_open(struct escape_session *s)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	unsigned int i;
	int r;

	if (client_open(&s->bus) < 0)
		return EXIT_FAILED;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < 3; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = sd_event_new(&s->event);
	for (i = 0; i < 3 && r >= 0; i++)
		r = sd_event_add_signal(s->event, NULL, signals[i], on_signal, s);
	if (r >= 0)
		r = sd_bus_attach_event(s->bus, s->event, 0);
	if (r >= 0)
		return 0;
	escape_session_close(s);
	return complain(EXIT_FAILED, "cannot wait for vmond: %s", strerror(-r));
}

void escape_session_close(struct escape_session *s)
{
	if (s->bus)
		(void)sd_bus_detach_event(s->bus);
	sd_bus_flush_close_unref(s->bus);
	sd_event_unref(s->event);
	s->bus = NULL;
	s->event = NULL;
}
