// SPDX-License-Identifier: GPL-2.0
/*
 * STAT_GET and TRACE_GET: read without stopping the vCPU, so a counter may be a
 * moment old and the newest trace entry half written.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include "emulator/decode.h"
#include "netlink/internal.h"

#define TRACE_SIZE	(VMON_TRACE_SLOTS * 96)
#define STAT_SIZE	80	/* nest, name, value, padding */

static int put_stat(struct sk_buff *skb, const char *name, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, VMON_A_STAT);

	if (!nest || nla_put_string(skb, VMON_A_NAME, name) ||
	    nla_put_u64_64bit(skb, VMON_A_VALUE, value, VMON_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static u64 stat_value(const struct vmon_vm *vm, enum vmon_stat stat)
{
	switch (stat) {
	case VMON_STAT_TICKS:
		return READ_ONCE(vm->irq.ticks);
	case VMON_STAT_TICKS_REINJECTED:
		return READ_ONCE(vm->irq.reinjected);
	case VMON_STAT_TICKS_DROPPED:
		return READ_ONCE(vm->irq.dropped);
	default:
		return READ_ONCE(vm->vcpu.stat[stat]);
	}
}

int vmon_cmd_stat_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm *vm = vmon_request_vm(info, false);
	char name[32];
	struct vmon_reply r;
	unsigned int i;
	int err;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = vmon_reply_begin(&r, info, (VMON_STAT_NR + VMON_NR_OPS) * STAT_SIZE + 64);
	if (err)
		goto out;
	err = nla_put_u32(r.skb, VMON_A_VM, vm->id);
	for (i = 0; i < VMON_STAT_NR && !err; i++)
		err = put_stat(r.skb, vmon_stat_name[i], stat_value(vm, i));
	for (i = 0; i < VMON_NR_OPS && !err; i++) {
		u64 n = READ_ONCE(vm->vcpu.op_count[i]);

		if (!n)
			continue;
		snprintf(name, sizeof(name), "emulated.%s", vmon_op_name(i));
		err = put_stat(r.skb, name, n);
	}
	err = vmon_reply_end(&r, err);
out:
	vmon_vm_put(vm);
	return err;
}

int vmon_cmd_trace_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm *vm = vmon_request_vm(info, false);
	struct vmon_reply r;
	char *text;
	int len, err;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	text = kmalloc(TRACE_SIZE, GFP_KERNEL);
	if (!text) {
		err = -ENOMEM;
		goto out;
	}
	len = vmon_vcpu_trace_text(&vm->vcpu, text, TRACE_SIZE);
	err = vmon_reply_begin(&r, info, nla_total_size(len + 1) + 64);
	if (!err)
		err = vmon_reply_end(&r, nla_put_u32(r.skb, VMON_A_VM, vm->id) ?:
				     nla_put_string(r.skb, VMON_A_TRACE, text));
	kfree(text);
out:
	vmon_vm_put(vm);
	return err;
}
