/* SPDX-License-Identifier: GPL-2.0 */
/* Files and block devices as disks of a guest, by io_uring: see disk.c. */
#ifndef VMON_VMOND_DISK_H
#define VMON_VMOND_DISK_H

#include <systemd/sd-event.h>

#include "common/error.h"
#include "device/disk.h"

struct disk_ring;

/**
 * struct disk_config - a disk that a client has passed
 * @fd:		open file; -1 once it is used
 * @path:	what to call it
 * @id:		serial number for the guest, or empty
 * @readonly:	the guest cannot write
 */
struct disk_config {
	int fd;
	char *path;
	char *id;
	bool readonly;
};

int disk_ring_new(sd_event *event, void (*idle)(void *arg), void *arg, struct disk_ring **ret,
		  struct error *err);
void disk_ring_free(struct disk_ring *ring);
void disk_ring_submit(struct disk_ring *ring);
unsigned int disk_ring_in_flight(const struct disk_ring *ring);

int disk_open(struct disk_ring *ring, const struct disk_config *config, struct disk **ret,
	      struct error *err);
void disk_close(struct disk *disk);

#endif /* VMON_VMOND_DISK_H */
