// SPDX-License-Identifier: GPL-2.0
/*
 * Registers as text, for people.
 */
#include <stdio.h>
#include <stdlib.h>

#include "vmond/vm.h"

/**
 * regs_text() - registers as text
 * @r: registers
 *
 * Return: text, to be freed; NULL if out of memory.
 */
char *regs_text(const struct vmon_regs *r)
{
	static const char * const gpr[8] = {
		"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
	};
	static const char * const seg[8] = {
		"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr",
	};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	unsigned int i;

	if (!f)
		return NULL;
	for (i = 0; i < 8; i++)
		fprintf(f, "%s=%08x%c", gpr[i], r->gpr[i], i % 4 == 3 ? '\n' : ' ');
	fprintf(f, "eip=%08x eflags=%08x cpl=%u\n", r->eip, r->eflags, r->cpl);
	for (i = 0; i < 8; i++)
		fprintf(f, "%-4s sel=%04x base=%08x limit=%08x attr=%04x\n", seg[i],
			r->seg[i].sel, r->seg[i].base, r->seg[i].limit, r->seg[i].attr);
	fprintf(f, "gdt  base=%08x limit=%04x\n", r->gdt_base, r->gdt_limit);
	fprintf(f, "idt  base=%08x limit=%04x\n", r->idt_base, r->idt_limit);
	fprintf(f, "cr0=%08x cr2=%08x cr3=%08x cr4=%08x\n",
		r->cr0, r->cr2, r->cr3, r->cr4);
	fprintf(f, "dr0=%08x dr1=%08x dr2=%08x dr3=%08x dr6=%08x dr7=%08x\n",
		r->dr[0], r->dr[1], r->dr[2], r->dr[3], r->dr[6], r->dr[7]);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
