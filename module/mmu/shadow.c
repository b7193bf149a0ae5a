// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow MMU: the tables that the CPU walks in place of the guest's.
 *
 * Three kinds of link keep the shadow consistent, all by slot number (shadow page
 * times 512 plus entry), in a table of links beside every shadow page:
 *
 *   frame -> the last-level slots that map it, to write-protect it
 *   page  -> the directory slots that point to it, to take it away
 *   frame -> the shadow pages that stand for it (a hash), to trace its writes
 *
 * Guest tables are traced without exception, so an entry is right or absent.
 * Two things are always mapped besides what the guest says: the monitor page, in
 * the last slot of the last table, and the translation cache, in directory slots
 * that the guest leaves empty.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "emulator/emulate.h"
#include "mmu/shadow.h"
#include "switch/monitor_page.h"
#include "switch/table_bits.h"

#define NR_PAGES	8192	/* shadow pages at most; then all are dropped */
#define NR_BUCKETS	4096
#define TOP_GVA		0xffe00000u	/* the last 2 MiB, see ROLE_TOP */
#define NO_SLOT		0u	/* slot ids begin at 512: page 0 is not used */
#define FLOOD		4	/* traced writes without a fault between: cheaper without */
#define AROUND		16	/* entries filled with the one that faulted */
/* In last-level entries of either size; and VMON_PTE_NX without EFER.NXE. */
#define PTE_RESERVED	(0x7ff0000000000000ull | VMON_PTE_PAT)
#define DIRECTORY_BITS	(VMON_PTE_P | VMON_PTE_W | VMON_PTE_U | VMON_PTE_A)

/* Role of a shadow page: what distinguishes pages of one frame. */
#define ROLE_DIR	0x0001u	/* page directory; else last level */
#define ROLE_PAE	0x0002u
#define ROLE_DIRECT	0x0004u	/* no guest table: a large page, or paging is off */
#define ROLE_TOP	0x0008u	/* the last 2 MiB: holds the monitor page */
#define ROLE_QUADRANT(q) ((u32)(q) << 4)	/* which part of the guest's table */
#define ROLE_ACCESS(a)	((u32)(a) << 8)	/* of a large page: bits below */
#define ACC_W		1u
#define ACC_U		2u
#define ACC_NX		4u
#define ACC_D		8u

struct slot_link {
	u32 prev, next;
};

struct shadow_page {
	u64 *table;
	struct slot_link *links;
	u64 entry;
	u32 gfn;
	u32 role;
	u32 hash_next;
	u32 parents;
	u32 writes;
	bool used;
};

struct vmon_mmu {
	const struct vmon_mmu_ops *ops;
	const struct vmon_phys_ops *phys;
	void *priv;
	u64 *pdpt;
	u64 mpage;
	u32 max_gfn;
	u32 *rmap;		/* by gfn: first slot */
	u8 *flags;		/* by gfn: VMON_GFN_* */
	struct shadow_page *pages;	/* [NR_PAGES], [0] unused */
	u32 nr_pages;		/* ever used */
	u32 free;		/* chain through hash_next */
	u32 *buckets;
	u32 root[4];		/* directory in force for each GiB, or 0 */
	u32 top_empty;		/* last 2 MiB where the guest maps nothing */
	u32 window;
	u64 window_tables[16];
	unsigned int window_nr;
	bool window_conflict;
	bool wp, nx;
	struct vmon_mmu_stats stats;
};

static u32 hash_gfn(u32 gfn)
{
	return (gfn * 2654435761u) >> 20;
}

static u64 *slot_entry(struct vmon_mmu *m, u32 slot)
{
	return &m->pages[slot / 512].table[slot % 512];
}

static struct slot_link *slot_link(struct vmon_mmu *m, u32 slot)
{
	return &m->pages[slot / 512].links[slot % 512];
}

static void link_slot(struct vmon_mmu *m, u32 *head, u32 slot)
{
	struct slot_link *l = slot_link(m, slot);

	l->prev = NO_SLOT;
	l->next = *head;
	if (*head)
		slot_link(m, *head)->prev = slot;
	*head = slot;
}

static void unlink_slot(struct vmon_mmu *m, u32 *head, u32 slot)
{
	struct slot_link *l = slot_link(m, slot);

	if (l->prev)
		slot_link(m, l->prev)->next = l->next;
	else
		*head = l->next;
	if (l->next)
		slot_link(m, l->next)->prev = l->prev;
}

/*
 * Which page or frame a filled slot belongs to is not in the entry (that holds
 * host addresses), so it is kept in a second half of the links page.
 */
static u32 *slot_owner(struct vmon_mmu *m, u32 slot)
{
	return (u32 *)&m->pages[slot / 512].links[512] + slot % 512;
}

/* The first linear address that a directory slot maps. */
static u32 dir_slot_gva(const struct shadow_page *sp, unsigned int i)
{
	return (sp->role >> 4 & 3) << 30 | i << 21;
}

/* What a directory slot holds when the guest maps nothing there. */
static u64 dir_slot_base(struct vmon_mmu *m, const struct shadow_page *sp,
			 unsigned int i)
{
	u32 gva = dir_slot_gva(sp, i);

	if (gva == TOP_GVA)
		return m->pages[m->top_empty].entry | DIRECTORY_BITS;
	if (m->window_nr && gva >= m->window &&
	    (gva - m->window) >> 21 < m->window_nr)
		return m->window_tables[(gva - m->window) >> 21];
	return 0;
}

static bool in_window(const struct vmon_mmu *m, u32 gva)
{
	return m->window_nr && gva >= m->window &&
	       (gva - m->window) >> 21 < m->window_nr;
}

static void zap_slot(struct vmon_mmu *m, u32 page, unsigned int i)
{
	struct shadow_page *sp = &m->pages[page];
	u32 slot = page * 512 + i;
	u32 owner = *slot_owner(m, slot);

	if (!owner)
		return;
	*slot_owner(m, slot) = 0;
	if (sp->role & ROLE_DIR) {
		unlink_slot(m, &m->pages[owner].parents, slot);
		sp->table[i] = dir_slot_base(m, sp, i);
	} else {
		unlink_slot(m, &m->rmap[owner - 1], slot);
		sp->table[i] = 0;
	}
}

static bool traced(const struct shadow_page *sp)
{
	return !(sp->role & ROLE_DIRECT);
}

static void remove_page(struct vmon_mmu *m, u32 page)
{
	struct shadow_page *sp = &m->pages[page];
	u32 *link = &m->buckets[hash_gfn(sp->gfn)];
	bool shared = false;
	u32 other;
	unsigned int i;

	for (i = 0; i < 512; i++)
		zap_slot(m, page, i);
	while (sp->parents)
		zap_slot(m, sp->parents / 512, sp->parents % 512);
	for (i = 0; i < 4; i++) {
		if (m->root[i] == page) {
			m->root[i] = 0;
			m->pdpt[i] = 0;
		}
	}
	while (*link != page)
		link = &m->pages[*link].hash_next;
	*link = sp->hash_next;
	if (traced(sp)) {
		for (other = m->buckets[hash_gfn(sp->gfn)]; other;
		     other = m->pages[other].hash_next)
			if (m->pages[other].gfn == sp->gfn && traced(&m->pages[other]))
				shared = true;
		if (!shared && sp->gfn < m->max_gfn)
			m->flags[sp->gfn] &= ~VMON_GFN_TABLE;
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
			remove_page(m, i);
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
		m->free = m->pages[page].hash_next;
		memset(m->pages[page].table, 0, 4096);
	} else {
		if (m->nr_pages == NR_PAGES ||
		    !alloc_page_memory(m, &m->pages[m->nr_pages]))
			return 0;
		page = m->nr_pages++;
	}
	m->stats.pages++;
	return page;
}

static u32 find_page(struct vmon_mmu *m, u32 gfn, u32 role)
{
	u32 page;

	for (page = m->buckets[hash_gfn(gfn)]; page; page = m->pages[page].hash_next)
		if (m->pages[page].gfn == gfn && m->pages[page].role == role) {
			m->pages[page].writes = 0;
			return page;
		}
	return 0;
}

static u32 get_page(struct vmon_mmu *m, u32 gfn, u32 role)
{
	u32 page = find_page(m, gfn, role);
	struct shadow_page *sp;
	unsigned int i;

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
	sp->hash_next = m->buckets[hash_gfn(gfn)];
	m->buckets[hash_gfn(gfn)] = page;
	if (role & ROLE_DIR)
		for (i = 0; i < 512; i++)
			sp->table[i] = dir_slot_base(m, sp, i);
	if (role & ROLE_TOP)
		sp->table[511] = m->mpage;
	if (traced(sp))
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
	m->top_empty = get_page(m, ~0u, ROLE_DIRECT | ROLE_TOP);
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

bool vmon_mmu_region_free(struct vmon_mmu *m, const struct vmon_cpu *cpu, u32 gva)
{
	u64 e;

	if (!(cpu->cr0 & VMON_CR0_PG))
		return gva >> 12 >= m->max_gfn;
	if (!(cpu->cr4 & VMON_CR4_PAE))
		return !(m->phys->read32(m->priv, (cpu->cr3 & ~0xfffu) +
					 (gva >> 22) * 4) & VMON_PTE_P);
	e = cpu->pdptr[gva >> 30];
	if (!(e & VMON_PTE_P))
		return true;
	e = (e & VMON_PTE_ADDR) + (gva >> 22 & 255) * 16;
	return !((m->phys->read64(m->priv, e) | m->phys->read64(m->priv, e + 8)) &
		 VMON_PTE_P);
}

/* Do the directories in force map something where the window is? */
static void check_root(struct vmon_mmu *m, const struct vmon_cpu *cpu)
{
	u32 gva;

	for (gva = m->window; gva - m->window < m->window_nr << 21; gva += 1u << 22)
		if (!vmon_mmu_region_free(m, cpu, gva))
			m->window_conflict = true;
}

void vmon_mmu_load_root(struct vmon_mmu *m, const struct vmon_cpu *cpu)
{
	bool wp = cpu->cr0 & VMON_CR0_WP;

	/* Without WP, entries are wider than the guest's: nothing can be kept. */
	if (wp != m->wp) {
		vmon_mmu_flush(m);
		m->wp = wp;
	}
	memset(m->root, 0, sizeof(m->root));
	memset(m->pdpt, 0, 4 * sizeof(*m->pdpt));
	check_root(m, cpu);
}

/* The directory for the GiB of @gva. */
static u32 get_root(struct vmon_mmu *m, const struct vmon_cpu *cpu, u32 gva)
{
	unsigned int q = gva >> 30;
	u32 role = ROLE_DIR | ROLE_QUADRANT(q);
	u32 gfn;

	if (m->root[q])
		return m->root[q];
	/* Here, since a change of EFER drops the roots and loads none. */
	m->nx = (cpu->cr4 & VMON_CR4_PAE) && (cpu->efer & VMON_EFER_NX);
	/* Before a directory is shadowed, it is written without our knowledge. */
	check_root(m, cpu);
	if (!(cpu->cr0 & VMON_CR0_PG)) {
		gfn = 0;
		role |= ROLE_DIRECT;
	} else if (cpu->cr4 & VMON_CR4_PAE) {
		gfn = cpu->pdptr[q] >> 12;
		role |= ROLE_PAE;
		/* The monitor page is needed even where the guest has nothing. */
		if (!(cpu->pdptr[q] & VMON_PTE_P)) {
			gfn = ~0u;
			role |= ROLE_DIRECT;
		}
	} else {
		gfn = cpu->cr3 >> 12;
	}
	m->root[q] = get_page(m, gfn, role);
	if (m->root[q])
		m->pdpt[q] = m->pages[m->root[q]].entry | DIRECTORY_BITS;
	return m->root[q];
}

/* The directories for the monitor page and the translation cache. */
static bool get_monitor_roots(struct vmon_mmu *m, const struct vmon_cpu *cpu)
{
	u32 last = m->window + (m->window_nr << 21) - 1, i;

	if (!get_root(m, cpu, VMON_MPAGE_GVA))
		return false;
	for (i = m->window >> 30; m->window_nr && i <= last >> 30; i++)
		if (!get_root(m, cpu, i << 30))
			return false;
	return true;
}

int vmon_mmu_prepare(struct vmon_mmu *m, const struct vmon_cpu *cpu)
{
	if (get_monitor_roots(m, cpu))
		return 0;
	/* Pages ran out: start over, for all of them. */
	vmon_mmu_flush(m);
	return get_monitor_roots(m, cpu) ? 0 : -ENOMEM;
}

static unsigned int walk_access(u64 e)
{
	return (e & VMON_PTE_W ? ACC_W : 0) | (e & VMON_PTE_U ? ACC_U : 0) |
	       (e & VMON_PTE_NX ? ACC_NX : 0);
}

static u64 access_bits(unsigned int access)
{
	return (access & ACC_W ? VMON_PTE_W : 0) | (access & ACC_U ? VMON_PTE_U : 0) |
	       (access & ACC_NX ? VMON_PTE_NX : 0);
}

/*
 * Is the directory's share of the rights in the shadow's directory entry? Not where
 * that would refuse the monitor its page, and not with CR0.WP clear, see below.
 */
static bool dir_restricts(const struct vmon_mmu *m, u32 gva)
{
	return m->wp && gva < TOP_GVA;
}

/* The last-level shadow page for @gva under directory @dir; fills its slot. */
static u32 get_table(struct vmon_mmu *m, const struct vmon_cpu *cpu, u32 dir,
		     u32 gva, const struct vmon_walk *w)
{
	unsigned int i = gva >> 21 & 511;
	bool paging = cpu->cr0 & VMON_CR0_PG;
	bool pae = cpu->cr4 & VMON_CR4_PAE;
	u64 bits = DIRECTORY_BITS, pde = w->step[1].entry;
	u32 slot = dir * 512 + i;
	u32 gfn, role, page;

	role = gva >= TOP_GVA ? ROLE_TOP : 0;
	if (!paging) {
		gfn = gva >> 21 << 9;
		role |= ROLE_DIRECT | ROLE_ACCESS(ACC_W | ACC_U | ACC_D);
	} else if (w->large) {
		gfn = (u32)(w->gpa >> 21) << 9;
		role |= ROLE_DIRECT | ROLE_ACCESS(walk_access(pde) |
						  (pde & VMON_PTE_D ? ACC_D : 0));
	} else {
		gfn = w->step[0].table_gfn;
		role |= pae ? ROLE_PAE : ROLE_QUADRANT(i & 1);
		if (dir_restricts(m, gva))
			bits = VMON_PTE_P | VMON_PTE_A | access_bits(walk_access(pde));
		else
			role |= ROLE_ACCESS(walk_access(pde));
	}
	page = find_page(m, gfn, role);
	if (*slot_owner(m, slot) == page && page)
		return page;
	zap_slot(m, dir, i);
	if (!page)
		page = get_page(m, gfn, role);
	/* Getting a page may not take one away: only a flush does. */
	if (!page)
		return 0;
	*slot_entry(m, slot) = m->pages[page].entry | bits;
	*slot_owner(m, slot) = page;
	link_slot(m, &m->pages[page].parents, slot);
	return page;
}

static void fill_slot(struct vmon_mmu *m, u32 slot, u64 entry, u32 gfn)
{
	zap_slot(m, slot / 512, slot % 512);
	*slot_entry(m, slot) = entry;
	*slot_owner(m, slot) = gfn + 1;
	link_slot(m, &m->rmap[gfn], slot);
}

/*
 * A last-level entry was written. If the guest has marked it accessed already,
 * it means to use it at once (kernels do so when they serve a fault): fill the
 * shadow's entry now, which saves the hidden fault.
 */
static void refill_slot(struct vmon_mmu *m, u32 page, unsigned int i, u64 pte)
{
	struct shadow_page *sp = &m->pages[page];
	u32 gfn = (pte & VMON_PTE_ADDR) >> 12;
	u64 frame, e = VMON_PTE_P | VMON_PTE_A;

	if (!m->wp || (sp->role & ROLE_TOP) || !sp->parents ||
	    (pte & (VMON_PTE_P | VMON_PTE_A)) != (VMON_PTE_P | VMON_PTE_A) ||
	    (pte & PTE_RESERVED) || ((pte & VMON_PTE_NX) && !m->nx) ||
	    (pte & VMON_PTE_ADDR) >> 12 >= m->max_gfn)
		return;
	frame = m->ops->frame(m->priv, gfn);
	if (!frame)
		return;
	e |= frame | (pte & (VMON_PTE_U | VMON_PTE_NX));
	if ((pte & VMON_PTE_W) && (pte & VMON_PTE_D) && !m->flags[gfn])
		e |= VMON_PTE_W | VMON_PTE_D;
	fill_slot(m, page * 512 + i, e, gfn);
}

/* Fill the neighbours that the guest has used before, too. */
static void fill_around(struct vmon_mmu *m, u32 page, unsigned int i, u64 gpa)
{
	unsigned int size = m->pages[page].role & ROLE_PAE ? 8 : 4;
	unsigned int first = i & ~(AROUND - 1), j;
	u64 pte;

	gpa -= (i - first) * size;
	for (j = first; j < first + AROUND; j++, gpa += size) {
		if (*slot_owner(m, page * 512 + j))
			continue;
		pte = size == 8 ? m->phys->read64(m->priv, gpa) :
				  m->phys->read32(m->priv, gpa);
		refill_slot(m, page, j, pte);
	}
}

/*
 * Fill the neighbours in a large page, or with paging off: all have the same
 * rights, @bits. Only frames that are there already: memory is taken by use.
 */
static void fill_large(struct vmon_mmu *m, u32 page, unsigned int i, u32 gfn,
		       u64 bits, bool may_write)
{
	unsigned int first = i & ~(AROUND - 1), j;

	for (j = first; j < first + AROUND; j++) {
		u32 other = gfn - i + j;
		u64 frame;

		if (*slot_owner(m, page * 512 + j) || other >= m->max_gfn ||
		    ((m->pages[page].role & ROLE_TOP) && j == 511))
			continue;
		frame = m->ops->present(m->priv, other);
		if (!frame)
			continue;
		if (may_write && !m->flags[other])
			frame |= VMON_PTE_W | VMON_PTE_D;
		fill_slot(m, page * 512 + j, frame | bits, other);
	}
}

enum vmon_mmu_result vmon_mmu_fault(struct vmon_mmu *m, struct vmon_cpu *cpu,
				    u32 gva, unsigned int acc, u16 *error)
{
	struct vmon_walk w;
	unsigned int i = gva >> 12 & 511, tries;
	u32 dir, table, gfn;
	u64 frame, e;
	bool writable;

	if (vmon_walk(cpu, m->phys, m->priv, gva, acc, &w)) {
		*error = w.error;
		return VMON_MMU_TRUE_FAULT;
	}
	if (gva >= VMON_MPAGE_GVA)
		return VMON_MMU_EMULATE;
	if (in_window(m, gva)) {
		m->window_conflict = true;
		return VMON_MMU_EMULATE;
	}
	gfn = w.gpa >> 12;
	frame = gfn < m->max_gfn ? m->ops->frame(m->priv, gfn) : 0;
	if (!frame)
		return VMON_MMU_EMULATE;
	if ((acc & VMON_ACC_W) && m->flags[gfn])
		return VMON_MMU_EMULATE;

	for (tries = 0; tries < 2; tries++) {
		dir = get_root(m, cpu, gva);
		table = dir ? get_table(m, cpu, dir, gva, &w) : 0;
		if (table)
			break;
		vmon_mmu_flush(m);
	}
	if (!table)
		return VMON_MMU_NOMEM;

	writable = true;
	e = VMON_PTE_P | VMON_PTE_A;
	if (!(cpu->cr0 & VMON_CR0_PG)) {
		e |= VMON_PTE_U;
	} else {
		u64 pde = w.step[1].entry;
		u64 leaf = w.large ? pde : w.step[0].entry;
		u64 both = pde & leaf;
		bool user = both & VMON_PTE_U;

		e |= leaf & VMON_PTE_NX;
		if (pde & VMON_PTE_NX)
			e |= VMON_PTE_NX;
		if (!(leaf & VMON_PTE_D))
			writable = false;
		if (dir_restricts(m, gva)) {
			/* The directory's share is in the directory entry. */
			if (!(leaf & VMON_PTE_W))
				writable = false;
			user = leaf & VMON_PTE_U;
		} else if (!(both & VMON_PTE_W)) {
			/*
			 * CR0.WP clear: a supervisor may write here, a user may
			 * only read. One entry cannot say both, so it serves
			 * whoever faulted last.
			 */
			if (!m->wp && (acc & VMON_ACC_W) && !(acc & VMON_ACC_U))
				user = false;
			else
				writable = false;
		}
		if (user)
			e |= VMON_PTE_U;
	}
	if (writable && !m->flags[gfn])
		frame |= VMON_PTE_W | VMON_PTE_D;

	fill_slot(m, table * 512 + i, e | frame, gfn);
	if (w.level == 1)
		fill_around(m, table, i, w.step[0].gpa);
	else if (m->wp || !w.level)
		fill_large(m, table, i, gfn, e, writable);
	return VMON_MMU_FIXED;
}

/* A guest directory entry in the window's range may have become present. */
static void check_window(struct vmon_mmu *m, const struct shadow_page *sp,
			 unsigned int i, u64 gpa)
{
	if (in_window(m, dir_slot_gva(sp, i)) &&
	    m->phys->read32(m->priv, gpa) & VMON_PTE_P)
		m->window_conflict = true;
}

static void written_page(struct vmon_mmu *m, u32 page, u32 off, u32 len)
{
	struct shadow_page *sp = &m->pages[page];
	u32 quadrant = sp->role >> 4 & 3;
	unsigned int first, last, i;

	if (sp->role & ROLE_PAE) {
		for (i = off / 8; i <= (off + len - 1) / 8; i++) {
			u64 gpa = ((u64)sp->gfn << 12) + 8 * i;

			zap_slot(m, page, i);
			if (sp->role & ROLE_DIR)
				check_window(m, sp, i, gpa);
			else
				refill_slot(m, page, i, m->phys->read64(m->priv, gpa));
		}
		return;
	}
	first = off / 4;
	last = (off + len - 1) / 4;
	for (i = first; i <= last; i++) {
		u64 gpa = ((u64)sp->gfn << 12) + 4 * i;

		if (sp->role & ROLE_DIR) {
			/* 1024 entries in four directories, two slots each */
			if (i / 256 != quadrant)
				continue;
			zap_slot(m, page, i % 256 * 2);
			zap_slot(m, page, i % 256 * 2 + 1);
			check_window(m, sp, i % 256 * 2, gpa);
		} else if (i / 512 == quadrant) {
			zap_slot(m, page, i % 512);
			refill_slot(m, page, i % 512, m->phys->read32(m->priv, gpa));
		}
	}
}

void vmon_mmu_written(struct vmon_mmu *m, u64 gpa, unsigned int len)
{
	u32 gfn = gpa >> 12, off = gpa & 4095, page, next;

	if (gfn >= m->max_gfn || !(m->flags[gfn] & VMON_GFN_TABLE))
		return;
	m->stats.traced_writes++;
	for (page = m->buckets[hash_gfn(gfn)]; page; page = next) {
		struct shadow_page *sp = &m->pages[page];

		next = sp->hash_next;
		if (sp->gfn != gfn || !traced(sp))
			continue;
		written_page(m, page, off, len);
		/* Written over and over, never walked: it is no table any more. */
		if (++sp->writes >= FLOOD && page != m->root[0] && page != m->root[1] &&
		    page != m->root[2] && page != m->root[3])
			remove_page(m, page);
	}
}

void vmon_mmu_drop(struct vmon_mmu *m, u32 gfn)
{
	u32 page, next;

	for (page = m->buckets[hash_gfn(gfn)]; page; page = next) {
		next = m->pages[page].hash_next;
		if (m->pages[page].gfn == gfn && traced(&m->pages[page]))
			remove_page(m, page);
	}
}

void vmon_mmu_protect(struct vmon_mmu *m, u32 gfn, u8 why)
{
	u32 slot;

	if (gfn >= m->max_gfn)
		return;
	if (!m->flags[gfn])
		for (slot = m->rmap[gfn]; slot; slot = slot_link(m, slot)->next)
			*slot_entry(m, slot) &= ~(u64)VMON_PTE_W;
	m->flags[gfn] |= why;
}

void vmon_mmu_unprotect(struct vmon_mmu *m, u32 gfn, u8 why)
{
	if (gfn < m->max_gfn)
		m->flags[gfn] &= ~why;
}

u8 vmon_mmu_protected(const struct vmon_mmu *m, u32 gfn)
{
	return gfn < m->max_gfn ? m->flags[gfn] : 0;
}

void vmon_mmu_set_window(struct vmon_mmu *m, u32 base, const u64 *tables,
			 unsigned int nr)
{
	vmon_mmu_flush(m);
	m->window = base;
	m->window_nr = nr;
	m->window_conflict = false;
	memcpy(m->window_tables, tables, nr * sizeof(*tables));
}

bool vmon_mmu_window_conflict(struct vmon_mmu *m)
{
	bool conflict = m->window_conflict;

	m->window_conflict = false;
	return conflict;
}

void vmon_mmu_get_stats(const struct vmon_mmu *m, struct vmon_mmu_stats *stats)
{
	*stats = m->stats;
}
