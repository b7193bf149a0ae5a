// SPDX-License-Identifier: GPL-2.0
/* The clock: time in all its formats, setting it, interrupts, memory bytes. */
#include "tap.h"
#include "dev_host.h"
#include "device/rtc.h"

#define NS 1000000000ull
/* 2024-02-29 23:59:58 UTC, a Thursday. */
#define T0 1709251198ull

static struct test_host t;
static struct rtc r;

static u8 in(u8 index)
{
	device_write(&r.dev, 0x70, 1, index);
	return device_read(&r.dev, 0x71, 1);
}

static void put(u8 index, u8 value)
{
	device_write(&r.dev, 0x70, 1, index);
	device_write(&r.dev, 0x71, 1, value);
}

static void start(u64 memory)
{
	test_host_init(&t);
	t.now = T0 * NS;
	rtc_init(&r, &t.host, memory);
}

static bool reads(u8 c, u8 y, u8 mo, u8 d, u8 h, u8 mi, u8 s)
{
	return in(0x32) == c && in(9) == y && in(8) == mo && in(7) == d && in(4) == h &&
	       in(2) == mi && in(0) == s;
}

static void test_time(void)
{
	start(128 << 20);
	tap_ok(reads(0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x58), "BCD, 24 hours");
	tap_ok(in(6) == 5, "day of week: Thursday is 5");
	t.now += 2 * NS;
	tap_ok(reads(0x20, 0x24, 0x03, 0x01, 0x00, 0x00, 0x00), "over midnight of a leap day");
	put(0x0b, 0x06);
	tap_ok(reads(20, 24, 3, 1, 0, 0, 0), "binary");
	put(0x0b, 0x00);
	tap_ok(in(4) == 0x12, "12 hours: midnight is 12 AM");
	t.now += 13 * 3600 * NS;
	tap_ok(in(4) == 0x81, "12 hours: 13h is 1 PM");
	tap_ok(in(0x0d) == 0x80, "register D: valid");
	tap_ok(device_read(&r.dev, 0x70, 1) == 0xff, "the index cannot be read");
}

static void test_uip(void)
{
	start(128 << 20);
	tap_ok(!(in(0x0a) & 0x80), "UIP off at the start of a second");
	t.now += NS - 244001;
	tap_ok(!(in(0x0a) & 0x80), "UIP off 244 us before the next");
	t.now += 2;
	tap_ok(in(0x0a) & 0x80, "UIP on after that");
	put(0x0b, 0x82);
	tap_ok(!(in(0x0a) & 0x80), "UIP off while SET");
	put(0x0a, 0xa6);
	tap_ok(in(0x0a) == 0x26, "UIP cannot be written");
}

static void set(u8 c, u8 y, u8 mo, u8 d, u8 h, u8 mi, u8 s)
{
	put(0x0b, in(0x0b) | 0x80);
	put(0x32, c);
	put(9, y);
	put(8, mo);
	put(7, d);
	put(4, h);
	put(2, mi);
	put(0, s);
	put(0x0b, in(0x0b) & 0x7f);
}

static void test_set(void)
{
	start(128 << 20);
	set(0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59);
	tap_ok(reads(0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59), "set");
	t.now += NS;
	tap_ok(reads(0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00), "and it goes on");
	put(0x0b, 0x82);
	t.now += 5 * NS;
	tap_ok(in(0) == 0x00, "SET stops the bytes");
	put(0x0b, 0x02);
	put(2, 0x34);
	tap_ok(in(2) == 0x34, "a byte can be set without SET");
	set(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
	(void)in(0);
	tap_ok(true, "nonsense is survived");
}

static void run_to_deadline(void)
{
	u64 due = r.dev.ops->deadline(&r.dev);

	if (due > t.now)
		t.now = due;
	r.dev.ops->tick(&r.dev);
}

static void test_interrupts(void)
{
	u64 before;

	start(128 << 20);
	tap_ok(r.dev.ops->deadline(&r.dev) == 0, "no deadline while nothing is enabled");
	put(0x0b, 0x12);
	tap_ok(r.dev.ops->deadline(&r.dev) == (T0 + 1) * NS, "update: due at the next second");
	r.dev.ops->tick(&r.dev);
	tap_ok(!t.level[8], "an early tick is harmless");
	run_to_deadline();
	tap_ok(t.level[8] && r.dev.ops->deadline(&r.dev) == 0, "update: line 8, then none till served");
	tap_ok((in(0x0c) & 0xb0) == 0x90, "register C: IRQF and UF");
	tap_ok(!t.level[8] && !(in(0x0c) & 0x80), "reading it drops the line");

	put(0x0b, 0x42);
	(void)in(0x0c);
	before = t.now;
	run_to_deadline();
	tap_ok(t.level[8] && t.now - before <= 976563, "periodic: 1024 Hz by default");
	tap_ok((in(0x0c) & 0xc0) == 0xc0, "register C: PF");

	start(128 << 20);
	put(5, 0x00);
	put(3, 0x00);
	put(1, 0x05);
	put(0x0b, 0x22);
	tap_ok(r.dev.ops->deadline(&r.dev) == (T0 + 7) * NS, "alarm: due in 7 s, over midnight");
	run_to_deadline();
	tap_ok(t.level[8] && (in(0x0c) & 0xa0) == 0xa0, "alarm: line 8, AF");
	put(1, 0xff);
	put(3, 0xff);
	put(5, 0xff);
	tap_ok(r.dev.ops->deadline(&r.dev) == (T0 + 8) * NS, "alarm: don't care is every second");
	put(5, 0x07);
	put(3, 0x30);
	put(1, 0x15);
	tap_ok(r.dev.ops->deadline(&r.dev) == (T0 + 2 + 7 * 3600 + 30 * 60 + 15) * NS,
	       "alarm: at the next 7:30:15");
	put(1, 0x60);
	tap_ok(!r.dev.ops->deadline(&r.dev), "alarm: a second that never comes is never due");
	put(1, 0xff);
	put(3, 0xff);
	put(5, 0xff);
	r.dev.ops->reset(&r.dev);
	tap_ok(!(in(0x0b) & 0x70) && in(5) == 0xff, "reset: interrupts off, memory kept");
	/* Must not spin or overflow after a long stop. */
	t.now += 400ull * 86400 * NS;
	tap_ok((in(0x0c) & 0x30) == 0x30, "flags after 400 days");
}

static void test_memory(void)
{
	unsigned int i;
	u16 sum = 0;

	start(128 << 20);
	tap_ok(in(0x15) == 0x80 && in(0x16) == 0x02, "base memory: 640 KiB");
	tap_ok(in(0x17) == 0xff && in(0x18) == 0xff, "extended memory: 65535 KiB at most");
	tap_ok(in(0x34) == 0x00 && in(0x35) == 0x07, "above 16 MiB: 112 MiB in 64 KiB");
	for (i = 0x10; i <= 0x2d; i++)
		sum += in(i);
	tap_ok(in(0x2e) == sum >> 8 && in(0x2f) == (sum & 0xff), "checksum");
	start(8 << 20);
	tap_ok(in(0x30) == 0x00 && in(0x31) == 0x1c && in(0x35) == 0, "8 MiB: 7168 KiB extended");
	put(0x7f, 0x99);
	tap_ok(in(0xff) == 0x99, "bit 7 of the index is not part of it");
}

static void test_save(void)
{
	static u8 buf[512];
	struct rtc q;
	size_t n;

	start(128 << 20);
	set(0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59);
	put(0x40, 0xab);
	n = r.dev.ops->save(&r.dev, buf, sizeof(buf));
	rtc_init(&q, &t.host, 0);
	tap_ok(n <= sizeof(buf) && q.dev.ops->restore(&q.dev, buf, n) == 0 &&
	       device_read(&q.dev, 0x71, 1) == 0xab && q.s.offset == r.s.offset,
	       "save and restore");
	tap_ok(q.dev.ops->restore(&q.dev, buf, 3) < 0, "another size is refused");
}

int main(void)
{
	tap_plan(41);
	test_time();
	test_uip();
	test_set();
	test_interrupts();
	test_memory();
	test_save();
	return tap_done();
}
