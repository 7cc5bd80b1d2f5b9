// SPDX-License-Identifier: GPL-2.0-only
/* Bad on purpose: always answers with an error, of a kind nobody expects. */
#include "mptcp_bpf.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops")
int BPF_PROG(bad_error_get_send, struct mptcp_sock *msk)
{
	return -4095;
}

SEC("struct_ops")
int BPF_PROG(bad_error_get_retrans, struct mptcp_sock *msk)
{
	return 1;
}

MPTCP_SCHEDULER(bad_error, .get_send = (void *)bad_error_get_send,
		.get_retrans = (void *)bad_error_get_retrans, .name = "bad_error");
