/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine around the shadow MMU: guest RAM, shadow pages at made-up host
 * addresses, and the real CPU's walk through them.
 *
 * The one idea: md_sweep() follows every entry that the CPU could use, and asks
 * the guest's walker whether the guest's tables allow what the shadow does. What it
 * finds wrong is kept as text in md_error (the first one only).
 */
#ifndef VMON_UNIT_MMU_MODEL_H
#define VMON_UNIT_MMU_MODEL_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/emulate.h"
#include "mmu/shadow.h"
#include "switch/monitor_page.h"
#include "tap.h"

#define P	VMON_PTE_P
#define W	VMON_PTE_W
#define U	VMON_PTE_U
#define A	VMON_PTE_A
#define D	VMON_PTE_D
#define PS	VMON_PTE_PS
#define NX	VMON_PTE_NX
#define ACC_R	0u
#define ACC_W	VMON_ACC_W
#define ACC_U	VMON_ACC_U
#define ACC_X	VMON_ACC_X

#ifndef MD_FRAMES
#define MD_FRAMES	2048u		/* 8 MiB */
#define MD_HOLE		1000u		/* frames without RAM */
#endif
#define MD_HOLE_END	(MD_HOLE + 8)
#define MD_HOST_RAM	0x0100000000ull
#define MD_HOST_TABLES	0x4000000000ull
#define MD_HOST_MPAGE	0x5000000000ull
#define MD_HOST_TC	0x6000000000ull
#define MD_MAX_TABLES	20000
#define MD_MPAGE	(MD_HOST_MPAGE | P | W | A | D | NX)
/* Directories for the access, the window's ends, the monitor page; two tables. */
#define MD_ENOUGH	6u
#define MD_WINDOW_NR	4u		/* tables: 8 MiB */

static u8 *md_ram;
static u64 *md_table[MD_MAX_TABLES];	/* by made-up frame */
static u32 md_tables, md_used;
static int md_outstanding;		/* allocations of all kinds */
static int md_fail_rate;		/* per mille of page allocations that fail */
static u32 md_page_limit = ~0u;		/* shadow pages that memory suffices for */
static u64 md_pdpt[512] __attribute__((aligned(4096)));
static u64 md_tc[MD_WINDOW_NR][512];
static u64 md_window_entry[MD_WINDOW_NR];
static u32 md_window, md_window_nr;
static struct vmon_cpu md_cpu;
static struct vmon_mmu *md_mmu;
static char md_error[256];
static u64 md_seed = 1, md_conflicts;
static u32 (*md_source)(u32 n);		/* choices from elsewhere; @n is 0 for any number */

__attribute__((format(printf, 1, 2)))
static inline void md_bad(const char *fmt, ...)
{
	va_list ap;

	if (md_error[0])
		return;
	va_start(ap, fmt);
	vsnprintf(md_error, sizeof(md_error), fmt, ap);
	va_end(ap);
}

static inline u32 md_rand(void)
{
	if (md_source)
		return md_source(0);
	md_seed ^= md_seed << 13;
	md_seed ^= md_seed >> 7;
	md_seed ^= md_seed << 17;
	return md_seed >> 16;
}

static inline u32 md_below(u32 n)
{
	return md_source ? md_source(n) : md_rand() % n;
}

static inline bool md_chance(unsigned int percent)
{
	return md_below(100) < percent;
}

/* Guest physical memory. */
static inline bool md_is_ram(u64 gfn)
{
	return gfn < MD_FRAMES && (gfn < MD_HOLE || gfn >= MD_HOLE_END);
}

static inline u8 *md_phys(u64 gpa)
{
	return md_is_ram(gpa >> 12) ? md_ram + gpa : NULL;
}

static inline u32 md_read32(void *priv, u64 gpa)
{
	u32 val = ~0u;

	if (md_phys(gpa))
		memcpy(&val, md_phys(gpa), 4);
	return val;
}

static inline u64 md_read64(void *priv, u64 gpa)
{
	u64 val = ~0ull;

	if (md_phys(gpa))
		memcpy(&val, md_phys(gpa), 8);
	return val;
}

static inline bool md_cmpxchg32(void *priv, u64 gpa, u32 old, u32 new)
{
	if (!md_phys(gpa))
		return true;
	if (md_read32(priv, gpa) != old)
		return false;
	memcpy(md_phys(gpa), &new, 4);
	return true;
}

static inline bool md_cmpxchg64(void *priv, u64 gpa, u64 old, u64 new)
{
	if (!md_phys(gpa))
		return true;
	if (md_read64(priv, gpa) != old)
		return false;
	memcpy(md_phys(gpa), &new, 8);
	return true;
}

static const struct vmon_phys_ops md_phys_ops = {
	md_read32, md_read64, md_cmpxchg32, md_cmpxchg64,
};

/* Host memory. */
static inline bool md_no_memory(void)
{
	return md_used >= md_page_limit ||
	       (md_fail_rate && md_below(1000) < (u32)md_fail_rate);
}

static inline void *md_alloc_bytes(size_t size)
{
	md_outstanding++;
	return calloc(1, size);
}

static inline void md_free_bytes(void *p)
{
	md_outstanding--;
	free(p);
}

static inline void *md_alloc(void *priv)
{
	if (md_no_memory() || md_tables == MD_MAX_TABLES)
		return NULL;
	md_used++;
	md_table[md_tables] = md_alloc_bytes(4096);
	return md_table[md_tables++];
}

static inline void md_free(void *priv, void *page)
{
	u32 i;

	for (i = md_tables; i-- > 0;)
		if (md_table[i] == page)
			md_table[i] = NULL;
	md_used--;
	md_free_bytes(page);
}

static inline void *md_alloc_links(void *priv)
{
	if (md_fail_rate && md_below(1000) < (u32)md_fail_rate)
		return NULL;
	return md_alloc_bytes(512 * 12);
}

static inline void md_free_links(void *priv, void *p)
{
	md_free_bytes(p);
}

static inline void *md_alloc_big(void *priv, size_t size)
{
	return md_chance(md_fail_rate / 50) ? NULL : md_alloc_bytes(size);
}

static inline void md_free_big(void *priv, void *p)
{
	if (p)
		md_free_bytes(p);
}

static inline u64 md_entry(void *priv, void *page)
{
	u32 i;

	for (i = md_tables; i-- > 0;)
		if (md_table[i] == page)
			return MD_HOST_TABLES + (u64)i * 4096;
	abort();
}

static inline u64 md_frame(void *priv, u32 gfn)
{
	return md_is_ram(gfn) ? MD_HOST_RAM + (u64)gfn * 4096 : 0;
}

static inline const void *md_memory(void *priv, u32 gfn)
{
	return md_is_ram(gfn) ? md_ram + (u64)gfn * 4096 : NULL;
}

static const struct vmon_mmu_ops md_ops = {
	.alloc = md_alloc, .free = md_free,
	.alloc_links = md_alloc_links, .free_links = md_free_links,
	.alloc_big = md_alloc_big, .free_big = md_free_big,
	.entry = md_entry, .frame = md_frame, .present = md_frame,
	.memory = md_memory,
};

static inline void md_init(void)
{
	u32 i, j;

	if (!md_ram)
		md_ram = malloc(MD_FRAMES * 4096);
	memset(md_ram, 0, MD_FRAMES * 4096);
	memset(&md_cpu, 0, sizeof(md_cpu));
	memset(md_pdpt, 0, sizeof(md_pdpt));
	md_tables = 0;
	md_window_nr = 0;
	md_error[0] = 0;
	for (i = 0; i < MD_WINDOW_NR; i++) {
		md_window_entry[i] = (MD_HOST_TABLES + (u64)md_tables * 4096) | P | A;
		md_table[md_tables++] = md_tc[i];
		for (j = 0; j < 512; j++)
			md_tc[i][j] = (MD_HOST_TC + (u64)(i * 512 + j) * 4096) | P | A;
	}
	md_cpu.cr0 = VMON_CR0_PE | VMON_CR0_WP;
	md_mmu = vmon_mmu_create(&md_ops, &md_phys_ops, NULL, MD_FRAMES, md_pdpt, MD_MPAGE);
	if (md_mmu)
		vmon_mmu_load_root(md_mmu, &md_cpu);
}

static inline void md_exit(void)
{
	vmon_mmu_destroy(md_mmu);
	md_mmu = NULL;
	if (md_outstanding)
		md_bad("%d allocations leaked", md_outstanding);
	md_outstanding = 0;
}

/* What all levels together say of a linear address, as long-mode paging does. */
struct md_map {
	bool present;
	u64 pa;
	bool w, u, nx;
	u64 leaf;
};

static inline const u64 *md_next(u64 entry)
{
	u64 i = ((entry & VMON_PTE_ADDR) - MD_HOST_TABLES) / 4096;

	if ((entry & VMON_PTE_ADDR) < MD_HOST_TABLES || i >= md_tables || !md_table[i]) {
		md_bad("the shadow's entry %#llx points to no table", entry);
		return NULL;
	}
	return md_table[i];
}

static inline struct md_map md_real(u32 gva)
{
	struct md_map m = { .w = true, .u = true };
	const u64 *table = md_pdpt;
	unsigned int level;
	u64 e;

	for (level = 3; ; level--) {
		e = table[gva >> (12 + 9 * (level - 1)) & 511];
		if (!(e & P)) {
			if (e)
				md_bad("gva %#x: not present, but %#llx", gva, e);
			return m;
		}
		m.w &= !!(e & W);
		m.u &= !!(e & U);
		m.nx |= !!(e & NX);
		if (!(e & A) || (level > 1 && (e & PS)) || (e & VMON_PTE_G) ||
		    (e & ~(NX | VMON_PTE_ADDR | 0xfff)))
			md_bad("gva %#x: level %u entry %#llx", gva, level, e);
		if (level == 1)
			break;
		table = md_next(e);
		if (!table)
			return m;
	}
	m.present = true;
	m.pa = e & VMON_PTE_ADDR;
	m.leaf = e;
	return m;
}

static inline bool md_allows(const struct md_map *m, unsigned int acc)
{
	return m->present && (m->u || !(acc & ACC_U)) && (m->w || !(acc & ACC_W)) &&
	       !(m->nx && (acc & ACC_X));
}

static inline bool md_in_window(u32 gva)
{
	return md_window_nr && gva >= md_window &&
	       (gva - md_window) >> 21 < md_window_nr;
}

/* A leaf of the shadow against the guest's tables. */
static inline void md_check_leaf(u32 gva)
{
	struct md_map m = md_real(gva);
	unsigned int acc, level;
	struct vmon_walk w;
	u64 gfn;

	if (!m.present)
		return;
	if (gva >= VMON_MPAGE_GVA) {
		if (m.leaf != MD_MPAGE || !m.w || m.u)
			md_bad("monitor page: leaf %#llx w %d u %d", m.leaf, m.w, m.u);
		return;
	}
	if (md_in_window(gva)) {
		if (m.pa != MD_HOST_TC + ((gva - md_window) & ~0xfffu) || m.w || m.u || m.nx)
			md_bad("gva %#x in the window: leaf %#llx", gva, m.leaf);
		return;
	}
	gfn = (m.pa - MD_HOST_RAM) >> 12;
	if (m.pa < MD_HOST_RAM || !md_is_ram(gfn)) {
		md_bad("gva %#x maps %#llx, no frame of the guest", gva, m.pa);
		return;
	}
	if ((m.leaf & W) && vmon_mmu_protected(md_mmu, gfn))
		md_bad("gva %#x: frame %#llx is writable and protected", gva, gfn);
	if ((m.leaf & W) && !(m.leaf & D))
		md_bad("gva %#x: leaf %#llx W without D", gva, m.leaf);
	for (acc = 0; acc < 8; acc++) {
		if ((acc & ACC_W && acc & ACC_X) || !md_allows(&m, acc))
			continue;
		if (vmon_walk_probe(&md_cpu, &md_phys_ops, NULL, gva, acc, &w)) {
			md_bad("gva %#x access %u: mapped (%#llx), guest fault %#x at level %u",
			       gva, acc, m.leaf, w.error, w.level);
			return;
		}
		if (w.gpa >> 12 != gfn)
			md_bad("gva %#x: frame %#llx mapped, guest has %#llx", gva, gfn,
			       w.gpa >> 12);
		for (level = 2; w.level && level >= w.level; level--)
			if (!(w.step[level - 1].entry & A))
				md_bad("gva %#x: level %u not accessed", gva, level);
		if ((acc & ACC_W) && !w.dirty)
			md_bad("gva %#x: writable, not dirty", gva);
	}
}

/* Every leaf that the CPU could use now. */
static inline void md_sweep(void)
{
	const u64 *dir, *table;
	u32 q, i, j;

	for (q = 0; q < 4; q++) {
		if (!(md_pdpt[q] & P))
			continue;
		dir = md_next(md_pdpt[q]);
		for (i = 0; dir && i < 512; i++) {
			if (!(dir[i] & P) && !dir[i])
				continue;
			table = md_next(dir[i]);
			for (j = 0; table && j < 512; j++)
				if (table[j])
					md_check_leaf(q << 30 | i << 21 | j << 12);
		}
	}
}

/* Where the guest leaves room; as vmon_exec_place_window(). */
static inline bool md_place_window(u32 from)
{
	u32 base;

	for (base = from; base >= 0x1000000; base -= 1u << 22)
		if (vmon_mmu_region_free(md_mmu, &md_cpu, base) &&
		    vmon_mmu_region_free(md_mmu, &md_cpu, base + (1u << 22)))
			break;
	md_window = base;
	md_window_nr = base >= 0x1000000 ? MD_WINDOW_NR : 0;
	vmon_mmu_set_window(md_mmu, md_window, md_window_entry, md_window_nr);
	return md_window_nr;
}

/* Before the guest is entered. Return: false without memory. */
static inline bool md_enter(void)
{
	struct md_map m;

	do {
		if (vmon_mmu_window_conflict(md_mmu)) {
			md_conflicts++;
			md_place_window(0xfb000000);
		}
		if (vmon_mmu_prepare(md_mmu, &md_cpu))
			return false;
	} while (vmon_mmu_window_conflict(md_mmu) && (md_place_window(0xfb000000), true));
	m = md_real(VMON_MPAGE_GVA);
	if (!md_allows(&m, ACC_W) || m.leaf != MD_MPAGE)
		md_bad("the monitor page is not mapped: leaf %#llx, w %d", m.leaf, m.w);
	if (md_window_nr) {
		m = md_real(md_window + (md_below(md_window_nr * 512) << 12));
		if (!md_allows(&m, ACC_X))
			md_bad("the window is not mapped");
		if (!vmon_mmu_region_free(md_mmu, &md_cpu, md_window) ||
		    !vmon_mmu_region_free(md_mmu, &md_cpu, md_window + (1u << 22)))
			md_bad("the guest maps something under the window");
	}
	return true;
}

/* A write that passes the monitor; as vmon_exec_written(). */
static inline void md_write(u64 gpa, const void *buf, unsigned int len)
{
	u8 why = vmon_mmu_protected(md_mmu, gpa >> 12);

	if (!md_phys(gpa))
		return;
	memcpy(md_phys(gpa), buf, len);
	if (why & (VMON_GFN_TABLE | VMON_GFN_CODE_TABLE))
		vmon_mmu_written(md_mmu, gpa, len);
	if (why & VMON_GFN_CODE && md_chance(50))
		vmon_mmu_unprotect(md_mmu, gpa >> 12, VMON_GFN_CODE);
}

static inline void md_put32(u64 gpa, u32 val)
{
	md_write(gpa, &val, 4);
}

static inline void md_put64(u64 gpa, u64 val)
{
	md_write(gpa, &val, 8);
}

enum md_result { MD_DONE, MD_FAULT, MD_EMULATE, MD_NOMEM };

/*
 * An access of the guest through the shadow, with the hidden faults it takes.
 * @gpa: where it goes (MD_DONE, MD_EMULATE); @error: of MD_FAULT.
 */
static inline enum md_result md_access(u32 gva, unsigned int acc, u64 *gpa, u16 *error)
{
	struct vmon_walk w;
	struct md_map m;
	unsigned int tries;
	int refused;
	u16 code = 0;

	for (tries = 0; tries < 4; tries++) {
		m = md_real(gva);
		refused = vmon_walk_probe(&md_cpu, &md_phys_ops, NULL, gva, acc, &w);
		*gpa = w.gpa;
		/* Where the guest sees the monitor instead, segments or U refuse. */
		if (md_allows(&m, acc) && !md_in_window(gva) && gva < VMON_MPAGE_GVA) {
			md_check_leaf(gva);
			return MD_DONE;
		}
		switch (vmon_mmu_fault(md_mmu, &md_cpu, gva, acc, &code)) {
		case VMON_MMU_FIXED:
			if (refused)
				md_bad("gva %#x access %u: fixed, guest fault %#x", gva, acc,
				       w.error);
			/* As it may have been dropped with all others. */
			if (!md_enter())
				return MD_NOMEM;
			continue;
		case VMON_MMU_TRUE_FAULT:
			if (!refused || code != w.error)
				md_bad("gva %#x access %u: error %#x, guest %d %#x", gva, acc,
				       code, refused, w.error);
			*error = code;
			return MD_FAULT;
		case VMON_MMU_EMULATE:
			if (refused ||
			    !(!md_is_ram(w.gpa >> 12) || md_in_window(gva) ||
			      gva >= VMON_MPAGE_GVA ||
			      ((acc & ACC_W) && vmon_mmu_protected(md_mmu, w.gpa >> 12))))
				md_bad("gva %#x access %u: emulated without need", gva, acc);
			return MD_EMULATE;
		default:
			if (!md_fail_rate && md_page_limit >= MD_ENOUGH)
				md_bad("gva %#x access %u: no memory", gva, acc);
			return MD_NOMEM;
		}
	}
	/* Each allocation that fails costs all that was fixed. */
	if (!md_fail_rate && md_page_limit >= MD_ENOUGH)
		md_bad("gva %#x access %u: fixed again and again", gva, acc);
	return MD_NOMEM;
}

/* MOV to CR: as emu_set_cr(), with the PDPTEs loaded already. */
static inline void md_load(bool mode)
{
	vmon_mmu_load_root(md_mmu, &md_cpu);
	if (mode)
		vmon_mmu_flush(md_mmu);
}

#endif /* VMON_UNIT_MMU_MODEL_H */
