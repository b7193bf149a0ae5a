/* SPDX-License-Identifier: GPL-2.0 */
/* Links of a guest's network cards, opened for vmond: see net.c. */
#ifndef VMON_VMONCTL_NET_H
#define VMON_VMONCTL_NET_H

#include "common/net_option.h"

int net_link_open(const struct net_option *o);

#endif /* VMON_VMONCTL_NET_H */
