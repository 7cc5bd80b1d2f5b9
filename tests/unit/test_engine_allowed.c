// SPDX-License-Identifier: GPL-2.0-only
/* What caps and schedules leave of paths, in each kind of mode; words as in engine_fixture.h. */
#include <CUnit/Basic.h>
#include <string.h>

#include "engine_fixture.h"

static const struct {
	enum policy_mode_kind mode;
	const char *script, *expected, *reason; /* of the last request; NULL: any */
} rows[] = {
	/* Not at all. */
	{ POLICY_MODE_AGGREGATE, "c:wifi | cap:lte=2", "~lte -lte",
	  "lte may not be used now: its cap or its schedule" },
	{ POLICY_MODE_AGGREGATE, "c:wifi cap:lte=2 | cap:lte=0", "+lte", NULL },
	{ POLICY_MODE_AGGREGATE, "c:wifi refused:lte lost:lte t:1 cap:lte=2 works:lte | cap:lte=0",
	  "+lte", NULL },
	{ POLICY_MODE_AGGREGATE, "cap:lte=2 c:wifi", "", NULL },
	{ POLICY_MODE_AGGREGATE, "c:wifi | cap:wifi=2", "~wifi -wifi", NULL },
	{ POLICY_MODE_HANDOVER, "c:wifi cap:lte=2 | wifi!", "", NULL },
	{ POLICY_MODE_HANDOVER, "c:wifi sat+ cap:lte=2 | wifi!", "+sat wifi>b", NULL },
	{ POLICY_MODE_HANDOVER, "c:wifi wifi! | cap:lte=2", "wifi>a ~lte -lte", NULL },
	{ POLICY_MODE_INTERACTIVE, "c:wifi | cap:wifi=2", "lte>a ~wifi -wifi", NULL },
	/* The only one there is stays: a connection is not ended. */
	{ POLICY_MODE_HANDOVER, "c:wifi lte- | cap:wifi=2", "", NULL },
	{ POLICY_MODE_HANDOVER, "c:wifi lte- cap:wifi=2 | lte+", "+lte ~wifi -wifi", NULL },
	/* Only when no other does. */
	{ POLICY_MODE_AGGREGATE, "c:wifi | cap:lte=1", "lte>b",
	  "aggregate: lte has reached its cap" },
	{ POLICY_MODE_AGGREGATE, "c:wifi cap:lte=1 | cap:lte=0", "lte>a", NULL },
	{ POLICY_MODE_AGGREGATE, "c:wifi cap:lte=1 | wifi-", "lte>a ~wifi -wifi", NULL },
	{ POLICY_MODE_REDUNDANT, "cap:lte=1 c:wifi", "+lte/b", NULL },
	{ POLICY_MODE_LOAD_BALANCE, "c:wifi cable+ | cap:cable=1", "cable>b", NULL },
	{ POLICY_MODE_HANDOVER, "cap:lte=1 c:wifi", "", NULL },
	{ POLICY_MODE_HANDOVER, "cap:lte=1 c:wifi | wifi-", "+lte ~wifi -wifi", NULL },
	{ POLICY_MODE_HANDOVER, "c:wifi sat+ cap:lte=1 | wifi-", "+sat ~wifi -wifi", NULL },
	{ POLICY_MODE_INTERACTIVE, "c:wifi | cap:wifi=1 t:2000", "lte>a wifi>b", NULL },
	{ POLICY_MODE_CHEAPEST, "c:wifi cable+ | cap:wifi=1 t:2000", "wifi>b -wifi", NULL },
	/* The same again is no change. */
	{ POLICY_MODE_AGGREGATE, "c:wifi cap:lte=1 | cap:lte=1", "", NULL },
};

static void test_allowed(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;

		world_init(&w, rows[i].mode);
		world_start(&w);
		world_run(&w, rows[i].script);
		if (strcmp(w.log, rows[i].expected) != 0)
			printf("\n    %s, \"%s\":\n      expected \"%s\"\n      got      \"%s\"\n",
			       w.modes[rows[i].mode].name, rows[i].script, rows[i].expected, w.log);
		CU_ASSERT_STRING_EQUAL(w.log, rows[i].expected);
		if (rows[i].reason)
			CU_ASSERT_STRING_EQUAL(w.reason, rows[i].reason);
		world_clear(&w);
	}
}

/* What was said stays with the name of the path. */
static void test_reload(void)
{
	struct policy_path paths[WORLD_PATHS];
	struct pm_decisions out = { 0 };
	struct policy other;
	struct world w;

	world_init(&w, POLICY_MODE_AGGREGATE);
	world_start(&w);
	world_run(&w, "c:wifi cap:lte=2 |");
	other = w.policy;
	memcpy(paths, w.paths, sizeof(paths));
	paths[WIFI] = w.paths[LTE];
	paths[LTE] = w.paths[WIFI];
	other.paths = paths;
	CU_ASSERT_EQUAL(pm_engine_policy(w.e, &other, w.now, &out), 0);
	CU_ASSERT_EQUAL(out.nr, 0);
	world_interfaces(&w);
	CU_ASSERT_STRING_EQUAL(w.log, "");
	pm_decisions_clear(&out);
	world_clear(&w);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("engine, caps and schedules", NULL, NULL);
	CU_ADD_TEST(s, test_allowed);
	CU_ADD_TEST(s, test_reload);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
