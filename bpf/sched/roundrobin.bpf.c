// SPDX-License-Identifier: GPL-2.0-only
/*
 * roundrobin: subflows take turns, in proportion to their weights.
 *
 * Rule. Deficit round robin without history: among usable subflows with room, take the one whose
 * bytes sent so far, divided by its weight, are least. The core sends whole data fragments (up to
 * 32 KB), whatever the burst, so what a turn really carried is read from the sequence number at the
 * next decision. Shares are kept per connection and local address id; backups and suspect
 * subflows (stale, or in a retransmission timeout) are used only when nothing else is usable.
 * Retransmission goes to the subflow that is next and has nothing outstanding.
 *
 * It never leaves a path idle to keep the proportions: once a path is full, the others take the
 * rest, so weights divide what an application sends below the capacity of its paths.
 *
 * Good for: tests, equal paths, dividing load by contract. Lacks: it ignores RTT, so on unequal
 * paths the receiver waits for the slower one (head-of-line blocking).
 */
#include "mptcp_bpf.bpf.h"
#include "mptcp_arith.h"

char LICENSE[] SEC("license") = "GPL";

#define IDS 16

/* Share of each path by its local address id (`ip mptcp endpoint`); 0 counts as 1. */
const volatile __u32 weight[IDS] = {};
/* Bytes of a turn, times the weight. */
const volatile __u32 quantum_bytes = 4 * MPTCP_MSS_DEFAULT;

struct shares {
	__u64 scaled[IDS]; /* bytes / weight, 16 bits of fraction; 0: never had a turn */
	__u64 turn_seq;	   /* where the current turn began */
	__u32 turn_id;	   /* whose it is */
	__u32 turns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32); /* token */
	__type(value, struct shares);
} connections SEC(".maps");

struct scratch {
	struct mptcp_bpf_view view;
	struct shares fresh;
	__u64 best_cost;
	__u64 least; /* lowest share of a usable subflow: a newcomer starts there */
	__u32 best;
	__u32 timer_us;
	__u32 primaries;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline __u32 weight_of(__u32 id)
{
	__u32 w = weight[id & (IDS - 1)];

	return w ? w : 1;
}

static __always_inline bool primary(const struct mptcp_bpf_path *p)
{
	return !(p->flags & MPTCP_PATH_BACKUP) && !mptcp_path_suspect(p, 1);
}

static __always_inline void survey(struct scratch *s, const struct shares *sh, bool retrans)
{
	int i;

	s->best = ~0u;
	s->best_cost = ~0ull;
	s->least = ~0ull;
	s->timer_us = s->primaries = 0;
	bpf_for(i, 0, MPTCP_BPF_PATHS_MAX) {
		const struct mptcp_bpf_path *p;
		__u64 share, cost;
		__u32 timer;

		if (i < 0 || i >= MPTCP_BPF_PATHS_MAX || i >= s->view.nr_paths)
			break;
		p = &s->view.path[i];
		s->primaries += primary(p);
		timer = mptcp_path_timer_us(p);
		if (timer > s->timer_us)
			s->timer_us = timer;
		share = sh->scaled[p->local_id & (IDS - 1)];
		if (share && share < s->least)
			s->least = share;
		cost = share | (__u64)!primary(p) << 63;
		if (!(p->flags & MPTCP_PATH_ROOM) ||
		    (retrans && (p->flags & MPTCP_PATH_OUTSTANDING)))
			continue;
		if (cost < s->best_cost) {
			s->best_cost = cost;
			s->best = i;
		}
	}
}

static __always_inline struct shares *shares_of(struct scratch *s)
{
	struct shares *sh = bpf_map_lookup_elem(&connections, &s->view.token);

	if (sh)
		return sh;
	__builtin_memset(&s->fresh, 0, sizeof(s->fresh));
	bpf_map_update_elem(&connections, &s->view.token, &s->fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&connections, &s->view.token);
}

/* Charges the turn that ends now with what it carried. */
static __always_inline void settle(struct shares *sh, __u64 next_seq)
{
	__u32 id = sh->turn_id & (IDS - 1);

	if (!sh->turns)
		return;
	sh->scaled[id] += ((next_seq - sh->turn_seq) << 16) / weight_of(id);
	sh->turn_seq = next_seq;
}

static __always_inline int run(struct mptcp_sock *msk, bool retrans)
{
	const struct mptcp_bpf_path *p;
	__u32 zero = 0, id;
	struct scratch *s;
	struct shares *sh;
	int err;

	s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s || mptcp_view(msk, &s->view) <= 0)
		return -EAGAIN;
	sh = shares_of(s);
	if (!sh)
		return -EAGAIN;
	if (!retrans)
		settle(sh, s->view.next_seq);
	survey(s, sh, retrans);
	if (s->best >= MPTCP_BPF_PATHS_MAX)
		return -EAGAIN;
	p = &s->view.path[s->best];
	if (!retrans && s->primaries && !primary(p))
		return -EAGAIN;
	id = p->local_id & (IDS - 1);
	err = bpf_mptcp_schedule(msk, p->id, quantum_bytes * weight_of(id), s->timer_us);
	if (err || retrans)
		return err;
	if (!sh->scaled[id])
		sh->scaled[id] = s->least != ~0ull ? s->least : 1;
	sh->turn_id = id;
	sh->turn_seq = s->view.next_seq;
	sh->turns++;
	return 0;
}

SEC("struct_ops")
int BPF_PROG(roundrobin_get_send, struct mptcp_sock *msk)
{
	return run(msk, false);
}

SEC("struct_ops")
int BPF_PROG(roundrobin_get_retrans, struct mptcp_sock *msk)
{
	return run(msk, true);
}

MPTCP_SCHEDULER(roundrobin, .get_send = (void *)roundrobin_get_send,
		.get_retrans = (void *)roundrobin_get_retrans, .name = "roundrobin");
