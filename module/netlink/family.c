// SPDX-License-Identifier: GPL-2.0
/*
 * The family: which operation takes which attributes, who handles it, and what
 * happens when an owner's socket closes.
 *
 * One policy for each operation: what it does not list is refused by the core.
 * parallel_ops keeps the handlers out of the lock that all families share;
 * vm->lock orders what must be ordered.
 */
#include <linux/module.h>
#include <linux/notifier.h>
#include <net/net_namespace.h>
#include "netlink/internal.h"

#define REGS	NLA_POLICY_EXACT_LEN(sizeof(struct vmon_regs))
#define NAME	{ .type = NLA_NUL_STRING, .len = VMON_NAME_MAX }

#define POLICY(name) \
	static const struct nla_policy name##_policy[VMON_A_MAX + 1]

POLICY(none) = { };

POLICY(vm_only) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
};

POLICY(vm_new) = {
	[VMON_A_NAME]		= NAME,
	[VMON_A_CLAIM_MS]	= { .type = NLA_U32 },
	[VMON_A_EXEC]		= NLA_POLICY_RANGE(NLA_U32, VMON_EXEC_TRANSLATE,
						   VMON_EXEC_EMULATE),
	[VMON_A_GUARD_NAME]	= NAME,
	[VMON_A_SELFCHECK]	= NLA_POLICY_MAX(NLA_U8, 1),
};

POLICY(vm_set) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
	[VMON_A_STATE]		= NLA_POLICY_RANGE(NLA_U32, VMON_STATE_STOPPED,
						   VMON_STATE_PAUSED),
};

POLICY(mem_new) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
	[VMON_A_GPA]		= { .type = NLA_U64 },
	[VMON_A_SIZE]		= { .type = NLA_U64 },
	[VMON_A_FD]		= { .type = NLA_S32 },
	[VMON_A_OFFSET]		= { .type = NLA_U64 },
};

POLICY(vcpu_set) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
	[VMON_A_REGS]		= REGS,
};

POLICY(range_new) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
	[VMON_A_SPACE]		= NLA_POLICY_RANGE(NLA_U32, VMON_SPACE_PORT,
						   VMON_SPACE_MMIO),
	[VMON_A_ADDR]		= { .type = NLA_U64 },
	[VMON_A_SIZE]		= { .type = NLA_U64 },
	[VMON_A_RANGE]		= { .type = NLA_U32 },
};

POLICY(range_del) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
	[VMON_A_RANGE]		= { .type = NLA_U32 },
};

POLICY(irq_set) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
	[VMON_A_LINE]		= NLA_POLICY_MAX(NLA_U8, VMON_PIC_LINES - 1),
	[VMON_A_LEVEL]		= NLA_POLICY_MAX(NLA_U8, 1),
	[VMON_A_TRIGGER]	= NLA_POLICY_MAX(NLA_U8, VMON_TRIGGER_LEVEL),
};

POLICY(mem_written) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
	[VMON_A_RANGES]		= { .type = NLA_BINARY,
				    .len = VMON_MEM_RANGES_MAX * sizeof(struct vmon_mem_range) },
};

POLICY(io_done) = {
	[VMON_A_VM]		= { .type = NLA_U32 },
	[VMON_A_SEQ]		= { .type = NLA_U32 },
	[VMON_A_DATA]		= { .type = NLA_U32 },
};

#define OP(_cmd, _doit, _attrs) {				\
		.cmd = VMON_CMD_##_cmd,				\
		.flags = GENL_ADMIN_PERM,			\
		.doit = vmon_cmd_##_doit,			\
		.policy = _attrs##_policy,			\
		.maxattr = VMON_A_MAX,				\
	}

static const struct genl_ops ops[] = {
	OP(CHECK_GET,	check_get,	none),
	OP(VM_NEW,	vm_new,		vm_new),
	OP(VM_DEL,	vm_del,		vm_only),
	{
		.cmd = VMON_CMD_VM_GET,
		.flags = GENL_ADMIN_PERM,
		.doit = vmon_cmd_vm_get,
		.dumpit = vmon_cmd_vm_dump,
		.policy = vm_only_policy,
		.maxattr = VMON_A_MAX,
	},
	OP(VM_SET,	vm_set,		vm_set),
	OP(VM_RESET,	vm_reset,	vm_only),
	OP(VM_CLAIM,	vm_claim,	vm_only),
	OP(MEM_NEW,	mem_new,	mem_new),
	OP(VCPU_SET,	vcpu_set,	vcpu_set),
	OP(VCPU_GET,	vcpu_get,	vm_only),
	OP(RANGE_NEW,	range_new,	range_new),
	OP(RANGE_DEL,	range_del,	range_del),
	OP(IRQ_SET,	irq_set,	irq_set),
	OP(IO_DONE,	io_done,	io_done),
	OP(STAT_GET,	stat_get,	vm_only),
	OP(TRACE_GET,	trace_get,	vm_only),
	OP(MEM_WRITTEN,	mem_written,	mem_written),
};

static const struct genl_multicast_group groups[] = {
	{ .name = VMON_MCGRP_EVENTS, VMON_MCGRP_FLAGS },
};

struct genl_family vmon_genl_family __ro_after_init = {
	.name		= VMON_GENL_NAME,
	.version	= VMON_GENL_VERSION,
	.maxattr	= VMON_A_MAX,
	.netnsok	= false,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.mcgrps		= groups,
	.n_mcgrps	= ARRAY_SIZE(groups),
};

/* A socket was closed: its VMs have lost their owner. */
static int socket_closed(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	const struct netlink_notify *n = data;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC &&
	    net_eq(n->net, &init_net))
		vmon_vm_owner_gone(n->portid);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = {
	.notifier_call = socket_closed,
};

int __init vmon_netlink_init(void)
{
	int err;

	err = netlink_register_notifier(&notifier);
	if (err)
		return err;
	err = genl_register_family(&vmon_genl_family);
	if (err)
		netlink_unregister_notifier(&notifier);
	return err;
}

void vmon_netlink_exit(void)
{
	genl_unregister_family(&vmon_genl_family);
	netlink_unregister_notifier(&notifier);
}
