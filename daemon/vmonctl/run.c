// SPDX-License-Identifier: GPL-2.0
/*
 * Verb run: start a virtual machine that no file defines, be its console, end as it ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/disk_option.h"
#include "common/net_option.h"
#include "vmonctl/lasting.h"
#include "vmonctl/request.h"
#include "vmonctl/vmonctl.h"

struct run {
	struct guest_config config;
	struct request rq;
	bool reboot, detach;

	struct lasting link;
	struct viewer viewer;
	struct running guest;
	bool leaving, closed, ended;
	char end[32];
	uint32_t value;
	char *report;
};

static int replace(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
	return *field ? 0 : complain(EXIT_FAILED, "out of memory");
}

/* A value that definitions have as well. */
static int set_key(struct run *run, const char *key, const char *value)
{
	struct error err;

	if (!*value)
		return usage_error("run", "%s is empty: give it a value", key);
	if (guest_key_set(guest_key_find(NULL, key), &run->config, value, &err) < 0)
		return usage_error("run", "%s", err.text);
	return 0;
}

/* The path may be relative here. */
static int add_disk(struct run *run, const char *text)
{
	struct disk_option o;
	struct error err;

	if (run->config.disks.n == DISK_OPTION_MAX)
		return usage_error("run", "more than %u disks", DISK_OPTION_MAX);
	if (disk_option_parse(text, &o, &err) < 0)
		return usage_error("run", "%s", err.text);
	if (guest_list_add(&run->config.disks, text) < 0)
		return complain(EXIT_FAILED, "out of memory");
	return 0;
}

static int add_net(struct run *run, const char *text)
{
	struct net_option o;
	struct error err;

	if (run->config.nets.n == NET_OPTION_MAX)
		return usage_error("run", "more than %u network cards", NET_OPTION_MAX);
	if (net_option_parse(text, &o, &err) < 0)
		return usage_error("run", "%s", err.text);
	if (guest_list_add(&run->config.nets, text) < 0)
		return complain(EXIT_FAILED, "out of memory");
	return 0;
}

static int parse(struct run *run, int argc, char **argv)
{
	enum { KERNEL = 1, INITRD, MODULE, APPEND, MEMORY, NAME, EXEC, REBOOT, DEBUG_EXIT,
	       DETACH, DISK, NET, RNG, SELFCHECK };
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
		{ "net", required_argument, NULL, NET },
		{ "rng", no_argument, NULL, RNG },
		{ "selfcheck", no_argument, NULL, SELFCHECK },
		{ 0 }
	};
	int c, r = 0;

	opterr = 0;
	while (!r && (c = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		switch (c) {
		case KERNEL:
			r = replace(&run->config.kernel, optarg);
			break;
		case INITRD:
			r = replace(&run->config.initrd, optarg);
			break;
		case MODULE:
			if (run->config.modules.n == GUEST_LIST_MAX)
				r = usage_error("run", "more than %u modules", GUEST_LIST_MAX);
			else if (guest_list_add(&run->config.modules, optarg) < 0)
				r = complain(EXIT_FAILED, "out of memory");
			break;
		case APPEND:
			r = replace(&run->config.append, optarg);
			break;
		case MEMORY:
			r = set_key(run, "memory", optarg);
			break;
		case NAME:
			r = replace(&run->config.name, optarg);
			break;
		case EXEC:
			r = set_key(run, "exec", optarg);
			break;
		case REBOOT:
			run->reboot = true;
			break;
		case DEBUG_EXIT:
			run->rq.debug_exit = true;
			break;
		case DETACH:
			run->detach = true;
			break;
		case DISK:
			r = add_disk(run, optarg);
			break;
		case NET:
			r = add_net(run, optarg);
			break;
		case SELFCHECK:
			run->rq.selfcheck = true;
			break;
		case RNG:
			run->config.rng = true;
			break;
		case ':':
			return usage_error("run", "option '%s' needs a value",
					   argv[optind - 1]);
		default:
			return usage_error("run", "unknown option '%s'", argv[optind - 1]);
		}
	}
	if (r)
		return r;
	if (optind < argc)
		return usage_error("run", "run: unexpected argument '%s'", argv[optind]);
	if (!run->config.kernel)
		return usage_error("run", "run: --kernel is missing");
	return 0;
}

static void finish(struct run *run)
{
	if (run->ended && run->closed)
		(void)sd_event_exit(run->link.event, 0);
}

static void lose(struct run *run)
{
	snprintf(run->end, sizeof(run->end), "lost");
	run->closed = true;
	run->ended = true;
	finish(run);
}

static int on_wait(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct run *run = arg;
	const char *end, *report;

	(void)error;
	if (lasting_away(m))
		return 0;		/* on_lost(), or on_again() */
	if (sd_bus_message_is_method_error(m, NULL)) {
		complain(0, "vmond has no '%s' any more: see 'journalctl -u vmond'",
			 run->guest.name);
		lose(run);
		return 0;
	}
	if (sd_bus_message_read(m, "sus", &end, &run->value, &report) >= 0) {
		snprintf(run->end, sizeof(run->end), "%s", end);
		run->report = strdup(report);
	}
	run->ended = true;
	finish(run);
	return 0;
}

static void on_lost(void *arg)
{
	struct run *run = arg;

	complain(0, "vmond has gone, and '%s' with it: see 'systemctl status vmond'",
		 run->guest.name);
	lose(run);
}

static void terminate(struct run *run)
{
	sd_bus_message *m = NULL;

	if (run->link.bus && request_method(run->link.bus, "Terminate", &m) >= 0 &&
	    sd_bus_message_append(m, "s", run->guest.name) >= 0 &&
	    sd_bus_message_set_expect_reply(m, false) >= 0)
		(void)sd_bus_send(run->link.bus, m, NULL);
	sd_bus_message_unref(m);
}

/* There is a new vmond. */
static int on_again(void *arg)
{
	struct run *run = arg;
	int r = 0;

	if (!run->ended)
		r = request_wait(run->link.bus, run->guest.id, on_wait, run);
	if (r >= 0 && !run->closed)
		r = viewer_again(&run->viewer);
	if (r >= 0 && run->leaving)
		terminate(run);
	/* It has no such guest: the answer to Wait says so. */
	return r == -ENXIO ? 0 : r;
}

/* The user leaves: stop the VM; its end comes as every other. */
static void on_leave(void *arg)
{
	struct run *run = arg;

	if (run->leaving) {
		(void)sd_event_exit(run->link.event, 0);	/* asked twice */
		return;
	}
	run->leaving = true;
	terminate(run);
}

static void on_closed(void *arg)
{
	struct run *run = arg;

	run->closed = true;
	finish(run);
}

static int attend(struct run *run)
{
	int r;

	run->viewer = (struct viewer){
		.link = &run->link, .id = run->guest.id, .leave = on_leave, .done = on_closed,
		.arg = run,
	};
	r = request_wait(run->link.bus, run->guest.id, on_wait, run);
	if (r < 0)
		return r;
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Virtual machine '%s'; Ctrl-] stops it.\r\n", run->guest.name);
	r = viewer_open(&run->viewer, 0);
	if (r < 0 && !run->link.claim_ms)
		return r;
	r = sd_event_loop(run->link.event);
	viewer_close(&run->viewer);
	return r;
}

static int connect_vmond(struct run *run)
{
	int r;

	run->link.again = on_again;
	run->link.lost = on_lost;
	run->link.arg = run;
	if (client_open(&run->link.bus) < 0)
		return EXIT_FAILED;
	r = sd_event_default(&run->link.event);
	if (r >= 0)
		r = lasting_watch(&run->link);
	return r < 0 ? complain(EXIT_FAILED, "cannot watch vmond: %s", strerror(-r)) : 0;
}

static int tell(const struct run *run)
{
	if (run->leaving && !strcmp(run->end, "stopped"))
		return EXIT_OK;
	return tell_end(run->guest.name, run->end, run->value, run->report ? run->report : "");
}

int verb_run(int argc, char **argv)
{
	struct run run = { .rq.engine_fd = -1 };
	int r;

	guest_config_init(&run.config);
	run.config.memory = GUEST_MEMORY_DEFAULT;
	run.config.name = strdup("");
	run.rq.config = &run.config;
	r = run.config.name ? parse(&run, argc, argv) : complain(EXIT_FAILED, "out of memory");
	if (run.reboot) {
		run.rq.restart[0] = "reset";
		run.rq.restart[1] = "triple-fault";
	}
	if (!r)
		r = connect_vmond(&run);
	if (!r)
		r = request_run(run.link.bus, &run.rq, &run.guest);
	if (!r && run.detach) {
		puts(run.guest.name);
	} else if (!r) {
		r = attend(&run);
		r = r < 0 ? complain(EXIT_FAILED, "console: %s", strerror(-r)) : tell(&run);
	}
	lasting_close(&run.link);
	sd_event_unref(run.link.event);
	guest_config_free(&run.config);
	free(run.report);
	return r;
}
