// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad on purpose: schedules every subflow on the list, closed and half-open ones included, and ids
 * that do not exist, with a burst of nothing. The connection must survive it.
 */
#include "mptcp_bpf.bpf.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline int everything(struct mptcp_sock *msk)
{
	struct mptcp_subflow_context *sf;

	bpf_mptcp_schedule(msk, 0xdead, 0, 1);
	mptcp_for_each_subflow(msk, sf)
		bpf_mptcp_subflow_set_scheduled(msk, sf);
	return 0;
}

SEC("struct_ops")
int BPF_PROG(bad_all_get_send, struct mptcp_sock *msk)
{
	return everything(msk);
}

SEC("struct_ops")
int BPF_PROG(bad_all_get_retrans, struct mptcp_sock *msk)
{
	return everything(msk);
}

MPTCP_SCHEDULER(bad_all, .get_send = (void *)bad_all_get_send,
		.get_retrans = (void *)bad_all_get_retrans, .name = "bad_all");
