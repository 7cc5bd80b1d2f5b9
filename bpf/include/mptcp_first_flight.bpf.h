/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * First flight: the part of racing the paths of a young connection that is left once it is
 * established. What it sends first is sent again on every usable subflow that holds none of it, at
 * once and not after a timeout, so that a path which died since the handshake costs nothing.
 * Bounded by the age of the connection and by what it has sent.
 */
#ifndef MPTCP_FIRST_FLIGHT_BPF_H
#define MPTCP_FIRST_FLIGHT_BPF_H

#include "mptcp_survey.bpf.h"

/* How old a connection is at most, in ms; 0: nothing is raced. */
const volatile __u32 first_flight_ms = 0;

#define MPTCP_FIRST_FLIGHT_BYTES   16384u /* ten segments, the first window, and a little */
#define MPTCP_FIRST_FLIGHT_TICK_US 4000u  /* also for a subflow that is still joining */

static __always_inline bool mptcp_first_flight(const struct mptcp_bpf_view *v)
{
	return v->age_ms < first_flight_ms &&
	       v->sent_bytes + v->unsent_bytes <= MPTCP_FIRST_FLIGHT_BYTES;
}

/* mptcp_commit() of new data. In a burst the kernel would set the timer back to TCP's. */
static __always_inline int mptcp_first_flight_commit(struct mptcp_sock *msk,
						     const struct mptcp_scratch *s,
						     const struct mptcp_bpf_path *p,
						     __u32 burst_bytes, __u32 reason)
{
	if (mptcp_first_flight(&s->view))
		return mptcp_commit(msk, p, 1, MPTCP_FIRST_FLIGHT_TICK_US, reason);
	return mptcp_commit(msk, p, burst_bytes, s->timer_us, reason);
}

/* A whole get_retrans by mptcp_best_to_repeat(). What cannot go anywhere yet is looked at again
 * soon while the connection is young. */
static __always_inline int mptcp_first_flight_repeat(struct mptcp_sock *msk,
						     struct mptcp_doubt doubt, __u32 burst_bytes)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;
	bool young;

	if (!s)
		return -EAGAIN;
	mptcp_survey(s, doubt);
	young = mptcp_first_flight(&s->view);
	p = mptcp_path_at(s, mptcp_best_to_repeat(s));
	if (p)
		return mptcp_commit(msk, p, burst_bytes,
				    young ? MPTCP_FIRST_FLIGHT_TICK_US : s->timer_us,
				    young ? MPTCP_REASON_REDUNDANT : MPTCP_REASON_REINJECTED);
	if (first_flight_ms)
		bpf_mptcp_set_timer(msk, young ? MPTCP_FIRST_FLIGHT_TICK_US : s->timer_us);
	return -EAGAIN;
}

#endif
