// SPDX-License-Identifier: GPL-2.0
/*
 * An engine without a module: the functions of vmond/engine.h, and in place of a
 * guest a little script that makes the accesses a guest would make.
 *
 * So the daemon, its devices, the console and vmonctl can be tested together on
 * any machine. The "guest" prints a greeting and obeys the
 * words in its command line (see obey()), or says what a script in its image says
 * (fake_script.c). It is a state machine that is advanced when
 * the daemon receives; a socketpair stands in for the netlink socket.
 *
 * FAKE_HOST in the environment is "protected" or "unprotected"; without it no VM can be
 * had, as far as CHECK_GET says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device/acpi_pm.h"
#include "test/fake_script.h"
#include "vmond/engine.h"

#define VMS		8
#define COM1		0x3f8
#define BULK		(900u << 10)	/* fits into the console's ring */

struct engine {
	int events[2];
};

enum phase {
	GREET, BULK_OUT, OBEY, ECHO_IDLE, ECHO_POLL, ECHO_LSR, ECHO_BYTE, BUTTON, SCRIPT, DONE,
};

struct engine_vm {
	struct engine *engine;
	u32 vm;
	int fd[2];
	u8 *ram;
	size_t ram_size;
	char name[VMON_NAME_MAX + 1];
	char append[128];
	u32 exec;
	bool selfcheck;
	struct fake_script script;
	struct script_line line;
	u32 state, cause;
	char report[128];
	enum phase phase;
	u32 seq, done;
	size_t at;
	bool reading;		/* waits for an answer */
	bool answered;
	bool irq;		/* line 4 */
	bool sci;		/* ACPI's */
	bool reborn;
	u32 answer;
	u32 range_com1, range_i8042, range_exit, range_pm;
	struct vmon_regs regs;
};

static struct engine_vm *vms[VMS];

int engine_new(struct engine **ret, struct error *err)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			     e->events))
		return fail(err, errno, "fake engine: %s", strerror(errno));
	*ret = e;
	return 0;
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

static void info_of(const struct engine_vm *v, struct engine_info *info)
{
	memset(info, 0, sizeof(*info));
	info->vm = v->vm;
	info->state = v->state;
	info->cause = v->cause;
	info->exec = v->exec ? v->exec : VMON_EXEC_TRANSLATE;
	info->memory = v->ram_size;
	snprintf(info->name, sizeof(info->name), "%s", v->name);
	snprintf(info->guard, sizeof(info->guard), "%s", "segment");
	snprintf(info->report, sizeof(info->report), "%s", v->report);
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

	info_of(v, &info);
	(void)send(v->engine->events[1], &info, sizeof(info), 0);
}

static void stop(struct engine_vm *v, u32 cause, const char *report)
{
	v->phase = DONE;
	v->state = VMON_STATE_STOPPED;
	v->cause = cause;
	if (report)
		snprintf(v->report, sizeof(v->report), "%s", report);
	tell(v);
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
		if (!vms[i])
			continue;
		info_of(vms[i], &info);
		fn(&info, arg);
	}
	return 0;
}

static struct engine_vm *by_id(u32 vm)
{
	return vm && vm <= VMS ? vms[vm - 1] : NULL;
}

int engine_get(struct engine *e, u32 vm, struct engine_info *ret, struct error *err)
{
	(void)e;
	if (!by_id(vm))
		return fail(err, ENOENT, "no such VM");
	info_of(by_id(vm), ret);
	return 0;
}

static void wake(struct engine_vm *v)
{
	(void)send(v->fd[1], "", 1, MSG_DONTWAIT);
}

int engine_set_state(struct engine *e, u32 vm, u32 state, struct error *err)
{
	struct engine_vm *v = by_id(vm);

	(void)e;
	if (!v)
		return fail(err, ENOENT, "no such VM");
	v->state = state;
	v->cause = state == VMON_STATE_RUNNING ? VMON_CAUSE_NONE : VMON_CAUSE_REQUEST;
	tell(v);
	wake(v);
	return 0;
}

int engine_delete(struct engine *e, u32 vm, struct error *err)
{
	(void)e;
	(void)vm;
	(void)err;
	return 0;
}

int engine_get_regs(struct engine *e, u32 vm, struct vmon_regs *ret, struct error *err)
{
	(void)e;
	(void)err;
	*ret = by_id(vm)->regs;
	return 0;
}

int engine_stat(struct engine *e, u32 vm, struct engine_stat *ret, unsigned int n,
		struct error *err)
{
	const struct engine_vm *v = by_id(vm);

	(void)e;
	(void)err;
	(void)n;
	ret[0] = (struct engine_stat){ "exits", v->seq };
	ret[1] = (struct engine_stat){ "selfcheck_exits", v->script.exits };
	ret[2] = (struct engine_stat){ "selfcheck_attempts", v->script.attempts };
	ret[3] = (struct engine_stat){ "selfcheck_changed", v->script.changed };
	return v->selfcheck ? 4 : 1;
}

int engine_trace(struct engine *e, u32 vm, char **ret, struct error *err)
{
	(void)e;
	(void)vm;
	(void)err;
	*ret = strdup("port write 3f8\n");
	return 0;
}

int engine_vm_new(struct engine *e, const char *name, u32 exec, const char *guard,
		  bool selfcheck, struct engine_vm **ret, struct error *err)
{
	struct engine_vm *v = calloc(1, sizeof(*v));
	unsigned int i;

	(void)guard;
	for (i = 0; i < VMS && vms[i]; i++)
		;
	if (!v || i == VMS ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, v->fd))
		return fail(err, ENOSPC, "fake engine: no room for VM '%s'", name);
	vms[i] = v;
	v->vm = i + 1;
	v->engine = e;
	v->exec = exec;
	v->selfcheck = selfcheck;
	v->state = VMON_STATE_STOPPED;
	v->range_exit = -1;
	snprintf(v->name, sizeof(v->name), "%s", name);
	*ret = v;
	return 0;
}

/* The descriptor stands for nothing here; it is closed, as the real one would be some day. */
int engine_vm_adopt(struct engine *e, int fd, u32 vm, const char *name,
		    struct engine_vm **ret, struct error *err)
{
	(void)vm;
	close(fd);
	return engine_vm_new(e, name, 0, NULL, false, ret, err);
}

void engine_vm_free(struct engine_vm *v)
{
	if (!v)
		return;
	vms[v->vm - 1] = NULL;
	close(v->fd[0]);
	close(v->fd[1]);
	if (v->ram)
		munmap(v->ram, v->ram_size);
	free(v);
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
		v->ram_size = gpa + size;
		v->ram = mmap(NULL, v->ram_size, PROT_READ, MAP_SHARED, fd, 0);
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
		v->range_com1 = range;
	if (addr == 0x64)
		v->range_i8042 = range;
	if (addr == 0xf4)
		v->range_exit = range;
	if (addr == ACPI_PM_EVENT)
		v->range_pm = range;
	return 0;
}

/* Multiboot leaves EBX at its information structure, Linux ESI at boot_params. */
int engine_vm_regs(struct engine_vm *v, const struct vmon_regs *regs, struct error *err)
{
	u32 cmdline;

	(void)err;
	v->regs = *regs;
	memcpy(&cmdline, v->ram + (regs->gpr[3] ? regs->gpr[3] + 16 : regs->gpr[6] + 0x228),
	       sizeof(cmdline));
	snprintf(v->append, sizeof(v->append), "%s", v->ram + cmdline);
	fake_script_begin(&v->script, (const char *)v->ram, v->append);
	if (v->script.at) {
		v->line = fake_script_next(&v->script);
		v->phase = SCRIPT;
	}
	return 0;
}

int engine_vm_reset(struct engine_vm *v, struct error *err)
{
	(void)err;
	v->phase = GREET;
	v->at = 0;
	v->reading = false;
	/* The second life halts, or it would go on for ever. */
	v->reborn = true;
	return 0;
}

static void make(struct engine_vm *v, struct engine_io *io, u32 range, u64 addr, bool write,
		 u32 data)
{
	*io = (struct engine_io){
		.range = range, .seq = ++v->seq, .addr = addr, .size = 1,
		.data = data, .write = write,
	};
	if (!write) {
		v->reading = true;
		v->answered = false;
	}
}

static void obey(struct engine_vm *v, struct engine_io *io, unsigned int *n)
{
	if ((v->reborn && !strstr(v->append, "again")) || strstr(v->append, "halt")) {
		stop(v, VMON_CAUSE_HALT, "");
	} else if (strstr(v->append, "fault")) {
		stop(v, VMON_CAUSE_SHUTDOWN, "triple fault at 00100000");
	} else if (strstr(v->append, "error")) {
		stop(v, VMON_CAUSE_ERROR, "unsupported: 0f ff at 00100000");
	} else if (strstr(v->append, "exit")) {
		make(v, &io[(*n)++], v->range_exit, 0xf4, true, 42);
		v->phase = DONE;
	} else if (strstr(v->append, "button")) {
		/* PWRBTN_EN; then its interrupt */
		make(v, &io[(*n)++], v->range_pm, ACPI_PM_EVENT + 3, true, 0x01);
		v->phase = BUTTON;
	} else if (strstr(v->append, "reset")) {
		make(v, &io[(*n)++], v->range_i8042, 0x64, true, 0xfe);
		v->phase = DONE;
	} else if (strstr(v->append, "echo")) {
		/* DTR, RTS, OUT2; then interrupts on received data. */
		make(v, &io[(*n)++], v->range_com1, COM1 + 4, true, 0x0b);
		make(v, &io[(*n)++], v->range_com1, COM1 + 2, true, 0x01);
		make(v, &io[(*n)++], v->range_com1, COM1 + 1, true, 0x01);
		v->phase = ECHO_POLL;
	} else {
		v->phase = DONE;	/* runs on, silently */
	}
}

/* The power button is pressed: clear its status and do what is wanted then. */
static void pressed(struct engine_vm *v, struct engine_io *io, unsigned int *n)
{
	make(v, &io[(*n)++], v->range_pm, ACPI_PM_EVENT + 1, true, 0x01);
	if (strstr(v->append, "deaf"))
		return;
	if (strstr(v->append, "reset"))
		make(v, &io[(*n)++], v->range_i8042, 0x64, true, 0xfe);
	else
		make(v, &io[(*n)++], v->range_pm, ACPI_PM_CONTROL + 1, true,
		     0x20 | ACPI_PM_S5 << 2);
	v->phase = DONE;
}

/* One byte of the line, or what the line asks for. */
static void play(struct engine_vm *v, struct engine_io *io, unsigned int *n)
{
	switch (v->line.verb) {
	case SCRIPT_TEXT:
		make(v, &io[(*n)++], v->range_com1, COM1, true, v->line.text[v->at]);
		if (++v->at < v->line.len)
			return;
		v->at = 0;
		v->line = fake_script_next(&v->script);
		return;
	case SCRIPT_EXIT:
		make(v, &io[(*n)++], v->range_exit, 0xf4, true, v->line.value);
		break;
	case SCRIPT_HALT:
		stop(v, VMON_CAUSE_HALT, "");
		break;
	case SCRIPT_FAULT:
		stop(v, VMON_CAUSE_SHUTDOWN, "triple fault at 00100000");
		break;
	case SCRIPT_ERROR:
		snprintf(v->report, sizeof(v->report), "%.*s", (int)v->line.len, v->line.text);
		stop(v, VMON_CAUSE_ERROR, NULL);
		break;
	case SCRIPT_HANG:
		break;
	}
	v->phase = DONE;
}

/* Advance the guest. Return: accesses it made. */
static unsigned int step(struct engine_vm *v, struct engine_io *io, unsigned int max)
{
	static const char greeting[] = "hello from the fake guest\n";
	unsigned int n = 0;

	while (n + 4 < max && v->state == VMON_STATE_RUNNING) {
		if (v->reading) {
			if (!v->answered)
				break;
			v->reading = false;
		}
		if (v->seq - v->done > VMON_IO_WINDOW - 4)
			break;
		switch (v->phase) {
		case GREET:
			make(v, &io[n++], v->range_com1, COM1, true, greeting[v->at]);
			if (!greeting[++v->at]) {
				v->at = 0;
				v->phase = strstr(v->append, "bulk") ? BULK_OUT : OBEY;
			}
			break;
		case BULK_OUT:
			make(v, &io[n++], v->range_com1, COM1, true,
			     v->at % 64 == 63 ? '\n' : '0' + v->at % 64);
			if (++v->at == BULK)
				v->phase = OBEY;
			break;
		case OBEY:
			obey(v, io, &n);
			if (v->phase == DONE)
				return n;
			break;
		case SCRIPT:
			play(v, io, &n);
			if (v->phase == DONE)
				return n;
			break;
		case ECHO_IDLE:
			if (!v->irq)
				return n;
			v->phase = ECHO_POLL;
			break;
		case ECHO_POLL:
			make(v, &io[n++], v->range_com1, COM1 + 5, false, 0);
			v->phase = ECHO_LSR;
			break;
		case ECHO_LSR:
			if (!(v->answer & 1)) {
				v->phase = ECHO_IDLE;
				break;
			}
			make(v, &io[n++], v->range_com1, COM1, false, 0);
			v->phase = ECHO_BYTE;
			break;
		case ECHO_BYTE:
			if (v->answer == 4) {
				stop(v, VMON_CAUSE_HALT, "");
				return n;
			}
			make(v, &io[n++], v->range_com1, COM1, true, v->answer);
			v->phase = ECHO_POLL;
			break;
		case BUTTON:
			if (!v->sci)
				return n;
			v->sci = false;
			pressed(v, io, &n);
			break;
		case DONE:
			return n;
		}
	}
	return n;
}

int engine_vm_receive(struct engine_vm *v, struct engine_io *io, unsigned int n)
{
	char buf[256];

	while (recv(v->fd[0], buf, sizeof(buf), 0) > 0)
		;
	return step(v, io, n);
}

void engine_vm_done(struct engine_vm *v, u32 seq)
{
	v->done = seq;
	wake(v);
}

void engine_vm_done_read(struct engine_vm *v, u32 seq, u32 data)
{
	v->done = seq;
	v->answer = data;
	v->answered = true;
	wake(v);
}

void engine_vm_irq(struct engine_vm *v, unsigned int line, bool level)
{
	if (line != 4 && line != ACPI_PM_SCI)
		return;
	*(line == 4 ? &v->irq : &v->sci) = level;
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
	(void)v;
	(void)ret;
	return false;
}
