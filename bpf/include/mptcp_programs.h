/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which programs get MPTCP where they ask for TCP: what bpf/select/mptcpify.bpf.c reads and the
 * loader writes. The map `programs` holds, for each network namespace, rules 0, 1, 2 …; the first
 * that matches wins, the first index without a rule ends the search.
 */
#ifndef MPTCP_PROGRAMS_H
#define MPTCP_PROGRAMS_H

#define MPTCP_PROGRAMS_MAX     64 /* of one network namespace */
#define MPTCP_EXECUTABLE_BYTES 64

struct mptcp_program_key {
	__u64 netns_cookie; /* SO_NETNS_COOKIE */
	__u32 index;
	__u32 reserved;
};

/* A condition whose value is 0 (for uid: not by_uid) matches everything. */
struct mptcp_program {
	__u64 cgroup;	    /* cgroup v2 id: the group itself and all below it */
	__u32 cgroup_level; /* its depth, the root being 0 */
	__u32 uid;
	__u8 by_uid;
	__u8 mptcpify; /* 0: stays what it is */
	__u16 reserved;
	__u32 rule;				 /* its number in the policy, from 1 */
	char executable[MPTCP_EXECUTABLE_BYTES]; /* the file's name, NUL to the end */
};

#endif
