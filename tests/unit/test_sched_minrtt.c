// SPDX-License-Identifier: GPL-2.0-only
/* minrtt: state and decision. */
#include "fake_conn.h"

#include <CUnit/Basic.h>

static void test_smoke(void)
{
	struct fake_sched *s = fake_sched_open("minrtt");
	struct fake_conn c;

	fake_conn_init(&c);
	fake_path_add(&c, 1, 40000);
	fake_path_add(&c, 2, 20000);
	CU_ASSERT_EQUAL(fake_get_send(s, &c).id, 2);
	fake_sched_close(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "smoke", test_smoke },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "minrtt", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
