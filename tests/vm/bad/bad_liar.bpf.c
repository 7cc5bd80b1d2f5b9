// SPDX-License-Identifier: GPL-2.0-only
/* Bad on purpose: reports success and schedules nothing. The connection must survive it. */
#include "mptcp_bpf.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops")
int BPF_PROG(bad_liar_get_send, struct mptcp_sock *msk)
{
	return 0;
}

SEC("struct_ops")
int BPF_PROG(bad_liar_get_retrans, struct mptcp_sock *msk)
{
	return 0;
}

MPTCP_SCHEDULER(bad_liar, .get_send = (void *)bad_liar_get_send,
		.get_retrans = (void *)bad_liar_get_retrans, .name = "bad_liar");
