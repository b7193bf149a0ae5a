/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 8254 timer of a PC/AT with its three channels, and port 61h.
 *
 * Pure: nothing runs by itself. Each channel keeps the tick at which it was
 * loaded, and everything (count, output, next edge) is computed from there and
 * from @now, so that nothing drifts. @now is guest time in ns; it must not go
 * backwards. BCD counting is taken as binary.
 *
 * Source: Intel 8254 data sheet (231164-005); port 61h: Intel 82371SB, 4.2.4.
 */
#ifndef VMON_IRQCHIP_PIT_H
#define VMON_IRQCHIP_PIT_H

#include <linux/types.h>

#define VMON_PIT_HZ		1193182u
#define VMON_PIT_NEVER		(~0ull)

/**
 * struct vmon_pit_channel - one counter
 * @start:	tick at which counting from @reload began (1 after it was loaded)
 * @held:	ticks counted when the gate stopped it
 * @switch_at:	modes 2 and 3: tick at which @next takes over
 * @edges:	rising edges of the output before @start
 * @collected:	rising edges already collected
 * @reload:	count, 1..65536
 * @next:	count written while counting in modes 2 and 3, 0 for none
 * @latch:	latched count
 * @stale:	count shown between control word and count
 * @mode:	0..5
 * @access:	1 low byte, 2 high byte, 3 low byte then high byte
 * @control:	low six bits of the control word
 * @status:	latched status byte
 * @status_latched: @status is to be read first
 * @latched:	bytes of @latch that are not read yet
 * @read_high:	the next unlatched read gives the high byte
 * @write_high:	the next write is the high byte
 * @write_low:	the low byte already written
 * @gate:	gate input
 * @loaded:	a count was written since the control word
 * @running:	counts from @start, else stands at @held
 */
struct vmon_pit_channel {
	u64 start;
	u64 held;
	u64 switch_at;
	u64 edges;
	u64 collected;
	u32 reload;
	u32 next;
	u16 latch;
	u16 stale;
	u8 mode;
	u8 access;
	u8 control;
	u8 status;
	bool status_latched;
	u8 latched;
	bool read_high;
	bool write_high;
	u8 write_low;
	bool gate;
	bool loaded;
	bool running;
};

struct vmon_pit {
	struct vmon_pit_channel ch[3];
	u8 port61;		/* bits 0 (gate 2) and 1 (speaker), as written */
	/* Channel 0 got a control word or count, so missed ticks are void; the caller
	 * clears it.
	 */
	bool reprogrammed;
};

void vmon_pit_reset(struct vmon_pit *pit, u64 now);

/* Ports 40h-43h and 61h. */
bool vmon_pit_owns_port(u32 port);
void vmon_pit_write(struct vmon_pit *pit, u32 port, u8 val, u64 now);
u8 vmon_pit_read(struct vmon_pit *pit, u32 port, u64 now);

/**
 * vmon_pit_collect() - rising edges of channel 0's output (IRQ 0)
 *
 * Return: how many there were since the last call.
 */
u64 vmon_pit_collect(struct vmon_pit *pit, u64 now);

/**
 * vmon_pit_deadline() - when channel 0's output rises next
 *
 * Return: guest time in ns, later than everything collected so far, or
 * VMON_PIT_NEVER.
 */
u64 vmon_pit_deadline(const struct vmon_pit *pit);

/* Time between two edges of channel 0 in ns, 0 when it is not periodic. */
u64 vmon_pit_period(const struct vmon_pit *pit);

/* Level of a channel's output. */
bool vmon_pit_out(const struct vmon_pit *pit, unsigned int ch, u64 now);

#endif /* VMON_IRQCHIP_PIT_H */
