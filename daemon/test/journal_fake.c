// SPDX-License-Identifier: GPL-2.0
/*
 * A journal for tests: what would go to the real one is added to the file that the environment's
 * VMON_TEST_JOURNAL names, a field a line and an empty line after each message.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-journal.h>

/* One field; of formats, those that vmond uses. */
static void put_field(FILE *f, const char *format, va_list *ap)
{
	for (; *format; format++) {
		if (*format != '%') {
			fputc(*format, f);
			continue;
		}
		format++;
		if (*format == 's')
			fputs(va_arg(*ap, const char *), f);
		else
			fprintf(f, "%d", va_arg(*ap, int));
	}
	fputc('\n', f);
}

int sd_journal_send(const char *format, ...)
{
	const char *path = getenv("VMON_TEST_JOURNAL");
	FILE *f = path ? fopen(path, "a") : NULL;
	va_list ap;

	if (!f)
		return -ENOENT;
	va_start(ap, format);
	for (; format; format = va_arg(ap, const char *))
		put_field(f, format, &ap);
	va_end(ap);
	fputc('\n', f);
	return fclose(f) ? -EIO : 0;
}
