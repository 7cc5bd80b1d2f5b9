// SPDX-License-Identifier: GPL-2.0-only
/* First flight: what a young connection sends leaves on each subflow, by every scheduler that can.
 */
#include "table.h"

#include "mptcp_arith.h"

static const char *const schedulers[] = { "minrtt", "ecf", "blest", "pmctl" };

/* A small request on the faster of two subflows, of a connection of that age. */
static void young(struct fake_conn *c, __u32 age_ms, __u64 bytes)
{
	fake_conn_init(c);
	fake_path_add(c, 1, 40000);
	fake_path_add(c, 2, 50000);
	c->head.age_ms = age_ms;
	c->head.unsent_bytes = bytes;
}

static void sent(struct fake_conn *c)
{
	c->head.sent_bytes = c->head.unacked_bytes = c->head.unsent_bytes;
	c->head.unsent_bytes = 0;
	c->path[0].view.in_flight = 1;
}

static void check_scheduler(const char *name)
{
	struct fake_sched *s = fake_sched_open(name);
	struct fake_decision d;
	struct fake_conn c;

	/* Off, unless asked for. */
	young(&c, 10, 200);
	CU_ASSERT(fake_get_send(s, &c).timer_us > 4000);

	fake_sched_set(s, "first_flight_ms", 0, 500);
	young(&c, 10, 200);
	d = fake_get_send(s, &c);
	CU_ASSERT_EQUAL(d.id, 1);
	CU_ASSERT_EQUAL(d.timer_us, 4000);
	CU_ASSERT_EQUAL(d.burst_bytes, 1);
	sent(&c);
	d = fake_get_retrans(s, &c);
	CU_ASSERT_EQUAL(d.id, 2);
	CU_ASSERT_EQUAL(d.reason, MPTCP_REASON_REDUNDANT);
	/* Each holds it: nothing to do, but a subflow may join. */
	c.path[1].view.in_flight = 1;
	d = fake_get_retrans(s, &c);
	CU_ASSERT(d.err);
	CU_ASSERT_EQUAL(d.timer_us, 4000);
	fake_path_add(&c, 3, 90000);
	CU_ASSERT_EQUAL(fake_get_retrans(s, &c).id, 3);

	/* Too old, or more than a first flight. */
	young(&c, 500, 200);
	CU_ASSERT(fake_get_send(s, &c).timer_us > 4000);
	young(&c, 10, 17000);
	CU_ASSERT(fake_get_send(s, &c).timer_us > 4000);
	young(&c, 10, 200);
	c.head.sent_bytes = 16300;
	CU_ASSERT(fake_get_send(s, &c).timer_us > 4000);

	/* What was asked for while it was young does not stay. */
	young(&c, 10, 200);
	fake_get_send(s, &c);
	sent(&c);
	c.path[1].view.in_flight = 1;
	c.head.age_ms = 500;
	CU_ASSERT(fake_get_retrans(s, &c).timer_us > 4000);
	fake_sched_close(s);
}

static void test_schedulers(void)
{
	for (size_t i = 0; i < NR(schedulers); i++)
		check_scheduler(schedulers[i]);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "of a request", test_schedulers },
		CU_TEST_INFO_NULL,
	};

	return table_main("first flight", tests);
}
