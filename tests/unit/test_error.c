// SPDX-License-Identifier: GPL-2.0-only
/* Errors and the exit status they lead to. */
#include "util/error.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

static void test_set(void)
{
	struct error e = { 0 };

	CU_ASSERT_EQUAL(error_set(&e, -EIO, "cannot read %s", "x"), -EIO);
	CU_ASSERT_EQUAL(e.code, -EIO);
	CU_ASSERT_STRING_EQUAL(e.text, "cannot read x");
	CU_ASSERT_STRING_EQUAL(e.hint, "");
	CU_ASSERT_EQUAL(error_hint(&e, "try %d", 2), -EIO);
	CU_ASSERT_STRING_EQUAL(e.hint, "try 2");
	error_set(&e, -EPERM, "other");
	CU_ASSERT_STRING_EQUAL(e.hint, "");
	CU_ASSERT_EQUAL(error_set(NULL, -EIO, "x"), -EIO);
}

static void test_long_text(void)
{
	struct error e = { 0 };

	error_set(&e, -EIO, "%0*d", 2 * ERROR_TEXT_BYTES, 0);
	CU_ASSERT_EQUAL(strlen(e.text), ERROR_TEXT_BYTES - 1);
}

static void test_exit_status(void)
{
	static const struct {
		int code;
		enum exit_status status;
	} cases[] = {
		{ 0, EXIT_STATUS_OK },
		{ -EINVAL, EXIT_STATUS_FAILED },
		{ -EPERM, EXIT_STATUS_PERMISSION },
		{ -EACCES, EXIT_STATUS_PERMISSION },
		{ -EOPNOTSUPP, EXIT_STATUS_UNSUPPORTED },
		{ -ENOSYS, EXIT_STATUS_UNSUPPORTED },
		{ -EPROTONOSUPPORT, EXIT_STATUS_UNSUPPORTED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(error_exit_status(cases[i].code), cases[i].status);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "set and hint", test_set },
		{ "long text", test_long_text },
		{ "exit status", test_exit_status },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "error", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
