/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN rescue: what the programs of bpf/establish/ and the loader share. One set of maps for each
 * network namespace:
 *
 *   settings  array, one entry: the paths and the policy
 *   flows     LRU hash: connections whose SYN was seen, and the aliases their copies travel under
 *   counts    per-CPU array, enum rescue_count
 *   lost_data LRU hash: destinations that SYNs with data do not reach
 *
 * Addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d; addresses and ports are in network byte order,
 * times are CLOCK_MONOTONIC.
 */
#ifndef MPTCP_RESCUE_H
#define MPTCP_RESCUE_H

#define RESCUE_PATHS_MAX   8
#define RESCUE_ROUTES_MAX  3  /* other paths that one connection is tried on */
#define RESCUE_LIST_MAX	   64 /* destinations, each range of ports counted */
#define RESCUE_LOST_MAX	   4096
#define RESCUE_LOST_TIMES  2		/* in a row: then the destination gets no data in SYNs */
#define RESCUE_LOST_GAP_NS 200000000ULL /* between two that count */
#define RESCUE_FLOWS_MAX   16384
#define RESCUE_IDLE_NS	   60000000000ULL /* without a decision, or closed: then it is over */

struct rescue_address {
	__u32 word[4];
};

struct rescue_path {
	struct rescue_address v4, v6; /* zero: none */
	__u32 ifindex;
	__u32 mtu_bytes;
};

struct rescue_destination {
	struct rescue_address prefix;
	__u32 bits;		     /* IPv4: 96 more */
	__u16 port_first, port_last; /* host byte order, both inclusive; 0: any */
};

struct rescue_config {
	__u64 netns_cookie;
	__u32 timer_jiffies; /* first retransmission timeout of a SYN; 0: the kernel's */
	__u32 more_retries;  /* of a SYN, so that the shorter timeout does not end it earlier */
	__u32 on;   /* 0: no SYN is copied any more, connections that ride an alias go on */
	__u32 race; /* the copy is sent with the first SYN */
	__u32 nr_paths, nr_idempotent;
	__u16 port_first, port_count; /* host byte order; aliases get these, count 0: the own one */
	__u32 reserved;
	struct rescue_path paths[RESCUE_PATHS_MAX]; /* best first */
	struct rescue_destination idempotent[RESCUE_LIST_MAX];
	/* Data in the SYN. */
	__u32 data_listed; /* only to those below */
	__u32 nr_data_to;
	__u64 data_hold_ms; /* how long a destination gets none after losses; 0: not watched */
	struct rescue_destination data_to[RESCUE_LIST_MAX];
};

/* Is anything to be taken out of SYNs? */
static inline int rescue_looks_at_data(const struct rescue_config *c)
{
	return c->data_listed || c->data_hold_ms;
}

/* A connection as this side sees it. */
struct rescue_tuple {
	struct rescue_address local, remote;
	__u16 local_port, remote_port;
};

enum rescue_kind {
	RESCUE_ORIGIN = 1, /* under the addresses the socket has */
	RESCUE_ALIAS = 2,  /* under those of a copy */
};

/* Which SYN/ACK was the first. Above 0: that of route - 1. */
#define RESCUE_UNDECIDED 0
#define RESCUE_FIRST	 255 /* the path the kernel had chosen */

#define RESCUE_FIN_OUT 1
#define RESCUE_FIN_IN  2

struct rescue_route {
	struct rescue_address address;
	__u32 ifindex;
	__u32 mtu_bytes;
	__u32 copies; /* SYNs sent this way */
};

struct rescue_flow {
	__u64 began_ns, used_ns;
	struct rescue_tuple origin; /* of an alias */
	__u32 kind;		    /* enum rescue_kind */
	__u32 winner;		    /* RESCUE_UNDECIDED, RESCUE_FIRST, or a route */
	__u32 sequence;		    /* of the SYN, host byte order */
	__u32 ifindex;		    /* the path the kernel had chosen */
	__u32 retransmits;	    /* of the SYN */
	__u32 nr_routes;
	__u32 route;   /* of an alias: its own */
	__u32 resets;  /* already sent to those that lost */
	__u32 closing; /* RESCUE_FIN_* */
	__u32 raced;
	__u32 decided_us; /* from the first copy to the SYN/ACK that was taken */
	__u16 alias_port;
	__u16 plain; /* the SYN/ACK that was taken had no MP_CAPABLE */
	struct rescue_route routes[RESCUE_ROUTES_MAX];
};

struct rescue_lost_key {
	struct rescue_address remote;
	__u32 ifindex;
};

struct rescue_lost {
	__u64 until_ns; /* data is taken out of SYNs; 0: not yet */
	__u64 last_ns;	/* time that was counted */
	__u32 times;	/* in a row */
	__u32 reserved;
};

enum rescue_count {
	RESCUE_ASKED,	   /* connections that another path was asked for */
	RESCUE_COPIES,	   /* SYNs sent on another path as well */
	RESCUE_RESCUED,	   /* connections whose first answer came by another path */
	RESCUE_KEPT,	   /* the first path answered first although there were copies */
	RESCUE_RESETS,	   /* RSTs sent to half-open losers */
	RESCUE_DROPPED,	   /* other packets of losers */
	RESCUE_REFUSED,	   /* a copy was answered with RST, which is not passed on */
	RESCUE_PLAIN_WAIT, /* a copy was answered without MP_CAPABLE before the timer */
	/* Not copied, because … */
	RESCUE_NOT_DATA,   /* the SYN carries data and the destination is not idempotent */
	RESCUE_NOT_BOUND,  /* the application bound the socket to a device */
	RESCUE_NOT_LINK,   /* the destination is on the path's own network */
	RESCUE_NOT_SIGNED, /* the SYN is signed (TCP MD5 or AO) */
	RESCUE_NOT_PATH,   /* no other path has an address of this family */
	RESCUE_NOT_PORT,   /* no port was free */
	/* Data in SYNs */
	RESCUE_DATA_TAKEN,    /* the SYN/ACK acknowledged it */
	RESCUE_DATA_LOST,     /* only the SYN sent again, without it, was answered */
	RESCUE_DATA_COOKIES,  /* cookies and requests for one, taken out of SYNs */
	RESCUE_DATA_HOLDS,    /* times that a destination was found not to be reached by it */
	RESCUE_DATA_HELD,     /* taken out because of that */
	RESCUE_DATA_UNLISTED, /* taken out because the policy lists others */
	RESCUE_FAILED,	      /* the kernel refused to change or copy a packet */
	RESCUE_COUNTS,
};

#endif
