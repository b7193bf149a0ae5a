// SPDX-License-Identifier: GPL-2.0
/*
 * The 8042 keyboard controller (IBM PS/2 Hardware Interface Technical Reference).
 *
 * No keyboard and no mouse: the controller is whole, answers every command
 * at once, and reports each byte sent to a device as timed out (FEh with the
 * timeout bit), the way the chip does. A guest's driver so finds out in a few
 * port accesses, and does not poll for an answer that never comes.
 */
#include <errno.h>
#include <string.h>

#include "device/i8042.h"

#define STATE_VERSION	1

#define STATUS_OUTPUT	0x01
#define STATUS_SYSTEM	0x04
#define STATUS_COMMAND	0x08
#define STATUS_UNLOCKED	0x10
#define STATUS_AUX	0x20
#define STATUS_TIMEOUT	0x40

#define BYTE_IRQ_KBD	0x01
#define BYTE_IRQ_AUX	0x02
#define BYTE_SYSTEM	0x04
#define BYTE_NO_KBD	0x10
#define BYTE_NO_AUX	0x20
#define BYTE_TRANSLATE	0x40

#define PORT_NO_RESET	0x01
#define PORT_A20	0x02

#define IRQ_KBD		1
#define IRQ_AUX		12

#define ANSWER_RESEND	0xfe
#define ANSWER_SELFTEST	0x55
#define ANSWER_NO_PASSWORD 0xf1
#define ANSWER_LINE_STUCK 0x01

enum {
	CMD_READ_RAM = 0x20, CMD_READ_RAM_LAST = 0x3f,
	CMD_WRITE_RAM = 0x60, CMD_WRITE_RAM_LAST = 0x7f,
	CMD_PASSWORD = 0xa4, CMD_AUX_OFF = 0xa7, CMD_AUX_ON, CMD_AUX_TEST,
	CMD_SELFTEST, CMD_KBD_TEST, CMD_KBD_OFF = 0xad, CMD_KBD_ON,
	CMD_READ_INPUT = 0xc0, CMD_READ_OUTPUT = 0xd0, CMD_WRITE_OUTPUT,
	CMD_KBD_LOOP, CMD_AUX_LOOP, CMD_AUX_SEND,
	CMD_A20_OFF = 0xdd, CMD_A20_ON = 0xdf,
	CMD_PULSE = 0xf0,
};

static struct i8042 *to_kbc(struct device *dev)
{
	return container_of(dev, struct i8042, dev);
}

static void set_line(struct i8042 *kbc, u8 *level, unsigned int line, bool value)
{
	if (*level == value)
		return;
	*level = value;
	kbc->dev.host->irq(kbc->dev.host, line, value);
}

static void update_irq(struct i8042 *kbc)
{
	struct i8042_state *s = &kbc->s;
	bool full = s->status & STATUS_OUTPUT;
	bool aux = s->status & STATUS_AUX;

	set_line(kbc, &s->irq_kbd, IRQ_KBD,
		 full && !aux && (s->ram[0] & BYTE_IRQ_KBD));
	set_line(kbc, &s->irq_aux, IRQ_AUX,
		 full && aux && (s->ram[0] & BYTE_IRQ_AUX));
}

static void answer(struct i8042 *kbc, u8 value, u8 flags)
{
	struct i8042_state *s = &kbc->s;

	s->output = value;
	s->status &= ~(STATUS_AUX | STATUS_TIMEOUT);
	s->status |= STATUS_OUTPUT | flags;
	update_irq(kbc);
}

static void write_output_port(struct i8042 *kbc, u8 value)
{
	kbc->s.port = value | PORT_NO_RESET;
	if (!(value & PORT_NO_RESET))
		kbc->dev.host->end(kbc->dev.host, DEVICE_END_RESET, 0);
}

static void command(struct i8042 *kbc, u8 cmd)
{
	struct i8042_state *s = &kbc->s;

	s->status |= STATUS_COMMAND;
	s->command = 0;

	if (cmd >= CMD_PULSE) {
		/* A zero bit pulses its line: bit 0 is the reset line. */
		if (!(cmd & PORT_NO_RESET))
			kbc->dev.host->end(kbc->dev.host, DEVICE_END_RESET, 0);
		return;
	}
	if (cmd >= CMD_READ_RAM && cmd <= CMD_READ_RAM_LAST) {
		answer(kbc, s->ram[cmd - CMD_READ_RAM], 0);
		return;
	}
	if (cmd >= CMD_WRITE_RAM && cmd <= CMD_WRITE_RAM_LAST) {
		s->command = cmd;
		return;
	}

	switch (cmd) {
	case CMD_PASSWORD:
		answer(kbc, ANSWER_NO_PASSWORD, 0);
		break;
	case CMD_AUX_OFF:
		s->ram[0] |= BYTE_NO_AUX;
		break;
	case CMD_AUX_ON:
		s->ram[0] &= ~BYTE_NO_AUX;
		break;
	case CMD_AUX_TEST:
		/* Says that there is no mouse port. */
		answer(kbc, ANSWER_LINE_STUCK, 0);
		break;
	case CMD_SELFTEST:
		s->status |= STATUS_SYSTEM;
		answer(kbc, ANSWER_SELFTEST, 0);
		break;
	case CMD_KBD_TEST:
		answer(kbc, 0, 0);
		break;
	case CMD_KBD_OFF:
		s->ram[0] |= BYTE_NO_KBD;
		break;
	case CMD_KBD_ON:
		s->ram[0] &= ~BYTE_NO_KBD;
		break;
	case CMD_READ_INPUT:
		answer(kbc, 0x80, 0);	/* keyboard not inhibited */
		break;
	case CMD_READ_OUTPUT:
		answer(kbc, s->port, 0);
		break;
	case CMD_A20_OFF:
		s->port &= ~PORT_A20;
		break;
	case CMD_A20_ON:
		s->port |= PORT_A20;
		break;
	case CMD_WRITE_OUTPUT:
	case CMD_KBD_LOOP:
	case CMD_AUX_LOOP:
	case CMD_AUX_SEND:
		s->command = cmd;
		break;
	}
}

static void data(struct i8042 *kbc, u8 value)
{
	struct i8042_state *s = &kbc->s;
	u8 cmd = s->command;

	s->status &= ~STATUS_COMMAND;
	s->command = 0;

	if (cmd >= CMD_WRITE_RAM && cmd <= CMD_WRITE_RAM_LAST) {
		s->ram[cmd - CMD_WRITE_RAM] = value;
		if (cmd == CMD_WRITE_RAM) {
			s->status &= ~STATUS_SYSTEM;
			if (value & BYTE_SYSTEM)
				s->status |= STATUS_SYSTEM;
			update_irq(kbc);
		}
		return;
	}

	switch (cmd) {
	case CMD_WRITE_OUTPUT:
		write_output_port(kbc, value);
		break;
	case CMD_KBD_LOOP:
	case CMD_AUX_LOOP:
		/* Without a mouse port the byte comes back as the keyboard's. */
		answer(kbc, value, 0);
		break;
	case CMD_AUX_SEND:
		answer(kbc, ANSWER_RESEND, STATUS_AUX | STATUS_TIMEOUT);
		break;
	default:
		/* Sending to the keyboard also switches its clock on. */
		s->ram[0] &= ~BYTE_NO_KBD;
		answer(kbc, ANSWER_RESEND, STATUS_TIMEOUT);
		break;
	}
}

static u32 i8042_read(struct device *dev, u64 addr, unsigned int size)
{
	struct i8042 *kbc = to_kbc(dev);

	(void)size;
	if (addr == I8042_COMMAND)
		return kbc->s.status;

	kbc->s.status &= ~(STATUS_OUTPUT | STATUS_AUX | STATUS_TIMEOUT);
	update_irq(kbc);
	return kbc->s.output;
}

static void i8042_write(struct device *dev, u64 addr, unsigned int size, u32 value)
{
	(void)size;
	if (addr == I8042_COMMAND)
		command(to_kbc(dev), value);
	else
		data(to_kbc(dev), value);
}

static void i8042_reset(struct device *dev)
{
	struct i8042 *kbc = to_kbc(dev);
	struct i8042_state *s = &kbc->s;

	s->status = STATUS_UNLOCKED | STATUS_SYSTEM;
	s->output = 0;
	s->port = PORT_NO_RESET | PORT_A20;
	s->command = 0;
	memset(s->ram, 0, sizeof(s->ram));
	s->ram[0] = BYTE_IRQ_KBD | BYTE_SYSTEM | BYTE_NO_AUX | BYTE_TRANSLATE;
	update_irq(kbc);
}

static size_t i8042_save(const struct device *dev, void *buf, size_t size)
{
	const struct i8042 *kbc = container_of(dev, struct i8042, dev);

	return device_save_state(&kbc->s, sizeof(kbc->s), STATE_VERSION, buf, size);
}

static int i8042_restore(struct device *dev, const void *buf, size_t size)
{
	return device_restore_state(&to_kbc(dev)->s, sizeof(struct i8042_state),
				    STATE_VERSION, buf, size);
}

static const struct device_range i8042_ranges[] = {
	{ DEVICE_PORT, I8042_DATA, 1 },
	{ DEVICE_PORT, I8042_COMMAND, 1 },
};

static const struct device_ops i8042_ops = {
	.name = "i8042",
	.ranges = i8042_ranges,
	.n_ranges = ARRAY_SIZE(i8042_ranges),
	.width = 1,
	.read = i8042_read,
	.write = i8042_write,
	.reset = i8042_reset,
	.save = i8042_save,
	.restore = i8042_restore,
};

/**
 * i8042_init() - make a keyboard controller as the firmware leaves it
 * @kbc: to initialize
 * @host: the machine it is in
 */
void i8042_init(struct i8042 *kbc, struct device_host *host)
{
	memset(kbc, 0, sizeof(*kbc));
	kbc->dev.ops = &i8042_ops;
	kbc->dev.host = host;
	i8042_reset(&kbc->dev);
}
