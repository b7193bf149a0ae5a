// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the vmon family, and the sentences it refuses them with.
 *
 * libnl builds and sends the messages. Receiving is done here, because libnl 3.7
 * neither asks for extended acks nor hands them out, and because the messages
 * of a running guest may come in between a request and its answer.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmond/netlink.h"

#define ANSWER_MS	10000
#define RCVBUF		(4 << 20)

static void set_option(int fd, int option)
{
	int one = 1;

	/* Without it messages are merely poorer. */
	(void)setsockopt(fd, SOL_NETLINK, option, &one, sizeof(one));
}

/* Return: 0, or -ENOENT and the link is closed. */
static int find_family(struct nl_link *l, struct error *err)
{
	l->family = genl_ctrl_resolve(l->sk, VMON_GENL_NAME);
	if (l->family < 0) {
		nl_link_close(l);
		return fail(err, ENOENT,
			    "vmon module is not loaded: modprobe vmon");
	}
	nl_socket_disable_seq_check(l->sk);
	return 0;
}

/**
 * nl_link_open() - connect a socket and find the family
 * @l: to fill in
 * @err: why not
 *
 * Return: 0, -ENOENT if the module is not loaded, -EPERM, or another error.
 */
int nl_link_open(struct nl_link *l, struct error *err)
{
	int size = RCVBUF;
	int r;

	l->sk = nl_socket_alloc();
	if (!l->sk)
		return fail(err, ENOMEM, "out of memory");
	r = genl_connect(l->sk);
	if (r < 0) {
		nl_link_close(l);
		return fail(err, EIO, "cannot open a netlink socket: %s",
			    nl_geterror(r));
	}
	r = find_family(l, err);
	if (r < 0)
		return r;
	set_option(nl_link_fd(l), NETLINK_EXT_ACK);
	set_option(nl_link_fd(l), NETLINK_CAP_ACK);
	if (setsockopt(nl_link_fd(l), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(nl_link_fd(l), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

/**
 * nl_link_adopt() - go on with a socket that nl_link_open() made in another process
 * @l: to fill in
 * @fd: socket; the link's from now on, and closed on failure
 * @err: why not
 *
 * Return: 0, -EINVAL if it is another kind of socket, -ENOENT as above.
 */
int nl_link_adopt(struct nl_link *l, int fd, struct error *err)
{
	int domain = 0, protocol = 0, r;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 || domain != AF_NETLINK ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) < 0 ||
	    protocol != NETLINK_GENERIC) {
		close(fd);
		return fail(err, EINVAL, "the descriptor is no generic netlink socket: give one");
	}
	l->sk = nl_socket_alloc();
	r = l->sk ? nl_socket_set_fd(l->sk, NETLINK_GENERIC, fd) : -NLE_NOMEM;
	if (r < 0) {
		nl_link_close(l);
		close(fd);
		return fail(err, EINVAL, "cannot use the netlink socket: %s", nl_geterror(r));
	}
	return find_family(l, err);
}

void nl_link_close(struct nl_link *l)
{
	if (l->sk)
		nl_socket_free(l->sk);
	l->sk = NULL;
}

int nl_link_fd(const struct nl_link *l)
{
	return l->sk ? nl_socket_get_fd(l->sk) : -1;
}

/**
 * nl_link_request() - begin a request
 * @l: link
 * @cmd: enum vmon_cmd
 * @flags: NLM_F_DUMP or 0
 *
 * Return: message, for attributes and nl_link_call(); NULL if out of memory.
 */
struct nl_msg *nl_link_request(struct nl_link *l, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, l->family, 0,
				flags | NLM_F_REQUEST | NLM_F_ACK, cmd,
				VMON_GENL_VERSION)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/**
 * nl_parse_attrs() - split a message of the family into attributes
 * @nlh: message, of a type other than NLMSG_ERROR and NLMSG_DONE
 * @attr: VMON_A_MAX + 1 pointers
 */
bool nl_parse_attrs(struct nlmsghdr *nlh, struct nlattr **attr)
{
	return genlmsg_parse(nlh, 0, attr, VMON_A_MAX, NULL) >= 0;
}

/* The kernel's errors are -1 to -4095; anything else is none of its. */
static int errno_of(int error)
{
	return error < 0 && error >= -4095 ? error : -EPROTO;
}

/**
 * nl_parse_error() - code and sentence of an NLMSG_ERROR message
 * @nlh: message
 * @err: gets the extended ack's message, or the errno's text
 *
 * Return: 0 for an acknowledgment, else a negative errno.
 */
int nl_parse_error(const struct nlmsghdr *nlh, struct error *err)
{
	const struct nlmsgerr *e = nlmsg_data(nlh);
	const char *text = NULL;
	struct nlattr *a;
	unsigned int skip = sizeof(*e);
	int left, error;

	if (nlmsg_datalen(nlh) < (int)sizeof(*e))
		return fail(err, EBADMSG, "netlink: a truncated error message");
	if (!e->error)
		return 0;
	error = errno_of(e->error);
	/* The request that was refused lies between, headers and all, unless it was cut off. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip = offsetof(struct nlmsgerr, msg) + e->msg.nlmsg_len;
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && skip >= sizeof(*e) &&
	    skip < (unsigned int)nlmsg_datalen(nlh)) {
		a = (struct nlattr *)((char *)e + NLMSG_ALIGN(skip));
		left = nlmsg_datalen(nlh) - NLMSG_ALIGN(skip);
		for (; nla_ok(a, left); a = nla_next(a, &left))
			if (nla_type(a) == NLMSGERR_ATTR_MSG && nla_len(a) > 0 &&
			    !((char *)nla_data(a))[nla_len(a) - 1])
				text = nla_get_string(a);
	}
	if (text && text[0])
		error_set(err, -error, "%s", text);
	else if (error == -EPERM)
		error_set(err, EPERM, "vmon module: no permission: CAP_NET_ADMIN is needed");
	else
		error_set(err, -error, "vmon module: %s", strerror(-error));
	return error;
}

struct call {
	u32 seq;
	int family;
	nl_reply_fn reply;
	void *arg;
	nl_stray_fn stray;
	void *stray_arg;
};

/* Return: 1 when the answer is complete, 0 to go on, or the error. */
static int handle(const struct call *c, struct nlmsghdr *nlh, struct error *err)
{
	struct nlattr *attr[VMON_A_MAX + 1];
	int r;

	if (nlh->nlmsg_seq != c->seq) {
		if (c->stray)
			c->stray(nlh, c->stray_arg);
		return 0;
	}
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		r = nl_parse_error(nlh, err);
		return r < 0 ? r : 1;
	case NLMSG_DONE:
		if (nlmsg_datalen(nlh) >= (int)sizeof(int)) {
			memcpy(&r, nlmsg_data(nlh), sizeof(r));
			if (r < 0) {
				r = errno_of(r);
				return fail(err, -r, "vmon module: %s", strerror(-r));
			}
		}
		return 1;
	default:
		if (nlh->nlmsg_type == c->family && c->reply && nl_parse_attrs(nlh, attr))
			c->reply(nlh, attr, c->arg);
		return 0;
	}
}

static int receive(struct nl_link *l, const struct call *c, struct error *err)
{
	static char buf[64 << 10] __attribute__((aligned(8)));
	struct pollfd p = { .fd = nl_link_fd(l), .events = POLLIN };
	struct nlmsghdr *nlh;
	int left, r;

	for (;;) {
		r = poll(&p, 1, ANSWER_MS);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return fail(err, ETIMEDOUT, "vmon module does not answer");
		left = recv(p.fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (left < 0) {
			if (errno == EINTR || errno == EAGAIN || errno == ENOBUFS)
				continue;
			return fail(err, errno, "netlink: cannot receive: %s",
				    strerror(errno));
		}
		/* All of a datagram is looked at, also past the answer. */
		r = 0;
		for (nlh = (struct nlmsghdr *)buf; nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left)) {
			int x = handle(c, nlh, err);

			if (!r)
				r = x;
		}
		if (r)
			return r < 0 ? r : 0;
	}
}

/**
 * nl_link_call() - send a request and wait for its answer
 * @l: link
 * @msg: from nl_link_request(); freed. NULL: out of memory.
 * @reply: called for every answering message, or NULL
 * @arg: for @reply
 * @stray: called for messages that are no answer, or NULL to drop them
 * @stray_arg: for @stray
 * @err: the module's sentence
 *
 * Return: 0 or a negative errno.
 */
int nl_link_call(struct nl_link *l, struct nl_msg *msg, nl_reply_fn reply, void *arg,
		 nl_stray_fn stray, void *stray_arg, struct error *err)
{
	struct call c = {
		.family = l->family, .reply = reply, .arg = arg,
		.stray = stray, .stray_arg = stray_arg,
	};
	int r;

	if (!msg)
		return fail(err, ENOMEM, "out of memory");
	nl_complete_msg(l->sk, msg);
	c.seq = nlmsg_hdr(msg)->nlmsg_seq;
	r = nl_send(l->sk, msg);
	nlmsg_free(msg);
	if (r < 0)
		return fail(err, EIO, "netlink: cannot send: %s", nl_geterror(r));
	return receive(l, &c, err);
}
