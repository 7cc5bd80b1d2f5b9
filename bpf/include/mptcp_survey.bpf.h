/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What most schedulers do before their own rule: look at the subflows once and remember, for each
 * purpose, the best (mptcp_path_cost: no backup if possible, then the lowest RTT). All of it lives
 * in per-CPU memory, because the verifier gives up on a loop that carries it in registers.
 */
#ifndef MPTCP_SURVEY_BPF_H
#define MPTCP_SURVEY_BPF_H

#include "mptcp_bpf.bpf.h"
#include "mptcp_arith.h"

#define MPTCP_NONE (~0u) /* no such subflow */

enum mptcp_fit {
	MPTCP_FIT_FASTEST, /* sound, whether it has room or not */
	MPTCP_FIT_READY,   /* sound, with room */
	MPTCP_FIT_IDLE,	   /* the same, and nothing outstanding */
	MPTCP_FIT_SUSPECT, /* with room, but not to be relied on */
	MPTCP_FIT_SUSPECT_IDLE,
	MPTCP_FITS,
};

/* What makes a subflow suspect. */
struct mptcp_doubt {
	__u32 timeouts; /* retransmission timeouts in a row; 0: only the kernel's staleness */
	__u32 slack_us; /* see mptcp_path_stuck(); 0: however long it takes */
};

struct mptcp_scratch {
	struct mptcp_bpf_view view;
	__u64 cost[MPTCP_FITS];
	__u32 best[MPTCP_FITS]; /* index into view.path, or MPTCP_NONE */
	__u32 timer_us;		/* the longest RTO of a sound subflow */
	__u32 primaries;	/* sound subflows that are no backups */
	__u32 stuck;		/* suspect subflows with data outstanding */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mptcp_scratch);
} mptcp_scratch SEC(".maps");

/* for each path `p` (of index `i`, an int) of view `v`; the checks are the verifier's. */
#define mptcp_for_each_path(p, i, v)                                                 \
	bpf_for(i, 0, MPTCP_BPF_PATHS_MAX)                                           \
		if ((i) < 0 || (i) >= MPTCP_BPF_PATHS_MAX || (i) >= (v)->nr_paths || \
		    !((p) = &(v)->path[i]))                                          \
			break;                                                       \
		else

/* The view, in scratch memory; NULL: there is nothing to choose from. */
static __always_inline struct mptcp_scratch *mptcp_look(struct mptcp_sock *msk)
{
	struct mptcp_scratch *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&mptcp_scratch, &zero);
	return s && mptcp_view(msk, &s->view) > 0 ? s : NULL;
}

static __always_inline bool mptcp_doubtful(const struct mptcp_bpf_path *p, struct mptcp_doubt d)
{
	return mptcp_path_suspect(p, d.timeouts) || mptcp_path_stuck(p, d.slack_us);
}

static __always_inline void mptcp_consider(struct mptcp_scratch *s, enum mptcp_fit fit, __u32 i,
					   __u64 cost)
{
	if (cost >= s->cost[fit])
		return;
	s->cost[fit] = cost;
	s->best[fit] = i;
}

static __always_inline void
mptcp_consider_all(struct mptcp_scratch *s, const struct mptcp_bpf_path *p, __u32 i, bool suspect)
{
	bool idle = !mptcp_path_holds(p);
	__u64 cost = mptcp_path_cost(p);

	if (!suspect)
		mptcp_consider(s, MPTCP_FIT_FASTEST, i, cost);
	if (!mptcp_path_ready(p))
		return;
	mptcp_consider(s, suspect ? MPTCP_FIT_SUSPECT : MPTCP_FIT_READY, i, cost);
	if (idle)
		mptcp_consider(s, suspect ? MPTCP_FIT_SUSPECT_IDLE : MPTCP_FIT_IDLE, i, cost);
}

static __always_inline void mptcp_survey_begin(struct mptcp_scratch *s)
{
	__builtin_memset(s->cost, 0xff, sizeof(s->cost));
	__builtin_memset(s->best, 0xff, sizeof(s->best));
	s->timer_us = s->primaries = s->stuck = 0;
}

/* A path that neither takes data nor will tell of a change does not count. */
static __always_inline void mptcp_survey(struct mptcp_scratch *s, struct mptcp_doubt doubt)
{
	const struct mptcp_bpf_path *p;
	int i;

	mptcp_survey_begin(s);
	mptcp_for_each_path(p, i, &s->view)
	{
		bool suspect = mptcp_doubtful(p, doubt);
		__u32 timer = mptcp_path_timer_us(p);

		if (suspect && mptcp_path_holds(p))
			s->stuck++;
		if (!mptcp_path_ready(p) && !mptcp_path_busy(p))
			continue;
		if (!suspect && !(p->flags & MPTCP_PATH_BACKUP))
			s->primaries++;
		if (!suspect && timer > s->timer_us)
			s->timer_us = timer;
		mptcp_consider_all(s, p, i, suspect);
	}
}

/*
 * For new data: the best that is sound and has room, but no backup while a primary is merely full;
 * when nothing is sound, a suspect one. MPTCP_NONE: wait.
 */
static __always_inline __u32 mptcp_best_to_send(const struct mptcp_scratch *s)
{
	if (s->best[MPTCP_FIT_FASTEST] == MPTCP_NONE)
		return s->best[MPTCP_FIT_SUSPECT];
	if (s->primaries && s->cost[MPTCP_FIT_READY] >> 32)
		return MPTCP_NONE;
	return s->best[MPTCP_FIT_READY];
}

/*
 * For data that is not acknowledged: the best that cannot have it already, because nothing is
 * outstanding on it. While a suspect subflow holds data, one that is busy but sound will do as
 * well; else TCP's own retransmission is left to work.
 */
static __always_inline __u32 mptcp_best_to_repeat(const struct mptcp_scratch *s)
{
	if (s->best[MPTCP_FIT_IDLE] != MPTCP_NONE)
		return s->best[MPTCP_FIT_IDLE];
	if (s->stuck && s->best[MPTCP_FIT_READY] != MPTCP_NONE)
		return s->best[MPTCP_FIT_READY];
	return s->primaries ? MPTCP_NONE : s->best[MPTCP_FIT_SUSPECT_IDLE];
}

/* The path of an index that may be MPTCP_NONE; NULL then. Without the barrier the compiler computes
 * the address before the check, which the verifier does not accept. */
static __always_inline const struct mptcp_bpf_path *mptcp_path_at(const struct mptcp_scratch *s,
								  __u32 i)
{
	if (i >= MPTCP_BPF_PATHS_MAX)
		return NULL;
	barrier_var(i);
	return &s->view.path[i];
}

/* Why new data goes to path `i`. */
static __always_inline __u32 mptcp_reason_to_send(const struct mptcp_scratch *s, __u32 i,
						  const struct mptcp_bpf_path *p)
{
	if (p->flags & MPTCP_PATH_BACKUP)
		return MPTCP_REASON_BACKUP;
	return i == s->best[MPTCP_FIT_FASTEST] ? MPTCP_REASON_FASTEST : MPTCP_REASON_SPILLED;
}

/* Burst bounded by the path's room; timer 0: no sound subflow, so that of this one. */
static __always_inline int mptcp_commit(struct mptcp_sock *msk, const struct mptcp_bpf_path *p,
					__u32 burst_bytes, __u32 timer_us, __u32 reason)
{
	__u32 room = mptcp_path_burst_bytes(p);

	if (!timer_us)
		timer_us = mptcp_path_timer_us(p);
	bpf_mptcp_reason(msk, reason);
	return bpf_mptcp_schedule(msk, p->id, burst_bytes < room ? burst_bytes : room, timer_us);
}

static __always_inline int mptcp_wait(struct mptcp_sock *msk, __u32 timer_us)
{
	bpf_mptcp_reason(msk, MPTCP_REASON_WAITED);
	bpf_mptcp_set_timer(msk, timer_us);
	return -EAGAIN;
}

#endif
