/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private structures of the binary translator.
 *
 * The cache is filled from the bottom and only ever emptied as a whole, so the
 * units lie in the unit array in the order of their code: an address is found
 * by bisection. A unit that is invalidated is unlinked from everything that
 * leads into it but keeps its code and its map until the flush, because the
 * vCPU may be inside. Nothing in the code of a unit refers to its own address
 * in the array; 0 means "none" in all links.
 */
#ifndef VMON_TRANSLATOR_BT_H
#define VMON_TRANSLATOR_BT_H

#include <linux/types.h>
#include <linux/errno.h>
#include <linux/string.h>
#include "translator/translate.h"

#define BT_MAX_INSNS	64	/* guest instructions in a unit */
#define BT_MAX_EXITS	8	/* conditional branches that a unit continues behind */
#define BT_MAX_STUBS	(2 * (BT_MAX_INSNS + 1))
#define BT_UNIT_ROOM	16384	/* more than any unit needs */
#define BT_UNIT_MAPS	1024	/* likewise, map entries */
#define BT_FORCED	256	/* instructions that are always a callout */

#define BT_LUT_ENTRIES	(VMON_BT_LUT_SIZE + 1u)	/* the last one's second place */
#define BT_CODE_START	(VMON_BT_LUT_SIZE * 8u + 64)
#define BT_REGIONS	1024	/* of 4 MiB */

/*
 * A chain site: five bytes that are INT (callout) or JMP rel32 (patched), then
 * data that is never executed.
 */
struct bt_chain {
	u8 code[5];
	u8 target[4];	/* guest address */
	u8 from[4];	/* cache offset of the Jcc displacement that leads here, or 0 */
};

/**
 * struct bt_map - what begins at an offset of a unit's code
 * @tc:		offset in the unit's code
 * @eip:	offset of the guest instruction in the unit
 * @flags:	enum vmon_bt_site and BT_MAP_*
 * @recover:	registers to take back from the monitor page after a fault
 * @len:	length of the guest instruction
 */
struct bt_map {
	u16 tc;
	u16 eip;
	u8 flags;
	u8 recover;
	u8 len;
	u8 pad;
};

#define BT_MAP_SITE	0x07
#define BT_MAP_BOUNDARY	0x08
#define BT_MAP_NO_IRQ	0x10

/**
 * struct bt_unit - a translation unit
 * @eip:	guest linear address of the first instruction
 * @tc:		offset of the code in the cache
 * @map:	index of the first map entry
 * @len:	guest bytes
 * @tc_len:	bytes of code and stubs
 * @nmap:	map entries, in the order of @tc
 * @nbody:	of these, how many belong to the body, which is in the order of
 *		guest instructions as well; the others belong to stubs
 * @npages:	guest pages, 1 or 2
 * @dead:	invalidated
 * @gfn:	guest frames of the pages
 * @next_eip, @next_gva, @next_gfn: hash chains; the latter two link nodes
 *		(unit * 2 + page)
 * @links:	patched chain sites that lead here
 */
struct bt_unit {
	u32 eip;
	u32 tc;
	u32 map;
	u16 len;
	u16 tc_len;
	u16 nmap;
	u16 nbody;
	u8 npages;
	bool dead;
	u32 gfn[2];
	u32 next_eip;
	u32 next_gva[2];
	u32 next_gfn[2];
	u32 links;
};

struct bt_link {
	u32 site;	/* cache offset of a struct bt_chain */
	u32 next;
};

struct bt_lut {
	u32 neg;	/* minus the guest EIP */
	u32 tc;		/* linear address */
};

struct bt_scratch;

struct vmon_bt {
	const struct vmon_bt_ops *ops;
	void *priv;
	u8 *host;
	u32 size;
	u32 base;

	u32 used;		/* cache offset of the first free byte */
	struct bt_unit *units;	/* [1..nunits] */
	u32 nunits, max_units, live;
	struct bt_map *map;
	u32 nmap, max_map;
	struct bt_link *links;	/* [1..nlinks] */
	u32 nlinks, max_links, free_links;

	u32 *by_eip, *by_gva, *by_gfn;
	unsigned int hash_bits;

	u32 last;		/* unit of the last locate or enter */
	u32 generation;
	u32 region[BT_REGIONS];
	u32 forced[BT_FORCED];
	struct bt_scratch *scratch;
	struct vmon_bt_stats stats;
};

/* Neighbours stay neighbours: a translation asks for one address after the other. */
static inline u32 bt_hash(const struct vmon_bt *bt, u32 key)
{
	return (key ^ key >> bt->hash_bits) & ((1u << bt->hash_bits) - 1);
}

static inline u32 bt_get32(const void *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

static inline void bt_put32(void *p, u32 v)
{
	memcpy(p, &v, 4);
}

/* The guest page number of page @k of a unit. */
static inline u32 bt_unit_page(const struct bt_unit *u, unsigned int k)
{
	return (u->eip >> 12) + k;
}

/* index.c: finding units */
void bt_index_reset(struct vmon_bt *bt);
void bt_index_add(struct vmon_bt *bt, u32 n);
void bt_index_del(struct vmon_bt *bt, u32 n);
u32 bt_find_start(const struct vmon_bt *bt, u32 eip);
u32 bt_find_tc(const struct vmon_bt *bt, u32 offset);
bool bt_find_boundary(struct vmon_bt *bt, u32 eip, u32 *offset);
const struct bt_map *bt_map_at(const struct vmon_bt *bt,
			       const struct bt_unit *u, u32 offset);
bool bt_gfn_used(const struct vmon_bt *bt, u32 gfn);
bool bt_drop_frame(struct vmon_bt *bt, u32 gfn, u32 from, u32 to);
bool bt_drop_page(struct vmon_bt *bt, u32 page);
void bt_drop_insn(struct vmon_bt *bt, u32 eip);

/* chain.c: jumps between units */
void bt_lut_reset(struct vmon_bt *bt);
void bt_lut_enter(struct vmon_bt *bt, u32 n);
void bt_chain_init(struct vmon_bt *bt, u32 site, u32 target, u32 from);
void bt_chain_patch(struct vmon_bt *bt, u32 site, u32 n);
void bt_unit_unlink(struct vmon_bt *bt, u32 n);

/* unit.c: one unit */
int bt_translate(struct vmon_bt *bt, u32 eip, u32 *n);
bool bt_is_forced(const struct vmon_bt *bt, u32 eip);

#endif /* VMON_TRANSLATOR_BT_H */
