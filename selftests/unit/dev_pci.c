// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI bus as a guest sees it: configuration mechanism, headers, base addresses,
 * interrupt lines, what firmware would have set up.
 */
#include "tap.h"
#include "virtio_guest.h"

static u32 in32(u16 port)
{
	return vg_read(DEVICE_PORT, port, 4);
}

static void test_mechanism(void)
{
	vg_start(false, false);
	vg_write(DEVICE_PORT, 0xcf8, 4, 0x80000000);
	tap_ok(in32(0xcf8) == 0x80000000, "the address register keeps its bits");
	vg_write(DEVICE_PORT, 0xcf8, 4, 0xffffffff);
	tap_ok(in32(0xcf8) == 0x80fffffc, "but not those that are reserved");
	vg_write(DEVICE_PORT, 0xcfb, 1, 0x01);
	tap_ok(in32(0xcf8) == 0x80fffffc, "a byte does not reach it");
	vg_write(DEVICE_PORT, 0xcf8, 4, 0);
	tap_ok(in32(0xcfc) == 0xffffffff, "not enabled: ones");
	tap_ok(cfg_read(0, 0, 4) == 0x12378086 && cfg_read(0, 8, 4) == 0x06000002,
	       "slot 0 is a host bridge");
	tap_ok(cfg_read(0, 0, 2) == 0x8086 && cfg_read(0, 2, 2) == 0x1237 &&
	       cfg_read(0, 11, 1) == 0x06, "words and bytes");
	tap_ok(cfg_read(2, 0, 4) == 0xffffffff && cfg_read(31, 0, 2) == 0xffff,
	       "an empty slot: ones");
	vg_write(DEVICE_PORT, 0xcf8, 4, 0x80000000 | 1 << 11 | 1 << 8);
	tap_ok(in32(0xcfc) == 0xffffffff, "no function 1");
	vg_write(DEVICE_PORT, 0xcf8, 4, 0x80010000 | 1 << 11);
	tap_ok(in32(0xcfc) == 0xffffffff, "no bus 1");
	vg_write(DEVICE_PORT, 0xcf9, 1, 0x02);
	vg_write(DEVICE_PORT, 0xcf9, 1, 0x06);
	tap_ok(vg.t.ends == 1 && vg.t.how == DEVICE_END_RESET, "CF9h still resets");
}

static void test_header(void)
{
	u32 cap, n = 0;

	vg_start(false, false);
	tap_ok(cfg_read(1, 0, 4) == 0x10011af4 && cfg_read(1, 0x2c, 4) == 0x00021af4 &&
	       cfg_read(1, 10, 2) == 0x0100 && !cfg_read(1, 8, 1), "a transitional block device");
	cfg_write(1, 0, 4, 0);
	cfg_write(1, 8, 4, 0xffffffff);
	tap_ok(cfg_read(1, 0, 4) == 0x10011af4 && cfg_read(1, 8, 4) == 0x01000000,
	       "identification is not writable");
	tap_ok(cfg_read(1, 4, 2) == 3, "ports and memory are decoded from the start");
	cfg_write(1, 4, 2, 0xffff);
	tap_ok(cfg_read(1, 4, 2) == 0x0407, "command: decoding, master, INTx off; no more");
	tap_ok(cfg_read(1, 6, 2) == 0x10, "status: capabilities");
	cfg_write(1, 6, 2, 0xffff);
	tap_ok(cfg_read(1, 6, 2) == 0x10, "is not writable");
	tap_ok(cfg_read(1, 0x3c, 1) == 11 && cfg_read(1, 0x3d, 1) == 1,
	       "interrupt line and pin as firmware leaves them");
	cfg_write(1, 0x3c, 1, 7);
	tap_ok(cfg_read(1, 0x3c, 1) == 7, "the line register is the guest's");
	for (cap = cfg_read(1, 0x34, 1); cap && n < 20; cap = cfg_read(1, cap + 1, 1), n++)
		if (cfg_read(1, cap, 1) != 9)
			break;
	tap_ok(!cap && n == 5, "five vendor capabilities");
	machine_reset(&vg.m);
	tap_ok(cfg_read(1, 0x3c, 1) == 11 && cfg_read(1, 4, 2) == 3, "a reset sets up anew");
}

static void test_bars(void)
{
	u32 io, mem, status;

	vg_start(false, false);
	io = cfg_read(1, 0x10, 4);
	mem = cfg_read(1, 0x14, 4);
	tap_ok((io & 3) == 1 && io > 0x1000 && !(mem & 15) && mem >= 0xe0000000,
	       "ports at %xh, memory at %xh", io & ~3u, mem);
	cfg_write(1, 0x10, 4, 0xffffffff);
	cfg_write(1, 0x14, 4, 0xffffffff);
	tap_ok(cfg_read(1, 0x10, 4) == 0xffffff81 && cfg_read(1, 0x14, 4) == 0xffffc000,
	       "sizes: 128 ports, 16 KiB");
	cfg_write(1, 0x18, 4, 0xffffffff);
	cfg_write(1, 0x30, 4, 0xffffffff);
	tap_ok(!cfg_read(1, 0x18, 4) && !cfg_read(1, 0x30, 4), "no more base addresses, no ROM");
	vg_find();
	cfg_write(1, 0x10, 4, 0xd000);
	cfg_write(1, 0x14, 4, 0xe4000000);
	vg_find();
	tap_ok(vg.io == 0xd000 && vg.mem == 0xe4000000, "moved");
	mem_write(20, 1, 1);
	status = io_read(18, 1);
	tap_ok(status == 1, "it answers there, by memory and by ports");
	tap_ok(vg_read(DEVICE_MMIO, mem + 20, 1) == 0xff, "and not where it was");
	cfg_write(1, 4, 2, 1);
	tap_ok(mem_read(20, 1) == 0xff && io_read(18, 1) == 1, "memory is switched off");
	cfg_write(1, 4, 2, 2);
	tap_ok(mem_read(20, 1) == 1 && io_read(18, 1) == 0xff, "ports are switched off");
	cfg_write(1, 0x14, 4, 0xffffc000);
	vg_find();
	tap_ok(mem_read(0x3ffc, 4) == 0xffffffff, "the end of memory is not passed on");
}

static void test_lines(void)
{
	unsigned int i;

	vg_start(false, false);
	tap_ok(machine_level_lines(&vg.m) == (1 << 5 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11),
	       "lines 5, 7, 10 and 11 are level triggered, and 9 of ACPI");
	for (i = 0; i < 4; i++)
		if (machine_add_disk(&vg.m, &vg.disk.disk))
			break;
	tap_ok(i == 4 && cfg_read(2, 0x3c, 1) == 7 && cfg_read(3, 0x3c, 1) == 5 &&
	       cfg_read(4, 0x3c, 1) == 10 && cfg_read(5, 0x3c, 1) == 11, "slots share them");
	pci_set_irq(vg.m.pci->slot[1], true);
	tap_ok(vg.t.level[11] && (cfg_read(1, 6, 2) & 8), "slot 1 asks on line 11");
	pci_set_irq(vg.m.pci->slot[5], true);
	pci_set_irq(vg.m.pci->slot[1], false);
	tap_ok(vg.t.level[11] && !(cfg_read(1, 6, 2) & 8), "the line stays up for slot 5");
	cfg_write(5, 4, 2, 0x403);
	tap_ok(!vg.t.level[11] && (cfg_read(5, 6, 2) & 8), "INTx off takes it down");
	cfg_write(5, 4, 2, 3);
	tap_ok(vg.t.level[11], "and on takes it up");
	cfg_write(5, 0x3c, 1, 3);
	tap_ok(vg.t.level[11] && !vg.t.level[3], "the line register is no router");
	machine_reset(&vg.m);
	tap_ok(!vg.t.level[11], "a reset takes it down");
	for (i = 5; !machine_add_disk(&vg.m, &vg.disk.disk); i++)
		;
	tap_ok(i == MACHINE_DISKS && !machine_add_rng(&vg.m), "16 disks and more fit");
}

static void test_save(void)
{
	static char saved[16384];
	struct device *pci;
	size_t size;
	bool ok;

	vg_start(false, false);
	vg_ready(~0ull);
	cfg_write(1, 0x3c, 1, 7);
	(void)vg_request(0, 0, 512, true);
	pci = &vg.m.pci->dev;
	size = pci->ops->save(pci, NULL, 0);
	ok = size <= sizeof(saved) && pci->ops->save(pci, saved, size) == size;
	machine_reset(&vg.m);
	tap_ok(ok && cfg_read(1, 0x3c, 1) == 11 && !vg.t.level[11], "saved, %zu bytes", size);
	tap_ok(!pci->ops->restore(pci, saved, size) && cfg_read(1, 0x3c, 1) == 7 &&
	       vg.t.level[11] && mem_read(20, 1) == 15, "restored");
	tap_ok(vg_request(0, 1, 512, true) == 0 && vg_used() == 2, "the queue goes on");
	tap_ok(pci->ops->restore(pci, saved, size - 1) == -22 &&
	       pci->ops->restore(pci, saved, 0) == -22, "a state that was cut off is refused");
	saved[0]++;
	tap_ok(pci->ops->restore(pci, saved, size) == -22, "and one of another version");
}

static void test_noise(void)
{
	u32 x = 1;
	int i;

	vg_start(false, false);
	vg_find();
	for (i = 0; i < 1000000; i++) {
		u32 reg;

		x = x * 1664525 + 1013904223;
		reg = (x >> 4) & 0xff;
		reg &= ~((1u << (x >> 20) % 3) - 1);
		if (x & 0x80000000)
			cfg_write((x >> 24) % 3, reg, 1 << (x >> 20) % 3, x ^ x << 7);
		else
			(void)cfg_read((x >> 24) % 3, reg, 1 << (x >> 20) % 3);
	}
	machine_reset(&vg.m);
	tap_ok(cfg_read(1, 0, 4) == 0x10011af4 && cfg_read(1, 4, 2) == 3,
	       "1000000 accesses at random, then reset");
}

int main(void)
{
	tap_plan(10 + 10 + 9 + 9 + 5 + 1);
	test_mechanism();
	test_header();
	test_bars();
	test_lines();
	test_save();
	test_noise();
	vg_end();
	return tap_done();
}
