// SPDX-License-Identifier: GPL-2.0
/*
 * Verb edit: change a definition with an editor. What the editor leaves is checked before it
 * is put in place. If it is wrong it stays beside, as NAME.conf.rejected, which nothing reads
 * but the next edit; the definition is as it was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmonctl/definition.h"
#include "vmonctl/vmonctl.h"

struct edit {
	const char *name;
	struct guest_dirs dirs;
	char *from;			/* main file as it is */
	char file[NAME_MAX];		/* NAME.conf */
	char temp[PATH_MAX];		/* what the editor gets */
	char rejected[PATH_MAX];
};

static const char *editor(void)
{
	static const char * const variable[] = { "VISUAL", "EDITOR" };
	const char *value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(variable); i++) {
		value = getenv(variable[i]);
		if (value && *value)
			return value;
	}
	return "editor";
}

/* The editor may be a command with arguments, so a shell takes it apart. */
static int run_editor(const char *path)
{
	const char *argv[6] = { "sh", "-c", NULL, "sh", path };
	const char *command = editor();
	char *script;
	int status;

	if (asprintf(&script, "%s \"$1\"", command) < 0)
		return complain(EXIT_FAILED, "out of memory");
	argv[2] = script;
	status = run_program(argv);
	free(script);
	if (!status)
		return 0;
	return complain(EXIT_FAILED,
			"the editor '%s' failed with status %d, nothing is changed: set EDITOR to one that works",
			command, status);
}

/* Where the guest is defined; @e->from is left NULL after a message. */
static void find(struct edit *e)
{
	struct guest_problems p = { 0 };
	struct guest_config c;
	int r;

	r = guest_load(&e->dirs, e->name, NULL, &c, &p);
	if (r == -ENODATA || !c.path) {
		definition_tell(&p);
	} else {
		e->from = c.path;
		c.path = NULL;
	}
	guest_problems_clear(&p);
	guest_config_free(&c);
}

/* The file as the editor gets it; what was rejected last time goes on being edited. */
static char *begin(struct edit *e)
{
	struct guest_problems p = { 0 };
	const char *path = e->from;
	char *data = NULL, *text = NULL;
	size_t size = 0;

	if (!access(e->rejected, R_OK)) {
		complain(0, "going on with '%s', which was rejected; remove it to begin anew",
			 e->rejected);
		path = e->rejected;
	}
	if (!guest_read_file(path, &data, &size, &p)) {
		text = strndup(data, size);
		free(data);
	}
	definition_tell(&p);
	guest_problems_clear(&p);
	return text;
}

static int write_temp(struct edit *e, const char *text)
{
	int fd = mkostemps(e->temp, strlen(".conf"), O_CLOEXEC);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return complain(EXIT_FAILED, "cannot write '%s': %s", e->temp, strerror(errno));
	n = write(fd, text, len);
	if (close(fd) < 0 || n != (ssize_t)len) {
		(void)unlink(e->temp);
		return complain(EXIT_FAILED, "cannot write '%s': %s", e->temp,
				n < 0 ? strerror(errno) : "no space");
	}
	return 0;
}

/* What does not do is kept where the user finds it. */
static int reject(struct edit *e, const char *text)
{
	char file[NAME_MAX + 16];
	struct error err;

	snprintf(file, sizeof(file), "%s.rejected", e->file);
	if (guest_store(e->dirs.dir[0], file, text, true, &err) < 0) {
		complain(0, "%s; the text is in '%s'", err.text, e->temp);
		return EXIT_FAILED;
	}
	(void)unlink(e->temp);
	return complain(EXIT_FAILED,
			"guest '%s' is defined as before; what you wrote is kept as '%s': 'vmonctl edit %s' goes on with it",
			e->name, e->rejected, e->name);
}

static char *read_back(const char *path)
{
	struct guest_problems p = { 0 };
	char *data = NULL, *text = NULL;
	size_t size = 0;

	if (!guest_read_file(path, &data, &size, &p)) {
		text = memchr(data, 0, size) ? NULL : strndup(data, size);
		free(data);
		if (!text)
			complain(0, "'%s' has zero bytes, it is no text file", path);
	} else if (!p.n) {
		complain(0, "the editor has removed '%s', nothing is changed", path);
	}
	definition_tell(&p);
	guest_problems_clear(&p);
	return text;
}

/* Check what the editor left, and put it in place. */
static int finish(struct edit *e, const char *before)
{
	struct guest_config c;
	struct error err;
	char *text;
	int r;

	text = read_back(e->temp);
	if (!text)
		return EXIT_FAILED;
	if (!strcmp(text, before) && access(e->rejected, F_OK) < 0) {
		(void)unlink(e->temp);
		free(text);
		puts("Not changed.");
		return EXIT_OK;
	}
	r = definition_load(e->name, e->temp, &c);
	guest_config_free(&c);
	if (r) {
		r = reject(e, text);
	} else if (guest_store(e->dirs.dir[0], e->file, text, true, &err) < 0) {
		r = complain(EXIT_FAILED, "%s; what you wrote is in '%s'", err.text, e->temp);
	} else {
		(void)unlink(e->temp);
		(void)unlink(e->rejected);
	}
	free(text);
	return r;
}

static int edit(struct edit *e)
{
	char *text;
	int r;

	find(e);
	if (!e->from)
		return EXIT_FAILED;
	snprintf(e->file, sizeof(e->file), "%s.conf", e->name);
	snprintf(e->rejected, sizeof(e->rejected), "%s/%s.rejected", e->dirs.dir[0], e->file);
	snprintf(e->temp, sizeof(e->temp), "%s/vmon-%s-XXXXXX.conf",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", e->name);
	text = begin(e);
	if (!text)
		return EXIT_FAILED;
	r = write_temp(e, text);
	if (!r) {
		r = run_editor(e->temp);
		if (r)
			(void)unlink(e->temp);
		else
			r = finish(e, text);
	}
	free(text);
	return r;
}

int verb_edit(int argc, char **argv)
{
	struct edit e = { 0 };
	int r;

	r = parse_simple(argc, argv, 1, 1, NULL, NULL);
	if (!r)
		r = definition_dirs(&e.dirs);
	if (r)
		return r;
	e.name = argv[optind];
	r = edit(&e);
	free(e.from);
	guest_dirs_free(&e.dirs);
	return r;
}
