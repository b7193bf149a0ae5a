/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters and trace kinds of a vCPU: one table each, name and enum together.
 *
 * Add a row and use it: vmon_count(vcpu, NAME). Rows go out by name, in this
 * order, with VMON_CMD_STAT_GET; only the vCPU's thread counts, so no atomics.
 */
#ifndef VMON_VM_STAT_H
#define VMON_VM_STAT_H

/* X(enum name, name in the protocol) */
#define VMON_STATS(X)						\
	X(ENTRIES,		"entries")			\
	X(ENTRIES_DIRECT,	"entries_direct")		\
	X(ENTRIES_TRANSLATED,	"entries_translated")		\
	X(RESIDENT_SYSCALL,	"resident_syscall")		\
	X(RESIDENT_RETURN,	"resident_return")		\
	X(RESIDENT_IRET,	"resident_iret")		\
	X(INTERRUPT_HOST,	"interrupt_host")		\
	X(INTERRUPT_INJECTED,	"interrupt_injected")		\
	X(NMI_HOST,		"nmi_host")			\
	X(FLUSH_IBPB_ENTRY,	"flush_ibpb_entry")		\
	X(FLUSH_IBPB_EXIT,	"flush_ibpb_exit")		\
	X(FLUSH_VERW,		"flush_verw")			\
	X(FLUSH_RSB,		"flush_rsb")			\
	X(FLUSH_BHB,		"flush_bhb")			\
	X(FLUSH_FPU,		"flush_fpu")			\
	X(PAGE_FAULT_TRUE,	"page_fault_true")		\
	X(PAGE_FAULT_HIDDEN,	"page_fault_hidden")		\
	X(PAGE_FAULT_TRACE,	"page_fault_trace")		\
	X(SHADOW_PAGES,		"shadow_pages")			\
	X(SHADOW_FLUSH,		"shadow_flush")			\
	X(SHADOW_DROPPED,	"shadow_dropped")		\
	X(SHADOW_WRITES,	"shadow_writes")		\
	X(CR3_LOADS,		"cr3_loads")			\
	X(INVLPG,		"invlpg")			\
	X(EXC_DB,		"exc_db")			\
	X(EXC_UD,		"exc_ud")			\
	X(EXC_NM,		"exc_nm")			\
	X(EXC_GP,		"exc_gp")			\
	X(EXC_OTHER,		"exc_other")			\
	X(EXC_INJECTED,		"exc_injected")			\
	X(CALLOUT,		"callout")			\
	X(CALLOUT_INDIRECT,	"callout_indirect")		\
	X(CALLOUT_EMULATE,	"callout_emulate")		\
	X(TU_TRANSLATED,	"tu_translated")		\
	X(TU_INSNS,		"tu_insns")			\
	X(TU_BYTES,		"tu_bytes")			\
	X(TU_CHAINED,		"tu_chained")			\
	X(TU_INVALIDATED,	"tu_invalidated")		\
	X(TU_FLUSH,		"tu_flush")			\
	X(EMULATED_INSNS,	"emulated_insns")		\
	X(EMULATED_FPU,		"emulated_fpu")			\
	X(HLT,			"hlt")				\
	X(IO_PORT_MODULE,	"io_port_module")		\
	X(IO_PORT_DAEMON,	"io_port_daemon")		\
	X(IO_PORT_UNCLAIMED,	"io_port_unclaimed")		\
	X(IO_MMIO,		"io_mmio")			\
	X(IO_MMIO_UNCLAIMED,	"io_mmio_unclaimed")		\
	X(IO_WAIT_WINDOW,	"io_wait_window")		\
	X(IO_WAIT_SOCKET,	"io_wait_socket")		\
	X(IO_RESENT,		"io_resent")			\
	X(MEM_PAGES,		"mem_pages")			\
	X(SELFCHECK_EXITS,	"selfcheck_exits")		\
	X(SELFCHECK_ATTEMPTS,	"selfcheck_attempts")		\
	X(SELFCHECK_CHANGED,	"selfcheck_changed")		\
	X(MEM_WRITTEN_TRACED,	"mem_written_traced")		\
	X(PAUSES,		"pauses")			\
	X(TICKS,		"pit_ticks")			\
	X(TICKS_REINJECTED,	"pit_ticks_reinjected")		\
	X(TICKS_DROPPED,	"pit_ticks_dropped")

enum vmon_stat {
#define VMON_STAT_ENUM(name, text) VMON_STAT_##name,
	VMON_STATS(VMON_STAT_ENUM)
#undef VMON_STAT_ENUM
	VMON_STAT_NR
};

extern const char *const vmon_stat_name[VMON_STAT_NR];

/* Kinds of trace entries. a is usually where, b what. */
#define VMON_TRACES(X)						\
	X(EXIT,			"exit")				\
	X(PAGE_FAULT,		"page-fault")			\
	X(INJECT,		"inject")			\
	X(CALLOUT,		"callout")			\
	X(CR,			"cr")				\
	X(IN,			"in")				\
	X(OUT,			"out")				\
	X(MMIO_READ,		"mmio-read")			\
	X(MMIO_WRITE,		"mmio-write")			\
	X(HLT,			"hlt")				\
	X(PAUSE,		"pause")			\
	X(STOP,			"stop")

enum vmon_trace_kind {
#define VMON_TRACE_ENUM(name, text) VMON_TRACE_##name,
	VMON_TRACES(VMON_TRACE_ENUM)
#undef VMON_TRACE_ENUM
	VMON_TRACE_NR
};

extern const char *const vmon_trace_name[VMON_TRACE_NR];

#endif /* VMON_VM_STAT_H */
