/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An error with its sentence.
 *
 * Library code never logs and never prints: it fills a struct error and returns
 * the negative errno. The sentence names the thing refused and the remedy, on
 * one line, and is shown to the user as it is.
 */
#ifndef VMON_COMMON_ERROR_H
#define VMON_COMMON_ERROR_H

#include <stdarg.h>
#include <stdio.h>

struct error {
	int code;		/* positive errno, 0 for none */
	char text[512];
};

__attribute__((format(printf, 3, 4)))
static inline void error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
}

/**
 * fail() - fill in an error and give its negative errno
 * @err: error to fill in, or NULL
 * @code: positive errno
 *
 * The sentence follows as a format and its values, without a final full stop
 * or newline.
 */
#define fail(err, code, ...) (error_set(err, code, __VA_ARGS__), -(code))

#endif /* VMON_COMMON_ERROR_H */
