// SPDX-License-Identifier: GPL-2.0-only
/* ecf: waiting for the fast subflow, when it pays. */
#include "table.h"

#include "mptcp_arith.h"

#include <stdio.h>
#include <stdlib.h>

/* Two segments of 10 in flight: fast and slow have windows of 10. */
static void test_rule(void)
{
	static const struct table_row rows[] = {
		{ "room on the fast one",
		  { P(1, 20), P(2, 100) },
		  .unsent = 1000000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		/* k/cwnd_f = 2: 3 * 20 < 100, but 2 * 100 >= 2 * 20 + d: wait. */
		{ "done sooner on the fast one",
		  { P(1, 20, FULL), P(2, 100) },
		  .unsent = 28560,
		  .reason = MPTCP_REASON_WAITED },
		/* 11 * 20 > 112 */
		{ "too much for the fast one alone",
		  { P(1, 20, FULL), P(2, 100) },
		  .unsent = 142800,
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		/* k/cwnd_s * 100 = 10 < 2 * 20 + 12: the slow one does not hold it up. */
		{ "a little that the slow one takes at once",
		  { P(1, 20, FULL), P(2, 100) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		{ "alike",
		  { P(1, 40, FULL), P(2, 41) },
		  .unsent = 28560,
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		{ "one subflow",
		  { P(1, 20, FULL) },
		  .unsent = 28560,
		  .reason = MPTCP_REASON_WAITED },
		{ "no wait for one in a timeout",
		  { P(1, 20, FULL, .timeouts = 1), P(2, 100) },
		  .unsent = 28560,
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "nor for one that is stuck",
		  { P(1, 20, FULL, .stuck_ms = 221), P(2, 100) },
		  .unsent = 28560,
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "still in time",
		  { P(1, 20, FULL, .stuck_ms = 219), P(2, 100) },
		  .unsent = 28560,
		  .reason = MPTCP_REASON_WAITED },
		{ "a backup is no alternative",
		  { P(1, 20, FULL), P(2, 100, BACKUP_RECEIVED) },
		  .unsent = 142800,
		  .reason = MPTCP_REASON_WAITED },
		{ "all backup",
		  { P(1, 20, FULL, BACKUP_RECEIVED), P(2, 100, BACKUP_RECEIVED) },
		  .unsent = 28560,
		  .reason = MPTCP_REASON_WAITED },
		{ "none usable", { P(1, 20, .closed = true) }, .unsent = 28560, .want = 0 },
		{ "zero RTT is the slow one",
		  { P(1, 0), P(2, 100, FULL) },
		  .unsent = 28560,
		  .reason = MPTCP_REASON_WAITED },
		{ "zero cwnd",
		  { P(1, 20, .zero_cwnd = true, .in_flight = 1), P(2, 100) },
		  .unsent = 1428,
		  .want = 2,
		  .reason = MPTCP_REASON_SPILLED },
		/* k = 125 MB: 1 + 1 round of the fast one against 1.4 s */
		{ "1 Gbit/s for a second",
		  { P(1, 500, .cwnd = 87535, .in_flight = 87535), P(2, 1200, .cwnd = 10) },
		  .unsent = 125000000,
		  .reason = MPTCP_REASON_WAITED },
		{ "everything at its end",
		  { P(1, 4000000, .cwnd = ~0u, .in_flight = ~0u), P(2, 4200000, .cwnd = 1) },
		  .unsent = ~0ull,
		  .reason = MPTCP_REASON_WAITED },
		{ "retransmission is that of minrtt",
		  { P(1, 20, .in_flight = 1), P(2, 100) },
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
	};

	table_run_defaults("ecf", rows, NR(rows));
}

/* Having waited, it goes on up to a quarter beyond where it would have begun. */
static void test_hysteresis(void)
{
	struct fake_sched *s = fake_sched_open("ecf");
	struct fake_path *fast, *slow;
	struct fake_conn c;

	fake_conn_init(&c);
	fast = fake_path_add(&c, 1, 20000);
	slow = fake_path_add(&c, 2, 100000);
	fast->view.in_flight = 10;
	slow->view.rttvar_us = fast->view.rttvar_us = 0;
	/* (1 + 4.5) * 20 = 110 > 100, but < 125 */
	c.head.unsent_bytes = 45 * 1428;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	c.head.unsent_bytes = 39 * 1428;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, MPTCP_REASON_WAITED);
	c.head.unsent_bytes = 45 * 1428;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).reason, MPTCP_REASON_WAITED);
	c.head.unsent_bytes = 53 * 1428;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	c.head.unsent_bytes = 45 * 1428;
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	fake_sched_close(s);
}

/* The integer test against the formula of the paper. */
static void test_formula(void)
{
	unsigned int seed = 20170612, wrong = 0;

	printf("(seed %u) ", seed);
	srand(seed);
	for (int i = 0; i < 100000; i++) {
		struct mptcp_bpf_path f = { .srtt_us = 1 + rand() % 1000000, .mss = 1428 };
		struct mptcp_bpf_path s = { .srtt_us = 1 + rand() % 1000000, .mss = 1400 };
		double k = rand() % 200000000, beta = rand() % 2 ? 0.25 : 0, d, first, second;

		f.rttvar_us = rand() % 100000;
		s.rttvar_us = rand() % 100000;
		f.cwnd = 1 + rand() % 100000;
		s.cwnd = 1 + rand() % 1000;
		d = f.rttvar_us > s.rttvar_us ? f.rttvar_us : s.rttvar_us;
		first = (1 + beta) * (s.srtt_us + d) - (1 + k / f.cwnd / f.mss) * f.srtt_us;
		second = k / s.cwnd / s.mss * s.srtt_us - (2.0 * f.srtt_us + d);
		/* Whole microseconds cut off decide nothing that matters. */
		if ((first > -2 && first < 2) || (second > -2 && second < 2))
			continue;
		wrong += mptcp_ecf_waits(&f, &s, k, beta > 0, 250) != (first > 0 && second >= 0);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "state and decision", test_rule },
		{ "hysteresis", test_hysteresis },
		{ "the paper's formula", test_formula },
		CU_TEST_INFO_NULL,
	};

	return table_main("ecf", tests);
}
