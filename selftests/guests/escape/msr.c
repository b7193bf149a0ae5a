// SPDX-License-Identifier: GPL-2.0
/*
 * Model-specific registers: at ring 3 none can be read or written; at ring 0 those that there
 * are not, cannot. Which there are, is the model's: vmon's guests have those of
 * module/vm/msr.c and no others, so no access is ever the host's.
 */
#include "sweep.h"

#define GARBAGE	0x5a5a5a5au

/* At ring 3 the number does not matter: fewer will do. */
static const struct {
	const char *name;
	u32 first, last, last3;
} ranges[] = {
	{ "the first 8192 MSRs", 0, 0x1fff, 0x3ff },
	{ "MSRs from 40000000h on", 0x40000000, 0x400000ff, 0x4000000f },
	{ "MSRs from 4b564d00h on", 0x4b564d00, 0x4b564d0f, 0x4b564d0f },
	{ "MSRs from 80000000h on", 0x80000000, 0x800000ff, 0x8000000f },
	{ "MSRs from C0000000h on", 0xc0000000, 0xc0001fff, 0xc000010f },
	{ "MSRs from C0010000h on", 0xc0010000, 0xc00102ff, 0xc001003f },
	{ "the last MSRs", 0xffffff80, 0xfffffffe, 0xfffffffe },
};

/* module/vm/msr.c */
static const u32 readable[] = {
	0x10, 0x17, 0x1b, 0x2a, 0x3b, 0x8b, 0x10a, 0x174, 0x175, 0x176, 0x1a0, 0x1d9, 0xc0000080,
};

static const u32 writable[] = {
	0x10, 0x1b, 0x2a, 0x3b, 0x79, 0x8b, 0x174, 0x175, 0x176, 0x1a0, 0x1d9, 0xc0000080,
};

static u32 value;

static bool always(u32 msr)
{
	(void)msr;
	return true;
}

static bool not_readable(u32 msr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(readable); i++)
		if (readable[i] == msr)
			return false;
	return true;
}

static bool not_writable(u32 msr)
{
	u32 i;

	/* Reserved bits of EFER and of the APIC's base */
	if (value && (msr == MSR_EFER || msr == 0x1b))
		return true;
	for (i = 0; i < ARRAY_SIZE(writable); i++)
		if (writable[i] == msr)
			return false;
	return true;
}

static void sweep(u32 i, bool write)
{
	u32 last = at.ring ? ranges[i].last3 : ranges[i].last;
	struct sweep s = { ranges[i].first, last, value ? 1 : 3, .reg = 1, .n = 2 };

	memcpy(s.insn, write ? "\x0f\x30" : "\x0f\x32", 2);
	at.in.eax = value;
	at.in.edx = value;
	run_sweep(&s);
}

static void from_ring3(void)
{
	u32 i, write;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		for (write = 0; write < 2; write++)
			if (begin(3, "%s %s", write ? "wrmsr of" : "rdmsr of", ranges[i].name)) {
				value = GARBAGE;
				sweep(i, write);
				expect_refused(always);
				end();
			}
}

static void from_ring0(void)
{
	u32 i, pass, misc = on_vmon() ? rdmsr(0x1a0) : 0;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (begin(0, "rdmsr of %s", ranges[i].name)) {
			at.by_model = true;
			value = GARBAGE;
			sweep(i, false);
			if (on_vmon())
				expect_refused(not_readable);
			end();
		}
		/* A bare CPU has some that must not be written so. */
		for (pass = 0; pass < 2; pass++)
			if (begin(0, "wrmsr of %s, %s", ranges[i].name, pass ? "garbage" : "0")) {
				at.by_model = true;
				value = pass ? GARBAGE : 0;
				if (on_vmon()) {
					sweep(i, true);
					expect_refused(not_writable);
					wrmsr(MSR_SYSENTER_CS, 0);
					wrmsr(0x3b, 0);		/* TSC_ADJUST */
					wrmsr(0x1a0, misc);
				}
				end();
			}
	}
}

/* --- by name --- */

enum { NO = 1, READ = 2, WRITE = 4, BOTH = READ | WRITE };

static const struct {
	const char *name;
	u32 msr;
	u8 vmon;	/* what vmon's model has; NO: neither */
	bool everywhere;	/* every model has it so */
	u32 val;	/* that is written */
} named[] = {
	{ "SYSENTER_CS", 0x174, BOTH, true, 0x1234 },
	{ "SYSENTER_ESP", 0x175, BOTH, true, 0xfffffff0 },
	{ "SYSENTER_EIP", 0x176, BOTH, true, 0xfb080000 },
	{ "EFER", MSR_EFER, BOTH, true, EFER_NX },
	{ "EFER with SCE", MSR_EFER, READ, false, 1 },
	{ "EFER with LME", MSR_EFER, READ, false, 0x100 },
	{ "EFER with LMSLE", MSR_EFER, READ, false, 0x2000 },
	{ "STAR", 0xc0000081, NO, false, 0x100008 },
	{ "LSTAR", 0xc0000082, NO, false, 0x1000 },
	{ "CSTAR", 0xc0000083, NO, false, 0x1000 },
	{ "SFMASK", 0xc0000084, NO, false, 0 },
	{ "FS_BASE", 0xc0000100, NO, false, 0xfffff000 },
	{ "GS_BASE", 0xc0000101, NO, false, 0xfffff000 },
	{ "KERNEL_GS_BASE", 0xc0000102, NO, false, 0xfffff000 },
	{ "TSC_AUX", 0xc0000103, NO, false, 7 },
	{ "FEATURE_CONTROL", 0x3a, NO, false, 5 },
	{ "SPEC_CTRL", 0x48, NO, false, 7 },
	{ "PRED_CMD", 0x49, NO, false, 1 },
	{ "MTRR of ROM", 0x250, NO, false, 0 },
	{ "PAT", 0x277, NO, false, 0x07040600 },
	{ "MTRR_DEF_TYPE", 0x2ff, NO, false, 0 },
	{ "MCG_STATUS", 0x17a, NO, false, 0 },
	{ "PERFEVTSEL0", 0x186, NO, false, 0 },
	{ "PERF_GLOBAL_CTRL", 0x38f, NO, false, 0 },
	{ "DS_AREA", 0x600, NO, false, 0xfffff000 },
	{ "RTIT_CTL", 0x570, NO, false, 0 },
	{ "TSC_DEADLINE", 0x6e0, NO, false, 1 },
	{ "x2APIC's ICR", 0x830, NO, false, 0 },
	{ "x2APIC's EOI", 0x80b, NO, false, 0 },
	{ "U_CET", 0x6a0, NO, false, 0 },
	{ "S_CET", 0x6a2, NO, false, 0 },
	{ "XSS", 0xda0, NO, false, 0 },
	{ "VMX_BASIC", 0x480, NO, false, 0 },
	{ "SMBASE", 0x9e, NO, false, 0 },
	{ "UMWAIT_CONTROL", 0xe1, NO, false, 0 },
	{ "VM_CR", 0xc0010114, NO, false, 0 },
	{ "VM_HSAVE_PA", 0xc0010117, NO, false, 0x1000 },
	{ "HWCR", 0xc0010015, NO, false, 0 },
	{ "MISC_ENABLE", 0x1a0, BOTH, false, 1 },
	{ "DEBUGCTL", 0x1d9, BOTH, false, 0 },
	{ "APIC_BASE", 0x1b, BOTH, false, 0xfee00900 },
	{ "hypervisor's first", 0x40000000, NO, false, 0 },
	{ "KVM's clock", 0x4b564d01, NO, false, 1 },
	{ "nobody's", 0x1fff, NO, false, 0 },
};

static void by_name(void)
{
	u32 i, write;

	/* Whatever the firmware, or the attempts before, have left there. */
	wrmsr(MSR_SYSENTER_ESP, 0);
	wrmsr(MSR_SYSENTER_EIP, 0);
	for (i = 0; i < ARRAY_SIZE(named); i++)
		for (write = 0; write < 2; write++) {
			bool has = named[i].vmon & (write ? WRITE : READ);

			if (!begin(0, "%s %s", write ? "wrmsr" : "rdmsr", named[i].name))
				continue;
			at.by_model = !named[i].everywhere;
			at.in.ecx = named[i].msr;
			at.in.eax = named[i].val;
			at.in.edx = 0;
			if (on_vmon() || named[i].everywhere) {
				run(write ? CODE("wrmsr; movl $1, %%eax; rdmsr") : CODE("rdmsr"));
				if (has)
					expect_done();
				else
					expect_fault(GP, 0);
				if (has && write && named[i].everywhere)
					expect_eq(at.out.eax, named[i].val);
				wrmsr(MSR_SYSENTER_CS, 0);
				if (named[i].msr == MSR_EFER)
					wrmsr(MSR_EFER, 0);
			} else if (!write) {
				run(CODE("rdmsr"));
				expect(at.vector == DONE || (at.vector == GP && !at.error),
				       "vector %u error %x", at.vector, at.error);
			}
			end();
		}
}

void guest_main(void)
{
	attempts_begin(false);
	from_ring3();
	from_ring0();
	by_name();
	attempts_end();
}
