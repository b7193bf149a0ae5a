// SPDX-License-Identifier: GPL-2.0
/*
 * Virtio devices with a driver of our own: negotiation, rings, disk requests, order of
 * what the guest sees, resets with requests in flight; and drivers that lie.
 */
#include "tap.h"
#include "virtio_guest.h"

#define RO		VIRTIO_F(5)
#define FLUSH		VIRTIO_F(9)
#define DISCARD		VIRTIO_F(13)
#define INDIRECT	VIRTIO_F(28)
#define EVENT_IDX	VIRTIO_F(29)
#define VERSION_1	VIRTIO_F(32)
#define PLAIN		(VERSION_1 | FLUSH)

static void fill(u32 gpa, u32 size, u8 seed)
{
	u32 i;

	for (i = 0; i < size; i++)
		vg.ram[gpa + i] = seed + i * 7;
}

static bool filled(const u8 *p, u32 size, u8 seed)
{
	u32 i;

	for (i = 0; i < size; i++)
		if (p[i] != (u8)(seed + i * 7))
			return false;
	return true;
}

static void test_negotiation(void)
{
	vg_start(false, false);
	tap_ok(vg_negotiate(PLAIN), "features are agreed on");
	tap_ok((vg.features & (INDIRECT | EVENT_IDX | VERSION_1 | FLUSH | DISCARD | RO)) ==
	       (INDIRECT | EVENT_IDX | VERSION_1 | FLUSH | DISCARD), "what is offered");
	tap_ok(!vg_negotiate(FLUSH), "not without VERSION_1 by the modern interface");
	tap_ok(mem_read(18, 2) == 1 && mem_read(24, 2) == VIRTQUEUE_SIZE, "one queue");
	mem_write(22, 2, 1);
	tap_ok(!mem_read(24, 2), "there is no second one");
	tap_ok(mem_read(0x2000, 4) == VG_DISK / 512 && !mem_read(0x2004, 4), "capacity");
	tap_ok(mem_read(0x2014, 4) == 512 && mem_read(0x200c, 4) == VIRTQUEUE_SIZE - 2,
	       "block size and segments");
	tap_ok(mem_read(26, 2) == 0xffff && mem_read(16, 2) == 0xffff, "no vectors");
	vg_start(false, true);
	vg_negotiate(PLAIN);
	tap_ok((vg.features & (RO | DISCARD)) == RO, "a readonly disk says so");
}

static void test_disk(void)
{
	vg_start(false, false);
	tap_ok(vg_ready(PLAIN), "ready");
	fill(VG_DATA, 4096, 3);
	tap_ok(vg_request(1, 8, 4096, false) == 0 && filled(vg.disk.bytes + 4096, 4096, 3),
	       "write");
	tap_ok(vg_used() == 1 && vg_used_len() == 1 && vg.t.level[11] && mem_read(0x1000, 1) == 1,
	       "is used, with an interrupt");
	tap_ok(!vg.t.level[11] && !mem_read(0x1000, 1), "which reading takes away");
	memset(vg.ram + VG_DATA, 0, 4096);
	tap_ok(vg_request(0, 8, 4096, true) == 0 && filled(vg.ram + VG_DATA, 4096, 3) &&
	       vg_used_len() == 4097, "read");
	tap_ok(vg_request(4, 0, 0, true) == 0 && vg.disk.count[DISK_FLUSH] == 1, "flush");
	tap_ok(vg_request(8, 0, 20, true) == 0 && !memcmp(vg.ram + VG_DATA, "serial number", 14),
	       "serial number");
	vg_store(VG_DATA, 8, 9);
	vg_store(VG_DATA + 8, 8, 1);
	tap_ok(vg_request(11, 0, 16, false) == 0 && vg.disk.count[DISK_DISCARD] == 1, "discard");
	tap_ok(vg_request(13, 0, 16, false) == 0 && vg.disk.count[DISK_ZERO] == 1, "zeroes");
	vg_store(VG_DATA + 12, 4, 1);
	tap_ok(vg_request(13, 0, 16, false) == 0 && vg.disk.count[DISK_UNMAP] == 1,
	       "zeroes that need no room");
	tap_ok(!vg.complaints, "no complaint");
}

static void test_refused_requests(void)
{
	u32 end = VG_DISK / 512;

	vg_start(false, false);
	vg_ready(PLAIN);
	tap_ok(vg_request(0, end - 1, 512, true) == 0, "the last sector");
	tap_ok(vg_request(0, end, 512, true) == 1, "beyond the end");
	tap_ok(vg_request(0, end - 1, 1024, true) == 1, "over the end");
	tap_ok(vg_request(1, ~0ull, 512, false) == 1, "a sector that wraps");
	tap_ok(vg_request(1, ~0ull >> 9, 512, false) == 1, "a byte offset that wraps");
	tap_ok(vg_request(0, 0, 511, true) == 1, "part of a sector");
	tap_ok(vg_request(0, 0, 0, true) == 1, "no data");
	tap_ok(vg_request(77, 0, 512, true) == 2, "an unknown request");
	vg_store(VG_DATA, 8, end);
	vg_store(VG_DATA + 8, 8, 1);
	tap_ok(vg_request(11, 0, 16, false) == 1, "a discard beyond the end");
	vg_store(VG_DATA, 8, 0);
	vg_store(VG_DATA + 8, 8, 0);
	tap_ok(vg_request(11, 0, 16, false) == 1, "a discard of nothing");
	vg_store(VG_DATA + 8, 8, 0xffffffff);
	tap_ok(vg_request(13, 0, 16, false) == 1, "zeroes without end");
	vg_store(VG_DATA + 8, 8, 1 | 1ull << 32);
	tap_ok(vg_request(11, 0, 16, false) == 2, "a discard with flags");
	tap_ok(vg_request(11, 0, 32, false) == 1, "two ranges");
	vg.disk.error = -5;
	tap_ok(vg_request(0, 0, 512, true) == 1, "an error of the disk");
	tap_ok(!vg.complaints && vg_used() == 14, "and the device goes on");
	vg_start(false, true);
	vg_ready(PLAIN);
	tap_ok(vg_request(1, 0, 512, false) == 1 && !vg.disk.count[DISK_WRITE] &&
	       vg_request(0, 0, 512, true) == 0, "a readonly disk takes no write");
	vg_store(VG_DATA, 8, 0);
	vg_store(VG_DATA + 8, 8, 1);
	tap_ok(vg_request(11, 0, 16, false) == 1 && vg_request(13, 0, 16, false) == 1,
	       "nor a discard or zeroes");
}

/* Header and data in odd pieces: the framing is the driver's. */
static void test_layout(void)
{
	vg_start(false, false);
	vg_ready(PLAIN);
	vg_header(1, 2);
	fill(VG_DATA, 1024, 9);
	vg_desc(0, VG_HEADER, 5, VG_NEXT, 1);
	vg_desc(1, VG_HEADER + 5, 10, VG_NEXT, 2);
	/* The header's last byte, then data right behind it. */
	vg.ram[VG_DATA - 1] = vg.ram[VG_HEADER + 15];
	vg_desc(2, VG_DATA - 1, 101, VG_NEXT, 3);
	vg_desc(3, VG_DATA + 100, 924, VG_NEXT, 4);
	vg_desc(4, VG_STATUS, 1, VG_WRITE, 0);
	vg_avail(0);
	vg_kick();
	tap_ok(!vg.ram[VG_STATUS] && filled(vg.disk.bytes + 1024, 1024, 9), "a write in pieces");
	vg_header(0, 2);
	memset(vg.ram + VG_DATA, 0, 2048);
	vg_desc(0, VG_HEADER, 16, VG_NEXT, 1);
	vg_desc(1, VG_DATA, 1000, VG_NEXT | VG_WRITE, 2);
	vg_desc(2, VG_DATA + 1000, 25, VG_WRITE, 0);
	vg_avail(0);
	vg_kick();
	tap_ok(filled(vg.ram + VG_DATA, 1024, 9) && !vg.ram[VG_DATA + 1024] && vg_used() == 2,
	       "a read with the status behind the data");
}

static void test_indirect(void)
{
	vg_start(false, false);
	vg_ready(PLAIN | INDIRECT);
	vg_header(1, 0);
	fill(VG_DATA, 512, 1);
	vg_desc_at(VG_INDIRECT, 0, VG_HEADER, 16, VG_NEXT, 2);
	vg_desc_at(VG_INDIRECT, 2, VG_DATA, 512, VG_NEXT, 1);
	vg_desc_at(VG_INDIRECT, 1, VG_STATUS, 1, VG_WRITE, 0);
	vg_desc(7, VG_INDIRECT, 48, VG_INDIRECT_FLAG, 0);
	vg_avail(7);
	vg_kick();
	tap_ok(!vg.ram[VG_STATUS] && filled(vg.disk.bytes, 512, 1) &&
	       vg_load16(VG_USED + 4) == 7, "an indirect table");
	vg_header(4, 0);
	vg_desc(3, VG_HEADER, 16, VG_NEXT, 4);
	vg_desc_at(VG_INDIRECT, 0, VG_STATUS, 1, VG_WRITE, 0);
	vg_desc(4, VG_INDIRECT, 16, VG_INDIRECT_FLAG, 0);
	vg_avail(3);
	vg_kick();
	tap_ok(!vg.ram[VG_STATUS] && vg_used() == 2, "an indirect table behind a descriptor");
}

static void test_event_idx(void)
{
	unsigned int i;
	bool ok = true;

	vg_start(false, false);
	vg_ready(PLAIN | EVENT_IDX);
	vg_store(VG_AVAIL + 4 + 2 * VIRTQUEUE_SIZE, 2, 5);	/* used_event */
	for (i = 0; i < 5; i++) {
		(void)vg_request(4, 0, 0, true);
		/* The first completion of all always interrupts. */
		ok &= i ? !mem_read(0x1000, 1) : mem_read(0x1000, 1);
	}
	tap_ok(ok, "no interrupt before the event");
	(void)vg_request(4, 0, 0, true);
	tap_ok(mem_read(0x1000, 1) == 1, "one at the event");
	(void)vg_request(4, 0, 0, true);
	tap_ok(!mem_read(0x1000, 1), "none after it");
	tap_ok(vg_load16(VG_USED + 4 + 8 * VIRTQUEUE_SIZE) == vg.avail,
	       "the device asks for the next notification");
	vg.disk.hold = true;
	vg_store(VG_AVAIL + 4 + 2 * VIRTQUEUE_SIZE, 2, 8);
	for (i = 0; i < 4; i++)
		(void)vg_request(4, 0, 0, true);
	vg_finish();
	machine_flush(&vg.m);
	tap_ok(mem_read(0x1000, 1) == 1 && vg_used() == 11, "an event inside a batch");
	vg_start(false, false);
	vg_ready(PLAIN);
	vg_store(VG_AVAIL, 2, 1);
	(void)vg_request(4, 0, 0, true);
	tap_ok(vg_used() == 1 && !mem_read(0x1000, 1), "without events: the driver's flag");
}

/* The processor is told before the guest can know. */
static void test_order(void)
{
	u32 i, told = 0;

	vg_start(false, false);
	vg_ready(PLAIN);
	vg.disk.hold = true;
	(void)vg_request(0, 0, 2048, true);
	tap_ok(vg.ram[VG_STATUS] == 0xee && !vg_used() && !vg.published,
	       "nothing while the disk works");
	vg_finish();
	tap_ok(!vg_used() && !vg.t.level[11], "nothing before the batch is over");
	machine_flush(&vg.m);
	tap_ok(vg.published == 1 && vg.used_at_publish == 0 && vg_used() == 1 && vg.t.level[11],
	       "published, then used, then the interrupt");
	for (i = 0; i < 2048; i++)
		told += vg.written[VG_DATA + i];
	tap_ok(told == 2048 && vg.written[VG_STATUS] && vg.written[VG_USED + 4] &&
	       vg.written[VG_USED + 11], "data, status and element were told of");
	tap_ok(vg.pending[VG_USED + 2] && vg.pending[VG_USED + 3] && !vg.written[VG_USED + 2],
	       "the index goes with what comes next");
	tap_ok(!vg.written[VG_DATA + 2048] && !vg.written[VG_HEADER], "and nothing else");
}

static void test_durable(void)
{
	vg_start(false, false);
	vg_ready(PLAIN);
	(void)vg_request(1, 0, 512, false);
	tap_ok(!vg.disk.durable, "a driver that flushes: writes need not be durable");
	vg_ready(VERSION_1);
	vg.avail = 0;
	vg_store(VG_AVAIL + 2, 2, 0);
	(void)vg_request(1, 0, 512, false);
	tap_ok(vg.disk.durable, "one that does not: they are");
}

static void test_reset(void)
{
	unsigned int i;

	vg_start(false, false);
	vg_ready(PLAIN);
	vg.disk.hold = true;
	(void)vg_request(0, 0, 512, true);
	tap_ok(!machine_busy(&vg.m), "requests in flight make nobody wait");
	mem_write(20, 1, 0);
	tap_ok(machine_busy(&vg.m), "a reset then does");
	vg_finish();
	machine_flush(&vg.m);
	tap_ok(!machine_busy(&vg.m) && !mem_read(20, 1) && vg.ram[VG_STATUS] == 0xee &&
	       !vg_used() && !vg.t.level[11], "until they are done; the guest sees none of them");
	vg.avail = 0;
	vg_store(VG_AVAIL + 2, 2, 0);
	tap_ok(vg_ready(PLAIN) && !mem_read(22, 2), "it begins anew");
	for (i = 0; i < VIRTQUEUE_SIZE + 10; i++) {
		vg_header(4, 0);
		vg_desc(0, VG_HEADER, 16, VG_NEXT, 2);
		vg_desc(2, VG_STATUS, 1, VG_WRITE, 0);
		if (i < VIRTQUEUE_SIZE)
			vg_avail(0);
	}
	vg_kick();
	tap_ok(vg.disk.n_pending == VIRTQUEUE_SIZE, "a whole queue in flight");
	for (i = 0; i < 10; i++)
		vg_avail(0);
	vg_kick();
	tap_ok(vg.disk.n_pending == VIRTQUEUE_SIZE, "what has no room waits");
	vg_finish();
	tap_ok(vg.disk.n_pending == 10, "and comes after");
	vg_finish();
	machine_flush(&vg.m);
	tap_ok(vg_used() == VIRTQUEUE_SIZE + 10, "all are used");
}

static void test_legacy(void)
{
	vg_start(false, false);
	vg_find();
	io_write(18, 1, 0);
	io_write(18, 1, 3);
	tap_ok((io_read(0, 4) & (FLUSH | INDIRECT)) == (FLUSH | INDIRECT), "legacy features");
	io_write(4, 4, FLUSH);
	io_write(14, 2, 0);
	tap_ok(io_read(12, 2) == VIRTQUEUE_SIZE, "legacy queue size");
	io_write(12, 2, 4);
	tap_ok(io_read(12, 2) == VIRTQUEUE_SIZE, "which is not the driver's");
	/* Descriptors 1000h, available 1800h, used 2000h. */
	io_write(8, 4, 1);
	tap_ok(io_read(8, 4) == 1, "legacy queue address");
	io_write(18, 1, 7);
	vg_header(0, 0);
	memset(vg.disk.bytes, 0x77, 512);
	vg_desc(0, VG_HEADER, 16, VG_NEXT, 1);
	vg_desc(1, VG_DATA, 512, VG_NEXT | VG_WRITE, 2);
	vg_desc(2, VG_STATUS, 1, VG_WRITE, 0);
	vg_store(0x1804, 2, 0);
	vg_store(0x1802, 2, 1);
	io_write(16, 2, 0);
	machine_flush(&vg.m);
	tap_ok(!vg.ram[VG_STATUS] && vg.ram[VG_DATA + 511] == 0x77 && vg_load16(0x2002) == 1,
	       "a legacy request");
	tap_ok(vg.t.level[11] && io_read(19, 1) == 1 && !vg.t.level[11], "legacy interrupt status");
	tap_ok(io_read(20, 4) == VG_DISK / 512, "legacy configuration");
	io_write(8, 4, 0xfffff);
	tap_ok(io_read(8, 4) == 1 && !vg.complaints, "a queue in use does not move");
	io_write(8, 4, 0);
	tap_ok(!io_read(8, 4), "the queue is taken away");
}

/* The window in configuration space: no base address is needed. */
static void test_window(void)
{
	u32 cap = cfg_read(1, 0x34, 1);

	vg_start(false, false);
	for (cap = cfg_read(1, 0x34, 1); cap && cfg_read(1, cap + 3, 1) != 5;)
		cap = cfg_read(1, cap + 1, 1);
	cfg_write(1, cap + 4, 1, 1);
	cfg_write(1, cap + 8, 4, 20);
	cfg_write(1, cap + 12, 4, 1);
	cfg_write(1, cap + 16, 1, 3);
	vg_find();
	tap_ok(mem_read(20, 1) == 3 && cfg_read(1, cap + 16, 1) == 3, "status by the window");
	cfg_write(1, cap + 8, 4, 0x4000);
	cfg_write(1, cap + 16, 4, 0);
	cfg_write(1, cap + 8, 4, 0xffffffff);
	cfg_write(1, cap + 12, 4, 4);
	cfg_write(1, cap + 16, 4, 0);
	cfg_write(1, cap + 4, 1, 0xff);
	cfg_write(1, cap + 8, 4, 20);
	(void)cfg_read(1, cap + 16, 4);
	tap_ok(mem_read(20, 1) == 3, "a window to nowhere does nothing");
}

static void test_rng(void)
{
	vg_start(true, false);
	tap_ok(cfg_read(1, 0, 4) == 0x10051af4 && vg_ready(VERSION_1), "source of randomness");
	vg_desc(0, VG_DATA, 40, VG_WRITE, 0);
	vg_avail(0);
	vg_kick();
	tap_ok(vg_used() == 1 && vg_used_len() == 40 && vg.ram[VG_DATA + 39] == 0x5a &&
	       !vg.ram[VG_DATA + 40], "40 bytes");
	vg.randomness = 0;
	vg_avail(0);
	vg_kick();
	tap_ok(vg_used() == 1 && machine_deadline(&vg.m), "without randomness it waits");
	vg.randomness = 8;
	vg.t.now += 1000000000;
	machine_tick(&vg.m);
	machine_flush(&vg.m);
	tap_ok(vg_used() == 2 && vg_used_len() == 8, "and gives what comes");
	vg_desc(0, VG_DATA, 40, 0, 0);
	vg_avail(0);
	vg_kick();
	tap_ok(vg_used() == 3 && !vg_used_len() && !vg.complaints, "a buffer to read: nothing");
}

/* What the driver does here cannot be right: stopped until a reset, memory untouched. */
static void lie(const char *name, const char *says)
{
	vg_kick();
	tap_ok(vg.complaints == 1 && strstr(vg.complaint, says) && (mem_read(20, 1) & 0x40) &&
	       !vg_used() && (mem_read(0x1000, 1) & 2) && !machine_busy(&vg.m), "%s", name);
	/* It stays so, and a reset helps. */
	vg_kick();
	vg.avail = 0;
	vg_store(VG_AVAIL + 2, 2, 0);
	if (vg.complaints != 1 || !vg_ready(PLAIN) || vg_request(4, 0, 0, true))
		tap_ok(false, "%s: reset", name);
}

static void begin(u64 features)
{
	vg_start(false, false);
	vg_ready(PLAIN | features);
	vg_header(0, 0);
	vg_desc(0, VG_HEADER, 16, VG_NEXT, 1);
	vg_desc(1, VG_DATA, 512, VG_NEXT | VG_WRITE, 2);
	vg_desc(2, VG_STATUS, 1, VG_WRITE, 0);
	vg_avail(0);
}

static void test_lies(void)
{
	begin(0);
	vg_store(VG_AVAIL + 2, 2, 0x4000);
	lie("an available index far ahead", "too far ahead");
	begin(0);
	vg_store(VG_AVAIL + 4, 2, VIRTQUEUE_SIZE);
	lie("a head beyond the table", "beyond its table");
	begin(0);
	vg_desc(1, VG_DATA, 512, VG_NEXT | VG_WRITE, 999);
	lie("a next beyond the table", "beyond its table");
	begin(0);
	vg_desc(1, VG_DATA, 512, VG_NEXT | VG_WRITE, 1);
	lie("a loop", "or a loop");
	begin(0);
	vg_desc(1, VG_RAM - 256, 512, VG_NEXT | VG_WRITE, 2);
	lie("a buffer over the end of RAM", "outside RAM");
	begin(0);
	vg_desc(1, ~0ull - 255, 512, VG_NEXT | VG_WRITE, 2);
	lie("a buffer that wraps", "outside RAM");
	begin(0);
	vg_desc(1, VG_HOLE - 256, 512, VG_NEXT | VG_WRITE, 2);
	lie("a buffer into the hole", "outside RAM");
	begin(0);
	vg_desc(1, VG_DATA, 0xffffffff, VG_NEXT | VG_WRITE, 2);
	lie("a buffer of 4 GiB", "outside RAM");
	begin(0);
	vg_desc(2, VG_STATUS, 1, 0, 0);
	lie("a buffer to read behind one to write", "comes after");
	begin(0);
	vg_desc(0, VG_HEADER, 15, VG_NEXT, 1);
	lie("half a header", "without header");
	begin(0);
	vg_desc(1, VG_DATA, 512, 0, 0);
	lie("no status", "without header or status");
	begin(0);
	vg_desc(0, VG_INDIRECT, 48, VG_INDIRECT_FLAG, 0);
	lie("an indirect table that was not agreed on", "not agreed");
	begin(INDIRECT);
	vg_desc(0, VG_INDIRECT, 48, VG_INDIRECT_FLAG | VG_NEXT, 1);
	lie("an indirect table with a next", "has a next");
	begin(INDIRECT);
	vg_desc(0, VG_INDIRECT, 40, VG_INDIRECT_FLAG, 0);
	lie("an indirect table of an odd size", "odd size");
	begin(INDIRECT);
	vg_desc(0, VG_INDIRECT, 0, VG_INDIRECT_FLAG, 0);
	lie("an empty indirect table", "odd size");
	begin(INDIRECT);
	vg_desc(0, VG_RAM - 16, 32, VG_INDIRECT_FLAG, 0);
	lie("an indirect table outside RAM", "outside RAM");
	begin(INDIRECT);
	vg_desc(0, VG_INDIRECT, 16, VG_INDIRECT_FLAG, 0);
	vg_desc_at(VG_INDIRECT, 0, VG_INDIRECT, 16, VG_INDIRECT_FLAG, 0);
	lie("an indirect table in an indirect table", "in an indirect table");
	begin(INDIRECT);
	vg_desc(0, VG_DESC, 16, VG_INDIRECT_FLAG, 0);
	lie("a table that is its own indirect table", "in an indirect table");
	begin(INDIRECT);
	vg_desc(0, VG_INDIRECT, 32, VG_INDIRECT_FLAG, 0);
	vg_desc_at(VG_INDIRECT, 0, VG_HEADER, 16, VG_NEXT, 2);
	lie("a next beyond the indirect table", "beyond its table");
	begin(INDIRECT);
	vg_desc(0, VG_INDIRECT, 32, VG_INDIRECT_FLAG, 0);
	vg_desc_at(VG_INDIRECT, 0, VG_HEADER, 16, VG_NEXT, 1);
	vg_desc_at(VG_INDIRECT, 1, VG_HEADER, 16, VG_NEXT, 0);
	lie("a loop in an indirect table", "or a loop");
}

static bool queue_refused(u32 desc, u32 avail, u32 used, u16 size)
{
	vg_start(false, false);
	vg_negotiate(PLAIN);
	vg.size = size;
	vg_queue(desc, avail, used);
	return vg.complaints == 1 && !mem_read(28, 2) && (mem_read(20, 1) & 0x40);
}

static void test_bad_queues(void)
{
	tap_ok(queue_refused(VG_DESC, VG_AVAIL, VG_USED, 0), "a queue of no size");
	tap_ok(queue_refused(VG_DESC, VG_AVAIL, VG_USED, 3), "a queue of 3");
	tap_ok(queue_refused(VG_DESC, VG_AVAIL, VG_USED, 32768), "a queue that is too large");
	tap_ok(queue_refused(VG_DESC + 8, VG_AVAIL, VG_USED, 128), "descriptors at an odd place");
	tap_ok(queue_refused(VG_DESC, VG_AVAIL + 1, VG_USED, 128), "available ring likewise");
	tap_ok(queue_refused(VG_DESC, VG_AVAIL, VG_USED + 2, 128), "used ring likewise");
	tap_ok(queue_refused(VG_RAM - 16, VG_AVAIL, VG_USED, 128), "descriptors over RAM's end");
	tap_ok(queue_refused(VG_DESC, 0xfffffff0, VG_USED, 128), "available ring outside");
	tap_ok(queue_refused(VG_DESC, VG_AVAIL, VG_HOLE - 4, 128), "used ring over the hole");
	vg_start(false, false);
	vg_negotiate(PLAIN);
	mem_write(20, 1, 15);
	vg_kick();
	tap_ok(!vg.complaints, "a notification without a queue");
	vg_start(false, false);
	vg_negotiate(PLAIN);
	vg_queue(VG_DESC, VG_AVAIL, VG_USED);
	tap_ok(vg_request(4, 0, 0, true) == 0xee && !vg.complaints,
	       "a notification before the driver is ready");
	mem_write(20, 1, 15);
	machine_flush(&vg.m);
	tap_ok(!vg.ram[VG_STATUS], "is seen to when it is");
}

int main(void)
{
	tap_plan(9 + 11 + 17 + 2 + 2 + 6 + 6 + 2 + 8 + 9 + 2 + 5 + 20 + 12);
	test_negotiation();
	test_disk();
	test_refused_requests();
	test_layout();
	test_indirect();
	test_event_idx();
	test_order();
	test_durable();
	test_reset();
	test_legacy();
	test_window();
	test_rng();
	test_lies();
	test_bad_queues();
	vg_end();
	return tap_done();
}
