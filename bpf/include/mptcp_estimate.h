/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When would data arrive? Estimates from the view; compiles for BPF and natively. All times are
 * microseconds, saturating at MPTCP_NEVER_US.
 */
#ifndef MPTCP_ESTIMATE_H
#define MPTCP_ESTIMATE_H

#include "mptcp_arith.h"

#define MPTCP_NEVER_US	 (60u * 1000000u)
#define MPTCP_ROUNDS_MAX 4096u

/* The latest sample tells of a better path sooner than the average does. */
static inline __u32 mptcp_path_now_rtt_us(const struct mptcp_bpf_path *p)
{
	__u32 rtt = mptcp_path_rtt_us(p);

	if (p->last_rtt_us && p->last_rtt_us < rtt)
		rtt = rtt / 4 + p->last_rtt_us / 4 * 3;
	return rtt ? rtt : 1;
}

/* Longer than this without a delivery, and something is wrong. */
static inline __u32 mptcp_path_patience_us(const struct mptcp_bpf_path *p, __u32 slack_us)
{
	__u64 t = (__u64)mptcp_path_rtt_us(p) + 4ull * p->rttvar_us + slack_us;

	return t < MPTCP_NEVER_US ? (__u32)t : MPTCP_NEVER_US;
}

/* Bytes that the subflow holds already and has not delivered. */
static inline __u64 mptcp_path_backlog_bytes(const struct mptcp_bpf_path *p)
{
	return (__u64)p->in_flight * mptcp_path_mss(p) + p->queued_bytes;
}

/* Without branches that multiply, so that the verifier sees one path. */
static inline __u32 mptcp_log2(__u32 x)
{
	__u32 r = 0, more;

	more = !!(x >> 16) << 4, x >>= more, r |= more;
	more = !!(x >> 8) << 3, x >>= more, r |= more;
	more = !!(x >> 4) << 2, x >>= more, r |= more;
	more = !!(x >> 2) << 1, x >>= more, r |= more;
	return r | (x >> 1 & 1);
}

/*
 * Round trips until `segs` segments are delivered, in 1/8: one if the window takes them, else a
 * window a round, which doubles in slow start.
 */
static inline __u32 mptcp_path_rounds8(const struct mptcp_bpf_path *p, __u64 segs)
{
	__u64 cwnd = p->cwnd ? p->cwnd : 1, rounds;

	if (segs <= cwnd)
		return 8;
	rounds = 8 * segs / cwnd;
	if (rounds > MPTCP_ROUNDS_MAX)
		rounds = MPTCP_ROUNDS_MAX;
	/* n rounds carry 2^n - 1 windows: the logarithm, straight between powers of two */
	if (p->flags & MPTCP_PATH_SLOW_START) {
		__u32 n = mptcp_log2((__u32)rounds / 8 + 1);

		rounds = 8 * n + ((rounds + 8) >> n) - 8;
	}
	return (__u32)rounds;
}

/*
 * What the path carries, in bytes a second; 0: nobody knows. In slow start TCP's measurement is a
 * round trip old and half of what is sent now, and there may be none; but a path whose RTT has
 * grown is full, so what is in flight arrives within an RTT.
 */
static inline bool mptcp_path_full(const struct mptcp_bpf_path *p)
{
	return p->last_rtt_us / 5 > p->min_rtt_us / 4;
}

static inline __u64 mptcp_path_rate(const struct mptcp_bpf_path *p)
{
	__u64 now = 0;

	if (mptcp_path_full(p))
		now = (__u64)p->in_flight * mptcp_path_mss(p) * 1000000 / p->last_rtt_us;
	if ((p->flags & MPTCP_PATH_SLOW_START) && now)
		return now;
	return p->delivery_bytes_per_s ? p->delivery_bytes_per_s : now;
}

/* Until `bytes` more, behind what the subflow holds already, are acknowledged. */
static inline __u32 mptcp_path_finish_us(const struct mptcp_bpf_path *p, __u64 bytes)
{
	__u64 total = mptcp_path_backlog_bytes(p) + bytes, rate = mptcp_path_rate(p);
	__u64 rtt = mptcp_path_now_rtt_us(p);
	__u64 t = rtt * mptcp_path_rounds8(p, total / mptcp_path_mss(p) + 1) / 8;
	__u64 base = p->min_rtt_us && p->min_rtt_us < rtt ? p->min_rtt_us : rtt;

	/* A window that grows has been slower than it will be, unless the path is full already. */
	if (rate && (!(p->flags & MPTCP_PATH_SLOW_START) || mptcp_path_full(p))) {
		/* Of what is in flight, as much as fills the wire needs no time at the bottleneck.
		 */
		__u64 waiting = base + (p->queued_bytes + bytes) * 1000000 / rate;
		__u64 drained = total * 1000000 / rate;

		waiting = drained > waiting ? drained : waiting;
		t = waiting > t ? waiting : t;
	}
	return t < MPTCP_NEVER_US ? (__u32)t : MPTCP_NEVER_US;
}

#endif
