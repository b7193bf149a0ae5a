// SPDX-License-Identifier: GPL-2.0
/*
 * vmonctl as a systemd generator, see systemd.generator(7): called as vmon-generator at boot and
 * at "systemctl daemon-reload", it makes multi-user.target want the units of guests whose
 * definitions say autostart=yes. Definitions that are wrong are told and left out.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmonctl/definition.h"
#include "vmonctl/vmonctl.h"

static int want(const char *dir, const char *name)
{
	char path[PATH_MAX + 128];

	snprintf(path, sizeof(path), "%s/vmon@%s.service", dir, name);
	if (symlink(unit_template(), path) < 0 && errno != EEXIST)
		return complain(EXIT_FAILED, "cannot make '%s': %s", path, strerror(errno));
	return EXIT_OK;
}

/**
 * generator_main() - make units wanted
 * @dir: where links go, the first of a generator's directories
 *
 * Return: exit status.
 */
int generator_main(const char *dir)
{
	struct guest_list names = { 0 };
	struct guest_problems p = { 0 };
	struct guest_config c;
	struct guest_dirs dirs;
	char wants[PATH_MAX];
	int r, status = EXIT_OK;
	unsigned int i;

	snprintf(wants, sizeof(wants), "%s/multi-user.target.wants", dir);
	if (mkdir(wants, 0755) < 0 && errno != EEXIST)
		return complain(EXIT_FAILED, "cannot make '%s': %s", wants, strerror(errno));
	if (definition_dirs(&dirs))
		return EXIT_FAILED;
	r = guest_names(&dirs, &names);
	if (r < 0)
		status = complain(EXIT_FAILED, "not all definitions are read: %s", strerror(-r));
	for (i = 0; i < names.n; i++) {
		if (guest_load(&dirs, names.text[i], NULL, &c, &p) == -EINVAL)
			definition_tell(&p);
		else if (c.autostart && want(wants, names.text[i]))
			status = EXIT_FAILED;
		guest_problems_clear(&p);
		guest_config_free(&c);
	}
	guest_list_clear(&names);
	guest_dirs_free(&dirs);
	return status;
}
