// SPDX-License-Identifier: GPL-2.0
/*
 * The 16550A serial port (National Semiconductor PC16550D data sheet).
 *
 * The transmitter is infinitely fast, but not at once: bytes are gathered and
 * passed on when the guest looks (LSR or IIR) or when its queued accesses have
 * been handled. So a guest that writes 16 bytes costs one write to the console,
 * one fall and one rise of the interrupt line, and the line does make the edge
 * that an edge-triggered 8259 needs.
 *
 * Received bytes wait outside until the guest asserts RTS, as with hardware
 * flow control: a Linux guest clears the FIFO while it opens the port, and what
 * was typed before that would be lost.
 */
#include <errno.h>
#include <string.h>

#include "device/uart16550.h"

enum {
	REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR,
	REG_SCR,
};

#define IER_RDA		0x01	/* received data available */
#define IER_THRE	0x02	/* transmitter holding register empty */
#define IER_LINE	0x04	/* line status */
#define IER_MODEM	0x08	/* modem status */

#define IIR_NONE	0x01
#define IIR_MODEM	0x00
#define IIR_THRE	0x02
#define IIR_RDA		0x04
#define IIR_LINE	0x06
#define IIR_TIMEOUT	0x0c
#define IIR_FIFO	0xc0

#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02
#define FCR_CLEAR_TX	0x04
#define FCR_KEPT	0xc9

#define LCR_DLAB	0x80

#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08	/* on a PC: gates the interrupt line */
#define MCR_LOOP	0x10

#define LSR_DR		0x01
#define LSR_OE		0x02
#define LSR_ERRORS	0x1e
#define LSR_THRE	0x20
#define LSR_TEMT	0x40

#define MSR_TERI	0x04
#define MSR_DELTAS	0x0f
#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80

#define STATE_VERSION	1

static struct uart16550 *to_uart(struct device *dev)
{
	return container_of(dev, struct uart16550, dev);
}

static unsigned int fifo_size(const struct uart16550 *uart)
{
	return uart->s.fcr & FCR_ENABLE ? UART16550_FIFO : 1;
}

static unsigned int rx_trigger(const struct uart16550 *uart)
{
	static const u8 trigger[4] = { 1, 4, 8, 14 };

	return uart->s.fcr & FCR_ENABLE ? trigger[uart->s.fcr >> 6] : 1;
}

/* The highest-priority interrupt, PC16550D table III. */
static u8 interrupt_id(const struct uart16550 *uart)
{
	const struct uart16550_state *s = &uart->s;

	if ((s->ier & IER_LINE) && (s->lsr & LSR_ERRORS))
		return IIR_LINE;
	if ((s->ier & IER_RDA) && s->rx_count)
		return s->rx_count >= rx_trigger(uart) ? IIR_RDA : IIR_TIMEOUT;
	if ((s->ier & IER_THRE) && s->thre)
		return IIR_THRE;
	if ((s->ier & IER_MODEM) && (s->msr & MSR_DELTAS))
		return IIR_MODEM;
	return IIR_NONE;
}

static void update_irq(struct uart16550 *uart)
{
	struct uart16550_state *s = &uart->s;
	bool level = (s->mcr & MCR_OUT2) && !(s->mcr & MCR_LOOP) &&
		     interrupt_id(uart) != IIR_NONE;

	if (level == s->irq)
		return;
	s->irq = level;
	uart->dev.host->irq(uart->dev.host, UART16550_IRQ, level);
}

static void rx_push(struct uart16550 *uart, u8 byte)
{
	struct uart16550_state *s = &uart->s;

	if (s->rx_count >= fifo_size(uart)) {
		s->lsr |= LSR_OE;
		return;
	}
	s->rx[(s->rx_head + s->rx_count) % UART16550_FIFO] = byte;
	s->rx_count++;
	s->lsr |= LSR_DR;
}

static u8 rx_pop(struct uart16550 *uart)
{
	struct uart16550_state *s = &uart->s;
	u8 byte;

	if (!s->rx_count)
		return 0;
	byte = s->rx[s->rx_head];
	s->rx_head = (s->rx_head + 1) % UART16550_FIFO;
	if (!--s->rx_count)
		s->lsr &= ~LSR_DR;
	update_irq(uart);
	return byte;
}

static void rx_clear(struct uart16550 *uart)
{
	uart->s.rx_head = 0;
	uart->s.rx_count = 0;
	uart->s.lsr &= ~LSR_DR;
}

/* What was gathered leaves; the transmitter is empty again. */
static void transmit(struct uart16550 *uart)
{
	struct uart16550_state *s = &uart->s;
	size_t len = uart->tx_len;

	if (s->lsr & LSR_TEMT)
		return;
	uart->tx_len = 0;
	s->lsr |= LSR_THRE | LSR_TEMT;
	s->thre = 1;
	if (len)
		uart->output(uart, uart->tx, len);
	update_irq(uart);
}

static void send(struct uart16550 *uart, u8 byte)
{
	struct uart16550_state *s = &uart->s;

	s->thre = 0;
	s->lsr &= ~(LSR_THRE | LSR_TEMT);
	if (s->mcr & MCR_LOOP)
		rx_push(uart, byte);
	else
		uart->tx[uart->tx_len++] = byte;
	update_irq(uart);
	if (uart->tx_len == UART16550_TX)
		transmit(uart);
}

/* Modem status follows the modem control register in loopback. */
static void update_msr(struct uart16550 *uart)
{
	static const u8 loop[4][2] = {
		{ MCR_RTS, MSR_CTS }, { MCR_DTR, MSR_DSR },
		{ MCR_OUT1, MSR_RI }, { MCR_OUT2, MSR_DCD },
	};
	struct uart16550_state *s = &uart->s;
	u8 lines = MSR_CTS | MSR_DSR | MSR_DCD;
	u8 changed;
	unsigned int i;

	if (s->mcr & MCR_LOOP) {
		lines = 0;
		for (i = 0; i < ARRAY_SIZE(loop); i++)
			if (s->mcr & loop[i][0])
				lines |= loop[i][1];
	}
	changed = (lines ^ s->msr) & ~MSR_DELTAS;
	/* The ring indicator's delta is its trailing edge only. */
	if (lines & MSR_RI)
		changed &= ~MSR_RI;
	s->msr = lines | (s->msr & MSR_DELTAS) | changed >> 4;
}

static void write_fcr(struct uart16550 *uart, u8 value)
{
	bool toggled = (value ^ uart->s.fcr) & FCR_ENABLE;

	/* Without the enable bit the others are not programmed. */
	uart->s.fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
	if (toggled || ((value & FCR_ENABLE) && (value & FCR_CLEAR_RX)))
		rx_clear(uart);
	/* The transmitter has passed everything on already, or does now. */
	transmit(uart);
	update_irq(uart);
}

static void write_ier(struct uart16550 *uart, u8 value)
{
	struct uart16550_state *s = &uart->s;
	u8 old = s->ier;

	s->ier = value & 0x0f;
	if ((s->ier & ~old & IER_THRE) && (s->lsr & LSR_THRE))
		s->thre = 1;
	update_irq(uart);
}

static void uart_write(struct device *dev, u64 addr, unsigned int size, u32 data)
{
	struct uart16550 *uart = to_uart(dev);
	struct uart16550_state *s = &uart->s;

	(void)size;
	switch (addr - UART16550_PORT) {
	case REG_DATA:
		if (s->lcr & LCR_DLAB)
			s->dll = data;
		else
			send(uart, data);
		break;
	case REG_IER:
		if (s->lcr & LCR_DLAB)
			s->dlm = data;
		else
			write_ier(uart, data);
		break;
	case REG_IIR_FCR:
		write_fcr(uart, data);
		break;
	case REG_LCR:
		s->lcr = data;
		break;
	case REG_MCR:
		transmit(uart);
		s->mcr = data & 0x1f;
		update_msr(uart);
		update_irq(uart);
		break;
	case REG_SCR:
		s->scr = data;
		break;
	}
}

static u8 read_iir(struct uart16550 *uart)
{
	u8 id;

	transmit(uart);
	id = interrupt_id(uart);
	if (id == IIR_THRE) {
		uart->s.thre = 0;
		update_irq(uart);
	}
	return id | (uart->s.fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static u8 read_lsr(struct uart16550 *uart)
{
	u8 lsr;

	transmit(uart);
	lsr = uart->s.lsr;
	uart->s.lsr &= ~LSR_ERRORS;
	update_irq(uart);
	return lsr;
}

static u8 read_msr(struct uart16550 *uart)
{
	u8 msr = uart->s.msr;

	uart->s.msr &= ~MSR_DELTAS;
	update_irq(uart);
	return msr;
}

static u32 uart_read(struct device *dev, u64 addr, unsigned int size)
{
	struct uart16550 *uart = to_uart(dev);
	struct uart16550_state *s = &uart->s;

	(void)size;
	switch (addr - UART16550_PORT) {
	case REG_DATA:
		return s->lcr & LCR_DLAB ? s->dll : rx_pop(uart);
	case REG_IER:
		return s->lcr & LCR_DLAB ? s->dlm : s->ier;
	case REG_IIR_FCR:
		return read_iir(uart);
	case REG_LCR:
		return s->lcr;
	case REG_MCR:
		return s->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_msr(uart);
	default:
		return s->scr;
	}
}

static void uart_flush(struct device *dev)
{
	transmit(to_uart(dev));
}

static void uart_reset(struct device *dev)
{
	struct uart16550 *uart = to_uart(dev);
	u8 irq = uart->s.irq;

	transmit(uart);
	memset(&uart->s, 0, sizeof(uart->s));
	uart->s.irq = irq;
	uart->s.lsr = LSR_THRE | LSR_TEMT;
	uart->s.msr = MSR_CTS | MSR_DSR | MSR_DCD;
	uart->s.dll = 12;		/* 9600 baud */
	update_irq(uart);
}

static size_t uart_save(const struct device *dev, void *buf, size_t size)
{
	const struct uart16550 *uart = container_of(dev, struct uart16550, dev);

	return device_save_state(&uart->s, sizeof(uart->s), STATE_VERSION,
				 buf, size);
}

static int uart_restore(struct device *dev, const void *buf, size_t size)
{
	struct uart16550 *uart = to_uart(dev);
	struct uart16550_state s;
	int r;

	r = device_restore_state(&s, sizeof(s), STATE_VERSION, buf, size);
	if (r < 0)
		return r;
	if (s.rx_head >= UART16550_FIFO || s.rx_count > UART16550_FIFO)
		return -EINVAL;
	uart->s = s;
	uart->tx_len = 0;
	/* Gathered bytes are flushed before a save; finish an open one. */
	transmit(uart);
	return 0;
}

static const struct device_range uart_ranges[] = {
	{ DEVICE_PORT, UART16550_PORT, UART16550_PORTS },
};

static const struct device_ops uart_ops = {
	.name = "uart16550",
	.ranges = uart_ranges,
	.n_ranges = ARRAY_SIZE(uart_ranges),
	.width = 1,
	.read = uart_read,
	.write = uart_write,
	.reset = uart_reset,
	.flush = uart_flush,
	.save = uart_save,
	.restore = uart_restore,
};

/**
 * uart16550_init() - make a serial port in its reset state
 * @uart: to initialize
 * @host: the machine it is in
 * @output: takes what the guest sends
 */
void uart16550_init(struct uart16550 *uart, struct device_host *host,
		    void (*output)(struct uart16550 *, const u8 *, size_t))
{
	memset(uart, 0, sizeof(*uart));
	uart->dev.ops = &uart_ops;
	uart->dev.host = host;
	uart->output = output;
	uart->s.lsr = LSR_THRE | LSR_TEMT;
	uart_reset(&uart->dev);
}

/**
 * uart16550_room() - how much the receiver would take now
 * @uart: serial port
 *
 * Return: bytes; 0 while the guest does not assert RTS or is in loopback.
 */
size_t uart16550_room(const struct uart16550 *uart)
{
	if (!(uart->s.mcr & MCR_RTS) || (uart->s.mcr & MCR_LOOP))
		return 0;
	if (uart->s.rx_count >= fifo_size(uart))
		return 0;
	return fifo_size(uart) - uart->s.rx_count;
}

/**
 * uart16550_input() - give the guest bytes from the line
 * @uart: serial port
 * @data: bytes
 * @len: how many
 *
 * Return: how many were taken, at most uart16550_room().
 */
size_t uart16550_input(struct uart16550 *uart, const u8 *data, size_t len)
{
	size_t room = uart16550_room(uart);
	size_t i;

	if (len > room)
		len = room;
	for (i = 0; i < len; i++)
		rx_push(uart, data[i]);
	if (len)
		update_irq(uart);
	return len;
}
