/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmonctl: what its verbs share.
 */
#ifndef VMON_VMONCTL_VMONCTL_H
#define VMON_VMONCTL_VMONCTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

struct json_object;

/* Exit statuses; with run --debug-exit the guest's own comes on top. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* refused, or could not be done */
	EXIT_USAGE = 2,		/* wrong command line */
	EXIT_GUEST_ERROR = 3,	/* the guest did something unsupported */
	EXIT_NOT_RUNNING = 3,	/* status: it does not run */
	EXIT_GUEST_FAULT = 4,	/* triple fault */
	EXIT_GUEST_STOPPED = 5,	/* somebody stopped it */
};

/**
 * struct verb - a command
 * @name: as typed
 * @args: synopsis of its arguments
 * @summary: one line
 * @help: options, one a line, or NULL
 * @run: argv[0] is the verb; returns the exit status
 */
struct verb {
	const char *name;
	const char *args;
	const char *summary;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const char *socket_path;

int verb_run(int argc, char **argv);
int verb_start(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_console(int argc, char **argv);
int verb_terminate(int argc, char **argv);
int verb_poweroff(int argc, char **argv);
int verb_reboot(int argc, char **argv);
int verb_reset(int argc, char **argv);
int verb_pause(int argc, char **argv);
int verb_unpause(int argc, char **argv);
int verb_create(int argc, char **argv);
int verb_edit(int argc, char **argv);
int verb_cat(int argc, char **argv);
int verb_remove(int argc, char **argv);
int verb_enable(int argc, char **argv);
int verb_disable(int argc, char **argv);
int verb_log(int argc, char **argv);
int verb_stat(int argc, char **argv);
int verb_monitor(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_debug(int argc, char **argv);
int verb_version(int argc, char **argv);
void create_help(void);

int complain(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int usage_error(const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int parse_simple(int argc, char **argv, int min, int max, bool *json, bool *all);
int parse_options(int argc, char **argv, int min, int max, const struct option *options,
		  int (*on_option)(int c, const char *value, void *arg), void *arg);

/* escape.c: verb check with --escape */
bool wants_escape(int argc, char **argv);
int check_escape(int argc, char **argv);

/* client.c */
int client_open(sd_bus **ret);
int client_connect(sd_bus **ret, char *text, size_t size);
int client_call(const char *method, sd_bus_message **reply, const char *types, ...);
int client_try(const char *method, sd_bus_message **reply, int quiet, const char *types, ...);
int client_failed(const sd_bus_error *error, int r);

/**
 * client_state() - why client_open() would fail
 * @text: buffer for a sentence
 * @size: of it
 *
 * Return: 0 if vmond answers, else -errno.
 */
int client_state(char *text, size_t size);

/* generator.c */
int generator_main(const char *dir);

/* list.c */
void print_json(struct json_object *o);
void add_string(struct json_object *o, const char *key, const char *value);
/* The exit status for the result of reading an answer. */
int malformed(int r);

/* unit.c */
bool unit_installed(void);
const char *unit_template(void);
int unit_systemctl(const char *verb, const char *option, char **names, int n);
bool unit_enabled(const char *name);
int run_program(const char *const argv[]);

#endif /* VMON_VMONCTL_VMONCTL_H */
