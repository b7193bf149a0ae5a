/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pair of 8259A interrupt controllers of a PC/AT.
 *
 * Pure state machine: lines in, one INTR output and vectors out. The caller
 * serialises all calls but vmon_pic_intr(), which may be asked at any time.
 *
 * Source: Intel 8259A data sheet (231468-003); ELCR: Intel 82371SB data sheet,
 * 4.2.6.
 */
#ifndef VMON_IRQCHIP_PIC_H
#define VMON_IRQCHIP_PIC_H

#include <linux/types.h>
#include <linux/compiler.h>

#define VMON_PIC_LINES		16
#define VMON_PIC_CASCADE	2	/* the slave's output is this line of the master */

/**
 * struct vmon_pic_chip - one 8259A
 * @line:	levels of the eight inputs
 * @irr:	requests: edges not yet acknowledged, levels that are high
 * @isr:	in service
 * @imr:	mask (OCW1)
 * @elcr:	1: level triggered
 * @base:	vector base (ICW2)
 * @lowest:	the input of lowest priority: 7 unless rotated
 * @step:	initialisation: the ICW expected next at the odd port (2..4), or 0
 * @icw4:	ICW1 announced an ICW4
 * @single:	ICW1: no cascade, no ICW3
 * @aeoi:	ICW4: automatic end of interrupt
 * @rotate_aeoi: rotate on automatic end of interrupt
 * @sfnm:	ICW4: special fully nested mode
 * @smm:	OCW3: special mask mode
 * @read_isr:	OCW3: the even port shows ISR, else IRR
 * @poll:	OCW3: the next read is a poll
 */
struct vmon_pic_chip {
	u8 line;
	u8 irr;
	u8 isr;
	u8 imr;
	u8 elcr;
	u8 base;
	u8 lowest;
	u8 step;
	bool icw4;
	bool single;
	bool aeoi;
	bool rotate_aeoi;
	bool sfnm;
	bool smm;
	bool read_isr;
	bool poll;
};

/* chip[0] is the master. @intr is the output to the CPU. */
struct vmon_pic {
	struct vmon_pic_chip chip[2];
	bool intr;
};

/* Power-on state: nothing initialised, so nothing gets through. */
void vmon_pic_reset(struct vmon_pic *pic);

/**
 * vmon_pic_set_line() - set the level of an input
 * @pic:	controllers
 * @line:	0..15; 2 is the cascade and is ignored
 * @level:	new level
 */
void vmon_pic_set_line(struct vmon_pic *pic, unsigned int line, bool level);

/**
 * vmon_pic_set_trigger() - what firmware does to the ELCR for one line
 * @pic:	controllers
 * @line:	0..15
 * @level:	level triggered, else edge triggered
 *
 * Return: false if the line is edge triggered, always.
 */
bool vmon_pic_set_trigger(struct vmon_pic *pic, unsigned int line, bool level);

/* Ports 20h, 21h, A0h, A1h, 4D0h, 4D1h. */
bool vmon_pic_owns_port(u32 port);
void vmon_pic_write(struct vmon_pic *pic, u32 port, u8 val);
u8 vmon_pic_read(struct vmon_pic *pic, u32 port);

/**
 * vmon_pic_ack() - the CPU's interrupt acknowledge cycle
 *
 * Return: the vector. When the request has gone meanwhile, the spurious one
 * (input 7), without its in-service bit.
 */
u8 vmon_pic_ack(struct vmon_pic *pic);

/* The last interrupt of @line is still requested or in service. */
bool vmon_pic_busy(const struct vmon_pic *pic, unsigned int line);

/* @line is masked, by its own chip or at the cascade. */
bool vmon_pic_masked(const struct vmon_pic *pic, unsigned int line);

/* The INTR output. No lock needed. */
static inline bool vmon_pic_intr(const struct vmon_pic *pic)
{
	return READ_ONCE(pic->intr);
}

#endif /* VMON_IRQCHIP_PIC_H */
