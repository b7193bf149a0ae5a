/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small guests in real mode for tests of the module: 1 MiB of memory that the
 * test sees too, code at 1000h, registers to start there.
 */
#ifndef VMON_TEST_GUEST_H
#define VMON_TEST_GUEST_H

#include "vmonnl.h"

#define GUEST_SIZE	0x100000
#define GUEST_CODE	0x1000

struct guest {
	struct vnl *v;
	uint32_t vm;
	int memfd;
	volatile uint8_t *mem;
};

/* Code between two labels in assembler. */
#define GUEST_PROGRAM(name, code)				\
	extern const char name##_start[], name##_end[];		\
	asm(".pushsection .rodata\n.code16\n"			\
	    #name "_start:\n" code "\n" #name "_end:\n"		\
	    ".code64\n.popsection\n")

int guest_memfd(size_t size, bool seal);

/* Whether guest_new() asks for the self-check. */
extern bool guest_selfcheck;

/* A VM with memory; @claim_ms and @exec as in VM_NEW. Return: 0 or -errno. */
int guest_new(struct guest *g, struct vnl *v, const char *name,
	      unsigned int claim_ms, unsigned int exec);
void guest_load(struct guest *g, const char *start, const char *end);
int guest_set_regs(struct guest *g);
int guest_state(struct guest *g, enum vmon_state state);
int guest_simple(struct guest *g, int cmd);
int guest_range(struct guest *g, uint64_t port, uint64_t size, uint32_t id);
/* VM_GET; then vnl_get(g->v, VMON_A_STATE) and so on. */
int guest_get(struct guest *g);
int64_t guest_stat(struct guest *g, const char *name);
void guest_done(struct guest *g, uint32_t seq, const uint32_t *data);
uint32_t guest_u32(struct guest *g, uint32_t gpa);
void guest_free(struct guest *g);

#endif /* VMON_TEST_GUEST_H */
