// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's accesses: from the module to the devices and back.
 *
 * A wakeup takes all accesses that wait, up to a budget that keeps one guest from
 * starving the others. A read's answer leaves at once, together with all that
 * was gathered before it; writes are acknowledged every half window and when
 * the queue has run dry, which is also when devices get their flush.
 *
 * A device may be busy with something that ends by itself (a reset that waits for
 * buffers in use). Then this VM's further accesses wait, and nothing else does.
 */
#include <string.h>

#include "vmond/log.h"
#include "vmond/vm_io.h"

#define BUDGET		2048	/* accesses a wakeup */

/* Typed input into the serial port, as far as it has room. */
static void feed(struct vm *vm)
{
	const u8 *data;
	size_t n = console_input(vm->console, &data);

	if (n)
		console_consume(vm->console, uart16550_input(&vm->machine.uart, data, n));
}

/* What the guest has printed, to all who want it. It is part of the VM's state. */
void vm_show_output(struct vm *vm)
{
	if (vm->config.log_fd >= 0)
		vm_log_output(vm);
	console_flush(vm->console);
}

/*
 * Acknowledge all writes so far. First the devices settle, then that is how the VM is, and
 * only then the module may forget the accesses: see vm_keep.c.
 */
static void acknowledge(struct vm *vm)
{
	machine_flush(&vm->machine);
	vm_commit(vm);
	if (vm->unacked)
		engine_vm_done(vm->evm, vm->last_seq);
	vm->unacked = 0;
}

/* The queue has run dry. */
static void settle(struct vm *vm)
{
	struct error err;

	machine_flush(&vm->machine);
	if (vm->ring)
		disk_ring_submit(vm->ring);
	feed(vm);
	acknowledge(vm);
	(void)engine_vm_flush(vm->evm);
	vm_show_output(vm);
	if (engine_vm_complaint(vm->evm, &err) && !vm->wanted_end &&
	    vm->complaints++ < VM_COMPLAINTS_MAX)
		log_warning("VM '%s': %s", vm->config.name, err.text);
}

static void do_access(struct vm *vm, const struct engine_io *io)
{
	struct device *dev = NULL;
	u32 value = 0xffffffff;

	/* Done by the vmond before, which did not live to acknowledge it: that has been done. */
	if ((s32)(io->seq - vm->last_seq) <= 0)
		return;
	if (io->range < vm->machine.n_ranges)
		dev = vm->machine.ranges[io->range].dev;
	vm->last_seq = io->seq;
	vm->last_read = !io->write;
	vm->accesses++;

	if (io->write) {
		if (dev)
			device_write(dev, io->addr, io->size, io->data);
		if (++vm->unacked >= VMON_IO_WINDOW / 2)
			acknowledge(vm);
		return;
	}
	if (dev)
		value = device_read(dev, io->addr, io->size);
	vm->last_value = value;
	/* The answer acknowledges all before it. */
	machine_flush(&vm->machine);
	vm_commit(vm);
	engine_vm_done_read(vm->evm, io->seq, value);
	vm->unacked = 0;
	(void)engine_vm_flush(vm->evm);
}

/* The next access, if there is one and devices are ready for it. */
static const struct engine_io *next_access(struct vm *vm)
{
	int n;

	/* After a request to end, the rest is not of this life. */
	if (vm->wanted_end || (vm->ring && machine_busy(&vm->machine)))
		return NULL;
	if (vm->io_at == vm->io_n) {
		n = engine_vm_receive(vm->evm, vm->io, VM_BATCH);
		vm->io_at = 0;
		vm->io_n = n > 0 ? n : 0;
	}
	return vm->io_at < vm->io_n ? &vm->io[vm->io_at++] : NULL;
}

/* Return: whether a device with a timer was touched. */
static bool run_accesses(struct vm *vm)
{
	const struct engine_io *io;
	unsigned int total = 0;
	bool timed = false;

	/* What has been taken is done: there is no event for it. */
	while ((total < BUDGET || vm->io_at < vm->io_n) && (io = next_access(vm))) {
		total++;
		do_access(vm, io);
		if (io->range < vm->machine.n_ranges &&
		    vm->machine.ranges[io->range].dev->ops->deadline)
			timed = true;
	}
	return timed;
}

/* While accesses have to wait there is nothing to wake up for. */
static void watch(struct vm *vm)
{
	bool busy = vm->ring && machine_busy(&vm->machine);

	(void)sd_event_source_set_enabled(vm->io_source, busy ? SD_EVENT_OFF : SD_EVENT_ON);
}

/* Handle all that waits, without touching the timer. */
void vm_drain(struct vm *vm)
{
	(void)run_accesses(vm);
	settle(vm);
}

int vm_on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct vm *vm = arg;
	bool timed;

	(void)s;
	(void)fd;
	(void)revents;
	vm->wakeups++;
	timed = run_accesses(vm);
	settle(vm);
	if (timed)
		vm_rearm(vm);
	if (vm->ring)
		watch(vm);
	return 0;
}

/* Requests to disks have been done, or frames have come. */
void vm_on_devices(void *arg)
{
	struct vm *vm = arg;

	if (!vm->evm)
		return;
	vm_drain(vm);
	vm_rearm(vm);
	watch(vm);
	/* Its end had to wait for disks. */
	if (vm->ring && vm->wanted_end && !disk_ring_in_flight(vm->ring))
		(void)sd_event_source_set_enabled(vm->end_source, SD_EVENT_ONESHOT);
}

/* Set the timer to the devices' next deadline. */
void vm_rearm(struct vm *vm)
{
	u64 due = machine_deadline(&vm->machine);

	if (due)
		(void)sd_event_source_set_time(vm->timer, due / 1000 + 1);
	(void)sd_event_source_set_enabled(vm->timer,
					  due ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

int vm_on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct vm *vm = arg;

	(void)s;
	(void)usec;
	machine_tick(&vm->machine);
	machine_flush(&vm->machine);
	vm_commit(vm);
	(void)engine_vm_flush(vm->evm);
	vm_rearm(vm);
	return 0;
}

/* Input has come; an ended VM's console takes none. */
void vm_on_console(void *arg)
{
	struct vm *vm = arg;

	if (vm->end || !vm->evm)
		return;
	feed(vm);
	vm_commit(vm);
	(void)engine_vm_flush(vm->evm);
}
