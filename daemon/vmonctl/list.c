// SPDX-License-Identifier: GPL-2.0
/*
 * Verbs that show: list, stat, show. A table for people, JSON for scripts.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/version.h"
#include "vmonctl/vmonctl.h"

void print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void add_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

int malformed(int r)
{
	if (r >= 0)
		return EXIT_OK;
	return complain(EXIT_FAILED,
			"vmond's answer is malformed: vmond and vmonctl are of different versions");
}

struct row {
	uint64_t id, memory;
	uint32_t vm;
	const char *name, *state, *cause, *exec, *guard, *report;
	int protected;
};

static void list_table(const struct row *v)
{
	printf("%-20s %-8s %-12s %6" PRIu64 "M  %-9s  %-8s %s\n", v->name, v->state,
	       v->cause, v->memory >> 20, v->exec, v->guard,
	       v->protected ? "" : "UNPROTECTED");
}

static struct json_object *list_json(const struct row *v)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "name", v->name);
	json_object_object_add(o, "id", json_object_new_int64(v->id));
	json_object_object_add(o, "vm", json_object_new_int64(v->vm));
	add_string(o, "state", v->state);
	add_string(o, "cause", v->cause);
	add_string(o, "exec", v->exec);
	add_string(o, "guard", v->guard);
	json_object_object_add(o, "protected", json_object_new_boolean(v->protected));
	json_object_object_add(o, "memory", json_object_new_int64(v->memory));
	add_string(o, "report", v->report);
	return o;
}

int verb_list(int argc, char **argv)
{
	struct json_object *array = NULL;
	bool json = false, all = false;
	sd_bus_message *reply;
	struct row v;
	int r, rows = 0;

	r = parse_simple(argc, argv, 0, 0, &json, &all);
	if (!r)
		r = client_call("List", &reply, NULL);
	if (r)
		return r;
	if (json)
		array = json_object_new_array();
	r = sd_bus_message_enter_container(reply, 'a', "(tusssssbts)");
	while (r >= 0 &&
	       (r = sd_bus_message_read(reply, "(tusssssbts)", &v.id, &v.vm, &v.name,
					&v.state, &v.cause, &v.exec, &v.guard,
					&v.protected, &v.memory, &v.report)) > 0) {
		if (!all && !strcmp(v.state, "ended"))
			continue;
		if (!json && !rows++)
			printf("%-20s %-8s %-12s %7s  %-9s  %-8s\n", "NAME", "STATE",
			       "CAUSE", "MEMORY", "EXEC", "GUARD");
		if (json)
			json_object_array_add(array, list_json(&v));
		else
			list_table(&v);
	}
	if (json)
		print_json(array);
	else if (!rows && r >= 0)
		puts("No virtual machines.");
	sd_bus_message_unref(reply);
	return malformed(r);
}

int verb_stat(int argc, char **argv)
{
	struct json_object *o = NULL;
	sd_bus_message *reply;
	bool json = false;
	const char *name;
	uint64_t value;
	int r;

	r = parse_simple(argc, argv, 1, 1, &json, NULL);
	if (!r)
		r = client_call("Stat", &reply, "s", argv[optind]);
	if (r)
		return r;
	if (json)
		o = json_object_new_object();
	r = sd_bus_message_enter_container(reply, 'a', "(st)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(st)", &name, &value)) > 0) {
		if (json)
			json_object_object_add(o, name, json_object_new_uint64(value));
		else
			printf("%-32s %20" PRIu64 "\n", name, value);
	}
	if (json)
		print_json(o);
	sd_bus_message_unref(reply);
	return malformed(r);
}

int verb_show(int argc, char **argv)
{
	struct json_object *o = NULL;
	const char *key, *value;
	sd_bus_message *reply;
	bool json = false;
	int r;

	r = parse_simple(argc, argv, 1, 1, &json, NULL);
	if (!r)
		r = client_call("Show", &reply, "s", argv[optind]);
	if (r)
		return r;
	if (json)
		o = json_object_new_object();
	r = sd_bus_message_enter_container(reply, 'a', "{ss}");
	while (r >= 0 && (r = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0) {
		if (json)
			add_string(o, key, value);
		else
			printf("%s=%s\n", key, value);
	}
	if (json)
		print_json(o);
	sd_bus_message_unref(reply);
	return malformed(r);
}
