// SPDX-License-Identifier: GPL-2.0-only
/* blest: the slow subflow must leave the fast one its part of the window. */
#include "table.h"

/*
 * With RTTs of 20 and 100 ms and windows of 10, the fast one sends 1428 (10 + 4/2) 5 = 85680 bytes
 * meanwhile.
 */
static void test_rule(void)
{
	static const struct table_row rows[] = {
		{ "room on the fast one",
		  { P(1, 20), P(2, 100) },
		  .window = 1000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "the window takes both",
		  { P(1, 20, FULL), P(2, 100) },
		  .window = 87108,
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		{ "one byte short",
		  { P(1, 20, FULL), P(2, 100) },
		  .window = 87107,
		  .reason = MPTCP_REASON_WAITED },
		{ "what is in flight belongs to the window",
		  { P(1, 20, FULL), P(2, 100) },
		  .window = 7108,
		  .unacked = 80000,
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		{ "the slow one's own share counts",
		  { P(1, 20, FULL), P(2, 100, .in_flight = 1) },
		  .window = 87108,
		  .reason = MPTCP_REASON_WAITED },
		{ "less than a segment of window",
		  { P(1, 20, FULL), P(2, 100) },
		  .window = 100,
		  .reason = MPTCP_REASON_WAITED },
		{ "one subflow", { P(1, 20, FULL) }, .reason = MPTCP_REASON_WAITED },
		{ "no wait for one in a timeout",
		  { P(1, 20, FULL, .timeouts = 1), P(2, 100) },
		  .window = 10000,
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "nor for one that is stuck",
		  { P(1, 20, FULL, .stuck_ms = 221), P(2, 100) },
		  .window = 10000,
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "a backup is no alternative",
		  { P(1, 20, FULL), P(2, 100, BACKUP_RECEIVED) },
		  .reason = MPTCP_REASON_WAITED },
		{ "all backup",
		  { P(1, 20, FULL, BACKUP_RECEIVED), P(2, 100, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "none usable", { P(1, 20, .closed = true) }, .want = 0 },
		/* Unknown is a second: r = 50, 1428 (10 + 49/2) 50 = 2.4 MB. */
		{ "zero RTT is slow",
		  { P(1, 20, FULL), P(2, 0) },
		  .window = 2464727,
		  .reason = MPTCP_REASON_WAITED },
		{ "zero RTT, window enough",
		  { P(1, 20, FULL), P(2, 0) },
		  .window = 2464728,
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		{ "zero cwnd",
		  { P(1, 20, .zero_cwnd = true, .in_flight = 1), P(2, 100) },
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		/* 125 MB of window is what the fast one fills in a second itself. */
		{ "1 Gbit/s for a second",
		  { P(1, 500, .cwnd = 87535, .in_flight = 87535), P(2, 1000) },
		  .window = 125000000,
		  .reason = MPTCP_REASON_WAITED },
		{ "everything at its end",
		  { P(1, 1, .cwnd = ~0u, .in_flight = ~0u), P(2, 4200000, .cwnd = ~0u) },
		  .window = 1ull << 37,
		  .reason = MPTCP_REASON_WAITED },
		{ "retransmission is that of minrtt",
		  { P(1, 20, .in_flight = 1), P(2, 100) },
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
	};

	table_run_defaults("blest", rows, NR(rows));
}

/* The window at which it stops waiting, in bytes, less the slow subflow's segment. */
static __u64 threshold(struct fake_sched *s, struct fake_conn *c)
{
	__u64 low = 1428, high = 1 << 20;

	while (low + 1 < high) {
		c->head.window_bytes = (low + high) / 2;
		if (fake_get_send(s, c).id == 2)
			high = c->head.window_bytes;
		else
			low = c->head.window_bytes;
	}
	return high - 1428;
}

static void test_lambda(void)
{
	struct fake_sched *s = fake_sched_open("blest");
	struct fake_conn c;

	fake_conn_init(&c);
	fake_path_add(&c, 1, 20000)->view.in_flight = 10;
	fake_path_add(&c, 2, 100000);
	CU_ASSERT_EQUAL(threshold(s, &c), 85680);
	c.head.reinjected_bytes = 1428;
	CU_ASSERT_EQUAL(threshold(s, &c), 85680); /* not yet a round trip */
	fake_now_ns += 100000000;
	CU_ASSERT_EQUAL(threshold(s, &c), 85680 * 104 / 100);
	fake_now_ns += 100000000;
	CU_ASSERT_EQUAL(threshold(s, &c), 85680 * 103 / 100);
	for (int i = 0; i < 20; i++) {
		fake_now_ns += 100000000;
		c.head.reinjected_bytes++;
		fake_get_send(s, &c);
	}
	CU_ASSERT_EQUAL(threshold(s, &c), 85680 * 130 / 100);
	for (int i = 0; i < 40; i++) {
		fake_now_ns += 100000000;
		fake_get_send(s, &c);
	}
	CU_ASSERT_EQUAL(threshold(s, &c), 85680);
	fake_sched_close(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "state and decision", test_rule },
		{ "lambda", test_lambda },
		CU_TEST_INFO_NULL,
	};

	return table_main("blest", tests);
}
