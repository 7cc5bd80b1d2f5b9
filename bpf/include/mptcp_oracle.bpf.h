/* SPDX-License-Identifier: GPL-2.0-only */
/* The oracle's maps, and what it reads of a subflow's sockets. */
#ifndef MPTCP_ORACLE_BPF_H
#define MPTCP_ORACLE_BPF_H

#define AF_INET		2
#define AF_INET6	10
#define CLOCK_MONOTONIC 1
#define SUBFLOWS_MAX	64 /* of a connection */

/* What a subflow has reported already, and what it waits for. */
struct subflow {
	struct bpf_timer timer;
	struct oracle_key key;
	__u64 since_ns;	    /* snd_una is what it is, or something is outstanding again */
	__u64 delivered_ns; /* last ack or data */
	__u64 reported_ns;  /* of delivered_ns */
	__u64 received_ns;
	__u64 asked_ns; /* sent something, and nothing received since; 0: no */
	__u32 answer_us, answers;
	__u64 bytes;
	__u32 snd_una;
	__u32 segs, lost, resent;
	__u32 timeouts;
	bool armed;
	bool late; /* what it waits for was overdue when it was looked at last */
	bool idle; /* nothing outstanding when it was looked at last */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* cookie of the network namespace */
	__type(value, struct oracle_config);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} configs SEC(".maps");

/* What was not heard for long is taken out by the watcher: maps that evict take no spin locks. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct oracle_key);
	__type(value, struct oracle_path);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__type(key, __u64); /* of the TCP socket */
	__type(value, struct subflow);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} subflows SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ORACLE_RING_BYTES);
};

/* Of each namespace its own, because a ring has one reader. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__array(values, struct ring);
} rings SEC(".maps");

static __always_inline void mapped(__u8 out[16], __be32 v4)
{
	__builtin_memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	__builtin_memcpy(out + 12, &v4, 4);
}

/* False for a socket that has no route or is of another family. */
static __always_inline bool key_of(const struct sock *sk, struct oracle_key *k)
{
	const struct sock_common *skc = &sk->__sk_common;
	const struct dst_entry *dst = sk->sk_dst_cache;

	if (skc->skc_family == AF_INET) {
		mapped(k->local, skc->skc_rcv_saddr);
		mapped(k->remote, skc->skc_daddr);
	} else if (skc->skc_family == AF_INET6) {
		__builtin_memcpy(k->local, &skc->skc_v6_rcv_saddr, 16);
		__builtin_memcpy(k->remote, &skc->skc_v6_daddr, 16);
	} else {
		return false;
	}
	oracle_cut_prefix(k->remote);
	k->ifindex = skc->skc_bound_dev_if;
	if (!k->ifindex)
		k->ifindex = dst ? dst->dev->ifindex : sk->sk_rx_dst_ifindex;
	return k->ifindex != 0;
}

static __always_inline struct oracle_path *path_of(struct subflow *st)
{
	struct oracle_path *p = bpf_map_lookup_elem(&paths, &st->key), fresh = { 0 };

	if (p)
		return p;
	bpf_map_update_elem(&paths, &st->key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&paths, &st->key);
}

static __always_inline void path_take(struct oracle_path *p, const struct oracle_report *r,
				      const struct oracle_config *c)
{
	__u32 alpha = c->alpha_permille, period = c->period_ms;

	bpf_spin_lock(&p->lock);
	oracle_take(&p->health, r, alpha, period);
	bpf_spin_unlock(&p->lock);
}

/* What it counted before it was known is no news. */
static __always_inline void count_from(struct subflow *st, const struct tcp_sock *tp)
{
	st->snd_una = tp->snd_una;
	st->bytes = tp->bytes_acked + tp->bytes_received;
	st->segs = tp->data_segs_out;
	st->lost = tp->lost;
	st->resent = tp->total_retrans;
	st->since_ns = bpf_ktime_get_ns();
}

static __always_inline void note_sent(struct subflow *st, const struct tcp_sock *tp, __u64 now)
{
	if (tp->snd_una != st->snd_una) {
		st->snd_una = tp->snd_una;
		st->since_ns = st->delivered_ns = now;
	} else if (st->idle) {
		st->since_ns = now;
	}
	st->idle = false;
	if (!st->asked_ns)
		st->asked_ns = now;
}

static __always_inline void note_received(struct subflow *st, __u64 now)
{
	st->received_ns = st->delivered_ns = now;
	if (!st->asked_ns)
		return;
	/* The longest of late, forgotten by and by. */
	st->answer_us -= st->answer_us >> 3;
	if ((now - st->asked_ns) / 1000 > st->answer_us)
		st->answer_us = (now - st->asked_ns) / 1000;
	st->answers++;
	st->asked_ns = 0;
}

static __always_inline void report_sent(struct subflow *st, const struct tcp_sock *tp,
					struct oracle_report *r)
{
	const struct inet_connection_sock *icsk = bpf_core_cast(tp, struct inet_connection_sock);
	__u32 timeouts = icsk->icsk_retransmits;

	/* Nobody noted that ack; its time is about that of the last packet. */
	if (tp->snd_una != st->snd_una) {
		st->snd_una = tp->snd_una;
		st->since_ns = st->delivered_ns = tp->tcp_mstamp * 1000;
	}
	if (st->delivered_ns > st->reported_ns)
		r->delivered_ns = st->reported_ns = st->delivered_ns;
	r->srtt_us = tp->srtt_us >> 3;
	r->rto_us = oracle_rto_us(r->srtt_us, tp->rttvar_us, icsk->icsk_backoff);
	r->overdue_us = oracle_overdue_us(r->srtt_us, tp->mdev_us >> 2);
	r->bytes = tp->bytes_acked + tp->bytes_received - st->bytes;
	r->segs = tp->data_segs_out - st->segs;
	r->lost = tp->lost - st->lost;
	r->resent = tp->total_retrans - st->resent;
	st->bytes += r->bytes;
	st->segs += r->segs;
	st->lost += r->lost;
	st->resent += r->resent;
	r->timeouts = timeouts > st->timeouts ? timeouts : 0;
	st->timeouts = timeouts;
	st->idle = !tp->packets_out;
	if (!st->idle)
		r->waiting_ns = st->since_ns;
}

/* The TCP socket behind a node of a connection's list of subflows; 0 at its end. The list is read
 * without its lock: what is no subflow of the connection (any more) ends it, too. */
static __always_inline __u64 subflow_at(const struct list_head *node, const struct mptcp_sock *msk)
{
	const struct mptcp_subflow_context *sub = bpf_core_cast(
		(void *)node - bpf_core_field_offset(struct mptcp_subflow_context, node),
		struct mptcp_subflow_context);

	if (node == &msk->conn_list || (__u64)sub->conn != (__u64)msk)
		return 0;
	return (__u64)sub->tcp_sock;
}

static __always_inline bool has_data(const struct sk_buff *skb)
{
	const struct tcphdr *th = bpf_core_cast(skb->head + skb->transport_header, struct tcphdr);

	return skb->len > 4u * BPF_CORE_READ_BITFIELD(th, doff);
}

/* Has the connection received something since it last sent, on whichever subflow? */
static __always_inline bool answered(const struct mptcp_subflow_context *sub)
{
	const struct mptcp_sock *msk = bpf_core_cast(sub->conn, struct mptcp_sock);

	return (__s32)(msk->last_data_recv - msk->last_data_sent) > 0;
}

static __always_inline void report_received(struct subflow *st, const struct tcp_sock *tp,
					    struct oracle_report *r)
{
	const struct inet_connection_sock *icsk = bpf_core_cast(tp, struct inet_connection_sock);
	const struct mptcp_subflow_context *sub =
		bpf_core_cast(icsk->icsk_ulp_data, struct mptcp_subflow_context);
	const struct sock *sk = bpf_core_cast(tp, struct sock);
	__u32 end, answer_us = st->answer_us < ORACLE_NEVER_US / 4 ? 4 * st->answer_us
								   : ORACLE_NEVER_US;

	/* With acks missing that is the worse news; a full buffer is the reader's doing. */
	if (r->waiting_ns || sk->__sk_common.skc_state != BPF_TCP_ESTABLISHED || !tp->rcv_wnd)
		return;
	end = sub->map_subflow_seq + sub->ssn_offset + sub->map_data_len;
	if (st->received_ns && BPF_CORE_READ_BITFIELD(sub, map_valid) &&
	    (__s32)(end - tp->rcv_nxt) > 0) {
		r->waiting_ns = st->received_ns;
	} else if (st->asked_ns && st->answers >= ORACLE_ANSWERS_MIN && !answered(sub)) {
		r->waiting_ns = st->asked_ns;
		if (answer_us > r->overdue_us)
			r->overdue_us = answer_us;
	}
}

#endif
