/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon's side of the netlink protocol (uapi/vmon.h is its manual).
 *
 * struct engine is the daemon's own connection: requests about any VM, and the
 * multicast group of events. struct engine_vm is one VM and the socket that
 * owns it: its set-up, its accesses and its interrupt lines go there, so that no
 * VM's traffic waits behind another's.
 *
 * Every function that can be refused fills a struct error with the module's own
 * sentence (the extended ack). test/engine_fake.c has the same functions with no
 * module behind them.
 */
#ifndef VMON_VMOND_ENGINE_H
#define VMON_VMOND_ENGINE_H

#include "common/error.h"
#include "common/types.h"
#include "vmon.h"

#define ENGINE_GUARDS	8
#define ENGINE_FACTS	64
#define ENGINE_STATS	128
#define ENGINE_REPORT	2048

struct engine;
struct engine_vm;

/* CHECK_GET */
struct engine_guard {
	char name[32];
	bool available;
	bool capable;
	char reason[256];
	char remedy[256];
};

struct engine_fact {
	char name[32];
	u64 value;
	char note[256];
};

struct engine_check {
	char version[64];
	char kernel[96];
	bool protected;
	bool unprotected_ok;
	unsigned int n_guards;
	struct engine_guard guards[ENGINE_GUARDS];
	unsigned int n_facts;
	struct engine_fact facts[ENGINE_FACTS];
};

/* VM_GET, EVENT */
struct engine_info {
	u32 vm;
	u32 state;		/* enum vmon_state */
	u32 cause;		/* enum vmon_cause */
	u32 exec;		/* enum vmon_exec_mode */
	u32 owner;		/* port, 0 for none */
	bool protected;
	u64 memory;
	char name[VMON_NAME_MAX + 1];
	char guard[32];
	char report[ENGINE_REPORT];
};

struct engine_stat {
	char name[64];
	u64 value;
};

/* IO: one access of the guest */
struct engine_io {
	u32 range;
	u32 seq;
	u64 addr;
	u32 size;
	u32 data;
	bool write;
};

typedef void (*engine_info_fn)(const struct engine_info *info, void *arg);

int engine_new(struct engine **ret, struct error *err);
void engine_free(struct engine *e);
int engine_connect(struct engine *e, struct error *err);
int engine_events_fd(struct engine *e);
void engine_events_receive(struct engine *e, engine_info_fn fn, void *arg);

int engine_check(struct engine *e, struct engine_check *ret, struct error *err);
int engine_list(struct engine *e, engine_info_fn fn, void *arg, struct error *err);
int engine_get(struct engine *e, u32 vm, struct engine_info *ret, struct error *err);
int engine_set_state(struct engine *e, u32 vm, u32 state, struct error *err);
int engine_delete(struct engine *e, u32 vm, struct error *err);
int engine_get_regs(struct engine *e, u32 vm, struct vmon_regs *ret, struct error *err);
int engine_stat(struct engine *e, u32 vm, struct engine_stat *ret, unsigned int n,
		struct error *err);
int engine_trace(struct engine *e, u32 vm, char **ret, struct error *err);

int engine_vm_new(struct engine *e, const char *name, u32 exec, const char *guard,
		  bool selfcheck, u32 claim_ms, struct engine_vm **ret, struct error *err);
int engine_vm_adopt(struct engine *e, int fd, u32 vm, const char *name,
		    struct engine_vm **ret, struct error *err);
int engine_vm_claim(struct engine *e, u32 vm, const char *name, int ram_fd,
		    struct engine_vm **ret, struct error *err);
void engine_vm_leave(struct engine_vm *v);
void engine_vm_free(struct engine_vm *v);
u32 engine_vm_id(const struct engine_vm *v);
int engine_vm_fd(const struct engine_vm *v);
int engine_vm_memory(struct engine_vm *v, u64 gpa, u64 size, int fd, u64 offset,
		     struct error *err);
int engine_vm_range(struct engine_vm *v, u32 range, u32 space, u64 addr, u64 size,
		    struct error *err);
int engine_vm_regs(struct engine_vm *v, const struct vmon_regs *regs, struct error *err);
int engine_vm_reset(struct engine_vm *v, struct error *err);

int engine_vm_receive(struct engine_vm *v, struct engine_io *io, unsigned int n);
void engine_vm_done(struct engine_vm *v, u32 seq);
void engine_vm_done_read(struct engine_vm *v, u32 seq, u32 data);
void engine_vm_irq(struct engine_vm *v, unsigned int line, bool level);
void engine_vm_trigger(struct engine_vm *v, unsigned int line, bool level_triggered);
void engine_vm_written(struct engine_vm *v, u64 gpa, u64 size);
int engine_vm_flush(struct engine_vm *v);
bool engine_vm_complaint(struct engine_vm *v, struct error *ret);

#endif /* VMON_VMOND_ENGINE_H */
