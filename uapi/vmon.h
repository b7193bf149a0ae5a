/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vmon: the generic netlink protocol between the vmon module and its daemon
 *
 * Family "vmon", version 1. Every operation needs CAP_NET_ADMIN in the initial
 * user namespace. Every refusal carries an extended-ack message that names the
 * thing refused and the remedy: set NETLINK_EXT_ACK on the socket and show it.
 * Attributes are validated strictly: unknown ones are refused. Attribute IDs
 * start at 1; one set of IDs serves all operations.
 *
 * Addresses are guest physical (gpa), in bytes. Sizes are in bytes.
 *
 * The socket that creates a VM owns it. When the owner's socket closes, its VMs
 * are paused (cause OWNER, if they were running) and kept for VMON_A_CLAIM_MS
 * milliseconds, to be taken over with VMON_CMD_VM_CLAIM; after that, or when the
 * time is 0, they are torn down. All *_GET, VM_SET and VM_DEL are open to every
 * sender with the capability; everything else is the owner's.
 *
 * Errors of all operations with VMON_A_VM: EINVAL (an attribute is missing, unknown
 * or out of place), ERANGE (a value is not in the range given here), ENODEV (no
 * such VM, or it is being torn down), EPERM (not the owner, or there is none),
 * ETIMEDOUT (the vCPU does not stop: a bug in vmon). Others are listed below.
 *
 * Operations (-> request, <- reply or message; attributes in [] are optional):
 *
 * VMON_CMD_CHECK_GET	-> (none)
 *			<- VMON_A_VERSION, VMON_A_KERNEL (release that the module was
 *			   built for), VMON_A_PROTECTED (u8: segment limits are
 *			   enforced by this CPU), VMON_A_UNPROTECTED_OK (u8),
 *			   VMON_A_GUARD ... (one nest for each guard: VMON_A_NAME,
 *			   VMON_A_AVAILABLE u8: VMs can have it, VMON_A_CAPABLE u8:
 *			   this CPU could hold it, [VMON_A_REASON, VMON_A_REMEDY]:
 *			   why it is not available, and what would help, if anything),
 *			   VMON_A_FACT ... (one nest for each fact: VMON_A_NAME,
 *			   VMON_A_VALUE u64, [VMON_A_REASON]: what it means here)
 *	Facts are measured or read by the module, not by the sender. A fact whose
 *	VALUE is not a number is 0 or 1. Names stay; new ones may come:
 *	  limits_enforced  a truncated segment stopped a load and a store, tried at load
 *	  lmsle            EFER.LMSLE could be set, tried at load
 *	  fred, xen_pv, la57, smep, smap, umip, cpuid_faulting, hypervisor
 *	                   of the host, as its kernel has them
 *	  tsc_invariant    the TSC runs at one rate, always
 *	  tsc_khz          that rate; 0: the kernel does not know it
 *	  eibrs, retpoline the host's own defence against branch target injection
 *	  flush_ibpb_entry, flush_ibpb_exit, flush_verw, flush_rsb, flush_bhb, flush_fpu
 *	                   what vmon flushes (the counters of STAT_GET by these names)
 *
 * VMON_CMD_VM_NEW	-> VMON_A_NAME, [VMON_A_CLAIM_MS], [VMON_A_EXEC],
 *			   [VMON_A_GUARD_NAME], [VMON_A_SELFCHECK]
 *			<- VMON_A_VM
 *	EEXIST: the name is in use; EOPNOTSUPP: the guard cannot be held on this
 *	CPU. Names are letters, digits, and . _ - after the first. Without
 *	CLAIM_MS it is 0, without EXEC it is TRANSLATE, without GUARD_NAME "segment".
 *	A new VM is VMON_STATE_STOPPED, in reset state, and has no memory. The vCPU's
 *	thread joins the cgroups of the sender.
 *	SELFCHECK 1 (0 without it): at every exit the module compares what is its own
 *	with what it was at the entry: descriptor tables, exception gates, TSS, stacks,
 *	monitor page, translation cache and the page tables of all that. What is too
 *	large for each exit it compares over the time from the guest's write of 1 to port
 *	E0h to its write of 0. A difference stops the VM (cause ERROR) and is logged. It is
 *	for guests that try to break out, and slow. STAT_GET says what was done:
 *	  selfcheck_exits     exits that were compared
 *	  selfcheck_attempts  times from 1 to 0 at port E0h that were
 *	  selfcheck_changed   differences found
 *
 * VMON_CMD_VM_DEL	-> VMON_A_VM
 *	Stops the VM, waits until its vCPU has left, frees all it had.
 *
 * VMON_CMD_VM_GET	-> VMON_A_VM; or a dump of all
 *			<- VMON_A_VM, VMON_A_NAME, VMON_A_STATE, VMON_A_CAUSE,
 *			   VMON_A_EXEC, VMON_A_GUARD_NAME, VMON_A_PROTECTED,
 *			   VMON_A_SELFCHECK, VMON_A_MEM_SIZE (u64, all regions),
 *			   VMON_A_OWNER (u32 port id, 0 for none), [VMON_A_REPORT]
 *
 * VMON_CMD_VM_SET	-> VMON_A_VM, VMON_A_STATE (RUNNING, PAUSED or STOPPED)
 *	RUNNING starts or resumes (EINVAL: it has no memory; EPERM: it has no
 *	owner); PAUSED returns after the vCPU has stopped at an instruction boundary,
 *	and guest time stands still until it is resumed. Once it has run, STOPPED
 *	cannot be left but by VM_RESET (EINVAL).
 *
 * VMON_CMD_VM_RESET	-> VMON_A_VM
 *	Puts vCPU, interrupt controllers and timer to their reset state and
 *	leaves the VM PAUSED; memory, ranges and the levels of interrupt lines stay;
 *	accesses in flight are forgotten. The daemon loads the boot image again, sets
 *	the registers, and sets RUNNING.
 *
 * VMON_CMD_VM_CLAIM	-> VMON_A_VM
 *	The sender becomes the owner. EBUSY: it has a living owner. The state stays:
 *	set RUNNING when ready. Accesses that the old owner did not acknowledge then
 *	come again, in order, with their old sequence numbers, and with the numbers
 *	of the ranges as they are then. If the VM is STOPPED, they come at once, before the
 *	reply. The vCPU's thread stays in the cgroups in which it is.
 *
 * VMON_CMD_MEM_NEW	-> VMON_A_VM, VMON_A_GPA, VMON_A_SIZE, VMON_A_FD,
 *			   [VMON_A_OFFSET (u64 into the file)]
 *	Attaches guest memory: a memfd that is sealed against shrinking
 *	(F_SEAL_SHRINK) and not against writing. Page-aligned, no overlap with memory or
 *	ranges of VMON_SPACE_MMIO, below 4 GiB, 8 regions at most. Pages are taken at
 *	first touch. Do not punch holes.
 *	EBUSY: RUNNING; EBADF: not a file of the sender.
 *
 * VMON_CMD_VCPU_SET	-> VMON_A_VM, VMON_A_REGS (struct vmon_regs)
 * VMON_CMD_VCPU_GET	-> VMON_A_VM
 *			<- VMON_A_VM, VMON_A_REGS
 *	SET while STOPPED or PAUSED (EBUSY: RUNNING), without PAE paging on (the
 *	guest must turn it on). EINVAL: no CPU can be so (reserved bits; mode, CPL, CS and
 *	SS that do not agree; a limit that its granularity cannot give). GET at any time: a
 *	running vCPU stops for a moment.
 *
 * VMON_CMD_RANGE_NEW	-> VMON_A_VM, VMON_A_SPACE (enum vmon_space), VMON_A_ADDR
 *			   (u64), VMON_A_SIZE (u64), VMON_A_RANGE (u32, the owner's own
 *			   number for it)
 *	Accesses inside it come to the owner as VMON_CMD_IO. No overlap with
 *	other ranges or with what the module emulates itself (20h-21h, 40h-43h,
 *	61h, A0h-A1h, 4D0h-4D1h) or memory. In any state; 128 at most. EEXIST:
 *	overlap, or the number is in use; ENOSPC: too many. An access that crosses
 *	a range's border comes byte by byte.
 * VMON_CMD_RANGE_DEL	-> VMON_A_VM, VMON_A_RANGE
 *	ENOENT: no range has this number.
 *
 * VMON_CMD_MEM_WRITTEN	-> VMON_A_VM, VMON_A_RANGES (struct vmon_mem_range ...)
 *	The owner has written to guest memory while the guest was running or paused:
 *	shadow page tables and translated code made from those bytes go. It has
 *	happened when the owner's send() returns; only then may the guest be shown that
 *	there is something new, be it by memory that it polls or by an interrupt. Not
 *	needed for what was written before VCPU_SET or VM_RESET. EINVAL: a range is
 *	empty or not all of it is memory; there are none, more than VMON_MEM_RANGES_MAX,
 *	or more than 4 GiB. No reply unless asked.
 *
 * VMON_CMD_IRQ_SET	-> VMON_A_VM, VMON_A_LINE (u8, 0..15), VMON_A_LEVEL (u8),
 *			   [VMON_A_TRIGGER (enum vmon_trigger)]
 *	Level of an interrupt line of the 8259 pair; 0 and 2 are the timer's and the
 *	cascade's (EINVAL). A line that falls before the guest has acknowledged the
 *	interrupt withdraws it, as on the chip: keep it up until the device has been
 *	served. Raising a raised edge-triggered line does nothing. No reply unless
 *	asked (NLM_F_ACK). TRIGGER is what firmware would program into the ELCR (EINVAL:
 *	0, 1, 2, 8 and 13 are edge triggered, always); a reset makes all lines edge
 *	triggered, and so can the guest.
 *
 * VMON_CMD_IO		<- VMON_A_VM, VMON_A_RANGE, VMON_A_SEQ (u32), VMON_A_ADDR
 *			   (u64, port or gpa), VMON_A_SIZE (1, 2, 4), VMON_A_WRITE (u8),
 *			   VMON_A_DATA (u32, with a write)
 *	Module to owner, unicast; VMON_A_SIZE is a u64 here too. A write is posted:
 *	the vCPU goes on, until VMON_IO_WINDOW accesses are unacknowledged. A read
 *	waits for its VMON_CMD_IO_DONE. They come in the order of the guest's
 *	accesses, sequence numbers rise by one and wrap. A socket whose buffer is
 *	full loses nothing: the module tries again (set NETLINK_NO_ENOBUFS).
 * VMON_CMD_IO_DONE	-> VMON_A_VM, VMON_A_SEQ, [VMON_A_DATA (u32, for a read)]
 *	Done up to and including this sequence number. For writes an owner sends
 *	it at least every VMON_IO_WINDOW / 2 accesses. EINVAL: not sent yet, or DATA
 *	is missing for a read. An old number is no error. No reply unless asked.
 *
 * VMON_CMD_STAT_GET	-> VMON_A_VM
 *			<- VMON_A_VM, VMON_A_STAT ... (nests: VMON_A_NAME, VMON_A_VALUE u64)
 *
 * VMON_CMD_TRACE_GET	-> VMON_A_VM
 *			<- VMON_A_VM, VMON_A_TRACE (text: last exits, newest last)
 *
 * VMON_CMD_EVENT	<- VMON_A_VM, VMON_A_NAME, VMON_A_STATE, VMON_A_CAUSE,
 *			   [VMON_A_REPORT]
 *	Multicast group "events": a VM's state changed.
 */
#ifndef _UAPI_VMON_H
#define _UAPI_VMON_H

#include <linux/types.h>

#define VMON_GENL_NAME		"vmon"
#define VMON_GENL_VERSION	1
#define VMON_MCGRP_EVENTS	"events"
#define VMON_NAME_MAX		63	/* bytes, without the NUL */
#define VMON_IO_WINDOW		64	/* posted writes in flight */
#define VMON_MEM_RANGES_MAX	256	/* in one MEM_WRITTEN */

enum vmon_cmd {
	VMON_CMD_UNSPEC,
	VMON_CMD_CHECK_GET,
	VMON_CMD_VM_NEW,
	VMON_CMD_VM_DEL,
	VMON_CMD_VM_GET,
	VMON_CMD_VM_SET,
	VMON_CMD_VM_RESET,
	VMON_CMD_VM_CLAIM,
	VMON_CMD_MEM_NEW,
	VMON_CMD_VCPU_SET,
	VMON_CMD_VCPU_GET,
	VMON_CMD_RANGE_NEW,
	VMON_CMD_RANGE_DEL,
	VMON_CMD_IRQ_SET,
	VMON_CMD_IO,
	VMON_CMD_IO_DONE,
	VMON_CMD_STAT_GET,
	VMON_CMD_TRACE_GET,
	VMON_CMD_EVENT,
	VMON_CMD_MEM_WRITTEN,
	__VMON_CMD_MAX
};

#define VMON_CMD_MAX (__VMON_CMD_MAX - 1)

enum vmon_attr {
	VMON_A_UNSPEC,
	VMON_A_PAD,
	VMON_A_VERSION,		/* string */
	VMON_A_VM,		/* u32, from 1 */
	VMON_A_NAME,		/* string */
	VMON_A_STATE,		/* u32, enum vmon_state */
	VMON_A_CAUSE,		/* u32, enum vmon_cause */
	VMON_A_EXEC,		/* u32, enum vmon_exec_mode */
	VMON_A_GUARD,		/* nest */
	VMON_A_GUARD_NAME,	/* string: "segment" */
	VMON_A_AVAILABLE,	/* u8 */
	VMON_A_REASON,		/* string */
	VMON_A_PROTECTED,	/* u8 */
	VMON_A_UNPROTECTED_OK,	/* u8 */
	VMON_A_CLAIM_MS,	/* u32 */
	VMON_A_OWNER,		/* u32 */
	VMON_A_MEM_SIZE,	/* u64 */
	VMON_A_GPA,		/* u64 */
	VMON_A_SIZE,		/* u64 */
	VMON_A_FD,		/* s32 */
	VMON_A_OFFSET,		/* u64 */
	VMON_A_REGS,		/* struct vmon_regs */
	VMON_A_SPACE,		/* u32, enum vmon_space */
	VMON_A_ADDR,		/* u64 */
	VMON_A_RANGE,		/* u32 */
	VMON_A_LINE,		/* u8 */
	VMON_A_LEVEL,		/* u8 */
	VMON_A_SEQ,		/* u32 */
	VMON_A_WRITE,		/* u8 */
	VMON_A_DATA,		/* u32 */
	VMON_A_STAT,		/* nest */
	VMON_A_VALUE,		/* u64 */
	VMON_A_TRACE,		/* string */
	VMON_A_REPORT,		/* string: what stopped the VM, in words */
	VMON_A_KERNEL,		/* string */
	VMON_A_CAPABLE,		/* u8 */
	VMON_A_REMEDY,		/* string */
	VMON_A_FACT,		/* nest */
	VMON_A_SELFCHECK,	/* u8 */
	VMON_A_TRIGGER,		/* u8, enum vmon_trigger */
	VMON_A_RANGES,		/* struct vmon_mem_range ... */
	__VMON_A_MAX
};

#define VMON_A_MAX (__VMON_A_MAX - 1)

enum vmon_state {
	VMON_STATE_STOPPED = 1,
	VMON_STATE_RUNNING,
	VMON_STATE_PAUSED,
};

/* Why a VM is not running. */
enum vmon_cause {
	VMON_CAUSE_NONE = 1,
	VMON_CAUSE_REQUEST,	/* VM_SET, VM_RESET, or new */
	VMON_CAUSE_OWNER,	/* its owner's socket closed */
	VMON_CAUSE_HALT,	/* HLT with interrupts off */
	VMON_CAUSE_SHUTDOWN,	/* triple fault */
	VMON_CAUSE_ERROR,	/* something unsupported: see VMON_A_REPORT */
};

enum vmon_exec_mode {
	VMON_EXEC_TRANSLATE = 1,	/* guest kernel code is binary-translated */
	VMON_EXEC_EMULATE,	/* guest kernel code is emulated: slow, the oracle */
};

enum vmon_space {
	VMON_SPACE_PORT = 1,
	VMON_SPACE_MMIO,
};

enum vmon_trigger {
	VMON_TRIGGER_EDGE,
	VMON_TRIGGER_LEVEL,
};

/* Guest memory that was written. */
struct vmon_mem_range {
	__u64 gpa;
	__u64 size;		/* bytes */
};

/* Segment register with hidden part; attr as in descriptor bits 40..55. */
struct vmon_regs_seg {
	__u32 base;
	__u32 limit;		/* bytes, inclusive */
	__u16 sel;
	__u16 attr;
};

/* Registers. seg: ES CS SS DS FS GS LDTR TR. gpr: EAX ECX EDX EBX ESP EBP ESI EDI. */
struct vmon_regs {
	__u32 gpr[8];
	__u32 eip;
	__u32 eflags;
	struct vmon_regs_seg seg[8];
	__u32 gdt_base, gdt_limit;
	__u32 idt_base, idt_limit;
	__u32 cr0, cr2, cr3, cr4;
	__u32 dr[8];
	__u32 cpl;
	__u32 pad;
};

#endif /* _UAPI_VMON_H */
