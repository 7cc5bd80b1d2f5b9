// SPDX-License-Identifier: GPL-2.0-only
/* Numbers with units: what is read, what is refused, and that what is written can be read. */
#include "policy/quantity.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <regex.h>
#include <stdbool.h>

static const struct {
	enum quantity q;
	const char *text;
	uint64_t value;
} good[] = {
	{ QUANTITY_MS, "250ms", 250 },
	{ QUANTITY_MS, "0ms", 0 },
	{ QUANTITY_MS, "2s", 2000 },
	{ QUANTITY_MS, "3min", 180000 },
	{ QUANTITY_MS, "1h", 3600000 },
	{ QUANTITY_MS, "7d", 604800000 },
	{ QUANTITY_PPM, "30%", 300000 },
	{ QUANTITY_PPM, "0.0001%", 1 },
	{ QUANTITY_PPM, "2.5%", 25000 },
	{ QUANTITY_PPM, "100.0000%", 1000000 },
	{ QUANTITY_BYTES, "2GB", 2000000000 },
	{ QUANTITY_BYTES, "17B", 17 },
	{ QUANTITY_BYTES, "3kB", 3000 },
	{ QUANTITY_BYTES, "4MiB", 4194304 },
	{ QUANTITY_BYTES, "5TB", 5000000000000 },
	{ QUANTITY_BPS, "9bit", 9 },
	{ QUANTITY_BPS, "64kbit", 64000 },
	{ QUANTITY_BPS, "5mbit", 5000000 },
	{ QUANTITY_BPS, "1gbit", 1000000000 },
};

static bool well_formed(enum quantity q, const char *text)
{
	regex_t regex;
	bool is;

	CU_ASSERT_EQUAL_FATAL(regcomp(&regex, quantity_pattern(q), REG_EXTENDED | REG_NOSUB), 0);
	is = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return is;
}

static void test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t value = UINT64_MAX;

		CU_ASSERT_EQUAL(quantity_parse(good[i].q, good[i].text, &value), 0);
		CU_ASSERT_EQUAL(value, good[i].value);
		CU_ASSERT(well_formed(good[i].q, good[i].text));
	}
}

/* What the pattern refuses the parser refuses, so that an editor and `check` agree. */
static void test_refused(void)
{
	static const struct {
		enum quantity q;
		const char *text;
	} cases[] = {
		{ QUANTITY_MS, "" },	  { QUANTITY_MS, "250" },	{ QUANTITY_MS, "ms" },
		{ QUANTITY_MS, "-1s" },	  { QUANTITY_MS, "1.5s" },	{ QUANTITY_MS, "1m" },
		{ QUANTITY_MS, " 1s" },	  { QUANTITY_MS, "1s " },	{ QUANTITY_MS, "1 s" },
		{ QUANTITY_MS, "1S" },	  { QUANTITY_MS, "1%" },	{ QUANTITY_MS, "1s2" },
		{ QUANTITY_PPM, "2" },	  { QUANTITY_PPM, "2.%" },	{ QUANTITY_PPM, ".5%" },
		{ QUANTITY_PPM, "1,5%" }, { QUANTITY_PPM, "1.00001%" }, { QUANTITY_PPM, "%" },
		{ QUANTITY_BPS, "5mb" },  { QUANTITY_BPS, "5" },	{ QUANTITY_BYTES, "2gb" },
		{ QUANTITY_BYTES, "2G" }, { QUANTITY_BYTES, "1kb" },	{ QUANTITY_BYTES, "1.5GB" },
	};
	uint64_t value = 42;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(quantity_parse(cases[i].q, cases[i].text, &value), -EINVAL);
		CU_ASSERT_FALSE(well_formed(cases[i].q, cases[i].text));
	}
	CU_ASSERT_EQUAL(quantity_parse(QUANTITY_BYTES, "999999999999TiB", &value), -ERANGE);
	CU_ASSERT_EQUAL(quantity_parse(QUANTITY_MS, "18446744073709551616ms", &value), -ERANGE);
	CU_ASSERT_EQUAL(value, 42);
}

static void test_written(void)
{
	static const struct {
		enum quantity q;
		uint64_t value;
		const char *text;
	} cases[] = {
		{ QUANTITY_MS, 0, "0ms" },
		{ QUANTITY_MS, 250, "250ms" },
		{ QUANTITY_MS, 1500, "1500ms" },
		{ QUANTITY_MS, 2000, "2s" },
		{ QUANTITY_MS, 90000, "90s" },
		{ QUANTITY_MS, 604800000, "7d" },
		{ QUANTITY_PPM, 0, "0%" },
		{ QUANTITY_PPM, 1, "0.0001%" },
		{ QUANTITY_PPM, 25000, "2.5%" },
		{ QUANTITY_PPM, 500000, "50%" },
		{ QUANTITY_BYTES, 2000000000, "2GB" },
		{ QUANTITY_BYTES, 4194304, "4MiB" },
		{ QUANTITY_BYTES, 1001, "1001B" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[QUANTITY_TEXT_BYTES];
		uint64_t value = UINT64_MAX;

		quantity_format(cases[i].q, cases[i].value, text);
		CU_ASSERT_STRING_EQUAL(text, cases[i].text);
		CU_ASSERT_EQUAL(quantity_parse(cases[i].q, text, &value), 0);
		CU_ASSERT_EQUAL(value, cases[i].value);
	}
}

int main(void)
{
	CU_pSuite suite;
	unsigned int failures;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite = CU_add_suite("quantity", NULL, NULL);
	if (!suite || !CU_ADD_TEST(suite, test_good) || !CU_ADD_TEST(suite, test_refused) ||
	    !CU_ADD_TEST(suite, test_written)) {
		CU_cleanup_registry();
		return 1;
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
