// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of a VM: memory, registers, ranges, interrupt lines, and the
 * owner's answers to accesses.
 *
 * IRQ_SET and IO_DONE come with every device interrupt and access: they take no
 * mutex.
 */
#include <linux/err.h>
#include "netlink/internal.h"
#include "netlink/regs.h"
#include "vm/exec.h"

static int need_all(struct genl_info *info, const int *attr, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (vmon_need(info, attr[i]))
			return -EINVAL;
	}
	return 0;
}

#define NEED(info, ...) ({						\
	static const int attrs[] = { __VA_ARGS__ };			\
	need_all(info, attrs, ARRAY_SIZE(attrs));			\
})

/* Not while it runs; and the vCPU of one that does not is parked. */
static int hold_idle(struct vmon_vm *vm, struct genl_info *info)
{
	if (READ_ONCE(vm->state) == VMON_STATE_RUNNING)
		return vmon_no(info, -EBUSY, "the VM is running: pause it first");
	return vmon_vm_hold_vcpu(vm, info->extack);
}

int vmon_cmd_mem_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	struct vmon_vm *vm;
	int err;

	err = NEED(info, VMON_A_GPA, VMON_A_SIZE, VMON_A_FD);
	if (err)
		return err;
	vm = vmon_request_vm_lock(info, true);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = hold_idle(vm, info);
	if (!err)
		err = vmon_mem_add(vm, nla_get_u64(a[VMON_A_GPA]),
				   nla_get_u64(a[VMON_A_SIZE]),
				   nla_get_s32(a[VMON_A_FD]),
				   a[VMON_A_OFFSET] ?
				   nla_get_u64(a[VMON_A_OFFSET]) : 0,
				   info->extack);
	/* What was no memory until now may be known as such. */
	if (!err)
		vmon_exec_reset(&vm->vcpu);
	vmon_request_vm_unlock(vm);
	return err;
}

int vmon_cmd_vcpu_set(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_regs regs;
	struct vmon_vm *vm;
	const char *why;
	int err;

	err = vmon_need(info, VMON_A_REGS);
	if (err)
		return err;
	nla_memcpy(&regs, info->attrs[VMON_A_REGS], sizeof(regs));
	why = vmon_regs_refusal(&regs);
	if (why)
		return vmon_no(info, -EINVAL, why);
	vm = vmon_request_vm_lock(info, true);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = hold_idle(vm, info);
	if (!err) {
		vmon_regs_set(&vm->vcpu.cpu, &regs);
		vmon_exec_reset(&vm->vcpu);
	}
	vmon_request_vm_unlock(vm);
	return err;
}

int vmon_cmd_vcpu_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm *vm = vmon_request_vm_lock(info, false);
	struct vmon_regs regs;
	struct vmon_reply r;
	int err;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = vmon_vm_hold_vcpu(vm, info->extack);
	if (!err)
		vmon_regs_get(&vm->vcpu.cpu, &regs);
	vmon_vm_release_vcpu(vm);
	if (!err)
		err = vmon_reply_begin(&r, info, nla_total_size(sizeof(u32)) +
				       nla_total_size(sizeof(regs)));
	if (!err)
		err = vmon_reply_end(&r, nla_put_u32(r.skb, VMON_A_VM, vm->id) ?:
				     nla_put(r.skb, VMON_A_REGS, sizeof(regs), &regs));
	vmon_request_vm_unlock(vm);
	return err;
}

int vmon_cmd_range_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	struct vmon_range range;
	struct vmon_vm *vm;
	int err;

	err = NEED(info, VMON_A_SPACE, VMON_A_ADDR, VMON_A_SIZE, VMON_A_RANGE);
	if (err)
		return err;
	range = (struct vmon_range) {
		.space = nla_get_u32(a[VMON_A_SPACE]),
		.addr = nla_get_u64(a[VMON_A_ADDR]),
		.size = nla_get_u64(a[VMON_A_SIZE]),
		.id = nla_get_u32(a[VMON_A_RANGE]),
	};
	vm = vmon_request_vm_lock(info, true);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = vmon_range_add(vm, &range, info->extack);
	vmon_request_vm_unlock(vm);
	return err;
}

int vmon_cmd_range_del(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_vm *vm;
	int err;

	err = vmon_need(info, VMON_A_RANGE);
	if (err)
		return err;
	vm = vmon_request_vm_lock(info, true);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = vmon_range_del(vm, nla_get_u32(info->attrs[VMON_A_RANGE]),
			     info->extack);
	vmon_request_vm_unlock(vm);
	return err;
}

/* What is wrong with memory that is said to have been written. */
static const char *written_refusal(const struct vmon_vm *vm, const struct vmon_mem_range *range,
				   unsigned int n)
{
	u64 total = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!vmon_mem_contains(vm, range[i].gpa, range[i].size))
			return "ranges: one is empty, or not all of it is memory";
		total += range[i].size;
		if (total > VMON_MEM_LIMIT)
			return "ranges: more than 4 GiB";
	}
	return NULL;
}

int vmon_cmd_mem_written(struct sk_buff *skb, struct genl_info *info)
{
	const struct vmon_mem_range *range;
	unsigned int n, len;
	struct vmon_vm *vm;
	const char *why;
	int err;

	err = vmon_need(info, VMON_A_RANGES);
	if (err)
		return err;
	range = nla_data(info->attrs[VMON_A_RANGES]);
	len = nla_len(info->attrs[VMON_A_RANGES]);
	n = len / sizeof(*range);
	if (!n || len % sizeof(*range))
		return vmon_no(info, -EINVAL, "ranges: none, or not a whole number of them");
	vm = vmon_request_vm_lock(info, true);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	why = written_refusal(vm, range, n);
	if (why)
		err = vmon_no(info, -EINVAL, why);
	else if (vmon_vcpu_written(&vm->vcpu, range, n))
		err = vmon_no(info, -ETIMEDOUT,
			      "the vCPU does not come to a stop: see the kernel log");
	vmon_request_vm_unlock(vm);
	return err;
}

int vmon_cmd_irq_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *trigger = info->attrs[VMON_A_TRIGGER];
	struct vmon_vm *vm;
	unsigned int line;
	int err;

	err = NEED(info, VMON_A_LINE, VMON_A_LEVEL);
	if (err)
		return err;
	line = nla_get_u8(info->attrs[VMON_A_LINE]);
	if (line == 0 || line == VMON_PIC_CASCADE)
		return vmon_no(info, -EINVAL,
			       "line: 0 is the timer's and 2 the cascade's");
	vm = vmon_request_vm(info, true);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (trigger && !vmon_irq_set_trigger(vm, line, nla_get_u8(trigger)))
		err = vmon_no(info, -EINVAL, "trigger: the line is edge triggered, always");
	else
		vmon_irq_set_line(vm, line, nla_get_u8(info->attrs[VMON_A_LEVEL]));
	vmon_vm_put(vm);
	return err;
}

int vmon_cmd_io_done(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *data = info->attrs[VMON_A_DATA];
	struct vmon_vm *vm;
	u32 val = 0;
	int err;

	err = vmon_need(info, VMON_A_SEQ);
	if (err)
		return err;
	vm = vmon_request_vm(info, true);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (data)
		val = nla_get_u32(data);
	err = vmon_io_done(vm, nla_get_u32(info->attrs[VMON_A_SEQ]),
			   data ? &val : NULL, info->extack);
	vmon_vm_put(vm);
	return err;
}
