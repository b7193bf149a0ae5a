// SPDX-License-Identifier: GPL-2.0
/*
 * Network cards on the bus: how a client passes them, how they are shown, what they count.
 *
 * A card comes with a descriptor for its link, a tap device or a socket, which the client has
 * opened; what it can be used for is found out when the VM is made (net.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "vmond/manager.h"

static int read_mac(const char *text, u8 *mac)
{
	unsigned int b[NET_MAC], i;
	int n = 0;

	if (!*text)
		return 0;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &n) != NET_MAC || text[n])
		return -EINVAL;
	for (i = 0; i < NET_MAC; i++)
		mac[i] = b[i];
	return 0;
}

/* A card that was passed; its descriptor is the message's. */
static int add_net(struct vm_config *c, int fd, u32 kind, const char *what, const char *mac,
		   const char *id, struct error *err)
{
	struct net_config *n = &c->nets[c->n_nets];
	char name[16];
	unsigned int i;

	if (c->n_nets == MACHINE_NETS)
		return fail(err, E2BIG, "net: more than %u given", MACHINE_NETS);
	if (kind > NET_TAP || read_mac(mac, n->mac) < 0)
		return fail(err, EINVAL, "net '%s': malformed message", what);
	snprintf(name, sizeof(name), "net%u", c->n_nets);
	n->kind = kind;
	n->what = strdup(what);
	n->id = strdup(*id ? id : name);
	n->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	c->n_nets++;
	if (!n->what || !n->id || n->fd < 0)
		return fail(err, errno, "net '%s': %s", what, strerror(errno));
	for (i = 0; i + 1 < c->n_nets; i++)
		if (!strcmp(c->nets[i].id, n->id))
			return fail(err, EEXIST, "net '%s': id '%s' is that of another, too: give them different ones",
				    what, n->id);
	return 0;
}

/**
 * bus_read_nets() - the network cards in a request to run a VM
 * @m: message, at an array of (descriptor, enum net_kind, text, address or "", id or "")
 * @c: gets them, also on failure
 * @err: why not
 */
int bus_read_nets(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	const char *what, *mac, *id;
	u32 kind;
	int fd, r;

	r = sd_bus_message_enter_container(m, 'a', "(husss)");
	while (r >= 0 &&
	       (r = sd_bus_message_read(m, "(husss)", &fd, &kind, &what, &mac, &id)) > 0) {
		r = add_net(c, fd, kind, what, mac, id, err);
		if (r < 0)
			return r;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? fail(err, -r, "malformed message") : 0;
}

/* The cards of a VM as they can be given to vmonctl, separated by blanks. */
void bus_nets_text(const struct vm_config *c, char *text, size_t size)
{
	size_t n = 0;
	unsigned int i;

	*text = 0;
	for (i = 0; i < c->n_nets && n < size; i++) {
		const u8 *mac = c->nets[i].mac;

		n += snprintf(text + n, size - n, "%s%s,mac=%02x:%02x:%02x:%02x:%02x:%02x,id=%s",
			      i ? " " : "", c->nets[i].what, mac[0], mac[1], mac[2], mac[3],
			      mac[4], mac[5], c->nets[i].id);
	}
}

/* Their counters, as rows of the method Stat. */
int bus_append_nets_stat(sd_bus_message *reply, const struct vm *vm)
{
	unsigned int i, k;
	char name[64];
	int r = 0;

	for (i = 0; i < vm->config.n_nets; i++) {
		const struct net_stats *s = vm_net_stats(vm, i);
		const struct {
			const char *name;
			u64 value;
		} row[] = {
			{ "rx_packets", s->rx_packets }, { "rx_bytes", s->rx_bytes },
			{ "rx_dropped", s->rx_dropped }, { "tx_packets", s->tx_packets },
			{ "tx_bytes", s->tx_bytes }, { "tx_dropped", s->tx_dropped },
		};

		for (k = 0; k < ARRAY_SIZE(row) && r >= 0; k++) {
			snprintf(name, sizeof(name), "%s.%s", vm->config.nets[i].id, row[k].name);
			r = sd_bus_message_append(reply, "(st)", name, row[k].value);
		}
	}
	return r;
}
