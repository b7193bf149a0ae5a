// SPDX-License-Identifier: GPL-2.0
/* HLT with interrupts off, for good.
 * Ends by: the guest halted
 */
#include "guest.h"

void guest_main(void)
{
	asm volatile("cli; hlt");
	CHECK(false);
}
