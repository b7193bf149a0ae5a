/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a network card needs of whoever is at the other end of its cable.
 *
 * Nothing blocks. Frames for the guest are looked at before they are taken, so one for which the
 * guest has no buffer stays where it is, and who sends it is held up. Frames of the guest's are
 * sent only while there is room. Either way event() tells when to try again.
 */
#ifndef VMON_DEVICE_NET_H
#define VMON_DEVICE_NET_H

#include "common/types.h"

#define NET_MAC		6
#define NET_FRAME_MIN	14	/* an Ethernet header */
#define NET_FRAME_MAX	65535

/**
 * struct net_stats - what has passed, as the guest sees it
 * @rx_packets, @rx_bytes: to the guest
 * @rx_dropped:	that the guest had no proper buffer for, or that were none
 * @tx_packets, @tx_bytes: from the guest
 * @tx_dropped:	that were no frames, or could not be sent
 */
struct net_stats {
	u64 rx_packets, rx_bytes, rx_dropped;
	u64 tx_packets, tx_bytes, tx_dropped;
};

/**
 * struct net - the cable of a network card
 * @mac:	the card's address
 * @up:		there is somebody at the other end
 * @stats:	kept by both sides
 * @peek:	the next frame for the guest and its size, NET_FRAME_MIN to NET_FRAME_MAX; or NULL:
 *		none yet, event() follows. Valid until take().
 * @take:	that frame is done with
 * @ready:	is there room for a frame of the guest's? If not, event() follows.
 * @send:	send a frame, after ready() has said yes
 * @flush:	all that was sent for now: let it go
 * @event:	set by the card: there may be frames, or room, or @up has changed
 * @card:	for @event
 */
struct net {
	u8 mac[NET_MAC];
	bool up;
	struct net_stats stats;
	const u8 *(*peek)(struct net *net, size_t *size);
	void (*take)(struct net *net);
	bool (*ready)(struct net *net);
	void (*send)(struct net *net, const u8 *frame, size_t size);
	void (*flush)(struct net *net);
	void (*event)(struct net *net);
	void *card;
};

#endif /* VMON_DEVICE_NET_H */
