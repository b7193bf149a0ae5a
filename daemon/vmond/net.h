/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest's network card is plugged into: see net.c. */
#ifndef VMON_VMOND_NET_H
#define VMON_VMOND_NET_H

#include <systemd/sd-event.h>

#include "common/error.h"
#include "device/net.h"

struct net_link;

enum net_kind {
	NET_NAT,		/* a stream socket to passt */
	NET_TAP,		/* a tap device */
};

/**
 * struct net_config - a network card that a client has passed
 * @fd:		open socket or tap device; -1 once it is used
 * @kind:	which of them
 * @what:	as the user wrote it: "nat", "tap=tap0"
 * @id:		what to call it
 * @mac:	address; all zero: one is made
 */
struct net_config {
	int fd;
	enum net_kind kind;
	char *what;
	char *id;
	u8 mac[NET_MAC];
};

/**
 * struct net_owner - who a link works for
 * @guest:	name, for the log
 * @work:	frames have been moved: tell the guest
 * @arg:	for @work
 */
struct net_owner {
	const char *guest;
	void (*work)(void *arg);
	void *arg;
};

void net_default_mac(const char *guest, unsigned int card, u8 *mac);
int net_open(sd_event *event, const struct net_config *config, const struct net_owner *owner,
	     struct net **ret, struct error *err);
void net_close(struct net *net);

#endif /* VMON_VMOND_NET_H */
