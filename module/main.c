// SPDX-License-Identifier: GPL-2.0
/*
 * vmon.ko: a virtual machine monitor for x86 without VT-x and SVM.
 *
 * The init ladder. Netlink comes last: when it is there, everything works.
 */
#include <linux/module.h>
#include "netlink/netlink.h"
#include "switch/switch.h"
#include "version.h"
#include "vm/vm.h"

static int __init vmon_init(void)
{
	int err;

	err = vmon_switch_init();
	if (err)
		return err;
	err = vmon_vm_init();
	if (err)
		goto err_switch;
	err = vmon_netlink_init();
	if (err)
		goto err_vm;
	return 0;

err_vm:
	vmon_vm_exit();
err_switch:
	vmon_switch_exit();
	return err;
}

static void __exit vmon_exit(void)
{
	vmon_netlink_exit();
	vmon_vm_exit();
	vmon_switch_exit();
}

module_init(vmon_init);
module_exit(vmon_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual machine monitor for x86 without VT-x and SVM");
MODULE_VERSION(VMON_VERSION);
