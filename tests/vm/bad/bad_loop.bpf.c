// SPDX-License-Identifier: GPL-2.0-only
/* Bad on purpose: spends millions of iterations on each decision, and then makes the right one. */
#include "mptcp_bpf.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 rounds = 4000000;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mptcp_bpf_view);
} scratch SEC(".maps");

__u64 spun;

SEC("struct_ops")
int BPF_PROG(bad_loop_get_send, struct mptcp_sock *msk)
{
	struct mptcp_bpf_view *v;
	__u32 zero = 0;
	int i;

	bpf_for(i, 0, rounds)
		spun++;
	v = bpf_map_lookup_elem(&scratch, &zero);
	if (!v || mptcp_view(msk, v) <= 0)
		return -EAGAIN;
	return bpf_mptcp_schedule(msk, v->path[0].id, 1428, 0);
}

MPTCP_SCHEDULER(bad_loop, .get_send = (void *)bad_loop_get_send, .name = "bad_loop");
