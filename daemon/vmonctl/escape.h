/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check --escape: programs that try to break out, what they say, and what is made of it.
 *
 * escape.c is the command; escape_vm.c runs one machine; escape_tap.c reads what it says;
 * escape_show.c says it to people and scripts.
 */
#ifndef VMON_VMONCTL_ESCAPE_H
#define VMON_VMONCTL_ESCAPE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define ESCAPE_LINE	256	/* bytes of a line that are looked at */
#define ESCAPE_FAILURES	1000	/* of a program that are kept with their details */

/* An attempt that has failed. */
struct escape_failure {
	unsigned int number;	/* of the attempt; 0: what is wrong is the program's */
	char text[ESCAPE_LINE];
	char detail[2 * ESCAPE_LINE];
};

/**
 * struct escape_program - a program, and what its machines have said so far
 * @name: without directory and suffix
 * @path: its file
 * @next: number of the attempt that has to come next
 * @planned: the program's count of its attempts has come: it is at its end
 * @passed: attempts with the outcome that they must have
 * @failed: attempts with another, or with none
 * @known: failed attempts that are named (known gap)
 * @skipped: attempts that could not be made, as the program says
 * @machines: how many it took
 * @has_stats: the self-check's counters below were read after each of them
 * @exits: compared by the self-check
 * @attempts: compared by it from begin to end
 * @changed: differences that it found
 * @failures: details of the first ESCAPE_FAILURES, @n_failures of them
 * @note: what the program said first about the attempt that it makes
 */
struct escape_program {
	char *name, *path;
	unsigned int next;
	bool planned;
	unsigned int passed, failed, known, skipped, machines;
	bool has_stats;
	uint64_t exits, attempts, changed;
	struct escape_failure *failures;
	unsigned int n_failures;
	char note[ESCAPE_LINE];
};

/* How a machine ended. */
struct escape_end {
	char how[32];		/* as vmond names it, or "silent" */
	char report[512];
};

/* The connection, and what happens to it. */
struct escape_session {
	sd_bus *bus;
	sd_event *event;
	unsigned int silence;	/* seconds without a word after which a machine is stopped */
	FILE *log;		/* what the machine says, or NULL */
	bool interrupted;	/* by a signal */
	struct machine *machine;
};

enum escape_verdict {
	ESCAPE_PASSED,
	ESCAPE_FAILED,
	ESCAPE_UNPROTECTED,	/* nothing failed, but nothing protects this host */
	ESCAPE_INTERRUPTED,
};

/* All that is known in the end. */
struct escape_result {
	const char *directory, *daemon, *module;
	bool protected, broken;	/* broken: a program could not be run */
	struct escape_program *programs;
	unsigned int n_programs, n_run;	/* n_run: begun, the first ones */
	enum escape_verdict verdict;
};

/* escape_tap.c */
void escape_tap_line(struct escape_program *p, const char *line);
void escape_tap_end(struct escape_program *p, const struct escape_end *end);
void escape_tap_fail(struct escape_program *p, unsigned int number, const char *text,
		     const char *detail);

/* escape_vm.c */
int escape_session_open(struct escape_session *s);
void escape_session_close(struct escape_session *s);
int escape_machine(struct escape_session *s, struct escape_program *p, unsigned int from,
		   struct escape_end *end);

/* escape_show.c */
void escape_show_head(const struct escape_result *r);
void escape_show_program(const struct escape_program *p);
void escape_show_verdict(const struct escape_result *r);
void escape_show_json(const struct escape_result *r);
void escape_show_refused(const char *reason, const char *remedy);

/* What of the self-check speaks against a program, or NULL. */
const char *escape_unchecked(const struct escape_program *p);

#endif /* VMON_VMONCTL_ESCAPE_H */
