// SPDX-License-Identifier: GPL-2.0
/*
 * Code that changes itself: by every kind of store, into the next instruction, the same
 * block, the next, an earlier one, over the edge of a page, in a large page, through another
 * mapping of the frame, from the other ring; and code whose page becomes another one while it
 * runs. What was stored is what runs.
 */
#include "attempt.h"

#define CODE_AT	0x40000000u	/* two pages, frames[0] and [1] */
#define ALIAS	0x40010000u	/* the same ones again */
#define LARGE	0x00800000u	/* a large page's frame, mapped at LARGE_AT */
#define LARGE_AT 0x50000000u
#define OLD	0x11111111u	/* what is loaded first */
#define NEW	0x22222222u

/*
 * Stores to EDI of what makes NEW of OLD, as a rule. EDX is NEW, ESI where it is, followed by
 * what follows in the code; EAX is OLD. A record is: length, instructions.
 */
#define FORM(insns) ".byte 2f - 1f\n1: " insns "\n2:\n"
#define ON_STACK(insn) "movl %esp, %ebx; leal 4(%edi), %esp; " insn "; movl %ebx, %esp"
asm(".pushsection .rodata\n"
	".globl smc_forms\n"
	"smc_forms:\n"
	FORM("movl %edx, (%edi)")
	FORM("movw %dx, 2(%edi); movw %dx, (%edi)")
	FORM("movb %dl, (%edi); movb %dl, 1(%edi); movb %dl, 2(%edi); movb %dl, 3(%edi)")
	FORM("movl $0x22222222, (%edi)")
	FORM("xchgl %edx, (%edi)")
	FORM("lock addl %eax, (%edi)")
	FORM("lock cmpxchgl %edx, (%edi)")
	FORM("movl 4(%esi), %edx; movl %edx, %ecx; movl (%esi), %ebx; lock cmpxchg8b (%edi)")
	FORM("lock xaddl %eax, (%edi)")
	FORM("shll $1, (%edi)")
	FORM("xorl $0x33333333, (%edi)")
	FORM("btsl $1, (%edi)")
	FORM("notl (%edi)")
	FORM("movl %edx, %eax; stosl")
	FORM("movl $4, %ecx; movb %dl, %al; rep stosb")
	FORM("movsl")
	FORM("movl $8, %ecx; rep movsb")
	FORM(ON_STACK("pushl %edx"))
	FORM(ON_STACK("pushl (%esi)"))
	FORM("movl %esp, %ebx; movl %esi, %esp; popl (%edi); movl %ebx, %esp")
	FORM(ON_STACK("pushfl"))
	FORM(ON_STACK("call 3f; 3:"))
	FORM("leal 32(%edi), %esp; movl %edx, (%edi)")
	FORM("movnti %edx, (%edi)")
	FORM("movups (%esi), %xmm0; movups %xmm0, (%edi)")
	FORM("movq (%esi), %mm0; movq %mm0, (%edi); emms")
	FORM("fninit; fildl (%esi); fistpl (%edi)")
	FORM("movw %ds, (%edi)")
	FORM("clc; setnc (%edi)")
	".popsection\n");

extern const u8 smc_forms[];

enum kind { TO_NEW, TO_BTS, TO_NOT, TO_FLAGS, TO_NEXT, TO_SELECTOR, TO_SETCC };

static const struct {
	const char *name;
	enum kind kind;
} forms[] = {
	{ "mov", TO_NEW }, { "mov of words", TO_NEW }, { "mov of bytes", TO_NEW },
	{ "mov of an immediate", TO_NEW }, { "xchg", TO_NEW }, { "lock add", TO_NEW },
	{ "cmpxchg", TO_NEW }, { "cmpxchg8b", TO_NEW }, { "xadd", TO_NEW }, { "shl", TO_NEW },
	{ "xor", TO_NEW }, { "bts", TO_BTS }, { "not", TO_NOT }, { "stos", TO_NEW },
	{ "rep stos", TO_NEW }, { "movs", TO_NEW }, { "rep movs", TO_NEW }, { "push", TO_NEW },
	{ "push from memory", TO_NEW }, { "pop to memory", TO_NEW }, { "pushf", TO_FLAGS },
	{ "call", TO_NEXT }, { "mov, the stack beside", TO_NEW }, { "movnti", TO_NEW },
	{ "movups", TO_NEW }, { "movq", TO_NEW }, { "fistp", TO_NEW },
	{ "mov of a selector", TO_SELECTOR }, { "setcc", TO_SETCC },
};

enum { NEXT, SAME_BLOCK, NEXT_BLOCK, EARLIER, N_PLACES };

static const char *const places[N_PLACES] = {
	"the next instruction", "the same block", "the next block", "an earlier block",
};

static u32 frames[2];

/* What is being built: @at for the guest, @to for us. */
static u32 at_gva, patch, after;
static u8 *to;

static void put(const void *bytes, u32 n)
{
	memcpy(to, bytes, n);
	to += n;
	at_gva += n;
}

static void put_load(u32 val)
{
	put("\xb8", 1);
	patch = at_gva;
	put(&val, 4);
}

static const u8 *form_at(u32 i)
{
	const u8 *p = smc_forms;

	while (i--)
		p += 1 + *p;
	return p;
}

static void put_form(u32 i)
{
	const u8 *form = form_at(i);

	put(form + 1, *form);
	after = at_gva;
	if (forms[i].kind == TO_NEXT)
		after -= 2;		/* the last is: mov %ebx, %esp */
}

/* How many bytes there are before the immediate. */
static u32 lead(u32 i, u32 place)
{
	static const u8 between[N_PLACES] = { 1, 4, 3, 1 };

	return between[place] + (place == EARLIER ? 0 : *form_at(i));
}

/* The code, at @gva, which is @host for us. */
static void build(u32 i, u32 place, u32 gva, u32 host)
{
	u32 start = gva;
	s32 back;

	at_gva = gva;
	to = (u8 *)host;
	if (place == EARLIER) {
		put_load(OLD);
		put("\x4d\x78", 2);		/* decl %ebp; js behind */
		back = *form_at(i) + 2;
		put(&back, 1);
		put_form(i);
		back = start - (at_gva + 2);
		put("\xeb", 1);
		put(&back, 1);
	} else {
		put_form(i);
		if (place == SAME_BLOCK)
			put("\x90\x90\x90", 3);
		else if (place == NEXT_BLOCK)
			put("\xeb\x00", 2);
		put_load(OLD);
	}
	put("\xcd\x82\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90", 16);
}

static u32 wanted(u32 i, u32 place, u32 ring)
{
	switch (forms[i].kind) {
	case TO_BTS:
		return OLD | 2;
	case TO_NOT:
		return ~OLD;
	case TO_FLAGS:
		return FL_FIXED | (ring ? FL_IF : 0) | (place == EARLIER ? FL_ZF | FL_PF : 0);
	case TO_NEXT:
		return after;
	case TO_SELECTOR:
		return (OLD & 0xffff0000) | (ring ? USER_DS : KERNEL_DS);
	case TO_SETCC:
		return (OLD & 0xffffff00) | 1;
	default:
		return NEW;
	}
}

/* Run what was built at @gva, storing to @store; @host is where its immediate is for us. */
static void go(u32 i, u32 place, u32 gva, u32 store, u32 host)
{
	at.in.eax = OLD;
	at.in.edx = NEW;
	at.in.edi = store;
	at.in.esi = data_page;
	at.in.ebp = 1;
	poke(data_page, NEW);
	memcpy((void *)(data_page + 4), (void *)(host + 4), 12);
	at.flags = ~FL_ARITH;
	run(gva);
	expect_done();
	expect(at.out.eax == wanted(i, place, at.ring), "%s: eax is %x, not %x", places[place],
	       at.out.eax, wanted(i, place, at.ring));
}

static void map(void)
{
	u32 k;

	for (k = 0; k < 2; k++) {
		pte_set(&space, CODE_AT + k * PAGE, frames[k] | PTE_ALL);
		pte_set(&space, ALIAS + k * PAGE, frames[k] | PTE_ALL);
		invlpg(CODE_AT + k * PAGE);
		invlpg(ALIAS + k * PAGE);
	}
}

static void by_form(u32 ring, u32 i)
{
	u32 place, k;

	for (place = 0; place < N_PLACES; place++) {
		if (!begin(ring, "%s to %s", forms[i].name, places[place]))
			continue;
		map();
		/* Twice: what is there the second time was translated as the first left it. */
		for (k = 0; k < 2; k++) {
			build(i, place, CODE_AT + 0x100, frames[0] + 0x100);
			go(i, place, CODE_AT + 0x100, patch, patch - CODE_AT + frames[0]);
			again();
		}
		end();
	}
	if (begin(ring, "%s over the edge of a page", forms[i].name)) {
		map();
		for (place = 0; place < N_PLACES; place++)
			for (k = 0; k <= 4; k++) {
				u32 start = CODE_AT + PAGE - k - lead(i, place);

				/* The frames are neighbours. */
				build(i, place, start, start - CODE_AT + frames[0]);
				expect_eq(patch, CODE_AT + PAGE - k);
				go(i, place, start, patch, patch - CODE_AT + frames[0]);
				again();
			}
		end();
	}
	if (begin(ring, "%s through another mapping", forms[i].name)) {
		map();
		for (place = NEXT_BLOCK; place < N_PLACES; place++) {
			build(i, place, CODE_AT + 0x200, frames[0] + 0x200);
			go(i, place, CODE_AT + 0x200, patch - CODE_AT + ALIAS,
			   patch - CODE_AT + frames[0]);
			again();
		}
		end();
	}
	if (begin(ring, "%s in a large page", forms[i].name)) {
		pde_set(&space, LARGE_AT, LARGE | PTE_ALL | PTE_PS);
		invlpg(LARGE_AT);
		for (place = 0; place < N_PLACES; place++) {
			build(i, place, LARGE_AT + 0x12345, LARGE + 0x12345);
			go(i, place, LARGE_AT + 0x12345, patch, patch - LARGE_AT + LARGE);
			again();
		}
		end();
	}
}

/* --- from the other ring --- */

static void use_ring(u32 ring)
{
	at.in.cs = ring ? USER_CS : KERNEL_CS;
	at.in.ss = ring ? USER_DS : KERNEL_DS;
	at.in.ds = at.in.ss;
	at.in.es = at.in.ss;
	at.in.fs = at.in.ss;
	at.in.gs = at.in.ss;
	at.in.eflags = FL_FIXED | (ring ? FL_IF : 0);
}

static u32 run_load(u32 ring)
{
	again();
	use_ring(ring);
	run(CODE_AT + 0x300);
	expect_done();
	return at.out.eax;
}

static void other_ring(u32 ring)
{
	u32 store = CODE("movl %%edx, (%%edi)"), push = CODE("pushl %%edx"), i, k;

	for (i = 0; i < 3; i++) {
		if (!begin(ring, "%s what the other ring runs", i == 0 ? "mov to" : i == 1 ?
			   "push to" : "mov through another mapping to"))
			continue;
		map();
		at_gva = CODE_AT + 0x300;
		to = (u8 *)frames[0] + 0x300;
		put_load(OLD);
		put("\xcd\x82", 2);
		for (k = 0; k < 4; k++) {
			expect_eq(run_load(3 - ring), k ? NEW + k - 1 : OLD);
			expect_eq(run_load(ring), k ? NEW + k - 1 : OLD);
			again();
			use_ring(ring);
			at.in.edx = NEW + k;
			at.in.edi = i == 2 ? patch - CODE_AT + ALIAS : patch;
			if (i == 1)
				at.in.esp = patch + 4;
			run(i == 1 ? push : store);
			expect_done();
			/* At ring 0 the trap's frame was there: put the opcode back. */
			*(u8 *)(frames[0] + 0x300) = 0xb8;
		}
		expect_eq(run_load(3 - ring), NEW + 3);
		end();
	}
}

/* --- the page becomes another --- */

/* A page of: @before; mov $val, %eax; int DONE. */
static void put_page(u32 frame, u32 val)
{
	at_gva = CODE_AT + 0x400;
	to = (u8 *)frame + 0x400;
	put("\x89\x16", 2);		/* movl %edx, (%esi) */
	if (!at.ring)
		put("\x0f\x01\x3f", 3);	/* invlpg (%edi) */
	put_load(val);
	put("\xcd\x82", 2);
}

static void remapped(u32 ring)
{
	u32 k, other;

	if (begin(ring, "another frame for the page that runs")) {
		map();
		put_page(frames[0], OLD);
		put_page(frames[1], NEW);
		for (k = 0; k < 6; k++) {
			other = ~k & 1;
			at.in.edx = frames[other] | PTE_ALL;
			at.in.esi = pte_addr(&space, CODE_AT);
			at.in.edi = CODE_AT;
			run(CODE_AT + 0x400);
			expect_done();
			/* Without INVLPG either may be. */
			expect(at.out.eax == (other ? NEW : OLD) ||
			       (ring && at.out.eax == (other ? OLD : NEW)), "eax is %x",
			       at.out.eax);
			again();
			invlpg(CODE_AT);
		}
		at.by_model = ring;
		end();
	}
	if (begin(ring, "no frame for the page that runs")) {
		map();
		put_page(frames[0], OLD);
		at.in.edx = 0;
		at.in.esi = pte_addr(&space, CODE_AT);
		at.in.edi = CODE_AT;
		run(CODE_AT + 0x400);
		/* Behind the store or behind INVLPG; at ring 3 it may go on for ever. */
		if (!ring) {
			expect(at.vector == PF && !at.error && at.cr2 == at.out.eip &&
			       (at.cr2 == CODE_AT + 0x402 || at.cr2 == CODE_AT + 0x405),
			       "vector %u cr2 %x eip %x", at.vector, at.cr2, at.out.eip);
			if (on_vmon())
				expect_eq(at.cr2, CODE_AT + 0x402);
		}
		at.by_model = true;
		end();
	}
	if (begin(ring, "another frame, then what was there before is stored to")) {
		u32 load = CODE_AT + 0x500;

		map();
		for (k = 0; k < 6; k++) {
			at_gva = load;
			to = (u8 *)frames[k & 1] + 0x500;
			put_load(k);
			put("\xcd\x82", 2);
			pte_set(&space, CODE_AT, frames[k & 1] | PTE_ALL);
			invlpg(CODE_AT);
			run(load);
			expect_done();
			expect_eq(at.out.eax, k);
			again();
			*(u32 *)(frames[~k & 1] + 0x501) = 0x33333333;
			run(load);
			expect_eq(at.out.eax, k);
			again();
		}
		end();
	}
	if (begin(ring, "data beside the code that runs")) {
		map();
		at_gva = CODE_AT + 0x600;
		to = (u8 *)frames[0] + 0x600;
		put("\x89\x17\x8b\x07\x83\xc7\x04\x49\x75\xf6\xcd\x82", 12);
		/* movl %edx, (%edi); movl (%edi), %eax; addl $4, %edi; decl %ecx; jnz */
		at.in.ecx = 100;
		at.in.edi = CODE_AT + 0x610;
		run(CODE_AT + 0x600);
		expect_done();
		expect_eq(at.out.eax, at.in.edx);
		expect_eq(peek(frames[0] + 0x610 + 99 * 4), at.in.edx);
		end();
	}
}

void guest_main(void)
{
	u32 ring, i;

	attempts_begin(false);
	write_cr4(read_cr4() | CR4_PSE);
	frames[0] = page_alloc();
	frames[1] = page_alloc();
	for (ring = 0; ring <= 3; ring += 3) {
		for (i = 0; i < ARRAY_SIZE(forms); i++)
			by_form(ring, i);
		other_ring(ring);
		remapped(ring);
	}
	attempts_end();
}
