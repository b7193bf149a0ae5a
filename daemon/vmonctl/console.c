// SPDX-License-Identifier: GPL-2.0
/*
 * Verb console: be the console of a virtual machine that runs already.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmonctl/terminal.h"
#include "vmonctl/vmonctl.h"

static void on_done(void *arg)
{
	(void)sd_event_exit(arg, 0);
}

int verb_console(int argc, char **argv)
{
	struct terminal *t;
	sd_event *event = NULL;
	sd_bus_message *reply;
	bool all = false;
	int fd, r;

	r = parse_simple(argc, argv, 1, 1, NULL, &all);
	if (!r)
		r = client_call("Console", &reply, "sb", argv[optind], (int)all);
	if (r)
		return r;
	r = sd_bus_message_read(reply, "h", &fd);
	if (r >= 0)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	sd_bus_message_unref(reply);
	if (r < 0 || fd < 0)
		return complain(EXIT_FAILED, "no console came from vmond");

	r = sd_event_default(&event);
	if (r >= 0) {
		if (isatty(STDIN_FILENO))
			fprintf(stderr, "Console of '%s'; Ctrl-] leaves.\r\n", argv[optind]);
		r = terminal_open(event, fd, on_done, on_done, event, &t);
	}
	if (r >= 0) {
		r = sd_event_loop(event);
		terminal_close(t);
	}
	sd_event_unref(event);
	return r < 0 ? complain(EXIT_FAILED, "console: %s", strerror(-r)) : EXIT_OK;
}
