// SPDX-License-Identifier: GPL-2.0-only
/* connset: gives a live connection another scheduler; run once by `mptcp-pmctl conn set`. */
#include "mptcp_bpf.bpf.h"
#include "mptcp_connset.h"

char LICENSE[] SEC("license") = "GPL";

SEC("syscall")
int connset(struct mptcp_connset *ctx)
{
	struct mptcp_connset c;

	__builtin_memcpy(&c, ctx, sizeof(c));
	return bpf_mptcp_conn_set(c.netns_cookie, c.token, c.scheduler, sizeof(c.scheduler));
}
