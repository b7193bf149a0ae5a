/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The monitor area: what the CPU needs while a guest's page tables are loaded.
 *
 * One per vCPU, allocated with vmalloc() and mapped at its own kernel address in
 * the guest's tables too, so that descriptor tables and stacks stay valid while
 * CR3 changes under them. It lies above 4 GiB, where 32-bit guest code cannot
 * form an address. Constants are shared with entry.S; switch.c asserts that they
 * match the structure.
 */
#ifndef VMON_SWITCH_AREA_H
#define VMON_SWITCH_AREA_H

/*
 * Selectors of the monitor, at the end of the largest possible GDT, out of the
 * way of the guest's own. Those for ring 1 hold the hidden parts of the guest
 * kernel's segment registers, truncated; translated code never shows them.
 */
#define VMON_GDT_FIRST	8176
#define VMON_SEL_CS64	(8176 * 8)
#define VMON_SEL_TSS	(8178 * 8)	/* two slots */
#define VMON_SEL_CS1	(8180 * 8 + 1)
#define VMON_SEL_SS1	(8181 * 8 + 1)
#define VMON_SEL_GS1	(8182 * 8 + 1)
#define VMON_SEL_ES1	(8184 * 8 + 1)	/* two slots each: VMON_SEG_WAYS */
#define VMON_SEL_DS1	(8186 * 8 + 1)
#define VMON_SEL_FS1	(8188 * 8 + 1)
#define VMON_SEL_LDT	(8190 * 8)	/* two slots */

/* Offsets in struct vmon_area. */
#define A_GUEST_CR3	0x00
#define A_HOST_CR3	0x08
#define A_HOST_RSP	0x10
#define A_HOST_FS_BASE	0x18
#define A_HOST_GS_BASE	0x20
#define A_HOST_SEGS	0x28	/* u16: ds es fs gs ldt tr */
#define A_GUEST_LDT	0x34
#define A_FILL_RSB	0x36
#define A_RUN_GDTR	0x40
#define A_TRANS_GDTR	0x50
#define A_IDTR		0x60
#define A_HOST_GDTR	0x70
#define A_HOST_IDTR	0x80
#define A_LATE		0x90	/* VMON_LATE_*: NMI or #MC seen in a window */
#define A_FRAME		0x98
#define A_RSB_FILLS	0x130

/* Offsets in struct vmon_frame. */
#define F_RAX		0x00
#define F_RCX		0x08
#define F_RDX		0x10
#define F_RBX		0x18
#define F_RBP		0x20
#define F_RSI		0x28
#define F_RDI		0x30
#define F_DS		0x38
#define F_ES		0x40
#define F_FS		0x48
#define F_GS		0x50
#define F_PAD		0x58
#define F_VECTOR	0x60
#define F_ERROR		0x68
#define F_RIP		0x70
#define F_CS		0x78
#define F_RFLAGS	0x80
#define F_RSP		0x88
#define F_SS		0x90

#define VMON_LATE_NMI	1
#define VMON_LATE_MC	2

/* Values of vmon_frame.vector beyond the CPU's. */
#define VMON_VEC_POISON	0xdead	/* never left: a bug */
#define VMON_VEC_ABORT	0x100	/* entry given up for an NMI or #MC */
#define VMON_VEC_FAULT	0x200	/* + vector: the switch itself faulted */

#ifndef __ASSEMBLY__

#include <linux/types.h>
#include <asm/desc_defs.h>
#include <asm/page_types.h>

/**
 * struct vmon_frame - registers of the guest as the real CPU has them
 *
 * Loaded on entry; on exit the CPU pushes the part from @ss downwards to @rip
 * (TSS.RSP0 points behind @ss), the stubs push the rest.
 */
struct vmon_frame {
	u64 rax, rcx, rdx, rbx, rbp, rsi, rdi;
	u64 ds, es, fs, gs;
	u64 pad;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* Operand of LGDT and LIDT, padded so that the next one is aligned. */
struct vmon_table_reg {
	u16 limit;
	u64 base;
	u16 pad[3];
} __packed;

/* 64-bit TSS, SDM vol. 3, 8.7. */
struct vmon_tss {
	u32 pad0;
	u64 rsp[3];
	u64 pad1;
	u64 ist[7];
	u64 pad2;
	u16 pad3;
	u16 iomap;
} __packed;

/* A stack for one interrupt-stack-table slot; finds its area by @area. */
struct vmon_ist {
	struct vmon_area *area;
	u8 bytes[PAGE_SIZE - sizeof(void *)];
};

#define VMON_NR_IST	4

/**
 * struct vmon_area - the monitor area
 * @guest_cr3:	root of the guest's shadow tables
 * @host_cr3:	to return to, with bit 63 set where PCIDs allow to keep the TLB
 * @guest_ldt:	LDTR while the guest runs: VMON_SEL_LDT, or 0 for none
 * @fill_rsb:	fill the return stack on exit, whatever the host does for itself
 * @late:	VMON_LATE_*, set by handlers that came in a window of the switch
 * @frame:	guest registers; ends at a multiple of 16, as the CPU aligns RSP
 * @rsb_fills:	how often that was done by @fill_rsb
 * @run_gdt:	in force while the guest runs
 * @trans_gdt:	in force while tables change: the host's sixteen entries and ours
 * @ldt:	shadow of the guest's LDT
 */
struct vmon_area {
	u64 guest_cr3;
	u64 host_cr3;
	u64 host_rsp;
	u64 host_fs_base;
	u64 host_gs_base;
	u16 host_ds, host_es, host_fs, host_gs, host_ldt, host_tr;
	u16 guest_ldt;
	u16 fill_rsb;
	u16 pad0[4];
	struct vmon_table_reg run_gdtr, trans_gdtr, idtr, host_gdtr, host_idtr;
	u64 late;
	struct vmon_frame frame;
	u64 rsb_fills;
	struct vmon_tss tss;
	struct vmon_ist ist[VMON_NR_IST] __aligned(PAGE_SIZE);
	gate_desc idt[256] __aligned(PAGE_SIZE);
	u64 run_gdt[8192] __aligned(PAGE_SIZE);
	u64 trans_gdt[8192] __aligned(PAGE_SIZE);
	u64 ldt[8192] __aligned(PAGE_SIZE);
};

/* entry.S */
void vmon_switch_asm(struct vmon_area *area);
void vmon_reraise(unsigned long handler);
extern const char vmon_switch_text[], vmon_switch_text_end[];
extern const char vmon_vectors[];
extern const char vmon_nmi[], vmon_mc[], vmon_df[], vmon_db[];

#endif /* !__ASSEMBLY__ */
#endif /* VMON_SWITCH_AREA_H */
