/* SPDX-License-Identifier: GPL-2.0-only */
/* The context of bpf/select/connset.bpf.c; it returns 0 or -errno as bpf_mptcp_conn_set() does. */
#ifndef MPTCP_CONNSET_H
#define MPTCP_CONNSET_H

struct mptcp_connset {
	__u64 netns_cookie;
	__u32 token;
	__u32 reserved;
	char scheduler[16];
};

#endif
