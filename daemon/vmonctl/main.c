// SPDX-License-Identifier: GPL-2.0
/*
 * vmonctl: a table of verbs.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/types.h"
#include "common/version.h"
#include "vmonctl/vmonctl.h"

#define HELP_JSON "  --json             print JSON\n"

#define STATUS "\nStatus 0 if it was done, 1 if not, 2 for a wrong command line.\n"

static const struct verb verbs[] = {
	{ "list", "[--all] [--json]", "list guests that run",
	  "  --all              also those that have ended and those that are defined\n"
	  HELP_JSON STATUS, verb_list },
	{ "status", "NAME [--json]", "show how a guest is", HELP_JSON
	  "\nStatus 0 if it runs or is paused, 3 if it does not, 1 if there is none.\n",
	  verb_status },
	{ "show", "NAME [--json]", "show all about a guest, for scripts", HELP_JSON STATUS,
	  verb_show },
	{ "start", "NAME...", "start guests that are defined",
	  "  --no-unit          do not start vmon@NAME.service, ask vmond at once\n"
	  "  --foreground       be the process of the guest's unit: create the guest in the\n"
	  "                     cgroups of this process, end as it ends, end it on SIGTERM\n"
	  "\n"
	  "Status 0 if they run, 1 if not. With --foreground as for 'vmonctl run'.\n", verb_start },
	{ "poweroff", "NAME...", "ask guests to power off", STATUS, verb_poweroff },
	{ "terminate", "NAME...", "end guests, at once", STATUS, verb_terminate },
	{ "reboot", "NAME...", "ask guests to reboot", STATUS, verb_reboot },
	{ "reset", "NAME...", "restart guests from their boot image, at once", STATUS,
	  verb_reset },
	{ "pause", "NAME...", "stop the processor of guests", STATUS, verb_pause },
	{ "unpause", "NAME...", "let them go on", STATUS, verb_unpause },
	{ "console", "[--all] NAME", "be the console of a guest",
	  "  --all              begin with all output that is kept (1 MiB),\n"
	  "                     not only what nobody has read yet\n"
	  "\n"
	  "On a terminal, Ctrl-] leaves; the guest goes on.\n", verb_console },
	{ "run", "--kernel FILE [OPTION...]",
	  "start a guest that no file defines, and be its console",
	  "  --kernel FILE      Linux bzImage or Multiboot 1 image\n"
	  "  --initrd FILE      initial RAM disk (Linux)\n"
	  "  --module 'FILE [ARGS]'  module (Multiboot); can be given again\n"
	  "  --append 'ARGS'    kernel command line\n"
	  "  --memory SIZE      guest memory, as 128M or 1G (128M)\n"
	  "  --disk PATH[,readonly][,format=raw][,id=NAME]\n"
	  "                     virtio disk: raw image or block device; can be given again\n"
	  "  --net KIND[,mac=ADDRESS][,id=NAME]\n"
	  "                     virtio network card; can be given again. KIND: tap=DEVICE, none, or\n"
	  "                     nat[,forward=PROTOCOL:[ADDRESS/]PORT[:PORT]]...[,host]\n"
	  "  --rng              virtio source of randomness\n"
	  "  --name NAME        name (vm1, vm2, ...)\n"
	  "  --exec MODE        guest kernel code: translate or emulate\n"
	  "  --reboot           restart the guest when it resets, do not end it\n"
	  "  --debug-exit       a guest's write to port F4h ends it, and the low byte\n"
	  "                     written becomes the exit status of vmonctl\n"
	  "  --selfcheck        compare what is the monitor's after each exit, and stop a\n"
	  "                     guest that has changed it (slow; counted in stat)\n"
	  "  --detach           do not be its console; print its name and return\n"
	  "\n"
	  "On a terminal, Ctrl-] stops the guest. Otherwise run returns when\n"
	  "the guest resets or halts (status 0), meets something unsupported (3),\n"
	  "triple-faults (4), or is stopped by somebody else (5).\n", verb_run },
	{ "create", "NAME --kernel FILE [OPTION...]", "write a definition",
	  "Its keys, see vmon-guest(5), are the options:\n\n", verb_create },
	{ "edit", "NAME", "change a definition with $EDITOR",
	  "What is wrong is not put in place, but kept as NAME.conf.rejected.\n" STATUS,
	  verb_edit },
	{ "cat", "NAME", "print a definition and its drop-ins", STATUS, verb_cat },
	{ "remove", "[--all] NAME...", "remove definitions",
	  "  --all              and their drop-ins\n" STATUS, verb_remove },
	{ "enable", "[--now] NAME...", "start guests at boot",
	  "  --now              and at once\n" STATUS, verb_enable },
	{ "disable", "[--now] NAME...", "do not start guests at boot",
	  "  --now              and end them at once\n" STATUS, verb_disable },
	{ "log", "NAME [OPTION...]", "show what the journal has about a guest",
	  "  --console          its console log, if it has one, instead\n"
	  "  --follow           go on with what comes\n"
	  "  --lines N          the last N lines alone\n" HELP_JSON STATUS, verb_log },
	{ "stat", "NAME [OPTION...]", "show statistics",
	  "  --watch[=SECONDS]  again and again (2)\n"
	  "  --count N          so many times\n" HELP_JSON STATUS, verb_stat },
	{ "monitor", "[--json]", "show what happens to guests, as it happens",
	  "  --json             an object a line\n"
	  "\nStatus 0 on SIGINT or SIGTERM, 1 if vmond goes away.\n", verb_monitor },
	{ "check", "[--json] [--escape [OPTION...] [PROGRAM...]]",
	  "show what this machine and module can do", HELP_JSON
	  "\nStatus 0 if guests can be run protected, 1 if not, or if nobody\n"
	  "can tell: the module is not loaded, or vmond does not answer.\n"
	  "\n"
	  "  --escape           run guests that try to break out, and tell whether anything\n"
	  "                     got out; all programs, or those named\n"
	  "  --programs DIR     where they are (beside vmonctl, or in its build tree)\n"
	  "  --log DIR          keep what they say there, a file for each program\n"
	  "  --restarts N       how often to go on with the next attempt when a machine ends\n"
	  "                     in the middle of one (20)\n"
	  "  --timeout SECONDS  stop a machine in which no attempt comes to its end for so\n"
	  "                     long (60)\n"
	  "  --unprotected      try it even if nothing protects this host; what succeeds\n"
	  "                     there may bring it down\n"
	  "\n"
	  "Each attempt knows what must come of it. After every exit of the guest, the module\n"
	  "compares all that is its own with what it was before. A row shows, for a program:\n"
	  "attempts made, right, failed, failed of a known gap (SECURITY.md), comparisons.\n"
	  "Status 0 if every attempt came out as it must, nothing has changed, something was\n"
	  "compared, and the host is protected; else 1. Ctrl-C stops it.\n", verb_check },
	{ "debug", "regs|trace NAME, or daemon", "show registers, last exits, or vmond's state",
	  "Registers and exits of a guest that ended with an error or a\n"
	  "triple fault are kept.\n", verb_debug },
	{ "version", "", "print versions", NULL, verb_version },
};

/* Names that verbs had, or have elsewhere. */
static const struct {
	const char *name, *verb;
} aliases[] = {
	{ "stop", "terminate" },
};

const char *socket_path = VMON_BUS_SOCKET;

int complain(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("vmonctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

int usage_error(const char *verb, const char *fmt, ...)
{
	va_list ap;

	fputs("vmonctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": try 'vmonctl %s%s--help'\n", verb, *verb ? " " : "");
	return EXIT_USAGE;
}

static int help(FILE *f)
{
	unsigned int i;

	fputs("usage: vmonctl [--socket PATH] VERB [OPTION...]\n\n", f);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(f, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n'vmonctl VERB --help' tells more. Exit status: 0 done, 1 failed, 2 usage;\n"
	      "3, 4 and 5 tell how a guest ended (see 'vmonctl run --help').\n", f);
	return f == stderr ? EXIT_USAGE : EXIT_OK;
}

static int verb_help(const struct verb *v)
{
	printf("usage: vmonctl %s %s\n\n%c%s.\n", v->name, v->args,
	       v->summary[0] - 'a' + 'A', v->summary + 1);
	if (v->help)
		printf("%s%s", *v->help == '\n' ? "" : "\n", v->help);
	if (v->run == verb_create)
		create_help();
	return EXIT_OK;
}

/**
 * parse_options() - options and number of arguments of a verb
 * @argc: as for main
 * @argv: as for main; optind is at the first argument afterwards
 * @min: fewest arguments
 * @max: most arguments
 * @options: as for getopt_long(), all of them long
 * @on_option: gets each; 0, or an exit status after a message
 * @arg: for @on_option
 *
 * Return: 0, or an exit status after a message.
 */
int parse_options(int argc, char **argv, int min, int max, const struct option *options,
		  int (*on_option)(int c, const char *value, void *arg), void *arg)
{
	int c, r;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		if (c == ':')
			return usage_error(argv[0], "option '%s' needs a value",
					   argv[optind - 1]);
		if (c == '?')
			return usage_error(argv[0], "unknown option '%s'", argv[optind - 1]);
		r = on_option(c, optarg, arg);
		if (r)
			return r;
	}
	if (argc - optind < min)
		return usage_error(argv[0], "%s: an argument is missing", argv[0]);
	if (argc - optind > max)
		return usage_error(argv[0], "%s: unexpected argument '%s'", argv[0],
				   argv[optind + max]);
	return 0;
}

struct simple {
	bool *json, *all;
};

static int on_simple(int c, const char *value, void *arg)
{
	const struct simple *s = arg;
	bool *flag = c == 'j' ? s->json : s->all;

	(void)value;
	if (flag)
		*flag = true;
	return 0;
}

/**
 * parse_simple() - options of the verbs that have few
 * @argc: as for main
 * @argv: as for main; optind is at the first argument afterwards
 * @min: fewest arguments
 * @max: most arguments
 * @json: set by --json; NULL: not known
 * @all: set by --all; NULL: not known
 *
 * Return: 0, or EXIT_USAGE after a message.
 */
int parse_simple(int argc, char **argv, int min, int max, bool *json, bool *all)
{
	struct option options[3] = { 0 };
	struct simple s = { json, all };
	unsigned int n = 0;

	if (json)
		options[n++] = (struct option){ "json", no_argument, NULL, 'j' };
	if (all)
		options[n++] = (struct option){ "all", no_argument, NULL, 'a' };
	return parse_options(argc, argv, min, max, options, on_simple, &s);
}

static bool asks_for_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc > 1 && !strcmp(basename(argv[0]), "vmon-generator"))
		return generator_main(argv[1]);
	if (getenv("VMON_SOCKET"))
		socket_path = getenv("VMON_SOCKET");
	if (argc >= 3 && !strcmp(argv[1], "--socket")) {
		socket_path = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 2)
		return help(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(stdout);
	if (!strcmp(argv[1], "--version"))
		argv[1] = "version";
	for (i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strcmp(argv[1], aliases[i].name))
			argv[1] = (char *)aliases[i].verb;
	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		if (asks_for_help(argc - 1, argv + 1))
			return verb_help(&verbs[i]);
		return verbs[i].run(argc - 1, argv + 1);
	}
	return usage_error("", "unknown %s '%s'", argv[1][0] == '-' ? "option" : "verb",
			   argv[1]);
}
