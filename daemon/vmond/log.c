// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's log. Only the outermost layer (manager, VMs) writes to it.
 *
 * What is about a guest goes to the journal with fields, so that "journalctl
 * VMON_GUEST=web" finds it; without a journal it is a line like any other.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-journal.h>

#include "vmond/log.h"

static void write_line(int priority, const char *line)
{
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, "vmond: %s\n", line);
}

/**
 * log_line() - write one line
 * @priority: as in syslog(3)
 * @fmt: the line, without newline
 */
void log_line(int priority, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	write_line(priority, line);
}

/**
 * log_guest() - write one line about a guest
 * @priority: as in syslog(3)
 * @id: one of common/messages.h
 * @guest: name
 * @fmt: the line, without newline
 */
void log_guest(int priority, const char *id, const char *guest, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (!getenv("JOURNAL_STREAM") ||
	    sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", priority, "MESSAGE_ID=%s", id,
			    "VMON_GUEST=%s", guest, NULL) < 0)
		write_line(priority, line);
}
