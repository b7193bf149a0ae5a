// SPDX-License-Identifier: GPL-2.0
/* The 16550A as Linux probes and uses it: detection, interrupts, edges, loopback. */
#include "tap.h"
#include "dev_host.h"
#include "device/uart16550.h"

#define P UART16550_PORT

static struct test_host t;
static struct uart16550 u;
static u8 out[8192];
static size_t out_len;
static unsigned int out_calls;

static void output(struct uart16550 *uart, const u8 *data, size_t len)
{
	memcpy(out + out_len, data, len);
	out_len += len;
	out_calls++;
}

static u8 in(unsigned int reg)
{
	return device_read(&u.dev, P + reg, 1);
}

static void put(unsigned int reg, u8 value)
{
	device_write(&u.dev, P + reg, 1, value);
}

static void start(void)
{
	test_host_init(&t);
	uart16550_init(&u, &t.host, output);
	out_len = 0;
	out_calls = 0;
}

static void test_reset_state(void)
{
	start();
	tap_ok(in(2) == 0x01, "IIR: no interrupt, no FIFO after reset");
	tap_ok(in(5) == 0x60, "LSR: transmitter empty after reset");
	tap_ok(in(6) == 0xb0, "MSR: CTS, DSR and DCD, no deltas");
	tap_ok(device_read(&u.dev, P + 8, 1) == 0xff, "a port outside reads ones");
}

/* drivers/tty/serial/8250: autoconfig() and autoconfig_16550a(). */
static void test_detection(void)
{
	bool ok;

	start();
	put(1, 0);
	ok = in(1) == 0;
	put(1, 0x0f);
	ok &= in(1) == 0x0f;
	put(1, 0);
	tap_ok(ok, "detected: IER keeps its four bits");
	put(4, 0x10 | 0x0a);
	tap_ok((in(6) & 0xf0) == 0x90, "detected: MSR follows MCR in loopback");
	put(4, 0);
	put(2, 0x01);
	tap_ok(in(2) >> 6 == 3, "detected: IIR shows a 16550A's FIFO");
	put(3, 0x80);
	put(2, 0x21);
	ok = !(in(2) & 0x20);
	put(3, 0);
	put(2, 0x21);
	tap_ok(ok && !(in(2) & 0x20), "detected: no 64-byte FIFO, so no 16750");
	put(3, 0xbf);
	tap_ok(in(2) == 0xc1, "detected: no enhanced features, so no 16650");
	put(3, 0);
	put(1, 0x40);
	tap_ok(in(1) == 0, "detected: no UART unit enable bit, so no XScale");
	put(1, 0);
	put(7, 0x5a);
	tap_ok(in(7) == 0x5a, "scratch register");
	put(3, 0x80);
	put(0, 0x34);
	put(1, 0x12);
	ok = in(0) == 0x34 && in(1) == 0x12;
	put(3, 0x03);
	tap_ok(ok && in(1) == 0, "divisor latch behind DLAB");
}

static void test_transmit(void)
{
	unsigned int i;

	start();
	for (i = 0; i < 3000; i++)
		put(0, 'a' + i % 26);
	u.dev.ops->flush(&u.dev);
	tap_ok(out_len == 3000 && out[2999] == 'a' + 2999 % 26, "3000 bytes arrive in order");
	tap_ok(out_calls == 3, "and in 3 writes");
	put(0, 'x');
	tap_ok(out_len == 3000 && in(5) == 0x60 && out_len == 3001,
	       "a look at LSR passes bytes on");
	put(3, 0x80);
	put(0, 1);
	put(3, 0);
	u.dev.ops->flush(&u.dev);
	tap_ok(out_len == 3001, "a divisor is not sent");
}

static void test_thre_interrupt(void)
{
	unsigned int i;

	start();
	put(4, 0x0b);
	put(2, 0x01);
	put(1, 0x02);
	tap_ok(t.level[4] && t.rises[4] == 1, "enabling THRE raises the line");
	tap_ok(in(2) == 0xc2, "IIR says THRE");
	tap_ok(!t.level[4] && in(2) == 0xc1, "reading it clears it");
	for (i = 0; i < 16; i++)
		put(0, 'a');
	tap_ok(!t.level[4], "no interrupt before the flush");
	u.dev.ops->flush(&u.dev);
	tap_ok(t.level[4] && t.rises[4] == 2 && out_len == 16, "flush: one edge for 16 bytes");
	put(0, 'b');
	tap_ok(!t.level[4], "a write without reading IIR drops the line");
	u.dev.ops->flush(&u.dev);
	tap_ok(t.rises[4] == 3, "and makes a new edge");
	put(1, 0);
	tap_ok(!t.level[4], "disabling drops the line");
	put(1, 2);
	tap_ok(t.level[4] && t.rises[4] == 4, "enabling again raises it (Linux's THRE test)");
	put(4, 0x03);
	tap_ok(!t.level[4], "OUT2 gates the line");
}

static void test_receive(void)
{
	u8 text[32];
	size_t taken;
	unsigned int i;
	bool ok = true;

	start();
	for (i = 0; i < sizeof(text); i++)
		text[i] = i;
	put(2, 0x81);
	put(1, 0x05);
	tap_ok(uart16550_room(&u) == 0 && uart16550_input(&u, text, 4) == 0,
	       "nothing is taken before RTS");
	put(4, 0x0b);
	tap_ok(uart16550_room(&u) == 16, "room for 16 with RTS");
	taken = uart16550_input(&u, text, 4);
	tap_ok(taken == 4 && t.level[4] && in(2) == 0xcc, "below the trigger: timeout interrupt");
	taken = uart16550_input(&u, text + 4, 28);
	tap_ok(taken == 12 && in(2) == 0xc4, "16 in all; at the trigger: data interrupt");
	tap_ok((in(5) & 0x03) == 0x01, "LSR: data, no overrun");
	for (i = 0; i < 16; i++)
		ok &= in(0) == i;
	tap_ok(ok && !(in(5) & 1) && !t.level[4] && t.rises[4] == 1,
	       "read in order, then the line falls");
	tap_ok(in(0) == 0, "an empty FIFO reads 0");
	(void)uart16550_input(&u, text, 8);
	put(2, 0x83);
	tap_ok(!(in(5) & 1) && !t.level[4], "FCR clears the FIFO");
	put(2, 0);
	tap_ok(uart16550_room(&u) == 1, "without FIFO there is room for one");
}

static void test_loopback(void)
{
	start();
	put(1, 0x01);
	put(2, 0x01);
	put(4, 0x1b);
	put(0, 'q');
	tap_ok((in(5) & 1) && in(0) == 'q' && out_len == 0, "loopback returns what is sent");
	tap_ok(t.rises[4] == 0, "and interrupts nobody");
	put(4, 0x10);
	put(4, 0x1f);
	tap_ok(in(6) == 0xfb, "MSR: lines and deltas (no ring delta on a rise)");
	tap_ok(in(6) == 0xf0, "deltas are cleared by reading");
	put(4, 0x1b);
	tap_ok(in(6) == 0xb4, "ring: delta on the trailing edge");
}

static void test_save(void)
{
	static u8 buf[256];
	struct uart16550 v;
	size_t n;

	start();
	put(4, 0x0b);
	put(2, 0x01);
	put(7, 0x77);
	(void)uart16550_input(&u, (const u8 *)"abc", 3);
	n = u.dev.ops->save(&u.dev, NULL, 0);
	tap_ok(n <= sizeof(buf) && u.dev.ops->save(&u.dev, buf, sizeof(buf)) == n, "save");
	uart16550_init(&v, &t.host, output);
	tap_ok(v.dev.ops->restore(&v.dev, buf, n) == 0 &&
	       device_read(&v.dev, P + 7, 1) == 0x77 && device_read(&v.dev, P, 1) == 'a',
	       "restore");
	buf[0] ^= 1;
	tap_ok(v.dev.ops->restore(&v.dev, buf, n) < 0, "another version is refused");
	tap_ok(v.dev.ops->restore(&v.dev, buf, n - 1) < 0, "another size is refused");
}

/* Nothing a guest writes may upset it: sanitizers watch. */
static void test_noise(void)
{
	static const u8 byte[4] = { 1, 2, 3, 4 };
	u32 x = 1;
	int i;

	start();
	for (i = 0; i < 2000000; i++) {
		x = x * 1664525 + 1013904223;
		if (x & 0x80000000)
			device_write(&u.dev, P + (x >> 8) % 9, 1 << (x >> 16) % 3, x >> 20);
		else
			(void)device_read(&u.dev, P + (x >> 8) % 9, 1 << (x >> 16) % 3);
		if (!(x & 0x7000))
			(void)uart16550_input(&u, byte, sizeof(byte));
		if (out_len > 4096)
			out_len = 0;
	}
	tap_ok(true, "2000000 accesses at random");
}

int main(void)
{
	tap_plan(45);
	test_reset_state();
	test_detection();
	test_transmit();
	test_thre_interrupt();
	test_receive();
	test_loopback();
	test_save();
	test_noise();
	return tap_done();
}
