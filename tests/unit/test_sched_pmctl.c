// SPDX-License-Identifier: GPL-2.0-only
/* pmctl: earliest arrival, waiting, rescue of what is stuck, copies, probes. */
#include "table.h"

#include "mptcp_arith.h"
#include "mptcp_estimate.h"

#define FAST  MPTCP_REASON_FASTEST
#define SPILL MPTCP_REASON_SPILLED
#define WAIT  MPTCP_REASON_WAITED

static void test_send(void)
{
	static const struct table_row rows[] = {
		{ "the lower RTT",
		  { P(1, 200), P(2, 40) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = FAST },
		{ "the rest fits the next window",
		  { P(1, 20, FULL), P(2, 100) },
		  .unsent = 14280,
		  .reason = WAIT },
		/* 210 windows of the fast one, 3.3 of the slow one for this fragment */
		{ "too much to wait for",
		  { P(1, 20, FULL), P(2, 100) },
		  .unsent = 3000000,
		  .want = 2,
		  .reason = SPILL },
		/* A fragment on 2 takes 3.3 RTTs of 100 ms, the whole on 1 is done in 5 of 20 */
		{ "the size of the piece counts",
		  { P(1, 20, FULL), P(2, 100) },
		  .unsent = 57120,
		  .reason = WAIT },
		{ "no room anywhere", { P(1, 20, FULL), P(2, 100, FULL) }, .unsent = 1428 },
		{ "one subflow without room", { P(1, 20, FULL) }, .unsent = 1428 },
		{ "a backup waits for its turn",
		  { P(1, 20, FULL), P(2, 10, BACKUP_RECEIVED) },
		  .unsent = 3000000 },
		{ "a backup when the rest is suspect",
		  { P(1, 20, .timeouts = 1), P(2, 100, BACKUP_RECEIVED) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "all backup",
		  { P(1, 20, BACKUP_RECEIVED), P(2, 10, BACKUP_RECEIVED) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "all suspect: better than nothing",
		  { P(1, 20, .timeouts = 2), P(2, 10, .timeouts = 1) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		/* 40 + 4 * 5 + 10 ms */
		{ "stuck longer than its patience",
		  { P(1, 40, .in_flight = 1, .stuck_ms = 71), P(2, 200) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = FAST },
		{ "what it holds cannot leave",
		  { P(1, 20, BLOCKED), P(2, 100) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "still in time",
		  { P(1, 40, .in_flight = 1, .stuck_ms = 69), P(2, 200) },
		  .unsent = 1428,
		  .want = 1,
		  .reason = FAST },
		{ "stuck, but there is no other",
		  { P(1, 40, .in_flight = 1, .stuck_ms = 500) },
		  .unsent = 1428,
		  .want = 1,
		  .reason = FAST },
		{ "none usable", { P(1, 20, .closed = true) }, .unsent = 1428 },
		{ "zero RTT, zero cwnd",
		  { P(1, 0, .zero_cwnd = true), P(2, 100) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = FAST },
		{ "1 Gbit/s for a second: two windows of 1 s against two and a half of 1.2",
		  { P(1, 1000, .cwnd = 87535, .in_flight = 87535), P(2, 1200) },
		  .unsent = 125000000,
		  .reason = WAIT },
	};

	table_run_defaults("pmctl", rows, NR(rows));
}

/* A full path of 1 MB/s, and a ready one; does a decision over so much data wait? */
static bool waits(struct fake_sched *s, struct fake_conn *c, __u64 ready_rate, __u64 unsent_bytes)
{
	static __u32 token = 1000;
	struct mptcp_bpf_path *p;

	fake_conn_init(c);
	c->head.token = token++;
	p = &fake_path_add(c, 1, 40000)->view;
	p->min_rtt_us = 20000;
	p->last_rtt_us = 40000;
	p->cwnd = p->in_flight = 40;
	p->delivery_bytes_per_s = 1000000;
	p = &fake_path_add(c, 2, 80000)->view;
	p->min_rtt_us = 40000;
	p->last_rtt_us = 80000;
	p->delivery_bytes_per_s = ready_rate;
	c->head.unsent_bytes = unsent_bytes;
	c->head.window_bytes = 4000000;
	return fake_get_send(s, c).reason == WAIT;
}

/* Up to which of two amounts it waits at first, and up to which of two once it has waited. */
static void check_race(struct fake_sched *s, __u64 ready_rate, const __u64 bytes[4])
{
	struct fake_conn c;

	CU_ASSERT_FALSE(waits(s, &c, ready_rate, bytes[1]));
	CU_ASSERT(waits(s, &c, ready_rate, bytes[0]));
	c.head.unsent_bytes = bytes[2];
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, WAIT);
	c.head.unsent_bytes = bytes[3];
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, SPILL);
}

/*
 * The ready path has a piece delivered after 40 ms and 32768 bytes at its rate, the other one all
 * that there is after 57 ms and 1 us a byte.
 */
static void test_margin(void)
{
	struct fake_sched *s = fake_sched_open("pmctl");

	/* a tenth of the rate, 368 ms: having waited, it waits for a quarter longer */
	check_race(s, 100000, (__u64[]){ 290000, 330000, 380000, 420000 });
	/* a seventeenth, 586 ms: a quarter at once, a half having waited */
	check_race(s, 60000, (__u64[]){ 650000, 700000, 800000, 850000 });
	fake_sched_close(s);
}

static void test_again(void)
{
	static const struct table_row rows[] = {
		{ "stuck data moves to the idle one",
		  { P(1, 40, .in_flight = 1, .stuck_ms = 80), P(2, 60) },
		  .unacked = 200,
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "data that cannot leave as well",
		  { P(1, 40, BLOCKED), P(2, 60) },
		  .unacked = 8000,
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "a busy one will do for that",
		  { P(1, 40, .in_flight = 1, .timeouts = 1), P(2, 60, .in_flight = 3) },
		  .unacked = 200,
		  .retrans = true,
		  .want = 0 },
		{ "nothing is stuck: TCP works",
		  { P(1, 40, .in_flight = 1, .stuck_ms = 10), P(2, 60) },
		  .unacked = 200,
		  .retrans = true },
		{ "the end lies on a slow one",
		  { P(1, 400, .in_flight = 8), P(2, 40) },
		  .unacked = 8000,
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REDUNDANT },
		{ "the end lies on a slow one, but the copies are used up",
		  { P(1, 400, .in_flight = 8), P(2, 40) },
		  .unacked = 8000,
		  .sent = 1000000,
		  .reinjected = 75536,
		  .retrans = true },
		{ "only its own subflow left",
		  { P(1, 40, .in_flight = 1, .timeouts = 1) },
		  .unacked = 200,
		  .retrans = true },
		{ "on a backup when all else is stuck",
		  { P(1, 40, .in_flight = 1, .timeouts = 1), P(2, 60, BACKUP_RECEIVED) },
		  .unacked = 200,
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
	};
	struct fake_sched *s = fake_sched_open("pmctl");
	struct fake_conn c;

	table_run_defaults("pmctl", rows, NR(rows));

	/* The row of the busy one again, with an MPTCP-level ack overdue. */
	table_conn(&c, &rows[1]);
	c.head.stuck_us = 200000;
	CU_ASSERT_EQUAL(fake_get_retrans(s, &c).id, 2);

	/* All acknowledged by TCP, and not by MPTCP. */
	fake_conn_init(&c);
	fake_path_add(&c, 1, 60000);
	fake_path_add(&c, 2, 40000);
	c.head.unacked_bytes = 30000;
	c.path[0].view.ack_age_ms = 1000;
	c.path[1].view.ack_age_ms = 40;
	CU_ASSERT(fake_get_retrans(s, &c).err);
	c.path[1].view.ack_age_ms = 60;
	CU_ASSERT_EQUAL(fake_get_retrans(s, &c).id, 2);
	fake_sched_close(s);
}

/*
 * The peer delayed the acknowledgement of the last answer on the path with the large window: the
 * next one goes there all the same, where it needs one round trip and not two.
 */
static void test_delayed_ack(void)
{
	struct fake_sched *s = fake_sched_open("pmctl");
	struct mptcp_bpf_path *p;
	struct fake_conn c;

	fake_conn_init(&c);
	p = &fake_path_add(&c, 1, 52000)->view;
	p->cwnd = 7;
	p = &fake_path_add(&c, 2, 56000)->view;
	p->min_rtt_us = 40000;
	p->last_rtt_us = 99000;
	p->cwnd = 31;
	p->delivery_bytes_per_s = 200000;
	c.head.unsent_bytes = 20000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	fake_sched_close(s);
}

/* Small messages on the only good path: now and then a copy on the one that was bad. */
static void test_probe(void)
{
	struct fake_sched *s = fake_sched_open("pmctl");
	struct fake_decision d;
	struct fake_conn c;
	struct fake_path *bad;

	fake_conn_init(&c);
	fake_path_add(&c, 1, 100000);
	bad = fake_path_add(&c, 2, 300000);
	bad->view.min_rtt_us = 20000;
	bad->view.send_age_ms = 2000;
	c.head.unsent_bytes = 200;
	fake_now_ns += 10000000000ull;
	d = fake_get_send(s, &c);
	CU_ASSERT_EQUAL(d.id, 1);
	CU_ASSERT_EQUAL(d.timer_us, 1000);
	c.head.unsent_bytes = 0;
	c.head.unacked_bytes = 200;
	c.path[0].view.in_flight = 1;
	d = fake_get_retrans(s, &c);
	CU_ASSERT_EQUAL(d.id, 2);
	CU_ASSERT_EQUAL(d.reason, MPTCP_REASON_PROBE);
	/* once an interval */
	c.head.unsent_bytes = 200;
	c.head.unacked_bytes = 0;
	c.path[0].view.in_flight = 0;
	CU_ASSERT(fake_get_send(s, &c).timer_us > 1000);
	/* never when it cannot be better */
	fake_now_ns += 10000000000ull;
	bad->view.min_rtt_us = 90000;
	CU_ASSERT(fake_get_send(s, &c).timer_us > 1000);
	fake_sched_close(s);
}

/* A dead path is tried again soon, whatever carries the data. */
static void test_dead(void)
{
	struct fake_sched *s = fake_sched_open("pmctl");
	struct fake_conn c;

	fake_conn_init(&c);
	fake_path_add(&c, 1, 40000)->view.timeouts = 3;
	fake_path_add(&c, 2, 40000);
	c.head.unsent_bytes = 200;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	CU_ASSERT_EQUAL(c.path[0].probe_us, 500000);
	CU_ASSERT_EQUAL(c.path[1].probe_us, 0);
	fake_sched_close(s);
}

/* Of two paths that are alike, the one that loses is avoided; a timeout is no such loss. */
static void test_loss(void)
{
	struct fake_sched *s = fake_sched_open("pmctl");
	struct fake_path *lossy;
	struct fake_conn c;

	fake_conn_init(&c);
	lossy = fake_path_add(&c, 1, 40000);
	fake_path_add(&c, 2, 41000);
	c.head.unsent_bytes = 200;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	lossy->view.segments = 100;
	lossy->view.retransmits = 5;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	fake_sched_close(s);
}

/* More segments, more of them lost: what is a good path for one is none for a long message. */
static void test_loss_of_a_message(void)
{
	struct fake_sched *s = fake_sched_open("pmctl");
	struct fake_path *lossy;
	struct fake_conn c;

	fake_conn_init(&c);
	lossy = fake_path_add(&c, 1, 40000);
	fake_path_add(&c, 2, 55000);
	c.head.unsent_bytes = 20000;
	lossy->view.cwnd = c.path[1].view.cwnd = 40;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	lossy->view.segments = 100;
	lossy->view.retransmits = 5;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	c.head.unsent_bytes = 200;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	/* a stream takes both */
	c.head.unsent_bytes = 3000000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	/* the memory of it fades while nothing is sent */
	c.head.unsent_bytes = 20000;
	lossy->view.send_age_ms = 4000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	lossy->view.send_age_ms = 30000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	fake_sched_close(s);
}

static void test_estimates(void)
{
	struct mptcp_bpf_path p = {
		.srtt_us = 40000, .min_rtt_us = 40000, .last_rtt_us = 40000, .cwnd = 10, .mss = 1000
	};

	CU_ASSERT_EQUAL(mptcp_path_finish_us(&p, 5000, 0), 40000);
	/* ten and a half windows, one a round */
	CU_ASSERT(mptcp_path_finish_us(&p, 105000, 0) > 400000);
	/* 1 + 2 + 4 + 8 windows */
	p.flags = MPTCP_PATH_SLOW_START;
	CU_ASSERT(mptcp_path_finish_us(&p, 149000, 0) <= 4 * 40000);
	CU_ASSERT(mptcp_path_finish_us(&p, 149000, 0) > 3 * 40000);
	/* 1 MB/s is what counts, once out of slow start */
	p.flags = 0;
	p.cwnd = 1000;
	p.last_rtt_us = 60000; /* its queue fills */
	p.delivery_bytes_per_s = 1000000;
	CU_ASSERT_EQUAL(mptcp_path_finish_us(&p, 100000, 0), 140000);
	p.in_flight = 100;
	CU_ASSERT_EQUAL(mptcp_path_finish_us(&p, 100000, 0), 200000);
	p.delivery_bytes_per_s = 1;
	CU_ASSERT_EQUAL(mptcp_path_finish_us(&p, ~0ull >> 24, 0), MPTCP_NEVER_US);
	/* An acknowledgement that the peer delayed tells nothing while no rate was measured ... */
	p.in_flight = 0;
	p.delivery_bytes_per_s = 0;
	p.last_rtt_us = 80000;
	CU_ASSERT_EQUAL(mptcp_path_finish_us(&p, 100000, 0), 40000);
	/* ... but a guess counts, and a measured rate that no queue confirms does not. */
	CU_ASSERT_EQUAL(mptcp_path_finish_us(&p, 100000, 1000000), 140000);
	p.last_rtt_us = 40000;
	p.delivery_bytes_per_s = 1000;
	CU_ASSERT_EQUAL(mptcp_path_finish_us(&p, 100000, 1000000), 40000);
	/* For a message on an idle path windows count and the guess, whatever was measured. */
	p.last_rtt_us = 90000;
	p.srtt_us = 60000;
	CU_ASSERT_EQUAL(mptcp_path_finish_us(&p, 100000, 1000000), MPTCP_NEVER_US);
	CU_ASSERT_EQUAL(mptcp_path_message_us(&p, 10000, 0), 60000);
	CU_ASSERT_EQUAL(mptcp_path_message_us(&p, 100000, 1000000), 140000);
	p.last_rtt_us = p.srtt_us = 40000;
	/* Idle for long: what was measured is of another time; but not while it holds data. */
	p.send_age_ms = MPTCP_KNOWN_MS;
	CU_ASSERT_EQUAL(mptcp_path_faded_us(&p, 840000), 840000);
	p.send_age_ms = MPTCP_KNOWN_MS + 600;
	CU_ASSERT_EQUAL(mptcp_path_faded_us(&p, 840000), 240000);
	CU_ASSERT_EQUAL(mptcp_path_faded_us(&p, 30000), 30000);
	p.send_age_ms = ~0u;
	CU_ASSERT_EQUAL(mptcp_path_faded_us(&p, 840000), 40000);
	p.queued_bytes = 1;
	CU_ASSERT_EQUAL(mptcp_path_faded_us(&p, 840000), 840000);
	p.queued_bytes = 0;
	/* An average from before an outage is left behind. */
	p.srtt_us = 560000;
	CU_ASSERT_EQUAL(mptcp_path_now_rtt_us(&p), 60000);
	CU_ASSERT_EQUAL(mptcp_log2(1), 0);
	CU_ASSERT_EQUAL(mptcp_log2(4095), 11);
	CU_ASSERT_EQUAL(mptcp_log2(4096), 12);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "new data", test_send },
		{ "how close a race", test_margin },
		{ "data again", test_again },
		{ "a delayed acknowledgement", test_delayed_ack },
		{ "probes of an idle path", test_probe },
		{ "a dead path", test_dead },
		{ "loss", test_loss },
		{ "loss of a message", test_loss_of_a_message },
		{ "estimates", test_estimates },
		CU_TEST_INFO_NULL,
	};

	return table_main("pmctl", tests);
}
