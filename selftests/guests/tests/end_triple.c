// SPDX-License-Identifier: GPL-2.0
/* A fault that cannot be delivered, twice, ends the machine.
 * Ends by: the guest triple-faulted
 */
#include "guest.h"

void guest_main(void)
{
	struct dtr none = { 0, 0 };

	asm volatile("lidt %0; ud2" : : "m"(none));
	CHECK(false);
}
