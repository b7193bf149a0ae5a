// SPDX-License-Identifier: GPL-2.0
/*
 * Links of network cards over real descriptors: frames in and out of passt's stream in whatever
 * pieces, a peer that is slow, dead, or talks nonsense; and a tap device where there can be one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"
#include "vmond/net.h"

static sd_event *event;
static struct net *net;
static int peer = -1;
static bool thirsty;		/* the card takes all frames at once */
static unsigned int events, works, got, wrong;
static size_t got_size;
static u8 data[NET_FRAME_MAX], stream[1 << 20];

/* Byte @i of frame @n. */
static u8 byte(unsigned int n, size_t i)
{
	return n * 31 + i * 7 + (i >> 8);
}

/* Frames come in order. */
static void drink(unsigned int max)
{
	const u8 *p;
	size_t size, i;

	while (max-- && (p = net->peek(net, &size))) {
		for (i = 0; i < size; i++)
			if (p[i] != byte(got, i)) {
				wrong++;
				break;
			}
		got++;
		got_size = size;
		net->take(net);
	}
}

static void on_event(struct net *n)
{
	events++;
	if (thirsty)
		drink(~0u);
}

static void on_work(void *arg)
{
	works++;
}

/* Until nothing more happens. */
static void settle(void)
{
	while (sd_event_run(event, 20000) > 0)
		;
}

static bool plug(int fd, enum net_kind kind)
{
	const struct net_owner owner = { "test", on_work, NULL };
	struct net_config config = { .fd = fd, .kind = kind, .id = "net0" };
	struct error err;

	events = 0;
	works = 0;
	got = 0;
	wrong = 0;
	thirsty = true;
	if (net_open(event, &config, &owner, &net, &err) < 0) {
		printf("# %s\n", err.text);
		return false;
	}
	net->event = on_event;
	close(fd);
	return true;
}

static void begin(void)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || !plug(s[0], NET_NAT))
		exit(1);
	peer = s[1];
}

static void end(void)
{
	net_close(net);
	if (peer >= 0)
		close(peer);
	peer = -1;
}

static size_t put_frame(u8 *p, unsigned int n, size_t size)
{
	size_t i;

	for (i = 0; i < 4; i++)
		p[i] = size >> 8 * (3 - i);
	for (i = 0; i < size; i++)
		p[4 + i] = byte(n, i);
	return 4 + size;
}

static void test_receive(void)
{
	size_t n = 0, i;
	unsigned int k;

	begin();
	for (k = 0; k < 20; k++)
		n += put_frame(stream + n, k, 14 + k * 79);
	for (i = 0; i < n; i += 13) {
		(void)!write(peer, stream + i, n - i < 13 ? n - i : 13);
		if (!(i % 3))
			settle();
	}
	settle();
	tap_ok(got == 20 && !wrong && works, "20 frames in pieces of 13 bytes");
	n = put_frame(stream, 20, NET_FRAME_MAX);
	(void)!write(peer, stream, n);
	settle();
	tap_ok(got == 21 && !wrong && got_size == NET_FRAME_MAX, "the largest frame");
	thirsty = false;
	n = 0;
	for (k = 21; k < 71; k++)
		n += put_frame(stream + n, k, 1000);
	(void)!write(peer, stream, n);
	settle();
	events = 0;
	(void)!write(peer, stream, put_frame(stream, 71, 1000));
	settle();
	tap_ok(got == 21 && !events, "a card that takes nothing is left alone");
	drink(10);
	settle();
	tap_ok(got == 31 && !events, "one that takes a few frames as well");
	thirsty = true;
	drink(~0u);
	tap_ok(got == 72 && !wrong, "what waited is there");
	(void)!write(peer, stream, put_frame(stream, 72, 60));
	settle();
	tap_ok(got == 73 && !wrong && events, "and it is told of what comes then");
	end();
}

/* How much the peer finds; frames must be @size bytes of the first frame's. */
static unsigned int read_frames(size_t size, unsigned int *bad)
{
	static u8 buf[1 << 17];
	static size_t have;
	unsigned int n = 0;
	ssize_t r;

	while ((r = recv(peer, buf + have, sizeof(buf) - have, MSG_DONTWAIT)) > 0) {
		u8 *p = buf;

		have += r;
		while (have >= 4 + size) {
			*bad += p[0] || p[1] != size >> 16 || p[2] != (u8)(size >> 8) ||
				p[3] != (u8)size || memcmp(p + 4, data, size);
			n++;
			p += 4 + size;
			have -= 4 + size;
		}
		memmove(buf, p, have);
	}
	return n;
}

static void test_send(void)
{
	unsigned int sent = 0, found = 0, bad = 0, rounds;
	size_t i;

	begin();
	for (i = 0; i < sizeof(data); i++)
		data[i] = byte(0, i);
	net->send(net, data, 60);
	net->send(net, data, 60);
	tap_ok(!read_frames(60, &bad), "frames are gathered");
	net->flush(net);
	tap_ok(read_frames(60, &bad) == 2 && !bad, "and sent together");
	while (net->ready(net)) {
		net->send(net, data, 60000);
		if (++sent % 3 == 0)
			net->flush(net);
	}
	tap_ok(sent > 3, "a peer that does not read has room for %u frames", sent);
	settle();
	tap_ok(!events, "nobody is woken before it reads");
	for (rounds = 0; rounds < 100 && found < sent; rounds++) {
		found += read_frames(60000, &bad);
		settle();
	}
	tap_ok(found == sent && !bad && events && net->ready(net), "then all of it comes, in order");
	end();
}

/* passt would be lost: whatever it finds when it reads is whole frames. */
static void test_whole(void)
{
	unsigned int sent = 0, cut = 0, rounds;
	ssize_t n, found = 0;

	begin();
	for (rounds = 0; rounds < 50; rounds++) {
		while (net->ready(net)) {
			net->send(net, data, 1000);
			sent++;
		}
		net->flush(net);
		n = recv(peer, stream, rounds % 2 ? sizeof(stream) : 10 * 1004, MSG_DONTWAIT);
		cut += n % 1004 != 0;
		found += n > 0 ? n : 0;
		settle();
	}
	while ((n = recv(peer, stream, sizeof(stream), MSG_DONTWAIT)) > 0) {
		cut += n % 1004 != 0;
		found += n;
		settle();
	}
	tap_ok(!cut && found == sent * 1004l, "no frame of %u is cut: %u are", sent, cut);
	end();
}

static void lost(const char *name)
{
	settle();
	tap_ok(!net->up && events && works, "%s", name);
	events = 0;
	settle();
	/* Nothing is to hang at what is no more. */
	if (events || !net->ready(net))
		tap_ok(false, "%s: and again", name);
	end();
}

static void test_loss(void)
{
	begin();
	(void)!write(peer, stream, put_frame(stream, 0, 100));
	close(peer);
	peer = -1;
	settle();
	tap_ok(got == 1, "the last frame before passt's end comes");
	lost("passt has ended");
	begin();
	thirsty = false;
	(void)!write(peer, stream, put_frame(stream, 0, 100));
	close(peer);
	peer = -1;
	lost("passt has ended while the card takes nothing");
	begin();
	(void)!write(peer, "\377\377\377\377", 4);
	lost("a size that is none");
	begin();
	(void)!write(peer, "\0\0\0\1x", 5);
	lost("a frame that is none");
	begin();
	shutdown(peer, SHUT_RD);
	net->send(net, data, 60);
	net->flush(net);
	net->event(net);
	works = 1;
	lost("passt reads no more");
}

static void test_refused(void)
{
	struct net_config config = { .kind = NET_NAT, .id = "net0" };
	const struct net_owner owner = { "test", on_work, NULL };
	struct error err;

	config.fd = open("/dev/null", O_RDWR);
	tap_ok(net_open(event, &config, &owner, &net, &err) == -EINVAL, "%s", err.text);
	config.kind = NET_TAP;
	tap_ok(net_open(event, &config, &owner, &net, &err) == -EINVAL, "%s", err.text);
	close(config.fd);
}

static void test_mac(void)
{
	u8 a[NET_MAC], b[NET_MAC], c[NET_MAC], again[NET_MAC];

	net_default_mac("web", 0, a);
	net_default_mac("web", 1, b);
	net_default_mac("wec", 0, c);
	net_default_mac("web", 0, again);
	tap_ok((a[0] & 3) == 2 && !memcmp(a, again, NET_MAC) && memcmp(a, b, NET_MAC) &&
	       memcmp(a, c, NET_MAC), "addresses of cards");
}

/* In a network namespace of our own, where that and /dev/net/tun are to be had. */
static int make_tap(void)
{
	struct ifreq ifr = { .ifr_name = "tap0", .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd, s;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = open("/dev/net/tun", O_RDWR);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		return -1;
	s = socket(AF_INET, SOCK_DGRAM, 0);
	ifr.ifr_flags = IFF_UP;
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		return -1;
	close(s);
	return fd;
}

static void test_tap(void)
{
	int fd = make_tap();
	unsigned int i;

	if (fd < 0) {
		for (i = 0; i < 3; i++)
			tap_skip("tap", "no tap device can be made here: %s", strerror(errno));
		return;
	}
	if (!plug(fd, NET_TAP))
		exit(1);
	settle();
	/* The host's IPv6 looks for routers. */
	for (i = 0; i < 200 && !got; i++)
		(void)sd_event_run(event, 20000);
	tap_ok(net->up && (got || !events), "a tap device: %u frames of the host's", got);
	memset(data, 0xff, 6);
	for (i = 0; i < 10 && net->ready(net); i++)
		net->send(net, data, 60);
	tap_ok(i == 10 && !net->stats.tx_dropped, "takes frames");
	net->send(net, data, NET_FRAME_MAX);
	tap_ok(net->up && net->ready(net), "and goes on after one that is too large");
	net_close(net);
}

int main(void)
{
	tap_plan(6 + 5 + 1 + 6 + 2 + 1 + 3);
	if (sd_event_default(&event) < 0)
		return 1;
	test_receive();
	test_send();
	test_whole();
	test_loss();
	test_refused();
	test_mac();
	test_tap();
	sd_event_unref(event);
	return tap_done();
}
