/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet scheduler sees of an MPTCP connection: plain numbers, no kernel structures.
 *
 * Shared by the module (which fills it), the BPF schedulers (which read it) and native unit tests.
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
};

#define MPTCP_PATH_BACKUP (MPTCP_PATH_BACKUP_REQUESTED | MPTCP_PATH_BACKUP_RECEIVED)

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
};

struct mptcp_bpf_view {
	__u32 path_size;     /* in: sizeof(struct mptcp_bpf_path) */
	__u32 nr_paths;	     /* out: entries filled */
	__u64 unsent_bytes;  /* written by the application, not scheduled yet */
	__u64 unacked_bytes; /* sent, not acknowledged at the MPTCP level */
	__u64 window_bytes;  /* what the peer's window still takes */
	__u32 age_ms;	     /* since the socket was created */
	__u32 token;
	__u64 next_seq; /* MPTCP sequence number of the first byte not sent yet */
	struct mptcp_bpf_path path[MPTCP_BPF_PATHS_MAX];
};

#endif
