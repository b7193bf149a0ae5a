// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's devices under a guest that reads and writes any port of theirs at any time,
 * beside a machine that is saved and restored again and again: the two must never differ. A
 * state that restore() accepts must be one that the devices can work with, wherever it
 * came from; and after tick() nothing is due any more.
 */
#include <errno.h>

#include "dev_host.h"
#include "device/machine.h"
#include "fuzz.h"

#define STEPS	300u
#define START	1700000000000000000ull

struct side {
	struct test_host host;
	struct machine m;
	u32 sum;	/* of what it sent */
	unsigned int sent;
};

static struct side *sending;

static void output(struct uart16550 *uart, const u8 *data, size_t len)
{
	size_t i;

	fuzz_check(len <= UART16550_TX, "%zu bytes at once", len);
	for (i = 0; i < len; i++)
		sending->sum = sending->sum * 31 + data[i];
	sending->sent += len;
}

static void begin(struct side *s)
{
	memset(s, 0, sizeof(*s));
	test_host_init(&s->host);
	s->host.now = START;
	sending = s;
	machine_init(&s->m, &s->host.host, 64 << 20, true, output);
}

static u32 port_of(struct fuzz_in *in)
{
	static const u16 base[] = {
		0x3f8, 0x3fc, 0x70, 0x71, 0x60, 0x64, 0xcf8, 0xcfc, 0x92, 0xcf9, 0xf4, 0x3f9,
		0x3fa, 0x71, 0x71, 0x3fb,
	};
	u8 b = fuzz_u8(in);

	if (b & 0x80)
		return ACPI_PM_EVENT + (b & 7);
	return base[b & 15] + (b >> 4 & 3);
}

/* Save each device of @s and take it back, as another process would. */
static void renew(struct side *s)
{
	static u8 buf[4096], again[4096];
	unsigned int i;
	size_t n;

	sending = s;
	for (i = 0; i < s->m.n_devices; i++) {
		struct device *d = s->m.devices[i];

		if (!d->ops->save)
			continue;
		n = d->ops->save(d, buf, sizeof(buf));
		fuzz_check(n <= sizeof(buf) && d->ops->save(d, NULL, 0) == n, "%s: size %zu",
			   d->ops->name, n);
		fuzz_check(!d->ops->restore(d, buf, n), "%s: its own state refused", d->ops->name);
		fuzz_check(d->ops->restore(d, buf, n - 1) == -EINVAL, "%s: a cut state taken",
			   d->ops->name);
		fuzz_check(d->ops->save(d, again, sizeof(again)) == n && !memcmp(buf, again, n),
			   "%s: another state after restore", d->ops->name);
	}
}

/* Somebody has been at the saved state. */
static void corrupt(struct side *s, struct fuzz_in *in)
{
	struct device *d = s->m.devices[fuzz_u8(in) % s->m.n_devices];
	u8 buf[4096];
	unsigned int k;
	size_t n;
	int r;

	if (!d->ops->save)
		return;
	n = d->ops->save(d, buf, sizeof(buf));
	for (k = 1 + fuzz_u8(in) % 8; k; k--)
		buf[fuzz_u16(in) % n] = fuzz_u8(in);
	r = d->ops->restore(d, buf, n);
	fuzz_check(r == 0 || r == -EINVAL, "%s: %d", d->ops->name, r);
}

static u32 do_read(struct side *s, u32 port, unsigned int size)
{
	struct device *d = machine_find(&s->m, DEVICE_PORT, port);
	u32 val;

	sending = s;
	if (!d)
		return ~0u;
	val = device_read(d, port, size);
	fuzz_check(size == 4 || val < 1u << 8 * size, "%u bytes of port %#x: %#x", size, port, val);
	return val;
}

static void do_write(struct side *s, u32 port, unsigned int size, u32 val)
{
	struct device *d = machine_find(&s->m, DEVICE_PORT, port);

	sending = s;
	if (d)
		device_write(d, port, size, val);
}

static void pass_time(struct side *s, u64 ns)
{
	u64 due;

	sending = s;
	s->host.now += ns;
	due = machine_deadline(&s->m);
	if (!due || due > s->host.now)
		return;
	machine_tick(&s->m);
	due = machine_deadline(&s->m);
	fuzz_check(!due || due > s->host.now, "still due after tick: %llu, now %llu", due,
		   s->host.now);
}

static void step(struct side *side, unsigned int n, struct fuzz_in *in)
{
	u8 op = fuzz_u8(in), bytes[24];
	unsigned int i, size = 1u << (op >> 4 & 3) % 3;
	u32 port, val, got[2] = { 0 };
	u64 ns;

	switch (op & 15) {
	case 0:
		ns = (u64)fuzz_u8(in) << (fuzz_u8(in) % 42);
		for (i = 0; i < n; i++)
			pass_time(&side[i], ns);
		break;
	case 1:
		size = fuzz_u8(in) % sizeof(bytes);
		fuzz_bytes(in, bytes, size);
		for (i = 0; i < n; i++) {
			sending = &side[i];
			got[i] = uart16550_input(&side[i].m.uart, bytes, size);
			fuzz_check(got[i] <= size, "%u of %u bytes taken", got[i], size);
		}
		fuzz_check(n == 1 || got[0] == got[1], "input differs");
		break;
	case 2:
		if (op & 0x80)
			for (i = 0; i < n; i++) {
				sending = &side[i];
				machine_reset(&side[i].m);
			}
		break;
	case 3:
	case 4:
		for (i = 0; i < n && (op & 0x80); i++) {
			acpi_pm_press(&side[i].m.acpi_pm);
			fuzz_check(side[i].host.level[ACPI_PM_SCI] ==
				   acpi_pm_listens(&side[i].m.acpi_pm), "the power button");
		}
		for (i = 0; i < n; i++) {
			sending = &side[i];
			machine_flush(&side[i].m);
		}
		if (n > 1 && (op & 15) == 3)
			renew(&side[1]);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		port = port_of(in);
		for (i = 0; i < n; i++)
			got[i] = do_read(&side[i], port, size);
		fuzz_check(n == 1 || got[0] == got[1], "port %#x reads %#x and, restored, %#x",
			   port, got[0], got[1]);
		break;
	default:
		port = port_of(in);
		val = size == 1 ? fuzz_u8(in) : fuzz_u32(in);
		for (i = 0; i < n; i++)
			do_write(&side[i], port, size, val);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct side side[2];
	struct fuzz_in in = { data, data + size };
	unsigned int i, n = fuzz_u8(&in) & 1 ? 1 : 2;

	begin(&side[0]);
	begin(&side[1]);
	for (i = 0; i < STEPS && fuzz_left(&in); i++) {
		if (n == 1 && i % 16 == 15)
			corrupt(&side[0], &in);
		step(side, n, &in);
		if (n == 1)
			continue;
		fuzz_check(!memcmp(side[0].host.level, side[1].host.level,
				   sizeof(side[0].host.level)), "interrupt lines differ");
		fuzz_check(side[0].host.ends == side[1].host.ends &&
			   side[0].host.value == side[1].host.value, "ends differ");
		fuzz_check(machine_deadline(&side[0].m) == machine_deadline(&side[1].m),
			   "deadlines differ");
	}
	for (i = 0; i < n; i++) {
		sending = &side[i];
		machine_flush(&side[i].m);
	}
	fuzz_check(n == 1 || (side[0].sent == side[1].sent && side[0].sum == side[1].sum),
		   "output differs");
	return 0;
}
