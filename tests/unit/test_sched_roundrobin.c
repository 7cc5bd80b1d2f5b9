// SPDX-License-Identifier: GPL-2.0-only
/* roundrobin: turns in proportion to weights. */
#include "table.h"

static void test_rule(void)
{
	static const struct table_row rows[] = {
		{ "the first turn",
		  { P(1, 40), P(2, 20) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "full ones are passed over",
		  { P(1, 40, FULL), P(2, 20) },
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "all full", { P(1, 40, FULL), P(2, 20, FULL) }, .reason = MPTCP_REASON_WAITED },
		{ "one subflow", { P(9, 40) }, .want = 9, .reason = MPTCP_REASON_FASTEST },
		{ "zero RTT", { P(1, 0) }, .want = 1, .reason = MPTCP_REASON_FASTEST },
		{ "zero cwnd",
		  { P(1, 40, .zero_cwnd = true) },
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "no backup while a primary is full",
		  { P(1, 40, FULL), P(2, 20, BACKUP_RECEIVED) },
		  .reason = MPTCP_REASON_WAITED },
		{ "a suspect primary gives way",
		  { P(1, 40, .timeouts = 1), P(2, 20) },
		  .want = 2,
		  .reason = MPTCP_REASON_FASTEST },
		{ "all backup",
		  { P(1, 40, BACKUP_RECEIVED), P(2, 20, BACKUP_RECEIVED) },
		  .want = 1,
		  .reason = MPTCP_REASON_BACKUP },
		{ "none usable", { P(1, 40, .closed = true) }, .want = 0 },
		{ "1 Gbit/s for a second",
		  { P(1, 1000, .cwnd = 87535, .in_flight = 87534) },
		  .unsent = 125000000,
		  .want = 1,
		  .reason = MPTCP_REASON_FASTEST },
		{ "again: with nothing outstanding",
		  { P(1, 40, .in_flight = 1), P(2, 20) },
		  .retrans = true,
		  .want = 2,
		  .reason = MPTCP_REASON_REINJECTED },
		{ "again: left to TCP", { P(1, 40, .in_flight = 1) }, .retrans = true },
	};

	table_run_defaults("roundrobin", rows, NR(rows));
}

/* Whole fragments of changing size, as the core sends them, whatever the burst. */
static void run_turns(struct fake_sched *s, struct fake_conn *c, int turns, __u64 bytes[])
{
	for (int i = 0; i < turns; i++) {
		__u64 sent = 1428 + (__u64)i * 7919 % 31340;
		__u32 id = fake_get_send(s, c).id;

		if (!id || id >= 16) {
			CU_FAIL("nothing was scheduled");
			return;
		}
		bytes[id] += sent;
		c->head.next_seq += sent;
	}
}

static void test_weights(void)
{
	struct fake_sched *s = fake_sched_open("roundrobin");
	__u64 bytes[16] = {}, all;
	struct fake_conn c;

	fake_sched_set(s, "weight", 1, 3);
	fake_conn_init(&c);
	fake_path_add(&c, 1, 20000);
	fake_path_add(&c, 2, 90000);
	run_turns(s, &c, 2000, bytes);
	all = bytes[1] + bytes[2];
	CU_ASSERT(bytes[1] * 100 > all * 24 && bytes[1] * 100 < all * 26);

	/* A third one begins where the others are, and is not given all there is. */
	fake_path_add(&c, 3, 90000);
	bytes[1] = bytes[2] = 0;
	run_turns(s, &c, 2000, bytes);
	all = bytes[1] + bytes[2] + bytes[3];
	CU_ASSERT(bytes[3] * 100 > all * 19 && bytes[3] * 100 < all * 21);
	fake_sched_close(s);
}

static void test_quantum(void)
{
	struct fake_sched *s = fake_sched_open("roundrobin");
	struct fake_conn c;

	fake_conn_init(&c);
	fake_path_add(&c, 1, 20000);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).burst_bytes, 4 * 1428);
	fake_sched_set(s, "weight", 0, ~0u);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).burst_bytes, 0x7fffffff);
	fake_sched_close(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "state and decision", test_rule },
		{ "weights", test_weights },
		{ "quantum", test_quantum },
		CU_TEST_INFO_NULL,
	};

	return table_main("roundrobin", tests);
}
