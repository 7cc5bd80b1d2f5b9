// SPDX-License-Identifier: GPL-2.0-only
/*
 * ecf: earliest completion first. Wait for the fast subflow when it would be done sooner than the
 * slow one with what it is given now (Lim et al., CoNEXT 2017).
 *
 * Rule. The fastest sound subflow with room in its window is used at once. When it has none, the
 * best one that has is used only if the test of the paper (mptcp_ecf_waits) does not say that all
 * that is left to send would be through the fast one earlier. Suspect is what is stale, in a
 * retransmission timeout, or holds data and delivered nothing for longer than an ack takes; a
 * suspect subflow is not waited for, so every wait ends. Backups, suspects and retransmission are
 * treated as by minrtt.
 *
 * Good for: web pages and streams over paths of different RTT; the last bytes of a transfer do not
 * end up on the slow path. Lacks: it trusts smoothed RTTs, also of paths idle for long, and does
 * not mind the receiver's buffer (see BLEST).
 */
#include "mptcp_first_flight.bpf.h"
#include "mptcp_state.bpf.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* By how much the slow subflow has to be better, once it waited; 1000 is 1. */
const volatile __u32 beta_permille = 250;
/* Upper bound of a burst, in bytes: how long a decision stands. */
const volatile __u32 burst_bytes = MPTCP_BURST_MAX;
/* Retransmission timeouts in a row that make a subflow suspect; 0: only the kernel's staleness. */
const volatile __u32 timeouts = 1;
/* How much longer than its RTT a subflow may deliver nothing, in us; 0: however long. */
const volatile __u32 slack_us = 4 * MPTCP_SLACK_US;

struct connection {
	__u32 waiting; /* the last decision was to wait */
};

MPTCP_STATE(struct connection);

static __always_inline bool waits(const struct mptcp_scratch *s, const struct mptcp_bpf_path *p,
				  bool waiting)
{
	const struct mptcp_bpf_path *fastest = mptcp_path_at(s, s->best[MPTCP_FIT_FASTEST]);

	return fastest && fastest != p &&
	       mptcp_ecf_waits(fastest, p, s->view.unsent_bytes, waiting, beta_permille);
}

SEC("struct_ops")
int BPF_PROG(ecf_get_send, struct mptcp_sock *msk)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;
	struct connection *c;
	__u32 i;

	c = s ? mptcp_state(s->view.token) : NULL;
	if (!c)
		return -EAGAIN;
	mptcp_survey(s, (struct mptcp_doubt){ timeouts, slack_us });
	i = mptcp_best_to_send(s);
	p = mptcp_path_at(s, i);
	c->waiting = p && waits(s, p, c->waiting);
	if (!p || c->waiting)
		return mptcp_wait(msk, s->timer_us);
	return mptcp_first_flight_commit(msk, s, p, burst_bytes, mptcp_reason_to_send(s, i, p));
}

SEC("struct_ops")
int BPF_PROG(ecf_get_retrans, struct mptcp_sock *msk)
{
	return mptcp_first_flight_repeat(msk, (struct mptcp_doubt){ timeouts, slack_us },
					 burst_bytes);
}

MPTCP_SCHEDULER(ecf, .get_send = (void *)ecf_get_send, .get_retrans = (void *)ecf_get_retrans,
		.path_event = (void *)mptcp_trust, .name = "ecf");
