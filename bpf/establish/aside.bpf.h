/* SPDX-License-Identifier: GPL-2.0-only */
/* Which SYNs are left alone, and why. */
#ifndef ESTABLISH_ASIDE_BPF_H
#define ESTABLISH_ASIDE_BPF_H

#include "flow.bpf.h"

#define RTF_GATEWAY  0x0002
#define REFDST_NOREF 1UL /* SKB_DST_NOREF of include/linux/skbuff.h */

static __always_inline bool has_prefix(const struct rescue_address *address,
				       const struct rescue_destination *d)
{
	int i;

	bpf_for(i, 0, 4) {
		__u32 bits = d->bits - 32 * i, mask;

		if (i < 0 || i > 3 || d->bits <= 32 * i)
			break;
		mask = bits >= 32 ? ~0U : ~(~0U >> bits);
		if ((address->word[i] ^ d->prefix.word[i]) & bpf_htonl(mask))
			return false;
	}
	return true;
}

static __always_inline bool is_listed(const struct rescue_destination *list, __u32 nr,
				      const struct rescue_address *to, __u16 port)
{
	int i;

	bpf_for(i, 0, RESCUE_LIST_MAX) {
		const struct rescue_destination *d;

		if (i < 0 || i >= RESCUE_LIST_MAX || i >= nr)
			break;
		d = &list[i];
		if ((!d->port_first || (port >= d->port_first && port <= d->port_last)) &&
		    has_prefix(to, d))
			return true;
	}
	return false;
}

static __always_inline bool is_idempotent(const struct rescue_config *c, const struct packet *p)
{
	return is_listed(c->idempotent, c->nr_idempotent, &p->tuple.remote,
			 bpf_ntohs(p->tuple.remote_port));
}

static __always_inline bool is_same(const struct rescue_address *a, const struct rescue_address *b)
{
	return !((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
		 (a->word[3] ^ b->word[3]));
}

/* Is the destination on the network that the packet leaves by, or the gateway there? Another path
 * leads elsewhere. A tunnel has no gateways, so nothing can be told. */
static __always_inline bool is_on_link(struct __sk_buff *skb, const struct packet *p)
{
	struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);
	unsigned long dst = BPF_CORE_READ(kernel, _skb_refdst) & ~REFDST_NOREF;
	/* Both kinds of route begin with the dst_entry. */
	const struct rt6_info *v6 = (void *)dst;
	const struct rtable *v4 = (void *)dst;

	if (!p->l3 || !dst)
		return false;
	if (p->v6) {
		struct rescue_address gateway = {};

		BPF_CORE_READ_INTO(&gateway, v6, rt6i_gateway);
		return !(BPF_CORE_READ(v6, rt6i_flags) & RTF_GATEWAY) ||
		       is_same(&gateway, &p->tuple.remote);
	}
	return !BPF_CORE_READ(v4, rt_uses_gateway) ||
	       BPF_CORE_READ(v4, rt_gw4) == p->tuple.remote.word[3];
}

/* What its socket says of a SYN. */
struct syn {
	__u32 retransmits;
	bool bound, had_data;
};

/* Forwarded packets have no socket. */
static __always_inline bool syn_read(struct __sk_buff *skb, struct syn *syn)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tp;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk)
		return false;
	syn->bound = sk->bound_dev_if != 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return false;
	syn->retransmits = tp->inet_conn.icsk_retransmits;
	syn->had_data = BPF_CORE_READ_BITFIELD(tp, syn_data);
	return true;
}

/* Data that was in the first SYN may be with the peer's application, although the retransmitted
 * ones have none. */
static __always_inline bool may_copy(struct __sk_buff *skb, const struct rescue_config *c,
				     const struct packet *p, const struct options *o,
				     const struct syn *syn)
{
	__u32 why = 0;

	if (syn->bound)
		why = RESCUE_NOT_BOUND;
	else if (o->is_signed)
		why = RESCUE_NOT_SIGNED;
	else if ((syn->had_data || p->payload_bytes) && !is_idempotent(c, p))
		why = RESCUE_NOT_DATA;
	else if (is_on_link(skb, p))
		why = RESCUE_NOT_LINK;
	/* Once for each connection. */
	if (why && syn->retransmits == !c->race)
		count(why);
	return !why;
}

#endif
