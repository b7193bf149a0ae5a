// SPDX-License-Identifier: GPL-2.0
/*
 * The 8259 pair against its data sheet: priorities, ends of interrupt, masks,
 * rotation, cascade, spurious interrupts, poll, ELCR, initialisation.
 */
#include <string.h>
#include <linux/kernel.h>
#include "tap.h"
#include "irqchip/pic.h"

static struct vmon_pic pic;

/* As Linux does it: vectors 30h and 38h, nothing masked. */
static void init(unsigned int icw4_master, unsigned int icw4_slave)
{
	memset(&pic, 0, sizeof(pic));
	vmon_pic_reset(&pic);
	vmon_pic_write(&pic, 0x20, 0x11);
	vmon_pic_write(&pic, 0x21, 0x30);
	vmon_pic_write(&pic, 0x21, 0x04);
	vmon_pic_write(&pic, 0x21, icw4_master);
	vmon_pic_write(&pic, 0xa0, 0x11);
	vmon_pic_write(&pic, 0xa1, 0x38);
	vmon_pic_write(&pic, 0xa1, 0x02);
	vmon_pic_write(&pic, 0xa1, icw4_slave);
}

static void pulse(unsigned int line)
{
	vmon_pic_set_line(&pic, line, false);
	vmon_pic_set_line(&pic, line, true);
}

static u8 isr(u32 port)
{
	vmon_pic_write(&pic, port, 0x0b);
	return vmon_pic_read(&pic, port);
}

static u8 irr(u32 port)
{
	vmon_pic_write(&pic, port, 0x0a);
	return vmon_pic_read(&pic, port);
}

static bool test_reset(void)
{
	memset(&pic, 0, sizeof(pic));
	vmon_pic_reset(&pic);
	pulse(0);
	pulse(9);
	return !vmon_pic_intr(&pic);
}

static bool test_init_sequence(void)
{
	init(1, 1);
	vmon_pic_write(&pic, 0x21, 0xff);
	pulse(4);
	/* ICW1 clears the mask and forgets edges. */
	vmon_pic_write(&pic, 0x20, 0x11);
	if (vmon_pic_read(&pic, 0x21) != 0 || vmon_pic_intr(&pic))
		return false;
	pulse(3);
	if (vmon_pic_intr(&pic))
		return false;	/* not before the last ICW */
	vmon_pic_write(&pic, 0x21, 0x57);
	vmon_pic_write(&pic, 0x21, 0x04);
	vmon_pic_write(&pic, 0x21, 0x01);
	/* The low three bits of ICW2 are ignored. */
	return vmon_pic_intr(&pic) && vmon_pic_ack(&pic) == 0x53;
}

static bool test_init_without_icw4(void)
{
	init(3, 3);
	vmon_pic_write(&pic, 0x20, 0x10);
	vmon_pic_write(&pic, 0x21, 0x20);
	vmon_pic_write(&pic, 0x21, 0x04);
	vmon_pic_write(&pic, 0x21, 0xf0);	/* already the mask */
	if (vmon_pic_read(&pic, 0x21) != 0xf0)
		return false;
	pulse(1);
	/* AEOI is off again. */
	return vmon_pic_ack(&pic) == 0x21 && isr(0x20) == 0x02;
}

static bool test_init_single(void)
{
	init(1, 1);
	vmon_pic_write(&pic, 0x20, 0x13);
	vmon_pic_write(&pic, 0x21, 0x40);
	vmon_pic_write(&pic, 0x21, 0x01);
	vmon_pic_write(&pic, 0x21, 0xaa);
	return vmon_pic_read(&pic, 0x21) == 0xaa;
}

static bool test_priority(void)
{
	init(1, 1);
	pulse(5);
	pulse(1);
	if (vmon_pic_ack(&pic) != 0x31 || vmon_pic_intr(&pic))
		return false;
	pulse(0);	/* higher than what is in service */
	if (!vmon_pic_intr(&pic) || vmon_pic_ack(&pic) != 0x30)
		return false;
	vmon_pic_write(&pic, 0x20, 0x20);
	if (isr(0x20) != 0x02 || vmon_pic_intr(&pic))
		return false;
	vmon_pic_write(&pic, 0x20, 0x20);
	return vmon_pic_intr(&pic) && vmon_pic_ack(&pic) == 0x35;
}

static bool test_eoi_specific(void)
{
	init(1, 1);
	pulse(6);
	vmon_pic_ack(&pic);
	pulse(2 + 1);
	vmon_pic_ack(&pic);
	vmon_pic_write(&pic, 0x20, 0x66);
	if (isr(0x20) != 0x08)
		return false;
	vmon_pic_write(&pic, 0x20, 0x60);	/* not in service: nothing */
	vmon_pic_write(&pic, 0x20, 0x40);	/* no operation */
	return isr(0x20) == 0x08;
}

static bool test_mask(void)
{
	init(1, 1);
	vmon_pic_write(&pic, 0x21, 0x10);
	pulse(4);
	if (vmon_pic_intr(&pic) || irr(0x20) != 0x10 || !vmon_pic_masked(&pic, 4))
		return false;
	vmon_pic_write(&pic, 0x21, 0x00);
	if (!vmon_pic_intr(&pic) || vmon_pic_masked(&pic, 4))
		return false;
	vmon_pic_write(&pic, 0x21, 0x04);
	return vmon_pic_masked(&pic, 9) && !vmon_pic_masked(&pic, 1);
}

static bool test_special_mask(void)
{
	init(1, 1);
	pulse(1);
	vmon_pic_ack(&pic);
	pulse(5);
	if (vmon_pic_intr(&pic))
		return false;
	vmon_pic_write(&pic, 0x21, 0x02);
	vmon_pic_write(&pic, 0x20, 0x68);	/* set special mask mode */
	if (!vmon_pic_intr(&pic) || vmon_pic_ack(&pic) != 0x35)
		return false;
	/* A masked in-service bit is not ended by the nonspecific form. */
	vmon_pic_write(&pic, 0x20, 0x20);
	vmon_pic_write(&pic, 0x20, 0x20);
	if (isr(0x20) != 0x02)
		return false;
	pulse(6);
	vmon_pic_write(&pic, 0x20, 0x48);	/* reset it: 1 blocks again */
	return !vmon_pic_intr(&pic);
}

static bool test_aeoi(void)
{
	init(3, 3);
	pulse(3);
	if (vmon_pic_ack(&pic) != 0x33 || isr(0x20))
		return false;
	pulse(4);
	return vmon_pic_intr(&pic) && vmon_pic_ack(&pic) == 0x34;
}

static bool test_rotate(void)
{
	init(1, 1);
	pulse(4);
	vmon_pic_ack(&pic);
	vmon_pic_write(&pic, 0x20, 0xa0);	/* rotate on nonspecific EOI */
	pulse(4);
	pulse(0);
	pulse(6);
	if (vmon_pic_ack(&pic) != 0x36)
		return false;
	vmon_pic_write(&pic, 0x20, 0xe6);	/* rotate on specific EOI */
	if (isr(0x20) || vmon_pic_ack(&pic) != 0x30)
		return false;
	vmon_pic_write(&pic, 0x20, 0x20);
	if (vmon_pic_ack(&pic) != 0x34)
		return false;
	vmon_pic_write(&pic, 0x20, 0x20);
	vmon_pic_write(&pic, 0x20, 0xc3);	/* set priority: 4 first */
	pulse(3);
	pulse(4);
	return vmon_pic_ack(&pic) == 0x34;
}

static bool test_rotate_aeoi(void)
{
	init(3, 1);
	vmon_pic_write(&pic, 0x20, 0x80);
	pulse(0);
	pulse(1);
	if (vmon_pic_ack(&pic) != 0x30)
		return false;
	pulse(0);
	if (vmon_pic_ack(&pic) != 0x31 || vmon_pic_ack(&pic) != 0x30)
		return false;
	vmon_pic_write(&pic, 0x20, 0x00);	/* off */
	pulse(5);
	vmon_pic_ack(&pic);
	pulse(0);
	pulse(1);
	return vmon_pic_ack(&pic) == 0x31;	/* order stays: 1 first */
}

static bool test_cascade(void)
{
	init(1, 1);
	pulse(12);
	pulse(3);
	/* The slave ranks as input 2 of the master. */
	if (vmon_pic_ack(&pic) != 0x3c || isr(0x20) != 0x04 || isr(0xa0) != 0x10)
		return false;
	pulse(9);
	if (vmon_pic_intr(&pic))
		return false;	/* the master still serves input 2 */
	vmon_pic_write(&pic, 0xa0, 0x20);
	vmon_pic_write(&pic, 0x20, 0x62);
	return vmon_pic_intr(&pic) && vmon_pic_ack(&pic) == 0x39;
}

static bool test_cascade_two(void)
{
	init(1, 1);
	pulse(10);
	pulse(14);
	if (vmon_pic_ack(&pic) != 0x3a)
		return false;
	vmon_pic_write(&pic, 0xa0, 0x62);
	vmon_pic_write(&pic, 0x20, 0x62);
	if (!vmon_pic_intr(&pic) || vmon_pic_ack(&pic) != 0x3e)
		return false;
	/* Master ended first, then the slave. */
	pulse(15);
	vmon_pic_write(&pic, 0x20, 0x62);
	if (vmon_pic_intr(&pic))
		return false;
	vmon_pic_write(&pic, 0xa0, 0x66);
	return vmon_pic_intr(&pic) && vmon_pic_ack(&pic) == 0x3f;
}

static bool test_sfnm(void)
{
	init(0x11, 1);
	pulse(12);
	if (vmon_pic_ack(&pic) != 0x3c)
		return false;
	pulse(13);	/* lower within the slave */
	if (vmon_pic_intr(&pic))
		return false;
	pulse(8);	/* higher within the slave */
	return vmon_pic_intr(&pic) && vmon_pic_ack(&pic) == 0x38;
}

static bool test_spurious_master(void)
{
	init(1, 1);
	vmon_pic_set_line(&pic, 5, true);
	vmon_pic_set_line(&pic, 5, false);
	return !vmon_pic_intr(&pic) && vmon_pic_ack(&pic) == 0x37 && !isr(0x20);
}

static bool test_spurious_slave(void)
{
	init(1, 1);
	vmon_pic_write(&pic, 0x4d0, 0);
	pulse(10);
	/* Masked at the slave between request and acknowledge: master's input
	 * falls too, so the spurious vector is the master's.
	 */
	vmon_pic_write(&pic, 0xa1, 0xff);
	return !vmon_pic_intr(&pic) && vmon_pic_ack(&pic) == 0x37 &&
	       !isr(0x20) && !isr(0xa0);
}

static bool test_poll(void)
{
	init(1, 1);
	vmon_pic_write(&pic, 0x20, 0x0c);
	if (vmon_pic_read(&pic, 0x20) & 0x80)
		return false;
	pulse(6);
	vmon_pic_write(&pic, 0x20, 0x0c);
	if (vmon_pic_read(&pic, 0x20) != 0x86 || isr(0x20) != 0x40 ||
	    vmon_pic_intr(&pic))
		return false;
	vmon_pic_write(&pic, 0x20, 0x20);
	pulse(11);
	vmon_pic_write(&pic, 0x20, 0x0c);
	if (vmon_pic_read(&pic, 0x20) != 0x82)
		return false;
	vmon_pic_write(&pic, 0xa0, 0x0c);
	return vmon_pic_read(&pic, 0xa0) == 0x83 && isr(0xa0) == 0x08;
}

static bool test_edge(void)
{
	init(1, 1);
	vmon_pic_set_line(&pic, 4, true);
	vmon_pic_ack(&pic);
	vmon_pic_write(&pic, 0x20, 0x20);
	if (vmon_pic_intr(&pic))
		return false;	/* still high, but no edge */
	vmon_pic_set_line(&pic, 4, true);
	if (vmon_pic_intr(&pic))
		return false;
	pulse(4);
	return vmon_pic_intr(&pic) && vmon_pic_busy(&pic, 4);
}

static bool test_elcr_level(void)
{
	init(1, 1);
	vmon_pic_write(&pic, 0x4d0, 0xff);
	vmon_pic_write(&pic, 0x4d1, 0xff);
	if (vmon_pic_read(&pic, 0x4d0) != 0xf8 || vmon_pic_read(&pic, 0x4d1) != 0xde)
		return false;
	vmon_pic_set_line(&pic, 10, true);
	if (vmon_pic_ack(&pic) != 0x3a)
		return false;
	vmon_pic_write(&pic, 0xa0, 0x20);
	vmon_pic_write(&pic, 0x20, 0x20);
	if (!vmon_pic_intr(&pic) || vmon_pic_ack(&pic) != 0x3a)
		return false;	/* still high: again */
	vmon_pic_set_line(&pic, 10, false);
	vmon_pic_write(&pic, 0xa0, 0x20);
	vmon_pic_write(&pic, 0x20, 0x20);
	if (vmon_pic_intr(&pic))
		return false;
	/* A level that is high survives initialisation. */
	vmon_pic_set_line(&pic, 5, true);
	vmon_pic_write(&pic, 0x20, 0x11);
	vmon_pic_write(&pic, 0x21, 0x30);
	vmon_pic_write(&pic, 0x21, 0x04);
	vmon_pic_write(&pic, 0x21, 0x01);
	return vmon_pic_ack(&pic) == 0x35;
}

static bool test_set_trigger(void)
{
	static const u8 edge[] = { 0, 1, 2, 8, 13, 16, 255 };
	unsigned int i;

	init(1, 1);
	for (i = 0; i < ARRAY_SIZE(edge); i++)
		if (vmon_pic_set_trigger(&pic, edge[i], true))
			return false;
	if (vmon_pic_read(&pic, 0x4d0) || vmon_pic_read(&pic, 0x4d1))
		return false;
	/* A line that is up already asks at once, and again after its end of interrupt. */
	vmon_pic_set_line(&pic, 11, true);
	if (vmon_pic_ack(&pic) != 0x3b)
		return false;
	vmon_pic_write(&pic, 0xa0, 0x20);
	vmon_pic_write(&pic, 0x20, 0x20);
	if (vmon_pic_intr(&pic) || !vmon_pic_set_trigger(&pic, 11, true) ||
	    vmon_pic_read(&pic, 0x4d1) != 0x08 || vmon_pic_ack(&pic) != 0x3b)
		return false;
	vmon_pic_write(&pic, 0xa0, 0x20);
	vmon_pic_write(&pic, 0x20, 0x20);
	return vmon_pic_intr(&pic) && vmon_pic_set_trigger(&pic, 11, false) &&
	       !vmon_pic_read(&pic, 0x4d1);
}

static bool test_ports(void)
{
	static const u32 own[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	unsigned int port, i, n = 0;

	for (port = 0; port < 0x10000; port++)
		n += vmon_pic_owns_port(port);
	for (i = 0; i < 6; i++)
		if (!vmon_pic_owns_port(own[i]))
			return false;
	return n == 6;
}

/* Any sequence of operations keeps the output consistent with an acknowledge. */
static bool test_random(void)
{
	static const u32 port[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	u64 x = 88172645463325252ull;
	unsigned int i;

	init(1, 1);
	for (i = 0; i < 2000000; i++) {
		bool intr = vmon_pic_intr(&pic);
		u8 vector, in_service;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		switch (x & 3) {
		case 0:
			vmon_pic_set_line(&pic, (x >> 8) & 15, (x >> 16) & 1);
			break;
		case 1:
			vmon_pic_write(&pic, port[(x >> 8) % 6], x >> 32);
			break;
		case 2:
			vmon_pic_read(&pic, port[(x >> 8) % 6]);
			break;
		case 3:
			in_service = pic.chip[0].isr;
			vector = vmon_pic_ack(&pic);
			if (!intr && (vector != pic.chip[0].base + 7 ||
				      pic.chip[0].isr != in_service))
				return false;
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
		{ "nothing gets through after reset", test_reset },
		{ "initialisation sequence", test_init_sequence },
		{ "initialisation without ICW4", test_init_without_icw4 },
		{ "initialisation of a single chip", test_init_single },
		{ "priorities and nesting", test_priority },
		{ "specific end of interrupt", test_eoi_specific },
		{ "masks", test_mask },
		{ "special mask mode", test_special_mask },
		{ "automatic end of interrupt", test_aeoi },
		{ "rotation", test_rotate },
		{ "rotation with automatic end of interrupt", test_rotate_aeoi },
		{ "cascade", test_cascade },
		{ "two requests at the slave", test_cascade_two },
		{ "special fully nested mode", test_sfnm },
		{ "spurious interrupt at the master", test_spurious_master },
		{ "request withdrawn at the slave", test_spurious_slave },
		{ "poll", test_poll },
		{ "edge triggered inputs", test_edge },
		{ "level triggered inputs by ELCR", test_elcr_level },
		{ "trigger set as by firmware", test_set_trigger },
		{ "ports", test_ports },
		{ "random operations", test_random },
	};
	unsigned int i, n = ARRAY_SIZE(test);

	tap_plan(n);
	for (i = 0; i < n; i++)
		tap_ok(test[i].fn(), "%s", test[i].name);
	return tap_done();
}
