// SPDX-License-Identifier: GPL-2.0-only
/* Rules of a policy as the selector reads them, and back in words. */
#include "pm/rules.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cgroup.h"
#include "util/cleanup.h"

#define HEAD "version: 1\nname: t\nscheduler: s\nconnections:\n"

static int make(const char *text, struct mptcp_select_rule *rules, size_t *nr, struct pm_plan *plan,
		struct error *e)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;
	int err;

	CU_ASSERT_EQUAL_FATAL(policy_parse("t.yaml", text, strlen(text), &p, &d), 0);
	err = pm_rules_make(p, rules, nr, plan, e);
	policy_free(&p);
	return err;
}

static void words_are(const struct mptcp_select_rule *rule, const char *words)
{
	char text[PM_RULE_TEXT_BYTES];

	pm_rule_describe(rule, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, words);
}

static void test_make(void)
{
	struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX];
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct error e = { 0 };
	size_t nr = 0;

	CU_ASSERT_EQUAL_FATAL(
		make(HEAD
		     "  - { match: { port: [80, 8000-8010], local-port: [1, 2] }, scheduler: a }\n"
		     "  - { match: { uid: root, prefix: 10.0.0.0/8, role: server } }\n"
		     "  - { match: { uid: 1000, prefix: \"fd00::/8\", role: client } }\n"
		     "  - mode: handover\n",
		     rules, &nr, &plan, &e),
		0);
	CU_ASSERT_EQUAL_FATAL(nr, 6);
	words_are(&rules[0], "rule 1: scheduler a for port 80, local-port 1");
	words_are(&rules[1], "rule 1: scheduler a for port 80, local-port 2");
	words_are(&rules[2], "rule 1: scheduler a for port 8000-8010, local-port 1");
	words_are(&rules[3], "rule 1: scheduler a for port 8000-8010, local-port 2");
	words_are(&rules[4], "rule 2: scheduler s for uid 0, prefix 10.0.0.0/8, role server");
	words_are(&rules[5], "rule 3: scheduler s for uid 1000, prefix fd00::/8, role client");
	CU_ASSERT_EQUAL(rules[4].by_uid, 1);
	CU_ASSERT_EQUAL(rules[4].remote_bits, 104);
	CU_ASSERT_EQUAL(rules[4].remote[12], 10);
	CU_ASSERT_EQUAL(rules[0].by_uid, 0);
	CU_ASSERT_EQUAL(plan.nr_notices, 0);
}

/* Rules that are about paths and modes only, and all connections have the kernel's scheduler. */
static void test_no_schedulers(void)
{
	static const char *const texts[] = {
		"version: 1\nname: t\nconnections: [ { match: { port: 1 }, mode: interactive } ]\n",
		"version: 1\nname: t\nconnections: [ { match: { port: 1 }, mode: interactive } ]\n"
		"scheduler: default\n",
	};
	struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX];
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct error e = { 0 };
	size_t nr = 7;

	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(make(texts[i], rules, &nr, &plan, &e), 0);
		CU_ASSERT_EQUAL(nr, 0);
	}
	CU_ASSERT_EQUAL(make("version: 1\nname: t\nconnections:\n"
			     "  - { match: { port: 1 }, mode: interactive }\n  - scheduler: a\n",
			     rules, &nr, &plan, &e),
			0);
	CU_ASSERT_EQUAL_FATAL(nr, 1);
	words_are(&rules[0], "rule 1: scheduler a for port 1");
}

static void test_absent(void)
{
	struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX];
	_cleanup_(pm_plan_clear) struct pm_plan plan = { 0 };
	struct error e = { 0 };
	size_t nr = 0;
	int err;

	CU_ASSERT_EQUAL(make(HEAD "  - match: { uid: no-such-user-here }\n", rules, &nr, &plan, &e),
			-EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "rule 1 (line 5): there is no user \"no-such-user-here\"");
	err = make(HEAD "  - match: { cgroup: /no/such/group }\n  - match: { port: 1 }\n", rules,
		   &nr, &plan, &e);
	/* without cgroup v2 there is no telling */
	if (err == -EOPNOTSUPP)
		return;
	CU_ASSERT_EQUAL(err, 0);
	CU_ASSERT_EQUAL_FATAL(nr, 1);
	CU_ASSERT_EQUAL(rules[0].rule, 2);
	CU_ASSERT_EQUAL_FATAL(plan.nr_notices, 1);
	CU_ASSERT_STRING_EQUAL(plan.notices[0].text,
			       "rule 1: there is no cgroup /no/such/group; apply again later");
}

/* There and back, where cgroup v2 is mounted and the process may look. */
static void test_cgroup(void)
{
	uint64_t id = 0;
	uint32_t level = 7;
	char path[64];
	int err;

	if (cgroup_find("/", &id, &level) == -EOPNOTSUPP)
		return;
	CU_ASSERT_EQUAL(level, 0);
	CU_ASSERT_NOT_EQUAL(id, 0);
	err = cgroup_path(id, path, sizeof(path));
	CU_ASSERT_TRUE(err == -EPERM || (err == 0 && strcmp(path, "/") == 0));
	CU_ASSERT_EQUAL(cgroup_find("/no/such/group", &id, &level), -ENOENT);
}

/* The longest of all conditions is cut, not overrun. */
static void test_short_buffer(void)
{
	const struct mptcp_select_rule rule = { .rule = 4294967295u,
						.scheduler = "fifteen-letters",
						.by_uid = 1,
						.role = MPTCP_ROLE_SERVER,
						.remote_port_first = 1,
						.remote_port_last = 65535 };

	for (size_t size = 1; size < 100; size++) {
		_cleanup_free_ char *text = malloc(size);

		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		pm_rule_describe(&rule, text, size);
		CU_ASSERT(strlen(text) < size);
	}
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("rules", NULL, NULL);
	CU_ADD_TEST(s, test_make);
	CU_ADD_TEST(s, test_no_schedulers);
	CU_ADD_TEST(s, test_absent);
	CU_ADD_TEST(s, test_cgroup);
	CU_ADD_TEST(s, test_short_buffer);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
