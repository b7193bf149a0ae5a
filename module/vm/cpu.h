/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The architectural state of a guest CPU, as the guest is entitled to see it.
 *
 * Everything that executes guest code (direct execution, translator, emulator)
 * starts from this structure and ends in it. It holds guest values only: what
 * the real CPU holds meanwhile (ring 1, shadow tables, truncated segments) is
 * the business of module/switch and module/segments.
 *
 * Pure: compiles in the kernel and in userspace.
 */
#ifndef VMON_VM_CPU_H
#define VMON_VM_CPU_H

#include <linux/types.h>

enum vmon_gpr {
	VMON_EAX, VMON_ECX, VMON_EDX, VMON_EBX,
	VMON_ESP, VMON_EBP, VMON_ESI, VMON_EDI,
	VMON_NR_GPRS,
};

/* The order of the instruction encodings (SDM vol. 2, table B-8). */
enum vmon_sreg {
	VMON_ES, VMON_CS, VMON_SS, VMON_DS, VMON_FS, VMON_GS,
	VMON_NR_SREGS,
	VMON_LDTR = VMON_NR_SREGS, VMON_TR,
	VMON_NR_SEGS,
};

/* EFLAGS, SDM vol. 1, 3.4.3. */
#define VMON_FL_CF	0x00000001u
#define VMON_FL_FIXED	0x00000002u
#define VMON_FL_PF	0x00000004u
#define VMON_FL_AF	0x00000010u
#define VMON_FL_ZF	0x00000040u
#define VMON_FL_SF	0x00000080u
#define VMON_FL_TF	0x00000100u
#define VMON_FL_IF	0x00000200u
#define VMON_FL_DF	0x00000400u
#define VMON_FL_OF	0x00000800u
#define VMON_FL_IOPL	0x00003000u
#define VMON_FL_NT	0x00004000u
#define VMON_FL_RF	0x00010000u
#define VMON_FL_VM	0x00020000u
#define VMON_FL_AC	0x00040000u
#define VMON_FL_VIF	0x00080000u
#define VMON_FL_VIP	0x00100000u
#define VMON_FL_ID	0x00200000u
#define VMON_FL_ARITH	(VMON_FL_CF | VMON_FL_PF | VMON_FL_AF | VMON_FL_ZF | \
			 VMON_FL_SF | VMON_FL_OF)

/* Control registers, SDM vol. 3, 2.5. */
#define VMON_CR0_PE	0x00000001u
#define VMON_CR0_MP	0x00000002u
#define VMON_CR0_EM	0x00000004u
#define VMON_CR0_TS	0x00000008u
#define VMON_CR0_ET	0x00000010u
#define VMON_CR0_NE	0x00000020u
#define VMON_CR0_WP	0x00010000u
#define VMON_CR0_AM	0x00040000u
#define VMON_CR0_NW	0x20000000u
#define VMON_CR0_CD	0x40000000u
#define VMON_CR0_PG	0x80000000u
#define VMON_CR0_DEFINED (VMON_CR0_PE | VMON_CR0_MP | VMON_CR0_EM | VMON_CR0_TS | \
			  VMON_CR0_ET | VMON_CR0_NE | VMON_CR0_WP | VMON_CR0_AM | \
			  VMON_CR0_NW | VMON_CR0_CD | VMON_CR0_PG)
#define VMON_CR4_VME	0x00000001u
#define VMON_CR4_PVI	0x00000002u
#define VMON_CR4_TSD	0x00000004u
#define VMON_CR4_DE	0x00000008u
#define VMON_CR4_PSE	0x00000010u
#define VMON_CR4_PAE	0x00000020u
#define VMON_CR4_MCE	0x00000040u
#define VMON_CR4_PGE	0x00000080u
#define VMON_CR4_PCE	0x00000100u
#define VMON_CR4_OSFXSR	0x00000200u
#define VMON_CR4_OSXMMEXCPT 0x00000400u

/* What the guest may set: the features that CPUID shows it. */
#define VMON_CR4_GUEST	(VMON_CR4_TSD | VMON_CR4_DE | VMON_CR4_PSE | \
			 VMON_CR4_PAE | VMON_CR4_PGE | VMON_CR4_OSFXSR | \
			 VMON_CR4_OSXMMEXCPT | VMON_CR4_PCE)

#define VMON_DR7_ENABLED	0xffu	/* any breakpoint, SDM vol. 3, 17.2.4 */
#define VMON_DR6_HITS	0x0fu
#define VMON_DR6_BS	0x4000u

#define VMON_EFER_NX	0x0800ull

/* Exceptions, SDM vol. 3, table 6-1. */
enum vmon_exception {
	VMON_EXC_DE = 0, VMON_EXC_DB = 1, VMON_EXC_NMI = 2, VMON_EXC_BP = 3,
	VMON_EXC_OF = 4, VMON_EXC_BR = 5, VMON_EXC_UD = 6, VMON_EXC_NM = 7,
	VMON_EXC_DF = 8, VMON_EXC_TS = 10, VMON_EXC_NP = 11, VMON_EXC_SS = 12,
	VMON_EXC_GP = 13, VMON_EXC_PF = 14, VMON_EXC_MF = 16, VMON_EXC_AC = 17,
	VMON_EXC_MC = 18, VMON_EXC_XM = 19,
};

/* Page-fault error code, SDM vol. 3, 4.7. */
#define VMON_PF_P	0x01u
#define VMON_PF_W	0x02u
#define VMON_PF_U	0x04u
#define VMON_PF_RSVD	0x08u
#define VMON_PF_I	0x10u

/*
 * A segment register with its hidden part. attr holds bits 8..23 of the
 * descriptor's high dword, the limit nibble cleared (so: bits 0-3 type, 4 S,
 * 5-6 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G). limit is in bytes, inclusive,
 * already scaled by G. A null or unusable segment has VMON_SEG_P clear.
 */
struct vmon_seg {
	u32 base;
	u32 limit;
	u16 sel;
	u16 attr;
};

#define VMON_SEG_TYPE	0x000fu
#define VMON_SEG_A	0x0001u	/* accessed */
#define VMON_SEG_RW	0x0002u	/* data: writable; code: readable */
#define VMON_SEG_EC	0x0004u	/* data: expand-down; code: conforming */
#define VMON_SEG_CODE	0x0008u
#define VMON_SEG_S	0x0010u	/* code or data, not system */
#define VMON_SEG_DPL	0x0060u
#define VMON_SEG_P	0x0080u
#define VMON_SEG_AVL	0x1000u
#define VMON_SEG_L	0x2000u
#define VMON_SEG_DB	0x4000u
#define VMON_SEG_G	0x8000u
#define vmon_seg_dpl(s)	(((s)->attr >> 5) & 3)

struct vmon_dtr {
	u32 base;
	u16 limit;
};

/* FXSAVE image, SDM vol. 1, 10.5.1. */
struct vmon_fpu {
	u8 fxsave[512];
} __aligned(16);

/**
 * struct vmon_cpu - guest CPU state
 * @gpr:	general registers, indexed by enum vmon_gpr
 * @eip:	offset into CS
 * @eflags:	the guest's flags; bit 1 always set
 * @seg:	segment registers, LDTR and TR, with hidden parts; what follows up to and with
 *		@cr0 is compared as a whole by vm/exec_again.c
 * @pdptr:	the four page-directory-pointer entries that PAE paging loaded
 *		with CR3 (SDM vol. 3, 4.4.1)
 * @cpl:	current privilege level: 0 in real mode, 3 in virtual-8086 mode
 * @shadow:	one-instruction inhibition after STI (1) or a load of SS (2)
 * @halted:	HLT executed, waiting for an interrupt
 * @shutdown:	triple fault
 * @fpu:	x87/MMX/SSE state while it is not in the real registers
 */
struct vmon_cpu {
	u32 gpr[VMON_NR_GPRS];
	u32 eip;
	u32 eflags;
	struct vmon_seg seg[VMON_NR_SEGS];
	struct vmon_dtr gdtr, idtr;
	u32 sysenter_cs, sysenter_esp, sysenter_eip;
	u32 cr0, cr2, cr3, cr4;
	u32 dr[8];
	u64 pdptr[4];
	u64 efer;
	u64 tsc_offset;
	u64 apic_base;
	u64 pat;
	u64 misc_enable;
	u64 arch_capabilities;
	u8 cpl;
	u8 shadow;
	bool halted;
	bool shutdown;
	struct vmon_fpu fpu;
};

#define VMON_SHADOW_STI	1
#define VMON_SHADOW_SS	2

/* Processor state after RESET, SDM vol. 3, table 9-1. */
void vmon_cpu_reset(struct vmon_cpu *cpu);

#endif /* VMON_VM_CPU_H */
