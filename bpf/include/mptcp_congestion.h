/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which congestion control subflows get, by interface: what bpf/select/congestion.bpf.c reads and
 * the loader writes, in the map `interfaces`.
 */
#ifndef MPTCP_CONGESTION_H
#define MPTCP_CONGESTION_H

#define MPTCP_CONGESTION_IFS   64 /* of one network namespace */
#define MPTCP_CONGESTION_BYTES 16 /* TCP_CA_NAME_MAX, NUL included */

struct mptcp_congestion_key {
	__u64 netns_cookie; /* SO_NETNS_COOKIE */
	__u32 ifindex;
	__u32 reserved;
};

struct mptcp_congestion {
	char name[MPTCP_CONGESTION_BYTES]; /* NUL to the end */
};

#endif
