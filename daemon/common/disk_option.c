// SPDX-License-Identifier: GPL-2.0
/* Parse one disk of a guest, see disk_option.h. */
#include <errno.h>
#include <string.h>

#include "common/disk_option.h"

/* Copy up to a single comma; two are one. Return: what follows, or NULL: too long. */
static const char *take_path(const char *text, char *path, size_t size)
{
	size_t n = 0;

	for (; *text && (*text != ',' || text[1] == ','); text++) {
		if (*text == ',')
			text++;
		if (n + 1 == size)
			return NULL;
		path[n++] = *text;
	}
	path[n] = 0;
	return text;
}

static int take_id(const char *value, struct disk_option *o, struct error *err)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(value);

	if (!n || n > DISK_OPTION_ID_MAX || value[strspn(value, letters)])
		return fail(err, EINVAL,
			    "disk '%s': id '%s': use 1 to %u letters, digits, '.', '_' and '-'",
			    o->path, value, DISK_OPTION_ID_MAX);
	memcpy(o->id, value, n + 1);
	return 0;
}

/* One word behind the path. */
static int take_word(const char *word, struct disk_option *o, struct error *err)
{
	if (!strcmp(word, "readonly")) {
		o->readonly = true;
		return 0;
	}
	if (!strncmp(word, "id=", 3))
		return take_id(word + 3, o, err);
	if (!strcmp(word, "format=raw"))
		return 0;
	if (!strncmp(word, "format=", 7))
		return fail(err, EINVAL,
			    "disk '%s': format '%s' is not supported: convert the image to raw",
			    o->path, word + 7);
	return fail(err, EINVAL,
		    "disk '%s': '%s' is none of readonly, format=raw, id=NAME (a comma in the path is written twice)",
		    o->path, word);
}

/**
 * disk_option_parse() - what a user has written about a disk
 * @text: PATH[,readonly][,format=raw][,id=NAME]
 * @ret: filled in on success
 * @err: what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int disk_option_parse(const char *text, struct disk_option *ret, struct error *err)
{
	struct disk_option o = { 0 };
	char word[64];
	size_t n;
	int r;

	text = take_path(text, o.path, sizeof(o.path));
	if (!text)
		return fail(err, EINVAL, "disk: the path is longer than %zu bytes",
			    sizeof(o.path) - 1);
	if (!*o.path)
		return fail(err, EINVAL, "disk: the path is missing: use PATH[,readonly][,id=NAME]");
	while (*text) {
		text++;
		n = strcspn(text, ",");
		if (n >= sizeof(word))
			return fail(err, EINVAL, "disk '%s': '%.20s...' is too long", o.path, text);
		memcpy(word, text, n);
		word[n] = 0;
		r = take_word(word, &o, err);
		if (r < 0)
			return r;
		text += n;
	}
	*ret = o;
	return 0;
}
