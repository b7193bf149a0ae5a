/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first serial port of a PC: a 16550A at 3F8h, interrupt 4.
 */
#ifndef VMON_DEVICE_UART16550_H
#define VMON_DEVICE_UART16550_H

#include "device/device.h"

#define UART16550_PORT	0x3f8
#define UART16550_PORTS	8
#define UART16550_IRQ	4
#define UART16550_FIFO	16
#define UART16550_TX	1024	/* bytes gathered before they are passed on */

struct uart16550_state {
	u8 ier, fcr, lcr, mcr, lsr, msr, scr, dll, dlm;
	u8 thre;		/* transmitter-empty interrupt pending */
	u8 irq;			/* level of the interrupt line */
	u8 rx_head, rx_count;
	u8 rx[UART16550_FIFO];
};

/**
 * struct uart16550 - a serial port
 * @dev:	the device
 * @output:	takes what the guest sent
 * @s:		registers
 * @tx_len:	bytes in @tx, sent by the guest and not passed on yet
 * @tx:		transmit buffer
 */
struct uart16550 {
	struct device dev;
	void (*output)(struct uart16550 *uart, const u8 *data, size_t len);
	struct uart16550_state s;
	size_t tx_len;
	u8 tx[UART16550_TX];
};

void uart16550_init(struct uart16550 *uart, struct device_host *host,
		    void (*output)(struct uart16550 *, const u8 *, size_t));
size_t uart16550_room(const struct uart16550 *uart);
size_t uart16550_input(struct uart16550 *uart, const u8 *data, size_t len);

#endif /* VMON_DEVICE_UART16550_H */
