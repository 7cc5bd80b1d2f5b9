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

#define MPTCP_KNOWN_MS 10000u /* for so long what was measured counts in full */

/*
 * The latest sample tells of a better path sooner than the average does; an average that is far
 * above it is of another time: acknowledgements that an outage delayed.
 */
static inline __u32 mptcp_path_now_rtt_us(const struct mptcp_bpf_path *p)
{
	__u32 rtt = mptcp_path_rtt_us(p), last = p->last_rtt_us;
	__u32 now = rtt / 4 + last / 4 * 3;

	if (last && last < rtt)
		rtt = now < last + last / 2 ? now : last + last / 2;
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
 * Is the path's queue filling? A late acknowledgement of a message on its own, which the peer
 * delays, looks the same; so it counts only with a rate that was measured.
 */
static inline bool mptcp_path_full(const struct mptcp_bpf_path *p)
{
	return p->delivery_bytes_per_s && p->last_rtt_us / 5 > p->min_rtt_us / 4;
}

/*
 * What a full path carries, in bytes a second. In slow start TCP's measurement is a round trip old
 * and half of what is sent now, but what is in flight arrives within an RTT.
 */
static inline __u64 mptcp_path_rate(const struct mptcp_bpf_path *p)
{
	__u64 now = (__u64)p->in_flight * mptcp_path_mss(p) * 1000000 / (p->last_rtt_us + 1ull);

	if ((p->flags & MPTCP_PATH_SLOW_START) && now > p->delivery_bytes_per_s)
		return now;
	return p->delivery_bytes_per_s;
}

static inline __u64 mptcp_path_base_us(const struct mptcp_bpf_path *p)
{
	__u64 rtt = mptcp_path_now_rtt_us(p);

	return p->min_rtt_us && p->min_rtt_us < rtt ? p->min_rtt_us : rtt;
}

/* What windows say of the time for `bytes`, and a rate that is a guess; 0: no idea. */
static inline __u64 mptcp_path_windows_us(const struct mptcp_bpf_path *p, __u64 bytes, __u64 guess)
{
	__u64 rounds8 = mptcp_path_rounds8(p, bytes / mptcp_path_mss(p) + 1);
	__u64 t = mptcp_path_now_rtt_us(p) * rounds8 / 8;
	__u64 guessed = guess ? mptcp_path_base_us(p) + bytes * 1000000 / guess : 0;

	return guessed > t ? guessed : t;
}

/*
 * Until `bytes` more, behind what the subflow holds already, are acknowledged. `guess`: the rate
 * while none was measured, 0 if there is no idea.
 */
static inline __u32 mptcp_path_finish_us(const struct mptcp_bpf_path *p, __u64 bytes, __u64 guess)
{
	__u64 total = mptcp_path_backlog_bytes(p) + bytes, rate = mptcp_path_rate(p);
	__u64 t = mptcp_path_windows_us(p, total, p->delivery_bytes_per_s ? 0 : guess);

	/* A path that is not full has not shown yet what it can: windows are what it takes. */
	if (mptcp_path_full(p)) {
		/* What fills the wire has passed the bottleneck already. */
		__u64 waiting = mptcp_path_base_us(p) + (p->queued_bytes + bytes) * 1000000 / rate;
		__u64 drained = total * 1000000 / rate;

		waiting = drained > waiting ? drained : waiting;
		t = waiting > t ? waiting : t;
	}
	return t < MPTCP_NEVER_US ? (__u32)t : MPTCP_NEVER_US;
}

/*
 * Until a message on a path that holds nothing is acknowledged. Its queue is empty, and what was
 * measured behind the message before is an acknowledgement that the peer delayed as much as a rate.
 */
static inline __u32 mptcp_path_message_us(const struct mptcp_bpf_path *p, __u64 bytes, __u64 guess)
{
	__u64 t = mptcp_path_windows_us(p, bytes, guess);

	return t < MPTCP_NEVER_US ? (__u32)t : MPTCP_NEVER_US;
}

/*
 * `finish_us` of a path that holds nothing: its queue is empty, and what its rate and RTT were says
 * little a while later. A stream can afford to find out; were the path still slow, a piece of
 * it comes late and everything is measured again.
 */
static inline __u32 mptcp_path_faded_us(const struct mptcp_bpf_path *p, __u32 finish_us)
{
	__u32 halvings;

	if (p->send_age_ms <= MPTCP_KNOWN_MS || mptcp_path_holds(p) || finish_us <= p->min_rtt_us)
		return finish_us;
	halvings = (p->send_age_ms - MPTCP_KNOWN_MS) / 500 + 1;
	return p->min_rtt_us + ((finish_us - p->min_rtt_us) >> (halvings < 31 ? halvings : 31));
}

#endif
