/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of a VM outlives vmond: a file in memory with what it is, how its devices are, and
 * its console.
 *
 *	0		what never changes: a record (common/pack.h)
 *	KEEP_SLOTS	how it is: two records in turn, so that one is always whole
 *	KEEP_CONSOLE	struct console_area
 */
#ifndef VMON_VMOND_KEEP_H
#define VMON_VMOND_KEEP_H

#include "common/error.h"
#include "common/pack.h"
#include "vmond/console.h"

#define KEEP_SLOTS	(1024u * 1024)
#define KEEP_SLOT	(64u * 1024)
#define KEEP_CONSOLE	(KEEP_SLOTS + 2 * KEEP_SLOT)
#define KEEP_SIZE	(KEEP_CONSOLE + sizeof(struct console_area))

/* Change with what vm_keep.c writes: another version's VMs are refused. */
#define KEEP_VERSION	1

/**
 * struct keep - the file of a VM
 * @fd: memory file, sealed against changes of its size
 * @map: what is before the console
 * @sequence: of the newest record of how it is
 */
struct keep {
	int fd;
	u8 *map;
	u64 sequence;
};

int keep_new(const char *name, struct keep **ret, struct error *err);
int keep_open(int fd, struct keep **ret, struct error *err);
void keep_free(struct keep *k);

void keep_begin_constant(struct keep *k, struct pack *p);
bool keep_end_constant(struct keep *k, struct pack *p);
int keep_read_constant(struct keep *k, struct unpack *u, struct error *err);
void keep_begin(struct keep *k, struct pack *p);
bool keep_end(struct keep *k, struct pack *p);
int keep_read(struct keep *k, struct unpack *u, struct error *err);

#endif /* VMON_VMOND_KEEP_H */
