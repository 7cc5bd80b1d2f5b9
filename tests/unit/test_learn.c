// SPDX-License-Identifier: GPL-2.0-only
/* What is learned from outcomes, how it fades, and how paths compare. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "mptcp_learn.h"

#define NOW (MPTCP_LEARN_BOOT_MS + 1000000)
#define TTL 604800000ull

static void test_success(void)
{
	struct mptcp_learn_stat s = { 0 };

	mptcp_learn_ok(&s, NOW, 40000);
	CU_ASSERT_EQUAL(s.handshake_us, 40000);
	mptcp_learn_ok(&s, NOW + 1, 80000);
	CU_ASSERT_EQUAL(s.handshake_us, 50000);
	mptcp_learn_ok(&s, NOW + 2, 0); /* not measured: the SYN was sent twice */
	CU_ASSERT_EQUAL(s.handshake_us, 50000);
	CU_ASSERT_EQUAL(s.ok, 3);
	CU_ASSERT_EQUAL(s.ok_ms, NOW + 2);
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW + 2), 0);
}

static void test_failure_fades(void)
{
	struct mptcp_learn_stat s = { 0 };

	mptcp_learn_fail(&s, NOW);
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW), 500000);
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW + MPTCP_LEARN_HALF_LIFE_MS - 1), 500000);
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW + MPTCP_LEARN_HALF_LIFE_MS), 250000);
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW + 32ull * MPTCP_LEARN_HALF_LIFE_MS), 0);
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW + 100ull * MPTCP_LEARN_HALF_LIFE_MS), 0);
	/* A clock that went back. */
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW - 5), 500000);
}

/* The longer the row of failures, the slower they are forgotten, up to 64 minutes. */
static void test_failures_in_a_row(void)
{
	struct mptcp_learn_stat s = { 0 };
	uint32_t last_ppm = 0;

	for (int i = 0; i < 40; i++) {
		mptcp_learn_fail(&s, NOW);
		CU_ASSERT(s.fail_ppm > last_ppm || s.fail_ppm == 999999);
		last_ppm = s.fail_ppm;
	}
	CU_ASSERT_EQUAL(s.failures, 40);
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW + (MPTCP_LEARN_HALF_LIFE_MS << 7) - 1),
			999999);
	CU_ASSERT_EQUAL(mptcp_learn_fail_ppm(&s, NOW + (MPTCP_LEARN_HALF_LIFE_MS << 7)), 499999);
	mptcp_learn_ok(&s, NOW, 1000);
	CU_ASSERT_EQUAL(s.failures, 0);
	CU_ASSERT_EQUAL(s.fail_ppm, 249999);
	s.failures = UINT32_MAX;
	mptcp_learn_fail(&s, NOW);
	CU_ASSERT_EQUAL(s.failures, UINT32_MAX);
}

static uint64_t expected(const struct mptcp_learn_stat *own, const struct mptcp_learn_stat *all)
{
	return mptcp_learn_expected_us(own, all, true, NOW);
}

static void test_expected(void)
{
	struct mptcp_learn_stat good = { 0 }, bad = { 0 }, all = { 0 };

	CU_ASSERT_EQUAL(expected(NULL, NULL), MPTCP_LEARN_PRIOR_US);
	mptcp_learn_ok(&good, NOW, 20000);
	CU_ASSERT_EQUAL(expected(&good, NULL), 20000);
	CU_ASSERT_EQUAL(expected(NULL, &good), 20000);
	mptcp_learn_fail(&bad, NOW);
	CU_ASSERT_EQUAL(expected(&bad, NULL), MPTCP_LEARN_PRIOR_US + MPTCP_LEARN_DEAD_US / 2);
	/* One failure elsewhere says nothing about a destination that works, two do. */
	mptcp_learn_fail(&all, NOW);
	CU_ASSERT_EQUAL(expected(&good, &all), 20000);
	mptcp_learn_fail(&all, NOW);
	CU_ASSERT_EQUAL(expected(&good, &all), 20000 + MPTCP_LEARN_DEAD_US / 4 * 3);
	mptcp_learn_ok(&all, NOW, 20000);
	CU_ASSERT_EQUAL(expected(&good, &all), 20000);
}

/* Even a metered backup path that nothing is known of is taken after one failure of the other. */
static void test_dead_path_loses(void)
{
	struct mptcp_learn_stat dead = { 0 };

	mptcp_learn_ok(&dead, NOW, 1000);
	mptcp_learn_fail(&dead, NOW);
	CU_ASSERT_TRUE(mptcp_learn_better(expected(NULL, NULL) + 300000, expected(&dead, &dead)));
	/* A slower path, or one hardly faster, is not worth leaving the kernel's own choice for. */
	CU_ASSERT_FALSE(mptcp_learn_better(20000, 20000));
	CU_ASSERT_FALSE(mptcp_learn_better(20000, 25000));
	CU_ASSERT_FALSE(mptcp_learn_better(50, 900));
	CU_ASSERT_TRUE(mptcp_learn_better(20000, 200000));
}

static void test_middlebox(void)
{
	const uint64_t hour_ms = 3600000;
	struct mptcp_learn_stat s = { 0 };

	mptcp_learn_mptcp(&s, NOW, false);
	CU_ASSERT_FALSE(mptcp_learn_breaks(&s, NOW));
	mptcp_learn_mptcp(&s, NOW, false);
	CU_ASSERT_TRUE(mptcp_learn_breaks(&s, NOW));
	CU_ASSERT_EQUAL(mptcp_learn_expected_us(NULL, &s, true, NOW),
			MPTCP_LEARN_PRIOR_US + MPTCP_LEARN_BREAKS_US);
	CU_ASSERT_EQUAL(mptcp_learn_expected_us(NULL, &s, false, NOW), MPTCP_LEARN_PRIOR_US);
	CU_ASSERT_TRUE(mptcp_learn_breaks(&s, NOW + hour_ms));
	CU_ASSERT_FALSE(mptcp_learn_breaks(&s, NOW + hour_ms + 1));
	mptcp_learn_mptcp(&s, NOW, false);
	CU_ASSERT_TRUE(mptcp_learn_breaks(&s, NOW + 2 * hour_ms));
	mptcp_learn_mptcp(&s, NOW, true);
	CU_ASSERT_FALSE(mptcp_learn_breaks(&s, NOW));
	CU_ASSERT_EQUAL(s.mptcp_ok_ms, NOW);
}

static void test_fresh(void)
{
	struct mptcp_learn_stat s = { 0 };

	CU_ASSERT_FALSE(mptcp_learn_fresh(&s, NOW, TTL));
	mptcp_learn_fail(&s, NOW);
	CU_ASSERT_TRUE(mptcp_learn_fresh(&s, NOW + TTL, TTL));
	CU_ASSERT_FALSE(mptcp_learn_fresh(&s, NOW + TTL + 1, TTL));
	CU_ASSERT_TRUE(mptcp_learn_fresh(&s, NOW - 1, TTL));
}

static void test_trials(void)
{
	struct mptcp_learn_stat s = { 0 };

	CU_ASSERT_TRUE(mptcp_learn_trial_due(&s, NOW)); /* never tried */
	mptcp_learn_fail(&s, NOW);
	CU_ASSERT_FALSE(mptcp_learn_trial_due(&s, NOW + 999));
	CU_ASSERT_TRUE(mptcp_learn_trial_due(&s, NOW + 1000));
	s.trial_ms = NOW + 1000;
	CU_ASSERT_FALSE(mptcp_learn_trial_due(&s, NOW + 1001));
	CU_ASSERT_TRUE(mptcp_learn_trial_due(&s, NOW + 2000));
	mptcp_learn_fail(&s, NOW + 2000);
	CU_ASSERT_FALSE(mptcp_learn_trial_due(&s, NOW + 3999));
	CU_ASSERT_TRUE(mptcp_learn_trial_due(&s, NOW + 4000));
}

static void check_prefix(const char *address, const char *want)
{
	__u8 in[16], out[16];
	char text[INET6_ADDRSTRLEN];

	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, address, in), 1);
	CU_ASSERT_EQUAL(!!mptcp_learn_prefix(in, out), want != NULL);
	if (want) {
		inet_ntop(AF_INET6, out, text, sizeof(text));
		CU_ASSERT_STRING_EQUAL(text, want);
	}
}

static void test_prefix(void)
{
	check_prefix("::ffff:192.0.2.77", "::ffff:192.0.2.0");
	check_prefix("2001:db8:1:2::3", "2001:db8:1::");
	check_prefix("2001:db8:1:2:3:ffff:c000:24d", "2001:db8:1::");
	check_prefix("::1", NULL);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "success", test_success },
		{ "a failure fades", test_failure_fades },
		{ "failures in a row", test_failures_in_a_row },
		{ "expected time", test_expected },
		{ "a dead path loses", test_dead_path_loses },
		{ "middleboxes", test_middlebox },
		{ "how long it counts", test_fresh },
		{ "trials", test_trials },
		{ "prefixes", test_prefix },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "learn", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
