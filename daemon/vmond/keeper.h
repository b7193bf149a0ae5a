/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vmond and vmon-keeper say to each other, over a socket of packets that only root may
 * connect to.
 *
 *	-> KEEPER_PUT, with a descriptor: keep it
 *	-> KEEPER_DROP: keep it no longer
 *	-> KEEPER_LIST
 *	<- KEEPER_PUT ..., KEEPER_END: what is kept
 *
 * The form of these packets never changes: an upgrade of vmond finds the keeper of before.
 */
#ifndef VMON_VMOND_KEEPER_H
#define VMON_VMOND_KEEPER_H

#include "vmond/store.h"

enum keeper_verb {
	KEEPER_PUT = 1,
	KEEPER_DROP,
	KEEPER_LIST,
	KEEPER_END,
};

struct keeper_packet {
	u32 verb;
	char name[STORE_NAME];
};

int keeper_send(int socket, u32 verb, const char *name, int fd);
int keeper_receive(int socket, struct keeper_packet *packet, int *fd);

#endif /* VMON_VMOND_KEEPER_H */
