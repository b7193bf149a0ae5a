// SPDX-License-Identifier: GPL-2.0
/*
 * vmonctl: a table of verbs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/version.h"
#include "vmonctl/vmonctl.h"

#define HELP_JSON "  --json             print JSON\n"

static const struct verb verbs[] = {
	{ "run", "--kernel FILE [OPTION...]",
	  "start a virtual machine and be its console",
	  "  --kernel FILE      Linux bzImage or Multiboot 1 image\n"
	  "  --initrd FILE      initial RAM disk (Linux)\n"
	  "  --module 'FILE [ARGS]'  module (Multiboot); can be given again\n"
	  "  --append 'ARGS'    kernel command line\n"
	  "  --memory SIZE      guest memory, as 128M or 1G (128M)\n"
	  "  --disk PATH[,readonly][,format=raw][,id=NAME]\n"
	  "                     virtio disk: raw image or block device; can be given again\n"
	  "  --rng              virtio source of randomness\n"
	  "  --name NAME        name (vm1, vm2, ...)\n"
	  "  --exec MODE        guest kernel code: translate or emulate\n"
	  "  --reboot           restart the guest when it resets, do not end it\n"
	  "  --debug-exit       a guest's write to port F4h ends it, and the low byte\n"
	  "                     written becomes the exit status of vmonctl\n"
	  "  --detach           do not be its console; print its name and return\n"
	  "\n"
	  "On a terminal, Ctrl-] stops the virtual machine. Otherwise run returns when\n"
	  "the guest resets or halts (status 0), meets something unsupported (3),\n"
	  "triple-faults (4), or is stopped by somebody else (5).\n", verb_run },
	{ "list", "[--all] [--json]", "list virtual machines",
	  "  --all              also those that have ended\n" HELP_JSON, verb_list },
	{ "console", "[--all] NAME", "be the console of a virtual machine",
	  "  --all              begin with all output that is kept (1 MiB),\n"
	  "                     not only what nobody has read yet\n"
	  "\n"
	  "On a terminal, Ctrl-] leaves; the virtual machine goes on.\n", verb_console },
	{ "stop", "NAME...", "stop virtual machines, at once", NULL, verb_stop },
	{ "pause", "NAME", "stop a virtual machine's processor", NULL, verb_pause },
	{ "resume", "NAME", "let it go on", NULL, verb_resume },
	{ "stat", "NAME [--json]", "show statistics", HELP_JSON, verb_stat },
	{ "check", "[--json]", "show what this machine and module can do", HELP_JSON
	  "\nStatus 0 if virtual machines can be run protected, 1 if not, or if nobody\n"
	  "can tell: the module is not loaded, or vmond does not answer.\n", verb_check },
	{ "show", "NAME [--json]", "show all about a virtual machine", HELP_JSON, verb_show },
	{ "debug", "regs|trace NAME, or daemon", "show registers, last exits, or vmond's state",
	  "Registers and exits of a virtual machine that ended with an error or a\n"
	  "triple fault are kept.\n", verb_debug },
	{ "version", "", "print versions", NULL, verb_version },
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
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		fprintf(f, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n'vmonctl VERB --help' tells more. Exit status: 0 done, 1 failed, 2 usage;\n"
	      "3, 4 and 5 tell how a guest ended (see 'vmonctl run --help').\n", f);
	return f == stderr ? EXIT_USAGE : EXIT_OK;
}

static int verb_help(const struct verb *v)
{
	printf("usage: vmonctl %s %s\n\n%c%s.\n", v->name, v->args,
	       v->summary[0] - 'a' + 'A', v->summary + 1);
	if (v->help)
		printf("\n%s", v->help);
	return EXIT_OK;
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
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "all", no_argument, NULL, 'a' },
		{ 0 }
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'j' && json)
			*json = true;
		else if (c == 'a' && all)
			*all = true;
		else
			return usage_error(argv[0], "unknown option '%s'", argv[optind - 1]);
	}
	if (argc - optind < min)
		return usage_error(argv[0], "%s: an argument is missing", argv[0]);
	if (argc - optind > max)
		return usage_error(argv[0], "%s: unexpected argument '%s'", argv[0],
				   argv[optind + max]);
	return 0;
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
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		if (asks_for_help(argc - 1, argv + 1))
			return verb_help(&verbs[i]);
		return verbs[i].run(argc - 1, argv + 1);
	}
	return usage_error("", "unknown %s '%s'", argv[1][0] == '-' ? "option" : "verb",
			   argv[1]);
}
