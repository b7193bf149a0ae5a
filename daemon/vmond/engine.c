// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's own connection to the module: requests about VMs, and events.
 *
 * The module may be loaded after the daemon has started, and may be unloaded
 * and loaded again: the family is looked up when a request finds no connection
 * or its number gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmond/engine.h"
#include "vmond/netlink.h"

struct engine {
	struct nl_link ctl;
	struct nl_link events;
};

static u32 attr_u32(struct nlattr *a)
{
	return a && nla_len(a) >= 4 ? nla_get_u32(a) : 0;
}

static u64 attr_u64(struct nlattr *a)
{
	u64 v = 0;

	if (a && nla_len(a) >= 8)
		memcpy(&v, nla_data(a), sizeof(v));
	return v;
}

static bool attr_flag(struct nlattr *a)
{
	return a && nla_len(a) >= 1 && nla_get_u8(a);
}

static void attr_string(struct nlattr *a, char *to, size_t size)
{
	size_t n = a ? (size_t)nla_len(a) : 0;

	if (n >= size)
		n = size - 1;
	if (n)
		memcpy(to, nla_data(a), n);
	to[n] = 0;
}

/**
 * engine_new() - make an unconnected engine
 * @ret: engine
 * @err: why not
 */
int engine_new(struct engine **ret, struct error *err)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return fail(err, ENOMEM, "out of memory");
	*ret = e;
	return 0;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	nl_link_close(&e->ctl);
	nl_link_close(&e->events);
	free(e);
}

/**
 * engine_connect() - connect to the module, or find out whether it is still there
 * @e: engine
 * @err: why not
 *
 * Return: 1 if connected anew (engine_events_fd() has changed), 0 if it was
 * connected already, -ENOENT without the module, or another error.
 */
int engine_connect(struct engine *e, struct error *err)
{
	struct nl_link fresh = { 0 };
	int group, r;

	r = nl_link_open(&fresh, err);
	if (r < 0)
		return r;
	if (e->ctl.sk && e->ctl.family == fresh.family) {
		nl_link_close(&fresh);
		return 0;
	}
	nl_link_close(&e->ctl);
	nl_link_close(&e->events);
	e->ctl = fresh;
	r = nl_link_open(&e->events, err);
	if (r < 0) {
		nl_link_close(&e->ctl);
		return r;
	}
	group = genl_ctrl_resolve_grp(e->events.sk, VMON_GENL_NAME, VMON_MCGRP_EVENTS);
	if (group < 0 || nl_socket_add_membership(e->events.sk, group) < 0) {
		nl_link_close(&e->ctl);
		nl_link_close(&e->events);
		return fail(err, EPROTO,
			    "vmon module has no event group: daemon and module are of different versions");
	}
	return 1;
}

int engine_events_fd(struct engine *e)
{
	return nl_link_fd(&e->events);
}

static void fill_info(struct nlattr **a, struct engine_info *info)
{
	memset(info, 0, sizeof(*info));
	info->vm = attr_u32(a[VMON_A_VM]);
	info->state = attr_u32(a[VMON_A_STATE]);
	info->cause = attr_u32(a[VMON_A_CAUSE]);
	info->exec = attr_u32(a[VMON_A_EXEC]);
	info->owner = attr_u32(a[VMON_A_OWNER]);
	info->protected = attr_flag(a[VMON_A_PROTECTED]);
	info->memory = attr_u64(a[VMON_A_MEM_SIZE]);
	attr_string(a[VMON_A_NAME], info->name, sizeof(info->name));
	attr_string(a[VMON_A_GUARD_NAME], info->guard, sizeof(info->guard));
	attr_string(a[VMON_A_REPORT], info->report, sizeof(info->report));
}

/**
 * engine_events_receive() - take all events that have come
 * @e: engine
 * @fn: called for each; with a VM number of 0 after events were lost
 * @arg: for @fn
 */
void engine_events_receive(struct engine *e, engine_info_fn fn, void *arg)
{
	static char buf[16 << 10] __attribute__((aligned(8)));
	struct nlattr *attr[VMON_A_MAX + 1];
	struct engine_info info;
	struct nlmsghdr *nlh;
	int left;

	while (e->events.sk) {
		left = recv(nl_link_fd(&e->events), buf, sizeof(buf), MSG_DONTWAIT);
		if (left < 0 && errno == ENOBUFS) {
			memset(&info, 0, sizeof(info));
			fn(&info, arg);
			continue;
		}
		if (left <= 0)
			return;
		for (nlh = (struct nlmsghdr *)buf; nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_type != e->events.family ||
			    genlmsg_hdr(nlh)->cmd != VMON_CMD_EVENT ||
			    !nl_parse_attrs(nlh, attr))
				continue;
			fill_info(attr, &info);
			fn(&info, arg);
		}
	}
}

/* A request about VM @vm; 0 leaves the attribute out. */
static struct nl_msg *request(struct engine *e, int cmd, int flags, u32 vm)
{
	struct nl_msg *msg = nl_link_request(&e->ctl, cmd, flags);

	if (msg && vm)
		nla_put_u32(msg, VMON_A_VM, vm);
	return msg;
}

static int call(struct engine *e, int cmd, int flags, u32 vm, nl_reply_fn reply,
		void *arg, struct error *err)
{
	int r;

	if (!e->ctl.sk) {
		r = engine_connect(e, err);
		if (r < 0)
			return r;
	}
	return nl_link_call(&e->ctl, request(e, cmd, flags, vm), reply, arg,
			    NULL, NULL, err);
}

/* For each attribute of a message: nla_parse() keeps only the last of a kind. */
#define for_each_attr(a, nlh, left)					\
	for ((a) = genlmsg_attrdata(genlmsg_hdr(nlh), 0),		\
	     (left) = genlmsg_attrlen(genlmsg_hdr(nlh), 0);		\
	     nla_ok(a, left); (a) = nla_next(a, &(left)))

static void add_guard(struct engine_check *c, struct nlattr **in)
{
	struct engine_guard *g;

	if (c->n_guards == ENGINE_GUARDS)
		return;
	g = &c->guards[c->n_guards++];
	attr_string(in[VMON_A_NAME], g->name, sizeof(g->name));
	attr_string(in[VMON_A_REASON], g->reason, sizeof(g->reason));
	attr_string(in[VMON_A_REMEDY], g->remedy, sizeof(g->remedy));
	g->available = attr_flag(in[VMON_A_AVAILABLE]);
	g->capable = attr_flag(in[VMON_A_CAPABLE]);
}

static void add_fact(struct engine_check *c, struct nlattr **in)
{
	struct engine_fact *f;

	if (c->n_facts == ENGINE_FACTS)
		return;
	f = &c->facts[c->n_facts++];
	attr_string(in[VMON_A_NAME], f->name, sizeof(f->name));
	attr_string(in[VMON_A_REASON], f->note, sizeof(f->note));
	f->value = in[VMON_A_VALUE] ? nla_get_u64(in[VMON_A_VALUE]) : 0;
}

static void on_check(struct nlmsghdr *nlh, struct nlattr **a, void *arg)
{
	struct nlattr *in[VMON_A_MAX + 1], *i;
	struct engine_check *c = arg;
	int left;

	attr_string(a[VMON_A_VERSION], c->version, sizeof(c->version));
	attr_string(a[VMON_A_KERNEL], c->kernel, sizeof(c->kernel));
	c->protected = attr_flag(a[VMON_A_PROTECTED]);
	c->unprotected_ok = attr_flag(a[VMON_A_UNPROTECTED_OK]);
	for_each_attr(i, nlh, left) {
		if (nla_type(i) != VMON_A_GUARD && nla_type(i) != VMON_A_FACT)
			continue;
		if (nla_parse_nested(in, VMON_A_MAX, i, NULL) < 0)
			continue;
		if (nla_type(i) == VMON_A_GUARD)
			add_guard(c, in);
		else
			add_fact(c, in);
	}
}

int engine_check(struct engine *e, struct engine_check *ret, struct error *err)
{
	memset(ret, 0, sizeof(*ret));
	return call(e, VMON_CMD_CHECK_GET, 0, 0, on_check, ret, err);
}

struct list_call {
	engine_info_fn fn;
	void *arg;
};

static void on_info(struct nlmsghdr *nlh, struct nlattr **a, void *arg)
{
	struct list_call *c = arg;
	struct engine_info info;

	(void)nlh;
	fill_info(a, &info);
	c->fn(&info, c->arg);
}

int engine_list(struct engine *e, engine_info_fn fn, void *arg, struct error *err)
{
	struct list_call c = { fn, arg };

	return call(e, VMON_CMD_VM_GET, NLM_F_DUMP, 0, on_info, &c, err);
}

static void copy_info(const struct engine_info *info, void *arg)
{
	*(struct engine_info *)arg = *info;
}

int engine_get(struct engine *e, u32 vm, struct engine_info *ret, struct error *err)
{
	struct list_call c = { copy_info, ret };

	memset(ret, 0, sizeof(*ret));
	return call(e, VMON_CMD_VM_GET, 0, vm, on_info, &c, err);
}

int engine_set_state(struct engine *e, u32 vm, u32 state, struct error *err)
{
	struct nl_msg *msg;

	if (!e->ctl.sk)
		return fail(err, ENOTCONN, "vmon module is gone");
	msg = request(e, VMON_CMD_VM_SET, 0, vm);
	if (msg)
		nla_put_u32(msg, VMON_A_STATE, state);
	return nl_link_call(&e->ctl, msg, NULL, NULL, NULL, NULL, err);
}

int engine_delete(struct engine *e, u32 vm, struct error *err)
{
	return call(e, VMON_CMD_VM_DEL, 0, vm, NULL, NULL, err);
}

static void on_regs(struct nlmsghdr *nlh, struct nlattr **a, void *arg)
{
	(void)nlh;
	if (a[VMON_A_REGS] && nla_len(a[VMON_A_REGS]) >= (int)sizeof(struct vmon_regs))
		memcpy(arg, nla_data(a[VMON_A_REGS]), sizeof(struct vmon_regs));
}

int engine_get_regs(struct engine *e, u32 vm, struct vmon_regs *ret, struct error *err)
{
	memset(ret, 0, sizeof(*ret));
	return call(e, VMON_CMD_VCPU_GET, 0, vm, on_regs, ret, err);
}

struct stat_call {
	struct engine_stat *stat;
	unsigned int n, max;
};

static void on_stat(struct nlmsghdr *nlh, struct nlattr **a, void *arg)
{
	struct nlattr *in[VMON_A_MAX + 1], *i;
	struct stat_call *c = arg;
	int left;

	(void)a;
	for_each_attr(i, nlh, left) {
		if (nla_type(i) != VMON_A_STAT || c->n == c->max ||
		    nla_parse_nested(in, VMON_A_MAX, i, NULL) < 0)
			continue;
		attr_string(in[VMON_A_NAME], c->stat[c->n].name,
			    sizeof(c->stat[c->n].name));
		c->stat[c->n++].value = attr_u64(in[VMON_A_VALUE]);
	}
}

/**
 * engine_stat() - statistics of a VM
 * @e: engine
 * @vm: number
 * @ret: filled in
 * @n: entries at @ret
 * @err: why not
 *
 * Return: entries filled in, or a negative errno.
 */
int engine_stat(struct engine *e, u32 vm, struct engine_stat *ret, unsigned int n,
		struct error *err)
{
	struct stat_call c = { .stat = ret, .max = n };
	int r;

	r = call(e, VMON_CMD_STAT_GET, 0, vm, on_stat, &c, err);
	return r < 0 ? r : (int)c.n;
}

static void on_trace(struct nlmsghdr *nlh, struct nlattr **a, void *arg)
{
	char **text = arg;

	(void)nlh;
	if (a[VMON_A_TRACE] && !*text)
		*text = strndup(nla_data(a[VMON_A_TRACE]), nla_len(a[VMON_A_TRACE]));
}

/**
 * engine_trace() - the last exits of a VM, as text
 * @e: engine
 * @vm: number
 * @ret: text, to be freed
 * @err: why not
 */
int engine_trace(struct engine *e, u32 vm, char **ret, struct error *err)
{
	char *text = NULL;
	int r;

	r = call(e, VMON_CMD_TRACE_GET, 0, vm, on_trace, &text, err);
	if (r >= 0 && !text)
		text = strdup("");
	if (r >= 0 && !text)
		r = fail(err, ENOMEM, "out of memory");
	if (r < 0) {
		free(text);
		return r;
	}
	*ret = text;
	return 0;
}
