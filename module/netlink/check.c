// SPDX-License-Identifier: GPL-2.0
/*
 * CHECK_GET: what this host can hold, and why not more.
 *
 * Guards and facts are two tables. What is said was measured at load or is what the
 * kernel itself acts on, not what the CPU claims.
 */
#include <generated/utsrelease.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "netlink/internal.h"
#include "switch/probe.h"
#include "switch/speculation.h"
#include "version.h"

static const struct vmon_refusal not_enforced =
	VMON_REFUSAL("this CPU does not enforce segment limits: a guest could change the host",
		     "load vmon with allow_unprotected=1 only to test it");

static const struct vmon_refusal lmsle_later = {
	.why = "not implemented in this version of vmon; this CPU could hold it",
};

static const struct vmon_refusal lmsle_never = {
	.why = "not implemented in this version of vmon; this CPU has no EFER.LMSLE",
	.remedy = "an AMD CPU before Zen 4",
};

static const struct vmon_refusal paging_later = {
	.why = "not implemented in this version of vmon; every x86-64 CPU could hold it",
};

static const struct vmon_refusal *refusal_of(enum vmon_guard guard)
{
	const struct vmon_refusal *refusal = vmon_probe_refusal();

	if (refusal)
		return refusal;
	if (guard == VMON_GUARD_SEGMENT && !vmon_probe_limits_enforced() &&
	    !READ_ONCE(vmon_allow_unprotected))
		return &not_enforced;
	return NULL;
}

const char *vmon_guard_refusal(enum vmon_guard guard)
{
	const struct vmon_refusal *refusal = refusal_of(guard);

	return refusal ? refusal->text : NULL;
}

static int put_guard(struct sk_buff *skb, const char *name, bool capable,
		     const struct vmon_refusal *refusal)
{
	struct nlattr *nest = nla_nest_start(skb, VMON_A_GUARD);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, VMON_A_NAME, name) ||
	    nla_put_u8(skb, VMON_A_AVAILABLE, !refusal) ||
	    nla_put_u8(skb, VMON_A_CAPABLE, capable) ||
	    (refusal && nla_put_string(skb, VMON_A_REASON, refusal->why)) ||
	    (refusal && refusal->remedy &&
	     nla_put_string(skb, VMON_A_REMEDY, refusal->remedy)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_guards(struct sk_buff *skb)
{
	bool lmsle = vmon_probe_lmsle();
	unsigned int i;
	int err = 0;

	for (i = 0; i < VMON_GUARD_NR && !err; i++)
		err = put_guard(skb, vmon_guard_name[i], vmon_probe_limits_enforced(),
				refusal_of(i));
	if (!err)
		err = put_guard(skb, "lmsle", lmsle, lmsle ? &lmsle_later : &lmsle_never);
	if (!err)
		err = put_guard(skb, "paging", true, &paging_later);
	return err;
}

/* A fact, and what it means when it is there (or a number), and when it is not. */
struct fact {
	const char *name;
	u64 value;
	const char *yes, *no;
};

static int put_fact(struct sk_buff *skb, const struct fact *f)
{
	struct nlattr *nest = nla_nest_start(skb, VMON_A_FACT);
	const char *note = f->value ? f->yes : f->no;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, VMON_A_NAME, f->name) ||
	    nla_put_u64_64bit(skb, VMON_A_VALUE, f->value, VMON_A_PAD) ||
	    (note && nla_put_string(skb, VMON_A_REASON, note)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_facts(struct sk_buff *skb)
{
	bool invariant = boot_cpu_has(X86_FEATURE_CONSTANT_TSC) &&
			 boot_cpu_has(X86_FEATURE_NONSTOP_TSC);
	bool eibrs = boot_cpu_has(X86_FEATURE_IBRS_ENHANCED);
	const struct fact facts[] = {
		{ "limits_enforced", vmon_probe_limits_enforced(),
		  "tried at load: a truncated segment stops loads and stores",
		  "tried at load: a truncated segment stops nothing; an emulator?" },
		{ "lmsle", vmon_probe_lmsle(), "tried at load: EFER.LMSLE can be set", NULL },
		{ "fred", vmon_host_has_fred(), "vmon needs the IDT: fred=off", NULL },
		{ "xen_pv", cpu_feature_enabled(X86_FEATURE_XENPV), "vmon cannot run here", NULL },
		{ "la57", pgtable_l5_enabled(), "five-level page tables", NULL },
		{ "smep", boot_cpu_has(X86_FEATURE_SMEP), "off while a guest runs", NULL },
		{ "smap", boot_cpu_has(X86_FEATURE_SMAP), "off while a guest runs", NULL },
		{ "umip", boot_cpu_has(X86_FEATURE_UMIP), "on while a guest runs",
		  "guest user code can read the monitor's table addresses (low 32 bits)" },
		{ "cpuid_faulting", boot_cpu_has(X86_FEATURE_CPUID_FAULT),
		  "guest user code sees the guest's CPUID",
		  "guest user code sees the host's CPUID" },
		{ "hypervisor", boot_cpu_has(X86_FEATURE_HYPERVISOR),
		  "this host is itself a guest", "no hypervisor below" },
		{ "tsc_invariant", invariant, NULL,
		  "guest clocks may drift with the CPU's frequency" },
		{ "tsc_khz", tsc_khz, "as the kernel measured it", "not known to the kernel" },
		{ "eibrs", eibrs,
		  "does not part guest kernels (ring 1) from the host's: see flush_ibpb_exit",
		  NULL },
		{ "retpoline", cpu_feature_enabled(X86_FEATURE_RETPOLINE), NULL, NULL },
		{ "flush_ibpb_entry", vmon_flush_done(VMON_FLUSH_IBPB_ENTRY),
		  "branch predictors, when a CPU enters another guest than last", NULL },
		{ "flush_ibpb_exit", vmon_flush_done(VMON_FLUSH_IBPB_EXIT),
		  "branch predictors, at each exit of a guest's kernel", NULL },
		{ "flush_verw", vmon_flush_done(VMON_FLUSH_VERW), "buffers (MDS), at each entry",
		  NULL },
		{ "flush_rsb", vmon_flush_done(VMON_FLUSH_RSB), "return stack, at each exit",
		  NULL },
		{ "flush_bhb", vmon_flush_done(VMON_FLUSH_BHB), "branch history, at each exit",
		  NULL },
		{ "flush_fpu", vmon_flush_done(VMON_FLUSH_FPU),
		  "FPU registers of others, at each entry", NULL },
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(facts) && !err; i++)
		err = put_fact(skb, &facts[i]);
	return err;
}

int vmon_cmd_check_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vmon_reply r;
	int err;

	err = vmon_reply_begin(&r, info, 2 * GENLMSG_DEFAULT_SIZE);
	if (err)
		return err;
	if (nla_put_string(r.skb, VMON_A_VERSION, VMON_VERSION) ||
	    nla_put_string(r.skb, VMON_A_KERNEL, UTS_RELEASE) ||
	    nla_put_u8(r.skb, VMON_A_PROTECTED, vmon_probe_limits_enforced()) ||
	    nla_put_u8(r.skb, VMON_A_UNPROTECTED_OK,
		       READ_ONCE(vmon_allow_unprotected)))
		err = -EMSGSIZE;
	if (!err)
		err = put_guards(r.skb);
	if (!err)
		err = put_facts(r.skb);
	return vmon_reply_end(&r, err);
}
