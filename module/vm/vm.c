// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a virtual machine: creation, states, owners, end.
 *
 * A VM is in the list until somebody unlinks it; whoever did that tears it down,
 * and the structure stays until the last reference goes. An owner that
 * disappears leaves an orphan: paused, with a delayed work that ends it unless it
 * is claimed in time.
 */
#include <linux/kernel.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "compat.h"
#include "gfp.h"
#include "netlink/netlink.h"
#include "vm/vm.h"

static DEFINE_MUTEX(vms_lock);
static LIST_HEAD(vms);		/* by rising id */
static u32 last_id;
static struct workqueue_struct *orphan_wq;

const char *const vmon_guard_name[VMON_GUARD_NR] = {
	[VMON_GUARD_SEGMENT] = "segment",
};

/* Caller holds vm->state_lock. */
static void set_state(struct vmon_vm *vm, enum vmon_state state,
		      enum vmon_cause cause, const char *report)
{
	vm->state = state;
	vm->cause = cause;
	strscpy(vm->report, report ?: "", sizeof(vm->report));
}

static void vm_free(struct vmon_vm *vm)
{
	if (vm->vcpu.task)
		put_task_struct(vm->vcpu.task);
	mem_cgroup_put(vm->memcg);
	mutex_destroy(&vm->lock);
	kvfree(vm);
}

void vmon_vm_put(struct vmon_vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		vm_free(vm);
}

struct vmon_vm *vmon_vm_get_from(u32 id)
{
	struct vmon_vm *vm, *found = NULL;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, node) {
		if (vm->id >= id) {
			refcount_inc(&vm->refs);
			found = vm;
			break;
		}
	}
	mutex_unlock(&vms_lock);
	return found;
}

struct vmon_vm *vmon_vm_get(u32 id)
{
	struct vmon_vm *vm = vmon_vm_get_from(id);

	if (vm && vm->id != id) {
		vmon_vm_put(vm);
		return NULL;
	}
	return vm;
}

/*
 * Take the VM out of the list; with @orphan only if it has no owner.
 * Return: whether it was there, and now is the caller's to tear down.
 */
static bool unlink_vm(struct vmon_vm *vm, bool orphan)
{
	bool mine;

	mutex_lock(&vms_lock);
	mine = !vm->dying && !(orphan && vm->portid);
	if (mine) {
		spin_lock(&vm->state_lock);
		vm->dying = true;
		spin_unlock(&vm->state_lock);
		list_del(&vm->node);
	}
	mutex_unlock(&vms_lock);
	return mine;
}

static void tear_down(struct vmon_vm *vm)
{
	mutex_lock(&vm->lock);
	vmon_vcpu_destroy(&vm->vcpu);
	vmon_irq_destroy(vm);
	vmon_mem_destroy(vm);

	spin_lock(&vm->state_lock);
	set_state(vm, VMON_STATE_STOPPED, VMON_CAUSE_REQUEST, "deleted");
	spin_unlock(&vm->state_lock);
	mutex_unlock(&vm->lock);
	vmon_netlink_event(vm);
	vmon_vm_put(vm);
	module_put(THIS_MODULE);
}

void vmon_vm_destroy(struct vmon_vm *vm)
{
	if (!unlink_vm(vm, false))
		return;
	cancel_delayed_work_sync(&vm->orphan_work);
	tear_down(vm);
}

static void orphan_fn(struct work_struct *work)
{
	struct vmon_vm *vm = container_of(to_delayed_work(work), struct vmon_vm,
					  orphan_work);

	if (unlink_vm(vm, true)) {
		pr_info("vmon: VM %u \"%s\": its owner did not come back, removed\n",
			vm->id, vm->name);
		tear_down(vm);
	}
}

/* Caller holds vms_lock. */
static bool name_in_use(const char *name)
{
	struct vmon_vm *vm;

	list_for_each_entry(vm, &vms, node) {
		if (!strcmp(vm->name, name))
			return true;
	}
	return false;
}

/*
 * Enter it into the list, in its place: one with a higher id may have been faster. Two
 * may have been created under one name.
 */
static int link_vm(struct vmon_vm *vm, struct netlink_ext_ack *extack)
{
	struct list_head *before;
	int err = 0;

	mutex_lock(&vms_lock);
	if (name_in_use(vm->name)) {
		NL_SET_ERR_MSG(extack, "name: a VM of this name exists");
		err = -EEXIST;
	} else {
		before = vms.prev;
		while (before != &vms && list_entry(before, struct vmon_vm, node)->id > vm->id)
			before = before->prev;
		list_add(&vm->node, before);
	}
	mutex_unlock(&vms_lock);
	return err;
}

static u32 new_id(void)
{
	u32 id;

	mutex_lock(&vms_lock);
	id = ++last_id;
	mutex_unlock(&vms_lock);
	return id;
}

/**
 * vmon_vm_create() - create a VM
 * @config:	what it shall be
 * @extack:	says why not
 *
 * The calling process is the owner's: the vCPU's thread and the guest's memory
 * go to its cgroups.
 *
 * Return: the VM, stopped, with a reference for the caller; ERR_PTR: -EEXIST,
 * -ENOMEM, -EINTR (the caller is being killed), or what joining a cgroup gives.
 */
struct vmon_vm *vmon_vm_create(const struct vmon_vm_config *config,
			       struct netlink_ext_ack *extack)
{
	struct vmon_vm *vm;
	int err;

	vm = kvzalloc(sizeof(*vm), VMON_GFP);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	vm->id = new_id();
	strscpy(vm->name, config->name, sizeof(vm->name));
	vm->exec_mode = config->exec_mode;
	vm->guard = config->guard;
	vm->protected = config->protected;
	vm->selfcheck = config->selfcheck;
	vm->portid = config->portid;
	vm->claim_ms = config->claim_ms;
	vm->state = VMON_STATE_STOPPED;
	vm->cause = VMON_CAUSE_REQUEST;
	refcount_set(&vm->refs, 2);	/* the list's and the caller's */
	mutex_init(&vm->lock);
	spin_lock_init(&vm->state_lock);
	INIT_DELAYED_WORK(&vm->orphan_work, orphan_fn);
	vm->memcg = get_mem_cgroup_from_mm(current->mm);
	vmon_io_init(&vm->io);
	vmon_irq_init(vm);

	err = vmon_vcpu_create(&vm->vcpu, vm);
	if (err) {
		NL_SET_ERR_MSG(extack, "cannot create the vCPU: no memory, or its thread cannot join the owner's cgroup");
		goto err_free;
	}
	err = link_vm(vm, extack);
	if (err)
		goto err_vcpu;
	__module_get(THIS_MODULE);
	return vm;

err_vcpu:
	vmon_vcpu_destroy(&vm->vcpu);
	vmon_irq_destroy(vm);
err_free:
	vm_free(vm);
	return ERR_PTR(err);
}

int vmon_vm_hold_vcpu(struct vmon_vm *vm, struct netlink_ext_ack *extack)
{
	if (!vmon_vcpu_park(&vm->vcpu))
		return 0;
	NL_SET_ERR_MSG(extack, "the vCPU does not come to a stop: see the kernel log");
	return -ETIMEDOUT;
}

void vmon_vm_release_vcpu(struct vmon_vm *vm)
{
	spin_lock(&vm->state_lock);
	if (vm->state == VMON_STATE_RUNNING)
		vmon_vcpu_unpark(&vm->vcpu);
	spin_unlock(&vm->state_lock);
}

/* VM_SET RUNNING. Return: 0, -EINVAL, -EPERM. */
int vmon_vm_run(struct vmon_vm *vm, struct netlink_ext_ack *extack)
{
	bool changed;

	if (!vm->mem.nr) {
		NL_SET_ERR_MSG(extack, "the VM has no memory: attach some with MEM_NEW");
		return -EINVAL;
	}
	spin_lock(&vm->state_lock);
	if (!vm->portid) {
		spin_unlock(&vm->state_lock);
		NL_SET_ERR_MSG(extack, "the VM has no owner: VM_CLAIM it first");
		return -EPERM;
	}
	if (vm->state == VMON_STATE_STOPPED && vm->started) {
		spin_unlock(&vm->state_lock);
		NL_SET_ERR_MSG(extack, "the VM has stopped: VM_RESET it first");
		return -EINVAL;
	}
	vm->started = true;
	changed = vm->state != VMON_STATE_RUNNING;
	set_state(vm, VMON_STATE_RUNNING, VMON_CAUSE_NONE, NULL);
	vmon_vcpu_unpark(&vm->vcpu);
	spin_unlock(&vm->state_lock);
	if (changed)
		vmon_netlink_event(vm);
	return 0;
}

/* VM_SET PAUSED. Return: 0, -EINVAL or -ETIMEDOUT. */
int vmon_vm_pause(struct vmon_vm *vm, struct netlink_ext_ack *extack)
{
	int err = vmon_vm_hold_vcpu(vm, extack);
	bool changed;

	spin_lock(&vm->state_lock);
	changed = vm->state == VMON_STATE_RUNNING;
	if (changed)
		set_state(vm, VMON_STATE_PAUSED, VMON_CAUSE_REQUEST, NULL);
	if (!err && vm->state == VMON_STATE_STOPPED) {
		NL_SET_ERR_MSG(extack, "the VM has stopped: VM_RESET it first");
		err = -EINVAL;
	}
	spin_unlock(&vm->state_lock);
	if (changed)
		vmon_netlink_event(vm);
	return err;
}

/* VM_SET STOPPED. Return: 0 or -ETIMEDOUT. */
int vmon_vm_stop(struct vmon_vm *vm, struct netlink_ext_ack *extack)
{
	int err = vmon_vm_hold_vcpu(vm, extack);
	bool changed;

	spin_lock(&vm->state_lock);
	changed = vm->state != VMON_STATE_STOPPED;
	if (changed)
		set_state(vm, VMON_STATE_STOPPED, VMON_CAUSE_REQUEST, NULL);
	spin_unlock(&vm->state_lock);
	if (changed)
		vmon_netlink_event(vm);
	return err;
}

/* VM_RESET. Return: 0 or -ETIMEDOUT. */
int vmon_vm_reset(struct vmon_vm *vm, struct netlink_ext_ack *extack)
{
	int err = vmon_vm_hold_vcpu(vm, extack);

	if (err)
		return err;
	vmon_io_reset(vm);
	vmon_irq_reset(vm);
	vmon_vcpu_reset(&vm->vcpu);

	spin_lock(&vm->state_lock);
	set_state(vm, VMON_STATE_PAUSED, VMON_CAUSE_REQUEST, NULL);
	spin_unlock(&vm->state_lock);
	vmon_netlink_event(vm);
	return 0;
}

/* VM_CLAIM. Return: 0, -EBUSY, -ENODEV, -ETIMEDOUT. */
int vmon_vm_claim(struct vmon_vm *vm, u32 portid, struct netlink_ext_ack *extack)
{
	bool claimed = false;
	int err = 0;

	mutex_lock(&vms_lock);
	if (vm->dying) {
		NL_SET_ERR_MSG(extack, "vm: being torn down");
		err = -ENODEV;
	} else if (vm->portid && vm->portid != portid) {
		NL_SET_ERR_MSG(extack, "the VM has a living owner");
		err = -EBUSY;
	} else if (!vm->portid) {
		cancel_delayed_work(&vm->orphan_work);
		spin_lock(&vm->state_lock);
		vm->portid = portid;
		spin_unlock(&vm->state_lock);
		vmon_io_new_owner(vm);
		claimed = true;
	}
	mutex_unlock(&vms_lock);
	/* A thread that does not run again would not send what is left in the window. */
	if (claimed && READ_ONCE(vm->state) == VMON_STATE_STOPPED) {
		err = vmon_vm_hold_vcpu(vm, extack);
		if (!err)
			vmon_io_resend(vm);
	}
	return err;
}

void vmon_vm_stopped(struct vmon_vm *vm, enum vmon_cause cause, const char *report)
{
	bool changed;

	vmon_trace(&vm->vcpu, VMON_TRACE_STOP, cause, 0);
	set_bit(VMON_REQ_PAUSE, &vm->vcpu.requests);
	spin_lock(&vm->state_lock);
	changed = vm->state != VMON_STATE_STOPPED;
	if (changed)
		set_state(vm, VMON_STATE_STOPPED, cause, report);
	spin_unlock(&vm->state_lock);
	if (changed)
		vmon_netlink_event(vm);
}

/* Pause for want of an owner. Return: whether that changed the state. */
static bool pause_ownerless(struct vmon_vm *vm)
{
	bool changed;

	spin_lock(&vm->state_lock);
	changed = vm->state == VMON_STATE_RUNNING;
	if (changed)
		set_state(vm, VMON_STATE_PAUSED, VMON_CAUSE_OWNER, NULL);
	vmon_vcpu_request_park(&vm->vcpu);
	spin_unlock(&vm->state_lock);
	return changed;
}

void vmon_vm_unreachable(struct vmon_vm *vm)
{
	if (pause_ownerless(vm))
		vmon_netlink_event(vm);
}

void vmon_vm_owner_gone(u32 portid)
{
	struct vmon_vm *vm;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, node) {
		if (vm->portid != portid)
			continue;
		spin_lock(&vm->state_lock);
		vm->portid = 0;
		spin_unlock(&vm->state_lock);
		if (pause_ownerless(vm))
			vmon_netlink_event(vm);
		queue_delayed_work(orphan_wq, &vm->orphan_work,
				   msecs_to_jiffies(vm->claim_ms));
	}
	mutex_unlock(&vms_lock);
}

int vmon_vm_init(void)
{
	orphan_wq = alloc_workqueue("vmon", WQ_UNBOUND, 0);
	return orphan_wq ? 0 : -ENOMEM;
}

void vmon_vm_exit(void)
{
	/* The last orphan's work may still be on its way out. */
	destroy_workqueue(orphan_wq);
}
