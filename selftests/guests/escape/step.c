// SPDX-License-Identifier: GPL-2.0
/*
 * Single steps: over one instruction of each kind, at both rings; and traces of longer code,
 * whose every step is noted.
 */
#include "forms.h"

#define DR6_BS		0x4000u
#define MAX_STEPS	512u

/* pushfl; orl $TF, (%esp); popfl */
static const u8 set_tf[] = { 0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d };

static u32 take_dr6(void)
{
	u32 dr6;

	asm volatile("movl %%dr6, %0; movl %1, %%dr6" : "=&r"(dr6) : "r"(0));
	return dr6;
}

static void one(u32 ring, u32 i)
{
	u32 code, insn, after, vector, error, dr6;

	if (form_left_out(i, ring) || !begin(ring, "step over %s", forms[i].name))
		return;
	code = form_code(i, set_tf, sizeof(set_tf), &insn, &after);
	take_dr6();
	run(code);
	dr6 = take_dr6();
	form_settle(i);
	if (form_faults(i, &vector, &error)) {
		expect_fault_at(vector, error, insn);
		expect_eq(dr6 & DR6_BS, 0);
	} else if (forms[i].end == TRAPS) {
		expect_fault_at(vector, 0, after);
		expect_eq(dr6 & DR6_BS, 0);
	} else {
		expect_fault_at(DB, 0, forms[i].end == REPEATS ? insn :
				forms[i].end == SHADOWS ? after + 1 : after);
		expect_eq(dr6 & DR6_BS, DR6_BS);
		if (forms[i].end == REPEATS)
			expect_eq(at.out.ecx, 2);
	}
	end();
}

/* --- traces --- */

u32 step_count, step_eips[MAX_STEPS];
void step_handler(void);

/* EIP is on the stack. */
asm(".pushsection .text\n"
	".globl step_handler\n"
	"step_handler:\n"
	"pushl %eax\n"
	"pushl %ebx\n"
	"movl step_count, %eax\n"
	"movl 8(%esp), %ebx\n"
	"andl $511, %eax\n"
	"movl %ebx, step_eips(, %eax, 4)\n"
	"incl step_count\n"
	"popl %ebx\n"
	"popl %eax\n"
	"iretl\n"
	".popsection\n");

static void trace(u32 ring, const char *name, u32 code, u32 steps, u32 flags)
{
	u32 i, sum = 0;

	if (!begin(ring, "steps through %s", name))
		return;
	idt[DB] = gate(KERNEL_CS, (u32)step_handler, SEG_P | GATE_INT);
	step_count = 0;
	at.in.esi = data_page;
	at.in.edi = data_page + 0x100;
	at.in.edx = 0x2000;
	at.in.eflags |= flags;
	take_dr6();
	run(code);
	take_dr6();
	expect_done();
	expect_eq(step_count, steps);
	for (i = 0; i < step_count && i < MAX_STEPS; i++)
		sum = (sum << 3 | sum >> 29) ^ (step_eips[i] - code);
	poke(data_page + 0x800, sum);
	end();
}

#define TF_ON "pushfl; orl $0x100, (%%esp); popfl\n"

static void traces(u32 ring)
{
	/* Behind the POPF: 1 + 5 * (2 + 1 + 1) + 1, and so on. */
	trace(ring, "a loop", CODE(TF_ON "movl $5, %%ecx; 1: incl %%eax; nop; nop; loop 1b; nop"),
	      1 + 5 * 4 + 1, 0);
	trace(ring, "calls and returns",
	      CODE(TF_ON "call 1f; call 2f; jmp 3f\n"
		   "1: pushl %%eax; call 2f; popl %%eax; ret\n"
		   "2: nop; ret\n"
		   "3: nop"), 1 + 2 + 2 + 2 + 1 + 2 + 1 + 1, 0);
	trace(ring, "flags and interrupts",
	      CODE(TF_ON "pushfl; popfl; cli; nop; sti; nop; pushfl; popl %%eax; nop"), 9, FL_IOPL);
	trace(ring, "strings",
	      CODE(TF_ON "movl $7, %%ecx; rep movsb; movl $3, %%ecx; rep stosl; lodsb"),
	      1 + 7 + 1 + 3 + 1, 0);
	trace(ring, "segment registers",
	      CODE(TF_ON "pushl %%ds; popl %%es; movl %%es, %%eax; movl %%eax, %%gs; pushl %%gs;"
		   "popl %%fs; movl %%ss, %%eax; movl %%eax, %%ss; nop; nop"), 9, 0);
	trace(ring, "returns by iret",
	      CODE(TF_ON "pushfl; pushl %%cs; call 1f; 1: addl $9f - 1b, (%%esp); iretl;"
		   "ud2; 9: nop"),
	      6, 0);
	trace(ring, "more than a unit holds", CODE(TF_ON ".rept 200; incl %%eax; .endr"), 200, 0);
}

void guest_main(void)
{
	u32 ring, i;

	attempts_begin(false);
	for (ring = 0; ring <= 3; ring += 3) {
		for (i = 0; i < n_forms; i++)
			one(ring, i);
		traces(ring);
	}
	attempts_end();
}
