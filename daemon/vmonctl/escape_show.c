// SPDX-License-Identifier: GPL-2.0
/*
 * What came of check --escape: a table for people, as the programs end, or JSON at the end.
 *
 * Both begin with what a record of it needs: the CPU, the kernel, the versions.
 */
#include <cpuid.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/version.h"
#include "vmonctl/escape.h"
#include "vmonctl/vmonctl.h"

#define SHOWN	10	/* failures of a program, in the table */

/* As the CPU calls itself (CPUID 8000_0002 to 8000_0004). */
static const char *cpu_name(void)
{
	static unsigned int text[13];
	const char *name = (const char *)text;
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (!__get_cpuid(0x80000002 + i, &text[4 * i], &text[4 * i + 1],
				 &text[4 * i + 2], &text[4 * i + 3]))
			return "unknown";
	return name + strspn(name, " ");
}

/* Attempts that are accounted for. */
static unsigned int attempts(const struct escape_program *p)
{
	return p->next - 1;
}

const char *escape_unchecked(const struct escape_program *p)
{
	if (!p->has_stats)
		return "the self-check's counters could not be read";
	if (p->changed)
		return "SOMETHING OF THE MONITOR'S HAS CHANGED: the kernel log says what";
	if (!p->exits)
		return "the self-check has compared nothing: no exit of this guest";
	if (!p->attempts)
		return "the self-check has compared no attempt from its begin to its end";
	return NULL;
}

void escape_show_head(const struct escape_result *r)
{
	struct utsname kernel;

	(void)uname(&kernel);
	printf("cpu       %s\nkernel    %s\nversions  vmonctl %s, vmond %s, module %s\n"
	       "programs  %s\n\n", cpu_name(), kernel.release, VMON_VERSION, r->daemon,
	       r->module, r->directory);
	printf("%-14s %8s %8s %8s %8s  %s\n", "PROGRAM", "ATTEMPTS", "RIGHT", "FAILED", "KNOWN",
	       "THE MONITOR'S OWN");
	fflush(stdout);
}

void escape_show_program(const struct escape_program *p)
{
	unsigned int i;

	printf("%-14s %8u %8u %8u %8u  ", p->name, attempts(p), p->passed, p->failed, p->known);
	if (!p->has_stats)
		printf("not known\n");
	else
		printf("%" PRIu64 " exits, %" PRIu64 " attempts compared: %s\n", p->exits,
		       p->attempts, p->changed ? "CHANGED" : "nothing changed");
	for (i = 0; i < p->n_failures && i < SHOWN; i++) {
		const struct escape_failure *f = &p->failures[i];

		if (f->number)
			printf("  not ok %u %s\n", f->number, f->text);
		else
			printf("  not ok: %s\n", f->text);
		if (*f->detail)
			printf("      %s\n", f->detail);
	}
	if (p->failed > i)
		printf("  and %u more: --json and --log DIRECTORY show them\n", p->failed - i);
	if (p->skipped)
		printf("  %u could not be tried here\n", p->skipped);
	fflush(stdout);
}

/* Programs that have run to their end. */
static unsigned int complete(const struct escape_result *r)
{
	unsigned int i, n = 0;

	for (i = 0; i < r->n_run; i++)
		n += r->programs[i].planned;
	return n;
}

/* Sums over all programs. */
static struct escape_program sum_up(const struct escape_result *r)
{
	struct escape_program sum = { .next = 1, .has_stats = true };
	unsigned int i;

	for (i = 0; i < r->n_run; i++) {
		const struct escape_program *p = &r->programs[i];

		sum.next += attempts(p);
		sum.passed += p->passed;
		sum.failed += p->failed;
		sum.known += p->known;
		sum.skipped += p->skipped;
		sum.exits += p->exits;
		sum.attempts += p->attempts;
		sum.changed += p->changed;
		sum.has_stats &= p->has_stats;
	}
	return sum;
}

void escape_show_verdict(const struct escape_result *r)
{
	const struct escape_program sum = sum_up(r);

	putchar('\n');
	if (sum.known)
		puts("KNOWN: attempts of a known gap, which does not reach the host: SECURITY.md, \"Not done yet\".");
	if (!r->protected)
		puts("UNPROTECTED: nothing keeps a guest's kernel from this host, whatever came out above.");
	switch (r->verdict) {
	case ESCAPE_PASSED:
		printf("Nothing got out: %u attempts of %u programs, ", attempts(&sum), r->n_run);
		printf("and the monitor's own as it was after each of %" PRIu64 " exits.\n",
		       sum.exits);
		break;
	case ESCAPE_FAILED:
		if (sum.changed)
			printf("SOMETHING GOT OUT: %" PRIu64 " changes to what is the monitor's. ",
			       sum.changed);
		printf("FAILED: %u failures in %u attempts%s.%s\n", sum.failed, attempts(&sum),
		       r->broken ? ", and a program could not be run" : "",
		       r->protected ? " SECURITY.md says whom to tell." : "");
		break;
	case ESCAPE_UNPROTECTED:
		printf("%u attempts came out as they must, and nothing of the monitor's changed.\n",
		       attempts(&sum));
		break;
	case ESCAPE_INTERRUPTED:
		printf("Interrupted: %u of %u programs have run to their end.\n", complete(r),
		       r->n_programs);
		break;
	}
}

static void add_number(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

static void add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

static void add_counts(struct json_object *o, const struct escape_program *p)
{
	add_number(o, "attempts", attempts(p));
	add_number(o, "right", p->passed);
	add_number(o, "failed", p->failed);
	add_number(o, "known_gap", p->known);
	add_number(o, "skipped", p->skipped);
	add_bool(o, "self_check", p->has_stats);
	add_number(o, "exits_compared", p->exits);
	add_number(o, "attempts_compared", p->attempts);
	add_number(o, "changes", p->changed);
}

static struct json_object *program_json(const struct escape_program *p)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *f;
	unsigned int i;

	add_string(o, "name", p->name);
	add_counts(o, p);
	add_number(o, "machines", p->machines);
	for (i = 0; i < p->n_failures; i++) {
		f = json_object_new_object();
		add_number(f, "number", p->failures[i].number);
		add_string(f, "text", p->failures[i].text);
		add_string(f, "detail", p->failures[i].detail);
		json_object_array_add(list, f);
	}
	json_object_object_add(o, "failures", list);
	return o;
}

void escape_show_json(const struct escape_result *r)
{
	static const char * const verdict[] = {
		[ESCAPE_PASSED] = "passed",
		[ESCAPE_FAILED] = "failed",
		[ESCAPE_UNPROTECTED] = "unprotected",
		[ESCAPE_INTERRUPTED] = "interrupted",
	};
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct escape_program sum = sum_up(r);
	struct utsname kernel;
	unsigned int i;

	(void)uname(&kernel);
	add_string(o, "verdict", verdict[r->verdict]);
	add_bool(o, "protected", r->protected);
	add_string(o, "cpu", cpu_name());
	add_string(o, "kernel", kernel.release);
	add_string(o, "vmonctl", VMON_VERSION);
	add_string(o, "vmond", r->daemon);
	add_string(o, "module", r->module);
	add_string(o, "directory", r->directory);
	add_number(o, "programs_wanted", r->n_programs);
	add_number(o, "programs_complete", complete(r));
	add_counts(o, &sum);
	for (i = 0; i < r->n_run; i++)
		json_object_array_add(list, program_json(&r->programs[i]));
	json_object_object_add(o, "programs", list);
	print_json(o);
}

/* In JSON: why nothing was tried. */
void escape_show_refused(const char *reason, const char *remedy)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "verdict", "refused");
	add_string(o, "reason", reason);
	add_string(o, "remedy", remedy);
	print_json(o);
}
