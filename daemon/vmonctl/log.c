// SPDX-License-Identifier: GPL-2.0
/*
 * Verb log: what the journal has about a guest, or what its console log has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/name.h"
#include "vmonctl/definition.h"
#include "vmonctl/vmonctl.h"

struct log_options {
	bool console, follow, json;
	const char *lines;
};

static const char *string_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : "";
}

/* The file of a guest's console log, to be freed; "": it has none; NULL: a message is out. */
static char *console_file(const char *name)
{
	struct json_object *o, *d;
	const char *path;
	char *copy;

	if (show_guest(name, &o))
		return NULL;
	path = string_of(o, "ConsoleLog");
	if (!*path && json_object_object_get_ex(o, "DefinitionNow", &d))
		path = string_of(d, "Log");
	copy = strdup(path);
	json_object_put(o);
	return copy;
}

static int show_console(const char *name, const struct log_options *opt)
{
	const char *argv[8] = { "tail" };
	unsigned int n = 1;
	char *path;
	int r;

	path = console_file(name);
	if (!path)
		return EXIT_FAILED;
	if (!*path) {
		free(path);
		return complain(EXIT_FAILED,
				"guest '%s' has no console log: give it one with log= below [console] ('vmonctl edit %s'); 'vmonctl console --all %s' shows the last MiB",
				name, name, name);
	}
	if (access(path, R_OK) < 0) {
		r = complain(EXIT_FAILED, "console log '%s': %s", path, strerror(errno));
		free(path);
		return r;
	}
	argv[n++] = "-n";
	argv[n++] = opt->lines ? opt->lines : "+1";
	if (opt->follow)
		argv[n++] = "-F";
	argv[n++] = "--";
	argv[n++] = path;
	r = run_program(argv) ? EXIT_FAILED : EXIT_OK;
	free(path);
	return r;
}

/* From vmond, and from the guest's unit. */
static int show_journal(const char *name, const struct log_options *opt)
{
	const char *argv[16] = { "journalctl" };
	char *guest = NULL, *from = NULL, *about = NULL;
	unsigned int n = 1;
	struct error err;
	int r;

	if (name_check(name, &err) < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	if (asprintf(&guest, "VMON_GUEST=%s", name) < 0 ||
	    asprintf(&from, "_SYSTEMD_UNIT=vmon@%s.service", name) < 0 ||
	    asprintf(&about, "UNIT=vmon@%s.service", name) < 0)
		return complain(EXIT_FAILED, "out of memory");
	if (opt->follow)
		argv[n++] = "--follow";
	if (opt->lines) {
		argv[n++] = "--lines";
		argv[n++] = opt->lines;
	}
	if (opt->json)
		argv[n++] = "--output=json";
	argv[n++] = guest;
	argv[n++] = "+";
	argv[n++] = from;
	argv[n++] = "+";
	argv[n++] = about;
	r = run_program(argv) ? EXIT_FAILED : EXIT_OK;
	free(guest);
	free(from);
	free(about);
	return r;
}

static int on_option(int c, const char *value, void *arg)
{
	struct log_options *opt = arg;

	switch (c) {
	case 'c':
		opt->console = true;
		return 0;
	case 'f':
		opt->follow = true;
		return 0;
	case 'j':
		opt->json = true;
		return 0;
	default:
		if (!*value || value[strspn(value, "0123456789")])
			return usage_error("log", "lines '%s': give a number", value);
		opt->lines = value;
		return 0;
	}
}

int verb_log(int argc, char **argv)
{
	static const struct option options[] = {
		{ "console", no_argument, NULL, 'c' },
		{ "follow", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "lines", required_argument, NULL, 'l' },
		{ 0 }
	};
	struct log_options opt = { 0 };
	int r;

	r = parse_options(argc, argv, 1, 1, options, on_option, &opt);
	if (r)
		return r;
	if (opt.console && opt.json)
		return usage_error("log", "--json is for the journal, --console shows a file as it is");
	return opt.console ? show_console(argv[optind], &opt) : show_journal(argv[optind], &opt);
}
