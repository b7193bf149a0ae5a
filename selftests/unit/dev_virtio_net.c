// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio network card with a driver of our own: frames both ways in whatever pieces, what
 * waits when there is no buffer or no room, the cable pulled out; and drivers that lie.
 */
#include "tap.h"
#include "virtio_guest.h"

#define MAC		VIRTIO_F(5)
#define STATUS		VIRTIO_F(16)
#define EVENT_IDX	VIRTIO_F(29)
#define VERSION_1	VIRTIO_F(32)
#define PLAIN		(VERSION_1 | MAC | STATUS)
#define HEADER		12u

static u8 frame[NET_FRAME_MAX];

static void begin(u64 features)
{
	u32 i;

	vg_start_with(VG_NET, false);
	for (i = 0; i < sizeof(frame); i++)
		frame[i] = i * 5 + 1;
	vg_ready(features);
}

/* A buffer for a frame: descriptor @i, with room for @size bytes behind the header. */
static void buffer(u16 i, u32 size)
{
	vg_desc(i, VG_DATA + i * 2048, HEADER + size, VG_WRITE, 0);
	vg_avail(i);
}

static void tx_desc(u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	vg_desc_at(VG_DESC1, i, addr, len, flags, next);
}

/* A frame of @size bytes as Linux sends it, header and data apart. */
static void transmit(u32 size)
{
	memcpy(vg.ram + VG_DATA, frame, size);
	tx_desc(0, VG_HEADER, HEADER, VG_NEXT, 1);
	tx_desc(1, VG_DATA, size, 0, 0);
	vg_avail1(0);
	vg_kick1();
}

static bool sent(unsigned int n, size_t size)
{
	return vg.cable.sent == n && vg.cable.last_size == size &&
	       !memcmp(vg.cable.last, frame, size);
}

static void test_negotiation(void)
{
	begin(PLAIN);
	tap_ok(cfg_read(1, 0, 4) == 0x10001af4 && cfg_read(1, 0x2c, 4) == 0x00011af4 &&
	       cfg_read(1, 0x0a, 2) == 0x0200, "a virtio network card");
	tap_ok((vg.features & 0xffffff) == (MAC | STATUS), "offers address and link status alone");
	tap_ok(mem_read(18, 2) == 2, "two queues");
	tap_ok(mem_read(0x2000, 4) == 0x015e0002 && mem_read(0x2004, 2) == 0x0302, "its address");
	tap_ok(mem_read(0x2006, 2) == 1, "link is up");
}

static void test_receive(void)
{
	begin(PLAIN);
	buffer(0, 1518);
	buffer(1, 1518);
	vg_kick();
	tap_ok(!vg_used(), "no frame, no buffer is used");
	vg_put(frame, 60);
	vg_event();
	tap_ok(vg_used() == 1 && vg_used_len() == 72 &&
	       !memcmp(vg.ram + VG_DATA + HEADER, frame, 60), "a frame comes");
	tap_ok(vg_load16(VG_DATA + 10) == 1 && !vg.ram[VG_DATA] && !vg.ram[VG_DATA + 1],
	       "behind a header without offloads");
	tap_ok(vg.t.level[11] && vg.written[VG_DATA] && vg.written[VG_DATA + 71] &&
	       !vg.written[VG_DATA + 72] && !vg.used_at_publish,
	       "the processor was told before the index moved");
	vg_put(frame, 1514);
	vg_event();
	tap_ok(vg_used() == 2 && vg_used_len() == 1526, "one of full size");
	vg_put(frame, 100);
	vg_put(frame + 1, 101);
	vg_event();
	tap_ok(vg_used() == 2 && vg.cable.taken == 2, "without buffers frames stay in the cable");
	buffer(0, 1518);
	buffer(1, 1518);
	vg_kick();
	tap_ok(vg_used() == 4 && vg.cable.taken == 4 &&
	       !memcmp(vg.ram + VG_DATA + 2048 + HEADER, frame + 1, 101),
	       "and come in order when there are some");
	vg_desc(0, VG_DATA, 4, VG_WRITE | VG_NEXT, 1);
	vg_desc(1, VG_DATA + 4, 10, VG_WRITE | VG_NEXT, 2);
	vg_desc(2, VG_DATA + 100, 200, VG_WRITE, 0);
	vg_avail(0);
	vg_put(frame, 90);
	vg_event();
	tap_ok(vg_used_len() == 102 && !memcmp(vg.ram + VG_DATA + 12, frame, 2) &&
	       !memcmp(vg.ram + VG_DATA + 100, frame + 2, 88), "a buffer in odd pieces");
	buffer(0, 59);
	buffer(1, 60);
	vg_put(frame, 60);
	vg_put(frame, 60);
	vg_event();
	tap_ok(vg_used() == 7 && vg_used_len() == 72 && vg.cable.net.stats.rx_dropped == 1 &&
	       vg.cable.net.stats.rx_packets == 6, "a buffer that is too small is given back empty");
	tap_ok(!vg.complaints, "no complaint");
}

static void test_transmit(void)
{
	unsigned int i;

	begin(PLAIN);
	transmit(60);
	tap_ok(sent(1, 60) && vg_used1() == 1 && vg.cable.flushed, "a frame goes");
	transmit(1514);
	tap_ok(sent(2, 1514), "one of full size");
	memcpy(vg.ram + VG_DATA + HEADER, frame, 100);
	tx_desc(0, VG_DATA, 5, VG_NEXT, 1);
	tx_desc(1, VG_DATA + 5, 20, VG_NEXT, 2);
	tx_desc(2, VG_DATA + 25, 87, 0, 0);
	vg_avail1(0);
	vg_kick1();
	tap_ok(sent(3, 100), "one in odd pieces");
	vg.cable.room = 2;
	/* The last three have descriptor and buffer in common. */
	for (i = 0; i < 5; i++)
		transmit(60 + i);
	tap_ok(vg.cable.sent == 5 && vg_used1() == 5, "without room frames wait in the queue");
	vg.cable.room = 10;
	vg_event();
	tap_ok(vg.cable.sent == 8 && vg_used1() == 8, "and go when there is some");
	tap_ok(vg.cable.net.stats.tx_packets == 8 && !vg.cable.net.stats.tx_dropped &&
	       vg.cable.net.stats.tx_bytes == 60 + 1514 + 100 + 60 + 61 + 3 * 64, "counted");
}

/* What is no frame is dropped, and the device goes on. */
static void test_bad_frames(void)
{
	begin(PLAIN);
	transmit(13);
	tap_ok(!vg.cable.sent && vg_used1() == 1, "less than an Ethernet header");
	transmit(0);
	tap_ok(!vg.cable.sent && vg_used1() == 2, "a header alone");
	tx_desc(0, VG_HEADER, 11, 0, 0);
	vg_avail1(0);
	vg_kick1();
	tap_ok(!vg.cable.sent && vg_used1() == 3, "less than a header");
	tx_desc(0, VG_HEADER, 0, 0, 0);
	vg_avail1(0);
	vg_kick1();
	tap_ok(!vg.cable.sent && vg_used1() == 4, "nothing");
	tx_desc(0, VG_DATA, 65535, VG_NEXT, 1);
	tx_desc(1, VG_DATA, 13, 0, 0);
	vg_avail1(0);
	vg_kick1();
	tap_ok(!vg.cable.sent && vg_used1() == 5, "65536 bytes");
	tx_desc(1, VG_DATA, 12, 0, 0);
	vg_avail1(0);
	vg_kick1();
	tap_ok(vg.cable.sent == 1 && vg.cable.last_size == 65535, "65535 bytes go");
	tap_ok(vg.cable.net.stats.tx_dropped == 5 && !vg.complaints, "all that is counted");
	vg_desc(0, VG_DATA, 0, VG_WRITE, 0);
	vg_avail(0);
	vg_put(frame, 60);
	vg_event();
	tap_ok(vg_used() == 1 && !vg_used_len() && !vg.complaints, "a buffer of no size");
	vg_desc(0, VG_DATA, 200, 0, 0);
	vg_avail(0);
	vg_put(frame, 60);
	vg_event();
	tap_ok(vg_used() == 2 && !vg_used_len() && !vg.complaints, "a buffer that is to be read");
}

static void test_link(void)
{
	begin(PLAIN);
	vg.cable.net.up = false;
	vg_event();
	tap_ok(mem_read(0x1000, 1) == 2 && !mem_read(0x2006, 2) && mem_read(21, 1) == 1,
	       "the cable is pulled out: an interrupt, link is down, a new generation");
	vg_event();
	tap_ok(!mem_read(0x1000, 1), "which is told once");
	transmit(60);
	tap_ok(!vg.cable.sent && vg_used1() == 1 && vg.cable.net.stats.tx_dropped == 1,
	       "frames are lost then, the queue does not stand still");
	vg_ready(PLAIN);
	tap_ok(!mem_read(0x2006, 2) && !mem_read(0x1000, 1), "a new driver reads it");
}

/* A driver that is not there yet, or no more. */
static void test_driver(void)
{
	begin(PLAIN);
	mem_write(20, 1, 0);
	vg_put(frame, 60);
	vg_event();
	tap_ok(!vg.cable.taken, "without a driver frames stay in the cable");
	vg_negotiate(PLAIN);
	vg.avail = 0;
	vg_store(VG_AVAIL + 2, 2, 0);
	vg_store(VG_USED + 2, 2, 0);
	vg_queue(VG_DESC, VG_AVAIL, VG_USED);
	vg_queue_of(1, VG_DESC1, VG_AVAIL1, VG_USED1);
	buffer(0, 1518);
	mem_write(20, 1, 15);
	machine_flush(&vg.m);
	tap_ok(vg.cable.taken == 1 && vg_used() == 1, "it gets them when it is ready");
	begin(PLAIN);
	vg_put(frame, 60);
	vg_negotiate(PLAIN);
	mem_write(20, 1, 15);
	vg_event();
	tap_ok(!vg.cable.taken && !vg.complaints, "a driver without queues");
}

static void test_legacy(void)
{
	vg_start_with(VG_NET, false);
	vg_find();
	io_write(18, 1, 3);
	tap_ok(io_read(20, 4) == 0x015e0002 && io_read(24, 2) == 0x0302 && io_read(26, 2) == 1,
	       "legacy configuration");
	io_write(4, 4, MAC | STATUS);
	io_write(14, 2, 0);
	io_write(8, 4, 1);		/* 1000h, 1800h, 2000h */
	io_write(14, 2, 1);
	io_write(8, 4, 4);		/* 4000h, 4800h, 5000h */
	io_write(18, 1, 7);
	vg_desc_at(0x1000, 0, VG_DATA, 10 + 60, VG_WRITE, 0);
	vg_store(0x1804, 2, 0);
	vg_store(0x1802, 2, 1);
	vg_put(frame, 60);
	io_write(16, 2, 0);
	machine_flush(&vg.m);
	tap_ok(vg_load16(0x2002) == 1 && !memcmp(vg.ram + VG_DATA + 10, frame, 60),
	       "a header of 10 bytes, to the guest");
	memcpy(vg.ram + VG_DATA + 10, frame, 64);
	vg_desc_at(0x4000, 0, VG_DATA, 74, 0, 0);
	vg_store(0x4804, 2, 0);
	vg_store(0x4802, 2, 1);
	io_write(16, 2, 1);
	machine_flush(&vg.m);
	tap_ok(vg_load16(0x5002) == 1 && sent(1, 64), "and from it");
}

/* Events: the driver is asked for a notification only when there is something to wait for. */
static void test_event_idx(void)
{
	begin(PLAIN | EVENT_IDX);
	buffer(0, 1518);
	vg_kick();
	vg_put(frame, 60);
	vg_put(frame, 60);
	vg_event();
	tap_ok(vg_used() == 1 && vg_load16(VG_USED + 4 + 8 * VIRTQUEUE_SIZE) == 1,
	       "buffers are asked for when a frame waits");
	transmit(60);
	tap_ok(vg_load16(VG_USED1 + 4 + 8 * VIRTQUEUE_SIZE) == 1, "and frames");
}

/* Frames without end, and a guest that always has buffers: others get their turn. */
static void test_rounds(void)
{
	unsigned int i;

	begin(PLAIN);
	for (i = 0; i < VG_FRAMES; i++)
		vg_put(frame, 60);
	vg.cable.taken = VG_FRAMES - 1;
	vg.cable.endless = true;
	/* The driver's index is that of the used ring: what is used is available again. */
	vg_desc(0, VG_DATA, 100, VG_WRITE, 0);
	vg_queue_of(1, VG_DESC1, VG_AVAIL1, VG_USED1);
	for (i = 0; i < VIRTQUEUE_SIZE; i++)
		vg_avail(0);
	vg_event();
	tap_ok(vg_used() == VIRTQUEUE_SIZE && !machine_deadline(&vg.m), "as many as buffers");
	begin(PLAIN);
	for (i = 0; i < VG_FRAMES; i++)
		vg_put(frame, 60);
	vg.cable.endless = true;
	mem_write(20, 1, 0);
	vg_negotiate(PLAIN);
	/* The rings lie over each other: each used element makes the next buffer available. */
	vg_queue(VG_DESC, VG_USED, VG_USED);
	mem_write(20, 1, 15);
	for (i = 0; i < 1000; i++) {
		vg_store(VG_USED + 2, 2, vg_load16(VG_USED + 2) + 100);
		vg_event();
	}
	tap_ok(true, "a ring that fills itself comes to an end");
}

static void test_save(void)
{
	static u8 buf[4096], again[4096];
	struct device *d;
	size_t n;

	begin(PLAIN);
	buffer(0, 1518);
	buffer(1, 1518);
	vg_put(frame, 60);
	vg_event();
	d = &vg.m.pci->dev;
	n = d->ops->save(d, buf, sizeof(buf));
	tap_ok(n <= sizeof(buf) && !d->ops->restore(d, buf, n) &&
	       d->ops->save(d, again, n) == n && !memcmp(buf, again, n), "saved and restored");
	vg_put(frame, 61);
	vg_event();
	transmit(62);
	tap_ok(vg_used() == 2 && vg_used_len() == 73 && sent(1, 62), "it goes on where it was");
}

static void lie(const char *name, const char *says)
{
	tap_ok(vg.complaints == 1 && strstr(vg.complaint, says) && (mem_read(20, 1) & 0x40) &&
	       (mem_read(0x1000, 1) & 2), "%s", name);
	vg.avail = 0;
	vg.avail1 = 0;
	vg_store(VG_AVAIL + 2, 2, 0);
	vg_store(VG_AVAIL1 + 2, 2, 0);
	vg.cable.sent = 0;
	vg_ready(PLAIN);
	transmit(60);
	if (!sent(1, 60) || vg.complaints != 1)
		tap_ok(false, "%s: reset", name);
}

static void test_lies(void)
{
	begin(PLAIN);
	vg_desc(0, VG_DATA, 100, VG_WRITE | VG_NEXT, 0);
	vg_avail(0);
	vg_put(frame, 60);
	vg_event();
	lie("a loop to be filled", "or a loop");
	begin(PLAIN);
	tx_desc(0, VG_HEADER, 12, VG_NEXT, 0);
	vg_avail1(0);
	vg_kick1();
	lie("a loop to be sent", "or a loop");
	begin(PLAIN);
	tx_desc(0, VG_RAM - 50, 100, 0, 0);
	vg_avail1(0);
	vg_kick1();
	lie("a frame over the end of RAM", "outside RAM");
	begin(PLAIN);
	vg_desc(0, VG_HOLE - 50, 100, VG_WRITE, 0);
	vg_avail(0);
	vg_put(frame, 60);
	vg_event();
	lie("a buffer into the hole", "outside RAM");
	begin(PLAIN);
	vg_store(VG_AVAIL1 + 2, 2, 0x4000);
	vg_kick1();
	lie("an index far ahead", "too far ahead");
	begin(PLAIN);
	vg_desc(0, VG_HEADER, 12, VG_WRITE | VG_NEXT, 1);
	vg_desc(1, VG_DATA, 100, 0, 0);
	vg_avail(0);
	vg_put(frame, 60);
	vg_event();
	lie("a buffer to be read behind one to be written", "comes after");
}

int main(void)
{
	tap_plan(5 + 10 + 6 + 9 + 4 + 3 + 3 + 2 + 2 + 2 + 6);
	test_negotiation();
	test_receive();
	test_transmit();
	test_bad_frames();
	test_link();
	test_driver();
	test_legacy();
	test_event_idx();
	test_rounds();
	test_save();
	test_lies();
	vg_end();
	return tap_done();
}
