// SPDX-License-Identifier: GPL-2.0-only
/*
 * congestion: subflows get the congestion control of the interface they send by.
 *
 * A sockops program; runs when a subflow is established, at either end. Left alone are plain TCP,
 * and subflows whose congestion control is not the namespace's default. It comes too late for an
 * algorithm that wants ECN to be asked for in the SYN.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "mptcp_congestion.h"
#include "mptcp_subflow.bpf.h"

#define SOL_TCP	       6
#define TCP_CONGESTION 13

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct mptcp_congestion_key);
	__type(value, struct mptcp_congestion);
} interfaces SEC(".maps");

/* By its application or its route. The flag that it was set tells nothing: any option that an
 * application sets makes MPTCP set all of them on subflows. */
static __always_inline bool was_chosen(const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	const struct net *net = BPF_CORE_READ(icsk, icsk_inet.sk.__sk_common.skc_net.net);

	return BPF_CORE_READ(icsk, icsk_ca_ops) != BPF_CORE_READ(net, ipv4.tcp_congestion_control);
}

static __always_inline void established(struct bpf_sock_ops *ops)
{
	struct mptcp_congestion_key key = { .netns_cookie = bpf_get_netns_cookie(ops) };
	const struct mptcp_congestion *chosen;
	struct mptcp_congestion c;
	struct bpf_sock *sk = ops->sk;
	struct tcp_sock *tp;

	tp = sk && bpf_skc_to_mptcp_sock(sk) ? bpf_skc_to_tcp_sock(sk) : NULL;
	if (!tp || !mptcp_subflow_agreed(tp))
		return;
	key.ifindex = mptcp_subflow_ifindex(tp);
	chosen = bpf_map_lookup_elem(&interfaces, &key);
	if (!chosen || was_chosen(tp))
		return;
	c = *chosen;
	bpf_setsockopt(ops, SOL_TCP, TCP_CONGESTION, c.name, sizeof(c.name));
}

SEC("sockops")
int congestion(struct bpf_sock_ops *ops)
{
	if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB ||
	    ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		established(ops);
	return 1;
}
