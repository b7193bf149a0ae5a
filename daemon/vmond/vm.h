/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine of this daemon: configured, running, or ended and remembered.
 */
#ifndef VMON_VMOND_VM_H
#define VMON_VMOND_VM_H

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "boot/boot.h"
#include "common/error.h"
#include "device/machine.h"
#include "vmond/console.h"
#include "vmond/disk.h"
#include "vmond/engine.h"
#include "vmond/keep.h"
#include "vmond/net.h"

struct store;

#define VM_MODULES_MAX	64
#define VM_BATCH	64	/* accesses taken at a time */
#define VM_COMPLAINTS_MAX 10	/* that are logged */

/* So many restarts after crashes in so many seconds, and no more. */
#define VM_CRASHES		5
#define VM_CRASH_SECONDS	60

enum vm_end {
	VM_ALIVE,
	VM_END_RESET,		/* by the guest: keyboard controller, 92h, CF9h */
	VM_END_HALT,		/* HLT with interrupts off */
	VM_END_DEBUG_EXIT,	/* the guest gave a status */
	VM_END_TRIPLE_FAULT,
	VM_END_ERROR,		/* see the report */
	VM_END_POWER_OFF,	/* by the guest, over ACPI */
	VM_END_STOPPED,		/* by request */
};

/**
 * struct vm_config - what to run; all pointers belong to it
 * @name: unique
 * @memory: guest RAM in bytes
 * @exec: enum vmon_exec_mode, 0 for the module's choice
 * @debug_exit: with the exit port
 * @selfcheck: the module compares what is its own
 * @restart: bits 1 << enum vm_end: ends that restart the guest instead
 * @keep: keep the images, so that the guest can be reset by request
 * @bound: the VM ends with the connection that asked for it
 * @description: for people, or NULL
 * @definition: digest of the definition it comes from, or NULL
 * @log_fd: file for the console's output, or -1
 * @log_name: its name, or NULL
 * @engine_fd: socket that owns the VM @engine_vm already, or -1
 * @engine_vm: see there
 * @append: command line
 * @kernel: kernel file
 * @initrd: initrd file, or no data
 * @modules: Multiboot modules
 * @n_modules: how many
 * @disks: virtio disks, in order
 * @n_disks: how many
 * @nets: virtio network cards, in order
 * @n_nets: how many
 * @rng: with a virtio source of randomness
 * @claim_ms: how long guests wait for the next vmond, or 0: they do not
 * @fragile: this one does not in any case; the next vmond is told what it was
 * @images: all images in one file in memory, mapped, or NULL: each has memory of its own
 * @images_size: bytes there
 * @images_fd: that file, or -1
 */
struct vm_config {
	char *name;
	u64 memory;
	u32 exec;
	bool debug_exit;
	bool selfcheck;
	bool keep;
	bool bound;
	unsigned int restart;
	char *description;
	char *definition;
	int log_fd;
	char *log_name;
	int engine_fd;
	u32 engine_vm;
	char *append;
	struct boot_file kernel;
	struct boot_file initrd;
	struct boot_file modules[VM_MODULES_MAX];
	unsigned int n_modules;
	struct disk_config disks[MACHINE_DISKS];
	unsigned int n_disks;
	struct net_config nets[MACHINE_NETS];
	unsigned int n_nets;
	bool rng;
	u32 claim_ms;
	bool fragile;
	u8 *images;
	size_t images_size;
	int images_fd;
};

/* Where a VM is in its life: what the next vmond has to do first. */
enum vm_life {
	VM_LIFE_NEW,		/* never ran */
	VM_LIFE_RUNS,
	VM_LIFE_RESTARTS,	/* in the middle of that */
};

enum vm_event {
	VM_EVENT_STARTED,
	VM_EVENT_PAUSED,
	VM_EVENT_UNPAUSED,
	VM_EVENT_RESTARTED,
	VM_EVENT_ENDED,
};

/* What a guest was asked for with its power button, in this life. */
enum vm_asked {
	VM_ASKED_NOTHING,
	VM_ASKED_POWER_OFF,
	VM_ASKED_REBOOT,		/* when it powers off it is restarted */
};

struct vm_waiter {
	struct vm_waiter *next;
	sd_bus_message *message;
};

struct vm {
	struct vm *next;
	u64 id;				/* never reused */
	struct vm_config config;
	sd_event *event;
	struct engine *engine;
	struct engine_vm *evm;
	struct store *store;
	struct keep *keep;
	u8 *ram;
	int ram_fd;
	u32 number;			/* the module's */
	enum vm_life life;
	u32 state;			/* enum vmon_state, as last told */
	struct device_host host;
	struct machine machine;
	struct disk_ring *ring;		/* NULL without disks */
	struct disk *disks[MACHINE_DISKS];
	unsigned int n_disks;
	struct net *nets[MACHINE_NETS];
	unsigned int n_nets;
	struct net_stats net_stats[MACHINE_NETS]; /* as they were at the end */
	struct console *console;
	sd_event_source *io_source;
	sd_event_source *timer;
	sd_event_source *end_source;
	void (*on_event)(struct vm *vm, enum vm_event event, void *arg);
	void *on_event_arg;
	void *client;			/* the connection it is bound to */
	sd_event_source *hold_source;	/* until when that has to be there */
	u64 started;			/* CLOCK_REALTIME, us */
	u64 crashed[VM_CRASHES];	/* when it was restarted after a crash, us */
	u64 log_at;			/* position of the console up to where the log has it */
	u64 log_size;			/* of the log's file then */
	u64 log_lost;			/* bytes that the log did not take */
	unsigned int crashes;
	enum vm_asked asked;
	struct vm_waiter *waiters;
	struct engine_io io[VM_BATCH];	/* accesses that were taken */
	unsigned int io_at, io_n;	/* the next of them to be done; how many */
	unsigned int unacked;		/* posted writes */
	u32 last_seq;			/* the devices know all accesses up to this one */
	u32 last_value;			/* if it was a read: its answer */
	u16 lines, lines_used;		/* interrupt lines that are up, that ever were */
	bool last_read;			/* it was a read */
	bool forced;			/* the reset is a request: restart in any case */
	bool left;			/* to the next vmond */
	u64 accesses;
	u64 wakeups;
	unsigned int restarts;
	unsigned int complaints;
	enum vm_end wanted_end;		/* asked for, on its way */
	enum vm_end end;
	u32 value;			/* exit status with VM_END_DEBUG_EXIT */
	char *report;
	char *regs;			/* state at the end, when that was unexpected */
	char *trace;
	struct engine_stat *stats;	/* what had been counted at the end */
	int n_stats;
};

int file_read(int fd, const char *name, const char *args, struct boot_file *ret,
	      struct error *err);
void vm_config_init(struct vm_config *config);
void vm_config_drop_images(struct vm_config *config);
int vm_config_keep_images(struct vm_config *config, struct error *err);
int vm_config_map_images(struct vm_config *config, int fd, struct error *err);
void vm_config_drop_fds(struct vm_config *config);
void vm_config_free(struct vm_config *config);

int vm_new(sd_event *event, struct engine *engine, struct store *store,
	   struct vm_config *config, struct vm **ret, struct error *err);
void vm_free(struct vm *vm);
void vm_leave(struct vm *vm);
int vm_start(struct vm *vm, struct error *err);
void vm_on_event(struct vm *vm, const struct engine_info *info);
void vm_stop(struct vm *vm, const char *why);
int vm_reset(struct vm *vm, struct error *err);
int vm_power_off(struct vm *vm, struct error *err);
int vm_reboot(struct vm *vm, struct error *err);
const struct net_stats *vm_net_stats(const struct vm *vm, unsigned int i);
int vm_stat(struct vm *vm, struct engine_stat *buf, const struct engine_stat **ret,
	    struct error *err);
const char *vm_end_name(enum vm_end end);
const char *vm_event_name(enum vm_event event);
void vm_log_output(struct vm *vm);

/* vm_keep.c */
bool vm_survives(const struct vm *vm);
int vm_keep(struct vm *vm, struct error *err);
void vm_keep_ended(struct vm *vm);
void vm_forget(struct vm *vm);
void vm_commit(struct vm *vm);

char *regs_text(const struct vmon_regs *regs);

#endif /* VMON_VMOND_VM_H */
