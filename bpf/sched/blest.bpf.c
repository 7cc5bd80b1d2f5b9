// SPDX-License-Identifier: GPL-2.0-only
/*
 * blest: do not let data on a slow subflow block the fast one (Ferlin et al., Networking 2016).
 *
 * Rule. The fastest sound subflow f with room in its window is used at once. When it has none, the
 * best one that has, s, is used only if the peer's window takes what f can send meanwhile as well.
 * In one round trip of s, being r of f's, f sends X = MSS_f (cwnd_f + (r-1)/2) r; wait for f if
 *
 *	X lambda > window - MSS_s (in_flight_s + 1)
 *
 * with the window as it is with nothing in flight. lambda corrects the guess: 4 % more after data
 * had to be sent again, 1 % less after a round trip of s without, between 1 and 1.3. A suspect
 * subflow (see ecf) is not waited for, so every wait ends. Backups, suspects and retransmission are
 * treated as by minrtt.
 *
 * Good for: bulk over paths of very different RTT with a receive buffer that is small for them.
 * Lacks: with a large buffer it never waits, and the end of a transfer is on the slow path (ECF).
 */
#include "mptcp_first_flight.bpf.h"
#include "mptcp_state.bpf.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Steps and bounds of lambda; 1000 is 1. */
const volatile __u32 lambda_up_permille = 40;
const volatile __u32 lambda_down_permille = 10;
const volatile __u32 lambda_max_permille = 1300;
/* Upper bound of a burst, in bytes: how long a decision stands. */
const volatile __u32 burst_bytes = MPTCP_BURST_MAX;
/* Retransmission timeouts in a row that make a subflow suspect; 0: only the kernel's staleness. */
const volatile __u32 timeouts = 1;
/* How much longer than its RTT a subflow may deliver nothing, in us; 0: however long. */
const volatile __u32 slack_us = 4 * MPTCP_SLACK_US;

#define LAMBDA_MIN 1000u
#define RATIO_MAX  100000u /* of RTTs, 1000 is 1: beyond it the window is small in any case */
#define CWND_MAX   (1u << 20)

struct connection {
	__u64 adapted_ns;	/* when lambda last changed */
	__u64 reinjected_bytes; /* of the connection, then */
	__u32 lambda;		/* 1000 is 1; 0: not begun */
	__u32 reserved;
};

MPTCP_STATE(struct connection);

static __always_inline void adapt(struct connection *c, const struct mptcp_bpf_view *v,
				  const struct mptcp_bpf_path *slow)
{
	__u64 now = bpf_ktime_get_ns();

	if (c->lambda && now - c->adapted_ns < mptcp_path_rtt_us(slow) * 1000ull)
		return;
	if (!c->lambda)
		c->lambda = LAMBDA_MIN;
	else if (v->reinjected_bytes != c->reinjected_bytes)
		c->lambda += lambda_up_permille;
	else if (c->lambda > LAMBDA_MIN + lambda_down_permille)
		c->lambda -= lambda_down_permille;
	else
		c->lambda = LAMBDA_MIN;
	if (c->lambda > lambda_max_permille)
		c->lambda = lambda_max_permille;
	c->reinjected_bytes = v->reinjected_bytes;
	c->adapted_ns = now;
}

/* X lambda, below 2^50. */
static __always_inline __u64 fast_bytes(const struct mptcp_bpf_path *fast,
					const struct mptcp_bpf_path *slow, __u32 lambda)
{
	__u64 ratio = mptcp_path_rtt_us(slow) * 1000ull / mptcp_path_rtt_us(fast);
	__u64 cwnd = mptcp_path_cwnd(fast), segments;

	if (ratio < 1000)
		ratio = 1000;
	if (ratio > RATIO_MAX)
		ratio = RATIO_MAX;
	if (cwnd > CWND_MAX)
		cwnd = CWND_MAX;
	segments = (2000 * cwnd + ratio - 1000) * ratio / 2000;
	return segments * lambda / 1000 * mptcp_path_mss(fast) / 1000;
}

static __always_inline bool would_block(const struct mptcp_bpf_view *v,
					const struct mptcp_bpf_path *fast,
					const struct mptcp_bpf_path *slow, __u32 lambda)
{
	__u64 window = v->window_bytes + v->unacked_bytes;
	__u64 taken = mptcp_path_mss(slow) * ((__u64)slow->in_flight + 1);

	return taken >= window || fast_bytes(fast, slow, lambda) > window - taken;
}

SEC("struct_ops")
int BPF_PROG(blest_get_send, struct mptcp_sock *msk)
{
	const struct mptcp_bpf_path *fastest, *p;
	struct mptcp_scratch *s = mptcp_look(msk);
	struct connection *c;
	__u32 i;

	c = s ? mptcp_state(s->view.token) : NULL;
	if (!c)
		return -EAGAIN;
	mptcp_survey(s, (struct mptcp_doubt){ timeouts, slack_us });
	fastest = mptcp_path_at(s, s->best[MPTCP_FIT_FASTEST]);
	i = mptcp_best_to_send(s);
	p = mptcp_path_at(s, i);
	if (!p)
		return mptcp_wait(msk, s->timer_us);
	if (fastest && fastest != p) {
		adapt(c, &s->view, p);
		if (would_block(&s->view, fastest, p, c->lambda))
			return mptcp_wait(msk, s->timer_us);
	}
	return mptcp_first_flight_commit(msk, s, p, burst_bytes, mptcp_reason_to_send(s, i, p));
}

SEC("struct_ops")
int BPF_PROG(blest_get_retrans, struct mptcp_sock *msk)
{
	return mptcp_first_flight_repeat(msk, (struct mptcp_doubt){ timeouts, slack_us },
					 burst_bytes);
}

MPTCP_SCHEDULER(blest, .get_send = (void *)blest_get_send, .get_retrans = (void *)blest_get_retrans,
		.path_event = (void *)mptcp_trust, .name = "blest");
