// SPDX-License-Identifier: GPL-2.0-only
/*
 * target: a metered path carries only what the others lack to a rate (after TAP and MP-DASH).
 *
 * Rule. Metered are backups and the local address ids of `metered`. Data goes to the best sound
 * path that is not metered and has room. When they are full, a metered one is used as long as the
 * connection, in the time it has been busy, sent less than rate_bytes_per_s; else it waits for
 * them. When none of the others can be relied on (see ecf), metered paths carry everything. Time in
 * which the connection had nothing to send does not count, and what is past is forgotten by half
 * after two window_ms, so that a good time does not excuse a bad one for long. Retransmission is
 * that of minrtt, but leaves metered paths alone unless a path fails.
 *
 * Good for: video and downloads that need a rate, not all there is. Lacks: it knows no deadlines,
 * and as the core sends whole data fragments, it is exact to 32 KB.
 */
#include "mptcp_state.bpf.h"
#include "mptcp_survey.bpf.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define IDS 16

/* What the connection is to reach, in bytes a second (625000: 5 Mbit/s); 0: never pay for it. */
const volatile __u32 rate_bytes_per_s = 625000;
/* 1: paths of this local address id (`ip mptcp endpoint`) are metered, backup or not. */
const volatile __u32 metered[IDS] = {};
/* Over what time the rate is measured, in ms, and how much of it must have passed. */
const volatile __u32 window_ms = 1000;
const volatile __u32 grace_ms = 200;
/* Retransmission timeouts in a row that make a subflow suspect; 0: only the kernel's staleness. */
const volatile __u32 timeouts = 1;
/* How much longer than its RTT a subflow may deliver nothing, in us; 0: however long. */
const volatile __u32 slack_us = 4 * MPTCP_SLACK_US;

struct connection {
	__u64 since_ns;	  /* the rate is measured from here; 0: not begun */
	__u64 since_sent; /* sent_bytes then */
};

MPTCP_STATE(struct connection);

/* From here on a metered path is a backup, in our copy of the view. */
static __always_inline void mark_metered(struct mptcp_scratch *s)
{
	const struct mptcp_bpf_path *p;
	int i;

	mptcp_for_each_path(p, i, &s->view)
	{
		if (metered[p->local_id & (IDS - 1)])
			s->view.path[i].flags |= MPTCP_PATH_BACKUP;
	}
}

/* Brings the measurement up to date. */
static __always_inline void measure(struct connection *c, const struct mptcp_bpf_view *v)
{
	__u64 now = bpf_ktime_get_ns(), elapsed = now - c->since_ns;
	__u64 window_ns = window_ms * 1000000ull;

	/* Nothing under way, or long unasked: it had nothing to send. */
	if (!c->since_ns || !v->unacked_bytes || elapsed > 4 * window_ns ||
	    v->sent_bytes < c->since_sent) {
		c->since_ns = now;
		c->since_sent = v->sent_bytes;
	} else if (elapsed > 2 * window_ns) {
		c->since_ns += elapsed / 2;
		c->since_sent += (v->sent_bytes - c->since_sent) / 2;
	}
}

/* What the connection should have sent more. */
static __always_inline __u64 shortfall_bytes(const struct connection *c,
					     const struct mptcp_bpf_view *v)
{
	__u32 us = mptcp_min_u32((bpf_ktime_get_ns() - c->since_ns) / 1000);
	__u64 due = (__u64)us * rate_bytes_per_s / 1000000;
	__u64 sent = v->sent_bytes - c->since_sent;

	return us >= grace_ms * 1000ull && due > sent ? due - sent : 0;
}

SEC("struct_ops")
int BPF_PROG(target_get_send, struct mptcp_sock *msk)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;
	struct connection *c;
	__u64 missing;
	__u32 i;

	c = s ? mptcp_state(s->view.token) : NULL;
	if (!c)
		return -EAGAIN;
	mark_metered(s);
	mptcp_survey(s, (struct mptcp_doubt){ timeouts, slack_us });
	measure(c, &s->view);
	i = mptcp_best_to_send(s);
	p = mptcp_path_at(s, i);
	if (p)
		return mptcp_commit(msk, p, MPTCP_BURST_MAX, s->timer_us,
				    mptcp_reason_to_send(s, i, p));
	missing = shortfall_bytes(c, &s->view);
	p = mptcp_path_at(s, s->best[MPTCP_FIT_READY]);
	if (!p || !missing)
		return mptcp_wait(msk, s->timer_us);
	return mptcp_commit(msk, p, mptcp_min_u32(missing), s->timer_us, MPTCP_REASON_SPILLED);
}

SEC("struct_ops")
int BPF_PROG(target_get_retrans, struct mptcp_sock *msk)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;

	if (!s)
		return -EAGAIN;
	mark_metered(s);
	mptcp_survey(s, (struct mptcp_doubt){ timeouts, slack_us });
	p = mptcp_path_at(s, mptcp_best_to_repeat(s));
	/* Data of a sound path is no reason to pay. */
	if (!p || ((p->flags & MPTCP_PATH_BACKUP) && s->primaries && !s->stuck))
		return -EAGAIN;
	return mptcp_commit(msk, p, MPTCP_BURST_MAX, s->timer_us, MPTCP_REASON_REINJECTED);
}

MPTCP_SCHEDULER(target, .get_send = (void *)target_get_send,
		.get_retrans = (void *)target_get_retrans, .path_event = (void *)mptcp_trust,
		.name = "target");
