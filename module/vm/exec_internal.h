/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files exec*.c share: the state that a vCPU needs to run guest code.
 */
#ifndef VMON_VM_EXEC_INTERNAL_H
#define VMON_VM_EXEC_INTERNAL_H

#include "emulator/emulate.h"
#include "mmu/shadow.h"
#include "mmu/walk.h"
#include "segments/cache.h"
#include "segments/segments.h"
#include "switch/monitor_page.h"
#include "switch/selfcheck.h"
#include "switch/switch.h"
#include "translator/translate.h"
#include "vm/exec.h"
#include "vm/vm.h"

#define VMON_TC_SIZE	(8u << 20)	/* translation cache, bytes */
#define VMON_TC_OWN	(VMON_TC_SIZE - PAGE_SIZE)	/* its end: see exec_fpu.c */
#define VMON_TC_TABLES	(VMON_TC_SIZE >> 21)

#define VMON_TLB_SLOTS	64

/* A translation that the emulator used: linear page to host memory. */
struct vmon_tlb_entry {
	u32 tag;		/* gva >> 12 */
	u32 generation;		/* valid while it is that of struct vmon_exec */
	u32 entry;		/* likewise; 0: its tables are traced, at any entry */
	u32 gfn;
	u8 *host;
};

#define VMON_CODE_SLOTS	4096	/* power of two */
#define VMON_CODE_TABLES 256	/* power of two */
#define VMON_CODE_REGIONS 64

/* A linear page that translated code was fetched from, by the PTE that maps it. */
struct vmon_code_page {
	u64 pte;		/* gpa of the entry; 0: free */
	u32 gva;
};

/* 4 MiB of linear space that code was fetched from, and its directory entries. */
struct vmon_code_region {
	u32 gva;
	u64 pde[2];
};

/**
 * struct vmon_exec_resident - what switch/resident.S is prepared for
 * @user:	ring 3 was run directly, with the selectors @sel
 * @stale:	something that was prepared has been found different
 * @gdtr, @idtr, @tss, @sysenter: of the guest when it was prepared
 * @generation:	of the translator, when it gave the entry points
 * @ready:	VMON_RES_*
 * @cs, @ss:	the guest kernel's, behind the gate and behind SYSENTER
 */
struct vmon_exec_resident {
	bool user, stale;
	u16 sel[VMON_NR_SREGS];
	struct vmon_dtr gdtr, idtr;
	u32 tss, sysenter[3];
	u32 generation;
	u32 ready;
	struct vmon_seg cs, ss;
};

#define VMON_DECODED_SLOTS 128	/* power of two */

/* The words of struct vmon_cpu that segments and entry points are prepared from. */
#define VMON_AGAIN_FROM	offsetof(struct vmon_cpu, seg)
#define VMON_AGAIN_WORDS ((offsetofend(struct vmon_cpu, cr0) - VMON_AGAIN_FROM) / sizeof(u64))

static_assert(!(VMON_AGAIN_FROM % sizeof(u64)));
static_assert(!(offsetofend(struct vmon_cpu, cr0) % sizeof(u64)));

/**
 * struct vmon_exec_again - what the last entry to translated code leaves for the next one
 * @valid:	nothing has been prepared otherwise since
 * @cpu:	the guest's registers that it was prepared from
 * @dr7, @generation: of the guest, and of the translator
 * @sel:	ES, DS, FS: the selectors to load
 * @eip, @tc:	translated code for a guest address, as of @tc_generation
 * @decoded:	instructions of callouts, by their place in the cache, as of a generation
 */
struct vmon_exec_again {
	bool valid;
	u64 cpu[VMON_AGAIN_WORDS];
	u32 dr7;
	u32 generation;
	u16 sel[VMON_NR_SREGS];
	u32 eip, tc, tc_generation;
	struct {
		u32 site;
		u32 generation;
		struct vmon_insn insn;
	} decoded[VMON_DECODED_SLOTS];
};

/**
 * struct vmon_exec - execution state of a vCPU
 * @world:	what the CPU loads
 * @mpage:	the monitor page
 * @mmu:	shadow tables; made at the first run, when memory is known
 * @max_gfn:	what @mmu was made for
 * @bt, @tc:	translator and its cache
 * @tc_tables:	last-level tables of the window
 * @window:	guest linear address of the cache
 * @emu:	the emulator, bound to vcpu->cpu
 * @user_tables: shadows of the guest's GDT and LDT
 * @seg_cache:	segments that translated code may load by itself
 * @resident:	events that need no exit
 * @again:	what need not be prepared a second time
 * @tlb:	the emulator's translations, by access
 * @tlb_generation: changes when they all become invalid
 * @tlb_entry:	changes at every entry to the guest, which may change tables that are not traced
 * @untraced:	of the shadow, at the last entry
 * @fpu_on:	the guest uses the FPU: its state is loaded at entries
 * @fpu_before:	what an FPU instruction that the emulator met started from
 * @site:	place in the cache of the translated instruction that has ended the run; 0: none,
 *		or it has been invalidated
 * @stepping:	single-stepping to the end of a translated instruction
 * @retry:	the emulator must be called again before anything else
 * @cr2:	of the last page fault
 * @dr7:	breakpoints while the guest runs; @hits: those on data that it has met
 * @code_tables: entries of @code by the frame of their table, hashed
 * @code, @region: where translated code came from
 * @no_memory:	a page of guest memory could not be had: the VM must stop
 * @selfcheck:	compares what is the monitor's, in tests; else NULL
 * @code_full:	no room in these: translated code must be dropped
 */
struct vmon_exec {
	struct vmon_vcpu *vcpu;
	struct vmon_world world;
	struct vmon_mpage *mpage;
	struct vmon_mmu *mmu;
	u32 max_gfn;
	struct vmon_bt *bt;
	void *tc;
	u64 *tc_tables[VMON_TC_TABLES];
	u32 window;
	struct vmon_emu emu;
	struct vmon_user_tables user_tables;
	struct vmon_seg_cache seg_cache;
	struct vmon_exec_resident resident;
	struct vmon_exec_again again;
	struct vmon_tlb_entry tlb[8][VMON_TLB_SLOTS];
	u32 tlb_generation, tlb_entry;
	u32 untraced;
	struct vmon_fpu fpu_before;
	bool fpu_on;
	bool retry;
	bool stepping;
	u32 cr2;
	u32 site;
	u32 dr7, hits;
	bool code_full;
	bool no_memory;
	struct vmon_selfcheck *selfcheck;
	struct vmon_code_page code[VMON_CODE_SLOTS];
	struct vmon_code_region region[VMON_CODE_REGIONS];
	u16 code_tables[VMON_CODE_TABLES];
	unsigned int nr_regions;
	unsigned int nr_code;
};

/* exec_mem.c: guest memory, as walker, emulator, shadow and translator see it */
extern const struct vmon_phys_ops vmon_exec_phys_ops;
extern const struct vmon_mmu_ops vmon_exec_mmu_ops;
void vmon_exec_flush_tlb(struct vmon_exec *x);
void vmon_exec_enter_tlb(struct vmon_exec *x);
void vmon_exec_written(struct vmon_exec *x, u64 gpa, unsigned int len);
int vmon_exec_mem_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
		       unsigned int acc);
int vmon_exec_mem_write(struct vmon_emu *e, u32 gva, const void *buf,
			unsigned int len, unsigned int acc);
void vmon_exec_untrace(struct vmon_exec *x, u32 gva);
int vmon_exec_read_system(void *priv, u32 gva, void *buf, unsigned int len);
void *vmon_exec_frame(struct vmon_exec *x, u32 gfn);

/* exec_code.c: which code was translated from where */
extern const struct vmon_bt_ops vmon_exec_bt_ops;
void vmon_exec_code_root(struct vmon_exec *x);
void vmon_exec_code_table_written(struct vmon_exec *x, u64 gpa, unsigned int len);
void vmon_exec_code_flush(struct vmon_exec *x);
int vmon_exec_place_window(struct vmon_exec *x);
enum vmon_run vmon_exec_tables(struct vmon_exec *x, bool *again);

/* exec_emu.c: emulation and delivery */
extern const struct vmon_emu_ops vmon_exec_emu_ops;

/**
 * enum vmon_why - why an instruction is emulated
 * @VMON_WHY_MODE:	neither direct execution nor translation can, or the CPU raised
 *			an exception for it: true, or by a cut segment
 * @VMON_WHY_UD:	the CPU raised #UD
 * @VMON_WHY_TRACE:	page fault on a traced frame or device memory
 */
enum vmon_why {
	VMON_WHY_MODE,
	VMON_WHY_UD,
	VMON_WHY_TRACE,
};

enum vmon_run vmon_exec_emulate(struct vmon_exec *x, enum vmon_why why);
enum vmon_run vmon_exec_emulate_site(struct vmon_exec *x, enum vmon_why why);
enum vmon_run vmon_exec_inject(struct vmon_exec *x, const struct vmon_emu_exc *exc);
enum vmon_run vmon_exec_error(struct vmon_exec *x, const char *what);

/* exec_breakpoint.c: hardware breakpoints */
u32 vmon_exec_dr7(const struct vmon_exec *x);
bool vmon_exec_break_kernel(const struct vmon_exec *x);

/* exec_again.c: what need not be done a second time */
bool vmon_exec_same(const struct vmon_exec *x);
void vmon_exec_keep(struct vmon_exec *x, const u16 sel[VMON_NR_SREGS]);
void vmon_exec_found(struct vmon_exec *x, u32 eip, u32 tc, u32 generation);
void vmon_exec_lost(struct vmon_exec *x);
bool vmon_exec_find(const struct vmon_exec *x, u32 eip, u32 *tc);
const struct vmon_insn *vmon_exec_decoded(const struct vmon_exec *x, u32 site);
void vmon_exec_keep_decoded(struct vmon_exec *x, u32 site, u32 generation);

/* exec_resident.c: events that are served without an exit */
void vmon_exec_resident_prepare(struct vmon_exec *x);
void vmon_exec_resident_arm(struct vmon_exec *x);
void vmon_exec_resident_rearm(struct vmon_exec *x);
void vmon_exec_resident_user(struct vmon_exec *x);
void vmon_exec_resident_entered(struct vmon_exec *x);

/* exec_enter.c: entering the guest */
enum vmon_run vmon_exec_user(struct vmon_exec *x);
enum vmon_run vmon_exec_kernel(struct vmon_exec *x);
unsigned int vmon_exec_own(struct vmon_exec *x, u32 tc);

/* exec_fpu.c: FPU instructions that the emulator meets */
enum vmon_run vmon_exec_fpu(struct vmon_exec *x, int *result);

#endif /* VMON_VM_EXEC_INTERNAL_H */
