// SPDX-License-Identifier: GPL-2.0
/* Round trips between ring 3 and ring 0: INT through a DPL 3 gate, SYSENTER and
 * SYSEXIT, IRET; registers, flags, stacks and selectors arrive as they left.
 */
#include "guest.h"

static volatile u32 calls, seen_esp, seen_eflags, seen_cs, seen_ss;

static void syscall_hook(struct frame *f)
{
	calls++;
	seen_esp = f->esp;
	seen_eflags = f->eflags;
	seen_cs = f->cs;
	seen_ss = f->ss;
	f->eax = f->eax + f->ebx * 3 + f->ecx * 5 + f->edx * 7 + f->esi * 11 + f->edi * 13;
}

static u32 by_int(u32 count)
{
	u32 i, r, esp = 0;

	for (i = 0; i < count; i++) {
		asm volatile("movl %%esp, %0" : "=r"(esp));
		asm volatile("int $0x80"
			     : "=a"(r)
			     : "0"(i), "b"(2), "c"(i ^ 3), "d"(4), "S"(5), "D"(6) : "memory");
		if (r != i + 6 + (i ^ 3) * 5 + 28 + 55 + 78)
			CHECK_EQ(r, i + 6 + (i ^ 3) * 5 + 28 + 55 + 78);
	}
	CHECK_EQ(seen_esp, esp);
	CHECK_EQ(seen_cs, USER_CS);
	CHECK_EQ(seen_ss, USER_DS);
	asm volatile("stc; int $0x80; setc %b0" : "=q"(r) : : "eax", "memory", "cc");
	CHECK_EQ(r & 0xff, 1);
	CHECK_EQ(seen_eflags & (FL_CF | FL_IF | FL_VM | FL_IOPL), FL_CF | FL_IF);
	asm volatile("std; int $0x80; pushfl; popl %0; cld" : "=r"(r) : : "eax", "memory", "cc");
	CHECK_EQ(r & FL_DF, FL_DF);
	CHECK_EQ(seen_eflags & FL_DF, FL_DF);
	return count;
}

/* SYSENTER comes here at ring 0: return edx + 1, with the caller's esp in ecx. */
asm(".pushsection .text\n"
	"sysenter_entry:\n"
	"	pushfl\n"
	"	popl	sysenter_flags\n"
	"	movl	%cs, %eax\n"
	"	movl	%eax, sysenter_cs\n"
	"	movl	%ss, %eax\n"
	"	movl	%eax, sysenter_ss\n"
	"	movl	%esp, sysenter_esp\n"
	"	leal	1(%esi), %eax\n"
	"	sti\n"
	"	sysexit\n"
	".popsection");
extern u8 sysenter_entry[];
u32 sysenter_flags, sysenter_cs, sysenter_ss, sysenter_esp;
static u8 sysenter_stack[1024];

static u32 by_sysenter(u32 count)
{
	u32 i, r, cs, ss;

	for (i = 0; i < count; i++) {
		asm volatile("pushl %%ebp; movl %%esp, %%ecx; movl $1f, %%edx; sysenter\n"
			     "1: popl %%ebp" : "=a"(r) : "S"(i) : "ecx", "edx", "memory", "cc");
		if (r != i + 1)
			CHECK_EQ(r, i + 1);
	}
	asm volatile("movl %%cs, %0; movl %%ss, %1" : "=r"(cs), "=r"(ss));
	CHECK_EQ(cs, USER_CS);
	CHECK_EQ(ss, USER_DS);
	CHECK_EQ(sysenter_flags & (FL_IF | FL_VM), 0);
	CHECK_EQ(sysenter_cs, KERNEL_CS);
	CHECK_EQ(sysenter_ss, KERNEL_DS);
	CHECK_EQ(sysenter_esp, sysenter_stack + sizeof(sysenter_stack));
	CHECK(read_flags() & FL_IF);
	return count;
}

static u32 sysenter_off(u32 arg)
{
	TRY("sysenter", : : "a"(1), "c"(2), "d"(3) : "memory");
	CHECK_FAULT(GP, 0);
	return arg;
}

static u32 iret_same_ring(u32 arg)
{
	u32 esp, after, flags;

	asm volatile("movl %%esp, %0\n"
		     "pushfl; orl $0x801, (%%esp); movl %%cs, %%eax; pushl %%eax; pushl $1f; iret\n"
		     "ud2\n"
		     "1: pushfl; popl %2; movl %%esp, %1"
		     : "=&r"(esp), "=&r"(after), "=&r"(flags) : : "eax", "memory", "cc");
	CHECK_EQ(esp, after);
	CHECK_EQ(flags & (FL_CF | FL_OF), FL_CF | FL_OF);
	return arg;
}

static u32 selectors(u32 arg)
{
	u32 ds, es, fs, gs;

	asm volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3"
		     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	CHECK_EQ(ds, USER_DS);
	CHECK_EQ(es, USER_DS);
	CHECK_EQ(fs, USER_DS);
	CHECK_EQ(gs, USER_DS);
	return arg;
}

/* IRET to an outer ring clears segment registers that it may not keep. */
asm(".pushsection .text\n"
	"iret_clears:\n"
	"	pushl	%ebx\n"
	"	movl	$0x10, %eax\n"
	"	movl	%eax, %fs\n"
	"	movl	%eax, %gs\n"
	"	movl	%esp, tss + 4\n"
	"	movl	%esp, iret_saved\n"
	"	pushl	$0x23\n"
	"	pushl	$user_stack_top - 64\n"
	"	pushl	$0x202\n"
	"	pushl	$0x1b\n"
	"	pushl	$1f\n"
	"	movl	$0x23, %eax\n"
	"	movl	%eax, %ds\n"
	"	movl	%eax, %es\n"
	"	iret\n"
	"1:	movl	%fs, %eax\n"
	"	movl	%gs, %ebx\n"
	"	shll	$16, %ebx\n"
	"	orl	%ebx, %eax\n"
	"	movl	%eax, iret_result\n"
	"	int	$0x81\n"
	".popsection");
void iret_clears(void);
u32 iret_saved, iret_result = 0xffff;
extern u32 user_saved_esp;

void guest_main(void)
{
	u32 i;

	trap_hook[0x80] = syscall_hook;
	CHECK_EQ(user_call(by_int, 1000), 1000);
	CHECK_EQ(calls, 1002);

	user_call(sysenter_off, 0);
	wrmsr(MSR_SYSENTER_CS, KERNEL_CS);
	wrmsr(MSR_SYSENTER_ESP, (u32)sysenter_stack + sizeof(sysenter_stack));
	wrmsr(MSR_SYSENTER_EIP, (u32)sysenter_entry);
	CHECK_EQ(rdmsr(MSR_SYSENTER_CS), KERNEL_CS);
	CHECK_EQ(rdmsr(MSR_SYSENTER_EIP), sysenter_entry);
	CHECK_EQ(user_call(by_sysenter, 1000), 1000);

	iret_same_ring(0);
	user_call(iret_same_ring, 0);
	for (i = 0; i < 100; i++)
		CHECK_EQ(user_call(selectors, i), i);

	/* The exit gate expects user_call's frame: build one around. */
	asm volatile("pushl %%ebp; pushl %%ebx; pushl %%esi; pushl %%edi\n"
		     "pushl $1f; pushl %%ebp; pushl %%ebx; pushl %%esi; pushl %%edi; pushfl\n"
		     "movl %%esp, user_saved_esp\n"
		     "jmp iret_clears\n"
		     "1: popl %%edi; popl %%esi; popl %%ebx; popl %%ebp"
		     : : : "eax", "ecx", "edx", "memory", "cc");
	CHECK_EQ(iret_result, 0);
}
