// SPDX-License-Identifier: GPL-2.0-only
/*
 * redundant: send the end of what there is to send a second time, on another subflow, when that is
 * cheap.
 *
 * Rule. New data goes where minrtt sends it; the core sends each byte once. A copy needs the MPTCP
 * retransmit timer: while the connection has nothing more to send, or little outstanding, it is set
 * to when an ack is overdue on the subflow just used, or to a share of that (delay_permille). When
 * it fires, what is not acknowledged goes to the best subflow with nothing outstanding, as long as
 * copies stay below a share of the bytes sent and an allowance (after RAVEN and XLINK: duplicate
 * when idle, within a budget). Data that a suspect subflow holds is no copy but a rescue, and not
 * bounded by bytes: it is sent again as by minrtt. The timer starts anew with each MPTCP-level ack,
 * so that a transfer at full speed makes no copies before its end.
 *
 * delay_permille=0 and copies_permille=1000 is full redundancy for messages.
 *
 * Good for: messages and short answers over paths with loss; the late ones come sooner. Lacks: a
 * copy helps only if another path is idle, and delayed acks cost some copies for nothing.
 */
#include "mptcp_survey.bpf.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* When to copy, in permille of the time after which an ack is overdue; 0: 1 ms after sending. */
const volatile __u32 delay_permille = 1000;
/* The least that time exceeds the RTT by, in us. */
const volatile __u32 slack_us = 10000;
/* Bytes of copies per 1000 bytes sent, and bytes on top of it. */
const volatile __u32 copies_permille = 50;
const volatile __u32 allowance_bytes = 65536;
/* "Little outstanding", in bytes. */
const volatile __u32 little_bytes = 32768;
/* Retransmission timeouts in a row that make a subflow suspect; 0: only the kernel's staleness. */
const volatile __u32 timeouts = 1;
/* How much longer than its RTT a subflow may deliver nothing, in us; 0: however long. */
const volatile __u32 stuck_slack_us = 4 * MPTCP_SLACK_US;

#define TIMER_MIN_US 1000u

/* Copies would cost no new data its place. */
static __always_inline bool cheap(const struct mptcp_bpf_view *v)
{
	return v->unsent_bytes <= little_bytes || v->unacked_bytes <= little_bytes;
}

static __always_inline bool affordable(const struct mptcp_bpf_view *v)
{
	return v->unacked_bytes && mptcp_copies_left(v->sent_bytes, v->reinjected_bytes,
						     copies_permille, allowance_bytes);
}

static __always_inline __u32 copy_timer_us(const struct mptcp_bpf_path *p)
{
	__u64 us = (__u64)mptcp_path_overdue_us(p, slack_us) * delay_permille / 1000;

	return us > TIMER_MIN_US ? mptcp_min_u32(us) : TIMER_MIN_US;
}

SEC("struct_ops")
int BPF_PROG(redundant_get_send, struct mptcp_sock *msk)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	__u32 i, burst, timer, early;
	const struct mptcp_bpf_path *p;

	if (!s)
		return -EAGAIN;
	mptcp_survey(s, (struct mptcp_doubt){ timeouts, stuck_slack_us });
	i = mptcp_best_to_send(s);
	p = mptcp_path_at(s, i);
	if (!p)
		return mptcp_wait(msk, 0);
	burst = MPTCP_BURST_MAX;
	timer = s->timer_us;
	early = copy_timer_us(p);
	/* A burst of several data fragments would have the kernel set its own timer. */
	if (cheap(&s->view) && s->view.nr_paths > 1 && early < timer) {
		burst = mptcp_path_mss(p);
		timer = early;
	}
	return mptcp_commit(msk, p, burst, timer, mptcp_reason_to_send(s, i, p));
}

SEC("struct_ops")
int BPF_PROG(redundant_get_retrans, struct mptcp_sock *msk)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;

	if (!s)
		return -EAGAIN;
	mptcp_survey(s, (struct mptcp_doubt){ timeouts, stuck_slack_us });
	p = mptcp_path_at(s, mptcp_best_to_repeat(s));
	if (!p)
		return -EAGAIN;
	if (s->stuck || s->view.stuck_us > s->timer_us)
		return mptcp_commit(msk, p, MPTCP_BURST_MAX, s->timer_us, MPTCP_REASON_REINJECTED);
	if (!cheap(&s->view) || !affordable(&s->view)) {
		bpf_mptcp_set_timer(msk, s->timer_us);
		return -EAGAIN;
	}
	return mptcp_commit(msk, p, mptcp_path_mss(p), s->timer_us, MPTCP_REASON_REDUNDANT);
}

MPTCP_SCHEDULER(redundant, .get_send = (void *)redundant_get_send,
		.get_retrans = (void *)redundant_get_retrans, .path_event = (void *)mptcp_trust,
		.name = "redundant");
