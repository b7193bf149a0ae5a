// SPDX-License-Identifier: GPL-2.0
/*
 * Finding units: by guest address, by guest page, by guest frame, by place in
 * the cache.
 *
 * Three hash tables of singly linked chains. A unit stands once in by_eip and
 * once for each of its pages in by_gva and by_gfn; there the links name nodes
 * (unit * 2 + page).
 */
#include "translator/bt.h"

static u32 *node_next(struct vmon_bt *bt, u32 node, bool gfn)
{
	struct bt_unit *u = &bt->units[node / 2];

	return gfn ? &u->next_gfn[node & 1] : &u->next_gva[node & 1];
}

static void node_del(struct vmon_bt *bt, u32 *head, u32 node, bool gfn)
{
	while (*head && *head != node)
		head = node_next(bt, *head, gfn);
	if (*head)
		*head = *node_next(bt, node, gfn);
}

void bt_index_reset(struct vmon_bt *bt)
{
	size_t bytes = sizeof(u32) << bt->hash_bits;

	memset(bt->by_eip, 0, bytes);
	memset(bt->by_gva, 0, bytes);
	memset(bt->by_gfn, 0, bytes);
	memset(bt->region, 0, sizeof(bt->region));
}

void bt_index_add(struct vmon_bt *bt, u32 n)
{
	struct bt_unit *u = &bt->units[n];
	u32 *head = &bt->by_eip[bt_hash(bt, u->eip)];
	unsigned int k;

	u->next_eip = *head;
	*head = n;
	for (k = 0; k < u->npages; k++) {
		head = &bt->by_gva[bt_hash(bt, bt_unit_page(u, k))];
		u->next_gva[k] = *head;
		*head = n * 2 + k;
		head = &bt->by_gfn[bt_hash(bt, u->gfn[k])];
		u->next_gfn[k] = *head;
		*head = n * 2 + k;
		bt->region[bt_unit_page(u, k) >> 10]++;
	}
}

void bt_index_del(struct vmon_bt *bt, u32 n)
{
	struct bt_unit *u = &bt->units[n];
	u32 *p = &bt->by_eip[bt_hash(bt, u->eip)];
	unsigned int k;

	while (*p && *p != n)
		p = &bt->units[*p].next_eip;
	if (*p)
		*p = u->next_eip;
	for (k = 0; k < u->npages; k++) {
		node_del(bt, &bt->by_gva[bt_hash(bt, bt_unit_page(u, k))],
			 n * 2 + k, false);
		node_del(bt, &bt->by_gfn[bt_hash(bt, u->gfn[k])],
			 n * 2 + k, true);
		bt->region[bt_unit_page(u, k) >> 10]--;
	}
}

/* The valid unit that starts at guest address @eip, or 0. */
u32 bt_find_start(const struct vmon_bt *bt, u32 eip)
{
	u32 n = bt->by_eip[bt_hash(bt, eip)];

	while (n && bt->units[n].eip != eip)
		n = bt->units[n].next_eip;
	return n;
}

/* The unit, valid or not, whose code holds this offset of the cache, or 0. */
u32 bt_find_tc(const struct vmon_bt *bt, u32 offset)
{
	u32 lo = 1, hi = bt->nunits + 1;
	const struct bt_unit *u;

	while (hi - lo > 1) {
		u32 mid = lo + (hi - lo) / 2;

		if (bt->units[mid].tc <= offset)
			lo = mid;
		else
			hi = mid;
	}
	u = &bt->units[lo];
	if (!bt->nunits || offset < u->tc || offset - u->tc >= u->tc_len)
		return 0;
	return lo;
}

/* The last map entry at or before @offset, which is relative to the unit. */
const struct bt_map *bt_map_at(const struct vmon_bt *bt,
			       const struct bt_unit *u, u32 offset)
{
	const struct bt_map *map = bt->map + u->map;
	u32 lo = 0, hi = u->nmap;

	while (hi - lo > 1) {
		u32 mid = lo + (hi - lo) / 2;

		if (map[mid].tc <= offset)
			lo = mid;
		else
			hi = mid;
	}
	return map + lo;
}

/* Is @eip an instruction boundary in the body of unit @n? */
static bool unit_boundary(struct vmon_bt *bt, u32 n, u32 eip, u32 *offset)
{
	const struct bt_unit *u = &bt->units[n];
	const struct bt_map *map = bt->map + u->map;
	u32 rel = eip - u->eip, lo = 0, hi = u->nbody;

	if (u->dead || rel >= u->len)
		return false;
	/* the first entry of the instruction is its boundary */
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (map[mid].eip < rel)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == u->nbody || map[lo].eip != rel ||
	    !(map[lo].flags & BT_MAP_BOUNDARY))
		return false;
	*offset = u->tc + map[lo].tc;
	bt->last = n;
	return true;
}

/*
 * Code for guest address @eip in any valid unit. The unit that the last callout
 * came from is tried first: that is where a callout mostly returns to.
 */
bool bt_find_boundary(struct vmon_bt *bt, u32 eip, u32 *offset)
{
	u32 n, node;

	if (bt->last && unit_boundary(bt, bt->last, eip, offset))
		return true;
	n = bt_find_start(bt, eip);
	if (n) {
		bt->last = n;
		*offset = bt->units[n].tc;
		return true;
	}
	for (node = bt->by_gva[bt_hash(bt, eip >> 12)]; node;
	     node = *node_next(bt, node, false))
		if (unit_boundary(bt, node / 2, eip, offset))
			return true;
	return false;
}

bool bt_gfn_used(const struct vmon_bt *bt, u32 gfn)
{
	u32 node = bt->by_gfn[bt_hash(bt, gfn)];

	while (node) {
		const struct bt_unit *u = &bt->units[node / 2];

		if (u->gfn[node & 1] == gfn)
			return true;
		node = u->next_gfn[node & 1];
	}
	return false;
}

/* Does page @k of unit @u overlap bytes [from, to) of its page? */
static bool page_overlaps(const struct bt_unit *u, unsigned int k, u32 from,
			  u32 to)
{
	u32 begin = k ? 0 : u->eip & 0xfff;
	u32 end = (u->eip & 0xfff) + u->len - k * 0x1000;

	return from < end && to > begin;
}

/* Drop one unit made from bytes [from, to) of frame @gfn. False: there is none. */
bool bt_drop_frame(struct vmon_bt *bt, u32 gfn, u32 from, u32 to)
{
	u32 node = bt->by_gfn[bt_hash(bt, gfn)];

	for (; node; node = *node_next(bt, node, true)) {
		const struct bt_unit *u = &bt->units[node / 2];

		if (u->gfn[node & 1] == gfn &&
		    page_overlaps(u, node & 1, from, to)) {
			bt_unit_unlink(bt, node / 2);
			return true;
		}
	}
	return false;
}

/* Drop one unit that was fetched from guest page @page. False: there is none. */
bool bt_drop_page(struct vmon_bt *bt, u32 page)
{
	u32 node = bt->by_gva[bt_hash(bt, page)];

	for (; node; node = *node_next(bt, node, false))
		if (bt_unit_page(&bt->units[node / 2], node & 1) == page) {
			bt_unit_unlink(bt, node / 2);
			return true;
		}
	return false;
}

/* Drop all units that contain guest address @eip. */
void bt_drop_insn(struct vmon_bt *bt, u32 eip)
{
	u32 node = bt->by_gva[bt_hash(bt, eip >> 12)];

	while (node) {
		const struct bt_unit *u = &bt->units[node / 2];
		u32 next = *node_next(bt, node, false);

		if (bt_unit_page(u, node & 1) == eip >> 12 &&
		    eip - u->eip < u->len)
			bt_unit_unlink(bt, node / 2);
		node = next;
	}
}
