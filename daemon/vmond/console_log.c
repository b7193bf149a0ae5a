// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's console, into a file as well. The client opened it, to append, so it can be
 * rotated by copying and truncating. A full disk costs lines of the log, never the guest.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/messages.h"
#include "vmond/log.h"
#include "vmond/vm.h"

/**
 * vm_log_output() - add what the guest printed to its log
 * @vm: VM with a log
 * @data: what it printed
 * @len: bytes
 */
void vm_log_output(struct vm *vm, const u8 *data, size_t len)
{
	while (len) {
		ssize_t n = write(vm->config.log_fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		data += n;
		len -= n;
	}
	if (len && !vm->log_lost)
		log_guest(4, MESSAGE_CONSOLE_LOG_LOST, vm->config.name,
			  "VM '%s': cannot write its console log '%s': %s: output is lost there, 'vmonctl console --all %s' has the last of it",
			  vm->config.name, vm->config.log_name ? vm->config.log_name : "",
			  strerror(errno), vm->config.name);
	else if (!len && vm->log_lost)
		log_guest(5, MESSAGE_CONSOLE_LOG_LOST, vm->config.name,
			  "VM '%s': its console log '%s' can be written again; %llu bytes were lost",
			  vm->config.name, vm->config.log_name ? vm->config.log_name : "",
			  vm->log_lost);
	vm->log_lost = len ? vm->log_lost + len : 0;
}
