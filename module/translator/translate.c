// SPDX-License-Identifier: GPL-2.0
/*
 * The binary translator's interface: create, enter, resume, locate, invalidate.
 *
 * The cache is one piece: the lookup table, then code. When code or any of the
 * arrays beside it is full, everything goes and begins anew.
 */
#include "translator/emit.h"

/* Cache bytes per element of the arrays, from what compiled code needs. */
#define BYTES_PER_UNIT	80
#define BYTES_PER_MAP	6
#define BYTES_PER_LINK	32

/* Above so many pages units are compared with the range, not looked up. */
#define SCAN_PAGES	64

static void *alloc_array(struct vmon_bt *bt, size_t n, size_t size)
{
	void *p = bt->ops->alloc(n * size);

	if (p)
		memset(p, 0, n * size);
	return p;
}

struct vmon_bt *vmon_bt_create(const struct vmon_bt_ops *ops, void *priv,
			       void *host, u32 size, u32 base)
{
	struct vmon_bt *bt;
	u32 code, n;

	if (size < VMON_BT_MIN_SIZE)
		return NULL;
	bt = ops->alloc(sizeof(*bt));
	if (!bt)
		return NULL;
	code = size - BT_CODE_START;
	memset(bt, 0, sizeof(*bt));
	bt->ops = ops;
	bt->priv = priv;
	bt->host = host;
	bt->size = size;
	bt->max_units = code / BYTES_PER_UNIT;
	bt->max_map = code / BYTES_PER_MAP;
	bt->max_links = code / BYTES_PER_LINK;
	bt->hash_bits = 8;
	while (1u << bt->hash_bits < bt->max_units / 2)
		bt->hash_bits++;
	n = 1u << bt->hash_bits;

	bt->units = alloc_array(bt, bt->max_units + 1, sizeof(*bt->units));
	bt->map = alloc_array(bt, bt->max_map, sizeof(*bt->map));
	bt->links = alloc_array(bt, bt->max_links + 1, sizeof(*bt->links));
	bt->by_eip = alloc_array(bt, n, sizeof(u32));
	bt->by_gva = alloc_array(bt, n, sizeof(u32));
	bt->by_gfn = alloc_array(bt, n, sizeof(u32));
	bt->scratch = alloc_array(bt, 1, sizeof(*bt->scratch));
	if (!bt->units || !bt->map || !bt->links || !bt->by_eip ||
	    !bt->by_gva || !bt->by_gfn || !bt->scratch) {
		vmon_bt_destroy(bt);
		return NULL;
	}
	vmon_bt_flush(bt, base);
	bt->stats.flushes = 0;
	return bt;
}

static void free_array(struct vmon_bt *bt, void *p)
{
	if (p)
		bt->ops->free(p);
}

void vmon_bt_destroy(struct vmon_bt *bt)
{
	if (!bt)
		return;
	free_array(bt, bt->scratch);
	free_array(bt, bt->by_gfn);
	free_array(bt, bt->by_gva);
	free_array(bt, bt->by_eip);
	free_array(bt, bt->links);
	free_array(bt, bt->map);
	free_array(bt, bt->units);
	bt->ops->free(bt);
}

void vmon_bt_flush(struct vmon_bt *bt, u32 base)
{
	bt->base = base;
	bt->used = BT_CODE_START;
	bt->nunits = 0;
	bt->live = 0;
	bt->nmap = 0;
	bt->nlinks = 0;
	bt->free_links = 0;
	bt->last = 0;
	bt->generation++;
	bt->stats.flushes++;
	bt_index_reset(bt);
	bt_lut_reset(bt);
}

static bool has_room(const struct vmon_bt *bt)
{
	return bt->size - bt->used >= BT_UNIT_ROOM &&
	       bt->nunits < bt->max_units &&
	       bt->max_map - bt->nmap >= BT_UNIT_MAPS;
}

static int translate(struct vmon_bt *bt, u32 eip, u32 *n)
{
	if (eip >= VMON_MPAGE_GVA)
		return -EFAULT;
	if (!has_room(bt))
		vmon_bt_flush(bt, bt->base);
	return bt_translate(bt, eip, n);
}

int vmon_bt_enter(struct vmon_bt *bt, u32 eip, u32 *tc)
{
	u32 offset, n;
	int err;

	if (!bt_find_boundary(bt, eip, &offset)) {
		err = translate(bt, eip, &n);
		if (err)
			return err;
		bt->last = n;
		offset = bt->units[n].tc;
	}
	*tc = bt->base + offset;
	return 0;
}

/* The unit and map entry of an address in the cache. */
static const struct bt_map *find_tc(struct vmon_bt *bt, u32 tc, u32 *n)
{
	u32 offset = tc - bt->base;
	const struct bt_unit *u;

	if (offset >= bt->used)
		return NULL;
	u = &bt->units[bt->last];
	*n = bt->last && offset - u->tc < u->tc_len ? bt->last : bt_find_tc(bt, offset);
	if (!*n)
		return NULL;
	u = &bt->units[*n];
	return bt_map_at(bt, u, offset - u->tc);
}

static u32 chain_target(const struct vmon_bt *bt, u32 offset)
{
	const struct bt_chain *c = (const void *)(bt->host + offset);

	return bt_get32(c->target);
}

int vmon_bt_resume(struct vmon_bt *bt, u32 site, u32 eip, u32 *tc)
{
	const struct bt_map *m;
	u32 n, from;
	int err;

	n = bt_find_start(bt, eip);
	if (!n) {
		err = translate(bt, eip, &n);
		if (err)
			return err;
	}
	bt->last = n;
	*tc = bt->base + bt->units[n].tc;

	/* after a flush the site is gone, or one that is as good */
	m = find_tc(bt, site, &from);
	if (!m || bt->units[from].dead ||
	    site - bt->base != bt->units[from].tc + m->tc)
		return 0;
	switch (m->flags & BT_MAP_SITE) {
	case VMON_BT_CHAIN:
		if (chain_target(bt, site - bt->base) == eip)
			bt_chain_patch(bt, site - bt->base, n);
		break;
	case VMON_BT_LOOKUP:
		bt_lut_enter(bt, n);
		break;
	}
	return 0;
}

void vmon_bt_returned(struct vmon_bt *bt, u32 eip)
{
	u32 n = bt_find_start(bt, eip);

	if (n)
		bt_lut_enter(bt, n);
}

int vmon_bt_locate(struct vmon_bt *bt, u32 tc, struct vmon_bt_pos *pos)
{
	const struct bt_unit *u;
	const struct bt_map *m;
	u32 n, offset;
	bool exact;

	m = find_tc(bt, tc, &n);
	if (!m)
		return -ENOENT;
	u = &bt->units[n];
	offset = u->tc + m->tc;
	exact = tc - bt->base == offset;
	bt->last = n;

	*pos = (struct vmon_bt_pos){
		.site = exact ? m->flags & BT_MAP_SITE : VMON_BT_COPY,
		.eip = u->eip + m->eip,
		.boundary = exact && m->flags & BT_MAP_BOUNDARY,
		.no_irq = m->flags & BT_MAP_NO_IRQ,
		.recover = m->recover,
		.live = !u->dead,
	};
	pos->target = pos->eip + m->len;
	if (pos->site == VMON_BT_CHAIN) {
		pos->target = chain_target(bt, offset);
		pos->eip = pos->target;
		pos->boundary = true;
	}
	return 0;
}

bool vmon_bt_invalidate_gpa(struct vmon_bt *bt, u64 gpa, unsigned int len)
{
	bool any = false;
	u64 end = gpa + len;

	while (gpa < end) {
		u64 stop = (gpa | 0xfff) + 1;

		if (stop > end)
			stop = end;
		while (bt_drop_frame(bt, gpa >> 12, gpa & 0xfff,
				     ((stop - 1) & 0xfff) + 1))
			any = true;
		gpa = stop;
	}
	return any;
}

void vmon_bt_invalidate_gva(struct vmon_bt *bt, u32 gva, u32 len)
{
	u32 first = gva >> 12, last, page, n;

	if (!len)
		return;
	last = (gva + (len - 1) < gva ? ~0u : gva + (len - 1)) >> 12;
	if (last - first < SCAN_PAGES) {
		for (page = first; page <= last; page++)
			while (bt_drop_page(bt, page))
				;
		return;
	}
	for (n = 1; n <= bt->nunits; n++) {
		const struct bt_unit *u = &bt->units[n];

		if (!u->dead && bt_unit_page(u, 0) <= last &&
		    bt_unit_page(u, u->npages - 1) >= first)
			bt_unit_unlink(bt, n);
	}
}

bool vmon_bt_region_used(const struct vmon_bt *bt, unsigned int index)
{
	return index < BT_REGIONS && bt->region[index];
}

bool vmon_bt_gfn_used(const struct vmon_bt *bt, u32 gfn)
{
	return bt_gfn_used(bt, gfn);
}

u32 vmon_bt_generation(const struct vmon_bt *bt)
{
	return bt->generation;
}

static u32 *forced_slot(const struct vmon_bt *bt, u32 eip)
{
	return (u32 *)&bt->forced[(eip * 0x9e3779b1u) >> 24];
}

/* Guest address 0 stands for an empty slot. */
bool bt_is_forced(const struct vmon_bt *bt, u32 eip)
{
	return eip && *forced_slot(bt, eip) == eip;
}

void vmon_bt_force_callout(struct vmon_bt *bt, u32 eip)
{
	*forced_slot(bt, eip) = eip;
	bt_drop_insn(bt, eip);
}

void vmon_bt_get_stats(const struct vmon_bt *bt, struct vmon_bt_stats *stats)
{
	*stats = bt->stats;
	stats->used = bt->used;
	stats->units = bt->live;
}
