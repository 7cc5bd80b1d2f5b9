/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic that schedulers share; compiles for BPF and natively. `path` is an entry of the view.
 */
#ifndef MPTCP_ARITH_H
#define MPTCP_ARITH_H

#include "mptcp_bpf_view.h"

#define MPTCP_MSS_DEFAULT    1428u
#define MPTCP_BURST_MAX	     65428u   /* as the kernel's own scheduler */
#define MPTCP_TIMER_MIN_US   200000u  /* TCP_RTO_MIN: below it delayed acks look like loss */
#define MPTCP_RTT_UNKNOWN_US 1000000u /* a path never measured comes after those that are */

static inline __u32 mptcp_path_mss(const struct mptcp_bpf_path *p)
{
	return p->mss ? p->mss : MPTCP_MSS_DEFAULT;
}

static inline __u32 mptcp_path_rtt_us(const struct mptcp_bpf_path *p)
{
	return p->srtt_us ? p->srtt_us : MPTCP_RTT_UNKNOWN_US;
}

/*
 * Not to be relied on: found stale by the kernel, or `timeouts` retransmission timeouts running
 * without an ack. A dead path shows the second long before the first.
 */
static inline int mptcp_path_suspect(const struct mptcp_bpf_path *p, __u32 timeouts)
{
	return (p->flags & MPTCP_PATH_STALE) || (timeouts && p->timeouts >= timeouts);
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
	__u32 used = p->in_flight + p->queued_bytes / mss;
	__u64 room = used < p->cwnd ? (__u64)(p->cwnd - used) * mss : mss;

	return room < MPTCP_BURST_MAX ? (__u32)room : MPTCP_BURST_MAX;
}

/* When to look after unacknowledged data: no earlier than TCP itself would on this path. */
static inline __u32 mptcp_path_timer_us(const struct mptcp_bpf_path *p)
{
	return p->rto_us > MPTCP_TIMER_MIN_US ? p->rto_us : MPTCP_TIMER_MIN_US;
}

#endif
