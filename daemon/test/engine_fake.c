// SPDX-License-Identifier: GPL-2.0
/*
 * An engine without a module: the functions of vmond/engine.h, and in place of a
 * guest a little script that makes the accesses a guest would make.
 *
 * So the daemon, its devices, the console and vmonctl can be tested together on
 * any machine. The "guest" prints a greeting and obeys the
 * words in its command line (fake_guest.c), or says what a script in its image says
 * (fake_script.c). It is a state machine that is advanced when
 * the daemon receives; a socketpair stands in for the netlink socket.
 *
 * Its guests outlive the daemon, as the module's do, if FAKE_ENGINE in the environment names a
 * file: their state is there, and changes in one store. FAKE_DIE=N has the daemon killed at one
 * in N of the calls that reach the engine.
 *
 * FAKE_HOST in the environment is "protected" or "unprotected"; without it no VM can be
 * had, as far as CHECK_GET says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "device/acpi_pm.h"
#include "test/fake_guest.h"
#include "vmond/engine.h"

#define VMS		8
#define COM1		0x3f8

struct engine {
	int events[2];
};

/* The shared file is mapped here by every daemon, so that pointers into it stay right. */
#define SHARED_AT	((void *)0x7d0000000000)
#define FAKE_CLAIM_MS	60000

struct engine_vm {
	struct engine *engine;
	u32 vm;
	struct fake_vm *f;
	int fd[2];
	u8 *ram;
	u32 sent;
	struct error complaint;
};

static struct fake_vm *vms;
static struct engine_vm *mine[VMS];

static struct guest *now(const struct engine_vm *v)
{
	return &v->f->guest[v->f->now & 1];
}

/* Once the guest has printed some lines: whoever started it has had its answer by then. */
static void die_perhaps(const struct engine_vm *v)
{
	static long one_in = -1;
	const char *text = getenv("FAKE_DIE");
	struct timespec ts;

	if (one_in < 0) {
		clock_gettime(CLOCK_REALTIME, &ts);
		srandom(ts.tv_nsec);
		one_in = text ? atol(text) : 0;
	}
	if (one_in && now(v)->count >= 20 && !(random() % one_in))
		raise(SIGKILL);
}

/* Change the copy that begin() returns, then have it be how the guest is. */
static struct guest *begin(const struct engine_vm *v)
{
	struct guest *next = &v->f->guest[~v->f->now & 1];

	die_perhaps(v);
	*next = *now(v);
	return next;
}

static void end(const struct engine_vm *v)
{
	__atomic_store_n(&v->f->now, v->f->now + 1, __ATOMIC_RELEASE);
	die_perhaps(v);
}

static bool alive(const struct fake_vm *f)
{
	return f->owner && !kill(f->owner, 0);
}

static int map_shared(struct error *err)
{
	const char *path = getenv("FAKE_ENGINE");
	size_t size = VMS * sizeof(*vms);
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	unsigned int i;

	if (path && (fd < 0 || ftruncate(fd, size) < 0))
		return fail(err, errno, "fake engine: '%s': %s", path, strerror(errno));
	vms = mmap(SHARED_AT, size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED_NOREPLACE | (path ? 0 : MAP_ANONYMOUS), fd, 0);
	if (fd >= 0)
		close(fd);
	if (vms == MAP_FAILED)
		return fail(err, errno, "fake engine: %s", strerror(errno));
	/* What nobody could claim has gone with its owner. */
	for (i = 0; i < VMS; i++)
		if (vms[i].used && !vms[i].claim_ms && !alive(&vms[i]))
			vms[i].used = false;
	return 0;
}

int engine_new(struct engine **ret, struct error *err)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			     e->events))
		return fail(err, errno, "fake engine: %s", strerror(errno));
	*ret = e;
	return map_shared(err);
}

void engine_free(struct engine *e)
{
	close(e->events[0]);
	close(e->events[1]);
	free(e);
}

int engine_connect(struct engine *e, struct error *err)
{
	(void)e;
	(void)err;
	return 0;
}

int engine_events_fd(struct engine *e)
{
	return e->events[0];
}

static void info_of(u32 vm, struct engine_info *info)
{
	const struct fake_vm *f = &vms[vm - 1];
	const struct guest *g = &f->guest[f->now & 1];

	memset(info, 0, sizeof(*info));
	info->vm = vm;
	info->state = g->state;
	info->cause = g->cause;
	if (g->state == VMON_STATE_RUNNING && !alive(f)) {
		info->state = VMON_STATE_PAUSED;
		info->cause = VMON_CAUSE_OWNER;
	}
	info->owner = alive(f) ? f->owner : 0;
	info->exec = f->exec ? f->exec : VMON_EXEC_TRANSLATE;
	info->memory = f->ram_size;
	snprintf(info->name, sizeof(info->name), "%s", f->name);
	snprintf(info->guard, sizeof(info->guard), "%s", "segment");
	snprintf(info->report, sizeof(info->report), "%s", g->report);
}

void engine_events_receive(struct engine *e, engine_info_fn fn, void *arg)
{
	struct engine_info info;

	while (recv(e->events[0], &info, sizeof(info), 0) == sizeof(info))
		fn(&info, arg);
}

static void tell(const struct engine_vm *v)
{
	struct engine_info info;

	info_of(v->vm, &info);
	(void)send(v->engine->events[1], &info, sizeof(info), 0);
}

int engine_check(struct engine *e, struct engine_check *ret, struct error *err)
{
	const char *host = getenv("FAKE_HOST");

	(void)e;
	(void)err;
	memset(ret, 0, sizeof(*ret));
	ret->protected = host && !strcmp(host, "protected");
	snprintf(ret->version, sizeof(ret->version), "%s", "fake");
	snprintf(ret->kernel, sizeof(ret->kernel), "%s", "6.1.0-fake");
	ret->unprotected_ok = true;
	ret->n_guards = 1;
	ret->guards[0] = (struct engine_guard){ .name = "segment", .available = host,
						.reason = "this is no real module",
						.remedy = "load the real one" };
	ret->n_facts = 2;
	ret->facts[0] = (struct engine_fact){ .name = "limits_enforced", .note = "never tried" };
	ret->facts[1] = (struct engine_fact){ .name = "tsc_khz", .value = 2000000 };
	return 0;
}

int engine_list(struct engine *e, engine_info_fn fn, void *arg, struct error *err)
{
	struct engine_info info;
	unsigned int i;

	(void)e;
	(void)err;
	for (i = 0; i < VMS; i++) {
		if (!vms[i].used)
			continue;
		info_of(i + 1, &info);
		fn(&info, arg);
	}
	return 0;
}

static struct engine_vm *by_id(u32 vm)
{
	return vm && vm <= VMS ? mine[vm - 1] : NULL;
}

int engine_get(struct engine *e, u32 vm, struct engine_info *ret, struct error *err)
{
	(void)e;
	if (!vm || vm > VMS || !vms[vm - 1].used)
		return fail(err, ENODEV, "no such VM");
	info_of(vm, ret);
	return 0;
}

static void wake(struct engine_vm *v)
{
	(void)send(v->fd[1], "", 1, MSG_DONTWAIT);
}

int engine_set_state(struct engine *e, u32 vm, u32 state, struct error *err)
{
	struct engine_vm *v = by_id(vm);
	struct guest *g;

	(void)e;
	if (!v)
		return fail(err, ENODEV, "no such VM");
	g = begin(v);
	g->state = state;
	g->cause = state == VMON_STATE_RUNNING ? VMON_CAUSE_NONE : VMON_CAUSE_REQUEST;
	end(v);
	tell(v);
	wake(v);
	return 0;
}

int engine_delete(struct engine *e, u32 vm, struct error *err)
{
	(void)e;
	(void)err;
	vms[vm - 1].used = false;
	return 0;
}

int engine_get_regs(struct engine *e, u32 vm, struct vmon_regs *ret, struct error *err)
{
	(void)e;
	(void)err;
	*ret = now(by_id(vm))->regs;
	return 0;
}

int engine_stat(struct engine *e, u32 vm, struct engine_stat *ret, unsigned int n,
		struct error *err)
{
	const struct engine_vm *v = by_id(vm);
	const struct guest *g = now(v);

	(void)e;
	(void)err;
	(void)n;
	ret[0] = (struct engine_stat){ "exits", g->seq };
	ret[1] = (struct engine_stat){ "selfcheck_exits", g->script.exits };
	ret[2] = (struct engine_stat){ "selfcheck_attempts", g->script.attempts };
	ret[3] = (struct engine_stat){ "selfcheck_changed", g->script.changed };
	return v->f->selfcheck ? 4 : 1;
}

int engine_trace(struct engine *e, u32 vm, char **ret, struct error *err)
{
	(void)e;
	(void)vm;
	(void)err;
	*ret = strdup("port write 3f8\n");
	return 0;
}

static struct engine_vm *make_vm(struct engine *e, u32 vm)
{
	struct engine_vm *v = calloc(1, sizeof(*v));

	if (!v || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, v->fd)) {
		free(v);
		return NULL;
	}
	v->engine = e;
	v->vm = vm;
	v->f = &vms[vm - 1];
	mine[vm - 1] = v;
	return v;
}

int engine_vm_new(struct engine *e, const char *name, u32 exec, const char *guard,
		  bool selfcheck, u32 claim_ms, struct engine_vm **ret, struct error *err)
{
	struct engine_vm *v;
	unsigned int i;

	(void)guard;
	for (i = 0; i < VMS && vms[i].used; i++)
		;
	v = i < VMS ? make_vm(e, i + 1) : NULL;
	if (!v)
		return fail(err, ENOSPC, "fake engine: no room for VM '%s'", name);
	memset(v->f, 0, sizeof(*v->f));
	v->f->exec = exec;
	v->f->selfcheck = selfcheck;
	v->f->claim_ms = claim_ms;
	v->f->owner = getpid();
	v->f->range_exit = -1;
	snprintf(v->f->name, sizeof(v->f->name), "%s", name);
	now(v)->state = VMON_STATE_STOPPED;
	v->f->used = true;
	*ret = v;
	return 0;
}

/* The descriptor stands for nothing here; it is closed, as the real one would be some day. */
int engine_vm_adopt(struct engine *e, int fd, u32 vm, const char *name,
		    struct engine_vm **ret, struct error *err)
{
	(void)vm;
	close(fd);
	return engine_vm_new(e, name, 0, NULL, false, FAKE_CLAIM_MS, ret, err);
}

int engine_vm_claim(struct engine *e, u32 vm, const char *name, int ram_fd,
		    struct engine_vm **ret, struct error *err)
{
	struct engine_info info;
	struct engine_vm *v;
	struct guest *g;
	int r;

	(void)ram_fd;
	r = engine_get(e, vm, &info, err);
	if (r < 0)
		return r;
	if (strcmp(info.name, name) != 0)
		return fail(err, ENODEV, "VM %u is '%s', not '%s'", vm, info.name, name);
	if (info.owner)
		return fail(err, EBUSY, "the VM has a living owner");
	v = make_vm(e, vm);
	if (!v)
		return fail(err, ENOMEM, "out of memory");
	g = begin(v);
	g->state = info.state;
	g->cause = info.cause;
	end(v);
	v->f->owner = getpid();
	v->sent = now(v)->done;
	*ret = v;
	return 0;
}

static void let_go(struct engine_vm *v)
{
	mine[v->vm - 1] = NULL;
	close(v->fd[0]);
	close(v->fd[1]);
	if (v->ram)
		munmap(v->ram, v->f->ram_size);
	free(v);
}

void engine_vm_leave(struct engine_vm *v)
{
	v->f->owner = 0;
	let_go(v);
}

void engine_vm_free(struct engine_vm *v)
{
	if (!v)
		return;
	die_perhaps(v);
	v->f->used = false;
	let_go(v);
}

u32 engine_vm_id(const struct engine_vm *v)
{
	return v->vm;
}

int engine_vm_fd(const struct engine_vm *v)
{
	return v->fd[0];
}

int engine_vm_memory(struct engine_vm *v, u64 gpa, u64 size, int fd, u64 offset,
		     struct error *err)
{
	if (gpa != offset)
		return fail(err, EINVAL, "fake engine: gpa and offset differ");
	if (gpa) {
		v->f->ram_size = gpa + size;
		v->ram = mmap(NULL, v->f->ram_size, PROT_READ, MAP_SHARED, fd, 0);
	}
	return 0;
}

int engine_vm_range(struct engine_vm *v, u32 range, u32 space, u64 addr, u64 size,
		    struct error *err)
{
	(void)space;
	(void)size;
	(void)err;
	if (addr == COM1)
		v->f->range_com1 = range;
	if (addr == 0x64)
		v->f->range_i8042 = range;
	if (addr == 0xf4)
		v->f->range_exit = range;
	if (addr == ACPI_PM_EVENT)
		v->f->range_pm = range;
	return 0;
}

/* Multiboot leaves EBX at its information structure, Linux ESI at boot_params. */
int engine_vm_regs(struct engine_vm *v, const struct vmon_regs *regs, struct error *err)
{
	struct guest *g = begin(v);
	u32 cmdline;

	(void)err;
	g->regs = *regs;
	/* A VM that was claimed has its words and its text already. */
	if (v->ram) {
		memcpy(&cmdline, v->ram + (regs->gpr[3] ? regs->gpr[3] + 16 :
							  regs->gpr[6] + 0x228), sizeof(cmdline));
		snprintf(g->append, sizeof(g->append), "%s", v->ram + cmdline);
		snprintf(v->f->text, TEXT_SIZE, "%s", v->ram + SCRIPT_AT);
	}
	fake_script_begin(&g->script, v->f->text, g->append);
	if (g->script.at) {
		g->line = fake_script_next(&g->script);
		g->phase = SCRIPT;
	}
	end(v);
	return 0;
}

int engine_vm_reset(struct engine_vm *v, struct error *err)
{
	struct guest *g = begin(v);

	(void)err;
	g->phase = GREET;
	g->at = 0;
	g->count = 0;
	g->reading = false;
	g->done = g->seq;
	/* The second life halts, or it would go on for ever. */
	g->reborn = true;
	g->state = VMON_STATE_PAUSED;
	g->cause = VMON_CAUSE_REQUEST;
	end(v);
	v->sent = now(v)->seq;
	return 0;
}

int engine_vm_receive(struct engine_vm *v, struct engine_io *io, unsigned int n)
{
	unsigned int got = 0;
	char buf[256];
	struct guest *g;
	u32 was;

	while (recv(v->fd[0], buf, sizeof(buf), 0) > 0)
		;
	was = now(v)->state;
	g = begin(v);
	if (g->state == VMON_STATE_RUNNING)
		fake_guest_step(v->f, g, n);
	end(v);
	for (g = now(v); got < n && v->sent != g->seq; got++)
		io[got] = g->window[++v->sent % VMON_IO_WINDOW];
	if (g->state != was)
		tell(v);
	return got;
}

static void done(struct engine_vm *v, u32 seq, const u32 *data)
{
	struct guest *g = begin(v);

	if ((s32)(seq - g->done) <= 0)
		return;
	if ((s32)(seq - g->seq) > 0) {
		error_set(&v->complaint, EINVAL, "seq: no access has this number yet");
		return;
	}
	if (g->reading && !g->answered && seq == g->seq) {
		if (!data) {
			error_set(&v->complaint, EINVAL, "data: missing, the access is a read");
			return;
		}
		g->answer = *data;
		g->answered = true;
	}
	g->done = seq;
	end(v);
	wake(v);
}

void engine_vm_done(struct engine_vm *v, u32 seq)
{
	done(v, seq, NULL);
}

void engine_vm_done_read(struct engine_vm *v, u32 seq, u32 data)
{
	done(v, seq, &data);
}

void engine_vm_irq(struct engine_vm *v, unsigned int line, bool level)
{
	struct guest *g;

	if (line != 4 && line != ACPI_PM_SCI)
		return;
	g = begin(v);
	*(line == 4 ? &g->irq : &g->sci) = level;
	end(v);
	if (level)
		wake(v);
}

void engine_vm_trigger(struct engine_vm *v, unsigned int line, bool level_triggered)
{
	(void)v;
	(void)line;
	(void)level_triggered;
}

void engine_vm_written(struct engine_vm *v, u64 gpa, u64 size)
{
	(void)v;
	(void)gpa;
	(void)size;
}

int engine_vm_flush(struct engine_vm *v)
{
	(void)v;
	return 0;
}

bool engine_vm_complaint(struct engine_vm *v, struct error *ret)
{
	if (!v->complaint.code)
		return false;
	*ret = v->complaint;
	v->complaint.code = 0;
	return true;
}
