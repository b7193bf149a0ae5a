// SPDX-License-Identifier: GPL-2.0
/*
 * Files that a client passes as descriptors: read once, whole, into memory.
 *
 * The daemon opens nothing by name for a client, so it can run without access
 * to the places where kernels lie.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmond/vm.h"

#define FILE_MAX	(2ll << 30)

/**
 * file_read() - read a file
 * @fd: regular file, open for reading; stays the caller's
 * @name: what to call it
 * @args: for modules, or NULL
 * @ret: contents and copies of @name and @args, to be freed
 * @err: why not
 */
int file_read(int fd, const char *name, const char *args, struct boot_file *ret,
	      struct error *err)
{
	struct boot_file f = { 0 };
	size_t done = 0;
	struct stat st;
	ssize_t n;
	u8 *data;

	if (fstat(fd, &st) < 0)
		return fail(err, errno, "'%s': %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(err, EINVAL, "'%s' is not a regular file: give one", name);
	if (st.st_size > FILE_MAX)
		return fail(err, EFBIG, "'%s' is too large: %lld MiB, at most %lld can be loaded",
			    name, (long long)st.st_size >> 20, FILE_MAX >> 20);
	data = malloc(st.st_size ? st.st_size : 1);
	f.name = strdup(name);
	f.args = args ? strdup(args) : NULL;
	if (!data || !f.name || (args && !f.args)) {
		free(data);
		free((char *)f.name);
		free((char *)f.args);
		return fail(err, ENOMEM, "'%s': out of memory", name);
	}
	while (done < (size_t)st.st_size) {
		n = pread(fd, data + done, st.st_size - done, done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
	}
	f.data = data;
	f.size = done;
	*ret = f;
	return 0;
}

static void file_free(struct boot_file *f)
{
	free((void *)f->data);
	free((char *)f->name);
	free((char *)f->args);
	memset(f, 0, sizeof(*f));
}

static void drop(struct boot_file *f)
{
	free((void *)f->data);
	f->data = NULL;
	f->size = 0;
}

/* Frees the contents of the files; names stay. */
void vm_config_drop_images(struct vm_config *config)
{
	unsigned int i;

	drop(&config->kernel);
	drop(&config->initrd);
	for (i = 0; i < config->n_modules; i++)
		drop(&config->modules[i]);
}

/* A config that holds nothing. */
void vm_config_init(struct vm_config *config)
{
	memset(config, 0, sizeof(*config));
	config->log_fd = -1;
	config->engine_fd = -1;
}

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Closes the disks and links that were passed; names stay. */
void vm_config_drop_fds(struct vm_config *config)
{
	unsigned int i;

	for (i = 0; i < config->n_disks; i++)
		drop_fd(&config->disks[i].fd);
	for (i = 0; i < config->n_nets; i++)
		drop_fd(&config->nets[i].fd);
}

/* Frees all that a config holds, not the config. */
void vm_config_free(struct vm_config *config)
{
	unsigned int i;

	file_free(&config->kernel);
	file_free(&config->initrd);
	for (i = 0; i < config->n_modules; i++)
		file_free(&config->modules[i]);
	vm_config_drop_fds(config);
	for (i = 0; i < config->n_disks; i++) {
		free(config->disks[i].path);
		free(config->disks[i].id);
	}
	for (i = 0; i < config->n_nets; i++) {
		free(config->nets[i].what);
		free(config->nets[i].id);
	}
	free(config->name);
	free(config->append);
	free(config->description);
	free(config->definition);
	free(config->log_name);
	if (config->log_fd >= 0)
		close(config->log_fd);
	if (config->engine_fd >= 0)
		close(config->engine_fd);
	vm_config_init(config);
}
