// SPDX-License-Identifier: GPL-2.0
/*
 * The emulator in its surroundings: ports, CPUID, MSRs, control registers, and
 * the delivery of what it raises.
 */
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "vm/cpuid.h"
#include "vm/exec_internal.h"
#include "vm/msr.h"

static u64 emu_tsc(struct vmon_emu *e)
{
	return rdtsc() + e->cpu->tsc_offset;
}

static int emu_in(struct vmon_emu *e, u16 port, unsigned int len, u32 *val)
{
	struct vmon_exec *x = e->priv;

	if (vmon_io_read(x->vcpu, VMON_SPACE_PORT, port, len, val))
		return VMON_EMU_RETRY;
	vmon_trace(x->vcpu, VMON_TRACE_IN, port, *val);
	return VMON_EMU_OK;
}

static int emu_out(struct vmon_emu *e, u16 port, unsigned int len, u32 val)
{
	struct vmon_exec *x = e->priv;

	/* Nobody else's then: an exit is all that an attempt costs. */
	if (x->selfcheck && port == VMON_SELFCHECK_PORT) {
		vmon_selfcheck_attempt(x->selfcheck, val);
		return VMON_EMU_OK;
	}
	if (vmon_io_write(x->vcpu, VMON_SPACE_PORT, port, len, val))
		return VMON_EMU_RETRY;
	vmon_trace(x->vcpu, VMON_TRACE_OUT, port, val);
	return VMON_EMU_OK;
}

static void emu_cpuid(struct vmon_emu *e, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	/* Guests read the host's counter: what the host trusts, they may. */
	bool constant = !check_tsc_unstable();

	vmon_cpuid(eax, ebx, ecx, edx, true, false, constant ? tsc_khz : 0);
}

/*
 * Weaknesses that this host's CPU does not have, in the terms of
 * IA32_ARCH_CAPABILITIES (SDM vol. 4): the guest runs on the same CPU, and
 * guards itself against what is left.
 */
static u64 arch_capabilities(void)
{
	u64 caps = 0;

	if (!boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN))
		caps |= ARCH_CAP_RDCL_NO;
	if (!boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS))
		caps |= ARCH_CAP_SSB_NO;
	if (!boot_cpu_has_bug(X86_BUG_MDS))
		caps |= ARCH_CAP_MDS_NO;
	if (!boot_cpu_has_bug(X86_BUG_TAA))
		caps |= ARCH_CAP_TAA_NO;
	if (!boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA))
		caps |= ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO;
	if (!boot_cpu_has_bug(X86_BUG_GDS))
		caps |= ARCH_CAP_GDS_NO;
	return caps;
}

static bool emu_rdmsr(struct vmon_emu *e, u32 msr, u64 *val)
{
	e->cpu->arch_capabilities = arch_capabilities();
	return vmon_msr_read(e->cpu, emu_tsc(e), msr, val);
}

static bool emu_wrmsr(struct vmon_emu *e, u32 msr, u64 val)
{
	struct vmon_exec *x = e->priv;
	u64 efer = e->cpu->efer;

	if (!vmon_msr_write(e->cpu, emu_tsc(e), msr, val))
		return false;
	if (e->cpu->efer != efer) {
		vmon_mmu_flush(x->mmu);
		vmon_exec_flush_tlb(x);
	}
	return true;
}

static int emu_set_cr(struct vmon_emu *e, unsigned int cr, u32 old)
{
	const u32 paging0 = VMON_CR0_PG | VMON_CR0_PE | VMON_CR0_WP;
	const u32 paging4 = VMON_CR4_PAE | VMON_CR4_PSE | VMON_CR4_PGE;
	struct vmon_exec *x = e->priv;
	struct vmon_cpu *cpu = e->cpu;
	bool mode, root;

	mode = (cr == 0 && (cpu->cr0 ^ old) & (VMON_CR0_PG | VMON_CR0_PE)) ||
	       (cr == 4 && (cpu->cr4 ^ old) & (VMON_CR4_PAE | VMON_CR4_PSE));
	root = cr == 3 || mode || (cr == 0 && (cpu->cr0 ^ old) & paging0) ||
	       (cr == 4 && (cpu->cr4 ^ old) & paging4);
	if (!root)
		return VMON_EMU_OK;
	if (vmon_pae_paging(cpu) &&
	    !vmon_walk_load_pdptrs(cpu, &vmon_exec_phys_ops, x))
		return vmon_emu_fault_code(e, VMON_EXC_GP, 0);
	vmon_count(x->vcpu, CR3_LOADS);
	vmon_trace(x->vcpu, VMON_TRACE_CR, cr, cpu->cr3);
	vmon_exec_flush_tlb(x);
	vmon_mmu_load_root(x->mmu, cpu);
	if (mode) {
		vmon_mmu_flush(x->mmu);
		vmon_exec_code_flush(x);
	} else {
		vmon_exec_code_root(x);
	}
	return VMON_EMU_OK;
}

static void emu_invlpg(struct vmon_emu *e, u32 gva)
{
	struct vmon_exec *x = e->priv;

	/* The shadow never holds what the tables do not say; the TLB here may. */
	vmon_count(x->vcpu, INVLPG);
	vmon_exec_flush_tlb(x);
}

const struct vmon_emu_ops vmon_exec_emu_ops = {
	.read = vmon_exec_mem_read,
	.write = vmon_exec_mem_write,
	.in = emu_in,
	.out = emu_out,
	.cpuid = emu_cpuid,
	.rdmsr = emu_rdmsr,
	.wrmsr = emu_wrmsr,
	.tsc = emu_tsc,
	.set_cr = emu_set_cr,
	.invlpg = emu_invlpg,
};

enum vmon_run vmon_exec_error(struct vmon_exec *x, const char *what)
{
	const struct vmon_cpu *cpu = &x->vcpu->cpu;
	const struct vmon_insn *insn = &x->emu.insn;
	int n;

	n = scnprintf(x->vcpu->report, sizeof(x->vcpu->report),
		      "%s at %04x:%08x cpl %u eflags %08x cr0 %08x cr3 %08x cr4 %08x eax %08x ecx %08x edx %08x ebx %08x esp %08x ebp %08x esi %08x edi %08x; last decoded: %s,",
		      what, cpu->seg[VMON_CS].sel, cpu->eip, cpu->cpl, cpu->eflags,
		      cpu->cr0, cpu->cr3, cpu->cr4, cpu->gpr[0], cpu->gpr[1],
		      cpu->gpr[2], cpu->gpr[3], cpu->gpr[4], cpu->gpr[5],
		      cpu->gpr[6], cpu->gpr[7], vmon_op_name(insn->op));
	scnprintf(x->vcpu->report + n, sizeof(x->vcpu->report) - n, " %*ph",
		  min_t(int, insn->len, VMON_INSN_MAX), insn->bytes);
	vmon_trace(x->vcpu, VMON_TRACE_STOP, 0, 0);
	return VMON_RUN_ERROR;
}

enum vmon_run vmon_exec_inject(struct vmon_exec *x, const struct vmon_emu_exc *exc)
{
	vmon_count(x->vcpu, EXC_INJECTED);
	vmon_trace(x->vcpu, VMON_TRACE_INJECT, exc->vector,
		   exc->vector == VMON_EXC_PF ? exc->cr2 : exc->error);
	switch (vmon_emu_deliver(&x->emu, exc)) {
	case VMON_EMU_OK:
		return VMON_RUN_AGAIN;
	case VMON_EMU_RETRY:
		return vmon_exec_error(x, "interrupt delivery through device memory is not supported");
	default:
		return vmon_exec_error(x, "this way of interrupt delivery is not supported");
	}
}

/* What the emulator says of an instruction that it has executed, or not. */
static enum vmon_run emulated(struct vmon_exec *x, enum vmon_why why, int res)
{
	enum vmon_run run;

	vmon_count(x->vcpu, EMULATED_INSNS);
	x->vcpu->op_count[x->emu.insn.op]++;
	x->retry = false;
	/* The CPU does not know it, whatever else the emulator finds wrong first. */
	if (why == VMON_WHY_UD && (x->emu.insn.flags & VMON_I_FPU))
		return vmon_exec_inject(x, &(struct vmon_emu_exc){ .vector = VMON_EXC_UD });
	if (res == VMON_EMU_FPU) {
		/*
		 * It writes to a traced frame: give up the trace, the next ones need none. This
		 * one is done here, since translating it may trace its own frame again.
		 */
		if (why == VMON_WHY_TRACE)
			vmon_exec_untrace(x, x->cr2);
		run = vmon_exec_fpu(x, &res);
		if (run != VMON_RUN_AGAIN)
			return run;
	}
	switch (res) {
	case VMON_EMU_OK:
		return VMON_RUN_AGAIN;
	case VMON_EMU_FAULT:
		return vmon_exec_inject(x, &x->emu.exc);
	case VMON_EMU_RETRY:
		x->retry = true;
		return VMON_RUN_AGAIN;
	default:
		return vmon_exec_error(x, "an instruction is not supported");
	}
}

enum vmon_run vmon_exec_emulate(struct vmon_exec *x, enum vmon_why why)
{
	/* Of the instruction before this one, if this cannot be fetched. */
	x->emu.insn.flags = 0;
	return emulated(x, why, vmon_emulate(&x->emu));
}

/**
 * vmon_exec_emulate_site() - emulate the instruction that translated code stopped at
 * @x:		execution state; CS:EIP is at the instruction, @x->site is its place in the cache
 * @why:	why it is emulated
 *
 * While its unit holds, the instruction is what it was when it was translated, and may
 * be fetched. Code breakpoints are not met: code that has some is not translated.
 */
enum vmon_run vmon_exec_emulate_site(struct vmon_exec *x, enum vmon_why why)
{
	const struct vmon_insn *insn = x->site ? vmon_exec_decoded(x, x->site) : NULL;
	u32 generation = vmon_bt_generation(x->bt);
	int res;

	if (insn) {
		x->emu.insn = *insn;
		return emulated(x, why, vmon_emu_exec(&x->emu));
	}
	res = vmon_emulate(&x->emu);
	if (x->site && res == VMON_EMU_OK)
		vmon_exec_keep_decoded(x, x->site, generation);
	return emulated(x, why, res);
}
