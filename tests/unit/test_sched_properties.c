// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds for every scheduler in whatever state: random connections, plausible and absurd ones,
 * the same in every run. SCHED_SEED and SCHED_STATES (a scheduler) try others.
 */
#include "table.h"

#include "mptcp_arith.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATES		 20000
#define STATES_MEMCHK	 500
#define FRAGMENT	 32768u
#define ROUNDROBIN_BYTES (4 * MPTCP_MSS_DEFAULT)

static const char *const schedulers[] = { "backup", "blest",	 "ecf",	       "minrtt",
					  "pmctl",  "redundant", "roundrobin", "target" };

static __u64 random_state;

static __u64 rnd64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static __u32 below(__u32 n)
{
	return rnd64() % n;
}

/* Mostly plausible, sometimes at the ends of the range. */
static __u32 number(__u32 plausible)
{
	switch (below(16)) {
	case 0:
		return 0;
	case 1:
		return ~0u - below(3);
	case 2:
		return rnd64();
	default:
		return below(plausible);
	}
}

static void random_path(struct fake_path *p, __u32 id)
{
	*p = (struct fake_path){
		.view = {
			.id = id,
			.flags = below(8) ? MPTCP_PATH_MEMORY : 0,
			.srtt_us = number(300000),
			.rttvar_us = number(50000),
			.min_rtt_us = number(100000),
			.last_rtt_us = number(300000),
			.rto_us = number(1000000),
			.cwnd = number(200),
			.in_flight = below(2) ? number(200) : 0,
			.queued_bytes = below(2) ? number(50000) : 0,
			.mss = number(1460),
			.ack_age_ms = number(1000),
			.send_age_ms = number(1000),
			.pacing_bytes_per_s = rnd64(),
			.delivery_bytes_per_s = below(2) ? rnd64() : 0,
			.local_id = below(256),
			.remote_id = below(256),
			.retransmits = number(1000),
			.timeouts = below(4) ? 0 : number(8),
			.stuck_us = below(3) ? 0 : number(500000),
			.segments = number(100000),
			.lost = number(20),
		},
		.closed = !below(8),
	};
	if (!below(4))
		p->view.flags |= MPTCP_PATH_BACKUP_RECEIVED;
	if (!below(4))
		p->view.flags |= MPTCP_PATH_BACKUP_REQUESTED;
	if (!below(6))
		p->view.flags |= MPTCP_PATH_STALE;
	if (!below(6))
		p->view.flags |= MPTCP_PATH_OUTSTANDING | MPTCP_PATH_LOSS;
	if (!below(6) && p->view.queued_bytes && !(fake_path_flags(p) & MPTCP_PATH_OUTSTANDING))
		p->view.flags |= MPTCP_PATH_BLOCKED;
}

static void random_conn(struct fake_conn *c)
{
	fake_conn_init(c);
	c->head.token = below(20000);
	c->head.unsent_bytes = below(4) ? number(1000000) : rnd64();
	c->head.unacked_bytes = below(4) ? number(1000000) : rnd64();
	c->head.window_bytes = below(4) ? number(1000000) : rnd64();
	c->head.next_seq = rnd64();
	c->head.sent_bytes = below(4) ? number(100000000) : rnd64();
	c->head.reinjected_bytes = below(4) ? number(1000000) : rnd64();
	c->head.stuck_us = number(500000);
	c->nr = below(4) ? below(5) : below(FAKE_PATHS_MAX + 1);
	for (__u32 i = 0; i < c->nr; i++)
		random_path(&c->path[i], i + 1);
}

/* What a scheduler may look at: the first sixteen that are open. */
static __u32 visible(struct fake_conn *c, struct fake_path *shown[])
{
	__u32 n = 0;

	for (__u32 i = 0; i < c->nr && n < MPTCP_BPF_PATHS_MAX; i++)
		if (!c->path[i].closed)
			shown[n++] = &c->path[i];
	return n;
}

static bool ready(const struct fake_path *p)
{
	struct mptcp_bpf_path v = p->view;

	v.flags = fake_path_flags(p);
	return mptcp_path_ready(&v);
}

static bool busy(const struct fake_path *p)
{
	struct mptcp_bpf_path v = p->view;

	v.flags = fake_path_flags(p);
	return mptcp_path_busy(&v);
}

/* Beyond any doubt, and no backup. */
static bool sound_primary(const struct fake_path *p)
{
	return !(fake_path_flags(p) &
		 (MPTCP_PATH_BACKUP | MPTCP_PATH_STALE | MPTCP_PATH_BLOCKED)) &&
	       !p->view.timeouts && !p->view.stuck_us;
}

/* More than the window takes; but one segment always, and roundrobin's turns are as long as told.
 */
static bool too_long(const struct mptcp_bpf_path *v, __u32 burst_bytes)
{
	__u64 mss = mptcp_path_mss(v), used = (__u64)v->in_flight + v->queued_bytes / mss;

	return burst_bytes > mss && (used >= v->cwnd || burst_bytes > (v->cwnd - used) * mss);
}

/* NULL, or the rule that the decision breaks. */
static const char *broken_by(struct fake_conn *c, const struct fake_decision *d, bool retrans)
{
	struct fake_path *shown[MPTCP_BPF_PATHS_MAX], *p = fake_path_find(c, d->id);
	__u32 n = visible(c, shown);
	bool any_busy = false, any_ready = false;

	for (__u32 i = 0; i < n; i++) {
		any_busy |= busy(shown[i]);
		any_ready |= ready(shown[i]);
	}
	if (d->refused)
		return "asks for a subflow that cannot send";
	if (d->nr != !d->err)
		return "does not say what it did";
	if (d->timer_us && d->timer_us < 1000)
		return "a timer of less than a millisecond";
	if (d->err)
		return !retrans && any_ready && !any_busy ? "waits for nothing" : NULL;
	if (!ready(p))
		return "a subflow without room";
	if (!d->reason || d->reason == MPTCP_REASON_WAITED)
		return "no reason";
	if (!d->burst_bytes || !d->timer_us)
		return "no burst or timer";
	if (d->burst_bytes != ROUNDROBIN_BYTES && too_long(&p->view, d->burst_bytes))
		return "a burst beyond the window";
	for (__u32 i = 0; i < n && !retrans; i++)
		if ((fake_path_flags(p) & MPTCP_PATH_BACKUP) && sound_primary(shown[i]) &&
		    (ready(shown[i]) || busy(shown[i])))
			return "a backup while there is a primary";
	return NULL;
}

/* Data sent again has to be somewhere: where it cannot be already, or where another holds it up. */
static const char *repeats_for_nothing(struct fake_conn *c, const struct fake_decision *d)
{
	struct fake_path *shown[MPTCP_BPF_PATHS_MAX];
	__u32 n = visible(c, shown);

	if (d->err || !(fake_path_flags(fake_path_find(c, d->id)) & MPTCP_PATH_OUTSTANDING))
		return NULL;
	for (__u32 i = 0; i < n; i++)
		if (shown[i]->view.id != d->id &&
		    ((busy(shown[i]) && ((shown[i]->view.flags & MPTCP_PATH_STALE) ||
					 shown[i]->view.timeouts || shown[i]->view.stuck_us)) ||
		     (shown[i]->view.flags & MPTCP_PATH_BLOCKED)))
			return NULL;
	return "sends again on a busy subflow with nothing stuck";
}

static void describe(const char *name, const char *what, const struct fake_conn *c,
		     const struct fake_decision *d)
{
	printf("\n    %s: %s (subflow %u, error %d, reason %u, burst %u, timer %u)\n", name, what,
	       d->id, d->err, d->reason, d->burst_bytes, d->timer_us);
	for (__u32 i = 0; i < c->nr && i < 20; i++) {
		const struct fake_path *p = &c->path[i];

		printf("      %u: flags %#x%s srtt %u cwnd %u in flight %u queued %u mss %u "
		       "timeouts %u stuck %u\n",
		       p->view.id, fake_path_flags(p), p->closed ? " closed" : "", p->view.srtt_us,
		       p->view.cwnd, p->view.in_flight, p->view.queued_bytes, p->view.mss,
		       p->view.timeouts, p->view.stuck_us);
	}
}

static unsigned long states(void)
{
	const char *n = getenv("SCHED_STATES"), *preload = getenv("LD_PRELOAD");

	if (n)
		return strtoul(n, NULL, 0);
	/* valgrind takes fifty times as long */
	return preload && preload[0] ? STATES_MEMCHK : STATES;
}

static void begin(void)
{
	const char *seed = getenv("SCHED_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) : 88172645463325252ull;
	printf("(seed %llu, %lu states) ", (unsigned long long)random_state, states());
}

static void for_each_scheduler(void (*run)(struct fake_sched *s, const char *name))
{
	begin();
	for (size_t i = 0; i < NR(schedulers); i++) {
		struct fake_sched *s = fake_sched_open(schedulers[i]);

		run(s, schedulers[i]);
		fake_sched_close(s);
	}
}

static void run_rules(struct fake_sched *s, const char *name)
{
	struct fake_decision d;
	struct fake_conn c;
	const char *what;

	/* That it may use metered paths for a rate has a test of its own. */
	if (!strcmp(name, "target"))
		fake_sched_set(s, "rate_bytes_per_s", 0, 0);
	for (unsigned long i = 0; i < states(); i++) {
		random_conn(&c);
		fake_now_ns += rnd64() % 1000000000;
		d = fake_get_send(s, &c);
		what = broken_by(&c, &d, false);
		if (!what) {
			d = fake_get_retrans(s, &c);
			what = broken_by(&c, &d, true);
		}
		if (!what)
			what = repeats_for_nothing(&c, &d);
		if (!what)
			continue;
		describe(name, what, &c, &d);
		CU_FAIL("a rule is broken");
		return;
	}
}

static void test_rules(void)
{
	for_each_scheduler(run_rules);
	CU_PASS("no rule is broken");
}

/* Nothing is delivered any more: what holds data times out, and is stuck for longer and longer. */
static void time_passes(struct fake_conn *c)
{
	for (__u32 i = 0; i < c->nr; i++) {
		if (!busy(&c->path[i]))
			continue;
		c->path[i].view.timeouts = 1;
		c->path[i].view.stuck_us = ~0u;
	}
	fake_now_ns += 1000000000;
}

/* A wait ends once time has passed, if there is a subflow that could take the data. */
static void run_waits(struct fake_sched *s, const char *name)
{
	struct fake_path *shown[MPTCP_BPF_PATHS_MAX];
	struct fake_decision d;
	struct fake_conn c;

	for (unsigned long i = 0; i < states(); i++) {
		bool any_ready = false;

		random_conn(&c);
		d = fake_get_send(s, &c);
		if (!d.err)
			continue;
		time_passes(&c);
		for (__u32 k = visible(&c, shown); k-- > 0;)
			any_ready |= ready(shown[k]);
		d = fake_get_send(s, &c);
		if (!d.err || !any_ready)
			continue;
		describe(name, "waits for ever", &c, &d);
		CU_FAIL("a wait does not end");
		return;
	}
}

static void test_waits(void)
{
	for_each_scheduler(run_waits);
	CU_PASS("every wait ends");
}

/*
 * Asked on and on about data that nobody acknowledges on sound paths, as newer kernels do: each
 * copy makes its subflow busy.
 */
static void run_repeats(struct fake_sched *s, const char *name)
{
	for (unsigned long i = 0; i < states() / 100; i++) {
		struct fake_decision d = {};
		unsigned int asked = 0;
		struct fake_conn c;

		fake_conn_init(&c);
		c.head.unacked_bytes = 10000000;
		c.head.sent_bytes = 10000000;
		c.nr = 1 + below(8);
		for (__u32 k = 0; k < c.nr; k++) {
			random_path(&c.path[k], k + 1);
			c.path[k].view.timeouts = c.path[k].view.stuck_us = 0;
			c.path[k].view.flags &= ~(__u32)(MPTCP_PATH_STALE | MPTCP_PATH_BLOCKED);
		}
		while (asked++ < 100 && !(d = fake_get_retrans(s, &c)).err)
			fake_path_find(&c, d.id)->view.in_flight += FRAGMENT / 1428;
		if (asked <= c.nr + 1)
			continue;
		describe(name, "sends again without end", &c, &d);
		CU_FAIL("retransmission does not end");
		return;
	}
}

static void test_repeats(void)
{
	for_each_scheduler(run_repeats);
	CU_PASS("retransmission ends");
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "rules", test_rules },
		{ "waits end", test_waits },
		{ "retransmission ends", test_repeats },
		CU_TEST_INFO_NULL,
	};

	return table_main("properties", tests);
}
