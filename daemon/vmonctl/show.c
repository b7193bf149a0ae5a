// SPDX-License-Identifier: GPL-2.0
/*
 * Verbs show and status: all about one guest, as it runs and as it is defined.
 *
 * vmond knows guests that run or ran, files know those that are defined; a guest can be either
 * or both. What both say is put together in one object, for scripts and for people.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmonctl/definition.h"
#include "vmonctl/vmonctl.h"

static const char *get(struct json_object *o, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) ? json_object_get_string(value) : "";
}

/* What vmond says, all strings. Return: 0, -ENXIO: it has no such guest, or another error. */
static int from_daemon(const char *name, struct json_object *o)
{
	const char *key, *value;
	sd_bus_message *reply;
	int r;

	r = client_try("Show", &reply, -ENXIO, "s", name);
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(reply, 'a', "{ss}");
	while (r >= 0 && (r = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0)
		add_string(o, key, value);
	sd_bus_message_unref(reply);
	if (r < 0)
		(void)malformed(r);
	return r;
}

/* A key that vmond calls otherwise: "on-reboot" as "OnReboot". */
static void camel(const char *key, char *buf, size_t size)
{
	bool up = true;
	size_t n = 0;

	for (; *key && n + 1 < size; key++) {
		if (*key == '-') {
			up = true;
			continue;
		}
		buf[n++] = up && *key >= 'a' ? *key - 'a' + 'A' : *key;
		up = false;
	}
	buf[n] = 0;
}

static void add_values(const struct guest_config *c, struct json_object *o)
{
	struct json_object *list;
	char name[32], *text;
	unsigned int i, n;

	for (i = 0; i < guest_n_keys; i++) {
		camel(guest_keys[i].name, name, sizeof(name));
		text = guest_key_text(&guest_keys[i], c, 0);
		if (!strcmp(guest_keys[i].name, "module")) {
			list = json_object_new_array();
			for (n = 0; n < c->modules.n; n++)
				json_object_array_add(list,
						      json_object_new_string(c->modules.text[n]));
			json_object_object_add(o, "Modules", list);
		} else if (text) {
			add_string(o, name, text);
		} else if (guest_keys[i].words) {
			add_string(o, name, guest_keys[i].words[0]);
		} else {
			add_string(o, name, !strcmp(name, "Autostart") ? "no" : "");
		}
		free(text);
	}
}

static struct json_object *strings(char *const *text, unsigned int n)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(text[i] ? text[i] : ""));
	return list;
}

/* What the files say. Return: as guest_load(). */
static int from_files(const char *name, struct json_object *o)
{
	struct json_object *d;
	struct guest_problems p = { 0 };
	struct guest_dirs dirs;
	struct guest_config c;
	bool changed;
	int r;

	if (definition_dirs(&dirs))
		return -EINVAL;
	r = guest_load(&dirs, name, NULL, &c, &p);
	if (r != -ENOENT && c.path) {
		d = json_object_new_object();
		add_string(d, "File", c.path);
		json_object_object_add(d, "DropIns", strings(c.dropins.text, c.dropins.n));
		json_object_object_add(d, "Problems",
				       strings(p.text, p.n < GUEST_PROBLEMS_MAX ?
						       p.n : GUEST_PROBLEMS_MAX));
		if (!r)
			add_values(&c, d);
		changed = !r && definition_is_changed(&c, get(o, "Definition"));
		json_object_object_add(d, "Changed", json_object_new_boolean(changed));
		add_string(d, "Enabled", unit_enabled(name) ? "yes" : "no");
		json_object_object_add(o, "DefinitionNow", d);
	} else if (r == -EINVAL) {
		definition_tell(&p);	/* the name is none */
	}
	guest_config_free(&c);
	guest_problems_clear(&p);
	guest_dirs_free(&dirs);
	return r;
}

/* The state of a guest that vmond does not have. */
static const char *state_of(int r)
{
	return !r ? "off" : r == -ENODATA ? "hidden" : "invalid";
}

/**
 * show_guest() - all that is known of a guest
 * @name: of the guest
 * @ret: object, to be put
 *
 * Return: 0, or EXIT_FAILED after a message.
 */
int show_guest(const char *name, struct json_object **ret)
{
	struct json_object *o = json_object_new_object();
	int daemon, files;

	daemon = from_daemon(name, o);
	files = from_files(name, o);
	if (daemon < 0 && !json_object_object_get(o, "DefinitionNow")) {
		json_object_put(o);
		if (daemon == -ENXIO && files != -EINVAL)
			complain(0, "no guest is named '%s': see 'vmonctl list --all'", name);
		return EXIT_FAILED;
	}
	if (daemon < 0) {
		add_string(o, "Name", name);
		add_string(o, "State", state_of(files));
	}
	*ret = o;
	return 0;
}

static void print_value(const char *prefix, const char *key, struct json_object *value)
{
	size_t i;

	if (!json_object_is_type(value, json_type_array)) {
		printf("%s%s=%s\n", prefix, key, json_object_get_string(value));
		return;
	}
	for (i = 0; i < json_object_array_length(value); i++)
		print_value(prefix, key, json_object_array_get_idx(value, i));
}

static void print_lines(const char *prefix, struct json_object *o)
{
	json_object_object_foreach(o, key, value) {
		if (json_object_is_type(value, json_type_object))
			print_lines("Definition.", value);
		else
			print_value(prefix, key, value);
	}
}

int verb_show(int argc, char **argv)
{
	struct json_object *o;
	bool json = false;
	int r;

	r = parse_simple(argc, argv, 1, 1, &json, NULL);
	if (!r)
		r = show_guest(argv[optind], &o);
	if (r)
		return r;
	if (json) {
		print_json(o);
		return EXIT_OK;
	}
	print_lines("", o);
	json_object_put(o);
	return EXIT_OK;
}

static void print_list(const char *label, struct json_object *list)
{
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++)
		printf("%12s: %s\n", i ? "" : label,
		       json_object_get_string(json_object_array_get_idx(list, i)));
}

static void print_started(struct json_object *o)
{
	uint64_t us = strtoull(get(o, "StartedUSec"), NULL, 10);
	time_t t = us / 1000000;
	char when[64];
	struct tm tm;

	if (us && localtime_r(&t, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm))
		printf("%12s: %s, restarted %s times\n", "Started", when, get(o, "Restarts"));
}

static void print_definition(struct json_object *o, bool runs)
{
	struct json_object *d, *v;

	if (!json_object_object_get_ex(o, "DefinitionNow", &d))
		return;
	printf("%12s: %s\n", "Definition", get(d, "File"));
	if (json_object_object_get_ex(d, "DropIns", &v))
		print_list("Drop-ins", v);
	if (json_object_object_get_ex(d, "Problems", &v))
		print_list("Problem", v);
	if (runs && json_object_object_get_ex(d, "Changed", &v) && json_object_get_boolean(v))
		printf("%12s: the definition has changed since the guest was started; it takes effect at its next start\n",
		       "Note");
	printf("%12s: %s\n", "At boot", !strcmp(get(d, "Enabled"), "yes") ? "enabled" :
	       !strcmp(get(d, "Autostart"), "yes") ? "autostart" : "not started");
}

static void print_status(struct json_object *o, bool runs)
{
	static const struct {
		const char *key, *label;
	} rows[] = {
		{ "Kernel", "Kernel" }, { "Initrd", "Initrd" }, { "Append", "Command line" },
		{ "Exec", "Exec" }, { "Guard", "Guard" }, { "ConsoleLog", "Console log" },
		{ "Report", "Report" },
	};
	struct json_object *d;
	const char *text = get(o, "Description");
	unsigned int i;

	if (!*text && json_object_object_get_ex(o, "DefinitionNow", &d))
		text = get(d, "Description");
	printf("%s%s%s\n", get(o, "Name"), *text ? " - " : "", text);
	text = get(o, "Cause");
	printf("%12s: %s%s%s%s\n", "State", get(o, "State"),
	       !strcmp(get(o, "State"), "ended") ? ", " : "",
	       !strcmp(get(o, "State"), "ended") ? text : "",
	       !strcmp(get(o, "Protected"), "UNPROTECTED") ? ", UNPROTECTED" : "");
	print_started(o);
	if (*get(o, "Memory"))
		printf("%12s: %lluM\n", "Memory", strtoull(get(o, "Memory"), NULL, 10) >> 20);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (*get(o, rows[i].key))
			printf("%12s: %s\n", rows[i].label, get(o, rows[i].key));
	print_definition(o, runs);
}

int verb_status(int argc, char **argv)
{
	struct json_object *o;
	bool json = false, runs;
	int r;

	r = parse_simple(argc, argv, 1, 1, &json, NULL);
	if (!r)
		r = show_guest(argv[optind], &o);
	if (r)
		return r;
	runs = !strcmp(get(o, "State"), "running") || !strcmp(get(o, "State"), "paused");
	if (json) {
		print_json(o);
	} else {
		print_status(o, runs);
		json_object_put(o);
	}
	return runs ? EXIT_OK : EXIT_NOT_RUNNING;
}
