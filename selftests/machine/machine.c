// SPDX-License-Identifier: GPL-2.0
/*
 * CPU side of the reference machine: memory with a software TLB, the emulator's
 * operations, and the step.
 *
 * The TLB holds what the walker answered, tagged by page and privilege and per
 * kind of access, so that accessed and dirty bits are set by the walker before
 * an entry can be hit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine.h"
#include "vm/cpuid.h"
#include "vm/msr.h"

#define PAGE	4096u

static u32 phys_read32(void *priv, u64 gpa)
{
	struct machine *m = priv;
	u32 val = ~0u;

	if (gpa + 4 <= m->ram_size)
		memcpy(&val, m->ram + gpa, 4);
	return val;
}

static u64 phys_read64(void *priv, u64 gpa)
{
	struct machine *m = priv;
	u64 val = ~0ull;

	if (gpa + 8 <= m->ram_size)
		memcpy(&val, m->ram + gpa, 8);
	return val;
}

static bool phys_cmpxchg32(void *priv, u64 gpa, u32 old, u32 new)
{
	struct machine *m = priv;

	(void)old;
	if (gpa + 4 <= m->ram_size)
		memcpy(m->ram + gpa, &new, 4);
	return true;
}

static bool phys_cmpxchg64(void *priv, u64 gpa, u64 old, u64 new)
{
	struct machine *m = priv;

	(void)old;
	if (gpa + 8 <= m->ram_size)
		memcpy(m->ram + gpa, &new, 8);
	return true;
}

static const struct vmon_phys_ops phys = {
	.read32 = phys_read32,
	.read64 = phys_read64,
	.cmpxchg32 = phys_cmpxchg32,
	.cmpxchg64 = phys_cmpxchg64,
};

static unsigned int kind_of(unsigned int acc)
{
	return acc & VMON_ACC_W ? 1 : acc & VMON_ACC_X ? 2 : 0;
}

static inline struct machine_tlb *tlb_slot(struct machine *m, u32 gva,
					   bool user)
{
	return &m->tlb[((gva >> 12) ^ (user ? 0x800 : 0)) % MACHINE_TLB_SIZE];
}

static inline u32 tlb_tag(const struct machine *m, u32 gva, bool user)
{
	return (gva & ~(PAGE - 1)) | m->tlb_epoch << 2 | (user ? 2 : 0) | 1;
}

/* Ten bits of the tag are an epoch, so a flush is seldom a memset. */
static void tlb_flush(struct machine *m)
{
	m->tlb_epoch = (m->tlb_epoch + 1) & 0x3ff;
	if (!m->tlb_epoch)
		memset(m->tlb, 0, sizeof(m->tlb));
}

/*
 * Host address of a guest linear address, NULL if it is not RAM (*@ret is
 * VMON_EMU_OK then) or not mapped (VMON_EMU_FAULT).
 */
static u8 *translate(struct machine *m, u32 gva, unsigned int acc, int *ret)
{
	bool user = acc & VMON_ACC_U;
	struct machine_tlb *t = tlb_slot(m, gva, user);
	u32 tag = tlb_tag(m, gva, user);
	struct vmon_walk w;

	*ret = VMON_EMU_OK;
	if (t->tag[kind_of(acc)] == tag)
		return t->host + (gva & (PAGE - 1));
	if (vmon_walk(&m->cpu, &phys, m, gva, acc, &w)) {
		*ret = vmon_emu_page_fault(&m->emu, gva, w.error);
		return NULL;
	}
	if ((w.gpa | (PAGE - 1)) >= m->ram_size)
		return NULL;
	if (t->tag[0] != tag && t->tag[1] != tag && t->tag[2] != tag)
		memset(t->tag, 0, sizeof(t->tag));
	t->host = m->ram + (w.gpa & ~(u64)(PAGE - 1));
	t->tag[kind_of(acc)] = tag;
	return t->host + (gva & (PAGE - 1));
}

/* A piece of an access that stays in one page. */
static void copy_piece(u8 *host, void *buf, unsigned int len, bool write)
{
	if (!host) {
		if (!write)
			memset(buf, 0xff, len);
		return;
	}
	if (write)
		memcpy(host, buf, len);
	else
		memcpy(buf, host, len);
}

static int access_slow(struct machine *m, u32 gva, void *buf, unsigned int len,
		       unsigned int acc, bool write)
{
	unsigned int first = PAGE - (gva & (PAGE - 1));
	u8 *host[2] = { NULL, NULL };
	int ret;

	if (first > len)
		first = len;
	host[0] = translate(m, gva, acc, &ret);
	if (ret == VMON_EMU_OK && first < len)
		host[1] = translate(m, gva + first, acc, &ret);
	if (ret != VMON_EMU_OK)
		return ret;
	copy_piece(host[0], buf, first, write);
	if (first < len)
		copy_piece(host[1], (u8 *)buf + first, len - first, write);
	return VMON_EMU_OK;
}

static int op_read(struct vmon_emu *e, u32 gva, void *buf, unsigned int len,
		   unsigned int acc)
{
	struct machine *m = e->priv;
	bool user = acc & VMON_ACC_U;
	struct machine_tlb *t = tlb_slot(m, gva, user);
	u32 off = gva & (PAGE - 1);

	if (t->tag[kind_of(acc)] != tlb_tag(m, gva, user) || off + len > PAGE)
		return access_slow(m, gva, buf, len, acc, false);
	switch (len) {
	case 4:
		memcpy(buf, t->host + off, 4);
		break;
	case 1:
		memcpy(buf, t->host + off, 1);
		break;
	case 2:
		memcpy(buf, t->host + off, 2);
		break;
	default:
		memcpy(buf, t->host + off, len);
		break;
	}
	return VMON_EMU_OK;
}

static int op_write(struct vmon_emu *e, u32 gva, const void *buf,
		    unsigned int len, unsigned int acc)
{
	struct machine *m = e->priv;
	bool user = acc & VMON_ACC_U;
	struct machine_tlb *t = tlb_slot(m, gva, user);
	u32 off = gva & (PAGE - 1);

	if (t->tag[1] != tlb_tag(m, gva, user) || off + len > PAGE)
		return access_slow(m, gva, (void *)buf, len, acc, true);
	switch (len) {
	case 4:
		memcpy(t->host + off, buf, 4);
		break;
	case 1:
		memcpy(t->host + off, buf, 1);
		break;
	case 2:
		memcpy(t->host + off, buf, 2);
		break;
	default:
		memcpy(t->host + off, buf, len);
		break;
	}
	return VMON_EMU_OK;
}

static int op_in(struct vmon_emu *e, u16 port, unsigned int len, u32 *val)
{
	*val = devices_in(e->priv, port, len);
	return VMON_EMU_OK;
}

static int op_out(struct vmon_emu *e, u16 port, unsigned int len, u32 val)
{
	devices_out(e->priv, port, len, val);
	return VMON_EMU_OK;
}

static void op_cpuid(struct vmon_emu *e, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	(void)e;
	vmon_cpuid(eax, ebx, ecx, edx, true, false, 0);
}

static u64 op_tsc(struct vmon_emu *e)
{
	struct machine *m = e->priv;

	return machine_now(m) + m->cpu.tsc_offset;
}

static bool op_rdmsr(struct vmon_emu *e, u32 msr, u64 *val)
{
	return vmon_msr_read(e->cpu, op_tsc(e), msr, val);
}

static bool op_wrmsr(struct vmon_emu *e, u32 msr, u64 val)
{
	bool ok = vmon_msr_write(e->cpu, op_tsc(e), msr, val);

	if (ok && msr == VMON_MSR_EFER)
		tlb_flush(e->priv);
	return ok;
}

static int op_set_cr(struct vmon_emu *e, unsigned int cr, u32 old)
{
	const u32 cr0_bits = VMON_CR0_PG | VMON_CR0_WP | VMON_CR0_PE;
	const u32 cr4_bits = VMON_CR4_PAE | VMON_CR4_PSE | VMON_CR4_PGE;
	struct vmon_cpu *cpu = e->cpu;
	bool reload = cr == 3;

	if (cr == 0) {
		if (!((cpu->cr0 ^ old) & cr0_bits))
			return VMON_EMU_OK;
		reload = (cpu->cr0 ^ old) & VMON_CR0_PG;
	} else if (cr == 4) {
		if (!((cpu->cr4 ^ old) & cr4_bits))
			return VMON_EMU_OK;
		reload = true;
	}
	if (reload && vmon_pae_paging(cpu) &&
	    !vmon_walk_load_pdptrs(cpu, &phys, e->priv))
		return vmon_emu_fault_code(e, VMON_EXC_GP, 0);
	tlb_flush(e->priv);
	return VMON_EMU_OK;
}

/* All of it: the address may lie in a large page, of which there are many slots. */
static void op_invlpg(struct vmon_emu *e, u32 gva)
{
	(void)gva;
	tlb_flush(e->priv);
}

static const struct vmon_emu_ops ops = {
	.read = op_read,
	.write = op_write,
	.in = op_in,
	.out = op_out,
	.cpuid = op_cpuid,
	.rdmsr = op_rdmsr,
	.wrmsr = op_wrmsr,
	.tsc = op_tsc,
	.set_cr = op_set_cr,
	.invlpg = op_invlpg,
};

struct machine *machine_new(u64 ram_size)
{
	struct machine *m = aligned_alloc(64, sizeof(*m));

	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	m->ram = mmap(NULL, ram_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->ram == MAP_FAILED || native_fpu_init()) {
		free(m);
		return NULL;
	}
	m->ram_size = ram_size;
	m->console = stdout;
	vmon_cpu_reset(&m->cpu);
	m->emu.cpu = &m->cpu;
	m->emu.ops = &ops;
	m->emu.priv = m;
	devices_reset(m);
	return m;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	munmap(m->ram, m->ram_size);
	free(m);
}

/* Are the bytes still those that were decoded? 15 bytes may be read. */
static inline bool same_bytes(const u8 *host, const struct vmon_insn *insn)
{
	unsigned int len = insn->len;
	u64 a, b;

	memcpy(&a, host, 8);
	memcpy(&b, insn->bytes, 8);
	if (len < 8)
		return !((a ^ b) << (64 - 8 * len));
	return a == b && !memcmp(host + 8, insn->bytes + 8, len - 8);
}

/* The instruction at CS:EIP from the cache, or decoded into it. */
static bool fetch_cached(struct machine *m)
{
	struct vmon_cpu *cpu = &m->cpu;
	const struct vmon_seg *cs = &cpu->seg[VMON_CS];
	bool code32 = cs->attr & VMON_SEG_DB, user = cpu->cpl == 3;
	u32 gva = cs->base + cpu->eip, off = gva & (PAGE - 1);
	struct machine_tlb *t = tlb_slot(m, gva, user);
	struct machine_code *c;
	const u8 *host;

	if (t->tag[2] != tlb_tag(m, gva, user) || off > PAGE - VMON_INSN_MAX)
		return false;
	if (cpu->eip > cs->limit || cs->limit - cpu->eip < VMON_INSN_MAX - 1)
		return false;
	host = t->host + off;
	c = &m->code[((uintptr_t)host ^ (uintptr_t)host >> 16) %
		     MACHINE_CODE_SIZE];
	if (c->host == host && c->code32 == code32 &&
	    same_bytes(host, &c->insn)) {
		m->emu.insn = c->insn;
		return true;
	}
	m->stat_decode++;
	if (vmon_decode(&m->emu.insn, host, VMON_INSN_MAX, code32))
		return false;
	c->host = host;
	c->code32 = code32;
	c->insn = m->emu.insn;
	return true;
}

static int deliver(struct machine *m, const struct vmon_emu_exc *exc)
{
	int ret = vmon_emu_deliver(&m->emu, exc);

	/* The privilege level may have changed; tags take care of that. */
	return ret;
}

static enum machine_result halted(struct machine *m)
{
	u64 deadline = vmon_pit_deadline(&m->pit), now = machine_now(m);

	if (!(m->cpu.eflags & VMON_FL_IF))
		return MACHINE_DEADLOCK;
	if (vmon_pic_intr(&m->pic)) {
		m->cpu.halted = false;
		return MACHINE_RUNNING;
	}
	if (deadline == VMON_PIT_NEVER)
		deadline = now + 1000000;
	if (deadline > now)
		m->skipped_ns += deadline - now;
	devices_update(m);
	return MACHINE_RUNNING;
}

enum machine_result machine_step(struct machine *m)
{
	struct vmon_cpu *cpu = &m->cpu;
	int ret;

	if (m->insns >= m->next_event) {
		devices_update(m);
		m->next_event = m->insns + 256;
	}
	if (cpu->halted)
		return halted(m);
	if (vmon_pic_intr(&m->pic) && (cpu->eflags & VMON_FL_IF) &&
	    !cpu->shadow) {
		struct vmon_emu_exc irq = { .vector = vmon_pic_ack(&m->pic) };

		m->stat_irq++;
		ret = deliver(m, &irq);
	} else {
		m->insns++;
		ret = fetch_cached(m) ? vmon_emu_exec(&m->emu) :
		      vmon_emulate(&m->emu);
		if (ret == VMON_EMU_FPU) {
			m->stat_fpu++;
			ret = native_fpu(m);
		}
		if (ret == VMON_EMU_FAULT) {
			struct vmon_emu_exc exc = m->emu.exc;

			m->stat_exc++;
			ret = deliver(m, &exc);
		}
	}
	if (ret != VMON_EMU_OK)
		return MACHINE_UNSUPPORTED;
	if (cpu->shutdown || m->stop)
		return MACHINE_RESET;
	return MACHINE_RUNNING;
}

void machine_report(struct machine *m, FILE *to)
{
	static const char *const names[] = { "eax", "ecx", "edx", "ebx",
					     "esp", "ebp", "esi", "edi" };
	const struct vmon_cpu *c = &m->cpu;
	unsigned int i;

	fprintf(to, "insn %llu: %04x:%08x %s", (unsigned long long)m->insns,
		c->seg[VMON_CS].sel, c->eip, vmon_op_name(m->emu.insn.op));
	for (i = 0; i < m->emu.insn.len; i++)
		fprintf(to, " %02x", m->emu.insn.bytes[i]);
	fprintf(to, "\n");
	for (i = 0; i < 8; i++)
		fprintf(to, "%s=%08x%c", names[i], c->gpr[i],
			i % 4 == 3 ? '\n' : ' ');
	fprintf(to, "efl=%08x cpl=%u cr0=%08x cr2=%08x cr3=%08x cr4=%08x\n",
		c->eflags, c->cpl, c->cr0, c->cr2, c->cr3, c->cr4);
	for (i = 0; i < VMON_NR_SEGS; i++)
		fprintf(to, "seg%u=%04x base=%08x limit=%08x attr=%04x\n", i,
			c->seg[i].sel, c->seg[i].base, c->seg[i].limit,
			c->seg[i].attr);
}
