// SPDX-License-Identifier: GPL-2.0
/*
 * What a program that tries to break out says: TAP, one line for each attempt.
 *
 *	# 7: eip 1000, not 2000
 *	not ok 7 ring 0 load beyond the limit -> done [1234]
 *	1..7
 *
 * Every attempt has to be accounted for: numbers rise by one, the plan comes last. What is
 * missing has failed, like what a machine had begun when it ended. A guest wrote the lines:
 * nothing but printable ASCII gets out of here.
 */
#include <stdlib.h>
#include <string.h>

#include "vmonctl/escape.h"

static void copy_printable(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i < size - 1 && from[i]; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = 0;
}

/**
 * escape_tap_fail() - count and keep a failure
 * @p: program
 * @number: of the attempt, 0 for what is wrong with the program
 * @text: what was tried, or what is wrong
 * @detail: more about it, or ""
 */
void escape_tap_fail(struct escape_program *p, unsigned int number, const char *text,
		     const char *detail)
{
	struct escape_failure *f;

	p->failed++;
	if (p->n_failures == ESCAPE_FAILURES)
		return;
	f = realloc(p->failures, (p->n_failures + 1) * sizeof(*f));
	if (!f)
		return;
	p->failures = f;
	f += p->n_failures++;
	f->number = number;
	copy_printable(f->text, sizeof(f->text), text);
	copy_printable(f->detail, sizeof(f->detail), detail);
}

/* Attempts up to @number, which has come, were not heard of. */
static void fail_missing(struct escape_program *p, unsigned int number)
{
	/* A number may be nonsense: not one failure for each of four thousand millions. */
	if (number - p->next > 2 * ESCAPE_FAILURES) {
		escape_tap_fail(p, p->next, "no line of this attempt, nor of many more", "");
		return;
	}
	for (; p->next < number; p->next++)
		escape_tap_fail(p, p->next, "no line of this attempt", "");
}

static void on_attempt(struct escape_program *p, bool ok, unsigned int number,
		       const char *text)
{
	if (number < p->next) {
		escape_tap_fail(p, number, "a second line of this attempt", text);
		return;
	}
	fail_missing(p, number);
	p->next = number + 1;
	if (ok && strstr(text, "# SKIP"))
		p->skipped++;
	else if (ok)
		p->passed++;
	else if (strstr(text, "(known gap)"))
		p->known++;
	else
		escape_tap_fail(p, number, text, p->note);
	p->note[0] = 0;
}

/**
 * escape_tap_line() - take one line of a program's output
 * @p: program
 * @line: without its end
 */
void escape_tap_line(struct escape_program *p, const char *line)
{
	unsigned int number;
	int at = 0;

	if (p->planned)
		return;
	if (sscanf(line, "ok %u %n", &number, &at) == 1 && at && number) {
		on_attempt(p, true, number, line + at);
	} else if (sscanf(line, "not ok %u %n", &number, &at) == 1 && at && number) {
		on_attempt(p, false, number, line + at);
	} else if (sscanf(line, "1..%u%n", &number, &at) == 1 && at && !line[at]) {
		fail_missing(p, number + 1);
		if (p->next > number + 1)
			escape_tap_fail(p, 0, "more attempts than the program planned", line);
		if (!number)
			escape_tap_fail(p, 0, "a program without attempts", line);
		p->planned = true;
	} else if (!*p->note && strcmp(line, "TAP version 13")) {
		/* Of many the first: the others follow from it. */
		if (sscanf(line, "# %u: %n", &number, &at) != 1)
			at = 0;
		copy_printable(p->note, sizeof(p->note), line + at);
	}
}

/**
 * escape_tap_end() - the program's machine has ended
 * @p: program
 * @end: how
 *
 * Before the plan, the attempt that was being made has failed. After it, a program gives a
 * status; anything else is a failure of its own.
 */
void escape_tap_end(struct escape_program *p, const struct escape_end *end)
{
	char text[ESCAPE_LINE], detail[4 * ESCAPE_LINE];

	if (p->planned && !strcmp(end->how, "debug-exit"))
		return;
	snprintf(text, sizeof(text), "the machine ended: %s", end->how);
	snprintf(detail, sizeof(detail), "%s%s%s", end->report,
		 *end->report && *p->note ? "; it had said: " : "", p->note);
	escape_tap_fail(p, p->planned ? 0 : p->next++, text, detail);
	p->note[0] = 0;
}
