// SPDX-License-Identifier: GPL-2.0
/*
 * The shadow MMU under a guest whose every choice comes from the input. After each
 * step the CPU's walk through the shadow is compared with the guest's tables, and the
 * memory that the shadow takes is counted (unit/mmu_model.h).
 */
#define MD_FRAMES	256u
#define MD_HOLE		200u

#include "fuzz.h"
#include "mmu_steps.h"

#define STEPS	48u

static struct fuzz_in *input;

static u32 choice(u32 n)
{
	return n ? fuzz_below(input, n) : fuzz_u32(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	u8 mode = fuzz_u8(&in);
	bool pae = mode & 1;
	u32 i;

	input = &in;
	md_source = NULL;
	md_fail_rate = mode & 2 ? 150 : 0;
	md_page_limit = mode & 4 ? 2 + (mode >> 4) : ~0u;
	md_seed = (fuzz_u8(&in) + 1) * 0x9e3779b97f4a7c15ull | 1;
	md_init();
	if (!md_mmu) {
		md_exit();
		fuzz_check(!md_error[0], "%s", md_error);
		return 0;
	}
	begin_round(pae);
	md_source = choice;
	for (i = 0; i < STEPS && fuzz_left(&in) && !md_error[0]; i++) {
		step();
		if (mode & 8 && fuzz_u8(&in) & 1)
			step();
		if (!md_enter() && !md_fail_rate && md_page_limit >= MD_ENOUGH)
			md_bad("no memory, but there is some");
		md_sweep();
	}
	md_source = NULL;
	md_exit();
	fuzz_check(!md_error[0], "step %u: %s", i, md_error);
	return 0;
}
