// SPDX-License-Identifier: GPL-2.0
/*
 * One file of a definition: INI, by libinih.
 *
 * libinih reads by lines of 200 bytes, does not say to its handler where it is, and takes
 * the rest of a longer line for a line of its own. So it gets its lines from here: this reader
 * counts them, and refuses what does not fit. A line that begins with a blank goes on with the
 * key before it, which is right for command lines and nothing else.
 *
 * All problems of a file are found, not just the first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/config.h"

#define LINE_MAX_BYTES	197u	/* without newline: what libinih 55 takes */
#define KEYS_MAX	64u

struct parse {
	struct guest_config *config;
	struct guest_problems *problems;
	const char *path;
	const char *pos, *end;
	unsigned int line;
	bool continued;		/* the line begins with a blank */
	bool told;		/* of the line's problem */
	unsigned int seen[KEYS_MAX];	/* line that set a key, in this file */
};

/* Note a problem: one line. */
void guest_problem(struct guest_problems *p, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int r;

	if (p->n < GUEST_PROBLEMS_MAX) {
		va_start(ap, fmt);
		r = vasprintf(&text, fmt, ap);
		va_end(ap);
		p->text[p->n] = r < 0 ? NULL : text;
	}
	p->n++;
}

void guest_problems_clear(struct guest_problems *p)
{
	unsigned int i;

	for (i = 0; i < p->n && i < GUEST_PROBLEMS_MAX; i++)
		free(p->text[i]);
	memset(p, 0, sizeof(*p));
}

__attribute__((format(printf, 2, 3)))
static void complain(struct parse *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	guest_problem(p->problems, "%s:%u: %s", p->path, p->line, text);
	p->told = true;
}

/* fgets() for libinih: the next line that can be one. */
static char *next_line(char *str, int num, void *stream)
{
	struct parse *p = stream;
	const char *nl;
	size_t len;

	while (p->pos < p->end) {
		nl = memchr(p->pos, '\n', p->end - p->pos);
		len = (nl ? nl : p->end) - p->pos;
		p->line++;
		p->told = false;
		p->continued = *p->pos == ' ' || *p->pos == '\t';
		if (len > LINE_MAX_BYTES || len + 2 > (size_t)num) {
			complain(p, "the line has %zu bytes, at most %u are read: go on in the next one, which begins with a blank (append=), or give shorter names",
				 len, LINE_MAX_BYTES);
		} else if (memchr(p->pos, 0, len)) {
			complain(p, "the line has a zero byte: this is no text file");
		} else {
			memcpy(str, p->pos, len);
			str[len] = '\n';
			str[len + 1] = 0;
			p->pos = nl ? nl + 1 : p->end;
			return str;
		}
		p->pos = nl ? nl + 1 : p->end;
	}
	return NULL;
}

static bool known_section(const char *section)
{
	unsigned int i;

	for (i = 0; i < guest_n_keys; i++)
		if (!strcmp(guest_keys[i].section, section))
			return true;
	return false;
}

/* The sections there are, or the keys of one, as "a, b, c". */
static const char *choices(const char *section, char *buf, size_t size)
{
	const char *last = "";
	unsigned int i;
	size_t len = 0;

	*buf = 0;
	for (i = 0; i < guest_n_keys && len < size; i++) {
		const struct guest_key *k = &guest_keys[i];

		if (section ? strcmp(k->section, section) : !strcmp(k->section, last))
			continue;
		last = k->section;
		len += snprintf(buf + len, size - len, section ? "%s%s" : "%s[%s]",
				len ? ", " : "", section ? k->name : k->section);
	}
	return buf;
}

static void unknown(struct parse *p, const char *section, const char *name)
{
	const struct guest_key *elsewhere = guest_key_find(NULL, name);
	char buf[256];

	if (!*section && elsewhere)
		complain(p, "'%.60s' stands before any section: put it below [%s]", name,
			 elsewhere->section);
	else if (!known_section(section))
		complain(p, "section [%.60s] is unknown: there are %s", section,
			 choices(NULL, buf, sizeof(buf)));
	else if (elsewhere)
		complain(p, "key '%.60s' does not belong into [%s]: put it below [%s]", name,
			 section, elsewhere->section);
	else
		complain(p, "key '%.60s' is unknown: [%s] has %s", name, section,
			 choices(section, buf, sizeof(buf)));
}

/* Return: 1, always: libinih is to go on. */
static int on_value(void *arg, const char *section, const char *name, const char *value)
{
	const struct guest_key *key = guest_key_find(section, name);
	struct parse *p = arg;
	struct error err;
	unsigned int i;

	if (!key) {
		unknown(p, section, name);
		return 1;
	}
	i = key - guest_keys;
	if (p->continued && p->seen[i] && strcmp(key->name, "append") != 0) {
		complain(p, "the line begins with a blank, which goes on with '%s' of line %u: remove the blank",
			 key->name, p->seen[i]);
		return 1;
	}
	if (p->seen[i] && !key->type->repeated) {
		complain(p, "'%s' is given again, line %u has it already: remove one of them",
			 key->name, p->seen[i]);
		return 1;
	}
	p->seen[i] = p->line;
	if (guest_key_set(key, p->config, value ? value : "", &err) < 0)
		complain(p, "%s", err.text);
	return 1;
}

/* " ;" begins a comment; libinih sees to that in first lines, not in those that go on. */
static void cut_comment(char *line)
{
	char *s = line;

	while ((s = strchr(s + 1, ';'))) {
		if (s[-1] != ' ' && s[-1] != '\t')
			continue;
		s[0] = '\n';
		s[1] = 0;
		return;
	}
}

/* Lines that libinih can make nothing of; it tells the first alone, so look here. */
static char *checked_line(char *str, int num, void *stream)
{
	struct parse *p = stream;
	const char *s;
	char *line;

	while ((line = next_line(str, num, stream))) {
		s = line;
		if (p->line == 1 && !strncmp(s, "\xef\xbb\xbf", 3))
			s += 3;
		s += strspn(s, " \t\r\v\f\n");
		if (!*s || *s == ';' || *s == '#')
			return line;
		if (p->continued) {
			cut_comment(line);
			return line;
		}
		if (*s == '[' ? !!strchr(s, ']') : !!strpbrk(s, "=:"))
			return line;
		complain(p, "'%.*s' is neither '[section]' nor 'key=value' nor a comment",
			 (int)(strcspn(s, "\r\n") < 60 ? strcspn(s, "\r\n") : 60), s);
	}
	return NULL;
}

/**
 * guest_parse() - read one file of a definition
 * @c: gets what the file says; what was there before is replaced key by key
 * @path: name of the file, for messages
 * @data: its contents
 * @size: bytes
 * @problems: gets what is wrong
 */
void guest_parse(struct guest_config *c, const char *path, const char *data, size_t size,
		 struct guest_problems *problems)
{
	struct parse p = {
		.config = c,
		.problems = problems,
		.path = path,
		.pos = data,
		.end = data + size,
	};
	unsigned int before = problems->n;
	int r;

	r = ini_parse_stream(checked_line, &p, on_value, &p);
	if (r < 0)
		guest_problem(problems, "%s: out of memory", path);
	else if (r && problems->n == before)
		guest_problem(problems,
			      "%s:%d: the line is neither '[section]' nor 'key=value' nor a comment",
			      path, r);
}

/**
 * guest_complete() - what is to be done when all files are read: defaults, what is missing
 * @c: definition
 * @p: gets what is wrong
 */
void guest_complete(struct guest_config *c, struct guest_problems *p)
{
	if (!c->memory)
		c->memory = GUEST_MEMORY_DEFAULT;
	if (!c->kernel)
		guest_problem(p, "%s: [boot] kernel= is missing: give the path of a kernel",
			      c->path);
}
