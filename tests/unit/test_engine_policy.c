// SPDX-License-Identifier: GPL-2.0-only
/* Rules, another policy, the kernel's path manager, and what the engine tells of itself. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_fixture.h"
#include "pm/address.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static struct policy_prefix prefix(const char *text, uint8_t bits)
{
	struct pm_address a = world_address(text);
	struct policy_prefix p = { .bits = bits };

	if (a.family == AF_INET) {
		p.address[10] = p.address[11] = 0xff;
		memcpy(p.address + 12, &a.v4, 4);
		p.bits = (uint8_t)(bits + 96);
	} else {
		memcpy(p.address, &a.v6, 16);
	}
	return p;
}

static void identify(struct world *w, uint32_t token, uint32_t uid, const char *user,
		     const char *cgroup)
{
	struct pm_identity id = { .token = token, .uid = uid, .user = user, .cgroup = cgroup };
	struct pm_input in = { .kind = PM_INPUT_IDENTITY, .identity = &id };

	world_input(w, &in);
}

static void test_conditions(void)
{
	static const struct policy_rule at_443 = { .port = { { { 443, 443 } }, 1 } };
	const struct {
		struct policy_rule rule;
		const char *remote;
		bool server, matches;
		const char *cgroup, *user;
	} rows[] = {
		{ at_443, WORLD_PEER, false, true, NULL, NULL },
		{ { .port = { { { 22, 22 }, { 400, 500 } }, 2 } },
		  WORLD_PEER,
		  false,
		  true,
		  NULL,
		  NULL },
		{ { .port = { { { 444, 500 } }, 1 } }, WORLD_PEER, false, false, NULL, NULL },
		{ { .local_port = { { { 40000, 40000 } }, 1 } },
		  WORLD_PEER,
		  false,
		  true,
		  NULL,
		  NULL },
		{ { .local_port = { { { 1, 39999 } }, 1 } }, WORLD_PEER, false, false, NULL, NULL },
		{ { .prefix = prefix("10.9.0.0", 16) }, WORLD_PEER, false, true, NULL, NULL },
		{ { .prefix = prefix("10.9.0.0", 31) }, WORLD_PEER, false, true, NULL, NULL },
		{ { .prefix = prefix("10.9.0.2", 31) }, WORLD_PEER, false, false, NULL, NULL },
		{ { .prefix = prefix("10.9.0.1", 32) }, WORLD_PEER, false, true, NULL, NULL },
		{ { .prefix = prefix("::", 0) }, WORLD_PEER, false, true, NULL, NULL },
		{ { .prefix = prefix("fd00::", 8) }, WORLD_PEER, false, false, NULL, NULL },
		{ { .prefix = prefix("10.9.0.0", 16) },
		  "::ffff:10.9.0.1",
		  false,
		  true,
		  NULL,
		  NULL },
		{ { .role = POLICY_ROLE_CLIENT }, WORLD_PEER, false, true, NULL, NULL },
		{ { .role = POLICY_ROLE_SERVER }, WORLD_PEER, false, false, NULL, NULL },
		{ { .role = POLICY_ROLE_SERVER }, WORLD_PEER, true, true, NULL, NULL },
		{ { .cgroup = (char *)"/a/b" }, WORLD_PEER, false, true, "/a/b", NULL },
		{ { .cgroup = (char *)"/a/b" }, WORLD_PEER, false, true, "/a/b/c", NULL },
		{ { .cgroup = (char *)"/a/b" }, WORLD_PEER, false, false, "/a/bc", NULL },
		{ { .cgroup = (char *)"/a/b" }, WORLD_PEER, false, false, "/a", NULL },
		{ { .cgroup = (char *)"/a/b" }, WORLD_PEER, false, false, NULL, NULL },
		{ { .cgroup = (char *)"/" }, WORLD_PEER, false, true, "/x", NULL },
		{ { .user = (char *)"1000" }, WORLD_PEER, false, true, NULL, NULL },
		{ { .user = (char *)"1001" }, WORLD_PEER, false, false, NULL, NULL },
		{ { .user = (char *)"mia" }, WORLD_PEER, false, true, NULL, "mia" },
		{ { .user = (char *)"mia" }, WORLD_PEER, false, false, NULL, NULL },
		{ { .user = (char *)"mia", .cgroup = (char *)"/a" },
		  WORLD_PEER,
		  false,
		  false,
		  "/b",
		  "mia" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct pm_connection_view v;
		struct world w;

		world_init(&w, POLICY_MODE_HANDOVER);
		w.rules[0] = rows[i].rule;
		w.rules[0].number = 7;
		w.rules[0].mode_index = POLICY_MODE_AGGREGATE;
		w.rules[0].paths = UINT32_MAX;
		w.policy.nr_rules = 1;
		world_start(&w);
		world_connect(&w, 1, "10.0.1.2", rows[i].remote, rows[i].server);
		if (rows[i].rule.user || rows[i].rule.cgroup) {
			CU_ASSERT_STRING_EQUAL(w.log, "?");
			identify(&w, 1, 1000, rows[i].user, rows[i].cgroup);
		}
		CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
		CU_ASSERT(v.matched);
		CU_ASSERT_EQUAL(v.rule, rows[i].matches ? 7 : 0);
		CU_ASSERT_EQUAL(v.mode,
				rows[i].matches ? POLICY_MODE_AGGREGATE : POLICY_MODE_HANDOVER);
		if (v.rule != (rows[i].matches ? 7u : 0u))
			printf("\n    row %zu\n", i);
		free(v.subflows);
		world_clear(&w);
	}
}

static void test_first_match_wins(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	/* Asked only when a rule before the first certain match wants to know. */
	w.rules[0] = (struct policy_rule){ .port = { { { 443, 443 } }, 1 },
					   .mode_index = POLICY_MODE_HANDOVER,
					   .paths = UINT32_MAX,
					   .number = 1 };
	w.rules[1] = (struct policy_rule){ .user = (char *)"0",
					   .mode_index = POLICY_MODE_REDUNDANT,
					   .paths = UINT32_MAX,
					   .number = 2 };
	w.policy.nr_rules = 2;
	world_start(&w);
	world_run(&w, "c:wifi");
	CU_ASSERT_STRING_EQUAL(w.log, "");
	world_clear(&w);
}

/* Nothing is done before the rule is known, and it is asked for once. */
static void test_identity(void)
{
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.rules[0] = (struct policy_rule){ .cgroup = (char *)"/backup",
					   .mode_index = POLICY_MODE_CHEAPEST,
					   .paths = 1 << WIFI,
					   .number = 1 };
	w.policy.nr_rules = 1;
	world_start(&w);
	world_run(&w, "c:wifi cable+ lte- lte+");
	CU_ASSERT_STRING_EQUAL(w.log, "?");
	identify(&w, 1, 0, NULL, "/user");
	CU_ASSERT_STRING_EQUAL(w.log, "? +cable +lte");
	/* Never leaves Wi-Fi. */
	world_connect(&w, 2, "10.0.1.2", WORLD_PEER, false);
	w.log[0] = '\0';
	identify(&w, 2, 0, NULL, "/backup/job.service");
	w.log_token = 2;
	world_run(&w, "wifi- t:60000 wifi+ cable- t:60000");
	CU_ASSERT_STRING_EQUAL(w.log, "");
	world_clear(&w);
}

static int reload(struct world *w, const struct policy *p)
{
	struct pm_decisions out = { 0 };
	size_t nr = 0;
	int rc = pm_engine_policy(w->e, p, w->now, &out);

	for (size_t i = 0; i < out.nr; i++)
		nr += out.items[i].kind == PM_DECIDE_REQUEST;
	pm_decisions_clear(&out);
	return rc < 0 ? rc : (int)nr;
}

static void test_reload(void)
{
	struct pm_connection_view v;
	struct pm_source_view s;
	struct policy next;
	struct world w;

	world_init(&w, POLICY_MODE_HANDOVER);
	world_start(&w);
	world_run(&w, "c:wifi wifi! down:sat=1");
	/* The same again: nothing, and what is bad stays bad. */
	next = w.policy;
	CU_ASSERT_EQUAL(reload(&w, &next), 0);
	pm_engine_source(w.e, 0, &s);
	CU_ASSERT(s.bad);
	/* A rule for other connections does not concern this one. */
	w.rules[0] = (struct policy_rule){ .port = { { { 22, 22 } }, 1 },
					   .mode_index = POLICY_MODE_INTERACTIVE,
					   .paths = UINT32_MAX,
					   .number = 1 };
	next.nr_rules = 1;
	CU_ASSERT_EQUAL(reload(&w, &next), 0);
	/* One that concerns it does. */
	w.rules[0].port.ranges[0] = (struct policy_port_range){ 443, 443 };
	w.rules[0].mode_index = POLICY_MODE_AGGREGATE;
	CU_ASSERT_EQUAL(reload(&w, &next), 1);
	CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
	CU_ASSERT_EQUAL(v.rule, 1);
	free(v.subflows);
	/* Another engine: no. */
	next.engine = POLICY_ENGINE_KERNEL;
	CU_ASSERT_EQUAL(reload(&w, &next), -EINVAL);
	world_clear(&w);
}

static void test_choose(void)
{
	char reason[PM_REASON_BYTES];
	struct world w;

	world_init(&w, POLICY_MODE_HANDOVER);
	CU_ASSERT_EQUAL(pm_engine_choose(&w.policy, reason), POLICY_ENGINE_USERSPACE);
	w.policy.engine = POLICY_ENGINE_AUTO;
	CU_ASSERT_EQUAL(pm_engine_choose(&w.policy, reason), POLICY_ENGINE_KERNEL);
	CU_ASSERT(reason[0]);
	w.policy.nr_rules = 1;
	w.rules[0] = (struct policy_rule){ .mode_index = POLICY_MODE_HANDOVER,
					   .paths = UINT32_MAX,
					   .number = 3 };
	CU_ASSERT_EQUAL(pm_engine_choose(&w.policy, reason), POLICY_ENGINE_KERNEL);
	w.rules[0].paths = 1;
	CU_ASSERT_EQUAL(pm_engine_choose(&w.policy, reason), POLICY_ENGINE_USERSPACE);
	CU_ASSERT_PTR_NOT_NULL(strstr(reason, "rule 3"));
	w.policy.nr_rules = 0;
	w.modes[POLICY_MODE_HANDOVER].open_after_ms = 1;
	CU_ASSERT_EQUAL(pm_engine_choose(&w.policy, reason), POLICY_ENGINE_USERSPACE);
	w.policy.mode_index = POLICY_MODE_PURE_HANDOVER;
	CU_ASSERT_EQUAL(pm_engine_choose(&w.policy, reason), POLICY_ENGINE_USERSPACE);
}

static void test_kernel_engine(void)
{
	struct pm_connection_view v;
	struct world w;

	world_init(&w, POLICY_MODE_HANDOVER);
	w.policy.engine = POLICY_ENGINE_KERNEL;
	world_start(&w);
	CU_ASSERT_STRING_EQUAL(w.log, "wifi>>active");
	w.log[0] = '\0';
	world_run(&w, "c:wifi lte- lte+");
	CU_ASSERT_STRING_EQUAL(w.log, "");
	CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
	CU_ASSERT_FALSE(v.ours);
	free(v.subflows);
	world_run(&w, "wifi!");
	CU_ASSERT_STRING_EQUAL(w.log, "wifi>>backup lte>>active");
	world_run(&w, "t:2000 | wifi.");
	CU_ASSERT_STRING_EQUAL(w.log, "wifi>>active");
	world_run(&w, "| t:2000");
	CU_ASSERT_STRING_EQUAL(w.log, "lte>>none");
	world_run(&w, "| wifi-");
	CU_ASSERT_STRING_EQUAL(w.log, "wifi>>none lte>>active");
	world_clear(&w);
}

static void test_views(void)
{
	struct pm_identity id = { .uid = 0, .cgroup = "/backup" };
	struct pm_socket_pair at = { .local_port = 1000, .remote_port = 443 };
	struct pm_connection_view v;
	struct pm_source_view s;
	struct world w;

	world_init(&w, POLICY_MODE_INTERACTIVE);
	w.rules[0] = (struct policy_rule){ .cgroup = (char *)"/backup",
					   .mode_index = POLICY_MODE_CHEAPEST,
					   .paths = 1 << WIFI,
					   .number = 1 };
	w.policy.nr_rules = 1;
	world_start(&w);
	world_run(&w, "c:wifi");
	identify(&w, 1, 0, NULL, "/");
	world_run(&w, "rtt:wifi=812");
	CU_ASSERT_EQUAL(pm_engine_nr_sources(w.e), 2);
	pm_engine_source(w.e, 0, &s);
	CU_ASSERT(s.bad && s.present);
	CU_ASSERT_STRING_EQUAL(s.why_bad, "rtt 812 ms >= 600 ms");
	CU_ASSERT_EQUAL(s.wanted, PM_WANT_BACKUP);
	CU_ASSERT_EQUAL(s.nr_subflows, 1);
	CU_ASSERT_EQUAL(s.health.srtt_us, 812000);
	CU_ASSERT_STRING_EQUAL(s.interface, "wlan0");
	CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, 1, &v), 0);
	CU_ASSERT_EQUAL(v.nr_subflows, 2);
	CU_ASSERT_STRING_EQUAL(v.last_reason, "interactive: wifi is bad (rtt 812 ms >= 600 ms)");
	CU_ASSERT_EQUAL(v.wanted[0], PM_WANT_BACKUP);
	CU_ASSERT_EQUAL(v.wanted[1], PM_WANT_ACTIVE);
	free(v.subflows);
	CU_ASSERT_EQUAL(pm_engine_connection(w.e, 2, &v), -ENOENT);

	at.local = world_address("10.0.1.2");
	at.remote = world_address(WORLD_PEER);
	pm_engine_explain(w.e, &at, PM_ROLE_CLIENT, &id, &v);
	CU_ASSERT_EQUAL(v.rule, 1);
	CU_ASSERT_EQUAL(v.mode, POLICY_MODE_CHEAPEST);
	CU_ASSERT_EQUAL(v.wanted[0], PM_WANT_ACTIVE);
	CU_ASSERT_EQUAL(v.wanted[1], PM_WANT_NONE);
	pm_engine_explain(w.e, &at, PM_ROLE_CLIENT, NULL, &v);
	CU_ASSERT_EQUAL(v.rule, 0);
	CU_ASSERT_EQUAL(v.wanted[1], PM_WANT_ACTIVE);
	CU_ASSERT_STRING_EQUAL(pm_wanted_name(PM_WANT_BACKUP), "backup");
	world_clear(&w);
}

static void test_reasons(void)
{
	static const struct {
		enum policy_mode_kind mode;
		const char *script, *expected;
	} rows[] = {
		{ POLICY_MODE_HANDOVER, "c:wifi wifi!", "handover: wifi is bad (timeouts 3 >= 2)" },
		{ POLICY_MODE_HANDOVER, "c:wifi hangs:lte wifi!",
		  "handover: wifi is bad (timeouts 3 >= 2), lte takes over" },
		{ POLICY_MODE_HANDOVER, "c:wifi hangs:lte loss:wifi=305",
		  "handover: wifi is bad (loss 30 % >= 25 %), lte takes over" },
		{ POLICY_MODE_HANDOVER, "c:wifi hangs:lte wifi-",
		  "handover: wifi is gone, lte takes over" },
		{ POLICY_MODE_HANDOVER, "c:wifi wifi- wifi+ t:2000 hangs:lte wifi-",
		  "handover: wifi is gone, lte takes over" },
		{ POLICY_MODE_HANDOVER, "c:wifi wifi-", "wifi (wlan0) is gone" },
		{ POLICY_MODE_HANDOVER, "c:wifi down:wifi=1", "wifi was taken down by hand" },
		{ POLICY_MODE_HANDOVER, "c:lte t:2000", "handover: lte is not needed any more" },
		{ POLICY_MODE_HANDOVER, "c:wifi hangs:wifi lost:wifi t:500",
		  "handover: wifi does not work, lte takes over" },
		{ POLICY_MODE_AGGREGATE, "c:wifi", "aggregate: lte carries data" },
		{ POLICY_MODE_AGGREGATE, "c:wifi lost:lte",
		  "aggregate: lte was lost or refused, attempt 2" },
		{ POLICY_MODE_INTERACTIVE, "c:wifi", "interactive: lte is held ready as backup" },
		{ POLICY_MODE_TARGET, "c:wifi rate:wifi=2",
		  "target: 2.0 of 5.0 Mbit/s without lte, which joins in" },
	};

	for (size_t i = 0; i < NR(rows); i++) {
		struct world w;

		world_init(&w, rows[i].mode);
		world_start(&w);
		world_run(&w, rows[i].script);
		CU_ASSERT_STRING_EQUAL(w.reason, rows[i].expected);
		if (strcmp(w.reason, rows[i].expected) != 0)
			printf("\n    %s: %s\n", rows[i].script, w.reason);
		world_clear(&w);
	}
}

/* Ids are each other's, and of what is too much the rest is left out with a word. */
static void test_many_addresses(void)
{
	struct pm_address many[80];
	bool seen[256] = { false };
	struct world w;

	world_init(&w, POLICY_MODE_HANDOVER);
	for (unsigned int i = 0; i < 80; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.8.%u.%u", i / 8, i + 1);
		many[i] = world_address(text);
	}
	w.interfaces[WIFI].addresses = many;
	w.interfaces[WIFI].nr_addresses = 80;
	world_start(&w);
	CU_ASSERT_STRING_EQUAL(w.log, "notice");
	CU_ASSERT_EQUAL_FATAL(pm_engine_nr_sources(w.e), PM_SOURCES_MAX);
	for (size_t i = 0; i < PM_SOURCES_MAX; i++) {
		struct pm_source_view v;

		pm_engine_source(w.e, i, &v);
		CU_ASSERT(v.id && !seen[v.id]);
		seen[v.id] = true;
	}
	/* Places of addresses that are gone are used again. */
	w.interfaces[WIFI].addresses = w.addresses[WIFI];
	w.interfaces[WIFI].nr_addresses = 1;
	world_interfaces(&w);
	w.log[0] = '\0';
	world_interfaces(&w);
	world_run(&w, "c:wifi wifi-");
	CU_ASSERT_STRING_EQUAL(w.log, "+lte ~wifi -wifi");
	world_clear(&w);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("engine, rules and views", NULL, NULL);
	CU_add_test(suite, "conditions", test_conditions);
	CU_add_test(suite, "first match wins", test_first_match_wins);
	CU_add_test(suite, "identity", test_identity);
	CU_add_test(suite, "another policy", test_reload);
	CU_add_test(suite, "which engine", test_choose);
	CU_add_test(suite, "kernel engine", test_kernel_engine);
	CU_add_test(suite, "views", test_views);
	CU_add_test(suite, "reasons", test_reasons);
	CU_add_test(suite, "many addresses", test_many_addresses);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
