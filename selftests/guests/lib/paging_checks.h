/* SPDX-License-Identifier: GPL-2.0 */
/* What two-level and PAE paging have in common; paging_checks.c. */
#ifndef GUEST_PAGING_CHECKS_H
#define GUEST_PAGING_CHECKS_H

#include "guest.h"

void paging_checks(bool pae);

#endif
