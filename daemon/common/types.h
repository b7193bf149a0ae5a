/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's short integer names, for userspace.
 *
 * u64 is "unsigned long long" on every architecture, as in the kernel, so that
 * these files also build beside the module's own under the unit tests' shims.
 */
#ifndef VMON_COMMON_TYPES_H
#define VMON_COMMON_TYPES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#endif

#endif /* VMON_COMMON_TYPES_H */
