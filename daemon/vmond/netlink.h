/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A generic netlink socket to the vmon family, and requests over it.
 */
#ifndef VMON_VMOND_NETLINK_H
#define VMON_VMOND_NETLINK_H

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "common/error.h"
#include "common/types.h"
#include "vmon.h"

/**
 * struct nl_link - socket and family
 * @sk: socket, NULL while not connected
 * @family: number of the family
 */
struct nl_link {
	struct nl_sock *sk;
	int family;
};

/* Called for every message that answers a request; attr[] is indexed by vmon_attr. */
typedef void (*nl_reply_fn)(struct nlmsghdr *nlh, struct nlattr **attr, void *arg);
/* Called for every message that came in between. */
typedef void (*nl_stray_fn)(struct nlmsghdr *nlh, void *arg);

int nl_link_open(struct nl_link *l, struct error *err);
int nl_link_adopt(struct nl_link *l, int fd, struct error *err);
void nl_link_close(struct nl_link *l);
int nl_link_fd(const struct nl_link *l);
struct nl_msg *nl_link_request(struct nl_link *l, int cmd, int flags);
int nl_link_call(struct nl_link *l, struct nl_msg *msg, nl_reply_fn reply, void *arg,
		 nl_stray_fn stray, void *stray_arg, struct error *err);
int nl_parse_error(const struct nlmsghdr *nlh, struct error *err);
bool nl_parse_attrs(struct nlmsghdr *nlh, struct nlattr **attr);

#endif /* VMON_VMOND_NETLINK_H */
