// SPDX-License-Identifier: GPL-2.0
/*
 * The page walker against a second one, written from the manual's tables for this test
 * alone: the same address or the same error, and the same bits set in the tables.
 * Entries change under its hands as another processor's would.
 */
#include <errno.h>

#include "emulator/emulate.h"
#include "fuzz.h"
#include "mmu/walk.h"
#include "vm/cpuid.h"

#define FRAMES	16u
#define WALKS	12u

static u8 ram[FRAMES * 4096] __attribute__((aligned(4096)));
static struct fuzz_in *input;
static unsigned int races, raced;

static bool is_ram(u64 gpa, unsigned int len)
{
	fuzz_check(!(gpa % len), "access of %u bytes at %#llx", len, gpa);
	return gpa + len <= sizeof(ram);
}

static u32 read32(void *priv, u64 gpa)
{
	u32 v = ~0u;

	if (is_ram(gpa, 4))
		memcpy(&v, ram + gpa, 4);
	return v;
}

static u64 read64(void *priv, u64 gpa)
{
	u64 v = ~0ull;

	if (is_ram(gpa, 8))
		memcpy(&v, ram + gpa, 8);
	return v;
}

static bool race(u64 gpa, unsigned int len)
{
	if (!races || fuzz_u8(input) % 4 != 1)
		return false;
	races--;
	raced++;
	fuzz_bytes(input, ram + gpa, 1 + fuzz_u8(input) % len);
	return true;
}

static void check_update(u64 old, u64 new)
{
	fuzz_check((new & ~(VMON_PTE_A | VMON_PTE_D)) == (old & ~(VMON_PTE_A | VMON_PTE_D)) &&
		   !(old & ~new), "entry %#llx made %#llx", old, new);
	fuzz_check(old & VMON_PTE_P, "entry %#llx touched, not present", old);
}

static bool cmpxchg32(void *priv, u64 gpa, u32 old, u32 new)
{
	if (!is_ram(gpa, 4))
		return true;
	check_update(old, new);
	if (race(gpa, 4) || read32(priv, gpa) != old)
		return false;
	memcpy(ram + gpa, &new, 4);
	return true;
}

static bool cmpxchg64(void *priv, u64 gpa, u64 old, u64 new)
{
	if (!is_ram(gpa, 8))
		return true;
	check_update(old, new);
	if (race(gpa, 8) || read64(priv, gpa) != old)
		return false;
	memcpy(ram + gpa, &new, 8);
	return true;
}

static const struct vmon_phys_ops phys = { read32, read64, cmpxchg32, cmpxchg64 };

/* --- the second walker --- */

struct answer {
	bool ok;
	u64 gpa;
	u32 error;	/* P W U RSVD I */
	bool w, u, nx;
	u64 seen[2];	/* gpa of the entries that A is set in, directory first */
	unsigned int nr;
};

#define BIT64(n)	(1ull << (n))

static struct answer refuse(struct answer a, unsigned int acc, const struct vmon_cpu *cpu,
			    u32 error)
{
	a.ok = false;
	a.error = error;
	if (acc & VMON_ACC_W)
		a.error |= 2;
	if (acc & VMON_ACC_U)
		a.error |= 4;
	if (acc & VMON_ACC_X && cpu->cr4 & VMON_CR4_PAE && cpu->efer & VMON_EFER_NX)
		a.error |= 16;
	return a;
}

/* SDM vol. 3, 4.6.1 and 4.7. */
static struct answer judge(struct answer a, const struct vmon_cpu *cpu, unsigned int acc)
{
	bool user = acc & VMON_ACC_U;

	if (user && !a.u)
		return refuse(a, acc, cpu, 1);
	if (acc & VMON_ACC_W && !a.w && (user || cpu->cr0 & VMON_CR0_WP))
		return refuse(a, acc, cpu, 1);
	if (acc & VMON_ACC_X && a.nx)
		return refuse(a, acc, cpu, 1);
	a.ok = true;
	return a;
}

static void take_rights(struct answer *a, u64 e)
{
	a->w = a->w && e & BIT64(1);
	a->u = a->u && e & BIT64(2);
	a->nx = a->nx || e & BIT64(63);
}

/* SDM vol. 3, tables 4-4 to 4-6: CR3, PDE of 4 MiB, PDE, PTE. */
static struct answer walk32(const struct vmon_cpu *cpu, u32 gva, unsigned int acc)
{
	struct answer a = { .w = true, .u = true };
	u32 pde, pte;

	a.seen[a.nr++] = (cpu->cr3 & 0xfffff000) + (gva >> 22) * 4;
	pde = read32(NULL, a.seen[0]);
	if (!(pde & 1))
		return refuse(a, acc, cpu, 0);
	take_rights(&a, pde);
	if (pde & 0x80 && cpu->cr4 & VMON_CR4_PSE) {
		/* without PSE-36 bits 21:13 must be 0; PAT (12) without PAT, too */
		if (pde & 0x003ff000)
			return refuse(a, acc, cpu, 9);
		a.gpa = (pde & 0xffc00000) | (gva & 0x003fffff);
		return judge(a, cpu, acc);
	}
	a.seen[a.nr++] = (pde & 0xfffff000) + (gva >> 12 & 1023) * 4;
	pte = read32(NULL, a.seen[1]);
	if (!(pte & 1))
		return refuse(a, acc, cpu, 0);
	if (pte & 0x80)
		return refuse(a, acc, cpu, 9);
	take_rights(&a, pte);
	a.gpa = (pte & 0xfffff000) | (gva & 0xfff);
	return judge(a, cpu, acc);
}

/* SDM vol. 3, tables 4-8 to 4-11. */
static struct answer walk_pae(const struct vmon_cpu *cpu, u32 gva, unsigned int acc)
{
	u64 rsvd = BIT64(63) - BIT64(VMON_PHYS_BITS), addr = BIT64(VMON_PHYS_BITS) - 4096;
	struct answer a = { .w = true, .u = true };
	u64 pdpte = cpu->pdptr[gva >> 30], pde, pte;

	if (!(cpu->efer & VMON_EFER_NX))
		rsvd |= BIT64(63);
	if (!(pdpte & 1))
		return refuse(a, acc, cpu, 0);
	a.seen[a.nr++] = (pdpte & addr) + (gva >> 21 & 511) * 8;
	pde = read64(NULL, a.seen[0]);
	if (!(pde & 1))
		return refuse(a, acc, cpu, 0);
	if (pde & (pde & 0x80 ? rsvd | 0x1ff000 : rsvd))
		return refuse(a, acc, cpu, 9);
	take_rights(&a, pde);
	if (pde & 0x80) {
		a.gpa = (pde & addr & ~0x1fffffull) | (gva & 0x1fffff);
		return judge(a, cpu, acc);
	}
	a.seen[a.nr++] = (pde & addr) + (gva >> 12 & 511) * 8;
	pte = read64(NULL, a.seen[1]);
	if (!(pte & 1))
		return refuse(a, acc, cpu, 0);
	if (pte & (rsvd | 0x80))
		return refuse(a, acc, cpu, 9);
	take_rights(&a, pte);
	a.gpa = (pte & addr) | (gva & 0xfff);
	return judge(a, cpu, acc);
}

static struct answer second(const struct vmon_cpu *cpu, u32 gva, unsigned int acc)
{
	if (!(cpu->cr0 & VMON_CR0_PG))
		return (struct answer){ .ok = true, .gpa = gva, .w = true, .u = true };
	return cpu->cr4 & VMON_CR4_PAE ? walk_pae(cpu, gva, acc) : walk32(cpu, gva, acc);
}

static void compare(const struct vmon_cpu *cpu, const struct answer *a, int ret,
		    const struct vmon_walk *w, u32 gva, unsigned int acc)
{
	fuzz_check(ret == 0 || ret == -EFAULT, "result %d", ret);
	fuzz_check(!ret == a->ok, "gva %#x, access %u: %s, should be %s (error %#x, %#x)", gva, acc,
		   ret ? "refused" : "granted", a->ok ? "granted" : "refused", w->error, a->error);
	if (ret) {
		fuzz_check(w->error == a->error, "gva %#x, access %u: error %#x, should be %#x",
			   gva, acc, w->error, a->error);
		return;
	}
	fuzz_check(w->gpa == a->gpa, "gva %#x: at %#llx, should be %#llx", gva, w->gpa, a->gpa);
	fuzz_check(!(w->access & VMON_WALK_W) == !a->w && !(w->access & VMON_WALK_U) == !a->u &&
		   !(w->access & VMON_WALK_NX) == !a->nx, "gva %#x: rights %#x", gva, w->access);
	fuzz_check(w->level == (cpu->cr0 & VMON_CR0_PG ? 3 - a->nr : 0), "gva %#x: level %u", gva,
		   w->level);
}

/* Only A of the entries passed, and D of the last one. */
static void check_bits(const u8 *before, const struct answer *a, bool ok, unsigned int acc,
		       bool pae)
{
	static u8 want[sizeof(ram)];
	unsigned int i;

	memcpy(want, before, sizeof(want));
	for (i = 0; ok && i < a->nr; i++) {
		if (a->seen[i] + (pae ? 8 : 4) > sizeof(ram))
			continue;
		want[a->seen[i]] |= VMON_PTE_A;
		if (i == a->nr - 1 && acc & VMON_ACC_W)
			want[a->seen[i]] |= VMON_PTE_D;
	}
	fuzz_check(!memcmp(want, ram, sizeof(ram)), "other bits are set than should be");
}

static void one(struct vmon_cpu *cpu, struct fuzz_in *in, const u32 *gvas)
{
	static u8 before[sizeof(ram)];
	unsigned int acc = fuzz_u8(in);
	u32 gva = gvas[acc >> 3 & 7] ^ (acc & 0x40 ? fuzz_u16(in) : 0);
	struct vmon_walk w, probe;
	struct answer a;
	int ret;

	acc &= 7;
	if (acc & VMON_ACC_X)
		acc &= ~VMON_ACC_W;
	memcpy(before, ram, sizeof(ram));
	a = second(cpu, gva, acc);
	ret = vmon_walk_probe(cpu, &phys, NULL, gva, acc, &probe);
	compare(cpu, &a, ret, &probe, gva, acc);
	fuzz_check(!memcmp(before, ram, sizeof(ram)), "a probe changes the tables");
	raced = 0;
	ret = vmon_walk(cpu, &phys, NULL, gva, acc, &w);
	if (raced) {
		/* What the tables say now is what counts. */
		a = second(cpu, gva, acc);
		compare(cpu, &a, ret, &w, gva, acc);
		return;
	}
	compare(cpu, &a, ret, &w, gva, acc);
	check_bits(before, &a, !ret, acc, cpu->cr4 & VMON_CR4_PAE);
	fuzz_check(ret || !(acc & VMON_ACC_W) || w.dirty, "written, and not dirty");
}

/* An entry that leads somewhere, its low bits and the rest as the input has it. */
static void put_entry(struct fuzz_in *in, u64 gpa, bool pae)
{
	u64 e = (u64)fuzz_below(in, FRAMES) << 12 | 0x7;
	u8 how = fuzz_u8(in);

	e ^= fuzz_u8(in);
	if (how & 1)
		e ^= (u64)fuzz_u8(in) << (how >> 1 & 63);
	if (how & 0x80)
		e ^= VMON_PTE_NX;
	memcpy(ram + gpa, &e, pae ? 8 : 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	u8 mode = fuzz_u8(&in);
	bool pae = mode & 2;
	struct vmon_cpu cpu;
	unsigned int i, n;
	u32 gvas[8];

	input = &in;
	memset(ram, 0, sizeof(ram));
	memset(&cpu, 0, sizeof(cpu));
	cpu.cr0 = VMON_CR0_PE | (mode & 1 ? 0 : VMON_CR0_PG) | (mode & 4 ? VMON_CR0_WP : 0);
	cpu.cr4 = (pae ? VMON_CR4_PAE : 0) | (mode & 8 ? VMON_CR4_PSE : 0) |
		  (mode & 16 ? VMON_CR4_PGE : 0);
	cpu.efer = mode & 32 ? VMON_EFER_NX : 0;
	cpu.cr3 = 0x1000 | (mode >> 6 & 1) * 0x20;
	races = mode & 128 ? 3 : 0;
	/* PDPT at 1000h, directories at 2000h, 3000h; any frame may be a table. */
	for (i = 0; i < 4; i++) {
		put_entry(&in, cpu.cr3 + i * 8, true);
		ram[cpu.cr3 + i * 8] &= ~0xe6;
	}
	if (vmon_pae_paging(&cpu) && !vmon_walk_load_pdptrs(&cpu, &phys, NULL))
		for (i = 0; i < 4; i++)
			cpu.pdptr[i] = 0x2000 | (i & 1) << 12 | 1;
	for (i = 0; i < 8; i++) {
		/* few indices, so that walks meet the entries made below */
		n = fuzz_u8(&in);
		gvas[i] = (n & 3) << 30 | (n >> 2 & 3) << (pae ? 21 : 22) | (n >> 4 & 3) << 12 |
			  (n & 0x40 ? 0xffc : 0) | (n & 0x80 ? 0x3fc00000 : 0);
	}
	for (i = fuzz_u8(&in) % 32; i; i--) {
		n = fuzz_u8(&in);
		put_entry(&in, (u64)(n >> 4) << 12 | (n & 15) * 8, pae);
		if (!pae && n & 1)
			put_entry(&in, (u64)(n >> 4) << 12 | ((n & 15) * 4 & 0xffc) |
				  (u32)fuzz_u8(&in) % 4 << 10, false);
	}
	for (i = 0; i < WALKS && fuzz_left(&in); i++)
		one(&cpu, &in, gvas);
	return 0;
}
