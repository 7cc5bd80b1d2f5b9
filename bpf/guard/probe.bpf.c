// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe: makes an idle subflow ask its peer for a sign of life.
 *
 * An iterator over the TCP sockets of the reader's network namespace, which is where a program may
 * set options of a socket that is someone else's. TCP's own keepalive is turned on for the one
 * subflow: a segment of no data, just before what was sent last, which every peer answers with an
 * acknowledgement. A subflow with data in flight needs no probe and gets none; its retransmissions
 * ask already.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "mptcp_probe.h"

#define SOL_SOCKET    1
#define SO_KEEPALIVE  9
#define SOL_TCP	      6
#define TCP_KEEPIDLE  4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT   6
#define FAMILY_INET6  10
#define SEGMENTS      9 /* more than are sent before it is stopped: we give the verdict */

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mptcp_probe);
} probe_target SEC(".maps");

static __always_inline bool is_it(const struct sock_common *sk, const struct mptcp_probe *p)
{
	const __u32 *near = (const __u32 *)p->local, *far = (const __u32 *)p->remote;

	if (sk->skc_state != TCP_ESTABLISHED || sk->skc_num != p->local_port ||
	    sk->skc_dport != bpf_htons(p->remote_port))
		return false;
	if (p->family == 4)
		return sk->skc_rcv_saddr == near[0] && sk->skc_daddr == far[0];
	return sk->skc_family == FAMILY_INET6 && sk->skc_v6_daddr.in6_u.u6_addr32[0] == far[0] &&
	       sk->skc_v6_daddr.in6_u.u6_addr32[1] == far[1] &&
	       sk->skc_v6_daddr.in6_u.u6_addr32[2] == far[2] &&
	       sk->skc_v6_daddr.in6_u.u6_addr32[3] == far[3] &&
	       sk->skc_v6_rcv_saddr.in6_u.u6_addr32[0] == near[0] &&
	       sk->skc_v6_rcv_saddr.in6_u.u6_addr32[1] == near[1] &&
	       sk->skc_v6_rcv_saddr.in6_u.u6_addr32[2] == near[2] &&
	       sk->skc_v6_rcv_saddr.in6_u.u6_addr32[3] == near[3];
}

static __always_inline void set(struct tcp_sock *tp, int level, int name, int value)
{
	bpf_setsockopt(tp, level, name, &value, sizeof(value));
}

static __always_inline int get(struct tcp_sock *tp, int level, int name)
{
	int value = 0;

	bpf_getsockopt(tp, level, name, &value, sizeof(value));
	return value;
}

static __always_inline void start(struct tcp_sock *tp, struct mptcp_probe *p)
{
	p->on = get(tp, SOL_SOCKET, SO_KEEPALIVE);
	p->idle_s = get(tp, SOL_TCP, TCP_KEEPIDLE);
	p->interval_s = get(tp, SOL_TCP, TCP_KEEPINTVL);
	p->count = get(tp, SOL_TCP, TCP_KEEPCNT);
	set(tp, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(tp, SOL_TCP, TCP_KEEPINTVL, 1);
	set(tp, SOL_TCP, TCP_KEEPCNT, SEGMENTS);
	/* The last, because it sets the timer: by how long nothing was received already. */
	set(tp, SOL_TCP, TCP_KEEPIDLE, 1);
}

static __always_inline void stop(struct tcp_sock *tp, const struct mptcp_probe *p)
{
	if (!p->on)
		set(tp, SOL_SOCKET, SO_KEEPALIVE, 0);
	set(tp, SOL_TCP, TCP_KEEPINTVL, p->interval_s);
	set(tp, SOL_TCP, TCP_KEEPCNT, p->count);
	set(tp, SOL_TCP, TCP_KEEPIDLE, p->idle_s);
}

SEC("iter/tcp")
int probe(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	__u32 zero = 0;
	struct mptcp_probe *p = bpf_map_lookup_elem(&probe_target, &zero);
	struct tcp_sock *tp;

	if (!sk || !p || !is_it(sk, p))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	p->found++;
	if (p->action == MPTCP_PROBE_START)
		start(tp, p);
	else
		stop(tp, p);
	return 0;
}
