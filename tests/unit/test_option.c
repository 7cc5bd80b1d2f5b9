// SPDX-License-Identifier: GPL-2.0-only
/* The parser of TCP options that BPF programs share, on options as the kernel writes them. */
#include <CUnit/Basic.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mptcp_option.h"

#define TIMESTAMP "0101080a0102030405060708"

static struct mptcp_options options;

static void fill(const char *hex)
{
	unsigned int byte;

	memset(&options, 0, sizeof(options));
	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		options.bytes[options.length++] = (__u8)byte;
}

/* The next MPTCP option, or what ends the walk. */
static enum mptcp_option_found next(void)
{
	enum mptcp_option_found found;

	do
		found = mptcp_option_next(&options);
	while (found == MPTCP_FOUND_OTHER);
	return found;
}

static void bytes_are(const char *want)
{
	char got[2 * MPTCP_OPTIONS_BYTES + 1] = "";

	for (__u32 i = 0; i < options.length; i++)
		snprintf(got + 2 * i, 3, "%02x", options.bytes[i]);
	CU_ASSERT_STRING_EQUAL(got, want);
}

static void test_walk(void)
{
	fill(TIMESTAMP "1e035101"
		       "1e08400102030405");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_EQUAL(options.at, 12);
	CU_ASSERT_TRUE(mptcp_option_is_prio(&options));
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_EQUAL(options.at, 16);
	CU_ASSERT_EQUAL(mptcp_option_remove_ids(&options), 5);
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_END);
	fill("1e0451071e035000");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_TRUE(mptcp_option_is_prio_old(&options));
	CU_ASSERT_FALSE(mptcp_option_is_prio(&options));
	fill("");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_END);
}

/* What hides behind something odd is found when the kernel would find it, and only then. */
static void test_odd(void)
{
	fill("1e021e0351");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_TRUE(mptcp_option_is_prio(&options));
	fill("001e0351");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_END);
	fill("1e001e0351");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MALFORMED);
	fill("0801"
	     "1e0351");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MALFORMED);
	fill("1e0451");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MALFORMED);
	fill("01011e");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MALFORMED);
	fill("ff021e0351");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_TRUE(mptcp_option_is_prio(&options));
}

static void test_take_out(void)
{
	fill(TIMESTAMP "1e0351011e034000");
	next();
	mptcp_option_blank(&options, options.at, options.at + options.size);
	bytes_are(TIMESTAMP "010101011e034000");
	fill("1e0740010203041e035101");
	next();
	mptcp_option_remove_keep(&options, 1 << 1 | 1 << 3);
	bytes_are("1e0540020401011e035101");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_TRUE(mptcp_option_is_prio(&options));
	fill("1e0740010203041e035101");
	next();
	mptcp_option_remove_keep(&options, 0);
	bytes_are("010101010101011e035101");
	fill("1e074001020304");
	next();
	mptcp_option_remove_keep(&options, 15);
	bytes_are("1e074001020304");
}

static bool plain(const char *hex)
{
	fill(hex);
	return mptcp_option_is_plain(&options);
}

static void test_plain(void)
{
	CU_ASSERT_TRUE(plain(TIMESTAMP));
	CU_ASSERT_TRUE(plain(TIMESTAMP "1e08200102030405"));
	CU_ASSERT_TRUE(plain(TIMESTAMP "1e06200102030101"));
	CU_ASSERT_TRUE(plain("1e08200102030405"));
	/* one more would fit behind it */
	CU_ASSERT_FALSE(plain(TIMESTAMP "1e05200102010101"));
	CU_ASSERT_FALSE(plain(TIMESTAMP "1e0820010203040501010101"));
	CU_ASSERT_FALSE(plain(TIMESTAMP "1e08200102030405"
					"1e035101"));
	CU_ASSERT_FALSE(plain(TIMESTAMP "1e03510101010101"));
	CU_ASSERT_FALSE(plain(TIMESTAMP "1e09200102030405"));
	CU_ASSERT_FALSE(plain(TIMESTAMP "1e022001"));
	CU_ASSERT_FALSE(plain("0101080a1e03510105060708"
			      "1e035101"));
	CU_ASSERT_FALSE(plain(""));
}

static void test_remove(void)
{
	fill("1e034001");
	next();
	CU_ASSERT_EQUAL(mptcp_option_remove_ids(&options), 0);
	fill("1e0b40010203040506070801");
	next();
	CU_ASSERT_EQUAL(mptcp_option_remove_ids(&options), 8);
	fill("1e0c4001020304050607080901");
	next();
	CU_ASSERT_EQUAL(mptcp_option_remove_ids(&options), 0);
}

static void add_is(const char *hex, int family, int echo, int id, int port, const char *last_bytes)
{
	struct mptcp_add_addr add = { 0 };
	char got[9];

	fill(hex);
	CU_ASSERT_EQUAL_FATAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_EQUAL(mptcp_option_add_addr(&options, &add), family != 0);
	if (!family)
		return;
	snprintf(got, sizeof(got), "%02x%02x%02x%02x", add.address[12], add.address[13],
		 add.address[14], add.address[15]);
	CU_ASSERT_EQUAL(add.family, family);
	CU_ASSERT_EQUAL(add.echo, echo);
	CU_ASSERT_EQUAL(add.id, id);
	CU_ASSERT_EQUAL(add.port, port);
	CU_ASSERT_STRING_EQUAL(got, last_bytes);
	CU_ASSERT_EQUAL(add.address[10], family == 4 ? 0xff : 0);
}

#define HMAC   "1122334455667788"
#define PREFIX "20010db80000000000000000"

static void test_add(void)
{
	add_is("1e1030050a000001" HMAC, 4, 0, 5, 0, "0a000001");
	add_is("1e1230050a0000011f40" HMAC, 4, 0, 5, 8000, "0a000001");
	add_is("1e0831050a000001", 4, 1, 5, 0, "0a000001");
	add_is("1e0a31050a00000101bb", 4, 1, 5, 443, "0a000001");
	add_is("1e1c3007" PREFIX "00000001" HMAC, 6, 0, 7, 0, "00000001");
	add_is("1e1e3007" PREFIX "0000000101bb" HMAC, 6, 0, 7, 443, "00000001");
	add_is("1e143107" PREFIX "00000001", 6, 1, 7, 0, "00000001");
	/* sizes that the kernel passes over */
	add_is("1e0830050a000001", 0, 0, 0, 0, "");
	add_is("1e1031050a000001" HMAC, 0, 0, 0, 0, "");
	add_is("1e1130050a0000011f" HMAC, 0, 0, 0, 0, "");
	add_is("1e035101", 0, 0, 0, 0, "");
}

/* MP_TCPRST: reason and T bit set, whatever was there, and nothing else. */
static void test_reset(void)
{
	fill(TIMESTAMP "1e0480001e035101");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_TRUE(mptcp_option_is_reset(&options));
	mptcp_option_set_reset(&options, 5, 1);
	bytes_are(TIMESTAMP "1e0481051e035101");
	mptcp_option_set_reset(&options, 3, 0);
	bytes_are(TIMESTAMP "1e0480031e035101");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_TRUE(mptcp_option_is_prio(&options));
	/* flags that mean nothing yet are cleared */
	fill("1e048f06");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	mptcp_option_set_reset(&options, 2, 1);
	bytes_are("1e048102");
	/* another size, another subtype */
	fill("1e03801e05800000");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_FALSE(mptcp_option_is_reset(&options));
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_FALSE(mptcp_option_is_reset(&options));
	fill("1e047000");
	CU_ASSERT_EQUAL(next(), MPTCP_FOUND_MPTCP);
	CU_ASSERT_FALSE(mptcp_option_is_reset(&options));
}

int main(void)
{
	CU_pSuite suite;
	unsigned int failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite = CU_add_suite("option", NULL, NULL);
	CU_add_test(suite, "one after the other", test_walk);
	CU_add_test(suite, "odd lengths and kinds", test_odd);
	CU_add_test(suite, "taken out", test_take_out);
	CU_add_test(suite, "nothing but DSS", test_plain);
	CU_add_test(suite, "REMOVE_ADDR", test_remove);
	CU_add_test(suite, "ADD_ADDR", test_add);
	CU_add_test(suite, "MP_TCPRST", test_reset);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
