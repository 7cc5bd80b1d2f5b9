// SPDX-License-Identifier: GPL-2.0-only
/* Which cookies for data in SYNs are of no use. */
#include "pm/cookie.h"

#include <CUnit/Basic.h>
#include <string.h>

#include "pm/address.h"
#include "pm/rescue_settings.h"

static struct rescue_config settings;
static struct loader_rescue_lost held[2];

static struct rescue_address address(const char *text)
{
	struct rescue_address out = { 0 };
	struct pm_address a;

	CU_ASSERT_EQUAL_FATAL(pm_address_parse(text, &a), 0);
	pm_rescue_address(&a, &out);
	return out;
}

static void list(const char *prefix, uint32_t bits)
{
	settings.data_listed = 1;
	settings.data_to[settings.nr_data_to++] = (struct rescue_destination){
		.prefix = address(prefix), .bits = bits, .port_first = 443, .port_last = 443
	};
}

static bool unwanted(const char *text, size_t nr_held)
{
	const struct pm_cookie_view v = { &settings, held, nr_held };
	struct pm_address a;

	CU_ASSERT_EQUAL_FATAL(pm_address_parse(text, &a), 0);
	return pm_cookie_is_unwanted(&v, &a);
}

static void test_no_list(void)
{
	memset(&settings, 0, sizeof(settings));
	CU_ASSERT_FALSE(unwanted("10.1.2.3", 0));
	CU_ASSERT_FALSE(unwanted("fd00::1", 0));
}

static void test_list(void)
{
	memset(&settings, 0, sizeof(settings));
	list("10.1.0.0", 96 + 15);
	list("fd00:1::", 33);
	CU_ASSERT_FALSE(unwanted("10.1.2.3", 0));
	CU_ASSERT_FALSE(unwanted("10.0.2.3", 0));
	CU_ASSERT_TRUE(unwanted("10.2.0.0", 0));
	CU_ASSERT_FALSE(unwanted("fd00:1:7fff::1", 0));
	CU_ASSERT_TRUE(unwanted("fd00:1:8000::1", 0));
	CU_ASSERT_TRUE(unwanted("fd00::1", 0));
	list("::", 0); /* any address, for a port */
	CU_ASSERT_FALSE(unwanted("10.2.0.0", 0));
}

static void test_held(void)
{
	memset(&settings, 0, sizeof(settings));
	held[0].at.remote = address("10.1.2.3");
	held[1].at.remote = address("fd00::1");
	CU_ASSERT_TRUE(unwanted("10.1.2.3", 2));
	CU_ASSERT_TRUE(unwanted("fd00::1", 2));
	CU_ASSERT_FALSE(unwanted("fd00::1", 1));
	CU_ASSERT_FALSE(unwanted("10.1.2.4", 2));
	list("10.1.2.3", 128); /* listed, but lost */
	CU_ASSERT_TRUE(unwanted("10.1.2.3", 2));
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("cookie", NULL, NULL);
	CU_ADD_TEST(s, test_no_list);
	CU_ADD_TEST(s, test_list);
	CU_ADD_TEST(s, test_held);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
