// SPDX-License-Identifier: GPL-2.0
/*
 * The 8259A pair: priority resolution, command words, acknowledge cycles.
 *
 * Everything is derived from three registers a chip (IRR, ISR, IMR) by one
 * function, winner(). After every change settle() carries the slave's output
 * into the master and the master's into pic->intr.
 */
#include <linux/types.h>
#include <linux/bitops.h>
#include "irqchip/pic.h"

#define ICW1_INIT	0x10
#define ICW1_IC4	0x01
#define ICW1_SNGL	0x02
#define ICW4_AEOI	0x02
#define ICW4_SFNM	0x10
#define OCW3_SELECT	0x08
#define OCW3_RIS	0x01
#define OCW3_RR		0x02
#define OCW3_POLL	0x04
#define OCW3_SMM	0x20
#define OCW3_ESMM	0x40

/* Timer, keyboard, cascade, clock and coprocessor are edge triggered, always. */
static const u8 elcr_writable[2] = { 0xf8, 0xde };

/* Steps in falling priority from the top: 0 for the highest. */
static unsigned int rank(const struct vmon_pic_chip *c, unsigned int input)
{
	return (input - c->lowest - 1) & 7;
}

/* The input of highest priority among @set, -1 for none. */
static int highest(const struct vmon_pic_chip *c, u8 set)
{
	unsigned int i;

	for (i = 1; i <= 8; i++) {
		unsigned int input = (c->lowest + i) & 7;

		if (set & BIT(input))
			return input;
	}
	return -1;
}

/* In-service bits that hold back others: in special mask mode not the masked. */
static u8 in_service(const struct vmon_pic_chip *c)
{
	return c->smm ? c->isr & ~c->imr : c->isr;
}

/*
 * The input whose request goes to the output, -1 for none: it must rank before
 * everything in service. In special fully nested mode the slave may interrupt
 * its own service.
 */
static int winner(const struct vmon_pic_chip *c)
{
	int req = highest(c, c->irr & ~c->imr);
	int isr = highest(c, in_service(c));

	if (req < 0 || c->step)
		return -1;
	if (isr < 0 || rank(c, req) < rank(c, isr))
		return req;
	if (c->sfnm && req == isr && req == VMON_PIC_CASCADE)
		return req;
	return -1;
}

static void set_input(struct vmon_pic_chip *c, unsigned int input, bool level)
{
	u8 bit = BIT(input);

	/* A request that goes away before it is acknowledged is gone. */
	if (!level)
		c->irr &= ~bit;
	else if ((c->elcr & bit) || !(c->line & bit))
		c->irr |= bit;
	c->line = level ? c->line | bit : c->line & ~bit;
}

static void settle(struct vmon_pic *pic)
{
	set_input(&pic->chip[0], VMON_PIC_CASCADE, winner(&pic->chip[1]) >= 0);
	WRITE_ONCE(pic->intr, winner(&pic->chip[0]) >= 0);
}

void vmon_pic_reset(struct vmon_pic *pic)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		pic->chip[i] = (struct vmon_pic_chip) {
			.imr = 0xff, .lowest = 7, .line = pic->chip[i].line,
		};
	settle(pic);
}

void vmon_pic_set_line(struct vmon_pic *pic, unsigned int line, bool level)
{
	if (line >= VMON_PIC_LINES || line == VMON_PIC_CASCADE)
		return;
	set_input(&pic->chip[line >> 3], line & 7, level);
	settle(pic);
}

/* An input is acknowledged: request to service. */
static void serve(struct vmon_pic_chip *c, unsigned int input)
{
	u8 bit = BIT(input);

	if (!(c->elcr & bit))
		c->irr &= ~bit;
	if (!c->aeoi)
		c->isr |= bit;
	else if (c->rotate_aeoi)
		c->lowest = input;
}

/* The slave withdraws its request during the acknowledge cycle. */
static void serve_slave(struct vmon_pic *pic, unsigned int input)
{
	serve(&pic->chip[1], input);
	set_input(&pic->chip[0], VMON_PIC_CASCADE, false);
}

u8 vmon_pic_ack(struct vmon_pic *pic)
{
	struct vmon_pic_chip *m = &pic->chip[0], *s = &pic->chip[1];
	int input = winner(m);
	u8 vector;

	if (input < 0)
		return m->base + 7;
	serve(m, input);
	vector = m->base + input;
	if (input == VMON_PIC_CASCADE && !m->single) {
		int slave = winner(s);

		vector = s->base + (slave < 0 ? 7 : slave);
		if (slave >= 0)
			serve_slave(pic, slave);
	}
	settle(pic);
	return vector;
}

/* ICW1: data sheet, "Initialization command words", a to f. */
static void icw1(struct vmon_pic_chip *c, u8 val)
{
	c->imr = 0;
	c->isr = 0;
	c->irr = c->line & c->elcr;
	c->lowest = 7;
	c->smm = false;
	c->poll = false;
	c->read_isr = false;
	c->rotate_aeoi = false;
	c->aeoi = false;
	c->sfnm = false;
	c->icw4 = val & ICW1_IC4;
	c->single = val & ICW1_SNGL;
	c->step = 2;
}

/* OCW2: rotate (R), specific (SL), end of interrupt (EOI). */
static void ocw2(struct vmon_pic_chip *c, u8 val)
{
	bool rotate = val & 0x80, specific = val & 0x40, eoi = val & 0x20;
	int input = specific ? val & 7 : highest(c, in_service(c));

	if (eoi) {
		if (input < 0)
			return;
		c->isr &= ~BIT(input);
		if (rotate)
			c->lowest = input;
	} else if (specific) {
		if (rotate)
			c->lowest = input;
	} else {
		c->rotate_aeoi = rotate;
	}
}

static void ocw3(struct vmon_pic_chip *c, u8 val)
{
	if (val & OCW3_POLL)
		c->poll = true;
	if (val & OCW3_RR)
		c->read_isr = val & OCW3_RIS;
	if (val & OCW3_ESMM)
		c->smm = val & OCW3_SMM;
}

/* Odd port: OCW1, or the ICW that is expected. */
static void write_data(struct vmon_pic_chip *c, u8 val)
{
	switch (c->step) {
	case 2:
		c->base = val & 0xf8;
		c->step = !c->single ? 3 : c->icw4 ? 4 : 0;
		break;
	case 3:		/* ICW3: the wiring is fixed */
		c->step = c->icw4 ? 4 : 0;
		break;
	case 4:
		c->aeoi = val & ICW4_AEOI;
		c->sfnm = val & ICW4_SFNM;
		c->step = 0;
		break;
	default:
		c->imr = val;
	}
}

static void write_elcr(struct vmon_pic_chip *c, u8 val)
{
	c->elcr = val;
	/* What is level triggered now follows its line. */
	c->irr = (c->irr & ~val) | (c->line & val);
}

bool vmon_pic_set_trigger(struct vmon_pic *pic, unsigned int line, bool level)
{
	struct vmon_pic_chip *c = &pic->chip[line >> 3 & 1];
	u8 bit = BIT(line & 7);

	if (line >= VMON_PIC_LINES || !(elcr_writable[line >> 3] & bit))
		return false;
	write_elcr(c, level ? c->elcr | bit : c->elcr & ~bit);
	settle(pic);
	return true;
}

bool vmon_pic_owns_port(u32 port)
{
	return (port & ~0x81u) == 0x20 || (port & ~1u) == 0x4d0;
}

static unsigned int chip_of(u32 port)
{
	return (port >= 0x4d0 ? port : port >> 7) & 1;
}

void vmon_pic_write(struct vmon_pic *pic, u32 port, u8 val)
{
	unsigned int i = chip_of(port);
	struct vmon_pic_chip *c = &pic->chip[i];

	if (port >= 0x4d0)
		write_elcr(c, val & elcr_writable[i]);
	else if (port & 1)
		write_data(c, val);
	else if (val & ICW1_INIT)
		icw1(c, val);
	else if (val & OCW3_SELECT)
		ocw3(c, val);
	else
		ocw2(c, val);
	settle(pic);
}

/* Poll: the read is the acknowledge; bit 7 says whether there was a request. */
static u8 poll(struct vmon_pic *pic, unsigned int i)
{
	struct vmon_pic_chip *c = &pic->chip[i];
	int input = winner(c);

	c->poll = false;
	if (input < 0)
		return 0x07;
	if (i)
		serve_slave(pic, input);
	else
		serve(c, input);
	settle(pic);
	return 0x80 | input;
}

u8 vmon_pic_read(struct vmon_pic *pic, u32 port)
{
	unsigned int i = chip_of(port);
	struct vmon_pic_chip *c = &pic->chip[i];

	if (port >= 0x4d0)
		return c->elcr;
	if (c->poll)
		return poll(pic, i);
	if (port & 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

bool vmon_pic_busy(const struct vmon_pic *pic, unsigned int line)
{
	const struct vmon_pic_chip *c = &pic->chip[(line >> 3) & 1];

	return (c->irr | c->isr) & BIT(line & 7);
}

bool vmon_pic_masked(const struct vmon_pic *pic, unsigned int line)
{
	if (line >= 8 && (pic->chip[0].imr & BIT(VMON_PIC_CASCADE)))
		return true;
	return pic->chip[(line >> 3) & 1].imr & BIT(line & 7);
}
