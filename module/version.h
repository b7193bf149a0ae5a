/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VMON_VERSION_H
#define VMON_VERSION_H

#define VMON_VERSION	"0.1.0"

#endif /* VMON_VERSION_H */
