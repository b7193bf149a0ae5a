// SPDX-License-Identifier: GPL-2.0
/*
 * vmond: the device half of the virtual machine monitor.
 */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "vmond/log.h"
#include "vmond/manager.h"
#include "common/version.h"

#define CLAIM_SECONDS	0
#define CLAIM_MAX	3600u

static int usage(FILE *f)
{
	fputs("usage: vmond [--runtime-dir DIR] [--claim-time SECONDS]\n"
	      "\n"
	      "Serves virtual machines of the vmon module; vmonctl(1) is its client.\n"
	      "Stays in the foreground; start it with 'systemctl start vmond' or 'vmond &'.\n"
	      "\n"
	      "  --runtime-dir DIR  where the socket and the lock are (" RUNTIME_DIR ")\n"
	      "  --claim-time SECONDS  how long guests wait, paused, for a vmond that goes on with\n"
	      "                     them when this one has gone; 0: they end with it (0)\n"
	      "  --version          print the version\n"
	      "  --help             print this\n", f);
	return f == stderr ? 2 : 0;
}

static int run(const char *dir, u32 claim_ms)
{
	struct manager *m = NULL;
	struct error err;
	int r;

	r = manager_new(&m, &err);
	if (r < 0)
		goto err_log;
	r = manager_startup(m, dir, claim_ms, &err);
	if (r < 0)
		goto err_free;
	(void)sd_notify(0, "READY=1");
	r = manager_run(m, &err);
	(void)sd_notify(0, "STOPPING=1");
	if (r < 0)
		goto err_free;
	manager_free(m);
	return 0;

err_free:
	manager_free(m);
err_log:
	log_error("%s", err.text);
	return 1;
}

static int bad_time(const char *text)
{
	fprintf(stderr, "vmond: --claim-time '%s': give a number of seconds up to %u\n", text,
		CLAIM_MAX);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "runtime-dir", required_argument, NULL, 'd' },
		{ "claim-time", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	const char *dir = RUNTIME_DIR;
	unsigned long claim = CLAIM_SECONDS;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'd':
			dir = optarg;
			break;
		case 'c':
			claim = strtoul(optarg, &end, 10);
			if (!*optarg || *end || claim > CLAIM_MAX)
				return bad_time(optarg);
			break;
		case 'V':
			puts("vmond " VMON_VERSION);
			return 0;
		case 'h':
			return usage(stdout);
		default:
			fputs("vmond: try 'vmond --help'\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vmond: unexpected argument '%s': try 'vmond --help'\n",
			argv[optind]);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	/*
	 * Images of guests go back to the system: a fixed threshold does not adapt. And
	 * the consoles, of which only the beginning is used, need no huge pages.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	return run(dir, claim * 1000);
}
