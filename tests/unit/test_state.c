// SPDX-License-Identifier: GPL-2.0-only
/* The record of what is ours: what it says around a plan, and as text. */
#include "pm/state.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>

#include "pm/address.h"
#include "pm/execute.h"

/* What a policy set is known before and after, and what was there first is kept. */
static void test_syn_retries_record(void)
{
	struct policy policy = { .establish = { .has_syn_retries = true,
						.fallback_syn_retries = 5 } };
	struct pm_kernel before = { .syn_retries = 4,
				    .saved_syn_retries = 2,
				    .set_syn_retries = { 4 },
				    .nr_set_syn_retries = 1 };
	const struct pm_action action = { .kind = PM_SET_SYN_RETRIES,
					  .syn_retries = 5,
					  .syn_retries_before = 4 };
	struct pm_state s = { 0 };

	CU_ASSERT_EQUAL(pm_state_intend(&policy, &before, &action, 1, &s), 0);
	CU_ASSERT_EQUAL(s.nr_set_syn_retries, 2);
	CU_ASSERT_EQUAL(s.set_syn_retries[0], 4);
	CU_ASSERT_EQUAL(s.set_syn_retries[1], 5);
	CU_ASSERT_EQUAL(s.saved_syn_retries, 2);
	CU_ASSERT_EQUAL(pm_state_conclude(&policy, &before, &action, 1, &s), 0);
	CU_ASSERT_EQUAL(s.nr_set_syn_retries, 1);
	CU_ASSERT_EQUAL(s.set_syn_retries[0], 5);
	CU_ASSERT_EQUAL(s.saved_syn_retries, 2);
	before.syn_retries = 9; /* someone else's since: theirs is what comes back */
	CU_ASSERT_EQUAL(pm_state_conclude(&policy, &before, &action, 1, &s), 0);
	CU_ASSERT_EQUAL(s.saved_syn_retries, 9);
	policy.establish.has_syn_retries = false;
	CU_ASSERT_EQUAL(pm_state_conclude(&policy, &before, NULL, 0, &s), 0);
	CU_ASSERT_EQUAL(s.nr_set_syn_retries, 0);
}

static void test_fastopen_record(void)
{
	struct policy policy = { .tfo = { .client = POLICY_YES } };
	struct pm_kernel before = { .fastopen = 0x402 };
	const struct pm_action action = { .kind = PM_SET_FASTOPEN,
					  .fastopen = 0x403,
					  .fastopen_before = 0x402 };
	struct pm_state s = { 0 };

	CU_ASSERT_EQUAL(pm_state_intend(&policy, &before, &action, 1, &s), 0);
	CU_ASSERT_EQUAL(s.nr_set_fastopen, 1);
	CU_ASSERT_EQUAL(s.set_fastopen[0], 0x403);
	CU_ASSERT_EQUAL(s.saved_fastopen, 0x402);
	before = (struct pm_kernel){ .fastopen = 0x403,
				     .saved_fastopen = 0x402,
				     .set_fastopen = { 0x403 },
				     .nr_set_fastopen = 1 };
	CU_ASSERT_EQUAL(pm_state_conclude(&policy, &before, NULL, 0, &s), 0);
	CU_ASSERT_EQUAL(s.nr_set_fastopen, 1);
	CU_ASSERT_EQUAL(s.saved_fastopen, 0x402);
	policy.tfo.client = POLICY_UNSET;
	CU_ASSERT_EQUAL(pm_state_conclude(&policy, &before, NULL, 0, &s), 0);
	CU_ASSERT_EQUAL(s.nr_set_fastopen, 0);
}

static void test_state_round_trip(void)
{
	struct pm_state s = { .cookie = 7,
			      .generation = 3,
			      .policy = "a b=c",
			      .scheduler = "minrtt",
			      .saved_limits = { 2, 0 },
			      .saved_scheduler = "default",
			      .set_limits = { { 4, 1 } },
			      .nr_set_limits = 1,
			      .set_scheduler = { "minrtt" },
			      .nr_set_scheduler = 1,
			      .saved_manager = "kernel",
			      .set_manager = { "userspace" },
			      .nr_set_manager = 1,
			      .saved_syn_retries = 2,
			      .set_syn_retries = { 0, 128 },
			      .nr_set_syn_retries = 2,
			      .saved_fastopen = 0x1,
			      .set_fastopen = { 0x603 },
			      .nr_set_fastopen = 1 };
	struct pm_endpoint ep = { .id = 5, .ifindex = 2, .flags = 6 };
	struct pm_state back = { 0 };
	char text[2048], copy[2048];
	FILE *f = fmemopen(text, sizeof(text), "w");

	CU_ASSERT_EQUAL_FATAL(pm_address_parse("fd00::2", &ep.address), 0);
	CU_ASSERT_EQUAL(pm_state_add_endpoint(&s, &ep), 0);
	pm_state_encode(f, &s);
	fclose(f);
	strcpy(copy, text);
	CU_ASSERT_EQUAL(pm_state_decode(copy, &back), 0);
	CU_ASSERT_STRING_EQUAL(back.policy, "a b=c");
	CU_ASSERT_EQUAL(back.generation, 3);
	CU_ASSERT_EQUAL(back.set_limits[0].subflows, 4);
	CU_ASSERT_STRING_EQUAL(back.saved_manager, "kernel");
	CU_ASSERT_EQUAL(back.nr_set_manager, 1);
	CU_ASSERT_STRING_EQUAL(back.set_manager[0], "userspace");
	CU_ASSERT_EQUAL(back.saved_syn_retries, 2);
	CU_ASSERT_EQUAL(back.nr_set_syn_retries, 2);
	CU_ASSERT_EQUAL(back.set_syn_retries[1], 128);
	CU_ASSERT_EQUAL(back.saved_fastopen, 0x1);
	CU_ASSERT_EQUAL(back.nr_set_fastopen, 1);
	CU_ASSERT_EQUAL(back.set_fastopen[0], 0x603);
	CU_ASSERT_TRUE(pm_state_owns(&back, &ep));
	ep.id = 6;
	CU_ASSERT_FALSE(pm_state_owns(&back, &ep));
	pm_state_clear(&back);
	/* Every shorter file is refused and leaves nothing behind. */
	for (size_t n = 0; n + 1 < strlen(text); n++) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		CU_ASSERT_EQUAL(pm_state_decode(copy, &back), -EBADMSG);
	}
	strcpy(copy, "endpoint=10.0.0.1 id 999 ifindex 1 port 0 flags 0\nend\n");
	CU_ASSERT_EQUAL(pm_state_decode(copy, &back), -EBADMSG);
	strcpy(copy, "set-syn-retries=256\nend\n");
	CU_ASSERT_EQUAL(pm_state_decode(copy, &back), -EBADMSG);
	strcpy(copy, "set-fastopen=x\nend\n");
	CU_ASSERT_EQUAL(pm_state_decode(copy, &back), -EBADMSG);
	strcpy(copy, "set-limits=1 1\nset-limits=1 1\nset-limits=1 1\nend\n");
	CU_ASSERT_EQUAL(pm_state_decode(copy, &back), -EBADMSG);
	CU_ASSERT_PTR_NULL(back.endpoints);
	pm_state_clear(&s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "SYN retries on record", test_syn_retries_record },
		{ "data in the SYN on record", test_fastopen_record },
		{ "round trip and garbage", test_state_round_trip },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "state", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
