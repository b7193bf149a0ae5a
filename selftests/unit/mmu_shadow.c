// SPDX-License-Identifier: GPL-2.0
/*
 * The shadow MMU case by case: each is a thing that shadow paging got wrong once,
 * here or elsewhere. The model around it is mmu_model.h; after each case the whole
 * shadow is compared with the guest's tables.
 */
#include <linux/kernel.h>

#include "mmu_model.h"

#define PD	0x10000u
#define PD2	0x11000u
#define PT	0x12000u
#define PT2	0x13000u
#define PDPT	0x14000u
#define DATA	0x64000u
#define DATA2	0x65000u
#define FULL	(P | W | U | A | D)

static u64 gpa;
static u16 error;

static void paging(u32 cr4, u32 cr3)
{
	md_cpu.cr0 |= VMON_CR0_PG;
	md_cpu.cr4 = cr4;
	md_cpu.cr3 = cr3;
	md_cpu.efer = VMON_EFER_NX;
	if (cr4 & VMON_CR4_PAE)
		vmon_walk_load_pdptrs(&md_cpu, &md_phys_ops, NULL);
	md_load(true);
}

static void load_cr3(u32 cr3)
{
	md_cpu.cr3 = cr3;
	md_load(false);
	md_enter();
}

/* PD[0] -> PT, PT[0] -> DATA; PAE: the same, in the first GiB. */
static void begin(bool pae)
{
	md_init();
	if (pae) {
		md_put64(PDPT, PD | P);
		md_put64(PD, PT | FULL);
		md_put64(PT, DATA | FULL);
		paging(VMON_CR4_PAE, PDPT);
	} else {
		md_put32(PD, PT | FULL);
		md_put32(PT, DATA | FULL);
		paging(VMON_CR4_PSE, PD);
	}
	md_enter();
}

static void end(const char *name)
{
	md_sweep();
	md_exit();
	if (md_error[0])
		printf("# %s\n", md_error);
	tap_ok(!md_error[0], "%s", name);
}

static void want(u32 gva, unsigned int acc, enum md_result r, u64 value)
{
	enum md_result got = md_access(gva, acc, &gpa, &error);

	if (got != r || (r == MD_FAULT ? error != value : gpa != value))
		md_bad("gva %#x access %u: result %d gpa %#llx error %#x, not %d %#llx", gva,
		       acc, got, gpa, error, r, value);
	md_sweep();
}

#define done(gva, acc, gpa)	want(gva, acc, MD_DONE, gpa)
#define emulate(gva, acc, gpa)	want(gva, acc, MD_EMULATE, gpa)
#define fault(gva, acc, code)	want(gva, acc, MD_FAULT, code)

static void no_paging(void)
{
	md_init();
	md_enter();
	done(0x5000, ACC_W, 0x5000);
	done(0x5000, ACC_X | ACC_U, 0x5000);
	emulate(MD_HOLE << 12, ACC_R, MD_HOLE << 12);
	emulate(0xffffe000, ACC_R, 0xffffe000);
	emulate(0xfffff000, ACC_R, 0xfffff000);
	end("paging off");
}

static void error_codes(void)
{
	begin(true);
	md_put64(PT + 8, DATA | P);
	md_put64(PT + 16, DATA | P | U | NX);
	md_put64(PT + 24, DATA | P | U | 1ull << 40);
	fault(0x1000, ACC_U, 5);
	fault(0x1000, ACC_W, 3);
	fault(0x2000, ACC_U | ACC_X, 0x15);
	fault(0x3000, ACC_R, 9);
	fault(0x4000, ACC_U | ACC_W, 6);
	fault(0x40000000, ACC_R, 0);
	done(0x1000, ACC_X, DATA);
	done(0x2000, ACC_U, DATA);
	end("error codes of true faults");
}

/* XSA-148: flags of a superpage not checked where a table was expected. */
static void superpage_flags(void)
{
	begin(false);
	done(0, ACC_W, DATA);
	md_put32(PD + 4, 0 | P | PS | U);
	done(0x400000 + DATA, ACC_U, DATA);
	fault(0x400000 + DATA, ACC_U | ACC_W, 7);
	md_put32(PD + 4, FULL | PS);
	done(0x400000 + DATA, ACC_U | ACC_W, DATA);
	/* The tables themselves, through the large page. */
	emulate(0x400000 + PD, ACC_W, PD);
	emulate(0x400000 + PT, ACC_W, PT);
	/* The page becomes a table while a large mapping writes it. */
	done(0x400000 + PT2, ACC_W, PT2);
	md_put32(PD + 8, PT2 | FULL);
	md_put32(PT2, DATA2 | FULL);
	done(0x800000, ACC_W, DATA2);
	emulate(0x400000 + PT2, ACC_W, PT2);
	/* PS appears in an entry that pointed to a table, and goes again. */
	md_put32(PD, FULL | PS);
	done(0x3000, ACC_W, 0x3000);
	md_put32(PD, PT | FULL);
	done(0, ACC_W, DATA);
	fault(0x3000, ACC_R, 0);
	/* Address bits 13-21 of a large page are reserved. */
	md_put32(PD + 4, 0x2000 | FULL | PS);
	fault(0x400000, ACC_R, 9);
	end("flags of large pages");
}

static void superpage_split(void)
{
	begin(true);
	md_put64(PD + 8, 0x600000 | FULL | PS | NX);
	done(0x200000, ACC_U | ACC_W, 0x600000);
	done(0x3ff000, ACC_U, 0x7ff000);
	fault(0x200000, ACC_U | ACC_X, 0x15);
	/* Without D: not writable before the first write. */
	md_put64(PD + 8, 0x600000 | (FULL & ~D) | PS);
	done(0x200000, ACC_U | ACC_X, 0x600000);
	done(0x200000, ACC_W, 0x600000);
	if (!(md_read64(NULL, PD + 8) & D))
		md_bad("no D in the large page");
	/* Over the end of RAM, and over a hole. */
	md_put64(PD + 16, 0x800000 | FULL | PS);
	emulate(0x400000, ACC_W, 0x800000);
	md_put64(PD + 24, 0x200000 | FULL | PS);
	emulate(0x600000 + (MD_HOLE << 12) - 0x200000, ACC_R, MD_HOLE << 12);
	done(0x600000 + (MD_HOLE_END << 12) - 0x200000, ACC_W, MD_HOLE_END << 12);
	end("large PAE pages in the shadow's small ones");
}

/* XSA-182: an entry updated on a fast path that did not look at all it changed. */
static void fast_update(void)
{
	begin(false);
	md_put32(PT + 4, PT | (FULL & ~W));
	done(0x1000, ACC_U, PT);
	md_put32(PT + 4, PT | FULL);
	done(0x1000, ACC_U, PT);
	emulate(0x1000, ACC_U | ACC_W, PT);
	/* An update makes the frame writable, then another, then a table of it. */
	md_put32(PT + 8, DATA2 | FULL);
	done(0x2000, ACC_W, DATA2);
	md_put32(PT + 8, DATA2 | (FULL & ~W));
	fault(0x2000, ACC_W, 3);
	md_put32(PT + 8, DATA2 | (FULL & ~D));
	done(0x2000, ACC_R, DATA2);
	if (md_read32(NULL, PT + 8) & D)
		md_bad("D set by a read");
	md_put32(PT + 8, DATA2 | FULL);
	md_put32(PD + 4, DATA2 | FULL);
	fault(0x400000, ACC_R, 0);
	md_put32(DATA2, DATA | FULL);
	done(0x400000, ACC_R, DATA);
	emulate(0x2000, ACC_W, DATA2);
	end("updates of entries in place");
}

/* The kernel of old: a directory that maps itself. */
static void recursive(void)
{
	begin(false);
	md_put32(PD + 1023 * 4, PD | FULL);
	md_put32(PD + 512 * 4, PD | FULL);
	done(0, ACC_R, DATA);
	done(0x80000000, ACC_R, PT);
	done(0x80200000, ACC_R, PD);
	emulate(0x80200000, ACC_W, PD);
	emulate(0x80000000, ACC_W, PT);
	done(0xffc00000, ACC_R, PT);
	emulate(0xffc00000, ACC_W, PT);
	emulate(0xfffff000, ACC_R, PD);
	/* Through the mapping, the mapping is taken away. */
	md_put32(PD + 512 * 4, 0);
	fault(0x80000000, ACC_R, 0);
	/* A directory's flags, seen through itself as those of a page. */
	md_put32(PD, PT | P | U | A);
	done(0xffc00000, ACC_U, PT);
	fault(0xffc00000, ACC_W, 3);
	fault(0, ACC_W, 3);
	end("a directory that is its own table");
}

static void one_table_two_places(void)
{
	begin(true);
	md_put64(PD + 8, PT | P | U);
	md_put64(PD + 16, PT | FULL | NX);
	md_put64(PD + 24, PT | P | W);
	done(0, ACC_U | ACC_W, DATA);
	done(0, ACC_U | ACC_X, DATA);
	fault(0x200000, ACC_U | ACC_W, 7);
	done(0x200000, ACC_U | ACC_X, DATA);
	fault(0x400000, ACC_X, 0x11);
	done(0x400000, ACC_W, DATA);
	fault(0x600000, ACC_U, 5);
	done(0x600000, ACC_W, DATA);
	md_put64(PT, DATA2 | P | A);
	done(0, ACC_R, DATA2);
	done(0x200000, ACC_R, DATA2);
	fault(0x400000, ACC_W, 3);
	fault(0x200000, ACC_U, 5);
	end("one table at places with different rights");
}

static void table_and_directory(void)
{
	begin(false);
	md_put32(PD + 4, PD2 | FULL);
	md_put32(PD2, PT | FULL);
	md_put32(PD2 + 4, PD2 | FULL);
	done(0x400000, ACC_R, PT);
	load_cr3(PD2);
	done(0, ACC_W, DATA);
	done(0x400000, ACC_U, PT);
	emulate(0x401000, ACC_W, PD2);
	load_cr3(PD);
	emulate(0x400000, ACC_W, PT);
	md_put32(PD2, DATA2 | FULL);
	done(0x400000, ACC_W, DATA2);
	load_cr3(PD2);
	fault(0, ACC_R, 0);
	end("one frame as table and as directory");
}

/* XSA-173: frame numbers cut to the width of a variable. */
static void wide_frames(void)
{
	begin(true);
	md_put64(PT + 8, 0x100000000ull | DATA | FULL);
	md_put64(PT + 16, 0xf00000000ull | DATA | FULL);
	md_put64(PD + 8, 0x100000000ull | PT | FULL);
	md_put64(PD + 16, 0x800000000ull | FULL | PS);
	emulate(0x1000, ACC_W, 0x100000000ull | DATA);
	emulate(0x2000, ACC_R, 0xf00000000ull | DATA);
	fault(0x200000, ACC_R, 9);
	emulate(0x400000 + DATA, ACC_R, 0x800000000ull | DATA);
	md_put64(PT + 8, 1ull << 44 | DATA | FULL);
	fault(0x1000, ACC_R, 9);
	md_put64(PDPT + 8, 0x300000000ull | PD | P);
	paging(VMON_CR4_PAE, PDPT);
	md_enter();
	fault(0x40000000, ACC_R, 9);
	done(0, ACC_W, DATA);
	end("frame numbers of more than 20 bits");
}

/* A table that is freed and used for data: written often, then directly. */
static void freed_table(void)
{
	u32 i;

	begin(false);
	md_put32(PD + 4, PT2 | FULL);
	md_put32(PT2, DATA2 | FULL);
	md_put32(PT + 4, PT2 | FULL);
	done(0x400000, ACC_W, DATA2);
	emulate(0x1000, ACC_W, PT2);
	md_put32(PD + 4, 0);
	for (i = 0; i < 40; i++)
		md_put32(PT2 + i * 4, 0x55555555);
	if (vmon_mmu_protected(md_mmu, PT2 >> 12))
		md_bad("still taken for a table");
	done(0x1000, ACC_W, PT2);
	memset(md_ram + PT2, 0, 4096);
	/* And a table once more. */
	md_put32(PD + 4, PT2 | FULL);
	fault(0x400000, ACC_R, 0);
	md_put32(PT2, DATA2 | FULL);
	done(0x400000, ACC_R, DATA2);
	emulate(0x1000, ACC_W, PT2);
	/* Given up while it is in use: found out at the next access. */
	vmon_mmu_drop(md_mmu, PT2 >> 12);
	done(0x1000, ACC_W, PT2);
	memcpy(md_ram + PT2, &(u32){ DATA | P }, 4);
	done(0x400000, ACC_R, DATA);
	end("a freed table used for data");
}

static void write_protect_off(void)
{
	begin(false);
	md_put32(PT + 4, DATA2 | P | U | A);
	md_put32(PD + 4, PT | P | U | A);
	fault(0x1000, ACC_W, 3);
	md_cpu.cr0 &= ~VMON_CR0_WP;
	md_load(false);
	md_enter();
	done(0x1000, ACC_U, DATA2);
	done(0x1000, ACC_W, DATA2);
	fault(0x1000, ACC_U | ACC_W, 7);
	done(0x1000, ACC_U, DATA2);
	fault(0x400000, ACC_U | ACC_W, 7);
	done(0x400000, ACC_W, DATA);
	done(0, ACC_U | ACC_W, DATA);
	md_put32(PT + 8, PT | P);
	emulate(0x2000, ACC_W, PT);
	md_cpu.cr0 |= VMON_CR0_WP;
	md_load(false);
	md_enter();
	fault(0x1000, ACC_W, 3);
	fault(0x400000, ACC_W, 3);
	end("CR0.WP off: who may write, who may read");
}

static void code_frames(void)
{
	begin(false);
	done(0, ACC_W, DATA);
	vmon_mmu_protect(md_mmu, DATA >> 12, VMON_GFN_CODE);
	md_sweep();
	emulate(0, ACC_W, DATA);
	done(0, ACC_X, DATA);
	vmon_mmu_protect(md_mmu, DATA >> 12, VMON_GFN_CODE_TABLE);
	vmon_mmu_unprotect(md_mmu, DATA >> 12, VMON_GFN_CODE);
	emulate(0, ACC_W, DATA);
	vmon_mmu_unprotect(md_mmu, DATA >> 12, VMON_GFN_CODE_TABLE);
	done(0, ACC_W, DATA);
	vmon_mmu_protect(md_mmu, 0xfffff, VMON_GFN_CODE);
	if (vmon_mmu_protected(md_mmu, 0xfffff))
		md_bad("a frame beyond RAM has flags");
	end("frames that code was made from");
}

static void window(void)
{
	u32 gva;

	begin(false);
	md_place_window(0xfb000000);
	md_enter();
	if (md_window != 0xfb000000)
		md_bad("window at %#x", md_window);
	fault(0xfb000000, ACC_U, 4);
	fault(0xfb000000, ACC_W, 2);
	/* The guest takes the place: it is told, and nothing is overwritten. */
	md_put32(PD + (0xfb400000 >> 22) * 4, PT | FULL);
	emulate(0xfb400000, ACC_U, DATA);
	md_enter();
	done(0xfb400000, ACC_U | ACC_W, DATA);
	/* ... by loading another directory. */
	md_put32(PD2 + (md_window >> 22) * 4, PT | FULL);
	gva = md_window;
	load_cr3(PD2);
	done(gva, ACC_R, DATA);
	end("the window gives way");
}

/* All 8192 shadow pages, several times. */
static void page_numbers(void)
{
	struct vmon_mmu_stats stats;
	u32 i, round, gva, root;

	begin(false);
	md_put32(PT + 4, DATA2 | FULL);
	for (i = 0x100; i < 0x100 + 1700; i++) {
		root = i << 12;
		if (!md_is_ram(i))
			continue;
		for (gva = 0; gva < 4; gva++)
			md_put32(root + gva * 1024, PT | FULL);
		md_put32(root + 8, root | FULL);
	}
	for (round = 0; round < 2; round++)
		for (i = 0x100; i < 0x100 + 1700; i++) {
			if (!md_is_ram(i))
				continue;
			md_cpu.cr3 = i << 12;
			md_load(false);
			md_enter();
			for (gva = 0; gva < 4; gva++)
				if (md_access(gva << 30 | 0x1000, ACC_U, &gpa, &error))
					md_bad("root %#x gva %#x", i, gva);
			if (md_access(0x800000, ACC_R, &gpa, &error))
				md_bad("root %#x as a table", i);
		}
	vmon_mmu_get_stats(md_mmu, &stats);
	if (stats.flushes < 2 || stats.pages > 8192 || md_used > 8192)
		md_bad("%llu flushes, %u pages", stats.flushes, stats.pages);
	end("shadow pages run out");
}

/* Creation at each point of failure; then little memory. */
static void no_memory(void)
{
	u32 limit;
	bool want;

	for (limit = 0; limit < 8; limit++) {
		md_page_limit = limit;
		md_init();
		if (md_mmu) {
			md_put32(PD, PT | FULL);
			md_put32(PT, DATA | FULL);
			paging(0, PD);
			want = limit >= 2;
			if (md_enter() != want)
				md_bad("entered with %u pages", limit);
			if (md_access(0, ACC_W, &gpa, &error) !=
			    (limit >= 4 ? MD_DONE : MD_NOMEM))
				md_bad("access with %u pages", limit);
			md_sweep();
		}
		md_exit();
	}
	md_page_limit = ~0u;
	begin(false);
	end("little memory");
}

/* The PAT bit is reserved in guests: the shadow filled an entry that had it. */
static void refill_reserved(void)
{
	begin(false);
	done(0, ACC_R, DATA);
	md_put32(PT, DATA2 | FULL | VMON_PTE_PAT);
	fault(0, ACC_R, 9);
	end("an entry with a reserved bit is not filled when written");
}

/*
 * The monitor page is writable even where the guest's directory allows no writes, and
 * the guest's pages beside it are not.
 */
static void top_rights(bool pae, const char *name)
{
	const u32 last = 0xffffe000;

	begin(pae);
	if (pae) {
		md_put64(PDPT + 24, PD2 | P);
		paging(VMON_CR4_PAE, PDPT);
		md_put64(PD2 + 511 * 8, PT2 | P | A | NX);
		md_put64(PT2 + 510 * 8, DATA | FULL);
	} else {
		md_put32(PD + 1023 * 4, PT2 | P | A);
		md_put32(PT2 + 1022 * 4, DATA | FULL);
	}
	md_enter();
	done(last, ACC_R, DATA);
	md_enter();
	fault(last, ACC_W, 3);
	fault(last, ACC_U, 5);
	if (pae)
		fault(last, ACC_X, 0x11);
	md_cpu.cr0 &= ~VMON_CR0_WP;
	md_load(false);
	md_enter();
	done(last, ACC_W, DATA);
	fault(last, ACC_U, 5);
	end(name);
}

static void top_rights_32(void)
{
	top_rights(false, "rights in the last 2 MiB, 32-bit tables");
}

static void top_rights_pae(void)
{
	top_rights(true, "rights in the last 2 MiB, PAE");
}

/* With EFER.NXE clear NX is a reserved bit; WRMSR flushes and loads no root. */
static void efer_nx(void)
{
	begin(true);
	md_cpu.efer = 0;
	vmon_mmu_flush(md_mmu);
	md_enter();
	done(0, ACC_R, DATA);
	md_put64(PT, DATA2 | FULL | NX);
	fault(0, ACC_R, 9);
	md_cpu.efer = VMON_EFER_NX;
	vmon_mmu_flush(md_mmu);
	md_enter();
	done(0, ACC_R, DATA2);
	fault(0, ACC_X, 0x11);
	end("EFER.NXE cleared and set");
}

/* Memory ends between the monitor page's directory and that of a window far away. */
static void far_window(void)
{
	begin(false);
	done(0, ACC_R, DATA);
	md_window = 0x40000000;
	md_window_nr = MD_WINDOW_NR;
	vmon_mmu_set_window(md_mmu, md_window, md_window_entry, md_window_nr);
	md_page_limit = md_used;
	md_enter();
	md_cpu.cr3 = PD2;
	md_load(false);
	if (!md_enter())
		md_bad("no entry, but there was memory for it");
	md_page_limit = ~0u;
	end("pages run out between two directories");
}

/* The guest is emulated after a flush: its directory is not traced yet. */
static void unseen_directory(void)
{
	begin(false);
	md_place_window(0xfb000000);
	md_enter();
	vmon_mmu_flush(md_mmu);
	md_put32(PD + (0xfb000000 >> 22) * 4, PT | FULL);
	md_enter();
	done(0xfb000000, ACC_R, DATA);
	end("the window is mapped while no directory is traced");
}

/* Of one frame's shadow pages some are given up, but the directory in force is not. */
static void flooded_root(void)
{
	u32 i;

	begin(false);
	md_put32(PD + 512 * 4, PD | FULL);
	done(0, ACC_R, DATA);
	done(0x80200000, ACC_R, PD);
	for (i = 0; i < 40; i++)
		md_put32(PD + 300 * 4, 0);
	if (!(vmon_mmu_protected(md_mmu, PD >> 12) & VMON_GFN_TABLE))
		md_bad("the directory in force is not traced");
	emulate(0x80200000, ACC_W, PD);
	md_put32(PD, 0);
	fault(0, ACC_R, 0);
	end("a directory in force that is written often stays traced");
}

int main(void)
{
	static void (*const tests[])(void) = {
		no_paging, error_codes, superpage_flags, superpage_split, fast_update,
		recursive, one_table_two_places, table_and_directory, wide_frames,
		freed_table, write_protect_off, code_frames, window, page_numbers,
		no_memory,
		refill_reserved, top_rights_32, top_rights_pae, efer_nx, far_window,
		unseen_directory, flooded_root,
	};
	unsigned int i;

	tap_plan(ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		tests[i]();
	free(md_ram);
	return tap_done();
}
