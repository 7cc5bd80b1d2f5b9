/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Data in the SYN (TCP Fast Open). Where it may not be, SYNs do not ask for the cookie that it
 * takes, so that the kernel has none and sends the data later. If it had one already, the data is
 * taken out of the packet: the peer then acknowledges the SYN alone, as a server does that does not
 * take data, and the kernel goes on with plain TCP.
 *
 * A middlebox that drops SYNs with data costs each connection a timeout and MPTCP: the SYN that is
 * sent again has no data, and what follows it no MPTCP. The kernel counts that and goes on; here it
 * is remembered, for each destination and interface.
 */
#ifndef ESTABLISH_DATA_BPF_H
#define ESTABLISH_DATA_BPF_H

#include "aside.bpf.h"

#define AF_INET	       2
#define NS_PER_MS      1000000ULL
#define IPV4_LENGTH_AT 2
#define IPV4_CHECK_AT  10
#define IPV6_LENGTH_AT 4

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RESCUE_LOST_MAX);
	__type(key, struct rescue_lost_key);
	__type(value, struct rescue_lost);
} lost_data SEC(".maps");

static __always_inline bool is_held(const struct rescue_lost *l, __u64 now)
{
	return l && l->times >= RESCUE_LOST_TIMES && now < l->until_ns;
}

/* Why data may not be in a SYN; 0: it may. */
static __always_inline __u32 why_not_data(const struct rescue_config *c,
					  const struct rescue_address *to, __u16 port,
					  __u32 ifindex)
{
	struct rescue_lost_key key = { *to, ifindex };

	if (c->data_listed && !is_listed(c->data_to, c->nr_data_to, to, port))
		return RESCUE_DATA_UNLISTED;
	if (c->data_hold_ms && is_held(bpf_map_lookup_elem(&lost_data, &key), bpf_ktime_get_ns()))
		return RESCUE_DATA_HELD;
	return 0;
}

/* Neither payload nor options are in the sum yet: packets that start here are summed below. */
static __always_inline int shorten(struct __sk_buff *skb, struct packet *p)
{
	__u16 before = bpf_htons(p->tcp_bytes + p->payload_bytes), after = bpf_htons(p->tcp_bytes);
	__u16 ip_before, ip_after;

	if (bpf_l4_csum_replace(skb, p->l4 + CHECKSUM_AT, before, after,
				BPF_F_PSEUDO_HDR | sizeof(after)))
		return -EINVAL;
	if (p->v6) {
		ip_after = after;
		if (bpf_skb_store_bytes(skb, p->l3 + IPV6_LENGTH_AT, &ip_after, sizeof(ip_after),
					0))
			return -EINVAL;
	} else {
		ip_before = bpf_htons(p->l4 - p->l3 + p->tcp_bytes + p->payload_bytes);
		ip_after = bpf_htons(p->l4 - p->l3 + p->tcp_bytes);
		if (bpf_l3_csum_replace(skb, p->l3 + IPV4_CHECK_AT, ip_before, ip_after,
					sizeof(ip_after)) ||
		    bpf_skb_store_bytes(skb, p->l3 + IPV4_LENGTH_AT, &ip_after, sizeof(ip_after),
					0))
			return -EINVAL;
	}
	return bpf_skb_change_tail(skb, p->l4 + p->tcp_bytes, 0);
}

/* A cookie, or the request for one, becomes padding. */
static __always_inline int drop_cookie(struct __sk_buff *skb, const struct packet *p)
{
	struct options *o = options_read(skb, p);
	__u8 padding[OPTION_FASTOPEN_MAX];
	__u64 bytes;

	if (!o || !o->fastopen_bytes)
		return 0;
	bytes = o->fastopen_bytes;
	barrier_var(bytes);
	if (bytes < 2 || bytes > OPTION_FASTOPEN_MAX)
		return 0;
	count(RESCUE_DATA_COOKIES);
	__builtin_memset(padding, 1, sizeof(padding));
	return bpf_skb_store_bytes(skb, p->l4 + TCP_BYTES + o->fastopen_at, padding, bytes, 0);
}

/* A SYN of this machine, before anything is made of it. False: it is no more what it was. */
static __always_inline bool data_out(struct __sk_buff *skb, struct packet *p)
{
	const struct rescue_config *c = get_config();
	__u32 why;

	if (!c || !skb->sk || !rescue_looks_at_data(c))
		return true;
	why = why_not_data(c, &p->tuple.remote, bpf_ntohs(p->tuple.remote_port), skb->ifindex);
	if (!why)
		return true;
	if (drop_cookie(skb, p) || (p->payload_bytes && shorten(skb, p))) {
		count(RESCUE_FAILED);
		return false;
	}
	if (p->payload_bytes)
		count(why);
	p->payload_bytes = 0;
	return true;
}

static __always_inline void read_remote(const struct tcp_sock *tp, struct rescue_address *out)
{
	const struct sock_common *sk = &tp->inet_conn.icsk_inet.sk.__sk_common;

	if (sk->skc_family == AF_INET)
		*out = (struct rescue_address){ { 0, 0, MAPPED, sk->skc_daddr } };
	else
		BPF_CORE_READ_INTO(out, sk, skc_v6_daddr);
}

/* One loss may be any packet's; two without a success in between are not. Those of connections that
 * were begun together may have one cause, and count once. */
static __always_inline void note_lost(const struct rescue_lost_key *key, __u64 hold_ms, __u64 now)
{
	struct rescue_lost fresh = {}, *l = bpf_map_lookup_elem(&lost_data, key);

	if (l)
		fresh = *l;
	if (fresh.times && now - fresh.last_ns < RESCUE_LOST_GAP_NS)
		return;
	fresh.last_ns = now;
	fresh.times++;
	if (fresh.times >= RESCUE_LOST_TIMES) {
		fresh.until_ns = now + hold_ms * NS_PER_MS;
		count(RESCUE_DATA_HOLDS);
	}
	bpf_map_update_elem(&lost_data, key, &fresh, BPF_ANY);
}

/* When the SYN/ACK has come: was there data in the SYN, and did it arrive? */
SEC("sockops")
int rescue_data(struct bpf_sock_ops *ops)
{
	const struct rescue_config *c = get_config();
	struct rescue_lost_key key = {};
	__u64 now = bpf_ktime_get_ns();
	struct tcp_sock *tp;
	struct bpf_sock *sk;

	if (ops->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB || !c || !c->data_hold_ms ||
	    bpf_get_netns_cookie(ops) != c->netns_cookie)
		return 1;
	sk = ops->sk;
	tp = sk ? bpf_skc_to_tcp_sock(sk) : NULL;
	if (!tp || !BPF_CORE_READ_BITFIELD(tp, syn_data))
		return 1;
	read_remote(tp, &key.remote);
	key.ifindex = BPF_CORE_READ(tp, inet_conn.icsk_inet.sk.sk_dst_cache, dev, ifindex);
	if (tp->snd_una == tp->snd_nxt) {
		bpf_map_delete_elem(&lost_data, &key);
		count(RESCUE_DATA_TAKEN);
		return 1;
	}
	/* Refused by the server; or lost, but the data was not in it any more. */
	if (!tp->total_retrans ||
	    why_not_data(c, &key.remote,
			 bpf_ntohs(tp->inet_conn.icsk_inet.sk.__sk_common.skc_dport), key.ifindex))
		return 1;
	count(RESCUE_DATA_LOST);
	note_lost(&key, c->data_hold_ms, now);
	return 1;
}

#endif
