// SPDX-License-Identifier: GPL-2.0
/* See guest.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "guest.h"

int guest_memfd(size_t size, bool seal)
{
	int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size))
		return -1;
	if (seal && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -1;
	return fd;
}

bool guest_selfcheck;

int guest_new(struct guest *g, struct vnl *v, const char *name,
	      unsigned int claim_ms, unsigned int exec)
{
	memset(g, 0, sizeof(*g));
	g->v = v;
	vnl_begin(v, VMON_CMD_VM_NEW);
	vnl_str(v, VMON_A_NAME, name);
	vnl_u32(v, VMON_A_CLAIM_MS, claim_ms);
	vnl_u32(v, VMON_A_EXEC, exec);
	if (guest_selfcheck)
		vnl_u8(v, VMON_A_SELFCHECK, 1);
	if (vnl_call(v))
		return v->error;
	g->vm = vnl_get(v, VMON_A_VM);
	v->vm = g->vm;

	g->memfd = guest_memfd(GUEST_SIZE, true);
	g->mem = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      g->memfd, 0);
	if (g->mem == MAP_FAILED)
		return -errno;
	vnl_begin(v, VMON_CMD_MEM_NEW);
	vnl_u32(v, VMON_A_VM, g->vm);
	vnl_u64(v, VMON_A_GPA, 0);
	vnl_u64(v, VMON_A_SIZE, GUEST_SIZE);
	vnl_put(v, VMON_A_FD, &g->memfd, sizeof(g->memfd));
	return vnl_call(v);
}

void guest_load(struct guest *g, const char *start, const char *end)
{
	memcpy((void *)(g->mem + GUEST_CODE), start, end - start);
}

int guest_set_regs(struct guest *g)
{
	struct vmon_regs r = { .eip = GUEST_CODE, .eflags = 2, .cr0 = 0x10 };
	int i;

	for (i = 0; i < 6; i++)
		r.seg[i] = (struct vmon_regs_seg) {
			.limit = 0xffff, .attr = i == 1 ? 0x9b : 0x93,
		};
	r.seg[6] = (struct vmon_regs_seg) { .limit = 0xffff, .attr = 0x82 };
	r.seg[7] = (struct vmon_regs_seg) { .limit = 0xffff, .attr = 0x8b };
	r.gpr[4] = 0x8000;
	r.idt_limit = 0x3ff;
	vnl_begin(g->v, VMON_CMD_VCPU_SET);
	vnl_u32(g->v, VMON_A_VM, g->vm);
	vnl_put(g->v, VMON_A_REGS, &r, sizeof(r));
	return vnl_call(g->v);
}

int guest_simple(struct guest *g, int cmd)
{
	vnl_begin(g->v, cmd);
	vnl_u32(g->v, VMON_A_VM, g->vm);
	return vnl_call(g->v);
}

int guest_state(struct guest *g, enum vmon_state state)
{
	vnl_begin(g->v, VMON_CMD_VM_SET);
	vnl_u32(g->v, VMON_A_VM, g->vm);
	vnl_u32(g->v, VMON_A_STATE, state);
	return vnl_call(g->v);
}

int guest_range(struct guest *g, uint64_t port, uint64_t size, uint32_t id)
{
	vnl_begin(g->v, VMON_CMD_RANGE_NEW);
	vnl_u32(g->v, VMON_A_VM, g->vm);
	vnl_u32(g->v, VMON_A_SPACE, VMON_SPACE_PORT);
	vnl_u64(g->v, VMON_A_ADDR, port);
	vnl_u64(g->v, VMON_A_SIZE, size);
	vnl_u32(g->v, VMON_A_RANGE, id);
	return vnl_call(g->v);
}

int guest_get(struct guest *g)
{
	return guest_simple(g, VMON_CMD_VM_GET);
}

int64_t guest_stat(struct guest *g, const char *name)
{
	if (guest_simple(g, VMON_CMD_STAT_GET))
		return -1;
	return vnl_stat(g->v, name);
}

void guest_done(struct guest *g, uint32_t seq, const uint32_t *data)
{
	vnl_begin(g->v, VMON_CMD_IO_DONE);
	vnl_u32(g->v, VMON_A_VM, g->vm);
	vnl_u32(g->v, VMON_A_SEQ, seq);
	if (data)
		vnl_u32(g->v, VMON_A_DATA, *data);
	vnl_post(g->v);
}

uint32_t guest_u32(struct guest *g, uint32_t gpa)
{
	return *(volatile uint32_t *)(g->mem + gpa);
}

void guest_free(struct guest *g)
{
	guest_simple(g, VMON_CMD_VM_DEL);
	munmap((void *)g->mem, GUEST_SIZE);
	close(g->memfd);
}
