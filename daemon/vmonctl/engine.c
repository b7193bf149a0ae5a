// SPDX-License-Identifier: GPL-2.0
/*
 * Creating a VM in the module, for vmond to go on with.
 *
 * The module puts the vCPU's thread, and the memory that the guest takes, into the cgroups of the
 * process that creates the VM. So the process of the guest's unit creates it, and
 * MemoryMax=, CPUWeight= and the like of that unit hold for the guest. The socket that
 * owns the VM then goes to vmond.
 */
#include <errno.h>
#include <fcntl.h>

#include "vmonctl/definition.h"
#include "vmond/netlink.h"

static void on_new(struct nlmsghdr *nlh, struct nlattr **a, void *arg)
{
	(void)nlh;
	if (a[VMON_A_VM])
		*(u32 *)arg = nla_get_u32(a[VMON_A_VM]);
}

static void on_stray(struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	(void)arg;
}

/**
 * engine_create() - create a VM in the cgroups of this process
 * @c: guest
 * @claim_ms: how long vmond's guests wait for the next vmond
 * @ret_fd: the socket that owns it; it ends with the last descriptor of this
 * @ret_vm: its number
 * @err: the module's sentence
 *
 * Return: 0, -ENOENT: there is no module, or another error.
 */
int engine_create(const struct guest_config *c, u32 claim_ms, int *ret_fd, u32 *ret_vm,
		  struct error *err)
{
	static const u32 exec[] = {
		[GUEST_EXEC_TRANSLATE] = VMON_EXEC_TRANSLATE,
		[GUEST_EXEC_EMULATE] = VMON_EXEC_EMULATE,
	};
	struct nl_link link = { 0 };
	struct nl_msg *msg;
	u32 vm = 0;
	int fd, r;

	r = nl_link_open(&link, err);
	if (r < 0)
		return r;
	msg = nl_link_request(&link, VMON_CMD_VM_NEW, 0);
	if (msg) {
		nla_put_string(msg, VMON_A_NAME, c->name);
		if (c->exec)
			nla_put_u32(msg, VMON_A_EXEC, exec[c->exec]);
		/* As in manager_run_vm(): what devices have in flight would be lost. */
		if (claim_ms && !c->disks.n && !c->nets.n && !c->rng)
			nla_put_u32(msg, VMON_A_CLAIM_MS, claim_ms);
	}
	r = nl_link_call(&link, msg, on_new, &vm, on_stray, NULL, err);
	if (r >= 0 && !vm)
		r = fail(err, EPROTO, "vmon module gave no number for VM '%s'", c->name);
	if (r >= 0) {
		fd = fcntl(nl_link_fd(&link), F_DUPFD_CLOEXEC, 3);
		r = fd < 0 ? fail(err, errno, "cannot copy a socket") : 0;
	}
	nl_link_close(&link);
	if (r < 0)
		return r;
	*ret_fd = fd;
	*ret_vm = vm;
	return 0;
}
