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

/*
 * Vectors that are the guest's own, so that hardware raises none of them: those by which
 * translated code leaves (SDM vol. 3, table 6-1: reserved), and Linux' system call.
 */
#define VMON_CALLOUT_VECTOR	0x18
#define VMON_IRET_VECTOR	0x19
#define VMON_SYSEXIT_VECTOR	0x1a
#define VMON_SYSCALL_VECTOR	0x80

/* Offsets in struct vmon_area. */
#define A_GUEST_CR3	0x00
#define A_HOST_CR3	0x08
#define A_HOST_RSP	0x10
#define A_HOST_FS_BASE	0x18
#define A_HOST_GS_BASE	0x20
#define A_HOST_SEGS	0x28	/* u16: ds es fs gs ldt tr */
#define A_GUEST_LDT	0x34
#define A_FILL_RSB	0x36
#define A_CLEAR_BHB	0x38
#define A_RUN_GDTR	0x40
#define A_TRANS_GDTR	0x50
#define A_IDTR		0x60
#define A_HOST_GDTR	0x70
#define A_HOST_IDTR	0x80
#define A_LATE		0x90	/* VMON_LATE_*: NMI or #MC seen in a window */
#define A_FRAME		0x98
#define A_RSB_FILLS	0x130
#define A_BHB_CLEARS	0x138

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

/* Offsets of struct vmon_resident's members in struct vmon_area. */
#define A_RESIDENT	0x1000
#define R_ARMED		(A_RESIDENT + 0x00)
#define R_CPL		(A_RESIDENT + 0x04)
#define R_CROSSED	(A_RESIDENT + 0x08)
#define R_CS		(A_RESIDENT + 0x0c)
#define R_GATE		(A_RESIDENT + 0x10)
#define R_KCS_DESC	(A_RESIDENT + 0x18)
#define R_KSS_DESC	(A_RESIDENT + 0x20)
#define R_GATE_GVA	(A_RESIDENT + 0x28)
#define R_KCS_GVA	(A_RESIDENT + 0x2c)
#define R_KSS_GVA	(A_RESIDENT + 0x30)
#define R_TSS_GVA	(A_RESIDENT + 0x34)
#define R_KCS		(A_RESIDENT + 0x38)
#define R_KSS		(A_RESIDENT + 0x3c)
#define R_GATE_VIF	(A_RESIDENT + 0x40)
#define R_GATE_TC	(A_RESIDENT + 0x44)
#define R_SYSENTER_TC	(A_RESIDENT + 0x48)
#define R_SYSENTER_ESP	(A_RESIDENT + 0x4c)
#define R_UCS		(A_RESIDENT + 0x50)
#define R_USS		(A_RESIDENT + 0x54)
#define R_GDT_GVA	(A_RESIDENT + 0x58)
#define R_GDT_QUADS	(A_RESIDENT + 0x5c)
#define R_LUT		(A_RESIDENT + 0x60)
#define R_GS		(A_RESIDENT + 0x64)
#define R_FAULTED	(A_RESIDENT + 0x68)
#define R_ENTRY		(A_RESIDENT + 0x70)	/* ES, DS, FS: 12 bytes each */
#define R_WAY		(A_RESIDENT + 0x94)	/* ES, DS, FS: 8 bytes each */
#define R_COUNT		(A_RESIDENT + 0xb0)
#define R_GDT		(A_RESIDENT + 0xd0)
#define R_STACK_END	(A_RESIDENT + 0x1000)

/* In a struct vmon_resident's entry. */
#define RE_SEL		0
#define RE_SLOT		4
#define RE_WAY		8

/* Bits of vmon_resident.armed. */
#define VMON_RES_GATE	1
#define VMON_RES_SYSENTER 2
#define VMON_RES_IRET	4
#define VMON_RES_SYSEXIT 8

/* Index in vmon_resident.count, times eight. */
#define RC_SYSCALL	0
#define RC_RETURN	8
#define RC_IRET		16

#define VMON_RES_QUADS	64	/* descriptors of the guest's table that are compared */

/* Members of struct vmon_mpage, at its address in the guest's tables. */
#define M_VIF		0x30
#define M_VIOPL		0x34
#define M_PENDING	0x38
#define M_SEL		0x40
#define M_LOADED	0x6c

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

/* A selector that no segment register of the guest's has. */
#define VMON_RES_NONE	0x80000000u

/**
 * struct vmon_resident - what resident.S may do by itself, and what it did
 *
 * Written by vm/exec_resident.c before each entry. "Address" is a guest linear
 * one. Contents of guest memory are copies, compared at each use.
 *
 * @armed:	VMON_RES_*: which events are served
 * @cpl:	the guest's privilege level: 0 or 3
 * @crossed:	entries to the guest's kernel since the world was entered
 * @cs:		the guest kernel's CS selector while @cpl is 0
 * @gate:	gate of the system call vector; @gate_gva: its address
 * @kcs_desc, @kss_desc: descriptors of @kcs and @kss; @kcs_gva ...: their addresses
 * @tss_gva:	address of ESP0
 * @kcs, @kss:	selectors that a system call loads
 * @gate_vif:	the interrupt flag behind the gate
 * @gate_tc, @sysenter_tc: translated code of the two entry points
 * @ucs, @uss:	the only CS and SS that ring 3 is returned to with
 * @gdt_gva, @gdt_quads: the guest's descriptor table, and how many entries it has
 * @lut:	address of the translator's lookup table
 * @gs:		what GS is loaded with for ring 3, or VMON_RES_NONE
 * @faulted:	a page fault has been met here
 * @entry:	ES, DS, FS as they must be for a system call: @sel; the slot of the
 *		run GDT that holds the same, truncated, and which way that is
 * @way_sel:	ES, DS, FS of each way as ring 3 loads them, or VMON_RES_NONE
 * @count:	system calls, returns to ring 3, returns to ring 0
 * @gdt:	the guest's descriptor table as it was shadowed for ring 3
 * @stack:	for what resident.S itself faults on
 */
struct vmon_resident {
	u32 armed, cpl, crossed, cs;
	u64 gate, kcs_desc, kss_desc;
	u32 gate_gva, kcs_gva, kss_gva, tss_gva;
	u32 kcs, kss;
	u32 gate_vif, gate_tc;
	u32 sysenter_tc, sysenter_esp;
	u32 ucs, uss;
	u32 gdt_gva, gdt_quads;
	u32 lut;
	u32 gs;
	u32 faulted, pad0;
	struct {
		u32 sel, slot, way;
	} entry[3];
	u32 way_sel[3][2];
	u32 pad1;
	u64 count[4];
	u64 gdt[VMON_RES_QUADS];
	u8 stack[PAGE_SIZE - 0xd0 - 8 * VMON_RES_QUADS];
};

/**
 * struct vmon_area - the monitor area
 * @guest_cr3:	root of the guest's shadow tables
 * @host_cr3:	to return to, with bit 63 set where PCIDs allow to keep the TLB
 * @guest_ldt:	LDTR while the guest runs: VMON_SEL_LDT, or 0 for none
 * @fill_rsb:	fill the return stack on exit, whatever the host does for itself
 * @clear_bhb:	overwrite the branch history on exit
 * @late:	VMON_LATE_*, set by handlers that came in a window of the switch
 * @frame:	guest registers; ends at a multiple of 16, as the CPU aligns RSP
 * @rsb_fills, @bhb_clears: how often that was done by @fill_rsb, @clear_bhb
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
	u16 clear_bhb;
	u16 pad0[3];
	struct vmon_table_reg run_gdtr, trans_gdtr, idtr, host_gdtr, host_idtr;
	u64 late;
	struct vmon_frame frame;
	u64 rsb_fills;
	u64 bhb_clears;
	struct vmon_tss tss;
	struct vmon_resident resident __aligned(PAGE_SIZE);
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
