/* SPDX-License-Identifier: GPL-2.0-only */
/* A port for the copies of a SYN that nothing else on this host uses. */
#ifndef ESTABLISH_ALIAS_BPF_H
#define ESTABLISH_ALIAS_BPF_H

#include "flow.bpf.h"

#define PORT_TRIES 8

/* Does a socket of this host, or another connection, have it? */
static __always_inline bool alias_taken(struct __sk_buff *skb, const struct packet *p,
					const struct rescue_tuple *at, __u64 now)
{
	const struct rescue_flow *f = bpf_map_lookup_elem(&flows, at);
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk;

	if (f && now - f->used_ns <= RESCUE_IDLE_NS)
		return true;
	/* Seen from the peer, as for a packet that comes in. */
	if (p->v6) {
		__builtin_memcpy(t.ipv6.saddr, &at->remote, 16);
		__builtin_memcpy(t.ipv6.daddr, &at->local, 16);
		t.ipv6.sport = at->remote_port;
		t.ipv6.dport = at->local_port;
		sk = bpf_skc_lookup_tcp(skb, &t, sizeof(t.ipv6), BPF_F_CURRENT_NETNS, 0);
	} else {
		t.ipv4.saddr = at->remote.word[3];
		t.ipv4.daddr = at->local.word[3];
		t.ipv4.sport = at->remote_port;
		t.ipv4.dport = at->local_port;
		sk = bpf_skc_lookup_tcp(skb, &t, sizeof(t.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

static __always_inline __u16 port_try(const struct rescue_config *c, const struct packet *p,
				      __u32 salt)
{
	if (!c->port_count)
		return p->tuple.local_port;
	return bpf_htons(c->port_first +
			 (bpf_ntohs(p->tuple.local_port) + p->sequence + salt) % c->port_count);
}

/* The same port on every route; 0: none is free. */
static __always_inline __u16 find_port(struct __sk_buff *skb, const struct rescue_config *c,
				       const struct packet *p, struct rescue_flow *f, __u64 now)
{
	int i, j;

	bpf_for(i, 0, PORT_TRIES) {
		bool taken = false;

		f->alias_port = port_try(c, p, i);
		bpf_for(j, 0, RESCUE_ROUTES_MAX) {
			struct rescue_route *r = get_route(f, j);
			struct rescue_tuple at;

			if (!r || j >= f->nr_routes)
				break;
			at = alias_of(f, r, &p->tuple);
			taken = taken || alias_taken(skb, p, &at, now);
		}
		if (!taken)
			return f->alias_port;
	}
	f->alias_port = 0;
	return 0;
}

#endif
