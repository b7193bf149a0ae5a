// SPDX-License-Identifier: GPL-2.0
/*
 * Verbs that are one call: terminate and its kin, pause, debug, version.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/version.h"
#include "vmonctl/vmonctl.h"

/* One call for each guest named; the others are not held up by one that fails. */
static int call_for_each(int argc, char **argv, const char *method)
{
	int r = parse_simple(argc, argv, 1, INT_MAX, NULL, NULL);
	int status = EXIT_OK;

	if (r)
		return r;
	for (; optind < argc; optind++)
		if (client_call(method, NULL, "s", argv[optind]))
			status = EXIT_FAILED;
	return status;
}

int verb_terminate(int argc, char **argv)
{
	return call_for_each(argc, argv, "Terminate");
}

int verb_poweroff(int argc, char **argv)
{
	return call_for_each(argc, argv, "PowerOff");
}

int verb_reboot(int argc, char **argv)
{
	return call_for_each(argc, argv, "Reboot");
}

int verb_reset(int argc, char **argv)
{
	return call_for_each(argc, argv, "Reset");
}

int verb_pause(int argc, char **argv)
{
	return call_for_each(argc, argv, "Pause");
}

int verb_unpause(int argc, char **argv)
{
	return call_for_each(argc, argv, "Unpause");
}

int verb_debug(int argc, char **argv)
{
	sd_bus_message *reply;
	const char *text;
	int r;

	r = parse_simple(argc, argv, 1, 2, NULL, NULL);
	if (r)
		return r;
	if (!strcmp(argv[optind], "daemon"))
		r = client_call("Dump", &reply, NULL);
	else if (argc - optind != 2)
		return usage_error("debug", "debug %s: the name of a virtual machine is missing",
				   argv[optind]);
	else
		r = client_call("Debug", &reply, "ss", argv[optind + 1], argv[optind]);
	if (r)
		return r;
	r = sd_bus_message_read(reply, "s", &text);
	if (r >= 0)
		fputs(text, stdout);
	sd_bus_message_unref(reply);
	return r < 0 ? client_failed(NULL, r) : EXIT_OK;
}

int verb_version(int argc, char **argv)
{
	int r = parse_simple(argc, argv, 0, 0, NULL, NULL);

	if (r)
		return r;
	puts("vmonctl " VMON_VERSION);
	return EXIT_OK;
}
