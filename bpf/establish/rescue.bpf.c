// SPDX-License-Identifier: GPL-2.0-only
/*
 * rescue: a connection whose first path does not answer begins on the next one.
 *
 * When a SYN with MP_CAPABLE is sent again on its way out of a path's interface, or at once when
 * racing, a copy leaves by another path with that path's address as its source. The first SYN/ACK
 * decides; what loses is reset. If a copy won, packets of the connection are given the alias on
 * their way out and their own address on their way in, below netfilter and the socket, which know
 * nothing of it.
 *
 * What it does not see: a SYN that waits for the first path's neighbour (ARP) to be found.
 */
#include "aside.bpf.h"
#include "copy.bpf.h"
#include "data.bpf.h"
#include "timer.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* A SYN that is sent for the first time costs a look at its socket and no more, unless racing. */
static __always_inline int syn_out(struct __sk_buff *skb, const struct packet *p,
				   struct rescue_flow *f)
{
	const struct rescue_config *c = get_config();
	__u64 now = bpf_ktime_get_ns();
	struct syn syn;

	/* Another connection had these addresses and ports before. */
	if (f && (f->sequence != p->sequence || is_idle(f, now))) {
		bpf_map_delete_elem(&flows, &p->tuple);
		f = NULL;
	}
	if (!c || !c->on || !syn_read(skb, &syn) || !(syn.retransmits || c->race))
		return TCX_NEXT;
	if (!f) {
		struct options *o = options_read(skb, p);

		if (!o || !o->capable || !may_copy(skb, c, p, o, &syn))
			return TCX_NEXT;
		f = add_origin(p, skb->ifindex, now);
		if (!f)
			return TCX_NEXT;
		f->raced = !syn.retransmits;
		count(RESCUE_ASKED);
	}
	f->used_ns = now;
	f->retransmits = syn.retransmits;
	copy_syn(skb, c, p, f, f->raced ? syn.retransmits : syn.retransmits - 1, now);
	return TCX_NEXT;
}

/* An RST for a loser, sent by what is below, must not reach the one that won. */
static __always_inline bool is_for_loser(const struct packet *p, const struct rescue_flow *f)
{
	return (p->flags & (TCP_RST | TCP_ACK)) == TCP_RST && p->sequence == f->sequence + 1;
}

SEC("tcx/egress")
int rescue_out(struct __sk_buff *skb)
{
	struct rescue_flow *f;
	struct rescue_route *r;
	struct packet p = {};

	if (!packet_read(skb, &p, OUT))
		return TCX_NEXT;
	if ((p.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && !data_out(skb, &p))
		return TCX_DROP;
	f = bpf_map_lookup_elem(&flows, &p.tuple);
	if (order_waits())
		return carry_out(skb, &p, f);
	if (f && f->kind != RESCUE_ORIGIN)
		return TCX_NEXT;
	if ((p.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	    (!f || f->winner == RESCUE_UNDECIDED || f->sequence != p.sequence))
		return syn_out(skb, &p, f);
	if (!f || f->winner == RESCUE_UNDECIDED || is_for_loser(&p, f))
		return TCX_NEXT;
	if (!f->resets)
		reset_losers(skb, f);
	if (f->winner == RESCUE_FIRST)
		return TCX_NEXT;
	r = get_route(f, f->winner - 1);
	if (!r)
		return TCX_NEXT;
	f->used_ns = bpf_ktime_get_ns();
	note_end(f, p.flags, RESCUE_FIN_OUT);
	return leave_by(skb, &p, &r->address, f->alias_port, r->ifindex);
}

/* SYN/ACKs of losers are answered in the name of the socket, the rest of what they send is lost. */
static __always_inline int lost(struct __sk_buff *skb, struct packet *p)
{
	if ((p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != (TCP_SYN | TCP_ACK) ||
	    packet_become_reset(skb, p, p->acknowledged)) {
		count(RESCUE_DROPPED);
		return TCX_DROP;
	}
	count(RESCUE_RESETS);
	return packet_turn_back(skb, p);
}

static __always_inline bool answers(const struct packet *p, const struct rescue_flow *f)
{
	return (p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK) &&
	       p->acknowledged == f->sequence + 1;
}

static __always_inline int origin_in(struct __sk_buff *skb, struct packet *p, struct rescue_flow *f)
{
	if (f->winner == RESCUE_UNDECIDED && answers(p, f)) {
		struct options *o = options_read(skb, p);

		if (decide(f, RESCUE_FIRST, o && o->capable, bpf_ktime_get_ns()) && f->alias_port) {
			count(RESCUE_KEPT);
			return TCX_NEXT;
		}
	}
	if (f->winner == RESCUE_UNDECIDED) {
		if (p->flags & TCP_RST && !f->alias_port)
			bpf_map_delete_elem(&flows, &p->tuple);
		return TCX_NEXT;
	}
	if (f->winner != RESCUE_FIRST)
		return lost(skb, p);
	/* Nothing could be copied: then there is nothing to remember. */
	if (!f->alias_port)
		bpf_map_delete_elem(&flows, &p->tuple);
	return TCX_NEXT;
}

/* The first answer to a copy. */
static __always_inline bool copy_wins(struct __sk_buff *skb, const struct packet *p,
				      struct rescue_flow *f, __u32 winner)
{
	struct options *o;

	if (p->flags & TCP_RST) {
		count(RESCUE_REFUSED);
		return false;
	}
	if (!answers(p, f))
		return false;
	o = options_read(skb, p);
	/* A middlebox there must not cost the connection MPTCP while the first path may answer. */
	if (!(o && o->capable) && !f->retransmits) {
		count(RESCUE_PLAIN_WAIT);
		return false;
	}
	if (!decide(f, winner, o && o->capable, bpf_ktime_get_ns()))
		return f->winner == winner;
	count(RESCUE_RESCUED);
	return true;
}

static __always_inline int alias_in(struct __sk_buff *skb, struct packet *p,
				    const struct rescue_flow *alias)
{
	struct rescue_tuple at = alias->origin;
	struct rescue_flow *f = get_flow(&at, RESCUE_ORIGIN);
	__u32 winner = alias->route + 1;
	struct rescue_route *r;

	r = f ? get_route(f, alias->route) : NULL;
	if (!r || f->alias_port != p->tuple.local_port)
		return TCX_NEXT;
	if (f->winner == RESCUE_UNDECIDED && !copy_wins(skb, p, f, winner) &&
	    f->winner == RESCUE_UNDECIDED)
		return TCX_DROP;
	if (f->winner != winner)
		return lost(skb, p);
	f->used_ns = bpf_ktime_get_ns();
	note_end(f, p->flags, RESCUE_FIN_IN);
	if (p->flags & TCP_SYN) {
		struct options *o = options_read(skb, p);

		if (o)
			options_clamp_mss(skb, p, o, r->mtu_bytes);
	}
	if (packet_set_local(skb, p, &at.local, at.local_port, IN)) {
		count(RESCUE_FAILED);
		return TCX_DROP;
	}
	return TCX_NEXT;
}

SEC("tcx/ingress")
int rescue_in(struct __sk_buff *skb)
{
	struct rescue_flow *f;
	struct packet p = {};

	if (!packet_read(skb, &p, IN))
		return TCX_NEXT;
	f = bpf_map_lookup_elem(&flows, &p.tuple);
	if (!f)
		return TCX_NEXT;
	return f->kind == RESCUE_ALIAS ? alias_in(skb, &p, f) : origin_in(skb, &p, f);
}
