// SPDX-License-Identifier: GPL-2.0
/*
 * Around the world switch: the registers that are not changed by entry.S itself.
 *
 * The rule is that the guest runs with every register that could lead it, or an
 * event that it causes, anywhere but into the monitor's IDT, disarmed: SYSENTER
 * and SYSCALL would enter ring 0 at a host address, the host's debug registers would
 * raise #DB on its account, SMEP and SMAP would fault ring 1 (supervisor for
 * paging) on the guest's user pages, CET would want ENDBR of the guest.
 */
#include <linux/sched.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/kvm_para.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "vm/cpu.h"
#include "switch/speculation.h"
#include "switch/switch.h"

#define HOST_GDT_BYTES	(GDT_ENTRIES * 8)

/*
 * CR4 of the host that the guest keeps. The others are off, or the guest's own
 * (struct vmon_world_ctl). VMXE cannot be cleared after VMXON. FSGSBASE is of no
 * use to 32-bit code, and the host's NMI entry relies on it in the window in
 * which CR4 is the guest's and the IDT the host's.
 */
#define CR4_KEEP	(X86_CR4_PAE | X86_CR4_PGE | X86_CR4_MCE | X86_CR4_VMXE | \
			 X86_CR4_PCIDE | X86_CR4_LA57 | X86_CR4_FSGSBASE)

/* Emulators may have no such MSR and tell nobody, or tell it at each access. */
static bool has_debugctl;

bool vmon_syscall_vector_free;

void vmon_world_init(void)
{
	struct desc_ptr idt;
	u64 old, val;

	/* A gate for ring 3. Without it, the vector is one of those for devices. */
	store_idt(&idt);
	vmon_syscall_vector_free =
		((gate_desc *)idt.address + VMON_SYSCALL_VECTOR)->bits.dpl == 3;
	preempt_disable();
	has_debugctl = !rdmsrl_safe(MSR_IA32_DEBUGCTLMSR, &old) &&
		       !wrmsrl_safe(MSR_IA32_DEBUGCTLMSR, old | DEBUGCTLMSR_BTF) &&
		       !rdmsrl_safe(MSR_IA32_DEBUGCTLMSR, &val) &&
		       (val & DEBUGCTLMSR_BTF);
	if (has_debugctl)
		wrmsrl(MSR_IA32_DEBUGCTLMSR, old);
	preempt_enable();
}

/* Writing CR4 with the kernel's own function would re-pin SMEP and SMAP. */
static void write_cr4(unsigned long val)
{
	asm volatile("mov %0, %%cr4" : : "r" (val) : "memory");
}

static void write_cr0_raw(unsigned long val)
{
	asm volatile("mov %0, %%cr0" : : "r" (val) : "memory");
}

static unsigned long guest_cr4(unsigned long host, const struct vmon_world_ctl *c)
{
	unsigned long cr4 = host & CR4_KEEP;

	if (boot_cpu_has(X86_FEATURE_UMIP))
		cr4 |= X86_CR4_UMIP;
	if (c->tsd)
		cr4 |= X86_CR4_TSD;
	if (c->osfxsr)
		cr4 |= X86_CR4_OSFXSR;
	if (c->osxmmexcpt)
		cr4 |= X86_CR4_OSXMMEXCPT;
	return cr4;
}

static unsigned long guest_cr0(const struct vmon_world_ctl *c)
{
	unsigned long cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP |
			    X86_CR0_PG;

	if (c->ts)
		cr0 |= X86_CR0_TS;
	if (c->am)
		cr0 |= X86_CR0_AM;
	if (c->em)
		cr0 |= X86_CR0_EM;
	if (c->mp)
		cr0 |= X86_CR0_MP;
	return cr0;
}

/* The host's tables, and the transition GDT made from them. */
static void save_host_tables(struct vmon_area *a)
{
	struct desc_ptr dt;

	native_store_gdt(&dt);
	a->host_gdtr.limit = dt.size;
	a->host_gdtr.base = dt.address;
	store_idt(&dt);
	a->host_idtr.limit = dt.size;
	a->host_idtr.base = dt.address;
	asm volatile("str %0" : "=m" (a->host_tr));
	asm volatile("sldt %0" : "=m" (a->host_ldt));
	savesegment(ds, a->host_ds);
	savesegment(es, a->host_es);
	savesegment(fs, a->host_fs);
	savesegment(gs, a->host_gs);
	rdmsrl(MSR_FS_BASE, a->host_fs_base);
	rdmsrl(MSR_GS_BASE, a->host_gs_base);

	memcpy(a->trans_gdt, (void *)a->host_gdtr.base, HOST_GDT_BYTES);
	/* LTR wants an available TSS; in the host's own table it stays busy. */
	a->trans_gdt[a->host_tr / 8] &= ~(2ull << 40);
	a->trans_gdt[VMON_SEL_TSS / 8] =
		GDT_ENTRY(0x89, (u64)&a->tss & 0xffffffff, sizeof(a->tss) - 1);
	a->trans_gdt[VMON_SEL_TSS / 8 + 1] = (u64)&a->tss >> 32;
}

static void raise_late_events(struct vmon_area *a)
{
	u64 late = a->late;

	a->late = 0;
	/* NMIs are blocked from the NMI on until somebody's IRET. */
	if (late & VMON_LATE_MC)
		asm volatile("int $18");
	if (late & VMON_LATE_NMI)
		asm volatile("int $2");
}

/* The host's are off when this is called, and what else could hit is of the guest. */
static void load_breakpoints(const struct vmon_world_ctl *ctl)
{
	set_debugreg(ctl->dr[0], 0);
	set_debugreg(ctl->dr[1], 1);
	set_debugreg(ctl->dr[2], 2);
	set_debugreg(ctl->dr[3], 3);
	set_debugreg(DR6_RESERVED, 6);
	set_debugreg(ctl->dr7, 7);
}

/* After the exit: take what has hit, and put the host's back. */
static void unload_breakpoints(struct vmon_world *w, const struct vmon_world_ctl *ctl,
			       unsigned long host_dr7)
{
	unsigned long dr6;

	w->dr6 = 0;
	if (ctl->dr7)
		set_debugreg(0, 7);
	if (ctl->dr7 || w->area->frame.vector == X86_TRAP_DB) {
		get_debugreg(dr6, 6);
		w->dr6 = dr6;
		set_debugreg(DR6_RESERVED, 6);
	}
	if (!(host_dr7 & DR_GLOBAL_ENABLE_MASK))
		return;
	if (ctl->dr7)
		hw_breakpoint_restore();
	else
		set_debugreg(host_dr7, 7);
}

void vmon_world_run(struct vmon_world *w, const struct vmon_world_ctl *ctl)
{
	struct vmon_area *a = w->area;
	unsigned long cr0, cr4, dr7, debugctl = 0;
	bool fault_cpuid = ctl->cpuid_fault && boot_cpu_has(X86_FEATURE_CPUID_FAULT);
	u64 efer, sysenter_cs, misc_features = 0, vector;

	save_host_tables(a);
	a->host_cr3 = __read_cr3();
	cr0 = native_read_cr0();
	cr4 = native_read_cr4();
	if (cr4 & X86_CR4_PCIDE)
		a->host_cr3 |= X86_CR3_PCID_NOFLUSH;
	get_debugreg(dr7, 7);
	if (dr7 & DR_GLOBAL_ENABLE_MASK)
		set_debugreg(0, 7);
	if (has_debugctl) {
		debugctl = get_debugctlmsr();
		if (debugctl)
			update_debugctlmsr(0);
	}
	rdmsrl(MSR_EFER, efer);
	rdmsrl(MSR_IA32_SYSENTER_CS, sysenter_cs);
	wrmsrl(MSR_EFER, efer & ~EFER_SCE);
	wrmsrl(MSR_IA32_SYSENTER_CS, 0);
	a->frame.vector = VMON_VEC_POISON;
	vmon_flush_entry(w);
	if (fault_cpuid) {
		rdmsrl(MSR_MISC_FEATURES_ENABLES, misc_features);
		wrmsrl(MSR_MISC_FEATURES_ENABLES, misc_features |
		       MSR_MISC_FEATURES_ENABLES_CPUID_FAULT);
	}
	write_cr4(guest_cr4(cr4, ctl));
	write_cr0_raw(guest_cr0(ctl));

	if (ctl->dr7)
		load_breakpoints(ctl);
	vmon_switch_asm(a);
	vmon_flush_exit(w);
	w->cr2 = native_read_cr2();

	write_cr0_raw(cr0);
	write_cr4(cr4);
	if (fault_cpuid)
		wrmsrl(MSR_MISC_FEATURES_ENABLES, misc_features);
	wrmsrl(MSR_IA32_SYSENTER_CS, sysenter_cs);
	wrmsrl(MSR_EFER, efer);
	if (debugctl)
		update_debugctlmsr(debugctl);
	unload_breakpoints(w, ctl, dr7);

	raise_late_events(a);
	vector = a->frame.vector;
	/* A hypervisor below may say by #PF that it is paging the host in. */
	w->host_fault = false;
	if ((vector == X86_TRAP_PF || a->resident.faulted) && IS_ENABLED(CONFIG_KVM_GUEST))
		w->host_fault = kvm_read_and_reset_apf_flags();
	if (vmon_host_vector(vector)) {
		gate_desc *gate = (gate_desc *)a->host_idtr.base + vector;

		vmon_reraise(gate_offset(gate));
	}
}

void vmon_world_settle(struct vmon_world *w)
{
#ifdef CONFIG_KVM_GUEST
	if (w->host_fault)
		kvm_async_pf_task_wait_schedule(w->cr2);
#endif
}
