// SPDX-License-Identifier: GPL-2.0-only
/* redundant: early copies of the end, within a budget. */
#include "table.h"

/* An ack is overdue after 20 ms + 10 ms of slack, or 4 deviations; the RTO is 200 ms + RTT. */
static void test_send(void)
{
	static const struct table_row rows[] = {
		{ "the end: early timer",
		  { P(1, 20), P(2, 40) },
		  .unsent = 1000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST,
		  .timer_us = 30000 },
		{ "jitter delays it",
		  { P(1, 20, .var_ms = 5), P(2, 40) },
		  .unsent = 1000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST,
		  .timer_us = 40000 },
		{ "little outstanding: early as well",
		  { P(1, 20), P(2, 40) },
		  .unsent = 1000000,
		  .unacked = 32768,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST,
		  .timer_us = 30000 },
		{ "under way",
		  { P(1, 20), P(2, 40) },
		  .unsent = 1000000,
		  .unacked = 32769,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST,
		  .timer_us = 240000 },
		{ "no other subflow",
		  { P(1, 20) },
		  .unsent = 1000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST,
		  .timer_us = 220000 },
		{ "zero RTT: not earlier than TCP",
		  { P(1, 0), P(2, 0) },
		  .unsent = 1000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST,
		  .timer_us = 200000 },
		{ "zero cwnd",
		  { P(1, 20, .zero_cwnd = true, .in_flight = 1), P(2, 40) },
		  .unsent = 1000,
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED,
		  .timer_us = 60000 },
		{ "all backup",
		  { P(1, 20, BACKUP_RECEIVED), P(2, 40, BACKUP_RECEIVED) },
		  .unsent = 1000,
		  .want = 1,
		  .reason = MPTCP_REASON_BACKUP },
		{ "all full",
		  { P(1, 20, FULL), P(2, 40, FULL) },
		  .unsent = 1000,
		  .reason = MPTCP_REASON_WAITED },
		{ "none usable", { P(1, 20, .closed = true) }, .unsent = 1000, .want = 0 },
	};

	table_run_defaults("redundant", rows, NR(rows));
}

#define TAIL .retrans = true, .sent = 10000000, .unacked = 1428

static void test_copies(void)
{
	static const struct table_row rows[] = {
		{ "a copy on the idle one",
		  { P(1, 20, .in_flight = 1), P(2, 40) },
		  TAIL,
		  .want = 2,
		  .reason = MPTCP_REASON_REDUNDANT },
		{ "none is idle", { P(1, 20, .in_flight = 1), P(2, 40, .in_flight = 1) }, TAIL },
		{ "one subflow", { P(1, 20, .in_flight = 1) }, TAIL },
		{ "not while there is more to send",
		  { P(1, 20, .in_flight = 1), P(2, 40) },
		  .retrans = true,
		  .sent = 10000000,
		  .unacked = 50000,
		  .unsent = 50000 },
		{ "nothing outstanding",
		  { P(1, 20), P(2, 40) },
		  .retrans = true,
		  .sent = 10000000 },
		{ "the budget is used up",
		  { P(1, 20, .in_flight = 1), P(2, 40) },
		  TAIL,
		  .reinjected = 565536 },
		{ "all but a byte",
		  { P(1, 20, .in_flight = 1), P(2, 40) },
		  TAIL,
		  .reinjected = 565535,
		  .want = 2,
		  .reason = MPTCP_REASON_REDUNDANT },
		{ "the budget does not bound a rescue",
		  { P(1, 20, .in_flight = 1, .timeouts = 1), P(2, 40) },
		  TAIL,
		  .reinjected = 5000000,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "nor does it for one that is stuck",
		  { P(1, 20, .in_flight = 1, .stuck_ms = 221), P(2, 40, .in_flight = 1) },
		  TAIL,
		  .reinjected = 5000000,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "1 Gbit/s for an hour",
		  { P(1, 20, .in_flight = 1), P(2, 40) },
		  .retrans = true,
		  .sent = ~0ull,
		  .unacked = 1428,
		  .reinjected = 1ull << 59,
		  .want = 2,
		  .reason = MPTCP_REASON_REDUNDANT },
	};

	table_run_defaults("redundant", rows, NR(rows));
}

/* Asked on and on, as newer kernels do, about a tail that is never acknowledged. */
static void test_budget(void)
{
	struct fake_sched *s = fake_sched_open("redundant");
	const __u64 most = 1000000 / 20 + 65536;
	struct fake_conn c;

	fake_conn_init(&c);
	fake_path_add(&c, 1, 20000)->view.in_flight = 1;
	fake_path_add(&c, 2, 40000);
	c.head.sent_bytes = 1000000;
	c.head.unacked_bytes = 1428;
	for (int i = 0; i < 1000; i++)
		if (!fake_get_retrans(s, &c).err)
			c.head.reinjected_bytes += 1428;
	CU_ASSERT(c.head.reinjected_bytes >= most);
	CU_ASSERT(c.head.reinjected_bytes < most + 1428);
	fake_sched_close(s);
}

/* Knobs for full redundancy. */
static void test_full(void)
{
	struct fake_sched *s = fake_sched_open("redundant");
	struct fake_decision d;
	struct fake_conn c;

	fake_sched_set(s, "delay_permille", 0, 0);
	fake_sched_set(s, "copies_permille", 0, 1000);
	fake_conn_init(&c);
	fake_path_add(&c, 1, 20000);
	fake_path_add(&c, 2, 40000);
	c.head.unsent_bytes = 1000;
	d = fake_get_send(s, &c);
	CU_ASSERT_EQUAL(d.timer_us, 1000);
	CU_ASSERT_EQUAL(d.burst_bytes, 1428);
	c.path[0].view.in_flight = 1;
	c.head.sent_bytes = c.head.unacked_bytes = 100000000;
	c.head.reinjected_bytes = 99000000;
	c.head.unsent_bytes = 0;
	CU_ASSERT_EQUAL(fake_get_retrans(s, &c).id, 2);
	fake_sched_close(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "new data", test_send }, { "copies", test_copies },
		{ "budget", test_budget }, { "full redundancy", test_full },
		CU_TEST_INFO_NULL,
	};

	return table_main("redundant", tests);
}
