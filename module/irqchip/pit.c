// SPDX-License-Identifier: GPL-2.0
/*
 * The 8254: count and output as functions of the time since the load.
 *
 * A written count is loaded with the next clock, so that a channel's ticks are
 * counted from start = tick of the write + 1. elapsed() is what all modes are
 * written in. Modes 2 and 3 take a new count at the end of the period: advance()
 * moves start there.
 */
#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include "irqchip/pit.h"

#define NS_PER_S	1000000000ull
#define REFRESH_NS	15086u		/* 18 ticks: memory refresh toggles */

#define PORT61_GATE2	0x01
#define PORT61_WRITABLE	0x03
#define PORT61_REFRESH	0x10
#define PORT61_OUT2	0x20

static u64 ns_to_ticks(u64 ns)
{
	return ns / NS_PER_S * VMON_PIT_HZ +
	       ns % NS_PER_S * VMON_PIT_HZ / NS_PER_S;
}

/* The first nanosecond that belongs to @ticks. */
static u64 ticks_to_ns(u64 ticks)
{
	return ticks / VMON_PIT_HZ * NS_PER_S +
	       (ticks % VMON_PIT_HZ * NS_PER_S + VMON_PIT_HZ - 1) / VMON_PIT_HZ;
}

static bool periodic(const struct vmon_pit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* Modes 1 and 5: the gate starts the count, and no longer stops it. */
static bool triggered(const struct vmon_pit_channel *c)
{
	return c->mode == 1 || c->mode == 5;
}

static u64 elapsed(const struct vmon_pit_channel *c, u64 t)
{
	if (!c->running)
		return c->held;
	return t > c->start ? t - c->start : 0;
}

static void advance(struct vmon_pit_channel *c, u64 t)
{
	if (!c->next || t < c->switch_at)
		return;
	c->edges += (c->switch_at - c->start) / c->reload;
	c->start = c->switch_at;
	c->reload = c->next;
	c->next = 0;
}

static u16 count(const struct vmon_pit_channel *c, u64 t)
{
	u64 e = elapsed(c, t);
	u32 n = c->reload, half = (n + 1) / 2;

	if (!c->loaded)
		return c->stale;
	switch (c->mode) {
	case 2:
		return n - e % n;
	case 3:
		e %= n;
		return (n & ~1u) - 2 * (e < half ? e : e - half);
	case 1:
	case 5:
		if (!c->running)
			return c->stale;
		fallthrough;
	default:
		return n - e;
	}
}

static bool output(const struct vmon_pit_channel *c, u64 t)
{
	u64 e = elapsed(c, t);
	u32 n = c->reload;

	if (!c->loaded || (!c->running && c->mode != 0))
		return c->mode != 0;
	switch (c->mode) {
	case 0:
	case 1:
		return e >= n;
	case 2:
		return e % n != n - 1;
	case 3:
		return e % n < (n + 1) / 2;
	default:
		return e != n;
	}
}

/* Rising edges since start. */
static u64 rises(const struct vmon_pit_channel *c, u64 t)
{
	u64 e = elapsed(c, t);

	if (!c->loaded || !c->running)
		return 0;
	switch (c->mode) {
	case 2:
	case 3:
		return e / c->reload;
	case 4:
	case 5:
		return e > c->reload;
	default:
		return e >= c->reload;
	}
}

static void begin(struct vmon_pit_channel *c, u64 t)
{
	c->start = t + 1;
	c->held = 0;
	c->next = 0;
	c->edges = 0;
	c->collected = 0;
	c->running = c->gate;
}

static void load(struct vmon_pit_channel *c, u16 val, u64 t)
{
	u32 n = val ? val : 0x10000;

	if (periodic(c))
		n = max(n, 2u);
	if (triggered(c)) {
		/* Takes effect with the next trigger. */
		if (c->running)
			c->next = n;
		else
			c->reload = n;
		c->switch_at = VMON_PIT_NEVER;
		c->loaded = true;
		return;
	}
	if (periodic(c) && c->loaded && c->running) {
		u64 periods = elapsed(c, t) / c->reload + 1;

		c->next = n;
		c->switch_at = c->start + periods * c->reload;
		return;
	}
	c->reload = n;
	c->loaded = true;
	begin(c, t);
}

static void set_gate(struct vmon_pit_channel *c, bool gate, u64 t)
{
	if (gate == c->gate)
		return;
	c->gate = gate;
	if (!c->loaded)
		return;
	if (triggered(c)) {
		if (!gate)
			return;
		if (c->next)
			c->reload = c->next;
		begin(c, t);
	} else if (periodic(c)) {
		/* Falling stops with the output high, rising starts anew. */
		if (!gate) {
			if (c->next)
				c->reload = c->next;
			c->next = 0;
			c->held = 0;
			c->running = false;
		} else {
			begin(c, t);
		}
	} else if (!gate) {
		c->held = elapsed(c, t);
		c->running = false;
	} else {
		c->start = t - min(c->held, t);
		c->running = true;
	}
}

/* Status byte of the read-back command: data sheet, figure 13. */
static u8 status(const struct vmon_pit_channel *c, u64 t)
{
	bool null = !c->loaded || c->next || (triggered(c) && !c->running) ||
		    (c->running && t < c->start);

	return output(c, t) << 7 | null << 6 | c->control;
}

static void latch_count(struct vmon_pit_channel *c, u64 t)
{
	if (c->latched)
		return;
	c->latch = count(c, t);
	c->latched = c->access == 3 ? 2 : 1;
}

static void latch_status(struct vmon_pit_channel *c, u64 t)
{
	if (c->status_latched)
		return;
	c->status = status(c, t);
	c->status_latched = true;
}

static void read_back(struct vmon_pit *pit, u8 val, u64 t)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (!(val & (2 << i)))
			continue;
		if (!(val & 0x20))
			latch_count(&pit->ch[i], t);
		if (!(val & 0x10))
			latch_status(&pit->ch[i], t);
	}
}

static void control(struct vmon_pit_channel *c, u8 val, u64 t)
{
	u8 mode = (val >> 1) & 7;

	c->stale = count(c, t);
	c->mode = mode > 5 ? mode - 4 : mode;
	c->access = val >> 4 & 3;
	c->control = val & 0x3f;
	c->loaded = false;
	c->running = false;
	c->held = 0;
	c->next = 0;
	c->edges = 0;
	c->collected = 0;
	c->latched = 0;
	c->status_latched = false;
	c->read_high = false;
	c->write_high = false;
}

static void write_count(struct vmon_pit_channel *c, u8 val, u64 t)
{
	switch (c->access) {
	case 1:
		load(c, val, t);
		break;
	case 2:
		load(c, val << 8, t);
		break;
	case 3:
		if (c->write_high) {
			load(c, val << 8 | c->write_low, t);
		} else {
			c->write_low = val;
			/* Mode 0: the first byte stops the count. */
			if (c->mode == 0) {
				c->stale = count(c, t);
				c->loaded = false;
				c->running = false;
				c->edges = 0;
				c->collected = 0;
			}
		}
		c->write_high = !c->write_high;
		break;
	}
}

static u8 read_count(struct vmon_pit_channel *c, u64 t)
{
	u16 val;
	bool high;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->latched) {
		high = c->access == 2 || (c->access == 3 && c->latched == 1);
		c->latched--;
		return high ? c->latch >> 8 : c->latch;
	}
	val = count(c, t);
	high = c->access == 2;
	if (c->access == 3) {
		high = c->read_high;
		c->read_high = !high;
	}
	return high ? val >> 8 : val;
}

void vmon_pit_reset(struct vmon_pit *pit, u64 now)
{
	u64 t = ns_to_ticks(now);
	unsigned int i;

	*pit = (struct vmon_pit) { .reprogrammed = true };
	for (i = 0; i < 3; i++) {
		/* As firmware leaves it, but that no timer interrupt comes. */
		pit->ch[i].reload = 0x10000;
		pit->ch[i].gate = i < 2;
		control(&pit->ch[i], i == 1 ? 0x14 : 0x36, t);
	}
	load(&pit->ch[1], 18, t);
}

bool vmon_pit_owns_port(u32 port)
{
	return (port & ~3u) == 0x40 || port == 0x61;
}

void vmon_pit_write(struct vmon_pit *pit, u32 port, u8 val, u64 now)
{
	u64 t = ns_to_ticks(now);
	unsigned int i = port & 3;

	if (port == 0x61) {
		pit->port61 = val & PORT61_WRITABLE;
		advance(&pit->ch[2], t);
		set_gate(&pit->ch[2], val & PORT61_GATE2, t);
		return;
	}
	if (i < 3) {
		advance(&pit->ch[i], t);
		write_count(&pit->ch[i], val, t);
	} else {
		for (i = 0; i < 3; i++)
			advance(&pit->ch[i], t);
		i = val >> 6;
		if (i == 3) {
			read_back(pit, val, t);
			return;
		}
		if (!(val & 0x30)) {
			latch_count(&pit->ch[i], t);
			return;
		}
		control(&pit->ch[i], val, t);
	}
	if (i == 0)
		pit->reprogrammed = true;
}

u8 vmon_pit_read(struct vmon_pit *pit, u32 port, u64 now)
{
	u64 t = ns_to_ticks(now);
	unsigned int i = port & 3;

	if (port == 0x61)
		return pit->port61 |
		       (now / REFRESH_NS & 1 ? PORT61_REFRESH : 0) |
		       (vmon_pit_out(pit, 2, now) ? PORT61_OUT2 : 0);
	if (i == 3)
		return 0xff;	/* the control word cannot be read */
	advance(&pit->ch[i], t);
	return read_count(&pit->ch[i], t);
}

u64 vmon_pit_collect(struct vmon_pit *pit, u64 now)
{
	struct vmon_pit_channel *c = &pit->ch[0];
	u64 t = ns_to_ticks(now), edges, n;

	advance(c, t);
	edges = c->edges + rises(c, t);
	n = edges - c->collected;
	c->collected = edges;
	return n;
}

u64 vmon_pit_deadline(const struct vmon_pit *pit)
{
	const struct vmon_pit_channel *c = &pit->ch[0];
	u64 k = c->collected - c->edges + 1, t;

	if (!c->loaded || !c->running)
		return VMON_PIT_NEVER;
	if (c->collected < c->edges)
		return ticks_to_ns(c->start);	/* overdue */
	if (!periodic(c)) {
		if (k > 1)
			return VMON_PIT_NEVER;
		return ticks_to_ns(c->start + c->reload + (c->mode >= 4));
	}
	t = c->start + k * c->reload;
	if (c->next && t > c->switch_at)
		t = c->switch_at + c->next;
	return ticks_to_ns(t);
}

u64 vmon_pit_period(const struct vmon_pit *pit)
{
	const struct vmon_pit_channel *c = &pit->ch[0];

	if (!periodic(c) || !c->loaded || !c->running)
		return 0;
	return ticks_to_ns(c->reload);
}

bool vmon_pit_out(const struct vmon_pit *pit, unsigned int ch, u64 now)
{
	u64 t = ns_to_ticks(now);
	struct vmon_pit_channel c = pit->ch[ch];

	advance(&c, t);
	return output(&c, t);
}
