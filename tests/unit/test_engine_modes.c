// SPDX-License-Identifier: GPL-2.0-only
/* What each mode does when paths come, go, and get bad and good: scripts against decisions. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "engine_fixture.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *script, *expected;
};

static void check(enum policy_mode_kind mode, const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct world w;

		world_init(&w, mode);
		world_start(&w);
		world_run(&w, rows[i].script);
		if (strcmp(w.log, rows[i].expected) != 0)
			printf("\n    %s, \"%s\":\n      expected \"%s\"\n      got      \"%s\"\n",
			       w.modes[mode].name, rows[i].script, rows[i].expected, w.log);
		CU_ASSERT_STRING_EQUAL(w.log, rows[i].expected);
		world_clear(&w);
	}
}

static void test_handover(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "" },
		{ "c:wifi t:60000", "" },
		{ "c:lte", "+wifi" },
		{ "c:lte | t:1999", "" },
		{ "c:lte | t:2000", "-lte" },
		{ "c:wifi | wifi-", "+lte ~wifi -wifi" },
		{ "c:wifi wifi- | wifi+", "+wifi" },
		{ "c:wifi wifi- wifi+ | t:1999", "" },
		{ "c:wifi wifi- wifi+ | t:2000", "-lte" },
		{ "c:wifi | bad:wifi", "" },
		{ "c:wifi | bad:wifi t:1 bad:wifi", "+lte wifi>b" },
		{ "c:wifi | bad:wifi good:wifi bad:wifi", "" },
		{ "c:wifi | wifi!", "+lte wifi>b" },
		{ "c:wifi | rtt:wifi=900", "" },
		{ "c:wifi | rto:wifi=1600", "+lte wifi>b" },
		{ "c:wifi | rto:wifi=1400", "" },
		{ "c:wifi | loss:wifi=250", "+lte wifi>b" },
		{ "c:wifi | loss:wifi=249", "" },
		{ "c:wifi | resent:wifi=600", "+lte wifi>b" },
		{ "c:wifi | stall:wifi=3000", "+lte wifi>b" },
		{ "c:wifi wifi! | wifi.", "" },
		{ "c:wifi wifi! t:2000 | wifi.", "wifi>a" },
		{ "c:wifi wifi! t:2000 wifi. | t:1999", "" },
		{ "c:wifi wifi! t:2000 wifi. | t:2000", "-lte" },
		{ "c:wifi loss:wifi=300 t:2000 | loss:wifi=150", "" },
		{ "c:wifi loss:wifi=300 t:2000 | loss:wifi=100", "wifi>a" },
		{ "c:wifi wifi! t:2000 wifi. t:2000 | wifi!", "+lte wifi>b" },
		{ "c:wifi wifi! t:2000 wifi. t:500 | wifi!", "" },
		{ "c:wifi lte! | wifi!", "" },
		{ "c:wifi wifi! | lte!", "wifi>a" },
		{ "c:wifi wifi! | t:7999", "" },
		{ "c:wifi wifi! | t:8000", "wifi>a" },
		{ "c:wifi wifi! t:8000 | t:7999", "" },
		{ "c:wifi wifi! t:8000 | t:8000", "-lte" },
		{ "c:wifi wifi! t:8000 | good:wifi t:2000", "-lte" },
		{ "c:wifi wifi! t:8000 | bad:wifi t:2000 bad:wifi", "wifi>b" },
		{ "c:wifi cable+", "+cable" },
		{ "c:wifi cable+ | wifi-", "~wifi -wifi" },
		{ "c:wifi cable+ | wifi!", "wifi>b" },
		{ "c:wifi cable+ wifi! | cable!", "+lte cable>b" },
		{ "c:wifi sat+ wifi- | lte-", "+sat ~lte -lte" },
		{ "c:wifi sat+ | wifi! lte!", "+lte wifi>b +sat lte>b" },
		{ "c:wifi sat+ wifi! lte! t:2000 | lte. t:2000", "lte>a -sat" },
		{ "c:wifi wifi! lte! | t:4000", "" },
		{ "c:wifi | hangs:lte wifi- t:499", "+lte" },
		{ "c:wifi sat+ | hangs:lte wifi- t:500", "+lte +sat ~wifi -wifi" },
		{ "c:wifi sat+ | refused:lte wifi-", "+lte +sat ~wifi -wifi" },
		{ "c:wifi hangs:wifi | lost:wifi t:499", "+wifi" },
		{ "c:wifi hangs:wifi | lost:wifi t:500", "+wifi +lte" },
		{ "c:wifi hangs:wifi lost:wifi t:500 | up:wifi t:3000", "-lte" },
		{ "c:wifi wifi- lte- | t:60000", "" },
		{ "c:wifi wifi- lte- | wifi+ t:3000", "+wifi ~lte -lte" },
		{ "c:wifi wifi- lte- | lte+", "" },
		{ "c:wifi | down:wifi=1", "+lte ~wifi -wifi" },
		{ "c:wifi down:wifi=1 | down:wifi=0 t:1999", "+wifi" },
		{ "c:wifi | lte- lte+", "" },
		{ "s:wifi | lte- lte+ wifi!", "" },
		{ "c:wifi | prio:wifi=1", "" },
		{ "c:wifi wifi! t:5000 wifi. | t:1999", "" },
		{ "c:wifi wifi! t:5000 wifi. | t:2000", "-lte" },
		{ "hangs:lte c:wifi lte! wifi- t:3000 works:lte | lte.", "+lte lte>a ~wifi -wifi" },
		{ "c:wifi sat+ refused:lte wifi! works:lte | t:1300", "+lte" },
	};

	check(POLICY_MODE_HANDOVER, rows, NR(rows));
}

static void test_aggregate(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "+lte" },
		{ "c:lte", "+wifi" },
		{ "c:wifi cable+", "+lte +cable" },
		{ "c:wifi cable+ sat+", "+lte +cable +sat" },
		{ "c:wifi | wifi-", "~wifi -wifi" },
		{ "c:wifi | lte-", "~lte -lte" },
		{ "c:wifi lte- | lte+", "+lte" },
		{ "c:wifi | wifi!", "" },
		{ "c:wifi wifi- | wifi+", "+wifi" },
		{ "c:wifi t:60000 | lte- wifi- lte+ wifi+", "~lte -lte +lte ~wifi -wifi +wifi" },
	};

	check(POLICY_MODE_AGGREGATE, rows, NR(rows));
}

static void test_active_standby(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "+lte/b" },
		{ "c:lte", "+wifi lte>b" },
		{ "c:wifi cable+", "+lte/b +cable/b" },
		{ "c:wifi | wifi-", "lte>a ~wifi -wifi" },
		{ "c:wifi wifi- | wifi+", "+wifi/b" },
		{ "c:wifi wifi- wifi+ | t:1999", "" },
		{ "c:wifi wifi- wifi+ | t:2000", "wifi>a lte>b" },
		{ "c:wifi | wifi!", "lte>a wifi>b" },
		{ "c:wifi | rtt:wifi=900", "" },
		{ "c:wifi wifi! t:2000 | wifi.", "" },
		{ "c:wifi wifi! t:2000 wifi. | t:1999", "" },
		{ "c:wifi wifi! t:2000 wifi. | t:2000", "wifi>a lte>b" },
		{ "c:wifi wifi! | lte!", "wifi>a lte>b" },
		{ "c:wifi lte! | wifi!", "" },
		{ "c:wifi lte! wifi! t:2000 | lte.", "lte>a wifi>b" },
		{ "c:wifi cable+ | rtt:wifi=90 rtt:cable=20", "" },
		{ "c:wifi cable+ | wifi!", "lte>a wifi>b" },
		{ "c:wifi | lost:wifi", "+wifi" },
		{ "c:wifi | refused:wifi lost:wifi", "+wifi lte>a" },
		{ "c:wifi | lte-", "~lte -lte" },
		{ "c:wifi fails:lte lte- lte+ | wifi!", "" },
		{ "c:wifi wifi! | t:16000", "wifi>a lte>b" },
		{ "c:wifi cable+ t:2000 | rtt:wifi=90 rtt:cable=20 sat+", "+sat/b" },
		{ "c:wifi cable+ t:2000 | wifi!", "cable>a wifi>b" },
	};

	check(POLICY_MODE_ACTIVE_STANDBY, rows, NR(rows));
}

static void test_interactive(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "+lte/b" },
		{ "c:lte", "+wifi lte>b" },
		{ "c:wifi | rtt:wifi=599", "" },
		{ "c:wifi | rtt:wifi=600", "lte>a wifi>b" },
		{ "c:wifi rtt:wifi=600 t:2000 | rtt:wifi=401", "" },
		{ "c:wifi rtt:wifi=600 t:2000 | rtt:wifi=400", "" },
		{ "c:wifi rtt:wifi=600 t:2000 rtt:wifi=400 | t:2000", "wifi>a lte>b" },
		{ "c:wifi | rto:wifi=1500", "lte>a wifi>b" },
		{ "c:wifi | bad:wifi", "" },
		{ "c:wifi | bad:wifi t:1 bad:wifi", "lte>a ~wifi -wifi" },
		{ "c:wifi | stall:wifi=1500", "lte>a ~wifi -wifi" },
		{ "c:wifi stall:wifi=1500 | t:1999", "" },
		{ "c:wifi stall:wifi=1500 | t:2000", "+wifi/b" },
		{ "c:wifi lte- | stall:wifi=1500", "" },
		{ "c:wifi lte- stall:wifi=1500 | lte+", "+lte ~wifi -wifi" },
		{ "c:wifi | stall:wifi=1499", "" },
		{ "c:wifi | loss:wifi=250", "lte>a wifi>b" },
		{ "c:wifi | resent:wifi=500", "lte>a wifi>b" },
		{ "c:wifi | wifi-", "lte>a ~wifi -wifi" },
		{ "c:wifi wifi- | wifi+ t:2000", "+wifi/b wifi>a lte>b" },
		{ "c:wifi cable+ | rtt:wifi=90 rtt:cable=20", "" },
		{ "c:wifi cable+ | rtt:wifi=90 rtt:cable=85", "" },
		{ "c:wifi cable+ | rtt:cable=20 wifi!", "lte>a ~wifi -wifi" },
		{ "c:wifi rtt:lte=20 rtt:wifi=300", "+lte/b" },
		{ "c:wifi wifi! | lte!", "" },
		{ "c:wifi wifi! lte! | t:2000", "+wifi ~lte -lte" },
		{ "c:wifi rtt:wifi=700 | lte-", "wifi>a ~lte -lte" },
		{ "c:wifi rtt:wifi=700 | t:16000", "wifi>a lte>b" },
		{ "c:wifi cable+ t:2000 | rtt:wifi=90 rtt:cable=20", "cable>a wifi>b" },
		{ "c:wifi cable+ t:2000 | rtt:wifi=20 rtt:cable=90", "" },
		{ "c:wifi | rtt:wifi=90 rtt:lte=20", "" },
	};

	check(POLICY_MODE_INTERACTIVE, rows, NR(rows));
}

static void test_pure_handover(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "" },
		{ "c:lte | t:60000", "" },
		{ "c:wifi | wifi-", "+lte ~wifi -wifi" },
		{ "c:wifi wifi- | wifi+ t:60000", "" },
		{ "c:wifi wifi- wifi+ | lte-", "+wifi ~lte -lte" },
		{ "c:wifi | wifi!", "+lte" },
		{ "c:wifi wifi! | t:2000", "-wifi" },
		{ "c:wifi wifi! t:2000 | wifi. t:60000", "" },
		{ "c:wifi lte! | wifi!", "" },
		{ "c:wifi | lost:wifi", "+wifi" },
		{ "c:wifi | refused:wifi lost:wifi", "+wifi +lte" },
		{ "c:wifi cable+ sat+", "" },
		{ "c:wifi cable+ | wifi-", "+cable ~wifi -wifi" },
		{ "c:wifi wifi- lte- | wifi+", "+wifi ~lte -lte" },
	};

	check(POLICY_MODE_PURE_HANDOVER, rows, NR(rows));
}

static void test_smallest_delay(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "+lte/b" },
		{ "c:wifi rtt:wifi=50 | rtt:lte=20", "lte>a wifi>b" },
		{ "c:wifi rtt:wifi=50 | rtt:lte=46", "lte>a wifi>b" },
		{ "c:wifi rtt:wifi=50 rtt:lte=20 | rtt:lte=200", "" },
		{ "c:wifi rtt:wifi=50 rtt:lte=20 t:2000 | rtt:lte=200", "wifi>a lte>b" },
		{ "c:wifi rtt:wifi=50 rtt:lte=20 | lte-", "wifi>a ~lte -lte" },
		{ "c:wifi rtt:wifi=50 rtt:lte=20 | lte!", "wifi>a lte>b" },
		{ "c:wifi rtt:wifi=50 rtt:lte=20 lte- | lte+ rtt:lte=20", "+lte/b" },
		{ "c:wifi rtt:wifi=50 rtt:lte=20 lte- lte+ rtt:lte=20 | t:2000", "lte>a wifi>b" },
		{ "c:wifi rtt:lte=20", "+lte/b lte>a wifi>b" },
		{ "c:lte rtt:wifi=50 rtt:lte=20", "+wifi lte>b lte>a wifi>b" },
	};

	check(POLICY_MODE_SMALLEST_DELAY, rows, NR(rows));
}

static void test_load_balance(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "+lte" },
		{ "c:wifi cable+ sat+", "+lte +cable +sat" },
		{ "c:wifi | wifi!", "" },
		{ "c:wifi | wifi-", "~wifi -wifi" },
		{ "c:wifi lte- | lte+", "+lte" },
		{ "c:lte", "+wifi" },
	};

	check(POLICY_MODE_LOAD_BALANCE, rows, NR(rows));
}

static void test_priority(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "" },
		{ "c:wifi cable+", "+cable" },
		{ "c:wifi cable+ | wifi!", "wifi>b" },
		{ "c:wifi cable+ wifi! | cable!", "+lte cable>b" },
		{ "c:wifi cable+ | wifi- cable-", "~wifi -wifi +lte ~cable -cable" },
		{ "c:wifi cable+ wifi! cable! t:2000 | wifi.", "wifi>a" },
		{ "c:wifi cable+ wifi! cable! t:2000 wifi. | t:2000", "-lte" },
		{ "c:wifi sat+ | wifi! lte!", "+lte wifi>b +sat lte>b" },
		{ "c:wifi sat+ wifi! lte! t:2000 | lte.", "lte>a" },
		{ "c:wifi sat+ wifi! lte! t:2000 lte. | t:2000", "-sat" },
		{ "c:wifi lte! | wifi!", "" },
		{ "c:lte", "+wifi" },
		{ "c:wifi wifi! t:5000 wifi. | t:1999", "" },
		{ "c:wifi wifi! t:5000 wifi. | t:2000", "-lte" },
		{ "c:wifi cable+ t:5000 | wifi! t:60000", "wifi>b wifi>a" },
	};

	check(POLICY_MODE_PRIORITY, rows, NR(rows));
}

static void test_redundant(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "+lte" },
		{ "c:wifi cable+ sat+", "+lte +cable +sat" },
		{ "c:wifi | wifi!", "" },
		{ "c:wifi | wifi-", "~wifi -wifi" },
		{ "c:wifi | lost:lte", "+lte" },
	};

	check(POLICY_MODE_REDUNDANT, rows, NR(rows));
}

static void test_cheapest(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "" },
		{ "c:wifi | wifi!", "" },
		{ "c:wifi | wifi-", "+lte ~wifi -wifi" },
		{ "c:wifi wifi- | wifi+", "+wifi" },
		{ "c:wifi wifi- wifi+ | t:2000", "-lte" },
		{ "c:wifi cable+", "+cable" },
		{ "c:wifi cable+ | wifi-", "~wifi -wifi" },
		{ "c:lte", "+wifi" },
		{ "c:lte | t:2000", "-lte" },
		{ "c:wifi | refused:wifi lost:wifi t:4000", "+wifi +wifi +wifi" },
		{ "c:wifi wifi- | lte- wifi+ t:60000", "+wifi ~lte -lte" },
		{ "c:wifi wifi- t:5000 wifi+ | t:1999", "" },
		{ "c:wifi wifi- t:5000 wifi+ | t:2000", "-lte" },
		{ "c:wifi | rtt:wifi=5000 wifi! t:60000", "" },
	};

	check(POLICY_MODE_CHEAPEST, rows, NR(rows));
}

static void test_target(void)
{
	static const struct row rows[] = {
		{ "c:wifi", "" },
		{ "c:wifi | rate:wifi=4", "+lte" },
		{ "c:wifi | rate:wifi=5", "" },
		{ "c:wifi rate:wifi=4 t:2000 | rate:wifi=6", "-lte" },
		{ "c:wifi rate:wifi=4 | rate:wifi=6", "" },
		{ "c:wifi cable+ rate:wifi=3 | rate:cable=3", "" },
		{ "c:wifi cable+ rate:wifi=3 | rate:cable=1", "" },
		{ "c:wifi | wifi!", "+lte wifi>b" },
		{ "c:wifi | wifi-", "+lte ~wifi -wifi" },
		{ "c:wifi sat+ | rate:wifi=1", "+lte" },
		{ "c:wifi sat+ lte! | rate:wifi=1", "+sat" },
		{ "c:wifi lte! sat- | rate:wifi=1", "" },
		{ "c:wifi rate:wifi=4 | lte-", "~lte -lte" },
	};

	check(POLICY_MODE_TARGET, rows, NR(rows));
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("engine modes", NULL, NULL);
	CU_add_test(suite, "handover", test_handover);
	CU_add_test(suite, "aggregate", test_aggregate);
	CU_add_test(suite, "active-standby", test_active_standby);
	CU_add_test(suite, "interactive", test_interactive);
	CU_add_test(suite, "pure-handover", test_pure_handover);
	CU_add_test(suite, "smallest-delay", test_smallest_delay);
	CU_add_test(suite, "load-balance", test_load_balance);
	CU_add_test(suite, "priority", test_priority);
	CU_add_test(suite, "redundant", test_redundant);
	CU_add_test(suite, "cheapest", test_cheapest);
	CU_add_test(suite, "target", test_target);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
