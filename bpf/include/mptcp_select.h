/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules that give a connection its scheduler: what the selector (bpf/select/) reads and the loader
 * writes. The map `rules` holds, for each network namespace, rules 0, 1, 2 …; the first that
 * matches wins, the first index without a rule ends the search.
 */
#ifndef MPTCP_SELECT_H
#define MPTCP_SELECT_H

#define MPTCP_SELECT_RULES_MAX 64 /* of one network namespace */

enum mptcp_select_role { MPTCP_ROLE_ANY, MPTCP_ROLE_CLIENT, MPTCP_ROLE_SERVER };

struct mptcp_select_key {
	__u64 netns_cookie; /* SO_NETNS_COOKIE */
	__u32 index;
	__u32 reserved;
};

/* A condition whose value is 0 (for uid: not any_uid) matches everything. */
struct mptcp_select_rule {
	__u64 cgroup;	    /* cgroup v2 id: the group itself and all below it */
	__u32 cgroup_level; /* its depth, the root being 0 */
	__u32 uid;
	__u8 by_uid;
	__u8 role;	  /* enum mptcp_select_role */
	__u8 remote_bits; /* prefix length in remote; IPv4 as ::ffff:a.b.c.d, so /24 is 120 */
	__u8 reserved;
	__u16 remote_port_first, remote_port_last; /* host byte order, both inclusive */
	__u16 local_port_first, local_port_last;
	__u8 remote[16];
	__u32 rule; /* its number in the policy, from 1; shown with the connection */
	char scheduler[16];
};

#endif
