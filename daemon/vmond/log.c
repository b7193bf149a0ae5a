// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's log. Only the outermost layer (manager, VMs) writes to it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmond/log.h"

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
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, "vmond: %s\n", line);
}
