// SPDX-License-Identifier: GPL-2.0
/*
 * Disks on the bus: how a client passes them, and how they are shown.
 *
 * A disk comes as a descriptor, opened with the client's rights; what it can be
 * used for is found out when the VM is made (disk.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "vmond/manager.h"

/* A disk that was passed; its descriptor is the message's. */
static int add_disk(struct vm_config *c, int fd, const char *path, const char *id, bool readonly,
		    struct error *err)
{
	struct disk_config *d = &c->disks[c->n_disks];
	char name[DISK_ID_MAX + 1];
	unsigned int i;

	if (c->n_disks == MACHINE_DISKS)
		return fail(err, E2BIG, "disk: more than %u given", MACHINE_DISKS);
	if (strlen(id) > DISK_ID_MAX)
		return fail(err, EINVAL, "disk '%s': id '%s' is longer than %u bytes", path, id,
			    DISK_ID_MAX);
	snprintf(name, sizeof(name), "disk%u", c->n_disks);
	d->readonly = readonly;
	d->path = strdup(path);
	d->id = strdup(*id ? id : name);
	d->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	c->n_disks++;
	if (!d->path || !d->id || d->fd < 0)
		return fail(err, errno, "disk '%s': %s", path, strerror(errno));
	for (i = 0; i + 1 < c->n_disks; i++)
		if (!strcmp(c->disks[i].id, d->id))
			return fail(err, EEXIST, "disk '%s': id '%s' is that of disk '%s', too",
				    path, d->id, c->disks[i].path);
	return 0;
}

/**
 * bus_read_disks() - the disks in a request to run a VM
 * @m: message, at an array of (descriptor, path, id, readonly)
 * @c: gets them, also on failure
 * @err: why not
 */
int bus_read_disks(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	const char *path, *id;
	int fd, readonly, r;

	r = sd_bus_message_enter_container(m, 'a', "(hssb)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(hssb)", &fd, &path, &id, &readonly)) > 0) {
		r = add_disk(c, fd, path, id, readonly, err);
		if (r < 0)
			return r;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? fail(err, -r, "malformed message") : 0;
}

/* The disks of a VM as they can be given to vmonctl, separated by blanks. */
void bus_disks_text(const struct vm_config *c, char *text, size_t size)
{
	size_t n = 0;
	unsigned int i;

	*text = 0;
	for (i = 0; i < c->n_disks && n < size; i++)
		n += snprintf(text + n, size - n, "%s%s%s,id=%s", i ? " " : "",
			      c->disks[i].path, c->disks[i].readonly ? ",readonly" : "",
			      c->disks[i].id);
}
