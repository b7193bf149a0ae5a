// SPDX-License-Identifier: GPL-2.0
/*
 * Verb monitor: what happens to guests, a line each, as it happens.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "common/version.h"
#include "vmonctl/lasting.h"
#include "vmonctl/vmonctl.h"

struct monitor {
	struct lasting link;
	bool json;
	int status;
};

static void print_event(const struct monitor *mon, uint64_t id, const char *name,
			const char *event, const char *detail, const char *report)
{
	struct json_object *o;
	char when[64];
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	if (!mon->json) {
		printf("%s %-20s %-9s%s%s%s%s\n", when, name, event, *detail ? " " : "", detail,
		       *report ? ": " : "", report);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "time", json_object_new_double(ts.tv_sec + ts.tv_nsec / 1e9));
	json_object_object_add(o, "id", json_object_new_int64(id));
	add_string(o, "name", name);
	add_string(o, "event", event);
	add_string(o, "detail", detail);
	add_string(o, "report", report);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int on_event(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *name, *event, *detail, *report;
	struct monitor *mon = arg;
	uint64_t id;

	(void)error;
	if (sd_bus_message_read(m, "tssss", &id, &name, &event, &detail, &report) < 0) {
		mon->status = malformed(-EBADMSG);
		return sd_event_exit(mon->link.event, 0);
	}
	print_event(mon, id, name, event, detail, report);
	if (fflush(stdout) || ferror(stdout))
		return sd_event_exit(mon->link.event, 0);	/* nobody reads us any more */
	return 0;
}

static void on_lost(void *arg)
{
	struct monitor *mon = arg;

	mon->status = complain(EXIT_FAILED, "vmond has gone: see 'systemctl status vmond'");
	(void)sd_event_exit(mon->link.event, 0);
}

static int listen_for_events(void *arg)
{
	struct monitor *mon = arg;

	return sd_bus_match_signal(mon->link.bus, NULL, NULL, VMON_BUS_PATH, VMON_BUS_INTERFACE,
				   "Event", on_event, mon);
}

static int watch(struct monitor *mon)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	mon->link.again = listen_for_events;
	mon->link.lost = on_lost;
	mon->link.arg = mon;
	r = sd_event_default(&mon->link.event);
	if (r >= 0)
		r = sd_event_add_signal(mon->link.event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(mon->link.event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = lasting_watch(&mon->link);
	if (r >= 0)
		r = listen_for_events(mon);
	return r < 0 ? r : sd_event_loop(mon->link.event);
}

int verb_monitor(int argc, char **argv)
{
	struct monitor mon = { .status = EXIT_OK };
	int r;

	r = parse_simple(argc, argv, 0, 0, &mon.json, NULL);
	if (r)
		return r;
	if (client_open(&mon.link.bus) < 0)
		return EXIT_FAILED;
	r = watch(&mon);
	lasting_close(&mon.link);
	sd_event_unref(mon.link.event);
	return r < 0 ? complain(EXIT_FAILED, "cannot watch vmond: %s", strerror(-r)) : mon.status;
}
