// SPDX-License-Identifier: GPL-2.0
/* Two-level paging, and the same behaviours under PAE: see paging.h. */
#include "paging_checks.h"

void guest_main(void)
{
	paging_checks(false);
}
