// SPDX-License-Identifier: GPL-2.0-only
/*
 * roundrobin: subflows take turns, in proportion to their weights.
 *
 * Rule. Deficit round robin without history: among usable subflows with room, take the one whose
 * bytes sent so far, divided by its weight, are least. The core sends whole data fragments (up to
 * 32 KB), whatever the burst, so what a turn really carried is read from the sequence number at the
 * next decision. Shares are kept per connection and local address id; backups and suspect
 * subflows (stale, or in a retransmission timeout) are used only when nothing else is usable.
 * Retransmission goes to the subflow that is next and has nothing outstanding.
 *
 * It never leaves a path idle to keep the proportions: once a path is full, the others take the
 * rest, so weights divide what an application sends below the capacity of its paths.
 *
 * Good for: tests, equal paths, dividing load by contract. Lacks: it ignores RTT, so on unequal
 * paths the receiver waits for the slower one (head-of-line blocking).
 */
#include "mptcp_state.bpf.h"
#include "mptcp_survey.bpf.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define IDS 16

/* Share of each path by its local address id (`ip mptcp endpoint`); 0 counts as 1. */
const volatile __u32 weight[IDS] = {};
/* Bytes of a turn, times the weight. */
const volatile __u32 quantum_bytes = 4 * MPTCP_MSS_DEFAULT;

struct shares {
	__u64 scaled[IDS]; /* bytes / weight, 16 bits of fraction; 0: never had a turn */
	__u64 turn_seq;	   /* where the current turn began */
	__u32 turn_id;	   /* whose it is */
	__u32 turns;
};

MPTCP_STATE(struct shares);

static __always_inline __u32 weight_of(__u32 id)
{
	__u32 w = weight[id & (IDS - 1)];

	return w ? w : 1;
}

static __always_inline bool primary(const struct mptcp_bpf_path *p)
{
	return !(p->flags & MPTCP_PATH_BACKUP) && !mptcp_path_suspect(p, 1);
}

/* The next in turn is best[MPTCP_FIT_READY], or with nothing outstanding best[MPTCP_FIT_IDLE]; the
 * lowest share of all is cost[MPTCP_FIT_FASTEST]: a newcomer starts there. */
static __always_inline void survey(struct mptcp_scratch *s, const struct shares *sh)
{
	const struct mptcp_bpf_path *p;
	int i;

	mptcp_survey_begin(s);
	mptcp_for_each_path(p, i, &s->view)
	{
		__u64 share = sh->scaled[p->local_id & (IDS - 1)];
		bool last = !primary(p), ready = mptcp_path_ready(p);
		__u64 cost = share | (__u64)last << 63;

		s->primaries += !last && (ready || mptcp_path_busy(p));
		if (mptcp_path_timer_us(p) > s->timer_us)
			s->timer_us = mptcp_path_timer_us(p);
		if (share)
			mptcp_consider(s, MPTCP_FIT_FASTEST, i, share);
		if (!ready)
			continue;
		mptcp_consider(s, MPTCP_FIT_READY, i, cost);
		if (!mptcp_path_holds(p))
			mptcp_consider(s, MPTCP_FIT_IDLE, i, cost);
	}
}

/* Charges the turn that ends now with what it carried. */
static __always_inline void settle(struct shares *sh, __u64 next_seq)
{
	__u32 id = sh->turn_id & (IDS - 1);

	if (!sh->turns)
		return;
	sh->scaled[id] += ((__u64)mptcp_min_u32(next_seq - sh->turn_seq) << 16) / weight_of(id);
	sh->turn_seq = next_seq;
}

/* A turn of `p` begins. */
static __always_inline void begin(struct shares *sh, const struct mptcp_scratch *s, __u32 id)
{
	if (!sh->scaled[id])
		sh->scaled[id] = s->cost[MPTCP_FIT_FASTEST] != ~0ull ? s->cost[MPTCP_FIT_FASTEST]
								     : 1;
	sh->turn_id = id;
	sh->turn_seq = s->view.next_seq;
	sh->turns++;
}

static __always_inline int run(struct mptcp_sock *msk, bool retrans)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;
	struct shares *sh;
	__u32 id;
	int err;

	sh = s ? mptcp_state(s->view.token) : NULL;
	if (!sh)
		return -EAGAIN;
	if (!retrans)
		settle(sh, s->view.next_seq);
	survey(s, sh);
	p = mptcp_path_at(s, s->best[retrans ? MPTCP_FIT_IDLE : MPTCP_FIT_READY]);
	if (!p || (!retrans && s->primaries && !primary(p)))
		return retrans ? -EAGAIN : mptcp_wait(msk, 0);
	id = p->local_id & (IDS - 1);
	bpf_mptcp_reason(msk, retrans			     ? MPTCP_REASON_REINJECTED
			      : p->flags & MPTCP_PATH_BACKUP ? MPTCP_REASON_BACKUP
							     : MPTCP_REASON_FASTEST);
	err = bpf_mptcp_schedule(msk, p->id, mptcp_min_u32((__u64)quantum_bytes * weight_of(id)),
				 s->timer_us);
	if (!err && !retrans)
		begin(sh, s, id);
	return err;
}

SEC("struct_ops")
int BPF_PROG(roundrobin_get_send, struct mptcp_sock *msk)
{
	return run(msk, false);
}

SEC("struct_ops")
int BPF_PROG(roundrobin_get_retrans, struct mptcp_sock *msk)
{
	return run(msk, true);
}

MPTCP_SCHEDULER(roundrobin, .get_send = (void *)roundrobin_get_send,
		.get_retrans = (void *)roundrobin_get_retrans, .path_event = (void *)mptcp_trust,
		.name = "roundrobin");
