// SPDX-License-Identifier: GPL-2.0
/*
 * What the module sends unasked: accesses to the owner, events to everybody.
 *
 * Messages for the owner are small, because its socket's buffer counts the
 * memory, and VMON_IO_WINDOW of them must fit.
 */
#include "netlink/internal.h"

#define IO_SIZE		(nla_total_size(sizeof(u32)) * 6 + \
			 nla_total_size_64bit(sizeof(u64)) * 2)
#define EVENT_SIZE	(NLMSG_ALIGN(VMON_NAME_MAX + 1) + VMON_REPORT_MAX + 64)

int vmon_netlink_io(struct vmon_vm *vm, const struct vmon_io_req *req, u32 range)
{
	u32 portid = READ_ONCE(vm->portid);
	struct sk_buff *skb;
	void *hdr;

	if (!portid)
		return -ECONNREFUSED;
	skb = genlmsg_new(IO_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &vmon_genl_family, 0, VMON_CMD_IO);
	if (!hdr ||
	    nla_put_u32(skb, VMON_A_VM, vm->id) ||
	    nla_put_u32(skb, VMON_A_RANGE, range) ||
	    nla_put_u32(skb, VMON_A_SEQ, req->seq) ||
	    nla_put_u64_64bit(skb, VMON_A_ADDR, req->addr, VMON_A_PAD) ||
	    nla_put_u64_64bit(skb, VMON_A_SIZE, req->len, VMON_A_PAD) ||
	    nla_put_u8(skb, VMON_A_WRITE, req->write) ||
	    (req->write && nla_put_u32(skb, VMON_A_DATA, req->data))) {
		WARN_ON_ONCE(1);	/* IO_SIZE is wrong */
		nlmsg_free(skb);
		return -ENOMEM;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_unicast(&init_net, skb, portid);
}

void vmon_netlink_event(struct vmon_vm *vm)
{
	struct sk_buff *skb = genlmsg_new(EVENT_SIZE, GFP_KERNEL);
	bool full = true;
	void *hdr;

	if (!skb) {
		/* Whoever listens is told that something is missing, and looks. */
		genl_set_err(&vmon_genl_family, &init_net, 0, 0, -ENOBUFS);
		return;
	}
	hdr = genlmsg_put(skb, 0, 0, &vmon_genl_family, 0, VMON_CMD_EVENT);
	if (hdr) {
		spin_lock(&vm->state_lock);
		full = nla_put_u32(skb, VMON_A_VM, vm->id) ||
		       nla_put_string(skb, VMON_A_NAME, vm->name) ||
		       nla_put_u32(skb, VMON_A_STATE, vm->state) ||
		       nla_put_u32(skb, VMON_A_CAUSE, vm->cause) ||
		       (vm->report[0] &&
			nla_put_string(skb, VMON_A_REPORT, vm->report));
		spin_unlock(&vm->state_lock);
	}
	if (full) {
		WARN_ON_ONCE(1);	/* EVENT_SIZE is wrong */
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	/* Nobody listening is no error. */
	genlmsg_multicast(&vmon_genl_family, skb, 0, 0, GFP_KERNEL);
}
