// SPDX-License-Identifier: GPL-2.0
/*
 * Finding a definition's files, with systemd's precedence.
 *
 * The main file NAME.conf is the one of the first directory that has it. Drop-ins,
 * NAME.conf.d/ *.conf, come from all directories, sorted by file name; of several of one name
 * the one of the first directory counts. A link to /dev/null hides what it is named like.
 *
 *	/etc/vmon/guests	the administrator's; "vmonctl create" writes here
 *	/run/vmon/guests	until the next boot
 *	/usr/lib/vmon/guests	packages'
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/name.h"
#include "guest/config.h"

#define DIRS	"/etc/vmon/guests:/run/vmon/guests:/usr/lib/vmon/guests"
#define SUFFIX	".conf"

/**
 * guest_dirs_init() - where definitions are
 * @dirs: to fill in
 *
 * The environment's VMON_GUESTS_PATH, directories with colons between, replaces the usual ones.
 *
 * Return: 0 or -ENOMEM.
 */
int guest_dirs_init(struct guest_dirs *dirs)
{
	const char *path = getenv("VMON_GUESTS_PATH");
	size_t len;

	memset(dirs, 0, sizeof(*dirs));
	if (!path || !*path)
		path = DIRS;
	for (; *path && dirs->n < GUEST_DIRS_MAX; path += len + (path[len] == ':')) {
		len = strcspn(path, ":");
		if (!len)
			continue;
		dirs->dir[dirs->n] = strndup(path, len);
		if (!dirs->dir[dirs->n])
			return -ENOMEM;
		dirs->n++;
	}
	return dirs->n ? 0 : -EINVAL;
}

void guest_dirs_free(struct guest_dirs *dirs)
{
	while (dirs->n)
		free(dirs->dir[--dirs->n]);
}

static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/**
 * guest_read_file() - the contents of a file of a definition
 * @path: file
 * @ret: contents, to be freed
 * @size: bytes
 * @p: gets what is wrong, unless there is no such file
 *
 * Return: 0, -ENOENT, -ENODATA: a link to /dev/null, or another error.
 */
int guest_read_file(const char *path, char **ret, size_t *size, struct guest_problems *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t done = 0;
	ssize_t n = 1;
	char *data;
	int r = 0;

	if (fd < 0) {
		r = errno == ENOTDIR ? -ENOENT : -errno;
		if (r != -ENOENT)
			guest_problem(p, "%s: %s", path, strerror(-r));
		return r;
	}
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (is_null_device(&st))
		r = -ENODATA;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else if (st.st_size > GUEST_FILE_MAX)
		r = -EFBIG;
	data = r ? NULL : malloc(GUEST_FILE_MAX);
	if (!r && !data)
		r = -ENOMEM;
	while (!r && n && done < GUEST_FILE_MAX) {
		n = read(fd, data + done, GUEST_FILE_MAX - done);
		if (n < 0 && errno != EINTR)
			r = -errno;
		else if (n > 0)
			done += n;
	}
	close(fd);
	if (r < 0) {
		free(data);
		if (r == -EINVAL)
			guest_problem(p, "%s: not a regular file: write the definition into one",
				      path);
		else if (r == -EFBIG)
			guest_problem(p, "%s: has %lld bytes: a definition has at most %u", path,
				      (long long)st.st_size, GUEST_FILE_MAX);
		else if (r != -ENODATA)
			guest_problem(p, "%s: %s", path, strerror(-r));
		return r;
	}
	*ret = data;
	*size = done;
	return 0;
}

/* Parse the file @path, or what stands in @instead of it. */
static int read_one(struct guest_config *c, const char *path, const char *instead,
		    struct guest_problems *p)
{
	const char *from = instead ? instead : path;
	char *data = NULL;
	size_t size = 0;
	int r;

	r = guest_read_file(from, &data, &size, p);
	if (r < 0)
		return r;
	guest_parse(c, from, data, size, p);
	free(data);
	return 0;
}

/* Return: 0; -ENOENT: none has it, -ENODATA: it is hidden. */
static int read_main(const struct guest_dirs *dirs, const char *name, const char *instead,
		     struct guest_config *c, struct guest_problems *p)
{
	unsigned int i;
	char *path;
	int r;

	for (i = 0; i < dirs->n; i++) {
		if (asprintf(&path, "%s/%s" SUFFIX, dirs->dir[i], name) < 0)
			return -ENOMEM;
		r = read_one(c, path, instead, p);
		if (r == -ENOENT) {
			free(path);
			continue;
		}
		c->path = path;
		return r;
	}
	return -ENOENT;
}

static int is_conf(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return *d->d_name != '.' && len > strlen(SUFFIX) &&
	       !strcmp(d->d_name + len - strlen(SUFFIX), SUFFIX);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in @path that end in .conf, added to @list if they are not there. */
static int add_names(struct guest_list *list, const char *path)
{
	struct dirent **entry;
	int i, n, r = 0;
	unsigned int k;

	n = scandir(path, &entry, is_conf, NULL);
	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (i = 0; i < n; i++) {
		for (k = 0; k < list->n && strcmp(list->text[k], entry[i]->d_name); k++)
			;
		if (k == list->n && !r)
			r = guest_list_add(list, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return r;
}

static void sort(struct guest_list *list)
{
	if (list->n)
		qsort(list->text, list->n, sizeof(*list->text), compare);
}

/* One drop-in, from the first directory that has it. */
static int read_dropin(const struct guest_dirs *dirs, const char *name, const char *file,
		       struct guest_config *c, struct guest_problems *p)
{
	unsigned int i;
	char *path;
	int r = -ENOENT;

	for (i = 0; i < dirs->n && r == -ENOENT; i++) {
		if (asprintf(&path, "%s/%s" SUFFIX ".d/%s", dirs->dir[i], name, file) < 0)
			return -ENOMEM;
		r = read_one(c, path, NULL, p);
		if (!r)
			r = guest_list_add(&c->dropins, path);
		free(path);
	}
	return r == -ENODATA || r == -ENOENT ? 0 : r;
}

static int read_dropins(const struct guest_dirs *dirs, const char *name,
			struct guest_config *c, struct guest_problems *p)
{
	struct guest_list files = { 0 };
	unsigned int i;
	char *path;
	int r = 0;

	for (i = 0; i < dirs->n && !r; i++) {
		if (asprintf(&path, "%s/%s" SUFFIX ".d", dirs->dir[i], name) < 0)
			return -ENOMEM;
		r = add_names(&files, path);
		if (r < 0)
			guest_problem(p, "%s: %s", path, strerror(-r));
		free(path);
	}
	sort(&files);
	for (i = 0; i < files.n && !r; i++)
		r = read_dropin(dirs, name, files.text[i], c, p);
	guest_list_clear(&files);
	return r;
}

/**
 * guest_load() - read a definition, drop-ins and all
 * @dirs: where to look
 * @name: of the guest
 * @instead: NULL, or a file that is read in place of the main file
 * @ret: definition, to be freed; @ret->path is set even if the rest is wrong
 * @p: gets what is wrong, a sentence each
 *
 * A definition with anything wrong in it is refused whole.
 *
 * Return: 0; -ENOENT: there is none, -ENODATA: it is hidden, -EINVAL: see @p.
 */
int guest_load(const struct guest_dirs *dirs, const char *name, const char *instead,
	       struct guest_config *ret, struct guest_problems *p)
{
	struct error err;
	int r;

	guest_config_init(ret);
	if (name_check(name, &err) < 0) {
		guest_problem(p, "%s", err.text);
		return -EINVAL;
	}
	ret->name = strdup(name);
	r = ret->name ? read_main(dirs, name, instead, ret, p) : -ENOMEM;
	if (r == -ENOENT)
		guest_problem(p, "no guest is named '%s': there is no '%s/%s" SUFFIX "': make it with 'vmonctl create %s'",
			      name, dirs->dir[0], name, name);
	else if (r == -ENODATA)
		guest_problem(p, "guest '%s' is hidden: '%s' is a link to /dev/null: remove it",
			      name, ret->path);
	if (r < 0 && !ret->path)
		return r;
	if (!r)
		r = read_dropins(dirs, name, ret, p);
	if (!r && !p->n)
		guest_complete(ret, p);
	if (r < 0 && !p->n)
		guest_problem(p, "guest '%s': %s", name, strerror(-r));
	if (r == -ENODATA)
		return r;
	return p->n ? -EINVAL : 0;
}

/**
 * guest_names() - all guests that are defined, rightly or wrongly
 * @dirs: where to look
 * @ret: gets their names, sorted
 *
 * Return: 0 or a negative errno.
 */
int guest_names(const struct guest_dirs *dirs, struct guest_list *ret)
{
	unsigned int i;
	int r = 0;

	for (i = 0; i < dirs->n && !r; i++)
		r = add_names(ret, dirs->dir[i]);
	for (i = 0; i < ret->n; i++)
		ret->text[i][strlen(ret->text[i]) - strlen(SUFFIX)] = 0;
	sort(ret);
	return r;
}
