/* SPDX-License-Identifier: GPL-2.0-only */
/* The oracle's thresholds: which ones a path crosses, and which one comes next. */
#ifndef MPTCP_ORACLE_JUDGE_BPF_H
#define MPTCP_ORACLE_JUDGE_BPF_H

/* Tells thresholds that are crossed: at once when the path gets bad, but a period has to pass until
 * it may be good again, or a path on the edge would tell without end. True: that is to be judged
 * once more when it has. */
static __always_inline bool judge(const struct subflow *st, struct oracle_path *p,
				  const struct oracle_config *c, __u64 now)
{
	struct oracle_event ev = { .path = st->key, .at_ns = now };
	void *ring = bpf_map_lookup_elem(&rings, &st->key.netns_cookie);
	bool again = false;
	int i;

	if (!ring)
		return false;
	bpf_for(i, 0, ORACLE_SETS_MAX * ORACLE_ROOM) {
		__u32 set = (__u32)i / ORACLE_ROOM & (ORACLE_SETS_MAX - 1);
		__u32 trigger = (__u32)i & (ORACLE_ROOM - 1);
		__u8 *bad = &p->bad[set];
		__u64 *since = &p->bad_ns[set];

		if (set >= c->nr_sets)
			break;
		ev.value = oracle_value(&p->health, trigger);
		ev.bad = oracle_is_bad(&c->sets[set][trigger], ev.value, *bad >> trigger & 1);
		if (ev.bad == (*bad >> trigger & 1))
			continue;
		if (!ev.bad && now - *since < c->period_ms * 1000000ull) {
			again = true;
			continue;
		}
		*bad ^= 1 << trigger;
		if (ev.bad)
			*since = now;
		ev.set = set;
		ev.trigger = trigger;
		bpf_ringbuf_output(ring, &ev, sizeof(ev), 0);
	}
	return again;
}

/* The lowest stall threshold that was not reached yet, or 0. */
static __always_inline __u32 next_stall_ms(const struct oracle_config *c, __u32 waited_ms)
{
	__u32 next = 0;
	int i;

	bpf_for(i, 0, ORACLE_SETS_MAX) {
		__u32 enter;

		if (i < 0 || i >= ORACLE_SETS_MAX || i >= c->nr_sets)
			break;
		enter = c->sets[i][ORACLE_STALL].enter;
		if (enter > waited_ms && (!next || enter < next))
			next = enter;
	}
	return next;
}

#endif
