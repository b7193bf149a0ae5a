/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a random guest does to the shadow MMU: a few frames that are tables, data, code
 * and device memory at once, so that every kind of aliasing happens. All choices come
 * from md_rand().
 */
#ifndef VMON_UNIT_MMU_STEPS_H
#define VMON_UNIT_MMU_STEPS_H

#include <linux/kernel.h>

#include "mmu_model.h"

#define NR_TABLES	12u		/* frames FIRST_TABLE.. are tables mostly */
#define FIRST_TABLE	16u
#define FIRST_PDPT	48u		/* four directory-pointer tables */
#define WINDOW_LOW	0xf9c00000u	/* room for the window, mostly left free */
#define WINDOW_HIGH	0xfbffffffu

/* Linear addresses met: directories' and tables' ends, GiB ends, the top. */
static const u32 dirs[] = {
	0, 0x200000, 0x400000, 0x3fc00000, 0x3fe00000, 0x40000000, 0x80000000,
	0xbfe00000, 0xc0000000, 0xf9c00000, 0xfa000000, 0xfb000000, 0xfb600000,
	0xffc00000, 0xffe00000,
};

static const u32 ptes[] = { 0, 1, 16, 17, 255, 256, 510, 511 };

#define NR_DIRS		ARRAY_SIZE(dirs)
#define NR_PTES		ARRAY_SIZE(ptes)

static u64 count[4];	/* results of accesses, by enum md_result */

static u32 any_gva(void)
{
	return dirs[md_below(NR_DIRS)] | ptes[md_below(NR_PTES)] << 12 | md_below(4096);
}

static u32 any_frame(void)
{
	u32 n = md_below(100);

	if (n < 40)
		return FIRST_TABLE + md_below(NR_TABLES);
	if (n < 80)
		return 100 + md_below(12);
	if (n < 85)
		return FIRST_PDPT + md_below(4);
	if (n < 90)
		return MD_HOLE + md_below(MD_HOLE_END - MD_HOLE);
	if (n < 93)
		return MD_FRAMES - 1 + md_below(2);
	return n < 97 ? md_below(MD_FRAMES) : 0xfff00 + md_below(0x100);
}

static u64 any_entry(bool pae)
{
	u64 e = (u64)any_frame() << 12;

	e |= md_chance(95) ? P : 0;
	e |= md_chance(75) ? W : 0;
	e |= md_chance(70) ? U : 0;
	e |= md_chance(50) ? A : 0;
	e |= md_chance(50) ? D : 0;
	e |= md_chance(12) ? PS : 0;
	e |= md_chance(10) ? VMON_PTE_G | VMON_PTE_PCD | 0xe00 : 0;
	/* A large page that is aligned, as a guest would have it. */
	if ((e & PS) && md_chance(80))
		e &= ~0x3ff000ull;
	if (pae) {
		e |= md_chance(15) ? NX : 0;
		e |= md_chance(4) ? 1ull << (32 + md_below(4)) : 0;
		e |= md_chance(2) ? 1ull << (36 + md_below(27)) : 0;
	}
	return e;
}

/* Which entries matter: those that any_gva() walks through. */
static u32 any_offset(bool pae)
{
	u32 gva = any_gva();

	if (md_chance(3))
		return md_below(4096);
	if (gva >= WINDOW_LOW && gva <= WINDOW_HIGH && md_chance(90))
		gva = dirs[md_below(9)];
	if (pae)
		return (md_chance(50) ? gva >> 21 & 511 : gva >> 12 & 511) * 8;
	return (md_chance(50) ? gva >> 22 : gva >> 12 & 1023) * 4;
}

/* What is written into a frame: an entry, or a part of one, or anything. */
static void any_write(u64 gpa, void (*put)(u64 gpa, const void *buf, unsigned int len))
{
	bool pae = md_chance(95) == !!(md_cpu.cr4 & VMON_CR4_PAE);
	u64 e = any_entry(pae);
	unsigned int len = md_chance(90) ? pae ? 8 : 4 : 1u << md_below(4);

	if (md_chance(2))
		e = md_rand();
	gpa &= ~(u64)(len - 1);
	if (md_phys(gpa))
		put(gpa, &e, len);
}

static void put_direct(u64 gpa, const void *buf, unsigned int len)
{
	memcpy(md_phys(gpa), buf, len);
}

static u64 any_table_gpa(void)
{
	return (u64)(md_chance(95) ? FIRST_TABLE + md_below(NR_TABLES) : any_frame()) << 12 |
	       any_offset(md_cpu.cr4 & VMON_CR4_PAE);
}

static void op_table_write(void)
{
	any_write(any_table_gpa(), md_write);
}

/* The same entries again and again: the table is given up. */
static void op_flood(void)
{
	u64 gpa = any_table_gpa();
	unsigned int i;

	for (i = 0; i < 16; i++)
		any_write(gpa ^ i * 8, md_write);
}

/* What a guest does: access, and when it is a write, bytes appear in memory. */
static void op_access(void)
{
	unsigned int acc = md_below(8);
	u32 gva = any_gva();
	u64 gpa;
	u16 error;
	enum md_result r;

	if (acc & ACC_X)
		acc &= ~ACC_W;
	r = md_access(gva, acc, &gpa, &error);
	count[r]++;
	if (!(acc & ACC_W))
		return;
	gpa = (gpa & ~4095ull) | any_offset(md_cpu.cr4 & VMON_CR4_PAE);
	if (r == MD_DONE) {
		if (vmon_mmu_protected(md_mmu, gpa >> 12))
			md_bad("a protected frame was written");
		any_write(gpa, put_direct);
	} else if (r == MD_EMULATE) {
		any_write(gpa, md_write);
	}
}

/* Make room for the window in a table, as if the guest unmapped something. */
static void op_clear(u32 gfn, void (*put)(u64 gpa, const void *buf, unsigned int len))
{
	u64 gpa = (u64)gfn << 12, zero = 0;
	u32 gva;

	for (gva = WINDOW_LOW; gva < WINDOW_HIGH; gva += 1u << 21)
		if (md_cpu.cr4 & VMON_CR4_PAE)
			put(gpa + (gva >> 21 & 511) * 8, &zero, 8);
		else
			put(gpa + (gva >> 22) * 4, &zero, 4);
}

static void op_control(void)
{
	struct vmon_cpu old = md_cpu;
	bool mode;

	switch (md_below(12)) {
	case 0:
		md_cpu.cr0 ^= VMON_CR0_PG;
		break;
	case 1:
	case 2:
		md_cpu.cr0 ^= VMON_CR0_WP;
		break;
	case 3:
		md_cpu.cr4 ^= VMON_CR4_PSE;
		break;
	case 4:
		md_cpu.cr4 ^= VMON_CR4_PAE;
		break;
	case 5:
		md_cpu.cr4 ^= VMON_CR4_PGE;
		break;
	case 6:
		/* WRMSR: see emu_wrmsr() */
		md_cpu.efer ^= VMON_EFER_NX;
		vmon_mmu_flush(md_mmu);
		return;
	default:
		break;
	}
	if (md_cpu.cr4 & VMON_CR4_PAE)
		md_cpu.cr3 = (FIRST_PDPT + md_below(4)) << 12 | md_below(2) * 0x20;
	else
		md_cpu.cr3 = (FIRST_TABLE + md_below(4)) << 12;
	if (md_chance(30) && md_cpu.cr4 & VMON_CR4_PAE) {
		u64 e = (u64)(FIRST_TABLE + md_below(NR_TABLES)) << 12;

		if (md_chance(5))
			e = (u64)any_frame() << 12;
		e |= md_chance(90) ? P : md_below(4) << 1;
		md_put64(md_cpu.cr3 + md_below(4) * 8, e);
	}
	if (vmon_pae_paging(&md_cpu) &&
	    !vmon_walk_load_pdptrs(&md_cpu, &md_phys_ops, NULL)) {
		md_cpu = old;
		return;
	}
	mode = (md_cpu.cr0 ^ old.cr0) & VMON_CR0_PG ||
	       (md_cpu.cr4 ^ old.cr4) & (VMON_CR4_PAE | VMON_CR4_PSE);
	md_load(mode);
}

static void op_protect(void)
{
	u8 why = md_chance(50) ? VMON_GFN_CODE : VMON_GFN_CODE_TABLE;

	if (md_chance(50))
		vmon_mmu_protect(md_mmu, any_frame(), why);
	else
		vmon_mmu_unprotect(md_mmu, any_frame(), why);
}

static void op_rare(void)
{
	switch (md_below(12)) {
	case 0:
	case 1:
		md_place_window(dirs[9 + md_below(4)] & ~0x3fffffu);
		break;
	case 2:
		vmon_mmu_flush(md_mmu);
		break;
	case 3:
	case 4:
	case 5:
		op_clear(FIRST_TABLE + md_below(NR_TABLES), md_write);
		break;
	default:
		vmon_mmu_drop(md_mmu, any_frame());
	}
}

static void step(void)
{
	u32 n = md_below(100);

	if (n < 45)
		op_access();
	else if (n < 83)
		op_table_write();
	else if (n < 85)
		op_flood();
	else if (n < 93)
		op_control();
	else if (n < 98)
		op_protect();
	else
		op_rare();
}

/* Entries that work, so that a round does not begin with faults only. */
static void fill_tables(bool pae)
{
	u32 i, off;
	u64 e;

	for (i = 0; i < NR_TABLES; i++)
		for (off = 0; off < 4096; off += pae ? 8 : 4) {
			e = any_entry(pae);
			if (md_chance(80))
				memcpy(md_ram + ((FIRST_TABLE + i) << 12) + off, &e,
				       pae ? 8 : 4);
		}
	for (i = 0; i < 4 * 512; i++) {
		e = (u64)(FIRST_TABLE + md_below(NR_TABLES)) << 12 | P;
		memcpy(md_ram + (FIRST_PDPT << 12) + i * 8, &e, 8);
	}
}

/* A guest's tables, a window, and no entry of the shadow yet. */
static void begin_round(bool pae)
{
	u32 i;

	md_cpu.cr0 |= VMON_CR0_PG;
	md_cpu.cr4 = VMON_CR4_PSE | (pae ? VMON_CR4_PAE : 0);
	md_cpu.efer = VMON_EFER_NX;
	md_cpu.cr3 = pae ? FIRST_PDPT << 12 : FIRST_TABLE << 12;
	fill_tables(pae);
	for (i = 0; i < NR_TABLES; i++)
		op_clear(FIRST_TABLE + i, put_direct);
	if (pae)
		vmon_walk_load_pdptrs(&md_cpu, &md_phys_ops, NULL);
	md_load(true);
	md_place_window(0xfb000000);
}

#endif /* VMON_UNIT_MMU_STEPS_H */
