// SPDX-License-Identifier: GPL-2.0-only
/*
 * Subflows as schedulers see them: the view, what is remembered between decisions, and events.
 *
 * The kernel tells a scheduler of nothing but its need for a decision, so that is when we look what
 * has changed. Subflows are read without their own lock, as the kernel's scheduler does: numbers
 * may be a moment old, and nothing is followed that could be freed meanwhile.
 */
#include "mptcp_bpf.h"

#define EVENT_BITS (MPTCP_PATH_BACKUP_REQUESTED | MPTCP_PATH_BACKUP_RECEIVED)

/* As mptcp_subflow_active() of net/mptcp/protocol.c: the bit stays until somebody looks again, but
 * an ack since then ended what it says. */
static bool is_stale(void *subflow)
{
	return SUBFLOW_FLAG(subflow, stale) &&
	       *SUBFLOW_FIELD(subflow, stale_rcv_tstamp, u32) ==
		       READ_ONCE(tcp_sk(mptcp_bpf_subflow_sock(subflow))->rcv_tstamp);
}

static u8 subflow_bits(void *subflow)
{
	u8 bits = 0;

	if (SUBFLOW_FLAG(subflow, request_bkup))
		bits |= MPTCP_PATH_BACKUP_REQUESTED;
	if (SUBFLOW_FLAG(subflow, backup))
		bits |= MPTCP_PATH_BACKUP_RECEIVED;
	if (is_stale(subflow))
		bits |= MPTCP_PATH_STALE;
	return bits;
}

struct path_state *mptcp_bpf_path_state(struct conn *c, u32 id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c->path); i++)
		if (c->path[i].used && c->path[i].id == id)
			return &c->path[i];
	return NULL;
}

static struct path_state *path_state_new(struct conn *c, u32 id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c->path); i++) {
		struct path_state *p = &c->path[i];

		if (p->used)
			continue;
		memset(p, 0, sizeof(*p));
		p->used = true;
		p->id = id;
		return p;
	}
	return NULL;
}

static void tell(struct conn *c, const struct mptcp_bpf_sched_ops *ops, u32 id,
		 enum mptcp_bpf_path_event event)
{
	if (ops && ops->path_event)
		ops->path_event(c->msk, id, event);
}

static void scan_subflow(struct conn *c, const struct mptcp_bpf_sched_ops *ops, void *subflow)
{
	u32 id = *SUBFLOW_FIELD(subflow, subflow_id, u32);
	struct path_state *p = mptcp_bpf_path_state(c, id);
	u8 bits = subflow_bits(subflow), changed;

	if (!p) {
		p = path_state_new(c, id);
		if (!p)
			return;
		p->bits = bits;
		p->seen = true;
		tell(c, ops, id, MPTCP_PATH_EVENT_UP);
		return;
	}
	p->seen = true;
	changed = p->bits ^ bits;
	if (likely(!changed))
		return;
	p->bits = bits;
	if (changed & MPTCP_PATH_STALE)
		tell(c, ops, id,
		     bits & MPTCP_PATH_STALE ? MPTCP_PATH_EVENT_STALE : MPTCP_PATH_EVENT_RECOVER);
	if (changed & EVENT_BITS)
		tell(c, ops, id, MPTCP_PATH_EVENT_BACKUP);
}

void mptcp_bpf_paths_scan(struct conn *c, const struct mptcp_bpf_sched_ops *ops)
{
	struct list_head *pos;
	size_t i;

	for_each_subflow(pos, c->msk) {
		void *subflow = mptcp_bpf_subflow_of(pos);

		if (mptcp_bpf_subflow_active(subflow))
			scan_subflow(c, ops, subflow);
	}
	for (i = 0; i < ARRAY_SIZE(c->path); i++) {
		struct path_state *p = &c->path[i];

		if (p->used && !p->seen) {
			p->used = false;
			tell(c, ops, p->id, MPTCP_PATH_EVENT_DOWN);
		}
		p->seen = false;
	}
}

static bool is_backup(u32 flags, const struct path_state *state)
{
	switch (state ? state->backup_mode : MPTCP_BACKUP_BITS) {
	case MPTCP_BACKUP_NEVER:
		return false;
	case MPTCP_BACKUP_ALWAYS:
		return true;
	default:
		return flags & (MPTCP_PATH_BACKUP_REQUESTED | MPTCP_PATH_BACKUP_RECEIVED);
	}
}

/* How long data has been outstanding without any being delivered. */
static u32 stuck_us(const struct tcp_sock *tp, const struct path_state *state)
{
	u64 now = tcp_clock_us(), since;

	if (!tp->packets_out)
		return 0;
	since = state && state->busy_since_us
			? state->busy_since_us
			: now - jiffies_to_usecs(tcp_jiffies32 - READ_ONCE(tp->lsndtime));
	since = max(since, READ_ONCE(tp->delivered_mstamp));
	return now > since ? min_t(u64, now - since, U32_MAX) : 0;
}

static u32 timeouts_without_progress(struct conn *c, void *subflow, const struct tcp_sock *tp)
{
	u32 id = *SUBFLOW_FIELD(subflow, subflow_id, u32);
	u32 timeout_us = max((tp->srtt_us >> 3) + tp->rttvar_us, jiffies_to_usecs(TCP_RTO_MIN));

	return stuck_us(tp, mptcp_bpf_path_state(c, id)) / timeout_us;
}

void mptcp_bpf_paths_slow_staleness(struct conn *c)
{
	struct list_head *pos;

	for_each_subflow(pos, c->msk) {
		void *subflow = mptcp_bpf_subflow_of(pos);
		u8 *count = SUBFLOW_FIELD(subflow, stale_count, u8);
		const struct tcp_sock *tp;

		if (!*count || SUBFLOW_FLAG(subflow, stale) || !mptcp_bpf_subflow_active(subflow))
			continue;
		tp = tcp_sk(mptcp_bpf_subflow_sock(subflow));
		/* Else what it holds cannot leave: the sooner it is stale the better. */
		if (tp->packets_out)
			*count = min_t(u32, *count, timeouts_without_progress(c, subflow, tp));
	}
}

/*
 * An application-limited sample says nothing about the path. MPTCP does not mark them, but what was
 * delivered in the round trip of a busy subflow is a window, and half of one in slow start. A
 * segment or two say nothing either: they may have waited for a retransmission timeout.
 */
static u64 delivery_rate(const struct tcp_sock *tp, u32 mss)
{
	u32 interval_us = READ_ONCE(tp->rate_interval_us),
	    delivered = READ_ONCE(tp->rate_delivered);

	if (!interval_us || tp->rate_app_limited || delivered < 3 ||
	    delivered < tcp_snd_cwnd(tp) / 4)
		return 0;
	return div_u64((u64)delivered * mss * USEC_PER_SEC, interval_us);
}

void mptcp_bpf_view_path(struct conn *c, struct mptcp_bpf_path *p, void *subflow)
{
	struct sock *ssk = mptcp_bpf_subflow_sock(subflow);
	const struct tcp_sock *tp = tcp_sk(ssk);
	bool memory = sk_stream_memory_free(ssk);
	struct path_state *state;
	u32 mss = tp->mss_cache ?: 1;

	p->id = *SUBFLOW_FIELD(subflow, subflow_id, u32);
	state = mptcp_bpf_path_state(c, p->id);
	p->srtt_us = tp->srtt_us >> 3;
	p->rttvar_us = tp->mdev_us >> 2;
	p->min_rtt_us = tcp_min_rtt(tp) == ~0U ? 0 : tcp_min_rtt(tp);
	p->rto_us = jiffies_to_usecs(inet_csk(ssk)->icsk_rto);
	p->cwnd = tcp_snd_cwnd(tp);
	p->in_flight = tcp_packets_in_flight(tp);
	p->queued_bytes = READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt);
	p->mss = mss;
	p->ack_age_ms = jiffies_to_msecs(tcp_jiffies32 - READ_ONCE(tp->rcv_tstamp));
	p->send_age_ms = jiffies_to_msecs(tcp_jiffies32 - READ_ONCE(tp->lsndtime));
	p->pacing_bytes_per_s = READ_ONCE(ssk->sk_pacing_rate);
	p->local_id = max_t(s16, *SUBFLOW_FIELD(subflow, local_id, s16), 0);
	p->remote_id = *SUBFLOW_FIELD(subflow, remote_id, u8);
	p->retransmits = READ_ONCE(tp->total_retrans);
	p->timeouts = inet_csk(ssk)->icsk_retransmits;
	p->stuck_us = stuck_us(tp, state);
	p->segments = READ_ONCE(tp->data_segs_out);
	p->lost = tp->lost_out;
	p->last_rtt_us = tp->rack.rtt_us;
	p->delivery_bytes_per_s = delivery_rate(tp, mss);

	p->flags = subflow_bits(subflow);
	if (memory)
		p->flags |= MPTCP_PATH_MEMORY;
	if (memory && mptcp_bpf_has_window(ssk))
		p->flags |= MPTCP_PATH_ROOM;
	if (tp->packets_out)
		p->flags |= MPTCP_PATH_OUTSTANDING;
	if (inet_csk(ssk)->icsk_ca_state >= TCP_CA_Recovery)
		p->flags |= MPTCP_PATH_LOSS;
	if (tcp_in_slow_start(tp))
		p->flags |= MPTCP_PATH_SLOW_START;
	if (mptcp_bpf_is_blocked(ssk))
		p->flags |= MPTCP_PATH_BLOCKED;
	if (is_backup(p->flags, state))
		p->flags |= MPTCP_PATH_BACKUP;
}

/* As for a subflow, but at the MPTCP level; seen at decisions only, so a little late. */
static u32 conn_stuck_us(struct conn *c, u64 una, u64 nxt)
{
	u64 now = tcp_clock_us();

	if (una == nxt || una != c->stuck_una || !c->stuck_since_us) {
		c->stuck_una = una;
		c->stuck_since_us = now;
		return 0;
	}
	return min_t(u64, now - c->stuck_since_us, U32_MAX);
}

void mptcp_bpf_view_head(struct conn *c, struct mptcp_bpf_view *v)
{
	struct mptcp_sock *msk = c->msk;
	u64 nxt = READ_ONCE(*MSK_FIELD(msk, snd_nxt, u64));
	u64 una = READ_ONCE(*MSK_FIELD(msk, snd_una, u64));
	u64 end = READ_ONCE(*MSK_FIELD(msk, wnd_end, u64));

	v->next_seq = nxt;
	v->unsent_bytes = READ_ONCE(*MSK_FIELD(msk, write_seq, u64)) - nxt;
	v->unacked_bytes = nxt - una;
	v->window_bytes = (s64)(end - nxt) > 0 ? end - nxt : 0;
	v->age_ms = mptcp_bpf_conn_age_ms(msk);
	v->token = *MSK_FIELD(msk, token, u32);
	v->sent_bytes = READ_ONCE(*MSK_FIELD(msk, bytes_sent, u64));
	v->reinjected_bytes = READ_ONCE(*MSK_FIELD(msk, bytes_retrans, u64));
	v->stuck_us = conn_stuck_us(c, una, nxt);
	v->reserved = 0;
}
