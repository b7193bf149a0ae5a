// SPDX-License-Identifier: GPL-2.0
/*
 * Which flushes a CPU and its host kernel call for, see flush_policy.h.
 */
#include <linux/string.h>

#include "switch/flush_policy.h"

void vmon_flush_policy(const struct vmon_speculation *s, enum vmon_mitigate mitigate,
		       bool done[VMON_FLUSH_NR])
{
	bool all = mitigate == VMON_MITIGATE_ALL;

	memset(done, 0, VMON_FLUSH_NR * sizeof(*done));
	if (mitigate == VMON_MITIGATE_OFF)
		return;
	done[VMON_FLUSH_IBPB_ENTRY] = s->ibpb;
	/*
	 * IBRS, enhanced or not, keeps user predictions from the kernel's branches, but
	 * ring 1 trains as a supervisor does. Retpolines take no predictions from anybody.
	 */
	done[VMON_FLUSH_IBPB_EXIT] = s->ibpb && (all || (s->user_ibrs && !s->retpoline));
	done[VMON_FLUSH_VERW] = all || (s->verw && s->buffer_bug);
	done[VMON_FLUSH_RSB] = all || s->rsb;
	/* BHI_DIS_S parts user from supervisor history, so it does not help here either. */
	done[VMON_FLUSH_BHB] = all || s->bhb;
	done[VMON_FLUSH_FPU] = all || s->meltdown;
}
