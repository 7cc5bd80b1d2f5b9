// SPDX-License-Identifier: GPL-2.0-only
/*
 * One decision for one connection: the BPF program's, or the built-in scheduler's.
 *
 * Safety net. A BPF scheduler may be wrong, but it must not hang a connection or a CPU:
 *  - a subflow that cannot send is never scheduled (checked when it is asked for);
 *  - a decision that schedules nothing although nothing is in flight would never be followed by
 *    another one, and one that waits for STALL_MS while nothing is sent or acknowledged is no
 *    wait any more: the kernel's built-in scheduler decides instead, and after STRIKES_MAX times
 *    for good;
 *  - lost data that get_retrans leaves alone RETRANS_REFUSALS_MAX times running goes to the
 *    built-in choice as well;
 *  - SLOW_RUN_MAX calls running that take longer than SLOW_NS take the scheduler out of use.
 * A live swap gives the new code a clean record.
 */
#include "mptcp_bpf.h"

#include <linux/sched/clock.h>

#define STALL_MS	     1000
#define STRIKES_MAX	     3
#define RETRANS_REFUSALS_MAX 3
#define SLOW_NS		     (10 * NSEC_PER_MSEC)
#define SLOW_RUN_MAX	     3

static void count(struct sched *s, size_t offset)
{
	(*(u64 *)((char *)this_cpu_ptr(s->counters) + offset))++;
}

#define COUNT(s, what) count(s, offsetof(struct mptcp_bpf_counters, what))

int mptcp_bpf_builtin_decide(struct mptcp_sock *msk, bool retrans)
{
#ifdef HAVE_GET_SUBFLOW
	struct mptcp_sched_data data = { .reinject = retrans };

	return mptcp_bpf_builtin->get_subflow(msk, &data);
#else
	return retrans ? mptcp_bpf_builtin->get_retrans(msk) : mptcp_bpf_builtin->get_send(msk);
#endif
}

/* 6.12 looks for stale subflows inside the built-in get_retrans; later kernels do it before. */
static void kick_stale_detection(struct mptcp_sock *msk)
{
#ifdef HAVE_GET_SUBFLOW
	struct list_head *pos;

	mptcp_bpf_builtin_decide(msk, true);
	for_each_subflow(pos, msk)
		WRITE_ONCE(*SUBFLOW_FIELD(mptcp_bpf_subflow_of(pos), scheduled, bool), false);
#endif
}

static int nr_scheduled(struct mptcp_sock *msk)
{
	struct list_head *pos;
	int n = 0;

	for_each_subflow(pos, msk)
		n += READ_ONCE(*SUBFLOW_FIELD(mptcp_bpf_subflow_of(pos), scheduled, bool));
	return n;
}

static bool any_writable(struct mptcp_sock *msk)
{
	struct list_head *pos;

	for_each_subflow(pos, msk)
	{
		void *subflow = mptcp_bpf_subflow_of(pos);

		if (mptcp_bpf_subflow_active(subflow) &&
		    sk_stream_memory_free(mptcp_bpf_subflow_sock(subflow)))
			return true;
	}
	return false;
}

static void strike(struct conn *c)
{
	struct sched *s = c->sched;

	COUNT(s, stalls);
	if (++c->strikes < STRIKES_MAX)
		return;
	c->strikes = 0;
	c->ejected_at = READ_ONCE(s->generation) + 1;
	COUNT(s, ejected);
	pr_notice_ratelimited(
		"scheduler %s leaves data unsent: connection %08x goes to the built-in scheduler\n",
		s->kops.name, *MSK_FIELD(c->msk, token, u32));
}

/* The program chose nothing for new data. Either that is a wait, and an ack will ask again, or it
 * would be the end of the connection.
 */
static int nothing_to_send(struct conn *c)
{
	struct mptcp_sock *msk = c->msk;
	u64 nxt = READ_ONCE(*MSK_FIELD(msk, snd_nxt, u64));
	u64 una = READ_ONCE(*MSK_FIELD(msk, snd_una, u64));

	if (!any_writable(msk))
		return -EAGAIN;
	if (nxt != una) {
		if (c->wait_mark != nxt + una) {
			c->wait_mark = nxt + una;
			c->wait_since = jiffies;
		}
		if (time_before(jiffies, c->wait_since + msecs_to_jiffies(STALL_MS))) {
			COUNT(c->sched, waited);
			return -EAGAIN;
		}
		c->wait_since = jiffies;
	}
	strike(c);
	return mptcp_bpf_builtin_decide(msk, false);
}

/* The program chose nothing for data that may be lost; often right, but not for ever. */
static int nothing_to_retransmit(struct conn *c)
{
	u64 una = READ_ONCE(*MSK_FIELD(c->msk, snd_una, u64));
	int err;

	if (c->retrans_una != una) {
		c->retrans_una = una;
		c->retrans_refusals = 0;
	}
	if (++c->retrans_refusals < RETRANS_REFUSALS_MAX)
		return -EAGAIN;
	c->retrans_refusals = 0;
	err = mptcp_bpf_builtin_decide(c->msk, true);
	if (!err)
		strike(c);
	return err;
}

static void judge_time(struct sched *s, u64 ns)
{
	if (likely(ns < SLOW_NS)) {
		if (unlikely(atomic_read(&s->slow_run)))
			atomic_set(&s->slow_run, 0);
		return;
	}
	COUNT(s, slow);
	if (atomic_inc_return(&s->slow_run) < SLOW_RUN_MAX || READ_ONCE(s->runaway))
		return;
	WRITE_ONCE(s->runaway, true);
	pr_warn("scheduler %s took %llu us for a decision, %d times running: it is out of use until it is replaced\n",
		s->kops.name, ns / NSEC_PER_USEC, SLOW_RUN_MAX);
}

/* One decision by the BPF program, with everything that could go wrong caught. BH is off, so ops
 * never nest on a CPU and may keep scratch data in per-CPU maps.
 */
static int bpf_decide(struct conn *c, struct mptcp_bpf_sched_ops *ops, bool retrans)
{
	struct sched *s = c->sched;
	u64 start;
	int err;

	if (!retrans)
		COUNT(s, decisions);
	start = local_clock();
	err = retrans ? ops->get_retrans(c->msk) : ops->get_send(c->msk);
	judge_time(s, local_clock() - start);

	if (nr_scheduled(c->msk)) {
		if (retrans)
			COUNT(s, retransmits);
		else
			COUNT(s, scheduled);
		return 0;
	}
	if (err < 0)
		COUNT(s, errors);
	return retrans ? nothing_to_retransmit(c) : nothing_to_send(c);
}

int mptcp_bpf_decide(struct mptcp_sock *msk, bool retrans)
{
	struct conn *c = mptcp_bpf_conn_of(msk);
	struct sched *s = c->sched;
	struct mptcp_bpf_sched_ops *ops;
	int err;

	local_bh_disable();
	rcu_read_lock();
	ops = rcu_dereference(s->ops);
	if (!ops || READ_ONCE(s->runaway) || c->ejected_at == READ_ONCE(s->generation) + 1 ||
	    (retrans && !ops->get_retrans)) {
		err = mptcp_bpf_builtin_decide(msk, retrans);
	} else {
		if (retrans)
			kick_stale_detection(msk);
		err = bpf_decide(c, ops, retrans);
	}
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

void mptcp_bpf_conn_refused(struct mptcp_sock *msk)
{
	COUNT(mptcp_bpf_conn_of(msk)->sched, refused);
}
