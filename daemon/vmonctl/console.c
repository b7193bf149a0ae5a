// SPDX-License-Identifier: GPL-2.0
/*
 * Verb console: be the console of a virtual machine that runs already.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmonctl/lasting.h"
#include "vmonctl/request.h"
#include "vmonctl/vmonctl.h"

struct console {
	struct lasting link;
	struct viewer viewer;
	int status;
};

static void on_done(void *arg)
{
	struct console *c = arg;

	(void)sd_event_exit(c->link.event, 0);
}

static void on_lost(void *arg)
{
	struct console *c = arg;

	c->status = complain(EXIT_FAILED, "vmond has gone: see 'systemctl status vmond'");
	(void)sd_event_exit(c->link.event, 0);
}

static int on_again(void *arg)
{
	struct console *c = arg;
	int r = viewer_again(&c->viewer);

	if (r != -ENXIO)
		return r;
	c->status = complain(EXIT_FAILED, "vmond has the guest no more: see 'journalctl -u vmond'");
	return sd_event_exit(c->link.event, 0);
}

/* vmond's number of a guest, from the name of its object. */
static int find(sd_bus *bus, const char *name, uint64_t *id)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	const char *path = NULL;
	int r;

	r = request_method(bus, "GetGuest", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0)
		*id = strtoull(strrchr(path, '/') + 1, NULL, 10);
	else
		(void)client_failed(&error, r);
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r;
}

static int attend(struct console *c, const char *name, uint64_t position)
{
	int r;

	c->link.again = on_again;
	c->link.lost = on_lost;
	c->link.arg = c;
	c->viewer.link = &c->link;
	c->viewer.leave = on_done;
	c->viewer.done = on_done;
	c->viewer.arg = c;
	r = sd_event_default(&c->link.event);
	if (r >= 0)
		r = lasting_watch(&c->link);
	if (r < 0)
		return r;
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Console of '%s'; Ctrl-] leaves.\r\n", name);
	r = viewer_open(&c->viewer, position);
	if (r >= 0)
		r = sd_event_loop(c->link.event);
	viewer_close(&c->viewer);
	return r;
}

int verb_console(int argc, char **argv)
{
	struct console c = { .status = EXIT_OK };
	bool all = false;
	int r;

	r = parse_simple(argc, argv, 1, 1, NULL, &all);
	if (r)
		return r;
	if (client_open(&c.link.bus) < 0)
		return EXIT_FAILED;
	if (find(c.link.bus, argv[optind], &c.viewer.id) < 0) {
		c.status = EXIT_FAILED;
	} else {
		r = attend(&c, argv[optind], all ? 0 : VIEWER_UNREAD);
		if (r < 0)
			c.status = complain(EXIT_FAILED, "console: %s", strerror(-r));
	}
	lasting_close(&c.link);
	sd_event_unref(c.link.event);
	return c.status;
}
