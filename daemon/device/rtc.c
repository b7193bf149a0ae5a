// SPDX-License-Identifier: GPL-2.0
/*
 * The MC146818 real-time clock (Motorola data sheet) and PC CMOS memory.
 *
 * No clock runs here. The guest's time is the host's plus an offset; what must
 * have happened by now (update, alarm and periodic flags) is worked out when
 * the guest looks, or when the machine calls tick() at the deadline of the next
 * interrupt. There is at most one interrupt on its way at a time: the next is
 * armed after the guest has read register C, so a guest that does not serve
 * them costs nothing.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "device/rtc.h"

#define NS		1000000000ull
#define UPDATE_NS	244000		/* UIP is on for so long before a second */
#define STATE_VERSION	1

enum {
	REG_SEC, REG_SEC_ALARM, REG_MIN, REG_MIN_ALARM, REG_HOUR,
	REG_HOUR_ALARM, REG_WDAY, REG_MDAY, REG_MONTH, REG_YEAR,
	REG_A, REG_B, REG_C, REG_D,
	REG_EQUIPMENT = 0x14,
	REG_BASE_LO, REG_BASE_HI, REG_EXT_LO, REG_EXT_HI,
	REG_SUM_FIRST = 0x10, REG_SUM_LAST = 0x2d,
	REG_SUM_HI = 0x2e, REG_SUM_LO = 0x2f,
	REG_EXT2_LO = 0x30, REG_EXT2_HI, REG_CENTURY,
	REG_HIGH_LO = 0x34, REG_HIGH_HI,
};

#define A_UIP		0x80
#define A_DEFAULT	0x26	/* 32768 Hz base, 1024 Hz periodic rate */
#define B_SET		0x80
#define B_PIE		0x40
#define B_AIE		0x20
#define B_UIE		0x10
#define B_BINARY	0x04
#define B_24H		0x02
#define C_IRQF		0x80
#define C_PF		0x40
#define C_AF		0x20
#define C_UF		0x10
#define D_VALID		0x80
#define HOUR_PM		0x80
#define ALARM_ANY	0xc0	/* don't care: both top bits */

static struct rtc *to_rtc(struct device *dev)
{
	return container_of(dev, struct rtc, dev);
}

static u64 host_now(const struct rtc *rtc)
{
	return rtc->dev.host->now(rtc->dev.host);
}

/* The guest's clock in seconds since 1970, as of the host's time @now. */
static u64 guest_seconds(const struct rtc *rtc, u64 now)
{
	return now / NS + rtc->s.offset;
}

static u8 encode(const struct rtc *rtc, unsigned int value)
{
	if (rtc->s.ram[REG_B] & B_BINARY)
		return value;
	return value / 10 << 4 | value % 10;
}

static unsigned int decode(const struct rtc *rtc, u8 value)
{
	if (rtc->s.ram[REG_B] & B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 0x0f);
}

static u8 encode_hour(const struct rtc *rtc, unsigned int hour)
{
	if (rtc->s.ram[REG_B] & B_24H)
		return encode(rtc, hour);
	return encode(rtc, hour % 12 ? hour % 12 : 12) |
	       (hour >= 12 ? HOUR_PM : 0);
}

static unsigned int decode_hour(const struct rtc *rtc, u8 value)
{
	if (rtc->s.ram[REG_B] & B_24H)
		return decode(rtc, value);
	return decode(rtc, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

/* The host's time into the time bytes. */
static void time_to_ram(struct rtc *rtc, u64 seconds)
{
	u8 *ram = rtc->s.ram;
	time_t t = seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return;
	ram[REG_SEC] = encode(rtc, tm.tm_sec);
	ram[REG_MIN] = encode(rtc, tm.tm_min);
	ram[REG_HOUR] = encode_hour(rtc, tm.tm_hour);
	ram[REG_WDAY] = encode(rtc, tm.tm_wday + 1);
	ram[REG_MDAY] = encode(rtc, tm.tm_mday);
	ram[REG_MONTH] = encode(rtc, tm.tm_mon + 1);
	ram[REG_YEAR] = encode(rtc, tm.tm_year % 100);
	ram[REG_CENTURY] = encode(rtc, tm.tm_year / 100 + 19);
}

/* The time bytes, as the guest set them, into the offset. */
static void ram_to_time(struct rtc *rtc)
{
	const u8 *ram = rtc->s.ram;
	struct tm tm = {
		.tm_sec = decode(rtc, ram[REG_SEC]),
		.tm_min = decode(rtc, ram[REG_MIN]),
		.tm_hour = decode_hour(rtc, ram[REG_HOUR]),
		.tm_mday = decode(rtc, ram[REG_MDAY]),
		.tm_mon = (int)decode(rtc, ram[REG_MONTH]) - 1,
		.tm_year = (int)(decode(rtc, ram[REG_CENTURY]) * 100 +
				 decode(rtc, ram[REG_YEAR])) - 1900,
	};
	u64 now = host_now(rtc);

	rtc->s.offset = (s64)timegm(&tm) - (s64)(now / NS);
	rtc->s.updated = guest_seconds(rtc, now);
}

/* Length of a periodic interval in nanoseconds, 0 for off: 2^(rate-1) / 32768. */
static u64 period_ns(const struct rtc *rtc)
{
	unsigned int rate = rtc->s.ram[REG_A] & 0x0f;

	if (!rate)
		return 0;
	if (rate < 3)
		rate += 7;
	return (NS << (rate - 1)) >> 15;
}

static bool alarm_field(const struct rtc *rtc, unsigned int reg, u8 value)
{
	u8 alarm = rtc->s.ram[reg];

	return (alarm & ALARM_ANY) == ALARM_ANY || alarm == value;
}

static bool second_matches(const struct rtc *rtc, u64 t)
{
	return alarm_field(rtc, REG_SEC_ALARM, encode(rtc, t % 60));
}

static bool minute_matches(const struct rtc *rtc, u64 t)
{
	return alarm_field(rtc, REG_MIN_ALARM, encode(rtc, t / 60 % 60));
}

static bool hour_matches(const struct rtc *rtc, u64 t)
{
	return alarm_field(rtc, REG_HOUR_ALARM, encode_hour(rtc, t / 3600 % 24));
}

/* Does it hold for any of @n times that are @step seconds apart? */
static bool ever(const struct rtc *rtc, bool (*matches)(const struct rtc *, u64),
		 unsigned int n, unsigned int step)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (matches(rtc, (u64)i * step))
			return true;
	return false;
}

/*
 * The next second after @from at which the alarm goes off; it repeats daily. 0 if it
 * never does. A guest can have this asked at each access: so not second by second.
 */
static u64 next_alarm(const struct rtc *rtc, u64 from)
{
	u64 t = from + 1;

	if (!ever(rtc, second_matches, 60, 1) || !ever(rtc, minute_matches, 60, 60) ||
	    !ever(rtc, hour_matches, 24, 3600))
		return 0;
	for (;;) {
		if (!hour_matches(rtc, t))
			t = (t / 3600 + 1) * 3600;
		else if (!minute_matches(rtc, t))
			t = (t / 60 + 1) * 60;
		else if (!second_matches(rtc, t))
			t++;
		else
			return t;
	}
}

static void update_irq(struct rtc *rtc)
{
	u8 *c = &rtc->s.ram[REG_C];
	bool level = *c & rtc->s.ram[REG_B] & (C_PF | C_AF | C_UF);

	*c = level ? *c | C_IRQF : *c & ~C_IRQF;
	if (level == rtc->s.irq)
		return;
	rtc->s.irq = level;
	rtc->dev.host->irq(rtc->dev.host, RTC_IRQ, level);
}

/* Raise the flags of what has happened up to now. */
static void catch_up(struct rtc *rtc)
{
	struct rtc_state *s = &rtc->s;
	u64 now = host_now(rtc);
	u64 seconds = guest_seconds(rtc, now);
	u64 period = period_ns(rtc);
	u64 alarm;

	if (period && now / period != s->period) {
		s->period = now / period;
		s->ram[REG_C] |= C_PF;
	}
	if (!(s->ram[REG_B] & B_SET) && seconds != s->updated) {
		s->ram[REG_C] |= C_UF;
		if (!(s->ram[REG_C] & C_AF)) {
			alarm = next_alarm(rtc, s->updated);
			if (alarm && alarm <= seconds)
				s->ram[REG_C] |= C_AF;
		}
		s->updated = seconds;
	}
	update_irq(rtc);
}

static void rtc_tick(struct device *dev)
{
	catch_up(to_rtc(dev));
}

static u64 second_to_host(const struct rtc *rtc, u64 seconds)
{
	return (seconds - rtc->s.offset) * NS;
}

static u64 earlier(u64 a, u64 b)
{
	return !a || (b && b < a) ? b : a;
}

static u64 rtc_deadline(struct device *dev)
{
	struct rtc *rtc = to_rtc(dev);
	u8 wanted = rtc->s.ram[REG_B] & ~rtc->s.ram[REG_C];
	u64 period = period_ns(rtc);
	u64 due = 0;
	u64 alarm;

	if ((wanted & B_PIE) && period)
		due = (rtc->s.period + 1) * period;
	if (rtc->s.ram[REG_B] & B_SET)
		return due;
	if (wanted & B_UIE)
		due = earlier(due, second_to_host(rtc, rtc->s.updated + 1));
	if (wanted & B_AIE) {
		alarm = next_alarm(rtc, rtc->s.updated);
		if (alarm)
			due = earlier(due, second_to_host(rtc, alarm));
	}
	return due;
}

static bool is_time(u8 index)
{
	return index == REG_CENTURY ||
	       (index <= REG_YEAR && index != REG_SEC_ALARM &&
		index != REG_MIN_ALARM && index != REG_HOUR_ALARM);
}

static u8 read_register(struct rtc *rtc, u8 index)
{
	struct rtc_state *s = &rtc->s;
	u64 now = host_now(rtc);
	u8 value;

	if (is_time(index) && !(s->ram[REG_B] & B_SET))
		time_to_ram(rtc, guest_seconds(rtc, now));

	switch (index) {
	case REG_A:
		value = s->ram[REG_A] & ~A_UIP;
		if (!(s->ram[REG_B] & B_SET) && now % NS >= NS - UPDATE_NS)
			value |= A_UIP;
		return value;
	case REG_C:
		catch_up(rtc);
		value = s->ram[REG_C];
		s->ram[REG_C] = 0;
		update_irq(rtc);
		return value;
	default:
		return s->ram[index];
	}
}

static void write_register(struct rtc *rtc, u8 index, u8 value)
{
	struct rtc_state *s = &rtc->s;
	bool was_set = s->ram[REG_B] & B_SET;
	u64 now = host_now(rtc);
	u64 period;

	switch (index) {
	case REG_A:
		s->ram[REG_A] = value & ~A_UIP;
		period = period_ns(rtc);
		s->period = period ? now / period : 0;
		return;
	case REG_B:
		/* Events from before they were wanted do not interrupt. */
		catch_up(rtc);
		if (!was_set && (value & B_SET))
			time_to_ram(rtc, guest_seconds(rtc, now));
		if (value & B_SET)
			value &= ~B_UIE;
		s->ram[REG_B] = value;
		if (was_set && !(value & B_SET))
			ram_to_time(rtc);
		update_irq(rtc);
		return;
	case REG_C:
	case REG_D:
		return;		/* read-only */
	}

	if (is_time(index) && !was_set) {
		/* Not what the data sheet asks for, but it works on the chip. */
		time_to_ram(rtc, guest_seconds(rtc, now));
		s->ram[index] = value;
		ram_to_time(rtc);
		return;
	}
	s->ram[index] = value;
}

static u32 rtc_read(struct device *dev, u64 addr, unsigned int size)
{
	struct rtc *rtc = to_rtc(dev);

	(void)size;
	if (addr == RTC_PORT)
		return 0xff;	/* the index is write-only */
	return read_register(rtc, rtc->s.index);
}

static void rtc_write(struct device *dev, u64 addr, unsigned int size, u32 data)
{
	struct rtc *rtc = to_rtc(dev);

	(void)size;
	if (addr == RTC_PORT)
		rtc->s.index = data & (RTC_BYTES - 1);	/* bit 7: NMI mask */
	else
		write_register(rtc, rtc->s.index, data);
}

/* What the firmware would have left in CMOS memory. */
static void fill_memory_bytes(struct rtc *rtc)
{
	u64 ext_kib = rtc->memory > 0x100000 ? (rtc->memory - 0x100000) >> 10 : 0;
	u64 high = rtc->memory > 0x1000000 ? (rtc->memory - 0x1000000) >> 16 : 0;
	u8 *ram = rtc->s.ram;
	unsigned int i;
	u16 sum = 0;

	if (ext_kib > 0xffff)
		ext_kib = 0xffff;
	if (high > 0xffff)
		high = 0xffff;
	ram[REG_EQUIPMENT] = 0x02;	/* a coprocessor, no floppy, no keyboard */
	ram[REG_BASE_LO] = 640 & 0xff;
	ram[REG_BASE_HI] = 640 >> 8;
	ram[REG_EXT_LO] = ext_kib;
	ram[REG_EXT_HI] = ext_kib >> 8;
	ram[REG_EXT2_LO] = ext_kib;
	ram[REG_EXT2_HI] = ext_kib >> 8;
	ram[REG_HIGH_LO] = high;
	ram[REG_HIGH_HI] = high >> 8;
	for (i = REG_SUM_FIRST; i <= REG_SUM_LAST; i++)
		sum += ram[i];
	ram[REG_SUM_HI] = sum >> 8;
	ram[REG_SUM_LO] = sum;
}

/* A reset stops the interrupts; time, memory and rate are kept by the battery. */
static void rtc_reset(struct device *dev)
{
	struct rtc *rtc = to_rtc(dev);

	rtc->s.index = 0;
	rtc->s.ram[REG_B] &= ~(B_PIE | B_AIE | B_UIE);
	rtc->s.ram[REG_C] = 0;
	update_irq(rtc);
}

static size_t rtc_save(const struct device *dev, void *buf, size_t size)
{
	const struct rtc *rtc = container_of(dev, struct rtc, dev);

	return device_save_state(&rtc->s, sizeof(rtc->s), STATE_VERSION, buf, size);
}

static int rtc_restore(struct device *dev, const void *buf, size_t size)
{
	struct rtc *rtc = to_rtc(dev);
	struct rtc_state s;
	int r;

	r = device_restore_state(&s, sizeof(s), STATE_VERSION, buf, size);
	if (r < 0)
		return r;
	if (s.index >= RTC_BYTES)
		return -EINVAL;
	rtc->s = s;
	return 0;
}

static const struct device_range rtc_ranges[] = {
	{ DEVICE_PORT, RTC_PORT, 2 },
};

static const struct device_ops rtc_ops = {
	.name = "rtc",
	.ranges = rtc_ranges,
	.n_ranges = ARRAY_SIZE(rtc_ranges),
	.width = 1,
	.read = rtc_read,
	.write = rtc_write,
	.reset = rtc_reset,
	.deadline = rtc_deadline,
	.tick = rtc_tick,
	.save = rtc_save,
	.restore = rtc_restore,
};

/**
 * rtc_init() - make a clock that shows the host's time, in UTC
 * @rtc: to initialize
 * @host: the machine it is in
 * @memory: guest RAM in bytes
 */
void rtc_init(struct rtc *rtc, struct device_host *host, u64 memory)
{
	u64 period;

	memset(rtc, 0, sizeof(*rtc));
	rtc->dev.ops = &rtc_ops;
	rtc->dev.host = host;
	rtc->memory = memory;
	rtc->s.ram[REG_A] = A_DEFAULT;
	rtc->s.ram[REG_B] = B_24H;
	rtc->s.ram[REG_D] = D_VALID;
	fill_memory_bytes(rtc);
	rtc->s.updated = guest_seconds(rtc, host_now(rtc));
	period = period_ns(rtc);
	rtc->s.period = period ? host_now(rtc) / period : 0;
	time_to_ram(rtc, rtc->s.updated);
}
