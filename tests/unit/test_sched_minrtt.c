// SPDX-License-Identifier: GPL-2.0-only
/* minrtt: the lowest RTT that has room. What the other schedulers share with it is tested here. */
#include "table.h"

#define STALE MPTCP_PATH_STALE
#define OUT   MPTCP_PATH_OUTSTANDING

static void test_send(void)
{
	static const struct table_row rows[] = {
		{ "lowest RTT", { P(1, 40), P(2, 20) }, .want = 2, .reason = MPTCP_REASON_FASTEST },
		{ "the fast one is full",
		  { P(1, 40), P(2, 20, FULL) },
		  .want = 1,
		  .reason = MPTCP_REASON_SPILLED },
		{ "one subflow", { P(7, 40) }, .want = 7, .reason = MPTCP_REASON_FASTEST },
		{ "one, and it is full", { P(7, 40, FULL) }, .reason = MPTCP_REASON_WAITED },
		{ "not measured comes last",
		  { P(1, 0), P(2, 900) },
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "none measured",
		  { P(1, 0), P(2, 0) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "zero cwnd, nothing in flight",
		  { P(1, 40, .zero_cwnd = true) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "zero cwnd, data in flight",
		  { P(1, 40, .zero_cwnd = true, .in_flight = 1) },
		  .reason = MPTCP_REASON_WAITED },
		{ "a backup waits while the primary is full",
		  { P(1, 40, FULL), P(2, 20, BACKUP_RECEIVED) },
		  .reason = MPTCP_REASON_WAITED },
		{ "requested is a backup as well",
		  { P(1, 40, FULL), P(2, 20, .flags = MPTCP_PATH_BACKUP_REQUESTED) },
		  .reason = MPTCP_REASON_WAITED },
		{ "a suspect primary gives way to a backup",
		  { P(1, 40, .timeouts = 1), P(2, 90, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "all backup",
		  { P(1, 40, BACKUP_RECEIVED), P(2, 20, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "all suspect",
		  { P(1, 40, .timeouts = 2), P(2, 20, .flags = STALE) },
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		{ "stale",
		  { P(1, 40), P(2, 20, .flags = STALE) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "blocked",
		  { P(1, 40), P(2, 20, BLOCKED) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "only queued, in the middle of a push",
		  { P(1, 40), P(2, 20, .queued = 8000) },
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "all blocked",
		  { P(1, 40, BLOCKED), P(2, 20, BLOCKED) },
		  .reason = MPTCP_REASON_WAITED },
		{ "closed",
		  { P(1, 40), P(2, 20, .closed = true) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "no memory",
		  { P(1, 40), P(2, 20, .no_memory = true) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "a backup while the primary can say nothing",
		  { P(1, 20, .no_memory = true), P(2, 40, BACKUP_RECEIVED) },
		  .want = 2,
		  .reason = MPTCP_REASON_BACKUP },
		{ "none usable",
		  { P(1, 40, .closed = true), P(2, 20, .closed = true) },
		  .want = 0 },
		{ "no subflow", { P(0, 0) }, .want = 0 },
		{ "1 Gbit/s for a second",
		  { P(1, 1000, .cwnd = 87535, .in_flight = 87534) },
		  .unsent = 125000000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
	};

	table_run_defaults("minrtt", rows, NR(rows));
}

static void test_retrans(void)
{
	static const struct table_row rows[] = {
		{ "the one with nothing outstanding",
		  { P(1, 40), P(2, 20, .in_flight = 1) },
		  .retrans = true,
		  .want = 1,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "left to TCP",
		  { P(1, 40, .in_flight = 1), P(2, 20, .in_flight = 1) },
		  .retrans = true },
		{ "all lost is outstanding, too", { P(1, 40, .flags = OUT) }, .retrans = true },
		{ "busy but sound, as a suspect one holds data",
		  { P(1, 40, .in_flight = 1), P(2, 20, .in_flight = 1, .timeouts = 1) },
		  .retrans = true,
		  .want = 1,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "what cannot leave",
		  { P(1, 40, .in_flight = 1), P(2, 20, BLOCKED) },
		  .retrans = true,
		  .want = 1,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "an idle suspect one when there is no other",
		  { P(1, 40, .in_flight = 1, .timeouts = 1), P(2, 20, .timeouts = 1) },
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "a backup saves it",
		  { P(1, 40, .in_flight = 1), P(2, 20, BACKUP_RECEIVED) },
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "full",
		  { P(1, 40, .in_flight = 1, .timeouts = 1), P(2, 20, FULL) },
		  .retrans = true },
		{ "no subflow", { P(0, 0) }, .retrans = true },
	};

	table_run_defaults("minrtt", rows, NR(rows));
}

/* The view shows sixteen; the module says so, and the rest is left in peace. */
static void test_many_subflows(void)
{
	struct fake_sched *s = fake_sched_open("minrtt");
	struct fake_decision d;
	struct fake_conn c;
	__u32 id;

	fake_conn_init(&c);
	for (id = 1; id <= FAKE_PATHS_MAX; id++)
		fake_path_add(&c, id, (100 - id) * 1000);
	d = fake_get_send(s, &c);
	CU_ASSERT_EQUAL(d.id, MPTCP_BPF_PATHS_MAX);
	for (id = 1; id <= MPTCP_BPF_PATHS_MAX; id++)
		fake_path_find(&c, id)->closed = true;
	d = fake_get_send(s, &c);
	CU_ASSERT_EQUAL(d.id, 2 * MPTCP_BPF_PATHS_MAX);
	fake_sched_close(s);
}

static void test_knobs(void)
{
	struct fake_sched *s = fake_sched_open("minrtt");
	struct fake_path *p;
	struct fake_conn c;

	fake_conn_init(&c);
	p = fake_path_add(&c, 1, 20000);
	fake_path_add(&c, 2, 40000);
	p->view.timeouts = 1;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	fake_sched_set(s, "timeouts", 0, 2);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 1);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).burst_bytes, 10 * 1428);
	fake_sched_set(s, "burst_bytes", 0, 3000);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).burst_bytes, 3000);
	fake_sched_close(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "new data", test_send },
		{ "retransmission", test_retrans },
		{ "more subflows than shown", test_many_subflows },
		{ "knobs", test_knobs },
		CU_TEST_INFO_NULL,
	};

	return table_main("minrtt", tests);
}
