// SPDX-License-Identifier: GPL-2.0
/*
 * The 8254 against its data sheet: modes, latches, gate, port 61h, and that its
 * interrupts do not drift.
 */
#include <string.h>
#include <linux/kernel.h>
#include "tap.h"
#include "irqchip/pit.h"

#define S	1000000000ull
#define MS	1000000ull

static struct vmon_pit pit;

/* The first ns of a tick. */
static u64 tick(u64 t)
{
	return t / VMON_PIT_HZ * S + (t % VMON_PIT_HZ * S + VMON_PIT_HZ - 1) / VMON_PIT_HZ;
}

static void reset(void)
{
	memset(&pit, 0xff, sizeof(pit));
	vmon_pit_reset(&pit, 0);
}

/* Low and high byte, at tick @t. Counting starts at tick @t + 1. */
static void program(unsigned int ch, unsigned int mode, unsigned int n, u64 t)
{
	vmon_pit_write(&pit, 0x43, ch << 6 | 0x30 | mode << 1, tick(t));
	vmon_pit_write(&pit, 0x40 + ch, n & 0xff, tick(t));
	vmon_pit_write(&pit, 0x40 + ch, n >> 8, tick(t));
}

static unsigned int read16(unsigned int ch, u64 t)
{
	unsigned int low = vmon_pit_read(&pit, 0x40 + ch, tick(t));

	return low | vmon_pit_read(&pit, 0x40 + ch, tick(t)) << 8;
}

static bool out(unsigned int ch, u64 t)
{
	return vmon_pit_out(&pit, ch, tick(t));
}

static bool test_reset(void)
{
	reset();
	return vmon_pit_deadline(&pit) == VMON_PIT_NEVER &&
	       vmon_pit_collect(&pit, 3600 * S) == 0 && vmon_pit_period(&pit) == 0;
}

static bool test_mode0(void)
{
	reset();
	program(0, 0, 100, 9);
	if (out(0, 9) || out(0, 109) || !out(0, 110) || !out(0, 100000))
		return false;
	if (read16(0, 10) != 100 || read16(0, 60) != 50 || read16(0, 110) != 0 ||
	    read16(0, 111) != 0xffff)
		return false;
	reset();
	program(0, 0, 100, 9);
	if (vmon_pit_deadline(&pit) != tick(110))
		return false;
	if (vmon_pit_collect(&pit, tick(110) - 1) || vmon_pit_collect(&pit, tick(110)) != 1)
		return false;
	return vmon_pit_deadline(&pit) == VMON_PIT_NEVER &&
	       vmon_pit_collect(&pit, 100 * S) == 0;
}

static bool test_mode0_first_byte_stops(void)
{
	reset();
	program(0, 0, 100, 0);
	vmon_pit_write(&pit, 0x40, 10, tick(50));
	if (out(0, 200) || vmon_pit_collect(&pit, tick(300)))
		return false;
	vmon_pit_write(&pit, 0x40, 0, tick(400));
	return !out(0, 410) && out(0, 411);
}

static bool test_mode1(void)
{
	reset();
	program(2, 1, 50, 0);
	if (!out(2, 10))
		return false;
	vmon_pit_write(&pit, 0x61, 1, tick(99));	/* trigger */
	if (out(2, 100) || out(2, 149) || !out(2, 150))
		return false;
	vmon_pit_write(&pit, 0x61, 0, tick(200));
	vmon_pit_write(&pit, 0x61, 1, tick(299));
	vmon_pit_write(&pit, 0x61, 0, tick(310));	/* no effect */
	vmon_pit_write(&pit, 0x61, 1, tick(319));	/* retrigger */
	return !out(2, 360) && !out(2, 369) && out(2, 370);
}

static bool test_mode2(void)
{
	unsigned int i;

	reset();
	program(0, 2, 10, 4);
	for (i = 0; i < 100; i++) {
		if (out(0, 5 + i) != (i % 10 != 9) || read16(0, 5 + i) != 10 - i % 10)
			return false;
	}
	reset();
	program(0, 2, 10, 4);
	for (i = 1; i < 50; i++) {
		if (vmon_pit_deadline(&pit) != tick(5 + 10 * i) ||
		    vmon_pit_collect(&pit, vmon_pit_deadline(&pit)) != 1)
			return false;
	}
	return true;
}

static bool test_mode2_new_count(void)
{
	reset();
	program(0, 2, 100, 0);
	pit.reprogrammed = false;
	vmon_pit_write(&pit, 0x40, 30, tick(50));
	vmon_pit_write(&pit, 0x40, 0, tick(50));
	/* The old period ends at 101, then every 30. */
	if (!pit.reprogrammed || vmon_pit_deadline(&pit) != tick(101))
		return false;
	if (vmon_pit_collect(&pit, tick(101)) != 1 || vmon_pit_deadline(&pit) != tick(131))
		return false;
	return vmon_pit_collect(&pit, tick(101 + 300)) == 10 && read16(0, 402) == 29;
}

static bool test_mode3(void)
{
	reset();
	program(0, 3, 10, 0);
	if (!out(0, 1) || !out(0, 5) || out(0, 6) || out(0, 10) || !out(0, 11))
		return false;
	if (read16(0, 1) != 10 || read16(0, 2) != 8 || read16(0, 5) != 2 ||
	    read16(0, 6) != 10 || read16(0, 7) != 8)
		return false;
	program(0, 3, 7, 0);
	/* Odd: one tick longer high than low. */
	return out(0, 4) && !out(0, 5) && !out(0, 7) && out(0, 8) &&
	       vmon_pit_deadline(&pit) == tick(8);
}

static bool test_mode4(void)
{
	reset();
	program(0, 4, 20, 0);
	if (!out(0, 5) || !out(0, 20) || out(0, 21) || !out(0, 22))
		return false;
	return vmon_pit_deadline(&pit) == tick(22) &&
	       vmon_pit_collect(&pit, tick(22)) == 1 &&
	       vmon_pit_collect(&pit, tick(100000)) == 0;
}

static bool test_mode5(void)
{
	reset();
	program(2, 5, 20, 0);
	if (!out(2, 21))
		return false;
	vmon_pit_write(&pit, 0x61, 1, tick(99));
	return out(2, 119) && !out(2, 120) && out(2, 121);
}

static bool test_full_count(void)
{
	reset();
	program(0, 2, 0, 0);
	return vmon_pit_deadline(&pit) == tick(65537) && read16(0, 2) == 65535;
}

static bool test_access(void)
{
	reset();
	vmon_pit_write(&pit, 0x43, 0x14, 0);	/* low byte only, mode 2 */
	vmon_pit_write(&pit, 0x40, 100, 0);
	if (vmon_pit_deadline(&pit) != tick(101) || vmon_pit_read(&pit, 0x40, tick(11)) != 90)
		return false;
	vmon_pit_write(&pit, 0x43, 0x24, 0);	/* high byte only */
	vmon_pit_write(&pit, 0x40, 2, 0);
	return vmon_pit_deadline(&pit) == tick(513) &&
	       vmon_pit_read(&pit, 0x40, tick(1)) == 2 &&
	       vmon_pit_read(&pit, 0x40, tick(2)) == 1;
}

static bool test_latch(void)
{
	reset();
	program(0, 2, 1000, 0);
	vmon_pit_write(&pit, 0x43, 0x00, tick(101));
	vmon_pit_write(&pit, 0x43, 0x00, tick(301));	/* ignored: latched */
	if (read16(0, 501) != 900)
		return false;
	return read16(0, 501) == 500;
}

static bool test_read_back(void)
{
	reset();
	program(0, 2, 1000, 0);
	program(2, 0, 300, 0);
	vmon_pit_write(&pit, 0x43, 0xc0 | 0x02 | 0x08, tick(101));
	/* Status comes first, then the count; out high, mode 2, two bytes. */
	if (vmon_pit_read(&pit, 0x40, tick(200)) != 0xb4 || read16(0, 200) != 900)
		return false;
	/* Channel 2: gate low, does not count; out low. */
	if (vmon_pit_read(&pit, 0x42, tick(200)) != 0x30 || read16(2, 200) != 300)
		return false;
	vmon_pit_write(&pit, 0x43, 0xe0 | 0x02, tick(301));	/* status only */
	if (vmon_pit_read(&pit, 0x40, tick(301)) != 0xb4 || read16(0, 301) != 700)
		return false;
	/* Null count between control word and load. */
	vmon_pit_write(&pit, 0x43, 0x34, tick(400));
	vmon_pit_write(&pit, 0x43, 0xe2, tick(400));
	return vmon_pit_read(&pit, 0x40, tick(400)) == 0xf4;
}

/* How Linux calibrates: gate on, mode 0, wait for OUT2 in port 61h. */
static bool test_port61(void)
{
	u64 t = 1000;
	u8 a, b;

	reset();
	vmon_pit_write(&pit, 0x61, 1, tick(t));
	program(2, 0, 59659, t);	/* 50 ms */
	if (vmon_pit_read(&pit, 0x61, tick(t + 59659)) & 0x20)
		return false;
	if (!(vmon_pit_read(&pit, 0x61, tick(t + 59660)) & 0x20))
		return false;
	if ((vmon_pit_read(&pit, 0x61, tick(t)) & 3) != 1)
		return false;
	a = vmon_pit_read(&pit, 0x61, 1 * MS) & 0x10;
	b = vmon_pit_read(&pit, 0x61, 1 * MS + 15086) & 0x10;
	return a != b;
}

static bool test_gate(void)
{
	reset();
	vmon_pit_write(&pit, 0x61, 1, 0);
	program(2, 0, 100, 0);
	vmon_pit_write(&pit, 0x61, 0, tick(41));	/* 40 counted */
	if (read16(2, 5000) != 60 || out(2, 5000))
		return false;
	vmon_pit_write(&pit, 0x61, 1, tick(10000));
	if (out(2, 10059) || !out(2, 10060))
		return false;
	/* Mode 3: low gate forces the output high, rising starts anew. */
	program(2, 3, 10, 20000);
	vmon_pit_write(&pit, 0x61, 0, tick(20007));
	if (!out(2, 20007))
		return false;
	vmon_pit_write(&pit, 0x61, 1, tick(20099));
	return out(2, 20104) && !out(2, 20105);
}

static bool test_ports(void)
{
	unsigned int port, n = 0;

	for (port = 0; port < 0x10000; port++)
		n += vmon_pit_owns_port(port);
	return n == 5 && vmon_pit_owns_port(0x40) && vmon_pit_owns_port(0x43) &&
	       vmon_pit_owns_port(0x61);
}

/*
 * A kernel's 250 Hz tick over @hours, each deadline served late by a varying
 * time: the number of ticks is the one that the crystal gives.
 */
static bool drift(unsigned int mode, unsigned int n, unsigned int hours)
{
	u64 end = hours * 3600ull * S, x = 1, now, ticks = 0, expect;

	reset();
	program(0, mode, n, 0);
	while ((now = vmon_pit_deadline(&pit)) <= end) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		now += (x >> 40) % (3 * MS);
		if (now > end)
			now = end;
		ticks += vmon_pit_collect(&pit, now);
	}
	ticks += vmon_pit_collect(&pit, end);
	expect = (hours * 3600ull * VMON_PIT_HZ - 1) / n;
	if (ticks != expect)
		printf("# ticks %llu, expected %llu\n", ticks, expect);
	return ticks == expect;
}

static bool test_drift_mode2(void)
{
	return drift(2, 4773, 5);
}

static bool test_drift_mode3(void)
{
	return drift(3, 1193, 2);
}

/* After a year of guest time the arithmetic still holds. */
static bool test_long(void)
{
	u64 t = 365ull * 86400 * VMON_PIT_HZ;

	reset();
	program(0, 2, 1000, t);
	return vmon_pit_deadline(&pit) == tick(t + 1001) && read16(0, t + 11) == 990 &&
	       vmon_pit_collect(&pit, tick(2 * t)) == (t - 1) / 1000;
}

/* One-shot use, as with NO_HZ: each interrupt sets the next. */
static bool test_one_shot(void)
{
	u64 now = 0;
	unsigned int i;

	reset();
	vmon_pit_write(&pit, 0x43, 0x38, 0);	/* mode 4 */
	for (i = 0; i < 1000; i++) {
		u64 t = now * VMON_PIT_HZ / S;

		vmon_pit_write(&pit, 0x40, 0xe8, now);
		vmon_pit_write(&pit, 0x40, 0x03, now);
		now = vmon_pit_deadline(&pit);
		if (now != tick(t + 1 + 1000 + 1) || vmon_pit_collect(&pit, now) != 1)
			return false;
	}
	return true;
}

static bool test_random(void)
{
	static const u32 port[] = { 0x40, 0x41, 0x42, 0x43, 0x61 };
	u64 x = 88172645463325252ull, now = 0, due;
	unsigned int i;
	bool over;

	reset();
	for (i = 0; i < 2000000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		now += (x >> 20) & 0xffff;
		switch (x & 3) {
		case 0:
			vmon_pit_write(&pit, port[(x >> 8) % 5], x >> 32, now);
			break;
		case 1:
			vmon_pit_read(&pit, port[(x >> 8) % 5], now);
			break;
		default:
			due = vmon_pit_deadline(&pit);
			over = due <= now;
			if (!!vmon_pit_collect(&pit, now) != over) {
				printf("# step %u mode %u due %llu now %llu\n", i,
				       pit.ch[0].mode, due, now);
				return false;
			}
		}
	}
	return true;
}

int main(void)
{
	static const struct {
		const char *name;
		bool (*fn)(void);
	} test[] = {
		{ "no interrupt after reset", test_reset },
		{ "mode 0: interrupt on terminal count", test_mode0 },
		{ "mode 0: first byte stops the count", test_mode0_first_byte_stops },
		{ "mode 1: one-shot by gate", test_mode1 },
		{ "mode 2: rate generator", test_mode2 },
		{ "mode 2: new count at the end of the period", test_mode2_new_count },
		{ "mode 3: square wave", test_mode3 },
		{ "mode 4: software strobe", test_mode4 },
		{ "mode 5: hardware strobe", test_mode5 },
		{ "count 0 is 65536", test_full_count },
		{ "single byte access", test_access },
		{ "counter latch", test_latch },
		{ "read-back", test_read_back },
		{ "port 61h", test_port61 },
		{ "gate", test_gate },
		{ "ports", test_ports },
		{ "no drift in 5 hours, mode 2 at 250 Hz", test_drift_mode2 },
		{ "no drift in 2 hours, mode 3 at 1000 Hz", test_drift_mode3 },
		{ "after a year", test_long },
		{ "one-shot use", test_one_shot },
		{ "random operations", test_random },
	};
	unsigned int i, n = ARRAY_SIZE(test);

	tap_plan(n);
	for (i = 0; i < n; i++)
		tap_ok(test[i].fn(), "%s", test[i].name);
	return tap_done();
}
