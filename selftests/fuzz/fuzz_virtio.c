// SPDX-License-Identifier: GPL-2.0
/*
 * Virtio devices on the PCI bus under a guest that writes any register, any ring and any
 * descriptor at any time, while the disk does requests when it likes, and frames come.
 *
 * What must hold: no request reaches beyond the disk, no buffer beyond RAM (virtio_guest.h
 * checks both, and that buffers add up); a saved state can be restored and is the same
 * then, and one that somebody has changed is refused or can be worked with; and whatever
 * the guest has done, after a reset the device serves an honest driver.
 */
#include <errno.h>

#define VG_SMALL
#include "virtio_guest.h"
#include "fuzz.h"

#define STEPS	400u
#define FEATURES	(VIRTIO_F(32) | VIRTIO_F(9))

/* Places where a value changes what happens. */
static u64 interesting(struct fuzz_in *in)
{
	static const u64 value[] = {
		0, 1, VG_DESC, VG_AVAIL, VG_USED, VG_INDIRECT, VG_HEADER, VG_STATUS, VG_DATA,
		VG_HOLE - 16, VG_HOLE, VG_HOLE_END - 1, VG_RAM - 16, VG_RAM, ~0ull, 1ull << 32,
	};
	u8 b = fuzz_u8(in);

	return b & 0x80 ? fuzz_u16(in) : value[b & 15] + (b >> 4 & 7);
}

static void write_descriptor(struct fuzz_in *in)
{
	u8 where = fuzz_u8(in);
	u32 table = where & 1 ? VG_INDIRECT : where & 2 && vg.m.n_nets ? VG_DESC1 : VG_DESC;
	u32 i = fuzz_u8(in) % 8;
	u64 addr = interesting(in);
	u16 len = fuzz_u16(in);

	vg_desc_at(table, i, addr, len & 0x8000 ? len * 0x10001u : len % 2048,
		   fuzz_u8(in) % 8, fuzz_u8(in) % 16 == 15 ? 0xffff : i + 1);
}

/* A request as a driver makes it, but for what the input says. */
static void honest(struct fuzz_in *in)
{
	static const u8 type[] = { 0, 1, 4, 8, 11, 13, 0, 77 };
	u8 b = fuzz_u8(in);

	vg_header(type[b & 7], fuzz_u8(in));
	vg_desc(0, VG_HEADER, 16, VG_NEXT, 1);
	vg_desc(1, VG_DATA, (b >> 3 & 7) * 512 + (b & 0x40 ? 16 : 0),
		VG_NEXT | (b & 0x80 ? VG_WRITE : 0), 2);
	vg_desc(2, VG_STATUS, 1, VG_WRITE, 0);
	vg_avail(0);
	vg_kick();
}

/* What goes on at the other end of the cable. */
static void cable(struct fuzz_in *in)
{
	static const u8 frame[NET_FRAME_MAX];
	u8 b = fuzz_u8(in);

	switch (b & 7) {
	case 0 ... 2:
		if (vg.cable.put == VG_FRAMES) {
			vg.cable.put = 0;
			vg.cable.taken = 0;
		}
		vg_put(frame, b & 0x80 ? 60 : NET_FRAME_MIN +
			      fuzz_u16(in) % (NET_FRAME_MAX - NET_FRAME_MIN + 1));
		break;
	case 3:
		vg.cable.endless = b >> 3 & 1;
		break;
	case 4:
		vg.cable.room = b >> 3;
		break;
	case 5:
		vg.cable.net.up = b >> 3 & 3;
		break;
	default:
		vg.cable.net.event(&vg.cable.net);
		break;
	}
}

static void write_register(struct fuzz_in *in)
{
	static const u16 reg[] = { 0, 4, 8, 12, 20, 22, 24, 28, 32, 36, 40, 44, 48, 52 };
	static const u8 size[] = { 4, 4, 4, 4, 1, 2, 2, 2, 4, 4, 4, 4, 4, 4 };
	u8 i = fuzz_u8(in) % ARRAY_SIZE(reg);

	mem_write(reg[i], size[i], interesting(in));
}

static void any_access(struct fuzz_in *in)
{
	u8 b = fuzz_u8(in);
	unsigned int size = 1u << (b & 3) % 3;
	u32 at = fuzz_u16(in);

	switch (b >> 2 & 7) {
	case 0:
		(void)mem_read(at & 0x3fff, size);
		break;
	case 1:
		mem_write(at & 0x3fff, size, interesting(in));
		break;
	case 2:
		(void)io_read(at & 127, size);
		break;
	case 3:
		io_write(at & 127, size, interesting(in));
		break;
	case 4:
		(void)cfg_read(at & 3, at >> 8 & ~(size - 1), size);
		break;
	default:
		cfg_write(at & 3, at >> 8 & ~(size - 1), size, fuzz_u32(in));
		break;
	}
}

/* Nothing may be in flight in what is saved. */
static void renew(struct fuzz_in *in)
{
	static u8 buf[4096], again[4096];
	struct device *d = &vg.m.pci->dev;
	unsigned int k;
	size_t n;
	int r;

	vg_finish();
	machine_flush(&vg.m);
	n = d->ops->save(d, buf, sizeof(buf));
	fuzz_check(n <= sizeof(buf), "%zu bytes", n);
	r = d->ops->restore(d, buf, n);
	/* A guest may have put rings where none can be: that is not enabled. */
	fuzz_check(!r, "its own state is refused");
	fuzz_check(d->ops->save(d, again, n) == n && !memcmp(buf, again, n),
		   "another state after restore");
	for (k = fuzz_u8(in) % 4; k; k--)
		buf[fuzz_u16(in) % n] = fuzz_u8(in);
	r = d->ops->restore(d, buf, n);
	fuzz_check(!r || r == -EINVAL, "restore: %d", r);
	if (r)
		fuzz_check(d->ops->save(d, buf, n) == n && !memcmp(buf, again, n),
			   "a state that was refused has changed something");
}

static void step(struct fuzz_in *in)
{
	u8 i = fuzz_u8(in) % 16;

	if (i == 14 && vg.m.n_nets) {
		cable(in);
		return;
	}
	switch (i) {
	case 0 ... 2:
		write_descriptor(in);
		break;
	case 3:
		honest(in);
		break;
	case 4:
		i = fuzz_u8(in);
		if (i & 0x80 && vg.m.n_nets)
			vg_avail1(i % 9);
		else
			vg_avail(i % 9);
		break;
	case 5:
		mem_write(0x3000, 2, 0);
		if (vg.m.n_nets)
			mem_write(0x3004, 2, 1);
		break;
	case 6:
		vg_finish();
		break;
	case 7:
		machine_flush(&vg.m);
		break;
	case 8:
		vg.disk.hold = fuzz_u8(in) & 1;
		vg.disk.error = fuzz_u8(in) & 7 ? 0 : -EIO;
		break;
	case 9:
		write_register(in);
		break;
	case 10:
		vg_store(interesting(in) % (VG_RAM - 8), 2, fuzz_u16(in));
		break;
	case 11:
		(void)vg_ready(FEATURES | (u64)(fuzz_u8(in) & 3) << 28);
		break;
	case 12:
		renew(in);
		break;
	case 13:
		vg.t.now += fuzz_u32(in);
		vg.randomness = fuzz_u8(in);
		machine_tick(&vg.m);
		break;
	default:
		any_access(in);
		break;
	}
}

/* A frame each way. */
static void check_card(void)
{
	static const u8 frame[60] = { 1, 2, 3 };

	memset(&vg.cable.net.stats, 0, sizeof(vg.cable.net.stats));
	vg.cable.net.up = true;
	vg.cable.endless = false;
	vg.cable.put = 0;
	vg.cable.taken = 0;
	vg.cable.sent = 0;
	vg.cable.room = 1;
	vg_desc(0, VG_DATA, 12 + sizeof(frame), VG_WRITE, 0);
	vg_avail(0);
	vg_put(frame, sizeof(frame));
	vg_event();
	fuzz_check(vg_used() == 1 && vg_used_len() == 12 + sizeof(frame) &&
		   !memcmp(vg.ram + VG_DATA + 12, frame, sizeof(frame)), "no frame comes");
	vg_desc_at(VG_DESC1, 0, VG_DATA, 12 + sizeof(frame), 0, 0);
	vg_avail1(0);
	vg_kick1();
	fuzz_check(vg.cable.sent == 1 && vg.cable.last_size == sizeof(frame) &&
		   !memcmp(vg.cable.last, frame, sizeof(frame)), "no frame goes");
}

/* Whatever has happened: a reset, and an honest driver. */
static void check_service(enum vg_kind kind)
{
	vg.disk.hold = false;
	while (vg.disk.n_pending)
		vg_finish();
	machine_flush(&vg.m);
	machine_reset(&vg.m);
	fuzz_check(!machine_busy(&vg.m), "busy with nothing in flight");
	memset(vg.ram, 0, VG_RAM);
	vg.disk.error = 0;
	vg.randomness = 64;
	vg.avail = 0;
	vg.avail1 = 0;
	vg.size = VIRTQUEUE_SIZE;
	fuzz_check(vg_ready(FEATURES), "no agreement after a reset");
	if (kind == VG_NET) {
		check_card();
		return;
	}
	if (kind == VG_RNG) {
		vg_desc(0, VG_DATA, 8, VG_WRITE, 0);
		vg_avail(0);
		vg_kick();
		fuzz_check(vg_used() == 1 && vg_used_len() == 8, "no randomness");
		return;
	}
	fuzz_check(!vg_request(0, 1, 512, true) && vg_used() == 1 &&
		   !memcmp(vg.ram + VG_DATA, vg.disk.bytes + 512, 512), "a read fails");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	u8 b = fuzz_u8(&in);
	enum vg_kind kind = (b & 3) == 3 ? VG_NET : b & 1 ? VG_RNG : VG_BLK;
	unsigned int i;

	vg_start_with(kind, b & 2);
	vg.size = 8;
	if (b & 4)
		(void)vg_ready(~0ull);
	vg_find();
	for (i = 0; i < STEPS && fuzz_left(&in); i++)
		step(&in);
	check_service(kind);
	vg_end();
	return 0;
}
