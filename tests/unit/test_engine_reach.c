// SPDX-License-Identifier: GPL-2.0-only
/* Where subflows may go, and what both ends tell of addresses and priorities. */
#include <CUnit/Basic.h>
#include <stdio.h>
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

static void test_announced_by_peer(void)
{
	struct world w;

	/* As many as the policy accepts, from the best path. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	w.policy.limits.add_addr_accepted = 1;
	world_start(&w);
	expect(&w, "c:wifi peer:10.9.0.2=2 peer:10.9.0.3=3", "+lte +wifi@10.9.0.2");
	expect(&w, "gone:2", "+wifi@10.9.0.3");
	world_clear(&w);

	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	expect(&w, "c:wifi peer:10.9.0.2=2", "+lte");
	world_clear(&w);

	/* Each pair. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	w.paths[WIFI].use |= POLICY_ENDPOINT_FULLMESH;
	w.paths[LTE].use |= POLICY_ENDPOINT_FULLMESH;
	world_start(&w);
	expect(&w, "c:wifi peer:10.9.0.2=2", "+lte +wifi@10.9.0.2 +lte@10.9.0.2");
	world_clear(&w);

	/* Joins to the address of the connection are not wanted (C flag of MP_CAPABLE). */
	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	w.deny_join_id0 = true;
	expect(&w, "c:wifi t:5000", "");
	expect(&w, "peer:10.9.0.2=2", "+lte@10.9.0.2");
	world_clear(&w);
}

static void test_announced_by_us(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.paths[LTE].use = POLICY_ENDPOINT_SIGNAL;
	world_start(&w);
	expect(&w, "s:wifi", "!lte");
	expect(&w, "lte-", "~lte");
	expect(&w, "lte+", "!lte");
	expect(&w, "down:lte=1", "~lte");
	world_clear(&w);

	/* Its own address the peer knows; a client announces too, and joins from nowhere then. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	w.paths[WIFI].use = w.paths[LTE].use = POLICY_ENDPOINT_SIGNAL;
	world_start(&w);
	expect(&w, "c:wifi", "!lte");
	world_clear(&w);

	/* Not what the mode does not want. */
	world_init(&w, POLICY_MODE_HANDOVER);
	w.paths[LTE].use = POLICY_ENDPOINT_SIGNAL;
	world_start(&w);
	expect(&w, "s:wifi", "");
	expect(&w, "wifi!", "!lte");
	world_clear(&w);
}

/* A server closes nothing that the client opened, but tells which path it prefers. */
static void test_server(void)
{
	struct world_flow join = { .token = 1,
				   .at = { .local_port = 443, .remote_port = 50000 },
				   .local_id = 219,
				   .established = true };
	struct pm_event ev = { .type = PM_EVENT_SUB_ESTABLISHED, .token = 1 };
	struct world w;

	world_init(&w, POLICY_MODE_INTERACTIVE);
	world_start(&w);
	expect(&w, "s:wifi", "");
	join.at.local = world_address("10.0.2.2");
	join.at.remote = world_address(WORLD_PEER);
	w.flows[w.nr_flows++] = join;
	ev.at = join.at;
	ev.local_id = join.local_id;
	world_event(&w, &ev);
	CU_ASSERT_STRING_EQUAL(w.log, "lte>b");
	expect(&w, "wifi!", "lte>a wifi>b");
	expect(&w, "lte-", "wifi>a ~lte -lte");
	world_clear(&w);
}

static void add_address(struct world *w, unsigned int path, const char *text)
{
	w->addresses[path][w->interfaces[path].nr_addresses++] = world_address(text);
}

static void test_families(void)
{
	struct world w;

	/* An IPv6 connection joins from IPv6 addresses, and IPv4 where the peer announces one. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	add_address(&w, WIFI, "fd01::2");
	add_address(&w, LTE, "fd02::2");
	world_start(&w);
	world_connect(&w, 1, "fd01::2", "fd09::1", false);
	CU_ASSERT_STRING_EQUAL(w.log, "+fd02::2@fd09::1");
	world_clear(&w);

	world_init(&w, POLICY_MODE_AGGREGATE);
	add_address(&w, WIFI, "fd01::2");
	world_start(&w);
	world_connect(&w, 1, "fd01::2", "fd09::1", false);
	CU_ASSERT_STRING_EQUAL(w.log, "");
	expect(&w, "peer:10.9.0.2=2", "+lte@10.9.0.2");
	world_clear(&w);

	/* An IPv4 socket never gets IPv6. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	add_address(&w, LTE, "fd02::2");
	world_start(&w);
	expect(&w, "c:wifi peer:fd09::1=2", "+lte");
	world_clear(&w);

	/* An IPv6 socket that connected to ::ffff:a.b.c.d gets IPv4, and is told in its own words.
	 */
	world_init(&w, POLICY_MODE_HANDOVER);
	world_start(&w);
	world_connect(&w, 1, "::ffff:10.0.1.2", "::ffff:10.9.0.1", false);
	CU_ASSERT_STRING_EQUAL(w.log, "");
	expect(&w, "wifi-", "+lte ~wifi -::ffff:10.0.1.2@::ffff:10.9.0.1");
	world_clear(&w);
}

/* A connection within the host or the link stays as it is. */
static void test_near(void)
{
	static const char *const ends[][2] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "10.0.1.2", "10.0.1.2" },
		{ "10.0.1.2", "10.0.2.2" },
		{ "::1", "::1" },
		{ "::ffff:127.0.0.1", "::ffff:127.0.0.1" },
		{ "fe80::1", "fe80::2" },
		{ "169.254.0.1", "169.254.0.2" },
	};

	for (size_t i = 0; i < NR(ends); i++) {
		struct world w;

		world_init(&w, POLICY_MODE_AGGREGATE);
		add_address(&w, LTE, "fd02::2");
		world_start(&w);
		world_connect(&w, 1, ends[i][0], ends[i][1], false);
		CU_ASSERT_STRING_EQUAL(w.log, "");
		world_clear(&w);
	}
}

struct last {
	struct pm_request r;
	size_t nr;
};

static struct last last_add;

static void keep_add(struct world *w, const struct pm_decision *d)
{
	(void)w;
	if (d->kind != PM_DECIDE_REQUEST || d->request.kind != PM_SUBFLOW_ADD)
		return;
	last_add.r = d->request;
	last_add.nr++;
}

/* What the kernel is asked is complete: device, ids, the peer's port. */
static void test_request(void)
{
	struct pm_source_view v;
	struct world w;
	uint8_t id;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.watch = keep_add;
	world_start(&w);
	expect(&w, "c:wifi", "+lte");
	pm_engine_source(w.e, 1, &v);
	CU_ASSERT_EQUAL(last_add.r.local.ifindex, 3);
	CU_ASSERT_EQUAL(last_add.r.local.id, v.id);
	CU_ASSERT(last_add.r.has_local_id && last_add.r.has_remote_id);
	CU_ASSERT_NOT_EQUAL(v.id, 0);
	CU_ASSERT_EQUAL(last_add.r.remote.port, 443);
	CU_ASSERT_EQUAL(last_add.r.remote.id, 0);
	id = v.id;
	/* The address of the connection has the id 0, also when it is joined from again. */
	expect(&w, "lost:wifi", "+wifi");
	CU_ASSERT_EQUAL(last_add.r.local.id, 0);
	world_clear(&w);

	/* The same id after a restart. */
	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	pm_engine_source(w.e, 1, &v);
	CU_ASSERT_EQUAL(v.id, id);
	world_clear(&w);
}

/* A peer that asks not to use a path is heard by trust. */
static void test_trust(void)
{
	static const struct {
		enum policy_trust trust;
		const char *expected;
	} rows[] = {
		{ POLICY_TRUST_LOW, "" },
		{ POLICY_TRUST_NORMAL, "" },
		{ POLICY_TRUST_HIGH, "+lte wifi>b" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct world w;

		world_init(&w, POLICY_MODE_HANDOVER);
		w.paths[WIFI].trust = rows[i].trust;
		world_start(&w);
		expect(&w, "c:wifi", "");
		expect(&w, "prio:wifi=1", rows[i].expected);
		if (rows[i].trust == POLICY_TRUST_HIGH)
			expect(&w, "t:2000 prio:wifi=0 t:2000", "wifi>a -lte");
		world_clear(&w);
	}
}

/* `backup` of a path goes before what the mode says. */
static void test_path_backup(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.paths[LTE].backup = POLICY_YES;
	world_start(&w);
	expect(&w, "c:wifi", "+lte/b");
	expect(&w, "wifi-", "lte>a ~wifi -wifi");
	world_clear(&w);

	world_init(&w, POLICY_MODE_HANDOVER);
	w.paths[LTE].backup = POLICY_YES;
	world_start(&w);
	expect(&w, "c:wifi", "+lte/b");
	world_clear(&w);

	world_init(&w, POLICY_MODE_INTERACTIVE);
	w.paths[LTE].backup = POLICY_NO;
	world_start(&w);
	expect(&w, "c:wifi", "+lte");
	world_clear(&w);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("engine, addresses and priorities", NULL, NULL);
	CU_add_test(suite, "addresses of the peer", test_announced_by_peer);
	CU_add_test(suite, "addresses announced", test_announced_by_us);
	CU_add_test(suite, "server", test_server);
	CU_add_test(suite, "families", test_families);
	CU_add_test(suite, "within the host or link", test_near);
	CU_add_test(suite, "requests are complete", test_request);
	CU_add_test(suite, "the peer's backup bit", test_trust);
	CU_add_test(suite, "the path's backup", test_path_backup);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
