// SPDX-License-Identifier: GPL-2.0
/*
 * The verb that tells what can be run here, and why not more.
 *
 * What counts is what the module measured; vmond passes it on. Where nobody
 * answers, what CPUID claims is shown in its place, and said to be a claim.
 */
#include <cpuid.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/version.h"
#include "vmonctl/vmonctl.h"

#define PROBLEMS	8

/**
 * struct report - all that check says
 * @kernel: the running one's release
 * @daemon: version, or NULL: it does not answer
 * @module: version, or NULL: unknown
 * @module_kernel: release that it was built for
 * @loaded: the module is there, whoever knows its version
 * @protected: limits are enforced; @unprotected_ok: and need not be
 * @available: a guard can be had
 * @problems: sentences, what is wrong and what would be right
 * @guards: JSON array; @facts: JSON object, by name
 */
struct report {
	struct utsname kernel;
	const char *daemon, *module, *module_kernel;
	int loaded, protected, unprotected_ok, available;
	char problems[PROBLEMS][320];
	unsigned int n_problems;
	struct json_object *guards, *facts;
};

__attribute__((format(printf, 2, 3)))
static void problem(struct report *c, const char *fmt, ...)
{
	va_list ap;

	if (c->n_problems == PROBLEMS)
		return;
	va_start(ap, fmt);
	vsnprintf(c->problems[c->n_problems++], sizeof(c->problems[0]), fmt, ap);
	va_end(ap);
}

static void add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

static void add_guard(struct report *c, const char *name, bool available, bool capable,
		      const char *reason, const char *remedy)
{
	struct json_object *g = json_object_new_object();

	c->available |= available;
	add_string(g, "name", name);
	add_bool(g, "available", available);
	add_bool(g, "capable", capable);
	add_string(g, "reason", reason);
	add_string(g, "remedy", remedy);
	json_object_array_add(c->guards, g);
}

static void add_fact(struct report *c, const char *name, uint64_t value, const char *note)
{
	struct json_object *f = json_object_new_object();

	json_object_object_add(f, "value", json_object_new_int64(value));
	add_string(f, "note", note);
	json_object_object_add(c->facts, name, f);
}

/* The module's own words, through vmond. Return: as sd_bus_message_read(). */
static int read_answer(struct report *c, sd_bus_message *m)
{
	const char *name, *reason, *remedy;
	int available, capable, r;
	uint64_t value;

	r = sd_bus_message_read(m, "sssbb", &c->daemon, &c->module, &c->module_kernel,
				&c->protected, &c->unprotected_ok);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "(sbbss)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(sbbss)", &name, &available, &capable,
						  &reason, &remedy)) > 0)
		add_guard(c, name, available, capable, reason, remedy);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "(sts)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(sts)", &name, &value, &reason)) > 0)
		add_fact(c, name, value, reason);
	return r;
}

/* CPUID bits that matter, by the names that the module gives to the same facts. */
static const struct claim {
	const char *name;
	unsigned int leaf, subleaf;
	char reg;
	unsigned int bit;
} claims[] = {
	{ "long_mode",		0x80000001, 0, 'd', 29 },
	{ "nx",			0x80000001, 0, 'd', 20 },
	{ "fred",		7, 1, 'a', 17 },
	{ "la57",		7, 0, 'c', 16 },
	{ "smep",		7, 0, 'b', 7 },
	{ "smap",		7, 0, 'b', 20 },
	{ "umip",		7, 0, 'c', 2 },
	{ "hypervisor",		1, 0, 'c', 31 },
	{ "tsc_invariant",	0x80000007, 0, 'd', 8 },
	{ "lmsle_gone",		0x80000008, 0, 'b', 20 },
};

#define NR_CLAIMS	(sizeof(claims) / sizeof(*claims))

static bool claimed(const struct claim *c)
{
	unsigned int a, b, r, d;

	if (!__get_cpuid_count(c->leaf, c->subleaf, &a, &b, &r, &d))
		return false;
	return (c->reg == 'a' ? a : c->reg == 'b' ? b : c->reg == 'c' ? r : d) >> c->bit & 1;
}

static bool is_amd(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0, &a, &b, &c, &d) &&
	       (b == signature_AMD_ebx || !memcmp(&b, "Hygo", 4));
}

/* Nobody has measured anything: what can be said all the same. */
static void read_cpuid(struct report *c)
{
	bool lmsle = is_amd(), gone = false;
	unsigned int i;

	for (i = 0; i < NR_CLAIMS; i++) {
		add_fact(c, claims[i].name, claimed(&claims[i]),
			 "as the CPU claims; the module has not measured it");
		if (!strcmp(claims[i].name, "lmsle_gone"))
			gone = claimed(&claims[i]);
	}
	lmsle &= !gone;
	add_guard(c, "segment", false, false,
		  "whether this CPU enforces segment limits is tried when the module is loaded",
		  "modprobe vmon");
	add_guard(c, "lmsle", false, lmsle, lmsle ?
		  "not implemented in this version of vmon; this CPU may hold it" :
		  "not implemented in this version of vmon; this CPU has no EFER.LMSLE",
		  lmsle ? "" : "an AMD CPU before Zen 4");
	add_guard(c, "paging", false, true,
		  "not implemented in this version of vmon; every x86-64 CPU could hold it", "");
}

static void find_problems(struct report *c)
{
	if (c->daemon && strcmp(c->daemon, VMON_VERSION))
		problem(c, "vmonctl is %s, vmond %s: install the same version of both; after an upgrade restart vmond when no virtual machine runs",
			VMON_VERSION, c->daemon);
	if (c->daemon && c->module && strcmp(c->daemon, c->module))
		problem(c, "vmond is %s, the module %s: unload it and load the new one",
			c->daemon, c->module);
	if (c->module_kernel && strcmp(c->module_kernel, c->kernel.release))
		problem(c, "the module was built for %s, and %s runs: build it anew",
			c->module_kernel, c->kernel.release);
	if (geteuid())
		problem(c, "vmonctl does not run as root: vmond will not serve it");
}

static void show_json(struct report *c)
{
	struct json_object *o = json_object_new_object(), *p = json_object_new_array(), *part;
	unsigned int i;

	add_bool(o, "usable", c->protected && c->available);
	add_bool(o, "protected", c->protected);
	add_bool(o, "unprotected_ok", c->unprotected_ok);
	add_string(o, "source", c->module ? "module" : "cpuid");
	add_string(o, "kernel", c->kernel.release);
	add_string(o, "vmonctl", VMON_VERSION);
	part = json_object_new_object();
	add_bool(part, "running", c->daemon);
	add_string(part, "version", c->daemon ? c->daemon : "");
	add_string(part, "socket", socket_path);
	json_object_object_add(o, "daemon", part);
	part = json_object_new_object();
	add_bool(part, "loaded", c->loaded);
	add_string(part, "version", c->module ? c->module : "");
	add_string(part, "kernel", c->module_kernel ? c->module_kernel : "");
	json_object_object_add(o, "module", part);
	for (i = 0; i < c->n_problems; i++)
		json_object_array_add(p, json_object_new_string(c->problems[i]));
	json_object_object_add(o, "problems", p);
	json_object_object_add(o, "guards", json_object_get(c->guards));
	json_object_object_add(o, "facts", json_object_get(c->facts));
	print_json(o);
}

static const char *string_of(struct json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static bool bool_of(struct json_object *o, const char *key)
{
	return json_object_get_boolean(json_object_object_get(o, key));
}

static void show_guard(struct json_object *g)
{
	const char *remedy = string_of(g, "remedy");

	printf("%-8s %-9s %-8s %s\n", string_of(g, "name"),
	       bool_of(g, "available") ? "yes" : "no", bool_of(g, "capable") ? "yes" : "no",
	       string_of(g, "reason"));
	if (*remedy)
		printf("%-8s %-9s %-8s remedy: %s\n", "", "", "", remedy);
}

static void show_fact(const char *name, struct json_object *f)
{
	int64_t value = json_object_get_int64(json_object_object_get(f, "value"));
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	printf("%-17s %-10s %s\n", name, value == 0 ? "no" : value == 1 ? "yes" : text,
	       string_of(f, "note"));
}

static void show_table(struct report *c)
{
	size_t i;

	printf("vmonctl  %s\n", VMON_VERSION);
	printf("vmond    %s at %s\n", c->daemon ? c->daemon : "does not answer", socket_path);
	if (c->module)
		printf("module   %s, built for %s\n", c->module, c->module_kernel);
	else
		printf("module   %s\n", c->loaded ? "loaded, its answer is not known" :
		       "not loaded: modprobe vmon");
	printf("kernel   %s\n", c->kernel.release);
	if (c->module)
		printf("segment limits: %s\n", c->protected ? "enforced by this CPU" :
		       "NOT enforced by this CPU");
	printf("\n%-8s %-9s %-8s %s\n", "GUARD", "AVAILABLE", "CAPABLE", "WHY NOT");
	for (i = 0; i < json_object_array_length(c->guards); i++)
		show_guard(json_object_array_get_idx(c->guards, i));
	printf("\n%-17s %-10s %s\n", "FACT", "VALUE", "MEANING");
	json_object_object_foreach(c->facts, name, fact)
		show_fact(name, fact);
	putchar('\n');
	for (i = 0; i < c->n_problems; i++)
		printf("problem: %s\n", c->problems[i]);
	if (c->available && !c->protected)
		puts("UNPROTECTED: a module parameter allows guests without protection; a guest can take over this machine.");
	else if (!c->module)
		puts("Nothing has been measured: what can be run here is not known.");
	else if (!c->available)
		puts("No virtual machine can be run here.");
	else
		puts("Virtual machines can be run here, protected.");
}

int verb_check(int argc, char **argv)
{
	struct report c = { 0 };
	sd_bus_message *reply = NULL;
	bool json = false;
	char text[256];
	int r;

	if (wants_escape(argc, argv))
		return check_escape(argc, argv);
	r = parse_simple(argc, argv, 0, 0, &json, NULL);
	if (r)
		return r;
	(void)uname(&c.kernel);
	c.loaded = !access("/sys/module/vmon", F_OK);
	c.guards = json_object_new_array();
	c.facts = json_object_new_object();
	if (client_state(text, sizeof(text)) < 0)
		problem(&c, "%s", text);
	else if (client_call("Check", &reply, NULL))
		problem(&c, "vmond runs and has no answer: see above");
	r = reply ? read_answer(&c, reply) : 0;
	if (!c.loaded && !c.module)
		problem(&c, "the module is not loaded: modprobe vmon");
	if (!c.module)
		read_cpuid(&c);
	find_problems(&c);
	if (r < 0)
		goto out;
	if (json)
		show_json(&c);
	else
		show_table(&c);
out:
	sd_bus_message_unref(reply);
	json_object_put(c.guards);
	json_object_put(c.facts);
	if (r < 0)
		return malformed(r);
	return c.protected && c.available ? EXIT_OK : EXIT_FAILED;
}
