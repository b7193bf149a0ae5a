// SPDX-License-Identifier: GPL-2.0
/*
 * Guest worlds: the address space that the CPU is in while a guest runs.
 *
 * Its upper half holds nothing of the host but the switch text and the vCPU's own
 * monitor area, page by page, at their kernel addresses. Whatever the guest finds
 * a way to read there, it finds nothing of anybody else's.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/mem_encrypt.h>

#include "gfp.h"
#include "vm/cpu.h"
#include "switch/monitor_page.h"
#include "switch/switch.h"
#include "translator/translate.h"

static_assert(offsetof(struct vmon_area, guest_cr3) == A_GUEST_CR3);
static_assert(offsetof(struct vmon_area, host_cr3) == A_HOST_CR3);
static_assert(offsetof(struct vmon_area, host_rsp) == A_HOST_RSP);
static_assert(offsetof(struct vmon_area, host_fs_base) == A_HOST_FS_BASE);
static_assert(offsetof(struct vmon_area, host_gs_base) == A_HOST_GS_BASE);
static_assert(offsetof(struct vmon_area, host_ds) == A_HOST_SEGS);
static_assert(offsetof(struct vmon_area, guest_ldt) == A_GUEST_LDT);
static_assert(offsetof(struct vmon_area, fill_rsb) == A_FILL_RSB);
static_assert(offsetof(struct vmon_area, clear_bhb) == A_CLEAR_BHB);
static_assert(offsetof(struct vmon_area, run_gdtr) == A_RUN_GDTR);
static_assert(offsetof(struct vmon_area, trans_gdtr) == A_TRANS_GDTR);
static_assert(offsetof(struct vmon_area, idtr) == A_IDTR);
static_assert(offsetof(struct vmon_area, host_gdtr) == A_HOST_GDTR);
static_assert(offsetof(struct vmon_area, host_idtr) == A_HOST_IDTR);
static_assert(offsetof(struct vmon_area, late) == A_LATE);
static_assert(offsetof(struct vmon_area, frame) == A_FRAME);
static_assert(offsetof(struct vmon_area, rsb_fills) == A_RSB_FILLS);
static_assert(offsetof(struct vmon_area, bhb_clears) == A_BHB_CLEARS);
static_assert(offsetof(struct vmon_frame, ds) == F_DS);
static_assert(offsetof(struct vmon_frame, vector) == F_VECTOR);
static_assert(offsetof(struct vmon_frame, ss) == F_SS);
static_assert(offsetof(struct vmon_area, resident) == A_RESIDENT);
#define ASSERT_RESIDENT(field, offset) \
	static_assert(offsetof(struct vmon_area, resident.field) == (offset))
ASSERT_RESIDENT(cs, R_CS);
ASSERT_RESIDENT(gate, R_GATE);
ASSERT_RESIDENT(tss_gva, R_TSS_GVA);
ASSERT_RESIDENT(gate_tc, R_GATE_TC);
ASSERT_RESIDENT(uss, R_USS);
ASSERT_RESIDENT(gdt_quads, R_GDT_QUADS);
ASSERT_RESIDENT(faulted, R_FAULTED);
ASSERT_RESIDENT(entry, R_ENTRY);
ASSERT_RESIDENT(way_sel, R_WAY);
ASSERT_RESIDENT(count, R_COUNT);
ASSERT_RESIDENT(gdt, R_GDT);
static_assert(A_RESIDENT + sizeof(struct vmon_resident) == R_STACK_END);
static_assert(offsetof(struct vmon_mpage, vif) == M_VIF);
static_assert(offsetof(struct vmon_mpage, viopl) == M_VIOPL);
static_assert(offsetof(struct vmon_mpage, pending) == M_PENDING);
static_assert(offsetof(struct vmon_mpage, sel) == M_SEL);
static_assert(offsetof(struct vmon_mpage, loaded) == M_LOADED);
static_assert(VMON_BT_VECTOR == VMON_CALLOUT_VECTOR);
static_assert(VMON_BT_IRET_VECTOR == VMON_IRET_VECTOR);
static_assert(VMON_BT_SYSEXIT_VECTOR == VMON_SYSEXIT_VECTOR);
static_assert((A_FRAME + sizeof(struct vmon_frame)) % 16 == 0);
static_assert(offsetof(struct vmon_area, tss) + sizeof(struct vmon_tss) <= PAGE_SIZE);

#define IST_DF	1	/* the host's numbers: see the head of entry.S */
#define IST_NMI	2
#define IST_MC	4

#define DESC_CS64	0x00af9b000000ffffull	/* 64-bit code, DPL 0, accessed */

u64 vmon_table_entry(const void *page, u64 bits)
{
	return __sme_pa(page) | bits;
}

static u64 *new_table(struct vmon_world *w)
{
	struct vmon_world_table *t = kmalloc(sizeof(*t), VMON_GFP);

	if (!t)
		return NULL;
	t->table = (u64 *)get_zeroed_page(VMON_GFP);
	if (!t->table) {
		kfree(t);
		return NULL;
	}
	list_add(&t->list, &w->tables);
	return t->table;
}

/* Physical address in an entry to the kernel's address of the table. */
static u64 *entry_table(u64 entry)
{
	return __va(__sme_clr(entry) & VMON_PTE_ADDR);
}

int vmon_world_map(struct vmon_world *w, u64 va, u64 entry)
{
	u64 *table = w->root;
	int level = pgtable_l5_enabled() ? 5 : 4;

	for (; level > 1; level--) {
		u64 *e = &table[(va >> (12 + 9 * (level - 1))) & 511];

		if (!(*e & VMON_PTE_P)) {
			u64 *next = new_table(w);

			if (!next)
				return -ENOMEM;
			*e = vmon_table_entry(next, VMON_PTE_P | VMON_PTE_W |
					      VMON_PTE_U | VMON_PTE_A);
		}
		table = entry_table(*e);
	}
	table[(va >> 12) & 511] = entry;
	return 0;
}

/* Map what lies at a vmalloc or module address to the same address. */
static int map_same(struct vmon_world *w, const void *start, size_t len, u64 bits)
{
	u64 va = (u64)start & PAGE_MASK;
	int err;

	for (; va < (u64)start + len; va += PAGE_SIZE) {
		struct page *page = vmalloc_to_page((void *)va);

		if (!page)
			return -EFAULT;
		err = vmon_world_map(w, va, __sme_set(page_to_phys(page)) | bits |
				     VMON_PTE_P | VMON_PTE_A);
		if (err)
			return err;
	}
	return 0;
}

static void set_gate(gate_desc *gate, const void *handler, unsigned int ist,
		     unsigned int dpl)
{
	u64 addr = (u64)handler;

	*gate = (gate_desc) {
		.offset_low = addr & 0xffff,
		.segment = VMON_SEL_CS64,
		.bits = { .ist = ist, .type = GATE_INTERRUPT, .dpl = dpl, .p = 1 },
		.offset_middle = (addr >> 16) & 0xffff,
		.offset_high = addr >> 32,
	};
}

static void set_gdtr(struct vmon_table_reg *reg, const void *base, size_t size)
{
	reg->limit = size - 1;
	reg->base = (u64)base;
}

/* LLDT reads it from the transition GDT; nobody looks for it later. */
static void set_ldt_desc(u64 *gdt, const struct vmon_area *a)
{
	gdt[VMON_SEL_LDT / 8] = GDT_ENTRY(0x82, (u64)a->ldt & 0xffffffff,
					  sizeof(a->ldt) - 1);
	gdt[VMON_SEL_LDT / 8 + 1] = (u64)a->ldt >> 32;
}

static void fill_area(struct vmon_area *a)
{
	unsigned int i;

	for (i = 0; i < 256; i++)
		set_gate(&a->idt[i], vmon_vectors + 16 * i, 0, 0);
	set_gate(&a->idt[VMON_EXC_DB], vmon_db, 0, 0);
	set_gate(&a->idt[VMON_EXC_NMI], vmon_nmi, IST_NMI, 0);
	set_gate(&a->idt[VMON_EXC_DF], vmon_df, IST_DF, 0);
	set_gate(&a->idt[VMON_EXC_MC], vmon_mc, IST_MC, 0);
	/* The ways out of translated code, which runs at ring 1. */
	for (i = VMON_CALLOUT_VECTOR; i <= VMON_SYSEXIT_VECTOR; i++)
		set_gate(&a->idt[i], vmon_vectors + 16 * i, 0, 1);
	if (vmon_syscall_vector(VMON_SYSCALL_VECTOR))
		set_gate(&a->idt[VMON_SYSCALL_VECTOR],
			 vmon_vectors + 16 * VMON_SYSCALL_VECTOR, 0, 3);

	for (i = 0; i < VMON_NR_IST; i++) {
		a->ist[i].area = a;
		a->tss.ist[i] = (u64)(&a->ist[i] + 1);
	}
	a->tss.rsp[0] = (u64)(&a->frame + 1);
	a->tss.iomap = sizeof(a->tss);	/* none: every port traps */

	a->run_gdt[VMON_SEL_CS64 / 8] = DESC_CS64;
	a->trans_gdt[VMON_SEL_CS64 / 8] = DESC_CS64;
	set_ldt_desc(a->trans_gdt, a);
	set_gdtr(&a->run_gdtr, a->run_gdt, sizeof(a->run_gdt));
	set_gdtr(&a->trans_gdtr, a->trans_gdt, sizeof(a->trans_gdt));
	set_gdtr(&a->idtr, a->idt, sizeof(a->idt));
}

int vmon_world_create(struct vmon_world *w)
{
	u64 *pml4;
	int err = -ENOMEM;

	memset(w, 0, sizeof(*w));
	INIT_LIST_HEAD(&w->tables);
	w->area = __vmalloc(sizeof(*w->area), VMON_GFP | __GFP_ZERO);
	w->root = new_table(w);
	if (!w->area || !w->root)
		goto fail;
	fill_area(w->area);
	err = map_same(w, w->area, sizeof(*w->area), VMON_PTE_W | VMON_PTE_D |
		       VMON_PTE_NX);
	if (!err)
		err = map_same(w, vmon_switch_text,
			       vmon_switch_text_end - vmon_switch_text, 0);
	if (err)
		goto fail;

	err = -ENOMEM;
	pml4 = w->root;
	if (pgtable_l5_enabled()) {
		pml4 = new_table(w);
		if (!pml4)
			goto fail;
		w->root[0] = vmon_table_entry(pml4, VMON_PTE_P | VMON_PTE_W |
					      VMON_PTE_U | VMON_PTE_A);
	}
	w->pdpt = new_table(w);
	if (!w->pdpt)
		goto fail;
	pml4[0] = vmon_table_entry(w->pdpt, VMON_PTE_P | VMON_PTE_W | VMON_PTE_U |
				   VMON_PTE_A);
	w->area->guest_cr3 = __sme_pa(w->root);
	return 0;
fail:
	vmon_world_destroy(w);
	return err;
}

void vmon_world_destroy(struct vmon_world *w)
{
	struct vmon_world_table *t, *next;

	list_for_each_entry_safe(t, next, &w->tables, list) {
		free_page((unsigned long)t->table);
		kfree(t);
	}
	INIT_LIST_HEAD(&w->tables);
	vfree(w->area);
	w->area = NULL;
}
