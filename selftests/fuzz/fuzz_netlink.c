// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's side of the protocol, with a module that answers whatever the input says:
 * messages of any type with any attributes, cut, out of order, or none. Sockets are
 * replaced (the linker's --wrap); all else is vmond's own. Every call returns, and what it
 * fills in is in bounds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netlink.h>
#include <netlink/genl/genl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmond/engine.h"
#include "vmond/netlink.h"

#define FAMILY	30
#define CALLS	12u

static struct fuzz_in *input;
static u32 expected;		/* sequence number of the request that waits */

int __wrap_genl_connect(struct nl_sock *sk);
int __wrap_genl_ctrl_resolve(struct nl_sock *sk, const char *name);
int __wrap_genl_ctrl_resolve_grp(struct nl_sock *sk, const char *family, const char *grp);
int __wrap_nl_socket_add_membership(struct nl_sock *sk, int group);
int __wrap_nl_socket_get_fd(const struct nl_sock *sk);
int __wrap_nl_send(struct nl_sock *sk, struct nl_msg *msg);
int __wrap_setsockopt(int fd, int level, int name, const void *val, socklen_t len);
int __wrap_poll(struct pollfd *p, nfds_t n, int ms);
ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *msg, unsigned int n, int flags,
		    struct timespec *timeout);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);

int __wrap_genl_connect(struct nl_sock *sk)
{
	return 0;
}

int __wrap_genl_ctrl_resolve(struct nl_sock *sk, const char *name)
{
	return FAMILY;
}

int __wrap_genl_ctrl_resolve_grp(struct nl_sock *sk, const char *family, const char *grp)
{
	return 5;
}

int __wrap_nl_socket_add_membership(struct nl_sock *sk, int group)
{
	return 0;
}

int __wrap_nl_socket_get_fd(const struct nl_sock *sk)
{
	return 1000;
}

int __wrap_nl_send(struct nl_sock *sk, struct nl_msg *msg)
{
	expected = nlmsg_hdr(msg)->nlmsg_seq;
	return nlmsg_hdr(msg)->nlmsg_len;
}

int __wrap_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	return 0;
}

int __wrap_poll(struct pollfd *p, nfds_t n, int ms)
{
	return fuzz_left(input) ? 1 : 0;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	const struct nlmsghdr *n = buf;
	size_t left = len;

	/* What vmond sends is well formed, whatever it was told. */
	for (; NLMSG_OK(n, left); n = NLMSG_NEXT(n, left))
		fuzz_check(n->nlmsg_type == FAMILY && n->nlmsg_flags == NLM_F_REQUEST,
			   "type %u, flags %#x", n->nlmsg_type, n->nlmsg_flags);
	fuzz_check(!left, "%zu bytes are no message", left);
	return len;
}

/* One attribute, perhaps with a wrong length. Return: bytes. */
static size_t put_attr(u8 *at, size_t room, unsigned int depth)
{
	static const u8 usual[] = { 4, 8, 1, 5, 200, 20, 2, 4 };
	struct nlattr a;
	u8 type = fuzz_u8(input), how = fuzz_u8(input);
	size_t len = how & 8 ? fuzz_u8(input) : usual[how & 7], used = NLA_HDRLEN;

	if (room < NLA_HDRLEN + NLA_ALIGN(len) + 8)
		return 0;
	a.nla_type = type & 0x80 ? type & 0x7f : type % (VMON_A_MAX + 2);
	if (depth < 2 && how & 16) {
		unsigned int n = 1 + (how >> 5 & 3);

		a.nla_type |= how & 0x80 ? NLA_F_NESTED : 0;
		for (; n; n--)
			used += put_attr(at + used, room - used - 8, depth + 1);
	} else {
		fuzz_bytes(input, at + NLA_HDRLEN, len);
		used += len;
	}
	a.nla_len = how == 0xff ? fuzz_u16(input) : used;
	memcpy(at, &a, sizeof(a));
	return NLA_ALIGN(used);
}

/* One message into @buf. Return: bytes. */
static size_t put_message(u8 *buf, size_t room)
{
	u8 how = fuzz_u8(input);
	size_t len = NLMSG_HDRLEN;
	struct nlmsghdr n = {
		.nlmsg_seq = how & 1 ? 0 : expected,
		.nlmsg_flags = how & 0x80 ? NLM_F_ACK_TLVS | NLM_F_CAPPED : 0,
	};
	unsigned int k;
	int err;

	if (room < 512)
		return 0;
	switch (how >> 1 & 3) {
	case 0:
	case 1:
		n.nlmsg_type = FAMILY;
		buf[len] = how & 8 ? fuzz_u8(input) : VMON_CMD_IO;
		buf[len + 1] = 1;
		len += GENL_HDRLEN;
		break;
	case 2:
		n.nlmsg_type = NLMSG_ERROR;
		err = -(int)(fuzz_u8(input) % 134);
		memcpy(buf + len, &err, 4);
		memcpy(buf + len + 4, &n, sizeof(n));
		if (how & 0x40)
			fuzz_bytes(input, buf + len + 4, 4);
		len += 4 + sizeof(n);
		break;
	default:
		n.nlmsg_type = how & 8 ? NLMSG_DONE : fuzz_u8(input);
		break;
	}
	for (k = fuzz_u8(input) % 10; k; k--)
		len += put_attr(buf + len, room - len - 8 < 1200 ? 0 : 400, 0);
	n.nlmsg_len = how & 0x20 && fuzz_u8(input) & 1 ? fuzz_u16(input) : len;
	memcpy(buf, &n, sizeof(n));
	return how & 0x20 ? len - fuzz_u8(input) % 8 : NLMSG_ALIGN(len);
}

ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags)
{
	u8 *p = calloc(1, 8192);
	size_t len = 0;
	unsigned int n;

	if (!fuzz_left(input)) {
		free(p);
		errno = EAGAIN;
		return -1;
	}
	for (n = 1 + fuzz_u8(input) % 3; n; n--)
		len += put_message(p + len, 8192 - len < 2048 ? 0 : 2048);
	if (len > size)
		len = size;
	memcpy(buf, p, len);
	free(p);
	return len;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *msg, unsigned int n, int flags,
		    struct timespec *timeout)
{
	unsigned int i, most;
	u8 *p;

	if (!fuzz_left(input)) {
		errno = EAGAIN;
		return -1;
	}
	most = 1 + fuzz_u8(input) % 8;
	for (i = 0; i < n && i < most; i++) {
		const struct iovec *v = msg[i].msg_hdr.msg_iov;
		size_t len;

		p = calloc(1, 4096);
		len = put_message(p, 2048);
		msg[i].msg_len = len < v->iov_len ? len : v->iov_len;
		memcpy(v->iov_base, p, msg[i].msg_len);
		free(p);
	}
	return i;
}

/* --- calls --- */

static void check_string(const char *s, size_t size)
{
	fuzz_check(strnlen(s, size) < size, "a string without end");
}

static void on_info(const struct engine_info *info, void *arg)
{
	check_string(info->name, sizeof(info->name));
	check_string(info->guard, sizeof(info->guard));
	check_string(info->report, sizeof(info->report));
}

static void check_result(int r, const struct error *err)
{
	fuzz_check(r <= 0 || !err->code, "result %d, error %d", r, err->code);
	if (r < 0)
		fuzz_check(err->text[0] && memchr(err->text, 0, sizeof(err->text)),
			   "result %d without a sentence", r);
}

static void use_vm(struct engine *e, u8 op)
{
	struct engine_vm *vm = NULL;
	struct engine_io io[16];
	struct error err = { 0 };
	unsigned int i, k;
	int n, r = engine_vm_new(e, "fuzz", 0, NULL, op & 1, op & 2 ? 1000 : 0, &vm, &err);

	check_result(r, &err);
	if (r < 0)
		return;
	for (k = op & 7; k; k--) {
		n = engine_vm_receive(vm, io, 1 + fuzz_u8(input) % 16);
		fuzz_check(n >= 0 && n <= 16, "%d accesses", n);
		for (i = 0; i < (unsigned int)n; i++)
			if (io[i].write)
				engine_vm_done(vm, io[i].seq);
			else
				engine_vm_done_read(vm, io[i].seq, io[i].data);
		engine_vm_irq(vm, k, op & 1);
		engine_vm_flush(vm);
		(void)engine_vm_complaint(vm, &err);
	}
	err.code = 0;
	check_result(engine_vm_memory(vm, 0, 4096, 3, 0, &err), &err);
	err.code = 0;
	check_result(engine_vm_reset(vm, &err), &err);
	engine_vm_free(vm);
}

static void one_call(struct engine *e, u8 op)
{
	static struct engine_check check;
	struct engine_stat stat[64];
	struct engine_info info;
	struct error err = { 0 };
	struct vmon_regs regs;
	char *text = NULL;
	int i, r;

	switch (op % 8) {
	case 0:
		r = engine_check(e, &check, &err);
		fuzz_check(check.n_guards <= ARRAY_SIZE(check.guards),
			   "%u guards", check.n_guards);
		break;
	case 1:
		r = engine_list(e, on_info, NULL, &err);
		break;
	case 2:
		r = engine_get(e, 1, &info, &err);
		if (!r)
			on_info(&info, NULL);
		break;
	case 3:
		r = engine_get_regs(e, 1, &regs, &err);
		break;
	case 4:
		r = engine_stat(e, 1, stat, ARRAY_SIZE(stat), &err);
		for (i = 0; i < r; i++)
			check_string(stat[i].name, sizeof(stat[i].name));
		break;
	case 5:
		r = engine_trace(e, 1, &text, &err);
		free(text);
		break;
	case 6:
		engine_events_receive(e, on_info, NULL);
		return;
	default:
		use_vm(e, op >> 3);
		return;
	}
	if (r < 0)
		check_result(r, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	struct error err = { 0 };
	struct engine *e;
	unsigned int i;

	input = &in;
	if (engine_new(&e, &err))
		return 0;
	if (engine_connect(e, &err) >= 0)
		for (i = 0; i < CALLS && fuzz_left(&in); i++)
			one_call(e, fuzz_u8(&in));
	engine_free(e);
	return 0;
}
