// SPDX-License-Identifier: GPL-2.0
/*
 * VM_*: create, delete, show, change state, take over.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include "netlink/internal.h"
#include "switch/probe.h"

/* Names go into logs, file names and unit names. */
static bool valid_name(const char *name)
{
	const char *c;

	for (c = name; *c; c++) {
		if (!isascii(*c) || (!isalnum(*c) && !strchr("._-", *c)))
			return false;
	}
	return isalnum(name[0]);
}

static int guard_by_name(const char *name)
{
	int i;

	for (i = 0; i < VMON_GUARD_NR; i++) {
		if (!strcmp(name, vmon_guard_name[i]))
			return i;
	}
	return -1;
}

/* Attributes of VM_NEW to @config. Return: 0 or -EINVAL, -EOPNOTSUPP. */
static int parse_config(struct vmon_vm_config *config, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	const char *why;
	int guard = VMON_GUARD_SEGMENT;

	if (vmon_need(info, VMON_A_NAME))
		return -EINVAL;
	config->name = nla_data(a[VMON_A_NAME]);
	if (!valid_name(config->name))
		return vmon_no(info, -EINVAL,
			       "name: letters, digits, and . _ - after the first are possible");
	if (a[VMON_A_GUARD_NAME])
		guard = guard_by_name(nla_data(a[VMON_A_GUARD_NAME]));
	if (guard < 0)
		return vmon_no(info, -EINVAL,
			       "guard: not known; CHECK_GET lists what there is");
	why = vmon_guard_refusal(guard);
	if (why)
		return vmon_no(info, -EOPNOTSUPP, why);

	config->guard = guard;
	config->protected = vmon_probe_limits_enforced();
	config->portid = info->snd_portid;
	config->claim_ms = a[VMON_A_CLAIM_MS] ?
			   nla_get_u32(a[VMON_A_CLAIM_MS]) : 0;
	config->exec_mode = a[VMON_A_EXEC] ?
			    nla_get_u32(a[VMON_A_EXEC]) : VMON_EXEC_TRANSLATE;
	config->selfcheck = a[VMON_A_SELFCHECK] && nla_get_u8(a[VMON_A_SELFCHECK]);
	return 0;
}

int vmon_cmd_vm_new(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm_config config;
	struct vmon_reply r;
	struct vmon_vm *vm;
	int err;

	err = parse_config(&config, info);
	if (err)
		return err;
	err = vmon_reply_begin(&r, info, nla_total_size(sizeof(u32)));
	if (err)
		return err;
	vm = vmon_vm_create(&config, info->extack);
	if (IS_ERR(vm))
		return vmon_reply_end(&r, PTR_ERR(vm));
	vmon_netlink_event(vm);
	err = vmon_reply_end(&r, nla_put_u32(r.skb, VMON_A_VM, vm->id));
	if (err)
		vmon_vm_destroy(vm);
	vmon_vm_put(vm);
	return err;
}

int vmon_cmd_vm_del(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm *vm = vmon_request_vm(info, false);

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	vmon_vm_destroy(vm);
	vmon_vm_put(vm);
	return 0;
}

/* Room for what fill_vm() puts. */
#define VM_SIZE	(NLMSG_ALIGN(VMON_NAME_MAX + 1) + VMON_REPORT_MAX + 256)

static int fill_vm(struct sk_buff *skb, struct vmon_vm *vm)
{
	bool full;

	/* Not vm->lock: a VM must be visible while somebody waits for it. */
	spin_lock(&vm->state_lock);
	full = nla_put_u32(skb, VMON_A_VM, vm->id) ||
	       nla_put_string(skb, VMON_A_NAME, vm->name) ||
	       nla_put_u32(skb, VMON_A_STATE, vm->state) ||
	       nla_put_u32(skb, VMON_A_CAUSE, vm->cause) ||
	       nla_put_u32(skb, VMON_A_EXEC, vm->exec_mode) ||
	       nla_put_string(skb, VMON_A_GUARD_NAME, vmon_guard_name[vm->guard]) ||
	       nla_put_u8(skb, VMON_A_PROTECTED, vm->protected) ||
	       nla_put_u8(skb, VMON_A_SELFCHECK, vm->selfcheck) ||
	       nla_put_u64_64bit(skb, VMON_A_MEM_SIZE, vm->mem.size, VMON_A_PAD) ||
	       nla_put_u32(skb, VMON_A_OWNER, vm->portid) ||
	       (vm->report[0] && nla_put_string(skb, VMON_A_REPORT, vm->report));
	spin_unlock(&vm->state_lock);
	return full ? -EMSGSIZE : 0;
}

int vmon_cmd_vm_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm *vm = vmon_request_vm(info, false);
	struct vmon_reply r;
	int err;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = vmon_reply_begin(&r, info, VM_SIZE);
	if (!err)
		err = vmon_reply_end(&r, fill_vm(r.skb, vm));
	vmon_vm_put(vm);
	return err;
}

/* cb->args[0]: the lowest id that was not shown yet. */
int vmon_cmd_vm_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct vmon_vm *vm;

	while ((vm = vmon_vm_get_from(cb->args[0]))) {
		void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
					cb->nlh->nlmsg_seq, &vmon_genl_family,
					NLM_F_MULTI, VMON_CMD_VM_GET);

		if (!hdr || fill_vm(skb, vm)) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			vmon_vm_put(vm);
			break;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = vm->id + 1ul;
		vmon_vm_put(vm);
	}
	return skb->len;
}

int vmon_cmd_vm_set(struct sk_buff *skb, struct genl_info *info)
{
	static int (*const set[])(struct vmon_vm *, struct netlink_ext_ack *) = {
		[VMON_STATE_STOPPED] = vmon_vm_stop,
		[VMON_STATE_RUNNING] = vmon_vm_run,
		[VMON_STATE_PAUSED] = vmon_vm_pause,
	};
	struct vmon_vm *vm;
	int err;

	err = vmon_need(info, VMON_A_STATE);
	if (err)
		return err;
	vm = vmon_request_vm_lock(info, false);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	/* The policy has checked the range. */
	err = set[nla_get_u32(info->attrs[VMON_A_STATE])](vm, info->extack);
	vmon_request_vm_unlock(vm);
	return err;
}

int vmon_cmd_vm_reset(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm *vm = vmon_request_vm_lock(info, true);
	int err;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = vmon_vm_reset(vm, info->extack);
	vmon_request_vm_unlock(vm);
	return err;
}

int vmon_cmd_vm_claim(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm *vm = vmon_request_vm_lock(info, false);
	int err;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = vmon_vm_claim(vm, info->snd_portid, info->extack);
	vmon_request_vm_unlock(vm);
	return err;
}
