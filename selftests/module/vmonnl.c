// SPDX-License-Identifier: GPL-2.0
/* See vmonnl.h. Plain netlink, so that the tests depend on no library. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "vmonnl.h"

#define ATTRS	(NLMSG_HDRLEN + GENL_HDRLEN)

static const struct nlattr *find(const void *data, size_t len, int attr)
{
	const char *p = data, *end = p + len;

	while (p + sizeof(struct nlattr) <= end) {
		const struct nlattr *a = (const void *)p;

		if (a->nla_len < sizeof(*a) || p + a->nla_len > end)
			break;
		if ((a->nla_type & NLA_TYPE_MASK) == attr)
			return a;
		p += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

const void *vnl_attr(struct vnl *v, int attr, size_t *len)
{
	const struct nlattr *a = NULL;

	if (v->rx_len > ATTRS)
		a = find(v->rx + ATTRS, v->rx_len - ATTRS, attr);
	if (!a)
		return NULL;
	if (len)
		*len = a->nla_len - NLA_HDRLEN;
	return (const char *)a + NLA_HDRLEN;
}

uint64_t vnl_get(struct vnl *v, int attr)
{
	uint64_t val = 0;
	size_t len;
	const void *p = vnl_attr(v, attr, &len);

	if (p)
		memcpy(&val, p, len < 8 ? len : 8);
	return val;
}

const char *vnl_get_str(struct vnl *v, int attr)
{
	return vnl_attr(v, attr, NULL);
}

int64_t vnl_stat(struct vnl *v, const char *name)
{
	char *p = v->rx + ATTRS, *end = v->rx + v->rx_len;

	while (p + sizeof(struct nlattr) <= end) {
		struct nlattr *a = (void *)p;
		const struct nlattr *n, *val;
		int64_t x;

		if (a->nla_len < sizeof(*a))
			break;
		p += NLA_ALIGN(a->nla_len);
		if ((a->nla_type & NLA_TYPE_MASK) != VMON_A_STAT)
			continue;
		n = find(a + 1, a->nla_len - NLA_HDRLEN, VMON_A_NAME);
		val = find(a + 1, a->nla_len - NLA_HDRLEN, VMON_A_VALUE);
		if (n && val && !strcmp((const char *)(n + 1), name)) {
			memcpy(&x, val + 1, sizeof(x));
			return x;
		}
	}
	return -1;
}

static void begin(struct vnl *v, int type, int cmd, int version)
{
	struct nlmsghdr *n = (void *)v->tx;
	struct genlmsghdr *g = (void *)(v->tx + NLMSG_HDRLEN);

	memset(v->tx, 0, sizeof(v->tx));
	n->nlmsg_type = type;
	g->cmd = cmd;
	g->version = version;
	v->tx_len = ATTRS;
}

void vnl_begin(struct vnl *v, int cmd)
{
	begin(v, v->family, cmd, VMON_GENL_VERSION);
}

void vnl_put(struct vnl *v, int attr, const void *data, size_t len)
{
	struct nlattr *a = (void *)(v->tx + v->tx_len);

	a->nla_type = attr;
	a->nla_len = NLA_HDRLEN + len;
	memcpy(a + 1, data, len);
	v->tx_len += NLA_ALIGN(a->nla_len);
}

void vnl_u8(struct vnl *v, int attr, uint8_t val)
{
	vnl_put(v, attr, &val, sizeof(val));
}

void vnl_u32(struct vnl *v, int attr, uint32_t val)
{
	vnl_put(v, attr, &val, sizeof(val));
}

void vnl_u64(struct vnl *v, int attr, uint64_t val)
{
	vnl_put(v, attr, &val, sizeof(val));
}

void vnl_str(struct vnl *v, int attr, const char *s)
{
	vnl_put(v, attr, s, strlen(s) + 1);
}

static uint32_t send_request(struct vnl *v, int flags)
{
	struct nlmsghdr *n = (void *)v->tx;

	n->nlmsg_len = v->tx_len;
	n->nlmsg_flags = NLM_F_REQUEST | flags;
	n->nlmsg_seq = ++v->seq;
	if (send(v->fd, v->tx, v->tx_len, 0) < 0) {
		if (errno != ENOBUFS && errno != ENOMEM)
			perror("send");
		return 0;
	}
	return v->seq;
}

void vnl_post(struct vnl *v)
{
	send_request(v, 0);
}

/* One datagram to @buf. Return: its length, 0 when none comes in @ms. */
static size_t receive(struct vnl *v, char *buf, size_t size, int ms)
{
	struct pollfd p = { .fd = v->fd, .events = POLLIN };
	ssize_t n;

	for (;;) {
		/* What is lost does not come. */
		if (poll(&p, 1, v->overrun && ms > 300 ? 300 : ms) <= 0)
			return 0;
		n = recv(v->fd, buf, size, 0);
		if (n >= 0)
			return n;
		if (errno == ENOBUFS)
			v->overrun = true;
		else if (errno != EINTR)
			return 0;
	}
}

static void take_ack(struct vnl *v, const struct nlmsghdr *n)
{
	const struct nlmsgerr *e = (const void *)(n + 1);
	size_t off = sizeof(*n) + sizeof(*e);
	const struct nlattr *a;

	v->error = e->error;
	v->msg[0] = '\0';
	if (!(n->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(n->nlmsg_flags & NLM_F_CAPPED))
		off += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	a = find((const char *)n + off, n->nlmsg_len - off, NLMSGERR_ATTR_MSG);
	if (a)
		snprintf(v->msg, sizeof(v->msg), "%s", (const char *)(a + 1));
}

/* Messages that are no answer (accesses, events) wait for vnl_recv(). */
static void keep(struct vnl *v, const struct nlmsghdr *n)
{
	unsigned int i = v->queue_in % 256;

	if (n->nlmsg_type != v->family || n->nlmsg_seq ||
	    n->nlmsg_len > sizeof(v->queue[i].data) || v->queue_in - v->queue_out == 256)
		return;
	memcpy(v->queue[i].data, n, n->nlmsg_len);
	v->queue[i].len = n->nlmsg_len;
	v->queue_in++;
}

int vnl_call(struct vnl *v)
{
	char buf[32768];	/* not static: threads have a vnl each */
	uint32_t seq = send_request(v, NLM_F_ACK);
	size_t len;

	v->rx_len = 0;
	v->overrun = false;
	while (seq && (len = receive(v, buf, sizeof(buf), 15000))) {
		struct nlmsghdr *n = (void *)buf;

		for (; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
			if (n->nlmsg_seq != seq) {
				keep(v, n);
				continue;
			}
			if (n->nlmsg_type == NLMSG_ERROR) {
				take_ack(v, n);
				return v->error;
			}
			memcpy(v->rx, n, n->nlmsg_len);
			v->rx_len = n->nlmsg_len;
		}
	}
	/* No memory for the request, or for the answer, or the socket was full. */
	v->error = !seq || v->overrun ? -ENOBUFS : -ETIMEDOUT;
	return v->error;
}

/* The next message that waits, or comes in @ms, to v->rx. */
static bool next_message(struct vnl *v, int ms)
{
	unsigned int i = v->queue_out % 256;

	if (v->queue_in == v->queue_out) {
		v->overrun = false;
		v->rx_len = receive(v, v->rx, sizeof(v->rx), ms);
		return v->rx_len;
	}
	v->queue_out++;
	v->rx_len = v->queue[i].len;
	memcpy(v->rx, v->queue[i].data, v->rx_len);
	return true;
}

int vnl_recv(struct vnl *v, int ms)
{
	struct nlmsghdr *n = (void *)v->rx;

	while (next_message(v, ms)) {
		if (n->nlmsg_type == v->family && !n->nlmsg_seq &&
		    (!v->vm || vnl_get(v, VMON_A_VM) == v->vm))
			return ((struct genlmsghdr *)(n + 1))->cmd;
	}
	return 0;
}

static void find_group(struct vnl *v)
{
	size_t len;
	const char *p = vnl_attr(v, CTRL_ATTR_MCAST_GROUPS, &len);
	const struct nlattr *g, *id;

	if (!p)
		return;
	g = find(p, len, 1);
	id = g ? find(g + 1, g->nla_len - NLA_HDRLEN, CTRL_ATTR_MCAST_GRP_ID) : NULL;
	if (id)
		memcpy(&v->events, id + 1, sizeof(v->events));
}

struct vnl *vnl_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct vnl *v = calloc(1, sizeof(*v));
	int one = 1;

	v->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (v->fd < 0 || bind(v->fd, (void *)&addr, sizeof(addr)))
		goto fail;
	setsockopt(v->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(v->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(v->fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	begin(v, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 2);
	vnl_str(v, CTRL_ATTR_FAMILY_NAME, VMON_GENL_NAME);
	if (vnl_call(v))
		goto fail;
	v->family = vnl_get(v, CTRL_ATTR_FAMILY_ID);
	find_group(v);
	return v;
fail:
	vnl_close(v);
	return NULL;
}

void vnl_close(struct vnl *v)
{
	if (v->fd >= 0)
		close(v->fd);
	free(v);
}

int vnl_join_events(struct vnl *v)
{
	return setsockopt(v->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &v->events,
			  sizeof(v->events));
}
