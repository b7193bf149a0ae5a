// SPDX-License-Identifier: GPL-2.0
/*
 * Ways from unit to unit: patched direct jumps, and the lookup table for
 * indirect ones.
 *
 * Each unit lists the chain sites that were patched to it, so that dropping it
 * turns them back into callouts; its own code is never overwritten. A jump into
 * the middle of a unit is never made.
 *
 * The lookup table is read by translated code, which adds the guest address to
 * an entry's first word and takes the entry if the sum is 0. The address' low
 * 16 bits name the entry; the one behind it is tried next, for in a table that is
 * a twentieth full every twentieth address would otherwise be at war with
 * another one, at the price of an exit each time.
 *
 * An empty entry must not match an address that leads to it: zero stands for guest
 * address 0, which is good everywhere but in the two entries for address 0.
 */
#include "translator/bt.h"

#define OP_INT		0xcd
#define OP_JMP_REL32	0xe9

static struct bt_lut *lut_entry(struct vmon_bt *bt, u32 index)
{
	return (struct bt_lut *)bt->host + index;
}

static void lut_clear(struct vmon_bt *bt, u32 index)
{
	struct bt_lut *entry = lut_entry(bt, index);

	entry->neg = index < 2 ? 1 : 0;
	entry->tc = 0;
}

void bt_lut_reset(struct vmon_bt *bt)
{
	memset(bt->host, 0, BT_LUT_ENTRIES * sizeof(struct bt_lut));
	lut_clear(bt, 0);
	lut_clear(bt, 1);
}

/*
 * Enter the start of unit @n into the lookup table. What is in its first place by
 * right moves to the second.
 */
void bt_lut_enter(struct vmon_bt *bt, u32 n)
{
	const struct bt_unit *u = &bt->units[n];
	u32 index = (u16)u->eip;
	struct bt_lut *entry = lut_entry(bt, index);

	if (entry->tc && (u16)-entry->neg == index && entry->neg != -u->eip)
		entry[1] = entry[0];
	entry->neg = -u->eip;
	entry->tc = bt->base + u->tc;
}

static void lut_remove(struct vmon_bt *bt, const struct bt_unit *u)
{
	u32 index = (u16)u->eip, i;

	for (i = index; i <= index + 1; i++)
		if (lut_entry(bt, i)->tc == bt->base + u->tc)
			lut_clear(bt, i);
}

static struct bt_chain *chain_at(struct vmon_bt *bt, u32 site)
{
	return (struct bt_chain *)(bt->host + site);
}

static void chain_set_from(struct vmon_bt *bt, struct bt_chain *c, u32 dest)
{
	u32 from = bt_get32(c->from);

	if (from)
		bt_put32(bt->host + from, dest - (from + 4));
}

/* Make @site a callout; a Jcc, if any, leads to it. */
static void chain_reset(struct vmon_bt *bt, u32 site)
{
	struct bt_chain *c = chain_at(bt, site);

	c->code[0] = OP_INT;
	c->code[1] = VMON_BT_VECTOR;
	memset(c->code + 2, 0xcc, 3);
	chain_set_from(bt, c, site);
}

void bt_chain_init(struct vmon_bt *bt, u32 site, u32 target, u32 from)
{
	struct bt_chain *c = chain_at(bt, site);

	bt_put32(c->target, target);
	bt_put32(c->from, from);
	chain_reset(bt, site);
}

static u32 link_alloc(struct vmon_bt *bt)
{
	u32 n = bt->free_links;

	if (n) {
		bt->free_links = bt->links[n].next;
		return n;
	}
	if (bt->nlinks == bt->max_links)
		return 0;
	return ++bt->nlinks;
}

/*
 * Lead @site, which is a callout so far, to the start of unit @n. Without a
 * free link the site stays a callout, which is slower but right.
 */
void bt_chain_patch(struct vmon_bt *bt, u32 site, u32 n)
{
	struct bt_chain *c = chain_at(bt, site);
	struct bt_unit *u = &bt->units[n];
	u32 link;

	if (c->code[0] != OP_INT)
		return;
	link = link_alloc(bt);
	if (!link)
		return;
	bt->links[link].site = site;
	bt->links[link].next = u->links;
	u->links = link;

	c->code[0] = OP_JMP_REL32;
	bt_put32(c->code + 1, u->tc - (site + 5));
	chain_set_from(bt, c, u->tc);
}

/* Take away all that leads into unit @n: indexes, table, chains. */
void bt_unit_unlink(struct vmon_bt *bt, u32 n)
{
	struct bt_unit *u = &bt->units[n];

	bt_index_del(bt, n);
	lut_remove(bt, u);
	while (u->links) {
		u32 link = u->links;

		chain_reset(bt, bt->links[link].site);
		u->links = bt->links[link].next;
		bt->links[link].next = bt->free_links;
		bt->free_links = link;
	}
	u->dead = true;
	bt->live--;
	bt->generation++;
	bt->stats.invalidated++;
}
