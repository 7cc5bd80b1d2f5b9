// SPDX-License-Identifier: GPL-2.0-only
/*
 * learn: what becomes of connections, by the path they begin on, for ips.
 *
 * A sockops program. Further subflows count too: they show that a path works, or works again, at no
 * one's cost. That a first SYN stays unanswered is a failure; a reset is an answer.
 */
#include "mptcp_learn.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct attempt {
	struct mptcp_learn_key key;
	__u64 began_ns;
	__u32 unanswered;
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct attempt);
} attempts SEC(".maps");

enum mptcp_outcome { MPTCP_NOT_ASKED, MPTCP_AGREED, MPTCP_DROPPED };

static __always_inline bool is_v4(const struct bpf_sock_ops *ops)
{
	return ops->family == AF_INET;
}

static __always_inline void connecting(struct bpf_sock_ops *ops)
{
	struct mptcp_learn_address own = { .netns_cookie = bpf_get_netns_cookie(ops) };
	struct bpf_sock *sk = ops->sk;
	struct mptcp_learn_owner *owner;
	struct attempt *a;
	__u32 remote[4];

	if (!sk || !bpf_map_lookup_elem(&namespaces, &own.netns_cookie))
		return;
	if (is_v4(ops)) {
		mptcp_learn_v4(own.address, ops->local_ip4);
		mptcp_learn_v4((__u8 *)remote, ops->remote_ip4);
	} else {
		__u32 local[4] = { ops->local_ip6[0], ops->local_ip6[1], ops->local_ip6[2],
				   ops->local_ip6[3] };

		__builtin_memcpy(own.address, local, sizeof(local));
		remote[0] = ops->remote_ip6[0];
		remote[1] = ops->remote_ip6[1];
		remote[2] = ops->remote_ip6[2];
		remote[3] = ops->remote_ip6[3];
	}
	owner = bpf_map_lookup_elem(&addresses, &own);
	a = owner ? bpf_sk_storage_get(&attempts, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE) : NULL;
	if (!a || !mptcp_learn_prefix((const __u8 *)remote, a->key.prefix))
		return;
	a->key.netns_cookie = own.netns_cookie;
	a->key.ifindex = owner->ifindex;
	a->key.network = owner->network;
	a->began_ns = bpf_ktime_get_ns();
	a->unanswered = 0;
	/* Others may have set flags of their own. */
	bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_RTO_CB_FLAG);
}

static __always_inline enum mptcp_outcome mptcp_outcome(struct bpf_sock *sk)
{
	const struct mptcp_subflow_context *subflow;
	struct tcp_sock *tp;

	if (!bpf_skc_to_mptcp_sock(sk))
		return MPTCP_NOT_ASKED;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return MPTCP_NOT_ASKED;
	subflow = BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
	if (BPF_CORE_READ_BITFIELD_PROBED(subflow, mp_capable) ||
	    BPF_CORE_READ_BITFIELD_PROBED(subflow, mp_join))
		return MPTCP_AGREED;
	if (bpf_core_field_exists(subflow->mpc_drop) &&
	    BPF_CORE_READ_BITFIELD_PROBED(subflow, mpc_drop))
		return MPTCP_DROPPED;
	return MPTCP_NOT_ASKED;
}

/* The row of the destination, then that of the path: `key` loses its prefix. */
static __always_inline void succeeded(struct mptcp_learn_key *key, __u32 us, enum mptcp_outcome m)
{
	__u64 now_ms = mptcp_learn_now_ms();
	struct mptcp_learn_stat *s = mptcp_learn_row(key);

	if (s)
		mptcp_learn_ok(s, now_ms, us);
	__builtin_memset(key->prefix, 0, sizeof(key->prefix));
	s = mptcp_learn_row(key);
	if (!s)
		return;
	mptcp_learn_ok(s, now_ms, us);
	if (m != MPTCP_NOT_ASKED)
		mptcp_learn_mptcp(s, now_ms, m == MPTCP_AGREED);
}

static __always_inline void failed(struct mptcp_learn_key *key)
{
	__u64 now_ms = mptcp_learn_now_ms();
	struct mptcp_learn_stat *s = mptcp_learn_row(key);

	if (s)
		mptcp_learn_fail(s, now_ms);
	__builtin_memset(key->prefix, 0, sizeof(key->prefix));
	s = mptcp_learn_row(key);
	if (s)
		mptcp_learn_fail(s, now_ms);
}

static __always_inline void ended(struct mptcp_learn_key *key, __u32 srtt_us)
{
	struct mptcp_learn_stat *s = bpf_map_lookup_elem(&learned, key);

	if (s)
		s->srtt_us = mptcp_learn_ema(s->srtt_us, srtt_us);
	__builtin_memset(key->prefix, 0, sizeof(key->prefix));
	s = bpf_map_lookup_elem(&learned, key);
	if (s)
		s->srtt_us = mptcp_learn_ema(s->srtt_us, srtt_us);
}

static __always_inline void went_on(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct mptcp_learn_key key;
	struct attempt *a;

	a = sk ? bpf_sk_storage_get(&attempts, sk, NULL, 0) : NULL;
	if (!a || !a->began_ns)
		return;
	key = a->key;
	if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB) {
		__u32 us = (bpf_ktime_get_ns() - a->began_ns) / 1000;

		succeeded(&key, a->unanswered ? 0 : us, mptcp_outcome(sk));
		bpf_sock_ops_cb_flags_set(ops,
					  ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
	} else if (ops->op == BPF_SOCK_OPS_RTO_CB) {
		if (ops->state != BPF_TCP_SYN_SENT || a->unanswered)
			return;
		a->unanswered = 1;
		failed(&key);
	} else if (ops->args[0] == BPF_TCP_ESTABLISHED && ops->srtt_us >> 3) {
		ended(&key, ops->srtt_us >> 3);
	}
}

SEC("sockops")
int learn_sockops(struct bpf_sock_ops *ops)
{
	switch (ops->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		connecting(ops);
		break;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_RTO_CB:
	case BPF_SOCK_OPS_STATE_CB:
		went_on(ops);
		break;
	}
	return 1;
}
