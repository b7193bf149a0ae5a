// SPDX-License-Identifier: GPL-2.0
/* The keyboard controller's reset pulse.
 * Ends by: the guest reset itself
 */
#include "guest.h"

void guest_main(void)
{
	u32 i;

	outb(0x64, 0xfe);
	for (i = 0; i < 100000000; i++)
		asm volatile("pause");
	CHECK(false);
}
