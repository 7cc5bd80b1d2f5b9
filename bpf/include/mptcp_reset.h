/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program that gives resets a reason (bpf/guard/reset.bpf.c) and its loader agree on.
 * Every map is of one network namespace:
 *
 *  reset_wanted    LRU hash, mptcp_reset_key -> mptcp_reset_wanted: subflows about to be reset
 *  reset_armed     array, one __u64: until when, on CLOCK_MONOTONIC in ns, there is something in it
 *  reset_counters  per-CPU hash, ifindex -> mptcp_reset_counters
 */
#ifndef MPTCP_RESET_H
#define MPTCP_RESET_H

#define MPTCP_RESET_WANTED 1024
#define MPTCP_RESET_IFS	   256
/* A reset leaves at once, but for an address that has to be resolved first. */
#define MPTCP_RESET_TTL_NS 5000000000ull

struct mptcp_reset_key {
	__u8 local[16], remote[16];    /* IPv4 as ::ffff:a.b.c.d */
	__u16 local_port, remote_port; /* network byte order */
};

struct mptcp_reset_wanted {
	__u64 until_ns; /* CLOCK_MONOTONIC */
	__u8 reason;	/* RFC 8684 section 3.6 */
	__u8 transient; /* the T bit */
	__u8 reserved[6];
};

struct mptcp_reset_counters {
	__u64 changed; /* resets that got their reason */
	__u64 failed;  /* left as they were, because the packet could not be changed */
};

#endif
