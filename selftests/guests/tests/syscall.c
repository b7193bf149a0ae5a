// SPDX-License-Identifier: GPL-2.0
/* System calls and their returns after something that they depend on has changed: the
 * gate, the descriptors, the stack in the TSS, the segments and flags of both rings. Each
 * is done often enough before the change for a monitor to have made itself at home.
 */
#include "guest.h"

#define OFTEN	20
#define FREE	(FREE_SEL / 8)

static volatile u32 calls, others;
static volatile u32 seen_flags, seen_esp, seen_fs, seen_gs, seen_if;
static void (*on_call)(struct frame *f);

static void syscall_hook(struct frame *f)
{
	calls++;
	seen_flags = f->eflags;
	seen_esp = (u32)&f->ss + 4;
	seen_fs = f->fs;
	seen_gs = f->gs;
	seen_if = read_flags() & FL_IF;
	if (on_call)
		on_call(f);
}

static u32 call(u32 arg)
{
	asm volatile("int $0x80" : "+a"(arg) : : "memory");
	return arg;
}

/* At ring 3: so many calls, and the number that came back. */
static u32 call_often(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (call(i) != i)
			break;
	return i;
}

static void warm(void)
{
	on_call = NULL;
	calls = 0;
	CHECK_EQ(user_call(call_often, OFTEN), OFTEN);
	CHECK_EQ(calls, OFTEN);
}

/* Another handler, of the same length of frame. */
asm(".pushsection .text\n"
	"other_handler:\n"
	"	incl	%ss:others\n"
	"	iret\n"
	".popsection");
void other_handler(void);

static void test_gate(void)
{
	warm();
	others = 0;
	set_gate(0x80, other_handler, GATE_INT, 3);
	CHECK_EQ(user_call(call_often, OFTEN), OFTEN);
	CHECK_EQ(others, OFTEN);
	CHECK_EQ(calls, OFTEN);

	stub_gate(0x80, GATE_INT, 3);
	warm();
	CHECK_EQ(seen_if, 0);
	stub_gate(0x80, GATE_TRAP, 3);
	warm();
	CHECK_EQ(seen_if, FL_IF);
	stub_gate(0x80, GATE_INT, 3);
}

static u32 call_refused(u32 arg)
{
	TRY_PLAIN("int $0x80");
	CHECK_FAULT(GP, 0x80 * 8 + 2);
	return arg;
}

static void test_gate_privilege(void)
{
	warm();
	stub_gate(0x80, GATE_INT, 0);
	CHECK_EQ(user_call(call_refused, 1), 1);
	CHECK_EQ(calls, OFTEN);
	stub_gate(0x80, GATE_INT, 3);
	warm();
}

/* The call leaves for another stack, which the one after it begins on. */
static u8 second_stack[1024] __attribute__((aligned(16)));

static void move_stack(struct frame *f)
{
	(void)f;
	tss.esp0 = (u32)second_stack + sizeof(second_stack);
}

static u32 call_moves(u32 arg)
{
	u32 first, second;

	call(arg);
	first = seen_esp;
	call(arg);
	second = seen_esp;
	CHECK(first != second);
	return second;
}

static void test_stack(void)
{
	warm();
	on_call = move_stack;
	CHECK_EQ(user_call(call_moves, 0), second_stack + sizeof(second_stack));
	warm();
}

/* A descriptor that ring 3 will load is changed by the call, under its feet. */
static u32 data_a = 0xaaaa, data_b = 0xbbbb;

static void set_free(u32 base)
{
	gdt[FREE] = segment(base, 0xfff, SEG_P | SEG_DPL(3) | SEG_DATA | SEG_B32);
}

static void change_free(struct frame *f)
{
	set_free((u32)&data_b);
	f->eax++;
}

static u32 load_fs(void)
{
	u32 val;

	asm volatile("movl %1, %%fs; movl %%fs:0, %0" : "=r"(val) : "r"(FREE_SEL | 3) : "memory");
	return val;
}

/* @hold: FS has the selector during the call, or another one. */
static u32 descriptor_changes(u32 hold)
{
	u32 i;

	for (i = 0; i < OFTEN; i++) {
		CHECK_EQ(load_fs(), 0xaaaa);
		if (!hold)
			asm volatile("movl %0, %%fs" : : "r"(USER_DS));
		call(0);
		CHECK_EQ(seen_fs, hold ? FREE_SEL | 3 : USER_DS);
	}
	on_call = change_free;
	CHECK_EQ(call(7), 8);
	on_call = NULL;
	CHECK_EQ(load_fs(), 0xbbbb);
	CHECK_EQ(call_often(OFTEN), OFTEN);
	CHECK_EQ(load_fs(), 0xbbbb);
	return hold;
}

static void test_descriptor(void)
{
	u32 hold;

	for (hold = 0; hold < 2; hold++) {
		set_free((u32)&data_a);
		CHECK_EQ(user_call(descriptor_changes, hold), hold);
	}
}

/* Flags of ring 3 that the call must see and the return must bring back. */
static u32 flags_kept(u32 arg)
{
	static const u32 sets[] = { FL_CF, FL_PF, FL_AF, FL_ZF, FL_SF, FL_DF, FL_OF, FL_AC, FL_ID };
	u32 i, mask = FL_ARITH | FL_DF | FL_AC | FL_ID | FL_IF | FL_IOPL | FL_NT;
	u32 after;

	for (i = 0; i < ARRAY_SIZE(sets) * 4; i++) {
		u32 want = sets[i % ARRAY_SIZE(sets)] | FL_IF | FL_FIXED;

		asm volatile("pushl %1; popfl; int $0x80; pushfl; popl %0; pushl %2; popfl"
			     : "=&r"(after) : "r"(want), "r"(FL_IF | FL_FIXED)
			     : "eax", "memory", "cc");
		CHECK_EQ(after & mask, want & mask);
		CHECK_EQ(seen_flags & mask, want & mask);
	}
	return arg;
}

/* Flags that the handler puts into the image. */
static u32 wanted_flags;

static void change_flags(struct frame *f)
{
	f->eflags = wanted_flags;
}

static u32 flags_given(u32 flags)
{
	u32 after;

	wanted_flags = flags;
	on_call = change_flags;
	asm volatile("int $0x80; pushfl; popl %0; pushl %1; popfl"
		     : "=&r"(after) : "r"(FL_IF | FL_FIXED) : "eax", "memory", "cc");
	on_call = NULL;
	return after;
}

static u32 steps;

static void step_hook(struct frame *f)
{
	steps++;
	f->eflags &= ~FL_TF;
}

static void test_flags(void)
{
	u32 i;

	CHECK_EQ(user_call(flags_kept, 1), 1);
	warm();
	CHECK_EQ(user_call(flags_given, FL_IF | FL_FIXED | FL_CF | FL_DF) & ~FL_IF,
		 FL_FIXED | FL_CF | FL_DF);
	warm();
	CHECK_EQ(user_call(flags_given, FL_IF | FL_FIXED | FL_NT) & FL_NT, FL_NT);
	warm();
	CHECK_EQ(user_call(flags_given, FL_IF | FL_FIXED | FL_IOPL) & FL_IOPL, FL_IOPL);
	warm();
	trap_hook[DB] = step_hook;
	for (i = 0; i < 3; i++) {
		warm();
		steps = 0;
		user_call(flags_given, FL_IF | FL_FIXED | FL_TF);
		CHECK_EQ(steps, 1);
	}
	trap_hook[DB] = NULL;
}

/* Data segments that ring 3 may not keep. */
static void give_kernel_segments(struct frame *f)
{
	f->fs = KERNEL_DS;
	f->gs = KERNEL_DS;
}

static u32 segments_cleared(u32 arg)
{
	u32 fs, gs;

	CHECK_EQ(call_often(OFTEN), OFTEN);
	on_call = give_kernel_segments;
	call(0);
	on_call = NULL;
	asm volatile("movl %%fs, %0; movl %%gs, %1" : "=r"(fs), "=r"(gs));
	CHECK_EQ(fs & 0xffff, 0);
	CHECK_EQ(gs & 0xffff, 0);
	CHECK_EQ(call_often(OFTEN), OFTEN);
	CHECK_EQ(seen_fs, 0);
	CHECK_EQ(seen_gs, 0);
	return arg;
}

/* Where the return leads is the handler's to say. */
static void elsewhere(struct frame *f)
{
	f->eip = f->ebx;
	f->esp -= 64;
	f->eax = f->esp;
}

static u32 return_elsewhere(u32 arg)
{
	u32 esp, given, i;

	for (i = 0; i < OFTEN; i++) {
		on_call = elsewhere;
		asm volatile("movl %%esp, %%esi; movl $1f, %%ebx; int $0x80; ud2\n"
			     "1: movl %%esp, %0; movl %%esi, %%esp"
			     : "=&c"(esp), "=&a"(given) : : "ebx", "esi", "memory", "cc");
		on_call = NULL;
		if (esp != given)
			CHECK_EQ(esp, given);
	}
	return arg;
}

/* #GP at ring 3 is SYSENTER's way to a monitor: others must not be taken for it. */
static u32 not_sysenter(u32 arg)
{
	u32 i;

	for (i = 0; i < OFTEN; i++) {
		TRY_PLAIN("hlt");
		CHECK_FAULT(GP, 0);
		TRY_PLAIN("movl %%cr0, %%eax");
		CHECK_FAULT(GP, 0);
	}
	return arg;
}

/* Returns to the same ring, to where code begins and to where it does not. */
static void test_same_ring(void)
{
	u32 i, n = 0, flags;

	for (i = 0; i < 100; i++) {
		asm volatile("pushfl; pushl %%cs; pushl $1f; iret\n"
			     "1: incl %0" : "+r"(n) : : "memory", "cc");
		asm volatile("pushl %2; pushl %%cs; pushl $1f; stc; cld; iret\n"
			     "	ud2\n"
			     "1: pushfl; popl %1; cld; incl %0"
			     : "+r"(n), "=&r"(flags) : "r"(FL_FIXED | FL_DF | FL_ID) : "memory", "cc");
		CHECK_EQ(flags & (FL_CF | FL_DF | FL_ID | FL_IF), FL_DF | FL_ID);
	}
	CHECK_EQ(n, 200);
}

void guest_main(void)
{
	trap_hook[0x80] = syscall_hook;
	warm();
	test_gate();
	test_gate_privilege();
	test_stack();
	test_descriptor();
	test_flags();
	CHECK_EQ(user_call(segments_cleared, 2), 2);
	CHECK_EQ(user_call(return_elsewhere, 4), 4);
	CHECK_EQ(user_call(not_sysenter, 6), 6);
	test_same_ring();
}
