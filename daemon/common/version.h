/* SPDX-License-Identifier: GPL-2.0 */
/* The version of daemon and CLI; they are built and installed together. */
#ifndef VMON_COMMON_VERSION_H
#define VMON_COMMON_VERSION_H

#ifndef VMON_VERSION
#define VMON_VERSION "0.1.0"
#endif

/* The daemon's object on its bus. */
#define VMON_BUS_PATH		"/org/vmon/Manager1"
#define VMON_BUS_INTERFACE	"org.vmon.Manager1"
#define VMON_BUS_SOCKET		"/run/vmon/bus"

/* Flags of its method Run. */
#define VMON_RUN_REBOOT		1
#define VMON_RUN_DEBUG_EXIT	2
#define VMON_RUN_SELFCHECK	4

#endif /* VMON_COMMON_VERSION_H */
