// SPDX-License-Identifier: GPL-2.0-only
/* When MPTCP is given back after the kernel switched it off, and when not. */
#include "pm/watchdog.h"

#include <CUnit/Basic.h>

#define NOW    (MPTCP_LEARN_BOOT_MS + 100 * 3600000ull)
#define HOUR   3600000ull
#define AGO(h) (NOW - (h)*HOUR)

/* wlan0 dropped SYNs with MPTCP `drops` times in a row, agreed on MPTCP before; wwan0 likewise. */
static void make_rows(struct loader_learn_row rows[2], uint64_t wlan_ok_ms, uint32_t wlan_drops,
		      uint64_t wwan_ok_ms, uint32_t wwan_drops)
{
	rows[0] = (struct loader_learn_row){ .key.ifindex = 2,
					     .stat = { .mptcp_ok_ms = wlan_ok_ms,
						       .mptcp_drops = wlan_drops,
						       .mptcp_drop_ms = NOW } };
	rows[1] = (struct loader_learn_row){ .key.ifindex = 3,
					     .stat = { .mptcp_ok_ms = wwan_ok_ms,
						       .mptcp_drops = wwan_drops,
						       .mptcp_drop_ms = NOW } };
}

static void test_who_proves(void)
{
	static const struct {
		uint64_t wlan_ok_ms;
		uint32_t wlan_drops;
		uint64_t wwan_ok_ms;
		uint32_t wwan_drops;
		unsigned int proof; /* 0: leave it */
	} cases[] = {
		{ 0, 1, AGO(1), 0, 3 },	     /* another path */
		{ AGO(1), 1, 0, 0, 2 },	     /* the same one: it was an outage */
		{ AGO(1), 2, 0, 0, 0 },	     /* twice: a middlebox, and no other path */
		{ AGO(1), 2, AGO(2), 0, 3 }, /* twice, but another path */
		{ AGO(1), 2, AGO(2), 5, 0 }, /* both */
		{ 0, 1, 0, 0, 0 },	     /* nothing is known */
		{ 0, 1, AGO(25), 0, 0 },     /* too long ago */
		{ AGO(3), 1, AGO(2), 0, 3 }, /* the latest counts */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pm_watchdog w = { 0 };
		const struct loader_learn_row *proof;
		struct loader_learn_row rows[2];
		enum pm_watch_verdict v;

		make_rows(rows, cases[i].wlan_ok_ms, cases[i].wlan_drops, cases[i].wwan_ok_ms,
			  cases[i].wwan_drops);
		v = pm_watchdog_decide(&w, true, rows, 2, NOW, &proof);
		CU_ASSERT_EQUAL(v, cases[i].proof ? PM_WATCH_RESTORE : PM_WATCH_LEAVE);
		CU_ASSERT_EQUAL(proof ? proof->key.ifindex : 0, cases[i].proof);
		CU_ASSERT_EQUAL(w.off, !cases[i].proof);
	}
}

static void test_on(void)
{
	struct pm_watchdog w = { .off = true };
	const struct loader_learn_row *proof;
	struct loader_learn_row rows[2];

	make_rows(rows, AGO(1), 0, AGO(1), 0);
	CU_ASSERT_EQUAL(pm_watchdog_decide(&w, false, rows, 2, NOW, &proof), PM_WATCH_ON);
	CU_ASSERT_FALSE(w.off);
	CU_ASSERT_PTR_NULL(proof);
	CU_ASSERT_EQUAL(w.restores, 0);
	CU_ASSERT_EQUAL(pm_watchdog_decide(&w, true, NULL, 0, NOW, &proof), PM_WATCH_LEAVE);
}

/* Being wrong again and again takes longer and longer, up to 17 minutes, until an hour of quiet. */
static void test_hold(void)
{
	struct pm_watchdog w = { 0 };
	const struct loader_learn_row *proof;
	struct loader_learn_row rows[2];
	uint64_t now_ms = NOW, hold_ms = 1000;

	make_rows(rows, 0, 1, AGO(1), 0);
	CU_ASSERT_EQUAL(pm_watchdog_decide(&w, true, rows, 2, now_ms, &proof), PM_WATCH_RESTORE);
	for (int i = 0; i < 12; i++) {
		CU_ASSERT_EQUAL(pm_watchdog_decide(&w, true, rows, 2, now_ms + hold_ms - 1, &proof),
				PM_WATCH_WAIT);
		CU_ASSERT_TRUE(w.off);
		now_ms += hold_ms;
		CU_ASSERT_EQUAL(pm_watchdog_decide(&w, true, rows, 2, now_ms, &proof),
				PM_WATCH_RESTORE);
		if (i < 9)
			hold_ms *= 2;
		else
			hold_ms = 1000 << 10;
	}
	now_ms += HOUR + 1;
	rows[1].stat.mptcp_ok_ms = now_ms;
	CU_ASSERT_EQUAL(pm_watchdog_decide(&w, true, rows, 2, now_ms, &proof), PM_WATCH_RESTORE);
	CU_ASSERT_EQUAL(w.restores, 1);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "who proves it wrong", test_who_proves },
		{ "nothing to do", test_on },
		{ "holding down", test_hold },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "watchdog", NULL, NULL, NULL, NULL, tests },
				  CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
