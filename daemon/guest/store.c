// SPDX-License-Identifier: GPL-2.0
/*
 * Writing definitions. A file is there whole or not at all: it is written beside, synced, and
 * renamed; what was there before stays until then.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/config.h"

#define WIDTH	120u		/* of lines that can be broken */
#define LINE_BYTES 190u		/* more is not read back */

/* Will libinih read it back as it is? It strips all white space, and "a ;b" has a comment. */
static bool writable(const char *value)
{
	const unsigned char *p;

	for (p = (const unsigned char *)value; *p; p++) {
		if (iscntrl(*p) && *p != '\t')
			return false;
		if (isblank(*p) && p[1] == ';')
			return false;
	}
	return true;
}

/*
 * "key=value", the words of a command line over several lines. Lines are joined by one blank,
 * so only where there is one they are broken: more may stand between quotes. And not before
 * what would make a comment of the next line.
 */
static int put(FILE *f, const struct guest_key *key, const char *value, struct error *err)
{
	size_t len, blanks, word;

	if (!writable(value))
		return fail(err, EINVAL,
			    "%s: control characters, and ';' after a blank, cannot be written into a definition",
			    key->name);
	if (strcmp(key->name, "append") != 0) {
		if (strlen(key->name) + 1 + strlen(value) > LINE_BYTES)
			return fail(err, EINVAL, "%s: more than %u bytes cannot be written: use shorter names",
				    key->name, LINE_BYTES);
		fprintf(f, "%s=%s\n", key->name, value);
		return 0;
	}
	len = fprintf(f, "%s=", key->name);
	for (value += strspn(value, " \t"); *value; value += blanks + word) {
		blanks = strspn(value, " \t");
		word = strcspn(value + blanks, " \t");
		if (!word)
			break;
		if (len + blanks + word > WIDTH && blanks == 1 && *value == ' ' &&
		    !strchr("#;", value[1])) {
			fprintf(f, "\n");
			len = 0;
		}
		len += fprintf(f, "%.*s", (int)(blanks + word), value);
		if (len > LINE_BYTES)
			return fail(err, EINVAL,
				    "append: %u bytes without a single blank cannot be written",
				    LINE_BYTES);
	}
	fprintf(f, "\n");
	return 0;
}

/**
 * guest_format() - a definition as a file would have it
 * @c: definition
 * @err: what cannot be written
 *
 * Return: text to be freed, or NULL.
 */
char *guest_format(const struct guest_config *c, struct error *err)
{
	const char *section = "";
	char *text = NULL, *value;
	unsigned int i, n;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int r = 0;

	if (!f) {
		error_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	fprintf(f, "# Guest '%s': see vmon-guest(5).\n", c->name);
	for (i = 0; i < guest_n_keys && r >= 0; i++) {
		for (n = 0; r >= 0 && (value = guest_key_text(&guest_keys[i], c, n)); n++) {
			if (strcmp(section, guest_keys[i].section) != 0)
				fprintf(f, "\n[%s]\n", guest_keys[i].section);
			section = guest_keys[i].section;
			r = put(f, &guest_keys[i], value, err);
			free(value);
		}
	}
	if (fclose(f) && r >= 0)
		r = fail(err, ENOMEM, "out of memory");
	if (r < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= n;
	}
	return 0;
}

/* mkdir -p */
static int make_dir(const char *dir)
{
	char *copy = strdup(dir), *p;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	for (p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		(void)mkdir(copy, 0755);
		*p = '/';
	}
	if (mkdir(copy, 0755) < 0 && errno != EEXIST)
		r = -errno;
	free(copy);
	return r;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/**
 * guest_store() - put a file into a directory of definitions, whole or not at all
 * @dir: directory, made if it is not there
 * @file: name of the file in it
 * @text: contents
 * @replace: there may be one
 * @err: why not; what was there stays
 *
 * Return: 0, -EEXIST, -ENOSPC or another error.
 */
int guest_store(const char *dir, const char *file, const char *text, bool replace,
		struct error *err)
{
	char temp[4096], path[4096];
	int fd, r;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if ((size_t)snprintf(temp, sizeof(temp), "%s/.%s.XXXXXX", dir, file) >= sizeof(temp))
		return fail(err, ENAMETOOLONG, "'%s' is too long a path", dir);
	r = make_dir(dir);
	if (r < 0)
		return fail(err, -r, "cannot make '%s': %s", dir, strerror(-r));
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return fail(err, errno, "cannot write in '%s': %s", dir, strerror(errno));
	r = write_all(fd, text, strlen(text));
	if (!r && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && !r)
		r = -errno;
	if (!r && renameat2(AT_FDCWD, temp, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temp);
		if (r == -EEXIST)
			return fail(err, EEXIST, "'%s' exists already: change it with 'vmonctl edit'",
				    path);
		return fail(err, -r, "cannot write '%s': %s%s", path, strerror(-r),
			    replace ? "; what was there before is unchanged" : "");
	}
	(void)sync_dir(dir);
	return 0;
}
