// SPDX-License-Identifier: GPL-2.0
/*
 * refguest: runs a test guest on the reference machine (../machine), so on the
 * emulator alone: without a host to boot, and instruction-exact.
 *
 * usage: refguest [-t INSNS] guest.elf
 * Exit status: what the guest wrote to port F4h; 124 after too many instructions, 125
 * for anything else that stopped it.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define RAM		(16u << 20)
#define INFO		0x9000u
#define EXIT_PORT	0xf4
#define MAX_INSNS	400000000ull

static const struct vmon_emu_ops *machine_ops;
static int verdict = -1;

static int out(struct vmon_emu *e, u16 port, unsigned int len, u32 val)
{
	if (port == EXIT_PORT) {
		verdict = val & 0xff;
		return VMON_EMU_OK;
	}
	return machine_ops->out(e, port, len, val);
}

static int load(struct machine *m, const char *path)
{
	static u8 image[4 << 20];
	FILE *f = fopen(path, "rb");
	size_t size = f ? fread(image, 1, sizeof(image), f) : 0;
	Elf32_Ehdr *eh = (void *)image;
	Elf32_Phdr *ph = (void *)(image + eh->e_phoff);
	unsigned int i;

	if (f)
		fclose(f);
	if (size < sizeof(*eh) || memcmp(image, ELFMAG, SELFMAG))
		return -1;
	for (i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			memcpy(m->ram + ph[i].p_paddr, image + ph[i].p_offset, ph[i].p_filesz);
	m->cpu.eip = eh->e_entry;
	return 0;
}

static void flat(struct vmon_seg *seg, u16 sel, bool code)
{
	seg->sel = sel;
	seg->base = 0;
	seg->limit = 0xffffffff;
	seg->attr = VMON_SEG_G | VMON_SEG_DB | VMON_SEG_P | VMON_SEG_S | VMON_SEG_RW |
		    VMON_SEG_A | (code ? VMON_SEG_CODE : 0);
}

int main(int argc, char **argv)
{
	enum machine_result r = MACHINE_RUNNING;
	struct vmon_emu_ops ops;
	struct machine *m = machine_new(RAM);
	u64 trace = ~0ull;
	unsigned int i;
	u32 info[3] = { 1, 640, (RAM >> 10) - 1024 };

	if (argc == 4 && !strcmp(argv[1], "-t")) {
		trace = strtoull(argv[2], NULL, 0);
		argc -= 2;
		argv += 2;
	}
	if (argc != 2 || !m || load(m, argv[1])) {
		fprintf(stderr, "usage: refguest [-t FROM-INSN] guest.elf\n");
		return 125;
	}
	machine_ops = m->emu.ops;
	ops = *machine_ops;
	ops.out = out;
	m->emu.ops = &ops;
	memcpy(m->ram + INFO, info, sizeof(info));
	for (i = 0; i < VMON_NR_SREGS; i++)
		flat(&m->cpu.seg[i], 0x18, false);
	flat(&m->cpu.seg[VMON_CS], 0x10, true);
	m->cpu.cr0 = VMON_CR0_PE | VMON_CR0_ET;
	m->cpu.gpr[VMON_EAX] = 0x2badb002;
	m->cpu.gpr[VMON_EBX] = INFO;

	while (r == MACHINE_RUNNING && verdict < 0 && m->insns < MAX_INSNS) {
		if (m->insns >= trace)
			machine_report(m, stderr);
		r = machine_step(m);
	}
	if (verdict >= 0)
		return verdict;
	printf("machine: %s\n", r == MACHINE_RUNNING ? "too many instructions" :
	       m->cpu.shutdown ? "the guest triple-faulted" :
	       r == MACHINE_RESET ? "the guest reset itself" :
	       r == MACHINE_DEADLOCK ? "the guest halted" : "unsupported");
	if (r == MACHINE_UNSUPPORTED)
		machine_report(m, stdout);
	return r == MACHINE_RUNNING ? 124 : 125;
}
