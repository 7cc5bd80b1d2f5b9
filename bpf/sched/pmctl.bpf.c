// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmctl: never worse than the best single path, and the sum of the paths where they are alike.
 *
 * Rule. Each piece of data goes where it would arrive first, counting what the subflow holds
 * already, its window, its rate and what it loses (earliest arrival, as STTF and OTIAS). When that
 * subflow has no room, another one is used only if it would deliver this piece before the first
 * could deliver all that is left, or all that the receiver has room for (the test of ECF, CoNEXT
 * '17, with the size of the piece, slow start and the rate of the path, and that of BLEST,
 * Networking '16); otherwise waiting is faster, and where it has a sixteenth of the rate of the
 * first, the race must not be close. A subflow that delivered nothing for longer than
 * its RTT and four deviations, or is in a retransmission timeout, is suspect: what it holds is sent
 * again on another one, TCP is kept trying it, and it is used again once it delivers. The end of a
 * transfer that lies on a slow subflow is sent again on one that has nothing to do, within a byte
 * cap. An idle subflow that may be better is probed with a copy of a small message; for a stream,
 * what was measured on it counts no more after a few seconds. Backup subflows carry data only when
 * every other one is suspect.
 *
 * Good for: a default that does no harm. Lacks: the rate of a path that was never busy is guessed
 * from one segment; and a fragment, up to 32 KB, is the least it can move.
 */
#include "mptcp_arrival.bpf.h"
#include "mptcp_first_flight.bpf.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Bytes sent again for speed, in thousandths of all bytes, beyond an allowance for each connection;
 * what a suspect subflow holds is not counted. */
const volatile __u32 duplicate_permille = 10;
const volatile __u32 duplicate_free_bytes = 65536;
/* How late an acknowledgement may be before its subflow is suspect: delayed acks, jitter. */
const volatile __u32 slack_us = 10000;
/* How often an idle subflow is probed; 0: never. */
const volatile __u32 probe_interval_us = 500000;
/* The longest TCP waits between two tries on a dead path. */
const volatile __u32 probe_rto_us = 500000;

#define TICK_US	       4000u
#define NOT_TAKEN_MS   50u   /* the peer's MPTCP acknowledges after its TCP, but not that late */
#define PROBE_AFTER_US 1000u /* a copy follows a message that soon */
#define MUCH_SLOWER    16u   /* times: what such a subflow adds is not worth a close race */

static __always_inline bool copies_allowed(const struct mptcp_arrival *a)
{
	return mptcp_copies_left(a->view.sent_bytes, a->view.reinjected_bytes, duplicate_permille,
				 duplicate_free_bytes) >= a->piece;
}

/* When get_retrans shall look: late enough for an ack, unless the end lies on a slow subflow. */
static __always_inline __u32 timer_us(const struct mptcp_arrival *a, const struct mptcp_bpf_path *p)
{
	__u32 patience_us = mptcp_path_patience_us(p, slack_us);

	if (mptcp_first_flight(&a->view))
		return MPTCP_FIRST_FLIGHT_TICK_US;
	if (a->view.unsent_bytes <= a->piece && a->view.nr_paths > 1 && a->last_us > 2 * a->best_us)
		return a->best_us / 4 > TICK_US ? a->best_us / 4 : TICK_US;
	return patience_us > a->patience_us ? patience_us : a->patience_us;
}

/* A burst of one byte ends with the fragment; in a longer one the kernel sets the timer to TCP's.
 */
static __always_inline int commit(struct mptcp_sock *msk, const struct mptcp_arrival *a, __u32 i,
				  __u32 us, enum mptcp_bpf_reason reason)
{
	const struct mptcp_bpf_path *p;

	if (i >= MPTCP_BPF_PATHS_MAX)
		return -EAGAIN;
	p = &a->view.path[i];
	bpf_mptcp_reason(msk, reason);
	return bpf_mptcp_schedule(msk, p->id, 1, us ? us : timer_us(a, p));
}

int pmctl_waiting_pays(const struct mptcp_arrival *a, const struct mptcp_memory *m);

/*
 * How much later than the ready subflow the best one may be and still be waited for. What an
 * estimate is wrong by, the best one has to wait for: the more so where a piece takes long, and for
 * little where the ready one adds next to nothing, or nobody knows yet what.
 */
static __always_inline __u64 margin_us(const struct mptcp_arrival *a,
				       const struct mptcp_bpf_path *best, bool waiting)
{
	__u64 much_slower = mptcp_path_rate(mptcp_arrival_at(a, a->ready)) * MUCH_SLOWER <
			    mptcp_path_rate(best);

	return (__u64)a->ready_us * (waiting + much_slower) / 4;
}

/*
 * Would the best subflow, once it has room, be done with all that there is and that the receiver
 * has room for, before the ready one is with this piece? Then the piece would only hold the window
 * back.
 */
__noinline int pmctl_waiting_pays(const struct mptcp_arrival *a, const struct mptcp_memory *m)
{
	const struct mptcp_bpf_path *best;
	__u64 all_us, bytes;

	if (!a || !m || a->best >= MPTCP_BPF_PATHS_MAX)
		return 0;
	best = &a->view.path[a->best];
	bytes = a->view.unsent_bytes < a->view.window_bytes ? a->view.unsent_bytes
							    : a->view.window_bytes;
	all_us = mptcp_path_finish_us(best, bytes, a->guess[a->best]);
	return all_us < a->ready_us + margin_us(a, best, m->waiting);
}

/* A small message on its own: a copy of it may go out on an idle subflow that could be better. */
static __always_inline bool probe_pays(const struct mptcp_arrival *a)
{
	const struct mptcp_bpf_path *idle = mptcp_arrival_at(a, a->probe);
	const struct mptcp_bpf_path *best = mptcp_arrival_at(a, a->best);

	return a->probe != MPTCP_NONE && probe_interval_us &&
	       a->view.unsent_bytes + a->view.unacked_bytes <= 2 * mptcp_path_mss(best) &&
	       idle->min_rtt_us < mptcp_path_rtt_us(best) / 5 * 4 && copies_allowed(a);
}

static __always_inline int send(struct mptcp_sock *msk, struct mptcp_arrival *a,
				struct mptcp_memory *m)
{
	__u32 waiting = m->waiting;

	m->waiting = 0;
	if (!a->primaries)
		return commit(msk, a, a->resort, 0, MPTCP_REASON_BACKUP);
	if (a->ready == MPTCP_NONE)
		return -EAGAIN;
	if (a->ready == a->best && probe_pays(a)) {
		__u32 id = mptcp_arrival_at(a, a->probe)->id;

		m->probed_us[id & (MPTCP_MEMORY_IDS - 1)] = a->now_us;
		m->probe = id + 1;
		return commit(msk, a, a->best, PROBE_AFTER_US, MPTCP_REASON_FASTEST);
	}
	if (a->ready == a->best)
		return commit(msk, a, a->best, 0, MPTCP_REASON_FASTEST);
	m->waiting = waiting;
	if (pmctl_waiting_pays(a, m)) {
		m->waiting = 1;
		bpf_mptcp_reason(msk, MPTCP_REASON_WAITED);
		bpf_mptcp_set_timer(msk, a->patience_us);
		return -EAGAIN;
	}
	m->waiting = 0;
	return commit(msk, a, a->ready, 0, MPTCP_REASON_SPILLED);
}

/* What a suspect subflow holds may have arrived by another one long ago: look at the connection. */
static __always_inline int rescue(struct mptcp_sock *msk, const struct mptcp_arrival *a)
{
	__u32 i = a->idle != MPTCP_NONE ? a->idle : a->ready;

	return commit(msk, a, i != MPTCP_NONE ? i : a->resort, 0, MPTCP_REASON_REINJECTED);
}

static __always_inline int again(struct mptcp_sock *msk, struct mptcp_arrival *a,
				 struct mptcp_memory *m)
{
	__u32 probe = m->probe;

	m->probe = 0;
	if (a->idle != MPTCP_NONE && mptcp_arrival_at(a, a->idle)->id + 1 == probe)
		return commit(msk, a, a->idle, 0, MPTCP_REASON_PROBE);
	if (a->idle != MPTCP_NONE && mptcp_first_flight(&a->view))
		return commit(msk, a, a->idle, 0, MPTCP_REASON_REDUNDANT);
	if (a->stuck && a->view.stuck_us >= a->patience_us)
		return rescue(msk, a);
	if (!a->stuck && a->idle != MPTCP_NONE && a->last != MPTCP_NONE && copies_allowed(a) &&
	    (a->last_us > a->idle_us + a->idle_us / 4 || a->view.stuck_us > a->patience_us))
		return commit(msk, a, a->idle, 0, MPTCP_REASON_REDUNDANT);
	/* Delivered by TCP and not taken by the peer's MPTCP: only we can send it again. */
	if (!a->stuck && a->last == MPTCP_NONE && a->ack_age_ms > NOT_TAKEN_MS)
		return commit(msk, a, a->idle, 0, MPTCP_REASON_REINJECTED);
	if (a->best != MPTCP_NONE)
		bpf_mptcp_set_timer(msk, timer_us(a, mptcp_arrival_at(a, a->best)));
	return -EAGAIN;
}

static __always_inline int run(struct mptcp_sock *msk, bool retrans)
{
	__u32 zero = 0;
	struct mptcp_arrival *a = bpf_map_lookup_elem(&mptcp_arrivals, &zero);
	struct mptcp_memory *m;

	if (!a || mptcp_view(msk, &a->view) <= 0)
		return -EAGAIN;
	m = mptcp_memory_of(a->view.token);
	if (!m)
		return -EAGAIN;
	a->rule.slack_us = slack_us;
	a->rule.probe_interval_us = probe_interval_us;
	mptcp_arrival_survey(a, m, retrans);
	if (a->dead != MPTCP_NONE)
		bpf_mptcp_probe(msk, mptcp_arrival_at(a, a->dead)->id, probe_rto_us);
	return retrans ? again(msk, a, m) : send(msk, a, m);
}

SEC("struct_ops")
int BPF_PROG(pmctl_get_send, struct mptcp_sock *msk)
{
	return run(msk, false);
}

SEC("struct_ops")
int BPF_PROG(pmctl_get_retrans, struct mptcp_sock *msk)
{
	return run(msk, true);
}

MPTCP_SCHEDULER(pmctl, .get_send = (void *)pmctl_get_send, .get_retrans = (void *)pmctl_get_retrans,
		.path_event = (void *)mptcp_trust, .name = "pmctl");
