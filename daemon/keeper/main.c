// SPDX-License-Identifier: GPL-2.0
/*
 * vmon-keeper: holds descriptors for vmond while there is none, where no systemd does.
 *
 * vmond starts it with the socket that it listens on, serves one vmond at a time, and ends when
 * none needs it: nobody is connected and nothing is kept, or nobody has come for what is for
 * longer than the module would have kept it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmond/keeper.h"

#define SLACK_MS	60000	/* for a vmond that comes at the last moment */

struct kept_fd {
	char name[STORE_NAME];
	int fd;
};

static struct kept_fd kept[STORE_MAX];
static unsigned int n_kept;

static void drop(const char *name)
{
	unsigned int i;

	for (i = 0; i < n_kept && strcmp(kept[i].name, name); i++)
		;
	if (i == n_kept)
		return;
	close(kept[i].fd);
	kept[i] = kept[--n_kept];
}

static void put(const char *name, int fd)
{
	drop(name);
	if (fd < 0)
		return;
	if (n_kept == STORE_MAX) {
		close(fd);
		return;
	}
	snprintf(kept[n_kept].name, STORE_NAME, "%s", name);
	kept[n_kept++].fd = fd;
}

static int list(int peer)
{
	unsigned int i;
	int r = 0;

	for (i = 0; i < n_kept && !r; i++)
		r = keeper_send(peer, KEEPER_PUT, kept[i].name, kept[i].fd);
	return r ? r : keeper_send(peer, KEEPER_END, "", -1);
}

/* Until it goes. */
static void serve(int peer)
{
	struct keeper_packet packet = { 0 };
	int fd;

	while (!keeper_receive(peer, &packet, &fd)) {
		if (packet.verb == KEEPER_PUT) {
			put(packet.name, fd);
			continue;
		}
		if (fd >= 0)
			close(fd);
		if (packet.verb == KEEPER_DROP)
			drop(packet.name);
		else if (packet.verb != KEEPER_LIST || list(peer))
			return;
	}
}

static bool is_root(int peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &cred, &len) && !cred.uid;
}

/* The name goes before the socket: who finds it finds somebody. */
static int leave(int listener)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = sizeof(addr);

	if (!getsockname(listener, (struct sockaddr *)&addr, &len) && *addr.sun_path)
		(void)unlink(addr.sun_path);
	return 0;
}

int main(int argc, char **argv)
{
	struct pollfd p = { .events = POLLIN };
	int peer;

	if (argc != 3) {
		fputs("usage: vmon-keeper SOCKET CLAIM-TIME\n\nvmond starts it; see vmond(8).\n",
		      stderr);
		return 2;
	}
	p.fd = atoi(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);	/* guests' memory is in reach */
	for (;;) {
		if (poll(&p, 1, atoi(argv[2]) + SLACK_MS) < 1 && errno != EINTR)
			return leave(p.fd);
		peer = accept4(p.fd, NULL, NULL, SOCK_CLOEXEC);
		if (peer < 0)
			continue;
		if (is_root(peer))
			serve(peer);
		close(peer);
		if (!n_kept)
			return leave(p.fd);
	}
}
