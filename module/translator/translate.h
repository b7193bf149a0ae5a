/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Binary translator: guest kernel code (CPL 0, flat 32-bit CS) to code that is
 * safe to run at ring 1.
 *
 * Most instructions are copied as they are. Those that would show or change
 * privileged state become a short inline sequence on the monitor page (%gs), or
 * a callout: a two-byte INT that leaves to the monitor, which emulates the guest
 * instruction and resumes behind it. General registers and arithmetic flags are
 * the guest's own at every instruction boundary.
 *
 * Guest memory is touched only by instructions whose fault leaves a recoverable
 * state: vmon_bt_locate() maps any address inside the translation cache back to
 * the guest instruction and says which registers to take back from the monitor
 * page.
 *
 * Pure: compiles in the kernel and in userspace.
 */
#ifndef VMON_TRANSLATOR_TRANSLATE_H
#define VMON_TRANSLATOR_TRANSLATE_H

#include <linux/types.h>
#include "vm/cpu.h"
#include "emulator/decode.h"
#include "switch/monitor_page.h"

/* INTs that translated code leaves by: vectors that no hardware raises (SDM vol. 3,
 * table 6-1: reserved). IRET and SYSEXIT have their own, to be served on the way.
 */
#define VMON_BT_VECTOR	0x18
#define VMON_BT_IRET_VECTOR 0x19
#define VMON_BT_SYSEXIT_VECTOR 0x1a
#define VMON_BT_LUT_SIZE 65536	/* entries, indexed by the low 16 bits of the guest EIP */

struct vmon_bt;

/**
 * struct vmon_bt_ops - surroundings
 * @fetch:	read up to @len bytes of guest code at linear @gva into @buf without
 *		crossing a page; store the page's guest physical address in *@gpa.
 *		Returns bytes read, or a negative value when the page is not
 *		mapped, not executable, or not RAM.
 * @protect:	the guest frame @gfn now holds translated code: writes to it must
 *		lead to vmon_bt_invalidate_gpa(). Called for the frame's first
 *		unit, and again when all were dropped since
 * @alloc, @free: bookkeeping memory, in few pieces, together two and a half times
 *		the cache: vmalloc(). Called by create and destroy only
 */
struct vmon_bt_ops {
	int (*fetch)(void *priv, u32 gva, void *buf, unsigned int len, u64 *gpa);
	void (*protect)(void *priv, u32 gfn);
	void *(*alloc)(size_t size);
	void (*free)(void *p);
};

/* Offset in the cache of eight bytes that are always zero. */
#define VMON_BT_ZEROES	(VMON_BT_LUT_SIZE * 8u + 32)

/**
 * enum vmon_bt_site - what a site in the translation cache is, for vmon_bt_locate()
 * @VMON_BT_COPY:	inside an instruction's code; not a callout
 * @VMON_BT_EMULATE:	callout: emulate the guest instruction, resume behind it
 * @VMON_BT_CHAIN:	callout: go to the target, and patch this site to it
 * @VMON_BT_LOOKUP:	callout: go to the address in mpage->guest_eip; the instruction
 *			is complete, enter it into the table
 * @VMON_BT_IRET:	callout: emulate, as above; where it leads may be in the table next
 *			time
 * @VMON_BT_PENDING:	callout: the instruction (STI, POPF, ...) is complete and an
 *			interrupt is pending: resume at the target
 */
enum vmon_bt_site {
	VMON_BT_COPY,
	VMON_BT_EMULATE,
	VMON_BT_CHAIN,
	VMON_BT_LOOKUP,
	VMON_BT_IRET,
	VMON_BT_PENDING,
};

/**
 * struct vmon_bt_pos - a position in translated code
 * @site:	enum vmon_bt_site
 * @eip:	the guest instruction that the code at this address belongs to
 * @target:	CHAIN: guest address of the destination (and @eip is the same: the
 *		branch is complete); PENDING: guest address of the next instruction
 * @boundary:	exactly between guest instructions: state is precise and an
 *		interrupt may be taken before @eip
 * @no_irq:	an interrupt must not be taken here (after STI, MOV SS): one more
 *		guest instruction has to run first
 * @recover:	bit mask of general registers to take back from mpage->spill if the
 *		instruction at this address faults
 * @live:	the unit has not been invalidated
 */
struct vmon_bt_pos {
	u8 site;
	u32 eip;
	u32 target;
	bool boundary;
	bool no_irq;
	bool live;
	u8 recover;
};

/**
 * vmon_bt_create() - a translator for one vCPU
 * @host:	the cache as the monitor writes it; @size bytes, page aligned. Its
 *		first part is the lookup table (VMON_BT_LUT_SIZE * 8 bytes).
 * @base:	the guest linear address it is mapped at, readable and executable
 *
 * Return: NULL without memory, or if @size is below VMON_BT_MIN_SIZE.
 */
#define VMON_BT_MIN_SIZE (VMON_BT_LUT_SIZE * 8 + 0x10000)
struct vmon_bt *vmon_bt_create(const struct vmon_bt_ops *ops, void *priv,
			       void *host, u32 size, u32 base);
void vmon_bt_destroy(struct vmon_bt *bt);

/* Drop everything; the cache is mapped at @base from now on. */
void vmon_bt_flush(struct vmon_bt *bt, u32 base);

/**
 * vmon_bt_enter() - translated code for a guest address
 * @eip:	guest linear address (CS base is 0)
 * @tc:		linear address in the cache to go to
 *
 * Looks for a unit that starts at, or has an instruction boundary at @eip;
 * translates if there is none. Flushes everything when the cache is full: then
 * all addresses and sites known before are void.
 *
 * Return: 0; -EFAULT: the first byte of the instruction, or a later one that
 * it needs, cannot be fetched (the emulator raises the fault); -ENOMEM.
 */
int vmon_bt_enter(struct vmon_bt *bt, u32 eip, u32 *tc);

/**
 * vmon_bt_resume() - finish a CHAIN or LOOKUP callout
 * @site:	address of the callout, as given to vmon_bt_locate()
 *
 * vmon_bt_enter() for @eip, then patches the CHAIN site into a direct jump, or
 * enters the target into the lookup table. A site that has been flushed
 * meanwhile is left alone.
 *
 * Return: as vmon_bt_enter().
 */
int vmon_bt_resume(struct vmon_bt *bt, u32 site, u32 eip, u32 *tc);

/**
 * vmon_bt_returned() - an IRET callout led to @eip in the guest's kernel
 *
 * If a unit begins there, it is entered into the lookup table. Mostly none does: an
 * interrupt comes anywhere, and a unit for each place would fill the cache.
 */
void vmon_bt_returned(struct vmon_bt *bt, u32 eip);

/**
 * vmon_bt_locate() - what is at this address of the cache
 * @tc:		linear address. For a callout: that of its INT instruction (the
 *		saved EIP minus 2).
 *
 * Finds units that were invalidated as well, until the next flush: the vCPU may
 * have been inside.
 *
 * Return: 0; -ENOENT if no unit lies there.
 */
int vmon_bt_locate(struct vmon_bt *bt, u32 tc, struct vmon_bt_pos *pos);

/*
 * The guest wrote to guest physical [gpa, gpa + len): drop units made from it.
 * Return: true if there were any.
 */
bool vmon_bt_invalidate_gpa(struct vmon_bt *bt, u64 gpa, unsigned int len);

/* The guest changed the mapping of the linear page(s): drop units fetched there. */
void vmon_bt_invalidate_gva(struct vmon_bt *bt, u32 gva, u32 len);

/* Is there a unit that was fetched from the 4 MiB region @index (gva >> 22)? */
bool vmon_bt_region_used(const struct vmon_bt *bt, unsigned int index);

/**
 * vmon_bt_force_callout() - always emulate the instruction at @eip from now on
 *
 * For an instruction that keeps faulting on traced or device memory: a callout
 * is cheaper than the fault. Takes effect on ordinary instructions only. The set
 * is small and lossy; vmon_bt_flush() keeps it.
 */
void vmon_bt_force_callout(struct vmon_bt *bt, u32 eip);

/**
 * vmon_bt_generation() - changes whenever a unit is dropped
 *
 * While it is the same, addresses in the cache that vmon_bt_enter() gave, and
 * the code behind a callout, may be gone to without asking again.
 */
u32 vmon_bt_generation(const struct vmon_bt *bt);

/* Is there a unit that was fetched from guest frame @gfn? */
bool vmon_bt_gfn_used(const struct vmon_bt *bt, u32 gfn);

/* Bytes used, units, flushes, translations: for statistics. */
struct vmon_bt_stats {
	u32 used, units;
	u64 flushes, translated_units, translated_insns, invalidated;
};

void vmon_bt_get_stats(const struct vmon_bt *bt, struct vmon_bt_stats *stats);

#endif /* VMON_TRANSLATOR_TRANSLATE_H */
