// SPDX-License-Identifier: GPL-2.0
/*
 * x87, MMX and SSE operands, 2 to 512 bytes of them: in the last page, reaching into it from
 * the page below, and over the end of the address space.
 */
#include "attempt.h"

enum { R = 1, W = 2 };

static const struct mapping *mapping;
static u32 ring;

static const struct place {
	const char *name;
	u32 gva;		/* of an operand of 16 bytes; the edges are moved by others */
	bool edge;		/* the last @into bytes are behind it */
	u32 into;
} places[] = {
	{ "inside", TOP + 0x240, false, 0 },
	{ "1 into it", TOP, true, 1 },
	{ "all but 1 into it", TOP, true, ~0u },
	{ "over the end", 0, true, 1 },
};

static bool prepare(const char *name, const struct place *p, u32 size)
{
	u32 into = p->into == ~0u ? size - 1 : p->into;

	if (!begin(ring, "%s %s, %s", name, mapping->name, p->name))
		return false;
	top_is(mapping->bits);
	/* A number that any format can be: 1.0 and zeroes. */
	memset((void *)top_frame, 0, PAGE);
	memset((void *)below_frame, 0, PAGE);
	memset((void *)zero_frame, 0, PAGE);
	at.in.edi = p->edge ? p->gva - size + into : p->gva;
	at.in.esi = data_page;
	asm volatile("fninit; fldpi; fld1");
	return true;
}

static void verdict(const struct place *p, u32 size, u32 access, bool aligned)
{
	int error = access_fault(ring, mapping->bits, access & W);
	u32 gva = at.in.edi < TOP && p->gva ? TOP : at.in.edi;

	if (aligned && p->edge) {
		expect_fault(GP, 0);
	} else if (error >= 0) {
		expect_fault(PF, error);
		if (at.vector == PF)
			expect(at.cr2 >= gva && at.cr2 - gva < size, "cr2 %x, not %x", at.cr2, gva);
		/* Of a long one, which part is tried first, and what is written until then? */
		at.cr2 = gva;
		at.undigested = size > 10 || p->edge;
	} else {
		expect_done();
	}
	end();
}

#define WIDE(name, size, access, aligned, insn)				\
do {									\
	u32 p_;								\
									\
	for (p_ = 0; p_ < ARRAY_SIZE(places); p_++)			\
		if (prepare(name, &places[p_], size)) {			\
			run(CODE(insn));				\
			verdict(&places[p_], size, access, aligned);	\
		}							\
} while (0)

static void x87(void)
{
	WIDE("fld single", 4, R, false, "flds (%%edi); fstps (%%esi)");
	WIDE("fld double", 8, R, false, "fldl (%%edi); fstps (%%esi)");
	WIDE("fld extended", 10, R, false, "fldt (%%edi); fstps (%%esi)");
	WIDE("fild", 8, R, false, "fildq (%%edi); fstps (%%esi)");
	WIDE("fbld", 10, R, false, "fbld (%%edi); fstps (%%esi)");
	WIDE("fst double", 8, W, false, "fstl (%%edi)");
	WIDE("fstp extended", 10, W, false, "fstpt (%%edi)");
	WIDE("fistp", 4, W, false, "fistpl (%%edi)");
	WIDE("fbstp", 10, W, false, "fbstp (%%edi)");
	WIDE("fnstcw", 2, W, false, "fnstcw (%%edi)");
	WIDE("fnstsw", 2, W, false, "fnstsw (%%edi)");
	WIDE("fadd", 8, R, false, "faddl (%%edi); fstps (%%esi)");
}

/* These hold addresses of instructions; what they show is no part of this. */
static void environments(void)
{
#define ENVIRONMENT(name, size, access, aligned, insn)			\
do {									\
	u32 p_;								\
									\
	for (p_ = 0; p_ < ARRAY_SIZE(places); p_++)			\
		if (prepare(name, &places[p_], size)) {			\
			run(CODE(insn));				\
			at.undigested = true;				\
			verdict(&places[p_], size, access, aligned);	\
		}							\
} while (0)
	ENVIRONMENT("fnstenv", 28, W, false, "fnstenv (%%edi)");
	ENVIRONMENT("fnsave", 108, W, false, "fnsave (%%edi)");
	ENVIRONMENT("fxsave", 512, W, true, "fxsave (%%edi)");
	ENVIRONMENT("fldenv", 28, R, false, "fldenv (%%edi)");
	ENVIRONMENT("frstor", 108, R, false, "frstor (%%edi)");
	ENVIRONMENT("fxrstor", 512, R, true, "fxrstor (%%edi)");
}

static void sse(void)
{
	asm volatile("movups (%0), %%xmm1; movups 16(%0), %%xmm2; movq 32(%0), %%mm1"
		     : : "r"(data_page));
	WIDE("movq mmx load", 8, R, false, "movq (%%edi), %%mm0; movq %%mm0, (%%esi)");
	WIDE("movq mmx store", 8, W, false, "movq %%mm1, (%%edi)");
	WIDE("paddd mmx", 8, R, false, "paddd (%%edi), %%mm1; movq %%mm1, (%%esi)");
	WIDE("movups load", 16, R, false, "movups (%%edi), %%xmm0; movups %%xmm0, (%%esi)");
	WIDE("movups store", 16, W, false, "movups %%xmm1, (%%edi)");
	WIDE("movaps load", 16, R, true, "movaps (%%edi), %%xmm0; movups %%xmm0, (%%esi)");
	WIDE("movaps store", 16, W, true, "movaps %%xmm1, (%%edi)");
	WIDE("movntps", 16, W, true, "movntps %%xmm2, (%%edi)");
	WIDE("movsd store", 8, W, false, "movsd %%xmm1, (%%edi)");
	WIDE("movss load", 4, R, false, "movss (%%edi), %%xmm0; movss %%xmm0, (%%esi)");
	WIDE("movd store", 4, W, false, "movd %%xmm2, (%%edi)");
	WIDE("pxor", 16, R, true, "pxor (%%edi), %%xmm1; movups %%xmm1, (%%esi)");
	WIDE("addsd", 8, R, false, "addsd (%%edi), %%xmm1; movups %%xmm1, (%%esi)");
	WIDE("cvtsi2sd", 4, R, false, "cvtsi2sd (%%edi), %%xmm0; movsd %%xmm0, (%%esi)");
	WIDE("stmxcsr", 4, W, false, "stmxcsr (%%edi)");
	WIDE("ldmxcsr", 4, R, false, "ldmxcsr (%%edi)");
	asm volatile("emms");
}

/* The bytes that the mask selects go to (%edi). */
static void masked(void)
{
	u32 all;

	for (all = 0; all < 2; all++)
		if (begin(ring, "maskmovdqu of %s bytes %s", all ? "all" : "the upper",
			  mapping->name)) {
			top_is(mapping->bits);
			at.in.edi = all ? TOP + 0x20 : TOP - 8;
			memset((void *)data_page, 0, PAGE);
			memset((void *)(data_page + (all ? 0 : 8)), 0x80, all ? 16 : 8);
			at.in.esi = data_page;
			run(CODE("movups (%%esi), %%xmm3; maskmovdqu %%xmm3, %%xmm3"));
			at.code += 3;
			if (access_fault(ring, mapping->bits, true) >= 0)
				expect_pf(access_fault(ring, mapping->bits, true),
					  all ? TOP + 0x20 : TOP);
			else
				expect_done();
			end();
		}
}

void guest_main(void)
{
	u32 i;

	attempts_begin(true);
	for (ring = 0; ring <= 3; ring += 3)
		for (i = 0; i < 2; i++) {
			mapping = &mappings[i];
			x87();
			environments();
			sse();
			masked();
		}
	attempts_end();
}
