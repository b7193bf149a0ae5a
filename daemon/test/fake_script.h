/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a scripted guest of the fake engine says: lines out of its own boot image.
 */
#ifndef VMON_TEST_FAKE_SCRIPT_H
#define VMON_TEST_FAKE_SCRIPT_H

#include "common/types.h"

#define SCRIPT_AT	0x100020	/* behind the Multiboot header */

struct fake_script {
	const char *at;		/* NULL: this guest has no script */
	u64 exits, attempts, changed;
};

/* A command that is no output. */
enum script_verb {
	SCRIPT_TEXT,		/* a line for the console, with its newline */
	SCRIPT_EXIT,		/* ends with status @value */
	SCRIPT_HALT,
	SCRIPT_FAULT,
	SCRIPT_ERROR,		/* @text is the report */
	SCRIPT_HANG,		/* and the end of the section, too */
};

struct script_line {
	enum script_verb verb;
	const char *text;
	unsigned int len;
	u32 value;
};

/* Is @text, what is behind the header, a script? Begin with the section of "from=N". */
void fake_script_begin(struct fake_script *s, const char *text, const char *append);
struct script_line fake_script_next(struct fake_script *s);

#endif /* VMON_TEST_FAKE_SCRIPT_H */
