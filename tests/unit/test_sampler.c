// SPDX-License-Identifier: GPL-2.0-only
/* How paths do, from lists of connections: averages, changes, what is idle, what is left out. */
#include "pm/sampler.h"

#include <CUnit/Basic.h>
#include <string.h>

#include "pm/address.h"

#define ALPHA 500

/* wlan0 (2) 10.0.1.2, wwan0 (3) 10.0.2.2, and one subflow or two. */
struct world {
	struct pm_address addresses[2];
	struct pm_interface interfaces[2];
	struct pm_subflow subflows[4];
	struct pm_connections all;
	struct pm_sampler *s;
	struct pm_sample out;
	uint64_t now_ms;
};

static struct pm_address address(const char *text)
{
	struct pm_address a = { 0 };

	pm_address_parse(text, &a);
	return a;
}

static struct pm_subflow *subflow(struct world *w, const char *local, uint16_t port)
{
	struct pm_subflow *f = &w->subflows[w->all.nr_subflows++];

	*f = (struct pm_subflow){ .token = 1,
				  .state = 1,
				  .at = { .local = address(local),
					  .remote = address("10.0.9.1"),
					  .local_port = port,
					  .remote_port = 443 },
				  .srtt_us = 20000,
				  .rto_us = 220000 };
	return f;
}

static void open_world(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->addresses[0] = address("10.0.1.2");
	w->addresses[1] = address("10.0.2.2");
	for (int i = 0; i < 2; i++)
		w->interfaces[i] = (struct pm_interface){ .ifindex = 2 + i,
							  .addresses = &w->addresses[i],
							  .nr_addresses = 1 };
	w->all.subflows = w->subflows;
	w->s = pm_sampler_new();
	w->now_ms = 1000;
}

static void take(struct world *w)
{
	w->now_ms += 500;
	CU_ASSERT_EQUAL(pm_sampler_take(w->s, &w->all, w->interfaces, 2, ALPHA, w->now_ms, &w->out),
			0);
}

static void test_averages(void)
{
	struct pm_subflow *a, *b;
	struct world w;

	open_world(&w);
	a = subflow(&w, "10.0.1.2", 1);
	b = subflow(&w, "::ffff:10.0.1.2", 2);
	b->srtt_us = 40000;
	take(&w);
	CU_ASSERT_EQUAL(w.out.nr, 1);
	CU_ASSERT_EQUAL(w.out.paths[0].ifindex, 2);
	CU_ASSERT_EQUAL(w.out.paths[0].srtt_us, 30000);
	CU_ASSERT_EQUAL(w.out.paths[0].rto_us, 220000);
	a->srtt_us = b->srtt_us = 50000;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].srtt_us, 40000);
	/* One that gets no acks says nothing of the RTT. */
	a->timeouts = 3;
	a->srtt_us = 900000;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].srtt_us, 45000);
	CU_ASSERT_EQUAL(w.out.paths[0].timeouts, 3);
	pm_sampler_free(&w.s);
	pm_sampler_free(&w.s);
}

static void test_changes(void)
{
	struct pm_subflow *f;
	struct world w;

	open_world(&w);
	f = subflow(&w, "10.0.2.2", 1);
	f->sent_segments = UINT32_MAX - 49;
	f->retransmits = 7;
	f->acked_bytes = 1000;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].resent_permille, 0);
	CU_ASSERT_EQUAL(w.out.paths[0].rate_bps, 0);
	/* 100 sent, the counter wraps; 20 of them again. */
	f->sent_segments += 100;
	f->retransmits += 20;
	f->acked_bytes += 50000;
	f->received_bytes += 12500;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].resent_permille, 200);
	CU_ASSERT_EQUAL(w.out.paths[0].rate_bps, 1000000);
	CU_ASSERT_FALSE(w.out.idle);
	f->sent_segments += 100;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].resent_permille, 100);
	CU_ASSERT_EQUAL(w.out.paths[0].rate_bps, 0);
	/* Nothing sent is no news. */
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].resent_permille, 100);
	CU_ASSERT_TRUE(w.out.idle);
	pm_sampler_free(&w.s);
}

static void test_trouble(void)
{
	struct pm_subflow *f;
	struct world w;

	open_world(&w);
	f = subflow(&w, "10.0.1.2", 1);
	/* Something has just been sent after a long pause. */
	f->since_ack_ms = 60000;
	f->outstanding = 8;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].stall_ms, 0);
	CU_ASSERT_EQUAL(w.out.paths[0].loss_permille, 0);
	f->since_ack_ms += 500;
	f->lost = 4;
	f->timeouts = 1;
	f->rto_us = 440000;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].stall_ms, 500);
	CU_ASSERT_EQUAL(w.out.paths[0].loss_permille, 250);
	CU_ASSERT_EQUAL(w.out.paths[0].timeouts, 1);
	CU_ASSERT_EQUAL(w.out.paths[0].rto_us, 440000);
	/* An ack came meanwhile: no stall before the next one is late. */
	f->since_ack_ms = 439;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].stall_ms, 0);
	f->since_ack_ms = 440;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].stall_ms, 440);
	f->outstanding = f->lost = 0;
	f->timeouts = 0;
	take(&w);
	CU_ASSERT_EQUAL(w.out.paths[0].stall_ms, 0);
	CU_ASSERT_EQUAL(w.out.paths[0].timeouts, 0);
	pm_sampler_free(&w.s);
}

static void test_left_out(void)
{
	struct world w;

	open_world(&w);
	subflow(&w, "10.0.1.2", 1)->state = 2;
	subflow(&w, "10.0.2.2", 2)->token = 0;
	subflow(&w, "192.0.2.1", 3);
	take(&w);
	CU_ASSERT_EQUAL(w.out.nr, 0);
	CU_ASSERT_TRUE(w.out.idle);
	pm_sampler_free(&w.s);
}

/* What was learned of an address goes with it, and stays with the interface that has it. */
static void test_interface_gone(void)
{
	struct world w;

	open_world(&w);
	subflow(&w, "10.0.1.2", 1)->srtt_us = 100000;
	subflow(&w, "10.0.2.2", 2);
	take(&w);
	CU_ASSERT_EQUAL(w.out.nr, 2);
	w.interfaces[0].nr_addresses = 0;
	take(&w);
	CU_ASSERT_EQUAL(w.out.nr, 1);
	CU_ASSERT_EQUAL(w.out.paths[0].ifindex, 3);
	w.interfaces[0].nr_addresses = 1;
	w.interfaces[0].ifindex = 9;
	w.subflows[0].srtt_us = 10000;
	take(&w);
	CU_ASSERT_EQUAL(w.out.nr, 2);
	for (size_t i = 0; i < w.out.nr; i++)
		if (w.out.paths[i].ifindex == 9)
			CU_ASSERT_EQUAL(w.out.paths[i].srtt_us, 10000);
	pm_sampler_free(&w.s);
}

int main(void)
{
	CU_pSuite s;
	unsigned int failures;

	CU_initialize_registry();
	s = CU_add_suite("sampler", NULL, NULL);
	CU_add_test(s, "averages", test_averages);
	CU_add_test(s, "changes", test_changes);
	CU_add_test(s, "trouble", test_trouble);
	CU_add_test(s, "left out", test_left_out);
	CU_add_test(s, "an interface goes", test_interface_gone);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}
