// SPDX-License-Identifier: GPL-2.0
/*
 * What a client gives with Run: a dictionary of options, each with a row here. Unknown ones
 * are refused, so that nothing that was asked for is silently left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "vmond/manager.h"

/**
 * struct run_option - one option
 * @name: key in the dictionary
 * @type: of its value
 * @read: take the value into the config
 */
struct run_option {
	const char *name;
	const char *type;
	int (*read)(sd_bus_message *m, struct vm_config *c, struct error *err);
};

static int malformed(struct error *err, int r)
{
	return fail(err, -r, "malformed message");
}

static int copy_fd(int fd, int *ret, struct error *err)
{
	if (*ret >= 0)
		return fail(err, EINVAL, "the same option is given again");
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *ret < 0 ? fail(err, errno, "%s", strerror(errno)) : 0;
}

static int read_string(sd_bus_message *m, char **field, struct error *err)
{
	const char *text;
	int r = sd_bus_message_read(m, "s", &text);

	if (r < 0)
		return malformed(err, r);
	if (*field)
		return fail(err, EINVAL, "the same option is given again");
	*field = strdup(text);
	return *field ? 0 : fail(err, ENOMEM, "out of memory");
}

static int read_file(sd_bus_message *m, struct boot_file *f, struct error *err)
{
	const char *name;
	int fd, r;

	r = sd_bus_message_read(m, "(hs)", &fd, &name);
	if (r < 0)
		return malformed(err, r);
	if (f->data)
		return fail(err, EINVAL, "'%s': only one such file can be given", name);
	return file_read(fd, name, NULL, f, err);
}

static int read_kernel(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	return read_file(m, &c->kernel, err);
}

static int read_initrd(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	return read_file(m, &c->initrd, err);
}

static int read_modules(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	const char *name, *args;
	int fd, r;

	r = sd_bus_message_enter_container(m, 'a', "(hss)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(hss)", &fd, &name, &args)) > 0) {
		if (c->n_modules == VM_MODULES_MAX)
			return fail(err, E2BIG, "module: more than %u given", VM_MODULES_MAX);
		r = file_read(fd, name, args, &c->modules[c->n_modules], err);
		if (r < 0)
			return r;
		c->n_modules++;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? malformed(err, r) : 0;
}

static int read_append(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	return read_string(m, &c->append, err);
}

static int read_memory(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	int r = sd_bus_message_read(m, "t", &c->memory);

	return r < 0 ? malformed(err, r) : 0;
}

static int read_exec(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	const char *name;
	int r = sd_bus_message_read(m, "s", &name);

	if (r < 0)
		return malformed(err, r);
	if (!*name || !strcmp(name, "default"))
		c->exec = 0;
	else if (!strcmp(name, "translate"))
		c->exec = VMON_EXEC_TRANSLATE;
	else if (!strcmp(name, "emulate"))
		c->exec = VMON_EXEC_EMULATE;
	else
		return fail(err, EINVAL, "exec '%s': use translate or emulate", name);
	return 0;
}

static int read_restart(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	static const enum vm_end can[] = { VM_END_RESET, VM_END_TRIPLE_FAULT, VM_END_ERROR };
	const char *name;
	unsigned int i;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(m, "s", &name)) > 0) {
		for (i = 0; i < ARRAY_SIZE(can) && strcmp(name, vm_end_name(can[i])); i++)
			;
		if (i == ARRAY_SIZE(can))
			return fail(err, EINVAL,
				    "restart '%s': use reset, triple-fault or error", name);
		c->restart |= 1u << can[i];
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? malformed(err, r) : 0;
}

static int read_flag(sd_bus_message *m, bool *flag, struct error *err)
{
	int value, r = sd_bus_message_read(m, "b", &value);

	if (r < 0)
		return malformed(err, r);
	*flag = value;
	return 0;
}

static int read_debug_exit(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	return read_flag(m, &c->debug_exit, err);
}

static int read_selfcheck(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	return read_flag(m, &c->selfcheck, err);
}

static int read_rng(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	return read_flag(m, &c->rng, err);
}

static int read_bound(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	return read_flag(m, &c->bound, err);
}

static int read_description(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	return read_string(m, &c->description, err);
}

/* A guest that is defined can be reset by request. */
static int read_definition(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	c->keep = true;
	return read_string(m, &c->definition, err);
}

static int read_log(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	const char *name;
	int fd, r;

	r = sd_bus_message_read(m, "(hs)", &fd, &name);
	if (r < 0)
		return malformed(err, r);
	r = copy_fd(fd, &c->log_fd, err);
	if (r < 0)
		return r;
	c->log_name = strdup(name);
	return c->log_name ? 0 : fail(err, ENOMEM, "out of memory");
}

static int read_engine(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	int fd, r;

	r = sd_bus_message_read(m, "(hu)", &fd, &c->engine_vm);
	return r < 0 ? malformed(err, r) : copy_fd(fd, &c->engine_fd, err);
}

static const struct run_option options[] = {
	{ "kernel", "(hs)", read_kernel },
	{ "initrd", "(hs)", read_initrd },
	{ "modules", "a(hss)", read_modules },
	{ "disks", "a(hssb)", bus_read_disks },
	{ "nets", "a(husss)", bus_read_nets },
	{ "rng", "b", read_rng },
	{ "append", "s", read_append },
	{ "memory", "t", read_memory },
	{ "exec", "s", read_exec },
	{ "restart", "as", read_restart },
	{ "debug-exit", "b", read_debug_exit },
	{ "selfcheck", "b", read_selfcheck },
	{ "bound", "b", read_bound },
	{ "description", "s", read_description },
	{ "definition", "s", read_definition },
	{ "log", "(hs)", read_log },
	{ "engine", "(hu)", read_engine },
};

static int read_option(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	const char *name;
	unsigned int i;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return malformed(err, r);
	for (i = 0; i < ARRAY_SIZE(options) && strcmp(name, options[i].name); i++)
		;
	if (i == ARRAY_SIZE(options))
		return fail(err, EINVAL,
			    "vmond knows no option '%s': vmond and vmonctl are of different versions",
			    name);
	r = sd_bus_message_enter_container(m, 'v', options[i].type);
	if (r < 0)
		return malformed(err, r);
	r = options[i].read(m, c, err);
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(m);
	return r < 0 ? malformed(err, r) : 0;
}

/**
 * bus_read_config() - what Run is to run
 * @m: message, at its first argument
 * @c: to fill in, after vm_config_init()
 * @err: what is wrong
 */
int bus_read_config(sd_bus_message *m, struct vm_config *c, struct error *err)
{
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_option(m, c, err);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
	}
	if (r < 0)
		return malformed(err, r);
	if (!c->kernel.data)
		return fail(err, EINVAL, "the kernel is missing: give one");
	if (c->selfcheck && c->engine_fd >= 0)
		return fail(err, EINVAL,
			    "selfcheck comes with a VM when that is made: give either it or engine");
	c->name = strdup(name);
	if (!c->append)
		c->append = strdup("");
	return c->name && c->append ? 0 : fail(err, ENOMEM, "out of memory");
}
