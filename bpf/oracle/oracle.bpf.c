// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle: how the paths do, from the subflows that use them.
 *
 * A subflow that sends or receives gets a timer, and the timer looks at the socket when an answer
 * is overdue or a period is over. It runs only while the peer owes something, so an idle connection
 * costs nothing. What it finds is reported to the path (mptcp_oracle.h), and thresholds that the
 * path crosses are told to the namespace's ring buffer.
 *
 * The peer owes an ack for what was sent, the rest of a mapping it has begun, and an answer where
 * it used to give them: a stalled download has no retransmission timer on this side.
 *
 * Hooks are tracepoints, because a path that dies while its connection is idle shows itself first
 * by what the application sends: sockops would tell at the retransmission timeout.
 *
 * Lacks: a download that stops between two mappings looks finished.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "mptcp_oracle.h"
#include "mptcp_oracle.bpf.h"
#include "mptcp_oracle_judge.bpf.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline void wait(struct subflow *st, const struct oracle_config *c, __u64 waited_ns,
				 __u32 overdue_us)
{
	__u32 waited_ms = waited_ns / 1000000;

	st->armed = true;
	bpf_timer_start(&st->timer,
			oracle_next_look_ms(next_stall_ms(c, waited_ms), waited_ms, overdue_us,
					    c->period_ms) *
				1000000ull,
			0);
}

static int look(void *map, __u64 *key, struct subflow *st)
{
	const struct oracle_config *c = bpf_map_lookup_elem(&configs, &st->key.netns_cookie);
	const struct tcp_sock *tp = bpf_core_cast((void *)*key, struct tcp_sock);
	struct oracle_report r = { .now_ns = bpf_ktime_get_ns() };
	struct oracle_path *p = path_of(st);
	bool again;

	/* First, so that what happens from here on starts the timer anew. */
	st->armed = false;
	if (!c || !p)
		return 0;
	report_sent(st, tp, &r);
	report_received(st, tp, &r);
	path_take(p, &r, c);
	st->late = oracle_is_late(&r);
	again = judge(st, p, c, r.now_ns);
	if (r.waiting_ns)
		wait(st, c, r.now_ns > r.waiting_ns ? r.now_ns - r.waiting_ns : 0, r.overdue_us);
	else if (again)
		/* armed stays false for what comes before. */
		bpf_timer_start(&st->timer, c->period_ms * 1000000ull, 0);
	return 0;
}

static __always_inline struct subflow *subflow_new(__u64 sk)
{
	const struct sock *from = bpf_core_cast((void *)sk, struct sock);
	struct subflow fresh = { 0 }, *st;

	fresh.key.netns_cookie = from->__sk_common.skc_net.net->net_cookie;
	if (!bpf_map_lookup_elem(&configs, &fresh.key.netns_cookie) || !key_of(from, &fresh.key))
		return NULL;
	count_from(&fresh, bpf_core_cast((void *)sk, struct tcp_sock));
	if (bpf_map_update_elem(&subflows, &sk, &fresh, BPF_NOEXIST))
		return NULL;
	st = bpf_map_lookup_elem(&subflows, &sk);
	if (!st || bpf_timer_init(&st->timer, &subflows, CLOCK_MONOTONIC))
		return NULL;
	bpf_timer_set_callback(&st->timer, look);
	return st;
}

static __always_inline struct subflow *subflow_of(__u64 sk)
{
	struct subflow *st = bpf_map_lookup_elem(&subflows, &sk);

	return st ?: subflow_new(sk);
}

static __always_inline void arm(struct subflow *st, const struct tcp_sock *tp)
{
	const struct oracle_config *c;

	if (st->armed)
		return;
	c = bpf_map_lookup_elem(&configs, &st->key.netns_cookie);
	if (c)
		wait(st, c, 0, oracle_overdue_us(tp->srtt_us >> 3, tp->mdev_us >> 2));
}

/* After a send call: what of the connection is outstanding now? */
SEC("tp_btf/sock_send_length")
int BPF_PROG(sent, struct sock *sk, int ret, int flags)
{
	const struct mptcp_sock *msk = bpf_core_cast(sk, struct mptcp_sock);
	const struct list_head *node;
	__u64 now;
	int i;

	if (sk->sk_protocol != IPPROTO_MPTCP || ret <= 0)
		return 0;
	now = bpf_ktime_get_ns();
	node = msk->conn_list.next;
	bpf_for(i, 0, SUBFLOWS_MAX) {
		__u64 ssk = subflow_at(node, msk);
		const struct tcp_sock *tp = bpf_core_cast((void *)ssk, struct tcp_sock);
		struct subflow *st;

		if (!ssk)
			break;
		node = node->next;
		if (!tp->packets_out)
			continue;
		st = subflow_of(ssk);
		if (!st)
			continue;
		note_sent(st, tp, now);
		arm(st, tp);
	}
	return 0;
}

/* Before a packet is taken in. */
SEC("tp_btf/tcp_probe")
int BPF_PROG(arrived, struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_sock *tp = bpf_core_cast(sk, struct tcp_sock);
	struct subflow *st;
	bool data;

	if (!tp->is_mptcp)
		return 0;
	st = subflow_of((__u64)sk);
	if (!st)
		return 0;
	data = has_data(skb);
	if (data)
		note_received(st, bpf_ktime_get_ns());
	if (st->late)
		/* Good news; by then the packet will have been taken in. */
		bpf_timer_start(&st->timer, ORACLE_TAKEN_IN_NS, 0);
	else if (data || tp->packets_out)
		arm(st, tp);
	return 0;
}

/* A retransmission timeout is news at once. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(resent, struct sock *sk, struct sk_buff *skb)
{
	const struct inet_connection_sock *icsk = bpf_core_cast(sk, struct inet_connection_sock);
	const struct tcp_sock *tp = bpf_core_cast(sk, struct tcp_sock);
	struct subflow *st;

	if (!tp->is_mptcp)
		return 0;
	st = subflow_of((__u64)sk);
	if (!st)
		return 0;
	if (icsk->icsk_retransmits > st->timeouts)
		bpf_timer_start(&st->timer, 0, 0);
	else
		arm(st, tp);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroyed, struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_delete_elem(&subflows, &key);
	return 0;
}
