/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a scheduler remembers of a connection and its subflows between decisions, and the loss of a
 * subflow that follows from it. By token, least recently used connections are forgotten.
 */
#ifndef MPTCP_MEMORY_BPF_H
#define MPTCP_MEMORY_BPF_H

#include "mptcp_bpf.bpf.h"
#include "mptcp_arith.h"

#define MPTCP_MEMORY_IDS    16	 /* subflow ids share a place beyond */
#define MPTCP_LOSS_SEGMENTS 16	 /* sent before their loss is judged */
#define MPTCP_LOSS_FADE_MS  4000 /* half as much after so long without data */

struct mptcp_memory {
	__u64 probed_us[MPTCP_MEMORY_IDS]; /* when a copy last went out to learn how it is */
	__u32 segments[MPTCP_MEMORY_IDS];  /* where the loss was last counted from ... */
	__u32 retransmits[MPTCP_MEMORY_IDS];
	__u32 loss_permille[MPTCP_MEMORY_IDS]; /* ... and what it was up to then, averaged */
	__u32 least_rtt_us[MPTCP_MEMORY_IDS];  /* of a segment with data */
	__u32 probe;   /* 1 + id of the subflow that the next get_retrans probes; 0: none */
	__u32 waiting; /* the last decision was to wait */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32); /* token */
	__type(value, struct mptcp_memory);
} mptcp_memories SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mptcp_memory);
} mptcp_no_memory SEC(".maps"); /* all zero */

static __always_inline struct mptcp_memory *mptcp_memory_of(__u32 token)
{
	struct mptcp_memory *m = bpf_map_lookup_elem(&mptcp_memories, &token);
	__u32 zero = 0;

	if (m)
		return m;
	m = bpf_map_lookup_elem(&mptcp_no_memory, &zero);
	if (!m)
		return NULL;
	bpf_map_update_elem(&mptcp_memories, &token, m, BPF_NOEXIST);
	return bpf_map_lookup_elem(&mptcp_memories, &token);
}

/*
 * What losing a segment costs, times how likely that is, as it was lately; it fades while nothing
 * is sent, so that the path is tried again. `message`: bytes that nothing follows, which have to
 * wait for whichever of their segments is lost; 0: a stream, where the loss of a full queue is part
 * of the game, so at most a quarter of the RTT, to choose between paths that are alike. What a
 * suspect subflow sends again is no loss of its path.
 */
static __always_inline __u32 mptcp_loss_us(struct mptcp_memory *m, const struct mptcp_bpf_path *p,
					   __u32 message, bool suspect)
{
	__u32 id = p->id & (MPTCP_MEMORY_IDS - 1), segments = p->segments - m->segments[id];
	__u32 again = p->retransmits - m->retransmits[id], permille, us, most;
	__u32 age = p->send_age_ms / MPTCP_LOSS_FADE_MS;

	if (!suspect && segments >= MPTCP_LOSS_SEGMENTS)
		m->loss_permille[id] =
			(3 * m->loss_permille[id] + (__u32)(1000ull * again / segments)) / 4;
	if (suspect || segments >= MPTCP_LOSS_SEGMENTS) {
		m->segments[id] = p->segments;
		m->retransmits[id] = p->retransmits;
	}
	permille = m->loss_permille[id] * (message / mptcp_path_mss(p) + 1) >>
		   (age < 31 ? age : 31);
	us = (permille < 1000 ? permille : 1000) * (mptcp_path_timer_us(p) / 1000);
	most = message ? us : mptcp_path_rtt_us(p) / 4;
	return us < most ? us : most;
}

/*
 * The rate of a path that was never busy, in bytes a second; 0: no idea. A segment with data takes
 * longer than the handshake did by the time that it is on the wire. All else that delays an
 * acknowledgement makes the guess lower, so the fastest counts.
 */
static __always_inline __u64 mptcp_rate_guess(struct mptcp_memory *m,
					      const struct mptcp_bpf_path *p)
{
	__u32 *least = &m->least_rtt_us[p->id & (MPTCP_MEMORY_IDS - 1)];

	if (p->last_rtt_us && p->segments && (!*least || p->last_rtt_us < *least))
		*least = p->last_rtt_us;
	if (!p->min_rtt_us || *least <= p->min_rtt_us)
		return 0;
	return (__u64)mptcp_path_mss(p) * 1000000 / (*least - p->min_rtt_us);
}

#endif
