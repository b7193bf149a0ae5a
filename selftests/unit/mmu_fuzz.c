// SPDX-License-Identifier: GPL-2.0
/*
 * Random guests against the shadow MMU (mmu_steps.h): after each step the shadow may
 * allow only what the guest's tables allow (mmu_model.h).
 *
 * Arguments: seed, steps per round.
 */
#include "mmu_steps.h"

static u64 steps_done, nomem;

static bool round_of(u32 steps, bool pae)
{
	u32 i, sub;

	md_init();
	if (!md_mmu) {
		md_exit();
		return !md_error[0];
	}
	begin_round(pae);
	for (i = 0; i < steps && !md_error[0]; i++) {
		/* Without an entry between, as when the guest is emulated. */
		for (sub = md_below(4); sub < 4; sub++)
			step();
		if (!md_enter()) {
			nomem++;
			if (!md_fail_rate && md_page_limit >= MD_ENOUGH)
				md_bad("no memory, but there is some");
		}
		md_sweep();
	}
	steps_done += i;
	if (md_error[0])
		printf("# step %u: %s\n", i, md_error);
	md_exit();
	return !md_error[0];
}

int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 20240607;
	u32 steps = argc > 2 ? strtoul(argv[2], NULL, 0) : 1500;
	static const struct {
		const char *name;
		bool pae;
		int fail_rate;
		u32 page_limit;
	} kinds[] = {
		{ "32-bit tables", false, 0, ~0u },
		{ "PAE tables", true, 0, ~0u },
		{ "32-bit tables, allocations fail", false, 150, ~0u },
		{ "PAE tables, allocations fail", true, 150, ~0u },
		{ "32-bit tables, few shadow pages", false, 0, 12 },
		{ "PAE tables, few shadow pages", true, 0, 12 },
	};
	unsigned int k, round;
	bool ok;

	tap_plan(ARRAY_SIZE(kinds));
	printf("# seed %llu\n", seed);
	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		ok = true;
		memset(count, 0, sizeof(count));
		steps_done = 0;
		md_conflicts = 0;
		nomem = 0;
		for (round = 0; ok && round < 12; round++) {
			md_seed = (seed + round * 97 + k * 7919) * 0x9e3779b97f4a7c15ull | 1;
			md_fail_rate = kinds[k].fail_rate;
			md_page_limit = kinds[k].page_limit;
			if (md_page_limit != ~0u)
				md_page_limit = 2 + round;
			ok = round_of(steps, kinds[k].pae);
			if (!ok)
				printf("# round %u\n", round);
		}
		printf("# %llu steps: %llu accesses done, %llu true faults, %llu emulated, %llu without memory (%llu entries), %llu windows taken\n",
		       steps_done, count[MD_DONE], count[MD_FAULT], count[MD_EMULATE],
		       count[MD_NOMEM], nomem, md_conflicts);
		tap_ok(ok, "%s", kinds[k].name);
	}
	free(md_ram);
	return tap_done();
}
