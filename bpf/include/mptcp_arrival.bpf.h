/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which subflow would deliver a piece of data first: one look at all of them, for schedulers that
 * choose by arrival (mptcp_estimate.h) and not by RTT (mptcp_survey.bpf.h).
 */
#ifndef MPTCP_ARRIVAL_BPF_H
#define MPTCP_ARRIVAL_BPF_H

#include "mptcp_bpf.bpf.h"
#include "mptcp_estimate.h"
#include "mptcp_memory.bpf.h"
#include "mptcp_survey.bpf.h"

#define MPTCP_FRAGMENT_BYTES 32768u /* what the core may send for one decision */

/* What makes a subflow suspect, and how long an idle one may go without news. */
struct mptcp_arrival_rule {
	__u32 slack_us; /* how late an acknowledgement may be, beyond RTT and deviation */
	__u32 probe_interval_us;
};

/* Indices into view.path, or MPTCP_NONE. */
struct mptcp_arrival {
	struct mptcp_bpf_view view;
	struct mptcp_arrival_rule rule;
	__u64 now_us;
	__u64 guess[MPTCP_BPF_PATHS_MAX]; /* bytes a second, of mptcp_rate_guess */
	__u32 again;			  /* for get_retrans */
	__u32 piece;			  /* bytes a decision moves */
	__u32 message;			  /* the same when it is all that there is; else 0 */
	__u32 best;			  /* first to deliver the piece, room or not */
	__u32 ready;			  /* the same among those with room */
	__u32 idle;			  /* the same among those with nothing outstanding */
	__u32 last;			  /* the last to be done with what it holds */
	__u32 resort;			  /* the best that is suspect or backup */
	__u32 probe;			  /* idle for long, so nobody knows how it is */
	__u32 dead;			  /* in a retransmission timeout */
	__u32 best_us, ready_us, idle_us, last_us, resort_us;
	__u32 patience_us; /* the longest of those that hold data */
	__u32 primaries;   /* neither backup nor suspect */
	__u32 stuck;	   /* suspect, with data outstanding */
	__u32 ack_age_ms;  /* since the latest acknowledgement on any */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mptcp_arrival);
} mptcp_arrivals SEC(".maps");

static __always_inline void mptcp_arrival_begin(struct mptcp_arrival *a, bool again)
{
	__u64 bytes = again ? a->view.unacked_bytes : a->view.unsent_bytes;

	a->again = again;
	a->piece = bytes < MPTCP_FRAGMENT_BYTES ? bytes : MPTCP_FRAGMENT_BYTES;
	a->message = a->view.unsent_bytes + a->view.unacked_bytes <= MPTCP_FRAGMENT_BYTES ? a->piece
											  : 0;
	a->now_us = bpf_ktime_get_ns() / 1000;
	a->best = a->ready = a->idle = a->last = a->resort = a->probe = a->dead = MPTCP_NONE;
	a->best_us = a->ready_us = a->idle_us = a->resort_us = ~0u;
	a->ack_age_ms = ~0u;
	a->last_us = a->patience_us = a->primaries = a->stuck = 0;
}

static __always_inline void mptcp_least(__u32 us, __u32 i, __u32 *least_us, __u32 *least)
{
	if (us < *least_us) {
		*least_us = us;
		*least = i;
	}
}

/* Between paths that are alike, the one that was heard last is the one known to work. */
static __always_inline __u32 mptcp_silence_us(const struct mptcp_bpf_path *p)
{
	__u32 most = mptcp_path_rtt_us(p) / 8;

	return p->ack_age_ms < most / 64 ? p->ack_age_ms * 64 : most;
}

static __always_inline void mptcp_arrival_busy(struct mptcp_arrival *a,
					       const struct mptcp_bpf_path *p, __u32 i,
					       __u32 patience_us)
{
	__u32 left_us = mptcp_path_finish_us(p, 0, a->guess[i & (MPTCP_BPF_PATHS_MAX - 1)]);

	if (patience_us > a->patience_us)
		a->patience_us = patience_us;
	if (left_us > a->last_us) {
		a->last_us = left_us;
		a->last = i;
	}
}

/* Global, so that the verifier looks at each once and not once for every way to get there. */
__u32 mptcp_arrival_us(struct mptcp_arrival *a, struct mptcp_memory *m, __u32 i, bool suspect);
int mptcp_arrival_path(struct mptcp_arrival *a, struct mptcp_memory *m, __u32 i);

/* When the piece would have arrived by path i; what was guessed of its rate stays in a->guess. */
__noinline __u32 mptcp_arrival_us(struct mptcp_arrival *a, struct mptcp_memory *m, __u32 i,
				  bool suspect)
{
	const struct mptcp_bpf_path *p;
	__u32 us;

	if (!a || !m || i >= MPTCP_BPF_PATHS_MAX)
		return 0;
	p = &a->view.path[i];
	a->guess[i] = mptcp_rate_guess(m, p);
	us = a->message && !mptcp_path_holds(p) ? mptcp_path_message_us(p, a->piece, a->guess[i])
						: mptcp_path_finish_us(p, a->piece, a->guess[i]);
	return (a->message ? us : mptcp_path_faded_us(p, us)) +
	       mptcp_loss_us(m, p, a->message, suspect) + mptcp_silence_us(p);
}

__noinline int mptcp_arrival_path(struct mptcp_arrival *a, struct mptcp_memory *m, __u32 i)
{
	const struct mptcp_bpf_path *p;
	__u32 patience_us, us;
	bool busy, room, suspect;

	if (!a || !m || i >= MPTCP_BPF_PATHS_MAX)
		return 0;
	p = &a->view.path[i];
	patience_us = mptcp_path_patience_us(p, a->rule.slack_us);
	if (p->ack_age_ms < a->ack_age_ms)
		a->ack_age_ms = p->ack_age_ms;
	busy = p->flags & MPTCP_PATH_OUTSTANDING;
	room = mptcp_path_ready(p);
	suspect = mptcp_path_suspect(p, 1) || (a->view.nr_paths > 1 && p->stuck_us > patience_us);
	if (p->timeouts || (p->flags & MPTCP_PATH_BLOCKED))
		a->dead = i;
	if (suspect && mptcp_path_holds(p))
		a->stuck++;
	/* It takes no data and will not tell of a change. */
	if (!room && !mptcp_path_busy(p))
		return 0;
	us = mptcp_arrival_us(a, m, i, suspect);
	if (busy && !suspect)
		mptcp_arrival_busy(a, p, i, patience_us);
	if (suspect || (p->flags & MPTCP_PATH_BACKUP)) {
		if (room && !(a->again && busy))
			mptcp_least(us + (suspect ? 2 : 1) * MPTCP_NEVER_US, i, &a->resort_us,
				    &a->resort);
		return 0;
	}
	a->primaries++;
	mptcp_least(us, i, &a->best_us, &a->best);
	if (room)
		mptcp_least(us, i, &a->ready_us, &a->ready);
	if (!room || busy)
		return 0;
	mptcp_least(us, i, &a->idle_us, &a->idle);
	if (p->send_age_ms * 1000ull > a->rule.probe_interval_us &&
	    a->now_us - m->probed_us[p->id & (MPTCP_MEMORY_IDS - 1)] > a->rule.probe_interval_us)
		a->probe = i;
	return 0;
}

/* Of the view that is there, for new data or for what is to be sent again. */
static __always_inline void mptcp_arrival_survey(struct mptcp_arrival *a, struct mptcp_memory *m,
						 bool again)
{
	int i;

	mptcp_arrival_begin(a, again);
	bpf_for(i, 0, MPTCP_BPF_PATHS_MAX) {
		if (i < 0 || i >= MPTCP_BPF_PATHS_MAX || i >= a->view.nr_paths)
			break;
		mptcp_arrival_path(a, m, i);
	}
}

static __always_inline const struct mptcp_bpf_path *mptcp_arrival_at(const struct mptcp_arrival *a,
								     __u32 i)
{
	return &a->view.path[i & (MPTCP_BPF_PATHS_MAX - 1)];
}

#endif
