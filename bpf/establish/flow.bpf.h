/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps of SYN rescue, and what is known of a connection. */
#ifndef ESTABLISH_FLOW_BPF_H
#define ESTABLISH_FLOW_BPF_H

#include "options.bpf.h"

#define NS_PER_US 1000

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rescue_config);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RESCUE_FLOWS_MAX);
	__type(key, struct rescue_tuple);
	__type(value, struct rescue_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RESCUE_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rescue_flow);
} flow_room SEC(".maps");

static __always_inline void count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &which);

	if (n)
		++*n;
}

static __always_inline const struct rescue_config *get_config(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

static __always_inline struct rescue_flow *get_flow(const struct rescue_tuple *at, __u32 kind)
{
	struct rescue_flow *f = bpf_map_lookup_elem(&flows, at);

	return f && f->kind == kind ? f : NULL;
}

static __always_inline struct rescue_route *get_route(struct rescue_flow *f, __u32 i)
{
	__u64 at = i;

	/* So that what is compared is what the address is computed from. */
	barrier_var(at);
	if (at >= RESCUE_ROUTES_MAX)
		return NULL;
	return &f->routes[at];
}

static __always_inline bool is_idle(const struct rescue_flow *f, __u64 now)
{
	return (f->winner == RESCUE_UNDECIDED || f->closing) && now - f->used_ns > RESCUE_IDLE_NS;
}

/* Only the first of several answers succeeds. */
static __always_inline bool decide(struct rescue_flow *f, __u32 winner, bool capable, __u64 now)
{
	if (__sync_val_compare_and_swap(&f->winner, RESCUE_UNDECIDED, winner) != RESCUE_UNDECIDED)
		return false;
	f->plain = !capable;
	f->decided_us = (now - f->began_ns) / NS_PER_US;
	return true;
}

static __always_inline void note_end(struct rescue_flow *f, __u8 flags, __u32 side)
{
	if (flags & TCP_RST)
		f->closing |= RESCUE_FIN_OUT | RESCUE_FIN_IN;
	else if (flags & TCP_FIN)
		f->closing |= side;
}

static __always_inline struct rescue_flow *add_origin(const struct packet *p, __u32 ifindex,
						      __u64 now)
{
	__u32 zero = 0;
	struct rescue_flow *f = bpf_map_lookup_elem(&flow_room, &zero);

	if (!f)
		return NULL;
	__builtin_memset(f, 0, sizeof(*f));
	f->kind = RESCUE_ORIGIN;
	f->began_ns = f->used_ns = now;
	f->sequence = p->sequence;
	f->ifindex = ifindex;
	bpf_map_update_elem(&flows, &p->tuple, f, BPF_ANY);
	return bpf_map_lookup_elem(&flows, &p->tuple);
}

static __always_inline struct rescue_tuple alias_of(const struct rescue_flow *f,
						    const struct rescue_route *r,
						    const struct rescue_tuple *origin)
{
	struct rescue_tuple alias = *origin;

	alias.local = r->address;
	alias.local_port = f->alias_port;
	return alias;
}

static __always_inline bool add_alias(const struct rescue_flow *f, const struct rescue_route *r,
				      const struct rescue_tuple *origin, __u32 route)
{
	struct rescue_tuple at = alias_of(f, r, origin);
	__u32 zero = 0;
	struct rescue_flow *a = bpf_map_lookup_elem(&flow_room, &zero);

	if (!a)
		return false;
	__builtin_memset(a, 0, sizeof(*a));
	a->kind = RESCUE_ALIAS;
	a->route = route;
	a->origin = *origin;
	a->began_ns = a->used_ns = f->used_ns;
	return bpf_map_update_elem(&flows, &at, a, BPF_ANY) == 0;
}

#endif
