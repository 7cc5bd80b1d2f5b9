// SPDX-License-Identifier: GPL-2.0-only
/* Bad on purpose: never schedules anything and says so. The connection must survive it. */
#include "mptcp_bpf.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops")
int BPF_PROG(bad_never_get_send, struct mptcp_sock *msk)
{
	return -EAGAIN;
}

SEC("struct_ops")
int BPF_PROG(bad_never_get_retrans, struct mptcp_sock *msk)
{
	return -EAGAIN;
}

MPTCP_SCHEDULER(bad_never, .get_send = (void *)bad_never_get_send,
		.get_retrans = (void *)bad_never_get_retrans, .name = "bad_never");
