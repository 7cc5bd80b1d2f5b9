/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic that schedulers share; compiles for BPF and natively. `p` is an entry of the view.
 * Nothing here overflows, whatever the entry says: products are of 32-bit numbers in 64 bits, and
 * sums are cut off at the top.
 */
#ifndef MPTCP_ARITH_H
#define MPTCP_ARITH_H

#include "mptcp_bpf_view.h"

#define MPTCP_MSS_DEFAULT    1428u
#define MPTCP_BURST_MAX	     65428u   /* as the kernel's own scheduler */
#define MPTCP_TIMER_MIN_US   200000u  /* TCP_RTO_MIN: below it delayed acks look like loss */
#define MPTCP_RTT_UNKNOWN_US 1000000u /* a path never measured comes after those that are */
#define MPTCP_SLACK_US	     50000u   /* what a delayed ack may add to the RTT: TCP_DELACK_MIN */

static inline __u32 mptcp_min_u32(__u64 a)
{
	return a < 0xffffffffu ? (__u32)a : 0xffffffffu;
}

static inline __u32 mptcp_path_mss(const struct mptcp_bpf_path *p)
{
	return p->mss ? p->mss : MPTCP_MSS_DEFAULT;
}

static inline __u32 mptcp_path_rtt_us(const struct mptcp_bpf_path *p)
{
	return p->srtt_us ? p->srtt_us : MPTCP_RTT_UNKNOWN_US;
}

static inline __u32 mptcp_path_cwnd(const struct mptcp_bpf_path *p)
{
	return p->cwnd ? p->cwnd : 1;
}

/*
 * When an ack for what is sent now is overdue: the RTT and four mean deviations (RFC 6298), or, as
 * a quiet path has next to no deviation, at least `slack_us`.
 */
static inline __u32 mptcp_path_overdue_us(const struct mptcp_bpf_path *p, __u32 slack_us)
{
	__u64 margin = 4ull * p->rttvar_us;

	return mptcp_min_u32((margin > slack_us ? margin : slack_us) + mptcp_path_rtt_us(p));
}

/* Data outstanding, and none delivered for longer than an ack takes; 0: never. */
static inline int mptcp_path_stuck(const struct mptcp_bpf_path *p, __u32 slack_us)
{
	return slack_us && p->stuck_us > mptcp_path_overdue_us(p, slack_us);
}

/*
 * Not to be relied on: what it holds cannot leave, the kernel found it stale, or `timeouts`
 * retransmission timeouts ran without an ack. A dead path shows the last long before the second.
 */
static inline int mptcp_path_suspect(const struct mptcp_bpf_path *p, __u32 timeouts)
{
	return (p->flags & (MPTCP_PATH_STALE | MPTCP_PATH_BLOCKED)) ||
	       (timeouts && p->timeouts >= timeouts);
}

/* Lower is better: usable before backup, then by RTT. */
static inline __u64 mptcp_path_cost(const struct mptcp_bpf_path *p)
{
	return ((__u64) !!(p->flags & MPTCP_PATH_BACKUP) << 32) | mptcp_path_rtt_us(p);
}

/* What the congestion window leaves, at least one segment, at most the kernel's own burst. */
static inline __u32 mptcp_path_burst_bytes(const struct mptcp_bpf_path *p)
{
	__u32 mss = mptcp_path_mss(p);
	__u64 used = (__u64)p->in_flight + p->queued_bytes / mss;
	__u64 room = used < p->cwnd ? (p->cwnd - used) * mss : mss;

	return room < MPTCP_BURST_MAX ? (__u32)room : MPTCP_BURST_MAX;
}

/* When to look after unacknowledged data: no earlier than TCP itself would on this path. */
static inline __u32 mptcp_path_timer_us(const struct mptcp_bpf_path *p)
{
	return p->rto_us > MPTCP_TIMER_MIN_US ? p->rto_us : MPTCP_TIMER_MIN_US;
}

/* Has data that was not delivered yet. */
static inline int mptcp_path_holds(const struct mptcp_bpf_path *p)
{
	return (p->flags & MPTCP_PATH_OUTSTANDING) || p->queued_bytes;
}

/* Sends or will send without being asked again, so that an ack, and a decision, will follow. */
static inline int mptcp_path_busy(const struct mptcp_bpf_path *p)
{
	return mptcp_path_holds(p) && !(p->flags & MPTCP_PATH_BLOCKED);
}

/* Can take a segment: has room, or nothing to wait for. */
static inline int mptcp_path_ready(const struct mptcp_bpf_path *p)
{
	if (p->flags & MPTCP_PATH_BLOCKED)
		return 0;
	return (p->flags & MPTCP_PATH_ROOM) ||
	       ((p->flags & MPTCP_PATH_MEMORY) && !mptcp_path_holds(p));
}

/* The time in which a path would send `bytes` a window a round trip, in us. */
static inline __u64 mptcp_path_rounds_us(const struct mptcp_bpf_path *p, __u64 bytes)
{
	__u64 window = (__u64)mptcp_path_cwnd(p) * mptcp_path_mss(p);

	return (__u64)mptcp_min_u32(bytes) * mptcp_path_rtt_us(p) / window;
}

/*
 * ECF (Lim et al., CoNEXT 2017), algorithm 1: whether it pays to wait for `f`, which is faster but
 * has no room, rather than to send on `s` now. With k bytes to send, d the larger deviation:
 *
 *	(1 + k/cwnd_f) rtt_f < (1 + waiting beta) (rtt_s + d)   and   k/cwnd_s rtt_s >= 2 rtt_f + d
 *
 * `waiting`: it waited last time; then beta is added, or it would waver.
 */
static inline int mptcp_ecf_waits(const struct mptcp_bpf_path *f, const struct mptcp_bpf_path *s,
				  __u64 unsent_bytes, int waiting, __u32 beta_permille)
{
	__u64 deviation = f->rttvar_us > s->rttvar_us ? f->rttvar_us : s->rttvar_us;
	__u64 later = mptcp_path_rtt_us(f) + mptcp_path_rounds_us(f, unsent_bytes);
	__u64 now = mptcp_path_rtt_us(s) + deviation;

	if (waiting)
		now += now * beta_permille / 1000;
	return later < now &&
	       mptcp_path_rounds_us(s, unsent_bytes) >= 2ull * mptcp_path_rtt_us(f) + deviation;
}

/* How many bytes may still be sent again, if that is `permille` of what was sent, and a few. */
static inline __u64 mptcp_copies_left(__u64 sent_bytes, __u64 reinjected_bytes, __u32 permille,
				      __u32 allowance_bytes)
{
	__u64 most = sent_bytes / 1000 * permille + sent_bytes % 1000 * permille / 1000 +
		     allowance_bytes;

	return reinjected_bytes < most ? most - reinjected_bytes : 0;
}

#endif
