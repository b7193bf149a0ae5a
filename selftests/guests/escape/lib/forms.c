// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions of each kind, see forms.h.
 *
 * EBX is the form's end, ESI data_page, EDI 40h behind it; EDX is nobody's port, ECX 3, EAX
 * the stack's selector. At data_page are a far pointer to the end, a selector, and the
 * values of the table registers.
 */
#include "forms.h"

#define F(before, insn) \
	".byte 2f - 1f\n1: " before "\n2: .byte 4f - 3f\n3: " insn "\n4:\n"

asm(".pushsection .rodata\n"
	".globl form_bytes\n"
	"form_bytes:\n"
	F("", "nop")
	F("", "movl (%esi), %eax")
	F("", "movl %eax, (%esi)")
	F("", "incl %eax")
	F("", "lock addl %eax, (%esi)")
	F("", "xchgl %eax, (%esi)")
	F("xorl %eax, %eax", "cmpxchgl %ecx, (%esi)")
	F("", "setc (%esi)")
	F("", "pushl %eax")
	F("", "pushl (%esi)")
	F("pushl %eax", "popl %ecx")
	F("pushl %eax", "popl (%esi)")
	F("", "pushl $5")
	F("", "pushl %ds")
	F("", "pushal")
	F("", "enter $16, $0")
	F("pushl %eax; movl %esp, %ebp", "leave")
	F("", "pushfl")
	F("pushfl; orl $0x100, (%esp)", "popfl")
	F("pushfl", "popfl")
	F("", "cli")
	F("", "sti")
	F("", "jmp 5f; ud2; 5:")
	F("", ".byte 0xe9, 2, 0, 0, 0; ud2")
	F("", "jmp *%ebx")
	F("", "jmp *(%esi)")
	F("", "call 5f; ud2; 5:")
	F("", "call *%ebx")
	F("", "call *(%esi)")
	F("pushl %ebx", "ret")
	F("pushl %ebx", "ret $8")
	F("clc", "jnc 5f; ud2; 5:")
	F("clc", "jc . + 16")
	F("clc", ".byte 0x0f, 0x83, 2, 0, 0, 0; ud2")
	F("", "loop 5f; ud2; 5:")
	F("movl $1, %ecx", "loop . + 16")
	F("cmpl %eax, %eax", "loope 5f; ud2; 5:")
	F("cmpl %eax, %eax", "loopne . + 16")
	F("xorl %ecx, %ecx", "jecxz 5f; ud2; 5:")
	F("", "jecxz . + 16")
	F("", "movw %ds, %ax")
	F("", "movw %ds, (%esi)")
	F("", "movl %eax, %ds")
	F("", "movw 8(%esi), %es")
	F("", "movl %eax, %fs")
	F("", "movl %eax, %gs")
	F("pushl %eax", "popl %ds")
	F("pushl %eax", "popl %gs")
	F("", "movl %eax, %ss")
	F("pushl %eax", "popl %ss")
	F("movl %esp, 32(%esi); movl %eax, 36(%esi)", "lss 32(%esi), %esp")
	F("", "movl %gs:(%esi), %eax")
	F("", "movl %cr0, %eax")
	F("", "movl %cr3, %eax")
	F("movl 12(%esi), %eax", "movl %eax, %cr0")
	F("movl 16(%esi), %eax", "movl %eax, %cr3")
	F("movl 20(%esi), %eax", "movl %eax, %cr4")
	F("", "movl %dr3, %eax")
	F("", "clts")
	F("", "lgdt 24(%esi)")
	F("", "lidt 40(%esi)")
	F("xorl %eax, %eax", "lldt %ax")
	F("", "sgdt 56(%esi)")
	F("", "smsw %ax")
	F("", "invlpg (%esi)")
	F("movl $0x174, %ecx", "rdmsr")
	F("movl $0x174, %ecx; xorl %eax, %eax; xorl %edx, %edx", "wrmsr")
	F("xorl %eax, %eax", "cpuid")
	F("", "wbinvd")
	F("", "inb %dx, %al")
	F("", "outl %eax, %dx")
	F("movl %esi, %edi", "insl")
	F("", "rep outsb")
	F("", "movsl")
	F("", "stosl")
	F("", "lodsl")
	F("", "rep movsl")
	F("", "rep stosb")
	F("movl (%esi), %eax; movl %esi, %edi", "repe scasl")
	F("", "repne cmpsb")
	F("xorl %ecx, %ecx", "rep stosl")
	F("", "ljmpl *(%esi)")
	F("", "lcalll *(%esi)")
	F("pushl %cs; pushl %ebx", "lretl")
	F("pushfl; orl $0x100, (%esp); pushl %cs; pushl %ebx", "iretl")
	F("pushfl; pushl %cs; pushl %ebx", "iretl")
	F("", "int $0x82")
	F("", "int $0x80")
	F("", "int3")
	F("movb $0x7f, %al; incb %al", "into")
	F("xorb %al, %al", "into")
	F("", ".byte 0xf1")
	F("", "ud2")
	F("xorl %ecx, %ecx", "divl %ecx")
	F("movl $0xff98, %eax", "movl %eax, %fs")
	F("", "movl 0x80000000, %eax")
	F("", "bound %eax, (%esi)")
	F("", "lar %ax, %ecx")
	F("", "xlat")
	F("", "popcnt (%esi), %eax")
	F("fninit", "fildl (%esi)")
	F("fninit", "fnop")
	F("", "movups (%esi), %xmm0")
	F("", "fxsave 64(%esi)")
	F("", "cmpxchg8b (%esi)")
	F("", "bswap %eax")
	".popsection\n");

extern const u8 form_bytes[];

const struct form forms[] = {
	{ "nop", ENDS, 0, 0, 0, 0 },
	{ "load", ENDS, DATA, 0, 0, 0 },
	{ "store", ENDS, DATA, 0, 0, 0 },
	{ "inc", ENDS, 0, 0, 0, 0 },
	{ "lock add", ENDS, DATA, 0, 0, 0 },
	{ "xchg", ENDS, DATA, 0, 0, 0 },
	{ "cmpxchg", ENDS, DATA, 0, 0, 0 },
	{ "setcc", ENDS, DATA, 0, 0, 0 },
	{ "push", ENDS, PUSHES, 0, 0, 0 },
	{ "push from memory", ENDS, PUSHES | DATA, 0, 0, 0 },
	{ "pop", ENDS, POPS, 1, 0, 0 },
	{ "pop to memory", ENDS, POPS | DATA, 1, 0, 0 },
	{ "push of an immediate", ENDS, PUSHES, 0, 0, 0 },
	{ "push ds", ENDS, PUSHES, 0, 0, 0 },
	{ "pusha", ENDS, PUSHES, 0, 0, 0 },
	{ "enter", ENDS, PUSHES, 0, 0, 0 },
	{ "leave", ENDS, POPS, 1, 0, 0 },
	{ "pushf", ENDS, PUSHES, 0, 0, 0 },
	{ "popf, TF set", ENDS, POPS | SETS_TF, 1, 0, 0 },
	{ "popf", ENDS, POPS, 1, 0, 0 },
	{ "cli", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "sti", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "jmp short", ENDS, 0, 0, 0, 0 },
	{ "jmp near", ENDS, 0, 0, 0, 0 },
	{ "jmp by register", ENDS, 0, 0, 0, 0 },
	{ "jmp by memory", ENDS, DATA, 0, 0, 0 },
	{ "call", ENDS, PUSHES, 0, 0, 0 },
	{ "call by register", ENDS, PUSHES, 0, 0, 0 },
	{ "call by memory", ENDS, PUSHES | DATA, 0, 0, 0 },
	{ "ret", ENDS, POPS, 1, 0, 0 },
	{ "ret 8", ENDS, POPS, 1, 0, 0 },
	{ "jcc, taken", ENDS, 0, 0, 0, 0 },
	{ "jcc, not taken", ENDS, 0, 0, 0, 0 },
	{ "jcc near, taken", ENDS, 0, 0, 0, 0 },
	{ "loop, taken", ENDS, 0, 0, 0, 0 },
	{ "loop, not taken", ENDS, 0, 0, 0, 0 },
	{ "loope, taken", ENDS, 0, 0, 0, 0 },
	{ "loopne, not taken", ENDS, 0, 0, 0, 0 },
	{ "jecxz, taken", ENDS, 0, 0, 0, 0 },
	{ "jecxz, not taken", ENDS, 0, 0, 0, 0 },
	{ "mov from ds", ENDS, 0, 0, 0, 0 },
	{ "mov from ds to memory", ENDS, DATA, 0, 0, 0 },
	{ "mov to ds", ENDS, 0, 0, 0, 0 },
	{ "mov to es from memory", ENDS, 0, 0, 0, 0 },
	{ "mov to fs", ENDS, 0, 0, 0, 0 },
	{ "mov to gs", ENDS, 0, 0, 0, 0 },
	{ "pop ds", ENDS, POPS, 1, 0, 0 },
	{ "pop gs", ENDS, POPS, 1, 0, 0 },
	{ "mov to ss", SHADOWS, 0, 0, 0, 0 },
	{ "pop ss", SHADOWS, POPS, 1, 0, 0 },
	{ "lss", ENDS, 0, 0, 0, 0 },
	{ "load by gs", ENDS, DATA, 0, 0, 0 },
	{ "mov from cr0", ENDS, PRIVILEGED | UNDEFINED, 0, 0, 0 },
	{ "mov from cr3", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "mov to cr0", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "mov to cr3", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "mov to cr4", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "mov from dr3", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "clts", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "lgdt", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "lidt", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "lldt", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "sgdt", ENDS, RING_0, 0, 0, 0 },
	{ "smsw", ENDS, RING_0, 0, 0, 0 },
	{ "invlpg", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "rdmsr", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "wrmsr", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "cpuid", ENDS, UNDEFINED, 0, 0, 0 },
	{ "wbinvd", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "in", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "out", ENDS, PRIVILEGED, 0, 0, 0 },
	{ "ins", ENDS, PRIVILEGED | DATA, 0, 0, 0 },
	{ "rep outs", REPEATS, PRIVILEGED | DATA, 0, 0, 0 },
	{ "movs", ENDS, DATA, 0, 0, 0 },
	{ "stos", ENDS, 0, 0, 0, 0 },
	{ "lods", ENDS, DATA, 0, 0, 0 },
	{ "rep movs", REPEATS, DATA, 0, 0, 0 },
	{ "rep stos", REPEATS, 0, 0, 0, 0 },
	{ "repe scas", REPEATS, DATA, 0, 0, 0 },
	{ "repne cmps", REPEATS, DATA, 0, 0, 0 },
	{ "rep stos of none", ENDS, 0, 0, 0, 0 },
	{ "far jmp", ENDS, DATA, 0, 0, 0 },
	{ "far call", ENDS, DATA | PUSHES, 0, 0, 0 },
	{ "far ret", ENDS, POPS, 2, 0, 0 },
	{ "iret, TF set", ENDS, POPS | SETS_TF, 3, 0, 0 },
	{ "iret", ENDS, POPS, 3, 0, 0 },
	{ "int 82h", TRAPS, 0, 0, DONE, 0 },
	{ "int 80h", TRAPS, 0, 0, 0x80, 0 },
	{ "int3", TRAPS, 0, 0, BP, 0 },
	{ "into", TRAPS, 0, 0, OF, 0 },
	{ "into without OF", ENDS, 0, 0, 0, 0 },
	{ "icebp", TRAPS, 0, 0, DB, 0 },
	{ "ud2", FAULTS, 0, 0, UD, 0 },
	{ "div by 0", FAULTS, 0, 0, DE, 0 },
	{ "mov of the monitor's selector to fs", FAULTS, 0, 0, GP, 0xff98 },
	{ "load from nowhere", FAULTS, 0, 0, PF, 0 },
	{ "bound", FAULTS, DATA, 0, BR, 0 },
	{ "lar", ENDS, UNDEFINED, 0, 0, 0 },
	{ "xlat", ENDS, 0, 0, 0, 0 },
	{ "popcnt", ENDS, DATA, 0, 0, 0 },
	{ "fild", ENDS, DATA, 0, 0, 0 },
	{ "fnop", ENDS, 0, 0, 0, 0 },
	{ "movups", ENDS, DATA, 0, 0, 0 },
	{ "fxsave", ENDS, 0, 0, 0, 0 },
	{ "cmpxchg8b", ENDS, DATA, 0, 0, 0 },
	{ "bswap", ENDS, 0, 0, 0, 0 },
};

const u32 n_forms = ARRAY_SIZE(forms);

bool form_left_out(u32 i, u32 ring)
{
	return ring && forms[i].flags & RING_0;
}

u32 form_esp(u32 i)
{
	return (u32)attempt_stack + PAGE - 64 - 4 * forms[i].pushed;
}

/* What the instructions find at data_page. */
static void fill_data(u32 end)
{
	struct dtr gdtr = { sizeof(gdt) - 1, (u32)gdt };
	struct dtr idtr = { sizeof(idt) - 1, (u32)idt };

	poke(data_page, end);
	poke(data_page + 4, at.in.cs);
	poke(data_page + 8, at.in.ss);
	poke(data_page + 12, read_cr0());
	poke(data_page + 16, read_cr3());
	poke(data_page + 20, read_cr4());
	memcpy((void *)(data_page + 24), &gdtr, sizeof(gdtr));
	memcpy((void *)(data_page + 40), &idtr, sizeof(idtr));
}

u32 form_code(u32 i, const void *between, u32 n, u32 *insn, u32 *end)
{
	const u8 *p = form_bytes;
	u32 code, start;

	while (i--) {
		p += 1 + *p;
		p += 1 + *p;
	}
	code_new();
	emit_bytes(p + 1, *p);
	start = *p + n;
	p += 1 + *p;
	emit_bytes(between, n);
	emit_bytes(p + 1, *p);
	emit(0x90);
	code = code_end();
	*insn = code + start;
	*end = *insn + *p;

	at.in.esp = (u32)attempt_stack + PAGE - 64;
	at.in.eax = at.in.ss;
	at.in.ebx = *end;
	at.in.ecx = 3;
	at.in.edx = 0x2000;
	at.in.esi = data_page;
	at.in.edi = data_page + 0x40;
	fill_data(*end);
	idt[0x80] |= 3ull << 45;
	return code;
}

bool form_faults(u32 i, u32 *vector, u32 *error)
{
	*vector = forms[i].vector;
	*error = forms[i].error;
	if (at.ring && forms[i].flags & PRIVILEGED) {
		*vector = GP;
		*error = 0;
		return true;
	}
	if (forms[i].vector == PF && at.ring)
		*error |= PF_U;
	return forms[i].end == FAULTS;
}

void form_settle(u32 i)
{
	/* The FPU notes where its last instruction was; CR0 is loaded and stored as it is. */
	memset((void *)(data_page + 64), 0, 512);
	poke(data_page + 12, 0);
	poke(data_page + 20, 0);
	if (forms[i].flags & UNDEFINED) {
		at.out.eax = 0;
		at.out.ecx = 0;
		at.out.edx = 0;
		at.out.ebx = 0;
	}
	/* Loads of these come from data_page, too. */
	if (!memcmp(forms[i].name, "mov to cr", 9))
		at.out.eax = 0;
}
