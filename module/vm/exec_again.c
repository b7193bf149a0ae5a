// SPDX-License-Identifier: GPL-2.0
/*
 * What need not be done a second time: an exit from translated code mostly ends where it
 * came from, with the same segments, behind an instruction that has been decoded before.
 *
 * Nothing here is traced. What an entry was prepared from is compared, the guest's registers as
 * a whole; whoever prepares the area for something else, or changes what was prepared, clears
 * x->again.valid. What was made from the guest's code holds as long as the translator
 * has dropped nothing.
 */
#include <linux/string.h>

#include "vm/exec_internal.h"

static const u64 *words_of(const struct vmon_cpu *cpu)
{
	return (const u64 *)((const u8 *)cpu + VMON_AGAIN_FROM);
}

/**
 * vmon_exec_same() - is the area prepared for an entry to translated code as it is?
 * @x:		execution state, the guest at ring 0
 *
 * If so, segments are in the run GDT, @x->again.sel are their selectors, and
 * vmon_exec_resident_rearm() is all that is left of the preparations for resident.S.
 */
bool vmon_exec_same(const struct vmon_exec *x)
{
	const struct vmon_exec_again *a = &x->again;
	const u64 *now = words_of(&x->vcpu->cpu);
	u64 differs = a->dr7 ^ x->vcpu->cpu.dr[7];
	unsigned int i;

	if (!a->valid || x->resident.stale || a->generation != vmon_bt_generation(x->bt))
		return false;
	for (i = 0; i < VMON_AGAIN_WORDS; i++)
		differs |= a->cpu[i] ^ now[i];
	return !differs;
}

/**
 * vmon_exec_keep() - the area has been prepared for an entry to translated code
 * @x:		execution state, with the registers that it was prepared from
 * @sel:	ES, DS, FS: the selectors to load
 */
void vmon_exec_keep(struct vmon_exec *x, const u16 sel[VMON_NR_SREGS])
{
	struct vmon_exec_again *a = &x->again;

	memcpy(a->cpu, words_of(&x->vcpu->cpu), sizeof(a->cpu));
	memcpy(a->sel, sel, sizeof(a->sel));
	a->dr7 = x->vcpu->cpu.dr[7];
	a->generation = vmon_bt_generation(x->bt);
	/* Entry points that have been dropped since are to be found anew. */
	a->valid = x->resident.generation == a->generation;
}

/**
 * vmon_exec_found() - translated code for a guest address is known
 * @x:		execution state
 * @eip:	guest linear address
 * @tc:		linear address in the cache
 * @generation:	of the translator, when that was so
 */
void vmon_exec_found(struct vmon_exec *x, u32 eip, u32 tc, u32 generation)
{
	x->again.eip = eip;
	x->again.tc = tc;
	x->again.tc_generation = generation;
}

/**
 * vmon_exec_lost() - it is not known any more
 * @x:		execution state
 */
void vmon_exec_lost(struct vmon_exec *x)
{
	/* The translator's begins with the flush of its creation. */
	x->again.tc_generation = 0;
}

/**
 * vmon_exec_find() - is translated code for @eip known?
 * @x:		execution state
 * @eip:	guest linear address
 * @tc:		linear address in the cache, if so
 */
bool vmon_exec_find(const struct vmon_exec *x, u32 eip, u32 *tc)
{
	const struct vmon_exec_again *a = &x->again;

	if (a->eip != eip || a->tc_generation != vmon_bt_generation(x->bt))
		return false;
	*tc = a->tc;
	return true;
}

static unsigned int slot_of(u32 site)
{
	return (site >> 2 ^ site >> 9) % VMON_DECODED_SLOTS;
}

/**
 * vmon_exec_decoded() - the instruction of a callout
 * @x:		execution state
 * @site:	linear address of the callout in the cache; its unit is live
 *
 * Return: NULL if it has to be fetched.
 */
const struct vmon_insn *vmon_exec_decoded(const struct vmon_exec *x, u32 site)
{
	const struct vmon_exec_again *a = &x->again;
	unsigned int i = slot_of(site);

	return a->decoded[i].site == site &&
	       a->decoded[i].generation == vmon_bt_generation(x->bt) ?
		&a->decoded[i].insn : NULL;
}

/**
 * vmon_exec_keep_decoded() - x->emu.insn is the instruction of a callout
 * @x:		execution state
 * @site:	linear address of the callout in the cache
 * @generation:	of the translator, before the instruction was executed
 */
void vmon_exec_keep_decoded(struct vmon_exec *x, u32 site, u32 generation)
{
	unsigned int i = slot_of(site);

	x->again.decoded[i].site = site;
	x->again.decoded[i].generation = generation;
	x->again.decoded[i].insn = x->emu.insn;
}
