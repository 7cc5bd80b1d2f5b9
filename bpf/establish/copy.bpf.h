/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of a packet on other paths. A clone can only be sent as it is, and only to a device whose
 * link layer header it has; so it is sent to the device it was leaving by anyway, where this same
 * program gets to see it, on the same CPU and before anything else, with an order what to do.
 */
#ifndef ESTABLISH_COPY_BPF_H
#define ESTABLISH_COPY_BPF_H

#include "flow.bpf.h"
#include "reset.bpf.h"

#define RTF_GATEWAY  0x0002
#define REFDST_NOREF 1UL /* SKB_DST_NOREF of include/linux/skbuff.h */

enum order_kind { ORDER_NONE, ORDER_COPY, ORDER_RESET };

struct order {
	__u32 kind;
	__u32 route; /* or RESCUE_FIRST */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct order);
} orders SEC(".maps");

static __always_inline struct order *get_order(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&orders, &zero);
}

static __always_inline bool order_waits(void)
{
	const struct order *o = get_order();

	return o && o->kind != ORDER_NONE;
}

static __always_inline bool send_clone(struct __sk_buff *skb, __u32 kind, __u32 route)
{
	struct order *o = get_order();
	long err;

	if (!o)
		return false;
	o->route = route;
	o->kind = kind;
	err = bpf_clone_redirect(skb, skb->ifindex, 0);
	o->kind = ORDER_NONE;
	if (err)
		count(RESCUE_FAILED);
	return !err;
}

/* Under another address and by another interface, to whatever neighbour leads there. */
static __always_inline int leave_by(struct __sk_buff *skb, const struct packet *p,
				    const struct rescue_address *address, __u16 port, __u32 ifindex)
{
	if (packet_set_local(skb, p, address, port, OUT))
		goto failed;
	/* The route may have changed to that interface meanwhile. */
	if (skb->ifindex == ifindex)
		return TCX_NEXT;
	if (!p->l3 && bpf_skb_change_head(skb, ETHERNET_BYTES, 0))
		goto failed;
	return bpf_redirect_neigh(ifindex, NULL, 0, 0);
failed:
	count(RESCUE_FAILED);
	return TCX_DROP;
}

static __always_inline int carry_out(struct __sk_buff *skb, struct packet *p, struct rescue_flow *f)
{
	struct order *o = get_order();
	struct rescue_route *r;
	__u32 kind, route;

	if (!o || !f)
		return TCX_DROP;
	kind = o->kind;
	route = o->route;
	o->kind = ORDER_NONE;
	if (kind == ORDER_RESET && packet_become_reset(skb, p, f->sequence + 1))
		return TCX_DROP;
	if (route == RESCUE_FIRST)
		return TCX_NEXT;
	r = get_route(f, route);
	if (!r)
		return TCX_DROP;
	if (kind == ORDER_COPY) {
		struct options *opt = options_read(skb, p);

		if (opt)
			options_clamp_mss(skb, p, opt, r->mtu_bytes);
	}
	return leave_by(skb, p, &r->address, f->alias_port, r->ifindex);
}

/* Those that were asked and did not win may have a half-open connection, whether or not their
 * SYN/ACK ever gets here. */
static __always_inline void reset_losers(struct __sk_buff *skb, struct rescue_flow *f)
{
	int i;

	f->resets = 1;
	if (f->winner != RESCUE_FIRST && send_clone(skb, ORDER_RESET, RESCUE_FIRST))
		count(RESCUE_RESETS);
	bpf_for(i, 0, RESCUE_ROUTES_MAX) {
		struct rescue_route *r = get_route(f, i);

		if (!r || !r->copies || f->winner == i + 1)
			continue;
		if (send_clone(skb, ORDER_RESET, i))
			count(RESCUE_RESETS);
	}
}

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

static __always_inline bool is_idempotent(const struct rescue_config *c, const struct packet *p)
{
	__u16 port = bpf_ntohs(p->tuple.remote_port);
	int i;

	bpf_for(i, 0, RESCUE_IDEMPOTENT_MAX) {
		const struct rescue_destination *d;

		if (i < 0 || i >= RESCUE_IDEMPOTENT_MAX || i >= c->nr_idempotent)
			break;
		d = &c->idempotent[i];
		if ((!d->port_first || (port >= d->port_first && port <= d->port_last)) &&
		    has_prefix(&p->tuple.remote, d))
			return true;
	}
	return false;
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

static __always_inline void find_routes(const struct rescue_config *c, const struct packet *p,
					struct rescue_flow *f)
{
	__u32 nr = 0;
	int i;

	bpf_for(i, 0, RESCUE_PATHS_MAX) {
		const struct rescue_path *path;
		const struct rescue_address *a;
		struct rescue_route *r;

		if (i < 0 || i >= RESCUE_PATHS_MAX || i >= c->nr_paths)
			break;
		path = &c->paths[i];
		a = p->v6 ? &path->v6 : &path->v4;
		r = get_route(f, nr);
		if (!r)
			break;
		if (path->ifindex == f->ifindex || !(a->word[0] | a->word[2] | a->word[3]))
			continue;
		r->address = *a;
		r->ifindex = path->ifindex;
		r->mtu_bytes = path->mtu_bytes;
		nr++;
		f->nr_routes = nr;
	}
}

static __always_inline void copy_syn(struct __sk_buff *skb, const struct rescue_config *c,
				     const struct packet *p, struct rescue_flow *f, __u32 turn,
				     __u64 now)
{
	struct rescue_route *r;
	__u32 i;

	if (!f->nr_routes) {
		find_routes(c, p, f);
		if (!f->nr_routes) {
			count(RESCUE_NOT_PATH);
			return;
		}
		if (!find_port(skb, c, p, f, now)) {
			count(RESCUE_NOT_PORT);
			return;
		}
	}
	i = f->nr_routes ? turn % f->nr_routes : 0;
	r = get_route(f, i);
	if (!r || !f->alias_port || !add_alias(f, r, &p->tuple, i))
		return;
	if (!send_clone(skb, ORDER_COPY, i))
		return;
	r->copies++;
	count(RESCUE_COPIES);
}

#endif
