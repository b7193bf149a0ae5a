// SPDX-License-Identifier: GPL-2.0
/*
 * Files that a client passes as descriptors: read once, whole, into memory.
 *
 * The daemon opens nothing by name for a client, so it can run without access
 * to the places where kernels lie.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static unsigned int n_images(const struct vm_config *config)
{
	return 2 + config->n_modules;
}

/* Image @n of a config: kernel, initrd, modules. */
static struct boot_file *image(struct vm_config *config, unsigned int n)
{
	if (n < 2)
		return n ? &config->initrd : &config->kernel;
	return &config->modules[n - 2];
}

/* The images lie in one file, one after the other. */
static void unmap_images(struct vm_config *config)
{
	unsigned int n;

	for (n = 0; n < n_images(config); n++)
		image(config, n)->data = NULL;
	munmap(config->images, config->images_size);
	close(config->images_fd);
	config->images = NULL;
	config->images_fd = -1;
}

/**
 * vm_config_map_images() - have the images in a file of vm_config_keep_images()
 * @config: with the sizes of its images
 * @fd: file; taken over, and closed on failure
 * @err: why not
 */
int vm_config_map_images(struct vm_config *config, int fd, struct error *err)
{
	struct stat st;
	size_t size = 0;
	unsigned int n;
	u8 *map;

	for (n = 0; n < n_images(config); n++)
		size += image(config, n)->size;
	if (fstat(fd, &st) < 0 || st.st_size != (off_t)size ||
	    !(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK)) {
		close(fd);
		return fail(err, EBADMSG, "the file with its images is another");
	}
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		close(fd);
		return fail(err, errno, "its images cannot be mapped: %s", strerror(errno));
	}
	config->images = map;
	config->images_size = size;
	config->images_fd = fd;
	for (n = 0; n < n_images(config); n++) {
		struct boot_file *f = image(config, n);

		f->data = f->size ? map : NULL;
		map += f->size;
	}
	return 0;
}

/**
 * vm_config_keep_images() - move the images into a file in memory, which can outlive vmond
 * @config: with images that file_read() read
 * @err: why not
 */
int vm_config_keep_images(struct vm_config *config, struct error *err)
{
	unsigned int n;
	int fd;

	fd = memfd_create("vmon-images", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return fail(err, errno, "cannot make a file in memory: %s", strerror(errno));
	for (n = 0; n < n_images(config); n++) {
		const struct boot_file *f = image(config, n);
		size_t done = 0;

		while (done < f->size) {
			ssize_t r = write(fd, (const u8 *)f->data + done, f->size - done);

			if (r < 0 && errno == EINTR)
				continue;
			if (r <= 0) {
				int err_no = errno;

				close(fd);
				return fail(err, err_no, "cannot keep '%s' in memory: %s", f->name,
					    strerror(err_no));
			}
			done += r;
		}
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
		close(fd);
		return fail(err, errno, "cannot seal a file in memory: %s", strerror(errno));
	}
	for (n = 0; n < n_images(config); n++) {
		free((void *)image(config, n)->data);
		image(config, n)->data = NULL;
	}
	return vm_config_map_images(config, fd, err);
}

/* Frees the contents of the files; names stay. */
void vm_config_drop_images(struct vm_config *config)
{
	unsigned int i;

	if (config->images)
		unmap_images(config);
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
	config->images_fd = -1;
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

	if (config->images)
		unmap_images(config);
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
