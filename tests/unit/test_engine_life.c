// SPDX-License-Identifier: GPL-2.0-only
/* The life of subflows: made, refused, lost, made again; limits; restarts. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_fixture.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static void expect(struct world *w, const char *script, const char *expected)
{
	w->log[0] = '\0';
	world_run(w, script);
	if (strcmp(w->log, expected) != 0)
		printf("\n    \"%s\":\n      expected \"%s\"\n      got      \"%s\"\n", script,
		       expected, w->log);
	CU_ASSERT_STRING_EQUAL(w->log, expected);
}

static void test_back_off(void)
{
	static const struct {
		const char *script, *expected;
	} rows[] = {
		{ "c:wifi | lost:lte", "+lte" },
		{ "c:wifi | fails:lte lost:lte t:749", "+lte" },
		{ "c:wifi | fails:lte lost:lte t:1000", "+lte +lte" },
		{ "c:wifi | fails:lte lost:lte t:3000", "+lte +lte +lte" },
		{ "c:wifi | refused:lte lost:lte t:63000", "+lte +lte +lte +lte +lte +lte +lte" },
		{ "c:wifi refused:lte lost:lte t:300000 | t:64000", "+lte" },
		{ "c:wifi refused:lte lost:lte t:300000 | t:47000", "" },
		/* back at once when the path is */
		{ "c:wifi refused:lte lost:lte t:60000 lte- works:lte | lte+", "+lte" },
		{ "c:wifi hangs:lte lte- lte+ t:30000 lte- works:lte | lte+", "+lte" },
		/* one that lived long begins anew */
		{ "c:wifi refused:lte lost:lte t:5000 works:lte t:60000 | lost:lte", "+lte" },
		{ "c:wifi lost:lte t:9000 refused:lte | lost:lte t:500", "" },
		{ "c:wifi t:10000 lost:lte t:10000 | lost:lte", "+lte" },
		/* resets, RFC 8684 section 3.6 */
		{ "c:wifi | lost:lte=0t t:749", "notice" },
		{ "c:wifi | lost:lte=0t t:1000", "notice +lte" },
		{ "c:wifi | lost:lte=0 t:600000", "notice" },
		{ "c:wifi | lost:lte=1 t:600000", "notice" },
		{ "c:wifi lost:lte=0 lte- | lte+", "+lte" },
		{ "c:wifi | lost:lte=2 t:29999", "notice" },
		{ "c:wifi | lost:lte=2 t:30000", "notice +lte" },
		{ "c:wifi | lost:lte=3 t:86400000", "notice" },
		{ "c:wifi lost:lte=3 | lte- lte+", "" },
		{ "c:wifi | lost:lte=4", "notice +lte" },
		{ "c:wifi lost:lte=4 | lost:lte=4 t:600000", "notice" },
		{ "c:wifi | lost:lte=5 t:1999", "notice" },
		{ "c:wifi | lost:lte=5 t:2000", "notice +lte/b" },
		{ "c:wifi lost:lte=5 | t:60000", "+lte/b" },
		{ "c:wifi | lost:lte=6 t:21599999", "notice" },
		{ "c:wifi | lost:lte=6 t:21600000", "notice +lte" },
		{ "c:wifi lost:lte=6 t:100 | lost:wifi", "+wifi" },
		{ "c:wifi | lost:lte=77 t:600000", "notice" },
		/* not ours */
		{ "foreign:lte c:wifi | t:600000 wifi- wifi+", "" },
		/* a server leaves it to the client */
		{ "s:wifi | lost:wifi t:60000", "" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct world w;

		world_init(&w, POLICY_MODE_AGGREGATE);
		world_start(&w);
		world_run(&w, rows[i].script);
		if (strcmp(w.log, rows[i].expected) != 0)
			printf("\n    \"%s\":\n      expected \"%s\"\n      got      \"%s\"\n",
			       rows[i].script, rows[i].expected, w.log);
		CU_ASSERT_STRING_EQUAL(w.log, rows[i].expected);
		world_clear(&w);
	}
}

/* What one connection was told is known to the next. */
static void test_reset_per_peer(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	expect(&w, "c:wifi lost:lte=3", "+lte notice");
	world_connect(&w, 2, "10.0.1.2", WORLD_PEER, false);
	CU_ASSERT_STRING_EQUAL(w.log, "+lte notice");
	world_connect(&w, 3, "10.0.1.2", "10.9.0.7", false);
	CU_ASSERT_STRING_EQUAL(w.log, "+lte notice +lte@10.9.0.7");
	world_clear(&w);
}

/* Many joins fail, one works: the path is healed, and all try at once. */
static void test_healed(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.join[LTE] = JOIN_FAILS;
	world_start(&w);
	for (uint32_t token = 1; token <= 3; token++)
		world_connect(&w, token, "10.0.1.2", WORLD_PEER, false);
	world_wait(&w, 20000);
	w.join[LTE] = JOIN_WORKS;
	w.log[0] = '\0';
	world_connect(&w, 4, "10.0.1.2", WORLD_PEER, false);
	CU_ASSERT_STRING_EQUAL(w.log, "+lte +lte +lte +lte");
	world_clear(&w);
}

static void test_limits(void)
{
	static const struct {
		uint32_t subflows;
		const char *script, *expected;
	} rows[] = {
		{ 0, "c:wifi cable+ sat+", "" },
		{ 1, "c:wifi", "+lte" },
		{ 1, "c:wifi cable+ sat+", "+lte" },
		{ 2, "cable+ sat+ c:wifi", "+cable +lte" },
		{ 3, "c:wifi cable+ sat+", "+lte +cable +sat" },
		{ 1, "c:wifi cable+ | lte-", "+cable ~lte -lte" },
		{ 1, "c:wifi cable+ | wifi-", "+cable ~wifi -wifi" },
		{ 0, "c:wifi | wifi-", "+lte ~wifi -wifi" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct world w;

		world_init(&w, POLICY_MODE_AGGREGATE);
		w.policy.limits.subflows = rows[i].subflows;
		world_start(&w);
		expect(&w, rows[i].script, rows[i].expected);
		world_clear(&w);
	}
}

static void test_open_after(void)
{
	struct pm_connections all;
	struct pm_input in = { .kind = PM_INPUT_CONNECTIONS, .connections = &all };
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.modes[POLICY_MODE_AGGREGATE].open_after_ms = 700;
	world_start(&w);
	expect(&w, "c:wifi t:699", "");
	expect(&w, "t:1", "+lte");
	world_clear(&w);

	/* Without a path that works there is nothing to wait for. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	w.modes[POLICY_MODE_AGGREGATE].open_after_ms = 700;
	world_start(&w);
	expect(&w, "c:wifi wifi-", "+lte ~wifi -wifi");
	world_clear(&w);

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.modes[POLICY_MODE_AGGREGATE].open_after_bytes = 100000;
	world_start(&w);
	expect(&w, "c:wifi t:5000", "");
	world_snapshot(&w, &all);
	all.items[0].sent_bytes = 90000;
	all.items[0].received_bytes = 9999;
	world_input(&w, &in);
	CU_ASSERT_STRING_EQUAL(w.log, "");
	all.items[0].received_bytes++;
	world_input(&w, &in);
	CU_ASSERT_STRING_EQUAL(w.log, "+lte");
	pm_connections_clear(&all);
	world_clear(&w);
}

static void give_snapshot(struct world *w)
{
	struct pm_connections all;
	struct pm_input in = { .kind = PM_INPUT_CONNECTIONS, .connections = &all };

	world_snapshot(w, &all);
	world_input(w, &in);
	pm_connections_clear(&all);
}

/* A new engine finds what the old one left, and goes on from there. */
static void test_restart(void)
{
	struct pm_connection_view v;
	struct world w;

	world_init(&w, POLICY_MODE_INTERACTIVE);
	world_start(&w);
	expect(&w, "c:wifi wifi-", "+lte/b lte>a ~wifi -wifi");
	pm_engine_free(&w.e);
	world_start(&w);
	w.log[0] = '\0';
	give_snapshot(&w);
	CU_ASSERT_STRING_EQUAL(w.log, "");
	CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
	CU_ASSERT_EQUAL(v.nr_subflows, 1);
	CU_ASSERT_FALSE(v.subflows[0].backup);
	free(v.subflows);
	expect(&w, "wifi+", "+wifi/b");
	world_clear(&w);
}

/* What was lost without a word shows in the snapshot; what was closed goes. */
static void test_resync(void)
{
	struct pm_event ev = { .type = PM_EVENT_SUB_ESTABLISHED, .token = 99 };
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	expect(&w, "c:wifi", "+lte");
	w.nr_flows--; /* lte */
	w.log[0] = '\0';
	give_snapshot(&w);
	CU_ASSERT_STRING_EQUAL(w.log, "+lte");
	w.nr_flows = 0;
	give_snapshot(&w);
	CU_ASSERT_EQUAL(pm_engine_nr_connections(w.e), 0);
	/* Connections that are not known: asked for once a second, not each time. */
	w.log[0] = '\0';
	for (int i = 0; i < 100; i++)
		world_event(&w, &ev);
	CU_ASSERT_STRING_EQUAL(w.log, "resync");
	CU_ASSERT_EQUAL(pm_engine_due(w.e), w.now + 1000);
	give_snapshot(&w);
	CU_ASSERT_EQUAL(pm_engine_due(w.e), UINT64_MAX);
	world_clear(&w);
}

/* The event of a deletion never comes: a resync, not a busy loop. */
static void test_lost_close(void)
{
	struct pm_connections all;
	struct pm_input in = { .kind = PM_INPUT_CONNECTIONS, .connections = &all };
	struct world w;

	world_init(&w, POLICY_MODE_HANDOVER);
	world_start(&w);
	w.deaf = true;
	expect(&w, "c:lte up:wifi t:2000", "+wifi -lte");
	expect(&w, "t:9999", "");
	expect(&w, "t:1", "resync");
	expect(&w, "t:9999", "");
	world_snapshot(&w, &all);
	world_input(&w, &in);
	CU_ASSERT_EQUAL(pm_engine_due(w.e), UINT64_MAX);
	pm_connections_clear(&all);
	world_clear(&w);
}

/* A modem that is plugged in again: another device with the same address. */
static void test_replaced_device(void)
{
	struct pm_source_view a, b;
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	expect(&w, "c:wifi", "+lte");
	w.interfaces[LTE].ifindex = 9;
	w.log[0] = '\0';
	world_interfaces(&w);
	CU_ASSERT_STRING_EQUAL(w.log, "+lte -lte");
	CU_ASSERT_EQUAL(w.nr_flows, 2);
	pm_engine_source(w.e, 1, &a);
	pm_engine_source(w.e, 2, &b);
	CU_ASSERT(!a.present && b.present && b.ifindex == 9);
	CU_ASSERT_EQUAL(a.id, b.id);
	expect(&w, "lte-", "~lte -lte");
	world_clear(&w);
}

/* The same while nobody watched: its subflow looks well, and leads nowhere. */
static void test_replaced_unseen(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	expect(&w, "c:wifi", "+lte");
	pm_engine_free(&w.e);
	w.interfaces[LTE].ifindex = 9;
	w.flows[1].device_gone = true;
	world_start(&w);
	w.log[0] = '\0';
	give_snapshot(&w);
	CU_ASSERT_STRING_EQUAL(w.log, "+lte -lte");
	CU_ASSERT_STRING_EQUAL(w.reason, "the device of lte that it is bound to is gone");
	CU_ASSERT_EQUAL(w.nr_flows, 2);
	w.log[0] = '\0';
	give_snapshot(&w);
	CU_ASSERT_STRING_EQUAL(w.log, "");
	world_clear(&w);
}

/* The peer has not shown that it speaks MPTCP; if it does not, that is no reason to go on asking.
 */
static void test_too_early(void)
{
	size_t nr = 0;
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.join[LTE] = JOIN_EARLY;
	world_start(&w);
	expect(&w, "c:wifi t:199", "+lte");
	expect(&w, "t:1", "+lte");
	world_wait(&w, 60000);
	w.log[0] = '\0';
	world_wait(&w, 60000);
	for (const char *p = w.log; (p = strstr(p, "+lte")); p++)
		nr++;
	CU_ASSERT(nr <= 2);
	world_clear(&w);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("engine, life of subflows", NULL, NULL);
	CU_add_test(suite, "back-off and reset reasons", test_back_off);
	CU_add_test(suite, "a reset is remembered of the peer", test_reset_per_peer);
	CU_add_test(suite, "a path that heals", test_healed);
	CU_add_test(suite, "limits", test_limits);
	CU_add_test(suite, "not before bytes or time", test_open_after);
	CU_add_test(suite, "the end of a subflow is not told", test_lost_close);
	CU_add_test(suite, "a device is replaced", test_replaced_device);
	CU_add_test(suite, "a device is replaced unseen", test_replaced_unseen);
	CU_add_test(suite, "too early for a join", test_too_early);
	CU_add_test(suite, "restart", test_restart);
	CU_add_test(suite, "resync", test_resync);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
