// SPDX-License-Identifier: GPL-2.0-only
/*
 * backup: active and standby. One path carries everything, the others wait for it to fail.
 *
 * Rule. Home is the primary that was best (lowest srtt) when the connection had its first one, and
 * again when home is gone or has become a backup; it is used alone, and waited for when it is full.
 * It fails when it holds data and has delivered none for longer than an ack takes (srtt + 4 rttvar,
 * RFC 6298, with some slack for delayed acks), in a retransmission timeout, or when the kernel
 * finds it stale. Then data goes to the best other primary, then to the best backup, and what home
 * holds is sent again there after as long. Its retransmission back-off is kept short meanwhile
 * (bpf_mptcp_probe), so that it delivers again soon after it can, and then it has everything again
 * at once. Were all to fail, the best of them is used that takes data.
 *
 * Good for: a path to be kept free (metered, battery) with an answer to failure in one or two round
 * trips instead of several timeouts. Lacks: it never adds up the capacity of paths.
 */
#include "mptcp_state.bpf.h"
#include "mptcp_survey.bpf.h"
#include "mptcp_trust.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* How much longer than its RTT home may deliver nothing, in us; 0: until a timeout. */
const volatile __u32 slack_us = MPTCP_SLACK_US;
/* Retransmission timeouts in a row that make a subflow fail; 0: only the kernel's staleness. */
const volatile __u32 timeouts = 1;
/* How often a path that failed is tried, in us; at least 200000. */
const volatile __u32 probe_us = 400000;

struct connection {
	__u32 home; /* id of a subflow */
	__u32 has_home;
};

MPTCP_STATE(struct connection);

/* A burst is less than a data fragment: a longer one would have the kernel set its own timer. */
#define BURST_BYTES 16384u

struct candidates {
	__u32 home;  /* index of it, if it is usable */
	__u32 sound; /* home can be relied on */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct candidates);
} candidates SEC(".maps");

#define DOUBT ((struct mptcp_doubt){ timeouts, slack_us })

/* Looks for home among the paths, and after what failed. */
static __always_inline void find_home(struct mptcp_sock *msk, struct mptcp_scratch *s,
				      const struct connection *c, struct candidates *found)
{
	const struct mptcp_bpf_path *p;
	int i;

	found->home = MPTCP_NONE;
	found->sound = 0;
	mptcp_for_each_path(p, i, &s->view)
	{
		bool doubtful = mptcp_doubtful(p, DOUBT);

		if (doubtful && mptcp_path_holds(p))
			bpf_mptcp_probe(msk, p->id, probe_us);
		if (!c->has_home || p->id != c->home || (p->flags & MPTCP_PATH_BACKUP))
			continue;
		found->home = i;
		found->sound = !doubtful && (mptcp_path_ready(p) || mptcp_path_busy(p));
	}
}

/* MPTCP_NONE: wait. */
static __always_inline __u32 choose(const struct mptcp_scratch *s, struct connection *c,
				    struct candidates *found)
{
	const struct mptcp_bpf_path *p;
	__u32 i = found->home;

	if (i == MPTCP_NONE || !found->sound)
		i = s->best[MPTCP_FIT_FASTEST];
	p = mptcp_path_at(s, i);
	if (!p)
		return s->best[MPTCP_FIT_SUSPECT];
	if (found->home == MPTCP_NONE && !(p->flags & MPTCP_PATH_BACKUP)) {
		found->home = i;
		c->home = p->id;
		c->has_home = 1;
	}
	return mptcp_path_ready(p) ? i : MPTCP_NONE;
}

static __always_inline __u32 timer_us(const struct mptcp_bpf_path *p)
{
	__u64 us = mptcp_path_overdue_us(p, slack_us);

	/* A little late, or it would find the path not yet stuck. */
	return slack_us ? mptcp_min_u32(us + us / 8) : mptcp_path_timer_us(p);
}

SEC("struct_ops")
int BPF_PROG(backup_get_send, struct mptcp_sock *msk)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;
	struct candidates *found;
	struct connection *c;
	__u32 zero = 0, i;

	found = bpf_map_lookup_elem(&candidates, &zero);
	c = s ? mptcp_state(s->view.token) : NULL;
	if (!c || !found)
		return -EAGAIN;
	mptcp_survey(s, DOUBT);
	find_home(msk, s, c, found);
	i = choose(s, c, found);
	p = mptcp_path_at(s, i);
	if (!p)
		return mptcp_wait(msk, 0);
	return mptcp_commit(msk, p, BURST_BYTES, timer_us(p),
			    p->flags & MPTCP_PATH_BACKUP ? MPTCP_REASON_BACKUP
			    : i == found->home		 ? MPTCP_REASON_FASTEST
							 : MPTCP_REASON_SPILLED);
}

/* Only what a failed path holds; the rest is TCP's own. */
SEC("struct_ops")
int BPF_PROG(backup_get_retrans, struct mptcp_sock *msk)
{
	struct mptcp_scratch *s = mptcp_look(msk);
	const struct mptcp_bpf_path *p;

	if (!s)
		return -EAGAIN;
	mptcp_survey(s, DOUBT);
	p = mptcp_path_at(s, s->stuck ? mptcp_best_to_repeat(s) : MPTCP_NONE);
	if (!p)
		return -EAGAIN;
	return mptcp_commit(msk, p, BURST_BYTES, s->timer_us, MPTCP_REASON_REINJECTED);
}

MPTCP_SCHEDULER(backup, .get_send = (void *)backup_get_send,
		.get_retrans = (void *)backup_get_retrans, .path_event = (void *)mptcp_trust,
		.name = "backup");
