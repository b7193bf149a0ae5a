/* SPDX-License-Identifier: GPL-2.0 */
/* Userspace stand-in for the kernel header of this name. */
#ifndef VMON_SHIM_BUG_H
#define VMON_SHIM_BUG_H

#include <stdlib.h>

#define BUG()			abort()
#define BUG_ON(c)		do { if (c) abort(); } while (0)
#define WARN_ON(c)		({ bool _c = (c); if (_c) abort(); _c; })
#define WARN_ON_ONCE(c)		WARN_ON(c)
#define BUILD_BUG_ON(c)		_Static_assert(!(c), #c)

#endif /* VMON_SHIM_BUG_H */
