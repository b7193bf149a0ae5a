// SPDX-License-Identifier: GPL-2.0
/*
 * The translator under a guest that writes, remaps and jumps as it likes: after
 * every step each new unit is taken apart (bt_check.c), and at the end all that the
 * cache leads to must be made from what the guest's memory holds now.
 */
#include <errno.h>

#include "bt_check.h"
#include "fuzz.h"

#define SIZE		VMON_BT_MIN_SIZE
#define BASE		0xf0000000u
#define CODE		0xc0100000u
#define PAGES		6u	/* linear pages at CODE */
#define FRAMES		4u	/* frames from FIRST_GFN */
#define FIRST_GFN	0x100u
#define NOT_MAPPED	FRAMES
#define SITES		64u
#define STEPS		40u

static u8 guest[FRAMES * 4096];
static u8 map[PAGES];		/* frame of a linear page */
static bool traced[FRAMES];
static struct vmon_bt *bt;
static u8 *cache;

static u8 *page_of(u32 gva)
{
	u32 k = (gva - CODE) >> 12;

	if (gva < CODE || k >= PAGES || map[k] == NOT_MAPPED)
		return NULL;
	return guest + map[k] * 4096;
}

static int fetch(void *priv, u32 gva, void *buf, unsigned int len, u64 *gpa)
{
	u8 *page = page_of(gva);

	fuzz_check((gva & 0xfff) + len <= 0x1000, "fetch of %u at %#x crosses a page", len, gva);
	if (!page)
		return -1;
	memcpy(buf, page + (gva & 0xfff), len);
	*gpa = (FIRST_GFN << 12) + (page - guest) + (gva & 0xfff);
	return len;
}

static void protect(void *priv, u32 gfn)
{
	fuzz_check(gfn - FIRST_GFN < FRAMES, "frame %#x", gfn);
	traced[gfn - FIRST_GFN] = true;
}

static const struct vmon_bt_ops ops = {
	.fetch = fetch, .protect = protect, .alloc = malloc, .free = free,
};

unsigned int guest_bytes(u32 gva, u8 *buf, unsigned int len)
{
	unsigned int n;

	for (n = 0; n < len; n++) {
		u8 *page = page_of(gva + n);

		if (!page)
			break;
		buf[n] = page[(gva + n) & 0xfff];
	}
	return n;
}

u32 guest_gfn(u32 gva)
{
	u8 *page = page_of(gva);

	return page ? FIRST_GFN + (page - guest) / 4096 : ~0u;
}

static u32 any_eip(struct fuzz_in *in)
{
	u32 v = fuzz_u16(in);

	/* Mostly near a page's begin, where the input's code is. */
	return CODE + ((v >> 13) % PAGES << 12) + (v & 0x1000 ? v & 0xfff : v & 0x3f);
}

/* What writes to a traced frame lead to; writes to others are nobody's concern. */
static void guest_write(struct fuzz_in *in)
{
	u32 at = (u32)(any_eip(in) - CODE) % sizeof(guest), len = 1 + fuzz_u8(in) % 48;
	u32 gfn;

	if (len > sizeof(guest) - at)
		len = sizeof(guest) - at;
	fuzz_bytes(in, guest + at, len);
	if (traced[at >> 12] || traced[(at + len - 1) >> 12])
		vmon_bt_invalidate_gpa(bt, (FIRST_GFN << 12) + at, len);
	for (gfn = 0; gfn < FRAMES; gfn++)
		if (traced[gfn] && !vmon_bt_gfn_used(bt, FIRST_GFN + gfn))
			traced[gfn] = false;
}

static void remap(struct fuzz_in *in)
{
	u32 k = fuzz_u8(in) % PAGES;

	map[k] = fuzz_u8(in) % (FRAMES + 1);
	vmon_bt_invalidate_gva(bt, CODE + (k << 12), 1 + fuzz_u8(in) % 64 * 256);
}

/* An address in the cache: a site of a unit, or anything. */
static u32 any_tc(struct fuzz_in *in)
{
	u32 n, k = fuzz_u16(in);

	if (!bt->nunits || k & 0x8000)
		return bt->base + (k % 0x100 << 8 | fuzz_u8(in));
	n = 1 + k % bt->nunits;
	return bt->base + bt->units[n].tc +
	       bt->map[bt->units[n].map + fuzz_u8(in) % bt->units[n].nmap].tc;
}

static u32 call_result(int err, u32 tc, u32 eip)
{
	struct vmon_bt_pos pos;

	fuzz_check(!err || err == -EFAULT, "result %d", err);
	if (err)
		return 0;
	fuzz_check(!vmon_bt_locate(bt, tc, &pos), "%#x: no unit at %#x", eip, tc);
	fuzz_check(pos.eip == eip || pos.site == VMON_BT_CHAIN, "%#x leads to %#x", eip, pos.eip);
	return tc;
}

static void step(struct fuzz_in *in)
{
	struct vmon_bt_pos pos;
	u32 tc = 0, site, eip;

	switch (fuzz_u8(in) % 12) {
	case 0:
	case 1:
		guest_write(in);
		break;
	case 2:
		remap(in);
		break;
	case 3:
		vmon_bt_force_callout(bt, any_eip(in));
		break;
	case 4:
		if (fuzz_u8(in) % 8 == 0)
			vmon_bt_flush(bt, BASE + (fuzz_u8(in) << 22) % 0x0f000000);
		break;
	case 5:
		(void)vmon_bt_locate(bt, any_tc(in), &pos);
		break;
	case 6:
	case 7:
	case 8:
		site = any_tc(in);
		if (vmon_bt_locate(bt, site, &pos))
			break;
		eip = pos.site == VMON_BT_CHAIN ? pos.target : any_eip(in);
		call_result(vmon_bt_resume(bt, site, eip, &tc), tc, eip);
		break;
	default:
		eip = any_eip(in);
		call_result(vmon_bt_enter(bt, eip, &tc), tc, eip);
	}
}

static void start(struct fuzz_in *in)
{
	u32 k, n;

	if (!bt) {
		cache = malloc(SIZE);
		bt = vmon_bt_create(&ops, NULL, cache, SIZE, BASE);
		fuzz_check(bt, "no translator");
		memset(cache + BT_CODE_START, 0xee, SIZE - BT_CODE_START);
		bt_check_init();
	}
	memset(bt->forced, 0, sizeof(bt->forced));
	memset(traced, 0, sizeof(traced));
	memset(guest, 0x90, sizeof(guest));
	vmon_bt_flush(bt, BASE);
	for (k = 0; k < PAGES; k++)
		map[k] = k % FRAMES;
	n = fuzz_u8(in);
	fuzz_bytes(in, guest, n);
	/* The same across a page's end, and code that jumps about. */
	memcpy(guest + 0x2000 - n / 2, guest, n);
	for (k = 0; k < 4096; k += 16)
		memcpy(guest + 0x3000 + k, "\x85\xc0\x74\x0c\xe8\x10\x00\x00\x00\xeb\xf5", 11);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	u32 generation, from, n, i;

	start(&in);
	for (i = 0; i < STEPS && fuzz_left(&in); i++) {
		from = bt->nunits;
		generation = bt->stats.flushes;
		step(&in);
		if (generation != bt->stats.flushes)
			from = 0;
		for (n = from + 1; n <= bt->nunits; n++)
			bt_check_unit(bt, n);
	}
	bt_check_cache(bt);
	return 0;
}
