// SPDX-License-Identifier: GPL-2.0-only
/*
 * One decision for one connection: the BPF program's, or the built-in scheduler's.
 *
 * Safety net. A BPF scheduler may be wrong, but it must not hang a connection or a CPU:
 *  - a subflow that cannot send is never scheduled (checked when it is asked for);
 *  - a decision that schedules nothing although nothing is in flight would never be followed by
 *    another one, and one that waits for STALL_MS while nothing is sent or acknowledged is no
 *    wait any more: the kernel's built-in scheduler decides instead, and after STRIKES_MAX times
 *    without a choice in between for good;
 *  - lost data that get_retrans leaves alone RETRANS_REFUSALS_MAX times running, and for STALL_MS,
 *    goes to the built-in choice as well;
 *  - SLOW_RUN_MAX calls running that take longer than SLOW_NS take the scheduler out of use.
 * A live swap gives the new code a clean record.
 */
#include "mptcp_bpf.h"

#include <linux/ratelimit.h>
#include <linux/sched/clock.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

#define STALL_MS	     1000
#define STRIKES_MAX	     3
#define RETRANS_REFUSALS_MAX 3
#define SLOW_NS		     (10 * NSEC_PER_MSEC)
#define SLOW_RUN_MAX	     3

/* Decisions traced a second, at most. */
#define TRACE_PER_SECOND 2000

/* What came of asking the program. */
enum verdict {
	CHOSEN,	 /* a subflow is scheduled */
	NOTHING, /* none is, and that may be right */
	BUILTIN, /* none is, and that must not stand */
	ABSENT,	 /* there was no program to ask */
};

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

/*
 * 6.12 looks for stale subflows inside the built-in get_retrans, so that one runs first whatever
 * the program will say; its pick is taken back and kept for the case that the program leaves the
 * choice to the kernel. It may lock subflows and push data: only from the worker, with BH on. Later
 * kernels look for stale subflows before they ask.
 */
static void *kick_stale_detection(struct mptcp_sock *msk)
{
	void *pick = NULL;
#ifdef HAVE_GET_SUBFLOW
	struct list_head *pos;

	mptcp_bpf_builtin_decide(msk, true);
	for_each_subflow(pos, msk) {
		bool *scheduled = SUBFLOW_FIELD(mptcp_bpf_subflow_of(pos), scheduled, bool);

		if (READ_ONCE(*scheduled)) {
			pick = mptcp_bpf_subflow_of(pos);
			WRITE_ONCE(*scheduled, false);
		}
	}
#endif
	return pick;
}

static int builtin_retrans(struct mptcp_sock *msk, void *pick)
{
#ifdef HAVE_GET_SUBFLOW
	if (!pick || !mptcp_bpf_subflow_active(pick))
		return -EAGAIN;
	WRITE_ONCE(*SUBFLOW_FIELD(pick, scheduled, bool), true);
	return 0;
#else
	return mptcp_bpf_builtin_decide(msk, true);
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

/* Is there a subflow that would send at once what it is given? */
static bool any_ready(struct mptcp_sock *msk)
{
	struct list_head *pos;

	for_each_subflow(pos, msk) {
		void *subflow = mptcp_bpf_subflow_of(pos);
		struct sock *ssk = mptcp_bpf_subflow_sock(subflow);

		if (mptcp_bpf_subflow_active(subflow) && sk_stream_memory_free(ssk) &&
		    !mptcp_bpf_is_blocked(ssk) &&
		    (mptcp_bpf_has_window(ssk) || tcp_rtx_and_write_queues_empty(ssk)))
			return true;
	}
	return false;
}

/* Will an ack come and ask again? Copies may be on their way when nothing else is. */
static bool any_in_flight(struct mptcp_sock *msk)
{
	struct list_head *pos;

	for_each_subflow(pos, msk) {
		void *subflow = mptcp_bpf_subflow_of(pos);

		if (mptcp_bpf_subflow_active(subflow) &&
		    tcp_sk(mptcp_bpf_subflow_sock(subflow))->packets_out)
			return true;
	}
	return false;
}

static void strike(struct conn *c, struct sched *s)
{
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
static enum verdict nothing_to_send(struct conn *c, struct sched *s)
{
	u64 nxt = READ_ONCE(*MSK_FIELD(c->msk, snd_nxt, u64));
	u64 una = READ_ONCE(*MSK_FIELD(c->msk, snd_una, u64));

	if (!any_ready(c->msk))
		return NOTHING;
	if (nxt != una || any_in_flight(c->msk)) {
		if (c->wait_mark != nxt + una) {
			c->wait_mark = nxt + una;
			c->wait_since = jiffies;
		}
		if (time_before(jiffies, c->wait_since + msecs_to_jiffies(STALL_MS))) {
			COUNT(s, waited);
			return NOTHING;
		}
		c->wait_since = jiffies;
	}
	strike(c, s);
	return BUILTIN;
}

/* The program chose nothing for data that may be lost; often right, but not for ever. */
static enum verdict nothing_to_retransmit(struct conn *c)
{
	u64 una = READ_ONCE(*MSK_FIELD(c->msk, snd_una, u64));

	if (una == READ_ONCE(*MSK_FIELD(c->msk, snd_nxt, u64)))
		return NOTHING;
	if (c->retrans_una != una || !c->retrans_refusals) {
		c->retrans_una = una;
		c->retrans_refusals = 0;
		c->retrans_since = jiffies;
	}
	if (c->retrans_refusals < RETRANS_REFUSALS_MAX)
		c->retrans_refusals++;
	if (c->retrans_refusals < RETRANS_REFUSALS_MAX ||
	    time_before(jiffies, c->retrans_since + msecs_to_jiffies(STALL_MS)))
		return NOTHING;
	c->retrans_refusals = 0;
	return BUILTIN;
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

void mptcp_bpf_count_bytes(struct conn *c)
{
	u64 sent = READ_ONCE(*MSK_FIELD(c->msk, bytes_sent, u64));
	u64 again = READ_ONCE(*MSK_FIELD(c->msk, bytes_retrans, u64));
	struct mptcp_bpf_counters *counters = this_cpu_ptr(rcu_dereference(c->sched)->counters);

	counters->sent_bytes += sent - c->counted_sent;
	counters->reinjected_bytes += again - c->counted_reinjected;
	c->counted_sent = sent;
	c->counted_reinjected = again;
}

static noinline void trace_decision(struct conn *c, struct sched *s, bool retrans, int err)
{
	static DEFINE_RATELIMIT_STATE(rate, HZ, TRACE_PER_SECOND);
	static atomic_t skipped;
	struct mptcp_bpf_view head;
	struct mptcp_bpf_path path;
	struct list_head *pos;
	u32 chosen = 0;

	ratelimit_set_flags(&rate, RATELIMIT_MSG_ON_RELEASE);
	if (!__ratelimit(&rate)) {
		atomic_inc(&skipped);
		return;
	}
	for_each_subflow(pos, c->msk) {
		void *subflow = mptcp_bpf_subflow_of(pos);

		if (READ_ONCE(*SUBFLOW_FIELD(subflow, scheduled, bool)))
			chosen = *SUBFLOW_FIELD(subflow, subflow_id, u32);
	}
	mptcp_bpf_view_head(c, &head);
	trace_mptcp_bpf_decision(&head, s->kops.name, retrans, c->reason, chosen, err,
				 atomic_read(&skipped));
	for_each_subflow(pos, c->msk) {
		void *subflow = mptcp_bpf_subflow_of(pos);

		if (!mptcp_bpf_subflow_active(subflow))
			continue;
		mptcp_bpf_view_path(c, &path, subflow);
		trace_mptcp_bpf_path(head.token, &path);
	}
}

/* One decision by the BPF program, with everything that could go wrong caught. BH is off, so ops
 * never nest on a CPU and may keep scratch data in per-CPU maps.
 */
static enum verdict bpf_decide(struct conn *c, struct sched *s, struct mptcp_bpf_sched_ops *ops,
			       bool retrans)
{
	bool chosen;
	u64 start;
	int err;

	c->reason = MPTCP_REASON_NONE;
	if (!retrans) {
		c->decisions++;
		COUNT(s, decisions);
	}
	start = local_clock();
	err = retrans ? ops->get_retrans(c->msk) : ops->get_send(c->msk);
	judge_time(s, local_clock() - start);
	if (trace_mptcp_bpf_decision_enabled())
		trace_decision(c, s, retrans, err);

	chosen = nr_scheduled(c->msk);
	if (c->reason && (chosen || c->reason == MPTCP_REASON_WAITED))
		COUNT(s, reason[c->reason]);
	if (chosen) {
		c->strikes = 0;
		if (retrans)
			COUNT(s, retransmits);
		else
			COUNT(s, scheduled);
		return CHOSEN;
	}
	if (err < 0)
		COUNT(s, errors);
	return retrans ? nothing_to_retransmit(c) : nothing_to_send(c, s);
}

static enum verdict ask(struct conn *c, bool retrans)
{
	struct mptcp_bpf_sched_ops *ops;
	enum verdict verdict = ABSENT;
	struct sched *s;

	local_bh_disable();
	rcu_read_lock();
	if (unlikely(!c->selected))
		mptcp_bpf_select(c);
	mptcp_bpf_conn_settle(c);
	s = rcu_dereference(c->sched);
	ops = rcu_dereference(s->ops);
	mptcp_bpf_count_bytes(c);
	if (ops && !READ_ONCE(s->runaway) && c->ejected_at != READ_ONCE(s->generation) + 1 &&
	    (!retrans || ops->get_retrans)) {
		mptcp_bpf_paths_scan(c, ops);
		verdict = bpf_decide(c, s, ops, retrans);
	}
	rcu_read_unlock();
	local_bh_enable();
	return verdict;
}

/* For new data, from any context. */
int mptcp_bpf_get_send(struct mptcp_sock *msk)
{
	switch (ask(mptcp_bpf_conn_of(msk), false)) {
	case CHOSEN:
		return 0;
	case NOTHING:
		return -EAGAIN;
	case BUILTIN:
	case ABSENT:
		break;
	}
	return mptcp_bpf_builtin_decide(msk, false);
}

static void strike_now(struct conn *c)
{
	local_bh_disable();
	rcu_read_lock();
	strike(c, rcu_dereference(c->sched));
	rcu_read_unlock();
	local_bh_enable();
}

/* For unacknowledged data, from the worker. */
int mptcp_bpf_get_retrans(struct mptcp_sock *msk)
{
	struct conn *c = mptcp_bpf_conn_of(msk);
	void *pick = kick_stale_detection(msk);
	int err;

	mptcp_bpf_paths_slow_staleness(c);
	switch (ask(c, true)) {
	case CHOSEN:
		return 0;
	case NOTHING:
		return -EAGAIN;
	case BUILTIN:
		err = builtin_retrans(msk, pick);
		if (!err)
			strike_now(c);
		return err;
	case ABSENT:
		break;
	}
	return builtin_retrans(msk, pick);
}

/* Called from within a decision: under RCU. */
void mptcp_bpf_conn_refused(struct mptcp_sock *msk)
{
	COUNT(rcu_dereference(mptcp_bpf_conn_of(msk)->sched), refused);
}
