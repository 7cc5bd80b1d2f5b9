/* SPDX-License-Identifier: GPL-2.0-only */
/* MP_PRIO and MP_JOIN: is it let through? */
#ifndef GUARD_PRIO_BPF_H
#define GUARD_PRIO_BPF_H

#include "guard_socket.bpf.h"

/* Would no other subflow be left that is not a backup? Without a socket of this host: no. */
static __always_inline bool leaves_none(struct __sk_buff *skb, struct scratch *s)
{
	struct sock_common *sk = socket_of_packet(skb, s);
	struct mptcp_sock *msk;
	int i;

	if (!sk)
		return false;
	msk = bpf_skc_to_mptcp_sock(sk);
	s->count = 0;
	if (msk)
		subflow_walk_start(&s->walk, msk);
	bpf_for(i, 0, msk ? SUBFLOWS_MAX : 0) {
		struct mptcp_subflow_context *subflow = subflow_walk_next(&s->walk);
		struct sock *ssk;

		if (!subflow)
			break;
		ssk = BPF_CORE_READ(subflow, tcp_sock);
		if (!socket_is_of_packet(ssk, s) && subflow_state(ssk) == TCP_ESTABLISHED &&
		    !subflow_is_backup(subflow))
			s->count++;
	}
	bpf_sk_release(sk);
	return msk && s->count == 0;
}

/* Why an MP_PRIO is not let through; 0: it is. */
static __always_inline __u8 judge_prio(struct __sk_buff *skb, struct scratch *s,
				       const struct mptcp_guard_config *c)
{
	bool backup = mptcp_option_byte(&s->p.options, 2) & MPTCP_PRIO_BACKUP;

	switch ((enum mptcp_guard_prio)c->prio) {
	case MPTCP_GUARD_PRIO_ACCEPT:
		return 0;
	case MPTCP_GUARD_PRIO_IGNORE_BACKUP:
		return backup ? MPTCP_GUARD_BY_RULE : 0;
	case MPTCP_GUARD_PRIO_IGNORE_ALL:
		return MPTCP_GUARD_BY_RULE;
	case MPTCP_GUARD_PRIO_RATE:
		s->rate.ifindex = s->ifindex;
		s->rate.source_port = s->p.source_port;
		s->rate.destination_port = s->p.destination_port;
		__builtin_memcpy(s->rate.source, s->p.source, 16);
		__builtin_memcpy(s->rate.destination, s->p.destination, 16);
		return rate_allows(&s->rate, c->prio_per_minute) ? 0 : MPTCP_GUARD_RATE;
	case MPTCP_GUARD_PRIO_NEVER_EMPTY:
		return backup && leaves_none(skb, s) ? MPTCP_GUARD_LAST : 0;
	}
	return 0;
}

static __always_inline void guard_prio(struct __sk_buff *skb, struct scratch *s,
				       const struct mptcp_guard_config *c,
				       struct mptcp_guard_counters *n)
{
	__u8 why = judge_prio(skb, s, c);

	n->prio++;
	if (!why)
		return;
	n->prio_ignored++;
	take_out(s);
	event_of_packet(s, MPTCP_GUARD_PRIO, why);
	s->event.token = packet_token(skb, s);
	log_event(&s->event);
}

static __always_inline void guard_join(struct scratch *s, const struct mptcp_guard_config *c,
				       struct mptcp_guard_counters *n)
{
	if (s->p.options.size != MPTCP_JOIN_SYN_BYTES ||
	    (s->p.flags & (PACKET_SYN | PACKET_ACK)) != PACKET_SYN)
		return;
	n->join++;
	__builtin_memset(&s->rate, 0, sizeof(s->rate));
	s->rate.ifindex = s->ifindex;
	if (!c->join_per_minute || rate_allows(&s->rate, c->join_per_minute))
		return;
	n->join_dropped++;
	s->drop = true;
	event_of_packet(s, MPTCP_GUARD_JOIN, MPTCP_GUARD_RATE);
	log_event(&s->event);
}

#endif
