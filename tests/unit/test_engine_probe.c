// SPDX-License-Identifier: GPL-2.0-only
/* Joins that nobody answers: how soon it is known that the path works again, and at what price. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_fixture.h"

#define NR(a)	  (sizeof(a) / sizeof((a)[0]))
#define TOKENS	  8
#define WITHIN_MS 800
#define KERNEL_MS 127000

/* Joins made again, by connection, and the times between them. */
static size_t nr_again[TOKENS], nr_asked[TOKENS];
static uint64_t last_ms, least_ms, most_ms;

static void watch(struct world *w, const struct pm_decision *d)
{
	uint64_t gap = w->now - last_ms;

	if (d->kind == PM_DECIDE_REQUEST && d->request.kind == PM_SUBFLOW_ADD)
		nr_asked[d->token]++;
	if (!d->again || d->request.kind != PM_SUBFLOW_ADD)
		return;
	CU_ASSERT_STRING_EQUAL(d->reason, "aggregate: nothing comes over lte, it is asked again");
	nr_again[d->token]++;
	if (last_ms && gap < least_ms)
		least_ms = gap;
	if (last_ms && gap > most_ms)
		most_ms = gap;
	last_ms = w->now;
}

static void start(struct world *w, uint32_t connections)
{
	memset(nr_again, 0, sizeof(nr_again));
	memset(nr_asked, 0, sizeof(nr_asked));
	last_ms = most_ms = 0;
	least_ms = UINT64_MAX;
	world_init(w, POLICY_MODE_AGGREGATE);
	w->join[LTE] = JOIN_HANGS;
	w->watch = watch;
	world_start(w);
	for (uint32_t token = 1; token <= connections; token++)
		world_connect(w, token, "10.0.1.2", WORLD_PEER, false);
}

static size_t on_lte(const struct world *w, uint32_t token, bool established)
{
	size_t nr = 0;

	for (size_t i = 0; i < w->nr_flows; i++)
		nr += world_path_of(w, &w->flows[i].at.local) == LTE &&
		      (!token || w->flows[i].token == token) &&
		      w->flows[i].established == established;
	return nr;
}

static void test_table(void)
{
	static const struct {
		const char *script, *expected;
	} rows[] = {
		{ "c:wifi | t:799", "" },
		{ "c:wifi | t:800", "+lte" },
		{ "c:wifi t:800 | t:690", "" },
		{ "c:wifi t:800 | t:800", "-lte +lte" },
		{ "c:wifi t:800 | t:1600", "-lte +lte -lte +lte" },
		/* which of the two comes up does not matter, and one is enough */
		{ "c:wifi t:800 works:lte | t:800", "-lte +lte -lte" },
		{ "c:wifi t:800 | up:lte t:5000", "-lte" },
		{ "c:wifi t:799 works:lte up:lte | t:60000", "" },
		/* nobody wants it */
		{ "c:wifi t:800 | down:lte=1 t:60000", "~lte -lte" },
		{ "c:wifi | lte- t:60000", "" },
		/* it comes back by itself */
		{ "c:wifi t:8000 lte- works:lte | lte+ t:60000", "+lte" },
		/* the kernel gives up: on one, on both */
		{ "c:wifi t:800 | timeout:lte t:690", "" },
		{ "c:wifi t:800 | timeout:lte t:800", "+lte" },
		{ "c:wifi t:800 | timeout:lte timeout:lte t:690", "" },
		{ "c:wifi t:800 | timeout:lte timeout:lte t:800", "+lte/b" },
		{ "c:wifi t:800 timeout:lte timeout:lte works:lte | t:800", "+lte/b lte>a" },
		/* whoever answers is not asked again so soon */
		{ "c:wifi refused:lte t:800 | lost:lte t:749", "" },
		/* a reset says when, and if */
		{ "c:wifi t:800 | lost:lte=3 t:60000", "notice" },
		/* its place is not taken by a second one */
		{ "c:wifi cable+ t:800 | t:60", "" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct world w;

		start(&w, 0);
		world_run(&w, rows[i].script);
		if (strcmp(w.log, rows[i].expected) != 0)
			printf("\n    \"%s\":\n      expected \"%s\"\n      got      \"%s\"\n",
			       rows[i].script, rows[i].expected, w.log);
		CU_ASSERT_STRING_EQUAL(w.log, rows[i].expected);
		world_clear(&w);
	}
}

/* The kernel gives up on joins in the end. */
static void pass(struct world *w, uint64_t ms)
{
	for (uint64_t part; ms; ms -= part) {
		part = ms < 1000 ? ms : 1000;
		world_wait(w, part);
		for (size_t i = 0; i < w->nr_flows;) {
			if (w->flows[i].established || w->now < w->flows[i].since_ms + KERNEL_MS) {
				i++;
				continue;
			}
			world_time_out(w, i);
			i = 0;
		}
	}
}

/* Whenever the path heals, a subflow is there soon after, and just one. */
static void test_heals(void)
{
	for (uint64_t hole_ms = 10; hole_ms < 200000; hole_ms += 10 + hole_ms / 97) {
		struct world w;

		start(&w, 1);
		pass(&w, hole_ms);
		w.join[LTE] = JOIN_WORKS;
		world_wait(&w, WITHIN_MS);
		CU_ASSERT_EQUAL(on_lte(&w, 0, true), 1);
		CU_ASSERT_EQUAL(on_lte(&w, 0, false), 0);
		w.nr_requests = 0;
		world_wait(&w, 100000);
		CU_ASSERT_EQUAL(w.nr_requests, 0);
		world_clear(&w);
	}
}

/* One connection asks for all of them; when it ends, another one does. */
static void test_one_for_all(void)
{
	uint32_t asks = 1;
	struct world w;

	start(&w, 3);
	world_wait(&w, 8000);
	while (asks < 3 && !nr_again[asks])
		asks++;
	CU_ASSERT(nr_again[asks] >= 10 && nr_again[asks] <= 11);
	CU_ASSERT_EQUAL(nr_again[1] + nr_again[2] + nr_again[3], nr_again[asks]);
	CU_ASSERT_EQUAL(on_lte(&w, asks, false), 2);
	CU_ASSERT_EQUAL(on_lte(&w, 0, false), 4);
	world_close(&w, asks);
	nr_again[asks] = 0;
	world_wait(&w, 1600);
	CU_ASSERT_EQUAL(nr_again[1] + nr_again[2] + nr_again[3], 1);
	w.join[LTE] = JOIN_WORKS;
	world_wait(&w, WITHIN_MS);
	for (uint32_t token = 1; token <= 3; token++)
		CU_ASSERT_EQUAL(on_lte(&w, token, true), token != asks);
	world_clear(&w);
}

/* Also when the kernel has given up the others, and they wait. */
static void test_those_that_wait(void)
{
	struct world w;

	start(&w, 4);
	pass(&w, KERNEL_MS + 2000);
	w.join[LTE] = JOIN_WORKS;
	world_wait(&w, WITHIN_MS);
	for (uint32_t token = 1; token <= 4; token++)
		CU_ASSERT_EQUAL(on_lte(&w, token, true), 1);
	world_clear(&w);
}

/* One address does not answer, others do all the time: it is no reason to ask it more often, nor
 * one for all that wait to try. */
static void test_mute_peer(void)
{
	struct world w;

	start(&w, 0);
	w.join[LTE] = JOIN_WORKS;
	w.mute_peer = "10.9.0.7";
	for (uint32_t token = 1; token <= 3; token++)
		world_connect(&w, token, "10.0.1.2", w.mute_peer, false);
	for (int i = 0; i < 600; i++) {
		world_connect(&w, 4, "10.0.1.2", WORLD_PEER, false);
		CU_ASSERT_EQUAL(on_lte(&w, 4, true), 1);
		world_wait(&w, 1000);
		world_close(&w, 4);
	}
	/* In ten minutes as often as TCP would, or the back-off. */
	for (uint32_t token = 1; token <= 3; token++)
		CU_ASSERT(nr_asked[token] >= 3 && nr_asked[token] <= 40);
	/* Once it answers it is found by the next try. */
	w.mute_peer = NULL;
	world_wait(&w, 230000);
	world_connect(&w, 4, "10.0.1.2", WORLD_PEER, false);
	for (uint32_t token = 1; token <= 3; token++)
		CU_ASSERT_EQUAL(on_lte(&w, token, true), 1);
	world_clear(&w);
}

/* Often at first, then in proportion to the time that nothing came. */
static void test_price(void)
{
	struct world w;

	start(&w, 1);
	world_wait(&w, 200000);
	CU_ASSERT(least_ms >= 700 && most_ms <= 800);
	CU_ASSERT(nr_again[1] >= 250 && nr_again[1] <= 286);
	world_wait(&w, 3400000);
	CU_ASSERT(nr_again[1] <= 1200);
	last_ms = most_ms = 0;
	least_ms = UINT64_MAX;
	world_wait(&w, 60000);
	CU_ASSERT(least_ms >= 12000 && most_ms <= 15000);
	/* It works, and falls silent anew. */
	world_run(&w, "up:lte works:lte t:20000 hangs:lte lost:lte");
	nr_again[1] = 0;
	world_wait(&w, 1600);
	CU_ASSERT_EQUAL(nr_again[1], 2);
	world_clear(&w);
}

/* The first join counts, the second does not. */
static void test_limits(void)
{
	struct world w;

	start(&w, 0);
	w.policy.limits.subflows = 1;
	world_run(&w, "c:wifi cable+ t:1600");
	CU_ASSERT_EQUAL(on_lte(&w, 0, false), 2);
	CU_ASSERT_EQUAL(w.nr_flows, 3);
	world_clear(&w);
}

/* A kernel that does not tell the ports of joins: they are left to it. */
static void test_no_ports(void)
{
	struct world w;

	start(&w, 2);
	w.hides_joins = true;
	w.log[0] = '\0';
	world_wait(&w, 60000);
	CU_ASSERT_STRING_EQUAL(w.log, "");
	w.hides_joins = false;
	world_wait(&w, 800);
	CU_ASSERT_STRING_EQUAL(w.log, "+lte");
	world_clear(&w);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("engine, silent paths", NULL, NULL);
	CU_add_test(suite, "what is done when", test_table);
	CU_add_test(suite, "a path that heals", test_heals);
	CU_add_test(suite, "one connection for all", test_one_for_all);
	CU_add_test(suite, "those that wait", test_those_that_wait);
	CU_add_test(suite, "an address that does not answer", test_mute_peer);
	CU_add_test(suite, "the price", test_price);
	CU_add_test(suite, "limits", test_limits);
	CU_add_test(suite, "ports are not told", test_no_ports);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
