// SPDX-License-Identifier: GPL-2.0
/* Every wrong request is refused, with the right error and with a message. */
#include <errno.h>
#include <string.h>
#include "guest.h"
#include "tap.h"

static struct vnl *v;
static struct guest g;

/* Send what was built: is it refused with @err and a message? */
static void refused(int err, const char *what)
{
	vnl_call(v);
	tap_ok(v->error == err && v->msg[0], "%s: %s (%d)", what, v->msg, v->error);
}

static void vm_new(const char *name, const char *guard)
{
	vnl_begin(v, VMON_CMD_VM_NEW);
	if (name)
		vnl_str(v, VMON_A_NAME, name);
	if (guard)
		vnl_str(v, VMON_A_GUARD_NAME, guard);
}

static void mem_new(uint64_t gpa, uint64_t size, int fd, uint64_t offset)
{
	vnl_begin(v, VMON_CMD_MEM_NEW);
	vnl_u32(v, VMON_A_VM, g.vm);
	vnl_u64(v, VMON_A_GPA, gpa);
	vnl_u64(v, VMON_A_SIZE, size);
	vnl_put(v, VMON_A_FD, &fd, sizeof(fd));
	vnl_u64(v, VMON_A_OFFSET, offset);
}

static void range_new(int space, uint64_t addr, uint64_t size, uint32_t id)
{
	vnl_begin(v, VMON_CMD_RANGE_NEW);
	vnl_u32(v, VMON_A_VM, g.vm);
	vnl_u32(v, VMON_A_SPACE, space);
	vnl_u64(v, VMON_A_ADDR, addr);
	vnl_u64(v, VMON_A_SIZE, size);
	vnl_u32(v, VMON_A_RANGE, id);
}

static void irq_set(uint8_t line, uint8_t level)
{
	vnl_begin(v, VMON_CMD_IRQ_SET);
	vnl_u32(v, VMON_A_VM, g.vm);
	vnl_u8(v, VMON_A_LINE, line);
	vnl_u8(v, VMON_A_LEVEL, level);
}

static void written(uint64_t gpa, uint64_t size, size_t bytes)
{
	struct vmon_mem_range range = { gpa, size };

	vnl_begin(v, VMON_CMD_MEM_WRITTEN);
	vnl_u32(v, VMON_A_VM, g.vm);
	vnl_put(v, VMON_A_RANGES, &range, bytes);
}

static void vm_cmd(int cmd)
{
	vnl_begin(v, cmd);
	vnl_u32(v, VMON_A_VM, g.vm);
}

static void test_machine(void)
{
	vm_new(NULL, NULL);
	refused(-EINVAL, "VM_NEW without name");
	vm_new("a/b", NULL);
	refused(-EINVAL, "VM_NEW with a slash in its name");
	vm_new("", NULL);
	refused(-EINVAL, "VM_NEW with an empty name");
	vm_new("x", "none");
	refused(-EINVAL, "VM_NEW with an unknown guard");
	vm_new("refusals", NULL);
	refused(-EEXIST, "VM_NEW with a name in use");
	vm_new("x", NULL);
	vnl_u32(v, VMON_A_EXEC, 3);
	refused(-ERANGE, "VM_NEW with an unknown exec mode");
	vm_new("x", NULL);
	vnl_u8(v, VMON_A_SELFCHECK, 2);
	refused(-ERANGE, "VM_NEW with a self-check of 2");
	vm_new("x", NULL);
	vnl_u32(v, VMON_A_SELFCHECK, 1);
	refused(-EINVAL, "VM_NEW with a self-check of four bytes");
	vm_new("x", NULL);
	vnl_u32(v, VMON_A_GPA, 3);
	refused(-EINVAL, "an attribute that the operation does not take");
	vm_new("x", NULL);
	vnl_u32(v, VMON_A_MAX + 1, 3);
	refused(-EINVAL, "an attribute that does not exist");

	vnl_begin(v, VMON_CMD_VM_GET);
	refused(-EINVAL, "VM_GET without VM");
	vnl_begin(v, VMON_CMD_VM_GET);
	vnl_u32(v, VMON_A_VM, 0x7fffffff);
	refused(-ENODEV, "VM_GET of no VM");
	vm_cmd(VMON_CMD_VM_SET);
	refused(-EINVAL, "VM_SET without state");
	vm_cmd(VMON_CMD_VM_SET);
	vnl_u32(v, VMON_A_STATE, 4);
	refused(-ERANGE, "VM_SET to an unknown state");
}

static void test_memory(void)
{
	int plain = guest_memfd(GUEST_SIZE, false), sealed = guest_memfd(GUEST_SIZE, true);

	mem_new(0x100000, GUEST_SIZE, -1, 0);
	refused(-EBADF, "memory without a file");
	mem_new(0x100000, GUEST_SIZE, v->fd, 0);
	refused(-EINVAL, "memory from a socket");
	mem_new(0x100000, GUEST_SIZE, plain, 0);
	refused(-EINVAL, "memory that is not sealed");
	mem_new(0x100800, GUEST_SIZE, sealed, 0);
	refused(-EINVAL, "memory at an odd address");
	mem_new(0x100000, GUEST_SIZE, sealed, 0x800);
	refused(-EINVAL, "memory from an odd offset");
	mem_new(0x100000, GUEST_SIZE + 0x1000, sealed, 0);
	refused(-EINVAL, "memory larger than its file");
	mem_new(0x100000, GUEST_SIZE, sealed, ~0xfffull);
	refused(-EINVAL, "memory at an offset that wraps");
	mem_new(0xfff00000, GUEST_SIZE * 2, sealed, 0);
	refused(-EINVAL, "memory above 4 GiB");
	mem_new(~0xfffffull, GUEST_SIZE, sealed, 0);
	refused(-EINVAL, "memory at the top of 64 bits");
	mem_new(0xff000, GUEST_SIZE, sealed, 0);
	refused(-EINVAL, "memory over other memory");
	mem_new(0x100000, 0, sealed, 0);
	refused(-EINVAL, "memory without size");
}

static void test_written(void)
{
	vm_cmd(VMON_CMD_MEM_WRITTEN);
	refused(-EINVAL, "MEM_WRITTEN without ranges");
	written(0, 0x1000, 0);
	refused(-EINVAL, "MEM_WRITTEN with none");
	written(0, 0x1000, 8);
	refused(-EINVAL, "MEM_WRITTEN with half of one");
	written(0, 0, 16);
	refused(-EINVAL, "MEM_WRITTEN of nothing");
	written(GUEST_SIZE - 1, 2, 16);
	refused(-EINVAL, "MEM_WRITTEN over the end of memory");
	written(~0ull, 2, 16);
	refused(-EINVAL, "MEM_WRITTEN that wraps");
	written(0, 1ull << 63, 16);
	refused(-EINVAL, "MEM_WRITTEN of more than there can be");
	written(0, GUEST_SIZE, 16);
	tap_ok(!vnl_call(v), "MEM_WRITTEN of all memory");
}

static void test_ranges(void)
{
	tap_ok(!guest_range(&g, 0x3f8, 8, 1), "RANGE_NEW");
	range_new(VMON_SPACE_PORT, 0x3ff, 2, 2);
	refused(-EEXIST, "range over another");
	range_new(VMON_SPACE_PORT, 0x400, 8, 1);
	refused(-EEXIST, "range with a number in use");
	range_new(VMON_SPACE_PORT, 0x3c, 8, 2);
	refused(-EINVAL, "range over the timer");
	range_new(VMON_SPACE_PORT, 0xfff8, 16, 2);
	refused(-EINVAL, "range beyond the last port");
	range_new(VMON_SPACE_MMIO, 0xff000, 0x2000, 2);
	refused(-EINVAL, "range over memory");
	range_new(3, 0x1000, 0x2000, 2);
	refused(-ERANGE, "range in an unknown space");
	range_new(VMON_SPACE_MMIO, 0x300800, 0x10, 2);
	vnl_call(v);
	mem_new(0x300000, 0x1000, guest_memfd(GUEST_SIZE, true), 0);
	refused(-EINVAL, "memory over a range");
	vm_cmd(VMON_CMD_RANGE_DEL);
	vnl_u32(v, VMON_A_RANGE, 77);
	refused(-ENOENT, "RANGE_DEL of no range");
	irq_set(0, 1);
	refused(-EINVAL, "the timer's interrupt line");
	irq_set(2, 1);
	refused(-EINVAL, "the cascade's interrupt line");
	irq_set(16, 1);
	refused(-ERANGE, "interrupt line 16");
	irq_set(8, 0);
	vnl_u8(v, VMON_A_TRIGGER, VMON_TRIGGER_LEVEL);
	refused(-EINVAL, "a level triggered clock");
	irq_set(11, 0);
	vnl_u8(v, VMON_A_TRIGGER, 2);
	refused(-ERANGE, "an interrupt line triggered by neither");
	irq_set(11, 0);
	vnl_u8(v, VMON_A_TRIGGER, VMON_TRIGGER_LEVEL);
	tap_ok(!vnl_call(v), "a level triggered line");
	vm_cmd(VMON_CMD_IO_DONE);
	vnl_u32(v, VMON_A_SEQ, 5);
	refused(-EINVAL, "IO_DONE of what never was");
}

static void bad_registers(struct vmon_regs r, const char *what)
{
	vm_cmd(VMON_CMD_VCPU_SET);
	vnl_put(v, VMON_A_REGS, &r, sizeof(r));
	refused(-EINVAL, what);
}

static void test_registers(void)
{
	struct vmon_regs r = { .cr0 = 0x80000000 };

	vm_cmd(VMON_CMD_VCPU_SET);
	vnl_put(v, VMON_A_REGS, &r, sizeof(r));
	refused(-EINVAL, "registers with PG and without PE");
	vm_cmd(VMON_CMD_VCPU_SET);
	vnl_put(v, VMON_A_REGS, &r, sizeof(r) - 4);
	refused(-ERANGE, "registers cut short");
	bad_registers((struct vmon_regs){ .eflags = 0x8002 }, "registers with reserved flags");
	bad_registers((struct vmon_regs){ .cr0 = 0x40 }, "registers with reserved bits of CR0");
	bad_registers((struct vmon_regs){ .cpl = 3 }, "registers of real mode at ring 3");
	bad_registers((struct vmon_regs){ .cr0 = 1, .eflags = 0x20002 },
		      "registers of virtual-8086 mode at ring 0");
	bad_registers((struct vmon_regs){ .cr0 = 1 }, "registers without a code segment");
	bad_registers((struct vmon_regs){ .cr0 = 1, .cpl = 0, .seg[1].attr = 0x9b,
					  .seg[2].attr = 0xf3 },
		      "registers with the stack of another ring");
	bad_registers((struct vmon_regs){ .seg[3] = { .limit = 0x123456, .attr = 0x93 } },
		      "registers with a limit of no descriptor");
	bad_registers((struct vmon_regs){ .seg[3].attr = 0xf93 }, "registers with strange attributes");
	tap_ok(!guest_set_regs(&g), "registers");
}

/* Another socket sees the VM and may stop it, but changes nothing in it. */
static void test_stranger(void)
{
	int fd = guest_memfd(GUEST_SIZE, true);
	struct vnl *owner = v;
	struct vmon_regs r = { };

	v = vnl_open();
	vm_cmd(VMON_CMD_VM_GET);
	tap_ok(!vnl_call(v) && !strcmp(vnl_get_str(v, VMON_A_NAME), "refusals"),
	       "a stranger sees the VM");
	vm_cmd(VMON_CMD_VCPU_GET);
	tap_ok(!vnl_call(v) && vnl_attr(v, VMON_A_REGS, NULL),
	       "a stranger sees the registers");
	vm_cmd(VMON_CMD_VM_RESET);
	refused(-EPERM, "a stranger's reset");
	vm_cmd(VMON_CMD_VM_CLAIM);
	refused(-EBUSY, "a stranger's claim");
	vm_cmd(VMON_CMD_VCPU_SET);
	vnl_put(v, VMON_A_REGS, &r, sizeof(r));
	refused(-EPERM, "a stranger's registers");
	mem_new(0x100000, GUEST_SIZE, fd, 0);
	refused(-EPERM, "a stranger's memory");
	range_new(VMON_SPACE_PORT, 0x500, 8, 9);
	refused(-EPERM, "a stranger's range");
	irq_set(4, 1);
	refused(-EPERM, "a stranger's interrupt");
	written(0, 1, 16);
	refused(-EPERM, "a stranger's writes");
	vm_cmd(VMON_CMD_IO_DONE);
	vnl_u32(v, VMON_A_SEQ, 1);
	refused(-EPERM, "a stranger's answer");
	vnl_close(v);
	v = owner;
}

int main(void)
{
	v = vnl_open();
	if (!v) {
		tap_plan(1);
		tap_skip("netlink_refusals", "the module is not loaded");
		return tap_done();
	}
	tap_plan(65 + 3 + 8 + 1);
	vnl_begin(v, VMON_CMD_CHECK_GET);
	tap_ok(!vnl_call(v) && vnl_get_str(v, VMON_A_VERSION), "CHECK_GET");
	if (!tap_ok(!guest_new(&g, v, "refusals", 0, VMON_EXEC_EMULATE), "VM_NEW %s", v->msg))
		return 1;
	test_machine();
	test_memory();
	test_written();
	test_ranges();
	test_registers();
	test_stranger();

	guest_simple(&g, VMON_CMD_VM_GET);
	tap_ok(vnl_get(v, VMON_A_STATE) == VMON_STATE_STOPPED &&
	       vnl_get(v, VMON_A_MEM_SIZE) == GUEST_SIZE, "a new VM's state");
	tap_ok(!guest_state(&g, VMON_STATE_STOPPED), "STOPPED");
	tap_ok(guest_state(&g, VMON_STATE_PAUSED) == -EINVAL && v->msg[0],
	       "a stopped VM does not pause: %s", v->msg);
	tap_ok(!guest_simple(&g, VMON_CMD_VM_DEL), "VM_DEL (%d %s)", v->error, v->msg);
	vm_cmd(VMON_CMD_VM_GET);
	refused(-ENODEV, "a deleted VM");
	return tap_done();
}
