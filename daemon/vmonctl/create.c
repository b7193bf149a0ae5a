// SPDX-License-Identifier: GPL-2.0
/*
 * Verbs create, cat and remove: definitions as files. The options of create are the keys of
 * guest_keys[].
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/name.h"
#include "vmonctl/definition.h"
#include "vmonctl/vmonctl.h"

#define OPTIONS_MAX	64

/* The keys, for "create --help". */
void create_help(void)
{
	unsigned int i;

	for (i = 0; i < guest_n_keys; i++)
		printf("  --%-16s %s\n", guest_keys[i].name, guest_keys[i].help);
}

static int on_key(int c, const char *value, void *arg)
{
	const struct guest_key *key = &guest_keys[c - 1];
	struct guest_config *config = arg;
	char *here = NULL, *absolute = NULL;
	struct error err;
	int r;

	if (!*value)
		return usage_error("create", "%s is empty: give it a value", key->name);
	if (key->type->path && *value != '/') {
		here = getcwd(NULL, 0);
		if (!here || asprintf(&absolute, "%s/%s", here, value) < 0)
			absolute = NULL;
		free(here);
		if (!absolute)
			return complain(EXIT_FAILED, "%s '%s': %s: give an absolute path",
					key->name, value, strerror(errno));
	}
	r = guest_key_set(key, config, absolute ? absolute : value, &err);
	free(absolute);
	return r < 0 ? usage_error("create", "%s", err.text) : 0;
}

/* Files that are not there yet can still come: say so, no more. */
static void warn_missing(const struct guest_config *c)
{
	const char *const path[] = { c->kernel, c->initrd };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(path); i++)
		if (path[i] && access(path[i], R_OK) < 0)
			complain(0, "warning: '%s': %s", path[i], strerror(errno));
}

static int store_new(const struct guest_dirs *dirs, const struct guest_config *c)
{
	char file[NAME_MAX];
	struct error err;
	char *text;
	int r;

	snprintf(file, sizeof(file), "%s.conf", c->name);
	text = guest_format(c, &err);
	if (!text)
		return complain(EXIT_FAILED, "%s", err.text);
	r = guest_store(dirs->dir[0], file, text, false, &err);
	free(text);
	if (r < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	warn_missing(c);
	printf("%s/%s\n", dirs->dir[0], file);
	return EXIT_OK;
}

/* A guest of this name that is defined elsewhere would be hidden by the new one. */
static int check_name(const struct guest_dirs *dirs, const char *name)
{
	struct guest_problems p = { 0 };
	struct guest_config c;
	struct error err;
	int r;

	if (name_check(name, &err) < 0)
		return usage_error("create", "%s", err.text);
	r = guest_load(dirs, name, NULL, &c, &p);
	r = r == -ENOENT ? 0 :
	    complain(EXIT_FAILED, "guest '%s' is defined already, in '%s': change it with 'vmonctl edit %s', or choose another name",
		     name, c.path ? c.path : dirs->dir[0], name);
	guest_problems_clear(&p);
	guest_config_free(&c);
	return r;
}

int verb_create(int argc, char **argv)
{
	struct option options[OPTIONS_MAX] = { 0 };
	struct guest_config c;
	struct guest_dirs dirs;
	unsigned int i;
	int r;

	for (i = 0; i < guest_n_keys && i < OPTIONS_MAX - 1; i++)
		options[i] = (struct option){ guest_keys[i].name, required_argument, NULL,
					      (int)i + 1 };
	guest_config_init(&c);
	r = parse_options(argc, argv, 1, 1, options, on_key, &c);
	if (!r && !c.kernel)
		r = usage_error("create", "create: --kernel is missing");
	if (!r)
		r = definition_dirs(&dirs);
	if (r) {
		guest_config_free(&c);
		return r;
	}
	r = check_name(&dirs, argv[optind]);
	if (!r) {
		c.name = strdup(argv[optind]);
		r = c.name ? store_new(&dirs, &c) : complain(EXIT_FAILED, "out of memory");
	}
	guest_config_free(&c);
	guest_dirs_free(&dirs);
	return r;
}

static void print_file(const char *path, bool first)
{
	struct guest_problems p = { 0 };
	char *data = NULL;
	size_t size = 0;

	printf("%s# %s\n", first ? "" : "\n", path);
	if (!guest_read_file(path, &data, &size, &p)) {
		fwrite(data, 1, size, stdout);
		if (size && data[size - 1] != '\n')
			putchar('\n');
		free(data);
	}
	definition_tell(&p);
	guest_problems_clear(&p);
}

int verb_cat(int argc, char **argv)
{
	struct guest_problems p = { 0 };
	struct guest_dirs dirs;
	struct guest_config c;
	unsigned int i;
	int r;

	r = parse_simple(argc, argv, 1, 1, NULL, NULL);
	if (!r)
		r = definition_dirs(&dirs);
	if (r)
		return r;
	/* What is wrong with it is no reason not to show it. */
	r = guest_load(&dirs, argv[optind], NULL, &c, &p);
	if (c.path && r != -ENODATA) {
		print_file(c.path, true);
		for (i = 0; i < c.dropins.n; i++)
			print_file(c.dropins.text[i], false);
		r = EXIT_OK;
	} else {
		r = EXIT_FAILED;
	}
	fflush(stdout);
	definition_tell(&p);
	guest_problems_clear(&p);
	guest_config_free(&c);
	guest_dirs_free(&dirs);
	return r;
}

/* Return: whether vmond runs a guest of this name; without vmond none does. */
static bool runs(const char *name)
{
	const char *state = "";
	sd_bus_message *reply;
	const char *key, *value;
	char text[256];
	bool yes = false;
	int r;

	if (client_state(text, sizeof(text)) < 0 ||
	    client_try("Show", &reply, -ENXIO, "s", name) < 0)
		return false;
	r = sd_bus_message_enter_container(reply, 'a', "{ss}");
	while (r >= 0 && (r = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0) {
		if (strcmp(key, "State") != 0)
			continue;
		state = value;
		yes = strcmp(state, "ended") != 0;
	}
	sd_bus_message_unref(reply);
	return yes;
}

static int remove_file(const char *path)
{
	if (!unlink(path) || errno == ENOENT)
		return EXIT_OK;
	return complain(EXIT_FAILED, "cannot remove '%s': %s", path, strerror(errno));
}

/* The drop-ins in @dir. With @really they go, else their number is told. */
static int remove_dropins(const char *dir, bool really)
{
	char path[2 * PATH_MAX];
	struct dirent *d;
	DIR *stream = opendir(dir);
	int n = 0, r = EXIT_OK;

	if (!stream)
		return EXIT_OK;
	while ((d = readdir(stream))) {
		if (*d->d_name == '.')
			continue;
		n++;
		snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		if (really && remove_file(path))
			r = EXIT_FAILED;
	}
	closedir(stream);
	if (!really && n)
		return complain(EXIT_FAILED, "'%s' has %d files, which a new guest of this name would get: 'vmonctl remove --all' removes them, too",
				dir, n);
	if (really && !r && rmdir(dir) < 0)
		r = complain(EXIT_FAILED, "cannot remove '%s': %s", dir, strerror(errno));
	return r;
}

static int remove_guest(const struct guest_dirs *dirs, const char *name, bool all)
{
	char path[PATH_MAX], dropins[PATH_MAX + 4];
	struct guest_problems p = { 0 };
	struct guest_config c;
	int r;

	snprintf(path, sizeof(path), "%s/%s.conf", dirs->dir[0], name);
	snprintf(dropins, sizeof(dropins), "%s.d", path);
	(void)guest_load(dirs, name, NULL, &c, &p);
	if (!c.path) {
		definition_tell(&p);
		r = EXIT_FAILED;
	} else if (strcmp(c.path, path) != 0) {
		r = complain(EXIT_FAILED, "guest '%s' is defined in '%s', which is not this machine's to remove: hide it with 'ln -s /dev/null %s'",
			     name, c.path, path);
	} else if (runs(name)) {
		r = complain(EXIT_FAILED, "guest '%s' runs: 'vmonctl terminate %s' first", name,
			     name);
	} else if (unit_enabled(name)) {
		r = complain(EXIT_FAILED, "guest '%s' is enabled: 'vmonctl disable %s' first",
			     name, name);
	} else {
		r = remove_dropins(dropins, all);
		if (!r)
			r = remove_file(path);
	}
	guest_problems_clear(&p);
	guest_config_free(&c);
	return r;
}

int verb_remove(int argc, char **argv)
{
	struct guest_dirs dirs;
	bool all = false;
	int r, status = EXIT_OK;

	r = parse_simple(argc, argv, 1, INT_MAX, NULL, &all);
	if (!r)
		r = definition_dirs(&dirs);
	if (r)
		return r;
	for (; optind < argc; optind++)
		if (remove_guest(&dirs, argv[optind], all))
			status = EXIT_FAILED;
	guest_dirs_free(&dirs);
	return status;
}
