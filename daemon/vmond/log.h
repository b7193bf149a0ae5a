/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon's log: standard error, with the priority prefixes that the journal
 * reads off when it is the journal that listens (see sd-daemon(3)).
 */
#ifndef VMON_VMOND_LOG_H
#define VMON_VMOND_LOG_H

void log_line(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)		log_line(3, __VA_ARGS__)
#define log_warning(...)	log_line(4, __VA_ARGS__)
#define log_info(...)		log_line(6, __VA_ARGS__)

#endif /* VMON_VMOND_LOG_H */
