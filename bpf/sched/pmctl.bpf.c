// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmctl: never worse than the best single path, and the sum of the paths where they are alike.
 *
 * Rule. Each piece of data goes where it would arrive first, counting what the subflow holds
 * already, its window, its rate and what it loses (earliest arrival: STTF, OTIAS). When that
 * subflow has no room, another one is used only if it would deliver this piece before the first
 * could deliver all that is left (the ECF test, CoNEXT '17, with the size of the piece and slow
 * start taken into account); otherwise waiting is faster. A subflow that has delivered nothing for
 * longer than its RTT and four deviations, or is in a retransmission timeout, is suspect: what it
 * holds is sent again on another one, TCP is kept trying it, and it is used again once it delivers.
 * The end of a transfer that lies on a slow subflow is sent again on a faster one that has nothing
 * to do, within a byte cap. An idle subflow that may be better is probed with a copy of a small
 * message. Backup subflows carry data only when every other one is suspect.
 *
 * Good for: everything we measured. Lacks: it cannot know the rate of a path that was never busy,
 * so the first window of a connection may be misplaced.
 */
#include "mptcp_bpf.bpf.h"
#include "mptcp_estimate.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Bytes sent again for speed, in thousandths of all bytes, beyond an allowance for each connection;
 * what a suspect subflow holds is not counted. */
const volatile __u32 duplicate_permille = 10;
const volatile __u32 duplicate_free_bytes = 65536;
/* How long an acknowledgement may be late before a subflow is suspect: delayed acks, jitter. */
const volatile __u32 slack_us = 10000;
/* How often an idle subflow is probed; 0: never. */
const volatile __u32 probe_interval_us = 500000;
/* The longest TCP waits between two tries on a dead path. */
const volatile __u32 probe_rto_us = 500000;

#define FRAGMENT_BYTES 32768u /* what the core may send for one decision */
#define TICK_US	       4000u
#define LOSS_SEGMENTS  16 /* sent before their loss is judged */
#define IDS	       16
#define NONE	       (~0u)

struct conn_state {
	__u64 probed_us[IDS]; /* by subflow id */
	__u32 segments[IDS];  /* where the loss was last counted from ... */
	__u32 retransmits[IDS];
	__u32 loss_permille[IDS]; /* ... and what it was up to then, averaged */
	__u32 probe; /* 1 + index of the subflow to be probed by the next get_retrans */
	__u32 waiting;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32); /* token */
	__type(value, struct conn_state);
} connections SEC(".maps");

struct scratch {
	struct mptcp_bpf_view view;
	struct conn_state fresh;
	__u64 now_us;
	__u32 piece;  /* bytes a decision moves */
	__u32 best;   /* first to deliver the piece, room or not */
	__u32 ready;  /* the same among those with room */
	__u32 idle;   /* the same among those with nothing outstanding */
	__u32 last;   /* of what is outstanding, the last to be delivered: by whom */
	__u32 resort; /* the best that is suspect or backup */
	__u32 probe;  /* idle for long, so nobody knows how it is */
	__u32 dead;   /* in a retransmission timeout */
	__u32 best_us, ready_us, idle_us, last_us, resort_us;
	__u32 patience_us; /* the longest of those that hold data */
	__u32 primaries;   /* neither backup nor suspect */
	__u32 stuck;	   /* suspect, with data outstanding */
	__u32 again;	   /* this is get_retrans */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline void clear(struct scratch *s, __u64 bytes)
{
	s->piece = bytes < FRAGMENT_BYTES ? bytes : FRAGMENT_BYTES;
	s->now_us = bpf_ktime_get_ns() / 1000;
	s->best = s->ready = s->idle = s->last = s->resort = s->probe = s->dead = NONE;
	s->best_us = s->ready_us = s->idle_us = s->resort_us = ~0u;
	s->last_us = s->patience_us = s->primaries = s->stuck = 0;
}

static __always_inline void least(__u32 us, __u32 i, __u32 *best_us, __u32 *best)
{
	if (us < *best_us) {
		*best_us = us;
		*best = i;
	}
}

/* What losing a segment costs, times how often it happens lately. */
static __always_inline __u32 loss_us(struct conn_state *c, const struct mptcp_bpf_path *p,
				     bool suspect)
{
	__u32 id = p->id & (IDS - 1), segments = p->segments - c->segments[id];
	__u32 again = p->retransmits - c->retransmits[id], us, most;

	if (suspect || segments >= LOSS_SEGMENTS) {
		if (!suspect)
			c->loss_permille[id] =
				(3 * c->loss_permille[id] + 1000 * again / segments) / 4;
		c->segments[id] = p->segments;
		c->retransmits[id] = p->retransmits;
	}
	/* Enough to choose between paths that are alike; windows tell the rest. */
	us = c->loss_permille[id] * (mptcp_path_timer_us(p) / 1000);
	most = mptcp_path_rtt_us(p) / 4;
	return us < most ? us : most;
}

/* Between paths that are alike, the one that was heard last is the one known to work. */
static __always_inline __u32 silence_us(const struct mptcp_bpf_path *p)
{
	__u32 most = mptcp_path_rtt_us(p) / 8;

	return p->ack_age_ms < most / 64 ? p->ack_age_ms * 64 : most;
}

static __always_inline void survey_outstanding(struct scratch *s, const struct mptcp_bpf_path *p,
					       __u32 i, bool suspect, __u32 patience_us)
{
	__u32 left_us;

	if (suspect) {
		s->stuck++;
		return;
	}
	if (patience_us > s->patience_us)
		s->patience_us = patience_us;
	left_us = mptcp_path_finish_us(p, 0);
	if (left_us > s->last_us) {
		s->last_us = left_us;
		s->last = i;
	}
}

/* Global, so that the verifier looks at it once and not once for every way to get here. */
int pmctl_survey_path(struct scratch *s, struct conn_state *c, __u32 i);

__noinline int pmctl_survey_path(struct scratch *s, struct conn_state *c, __u32 i)
{
	const struct mptcp_bpf_path *p;
	__u32 patience_us, us;
	bool busy, room, suspect;

	if (!s || !c || i >= MPTCP_BPF_PATHS_MAX)
		return 0;
	p = &s->view.path[i];
	patience_us = mptcp_path_patience_us(p, slack_us);
	busy = p->flags & MPTCP_PATH_OUTSTANDING;
	room = p->flags & MPTCP_PATH_ROOM;
	suspect = mptcp_path_suspect(p, 1) || (s->view.nr_paths > 1 && p->stuck_us > patience_us);
	if (p->timeouts)
		s->dead = i;
	us = mptcp_path_finish_us(p, s->piece) + loss_us(c, p, suspect) + silence_us(p);
	if (busy)
		survey_outstanding(s, p, i, suspect, patience_us);
	if (suspect || (p->flags & MPTCP_PATH_BACKUP)) {
		if (room && !(s->again && busy))
			least(us + (suspect ? 2 : 1) * MPTCP_NEVER_US, i, &s->resort_us,
			      &s->resort);
		return 0;
	}
	s->primaries++;
	least(us, i, &s->best_us, &s->best);
	if (room)
		least(us, i, &s->ready_us, &s->ready);
	if (room && !busy) {
		least(us, i, &s->idle_us, &s->idle);
		if (p->send_age_ms * 1000ull > probe_interval_us &&
		    s->now_us - c->probed_us[p->id & (IDS - 1)] > probe_interval_us)
			s->probe = i;
	}
	return 0;
}

static __always_inline void survey(struct mptcp_sock *msk, struct scratch *s, struct conn_state *c,
				   __u64 bytes, bool again)
{
	int i;

	clear(s, bytes);
	s->again = again;
	bpf_for(i, 0, MPTCP_BPF_PATHS_MAX) {
		if (i < 0 || i >= MPTCP_BPF_PATHS_MAX || i >= s->view.nr_paths)
			break;
		pmctl_survey_path(s, c, i);
	}
	if (s->dead < MPTCP_BPF_PATHS_MAX)
		bpf_mptcp_probe(msk, s->view.path[s->dead].id, probe_rto_us);
}

static __always_inline bool copies_allowed(const struct scratch *s)
{
	const struct mptcp_bpf_view *v = &s->view;

	return v->reinjected_bytes + s->piece <=
	       v->sent_bytes / 1000 * duplicate_permille + duplicate_free_bytes;
}

/* When get_retrans shall look: late enough for an ack, unless the end lies on a slow subflow. */
static __always_inline __u32 timer_us(const struct scratch *s, const struct mptcp_bpf_path *p)
{
	__u32 us = s->patience_us, patience_us = mptcp_path_patience_us(p, slack_us);

	if (patience_us > us)
		us = patience_us;
	if (s->view.unsent_bytes <= s->piece && s->view.nr_paths > 1 && s->last_us > 2 * s->best_us)
		us = s->best_us / 4 > TICK_US ? s->best_us / 4 : TICK_US;
	return us;
}

static __always_inline int commit(struct mptcp_sock *msk, struct scratch *s, __u32 i, __u32 us,
				  enum mptcp_bpf_reason reason)
{
	const struct mptcp_bpf_path *p;

	if (i >= MPTCP_BPF_PATHS_MAX)
		return -EAGAIN;
	p = &s->view.path[i];
	bpf_mptcp_reason(msk, reason);
	/* A burst of one byte ends with the fragment; within a longer one the kernel would set the
	 * timer to what TCP has. */
	return bpf_mptcp_schedule(msk, p->id, 1, us ? us : timer_us(s, p));
}

int pmctl_waiting_pays(const struct scratch *s, const struct conn_state *c);

/* Would the best subflow, once it has room, be done with all before the ready one is with this? */
__noinline int pmctl_waiting_pays(const struct scratch *s, const struct conn_state *c)
{
	__u64 all_us, ready_us;

	if (!s || !c || s->best >= MPTCP_BPF_PATHS_MAX)
		return 0;
	ready_us = s->ready_us;
	all_us = mptcp_path_finish_us(&s->view.path[s->best], s->view.unsent_bytes);
	return all_us < ready_us + (c->waiting ? ready_us / 4 : 0);
}

/* A small message on its own: a copy of it may go out on an idle subflow that could be better. */
static __always_inline bool probe_pays(const struct scratch *s)
{
	const struct mptcp_bpf_path *p, *q;

	if (s->probe >= MPTCP_BPF_PATHS_MAX || s->best >= MPTCP_BPF_PATHS_MAX || !probe_interval_us)
		return false;
	p = &s->view.path[s->probe];
	q = &s->view.path[s->best];
	return s->view.unsent_bytes + s->view.unacked_bytes <= 2 * mptcp_path_mss(q) &&
	       p->min_rtt_us < mptcp_path_rtt_us(q) / 5 * 4 && copies_allowed(s);
}

static __always_inline int send(struct mptcp_sock *msk, struct scratch *s, struct conn_state *c)
{
	survey(msk, s, c, s->view.unsent_bytes, false);
	if (!s->primaries)
		return commit(msk, s, s->resort, 0, MPTCP_REASON_BACKUP);
	if (s->ready == NONE)
		return -EAGAIN;
	if (s->ready == s->best) {
		c->waiting = 0;
		if (probe_pays(s)) {
			__u32 id = s->view.path[s->probe & (MPTCP_BPF_PATHS_MAX - 1)].id;

			c->probed_us[id & (IDS - 1)] = s->now_us;
			c->probe = id + 1;
			return commit(msk, s, s->best, 1, MPTCP_REASON_FASTEST);
		}
		return commit(msk, s, s->best, 0, MPTCP_REASON_FASTEST);
	}
	if (pmctl_waiting_pays(s, c)) {
		c->waiting = 1;
		bpf_mptcp_reason(msk, MPTCP_REASON_WAITED);
		bpf_mptcp_set_timer(msk, s->patience_us);
		return -EAGAIN;
	}
	c->waiting = 0;
	return commit(msk, s, s->ready, 0, MPTCP_REASON_SPILLED);
}

static __always_inline int again(struct mptcp_sock *msk, struct scratch *s, struct conn_state *c)
{
	__u32 probe = c->probe, i;

	survey(msk, s, c, s->view.unacked_bytes, true);
	c->probe = 0;
	i = s->idle & (MPTCP_BPF_PATHS_MAX - 1);
	if (probe && s->idle != NONE && s->view.path[i].id + 1 == probe)
		return commit(msk, s, s->idle, 0, MPTCP_REASON_PROBE);
	/* What a suspect subflow holds may have arrived by another long ago. */
	if (s->stuck && s->view.stuck_us > s->patience_us) {
		if (s->idle != NONE)
			return commit(msk, s, s->idle, 0, MPTCP_REASON_REINJECTED);
		if (s->ready != NONE)
			return commit(msk, s, s->ready, 0, MPTCP_REASON_REINJECTED);
		if (s->resort != NONE)
			return commit(msk, s, s->resort, 0, MPTCP_REASON_REINJECTED);
	} else if (s->idle != NONE && s->last != NONE && copies_allowed(s) &&
		   (s->last_us > s->idle_us + s->idle_us / 4 ||
		    s->view.stuck_us > s->patience_us)) {
		return commit(msk, s, s->idle, 0, MPTCP_REASON_REDUNDANT);
	}
	i = s->best & (MPTCP_BPF_PATHS_MAX - 1);
	if (s->best != NONE)
		bpf_mptcp_set_timer(msk, timer_us(s, &s->view.path[i]));
	return -EAGAIN;
}

static __always_inline struct conn_state *state_of(struct scratch *s)
{
	struct conn_state *c = bpf_map_lookup_elem(&connections, &s->view.token);

	if (c)
		return c;
	__builtin_memset(&s->fresh, 0, sizeof(s->fresh));
	bpf_map_update_elem(&connections, &s->view.token, &s->fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&connections, &s->view.token);
}

static __always_inline int run(struct mptcp_sock *msk, bool retrans)
{
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	struct conn_state *c;

	if (!s || mptcp_view(msk, &s->view) <= 0)
		return -EAGAIN;
	c = state_of(s);
	if (!c)
		return -EAGAIN;
	return retrans ? again(msk, s, c) : send(msk, s, c);
}

SEC("struct_ops")
int BPF_PROG(pmctl_get_send, struct mptcp_sock *msk)
{
	return run(msk, false);
}

SEC("struct_ops")
int BPF_PROG(pmctl_get_retrans, struct mptcp_sock *msk)
{
	return run(msk, true);
}

MPTCP_SCHEDULER(pmctl, .get_send = (void *)pmctl_get_send, .get_retrans = (void *)pmctl_get_retrans,
		.name = "pmctl");
