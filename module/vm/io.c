// SPDX-License-Identifier: GPL-2.0
/*
 * I/O routing and the window of accesses in flight.
 *
 * Three counters run over the sequence numbers: done <= sent <= seq. What lies
 * between done and seq is in the window. A new owner means sent = done, and the
 * rest follows. An access is numbered when the guest makes it and sent when the
 * owner's socket takes it, so a write is over for the guest before it is sent.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include "compat.h"
#include "netlink/netlink.h"
#include "vm/vm.h"

enum route {
	ROUTE_NONE,
	ROUTE_MODULE,
	ROUTE_OWNER,
	ROUTE_SPLIT,	/* crosses a border: byte by byte */
};

void vmon_io_init(struct vmon_io *io)
{
	spin_lock_init(&io->lock);
}

/* Sequence numbers wrap. */
static s32 ahead(u32 a, u32 b)
{
	return (s32)(a - b);
}

/* The lowest range that overlaps [addr, addr + len). Caller holds io->lock. */
static const struct vmon_range *overlapping(const struct vmon_io *io, u32 space,
					    u64 addr, u64 len)
{
	unsigned int low = 0, high = io->nr;

	/* The first that ends after addr: they are sorted and disjoint. */
	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct vmon_range *r = &io->range[mid];

		if (r->space < space ||
		    (r->space == space && r->addr + r->size <= addr))
			low = mid + 1;
		else
			high = mid;
	}
	if (low < io->nr && io->range[low].space == space &&
	    io->range[low].addr < addr + len)
		return &io->range[low];
	return NULL;
}

static enum route route(struct vmon_vm *vm, enum vmon_space space, u64 addr,
			unsigned int len)
{
	const struct vmon_range *r;
	enum route to = ROUTE_NONE;
	unsigned int i;

	for (i = 0; i < len && space == VMON_SPACE_PORT; i++) {
		if (vmon_irq_owns_port(addr + i))
			return len == 1 ? ROUTE_MODULE : ROUTE_SPLIT;
	}
	spin_lock(&vm->io.lock);
	r = overlapping(&vm->io, space, addr, len);
	if (r)
		to = addr >= r->addr && addr + len <= r->addr + r->size ?
		     ROUTE_OWNER : ROUTE_SPLIT;
	spin_unlock(&vm->io.lock);
	return to;
}

/* Send one, however long the socket is full. Return: 0 or -EINTR. */
static int send(struct vmon_vcpu *vcpu, const struct vmon_io_req *req, u32 range)
{
	for (;;) {
		int err;

		if (vmon_vcpu_requested(vcpu))
			return -EINTR;
		err = vmon_netlink_io(vcpu->vm, req, range);
		switch (err) {
		case 0:
			return 0;
		case -EAGAIN:
		case -ENOBUFS:
		case -ENOMEM:
			vmon_count(vcpu, IO_WAIT_SOCKET);
			usleep_range(100, 300);
			break;
		default:
			vmon_vm_unreachable(vcpu->vm);
			return -EINTR;
		}
	}
}

/* Look up the next unsent access and its range. Return: whether there is one. */
static bool next_unsent(struct vmon_io *io, struct vmon_io_req *req, u32 *range,
			u32 *claims)
{
	const struct vmon_range *r;
	bool found = false;

	spin_lock(&io->lock);
	*claims = io->claims;
	while (!found && io->sent != io->seq) {
		*req = io->window[(io->sent + 1) % VMON_IO_WINDOW];
		r = overlapping(io, req->space, req->addr, req->len);
		if (r) {
			*range = r->id;
			found = true;
			continue;
		}
		/* Its range has gone meanwhile: as if there had been none. */
		io->sent++;
		if (!req->write && io->read.seq == req->seq &&
		    io->read_state == VMON_IO_READ_WAITING) {
			io->read_data = ~0u;
			io->read_state = VMON_IO_READ_ANSWERED;
		}
	}
	spin_unlock(&io->lock);
	return found;
}

/* It has been sent. Not if it was answered already, or a claim put it back. */
static void note_sent(struct vmon_io *io, u32 seq, u32 claims)
{
	spin_lock(&io->lock);
	if (io->claims == claims && io->sent + 1 == seq)
		io->sent = seq;
	spin_unlock(&io->lock);
}

int vmon_io_flush(struct vmon_vcpu *vcpu)
{
	struct vmon_io *io = &vcpu->vm->io;
	struct vmon_io_req req;
	u32 range, claims;
	int err;

	while (READ_ONCE(io->sent) != READ_ONCE(io->seq)) {
		if (!next_unsent(io, &req, &range, &claims))
			break;
		err = send(vcpu, &req, range);
		if (err)
			return err;
		note_sent(io, req.seq, claims);
	}
	return 0;
}

void vmon_io_resend(struct vmon_vm *vm)
{
	struct vmon_io *io = &vm->io;
	struct vmon_io_req req;
	u32 range, claims;

	while (next_unsent(io, &req, &range, &claims) && !vmon_netlink_io(vm, &req, range))
		note_sent(io, req.seq, claims);
}

static bool window_full(const struct vmon_io *io)
{
	return READ_ONCE(io->seq) - READ_ONCE(io->done) >= VMON_IO_WINDOW;
}

/* Number an access and put it into the window. Return: 0 or -EINTR. */
static int enqueue(struct vmon_vcpu *vcpu, struct vmon_io_req *req)
{
	struct vmon_io *io = &vcpu->vm->io;
	int err;

	if (window_full(io)) {
		vmon_count(vcpu, IO_WAIT_WINDOW);
		err = vmon_io_flush(vcpu);
		if (err)
			return err;
		swait_event_idle_exclusive(vcpu->wq,
					   !window_full(io) || vmon_vcpu_requested(vcpu));
		if (window_full(io))
			return -EINTR;
	}
	spin_lock(&io->lock);
	req->seq = ++io->seq;
	io->window[req->seq % VMON_IO_WINDOW] = *req;
	if (!req->write) {
		io->read = *req;
		io->read_state = VMON_IO_READ_WAITING;
	}
	spin_unlock(&io->lock);
	return 0;
}

static bool same_access(const struct vmon_io_req *a, const struct vmon_io_req *b)
{
	return a->space == b->space && a->addr == b->addr && a->len == b->len;
}

static bool answered(const struct vmon_io *io)
{
	/* Pairs with vmon_io_done(): the data is there before it is said to be. */
	return smp_load_acquire(&io->read_state) == VMON_IO_READ_ANSWERED;
}

/* A read by the owner: begun now, or before an interruption. */
static int owner_read(struct vmon_vcpu *vcpu, struct vmon_io_req *req, u32 *val)
{
	struct vmon_io *io = &vcpu->vm->io;
	int err;

	if (io->read_state == VMON_IO_READ_NONE || !same_access(&io->read, req)) {
		WRITE_ONCE(io->read_state, VMON_IO_READ_NONE);
		err = enqueue(vcpu, req);
		if (err)
			return err;
	}
	err = vmon_io_flush(vcpu);
	if (err)
		return err;
	swait_event_idle_exclusive(vcpu->wq, answered(io) || vmon_vcpu_requested(vcpu));
	if (READ_ONCE(io->read_state) != VMON_IO_READ_ANSWERED)
		return -EINTR;
	*val = io->read_data;
	WRITE_ONCE(io->read_state, VMON_IO_READ_NONE);
	return 0;
}

static u32 mask(u32 val, unsigned int len)
{
	return len < 4 ? val & ((1u << len * 8) - 1) : val;
}

static void count_access(struct vmon_vcpu *vcpu, enum vmon_space space,
			 enum route to)
{
	if (space == VMON_SPACE_PORT && to == ROUTE_MODULE)
		vmon_count(vcpu, IO_PORT_MODULE);
	else if (space == VMON_SPACE_PORT && to == ROUTE_OWNER)
		vmon_count(vcpu, IO_PORT_DAEMON);
	else if (space == VMON_SPACE_PORT)
		vmon_count(vcpu, IO_PORT_UNCLAIMED);
	else if (to == ROUTE_OWNER)
		vmon_count(vcpu, IO_MMIO);
	else
		vmon_count(vcpu, IO_MMIO_UNCLAIMED);
}

int vmon_io_read(struct vmon_vcpu *vcpu, enum vmon_space space, u64 addr,
		 unsigned int len, u32 *val)
{
	struct vmon_io_req req = { .space = space, .addr = addr, .len = len };
	enum route to = route(vcpu->vm, space, addr, len);
	u32 data = ~0u, byte;
	unsigned int i;
	int err;

	if (to == ROUTE_SPLIT) {
		for (i = 0, data = 0; i < len; i++) {
			err = vmon_io_read(vcpu, space, addr + i, 1, &byte);
			if (err)
				return err;
			data |= byte << 8 * i;
		}
		*val = data;
		return 0;
	}
	if (to == ROUTE_MODULE) {
		data = vmon_irq_port_read(vcpu->vm, addr);
	} else if (to == ROUTE_OWNER) {
		err = owner_read(vcpu, &req, &data);
		if (err)
			return err;
	}
	*val = mask(data, len);
	count_access(vcpu, space, to);
	vmon_trace(vcpu, space == VMON_SPACE_PORT ? VMON_TRACE_IN :
		   VMON_TRACE_MMIO_READ, addr, *val);
	return 0;
}

int vmon_io_write(struct vmon_vcpu *vcpu, enum vmon_space space, u64 addr,
		  unsigned int len, u32 val)
{
	struct vmon_io_req req = {
		.space = space, .addr = addr, .len = len,
		.data = mask(val, len), .write = true,
	};
	enum route to = route(vcpu->vm, space, addr, len);
	unsigned int i;
	int err;

	if (to == ROUTE_SPLIT) {
		for (i = 0; i < len; i++) {
			err = vmon_io_write(vcpu, space, addr + i, 1,
					    val >> 8 * i & 0xff);
			if (err)
				return err;
		}
		return 0;
	}
	if (to == ROUTE_MODULE) {
		vmon_irq_port_write(vcpu->vm, addr, val);
	} else if (to == ROUTE_OWNER) {
		err = enqueue(vcpu, &req);
		if (err)
			return err;
		/* It is in the window: sent now, or when the thread goes on. */
		vmon_io_flush(vcpu);
	}
	count_access(vcpu, space, to);
	vmon_trace(vcpu, space == VMON_SPACE_PORT ? VMON_TRACE_OUT :
		   VMON_TRACE_MMIO_WRITE, addr, req.data);
	return 0;
}

void vmon_io_reset(struct vmon_vm *vm)
{
	struct vmon_io *io = &vm->io;

	spin_lock(&io->lock);
	io->done = io->seq;
	io->sent = io->seq;
	io->read_state = VMON_IO_READ_NONE;
	spin_unlock(&io->lock);
}

void vmon_io_new_owner(struct vmon_vm *vm)
{
	struct vmon_io *io = &vm->io;

	spin_lock(&io->lock);
	vm->vcpu.stat[VMON_STAT_IO_RESENT] += io->sent - io->done;
	io->sent = io->done;
	io->claims++;
	spin_unlock(&io->lock);
}

int vmon_io_done(struct vmon_vm *vm, u32 seq, const u32 *data,
		 struct netlink_ext_ack *extack)
{
	struct vmon_io *io = &vm->io;
	const char *why = NULL;

	spin_lock(&io->lock);
	if (ahead(seq, io->done) <= 0)
		goto out;	/* from before a reset, or said twice */
	if (ahead(seq, io->seq) > 0) {
		why = "seq: no access has this number yet";
		goto out;
	}
	if (io->read_state == VMON_IO_READ_WAITING &&
	    ahead(seq, io->read.seq) >= 0) {
		if (!data) {
			why = "data: missing, the access is a read";
			goto out;
		}
		io->read_data = *data;
		/* Pairs with answered(). */
		smp_store_release(&io->read_state, VMON_IO_READ_ANSWERED);
	}
	WRITE_ONCE(io->done, seq);
	/* The message can be answered before its sender has counted it. */
	if (ahead(seq, io->sent) > 0)
		io->sent = seq;
out:
	spin_unlock(&io->lock);
	if (why)
		return vmon_refuse(extack, -EINVAL, why);
	swake_up_one(&vm->vcpu.wq);
	return 0;
}

/* What is wrong with a range in itself. */
static const char *range_refusal(const struct vmon_range *r)
{
	u64 limit = r->space == VMON_SPACE_PORT ? 0x10000 : VMON_MEM_LIMIT;
	u64 i;

	if (!r->size || r->addr >= limit || r->size > limit - r->addr)
		return "addr, size: outside the space, or no size";
	for (i = 0; r->space == VMON_SPACE_PORT && i < r->size; i++) {
		if (vmon_irq_owns_port(r->addr + i))
			return "addr: ports of the module's interrupt controllers and timer";
	}
	return NULL;
}

static bool covers_ram(const struct vmon_vm *vm, const struct vmon_range *range)
{
	unsigned int i;

	for (i = 0; i < vm->mem.nr; i++) {
		u64 start = (u64)vm->mem.region[i].gfn << PAGE_SHIFT;
		u64 end = start + ((u64)vm->mem.region[i].npages << PAGE_SHIFT);

		if (range->addr < end && start < range->addr + range->size)
			return true;
	}
	return false;
}

bool vmon_range_overlaps(struct vmon_vm *vm, enum vmon_space space, u64 addr, u64 size)
{
	bool any;

	spin_lock(&vm->io.lock);
	any = overlapping(&vm->io, space, addr, size);
	spin_unlock(&vm->io.lock);
	return any;
}

/* RANGE_NEW. vm->lock held; the vCPU may run. Return: 0, -EINVAL, -EEXIST, -ENOSPC. */
int vmon_range_add(struct vmon_vm *vm, const struct vmon_range *range,
		   struct netlink_ext_ack *extack)
{
	struct vmon_io *io = &vm->io;
	const char *why = range_refusal(range);
	unsigned int i;
	int err = 0;

	if (why)
		return vmon_refuse(extack, -EINVAL, why);
	if (range->space == VMON_SPACE_MMIO && covers_ram(vm, range))
		return vmon_refuse(extack, -EINVAL, "addr: memory is attached there");

	spin_lock(&io->lock);
	for (i = 0; i < io->nr; i++) {
		if (io->range[i].id == range->id) {
			err = vmon_refuse(extack, -EEXIST, "range: the number is in use");
			goto out;
		}
	}
	if (overlapping(io, range->space, range->addr, range->size)) {
		err = vmon_refuse(extack, -EEXIST, "addr: overlaps another range");
		goto out;
	}
	if (io->nr == VMON_NR_RANGES) {
		err = vmon_refuse(extack, -ENOSPC, "too many ranges: 128 are possible");
		goto out;
	}
	for (i = io->nr; i > 0; i--) {
		const struct vmon_range *r = &io->range[i - 1];

		if (r->space < range->space ||
		    (r->space == range->space && r->addr < range->addr))
			break;
		io->range[i] = *r;
	}
	io->range[i] = *range;
	io->nr++;
out:
	spin_unlock(&io->lock);
	return err;
}

/* RANGE_DEL. vm->lock held; the vCPU may run. Return: 0 or -ENOENT. */
int vmon_range_del(struct vmon_vm *vm, u32 id, struct netlink_ext_ack *extack)
{
	struct vmon_io *io = &vm->io;
	unsigned int i;

	spin_lock(&io->lock);
	for (i = 0; i < io->nr && io->range[i].id != id; i++)
		;
	if (i < io->nr) {
		memmove(&io->range[i], &io->range[i + 1],
			(io->nr - i - 1) * sizeof(io->range[0]));
		io->nr--;
		spin_unlock(&io->lock);
		return 0;
	}
	spin_unlock(&io->lock);
	return vmon_refuse(extack, -ENOENT, "range: no range has this number");
}
