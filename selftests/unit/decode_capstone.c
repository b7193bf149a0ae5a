// SPDX-License-Identifier: GPL-2.0
/*
 * The decoder against Capstone, a second opinion that shares no code or tables
 * with Zydis: the length of random instructions in 32- and 16-bit mode.
 *
 * Capstone is a disassembler and lenient: it decodes bytes that raise #UD. So
 * its acceptance proves nothing; where both decode, the lengths must agree, and
 * what we decode it must too, except for the encodings listed below.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <capstone/capstone.h>

#include "emulator/decode.h"
#include "tap.h"

#define CASES 1000000

static u64 rng = 0x2545f4914f6cdd1dull;

static u64 next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/*
 * What Capstone 4.0 does not know. Besides, UD0 and UD1 have no ModRM there,
 * the only case in which lengths may differ.
 */
static bool known_fault(const struct vmon_insn *i, bool code32)
{
	const u8 prefix = VMON_P_OPSIZE | VMON_P_REP | VMON_P_REPNE;

	if (i->op == VMON_OP_UD)
		return true;
	if (i->op == VMON_OP_NOP)	/* reserved NOPs and hints */
		return i->map == 1;
	if (i->op == VMON_OP_FENCE)	/* r/m other than 0 */
		return i->modrm >= 0xc0 && (i->modrm & 7);
	/* GFNI is younger */
	if ((i->map == 2 && i->opcode == 0xcf) ||
	    (i->map == 3 && (i->opcode == 0xce || i->opcode == 0xcf)))
		return true;
	/* in 16-bit mode, mandatory prefixes of many instructions */
	return !code32 && i->map && i->prefixes & prefix &&
	       i->op >= VMON_OP_POPCNT;
}

static void complain(const char *what, const struct vmon_insn *i, bool code32,
		     const cs_insn *cs)
{
	static bool seen[4][256];
	unsigned int n;

	if (seen[i->map][i->opcode])
		return;
	seen[i->map][i->opcode] = true;
	printf("# %u-bit ", code32 ? 32 : 16);
	for (n = 0; n < i->len; n++)
		printf("%02x", i->bytes[n]);
	printf(": %s; here %s len %u", what, vmon_op_name(i->op), i->len);
	if (cs)
		printf(", Capstone %s %s len %u", cs->mnemonic, cs->op_str,
		       cs->size);
	printf("\n");
}

static void run(csh handle, bool code32)
{
	unsigned long both = 0, faults = 0, length = 0, missed = 0, n;
	cs_insn *cs = cs_malloc(handle);
	struct vmon_insn i;
	u8 b[16];

	for (n = 0; n < CASES; n++) {
		u64 r[2] = { next(), next() };
		uint64_t pc = 0;
		const u8 *p = b;
		size_t left = VMON_INSN_MAX;
		bool theirs;

		memcpy(b, r, sizeof(b));
		/* a bias towards the larger maps, with mandatory prefixes */
		if (n & 2) {
			static const u8 lead[] = { 0x66, 0xf2, 0xf3, 0x64 };
			unsigned int k = n & 4 ? 1 : 0;

			b[0] = lead[(n >> 4) & 3];
			b[k++] = 0x0f;
			if ((n & 9) == 9)
				b[k] = n & 64 ? 0x38 : 0x3a;
		}
		if (vmon_decode(&i, b, VMON_INSN_MAX, code32))
			continue;
		theirs = cs_disasm_iter(handle, &p, &left, &pc, cs);
		if (theirs && cs->size == i.len) {
			both++;
		} else if (theirs ? i.op == VMON_OP_UD :
				    known_fault(&i, code32)) {
			faults++;
		} else if (theirs) {
			length++;
			complain("length", &i, code32, cs);
		} else {
			missed++;
			complain("unknown there", &i, code32, NULL);
		}
	}
	tap_ok(!length, "%u-bit: length of %lu instructions of %u cases",
	       code32 ? 32 : 16, both, CASES);
	tap_ok(!missed, "%u-bit: what is valid here is valid there",
	       code32 ? 32 : 16);
	printf("# %lu lengths differ, %lu unknown there, %lu known faults\n",
	       length, missed, faults);
	cs_free(cs, 1);
}

int main(void)
{
	csh handle;

	tap_plan(4);
	if (cs_open(CS_ARCH_X86, CS_MODE_32, &handle))
		return 1;
	run(handle, true);
	cs_close(&handle);
	if (cs_open(CS_ARCH_X86, CS_MODE_16, &handle))
		return 1;
	run(handle, false);
	cs_close(&handle);
	return tap_done();
}
