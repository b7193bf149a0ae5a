// SPDX-License-Identifier: GPL-2.0
/*
 * Attempts: the state they start from, their verdict, their line of output.
 *
 * Whatever an attempt does to tables, pages and control registers is undone before the
 * next, from copies. A word "from=N" in the command line begins with the Nth, for whoever
 * starts the program again after the machine has ended in the middle of it.
 */
#include "attempt.h"
#include "attempt_asm.h"

#define SLOT		64u
#define SLOTS		1024u
#define SELFCHECK_PORT	0xe0	/* vmon looks at everything of its own from 1 to 0 */
#define INFO_CMDLINE	4u
#define CR4_USED	(CR4_PAE | CR4_PSE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT)

#define AT_OFFSET(member, n) \
	_Static_assert(__builtin_offsetof(struct regs, member) == (n), #member)
AT_OFFSET(eax, R_EAX);
AT_OFFSET(esp, R_ESP);
AT_OFFSET(ss, R_SS);
AT_OFFSET(ebp, R_EBP);
AT_OFFSET(eip, R_EIP);
AT_OFFSET(cs, R_CS);
AT_OFFSET(gs, R_GS);

struct attempt at;
struct space space;
u32 top_frame, below_frame, zero_frame, data_page;
u8 attempt_stack[PAGE] __attribute__((aligned(4096)));

extern u8 attempt_stubs[];
extern u32 boot_magic, boot_info;
void attempt_enter(void);
void double_fault(void);
void double_fault_state(void);

/* For enter.S. */
asm(".globl at_in, at_out, at_vector, at_error, at_cr2\n"
	".set at_in, at\n.set at_out, at + 64\n.set at_vector, at + 128\n"
	".set at_error, at + 132\n.set at_cr2, at + 136");
_Static_assert(__builtin_offsetof(struct attempt, vector) == 128, "vector");

static u8 slots[SLOTS * SLOT] __attribute__((aligned(4096)));
static u8 trap_stack[PAGE] __attribute__((aligned(16)));
static u8 df_stack[PAGE] __attribute__((aligned(16)));
static struct tss df_tss __attribute__((aligned(4096)));
static u64 saved_gdt[GDT_ENTRIES], saved_idt[256];
static u32 number, from = 1, passed, failed;
static u32 slot, fill;
static struct regs usual;	/* at.in as begin() has made it */
static bool bad;
static char line[160];
static u32 used;
static bool trying;
static u32 digest, carried;	/* carried: of the tries before this one */

/* --- the line of output --- */

static void put(char c)
{
	if (used < sizeof(line) - 1)
		line[used++] = c;
}

static void put_hex(u32 val)
{
	int shift = 28;

	while (shift && !(val >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		put("0123456789abcdef"[val >> shift & 15]);
}

/* The subset of a format that names need: %s %x %d %u, %%. */
static void put_format(const char *fmt, __builtin_va_list ap)
{
	const char *s;
	char digits[12];
	u32 val;
	int n;

	for (; *fmt; fmt++) {
		if (*fmt != '%' || fmt[1] == '%') {
			put(*fmt);
			fmt += *fmt == '%';
			continue;
		}
		switch (*++fmt) {
		case 'x':
			put_hex(__builtin_va_arg(ap, u32));
			break;
		case 's':
			for (s = __builtin_va_arg(ap, const char *); *s; s++)
				put(*s);
			break;
		default:
			val = __builtin_va_arg(ap, u32);
			if (*fmt == 'd' && val >> 31) {
				put('-');
				val = -val;
			}
			n = 0;
			do {
				digits[n++] = '0' + val % 10;
				val /= 10;
			} while (val);
			while (n)
				put(digits[--n]);
		}
	}
}

/* --- the state that every attempt starts from --- */

static void fill_frame(u32 frame)
{
	u32 off;

	for (off = 0; off < PAGE; off += 4)
		*(u32 *)(frame + off) = PATTERN(frame, off);
}

void top_is(u32 bits)
{
	pte_set(&space, TOP, bits ? top_frame | bits : 0);
	invlpg(TOP);
}

void below_is(u32 bits)
{
	pte_set(&space, BELOW, bits ? below_frame | bits : 0);
	invlpg(BELOW);
}

void zero_is(u32 bits)
{
	pte_set(&space, ZERO, bits ? zero_frame | bits : 0);
	invlpg(ZERO);
}

const struct mapping mappings[N_MAPPINGS] = {
	{ "absent", 0 },
	{ "mapped", PTE_ALL },
	{ "read-only", PTE_P | PTE_U },
	{ "supervisor", PTE_P | PTE_W },
};

int access_fault(u32 ring, u32 bits, bool write)
{
	u32 error = (ring == 3 ? PF_U : 0) | (write ? PF_W : 0);

	if (!(bits & PTE_P))
		return error;
	if ((write && !(bits & PTE_W)) || (ring == 3 && !(bits & PTE_U)))
		return error | PF_P;
	return -1;
}

static void reload_tables(void)
{
	struct dtr gdtr = { sizeof(gdt) - 1, (u32)gdt };
	struct dtr idtr = { sizeof(idt) - 1, (u32)idt };

	memcpy(gdt, saved_gdt, sizeof(gdt));
	memcpy(idt, saved_idt, sizeof(idt));
	asm volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
	asm volatile("ljmp %0, $1f\n"
		     "1: movl %1, %%ds; movl %1, %%es; movl %1, %%fs; movl %1, %%gs\n"
		     "movl %1, %%ss; lldt %w2; ltr %w3"
		     : : "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0), "r"(TSS_SEL) : "memory");
}

static void prepare(u32 ring)
{
	static const struct attempt none;

	write_cr0((read_cr0() & ~(CR0_TS | CR0_EM | CR0_AM)) | CR0_PG | CR0_WP | CR0_MP | CR0_NE);
	write_cr3(space.root);
	top_is(0);
	below_is(PTE_ALL);
	zero_is(PTE_ALL);
	fill_frame(top_frame);
	fill_frame(below_frame);
	fill_frame(zero_frame);
	fill_frame(data_page);
	reload_tables();
	tss.ss0 = KERNEL_DS;
	tss.esp0 = (u32)trap_stack + sizeof(trap_stack);
	tss.link = 0;

	at = none;
	at.ring = ring;
	at.flags = ~0u;
	at.in.eax = 0xa0a1a2a3;
	at.in.ecx = 0xc0c1c2c3;
	at.in.edx = 0xd0d1d2d3;
	at.in.ebx = 0xb0b1b2b3;
	at.in.ebp = 0xe0e1e2e3;
	at.in.esi = 0x50515253;
	at.in.edi = 0x60616263;
	at.in.esp = (u32)attempt_stack + sizeof(attempt_stack);
	at.in.eflags = FL_FIXED | (ring == 3 ? FL_IF : 0);
	at.in.cs = ring == 3 ? USER_CS : KERNEL_CS;
	at.in.ss = ring == 3 ? USER_DS : KERNEL_DS;
	at.in.ds = at.in.ss;
	at.in.es = at.in.ss;
	at.in.fs = at.in.ss;
	at.in.gs = at.in.ss;
	usual = at.in;
	carried = 0;
}

bool begin(u32 ring, const char *fmt, ...)
{
	__builtin_va_list ap;

	if (++number < from)
		return false;
	prepare(ring);
	bad = false;
	used = 0;
	put_format("ring ", NULL);
	put('0' + ring);
	put(' ');
	__builtin_va_start(ap, fmt);
	put_format(fmt, ap);
	__builtin_va_end(ap);
	return true;
}

/* --- code --- */

void code_new(void)
{
	slot = (slot + 1) % SLOTS;
	fill = 0;
}

void emit(u8 byte)
{
	if (fill < SLOT - 2)
		slots[slot * SLOT + fill++] = byte;
}

void emit_bytes(const void *bytes, u32 n)
{
	const u8 *p = bytes;

	while (n--)
		emit(*p++);
}

void emit32(u32 val)
{
	emit_bytes(&val, 4);
}

u32 code_end(void)
{
	u8 *p = &slots[slot * SLOT];

	p[fill] = 0xcd;
	p[fill + 1] = DONE;
	return (u32)p;
}

/* From the task of #DF: take what the attempt's own task was, and be that again. */
void double_fault_state(void)
{
	struct regs *r = &at.out;

	r->eax = tss.gpr[0];
	r->ecx = tss.gpr[1];
	r->edx = tss.gpr[2];
	r->ebx = tss.gpr[3];
	r->esp = tss.gpr[4];
	r->ebp = tss.gpr[5];
	r->esi = tss.gpr[6];
	r->edi = tss.gpr[7];
	r->eip = tss.eip;
	r->eflags = tss.eflags;
	r->es = tss.seg[0];
	r->cs = tss.seg[1];
	r->ss = tss.seg[2];
	r->ds = tss.seg[3];
	r->fs = tss.seg[4];
	r->gs = tss.seg[5];
	write_flags(FL_FIXED);
	asm volatile("clts");
	memcpy(gdt, saved_gdt, sizeof(gdt));
	asm volatile("ltr %w0" : : "r"(TSS_SEL) : "memory");
}

static void set_trying(bool now)
{
	if (trying != now)
		outb(SELFCHECK_PORT, now);
	trying = now;
}

void run(u32 code)
{
	at.code = code;
	if (!at.in.eip)
		at.in.eip = code;
	set_trying(!at.quick);
	attempt_enter();
	if (at.vector != PF && at.vector != DF)
		at.cr2 = 0;
}

/* --- verdict --- */

void expect(bool ok, const char *fmt, ...)
{
	char message[sizeof(line)];
	__builtin_va_list ap;
	u32 kept = used;

	if (ok)
		return;
	bad = true;
	memcpy(message, line, kept);
	used = 0;
	__builtin_va_start(ap, fmt);
	put_format(fmt, ap);
	__builtin_va_end(ap);
	line[used] = 0;
	print("# %u: %s\n", number, line);
	memcpy(line, message, kept);
	used = kept;
}

static void expect_vector(u32 vector, u32 error)
{
	expect(at.vector == vector && at.error == error,
	       "vector %u error %x cr2 %x eip %x (code %x), not vector %u error %x",
	       at.vector, at.error, at.cr2, at.out.eip, at.code, vector, error);
}

void expect_done(void)
{
	expect_vector(DONE, 0);
}

void expect_fault_at(u32 vector, u32 error, u32 eip)
{
	expect_vector(vector, error);
	expect(at.out.eip == eip, "eip %x, not %x (code %x)", at.out.eip, eip, at.code);
}

void expect_fault(u32 vector, u32 error)
{
	expect_fault_at(vector, error, at.code);
}

void expect_pf(u32 error, u32 cr2)
{
	expect_fault(PF, error);
	if (at.vector == PF)
		expect_eq(at.cr2, cr2);
}

void expect_same(u32 frame)
{
	u32 off, *p = (u32 *)frame;

	for (off = 0; off < PAGE; off += 4, p++)
		if (*p != PATTERN(frame, off))
			break;
	expect(off == PAGE, "%x in the frame is %x, not %x", off, peek(frame + off),
	       PATTERN(frame, off));
}

static void mix(u32 val)
{
	digest = ((digest << 5 | digest >> 27) ^ val) * 0x9e3779b1u;
}

static void mix_frame(u32 frame)
{
	u32 off;

	for (off = 0; off < PAGE; off += 4)
		mix(peek(frame + off));
}

static void mix_registers(void)
{
	struct regs r = at.out;
	u32 i;

	r.eflags &= at.flags;
	if (at.vector == DF)
		r.eflags &= ~FL_RF;	/* an abort: not said */
	for (i = 0; i < sizeof(r) / 4; i++)
		mix(((u32 *)&r)[i]);
}

void again(void)
{
	digest = carried;
	if (!at.undigested) {
		mix(at.vector);
		mix(at.error);
		mix(at.cr2);
		mix_registers();
	}
	carried = digest;
	at.in = usual;
}

static void make_digest(void)
{
	digest = carried;
	if (at.undigested)
		return;
	mix_registers();
	mix(pte_get(&space, TOP));
	mix(pte_get(&space, BELOW));
	mix(pte_get(&space, ZERO));
	mix_frame(top_frame);
	mix_frame(below_frame);
	mix_frame(zero_frame);
	mix_frame(data_page);
}

static void put_outcome(void)
{
	static const char *const names[] = {
		"DE", "DB", "NMI", "BP", "OF", "BR", "UD", "NM", "DF", "9", "TS", "NP", "SS",
		"GP", "PF", "15", "MF", "AC", "MC", "XM",
	};

	if (at.vector == DONE) {
		put_format("done", NULL);
	} else {
		if (at.vector < ARRAY_SIZE(names))
			put_format(names[at.vector], NULL);
		else
			put_hex(at.vector);
		put(' ');
		put_hex(at.error);
	}
	if (at.vector == PF || at.vector == DF) {
		put(' ');
		put_hex(at.cr2);
	}
	make_digest();
	put_format(" [", NULL);
	put_hex(digest);
	put(']');
}

void end(void)
{
	set_trying(false);
	put_format(" -> ", NULL);
	if (at.by_model)
		put_format("by model", NULL);
	else
		put_outcome();
	line[used] = 0;
	print("%s %u %s\n", bad ? "not ok" : "ok", number, line);
	if (bad)
		failed++;
	else
		passed++;
}

/* --- the program --- */

static void read_command_line(void)
{
	const char *s;

	if (boot_magic != 0x2badb002 || !boot_info || !(peek(boot_info) & INFO_CMDLINE))
		return;
	for (s = (const char *)peek(boot_info + 16); *s; s++) {
		if (memcmp(s, "from=", 5))
			continue;
		from = 0;
		for (s += 5; *s >= '0' && *s <= '9'; s++)
			from = from * 10 + *s - '0';
		return;
	}
}

void attempts_begin(bool pae)
{
	u32 i;

	read_command_line();
	for (i = 0; i < 256; i++)
		idt[i] = gate(KERNEL_CS, (u32)attempt_stubs + i * STUB_SIZE,
			      SEG_P | GATE_INT |
			      (i == BP || i == OF || i == DONE ? SEG_DPL(3) : 0));
	idt[DF] = gate(AT_DF_SEL, 0, SEG_P | GATE_TASK);
	gdt[AT_DF_SEL / 8] = segment((u32)&df_tss, sizeof(df_tss) - 1, SEG_P | SEG_TSS);
	/* TR's descriptor is busy now, and is to be loaded again. */
	gdt[TSS_SEL / 8] = segment((u32)&tss, sizeof(tss) - 1, SEG_P | SEG_TSS);
	memcpy(saved_gdt, gdt, sizeof(gdt));
	memcpy(saved_idt, idt, sizeof(idt));

	space = space_new(pae);
	top_frame = page_alloc();
	below_frame = page_alloc();
	zero_frame = page_alloc();
	data_page = page_alloc();
	write_cr4((read_cr4() & ~CR4_USED) | CR4_OSFXSR | CR4_OSXMMEXCPT);
	paging_on(&space);
	write_cr0((read_cr0() & ~CR0_EM) | CR0_MP | CR0_NE | CR0_WP);

	df_tss.cr3 = space.root;
	df_tss.eip = (u32)double_fault;
	df_tss.eflags = FL_FIXED;
	df_tss.gpr[4] = (u32)df_stack + sizeof(df_stack);
	df_tss.seg[1] = KERNEL_CS;
	for (i = 0; i < 6; i++)
		if (i != 1)
			df_tss.seg[i] = KERNEL_DS;
	df_tss.iomap = sizeof(df_tss);
	tss.cr3 = space.root;
	print("TAP version 13\n");
}

void attempts_end(void)
{
	print("1..%u\n", number);
	print("# %u attempts, %u as they have to be, %u not\n", passed + failed, passed, failed);
	finish(failed ? STATUS_FAIL : STATUS_PASS);
}
