// SPDX-License-Identifier: GPL-2.0
/*
 * Verb stat: a guest's counters, once or again and again with how fast they grow.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/types.h"
#include "vmonctl/vmonctl.h"

#define STATS_MAX	256

struct stats {
	unsigned int n;
	double time;		/* s */
	struct {
		char name[64];
		uint64_t value;
	} row[STATS_MAX];
};

struct stat_options {
	bool json;
	double interval;	/* s, 0: once */
	unsigned long count;	/* 0: for ever */
};

/* Return: 0, or EXIT_FAILED after a message. */
static int fetch(const char *guest, struct stats *s)
{
	sd_bus_message *reply;
	struct timespec ts;
	const char *name;
	uint64_t value;
	int r;

	if (client_call("Stat", &reply, "s", guest))
		return EXIT_FAILED;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	s->time = ts.tv_sec + ts.tv_nsec / 1e9;
	s->n = 0;
	r = sd_bus_message_enter_container(reply, 'a', "(st)");
	while (r >= 0 && s->n < STATS_MAX &&
	       (r = sd_bus_message_read(reply, "(st)", &name, &value)) > 0) {
		snprintf(s->row[s->n].name, sizeof(s->row[s->n].name), "%s", name);
		s->row[s->n++].value = value;
	}
	sd_bus_message_unref(reply);
	return malformed(r);
}

static void print_as_json(const struct stats *s, bool line)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	for (i = 0; i < s->n; i++)
		json_object_object_add(o, s->row[i].name,
				       json_object_new_uint64(s->row[i].value));
	if (!line) {
		print_json(o);
		return;
	}
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void print_table(const struct stats *s, const struct stats *before)
{
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		printf("%-32s %20" PRIu64, s->row[i].name, s->row[i].value);
		if (before && i < before->n && s->time > before->time &&
		    !strcmp(s->row[i].name, before->row[i].name))
			printf(" %14.1f/s", (double)(s->row[i].value - before->row[i].value) /
			       (s->time - before->time));
		printf("\n");
	}
}

static void pause_for(double seconds)
{
	struct timespec ts = { seconds, (seconds - (time_t)seconds) * 1e9 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static int watch(const char *guest, const struct stat_options *opt)
{
	static struct stats s[2];
	unsigned long i;
	int r;

	for (i = 0; !opt->count || i < opt->count; i++) {
		if (i)
			pause_for(opt->interval);
		r = fetch(guest, &s[i & 1]);
		if (r)
			return r;
		if (opt->json) {
			print_as_json(&s[i & 1], true);
		} else {
			/* Home, and clear from there. */
			fputs(isatty(STDOUT_FILENO) ? "\033[H\033[2J" : i ? "\n" : "", stdout);
			print_table(&s[i & 1], i ? &s[!(i & 1)] : NULL);
		}
		if (fflush(stdout) || ferror(stdout))
			break;
	}
	return EXIT_OK;
}

static int on_option(int c, const char *value, void *arg)
{
	struct stat_options *opt = arg;
	char *end = NULL;

	switch (c) {
	case 'j':
		opt->json = true;
		return 0;
	case 'w':
		opt->interval = value ? strtod(value, &end) : 2;
		if (value && (*end || !(opt->interval >= 0.01 && opt->interval <= 86400)))
			return usage_error("stat", "watch '%s': give seconds, as 2 or 0.5", value);
		return 0;
	default:
		errno = 0;
		opt->count = strtoul(value, &end, 10);
		if (errno || *end || *value == '-' || !opt->count)
			return usage_error("stat", "count '%s': give a number from 1", value);
		return 0;
	}
}

int verb_stat(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "watch", optional_argument, NULL, 'w' },
		{ "count", required_argument, NULL, 'c' },
		{ 0 }
	};
	struct stat_options opt = { 0 };
	static struct stats s;
	int r;

	r = parse_options(argc, argv, 1, 1, options, on_option, &opt);
	if (r)
		return r;
	if (opt.count && opt.interval == 0)
		return usage_error("stat", "--count goes with --watch");
	if (opt.interval > 0)
		return watch(argv[optind], &opt);
	r = fetch(argv[optind], &s);
	if (r)
		return r;
	if (opt.json)
		print_as_json(&s, false);
	else
		print_table(&s, NULL);
	return EXIT_OK;
}
