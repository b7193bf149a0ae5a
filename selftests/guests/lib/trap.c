// SPDX-License-Identifier: GPL-2.0
/*
 * Where every trap arrives. Interrupts and what a test hooks go to trap_hook[]; what
 * TRY() expects is kept in `caught`, and goes on at try_resume; anything else ends
 * the guest.
 */
#include "guest.h"

struct caught caught;
volatile u32 try_start, try_end, try_resume;
void (*trap_hook[256])(struct frame *f);
u32 user_eflags = FL_IF | FL_FIXED;

static void unexpected(struct frame *f)
{
	try_resume = 0;
	print("unexpected trap: vector %u error %x at %x:%08x eflags %x cr2 %x\n",
	      f->vector, f->error, f->cs, f->eip, f->eflags, read_cr2());
	print("eax %x ecx %x edx %x ebx %x esp %x ebp %x esi %x edi %x\n", f->eax, f->ecx,
	      f->edx, f->ebx, f->cs & 3 ? f->esp : (u32)&f->esp, f->ebp, f->esi, f->edi);
	finish(STATUS_TRAP);
}

/* From trap_common, interrupts off unless the gate left them on. */
void trap(struct frame *f)
{
	if (trap_hook[f->vector]) {
		trap_hook[f->vector](f);
		return;
	}
	if (!try_resume)
		unexpected(f);
	caught.count++;
	caught.vector = f->vector;
	caught.error = f->error;
	caught.eip = f->eip;
	caught.cs = f->cs;
	caught.eflags = f->eflags;
	caught.cr2 = read_cr2();
	caught.eax = f->eax;
	caught.ecx = f->ecx;
	caught.edx = f->edx;
	caught.ebx = f->ebx;
	caught.ebp = f->ebp;
	caught.esi = f->esi;
	caught.edi = f->edi;
	if (f->cs & 3) {
		caught.esp = f->esp;
		caught.ss = f->ss;
	} else {
		caught.esp = (u32)&f->esp;
		caught.ss = KERNEL_DS;
	}
	f->eip = try_resume;
	/* A second trap, of what stands behind the instruction, is none of TRY()'s. */
	f->eflags &= ~(FL_TF | FL_RF);
}

bool limits_enforced(void)
{
	gdt[GDT_ENTRIES - 1] = segment(0x100000, 0xf, SEG_B32 | SEG_P | SEG_DATA);
	asm volatile("movl %0, %%fs" : : "r"((GDT_ENTRIES - 1) * 8));
	TRY("movl %%fs:0x10, %%eax", : : : "memory", "eax");
	asm volatile("movl %0, %%fs" : : "r"(KERNEL_DS));
	gdt[GDT_ENTRIES - 1] = 0;
	return caught.count;
}
