// SPDX-License-Identifier: GPL-2.0
/*
 * A test module: NMIs for vmon's world switch, every one accounted for.
 *
 * Each CPU's timer sends an NMI to the next CPU, but never a second one before the
 * first has been seen there: NMIs that wait together become one, so only then is
 * "sent" to be equal to "seen" in the end, and one that does not come is missed.
 *
 * With claim=1 nothing is sent, and every NMI that comes is taken for one that was
 * injected from outside.
 */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/nmi.h>
#include <linux/percpu.h>
#include <linux/version.h>
#include <asm/apic.h>
#include <asm/nmi.h>

static unsigned int interval_us = 50;
module_param(interval_us, uint, 0444);
MODULE_PARM_DESC(interval_us, "time between two NMIs that a CPU sends");

static bool claim;
module_param(claim, bool, 0444);
MODULE_PARM_DESC(claim, "send none, take every NMI as one that was injected");

/* Set from outside, by a debugger: what runs in this machine may end. */
static int nmi_storm_done;
module_param_named(done, nmi_storm_done, int, 0644);

/* An NMI that has not come after so many periods of the timer counts as lost. */
#define LOST_PERIODS	100000
/* Or that has not come after so many times 100 us when its CPU is to go off. */
#define GO_DOWN_WAITS	100000

struct storm {
	struct hrtimer timer;
	int waiting;		/* an NMI for this CPU is on its way */
	bool ready;
	unsigned int periods;	/* that the sender has waited for it */
	unsigned long sent;	/* to this CPU */
	unsigned long seen;
	unsigned long lost;
};

static DEFINE_PER_CPU(struct storm, storms);

static unsigned long sum(size_t offset)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(*(unsigned long *)((void *)per_cpu_ptr(&storms, cpu) + offset));
	return n;
}

static int get_sum(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%lu\n", sum((size_t)kp->arg));
}

static const struct kernel_param_ops sum_ops = { .get = get_sum };

module_param_cb(sent, &sum_ops, (void *)offsetof(struct storm, sent), 0444);
module_param_cb(seen, &sum_ops, (void *)offsetof(struct storm, seen), 0444);
module_param_cb(lost, &sum_ops, (void *)offsetof(struct storm, lost), 0444);

static int nmi_storm_handler(unsigned int type, struct pt_regs *regs)
{
	struct storm *s = this_cpu_ptr(&storms);

	if (!claim && !READ_ONCE(s->waiting))
		return NMI_DONE;
	WRITE_ONCE(s->seen, s->seen + 1);
	/* Counted before whoever waits for it goes on. */
	smp_store_release(&s->waiting, 0);
	return NMI_HANDLED;
}

static void send_nmi(unsigned int cpu)
{
	struct storm *s = per_cpu_ptr(&storms, cpu);

	if (cmpxchg(&s->waiting, 0, 1)) {
		if (++s->periods == LOST_PERIODS)
			WRITE_ONCE(s->lost, s->lost + 1);
		return;
	}
	s->periods = 0;
	/* Pairs with go_down(): it waits, or this sees that the CPU goes. */
	smp_mb();
	if (!READ_ONCE(s->ready)) {
		WRITE_ONCE(s->waiting, 0);
		return;
	}
	WRITE_ONCE(s->sent, s->sent + 1);
	apic->send_IPI(cpu, NMI_VECTOR);
}

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	unsigned int cpu = cpumask_next(smp_processor_id(), cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	if (cpu != smp_processor_id())
		send_nmi(cpu);
	hrtimer_forward_now(timer, ns_to_ktime(interval_us * 1000ull));
	return HRTIMER_RESTART;
}

static int go_up(unsigned int cpu)
{
	struct storm *s = per_cpu_ptr(&storms, cpu);

	hrtimer_init(&s->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	s->timer.function = tick;
	WRITE_ONCE(s->ready, true);
	hrtimer_start(&s->timer, ns_to_ktime(interval_us * 1000ull), HRTIMER_MODE_REL_PINNED_HARD);
	return 0;
}

static int go_down(unsigned int cpu)
{
	struct storm *s = per_cpu_ptr(&storms, cpu);
	unsigned int i;

	hrtimer_cancel(&s->timer);
	WRITE_ONCE(s->ready, false);
	/*
	 * No more are sent once this is seen; one may be on its way, or about to be sent by a CPU
	 * that an emulator lets run a tenth of a second later. A CPU that is off gets none.
	 */
	smp_mb();
	for (i = 0; i < GO_DOWN_WAITS && READ_ONCE(s->waiting); i++)
		usleep_range(100, 200);
	if (i == GO_DOWN_WAITS) {
		WRITE_ONCE(s->lost, s->lost + 1);
		WRITE_ONCE(s->waiting, 0);
	}
	return 0;
}

static int hotplug_state;

static int __init nmi_storm_init(void)
{
	int err = register_nmi_handler(NMI_LOCAL, nmi_storm_handler, 0, "nmi_storm");

	if (err || claim)
		return err;
	hotplug_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "test/nmi_storm:online",
					  go_up, go_down);
	if (hotplug_state >= 0)
		return 0;
	unregister_nmi_handler(NMI_LOCAL, "nmi_storm");
	return hotplug_state;
}

static void __exit nmi_storm_exit(void)
{
	if (!claim)
		cpuhp_remove_state(hotplug_state);
	unregister_nmi_handler(NMI_LOCAL, "nmi_storm");
}

module_init(nmi_storm_init);
module_exit(nmi_storm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("NMIs for a test of vmon's world switch");
