/* SPDX-License-Identifier: GPL-2.0-only */
/* The socket of this host that a packet is for. */
#ifndef GUARD_SOCKET_BPF_H
#define GUARD_SOCKET_BPF_H

#include "guard_state.bpf.h"

/* The caller releases it. */
static __always_inline struct sock_common *socket_of_packet(struct __sk_buff *skb,
							    struct scratch *s)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size = sizeof(tuple.ipv4);

	if (s->p.protocol == PACKET_IPV6) {
		__builtin_memcpy(tuple.ipv6.saddr, s->p.source, 16);
		__builtin_memcpy(tuple.ipv6.daddr, s->p.destination, 16);
		tuple.ipv6.sport = s->p.source_port;
		tuple.ipv6.dport = s->p.destination_port;
		return (void *)bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6),
						  BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(&tuple.ipv4.saddr, s->p.source, 4);
	__builtin_memcpy(&tuple.ipv4.daddr, s->p.destination, 4);
	tuple.ipv4.sport = s->p.source_port;
	tuple.ipv4.dport = s->p.destination_port;
	return (void *)bpf_skc_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
}

/* 0: it is for no connection of this host. */
static __always_inline __u32 packet_token(struct __sk_buff *skb, struct scratch *s)
{
	struct sock_common *sk = socket_of_packet(skb, s);
	struct mptcp_sock *msk;
	__u32 token = 0;

	if (!sk)
		return 0;
	msk = bpf_skc_to_mptcp_sock(sk);
	if (msk)
		token = msk->token;
	bpf_sk_release(sk);
	return token;
}

/* By addresses and ports: pointers are not compared with what was read from memory. */
static __always_inline bool socket_is_of_packet(struct sock *ssk, const struct scratch *s)
{
	const __u32 *source = (const __u32 *)s->p.source;
	const __u32 *destination = (const __u32 *)s->p.destination;
	__u32 far[4] = {}, near[4] = {};

	if (BPF_CORE_READ(ssk, __sk_common.skc_num) != bpf_ntohs(s->p.destination_port) ||
	    BPF_CORE_READ(ssk, __sk_common.skc_dport) != s->p.source_port)
		return false;
	if (s->p.protocol == PACKET_IPV4)
		return BPF_CORE_READ(ssk, __sk_common.skc_daddr) == source[0] &&
		       BPF_CORE_READ(ssk, __sk_common.skc_rcv_saddr) == destination[0];
	BPF_CORE_READ_INTO(&far, ssk, __sk_common.skc_v6_daddr);
	BPF_CORE_READ_INTO(&near, ssk, __sk_common.skc_v6_rcv_saddr);
	return far[0] == source[0] && far[1] == source[1] && far[2] == source[2] &&
	       far[3] == source[3] && near[0] == destination[0] && near[1] == destination[1] &&
	       near[2] == destination[2] && near[3] == destination[3];
}

/* The event is about this subflow. */
static __always_inline void event_of_socket(struct scratch *s, struct sock *ssk)
{
	struct mptcp_guard_event *e = &s->event;
	__u32 v4;

	__builtin_memset(e->local, 0, sizeof(e->local));
	__builtin_memset(e->remote, 0, sizeof(e->remote));
	e->local_port = BPF_CORE_READ(ssk, __sk_common.skc_num);
	e->remote_port = bpf_ntohs(BPF_CORE_READ(ssk, __sk_common.skc_dport));
	/* Set for IPv4 on a socket of IPv6, too. */
	v4 = BPF_CORE_READ(ssk, __sk_common.skc_daddr);
	e->family = BPF_CORE_READ(ssk, __sk_common.skc_family) == 2 || v4 ? 4 : 6;
	if (e->family == 4) {
		__builtin_memcpy(e->remote, &v4, 4);
		v4 = BPF_CORE_READ(ssk, __sk_common.skc_rcv_saddr);
		__builtin_memcpy(e->local, &v4, 4);
		return;
	}
	BPF_CORE_READ_INTO(&e->remote, ssk, __sk_common.skc_v6_daddr);
	BPF_CORE_READ_INTO(&e->local, ssk, __sk_common.skc_v6_rcv_saddr);
}

#endif
