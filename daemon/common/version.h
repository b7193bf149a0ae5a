/* SPDX-License-Identifier: GPL-2.0 */
/* The version of daemon and CLI; they are built and installed together. */
#ifndef VMON_COMMON_VERSION_H
#define VMON_COMMON_VERSION_H

#ifndef VMON_VERSION
#define VMON_VERSION "0.1.0"
#endif

/* The daemon's objects on its bus. */
#define VMON_BUS_PATH		"/org/vmon/Manager1"
#define VMON_BUS_INTERFACE	"org.vmon.Manager1"
#define VMON_BUS_GUESTS		"/org/vmon/guest"
#define VMON_BUS_GUEST_INTERFACE "org.vmon.Guest1"
/* Each connection gets a passt: vmon-nat.socket. */
#define VMON_NAT_SOCKET		"/run/vmon-nat"
#define VMON_BUS_SOCKET		"/run/vmon/bus"

#endif /* VMON_COMMON_VERSION_H */
