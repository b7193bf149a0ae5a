// SPDX-License-Identifier: GPL-2.0
/*
 * Guests as units, vmon@NAME.service: verbs enable and disable, and what start needs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "vmonctl/definition.h"
#include "vmonctl/vmonctl.h"

extern char **environ;

/**
 * run_program() - run a program and wait for it
 * @argv: as for execvp()
 *
 * Return: its exit status, 128 and the signal's number, or 127 after a message.
 */
int run_program(const char *const argv[])
{
	int status, r;
	pid_t pid;

	fflush(NULL);
	r = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
	if (r)
		return complain(127, "cannot run '%s': %s", argv[0], strerror(r));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return complain(127, "'%s': %s", argv[0], strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Where vmon@.service is; if it is nowhere, where it would be. */
const char *unit_template(void)
{
	static const char * const path[] = {
		"/etc/systemd/system/vmon@.service",
		"/run/systemd/system/vmon@.service",
		"/usr/local/lib/systemd/system/vmon@.service",
		"/lib/systemd/system/vmon@.service",
		"/usr/lib/systemd/system/vmon@.service",
	};
	unsigned int i;

	for (i = 0; i + 1 < ARRAY_SIZE(path) && access(path[i], F_OK) < 0; i++)
		;
	return path[i];
}

/* Is systemd there, and does it know vmon@.service? */
bool unit_installed(void)
{
	return sd_booted() > 0 && !access(unit_template(), F_OK);
}

/* Has somebody enabled the guest's unit? */
bool unit_enabled(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path),
		 "/etc/systemd/system/multi-user.target.wants/vmon@%s.service", name);
	return !access(path, F_OK);
}

/**
 * unit_systemctl() - systemctl VERB [OPTION] vmon@NAME.service...
 * @verb: of systemctl
 * @option: or NULL
 * @names: of guests
 * @n: how many
 *
 * Return: EXIT_OK, or EXIT_FAILED after a message.
 */
int unit_systemctl(const char *verb, const char *option, char **names, int n)
{
	const char **argv = calloc(n + 4, sizeof(*argv));
	char *unit;
	int i, k = 0, r = 0;

	if (!argv)
		return complain(EXIT_FAILED, "out of memory");
	argv[k++] = "systemctl";
	argv[k++] = verb;
	if (option)
		argv[k++] = option;
	for (i = 0; i < n && !r; i++) {
		if (asprintf(&unit, "vmon@%s.service", names[i]) < 0)
			r = complain(EXIT_FAILED, "out of memory");
		else
			argv[k++] = unit;
	}
	if (!r && run_program(argv))
		r = EXIT_FAILED;
	while (k > (option ? 3 : 2))
		free((char *)argv[--k]);
	free(argv);
	return r;
}

static int on_option(int c, const char *value, void *arg)
{
	(void)c;
	(void)value;
	*(bool *)arg = true;
	return 0;
}

/* Options of enable and disable. Return: 0, or an exit status. */
static int parse(int argc, char **argv, bool *now)
{
	static const struct option options[] = {
		{ "now", no_argument, NULL, 'n' },
		{ 0 }
	};

	return parse_options(argc, argv, 1, INT_MAX, options, on_option, now);
}

static int systemctl(const char *verb, bool now, char **names, int n)
{
	if (!unit_installed())
		return complain(EXIT_FAILED,
				"%s needs systemd and vmon@.service: without, let your init run 'vmonctl start --no-unit NAME'",
				verb);
	return unit_systemctl(verb, now ? "--now" : NULL, names, n);
}

int verb_enable(int argc, char **argv)
{
	struct guest_config c;
	bool now = false;
	int i, r;

	r = parse(argc, argv, &now);
	for (i = optind; i < argc && !r; i++) {
		r = definition_load(argv[i], NULL, &c);
		guest_config_free(&c);
	}
	return r ? r : systemctl("enable", now, argv + optind, argc - optind);
}

int verb_disable(int argc, char **argv)
{
	struct guest_problems p = { 0 };
	struct guest_dirs dirs;
	struct guest_config c;
	bool now = false;
	int i, r;

	r = parse(argc, argv, &now);
	if (!r)
		r = systemctl("disable", now, argv + optind, argc - optind);
	if (r || definition_dirs(&dirs))
		return r;
	for (i = optind; i < argc; i++) {
		if (!guest_load(&dirs, argv[i], NULL, &c, &p) && c.autostart)
			complain(0, "'%s' is started at boot all the same: its definition says autostart=yes, see 'vmonctl edit %s'",
				 argv[i], argv[i]);
		guest_config_free(&c);
	}
	guest_problems_clear(&p);
	guest_dirs_free(&dirs);
	return EXIT_OK;
}
