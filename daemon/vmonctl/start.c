// SPDX-License-Identifier: GPL-2.0
/*
 * Verb start: have a guest run that a file defines.
 *
 * Under systemd this starts the unit vmon@NAME.service, whose process is "vmonctl start
 * --foreground NAME": it creates the VM, so that the guest is in the unit's cgroups, hands it
 * to vmond, and ends as the guest ends. The guest is bound to it: whatever ends the process, the
 * guest ends, too, and what systemd says about the unit is true. Without systemd, or
 * with --no-unit, vmond is asked to run the guest and that is all.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "vmonctl/definition.h"
#include "vmonctl/lasting.h"
#include "vmonctl/request.h"
#include "vmonctl/vmonctl.h"

struct start {
	bool foreground, no_unit;
	struct guest_config config;
	struct running guest;
	struct lasting link;
	bool asked;		/* to power off, and told to end if that fails */
	int status;
};

static void fill(struct request *rq, const struct guest_config *c)
{
	unsigned int n = 0;

	*rq = (struct request){ .config = c, .defined = true, .engine_fd = -1 };
	if (c->on_reboot == GUEST_RESTART)
		rq->restart[n++] = "reset";
	if (c->on_crash == GUEST_RESTART) {
		rq->restart[n++] = "triple-fault";
		rq->restart[n++] = "error";
	}
}

static int call_guest(struct start *s, const char *method, sd_bus_message_handler_t done)
{
	sd_bus_message *m = NULL;
	int r;

	/* on_again() asks the next vmond. */
	if (!s->link.bus)
		return -ENOTCONN;
	r = request_method(s->link.bus, method, &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", s->guest.name);
	if (r >= 0)
		r = sd_bus_call_async(s->link.bus, NULL, m, done, s, 0);
	sd_bus_message_unref(m);
	return r;
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)m;
	(void)arg;
	(void)error;
	return 0;
}

/* A guest that cannot be asked is ended. */
static int on_poweroff(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)error;
	if (sd_bus_message_is_method_error(m, NULL))
		(void)call_guest(arg, "Terminate", on_answer);
	return 0;
}

static void end_guest(struct start *s)
{
	(void)call_guest(s, s->asked ? "Terminate" : "PowerOff",
			 s->asked ? on_answer : on_poweroff);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *arg)
{
	struct start *s = arg;

	(void)source;
	(void)si;
	(void)sd_notify(0, "STOPPING=1");
	end_guest(s);
	s->asked = true;
	return 0;
}

static int on_end(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *end, *report;
	struct start *s = arg;
	uint32_t value;

	(void)error;
	if (lasting_away(m))
		return 0;		/* on_lost(), or on_again() */
	if (sd_bus_message_is_method_error(m, NULL))
		s->status = complain(EXIT_FAILED,
				     "vmond has no '%s' any more: see 'journalctl -u vmond'",
				     s->guest.name);
	else if (sd_bus_message_read(m, "sus", &end, &value, &report) < 0)
		s->status = malformed(-EBADMSG);
	else
		s->status = tell_end(s->guest.name, end, value, report);
	if (s->asked && s->status == EXIT_GUEST_STOPPED)
		s->status = EXIT_OK;
	return sd_event_exit(s->link.event, 0);
}

static void on_lost(void *arg)
{
	struct start *s = arg;

	s->status = complain(EXIT_FAILED,
			     "vmond has gone, and '%s' with it: see 'systemctl status vmond'",
			     s->guest.name);
	(void)sd_event_exit(s->link.event, 0);
}

/* There is a new vmond: the guest is bound to this process again. */
static int on_again(void *arg)
{
	struct start *s = arg;
	sd_bus_message *m = NULL;
	int r;

	r = request_method(s->link.bus, "Hold", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", s->guest.id);
	if (r >= 0)
		r = sd_bus_call_async(s->link.bus, NULL, m, on_answer, s, 0);
	sd_bus_message_unref(m);
	if (r >= 0)
		r = request_wait(s->link.bus, s->guest.id, on_end, s);
	if (r >= 0 && s->asked)
		end_guest(s);
	return r;
}

static int watch_signals(struct start *s)
{
	static const int signals[] = { SIGTERM, SIGINT };
	sigset_t set;
	unsigned int i;
	int r = 0;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < ARRAY_SIZE(signals) && r >= 0; i++)
		r = sd_event_add_signal(s->link.event, NULL, signals[i], on_signal, s);
	return r;
}

static int watch_vmond(struct start *s)
{
	int r;

	s->link.again = on_again;
	s->link.lost = on_lost;
	s->link.arg = s;
	r = sd_event_default(&s->link.event);
	if (r >= 0)
		r = lasting_watch(&s->link);
	return r < 0 ? complain(EXIT_FAILED, "cannot watch vmond: %s", strerror(-r)) : 0;
}

static int attend(struct start *s)
{
	int r;

	r = watch_signals(s);
	if (r >= 0)
		r = request_wait(s->link.bus, s->guest.id, on_end, s);
	if (r >= 0) {
		(void)sd_notifyf(0, "READY=1\nSTATUS=Guest '%s' runs", s->guest.name);
		r = sd_event_loop(s->link.event);
	}
	return r < 0 ? complain(EXIT_FAILED, "'%s': %s", s->guest.name, strerror(-r)) :
		       s->status;
}

/* Run a guest and end as it ends. Return: exit status. */
static int hold(struct start *s)
{
	struct request rq;
	struct error err;
	int r;

	fill(&rq, &s->config);
	rq.bound = true;
	r = watch_vmond(s);
	if (r)
		return r;
	/* Without a module vmond says what is to be done. */
	r = engine_create(&s->config, s->link.claim_ms, &rq.engine_fd, &rq.engine_vm, &err);
	if (r < 0 && r != -ENOENT)
		return complain(EXIT_FAILED, "guest '%s': %s", s->config.name, err.text);
	r = request_run(s->link.bus, &rq, &s->guest);
	if (rq.engine_fd >= 0)
		close(rq.engine_fd);
	return r ? r : attend(s);
}

static int start_one(struct start *s, const char *name)
{
	struct request rq;
	int r;

	r = definition_load(name, NULL, &s->config);
	if (!r && client_open(&s->link.bus) < 0)
		r = EXIT_FAILED;
	if (!r && s->foreground) {
		r = hold(s);
	} else if (!r) {
		fill(&rq, &s->config);
		r = request_run(s->link.bus, &rq, &s->guest);
	}
	lasting_close(&s->link);
	s->link.event = sd_event_unref(s->link.event);
	guest_config_free(&s->config);
	return r;
}

/* Refuse here, where it can be read, what the unit would refuse. */
static int start_units(char **names, int n)
{
	struct guest_config c;
	int i, r = 0;

	for (i = 0; i < n && !r; i++) {
		r = definition_load(names[i], NULL, &c);
		guest_config_free(&c);
	}
	return r ? r : unit_systemctl("start", NULL, names, n);
}

static int on_option(int c, const char *value, void *arg)
{
	struct start *s = arg;

	(void)value;
	if (c == 'f')
		s->foreground = true;
	else
		s->no_unit = true;
	return 0;
}

int verb_start(int argc, char **argv)
{
	static const struct option options[] = {
		{ "foreground", no_argument, NULL, 'f' },
		{ "no-unit", no_argument, NULL, 'n' },
		{ 0 }
	};
	struct start s = { 0 };
	int i, r, status = EXIT_OK;

	r = parse_options(argc, argv, 1, INT_MAX, options, on_option, &s);
	if (r)
		return r;
	if (s.foreground && argc - optind > 1)
		return usage_error("start", "--foreground takes one guest");
	if (!s.foreground && !s.no_unit && unit_installed())
		return start_units(argv + optind, argc - optind);
	for (i = optind; i < argc; i++) {
		r = start_one(&s, argv[i]);
		if (r)
			status = r;
	}
	return status;
}
