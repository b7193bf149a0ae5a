/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The self-check: has the guest changed anything that is the monitor's?
 *
 * For VMs that ask for it (VMON_A_SELFCHECK). Everything here is made so that no guest can
 * change it; this looks whether that is so.
 */
#ifndef VMON_SWITCH_SELFCHECK_H
#define VMON_SWITCH_SELFCHECK_H

#include <linux/types.h>

struct vmon_mpage;
struct vmon_selfcheck;
struct vmon_world;

/* A guest writes 1 here before it tries something, and 0 afterwards. */
#define VMON_SELFCHECK_PORT	0xe0

/**
 * vmon_selfcheck_create() - watch a world
 * @world:	watched; unused parts of its monitor area are filled with a pattern
 * @mpage:	its monitor page, likewise
 * @cache:	translation cache, @cache_size bytes
 * @tables:	@nr_tables page-table pages that map the cache
 *
 * May sleep. Return: NULL for lack of memory.
 */
struct vmon_selfcheck *vmon_selfcheck_create(struct vmon_world *world, struct vmon_mpage *mpage,
					     const void *cache, size_t cache_size,
					     u64 *const *tables, unsigned int nr_tables);
void vmon_selfcheck_destroy(struct vmon_selfcheck *s);

/* The guest begins to try something, or has tried it: compare what takes longer, too. */
void vmon_selfcheck_attempt(struct vmon_selfcheck *s, bool begins);

/**
 * vmon_selfcheck_before() - the last thing before the world runs
 * vmon_selfcheck_after() - the first thing after it
 *
 * By the vCPU's thread, which alone changes what is compared. @s may be NULL.
 */
void vmon_selfcheck_before(struct vmon_selfcheck *s);
void vmon_selfcheck_after(struct vmon_selfcheck *s);

/* What has changed first, in words, since the world was made; NULL: nothing. */
const char *vmon_selfcheck_changed(const struct vmon_selfcheck *s);

/* All 0 without a self-check. */
struct vmon_selfcheck_stats {
	u64 exits;	/* compared */
	u64 attempts;	/* compared from their begin to their end */
	u64 changes;	/* pieces found different, each time anew */
};

void vmon_selfcheck_get_stats(const struct vmon_selfcheck *s, struct vmon_selfcheck_stats *stats);

#endif /* VMON_SWITCH_SELFCHECK_H */
