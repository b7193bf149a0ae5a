// SPDX-License-Identifier: GPL-2.0
/*
 * Sweeps, see sweep.h: the loop, and the handler that notes what was refused.
 */
#include "sweep.h"

static u8 refused[65536 / 8] __attribute__((aligned(4)));
static struct sweep now;
u32 sweep_first, sweep_insn, sweep_len, sweep_wrong;
void sweep_handler(void);

/* The stack is: error code, EIP, CS, EFLAGS; EBX has the number. */
asm(".pushsection .text\n"
	".globl sweep_handler\n"
	"sweep_handler:\n"
	"pushl %eax\n"
	"movl 8(%esp), %eax\n"
	"xorl sweep_insn, %eax\n"
	"orl 4(%esp), %eax\n"
	"orl %eax, sweep_wrong\n"
	"movl sweep_len, %eax\n"
	"addl %eax, 8(%esp)\n"
	"movl %ebx, %eax\n"
	"subl sweep_first, %eax\n"
	"btsl %eax, refused\n"
	"popl %eax\n"
	"addl $4, %esp\n"
	"iretl\n"
	".popsection\n");

static void emit_mov(u8 reg, u32 val)
{
	emit(0xb8 | reg);
	emit32(val);
}

void run_sweep(const struct sweep *s)
{
	u32 code, loop;

	now = *s;
	memset(refused, 0, sizeof(refused));
	sweep_first = s->first;
	sweep_len = s->n;
	sweep_wrong = 0;
	idt[GP] = gate(KERNEL_CS, (u32)sweep_handler, SEG_P | GATE_INT);

	at.in.ebx = s->first;
	code_new();
	emit_mov(0, at.in.eax);
	emit_mov(2, at.in.edx);
	emit_mov(6, at.in.esi);
	emit_mov(7, at.in.edi);
	emit(0x89);			/* movl %ebx, reg */
	emit(0xd8 | s->reg);
	sweep_insn = 4 * 5 + 2;
	emit_bytes(s->insn, s->n);
	emit_bytes("\x81\xc3", 2);	/* addl $step, %ebx */
	emit32(s->step);
	emit_bytes("\x81\xfb", 2);	/* cmpl $end, %ebx */
	emit32(s->first + ((s->last - s->first) / s->step + 1) * s->step);
	loop = sweep_insn + s->n + 14;
	emit(0x75);
	emit(-loop);
	code = code_end();
	sweep_insn += code;
	at.quick = true;
	run(code);
	expect_done();
	expect(!sweep_wrong, "some error code or address is not what it has to be: %x",
	       sweep_wrong);
}

bool sweep_refused(u32 number)
{
	u32 bit = number - now.first;

	return refused[bit / 8] >> bit % 8 & 1;
}

void expect_refused(bool (*want)(u32 number))
{
	u32 number = now.first, wrong = 0, first = 0, k;

	for (k = 0; k <= (now.last - now.first) / now.step; k++, number += now.step)
		if (sweep_refused(number) != want(number) && !wrong++)
			first = number;
	expect(!wrong, "%u are not as they have to be, the first is %x, %srefused", wrong, first,
	       wrong && sweep_refused(first) ? "" : "not ");
}
