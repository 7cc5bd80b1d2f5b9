// SPDX-License-Identifier: GPL-2.0-only
/*
 * mark: subflows get the firewall mark of the rule that matches their connection.
 *
 * At connect(), before the route is looked up: of the first subflow in the process that asks for
 * it, of the others in a worker of the kernel, where only the MPTCP socket knows whose they are.
 * What is accepted gets it when it is established, after the SYN/ACK. A mark that a socket has
 * already, by its application or its listener, stays.
 *
 * A mark on the MPTCP socket itself (cgroup/sock_create) would not do: subflows do not get it.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "mptcp_mark.h"
#include "mptcp_match.bpf.h"

#define AF_INET	   2
#define SOL_SOCKET 1
#define SO_MARK	   36

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct mptcp_select_key);
	__type(value, struct mptcp_mark);
} marks SEC(".maps");

static __always_inline void map_v4(__u8 out[16], __be32 v4)
{
	__builtin_memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	__builtin_memcpy(out + 12, &v4, 4);
}

/* The group of the socket and those above it. */
static __always_inline void facts_cgroup(struct mptcp_bpf_facts *f, const struct sock *sk)
{
	const struct cgroup *group = BPF_CORE_READ(sk, sk_cgrp_data.cgroup), *at;
	const __u32 ancestors = bpf_core_field_offset(struct cgroup, ancestors);
	int depth = BPF_CORE_READ(group, level);

	for (int level = 0; level < MPTCP_BPF_CGROUP_LEVELS; level++) {
		if (level > depth ||
		    bpf_probe_read_kernel(&at, sizeof(at),
					  (const void *)group + ancestors + level * sizeof(at)))
			break;
		f->cgroup[level] = BPF_CORE_READ(at, kn, id);
	}
}

/* What the MPTCP socket knows; before the first subflow is connected it has no addresses. */
static __always_inline void facts_of(struct mptcp_bpf_facts *f, const struct mptcp_sock *msk)
{
	const struct inet_sock *inet = (const struct inet_sock *)msk;
	const struct sock *sk = &inet->sk;

	facts_cgroup(f, sk);
	f->uid = BPF_CORE_READ(sk, sk_uid.val);
	f->server = BPF_CORE_READ(msk, pm.server_side);
	f->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	f->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET)
		map_v4(f->remote_addr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	else
		BPF_CORE_READ_INTO(&f->remote_addr, sk, __sk_common.skc_v6_daddr);
}

static __always_inline __u32 choose(const struct mptcp_bpf_facts *f)
{
	struct mptcp_select_key key = { .netns_cookie = f->netns_cookie };
	int i;

	bpf_for(i, 0, MPTCP_MARKS_MAX) {
		const struct mptcp_mark *m;

		key.index = i;
		m = bpf_map_lookup_elem(&marks, &key);
		if (!m)
			break;
		if (mptcp_match(&m->match, f))
			return m->mark;
	}
	return 0;
}

static __always_inline bool has_marks(__u64 cookie)
{
	struct mptcp_select_key key = { .netns_cookie = cookie };

	return bpf_map_lookup_elem(&marks, &key);
}

static __always_inline void connecting(struct bpf_sock_addr *ctx, const __u8 remote[16])
{
	struct mptcp_bpf_facts f = { .netns_cookie = bpf_get_netns_cookie(ctx) };
	struct bpf_sock *sk = ctx->sk;
	struct mptcp_sock *msk;
	int mark;

	if (!sk || sk->mark || !has_marks(f.netns_cookie))
		return;
	msk = bpf_skc_to_mptcp_sock(sk);
	if (!msk)
		return;
	facts_of(&f, msk);
	if ((void *)BPF_CORE_READ(msk, first) == (void *)sk) {
		__builtin_memcpy(f.remote_addr, remote, sizeof(f.remote_addr));
		f.remote_port = bpf_ntohs((__u16)ctx->user_port);
	}
	mark = choose(&f);
	if (mark)
		bpf_setsockopt(ctx, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

SEC("cgroup/connect4")
int mark_connect4(struct bpf_sock_addr *ctx)
{
	__u8 remote[16];

	map_v4(remote, ctx->user_ip4);
	connecting(ctx, remote);
	return 1;
}

SEC("cgroup/connect6")
int mark_connect6(struct bpf_sock_addr *ctx)
{
	__u32 remote[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
			    ctx->user_ip6[3] };

	connecting(ctx, (const __u8 *)remote);
	return 1;
}

SEC("sockops")
int mark_accepted(struct bpf_sock_ops *ops)
{
	struct mptcp_bpf_facts f = { 0 };
	struct bpf_sock *sk = ops->sk;
	struct mptcp_sock *msk;
	int mark;

	if (ops->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB || !sk || sk->mark)
		return 1;
	f.netns_cookie = bpf_get_netns_cookie(ops);
	msk = has_marks(f.netns_cookie) ? bpf_skc_to_mptcp_sock(sk) : NULL;
	if (!msk)
		return 1;
	facts_of(&f, msk);
	mark = choose(&f);
	if (mark)
		bpf_setsockopt(ops, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	return 1;
}
