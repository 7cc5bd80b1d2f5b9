// SPDX-License-Identifier: GPL-2.0-only
/* The reader of flat JSON objects: values, escapes, and everything that is refused. */
#include "util/flat.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* In memory of exactly that size, so that reading beyond it is seen by the sanitizers. */
static int parse(const char *text, struct flat *out, char **copy)
{
	const char *why = NULL;
	int err;

	*copy = strdup(text);
	err = flat_parse(*copy, out, &why);
	CU_ASSERT_EQUAL(err < 0, why != NULL);
	return err;
}

static void test_values(void)
{
	_cleanup_free_ char *copy = NULL;
	struct flat f;

	CU_ASSERT_EQUAL(parse(" {\"s\" : \"x y\",\"n\":42 , \"t\":true,\"f\":false\t,\"z\":null,"
			      "\"e\":\"\",\"d\":-1.5e+3}\n",
			      &f, &copy),
			0);
	CU_ASSERT_EQUAL(f.nr, 7);
	CU_ASSERT_STRING_EQUAL(flat_string(&f, "s"), "x y");
	CU_ASSERT_STRING_EQUAL(flat_string(&f, "e"), "");
	CU_ASSERT_EQUAL(flat_uint(&f, "n"), 42);
	CU_ASSERT_STRING_EQUAL(f.items[1].text, "42");
	CU_ASSERT_STRING_EQUAL(f.items[6].text, "-1.5e+3");
	CU_ASSERT_TRUE(flat_true(&f, "t"));
	CU_ASSERT_FALSE(flat_true(&f, "f"));
	CU_ASSERT_TRUE(flat_has(&f, "z"));
	CU_ASSERT_FALSE(flat_has(&f, "y"));
	CU_ASSERT_PTR_NULL(flat_string(&f, "n"));
	CU_ASSERT_PTR_NULL(flat_string(&f, "z"));
	CU_ASSERT_EQUAL(flat_uint(&f, "s"), 0);
	CU_ASSERT_EQUAL(flat_uint(&f, "d"), 0);
}

static void test_escapes(void)
{
	_cleanup_free_ char *copy = NULL;
	struct flat f;

	CU_ASSERT_EQUAL(parse("{\"a\\u0062\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac"
			      "\\ud83d\\ude00\"}",
			      &f, &copy),
			0);
	CU_ASSERT_STRING_EQUAL(flat_string(&f, "ab"),
			       "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void test_empty(void)
{
	_cleanup_free_ char *copy = NULL;
	struct flat f;

	CU_ASSERT_EQUAL(parse(" { } ", &f, &copy), 0);
	CU_ASSERT_EQUAL(f.nr, 0);
}

static void test_refused(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"x",
		"[]",
		"{",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,",
		"{\"a\":1,}",
		"{,}",
		"{\"a\" 1}",
		"{a:1}",
		"{\"a\":1}{",
		"{\"a\":1} x",
		"{\"a\":1,\"a\":2}",
		"{\"a\":{}}",
		"{\"a\":[1]}",
		"{\"a\":tru}",
		"{\"a\":truex}",
		"{\"a\":01}",
		"{\"a\":1.}",
		"{\"a\":1e}",
		"{\"a\":-}",
		"{\"a\":+1}",
		"{\"a\":0x10}",
		"{\"a\":\"x}",
		"{\"a\":\"\\",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"\\u",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"tab\there\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_free_ char *copy = NULL;
		struct flat f;

		if (parse(bad[i], &f, &copy) != -EBADMSG)
			CU_FAIL(bad[i]);
	}
}

static void test_too_many(void)
{
	char text[16 * FLAT_MAX] = "{";
	struct flat f;

	for (int i = 0; i <= FLAT_MAX; i++) {
		_cleanup_free_ char *copy = NULL;
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s\"k%d\":0", i ? "," : "", i);
		n = strlen(text);
		snprintf(text + n, sizeof(text) - n, "}");
		CU_ASSERT_EQUAL(parse(text, &f, &copy), i < FLAT_MAX ? 0 : -E2BIG);
		text[n] = '\0';
	}
}

/* Every prefix and every byte changed: nothing may be read or written out of bounds. */
static void test_garbage(void)
{
	static const char good[] = "{\"a\":\"\\u00e9\\n\",\"b\":-12.5e3,\"c\":true,\"d\":null}";
	struct flat f;

	for (size_t i = 0; i < sizeof(good); i++) {
		_cleanup_free_ char *cut = strndup(good, i);
		const char *why;

		flat_parse(cut, &f, &why);
		for (int c = 0; c < 256; c++) {
			_cleanup_free_ char *copy = strdup(good);

			copy[i] = (char)c;
			copy[sizeof(good) - 1] = '\0';
			flat_parse(copy, &f, &why);
		}
	}
	CU_PASS("within bounds");
}

static void test_written_back(void)
{
	_cleanup_free_ char *copy = NULL, *text = NULL;
	struct json j;
	struct flat f;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_EQUAL(parse("{\"s\":\"a\\nb\",\"n\":18446744073709551615,\"m\":-3,\"t\":true,"
			      "\"f\":false,\"z\":null}",
			      &f, &copy),
			0);
	json_init(&j, out, false);
	json_object_open(&j);
	flat_write(&f, &j);
	json_object_close(&j);
	json_end(&j);
	fclose(out);
	CU_ASSERT_STRING_EQUAL(text, "{\"s\":\"a\\u000ab\",\"n\":18446744073709551615,\"m\":-3,"
				     "\"t\":true,\"f\":false,\"z\":null}\n");
}

int main(void)
{
	CU_pSuite s;
	unsigned int failures;

	CU_initialize_registry();
	s = CU_add_suite("flat", NULL, NULL);
	CU_add_test(s, "values", test_values);
	CU_add_test(s, "escapes", test_escapes);
	CU_add_test(s, "an empty object", test_empty);
	CU_add_test(s, "what is refused", test_refused);
	CU_add_test(s, "too many members", test_too_many);
	CU_add_test(s, "garbage", test_garbage);
	CU_add_test(s, "written back", test_written_back);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}
