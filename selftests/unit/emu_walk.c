// SPDX-License-Identifier: GPL-2.0
/* The guest page walker: formats, permissions, error codes, A and D bits. */
#include <linux/kernel.h>

#include "emu_fixture.h"

#define PD	0x50000u
#define PT	0x51000u
#define PDPT	0x52020u
#define PD_PAE	0x53000u
#define PT_PAE	0x54000u
#define GVA	0x00403123u

#define P	VMON_PTE_P
#define W	VMON_PTE_W
#define U	VMON_PTE_U
#define A	VMON_PTE_A
#define D	VMON_PTE_D
#define PS	VMON_PTE_PS
#define NX	VMON_PTE_NX

static struct vmon_walk w;

static int walk(unsigned int acc)
{
	return vmon_walk(&fx_cpu, &fx_phys, NULL, GVA, acc, &w);
}

static void paging32(u32 pde, u32 pte)
{
	fx_init();
	fx_cpu.cr0 |= VMON_CR0_PG;
	fx_cpu.cr3 = PD;
	fx_put32(PD + 4, pde);
	fx_put32(PT + 3 * 4, pte);
}

static void put64(u32 at, u64 val)
{
	memcpy(fx_ram + at, &val, 8);
}

static void paging_pae(u64 pdpte, u64 pde, u64 pte, bool nx)
{
	fx_init();
	fx_cpu.cr0 |= VMON_CR0_PG;
	fx_cpu.cr4 |= VMON_CR4_PAE;
	fx_cpu.efer = nx ? VMON_EFER_NX : 0;
	fx_cpu.cr3 = PDPT;
	put64(PDPT, pdpte);
	put64(PD_PAE + 2 * 8, pde);
	put64(PT_PAE + 3 * 8, pte);
	vmon_walk_load_pdptrs(&fx_cpu, &fx_phys, NULL);
}

/* Which access is refused with which error; PDE and PTE flags, WP. */
static const struct {
	u16 pde, pte;
	bool wp;
	u8 acc;
	int error;	/* -1: allowed */
} rows[] = {
	{ P, P, false, 0, -1 },
	{ P, P, false, VMON_ACC_W, -1 },
	{ P, P, true, VMON_ACC_W, 3 },
	{ P | W, P | W, true, VMON_ACC_W, -1 },
	{ P, P | W, true, VMON_ACC_W, 3 },
	{ P | W, P, true, VMON_ACC_W, 3 },
	{ P, P, false, VMON_ACC_U, 5 },
	{ P | U, P, false, VMON_ACC_U, 5 },
	{ P, P | U, false, VMON_ACC_U, 5 },
	{ P | U, P | U, false, VMON_ACC_U, -1 },
	{ P | U, P | U, false, VMON_ACC_U | VMON_ACC_W, 7 },
	{ P | U | W, P | U | W, false, VMON_ACC_U | VMON_ACC_W, -1 },
	{ 0, P, false, 0, 0 },
	{ P, 0, false, VMON_ACC_W, 2 },
	{ P, 0, false, VMON_ACC_U | VMON_ACC_X, 4 },
	{ P | U, P | U, false, VMON_ACC_U | VMON_ACC_X, -1 },
	{ P | W, P | PS, false, 0, 9 },	/* PAT bit without PAT */
};

static void test_rows(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int ret, want = rows[i].error;

		paging32(PT | rows[i].pde, 0x7000 | rows[i].pte);
		if (rows[i].wp)
			fx_cpu.cr0 |= VMON_CR0_WP;
		ret = walk(rows[i].acc);
		tap_ok(want < 0 ? !ret && w.gpa == 0x7123 :
		       ret && w.error == want,
		       "PDE %03x PTE %03x WP %d access %x: %d", rows[i].pde,
		       rows[i].pte, rows[i].wp, rows[i].acc, want);
	}
}

static void test_bits(void)
{
	paging32(PT | P | W, 0x7000 | P | W);
	walk(0);
	tap_ok(fx_get32(PD + 4) == (PT | P | W | A) &&
	       fx_get32(PT + 12) == (0x7000 | P | W | A) && !w.dirty,
	       "a read sets A in both entries");
	walk(VMON_ACC_W);
	tap_ok(fx_get32(PD + 4) == (PT | P | W | A) &&
	       fx_get32(PT + 12) == (0x7000 | P | W | A | D) && w.dirty,
	       "a write sets D in the leaf only");
	tap_ok(w.level == 1 && w.top == 2 && w.step[0].gpa == PT + 12 &&
	       w.step[1].gpa == PD + 4 && w.step[0].table_gfn == PT >> 12 &&
	       w.access == VMON_WALK_W, "the steps are recorded");
	paging32(PT | P, 0x7000 | P);
	walk(VMON_ACC_U);
	tap_ok(fx_get32(PD + 4) == (PT | P), "a refused access sets nothing");
	paging32(PT | P | W, 0x7000 | P | W);
	tap_ok(!vmon_walk_probe(&fx_cpu, &fx_phys, NULL, GVA, VMON_ACC_W, &w) &&
	       fx_get32(PT + 12) == (0x7000 | P | W), "a probe sets nothing");
}

static void test_large(void)
{
	paging32(0x00800000 | P | W | PS, 0);
	fx_cpu.cr4 |= VMON_CR4_PSE | VMON_CR4_PGE;
	tap_ok(!walk(VMON_ACC_W) && w.large && w.level == 2 &&
	       w.gpa == (0x00800000 | (GVA & 0x3fffff)) &&
	       fx_get32(PD + 4) == (0x00800000 | P | W | PS | A | D),
	       "4 MiB page");
	paging32(0x00801000 | P | W | PS, 0);
	fx_cpu.cr4 |= VMON_CR4_PSE;
	tap_ok(walk(0) && w.error == 9, "reserved bit in it");
	paging32(PT | P | W | PS, 0x7000 | P);
	tap_ok(!walk(0) && w.gpa == 0x7123, "PS without CR4.PSE is ignored");
	paging_pae(PD_PAE | P, 0x00800000 | P | W | PS, 0, true);
	tap_ok(!walk(0) && w.large && w.gpa == (0x00800000 | (GVA & 0x1fffff)),
	       "2 MiB page");
}

static void test_pae(void)
{
	paging_pae(PD_PAE | P, PT_PAE | P | W | U, 0x700007000ull | P | W | U,
		   true);
	tap_ok(!walk(VMON_ACC_W | VMON_ACC_U) && w.gpa == 0x700007123ull &&
	       w.top == 3, "PAE: a frame above 4 GiB");
	paging_pae(0, PT_PAE | P, 0x7000 | P, true);
	tap_ok(walk(VMON_ACC_W) && w.error == 2 && w.level == 3,
	       "PDPTE not present");
	paging_pae(PD_PAE | P, PT_PAE | P | U, 0x7000 | P | U | NX, true);
	tap_ok(walk(VMON_ACC_X | VMON_ACC_U) && w.error == 0x15 &&
	       !walk(VMON_ACC_U) && (w.access & VMON_WALK_NX),
	       "NX in the PTE: fetch is refused, error I");
	paging_pae(PD_PAE | P, PT_PAE | P | U | NX, 0x7000 | P | U, true);
	tap_ok(walk(VMON_ACC_X) && w.error == 0x11, "NX in the PDE");
	paging_pae(PD_PAE | P, PT_PAE | P | U, 0x7000 | P | U | NX, false);
	tap_ok(walk(0) && w.error == 9, "NX without EFER.NXE is reserved");
	paging_pae(PD_PAE | P, PT_PAE | P | 1ull << 40, 0x7000 | P, true);
	tap_ok(walk(VMON_ACC_W) && w.error == 0xb && w.level == 2,
	       "address bits beyond the CPU's are reserved");
	paging_pae(PD_PAE | P | W, PT_PAE | P, 0x7000 | P, true);
	tap_ok(!vmon_walk_load_pdptrs(&fx_cpu, &fx_phys, NULL),
	       "reserved bits in a PDPTE refuse the load");
}

static void test_emulator(void)
{
	unsigned int i;

	/* Identity for the low MiB, but page 40h read-only and 41h absent. */
	fx_init();
	for (i = 0; i < 256; i++)
		fx_put32(PT + i * 4, i << 12 | P | U | (i == 0x40 ? 0 : W));
	fx_put32(PT + 0x41 * 4, 0);
	fx_put32(PD, PT | P | W | U);
	fx_cpu.cr3 = PD;
	fx_cpu.cr0 |= VMON_CR0_PG | VMON_CR0_WP;
	/* mov [40ffeh], eax crosses into the absent page */
	fx_cpu.gpr[VMON_EAX] = 0x12345678;
	tap_ok(fx_raised(FX_EXEC(0xa3, 0x00, 0xff, 4, 0), 14, -1) == false &&
	       fx_emu.exc.vector == 0, "fixture: page 4F is writable");
	tap_ok(fx_raised(FX_EXEC(0xa3, 0xfe, 0x0f, 4, 0), 14, 3) &&
	       fx_emu.exc.cr2 == 0x40ffe, "write to a read-only page");
	fx_put32(PT + 0x40 * 4, 0x40000 | P | U | W);
	fx_put16(FX_DATA + 0xffe, 0);
	tap_ok(fx_raised(FX_EXEC(0xa3, 0xfe, 0x0f, 4, 0), 14, 2) &&
	       fx_emu.exc.cr2 == 0x41000 && !fx_get16(FX_DATA + 0xffe),
	       "a write across pages faults whole, CR2 in the second page");
	tap_ok(fx_raised(FX_EXEC(0x01, 0x05, 0x00, 0x10, 4, 0), 14, 2),
	       "a read-modify-write faults as a write");
	fx_deliver();
	tap_ok(fx_in_handler(14) && fx_cpu.cr2 == 0x41000 && fx_stack(0) == 2,
	       "#PF delivered with CR2");
}

int main(void)
{
	tap_plan(ARRAY_SIZE(rows) + 5 + 4 + 7 + 5);
	test_rows();
	test_bits();
	test_large();
	test_pae();
	test_emulator();
	return tap_done();
}
