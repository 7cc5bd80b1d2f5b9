// SPDX-License-Identifier: GPL-2.0-only
/* The JSON writer: commas, indentation, escapes. */
#include "util/json.h"

#include <CUnit/Basic.h>
#include <string.h>

#include "util/cleanup.h"

static void write_sample(struct json *j)
{
	json_object_open(j);
	json_key_string(j, "s", "x");
	json_key_uint(j, "n", UINT64_MAX);
	json_key_bool(j, "b", true);
	json_key(j, "l");
	json_array_open(j);
	json_int(j, INT64_MIN);
	json_string(j, NULL);
	json_object_open(j);
	json_object_close(j);
	json_array_close(j);
	json_key(j, "e");
	json_array_open(j);
	json_array_close(j);
	json_object_close(j);
}

static void check(bool pretty, const char *expected)
{
	_cleanup_free_ char *text = NULL;
	struct json j;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	json_init(&j, f, pretty);
	write_sample(&j);
	json_end(&j);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(text, expected);
}

static void test_compact(void)
{
	check(false, "{\"s\":\"x\",\"n\":18446744073709551615,\"b\":true,"
		     "\"l\":[-9223372036854775808,null,{}],\"e\":[]}\n");
}

static void test_pretty(void)
{
	check(true,
	      "{\n    \"s\": \"x\",\n    \"n\": 18446744073709551615,\n    \"b\": true,\n"
	      "    \"l\": [\n        -9223372036854775808,\n        null,\n        {}\n    ],\n"
	      "    \"e\": []\n}\n");
}

static void test_escapes(void)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "a\"b\\c", "\"a\\\"b\\\\c\"\n" },
		{ "\n\x01\x7f", "\"\\u000a\\u0001\\u007f\"\n" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\n" },
		{ "\xff", "\"\\ufffd\"\n" },
		{ "\xc0\x80", "\"\\ufffd\\ufffd\"\n" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n" },
		{ "\xc3", "\"\\ufffd\"\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *text = NULL;
		struct json j;
		size_t size;
		FILE *f = open_memstream(&text, &size);

		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		json_init(&j, f, false);
		json_string(&j, cases[i].text);
		json_end(&j);
		fclose(f);
		CU_ASSERT_STRING_EQUAL(text, cases[i].expected);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "compact", test_compact },
		{ "pretty", test_pretty },
		{ "escapes", test_escapes },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "json", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
