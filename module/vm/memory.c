// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory. A region is a window on a memfd with an array of the pages taken
 * so far.
 *
 * The seals are what makes it safe to hand a page to the CPU: the file cannot
 * shrink, and cannot be sealed against writing while a region holds it
 * (mapping_map_writable()). A hole punched by the owner costs the owner the view
 * of that page, not the guest.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "gfp.h"
#include "vm/vm.h"

static struct vmon_mem_region *find(const struct vmon_vm *vm, u32 gfn)
{
	const struct vmon_memory *mem = &vm->mem;
	unsigned int i;

	for (i = 0; i < mem->nr; i++) {
		const struct vmon_mem_region *r = &mem->region[i];

		if (gfn - r->gfn < r->npages)
			return (struct vmon_mem_region *)r;
	}
	return NULL;
}

bool vmon_mem_is_ram(const struct vmon_vm *vm, u32 gfn)
{
	return find(vm, gfn);
}

bool vmon_mem_contains(const struct vmon_vm *vm, u64 gpa, u64 size)
{
	u64 end = gpa + size, at = gpa;

	if (!size || gpa >= VMON_MEM_LIMIT || size > VMON_MEM_LIMIT - gpa)
		return false;
	while (at < end) {
		const struct vmon_mem_region *r = find(vm, at >> PAGE_SHIFT);

		if (!r)
			return false;
		at = (u64)(r->gfn + (u64)r->npages) << PAGE_SHIFT;
	}
	return true;
}

u64 vmon_mem_top(const struct vmon_vm *vm)
{
	return vm->mem.top;
}

struct page *vmon_mem_page_present(const struct vmon_vm *vm, u32 gfn)
{
	struct vmon_mem_region *r = find(vm, gfn);

	return r ? READ_ONCE(r->pages[gfn - r->gfn]) : NULL;
}

struct page *vmon_mem_page(struct vmon_vm *vm, u32 gfn)
{
	struct vmon_mem_region *r = find(vm, gfn);
	struct address_space *mapping;
	struct page *page, *old;
	u32 i;

	if (!r)
		return NULL;
	i = gfn - r->gfn;
	page = READ_ONCE(r->pages[i]);
	if (likely(page))
		return page;

	mapping = r->file->f_mapping;
	page = shmem_read_mapping_page_gfp(mapping, r->pgoff + i,
					   mapping_gfp_mask(mapping));
	if (IS_ERR(page))
		return page;
	old = cmpxchg(&r->pages[i], NULL, page);
	if (old) {
		put_page(page);
		return old;
	}
	vmon_count(&vm->vcpu, MEM_PAGES);
	return page;
}

/* What a file must be, and what to say when it is not. */
static const char *file_refusal(struct file *file, u64 size, u64 offset)
{
	struct inode *inode = file_inode(file);
	unsigned int seals;
	u64 end;

	if (!S_ISREG(inode->i_mode) || inode->i_sb->s_magic != TMPFS_MAGIC)
		return "fd: not a memfd (memfd_create without MFD_HUGETLB)";
	if (!(file->f_mode & FMODE_WRITE) || !(file->f_mode & FMODE_READ))
		return "fd: not open for reading and writing";
	seals = READ_ONCE(SHMEM_I(inode)->seals);
	if (!(seals & F_SEAL_SHRINK))
		return "fd: the memfd must be sealed with F_SEAL_SHRINK";
	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return "fd: the memfd is sealed against writing";
	if (check_add_overflow(offset, size, &end) || end > i_size_read(inode))
		return "fd: the memfd is smaller than offset plus size";
	return NULL;
}

/* Where a region may lie. */
static const char *place_refusal(const struct vmon_memory *mem, u64 gpa, u64 size)
{
	unsigned int i;

	if (!size || (gpa | size) & ~PAGE_MASK)
		return "gpa, size: not multiples of the page size, or no size";
	if (gpa >= VMON_MEM_LIMIT || size > VMON_MEM_LIMIT - gpa)
		return "gpa, size: memory must lie below 4 GiB";
	if (mem->nr == VMON_MEM_REGIONS)
		return "too many memory regions: 8 are possible";
	for (i = 0; i < mem->nr; i++) {
		u64 start = (u64)mem->region[i].gfn << PAGE_SHIFT;
		u64 end = start + ((u64)mem->region[i].npages << PAGE_SHIFT);

		if (gpa < end && start < gpa + size)
			return "gpa: overlaps memory that is attached already";
	}
	return NULL;
}

/**
 * vmon_mem_add() - attach a memfd as guest memory
 * @vm:		machine, vm->lock held, vCPU parked
 * @gpa:	guest physical address, bytes
 * @size:	bytes
 * @fd:		of the calling process
 * @offset:	into the file, bytes
 * @extack:	says why not
 *
 * Return: 0, -EINVAL, -EBADF, -ENOMEM, -EPERM.
 */
int vmon_mem_add(struct vmon_vm *vm, u64 gpa, u64 size, int fd, u64 offset,
		 struct netlink_ext_ack *extack)
{
	struct vmon_memory *mem = &vm->mem;
	struct vmon_mem_region *r;
	const char *why;
	struct file *file;
	int err;

	why = place_refusal(mem, gpa, size);
	if (why)
		return vmon_refuse(extack, -EINVAL, why);
	if (vmon_range_overlaps(vm, VMON_SPACE_MMIO, gpa, size))
		return vmon_refuse(extack, -EINVAL, "gpa: overlaps a range of device memory");
	if (offset & ~PAGE_MASK)
		return vmon_refuse(extack, -EINVAL,
				   "offset: not a multiple of the page size");

	file = fget(fd);
	if (!file) {
		NL_SET_ERR_MSG(extack, "fd: not an open file of the sender");
		return -EBADF;
	}
	why = file_refusal(file, size, offset);
	if (why) {
		err = vmon_refuse(extack, -EINVAL, why);
		goto err_file;
	}
	err = mapping_map_writable(file->f_mapping);
	if (err) {
		NL_SET_ERR_MSG(extack, "fd: the memfd is sealed against writing");
		goto err_file;
	}

	r = &mem->region[mem->nr];
	r->pages = __vcalloc(size >> PAGE_SHIFT, sizeof(*r->pages),
			     VMON_GFP | __GFP_ZERO);
	if (!r->pages) {
		err = -ENOMEM;
		goto err_map;
	}
	r->gfn = gpa >> PAGE_SHIFT;
	r->npages = size >> PAGE_SHIFT;
	r->pgoff = offset >> PAGE_SHIFT;
	r->file = file;
	mem->nr++;
	mem->size += size;
	mem->top = max(mem->top, gpa + size);
	return 0;

err_map:
	mapping_unmap_writable(file->f_mapping);
err_file:
	fput(file);
	return err;
}

/* Give everything back. The vCPU's thread is gone. */
void vmon_mem_destroy(struct vmon_vm *vm)
{
	struct vmon_memory *mem = &vm->mem;
	unsigned int i;
	u32 p;

	for (i = 0; i < mem->nr; i++) {
		struct vmon_mem_region *r = &mem->region[i];

		for (p = 0; p < r->npages; p++) {
			if (!r->pages[p])
				continue;
			set_page_dirty_lock(r->pages[p]);
			put_page(r->pages[p]);
			if (!(p % 4096))
				cond_resched();
		}
		vfree(r->pages);
		mapping_unmap_writable(r->file->f_mapping);
		fput(r->file);
	}
	memset(mem, 0, sizeof(*mem));
}
