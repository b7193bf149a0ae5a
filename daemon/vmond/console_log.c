// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's console, into a file as well. The client opened it, to append, so it can be
 * rotated by copying and truncating. A full disk costs lines of the log, never the guest.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/messages.h"
#include "vmond/log.h"
#include "vmond/vm.h"

static size_t append(int fd, const u8 *data, size_t len)
{
	size_t left = len;

	while (left) {
		ssize_t n = write(fd, data, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		data += n;
		left -= n;
	}
	return len - left;
}

static void complain(struct vm *vm)
{
	log_guest(4, MESSAGE_CONSOLE_LOG_LOST, vm->config.name,
		  "VM '%s': cannot write its console log '%s': %s: output is lost there, 'vmonctl console --all %s' has the last of it",
		  vm->config.name, vm->config.log_name ? vm->config.log_name : "",
		  strerror(errno), vm->config.name);
}

/**
 * vm_log_output() - add what the guest has printed since the last time to its log
 * @vm: VM with a log, whose output is part of its state
 *
 * Position and size are noted afterwards: the next vmond finds out what it has to (find_log()).
 */
void vm_log_output(struct vm *vm)
{
	struct stat st;
	const u8 *data;
	size_t len, n;

	while ((len = console_output(vm->console, vm->log_at, &data))) {
		n = append(vm->config.log_fd, data, len);
		if (n < len && !vm->log_lost)
			complain(vm);
		else if (n == len && vm->log_lost)
			log_guest(5, MESSAGE_CONSOLE_LOG_LOST, vm->config.name,
				  "VM '%s': its console log '%s' can be written again; %llu bytes were lost",
				  vm->config.name, vm->config.log_name ? vm->config.log_name : "",
				  vm->log_lost);
		vm->log_lost = n < len ? vm->log_lost + len - n : 0;
		vm->log_at += len;
		if (!fstat(vm->config.log_fd, &st))
			vm->log_size = st.st_size;
	}
}
