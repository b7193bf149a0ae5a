/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch, as the rest of the module sees it.
 */
#ifndef VMON_SWITCH_SWITCH_H
#define VMON_SWITCH_SWITCH_H

#include <linux/types.h>
#include "switch/area.h"
#include "switch/speculation.h"
#include "switch/table_bits.h"

/**
 * struct vmon_world - a guest world: root table, monitor area, top-level entries
 * @area:	the monitor area
 * @root:	page-table root that the CPU loads; holds the area and the switch
 *		text, and in its lowest entry the tables of the guest's 4 GiB
 * @pdpt:	page-directory-pointer table of the low 4 GiB: the shadow MMU owns
 *		its first four entries
 * @cr2:	CR2 at the last exit
 * @dr6:	DR6 at the last exit, if that was a #DB or @dr7 was not 0; else 0
 * @host_fault:	that exit's page fault is the host's: see vmon_world_settle()
 * @flushes:	how often each kind was done
 * @began_in_kernel: the last run began at ring 1
 */
struct vmon_world {
	struct vmon_area *area;
	u64 *root;
	u64 *pdpt;
	u64 cr2;
	u32 dr6;
	bool host_fault;
	u64 flushes[VMON_FLUSH_NR];
	bool began_in_kernel;
	struct list_head tables;
};

/* What the guest's mode of execution wants of the real control registers. */
struct vmon_world_ctl {
	bool ts;	/* CR0.TS: the guest's FPU state is not loaded */
	bool am;	/* CR0.AM */
	bool em;	/* CR0.EM, CR0.MP as the guest has them */
	bool mp;
	bool tsd;	/* CR4.TSD, CR4.OSFXSR ... */
	bool osfxsr;
	bool osxmmexcpt;
	bool cpuid_fault; /* CPUID at ring 3 traps, where the CPU can do that */
	u32 dr7;	/* not 0: breakpoints for ring 3, at ... */
	const u32 *dr;	/* ... these linear addresses */
};

/* A table page of a world, in vmon_world.tables. */
struct vmon_world_table {
	struct list_head list;
	u64 *table;
};

/* The host uses the vector for its own system calls, so gives it to no device. */
extern bool vmon_syscall_vector_free;

/* Is this exit a system call by INT of the guest's? */
static inline bool vmon_syscall_vector(u64 vector)
{
	return vector == VMON_SYSCALL_VECTOR && vmon_syscall_vector_free;
}

/* Is it an interrupt of the host's? */
static inline bool vmon_host_vector(u64 vector)
{
	return vector >= 32 && vector < 256 && !vmon_syscall_vector(vector);
}

int vmon_switch_init(void);
void vmon_switch_exit(void);

/* Find out what this CPU has, once, before the first world runs. */
void vmon_world_init(void);

/**
 * vmon_world_create() - allocate and fill a world
 *
 * The low 4 GiB are empty. May sleep. Return: 0 or -ENOMEM.
 */
int vmon_world_create(struct vmon_world *world);
void vmon_world_destroy(struct vmon_world *world);

/**
 * vmon_world_map() - map one page into the world
 * @va:		virtual address, any half
 * @entry:	complete leaf entry (host physical address and bits)
 *
 * Return: 0 or -ENOMEM.
 */
int vmon_world_map(struct vmon_world *world, u64 va, u64 entry);

/* A table entry for a kernel page: physical address as the CPU wants it. */
u64 vmon_table_entry(const void *page, u64 bits);

/**
 * vmon_world_run() - enter the guest with the registers in area->frame
 *
 * Interrupts off; returns with interrupts still off, after the exit, with
 * area->frame.vector saying why. A host interrupt, NMI or #MC that ended the run
 * has been handled when it returns.
 */
void vmon_world_run(struct vmon_world *world, const struct vmon_world_ctl *ctl);

/**
 * vmon_world_settle() - finish an exit, with interrupts on
 *
 * On a host that is itself a KVM guest, a page fault at the exit may mean that
 * the hypervisor is fetching a page of the host's (asynchronous page fault): it
 * has nothing to do with the guest. Sleeps until the page is there.
 */
void vmon_world_settle(struct vmon_world *world);

#endif /* VMON_SWITCH_SWITCH_H */
