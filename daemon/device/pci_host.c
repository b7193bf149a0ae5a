// SPDX-License-Identifier: GPL-2.0
/*
 * PCI host bridge: configuration mechanism #1, base addresses, interrupt lines
 * (PCI Local Bus Specification 3.0, 3.2.2.3.2; the bridge is an 82441FX by name).
 *
 * The bridge claims all ports from 1000h on and all memory between RAM and the
 * APICs' place for the bus, once and for all, and looks a function up at each
 * access. So a guest may move a base address and use the new one with the next
 * instruction, although its writes are posted and come here later.
 *
 * INTA of a slot goes to one of four lines of the 8259s, by slot number. The lines
 * are level triggered, and shared: up while any function on them asks. Line 9 is not
 * among them, it is ACPI's. No BIOS runs, so the line register is preset; writing it
 * changes no wire.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/pci_host.h"

#define ADDRESS_ENABLE	0x80000000u
#define ADDRESS_BITS	0x80fffffcu

#define FIRST_PORT	0xc000u

#define STATE_VERSION	1

static const u8 lines[4] = { 10, 11, 7, 5 };

static struct pci_host *to_host(struct device *dev)
{
	return container_of(dev, struct pci_host, dev);
}

/* The function that the address register selects, or NULL. */
static struct pci_function *selected(const struct pci_host *pci)
{
	u32 address = pci->s.address;

	/* Bus 0, function 0. */
	if (!(address & ADDRESS_ENABLE) || (address & 0x00ff0700))
		return NULL;
	return pci->slot[address >> 11 & 31];
}

static u8 line_of(const struct pci_function *fn)
{
	return lines[fn->slot % ARRAY_SIZE(lines)];
}

static bool asks(const struct pci_function *fn)
{
	return fn->irq && !(pci_get(fn->config + PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF);
}

/* Bring the line that @fn shares up to date. */
static void update_line(struct pci_host *pci, const struct pci_function *fn)
{
	bool level = false;
	unsigned int i;

	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i] && line_of(pci->slot[i]) == line_of(fn))
			level |= asks(pci->slot[i]);
	pci->dev.host->irq(pci->dev.host, line_of(fn), level);
}

/**
 * pci_set_irq() - a function asks for an interrupt, or does so no more
 * @fn: plugged function with a pin
 * @level: whether it asks
 */
void pci_set_irq(struct pci_function *fn, bool level)
{
	if (fn->irq == level)
		return;
	fn->irq = level;
	update_line(fn->host, fn);
}

/* The lines of the 8259s that must be level triggered, as bits. */
u16 pci_host_lines(void)
{
	u16 set = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++)
		set |= 1u << lines[i];
	return set;
}

/**
 * pci_host_describe() - what firmware would have to tell about a bus
 * @pci: bus, all functions plugged
 * @p: gets the bus
 */
void pci_host_describe(const struct pci_host *pci, struct platform *p)
{
	unsigned int i;

	p->pci = true;
	p->pci_config = PCI_CONFIG_ADDRESS;
	p->pci_ports = PCI_PORTS_BASE;
	p->pci_ports_size = PCI_PORTS_SIZE;
	p->pci_memory = PCI_MEMORY_BASE;
	p->pci_memory_size = PCI_MEMORY_SIZE;
	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i] && pci->slot[i]->preset[PCI_PIN])
			p->pci_line[i] = line_of(pci->slot[i]);
}

static struct pci_function *at(struct pci_host *pci, u64 addr, unsigned int size,
			       unsigned int *bar, u32 *offset)
{
	enum device_space space = addr < 0x10000 ? DEVICE_PORT : DEVICE_MMIO;
	unsigned int i;

	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i] && pci_bar_at(pci->slot[i], space, addr, size, bar, offset))
			return pci->slot[i];
	return NULL;
}

static u32 pci_host_read(struct device *dev, u64 addr, unsigned int size)
{
	struct pci_host *pci = to_host(dev);
	struct pci_function *fn;
	unsigned int bar;
	u32 offset;

	if (addr == PCI_CONFIG_ADDRESS && size == 4)
		return pci->s.address;
	if (addr == PCI_RESET_CONTROL && size == 1)
		return pci->s.reset_control;
	if (addr >= PCI_CONFIG_DATA && addr < PCI_CONFIG_DATA + 4) {
		fn = selected(pci);
		return fn ? pci_config_read(fn, (pci->s.address & 0xfc) + (addr & 3), size) :
			    0xffffffffu;
	}
	fn = at(pci, addr, size, &bar, &offset);
	return fn && fn->ops->bar_read ? fn->ops->bar_read(fn, bar, offset, size) : 0xffffffffu;
}

static void config_write(struct pci_host *pci, u32 reg, unsigned int size, u32 data)
{
	struct pci_function *fn = selected(pci);

	if (!fn)
		return;
	pci_config_write(fn, reg, size, data);
	/* INTx may be switched off or on. */
	if (fn->irq && reg < PCI_STATUS && reg + size > PCI_COMMAND)
		update_line(pci, fn);
}

static void pci_host_write(struct device *dev, u64 addr, unsigned int size, u32 data)
{
	struct pci_host *pci = to_host(dev);
	struct pci_function *fn;
	unsigned int bar;
	u32 offset;

	if (addr == PCI_CONFIG_ADDRESS && size == 4) {
		pci->s.address = data & ADDRESS_BITS;
	} else if (addr == PCI_RESET_CONTROL && size == 1) {
		if (data & ~pci->s.reset_control & PCI_RESET_CPU)
			dev->host->end(dev->host, DEVICE_END_RESET, 0);
		pci->s.reset_control = data & ~PCI_RESET_CPU;
	} else if (addr >= PCI_CONFIG_DATA && addr < PCI_CONFIG_DATA + 4) {
		config_write(pci, (pci->s.address & 0xfc) + (addr & 3), size, data);
	} else {
		fn = at(pci, addr, size, &bar, &offset);
		if (fn && fn->ops->bar_write)
			fn->ops->bar_write(fn, bar, offset, size, data);
	}
}

static void pci_host_reset(struct device *dev)
{
	struct pci_host *pci = to_host(dev);
	unsigned int i;

	memset(&pci->s, 0, sizeof(pci->s));
	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i])
			pci_reset(pci->slot[i]);
}

static void pci_host_flush(struct device *dev)
{
	struct pci_host *pci = to_host(dev);
	unsigned int i;

	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i] && pci->slot[i]->ops->flush)
			pci->slot[i]->ops->flush(pci->slot[i]);
}

static u64 pci_host_deadline(struct device *dev)
{
	struct pci_host *pci = to_host(dev);
	u64 first = 0, due;
	unsigned int i;

	for (i = 0; i < PCI_SLOTS; i++) {
		if (!pci->slot[i] || !pci->slot[i]->ops->deadline)
			continue;
		due = pci->slot[i]->ops->deadline(pci->slot[i]);
		if (due && (!first || due < first))
			first = due;
	}
	return first;
}

static void pci_host_tick(struct device *dev)
{
	struct pci_host *pci = to_host(dev);
	unsigned int i;

	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i] && pci->slot[i]->ops->tick)
			pci->slot[i]->ops->tick(pci->slot[i]);
}

static bool pci_host_busy(struct device *dev)
{
	struct pci_host *pci = to_host(dev);
	unsigned int i;

	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i] && pci->slot[i]->ops->busy &&
		    pci->slot[i]->ops->busy(pci->slot[i]))
			return true;
	return false;
}

/*
 * Saved: the bridge's registers; then for each slot in use its configuration space, the
 * size of what its function saves, and that.
 */
struct saved_head {
	u32 version;
	u32 slots;		/* in use, as bits */
	struct pci_host_state s;
};

struct saved_slot {
	u8 config[PCI_CONFIG_SIZE];
	u32 size;
};

static u32 slots_in_use(const struct pci_host *pci)
{
	u32 set = 0;
	unsigned int i;

	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i])
			set |= 1u << i;
	return set;
}

static void append(void *buf, size_t size, size_t *pos, const void *data, size_t len)
{
	if (*pos + len <= size)
		memcpy((char *)buf + *pos, data, len);
	*pos += len;
}

static size_t pci_host_save(const struct device *dev, void *buf, size_t size)
{
	const struct pci_host *pci = container_of(dev, struct pci_host, dev);
	struct saved_head head = { .version = STATE_VERSION, .slots = slots_in_use(pci),
				   .s = pci->s };
	size_t pos = 0;
	unsigned int i;

	append(buf, size, &pos, &head, sizeof(head));
	for (i = 0; i < PCI_SLOTS; i++) {
		const struct pci_function *fn = pci->slot[i];
		struct saved_slot slot = { .size = 0 };

		if (!fn)
			continue;
		memcpy(slot.config, fn->config, sizeof(slot.config));
		if (fn->ops->save)
			slot.size = fn->ops->save(fn, NULL, 0);
		append(buf, size, &pos, &slot, sizeof(slot));
		if (slot.size && pos + slot.size <= size)
			(void)fn->ops->save(fn, (char *)buf + pos, slot.size);
		pos += slot.size;
	}
	return pos;
}

/* Is this a whole saved state of these functions? */
static bool plausible(const struct pci_host *pci, const char *buf, size_t size)
{
	struct saved_slot slot;
	struct saved_head head;
	size_t pos = sizeof(head);
	unsigned int i;

	if (size < sizeof(head))
		return false;
	memcpy(&head, buf, sizeof(head));
	if (head.version != STATE_VERSION || head.slots != slots_in_use(pci) ||
	    (head.s.address & ~ADDRESS_BITS))
		return false;
	for (i = 0; i < PCI_SLOTS; i++) {
		const struct pci_function *fn = pci->slot[i];

		if (!fn)
			continue;
		if (size - pos < sizeof(slot))
			return false;
		memcpy(&slot, buf + pos, sizeof(slot));
		pos += sizeof(slot);
		if (slot.size > size - pos ||
		    slot.size != (fn->ops->save ? fn->ops->save(fn, NULL, 0) : 0))
			return false;
		pos += slot.size;
	}
	return pos == size;
}

/* Take over a plausible state. Return: 0, or what a function says to its part. */
static int take_over(struct pci_host *pci, const char *buf)
{
	struct saved_slot slot;
	struct saved_head head;
	unsigned int i, j;
	int r = 0;

	memcpy(&head, buf, sizeof(head));
	buf += sizeof(head);
	pci->s = head.s;
	for (i = 0; i < PCI_SLOTS && r >= 0; i++) {
		struct pci_function *fn = pci->slot[i];

		if (!fn)
			continue;
		memcpy(&slot, buf, sizeof(slot));
		buf += sizeof(slot);
		/* What the guest cannot write is this machine's. */
		for (j = 0; j < PCI_CONFIG_SIZE; j++)
			fn->config[j] = (fn->preset[j] & ~fn->writable[j]) |
					(slot.config[j] & fn->writable[j]);
		if (slot.size)
			r = fn->ops->restore(fn, buf, slot.size);
		buf += slot.size;
		update_line(pci, fn);
	}
	return r;
}

static int pci_host_restore(struct device *dev, const void *buf, size_t size)
{
	struct pci_host *pci = to_host(dev);
	char *old;
	int r;

	if (!plausible(pci, buf, size))
		return -EINVAL;
	old = malloc(size);
	if (!old)
		return -ENOMEM;
	(void)pci_host_save(dev, old, size);
	r = take_over(pci, buf);
	if (r < 0)
		(void)take_over(pci, old);
	free(old);
	return r;
}

static const struct device_range pci_host_ranges[] = {
	{ DEVICE_PORT, PCI_CONFIG_ADDRESS, 8 },
	{ DEVICE_PORT, PCI_PORTS_BASE, PCI_PORTS_SIZE },
	{ DEVICE_MMIO, PCI_MEMORY_BASE, PCI_MEMORY_SIZE },
};

static const struct device_ops pci_host_ops = {
	.name = "pci_host",
	.ranges = pci_host_ranges,
	.n_ranges = ARRAY_SIZE(pci_host_ranges),
	.width = 4,
	.read = pci_host_read,
	.write = pci_host_write,
	.reset = pci_host_reset,
	.flush = pci_host_flush,
	.deadline = pci_host_deadline,
	.tick = pci_host_tick,
	.busy = pci_host_busy,
	.save = pci_host_save,
	.restore = pci_host_restore,
};

/* The bridge itself has nothing but a header. */
static const struct pci_function_ops bridge_ops = { .name = "host bridge" };

/**
 * pci_host_init() - make a bus with nothing but its bridge
 * @pci: to initialize
 * @host: the machine it is in
 */
void pci_host_init(struct pci_host *pci, struct device_host *host)
{
	static const struct pci_ids ids = {
		.vendor = 0x8086, .device = 0x1237, .class = 0x0600, .revision = 2,
	};

	memset(pci, 0, sizeof(*pci));
	pci->dev.ops = &pci_host_ops;
	pci->dev.host = host;
	pci->next_port = FIRST_PORT;
	pci->next_memory = PCI_MEMORY_BASE;
	pci_init(&pci->bridge, &bridge_ops, &ids);
	pci->bridge.host = pci;
	pci->slot[0] = &pci->bridge;
}

/* Round up to a multiple of a power of two. */
static u32 align(u32 value, u32 size)
{
	return (value + size - 1) & ~(size - 1);
}

/* What a BIOS does: addresses, interrupt line, decoding on. */
static void set_up(struct pci_host *pci, struct pci_function *fn)
{
	u16 command = 0;
	unsigned int i;

	for (i = 0; i < PCI_BARS; i++) {
		u8 *bar = fn->preset + PCI_BAR(i);
		bool io = *bar & PCI_BAR_IO;
		u32 *next = io ? &pci->next_port : &pci->next_memory;

		if (!fn->bar_size[i])
			continue;
		*next = align(*next, fn->bar_size[i]);
		pci_put(bar, 4, *next | *bar);
		*next += fn->bar_size[i];
		command |= io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	}
	pci_put(fn->preset + PCI_COMMAND, 2, command);
	fn->preset[PCI_PIN] = 1;
	fn->preset[PCI_LINE] = line_of(fn);
	memcpy(fn->config, fn->preset, sizeof(fn->config));
}

/**
 * pci_plug() - put a function into the next free slot
 * @pci: bus
 * @fn: complete function; it has INTA
 *
 * Return: 0 or -ENOSPC.
 */
int pci_plug(struct pci_host *pci, struct pci_function *fn)
{
	unsigned int i;

	for (i = 1; i < PCI_SLOTS && pci->slot[i]; i++)
		;
	if (i == PCI_SLOTS)
		return -ENOSPC;
	pci->slot[i] = fn;
	fn->host = pci;
	fn->slot = i;
	set_up(pci, fn);
	return 0;
}
