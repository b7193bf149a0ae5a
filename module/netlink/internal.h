/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of module/netlink share: the family, helpers for requests, and
 * one handler for each operation.
 */
#ifndef VMON_NETLINK_INTERNAL_H
#define VMON_NETLINK_INTERNAL_H

#include <net/genetlink.h>
#include "compat.h"
#include "netlink/netlink.h"
#include "vm/vm.h"

extern struct genl_family vmon_genl_family;

/* Set the message of a refusal. Return: @err. */
#define vmon_no(info, err, why)	vmon_refuse((info)->extack, err, why)

/* Is @attr there? If not, the refusal names it. Return: 0 or -EINVAL. */
int vmon_need(struct genl_info *info, int attr);

/**
 * vmon_request_vm() - the VM that a request is about
 * @info:	request with VMON_A_VM
 * @owner:	the sender must own it
 *
 * Return: with a reference, or ERR_PTR: -EINVAL, -ENODEV, -EPERM.
 */
struct vmon_vm *vmon_request_vm(struct genl_info *info, bool owner);

/* The same with vm->lock held, and not being torn down. */
struct vmon_vm *vmon_request_vm_lock(struct genl_info *info, bool owner);
void vmon_request_vm_unlock(struct vmon_vm *vm);

/**
 * struct vmon_reply - a reply being built
 * @skb:	message
 * @hdr:	generic netlink header in it
 * @info:	the request
 */
struct vmon_reply {
	struct sk_buff *skb;
	void *hdr;
	struct genl_info *info;
};

/* @size: room for attributes, bytes. Return: 0 or -ENOMEM. */
int vmon_reply_begin(struct vmon_reply *reply, struct genl_info *info, size_t size);

/* Send it, or with an error (from the attributes) drop it. Return: 0 or error. */
int vmon_reply_end(struct vmon_reply *reply, int err);

/* check.c */
int vmon_cmd_check_get(struct sk_buff *skb, struct genl_info *info);
/* NULL, or why the guard cannot be used here. */
const char *vmon_guard_refusal(enum vmon_guard guard);

/* machine.c */
int vmon_cmd_vm_new(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_vm_del(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_vm_get(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_vm_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vmon_cmd_vm_set(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_vm_reset(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_vm_claim(struct sk_buff *skb, struct genl_info *info);

/* parts.c */
int vmon_cmd_mem_new(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_vcpu_set(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_vcpu_get(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_range_new(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_range_del(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_mem_written(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_irq_set(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_io_done(struct sk_buff *skb, struct genl_info *info);

/* report.c */
int vmon_cmd_stat_get(struct sk_buff *skb, struct genl_info *info);
int vmon_cmd_trace_get(struct sk_buff *skb, struct genl_info *info);

#endif /* VMON_NETLINK_INTERNAL_H */
