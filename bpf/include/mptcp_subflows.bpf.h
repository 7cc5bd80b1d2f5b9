/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subflows of a connection as seen from a packet of one of them, without any lock: memory of
 * the kernel is read by CO-RE only, so what goes away meanwhile is read as garbage at worst, and
 * the walk is bounded.
 */
#ifndef MPTCP_SUBFLOWS_BPF_H
#define MPTCP_SUBFLOWS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define SUBFLOWS_MAX	   65 /* the first and the most an in-kernel path manager adds */
#define SUBFLOWS_QUIET_RTO 2  /* within so many RTOs what was received is a sign of life */

/* What a subflow shows of its path. */
enum subflow_life {
	SUBFLOW_GONE, /* closing or closed */
	SUBFLOW_DEAD, /* data went unacknowledged for an RTO, and nothing was received for two */
	SUBFLOW_QUIET,
	SUBFLOW_ALIVE,
};

struct subflow_walk {
	unsigned long head, node;
};

#define subflow_of(node_)                   \
	((struct mptcp_subflow_context *)(( \
		node_)-bpf_core_field_offset(struct mptcp_subflow_context, node)))

static __always_inline void subflow_walk_start(struct subflow_walk *w, struct mptcp_sock *msk)
{
	w->head = (unsigned long)msk + bpf_core_field_offset(struct mptcp_sock, conn_list);
	w->node = w->head;
}

/* The next one, or NULL. */
static __always_inline struct mptcp_subflow_context *subflow_walk_next(struct subflow_walk *w)
{
	struct list_head *at = (struct list_head *)w->node;

	w->node = (unsigned long)BPF_CORE_READ(at, next);
	return w->node && w->node != w->head ? subflow_of(w->node) : NULL;
}

/* Asked for by either side. */
static __always_inline bool subflow_is_backup(struct mptcp_subflow_context *s)
{
	return BPF_CORE_READ_BITFIELD_PROBED(s, backup) ||
	       BPF_CORE_READ_BITFIELD_PROBED(s, request_bkup);
}

static __always_inline __u8 subflow_state(const struct sock *ssk)
{
	return BPF_CORE_READ(ssk, __sk_common.skc_state);
}

static __always_inline enum subflow_life subflow_life(struct sock *ssk)
{
	struct tcp_sock *tp = (struct tcp_sock *)ssk;
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)ssk;
	__u32 last = BPF_CORE_READ(tp, rcv_tstamp), data, rto;

	/* It may come up yet. */
	if (subflow_state(ssk) == TCP_SYN_SENT)
		return SUBFLOW_QUIET;
	if (subflow_state(ssk) != TCP_ESTABLISHED)
		return SUBFLOW_GONE;
	/* Acknowledgements and data have a time each, in jiffies. */
	data = BPF_CORE_READ(icsk, icsk_ack.lrcvtime);
	if (data && (__s32)(data - last) > 0)
		last = data;
	rto = BPF_CORE_READ(icsk, icsk_rto) >> (BPF_CORE_READ(icsk, icsk_backoff) & 31);
	if ((__u32)bpf_jiffies64() - last <= SUBFLOWS_QUIET_RTO * rto)
		return SUBFLOW_ALIVE;
	if (BPF_CORE_READ(tp, packets_out) && BPF_CORE_READ(icsk, icsk_retransmits))
		return SUBFLOW_DEAD;
	return SUBFLOW_QUIET;
}

#endif
