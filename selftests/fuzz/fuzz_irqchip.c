// SPDX-License-Identifier: GPL-2.0
/*
 * The module's interrupt controllers and timer. What must hold: an acknowledged interrupt
 * was requested, is not masked, and comes before whatever is in service; the
 * output says that there is one exactly when acknowledging gives one; a timer looked at
 * often and one looked at seldom count the same edges, and each edge comes at the time
 * that was announced.
 */
#include <linux/kernel.h>

#include "fuzz.h"
#include "irqchip/pic.h"
#include "irqchip/pit.h"

#define STEPS	200u

static struct vmon_pic pic;
static struct vmon_pit often, seldom;
static u64 now, counted_often, counted_seldom;

static void check_pic(void)
{
	struct vmon_pic copy = pic;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		const struct vmon_pic_chip *c = &pic.chip[i];

		fuzz_check(c->lowest < 8 && c->step <= 4 && c->step != 1, "chip %u: lowest %u, step %u",
			   i, c->lowest, c->step);
		fuzz_check(!(c->base & 7), "vector base %#x", c->base);
		/* A request is an edge that came with the line, or a level. */
		fuzz_check(!(c->irr & ~c->line), "chip %u: requests %#x without lines %#x", i,
			   c->irr, c->line);
	}
	/* Saying a level again changes nothing. */
	for (i = 0; i < VMON_PIC_LINES; i++)
		vmon_pic_set_line(&copy, i, copy.chip[i >> 3].line >> (i & 7) & 1);
	for (i = 0; i < 2; i++)
		fuzz_check((copy.chip[i].elcr & copy.chip[i].line) ||
			   copy.chip[i].irr == pic.chip[i].irr, "a level said twice is an edge");
}

static void acknowledge(void)
{
	const struct vmon_pic_chip *c;
	struct vmon_pic before = pic;
	bool intr = vmon_pic_intr(&pic);
	u8 vector = vmon_pic_ack(&pic), bit = 1 << (vector & 7);

	if (!intr) {
		fuzz_check(vector == before.chip[0].base + 7, "spurious vector %#x", vector);
		fuzz_check(!memcmp(&before, &pic, sizeof(pic)), "a spurious acknowledge changes state");
		return;
	}
	/* It is one of the master's, or of the slave's behind the cascade: who can tell? */
	if (before.chip[0].base == before.chip[1].base)
		return;
	c = &before.chip[(vector & 0xf8) != before.chip[0].base];
	fuzz_check((vector & 0xf8) == c->base, "vector %#x of no chip", vector);
	fuzz_check(c->irr & ~c->imr & bit, "vector %#x is not requested or masked", vector);
	fuzz_check(!c->step, "a chip that is being initialised interrupts");
	fuzz_check(c->smm || c->sfnm || !(c->isr & bit), "vector %#x is in service already",
		   vector);
}

static void pic_step(struct fuzz_in *in, u8 op)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x20, 0x21 };
	u16 port = ports[op >> 4 & 7];
	unsigned int line;

	switch (op & 3) {
	case 0:
		line = fuzz_u8(in);
		vmon_pic_set_line(&pic, line & 31, line & 0x80);
		break;
	case 1:
		fuzz_check(vmon_pic_owns_port(port), "port %#x", port);
		vmon_pic_write(&pic, port, fuzz_u8(in));
		break;
	case 2:
		(void)vmon_pic_read(&pic, port);
		break;
	default:
		acknowledge();
	}
	check_pic();
}

static void collect_often(void)
{
	u64 due = vmon_pit_deadline(&often), n = vmon_pit_collect(&often, now);

	fuzz_check((due <= now) == (n > 0), "%llu edges at %llu, announced for %llu", n, now, due);
	counted_often += n;
	due = vmon_pit_deadline(&often);
	fuzz_check(due > now, "the next edge is announced for %llu, now is %llu", due, now);
}

/* What comes before a change of the timer counts by the old rules. */
static void settle_counts(void)
{
	collect_often();
	counted_seldom += vmon_pit_collect(&seldom, now);
	fuzz_check(counted_often == counted_seldom, "%llu edges seen often, %llu seldom",
		   counted_often, counted_seldom);
}

static void pit_step(struct fuzz_in *in, u8 op)
{
	static const u8 ports[] = { 0x40, 0x42, 0x43, 0x61, 0x40, 0x43, 0x41, 0x43 };
	u8 port = ports[op >> 4 & 7], val, a, b;
	u64 due;

	switch (op & 3) {
	case 0:
		now += (u64)fuzz_u8(in) << (fuzz_u8(in) % 40);
		collect_often();
		break;
	case 1:
		/* Exactly when it is due, and just before. */
		due = vmon_pit_deadline(&often);
		if (due == VMON_PIT_NEVER || due <= now + 1)
			break;
		now = due - 1;
		collect_often();
		now = due;
		collect_often();
		break;
	case 2:
		val = fuzz_u8(in);
		settle_counts();
		vmon_pit_write(&often, port, val, now);
		vmon_pit_write(&seldom, port, val, now);
		break;
	default:
		a = vmon_pit_read(&often, port, now);
		b = vmon_pit_read(&seldom, port, now);
		fuzz_check(a == b, "port %#x reads %#x, %#x", port, a, b);
		fuzz_check(vmon_pit_out(&often, op >> 2 & 1, now) ==
			   vmon_pit_out(&seldom, op >> 2 & 1, now), "outputs differ");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	unsigned int i;

	memset(&pic, 0, sizeof(pic));
	vmon_pic_reset(&pic);
	now = (u64)fuzz_u8(&in) << 32;
	vmon_pit_reset(&often, now);
	vmon_pit_reset(&seldom, now);
	counted_often = 0;
	counted_seldom = 0;
	for (i = 0; i < STEPS && fuzz_left(&in); i++) {
		u8 op = fuzz_u8(&in);

		if (op & 0x80)
			pit_step(&in, op);
		else
			pic_step(&in, op);
	}
	settle_counts();
	return 0;
}
