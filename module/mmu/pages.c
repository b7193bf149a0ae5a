// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow pages: their memory, their numbers, and the links between them.
 *
 * Everything that is made is found again from where it may have to be unmade: a
 * frame knows the slots that map it, a page the directory slots that point to it,
 * a guest table's frame the pages that stand for it. When pages or memory run
 * out, the caller drops all of them.
 */
#include <linux/string.h>

#include "mmu/internal.h"

void vmon_mmu_link_slot(struct vmon_mmu *m, u32 *head, u32 slot)
{
	struct slot_link *l = mmu_slot_link(m, slot);

	l->prev = NO_SLOT;
	l->next = *head;
	if (*head)
		mmu_slot_link(m, *head)->prev = slot;
	*head = slot;
	m->pages[slot / 512].filled++;
}

static void unlink_slot(struct vmon_mmu *m, u32 *head, u32 slot)
{
	struct slot_link *l = mmu_slot_link(m, slot);

	if (l->prev)
		mmu_slot_link(m, l->prev)->next = l->next;
	else
		*head = l->next;
	if (l->next)
		mmu_slot_link(m, l->next)->prev = l->prev;
	m->pages[slot / 512].filled--;
}

/* What a directory slot holds when the guest maps nothing there. */
static u64 dir_slot_base(struct vmon_mmu *m, const struct shadow_page *sp,
			 unsigned int i)
{
	u32 gva = mmu_dir_slot_gva(sp, i);

	if (gva == TOP_GVA)
		return m->pages[m->top_empty].entry | DIRECTORY_BITS;
	if (mmu_in_window(m, gva))
		return m->window_tables[(gva - m->window) >> 21];
	return 0;
}

static void set_dir_base(struct vmon_mmu *m, struct shadow_page *sp, u32 gva, bool there)
{
	unsigned int i = gva >> 21 & 511;

	if (mmu_dir_slot_gva(sp, i) == gva)
		sp->table[i] = there ? dir_slot_base(m, sp, i) : 0;
}

/* Fill in, or clear, what an empty table holds for the monitor's sake. */
static void set_base(struct vmon_mmu *m, struct shadow_page *sp, bool there)
{
	unsigned int i;

	if (sp->role & ROLE_DIR) {
		set_dir_base(m, sp, TOP_GVA, there);
		for (i = 0; i < m->window_nr; i++)
			set_dir_base(m, sp, m->window + (i << 21), there);
	} else if (sp->role & ROLE_TOP) {
		sp->table[511] = there ? m->mpage : 0;
	}
}

void vmon_mmu_zap_slot(struct vmon_mmu *m, u32 page, unsigned int i)
{
	struct shadow_page *sp = &m->pages[page];
	u32 slot = page * 512 + i;
	u32 owner = *mmu_slot_owner(m, slot);

	if (!owner)
		return;
	*mmu_slot_owner(m, slot) = 0;
	if (sp->role & ROLE_DIR) {
		unlink_slot(m, &m->pages[owner].parents, slot);
		sp->table[i] = dir_slot_base(m, sp, i);
	} else {
		unlink_slot(m, &m->rmap[owner - 1], slot);
		sp->table[i] = 0;
	}
}

void vmon_mmu_remove_page(struct vmon_mmu *m, u32 page)
{
	struct shadow_page *sp = &m->pages[page];
	const u32 *owner = mmu_slot_owner(m, page * 512);
	u32 *link = &m->buckets[mmu_hash(sp->gfn)];
	bool shared = false;
	u32 other;
	unsigned int i;

	for (i = 0; sp->filled; i++)
		if (owner[i])
			vmon_mmu_zap_slot(m, page, i);
	set_base(m, sp, false);
	while (sp->parents)
		vmon_mmu_zap_slot(m, sp->parents / 512, sp->parents % 512);
	for (i = 0; i < 4; i++) {
		if (m->root[i] == page) {
			m->root[i] = 0;
			m->pdpt[i] = 0;
		}
	}
	while (*link != page)
		link = &m->pages[*link].hash_next;
	*link = sp->hash_next;
	if (mmu_traced(sp)) {
		for (other = m->buckets[mmu_hash(sp->gfn)]; other;
		     other = m->pages[other].hash_next)
			if (m->pages[other].gfn == sp->gfn && mmu_traced(&m->pages[other]))
				shared = true;
		if (!shared)
			vmon_mmu_unprotect(m, sp->gfn, VMON_GFN_TABLE);
	}
	sp->used = false;
	sp->hash_next = m->free;
	m->free = page;
	m->stats.pages--;
	m->stats.zapped_pages++;
}

void vmon_mmu_flush(struct vmon_mmu *m)
{
	u32 i;

	for (i = 1; i < m->nr_pages; i++)
		if (m->pages[i].used && i != m->top_empty)
			vmon_mmu_remove_page(m, i);
	m->stats.flushes++;
}

static bool alloc_page_memory(struct vmon_mmu *m, struct shadow_page *sp)
{
	char *links;

	sp->table = m->ops->alloc(m->priv);
	links = m->ops->alloc_links(m->priv);
	if (!sp->table || !links) {
		if (sp->table)
			m->ops->free(m->priv, sp->table);
		if (links)
			m->ops->free_links(m->priv, links);
		sp->table = NULL;
		return false;
	}
	sp->links = (struct slot_link *)links;
	sp->entry = m->ops->entry(m->priv, sp->table);
	return true;
}

/* A new shadow page, not in the hash yet; 0 when memory or numbers run out. */
static u32 take_page(struct vmon_mmu *m)
{
	u32 page = m->free;

	if (page) {
		/* Its table is empty: vmon_mmu_remove_page(). */
		m->free = m->pages[page].hash_next;
	} else {
		if (m->nr_pages == NR_PAGES ||
		    !alloc_page_memory(m, &m->pages[m->nr_pages]))
			return 0;
		page = m->nr_pages++;
	}
	m->stats.pages++;
	return page;
}

u32 vmon_mmu_find_page(struct vmon_mmu *m, u32 gfn, u32 role)
{
	u32 page;

	for (page = m->buckets[mmu_hash(gfn)]; page; page = m->pages[page].hash_next)
		if (m->pages[page].gfn == gfn && m->pages[page].role == role) {
			m->pages[page].writes = 0;
			return page;
		}
	return 0;
}

u32 vmon_mmu_get_page(struct vmon_mmu *m, u32 gfn, u32 role)
{
	u32 page = vmon_mmu_find_page(m, gfn, role);
	struct shadow_page *sp;

	if (page)
		return page;
	page = take_page(m);
	if (!page)
		return 0;
	sp = &m->pages[page];
	sp->gfn = gfn;
	sp->role = role;
	sp->parents = NO_SLOT;
	sp->writes = 0;
	sp->used = true;
	sp->hash_next = m->buckets[mmu_hash(gfn)];
	m->buckets[mmu_hash(gfn)] = page;
	set_base(m, sp, true);
	if (mmu_traced(sp))
		vmon_mmu_protect(m, gfn, VMON_GFN_TABLE);
	return page;
}

struct vmon_mmu *vmon_mmu_create(const struct vmon_mmu_ops *ops,
				 const struct vmon_phys_ops *phys, void *priv,
				 u32 max_gfn, u64 *pdpt, u64 mpage)
{
	struct vmon_mmu *m = ops->alloc_big(priv, sizeof(*m));

	if (!m)
		return NULL;
	m->ops = ops;
	m->phys = phys;
	m->priv = priv;
	m->pdpt = pdpt;
	m->mpage = mpage;
	m->max_gfn = max_gfn;
	m->nr_pages = 1;
	m->wp = true;
	m->rmap = ops->alloc_big(priv, (size_t)max_gfn * sizeof(*m->rmap));
	m->flags = ops->alloc_big(priv, max_gfn);
	m->pages = ops->alloc_big(priv, NR_PAGES * sizeof(*m->pages));
	m->buckets = ops->alloc_big(priv, NR_BUCKETS * sizeof(*m->buckets));
	if (!m->rmap || !m->flags || !m->pages || !m->buckets)
		goto fail;
	/* Keyed by a frame that no guest has. */
	m->top_empty = vmon_mmu_get_page(m, ~0u, ROLE_DIRECT | ROLE_TOP);
	if (!m->top_empty)
		goto fail;
	return m;
fail:
	vmon_mmu_destroy(m);
	return NULL;
}

void vmon_mmu_destroy(struct vmon_mmu *m)
{
	u32 i;

	if (!m)
		return;
	for (i = 1; m->pages && i < m->nr_pages; i++) {
		m->ops->free(m->priv, m->pages[i].table);
		m->ops->free_links(m->priv, m->pages[i].links);
	}
	m->ops->free_big(m->priv, m->rmap);
	m->ops->free_big(m->priv, m->flags);
	m->ops->free_big(m->priv, m->pages);
	m->ops->free_big(m->priv, m->buckets);
	m->ops->free_big(m->priv, m);
}

void vmon_mmu_get_stats(const struct vmon_mmu *m, struct vmon_mmu_stats *stats)
{
	*stats = m->stats;
}
