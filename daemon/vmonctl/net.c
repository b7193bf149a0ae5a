// SPDX-License-Identifier: GPL-2.0
/*
 * Links of a guest's network cards: opened here, with the rights of the user, and given to vmond
 * as descriptors.
 *
 * A tap device is opened. For NAT there must be a passt(1) at the other end of a socket: where
 * systemd listens on VMON_NAT_SOCKET it starts one for each connection, in a unit that may do what
 * passt needs and nothing else; elsewhere it is started here, and goes into the background. Either
 * way nobody has to end it: it ends when the socket is closed, which vmond does with the guest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netdb.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/version.h"
#include "vmonctl/net.h"
#include "vmonctl/vmonctl.h"

#define TUN		"/dev/net/tun"
#define PASST_FD	3
#define NAT_BUFFER	(4 << 20)
#define ARGS_MAX	(12 + 2 * NET_FORWARDS_MAX)
#define ARG_SIZE	80

/* What passt is started with. */
struct passt_args {
	char text[2 * NET_FORWARDS_MAX][ARG_SIZE];
	char *argv[ARGS_MAX + 1];
};

static int tap_failed(const char *name, int error)
{
	switch (error) {
	case EBUSY:
		return complain(-1, "tap '%s' is in use by another guest or program: stop it, or use another device",
				name);
	case EPERM:
	case EACCES:
		return complain(-1, "tap '%s': %s: become root, or have it made for you: 'ip tuntap add mode tap user %s %s'",
				name, strerror(error), "USER", name);
	case EINVAL:
		return complain(-1, "tap '%s' is no tap device with one queue: 'ip tuntap add mode tap NAME' makes one",
				name);
	default:
		return complain(-1, "tap '%s': %s", name, strerror(error));
	}
}

static int open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd, error;

	fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return complain(-1, "tap '%s': %s is missing: 'modprobe tun' makes it", name, TUN);
	if (fd < 0)
		return complain(-1, "tap '%s': %s: %s: become root, or be given access to it",
				name, TUN, strerror(errno));
	/* The kernel would make one that is connected to nothing. */
	if (!if_nametoindex(name)) {
		close(fd);
		return complain(-1, "tap '%s': no such device: 'ip tuntap add mode tap %s && ip link set %s up' makes it",
				name, name, name);
	}
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	if (!ioctl(fd, TUNSETIFF, &ifr))
		return fd;
	error = errno;
	close(fd);
	return tap_failed(name, error);
}

/* passt goes on when it does not get all of a port's addresses: so ask before it does. */
static int check_port(const struct net_forward *f)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = f->udp ? SOCK_DGRAM : SOCK_STREAM,
	};
	struct addrinfo *list, *a;
	int fd, on = 1, r = 0;
	char port[8];

	snprintf(port, sizeof(port), "%u", f->host);
	if (getaddrinfo(*f->address ? f->address : NULL, port, &hints, &list))
		return complain(-1, "net: forward: '%s' is no address: give one of this host's",
				f->address);
	for (a = list; a && !r; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd < 0)
			continue;	/* a unit may have no such sockets */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (a->ai_family == AF_INET6)
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 ||
		    (!f->udp && listen(fd, 1) < 0))
			r = errno;
		close(fd);
	}
	freeaddrinfo(list);
	if (r == EADDRINUSE)
		return complain(-1, "net: port %u of the host is taken by another guest or program: stop it, or forward another",
				f->host);
	if (r && *f->address)
		return complain(-1, "net: forward: address '%s', port %u: %s: give one of this host's",
				f->address, f->host, strerror(r));
	return 0;
}

static void add_arg(struct passt_args *a, unsigned int *n, const char *arg)
{
	a->argv[(*n)++] = (char *)arg;
}

/* Frames no longer than the card's, and the host's loopback only for whoever wants it. */
static void make_args(struct passt_args *a, const struct net_option *o)
{
	unsigned int i, n = 0;
	char *text;

	add_arg(a, &n, "passt");
	add_arg(a, &n, "--quiet");
	add_arg(a, &n, "--mtu");
	add_arg(a, &n, "1500");
	if (!o->host)
		add_arg(a, &n, "--no-map-gw");
	for (i = 0; i < o->n_forwards; i++) {
		const struct net_forward *f = &o->forwards[i];

		text = a->text[i];
		snprintf(text, ARG_SIZE, "%s%s%u:%u", f->address, *f->address ? "/" : "",
			 f->host, f->guest);
		add_arg(a, &n, f->udp ? "--udp-ports" : "--tcp-ports");
		add_arg(a, &n, text);
	}
	a->argv[n] = NULL;
}

/* The last line that passt has said before it gave up. */
static void last_line(int fd, char *line, size_t size)
{
	size_t n = 0;
	ssize_t got;
	char *p;

	while (n < size - 1 && (got = read(fd, line + n, size - 1 - n)) > 0)
		n += got;
	while (n && line[n - 1] == '\n')
		n--;
	line[n] = 0;
	p = strrchr(line, '\n');
	if (p)
		memmove(line, p + 1, strlen(p + 1) + 1);
}

/* Return: its exit status, which is 0 once it is in the background. */
static int spawn_passt(struct passt_args *a, int fd, char *said, size_t size)
{
	posix_spawn_file_actions_t actions;
	int out[2], status = -1, r;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	posix_spawn_file_actions_adddup2(&actions, out[1], 2);
	posix_spawn_file_actions_adddup2(&actions, fd, PASST_FD);
	r = posix_spawnp(&pid, a->argv[0], &actions, NULL, a->argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	if (!r) {
		last_line(out[0], said, size);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(out[0]);
	return r ? -r : status;
}

static int start_passt(struct passt_args *a)
{
	char said[512] = "", fd_text[8];
	unsigned int n;
	int s[2], r;

	for (n = 0; a->argv[n]; n++)
		;
	snprintf(fd_text, sizeof(fd_text), "%d", PASST_FD);
	add_arg(a, &n, "--fd");
	add_arg(a, &n, fd_text);
	a->argv[n] = NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return complain(-1, "net: cannot make a socket: %s", strerror(errno));
	/* passt drops what the socket has no room for. */
	(void)setsockopt(s[1], SOL_SOCKET, SO_SNDBUFFORCE, &(int){ NAT_BUFFER }, sizeof(int));
	r = spawn_passt(a, s[1], said, sizeof(said));
	close(s[1]);
	if (!r)
		return s[0];
	close(s[0]);
	if (r == -ENOENT)
		return complain(-1, "net 'nat' needs passt, which is not there: install the package passt, or use tap=DEVICE");
	return complain(-1, "net 'nat': passt gives up: %s", r < 0 ? strerror(-r) : said);
}

/* Have systemd start one: it gets a line with its arguments. -ENOENT: nobody listens. */
static int ask_for_passt(const struct passt_args *a)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = VMON_NAT_SOCKET };
	char line[ARGS_MAX * ARG_SIZE] = "";
	size_t n = 0;
	unsigned int i;
	int fd;

	/* Another vmond than the system's: a test, or one that was not installed. */
	if (strcmp(socket_path, VMON_BUS_SOCKET) != 0)
		return -ENOENT;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return complain(-1, "net: cannot make a socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		i = errno;
		close(fd);
		if (i == ENOENT || i == ECONNREFUSED)
			return -ENOENT;
		return complain(-1, "net 'nat': %s: %s: see 'systemctl status vmon-nat.socket'",
				VMON_NAT_SOCKET, strerror(i));
	}
	for (i = 1; a->argv[i]; i++)
		n += snprintf(line + n, sizeof(line) - n, "%s%s", i > 1 ? " " : "", a->argv[i]);
	line[n++] = '\n';
	if (send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n)
		return fd;
	close(fd);
	return complain(-1, "net 'nat': %s: cannot send: see 'systemctl status vmon-nat.socket'",
			VMON_NAT_SOCKET);
}

static int open_nat(const struct net_option *o)
{
	struct passt_args args;
	unsigned int i;
	int fd;

	for (i = 0; i < o->n_forwards; i++)
		if (check_port(&o->forwards[i]) < 0)
			return -1;
	make_args(&args, o);
	fd = ask_for_passt(&args);
	return fd == -ENOENT ? start_passt(&args) : fd;
}

/**
 * net_link_open() - open what a network card is to be plugged into
 * @o: what the user has written, not of kind NET_OPTION_NONE
 *
 * Return: descriptor, or -1 after a message.
 */
int net_link_open(const struct net_option *o)
{
	return o->kind == NET_OPTION_TAP ? open_tap(o->tap) : open_nat(o);
}
