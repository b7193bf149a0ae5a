// SPDX-License-Identifier: GPL-2.0
/*
 * The file in memory that keeps a VM's state while there is no vmond.
 *
 * Records of how the VM is alternate between two places. A vmond that is killed in the middle
 * of one leaves the one before, which is what the module has been told of. A record that is
 * there and is damaged is another matter: nobody knows what it was, so nothing is taken.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmond/keep.h"

#define KIND_CONSTANT	1
#define KIND_SLOT	2
#define SEALS		(F_SEAL_SHRINK | F_SEAL_GROW)

static u8 *slot(const struct keep *k, u64 sequence)
{
	return k->map + KEEP_SLOTS + (sequence & 1) * KEEP_SLOT;
}

/**
 * keep_open() - go on with a file that keep_new() made in another process
 * @fd: file; taken over, and closed on failure
 * @ret: the VM's file
 * @err: why not
 */
int keep_open(int fd, struct keep **ret, struct error *err)
{
	struct keep *k = calloc(1, sizeof(*k));
	struct stat st;
	int seals, r;

	if (!k) {
		close(fd);
		return fail(err, ENOMEM, "out of memory");
	}
	k->fd = fd;
	/* Of another size, touching it could be fatal. */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 ||
	    st.st_size != (off_t)KEEP_SIZE) {
		r = fail(err, EBADMSG, "is no file that this vmond can have made");
		keep_free(k);
		return r;
	}
	k->map = mmap(NULL, KEEP_CONSOLE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (k->map == MAP_FAILED) {
		k->map = NULL;
		r = fail(err, errno, "cannot be mapped: %s", strerror(errno));
		keep_free(k);
		return r;
	}
	*ret = k;
	return 0;
}

/**
 * keep_new() - make the file of a VM
 * @name: of the VM
 * @ret: file
 * @err: why not
 */
int keep_new(const char *name, struct keep **ret, struct error *err)
{
	char text[128];
	int fd;

	snprintf(text, sizeof(text), "vmon-state:%s", name);
	fd = memfd_create(text, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, KEEP_SIZE) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		int r = fail(err, errno, "cannot make a file in memory: %s", strerror(errno));

		if (fd >= 0)
			close(fd);
		return r;
	}
	return keep_open(fd, ret, err);
}

void keep_free(struct keep *k)
{
	if (!k)
		return;
	if (k->map)
		munmap(k->map, KEEP_CONSOLE);
	close(k->fd);
	free(k);
}

void keep_begin_constant(struct keep *k, struct pack *p)
{
	pack_begin(p, k->map, KEEP_SLOTS);
}

/* Return: whether it fits. */
bool keep_end_constant(struct keep *k, struct pack *p)
{
	(void)k;
	return pack_end(p, KIND_CONSTANT, KEEP_VERSION, 0);
}

int keep_read_constant(struct keep *k, struct unpack *u, struct error *err)
{
	return unpack_begin(u, k->map, KEEP_SLOTS, KIND_CONSTANT, KEEP_VERSION, err);
}

/* Begin a record of how the VM is, in the place of the one before the last. */
void keep_begin(struct keep *k, struct pack *p)
{
	pack_begin(p, slot(k, k->sequence + 1), KEEP_SLOT);
}

/* From here on this is how the VM is. Return: whether it fits; if not, all is as it was. */
bool keep_end(struct keep *k, struct pack *p)
{
	if (!pack_end(p, KIND_SLOT, KEEP_VERSION, k->sequence + 1))
		return false;
	k->sequence++;
	return true;
}

/**
 * keep_read() - how the VM was
 * @k: file
 * @u: gets the newest record
 * @err: why there is none
 */
int keep_read(struct keep *k, struct unpack *u, struct error *err)
{
	struct unpack both[2];
	int r[2], i, n;

	for (i = 0; i < 2; i++) {
		r[i] = unpack_begin(&both[i], slot(k, i), KEEP_SLOT, KIND_SLOT, KEEP_VERSION, err);
		if (r[i] < 0 && r[i] != -ENODATA)
			return r[i];
	}
	if (r[0] < 0 && r[1] < 0)
		return r[0];
	n = r[0] < 0 || (r[1] >= 0 && both[1].sequence > both[0].sequence);
	*u = both[n];
	k->sequence = u->sequence;
	return 0;
}
