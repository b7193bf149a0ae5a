// SPDX-License-Identifier: GPL-2.0
/* Segment registers: what can be loaded and what faults how, bases, limits,
 * expand-down, the LDT, and a 4 GiB segment used at negative offsets.
 */
#include "guest.h"

static u32 area[1024] __attribute__((aligned(4096)));
static u64 ldt[8];
static bool limits;	/* enforced here? TCG does not */

#define SEL(n)	(FREE_SEL + (n) * 8)

enum { SMALL, DOWN, NEGATIVE, BASED, ABSENT, READONLY, EXECUTE, CODE, LDT_SEL, UACCESS,
	KDATA, CONFORM };

#define LOAD(reg, sel) TRY("movl %0, %%" reg, : : "r"((u32)(sel)) : "memory")
#define ALL_REGS(sel, vec, err)						\
do {									\
	LOAD("es", sel); CHECK_FAULT(vec, err);				\
	LOAD("fs", sel); CHECK_FAULT(vec, err);				\
	LOAD("gs", sel); CHECK_FAULT(vec, err);				\
	TRY("pushl %0; 1: popl %%es; jmp 2f; 2:", : : "r"((u32)(sel)) : "memory"); \
	CHECK_EQ(caught.vector, vec);					\
	if (caught.count)						\
		asm volatile("addl $4, %%esp" : : : "memory");		\
} while (0)

static void restore(u32 ring)
{
	u32 ds = ring ? USER_DS : KERNEL_DS;

	asm volatile("movl %0, %%es; movl %0, %%fs; movl %0, %%gs" : : "r"(ds));
}

static u32 far_read(u16 sel, u32 off)
{
	u32 val = 0;

	asm volatile("movl %0, %%fs" : : "r"((u32)sel));
	TRY("movl %%fs:(%1), %0", : "=r"(val) : "r"(off), "0"(0) : "memory");
	return val;
}

static u32 loads(u32 ring)
{
	u32 val, rpl = ring;

	/* Null selectors load into data registers and fault at use. */
	for (u32 sel = 0; sel < 4; sel++) {
		LOAD("es", sel);
		CHECK_NO_FAULT();
		asm volatile("movl %%es, %0" : "=r"(val));
		CHECK_EQ(val, sel);
		TRY("movl %%es:(%1), %0", : "=r"(val) : "r"(area) : "memory");
		if (limits)
			CHECK_FAULT(GP, 0);
		LOAD("gs", sel);
		CHECK_NO_FAULT();
		TRY("movl %%gs:(%1), %0", : "=r"(val) : "r"(area) : "memory");
		if (limits)
			CHECK_FAULT(GP, 0);
		LOAD("ss", sel);
		CHECK_FAULT(GP, 0);
	}
	restore(ring);

	LOAD("es", SEL(ABSENT) | rpl);
	CHECK_FAULT(NP, SEL(ABSENT));
	LOAD("ss", SEL(ABSENT) | rpl);
	CHECK_FAULT(SS, SEL(ABSENT));
	LOAD("fs", SEL(EXECUTE) | rpl);
	CHECK_FAULT(GP, SEL(EXECUTE));
	LOAD("ss", SEL(CODE) | rpl);
	CHECK_FAULT(GP, SEL(CODE));
	LOAD("ss", SEL(READONLY) | rpl);
	CHECK_FAULT(GP, SEL(READONLY));
	LOAD("ss", SEL(BASED) | (rpl ^ 3));
	CHECK_FAULT(GP, SEL(BASED));
	LOAD("gs", TSS_SEL);
	CHECK_FAULT(GP, TSS_SEL);
	LOAD("gs", SEL(LDT_SEL));
	CHECK_FAULT(GP, SEL(LDT_SEL));
	LOAD("es", GDT_ENTRIES * 8);
	CHECK_FAULT(GP, GDT_ENTRIES * 8);
	LOAD("es", 0xfff8);
	CHECK_FAULT(GP, 0xfff8);
	LOAD("es", 0x1000 | 4 | rpl);		/* beyond the LDT */
	CHECK_FAULT(GP, 0x1004);
	LOAD("es", SEL(UACCESS) | rpl);		/* DPL 3: anybody's */
	CHECK_NO_FAULT();
	LOAD("es", SEL(KDATA) | rpl);
	if (ring)
		CHECK_FAULT(GP, SEL(KDATA));
	else
		CHECK_NO_FAULT();
	LOAD("es", SEL(KDATA) | 3);		/* RPL too weak, even at ring 0 */
	CHECK_FAULT(GP, SEL(KDATA));
	LOAD("es", SEL(CONFORM) | 3);		/* conforming code: no privilege check */
	CHECK_NO_FAULT();
	LOAD("es", SEL(CODE) | rpl);
	CHECK_NO_FAULT();
	asm volatile("movl %%es, %0" : "=r"(val));
	CHECK_EQ(val, SEL(CODE) | rpl);
	/* A failed load leaves the register alone. */
	LOAD("es", 0xfff8);
	asm volatile("movl %%es, %0" : "=r"(val));
	CHECK_EQ(val, SEL(CODE) | rpl);
	CHECK_EQ(far_read(SEL(READONLY) | rpl, 8), 0x1002);
	CHECK_NO_FAULT();
	TRY("movl %0, %%fs:8", : : "r"(1) : "memory");
	if (limits)
		CHECK_FAULT(GP, 0);
	TRY("movl %0, %%cs:(%1)", : : "r"(1), "r"(area + 100) : "memory");
	if (limits)
		CHECK_FAULT(GP, 0);
	restore(ring);
	area[2] = 0x1002;
	return ring;
}

static u32 bases(u32 ring)
{
	u32 val, neg = -4, i;

	/* fs: and gs: with bases. */
	asm volatile("movl %0, %%gs" : : "r"(SEL(BASED) | ring));
	asm volatile("movl %%gs:0, %0" : "=r"(val));
	CHECK_EQ(val, 0x1010);
	asm volatile("movl %%gs:20, %0" : "=r"(val));
	CHECK_EQ(val, 0x1015);
	asm volatile("movl %0, %%gs:24" : : "r"(0xabcd) : "memory");
	CHECK_EQ(area[22], 0xabcd);
	area[22] = 0x1016;
	for (i = 0; i < 10; i++) {
		asm volatile("movl %%gs:(,%1,4), %0" : "=r"(val) : "r"(i));
		CHECK_EQ(val, 0x1010 + i);
	}

	/* Thread-local storage as i386 has it: negative offsets wrap at 4 GiB. */
	asm volatile("movl %0, %%gs" : : "r"(SEL(NEGATIVE) | ring));
	asm volatile("movl %%gs:0, %0" : "=r"(val));
	CHECK_EQ(val, 0x1020);
	asm volatile("movl %%gs:(%1), %0" : "=r"(val) : "r"(neg));
	CHECK_EQ(val, 0x101f);
	asm volatile("movl %%gs:0xffffff80, %0" : "=r"(val));
	CHECK_EQ(val, 0x1000);
	asm volatile("movl %0, %%gs:0xfffffffc" : : "r"(77) : "memory");
	CHECK_EQ(area[31], 77);
	asm volatile("addl $3, %%gs:0xfffffffc" : : : "memory", "cc");
	CHECK_EQ(area[31], 80);
	area[31] = 0x101f;
	for (i = 0; i < 1000; i++) {
		asm volatile("movl %%gs:(%1), %0" : "=r"(val) : "r"(-(i % 32) * 4));
		if (val != 0x1020 - i % 32)
			CHECK_EQ(val, 0x1020 - i % 32);
	}

	/* The LDT: index 1. */
	asm volatile("movl %0, %%fs" : : "r"(8 | 4 | ring));
	asm volatile("movl %%fs:4, %0" : "=r"(val));
	CHECK_EQ(val, 0x1031);
	LOAD("fs", 3 * 8 | 4 | ring);
	CHECK_FAULT(NP, 3 * 8 | 4);

	/* LES and friends. */
	struct { u32 off; u16 sel; } __attribute__((packed)) ptr = { 12, SEL(BASED) | ring };

	asm volatile("les %1, %0; movl %%es:(%0), %0" : "=r"(val) : "m"(ptr));
	CHECK_EQ(val, 0x1013);
	asm volatile("lgs %1, %0; movl %%gs:(%0), %0" : "=r"(val) : "m"(ptr));
	CHECK_EQ(val, 0x1013);
	ptr.sel = 0xfff8;
	TRY("lfs %1, %0", : "=r"(val) : "m"(ptr), "0"(5) : "memory");
	CHECK_FAULT(GP, 0xfff8);
	CHECK_EQ(val, 5);
	restore(ring);

	/* A string instruction from one segment to another. */
	asm volatile("movl %0, %%es" : : "r"(SEL(BASED) | ring));
	u32 c = 4, from = (u32)area, to = 4 * 500;

	asm volatile("rep movsl" : "+c"(c), "+S"(from), "+D"(to) : : "memory", "cc");
	restore(ring);
	for (i = 0; i < 4; i++)
		CHECK_EQ(area[516 + i], 0x1000 + i);
	return ring;
}

static u32 at_limits(u32 ring)
{
	far_read(SEL(SMALL) | ring, 0x2f - 3);	/* limit 2fh */
	CHECK_NO_FAULT();
	CHECK_EQ(far_read(SEL(SMALL) | ring, 4), 0x1001);
	if (!limits)
		return ring;
	far_read(SEL(SMALL) | ring, 0x2f - 2);
	CHECK_FAULT(GP, 0);
	far_read(SEL(SMALL) | ring, 0x30);
	CHECK_FAULT(GP, 0);
	far_read(SEL(SMALL) | ring, 0xfffffffc);
	CHECK_FAULT(GP, 0);
	far_read(SEL(SMALL) | ring, 0xfffffffe);	/* wraps */
	CHECK_FAULT(GP, 0);
	TRY("movb $1, %%fs:0x30", : : : "memory");
	CHECK_FAULT(GP, 0);
	TRY("movb %%fs:0x2f, %%al", : : : "memory", "eax");
	CHECK_NO_FAULT();

	/* Expand-down: valid above the limit, FFFh, up to 4 GiB. */
	far_read(SEL(DOWN) | ring, 0xfff);
	CHECK_FAULT(GP, 0);
	CHECK_EQ(far_read(SEL(DOWN) | ring, 0x1000), 0x1000);
	CHECK_NO_FAULT();
	far_read(SEL(DOWN) | ring, 0);
	CHECK_FAULT(GP, 0);
	far_read(SEL(DOWN) | ring, 0xffe);
	CHECK_FAULT(GP, 0);

	/* Through the stack segment it is #SS. */
	TRY("movl %%esp, %%ecx; movl %0, %%ss; 1: nop; movl %1, %%ss; movl %%ecx, %%esp",
	    : : "r"(SEL(SMALL) | ring), "r"(ring ? USER_DS : KERNEL_DS) : "memory", "ecx");
	CHECK_NO_FAULT();
	restore(ring);
	return ring;
}

/* A ring-3 thread with a small stack segment: a push below its limit is #SS. */
static u32 stack_fault(u32 ring)
{
	(void)ring;
	TRY("movl %0, %%ss; movl %%ss:0x100, %%eax", : : "r"(SEL(SMALL) | 3) : "memory", "eax");
	/* After the fault the old stack is back: trap() returned there with our ss. */
	asm volatile("movl %0, %%ss" : : "r"(USER_DS));
	CHECK_EQ(caught.vector, SS);
	CHECK_EQ(caught.error, 0);
	CHECK_EQ(caught.ss, SEL(SMALL) | 3);
	return 0;
}

static u32 probe(u32 ring)
{
	far_read(SEL(SMALL) | ring, 0x40);
	limits = caught.count;
	restore(ring);
	return 0;
}

static void set(u32 n, u32 base, u32 limit, u32 attr)
{
	gdt[SEL(n) / 8] = segment(base, limit, attr);
}

static void fill(u32 dpl)
{
	u32 data = SEG_B32 | SEG_P | SEG_DPL(dpl) | SEG_DATA;
	u32 code = SEG_B32 | SEG_P | SEG_DPL(dpl) | SEG_CODE;
	u32 base = (u32)area;

	set(SMALL, base, 0x2f, data);
	set(DOWN, base - 0x1000, 0, data | SEG_G | SEG_DOWN);
	set(NEGATIVE, base + 0x80, 0xfffff, data | SEG_G);
	set(BASED, base + 0x40, 0xfffff, data | SEG_G);
	set(ABSENT, base, 0xfff, data & ~SEG_P);
	set(READONLY, base, 0xfff, data & ~2);
	set(EXECUTE, 0, 0xfffff, (code & ~2) | SEG_G);
	set(CODE, 0, 0xfffff, code | SEG_G);
	set(LDT_SEL, (u32)ldt, sizeof(ldt) - 1, SEG_P | SEG_LDT);
	set(UACCESS, 0, 0xfffff, SEG_B32 | SEG_P | SEG_DPL(3) | SEG_DATA | SEG_G);
	set(KDATA, 0, 0xfffff, SEG_B32 | SEG_P | SEG_DATA | SEG_G);
	set(CONFORM, 0, 0xfffff, SEG_B32 | SEG_P | SEG_CODE | SEG_CONFORM | SEG_G);
	ldt[1] = segment(base + 0xc0, 0xfffff, data | SEG_G);
	ldt[2] = segment(0, 0xfffff, code | SEG_G);
	ldt[3] = segment(0, 0xfffff, (data | SEG_G) & ~SEG_P);
}

void guest_main(void)
{
	u32 i, val;

	for (i = 0; i < ARRAY_SIZE(area); i++)
		area[i] = 0x1000 + i;
	for (u32 dpl = 0; dpl <= 3; dpl += 3) {
		fill(dpl);
		asm volatile("lldt %w0" : : "r"(SEL(LDT_SEL)));
		asm volatile("sldt %0" : "=r"(val));
		CHECK_EQ(val & 0xffff, SEL(LDT_SEL));
		if (dpl) {
			user_call(probe, 3);
			user_call(loads, 3);
			user_call(bases, 3);
			user_call(at_limits, 3);
			if (limits)
				user_call(stack_fault, 3);
		} else {
			probe(0);
			loads(0);
			bases(0);
			at_limits(0);
		}
		if (!limits)
			skip(dpl ? "limits are not enforced at ring 3" :
			     "limits are not enforced at ring 0");
	}

	/* Loading sets the accessed bit in the table. */
	set(UACCESS, 0, 0xfffff, (SEG_B32 | SEG_P | SEG_DATA | SEG_G) & ~1u);
	CHECK_EQ((u32)(gdt[SEL(UACCESS) / 8] >> 40) & 1, 0);
	asm volatile("movl %0, %%es" : : "r"(SEL(UACCESS)));
	CHECK_EQ((u32)(gdt[SEL(UACCESS) / 8] >> 40) & 1, 1);
	/* A changed descriptor counts from the next load on. */
	set(BASED, (u32)area, 0xfffff, SEG_G | SEG_B32 | SEG_P | SEG_DATA);
	asm volatile("movl %0, %%fs" : : "r"(SEL(BASED)));
	set(BASED, (u32)area + 16, 0xfffff, SEG_G | SEG_B32 | SEG_P | SEG_DATA);
	asm volatile("movl %%fs:0, %0" : "=r"(val) : : "memory");
	CHECK_EQ(val, 0x1000);
	asm volatile("movl %1, %%fs; movl %%fs:0, %0" : "=r"(val) : "r"(SEL(BASED)) : "memory");
	CHECK_EQ(val, 0x1004);
	restore(0);

	TRY("lldt %w0", : : "r"(KERNEL_DS) : "memory");
	CHECK_FAULT(GP, KERNEL_DS);
	TRY("ltr %w0", : : "r"(TSS_SEL) : "memory");	/* busy */
	CHECK_FAULT(GP, TSS_SEL);
	if (!on_tcg()) {
		TRY("ltr %w0", : : "r"(0) : "memory");
		CHECK_FAULT(GP, 0);
	}
	asm volatile("lldt %w0" : : "r"(0));
}
