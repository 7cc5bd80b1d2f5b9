/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first retransmission timeout of a SYN that opens an MPTCP connection. The kernel counts
 * retransmissions, so a shorter timeout comes with more of them: connect() is not to give up any
 * earlier than it did.
 */
#ifndef ESTABLISH_TIMER_BPF_H
#define ESTABLISH_TIMER_BPF_H

#include "flow.bpf.h"

#define LEVEL_TCP  6 /* SOL_TCP */
#define TCP_SYNCNT 7
#define SYNCNT_MAX 127

/* The subflow that opens a connection, not one that joins it. */
static __always_inline bool opens_connection(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct mptcp_sock *msk;

	if (!sk)
		return false;
	msk = bpf_skc_to_mptcp_sock(sk);
	return msk && (void *)msk->first == (void *)sk;
}

static __always_inline void more_retries(struct bpf_sock_ops *ops, const struct rescue_config *c)
{
	int retries = 0;

	if (bpf_getsockopt(ops, LEVEL_TCP, TCP_SYNCNT, &retries, sizeof(retries)))
		return;
	retries += c->more_retries;
	if (retries > SYNCNT_MAX)
		retries = SYNCNT_MAX;
	bpf_setsockopt(ops, LEVEL_TCP, TCP_SYNCNT, &retries, sizeof(retries));
}

SEC("sockops")
int rescue_timer(struct bpf_sock_ops *ops)
{
	const struct rescue_config *c = get_config();

	if ((ops->op != BPF_SOCK_OPS_TIMEOUT_INIT && ops->op != BPF_SOCK_OPS_TCP_CONNECT_CB) ||
	    !c || !c->on || !c->timer_jiffies || bpf_get_netns_cookie(ops) != c->netns_cookie ||
	    !opens_connection(ops))
		return 1;
	if (ops->op == BPF_SOCK_OPS_TIMEOUT_INIT)
		ops->reply = c->timer_jiffies;
	else
		more_retries(ops, c);
	return 1;
}

#endif
