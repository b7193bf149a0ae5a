// SPDX-License-Identifier: GPL-2.0
/*
 * A connection to vmond that outlives it: when vmond has gone, the next one is looked for, as
 * long as guests wait for it, and whoever uses the connection is told to ask again.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/version.h"
#include "vmonctl/lasting.h"
#include "vmonctl/vmonctl.h"

#define LOOK_USEC	50000
#define SLACK_USEC	2000000		/* vmond comes, then its guests do */

static int on_timer(sd_event_source *s, uint64_t usec, void *arg);

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static void part(struct lasting *l)
{
	if (!l->bus)
		return;
	sd_bus_detach_event(l->bus);
	sd_bus_close_unref(l->bus);
	l->bus = NULL;
}

static void look(struct lasting *l)
{
	int r = 0;

	part(l);
	if (now_usec() >= l->deadline) {
		l->lost(l->arg);
		return;
	}
	if (!l->timer)
		r = sd_event_add_time_relative(l->event, &l->timer, CLOCK_MONOTONIC, LOOK_USEC, 0,
					       on_timer, l);
	else
		r = sd_event_source_set_time_relative(l->timer, LOOK_USEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
	if (r < 0)
		l->lost(l->arg);
}

static int on_disconnected(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct lasting *l = arg;

	(void)m;
	(void)error;
	l->deadline = l->claim_ms ? now_usec() + l->claim_ms * 1000ull + SLACK_USEC : 0;
	look(l);
	return 0;
}

static int attach(struct lasting *l)
{
	int r = sd_bus_attach_event(l->bus, l->event, 0);

	return r < 0 ? r : sd_bus_match_signal(l->bus, NULL, NULL, "/org/freedesktop/DBus/Local",
					       "org.freedesktop.DBus.Local", "Disconnected",
					       on_disconnected, l);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct lasting *l = arg;
	char text[256];
	int r;

	(void)s;
	(void)usec;
	r = client_connect(&l->bus, text, sizeof(text));
	if (r >= 0)
		r = attach(l);
	if (r >= 0)
		r = l->again(l->arg);
	if (r < 0)
		look(l);
	return 0;
}

/**
 * lasting_watch() - have a connection last
 * @l: with all but @timer, @deadline and @claim_ms set
 *
 * Return: 0 or -errno.
 */
int lasting_watch(struct lasting *l)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	/* A vmond that knows no such thing takes its guests with it. */
	if (sd_bus_get_property_trivial(l->bus, NULL, VMON_BUS_PATH, VMON_BUS_INTERFACE, "ClaimMSec",
					&error, 'u', &l->claim_ms) < 0)
		l->claim_ms = 0;
	sd_bus_error_free(&error);
	return attach(l);
}

void lasting_close(struct lasting *l)
{
	sd_event_source_disable_unref(l->timer);
	l->timer = NULL;
	if (l->bus)
		sd_bus_detach_event(l->bus);
	l->bus = sd_bus_flush_close_unref(l->bus);
}

/* Is this no answer, but the end of the connection, or of the vmond at its other end? */
bool lasting_away(const sd_bus_message *m)
{
	return sd_bus_message_is_method_error((sd_bus_message *)m, SD_BUS_ERROR_NO_REPLY) > 0 ||
	       sd_bus_message_is_method_error((sd_bus_message *)m, SD_BUS_ERROR_DISCONNECTED) > 0;
}
