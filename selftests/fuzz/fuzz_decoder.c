// SPDX-License-Identifier: GPL-2.0
/*
 * The decoder on a stream of instructions. Each is decoded with every number of
 * bytes from none to more than it needs: as long as they are too few the answer is
 * -EAGAIN, and from the first other answer on it never changes, whatever follows. No
 * byte beyond those that it was given is read: each try has a buffer of its size.
 */
#include <errno.h>

#include "emulator/decode.h"
#include "fuzz.h"

#define STREAM	64
#define TRY	(VMON_INSN_MAX + 3)

static int decode_exact(struct vmon_insn *insn, const u8 *bytes, unsigned int n, bool code32)
{
	u8 *copy = malloc(n ? n : 1);
	int ret;

	memcpy(copy, bytes, n);
	ret = vmon_decode(insn, n ? copy : copy + 1, n, code32);
	free(copy);
	return ret;
}

static bool part_inside(const struct vmon_insn *in, unsigned int off, unsigned int size)
{
	return !size || (off > in->prefix_len && off + size <= in->len);
}

static void check_operand(const struct vmon_insn *in, const struct vmon_opnd *o)
{
	static const u8 nr[] = {
		[VMON_OPND_REG] = 8, [VMON_OPND_SREG] = VMON_NR_SREGS, [VMON_OPND_CR] = 8,
		[VMON_OPND_DR] = 8, [VMON_OPND_VEC] = 8,
	};

	fuzz_check(o->kind <= VMON_OPND_VEC, "operand kind %u", o->kind);
	if (o->kind < sizeof(nr) && nr[o->kind])
		fuzz_check(o->reg < nr[o->kind], "kind %u, register %u", o->kind, o->reg);
	if (o->kind == VMON_OPND_REG)
		fuzz_check(o->size == 1 || o->size == 2 || o->size == 4, "register of %u bytes",
			   o->size);
	if (o->kind == VMON_OPND_SREG)
		fuzz_check(in->flags & (VMON_I_SENSITIVE | VMON_I_SEGLOAD | VMON_I_PRIV),
			   "%s of a segment register is not sensitive", vmon_op_name(in->op));
	if (o->kind == VMON_OPND_CR || o->kind == VMON_OPND_DR)
		fuzz_check(in->flags & VMON_I_PRIV, "control register, not privileged");
}

static void check_insn(const struct vmon_insn *in, const u8 *bytes, unsigned int avail)
{
	unsigned int i;

	fuzz_check(in->len >= 1 && in->len <= VMON_INSN_MAX, "length %u", in->len);
	fuzz_check(in->len <= avail, "length %u of %u", in->len, avail);
	fuzz_check(!memcmp(in->bytes, bytes, in->len), "not the bytes decoded");
	fuzz_check(in->op > VMON_OP_INVALID && in->op < VMON_NR_OPS, "operation %u", in->op);
	fuzz_check(vmon_op_name(in->op) && vmon_op_name(in->op)[0], "no name for %u", in->op);
	fuzz_check(in->opsize == 2 || in->opsize == 4, "operand size %u", in->opsize);
	fuzz_check(in->adsize == 2 || in->adsize == 4, "address size %u", in->adsize);
	fuzz_check(in->prefix_len < in->len, "%u prefixes in %u bytes", in->prefix_len, in->len);
	fuzz_check(in->map <= 3 && in->cc <= 15 && in->scale <= 3, "map, condition or scale");
	fuzz_check(in->seg < VMON_NR_SREGS, "segment %u", in->seg);
	fuzz_check(in->base < 8 || in->base == VMON_NO_REG, "base %u", in->base);
	fuzz_check(in->index == VMON_NO_REG || (in->index < 8 && in->index != VMON_ESP),
		   "index %u", in->index);
	fuzz_check(part_inside(in, in->disp_off, in->disp_size), "displacement outside");
	fuzz_check(part_inside(in, in->imm_off, in->imm_size), "immediate outside");
	fuzz_check(part_inside(in, in->modrm_off, in->has_modrm), "ModRM outside");
	if (in->has_modrm)
		fuzz_check(bytes[in->modrm_off] == in->modrm, "another ModRM");
	if (in->disp_size && in->imm_size)
		fuzz_check(in->disp_off + in->disp_size <= in->imm_off, "parts overlap");
	if (in->flags & VMON_I_COND)
		fuzz_check(in->flags & VMON_I_BRANCH, "conditional, no branch");
	if (in->prefixes & VMON_P_LOCK)
		fuzz_check(in->flags & VMON_I_LOCKABLE && in->opnd[0].kind == VMON_OPND_MEM,
			   "LOCK taken by %s", vmon_op_name(in->op));
	for (i = 0; i < 3; i++)
		check_operand(in, &in->opnd[i]);
}

/* One instruction at @bytes. Return: how far to go on. */
static unsigned int one(const u8 *bytes, unsigned int left, bool code32)
{
	struct vmon_insn first, insn;
	unsigned int n, known = 0;
	bool settled = false;
	u8 other[TRY];
	int ret, was = -EAGAIN;

	for (n = 0; n <= left && n <= TRY; n++) {
		ret = decode_exact(&insn, bytes, n, code32);
		fuzz_check(ret == 0 || ret == -EAGAIN || ret == -EINVAL || ret == -E2BIG,
			   "result %d", ret);
		fuzz_check(ret != -EAGAIN || n < VMON_INSN_MAX, "-EAGAIN of %u bytes", n);
		if (!settled) {
			if (ret == -EAGAIN)
				continue;
			settled = true;
			first = insn;
			was = ret;
			known = n;
			continue;
		}
		fuzz_check(ret == was, "%d with %u bytes, %d with %u", was, known, ret, n);
		fuzz_check(!memcmp(&first, &insn, sizeof(insn)) || ret, "%u bytes, then %u: differ",
			   known, n);
		fuzz_check(insn.op == first.op && insn.len == first.len, "refused otherwise");
	}
	if (!settled)
		return left ? left : 1;
	fuzz_check(was != -E2BIG || known >= VMON_INSN_MAX, "-E2BIG of %u bytes", known);
	if (was)
		return 1;
	check_insn(&first, bytes, known);
	fuzz_check(first.len == known, "decided with %u bytes, has %u", known, first.len);
	/* What follows is of no concern. */
	memset(other, 0xa5, sizeof(other));
	memcpy(other, bytes, first.len);
	fuzz_check(!vmon_decode(&insn, other, sizeof(other), code32) &&
		   !memcmp(&first, &insn, sizeof(insn)), "depends on what follows");
	return first.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int at = 0, n;
	bool code32;

	if (!size)
		return 0;
	code32 = !(*data++ & 1);
	n = size - 1 < STREAM ? size - 1 : STREAM;
	while (at < n)
		at += one(data + at, n - at, code32);
	return 0;
}
