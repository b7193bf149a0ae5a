/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O routing: a guest's port or MMIO access goes to the devices in the module,
 * to the owner of the range, or nowhere.
 *
 * Accesses for the owner get consecutive sequence numbers and stay in a window
 * until acknowledged, so that they can be sent again to the next owner. Writes
 * are posted; a read is always the newest entry, because it waits.
 */
#ifndef VMON_VM_IO_H
#define VMON_VM_IO_H

#include <linux/build_bug.h>
#include <linux/types.h>
#include <linux/spinlock.h>
#include "../../uapi/vmon.h"

struct vmon_vm;
struct vmon_vcpu;
struct netlink_ext_ack;

#define VMON_NR_RANGES	128

struct vmon_range {
	u64 addr;
	u64 size;
	u32 space;		/* enum vmon_space */
	u32 id;			/* the owner's number */
};

/* One access on its way to the owner. */
struct vmon_io_req {
	u64 addr;
	u32 space;
	u32 seq;
	u32 data;
	u8 len;
	bool write;
};

/* State of the read that the vCPU waits for, across retries. */
enum vmon_io_read_state {
	VMON_IO_READ_NONE,
	VMON_IO_READ_WAITING,
	VMON_IO_READ_ANSWERED,
};

/* The ring's index survives the wrap of the sequence number. */
static_assert(!(VMON_IO_WINDOW & (VMON_IO_WINDOW - 1)));

/**
 * struct vmon_io - ranges and accesses of a VM
 * @lock:	protects all of it; never held while sending
 * @range:	sorted by space, then address
 * @nr:		used entries of @range
 * @seq:	last sequence number given
 * @done:	last sequence number acknowledged
 * @sent:	last sequence number sent
 * @claims:	how often the owner changed
 * @window:	unacknowledged accesses, at seq % VMON_IO_WINDOW
 * @read_state, @read, @read_data: the read in flight
 */
struct vmon_io {
	spinlock_t lock;	/* of all below */
	struct vmon_range range[VMON_NR_RANGES];
	unsigned int nr;
	u32 seq;
	u32 done;
	u32 sent;
	u32 claims;
	struct vmon_io_req window[VMON_IO_WINDOW];
	enum vmon_io_read_state read_state;
	struct vmon_io_req read;
	u32 read_data;
};

/**
 * vmon_io_read() - a guest's read from a port or device memory
 * @vcpu:	the reader; its own thread calls
 * @space:	VMON_SPACE_PORT or VMON_SPACE_MMIO
 * @addr:	port or gpa
 * @len:	1, 2 or 4 bytes
 * @val:	result, zero-extended; all ones where nobody answers
 *
 * May sleep. On -EINTR the thread must see to its requests; repeat the very
 * same access later (an answer that comes meanwhile is kept for it).
 *
 * Return: 0 or -EINTR.
 */
int vmon_io_read(struct vmon_vcpu *vcpu, enum vmon_space space, u64 addr,
		 unsigned int len, u32 *val);

/* A guest's write; @val as for vmon_io_read(). Return: 0 or -EINTR (not done). */
int vmon_io_write(struct vmon_vcpu *vcpu, enum vmon_space space, u64 addr,
		  unsigned int len, u32 val);

/*
 * A read was begun and must be repeated: inject no interrupt before it, or its
 * answer, and what it took out of the device, is lost.
 */
static inline bool vmon_io_read_pending(const struct vmon_io *io)
{
	return READ_ONCE(io->read_state) != VMON_IO_READ_NONE;
}

void vmon_io_init(struct vmon_io *io);

/* Forget accesses in flight (reset); ranges stay. The vCPU is parked. */
void vmon_io_reset(struct vmon_vm *vm);

/* There is a new owner: what the old one did not acknowledge is sent again. */
void vmon_io_new_owner(struct vmon_vm *vm);

/* The same for a VM whose vCPU is parked and stays so; as far as the socket has room. */
void vmon_io_resend(struct vmon_vm *vm);

/* Send what is in the window and unsent. Vcpu thread. Return: 0 or -EINTR. */
int vmon_io_flush(struct vmon_vcpu *vcpu);

/* Does any range overlap [addr, addr + size)? vm->lock held: none is being added. */
bool vmon_range_overlaps(struct vmon_vm *vm, enum vmon_space space, u64 addr, u64 size);
int vmon_range_add(struct vmon_vm *vm, const struct vmon_range *range,
		   struct netlink_ext_ack *extack);
int vmon_range_del(struct vmon_vm *vm, u32 id, struct netlink_ext_ack *extack);

/* IO_DONE: everything up to @seq is done. @data: answer of a read, or NULL. */
int vmon_io_done(struct vmon_vm *vm, u32 seq, const u32 *data,
		 struct netlink_ext_ack *extack);

#endif /* VMON_VM_IO_H */
