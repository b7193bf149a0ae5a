// SPDX-License-Identifier: GPL-2.0
/*
 * What every handler does: find the VM, check the sender, build the reply.
 */
#include <linux/err.h>
#include "netlink/internal.h"

static const char *const missing[VMON_A_MAX + 1] = {
	[VMON_A_VM]	= "vm: missing",
	[VMON_A_NAME]	= "name: missing",
	[VMON_A_STATE]	= "state: missing",
	[VMON_A_GPA]	= "gpa: missing",
	[VMON_A_SIZE]	= "size: missing",
	[VMON_A_FD]	= "fd: missing",
	[VMON_A_REGS]	= "regs: missing",
	[VMON_A_SPACE]	= "space: missing",
	[VMON_A_ADDR]	= "addr: missing",
	[VMON_A_RANGE]	= "range: missing",
	[VMON_A_LINE]	= "line: missing",
	[VMON_A_LEVEL]	= "level: missing",
	[VMON_A_SEQ]	= "seq: missing",
	[VMON_A_RANGES]	= "ranges: missing",
};

int vmon_need(struct genl_info *info, int attr)
{
	if (info->attrs[attr])
		return 0;
	return vmon_no(info, -EINVAL, missing[attr] ?: "attribute missing");
}

struct vmon_vm *vmon_request_vm(struct genl_info *info, bool owner)
{
	struct vmon_vm *vm;
	int err;

	err = vmon_need(info, VMON_A_VM);
	if (err)
		return ERR_PTR(err);
	vm = vmon_vm_get(nla_get_u32(info->attrs[VMON_A_VM]));
	if (!vm)
		return ERR_PTR(vmon_no(info, -ENODEV, "vm: there is no such VM"));
	if (owner && READ_ONCE(vm->portid) != info->snd_portid) {
		err = vmon_no(info, -EPERM, READ_ONCE(vm->portid) ?
			      "the VM belongs to another socket" :
			      "the VM has no owner: VM_CLAIM it first");
		vmon_vm_put(vm);
		return ERR_PTR(err);
	}
	return vm;
}

struct vmon_vm *vmon_request_vm_lock(struct genl_info *info, bool owner)
{
	struct vmon_vm *vm = vmon_request_vm(info, owner);

	if (IS_ERR(vm))
		return vm;
	mutex_lock(&vm->lock);
	if (READ_ONCE(vm->dying)) {
		vmon_request_vm_unlock(vm);
		return ERR_PTR(vmon_no(info, -ENODEV, "vm: being torn down"));
	}
	return vm;
}

void vmon_request_vm_unlock(struct vmon_vm *vm)
{
	mutex_unlock(&vm->lock);
	vmon_vm_put(vm);
}

int vmon_reply_begin(struct vmon_reply *reply, struct genl_info *info, size_t size)
{
	reply->info = info;
	reply->skb = genlmsg_new(size, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->hdr = genlmsg_put_reply(reply->skb, info, &vmon_genl_family, 0,
				       info->genlhdr->cmd);
	if (!reply->hdr) {
		nlmsg_free(reply->skb);
		return -EMSGSIZE;
	}
	return 0;
}

int vmon_reply_end(struct vmon_reply *reply, int err)
{
	if (err) {
		nlmsg_free(reply->skb);
		return err;
	}
	genlmsg_end(reply->skb, reply->hdr);
	return genlmsg_reply(reply->skb, reply->info);
}
