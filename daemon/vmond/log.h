/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon's log: the journal, if it is the journal that listens, else standard error.
 */
#ifndef VMON_VMOND_LOG_H
#define VMON_VMOND_LOG_H

void log_line(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_guest(int priority, const char *id, const char *guest, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#define log_error(...)		log_line(3, __VA_ARGS__)
#define log_warning(...)	log_line(4, __VA_ARGS__)
#define log_info(...)		log_line(6, __VA_ARGS__)

#endif /* VMON_VMOND_LOG_H */
