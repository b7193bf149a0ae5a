// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions of every other kind with their memory operand in the last page: arithmetic,
 * locked and wide accesses, bit strings far from their base, far pointers, descriptor table
 * registers, operands without ModRM.
 */
#include "attempt.h"

#define OPERAND	(TOP + 0x640)

enum { R = 1, W = 2, RW = 3 };

static const struct mapping *mapping;
static u32 ring;

/*
 * The operand is at (%edi), at first a far pointer to the data page in a segment that the ring
 * may load.
 */
static bool prepare(const char *name)
{
	if (!begin(ring, "%s %s", name, mapping->name))
		return false;
	top_is(mapping->bits);
	poke(top_frame + 0x640, data_page);
	poke(top_frame + 0x644, ring ? USER_DS : KERNEL_DS);
	at.in.edi = OPERAND;
	at.in.eax = 0x00000003;
	at.in.edx = 0;
	return true;
}

static void verdict(u32 access)
{
	int error = access_fault(ring, mapping->bits, access & W);

	if (error >= 0)
		expect_pf(error, OPERAND);
	else
		expect_done();
	end();
}

#define ONE(name, access, insn)						\
do {									\
	if (prepare(name)) {						\
		run(CODE(insn));					\
		verdict(access);					\
	}								\
} while (0)

#define SELECTOR(name, access, insn)					\
do {									\
	if (prepare(name)) {						\
		poke(top_frame + 0x640, ring ? USER_DS : KERNEL_DS);	\
		run(CODE(insn));					\
		verdict(access);					\
	}								\
} while (0)

static void arithmetic(void)
{
	ONE("add to memory", RW, "addl %%eax, (%%edi)");
	ONE("adc from memory", R, "adcl (%%edi), %%eax");
	ONE("cmp", R, "cmpl %%eax, (%%edi)");
	ONE("test", R, "testl $0x1000, (%%edi)");
	ONE("sub immediate", RW, "subw $0x1234, (%%edi)");
	ONE("inc", RW, "incl (%%edi)");
	ONE("neg", RW, "negb (%%edi)");
	ONE("not", RW, "notl (%%edi)");
	ONE("rcl", RW, "rcll $1, (%%edi)");
	ONE("movzx", R, "movzwl (%%edi), %%eax");
	ONE("movsx", R, "movsbl (%%edi), %%eax");
	ONE("cmov, not taken", R, "cmovc (%%edi), %%eax");
	ONE("setcc", W, "setnc (%%edi)");
	ONE("mov of a register", W, "movl %%esi, (%%edi)");
	ONE("mov immediate", W, "movl $0x13572468, (%%edi)");
	ONE("movnti", W, "movnti %%esi, (%%edi)");
	ONE("push of memory", R, "pushl (%%edi)");
	ONE("pop to memory", W, "popl (%%edi)");
}

static void undefined_flags(void)
{
	if (prepare("shl")) {
		at.flags = ~(FL_OF | FL_AF);
		run(CODE("shll $3, (%%edi)"));
		verdict(RW);
	}
	if (prepare("rcr by cl")) {
		at.flags = ~FL_OF;
		run(CODE("rcrl %%cl, (%%edi)"));
		verdict(RW);
	}
	if (prepare("shld")) {
		at.flags = ~(FL_OF | FL_AF);
		run(CODE("shldl $7, %%eax, (%%edi)"));
		verdict(RW);
	}
	if (prepare("mul")) {
		at.flags = ~(FL_SF | FL_ZF | FL_AF | FL_PF);
		run(CODE("mull (%%edi)"));
		verdict(R);
	}
	if (prepare("imul")) {
		at.flags = ~(FL_SF | FL_ZF | FL_AF | FL_PF);
		run(CODE("imull (%%edi), %%esi"));
		verdict(R);
	}
	if (prepare("div")) {
		at.flags = ~FL_ARITH;
		run(CODE("divl (%%edi)"));
		verdict(R);
	}
	if (prepare("bsf")) {
		at.flags = ~(FL_ARITH & ~FL_ZF);
		run(CODE("bsfl (%%edi), %%eax"));
		verdict(R);
	}
}

static void locked(void)
{
	ONE("xchg", RW, "xchgl %%eax, (%%edi)");
	ONE("lock xadd", RW, "lock xaddl %%eax, (%%edi)");
	ONE("lock or", RW, "lock orl %%esi, (%%edi)");
	ONE("lock dec", RW, "lock decb (%%edi)");
	ONE("cmpxchg, different", RW, "cmpxchgl %%esi, (%%edi)");
	if (prepare("lock cmpxchg, equal")) {
		at.in.eax = data_page;
		run(CODE("lock cmpxchgl %%esi, (%%edi)"));
		verdict(RW);
	}
	ONE("cmpxchg8b, different", RW, "cmpxchg8b (%%edi)");
	if (prepare("lock cmpxchg8b, equal")) {
		at.in.eax = data_page;
		at.in.edx = ring ? USER_DS : KERNEL_DS;
		run(CODE("lock cmpxchg8b (%%edi)"));
		verdict(RW);
	}
}

/* Bit strings: the base is the data page, the bit is as far away as it takes. */
static void bits(void)
{
	const u32 flags = ~(FL_OF | FL_SF | FL_AF | FL_PF);
	u32 far = (OPERAND - data_page) * 8;

#define BIT(name, access, insn)						\
do {									\
	if (prepare(name)) {						\
		at.in.edi = data_page;					\
		at.in.ecx = far;					\
		at.flags = flags;					\
		run(CODE(insn " %%ecx, (%%edi)"));			\
		verdict(access);					\
	}								\
} while (0)
	BIT("bt, base elsewhere", R, "btl");
	BIT("bts, base elsewhere", RW, "btsl");
	BIT("lock btr, base elsewhere", RW, "lock btrl");
	BIT("lock btc, base elsewhere", RW, "lock btcl");
	if (prepare("bts, immediate")) {
		at.flags = flags;
		run(CODE("btsl $31, (%%edi)"));
		verdict(RW);
	}
}

/* Which part of a far pointer is read first is nobody's business. */
#define POINTER(name, insn)						\
do {									\
	if (prepare(name)) {						\
		run(CODE(insn));					\
		if (at.cr2 == OPERAND + 4)				\
			at.cr2 = OPERAND;				\
		verdict(R);						\
	}								\
} while (0)

static void far_pointers(void)
{
	POINTER("lds", "ldsl (%%edi), %%esi");
	POINTER("les", "lesl (%%edi), %%esi");
	POINTER("lfs", "lfsl (%%edi), %%esi");
	POINTER("lgs", "lgsl (%%edi), %%esi");
	POINTER("lss", "lssl (%%edi), %%esi");
	SELECTOR("mov to es", R, "movw (%%edi), %%es");
	ONE("mov from fs", W, "movw %%fs, (%%edi)");
	if (prepare("jmp to memory")) {
		poke(top_frame + 0x640, CODE("nop"));
		run(CODE("jmp *(%%edi)"));
		verdict(R);
	}
	if (prepare("far jmp to memory")) {
		poke(top_frame + 0x640, CODE("nop"));
		poke(top_frame + 0x644, ring ? USER_CS : KERNEL_CS);
		run(CODE("ljmpl *(%%edi)"));
		if (at.cr2 == OPERAND + 4)
			at.cr2 = OPERAND;
		if (access_fault(ring, mapping->bits, false) >= 0)
			expect_pf(access_fault(ring, mapping->bits, false), OPERAND);
		else
			expect_done();
		end();
	}
	if (prepare("far call to memory")) {
		poke(top_frame + 0x640, CODE("nop"));
		poke(top_frame + 0x644, ring ? USER_CS : KERNEL_CS);
		run(CODE("lcalll *(%%edi)"));
		if (at.cr2 == OPERAND + 4)
			at.cr2 = OPERAND;
		if (access_fault(ring, mapping->bits, false) >= 0) {
			expect_pf(access_fault(ring, mapping->bits, false), OPERAND);
		} else {
			expect_done();
			expect_eq(at.out.esp, at.in.esp - 8);
		}
		end();
	}
}

static void odd_operands(void)
{
	if (prepare("bound")) {
		poke(top_frame + 0x644, 0x7fffffff);
		run(CODE("boundl %%esi, (%%edi)"));
		verdict(R);
	}
	if (prepare("xlat")) {
		at.in.ebx = OPERAND - 3;
		run(CODE("xlat"));
		verdict(R);
	}
	ONE("mov moffs to al", R, "movb 0xfffff640, %%al");
	ONE("mov moffs to eax", R, "movl 0xfffff640, %%eax");
	ONE("mov al to moffs", W, "movb %%al, 0xfffff640");
	ONE("mov eax to moffs", W, "movl %%eax, 0xfffff640");
	/* Whether it asks for the right to write before it has to is nowhere said. */
	if (mapping == MAPPED && prepare("arpl")) {
		poke(top_frame + 0x640, (ring ? USER_DS : KERNEL_DS) & ~3u);
		run(CODE("arpl %%si, (%%edi)"));
		verdict(RW);
	}
	SELECTOR("verr", R, "verr (%%edi)");
	SELECTOR("lar", R, "larw (%%edi), %%si");
}

static void system(void)
{
	ONE("sgdt", W, "sgdt (%%edi)");
	ONE("sidt", W, "sidt (%%edi)");
	ONE("sldt", W, "sldt (%%edi)");
	ONE("str", W, "str (%%edi)");
	ONE("smsw", W, "smsw (%%edi)");
	if (prepare("lgdt")) {
		poke(top_frame + 0x640, 0xffff | (u32)gdt << 16);
		poke(top_frame + 0x644, (u32)gdt >> 16);
		run(CODE("lgdt (%%edi)"));
		if (mapping->bits & PTE_P)
			expect_done();
		else
			expect_pf(0, OPERAND);
		end();
	}
	if (prepare("lidt")) {
		poke(top_frame + 0x640, 0x7ff | (u32)idt << 16);
		poke(top_frame + 0x644, (u32)idt >> 16);
		run(CODE("lidt (%%edi)"));
		if (mapping->bits & PTE_P)
			expect_done();
		else
			expect_pf(0, OPERAND);
		end();
	}
	if (prepare("lldt")) {
		poke(top_frame + 0x640, 0);
		run(CODE("lldt (%%edi)"));
		if (mapping->bits & PTE_P)
			expect_done();
		else
			expect_pf(0, OPERAND);
		end();
	}
	if (prepare("lmsw")) {
		poke(top_frame + 0x640, read_cr0() & 0xf);
		run(CODE("lmsw (%%edi)"));
		if (mapping->bits & PTE_P)
			expect_done();
		else
			expect_pf(0, OPERAND);
		end();
	}
	if (prepare("invlpg")) {
		run(CODE("invlpg (%%edi)"));
		expect_done();
		end();
	}
}

void guest_main(void)
{
	u32 i;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3)
		for (i = 0; i < 3; i++) {
			mapping = &mappings[i];
			arithmetic();
			undefined_flags();
			locked();
			bits();
			far_pointers();
			odd_operands();
			if (!ring)
				system();
		}
	attempts_end();
}
