/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet scheduler sees of an MPTCP connection: plain numbers, no kernel structures.
 *
 * Shared by the module (which fills it), the BPF programs (which read it) and native unit tests.
 * Fields are only ever appended to `struct mptcp_bpf_path` and to the head of
 * `struct mptcp_bpf_view`; the module learns from `path_size` and from the size of the whole which
 * of them the program knows, so an old scheduler runs on a new module and the reverse (fields the
 * module does not know read as 0). Sources: struct tcp_sock, net/mptcp/protocol.h.
 */
#ifndef MPTCP_BPF_VIEW_H
#define MPTCP_BPF_VIEW_H

#define MPTCP_BPF_PATHS_MAX 16

/* mptcp_bpf_path.flags */
enum mptcp_bpf_path_flags {
	MPTCP_PATH_ROOM = 1 << 0, /* cwnd and send memory have room for one more segment */
	MPTCP_PATH_BACKUP_REQUESTED = 1 << 1, /* we asked the peer to treat it as backup */
	MPTCP_PATH_BACKUP_RECEIVED = 1 << 2,  /* the peer asked us (RFC 8684 3.3.8) */
	MPTCP_PATH_STALE = 1 << 3,	      /* the kernel saw no progress (stale_loss_cnt) */
	MPTCP_PATH_OUTSTANDING = 1 << 4,      /* has unacknowledged segments */
	MPTCP_PATH_MEMORY = 1 << 5,	      /* send memory has room, whatever the cwnd */
	MPTCP_PATH_LOSS = 1 << 6,	      /* in loss recovery or after a timeout */
	/* To be treated as backup: one of the two bits above, or what bpf_mptcp_set_backup() made
	 * of them. The one to read. */
	MPTCP_PATH_BACKUP = 1 << 7,
	MPTCP_PATH_SLOW_START = 1 << 8, /* cwnd doubles each RTT */
	MPTCP_PATH_BLOCKED = 1 << 9, /* holds data that could not leave (interface down, no route,
				      * window closed) and nothing else: TCP tries again later */
};

/* One usable subflow: established, not closing. */
struct mptcp_bpf_path {
	__u32 id;	    /* subflow id, unique within the connection, for bpf_mptcp_schedule() */
	__u32 flags;	    /* enum mptcp_bpf_path_flags */
	__u32 srtt_us;	    /* smoothed RTT; 0: not measured yet */
	__u32 rttvar_us;    /* mean deviation of the RTT */
	__u32 min_rtt_us;   /* lowest RTT of the last minutes */
	__u32 rto_us;	    /* retransmission timeout with back-off */
	__u32 cwnd;	    /* segments */
	__u32 in_flight;    /* segments */
	__u32 queued_bytes; /* handed to the subflow, not sent yet */
	__u32 mss;	    /* bytes of payload in a segment */
	__u32 ack_age_ms;   /* since anything was received on it */
	__u32 send_age_ms;  /* since data was sent on it */
	__u64 pacing_bytes_per_s;
	__u32 local_id; /* address ids (RFC 8684 3.2); 0: the initial address */
	__u32 remote_id;
	__u32 retransmits; /* segments retransmitted in total */
	__u32 timeouts;	   /* retransmission timeouts in a row */
	__u32 stuck_us;	   /* data outstanding and none delivered for this long; 0: it moves */
	__u32 segments;	   /* data segments sent in total, retransmissions included */
	__u32 lost;	   /* segments TCP holds for lost at the moment */
	__u32 last_rtt_us; /* the latest sample; 0: none yet */
	__u64 delivery_bytes_per_s; /* measured with data always waiting; 0: not known */
};

struct mptcp_bpf_view {
	__u32 path_size;     /* in: sizeof(struct mptcp_bpf_path) */
	__u32 nr_paths;	     /* out: entries filled */
	__u64 unsent_bytes;  /* written by the application, not scheduled yet */
	__u64 unacked_bytes; /* sent, not acknowledged at the MPTCP level */
	__u64 window_bytes;  /* what the peer's window still takes */
	__u32 age_ms;	     /* since the socket was created */
	__u32 token;
	__u64 next_seq;		/* MPTCP sequence number of the first byte not sent yet */
	__u64 sent_bytes;	/* new data sent in all */
	__u64 reinjected_bytes; /* data sent again, on whatever subflow, in all */
	__u32 stuck_us; /* data unacknowledged and no MPTCP-level ack for this long; 0: it moves */
	__u32 reserved;
	struct mptcp_bpf_path path[MPTCP_BPF_PATHS_MAX];
};

/* Why a decision was what it was; one counter each in /proc/mptcp_bpf. */
enum mptcp_bpf_reason {
	MPTCP_REASON_NONE,	 /* the scheduler does not say */
	MPTCP_REASON_FASTEST,	 /* new data on the subflow the rule likes best */
	MPTCP_REASON_SPILLED,	 /* new data on another one, because the best has no room */
	MPTCP_REASON_BACKUP,	 /* new data on a backup subflow, nothing else being usable */
	MPTCP_REASON_WAITED,	 /* nothing scheduled: waiting for a better subflow pays */
	MPTCP_REASON_REDUNDANT,	 /* a copy, to have it arrive once in time */
	MPTCP_REASON_REINJECTED, /* data again, because the subflow it is on does not deliver */
	MPTCP_REASON_PROBE,	 /* to learn how a subflow is */
	MPTCP_REASON_NR,
};

/* path_event */
enum mptcp_bpf_path_event {
	MPTCP_PATH_EVENT_UP,	  /* usable now */
	MPTCP_PATH_EVENT_DOWN,	  /* closed or closing */
	MPTCP_PATH_EVENT_STALE,	  /* the kernel found it stale */
	MPTCP_PATH_EVENT_RECOVER, /* not stale any more */
	MPTCP_PATH_EVENT_BACKUP,  /* requested or received backup bit changed */
};

/* bpf_mptcp_set_backup() */
enum mptcp_bpf_backup {
	MPTCP_BACKUP_BITS,  /* what the two bits say (default) */
	MPTCP_BACKUP_NEVER, /* not a backup whatever they say */
	MPTCP_BACKUP_ALWAYS,
};

#define MPTCP_BPF_CGROUP_LEVELS 8

/* What a selector sees of a connection, once, before its first data is sent. */
struct mptcp_bpf_facts {
	__u64 netns_cookie;
	__u64 cgroup[MPTCP_BPF_CGROUP_LEVELS]; /* cgroup v2 ids of the socket's group and those
						* above it, the root first; 0: deeper than it is */
	__u8 local_addr[16];		       /* IPv4 as ::ffff:a.b.c.d */
	__u8 remote_addr[16];
	__u16 local_port; /* host byte order */
	__u16 remote_port;
	__u32 uid;
	__u32 token;
	__u8 server; /* accepted here */
	__u8 reserved[3];
};

#endif
