/* SPDX-License-Identifier: GPL-2.0 */
/* What must be true of all that the translator emits. */
#ifndef VMON_FUZZ_BT_CHECK_H
#define VMON_FUZZ_BT_CHECK_H

#include "translator/bt.h"

/* Guest memory as it is now. Return: bytes until the first that is not mapped. */
unsigned int guest_bytes(u32 gva, u8 *buf, unsigned int len);
/* Its frame, ~0 if not mapped. */
u32 guest_gfn(u32 gva);

void bt_check_init(void);
/* A unit: its map, its instructions, where it leads. */
void bt_check_unit(struct vmon_bt *bt, u32 n);
/* All units and the lookup table: nothing is left of what was invalidated. */
void bt_check_cache(struct vmon_bt *bt);

#endif /* VMON_FUZZ_BT_CHECK_H */
