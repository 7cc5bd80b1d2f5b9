/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs at the hooks of cgroups ask of a subflow's socket. */
#ifndef MPTCP_SUBFLOW_BPF_H
#define MPTCP_SUBFLOW_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Both ends agreed upon MPTCP: not plain TCP, nor what fell back to it. */
static __always_inline bool mptcp_subflow_agreed(const struct tcp_sock *tp)
{
	const struct mptcp_subflow_context *subflow = BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);

	return BPF_CORE_READ_BITFIELD_PROBED(subflow, mp_capable) ||
	       BPF_CORE_READ_BITFIELD_PROBED(subflow, mp_join);
}

/* Where it sends; 0: not known. */
static __always_inline __u32 mptcp_subflow_ifindex(const struct tcp_sock *tp)
{
	const struct sock *sk = (const struct sock *)tp;
	__u32 bound = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);

	return bound ?: BPF_CORE_READ(sk, sk_dst_cache, dev, ifindex);
}

#endif
