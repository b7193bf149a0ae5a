/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The test guests' library: a 32-bit machine without an operating system.
 *
 * A test defines guest_main(). It finds a flat GDT, an IDT whose 256 gates lead to
 * trap(), a TSS, interrupts off and masked, paging off. CHECK() and CHECK_EQ()
 * report and go on; the guest ends with status 0 if all held (enum status).
 *
 * An instruction that is to fault stands in TRY(): the trap is kept in `caught`, and
 * execution goes on behind the instruction with all other registers as they were.
 */
#ifndef GUEST_H
#define GUEST_H

#include "selectors.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef _Bool bool;

#define true	1
#define false	0
#define NULL	((void *)0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE	4096u

/* How a guest ends: the value written to port F4h. None of vmonctl's own. */
enum status {
	STATUS_PASS = 0,
	STATUS_FAIL = 0x21,	/* a check did not hold */
	STATUS_TRAP = 0x22,	/* a trap that nobody expected */
	STATUS_SKIP = 0x24,	/* passed, but a part could not be tried here */
};

/* Exceptions. */
enum {
	DE = 0, DB = 1, NMI = 2, BP = 3, OF = 4, BR = 5, UD = 6, NM = 7, DF = 8,
	TS = 10, NP = 11, SS = 12, GP = 13, PF = 14, MF = 16, AC = 17, XM = 19,
};

#define IRQ_BASE	0x20

/* EFLAGS. */
#define FL_CF	0x00000001u
#define FL_FIXED 0x00000002u
#define FL_PF	0x00000004u
#define FL_AF	0x00000010u
#define FL_ZF	0x00000040u
#define FL_SF	0x00000080u
#define FL_TF	0x00000100u
#define FL_IF	0x00000200u
#define FL_DF	0x00000400u
#define FL_OF	0x00000800u
#define FL_IOPL	0x00003000u
#define FL_NT	0x00004000u
#define FL_RF	0x00010000u
#define FL_VM	0x00020000u
#define FL_AC	0x00040000u
#define FL_ID	0x00200000u
#define FL_ARITH (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

#define CR0_PE	0x00000001u
#define CR0_MP	0x00000002u
#define CR0_EM	0x00000004u
#define CR0_TS	0x00000008u
#define CR0_ET	0x00000010u
#define CR0_NE	0x00000020u
#define CR0_WP	0x00010000u
#define CR0_AM	0x00040000u
#define CR0_PG	0x80000000u
#define CR4_PSE	0x00000010u
#define CR4_PAE	0x00000020u
#define CR4_PGE	0x00000080u
#define CR4_OSFXSR 0x00000200u
#define CR4_OSXMMEXCPT 0x00000400u

#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_EFER		0xc0000080
#define EFER_NX			0x800

/* --- ports, registers --- */

static inline void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a"(val), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	asm volatile("inb %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

#define DEFINE_CR(n)							\
static inline u32 read_cr##n(void)					\
{									\
	u32 val;							\
									\
	asm volatile("mov %%cr" #n ", %0" : "=r"(val) : : "memory");	\
	return val;							\
}									\
static inline void write_cr##n(u32 val)					\
{									\
	asm volatile("mov %0, %%cr" #n : : "r"(val) : "memory");	\
}

DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)

static inline u32 read_flags(void)
{
	u32 val;

	asm volatile("pushfl; popl %0" : "=r"(val) : : "memory");
	return val;
}

static inline void write_flags(u32 val)
{
	asm volatile("pushl %0; popfl" : : "r"(val) : "memory", "cc");
}

static inline void cli(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	asm volatile("sti" : : : "memory");
}

static inline u64 rdtsc(void)
{
	u64 val;

	asm volatile("rdtsc" : "=A"(val));
	return val;
}

static inline u64 rdmsr(u32 msr)
{
	u64 val;

	asm volatile("rdmsr" : "=A"(val) : "c"(msr));
	return val;
}

static inline void wrmsr(u32 msr, u64 val)
{
	asm volatile("wrmsr" : : "A"(val), "c"(msr) : "memory");
}

static inline void cpuid(u32 leaf, u32 out[4])
{
	asm volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
		     : "a"(leaf), "c"(0));
}

/* QEMU's own translator, which gets some corner cases wrong; and vmon. */
bool on_tcg(void);
bool on_vmon(void);

static inline void invlpg(u32 addr)
{
	asm volatile("invlpg (%0)" : : "r"(addr) : "memory");
}

static inline u32 peek(u32 addr)
{
	return *(volatile u32 *)addr;
}

static inline void poke(u32 addr, u32 val)
{
	*(volatile u32 *)addr = val;
}

/* --- output and verdict (report.c) --- */

void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void check(bool ok, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void skip(const char *why);
void finish(enum status status) __attribute__((noreturn));

#define CHECK(cond) check((cond), __FILE__, __LINE__, "%s", #cond)
#define CHECK_EQ(have, want)						\
({									\
	u32 have_ = (u32)(have), want_ = (u32)(want);			\
									\
	check(have_ == want_, __FILE__, __LINE__, "%s is %x, not %x",	\
	      #have, have_, want_);					\
})

void *memset(void *p, int c, unsigned long n);
void *memcpy(void *to, const void *from, unsigned long n);
int memcmp(const void *a, const void *b, unsigned long n);

/* --- descriptor tables (tables.c) --- */

struct frame {
	u32 gs, fs, es, ds;
	u32 edi, esi, ebp, esp_, ebx, edx, ecx, eax;
	u32 vector, error, eip, cs, eflags;
	u32 esp, ss;		/* only from an outer ring */
};

struct dtr {
	u16 limit;
	u32 base;
} __attribute__((packed));

struct tss {
	u16 link, pad0;
	u32 esp0;
	u16 ss0, pad1;
	u32 esp1;
	u16 ss1, pad2;
	u32 esp2;
	u16 ss2, pad3;
	u32 cr3, eip, eflags, gpr[8];
	u32 seg[6];
	u32 ldt;
	u16 trap, iomap;
	u8 map[8192 + 1];
};

/* Descriptor bits 40-47 and 52-55, as one number for segment(). */
#define SEG_P		0x0080
#define SEG_DPL(n)	((n) << 5)
#define SEG_CODE	0x001b	/* S, code, readable, accessed */
#define SEG_DATA	0x0013	/* S, data, writable, accessed */
#define SEG_CONFORM	0x0004
#define SEG_DOWN	0x0004
#define SEG_LDT		0x0002
#define SEG_TSS		0x0009
#define SEG_B32		0x4000
#define SEG_G		0x8000

extern u64 gdt[GDT_ENTRIES];
extern u64 idt[256];
extern struct tss tss;

void tables_setup(void);
u64 segment(u32 base, u32 limit, u32 attr);	/* limit as in the descriptor */
u64 gate(u16 sel, u32 offset, u32 attr);
#define GATE_TRAP	0x0f
#define GATE_INT	0x0e
#define GATE_CALL	0x0c
#define GATE_TASK	0x05
void set_gate(u32 vector, void (*handler)(void), u32 type, u32 dpl);
void stub_gate(u32 vector, u32 type, u32 dpl);	/* to trap() */

/* --- traps (trap.c) --- */

struct caught {
	u32 count;		/* traps since try_begin() */
	u32 vector, error, eip, cs, eflags, esp, ss, cr2;
	u32 eax, ecx, edx, ebx, ebp, esi, edi;
};

extern struct caught caught;
extern volatile u32 try_start, try_end, try_resume;
extern void (*trap_hook[256])(struct frame *f);

/* %% before registers; operands follow as in asm(): TRY("mov %0, %%ds", : : "r"(x)) */
#define TRY(insn, ...)							\
do {									\
	caught.count = 0;						\
	caught.vector = ~0u;						\
	asm volatile("movl $990f, try_start\n\t"			\
		     "movl $991f, try_end\n\t"				\
		     "movl $991f, try_resume\n"				\
		     "990:	" insn "\n"				\
		     "991:	movl $0, try_resume" __VA_ARGS__);	\
} while (0)

#define TRY_PLAIN(insn) TRY(insn, : : : "memory", "cc", "eax", "ecx", "edx")

/* A fault: points at the instruction. A trap: points behind it. */
#define CHECK_FAULT(vec, err)						\
	check(caught.count == 1 && caught.vector == (vec) &&		\
	      caught.error == (u32)(err) && caught.eip == try_start,	\
	      __FILE__, __LINE__,					\
	      "fault: %u times, vector %d error %x eip start%+d; not vector %d error %x at start", \
	      caught.count, (int)caught.vector, caught.error,		\
	      (int)(caught.eip - try_start), (int)(vec), (u32)(err))
#define CHECK_PF(err, addr)						\
do {									\
	CHECK_FAULT(PF, err);						\
	if (caught.vector == PF)					\
		CHECK_EQ(caught.cr2, addr);				\
} while (0)
#define CHECK_TRAP(vec)							\
	check(caught.count == 1 && caught.vector == (vec) && !caught.error && \
	      caught.eip == try_end, __FILE__, __LINE__,		\
	      "trap: %u times, last vector %d error %x eip end%+d; not vector %d at end", \
	      caught.count, (int)caught.vector, caught.error,		\
	      (int)(caught.eip - try_end), (int)(vec))
#define CHECK_NO_FAULT()						\
	check(!caught.count, __FILE__, __LINE__,			\
	      "no fault expected: vector %d error %x eip start%+d cr2 %x", \
	      (int)caught.vector, caught.error, (int)(caught.eip - try_start), caught.cr2)

/* --- ring 3 (start.S) --- */

extern u32 user_eflags;
u32 user_call(u32 (*fn)(u32 arg), u32 arg);

static inline bool at_ring3(void)
{
	u16 cs;

	asm volatile("movw %%cs, %0" : "=r"(cs));
	return (cs & 3) == 3;
}

/*
 * Does the CPU enforce segment limits at ring 0? TCG does not, so that vmon's translated
 * code reaches the monitor page where it means the guest's top page.
 */
bool limits_enforced(void);

/* --- interrupts and time (irq.c) --- */

void pic_setup(void);		/* vectors from IRQ_BASE on, all masked */
void pic_mask(u16 mask);
void pic_eoi(u32 irq);
void pit_periodic(u16 count);
void pit_oneshot(u16 count);
u16 pit_count(void);

/* --- paging (paging.c) --- */

#define PTE_P	0x001u
#define PTE_W	0x002u
#define PTE_U	0x004u
#define PTE_A	0x020u
#define PTE_D	0x040u
#define PTE_PS	0x080u
#define PTE_G	0x100u
#define PTE_ALL	(PTE_P | PTE_W | PTE_U)
#define PTE_NX	0x8000000000000000ull

#define PF_P	1u	/* error code */
#define PF_W	2u
#define PF_U	4u
#define PF_RSVD	8u
#define PF_I	16u
#define PF_RSVD_P (on_tcg() ? PF_RSVD : PF_RSVD | PF_P)	/* TCG forgets P */

struct space {
	bool pae;
	u32 root;
};

u32 page_alloc(void);		/* a zeroed page; never freed */
u32 large_alloc(void);		/* 4 MiB aligned, 4 MiB; paging off needs no map */
/* The identity map of 16 MiB by 4 KiB pages, PTE_ALL. */
struct space space_new(bool pae);
u64 pte_get(struct space *s, u32 va);
void pte_set(struct space *s, u32 va, u64 entry);	/* makes the table; no INVLPG */
u64 pde_get(struct space *s, u32 va);
void pde_set(struct space *s, u32 va, u64 entry);
u32 pte_addr(struct space *s, u32 va);	/* physical address of the entry, 0: no table */
u32 pde_addr(struct space *s, u32 va);
void paging_on(struct space *s);
void paging_off(void);

void guest_main(void);

#endif
