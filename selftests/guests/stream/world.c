// SPDX-License-Identifier: GPL-2.0
/*
 * The world that a program runs in: made as it says, compared and restored afterwards.
 *
 * Each page of the program's has a copy of what it holds at first; what differs afterwards
 * goes into the digest, and back. So a program that changes little costs little, and the
 * next one starts from the same.
 */
#include "stream.h"

#define CR4_OWN		(CR4_OSFXSR | CR4_OSXMMEXCPT)
#define DR7_NONE	0x400u
#define DR6_NONE	0xffff0ff0u
#define WORDS		(PAGE / 4)
#define FLAT		(SEG_G | SEG_B32 | SEG_P)
#define RO		0x0011u		/* data that can be read, accessed */
#define FL_VIRTUAL	0x180000u	/* VIF, VIP: of VME, which vmon does not show */
#define NEVER		0x0001u		/* take this bit away: not accessed yet */
#define SEG_L		0x2000u
#define FX_WORDS	128u

#define ST_OFFSET(member, n) \
	_Static_assert(__builtin_offsetof(struct state, member) == (n), #member)
ST_OFFSET(in.esp, R_ESP);
ST_OFFSET(in.ss, R_SS);
ST_OFFSET(in.ebp, R_EBP);
ST_OFFSET(in.eip, R_EIP);
ST_OFFSET(in.cs, R_CS);
ST_OFFSET(in.gs, R_GS);
ST_OFFSET(in.cr0, R_CR0);
ST_OFFSET(out, S_OUT);
ST_OFFSET(way, S_WAY);
ST_OFFSET(vector, S_VECTOR);
ST_OFFSET(error, S_ERROR);
ST_OFFSET(cr2, S_CR2);
ST_OFFSET(root, S_ROOT);
ST_OFFSET(own_root, S_OWN_ROOT);
ST_OFFSET(inside, S_INSIDE);

extern u8 stream_stubs[], text_end[], image_end[];
void stream_enter(void);
void stream_tick(void);
void double_fault(void);
void double_fault_state(void);

union page state __attribute__((aligned(4096)));
static u64 gates[256] __attribute__((aligned(4096)));
static struct tss df_tss __attribute__((aligned(4096)));
static struct space spaces[2], *space;	/* the programs' */
static struct space own_spaces[2];
static u32 frame[P_FRAMES];
static u8 base[P_FRAMES][PAGE] __attribute__((aligned(4096)));	/* always */
static u8 want[P_FRAMES][PAGE] __attribute__((aligned(4096)));	/* with the program's code */
static u32 entry_addr[2][P_PLACES];
static u64 entry_now[2][P_PLACES];
static u32 fx_image[FX_WORDS] __attribute__((aligned(16)));
static u32 fx_now[FX_WORDS] __attribute__((aligned(16)));
static u32 digest;

/* --- at the start --- */

static u64 *gdt_now(void)
{
	return (u64 *)frame[P_GDT];
}

/* Segments for programs: what a kernel may have, and what only the architecture allows. */
static void make_descriptors(u64 *g)
{
	u64 *l = g + PAGE / 16;
	u32 i;

	memcpy(g, gdt, sizeof(gdt));
	g[DF_SEL / 8] = segment((u32)&df_tss, sizeof(df_tss) - 1, SEG_P | SEG_TSS);
	g[8] = segment(0, 0xfffff, FLAT | RO);
	g[9] = segment(DATA, 0xfff, SEG_B32 | SEG_P | SEG_DATA);
	g[10] = segment(0, DATA >> 12, FLAT | SEG_DATA | SEG_DOWN);
	g[11] = segment(0xffff0000, 0xfffff, FLAT | SEG_DPL(3) | SEG_DATA);
	g[12] = segment(0, 0xfffff, (FLAT | SEG_DPL(3) | SEG_DATA) & ~SEG_P);
	g[13] = segment(STACK, 0xffff, SEG_P | SEG_DATA);
	g[14] = segment(0, 0xfffff, FLAT | SEG_CODE | SEG_CONFORM);
	g[15] = segment(CODE, 0xffff, SEG_P | SEG_CODE);
	g[16] = segment(0, 0xffffe, FLAT | SEG_DPL(3) | SEG_DATA);
	g[17] = segment(0, 0xfffff, FLAT | SEG_DPL(3) | SEG_CODE | SEG_CONFORM);
	g[18] = gate(KERNEL_CS, CODE + 16, SEG_P | SEG_DPL(3) | GATE_CALL);
	g[19] = segment(0, 0xfffff, FLAT | SEG_CODE | SEG_L);
	g[20] = segment(0, 0xfffff, (FLAT | SEG_DATA) & ~NEVER);
	g[21] = segment(0, 0xfffff, (FLAT | SEG_DPL(3) | SEG_DATA) & ~NEVER);
	g[22] = segment(0, 0xffffe, FLAT | SEG_CODE);
	g[23] = segment(0, 0xffffe, FLAT | SEG_DATA);
	g[24] = segment(TOP, 0xfff, SEG_B32 | SEG_P | SEG_DPL(3) | SEG_DATA);
	g[LAST] = segment(frame[P_GDT] + PAGE / 2, LDT_ENTRIES * 8 - 1, SEG_P | SEG_LDT);
	for (i = 0; i < LDT_ENTRIES; i++)
		l[i] = g[8 + i * 2];
	l[0] = segment(0, 0xfffff, FLAT | SEG_DPL(3) | SEG_DATA);
	l[1] = segment(0, 0xfffff, FLAT | SEG_DATA);
	l[2] = segment(0, 0xfffff, FLAT | SEG_DPL(3) | SEG_CODE);
}

/* Once loaded, TR's descriptor is busy. */
static void load_registers(void)
{
	u64 *g = gdt_now();

	g[TSS_SEL / 8] = segment((u32)&tss, sizeof(tss) - 1, SEG_P | SEG_TSS);
	asm volatile("ltr %w0; lldt %w1" : : "r"(TSS_SEL), "r"(LDT_SEL) : "memory");
}

static void load_tables(void)
{
	struct dtr gdtr = { GDT_ENTRIES * 8 - 1, frame[P_GDT] };
	struct dtr idtr = { sizeof(gates) - 1, (u32)gates };

	asm volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
	load_registers();
}

/*
 * Of bytes that do no harm as instructions, wherever a program jumps: MOV of an immediate,
 * INT3, INC; and without VM, VIF and VIP, should it be popped as flags: Bochs cuts the EIP of a
 * return to virtual-8086 mode, where the SDM says #GP, and vmon shows no VME.
 */
static u32 pattern(u32 what)
{
	u32 hash = what * 0x9e3779b1u;

	hash ^= hash >> 15;
	hash = (hash * 0x85ebca6bu >> 4 & 0x0f050f0f) | 0xb040b0b0;
	return what & 0xc ? hash : (hash & 0xffffff) | 0xcc000000;
}

static void make_pages(void)
{
	enum place place;
	u32 off;

	for (place = 0; place < P_FRAMES; place++) {
		frame[place] = page_alloc();
		for (off = 0; off < PAGE; off += 4)
			*(u32 *)(base[place] + off) = pattern(place << 16 | off);
	}
	memset(base[P_CODE], 0xcc, PAGE);
	memset(base[P_CODE2], 0xcc, PAGE);
	memset(base[P_GDT], 0, PAGE);
	make_descriptors((u64 *)base[P_GDT]);
	for (place = 0; place < P_FRAMES; place++) {
		memcpy((void *)frame[place], base[place], PAGE);
		memcpy(want[place], base[place], PAGE);
	}
}

/* The framework's space first: what both have in common is in its tables. */
static void make_space(bool pae)
{
	const u32 own = PTE_P | PTE_A | (1u << 6);
	struct space *o = &own_spaces[pae], *s = &spaces[pae];
	enum place place;
	u32 va;

	*o = space_new(pae);
	*s = space_new(pae);
	for (va = 0; va < 16u << 20; va += PAGE) {
		pte_set(s, va, 0);
		if (va < 0x100000 || va >= (u32)image_end)
			pte_set(o, va, 0);
		else if (va < (u32)text_end)
			pte_set(o, va, va | own);
	}
	pte_set(s, (u32)&state, (u32)&state | own | PTE_W);
	pte_set(s, (u32)&tss, (u32)&tss | own | PTE_W);
	for (va = (u32)&tss + PAGE; va < (u32)(&tss + 1); va += PAGE)
		pte_set(s, va, va | own);
	pte_set(s, (u32)&df_tss, (u32)&df_tss | own | PTE_W);
	pte_set(s, (u32)gates, (u32)gates | own);
	pte_set(s, frame[P_GDT], frame[P_GDT] | own | PTE_W);
	for (place = 0; place < P_PLACES; place++)
		pte_set(o, place_va[place], 0);
	for (va = CODE; va < CODE + (8u << 20); va += 1u << 21)
		pde_set(s, va, pde_get(o, va));
	pde_set(s, 0, pde_get(o, 0));
	pde_set(s, 1u << 21, pde_get(o, 1u << 21));
	pde_set(s, TOP, pde_get(o, TOP));
	for (place = 0; place < P_PLACES; place++)
		entry_addr[pae][place] = pte_addr(s, place_va[place]);
}

/* Something in all registers, of every kind of number. */
static void make_fpu(void)
{
	static const u32 numbers[8][3] = {
		{ 0, 0x80000000, 0x3fff }, { 0x2168c235, 0xc90fdaa2, 0x4000 },
		{ 0, 0, 0 }, { 1, 0, 0 }, { 0, 0x80000000, 0x7fff }, { 1, 0xc0000000, 0x7fff },
		{ 0, 0xfa000000, 0xc00e }, { 7, 0xa0000000, 0x7fff },
	};
	u32 i;

	fx_image[0] = 0x37f;
	fx_image[1] = 0xff;
	fx_image[6] = 0x1f80;
	for (i = 0; i < 8; i++)
		memcpy(&fx_image[8 + 4 * i], numbers[i], sizeof(numbers[i]));
	for (i = 40; i < 72; i++)
		fx_image[i] = i % 5 ? i * 0x9e3779b1u : 0x3f800000u + i;
}

void world_init(void)
{
	u32 i, attr;

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NX);
	for (i = 0; i < 256; i++) {
		attr = i == BP || i == OF || i == DONE ? SEG_DPL(3) : 0;
		gates[i] = gate(KERNEL_CS, (u32)stream_stubs + i * STUB_SIZE,
				SEG_P | GATE_INT | attr);
	}
	gates[TICK] = gate(KERNEL_CS, (u32)stream_tick, SEG_P | GATE_INT);
	gates[DF] = gate(DF_SEL, 0, SEG_P | GATE_TASK);
	make_pages();
	make_space(false);
	make_space(true);
	make_fpu();
	load_tables();
	/* As it is now that it has been loaded. */
	base[P_GDT][TSS_SEL + 5] |= 2;
	want[P_GDT][TSS_SEL + 5] |= 2;

	df_tss.eip = (u32)double_fault;
	df_tss.eflags = FL_FIXED;
	df_tss.gpr[4] = (u32)state.s.df_stack + sizeof(state.s.df_stack) - 16;
	for (i = 0; i < 6; i++)
		df_tss.seg[i] = i == 1 ? KERNEL_CS : KERNEL_DS;
	df_tss.iomap = sizeof(df_tss);
	tss.ss0 = KERNEL_DS;
	tss.esp0 = (u32)&state + PAGE;
	tss.ldt = LDT_SEL;
	df_tss.ldt = LDT_SEL;
}

/* Pages, of 32 or 64 bits an entry. */
void world_format(bool pae)
{
	if (space == &spaces[pae])
		return;
	space = &spaces[pae];
	paging_off();
	write_cr4(CR4_OWN);
	df_tss.cr3 = space->root;
	tss.cr3 = space->root;
	state.s.root = space->root;
	state.s.own_root = own_spaces[pae].root;
	paging_on(&own_spaces[pae]);
	write_cr0(CR0_OWN);
}

/* --- before --- */

static void set_entry(enum place place, u64 entry)
{
	u32 addr = entry_addr[space->pae][place];
	u64 *now = &entry_now[space->pae][place];

	if (*now == entry)
		return;
	if (space->pae && (*now ^ entry) >> 32) {
		poke(addr, 0);
		poke(addr + 4, entry >> 32);
	}
	poke(addr, entry);
	*now = entry;
}

/* Into the page and its copy; what does not fit, into the page behind. */
static void put(enum place place, u32 off, const u8 *bytes, u32 len)
{
	u32 part = off + len > PAGE ? PAGE - off : len;

	memcpy((void *)(frame[place] + off), bytes, part);
	memcpy(want[place] + off, bytes, part);
	if (part == len)
		return;
	place = place == P_BELOW ? P_TOP : P_CODE2;
	memcpy((void *)frame[place], bytes + part, len - part);
	memcpy(want[place], bytes + part, len - part);
}

static void unput(enum place place, u32 off, u32 len)
{
	u32 part = off + len > PAGE ? PAGE - off : len;

	memcpy((void *)(frame[place] + off), base[place] + off, part);
	memcpy(want[place] + off, base[place] + off, part);
	if (part == len)
		return;
	place = place == P_BELOW ? P_TOP : P_CODE2;
	memcpy((void *)frame[place], base[place], len - part);
	memcpy(want[place], base[place], len - part);
}

static void reset_system(void)
{
	u32 zero = 0, dr6 = DR6_NONE, dr7 = DR7_NONE;

	write_cr2(0);
	asm volatile("movl %0, %%dr7; movl %1, %%dr6; movl %2, %%dr0; movl %2, %%dr1\n"
		     "movl %2, %%dr2; movl %2, %%dr3" : : "r"(dr7), "r"(dr6), "r"(zero));
}

void world_prepare(const struct program *p)
{
	enum place place;

	for (place = 0; place < P_PLACES; place++) {
		set_entry(place, p->pte[place] ? frame[place] | p->pte[place] : 0);
		invlpg(place_va[place]);
	}
	put(p->place, p->off, p->code, p->len);
	if (p->way == WAY_STEP) {
		const u32 iret[3] = { p->in.eip, p->in.cs, p->in.eflags };

		put(P_STACK, p->in.esp - 12 - STACK, (const u8 *)iret, sizeof(iret));
	}
	if (p->system)
		reset_system();
	asm volatile("fxrstor %0" : : "m"(fx_image));
	tss.esp0 = (u32)&state + PAGE;
	tss.ss0 = KERNEL_DS;
	tss.link = 0;
	state.s.in = p->in;
	state.s.way = p->way;
	memset(&state.s.out, 0, sizeof(state.s.out));
}

/* --- the run --- */

/* From the task of #DF: take what the program's own task was. */
void double_fault_state(void)
{
	struct regs *r = &state.s.out;

	r->eax = tss.gpr[0];
	r->ecx = tss.gpr[1];
	r->edx = tss.gpr[2];
	r->ebx = tss.gpr[3];
	r->esp = tss.gpr[4];
	r->ebp = tss.gpr[5];
	r->esi = tss.gpr[6];
	r->edi = tss.gpr[7];
	r->eip = tss.eip;
	r->eflags = tss.eflags & ~FL_RF;	/* an abort: not said */
	r->es = tss.seg[0];
	r->cs = tss.seg[1];
	r->ss = tss.seg[2];
	r->ds = tss.seg[3];
	r->fs = tss.seg[4];
	r->gs = tss.seg[5];
	write_flags(FL_FIXED);
}

/*
 * Did it stop at a load of several words? Which is read first, and so which address cannot be,
 * is for the CPU to choose. Of LES and its kin Intel's read the offset first, Bochs the
 * selector; of RETF and IRET Bochs reads CS, or the flags, before EIP; of 80-bit operands the
 * exponent before the rest.
 */
static bool at_long_load(void)
{
	u32 eip = state.s.out.eip + (state.s.out.cs == 15 * 8 ? CODE : 0), off = eip % PAGE;
	const u8 *code = NULL;
	enum place place;

	for (place = 0; place < P_PLACES; place++)
		if (place_va[place] == eip - off)
			code = (const u8 *)frame[place];
	for (; code && off < PAGE - 1; off++) {
		switch (code[off]) {
		case 0xc4: case 0xc5:
		case 0xca: case 0xcb: case 0xcf:
			return true;
		case 0xdb:		/* FLD, FSTP m80 */
			return code[off + 1] < 0xc0 && (code[off + 1] & 0x28) == 0x28;
		case 0xdf:		/* FBLD, FBSTP */
			return code[off + 1] < 0xc0 && (code[off + 1] & 0x28) == 0x20;
		case 0x0f:
			return code[off + 1] == 0xb2 || code[off + 1] == 0xb4 ||
			       code[off + 1] == 0xb5;
		case 0x26: case 0x2e: case 0x36: case 0x3e:
		case 0x64 ... 0x67: case 0xf2: case 0xf3:
			break;
		default:
			return false;
		}
	}
	return false;
}

void world_run(const struct program *p)
{
	/* One that has come meanwhile is not the program's. */
	asm volatile("sti; nop; nop; cli" : : : "memory");
	state.s.inside = 1;
	stream_enter();
	state.s.inside = 0;
	if (read_cr4() != (CR4_OWN | (space->pae ? CR4_PAE : 0)))
		write_cr4(CR4_OWN | (space->pae ? CR4_PAE : 0));
	if (p->tables || state.s.vector == DF)
		load_registers();
	if (p->system)
		reset_system();
	/* Of a double fault it may be of long ago. */
	state.s.out.eflags &= ~FL_VIRTUAL;
	if (state.s.vector != PF || at_long_load())
		state.s.cr2 = 0;
}

/* --- afterwards --- */

static void mix(u32 val)
{
	digest = ((digest << 5 | digest >> 27) ^ val) * 0x9e3779b1u;
}

/* Of the first @n words, the first that differs, or @n. */
static u32 differs(const u32 *a, const u32 *b, u32 n)
{
	u32 left = n;
	bool same;

	asm volatile("repe cmpsl" : "+S"(a), "+D"(b), "+c"(left), "=@cce"(same) : : "memory");
	return same ? n : n - left - 1;
}

/* @have becomes @good again. */
static void collect_words(u32 *have, const u32 *good, u32 n, u32 what)
{
	u32 i;

	for (i = 0; (i += differs(have + i, good + i, n - i)) < n; i++) {
		mix(what << 16 | i);
		mix(have[i]);
		have[i] = good[i];
		if (i + 1 == n)
			break;
	}
}

static void collect_fpu(void)
{
	u32 i;

	asm volatile("fxsave %0" : "=m"(fx_now));
	for (i = 0; i < 104; i++) {
		/* FOP, FIP, FCS, FDP, FDS: of the last instruction. */
		if (i >= 2 && i < 6)
			continue;
		if (i == 1)
			fx_now[i] &= 0xff;
		if (i == 7)
			continue;	/* MXCSR_MASK */
		if (fx_now[i] != fx_image[i]) {
			mix(0x100 + i);
			mix(fx_now[i]);
		}
	}
}

u32 world_collect(const struct program *p)
{
	const u32 *r = (const u32 *)&state.s.out;
	enum place place;
	u64 entry;
	u32 i;

	digest = 0;
	mix(state.s.vector << 16 | state.s.error);
	mix(state.s.cr2);
	for (i = 0; i < sizeof(state.s.out) / 4; i++)
		mix(r[i]);
	collect_fpu();
	/* Memory last: its first words are in the digest whatever comes. */
	for (place = 0; place < P_FRAMES; place++)
		collect_words((u32 *)frame[place], (const u32 *)want[place], WORDS, place);
	for (place = 0; place < P_PLACES; place++) {
		entry = pte_get(space, place_va[place]);
		if (entry == entry_now[space->pae][place])
			continue;
		mix(place);
		mix(entry);
		entry_now[space->pae][place] = entry;
	}
	unput(p->place, p->off, p->len);
	if (p->way == WAY_STEP)
		unput(P_STACK, p->in.esp - 12 - STACK, 12);
	return digest;
}

/* --- for a look at one program --- */

static void show_regs(const char *when, const struct regs *r)
{
	print("%s eax %08x ecx %08x edx %08x ebx %08x esp %08x ebp %08x esi %08x edi %08x\n", when,
	      r->eax, r->ecx, r->edx, r->ebx, r->esp, r->ebp, r->esi, r->edi);
	print("%s eip %08x flags %08x cs %x ss %x ds %x es %x fs %x gs %x cr0 %08x\n", when, r->eip,
	      r->eflags, r->cs, r->ss, r->ds, r->es, r->fs, r->gs, r->cr0);
}

void world_show(const struct program *p)
{
	static const char *const names[] = {
		"top", "below", "zero", "code", "code2", "stack", "data", "data2", "gdt",
	};
	const u32 *have, *good;
	u32 i, place;

	print("program %u:%u ring %u way %u pae %u at %s+%x:", p->seed, p->number, p->ring, p->way,
	      p->pae, names[p->place], p->off);
	for (i = 0; i < p->len; i++)
		print(" %02x", p->code[i]);
	print("\nentries");
	for (i = 0; i < P_PLACES; i++)
		print(" %s %x%s", names[i], (u32)p->pte[i], p->pte[i] >> 32 ? "+nx" : "");
	print("\n");
	show_regs("in ", &p->in);
	print("vector %x error %x cr2 %x\n", state.s.vector, state.s.error, state.s.cr2);
	show_regs("out", &state.s.out);
	for (place = 0; place < P_FRAMES; place++) {
		have = (const u32 *)frame[place];
		good = (const u32 *)want[place];
		for (i = 0; i < WORDS; i++)
			if (have[i] != good[i])
				print("%s+%03x %08x, was %08x\n", names[place], i * 4,
				      have[i], good[i]);
		if (place < P_PLACES && pte_get(space, place_va[place]) !=
		    entry_now[space->pae][place])
			print("entry of %s %x\n", names[place],
			      (u32)pte_get(space, place_va[place]));
	}
	asm volatile("fxsave %0" : "=m"(fx_now));
	for (i = 0; i < 104; i++)
		if ((i < 2 || i > 5) && i != 7 && fx_now[i] != fx_image[i])
			print("fxsave+%x %08x, was %08x\n", i * 4, fx_now[i], fx_image[i]);
}
