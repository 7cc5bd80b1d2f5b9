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
#include "mptcp_first_flight.bpf.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Upper bound of a burst, in bytes: how long a decision stands. */
const volatile __u32 burst_bytes = MPTCP_BURST_MAX;
/* Retransmission timeouts in a row that make a subflow suspect; 0: only the kernel's staleness. */
const volatile __u32 timeouts = 1;

SEC("struct_ops")
int BPF_PROG(minrtt_get_send, struct mptcp_sock *msk)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;
	__u32 i;

	if (!s)
		return -EAGAIN;
	mptcp_survey(s, (struct mptcp_doubt){ timeouts, 0 });
	i = mptcp_best_to_send(s);
	p = mptcp_path_at(s, i);
	if (!p)
		return mptcp_wait(msk, 0);
	return mptcp_first_flight_commit(msk, s, p, burst_bytes, mptcp_reason_to_send(s, i, p));
}

SEC("struct_ops")
int BPF_PROG(minrtt_get_retrans, struct mptcp_sock *msk)
{
	return mptcp_first_flight_repeat(msk, (struct mptcp_doubt){ timeouts, 0 }, burst_bytes);
}

MPTCP_SCHEDULER(minrtt, .get_send = (void *)minrtt_get_send,
		.get_retrans = (void *)minrtt_get_retrans, .path_event = (void *)mptcp_trust,
		.name = "minrtt");
