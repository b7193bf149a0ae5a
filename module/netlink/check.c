// SPDX-License-Identifier: GPL-2.0
/*
 * CHECK_GET: what this host can hold, and why not more.
 */
#include "netlink/internal.h"
#include "switch/probe.h"
#include "version.h"

#define UNPROTECTED \
	"this CPU does not enforce segment limits: a guest could change the host; load vmon with allow_unprotected=1 only to test it"

const char *vmon_guard_refusal(enum vmon_guard guard)
{
	const char *why = vmon_probe_refusal();

	if (why)
		return why;
	if (guard == VMON_GUARD_SEGMENT && !vmon_probe_limits_enforced() &&
	    !READ_ONCE(vmon_allow_unprotected))
		return UNPROTECTED;
	return NULL;
}

static int put_guard(struct sk_buff *skb, enum vmon_guard guard)
{
	const char *why = vmon_guard_refusal(guard);
	struct nlattr *nest = nla_nest_start(skb, VMON_A_GUARD);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, VMON_A_NAME, vmon_guard_name[guard]) ||
	    nla_put_u8(skb, VMON_A_AVAILABLE, !why) ||
	    (why && nla_put_string(skb, VMON_A_REASON, why)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int vmon_cmd_check_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_reply r;
	unsigned int i;
	int err;

	err = vmon_reply_begin(&r, info, GENLMSG_DEFAULT_SIZE);
	if (err)
		return err;
	if (nla_put_string(r.skb, VMON_A_VERSION, VMON_VERSION) ||
	    nla_put_u8(r.skb, VMON_A_PROTECTED, vmon_probe_limits_enforced()) ||
	    nla_put_u8(r.skb, VMON_A_UNPROTECTED_OK,
		       READ_ONCE(vmon_allow_unprotected)))
		err = -EMSGSIZE;
	for (i = 0; i < VMON_GUARD_NR && !err; i++)
		err = put_guard(r.skb, i);
	return vmon_reply_end(&r, err);
}
