/* SPDX-License-Identifier: GPL-2.0 */
/* Userspace stand-in for the kernel header of this name. */
#ifndef VMON_SHIM_BITS_H
#define VMON_SHIM_BITS_H

#define BIT(n)		(1ul << (n))
#define BIT_ULL(n)	(1ull << (n))

#endif /* VMON_SHIM_BITS_H */
