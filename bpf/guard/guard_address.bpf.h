/* SPDX-License-Identifier: GPL-2.0-only */
/* REMOVE_ADDR and ADD_ADDR: which of the addresses are let through? */
#ifndef GUARD_ADDRESS_BPF_H
#define GUARD_ADDRESS_BPF_H

#include "guard_socket.bpf.h"

/*
 * Does a subflow to the address with this id speak against its removal? One that moved data a
 * moment ago does, and so does one that shows nothing; both are handed to the watcher, because the
 * peer does not say it again.
 */
static __always_inline bool is_contested(struct scratch *s, struct mptcp_sock *msk, __u8 id)
{
	int i;

	s->count = 0;
	subflow_walk_start(&s->walk, msk);
	bpf_for(i, 0, SUBFLOWS_MAX) {
		struct mptcp_subflow_context *subflow = subflow_walk_next(&s->walk);
		enum subflow_life life;
		struct sock *ssk;

		if (!subflow)
			break;
		if (BPF_CORE_READ(subflow, remote_id) != id)
			continue;
		ssk = BPF_CORE_READ(subflow, tcp_sock);
		life = subflow_life(ssk);
		if (life == SUBFLOW_GONE || life == SUBFLOW_DEAD)
			continue;
		s->count++;
		event_of_packet(s, MPTCP_GUARD_REMOVE,
				life == SUBFLOW_ALIVE ? MPTCP_GUARD_ALIVE : MPTCP_GUARD_QUIET);
		event_of_socket(s, ssk);
		s->event.token = msk->token;
		s->event.id = id;
		log_event(&s->event);
		bpf_ringbuf_output(&guard_watch, &s->event, sizeof(s->event), 0);
	}
	return s->count;
}

static __always_inline void judge_ids(struct scratch *s, struct mptcp_sock *msk)
{
	int i;

	bpf_for(i, 0, MPTCP_REMOVE_IDS) {
		__u8 id = mptcp_option_byte(&s->p.options, MPTCP_REMOVE_HEAD_BYTES + i);

		if (i < 0 || i >= s->ids)
			break;
		if (is_contested(s, msk, id))
			continue;
		s->keep |= 1u << i;
		s->kept++;
	}
}

/* What is for no connection of this host is for others to judge. */
static __always_inline void judge_remove(struct __sk_buff *skb, struct scratch *s)
{
	struct sock_common *sk = socket_of_packet(skb, s);
	struct mptcp_sock *msk = sk ? bpf_skc_to_mptcp_sock(sk) : NULL;

	if (msk)
		judge_ids(s, msk);
	else
		s->kept = s->ids;
	if (sk)
		bpf_sk_release(sk);
}

static __always_inline void ignore_remove(struct __sk_buff *skb, struct scratch *s)
{
	__u32 token = packet_token(skb, s);
	int i;

	bpf_for(i, 0, MPTCP_REMOVE_IDS) {
		if (i < 0 || i >= s->ids)
			break;
		event_of_packet(s, MPTCP_GUARD_REMOVE, MPTCP_GUARD_BY_RULE);
		s->event.token = token;
		s->event.id = mptcp_option_byte(&s->p.options, MPTCP_REMOVE_HEAD_BYTES + i);
		log_event(&s->event);
	}
}

static __always_inline void guard_remove(struct __sk_buff *skb, struct scratch *s,
					 const struct mptcp_guard_config *c,
					 struct mptcp_guard_counters *n)
{
	__u32 refused;

	s->ids = mptcp_option_remove_ids(&s->p.options);
	n->remove += s->ids;
	if (c->remove == MPTCP_GUARD_REMOVE_ACCEPT || !s->ids)
		return;
	s->keep = s->kept = 0;
	if (c->remove == MPTCP_GUARD_REMOVE_PROBE)
		judge_remove(skb, s);
	else
		ignore_remove(skb, s);
	refused = s->ids - s->kept;
	if (!refused)
		return;
	n->remove_ignored += refused;
	mptcp_option_remove_keep(&s->p.options, s->keep);
	s->changed = true;
}

static __always_inline bool in_prefix(const __u8 *address, const struct mptcp_guard_prefix *prefix)
{
	int i;

	bpf_for(i, 0, 16) {
		__u32 rest = prefix->bits - 8 * i, mask;

		if (i < 0 || i >= 16 || 8 * i >= prefix->bits)
			break;
		mask = rest >= 8 ? 0xff : (0xff << (8 - rest)) & 0xff;
		if ((address[i] ^ prefix->address[i]) & mask)
			return false;
	}
	return true;
}

static __always_inline bool is_listed(const struct mptcp_guard_config *c,
				      const struct mptcp_add_addr *a)
{
	int i;

	bpf_for(i, 0, MPTCP_GUARD_PREFIXES) {
		const struct mptcp_guard_prefix *prefix;

		if (i < 0 || i >= MPTCP_GUARD_PREFIXES || i >= c->nr_prefixes)
			break;
		prefix = &c->prefixes[i];
		if ((!prefix->port_first ||
		     (a->port >= prefix->port_first && a->port <= prefix->port_last)) &&
		    in_prefix(a->address, prefix))
			return true;
	}
	return false;
}

static __always_inline void guard_add(struct __sk_buff *skb, struct scratch *s,
				      const struct mptcp_guard_config *c,
				      struct mptcp_guard_counters *n)
{
	if (!mptcp_option_add_addr(&s->p.options, &s->add) || s->add.echo)
		return;
	n->add_addr++;
	/* Without a port of its own it is that of the connection. */
	if (!s->add.port)
		s->add.port = bpf_ntohs(s->p.source_port);
	if (!c->nr_prefixes || is_listed(c, &s->add))
		return;
	n->add_addr_ignored++;
	take_out(s);
	event_of_packet(s, MPTCP_GUARD_ADD_ADDR, MPTCP_GUARD_UNLISTED);
	s->event.token = packet_token(skb, s);
	s->event.id = s->add.id;
	s->event.family = s->add.family;
	s->event.local_port = 0;
	s->event.remote_port = s->add.port;
	__builtin_memset(s->event.local, 0, sizeof(s->event.local));
	__builtin_memset(s->event.remote, 0, sizeof(s->event.remote));
	if (s->add.family == 4)
		__builtin_memcpy(s->event.remote, s->add.address + 12, 4);
	else
		__builtin_memcpy(s->event.remote, s->add.address, 16);
	log_event(&s->event);
}

#endif
