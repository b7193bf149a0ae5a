// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU that guest code runs on: this one, at ring 3.
 *
 * modify_ldt() gives data segments that end below the top page and a %gs segment
 * on the monitor page. The cache is a memfd mapped twice: writable for the
 * translator, executable for the code. A callout's INT raises #GP; the SIGSEGV
 * handler, on its own stack, does what the monitor does. Entering is the same
 * way backwards: UD2 at a known place, whose handler loads the guest's state.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <linux/kernel.h>

#include "bt_run.h"

#define CALLOUT_ERROR	(VMON_BT_VECTOR * 8 + 2)
#define TRAP_DB		1
#define TRAP_GP		13
#define LDT_SEL(n)	((n) * 8 + 7)

struct vmon_bt *bt;
struct vmon_mpage *mpage;
struct counters counters;
u16 guest_sel[VMON_NR_SREGS];

static struct state *cur;
static const struct run *how;
static bool emulating;		/* one guest instruction runs natively */
static gregset_t outer;
static void *host;		/* the cache, writable */
static u16 cs_native, cs_translated;
static u8 handler_stack[65536] __attribute__((aligned(16)));

/* State of the outer world that the signal stub needs. */
u16 outer_gs;
extern const char enter_insn[];
void signal_stub(int sig, siginfo_t *si, void *uc);

/* The C library finds its thread by %gs. */
asm(".text\n"
	".globl signal_stub\n"
	"signal_stub:\n"
	"	mov	outer_gs, %gs\n"
	"	jmp	on_signal\n");

static u32 seed = 1;

void rnd_seed(u32 s)
{
	seed = s * 2654435761u + 12345;
}

u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

u32 rnd_below(u32 n)
{
	return (u32)(((u64)rnd() * n) >> 32);
}

static const u8 greg_of[8] = {
	REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI
};

static void load_state(greg_t *g, const struct state *s)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		g[greg_of[i]] = s->gpr[i];
	g[REG_UESP] = s->gpr[VMON_ESP];
	g[REG_EIP] = s->eip;
	g[REG_EFL] = s->eflags & ~VMON_FL_TF;
	if (how->step || emulating)
		g[REG_EFL] |= VMON_FL_TF;
	g[REG_CS] = how->translated && !emulating ? cs_translated : cs_native;
	g[REG_DS] = guest_sel[VMON_DS];
	g[REG_ES] = guest_sel[VMON_ES];
	g[REG_SS] = guest_sel[VMON_SS];
	g[REG_FS] = guest_sel[VMON_FS];
	g[REG_GS] = guest_sel[VMON_GS];
}

static void save_state(const ucontext_t *uc, struct state *s)
{
	const greg_t *g = uc->uc_mcontext.gregs;
	unsigned int i;

	for (i = 0; i < 8; i++)
		s->gpr[i] = g[greg_of[i]];
	s->eip = g[REG_EIP];
	s->eflags = g[REG_EFL];
	s->trap = g[REG_TRAPNO];
	s->error = g[REG_ERR];
	s->cr2 = s->trap == 14 ? uc->uc_mcontext.cr2 : 0;
}

static bool stop(const char *lost)
{
	cur->lost = lost;
	return false;
}

/* What happens to units at any time in a real monitor. */
static void stress(u32 eip)
{
	if (!how->stress || rnd_below(how->stress))
		return;
	switch (rnd_below(4)) {
	case 0:
		vmon_bt_force_callout(bt, eip);
		break;
	case 1:
		vmon_bt_invalidate_gpa(bt, eip - CODE, 1);
		break;
	case 2:
		vmon_bt_invalidate_gva(bt, eip, 1);
		break;
	case 3:
		if (!rnd_below(8))
			vmon_bt_flush(bt, TC);
		break;
	}
}

static bool enter(u32 eip)
{
	if (vmon_bt_enter(bt, eip, &cur->eip)) {
		cur->eip = eip;
		return stop("enter");
	}
	return true;
}

/* The guest is about to execute @eip; the cache's own steps do not show it. */
static void arrive(u32 eip)
{
	struct state s = *cur;

	s.eip = eip;
	if (how->step && how->on_step)
		how->on_step(&s);
}

/* By the emulator, or natively in a single step. */
static bool emulate(void)
{
	if (!memcmp((void *)cur->eip, "\x0f\x0b", 2)) {
		cur->trap = 6;
		cur->error = 0;
		return false;
	}
	/* a single step's TF in images of the flags is not for it */
	switch (how->step || !rnd_below(4) ? EMU_NOT : emu_step(cur)) {
	case EMU_DONE:
		counters.emulator++;
		return enter(cur->eip);
	case EMU_FAULT:
		counters.emulator++;
		return false;
	default:
		emulating = true;
		return true;
	}
}

/* Return: go on; otherwise the state is the guest's, and final. */
static bool callout(void)
{
	struct vmon_bt_pos pos;
	u32 site = cur->eip;

	if (vmon_bt_locate(bt, site, &pos))
		return stop("callout is nowhere");
	stress(pos.eip);
	switch (pos.site) {
	case VMON_BT_EMULATE:
		counters.emulate++;
		cur->eip = pos.eip;
		return emulate();
	case VMON_BT_CHAIN:
		counters.chain++;
		arrive(pos.target);
		if (vmon_bt_resume(bt, site, pos.target, &cur->eip))
			return stop("resume");
		return true;
	case VMON_BT_LOOKUP:
		counters.lookup++;
		arrive(mpage->guest_eip);
		if (vmon_bt_resume(bt, site, mpage->guest_eip, &cur->eip))
			return stop("resume");
		return true;
	case VMON_BT_PENDING:
		counters.pending++;
		mpage->pending = 0;
		arrive(pos.target);
		return enter(pos.target);
	}
	return stop("callout of no kind");
}

void cpu_trace_code(bool on)
{
	mprotect((void *)CODE, CODE_LEN,
		 PROT_READ | PROT_EXEC | (on ? 0 : PROT_WRITE));
}

void cpu_write_code(u32 gva, const void *buf, unsigned int len)
{
	cpu_trace_code(false);
	memcpy((void *)gva, buf, len);
	cpu_trace_code(true);
	vmon_bt_invalidate_gpa(bt, gva - CODE, len);
}

/* The guest wrote to its code: emulated, and the units dropped. */
static bool traced_write(void)
{
	counters.traced++;
	return emu_step(cur) == EMU_DONE ? enter(cur->eip) :
	       stop("traced write is not emulated");
}

/* A fault in translated code: bring the guest's state back. */
static bool fault(void)
{
	struct vmon_bt_pos pos;
	unsigned int i;

	if (vmon_bt_locate(bt, cur->eip, &pos))
		return stop("fault is nowhere");
	if (pos.site != VMON_BT_COPY)
		return stop("fault at a callout");
	cur->eip = pos.eip;
	for (i = 0; i < 8; i++)
		if (pos.recover & (1u << i))
			cur->gpr[i] = mpage->spill[i];
	if (cur->trap == 14 && cur->error & VMON_PF_W &&
	    cur->cr2 - CODE < CODE_LEN)
		return traced_write();
	return false;
}

static bool step_translated(void)
{
	u32 generation = vmon_bt_generation(bt);
	struct vmon_bt_pos pos;

	counters.steps++;
	if (vmon_bt_locate(bt, cur->eip, &pos))
		return stop("step is nowhere");
	if (!pos.boundary)
		return true;
	arrive(pos.eip);
	stress(pos.eip);
	/* come in again, as after an interrupt */
	if (!rnd_below(4) || vmon_bt_generation(bt) != generation)
		return enter(pos.eip);
	return true;
}

static bool trap(void)
{
	if (emulating) {
		emulating = false;
		if (cur->trap != TRAP_DB)
			return false;
		arrive(cur->eip);
		return enter(cur->eip);
	}
	if (!how->translated) {
		if (cur->trap != TRAP_DB)
			return false;
		counters.steps++;
		arrive(cur->eip);
		return true;
	}
	if (cur->trap == TRAP_GP && cur->error == CALLOUT_ERROR)
		return callout();
	if (cur->trap == TRAP_DB)
		return step_translated();
	return fault();
}

__attribute__((used))
void on_signal(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;

	if (g[REG_EIP] == (greg_t)enter_insn) {
		memcpy(outer, g, sizeof(outer));
		outer[REG_EIP] += 2;
		load_state(g, cur);
		return;
	}
	save_state(uc, cur);
	if (trap())
		load_state(g, cur);
	else
		memcpy(g, outer, sizeof(outer));
}

void cpu_run(struct state *s, const struct run *run)
{
	cur = s;
	how = run;
	emulating = false;
	s->lost = NULL;
	mpage->vif = VMON_FL_IF;
	if (run->translated && vmon_bt_enter(bt, s->eip, &s->eip)) {
		s->lost = "enter";
		return;
	}
	asm volatile(".globl enter_insn\nenter_insn:\n\tud2" ::: "memory");
}

bool cpu_pushes_half(void)
{
	u32 slot;

	asm volatile("pushl $-1\n\t"
		     "leal 4(%%esp), %%esp\n\t"
		     "pushl %%ds\n\t"
		     "popl %0" : "=r"(slot));
	return slot >> 16;
}

static int fetch(void *priv, u32 gva, void *buf, unsigned int len, u64 *gpa)
{
	if (gva - CODE >= CODE_LEN)
		return -1;
	memcpy(buf, (void *)gva, len);
	*gpa = gva - CODE;
	return len;
}

static void protect(void *priv, u32 gfn)
{
}

static void *alloc(size_t size)
{
	return malloc(size);
}

static const struct vmon_bt_ops ops = { fetch, protect, alloc, free };

static bool set_ldt(unsigned int n, u32 base, u32 limit, bool pages, bool code)
{
	struct user_desc d = {
		.entry_number = n, .base_addr = base, .limit = limit,
		.seg_32bit = 1, .contents = code ? 2 : 0,
		.limit_in_pages = pages, .useable = 1,
	};

	return !syscall(SYS_modify_ldt, 1, &d, sizeof(d));
}

static void *map(u32 at, u32 len, int prot, int fd)
{
	int flags = (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) |
		    (at ? MAP_FIXED_NOREPLACE : 0);
	void *p = mmap((void *)at, len, prot, flags, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool setup_signals(void)
{
	static const int sigs[] = { SIGSEGV, SIGILL, SIGTRAP, SIGFPE, SIGBUS };
	stack_t ss = { .ss_sp = handler_stack, .ss_size = sizeof(handler_stack) };
	struct sigaction sa = {
		.sa_sigaction = signal_stub,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	unsigned int i;

	asm volatile("mov %%gs, %0" : "=r"(outer_gs));
	asm volatile("mov %%cs, %0" : "=r"(cs_native));
	if (sigaltstack(&ss, NULL))
		return false;
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		if (sigaction(sigs[i], &sa, NULL))
			return false;
	return true;
}

bool cpu_new_bt(void)
{
	vmon_bt_destroy(bt);
	bt = vmon_bt_create(&ops, NULL, host, TC_LEN, TC);
	return bt;
}

bool cpu_setup(void)
{
	int fd = memfd_create("tc", 0);
	unsigned int i;

	if (fd < 0 || ftruncate(fd, TC_LEN) ||
	    !map(CODE, CODE_LEN, PROT_READ | PROT_WRITE | PROT_EXEC, -1) ||
	    !map(DATA, DATA_LEN, PROT_READ | PROT_WRITE, -1) ||
	    !map(STACK, STACK_LEN, PROT_READ | PROT_WRITE, -1) ||
	    !map(TC, TC_LEN, PROT_READ | PROT_EXEC, fd)) {
		printf("# no memory at the guest's addresses\n");
		return false;
	}
	host = map(0, TC_LEN, PROT_READ | PROT_WRITE, fd);
	mpage = map(0, 4096, PROT_READ | PROT_WRITE, -1);
	if (!host || !mpage)
		return false;
	if (!set_ldt(0, 0, VMON_LIMIT >> 12, true, false) ||
	    !set_ldt(1, (u32)mpage, 0xfff, false, false) ||
	    !set_ldt(2, 0, VMON_LIMIT >> 12, true, true)) {
		printf("# modify_ldt does not work\n");
		return false;
	}
	if (!setup_signals())
		return false;
	cs_translated = LDT_SEL(2);
	for (i = 0; i < VMON_NR_SREGS; i++)
		guest_sel[i] = LDT_SEL(0);
	guest_sel[VMON_GS] = LDT_SEL(1);
	guest_sel[VMON_CS] = cs_native;
	for (i = 0; i < VMON_NR_SREGS; i++)
		mpage->sel[i] = guest_sel[i];
	return cpu_new_bt();
}
