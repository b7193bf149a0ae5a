// SPDX-License-Identifier: GPL-2.0
/*
 * Packets between vmond and vmon-keeper, with at most one descriptor each.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmond/keeper.h"

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/**
 * keeper_send() - send a packet
 * @socket: to the other
 * @verb: enum keeper_verb
 * @name: of the descriptor, or ""
 * @fd: descriptor to go with it, or -1
 *
 * Return: 0 or -errno.
 */
int keeper_send(int socket, u32 verb, const char *name, int fd)
{
	struct keeper_packet packet = { .verb = verb };
	struct iovec iov = { &packet, sizeof(packet) };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	memcpy(packet.name, name, strnlen(name, sizeof(packet.name) - 1));
	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/**
 * keeper_receive() - wait for a packet
 * @socket: to the other
 * @packet: to fill in
 * @fd: gets the descriptor that came with it, or -1
 *
 * Return: 0, -EPIPE: the other has gone, or another error.
 */
int keeper_receive(int socket, struct keeper_packet *packet, int *fd)
{
	struct iovec iov = { packet, sizeof(*packet) };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(*fd)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	packet->name[sizeof(packet->name) - 1] = 0;
	if (n == sizeof(*packet))
		return 0;
	if (*fd >= 0)
		close(*fd);
	return n ? -EBADMSG : -EPIPE;
}
