/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory: sealed memfds of the daemon's, by guest frame number.
 *
 * A page is taken at first touch and kept until the VM goes; the file is sealed
 * against shrinking, so a frame once taken stays the guest's. Regions change
 * only while the vCPU is parked: lookups need no lock.
 */
#ifndef VMON_VM_MEMORY_H
#define VMON_VM_MEMORY_H

#include <linux/types.h>
#include <linux/mm.h>

struct vmon_vm;
struct file;
struct netlink_ext_ack;

#define VMON_MEM_REGIONS	8
#define VMON_MEM_LIMIT		0x100000000ull	/* bytes */

/**
 * struct vmon_mem_region - guest-physically contiguous memory
 * @gfn:	first frame
 * @npages:	size in pages
 * @pgoff:	of @gfn in @file, in pages
 * @file:	the memfd
 * @pages:	by frame - @gfn, NULL until touched
 */
struct vmon_mem_region {
	u32 gfn;
	u32 npages;
	pgoff_t pgoff;
	struct file *file;
	struct page **pages;
};

/* @top: end of the highest region; @size: sum of all; in bytes. */
struct vmon_memory {
	struct vmon_mem_region region[VMON_MEM_REGIONS];
	unsigned int nr;
	u64 top;
	u64 size;
};

int vmon_mem_add(struct vmon_vm *vm, u64 gpa, u64 size, int fd, u64 offset,
		 struct netlink_ext_ack *extack);
void vmon_mem_destroy(struct vmon_vm *vm);

/* Is there RAM at @gfn? Does not sleep. */
bool vmon_mem_is_ram(const struct vmon_vm *vm, u32 gfn);

/* Is all of [gpa, gpa + size) RAM, and size not 0? Does not sleep. */
bool vmon_mem_contains(const struct vmon_vm *vm, u64 gpa, u64 size);

/**
 * vmon_mem_page() - the host page behind a guest frame
 *
 * Vcpu thread or parked vCPU; may sleep at the first touch of a page, never
 * after. The VM keeps the reference: use it as long as the VM lives, do not put
 * it. The page may be in highmem only on hosts that vmon does not support, so
 * page_address() is valid.
 *
 * Return: the page; NULL when there is no RAM; ERR_PTR(-ENOMEM, ...).
 */
struct page *vmon_mem_page(struct vmon_vm *vm, u32 gfn);

/* The same, only if it was touched before: NULL otherwise. Never sleeps. */
struct page *vmon_mem_page_present(const struct vmon_vm *vm, u32 gfn);

/* End of the highest RAM region, in bytes. */
u64 vmon_mem_top(const struct vmon_vm *vm);

#endif /* VMON_VM_MEMORY_H */
