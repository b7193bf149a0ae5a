/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One network card of a guest as a user writes it:
 * KIND[,mac=ADDRESS][,id=NAME][,forward=PROTOCOL:[ADDRESS/]PORT[:PORT]]...[,host].
 *
 * The same for the command line and for files. KIND is nat, tap=DEVICE or none, which is no card;
 * forwards and "host" go with nat.
 */
#ifndef VMON_COMMON_NET_OPTION_H
#define VMON_COMMON_NET_OPTION_H

#include "common/error.h"
#include "common/types.h"

#define NET_OPTION_ID_MAX	20	/* bytes, without the NUL */
#define NET_OPTION_TAP_MAX	15
#define NET_OPTION_ADDRESS_MAX	45
#define NET_OPTION_MAX		8	/* cards of one guest */
#define NET_FORWARDS_MAX	16	/* of one card */

enum net_option_kind {
	NET_OPTION_NONE,
	NET_OPTION_NAT,
	NET_OPTION_TAP,
};

/**
 * struct net_forward - what comes in at a port of the host goes to one of the guest
 * @udp:	else TCP
 * @address:	of the host; empty: all
 * @host, @guest: ports
 */
struct net_forward {
	bool udp;
	char address[NET_OPTION_ADDRESS_MAX + 1];
	u16 host, guest;
};

/**
 * struct net_option - what was written
 * @kind:	what the card is plugged into
 * @tap:	name of the tap device
 * @id:		what messages and counters call it; empty: none was given
 * @mac:	address; all zero: none was given
 * @host:	the guest reaches what listens on the host's loopback at its gateway's address
 * @forwards:	ports
 * @n_forwards:	how many
 */
struct net_option {
	enum net_option_kind kind;
	char tap[NET_OPTION_TAP_MAX + 1];
	char id[NET_OPTION_ID_MAX + 1];
	u8 mac[6];
	bool host;
	struct net_forward forwards[NET_FORWARDS_MAX];
	unsigned int n_forwards;
};

int net_option_parse(const char *text, struct net_option *ret, struct error *err);

#endif /* VMON_COMMON_NET_OPTION_H */
