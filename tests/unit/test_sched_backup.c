// SPDX-License-Identifier: GPL-2.0-only
/* backup: one path at a time, quick to leave it and quick to return. */
#include "table.h"

/* An ack is overdue on 20 ms after 70 ms, on 40 ms after 90. */
static void test_rule(void)
{
	static const struct table_row rows[] = {
		{ "the best primary",
		  { P(1, 40), P(2, 20), P(3, 10, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "early timer",
		  { P(1, 40) },
		  .want = 1,
		  .timer_us = 101250,
		  .reason = MPTCP_REASON_FASTEST },
		{ "full: wait for it",
		  { P(1, 40), P(2, 20, FULL) },
		  .reason = MPTCP_REASON_WAITED },
		{ "one subflow, full", { P(1, 40, FULL) }, .reason = MPTCP_REASON_WAITED },
		{ "stuck: the other primary",
		  { P(1, 40), P(2, 20, FULL, .stuck_ms = 71) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "not yet stuck",
		  { P(1, 40), P(2, 20, .in_flight = 1, .stuck_ms = 69) },
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "a timeout: the backup",
		  { P(1, 40, .timeouts = 1), P(2, 90, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "stale: the backup",
		  { P(1, 40, .flags = MPTCP_PATH_STALE), P(2, 90, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "blocked: the backup",
		  { P(1, 40, BLOCKED), P(2, 90, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "again: what cannot leave",
		  { P(1, 40), P(2, 20, BLOCKED) },
		  .retrans = true,
		  .want = 1,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "all backup",
		  { P(1, 40, BACKUP_RECEIVED), P(2, 90, BACKUP_RECEIVED) },
		  .want = 1,
		  .reason = MPTCP_REASON_BACKUP },
		{ "all failed",
		  { P(1, 40, .timeouts = 1), P(2, 20, .timeouts = 1) },
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		{ "zero RTT", { P(1, 0) }, .want = 1, .reason = MPTCP_REASON_FASTEST },
		{ "zero cwnd",
		  { P(1, 40, .zero_cwnd = true) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "1 Gbit/s for a second",
		  { P(1, 1000, .cwnd = 87535, .in_flight = 87534) },
		  .unsent = 125000000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "none usable", { P(1, 40, .closed = true) }, .want = 0 },
		{ "again: what a stuck one holds",
		  { P(1, 40), P(2, 20, .in_flight = 1, .stuck_ms = 71) },
		  .retrans = true,
		  .want = 1,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "again: not what moves",
		  { P(1, 40), P(2, 20, .in_flight = 1) },
		  .retrans = true },
		{ "again: on the backup if need be",
		  { P(1, 40, BACKUP_RECEIVED), P(2, 20, .in_flight = 1, .timeouts = 1) },
		  .retrans = true,
		  .want = 1,
		  .reason = MPTCP_REASON_REINJECTED },
	};

	table_run_defaults("backup", rows, NR(rows));
}

/* Home fails, is probed, delivers again and gets everything back. */
static void test_return(void)
{
	struct fake_sched *s = fake_sched_open("backup");
	struct fake_path *home, *other;
	struct fake_conn c;

	fake_conn_init(&c);
	home = fake_path_add(&c, 1, 20000);
	other = fake_path_add(&c, 2, 90000);
	other->view.flags |= MPTCP_PATH_BACKUP_REQUESTED;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, MPTCP_REASON_FASTEST);
	CU_ASSERT_EQUAL(home->probe_us, 0);

	home->view.in_flight = 4;
	home->view.stuck_us = 71000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	CU_ASSERT_EQUAL(home->probe_us, 400000);
	CU_ASSERT_EQUAL(other->probe_us, 0);
	home->view.timeouts = 3;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);

	home->view.timeouts = home->view.stuck_us = home->view.in_flight = 0;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	fake_sched_close(s);
}

/* A better RTT elsewhere is no reason to move, the loss of home is. */
static void test_home_stays(void)
{
	struct fake_sched *s = fake_sched_open("backup");
	struct fake_conn c;

	fake_conn_init(&c);
	fake_path_add(&c, 1, 20000);
	fake_path_add(&c, 2, 30000);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	c.path[0].view.srtt_us = 80000;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	c.path[0].closed = true;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	fake_path_add(&c, 3, 1000);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	c.path[1].view.flags |= MPTCP_PATH_BACKUP_RECEIVED;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 3);
	fake_sched_close(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "state and decision", test_rule },
		{ "return", test_return },
		{ "home stays", test_home_stays },
		CU_TEST_INFO_NULL,
	};

	return table_main("backup", tests);
}
