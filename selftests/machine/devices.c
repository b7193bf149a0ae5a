// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of the reference machine: the module's PIC and PIT, a 16550 without
 * timing, a clock chip, and the ports by which a guest resets itself.
 */
#include <string.h>

#include "machine.h"

#define COM1		0x3f8
#define COM1_IRQ	4

/* 16550 register bits (National Semiconductor PC16550D). */
#define IER_RX		0x01
#define IER_TX		0x02
#define LCR_DLAB	0x80
#define LSR_DR		0x01
#define LSR_TX_EMPTY	0x60
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10

static bool uart_ready(const struct machine_uart *u)
{
	return u->head != u->tail;
}

static u8 uart_iir(const struct machine_uart *u)
{
	u8 fifo = u->fcr & 1 ? 0xc0 : 0;

	if ((u->ier & IER_RX) && uart_ready(u))
		return fifo | 0x04;
	if ((u->ier & IER_TX) && u->thr_irq)
		return fifo | 0x02;
	return fifo | 0x01;
}

static void uart_irq(struct machine *m)
{
	vmon_pic_set_line(&m->pic, COM1_IRQ, !(uart_iir(&m->uart) & 1) &&
			  (m->uart.mcr & MCR_OUT2));
}

static u8 uart_msr(const struct machine_uart *u)
{
	if (!(u->mcr & MCR_LOOP))
		return 0xb0;	/* DCD, DSR, CTS */
	/* Loopback: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD. */
	return (u->mcr & 1) << 5 | (u->mcr & 2) << 3 | (u->mcr & 0x0c) << 4;
}

static u8 uart_read(struct machine *m, unsigned int reg)
{
	struct machine_uart *u = &m->uart;
	u8 val = 0;

	switch (reg) {
	case 0:
		if (u->lcr & LCR_DLAB)
			return u->dll;
		if (uart_ready(u))
			val = u->fifo[u->tail++ % sizeof(u->fifo)];
		break;
	case 1:
		return u->lcr & LCR_DLAB ? u->dlm : u->ier;
	case 2:
		val = uart_iir(u);
		if ((val & 0x0f) == 0x02)
			u->thr_irq = false;
		break;
	case 3:
		return u->lcr;
	case 4:
		return u->mcr;
	case 5:
		return LSR_TX_EMPTY | (uart_ready(u) ? LSR_DR : 0);
	case 6:
		return uart_msr(u);
	default:
		return u->scr;
	}
	uart_irq(m);
	return val;
}

static void uart_write(struct machine *m, unsigned int reg, u8 val)
{
	struct machine_uart *u = &m->uart;

	switch (reg) {
	case 0:
		if (u->lcr & LCR_DLAB) {
			u->dll = val;
			return;
		}
		if (!(u->mcr & MCR_LOOP)) {
			fputc(val, m->console);
			fflush(m->console);
		}
		u->thr_irq = true;
		break;
	case 1:
		if (u->lcr & LCR_DLAB) {
			u->dlm = val;
			return;
		}
		/* Enabling the transmitter interrupt raises it at once. */
		if (!(u->ier & IER_TX) && (val & IER_TX))
			u->thr_irq = true;
		u->ier = val & 15;
		break;
	case 2:
		u->fcr = val;
		break;
	case 3:
		u->lcr = val;
		break;
	case 4:
		u->mcr = val & 0x1f;
		break;
	case 7:
		u->scr = val;
		break;
	}
	uart_irq(m);
}

unsigned int devices_input_room(const struct machine *m)
{
	return sizeof(m->uart.fifo) - (m->uart.head - m->uart.tail);
}

void devices_input(struct machine *m, const u8 *buf, unsigned int len)
{
	while (len--)
		m->uart.fifo[m->uart.head++ % sizeof(m->uart.fifo)] = *buf++;
	uart_irq(m);
}

static u8 bcd(unsigned int n)
{
	return n / 10 << 4 | n % 10;
}

/* MC146818: the time is 2024-01-01 00:00 plus guest time, up to a day. */
static u8 cmos_read(struct machine *m)
{
	unsigned int sec = machine_now(m) / 1000000000ull;

	switch (m->cmos_index & 0x7f) {
	case 0x00:
		return bcd(sec % 60);
	case 0x02:
		return bcd(sec / 60 % 60);
	case 0x04:
		return bcd(sec / 3600 % 24);
	case 0x06:
		return 2;
	case 0x07:
	case 0x08:
		return 1;
	case 0x09:
		return 0x24;
	case 0x32:
		return 0x20;
	case 0x0a:
		return 0x26;
	case 0x0b:
		return 0x02;
	case 0x0d:
		return 0x80;
	default:
		return 0;
	}
}

static u8 read_byte(struct machine *m, u16 port)
{
	if (vmon_pic_owns_port(port))
		return vmon_pic_read(&m->pic, port);
	if (vmon_pit_owns_port(port))
		return vmon_pit_read(&m->pit, port, machine_now(m));
	if (port >= COM1 && port < COM1 + 8)
		return uart_read(m, port - COM1);
	if (port == 0x71)
		return cmos_read(m);
	return 0xff;
}

static void write_byte(struct machine *m, u16 port, u8 val)
{
	if (vmon_pic_owns_port(port))
		vmon_pic_write(&m->pic, port, val);
	else if (vmon_pit_owns_port(port))
		vmon_pit_write(&m->pit, port, val, machine_now(m));
	else if (port >= COM1 && port < COM1 + 8)
		uart_write(m, port - COM1, val);
	else if (port == 0x70)
		m->cmos_index = val;
	else if ((port == 0x64 && val == 0xfe) || (port == 0xcf9 && val & 4))
		m->stop = true;
}

u32 devices_in(struct machine *m, u16 port, unsigned int len)
{
	u32 val = 0;
	unsigned int i;

	for (i = 0; i < len; i++)
		val |= (u32)read_byte(m, port + i) << (8 * i);
	return val;
}

void devices_out(struct machine *m, u16 port, unsigned int len, u32 val)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		write_byte(m, port + i, val >> (8 * i));
}

/* Let time pass: the timer's output is a line of the PIC. */
void devices_update(struct machine *m)
{
	if (!vmon_pit_collect(&m->pit, machine_now(m)))
		return;
	vmon_pic_set_line(&m->pic, 0, false);
	vmon_pic_set_line(&m->pic, 0, true);
}

void devices_reset(struct machine *m)
{
	memset(&m->uart, 0, sizeof(m->uart));
	vmon_pic_reset(&m->pic);
	vmon_pit_reset(&m->pit, machine_now(m));
}
