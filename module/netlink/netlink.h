/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family "vmon", as the rest of the module sees it. The
 * protocol is described in uapi/vmon.h.
 */
#ifndef VMON_NETLINK_NETLINK_H
#define VMON_NETLINK_NETLINK_H

#include <linux/types.h>

struct vmon_vm;
struct vmon_io_req;

int vmon_netlink_init(void);
void vmon_netlink_exit(void);

/**
 * vmon_netlink_io() - send an access to the VM's owner (VMON_CMD_IO)
 * @vm:		machine
 * @req:	the access
 * @range:	the owner's number of the range
 *
 * Process context. Return: 0; -EAGAIN: the socket is full; -ENOMEM, -ENOBUFS;
 * -ECONNREFUSED: there is no owner.
 */
int vmon_netlink_io(struct vmon_vm *vm, const struct vmon_io_req *req, u32 range);

/* Tell the group "events" the VM's state. Process context, may sleep. */
void vmon_netlink_event(struct vmon_vm *vm);

#endif /* VMON_NETLINK_NETLINK_H */
