// SPDX-License-Identifier: GPL-2.0
/*
 * Both kinds of link that a network card can have, in the event loop.
 *
 *	nat	a stream socket to passt(1): frames, each behind its size, 32 bits, big-endian
 *	tap	a tap device: a frame a read or write
 *
 * A link is watched for input only when the card has taken all that had come before. So a guest
 * without buffers makes the kernel's queue fill up, not ours, and its peer slows down.
 *
 * A link that is lost stays lost: the guest sees the cable pulled out, and nothing else happens.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/messages.h"
#include "vmond/log.h"
#include "vmond/net.h"

#define PREFIX		4	/* bytes of a size */
#define BUFFER		(4 * (PREFIX + NET_FRAME_MAX))
#define MESSAGES	64	/* at a time */

/**
 * struct net_link - a link
 * @net:	what the card sees
 * @owner:	whose
 * @id:		for the log
 * @fd:		socket or tap device
 * @nat:	it is a socket
 * @empty:	nothing more to read: watched for input
 * @full:	it takes no more: watched for room
 * @watched:	what it is watched for
 * @in, @in_at, @in_end: bytes that were read, and which of them are to come
 * @out, @out_at, @out_end: the same of those to be written
 * @out_rest:	how many of them belong to a frame that went in part
 */
struct net_link {
	struct net net;
	struct net_owner owner;
	char *id;
	int fd;
	bool nat;
	bool empty, full;
	u32 watched;
	sd_event_source *source;
	u8 in[BUFFER], out[BUFFER];
	size_t in_at, in_end, out_at, out_end, out_rest;
};

static struct net_link *to_link(struct net *net)
{
	return container_of(net, struct net_link, net);
}

/**
 * net_default_mac() - the address of a card that was given none
 * @guest: its guest's name
 * @card: number of the card
 * @mac: gets it
 *
 * Locally administered, and the same whenever the guest is started: FNV-1a of the name.
 */
void net_default_mac(const char *guest, unsigned int card, u8 *mac)
{
	u64 hash = 0xcbf29ce484222325ull;
	unsigned int i;

	for (; *guest; guest++)
		hash = (hash ^ (u8)*guest) * 0x100000001b3ull;
	hash = (hash ^ card) * 0x100000001b3ull;
	mac[0] = 0x02;
	for (i = 1; i < NET_MAC; i++)
		mac[i] = hash >> 8 * i;
}

static void watch(struct net_link *l)
{
	u32 events = (l->empty ? EPOLLIN : 0) | (l->full ? EPOLLOUT : 0);

	if (!l->net.up || events == l->watched)
		return;
	l->watched = events;
	(void)sd_event_source_set_io_events(l->source, events);
}

/* The card finds out by @up. */
static void lose(struct net_link *l, const char *why)
{
	if (!l->net.up)
		return;
	l->net.up = false;
	(void)sd_event_source_set_enabled(l->source, SD_EVENT_OFF);
	log_guest(4, MESSAGE_LINK_LOST, l->owner.guest,
		  "VM '%s': network '%s': %s, so the guest's link is down until it is started anew%s",
		  l->owner.guest, l->id, why,
		  l->nat ? "; 'journalctl -t passt' may say why" : "");
}

static void lose_errno(struct net_link *l, int error)
{
	char why[80];

	if (l->nat && (error == EPIPE || error == ECONNRESET)) {
		lose(l, "passt has ended");
	} else if (!l->nat && (error == EBADFD || error == ENODEV || error == EIO)) {
		lose(l, "its tap device has been removed");
	} else {
		snprintf(why, sizeof(why), "%s", strerror(error));
		lose(l, why);
	}
}

/* Read what there is. Return: whether anything came. */
static bool read_more(struct net_link *l)
{
	ssize_t n;

	if (l->empty || !l->net.up)
		return false;
	memmove(l->in, l->in + l->in_at, l->in_end - l->in_at);
	l->in_end -= l->in_at;
	l->in_at = 0;
	do {
		n = read(l->fd, l->in + l->in_end,
			 l->nat ? BUFFER - l->in_end : NET_FRAME_MAX);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		l->in_end += n;
		return true;
	}
	if (!n && l->nat)
		lose(l, "passt has ended");
	else if (n < 0 && errno != EAGAIN)
		lose_errno(l, errno);
	l->empty = true;
	watch(l);
	return false;
}

static size_t size_at(const u8 *p)
{
	return (size_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static const u8 *nat_peek(struct net *net, size_t *size)
{
	struct net_link *l = to_link(net);
	const u8 *p;

	do {
		p = l->in + l->in_at;
		if (l->in_end - l->in_at < PREFIX)
			continue;
		*size = size_at(p);
		if (*size < NET_FRAME_MIN || *size > NET_FRAME_MAX) {
			lose(l, "passt has sent what cannot be a frame");
			return NULL;
		}
		if (l->in_end - l->in_at >= PREFIX + *size)
			return p + PREFIX;
	} while (read_more(l));
	return NULL;
}

static void nat_take(struct net *net)
{
	struct net_link *l = to_link(net);

	l->in_at += PREFIX + size_at(l->in + l->in_at);
}

/* The frames at hand, a message each; what is left of one that went in part is the first. */
static unsigned int gather(struct net_link *l, struct mmsghdr *msg, struct iovec *iov)
{
	size_t at = l->out_at, size = l->out_rest;
	unsigned int n;

	for (n = 0; n < MESSAGES && at < l->out_end; n++) {
		if (!size)
			size = PREFIX + size_at(l->out + at);
		iov[n] = (struct iovec){ l->out + at, size };
		msg[n].msg_hdr = (struct msghdr){ .msg_iov = &iov[n], .msg_iovlen = 1 };
		at += size;
		size = 0;
	}
	return n;
}

/*
 * passt reads as much as there is, and some versions of it are lost when that ends within a
 * size. The kernel keeps what is sent with one message together. So a frame is a message.
 */
static void nat_flush(struct net *net)
{
	struct net_link *l = to_link(net);
	struct mmsghdr msg[MESSAGES];
	struct iovec iov[MESSAGES];
	int i, n;

	while (l->out_at < l->out_end && !l->full && net->up) {
		n = sendmmsg(l->fd, msg, gather(l, msg, iov), MSG_NOSIGNAL);
		for (i = 0; i < n; i++) {
			l->out_at += msg[i].msg_len;
			l->out_rest = iov[i].iov_len - msg[i].msg_len;
		}
		if (n < 0 && errno == EAGAIN)
			l->full = true;
		else if (n < 0 && errno != EINTR)
			lose_errno(l, errno);
	}
	if (l->out_at == l->out_end) {
		l->out_at = 0;
		l->out_end = 0;
	}
	watch(l);
}

static bool nat_ready(struct net *net)
{
	struct net_link *l = to_link(net);

	if (BUFFER - l->out_end < PREFIX + NET_FRAME_MAX)
		nat_flush(net);
	if (BUFFER - l->out_end < PREFIX + NET_FRAME_MAX) {
		memmove(l->out, l->out + l->out_at, l->out_end - l->out_at);
		l->out_end -= l->out_at;
		l->out_at = 0;
	}
	return !net->up || BUFFER - l->out_end >= PREFIX + NET_FRAME_MAX;
}

static void nat_send(struct net *net, const u8 *frame, size_t size)
{
	struct net_link *l = to_link(net);
	u8 *p = l->out + l->out_end;
	unsigned int i;

	for (i = 0; i < PREFIX; i++)
		p[i] = size >> 8 * (PREFIX - 1 - i);
	memcpy(p + PREFIX, frame, size);
	l->out_end += PREFIX + size;
}

static const u8 *tap_peek(struct net *net, size_t *size)
{
	struct net_link *l = to_link(net);

	while (l->in_end < NET_FRAME_MIN) {
		if (l->in_end)
			net->stats.rx_dropped++;
		l->in_end = 0;
		if (!read_more(l))
			return NULL;
	}
	*size = l->in_end;
	return l->in;
}

static void tap_take(struct net *net)
{
	to_link(net)->in_end = 0;
}

/* The frame at hand. */
static void tap_flush(struct net *net)
{
	struct net_link *l = to_link(net);

	if (!l->out_end || l->full || !net->up)
		return;
	if (write(l->fd, l->out, l->out_end) < 0) {
		if (errno == EAGAIN || errno == EINTR) {
			l->full = true;
			watch(l);
			return;
		}
		if (errno == EBADFD)
			lose_errno(l, errno);
		/* Down, or it does not like the frame. */
		net->stats.tx_dropped++;
	}
	l->out_end = 0;
}

static bool tap_ready(struct net *net)
{
	return !net->up || !to_link(net)->out_end;
}

static void tap_send(struct net *net, const u8 *frame, size_t size)
{
	struct net_link *l = to_link(net);

	memcpy(l->out, frame, size);
	l->out_end = size;
	tap_flush(net);
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct net_link *l = arg;
	struct net *net = &l->net;

	(void)s;
	(void)fd;
	/* An end may come with the last bytes before it: those first. */
	if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
		l->empty = false;
	if (revents & EPOLLOUT) {
		l->full = false;
		net->flush(net);
	}
	net->event(net);
	if (revents & (EPOLLHUP | EPOLLERR)) {
		lose_errno(l, l->nat ? EPIPE : EBADFD);
		net->event(net);
	}
	watch(l);
	l->owner.work(l->owner.arg);
	return 0;
}

static int check_socket(int fd, const struct net_config *c, struct error *err)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM)
		return fail(err, EINVAL,
			    "network '%s': its descriptor is no stream socket: vmond and vmonctl are of different versions",
			    c->id);
	return 0;
}

static int check_tap(int fd, const struct net_config *c, struct error *err)
{
	struct ifreq ifr = { 0 };

	if (ioctl(fd, TUNGETIFF, &ifr) < 0 || !(ifr.ifr_flags & IFF_TAP) ||
	    !(ifr.ifr_flags & IFF_NO_PI) || (ifr.ifr_flags & IFF_VNET_HDR))
		return fail(err, EINVAL,
			    "network '%s': its descriptor is no tap device: vmond and vmonctl are of different versions",
			    c->id);
	return 0;
}

/**
 * net_open() - make a link of what a client has passed
 * @event: loop
 * @config: what; its descriptor stays the caller's
 * @owner: for whom; its strings stay the caller's
 * @ret: what to plug a card into
 * @err: why not
 */
int net_open(sd_event *event, const struct net_config *config, const struct net_owner *owner,
	     struct net **ret, struct error *err)
{
	static const struct net nat = {
		.up = true, .peek = nat_peek, .take = nat_take, .ready = nat_ready,
		.send = nat_send, .flush = nat_flush,
	}, tap = {
		.up = true, .peek = tap_peek, .take = tap_take, .ready = tap_ready,
		.send = tap_send, .flush = tap_flush,
	};
	struct net_link *l;
	int r;

	r = config->kind == NET_NAT ? check_socket(config->fd, config, err) :
				      check_tap(config->fd, config, err);
	if (r < 0)
		return r;
	l = calloc(1, sizeof(*l));
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	l->net = config->kind == NET_NAT ? nat : tap;
	l->nat = config->kind == NET_NAT;
	l->owner = *owner;
	l->empty = true;
	l->watched = EPOLLIN;
	memcpy(l->net.mac, config->mac, NET_MAC);
	l->id = strdup(config->id);
	l->fd = fcntl(config->fd, F_DUPFD_CLOEXEC, 3);
	r = l->id && l->fd >= 0 ? fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) | O_NONBLOCK) : -1;
	r = r < 0 ? -errno : sd_event_add_io(event, &l->source, l->fd, EPOLLIN, on_io, l);
	if (r < 0) {
		net_close(&l->net);
		return fail(err, -r, "network '%s': %s", config->id, strerror(-r));
	}
	*ret = &l->net;
	return 0;
}

/* For whoever is at the other end, passt among them, this is the end. */
void net_close(struct net *net)
{
	struct net_link *l = to_link(net);

	sd_event_source_disable_unref(l->source);
	if (l->fd >= 0)
		close(l->fd);
	free(l->id);
	free(l);
}
