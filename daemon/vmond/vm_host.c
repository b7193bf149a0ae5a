// SPDX-License-Identifier: GPL-2.0
/*
 * What the devices of a VM ask of its host: interrupts, the end, the time, guest memory.
 */
#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "vmond/log.h"
#include "vmond/vm.h"
#include "vmond/vm_io.h"

static void host_irq(struct device_host *host, unsigned int line, bool level)
{
	struct vm *vm = container_of(host, struct vm, host);

	vm->lines_used |= 1u << line;
	if (level)
		vm->lines |= 1u << line;
	else
		vm->lines &= ~(1u << line);
	if (vm->evm)
		engine_vm_irq(vm->evm, line, level);
}

static void host_end(struct device_host *host, enum device_end how, u32 value)
{
	static const enum vm_end end[] = {
		[DEVICE_END_RESET] = VM_END_RESET,
		[DEVICE_END_DEBUG_EXIT] = VM_END_DEBUG_EXIT,
		[DEVICE_END_POWER_OFF] = VM_END_POWER_OFF,
	};
	struct vm *vm = container_of(host, struct vm, host);

	vm_want_end(vm, end[how], value, NULL);
}

static u64 host_now(struct device_host *host)
{
	struct timespec ts;

	(void)host;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void *host_ram(struct device_host *host, u64 gpa, u64 size)
{
	struct vm *vm = container_of(host, struct vm, host);

	if (!size || gpa >= vm->config.memory || size > vm->config.memory - gpa ||
	    (gpa < BOOT_ROM && gpa + size > BOOT_HOLE))
		return NULL;
	return vm->ram + gpa;
}

static void host_written(struct device_host *host, u64 gpa, u64 size)
{
	struct vm *vm = container_of(host, struct vm, host);

	if (vm->evm)
		engine_vm_written(vm->evm, gpa, size);
}

static int host_publish(struct device_host *host)
{
	struct vm *vm = container_of(host, struct vm, host);

	return vm->evm ? engine_vm_flush(vm->evm) : -ENOTCONN;
}

static size_t host_random(struct device_host *host, void *buf, size_t size)
{
	ssize_t n = getrandom(buf, size, GRND_NONBLOCK);

	(void)host;
	return n > 0 ? n : 0;
}

static void host_complain(struct device_host *host, const char *text)
{
	struct vm *vm = container_of(host, struct vm, host);

	if (vm->complaints++ < VM_COMPLAINTS_MAX)
		log_warning("VM '%s': %s", vm->config.name, text);
}

const struct device_host vm_host = {
	.irq = host_irq,
	.end = host_end,
	.now = host_now,
	.ram = host_ram,
	.written = host_written,
	.publish = host_publish,
	.random = host_random,
	.complain = host_complain,
};
