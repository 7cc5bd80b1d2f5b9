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
		{ "c:wifi wifi- wifi+ | t:1900", "" },
		{ "c:wifi wifi- wifi+ | t:2000", "-lte" },
		{ "c:wifi | bad:wifi", "" },
		{ "c:wifi | bad:wifi good:wifi bad:wifi", "" },
		{ "c:wifi | wifi!", "+lte wifi>b" },
		{ "c:wifi wifi! | wifi. t:2000 wifi. ", "wifi>a" },
		{ "c:wifi wifi! t:1500 wifi. t:2100 | wifi.", "" },
	};

	check(POLICY_MODE_HANDOVER, rows, NR(rows));
}

int main(void)
{
	CU_pSuite suite;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite = CU_add_suite("engine modes", NULL, NULL);
	CU_add_test(suite, "handover", test_handover);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	return CU_get_number_of_failures() ? 1 : 0;
}
