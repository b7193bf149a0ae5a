// SPDX-License-Identifier: GPL-2.0
/*
 * Verb run: start a virtual machine, be its console, tell how it ended.
 *
 * Kernel, initrd and disks are opened here, with the user's rights and from the user's
 * directory, and passed as descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/disk_option.h"
#include "common/version.h"
#include "vmonctl/terminal.h"
#include "vmonctl/vmonctl.h"

#define MODULES_MAX	64
#define RUN_REBOOT	1
#define RUN_DEBUG_EXIT	2
#define RUN_RNG		4
#define MEMORY_DEFAULT	(128ull << 20)

struct run {
	const char *kernel, *initrd, *append, *name, *exec;
	char *modules[MODULES_MAX];
	unsigned int n_modules;
	struct disk_option disks[DISK_OPTION_MAX];
	unsigned int n_disks;
	uint64_t memory, flags;
	bool detach;

	sd_bus *bus;
	sd_event *event;
	struct terminal *terminal;
	uint64_t id;
	char started[64];	/* name it was given */
	bool leaving, closed, ended;
	char end[32];
	uint32_t value;
	char *report;
};

static int parse_memory(const char *text, uint64_t *ret)
{
	unsigned long long n;
	int shift;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	switch (*end) {
	case 'K': case 'k':
		shift = 10;
		break;
	case 0: case 'M': case 'm':
		shift = 20;
		break;
	case 'G': case 'g':
		shift = 30;
		break;
	default:
		return -EINVAL;
	}
	if (errno || (*end && end[1]) || !n || n > UINT64_MAX >> shift)
		return -EINVAL;
	*ret = n << shift;
	return 0;
}

static int add_disk(struct run *run, const char *text)
{
	struct error err;

	if (run->n_disks == DISK_OPTION_MAX)
		return usage_error("run", "more than %u disks", DISK_OPTION_MAX);
	if (disk_option_parse(text, &run->disks[run->n_disks], &err) < 0)
		return usage_error("run", "%s", err.text);
	run->n_disks++;
	return 0;
}

static int parse(struct run *run, int argc, char **argv)
{
	enum { KERNEL = 1, INITRD, MODULE, APPEND, MEMORY, NAME, EXEC, REBOOT, DEBUG_EXIT,
	       DETACH, DISK, RNG };
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, KERNEL },
		{ "initrd", required_argument, NULL, INITRD },
		{ "module", required_argument, NULL, MODULE },
		{ "append", required_argument, NULL, APPEND },
		{ "memory", required_argument, NULL, MEMORY },
		{ "name", required_argument, NULL, NAME },
		{ "exec", required_argument, NULL, EXEC },
		{ "reboot", no_argument, NULL, REBOOT },
		{ "debug-exit", no_argument, NULL, DEBUG_EXIT },
		{ "detach", no_argument, NULL, DETACH },
		{ "disk", required_argument, NULL, DISK },
		{ "rng", no_argument, NULL, RNG },
		{ 0 }
	};
	int c, r;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		switch (c) {
		case KERNEL:
			run->kernel = optarg;
			break;
		case INITRD:
			run->initrd = optarg;
			break;
		case MODULE:
			if (run->n_modules == MODULES_MAX)
				return usage_error("run", "more than %u modules", MODULES_MAX);
			run->modules[run->n_modules++] = optarg;
			break;
		case APPEND:
			run->append = optarg;
			break;
		case MEMORY:
			if (parse_memory(optarg, &run->memory) < 0)
				return usage_error("run", "memory '%s' is no size like 128M or 1G",
						   optarg);
			break;
		case NAME:
			run->name = optarg;
			break;
		case EXEC:
			if (strcmp(optarg, "translate") && strcmp(optarg, "emulate"))
				return usage_error("run", "exec '%s' is neither translate nor emulate",
						   optarg);
			run->exec = optarg;
			break;
		case REBOOT:
			run->flags |= RUN_REBOOT;
			break;
		case DEBUG_EXIT:
			run->flags |= RUN_DEBUG_EXIT;
			break;
		case DETACH:
			run->detach = true;
			break;
		case DISK:
			r = add_disk(run, optarg);
			if (r)
				return r;
			break;
		case RNG:
			run->flags |= RUN_RNG;
			break;
		case ':':
			return usage_error("run", "option '%s' needs a value",
					   argv[optind - 1]);
		default:
			return usage_error("run", "unknown option '%s'", argv[optind - 1]);
		}
	}
	if (optind < argc)
		return usage_error("run", "run: unexpected argument '%s'", argv[optind]);
	if (!run->kernel)
		return usage_error("run", "run: --kernel is missing");
	return 0;
}

static int open_file(const char *what, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		complain(0, "%s '%s': %s: give a file that exists and that you may read",
			 what, path, strerror(errno));
	return fd;
}

/* Append one file as "hs"; the message keeps its own copy of the descriptor. */
static int append_file(sd_bus_message *m, const char *what, const char *path, int *status)
{
	int fd = open_file(what, path);
	int r;

	if (fd < 0) {
		*status = EXIT_FAILED;
		return -ENOENT;
	}
	r = sd_bus_message_append(m, "hs", fd, path);
	close(fd);
	return r;
}

static int append_initrd(sd_bus_message *m, const struct run *run, int *status)
{
	int r = sd_bus_message_open_container(m, 'a', "(hs)");

	if (r >= 0 && run->initrd) {
		r = sd_bus_message_open_container(m, 'r', "hs");
		if (r >= 0)
			r = append_file(m, "initrd", run->initrd, status);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_modules(sd_bus_message *m, const struct run *run, int *status)
{
	int r = sd_bus_message_open_container(m, 'a', "(hss)");
	unsigned int i;

	for (i = 0; i < run->n_modules && r >= 0; i++) {
		char *args = strchr(run->modules[i], ' ');

		if (args)
			*args++ = 0;
		r = sd_bus_message_open_container(m, 'r', "hss");
		if (r >= 0)
			r = append_file(m, "module", run->modules[i], status);
		if (r >= 0)
			r = sd_bus_message_append(m, "s", args ? args : "");
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Not to wait: what is no file may have nobody at its other end. */
static int open_disk(const struct disk_option *o)
{
	int flags = (o->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(o->path, flags);

	if (fd >= 0)
		return fd;
	if (errno == EISDIR)
		complain(0, "disk '%s' is a directory: give an image file or a block device",
			 o->path);
	else if ((errno == EACCES || errno == EROFS || errno == EPERM) && !o->readonly)
		complain(0, "disk '%s': %s: give one that you may write, or add ',readonly'",
			 o->path, strerror(errno));
	else
		complain(0, "disk '%s': %s: give a file that exists and that you may read",
			 o->path, strerror(errno));
	return -1;
}

static int append_disks(sd_bus_message *m, const struct run *run, int *status)
{
	int r = sd_bus_message_open_container(m, 'a', "(hssb)");
	unsigned int i;

	for (i = 0; i < run->n_disks && r >= 0; i++) {
		const struct disk_option *o = &run->disks[i];
		int fd = open_disk(o);

		if (fd < 0) {
			*status = EXIT_FAILED;
			return -ENOENT;
		}
		r = sd_bus_message_append(m, "(hssb)", fd, o->path, o->id, (int)o->readonly);
		close(fd);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int new_message(struct run *run, const char *method, sd_bus_message **m)
{
	return sd_bus_message_new_method_call(run->bus, m, NULL, VMON_BUS_PATH,
					      VMON_BUS_INTERFACE, method);
}

static int start(struct run *run)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	int status = 0;
	const char *name;
	int r;

	r = new_message(run, "Run", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", run->name);
	if (r >= 0)
		r = append_file(m, "kernel", run->kernel, &status);
	if (r >= 0)
		r = append_initrd(m, run, &status);
	if (r >= 0)
		r = append_modules(m, run, &status);
	if (r >= 0)
		r = sd_bus_message_append(m, "stst", run->append, run->memory, run->exec,
					  run->flags);
	if (r >= 0)
		r = append_disks(m, run, &status);
	if (r >= 0)
		r = sd_bus_call(run->bus, m, 0, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "ts", &run->id, &name);
	if (r >= 0)
		snprintf(run->started, sizeof(run->started), "%s", name);
	else if (!status)
		status = client_failed(&error, r);
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return status;
}

static void finish(struct run *run)
{
	if (run->ended && run->closed)
		(void)sd_event_exit(run->event, 0);
}

static int on_wait(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct run *run = arg;
	const char *end, *report;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL)) {
		/* The daemon is gone, and the VM with it. */
		complain(0, "vmond has gone, and '%s' with it: see 'systemctl status vmond'",
			 run->started);
		snprintf(run->end, sizeof(run->end), "lost");
		run->closed = true;
	} else if (sd_bus_message_read(m, "sus", &end, &run->value, &report) >= 0) {
		snprintf(run->end, sizeof(run->end), "%s", end);
		run->report = strdup(report);
	}
	run->ended = true;
	finish(run);
	return 0;
}

/* The user leaves: stop the VM; its end comes as every other. */
static void on_leave(void *arg)
{
	struct run *run = arg;
	sd_bus_message *m = NULL;

	if (run->leaving) {
		(void)sd_event_exit(run->event, 0);	/* asked twice */
		return;
	}
	run->leaving = true;
	if (new_message(run, "Stop", &m) >= 0 &&
	    sd_bus_message_append(m, "s", run->started) >= 0 &&
	    sd_bus_message_set_expect_reply(m, false) >= 0)
		(void)sd_bus_send(run->bus, m, NULL);
	sd_bus_message_unref(m);
}

static void on_closed(void *arg)
{
	struct run *run = arg;

	run->closed = true;
	finish(run);
}

static int open_console(struct run *run)
{
	sd_bus_message *m = NULL, *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int fd = -1, r;

	r = new_message(run, "Console", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "sb", run->started, 1);
	if (r >= 0)
		r = sd_bus_call(run->bus, m, 0, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "h", &fd);
	if (r >= 0)
		r = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r;
}

static int attend(struct run *run)
{
	sd_bus_message *m = NULL;
	int fd, r;

	r = sd_event_default(&run->event);
	if (r >= 0)
		r = sd_bus_attach_event(run->bus, run->event, 0);
	if (r >= 0)
		r = new_message(run, "Wait", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", run->id);
	if (r >= 0)
		r = sd_bus_call_async(run->bus, NULL, m, on_wait, run, UINT64_MAX);
	sd_bus_message_unref(m);
	if (r < 0)
		return r;

	fd = open_console(run);
	if (fd < 0)
		return fd;
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Virtual machine '%s'; Ctrl-] stops it.\r\n", run->started);
	r = terminal_open(run->event, fd, on_leave, on_closed, run, &run->terminal);
	if (r < 0)
		return r;
	r = sd_event_loop(run->event);
	terminal_close(run->terminal);
	return r;
}

static int tell(const struct run *run)
{
	static const struct {
		const char *end;
		int status;
		const char *text;
	} ends[] = {
		{ "reset", EXIT_OK, "the guest reset itself" },
		{ "halt", EXIT_OK, "the guest halted" },
		{ "triple-fault", EXIT_GUEST_FAULT, "the guest triple-faulted" },
		{ "error", EXIT_GUEST_ERROR, "the guest met an error" },
		{ "stopped", EXIT_GUEST_STOPPED, "stopped" },
	};
	const char *report = run->report ? run->report : "";
	unsigned int i;

	if (!strcmp(run->end, "debug-exit"))
		return run->value & 0xff;
	if (run->leaving && !strcmp(run->end, "stopped"))
		return EXIT_OK;
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (strcmp(run->end, ends[i].end))
			continue;
		complain(0, "'%s' ended: %s%s%s", run->started, ends[i].text,
			 *report ? ": " : "", report);
		if (ends[i].status == EXIT_GUEST_FAULT || ends[i].status == EXIT_GUEST_ERROR)
			complain(0, "see 'vmonctl debug regs %s' and 'vmonctl debug trace %s'",
				 run->started, run->started);
		return ends[i].status;
	}
	return EXIT_FAILED;
}

int verb_run(int argc, char **argv)
{
	struct run run = {
		.append = "", .name = "", .exec = "", .memory = MEMORY_DEFAULT,
	};
	int r;

	r = parse(&run, argc, argv);
	if (r)
		return r;
	if (client_open(&run.bus) < 0)
		return EXIT_FAILED;
	r = start(&run);
	if (!r && run.detach) {
		puts(run.started);
	} else if (!r) {
		r = attend(&run);
		r = r < 0 ? complain(EXIT_FAILED, "console: %s", strerror(-r)) : tell(&run);
	}
	sd_bus_flush_close_unref(run.bus);
	sd_event_unref(run.event);
	free(run.report);
	return r;
}
