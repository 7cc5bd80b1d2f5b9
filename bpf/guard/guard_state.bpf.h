/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guard keeps: its maps, the scratch data of one packet, counting, rates, the log. */
#ifndef GUARD_STATE_BPF_H
#define GUARD_STATE_BPF_H

#include "mptcp_packet.bpf.h"
#include "mptcp_subflows.bpf.h"
#include "mptcp_guard.h"

#define SECOND_NS 1000000000ull
#define MINUTE_NS (60 * SECOND_NS)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MPTCP_GUARD_IFS);
	__type(key, __u32);
	__type(value, struct mptcp_guard_config);
} guard_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, MPTCP_GUARD_IFS);
	__type(key, __u32);
	__type(value, struct mptcp_guard_counters);
} guard_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MPTCP_GUARD_LOG);
	__type(key, __u32);
	__type(value, struct mptcp_guard_event);
} guard_log SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} guard_next SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} guard_watch SEC(".maps");

/* Who is counted: a subflow by its addresses and ports, an interface by zeros. */
struct rate_key {
	__u32 ifindex;
	__u16 source_port, destination_port;
	__u8 source[16], destination[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct rate_key);
	__type(value, __u64);
} guard_rates SEC(".maps");

struct scratch {
	struct packet p;
	__u32 ifindex;
	struct mptcp_add_addr add;
	struct rate_key rate;
	struct mptcp_guard_event event;
	struct subflow_walk walk;
	__u32 ids, keep, kept; /* of REMOVE_ADDR: how many, which may pass, how many of those */
	__u32 count;	       /* of subflows */
	bool changed, drop;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} guard_scratch SEC(".maps");

/*
 * May one more pass, when at most `per_minute` do? So many at once, and then one each minute's
 * part: the value is the time at which all that passed so far would have passed at that pace. Two
 * CPUs that race may let one too many through.
 */
static __always_inline bool rate_allows(const struct rate_key *key, __u32 per_minute)
{
	__u64 now = bpf_ktime_get_ns(), cost = MINUTE_NS / (per_minute ? per_minute : 1), first;
	__u64 *until = bpf_map_lookup_elem(&guard_rates, key);

	if (!until) {
		first = now + cost;
		bpf_map_update_elem(&guard_rates, key, &first, BPF_ANY);
		return true;
	}
	if (*until < now)
		*until = now;
	if (*until + cost > now + MINUTE_NS)
		return false;
	*until += cost;
	return true;
}

/* Numbers the event and puts it where monitors look; a slot that is being written has number 0. */
static __always_inline void log_event(struct mptcp_guard_event *event)
{
	__u32 zero = 0, slot;
	__u64 *next = bpf_map_lookup_elem(&guard_next, &zero), number;
	struct mptcp_guard_event *at;

	if (!next)
		return;
	number = __sync_fetch_and_add(next, 1) + 1;
	slot = number % MPTCP_GUARD_LOG;
	at = bpf_map_lookup_elem(&guard_log, &slot);
	if (!at)
		return;
	event->time_ns = bpf_ktime_get_ns();
	event->number = 0;
	*(volatile __u64 *)&at->number = 0;
	*at = *event;
	barrier();
	*(volatile __u64 *)&at->number = number;
	event->number = number;
}

/* The event is about the subflow the packet belongs to. */
static __always_inline void event_of_packet(struct scratch *s, __u8 what, __u8 why)
{
	struct mptcp_guard_event *e = &s->event;

	__builtin_memset(e, 0, sizeof(*e));
	e->ifindex = s->ifindex;
	e->what = what;
	e->why = why;
	e->family = s->p.protocol == PACKET_IPV4 ? 4 : 6;
	__builtin_memcpy(e->local, s->p.destination, sizeof(e->local));
	__builtin_memcpy(e->remote, s->p.source, sizeof(e->remote));
	e->local_port = bpf_ntohs(s->p.destination_port);
	e->remote_port = bpf_ntohs(s->p.source_port);
}

static __always_inline void take_out(struct scratch *s)
{
	struct mptcp_options *o = &s->p.options;

	mptcp_option_blank(o, o->at, o->at + o->size);
	s->changed = true;
}

#endif
