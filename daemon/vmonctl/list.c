// SPDX-License-Identifier: GPL-2.0
/*
 * Verb list: guests that run, and with --all those that ran and those that are defined. A
 * table for people, JSON for scripts.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/version.h"
#include "vmonctl/definition.h"
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

struct list {
	bool json, all;
	struct json_object *array;
	struct guest_list alive, ended;	/* names that vmond has */
	unsigned int rows;
};

static void list_row(struct list *l, const struct row *v)
{
	if (l->json) {
		json_object_array_add(l->array, list_json(v));
		return;
	}
	if (!l->rows++)
		printf("%-20s %-8s %-12s %7s  %-9s  %-8s\n", "NAME", "STATE",
		       "CAUSE", "MEMORY", "EXEC", "GUARD");
	list_table(v);
}

/* Those that vmond has. Return: 0 or -errno, after a message. */
static int list_running(struct list *l)
{
	sd_bus_message *reply;
	struct row v = { 0 };
	int r;

	r = client_try("List", &reply, 0, NULL);
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(reply, 'a', "(tusssssbts)");
	while (r >= 0 &&
	       (r = sd_bus_message_read(reply, "(tusssssbts)", &v.id, &v.vm, &v.name,
					&v.state, &v.cause, &v.exec, &v.guard,
					&v.protected, &v.memory, &v.report)) > 0) {
		if (!l->all && !strcmp(v.state, "ended"))
			continue;
		(void)guest_list_add(strcmp(v.state, "ended") ? &l->alive : &l->ended, v.name);
		list_row(l, &v);
	}
	sd_bus_message_unref(reply);
	if (r < 0)
		(void)malformed(r);
	return r;
}

static bool is_in(const struct guest_list *list, const char *name)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (!strcmp(list->text[i], name))
			return true;
	return false;
}

/* Those that are defined, and that vmond does not have; wrong ones if they do not run. */
static void list_defined(struct list *l)
{
	struct guest_list names = { 0 };
	struct guest_problems p = { 0 };
	struct guest_dirs dirs;
	struct guest_config c;
	struct row v;
	unsigned int i;
	int r;

	if (definition_dirs(&dirs))
		return;
	r = guest_names(&dirs, &names);
	if (r < 0)
		complain(0, "not all definitions are listed: %s", strerror(-r));
	for (i = 0; i < names.n; i++) {
		if (is_in(&l->alive, names.text[i]))
			continue;
		r = guest_load(&dirs, names.text[i], NULL, &c, &p);
		if (!r && is_in(&l->ended, names.text[i])) {
			guest_config_free(&c);
			continue;
		}
		v = (struct row){
			.name = names.text[i],
			.state = !r ? "off" : r == -ENODATA ? "hidden" : "invalid",
			.cause = "", .guard = "", .protected = 1, .memory = c.memory,
			.exec = r ? "" : guest_word("exec", c.exec),
			.report = r && p.n && p.text[0] ? p.text[0] : "",
		};
		list_row(l, &v);
		if (r == -EINVAL && !l->json)
			definition_tell(&p);
		guest_problems_clear(&p);
		guest_config_free(&c);
	}
	guest_list_clear(&names);
	guest_dirs_free(&dirs);
}

int verb_list(int argc, char **argv)
{
	struct list l = { 0 };
	int r;

	r = parse_simple(argc, argv, 0, 0, &l.json, &l.all);
	if (r)
		return r;
	if (l.json)
		l.array = json_object_new_array();
	r = list_running(&l);
	/* Without vmond or module nothing runs, but what is defined is. */
	if (l.all)
		list_defined(&l);
	if (l.json && (r >= 0 || l.all))
		print_json(l.array);
	else if (!l.json && !l.rows && r >= 0)
		puts("No virtual machines.");
	guest_list_clear(&l.alive);
	guest_list_clear(&l.ended);
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}
