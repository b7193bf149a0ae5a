// SPDX-License-Identifier: GPL-2.0
/* Instructions that show system state without trapping show the guest's own, at
 * ring 0 and at ring 3.
 */
#include "guest.h"

/* What user-mode instruction prevention is for. */
static void system_state(void)
{
	struct dtr gdtr = { 0x5555, 0x55555555 }, idtr = gdtr;
	u32 val;
	u16 half;

	asm volatile("sgdt %0; sidt %1" : "=m"(gdtr), "=m"(idtr));
	CHECK_EQ(gdtr.base, gdt);
	CHECK_EQ(gdtr.limit, sizeof(gdt) - 1);
	CHECK_EQ(idtr.base, idt);
	CHECK_EQ(idtr.limit, sizeof(idt) - 1);

	asm volatile("sldt %0" : "=r"(val));
	CHECK_EQ(val & 0xffff, 0);
	asm volatile("str %0" : "=r"(val));
	CHECK_EQ(val & 0xffff, TSS_SEL);
	asm volatile("str %0" : "=m"(half));
	CHECK_EQ(half, TSS_SEL);
	asm volatile("smsw %0" : "=r"(val));
	CHECK_EQ(val & 0xf, CR0_PE);
	asm volatile("smsw %0" : "=m"(half));
	CHECK_EQ(half & 0xf, CR0_PE);
}

/* At ring 3 only a processor with UMIP lets a monitor have its say. */
static bool shows_own(u32 ring)
{
	u32 max[4], leaf7[4] = { 0 };

	cpuid(0, max);
	if (max[0] >= 7)
		cpuid(7, leaf7);
	if (!ring || !on_vmon() || leaf7[2] & 4)
		return true;
	skip("a processor without UMIP shows its own tables at ring 3");
	return false;
}

/* ZF by VERW of the selector in memory, with the other flags set, and clear. */
static u32 verw(u16 sel)
{
	u32 set, clear, eax = 0xd57f, ecx = 0x11112222;

	/* 7Fh + 7Fh sets OF; D5h are the others. */
	asm volatile("addb $0x7f, %%al; sahf; verw %3; pushfl; popl %0"
		     : "=&r"(set), "+a"(eax), "+c"(ecx) : "m"(sel) : "cc");
	CHECK_EQ(eax, 0xd5fe);
	CHECK_EQ(ecx, 0x11112222);
	CHECK_EQ(set & 0x895, 0x895);
	asm volatile("xorl %%eax, %%eax; sahf; verw %1; pushfl; popl %0"
		     : "=&r"(clear) : "m"(sel) : "eax", "cc");
	CHECK_EQ(clear & 0x895, 0);
	CHECK_EQ((set ^ clear) & 0x40, 0);
	return set >> 6 & 1;
}

/* Asked again and again, the answer is by the table as it is now. */
static void verw_again(u32 ring)
{
	u64 old = gdt[USER_DS / 8];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		CHECK_EQ(verw(USER_DS), 1);
		CHECK_EQ(verw(USER_CS), 0);
		CHECK_EQ(verw(KERNEL_DS), !ring);
		CHECK_EQ(verw(0), 0);
	}
	if (ring)
		return;
	for (i = 0; i < 3; i++)
		CHECK_EQ(verw(USER_DS), 1);
	gdt[USER_DS / 8] = old & ~(2ull << 40);		/* not writable */
	CHECK_EQ(verw(USER_DS), 0);
	gdt[USER_DS / 8] = old;
	CHECK_EQ(verw(USER_DS), 1);
}

static u32 show(u32 ring)
{
	u32 val, want_cs = ring ? USER_CS : KERNEL_CS, want_ds = ring ? USER_DS : KERNEL_DS;
	u16 half;
	struct { u32 off; u16 sel; } __attribute__((packed)) far;

	if (shows_own(ring))
		system_state();

	asm volatile("movl %%cs, %0" : "=r"(val));
	CHECK_EQ(val, want_cs);
	asm volatile("pushl %%cs; popl %0" : "=r"(val));
	CHECK_EQ(val & 0xffff, want_cs);
	asm volatile("movl %%ss, %0" : "=r"(val));
	CHECK_EQ(val, want_ds);
	asm volatile("pushl %%ss; popl %0" : "=r"(val));
	CHECK_EQ(val & 0xffff, want_ds);
	asm volatile("movl %%ds, %0" : "=r"(val));
	CHECK_EQ(val, want_ds);
	asm volatile("pushl %%ds; popl %0" : "=r"(val));
	CHECK_EQ(val & 0xffff, want_ds);
	asm volatile("pushl %%es; popl %0" : "=r"(val));
	CHECK_EQ(val & 0xffff, want_ds);
	asm volatile("pushl %%fs; popl %0" : "=r"(val));
	CHECK_EQ(val & 0xffff, want_ds);
	asm volatile("pushl %%gs; popl %0" : "=r"(val));
	CHECK_EQ(val & 0xffff, want_ds);
	asm volatile("movl %%gs, %0" : "=r"(val));
	CHECK_EQ(val, want_ds);
	asm volatile("movw %%cs, %0" : "=m"(half));
	CHECK_EQ(half, want_cs);

	/* A far call pushes the caller's selector. */
	far.sel = want_cs;
	asm volatile("movl $1f, (%1)\n"
		     "lcall *(%1)\n"
		     "jmp 2f\n"
		     "1: movl 4(%%esp), %0\n"
		     "lret\n"
		     "2:" : "=&r"(val) : "r"(&far) : "memory");
	CHECK_EQ(val & 0xffff, want_cs);

	/* LAR and LSL: the descriptors are the guest's, DPL and limit too. */
	asm volatile("xorl %0, %0; lar %1, %0" : "=&r"(val) : "r"(KERNEL_CS) : "cc");
	CHECK_EQ(val & 0x00f0ff00, ring ? 0 : 0x00c09b00);
	asm volatile("xorl %0, %0; lar %1, %0" : "=&r"(val) : "r"(USER_DS) : "cc");
	CHECK_EQ(val & 0x00f0ff00, 0x00c0f300);
	asm volatile("xorl %0, %0; lsl %1, %0" : "=&r"(val) : "r"(USER_DS) : "cc");
	CHECK_EQ(val, 0xffffffff);
	asm volatile("xorl %0, %0; lsl %1, %0" : "=&r"(val) : "r"(KERNEL_DS) : "cc");
	CHECK_EQ(val, ring ? 0 : 0xffffffff);
	asm volatile("xorl %0, %0; lsl %1, %0" : "=&r"(val) : "r"(TSS_SEL) : "cc");
	CHECK_EQ(val, ring ? 0 : sizeof(tss) - 1);
	asm volatile("xorl %0, %0; lar %1, %0" : "=&r"(val) : "r"(TSS_SEL) : "cc");
	CHECK_EQ(val & 0xff00, ring ? 0 : 0x8b00);
	asm volatile("xorl %0, %0; lar %1, %0; setz %b0" : "=&q"(val) : "r"(0) : "cc");
	CHECK_EQ(val, 0);
	asm volatile("xorl %0, %0; verr %w1; setz %b0" : "=&q"(val) : "r"(KERNEL_DS) : "cc");
	CHECK_EQ(val, !ring);
	asm volatile("xorl %0, %0; verw %w1; setz %b0" : "=&q"(val) : "r"(USER_DS) : "cc");
	CHECK_EQ(val, 1);
	asm volatile("xorl %0, %0; verw %w1; setz %b0" : "=&q"(val) : "r"(USER_CS) : "cc");
	CHECK_EQ(val, 0);
	asm volatile("xorl %0, %0; verr %w1; setz %b0" : "=&q"(val) : "r"(USER_CS) : "cc");
	CHECK_EQ(val, 1);
	verw_again(ring);
	/* Beyond the guest's table there is nothing, whatever the CPU's own holds. */
	for (u32 sel = GDT_ENTRIES * 8; sel < 0x1000; sel += 8) {
		asm volatile("xorl %0, %0; lar %1, %0; setz %b0" : "=&q"(val) : "r"(sel) : "cc");
		CHECK_EQ(val, 0);
	}
	for (u32 sel = FREE_SEL; sel < GDT_ENTRIES * 8; sel += 8) {
		asm volatile("xorl %0, %0; lar %1, %0; setz %b0" : "=&q"(val) : "r"(sel | ring) : "cc");
		CHECK_EQ(val, 0);
	}
	/* ARPL works on numbers. */
	asm volatile("movl $0x10, %0; movl $3, %%ecx; arpl %%cx, %w0" : "=&a"(val) : : "ecx", "cc");
	CHECK_EQ(val, 0x13);
	return ring;
}

static u32 user(u32 arg)
{
	return show(3) + arg;
}

void guest_main(void)
{
	show(0);
	/* The CPU marked the descriptor busy, in the guest's own table. */
	CHECK_EQ((u32)(gdt[TSS_SEL / 8] >> 40) & 0xff, SEG_P | SEG_TSS | 2);
	user_call(user, 1);
}
