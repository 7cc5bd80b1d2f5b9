// SPDX-License-Identifier: GPL-2.0-only
/* target: metered paths for the shortfall only. */
#include "table.h"

static void test_rule(void)
{
	static const struct table_row rows[] = {
		{ "not metered first",
		  { P(1, 90), P(2, 20, BACKUP_RECEIVED) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "full, and nothing missing yet",
		  { P(1, 90, FULL), P(2, 20, BACKUP_RECEIVED) },
		  .reason = MPTCP_REASON_WAITED },
		{ "two that are not metered add up",
		  { P(1, 90), P(2, 20, FULL) },
		  .want = 1,
		  .reason = MPTCP_REASON_SPILLED },
		{ "one failed",
		  { P(1, 90, FULL, .timeouts = 1), P(2, 20, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "one stuck",
		  { P(1, 90, FULL, .stuck_ms = 291), P(2, 20, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "all metered",
		  { P(1, 90, BACKUP_RECEIVED), P(2, 20, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "one subflow", { P(1, 90) }, .want = 1, .reason = MPTCP_REASON_FASTEST },
		{ "zero RTT",
		  { P(1, 0), P(2, 20, BACKUP_RECEIVED) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "zero cwnd",
		  { P(1, 90, .zero_cwnd = true), P(2, 20, BACKUP_RECEIVED) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "none usable", { P(1, 90, .closed = true) }, .want = 0 },
		{ "again: TCP's own business",
		  { P(1, 90, .in_flight = 1), P(2, 20, BACKUP_RECEIVED) },
		  .retrans = true },
		{ "again: one failed",
		  { P(1, 90, .in_flight = 1, .timeouts = 1), P(2, 20, BACKUP_RECEIVED) },
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "again: one failed, the other is full",
		  { P(1, 90, .in_flight = 1, .timeouts = 1), P(2, 50, FULL),
		    P(3, 20, BACKUP_RECEIVED) },
		  .retrans = true,
		  .want = 3,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "again: on another not metered",
		  { P(1, 90, .in_flight = 1), P(2, 99) },
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
	};

	table_run_defaults("target", rows, NR(rows));
}

/* Local address id 1 is metered, by the knob; its path the faster one. */
static void metered_conn(struct fake_sched *s, struct fake_conn *c)
{
	fake_sched_set(s, "metered", 1, 1);
	fake_conn_init(c);
	fake_path_add(c, 1, 90000);
	fake_path_add(c, 2, 20000);
}

static void test_shortfall(void)
{
	struct fake_sched *s = fake_sched_open("target");
	struct fake_decision d;
	struct fake_conn c;

	metered_conn(s, &c);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	c.path[0].view.in_flight = 10;
	c.head.unacked_bytes = 14280;
	c.head.sent_bytes = 14280;
	fake_now_ns += 199000000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, MPTCP_REASON_WAITED);
	fake_now_ns += 1000000; /* 200 ms: 125000 bytes due, room for ten segments */
	d = fake_get_send(s, &c);
	CU_ASSERT_EQUAL(d.id, 2);
	CU_ASSERT_EQUAL(d.reason, MPTCP_REASON_SPILLED);
	CU_ASSERT_EQUAL(d.burst_bytes, 14280);
	c.head.sent_bytes = 120000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).burst_bytes, 5000);
	c.head.sent_bytes = 125000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, MPTCP_REASON_WAITED);
	fake_sched_set(s, "rate_bytes_per_s", 0, 0);
	c.head.sent_bytes = 0;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, MPTCP_REASON_WAITED);
	fake_sched_close(s);
}

/* Silence is no debt, and one good second does not excuse the next three. */
static void test_time(void)
{
	struct fake_sched *s = fake_sched_open("target");
	struct fake_conn c;
	int i;

	metered_conn(s, &c);
	fake_get_send(s, &c);
	fake_now_ns += 60000000000ull;
	c.path[0].view.in_flight = 10;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, MPTCP_REASON_WAITED);
	fake_now_ns += 1000000000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, MPTCP_REASON_WAITED);
	c.head.unacked_bytes = 14280;
	c.head.sent_bytes = 1250000; /* twice the rate */
	for (i = 0; i < 10 && fake_get_send(s, &c).id != 2; i++)
		fake_now_ns += 250000000;
	CU_ASSERT(i >= 6 && i <= 9);
	fake_sched_close(s);
}

/* A link of 1 Gbit/s, a target of as much, for an hour. */
static void test_large(void)
{
	struct fake_sched *s = fake_sched_open("target");
	__u64 metered_bytes = 0;
	struct fake_conn c;

	metered_conn(s, &c);
	fake_sched_set(s, "rate_bytes_per_s", 0, 125000000);
	c.head.unacked_bytes = 1;
	c.path[0].view.in_flight = 10;
	for (int i = 0; i < 36000; i++) {
		fake_now_ns += 100000000;
		c.head.sent_bytes += 12500000 - 100000;
		if (fake_get_send(s, &c).id != 2)
			continue;
		c.head.sent_bytes += 100000;
		metered_bytes += 100000;
	}
	CU_ASSERT(metered_bytes > 3500000000u);
	CU_ASSERT(metered_bytes <= 3600000000u);
	fake_sched_close(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "state and decision", test_rule },
		{ "shortfall", test_shortfall },
		{ "time", test_time },
		{ "large numbers", test_large },
		CU_TEST_INFO_NULL,
	};

	return table_main("target", tests);
}
