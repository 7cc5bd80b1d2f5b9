/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guard (bpf/guard/) and its loader agree on. Every map is of one network namespace:
 *
 *  guard_config    hash, ifindex -> mptcp_guard_config: an interface without one is not looked at
 *  guard_counters  per-CPU hash, ifindex -> mptcp_guard_counters
 *  guard_log       array of mptcp_guard_event, the last MPTCP_GUARD_LOG of them: number n at n %
 * size guard_next      array, one __u64: the number of the next event; they begin at 1 guard_watch
 * ring buffer of mptcp_guard_event: subflows to be looked at, for one reader
 */
#ifndef MPTCP_GUARD_H
#define MPTCP_GUARD_H

#define MPTCP_GUARD_LOG	     256
#define MPTCP_GUARD_PREFIXES 16
#define MPTCP_GUARD_IFS	     256
/* How long after a refused REMOVE_ADDR the path has to show that it is alive. */
#define MPTCP_GUARD_VERDICT_MS 1500

enum mptcp_guard_prio {
	MPTCP_GUARD_PRIO_ACCEPT,
	MPTCP_GUARD_PRIO_IGNORE_BACKUP,
	MPTCP_GUARD_PRIO_IGNORE_ALL,
	MPTCP_GUARD_PRIO_RATE,
	MPTCP_GUARD_PRIO_NEVER_EMPTY,
};

enum mptcp_guard_remove {
	MPTCP_GUARD_REMOVE_ACCEPT,
	MPTCP_GUARD_REMOVE_PROBE,
	MPTCP_GUARD_REMOVE_IGNORE,
};

struct mptcp_guard_prefix {
	__u8 address[16]; /* IPv4 as ::ffff:a.b.c.d, so that /24 is 120 */
	__u8 bits;
	__u8 reserved;
	__u16 port_first, port_last; /* host byte order, both inclusive; 0: any */
	__u16 reserved2;
};

struct mptcp_guard_config {
	__u8 prio;   /* enum mptcp_guard_prio */
	__u8 remove; /* enum mptcp_guard_remove */
	__u8 nr_prefixes;
	__u8 reserved;
	__u32 prio_per_minute; /* of each subflow, for MPTCP_GUARD_PRIO_RATE */
	__u32 join_per_minute; /* of the interface; 0: any number */
	__u32 reserved2;
	struct mptcp_guard_prefix prefixes[MPTCP_GUARD_PREFIXES]; /* none: ADD_ADDR is not judged */
};

struct mptcp_guard_counters {
	__u64 prio;	      /* MP_PRIO seen */
	__u64 prio_ignored;   /* and taken out */
	__u64 prio_old;	      /* MP_PRIO of four bytes, which the kernel ignores */
	__u64 remove;	      /* REMOVE_ADDR seen, each id counts */
	__u64 remove_ignored; /* and taken out */
	__u64 add_addr;	      /* ADD_ADDR seen, echoes left out */
	__u64 add_addr_ignored;
	__u64 join; /* SYN with MP_JOIN */
	__u64 join_dropped;
	__u64 malformed; /* headers with options that make no sense; left alone */
	__u64 truncated; /* packets that end within their header; left alone */
	__u64 hidden;	 /* TCP headers spread over fragments or too deep; dropped */
	__u64 failed;	 /* packets that could not be changed; dropped */
};

enum mptcp_guard_what {
	MPTCP_GUARD_PRIO = 1,
	MPTCP_GUARD_REMOVE,
	MPTCP_GUARD_ADD_ADDR,
	MPTCP_GUARD_JOIN,
};

enum mptcp_guard_why {
	MPTCP_GUARD_BY_RULE = 1, /* the policy ignores it */
	MPTCP_GUARD_RATE,	 /* too many */
	MPTCP_GUARD_LAST,	 /* no other subflow would be left to use first */
	MPTCP_GUARD_ALIVE,	 /* something was received on the subflow a moment ago */
	MPTCP_GUARD_QUIET,	 /* no sign of life, none of death */
	MPTCP_GUARD_UNLISTED,	 /* not in the list of addresses */
};

struct mptcp_guard_event {
	__u64 number;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 ifindex; /* where the packet came in */
	__u32 token;   /* of the connection; 0: not known */
	__u8 what, why;
	__u8 family; /* 4 or 6: of the addresses below; 0: there are none */
	__u8 id;     /* address id of REMOVE_ADDR and ADD_ADDR */
	__u16 local_port, remote_port;
	/* Of the subflow that it is about; IPv4 in the first 4 bytes. For ADD_ADDR, remote is the
	 * address announced and there is no local one. */
	__u8 local[16], remote[16];
};

#endif
