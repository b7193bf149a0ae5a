// SPDX-License-Identifier: GPL-2.0
/*
 * Scripts for guests of the fake engine, in place of programs that try to break out.
 *
 * A script is text behind the image's header: "script", then sections. "@N" begins the one
 * for "from=N" in the command line. Its lines are output, but for those that begin with "!":
 *
 *	!compared EXITS ATTEMPTS	counters of the self-check
 *	!changed N
 *	!exit VALUE, !halt, !fault, !error REPORT, !hang
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/fake_script.h"

void fake_script_begin(struct fake_script *s, const char *text, const char *append)
{
	const char *from = strstr(append, "from="), *at = text;
	char mark[16];

	if (strncmp(at, "script\n", 7))
		return;
	snprintf(mark, sizeof(mark), "\n@%u\n", from ? atoi(from + 5) : 1);
	at = strstr(at, mark);
	s->at = at ? at + strlen(mark) : "";
}

struct script_line fake_script_next(struct fake_script *s)
{
	static const struct {
		const char *name;
		enum script_verb verb;
	} verbs[] = {
		{ "!exit", SCRIPT_EXIT }, { "!halt", SCRIPT_HALT }, { "!fault", SCRIPT_FAULT },
		{ "!error", SCRIPT_ERROR }, { "!hang", SCRIPT_HANG },
	};
	unsigned long long a, b;
	unsigned int i, len;
	const char *line;

	for (;;) {
		line = s->at;
		len = strcspn(line, "\n");
		if (!*line || *line == '@')
			return (struct script_line){ .verb = SCRIPT_HANG };
		s->at += len + (line[len] == '\n');
		if (*line != '!')
			return (struct script_line){ .text = line, .len = s->at - line };
		if (sscanf(line, "!compared %llu %llu", &a, &b) == 2) {
			s->exits += a;
			s->attempts += b;
		}
		if (sscanf(line, "!changed %llu", &a) == 1)
			s->changed += a;
		for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
			size_t n = strlen(verbs[i].name);

			if (strncmp(line, verbs[i].name, n))
				continue;
			return (struct script_line){ verbs[i].verb, line + n + (len > n),
						     len > n ? len - n - 1 : 0,
						     strtoul(line + n, NULL, 0) };
		}
	}
}
