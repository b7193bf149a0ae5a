/* SPDX-License-Identifier: GPL-2.0 */
/* Userspace stand-in for the kernel header of this name. */
#ifndef VMON_SHIM_COMPILER_H
#define VMON_SHIM_COMPILER_H

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))
#ifndef likely
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#endif

#endif /* VMON_SHIM_COMPILER_H */
