// SPDX-License-Identifier: GPL-2.0-only
/*
 * reset: why a subflow ended, for the peer.
 *
 * The kernel closes a subflow with an MP_TCPRST that says "unspecified, do not come back". Runs at
 * tcx egress of each interface that belongs to a path; a reset of a subflow that is listed leaves
 * with the reason and the T bit that the policy has for it. Everything else passes untouched, and
 * is not even looked at while nothing is listed.
 */
#include "mptcp_packet.bpf.h"
#include "mptcp_reset.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MPTCP_RESET_WANTED);
	__type(key, struct mptcp_reset_key);
	__type(value, struct mptcp_reset_wanted);
} reset_wanted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} reset_armed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, MPTCP_RESET_IFS);
	__type(key, __u32);
	__type(value, struct mptcp_reset_counters);
} reset_counters SEC(".maps");

/* Too much for the stack. */
struct scratch {
	struct packet p;
	struct mptcp_reset_key key;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} reset_scratch SEC(".maps");

static __always_inline void map_address(__u8 to[16], const __u8 from[16], __u16 protocol)
{
	if (protocol == PACKET_IPV6) {
		__builtin_memcpy(to, from, 16);
		return;
	}
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, from, 4);
}

static __always_inline struct mptcp_reset_wanted *find_wanted(struct scratch *s)
{
	map_address(s->key.local, s->p.source, s->p.protocol);
	map_address(s->key.remote, s->p.destination, s->p.protocol);
	s->key.local_port = s->p.source_port;
	s->key.remote_port = s->p.destination_port;
	return bpf_map_lookup_elem(&reset_wanted, &s->key);
}

static __always_inline bool give_reason(struct packet *p, const struct mptcp_reset_wanted *w)
{
	bool changed = false;
	int i;

	bpf_for(i, 0, MPTCP_OPTIONS_BYTES) {
		enum mptcp_option_found found = mptcp_option_next(&p->options);

		if (found == MPTCP_FOUND_END || found == MPTCP_FOUND_MALFORMED)
			break;
		if (found != MPTCP_FOUND_MPTCP || !mptcp_option_is_reset(&p->options))
			continue;
		mptcp_option_set_reset(&p->options, w->reason, w->transient);
		changed = true;
	}
	return changed;
}

SEC("tcx/egress")
int reset(struct __sk_buff *skb)
{
	__u32 zero = 0, ifindex = skb->ifindex;
	const __u64 *armed = bpf_map_lookup_elem(&reset_armed, &zero);
	const struct mptcp_reset_wanted *w;
	struct mptcp_reset_counters *n;
	struct scratch *s;
	__u64 now;

	/* Most of the time; the clock would cost as much again. */
	if (!armed || !*armed)
		return TCX_NEXT;
	now = bpf_ktime_get_ns();
	if (*armed < now)
		return TCX_NEXT;
	s = bpf_map_lookup_elem(&reset_scratch, &zero);
	n = bpf_map_lookup_elem(&reset_counters, &ifindex);
	if (!s || !n || packet_read(skb, &s->p) != PACKET_OPTIONS || !(s->p.flags & PACKET_RST))
		return TCX_NEXT;
	w = find_wanted(s);
	if (!w || w->until_ns < now || !give_reason(&s->p, w))
		return TCX_NEXT;
	if (packet_write(skb, &s->p) < 0)
		n->failed++;
	else
		n->changed++;
	return TCX_NEXT;
}
