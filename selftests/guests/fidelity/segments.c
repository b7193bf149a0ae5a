// SPDX-License-Identifier: GPL-2.0
/*
 * Segments of a process: thread areas, an LDT with code and data of 16 and 32 bits, and
 * the FPU under all of them; what LAR and its kin, SGDT and its kin say. QEMU's TCG
 * enforces no limits, so what comes of them is only shown.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include "checks.h"

#define LDT_SEL(i)	((i) * 8 + 7)

static unsigned char *area;	/* a page that segments begin at */
static bool limits;		/* the CPU enforces them */

static int ldt(unsigned int i, unsigned long base, unsigned int limit, unsigned int contents,
	       bool b32, bool read_only, bool absent)
{
	struct user_desc d = {
		.entry_number = i, .base_addr = base, .limit = limit, .seg_32bit = b32,
		.contents = contents, .read_exec_only = read_only,
		.seg_not_present = absent, .useable = 1,
	};

	return syscall(SYS_modify_ldt, 0x11, &d, sizeof(d));
}

static void thread_area(void)
{
	struct user_desc d = {
		.entry_number = -1, .base_addr = (uintptr_t)area, .limit = 0xff, .seg_32bit = 1,
		.useable = 1,
	};
	uint32_t sel, value;
	int sig;

	expect(!syscall(SYS_set_thread_area, &d), "set_thread_area");
	shows("entry %u", d.entry_number);
	sel = d.entry_number * 8 + 3;
	*(uint32_t *)(area + 16) = 0x11223344;
	asm volatile("movl %1, %%fs; movl %%fs:16, %0" : "=r"(value) : "r"(sel));
	expect(value == 0x11223344, "read through FS");
	asm volatile("movl %0, %%fs:20" : : "r"(0x55));
	expect(area[20] == 0x55, "write through FS");
	sig = try_to(asm volatile("movl %%fs:0xfd, %0" : "=r"(value)));
	limits = sig;
	shows("beyond its limit: signal %d trap %d", sig, sig ? (int)fault_trap : 0);
	asm volatile("fildl %%fs:16; fistpl %0" : "=m"(value));
	expect(value == 0x11223344, "x87 through FS");
	asm volatile("movd %%fs:16, %%xmm0; movd %%xmm0, %0" : "=r"(value));
	expect(value == 0x11223344, "SSE through FS");
	/* A limit of 4 GiB wraps around below the base. */
	d.limit = 0xfffff;
	d.limit_in_pages = 1;
	d.base_addr = (uintptr_t)area + 64;
	expect(!syscall(SYS_set_thread_area, &d), "a whole address space");
	asm volatile("movl %1, %%fs; movl %%fs:-48, %0" : "=r"(value) : "r"(sel));
	expect(value == 0x11223344, "at a negative offset");
	asm volatile("movl %0, %%fs" : : "r"(0));
}

static void data(void)
{
	uint32_t value = 0;
	int sig;

	memset(area, 0, PAGE);
	expect(!ldt(0, (uintptr_t)area, 0xff, 0, true, false, false), "a data segment");
	expect(!ldt(1, (uintptr_t)area, 0xff, 0, true, true, false), "a read-only one");
	expect(!ldt(2, (uintptr_t)area - 0x10000 + PAGE, 0xf7ff, 1, false, false, false),
	       "one that expands down");
	expect(!ldt(3, (uintptr_t)area, 0xff, 0, true, false, true), "one that is not present");
	asm volatile("movl %0, %%fs; movl $0xabcd, %%fs:8" : : "r"(LDT_SEL(0)) : "memory");
	expect(*(uint32_t *)(area + 8) == 0xabcd, "write through the LDT");
	asm volatile("fildl %%fs:8; fistpl %0" : "=m"(value));
	expect(value == 0xabcd, "x87 through the LDT");
	asm volatile("movups %%fs:8, %%xmm1; movd %%xmm1, %0" : "=r"(value));
	expect(value == 0xabcd, "SSE through the LDT");
	sig = try_to(asm volatile("fildl %fs:0xfd; fstp %st"));
	shows("x87 beyond the limit: signal %d trap %d", sig, sig ? (int)fault_trap : 0);
	asm volatile("fninit");
	asm volatile("movl %0, %%fs" : : "r"(LDT_SEL(1)));
	sig = try_to(asm volatile("movl $1, %%fs:0" : : : "memory"));
	shows("write to the read-only one: signal %d trap %d", sig, sig ? (int)fault_trap : 0);
	asm volatile("movl %0, %%fs" : : "r"(LDT_SEL(2)));
	asm volatile("movl $77, %%fs:0xfff0" : : : "memory");
	expect(*(uint32_t *)(area + 0xff0) == 77, "write through the one that expands down");
	sig = try_to(asm volatile("movl %%fs:0xf7f0, %0" : "=r"(value)));
	shows("below its limit: signal %d trap %d", sig, sig ? (int)fault_trap : 0);
	sig = try_to(asm volatile("movl %0, %%fs" : : "r"(LDT_SEL(3))));
	expect(sig && fault_trap == 11, "load of the absent one: signal %d error %x", sig,
	       (unsigned int)fault_error);
	sig = try_to(asm volatile("movl %0, %%fs" : : "r"(LDT_SEL(9))));
	expect(sig && fault_trap == 13, "load of none: error %x", (unsigned int)fault_error);
	asm volatile("movl %%ds, %%ecx; movl %1, %%ds; movl 8, %0; movl %%ecx, %%ds"
		     : "=&a"(value) : "d"(LDT_SEL(0)) : "ecx", "memory");
	expect(value == 0xabcd, "DS from the LDT");
	asm volatile("movl %0, %%fs" : : "r"(0));
}

/* A far call to code of the LDT at the beginning of the area. */
static uint32_t far_call(uint16_t sel, const void *code, unsigned int len, uint32_t eax)
{
	struct {
		uint32_t offset;
		uint16_t sel;
	} __attribute__((packed)) target = { 0, sel };

	memcpy(area, code, len);
	asm volatile("lcall *%1" : "+a"(eax) : "m"(target) : "ecx", "edx", "memory", "cc");
	return eax;
}

static void code(void)
{
	static const uint8_t code32[] = { 0x83, 0xc0, 0x05, 0xcb };	/* add $5, %eax; lret */
	/* add $5, %ax; mov %ax, %cx; data32 lret */
	static const uint8_t code16[] = { 0x83, 0xc0, 0x05, 0x89, 0xc1, 0x66, 0xcb };
	/* fld1; fld1; faddp; movd %eax, %mm0; movd %mm0, %eax; emms; data32 lret */
	static const uint8_t fpu16[] = { 0xd9, 0xe8, 0xd9, 0xe8, 0xde, 0xc1, 0x0f, 0x6e, 0xc0,
					 0x0f, 0x7e, 0xc0, 0x0f, 0x77, 0x66, 0xcb };
	static const uint8_t cpuid16[] = { 0x53, 0x31, 0xc0, 0x0f, 0xa2, 0x5b, 0x66, 0xcb };
	uint32_t value = 0;
	int sig;

	mprotect(area, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	ldt(4, (uintptr_t)area, 0xff, 2, true, false, false);
	ldt(5, (uintptr_t)area, 0xff, 2, false, false, false);
	value = far_call(LDT_SEL(4), code32, sizeof(code32), 37);
	expect(value == 42, "32-bit code: %u", value);
	value = far_call(LDT_SEL(5), code16, sizeof(code16), 0x1ffff);
	expect(value == 0x10004, "16-bit code: %x", value);
	value = far_call(LDT_SEL(5), fpu16, sizeof(fpu16), 0x1234);
	expect(value == 0x1234, "x87 and MMX in 16-bit code: %x", value);
	value = far_call(LDT_SEL(5), cpuid16, sizeof(cpuid16), 0);
	shows("CPUID in 16-bit code: %s", value & 0xffff ? "leaves" : "none");
	sig = try_to(far_call(LDT_SEL(0), code32, sizeof(code32), 0));
	expect(sig == SIGSEGV && fault_trap == 13, "a far call to data: error %x",
	       (unsigned int)fault_error);
	if (!limits)
		return;
	/* It runs off the end of its segment. */
	memset(area, 0x90, PAGE);
	sig = try_to(far_call(LDT_SEL(4), "\x90", 1, 0));
	expect(sig == SIGSEGV && fault_trap == 13, "code that runs off its segment: eip %x",
	       (unsigned int)fault_eip);
	memset(area, 0x90, PAGE);
	area[0xfe] = 0x0f;
	area[0xff] = 0xa2;	/* CPUID, the last two bytes */
	sig = try_to(far_call(LDT_SEL(4), "\x90", 1, 0));
	expect(sig == SIGSEGV && fault_trap == 13, "and behind CPUID: eip %x",
	       (unsigned int)fault_eip);
}

/* On a 16-bit stack: the FPU, system calls, and ESP's upper half, which stays. */
static void stack16(void)
{
	uint32_t value = 0, pid = 0, esp = 0, upper, sel = LDT_SEL(6);

	if (ldt(6, (uintptr_t)area, 0xfff, 0, false, false, false)) {
		shows("no 16-bit stacks");
		return;
	}
	asm volatile("movl %%esp, %%esi; movl %%ss, %%edi\n"
		     "movl %4, %%ss; movw $0xf00, %%sp\n"
		     "pushl $4321; movzwl %%sp, %%ebx\n"
		     "fildl %%ss:(%%ebx); fistpl %%ss:(%%ebx); popl %%edx\n"
		     "movl $20, %%eax; int $0x80\n"
		     "movl %%esp, %%ecx\n"
		     "movl %%edi, %%ss; movl %%esi, %%esp"
		     : "=&d"(value), "=&a"(pid), "=&c"(esp), "=&S"(upper), "+b"(sel)
		     : : "edi", "memory", "cc");
	expect(value == 4321, "x87 on a 16-bit stack: %u", value);
	expect(pid == (uint32_t)getpid(), "a system call there");
	expect((esp & 0xffff) == 0xf00, "SP is as it was: %x", esp & 0xffff);
	expect(esp >> 16 == upper >> 16, "and the upper half of ESP");
}

static void look(const char *name, uint32_t sel)
{
	uint32_t lar = 0, lsl = 0, r, w, l, s;

	asm volatile("lar %4, %0; sete %b1\n"
		     "lsl %4, %2; sete %b3"
		     : "+r"(lar), "=q"(l), "+r"(lsl), "=q"(s) : "r"(sel) : "cc");
	asm volatile("verr %w2; sete %b0; verw %w2; sete %b1" : "=q"(r), "=q"(w) : "r"(sel) : "cc");
	shows("%s: LAR %u %x LSL %u %x VERR %u VERW %u", name, l & 1, lar, s & 1, lsl, r & 1,
	      w & 1);
}

static void looks(void)
{
	uint32_t cs, ss, gs;

	asm volatile("movl %%cs, %0; movl %%ss, %1; movl %%gs, %2" : "=r"(cs), "=r"(ss), "=r"(gs));
	look("CS", cs);
	look("SS", ss);
	look("GS", gs);
	look("null", 0);
	look("the kernel's CS", 0x60);
	look("the kernel's DS", 0x68);
	look("the TSS", 0x80);
	look("beyond the GDT", 0xfff8);
	look("LDT data", LDT_SEL(0));
	look("LDT read-only", LDT_SEL(1));
	look("LDT expand-down", LDT_SEL(2));
	look("LDT absent", LDT_SEL(3));
	look("LDT code", LDT_SEL(4));
	look("LDT empty", LDT_SEL(20));
	look("beyond the LDT", LDT_SEL(4000));
}

static void tables(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) dtr = { 0, 0 };
	volatile uint32_t val = 0;

	try_to(asm volatile("sgdt %0" : "=m"(dtr)));
	shows("SGDT: limit %x, base in %s", dtr.limit, dtr.base >> 28 >= 12 ? "the kernel" : "user space");
	try_to(asm volatile("sidt %0" : "=m"(dtr)));
	shows("SIDT: limit %x, base in %s", dtr.limit, dtr.base >> 28 >= 12 ? "the kernel" : "user space");
	try_to(asm volatile("sldt %w0" : "+r"(val)));
	shows("SLDT: %x", val & 0xffff);
	try_to(asm volatile("str %w0" : "+r"(val)));
	shows("STR: %x", val & 0xffff);
	try_to(asm volatile("smsw %w0" : "+r"(val)));
	shows("SMSW: %x", val & 0xffff & ~8u);	/* but TS */
}

int main(void)
{
	area = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	catch_faults();
	thread_area();
	data();
	code();
	looks();
	stack16();
	tables();
	return finish();
}
