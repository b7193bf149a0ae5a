// SPDX-License-Identifier: GPL-2.0
/*
 * check --escape: does anything get out of a virtual machine on this computer?
 *
 * Programs that try to break out run one after the other, each in a machine of its own whose
 * self-check is on. Each knows what must come of every attempt. A machine that ends in the
 * middle of one is that attempt's failure, and the program goes on with the next in another.
 *
 * Their digests, which the test bed compares with a bare CPU's, are not looked at: what CPUs
 * leave in registers and FPU images that the architecture does not define is in them.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmonctl/escape.h"
#include "vmonctl/vmonctl.h"

#define SUFFIX		".elf"
#define PROGRAMS_MAX	256

struct options {
	const char *programs, *log;
	unsigned int restarts, silence;
	bool unprotected, json;
	char **names;
	int n_names;
};

static int parse_number(const char *what, const char *text, unsigned int max, unsigned int *ret)
{
	unsigned long n;
	char *end;

	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n > max)
		return usage_error("check", "--%s '%s' is no number up to %u", what, text, max);
	*ret = n;
	return 0;
}

static int parse(struct options *o, int argc, char **argv)
{
	enum { ESCAPE = 1, PROGRAMS, LOG, RESTARTS, TIMEOUT, UNPROTECTED, JSON };
	static const struct option options[] = {
		{ "escape", no_argument, NULL, ESCAPE },
		{ "programs", required_argument, NULL, PROGRAMS },
		{ "log", required_argument, NULL, LOG },
		{ "restarts", required_argument, NULL, RESTARTS },
		{ "timeout", required_argument, NULL, TIMEOUT },
		{ "unprotected", no_argument, NULL, UNPROTECTED },
		{ "json", no_argument, NULL, JSON },
		{ 0 }
	};
	int c, r = 0;

	opterr = 0;
	while (!r && (c = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		switch (c) {
		case ESCAPE:
			break;
		case PROGRAMS:
			o->programs = optarg;
			break;
		case LOG:
			o->log = optarg;
			break;
		case RESTARTS:
			r = parse_number("restarts", optarg, 1000000, &o->restarts);
			break;
		case TIMEOUT:
			r = parse_number("timeout", optarg, 86400, &o->silence);
			if (!r && !o->silence)
				r = usage_error("check", "--timeout 0 is no time");
			break;
		case UNPROTECTED:
			o->unprotected = true;
			break;
		case JSON:
			o->json = true;
			break;
		case ':':
			return usage_error("check", "option '%s' needs a value", argv[optind - 1]);
		default:
			return usage_error("check", "unknown option '%s'", argv[optind - 1]);
		}
	}
	o->names = argv + optind;
	o->n_names = argc - optind;
	return r;
}

/* --- the programs --- */

static int is_program(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > strlen(SUFFIX) && e->d_name[0] != '.' &&
	       !strcmp(e->d_name + len - strlen(SUFFIX), SUFFIX);
}

static bool has_programs(const char *dir)
{
	struct dirent **list;
	int i, n = scandir(dir, &list, is_program, NULL);

	for (i = 0; i < n; i++)
		free(list[i]);
	if (n >= 0)
		free(list);
	return n > 0;
}

/* Installed beside vmonctl, or in the build tree that it is in. Return: text to be freed. */
static char *find_directory(void)
{
	static const char * const places[] = { "../lib/vmon/escape", "../guests/escape" };
	char exe[4096], *dir = NULL, *real;
	unsigned int i;
	ssize_t n;

	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n < 0)
		return NULL;
	exe[n] = 0;
	*strrchr(exe, '/') = 0;
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (asprintf(&dir, "%s/%s", exe, places[i]) < 0)
			return NULL;
		real = has_programs(dir) ? realpath(dir, NULL) : NULL;
		free(dir);
		if (real)
			return real;
	}
	return NULL;
}

static int add_program(struct escape_result *r, const char *name)
{
	struct escape_program *p = &r->programs[r->n_programs];

	*p = (struct escape_program){ .next = 1, .name = strdup(name) };
	if (!p->name || asprintf(&p->path, "%s/%s" SUFFIX, r->directory, name) < 0)
		return complain(EXIT_FAILED, "out of memory");
	r->n_programs++;
	if (access(p->path, R_OK))
		return complain(EXIT_FAILED, "program '%s': %s: %s: 'ls %s' shows what there is",
				name, p->path, strerror(errno), r->directory);
	return 0;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_all(struct escape_result *r)
{
	struct dirent **list;
	int i, n, status = 0;

	n = scandir(r->directory, &list, is_program, compare_names);
	if (n < 0)
		return complain(EXIT_FAILED, "--programs '%s': %s", r->directory, strerror(errno));
	for (i = 0; i < n; i++) {
		list[i]->d_name[strlen(list[i]->d_name) - strlen(SUFFIX)] = 0;
		if (!status && i < PROGRAMS_MAX)
			status = add_program(r, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	if (!n)
		return complain(EXIT_FAILED, "--programs '%s': no file there ends in " SUFFIX,
				r->directory);
	if (n > PROGRAMS_MAX)
		return complain(EXIT_FAILED, "--programs '%s': more than %u programs",
				r->directory, PROGRAMS_MAX);
	return status;
}

static int find_programs(struct escape_result *r, const struct options *o)
{
	char *found = o->programs ? NULL : find_directory();
	int i, status = 0;

	r->directory = o->programs ? o->programs : found;
	if (!r->directory)
		return complain(EXIT_FAILED,
				"no programs beside vmonctl, in ../lib/vmon/escape or ../guests/escape: say where with --programs DIRECTORY");
	r->programs = calloc(PROGRAMS_MAX, sizeof(*r->programs));
	if (!r->programs)
		return complain(EXIT_FAILED, "out of memory");
	if (!o->n_names)
		return add_all(r);
	if (o->n_names > PROGRAMS_MAX)
		return complain(EXIT_FAILED, "more than %u programs", PROGRAMS_MAX);
	for (i = 0; i < o->n_names && !status; i++)
		status = add_program(r, o->names[i]);
	return status;
}

/* --- may it be tried here? --- */

static int refuse(const struct options *o, const char *reason, const char *remedy)
{
	if (o->json)
		escape_show_refused(reason, remedy);
	return complain(EXIT_FAILED, "check --escape: %s%s%s", reason, *remedy ? ": " : "", remedy);
}

/*
 * By what the module says. @reply: of vmond's method Check; @r keeps strings in it.
 * Return: 0, or EXIT_FAILED after a message.
 */
static int may_try(struct escape_result *r, const struct options *o, sd_bus_message *reply)
{
	const char *kernel, *name, *reason, *remedy;
	int protected, allowed, available, capable, n;

	n = sd_bus_message_read(reply, "sssbb", &r->daemon, &r->module, &kernel, &protected,
				&allowed);
	if (n >= 0)
		n = sd_bus_message_enter_container(reply, 'a', "(sbbss)");
	while (n >= 0 && (n = sd_bus_message_read(reply, "(sbbss)", &name, &available, &capable,
						  &reason, &remedy)) > 0) {
		if (strcmp(name, "segment"))
			continue;
		r->protected = protected && available;
		if (!available)
			return refuse(o, reason, remedy);
		if (!protected && !o->unprotected)
			return refuse(o, "this host is UNPROTECTED: an attempt that succeeds may bring it down",
				      "run it on a CPU that enforces segment limits ('vmonctl check'), or try it all the same with --unprotected");
		return 0;
	}
	return n < 0 ? malformed(n) : refuse(o, "the module has no guard 'segment'", "");
}

/* --- running them --- */

static int open_log(struct escape_session *s, const struct options *o,
		    const struct escape_program *p)
{
	char *path;

	if (!o->log)
		return 0;
	if (mkdir(o->log, 0755) && errno != EEXIST)
		return complain(EXIT_FAILED, "--log '%s': %s", o->log, strerror(errno));
	if (asprintf(&path, "%s/%s", o->log, p->name) < 0)
		return complain(EXIT_FAILED, "out of memory");
	s->log = fopen(path, "we");
	if (!s->log)
		complain(0, "--log '%s': %s", path, strerror(errno));
	free(path);
	return s->log ? 0 : EXIT_FAILED;
}

static int close_log(struct escape_session *s)
{
	FILE *log = s->log;

	s->log = NULL;
	if (!log || !fclose(log))
		return 0;
	return complain(EXIT_FAILED, "--log: %s", strerror(errno));
}

/* Machine after machine, until it is at its end. Return: 0 or EXIT_FAILED. */
static int try_program(struct escape_session *s, const struct options *o,
		       struct escape_program *p)
{
	struct escape_end end = { 0 };
	unsigned int i, stopped_at;
	int status = open_log(s, o, p);

	for (i = 0; !status && !p->planned && !s->interrupted; i++) {
		if (i > o->restarts) {
			escape_tap_fail(p, 0, "given up: too many machines ended in the middle of an attempt; see --restarts",
					"");
			break;
		}
		status = escape_machine(s, p, p->next, &end);
		if (status || s->interrupted)
			break;
		stopped_at = p->next;
		escape_tap_end(p, &end);
		if (s->log && p->next > stopped_at)
			fprintf(s->log, "not ok %u the machine ended: %s %s\n", stopped_at,
				end.how, end.report);
	}
	if (!status && !s->interrupted && escape_unchecked(p))
		escape_tap_fail(p, 0, escape_unchecked(p), "");
	return close_log(s) || status ? EXIT_FAILED : 0;
}

static void run_all(struct escape_result *r, const struct options *o, struct escape_session *s)
{
	unsigned int i, failed = 0;

	if (!o->json)
		escape_show_head(r);
	for (i = 0; i < r->n_programs && !s->interrupted && !r->broken; i++) {
		struct escape_program *p = &r->programs[i];

		r->broken = try_program(s, o, p);
		failed += p->failed;
		if (!p->machines)
			break;
		r->n_run++;
		if (!o->json)
			escape_show_program(p);
	}
	r->verdict = failed || r->broken ? ESCAPE_FAILED :
		     s->interrupted ? ESCAPE_INTERRUPTED :
		     r->protected ? ESCAPE_PASSED : ESCAPE_UNPROTECTED;
	if (o->json)
		escape_show_json(r);
	else
		escape_show_verdict(r);
}

static void free_programs(struct escape_result *r)
{
	unsigned int i;

	for (i = 0; i < r->n_programs; i++) {
		free(r->programs[i].name);
		free(r->programs[i].path);
		free(r->programs[i].failures);
	}
	free(r->programs);
}

bool wants_escape(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--escape"))
			return true;
	return false;
}

int check_escape(int argc, char **argv)
{
	struct options o = { .restarts = 20, .silence = 60 };
	struct escape_result result = { .verdict = ESCAPE_FAILED };
	struct escape_session s = { 0 };
	sd_bus_message *reply = NULL;
	int r;

	r = parse(&o, argc, argv);
	if (r)
		return r;
	r = find_programs(&result, &o);
	if (!r && client_call("Check", &reply, NULL)) {
		if (o.json)
			escape_show_refused("vmond or the module does not answer", "vmonctl check");
		r = EXIT_FAILED;
	}
	if (!r)
		r = may_try(&result, &o, reply);
	s.silence = o.silence;
	if (!r)
		r = escape_session_open(&s);
	if (!r) {
		run_all(&result, &o, &s);
		escape_session_close(&s);
		r = result.verdict == ESCAPE_PASSED ? EXIT_OK : EXIT_FAILED;
	}
	free_programs(&result);
	if (result.directory != o.programs)
		free((char *)result.directory);
	sd_bus_message_unref(reply);
	return r;
}
