/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of a packet on other paths. A clone can only be sent as it is, and only to a device whose
 * link layer header it has; so it is sent to the device it was leaving by anyway, where this same
 * program gets to see it, on the same CPU and before anything else, with an order what to do.
 */
#ifndef ESTABLISH_COPY_BPF_H
#define ESTABLISH_COPY_BPF_H

#include "alias.bpf.h"
#include "reset.bpf.h"

#define RTF_GATEWAY 0x0002
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
