// SPDX-License-Identifier: GPL-2.0
/*
 * The table of keys and the types of their values. To add a key: a field in struct
 * guest_config, a row here, a paragraph in vmon-guest(5).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/disk_option.h"
#include "common/net_option.h"
#include "guest/config.h"

static int replace_string(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int string_set(const struct guest_key *key, void *field, const char *value)
{
	(void)key;
	return replace_string(field, value);
}

static int path_set(const struct guest_key *key, void *field, const char *value)
{
	return *value == '/' ? string_set(key, field, value) : -EINVAL;
}

static void string_clear(void *field)
{
	char **s = field;

	free(*s);
	*s = NULL;
}

static char *string_text(const struct guest_key *key, const void *field, unsigned int i)
{
	char *const *s = field;

	(void)key;
	return i == 0 && *s ? strdup(*s) : NULL;
}

/* A command line: what is given again, or goes on in the next line, is added. */
static int words_add(const struct guest_key *key, void *field, const char *value)
{
	char **s = field;
	char *joined;

	if (!*s)
		return string_set(key, field, value);
	if (asprintf(&joined, "%s %s", *s, value) < 0)
		return -ENOMEM;
	free(*s);
	*s = joined;
	return 0;
}

static int file_list_set(const struct guest_key *key, void *field, const char *value)
{
	struct guest_list *list = field;

	(void)key;
	if (list->n == GUEST_LIST_MAX)
		return -E2BIG;
	return *value == '/' ? guest_list_add(list, value) : -EINVAL;
}

static int disk_list_set(const struct guest_key *key, void *field, const char *value)
{
	struct guest_list *list = field;
	struct disk_option o;
	struct error err;

	(void)key;
	if (list->n == DISK_OPTION_MAX)
		return -E2BIG;
	if (disk_option_parse(value, &o, &err) < 0 || *o.path != '/')
		return -EINVAL;
	return guest_list_add(list, value);
}

static int net_list_set(const struct guest_key *key, void *field, const char *value)
{
	struct guest_list *list = field;
	struct net_option o;
	struct error err;

	(void)key;
	if (list->n == NET_OPTION_MAX)
		return -E2BIG;
	if (net_option_parse(value, &o, &err) < 0)
		return -EINVAL;
	return guest_list_add(list, value);
}

static void list_clear(void *field)
{
	guest_list_clear(field);
}

static char *list_text(const struct guest_key *key, const void *field, unsigned int i)
{
	const struct guest_list *list = field;

	(void)key;
	return i < list->n ? strdup(list->text[i]) : NULL;
}

static int size_set(const struct guest_key *key, void *field, const char *value)
{
	unsigned long long n;
	unsigned int shift;
	char *end;

	(void)key;
	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(value, &end, 10);
	switch (*end) {
	case 'K': case 'k':
		shift = 10;
		break;
	case 0: case 'M': case 'm':
		shift = 20;
		break;
	case 'G': case 'g':
		shift = 30;
		break;
	default:
		return -EINVAL;
	}
	if (errno || (*end && end[1]) || !n || n > UINT64_MAX >> shift)
		return -EINVAL;
	*(u64 *)field = n << shift;
	return 0;
}

static void size_clear(void *field)
{
	*(u64 *)field = 0;
}

static char *size_text(const struct guest_key *key, const void *field, unsigned int i)
{
	unsigned long long n = *(const u64 *)field;
	char *text;

	(void)key;
	if (i || !n)
		return NULL;
	if (asprintf(&text, n % (1 << 20) ? "%lluK" : "%lluM",
		     n % (1 << 20) ? n >> 10 : n >> 20) < 0)
		return NULL;
	return text;
}

static int bool_set(const struct guest_key *key, void *field, const char *value)
{
	static const char * const word[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
	unsigned int i;

	(void)key;
	for (i = 0; i < ARRAY_SIZE(word); i++) {
		if (strcmp(value, word[i]))
			continue;
		*(bool *)field = i & 1;
		return 0;
	}
	return -EINVAL;
}

static void bool_clear(void *field)
{
	*(bool *)field = false;
}

static char *bool_text(const struct guest_key *key, const void *field, unsigned int i)
{
	(void)key;
	return i == 0 && *(const bool *)field ? strdup("yes") : NULL;
}

static int word_set(const struct guest_key *key, void *field, const char *value)
{
	unsigned int i;

	for (i = 0; key->words[i]; i++) {
		if (strcmp(value, key->words[i]))
			continue;
		*(unsigned int *)field = i;
		return 0;
	}
	return -EINVAL;
}

static void word_clear(void *field)
{
	*(unsigned int *)field = 0;
}

static char *word_text(const struct guest_key *key, const void *field, unsigned int i)
{
	unsigned int value = *(const unsigned int *)field;

	return i == 0 && value ? strdup(key->words[value]) : NULL;
}

static const struct guest_type type_string = {
	"a text", false, false, string_set, string_clear, string_text, 0
};

static const struct guest_type type_words = {
	"words", true, false, words_add, string_clear, string_text, 0
};

static const struct guest_type type_path = {
	"an absolute path like /boot/vmlinuz", false, true, path_set, string_clear, string_text,
	0
};

static const struct guest_type type_files = {
	"an absolute path, and arguments after a blank", true, true, file_list_set, list_clear,
	list_text, GUEST_LIST_MAX
};

static const struct guest_type type_disks = {
	"an absolute path, and after commas readonly, format=raw, id=NAME", true, true,
	disk_list_set, list_clear, list_text, DISK_OPTION_MAX
};

static const struct guest_type type_nets = {
	"nat, tap=DEVICE or none, and after commas mac=ADDRESS, id=NAME; for nat forward=tcp:8080:80, host",
	true, false, net_list_set, list_clear, list_text, NET_OPTION_MAX
};

static const struct guest_type type_size = {
	"a size like 128M or 1G", false, false, size_set, size_clear, size_text, 0
};

static const struct guest_type type_bool = {
	"yes or no", false, false, bool_set, bool_clear, bool_text, 0
};

static const struct guest_type type_word = {
	NULL, false, false, word_set, word_clear, word_text, 0
};

static const char * const exec_words[] = { "default", "translate", "emulate", NULL };
static const char * const action_words[] = { "stop", "restart", NULL };

#define FIELD(name)	offsetof(struct guest_config, name)

const struct guest_key guest_keys[] = {
	{ "guest", "description", &type_string, NULL, FIELD(description), false,
	  "what it is for" },
	{ "guest", "autostart", &type_bool, NULL, FIELD(autostart), false,
	  "start it at boot: yes or no" },
	{ "guest", "on-reboot", &type_word, action_words, FIELD(on_reboot), true,
	  "when it resets itself: stop or restart" },
	{ "guest", "on-crash", &type_word, action_words, FIELD(on_crash), true,
	  "after a triple fault or an error: stop or restart" },
	{ "boot", "kernel", &type_path, NULL, FIELD(kernel), true,
	  "Linux bzImage or Multiboot 1 image" },
	{ "boot", "initrd", &type_path, NULL, FIELD(initrd), true,
	  "initial RAM disk (Linux)" },
	{ "boot", "append", &type_words, NULL, FIELD(append), true,
	  "kernel command line" },
	{ "boot", "module", &type_files, NULL, FIELD(modules), true,
	  "module (Multiboot), 'FILE [ARGS]'; can be given again" },
	{ "machine", "memory", &type_size, NULL, FIELD(memory), true,
	  "guest memory, as 128M or 1G (128M)" },
	{ "machine", "exec", &type_word, exec_words, FIELD(exec), true,
	  "guest kernel code: default, translate or emulate" },
	{ "machine", "disk", &type_disks, NULL, FIELD(disks), true,
	  "disk, 'FILE[,readonly][,format=raw][,id=NAME]'; again for more" },
	{ "machine", "net", &type_nets, NULL, FIELD(nets), true,
	  "network card, 'nat|tap=DEVICE|none[,mac=..][,id=..]'; again for more" },
	{ "machine", "rng", &type_bool, NULL, FIELD(rng), true,
	  "source of randomness: yes or no" },
	{ "console", "log", &type_path, NULL, FIELD(log), true,
	  "file that the console's output is added to" },
};

const unsigned int guest_n_keys = ARRAY_SIZE(guest_keys);

static void *field_of(const struct guest_key *key, const struct guest_config *c)
{
	return (char *)c + key->offset;
}

void guest_config_init(struct guest_config *c)
{
	memset(c, 0, sizeof(*c));
}

/* Frees all that a definition holds, and leaves an empty one. */
void guest_config_free(struct guest_config *c)
{
	unsigned int i;

	for (i = 0; i < guest_n_keys; i++)
		guest_keys[i].type->clear(field_of(&guest_keys[i], c));
	guest_list_clear(&c->dropins);
	free(c->name);
	free(c->path);
	guest_config_init(c);
}

/* Return: 0 or -ENOMEM. */
int guest_list_add(struct guest_list *list, const char *text)
{
	char **grown;

	grown = realloc(list->text, (list->n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->text = grown;
	grown[list->n] = strdup(text);
	if (!grown[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

void guest_list_clear(struct guest_list *list)
{
	while (list->n)
		free(list->text[--list->n]);
	free(list->text);
	list->text = NULL;
}

/**
 * guest_key_find() - the row of a key
 * @section: without brackets, or NULL for any
 * @name: key
 *
 * Return: the row, or NULL.
 */
const struct guest_key *guest_key_find(const char *section, const char *name)
{
	unsigned int i;

	for (i = 0; i < guest_n_keys; i++)
		if ((!section || !strcmp(guest_keys[i].section, section)) &&
		    !strcmp(guest_keys[i].name, name))
			return &guest_keys[i];
	return NULL;
}

static int bad_value(const struct guest_key *key, const char *value, struct error *err)
{
	char words[128] = "";
	size_t len = 0;
	unsigned int i;

	for (i = 0; key->words && key->words[i]; i++)
		len += snprintf(words + len, sizeof(words) - len, "%s%s", key->words[i],
				!key->words[i + 1] ? "" : key->words[i + 2] ? ", " : " or ");
	return fail(err, EINVAL, "%s '%.100s': give %s", key->name, value,
		    key->words ? words : key->type->expect);
}

/**
 * guest_key_set() - give a key a value
 * @key: row
 * @c: definition, untouched on failure
 * @value: as written; "" takes back what was set before
 * @err: says what would be right
 *
 * Return: 0, -EINVAL, -E2BIG or -ENOMEM.
 */
int guest_key_set(const struct guest_key *key, struct guest_config *c, const char *value,
		  struct error *err)
{
	int r;

	if (!*value) {
		key->type->clear(field_of(key, c));
		return 0;
	}
	r = key->type->set(key, field_of(key, c), value);
	if (r == -EINVAL)
		return bad_value(key, value, err);
	if (r == -E2BIG)
		return fail(err, E2BIG, "%s: more than %u given", key->name,
			    key->type->max);
	return r < 0 ? fail(err, -r, "out of memory") : 0;
}

/**
 * guest_key_text() - a value as it would be written
 * @key: row
 * @c: definition
 * @i: 0, or which of several
 *
 * Return: text to be freed; NULL if it is not set or the default.
 */
char *guest_key_text(const struct guest_key *key, const struct guest_config *c,
		     unsigned int i)
{
	return key->type->text(key, field_of(key, c), i);
}

/* The word for value @value of @key, as "translate" for the key "exec". */
const char *guest_word(const char *key, unsigned int value)
{
	return guest_key_find(NULL, key)->words[value];
}

/**
 * guest_digest() - a number that changes with what a running guest depends on
 * @c: definition
 *
 * FNV-1a over the keys that are not for people or the next boot. It tells a definition
 * from what it was, not from what somebody made to look like it.
 */
u64 guest_digest(const struct guest_config *c)
{
	u64 hash = 0xcbf29ce484222325ull;
	unsigned int i, n;
	const char *p;
	char *text;

	for (i = 0; i < guest_n_keys; i++) {
		if (!guest_keys[i].running)
			continue;
		for (n = 0; (text = guest_key_text(&guest_keys[i], c, n)); n++) {
			for (p = guest_keys[i].name; *p; p++)
				hash = (hash ^ (u8)*p) * 0x100000001b3ull;
			for (p = text; *p; p++)
				hash = (hash ^ (u8)*p) * 0x100000001b3ull;
			hash = (hash ^ '\n') * 0x100000001b3ull;
			free(text);
		}
	}
	return hash;
}
