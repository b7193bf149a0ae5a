// SPDX-License-Identifier: GPL-2.0
/*
 * One VM and the socket that owns it: set-up, the guest's accesses, interrupts.
 *
 * The hot path is here. Accesses are received many at a time; answers and
 * interrupt levels are gathered and leave in one send, in the order they were
 * made (the kernel handles every message of a datagram in turn). Nobody waits
 * for acknowledgments: a refusal arrives among the accesses and is kept for
 * engine_vm_complaint().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmond/engine.h"
#include "vmond/netlink.h"

#define IN_MSGS		64
#define IN_SIZE		2048
#define OUT_SIZE	8192
#define OUT_MSG_MAX	64

struct engine_vm {
	struct engine *engine;
	struct nl_link link;
	u32 vm;
	struct error complaint;
	size_t out_len;
	char out[OUT_SIZE] __attribute__((aligned(8)));
	/* Guest memory that was written and not told of. */
	struct vmon_mem_range written[VMON_MEM_RANGES_MAX];
	unsigned int n_written;
	/* Accesses that came while a request was waited for. */
	struct engine_io early[VMON_IO_WINDOW * 2];
	unsigned int n_early;
	/* Receiving does not change what they say: filled in once. */
	struct mmsghdr msg[IN_MSGS];
	struct iovec iov[IN_MSGS];
	char in[IN_MSGS][IN_SIZE] __attribute__((aligned(8)));
};

static bool parse_io(struct engine_vm *v, struct nlmsghdr *nlh, struct engine_io *io)
{
	struct nlattr *a[VMON_A_MAX + 1];

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		(void)nl_parse_error(nlh, &v->complaint);
		return false;
	}
	if (nlh->nlmsg_type != v->link.family || genlmsg_hdr(nlh)->cmd != VMON_CMD_IO ||
	    !nl_parse_attrs(nlh, a) || !a[VMON_A_RANGE] || !a[VMON_A_SEQ] ||
	    !a[VMON_A_ADDR] || !a[VMON_A_SIZE])
		return false;

	memset(io, 0, sizeof(*io));
	io->range = nla_get_u32(a[VMON_A_RANGE]);
	io->seq = nla_get_u32(a[VMON_A_SEQ]);
	memcpy(&io->addr, nla_data(a[VMON_A_ADDR]), sizeof(io->addr));
	/* The attribute is a u64; the value is 1, 2 or 4. */
	io->size = nla_len(a[VMON_A_SIZE]) >= 4 ? nla_get_u32(a[VMON_A_SIZE]) :
						  nla_get_u8(a[VMON_A_SIZE]);
	io->write = a[VMON_A_WRITE] && nla_get_u8(a[VMON_A_WRITE]);
	if (a[VMON_A_DATA])
		io->data = nla_get_u32(a[VMON_A_DATA]);
	return true;
}

static void on_stray(struct nlmsghdr *nlh, void *arg)
{
	struct engine_vm *v = arg;

	if (v->n_early < ARRAY_SIZE(v->early) &&
	    parse_io(v, nlh, &v->early[v->n_early]))
		v->n_early++;
}

static int call(struct engine_vm *v, struct nl_msg *msg, nl_reply_fn reply, void *arg,
		struct error *err)
{
	return nl_link_call(&v->link, msg, reply, arg, on_stray, v, err);
}

static struct nl_msg *request(struct engine_vm *v, int cmd)
{
	struct nl_msg *msg = nl_link_request(&v->link, cmd, 0);

	if (msg)
		nla_put_u32(msg, VMON_A_VM, v->vm);
	return msg;
}

static void on_new(struct nlmsghdr *nlh, struct nlattr **a, void *arg)
{
	(void)nlh;
	if (a[VMON_A_VM])
		*(u32 *)arg = nla_get_u32(a[VMON_A_VM]);
}

/* Without socket and VM. */
static struct engine_vm *make(struct engine *e)
{
	struct engine_vm *v = calloc(1, sizeof(*v));
	unsigned int i;

	if (!v)
		return NULL;
	v->engine = e;
	for (i = 0; i < IN_MSGS; i++) {
		v->iov[i] = (struct iovec){ v->in[i], IN_SIZE };
		v->msg[i].msg_hdr.msg_iov = &v->iov[i];
		v->msg[i].msg_hdr.msg_iovlen = 1;
	}
	return v;
}

/* The module sends again what found the buffer full. */
static void want_no_enobufs(struct engine_vm *v)
{
	int one = 1;

	(void)setsockopt(nl_link_fd(&v->link), SOL_NETLINK, NETLINK_NO_ENOBUFS, &one,
			 sizeof(one));
}

/**
 * engine_vm_new() - create a VM, owned by a socket of its own
 * @e: engine, connected
 * @name: unique name
 * @exec: enum vmon_exec_mode, 0 for the module's choice
 * @guard: name of the guard, NULL for the module's choice
 * @selfcheck: have the module compare at every exit what is its own
 * @claim_ms: how long it is kept, paused, after its owner has gone
 * @ret: VM
 * @err: the module's sentence
 */
int engine_vm_new(struct engine *e, const char *name, u32 exec, const char *guard,
		  bool selfcheck, u32 claim_ms, struct engine_vm **ret, struct error *err)
{
	struct engine_vm *v = make(e);
	struct nl_msg *msg;
	int r;

	if (!v)
		return fail(err, ENOMEM, "out of memory");
	r = nl_link_open(&v->link, err);
	if (r < 0)
		goto err_free;
	want_no_enobufs(v);

	msg = nl_link_request(&v->link, VMON_CMD_VM_NEW, 0);
	if (msg) {
		nla_put_string(msg, VMON_A_NAME, name);
		if (exec)
			nla_put_u32(msg, VMON_A_EXEC, exec);
		if (guard)
			nla_put_string(msg, VMON_A_GUARD_NAME, guard);
		if (selfcheck)
			nla_put_u8(msg, VMON_A_SELFCHECK, 1);
		if (claim_ms)
			nla_put_u32(msg, VMON_A_CLAIM_MS, claim_ms);
	}
	r = call(v, msg, on_new, &v->vm, err);
	if (r < 0)
		goto err_close;
	if (!v->vm) {
		r = fail(err, EPROTO, "vmon module gave no number for VM '%s'", name);
		goto err_close;
	}
	*ret = v;
	return 0;

err_close:
	nl_link_close(&v->link);
err_free:
	free(v);
	return r;
}

/**
 * engine_vm_adopt() - go on with a VM that another process created
 * @e: engine, connected
 * @fd: the socket that owns it; taken over, and closed on failure
 * @vm: its number
 * @name: its name
 * @ret: VM
 * @err: why not
 *
 * The module puts a vCPU's thread and the guest's memory into the cgroups of the process
 * that creates the VM, and the socket's holder is the owner, whoever it is.
 */
int engine_vm_adopt(struct engine *e, int fd, u32 vm, const char *name,
		    struct engine_vm **ret, struct error *err)
{
	struct engine_info info;
	struct engine_vm *v;
	int r;

	r = engine_get(e, vm, &info, err);
	if (r >= 0 && strcmp(info.name, name) != 0)
		r = fail(err, EINVAL, "VM %u is '%s', not '%s'", vm, info.name, name);
	v = r < 0 ? NULL : make(e);
	if (!v) {
		close(fd);
		return r < 0 ? r : fail(err, ENOMEM, "out of memory");
	}
	r = nl_link_adopt(&v->link, fd, err);
	if (r < 0) {
		free(v);
		return r;
	}
	want_no_enobufs(v);
	v->vm = vm;
	*ret = v;
	return 0;
}

/**
 * engine_vm_claim() - go on with a VM whose owner has gone
 * @e: engine, connected
 * @vm: its number
 * @name: its name
 * @ram_fd: its memory; attached already
 * @ret: VM, in the state that it has; what the owner had not acknowledged comes again
 * @err: the module's sentence
 */
int engine_vm_claim(struct engine *e, u32 vm, const char *name, int ram_fd,
		    struct engine_vm **ret, struct error *err)
{
	struct engine_info info;
	struct engine_vm *v;
	int r;

	(void)ram_fd;
	/* Numbers begin anew when the module is loaded anew. */
	r = engine_get(e, vm, &info, err);
	if (r >= 0 && strcmp(info.name, name) != 0)
		r = fail(err, ENODEV, "VM %u is '%s', not '%s'", vm, info.name, name);
	if (r < 0)
		return r;
	v = make(e);
	if (!v)
		return fail(err, ENOMEM, "out of memory");
	v->vm = vm;
	r = nl_link_open(&v->link, err);
	if (r < 0)
		goto err_free;
	want_no_enobufs(v);
	r = call(v, request(v, VMON_CMD_VM_CLAIM), NULL, NULL, err);
	if (r < 0)
		goto err_close;
	*ret = v;
	return 0;

err_close:
	nl_link_close(&v->link);
err_free:
	free(v);
	return r;
}

/**
 * engine_vm_leave() - close a VM's socket, and leave the VM to be claimed
 * @v: VM
 */
void engine_vm_leave(struct engine_vm *v)
{
	nl_link_close(&v->link);
	free(v);
}

/**
 * engine_vm_free() - delete the VM and close its socket
 * @v: VM, or NULL
 */
void engine_vm_free(struct engine_vm *v)
{
	if (!v)
		return;
	/* Closing the socket would do, but not before this returns. */
	(void)engine_delete(v->engine, v->vm, NULL);
	nl_link_close(&v->link);
	free(v);
}

u32 engine_vm_id(const struct engine_vm *v)
{
	return v->vm;
}

int engine_vm_fd(const struct engine_vm *v)
{
	return nl_link_fd(&v->link);
}

int engine_vm_memory(struct engine_vm *v, u64 gpa, u64 size, int fd, u64 offset,
		     struct error *err)
{
	struct nl_msg *msg = request(v, VMON_CMD_MEM_NEW);

	if (msg) {
		nla_put_u64(msg, VMON_A_GPA, gpa);
		nla_put_u64(msg, VMON_A_SIZE, size);
		nla_put_s32(msg, VMON_A_FD, fd);
		nla_put_u64(msg, VMON_A_OFFSET, offset);
	}
	return call(v, msg, NULL, NULL, err);
}

int engine_vm_range(struct engine_vm *v, u32 range, u32 space, u64 addr, u64 size,
		    struct error *err)
{
	struct nl_msg *msg = request(v, VMON_CMD_RANGE_NEW);

	if (msg) {
		nla_put_u32(msg, VMON_A_SPACE, space);
		nla_put_u64(msg, VMON_A_ADDR, addr);
		nla_put_u64(msg, VMON_A_SIZE, size);
		nla_put_u32(msg, VMON_A_RANGE, range);
	}
	return call(v, msg, NULL, NULL, err);
}

int engine_vm_regs(struct engine_vm *v, const struct vmon_regs *regs, struct error *err)
{
	struct nl_msg *msg = request(v, VMON_CMD_VCPU_SET);

	if (msg)
		nla_put(msg, VMON_A_REGS, sizeof(*regs), regs);
	return call(v, msg, NULL, NULL, err);
}

/**
 * engine_vm_reset() - reset the vCPU and what the module emulates
 * @v: VM; PAUSED afterwards
 * @err: the module's sentence
 *
 * Accesses from before the reset that still wait in the socket are dropped.
 */
int engine_vm_reset(struct engine_vm *v, struct error *err)
{
	struct engine_io io;
	int r;

	v->out_len = 0;
	v->n_written = 0;
	r = call(v, request(v, VMON_CMD_VM_RESET), NULL, NULL, err);
	if (r < 0)
		return r;
	v->n_early = 0;
	while (engine_vm_receive(v, &io, 1) > 0)
		;
	v->out_len = 0;
	return 0;
}

/**
 * engine_vm_receive() - take the guest's accesses that have come
 * @v: VM
 * @io: where to
 * @n: at most so many
 *
 * Return: how many; 0 when there are none.
 */
int engine_vm_receive(struct engine_vm *v, struct engine_io *io, unsigned int n)
{
	unsigned int got = 0;
	int i, count, left;

	if (v->n_early) {
		got = v->n_early < n ? v->n_early : n;
		memcpy(io, v->early, got * sizeof(*io));
		v->n_early -= got;
		memmove(v->early, v->early + got, v->n_early * sizeof(*io));
		return got;
	}
	if (n > IN_MSGS)
		n = IN_MSGS;
	while (!got) {
		count = recvmmsg(nl_link_fd(&v->link), v->msg, n, MSG_DONTWAIT, NULL);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return 0;
		for (i = 0; i < count; i++) {
			struct nlmsghdr *nlh = (struct nlmsghdr *)v->in[i];

			left = v->msg[i].msg_len;
			/* One access a datagram; more would be lost at n. */
			if (nlmsg_ok(nlh, left) && parse_io(v, nlh, &io[got]))
				got++;
		}
	}
	return got;
}

static int send_out(struct engine_vm *v)
{
	size_t len = v->out_len;

	v->out_len = 0;
	if (!len)
		return 0;
	while (send(nl_link_fd(&v->link), v->out, len, 0) < 0)
		if (errno != EINTR)
			return fail(&v->complaint, errno, "netlink: cannot send: %s",
				    strerror(errno));
	return 0;
}

/* Append attribute @type to the message at @nlh. */
static void put(struct nlmsghdr *nlh, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)((char *)nlh + NLMSG_ALIGN(nlh->nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memset((char *)a + NLA_HDRLEN, 0, NLA_ALIGN(len));
	memcpy((char *)a + NLA_HDRLEN, data, len);
	nlh->nlmsg_len = NLMSG_ALIGN(nlh->nlmsg_len) + NLA_HDRLEN + NLA_ALIGN(len);
}

/* Begin a message of at most @room bytes. */
static struct nlmsghdr *begin_message(struct engine_vm *v, int cmd, size_t room)
{
	struct nlmsghdr *nlh;
	struct genlmsghdr *g;

	if (v->out_len + room > OUT_SIZE)
		(void)send_out(v);
	nlh = (struct nlmsghdr *)(v->out + v->out_len);
	memset(nlh, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	nlh->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	nlh->nlmsg_type = v->link.family;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	g = nlmsg_data(nlh);
	g->cmd = cmd;
	g->version = VMON_GENL_VERSION;
	put(nlh, VMON_A_VM, &v->vm, sizeof(v->vm));
	return nlh;
}

static void end(struct engine_vm *v, struct nlmsghdr *nlh)
{
	v->out_len += NLMSG_ALIGN(nlh->nlmsg_len);
}

/* Tell of memory that was written. */
static void tell_written(struct engine_vm *v)
{
	size_t size = v->n_written * sizeof(*v->written);
	struct nlmsghdr *nlh;

	if (!size)
		return;
	nlh = begin_message(v, VMON_CMD_MEM_WRITTEN, OUT_MSG_MAX + size);
	put(nlh, VMON_A_RANGES, v->written, size);
	end(v, nlh);
	v->n_written = 0;
}

/* Begin any other message: what it says may make the guest look at memory. */
static struct nlmsghdr *begin(struct engine_vm *v, int cmd)
{
	tell_written(v);
	return begin_message(v, cmd, OUT_MSG_MAX);
}

/* Writes up to @seq are done. Sent with the next engine_vm_flush(). */
void engine_vm_done(struct engine_vm *v, u32 seq)
{
	struct nlmsghdr *nlh = begin(v, VMON_CMD_IO_DONE);

	put(nlh, VMON_A_SEQ, &seq, sizeof(seq));
	end(v, nlh);
}

/* The answer of read @seq; also all before it is done. */
void engine_vm_done_read(struct engine_vm *v, u32 seq, u32 data)
{
	struct nlmsghdr *nlh = begin(v, VMON_CMD_IO_DONE);

	put(nlh, VMON_A_SEQ, &seq, sizeof(seq));
	put(nlh, VMON_A_DATA, &data, sizeof(data));
	end(v, nlh);
}

/* Level of an interrupt line. Sent with the next engine_vm_flush(). */
void engine_vm_irq(struct engine_vm *v, unsigned int line, bool level)
{
	struct nlmsghdr *nlh = begin(v, VMON_CMD_IRQ_SET);
	u8 n = line, l = level;

	put(nlh, VMON_A_LINE, &n, sizeof(n));
	put(nlh, VMON_A_LEVEL, &l, sizeof(l));
	end(v, nlh);
}

/* How a line is triggered, as firmware sets it up; it is down. Sent as above. */
void engine_vm_trigger(struct engine_vm *v, unsigned int line, bool level_triggered)
{
	struct nlmsghdr *nlh = begin(v, VMON_CMD_IRQ_SET);
	u8 n = line, low = 0, trigger = level_triggered ? VMON_TRIGGER_LEVEL : VMON_TRIGGER_EDGE;

	put(nlh, VMON_A_LINE, &n, sizeof(n));
	put(nlh, VMON_A_LEVEL, &low, sizeof(low));
	put(nlh, VMON_A_TRIGGER, &trigger, sizeof(trigger));
	end(v, nlh);
}

/**
 * engine_vm_written() - a device has written to guest memory
 * @v: VM
 * @gpa: where
 * @size: bytes, not 0; all of it RAM
 *
 * Told with the next message of whatever kind, ahead of it. Once engine_vm_flush() has
 * returned, the module has acted on it.
 */
void engine_vm_written(struct engine_vm *v, u64 gpa, u64 size)
{
	struct vmon_mem_range *last = v->n_written ? &v->written[v->n_written - 1] : NULL;

	if (last && last->gpa + last->size == gpa) {
		last->size += size;
		return;
	}
	if (v->n_written == VMON_MEM_RANGES_MAX)
		tell_written(v);
	v->written[v->n_written++] = (struct vmon_mem_range){ gpa, size };
}

/**
 * engine_vm_flush() - send what was gathered
 * @v: VM
 *
 * The kernel handles the messages in turn before this returns.
 *
 * Return: 0 or a negative errno.
 */
int engine_vm_flush(struct engine_vm *v)
{
	tell_written(v);
	return send_out(v);
}

/**
 * engine_vm_complaint() - what the module refused since the last call
 * @v: VM
 * @ret: the sentence
 *
 * Return: whether there was anything.
 */
bool engine_vm_complaint(struct engine_vm *v, struct error *ret)
{
	if (!v->complaint.code)
		return false;
	*ret = v->complaint;
	v->complaint.code = 0;
	return true;
}
