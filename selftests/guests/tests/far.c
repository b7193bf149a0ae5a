// SPDX-License-Identifier: GPL-2.0
/* Far transfers: JMP, CALL and RET within a ring, call gates inwards with parameters
 * and back, conforming code, and what faults.
 */
#include "guest.h"

struct far {
	u32 off;
	u16 sel;
} __attribute__((packed));

#define GATE	(FREE_SEL + 0)
#define GATE0	(FREE_SEL + 8)
#define CONF	(FREE_SEL + 16)
#define ABSENT	(FREE_SEL + 24)
#define BASED	(FREE_SEL + 32)
#define GATE_NP	(FREE_SEL + 40)

u32 gate_cs, gate_esp, gate_ss, gate_ret_cs, gate_args[2], gate_old_esp, gate_old_ss;

/* Called through the gate with two parameters. */
asm(".pushsection .text\n"
	"gate_target:\n"
	"	pushl	%ds\n"
	"	pushl	%eax\n"
	"	movl	%cs, %eax\n"
	"	movl	%eax, gate_cs\n"
	"	movl	%ss, %eax\n"
	"	movl	%eax, gate_ss\n"
	"	movl	12(%esp), %eax\n"
	"	movl	%eax, gate_ret_cs\n"
	"	movl	16(%esp), %eax\n"
	"	movl	%eax, gate_args\n"
	"	movl	20(%esp), %eax\n"
	"	movl	%eax, gate_args + 4\n"
	"	movl	24(%esp), %eax\n"
	"	movl	%eax, gate_old_esp\n"
	"	movl	28(%esp), %eax\n"
	"	movl	%eax, gate_old_ss\n"
	"	popl	%eax\n"
	"	popl	%ds\n"
	"	addl	$1000, %eax\n"
	"	lret	$8\n"
	".popsection");
extern u8 gate_target[];

static u32 same_ring(u32 ring)
{
	u32 cs = ring ? USER_CS : KERNEL_CS, esp, after, val;
	struct far ptr = { 0, cs };

	asm volatile("movl $1f, (%0); ljmp *(%0); ud2; 1:" : : "r"(&ptr) : "memory");
	asm volatile("movl %%esp, %0; pushl %2; pushl $1f; lret; ud2; 1: movl %%esp, %1"
		     : "=&r"(esp), "=r"(after) : "r"(cs) : "memory");
	CHECK_EQ(esp, after);
	asm volatile("movl %%esp, %0; pushl $7; pushl $8; pushl %2; pushl $1f; lret $8; ud2; 1: movl %%esp, %1"
		     : "=&r"(esp), "=r"(after) : "r"(cs) : "memory");
	CHECK_EQ(esp, after);
	asm volatile("movl $1f, (%1); lcall *(%1); 3: jmp 2f\n"
		     "1: movl (%%esp), %0; subl $3b, %0; lret\n"
		     "2:" : "=&r"(val) : "r"(&ptr) : "memory", "cc");
	CHECK_EQ(val, 0);
	/* Conforming code runs at the caller's ring. */
	ptr.sel = CONF | 3;
	asm volatile("movl $1f, (%1); lcall *(%1); jmp 2f\n"
		     "1: movl %%cs, %0; lret\n"
		     "2:" : "=&r"(val) : "r"(&ptr) : "memory", "cc");
	CHECK_EQ(val, CONF | ring);
	asm volatile("movl %%cs, %0" : "=r"(val));
	CHECK_EQ(val, cs);

	ptr.off = 0x100000;
	ptr.sel = 0;
	TRY("ljmp *(%0)", : : "r"(&ptr) : "memory");
	CHECK_FAULT(GP, 0);
	TRY("lcall *(%0)", : : "r"(&ptr) : "memory");
	CHECK_FAULT(GP, 0);
	ptr.sel = (ring ? USER_DS : KERNEL_DS);
	TRY("ljmp *(%0)", : : "r"(&ptr) : "memory");
	CHECK_FAULT(GP, ptr.sel & ~3);
	ptr.sel = ABSENT | ring;
	TRY("lcall *(%0)", : : "r"(&ptr) : "memory");
	CHECK_FAULT(NP, ABSENT);
	ptr.sel = GDT_ENTRIES * 8;
	TRY("ljmp *(%0)", : : "r"(&ptr) : "memory");
	CHECK_FAULT(GP, GDT_ENTRIES * 8);
	ptr.sel = ring ? KERNEL_CS : USER_CS;
	TRY("ljmp *(%0)", : : "r"(&ptr) : "memory");
	CHECK_FAULT(GP, ptr.sel & ~3);
	TRY("pushl %0; pushl $1f; 1: lret", : : "r"(GDT_ENTRIES * 8) : "memory");
	CHECK_EQ(caught.vector, GP);
	CHECK_EQ(caught.error, GDT_ENTRIES * 8);
	asm volatile("addl $8, %%esp" : : : "memory");
	return ring;
}

static u32 through_gate(u32 ring)
{
	struct far ptr = { 0xdeadbeef, GATE | ring };
	u32 val, esp, after;

	/* The stack pointer is the caller's again, the parameters are gone. */
	asm volatile("movl %%esp, %1; pushl $0x222; pushl $0x111; movl %%esp, %%ecx; lcall *(%4); movl %%esp, %2"
		     : "=a"(val), "=&r"(esp), "=&r"(after) : "0"(5), "r"(&ptr) : "ecx", "memory", "cc");
	CHECK_EQ(val, 1005);
	CHECK_EQ(esp, after);
	CHECK_EQ(gate_args[0], 0x111);
	CHECK_EQ(gate_args[1], 0x222);
	CHECK_EQ(gate_cs, KERNEL_CS);
	CHECK_EQ(gate_ss, KERNEL_DS);
	CHECK_EQ(gate_ret_cs & 0xffff, ring ? USER_CS : KERNEL_CS);
	if (ring) {
		CHECK_EQ(gate_old_ss & 0xffff, USER_DS);
		CHECK_EQ(gate_old_esp, esp - 8);
	}

	ptr.sel = GATE0 | ring;
	if (ring) {
		TRY("lcall *(%0)", : : "r"(&ptr) : "memory");
		CHECK_FAULT(GP, GATE0);
	}
	ptr.sel = GATE_NP | ring;
	TRY("lcall *(%0)", : : "r"(&ptr) : "memory");
	CHECK_FAULT(NP, GATE_NP);
	if (ring) {
		/* JMP does not change the ring. */
		ptr.sel = GATE | ring;
		TRY("ljmp *(%0)", : : "r"(&ptr) : "memory");
		CHECK_FAULT(GP, KERNEL_CS);
	}
	return ring;
}

void guest_main(void)
{
	u32 val, i;
	struct far ptr;

	gdt[GATE / 8] = gate(KERNEL_CS, (u32)gate_target, SEG_P | SEG_DPL(3) | GATE_CALL | 2 << 8);
	gdt[GATE0 / 8] = gate(KERNEL_CS, (u32)gate_target, SEG_P | GATE_CALL | 2 << 8);
	gdt[GATE_NP / 8] = gate(KERNEL_CS, (u32)gate_target, SEG_DPL(3) | GATE_CALL | 2 << 8);
	gdt[CONF / 8] = segment(0, 0xfffff, SEG_G | SEG_B32 | SEG_P | SEG_CODE | SEG_CONFORM);

	gdt[ABSENT / 8] = segment(0, 0xfffff, SEG_G | SEG_B32 | SEG_CODE);
	same_ring(0);
	through_gate(0);
	gdt[ABSENT / 8] = segment(0, 0xfffff, SEG_G | SEG_B32 | SEG_DPL(3) | SEG_CODE);
	user_call(same_ring, 3);
	for (i = 0; i < 50; i++)
		user_call(through_gate, 3);

	/* Code in a segment with a base: EIP is relative to it. */
	gdt[BASED / 8] = segment(0x100000, 0xfffff, SEG_G | SEG_B32 | SEG_P | SEG_CODE);
	ptr.sel = BASED;
	for (i = 0; i < 20; i++) {
		asm volatile("movl $1f - 0x100000, (%1); lcall *(%1); jmp 2f\n"
			     "1: call 3f\n"
			     "3: popl %0; addl $0x100000, %0; subl $3b, %0; lret\n"
			     "2:" : "=&r"(val) : "r"(&ptr) : "memory", "cc");
		CHECK_EQ(val, 0);
	}
}
