// SPDX-License-Identifier: GPL-2.0-only
/*
 * minrtt: the subflow with the lowest smoothed RTT that has room.
 *
 * Rule. Among subflows that have room in the congestion window (cwnd > in flight + queued) and in
 * send memory, take the lowest srtt. A subflow that the kernel found stale, or that is in a
 * retransmission timeout, is suspect: it is used only when every subflow is. A backup subflow
 * (either bit, RFC 8684 3.3.8) is used only when every other is suspect, not merely full.
 * Retransmission goes to the best subflow that has nothing outstanding, so that data stuck on a
 * dying path moves; if there is none, TCP's own retransmission is left to work.
 *
 * Good for: request/response and mixed traffic on unequal paths; the kernel's default ignores RTT
 * when paths are idle. Lacks: it fills a slow path with the tail of a transfer when the fast one is
 * full (see ECF and BLEST), and does not probe idle paths.
 */
#include "mptcp_bpf.bpf.h"
#include "mptcp_arith.h"

char LICENSE[] SEC("license") = "GPL";

/* Upper bound of a burst, in bytes: how long a decision stands. */
const volatile __u32 burst_bytes = MPTCP_BURST_MAX;
/* Retransmission timeouts in a row that make a subflow suspect; 0: only the kernel's staleness. */
const volatile __u32 timeouts = 1;

struct scratch {
	struct mptcp_bpf_view view;
	__u64 best_cost[2]; /* [1]: suspect subflows */
	__u32 best[2];
	__u32 timer_us;
	__u32 primaries; /* subflows that are neither backup nor suspect */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

#define NONE (~0u)

static __always_inline bool takes(const struct mptcp_bpf_path *p, bool retrans)
{
	if (retrans && (p->flags & MPTCP_PATH_OUTSTANDING))
		return false;
	return p->flags & MPTCP_PATH_ROOM;
}

static __always_inline void survey(struct scratch *s, bool retrans)
{
	int i;

	s->best[0] = s->best[1] = NONE;
	s->best_cost[0] = s->best_cost[1] = ~0ull;
	s->timer_us = s->primaries = 0;
	bpf_for (i, 0, MPTCP_BPF_PATHS_MAX) {
		const struct mptcp_bpf_path *p;
		__u32 suspect, timer;
		__u64 cost;

		if (i < 0 || i >= MPTCP_BPF_PATHS_MAX || i >= s->view.nr_paths)
			break;
		p = &s->view.path[i];
		suspect = mptcp_path_suspect(p, timeouts);
		if (!suspect && !(p->flags & MPTCP_PATH_BACKUP))
			s->primaries++;
		timer = mptcp_path_timer_us(p);
		if (!suspect && timer > s->timer_us)
			s->timer_us = timer;
		cost = mptcp_path_cost(p);
		if (takes(p, retrans) && cost < s->best_cost[suspect & 1]) {
			s->best_cost[suspect & 1] = cost;
			s->best[suspect & 1] = i;
		}
	}
}

static __always_inline int run(struct mptcp_sock *msk, bool retrans)
{
	const struct mptcp_bpf_path *p;
	__u32 zero = 0, i, burst;
	struct scratch *s;

	s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s || mptcp_view(msk, &s->view) <= 0)
		return -EAGAIN;
	survey(s, retrans);
	i = s->best[0] != NONE ? s->best[0] : s->primaries ? NONE : s->best[1];
	if (i >= MPTCP_BPF_PATHS_MAX)
		return -EAGAIN;
	p = &s->view.path[i];
	if (!retrans && s->primaries && (p->flags & MPTCP_PATH_BACKUP))
		return -EAGAIN;
	burst = mptcp_path_burst_bytes(p);
	if (burst > burst_bytes)
		burst = burst_bytes;
	return bpf_mptcp_schedule(msk, p->id, burst, s->timer_us);
}

SEC("struct_ops")
int BPF_PROG(minrtt_get_send, struct mptcp_sock *msk)
{
	return run(msk, false);
}

SEC("struct_ops")
int BPF_PROG(minrtt_get_retrans, struct mptcp_sock *msk)
{
	return run(msk, true);
}

MPTCP_SCHEDULER(minrtt, .get_send = (void *)minrtt_get_send,
		.get_retrans = (void *)minrtt_get_retrans, .name = "minrtt");
