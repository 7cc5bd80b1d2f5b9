// SPDX-License-Identifier: GPL-2.0-only
/*
 * minrtt: the subflow with the lowest smoothed RTT that has room.
 *
 * Rule. Among subflows that have room in the congestion window (cwnd > in flight + queued) and in
 * send memory, take the lowest srtt. A subflow that the kernel found stale, or that is in a
 * retransmission timeout, is suspect: it is used only when every subflow is. A backup subflow
 * (either bit, RFC 8684 3.3.8) is used only when every other is suspect, not merely full.
 * Retransmission goes to the best subflow that has nothing outstanding, so that data stuck on a
 * dying path moves. While a suspect subflow holds data, one that is busy but sound will do as well;
 * else TCP's own retransmission is left to work.
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

/* Which subflows are compared with each other. */
enum fitness {
	SOUND,	 /* ready for more */
	SUSPECT, /* the same, but not to be relied on */
	BUSY,	 /* for retransmission: sound, with data outstanding */
	CLASSES,
	UNFIT = CLASSES, /* no room, or what is to be sent again is there already */
};

struct scratch {
	struct mptcp_bpf_view view;
	__u64 best_cost[CLASSES];
	__u32 best[CLASSES];
	__u32 timer_us;
	__u32 primaries; /* subflows that are neither backup nor suspect */
	__u32 stuck;	 /* suspect subflows with data outstanding */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

#define NONE (~0u)

static __always_inline enum fitness classify(const struct mptcp_bpf_path *p, bool suspect,
					     bool retrans)
{
	if (!(p->flags & MPTCP_PATH_ROOM))
		return UNFIT;
	if (retrans && (p->flags & MPTCP_PATH_OUTSTANDING))
		return suspect ? UNFIT : BUSY;
	return suspect ? SUSPECT : SOUND;
}

static __always_inline void clear(struct scratch *s)
{
	s->best[SOUND] = s->best[SUSPECT] = s->best[BUSY] = NONE;
	s->best_cost[SOUND] = s->best_cost[SUSPECT] = s->best_cost[BUSY] = ~0ull;
	s->timer_us = s->primaries = s->stuck = 0;
}

static __always_inline void survey(struct scratch *s, bool retrans)
{
	int i;

	clear(s);
	bpf_for(i, 0, MPTCP_BPF_PATHS_MAX) {
		const struct mptcp_bpf_path *p;
		__u32 timer, fit;
		bool suspect;
		__u64 cost;

		if (i < 0 || i >= MPTCP_BPF_PATHS_MAX || i >= s->view.nr_paths)
			break;
		p = &s->view.path[i];
		suspect = mptcp_path_suspect(p, timeouts);
		if (suspect && (p->flags & MPTCP_PATH_OUTSTANDING))
			s->stuck++;
		if (!suspect && !(p->flags & MPTCP_PATH_BACKUP))
			s->primaries++;
		timer = mptcp_path_timer_us(p);
		if (!suspect && timer > s->timer_us)
			s->timer_us = timer;
		cost = mptcp_path_cost(p);
		fit = classify(p, suspect, retrans);
		if (fit < CLASSES && cost < s->best_cost[fit]) {
			s->best_cost[fit] = cost;
			s->best[fit] = i;
		}
	}
}

static __always_inline __u32 choose(const struct scratch *s)
{
	if (s->best[SOUND] != NONE)
		return s->best[SOUND];
	if (s->stuck && s->best[BUSY] != NONE)
		return s->best[BUSY];
	return s->primaries ? NONE : s->best[SUSPECT];
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
	i = choose(s);
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
