// SPDX-License-Identifier: GPL-2.0
/* The keyboard controller as Linux probes it; all the ways to reset; no PCI. */
#include "tap.h"
#include "dev_host.h"
#include "device/machine.h"

static struct test_host t;
static struct machine m;

static void output(struct uart16550 *uart, const u8 *data, size_t len)
{
}

static void start(bool debug_exit)
{
	test_host_init(&t);
	machine_init(&m, &t.host, 64 << 20, debug_exit, output);
}

static u32 in_size(u16 port, unsigned int size)
{
	struct device *dev = machine_find(&m, DEVICE_PORT, port);

	return dev ? device_read(dev, port, size) : 0xffffffff;
}

static u8 in(u16 port)
{
	return in_size(port, 1);
}

static void out_size(u16 port, unsigned int size, u32 value)
{
	struct device *dev = machine_find(&m, DEVICE_PORT, port);

	if (dev)
		device_write(dev, port, size, value);
}

static void out(u16 port, u8 value)
{
	out_size(port, 1, value);
}

/* drivers/input/serio/i8042.c */
static void test_probe(void)
{
	u8 ctr;

	start(false);
	tap_ok(!(in(0x64) & 0x21), "flush: nothing waits");
	out(0x64, 0xaa);
	tap_ok((in(0x64) & 1) && in(0x60) == 0x55 && !(in(0x64) & 1), "self-test");
	out(0x64, 0x20);
	ctr = in(0x60);
	out(0x64, 0x60);
	out(0x60, ctr | 0x30);
	out(0x64, 0x20);
	tap_ok(in(0x60) == (ctr | 0x30), "command byte can be written and read");
	out(0x64, 0xd3);
	out(0x60, 0x5a);
	tap_ok((in(0x64) & 0x21) == 0x01 && in(0x60) == 0x5a,
	       "AUX loop answers at once, and not as AUX");
	out(0x64, 0xa9);
	tap_ok(in(0x60) == 0x01, "AUX test: no port");
	out(0x64, 0xab);
	tap_ok(in(0x60) == 0x00, "keyboard port test");
	out(0x64, 0xd0);
	tap_ok((in(0x60) & 3) == 3, "output port: A20 on, not in reset");
	tap_ok(!t.ends, "none of it resets");
}

static void test_no_keyboard(void)
{
	start(false);
	out(0x64, 0x60);
	out(0x60, 0x45);
	out(0x60, 0xf2);
	tap_ok(t.level[1] && (in(0x64) & 0x41) == 0x41, "a byte to the keyboard: timeout, IRQ 1");
	tap_ok(in(0x60) == 0xfe && !t.level[1], "FEh; reading drops the line");
	out(0x60, 0xed);
	tap_ok(t.rises[1] == 2, "a new edge for every answer");
	(void)in(0x60);
	out(0x64, 0x60);
	out(0x60, 0x47);
	out(0x64, 0xd4);
	out(0x60, 0xf2);
	tap_ok(t.level[12] && !t.level[1] && (in(0x64) & 0x20), "a byte to the mouse: IRQ 12");
}

static unsigned int ends_after(u16 port, u8 value)
{
	start(false);
	out(port, value);
	return t.ends == 1 && t.how == DEVICE_END_RESET;
}

static void test_reset(void)
{
	tap_ok(ends_after(0x64, 0xfe), "64h FEh resets");
	tap_ok(!ends_after(0x64, 0xff), "64h FFh does not");
	start(false);
	out(0x64, 0xd1);
	out(0x60, 0xfe);
	tap_ok(t.ends == 1, "output port bit 0 resets");
	tap_ok(ends_after(0x92, 0x01), "92h bit 0 resets");
	tap_ok(!ends_after(0x92, 0x02) && in(0x92) == 0x02, "92h bit 1 is A20");
	tap_ok(ends_after(0xcf9, 0x06), "CF9h 06h resets");
	tap_ok(!ends_after(0xcf9, 0x02) && in(0xcf9) == 0x02, "CF9h 02h chooses only");
	start(true);
	out(0xf4, 42);
	tap_ok(t.ends == 1 && t.how == DEVICE_END_DEBUG_EXIT && t.value == 42, "F4h exits with 42");
	start(true);
	out_size(0xf4, 4, 0x1ff);
	tap_ok(t.ends == 1 && t.value == 0xff, "F4h, 4 bytes wide: the low byte");
	start(false);
	out(0xf4, 42);
	tap_ok(!t.ends, "F4h is not there unless asked for");
}

/* arch/x86/pci/direct.c */
static void test_no_pci(void)
{
	start(false);
	out_size(0xcf8, 4, 0x80000000);
	tap_ok(in_size(0xcf8, 4) == 0xffffffff, "no PCI configuration mechanism 1");
	out(0xcfb, 0);
	out(0xcf8, 0);
	out(0xcfa, 0);
	tap_ok(in(0xcf8) != 0 && in(0xcfa) != 0, "no mechanism 2");
	tap_ok(!t.ends, "and no reset");
}

static void test_noise(void)
{
	u32 x = 1;
	int i;

	start(true);
	for (i = 0; i < 2000000; i++) {
		x = x * 1664525 + 1013904223;
		if (x & 0x80000000)
			out_size((x >> 4) % 0x1000, 1 << (x >> 16) % 3, x >> 18);
		else
			(void)in_size((x >> 4) % 0x1000, 1 << (x >> 16) % 3);
	}
	for (i = 0; i < 1000000; i++) {
		x = x * 1664525 + 1013904223;
		out(0x60 + ((x >> 28) & 4), x >> 16);
		(void)in(0x60 + ((x >> 29) & 4));
	}
	machine_reset(&m);
	tap_ok(!(in(0x64) & 1), "3000000 accesses at random, then reset");
}

int main(void)
{
	tap_plan(26);
	test_probe();
	test_no_keyboard();
	test_reset();
	test_no_pci();
	test_noise();
	return tap_done();
}
