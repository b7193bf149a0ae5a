// SPDX-License-Identifier: GPL-2.0
/*
 * Which flushes are done on which hosts: kinds of CPU and kernel that no test here can
 * run on, one row each.
 */
#include <stdio.h>
#include <string.h>
#include <linux/kernel.h>

#include "switch/flush_policy.h"
#include "tap.h"

#define F(name)	(1u << VMON_FLUSH_##name)
#define ALL	((1u << VMON_FLUSH_NR) - 1)

static const struct {
	const char *name;
	struct vmon_speculation host;
	unsigned int by_default;	/* mitigate=auto */
	unsigned int all;
} hosts[] = {
	{ "a CPU and kernel without mitigations", {},
	  0, ALL & ~(F(IBPB_ENTRY) | F(IBPB_EXIT)) },
	{ "retpolines, MDS and Meltdown (Intel, 2013)",
	  { .ibpb = true, .retpoline = true, .verw = true, .buffer_bug = true, .rsb = true,
	    .meltdown = true },
	  F(IBPB_ENTRY) | F(VERW) | F(RSB) | F(FPU), ALL },
	{ "retpolines beside legacy IBRS",
	  { .ibpb = true, .user_ibrs = true, .retpoline = true },
	  F(IBPB_ENTRY), ALL },
	{ "legacy IBRS alone (Skylake, retbleed)",
	  { .ibpb = true, .user_ibrs = true, .verw = true, .buffer_bug = true, .rsb = true,
	    .meltdown = true },
	  ALL & ~F(BHB), ALL },
	{ "enhanced IBRS, branch history cleared by a loop (Intel, 2020)",
	  { .ibpb = true, .user_ibrs = true, .verw = true, .rsb = true, .bhb = true },
	  F(IBPB_ENTRY) | F(IBPB_EXIT) | F(RSB) | F(BHB), ALL },
	{ "VERW there, nothing that leaks",
	  { .verw = true }, 0, ALL & ~(F(IBPB_ENTRY) | F(IBPB_EXIT)) },
	{ "buffers that leak, no VERW that helps",
	  { .buffer_bug = true }, 0, ALL & ~(F(IBPB_ENTRY) | F(IBPB_EXIT)) },
	{ "automatic IBRS (AMD, 2022)",
	  { .ibpb = true, .user_ibrs = true },
	  F(IBPB_ENTRY) | F(IBPB_EXIT), ALL },
};

static bool decides(const struct vmon_speculation *host, enum vmon_mitigate mitigate,
		    unsigned int want)
{
	bool done[VMON_FLUSH_NR];
	unsigned int have = 0, i;

	memset(done, 1, sizeof(done));
	vmon_flush_policy(host, mitigate, done);
	for (i = 0; i < VMON_FLUSH_NR; i++)
		have |= (unsigned int)done[i] << i;
	if (have != want)
		printf("# %#x, not %#x\n", have, want);
	return have == want;
}

int main(void)
{
	unsigned int i;

	tap_plan(3 * ARRAY_SIZE(hosts));
	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		const struct vmon_speculation *host = &hosts[i].host;

		tap_ok(decides(host, VMON_MITIGATE_AUTO, hosts[i].by_default), "auto: %s",
		       hosts[i].name);
		tap_ok(decides(host, VMON_MITIGATE_ALL, hosts[i].all), "all: %s",
		       hosts[i].name);
		tap_ok(decides(host, VMON_MITIGATE_OFF, 0), "off: %s", hosts[i].name);
	}
	return tap_done();
}
